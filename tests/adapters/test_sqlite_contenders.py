"""Processes that share one SQLite file: one token that all of them refresh, and a link that one of them ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pytest

from extlink import access, links, services
from extlink.adapters import _sqlite
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.secret import Secret
from extlink.ports import Entries
from extlink.runtime import ExtLink
from extlink.testing.probes import ACME, pages
from tests.schedules.world import ADDRESS, SCOPE, SERVICE, connected, prepared

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
PROCESSES = 8


class _Process:
    """A program of ours that answers line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._input: IO[str] = process.stdin
        self._output: IO[str] = process.stdout

    def tell(self, line: str) -> None:
        self._input.write(f"{line}\n")
        self._input.flush()

    def hear(self) -> str:
        return self._output.readline().strip()

    def ask(self, line: str) -> str:
        self.tell(line)
        return self.hear()


@contextmanager
def _running(program: str, file: Path) -> Iterator[_Process]:
    command = [sys.executable, "-m", "tests.adapters.sqlite_programs", program, str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _Process(process)
        finally:
            process.kill()


def _contend(processes: Sequence[_Process], token: str) -> list[str]:
    """Let every thread of every process refresh one token, and return what each was given."""
    for process in processes:
        process.tell(token)
    return [given for process in processes for given in process.hear().split(" ")]


def test_one_refresh_token_has_one_successor(tmp_path: Path, deep: bool) -> None:
    """P12: 64 contenders, in eight processes, get the same answer in every round, and one lineage lives on."""
    rounds, file = 1_000 if deep else 100, tmp_path / "links.db"
    with ExitStack() as stack, SQLiteStorage(file) as store:
        _, tenant, _ = prepared(store)
        token = connected(tenant).refresh_token.reveal()
        processes = [stack.enter_context(_running("refresh", file)) for _ in range(PROCESSES)]
        assert ["ready"] * PROCESSES == [process.hear() for process in processes]
        for _ in range(rounds):
            given = _contend(processes, token)
            assert 64 == len(given)
            assert {given[0]} == set(given)
            assert token != given[0]
            token = given[0]
        (link,) = tenant.acting_as("sato").run(links.of("sato"))

        assert "in_use" == str(link.state)
        entries = pages(store, Entries(ACME, limit=1_000))
        refreshed = [one for one in entries if b'"token.refreshed"' in (one.value or b"")]
        assert rounds == len(refreshed)


def _revoke(hub: ExtLink, link: str) -> None:
    hub.tenant("acme").acting_as("sato").run(links.revoke(link))


def _disable(hub: ExtLink, _: str) -> None:
    hub.tenant("acme").acting_as("admin", roles={"common_administrator"}).run(services.disable(SERVICE))


def _quarantine(hub: ExtLink, _: str) -> None:
    hub.host().run(services.quarantine_everywhere(SERVICE, "leak"))


@pytest.mark.parametrize("end", [_revoke, _disable, _quarantine], ids=lambda end: end.__name__[1:])
def test_what_one_process_ended_another_refuses(tmp_path: Path, end: Callable[[ExtLink, str], None]) -> None:
    """P8: a revoke in one process is refused by the other at its very next check, however warm it is."""
    file = tmp_path / "links.db"
    with SQLiteStorage(file) as store, _running("check", file) as other:
        hub, tenant, admin = prepared(store)
        assert "ready" == other.hear()
        for _ in range(10):
            tokens = connected(tenant)
            token = tokens.access_token.reveal()
            assert ["True", "True", "True"] == [other.ask(token) for _ in range(3)]
            end(hub, tokens.link)
            assert "False" == other.ask(token)
            assert not tenant.run(access.check(Secret(token), scope=SCOPE, address=ADDRESS))
            hub.host().run(services.release_everywhere(SERVICE))
            admin.run(services.enable(SERVICE))


def test_a_process_that_never_asks_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: a connection that takes the file for unchanged goes on allowing what another process ended."""
    file = tmp_path / "links.db"
    with SQLiteStorage(file) as store, SQLiteStorage(file) as other:
        hub, tenant, _ = prepared(store)
        tokens = connected(tenant)
        check = access.check(tokens.access_token, scope=SCOPE, address=ADDRESS)
        _, lagging, _ = prepared(other)
        assert [True, True, True] == [bool(lagging.run(check)) for _ in range(3)]
        with monkeypatch.context() as patched:
            patched.setattr(_sqlite.Connection, "changes", lambda connection: connection.at or 1)
            _revoke(hub, tokens.link)

            assert lagging.run(check)
        assert not lagging.run(check)
