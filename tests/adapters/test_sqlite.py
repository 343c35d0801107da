from __future__ import annotations

import gc
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from extlink.adapters import _sqlite
from extlink.adapters.sqlite import _PUT, SQLiteStorage
from extlink.domain.instant import Instant
from extlink.errors import Conflict, Contention, CorruptRecord, Misconfigured, Unavailable
from extlink.ports import ABSENT, Guard, Key, Records, Stored, Version, Write
from extlink.testing import check_storage
from extlink.testing.probes import ACME, at, batch, ledger, paths, put, together, values

OLD_RELEASES = ((3, 36, 0), (3, 24, 0))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file for the store."""
    return tmp_path / "links.db"


@pytest.fixture
def store(file: Path) -> Iterator[SQLiteStorage]:
    """Open a store that does not wait."""
    with SQLiteStorage(file, timeout=0.05) as store:
        yield store


def _query(file: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


# How it is set


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1), ("trusted_schema", 0)],
)
def test_every_connection_is_set_for_durability(store: SQLiteStorage, pragma: str, expected: object) -> None:
    """A commit that returned is on the disk, what is deleted is overwritten."""
    with store._connections.lend() as connection:
        assert expected == connection.execute(f"PRAGMA {pragma}").fetchone()[0]


def test_the_tables_take_no_value_of_another_type(file: Path, store: SQLiteStorage) -> None:
    """The tables are strict and clustered by tenant."""
    tables = _query(file, "SELECT name, wr, strict FROM pragma_table_list WHERE name IN ('head', 'record', 'entry')")

    assert [("entry", 1, 1), ("head", 1, 1), ("record", 1, 1)] == sorted(tables)


@pytest.mark.parametrize("release", OLD_RELEASES)
def test_older_releases_of_sqlite_do_without_strict_tables(
    file: Path, monkeypatch: pytest.MonkeyPatch, release: tuple[int, int, int]
) -> None:
    """From 3.24 on; before 3.37 the tables are not strict, and everything else is the same."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", release)
    check_storage(lambda: SQLiteStorage(file), only=["a_batch_is_applied_once"])

    assert [(0,)] == _query(file, "SELECT DISTINCT strict FROM pragma_table_list WHERE name IN ('head', 'record')")


def test_a_sqlite_without_upserts_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said when the store is opened, not when the first commit fails."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 23, 1))

    with pytest.raises(Misconfigured, match=r"SQLite 3\.24"):
        SQLiteStorage(file)


def test_the_head_keeps_the_newest_instant(file: Path, store: SQLiteStorage) -> None:
    """The time floor never goes back."""
    for instant in (5, 9, 7):
        store.commit(attrs.evolve(batch(Write(at(b"a"), b"x")), at=Instant(instant)))

    assert [(3, 9)] == _query(file, "SELECT position, floor FROM head")


# Where it is


@pytest.mark.parametrize("path", ["", ":memory:", "a\x00b", b"bytes", None, 5, object()])
def test_what_is_no_path_is_refused(path: object) -> None:
    """A store that keeps nothing is another class; anything but a path is the host's mistake."""
    with pytest.raises(Misconfigured, match="expected the path of a file"):
        SQLiteStorage(path)  # type: ignore[arg-type]


def test_a_folder_that_is_missing_makes_the_store_unavailable(tmp_path: Path) -> None:
    """It may be a disk that is not mounted yet."""
    with pytest.raises(Unavailable, match="unable to open") as caught:
        SQLiteStorage(tmp_path / "missing" / "links.db")

    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)


def test_a_file_that_is_no_database_is_corrupt(file: Path) -> None:
    """Nothing is overwritten."""
    file.write_bytes(b"a letter to a friend, which is long enough to be looked at" * 100)
    before = file.read_bytes()

    with pytest.raises(CorruptRecord, match="no database"):
        SQLiteStorage(file)
    assert before == file.read_bytes()


