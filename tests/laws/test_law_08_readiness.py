"""Law 8: a checklist is green if and only if a permitted user would be let in from every published address.

The oracle looks at no interval: it asks `evaluate` from the first and the last address of every published range, and
from those beside every bound of a row or of a pin that lie within one.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import cast

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from extlink import access, feeds, networks
from extlink.domain.access import AccessRequest, Person, Policy, evaluate
from extlink.domain.address import AddressRange, parse_range
from extlink.domain.checklist import checklist
from extlink.domain.edition import EDITIONS
from extlink.domain.identifier import ConnectorId, Scope, ServiceId, TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.localized import LocalizedText
from extlink.domain.network import Row
from extlink.domain.readiness_known import Known, usable_scopes
from extlink.domain.readiness_network import Published
from extlink.domain.registry import ServiceRegistry
from extlink.domain.requirement import PublishedForm, RequiredDocument, Requirement
from extlink.domain.tenant import Tenant, UserState
from extlink.runtime import ExtLink
from extlink.testing.strategies import TenantPlan, tenants
from tests.hosts import ALL_ROLES
from tests.reference.building import policy_of
from tests.reference.worlds import CONNECTORS, NOW, ROWS, SERVICES, world

TENANT = Tenant(id=TenantId("acme"), edition="JP", products=frozenset({"kintone"}))
WORLDS = 1_500
DEEP_WORLDS = 60_000
TWIN_WORLDS = 3_000
# Blocks within, around and beside the rows of the worlds.
NEAR = (
    "10.0.0.0/31",
    "10.0.0.2/31",
    "10.0.0.4/31",
    "10.0.0.0/29",
    "10.255.255.255/32",
    "11.0.0.0/32",
    "203.0.113.8/30",
    "203.0.113.0/24",
    "255.255.255.254/31",
    "2001:db8::/128",
    "2001:db8::1/128",
    "2001:db8::2/128",
    "ffff::/16",
)


@attrs.frozen(kw_only=True)
class Case:
    """One question, as everything that is known where it is asked."""

    policy: Policy
    service: ServiceId
    published: Published
    flow: frozenset[ConnectorId] | None
    asked: UserId | None


def cases(numbers: Iterable[int]) -> Iterator[Case]:
    """Return seeded questions about seeded worlds; most published sets are inside what is allowed."""
    for number in numbers:
        draw = Random(number)
        made = world(draw)
        allowed = [*made["network"]["rows"], *(row for pin in made["pins"].values() for row in pin["rows"])]
        around = allowed if allowed and draw.random() < 0.6 else [*ROWS, *NEAR]
        rows = [draw.choice(around if draw.random() < 0.8 else NEAR) for _ in range(draw.choice((0, 1, 1, 2, 3)))]
        yield Case(
            policy=policy_of(made),
            service=ServiceId(draw.choice(SERVICES)),
            published=Published(
                rows=tuple(Row(range=parse_range(text, allow_everything=True), source="list") for text in rows),
                requirement="vendor-current",
                missing=("another",) if draw.random() < 0.05 else (),
            ),
            flow=None if draw.random() < 0.5 else frozenset(map(ConnectorId, draw.sample(CONNECTORS, 2))),
            asked=None if draw.random() < 0.6 else UserId(draw.choice(("ann", "bob", "nobody"))),
        )


def known(case: Case) -> Known:
    """Return what the operation hands to the checklist; it looks through everybody for somebody permitted."""
    policy, service = case.policy, case.service
    looked_at = policy.people if case.asked is None else [case.asked]
    permitted = (user for user in looked_at if usable_scopes(policy, service, user, Instant(NOW)) is not None)
    registered = policy.registry.services.get(service)
    return Known(
        service=service,
        policy=policy,
        definition=None if registered is None else registered.service,
        at=Instant(NOW),
        asked=case.asked,
        permitted=next(permitted, None),
        published=case.published,
        flow=case.flow,
    )


def expressible(policy: Policy, rows: Iterable[Row]) -> list[AddressRange]:
    """Return what the edition's list can express; with "allow all" no list is asked."""
    ipv4_only = EDITIONS[policy.registry.tenant.edition].network.ipv4_only and policy.network.mode != "allow_all"
    return [row.range for row in rows if not ipv4_only or row.range.version == 4]


