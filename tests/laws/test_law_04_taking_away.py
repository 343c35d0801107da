"""Law 4: taking away a grant, a service, a scope or a link never widens."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from extlink.domain.access import AccessRequest, Policy, evaluate
from extlink.domain.decision import Answer, Decision
from tests.laws.changes import TAKING_AWAY
from tests.laws.effects import Effects, effects
from tests.reference.differential import Subject

WORLDS = 80
DEEP_WORLDS = 6_000
CHANGES = {kind: change for kind, (change, _) in TAKING_AWAY.items()}


@pytest.fixture(scope="module")
def found(deep: bool) -> Effects:
    """Return what every kind of taking away did, tried on the same worlds."""
    return effects(range(DEEP_WORLDS if deep else WORLDS), CHANGES, Subject())


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


def mistaken(code: str, mistake: Callable[[Policy], bool]) -> Subject:
    """Return the broken twin that is content with a reason in some policies alone."""

    def twin(policy: Policy, request: AccessRequest) -> Decision:
        return yes_at(code).evaluate(policy, request) if mistake(policy) else evaluate(policy, request)

    return Subject(evaluate=twin)


def names_own_people(policy: Policy) -> bool:
    """Whether a grant stops at an organization's own people."""
    rules = [rule for grants in policy.grants.values() for rule in grants.granted.organizations.values()]
    return any(rule.open is not None and rule.open.reach == "direct" for rule in rules)


TWINS = {
    # Own people alone is read as no condition.
    "a grant is narrowed to an organization's own people": mistaken("grant.missing", names_own_people),
    # A list that nothing is left of is read as no list.
    "an allowed range is removed": mistaken("network.address_not_allowed", lambda one: not one.network.rows),
    # No proof is read as no need of one.
    "a proof is no longer accepted": mistaken("network.address_not_allowed", lambda one: not one.network.proofs),
    # Only where there is no list are addresses looked at as such.
    "the restriction is switched on": mistaken("network.address_invalid", lambda one: one.network.mode == "allow_some"),
    "the tenant demands the flow": Subject(demanded_alone),
    "a link is required": Subject(demanded_alone),
}


@pytest.mark.parametrize("kind", TAKING_AWAY)
def test_a_twin_that_widens_is_caught(kind: str) -> None:
    """The broken twins: an early yes where something is taken away lets in who was kept out by something else."""
    twin = TWINS.get(kind) or yes_at(TAKING_AWAY[kind][1])

    assert effects(range(3_000), {kind: CHANGES[kind]}, twin, stop="gained")[kind]["gained"]
