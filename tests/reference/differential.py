"""Compare extlink with the reference model on generated worlds; a program, so that it runs without a tracer.

python -m tests.reference.differential --first 0 --worlds 4000     a summary as JSON, the first differences in it
python -m tests.reference.differential --replay 1234                one world: every question, both answers
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import Final

import attrs

from extlink.domain.access import AccessRequest, Policy, evaluate, is_allowed
from extlink.domain.decision import GATES, Decision, Note
from tests.reference import model
from tests.reference.building import policy_of, request_of
from tests.reference.worlds import Question, World, cases

__all__ = ["Subject", "Summary", "compare", "differences", "said"]

QUESTIONS: Final = 25
_SHOWN: Final = 5
Gates = dict[str, tuple[str, list[str]]]


@attrs.frozen
class Subject:
    """What is compared with the model: extlink's two speeds, or a broken twin of them."""

    evaluate: Callable[[Policy, AccessRequest], Decision] = evaluate
    is_allowed: Callable[[Policy, AccessRequest], bool] = is_allowed


@attrs.define
class Summary:
    """What a run came to."""

    cases: int = 0
    allowed: int = 0
    differences: list[str] = attrs.Factory(list)

    @property
    def share(self) -> float:
        """The share of questions that are allowed."""
        return self.allowed / max(1, self.cases)

    def as_json(self) -> str:
        """Return the summary for another process, with no more differences than a reader takes in."""
        return json.dumps({**attrs.asdict(self), "differences": self.differences[:_SHOWN]})


# What tells a reason from its like, beyond its code: the model says it behind the code.
DETAILS: Final[dict[str, str]] = {
    "scope.unknown": "scope",
    "scope.not_covered": "scope",
    "user.product_missing": "scope",
    "grant.excluded": "by",
    "grant.scope_not_granted": "scope",
    "grant.organization": "organization",
    "grant.group": "group",
    "network.row": "row",
    "network.proof": "proof",
    "network.published": "row",
    "datagroup.mixed": "policy",
    "link.ended": "cause",
}


def _words(note: Note) -> Iterator[str]:
    code, params = note
    if code == "datagroup.blocked":
        policies = params["policies"]
        assert isinstance(policies, tuple)
        yield from (f"{code} {params['connector']} {policy}" for policy in policies)
    else:
        yield f"{code} {params[DETAILS[code]]}" if code in DETAILS else code


def said(decision: Decision) -> Gates:
    """Return a decision in the model's words, each reason as often as it was given."""
    return {
        gate: (str(answer), sorted(word for note in notes for word in _words(note)))
        for gate, (answer, notes) in zip(GATES, decision.findings, strict=True)
    }


def compare(subject: Subject, world: World, question: Question, policy: Policy) -> tuple[bool, str]:
    """Return whether the model allows a question, and how the subject differs from it; empty: it does not."""
    allowed, gates = model.answer(world, question)
    expected = {gate: (answer, sorted(reasons)) for gate, (answer, reasons) in gates.items()}
    request = request_of(world, question)
    decision = subject.evaluate(policy, request)
    found: list[str] = []
    for gate, actual in said(decision).items():
        if actual != expected[gate]:
            found.append(f"{gate}: model {expected[gate]}, extlink {actual}")
    if decision.allowed is not allowed:
        found.append(f"model allows: {allowed}, extlink: {decision.allowed}")
    quick = subject.is_allowed(policy, request)
    if quick is not allowed:
        found.append(f"model allows: {allowed}, is_allowed: {quick}")
    return allowed, "; ".join(found)


def differences(worlds: range, twin: Subject | None = None) -> Summary:
    """Compare on every question of some worlds.

    Args:
        twin: compare it instead of extlink, up to the first difference.
    """
    summary, subject = Summary(), twin or Subject()
    for number in worlds:
        world, questions = cases(number, QUESTIONS)
        policy = policy_of(world)
        for place, question in enumerate(questions):
            allowed, difference = compare(subject, world, question, policy)
            summary.cases += 1
            summary.allowed += allowed
            if difference:
                summary.differences.append(f"world {number}, question {place}: {difference}")
                if twin is not None:
                    return summary
    return summary


def _replay(number: int) -> Iterator[str]:
    world, questions = cases(number, QUESTIONS)
    policy = policy_of(world)
    yield json.dumps(world, indent=1)
    for place, question in enumerate(questions):
        _, difference = compare(Subject(), world, question, policy)
        yield f"{place} {json.dumps(question)}"
        yield f"  model   {model.answer(world, question)}"
        yield f"  extlink {said(evaluate(policy, request_of(world, question)))}"
        yield f"  {difference or 'the same'}"


def main(arguments: list[str]) -> int:
    """Run the program; it fails if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the number of the first world")
    parser.add_argument("--worlds", type=int, default=400, help=f"how many worlds, of {QUESTIONS} questions each")
    parser.add_argument("--replay", type=int, help="show one world and both answers to its questions")
    options = parser.parse_args(arguments)
    if options.replay is not None:
        sys.stdout.write("\n".join(_replay(options.replay)) + "\n")
        return 0
    summary = differences(range(options.first, options.first + options.worlds))
    sys.stdout.write(summary.as_json() + "\n")
    return 1 if summary.differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
