"""The tenant that everything is measured on, built of extlink's own values by a seeded generator, and questions to it.

Its shape: organizations in a tree five deep; every person in one to three of them and in up to four groups; services
that are opened to a few organizations, directly or with all below, to groups and to people by name, with exclusions and
end dates among them; people who are suspended; services that are disabled or quarantined; an IP restriction of ranges
of both versions that overlap; data policies; links, some of them ended in every way a link can end.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import attrs

from extlink import catalog
from extlink.domain.access import AccessRequest, Credential, Person, Policy, is_allowed
from extlink.domain.address import parse_range
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.directory import Member
from extlink.domain.edition import parse_edition
from extlink.domain.grant import Existing, Rule, Rules, UserGrantPolicy, UserRules
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
from extlink.domain.link import Code, Link, LinkState
from extlink.domain.network import IPRestriction, Row
from extlink.domain.registry import RegisteredService, ServiceRegistry, ServiceState
from extlink.domain.service import Service
from extlink.domain.tenant import Epochs, Tenant, UserState

__all__ = ["NOW", "Size", "World", "build", "questions"]

NOW: Final = Instant(1_750_000_000)
_DAY: Final = 86_400
_LEVELS: Final = (0.005, 0.02, 0.1, 0.3)
_CODE: Final = Code(digest=b"", expires=NOW, redirect_uri="https://example.com/", challenge=None)
_CONNECTORS: Final = tuple(ConnectorId(f"shared_connector{number}") for number in range(60))
# Edits before this one are older than every link, edits after it younger than the older half of them.
_LINKS_FROM: Final = 100
_LAST_EDIT: Final = 200


@dataclass(frozen=True)
class Size:
    """How large the tenant is and how many questions are asked."""

    users: int = 100_000
    services: int = 50
    organizations: int = 2_000
    ranges: int = 1_000
    questions: int = 20_000


@dataclass(frozen=True)
class World:
    """A tenant, and what the generator needs to ask about it."""

    policy: Policy
    users: tuple[UserId, ...]
    services: tuple[ServiceId, ...]
    scopes: tuple[Scope, ...]
    addresses: tuple[str, ...]


def build(size: Size, seed: int = 1) -> World:
    """Return a tenant of a size; the same seed gives the same one."""
    draw = random.Random(seed)
    paths = _organizations(size.organizations)
    groups = tuple(GroupId(f"group{number}") for number in range(100))
    services = tuple(_services(size.services, draw))
    people = dict(_people(size.users, paths, groups, draw))
    users = tuple(people)
    network, addresses = _network(size.ranges, draw)
    policy = Policy(
        registry=ServiceRegistry(
            Tenant(
                id=TenantId("acme"), edition=parse_edition("JP"), products=frozenset({"kintone", "garoon"}), epoch=1
            ),
            {known.service.id: known for known in services},
        ),
        grants={known.service.id: _grants(known.service.id, users, tuple(paths), groups, draw) for known in services},
        people=people,
        network=network,
        data_groups=_data_groups(draw),
    )
    ids = tuple(known.service.id for known in services)
    return World(policy, users, ids, tuple(sorted(services[0].service.scope_names)), addresses)


def _organizations(count: int) -> dict[OrganizationId, tuple[OrganizationId, ...]]:
    """Return the path to each organization of a tree five deep, broader with every level."""
    paths: dict[OrganizationId, tuple[OrganizationId, ...]] = {}
    above: list[OrganizationId] = []
    counts = [max(1, round(count * share)) for share in _LEVELS]
    for level, wanted in enumerate((*counts, max(1, count - sum(counts)))):
        here: list[OrganizationId] = []
        for number in range(wanted):
            one = OrganizationId(f"org{level}x{number}")
            paths[one] = (*paths[above[number % len(above)]], one) if above else (one,)
            here.append(one)
        above = here
    return paths


def _services(count: int, draw: random.Random) -> Iterator[RegisteredService]:
    for number in range(count):
        service: Service = attrs.evolve(
            catalog.POWER_AUTOMATE, id=ServiceId(f"service{number}"), connector=_CONNECTORS[number % len(_CONNECTORS)]
        )
        state = ServiceState.ENABLED
        if number % 25 == 24:
            state = ServiceState.DISABLED if draw.random() < 0.5 else ServiceState.QUARANTINED
        yield RegisteredService(service, state, epoch=draw.randrange(3), order=number)


def _people(
    count: int,
    paths: Mapping[OrganizationId, tuple[OrganizationId, ...]],
    groups: tuple[GroupId, ...],
    draw: random.Random,
) -> Iterator[tuple[UserId, Person]]:
    all_paths = tuple(paths.values())
    both, one = frozenset({"kintone", "garoon"}), frozenset({"kintone"})
    active, suspended = UserState(), UserState("suspended", 1)
    for number in range(count):
        user = UserId(f"user{number}")
        member = Member(
            id=user,
            display_name=user,
            products=both if draw.random() < 0.8 else one,
            organizations=tuple(draw.choices(all_paths, k=draw.choice((1, 1, 1, 2, 3)))),
            groups=frozenset(draw.choices(groups, k=draw.randrange(5))),
            status="active" if draw.random() < 0.99 else "suspended",
        )
        yield user, Person(member, active if draw.random() < 0.99 else suspended)


def _opened(draw: random.Random, *, reach: bool = False) -> Rule:
    edit = draw.randrange(1, _LAST_EDIT)
    until = None if draw.random() < 0.8 else Instant(NOW + draw.randrange(-30, 90) * _DAY)
    return Rule().opened(edit, NOW, until, "subtree" if reach and draw.random() < 0.5 else "direct")


def _withdrawn(draw: random.Random) -> Rule:
    existing: Existing = draw.choice(("revoke", "keep"))
    opened = draw.randrange(1, _LINKS_FROM)
    return Rule().opened(opened, NOW, None, "subtree").closed(draw.randrange(opened + 1, _LAST_EDIT), NOW, existing)


def _grants(
    service: ServiceId,
    users: tuple[UserId, ...],
    organizations: tuple[OrganizationId, ...],
    groups: tuple[GroupId, ...],
    draw: random.Random,
) -> UserGrantPolicy:
    """Open a service to a tenth of the organizations, five groups and a hundredth of the people by name."""
    some = max(4, len(organizations) // 10)
    granted = {one: _opened(draw, reach=True) for one in draw.sample(organizations, some)}
    if draw.random() < 0.2:
        granted.update({one: _withdrawn(draw) for one in draw.sample(organizations, 3)})
    excluded = {one: _opened(draw, reach=True) for one in draw.sample(organizations, 2)}
    named = {user: UserRules(granted=_opened(draw)) for user in draw.sample(users, max(1, len(users) // 100))}
    named.update({user: UserRules(excluded=_opened(draw)) for user in draw.sample(users, max(1, len(users) // 1_000))})
    return UserGrantPolicy(
        service,
        named,
        Rules(granted, {one: _opened(draw) for one in draw.sample(groups, 5)}),
        Rules(excluded),
    )


def _network(count: int, draw: random.Random) -> tuple[IPRestriction, tuple[str, ...]]:
    """Return rows of both versions, some inside others, and an address text in each."""
    rows: dict[str, Row] = {}
    inside: list[str] = []
    while len(rows) < count:
        wide = draw.random() < 0.8
        bits, prefix = (32, draw.choice((16, 20, 24, 24, 28, 32))) if wide else (128, draw.choice((32, 48, 64)))
        top = draw.randrange(1 << prefix) if wide else (0x2001 << (prefix - 16)) | draw.getrandbits(prefix - 16)
        first = top << (bits - prefix)
        address = first + draw.randrange(1 << (bits - prefix))
        kind = ipaddress.IPv4Address if wide else ipaddress.IPv6Address
        text = f"{kind(first)}/{prefix}"
        rows[text] = Row(range=parse_range(text), memo=f"row {len(rows)}", source="published" if wide else "")
        inside.append(str(kind(address)))
    return IPRestriction("allow_some", rows.values()), tuple(inside)


def _data_groups(draw: random.Random) -> DataGroupPolicy:
    return DataGroupPolicy(
        [
            DataPolicy(
                id=PolicyId(f"policy{number}"),
                business=set(draw.sample(_CONNECTORS[:50], 40)),
                blocked=set(_CONNECTORS[55 + number :]),
            )
            for number in range(2)
        ]
    )


def questions(world: World, size: Size, seed: int = 2, users: tuple[UserId, ...] | None = None) -> list[AccessRequest]:
    """Return questions of which half are allowed, in random order.

    Args:
        users: whom they are about; None: anybody.
    """
    draw = random.Random(seed)
    granted = _permitted(world, size, draw, users or world.users)
    half = size.questions // 2
    wanted: dict[bool, list[AccessRequest]] = {True: [], False: []}
    while len(wanted[True]) < half or len(wanted[False]) < half:
        # Mostly good but for one thing: what is refused is refused by each gate in turn, not always by the first.
        broken = draw.choice(("", "", "", "service", "user", "network", "data_group", "link", "scope"))
        request = _question(world, draw, granted, users or world.users, broken)
        answers = wanted[is_allowed(world.policy, request)]
        if len(answers) < half:
            answers.append(request)
    asked = [*wanted[True], *wanted[False]]
    draw.shuffle(asked)
    return asked


def _permitted(
    world: World, size: Size, draw: random.Random, users: tuple[UserId, ...]
) -> tuple[tuple[ServiceId, UserId], ...]:
    """Return pairs of a service and somebody who may use it: a random pair seldom is one."""
    found: list[tuple[ServiceId, UserId]] = []
    tries = 0
    while len(found) < size.questions and tries < 200 * size.questions:
        tries += 1
        service, user = draw.choice(world.services), draw.choice(users)
        member = world.policy.people[user].member
        if world.policy.grants[service].is_granted(user, member, NOW):
            found.append((service, user))
    return tuple(found)


def _question(
    world: World,
    draw: random.Random,
    granted: tuple[tuple[ServiceId, UserId], ...],
    users: tuple[UserId, ...],
    broken: str,
) -> AccessRequest:
    service, user = draw.choice(granted)
    if broken == "user":
        user = draw.choice(users) if draw.random() < 0.95 else UserId("nobody")
    if broken == "service":
        service = draw.choice((world.services[-1], ServiceId("unknown")))
    scopes = frozenset(draw.sample(world.scopes, draw.choice((1, 1, 1, 2))))
    if broken == "scope":
        scopes = scopes | {Scope("x:unknown")} if draw.random() < 0.3 else scopes
    connectors: frozenset[ConnectorId] | None = None
    if broken == "data_group":
        connectors = frozenset(draw.sample(_CONNECTORS, 3))
    elif draw.random() < 0.3:
        connectors = frozenset(_CONNECTORS[:1])
    return AccessRequest(
        service=service,
        user=user,
        at=NOW,
        scopes=scopes,
        address=_outside(draw) if broken == "network" else draw.choice(world.addresses),
        connectors=connectors,
        credential=None if draw.random() < 0.2 else _credential(world, draw, service, user, scopes, broken),
    )


def _outside(draw: random.Random) -> str | None:
    if draw.random() < 0.1:
        return draw.choice((None, "", "1.2.3", "01.2.3.4", "fe80::1%eth0"))
    return f"{draw.randrange(1, 224)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(256)}"


def _credential(
    world: World, draw: random.Random, service: ServiceId, user: UserId, scopes: frozenset[Scope], broken: str
) -> Credential:
    policy = world.policy
    person = policy.people.get(user)
    known = policy.registry.services.get(service)
    epochs = Epochs(
        policy.registry.tenant.epoch, known.epoch if known else 0, person.state.epoch if person is not None else 0, 0
    )
    state, expires = LinkState.LIVE, Instant(NOW + _DAY)
    held = scopes | frozenset(draw.sample(world.scopes, 3))
    if broken == "link":
        match draw.randrange(4):
            case 0:
                epochs = epochs._replace(service=epochs.service + 1)
            case 1:
                state = draw.choice((LinkState.REVOKED, LinkState.SUSPENDED, LinkState.CONSENTED))
            case 2:
                expires = NOW
            case _:
                held = frozenset(world.scopes[:2])
    link = Link(
        id=LinkId(f"link{draw.getrandbits(60)}"),
        owner=user,
        service=service,
        client=ClientId("client"),
        public=False,
        state=state,
        epochs=epochs,
        grants_at=draw.randrange(_LINKS_FROM, _LAST_EDIT + 50),
        scopes=held,
        resource=None,
        accepted_at=Instant(NOW - _DAY),
        expires=expires,
        code=_CODE,
    )
    return Credential(link=link, scopes=held)
