"""Operations on services: what each promises, and that it holds at the very next check (S1, S2, S12, F1, F14)."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from extlink import access, catalog, grants, ledger, links, services
from extlink.adapters.memory import MemoryStorage
from extlink.domain.event import Detail
from extlink.domain.identifier import ServiceId
from extlink.domain.instant import Instant
from extlink.domain.localized import LocalizedText
from extlink.domain.reason import Reason
from extlink.domain.registry import HostService, RegisteredService, ServiceState
from extlink.domain.service import Service
from extlink.errors import InvalidInput
from extlink.operation import Operation
from extlink.ports import Batch, Position, Version, Write
from extlink.records import SERVICE as SERVICE_KIND, service_key
from extlink.runtime import Tenant
from tests.fakes import NOW
from tests.hosts import ACME, SERVICE, Host, codes, refusal

HANGOUTS = catalog.GOOGLE_HANGOUTS_CHAT.id


def own(name: str = "own", **fields: object) -> Service:
    """Return a host's own definition."""
    text = LocalizedText.same(name)
    return Service(id=name, names=text, descriptions=text, directions={"outbound"}, **fields)  # type: ignore[arg-type]


def unchanged(host: Host, tenant: Tenant, operation: Operation[object]) -> object:
    """Run an operation that has nothing to do and return its result: nothing is written, nothing recorded."""
    before = host.dump()
    result = tenant.run(operation)
    assert before == host.dump()
    return result


def refused(host: Host, operation: Operation[object]) -> Reason:
    """Run an operation that the rules refuse and return the reason: nothing is written, nothing recorded."""
    before = host.dump()
    reason = refusal(host.admin, operation)
    assert before == host.dump()
    return reason


def last(host: Host) -> tuple[str, str | None, object]:
    """Return the newest entry: what, who, details."""
    entry = host.entries()[-1]
    return entry.event, entry.user, entry.details


def state_of(host: Host, service: str = SERVICE) -> ServiceState:
    """Return a service's state as another process sees it."""
    other = host.other_process().acting_as("admin-2", roles={"common_administrator"})
    return next(one.state for one in other.run(services.registered()) if one.service.id == service)


def test_registering_makes_a_service_known_and_enables_nothing() -> None:
    """A registered service is unconfigured, and refused because nobody enabled it."""
    host = Host.make()
    made = host.admin.run(services.register(catalog.SLACK))

    assert RegisteredService(catalog.SLACK, ServiceState.UNCONFIGURED, 0, "", 0) == made
    assert ("service.registered", "admin-1", {"service": "slack", "order": 0}) == last(host)
    assert ("service.not_enabled", "grant.missing") == codes(host.explain(service="slack"))


def test_a_service_that_is_not_registered_is_unknown() -> None:
    """Before that, there is no such service."""
    assert ("service.unknown", "grant.missing") == codes(Host.make().explain(service="slack"))


def test_registering_the_same_again_changes_nothing() -> None:
    """An equal definition is no change."""
    host = Host.prepared()
    known = unchanged(host, host.admin, services.register(catalog.POWER_AUTOMATE))

    assert isinstance(known, RegisteredService)
    assert ServiceState.ENABLED is known.state


def test_registering_anew_replaces_the_definition_and_keeps_the_state() -> None:
    """State, epoch and place stay; the entry names the fields that differ, as they were and as they are."""
    host = Host.prepared()
    before = host.admin.run(services.registered())[0]
    renamed = attrs.evolve(catalog.POWER_AUTOMATE, names=LocalizedText.same("Flow"), connector=None)
    after = host.admin.run(services.register(renamed))
    named = {"ja": "Microsoft Power Automate", "en": "Microsoft Power Automate", "zh": "Microsoft Power Automate"}

    assert attrs.evolve(before, service=renamed) == after
    assert last(host) == (
        "service.redefined",
        "admin-1",
        {
            "service": SERVICE,
            "existing": "keep",
            "before": {"names": named, "connector": "shared_kintone"},
            "after": {"names": dict.fromkeys(["ja", "en", "zh"], "Flow"), "connector": None},
        },
    )


