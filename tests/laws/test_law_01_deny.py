"""Law 1: whatever nobody allowed is denied, and a denial outranks everything that allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import attrs
import pytest

from extlink.domain.access import AccessRequest, Policy
from extlink.domain.registry import ServiceRegistry, ServiceState
from tests.laws.changes import edited
from tests.reference.building import policy_of, request_of
from tests.reference.differential import Subject
from tests.reference.twins import TWINS
from tests.reference.worlds import Question, World, cases

WORLDS = 100
DEEP_WORLDS = 3_000


@cache
def _of_a_few(worlds: range) -> list[tuple[str, World, Question]]:
    return list(_allowed(worlds))


def allowed_cases(worlds: range) -> Iterable[tuple[str, World, Question]]:
    """Return the questions that are allowed, each with its world and its place; those of a few worlds are kept."""
    return _of_a_few(worlds) if len(worlds) <= WORLDS else _allowed(worlds)


def _allowed(worlds: range) -> Iterator[tuple[str, World, Question]]:
    for number in worlds:
        world, questions = cases(number)
        policy = policy_of(world)
        for place, question in enumerate(questions):
            if Subject().is_allowed(policy, request_of(world, question)):
                yield f"world {number}, question {place}", world, question


# Default deny


def _without_services(policy: Policy, request: AccessRequest) -> tuple[Policy, AccessRequest]:
    return attrs.evolve(policy, registry=ServiceRegistry(policy.registry.tenant)), request


def _without_grants(policy: Policy, request: AccessRequest) -> tuple[Policy, AccessRequest] | None:
    return None if request.user is None else (attrs.evolve(policy, grants={}), request)


def _without_people(policy: Policy, request: AccessRequest) -> tuple[Policy, AccessRequest] | None:
    return None if request.user is None else (attrs.evolve(policy, people={}), request)


def _without_rows(policy: Policy, request: AccessRequest) -> tuple[Policy, AccessRequest] | None:
    if policy.network.mode != "allow_some" or request.network == "not_applicable":
        return None
    return attrs.evolve(policy, network=attrs.evolve(policy.network, rows=(), proofs=frozenset())), request


def _without_a_link(policy: Policy, request: AccessRequest) -> tuple[Policy, AccessRequest] | None:
    if request.credential is None:
        return None
    return policy, attrs.evolve(request, credential=attrs.evolve(request.credential, link=None))


def _without_covered_scopes(policy: Policy, request: AccessRequest) -> tuple[Policy, AccessRequest] | None:
    if request.credential is None or not request.scopes:
        return None
    return policy, attrs.evolve(request, credential=attrs.evolve(request.credential, scopes=frozenset()))


def _without_a_service(policy: Policy, request: AccessRequest) -> tuple[Policy, AccessRequest]:
    return policy, attrs.evolve(request, service=None)


def _unconfigured(policy: Policy, request: AccessRequest) -> tuple[Policy, AccessRequest]:
    registry = policy.registry
    services = {name: attrs.evolve(one, state=ServiceState.UNCONFIGURED) for name, one in registry.services.items()}
    tenant = attrs.evolve(registry.tenant, unconfigured_services="deny")
    return attrs.evolve(policy, registry=attrs.evolve(registry, services=services, tenant=tenant)), request


SUPPORTS = {
    "nobody registered the service": _without_services,
    "nobody granted it": _without_grants,
    "nobody knows the user": _without_people,
    "nobody allowed the address": _without_rows,
    "nobody made a link": _without_a_link,
    "nobody consented to the operation": _without_covered_scopes,
    "nobody named a service": _without_a_service,
    "nobody enabled the service": _unconfigured,
}


def unsupported(what: str, subject: Subject, worlds: range) -> tuple[int, list[str]]:
    """Return how many allowed questions lose a support, and those that are allowed without it."""
    change, tried, found = SUPPORTS[what], 0, []
    for name, world, question in allowed_cases(worlds):
        bare = change(policy_of(world), request_of(world, question))
        if bare is not None:
            tried += 1
            if subject.evaluate(*bare).allowed or subject.is_allowed(*bare):
                found.append(name)
    return tried, found


@pytest.mark.parametrize("what", SUPPORTS)
def test_nothing_is_allowed_by_default(what: str, deep: bool) -> None:
    """Every yes rests on all that somebody said: without any one of it the same question is refused."""
    tried, found = unsupported(what, Subject(), range(DEEP_WORLDS if deep else WORLDS))

    assert [] == found
    assert tried > 20


def test_an_empty_tenant_allows_nothing(deep: bool) -> None:
    """Where nobody said anything every question is refused, even if unconfigured services are allowed."""
    for number in range(DEEP_WORLDS if deep else WORLDS):
        world, questions = cases(number)
        tenant = attrs.evolve(policy_of(world).registry.tenant, unconfigured_services="allow")
        empty = Policy(registry=ServiceRegistry(tenant))
        assert [] == [one for one in questions if Subject().evaluate(empty, request_of(world, one)).allowed]


@pytest.mark.parametrize(
    ("what", "twin"),
    [
        ("nobody enabled the service", "services are allowed by default"),
        ("nobody granted it", "whoever is known is granted"),
        ("nobody knows the user", "whoever is known is granted"),
        ("nobody registered the service", "the quick answer leaves out the service"),
        ("nobody allowed the address", "an empty list is no list"),
        ("nobody made a link", "the quick answer leaves out the link"),
        ("nobody consented to the operation", "a token without scopes covers all"),
        ("nobody named a service", "a question without service is an empty one"),
    ],
)
def test_a_twin_that_allows_by_default_is_caught(what: str, twin: str) -> None:
    """The broken twins: each takes something that was left unsaid for a yes."""
    assert unsupported(what, BY_DEFAULT.get(twin) or TWINS[twin], range(WORLDS))[1]


def _bent(change: Callable[[Policy, AccessRequest], AccessRequest]) -> Subject:
    known = Subject()
    return Subject(
        lambda policy, one: known.evaluate(policy, change(policy, one)),
        lambda policy, one: known.is_allowed(policy, change(policy, one)),
    )


def _ownerless(policy: Policy, one: AccessRequest) -> AccessRequest:
    credential = one.credential
    if credential is not None and credential.link is not None:
        credential = attrs.evolve(credential, link=attrs.evolve(credential.link, owner=None))
    return attrs.evolve(one, user=None, credential=credential)


def _covering(policy: Policy, one: AccessRequest) -> AccessRequest:
    if one.credential is None or one.credential.scopes:
        return one
    return attrs.evolve(one, credential=attrs.evolve(one.credential, scopes=one.scopes))


def _listless(policy: Policy, one: AccessRequest) -> AccessRequest:
    return one if policy.network.rows else attrs.evolve(one, network="not_applicable")


BY_DEFAULT = {
    "whoever is known is granted": _bent(_ownerless),
    "an empty list is no list": _bent(_listless),
    "a token without scopes covers all": _bent(_covering),
    "a question without service is an empty one": Subject(
        is_allowed=lambda policy, one: one.service is None or Subject().is_allowed(policy, one)
    ),
}


# Deny overrides


def _user(**fields: str) -> Callable[[World, Question], World | None]:
    def change(world: World, question: Question) -> World | None:
        person = world["people"].get(question["user"])
        return person and {**world, "people": {**world["people"], question["user"]: {**person, **fields}}}

    return change


def _service(**fields: Any) -> Callable[[World, Question], World]:
    def change(world: World, question: Question) -> World:
        services, name = world["services"], question["service"]
        return {**world, "services": {**services, name: {**services[name], **fields}}}

    return change


def _excluded(world: World, question: Question, kind: str, name: str) -> World:
    """Return a world in which the exclusion came first and a grant by name and of everyone on top."""
    service = question["service"]
    world = edited(world, service, verb="exclude", kind=kind, id=name, reach="subtree", existing="suspend")
    world = edited(world, service, verb="allow", kind="user", id=question["user"])
    return edited(world, service, verb="allow", kind="everyone", id="everyone")


def _by_name(world: World, question: Question) -> World | None:
    return None if question["user"] is None else _excluded(world, question, "user", question["user"])


def _by_organization(world: World, question: Question) -> World | None:
    paths = world["people"].get(question["user"], {"paths": []})["paths"]
    return _excluded(world, question, "organization", paths[0][0]) if paths else None


def _by_group(world: World, question: Question) -> World | None:
    groups = world["people"].get(question["user"], {"groups": []})["groups"]
    return _excluded(world, question, "group", groups[0]) if groups else None


def _blocked(world: World, question: Question) -> World | None:
    if question["no_flow"] or not question["connectors"]:
        return None
    named = {"business": [], "non_business": [], "blocked": question["connectors"][:1]}
    policy = {"id": "a", **named, "default": "business", "scope": "all", "environments": [], "exempt": []}
    # Another one that finds nothing wrong comes behind it.
    every = {**policy, "id": "z", "business": question["connectors"], "blocked": []}
    return {**world, "policies": [policy, *world["policies"], every]}


def _everything_ended(world: World, question: Question) -> World | None:
    linked = question["token"] is not None and question["token"]["link"] is not None
    return {**world, "endings": [*world["endings"], ("tenant", "")]} if linked else None


DENIALS: dict[str, tuple[Callable[[World, Question], World | None], str]] = {
    "the user is excluded": (_by_name, "a grant by name beats an exclusion"),
    "the user's organization is excluded": (_by_organization, "exclusions are forgotten"),
    "the user's group is excluded": (_by_group, "exclusions are forgotten"),
    "the host suspended the user": (_user(told="suspended"), "what the host told of users is forgotten"),
    "the host deleted the user": (_user(told="deleted"), "what the host told of users is forgotten"),
    "the directory suspended the user": (
        _user(directory="suspended"),
        "what the directory says of users is forgotten",
    ),
    "the service is disabled": (_service(state="disabled"), "a disabled service is an enabled one"),
    "the service is quarantined": (_service(state="quarantined"), "a disabled service is an enabled one"),
    "the service is unavailable": (_service(available=False), "availability is forgotten"),
    "the host stopped the service": (
        lambda world, question: {**world, "stopped": [question["service"]]},
        "a quarantine everywhere is forgotten",
    ),
    "every address is denied": (
        lambda world, question: (
            None if question["outbound"] else {**world, "network": {"mode": "deny_all", "rows": [], "proofs": []}}
        ),
        "the quick answer leaves out the network",
    ),
    "a connector is blocked": (_blocked, "the last data policy wins"),
    "the tenant's links are ended": (_everything_ended, "the tenant's epoch is forgotten"),
}


def overridden(what: str, subject: Subject, worlds: range) -> tuple[int, list[str]]:
    """Return how many allowed questions are denied on top, and those that are allowed all the same."""
    change, tried, found = DENIALS[what][0], 0, []
    for name, world, question in allowed_cases(worlds):
        denied = change(world, question)
        if denied is not None:
            tried += 1
            policy, request = policy_of(denied), request_of(world, question)
            if subject.evaluate(policy, request).allowed or subject.is_allowed(policy, request):
                found.append(name)
    return tried, found


@pytest.mark.parametrize("what", DENIALS)
def test_a_denial_overrides_everything(what: str, deep: bool) -> None:
    """One denial refuses what all else allows, in whatever order they were said."""
    tried, found = overridden(what, Subject(), range(DEEP_WORLDS if deep else WORLDS))

    assert [] == found
    assert tried > 20


@pytest.mark.parametrize("what", DENIALS)
def test_a_twin_that_overrides_a_denial_is_caught(what: str) -> None:
    """The broken twins: each forgets the denial, or lets something outrank it."""
    twin = DENIALS[what][1]

    assert overridden(what, OVERRIDING.get(twin) or TWINS[twin], range(WORLDS))[1]


def _all_enabled(policy: Policy, _: AccessRequest) -> Policy:
    services = {name: attrs.evolve(one, state=ServiceState.ENABLED) for name, one in policy.registry.services.items()}
    return attrs.evolve(policy, registry=attrs.evolve(policy.registry, services=services))


OVERRIDING = {
    "a disabled service is an enabled one": Subject(
        lambda policy, one: Subject().evaluate(_all_enabled(policy, one), one),
        lambda policy, one: Subject().is_allowed(_all_enabled(policy, one), one),
    ),
}
