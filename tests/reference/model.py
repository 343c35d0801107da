"""The whole policy a second time, naively: plain lists and loops, nothing shared with extlink, nothing compiled.

Written from the documents (the five gates, the four verbs, the rules of data groups, the reason codes), to be compared
with `extlink.access.evaluate` on every generated world. Where extlink keeps epochs, tenures and tables, this model
keeps what happened, in order, and replays it for each question.

A world is a dict:

    edition, products, unconfigured ("deny" | "allow"), flows_stated (whether a flow must be stated)
    services    id -> {editions, products, available, state, scopes: {name: product or ""}, dormant}, registered ones
                alone; dormant is after how many seconds an unused link is over, None or left out where it never is
    stopped     ids of services that the host quarantined everywhere
    people      id -> {directory: "active" | "suspended" | "deleted" | "unknown" | "silent", told: what the host told,
                products, paths: [[top, ..., own organization]], groups}
    edits       service -> [{at, changes: [{verb, kind, id, reach, until, existing, scopes}]}]; the n-th edit has the
                number n; scopes is the ceiling of what is granted by name, None or left out where there is none
    network     {mode, rows: [CIDR text], proofs: what lets a person in from any other address}
    pins        service -> {rows: the CIDR texts that it publishes, applies: "service" | "links"}
    policies    [{id, business, non_business, blocked, default, scope, environments, exempt}]
    endings     [(what, whom)]: everything of the "tenant", a "service", a "user", or by the "host" of a service ended

A question is a dict: service, user, at, scopes, address, in_person (the user, not the service, is at the address),
proof (what such a user has shown), outbound, connectors, environment, flow_id, no_flow, required, token. A token is
None (none is asked for) or {link, problems, scopes, redeeming}; a link is None or {owner, service, state, accepted (how
many edits came before it), made (how many endings came before it), expires, pinned, client_removed, renewed (0 if left
out)}.

The answer of a gate is one of four words and the set of its reasons: a code, with what tells it from its like behind.
"""

from __future__ import annotations

import ipaddress
from typing import Any

__all__ = ["GATES", "answer", "granted", "replay"]

World = dict[str, Any]
Question = dict[str, Any]
Gate = tuple[str, set[str]]
Key = tuple[str, str, str]
Rule = dict[str, Any]

GATES = ["service", "user", "network", "data_group", "link"]


def answer(world: World, question: Question) -> tuple[bool, dict[str, Gate]]:
    """Return whether the request is allowed, and what each gate says."""
    gates = {
        "service": _service(world, question),
        "user": _user(world, question),
        "network": _network(world, question),
        "data_group": _data_group(world, question),
        "link": _link(world, question),
    }
    required = ["service", *question["required"]]
    if world["flows_stated"]:
        required.append("data_group")
    allowed = True
    for gate in GATES:
        if gates[gate][0] == "refused" or (gates[gate][0] == "not_evaluated" and gate in required):
            allowed = False
    return allowed, gates


def _gate(wrong: set[str], evidence: str) -> Gate:
    return ("refused", wrong) if wrong else ("passed", {evidence})


def _service(world: World, question: Question) -> Gate:
    name = question["service"]
    if name is None:
        return "not_evaluated", {"service.unidentified"}
    if name not in world["services"]:
        return "refused", {"service.unknown"}
    service = world["services"][name]
    wrong = set()
    if world["edition"] not in service["editions"]:
        wrong.add("service.not_in_edition")
    if service["products"] and not any(product in world["products"] for product in service["products"]):
        wrong.add("service.product_missing")
    if not service["available"]:
        wrong.add("service.unavailable")
    if name in world["stopped"]:
        wrong.add("service.quarantined_everywhere")
    if service["state"] in {"quarantined", "disabled"}:
        wrong.add("service." + service["state"])
    if service["state"] == "unconfigured" and world["unconfigured"] == "deny":
        wrong.add("service.not_enabled")
    for scope in question["scopes"]:
        if scope not in service["scopes"]:
            wrong.add("scope.unknown " + scope)
    return _gate(wrong, "service.enabled" if service["state"] == "enabled" else "service.enabled_by_default")


def _user(world: World, question: Question) -> Gate:
    service, user = question["service"], question["user"]
    if service is None:
        return "not_evaluated", {"user.unidentified"}
    if user is None:
        return "not_applicable", {"grant.not_applicable"}
    person = _person(world, user)
    status = {person["directory"], person["told"]}
    wrong = set()
    if "silent" in status:
        wrong.add("directory.unavailable")
    if "deleted" in status:
        wrong.add("user.deleted")
    elif "suspended" in status:
        wrong.add("user.suspended")
    if "unknown" in status and "deleted" not in status:
        wrong.add("user.unknown")
    if not status & {"unknown", "silent"} and service in world["services"]:
        for scope in question["scopes"]:
            product = world["services"][service]["scopes"].get(scope, "")
            if product and product not in person["products"]:
                wrong.add("user.product_missing " + scope)
    let_in, why = granted(world, question, person)
    if not let_in and "silent" not in status:
        wrong.add(why)
    ceiling = _ceiling(world, question, person)
    if let_in and ceiling is not None:
        wrong |= {"grant.scope_not_granted " + scope for scope in question["scopes"] if scope not in ceiling}
    return _gate(wrong, why)


