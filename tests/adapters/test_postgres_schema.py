from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from extlink import users
from extlink.adapters import postgres_schema
from extlink.adapters._postgres_files import lacking
from extlink.adapters._schema import Script, scripts
from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.postgres_schema import sql, status, upgrade, verify
from extlink.errors import InvalidInput, Misconfigured, Unavailable
from extlink.testing.probes import at, put, together, values
from tests import clusters
from tests.clusters import Cluster
from tests.fakes import FrozenClock
from tests.schedules.world import hub_over
from tests.stateful.story import tell

pytestmark = pytest.mark.slow

NAMES = tuple(script.name for script in scripts("postgres"))
STRUCTURE = """
SELECT 'index', i.relname, x.indisunique,
  array(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.number ORDER BY k.place)
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_namespace AS n ON n.oid = i.relnamespace
WHERE n.nspname = %(schema)s
UNION ALL
SELECT 'foreign key', c.conname, true,
  array(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.number ORDER BY k.place)
FROM pg_constraint AS c JOIN pg_namespace AS n ON n.oid = c.connamespace
WHERE n.nspname = %(schema)s AND c.contype = 'f'
"""
FORBIDDEN = """
SELECT 'sequence ' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind = 'S'
UNION ALL
SELECT 'trigger ' || t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s
UNION ALL
SELECT 'function ' || p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = %(schema)s
"""
# Which files were applied is no tenant's business.
NO_TENANTS = frozenset({"schema_file_pkey"})


@pytest.fixture
def connection(server: Cluster) -> Iterator[psycopg.Connection[Any]]:
    """Connect as the administrator."""
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        yield connection


def _without_tenant_first(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    rows = connection.execute(STRUCTURE, {"schema": schema}).fetchall()
    return [
        f"{kind} {name}: {', '.join(columns)}"
        for kind, name, _, columns in rows
        if columns[0] != "tenant" and name not in NO_TENANTS
    ]


def _forbidden(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    return sorted(name for (name,) in connection.execute(FORBIDDEN, {"schema": schema}).fetchall())


# What the tables are


def test_the_tenant_is_first_in_every_key(connection: psycopg.Connection[Any], schema: str) -> None:
    """So that an engine that spreads tenants over machines finds each whole on one."""
    assert [] == _without_tenant_first(connection, schema)
    assert 4 < len(connection.execute(STRUCTURE, {"schema": schema}).fetchall())


def test_there_is_nothing_that_some_engine_lacks(connection: psycopg.Connection[Any], schema: str) -> None:
    """No sequences, triggers or functions."""
    assert [] == _forbidden(connection, schema)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("CREATE INDEX by_version ON extlink.record (version)", ["index by_version: version"]),
        ("CREATE TABLE extlink.t (a serial PRIMARY KEY)", ["index t_pkey: a", "sequence t_a_seq"]),
        (
            "CREATE TABLE extlink.t (a bytea REFERENCES extlink.head (tenant))",
            ["foreign key t_a_fkey: a", *["trigger "] * 4],
        ),
        ("CREATE FUNCTION extlink.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", ["function f"]),
    ],
)
def test_what_is_forbidden_is_found(
    connection: psycopg.Connection[Any], schema: str, statement: str, found: list[str]
) -> None:
    """The broken twins: another key, a sequence, triggers, a function."""
    connection.execute(statement.replace("extlink", schema).encode())

    seen = [*_without_tenant_first(connection, schema), *_forbidden(connection, schema)]
    assert len(found) == len(seen)
    assert all(mine.startswith(expected) for expected, mine in zip(found, seen, strict=True))


# Applying


@pytest.mark.parametrize("version", [*clusters.VERSIONS] or ["none"])
def test_a_new_database_is_brought_up(version: str) -> None:
    """On every version: nothing, then everything, and the second time nothing to do."""
    clusters.require()
    server = clusters.cluster(version)
    schema = server.fresh_name()
    assert [False] * len(NAMES) == [one.is_applied for one in status(server.conninfo, schema=schema)]
    assert tuple(f"file {name} is not applied" for name in NAMES) == verify(server.conninfo, schema=schema)

    assert upgrade(server.conninfo, schema=schema) == NAMES
    assert upgrade(server.conninfo, schema=schema) == ()
    assert [True] * len(NAMES) == [one.is_applied for one in status(server.conninfo, schema=schema)]
    assert verify(server.conninfo, schema=schema) == ()


