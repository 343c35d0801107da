"""Law 3: the quick answer, the explaining one, both on what was read for the question, and the model's are the same."""

from __future__ import annotations

import pytest

from extlink.domain.access import AccessRequest, Policy, evaluate, is_allowed
from extlink.domain.decision import Decision
from extlink.errors import AccessDenied
from tests.reference import model
from tests.reference.building import narrowed, policy_of, request_of
from tests.reference.differential import Subject
from tests.reference.twins import TWINS
from tests.reference.worlds import cases

WORLDS = 150
DEEP_WORLDS = 10_000


def disagreements(subject: Subject, worlds: range) -> list[str]:
    """Return the questions that are not answered alike in all ways of asking, and what the ways say."""
    found: list[str] = []
    for number in worlds:
        world, questions = cases(number)
        policy = policy_of(world)
        for place, question in enumerate(questions):
            request = request_of(world, question)
            decision, few = subject.evaluate(policy, request), narrowed(policy, request)
            said = {
                "quick": subject.is_allowed(policy, request),
                "explaining": decision.allowed,
                "quick, on what was read": subject.is_allowed(few, request),
                "explaining, on what was read": subject.evaluate(few, request).allowed,
                "model": model.answer(world, question)[0],
            }
            if len(set(said.values())) > 1 or decision != subject.evaluate(few, request):
                found.append(f"world {number}, question {place}: {said}")
    return found


def test_all_ways_of_asking_agree(deep: bool) -> None:
    """What a check reads, one service and one user, decides as the whole tenant's policy does, quickly or at length."""
    assert [] == disagreements(Subject(), range(DEEP_WORLDS if deep else WORLDS))


def passes(decision: Decision) -> bool:
    """Whether whoever requires the decision may go on."""
    try:
        decision.require()
    except AccessDenied:
        return False
    return True


def test_a_decision_is_what_its_gates_say() -> None:
    """It is allowed, true and without reasons at once; whoever requires it is stopped in just the other cases."""
    for number in range(WORLDS):
        world, questions = cases(number)
        policy = policy_of(world)
        for question in questions:
            decision = evaluate(policy, request_of(world, question))
            assert {bool(decision), decision.allowed, not decision.reasons, passes(decision)} == {decision.allowed}


def first_service_alone(policy: Policy, request: AccessRequest) -> bool:
    """Return the broken twin's answer that looks the grants up without asking of which service they are."""
    grants = next(iter(policy.grants.values()), None)
    bent = Policy(
        registry=policy.registry,
        grants=policy.grants if grants is None or request.service is None else {request.service: grants},
        people=policy.people,
        network=policy.network,
        data_groups=policy.data_groups,
    )
    return is_allowed(bent, request)


@pytest.mark.parametrize("name", [name for name in TWINS if name.startswith("the quick answer")])
def test_a_twin_that_is_quick_and_wrong_is_caught(name: str) -> None:
    """The broken twins: each leaves out a gate, and saves its time."""
    assert disagreements(TWINS[name], range(150))


def test_a_twin_that_needs_the_whole_tenant_is_caught() -> None:
    """The broken twin: it is right on what was read for the question, and wrong on the whole tenant."""
    assert disagreements(Subject(is_allowed=first_service_alone), range(20))
