"""The storage contract on PostgreSQL, for synchronous and for asynchronous hosts: any number of machines and processes.

Rules (DESIGN 5)
    The two halves are the same text but for `async` and `await`; a test compares them. All SQL is in `_postgres`.
    A commit is one short transaction in two round trips. If its answer is lost, the same batch is committed again on
    another connection: there it waits for the head row until the first one has ended, and its id tells how it ended.
    A connection on which anything went wrong, a cancelled task included, is closed and never used again.
    No answer is taken from a standby, and nothing is prepared by name behind a pooler (`_postgres_servers`).
    Tables are made by `extlink schema upgrade`, never by a store: the role a host runs under needs no right to.

Two engines
    A commit locks the head of its own tenant alone. A guard on a record of `~host` is compared within the commit, but
    a commit of the host that is under way at the same moment may come right after it, in either order. What rests on
    the host's records copies their epochs, and a check compares these anew.
"""

from __future__ import annotations

import contextlib
import os
import weakref
from asyncio import Lock as AsyncLock
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import count
from threading import Lock
from types import TracebackType
from typing import Concatenate, Final, ParamSpec, Self, TypeVar

try:
    import psycopg
except ImportError:
    raise ImportError("PostgresStorage needs psycopg 3; run: pip install 'extlink[postgres]'") from None
from psycopg import AsyncConnection, AsyncCursor, Connection, Cursor
from psycopg.rows import tuple_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from extlink.adapters._bounds import require_keys
from extlink.adapters._postgres import (
    JOINED,
    SETTINGS,
    UNDO,
    Bracket,
    Plan,
    Row,
    Statement,
    Statements,
    Verdict,
    abandon,
    answers,
    own,
    page,
    require_closed,
    require_ready,
    settings,
)
from extlink.adapters._postgres_errors import Way, way, wrapped
from extlink.adapters._postgres_files import applied, require_files
from extlink.adapters._postgres_servers import (
    ISOLATION,
    PROCESS,
    WITNESS,
    is_named,
    require_joinable,
    require_primary,
    require_transaction,
    threshold,
)
from extlink.adapters._postgres_tenants import listing, removed, removing
from extlink.ports import MAX_LIST, Batch, Key, Page, Position, Query, Removed, Stored, Version

__all__ = ["AsyncPostgresStorage", "JoinedAsyncPostgresStorage", "JoinedPostgresStorage", "PostgresStorage"]

P = ParamSpec("P")
T = TypeVar("T")

# How often a call is made in all: again where the server let others go first, elsewhere where a connection broke.
_TRIES: Final = {Way.AGAIN: 20, Way.ELSEWHERE: 4, Way.OVER: 1}

# After a fork the child leaves the parent's pools alone: closing a connection would close it for both.
_STORES: Final[weakref.WeakSet[PostgresStorage | AsyncPostgresStorage]] = weakref.WeakSet()
_LEFT: Final[list[object]] = []


def _after_fork() -> None:
    for store in list(_STORES):
        _LEFT.append(store.renew())


if hasattr(os, "register_at_fork"):  # pragma: no branch - other systems have no fork
    os.register_at_fork(after_in_child=_after_fork)


def _asked(connection: Connection[object], text: bytes, parameters: Sequence[object] | None = None) -> Cursor[Row]:
    # A cursor of our own: the host's connection may have other kinds of rows and cursors.
    cursor = Cursor(connection, row_factory=tuple_row)
    return cursor.execute(text, parameters, prepare=True, binary=True)


def _row(connection: Connection[object], text: bytes) -> Row | None:
    # Asked before it is known whether the connection may prepare anything.
    cursor = Cursor(connection, row_factory=tuple_row)
    cursor.execute(text, prepare=False)
    return cursor.fetchone()


def _recognized(connection: Connection[Row]) -> None:
    connection.prepare_threshold = threshold(connection, _row(connection, PROCESS))


def _prepared(connection: Connection[Row], statements: Sequence[Statement]) -> None:
    with connection.pipeline():
        for statement in statements:
            connection.execute(*statement, prepare=True)


