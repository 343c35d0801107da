"""The same races between processes, each with connections, memory and randomness of its own.

On one SQLite file, and on one PostgreSQL server, which in CI hears fewer of them.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest

from extlink import access
from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.postgres_schema import upgrade
from extlink.adapters.sqlite import SQLiteStorage
from extlink.http import Request
from tests import clusters
from tests.oauth.attacked import attacked, members
from tests.oauth.race_programs import race
from tests.processes import running
from tests.schedules.world import ADDRESS, SCOPE

PROCESSES = 4


@attrs.frozen
class Shared:
    """Where a store lies that several processes open: a file, or a schema of a server."""

    where: str
    schema: str
    body: Path

    def open(self) -> SQLiteStorage | PostgresStorage:
        """Open it, its tables made."""
        if not self.schema:
            return SQLiteStorage(self.where)
        upgrade(self.where, schema=self.schema)
        return PostgresStorage(self.where, schema=self.schema)


Fresh = Callable[[], Shared]


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Fresh:
    """Say where the next store may lie."""
    numbers = itertools.count()
    if request.param == "sqlite":
        return lambda: Shared(str(tmp_path / f"{next(numbers)}.db"), "", tmp_path / "body")
    clusters.require()
    server = clusters.cluster(clusters.newest())
    return lambda: Shared(server.conninfo, server.fresh_name(), tmp_path / "body")


def _race(shared: Shared, asked: Request, count: int) -> Counter[tuple[int, str]]:
    """Send a request `count` times from several processes at once; return how often which answer came."""
    shared.body.write_bytes(asked.body)
    counted: Counter[tuple[int, str]] = Counter()
    with ExitStack() as stack:
        arguments = (shared.where, shared.schema, shared.body, count // PROCESSES)
        racing = [stack.enter_context(running(race, *arguments, 20 + one)) for one in range(PROCESSES)]
        assert ["ready"] * PROCESSES == [process.hear() for process in racing]
        for process in racing:
            process.tell("go")
        for process in racing:
            for status, text, number in json.loads(process.hear()):
                counted[status, text] += number
    return counted


@pytest.mark.slow
def test_redemptions_by_four_processes(fresh: Fresh, deep: bool) -> None:
    """One of them wins, all others are told `invalid_grant`, and what the winner got is dead (ASVS 10.4.2)."""
    for shared in [fresh() for _ in range(10 if deep else 1)]:
        count = 60 if shared.schema and not deep else 200
        with shared.open() as storage:
            target = attacked(storage)
            counted = _race(shared, target.redemption(target.code()), count)
            (won,) = (json.loads(text) for status, text in counted if status == 200)

            assert {200: 1, 400: count - 1} == _by_status(counted)
            assert {"invalid_grant"} == {json.loads(text)["error"] for status, text in counted if status == 400}
            assert not target.tenant.run(access.check(won["access_token"], scope=SCOPE, address=ADDRESS))
            assert 400 == target.server.serve(target.tenant, target.refreshing(won["refresh_token"])).status


@pytest.mark.slow
def test_refreshes_by_four_processes(fresh: Fresh, deep: bool) -> None:
    """All get the identical successor, and the lineage goes on."""
    for shared in [fresh() for _ in range(10 if deep else 1)]:
        count = 60 if shared.schema and not deep else 200
        with shared.open() as storage:
            target = attacked(storage)
            counted = _race(shared, target.refreshing(target.connected()["refresh_token"]), count)
            ((status, text),) = counted

            assert (200, count) == (status, counted[status, text])
            onward = target.server.serve(target.tenant, target.refreshing(json.loads(text)["refresh_token"]))
            assert 200 == onward.status
            assert target.is_active(members(onward)["access_token"])


def _by_status(counted: Counter[tuple[int, str]]) -> dict[int, int]:
    found: Counter[int] = Counter()
    for (status, _), number in counted.items():
        found[status] += number
    return dict(found)
