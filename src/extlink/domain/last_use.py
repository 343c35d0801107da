"""LastUse: when a link was last used, and from which address (F7).

Rule: bounded writes. A use is written down at most once in five minutes, so what a page shows may be so much older; it
decides nothing.
"""

from __future__ import annotations

from typing import Final

import attrs

from extlink.domain.instant import Instant

__all__ = ["LastUse"]

_INTERVAL: Final = 300
_MAX_ADDRESS: Final = 64


@attrs.frozen
class LastUse:
    """A use of a link: an access token of it was accepted.

    Args:
        address: the caller's, as the host stated it; None: it stated none.

    >>> use = LastUse.of(Instant(1_000), "203.0.113.7")
    >>> use.is_due(Instant(1_299)), use.is_due(Instant(1_300))
    (False, True)
    """

    at: Instant
    address: str | None = None

    @classmethod
    def of(cls, at: Instant, address: str | None) -> LastUse:
        """Return a use by a caller, whatever text the host took for the address."""
        return cls(at, None if address is None else address[:_MAX_ADDRESS].encode("ascii", "replace").decode())

    def is_due(self, at: Instant) -> bool:
        """Whether a use at an instant is to be written down in its place."""
        return at - self.at >= _INTERVAL
