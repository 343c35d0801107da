from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import psycopg
import pytest

from extlink.adapters import _postgres_verify
from extlink.adapters._postgres_verify import _LOOKS, findings
from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.postgres_schema import upgrade, verify
from extlink.errors import Unavailable
from extlink.testing.probes import at, put, values
from tests import clusters
from tests.clusters import Cluster

pytestmark = pytest.mark.slow

FUNCTION: Final = "CREATE FUNCTION extlink.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
TRIGGER: Final = "CREATE TRIGGER t BEFORE INSERT ON extlink.entry FOR EACH ROW EXECUTE FUNCTION extlink.f()"
PARTED: Final = (
    "ALTER TABLE extlink.entry RENAME TO whole; "
    "CREATE TABLE extlink.entry (LIKE extlink.whole) PARTITION BY HASH (tenant); "
    "ALTER TABLE extlink.entry ADD PRIMARY KEY (tenant, position); "
    "CREATE UNIQUE INDEX other_batch ON extlink.entry (tenant, batch, position); "
    "CREATE TABLE extlink.part PARTITION OF extlink.entry FOR VALUES WITH (MODULUS 1, REMAINDER 0); "
    "INSERT INTO extlink.entry SELECT * FROM extlink.whole; DROP TABLE extlink.whole CASCADE; "
    "CREATE VIEW extlink.ledger WITH (security_barrier) AS "
)
# What somebody did -> how each finding begins, in order; %s stands for the schema.
DAMAGE: Final[dict[str, list[str]]] = {
    "DROP INDEX extlink.entry_batch": ["table entry lacks a unique index on tenant, batch, position; make"],
    "ALTER TABLE extlink.record DROP CONSTRAINT record_pkey": ["table record lacks a unique index on tenant, path;"],
    "ALTER TABLE extlink.record DROP CONSTRAINT record_pkey, ADD PRIMARY KEY (tenant, path) DEFERRABLE": [
        "table record lacks a unique index on tenant, path;"
    ],
    "ALTER TABLE extlink.record DROP CONSTRAINT record_pkey; "
    "CREATE UNIQUE INDEX half ON extlink.record (tenant, path) WHERE version > 0": [
        "table record lacks a unique index on tenant, path;",
        "unique index half of %s.record",
    ],
    "ALTER TABLE extlink.head ALTER floor TYPE numeric": ["column head.floor is not bigint NOT NULL; compare it"],
    "ALTER TABLE extlink.entry ALTER body DROP NOT NULL": ["column entry.body is not bytea NOT NULL;"],
    "CREATE DOMAIN extlink.small AS bigint CHECK (VALUE < 9); "
    "ALTER TABLE extlink.head ALTER floor TYPE extlink.small": ["column head.floor is not bigint NOT NULL;"],
    "ALTER TABLE extlink.entry SET UNLOGGED": ["table %s.entry is unlogged: a crash of the server empties it; run"],
    "CREATE TABLE extlink.more () INHERITS (extlink.record)": ["table %s.more inherits from record,"],
    f"{FUNCTION}{TRIGGER}": ["trigger t on %s.entry (enabled) may change or refuse what is written; expected none"],
    f"{FUNCTION}{TRIGGER}; ALTER TABLE extlink.entry DISABLE TRIGGER t": ["trigger t on %s.entry (disabled)"],
    'CREATE RULE "A rule" AS ON DELETE TO extlink.record DO INSTEAD NOTHING': ['rule "A rule" on %s.record may put'],
    'CREATE RULE "Règle" AS ON UPDATE TO extlink.head DO ALSO NOTHING': ['rule "R\\xe8gle" on %s.head may put'],
    "ALTER TABLE extlink.record ENABLE ROW LEVEL SECURITY": ["row-level security of %s.record is enabled and may hide"],
    "ALTER TABLE extlink.record FORCE ROW LEVEL SECURITY": ["row-level security of %s.record is forced"],
    "CREATE POLICY p ON extlink.record USING (false)": ["policy p of %s.record hides rows"],
    "ALTER TABLE extlink.record ADD CONSTRAINT c CHECK (length(value) < 9)": ["CHECK constraint c of %s.record may"],
    "ALTER TABLE extlink.record ADD CONSTRAINT f FOREIGN KEY (tenant) REFERENCES extlink.head": [
        "foreign key constraint f of %s.record may refuse what is written; expected none, run: ALTER TABLE"
    ],
    "ALTER TABLE extlink.head ADD CONSTRAINT x EXCLUDE USING btree (floor WITH =)": [
        "exclusion constraint x of %s.head may"
    ],
    "CREATE TABLE extlink.theirs (t bytea CONSTRAINT theirs_t REFERENCES extlink.head)": [
        "foreign key theirs_t of %s.theirs refers to %s.head and may refuse a deletion; expected none"
    ],
    "CREATE UNIQUE INDEX u ON extlink.record (tenant, version)": ["unique index u of %s.record may refuse"],
    "CREATE UNIQUE INDEX u ON extlink.record (tenant, md5(value))": ["unique index u of %s.record may refuse"],
    "ALTER TABLE extlink.head ADD CONSTRAINT u UNIQUE (floor)": ["unique index u of %s.head may refuse"],
    "ALTER TABLE extlink.head ADD note text NOT NULL": ["column note of %s.head is not known here and needs a value"],
    "ALTER TABLE extlink.head ALTER floor SET DEFAULT 0": ["column floor of %s.head is given a default; expected"],
    "ALTER TABLE extlink.head ADD g bigint GENERATED ALWAYS AS (1 / floor) STORED": [
        "column g of %s.head is generated; expected"
    ],
    "ALTER TABLE extlink.head ALTER floor ADD GENERATED ALWAYS AS IDENTITY": [
        "column floor of %s.head is generated; expected"
    ],
    "DROP VIEW extlink.links": ["view %s.links is missing; make it anew as `extlink schema sql` does"],
    "DROP VIEW extlink.links; CREATE TABLE extlink.links (id text)": ["view %s.links is not the one of this release"],
    "ALTER VIEW extlink.users RESET (security_barrier)": ["view %s.users is not the one of this release"],
    "CREATE OR REPLACE VIEW extlink.tenants WITH (security_barrier) AS "
    "SELECT 'x'::text AS tenant, 'x'::text AS edition, NULL::jsonb AS products, 0::bigint AS epoch, "
    "now() AS changed_at": ["view %s.tenants is not the one of this"],
    "DROP VIEW extlink.ledger; CREATE VIEW extlink.ledger WITH (security_barrier) AS "
    "SELECT convert_from(body, 'UTF8') FROM extlink.entry; ALTER TABLE extlink.entry RENAME TO old; "
    "CREATE VIEW extlink.entry AS SELECT * FROM extlink.old": [
        *[f"column entry.{name} is not" for name in ("batch", "body", "position", "tenant")],
        "table entry lacks a unique index on tenant, batch, position;",
        "table entry lacks a unique index on tenant, position;",
        "%s.entry is a view; expected a table of this server",
        "view %s.ledger is not the one of this release",
    ],
}
# What costs only time or space, or comes from a newer release.
HARMLESS: Final = (
    "CREATE INDEX i ON extlink.record (version)",
    "ALTER TABLE extlink.head ADD note text",
    "ALTER TABLE extlink.head ADD note text NOT NULL DEFAULT ''",
    "ALTER TABLE extlink.record SET (fillfactor = 70)",
    "CREATE VIEW extlink.mine AS SELECT tenant FROM extlink.head",
    "CREATE TABLE extlink.theirs (a int PRIMARY KEY, b int UNIQUE CHECK (b > 0))",
    "COMMENT ON TABLE extlink.head IS 'ours'",
    "ALTER TABLE extlink.entry ADD CONSTRAINT again UNIQUE (tenant, position)",
)


