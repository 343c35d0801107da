"""Reset: what lets somebody who is locked out allow all addresses again, without any role (TRACE T1).

Rules: each saved change of an edition that has it yields one; it is good for the lifetime that the edition states from
its issue, for one tenant, and until the restriction is reset by any of them. It is signed and stored nowhere; of the
resets only their number is kept.
"""

from __future__ import annotations

import json
from typing import Final, cast

import attrs

from extlink.domain.event import encode
from extlink.domain.instant import Instant

__all__ = ["Reset"]

FORMAT: Final = 1


@attrs.frozen
class Reset:
    """What a reset token says of itself.

    Args:
        issued: when the change was saved.
        after: how many resets there had been before.

    >>> Reset.unpack(Reset(Instant(1_000), 0).pack()) == Reset(Instant(1_000), 0)
    True
    """

    issued: Instant
    after: int

    def is_good(self, *, at: Instant, resets: int, lifetime: int | None) -> bool:
        """Whether it may be used: in time, and before any other one.

        Args:
            resets: how many there have been by now.
            lifetime: the edition's, in seconds; None: it has no such token.

        >>> Reset(Instant(1_000), 0).is_good(at=Instant(4_599), resets=0, lifetime=3_600)
        True
        >>> Reset(Instant(1_000), 0).is_good(at=Instant(4_600), resets=0, lifetime=3_600)
        False
        """
        return lifetime is not None and self.after == resets and 0 <= at - self.issued < lifetime

    def pack(self) -> bytes:
        """Return it as bytes to sign."""
        return encode([FORMAT, self.issued, self.after])

    @classmethod
    def unpack(cls, data: bytes) -> Reset | None:
        """Return what `pack` wrote, or None where another release did; the bytes are authentic, not checked again."""
        version, *fields = cast("list[int]", json.loads(data))
        if version != FORMAT:
            return None
        issued, after = fields
        return cls(Instant(issued), after)
