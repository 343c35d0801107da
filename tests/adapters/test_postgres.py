from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest

from extlink import access
from extlink.adapters import postgres
from extlink.adapters._postgres import Plan, Row, Statements, Verdict, own, require_closed, require_ready, settings
from extlink.adapters._postgres_errors import Way, way, wrapped
from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
from extlink.adapters.postgres_schema import upgrade
from extlink.domain.instant import Instant
from extlink.errors import Conflict, Contention, CorruptRecord, Misconfigured, StorageError, Unavailable
from extlink.ports import ABSENT, Batch, Entries, Guard, Key, Records, Write
from extlink.testing import storage_checks
from extlink.testing.probes import (
    ACME,
    HOST,
    ContractBroken,
    at,
    batch,
    ledger,
    paths,
    put,
    succeeds,
    together,
    values,
    version,
)
from tests.clusters import Cluster
from tests.schedules.world import ADDRESS, SCOPE, connected, prepared

pytestmark = pytest.mark.slow

CHECKS = {check.name: check for check in storage_checks()}
ROOT = Path(__file__).resolve().parents[2]
QUICKSTART_SQLITE = 'TemporaryDirectory() as folder, extlink.SQLiteStorage(f"{folder}/links.db") as storage'
QUICKSTART_POSTGRES = 'extlink.PostgresStorage("dbname=links") as storage'
Reopened = Callable[..., PostgresStorage]


@contextlib.contextmanager
def _administrator(server: Cluster) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        yield connection


def _over(schema: str, statement: str) -> bytes:
    return statement.replace("extlink", schema).encode()


# How it is reached


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"conninfo": None}, "conninfo: expected a libpq connection string, got NoneType"),
        ({"conninfo": b"dbname=links"}, "conninfo"),
        ({"conninfo": "password=secret host"}, "something libpq cannot read"),
        ({"conninfo": "host=a,b target_session_attrs=standby"}, "a standby answers with yesterday"),
        ({"conninfo": "postgresql://a,b/?target_session_attrs=prefer-standby"}, "got prefer-standby"),
        ({"conninfo": "target_session_attrs=read-only password=secret"}, "got read-only"),
        ({"conninfo": "\ud800"}, "something libpq cannot read"),
        ({"conninfo": "postgresql://user:p@secret@127.0.0.1/db"}, "write %40 for it"),
        ({"conninfo": "host=a,secret@b"}, "expected a host without @"),
        ({"schema": "Links"}, "schema: expected a name"),
        ({"schema": "a; DROP"}, "schema: expected a name"),
        ({"schema": "a" * 64}, "schema: expected a name"),
        ({"schema": None}, "schema: expected a name"),
        ({"timeout": 0}, "timeout: expected seconds"),
        ({"timeout": "1"}, "timeout: expected seconds"),
        ({"timeout": float("nan")}, "timeout: expected seconds"),
        ({"timeout": True}, "timeout: expected seconds"),
        ({"connections": 0}, "connections: expected a whole number"),
        ({"connections": 2.5}, "connections: expected a whole number"),
    ],
)
@pytest.mark.parametrize("kind", [PostgresStorage, AsyncPostgresStorage])
def test_malformed_arguments_are_refused(kind: Any, arguments: dict[str, object], problem: str) -> None:
    """Said when the store is made; the connection string is never shown, it may hold a password."""
    with pytest.raises(Misconfigured, match=problem) as caught:
        kind(**{"conninfo": "dbname=links", **arguments})

    assert "secret" not in str(caught.value)