@pytest.mark.parametrize("value", ["slack", None, Service, object()], ids=["text", "none", "class", "object"])
def test_only_a_definition_can_be_registered(value: object) -> None:
    """Anything that is no `Service` is refused when the operation is made."""
    with pytest.raises(InvalidInput, match="service: expected a Service, got"):
        services.register(value)  # type: ignore[arg-type]


def filled(count: int) -> Host:
    """Return a host with so many services, written by hand since registering them takes its time."""
    host = Host.make()
    places = [(service_key(ACME, ServiceId(f"s{number:04}")), number) for number in range(count)]
    writes = [
        Write(place.key, SERVICE_KIND.encode(RegisteredService(own(f"s{number:04}"), order=number), NOW))
        for place, number in places
    ]
    host.store.commit(Batch(tenant=b"acme", id=Version(5), guards=(), writes=tuple(writes), entries=(), at=NOW))
    return host


def test_a_tenant_has_at_most_a_thousand_services() -> None:
    """The thousandth is registered, one more is refused with the limit; a known one may still be replaced."""
    host = filled(999)
    host.admin.run(services.register(own("last")))

    assert 999 == host.admin.run(services.registered())[-1].order
    assert Reason("save.too_large", {"count": "1001", "limit": "1000"}) == refused(host, services.register(own("more")))
    assert "s0007" == host.admin.run(services.register(own("s0007", connector="x"))).service.id


def test_services_are_listed_in_the_order_of_registering() -> None:
    """Not in that of their ids; one that is registered after another was forgotten comes last all the same."""
    host = Host.make()
    for name in ("b", "z", "y"):
        host.admin.run(services.register(own(name)))
    host.admin.run(services.unregister("z"))
    host.admin.run(services.register(own("a")))

    assert ["b", "y", "a"] == [one.service.id for one in host.admin.run(services.registered())]


class Racing(MemoryStorage):
    """A store in which somebody else is a moment faster, once."""

    def __init__(self) -> None:
        super().__init__()
        self.rival: Callable[[], object] | None = None

    def commit(self, batch: Batch) -> Position:
        rival, self.rival = self.rival, None
        if rival is not None:
            rival()
        return super().commit(batch)


def places_after_a_race(*, guarded: bool) -> list[int]:
    """Let two administrators register at once and return the places of the two services.

    Args:
        guarded: False: the broken twin, whose store does not look at the head of the collection.
    """
    store = Racing() if guarded else Forgetful()
    host = Host.make(store=store)
    store.rival = lambda: host.admin.run(services.register(own("rival")))
    host.admin.run(services.register(own("own")))
    return [one.order for one in host.admin.run(services.registered())]


class Forgetful(Racing):
    """The same store, deaf to guards on the tenant's own record."""

    def commit(self, batch: Batch) -> Position:
        deaf = tuple(guard for guard in batch.guards if guard.key.path != b"t\x00\x01")
        return super().commit(attrs.evolve(batch, guards=deaf))


def test_two_who_register_at_once_get_two_places() -> None:
    """Registering writes the head of the collection, so the slower one looks at the list again (DESIGN 5)."""
    assert [0, 1] == places_after_a_race(guarded=True)


def test_a_race_without_a_head_is_found() -> None:
    """The broken twin: without the guard on the head both think that they are the first."""
    assert [0, 0] == places_after_a_race(guarded=False)


def test_a_service_that_was_never_configured_can_be_forgotten() -> None:
    """It is unknown then, and may be registered again."""
    host = Host.make()
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(services.unregister("slack"))

    assert ("service.unregistered", "admin-1", {"service": "slack"}) == last(host)
    assert () == host.admin.run(services.registered())
    assert ("service.unknown", "grant.missing") == codes(host.explain(service="slack"))
    assert ServiceState.UNCONFIGURED is host.admin.run(services.register(catalog.SLACK)).state