def test_the_database_of_another_program_is_left_alone(file: Path) -> None:
    """Not one byte of it changes, its journal mode included."""
    _query(file, "CREATE TABLE theirs (a)")
    before = file.read_bytes()

    with pytest.raises(Misconfigured, match="another program"):
        SQLiteStorage(file)
    assert before == file.read_bytes()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("INSERT INTO schema_file VALUES (9999, '9999_future.sql', 'x')", "9999.*newer release"),
        ("UPDATE schema_file SET checksum = 'x'", "not the one the database was made with"),
    ],
)
def test_a_database_of_another_release_is_refused(file: Path, change: str, problem: str) -> None:
    """A newer schema file, or a known one with other content: nothing is guessed."""
    SQLiteStorage(file).close()
    _query(file, change)

    with pytest.raises(Misconfigured, match=problem):
        SQLiteStorage(file)


def test_opening_again_needs_no_turn_to_write(file: Path) -> None:
    """A process starts while another one is in the middle of a long commit."""
    SQLiteStorage(file).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with SQLiteStorage(file, timeout=0) as store:
            assert [None] == values(store, at(b"a"))


def test_a_relative_path_stays_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host may change its working folder."""
    monkeypatch.chdir(tmp_path)
    with SQLiteStorage("links.db") as store:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)
        together(*[partial(put, store, at(b"a"), b"x")] * 3)

    assert (tmp_path / "links.db").exists()
    assert [] == list(elsewhere.iterdir())


# What is deleted


def _is_in_the_file_after_its_end(file: Path, size: int, last: bytes | None, *, secure_delete: str) -> bool:
    secret = b"the digest that was deleted"
    with SQLiteStorage(file) as store:
        with store._connections.lend() as connection:
            connection.execute(f"PRAGMA secure_delete={secure_delete}")
        for number in range(20):
            put(store, at(b"%d" % number), b"x" * 300)
        put(store, at(b"a"), secret * (size // len(secret) + 1))
        put(store, at(b"a"), last)
    _query(file, "PRAGMA wal_checkpoint(TRUNCATE)")
    return secret in file.read_bytes()


@pytest.mark.parametrize("size", [20, 2_000, 60_000])
@pytest.mark.parametrize("last", [None, b"", b"y"])
def test_a_deleted_value_is_not_in_the_file(file: Path, size: int, last: bytes | None) -> None:
    """After a checkpoint the main file holds no byte of a value that was deleted or replaced."""
    assert not _is_in_the_file_after_its_end(file, size, last, secure_delete="ON")


def test_without_secure_delete_it_would_be(file: Path) -> None:
    """The control: the same look finds what was not erased."""
    assert _is_in_the_file_after_its_end(file, 60_000, None, secure_delete="OFF")


# Other writers


def test_a_writer_that_does_not_get_its_turn_is_told(file: Path, store: SQLiteStorage) -> None:
    """Another process holds the file: `Contention`, nothing changed, reads go on, and later it works."""
    put(store, at(b"a"), b"before")
    one = batch(Write(at(b"a"), b"after"))
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Contention, match="locked") as caught:
            store.commit(one)
        assert [b"before"] == values(store, at(b"a"))

    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert 2 == store.commit(one)


def test_a_thread_that_does_not_get_its_turn_is_told(store: SQLiteStorage) -> None:
    """Other threads hold the queue."""
    with store._connections._writer, pytest.raises(Contention, match="nothing was changed"):
        put(store, at(b"a"), b"x")

    assert [None] == values(store, at(b"a"))


def test_one_thread_needs_one_connection(store: SQLiteStorage) -> None:
    """Calls one after the other meet the same warm connection; none is opened for each."""
    for number in range(20):
        put(store, at(b"a"), b"%d" % number)
        paths(store)

    assert 1 == store._connections._open
    together(*[partial(values, store, at(b"a"))] * 4)
    assert store._connections._open <= 5


# What a connection remembers to have seen


def _records(store: SQLiteStorage) -> dict[bytes, Version]:
    """Write five records, and return the version of each under its name."""
    return {name: put(store, at(name), name) for name in (b"a", b"b", b"c", b"d", b"e")}


def _known(versions: dict[bytes, Version]) -> dict[Key, Version]:
    return {at(name): version for name, version in versions.items()}


def _statements(store: SQLiteStorage, call: Callable[[], object]) -> list[str]:
    """Return the statements that a call runs."""
    seen: list[str] = []
    with store._connections.lend() as connection:
        connection.set_trace_callback(seen.append)
    call()
    with store._connections.lend() as connection:
        connection.set_trace_callback(None)
    return seen


def test_what_was_seen_is_not_read_again_while_nobody_writes(store: SQLiteStorage) -> None:
    """The file is asked whether it has changed, and nothing else; what is absent stays so."""
    known = _known(_records(store))
    keys = [*known, at(b"absent")]
    first = store.read(keys, known)

    answers: list[Sequence[Stored]] = []
    asked = _statements(store, lambda: answers.append(store.read(keys, known)))

    assert ["PRAGMA data_version"] == asked
    assert [first] == answers
    assert [*known.values(), ABSENT] == [one.version for one in first]


def test_only_what_was_not_seen_is_read(store: SQLiteStorage) -> None:
    """A record that the caller does not know, or that nobody asked for yet, is read, of the same moment."""
    known = _known(_records(store))
    store.read([*known], known)
    partly = {key: version for key, version in known.items() if key != at(b"a")}

    answers: list[Sequence[Stored]] = []
    asked = _statements(store, lambda: answers.append(store.read([*known, at(b"f")], partly)))

    assert [1, 1] == [asked[0].count("UNION ALL"), asked.count("PRAGMA data_version")]
    assert [b"a", None, None, None, None, None] == [one.value for one in answers[0]]
    assert [*known.values(), ABSENT] == [one.version for one in answers[0]]


def _by_the_store(_: Path, store: SQLiteStorage, write: Write) -> None:
    store.commit(batch(write))


def _by_another_store(file: Path, _: SQLiteStorage, write: Write) -> None:
    with SQLiteStorage(file) as other:
        other.commit(batch(write))


def _by_another_connection(file: Path, store: SQLiteStorage, write: Write) -> None:
    with store._connections.lend():
        _by_the_store(file, store, write)


def _by_another_process(file: Path, _: SQLiteStorage, write: Write) -> None:
    change = "DELETE FROM record WHERE path = ?" if write.value is None else _PUT
    values = [write.key.path] if write.value is None else [*write.key, 12345, write.value]
    program = (
        "import ast, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "c.execute(sys.argv[2], ast.literal_eval(sys.argv[3])); c.commit()"
    )
    subprocess.run([sys.executable, "-c", program, file, change, repr(values)], check=True)


_WRITERS = [_by_the_store, _by_another_store, _by_another_connection, _by_another_process]


def _sees(file: Path, store: SQLiteStorage, writer: Callable[[Path, SQLiteStorage, Write], None]) -> bool:
    """Whether a store's next read sees that a record it has seen was written, deleted, and one it missed made."""
    known = _known(_records(store))
    keys = [*known, at(b"absent")]
    for write in (Write(at(b"a"), b"new"), Write(at(b"b"), None), Write(keys[-1], b"x")):
        store.read(keys, known)
        store.read(keys, known)
        writer(file, store, write)
        (found,) = [one for one in store.read(keys, known) if one.key == write.key]
        if found.version == known.get(write.key, ABSENT) or found.value != write.value:
            return False
    return True


