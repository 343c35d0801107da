from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path

import attrs
import pytest

from extlink.adapters.directory import AsyncInMemoryDirectory
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.directory import Member
from extlink.errors import InvalidInput, Misconfigured
from extlink.testing import copied, linearizable
from tests.hosts import ACME
from tests.schedules.test_every_pair import exploration, worker
from tests.testing.rehearsal import stage

TENANTS = (ACME, "~host")


@pytest.mark.slow
def test_schedules_are_played_on_any_store(tmp_path: Path) -> None:
    """A refresh and a revocation in every interleaving, each on a file of its own that is closed afterwards."""
    numbers = count()
    opened: list[SQLiteStorage] = []

    def prepare() -> SQLiteStorage:
        opened.append(SQLiteStorage(tmp_path / f"{next(numbers)}.db"))
        return copied(stage().host.store, opened[-1], TENANTS)

    both = attrs.evolve(exploration(worker("links.refresh"), worker("links.revoke"), reduce=False), prepare=prepare)

    assert linearizable(both) == len(opened) - 2
    assert all(store._connections._closed for store in opened)


def test_a_schedule_of_steps_that_nobody_has_is_refused() -> None:
    """A schedule of another exploration is not taken for one of this."""
    with pytest.raises(InvalidInput, match="worker 0 has no step left"):
        exploration(worker("links.revoke"), worker("links.refresh")).replay((0,) * 50)


class Waiting(AsyncInMemoryDirectory):
    """A directory that waits for something else than the scheduler."""

    async def member(self, user: str) -> Member | None:
        await asyncio.sleep(0)
        return await super().member(user)


def test_a_worker_that_waits_for_something_else_is_refused() -> None:
    """The scheduler would not know whose turn it is."""
    one = exploration(worker("access.check"), worker("links.revoke"))

    with pytest.raises(Misconfigured, match="never waits"):
        list(attrs.evolve(one, directory=Waiting(stage().host.directory)).runs())
