from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg
import pytest

from extlink import AsyncExtLink
from extlink.adapters._postgres import Plan, Statement, Statements
from extlink.adapters.directory import AsyncInMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.moving import copy_tenant
from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
from extlink.adapters.removing import remove_tenant
from extlink.adapters.upkeep import collect
from extlink.errors import Conflict
from extlink.ports import ABSENT, Batch, Guard, Write
from extlink.testing.probes import HOST, at, batch, put, version
from tests.clusters import Cluster
from tests.fakes import CountingEntropy, FrozenClock
from tests.schedules.world import KEYS, PEOPLE, hub_over
from tests.stateful.story import tell, tell_async

pytestmark = pytest.mark.slow

# The server tells what each session asks it, and with which parameters.
TOLD: Final = "options='-c log_statement=all -c log_min_messages=log'"
LINE: Final = re.compile(r"^\S+ \S+ \S+ \[(\d+)\] (LOG|DETAIL):  (.*)$")
ASKED: Final = re.compile(r"(?:statement|execute [^:]+): (.*)")
PARAMETER: Final = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
INTO: Final = re.compile(r"(?: AS \w+)? \(tenant,[^)]*\) (?:VALUES \(|SELECT )\$(\d+)\b")
WHERE: Final = re.compile(r".*?\bWHERE tenant = \$(\d+)\b")
HOSTS: Final = r"'\x7e686f7374'"

# What some engine lacks, or what outlives a transaction where a pooler hands the session on.
FORBIDDEN: Final = {
    "a sequence": r"\b(nextval|setval|currval|lastval)\b",
    "an advisory lock": r"\bpg_(try_)?advisory\w*",
    "a notification": r"\b(LISTEN|NOTIFY|UNLISTEN|pg_notify)\b",
    "session state": r"^SET (?!LOCAL )|\bset_config\b|^RESET\b|^DISCARD\b|^PREPARE\b|^DECLARE\b|\bWITH HOLD\b|^LOAD\b",
    "tables of its own": r"\b(CREATE|ALTER|DROP|TRUNCATE|TEMP|TEMPORARY)\b",
    "a table's lock": r"^LOCK\b",
    "a function or a block": r"^(CALL|DO)\b",
    "two phases": r"PREPARE TRANSACTION|COMMIT PREPARED",
    "a stricter isolation": r"SERIALIZABLE|REPEATABLE READ",
}


class Sent(NamedTuple):
    """One statement as the server heard it."""

    session: int
    text: str
    parameters: dict[str, str]


def heard(log: str) -> list[Sent]:
    """Return the statements of a server's log."""
    found: list[Sent] = []
    for line in log.splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        session, kind, rest = int(match[1]), match[2], match[3]
        if kind == "LOG" and (asked := ASKED.match(rest)):
            found.append(Sent(session, asked[1], {}))
        elif kind == "DETAIL" and found:
            found[-1].parameters.update(PARAMETER.findall(rest))
    return found


def tenants_of(sent: Sent, schema: str) -> tuple[list[str], list[str]]:
    """Return the tenants that a statement names, and where it reaches for a table without naming one."""
    named: list[str] = []
    loose: list[str] = []
    places = [*re.finditer(rf"\b{schema}\.(head|record|entry)\b", sent.text)]
    ends = [*[one.start() for one in places], len(sent.text)][1:]
    for place, end in zip(places, ends, strict=True):
        is_into = sent.text[: place.start()].endswith("INSERT INTO ")
        match = (INTO if is_into else WHERE).match(sent.text[place.end() : end])
        if match is None:
            loose.append(f"{place[0]} without a tenant: {sent.text}")
        else:
            named.append(sent.parameters[match[1]])
    return named, loose


def transactions(sent: Sequence[Sent]) -> Iterator[list[Sent]]:
    """Yield what was asked together: between BEGIN and COMMIT, or alone."""
    open_now: dict[int, list[Sent]] = {}
    for one in sent:
        if one.text.startswith("BEGIN"):
            open_now[one.session] = []
        if one.session not in open_now:
            yield [one]
            continue
        open_now[one.session].append(one)
        if one.text in {"COMMIT", "ROLLBACK"}:
            yield open_now.pop(one.session)
    yield from open_now.values()


