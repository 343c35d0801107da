"""LinkJob: how far a walk over a tenant's links has come, and what it brought about so far (F14; DESIGN 5).

Rules: it is written in the batch that moves the links, so that it counts each once whoever is killed when; a walk whose
ground has changed under it begins again at the first link and keeps its counts.
"""

from __future__ import annotations

import attrs

from extlink.domain.identifier import LinkId, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkState

__all__ = ["LinkJob", "Toll"]


@attrs.frozen(kw_only=True)
class Toll:
    """What a walk over links brought about.

    Args:
        ended, suspended, resumed: links.
        codes: of those ended, how many had a code that nobody had redeemed.
        access_tokens: of those ended, access tokens that had not expired when the walk began.
        refresh_tokens: of those ended, current refresh tokens that had not expired then; a link has at most one.
        subscriptions: trigger subscriptions that ended with their link.
        unreadable: records of links that cannot be read back; nobody can use them, a backup has them.

    >>> (Toll(ended=2) + Toll(ended=1, codes=1)).ended
    3
    """

    ended: int = 0
    suspended: int = 0
    resumed: int = 0
    codes: int = 0
    access_tokens: int = 0
    refresh_tokens: int = 0
    subscriptions: int = 0
    unreadable: int = 0

    def __add__(self, other: Toll) -> Toll:
        """Return both together."""
        mine, more = attrs.astuple(self), attrs.astuple(other)
        return Toll(**{field.name: a + b for field, a, b in zip(attrs.fields(Toll), mine, more, strict=True)})

    @classmethod
    def of_end(cls, link: Link, subscriptions: int, since: Instant) -> Toll:
        """Return what ends with a link.

        Args:
            since: when the walk began: what had expired by then is not counted.
        """
        lives = link.rotation.generation > 0 and not link.is_over(since)
        return cls(
            ended=1,
            codes=int(link.state is LinkState.CONSENTED),
            access_tokens=sum(one.expires > since for one in link.access),
            refresh_tokens=int(lives),
            subscriptions=subscriptions,
        )


@attrs.frozen(kw_only=True)
class LinkJob:
    """A walk over the links of a tenant, in the order of their ids.

    Args:
        service: only the links to this service; None: all.
        ground: what the walk rests on, such as the epochs of the day; where it differs, the walk begins again.
        began, by: when it was begun first, and by whom; None: the host itself.
        reached: the last link that was looked at; None: none yet, or all.
        done: when the last link had been looked at; None: it is under way.
        toll: what it brought about so far.
    """

    service: ServiceId | None
    ground: str
    began: Instant
    by: UserId | None
    reached: LinkId | None = None
    done: Instant | None = None
    toll: Toll = Toll()
