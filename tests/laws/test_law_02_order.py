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
from tests.reference.worlds import Question, World, cases

WORLDS = 150
DEEP_WORLDS = 5_000
QUESTIONS = 12
Bend = Callable[[dict[str, Any]], dict[str, Any]]
Shuffle = Callable[[Random, World, list[Question]], None]


def _shuffled(draw: Random, items: list[Any], *, repeat: bool = True) -> list[Any]:
    """Return items in another order, some of them twice."""
    again = [one for one in items if repeat and draw.random() < 0.5]
    return draw.sample([*items, *again], len(items) + len(again))


def _turned(mapping: dict[str, Any]) -> dict[str, Any]:
    return dict(reversed(mapping.items()))


def _rows(draw: Random, world: World, _: list[Question]) -> None:
    world["network"]["rows"] = _shuffled(draw, world["network"]["rows"])
    world["network"]["proofs"] = _shuffled(draw, world["network"]["proofs"])
    for pin in world["pins"].values():
        pin["rows"] = _shuffled(draw, pin["rows"])


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
    """Swap neighbouring edits that grant to subjects never named before; who is asked about was linked elsewhere."""
    for service, edits in world["edits"].items():
        for place in range(len(edits) - 1):
            pair = edits[place : place + 2]
            verbs = {change["verb"] for edit in pair for change in edit["changes"]}
            subjects = [(change["kind"], change["id"]) for edit in edits[: place + 2] for change in edit["changes"]]
            fresh = subjects[-sum(len(edit["changes"]) for edit in pair) :]
            if verbs == {"allow"} and all(subjects.count(one) == 1 for one in fresh) and draw.random() < 0.7:
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


def differing(what: str, worlds: range, subject: Subject, bent: Bend = lambda world: world) -> list[str]:
    """Return the questions whose decision or reasons change with the order.

    Args:
        bent: what a broken twin makes of a world or a question.
    """
    found: list[str] = []
    for number in worlds:
        world, questions = cases(number, QUESTIONS)
        other, asked = copy.deepcopy(world), copy.deepcopy(questions)
        SHUFFLES[what](Random(number), other, asked)
        one, two = policy_of(bent(world)), policy_of(bent(other))
        for place, (before, after) in enumerate(zip(questions, asked, strict=True)):
            if (before["token"] is None) is not (after["token"] is None):
                continue
            first = subject.evaluate(one, request_of(world, bent(before)))
            second = subject.evaluate(two, request_of(other, bent(after)))
            if (first, first.reasons, first.evidence) != (second, second.reasons, second.evidence):
                found.append(f"world {number}, question {place}")
    return found


@pytest.mark.parametrize("what", SHUFFLES)
def test_order_and_duplicates_never_matter(what: str, deep: bool) -> None:
    """Shuffled and doubled, they give the same decision, with the same reasons and the same evidence."""
    assert [] == differing(what, range(DEEP_WORLDS if deep else WORLDS), Subject())


def _bending(change: Callable[[dict[str, Any]], None]) -> Bend:
    """Return what a twin does with a copy of a world; questions have none of its fields."""

    def bent(given: dict[str, Any]) -> dict[str, Any]:
        after = copy.deepcopy(given)
        if "edits" in after:
            change(after)
        return after

    return bent


def _first_row(world: World) -> None:
    del world["network"]["rows"][1:]


def _last_policy(world: World) -> None:
    del world["policies"][:-1]


def _first_connector(world: World) -> None:
    for policy in world["policies"]:
        del policy["business"][1:]


def _first_membership(world: World) -> None:
    for person in world["people"].values():
        del person["paths"][1:]


def _first_product(world: World) -> None:
    del world["products"][1:]


def _last_change(world: World) -> None:
    for edits in world["edits"].values():
        for edit in edits:
            del edit["changes"][:-1]


def _last_edit(world: World) -> None:
    for edits in world["edits"].values():
        del edits[:-1]


def _first_scope(given: dict[str, Any]) -> dict[str, Any]:
    return {**given, "scopes": given["scopes"][:1]} if "scopes" in given else given


MINDING = {
    "allowed ranges": _bending(_first_row),
    "data policies": _bending(_last_policy),
    "connectors of a data policy": _bending(_first_connector),
    "memberships and products": _bending(_first_membership),
    "services, people and scopes": _bending(_first_product),
    "subjects of one edit": _bending(_last_change),
    "independent edits": _bending(_last_edit),
    "scopes, connectors and gates of the question": _first_scope,
}


@pytest.mark.parametrize("what", SHUFFLES)
def test_a_twin_that_minds_the_order_is_caught(what: str) -> None:
    """The broken twins: of several, the first or the last counts alone."""
    assert differing(what, range(WORLDS // 2), Subject(), MINDING[what])


def first_fitting_row(policy: Policy, request: AccessRequest) -> Decision:
    """Return the broken twin's answer that names the first row that fits, not the narrowest."""
    address, network = request.address, policy.network
    fitting: tuple[Row, ...] = ()
    if address is not None and network.mode == "allow_some":
        fitting = tuple(row for row in network.rows if IPRestriction("allow_some", (row,)).admits_text(address))[:1]
    return evaluate(attrs.evolve(policy, network=IPRestriction(network.mode, fitting)) if fitting else policy, request)


def test_a_twin_whose_evidence_minds_the_order_is_caught() -> None:
    """The broken twin: the decision is right, but the row that it names depends on where the row stands."""
    assert differing("allowed ranges", range(WORLDS), Subject(first_fitting_row))
