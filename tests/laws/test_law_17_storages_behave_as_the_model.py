"""Law 17: every storage behaves as the model: the same results, errors, records, versions and ledger."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from extlink.adapters.memory import MemoryStorage
from extlink.adapters.sqlite import SQLiteStorage
from extlink.errors import ExtlinkError
from extlink.ports import Batch, Page, Position, Query, Records, Storage
from tests.fakes import FrozenClock
from tests.schedules.world import TENANT, hub_over
from tests.stateful.story import tell
from tests.stateful.views import all_entries, all_records


class Differs(AssertionError):
    """A store answered a story otherwise than the model."""


def require_alike(model: Storage, storage: Storage) -> None:
    """Tell both the same story, with the same keys, clock and randomness, and require the same of both."""
    heard = []
    for one in (model, storage):
        clock = FrozenClock()
        try:
            heard.append(tell(hub_over(one, clock=clock), clock))
        except (ExtlinkError, AttributeError) as error:
            raise Differs("the story broke off: an operation got the answer of another one") from error
    for number, (expected, actual) in enumerate(zip(*heard, strict=True)):
        if expected != actual:
            raise Differs(f"operation {number}: expected {expected!r}, got {actual!r}")
    for tenant in (TENANT, "~host"):
        if all_records(model, tenant) != all_records(storage, tenant):
            raise Differs(f"the records of {tenant}")
        if all_entries(model, tenant) != all_entries(storage, tenant):
            raise Differs(f"the ledger of {tenant}")


def test_a_file_behaves_as_the_model(tmp_path: Path) -> None:
    """SQLite answers the whole story as plain dictionaries do, and holds the same bytes under the same versions."""
    with SQLiteStorage(tmp_path / "links.db") as storage:
        require_alike(MemoryStorage(), storage)


def test_a_file_that_is_opened_again_behaves_as_the_model(tmp_path: Path) -> None:
    """What was told before the file was closed is there when it is opened again."""
    model = MemoryStorage()
    with SQLiteStorage(tmp_path / "links.db") as storage:
        require_alike(model, storage)

    with SQLiteStorage(tmp_path / "links.db") as storage:
        assert all_records(model, TENANT) == all_records(storage, TENANT)
        assert all_entries(model, TENANT) == all_entries(storage, TENANT)


class KeepsDeletedRecords(MemoryStorage):
    def commit(self, batch: Batch) -> Position:
        return super().commit(attrs.evolve(batch, writes=tuple(one for one in batch.writes if one.value is not None)))


class KeepsTheFirstValue(MemoryStorage):
    def commit(self, batch: Batch) -> Position:
        there = {one.key: one.version for one in self.read([write.key for write in batch.writes], {})}
        return super().commit(attrs.evolve(batch, writes=tuple(one for one in batch.writes if not there[one.key])))


class ForgetsTheLastEntry(MemoryStorage):
    def commit(self, batch: Batch) -> Position:
        return super().commit(attrs.evolve(batch, entries=batch.entries[:1]))


class ListsBackwards(MemoryStorage):
    def list(self, query: Query) -> Page:
        page = super().list(query)
        return Page(page.items[::-1], page.more) if isinstance(query, Records) else page


@pytest.mark.parametrize("twin", [KeepsDeletedRecords, KeepsTheFirstValue, ForgetsTheLastEntry, ListsBackwards])
def test_a_store_that_behaves_otherwise_is_caught(twin: type[MemoryStorage]) -> None:
    """The broken twins: one promise of the contract broken in each."""
    with pytest.raises(Differs):
        require_alike(MemoryStorage(), twin())
