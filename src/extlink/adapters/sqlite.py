"""The storage contract on one SQLite file: for hosts on one machine, with any number of threads and processes.

Rules (DESIGN 5)
    WAL with synchronous=FULL: readers never wait for a writer, and a commit that returned survives a power cut.
    A read is one statement, so that its answers come from one snapshot.
    A commit is one BEGIN IMMEDIATE transaction: it writes the tenant's head row, then reads the guards, then writes.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, assert_never

from extlink.adapters._bounds import (
    conflict,
    entry_key,
    moved_on,
    new_stored,
    path_range,
    require_keys,
    require_limit,
    require_size,
)
from extlink.adapters._schema import pending, scripts, statements
from extlink.adapters._sqlite import Connection, Connections, use_wal
from extlink.errors import Misconfigured
from extlink.ports import (
    ABSENT,
    MAX_LIST,
    MAX_READ_KEYS,
    Batch,
    Entries,
    Guard,
    Key,
    Page,
    Position,
    Query,
    Records,
    Removed,
    Stored,
    Version,
)

__all__ = ["SQLiteStorage"]

_OLDEST: Final = (3, 24, 0)  # INSERT ... ON CONFLICT
_STRICT: Final = (3, 37, 0)
_MAX_INTEGER: Final = 2**63 - 1
_WORTH: Final = 4  # the number of keys from which reading costs more than asking whether the file has changed

_HEAD: Final = (
    "INSERT INTO head (tenant, position, floor) VALUES (?, ?, ?) ON CONFLICT (tenant) DO UPDATE "
    "SET position = position + excluded.position, floor = max(floor, excluded.floor)"
)
_POSITION: Final = "SELECT position FROM head WHERE tenant = ?"
_EARLIER: Final = "SELECT max(position) FROM entry WHERE tenant = ? AND batch = ?"
_PUT: Final = "INSERT OR REPLACE INTO record (tenant, path, version, value) VALUES (?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM record WHERE tenant = ? AND path = ?"
_ENTRY: Final = "INSERT INTO entry (tenant, position, batch, body) VALUES (?, ?, ?, ?)"
_BETWEEN: Final = (
    "SELECT path, version, value FROM record WHERE tenant = ? AND path >= ? AND path < ? ORDER BY path LIMIT ?"
)
_FROM: Final = "SELECT path, version, value FROM record WHERE tenant = ? AND path >= ? ORDER BY path LIMIT ?"
_ENTRIES: Final = "SELECT position, batch, body FROM entry WHERE tenant = ? AND position > ? ORDER BY position LIMIT ?"
# A head is left behind by a commit of nothing, too: what is kept makes a tenant.
_TENANTS: Final = (
    "SELECT tenant FROM head WHERE tenant > ? AND (EXISTS (SELECT 1 FROM record WHERE record.tenant = head.tenant) "
    "OR EXISTS (SELECT 1 FROM entry WHERE entry.tenant = head.tenant)) ORDER BY tenant LIMIT ?"
)
_REMOVE_RECORDS: Final = (
    "DELETE FROM record WHERE tenant = ?1 AND path IN "
    "(SELECT path FROM record WHERE tenant = ?1 ORDER BY path LIMIT ?2)"
)
_REMOVE_ENTRIES: Final = (
    "DELETE FROM entry WHERE tenant = ?1 AND position IN "
    "(SELECT position FROM entry WHERE tenant = ?1 ORDER BY position LIMIT ?2)"
)
_REMOVE_HEAD: Final = (
    "DELETE FROM head WHERE tenant = ?1 AND NOT EXISTS (SELECT 1 FROM record WHERE tenant = ?1) "
    "AND NOT EXISTS (SELECT 1 FROM entry WHERE tenant = ?1)"
)
_APPLIED: Final = (
    "CREATE TABLE IF NOT EXISTS schema_file (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)"
)

_WHOLE: Final = "version, value"
# A known value is left out where it lies: of a policy of 60 KiB that saves a seventh of the whole read.
_UNLESS_KNOWN: Final = "version, CASE version WHEN ?{} THEN NULL ELSE value END"


@cache
def _points(columns: str, count: int, known: int = 0) -> str:
    # Point selects in one statement: one snapshot, and 1.7 times faster than `(tenant, path) IN (...)` or a join.
    # The parameters are the known versions, if any, and then tenant and path of every key.
    where = "FROM record WHERE tenant = ?{} AND path = ?{}"
    selects = [
        f"SELECT {number}, {columns.format(number + 1)} {where.format(first, first + 1)}"
        for number, first in enumerate(range(known + 1, known + 2 * count, 2))
    ]
    return " UNION ALL ".join(selects)


class SQLiteStorage:
    """Keep everything in one SQLite file, which is made if it does not exist.

    Close it, or use it as a context manager; a store that is forgotten closes with the interpreter.

    Args:
        path: the file. Its folder must exist; `:memory:` is refused, `MemoryStorage` is for that.
        timeout: seconds a commit waits for other writers before it gives up with `Contention`.

    Raises:
        Misconfigured: no usable path, a file of another program, or one that a newer extlink made.
        Unavailable: the file cannot be opened.
        CorruptRecord: the file is no database.

    >>> import tempfile
    >>> from extlink.ports import Instant, Write, key
    >>> batch = Batch(tenant=b"acme", id=Version(7), guards=(), writes=(Write(key("acme", "t"), b"open"),),
    ...               entries=(b"tenant.opened",), at=Instant(0))
    >>> with tempfile.TemporaryDirectory() as folder, SQLiteStorage(f"{folder}/links.db") as store:
    ...     store.commit(batch)
    ...     [stored.value for stored in store.read([key("acme", "t")], {})]
    1
    [b'open']
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 10.0) -> None:
        self._connections = Connections(_parse_path(path), timeout)
        # Closes a forgotten store with the interpreter, and none of its connections with a warning.
        self._finalizer = weakref.finalize(self, self._connections.close)
        try:
            _upgrade(self._connections)
        except BaseException:
            self.close()
            raise

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """Return one answer per key, in order, all from one snapshot (`Storage.read`)."""
        require_keys(keys)
        if not keys:
            return ()
        connections = self._connections
        connection = connections.take()
        try:
            found = _remembered(connection, keys, known) or _read(connection, keys, known)
        except BaseException as error:  # noqa: BLE001 - raised again by `fail`
            connections.fail(connection, error)
        connections.give(connection)
        return found

    def list(self, query: Query) -> Page:
        """Return a bounded page in key order (`Storage.list`)."""
        require_limit(query)
        match query:
            case Records():
                first, beyond = path_range(query)
                where, bounds = (_FROM, (first,)) if beyond is None else (_BETWEEN, (first, beyond))
                rows = self._rows(where, (query.tenant, *bounds, query.limit + 1))
                items = tuple(Stored(Key(query.tenant, path), version, value) for path, version, value in rows)
            case Entries():
                rows = self._rows(_ENTRIES, (query.tenant, min(query.after, _MAX_INTEGER), query.limit + 1))
                items = tuple(Stored(entry_key(query.tenant, number), batch, body) for number, batch, body in rows)
            case _:
                assert_never(query)
        return Page(items[: query.limit], more=len(items) > query.limit)

    def commit(self, batch: Batch) -> Position:
        """Apply a batch wholly or not at all and return the tenant's position after it (`Storage.commit`)."""
        with self._connections.transaction() as connection:
            (earlier,) = connection.execute(_EARLIER, (batch.tenant, batch.id)).fetchone()
            if earlier is not None:
                return Position(earlier)
            connection.execute(_HEAD, (batch.tenant, len(batch.entries), batch.at))
            _check_guards(connection, batch.guards)
            return _apply(connection, batch)

    def tenants(self, after: bytes = b"", limit: int = MAX_LIST) -> Sequence[bytes]:
        """Return the ids of the tenants in byte order (`TenantList.tenants`)."""
        require_size(limit)
        return [tenant for (tenant,) in self._rows(_TENANTS, (after, limit))]

    def remove_part(self, tenant: bytes, first: bytes, limit: int) -> Removed:
        """Remove a bounded part of a tenant in one transaction (`TenantRemoval.remove_part`).

        The last part also empties the file's log, where everything that was ever written of the tenant still lies.
        """
        require_size(limit, least=0)
        with self._connections.transaction() as connection:
            records = connection.execute(_DELETE, (tenant, first)).rowcount
            records += connection.execute(_REMOVE_RECORDS, (tenant, limit)).rowcount
            entries = connection.execute(_REMOVE_ENTRIES, (tenant, limit)).rowcount
            connection.execute(_REMOVE_HEAD, (tenant,))
        if max(records, entries) < limit:
            self._connections.empty_log()
        return Removed(records, entries)

    def close(self) -> None:
        """Close the file, after the calls under way; later calls raise `Unavailable`."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _rows(self, statement: str, parameters: Sequence[bytes | int]) -> Sequence[tuple[Any, ...]]:
        with self._connections.lend() as connection:
            return connection.execute(statement, parameters).fetchall()


def _remembered(connection: Connection, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored] | None:
    """Return the answers if most of them need not be read: what the connection saw, while nobody else has committed.

    The others are read first and the file is asked last, so that all of them are of that last moment.
    """
    at, seen = connection.at, connection.seen
    asked = [key for key in keys if seen.get(key) != known.get(key, ABSENT)]
    if at is None or len(asked) == len(keys):
        return None
    found = {one.key: one for one in (_selected(connection, asked, known) if asked else ())}
    if connection.changes() != at:
        return None
    if not asked:
        return list(map(new_stored, repeat(Stored), zip(keys, map(seen.__getitem__, keys), repeat(None), strict=False)))
    connection.saw(at, {key: one.version for key, one in found.items()})
    return [found.get(key) or new_stored(Stored, (key, seen[key], None)) for key in keys]


def _read(connection: Connection, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
    """Read every record, and remember the versions where enough of them are asked for at once to be worth it."""
    if len(keys) < _WORTH:
        return _selected(connection, keys, known)
    at = connection.changes()
    found = _selected(connection, keys, known)
    connection.saw(at, {key: version for key, version, _ in found})
    return found


def _selected(connection: Connection, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
    count = len(keys)
    parameters: Iterable[object] = chain.from_iterable(keys)
    if known:
        statement = _points(_UNLESS_KNOWN, count, count)
        parameters = chain(map(known.get, keys), parameters)
    else:
        statement = _points(_WHOLE, count)
    rows = connection.execute(statement, list(parameters)).fetchall()
    if len(rows) < count:
        there = {row[0]: row for row in rows}
        rows = [there.get(number, (number, ABSENT, None)) for number in range(count)]
    rows.sort()  # by number: UNION ALL promises no order
    _, versions, values = zip(*rows, strict=True)
    return list(map(new_stored, repeat(Stored), zip(keys, versions, values, strict=True)))


def _check_guards(connection: Connection, guards: Sequence[Guard]) -> None:
    for start in range(0, len(guards), MAX_READ_KEYS):
        some = guards[start : start + MAX_READ_KEYS]
        keys = chain.from_iterable(guard.key for guard in some)
        found = dict(connection.execute(_points("version", len(some)), list(keys)))
        for number, guard in enumerate(some):
            if found.get(number, ABSENT) != guard.version:
                raise conflict(guard.key)


def _apply(connection: Connection, batch: Batch) -> Position:
    position: int = connection.execute(_POSITION, (batch.tenant,)).fetchone()[0]
    moved = moved_on(batch, position - len(batch.entries))
    if moved is not None:
        raise moved
    puts = [(*write.key, batch.id, write.value) for write in batch.writes if write.value is not None]
    connection.executemany(_PUT, puts)
    connection.executemany(_DELETE, [write.key for write in batch.writes if write.value is None])
    numbered = enumerate(batch.entries, position - len(batch.entries) + 1)
    connection.executemany(_ENTRY, [(batch.tenant, number, batch.id, body) for number, body in numbered])
    return Position(position)


def _parse_path(path: str | os.PathLike[str]) -> str:
    try:
        text: object = os.fspath(path)
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise Misconfigured(f"expected the path of a file, got {type(path).__name__}")
    if not text or text == ":memory:" or "\x00" in text:
        raise Misconfigured(
            f"expected the path of a file, got {ascii(text)[:64]}; MemoryStorage() keeps nothing on disk"
        )
    # Absolute: the same file after the host changes its folder, and never a URI.
    return str(Path(text).absolute())


def _upgrade(connections: Connections) -> None:
    if sqlite3.sqlite_version_info < _OLDEST:
        raise Misconfigured(f"expected SQLite 3.24 or newer, got {sqlite3.sqlite_version}; use a newer build of Python")
    known = scripts("sqlite")
    with connections.lend() as connection:
        todo = pending(known, _applied(connection, connections.path))
        use_wal(connection, connections.timeout)
    if not todo:
        return
    with connections.transaction() as connection:
        # Read again: another process may have applied them meanwhile.
        for script in pending(known, _applied(connection, connections.path)):
            for statement in statements(script):
                connection.execute(_plain(statement))
            connection.execute(_APPLIED)
            connection.execute(
                "INSERT INTO schema_file VALUES (?, ?, ?)", (script.number, script.name, script.checksum)
            )


def _applied(connection: Connection, path: str) -> dict[int, str]:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if "schema_file" in tables:
        return dict(connection.execute("SELECT number, checksum FROM schema_file"))
    if tables:
        raise Misconfigured(f"{path} is the database of another program; name a file of its own for extlink")
    return {}


def _plain(statement: str) -> str:
    return statement if sqlite3.sqlite_version_info >= _STRICT else statement.replace(", STRICT", "")
