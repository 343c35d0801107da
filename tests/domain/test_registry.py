"""ServiceRegistry: which services a tenant may use, in two speeds with one truth (S1, S2, S12, F1; law 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain.decision import Answer
from extlink.domain.edition import Edition
from extlink.domain.identifier import ServiceId, TenantId
from extlink.domain.localized import LocalizedText
from extlink.domain.registry import HostService, RegisteredService, ServiceRegistry, ServiceState, unusable_definition
from extlink.domain.service import Availability, Service
from extlink.domain.tenant import Tenant

OWN, OTHER = ServiceId("own"), ServiceId("other")
CAUSE = LocalizedText(ja="停止中", en="stopped", zh="已停止")
TENANT = Tenant(id=TenantId("acme"), edition="JP", products=frozenset({"kintone"}))


def service(**fields: object) -> Service:
    """Return a definition."""
    text = LocalizedText.same("Own")
    return Service(id=OWN, names=text, descriptions=text, directions={"inbound"}, **fields)  # type: ignore[arg-type]


UNAVAILABLE = Availability(state="unavailable", cause=CAUSE)


def registry(
    state: ServiceState = ServiceState.ENABLED,
    definition: Service | None = None,
    host: HostService | None = None,
    **tenant: object,
) -> ServiceRegistry:
    """Return a registry of one service."""
    known = RegisteredService(service() if definition is None else definition, state, cause="a leak")
    everywhere = {} if host is None else {OWN: host}
    facts = attrs.evolve(TENANT, **tenant)  # type: ignore[arg-type]
    return ServiceRegistry(facts, {OWN: known}, everywhere)


@pytest.mark.parametrize(
    ("state", "default", "code"),
    [
        ("enabled", "deny", "service.enabled"),
        ("enabled", "allow", "service.enabled"),
        ("disabled", "deny", "service.disabled"),
        ("disabled", "allow", "service.disabled"),
        ("quarantined", "deny", "service.quarantined"),
        ("quarantined", "allow", "service.quarantined"),
        ("unconfigured", "deny", "service.not_enabled"),
        ("unconfigured", "allow", "service.enabled_by_default"),
    ],
)
def test_each_state_has_its_answer(state: str, default: str, code: str) -> None:
    """The default decides about unconfigured services alone (F1)."""
    found = registry(ServiceState(state), unconfigured_services=default)
    answer, ((got, params),) = found.finding(OWN)
    passes = code in {"service.enabled", "service.enabled_by_default"}

    assert (code, Answer.PASSED if passes else Answer.REFUSED) == (got, answer)
    assert passes is found.is_usable(OWN)
    assert OWN == params["service"]


def test_a_service_that_is_not_registered_is_unknown() -> None:
    """Also where the default is to allow: it holds for registered services."""
    found = registry(unconfigured_services="allow")

    assert (Answer.REFUSED, (("service.unknown", {"service": OTHER}),)) == found.finding(OTHER)
    assert not found.is_usable(OTHER)


def test_quarantine_tells_its_cause() -> None:
    """The tenant's own, and the host's, each with the cause that was given."""
    found = registry(ServiceState.QUARANTINED, host=HostService(quarantined=True, cause="a breach"))

    assert (
        ("service.quarantined_everywhere", {"service": OWN, "cause": "a breach"}),
        ("service.quarantined", {"service": OWN, "cause": "a leak"}),
    ) == found.finding(OWN)[1]


def test_what_the_host_stopped_is_stopped_for_all() -> None:
    """Whatever the tenant says; a host's record that stops nothing changes nothing."""
    assert not registry(host=HostService(quarantined=True)).is_usable(OWN)
    assert registry(host=HostService(epoch=3)).is_usable(OWN)


def test_a_definition_that_cannot_be_used_says_why() -> None:
    """Edition, products, availability: all that stands in the way, in this order, with what was missing."""
    definition = service(editions=["US"], products=["garoon"], availability=UNAVAILABLE)

    assert unusable_definition(definition, TENANT) == (
        ("service.not_in_edition", {"service": OWN, "edition": "JP"}),
        ("service.product_missing", {"service": OWN, "products": ("garoon",)}),
        ("service.unavailable", {"service": OWN, "cause": CAUSE.texts}),
    )
    assert () == unusable_definition(service(), TENANT)