def test_several_may_bring_up_the_same_database(server: Cluster) -> None:
    """Each file is applied once, and everybody finds it done."""
    for _ in range(5):
        schema = server.fresh_name()
        done = together(*[lambda schema=schema: upgrade(server.conninfo, schema=schema)] * 4)

        assert sorted(NAMES) == sorted(name for names in done for name in names)
        assert verify(server.conninfo, schema=schema) == ()


def test_the_text_does_the_same(server: Cluster, connection: psycopg.Connection[Any]) -> None:
    """An administrator who applies the SQL by hand comes to the same tables and records."""
    schema = server.fresh_name()
    connection.execute(sql(schema=schema).encode())

    assert upgrade(server.conninfo, schema=schema) == ()
    assert verify(server.conninfo, schema=schema) == ()


def test_the_text_has_phases() -> None:
    """What comes before the new release, and what after the old one."""
    assert all(name in sql(phase="pre") for name in NAMES if name.endswith("_pre.sql"))
    assert not any(name in sql(phase="post") for name in NAMES if name.endswith("_pre.sql"))
    with pytest.raises(InvalidInput, match="expected pre, post or all"):
        sql(phase="now")  # type: ignore[arg-type]
    with pytest.raises(Misconfigured, match="schema"):
        sql(schema="Not a name")


def test_a_server_that_is_away(tmp_path: Path) -> None:
    """A typed error, as everywhere."""
    for call in (status, upgrade, verify):
        with pytest.raises(Unavailable, match="look at the server"):
            call(f"host={tmp_path} dbname=links")


# Rolling upgrades, with files that no release has yet

