from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from extlink import catalog, services
from extlink.adapters import postgres
from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
from extlink.errors import Conflict, Contention, Misconfigured, Unavailable
from extlink.ports import ABSENT, Entries, Guard, Records, Write
from extlink.testing.probes import ACME, at, batch, ledger, paths, put, values
from tests.clusters import Cluster
from tests.schedules.world import hub_over

READ_COMMITTED = psycopg.IsolationLevel.READ_COMMITTED


@pytest.fixture
def host(server: Cluster, schema: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect as a host does that has a table of its own, and rows of another kind than ours."""
    with psycopg.connect(server.conninfo, row_factory=dict_row) as connection:
        connection.isolation_level = READ_COMMITTED
        connection.execute(f"CREATE TABLE {schema}.theirs (name text)".encode())
        connection.commit()
        yield connection


def _insert(host: psycopg.Connection[Any], store: PostgresStorage, name: str) -> None:
    host.execute(f"INSERT INTO {store._sql.schema}.theirs VALUES (%s)".encode(), (name,))  # noqa: S608 - our own name


def _theirs(host: psycopg.Connection[Any], store: PostgresStorage) -> list[str]:
    rows = host.execute(f"SELECT name FROM {store._sql.schema}.theirs".encode()).fetchall()  # noqa: S608 - as above
    host.commit()
    return [row["name"] for row in rows]


def test_both_are_kept_together(host: psycopg.Connection[Any], store: PostgresStorage) -> None:
    """The host's row and extlink's record are seen by others when the host commits, not before."""
    joined = store.joined(host)
    _insert(host, store, "one")
    assert 1 == joined.commit(batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), ABSENT)]))
    assert [b"x"] == [stored.value for stored in joined.read([at(b"a")], {})]
    assert [at(b"a")] == [one.key for one in joined.list(Records(ACME, b"")).items]
    assert () == tuple(joined.read([], {}))
    assert [None] == values(store, at(b"a"))
    host.commit()

    assert [b"x"] == values(store, at(b"a"))
    assert ["one"] == _theirs(host, store)


def test_both_are_undone_together(host: psycopg.Connection[Any], store: PostgresStorage) -> None:
    """The host rolls back: no record, no entry, no number."""
    put(store, at(b"a"), b"before")
    _insert(host, store, "one")
    store.joined(host).commit(batch(Write(at(b"a"), b"x"), entries=[b"1", b"2"]))
    host.rollback()

    assert ([b"before"], [(1, b"entry")], []) == (values(store, at(b"a")), ledger(store), _theirs(host, store))
    assert 2 == store.commit(batch())


def test_a_conflict_leaves_the_hosts_work_alone(host: psycopg.Connection[Any], store: PostgresStorage) -> None:
    """Nothing of extlink's is written; the host may go on and commit."""
    put(store, at(b"a"), b"before")
    _insert(host, store, "one")
    with pytest.raises(Conflict):
        store.joined(host).commit(batch(Write(at(b"b"), b"x"), guards=[Guard(at(b"a"), ABSENT)]))
    host.commit()
    put(store, at(b"c"), b"x")

    assert [b"a", b"c"] == paths(store)
    assert ["one"] == _theirs(host, store)
    assert [1, 2] == [number for number, _ in ledger(store)]


def test_a_batch_is_applied_once_in_it(host: psycopg.Connection[Any], store: PostgresStorage) -> None:
    """Committed before, by the store or in the same transaction: the position, and nothing else."""
    one = batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), ABSENT)], entries=[b"1", b"2"])
    joined = store.joined(host)
    assert [2, 2] == [joined.commit(one), joined.commit(one)]
    host.commit()

    assert 2 == store.commit(one)
    assert [(1, b"1"), (2, b"2")] == ledger(store)