def test_every_reason_is_given_at_once() -> None:
    """An administrator sees all that is to be changed, not only the first."""
    found = registry(
        ServiceState.DISABLED, service(editions=["CN"], availability=UNAVAILABLE), HostService(quarantined=True)
    )

    assert [
        "service.not_in_edition",
        "service.unavailable",
        "service.quarantined_everywhere",
        "service.disabled",
    ] == [code for code, _ in found.finding(OWN)[1]]


@pytest.mark.parametrize(
    ("needed", "owned", "usable"),
    [
        ([], [], True),
        (["kintone"], ["kintone"], True),
        (["kintone", "garoon"], ["garoon"], True),
        (["garoon"], [], False),
    ],
    ids=["none", "one", "either", "missing"],
)
def test_one_of_the_products_is_enough(needed: list[str], owned: list[str], usable: bool) -> None:
    """A service for several products needs any of them; one for none needs none (S12)."""
    assert usable is registry(definition=service(products=needed), products=frozenset(owned)).is_usable(OWN)


REGISTRIES = st.builds(
    registry,
    st.sampled_from(ServiceState),
    st.builds(
        service,
        editions=st.frozensets(st.sampled_from(get_args(Edition)), min_size=1),
        products=st.frozensets(st.sampled_from(["kintone", "garoon"])),
        availability=st.sampled_from([Availability(), UNAVAILABLE]),
    ),
    st.none() | st.builds(HostService, st.booleans(), st.integers(0, 3)),
    edition=st.sampled_from(get_args(Edition)),
    products=st.frozensets(st.sampled_from(["kintone", "garoon"])),
    unconfigured_services=st.sampled_from(["deny", "allow"]),
)
Short = Callable[[ServiceRegistry, ServiceId], bool]


def disagrees(short: Short, found: ServiceRegistry, asked: ServiceId) -> bool:
    """Return whether a short answer differs from the one with every reason."""
    answer, notes = found.finding(asked)
    assert notes, "an answer has a reason"
    return short(found, asked) is not (answer is Answer.PASSED)


@given(REGISTRIES, st.sampled_from([OWN, OTHER]))
def test_the_short_answer_is_the_long_one(found: ServiceRegistry, asked: ServiceId) -> None:
    """Law 3: yes exactly where the gate passes."""
    assert not disagrees(ServiceRegistry.is_usable, found, asked)


TWINS: dict[str, tuple[Short, ServiceRegistry]] = {
    "forgets the host": (
        lambda found, asked: attrs.evolve(found, everywhere={}).is_usable(asked),
        registry(host=HostService(quarantined=True)),
    ),
    "forgets the edition": (
        lambda found, asked: attrs.evolve(found, tenant=attrs.evolve(found.tenant, edition="US")).is_usable(asked),
        registry(definition=service(editions=["US"])),
    ),
    "takes the default for every state": (
        lambda found, _asked: found.tenant.unconfigured_services == "allow",
        registry(ServiceState.DISABLED, unconfigured_services="allow"),
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_another_short_answer_is_found(name: str) -> None:
    """The broken twins: answers that forget something are told from the long one."""
    twin, found = TWINS[name]

    assert disagrees(twin, found, OWN)
    assert not disagrees(ServiceRegistry.is_usable, found, OWN)


@given(REGISTRIES)
def test_taking_something_away_never_widens(found: ServiceRegistry) -> None:
    """Law 4: without the service, disabled or quarantined, nothing is usable that was not before."""
    known = found.services[OWN]
    for less in (
        attrs.evolve(found, services={}),
        attrs.evolve(found, services={OWN: attrs.evolve(known, state=ServiceState.DISABLED)}),
        attrs.evolve(found, services={OWN: attrs.evolve(known, state=ServiceState.QUARANTINED)}),
        attrs.evolve(found, everywhere={OWN: HostService(quarantined=True)}),
        attrs.evolve(found, tenant=attrs.evolve(found.tenant, unconfigured_services="deny")),
    ):
        assert not less.is_usable(OWN) or found.is_usable(OWN)


def test_an_empty_registry_denies() -> None:
    """Law 1: nothing said is nothing allowed."""
    assert not ServiceRegistry(TENANT).is_usable(OWN)
    assert RegisteredService(service()) == RegisteredService(service(), ServiceState.UNCONFIGURED, 0, "", 0)
    assert HostService() == HostService(quarantined=False, epoch=0, cause="")
