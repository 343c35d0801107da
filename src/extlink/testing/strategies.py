"""Hypothesis strategies for tenants that make sense: type-directed, so that most of what is drawn means something.

Rules: nothing refers to what is not there: grants name people and organizations of the same tenant, services its
products, data policies the connectors of its services. Every operation of a plan is accepted when it is run in order.
Addresses are biased towards the borders of the rows that were drawn.
"""

from __future__ import annotations

import ipaddress
from typing import Final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from extlink import datagroups, grants, networks, services
from extlink.adapters.directory import InMemoryDirectory
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.edition import EDITIONS, Edition
from extlink.domain.identifier import Scope
from extlink.domain.localized import LocalizedText
from extlink.domain.service import Service
from extlink.domain.service_parts import ScopeDefinition
from extlink.operation import Operation
from extlink.runtime import ExtLink, Tenant

__all__ = ["Person", "TenantPlan", "addresses", "data_policies", "definitions", "people", "rows", "tenants"]

_USERS: Final = ("sato", "suzuki", "tanaka", "佐藤", "Sato")
# parents before children
_ORGANIZATIONS: Final = (("hq", None), ("sales", "hq"), ("tokyo", "sales"), ("dev", "hq"), ("partners", None))
_GROUPS: Final = ("leaders", "staff")
_SERVICES: Final = ("flows", "chat", "calendar")
_OPERATIONS: Final = ("read", "write", "mail")
_CONNECTORS: Final = ("shared_kintone", "shared_outlook", "shared_twitter")
_STATUS: Final = ("active", "active", "active", "suspended")
_LAST: Final = 2**32 - 1
_MOSTLY: Final = 4


@attrs.frozen(kw_only=True)
class Person:
    """Somebody who works in a tenant."""

    id: str
    organizations: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    status: str = "active"


@attrs.frozen(kw_only=True)
class TenantPlan:
    """A tenant as a value: printed when a test fails, opened on any hub.

    Args:
        definitions: the services that are registered.
        setup: what an administrator then does, in order; every operation is accepted.
    """

    edition: Edition
    products: frozenset[str]
    people: tuple[Person, ...]
    definitions: tuple[Service, ...]
    setup: tuple[Operation[object], ...]

    def directory(self) -> InMemoryDirectory:
        """Return the host's directory with the people of the plan and all organizations."""
        made = InMemoryDirectory()
        for organization, parent in _ORGANIZATIONS:
            made.add_organization(organization, parent=parent)
        for person in self.people:
            made.add_user(
                person.id,
                organizations=sorted(person.organizations),
                groups=sorted(person.groups),
                products=person.products,
                status="suspended" if person.status == "suspended" else "active",
            )
        return made

    def open(self, hub: ExtLink, tenant: str = "acme") -> Tenant:
        """Open the tenant on a hub and set it up; return it for nobody in particular."""
        opened = hub.open_tenant(tenant, edition=self.edition, products=self.products)
        admin = opened.acting_as("admin", roles={"common_administrator", "host"})
        for operation in (*map(services.register, self.definitions), *self.setup):
            admin.run(operation)
        return opened


def people(products: frozenset[str]) -> SearchStrategy[tuple[Person, ...]]:
    """Return a strategy for one to five people, most of whom may use the tenant's products."""
    inside = [organization for organization, _ in _ORGANIZATIONS]
    person = st.builds(
        Person,
        id=st.sampled_from(_USERS),
        organizations=st.frozensets(st.sampled_from(inside), max_size=2),
        groups=st.frozensets(st.sampled_from(_GROUPS), max_size=1),
        products=st.one_of(st.just(products), _some(products)),
        status=st.sampled_from(_STATUS),
    )
    return st.lists(person, min_size=1, max_size=5, unique_by=lambda one: one.id).map(tuple)


@attrs.frozen(kw_only=True)
class _Sketch:
    """What is drawn of a service."""

    name: str
    operations: list[str]
    product: str
    connector: str | None

    def service(self, edition: Edition) -> Service:
        text = LocalizedText.same(self.name)
        scopes = [
            ScopeDefinition(name=Scope(f"k:{self.name}:{one}"), labels=text, product=self.product, direction="read")
            for one in self.operations
        ]
        return Service(
            id=self.name,
            names=text,
            descriptions=text,
            directions={"inbound"},
            scopes=scopes,
            connector=self.connector,
            products={self.product} - {""},
            editions={edition},
        )


def definitions(edition: Edition, products: frozenset[str]) -> SearchStrategy[tuple[Service, ...]]:
    """Return a strategy for one to three services that the edition and the products of a tenant allow."""
    sketch = st.builds(
        _Sketch,
        name=st.sampled_from(_SERVICES),
        operations=st.lists(st.sampled_from(_OPERATIONS), min_size=1, unique=True),
        product=st.sampled_from(("", *sorted(products))),
        connector=st.one_of(st.none(), st.sampled_from(_CONNECTORS)),
    )
    few = st.lists(sketch, min_size=1, max_size=len(_SERVICES), unique_by=lambda one: one.name)
    return few.map(lambda sketches: tuple(one.service(edition) for one in sketches))