PRE = Script(3, "0003_more_pre.sql", "ALTER TABLE extlink.head ADD note text;", "aa")
POST = Script(4, "0004_less_post.sql", "ALTER TABLE extlink.head DROP note;", "bb")
LATER = Script(5, "0005_again_pre.sql", "ALTER TABLE extlink.head ADD note bytea;", "cc")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the files of a release."""

    def set_files(*more: Script) -> None:
        files = (*scripts("postgres"), *more)
        monkeypatch.setattr("extlink.adapters.postgres_schema.scripts", lambda engine: files)
        monkeypatch.setattr("extlink.adapters._postgres_files.scripts", lambda engine: files)

    return set_files


def test_a_rolling_upgrade(server: Cluster, schema: str, known: Callable[..., None]) -> None:
    """The old release works beside the new one until the files are applied that take away."""
    old = PostgresStorage(server.conninfo, schema=schema)
    put(old, at(b"a"), b"old")
    known(PRE, POST)
    with pytest.raises(Misconfigured, match="lacks schema file 0003_more_pre"):
        PostgresStorage(server.conninfo, schema=schema).open()
    assert upgrade(server.conninfo, schema=schema, phase="pre") == (PRE.name,)
    with PostgresStorage(server.conninfo, schema=schema) as new:
        put(new, at(b"b"), b"new")
        put(old, at(b"a"), b"still")
        assert [b"still", b"new"] == values(old, at(b"a"), at(b"b"))
        old.close()
        assert upgrade(server.conninfo, schema=schema, phase="post") == (POST.name,)
        assert [b"still"] == values(new, at(b"a"))
    known()
    with pytest.raises(Misconfigured, match=r"0004_less_post.*newer release"):
        PostgresStorage(server.conninfo, schema=schema).open()


@pytest.mark.parametrize(
    ("files", "phase", "problem"),
    [
        ((PRE, POST, LATER), "pre", "0005.*0004.*apply that first"),
        ((PRE, POST), "post", "0004.*0003.*apply that first"),
    ],
)
def test_files_are_applied_in_their_order(
    server: Cluster, schema: str, known: Callable[..., None], files: tuple[Script, ...], phase: Any, problem: str
) -> None:
    """A file never overtakes one that was left out; `all` applies both."""
    known(*files)
    with pytest.raises(Misconfigured, match=problem):
        upgrade(server.conninfo, schema=schema, phase=phase)

    left = [one.name for one in status(server.conninfo, schema=schema) if not one.is_applied]
    assert [left, []] == [list(upgrade(server.conninfo, schema=schema)), list(upgrade(server.conninfo, schema=schema))]


def test_numbers_are_unique_and_without_gaps() -> None:
    """Every file says by its name when it is applied."""
    assert list(range(1, len(NAMES) + 1)) == [script.number for script in scripts("postgres")]
    assert all(name.endswith(("_pre.sql", "_post.sql")) for name in NAMES)


# Number -> checksum of every file that was ever released; a line here is never changed, only added.
RELEASED: dict[int, str] = {}


def test_released_files_never_change() -> None:
    """A database made by an older release is brought up by the same files as a new one."""
    assert RELEASED.items() <= {script.number: script.checksum for script in scripts("postgres")}.items()


def test_a_file_that_vanished_from_a_release_is_no_file_to_apply() -> None:
    """What a newer release added stays."""
    rows = [(script.number, script.name, script.checksum) for script in scripts("postgres")]

    assert lacking([*rows, (9, "0009_x_pre.sql", "x")]) == ()
    with pytest.raises(Misconfigured, match="newer release"):
        lacking([*rows, (9, "0009_x_post.sql", "x")])


def test_somebody_else_made_the_record_meanwhile(
    server: Cluster, monkeypatch: pytest.MonkeyPatch, connection: psycopg.Connection[Any]
) -> None:
    """Two first comers make the same schema at once: the second asks again."""
    schema = server.fresh_name()
    connection.execute(f"CREATE SCHEMA {schema}".encode())
    texts = iter(["CREATE SCHEMA {0}", postgres_schema._RECORD])

    class Once(str):
        __slots__ = ()

        def format(self, *arguments: object) -> str:  # type: ignore[override]
            return next(texts).format(*arguments)

    monkeypatch.setattr(postgres_schema, "_RECORD", Once())

    assert upgrade(server.conninfo, schema=schema) == NAMES


# Reports

SECRETS = ("code", "digest", "salt", "challenge")


def test_the_views_tell_the_story(
    server: Cluster, connection: psycopg.Connection[Any], schema: str, store: PostgresStorage
) -> None:
    """Ledger, tenants, services, users and links as people ask for them; no digest, no salt."""
    clock = FrozenClock()
    tell(hub_over(store, clock=clock), clock)
    shown = {
        view: connection.execute(f"SELECT * FROM {schema}.{view}".encode()).fetchall()  # noqa: S608 - our own names
        for view in ("ledger", "tenants", "services", "users", "links")
    }

    assert [1, 1, 2, 5] == [len(shown[view]) for view in ("tenants", "services", "users", "links")]
    assert ("acme", "US", ["kintone"], 0) == shown["tenants"][0][:4]
    assert {("acme", "sato", "active"), ("acme", "suzuki", "deleted")} == {row[:3] for row in shown["users"]}
    numbers = [row[1] for row in shown["ledger"] if row[0] == "acme"]
    assert list(range(1, len(numbers) + 1)) == sorted(numbers)
    columns = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name IN "
        "('ledger', 'tenants', 'services', 'users', 'links')",
        (schema,),
    ).fetchall()
    assert not [name for (name,) in columns for secret in SECRETS if secret in name]


def test_the_views_show_strange_identifiers(
    connection: psycopg.Connection[Any], schema: str, store: PostgresStorage
) -> None:
    """A NUL in an identifier breaks no report, and neither does a value that only looks like one."""
    tenant = hub_over(store).open_tenant("a\x00b\u5409", edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin\x00\\u0000", roles={"common_administrator"})
    admin.run(users.suspend("s\x00to"))
    admin.run(users.suspend("\u4f50\u85e4"))
    ledger = connection.execute(f"SELECT tenant, actor FROM {schema}.ledger ORDER BY number DESC".encode()).fetchall()  # noqa: S608 - our own names
    found = connection.execute(f"SELECT tenant, id FROM {schema}.users ORDER BY id".encode()).fetchall()  # noqa: S608 - our own names

    tenant_shown = "a\\000b\\345\\220\\211"
    assert (tenant_shown, "admin\ufffd\\ufffd") == ledger[0]
    assert [(tenant_shown, "s\\000\\377to"), (tenant_shown, "\u4f50\u85e4")] == found