def _configured(connection: Connection[Row], sql: Statements) -> None:
    _recognized(connection)
    if is_named(connection):
        # Prepared beforehand, so that a check costs no more over a new connection. What fails here is told by the call.
        with contextlib.suppress(psycopg.Error):
            _prepared(connection, sql.usual)


def _rows(connection: Connection[object], statement: Statement) -> Sequence[Row]:
    if is_named(connection):
        cursor = _asked(connection, *statement)
        rows = cursor.fetchall()
        require_primary(connection)
        return rows
    with connection.pipeline():
        witness = _asked(connection, WITNESS)
        cursor = _asked(connection, *statement)
        require_primary(connection, witness.fetchone())
        return cursor.fetchall()


def _applied(connection: Connection[object], plan: Plan, bracket: Bracket) -> Verdict:
    with connection.pipeline():
        for text in bracket.begin:
            _asked(connection, text)
        cursors = [_asked(connection, *one) for one in plan.asks]
        verdict = plan.judge([cursor.fetchall() for cursor in cursors])
        for one in plan.writes(verdict):
            _asked(connection, *one)
        closing = [_asked(connection, text) for text in (bracket.end if verdict.applies else bracket.decline)]
    require_closed(bracket, closing[-1].statusmessage)
    return verdict


def _removed(connection: Connection[object], statements: Sequence[Statement], bracket: Bracket) -> Removed:
    with connection.pipeline():
        for text in bracket.begin:
            _asked(connection, text)
        cursors = [_asked(connection, *one) for one in statements]
        closing = [_asked(connection, text) for text in bracket.end]
    require_closed(bracket, closing[-1].statusmessage)
    return removed([cursor.rowcount for cursor in cursors])


def _opened(connection: Connection[Row], schema: str) -> None:
    _recognized(connection)
    require_ready(_row(connection, SETTINGS))
    require_files(_rows(connection, applied(schema)))