def test_an_old_libpq_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit needs its pipelines."""
    monkeypatch.setattr(psycopg.Pipeline, "is_supported", lambda: False)

    with pytest.raises(Misconfigured, match="libpq 14"):
        PostgresStorage("dbname=links")


def test_the_primary_is_asked_for() -> None:
    """Of several hosts the one that takes writes, unless the host says otherwise."""
    assert "read-write" == settings("host=a,b", 10, 1)["target_session_attrs"]
    assert "any" == settings("host=a,b target_session_attrs=any", 10, 1)["target_session_attrs"]


def test_a_server_that_is_away_makes_the_store_unavailable(tmp_path: Path) -> None:
    """It may be down for the moment."""
    store = PostgresStorage(f"host={tmp_path} dbname=links")
    with pytest.raises(Unavailable, match="look at the server"):
        store.open()
    with pytest.raises(Unavailable, match="look at the server"):
        paths(store)
    store.close()


def test_tables_that_are_missing_are_the_hosts_mistake(server: Cluster) -> None:
    """Opening says what to run."""
    with pytest.raises(Misconfigured, match="extlink schema upgrade"), PostgresStorage(server.conninfo, schema="none"):
        pass


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            "INSERT INTO extlink.schema_file VALUES (9999, '9999_future_post.sql', 'x')",
            "9999_future_post.*newer release",
        ),
        ("UPDATE extlink.schema_file SET checksum = 'x'", "not the one the database was made with"),
        ("DELETE FROM extlink.schema_file WHERE number = 2", "lacks schema file 0002.*extlink schema upgrade"),
    ],
)
def test_a_database_of_another_release_is_refused(server: Cluster, schema: str, change: str, problem: str) -> None:
    """A newer file that takes away, a known one with other content, one that is lacking: nothing is guessed."""
    with _administrator(server) as connection:
        connection.execute(_over(schema, change))

    with pytest.raises(Misconfigured, match=problem):
        PostgresStorage(server.conninfo, schema=schema).open()


def test_a_newer_release_may_have_added(server: Cluster, schema: str, store: PostgresStorage) -> None:
    """A `pre` file of the release that is being rolled out keeps nobody from working."""
    with _administrator(server) as connection:
        connection.execute(_over(schema, "INSERT INTO extlink.schema_file VALUES (9999, '9999_future_pre.sql', 'x')"))

    assert [None] == values(store, at(b"a"))


def test_a_server_that_acknowledges_before_it_writes_is_refused(server: Cluster, schema: str) -> None:
    """Durable when it returns, or not at all."""
    options = "options='-c synchronous_commit=off'"
    with pytest.raises(Misconfigured, match="synchronous_commit is off"):
        PostgresStorage(f"{server.conninfo} {options}", schema=schema).open()


def test_a_server_without_fsync_is_refused() -> None:
    """The same for a server that never waits for its disk."""
    with pytest.raises(Misconfigured, match="fsync is off"):
        require_ready(("on", "off"))
    with pytest.raises(Misconfigured, match="synchronous_commit is off"):
        require_ready(None)


def test_a_session_that_may_only_read_is_not_taken(server: Cluster, schema: str) -> None:
    """A standby answers with yesterday; so does nobody here."""
    options = "options='-c default_transaction_read_only=on'"
    with pytest.raises(Unavailable, match="read-only"):
        PostgresStorage(f"{server.conninfo} {options}", schema=schema).open()


def test_the_role_needs_no_right_to_make_tables(server: Cluster, schema: str) -> None:
    """USAGE and four verbs on the tables are enough."""
    with _administrator(server) as connection:
        connection.execute(b"DROP ROLE IF EXISTS links_host")
        connection.execute(b"CREATE ROLE links_host LOGIN")
        connection.execute(_over(schema, "GRANT USAGE ON SCHEMA extlink TO links_host"))
        tables = f"ALL TABLES IN SCHEMA {schema}"
        connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO links_host".encode())
    with PostgresStorage(f"{server.conninfo} user=links_host", schema=schema) as store:
        put(store, at(b"a"), b"x")

        assert [b"x"] == values(store, at(b"a"))
    with _administrator(server) as connection:
        connection.execute(f"REVOKE INSERT ON {tables} FROM links_host".encode())
    with (
        PostgresStorage(f"{server.conninfo} user=links_host", schema=schema) as store,
        pytest.raises(Unavailable, match="permission denied"),
    ):
        put(store, at(b"b"), b"x")
    with _administrator(server) as connection:
        connection.execute(b"DROP OWNED BY links_host")
        connection.execute(b"DROP ROLE links_host")


# What it says


def test_the_head_keeps_the_newest_instant(server: Cluster, schema: str, store: PostgresStorage) -> None:
    """The time floor never goes back."""
    for instant in (5, 9, 7):
        store.commit(attrs.evolve(batch(Write(at(b"a"), b"x")), at=Instant(instant)))

    with _administrator(server) as connection:
        found = connection.execute(_over(schema, "SELECT position, floor FROM extlink.head")).fetchall()
    assert [(3, 9)] == found


def test_a_commit_names_its_isolation(server: Cluster, store: PostgresStorage) -> None:
    """The servers of these tests are set to SERIALIZABLE; a commit reads its guards under READ COMMITTED anyway."""
    with _administrator(server) as connection:
        shown = connection.execute("SHOW default_transaction_isolation").fetchall()

    assert [("serializable",)] == shown
    CHECKS["concurrent_increments_lose_nothing"].run(lambda: store)


class _GuardsFirst(Statements):
    """Reads the guards and then locks the head: both of two crossed commits find their guards as they were."""

    def plan(self, batch: Batch) -> Plan:
        plan = super().plan(batch)
        head, earlier, *guarded = plan.asks

        class Turned(Plan):
            def judge(self, answered: Sequence[Sequence[Row]]) -> Verdict:
                return super().judge([*answered[-2:], *answered[:-2]])

        return Turned(plan.batch, plan.guards, (*guarded, head, earlier), plan.records, plan.enter)


def test_guards_read_before_the_head_is_locked_would_both_hold(store: PostgresStorage) -> None:
    """The control: the same check finds a store that locks too late, as READ COMMITTED allows."""
    store._sql = _GuardsFirst(store._sql.schema)

    with pytest.raises(ContractBroken, match="commits per round"):
        CHECKS["crossed_guards_on_absence_never_both_hold"].run(lambda: store)


def test_a_writer_that_does_not_get_its_turn_is_told(server: Cluster, schema: str, reopened: Reopened) -> None:
    """Somebody holds the tenant's head: `Contention`, nothing changed, reads and other tenants go on."""
    store = reopened(timeout=1.0)
    put(store, at(b"a"), b"before")
    one = batch(Write(at(b"a"), b"after"))
    with psycopg.connect(server.conninfo) as other:
        other.execute(_over(schema, "UPDATE extlink.head SET floor = floor"))
        with pytest.raises(Contention, match="nothing was changed") as caught:
            store.commit(one)
        assert [b"before"] == values(store, at(b"a"))
        put(store, Key(b"other", b"a"), b"x")

    assert isinstance(caught.value.__cause__, psycopg.errors.LockNotAvailable)
    assert 2 == store.commit(one)


