"""The kit's stand-ins for a clock and a source of randomness, under the name by which the tests know them."""

from __future__ import annotations

from extlink.testing.fakes import NOW, CountingEntropy, FrozenClock

__all__ = ["NOW", "CountingEntropy", "FrozenClock"]
