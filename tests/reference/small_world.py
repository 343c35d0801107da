"""Every state of a small world: 2 users, 2 services, 8 addresses and all positions of the switches; a program.

    python -m tests.reference.small_world --part 0 --parts 2 [--deep]     a summary as JSON, the first differences in it

Where generated worlds may miss a combination, here there is none that is not asked about.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from typing import Any, Final

from tests.reference.building import policy_of
from tests.reference.differential import Subject, Summary, compare
from tests.reference.worlds import NOW, Question, World

__all__ = ["Switches", "every_question", "every_world", "explore"]

Change = tuple[str, str, str, str]
Switches = dict[str, list[Any]]

# What is behind the bar is for the long tier alone.
STATES: Final = ["enabled", "disabled", "quarantined", "unconfigured", "allowed by default", "quarantined everywhere"]
STATUS: Final = ["active", "suspended"]
# Restriction, what lets people in beside it, and which calls must come from the ranges that the service publishes.
NETWORKS: Final[list[tuple[str, list[str], str]]] = [
    ("allow_all", [], ""),
    ("allow_some", [], ""),
    ("deny_all", [], ""),
    ("allow_some", [], "service"),
    # |
    ("allow_some", ["basic"], "links"),
    ("deny_all", ["basic"], ""),
    ("allow_all", [], "links"),
]
CALLERS: Final = ["service", "basic"]
# A history is what happened to the grants of both services; the link was made after the first edit. NOW is too late for
# what is granted until NOW.
HISTORIES: Final[list[list[list[Change]]]] = [
    [],
    [[("allow", "user", "ann", "")]],
    [[("allow", "organization", "east", "subtree")]],
    [[("allow", "organization", "east", "direct")]],
    [[("allow", "user", "ann", "now")]],
    [[("allow", "everyone", "everyone", "")], [("exclude", "user", "ann", "revoke")]],
    [[("allow", "everyone", "everyone", "")], [("exclude", "organization", "sales", "keep")]],
    [[("allow", "user", "ann", "")], [("withdraw", "user", "ann", "revoke")], [("allow", "user", "ann", "")]],
    [[("allow", "user", "ann", "")], [("withdraw", "user", "ann", "keep")]],
    [[("allow", "user", "ann", "")], [("allow", "group", "staff", "")], [("withdraw", "user", "ann", "revoke")]],
    # |
    [[("allow", "user", "ann", "")], [("withdraw", "user", "ann", "suspend")]],
    [[("allow", "organization", "east", "subtree")], [("allow", "organization", "east", "direct")]],
    [[("allow", "user", "ann", "")], [("exclude", "user", "ann", "suspend")], [("include", "user", "ann", "")]],
]
POLICIES: Final[list[list[dict[str, list[str]]]]] = [[], [{"business": ["kintone"]}], [{"blocked": ["chat"]}]]
CONNECTORS: Final = [None, ["chat", "kintone"], ["kintone"]]
TOKENS: Final = ["none", "live", "suspended", "ended", "superseded", "revoked", "expired", "another's", "pinned"]
USERS: Final = ["ann", "bob"]
SERVICES: Final = ["automate", "chat"]
ADDRESSES: Final = [f"10.0.0.{last}" for last in range(8)]


def switches(*, deep: bool) -> Switches:
    """Return what is combined with what: about 300,000 states, or all of them, over a million."""
    return {
        "state": STATES,
        "status": STATUS,
        "history": HISTORIES if deep else HISTORIES[:10],
        "network": NETWORKS if deep else NETWORKS[:4],
        "policies": POLICIES if deep else POLICIES[:2],
        "user": USERS,
        "service": SERVICES,
        "address": ADDRESSES,
        "connectors": CONNECTORS if deep else CONNECTORS[:2],
        "token": TOKENS if deep else TOKENS[:5],
        "caller": CALLERS if deep else CALLERS[:1],
    }


def every_world(given: Switches) -> Iterator[World]:
    """Yield the world of every position of the switches; the service "chat" is switched, "automate" stays enabled."""
    for state, status, history, (mode, proofs, applies), policies in itertools.product(
        *(given[name] for name in ("state", "status", "history", "network", "policies"))
    ):
        service = {"editions": ["JP"], "products": [], "available": True, "scopes": {"read": "kintone"}}
        states = {"allowed by default": "unconfigured", "quarantined everywhere": "enabled"}
        yield {
            "edition": "JP",
            "products": ["kintone"],
            "unconfigured": "allow" if state == "allowed by default" else "deny",
            "flows_stated": False,
            "services": {
                "automate": {**service, "state": "enabled"},
                "chat": {**service, "state": states.get(state, state)},
            },
            "stopped": ["chat"] if state == "quarantined everywhere" else [],
            "people": {
                "ann": _person(status, [["east", "sales"]], ["staff"]),
                "bob": _person("active", [["east"]], []),
            },
            "edits": {name: _edits(history) for name in SERVICES},
            "network": {"mode": mode, "rows": ["10.0.0.2/31", "10.0.0.5/32"], "proofs": proofs},
            "pins": {"chat": {"rows": ["10.0.0.3/32", "10.0.0.4/31"], "applies": applies}} if applies else {},
            "policies": [_policy(one) for one in policies],
            "endings": [("user", "ann"), ("user", "bob")],
        }


def _person(told: str, paths: list[list[str]], groups: list[str]) -> dict[str, Any]:
    return {"directory": "active", "told": told, "products": ["kintone"], "paths": paths, "groups": groups}


def _edits(history: list[list[Change]]) -> list[dict[str, Any]]:
    return [
        {
            "at": NOW - 10,
            "changes": [
                {
                    "verb": verb,
                    "kind": kind,
                    "id": name,
                    "reach": "subtree" if word == "subtree" or verb == "exclude" else "direct",
                    "until": NOW if word == "now" else None,
                    "existing": word if word in {"suspend", "keep"} else "revoke",
                }
                for verb, kind, name, word in edit
            ],
        }
        for edit in history
    ]


def _policy(sides: dict[str, list[str]]) -> dict[str, Any]:
    named = {group: sides.get(group, []) for group in ("business", "non_business", "blocked")}
    return {"id": "p", **named, "default": "non_business", "scope": "all", "environments": [], "exempt": []}


def every_question(given: Switches) -> Iterator[Question]:
    """Yield every question that can be asked in any of the worlds."""
    for user, service, address, connectors, token, caller in itertools.product(
        *(given[name] for name in ("user", "service", "address", "connectors", "token", "caller"))
    ):
        yield {
            "service": service,
            "user": user,
            "at": NOW,
            "scopes": ["read"],
            "address": address,
            "in_person": caller != "service",
            "proof": "basic" if caller == "basic" else "none",
            "outbound": False,
            "connectors": connectors,
            "environment": None,
            "flow_id": None,
            "no_flow": False,
            "required": [],
            "token": None if token == "none" else _token(token, user, service),
        }


def _token(case: str, user: str, service: str) -> dict[str, Any]:
    return {
        "link": {
            "owner": {"ann": "bob", "bob": "ann"}[user] if case == "another's" else user,
            "service": service,
            "state": case if case in {"suspended", "revoked"} else "live",
            "accepted": 1,
            "made": 0 if case == "ended" else 2,
            "expires": NOW if case == "expired" else NOW + 1,
            "pinned": case == "pinned",
            "client_removed": False,
        },
        "problems": ["token.superseded"] if case == "superseded" else [],
        "scopes": ["read"],
        "redeeming": False,
    }


def explore(given: Switches, part: int = 0, parts: int = 1, twin: Subject | None = None) -> Summary:
    """Ask every question in every world (or in every `parts`-th, beginning with `part`) and compare the answers.

    Args:
        twin: ask it instead of extlink, up to the first difference.
    """
    summary, subject = Summary(), twin or Subject()
    questions = list(every_question(given))
    for world in itertools.islice(every_world(given), part, None, parts):
        policy = policy_of(world)
        for question in questions:
            allowed, difference = compare(subject, world, question, policy)
            summary.cases += 1
            summary.allowed += allowed
            if difference:
                summary.differences.append(f"{difference}: {json.dumps([world, question])}")
                if twin is not None:
                    return summary
    return summary


def main(arguments: list[str]) -> int:
    """Run the program; it fails if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--deep", action="store_true")
    options = parser.parse_args(arguments)
    summary = explore(switches(deep=options.deep), options.part, options.parts)
    sys.stdout.write(summary.as_json() + "\n")
    return 1 if summary.differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
