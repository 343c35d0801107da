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
    """The `Clock` port over the system's time: whole seconds, UTC; within a process it only goes forward.

    Where the system's time is set back, the clock goes on at the pace of the machine's monotonic one, so that nothing
    that has expired is good again, and nothing lives longer. What other processes wrote is looked at by the runner,
    which never believes a moment before the newest stamp it has read.

    >>> SystemClock().now() > 1_700_000_000
    True
    """

    __slots__ = ("_ahead",)

    def __init__(self) -> None:
        self._ahead = time.time_ns() - time.monotonic_ns()

    def now(self) -> Instant:
        """Return the present instant, fractions of a second dropped."""
        steady = time.monotonic_ns()
        self._ahead = max(self._ahead, time.time_ns() - steady)
        return Instant((steady + self._ahead) // _NANOSECONDS)


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
