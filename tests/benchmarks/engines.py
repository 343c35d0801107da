"""Policy engines, each given the model that serves it best, and a question smaller than ours.

All three are asked one gate out of five: may this person use this service, by name, through a group or through an
organization? No engine is asked about addresses, end dates, data groups or links.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from extlink.domain.access import AccessRequest, Policy
from extlink.domain.grant import UserGrantPolicy
from extlink.domain.identifier import UserId
from tests.benchmarks.measure import Batch
from tests.benchmarks.world import World

__all__ = ["HOW", "NOTES", "casbin", "casbin_enforcer", "cedar", "subjects", "vakt"]

HOW: Final = (
    "*Grants*: the engines are asked one gate of five: may this person use this service, by name, through a group "
    "or through an organization? *Grants and address*: they are also asked whether the address is in one of the "
    "tenant's ranges, each by its own means. End dates, exclusions, data groups, scopes and links are left out of "
    "their question, and no evidence comes with their answers; `evaluate` answers the whole one. Each has one "
    "model, chosen by reading its source for what it does fastest; other models were not measured. Its answers are "
    "compared with what the question means before anything is measured."
)
NOTES: Final = (
    (
        "Of the grants alone an engine that needs only a bool may say so about as soon as `evaluate` explains all "
        "five gates, so the targets are missed. Once the addresses are asked as well, with a thousand ranges, "
        "pycasbin and vakt are within them; cedarpy, which is written in Rust, is not."
    ),
    (
        "pycasbin: `FastEnforcer` with its filter on the service, one policy line a service and everything else in "
        "the role graph - people in organizations and groups, these in a role per service - so that its expression "
        "is evaluated once a question. Addresses: its `ip_match` over the ranges, as a function that the matcher "
        "asks last."
    ),
    (
        "vakt: one policy a service, its subjects one rule over a set; the storage hands every policy to the "
        "checker, which is asked first for what tells them apart. Addresses: its `CIDR` rules under one `Or`."
    ),
    (
        "cedarpy: policies parsed once (`PolicySet`), one a service; the person is an entity parsed beforehand, "
        "whose parents are the roles that name, groups and organizations come to: that part of the work is "
        "prepared. Addresses: one `forbid` unless `isInRange` of any range."
    ),
)

_MODEL: Final = """
[request_definition]
r = sub, obj, act{asked}
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act{more}
"""
_FILTER: Final = (1, 2)


def subjects(grants: UserGrantPolicy) -> Iterator[str]:
    """Yield whom a service is open for: people, organizations and groups."""
    yield from (user for user, rules in grants.users.items() if rules.granted.open)
    yield from (one for one, rule in grants.granted.organizations.items() if rule.open)
    yield from (one for one, rule in grants.granted.groups.items() if rule.open)


def _parents(policy: Policy, user: str) -> tuple[str, ...]:
    """Return everything that a person is in, a tree's organizations with all above them."""
    person = policy.people.get(UserId(user))
    member = None if person is None else person.member
    return () if member is None else (*sorted(member.within), *sorted(member.groups))


def _role_graph(policy: Policy) -> Iterator[list[str]]:
    """Yield who is in what: people in organizations and groups, organizations in those above, these in roles."""
    above: set[tuple[str, str]] = set()
    for user, person in policy.people.items():
        member = person.member
        if member is not None:
            yield from ([user, one] for one in (*member.direct, *member.groups))
            above.update((low, high) for path in member.organizations for high, low in pairwise(path))
    yield from (list(pair) for pair in above)
    for service, grants in policy.grants.items():
        yield from ([subject, f"role:{service}"] for subject in subjects(grants))


def _is_admitted(world: World, request: AccessRequest) -> bool:
    return request.address is not None and world.policy.network.admits_text(request.address)


def _texts(world: World) -> list[str]:
    return [row.text for row in world.policy.network.rows]


def casbin_enforcer(world: World, *, addresses: bool = False) -> Any:
    """Return pycasbin's enforcer over the tenant's grants."""
    import casbin as peer
    from casbin.model import FastModel
    from casbin.persist import Adapter
    from casbin.util import ip_match

    class Tenant(Adapter):  # type: ignore[misc]
        """Hands the whole tenant over at once; line by line, every line is looked for among all others first."""

        def load_policy(self, model: Any) -> None:
            for service in world.policy.grants:
                model.model["p"]["p"].policy.append([f"role:{service}", service, "use"])
            model.model["g"]["g"].policy.extend(_role_graph(world.policy))

    ranges = _texts(world)

    def is_inside(address: str) -> bool:
        return any(ip_match(address, text) for text in ranges)

    model = FastModel(_FILTER)
    model.load_model_from_text(
        _MODEL.format(asked=", ip", more=" && inside(r.ip)") if addresses else _MODEL.format(asked="", more="")
    )
    enforcer = peer.FastEnforcer(model, Tenant(), cache_key_order=_FILTER)
    enforcer.add_function("inside", is_inside)
    return enforcer


