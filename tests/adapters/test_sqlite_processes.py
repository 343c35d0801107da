"""Processes that share one SQLite file in ways that no server knows: they make it together, and they fork."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from extlink.adapters.sqlite import SQLiteStorage
from extlink.testing.probes import paths
from tests.adapters import sqlite_programs
from tests.processes import Program, running


@pytest.mark.slow
def test_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """One of them makes the tables, all of them write."""
    with ExitStack() as stack:
        processes = [stack.enter_context(running(sqlite_programs.open_all)) for _ in range(3)]
        assert ["here"] * 3 == [process.hear() for process in processes]
        for number in range(5):
            file = tmp_path / f"{number}.db"
            for process in processes:
                process.tell(str(file))
            assert ["done"] * 3 == [process.hear() for process in processes]
            with SQLiteStorage(file) as store:
                assert 3 == len(paths(store))


# Forked


def _numbers(program: Program, *arguments: object) -> list[int]:
    with running(program, *arguments) as process:
        return list(map(int, process.finish()))


def test_a_fork_carries_no_connection(tmp_path: Path) -> None:
    """What the child was told is committed is there after the parent closed its store."""
    assert [*range(10), 10] == _numbers(sqlite_programs.fork, tmp_path / "links.db", "with hooks")


def test_without_the_hooks_a_fork_loses_commits(tmp_path: Path) -> None:
    """The control: SQLite's own locks do not survive a fork, and acknowledged commits are gone."""
    *acknowledged, found = _numbers(sqlite_programs.fork, tmp_path / "links.db", "without hooks")

    assert [*range(10)] == acknowledged
    assert 0 == found


@pytest.mark.slow
def test_a_fork_waits_for_the_calls_of_other_threads(tmp_path: Path) -> None:
    """Forked while threads read and write, no child meets a lock that nobody will open again."""
    assert [0] * 5 + [5] == _numbers(sqlite_programs.fork_under_load, tmp_path / "links.db")
