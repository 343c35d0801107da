from __future__ import annotations

from collections.abc import Callable

import pytest

from extlink import users
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.moving import Copied, copy_tenant, fingerprint
from extlink.errors import CorruptRecord, InvalidInput, Misconfigured
from extlink.ports import ABSENT, Guard, Page, Position, Query, Records, Storage, Write
from extlink.testing.probes import at, batch, ledger, look, put
from tests.fakes import FrozenClock
from tests.schedules.world import hub_over
from tests.stateful.story import tell

ENTRY = b'{"at":1700000000}'


def _filled() -> MemoryStorage:
    clock = FrozenClock()
    storage = MemoryStorage()
    tell(hub_over(storage, clock=clock), clock)
    return storage


def test_a_copy_is_exact() -> None:
    """Records, versions, deletions and ledger; a second copy has nothing to do, and the source is as it was."""
    source, target = _filled(), MemoryStorage()
    before = fingerprint(source, "acme")
    first = copy_tenant(source, target, "acme")

    assert before.records == first.records
    assert before.entries == first.entries
    assert before == fingerprint(target, "acme") == fingerprint(source, "acme")
    assert Copied(records=0, deleted=0, entries=0) == copy_tenant(source, target, "acme")
    assert not copy_tenant(source, target, "acme")
    assert 0 == fingerprint(target, "~host").records
    assert copy_tenant(source, target, "~host")
    assert fingerprint(source, "~host") == fingerprint(target, "~host")


def _write(storage: Storage, path: bytes, value: bytes | None) -> None:
    storage.commit(batch(Write(at(path), value), entries=[ENTRY]))


def test_a_tenant_is_copied_while_it_is_in_use() -> None:
    """What happens meanwhile is carried over by the next copy: changes, deletions, entries."""
    source, target = _filled(), MemoryStorage()
    admin = hub_over(source, seed=5).tenant("acme").acting_as("admin", roles={"common_administrator"})

    class Busy(MemoryStorage):
        """The target; while it takes the first records, somebody works on the source."""

        works = 3

        def list(self, query: Query) -> Page:
            page = target.list(query)
            if isinstance(query, Records) and self.works:
                self.works -= 1
                admin.run(users.suspend(f"user-{self.works}"))
                _write(source, b"gone", b"x")
                _write(source, b"gone", None)
            return page

        commit = target.commit

    busy = Busy()
    _write(source, b"old", b"x")
    _write(source, b"kept", b"before")
    copy_tenant(source, busy, "acme")
    _write(source, b"kept", b"after")
    assert fingerprint(source, "acme") != fingerprint(target, "acme")
    _write(source, b"old", None)
    for _ in range(3):
        copy_tenant(source, busy, "acme")

    assert fingerprint(source, "acme") == fingerprint(target, "acme")
    assert 0 == busy.works


def test_a_copy_that_broke_off_goes_on() -> None:
    """At every commit of the target in turn: run again, it comes to the same."""
    source = _filled()
    done = False
    number = 0
    while not done:
        number += 1
        target = _Breaking(number)
        try:
            copy_tenant(source, target, "acme")
            done = True
        except ConnectionError:
            copy_tenant(source, target, "acme")
        assert fingerprint(source, "acme") == fingerprint(target, "acme")
    assert number > 30


class _Breaking(MemoryStorage):
    def __init__(self, number: int) -> None:
        super().__init__()
        self._left = number

    def commit(self, batch: object) -> Position:
        self._left -= 1
        if self._left == 0:
            raise ConnectionError
        return super().commit(batch)  # type: ignore[arg-type]


def test_a_batch_is_found_in_the_copy() -> None:
    """A lost answer from before the move is settled after it."""
    source, target = MemoryStorage(), MemoryStorage()
    one = batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), ABSENT)], entries=[ENTRY, ENTRY])
    source.commit(one)
    copy_tenant(source, target, "acme")

    assert 2 == target.commit(one)
    assert 2 == len(ledger(target))
    assert look(source, at(b"a")) == look(target, at(b"a"))


def test_a_long_tenant_is_copied_page_by_page() -> None:
    """More than a page of records and of entries."""
    source, target = MemoryStorage(), MemoryStorage()
    for start in range(0, 2_500, 500):
        writes = [Write(at(b"%04d" % number), b"x") for number in range(start, start + 500)]
        source.commit(batch(*writes, entries=[ENTRY] * 500))

    assert Copied(records=2_500, deleted=0, entries=2_500) == copy_tenant(source, target, "acme")
    assert fingerprint(source, "acme") == fingerprint(target, "acme")


@pytest.mark.parametrize("entries", [1, 50])
def test_a_store_with_a_ledger_of_its_own_is_no_target(entries: int) -> None:
    """Two histories are never mixed."""
    source, target = MemoryStorage(), MemoryStorage()
    source.commit(batch(entries=[ENTRY] * 3))
    target.commit(batch(entries=[ENTRY] * entries))

    with pytest.raises(Misconfigured, match="another ledger of 'acme'"):
        copy_tenant(source, target, "acme")


def test_an_entry_that_cannot_be_read_stops_the_move() -> None:
    """A damaged source is restored first."""
    source = MemoryStorage()
    source.commit(batch(entries=[b"no JSON"]))
    with pytest.raises(CorruptRecord, match="ledger entry"):
        copy_tenant(source, MemoryStorage(), "acme")
    with pytest.raises(InvalidInput, match="tenant"):
        copy_tenant(source, MemoryStorage(), "")


@pytest.mark.parametrize(
    "change",
    [
        lambda store: put(store, at(b"new"), b""),
        lambda store: put(store, at(b"a"), b"y"),
        lambda store: put(store, at(b"a"), b"x"),
        lambda store: put(store, at(b"a"), None),
        lambda store: store.commit(batch(entries=[ENTRY])),
    ],
    ids=["a record more", "another value", "another version", "a record less", "an entry more"],
)
def test_whatever_differs_changes_the_fingerprint(change: Callable[[Storage], object]) -> None:
    """The control: one record more, another value, another version, one less, one entry more."""
    source, target = MemoryStorage(), MemoryStorage()
    for number in range(3):
        source.commit(batch(Write(at(b"a%d" % number), b"x"), entries=[ENTRY]))
    source.commit(batch(Write(at(b"a"), b"x"), entries=[ENTRY]))
    copy_tenant(source, target, "acme")
    assert fingerprint(source, "acme") == fingerprint(target, "acme")
    change(target)

    assert fingerprint(source, "acme") != fingerprint(target, "acme")