def problems(sent: Sequence[Sent], schema: str) -> list[str]:
    """Return what an engine that spreads tenants over machines, or a pooler, could not carry."""
    found = [
        f"{what}: {one.text}"
        for one in sent
        for what, pattern in FORBIDDEN.items()
        if re.search(pattern, one.text, re.IGNORECASE)
    ]
    for together in transactions(sent):
        read: set[str] = set()
        written: set[str] = set()
        for one in together:
            named, loose = tenants_of(one, schema)
            found += loose
            is_write = re.search(r"\b(INSERT|UPDATE|DELETE)\b", one.text) is not None
            (written if is_write else read).update(named)
        if len(written) > 1 or len((read | written) - {HOSTS}) > 1:
            found.append(f"several tenants in one transaction: {[one.text for one in together]}")
    return found


@contextlib.contextmanager
def listening(server: Cluster) -> Iterator[list[Sent]]:
    """Collect what the server hears meanwhile from sessions that say `TOLD`."""
    log = Path(server.folder / "log")
    start = log.stat().st_size
    found: list[Sent] = []
    yield found
    with log.open("rb") as file:
        file.seek(start)
        found += heard(file.read().decode())


def _story(conninfo: str, schema: str) -> None:
    with PostgresStorage(conninfo, schema=schema) as store:
        clock = FrozenClock()
        tell(hub_over(store, clock=clock), clock)
        collect(store, "acme")
        with contextlib.suppress(Conflict):
            store.commit(batch(guards=[Guard(at(b"none"), version())]))
        store.commit(batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"h", HOST), ABSENT)]))
        put(store, at(b"s", HOST), b"x")
        source = MemoryStorage()
        hub_over(source).open_tenant("other", edition="JP", products={"kintone"})
        copy_tenant(source, store, "other")


async def _story_async(conninfo: str, schema: str) -> None:
    async with AsyncPostgresStorage(conninfo, schema=schema) as store:
        clock = FrozenClock()
        people = AsyncInMemoryDirectory(PEOPLE)
        await tell_async(
            AsyncExtLink(store, keys=KEYS, directory=people, clock=clock, entropy=CountingEntropy(1)), clock
        )


def test_every_statement_is_one_that_any_engine_can_carry(server: Cluster, schema: str) -> None:
    """A whole story, clean-up, a copy and a removal as the server heard them: one tenant each, nothing forbidden."""
    with listening(server) as sent:
        _story(f"{server.conninfo} {TOLD}", schema)
        with PostgresStorage(f"{server.conninfo} {TOLD}", schema=schema) as store:
            remove_tenant(store, "acme")

    verbs = {one.text.split()[0] for one in sent}
    assert {"BEGIN", "SET", "INSERT", "SELECT", "WITH", "DELETE", "COMMIT"} == verbs
    assert 500 < len(sent)
    assert [] == problems(sent, schema)


def test_asynchronous_hosts_send_the_same(server: Cluster, schema: str) -> None:
    """The same story in the other colour."""
    with listening(server) as sent:
        asyncio.run(_story_async(f"{server.conninfo} {TOLD}", schema))

    assert 500 < len(sent)
    assert [] == problems(sent, schema)


def test_nothing_outlives_a_transaction(server: Cluster, schema: str) -> None:
    """A session after a story is as it was before: no setting, lock, channel, cursor or table of its own is left."""
    left = """
    SELECT 'setting ' || name FROM pg_settings WHERE source = 'session'
    UNION ALL SELECT 'lock ' || locktype FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'
    UNION ALL SELECT 'channel ' || c FROM pg_listening_channels() AS c
    UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE is_holdable
    UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
    """
    with PostgresStorage(server.conninfo, schema=schema, connections=1) as store:
        clock = FrozenClock()
        tell(hub_over(store, clock=clock), clock)
        connection: psycopg.Connection[Any] = store._pool.getconn()
        after_story = connection.execute(left).fetchall()
        connection.execute("SET lock_timeout = 1000")
        connection.execute("LISTEN somebody")
        connection.execute("SELECT pg_advisory_lock(1)")
        after_twin = connection.execute(left).fetchall()
        store._pool.putconn(connection)

    assert [] == after_story
    assert [("channel somebody",), ("lock advisory",), ("setting lock_timeout",)] == sorted(after_twin)