def bounds(policy: Policy, service: ServiceId, wanted: Iterable[AddressRange]) -> set[str]:
    """Return the addresses of some ranges at which an answer can change, as texts."""
    found: set[str] = set()
    pin = policy.pins.get(service)
    rows = [*policy.network.rows, *(() if pin is None else pin.rows)]
    for block in wanted:
        edges = {block.first, block.last}
        for row in rows:
            if row.range.version == block.version:
                edges |= {row.range.first - 1, row.range.first, row.range.last, row.range.last + 1}
        kind = ipaddress.IPv4Address if block.version == 4 else ipaddress.IPv6Address
        found |= {str(kind(number)) for number in edges if block.first <= number <= block.last}
    # Such an address is an IPv4 one, which no IPv6 range contains.
    return {text for text in found if not text.startswith("::ffff:")}


def oracle(case: Case) -> bool:
    """Say by asking the gates whether a permitted user would be let in from every published address."""
    policy, service = case.policy, case.service
    wanted = expressible(policy, case.published.rows)
    if not wanted or case.published.missing:
        return False
    registered = policy.registry.services.get(service)
    names = frozenset[Scope]() if registered is None else registered.service.scope_names
    people = policy.people if case.asked is None else [case.asked]
    everywhere = bounds(policy, service, wanted)

    def is_let_in(user: UserId, scopes: frozenset[Scope]) -> bool:
        asked = AccessRequest(service=service, user=user, at=Instant(NOW), scopes=scopes, connectors=case.flow)
        return all(evaluate(policy, attrs.evolve(asked, address=address)).allowed for address in everywhere)

    # Somebody is permitted who may do one thing at least; a service without operations has none to name.
    tried = [frozenset({name}) for name in names] or [frozenset[Scope]()]
    return any(is_let_in(user, scopes) for user in people for scopes in tried)


def green(case: Case) -> bool:
    """Return what the checklist says."""
    return checklist(known(case)).would_pass


def verdict(subject: Callable[[Case], bool], case: Case) -> str:
    """Return whether a subject is right, says yes wrongly or says no wrongly."""
    said, true = subject(case), oracle(case)
    if said == true:
        return "green" if true else "not green"
    return "wrong yes" if said else "wrong no"


def test_green_is_what_the_gates_say(deep: bool) -> None:
    """In every world: green if and only if somebody permitted is let in from everywhere; and both happen often."""
    found = Counter(verdict(green, case) for case in cases(range(DEEP_WORLDS if deep else WORLDS)))

    assert (0, 0) == (found["wrong yes"], found["wrong no"])
    assert found["green"] > sum(found.values()) // 20
    assert found["not green"] > found["green"]


def _one_address(case: Case) -> bool:
    rows = tuple(
        Row(range=AddressRange(version=row.range.version, first=row.range.first, last=row.range.first))
        for row in case.published.rows[:1]
    )
    return green(attrs.evolve(case, published=attrs.evolve(case.published, rows=rows)))


def _suspended_counts(case: Case) -> bool:
    def woken(person: Person) -> Person:
        member = None if person.member is None else attrs.evolve(person.member, status="active")
        return Person(member, UserState("active", person.state.epoch), answered=person.answered)

    people: Mapping[UserId, Person] = {user: woken(person) for user, person in case.policy.people.items()}
    return green(attrs.evolve(case, policy=attrs.evolve(case.policy, people=people)))


def _no_data_is_done(case: Case) -> bool:
    return all(item.state in {"done", "unknown"} for item in checklist(known(case)).items if item.gate is not None)


def _ipv6_is_ignored(case: Case) -> bool:
    rows = tuple(row for row in case.published.rows if row.range.version == 4)
    return green(attrs.evolve(case, published=attrs.evolve(case.published, rows=rows)))


def _everything_is_expressible(case: Case) -> bool:
    item = checklist(known(case)).item("network")
    return green(case) and item is not None and not item.evidence["inexpressible"]


def _pins_are_forgotten(case: Case) -> bool:
    return green(attrs.evolve(case, policy=attrs.evolve(case.policy, pins={})))


def _anybody_is_permitted(case: Case) -> bool:
    found = checklist(known(case))
    return all(item.state == "done" for item in found.items if item.gate not in {None, "user"})


