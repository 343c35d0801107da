"""Checks with several threads at once. Each is bounded by its number of rounds, never by a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

import attrs

from extlink.errors import Conflict
from extlink.ports import ABSENT, Guard, Key, Position, Storage, Write
from extlink.testing.probes import (
    PATIENCE_SECONDS,
    ContractBroken,
    OpenStore,
    at,
    batch,
    expect,
    ledger,
    look,
    put,
    succeeds,
    together,
    values,
)

__all__: list[str] = []

_ROUNDS: Final = 150
_POSITIONS: Final = 50
_RIVALS: Final = 3
_LEAD: Final = 50
_READERS: Final = 2
_SEEN: Final = 20


def check_a_read_is_one_snapshot(open_store: OpenStore) -> None:
    """While one thread writes eight records together, no read sees two of its commits, nor an older one than before."""
    store = open_store()
    keys = [at(b"%d" % number) for number in range(8)]

    def write(number: int) -> None:
        store.commit(batch(*[Write(key, b"%d" % number) for key in keys]))

    def read() -> int:
        found = values(store, *keys)
        if len(set(found)) != 1:
            raise ContractBroken(f"one read answered from several commits: {found}")
        return int(found[0] or b"")

    _read_while_writing(write, read)


def check_a_read_across_tenants_is_one_snapshot(open_store: OpenStore) -> None:
    """A record of `~host` and one of the tenant, changed in turns, are read as they were at one moment."""
    store = open_store()
    here, host = at(b"a"), Key(b"~host", b"a")

    def write(number: int) -> None:
        put(store, host, b"%d" % number)
        put(store, here, b"%d" % number)

    def read() -> int:
        tenants, hosts = (int(value or b"") for value in values(store, here, host))
        if hosts - tenants not in {0, 1}:
            raise ContractBroken(f"read {tenants} in the tenant and {hosts} in ~host: they never were so together")
        return tenants

    _read_while_writing(write, read)


def check_a_finished_commit_is_seen_by_every_thread(open_store: OpenStore) -> None:
    """What a commit that returned has written is in every read that begins later, on any thread."""
    store = open_store()
    for number in range(30):
        (written,) = together(partial(put, store, at(b"a"), b"%d" % number))
        found = together(*[partial(look, store, at(b"a"))] * 3)
        expect([written] * 3, [answer[0].version for answer in found], "read by others")


def check_crossed_guards_on_absence_never_both_hold(open_store: OpenStore) -> None:
    """Two batches, each writing the record whose absence the other guards: one of them conflicts, every time."""
    store = open_store()
    start = threading.Barrier(2, timeout=PATIENCE_SECONDS)

    def commit_all(mine: bytes, others: bytes) -> list[bool]:
        done: list[bool] = []
        for number in range(_ROUNDS):
            here, there = (at(b"%03d/" % number + side) for side in (mine, others))
            one = batch(Write(here, b"x"), guards=[Guard(there, ABSENT)])
            start.wait()
            done.append(succeeds(Conflict, store.commit, one))
        return done

    left, right = together(partial(commit_all, b"left", b"right"), partial(commit_all, b"right", b"left"))
    expect([1] * _ROUNDS, [sum(pair) for pair in zip(left, right, strict=True)], "commits per round")
    expect(_ROUNDS, len(ledger(store)), "entries")


def check_one_expected_position_lets_one_batch_through(open_store: OpenStore) -> None:
    """Of batches that expect the ledger at the same position, one is applied and every other conflicts, every time."""
    store = open_store()
    start = threading.Barrier(_RIVALS, timeout=PATIENCE_SECONDS)

    def commit_all(side: int) -> list[bool]:
        done: list[bool] = []
        for number in range(_POSITIONS):
            written = batch(Write(at(b"%d/%d" % (number, side)), b"x"))
            one = attrs.evolve(written, expected=Position(number))
            start.wait()
            done.append(succeeds(Conflict, store.commit, one))
        return done

    done = together(*[partial(commit_all, side) for side in range(_RIVALS)])
    expect([1] * _POSITIONS, [sum(row) for row in zip(*done, strict=True)], "commits per position")
    expect(_POSITIONS, len(ledger(store)), "entries")


def check_concurrent_increments_lose_nothing(open_store: OpenStore) -> None:
    """Four threads add one, guarded by the version they read, until each has done so 25 times."""
    store = open_store()
    put(store, at(b"n"), b"0")
    together(*[partial(_add, store, 25)] * 4)
    expect([b"100"], values(store, at(b"n")), "the sum")
    numbers = [number for number, _ in ledger(store)]
    expect(list(range(1, 102)), numbers, "the numbers of the entries")


def check_tenants_do_not_disturb_each_other(open_store: OpenStore) -> None:
    """Threads that write in tenants of their own never conflict, and each ledger is whole."""
    store = open_store()
    tenants = [b"tenant %d" % number for number in range(4)]

    def write(tenant: bytes) -> None:
        read = ABSENT
        for number in range(25):
            key = Key(tenant, b"a")
            one = batch(Write(key, b"%d" % number), tenant=tenant, guards=[Guard(key, read)], entries=[b"%d" % number])
            expect(number + 1, store.commit(one), "the position")
            read = one.id

    together(*[partial(write, tenant) for tenant in tenants])
    for tenant in tenants:
        expect([(number + 1, b"%d" % number) for number in range(25)], ledger(store, tenant), "the ledger")


def check_one_batch_from_several_threads_is_applied_once(open_store: OpenStore) -> None:
    """A batch sent twice at the same time has one position and one set of entries."""
    store = open_store()
    for number in range(20):
        key = at(b"%d" % number)
        one = batch(Write(key, b"x"), guards=[Guard(key, ABSENT)], entries=[b"1", b"2"])
        expect([2 * number + 2] * 3, together(*[partial(store.commit, one)] * 3), "the position, three times")
    expect(40, len(ledger(store)), "entries")


def _add(store: Storage, times: int) -> None:
    while times:
        (found,) = look(store, at(b"n"))
        added = b"%d" % (int(found.value or b"") + 1)
        one = batch(Write(at(b"n"), added), guards=[Guard(at(b"n"), found.version)])
        times -= succeeds(Conflict, store.commit, one)


def _read_while_writing(write: Callable[[int], None], read: Callable[[], int]) -> None:
    """Write numbers on one thread until two others have each read twenty different ones, in rising order.

    The writer never runs far ahead of a reader: however threads are scheduled, each reader meets commits on their way.
    """
    write(0)
    pace = threading.Condition()
    newest = dict.fromkeys(range(_READERS), -1)  # of the readers that go on
    returned = 0
    written = threading.Event()

    def is_close() -> bool:
        return not newest or returned - min(newest.values()) < _LEAD

    def write_all() -> None:
        nonlocal returned
        try:
            while newest:
                write(returned + 1)
                returned += 1
                with pace:
                    pace.wait_for(is_close)
        finally:
            written.set()

    def read_all(me: int) -> None:
        seen = 0
        try:
            while seen < _SEEN and not written.is_set():
                at_least = max(returned, newest[me])
                found = read()
                if found < at_least:
                    raise ContractBroken(
                        f"a read answered commit {found} after {at_least} was answered or had returned"
                    )
                seen += found > newest[me]
                with pace:
                    newest[me] = found
                    pace.notify()
        finally:
            with pace:
                del newest[me]
                pace.notify()

    together(write_all, *[partial(read_all, me) for me in range(_READERS)])