def test_a_guard_on_the_host_waits_for_no_lock_of_the_host(server: Cluster, schema: str, reopened: Reopened) -> None:
    """A commit of the host that is under way keeps no tenant from committing."""
    store = reopened(timeout=1.0)
    put(store, at(b"s", HOST), b"before")
    (found,) = store.read([at(b"s", HOST)], {})
    with psycopg.connect(server.conninfo) as other:
        other.execute(_over(schema, "UPDATE extlink.head SET floor = floor WHERE tenant = '~host'"))

        assert 1 == store.commit(batch(guards=[Guard(found.key, found.version)]))


@pytest.mark.parametrize(
    ("error", "kind", "expected"),
    [
        (psycopg.errors.SerializationFailure(), Contention, Way.AGAIN),
        (psycopg.errors.DeadlockDetected(), Contention, Way.AGAIN),
        (psycopg.errors.LockNotAvailable(), Contention, Way.OVER),
        (psycopg.errors.DataCorrupted(), CorruptRecord, Way.OVER),
        (psycopg.errors.IndexCorrupted(), CorruptRecord, Way.OVER),
        (psycopg.errors.UndefinedTable(), Unavailable, Way.OVER),
        (psycopg.errors.DiskFull(), Unavailable, Way.OVER),
        (psycopg.errors.QueryCanceled(), Unavailable, Way.OVER),
        (psycopg.errors.AdminShutdown(), Unavailable, Way.ELSEWHERE),
        (psycopg.errors.CannotConnectNow(), Unavailable, Way.ELSEWHERE),
        (psycopg.errors.ConnectionException(), Unavailable, Way.ELSEWHERE),
        (psycopg.errors.FeatureNotSupported(), Unavailable, Way.ELSEWHERE),
        (psycopg.errors.InvalidSqlStatementName(), Unavailable, Way.ELSEWHERE),
        (psycopg.errors.ReadOnlySqlTransaction(), Unavailable, Way.ELSEWHERE),
        (psycopg.OperationalError("x"), Unavailable, Way.OVER),
    ],
)
def test_every_error_has_a_way_and_a_type(error: psycopg.Error, kind: type[StorageError], expected: Way) -> None:
    """The server undid it: again. The connection is of no more use: elsewhere. Everything else: the caller is told."""
    assert (expected, kind) == (way(error, closed=False), type(wrapped(error)))
    assert Way.AGAIN is expected or Way.ELSEWHERE is way(error, closed=True)