def _person(world: World, user: str) -> dict[str, Any]:
    """Return what is known of a user; of one whom the directory does not name, neither memberships nor products."""
    person = world["people"].get(user, {"directory": "unknown", "told": "active"})
    if person["directory"] in {"unknown", "silent"}:
        person = {**person, "products": [], "paths": [], "groups": []}
    return {**person, "id": user}


def granted(world: World, question: Question, person: dict[str, Any]) -> tuple[bool, str]:
    """Return whether today's rules let a person in, and why."""
    accepted = _accepted(question)
    past = replay(world["edits"].get(question["service"], []), person, accepted)
    over = False
    for key, rule in sorted(past["rules"].items(), key=_nearest):
        side, kind, name = key
        if side == "excluded":
            if rule["existing"] != "keep" or accepted is None or accepted >= past["began"][key]:
                return False, "grant.excluded " + (kind if kind == "user" else f"{kind}:{name}")
        elif _in_time(rule, question["at"]):
            return True, f"grant.{kind} {name}" if kind in {"organization", "group"} else f"grant.{kind}"
        else:
            over = True
    if any(_in_time(rule, question["at"]) for rule in past["kept"]):
        return True, "grant.kept"
    return False, "grant.over" if over else "grant.missing"


def _accepted(question: Question) -> int | None:
    """Return how many edits came before the link that asks, if it is the user's own to this service."""
    link = (question["token"] or {}).get("link")
    if link is None or link["owner"] != question["user"] or link["service"] != question["service"]:
        return None
    before: int = link["accepted"]
    return before


def _ceiling(world: World, question: Question, person: dict[str, Any]) -> list[str] | None:
    """Return all that the grants of a person cover together, those that keep the link too; None: everything."""
    past = replay(world["edits"].get(question["service"], []), person, _accepted(question))
    grants = [rule for (side, _, _), rule in past["rules"].items() if side == "granted"]
    covered: list[str] = []
    for rule in [*grants, *past["kept"]]:
        if _in_time(rule, question["at"]):
            if rule["scopes"] is None:
                return None
            covered += rule["scopes"]
    return covered


def _nearest(item: tuple[Key, Rule]) -> tuple[str, int, str]:
    """Order exclusions before grants, and of each those that name the person first."""
    (side, kind, name), _ = item
    return side, ["user", "organization", "group", "everyone"].index(kind), name


def _in_time(rule: Rule, at: int) -> bool:
    return rule["until"] is None or at < rule["until"]


def _concerning(rules: dict[Key, Rule], person: dict[str, Any]) -> dict[Key, Rule]:
    found = {}
    for key, rule in rules.items():
        _, kind, name = key
        if kind == "organization":
            for path in person["paths"]:
                if path[-1] == name or (rule["reach"] == "subtree" and name in path):
                    found[key] = rule
        elif kind == "everyone" or name in (person["groups"] if kind == "group" else [person["id"]]):
            found[key] = rule
    return found


def replay(edits: list[dict[str, Any]], person: dict[str, Any], accepted: int | None) -> dict[str, Any]:
    """Go through all edits as they were made, for one person and perhaps one link of this person.

    Returns: `rules`, those that concern the person today; `began`, the edit since which each does so as it stands;
    `kept`, the withdrawn grants under which the link was made and that keep it, unless a later withdrawal says
    no; `ended`, whether some edit ended the link.
    """
    rules: dict[Key, Rule] = {}
    today: dict[Key, Rule] = {}
    began: dict[Key, int] = {}
    kept: list[Rule] = []
    ended = False
    for number, edit in enumerate(edits, 1):
        before = today
        said = {_apply(rules, change, edit["at"]): change["existing"] for change in edit["changes"]}
        today = _concerning(rules, person)
        for key, rule in today.items():
            if key not in before or (key[0] == "excluded" and before[key] != rule):
                began[key] = number
        if accepted is None or number <= accepted:
            continue
        lost = [key for key in before if key[0] == "granted" and key not in today]
        if any(said[key] != "keep" for key in lost):
            kept = []
        kept += [before[key] for key in lost if said[key] == "keep" and began[key] <= accepted]
        left = any(key[0] == "granted" and _in_time(rule, edit["at"]) for key, rule in today.items())
        if any(said[key] == "revoke" for key in lost) and not left:
            ended = True
        for key, rule in today.items():
            if key[0] == "excluded" and began[key] == number and rule["existing"] == "revoke":
                ended = True
    return {"rules": today, "began": began, "kept": kept, "ended": ended}


def _apply(rules: dict[Key, Rule], change: dict[str, Any], at: int) -> Key:
    """Make one change; a tick leaves alone what is granted by name already."""
    verb = change["verb"]
    key = ("excluded" if verb in {"exclude", "include"} else "granted", change["kind"], change["id"])
    if verb in {"withdraw", "include"}:
        rules.pop(key, None)
    elif verb != "tick" or key not in rules or not _in_time(rules[key], at):
        rules[key] = {word: change.get(word) for word in ("reach", "until", "existing", "scopes")}
    return key


