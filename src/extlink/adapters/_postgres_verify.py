"""Whether the tables of a PostgreSQL database are what this release needs, and nothing more than that.

Rules
    What may make the store lie is found: a table that is another, or holds another's rows; what changes, refuses or
    hides a row on its way, enabled or not; a key that is missing, or one too many; a view that shows something else.
    What only costs time or space (another index that is not unique, a column of a newer release) is nobody's business.
    Partitions of a table are looked at as the table is.
    A finding is a sentence: which object, what was expected, what to do. Names are shown in ASCII.
    Everything is asked of the catalogue; nothing is left changed. The kinds of findings are one table, `_LOOKS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import psycopg
from psycopg import Connection

from extlink.adapters._postgres import Row
from extlink.adapters._schema import scripts, statements

__all__ = ["findings"]

_TABLES: Final = {
    "head": {"tenant": "bytea", "position": "bigint", "floor": "bigint"},
    "record": {"tenant": "bytea", "path": "bytea", "version": "bigint", "value": "bytea"},
    "entry": {"tenant": "bytea", "position": "bigint", "batch": "bigint", "body": "bytea"},
}
_UNIQUE: Final = (
    ("head", ("tenant",)),
    ("record", ("tenant", "path")),
    ("entry", ("tenant", "position")),
    ("entry", ("tenant", "batch", "position")),
)
# Three names of 63 characters, quoted.
_LONGEST: Final = 300
_VIEW: Final = re.compile(r"CREATE (?:OR REPLACE )?VIEW extlink\.(\w+)")

# The three tables and, of a table that is partitioned or inherited from, those below.
_MINE: Final = """
WITH RECURSIVE below (root, oid, parent) AS (
  SELECT c.relname::text, c.oid, NULL::oid
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s) AND NOT c.relispartition
  UNION ALL
  SELECT b.root, i.inhrelid, i.inhparent FROM below AS b JOIN pg_catalog.pg_inherits AS i ON i.inhparent = b.oid
), mine AS (
  SELECT b.root, b.parent, c.*, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS at
  FROM below AS b JOIN pg_catalog.pg_class AS c ON c.oid = b.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
)
"""


class _Look(NamedTuple):
    """One kind of finding: a query whose rows are findings, and the sentence that each row is put into."""

    query: str
    sentence: str


_LOOKS: Final = (
    _Look(
        """
        SELECT f.root, f.name, f.kind
        FROM unnest(%(fields)s::text[], %(columns)s::text[], %(kinds)s::text[]) AS f (root, name, kind)
        WHERE NOT EXISTS (
          SELECT FROM mine AS m JOIN pg_catalog.pg_attribute AS a ON a.attrelid = m.oid AND NOT a.attisdropped
          WHERE m.root = f.root AND m.parent IS NULL AND a.attname = f.name AND a.attnotnull
            AND format_type(a.atttypid, a.atttypmod) = f.kind)
        """,
        "column {0}.{1} is not {2} NOT NULL; compare it with `extlink schema sql` and alter it back",
    ),
    _Look(
        """
        SELECT u.root, array_to_string(string_to_array(u.names, ' '), ', ')
        FROM unnest(%(roots)s::text[], %(unique)s::text[]) AS u (root, names)
        WHERE NOT EXISTS (
          SELECT FROM mine AS m JOIN pg_catalog.pg_index AS x ON x.indrelid = m.oid AND m.parent IS NULL
          WHERE m.root = u.root AND x.indisunique AND x.indisvalid AND x.indisready AND x.indimmediate
            AND x.indpred IS NULL AND x.indexprs IS NULL AND u.names = (
              SELECT string_agg(a.attname, ' ' ORDER BY k.place)
              FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, place)
              JOIN pg_catalog.pg_attribute AS a ON a.attrelid = m.oid AND a.attnum = k.number
              WHERE k.place <= x.indnkeyatts))
        """,
        "table {0} lacks a unique index on {1}; make it as `extlink schema sql` does",
    ),
    _Look(
        "SELECT at, root FROM mine WHERE relpersistence <> 'p'",
        "table {0} is unlogged: a crash of the server empties it; run: ALTER TABLE {0} SET LOGGED",
    ),
    _Look(
        """
        SELECT at, CASE relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
                                WHEN 'f' THEN 'a foreign table' ELSE 'of the kind ' || relkind::text END
        FROM mine WHERE relkind NOT IN ('r', 'p')
        """,
        "{0} is {1}; expected a table of this server, so copy the rows into one",
    ),
    _Look(
        "SELECT at, root FROM mine WHERE parent IS NOT NULL AND NOT relispartition",
        "table {0} inherits from {1}, whose rows then are its own too; run: ALTER TABLE {0} NO INHERIT ...",
    ),
    _Look(
        """
        SELECT quote_ident(t.tgname), m.at, CASE t.tgenabled WHEN 'D' THEN 'disabled' ELSE 'enabled' END
        FROM mine AS m JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = m.oid AND NOT t.tgisinternal
        """,
        "trigger {0} on {1} ({2}) may change or refuse what is written; expected none, run: DROP TRIGGER {0} ON {1}",
    ),
    _Look(
        """
        SELECT quote_ident(r.rulename), m.at
        FROM mine AS m JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = m.oid AND r.rulename <> '_RETURN'
        """,
        "rule {0} on {1} may put something else in place of a statement; expected none, run: DROP RULE {0} ON {1}",
    ),
    _Look(
        """
        SELECT at, CASE WHEN relforcerowsecurity THEN 'forced' ELSE 'enabled' END
        FROM mine WHERE relrowsecurity OR relforcerowsecurity
        """,
        "row-level security of {0} is {1} and may hide a record, which then counts as absent; expected none, "
        "run: ALTER TABLE {0} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY",
    ),
    _Look(
        "SELECT quote_ident(p.polname), m.at FROM mine AS m JOIN pg_catalog.pg_policy AS p ON p.polrelid = m.oid",
        "policy {0} of {1} hides rows as soon as row-level security is enabled; expected none, "
        "run: DROP POLICY {0} ON {1}",
    ),
    _Look(
        """
        SELECT quote_ident(c.conname), m.at, k.kind
        FROM mine AS m JOIN pg_catalog.pg_constraint AS c ON c.conrelid = m.oid
        JOIN (VALUES ('c', 'CHECK'), ('f', 'foreign key'), ('x', 'exclusion')) AS k (type, kind)
          ON k.type = c.contype::text
        """,
        "{2} constraint {0} of {1} may refuse what is written; expected none, run: ALTER TABLE {1} DROP CONSTRAINT {0}",
    ),
    _Look(
        """
        SELECT quote_ident(c.conname), m.at FROM mine AS m JOIN pg_catalog.pg_constraint AS c ON c.conrelid = m.oid
        WHERE c.contype = 'n' AND NOT c.convalidated
        """,
        "NOT NULL constraint {0} of {1} was never validated; run: ALTER TABLE {1} VALIDATE CONSTRAINT {0}",
    ),
    _Look(
        """
        SELECT quote_ident(c.conname), quote_ident(n.nspname) || '.' || quote_ident(o.relname), m.at
        FROM mine AS m
        JOIN pg_catalog.pg_constraint AS c ON c.confrelid = m.oid AND c.conrelid NOT IN (SELECT oid FROM mine)
        JOIN pg_catalog.pg_class AS o ON o.oid = c.conrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = o.relnamespace
        WHERE c.contype = 'f'
        """,
        "foreign key {0} of {1} refers to {2} and may refuse a deletion; expected none, "
        "run: ALTER TABLE {1} DROP CONSTRAINT {0}",
    ),
    _Look(
        """
        SELECT quote_ident(i.relname), m.at
        FROM mine AS m JOIN pg_catalog.pg_index AS x ON x.indrelid = m.oid AND x.indisunique
        JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid AND NOT i.relispartition
        WHERE x.indexprs IS NOT NULL OR x.indpred IS NOT NULL OR m.root || ' ' || (
          SELECT string_agg(a.attname, ' ' ORDER BY k.place)
          FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, place)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = m.oid AND a.attnum = k.number
          WHERE k.place <= x.indnkeyatts) <> ALL (%(rooted)s)
        """,
        "unique index {0} of {1} may refuse what is written; expected only those of `extlink schema sql`, "
        "drop it or its constraint",
    ),
    _Look(
        """
        SELECT quote_ident(a.attname), m.at
        FROM mine AS m JOIN pg_catalog.pg_attribute AS a ON a.attrelid = m.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE m.parent IS NULL AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
          AND m.root || ' ' || a.attname <> ALL (%(named)s)
        """,
        "column {0} of {1} is not known here and needs a value, so nothing can be written; "
        "run: ALTER TABLE {1} ALTER {0} DROP NOT NULL",
    ),
    _Look(
        """
        SELECT quote_ident(a.attname), m.at,
          CASE WHEN a.attgenerated <> '' OR a.attidentity <> '' THEN 'generated' ELSE 'given a default' END
        FROM mine AS m JOIN pg_catalog.pg_attribute AS a ON a.attrelid = m.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE a.attgenerated <> '' OR a.attidentity <> ''
          OR (a.atthasdef AND m.root || ' ' || a.attname = ANY (%(named)s))
        """,
        "column {0} of {1} is {2}; expected that every value is written by extlink, alter it back",
    ),
    _Look(
        """
        SELECT quote_ident(current_user), p.verb, m.at FROM mine AS m
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (verb)
        WHERE m.parent IS NULL AND NOT has_table_privilege(m.oid, p.verb)
        """,
        "role {0} lacks {1} on {2}; run: GRANT {1} ON {2} TO {0}",
    ),
)
_SAME: Final = """
SELECT v.relkind = 'v' AND v.reloptions IS NOT DISTINCT FROM t.reloptions
  AND pg_get_viewdef(v.oid) = pg_get_viewdef(t.oid)
