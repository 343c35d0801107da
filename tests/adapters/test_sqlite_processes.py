from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from extlink.adapters.sqlite import SQLiteStorage
from extlink.ports import Entries, Storage
from extlink.testing.probes import ACME, at, look, pages, paths, values

ROOT = Path(__file__).resolve().parent.parent.parent
# A store is checked from its first commit on, so a file is left alone before it grows long.
KILLS_PER_FILE = 15


@contextmanager
def _running(program: str, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.adapters.sqlite_programs", program, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def _numbers(program: str, *arguments: object) -> list[int]:
    with _running(program, *arguments) as process:
        numbers = [int(line) for line in _output(process)]
        assert 0 == process.wait()
    return numbers


# Killed


def _kill_at_random(file: Path, rounds: random.Random) -> int:
    """Run the program until it has committed a few times, kill it, and return the last position it printed."""
    with _running("commit_for_ever", file) as process:
        output = _output(process)
        acknowledged = [output.readline() for _ in range(rounds.randint(1, 40))]
        process.kill()
        # What it had printed before it died counts as well; a torn line does not.
        acknowledged += output.readlines()
    return max(int(line) for line in acknowledged if line.endswith(b"\n"))


def _faults_after(store: Storage, acknowledged: int) -> list[str]:
    """Return what is wrong with a store that was killed after it acknowledged a position."""
    entries = pages(store, Entries(ACME, limit=1_000))
    faults = [f"{acknowledged} was acknowledged, {len(entries)} are there"] if len(entries) < acknowledged else []
    count = len(entries) // 2
    expected = [b"%d %s" % (number, part) for number in range(1, count + 1) for part in (b"first", b"second")]
    if expected != [entry.value for entry in entries]:
        faults.append("the ledger is torn")
    if [b"%d" % count] != values(store, at(b"count")):
        faults.append("the count is not the ledger's")
    if len(paths(store)) != 2 * count + 1:
        faults.append("records are missing or too many")
    for number in range(1, count + 1):
        found = look(store, at(b"left/%d" % number), at(b"right/%d" % number))
        if {entry.version for entry in entries[2 * number - 2 : 2 * number]} != {stored.version for stored in found}:
            faults.append(f"batch {number} is half there")
    return faults


@pytest.mark.slow
def test_killed_at_random_nothing_acknowledged_is_lost(tmp_path: Path, deep: bool) -> None:
    """Law 15: kill -9 at any moment, and nothing acknowledged is lost and nothing is left half done."""
    rounds = random.Random(20200609)
    for number in range(500 if deep else 30):
        file = tmp_path / f"{number // KILLS_PER_FILE}.db"
        acknowledged = _kill_at_random(file, rounds)
        with SQLiteStorage(file) as store:
            assert [] == _faults_after(store, acknowledged)


def test_a_lost_or_torn_commit_would_be_seen(tmp_path: Path) -> None:
    """The control: the same look finds a store that lost its last commit, and one that kept half of it."""
    file = tmp_path / "links.db"
    acknowledged = _kill_at_random(file, random.Random(1))
    with SQLiteStorage(file) as store:
        assert [] == _faults_after(store, acknowledged)
        with store._connections.transaction() as connection:
            connection.execute("DELETE FROM record WHERE path = x'6c6566742f31'")
        assert ["records are missing or too many", "batch 1 is half there"] == _faults_after(store, acknowledged)
        with store._connections.transaction() as connection:
            connection.execute("DELETE FROM entry WHERE position = (SELECT max(position) FROM entry)")
        assert {"the ledger is torn", "the count is not the ledger's"} <= set(_faults_after(store, acknowledged))
        with store._connections.transaction() as connection:
            connection.execute("DELETE FROM entry")
        assert f"{acknowledged} was acknowledged, 0 are there" in _faults_after(store, acknowledged)


# Side by side


@pytest.mark.slow
def test_increments_of_several_processes_lose_nothing(tmp_path: Path) -> None:
    """Four processes add one, each fifty times, guarded by what they read."""
    file = tmp_path / "links.db"
    with (
        _running("add", file, 50) as one,
        _running("add", file, 50) as two,
        _running("add", file, 50) as three,
        _running("add", file, 50) as four,
    ):
        for process in (one, two, three, four):
            assert 50 == len(_output(process).readlines())

    with SQLiteStorage(file) as store:
        assert [b"200"] == values(store, at(b"count"))
        assert 200 == len(pages(store, Entries(ACME)))


@pytest.mark.slow
def test_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """One of them makes the tables, all of them write."""
    for number in range(5):
        file = tmp_path / f"{number}.db"
        with _running("open_it", file) as one, _running("open_it", file) as two, _running("open_it", file) as three:
            processes = (one, two, three)
            for process in processes:
                assert b"0\n" == _output(process).readline()
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(b"\n")
                process.stdin.flush()
            assert [b"1\n"] * 3 == [_output(process).readline() for process in processes]
        with SQLiteStorage(file) as store:
            assert 3 == len(paths(store))


# Forked


def test_a_fork_carries_no_connection(tmp_path: Path) -> None:
    """What the child was told is committed is there after the parent closed its store."""
    assert [*range(10), 10] == _numbers("fork", tmp_path / "links.db", "with hooks")


def test_without_the_hooks_a_fork_loses_commits(tmp_path: Path) -> None:
    """The control: SQLite's own locks do not survive a fork, and acknowledged commits are gone."""
    *acknowledged, found = _numbers("fork", tmp_path / "links.db", "without hooks")

    assert [*range(10)] == acknowledged
    assert 0 == found


@pytest.mark.slow
def test_a_fork_waits_for_the_calls_of_other_threads(tmp_path: Path) -> None:
    """Forked while threads read and write, no child meets a lock that nobody will open again."""
    assert [0] * 5 + [5] == _numbers("fork_under_load", tmp_path / "links.db")