@pytest.mark.parametrize(
    "configured",
    [
        services.enable("slack"),
        services.disable("slack"),
        services.quarantine("slack", "a leak"),
        links.revoke_all(service="slack"),
    ],
    ids=lambda operation: operation.name,
)
def test_a_service_that_was_configured_cannot_be_forgotten(configured: Operation[object]) -> None:
    """Its record holds what ended its links, and forgetting that would bring them back."""
    host = Host.make()
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(configured)

    assert Reason("service.blocked_by_links", {"service": "slack"}) == refused(host, services.unregister("slack"))


def test_a_service_that_is_used_by_default_cannot_be_forgotten() -> None:
    """Where the tenant's default lets unconfigured services be used, somebody may be connected."""
    host = Host.make()
    host.admin.run(services.register(catalog.POWER_AUTOMATE))
    host.admin.run(services.set_default("allow"))
    host.admin.run(grants.allow(SERVICE, users=["sato"]))
    host.connect()

    assert "service.blocked_by_links" == refused(host, services.unregister(SERVICE)).code


@pytest.mark.parametrize(
    "make",
    [
        services.unregister,
        services.enable,
        services.disable,
        services.release,
        lambda service: services.quarantine(service, "a leak"),
    ],
    ids=["unregister", "enable", "disable", "release", "quarantine"],
)
def test_a_service_nobody_registered_is_refused(make: Callable[[str], Operation[object]]) -> None:
    """An unknown id is a clear refusal, and nothing changes."""
    assert Reason("service.unknown", {"service": "nobody"}) == refused(Host.make(), make("nobody"))


def test_enabling_holds_at_the_next_check_in_every_process_and_permits_nobody() -> None:
    """The service gate passes; the user gate still refuses, since nobody was granted the service (TRACE T6)."""
    host = Host.make()
    host.admin.run(services.register(catalog.POWER_AUTOMATE))
    before = host.explain()
    enabled = host.admin.run(services.enable(SERVICE))

    assert ("service.not_enabled", "grant.missing") == codes(before)
    assert ServiceState.ENABLED is enabled.state
    assert ServiceState.ENABLED is state_of(host)
    assert ("grant.missing",) == codes(host.explain())
    assert ("service.enabled", "admin-1", {"service": SERVICE, "before": "unconfigured"}) == last(host)


def test_enabling_again_changes_nothing() -> None:
    """The second time nothing is written and nothing recorded."""
    host = Host.prepared()
    unchanged(host, host.admin, services.enable(SERVICE))


def test_an_unavailable_service_cannot_be_enabled_and_nothing_helps() -> None:
    """Google Hangouts Chat is listed and currently cannot be used: a code, a text, and no remedy (page A, note)."""
    host = Host.make()
    host.admin.run(services.register(catalog.GOOGLE_HANGOUTS_CHAT))
    reason = refused(host, services.enable(HANGOUTS))

    assert "service.unavailable" == reason.code
    assert "nobody" == reason.remedy.who
    assert "the integration is not being offered" in reason.text("en")
    assert "連携の提供を停止しています" in reason.text("ja")
    assert "There is no remedy" in reason.remedy.text("en")
    assert [HANGOUTS] == [one.service.id for one in host.admin.run(services.registered())]
    assert ("service.unavailable", "service.not_enabled", "grant.missing") == codes(host.explain(service=HANGOUTS))


def test_a_service_of_another_edition_cannot_be_enabled() -> None:
    """Availability by edition is data of the definition (S12)."""
    host = Host.make(edition="US")
    host.admin.run(services.register(own(editions=["JP", "CN"])))

    assert Reason("service.not_in_edition", {"service": "own", "edition": "US"}) == refused(
        host, services.enable("own")
    )


def test_a_service_for_another_product_cannot_be_enabled() -> None:
    """The tenant needs one of the products that the service is for (S12)."""
    host = Host.make(products=["garoon"])
    host.admin.run(services.register(catalog.SLACK))

    assert Reason("service.product_missing", {"service": "slack", "products": ("kintone",)}) == refused(
        host, services.enable("slack")
    )


def test_disabling_is_refused_at_the_next_check_and_the_links_come_back() -> None:
    """A link of a disabled service is refused, and works again after enabling, since every gate passes then."""
    host = Host.prepared()
    token = host.connect().access_token
    host.admin.run(services.disable(SERVICE))
    stopped = host.check(token)

    assert ("service.disabled",) == codes(stopped)
    host.admin.run(services.enable(SERVICE))
    assert host.check(token)


