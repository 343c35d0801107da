from __future__ import annotations

import pytest

from extlink.domain.access import AccessRequest
from tests.benchmarks import decisions, floor
from tests.benchmarks.world import Size, World, build, questions

SIZE = Size(users=300, services=6, organizations=60, ranges=40, questions=400)


@pytest.fixture(scope="module")
def world() -> World:
    """Return a small tenant of the shape that is measured."""
    return build(SIZE, seed=5)


@pytest.fixture(scope="module")
def asked(world: World) -> list[AccessRequest]:
    """Return questions to it, half of them allowed."""
    return questions(world, SIZE, seed=6)


def test_the_floor_decides_as_both_speeds_do(world: World, asked: list[AccessRequest]) -> None:
    """What is compared in the benchmark answers the same, on questions of which half are allowed."""
    decide = floor.make(world.policy)

    decisions.require_agreement(world.policy, decide, asked)

    assert SIZE.questions // 2 == sum(decide(*floor.plain(request)) for request in asked)


def test_a_floor_that_forgets_the_link_is_caught(world: World, asked: list[AccessRequest]) -> None:
    """The broken twin: it never looks at the link, so it says yes where a link has ended."""
    decide = floor.make(world.policy)

    def forgetful(*question: object) -> bool:
        return decide(*question[:-1], None)  # type: ignore[arg-type, call-arg]

    with pytest.raises(AssertionError, match="the floor disagrees"):
        decisions.require_agreement(world.policy, forgetful, asked)