FROM pg_catalog.pg_class AS t JOIN pg_catalog.pg_class AS v ON v.relname = t.relname
JOIN pg_catalog.pg_namespace AS n ON n.oid = v.relnamespace
WHERE t.oid = ('pg_temp.' || %(view)s)::regclass AND n.nspname = %(schema)s
"""
_THERE: Final = """
SELECT v.relkind = 'v' FROM pg_catalog.pg_class AS v JOIN pg_catalog.pg_namespace AS n ON n.oid = v.relnamespace
WHERE v.relname = %(view)s AND n.nspname = %(schema)s
"""
_MADE_ANEW: Final = "make it anew as `extlink schema sql` does"


def _parameters(schema: str) -> Mapping[str, object]:
    fields = [(table, name, kind) for table, columns in _TABLES.items() for name, kind in columns.items()]
    return {
        "schema": schema,
        "tables": [*_TABLES],
        "fields": [table for table, _, _ in fields],
        "columns": [name for _, name, _ in fields],
        "kinds": [kind for _, _, kind in fields],
        "named": [f"{table} {name}" for table, name, _ in fields],
        "roots": [table for table, _ in _UNIQUE],
        "unique": [" ".join(names) for _, names in _UNIQUE],
        "rooted": [" ".join((table, *names)) for table, names in _UNIQUE],
    }


def _shown(value: str) -> str:
    return ascii(value)[1:-1][:_LONGEST]


def findings(connection: Connection[Row], schema: str) -> tuple[str, ...]:
    """Return what is wrong with the tables and views of a schema to which all files were applied."""
    parameters = _parameters(schema)
    found = [
        look.sentence.format(*map(_shown, row))
        for look in _LOOKS
        for row in sorted(connection.execute(f"{_MINE}{look.query}".encode(), parameters).fetchall())
    ]
    return (*found, *_views(connection, schema))


def _views(connection: Connection[Row], schema: str) -> Iterator[str]:
    # How a server writes a definition down depends on its version: it is compared with one that is made here and now.
    made = {
        match[1]: statement[match.end() :]
        for script in scripts("postgres")
        for statement in statements(script)
        if (match := _VIEW.search(statement))
    }
    for view, rest in made.items():
        names = {"view": view, "schema": schema}
        text = f"CREATE TEMPORARY VIEW {view}{rest}".replace("extlink.", f"{schema}.")
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(text.encode())
                row = connection.execute(_SAME, names).fetchone()
        except psycopg.ProgrammingError:
            # The role may make no temporary view, or a column is gone, which was told above.
            row = connection.execute(_THERE, names).fetchone()
        if row is None:
            yield f"view {schema}.{view} is missing; {_MADE_ANEW}"
        elif row != (True,):
            yield f"view {schema}.{view} is not the one of this release and may show anything; {_MADE_ANEW}"