def test_an_error_shows_the_first_line_alone() -> None:
    """DETAIL lines may quote what is stored."""
    shown = str(wrapped(psycopg.errors.UniqueViolation("duplicate key\nDETAIL: Key (path)=(secret)")))

    assert "duplicate key" in shown
    assert "secret" not in shown


def test_a_commit_that_is_answered_with_a_rollback_is_none() -> None:
    """PostgreSQL answers COMMIT with ROLLBACK where the transaction had failed."""
    bracket = own(1.0)
    require_closed(bracket, "COMMIT")
    with pytest.raises(Unavailable, match="answered a commit with 'ROLLBACK'"):
        require_closed(bracket, "ROLLBACK")


# Faults


class _Fault:
    """Fails at the n-th statement from now on, before it is sent or after, and then never again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int, late: bool, error: BaseException) -> None:
        self._real = postgres._asked
        self._number = number
        self._late = late
        self._error = error
        self.asked = 0
        monkeypatch.setattr(postgres, "_asked", self)

    def __call__(self, connection: psycopg.Connection[Any], *statement: Any) -> object:
        self.asked += 1
        if self.asked == self._number and not self._late:
            self._fail(connection)
        answer = self._real(connection, *statement)
        if self.asked == self._number:
            self._fail(connection)
        return answer

    def _fail(self, connection: psycopg.Connection[Any]) -> None:
        if isinstance(self._error, psycopg.OperationalError):
            connection.pgconn.finish()
        raise self._error


# BEGIN, SET LOCAL, head, earlier, guards, puts, deletions, entries, COMMIT
STATEMENTS = 9


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("number", range(1, STATEMENTS + 1))
def test_a_connection_that_breaks_at_any_statement(
    store: PostgresStorage, monkeypatch: pytest.MonkeyPatch, number: int, late: bool
) -> None:
    """The same batch goes to another connection, and is applied once; nobody notices."""
    gone = at(b"gone")
    guards = [Guard(gone, put(store, gone, b"x"))]
    one = batch(Write(at(b"new"), b"x"), Write(gone, None), guards=guards, entries=[b"1", b"2"])
    fault = _Fault(monkeypatch, number, late, psycopg.OperationalError("the connection is lost"))

    assert 3 == store.commit(one)
    assert STATEMENTS < fault.asked
    assert [(1, b"entry"), (2, b"1"), (3, b"2")] == ledger(store)
    assert [b"x", None] == values(store, at(b"new"), gone)
    assert 3 == store.commit(one)


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("number", range(1, STATEMENTS + 1))
def test_an_interruption_at_any_statement(
    store: PostgresStorage, monkeypatch: pytest.MonkeyPatch, number: int, fault: BaseException
) -> None:
    """All or nothing; the connection is closed, and the same batch again settles which it was."""
    gone = at(b"gone")
    guards = [Guard(gone, put(store, gone, b"x"))]
    before = paths(store), ledger(store)
    one = batch(Write(at(b"new"), b"x"), Write(gone, None), guards=guards, entries=[b"1", b"2"])
    with monkeypatch.context() as patch:
        _Fault(patch, number, True, fault)
        with pytest.raises(type(fault)):
            store.commit(one)

    assert values(store, at(b"new")) == [b"x"] or before == (paths(store), ledger(store))
    assert 3 == store.commit(one)
    assert [(1, b"entry"), (2, b"1"), (3, b"2")] == ledger(store)


def test_a_lost_answer_is_settled_by_the_batchs_id(store: PostgresStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit is done, its answer lost: the store asks again and returns the position, one effect in all."""
    real = postgres._applied
    lost: list[Verdict] = []

    def losing(connection: psycopg.Connection[Any], *arguments: Any) -> Verdict:
        verdict = real(connection, *arguments)
        if not lost:
            lost.append(verdict)
            connection.pgconn.finish()
            raise psycopg.OperationalError("the answer is lost")
        return verdict

    monkeypatch.setattr(postgres, "_applied", losing)

    assert 2 == store.commit(batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), ABSENT)], entries=[b"1", b"2"]))
    assert [True] == [verdict.applies for verdict in lost]
    assert [(1, b"1"), (2, b"2")] == ledger(store)


