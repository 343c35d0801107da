"""Law 2: order and duplicates never matter, neither to the decision nor to its reasons."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

import attrs
import pytest

from extlink.domain.access import AccessRequest, Policy, evaluate
from extlink.domain.decision import Decision
from extlink.domain.network import IPRestriction, Row
from tests.reference.building import policy_of, request_of
from tests.reference.differential import Subject
from tests.reference.twins import TWINS
from tests.reference.worlds import Question, World, cases

WORLDS = 250
DEEP_WORLDS = 80_000
QUESTIONS = 12
Shuffle = Callable[[Random, World, list[Question]], None]


def _shuffled(draw: Random, items: list[Any], *, repeat: bool = True) -> list[Any]:
    """Return items in another order, some of them twice."""
    again = [one for one in items if repeat and draw.random() < 0.5]
    return draw.sample([*items, *again], len(items) + len(again))


def _turned(mapping: dict[str, Any]) -> dict[str, Any]:
    return dict(reversed(mapping.items()))


def _rows(draw: Random, world: World, _: list[Question]) -> None:
    world["network"]["rows"] = _shuffled(draw, world["network"]["rows"])


def _policies(draw: Random, world: World, _: list[Question]) -> None:
    world["policies"] = _shuffled(draw, world["policies"])


def _connectors_of_policies(draw: Random, world: World, _: list[Question]) -> None:
    for policy in world["policies"]:
        for side in ("business", "non_business", "blocked"):
            policy[side] = _shuffled(draw, policy[side])


def _memberships(draw: Random, world: World, _: list[Question]) -> None:
    for person in world["people"].values():
        for field in ("paths", "groups", "products"):
            person[field] = _shuffled(draw, person[field])


def _services_and_people(draw: Random, world: World, _: list[Question]) -> None:
    for field in ("services", "people", "edits"):
        world[field] = _turned(world[field])
    world["products"] = _shuffled(draw, world["products"])
    for service in world["services"].values():
        service["scopes"] = _turned(service["scopes"])
        service["editions"] = _shuffled(draw, service["editions"])


def _subjects_of_an_edit(draw: Random, world: World, _: list[Question]) -> None:
    for edits in world["edits"].values():
        for edit in edits:
            edit["changes"] = _shuffled(draw, edit["changes"])


def _independent_edits(draw: Random, world: World, questions: list[Question]) -> None:
    """Swap neighbouring edits that grant to different subjects; links made between them are asked about elsewhere."""
    for service, edits in world["edits"].items():
        for place in range(len(edits) - 1):
            pair = edits[place : place + 2]
            verbs = {change["verb"] for edit in pair for change in edit["changes"]}
            subjects = [(change["kind"], change["id"]) for edit in pair for change in edit["changes"]]
            if verbs <= {"allow"} and len(set(subjects)) == len(subjects) and draw.random() < 0.7:
                edits[place], edits[place + 1] = (
                    {**pair[0], "changes": pair[1]["changes"]},
                    {**pair[1], "changes": pair[0]["changes"]},
                )
                for question in questions:
                    link = (question["token"] or {}).get("link")
                    if link is not None and link["service"] == service and link["accepted"] == place + 1:
                        question["token"] = None
                return


def _questions(draw: Random, _: World, questions: list[Question]) -> None:
    for question in questions:
        for field in ("scopes", "required"):
            question[field] = _shuffled(draw, question[field])
        if question["connectors"] is not None:
            question["connectors"] = _shuffled(draw, question["connectors"])
        if question["token"] is not None:
            question["token"]["scopes"] = _shuffled(draw, question["token"]["scopes"])


SHUFFLES: dict[str, Shuffle] = {
    "allowed ranges": _rows,
    "data policies": _policies,
    "connectors of a data policy": _connectors_of_policies,
    "memberships and products": _memberships,
    "services, people and scopes": _services_and_people,
    "subjects of one edit": _subjects_of_an_edit,
    "independent edits": _independent_edits,
    "scopes, connectors and gates of the question": _questions,
}


def differing(what: str, worlds: range, subject: Subject) -> list[str]:
    """Return the questions whose decision or reasons change with the order."""
    found: list[str] = []
    for number in worlds:
        world, questions = cases(number, QUESTIONS)
        other, asked = copy.deepcopy(world), copy.deepcopy(questions)
        SHUFFLES[what](Random(number), other, asked)
        one, two = policy_of(world), policy_of(other)
        for place, (before, after) in enumerate(zip(questions, asked, strict=True)):
            if (before["token"] is None) is not (after["token"] is None):
                continue
            first = subject.evaluate(one, request_of(world, before))
            second = subject.evaluate(two, request_of(other, after))
            if (first, first.reasons, first.evidence) != (second, second.reasons, second.evidence):
                found.append(f"world {number}, question {place}")
    return found


@pytest.mark.parametrize("what", SHUFFLES)
def test_order_and_duplicates_never_matter(what: str, deep: bool) -> None:
    """Shuffled and doubled, they give the same decision, with the same reasons and the same evidence."""
    assert [] == differing(what, range(DEEP_WORLDS if deep else WORLDS), Subject())


def first_fitting_row(policy: Policy, request: AccessRequest) -> Decision:
    """Return the broken twin's answer that names the first row that fits, not the narrowest."""
    address, network = request.address, policy.network
    fitting = ()
    if address is not None and network.mode == "allow_some" and network.admits_text(address):
        fitting = tuple(row for row in network.rows if IPRestriction("allow_some", (row,)).admits_text(address))[:1]
    return evaluate(attrs.evolve(policy, network=IPRestriction(network.mode, fitting)) if fitting else policy, request)


def first_named_scope(policy: Policy, request: AccessRequest) -> Decision:
    """Return the broken twin's answer whose reasons come in the order in which the definition lists the scopes."""
    decision = evaluate(policy, request)
    known = [] if request.service is None else list(policy.registry.services.get(request.service, _NONE).service.scopes)
    order = [scope.name for scope in known]
    answer, notes = decision.findings[1]
    by_definition = sorted(notes, key=lambda note: order.index(note[1]["scope"]) if note[1].get("scope") in order else -1)
    return attrs.evolve(decision, findings=(decision.findings[0], (answer, tuple(by_definition)), *decision.findings[2:]))


@pytest.mark.parametrize(
    ("what", "twin"),
    [
        ("allowed ranges", TWINS["the last row is not read"]),
        ("allowed ranges", Subject(first_fitting_row)),
        ("memberships and products", TWINS["only the first membership counts"]),
        ("services, people and scopes", Subject(first_named_scope)),
    ],
)
def test_a_twin_that_minds_the_order_is_caught(what: str, twin: Subject) -> None:
    """The broken twins: the first or the last of several counts for more."""
    assert differing(what, range(WORLDS), twin)