@pytest.fixture(scope="module", params=[*clusters.VERSIONS] or ["none"])
def each(request: pytest.FixtureRequest) -> Cluster:
    """Return the server of each version."""
    clusters.require()
    return clusters.cluster(str(request.param))


@pytest.fixture
def tables(each: Cluster) -> str:
    """Make the tables in a schema of their own."""
    name = each.fresh_name()
    upgrade(each.conninfo, schema=name)
    return name


def _do(server: Cluster, schema: str, statement: str) -> None:
    text = statement.replace("extlink", schema).encode()
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        connection.execute(text)


def _starts(expected: list[str], schema: str, found: tuple[str, ...]) -> bool:
    starts = [text.replace("%s", schema) for text in expected]
    return len(starts) == len(found) and all(map(str.startswith, found, starts))


@pytest.mark.parametrize("statement", DAMAGE)
def test_every_damage_is_named(each: Cluster, tables: str, statement: str) -> None:
    """The object by its name, and nothing else is found."""
    _do(each, tables, statement)
    found = verify(each.conninfo, schema=tables)

    assert _starts(DAMAGE[statement], tables, found), found


@pytest.mark.parametrize("statement", HARMLESS)
def test_what_does_no_harm_is_not_named(each: Cluster, tables: str, statement: str) -> None:
    """An index that is not unique, a column more, tables of the host's own."""
    _do(each, tables, statement)

    assert () == verify(each.conninfo, schema=tables)


