"""Worlds and questions of the reference model as extlink's values: histories are made by `Rule.opened` and `closed`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from extlink.domain.access import AccessRequest, Credential, Person, Policy
from extlink.domain.address import parse_range
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Note
from extlink.domain.directory import Member
from extlink.domain.grant import Rule, Rules, UserGrantPolicy, UserRules
from extlink.domain.identifier import (
    ClientId,
    ConnectorId,
    GroupId,
    LinkId,
    OrganizationId,
    PolicyId,
    Scope,
    ServiceId,
    TenantId,
    UserId,
)
from extlink.domain.instant import Instant
from extlink.domain.link import Code, Link, LinkState, Rotation
from extlink.domain.localized import LocalizedText
from extlink.domain.network import IPRestriction, Row
from extlink.domain.pin import Pin
from extlink.domain.registry import HostService, RegisteredService, ServiceRegistry, ServiceState
from extlink.domain.service import Availability, ScopeDefinition, Service
from extlink.domain.tenant import Epochs, Tenant, UserState

__all__ = ["grants_of", "member_of", "narrowed", "policy_of", "request_of"]

Fields = Mapping[str, Any]
_NO_CODE: Final = Code(digest=b"", expires=Instant(0), redirect_uri="", challenge=None)
_LINK: Final = LinkId("link")


_GONE: Final = ClientId("gone")


def policy_of(world: Fields) -> Policy:
    """Return a world as extlink's policy of the whole tenant."""
    endings = world["endings"]
    tenant = Tenant(
        id=TenantId("acme"),
        edition=world["edition"],
        products=frozenset(world["products"]),
        unconfigured_services=world["unconfigured"],
        requires_flow_connectors=world["flows_stated"],
        epoch=_epoch(endings, "tenant", ""),
    )
    services = {ServiceId(name): _registered(name, one, endings) for name, one in world["services"].items()}
    stopped = {*world["stopped"], *(whom for what, whom in endings if what == "host")}
    return Policy(
        registry=ServiceRegistry(
            tenant,
            services,
            {
                ServiceId(name): HostService(name in world["stopped"], _epoch(endings, "host", name), "breach")
                for name in stopped
            },
        ),
        grants={ServiceId(name): grants_of(name, edits) for name, edits in world["edits"].items()},
        people={UserId(name): _person(name, one, endings) for name, one in world["people"].items()},
        network=IPRestriction(
            world["network"]["mode"],
            tuple(_row(text) for text in world["network"]["rows"]),
            frozenset(world["network"]["proofs"]),
        ),
        pins={
            ServiceId(name): Pin([_row(text) for text in one["rows"]], one["applies"])
            for name, one in world["pins"].items()
        },
        data_groups=DataGroupPolicy(tuple(_data_policy(one) for one in world["policies"])),
        removed_clients=frozenset({_GONE}),
    )


def _epoch(endings: Iterable[tuple[str, str | None]], what: str, whom: str | None) -> int:
    return sum(one == (what, whom) for one in endings)


def _registered(name: str, service: Fields, endings: Iterable[tuple[str, str | None]]) -> RegisteredService:
    definition = _definition(
        name,
        tuple(service["editions"]),
        tuple(service["products"]),
        tuple(service["scopes"].items()),
        available=service["available"],
    )
    return RegisteredService(
        definition,
        ServiceState(service["state"]),
        _epoch(endings, "service", name),
        "leak",
        dormant_after=service.get("dormant"),
    )


@lru_cache(maxsize=4_096)
def _definition(
    name: str,
    editions: tuple[Any, ...],
    products: tuple[str, ...],
    scopes: tuple[tuple[str, str], ...],
    *,
    available: bool,
) -> Service:
    said = LocalizedText.same(name)
    return Service(
        id=ServiceId(name),
        names=said,
        descriptions=said,
        directions=frozenset({"inbound"}),
        scopes=tuple(
            ScopeDefinition(name=Scope(scope), labels=said, product=product, direction="read")
            for scope, product in scopes
        ),
        products=frozenset(products),
        editions=frozenset(editions),
        availability=Availability() if available else Availability(state="unavailable", cause=said),
    )


def _person(name: str, person: Fields, endings: Iterable[tuple[str, str | None]]) -> Person:
    state = UserState(person["told"], _epoch(endings, "user", name))
    known = person["directory"] not in {"unknown", "silent"}
    return Person(member_of(name, person) if known else None, state, answered=person["directory"] != "silent")


def member_of(name: str, person: Fields) -> Member:
    """Return a person as the directory would."""
    return Member(
        id=UserId(name),
        display_name=name,
        status=person["directory"],
        products=frozenset(person["products"]),
        organizations=tuple(tuple(OrganizationId(node) for node in path) for path in person["paths"]),
        groups=frozenset(GroupId(group) for group in person["groups"]),
    )