class PostgresStorage:
    """Keep everything in one schema of a PostgreSQL database.

    The tables must be there: `extlink schema upgrade` makes them. Nothing is opened before the first call, or `open`,
    or the `with` that it is used in. After a fork the child opens connections of its own.

    Args:
        conninfo: as libpq reads it: `"dbname=links"`, `"postgresql://host/links"`. What it leaves out comes from the
            environment (PGHOST, PGUSER ...). Of several hosts the one that takes writes is used; a standby that is
            reached nevertheless makes every call `Unavailable`.
        schema: the schema of the tables.
        timeout: seconds a call waits for a connection, and a commit for other writers of its tenant.
        connections: how many are open at most; PostgreSQL carries a limited number for all hosts together.

    Raises:
        Misconfigured: malformed arguments; when opened, tables that are missing or of another release, or a server
            that does not keep what it acknowledges.

    >>> from extlink.adapters import postgres_schema
    >>> from extlink.ports import Instant, Write, key
    >>> batch = Batch(tenant=b"acme", id=Version(7), guards=(), writes=(Write(key("acme", "t"), b"open"),),
    ...               entries=(b"tenant.opened",), at=Instant(0))
    >>> _ = postgres_schema.upgrade("dbname=links")
    >>> with PostgresStorage("dbname=links") as store:
    ...     store.commit(batch)
    ...     [stored.value for stored in store.read([key("acme", "t")], {})]
    1
    [b'open']
    """

    def __init__(self, conninfo: str, *, schema: str = "extlink", timeout: float = 10.0, connections: int = 10) -> None:
        self._sql = Statements(schema)
        self._settings = settings(conninfo, timeout, connections)
        self._own = own(timeout)
        self._timeout = timeout
        self._connections = connections
        self._pool = self._made()
        _STORES.add(self)

    def _made(self) -> ConnectionPool[Connection[Row]]:
        self._lock = Lock()
        self._ready = False
        pool: ConnectionPool[Connection[Row]] = ConnectionPool(
            kwargs=self._settings,
            min_size=1,
            max_size=self._connections,
            timeout=self._timeout,
            configure=partial(_configured, sql=self._sql),
            open=False,
        )
        self._finalizer = weakref.finalize(self, abandon, pool)
        return pool

    def renew(self) -> object:
        """Begin anew with connections of its own, as the child of a fork must; return what was left alone."""
        left, finalizer = self._pool, self._finalizer
        finalizer.detach()
        self._pool = self._made()
        return left

    def open(self) -> None:
        """Connect, and compare the tables and the server's settings with what this release needs.

        Raises:
            Misconfigured: they differ.
            Unavailable: the server cannot be reached, or lets nobody in under this name.
        """
        with self._lock:
            if self._ready:
                return
            try:
                connection = Connection.connect(**self._settings)
                try:
                    _opened(connection, self._sql.schema)
                finally:
                    connection.close()
            except psycopg.Error as error:
                raise wrapped(error, opening=True) from error
            self._pool.open()
            self._ready = True

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """Return one answer per key, in order, all from one snapshot (`Storage.read`)."""
        require_keys(keys)
        if not keys:
            return ()
        return answers(keys, self._carry(_rows, self._sql.reading(keys, known)))

    def list(self, query: Query) -> Page:
        """Return a bounded page in key order (`Storage.list`)."""
        return page(query, self._carry(_rows, self._sql.listing(query)))

    def commit(self, batch: Batch) -> Position:
        """Apply a batch wholly or not at all and return the tenant's position after it (`Storage.commit`)."""
        verdict = self._carry(_applied, self._sql.plan(batch), self._own)
        return verdict.settled()

    def tenants(self, after: bytes = b"", limit: int = MAX_LIST) -> Sequence[bytes]:
        """Return the ids of the tenants in byte order (`TenantList.tenants`)."""
        rows = self._carry(_rows, listing(self._sql.schema, after, limit))
        return [tenant for (tenant,) in rows]

    def remove_part(self, tenant: bytes, first: bytes, limit: int) -> Removed:
        """Remove a bounded part of a tenant in one transaction (`TenantRemoval.remove_part`).

        If its answer is lost and it is made again, what went the first time is not counted.
        """
        return self._carry(_removed, removing(self._sql.schema, tenant, first, limit), self._own)

    def joined(self, connection: Connection[object]) -> JoinedPostgresStorage:
        """Return this store as a part of the host's own transaction, on the host's own connection to this database.

        What it gives up: nothing is durable before the host commits, and if the host rolls back, nothing happened; no
        statement is tried again. Whoever writes the same tenant waits until the host commits, after a conflict too:
        keep it short.
        """
        return JoinedPostgresStorage(self._sql, connection)

    def close(self) -> None:
        """Close every connection, those in use when they come back; later calls raise `Unavailable`."""
        self._ready = True
        self._finalizer.detach()
        self._pool.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _carry(self, work: Callable[Concatenate[Connection[object], P], T], *arguments: P.args, **more: P.kwargs) -> T:
        for made in count(1):
            if not self._ready:
                self.open()
            try:
                connection = self._pool.getconn()
            except psycopg.Error as error:
                raise wrapped(error) from error
            is_sound = False
            try:
                answer = work(connection, *arguments, **more)
                is_sound = True
                return answer
            except psycopg.Error as error:
                how = way(error, closed=connection.closed)
                if made >= _TRIES[how]:
                    raise wrapped(error) from error
            finally:
                if not is_sound:
                    connection.close()
                self._pool.putconn(connection)
            if how is Way.ELSEWHERE:
                # Where one connection broke, others did: find out now, before each of them costs a try.
                self._pool.check()
        raise AssertionError  # pragma: no cover - the loop has no end


