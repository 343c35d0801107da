"""Fail closed at every call that every operation makes to the store, counted and not sampled (PROMISES P2)."""

from __future__ import annotations

from functools import partial

import attrs
import pytest

from extlink.adapters.memory import MemoryStorage
from extlink.errors import Conflict, Unavailable
from extlink.ports import Batch, Entries, Key, Position, Storage
from extlink.testing import Fault, FaultyStorage, each_fault
from extlink.testing.faults import ERRORS
from tests.testing.rehearsal import NAMES, dumped, prepared, run

LOST = [Unavailable("the answer was lost")]
# What takes a walk one step further. A store remembers batches by their entries. To try a step without any once more,
# whose answer was lost, looks like a conflict, and the run goes on: two steps were taken, and the answer is true.
WALKS = frozenset({"links.reconcile", "services.purge"})


class Half(AssertionError):
    """Something was left half done, or answered although a call failed."""


def fails_closed(name: str) -> int:
    """Require that an operation whose store fails raises or comes to what it comes to; return in how many ways."""
    clean = prepared()
    before = dumped(clean)
    # Evaluated in order: what a run answers, then what it left.
    outcomes = [(run(clean, name), dumped(clean)) for _ in range(1 + (name in WALKS))]
    played = 0
    for repeats in (1, 2):
        for found in each_fault(
            partial(run, name=name), prepared, errors=ERRORS if repeats == 1 else LOST, repeats=repeats
        ):
            played += 1
            left = dumped(found.storage)
            if found.error is None and (found.result, left) not in outcomes:
                raise Half(f"{name} answered {found.result} although {found.fault}")
            if left not in (before, *(after for _, after in outcomes)):
                raise Half(f"{name} left something half done: {found.fault}")
    return played


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_operation_fails_closed_at_every_call(name: str) -> None:
    """Whatever call fails, however: a typed error or the right answer, and everything written or nothing."""
    assert fails_closed(name) >= 2 * len(ERRORS)


def test_what_is_left_half_done_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: a store that keeps the entries of a batch and loses its writes."""

    def torn(store: FaultyStorage, batch: Batch) -> Position:
        return store._call(lambda: store.inner.commit(attrs.evolve(batch, writes=())))

    monkeypatch.setattr(FaultyStorage, "commit", torn)

    with pytest.raises(Half):
        fails_closed("services.disable")


def test_a_fault_is_met_before_and_after_each_call() -> None:
    """A run of two calls is played once for each call, moment and error; what it raised itself is an outcome."""

    def asked(storage: Storage) -> int:
        storage.list(Entries(b"acme"))
        try:
            storage.read([Key(b"acme", b"t")], {})
        except TimeoutError:
            raise Conflict("again") from None
        return 7

    errors = [Unavailable("down"), TimeoutError("slow")]
    with pytest.raises(TimeoutError):
        list(each_fault(asked, MemoryStorage, errors=errors))
    found = list(each_fault(asked, MemoryStorage, errors=errors[:1]))

    assert [(1, "before"), (1, "after"), (2, "before"), (2, "after")] == [
        (one.fault.call, one.fault.moment) for one in found
    ]
    assert all(one.error is errors[0] and one.result is None for one in found)


def test_a_store_without_a_fault_only_counts() -> None:
    """It answers as the store below it."""
    store = FaultyStorage(MemoryStorage())

    assert (0, None) == store.read([Key(b"acme", b"t")], {})[0][1:]
    assert (1, False) == (store.calls, store.failed)
    assert Fault(1, "before", LOST[0]).repeats == 1
