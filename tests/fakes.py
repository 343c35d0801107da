"""Hand-written stand-ins for the ports that depend on the machine: a clock that stands, randomness that counts."""

from __future__ import annotations

import hashlib
from datetime import datetime
from itertools import count

from extlink.domain.instant import Instant, parse_instant

__all__ = ["NOW", "CountingEntropy", "FrozenClock"]

# 2020-06-09T00:00:00Z, the date of the help pages.
NOW = Instant(1_591_660_800)


class FrozenClock:
    """A clock that stands still until it is moved, forwards or backwards."""

    def __init__(self, now: Instant | datetime = NOW) -> None:
        self._now = parse_instant(now, "now") if isinstance(now, datetime) else now

    def now(self) -> Instant:
        return self._now

    def advance(self, seconds: int) -> Instant:
        """Move the clock by `seconds`, which may be negative, and return the new instant."""
        self._now = Instant(self._now + seconds)
        return self._now


class CountingEntropy:
    """The same bytes in every run, other bytes in every draw: the n-th draw is a hash of n and the seed."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        # next() of a count is one step of the interpreter: two threads never draw the same number.
        self._draws = count(1)

    def draw(self, size: int) -> bytes:
        return hashlib.shake_256(f"{self._seed}.{next(self._draws)}".encode()).digest(size)
