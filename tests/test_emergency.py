"""The emergency stop as one call: it holds, whoever calls it again finishes it, and it says what it found (F14)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from extlink import AsyncExtLink, KeyRing, Secret, ThreadedDirectory, ThreadedStorage, catalog, grants, services
from extlink.adapters.memory import MemoryStorage
from extlink.domain.identifier import ServiceId, TenantId
from extlink.domain.link_job import Toll
from extlink.domain.reason import Reason
from extlink.emergency import (
    Statement,
    StatementEverywhere,
    stop,
    stop_async,
    stop_everywhere,
    stop_everywhere_async,
)
from extlink.errors import Contention, InvalidInput, Refused, Unavailable
from extlink.ports import Batch, Position, Write
from extlink.records import service_key
from extlink.runtime import ExtLink
from extlink.testing import FrozenClock
from tests.hosts import SERVICE, Host, another_hub, people
from tests.many_links import sow, write


class Dying(MemoryStorage):
    """A store that fails at a commit, before it: the process is gone there, and another one goes on."""

    left = -1

    def commit(self, batch: Batch) -> Position:
        self.left -= 1
        if self.left == -1:
            raise KilledError
        return super().commit(batch)


class KilledError(BaseException):
    """Nobody catches it, as nobody notices a kill -9."""


def many(count: int = 129) -> tuple[Host, Dying]:
    """Return a host with many links over a store that can fail."""
    store = Dying()
    host = Host.prepared(store=store)
    sow(store, host.connect().link, count)
    return host, store


def test_one_call_stops_ends_and_proves() -> None:
    """The statement and the look at every link agree: all are ended, none is left."""
    host, _ = many()
    statement = stop(host.admin, SERVICE, "a leak")

    assert statement
    assert (130, 0) == (statement.purge.toll.ended, statement.remaining.count)
    assert statement == stop(host.admin, SERVICE, "a leak")
    assert 1 == host.events().count("service.quarantined") == host.events().count("service.purged")


@pytest.mark.parametrize("commits", range(5))
def test_killed_at_any_commit_the_same_call_goes_on(commits: int) -> None:
    """Before the stop, before the first batch, between two, before the statement: another process ends it alike."""
    host, store = many()
    store.left = commits
    with pytest.raises(KilledError):
        stop(host.admin, SERVICE, "a leak")
    other = host.other_process().acting_as("admin-2", roles={"common_administrator"})
    statement = stop(other, SERVICE, "a leak")

    assert (130, 0) == (statement.purge.toll.ended, statement.remaining.count)
    assert 130 == host.events().count("link.revoked")


@pytest.mark.parametrize("commits", range(5))
def test_from_asyncio_it_comes_to_the_same(commits: int) -> None:
    """Killed at any commit, called again, refused for a service that nobody knows: as the synchronous one."""
    host, store = many()

    async def stopped(service: str) -> Statement:
        hub = _asynchronous(store)
        return await stop_async(hub.tenant("acme").acting_as("a", roles={"common_administrator"}), service, "a leak")

    store.left = commits
    with pytest.raises(KilledError):
        asyncio.run(stopped(SERVICE))
    statement = asyncio.run(stopped(SERVICE))
    with pytest.raises(Refused, match=r"service\.unknown"):
        asyncio.run(stopped("power-automat"))

    assert (130, 0) == (statement.purge.toll.ended, statement.remaining.count)
    assert statement == stop(host.admin, SERVICE, "a leak")


def _asynchronous(store: Dying) -> AsyncExtLink:
    keys = KeyRing({"k1": Secret("5a" * 32)}, current="k1")
    return AsyncExtLink(ThreadedStorage(store), keys=keys, directory=ThreadedDirectory(people()), clock=FrozenClock())


Everywhere = Callable[["Dying", Iterable[str]], StatementEverywhere]


def _everywhere(store: Dying, tenants: Iterable[str]) -> StatementEverywhere:
    return stop_everywhere(another_hub(store, people(), FrozenClock()), tenants, SERVICE, "a breach")


def _everywhere_async(store: Dying, tenants: Iterable[str]) -> StatementEverywhere:
    async def stopped() -> StatementEverywhere:
        return await stop_everywhere_async(_asynchronous(store), tenants, SERVICE, "a breach")

    return asyncio.run(stopped())


colours = pytest.mark.parametrize("everywhere", [_everywhere, _everywhere_async])


@pytest.fixture
def three() -> tuple[ExtLink, Dying]:
    """Return a hub with two tenants that use the service, and one that does not."""
    store = Dying()
    hub = another_hub(store, people(), FrozenClock())
    for tenant in ("acme", "beta", "without"):
        opened = hub.open_tenant(tenant, edition="JP", products={"kintone"})
        admin = opened.acting_as("admin-1", roles={"common_administrator"})
        if tenant != "without":
            admin.run(services.register(catalog.POWER_AUTOMATE))
            admin.run(services.enable(SERVICE))
            admin.run(grants.allow(SERVICE, users=["sato"]))
    host = Host(hub=hub, store=store, directory=people(), clock=FrozenClock(), tenant=hub.tenant("acme"))
    sow(store, host.connect().link, 59)
    Host(hub=hub, store=store, directory=people(), clock=FrozenClock(), tenant=hub.tenant("beta")).connect()
    return hub, store


TENANTS = ("acme", "beta", "nobody", "without")


@colours
def test_all_tenants_are_stopped_and_stated(three: tuple[ExtLink, Dying], everywhere: Everywhere) -> None:
    """Tenants without the service are named, and keep none of the others from being ended."""
    statement = everywhere(three[1], TENANTS)

    assert Toll(ended=61, access_tokens=61, refresh_tokens=61) == statement.purges.toll
    assert (2, 0, 0) == (statement.purges.tenants, statement.remaining, statement.unreadable)
    assert (("nobody", "tenant.not_open"), ("without", "service.unknown")) == statement.refused


@colours
def test_killed_between_tenants_the_same_call_goes_on(three: tuple[ExtLink, Dying], everywhere: Everywhere) -> None:
    """After each commit: the stop itself, three of acme and its note, two of beta; then its note and the rest."""
    store = three[1]
    for _ in range(7):
        store.left = 1
        with pytest.raises(KilledError):
            everywhere(store, TENANTS)
    statement = everywhere(store, TENANTS)

    assert (61, 2, 0) == (statement.purges.toll.ended, statement.purges.tenants, statement.remaining)


def test_what_is_left_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin of a purge: it says that it is done and ends nothing; the statement's look finds the links."""
    host, _ = many(5)
    sound = services.purge

    def nothing(service: str) -> object:
        return sound("slack" if service == SERVICE else service)

    host.admin.run(services.register(catalog.SLACK))
    monkeypatch.setattr(services, "purge", nothing)

    one, all_of_them = stop(host.admin, SERVICE, "a leak"), stop_everywhere(host.hub, ["acme"], SERVICE, "a breach")

    assert (6, 6) == (one.remaining.count, all_of_them.remaining)
    assert not one
    assert not all_of_them