def test_disabling_says_what_was_before_and_what_becomes_of_links() -> None:
    """The entry has the state before and the word about links."""
    host = Host.prepared()
    host.admin.run(services.disable(SERVICE))

    assert ServiceState.DISABLED is state_of(host)
    assert ("service.disabled", "admin-1", {"service": SERVICE, "before": "enabled", "existing": "suspend"}) == last(
        host
    )


def test_a_link_whose_gates_do_not_pass_does_not_come_back() -> None:
    """Enabling revives a link only if every gate passes then."""
    host = Host.prepared()
    token = host.connect().access_token
    host.admin.run(services.disable(SERVICE))
    host.admin.run(grants.withdraw(SERVICE, organizations=["sales"]))
    host.admin.run(services.enable(SERVICE))

    assert "grant.missing" in codes(host.check(token))


def test_disabling_may_end_the_links() -> None:
    """`revoke` ends them for good: they stay ended after enabling."""
    host = Host.prepared()
    tokens = host.connect()
    host.admin.run(services.disable(SERVICE, existing="revoke"))
    host.admin.run(services.enable(SERVICE))
    decision = host.check(tokens.access_token)

    assert (Reason("link.ended", {"link": tokens.link, "cause": "service"}),) == decision.reasons
    assert host.check(host.connect().access_token)


def test_disabling_again_changes_nothing() -> None:
    """A disabled service that is disabled again is as it was."""
    host = Host.prepared()
    host.admin.run(services.disable(SERVICE))
    unchanged(host, host.admin, services.disable(SERVICE))


def test_links_that_were_paused_can_still_be_ended() -> None:
    """Disabling a disabled service with `revoke` ends what the first time only paused."""
    host = Host.prepared()
    token = host.connect().access_token
    host.admin.run(services.disable(SERVICE))
    host.admin.run(services.disable(SERVICE, existing="revoke"))
    host.admin.run(services.enable(SERVICE))

    assert ("link.ended",) == codes(host.check(token))


@pytest.mark.parametrize("existing", ["keep", "", None, True, "REVOKE"])
def test_what_becomes_of_links_is_one_of_two_words(existing: object) -> None:
    """Disabling knows `suspend` and `revoke`; keeping links of a service that is off means nothing."""
    with pytest.raises(InvalidInput, match="existing: expected one of suspend, revoke"):
        services.disable(SERVICE, existing=existing)  # type: ignore[arg-type]


def test_quarantine_ends_links_at_once_and_for_good() -> None:
    """The next check is refused with the cause; release and enable bring no old link back."""
    host = Host.prepared()
    tokens = host.connect()
    stopped = host.admin.run(services.quarantine(SERVICE, "a leak"))
    details: Detail = {"service": SERVICE, "cause": "a leak", "epoch": 1}

    assert (ServiceState.QUARANTINED, 1, "a leak") == (stopped.state, stopped.epoch, stopped.cause)
    assert ("service.quarantined", "admin-1", details) == last(host)
    assert Reason("service.quarantined", {"service": SERVICE, "cause": "a leak"}) == host.explain().reasons[0]
    assert ("service.quarantined", "link.ended") == codes(host.check(tokens.access_token))
    released = host.admin.run(services.release(SERVICE))
    assert (ServiceState.DISABLED, 1, "") == (released.state, released.epoch, released.cause)
    assert ("service.released", "admin-1", {"service": SERVICE, "epoch": 1}) == last(host)
    host.admin.run(services.enable(SERVICE))
    assert ("link.ended",) == codes(host.check(tokens.access_token))
    assert host.explain()


@pytest.mark.parametrize("make", [services.enable, services.disable], ids=["enable", "disable"])
def test_quarantine_outranks_the_switch(make: Callable[[str], Operation[object]]) -> None:
    """A quarantined service is neither enabled nor disabled; it has to be released first."""
    host = Host.prepared()
    host.admin.run(services.quarantine(SERVICE, "a leak"))

    assert Reason("service.quarantined", {"service": SERVICE, "cause": "a leak"}) == refused(host, make(SERVICE))