def require_agreement(
    world: World, asked: Sequence[AccessRequest], answers: Sequence[bool], *, addresses: bool
) -> None:
    """Compare an engine's answers with what its question means.

    Raises:
        AssertionError: it was given another model than was meant.
    """
    open_for = {service: set(subjects(grants)) for service, grants in world.policy.grants.items()}
    for request, answer in zip(asked, answers, strict=True):
        who = {str(request.user), *_parents(world.policy, str(request.user))}
        expected = request.service in open_for and not open_for[request.service].isdisjoint(who)
        expected = expected and (not addresses or _is_admitted(world, request))
        assert expected == answer, f"{request}: expected {expected}"


def casbin(world: World, asked: Sequence[AccessRequest], *, addresses: bool) -> Batch:
    """Return a batch of pycasbin's answers."""
    enforcer = casbin_enforcer(world, addresses=addresses)
    questions = [
        (str(request.user), str(request.service), "use", *((request.address,) if addresses else ()))
        for request in asked
    ]
    answers = [enforcer.enforce(*question) for question in questions]
    require_agreement(world, asked, answers, addresses=addresses)

    def run() -> int:
        for question in questions:
            enforcer.enforce(*question)
        return len(questions)

    return run


def vakt(world: World, asked: Sequence[AccessRequest], *, addresses: bool) -> Batch:
    """Return a batch of vakt's answers."""
    import vakt as peer
    from vakt.rules import CIDR, AnyIn, Eq, Or

    logging.getLogger("vakt").setLevel(logging.CRITICAL)
    storage = peer.MemoryStorage()
    context = {"ip": Or(*map(CIDR, _texts(world)))} if addresses else {}
    for service, grants in world.policy.grants.items():
        # The checker asks for the action first: what differs most among the policies is put there.
        rule = AnyIn(*subjects(grants))
        storage.add(peer.Policy(service, [rule], peer.ALLOW_ACCESS, [Eq("service")], [Eq(service)], context))
    guard = peer.Guard(storage, peer.RulesChecker())
    inquiries = [
        peer.Inquiry(
            subject=[str(request.user), *_parents(world.policy, str(request.user))],
            resource="service",
            action=str(request.service),
            context={"ip": request.address} if addresses else {},
        )
        for request in asked
    ]
    answers = [guard.is_allowed_check(inquiry) for inquiry in inquiries]
    require_agreement(world, asked, answers, addresses=addresses)

    def run() -> int:
        for inquiry in inquiries:
            guard.is_allowed_check(inquiry)
        return len(inquiries)

    return run


def cedar(world: World, asked: Sequence[AccessRequest], *, addresses: bool) -> Batch:
    """Return a batch of cedarpy's answers."""
    import cedarpy as peer

    lines = [
        f'permit (principal in In::"role:{service}", action == Action::"use", resource == Service::"{service}");'
        for service in world.policy.grants
    ]
    if addresses:
        inside = " || ".join(f'context.ip.isInRange(ip("{text}"))' for text in _texts(world))
        lines.append(f"forbid (principal, action, resource) unless {{ {inside} }};")
    policies = peer.PolicySet.from_str("\n".join(lines))
    roles: dict[str, list[str]] = {}
    for service, grants in world.policy.grants.items():
        for subject in subjects(grants):
            roles.setdefault(subject, []).append(f"role:{service}")
    prepared = [
        (
            {
                "principal": f'User::"{request.user}"',
                "action": 'Action::"use"',
                "resource": f'Service::"{request.service}"',
                "context": json.dumps({"ip": {"__extn": {"fn": "ip", "arg": request.address}}} if addresses else {}),
            },
            peer.Entities.from_json_str(json.dumps([_entity(world.policy, roles, str(request.user))])),
        )
        for request in asked
    ]
    answers = [peer.is_authorized(question, policies, entities).allowed for question, entities in prepared]
    require_agreement(world, asked, answers, addresses=addresses)

    def run() -> int:
        for question, entities in prepared:
            _ = peer.is_authorized(question, policies, entities).allowed
        return len(prepared)

    return run


def _entity(policy: Policy, roles: dict[str, list[str]], user: str) -> dict[str, object]:
    """Return a person whose parents are the roles that name, groups and organizations give."""
    held = {role for one in (user, *_parents(policy, user)) for role in roles.get(one, ())}
    return {
        "uid": {"type": "User", "id": user},
        "attrs": {},
        "parents": [{"type": "In", "id": role} for role in sorted(held)],
    }
