"""Measuring side by side: what is compared runs in the same process, in the same rounds, in turns.

Rules: inputs are prepared before; the collector of garbage is off while a round runs; each round runs every contender
once, in an order that rotates; a ratio is taken within each round, and the median over all rounds is reported, with the
smallest and the largest beside it. What only computes is measured in processor time, which does not pass while other
programs run; what waits for the disk, in time on the clock.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["ROUNDS", "Batch", "Sample", "Samples", "compare"]

ROUNDS = 9

# What a contender does in one round; the answer is how many questions that were.
Batch = Callable[[], int]


@dataclass(frozen=True)
class Sample:
    """What one contender took: nanoseconds a question, one number for each round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The nanoseconds that a question took, in the median round."""
        return statistics.median(self.rounds)


@dataclass(frozen=True)
class Ratio:
    """How many times longer one contender took than another: in the median round, the best and the worst."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Samples:
    """What all contenders of one comparison took."""

    by_name: Mapping[str, Sample]

    def __getitem__(self, name: str) -> Sample:
        return self.by_name[name]

    def ratio(self, name: str, base: str) -> Ratio:
        """Return how many times longer `name` took than `base`, compared within each round."""
        pairs = zip(self.by_name[name].rounds, self.by_name[base].rounds, strict=True)
        ratios = [mine / theirs for mine, theirs in pairs]
        return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def _timed(batch: Batch, clock: Callable[[], int]) -> float:
    gc.collect()
    gc.disable()
    try:
        before = clock()
        count = batch()
        return (clock() - before) / count
    finally:
        gc.enable()


def compare(contenders: Mapping[str, Batch], rounds: int = ROUNDS, *, waits: bool = False) -> Samples:
    """Run all contenders in turns, one round unmeasured to warm up, and return what each took.

    Args:
        contenders: by name; each does all its questions once and says how many.
        rounds: how many rounds are measured.
        waits: whether they wait for the disk or for other processes, so that the clock counts.
    """
    clock = time.perf_counter_ns if waits else time.thread_time_ns
    gc.collect()
    gc.freeze()  # what was prepared is not looked through again between the rounds
    names = list(contenders)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-1, rounds):
        turn = number % len(names)
        for name in _rotated(names, turn):
            nanoseconds = _timed(contenders[name], clock)
            if number >= 0:
                taken[name].append(nanoseconds)
    return Samples({name: Sample(tuple(times)) for name, times in taken.items()})


def _rotated(names: Sequence[str], by: int) -> Sequence[str]:
    return [*names[by:], *names[:by]]