EVERYTHING: Final = (
    "ALTER TABLE extlink.head RENAME TO old",
    "CREATE VIEW extlink.head AS SELECT * FROM extlink.old",
    "ALTER TABLE extlink.entry SET UNLOGGED",
    "CREATE TABLE extlink.more () INHERITS (extlink.record)",
    f"{FUNCTION}{TRIGGER}",
    "CREATE RULE r AS ON DELETE TO extlink.record DO INSTEAD NOTHING",
    "ALTER TABLE extlink.record ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY p ON extlink.record USING (true)",
    "ALTER TABLE extlink.entry ADD CONSTRAINT c CHECK (position > 0)",
    "CREATE TABLE extlink.theirs (t bytea, p bytea, FOREIGN KEY (t, p) REFERENCES extlink.record)",
    "CREATE UNIQUE INDEX u ON extlink.record (version)",
    "ALTER TABLE extlink.record ADD note text NOT NULL",
    "ALTER TABLE extlink.record ALTER version SET DEFAULT 1",
    "REVOKE DELETE ON extlink.entry FROM verifier",
    "DROP VIEW extlink.links",
)


def test_everything_is_told_at_once(each: Cluster, tables: str, role: str) -> None:
    """Each row of the table has its finding; which PostgreSQL keeps NOT NULL apart is left to a test of its own."""
    for statement in EVERYTHING:
        _do(each, tables, statement)
    found = verify(role, schema=tables)
    patterns = [
        re.compile(re.sub(r"\\\{\d\\\}", ".+", re.escape(look.sentence)), re.DOTALL)
        for look in _LOOKS
        if not look.sentence.startswith("NOT NULL")
    ]

    assert [] == [one.pattern for one in patterns if not any(map(one.fullmatch, found))]
    assert f"view {tables}.links is missing; make it anew as `extlink schema sql` does" == found[-1]


@pytest.mark.parametrize("number", range(len(_LOOKS)))
def test_no_look_is_for_nothing(number: int) -> None:
    """Every sentence says what to do."""
    assert any(word in _LOOKS[number].sentence for word in ("run: ", "drop it", "alter it", "copy ", "make it"))


def test_a_null_that_was_let_in_is_named(each: Cluster, tables: str) -> None:
    """PostgreSQL 18 keeps NOT NULL as a constraint, which may be there without having been looked at."""
    statements = "ALTER TABLE extlink.head ALTER floor DROP NOT NULL"
    _do(each, tables, statements)
    try:
        _do(each, tables, "ALTER TABLE extlink.head ADD CONSTRAINT later NOT NULL floor NOT VALID")
    except psycopg.errors.SyntaxError:
        expected = ["column head.floor is not bigint NOT NULL"]
    else:
        expected = ["NOT NULL constraint later of %s.head was never validated; run: ALTER TABLE %s.head VALIDATE"]

    found = verify(each.conninfo, schema=tables)
    assert _starts(expected, tables, found), found