def test_an_operation_in_the_hosts_transaction(host: psycopg.Connection[Any], store: PostgresStorage) -> None:
    """A hub over the joined store: everything it did is kept or undone with the host's own work."""
    tenant = hub_over(store).open_tenant("acme", edition="JP", products={"kintone"})
    admin = hub_over(store.joined(host), seed=1).tenant("acme").acting_as("admin", roles={"common_administrator"})
    admin.run(services.register(catalog.SLACK))
    host.rollback()
    elsewhere = tenant.acting_as("admin", roles={"common_administrator"})
    assert () == elsewhere.run(services.registered())
    admin.run(services.register(catalog.SLACK))
    host.commit()

    assert ["slack"] == [one.service.id for one in elsewhere.run(services.registered())]


@pytest.mark.parametrize("level", ["REPEATABLE_READ", "SERIALIZABLE"])
def test_a_transaction_that_reads_yesterday_is_refused(
    host: psycopg.Connection[Any], store: PostgresStorage, level: str
) -> None:
    """Its reads would not see a revocation that was committed since it began."""
    host.isolation_level = psycopg.IsolationLevel[level]
    with pytest.raises(Misconfigured, match="expected a transaction with READ COMMITTED"):
        store.joined(host).read([at(b"a")], {})


@pytest.mark.parametrize("level", ["REPEATABLE_READ", "SERIALIZABLE"])
def test_a_later_transaction_that_reads_yesterday_is_refused(
    host: psycopg.Connection[Any], store: PostgresStorage, level: str
) -> None:
    """What the first transaction of a connection was says nothing about the next one."""
    joined = store.joined(host)
    joined.read([at(b"a")], {})
    host.commit()
    host.isolation_level = psycopg.IsolationLevel[level]
    host.execute("SELECT 1")
    store.commit(batch())

    with pytest.raises(Misconfigured, match="expected a transaction with READ COMMITTED"):
        joined.read([at(b"a")], {})


def test_without_a_transaction_nothing_is_joined(
    server: Cluster, host: psycopg.Connection[Any], store: PostgresStorage
) -> None:
    """Every statement would be committed on its own; inside `transaction()` it is one."""
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.isolation_level = READ_COMMITTED
        joined = store.joined(connection)
        with pytest.raises(Misconfigured, match=r"connection\.transaction"):
            joined.commit(batch())
        with connection.transaction():
            assert 1 == joined.commit(batch())


def test_a_transaction_that_failed_is_told(host: psycopg.Connection[Any], store: PostgresStorage) -> None:
    """The host's own mistake is not taken for a fault of the store; its connection stays open."""
    with contextlib.suppress(psycopg.errors.UndefinedTable):
        host.execute("SELECT * FROM nowhere")
    with pytest.raises(Unavailable, match="roll it back"):
        store.joined(host).commit(batch())

    host.rollback()
    assert 1 == store.joined(host).commit(batch())


