"""Killed at random under load, and at every call of the store (law 15, PROMISES P15 and P19).

Nothing acknowledged is lost, nothing is half done, and a command that is delivered again under its key has one effect.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from extlink.adapters.sqlite import SQLiteStorage
from extlink.ports import ABSENT
from tests.adapters import programs, sqlite_programs
from tests.adapters.acknowledged import Chain, Fault, Told, faults, hear_position
from tests.adapters.places import Place
from tests.processes import Nursery, nursing, running

# A file is checked from its first commit on, so another one is begun before it grows long.
KILLS_PER_FILE = 100


@pytest.mark.slow
def test_killed_at_random_nothing_acknowledged_is_lost(tmp_path: Path, deep: bool) -> None:
    """Hundreds of kill -9, each time of the only process: every acknowledged batch is there, and none by halves."""
    rounds = random.Random(20200609)
    kills = 10_000 if deep else 500
    with nursing(programs.write) as nursery:
        for first in range(0, kills, KILLS_PER_FILE):
            place = Place(str(tmp_path / f"{first}.db"))
            told: dict[int, int] = {}
            hear = partial(hear_position, told)
            for _ in range(KILLS_PER_FILE):
                # Anywhere in the next commit: it takes a millisecond or two.
                after, spin = rounds.randint(0, 4), rounds.randrange(200_000)
                assert nursery.let_die(hear, *place, "one", after=after, spin=spin)
                with place.open() as store:
                    assert [] == faults(store, {"one": told})
            assert KILLS_PER_FILE < len(told)


@pytest.mark.slow
def test_killed_at_random_a_command_has_one_effect(tmp_path: Path, deep: bool) -> None:
    """Hundreds of kill -9 beside another writer; each time the exchange under way is delivered again under its key."""
    rounds = random.Random(20200609)
    kills = 10_000 if deep else 500
    with nursing(programs.exchange) as nursery:
        for first in range(0, kills, KILLS_PER_FILE):
            chain = Chain.make(Place(str(tmp_path / f"{first}.db")))
            with running(sqlite_programs.busy, chain.place.where) as busy:
                assert "busy" == busy.hear()
                for _ in range(KILLS_PER_FILE):
                    after, spin = rounds.choice((0, 1, 1, 2, 3)), rounds.randrange(200_000)
                    words = (*chain.place, chain.done, chain.held, "keyed")
                    assert nursery.let_die(chain.acknowledge, *words, after=after, spin=spin)
                    chain.judge()
            chain.settle()
            assert chain.done == chain.judge()


CALLS = [(call, moment) for call in range(1, 10) for moment in ("before", "after")]


@pytest.fixture(scope="module")
def exchanges() -> Iterator[Nursery]:
    """Run a nursery of exchanges."""
    with nursing(programs.exchange) as nursery:
        yield nursery


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """Make a chain on a file of its own."""
    return Chain.make(Place(str(tmp_path / "links.db")))


@pytest.mark.slow
@pytest.mark.parametrize(("call", "moment"), CALLS)
def test_killed_at_each_call_a_command_has_one_effect(exchanges: Nursery, chain: Chain, call: int, moment: str) -> None:
    """At every call of two exchanges, before it and after it took effect."""
    exchanges.let_end(chain.acknowledge, *chain.place, chain.done, chain.held, "keyed", call, moment)

    done = chain.judge()
    chain.settle()

    assert max(done, chain.done - 1) <= chain.judge() == chain.done


@pytest.mark.slow
def test_without_a_key_a_restart_makes_two(exchanges: Nursery, chain: Chain) -> None:
    """The broken twin: killed after the commit and before the answer, and delivered again without a key."""
    exchanges.let_end(chain.acknowledge, *chain.place, chain.done, chain.held, "plain", 4, "after")
    chain.settle(keyed=False)

    with pytest.raises(Fault, match="the last entries are"):
        chain.judge()


def test_what_is_half_done_is_found(chain: Chain) -> None:
    """The control: the same look finds a lost entry, a lost record and records of two batches."""
    chain.settle()
    chain.settle()
    assert 2 == chain.judge()
    for statement, found in (
        ("UPDATE record SET version = 7 WHERE path >= x'69'", "different batches"),
        ("DELETE FROM record WHERE path >= x'69' AND path < x'6a'", "0 outcomes"),
        ("DELETE FROM entry WHERE position = (SELECT max(position) FROM entry)", "were acknowledged|generation"),
    ):
        with SQLiteStorage(chain.place.where) as store, store._connections.transaction() as connection:
            connection.execute(statement)
        with pytest.raises(Fault, match=found):
            chain.judge()


def test_a_lost_or_torn_commit_would_be_seen(tmp_path: Path) -> None:
    """The control: the same look finds a lost record, a lost entry and the loss of everything."""
    told: Told = {"one": {}}
    with SQLiteStorage(tmp_path / "links.db") as store:
        version = ABSENT
        for number in range(1, 6):
            one = programs.written("one", number, version)
            told["one"][number], version = store.commit(one), one.id
        assert [] == faults(store, told)
        for statement, found in (
            ("DELETE FROM record WHERE path = CAST('left/one/1' AS BLOB)", "batch 1 of one is half there"),
            (
                "UPDATE record SET value = x'34' WHERE path >= x'63' AND path < x'64'",
                "the count of one is not the ledger's",
            ),
            ("DELETE FROM record WHERE path >= x'72'", "records are missing or too many"),
            ("DELETE FROM entry WHERE position = 3", "the numbers have gaps"),
            ("DELETE FROM entry WHERE position = 5", "the entries of one are not each there once, in order"),
            ("DELETE FROM entry", "one was told that 5 is at 10"),
        ):
            with store._connections.transaction() as connection:
                connection.execute(statement)
            assert found in faults(store, told)
