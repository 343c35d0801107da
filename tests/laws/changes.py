"""What can be taken away from a tenant, a link or a question, one thing at a time, and what can be added to it.

Each change is a function of a source of randomness, a world and its questions, and returns both anew; nothing that it
was given is altered. A change that finds nothing to change returns None.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.reference.worlds import CONNECTORS, NOW, ROWS, SCOPES, SERVICES, USERS, Question, World

__all__ = [
    "ADD_GRANT",
    "ADD_PIN",
    "ADD_POLICY",
    "ADD_PROOF",
    "ADD_PUBLISHED",
    "ADD_RANGE",
    "REMOVE_PIN",
    "TAKING_AWAY",
    "Case",
    "Change",
    "edited",
]

Case = tuple[World, list[Question]]
Change = Callable[[Random, World, list[Question]], Case | None]
# After every edit of a history, before every question.
LATE: Final = NOW - 3
EXISTING: Final = ("revoke", "suspend", "keep")


def edited(world: World, service: str, **change: Any) -> World:
    """Return a world in which an administrator edited the grants of a service once more."""
    said = {"reach": "direct", "until": None, "existing": "revoke", **change}
    edits = world["edits"].get(service, [])
    return {**world, "edits": {**world["edits"], service: [*edits, {"at": LATE, "changes": [said]}]}}


def _granted(world: World, service: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the grants that are open, whatever their date."""
    rules: dict[tuple[str, str], dict[str, Any]] = {}
    for edit in world["edits"].get(service, []):
        for change in edit["changes"]:
            subject = change["kind"], change["id"]
            if change["verb"] == "withdraw":
                rules.pop(subject, None)
            elif change["verb"] == "allow" or (change["verb"] == "tick" and subject not in rules):
                rules[subject] = change
    return rules


def _excluded(world: World, service: str) -> set[tuple[str, str]]:
    subjects: set[tuple[str, str]] = set()
    for edit in world["edits"].get(service, []):
        for change in edit["changes"]:
            if change["verb"] == "exclude":
                subjects.add((change["kind"], change["id"]))
            elif change["verb"] == "include":
                subjects.discard((change["kind"], change["id"]))
    return subjects


def _withdraw(draw: Random, world: World, questions: list[Question]) -> Case | None:
    service = draw.choice(SERVICES)
    granted = sorted(_granted(world, service))
    if not granted:
        return None
    kind, name = draw.choice(granted)
    return edited(world, service, verb="withdraw", kind=kind, id=name, existing=draw.choice(EXISTING)), questions


def _exclude(draw: Random, world: World, questions: list[Question]) -> Case | None:
    service = draw.choice(SERVICES)
    subjects = [
        ("user", "ann"),
        ("user", "bob"),
        ("organization", "east"),
        ("organization", "sales"),
        ("group", "staff"),
    ]
    kind, name = draw.choice(subjects)
    if (kind, name) in _excluded(world, service):
        return None
    how = {"reach": draw.choice(("direct", "subtree")), "existing": draw.choice(EXISTING)}
    return edited(world, service, verb="exclude", kind=kind, id=name, **how), questions


def _narrow(draw: Random, world: World, questions: list[Question]) -> Case | None:
    service = draw.choice(SERVICES)
    wide = [one for one in _granted(world, service).items() if one[1]["reach"] == "subtree"]
    if not wide:
        return None
    (kind, name), rule = draw.choice(wide)
    same = {"until": rule["until"], "scopes": rule.get("scopes")}
    return edited(world, service, verb="allow", kind=kind, id=name, **same), questions


def _ceiling(draw: Random, world: World, questions: list[Question]) -> Case | None:
    service = draw.choice(SERVICES)
    named = [one for one in _granted(world, service).items() if one[0][0] == "user"]
    if not named:
        return None
    (kind, name), rule = draw.choice(named)
    held = sorted(SCOPES) if rule.get("scopes") is None else rule["scopes"]
    fewer = [scope for scope in held if draw.random() < 0.5]
    same = {"until": rule["until"], "reach": rule["reach"]}
    return edited(world, service, verb="allow", kind=kind, id=name, scopes=fewer, **same), questions