@pytest.mark.parametrize("writer", _WRITERS)
def test_a_change_by_anybody_is_seen_by_the_next_read(
    file: Path, store: SQLiteStorage, writer: Callable[[Path, SQLiteStorage, Write], None]
) -> None:
    """Whoever committed it: this store on this connection or another, another store, another process (P8, P11)."""
    assert _sees(file, store, writer)


@pytest.mark.parametrize("writer", _WRITERS[1:])
def test_a_connection_that_never_asks_is_caught(
    file: Path,
    store: SQLiteStorage,
    monkeypatch: pytest.MonkeyPatch,
    writer: Callable[[Path, SQLiteStorage, Write], None],
) -> None:
    """The broken twin: what was seen is believed for ever."""
    monkeypatch.setattr(_sqlite.Connection, "changes", lambda _: 1)

    assert not _sees(file, store, writer)


def test_a_connection_that_believes_itself_is_caught(
    file: Path, store: SQLiteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: a connection's own commits change no number that it is told."""
    monkeypatch.setattr(_sqlite.Connection, "forget", lambda _: None)

    assert not _sees(file, store, _by_the_store)


def test_a_caller_may_know_what_is_no_version(store: SQLiteStorage) -> None:
    """What was never seen equals no number that a caller may name as known."""
    known = _known(_records(store))
    for _ in range(2):
        store.read(list(known), known)
    strange = {**known, at(b"absent"): Version(-1)}

    assert [*known.values(), ABSENT] == [one.version for one in store.read(list(strange), strange)]


def test_what_is_remembered_to_be_seen_is_bounded(store: SQLiteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound a connection begins anew, and answers as before."""
    monkeypatch.setattr(_sqlite, "_SEEN", 6)
    known = _known(_records(store))
    for number in range(20):
        keys = [*known, at(b"absent %d" % number)]
        found = store.read(keys, known)

        assert [*known.values(), ABSENT] == [one.version for one in found]
        with store._connections.lend() as connection:
            assert len(connection.seen) <= 8


# Faults


class _Faulty:
    """A connection whose n-th statement fails, before it is carried out or after."""

    def __init__(self, connection: sqlite3.Connection, number: int, late: bool, error: BaseException) -> None:
        self._connection = connection
        self._left = number
        self._late = late
        self._error = error

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def changes(self) -> int:
        return _sqlite.Connection.changes(self)  # type: ignore[arg-type]

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> object:
        return self._call(self._connection.execute, statement, parameters)

    def executemany(self, statement: str, parameters: Sequence[object]) -> object:
        return self._call(self._connection.executemany, statement, parameters)

    def _call(self, call: Callable[..., object], statement: str, parameters: Sequence[object]) -> object:
        self._left -= 1
        if self._left == 0 and not self._late:
            raise self._error
        answer = call(statement, parameters)
        if self._left == 0:
            raise self._error
        return answer


def _break(store: SQLiteStorage, number: int, late: bool, error: BaseException) -> None:
    connections = store._connections
    connections.give(_Faulty(connections.take(), number, late, error))  # type: ignore[arg-type]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("fault", [sqlite3.OperationalError("disk I/O error"), KeyboardInterrupt(), MemoryError()])
def test_a_fault_at_any_statement_of_a_commit(file: Path, fault: BaseException, late: bool) -> None:
    """Each statement in turn fails: all or nothing, a typed error, and the same batch again settles which it was."""
    expected = Unavailable if isinstance(fault, sqlite3.Error) else type(fault)
    outcomes: list[bool] = []
    with SQLiteStorage(file) as store:
        for number in range(1, 10):
            new, gone = at(b"%02d" % number), at(b"gone")
            guards = [Guard(gone, put(store, gone, b"x"))]
            before = paths(store), ledger(store)
            one = batch(Write(new, b"x"), Write(gone, None), guards=guards, entries=[b"1", b"2"])
            _break(store, number, late, fault)
            with pytest.raises(expected):
                store.commit(one)
            outcomes.append(values(store, new) == [b"x"])
            assert outcomes[-1] or before == (paths(store), ledger(store))
            assert len(before[1]) + 2 == store.commit(one)
            assert [b"x", None] == values(store, new, gone)
        _break(store, 10, late, fault)
        put(store, at(b"a"), b"a commit has nine statements")

    # BEGIN, batch, head, guards, puts, deletions, position, entries, COMMIT; only a fault after COMMIT comes too late.
    assert [False] * 8 + [late] == outcomes


@pytest.mark.parametrize("call", [lambda store: values(store, at(b"a")), paths, ledger])
def test_a_fault_of_a_read_is_typed_and_passes(store: SQLiteStorage, call: Callable[[SQLiteStorage], object]) -> None:
    """The connection that failed is closed, and the next call opens another."""
    put(store, at(b"a"), b"x")
    _break(store, 1, False, sqlite3.OperationalError("disk I/O error"))
    with pytest.raises(Unavailable, match="disk I/O error") as caught:
        call(store)

    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert [b"x"] == values(store, at(b"a"))


def test_an_interrupted_read_gives_its_connection_back(store: SQLiteStorage) -> None:
    """What is no error of SQLite passes through as it is."""
    _break(store, 1, False, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        values(store, at(b"a"))

    assert [None] == values(store, at(b"a"))
    assert 1 == store._connections._open


def test_a_conflict_leaves_no_transaction_open(store: SQLiteStorage) -> None:
    """The connection goes back to work at once."""
    put(store, at(b"a"), b"x")
    with pytest.raises(Conflict):
        store.commit(batch(guards=[Guard(at(b"a"), ABSENT)]))

    with store._connections.lend() as connection:
        assert not connection.in_transaction
    assert 1 == store._connections._open


def test_a_full_disk_changes_nothing(file: Path, store: SQLiteStorage) -> None:
    """`Unavailable`, all or nothing, and it works again when there is room."""
    put(store, at(b"a"), b"before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = batch(*[Write(at(b"%d" % number), b"x" * 60_000) for number in range(20)])
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(Unavailable):
            store.commit(large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert [b"a"] == paths(store)
    assert 2 == store.commit(large)
    assert 21 == len(paths(store))


def test_a_read_only_database_is_unavailable(store: SQLiteStorage) -> None:
    """Reads go on."""
    put(store, at(b"a"), b"x")
    with store._connections.lend() as connection:
        connection.execute("PRAGMA query_only=ON")
    with pytest.raises(Unavailable, match="readonly"):
        put(store, at(b"a"), b"y")

    assert [b"x"] == values(store, at(b"a"))


def test_a_damaged_page_is_a_corrupt_record(file: Path) -> None:
    """It is never guessed at."""
    with SQLiteStorage(file) as store:
        for number in range(50):
            put(store, at(b"%02d" % number), b"x" * 1_000)
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))

    with pytest.raises(CorruptRecord, match="damaged") as caught, SQLiteStorage(file) as store:
        values(store, *[at(b"%02d" % number) for number in range(50)])
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)


# Its end


def test_a_closed_store_says_so(file: Path) -> None:
    """Every call raises `Unavailable`; closing twice is no error."""
    store = SQLiteStorage(file)
    store.close()
    store.close()
    for call in (partial(put, store, at(b"a"), b"x"), partial(values, store, at(b"a")), partial(paths, store)):
        with pytest.raises(Unavailable, match="closed"):
            call()


def test_closing_waits_for_no_call_and_breaks_none(file: Path) -> None:
    """A call under way ends as if nothing had happened, and its connection is closed then."""
    store = SQLiteStorage(file)
    put(store, at(b"a"), b"x")
    with store._connections.lend() as connection:
        store.close()
        assert [(1,)] == connection.execute("SELECT count(*) FROM record").fetchall()

    assert 0 == store._connections._open
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


def test_a_forgotten_store_closes_itself(file: Path) -> None:
    """No connection outlives the store; the WAL is folded into the file."""
    store = SQLiteStorage(file)
    put(store, at(b"a"), b"x")
    connections = store._connections
    del store
    gc.collect()

    assert 0 == connections._open
    assert [file] == list(file.parent.iterdir())


def test_threads_may_end_before_the_store(store: SQLiteStorage) -> None:
    """No connection is bound to the thread that opened it."""
    for number in range(3):
        thread = threading.Thread(target=put, args=(store, at(b"%d" % number), b"x"))
        thread.start()
        thread.join()

    assert [b"0", b"1", b"2"] == [item.key.path for item in store.list(Records(ACME, b"")).items]
    assert 1 == store._connections._open


# A fork, played with threads


def _wait_until(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    while not true():
        pause.wait(0.001)


def test_a_fork_waits_for_calls_and_calls_wait_for_a_fork(store: SQLiteStorage) -> None:
    """Before a fork the last call gives its connection back; a call that begins meanwhile waits for the end."""
    connections = store._connections
    forked = threading.Event()

    def fork() -> None:
        connections.before_fork()
        forked.set()
        assert 0 == connections._open
        connections.after_fork()

    with connections.lend() as connection:
        forking = threading.Thread(target=fork)
        forking.start()
        _wait_until(lambda: connections._forking)
        reading = threading.Thread(target=values, args=(store, at(b"a")))
        reading.start()
        # Both wait: the fork for this call, the read for the fork.
        _wait_until(lambda: len(connections._changed._waiters) == 2)  # type: ignore[attr-defined]
        assert not forked.is_set()
        assert [(0,)] == connection.execute("SELECT count(*) FROM record").fetchall()
    forking.join()
    reading.join()

    assert forked.is_set()
    assert [None] == values(store, at(b"a"))


def test_a_fork_meets_every_open_store(file: Path, store: SQLiteStorage) -> None:
    """The hooks of the process close and release all of them."""
    with SQLiteStorage(file) as other:
        _sqlite._before_fork()
        assert [0, 0] == [each._connections._open for each in (store, other)]
        assert store._connections._writer.locked()
        _sqlite._after_fork()
        assert [2, 3] == [store.commit(batch(entries=[b"1", b"2"])), other.commit(batch())]


# The journal


class _Busy(sqlite3.Connection):
    """A connection on which a few statements fail."""

    errors: Sequence[sqlite3.Error] = ()

    def execute(self, statement: str, parameters: object = ()) -> sqlite3.Cursor:
        if self.errors:
            error, *self.errors = self.errors
            raise error
        return super().execute("SELECT 'wal'")


def _busy_error(file: Path) -> sqlite3.Error:
    with closing(sqlite3.connect(file, isolation_level=None)) as one:
        one.execute("BEGIN EXCLUSIVE")
        with closing(sqlite3.connect(file, timeout=0)) as other, pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("PRAGMA journal_mode=WAL")
    return caught.value


@pytest.fixture
def busy() -> Iterator[_Busy]:
    """Open a connection that can be made to fail."""
    with closing(sqlite3.connect(":memory:", factory=_Busy)) as connection:
        yield connection


def test_first_openers_wait_for_each_other(file: Path, busy: _Busy) -> None:
    """Switching to a WAL is tried again while others do the same, and given up after the timeout."""
    busy.errors = [_busy_error(file)] * 3
    _sqlite.use_wal(busy, timeout=10)

    assert [] == busy.errors
    busy.errors = [_busy_error(file)] * 3
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        _sqlite.use_wal(busy, timeout=-1)


def test_another_error_of_the_journal_is_raised_at_once(busy: _Busy) -> None:
    """Only "busy" is worth waiting for."""
    busy.errors = [sqlite3.OperationalError("disk I/O error")]
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        _sqlite.use_wal(busy, timeout=10)


def test_a_file_system_without_a_wal_is_refused() -> None:
    """Without shared memory, say: durability is not promised by halves."""
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(Misconfigured, match="journal mode memory"):
        _sqlite.use_wal(connection, timeout=0)
