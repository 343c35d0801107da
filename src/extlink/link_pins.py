"""Pinning one link: its calls must come from the ranges that the service publishes (F5).

Owner and administrator may both do and undo it: the owner could make a link without it at any time. A rule that no
owner lifts is that for the whole service (`networks.pin`).
"""

from __future__ import annotations

import attrs

from extlink.domain.event import Event
from extlink.domain.identifier import LinkId, parse_id
from extlink.domain.link import Link, LinkState
from extlink.domain.reason import Reason
from extlink.errors import Refused
from extlink.link_ends import load_link
from extlink.operation import ALL_CONCERNED, Call, Commit, Operation, Steps, operation, put, read
from extlink.records import link_key, pin_key

__all__ = ["pin", "unpin"]


def _changed(call: Call, known: Link, name: str, *, pinned: bool) -> Commit[Link]:
    if known.pinned is pinned or known.state is LinkState.REVOKED:
        return Commit(known)
    after = attrs.evolve(known, pinned=pinned)
    event = Event(name, {"service": known.service, "user": known.owner, "link": known.id})
    return Commit(after, (put(link_key(call.tenant, known.id), after),), (event,))


@operation("links.pin", by=ALL_CONCERNED, records=("link.pinned",))
def _pin(call: Call, *, link: LinkId) -> Steps[Commit[Link]]:
    known = yield from load_link(call, link)
    place = pin_key(call.tenant, known.service)
    if (yield from read(place)).get(place) is None:
        raise Refused(Reason("network.ranges_unknown", {"service": known.service}))
    return _changed(call, known, "link.pinned", pinned=True)


def pin(link: str) -> Operation[Link]:
    """Require that calls over a link come from the ranges that its service publishes (F5).

    Its owner, an administrator or the host may do so, once the ranges are known (`networks.pin`). A link that has
    ended stays as it is.

    Raises when run:
        Refused: `link.unknown`, `network.ranges_unknown`.

    >>> pin("AAAAAAAAAAAAAAAAAAAAAA").name
    'links.pin'
    """
    return _pin(link=LinkId(parse_id(link, "link")))


@operation("links.unpin", by=ALL_CONCERNED, records=("link.unpinned",))
def _unpin(call: Call, *, link: LinkId) -> Steps[Commit[Link]]:
    return _changed(call, (yield from load_link(call, link)), "link.unpinned", pinned=False)


def unpin(link: str) -> Operation[Link]:
    """Take the requirement of one link back; that of its whole service stays.

    Raises when run:
        Refused: `link.unknown`.

    >>> unpin("AAAAAAAAAAAAAAAAAAAAAA").name
    'links.unpin'
    """
    return _unpin(link=LinkId(parse_id(link, "link")))