def _date(draw: Random, world: World, questions: list[Question]) -> Case | None:
    service, until = draw.choice(SERVICES), draw.choice((LATE, NOW - 1, NOW))
    later = [
        one
        for one in _granted(world, service).items()
        if one[1]["verb"] == "allow" and (one[1]["until"] is None or one[1]["until"] > until)
    ]
    if not later:
        return None
    (kind, name), rule = draw.choice(later)
    same = {"reach": rule["reach"], "scopes": rule.get("scopes")}
    return edited(world, service, verb="allow", kind=kind, id=name, until=until, **same), questions


def _world(change: Callable[[Random, World], bool | None]) -> Change:
    """Return a change that alters a copy of the world; it says False where there is nothing to alter."""

    def made(draw: Random, world: World, questions: list[Question]) -> Case | None:
        after = copy.deepcopy(world)
        return None if change(draw, after) is False else (after, questions)

    return made


def _service(**fields: Any) -> Change:
    def change(draw: Random, world: World) -> bool:
        name = draw.choice(SERVICES)
        if name not in world["services"]:
            return False
        world["services"][name].update(fields)
        return True

    return _world(change)


def _person(**fields: str) -> Change:
    def change(draw: Random, world: World) -> bool:
        name = draw.choice(USERS)
        if name not in world["people"]:
            return False
        world["people"][name].update(fields)
        return True

    return _world(change)


def _directory(draw: Random, world: World) -> bool:
    name, status = draw.choice(USERS), draw.choice(("suspended", "deleted"))
    # What silence or absence hides is not taken away but shown.
    if world["people"].get(name, {}).get("directory") not in {"active", "suspended"}:
        return False
    world["people"][name]["directory"] = status
    return True


def _unregister(draw: Random, world: World) -> bool:
    return world["services"].pop(draw.choice(SERVICES), None) is not None


def _stop(draw: Random, world: World) -> None:
    world["stopped"].append(draw.choice(SERVICES))


def _default(_: Random, world: World) -> None:
    world["unconfigured"] = "deny"


def _products(draw: Random, world: World) -> bool:
    if not world["products"]:
        return False
    world["products"].remove(draw.choice(world["products"]))
    return True


def _products_of_a_user(draw: Random, world: World) -> bool:
    person = world["people"].get(draw.choice(USERS), {"products": []})
    if not person["products"]:
        return False
    person["products"].remove(draw.choice(person["products"]))
    return True


def _editions(draw: Random, world: World) -> bool:
    service = world["services"].get(draw.choice(SERVICES), {"editions": []})
    if world["edition"] not in service["editions"] or len(service["editions"]) == 1:
        return False
    service["editions"] = [each for each in service["editions"] if each != world["edition"]]
    return True


def _scopes(draw: Random, world: World) -> bool:
    scopes = world["services"].get(draw.choice(SERVICES), {"scopes": {}})["scopes"]
    if not scopes:
        return False
    del scopes[draw.choice(sorted(scopes))]
    return True


def _end(draw: Random, world: World) -> bool:
    what = draw.choice(("tenant", "service", "host", "user"))
    names = {"tenant": [""], "service": list(world["services"]), "host": list(SERVICES), "user": list(world["people"])}
    if not names[what]:
        return False
    world["endings"].append((what, draw.choice(names[what])))
    return True


def _row(draw: Random, world: World) -> bool:
    rows, mode = world["network"]["rows"], world["network"]["mode"]
    if not rows or mode != "allow_some":
        return False
    gone = draw.choice(rows)
    world["network"]["rows"] = [row for row in rows if row != gone]
    return True