def _sent(*texts: str) -> list[Sent]:
    parameters = {"1": r"'\x61'", "2": r"'\x62'", "3": HOSTS}
    return [Sent(1, text, parameters) for text in texts]


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (["SELECT nextval('s.numbers')"], "a sequence"),
        (["SELECT pg_advisory_xact_lock(1)"], "an advisory lock"),
        (["NOTIFY changed"], "a notification"),
        (["SELECT pg_notify('changed', '')"], "a notification"),
        (["SET lock_timeout = 1"], "session state"),
        (["SELECT set_config('x.y', 'z', false)"], "session state"),
        (["CREATE TEMP TABLE t (a int)"], "tables of its own"),
        (["LOCK TABLE s.head"], "a table's lock"),
        (["BEGIN ISOLATION LEVEL SERIALIZABLE"], "a stricter isolation"),
        (["SELECT path FROM s.record WHERE path = $1"], "without a tenant"),
        (["SELECT path FROM s.record WHERE tenant >= $1"], "without a tenant"),
        (["SELECT path FROM s.record WHERE tenant = ANY ($1)"], "without a tenant"),
        (["DELETE FROM s.record"], "without a tenant"),
        (["UPDATE s.head SET position = 1"], "without a tenant"),
        (["INSERT INTO s.record (path, tenant) VALUES ($1, $2)"], "without a tenant"),
        (["INSERT INTO s.record SELECT * FROM s.record WHERE tenant = $1"], "without a tenant"),
        (["SELECT 1 FROM s.record WHERE tenant = $1 UNION ALL SELECT 1 FROM s.entry"], "without a tenant"),
        (["SELECT 1 FROM s.record WHERE tenant = $1 UNION ALL SELECT 1 FROM s.record WHERE tenant = $2"], "several"),
        (
            ["BEGIN", "DELETE FROM s.record WHERE tenant = $1", "DELETE FROM s.record WHERE tenant = $2", "COMMIT"],
            "several",
        ),
        (
            ["BEGIN", "DELETE FROM s.record WHERE tenant = $1", "DELETE FROM s.head WHERE tenant = $3", "COMMIT"],
            "several",
        ),
        (
            ["BEGIN", "SELECT 1 FROM s.head WHERE tenant = $1", "DELETE FROM s.head WHERE tenant = $2", "COMMIT"],
            "several",
        ),
    ],
)
def test_what_some_engine_lacks_is_found(texts: list[str], problem: str) -> None:
    """The broken twins: one statement, or one transaction, that is not as the rules are."""
    assert any(problem in one for one in problems(_sent(*texts), "s"))


@pytest.mark.parametrize(
    "texts",
    [
        ["SET LOCAL lock_timeout = 1"],
        ["SELECT 1 FROM s.record WHERE tenant = $1 UNION ALL SELECT 1 FROM s.record WHERE tenant = $3"],
        ["BEGIN", "SELECT 1 FROM s.record WHERE tenant = $3", "DELETE FROM s.record WHERE tenant = $1", "COMMIT"],
        ["DELETE FROM s.record WHERE tenant = $1", "DELETE FROM s.record WHERE tenant = $2"],
    ],
)
def test_what_is_allowed_is_not(texts: list[str]) -> None:
    """The host's records may be read beside a tenant's; two tenants may follow each other."""
    assert [] == problems(_sent(*texts), "s")


class _Advised(Statements):
    """Takes an advisory lock on every commit, and looks at all tenants for a batch's id."""

    def plan(self, batch: Batch) -> Plan:
        plan = super().plan(batch)
        locked = Statement(b"SELECT max(position), pg_advisory_xact_lock(7) FROM %b.entry" % self.schema.encode(), ())
        head, _, *guarded = plan.asks
        return Plan(plan.batch, plan.guards, (head, locked, *guarded), plan.records, plan.enter)


def test_a_store_that_locks_otherwise_is_heard(server: Cluster, schema: str) -> None:
    """The control on a live server: what the store really sends is what is looked at."""
    with listening(server) as sent, PostgresStorage(f"{server.conninfo} {TOLD}", schema=schema) as store:
        store._sql = _Advised(schema)
        with contextlib.suppress(psycopg.Error, ValueError):
            put(store, at(b"a"), b"x")

    found = problems(sent, schema)
    assert any("an advisory lock" in one for one in found)
    assert any("without a tenant" in one for one in found)
