"""Connections to one SQLite file: how they are opened, lent, carried over a fork, and how their errors read.

Rules
    A connection serves one call at a time; a call that finds none idle opens one. So any number of threads may call, a
    host with one thread always meets the same warm connection, and none is bound to a thread that may end.

    No connection is ever carried over a fork. SQLite keeps its file locks per process in memory, and a child inherits
    that memory but not the locks: even a *new* connection in the child then believes in locks that it does not hold,
    and when the parent closes, the child's acknowledged commits are gone. Therefore a fork waits until every call has
    given its connection back and closes them all first; parent and child open new ones.

    Foreign exceptions leave wrapped: busy beyond the timeout is `Contention`, a damaged file is `CorruptRecord`,
    anything else `Unavailable`. A connection that raised one of them is closed and not used again.

    Writers of one store queue at a lock instead of polling the file. That also keeps their checkpoints apart: SQLite
    before 3.51.3 has a rare race between two checkpoints and a commit that can damage the file; where several
    processes write, use a release with the fix.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from extlink.errors import Contention, CorruptRecord, Misconfigured, StorageError, Unavailable
from extlink.ports import Key, Version

__all__ = ["Connection", "Connections", "use_wal"]

_PRAGMAS: Final = (
    "PRAGMA synchronous=FULL",  # a commit is on the disk when it returns
    "PRAGMA fullfsync=ON",  # macOS: an ordinary fsync stops at the drive's cache
    "PRAGMA secure_delete=ON",  # what is deleted is overwritten
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
)
# A text for every number of keys, for reads and for guards, and a dozen others.
_CACHED_STATEMENTS: Final = 256
_CHANGES: Final = "PRAGMA data_version"
_SEEN: Final = 10_000
_NOTHING: Final[Mapping[Key, Version]] = MappingProxyType({})
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_RETRY_SECONDS: Final = 0.01


def _wrapped(error: sqlite3.Error, path: str) -> StorageError:
    code = _primary_code(error)
    if code in _BUSY:
        return Contention(f"{path} stayed locked by another writer; nothing was changed, call again ({error})")
    if code in _CORRUPT:
        return CorruptRecord(f"{path} is damaged or no database; restore it from a backup ({error})")
    return Unavailable(f"{path} cannot be used; check disk space and permissions, then call again ({error})")


def _primary_code(error: sqlite3.Error) -> int:
    # Only errors of SQLite itself have a code; extended codes keep the primary one in the low byte.
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


class Connection(sqlite3.Connection):
    """A connection, and the versions that it has seen since the file last changed.

    SQLite counts the changes of a file that others have committed (`PRAGMA data_version`), those of all other
    connections and processes; so while it says the same number, what was seen under that number is still there.
    """

    at: int | None = None
    _seen: dict[Key, Version] | None = None

    @property
    def seen(self) -> Mapping[Key, Version]:
        """The versions that stand as long as `changes` is `at`."""
        return self._seen or _NOTHING

    def changes(self) -> int:
        """Return the number that the commits of others change, and only they."""
        (number,) = self.execute(_CHANGES).fetchone()
        return int(number)

    def saw(self, at: int, versions: Mapping[Key, Version]) -> None:
        """Remember versions that were read after `changes` was `at`, or while it stayed so."""
        if self.at != at or self._seen is None or len(self._seen) > _SEEN:
            self.at, self._seen = at, {}
        self._seen.update(versions)

    def forget(self) -> None:
        """Forget what was seen: what this connection commits itself changes no number of its own."""
        self.at, self._seen = None, None


def _connect(path: str, timeout: float) -> Connection:
    connection = sqlite3.connect(
        path,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_CACHED_STATEMENTS,
        factory=Connection,
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


def use_wal(connection: sqlite3.Connection, timeout: float) -> None:
    """Make the file's journal a WAL, for good.

    Raises:
        Misconfigured: the file system cannot carry one.
    """
    patience = time.monotonic() + timeout
    mode = None
    while mode is None:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError as error:
            # Two first openers of a new file meet here, and SQLite answers "busy" at once instead of waiting.
            if _primary_code(error) not in _BUSY or time.monotonic() > patience:
                raise
            time.sleep(_RETRY_SECONDS)
    if mode != "wal":
        raise Misconfigured(f"expected a file system on which SQLite can keep a WAL, got journal mode {mode}")


class Connections:
    """The connections of one store; taking an idle one and giving it back costs no lock."""

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self.timeout = timeout
        self._idle: list[Connection] = []
        self._writer = threading.Lock()
        # Held to open and to close connections, and for the length of a fork.
        self._gate = threading.Lock()
        self._changed = threading.Condition(self._gate)
        self._open = 0
        self._closed = False
        self._forking = False
        with _FORKING:
            _STORES.add(self)

    def take(self) -> Connection:
        """Return a connection for one call, to be handed to `give` or `fail`.

        Raises:
            StorageError: closed, or the file cannot be opened.
        """
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def give(self, connection: Connection) -> None:
        """Take back a connection after a call that went well."""
        self._idle.append(connection)
        if self._closed or self._forking:
            self._close_idle()

    def fail(self, connection: Connection, error: BaseException) -> NoReturn:
        """Take back a connection after a call that went wrong, its transaction undone, and raise what it says."""
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            self._close(connection)
            raise _wrapped(error, self.path) from error
        self.give(connection)
        raise error

    @contextlib.contextmanager
    def lend(self) -> Generator[Connection]:
        """Lend a connection for one call."""
        connection = self.take()
        try:
            yield connection
        except BaseException as error:  # noqa: BLE001 - raised again by `fail`
            self.fail(connection, error)
        self.give(connection)

    @contextlib.contextmanager
    def transaction(self) -> Generator[Connection]:
        """Lend a connection inside one write transaction, committed at the end and undone by any exception.

        Raises:
            Contention: other writers took longer than the timeout.
        """
        if not self._writer.acquire(timeout=self.timeout):
            raise self._crowded()
        try:
            with self.lend() as connection:
                connection.forget()
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
        finally:
            self._writer.release()

    def _crowded(self) -> Contention:
        return Contention(f"{self.path} was written by others for {self.timeout} s; nothing was changed, call again")

    def empty_log(self) -> None:
        """Carry the log over into the file and cut it to nothing.

        Raises:
            Contention: somebody has been reading for longer than the timeout, or others were writing.
        """
        # Beside the writers of this store, as their own checkpoints are.
        if not self._writer.acquire(timeout=self.timeout):
            raise self._crowded()
        try:
            with self.lend() as connection:
                is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if is_busy:
                    raise Contention(f"{self.path} is read or written by others, so its log stays; call again")
        finally:
            self._writer.release()

    def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        self._closed = True
        self._close_idle()

    def before_fork(self) -> None:
        """Wait for the calls under way, close everything, and let nothing start until `after_fork`."""
        self._writer.acquire()
        with self._gate:
            self._forking = True
        self._close_idle()
        self._gate.acquire()
        while self._open:
            self._changed.wait()

    def after_fork(self) -> None:
        """Go on, in the parent as in the child."""
        self._forking = False
        self._changed.notify_all()
        self._gate.release()
        self._writer.release()

    def _connect(self) -> Connection:
        with self._gate:
            while self._forking:
                self._changed.wait()
            if self._closed:
                raise Unavailable(f"{self.path} was closed; open a new SQLiteStorage")
            try:
                connection = _connect(self.path, self.timeout)
            except sqlite3.Error as error:
                raise _wrapped(error, self.path) from error
            self._open += 1
            return connection

    def _close(self, connection: Connection) -> None:
        with self._gate:
            connection.close()
            self._open -= 1
            self._changed.notify_all()

    def _close_idle(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self._close(self._idle.pop())


# A fork meets every open store of the process; meanwhile there is no other fork and no new store.
_STORES: Final[weakref.WeakSet[Connections]] = weakref.WeakSet()
_FORKING: Final = threading.Lock()
_paused: Final[list[Connections]] = []


def _before_fork() -> None:
    _FORKING.acquire()
    _paused.extend(_STORES)
    for connections in _paused:
        connections.before_fork()


def _after_fork() -> None:
    while _paused:
        _paused.pop().after_fork()
    _FORKING.release()


if hasattr(os, "register_at_fork"):  # pragma: no branch - other systems have no fork
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
