from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from extlink.adapters.memory import MemoryStorage
from extlink.adapters.sqlite import SQLiteStorage
from extlink.adapters.threaded import ThreadedStorage
from extlink.errors import InvalidInput, Unavailable
from extlink.ports import AsyncStorage, Batch, Key, Page, Position, Query, Storage, Stored, Version
from extlink.testing import Check, ContractBroken, check_async_storage, check_storage, storage_checks
from extlink.testing.contract import async_storage_checks
from extlink.testing.identifiers import PAIRS
from extlink.testing.machine import Programs
from tests.contract import broken
from tests.contract.stores import ASYNC, KEEPING, STORES, Opened

CHECKS = storage_checks()
DURABLE = tuple(one for one in storage_checks(durable=True) if one.theme == "durability")
CANCELLING = tuple(one for one in async_storage_checks() if one.theme == "cancelling")


def name_of(check: Check) -> str:
    """Name a test after the promise."""
    return check.name


@pytest.fixture
def opened(kind: str, tmp_path: Path) -> Iterator[Opened]:
    """Open stores of a kind, and close them after the test."""
    opened = Opened(kind, tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_every_store_keeps_the_contract(check: Check, opened: Opened) -> None:
    """Law 17: every storage behaves as the contract says."""
    check.run(opened.fresh)


@pytest.mark.parametrize("kind", KEEPING)
@pytest.mark.parametrize("check", DURABLE, ids=name_of)
def test_stores_on_disk_keep_what_they_have(check: Check, opened: Opened) -> None:
    """Law 15: what was acknowledged is there after opening again."""
    check.run(opened.again)


@pytest.mark.parametrize("kind", ASYNC)
@pytest.mark.parametrize("check", CANCELLING, ids=name_of)
def test_an_async_store_may_be_cancelled_anywhere(check: Check, opened: Opened) -> None:
    """Law 15 for tasks: what is cancelled is done wholly or not at all."""
    check.run_async(opened.fresh_async)


def test_the_contract_is_large_enough() -> None:
    """At least 60 named checks, each with a sentence, and 200 pairs of identifiers."""
    every = async_storage_checks(durable=True)

    assert 60 <= len(CHECKS)
    assert len(every) == len({one.name for one in every})
    assert all(one.promise.endswith(".") for one in every)
    assert 200 <= len(set(PAIRS))


# In one call


@pytest.mark.slow
def test_one_call_runs_everything_on_a_store(tmp_path: Path) -> None:
    """A file passes the whole contract, durability and programs included, and what was opened is closed."""
    stores: list[SQLiteStorage] = []

    def opened(name: str) -> SQLiteStorage:
        stores.append(SQLiteStorage(tmp_path / f"{name}.db"))
        return stores[-1]

    check_storage(lambda: opened(f"fresh {len(stores)}"), open_named=opened, programs=10)

    assert len(CHECKS) < len(stores)
    assert all(store._connections._closed for store in stores)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["async memory"])
def test_one_call_runs_everything_on_an_async_store(opened: Opened) -> None:
    """The same for a coroutine function that opens an asynchronous store; here every name is one store."""
    check_async_storage(opened.fresh_async, open_named=opened.named_async, programs=10)


def test_one_call_names_every_broken_promise() -> None:
    """What is reported is the name of each check that broke, and how it did."""
    with pytest.raises(ContractBroken) as caught:
        check_storage(broken.IgnoresGuards, programs=0)
    message = str(caught.value)

    assert "promises of the contract are broken\n  a_stale_guard_is_a_conflict: a write over" in message
    assert "expected Conflict, got the answer 3" in message
    assert "\n  a_refused_batch_may_be_committed_later: " in message


def test_one_broken_promise_is_reported_alone() -> None:
    """One check that is not kept is raised as it is, with its name and its problem."""
    with pytest.raises(ContractBroken) as caught:
        check_storage(broken.ListsWithoutLimit)

    assert "a_limit_is_1_to_1000" == caught.value.check
    assert "0 records: expected InvalidInput, got the answer Page(items=(" in caught.value.problem