def test_quarantine_for_the_same_cause_changes_nothing() -> None:
    """Nobody could connect meanwhile, so there is nothing left to end."""
    host = Host.prepared()
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    unchanged(host, host.admin, services.quarantine(SERVICE, "a leak"))


def test_quarantine_for_another_cause_is_recorded() -> None:
    """Administrators who meet it read the newest cause."""
    host = Host.prepared()
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    host.admin.run(services.quarantine(SERVICE, "a breach"))

    assert {"service": SERVICE, "cause": "a breach", "epoch": 2} == last(host)[2]


@pytest.mark.parametrize("cause", ["x" * 501, "\ud800", None, 7], ids=["long", "half a letter", "none", "number"])
def test_a_cause_is_text_of_bounded_length(cause: object) -> None:
    """At most 500 characters that every store can hold; in both quarantines."""
    for make in (services.quarantine, services.quarantine_everywhere):
        with pytest.raises(InvalidInput, match="cause: expected"):
            make(SERVICE, cause)  # type: ignore[arg-type]


def test_releasing_what_is_not_quarantined_changes_nothing() -> None:
    """There is nothing to lift."""
    host = Host.prepared()
    known = unchanged(host, host.admin, services.release(SERVICE))

    assert isinstance(known, RegisteredService)
    assert ServiceState.ENABLED is known.state


def test_quarantine_everywhere_stops_a_service_in_every_tenant() -> None:
    """One record of the host; each tenant's next check is refused with its cause, and no link comes back."""
    host = Host.prepared()
    token = host.connect().access_token
    stopped = host.root.run(services.quarantine_everywhere(SERVICE, "a breach"))
    told = host.root.run(ledger.entries()).entries[-1]

    assert HostService(quarantined=True, epoch=1, cause="a breach") == stopped
    assert ("service.quarantined", None) == (told.event, told.user)
    assert {"service": SERVICE, "cause": "a breach", "epoch": 1} == told.details
    assert ("service.quarantined_everywhere", "link.ended") == codes(host.check(token))
    assert ("service.quarantined_everywhere",) == codes(host.explain())
    assert "host" == host.explain().reasons[0].remedy.who
    assert HostService(epoch=1) == host.root.run(services.release_everywhere(SERVICE))
    told = host.root.run(ledger.entries()).entries[-1]
    assert ("service.released", {"service": SERVICE, "epoch": 1}) == (told.event, told.details)
    assert ("link.ended",) == codes(host.check(token))
    assert host.explain()


def test_quarantine_everywhere_reaches_tenants_that_register_the_service_later() -> None:
    """Enabling a service that the host stopped is possible, and of no use."""
    host = Host.make()
    host.root.run(services.quarantine_everywhere(SERVICE, "a breach"))
    host.admin.run(services.register(catalog.POWER_AUTOMATE))
    host.admin.run(services.enable(SERVICE))

    assert ("service.quarantined_everywhere", "grant.missing") == codes(host.explain())


@pytest.mark.parametrize(
    "operation",
    [services.quarantine_everywhere(SERVICE, "a breach"), services.release_everywhere(SERVICE)],
    ids=["quarantine", "release"],
)
def test_what_holds_everywhere_is_for_the_host_alone(operation: Operation[object]) -> None:
    """In a tenant even the host is told where to run it; an administrator is denied."""
    host = Host.prepared()
    before = host.dump()

    with pytest.raises(InvalidInput, match=r"tenant: expected the host itself; run it on hub.host\(\)"):
        host.tenant.acting_as("ops", roles={"host"}).run(operation)
    assert before == host.dump()
    assert "actor.not_permitted" == refusal(host.admin, operation).code


def test_what_holds_everywhere_already_is_not_written_again() -> None:
    """Quarantine for the same cause, and lifting what is not there, change nothing; another cause is recorded."""
    host = Host.make()
    assert HostService() == unchanged(host, host.root, services.release_everywhere("slack"))
    host.root.run(services.quarantine_everywhere("slack", "a breach"))
    unchanged(host, host.root, services.quarantine_everywhere("slack", "a breach"))

    assert 2 == host.root.run(services.quarantine_everywhere("slack", "another")).epoch


