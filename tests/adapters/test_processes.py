"""One store that several processes share, each with connections, memory and randomness of its own.

What one of them did is what the others answer by, at once; what they do at the same moment has one outcome.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from extlink import access, links, services
from extlink.domain.secret import Secret
from extlink.ports import Entries
from extlink.runtime import ExtLink
from extlink.testing.probes import ACME, at, pages, values
from tests.adapters import programs
from tests.adapters.histories import LEAD_NANOSECONDS, Call, calls_of
from tests.adapters.places import Place
from tests.processes import Process, Program, running
from tests.schedules.world import ADDRESS, SCOPE, SERVICE, connected, prepared

pytestmark = pytest.mark.slow

PROCESSES = 8
ROUNDS = 150


class Broken(AssertionError):
    """What happened at the same moment has not one outcome."""


@contextmanager
def _all_ready(program: Program, place: Place, *kinds: str) -> Iterator[Sequence[Process]]:
    with ExitStack() as stack:
        processes = [stack.enter_context(running(program, *place, kind)) for kind in kinds]
        assert {programs.READY} == {process.hear() for process in processes}
        yield processes


# One token, many who refresh it


def _contend(processes: Sequence[Process], token: str) -> str:
    """Let every thread of every process refresh one token, and return what all of them were given."""
    for process in processes:
        process.tell(token)
    given = [one for process in processes for one in process.hear().split(" ")]
    if len(given) != programs.THREADS * len(processes) or {given[0]} != set(given) or not given[0].startswith("xl_rt_"):
        raise Broken(f"{len(given)} contenders were given {sorted(set(given))}")
    return given[0]


def test_one_refresh_token_has_one_successor(place: Place, deep: bool) -> None:
    """P12: 64 contenders, in eight processes, get the same answer in every round, and one lineage lives on."""
    rounds = 1_000 if deep else 100
    with place.open() as store, _all_ready(programs.refresh, place, *["sound"] * PROCESSES) as processes:
        _, tenant, _ = prepared(store)
        tokens = [connected(tenant).refresh_token.reveal()]
        for _ in range(rounds):
            tokens.append(_contend(processes, tokens[-1]))
        (link,) = tenant.acting_as("sato").run(links.of("sato"))

        assert rounds + 1 == len(set(tokens))
        assert "in_use" == str(link.state)
        refreshed = [
            one for one in pages(store, Entries(ACME, limit=1_000)) if b'"token.refreshed"' in (one.value or b"")
        ]
        assert rounds == len(refreshed)


def test_guards_that_are_read_first_give_many_successors(place: Place) -> None:
    """The twin: every contender finds the token unused, and each is given a successor of its own."""
    with place.open() as store, _all_ready(programs.refresh, place, "guards first") as processes:
        _, tenant, _ = prepared(store)

        with pytest.raises(Broken, match=r"xl_rt_.*xl_rt_"):
            _contend(processes, connected(tenant).refresh_token.reveal())


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_transactions_that_begin_deferred_are_locked_out(place: Place) -> None:
    """The twin: who has read before another one committed may not write any more, and is told of a lock."""
    with place.open() as store, _all_ready(programs.refresh, place, "deferred") as processes:
        _, tenant, _ = prepared(store)

        with pytest.raises(Broken, match="Contention"):
            _contend(processes, connected(tenant).refresh_token.reveal())


# A revocation, and who hears of it

Revocation = Callable[[ExtLink, str], object]
ENDS: dict[str, Revocation] = {
    "revoke": lambda hub, link: hub.tenant("acme").acting_as("sato").run(links.revoke(link)),
    "disable": lambda hub, _: (
        hub.tenant("acme").acting_as("admin", roles={"common_administrator"}).run(services.disable(SERVICE))
    ),
    "quarantine": lambda hub, _: hub.host().run(services.quarantine_everywhere(SERVICE, "leak")),
}


def _heard(place: Place, other: Process, end: Revocation) -> list[str]:
    """End a link ten times, and return what another process said of its token twice before and once after."""
    said: list[str] = []
    with place.open() as store:
        hub, tenant, admin = prepared(store)
        for _ in range(10):
            tokens = connected(tenant)
            token = tokens.access_token.reveal()
            # Twice: from then on everything that the check rests on is remembered there.
            said += [other.ask(token), other.ask(token)]
            end(hub, tokens.link)
            said += [other.ask(token)]
            assert not tenant.run(access.check(Secret(token), scope=SCOPE, address=ADDRESS))
            hub.host().run(services.release_everywhere(SERVICE))
            admin.run(services.enable(SERVICE))
    return said


@pytest.mark.parametrize("end", ENDS)
def test_what_one_process_ended_another_refuses(place: Place, end: str) -> None:
    """P8: a revoke in one process is refused by the other at its very next check, again and again."""
    with _all_ready(programs.check, place, "sound") as (other,):
        assert ["True", "True", "False"] * 10 == _heard(place, other, ENDS[end])


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_connection_that_hears_of_no_change_is_found(place: Place) -> None:
    """The twin: a process whose connections take what they once saw for what is there goes on letting it in."""
    with _all_ready(programs.check, place, "deaf") as (other,):
        assert ["True", "True", "True"] == _heard(place, other, ENDS["revoke"])[:3]


# Side by side


def test_increments_of_several_processes_lose_nothing(place: Place) -> None:
    """Four processes add one, each fifty times, guarded by what they read."""
    with ExitStack() as stack:
        adding = [stack.enter_context(running(programs.add, *place, 50)) for _ in range(4)]
        assert [50] * 4 == [len(process.finish()) for process in adding]

    with place.open() as store:
        assert [b"200"] == values(store, at(b"count"))
        assert 200 == len(pages(store, Entries(ACME)))


# Crossed guards


def _require_one(*pair: Call) -> None:
    if 1 != sum(call.granted for call in pair):
        raise Broken(f"{sum(call.granted for call in pair)} of two crossed commits went through")


def test_crossed_guards_on_absent_rows_never_both_hold(place: Place) -> None:
    """Each of two processes writes the record whose absence the other guards: one of them conflicts, 150 times."""
    met = 0
    with _all_ready(programs.cross, place, "sound", "sound") as both:
        for number in range(ROUNDS):
            begin = time.monotonic_ns() + LEAD_NANOSECONDS
            sides = (f"{number}/left", f"{number}/right")
            for process, mine, other in zip(both, sides, reversed(sides), strict=True):
                process.tell(f"{begin} {mine} {other}")
            left, right = (call for process in both for call in calls_of("commit", process.hear()))
            _require_one(left, right)
            met += left.overlaps(right)

    with place.open() as store:
        assert ROUNDS == len(pages(store, Entries(ACME)))
    assert ROUNDS // 10 <= met


def test_crossed_guards_that_are_read_first_both_hold(place: Place) -> None:
    """The twin: each finds the other's record absent before either has locked the head, and both write."""
    with _all_ready(programs.cross, place, "guards first", "guards first") as (one, other):
        assert programs.HELD == one.ask("0 left right")
        assert programs.HELD == other.ask("0 right left")

        with pytest.raises(Broken, match="2 of two"):
            _require_one(*calls_of("commit", one.ask("go on")), *calls_of("commit", other.ask("go on")))
