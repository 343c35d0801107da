"""What both colours of the PostgreSQL store share, without any I/O: the statements, and what their answers mean.

Rules (DESIGN 5)
    Every statement names one tenant, as a parameter, first; the host's own records are asked for by a part of its own.
    (The one that lists tenants is elsewhere: `_postgres_tenants`.)
    A read is one statement, so that its answers come from one snapshot.
    A commit writes the tenant's head row first; it reads the guards in a later statement, whose snapshot is newer than
    the lock; then it writes. So it needs READ COMMITTED and says so itself, whatever the database's default is.
    Nothing outlives a transaction: no session variables, advisory locks, notifications, sequences or triggers.

The names of tables are put into the texts once, when a store is made; everything else is a parameter, in binary form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, assert_never, cast

import attrs
import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from extlink.adapters._bounds import conflict, entry_key, moved_on, new_stored, path_range, require_limit
from extlink.errors import Conflict, Misconfigured, Unavailable
from extlink.ports import ABSENT, Batch, Entries, Guard, Key, Page, Position, Query, Records, Stored, Version

__all__ = [
    "JOINED",
    "SETTINGS",
    "UNDO",
    "Bracket",
    "Keywords",
    "Plan",
    "Row",
    "Statement",
    "Statements",
    "Verdict",
    "abandon",
    "answers",
    "own",
    "page",
    "require_closed",
    "require_ready",
    "settings",
]

Row = tuple[Any, ...]
Keywords = dict[str, Any]

_MAX_INTEGER: Final = 2**63 - 1
_UNKNOWN: Final = -1  # no record has it as its version
_ABSENT: Final = (ABSENT, None)
_REMEMBERED: Final = 64
_MAX_SECONDS: Final = 3_600
_STANDBYS: Final = frozenset({"read-only", "standby", "prefer-standby"})
_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")

# `= ANY` walks the primary key whatever the statistics say; a join may choose to read a whole tenant. An array that has
# the known versions in the order of the paths stands in for a comparison key by key.
_READ: Final = (
    "SELECT {number}, path, version, "
    "CASE version WHEN (%b::bigint[])[array_position(%b::bytea[], path)] THEN NULL ELSE value END "
    "FROM {schema}.record WHERE tenant = %b AND path = ANY (%b::bytea[])"
)
_BETWEEN: Final = (
    "SELECT path, version, value FROM {schema}.record WHERE tenant = %b AND path >= %b AND path < %b "
    "ORDER BY path LIMIT %b"
)
_FROM: Final = (
    "SELECT path, version, value FROM {schema}.record WHERE tenant = %b AND path >= %b ORDER BY path LIMIT %b"
)
_ENTRIES: Final = (
    "SELECT position, batch, body FROM {schema}.entry WHERE tenant = %b AND position > %b ORDER BY position LIMIT %b"
)
_HEAD: Final = (
    "INSERT INTO {schema}.head AS h (tenant, position, floor) VALUES (%b, 0, %b) "
    "ON CONFLICT (tenant) DO UPDATE SET floor = greatest(h.floor, excluded.floor) RETURNING position"
)
_EARLIER: Final = "SELECT max(position) FROM {schema}.entry WHERE tenant = %b AND batch = %b"
_GUARDED: Final = "SELECT path, version FROM {schema}.record WHERE tenant = %b AND path = ANY (%b::bytea[])"
_PUT: Final = (
    "INSERT INTO {schema}.record (tenant, path, version, value) "
    "SELECT %b, p.path, %b, p.value FROM unnest(%b::bytea[], %b::bytea[]) AS p (path, value) "
    "ON CONFLICT (tenant, path) DO UPDATE SET version = excluded.version, value = excluded.value"
)
_DELETE: Final = "DELETE FROM {schema}.record WHERE tenant = %b AND path = ANY (%b::bytea[])"
_ENTER: Final = (
    "WITH numbered AS (UPDATE {schema}.head SET position = %b WHERE tenant = %b) "
    "INSERT INTO {schema}.entry (tenant, position, batch, body) "
    "SELECT %b, %b + e.number, %b, e.body FROM unnest(%b::bytea[]) WITH ORDINALITY AS e (body, number)"
)
SETTINGS: Final = b"SELECT current_setting('synchronous_commit'), current_setting('fsync')"


class Bracket(NamedTuple):
    """How a commit begins and ends: a transaction of its own, or a part of the host's.

    Args:
        end: what was written is kept.
        decline: nothing was written; only the head's row was locked.
        ended: what the server answers in both cases.
    """

    begin: tuple[bytes, ...]
    end: tuple[bytes, ...]
    decline: tuple[bytes, ...]
    ended: str


# Not READ WRITE: a server that was set to read only, while another one takes over, is to refuse.
_BEGIN: Final = b"BEGIN ISOLATION LEVEL READ COMMITTED"
# A declined transaction is committed, not rolled back: psycopg forgets every prepared statement at a ROLLBACK, and in a
# pipeline it forgets them too late (3.3.9). What is lost with it, if anything, is that a lock was taken.
_DECLINE: Final = (b"SET LOCAL synchronous_commit = off", b"COMMIT")
JOINED: Final = Bracket(
    (b"SAVEPOINT extlink",), (b"RELEASE SAVEPOINT extlink",), (b"RELEASE SAVEPOINT extlink",), "RELEASE"
)
UNDO: Final = (b"ROLLBACK TO SAVEPOINT extlink", b"RELEASE SAVEPOINT extlink")


def own(timeout: float) -> Bracket:
    """Return the bracket of a transaction of its own, which waits at most so many seconds for any lock.

    >>> own(2.5).begin[1]
    b'SET LOCAL lock_timeout = 2500'
    """
    # LOCAL: it ends with the transaction, so a pooler in between may hand the session to anybody.
    waiting = b"SET LOCAL lock_timeout = %d" % max(1, round(timeout * 1_000))
    return Bracket((_BEGIN, waiting), (b"COMMIT",), _DECLINE, "COMMIT")


class Statement(NamedTuple):
    """A text and its parameters."""

    text: bytes
    parameters: tuple[object, ...]


@attrs.frozen
class Verdict:
    """What a commit came to once the head was locked and the guards were read.

    Args:
        position: the tenant's position after the commit, or that of the batch where it was committed before.
        applies: whether it is to be written now.
        stale: which guard no longer holds, or that the tenant moved on.
    """

    position: Position
    applies: bool
    stale: Conflict | None = None

    def settled(self) -> Position:
        """Return the position.

        Raises:
            Conflict: a guard no longer holds, or the tenant moved on.
        """
        if self.stale is not None:
            raise self.stale
        return self.position


class Statements:
    """The statements of a store, over one schema of a database.

    Raises:
        Misconfigured: no plain name of a schema.

    >>> Statements("links").reading([Key(b"acme", b"t")], {}).parameters[2]
    b'acme'
    """

    def __init__(self, schema: str) -> None:
        if type(schema) is not str or not _SCHEMA.fullmatch(schema):
            raise Misconfigured(
                f"schema: expected a name of lower-case letters, digits and _, at most 63, got {ascii(schema)[:64]}"
            )
        self.schema = schema
        self._text = lru_cache(_REMEMBERED)(self._formatted)
        # Reads of nothing, in the words of nearly every read: of a tenant, and of a tenant and the host.
        nothing = [Key(b"~host", b""), Key(b"", b"")]
        self.usual: tuple[Statement, Statement] = (self.reading(nothing[:1], {}), self.reading(nothing, {}))

    def _formatted(self, text: str, count: int = 1) -> bytes:
        parts = (text.format(schema=self.schema, number=number) for number in range(count))
        return " UNION ALL ".join(parts).encode()

    def reading(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Statement:
        """Return the statement that reads some keys: a part for each tenant, mostly one or two."""
        tenants: dict[bytes, tuple[list[Int8], list[bytes]]] = {}
        for key in keys:
            tenant, path = key
            if tenant not in tenants:
                tenants[tenant] = ([], [])
            versions, paths = tenants[tenant]
            versions.append(Int8(known.get(key, _UNKNOWN)))
            paths.append(path)
        parameters: list[object] = []
        for tenant, (versions, paths) in tenants.items():
            parameters += (versions, paths, tenant, paths)
        return Statement(self._text(_READ, len(tenants)), tuple(parameters))

    def listing(self, query: Query) -> Statement:
        """Return the statement that lists a page and one item more.

        Raises:
            InvalidInput: a limit outside 1 to 1,000.
        """
        require_limit(query)
        limit = Int8(query.limit + 1)
        match query:
            case Records():
                first, beyond = path_range(query)
                if beyond is None:
                    return Statement(self._text(_FROM), (query.tenant, first, limit))
                return Statement(self._text(_BETWEEN), (query.tenant, first, beyond, limit))
            case Entries():
                after = Int8(min(query.after, _MAX_INTEGER))
                return Statement(self._text(_ENTRIES), (query.tenant, after, limit))
            case _:
                assert_never(query)

    def plan(self, batch: Batch) -> Plan:
        """Return what a commit asks and writes."""
        guarded = dict.fromkeys(guard.key.tenant for guard in batch.guards)
        guards = tuple(tuple(guard for guard in batch.guards if guard.key.tenant == tenant) for tenant in guarded)
        return Plan(
            batch,
            guards,
            (
                Statement(self._text(_HEAD), (batch.tenant, Int8(batch.at))),
                Statement(self._text(_EARLIER), (batch.tenant, Int8(batch.id))),
                *(self._guarded(some) for some in guards),
            ),
            tuple(self._writes(batch)),
            self._text(_ENTER),
        )

    def _guarded(self, guards: Sequence[Guard]) -> Statement:
        return Statement(self._text(_GUARDED), (guards[0].key.tenant, [guard.key.path for guard in guards]))

    def _writes(self, batch: Batch) -> Iterator[Statement]:
        puts = [(write.key.path, write.value) for write in batch.writes if write.value is not None]
        gone = [write.key.path for write in batch.writes if write.value is None]
        if puts:
            paths, values = zip(*puts, strict=True)
            yield Statement(self._text(_PUT), (batch.tenant, Int8(batch.id), list(paths), list(values)))
        if gone:
            yield Statement(self._text(_DELETE), (batch.tenant, gone))


@attrs.frozen
class Plan:
    """One commit: what is asked in order, the head first, and what is written once the guards hold.

    Args:
        guards: those of each tenant, in the order in which they are asked.
        asks: the head, the batch itself, the versions of what is guarded.
    """

    batch: Batch
    guards: tuple[tuple[Guard, ...], ...]
    asks: tuple[Statement, ...]
    records: tuple[Statement, ...]
    enter: bytes

    def judge(self, answered: Sequence[Sequence[Row]]) -> Verdict:
        """Return what the rows of the answers come to."""
        head, earlier, *found = answered
        ((position,),), ((before,),) = head, earlier
        if before is not None:
            return Verdict(Position(before), applies=False)
        for guards, rows in zip(self.guards, found, strict=True):
            versions: dict[bytes, int] = dict(rows)
            for guard in guards:
                if versions.get(guard.key.path, ABSENT) != guard.version:
                    return Verdict(Position(position), applies=False, stale=conflict(guard.key))
        moved = moved_on(self.batch, position)
        if moved is not None:
            return Verdict(Position(position), applies=False, stale=moved)
        return Verdict(Position(position + len(self.batch.entries)), applies=True)

    def writes(self, verdict: Verdict) -> tuple[Statement, ...]:
        """Return what to write, nothing unless the verdict says so."""
        if not verdict.applies:
            return ()
        bodies = list(self.batch.entries)
        if not bodies:
            return self.records
        tenant, after = self.batch.tenant, verdict.position
        numbers = (Int8(after), tenant, tenant, Int8(after - len(bodies)))
        return (*self.records, Statement(self.enter, (*numbers, Int8(self.batch.id), bodies)))


def answers(keys: Sequence[Key], rows: Sequence[Row]) -> Sequence[Stored]:
    """Return one answer per key, in order, from the rows of a read.

    >>> answers([Key(b"acme", b"t"), Key(b"acme", b"u")], [(0, b"u", 7, None)])
    [Stored(key=Key(tenant=b'acme', path=b't'), version=0, value=None), Stored(key=Key(tenant=b'acme', path=b'u'), version=7, value=None)]
    """  # noqa: E501 - an answer is shown as it is
    tenants = list(dict.fromkeys(key.tenant for key in keys))
    # A plain pair is equal to the key that it would make, at a fraction of its cost.
    found: dict[tuple[bytes, bytes], tuple[int, bytes | None]] = {
        (tenants[number], path): (version, value) for number, path, version, value in rows
    }
    return [new_stored(Stored, (key, *found.get(key, _ABSENT))) for key in keys]


def page(query: Query, rows: Sequence[Row]) -> Page:
    """Return the page that the rows of a list come to."""
    match query:
        case Records():
            items = tuple(Stored(Key(query.tenant, path), version, value) for path, version, value in rows)
        case Entries():
            items = tuple(Stored(entry_key(query.tenant, number), batch, body) for number, batch, body in rows)
        case _:
            assert_never(query)
    return Page(items[: query.limit], more=len(items) > query.limit)


def require_closed(bracket: Bracket, status: str | None) -> None:
    """Require that the server said it committed: of a transaction that failed, COMMIT is answered with ROLLBACK.

    Raises:
        Unavailable: it did not.
    """
    if status != bracket.ended:
        raise Unavailable(f"PostgreSQL answered a commit with {ascii(status)[:64]}; nothing was changed, call again")


def settings(conninfo: object, timeout: object, connections: object) -> Keywords:
    """Return how connections are opened, from what the host said, which is checked here.

    Raises:
        Misconfigured: no connection string, one that asks for a standby, or numbers out of range. The string itself is
            never shown: it may hold a password.
    """
    if not psycopg.Pipeline.is_supported():
        raise Misconfigured("expected libpq 14 or newer; pip install 'psycopg[binary]'")
    if type(conninfo) is not str:
        raise Misconfigured(f"conninfo: expected a libpq connection string, got {type(conninfo).__name__}")
    try:
        given = conninfo_to_dict(conninfo)
    except (psycopg.ProgrammingError, UnicodeError):
        raise Misconfigured("conninfo: expected a libpq connection string, got something libpq cannot read") from None
    if any("@" in host[1:] for host in str(given.get("host", "")).split(",")):
        # libpq would say its name, with the half of the password that it took for one. (A socket may begin with @.)
        raise Misconfigured("conninfo: expected a host without @; in a password write %40 for it")
    if type(timeout) not in {int, float} or not 0 < cast("float", timeout) <= _MAX_SECONDS:
        raise Misconfigured(f"timeout: expected seconds, above 0 and at most {_MAX_SECONDS}, got {timeout!a:.64}")
    if type(connections) is not int or connections < 1:
        raise Misconfigured(f"connections: expected a whole number from 1, got {connections!a:.64}")
    attributes = given.get("target_session_attrs")
    if attributes in _STANDBYS:
        raise Misconfigured(
            f"conninfo: expected target_session_attrs=read-write, got {attributes}: "
            "a standby answers with yesterday, and would let in what was revoked since; leave it out"
        )
    # Of several hosts the one that takes writes is used.
    defaults = {
        "connect_timeout": max(2, round(cast("float", timeout))),
        "fallback_application_name": "extlink",
        "target_session_attrs": "read-write",
    }
    return {"autocommit": True, **defaults, **given}


def require_ready(row: Row | None) -> None:
    """Require that a commit is on the disk when it returns.

    Raises:
        Misconfigured: the database, or the role, says otherwise.
    """
    synchronous, fsync = row or ("off", "off")
    if synchronous == "off":
        raise Misconfigured(
            "synchronous_commit is off here, so a commit that returned could be lost; "
            "run: ALTER ROLE ... SET synchronous_commit = on"
        )
    if fsync == "off":
        raise Misconfigured("fsync is off on this server, so a crash can lose or damage everything; turn it on")


def abandon(pool: ConnectionPool[Connection[Row]] | AsyncConnectionPool[AsyncConnection[Row]]) -> None:
    """Close the pool of a store that was forgotten, or with the interpreter; an asynchronous one has no loop any more.

    >>> abandon(AsyncConnectionPool(open=False))
    """
    if isinstance(pool, ConnectionPool):
        pool.close()
