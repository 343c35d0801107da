"""extlink and the reference model agree on every state of a small world; nothing is left to chance.

A part of it in one process: python -m tests.reference.small_world --part 0 --parts 100
"""

from __future__ import annotations

from math import prod

import pytest

from tests.reference import small_world
from tests.reference.processes import PROCESSES, run_all
from tests.reference.small_world import every_question, every_world, explore, switches
from tests.reference.twins import TWINS

# Which twins a world of this size can tell from the truth: those about a switch that it has.
SEEN = (
    "exclusions are forgotten",
    "an end date still holds",
    "nobody below is in reach",
    "everybody below is in reach",
    "a grant that comes back revives links",
    "what the host told of users is forgotten",
    "services are allowed by default",
    "services are denied by default",
    "a quarantine everywhere is forgotten",
    "ranges are one address long at the end",
    "ranges are one address short at the start",
    "the user's epoch is forgotten",
    "a suspended link is live",
    "any token of a link will do",
    "the quick answer leaves out the network",
    "the quick answer leaves out the link",
)


@pytest.mark.slow
def test_the_model_agrees_on_every_state(deep: bool) -> None:
    """Over 200,000 states, over a million in the long tier: 2 users, 2 services, 8 addresses and every switch."""
    given = switches(deep=deep)
    states = prod(len(positions) for positions in given.values())
    more = ["--deep"] if deep else []

    summary = run_all(
        [(small_world.__name__, "--part", str(part), "--parts", str(PROCESSES), *more) for part in range(PROCESSES)],
    )

    assert [] == summary.differences
    assert states == summary.cases
    assert states >= (1_000_000 if deep else 200_000)
    assert 0.01 < summary.share < 0.5


def test_no_state_is_counted_twice() -> None:
    """Every world and every question is another one."""
    given = switches(deep=True)
    worlds, questions = [[repr(one) for one in every(given)] for every in (every_world, every_question)]

    assert prod(len(positions) for positions in given.values()) == len(set(worlds)) * len(set(questions))


def test_the_model_agrees_on_some_states() -> None:
    """A hundredth of the worlds in this process, so that a failure can be stepped through."""
    assert [] == explore(switches(deep=False), part=7, parts=101).differences


@pytest.mark.slow
@pytest.mark.parametrize("twin", SEEN)
def test_a_broken_twin_is_caught_in_the_small_world(twin: str) -> None:
    """An evaluator that is wrong about a switch differs in a few of the worlds."""
    assert explore(switches(deep=False), part=3, parts=37, twin=TWINS[twin]).differences