def rows() -> SearchStrategy[str]:
    """Return a strategy for rows of an IP restriction: IPv4 in CIDR notation, the borders of the space included."""
    number = st.one_of(st.sampled_from([0, _LAST]), st.integers(0, _LAST))
    return st.builds(_row, number, st.integers(8, 32))


def addresses(restriction: tuple[str, ...] = ()) -> SearchStrategy[str]:
    """Return a strategy for IPv4 addresses: the first and the last of some rows, their neighbours, and any others."""
    borders = [edge for row in restriction for edge in _borders(row)]
    anywhere = st.integers(0, _LAST)
    numbers = st.one_of(st.sampled_from(borders), anywhere) if borders else anywhere
    return numbers.map(lambda number: str(ipaddress.IPv4Address(number)))


def data_policies() -> SearchStrategy[DataPolicy]:
    """Return a strategy for data policies over a few connectors, each in one group or in none."""
    side = st.sampled_from(("business", "non_business", "blocked", ""))
    return st.builds(_policy, st.sampled_from(("standard", "strict")), st.tuples(*[side] * len(_CONNECTORS)))


@st.composite
def tenants(draw: st.DrawFn) -> TenantPlan:
    """Return a strategy for whole tenants: edition, products, people, services, grants, network and data policies.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, database=None)
    ... @given(tenants())
    ... def every_tenant_opens(plan):
    ...     assert plan.open(ExtLink.in_memory(directory=plan.directory())).id == "acme"
    >>> every_tenant_opens()
    """
    edition = draw(st.sampled_from(sorted(EDITIONS)))
    sold = EDITIONS[edition].products
    products = draw(st.one_of(st.just(sold), _some(sold)))
    staff = draw(people(products))
    registered = draw(definitions(edition, products))
    setup: list[Operation[object]] = [
        operation for service in registered for operation in draw(_service_setup(service.id, staff))
    ]
    setup += draw(st.lists(_network(), max_size=2))
    setup += [datagroups.set_policy(policy) for policy in draw(st.lists(data_policies(), max_size=2))]
    return TenantPlan(edition=edition, products=products, people=staff, definitions=registered, setup=tuple(setup))


def _service_setup(service: str, staff: tuple[Person, ...]) -> SearchStrategy[tuple[Operation[object], ...]]:
    """Return a strategy for what is done with one service: mostly switched on, and opened for somebody."""
    users = st.lists(st.sampled_from([person.id for person in staff]), min_size=1, unique=True)
    inside = st.lists(st.sampled_from([name for name, _ in _ORGANIZATIONS]), min_size=1, unique=True)
    reach = st.sampled_from(("direct", "subtree"))
    name = st.just(service)
    edit = st.one_of(
        st.builds(grants.allow, name, users=users),
        st.builds(grants.allow, name, organizations=inside, scope=reach),
        st.builds(grants.allow, name, everyone=st.just(value=True)),
        st.builds(grants.exclude, name, users=users),
        st.builds(grants.withdraw, name, organizations=inside),
    )
    nothing: tuple[Operation[object], ...] = ()
    enabled: SearchStrategy[tuple[Operation[object], ...]] = st.sampled_from(
        [*[(services.enable(service),)] * _MOSTLY, nothing]
    )
    edits: SearchStrategy[tuple[Operation[object], ...]] = st.lists(edit, min_size=1, max_size=4).map(tuple)
    return st.tuples(enabled, edits).map(lambda parts: parts[0] + parts[1])


def _network() -> SearchStrategy[Operation[object]]:
    some = st.lists(rows(), min_size=1, max_size=3, unique=True)
    return st.one_of(st.builds(networks.restrict, some), st.builds(networks.allow_all), st.builds(networks.deny_all))


def _policy(name: str, sides: tuple[str, ...]) -> DataPolicy:
    group: dict[str, set[str]] = {"business": set(), "non_business": set(), "blocked": set(), "": set()}
    for connector, side in zip(_CONNECTORS, sides, strict=True):
        group[side].add(connector)
    return DataPolicy(id=name, business=group["business"], non_business=group["non_business"], blocked=group["blocked"])


def _some(products: frozenset[str]) -> SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(sorted(products)), min_size=1)


def _row(number: int, length: int) -> str:
    return str(ipaddress.IPv4Network((number, length), strict=False))


def _borders(row: str) -> tuple[int, ...]:
    network = ipaddress.IPv4Network(row)
    first, last = int(network.network_address), int(network.broadcast_address)
    return tuple(one for one in (first - 1, first, last, last + 1) if 0 <= one <= _LAST)