def _network(world: World, question: Question) -> Gate:
    if question["outbound"]:
        return "not_applicable", {"network.not_applicable"}
    mode, text = world["network"]["mode"], question["address"]
    address = None if text is None else _parsed(text)
    wrong: set[str] = set()
    seen: set[str] = set()
    if text is not None and address is None:
        wrong.add("network.address_invalid")
    elif mode == "allow_all":
        seen.add("network.allow_all")
    elif text is None:
        wrong.add("network.address_unknown")
    elif mode == "allow_some" and _narrowest(world["network"]["rows"], address):
        seen.add("network.row " + _narrowest(world["network"]["rows"], address))
    elif question["in_person"] and question["proof"] in world["network"]["proofs"]:
        seen.add("network.proof " + question["proof"])
    else:
        wrong.add("network.deny_all" if mode == "deny_all" else "network.address_not_allowed")
    if not question["in_person"] and _is_held_to_its_ranges(world, question):
        ranges = world["pins"].get(question["service"], {"rows": []})["rows"]
        if not ranges:
            wrong.add("network.ranges_unknown")
        elif text is None:
            wrong.add("network.address_unknown")
        elif address is not None and _narrowest(ranges, address):
            seen.add("network.published " + _narrowest(ranges, address))
        elif address is not None:
            wrong.add("network.not_published")
    return ("refused", wrong) if wrong else ("passed", seen)


def _is_held_to_its_ranges(world: World, question: Question) -> bool:
    service, token = question["service"], question["token"]
    if service is None:
        return False
    if world["pins"].get(service, {"applies": ""})["applies"] == "service":
        return True
    return token is not None and token["link"] is not None and token["link"]["pinned"]


def _narrowest(rows: list[str], address: Any) -> str:
    found = [(-ipaddress.ip_network(row).prefixlen, row) for row in rows if address in ipaddress.ip_network(row)]
    return min(found, default=(0, ""))[1]


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None or "%" in text:
            return None
        return address.ipv4_mapped or address
    return address


def _data_group(world: World, question: Question) -> Gate:
    connectors = question["connectors"]
    if question["no_flow"]:
        return "not_applicable", {"datagroup.not_applicable"}
    if connectors is None:
        return "not_evaluated", {"datagroup.flow_unknown"}
    wrong = set()
    for policy in world["policies"]:
        if not _concerns(policy, question["environment"], question["flow_id"]):
            continue
        sorted_out: dict[str, list[str]] = {"business": [], "non_business": [], "blocked": []}
        for connector in connectors:
            groups = [group for group in sorted_out if connector in policy[group]]
            sorted_out[groups[0] if groups else policy["default"]].append(connector)
        for connector in sorted_out["blocked"]:
            wrong.add(f"datagroup.blocked {connector} {policy['id']}")
        if sorted_out["business"] and sorted_out["non_business"]:
            wrong.add("datagroup.mixed " + policy["id"])
    return _gate(wrong, "datagroup.same_group" if world["policies"] else "datagroup.no_policy")


def _concerns(policy: dict[str, Any], environment: str | None, flow: str | None) -> bool:
    """Return whether a data policy applies; where nobody says which environment it is, each does."""
    if flow is not None and flow in policy["exempt"]:
        return False
    if environment is None or policy["scope"] == "all":
        return True
    return bool((environment in policy["environments"]) == (policy["scope"] == "only"))


def _link(world: World, question: Question) -> Gate:
    token = question["token"]
    if token is None:
        return "not_evaluated", {"link.not_asked"}
    link, wrong = token["link"], set(token["problems"])
    if link is None:
        return "refused", wrong or {"token.unknown"}
    if link["service"] != question["service"] or link["owner"] not in {None, question["user"]}:
        return "refused", {"link.missing"}
    if not wrong:
        for scope in question["scopes"]:
            if scope not in token["scopes"]:
                wrong.add("scope.not_covered " + scope)
    if link["state"] in {"revoked", "suspended"}:
        wrong.add("link." + link["state"])
    if link["state"] == "consented" and not token["redeeming"]:
        wrong.add("link.not_redeemed")
    if question["at"] >= link["expires"]:
        wrong.add("link.expired")
    dormant = world["services"].get(link["service"], {}).get("dormant")
    if dormant is not None and question["at"] >= link.get("renewed", 0) + dormant:
        wrong.add("link.dormant")
    if link["client_removed"]:
        wrong.add("client.removed")
    return _gate(wrong | {"link.ended " + cause for cause in _endings(world, link)}, "link.live")


def _endings(world: World, link: dict[str, Any]) -> set[str]:
    """Return what ended a link besides itself: everything of its tenant, service or owner, or a grant that was lost."""
    owner, service = link["owner"], link["service"]
    mine = [("tenant", ""), ("service", service), ("host", service), ("user", owner)]
    causes = {what for what, whom in world["endings"][link["made"] :] if (what, whom) in mine}
    if owner is not None:
        history = world["edits"].get(service, [])
        if replay(history, _person(world, owner), link["accepted"])["ended"]:
            causes.add("grant")
    return causes
