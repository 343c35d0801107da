from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters import sqlite_programs
from tests.processes import running

ROOT = Path(__file__).resolve().parent.parent

ABANDONING = """
import os, signal, sys
from tests.adapters import emergency_programs, programs, sqlite_programs
from tests.adapters.acknowledged import Chain
from tests.adapters.places import Place
from tests.processes import nursing, running

first, second, third = (f"{sys.argv[1]}/{number}.db" for number in range(3))
Chain.make(Place(first))
chain = Chain.make(Place(third))
with (
    running(sqlite_programs.busy, first) as busy,
    running(programs.check, first, "", "sound") as check,
    running(emergency_programs.knock, first) as knock,
    running(programs.write, second, "", "one") as write,
    nursing(programs.exchange) as nursery,
):
    for process in (busy, check, knock, write):
        process.hear()
    words = (*chain.place, 0, chain.held, "keyed")
    nursery.let_die(lambda line: os.kill(os.getpid(), signal.SIGKILL), *words, after=1, spin=0)
"""


@pytest.mark.slow
def test_programs_end_with_the_test_that_runs_them(tmp_path: Path) -> None:
    """Killed in the middle of everything, a test leaves no process behind: none holds on to the output they share."""
    done = subprocess.run(
        [sys.executable, "-c", ABANDONING, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE, timeout=60, check=False
    )

    assert -9 == done.returncode


def test_a_program_that_breaks_is_told_from_one_that_is_silent() -> None:
    """A test that waits for an answer does not wait for ever, and a bad end is no end."""
    with running(sqlite_programs.busy) as process, pytest.raises(AssertionError, match="ended without an answer"):
        process.hear()
    with running(sqlite_programs.busy) as process, pytest.raises(AssertionError):
        process.finish()
