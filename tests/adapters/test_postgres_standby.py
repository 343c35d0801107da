from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg
import pytest

from extlink import access, links
from extlink.adapters import _postgres_servers, postgres
from extlink.adapters._postgres import Bracket
from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
from extlink.adapters.postgres_schema import upgrade
from extlink.errors import Misconfigured, Unavailable
from extlink.ports import Records, Write
from extlink.testing.probes import ACME, at, batch, paths, put, values
from tests import clusters
from tests.clusters import Cluster, Standby
from tests.poolers import pooled
from tests.schedules.world import ADDRESS, SCOPE, connected, hub_over, prepared

pytestmark = pytest.mark.slow

READ_COMMITTED = psycopg.IsolationLevel.READ_COMMITTED
SENTENCE = r"takes no writes .* target_session_attrs=read-write \(it is a standby\)"
OVERRULING = Bracket((b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",), (b"COMMIT",), (b"COMMIT",), "COMMIT")
READ_ONLY = r"takes no writes .* \(it is set to read only\)"


@pytest.fixture(scope="module")
def primary() -> Iterator[Cluster]:
    """Start a server that may be stopped, demoted and copied: no other test shares it."""
    clusters.require()
    # A standby knows no SERIALIZABLE; it would refuse every statement, and nothing would be tested.
    server = Cluster(clusters.VERSIONS[clusters.newest()], default_transaction_isolation="read committed")
    yield server
    server.remove()


@pytest.fixture(scope="module")
def standby(primary: Cluster) -> Iterator[Standby]:
    """Start a hot standby of it."""
    server = Standby(primary)
    yield server
    server.remove()


@pytest.fixture
def tables(primary: Cluster) -> str:
    """Make the tables in a schema of their own."""
    name = primary.fresh_name()
    upgrade(primary.conninfo, schema=name)
    return name


def _any(server: Cluster) -> str:
    return f"{server.conninfo} target_session_attrs=any"


def _caught_up(primary: Cluster, standby: Cluster) -> None:
    """Wait until the standby has replayed what the primary has written."""
    with (
        psycopg.connect(primary.conninfo, autocommit=True) as source,
        psycopg.connect(standby.conninfo, autocommit=True) as copy,
    ):
        (written,) = source.execute("SELECT pg_current_wal_flush_lsn()").fetchone() or ()
        for _ in range(2_000):
            (is_there,) = copy.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (written,)).fetchone() or ()
            if is_there:
                return
            copy.execute("SELECT pg_sleep(0.01)")
    raise AssertionError(f"the standby has not come to {written}")


@contextlib.contextmanager
def _paused(standby: Cluster) -> Iterator[None]:
    """Let the standby stay where it is."""
    with psycopg.connect(standby.conninfo, autocommit=True) as connection:
        connection.execute("SELECT pg_wal_replay_pause()")
        try:
            yield
        finally:
            connection.execute("SELECT pg_wal_replay_resume()")


def _check_yesterday(primary: Cluster, standby: Cluster, schema: str, conninfo: str) -> bool:
    """Revoke on the primary what a standby has not heard of, and ask there whether the token is good."""
    with PostgresStorage(primary.conninfo, schema=schema) as today:
        _, tenant, _ = prepared(today)
        tokens = connected(tenant)
        check = access.check(tokens.access_token, scope=SCOPE, address=ADDRESS)
        assert tenant.run(check)
        _caught_up(primary, standby)
        with _paused(standby):
            tenant.acting_as("sato").run(links.revoke(tokens.link))
            assert not tenant.run(check)
            with PostgresStorage(conninfo, schema=schema) as yesterday:
                return bool(hub_over(yesterday, seed=9).tenant("acme").run(check))


@pytest.mark.parametrize("is_pooled", [False, True])
def test_a_standby_lets_nobody_in_who_was_revoked(
    primary: Cluster, standby: Cluster, tables: str, is_pooled: bool
) -> None:
    """It is asked by mistake, while it is behind: the answer is an error, through a pooler too."""
    with contextlib.ExitStack() as stack:
        conninfo = stack.enter_context(pooled(standby)) if is_pooled else standby.conninfo
        with pytest.raises(Unavailable, match=SENTENCE):
            _check_yesterday(primary, standby, tables, f"{conninfo} target_session_attrs=any")


@pytest.mark.parametrize("is_pooled", [False, True])
def test_without_the_look_a_standby_would_let_them_in(
    primary: Cluster, standby: Cluster, tables: str, is_pooled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin, which takes the answer from anybody: a yes to a token that is revoked."""
    monkeypatch.setattr(postgres, "require_primary", lambda *_: None)
    with contextlib.ExitStack() as stack:
        conninfo = stack.enter_context(pooled(standby)) if is_pooled else standby.conninfo

        assert _check_yesterday(primary, standby, tables, f"{conninfo} target_session_attrs=any")


def test_of_several_hosts_the_primary_is_used(primary: Cluster, standby: Cluster, tables: str) -> None:
    """The standby is named first: passed over, unless the connection string takes anybody; then the mistake is told."""
    _caught_up(primary, standby)
    hosts = f"host={standby.folder},{primary.folder} user=extlink dbname=postgres"
    with PostgresStorage(hosts, schema=tables) as store:
        put(store, at(b"a"), b"x")
        assert [b"x"] == values(store, at(b"a"))
    with PostgresStorage(f"{hosts} target_session_attrs=primary", schema=tables) as store:
        assert [b"x"] == values(store, at(b"a"))
    with pytest.raises(Unavailable, match=SENTENCE):
        PostgresStorage(f"{hosts} target_session_attrs=any", schema=tables).open()
    with pytest.raises(Unavailable, match="read-only"):
        PostgresStorage(standby.conninfo, schema=tables).open()


def test_asynchronous_hosts_are_told_alike(primary: Cluster, standby: Cluster, tables: str) -> None:
    """Opening, and a joined connection of their own."""
    _caught_up(primary, standby)

    async def main() -> None:
        with pytest.raises(Unavailable, match=SENTENCE):
            await AsyncPostgresStorage(_any(standby), schema=tables).open()
        store = AsyncPostgresStorage(primary.conninfo, schema=tables)
        async with await psycopg.AsyncConnection.connect(standby.conninfo) as host:
            await host.set_isolation_level(READ_COMMITTED)
            with pytest.raises(Unavailable, match=SENTENCE):
                await store.joined(host).read([at(b"a")], {})
        await store.aclose()

    asyncio.run(main())


def test_a_joined_connection_to_a_standby_is_refused(primary: Cluster, standby: Cluster, tables: str) -> None:
    """Whatever is asked of it; whether it prepares by name is no matter. One to read only on the primary may read."""
    _caught_up(primary, standby)
    store = PostgresStorage(primary.conninfo, schema=tables)
    for threshold in (5, None):
        with psycopg.connect(standby.conninfo) as host:
            host.isolation_level = READ_COMMITTED
            host.prepare_threshold = threshold
            joined = store.joined(host)
            calls: list[Callable[[], object]] = [
                partial(joined.read, [at(b"a")], {}),
                partial(joined.list, Records(ACME, b"")),
                partial(joined.commit, batch()),
            ]
            for call in calls:
                with pytest.raises(Unavailable, match=SENTENCE):
                    call()
        with psycopg.connect(primary.conninfo) as host:
            host.isolation_level = READ_COMMITTED
            host.read_only = True
            host.prepare_threshold = threshold
            assert [None] == [one.value for one in store.joined(host).read([at(b"a")], {})]
    store.close()


def test_a_primary_that_becomes_a_standby_and_one_again(primary: Cluster, tables: str) -> None:
    """While a store is open: refused as long as nobody there takes writes, served again after the promotion."""
    with (
        PostgresStorage(_any(primary), schema=tables, timeout=20) as careless,
        PostgresStorage(primary.conninfo, schema=tables, timeout=2) as careful,
    ):
        for store in (careless, careful):
            put(store, at(b"a"), b"x")
        primary.demote()
        try:
            for call in (partial(values, careless, at(b"a")), partial(paths, careless)):
                with pytest.raises(Unavailable, match=SENTENCE):
                    call()
            with pytest.raises(Unavailable):
                put(careless, at(b"a"), b"y")
            with pytest.raises(Unavailable, match="no connection to PostgreSQL in time"):
                values(careful, at(b"a"))
        finally:
            primary.promote()
        assert [b"x"] == values(careless, at(b"a"))
        put(careless, at(b"a"), b"y")
    with PostgresStorage(primary.conninfo, schema=tables) as again:
        assert [b"y"] == values(again, at(b"a"))


def test_a_server_that_is_set_read_only_while_connected(primary: Cluster, tables: str) -> None:
    """As before a switch to another one: reads and commits are refused from the next call on, until it is undone."""

    def set_to(value: str) -> None:
        with psycopg.connect(primary.conninfo, autocommit=True) as connection:
            connection.execute(b"SET transaction_read_only = off")
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}".encode())
            connection.execute(b"SELECT pg_reload_conf()")
        # A later connection is started by the process that has read it.
        for _ in range(2_000):
            with psycopg.connect(primary.conninfo, autocommit=True) as connection:
                if connection.execute("SHOW default_transaction_read_only").fetchone() == (value,):
                    return
        raise AssertionError(value)

    with PostgresStorage(_any(primary), schema=tables, connections=1) as store:
        put(store, at(b"a"), b"x")
        try:
            set_to("on")
            for _ in range(2):
                with pytest.raises(Unavailable, match=READ_ONLY):
                    values(store, at(b"a"))
            with pytest.raises(Unavailable, match="takes no writes"):
                store.commit(batch(Write(at(b"a"), b"y")))
            # The control: a commit that overrules the server is written, to where nobody will look.
            refusing, store._own = store._own, OVERRULING
            assert 2 == store.commit(batch(Write(at(b"b"), b"y")))
            store._own = refusing
            with psycopg.connect(primary.conninfo) as host, pytest.raises(Unavailable, match=READ_ONLY):
                host.isolation_level = READ_COMMITTED
                store.joined(host).read([at(b"a")], {})
        finally:
            set_to("off")
        assert [b"x"] == values(store, at(b"a"))


def test_a_server_that_reports_nothing_is_asked(
    primary: Cluster, standby: Cluster, tables: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One older than PostgreSQL 14 does not say by itself what it is: each read asks, in its own round trip."""
    _caught_up(primary, standby)
    silent = tuple((b"x_" + name, what) for name, what in _postgres_servers._REPORTED)
    monkeypatch.setattr(_postgres_servers, "_REPORTED", silent)
    with PostgresStorage(primary.conninfo, schema=tables) as store:
        put(store, at(b"a"), b"x")
        assert [b"x"] == values(store, at(b"a"))
        held: Any = store._pool.getconn()
        store._pool.putconn(held)
    with pytest.raises(Unavailable, match=SENTENCE):
        PostgresStorage(_any(standby), schema=tables).open()

    assert held.prepare_threshold is None


def test_a_standby_that_was_promoted_is_taken(primary: Cluster, tables: str) -> None:
    """From then on it is a primary like any other; a store that was refused before opens."""
    promoted = Standby(primary)
    try:
        _caught_up(primary, promoted)
        store = PostgresStorage(promoted.conninfo, schema=tables)
        with pytest.raises(Unavailable):
            store.open()
        promoted.promote()
        put(store, at(b"a"), b"x")
        assert [b"x"] == values(store, at(b"a"))
        store.close()
    finally:
        promoted.remove()


def test_a_standby_is_never_asked_for(primary: Cluster) -> None:
    """The connection string that names one is refused before anything is opened."""
    with pytest.raises(Misconfigured, match="standby"):
        PostgresStorage(f"{primary.conninfo} target_session_attrs=standby")
