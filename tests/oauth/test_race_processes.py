"""The same races between processes, each with connections, memory and randomness of its own, on one SQLite file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest

from extlink import access
from extlink.adapters.sqlite import SQLiteStorage
from extlink.http import Request
from tests.oauth.attacked import attacked, members
from tests.schedules.world import ADDRESS, SCOPE

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _race(file: Path, asked: Request, count: int) -> Counter[tuple[int, str]]:
    """Send a request `count` times from several processes at once; return how often which answer came."""
    body = file.with_suffix(".body")
    body.write_bytes(asked.body)
    command = [sys.executable, "-m", "tests.oauth.race_programs", str(file), str(body), str(count // PROCESSES)]
    counted: Counter[tuple[int, str]] = Counter()
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen([*command, str(20 + one)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            for one in range(PROCESSES)
        ]
        for process in running:
            stack.callback(process.kill)
            assert b"ready\n" == _pipe(process.stdout).readline()
        for process in running:
            _pipe(process.stdin).write(b"\n")
            _pipe(process.stdin).flush()
        for process in running:
            for status, text, number in json.loads(_pipe(process.stdout).readline()):
                counted[status, text] += number
    return counted


@pytest.mark.slow
def test_two_hundred_redemptions_by_four_processes(tmp_path: Path, deep: bool) -> None:
    """One of them wins, all others are told `invalid_grant`, and what the winner got is dead (ASVS 10.4.2)."""
    for number in range(10 if deep else 1):
        file = tmp_path / f"{number}.db"
        with SQLiteStorage(file) as storage:
            target = attacked(storage)
            counted = _race(file, target.redemption(target.code()), 200)
            (won,) = (json.loads(text) for status, text in counted if status == 200)

            assert {200: 1, 400: 199} == _by_status(counted)
            assert {"invalid_grant"} == {json.loads(text)["error"] for status, text in counted if status == 400}
            assert not target.tenant.run(access.check(won["access_token"], scope=SCOPE, address=ADDRESS))
            assert 400 == target.server.serve(target.tenant, target.refreshing(won["refresh_token"])).status


@pytest.mark.slow
def test_two_hundred_refreshes_by_four_processes(tmp_path: Path, deep: bool) -> None:
    """All get the identical successor, and the lineage goes on."""
    for number in range(10 if deep else 1):
        file = tmp_path / f"{number}.db"
        with SQLiteStorage(file) as storage:
            target = attacked(storage)
            counted = _race(file, target.refreshing(target.connected()["refresh_token"]), 200)
            ((status, text),) = counted

            assert (200, 200) == (status, counted[status, text])
            onward = target.server.serve(target.tenant, target.refreshing(json.loads(text)["refresh_token"]))
            assert 200 == onward.status
            assert target.is_active(members(onward)["access_token"])


def _by_status(counted: Counter[tuple[int, str]]) -> dict[int, int]:
    found: Counter[int] = Counter()
    for (status, _), number in counted.items():
        found[status] += number
    return dict(found)
