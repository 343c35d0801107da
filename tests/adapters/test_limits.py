from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from extlink.adapters import limits
from extlink.adapters.limits import FailureLimit
from extlink.errors import Misconfigured
from tests.fakes import FrozenClock


def test_a_client_waits_for_its_window_to_end() -> None:
    """So many failures within the window, and then nothing until it is over; the next one begins a new window."""
    clock = FrozenClock()
    limit = FailureLimit(failures=2, seconds=60, clock=clock)
    limit.failed("c")
    assert limit.admits("c")
    limit.failed("c")
    assert not limit.admits("c")
    assert limit.admits("d")
    clock.advance(59)
    assert not limit.admits("c")
    clock.advance(1)
    assert limit.admits("c")
    limit.failed("c")
    assert limit.admits("c")


def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    """The window is left on either side."""
    clock = FrozenClock()
    limit = FailureLimit(failures=1, clock=clock)
    limit.failed("c")
    assert not limit.admits("c")
    clock.advance(-86_400)
    assert limit.admits("c")
    limit.failed("c")
    assert not limit.admits("c")


def test_names_are_forgotten_in_the_order_of_their_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a caller makes up costs bounded memory."""
    monkeypatch.setattr(limits, "_MAX_CLIENTS", 2)
    limit = FailureLimit(failures=1, clock=FrozenClock())
    for name in ("a", "b", "a", "c"):
        limit.failed(name)

    assert [False, True, False] == [limit.admits(name) for name in ("a", "b", "c")]


@pytest.mark.parametrize("fields", [{"failures": 0}, {"failures": 10_001}, {"seconds": 0}, {"seconds": 3_601}])
def test_numbers_beyond_their_bounds_are_refused(fields: dict[str, int]) -> None:
    """A limit that limits nothing, or everything, is a mistake."""
    with pytest.raises(Misconfigured, match="limit: expected"):
        FailureLimit(failures=fields.get("failures", 1), seconds=fields.get("seconds", 1))


def test_threads_count_together() -> None:
    """No failure is lost between two threads."""
    limit = FailureLimit(failures=400, seconds=3_600)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(limit.failed, ["c"] * 399))
    assert limit.admits("c")
    limit.failed("c")
    assert not limit.admits("c")
