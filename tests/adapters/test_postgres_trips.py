from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from extlink import AsyncExtLink, access, networks
from extlink.adapters import postgres
from extlink.adapters._postgres import Row as Found, Statement
from extlink.adapters.directory import AsyncInMemoryDirectory
from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
from extlink.domain.address import parse_range
from extlink.domain.network import Row
from extlink.ports import Records, prefix
from extlink.records import PIECES
from tests.clusters import Cluster
from tests.fakes import CountingEntropy, FrozenClock
from tests.schedules.world import ADDRESS, KEYS, PEOPLE, SCOPE, connected, hub_over, prepared

pytestmark = pytest.mark.slow

CHECKS: Final = 3


class Sent(NamedTuple):
    """What one call cost: how often it turned from sending to waiting, and how often it asked the server to sync."""

    turns: int
    syncs: int


class _Traced:
    """libpq's own trace of the one connection of a store: what is sent to the server and what comes from it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def start(self, connection: Any) -> None:
        self._open = self._file.open("w")
        connection.pgconn.trace(self._open.fileno())

    def stop(self, connection: Any) -> Sent:
        connection.pgconn.untrace()
        self._open.close()
        # A line is: time, F or B (from frontend or backend), length, message.
        lines = [line.split("\t") for line in self._file.read_text().splitlines()]
        turns = sum(before[1] == "F" and after[1] == "B" for before, after in pairwise(lines))
        return Sent(turns, sum(line[1] == "F" and line[3].startswith(("Sync", "Query")) for line in lines))


def _counted(server: Cluster, schema: str, trace: Path, check: Any) -> list[Sent]:
    """Return what each of the first checks costs that a hub makes whose caches are empty, over a new connection."""
    with PostgresStorage(server.conninfo, schema=schema, connections=1) as store:
        hub = hub_over(store, seed=5)
        hub.open_tenant("globex", edition="JP", products={"kintone"})
        tenant = hub.tenant("acme")
        # Another connection than the one over which the hub has started.
        used = store._pool.getconn()
        used.close()
        store._pool.putconn(used)
        found: list[Sent] = []
        for _ in range(CHECKS):
            traced = _Traced(trace)
            connection = store._pool.getconn()
            traced.start(connection)
            store._pool.putconn(connection)
            assert tenant.run(check)
            assert connection is store._pool.getconn()
            found.append(traced.stop(connection))
            store._pool.putconn(connection)
    return found


def _counted_async(server: Cluster, schema: str, trace: Path, check: Any) -> list[Sent]:
    """Do the same for an asynchronous host."""

    async def main() -> list[Sent]:
        async with AsyncPostgresStorage(server.conninfo, schema=schema, connections=1) as store:
            hub = AsyncExtLink(
                store,
                keys=KEYS,
                directory=AsyncInMemoryDirectory(PEOPLE),
                clock=FrozenClock(),
                entropy=CountingEntropy(5),
            )
            await hub.open_tenant("globex", edition="JP", products={"kintone"})
            tenant = hub.tenant("acme")
            used = await store._pool.getconn()
            await used.close()
            await store._pool.putconn(used)
            found: list[Sent] = []
            for _ in range(CHECKS):
                traced = _Traced(trace)
                connection = await store._pool.getconn()
                traced.start(connection)
                await store._pool.putconn(connection)
                assert await tenant.run(check)
                assert connection is await store._pool.getconn()
                found.append(traced.stop(connection))
                await store._pool.putconn(connection)
        return found

    return asyncio.run(main())


COLOURS: Final[dict[str, Callable[..., list[Sent]]]] = {"sync": _counted, "async": _counted_async}


def _connected(store: PostgresStorage, rows: Sequence[Row | str]) -> Any:
    """Connect somebody under an IP restriction; return the check of the token, which was made once before."""
    _, tenant, admin = prepared(store)
    admin.run(networks.restrict(rows, even_if_it_locks_me_out=True))
    tokens = connected(tenant)
    check = access.check(tokens.access_token, scope=SCOPE, address=ADDRESS)
    assert tenant.run(check)
    return check


@pytest.mark.parametrize("colour", COLOURS)
def test_a_check_costs_two_round_trips(
    server: Cluster, schema: str, store: PostgresStorage, tmp_path: Path, colour: str
) -> None:
    """The first of a hub whose caches are empty, on a connection that has just come: two. The next ones: one."""
    check = _connected(store, [f"{ADDRESS}/32"])

    found = COLOURS[colour](server, schema, tmp_path / "trace", check)
    assert [2, 1, 1] == [one.turns for one in found]
    assert [2, 1, 1] == [one.syncs for one in found]


@pytest.mark.parametrize("colour", COLOURS)
def test_a_restriction_in_pieces_costs_one_more_at_first(
    server: Cluster, schema: str, store: PostgresStorage, tmp_path: Path, colour: str
) -> None:
    """Its head says how many pieces there are, which are read next and then remembered: three, and then one again."""
    memos = [hashlib.sha256(b"%d" % number).hexdigest() * 3 for number in range(2_800)]
    rows = [
        Row(range=parse_range(f"10.{number >> 8}.{number & 255}.0/24"), memo=memo) for number, memo in enumerate(memos)
    ]
    check = _connected(store, [f"{ADDRESS}/32", *rows])
    pieces = store.list(Records(b"acme", prefix(PIECES))).items
    assert 2 <= len(pieces)

    found = COLOURS[colour](server, schema, tmp_path / "trace", check)
    assert [3, 1, 1] == [one.turns for one in found]


def test_a_connection_that_prepares_only_when_asked_costs_more(
    server: Cluster, schema: str, store: PostgresStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: over a new connection each text of the first check is prepared before it is run."""
    check = _connected(store, [f"{ADDRESS}/32"])
    monkeypatch.setattr(postgres, "_prepared", lambda *_: None)

    assert [4, 1, 1] == [one.turns for one in _counted(server, schema, tmp_path / "trace", check)]


def test_a_store_that_reads_twice_is_counted(
    server: Cluster, schema: str, store: PostgresStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: a read in two statements, each with its answer, is two round trips."""
    check = _connected(store, [f"{ADDRESS}/32"])
    real = postgres._rows

    def twice(connection: Any, statement: Statement) -> Sequence[Found]:
        real(connection, statement)
        return real(connection, statement)

    monkeypatch.setattr(postgres, "_rows", twice)

    assert [4, 2, 2] == [one.turns for one in _counted(server, schema, tmp_path / "trace", check)]
