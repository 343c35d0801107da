"""Decision: five gates, four answers, every reason (DESIGN 3; TRACE T2)."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from itertools import product
from typing import cast

import pytest
from hypothesis import given, strategies as st

from extlink.domain.decision import GATES, Answer, Decision, Finding, Gate, GateResult, Note, Refusal
from extlink.domain.reason import Reason
from extlink.errors import AccessDenied, InvalidInput
from tests.strange import ANYTHING, Recipe

NOTES: tuple[Note, ...] = (
    ("grant.missing", {"service": "slack", "user": "sato"}),
    ("user.suspended", {"user": "sato"}),
)


def finding(answer: Answer, count: int = 1) -> Finding:
    """Return a gate's answer with some notes."""
    return answer, NOTES[:count]


def decision(*answers: Answer, required: frozenset[Gate] = frozenset()) -> Decision:
    """Return a decision in which the first gates answered so, and the others passed."""
    rest = (Answer.PASSED,) * (len(GATES) - len(answers))
    return Decision(tuple(finding(answer) for answer in (*answers, *rest)), required)


DECISIONS = st.builds(
    Decision,
    st.tuples(*[st.builds(finding, st.sampled_from(Answer), st.integers(0, 2)) for _ in GATES]),
    st.frozensets(st.sampled_from(GATES)),
)


def by_the_book(found: Decision) -> bool:
    """Return whether a decision is allowed, in the words of the design."""
    refused = [gate for gate, (answer, _) in zip(GATES, found.findings, strict=True) if answer == "refused"]
    unevaluated = {gate for gate, (answer, _) in zip(GATES, found.findings, strict=True) if answer == "not_evaluated"}
    return not refused and not unevaluated & found.required


Rule = Callable[[Decision], bool]


def mistakes(rule: Rule) -> int:
    """Count the decisions of all answers and requirements about which a rule is wrong."""
    requirements = [frozenset[Gate](), frozenset(GATES[:1]), frozenset(GATES[3:]), frozenset(GATES)]
    return sum(
        rule(found) is not by_the_book(found)
        for answers in product(Answer, repeat=len(GATES))
        for required in requirements
        for found in [decision(*answers, required=required)]
    )


def test_allowed_is_none_refused_and_none_required_left_out() -> None:
    """For every combination of the four answers of five gates."""
    assert 0 == mistakes(lambda found: found.allowed)


@pytest.mark.parametrize(
    "twin",
    [
        lambda found: all(answer is not Answer.REFUSED for answer, _ in found.findings),
        lambda found: all(answer is Answer.PASSED for answer, _ in found.findings),
        lambda found: any(answer is Answer.PASSED for answer, _ in found.findings),
    ],
    ids=["forgets what is required", "demands every gate", "lets one gate decide"],
)
def test_another_rule_is_found(twin: Rule) -> None:
    """The broken twins: rules that read well and are wrong."""
    assert mistakes(twin) > 0


@given(DECISIONS)
def test_a_decision_is_true_if_it_is_allowed(found: Decision) -> None:
    """`bool(decision)` is `decision.allowed`; a refusal has reasons wherever its gates gave any."""
    assert found.allowed is bool(found) is by_the_book(found)
    if found.allowed:
        assert () == found.reasons


@given(DECISIONS)
def test_reasons_and_evidence_are_those_of_the_gates(found: Decision) -> None:
    """Reasons come from the gates that stand in the way, evidence from those that passed, in the order of the gates."""
    blocking = [
        reason
        for result in found.gates
        if result.answer is Answer.REFUSED or (result.answer is Answer.NOT_EVALUATED and result.gate in found.required)
        for reason in result.reasons
    ]
    passed = [reason for result in found.gates if result.answer is Answer.PASSED for reason in result.reasons]

    assert blocking == list(found.reasons)
    assert passed == list(found.evidence)


@given(DECISIONS)
def test_every_gate_is_always_in_the_answer(found: Decision) -> None:
    """All five, in their order, each with its answer and its reasons."""
    assert GATES == tuple(result.gate for result in found.gates)
    for gate, (answer, notes) in zip(GATES, found.findings, strict=True):
        assert GateResult(gate, answer, tuple(Reason(*note) for note in notes)) == found.gate(gate)


@pytest.mark.parametrize("name", ["", "datagroup", "SERVICE", None, 7])
def test_a_gate_that_does_not_exist_is_told(name: object) -> None:
    """The message lists the five."""
    with pytest.raises(InvalidInput, match="gate: expected one of service, user, network, data_group, link"):
        decision().gate(cast("Gate", name))


@given(ANYTHING)
def test_any_object_for_a_gate_is_a_result_or_invalid(recipe: Recipe) -> None:
    """Law 13."""
    try:
        found = decision().gate(cast("Gate", recipe.make()))
    except InvalidInput:
        return
    assert found.gate in GATES


def test_only_requiring_raises() -> None:
    """A refusal is a value; `require` turns it into an exception that carries it, and lets an allowed one pass."""
    refused = decision(Answer.PASSED, Answer.REFUSED)
    decision().require()

    with pytest.raises(AccessDenied) as caught:
        refused.require()
    assert refused is caught.value.decision
    assert "grant.missing" == str(caught.value)


@given(DECISIONS)
def test_a_decision_can_be_sent_elsewhere(found: Decision) -> None:
    """Pickled and copied it is equal, with its reasons."""
    for other in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):  # noqa: S301 - made in this line
        assert found == other
        assert found.reasons == other.reasons


def test_two_decisions_are_equal_if_every_gate_answered_alike() -> None:
    """Another answer, another parameter or another requirement is another decision."""
    one = decision(Answer.REFUSED)

    assert one == decision(Answer.REFUSED)
    assert one != decision(Answer.NOT_EVALUATED)
    assert one != decision(Answer.REFUSED, required=frozenset({"link"}))
    assert Decision(((Answer.PASSED, (("network.row", {"row": "a"}),)),)) != Decision(
        ((Answer.PASSED, (("network.row", {"row": "b"}),)),)
    )


def test_a_decision_is_frozen() -> None:
    """Nobody changes what was decided."""
    with pytest.raises(AttributeError):
        decision().required = frozenset()  # type: ignore[misc]


def test_a_refusal_is_false() -> None:
    """The caller may know the error; reasons and decision are for the host."""
    found = Refusal("invalid_grant", (Reason("token.unknown"),))

    assert not found
    assert ("invalid_grant", ("token.unknown",), None) == (
        found.error,
        tuple(reason.code for reason in found.reasons),
        found.decision,
    )
