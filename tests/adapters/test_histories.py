"""Linearizability: one order explains what processes that share a store see of checks, refreshes and revocations."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from extlink.domain.token_ledger import TokenSet
from tests.adapters import programs
from tests.adapters.histories import LEAD_NANOSECONDS, Call, calls_of, is_linearizable
from tests.adapters.places import Place
from tests.processes import Process, running
from tests.schedules.world import connected, prepared

CALLS = 4


@contextmanager
def _workers(place: Place, *kinds: str) -> Iterator[Sequence[Process]]:
    """Run a process for each kind of store, with a hub of its own."""
    with ExitStack() as stack:
        workers = [stack.enter_context(running(programs.work, *place, kind)) for kind in kinds]
        assert {programs.READY} == {worker.hear() for worker in workers}
        yield workers


def _line(begin: int, tokens: TokenSet, user: str, plan: str) -> str:
    return f"{begin} {tokens.access_token.reveal()} {tokens.refresh_token.reveal()} {tokens.link} {user} {plan}"


def _histories(place: Place, workers: Sequence[Process], count: int) -> Iterator[list[list[Call]]]:
    """Yield what each worker saw who, all at once, check, refresh and revoke one link."""
    draw = random.Random(20200609)
    with place.open() as store:
        _, tenant, _ = prepared(store)
        # Of two in turns: while one's link is worked on, the next is made.
        users = itertools.cycle(["sato", "suzuki"])
        user = next(users)
        tokens = connected(tenant, user)
        for _ in range(count):
            plans = [draw.choices(["check", "refresh", "revoke"], [6, 3, 1], k=CALLS) for _ in workers]
            plans[0][draw.randrange(CALLS)] = "revoke"
            begin = time.monotonic_ns() + LEAD_NANOSECONDS
            for worker, plan in zip(workers, plans, strict=True):
                worker.tell(_line(begin, tokens, user, " ".join(plan)))
            user = next(users)
            tokens = connected(tenant, user)
            yield [calls_of(" ".join(plan), worker.hear()) for worker, plan in zip(workers, plans, strict=True)]


def _meets(history: Sequence[Sequence[Call]]) -> bool:
    """Return whether a revocation and a call of another process were under way at the same moment."""
    return any(
        one.what == "revoke" and one.overlaps(other)
        for mine, others in itertools.product(history, history)
        if mine is not others
        for one, other in itertools.product(mine, others)
    )


@pytest.mark.slow
def test_every_history_has_an_order(place: Place, deep: bool) -> None:
    """P8: three processes and a thousand links, eight and ten thousand in the long tier."""
    count, size = (10_000, 8) if deep else (1_000, 3)
    met = granted = refused = 0
    with _workers(place, *["sound"] * size) as workers:
        for history in _histories(place, workers, count):
            calls = [call for mine in history for call in mine]
            assert is_linearizable(calls), calls
            met += _meets(history)
            granted += sum(call.granted for call in calls if call.what != "revoke")
            refused += sum(not call.granted for call in calls)

    # Nothing would be shown by processes that take turns, nor by links that always live, or never.
    assert count // 10 <= min(met, granted, refused)


TWINS = [("sqlite", "lagging"), ("sqlite", "deaf"), ("postgres", "lagging")]


def _told_in_turns(place: Place, kind: str) -> list[Call]:
    """Return what one process saw before and after another one revoked, each told when the other had answered."""
    with place.open() as store, _workers(place, kind, "sound") as (one, other):
        _, tenant, _ = prepared(store)
        tokens = connected(tenant)
        # Twice: from then on everything that a check rests on is remembered there.
        turns = [(one, "check check"), (other, "revoke"), (one, "check")]
        return [call for worker, plan in turns for call in calls_of(plan, worker.ask(_line(0, tokens, "sato", plan)))]


@pytest.mark.slow
@pytest.mark.parametrize(("place", "twin"), TWINS, indirect=["place"])
def test_a_process_that_answers_from_the_past_is_found(place: Place, twin: str) -> None:
    """The twins: a store that lags, and connections that hear of no change, let in after the revocation returned."""
    history = _told_in_turns(place, twin)

    assert [True, True, True, True] == [call.granted for call in history]
    assert not is_linearizable(history)


@pytest.mark.slow
def test_a_sound_process_is_told_in_turns(place: Place) -> None:
    """The same script, and an order that explains it."""
    history = _told_in_turns(place, "sound")

    assert [True, True, True, False] == [call.granted for call in history]
    assert is_linearizable(history)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([(0, 1, "check", True), (2, 3, "revoke", True), (4, 5, "check", False)], True),
        ([(0, 1, "revoke", True), (2, 3, "check", True)], False),
        ([(0, 3, "revoke", True), (1, 2, "check", True)], True),
        ([(0, 9, "revoke", True), (1, 2, "check", False), (3, 4, "check", True)], False),
        ([(0, 9, "revoke", True), (1, 2, "refresh", True), (1, 4, "check", False)], True),
        ([(0, 1, "check", False)], False),
        ([(0, 1, "revoke", True), (2, 3, "refresh", True)], False),
    ],
)
def test_the_checker_knows_an_order_when_it_sees_one(history: list[tuple[int, int, str, bool]], expected: bool) -> None:
    """Calls that overlap may be in either order; one that ended before another began is before it."""
    assert expected is is_linearizable([Call(*call) for call in history])