def grants_of(service: str, edits: Iterable[Fields]) -> UserGrantPolicy:
    """Return the grants of a service after a history of edits, made change by change as the operations make them."""
    rules: dict[tuple[str, str, str], Rule] = {}
    for number, edit in enumerate(edits, 1):
        for change in edit["changes"]:
            side = "excluded" if change["verb"] in {"exclude", "include"} else "granted"
            key = (side, change["kind"], change["id"])
            rules[key] = _changed(rules.get(key, Rule()), number, Instant(edit["at"]), change)
    users: dict[UserId, UserRules] = {}
    for side, kind, name in rules:
        if kind == "user":
            users[UserId(name)] = UserRules(
                rules.get(("granted", kind, name), Rule()), rules.get(("excluded", kind, name), Rule())
            )
        del side
    return UserGrantPolicy(ServiceId(service), users, _many(rules, "granted"), _many(rules, "excluded"))


def _changed(rule: Rule, number: int, at: Instant, change: Fields) -> Rule:
    match change["verb"]:
        case "tick":
            return rule if rule.holds(at) else rule.opened(number, at, None, "direct")
        case "allow":
            scopes = change.get("scopes")
            ceiling = None if scopes is None else frozenset(map(Scope, scopes))
            return rule.opened(number, at, change["until"], change["reach"], scopes=ceiling)
        case "exclude":
            return rule.opened(number, at, None, change["reach"], change["existing"])
        case "withdraw":
            return rule.closed(number, at, change["existing"])
        case _:
            return rule.closed(number, at, None)


def _many(rules: Mapping[tuple[str, str, str], Rule], side: str) -> Rules:
    return Rules(
        {OrganizationId(key[2]): rule for key, rule in rules.items() if key[:2] == (side, "organization")},
        {GroupId(key[2]): rule for key, rule in rules.items() if key[:2] == (side, "group")},
        rules.get((side, "everyone", "everyone"), Rule()),
    )


@lru_cache(maxsize=4_096)
def _row(text: str) -> Row:
    return Row(range=parse_range(text, allow_everything=True), memo="row", source="test")


def _data_policy(policy: Fields) -> DataPolicy:
    return DataPolicy(
        id=PolicyId(policy["id"]),
        business=frozenset(policy["business"]),
        non_business=frozenset(policy["non_business"]),
        blocked=frozenset(policy["blocked"]),
        default=policy["default"],
        scope=policy["scope"],
        environments=frozenset(policy["environments"]),
        exempt=frozenset(policy["exempt"]),
    )


def request_of(world: Fields, question: Fields) -> AccessRequest:
    """Return a question as extlink's request."""
    connectors, token = question["connectors"], question["token"]
    return AccessRequest(
        service=question["service"],
        user=question["user"],
        at=Instant(question["at"]),
        scopes=frozenset(question["scopes"]),
        address=question["address"],
        network="not_applicable" if question["outbound"] else "applies",
        caller="user" if question["in_person"] else "service",
        network_proof=question["proof"],
        connectors=None if connectors is None else frozenset(ConnectorId(one) for one in connectors),
        environment=question["environment"],
        flow_id=question["flow_id"],
        flow="not_applicable" if question["no_flow"] else "applies",
        credential=None if token is None else _credential(world, token),
        required=frozenset(question["required"]),
    )


def _credential(world: Fields, token: Fields) -> Credential:
    notes: tuple[Note, ...] = tuple((problem, {"link": _LINK}) for problem in token["problems"])
    scopes = frozenset(Scope(scope) for scope in token["scopes"])
    link = None if token["link"] is None else _link(world, token["link"], scopes)
    return Credential(link=link, notes=notes, scopes=scopes, redeeming=token["redeeming"])


def _link(world: Fields, link: Fields, scopes: frozenset[Scope]) -> Link:
    before = world["endings"][: link["made"]]
    service, owner = link["service"], link["owner"]
    known = service in world["services"]
    return Link(
        id=_LINK,
        owner=owner,
        service=service,
        client=_GONE if link["client_removed"] else ClientId("client"),
        public=False,
        state=LinkState(link["state"]),
        epochs=Epochs(
            tenant=_epoch(before, "tenant", ""),
            service=_epoch(before, "service", service) if known else 0,
            user=_epoch(before, "user", owner),
            host=_epoch(before, "host", service),
        ),
        grants_at=link["accepted"],
        scopes=scopes,
        resource=None,
        accepted_at=Instant(0),
        expires=Instant(link["expires"]),
        code=_NO_CODE,
        rotation=Rotation(at=Instant(link.get("renewed", 0))),
        ended_by="user",
        pinned=link["pinned"],
    )


def narrowed(policy: Policy, request: AccessRequest) -> Policy:
    """Return a policy as one decision reads it: what it says of one service and one user, and nothing else."""
    service, user = request.service, request.user
    registry = policy.registry
    grants = policy.grants.get(service) if service is not None else None
    return Policy(
        registry=ServiceRegistry(
            registry.tenant,
            {name: one for name, one in registry.services.items() if name == service},
            {name: one for name, one in registry.everywhere.items() if name == service},
        ),
        grants={}
        if service is None or grants is None
        else {
            service: UserGrantPolicy(
                service,
                {name: one for name, one in grants.users.items() if name == user},
                grants.granted,
                grants.excluded,
            )
        },
        people={name: one for name, one in policy.people.items() if name == user},
        network=policy.network,
        data_groups=policy.data_groups,
        pins={name: one for name, one in policy.pins.items() if name == service},
        removed_clients=policy.removed_clients,
    )