@pytest.mark.parametrize(
    ("error", "kind", "times"),
    [(psycopg.errors.DeadlockDetected(), Contention, 20), (psycopg.errors.AdminShutdown(), Unavailable, 4)],
)
def test_a_server_that_never_lets_it_through(
    store: PostgresStorage, monkeypatch: pytest.MonkeyPatch, error: psycopg.Error, kind: type[StorageError], times: int
) -> None:
    """Tried again a bounded number of times, then the caller is told."""
    tried: list[object] = []

    def failing(*arguments: object) -> Verdict:
        tried.append(arguments)
        raise error

    monkeypatch.setattr(postgres, "_applied", failing)
    with pytest.raises(kind) as caught:
        put(store, at(b"a"), b"x")

    assert error is caught.value.__cause__
    assert times == len(tried)


def test_connections_that_the_server_ended_are_replaced(server: Cluster, schema: str, store: PostgresStorage) -> None:
    """All idle connections are gone, as after a restart: the next calls do not notice."""
    together(*[partial(put, store, at(b"a"), b"x")] * 4)
    with _administrator(server) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()",
            (f"%{schema}%",),
        )

    assert [b"x"] == values(store, at(b"a"))
    put(store, at(b"a"), b"y")
    assert 5 == len(ledger(store))


def test_an_error_of_another_kind_passes_through(store: PostgresStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no error of the server is no error of the store; the connection is closed all the same."""
    _Fault(monkeypatch, 1, False, MemoryError())
    with pytest.raises(MemoryError):
        values(store, at(b"a"))

    assert [None] == values(store, at(b"a"))


def test_all_connections_in_use(reopened: Reopened) -> None:
    """A call waits as long as it may, and says what is wrong."""
    store = reopened(timeout=1.0, connections=1)
    paths(store)
    held = store._pool.getconn()
    try:
        with pytest.raises(Unavailable, match="all connections are in use"):
            paths(store)
    finally:
        store._pool.putconn(held)
    assert [] == paths(store)


# Its end


def test_a_closed_store_says_so(store: PostgresStorage) -> None:
    """Every call raises `Unavailable`, also where nothing was ever opened; closing twice is no error."""
    store.close()
    store.close()
    for call in (partial(put, store, at(b"a"), b"x"), partial(values, store, at(b"a")), partial(paths, store)):
        with pytest.raises(Unavailable, match="closed"):
            call()


def test_opening_twice_is_opening_once(store: PostgresStorage) -> None:
    """The second call finds it open."""
    store.open()
    store.open()

    assert store.list(Records(ACME, b"")).items == ()
    assert [] == list(store.read([], {}))


FORK = """
import os, sys
from extlink.adapters.postgres import PostgresStorage
from extlink.testing.probes import at, put, values

conninfo, schema = sys.argv[1:]
store = PostgresStorage(conninfo, schema=schema)
put(store, at(b"parent"), b"x")
held = store._pool.getconn()
child = os.fork()
if child == 0:
    put(store, at(b"child"), b"x")
    sys.exit(7 if values(store, at(b"parent"), at(b"child")) == [b"x", b"x"] else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(held.execute("SELECT 1").fetchall())
store._pool.putconn(held)
print(values(store, at(b"parent"), at(b"child")))
"""
FORGOTTEN = """
import sys
from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
from extlink.adapters.postgres_schema import upgrade
from extlink.testing.probes import at, put

conninfo, schema = sys.argv[1:]
asynchronous = AsyncPostgresStorage(conninfo, schema=schema)
store = PostgresStorage(conninfo, schema=schema)
put(store, at(b"a"), b"x")
print("over")
"""
WITHOUT = """
import sys
sys.modules["psycopg"] = None
try:
    import extlink.adapters.postgres
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (FORK, "7\n[(1,)]\n[b'x', b'x']\n"),
        (FORGOTTEN, "over\n"),
        (WITHOUT, "PostgresStorage needs psycopg 3; run: pip install 'extlink[postgres]'\n"),
    ],
    ids=["fork", "forgotten", "without psycopg"],
)
def test_in_a_process_of_its_own(server: Cluster, schema: str, program: str, expected: str) -> None:
    """A child has connections of its own; a forgotten store ends with its process; a missing psycopg is named."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, server.conninfo, schema],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )

    assert (expected, "", 0) == (done.stdout, done.stderr, done.returncode)


# Cancelled


class _CancelledAt:
    """A call that is cancelled where it waits for the n-th time."""

    def __init__(self, call: Coroutine[Any, Any, object], number: int) -> None:
        self._call = call
        self._number = number

    def __await__(self) -> Generator[Any, Any, bool]:
        """Return whether it was over before."""
        waits = 0
        with contextlib.suppress(asyncio.CancelledError):
            try:
                while True:
                    future = self._call.send(None)
                    waits += 1
                    if waits == self._number:
                        future.cancel()
                        future = self._call.throw(asyncio.CancelledError())
                    yield future
            except StopIteration:
                return waits < self._number
        return False


def test_a_commit_cancelled_at_any_await(server: Cluster, schema: str) -> None:
    """All or nothing at every step; the same batch again settles it, and no connection is lost or reused half-way."""

    async def main() -> int:
        is_over = False
        number = 0
        async with AsyncPostgresStorage(server.conninfo, schema=schema, connections=2, timeout=30) as store:
            await store.commit(batch(entries=[b"warm"]))
            while not is_over:
                key = at(b"%d" % number)
                one = batch(Write(key, b"x"), guards=[Guard(key, ABSENT)], entries=[b"1", b"2"])
                is_over = await _CancelledAt(store.commit(one), number + 1)
                (found,) = await store.read([key], {})
                entries = (await store.list(Entries(ACME, limit=1_000))).items
                assert (len(entries) == 2 * number + 3) == (found.version == one.id)
                assert 2 * number + 3 == await store.commit(one)
                number += 1
            # Every connection is there: the pool has not lost one for good.
            free = [await store._pool.getconn() for _ in range(2)]
            for connection in free:
                await store._pool.putconn(connection)
        return number

    # A commit waits for the guards and for the end, unless an answer is there first; and once it is not cancelled.
    assert 2 <= asyncio.run(main())


def test_a_call_that_waits_for_a_connection_may_be_cancelled(server: Cluster, schema: str) -> None:
    """It never starts, and the connection that comes free serves the next."""

    async def main() -> None:
        async with AsyncPostgresStorage(server.conninfo, schema=schema, connections=1, timeout=30) as store:
            held = await store._pool.getconn()
            waiting = asyncio.create_task(store.commit(batch(Write(at(b"a"), b"x"))))
            await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await store._pool.putconn(held)
            assert [] == list((await store.list(Records(ACME, b""))).items)

    asyncio.run(main())


def test_a_cancelled_call_leaves_no_transaction_open(server: Cluster, schema: str) -> None:
    """A task that waits for a lock is cancelled: its connection is closed, and nobody waits for it."""

    async def main() -> None:
        async with AsyncPostgresStorage(server.conninfo, schema=schema, connections=1, timeout=30) as store:
            await store.commit(batch(Write(at(b"a"), b"x")))
            with psycopg.connect(server.conninfo) as other:
                other.execute(_over(schema, "UPDATE extlink.head SET floor = floor"))
                waiting = asyncio.create_task(store.commit(batch(Write(at(b"a"), b"y"))))
                await asyncio.sleep(0.1)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            (found,) = await store.read([at(b"a")], {})
            assert b"x" == found.value
            assert 2 == await store.commit(batch(Write(at(b"a"), b"z")))

    asyncio.run(main())


def test_tasks_share_the_connections(server: Cluster, schema: str) -> None:
    """Many tasks at once: one ledger without gaps, and no more connections than allowed."""

    async def main() -> None:
        async with AsyncPostgresStorage(server.conninfo, schema=schema, connections=3) as store:
            positions = await asyncio.gather(*[store.commit(batch(entries=[b"%d" % one])) for one in range(40)])
            assert list(range(1, 41)) == sorted(positions)
            assert store._pool.get_stats()["pool_size"] <= 3

    asyncio.run(main())


def _round_trips(store: PostgresStorage, trace: Path, call: Callable[[], object]) -> int:
    """Count how often a call turns from sending to receiving, by libpq's own trace of the one connection."""
    connection = store._pool.getconn()
    with trace.open("w") as file:
        connection.pgconn.trace(file.fileno())
        store._pool.putconn(connection)
        call()
        assert connection is store._pool.getconn()
        connection.pgconn.untrace()
        store._pool.putconn(connection)
    # A line of the trace is: time, F or B (from frontend or backend), length, message.
    sides = [line.split("\t")[1] for line in trace.read_text().splitlines()]
    return sum(before == "F" and after == "B" for before, after in pairwise(sides))