class JoinedPostgresStorage:
    """A store inside the host's own transaction: what `PostgresStorage.joined` returns."""

    def __init__(self, sql: Statements, connection: Connection[object]) -> None:
        self._sql = sql
        self._connection = connection

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """Return one answer per key, in order, all from one snapshot (`Storage.read`)."""
        require_keys(keys)
        if not keys:
            return ()
        return answers(keys, self._carry(_rows, self._sql.reading(keys, known)))

    def list(self, query: Query) -> Page:
        """Return a bounded page in key order (`Storage.list`)."""
        return page(query, self._carry(_rows, self._sql.listing(query)))

    def commit(self, batch: Batch) -> Position:
        """Apply a batch wholly or not at all, to be kept or undone by the host (`Storage.commit`)."""
        verdict = self._carry(self._applied, self._sql.plan(batch))
        return verdict.settled()

    def _applied(self, connection: Connection[object], plan: Plan) -> Verdict:
        try:
            return _applied(connection, plan, JOINED)
        except BaseException:
            # The host may go on and commit: no number of an entry that does not exist may be left behind.
            is_undone = False
            try:
                with contextlib.suppress(psycopg.Error):
                    for text in UNDO:
                        _asked(connection, text)
                    is_undone = True
            finally:
                if not is_undone:
                    connection.close()
            raise

    def _carry(self, work: Callable[Concatenate[Connection[object], P], T], *arguments: P.args, **more: P.kwargs) -> T:
        require_transaction(self._connection)
        try:
            # Each time: the next transaction of the same connection may be of another kind.
            require_joinable(self._connection, _row(self._connection, ISOLATION))
            return work(self._connection, *arguments, **more)
        except psycopg.Error as error:
            raise wrapped(error) from error


async def _async_asked(
    connection: AsyncConnection[object], text: bytes, parameters: Sequence[object] | None = None
) -> AsyncCursor[Row]:
    # A cursor of our own: the host's connection may have other kinds of rows and cursors.
    cursor = AsyncCursor(connection, row_factory=tuple_row)
    return await cursor.execute(text, parameters, prepare=True, binary=True)


async def _async_row(connection: AsyncConnection[object], text: bytes) -> Row | None:
    # Asked before it is known whether the connection may prepare anything.
    cursor = AsyncCursor(connection, row_factory=tuple_row)
    await cursor.execute(text, prepare=False)
    return await cursor.fetchone()


async def _async_recognized(connection: AsyncConnection[Row]) -> None:
    connection.prepare_threshold = threshold(connection, await _async_row(connection, PROCESS))


async def _async_prepared(connection: AsyncConnection[Row], statements: Sequence[Statement]) -> None:
    async with connection.pipeline():
        for statement in statements:
            await connection.execute(*statement, prepare=True)


async def _async_configured(connection: AsyncConnection[Row], sql: Statements) -> None:
    await _async_recognized(connection)
    if is_named(connection):
        # Prepared beforehand, so that a check costs no more over a new connection. What fails here is told by the call.
        with contextlib.suppress(psycopg.Error):
            await _async_prepared(connection, sql.usual)


async def _async_rows(connection: AsyncConnection[object], statement: Statement) -> Sequence[Row]:
    if is_named(connection):
        cursor = await _async_asked(connection, *statement)
        rows = await cursor.fetchall()
        require_primary(connection)
        return rows
    async with connection.pipeline():
        witness = await _async_asked(connection, WITNESS)
        cursor = await _async_asked(connection, *statement)
        require_primary(connection, await witness.fetchone())
        return await cursor.fetchall()


async def _async_applied(connection: AsyncConnection[object], plan: Plan, bracket: Bracket) -> Verdict:
    async with connection.pipeline():
        for text in bracket.begin:
            await _async_asked(connection, text)
        cursors = [await _async_asked(connection, *one) for one in plan.asks]
        verdict = plan.judge([await cursor.fetchall() for cursor in cursors])
        for one in plan.writes(verdict):
            await _async_asked(connection, *one)
        closing = [
            await _async_asked(connection, text) for text in (bracket.end if verdict.applies else bracket.decline)
        ]
    require_closed(bracket, closing[-1].statusmessage)
    return verdict


