"""What changes do to the answers, counted over generated worlds: for the laws of what never widens or narrows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random

from tests.laws.changes import Change
from tests.reference.building import policy_of, request_of
from tests.reference.differential import Subject
from tests.reference.worlds import cases

__all__ = ["Effects", "effects"]

QUESTIONS = 12
Effects = dict[str, Counter[str]]


def effects(worlds: range, changes: Mapping[str, Change], subject: Subject, stop: str = "") -> Effects:
    """Count, for each change, the questions that lose the yes ("lost") and those that gain one ("gained").

    Args:
        stop: "lost" or "gained": at the first of these.
    """
    found: Effects = {kind: Counter(lost=0, gained=0) for kind in changes}
    for number in worlds:
        world, questions = cases(number, QUESTIONS)
        # A link stays as it was made: what it copied of the tenant, it copied before the change.
        requests = [request_of(world, one) for one in questions]
        policy = policy_of(world)
        before = [subject.evaluate(policy, one).allowed for one in requests]
        for kind, change in changes.items():
            made = change(Random(number), world, questions)
            if made is None:
                continue
            after = policy if made[0] is world else policy_of(made[0])
            asked = requests if made[1] is questions else [request_of(world, one) for one in made[1]]
            for had, one in zip(before, asked, strict=True):
                has = subject.evaluate(after, one).allowed
                found[kind]["lost"] += had > has
                found[kind]["gained"] += has > had
            if stop and found[kind][stop]:
                return found
    return found