def test_round_trips_are_few(reopened: Reopened, tmp_path: Path) -> None:
    """A check takes two at most, cached or not; a commit takes two, a conflict as many, a page one."""
    store = reopened(connections=1)
    _, tenant, _ = prepared(store)
    tokens = connected(tenant)
    check = access.check(tokens.access_token, scope=SCOPE, address=ADDRESS)
    assert [True, True] == [bool(tenant.run(check)), bool(tenant.run(check))]
    trips = partial(_round_trips, store, tmp_path / "trace")

    assert trips(lambda: tenant.run(check)) <= 2
    assert trips(lambda: put(store, at(b"a"), b"x")) == 2
    assert trips(lambda: put(store, at(b"a"), b"x")) == 2
    stale = batch(guards=[Guard(at(b"a"), ABSENT)])
    assert trips(lambda: succeeds(Conflict, store.commit, stale)) == 2
    assert trips(lambda: values(store, at(b"a"), at(b"b", HOST))) == 1
    assert trips(lambda: store.list(Entries(ACME))) <= 2


def test_a_conflict_costs_no_prepared_statement(store: PostgresStorage) -> None:
    """Whatever the outcomes, a connection goes on with what it has prepared; nothing is sent again or forgotten."""
    put(store, at(b"a"), b"x")
    for _ in range(20):
        with pytest.raises(Conflict):
            store.commit(batch(Write(at(b"a"), b"y"), guards=[Guard(at(b"a"), ABSENT)]))
        values(store, at(b"a"))
        put(store, at(b"b"), b"x")
    connection = store._pool.getconn()
    (prepared,) = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() or ()
    (process,) = connection.execute("SELECT pg_backend_pid()").fetchone() or ()
    store._pool.putconn(connection)

    assert prepared < 14
    assert 0 == store._pool.get_stats().get("returns_bad", 0)
    assert process == connection.info.backend_pid


