"""Law 4: taking away a grant, a service, a scope or a link never widens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from random import Random

import attrs
import pytest

from extlink.domain.access import AccessRequest, Policy, evaluate
from extlink.domain.decision import Answer, Decision
from tests.laws.changes import TAKING_AWAY
from tests.reference.building import policy_of, request_of
from tests.reference.differential import Subject
from tests.reference.worlds import cases

WORLDS = 80
DEEP_WORLDS = 40_000
QUESTIONS = 12
Effects = dict[str, Counter[str]]


def effects(worlds: range, subject: Subject, kinds: Collection[str] = TAKING_AWAY, *, stop: bool = False) -> Effects:
    """Count, for each kind of taking away, the questions that lose the yes, and those that gain one.

    Args:
        stop: at the first that gains one.
    """
    found: Effects = {kind: Counter(lost=0, gained=0) for kind in kinds}
    for number in worlds:
        world, questions = cases(number, QUESTIONS)
        # A link stays as it was made: what it copied of the tenant, it copied before the change.
        requests = [request_of(world, one) for one in questions]
        policy = policy_of(world)
        before = [subject.evaluate(policy, one).allowed for one in requests]
        for kind in kinds:
            made = TAKING_AWAY[kind][0](Random(number), world, questions)
            if made is None:
                continue
            after = policy if made[0] is world else policy_of(made[0])
            asked = requests if made[1] is questions else [request_of(world, one) for one in made[1]]
            for had, one in zip(before, asked, strict=True):
                has = subject.evaluate(after, one).allowed
                found[kind]["lost"] += had > has
                found[kind]["gained"] += has > had
            if found[kind]["gained"] and stop:
                return found
    return found


@pytest.fixture(scope="module")
def found(deep: bool) -> Effects:
    """Return what every kind of taking away did, tried on the same worlds."""
    return effects(range(DEEP_WORLDS if deep else WORLDS), Subject())


@pytest.mark.parametrize("kind", TAKING_AWAY)
def test_taking_away_never_widens(kind: str, found: Effects) -> None:
    """Whatever is taken away, no question that was refused is allowed then."""
    assert 0 == found[kind]["gained"]


def test_taking_away_takes_away(found: Effects) -> None:
    """The law is not empty: most kinds take the yes from some questions of these few worlds."""
    assert len([kind for kind in found if found[kind]["lost"]]) > 0.8 * len(found)


def yes_at(code: str) -> Subject:
    """Return the broken twin that is content as soon as it meets a reason, whatever else the gate has to say."""

    def twin(policy: Policy, request: AccessRequest) -> Decision:
        decision = evaluate(policy, request)
        findings = tuple(
            (Answer.PASSED, notes) if any(note[0] == code for note in notes) else (answer, notes)
            for answer, notes in decision.findings
        )
        return attrs.evolve(decision, findings=findings)

    return Subject(evaluate=twin)


def demanded_alone(policy: Policy, request: AccessRequest) -> Decision:
    """Return the broken twin's answer that asks the gates that are demanded, and then no other."""
    decision = evaluate(policy, request)
    if not decision.required:
        return decision
    return attrs.evolve(decision, findings=tuple((Answer.PASSED, notes) for _, notes in decision.findings))


def network_twin(code: str, mistake: Callable[[Policy], bool]) -> Subject:
    """Return a broken twin that takes a reason of the network gate for none where it is mistaken."""

    def twin(policy: Policy, request: AccessRequest) -> Decision:
        return yes_at(code).evaluate(policy, request) if mistake(policy) else evaluate(policy, request)

    return Subject(evaluate=twin)


TWINS = {
    # A list that nothing is left of is read as no list.
    "an allowed range is removed": network_twin("network.address_not_allowed", lambda one: not one.network.rows),
    # Only where there is no list are addresses looked at as such.
    "the restriction is switched on": network_twin(
        "network.address_invalid", lambda one: one.network.mode == "allow_some"
    ),
    "the tenant demands the flow": Subject(demanded_alone),
    "a link is required": Subject(demanded_alone),
}


@pytest.mark.parametrize("kind", TAKING_AWAY)
def test_a_twin_that_widens_is_caught(kind: str) -> None:
    """The broken twins: an early yes where something is taken away lets in who was kept out by something else."""
    twin = TWINS.get(kind) or yes_at(TAKING_AWAY[kind][1])

    assert effects(range(3_000), twin, [kind], stop=True)[kind]["gained"]