def test_nothing_is_tried_again(
    host: psycopg.Connection[Any], store: PostgresStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadlock undoes extlink's part and is told at once; a lost connection is the host's to replace."""
    tried: list[object] = []

    def failing(*arguments: object) -> None:
        tried.append(arguments)
        raise psycopg.errors.DeadlockDetected

    _insert(host, store, "one")
    with monkeypatch.context() as patch:
        patch.setattr(postgres, "_applied", lambda *_: failing())
        host.execute("SAVEPOINT extlink")
        with pytest.raises(Contention):
            store.joined(host).commit(batch())
    assert 1 == len(tried)
    host.commit()
    assert ["one"] == _theirs(host, store)


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("number", range(1, 8))
def test_an_interruption_leaves_no_number_behind(
    host: psycopg.Connection[Any],
    store: PostgresStorage,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    fault: BaseException,
) -> None:
    """Whatever the host does after an interruption at any statement, its commit keeps all of a batch or nothing."""
    store.joined(host).list(Records(ACME, b""))
    real = postgres._asked
    asked: list[object] = []

    def interrupted(connection: psycopg.Connection[Any], *statement: Any) -> object:
        asked.append(statement)
        answer = real(connection, *statement)
        if len(asked) == number:
            raise fault
        return answer

    with monkeypatch.context() as patch:
        joined = store.joined(host)
        joined.read([at(b"a")], {})
        patch.setattr(postgres, "_asked", interrupted)
        with pytest.raises(type(fault)):
            joined.commit(batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), ABSENT)]))
    with contextlib.suppress(psycopg.OperationalError):
        host.commit()

    assert ([], []) == (ledger(store), paths(store))
    assert 1 == store.commit(batch())


def test_a_connection_that_is_lost_is_told(host: psycopg.Connection[Any], store: PostgresStorage) -> None:
    """No other connection could carry on the host's transaction."""
    joined = store.joined(host)
    joined.read([at(b"a")], {})
    host.close()

    with pytest.raises(Unavailable):
        joined.commit(batch())
    with pytest.raises(Unavailable):
        joined.read([at(b"a")], {})


def test_asynchronous_hosts_join_alike(server: Cluster, schema: str) -> None:
    """The same on a connection of psycopg's other colour, cancelled where it waits included."""

    async def main() -> None:
        async with (
            AsyncPostgresStorage(server.conninfo, schema=schema, timeout=30) as store,
            await psycopg.AsyncConnection.connect(server.conninfo) as host,
        ):
            await host.set_isolation_level(READ_COMMITTED)
            joined = store.joined(host)
            assert 1 == await joined.commit(batch(Write(at(b"a"), b"x")))
            assert [b"x"] == [stored.value for stored in await joined.read([at(b"a")], {})]
            await host.rollback()
            assert () == tuple((await store.list(Entries(ACME))).items)
            assert () == tuple(await joined.read([], {}))
            with psycopg.connect(server.conninfo) as other:
                other.execute(f"INSERT INTO {schema}.head VALUES ('acme', 0, 0)".encode())  # noqa: S608 - our own name
                waiting = asyncio.create_task(joined.commit(batch(Write(at(b"a"), b"y"))))
                await asyncio.sleep(0.1)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                other.rollback()
            await host.commit()
            assert () == tuple((await joined.list(Records(ACME, b""))).items)
            assert 1 == await store.commit(batch())

    asyncio.run(main())


def test_asynchronous_hosts_lose_a_connection_alike(server: Cluster, schema: str) -> None:
    """The error is ours, and the connection is closed when not even an undo gets through."""

    async def main() -> None:
        async with AsyncPostgresStorage(server.conninfo, schema=schema, timeout=30) as store:
            host = await psycopg.AsyncConnection.connect(server.conninfo)
            await host.set_isolation_level(READ_COMMITTED)
            joined = store.joined(host)
            await joined.read([at(b"a")], {})
            with psycopg.connect(server.conninfo, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (host.info.backend_pid,))
            with pytest.raises(Unavailable):
                await joined.commit(batch())
            assert host.closed

    asyncio.run(main())


def test_a_connection_lost_in_the_middle_of_a_commit_is_closed(
    server: Cluster, host: psycopg.Connection[Any], store: PostgresStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the transaction and the first statement: not even an undo gets through."""
    real = postgres._applied

    def lost(connection: psycopg.Connection[Any], *more: Any) -> object:
        _end(server, connection.info.backend_pid)
        return real(connection, *more)

    monkeypatch.setattr(postgres, "_applied", lost)
    with pytest.raises(Unavailable):
        store.joined(host).commit(batch())
    assert host.closed


def test_an_asynchronous_connection_lost_in_the_middle_of_a_commit_is_closed(
    server: Cluster, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same of psycopg's other colour."""
    real = postgres._async_applied

    async def lost(connection: psycopg.AsyncConnection[Any], *more: Any) -> object:
        _end(server, connection.info.backend_pid)
        return await real(connection, *more)

    async def main() -> None:
        async with AsyncPostgresStorage(server.conninfo, schema=schema, timeout=30) as store:
            host = await psycopg.AsyncConnection.connect(server.conninfo)
            await host.set_isolation_level(READ_COMMITTED)
            with pytest.raises(Unavailable):
                await store.joined(host).commit(batch())
            assert host.closed

    monkeypatch.setattr(postgres, "_async_applied", lost)
    asyncio.run(main())


def _end(server: Cluster, backend: int) -> None:
    with psycopg.connect(server.conninfo, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (backend,))