def test_the_default_for_unconfigured_services_is_explicit() -> None:
    """With `allow` a registered service that nobody configured passes its gate; users still need a grant (F1)."""
    host = Host.make()
    host.admin.run(services.register(catalog.POWER_AUTOMATE))
    tenant = host.admin.run(services.set_default("allow"))

    assert "allow" == tenant.unconfigured_services
    told = {"before": "deny", "after": "allow", "existing": "suspend", "ended": []}
    assert ("default.changed", "admin-1", told) == last(host)
    assert ("grant.missing",) == codes(host.explain())
    host.admin.run(grants.allow(SERVICE, users=["sato"]))
    assert Reason("service.enabled_by_default", {"service": SERVICE}) == host.explain().evidence[0]
    host.admin.run(services.set_default("deny"))
    assert ("service.not_enabled",) == codes(host.explain())


@pytest.mark.parametrize("state", ["disabled", "quarantined", "unavailable", "unknown"])
def test_the_default_opens_nothing_that_somebody_closed(state: str) -> None:
    """What is disabled, quarantined, unavailable or not registered stays refused."""
    host = Host.make()
    host.admin.run(services.set_default("allow"))
    service = HANGOUTS if state == "unavailable" else SERVICE
    if state != "unknown":
        host.admin.run(services.register(next(one for one in catalog.BUILT_IN if one.id == service)))
    if state == "disabled":
        host.admin.run(services.disable(service))
    if state == "quarantined":
        host.admin.run(services.quarantine(service, "a leak"))

    assert f"service.{state}" == host.explain(service=service).reasons[0].code


@pytest.mark.parametrize("word", ["deny", "allow"])
def test_setting_the_default_again_changes_nothing(word: str) -> None:
    """The same word twice is one change."""
    host = Host.make()
    operation = services.set_default(word)  # type: ignore[arg-type]
    host.admin.run(operation)
    unchanged(host, host.admin, operation)


@pytest.mark.parametrize("word", ["", "Allow", None, True])
def test_the_default_is_one_of_two_words(word: object) -> None:
    """Anything else is refused when the operation is made."""
    with pytest.raises(InvalidInput, match="unconfigured: expected one of deny, allow"):
        services.set_default(word)  # type: ignore[arg-type]


def test_the_list_of_services_is_for_administrators_and_the_host() -> None:
    """Users see theirs on the account page; what is not open to them is not shown (TRACE T9, T11)."""
    host = Host.prepared()

    assert "actor.not_permitted" == refusal(host.user(), services.registered()).code
    assert 1 == len(host.tenant.acting_as("ops", roles={"host"}).run(services.registered()))


def test_unavailable_services_are_listed() -> None:
    """The catalogue shows all three, in order, with their states (page A)."""
    host = Host.make()
    for service in catalog.BUILT_IN:
        host.admin.run(services.register(service))
    host.admin.run(services.enable("slack"))

    assert [(SERVICE, "unconfigured"), ("slack", "enabled"), (HANGOUTS, "unconfigured")] == [
        (one.service.id, str(one.state)) for one in host.admin.run(services.registered())
    ]


def test_states_hold_as_of_the_instant_they_were_written() -> None:
    """A record carries the instant of its commit, so that a clock that jumps back extends no life."""
    host = Host.make()
    host.clock.advance(100)
    host.admin.run(services.register(catalog.SLACK))
    host.clock.advance(-100)
    host.admin.run(services.enable("slack"))
    value = host.dump()[0][b"acme", b"s\x00\x01slack\x00\x01"]

    assert Instant(NOW + 100) == SERVICE_KIND.decode(value or b"")[1]


def test_a_check_of_another_service_is_not_touched() -> None:
    """Stopping one service leaves the others as they are."""
    host = Host.prepared()
    token = host.connect().access_token
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(services.quarantine("slack", "a leak"))

    assert host.tenant.run(access.check(token, scope="k:app_record:read"))