def _part_of_the_lists_is_enough(case: Case) -> bool:
    return green(attrs.evolve(case, published=attrs.evolve(case.published, missing=())))


def _flows_are_forgotten(case: Case) -> bool:
    found = checklist(known(case))
    return all(item.state == "done" for item in found.items if item.gate not in {None, "data_group"})


@pytest.mark.parametrize(
    "twin",
    [
        _one_address,
        _suspended_counts,
        _no_data_is_done,
        _ipv6_is_ignored,
        _everything_is_expressible,
        _pins_are_forgotten,
        _anybody_is_permitted,
        _part_of_the_lists_is_enough,
        _flows_are_forgotten,
    ],
)
def test_a_broken_twin_is_caught(twin: Callable[[Case], bool]) -> None:
    """One that looks at one address, counts a suspended user, calls no data done, or looks past a gate."""
    assert any(verdict(twin, case).startswith("wrong") for case in cases(range(TWIN_WORLDS)))


def listed(plan: TenantPlan, ranges: Iterable[str]) -> tuple[TenantPlan, feeds.PublishedRanges]:
    """Return a plan whose services all need one published list, and the file that has it."""
    text = LocalizedText.same("list")
    document = RequiredDocument(
        id="list", titles=text, page="https://example.com/", forms=[PublishedForm(source="file")]
    )
    need = Requirement(id="vendor-current", titles=text, documents=[document], as_of="2020-06-09")
    definitions = tuple(attrs.evolve(one, requirements=[need]) for one in plan.definitions)
    group = feeds.Group(name="list", version="1", region="", ranges=tuple(map(parse_range, ranges)), set_aside=())
    file = feeds.PublishedRanges(source="file", cloud="", version="1", published=None, groups={"list": group})
    return attrs.evolve(plan, definitions=definitions), file


@st.composite
def plans(draw: st.DrawFn) -> tuple[TenantPlan, tuple[str, ...]]:
    """Return a strategy for a tenant and a published list, most often of ranges that are allowed."""
    plan = draw(tenants())
    allowed = [
        row.text
        for operation in plan.setup
        if operation.name == "networks.restrict"
        for row in cast("tuple[Row, ...]", operation.arguments["rows"])
    ]
    anywhere = st.sampled_from(("20.89.11.48/28", "2001:db8::/64"))
    ranges = st.one_of(st.sampled_from(allowed), anywhere) if allowed else anywhere
    return plan, tuple(draw(st.lists(ranges, max_size=3, unique=True)))


def check_tenant(drawn: tuple[TenantPlan, tuple[str, ...]]) -> Counter[str]:
    """Compare the operation with what `access.explain` says of everybody from every bound, service by service."""
    plan, file = listed(*drawn)
    admin = plan.open(ExtLink.in_memory(directory=plan.directory())).acting_as("admin", roles=ALL_ROLES)
    network = admin.run(networks.show())
    rows = tuple(Row(range=block) for block in file.groups["list"].ranges)
    found: Counter[str] = Counter()
    for service in plan.definitions:
        said = admin.run(access.readiness(service.id, ranges=[file])).would_pass
        wanted = [row.range for row in rows if row.range.version == 4 or network.mode == "allow_all"]
        policy = Policy(registry=ServiceRegistry(TENANT), network=network)
        everywhere = bounds(policy, service.id, wanted)
        connectors = None if service.connector is None else [service.connector]
        true = bool(wanted) and any(
            all(
                admin.run(
                    access.explain(service.id, user=person.id, scope=scope, address=address, connectors=connectors)
                ).allowed
                for address in everywhere
            )
            for person in plan.people
            for scope in service.scope_names
        )
        assert true == said, (service.id, wanted)
        found["green" if said else "not green"] += 1
    return found


def test_the_operation_says_what_explain_says_of_everybody(deep: bool) -> None:
    """In generated tenants, through a store and a directory: as in the worlds, and both answers happen."""
    found: Counter[str] = Counter()

    @settings(max_examples=2_000 if deep else 60, deadline=None, derandomize=not deep)
    @given(plans())
    def compare(drawn: tuple[TenantPlan, tuple[str, ...]]) -> None:
        found.update(check_tenant(drawn))

    compare()

    assert found["green"]
    assert found["not green"]