async def _async_removed(
    connection: AsyncConnection[object], statements: Sequence[Statement], bracket: Bracket
) -> Removed:
    async with connection.pipeline():
        for text in bracket.begin:
            await _async_asked(connection, text)
        cursors = [await _async_asked(connection, *one) for one in statements]
        closing = [await _async_asked(connection, text) for text in bracket.end]
    require_closed(bracket, closing[-1].statusmessage)
    return removed([cursor.rowcount for cursor in cursors])


async def _async_opened(connection: AsyncConnection[Row], schema: str) -> None:
    await _async_recognized(connection)
    require_ready(await _async_row(connection, SETTINGS))
    require_files(await _async_rows(connection, applied(schema)))


class AsyncPostgresStorage:
    """The same for asynchronous hosts, without threads.

    A task may be cancelled at any `await`: a commit is then applied wholly or not at all, the same batch committed
    again settles which it was, and the connection is closed. One store belongs to one event loop.

    Args:
        conninfo, schema, timeout, connections: as of `PostgresStorage`.

    Raises:
        Misconfigured: as `PostgresStorage`.

    >>> import asyncio
    >>> from extlink.adapters import postgres_schema
    >>> from extlink.ports import key
    >>> _ = postgres_schema.upgrade("dbname=links")
    >>> async def main():
    ...     async with AsyncPostgresStorage("dbname=links") as store:
    ...         return [stored.version for stored in await store.read([key("acme", "t")], {})]
    >>> asyncio.run(main())
    [0]
    """

    def __init__(self, conninfo: str, *, schema: str = "extlink", timeout: float = 10.0, connections: int = 10) -> None:
        self._sql = Statements(schema)
        self._settings = settings(conninfo, timeout, connections)
        self._own = own(timeout)
        self._timeout = timeout
        self._connections = connections
        self._pool = self._made()
        _STORES.add(self)

    def _made(self) -> AsyncConnectionPool[AsyncConnection[Row]]:
        self._lock = AsyncLock()
        self._ready = False
        pool: AsyncConnectionPool[AsyncConnection[Row]] = AsyncConnectionPool(
            kwargs=self._settings,
            min_size=1,
            max_size=self._connections,
            timeout=self._timeout,
            configure=partial(_async_configured, sql=self._sql),
            open=False,
        )
        self._finalizer = weakref.finalize(self, abandon, pool)
        return pool

    def renew(self) -> object:
        """Begin anew with connections of its own, as the child of a fork must; return what was left alone."""
        left, finalizer = self._pool, self._finalizer
        finalizer.detach()
        self._pool = self._made()
        return left

    async def open(self) -> None:
        """Connect, and compare the tables and the server's settings with what this release needs.

        Raises:
            Misconfigured: they differ.
            Unavailable: the server cannot be reached, or lets nobody in under this name.
        """
        async with self._lock:
            if self._ready:
                return
            try:
                connection = await AsyncConnection.connect(**self._settings)
                try:
                    await _async_opened(connection, self._sql.schema)
                finally:
                    await connection.close()
            except psycopg.Error as error:
                raise wrapped(error, opening=True) from error
            await self._pool.open()
            self._ready = True

    async def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """Return one answer per key, in order, all from one snapshot (`Storage.read`)."""
        require_keys(keys)
        if not keys:
            return ()
        return answers(keys, await self._carry(_async_rows, self._sql.reading(keys, known)))

    async def list(self, query: Query) -> Page:
        """Return a bounded page in key order (`Storage.list`)."""
        return page(query, await self._carry(_async_rows, self._sql.listing(query)))

    async def commit(self, batch: Batch) -> Position:
        """Apply a batch wholly or not at all and return the tenant's position after it (`Storage.commit`)."""
        verdict = await self._carry(_async_applied, self._sql.plan(batch), self._own)
        return verdict.settled()

    async def tenants(self, after: bytes = b"", limit: int = MAX_LIST) -> Sequence[bytes]:
        """Return the ids of the tenants in byte order (`TenantList.tenants`)."""
        rows = await self._carry(_async_rows, listing(self._sql.schema, after, limit))
        return [tenant for (tenant,) in rows]

    async def remove_part(self, tenant: bytes, first: bytes, limit: int) -> Removed:
        """Remove a bounded part of a tenant in one transaction (`TenantRemoval.remove_part`).

        If its answer is lost and it is made again, what went the first time is not counted.
        """
        return await self._carry(_async_removed, removing(self._sql.schema, tenant, first, limit), self._own)

    def joined(self, connection: AsyncConnection[object]) -> JoinedAsyncPostgresStorage:
        """Return this store as a part of the host's own transaction, on the host's own connection to this database.

        What it gives up: nothing is durable before the host commits, and if the host rolls back, nothing happened; no
        statement is tried again. Whoever writes the same tenant waits until the host commits, after a conflict too:
        keep it short.
        """
        return JoinedAsyncPostgresStorage(self._sql, connection)

    async def aclose(self) -> None:
        """Close every connection, those in use when they come back; later calls raise `Unavailable`."""
        self._ready = True
        self._finalizer.detach()
        await self._pool.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _carry(
        self,
        work: Callable[Concatenate[AsyncConnection[object], P], Awaitable[T]],
        *arguments: P.args,
        **more: P.kwargs,
    ) -> T:
        for made in count(1):
            if not self._ready:
                await self.open()
            try:
                connection = await self._pool.getconn()
            except psycopg.Error as error:
                raise wrapped(error) from error
            is_sound = False
            try:
                answer = await work(connection, *arguments, **more)
                is_sound = True
                return answer
            except psycopg.Error as error:
                how = way(error, closed=connection.closed)
                if made >= _TRIES[how]:
                    raise wrapped(error) from error
            finally:
                if not is_sound:
                    await connection.close()
                await self._pool.putconn(connection)
            if how is Way.ELSEWHERE:
                # Where one connection broke, others did: find out now, before each of them costs a try.
                await self._pool.check()
        raise AssertionError  # pragma: no cover - the loop has no end