def _mode(mode: str) -> Change:
    def change(_: Random, world: World) -> bool:
        if world["network"]["mode"] == "deny_all":
            return False
        world["network"]["mode"] = mode
        return True

    return _world(change)


def _pin(draw: Random, world: World) -> bool:
    """Require that a service's calls come from its ranges; what is known of them is neither more nor less then.

    Links that are pinned themselves would be let in by ranges that were missing.
    """
    name = draw.choice(SERVICES)
    known = world["pins"].get(name, {"rows": [], "applies": "links"})
    if known["applies"] == "service":
        return False
    world["pins"][name] = {**known, "applies": "service"}
    return True


def _unpublish(draw: Random, world: World) -> bool:
    rows = world["pins"].get(draw.choice(SERVICES), {"rows": []})["rows"]
    if not rows:
        return False
    gone = draw.choice(rows)
    rows[:] = [row for row in rows if row != gone]
    return True


def _proof(draw: Random, world: World) -> bool:
    proofs = world["network"]["proofs"]
    if not proofs:
        return False
    proofs.remove(draw.choice(proofs))
    return True


def _policy(draw: Random, world: World) -> None:
    sides: dict[str, list[str]] = {"business": [], "non_business": [], "blocked": []}
    for connector in CONNECTORS:
        draw.choice(list(sides.values())).append(connector)
    everywhere: dict[str, Any] = {"scope": "all", "environments": [], "exempt": []}
    world["policies"].append({"id": "z", **sides, "default": "business", **everywhere})


def _block(draw: Random, world: World) -> bool:
    if not world["policies"]:
        return False
    policy, connector = draw.choice(world["policies"]), draw.choice(CONNECTORS)
    for side in ("business", "non_business", "blocked"):
        policy[side] = [each for each in policy[side] if each != connector]
    policy["blocked"].append(connector)
    return True


def _demand(_: Random, world: World) -> None:
    world["flows_stated"] = True


def _questions(change: Callable[[Question], None]) -> Change:
    """Return a change that alters a copy of each question."""

    def made(_: Random, world: World, questions: list[Question]) -> Case | None:
        after = copy.deepcopy(questions)
        for question in after:
            change(question)
        return world, after

    return made


def _link(**fields: Any) -> Change:
    def change(question: Question) -> None:
        if question["token"] is not None and question["token"]["link"] is not None:
            question["token"]["link"].update(fields)

    return _questions(change)


def _covered(question: Question) -> None:
    if question["token"] is not None:
        question["token"]["scopes"] = question["token"]["scopes"][1:]


def _problem(question: Question) -> None:
    if question["token"] is not None:
        question["token"]["problems"] = [*question["token"]["problems"], "token.revoked_by_test"]


def _require(question: Question) -> None:
    question["required"] = [*question["required"], "link"]