@pytest.mark.parametrize("only", [["a_stale_guard"], [7], "a_stale_guard_is_a_conflict", 7])
def test_a_check_that_does_not_exist_is_refused(only: Any) -> None:
    """A misspelt name would check nothing and look like a pass."""
    with pytest.raises(InvalidInput, match="only: expected"):
        check_storage(MemoryStorage, only=only)


def test_cancelling_is_for_asynchronous_stores() -> None:
    """A synchronous call cannot be cancelled, so the check is refused instead of passed."""
    with pytest.raises(InvalidInput, match="run_async"):
        CANCELLING[0].run(MemoryStorage)


# Cancelled


class HalfDone(ThreadedStorage):
    """Awaits between the two halves of a commit, and forgets the second when it is cancelled there."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self._here = storage

    async def commit(self, batch: Batch) -> Position:
        # Not by a thread: it would be luck whether it has begun when the cancellation comes.
        self._here.commit(attrs.evolve(batch, id=Version(batch.id ^ 2), writes=batch.writes[:1], entries=()))
        await asyncio.sleep(0)
        return self._here.commit(attrs.evolve(batch, guards=(), writes=batch.writes[1:]))


class ForgetsItsBatches(ThreadedStorage):
    """Takes a batch that comes a second time for another one."""

    async def commit(self, batch: Batch) -> Position:
        try:
            return await super().commit(batch)
        except asyncio.CancelledError:
            await super().commit(attrs.evolve(batch, id=Version(batch.id ^ 2), guards=()))
            raise


class SharesItsConnection(ThreadedStorage):
    """Answers the next read with what was left over of a cancelled one."""

    left: Sequence[Stored] | None = None

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self._here = storage

    async def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        left, self.left = self.left, None
        if left is not None:
            return left
        # Not by a thread: it would be luck whether a cancellation meets the moment below.
        found = self._here.read(keys, known)
        self.left = found
        await asyncio.sleep(0)
        self.left = None
        return found


BROKEN: Mapping[str, Callable[[Storage], AsyncStorage]] = {
    "a_cancelled_commit_is_whole_or_absent": HalfDone,
    "a_cancelled_commit_is_settled_by_committing_again": ForgetsItsBatches,
    "a_cancelled_read_disturbs_no_other": SharesItsConnection,
}


@pytest.mark.parametrize("check", CANCELLING, ids=name_of)
def test_a_store_that_is_cancelled_badly_is_rejected(check: Check) -> None:
    """The broken twins of asynchronous stores, one for each check."""
    with pytest.raises(ContractBroken) as caught:
        check.run_async(lambda: BROKEN[check.name](MemoryStorage()))

    assert check.name == caught.value.check


# One loop for a synchronous face


class WithoutClose:
    """An asynchronous store that has nothing to close."""

    def __init__(self) -> None:
        self._store = MemoryStorage()

    async def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return self._store.read(keys, known)

    async def list(self, query: Query) -> Page:
        return self._store.list(query)

    async def commit(self, batch: Batch) -> Position:
        return self._store.commit(batch)


def test_a_store_without_close_is_checked_too() -> None:
    """The three methods are all that a store needs."""
    check_async_storage(WithoutClose, only=[one.name for one in CANCELLING])


def test_a_store_that_does_not_open_leaves_no_loop_behind() -> None:
    """What the opening raised comes out, and the thread ends."""
    before = threading.active_count()

    def broken_pool() -> AsyncStorage:
        raise Unavailable("no server")

    with pytest.raises(ContractBroken, match="no server"):
        CANCELLING[0].run_async(broken_pool)
    assert before == threading.active_count()


def test_programs_need_a_store() -> None:
    """The machine itself opens nothing."""
    with pytest.raises(NotImplementedError):
        Programs().open_store()