def test_conflicts_are_told(store: PostgresStorage) -> None:
    """A conflict gives the head back: the connection serves the next call, no number is lost."""
    put(store, at(b"a"), b"x")
    with pytest.raises(Conflict, match="changed since it was read"):
        store.commit(batch(guards=[Guard(at(b"a"), ABSENT)]))

    assert 2 == store.commit(batch())


def test_the_quickstart_runs_by_changing_one_line(server: Cluster, tmp_path: Path) -> None:
    """The same story on PostgreSQL: the line that opens the store is another, and every word it tells is the same."""
    program = (ROOT / "docs" / "examples" / "quickstart.py").read_text(encoding="utf-8").splitlines()
    changed = [line.replace(QUICKSTART_SQLITE, QUICKSTART_POSTGRES) for line in program]
    (tmp_path / "quickstart.py").write_text("\n".join(changed), encoding="utf-8")
    tags = ROOT / "docs" / "examples" / "ServiceTags_example.json"
    assert 1 == sum(old != new for old, new in zip(program, changed, strict=True))

    with server.database("links") as environment:
        upgrade(f"host={environment['PGHOST']} user=extlink dbname=links")
        told = [
            subprocess.run(
                [sys.executable, str(file), str(tags)],
                env={**os.environ, **environment, "PYTHONUTF8": "1"},
                capture_output=True,
                encoding="utf-8",
                check=True,
            ).stdout
            for file in (ROOT / "docs" / "examples" / "quickstart.py", tmp_path / "quickstart.py")
        ]

    # The id of a link is drawn anew in every run.
    assert len({re.sub(r"[\w-]{22}", "a link", text) for text in told}) == 1
    assert "refused" in told[0]


