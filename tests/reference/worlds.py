"""Seeded worlds and questions, as the reference model takes them; `building` makes extlink's values of them.

Type-directed: a world makes sense, and most of it is in order, so that the gates say yes often enough to be wrong.
Boundary-biased: addresses are the first and last of a row and their neighbours; times stand at end dates and expiries,
one second before, one after; links are made before, between and after the edits that could end them.

A number is a world with its questions: `cases(number)` are the same ones wherever they are asked for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from typing import Any, Final, TypeVar

__all__ = ["NOW", "USERS", "VERBS", "Question", "World", "cases", "history", "person", "question", "world"]

World = dict[str, Any]
Question = dict[str, Any]
T = TypeVar("T")

NOW: Final = 1_000
SERVICES: Final = ("automate", "chat")
USERS: Final = ("ann", "bob")
SCOPES: Final = {"read": "kintone", "write": "kintone", "mail": "garoon", "plain": ""}
CONNECTORS: Final = ("calendar", "chat", "kintone", "twitter")
ENVIRONMENTS: Final = ("dev", "prod", "test")
FLOWS: Final = ("flow-1", "flow-2")
PATHS: Final = (("east",), ("east", "sales"), ("east", "sales", "desk"), ("east", "it"), ("west",), ("west", "law"))
ORGANIZATIONS: Final = ("east", "sales", "desk", "it", "west", "law")
SIDES: Final = (*["business"] * 6, "non_business", "non_business", "blocked", *[""] * 3)
GROUPS: Final = ("staff", "interns")
ROWS: Final = (
    "10.0.0.0/8",
    "10.0.0.0/30",
    "10.0.0.4/32",
    "10.0.0.4/30",
    "203.0.113.8/29",
    "255.255.255.255/32",
    "0.0.0.0/31",
    "2001:db8::/127",
    "2001:db8::/32",
    "::/64",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
)
STRANGE: Final = ("", "10.0.0.01", "10.0.0.1%eth0", "::1%1", " 10.0.0.1", "10.0.0.1:443", "10.0.0.0/30", "10.0.0.256")
PROOFS: Final = ("basic", "client_certificate")
PROBLEMS: Final = ("token.expired", "token.superseded", "token.unknown", "token.wrong_kind", "token.wrong_audience")
VERBS: Final = (*["allow"] * 5, "tick", *["withdraw"] * 3, "exclude", "include")
EXISTING: Final = ("revoke", "suspend", "keep")
# A rule remembers four tenures; how it errs beyond is another test's business.
_MOST_OPENINGS: Final = 4


def _pick(draw: Random, options: Sequence[T]) -> T:
    return options[int(draw.random() * len(options))]


def _some(draw: Random, options: Sequence[T], share: float = 0.5) -> list[T]:
    return [one for one in options if draw.random() < share]


def _mostly(draw: Random, usual: T, others: Sequence[T], share: float = 0.9) -> T:
    return usual if draw.random() < share else _pick(draw, others)


def cases(number: int, size: int = 25) -> tuple[World, list[Question]]:
    """Return the world of a number with its questions."""
    draw = Random(number)
    given = world(draw)
    asked = [question(draw, given) for _ in range(size)]
    # From a source of its own, so that each world is otherwise the one that it was without ceilings and dormancy.
    limits = Random(f"limits of {number}")
    _limit(limits, given)
    _age(limits, given, asked)
    return given, asked


def _limit(draw: Random, given: World) -> None:
    """Give some of those who are granted a service by name a ceiling."""
    for service, edits in given["edits"].items():
        scopes = sorted(given["services"].get(service, {"scopes": SCOPES})["scopes"])
        for edit in edits:
            for change in edit["changes"]:
                if change["verb"] == "allow" and change["kind"] == "user" and draw.random() < 0.3:
                    change["scopes"] = _some(draw, scopes, 0.7)


def _age(draw: Random, given: World, asked: list[Question]) -> None:
    """Let unused links be over in some services; links are as old as that, a second younger or older, or new."""
    for service in given["services"].values():
        if draw.random() < 0.15:
            service["dormant"] = _pick(draw, (5, 50))
    for one in asked:
        if one["token"] is not None and one["token"]["link"] is not None:
            age = _mostly(draw, 0, (4, 5, 6, 49, 50, 51), 0.6)
            one["token"]["link"]["renewed"] = one["at"] - age


def world(draw: Random) -> World:
    """Return a world."""
    edition = _pick(draw, ("JP", "US", "CN"))
    services = {name: _service(draw, edition) for name in SERVICES if draw.random() < 0.97}
    people = {name: person(draw) for name in USERS if draw.random() < 0.97}
    return {
        "edition": edition,
        "products": _some(draw, ("kintone", "garoon"), 0.9),
        "unconfigured": _mostly(draw, "deny", ("allow",), 0.6),
        "flows_stated": draw.random() < 0.1,
        "services": services,
        "stopped": _some(draw, SERVICES, 0.03),
        "people": people,
        "edits": {name: history(draw, people) for name in SERVICES if draw.random() < 0.97},
        **_networks(draw),
        "policies": [_policy(draw, f"p{place}") for place in range(_pick(draw, (0, 0, 0, 1, 1, 2, 3)))],
        "endings": [_ending(draw, services, people) for _ in range(_pick(draw, (0, 0, 0, 0, 1, 2, 3)))],
    }


def _networks(draw: Random) -> World:
    """Return the restriction, and what services publish; a published range is most often one that is allowed too."""
    mode = _mostly(draw, "allow_some", ("allow_all", "allow_all", "deny_all"), 0.7)
    rows = [_pick(draw, ROWS) for _ in range(_pick(draw, (0, 1, 1, 2, 3, 3, 5)))]
    known = rows if rows and draw.random() < 0.7 else ROWS
    return {
        "network": {"mode": mode, "rows": rows, "proofs": [] if mode == "allow_all" else _some(draw, PROOFS, 0.3)},
        "pins": {
            name: {
                "rows": [_pick(draw, known) for _ in range(_pick(draw, (0, 1, 2, 2, 3, 3)))],
                "applies": _pick(draw, ("service", "links")),
            }
            for name in _some(draw, SERVICES, 0.3)
        },
    }


def _service(draw: Random, edition: str) -> dict[str, Any]:
    products = _pick(draw, ([], [], ["garoon", "kintone"], ["kintone"]))
    return {
        "editions": _mostly(draw, ["CN", "JP", "US"], ([edition], sorted({"CN", "JP", "US"} - {edition})), 0.93),
        "products": products,
        "available": draw.random() < 0.97,
        "state": _mostly(draw, "enabled", ("unconfigured", "unconfigured", "disabled", "quarantined"), 0.85),
        "scopes": {
            scope: product
            for scope, product in SCOPES.items()
            if draw.random() < 0.95 and (not products or not product or product in products)
        },
    }


def person(draw: Random) -> dict[str, Any]:
    """Return a person, most often one whom nothing is wrong with."""
    return {
        "directory": _mostly(draw, "active", ("suspended", "deleted", "unknown", "silent"), 0.95),
        "told": _mostly(draw, "active", ("suspended", "deleted"), 0.97),
        "products": _mostly(draw, ["garoon", "kintone"], (["kintone"], []), 0.93),
        "paths": [list(path) for path in _some(draw, PATHS, 0.35)],
        "groups": _some(draw, GROUPS),
    }


def history(
    draw: Random,
    people: Mapping[str, Any],
    most: int = 10,
    openings: int = _MOST_OPENINGS,
    verbs: Sequence[str] = VERBS,
) -> list[dict[str, Any]]:
    """Return edits in which grants come and go; what was opened is what is likely to be taken away.

    Args:
        most: about how many edits there are at most.
        openings: how often one subject is granted or excluded at most.
        verbs: what an edit may be.
    """
    edits: list[dict[str, Any]] = []
    opened: list[tuple[str, str, str]] = []
    at = NOW - 5 * most - 10
    for _ in range(_pick(draw, (most // 8, most // 4, most // 3, most // 2, most)) + 1):
        at += _pick(draw, (0, 1, 5))
        verb = _pick(draw, verbs)
        reach, existing = _pick(draw, ("direct", "subtree")), _pick(draw, EXISTING)
        until = _mostly(draw, None, (at - 1, at, at + 1, at + 5, NOW - 2, NOW - 1, NOW, NOW + 1), 0.7)
        subjects = {_subject(draw, people, verb, opened) for _ in range(_pick(draw, (1, 1, 1, 2, 3)))}
        changes: list[dict[str, Any]] = []
        for kind, name in sorted(subjects):
            key = ("excluded" if verb in {"exclude", "include"} else "granted", kind, name)
            if verb in {"allow", "tick", "exclude"}:
                if opened.count(key) == openings:
                    continue
                opened.append(key)
            changes.append(_change(verb, kind, name, reach, until, existing))
        if verb == "tick" and draw.random() < 0.5:
            others = [name for name in USERS if ("user", name) not in subjects]
            changes.extend(_change("withdraw", "user", name, reach, None, existing) for name in others)
        edits.append({"at": at, "changes": changes})
    return edits


def _subject(
    draw: Random, people: Mapping[str, Any], verb: str, opened: Sequence[tuple[str, str, str]]
) -> tuple[str, str]:
    """Return whom a change names: those who are named already, and organizations that somebody is in, more often."""
    if verb == "tick":
        return "user", _pick(draw, USERS)
    known = [key[1:] for key in opened if (key[0] == "excluded") == (verb in {"exclude", "include"})]
    if known and (verb in {"withdraw", "include"} or draw.random() < 0.3):
        return _pick(draw, known)
    kinds = ("user", "user", "organization", "organization", "group", "everyone" if verb == "allow" else "group")
    kind = _pick(draw, kinds)
    if kind == "organization":
        near = [node for person in people.values() for path in person["paths"] for node in path]
        return kind, _pick(draw, near if near and draw.random() < 0.7 else ORGANIZATIONS)
    return kind, _pick(draw, {"user": USERS, "group": GROUPS, "everyone": ("everyone",)}[kind])


def _change(verb: str, kind: str, name: str, reach: str, until: int | None, existing: str) -> dict[str, Any]:
    return {
        "verb": verb,
        "kind": kind,
        "id": name,
        "reach": "direct" if verb == "tick" else reach,
        "until": until if verb == "allow" else None,
        "existing": existing if verb in {"withdraw", "exclude"} else "revoke",
    }


def _policy(draw: Random, name: str) -> dict[str, Any]:
    sides: dict[str, list[str]] = {"business": [], "non_business": [], "blocked": []}
    for connector in CONNECTORS:
        side = _pick(draw, SIDES)
        if side:
            sides[side].append(connector)
    scope = _pick(draw, ("all", "all", "except", "only"))
    return {
        "id": name,
        **sides,
        "default": _mostly(draw, "non_business", ("business", "blocked"), 0.7),
        "scope": scope,
        "environments": [] if scope == "all" else _some(draw, ENVIRONMENTS[:2], 0.6) or ["dev"],
        "exempt": _some(draw, FLOWS[:1], 0.2),
    }


def _ending(draw: Random, services: Mapping[str, Any], people: Mapping[str, Any]) -> tuple[str, str]:
    whom = {"tenant": ("",), "service": tuple(services), "host": SERVICES, "user": tuple(people)}
    what = _pick(draw, [what for what, names in whom.items() if names])
    return what, _pick(draw, whom[what])


def question(draw: Random, given: World) -> Question:
    """Return a question about a world, most often one that has a chance."""
    service = _mostly(draw, _pick(draw, SERVICES), ("ghost", None), 0.97)
    user = _mostly(draw, _pick(draw, USERS), ("nobody", None), 0.96)
    scopes = sorted(given["services"].get(service, {"scopes": SCOPES})["scopes"])
    wanted = _some(draw, scopes, 0.4)
    if draw.random() < 0.02:
        wanted.append("unheard")
    asked: Question = {
        "service": service,
        "user": user,
        "at": _mostly(draw, NOW, (NOW - 2, NOW - 1, NOW + 1, NOW + 2), 0.6),
        "scopes": wanted,
        "address": _address(draw, given["network"]["rows"]),
        "in_person": draw.random() < 0.2,
        "proof": _pick(draw, ("none", *PROOFS)),
        "outbound": draw.random() < 0.1,
        "connectors": _some(draw, (*CONNECTORS, "new"), 0.3) if draw.random() < 0.6 else None,
        "environment": _mostly(draw, None, ENVIRONMENTS, 0.4),
        "flow_id": _mostly(draw, None, FLOWS, 0.7),
        "no_flow": draw.random() < 0.1,
        "required": _some(draw, ("service", "user", "network", "link"), 0.1) + _some(draw, ("data_group",), 0.05),
        "token": None,
    }
    if draw.random() < 0.7:
        asked["token"] = _token(draw, given, asked, scopes)
    return asked


def _address(draw: Random, rows: Sequence[str]) -> str | None:
    """Return an address beside the bounds of a row, in one of the ways in which it may be written."""
    if draw.random() < 0.03:
        return None
    if draw.random() < 0.03:
        return _pick(draw, STRANGE)
    block = _block(_pick(draw, rows if rows and draw.random() < 0.9 else ROWS))
    first, last = int(block[0]), int(block[-1])
    size = 1 << block.max_prefixlen
    near = (first - 1, last + 1) if draw.random() < 0.3 else (first, last, (first + last) // 2)
    number = _pick(draw, near) % size
    if block.version == 4:
        text = str(ipaddress.IPv4Address(number))
        return f"::ffff:{text}" if draw.random() < 0.1 else text
    address = ipaddress.IPv6Address(number)
    return address.exploded.upper() if draw.random() < 0.2 else str(address)


@cache
def _block(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


def _token(draw: Random, given: World, asked: Question, scopes: Sequence[str]) -> dict[str, Any]:
    problems = _some(draw, PROBLEMS, 0.02)
    covered = sorted({*asked["scopes"], *_some(draw, scopes)}) if draw.random() < 0.9 else _some(draw, scopes)
    token: dict[str, Any] = {"link": None, "problems": problems, "scopes": covered, "redeeming": draw.random() < 0.15}
    if draw.random() < 0.03:
        return token
    service = _mostly(draw, asked["service"] or "chat", SERVICES, 0.98)
    owner = _mostly(draw, asked["user"], (*USERS, None), 0.97)
    edits, endings = len(given["edits"].get(service, [])), len(given["endings"])
    token["link"] = {
        "owner": owner,
        "service": service,
        "state": _mostly(
            draw, "consented" if token["redeeming"] else "live", ("consented", "suspended", "revoked", "live")
        ),
        "accepted": _mostly(draw, edits, range(edits + 1), 0.5),
        "made": _mostly(draw, endings, range(endings + 1), 0.7),
        "expires": _mostly(draw, NOW + 100, (asked["at"] - 1, asked["at"], asked["at"] + 1)),
        "pinned": draw.random() < 0.15,
        "client_removed": draw.random() < 0.05,
    }
    return token
