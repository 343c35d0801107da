"""Law 6: remedies are sound, irredundant and smallest, and none are named if and only if some reason is unfixable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import attrs
import pytest

from extlink.domain.access import Asked, evaluate
from extlink.domain.cure import CURES
from extlink.domain.decision import Cure, Decision
from extlink.domain.remedy import Action, Remedy
from extlink.domain.unfixable import UNFIXABLE
from tests.laws.remedying import State, faults, possible
from tests.reference.building import policy_of, request_of
from tests.reference.worlds import cases

REFUSALS = 5_000
DEEP_REFUSALS = 100_000
# How deep everything that can be done is tried: for a shorter plan, and where there is said to be none.
SHORTER = 4
NONE = 3
TWIN_REFUSALS = 400

Subject = Callable[[Decision], Cure]


def refusals(count: int) -> Iterator[tuple[State, Decision]]:
    """Yield refusals of generated worlds, with the policy and the request of each."""
    number = seen = 0
    while seen < count:
        world, questions = cases(number)
        policy = policy_of(world)
        number += 1
        for question in questions:
            request = request_of(world, question)
            decision = evaluate(policy, request)
            if not decision.allowed and seen < count:
                seen += 1
                yield (policy, request), decision


def _asked(decision: Decision) -> Asked:
    assert isinstance(decision.question, Asked)
    return decision.question


def cure(decision: Decision) -> Cure:
    """Return what the decision itself says."""
    return Cure(decision.remedies, decision.unfixable)


def problems(subject: Subject, count: int) -> Counter[str]:
    """Return what is wrong with the remedies of some refusals."""
    found: Counter[str] = Counter()
    for state, decision in refusals(count):
        answer = subject(decision)
        found.update(faults(state, answer, depth=SHORTER if answer.remedies else NONE))
    return found


@pytest.mark.slow
def test_remedies_are_sound_irredundant_and_smallest(deep: bool) -> None:
    """Done in order they end in permission, without any one they do not, and fewer do not; or nothing ever does."""
    assert {} == problems(cure, DEEP_REFUSALS if deep else REFUSALS)


def test_the_law_is_not_empty() -> None:
    """The worlds refuse for almost every reason that evaluate knows, with plans of one step and of many."""
    found = [(decision, cure(decision)) for _, decision in refusals(3_000)]
    codes = {reason.code for decision, _ in found for reason in decision.reasons}
    sizes = Counter(len(one.remedies) for _, one in found)

    # A flow of the reference model has no actions and endpoints, and nobody's memberships are forgotten in it.
    unit_tests = {"datagroup.action_blocked", "datagroup.endpoint_denied", "membership.unknown"}
    assert unit_tests == {*CURES, *UNFIXABLE} - codes
    assert all(sizes[size] > 10 for size in range(6))


def wrong_gate(decision: Decision) -> Cure:
    """Broken twin: whoever lacks a grant, or has another address, is told to switch the service on."""
    found = cure(decision)
    enable = Action("services.enable", {"service": str(_asked(decision).request.service)})
    wrong = {"grants.allow", "networks.add"}
    return found._replace(
        remedies=tuple(
            attrs.evolve(one, action=enable) if one.action is not None and one.action.name in wrong else one
            for one in found.remedies
        )
    )


def one_too_many(decision: Decision) -> Cure:
    """Broken twin: something else that can be done is done first, to be on the safe side."""
    found = cure(decision)
    done = [one.action for one in found.remedies]
    more = [one.action for one in possible(*_asked(decision)) if one.action not in done]
    if not found.remedies or not more:
        return found
    return found._replace(remedies=(Remedy("grant.missing", action=more[0]), *found.remedies))


def gives_up(decision: Decision) -> Cure:
    """Broken twin: a user whom an organization's exclusion keeps out is told that nothing can be done."""
    excluded = tuple(one for one in decision.reasons if one.code == "grant.excluded")
    return Cure(unfixable=excluded) if excluded else cure(decision)


def switches_off(decision: Decision) -> Cure:
    """Broken twin: who comes from another address is helped by allowing all addresses."""
    found = cure(decision)
    return found._replace(
        remedies=tuple(
            attrs.evolve(one, action=Action("networks.allow_all"))
            if one.action is not None and one.action.name.startswith("networks.")
            else one
            for one in found.remedies
        )
    )


def promises(decision: Decision) -> Cure:
    """Broken twin: whatever stands in the way, connecting again is said to help."""
    if not decision.unfixable:
        return cure(decision)
    return Cure((Remedy("link.expired", action=Action("outside.connect")),))


def round_about(decision: Decision) -> Cure:
    """Broken twin: an expired token is renewed although the link has to be made anew anyhow."""
    found = cure(decision)
    return found if len(found.remedies) != 1 else one_too_many(decision)


@pytest.mark.parametrize(
    ("twin", "fault"),
    [
        (wrong_gate, "unsound"),
        (one_too_many, "redundant"),
        (gives_up, "fewer would do"),
        (switches_off, "forbidden"),
        (promises, "unsound"),
        (round_about, "fewer would do"),
    ],
)
def test_a_broken_twin_is_found_out(twin: Subject, fault: str) -> None:
    """The same check sees a remedy for the wrong gate, a superfluous one, a wrong "cannot", and one that opens all."""
    assert any(problem.startswith(fault) for problem in problems(twin, TWIN_REFUSALS))