def test_a_store_that_fails_is_no_refusal(three: tuple[ExtLink, Dying], monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenant that could not be ended is not passed over."""
    hub, store = three

    def fails(_query: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(store, "list", fails)
    with pytest.raises(Unavailable):
        stop_everywhere(hub, TENANTS, SERVICE, "a breach")


@colours
def test_a_damaged_tenant_keeps_no_other_waiting(three: tuple[ExtLink, Dying], everywhere: Everywhere) -> None:
    """Its links are refused like all others; those of the rest are ended, and the statement names it and is false."""
    hub, store = three
    damaged = service_key(TenantId("acme"), ServiceId(SERVICE)).key
    write(store, Write(damaged, b"no record"))
    statement = everywhere(store, TENANTS)

    assert not statement
    assert ["acme"] == [tenant for tenant, _ in statement.damaged]
    assert "a record of kind s cannot be read back" in statement.damaged[0][1]
    assert 0 == statement.remaining
    assert 1 == hub.host().run(services.purges(SERVICE)).tenants


@colours
def test_what_is_no_tenant_keeps_no_other_waiting(three: tuple[ExtLink, Dying], everywhere: Everywhere) -> None:
    """A name with a slip in it, of any kind, is named; whatever walks over more than a thousand is walked."""
    names: list[Any] = ["~host", "", 7, "a\udcff", *(f"nobody-{number}" for number in range(1_000)), *TENANTS]
    statement = everywhere(three[1], iter(names))

    assert statement
    assert 61 == statement.purges.toll.ended
    codes = [code for _, code in statement.refused]
    assert (4, 1_001, 1) == tuple(map(codes.count, ("invalid_input", "tenant.not_open", "service.unknown")))


@pytest.mark.parametrize(
    "trouble",
    [InvalidInput("keys", "too many"), Refused(Reason("tenant.incomplete", {"tenant": "acme"})), Contention("x")],
)
def test_trouble_that_is_no_answer_is_no_proof(
    three: tuple[ExtLink, Dying], monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    """Whatever keeps a tenant's links from being ended, the statement is false; the other tenants are ended."""
    hub, _ = three
    carry_out = hub.carry_out

    def troubled(operation: Any, call: Any) -> Any:
        if (call.tenant, operation.name) == ("acme", "services.purge"):
            raise trouble
        return carry_out(operation, call)

    monkeypatch.setattr(hub, "carry_out", troubled)
    statement = stop_everywhere(hub, TENANTS, SERVICE, "a breach")

    assert not statement
    assert ["acme"] == [tenant for tenant, _ in statement.damaged]
    assert (1, 0) == (statement.purges.tenants, statement.remaining)


@pytest.mark.parametrize("tenants", ["", b"acme", 7, None])
def test_malformed_tenants_stop_nothing(three: tuple[ExtLink, Dying], tenants: object) -> None:
    """They are refused before anything is done."""
    hub, store = three
    before = len(store._tenants)
    with pytest.raises(InvalidInput):
        stop_everywhere(hub, tenants, SERVICE, "a breach")  # type: ignore[arg-type]

    assert before == len(store._tenants)
    assert 0 == hub.host().run(services.purges(SERVICE)).tenants


def test_a_misspelt_service_is_refused() -> None:
    """In one tenant at once; of all tenants each is named with it."""
    host, _ = many(0)
    with pytest.raises(Refused, match=r"service\.unknown"):
        stop(host.admin, "power-automat", "a leak")

    found = stop_everywhere(host.hub, ["acme"], "power-automat", "a leak")
    assert (("acme", "service.unknown"),) == found.refused
    # Nothing is left of it anywhere, and that proves nothing.
    assert (0, False) == (found.remaining, bool(found))
    assert not stop_everywhere(host.hub, [], SERVICE, "a leak")


@pytest.mark.parametrize("tenant", [AsyncExtLink.in_memory().tenant("acme"), ExtLink.in_memory(), None, "acme"])
def test_what_cannot_be_stopped_from_here_is_refused_before_it_seems_so(tenant: Any) -> None:
    """The tenant of an asynchronous host above all: nobody would have awaited its stop."""
    with pytest.raises(
        InvalidInput, match=r"^tenant: expected Tenant, got .* for the other colour there is stop_async"
    ):
        stop(tenant, SERVICE, "a leak")


@pytest.mark.parametrize("hub", [AsyncExtLink.in_memory(), ExtLink.in_memory().tenant("acme"), None])
def test_what_is_no_hub_is_refused_before_it_seems_stopped(hub: Any) -> None:
    """The same for all tenants."""
    with pytest.raises(InvalidInput, match=r"^hub: expected ExtLink, got .* there is stop_everywhere_async"):
        stop_everywhere(hub, ["acme"], SERVICE, "a leak")


def test_asyncio_takes_no_synchronous_host() -> None:
    """Its operations would be done before anybody awaits them, and what they raise come from elsewhere."""
    hub: Any = ExtLink.in_memory()
    with pytest.raises(InvalidInput, match=r"^tenant: expected AsyncTenant, got Tenant; .* there is stop$"):
        _ = stop_async(hub.tenant("acme"), SERVICE, "a leak")
    with pytest.raises(InvalidInput, match=r"^hub: expected AsyncExtLink, got ExtLink; .* there is stop_everywhere$"):
        _ = stop_everywhere_async(hub, ["acme"], SERVICE, "a leak")