def test_partitions_are_looked_at_as_tables(each: Cluster, tables: str) -> None:
    """A table that is partitioned by tenant is in order, unless something is wrong with a part."""
    with psycopg.connect(each.conninfo) as connection:
        (ledger,) = connection.execute("SELECT pg_get_viewdef(%s::regclass)", (f"{tables}.ledger",)).fetchone() or ()
    _do(each, tables, PARTED + ledger.replace(tables, "extlink"))
    assert () == verify(each.conninfo, schema=tables)
    with PostgresStorage(each.conninfo, schema=tables) as store:
        put(store, at(b"a"), b"x")
    _do(each, tables, f"{FUNCTION}{TRIGGER.replace('.entry', '.part')}")
    _do(each, tables, "ALTER TABLE extlink.part SET UNLOGGED")

    found = verify(each.conninfo, schema=tables)
    assert _starts(["table %s.part is unlogged", "trigger t on %s.part (enabled)"], tables, found), found


@pytest.fixture
def role(each: Cluster, tables: str) -> Iterator[str]:
    """Make a role that may do what a host may."""
    _do(each, tables, "DROP ROLE IF EXISTS verifier; CREATE ROLE verifier LOGIN")
    _do(each, tables, "GRANT USAGE ON SCHEMA extlink TO verifier")
    _do(each, tables, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA extlink TO verifier")
    yield f"{each.conninfo} user=verifier"
    _do(each, tables, "DROP OWNED BY verifier; DROP ROLE verifier")


def test_rights_that_the_role_lacks_are_named(each: Cluster, tables: str, role: str) -> None:
    """Those of the role that asks; without any into the schema nothing can be asked, which says so."""
    assert () == verify(role, schema=tables)
    _do(each, tables, "REVOKE INSERT, DELETE ON extlink.record FROM verifier")
    found = verify(role, schema=tables)
    assert _starts(["role verifier lacks DELETE on %s.record; run: GRANT", "role verifier lacks INSERT"], tables, found)
    assert () == verify(each.conninfo, schema=tables)
    _do(each, tables, "REVOKE USAGE ON SCHEMA extlink FROM verifier")
    with pytest.raises(Unavailable, match="permission denied"):
        verify(role, schema=tables)


def test_a_role_that_may_make_nothing_sees_which_views_are_there(each: Cluster, tables: str, role: str) -> None:
    """To compare a view one is made for the moment; where that is not allowed, a missing one is told all the same."""
    with each.database("narrow") as variables:
        there = f"host={variables['PGHOST']} dbname=narrow user="
        upgrade(f"{there}extlink", schema=tables)
        with psycopg.connect(f"{there}extlink", autocommit=True) as connection:
            for statement in (
                "REVOKE TEMPORARY ON DATABASE narrow FROM PUBLIC",
                f"GRANT USAGE ON SCHEMA {tables} TO verifier",
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {tables} TO verifier",
            ):
                connection.execute(statement.encode())
            assert () == verify(f"{there}verifier", schema=tables)
            connection.execute(f"DROP VIEW {tables}.links".encode())
            found = verify(f"{there}verifier", schema=tables)

    assert role.endswith("verifier")
    assert (f"view {tables}.links is missing; make it anew as `extlink schema sql` does",) == found


def test_nothing_is_left_behind(each: Cluster, tables: str) -> None:
    """What is made to compare is undone: the session and the schema are as before."""
    everything = (
        "SELECT oid, relname FROM pg_class WHERE relnamespace IN (%s::regnamespace, pg_my_temp_schema()) ORDER BY 1"
    )
    with psycopg.connect(each.conninfo, autocommit=True) as connection:
        before = connection.execute(everything, (tables,)).fetchall()
        assert () == findings(connection, tables)

        assert before == connection.execute(everything, (tables,)).fetchall()


def test_a_trigger_that_swallows_would_lie(each: Cluster, tables: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why: a commit that returns its position has written nothing. Without its look, verify would say nothing."""
    _do(each, tables, f"{FUNCTION}{TRIGGER.replace('.entry', '.record')}")
    with PostgresStorage(each.conninfo, schema=tables) as store:
        put(store, at(b"a"), b"x")
        assert [None] == values(store, at(b"a"))
    assert 1 == len(verify(each.conninfo, schema=tables))
    monkeypatch.setattr(
        _postgres_verify, "_LOOKS", [look for look in _LOOKS if not look.sentence.startswith("trigger")]
    )

    assert () == verify(each.conninfo, schema=tables)