def test_a_child_of_a_fork_leaves_the_parents_connections_alone(
    server: Cluster, schema: str, store: PostgresStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs in the child: every store of the process begins anew, and nothing of the old pool is closed."""
    asynchronous = AsyncPostgresStorage(server.conninfo, schema=schema)
    put(store, at(b"a"), b"x")
    left, left_too = store._pool, asynchronous._pool
    held = left.getconn()
    monkeypatch.setattr(postgres, "_STORES", [store, asynchronous])
    kept: list[object] = []
    monkeypatch.setattr(postgres, "_LEFT", kept)
    postgres._after_fork()

    assert [left, left_too] == kept
    assert [(1,)] == held.execute("SELECT 1").fetchall()
    assert [b"x"] == values(store, at(b"a"))
    assert asynchronous._pool is not left_too
    left.putconn(held)
    left.close()


def test_asynchronous_hosts_are_told_alike(server: Cluster, schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing tables, connections all in use, a server that lets others go first or is away: as for the others."""
    real = postgres._async_applied
    errors: list[psycopg.Error] = []

    async def failing(*arguments: Any) -> Verdict:
        if errors:
            raise errors.pop()
        return await real(*arguments)

    async def main() -> None:
        with pytest.raises(Misconfigured, match="extlink schema upgrade"):
            await AsyncPostgresStorage(server.conninfo, schema="none").open()
        async with AsyncPostgresStorage(server.conninfo, schema=schema, connections=1, timeout=30) as store:
            await store.open()
            assert () == tuple(await store.read([], {}))
            errors.extend([psycopg.errors.DeadlockDetected(), psycopg.errors.AdminShutdown()])
            assert 1 == await store.commit(batch())
            errors.extend([psycopg.errors.AdminShutdown() for _ in range(4)])
            with pytest.raises(Unavailable):
                await store.commit(batch())
            with pytest.raises(Conflict):
                await store.commit(batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), version())]))
        hurried = AsyncPostgresStorage(server.conninfo, schema=schema, connections=1, timeout=1.0)
        assert 2 == await hurried.commit(batch())
        held = await hurried._pool.getconn()
        with pytest.raises(Unavailable, match="all connections are in use"):
            await hurried.commit(batch())
        await hurried._pool.putconn(held)
        await hurried.aclose()
        with pytest.raises(Unavailable, match="closed"):
            await hurried.list(Records(ACME, b""))

    monkeypatch.setattr(postgres, "_async_applied", failing)
    asyncio.run(main())
