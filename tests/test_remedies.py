"""Remedies as operations: carried out on a real hub they end in permission, and none of them is superfluous (law 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count as count_from

import pytest

from extlink.domain.decision import Decision
from extlink.domain.remedy import Remedy
from tests.remedy_stories import Stage, stories

REFUSALS = 5_000
DEEP_REFUSALS = 100_000

Subject = Callable[[Decision], Sequence[Remedy]]


def carried_out(stage: Stage, remedies: Sequence[Remedy]) -> tuple[list[bool], bool]:
    """Return which remedies were accepted, in their order, and whether the question is allowed then."""
    there = stage.copied()
    accepted = [there.do(one) for one in remedies]
    return accepted, bool(there.decide())


def problems(count: int, subject: Subject = lambda decision: decision.remedies) -> tuple[Counter[str], Counter[int]]:
    """Return what goes wrong with the remedies of some refusals, and how many plans there were of each size."""
    found: Counter[str] = Counter()
    sizes: Counter[int] = Counter()
    for stage in (one for number in count_from(0) for one in stories(number)):
        decision = stage.decide()
        if decision.allowed:
            continue
        if sizes.total() == count:
            break
        remedies = subject(decision)
        sizes[len(remedies)] += 1
        if not remedies:
            found["no reason why not"] += not decision.unfixable
            continue
        accepted, allowed = carried_out(stage, remedies)
        found[f"not accepted: {[one.action.name for one in remedies if one.action]} {accepted}"] += not all(accepted)
        found["unsound"] += not allowed
        # Without its only step a plan is the refusal itself.
        for place in range(len(remedies) if len(remedies) > 1 else 0):
            _, still = carried_out(stage, [*remedies[:place], *remedies[place + 1 :]])
            found["redundant"] += still
    return +found, sizes


@pytest.mark.slow
def test_remedies_work_on_a_real_hub(deep: bool) -> None:
    """Each is accepted in its turn, the request is allowed in the end, and without any one of them it is refused."""
    found, sizes = problems(DEEP_REFUSALS if deep else REFUSALS)

    assert {} == found
    assert all(sizes[size] > 50 for size in range(5))
