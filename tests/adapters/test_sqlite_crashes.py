"""Killed at random under load, and at every call of the store (law 15, PROMISES P15 and P19).

Nothing acknowledged is lost, nothing is half done, and a command that is delivered again under its key has one effect.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import attrs
import pytest

from extlink import links
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.identifier import LinkId, TenantId
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Contention
from extlink.ports import ABSENT, Entries, Guard, Key, Position, Records, Stored, Write, components, prefix
from extlink.records import link_key
from extlink.testing.probes import at, batch, pages, put
from tests.schedules.world import CLIENT, TENANT, connected, hub_over, prepared

ROOT = Path(__file__).resolve().parent.parent.parent
ACME = TENANT.encode()
Pipes = tuple[IO[bytes], IO[bytes]]
# A file is checked from its first exchange on, so another one is begun before it grows long.
KILLS_PER_FILE = 100


class Fault(AssertionError):
    """Something acknowledged was lost, half done, or done twice."""


@contextmanager
def _running(program: str, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.adapters.sqlite_programs", program, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def _pipes(process: subprocess.Popen[bytes]) -> Pipes:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


@attrs.define
class Chain:
    """One link on a file, whose refresh tokens a client exchanges one after another.

    Args:
        done: how many exchanges were acknowledged, and `held` the token that the last one gave.
        start: how many entries the ledger had before the first.
    """

    file: Path
    link: str
    held: str
    start: int
    done: int = 0

    @classmethod
    def make(cls, file: Path) -> Chain:
        """Connect sato on a new file."""
        with SQLiteStorage(file) as store:
            _, tenant, _ = prepared(store)
            tokens = connected(tenant)
            start = len(pages(store, Entries(ACME, limit=1_000)))
        return cls(file, tokens.link, tokens.refresh_token.reveal(), start)

    def acknowledge(self, line: bytes) -> None:
        """Take what a child printed: the number of exchanges, and the token that the last one gave."""
        number, token = line.split()
        self.done, self.held = int(number), token.decode()

    def judge(self) -> int:
        """Require that the store holds the acknowledged exchanges, at most one more, and each of them wholly."""
        with SQLiteStorage(self.file) as store:
            entries = pages(store, Entries(ACME, Position(self.start), 1_000))
            place = link_key(TenantId(TENANT), LinkId(self.link))
            (stored,) = store.read([place.key], {})
            outcomes = pages(store, Records(ACME, prefix("i"), limit=1_000))
        names = [json.loads(entry.value or b"")["event"] for entry in entries]
        count = len(names)
        if not self.done <= count <= self.done + 1 or set(names) - {"token.refreshed"}:
            raise Fault(f"{self.done} exchanges were acknowledged, the last entries are {names[self.done - 2 :]}")
        generation = place.decode(stored.value or b"")[0].rotation.generation
        if (count + 1, count) != (generation, len(outcomes)):
            raise Fault(f"{count} entries, generation {generation}, {len(outcomes)} outcomes")
        if entries and {entries[-1].version} != {stored.version} | {max(outcomes, key=_stamp).version}:
            raise Fault("the link, the last entry and the last outcome are of different batches")
        return count

    def settle(self, *, keyed: bool = True) -> None:
        """Deliver the exchange that was under way once more."""
        with SQLiteStorage(self.file) as store:
            key = f"exchange {self.done}" if keyed else None
            tenant = hub_over(store, seed=self.done + 1_000).tenant(TENANT)
            tokens = tenant.run(links.refresh(Secret(self.held), client=CLIENT), idempotency_key=key)
        if not isinstance(tokens, TokenSet):
            raise Fault(f"the last acknowledged token is not good: {tokens}")
        self.done, self.held = self.done + 1, tokens.refresh_token.reveal()


def _stamp(outcome: Stored) -> int:
    """Return the number of the exchange that an outcome is of."""
    return int(components(outcome.key.path)[-1].removeprefix("exchange "))


def _let_die(pipes: Pipes, chain: Chain, *, after: int = 0, spin: int = 0, call: int = 0, moment: str = "-") -> None:
    """Let a child go on with a chain; kill it after some acknowledgements, or let it kill itself at a call."""
    to_nursery, output = pipes
    keyed = "plain" if moment.endswith("plain") else "keyed"
    line = f"{chain.done} {chain.held} {keyed} {call} {moment.partition(' ')[0]}\n"
    to_nursery.write(line.encode())
    to_nursery.flush()
    child = int(output.readline().removeprefix(b"child "))
    read = 0
    while call or read < after:
        answer = output.readline()
        if answer == b"dead\n":
            return
        chain.acknowledge(answer)
        read += 1
    # Anywhere in the next exchange: a commit takes a millisecond or two.
    for _ in range(spin):
        pass
    os.kill(child, signal.SIGKILL)
    # What it had printed before it died counts as well.
    while (answer := output.readline()) != b"dead\n":
        chain.acknowledge(answer)


@pytest.mark.slow
def test_killed_at_random_a_command_has_one_effect(tmp_path: Path, deep: bool) -> None:
    """Hundreds of kill -9 beside another writer; each time the exchange under way is delivered again under its key."""
    rounds = random.Random(20200609)
    left = 10_000 if deep else 500
    while left:
        chain = Chain.make(tmp_path / f"{left}.db")
        with _running("nursery", chain.file) as nursery, _running("write_for_ever", chain.file) as busy:
            _pipes(busy)[1].readline()
            for _ in range(min(left, KILLS_PER_FILE)):
                left -= 1
                _let_die(_pipes(nursery), chain, after=rounds.choice((0, 1, 1, 2, 3)), spin=rounds.randrange(200_000))
                chain.judge()
        chain.settle()
        assert chain.done == chain.judge()


CALLS = [(call, moment) for call in range(1, 10) for moment in ("before", "after")]


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pipes, Path]]:
    """Run a nursery over one path, on which each test puts a chain of its own."""
    path = tmp_path_factory.mktemp("nursery") / "links.db"
    with _running("nursery", path) as process:
        yield _pipes(process), path


def _fresh(path: Path) -> Chain:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    return Chain.make(path)


@pytest.mark.slow
@pytest.mark.parametrize(("call", "moment"), CALLS)
def test_killed_at_each_call_a_command_has_one_effect(nursery: tuple[Pipes, Path], call: int, moment: str) -> None:
    """At every call of two exchanges, before it and after it took effect."""
    pipes, path = nursery
    chain = _fresh(path)
    _let_die(pipes, chain, call=call, moment=moment)

    done = chain.judge()
    chain.settle()

    assert max(done, chain.done - 1) <= chain.judge() == chain.done


@pytest.mark.slow
def test_without_a_key_a_restart_makes_two(nursery: tuple[Pipes, Path]) -> None:
    """The broken twin: killed after the commit and before the answer, and delivered again without a key."""
    pipes, path = nursery
    chain = _fresh(path)
    _let_die(pipes, chain, call=4, moment="after plain")
    chain.settle(keyed=False)

    with pytest.raises(Fault, match="the last entries are"):
        chain.judge()


def test_what_is_half_done_is_found(tmp_path: Path) -> None:
    """The control: the same look finds a lost entry, a lost record and records of two batches."""
    chain = Chain.make(tmp_path / "links.db")
    chain.settle()
    chain.settle()
    assert 2 == chain.judge()
    for statement, found in (
        ("UPDATE record SET version = 7 WHERE path >= x'69'", "different batches"),
        ("DELETE FROM record WHERE path >= x'69' AND path < x'6a'", "0 outcomes"),
        ("DELETE FROM entry WHERE position = (SELECT max(position) FROM entry)", "were acknowledged|generation"),
    ):
        with SQLiteStorage(chain.file) as store, store._connections.transaction() as connection:
            connection.execute(statement)
        with pytest.raises(Fault, match=found):
            chain.judge()


# Contention


def _meets(store: SQLiteStorage, other: SQLiteStorage, monkeypatch: pytest.MonkeyPatch, begin: str) -> None:
    """Commit while another connection commits in between, in a transaction that begins as it is told."""
    connections = store._connections

    @contextmanager
    def transaction() -> Iterator[object]:
        with connections.lend() as connection:
            connection.execute(begin)
            connection.execute("SELECT position FROM head").fetchall()
            try:
                put(other, at(b"other"), b"x")
            except Contention:
                assert begin == "BEGIN IMMEDIATE"
            yield connection
            connection.execute("COMMIT")

    monkeypatch.setattr(connections, "transaction", transaction)
    store.commit(batch(Write(Key(b"acme", b"a"), b"x"), guards=[Guard(at(b"a"), ABSENT)]))


def test_a_transaction_that_begins_at_once_waits_for_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With BEGIN IMMEDIATE nobody commits in between, and what guards no stale record is committed."""
    with SQLiteStorage(tmp_path / "a.db") as store, SQLiteStorage(tmp_path / "a.db", timeout=0.05) as other:
        put(store, at(b"other"), b"x")
        _meets(store, other, monkeypatch, "BEGIN IMMEDIATE")


def test_a_transaction_that_begins_late_is_locked_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: BEGIN DEFERRED reads first, and may not write any more once another one has committed."""
    with SQLiteStorage(tmp_path / "a.db") as store, SQLiteStorage(tmp_path / "a.db", timeout=0.05) as other:
        put(store, at(b"other"), b"x")
        with pytest.raises(Contention):
            _meets(store, other, monkeypatch, "BEGIN DEFERRED")
