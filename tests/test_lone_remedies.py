"""The remedy of each reason by itself, on a real hub: where a plan would come to that reason, it is the plan's step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

import attrs
import pytest

from extlink.domain.cure import CURES
from extlink.domain.reason import Reason
from extlink.domain.remedy import Action, Param, Remedy
from extlink.remedies import operation_of
from tests.remedy_stories import Stage, stories

STORIES = 250
DEEP_STORIES = 5_000
Subject = Callable[[Reason], Remedy]
# Where the plan may know more than the parameters: who was told that a user is inactive, that a new token would do as
# little as the old one, and that a paused link has ended besides.
OTHERWISE: Final = frozenset(
    {
        ("user.suspended", "outside.activate_user", "users.resume"),
        ("token.expired", "outside.present_token", "outside.connect"),
        ("token.superseded", "outside.present_token", "outside.connect"),
        ("token.wrong_kind", "outside.present_token", "outside.connect"),
        ("link.suspended", "links.resume", "outside.connect"),
    }
)


def on_the_way(stage: Stage) -> list[tuple[Stage, Reason, Remedy]]:
    """Return where a plan comes to each of its reasons: the tenant as it is by then, the reason, the plan's step."""
    found: list[tuple[Stage, Reason, Remedy]] = []
    plan = stage.decide().remedies
    for place, planned in enumerate(plan):
        there = stage.copied()
        for before in plan[:place]:
            there.do(before)
        same = [one for one in there.decide().reasons if (one.code, one.params) == (planned.code, planned.params)]
        # What must come before a step is not always a reason of this decision, such as a grant for another operation.
        found.extend((there, one, planned) for one in same[:1])
    return found


def fault(stage: Stage, reason: Reason, alone: Remedy, planned: Remedy) -> str | None:
    """Return what is wrong with a reason's own remedy where a plan takes a step for it."""
    mine, step = alone.action, planned.action
    assert step is not None
    if mine is None:
        return "nothing named"
    if mine.name != step.name:
        return None if (reason.code, mine.name, step.name) in OTHERWISE else f"{step.name} is not {mine.name}"
    if mine.choices:
        return None
    if not mine.is_outside and mine.name != "services.register" and operation_of(alone) != operation_of(planned):
        return "another operation"
    if not stage.do(alone):
        return "not accepted"
    return "still refused" if _told(reason) in map(_told, stage.decide().reasons) else None


def _told(reason: Reason) -> tuple[str, dict[str, Param]]:
    """Return what a reason says, but for what the link permits: another link need not permit the same."""
    return reason.code, {name: value for name, value in reason.params.items() if name != "granted"}


def problems(count: int, subject: Subject = lambda reason: reason.remedy) -> tuple[Counter[str], Counter[str]]:
    """Return what is wrong with the remedies of lone reasons, and how often each reason was come to."""
    found: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for stage in (one for number in range(count) for one in stories(number)):
        for there, reason, planned in on_the_way(stage):
            seen[reason.code] += 1
            wrong = fault(there, reason, subject(reason), planned)
            if wrong is not None:
                found[f"{reason.code}: {wrong}"] += 1
    return found, seen


@pytest.mark.slow
def test_a_lone_reason_names_what_a_plan_would_do(deep: bool) -> None:
    """The same step; and where the parameters tell all of it, it is accepted and the reason is gone."""
    found, seen = problems(DEEP_STORIES if deep else STORIES)

    assert {} == found
    # A token that names nothing has no plan, and no story tells of the other three.
    assert {"token.unknown", "token.wrong_audience", "link.not_redeemed", "link.expired"} == CURES.keys() - seen.keys()


def wrong_operation(reason: Reason) -> Remedy:
    """Broken twin: who lacks a grant is told to switch the service on."""
    enable = Action("services.enable", {"service": str(reason.params.get("service"))})
    return attrs.evolve(reason.remedy, action=enable) if reason.code == "grant.missing" else reason.remedy


def wrong_person(reason: Reason) -> Remedy:
    """Broken twin: the grant goes to somebody else."""
    allow = Action("grants.allow", {"service": str(reason.params.get("service")), "users": ("tanaka",)})
    return attrs.evolve(reason.remedy, action=allow) if reason.code == "grant.over" else reason.remedy


def nothing(reason: Reason) -> Remedy:
    """Broken twin: a code is forgotten in the table."""
    return attrs.evolve(reason.remedy, action=None) if reason.code == "link.revoked" else reason.remedy


@pytest.mark.parametrize(
    ("twin", "fault_found"),
    [
        (wrong_operation, "grant.missing: grants.allow is not services.enable"),
        (wrong_person, "grant.over: another operation"),
        (nothing, "link.revoked: nothing named"),
    ],
)
def test_a_broken_twin_is_found_out(twin: Subject, fault_found: str) -> None:
    """The same check sees a wrong operation, wrong arguments and a reason without any."""
    found, _ = problems(60, twin)

    assert {fault_found} == found.keys()