class JoinedAsyncPostgresStorage:
    """A store inside the host's own transaction: what `AsyncPostgresStorage.joined` returns."""

    def __init__(self, sql: Statements, connection: AsyncConnection[object]) -> None:
        self._sql = sql
        self._connection = connection

    async def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """Return one answer per key, in order, all from one snapshot (`Storage.read`)."""
        require_keys(keys)
        if not keys:
            return ()
        return answers(keys, await self._carry(_async_rows, self._sql.reading(keys, known)))

    async def list(self, query: Query) -> Page:
        """Return a bounded page in key order (`Storage.list`)."""
        return page(query, await self._carry(_async_rows, self._sql.listing(query)))

    async def commit(self, batch: Batch) -> Position:
        """Apply a batch wholly or not at all, to be kept or undone by the host (`Storage.commit`)."""
        verdict = await self._carry(self._applied, self._sql.plan(batch))
        return verdict.settled()

    async def _applied(self, connection: AsyncConnection[object], plan: Plan) -> Verdict:
        try:
            return await _async_applied(connection, plan, JOINED)
        except BaseException:
            # The host may go on and commit: no number of an entry that does not exist may be left behind.
            is_undone = False
            try:
                with contextlib.suppress(psycopg.Error):
                    for text in UNDO:
                        await _async_asked(connection, text)
                    is_undone = True
            finally:
                if not is_undone:
                    await connection.close()
            raise

    async def _carry(
        self,
        work: Callable[Concatenate[AsyncConnection[object], P], Awaitable[T]],
        *arguments: P.args,
        **more: P.kwargs,
    ) -> T:
        require_transaction(self._connection)
        try:
            # Each time: the next transaction of the same connection may be of another kind.
            require_joinable(self._connection, await _async_row(self._connection, ISOLATION))
            return await work(self._connection, *arguments, **more)
        except psycopg.Error as error:
            raise wrapped(error) from error
