"""GrantRequest: a user asks for a service that no administrator has opened to them (F3).

Rules: a request grants nothing, whatever it says; there is one of a user for a service; one that nobody answers is over
at an instant that is compared, not waited for: nothing runs. Requests are counted by the day on which they end, so that
those that are over count no longer although nobody took them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import attrs

from extlink.domain.identifier import Scope, ServiceId, UserId
from extlink.domain.instant import Instant

__all__ = ["GrantRequest", "OpenRequests", "RequestState"]

RequestState = Literal["open", "approved", "declined", "expired"]
_DAY: Final = 86_400


@attrs.frozen(kw_only=True)
class GrantRequest:
    """What a user asked for, and what became of it.

    Args:
        scopes: the operations asked for; None: the service with all of them.
        message: the user's own words to the administrators; not kept once there is an answer.
        made_at, expires: from when until when it may be answered.
        granted: the operations given; None: all, where it was approved.
        cause: why it was declined.
        answered_at: when it was answered, or found to be over.

    >>> request = GrantRequest(
    ...     user=UserId("sato"), service=ServiceId("slack"), scopes=None, made_at=Instant(0), expires=Instant(60)
    ... )
    >>> request.seen(Instant(59)).state, request.seen(Instant(60)).state
    ('open', 'expired')
    """

    user: UserId
    service: ServiceId
    scopes: frozenset[Scope] | None
    made_at: Instant
    expires: Instant
    message: str = ""
    state: RequestState = "open"
    granted: frozenset[Scope] | None = None
    cause: str = ""
    answered_at: Instant | None = None

    def is_open(self, at: Instant) -> bool:
        """Whether it waits for an answer."""
        return self.state == "open" and at < self.expires

    def seen(self, at: Instant) -> GrantRequest:
        """Return the request as it is at an instant: an unanswered one is over at its end."""
        return attrs.evolve(self, state="expired") if self.state == "open" and at >= self.expires else self


_NONE: Final[Mapping[int, int]] = MappingProxyType({})


@attrs.frozen
class OpenRequests:
    """How many requests of a tenant are open, by the day since 1970 on which they end.

    >>> held = OpenRequests().added(Instant(90_000), Instant(0))
    >>> held.count(Instant(0)), held.count(Instant(200_000))
    (1, 0)
    """

    by_day: Mapping[int, int] = _NONE

    def count(self, at: Instant) -> int:
        """Return how many are open; one that ended earlier on the same day still counts."""
        return sum(count for day, count in self.by_day.items() if day >= at // _DAY)

    def added(self, expires: Instant, at: Instant) -> OpenRequests:
        """Return the count with one more, without the days that are past."""
        return self._with(expires, at, 1)

    def removed(self, expires: Instant, at: Instant) -> OpenRequests:
        """Return the count with one less, without the days that are past."""
        return self._with(expires, at, -1)

    def _with(self, expires: Instant, at: Instant, more: int) -> OpenRequests:
        counts = {**self.by_day, expires // _DAY: self.by_day.get(expires // _DAY, 0) + more}
        return OpenRequests({day: count for day, count in counts.items() if count > 0 and day >= at // _DAY})