# The name of what is taken away, how, and the reason that it gives.
TAKING_AWAY: Final[dict[str, tuple[Change, str]]] = {
    "a grant is withdrawn": (_withdraw, "grant.missing"),
    "somebody is excluded": (_exclude, "grant.excluded"),
    "a grant is narrowed to an organization's own people": (_narrow, "grant.missing"),
    "an end date is moved forward": (_date, "grant.over"),
    "a grant's ceiling is lowered": (_ceiling, "grant.scope_not_granted"),
    "the host suspends a user": (_person(told="suspended"), "user.suspended"),
    "the host deletes a user": (_person(told="deleted"), "user.deleted"),
    "the directory suspends or deletes a user": (_world(_directory), "user.deleted"),
    "the directory falls silent": (_person(directory="silent"), "directory.unavailable"),
    "a user loses a product": (_world(_products_of_a_user), "user.product_missing"),
    "a service is disabled": (_service(state="disabled"), "service.disabled"),
    "a service is quarantined": (_service(state="quarantined"), "service.quarantined"),
    "a service is quarantined everywhere": (_world(_stop), "service.quarantined_everywhere"),
    "a service becomes unavailable": (_service(available=False), "service.unavailable"),
    "a service leaves the edition": (_world(_editions), "service.not_in_edition"),
    "a service is unregistered": (_world(_unregister), "service.unknown"),
    "a service loses an operation": (_world(_scopes), "scope.unknown"),
    "the tenant loses a product": (_world(_products), "service.product_missing"),
    "unconfigured services are denied": (_world(_default), "service.not_enabled"),
    "all links of somebody or something are ended": (_world(_end), "link.ended"),
    "unused links are over sooner": (_service(dormant=1), "link.dormant"),
    "links are revoked": (_link(state="revoked"), "link.revoked"),
    "links are suspended": (_link(state="suspended"), "link.suspended"),
    "links expire": (_link(expires=NOW - 5), "link.expired"),
    "tokens lose an operation": (_questions(_covered), "scope.not_covered"),
    "tokens are found wrong": (_questions(_problem), "token.revoked_by_test"),
    "an allowed range is removed": (_world(_row), "network.address_not_allowed"),
    "the restriction is switched on": (_mode("allow_some"), "network.address_not_allowed"),
    "every address is denied": (_mode("deny_all"), "network.deny_all"),
    "a service is pinned": (_world(_pin), "network.not_published"),
    "links are pinned": (_link(pinned=True), "network.not_published"),
    "a published range is removed": (_world(_unpublish), "network.not_published"),
    "a proof is no longer accepted": (_world(_proof), "network.address_not_allowed"),
    "a data policy is added": (_world(_policy), "datagroup.mixed"),
    "a connector is blocked": (_world(_block), "datagroup.blocked"),
    "the tenant demands the flow": (_world(_demand), "datagroup.flow_unknown"),
    "a link is required": (_questions(_require), "link.not_asked"),
}


def _add_row(draw: Random, world: World) -> bool:
    if world["network"]["mode"] != "allow_some":
        return False
    world["network"]["rows"].insert(draw.randrange(len(world["network"]["rows"]) + 1), draw.choice(ROWS))
    return True


def _allow(draw: Random, world: World, questions: list[Question]) -> Case | None:
    service = draw.choice(SERVICES)
    kind, name = draw.choice((("user", "ann"), ("user", "bob"), ("organization", "east"), ("everyone", "everyone")))
    if (kind, name) in _granted(world, service):
        return None
    how = {"reach": draw.choice(("direct", "subtree")), "until": draw.choice((None, NOW))}
    return edited(world, service, verb="allow", kind=kind, id=name, **how), questions


def _add_published(draw: Random, world: World) -> bool:
    """Add a range to those of a pin; where there was none, nothing was asked of the service and a pin asks more."""
    pin = world["pins"].get(draw.choice(SERVICES))
    if pin is None:
        return False
    pin["rows"].insert(draw.randrange(len(pin["rows"]) + 1), draw.choice(ROWS))
    return True


def _lift(draw: Random, world: World) -> bool:
    """Lift the rule for a service, and for the links that ask for it, and keep what is known of its ranges."""
    pin = world["pins"].get(draw.choice(SERVICES))
    if pin is None or pin["applies"] == "links":
        return False
    pin["applies"] = "links"
    return True


def _add_proof(draw: Random, world: World) -> bool:
    network, proof = world["network"], draw.choice(("basic", "client_certificate"))
    if network["mode"] == "allow_all" or proof in network["proofs"]:
        return False
    network["proofs"].append(proof)
    return True


ADD_RANGE: Final = _world(_add_row)
ADD_PUBLISHED: Final = _world(_add_published)
ADD_PIN: Final = _world(_pin)
REMOVE_PIN: Final = _world(_lift)
ADD_PROOF: Final = _world(_add_proof)
ADD_POLICY: Final = _world(_policy)
ADD_GRANT: Final = _allow
