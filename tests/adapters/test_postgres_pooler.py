from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from extlink.adapters import postgres
from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
from extlink.adapters.postgres_schema import upgrade, verify
from extlink.adapters.removing import remove_tenant
from extlink.errors import Misconfigured
from extlink.ports import ABSENT, Guard, Write
from extlink.testing import async_storage_checks, storage_checks
from extlink.testing.probes import at, batch, ledger, put, values
from tests import clusters
from tests.clusters import Cluster
from tests.contract.postgres_stores import COLOURS, Schemas
from tests.poolers import pooled, version

pytestmark = pytest.mark.slow

CANCELLING = tuple(check for check in async_storage_checks() if check.theme == "cancelling")
READ_COMMITTED = psycopg.IsolationLevel.READ_COMMITTED
# A pooler that knows of prepared statements is told not to carry them; an older one does not know the setting.
FORGETFUL: dict[str, object] = {"default_pool_size": 1, "max_prepared_statements": 0}


@pytest.fixture(scope="module")
def through(server: Cluster) -> Iterator[str]:
    """Reach the newest server through a pooler that hands each transaction to another session."""
    with pooled(server) as conninfo:
        yield conninfo


@pytest.fixture
def forgetful(server: Cluster) -> Iterator[str]:
    """Reach the server through one session for all, over which no prepared statement is carried."""
    with pooled(server, **(FORGETFUL if version() >= (1, 21) else {"default_pool_size": 1})) as conninfo:
        yield conninfo


@pytest.mark.parametrize("colour", COLOURS)
def test_the_contract_is_kept_through_a_pooler(through: str, colour: str) -> None:
    """Law 17 in transaction mode, with the pooler's own settings: every check, and cancelling at any await."""
    schemas = Schemas(clusters.newest(), colour, through)
    try:
        for check in storage_checks():
            check.run(schemas.fresh)
        for check in CANCELLING if colour == "async" else ():
            check.run_async(schemas.fresh_async)
    finally:
        schemas.close()


def test_tables_are_made_and_a_tenant_is_removed_through_a_pooler(server: Cluster, through: str) -> None:
    """What is done beside the store prepares nothing either."""
    schema = server.fresh_name()
    upgrade(through, schema=schema)
    with PostgresStorage(through, schema=schema) as store:
        put(store, at(b"a"), b"x")
        removed = remove_tenant(store, "acme")

    assert () == verify(through, schema=schema)
    assert 1 == removed.entries


def test_nothing_is_prepared_by_name_behind_a_pooler(server: Cluster, schema: str, through: str) -> None:
    """Whoever comes next in the same session finds no statement of ours; directly they are prepared."""
    for conninfo, is_named in ((through, False), (server.conninfo, True)):
        with PostgresStorage(conninfo, schema=schema, connections=1) as store:
            put(store, at(b"a"), b"x")
            connection = store._pool.getconn()
            assert is_named == (connection.prepare_threshold is not None)
            (found,) = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() or ()
            store._pool.putconn(connection)
        assert is_named == (found > 0)


def _end_sessions(server: Cluster) -> None:
    """End every session of the pooler: it opens another one for the next transaction."""
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND datname = current_database()"
        )


def _two_stores_in_turns(server: Cluster, conninfo: str) -> list[list[bytes | None]]:
    """Read from two schemas over one session for both, which ends now and then, as `server_lifetime` makes it."""
    stores: list[PostgresStorage] = []
    answers: list[list[bytes | None]] = []
    with contextlib.ExitStack() as closing:
        for name in (b"one", b"two"):
            schema = server.fresh_name()
            upgrade(server.conninfo, schema=schema)
            with PostgresStorage(server.conninfo, schema=schema) as direct:
                put(direct, at(b"a"), name)
            _end_sessions(server)
            stores.append(closing.enter_context(PostgresStorage(conninfo, schema=schema, connections=1)))
            stores[-1]._pool.wait()
            _end_sessions(server)
            answers.append(values(stores[-1], at(b"a")))
        answers.append(values(stores[0], at(b"a")))
    return answers


def test_stores_never_run_each_others_statements(server: Cluster, forgetful: str) -> None:
    """One session for two stores that would call their statements alike: each reads its own tables."""
    assert [[b"one"], [b"two"], [b"one"]] == _two_stores_in_turns(server, forgetful)


def test_prepared_names_would_be_mixed(server: Cluster, forgetful: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin, which prepares behind a pooler as well: soon a store is answered from the other's tables.

    Not in every run: a pool may meanwhile have replaced the connection that would have asked.
    """
    monkeypatch.setattr(postgres, "threshold", lambda connection, row: connection.prepare_threshold)
    assert any([[b"one"], [b"two"], [b"two"]] == _two_stores_in_turns(server, forgetful) for _ in range(25))


def test_a_joined_connection_through_a_pooler(schema: str, through: str) -> None:
    """The host's own psycopg prepares by name unless it is told not to; then both are kept together."""
    with PostgresStorage(through, schema=schema) as store, psycopg.connect(through) as host:
        host.isolation_level = READ_COMMITTED
        with pytest.raises(Misconfigured, match="prepare_threshold = None"):
            store.joined(host).commit(batch())
        host.rollback()
        host.prepare_threshold = None
        assert 1 == store.joined(host).commit(batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), ABSENT)]))
        assert [b"x"] == [stored.value for stored in store.joined(host).read([at(b"a")], {})]
        host.rollback()
        assert [] == ledger(store)


def test_an_asynchronous_connection_joins_alike(schema: str, through: str) -> None:
    """The same of psycopg's other colour."""

    async def main() -> None:
        async with (
            AsyncPostgresStorage(through, schema=schema) as store,
            await psycopg.AsyncConnection.connect(through) as host,
        ):
            await host.set_isolation_level(READ_COMMITTED)
            with pytest.raises(Misconfigured, match="prepare_threshold = None"):
                await store.joined(host).commit(batch())
            await host.rollback()
            host.prepare_threshold = None
            assert 1 == await store.joined(host).commit(batch(Write(at(b"a"), b"x")))
            assert [b"x"] == [stored.value for stored in await store.joined(host).read([at(b"a")], {})]

    asyncio.run(main())


def test_a_pooler_that_is_put_in_between_later_is_seen(server: Cluster, schema: str, through: str) -> None:
    """Every new connection is looked at, not the first alone: the address of a server may come to be a pooler's."""
    with PostgresStorage(server.conninfo, schema=schema, connections=1) as store:
        put(store, at(b"a"), b"x")
        store._settings.update(psycopg.conninfo.conninfo_to_dict(through))
        connection = store._pool.getconn()
        connection.close()
        store._pool.putconn(connection)
        assert [b"x"] == values(store, at(b"a"))
        thresholds: list[Any] = [connection.prepare_threshold for connection in store._pool._pool]

    assert [None] == thresholds
