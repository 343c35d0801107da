"""The tables of the PostgreSQL store: which files a database has, bringing it up to date, and whether all is there.

Rules
    Files are numbered and applied in the order of their numbers, each in one transaction that also records its name
    and checksum; whoever comes second waits and finds it done. See `_postgres_files` for `pre` and `post`.
    These functions need the right to create tables. The role a host runs under needs USAGE on the schema and SELECT,
    INSERT, UPDATE and DELETE on its tables, nothing else.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final, Literal

import attrs
import psycopg
from psycopg import Connection

from extlink.adapters._postgres import Row, Statements, settings
from extlink.adapters._postgres_errors import wrapped
from extlink.adapters._postgres_files import applied, lacking
from extlink.adapters._postgres_verify import findings
from extlink.adapters._schema import Script, scripts, statements
from extlink.errors import InvalidInput, Misconfigured

__all__ = ["Phase", "SchemaFile", "sql", "status", "upgrade", "verify"]

Phase = Literal["pre", "post", "all"]

_PHASES: Final[tuple[Phase, ...]] = ("pre", "post", "all")
_PATIENCE_SECONDS: Final = 60.0
_RECORD: Final = (
    "CREATE SCHEMA IF NOT EXISTS {0};"
    "CREATE TABLE IF NOT EXISTS {0}.schema_file ("
    "number integer NOT NULL, name text NOT NULL, checksum text NOT NULL, "
    "applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (number))"
)
_REMEMBER: Final = (
    "INSERT INTO {0}.schema_file (number, name, checksum) VALUES ({1.number}, '{1.name}', '{1.checksum}')"
)
# Two first comers make the same schema at once: PostgreSQL answers the second with one of these.
_MADE_MEANWHILE: Final = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateSchema,
    psycopg.errors.DuplicateObject,
)


@attrs.frozen
class SchemaFile:
    """One numbered file of this release and whether the database has it.

    >>> SchemaFile("0001_records_and_ledger_pre.sql", True).phase
    'pre'
    """

    name: str
    is_applied: bool

    @property
    def phase(self) -> Phase:
        """Whether it belongs before the new release starts or after the old one has ended."""
        return "post" if self.name.endswith("_post.sql") else "pre"


@contextmanager
def _connected(conninfo: str, schema: str) -> Generator[Connection[Row]]:
    Statements(schema)  # the name is put into texts
    how = settings(conninfo, _PATIENCE_SECONDS, 1)
    try:
        # Nothing is prepared by name: a pooler in between may run what another client prepared.
        with Connection[Row].connect(**how, prepare_threshold=None) as connection:
            yield connection
    except psycopg.Error as error:
        raise wrapped(error, opening=True) from error


def _rows(connection: Connection[Row], schema: str) -> Sequence[Row]:
    try:
        return connection.execute(applied(schema).text).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return ()


def _phase(value: object) -> Phase:
    for phase in _PHASES:
        if value == phase:
            return phase
    raise InvalidInput("phase", f"expected pre, post or all, got {ascii(value)[:64]}")


def status(conninfo: str, *, schema: str = "extlink") -> tuple[SchemaFile, ...]:
    """Return the files of this release in order, and which of them a database has.

    Args:
        conninfo: as libpq reads it.
        schema: the schema of the tables.

    Raises:
        Misconfigured: malformed arguments, or a database of another release.
        StorageError: the server cannot be reached.

    >>> status("dbname=links")[0]
    SchemaFile(name='0001_records_and_ledger_pre.sql', is_applied=False)
    """
    with _connected(conninfo, schema) as connection:
        todo = lacking(_rows(connection, schema))
    return tuple(SchemaFile(script.name, script not in todo) for script in scripts("postgres"))


def upgrade(conninfo: str, *, schema: str = "extlink", phase: Phase = "all") -> tuple[str, ...]:
    """Apply what a database lacks and return the names of the files; twice, or from two places at once, is no harm.

    Args:
        phase: `pre` before the first process of a new release starts, `post` after the last of the old one has ended;
            `all` for a new database, or while nothing runs.

    Raises:
        InvalidInput: no phase.
        Misconfigured: as `status`; or a `post` file of an earlier release was left out.
        StorageError: the server cannot be reached, or the role has no right to make tables.

    >>> upgrade("dbname=links")[:1], upgrade("dbname=links")
    (('0001_records_and_ledger_pre.sql',), ())
    """
    wanted = _phase(phase)
    with _connected(conninfo, schema) as connection:
        _make_record(connection, schema)
        return _apply(connection, schema, scripts("postgres"), wanted)


def _make_record(connection: Connection[Row], schema: str) -> None:
    try:
        connection.execute(_text(_RECORD.format(schema)))
    except _MADE_MEANWHILE:
        connection.execute(_text(_RECORD.format(schema)))


def _apply(connection: Connection[Row], schema: str, known: Sequence[Script], phase: Phase) -> tuple[str, ...]:
    done: list[str] = []
    for script in known:
        with connection.transaction():
            # Whoever comes second waits here, and then finds the file among those that are there.
            connection.execute(_text(f"LOCK TABLE {schema}.schema_file IN EXCLUSIVE MODE"))
            if script not in lacking(_rows(connection, schema), known):
                continue
            if phase == ("pre" if script.is_post else "post"):
                _require_nothing_after(script, known, phase)
                continue
            for statement in statements(script):
                connection.execute(_text(statement.replace("extlink.", f"{schema}.")))
            connection.execute(_text(_REMEMBER.format(schema, script)))
            done.append(script.name)
    return tuple(done)


def _require_nothing_after(left: Script, known: Sequence[Script], phase: Phase) -> None:
    for script in known:
        if script.number > left.number and (phase == "post") == script.is_post:
            raise Misconfigured(f"{script.name} comes after {left.name}, which is not applied; apply that first")


def _text(statement: str) -> bytes:
    return statement.encode()


def verify(conninfo: str, *, schema: str = "extlink") -> tuple[str, ...]:
    """Compare a database with what this release needs and return what is wrong, nothing if all is well.

    Anything is wrong that could make the store lie: tables, keys and columns that are others, what changes, refuses or
    hides rows on their way (triggers, rules, policies, constraints), views that show something else, rights that the
    role lacks. Each is a sentence that names the object and says what to do. Ask as the role that the host runs under,
    or as the owner.

    Raises:
        Misconfigured, StorageError: as `status`.

    >>> verify("dbname=links")
    ('file 0001_records_and_ledger_pre.sql is not applied', 'file 0002_reports_pre.sql is not applied')
    """
    with _connected(conninfo, schema) as connection:
        todo = lacking(_rows(connection, schema))
        if todo:
            return tuple(f"file {script.name} is not applied" for script in todo)
        return findings(connection, schema)


def sql(*, schema: str = "extlink", phase: Phase = "all") -> str:
    """Return the text of the files, for administrators who read and apply SQL themselves.

    It also records what it applies; psql runs it as it is, with `--single-transaction`.

    Raises:
        InvalidInput: no phase.
        Misconfigured: no plain name of a schema.

    >>> sql(schema="links").splitlines()[0]
    'CREATE SCHEMA IF NOT EXISTS links;'
    """
    wanted = _phase(phase)
    Statements(schema)
    parts = [_RECORD.format(schema).replace(";", ";\n") + ";\n"]
    for script in scripts("postgres"):
        if wanted in {"all", "post" if script.is_post else "pre"}:
            record = _REMEMBER.format("extlink", script)
            text = f"\n-- {script.name}\n{script.text}{record};\n"
            parts.append(text.replace("extlink.", f"{schema}."))
    return "".join(parts)
