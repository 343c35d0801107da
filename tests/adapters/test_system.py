from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from extlink.adapters.system import SystemClock, SystemEntropy
from extlink.domain.instant import Instant, to_datetime
from extlink.errors import InvalidInput
from extlink.ports import Clock, Entropy
from tests.fakes import NOW, CountingEntropy, FrozenClock


def test_the_clock_is_the_systems() -> None:
    """Whole seconds in UTC, between two readings of the system's own clock."""
    clock: Clock = SystemClock()

    before = int(time.time())
    now = clock.now()
    after = int(time.time())

    assert before <= now <= after
    assert type(now) is int
    assert UTC is to_datetime(now).tzinfo


def test_the_clock_drops_fractions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last nanosecond of a second still belongs to it, before 1970 too."""
    for nanoseconds, expected in ((1_591_660_800_999_999_999, 1_591_660_800), (-1, -1)):
        monkeypatch.setattr(time, "time_ns", lambda it=nanoseconds: it)
        monkeypatch.setattr(time, "monotonic_ns", lambda: 0)

        assert expected == SystemClock().now()


def test_the_clock_goes_on_where_the_system_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It follows a system that is set forward, and the machine's own pace when it is set back."""
    wall, steady = [1_000_000_000_000], [0]
    monkeypatch.setattr(time, "time_ns", lambda: wall[0])
    monkeypatch.setattr(time, "monotonic_ns", lambda: steady[0])
    clock = SystemClock()
    seen = [clock.now()]
    for system, machine in ((1_100, 10), (100, 20), (110, 30), (1_121, 30)):
        wall[0], steady[0] = system * 1_000_000_000, machine * 1_000_000_000
        seen.append(clock.now())

    assert [1_000, 1_100, 1_110, 1_120, 1_121] == seen


def test_entropy_has_the_size_and_never_repeats() -> None:
    """Of a thousand draws of 20 bytes no two are equal."""
    entropy: Entropy = SystemEntropy()

    draws = [entropy.draw(20) for _ in range(1_000)]

    assert {20} == {len(draw) for draw in draws}
    assert len(draws) == len(set(draws))
    assert [1, 65_536] == [len(entropy.draw(size)) for size in (1, 65_536)]


@pytest.mark.parametrize(
    "size",
    [0, -1, 65_537, 10**5_000, True, None, "20", 1.5],
    ids=["zero", "negative", "above", "huge", "true", "none", "text", "float"],
)
def test_what_is_no_size(size: int) -> None:
    """A size that would give no randomness, or too much, is refused."""
    with pytest.raises(InvalidInput, match="size: expected 1 to 65536 bytes, got"):
        SystemEntropy().draw(size)


def test_a_frozen_clock_moves_when_told() -> None:
    """The fake stands still, moves both ways and takes a datetime."""
    clock: Clock = FrozenClock()
    moved = FrozenClock(datetime(2020, 6, 9, tzinfo=UTC))

    assert NOW == clock.now() == clock.now() == moved.now()
    assert Instant(NOW + 60) == moved.advance(60) == moved.now()
    assert NOW == moved.advance(-60)


@given(st.integers(0, 2**32), st.lists(st.integers(8, 64), min_size=1, max_size=50))
def test_counting_entropy_repeats_its_run_and_never_a_draw(seed: int, sizes: list[int]) -> None:
    """The same seed gives the same run; within it every draw is another one; another seed gives another run."""
    one, again, other = CountingEntropy(seed), CountingEntropy(seed), CountingEntropy(seed + 1)
    source: Entropy = one

    draws = [source.draw(size) for size in sizes]

    assert draws == [again.draw(size) for size in sizes]
    assert sizes == [len(draw) for draw in draws]
    assert len(draws) == len({draw[:8] for draw in draws})
    assert draws[0] != other.draw(sizes[0])
