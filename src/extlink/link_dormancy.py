"""The end of links that nobody used: what is written when one is met (F12).

Rule: nothing runs. A link that is dormant by its service's setting is refused from that instant; the first check or
refresh that meets it ends it for good, so that no later setting brings it back.
"""

from __future__ import annotations

from extlink.domain.decision import Decision
from extlink.domain.event import Event
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkEvent
from extlink.operation import Call, Change, put
from extlink.records import link_key

__all__ = ["ending"]


def ending(
    call: Call, link: Link, decision: Decision, at: Instant
) -> tuple[tuple[Change, ...], tuple[Event, ...]] | None:
    """Return what ends a link that a decision refuses because it is dormant, and what records it; None: nothing to end.

    Args:
        link: one that is live, as it was decided on.
    """
    if not any(reason.code == "link.dormant" for reason in decision.reasons):
        return None
    ended = link.moved(LinkEvent.REVOKE, "dormant", at)
    if ended is None or ended is link:
        return None
    details = {"service": link.service, "user": link.owner, "link": link.id, "last_use": link.renewed}
    return (put(link_key(call.tenant, link.id), ended),), (Event("link.dormant", details),)
