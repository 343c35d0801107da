"""The machine's own clock and randomness: the one place that asks the operating system for either (DESIGN 8)."""

from __future__ import annotations

import secrets
import time
from typing import Final

from extlink.domain.instant import Instant
from extlink.errors import InvalidInput

__all__ = ["SystemClock", "SystemEntropy"]

_MAX_SIZE: Final = 65_536
_NANOSECONDS: Final = 1_000_000_000
_SHOWN_BITS: Final = 64


class SystemClock:
    """The `Clock` port over the system's time: whole seconds, UTC.

    The system's time may be set back; the runner therefore never believes a moment before the newest stamp it has read.

    >>> SystemClock().now() > 1_700_000_000
    True
    """

    __slots__ = ()

    def now(self) -> Instant:
        """Return the present instant, fractions of a second dropped."""
        return Instant(time.time_ns() // _NANOSECONDS)


class SystemEntropy:
    """The `Entropy` port over the operating system's source for cryptographic use.

    >>> len(SystemEntropy().draw(20))
    20
    """

    __slots__ = ()

    def draw(self, size: int) -> bytes:
        """Return `size` unpredictable bytes.

        Raises:
            InvalidInput: not a whole number of 1 to 65,536.
        """
        if type(size) is not int or not 1 <= size <= _MAX_SIZE:
            got = size if type(size) is int and size.bit_length() <= _SHOWN_BITS else type(size).__name__
            raise InvalidInput("size", f"expected 1 to {_MAX_SIZE} bytes, got {got}")
        return secrets.token_bytes(size)
