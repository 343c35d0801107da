"""Opening tenants, and the check of the host's keys: what happens before anything else (DESIGN 1 and 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from extlink import InMemoryDirectory, access, catalog, ledger, links, services, tenants
from extlink.adapters.memory import MemoryStorage
from extlink.domain.identifier import TenantId
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.domain.tenant import HOST, Tenant
from extlink.domain.token import KeyRing
from extlink.domain.token_ledger import TokenSet
from extlink.errors import InvalidInput, Misconfigured, Refused
from extlink.ports import Batch, Page, Query, Version, Write
from extlink.records import tenant_key
from extlink.runtime import ExtLink
from tests.fakes import NOW, CountingEntropy, FrozenClock
from tests.hosts import ACME, CLIENT, REDIRECT, SCOPES, VERIFIER, Host, another_hub, codes, people, refusal
from tests.many_links import write

ONE, OTHER = Secret("11" * 32), Secret("22" * 32)


def hub(store: MemoryStorage, seed: int, current: str = "k1", **keys: Secret) -> ExtLink:
    """Return a hub over a store with a key ring."""
    return ExtLink(
        store,
        keys=KeyRing(keys, current=current),
        directory=people(),
        clock=FrozenClock(),
        entropy=CountingEntropy(seed),
    )


def opened(one: ExtLink) -> Tenant:
    """Open a tenant and return its facts."""
    return (
        one.open_tenant("acme", edition="JP", products=["kintone"])
        .acting_as("admin-1", roles={"common_administrator"})
        .run(services.set_default("deny"))
    )


def test_a_tenant_is_opened_with_edition_and_products() -> None:
    """It denies what nobody configured, demands no flows, and its first entry says so."""
    host = Host.make(edition="CN", products=["kintone", "garoon"])
    entry = host.entries()[0]

    assert Tenant(id=ACME, edition="CN", products=frozenset({"kintone", "garoon"})) == host.admin.run(
        services.set_default("deny")
    )
    assert ("tenant.opened", "tenants.open", None) == (entry.event, entry.operation, entry.user)
    assert {"edition": "CN", "products": ["garoon", "kintone"]} == entry.details


def test_opening_again_alike_changes_nothing() -> None:
    """A host may open a tenant at every start; what was set since stays."""
    host = Host.prepared()
    host.admin.run(services.set_default("allow"))
    before = host.dump()
    again = host.hub.open_tenant("acme", edition="JP", products=("kintone", "kintone"))

    assert before == host.dump()
    assert "acme" == again.id
    assert "allow" == host.admin.run(services.set_default("allow")).unconfigured_services


@pytest.mark.parametrize(
    ("edition", "products"),
    [("US", ["kintone"]), ("JP", ["kintone", "garoon"]), ("JP", [])],
    ids=["us", "more", "none"],
)
def test_opening_again_otherwise_is_refused(edition: str, products: list[str]) -> None:
    """Another edition or other products are no change that opening makes."""
    host = Host.make()
    before = host.dump()

    with pytest.raises(Refused) as caught:
        host.hub.open_tenant("acme", edition=edition, products=products)
    assert Reason("tenant.opened_differently", {"tenant": "acme"}) == caught.value.reason
    assert before == host.dump()


def test_what_a_broken_removal_left_is_not_opened() -> None:
    """With the tenant's own record gone and its links still there, opening it anew would let them live again."""
    host = Host.prepared()
    tokens = host.connect()
    write(host.store, Write(tenant_key(TenantId(ACME)).key, None))
    before = host.dump()

    with pytest.raises(Refused) as caught:
        host.hub.open_tenant("acme", edition="JP", products={"kintone"})
    assert Reason("tenant.incomplete", {"tenant": "acme"}) == caught.value.reason
    assert before == host.dump()
    with pytest.raises(Refused, match=r"tenant\.not_open"):
        host.tenant.run(access.check(tokens.access_token, scope=SCOPES[0], address="203.0.113.7"))


def test_a_ledger_without_records_is_not_gone_on_with() -> None:
    """A removal that broke off near its end has left entries alone: no new tenant's ledger begins after them."""
    host = Host.prepared()
    store = MemoryStorage()
    store.commit(Batch(tenant=b"acme", id=Version(7), guards=(), writes=(), entries=(b"{}",), at=NOW))
    hub = another_hub(store, host.directory, host.clock)

    with pytest.raises(Refused, match=r"tenant\.incomplete"):
        hub.open_tenant("acme", edition="JP", products={"kintone"})


def test_an_opening_that_does_not_look_revives_links() -> None:
    """The broken twin: whoever writes the tenant's record over what is left lets the old tokens in again."""
    host = Host.prepared()
    tokens = host.connect()
    record = tenant_key(TenantId(ACME))
    opened = Tenant(id=TenantId(ACME), edition="JP", products=frozenset({"kintone"}))
    write(host.store, Write(record.key, None))
    write(host.store, Write(record.key, record.kind.encode(opened, NOW)))

    assert host.other_process().run(access.check(tokens.access_token, scope=SCOPES[0], address="203.0.113.7"))


class _OpenedMeanwhile(MemoryStorage):
    """A store in which another process opens the tenant between two calls of this one."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] | None = None

    def list(self, query: Query) -> Page:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().list(query)


def test_two_processes_open_a_tenant_at_once() -> None:
    """What the other one has just written is no remains: both have the same tenant."""
    store, directory, clock = _OpenedMeanwhile(), InMemoryDirectory(), FrozenClock()
    hubs = [another_hub(store, directory, clock) for _ in range(2)]

    def open_it(hub: ExtLink) -> str:
        return hub.open_tenant("acme", edition="JP", products={"kintone"}).id

    store.meanwhile = lambda: open_it(hubs[1])

    assert "acme" == open_it(hubs[0])
    host = hubs[0].tenant("acme").acting_as("operations", roles={"host"})
    assert ["tenant.opened"] == [entry.event for entry in host.run(ledger.entries()).entries]


def test_tenants_know_nothing_of_each_other() -> None:
    """What is registered in one is unknown in the other."""
    host = Host.prepared()
    host.hub.open_tenant("other", edition="US", products=["kintone"])
    other = host.hub.tenant("other").acting_as("admin-1", roles={"common_administrator"})

    assert () == other.run(services.registered())
    assert ["tenant.opened"] == [entry.event for entry in other.run(ledger.entries()).entries]


@pytest.mark.parametrize(
    ("edition", "products", "problem"),
    [
        ("jp", ["kintone"], "edition: expected one of JP, US, CN"),
        (None, ["kintone"], "edition: expected one of JP, US, CN"),
        ("US", ["garoon"], "products: expected some of kintone in edition US"),
        ("JP", ["office"], "products: expected some of garoon, kintone in edition JP"),
        ("JP", "kintone", "products: expected a list"),
        ("JP", None, "products: expected a list"),
    ],
    ids=["case", "none", "not sold", "unknown", "text", "no list"],
)
def test_editions_and_products_are_known_words(edition: object, products: object, problem: str) -> None:
    """A product that the edition does not have cannot be opened, by either way (S12, TRACE T10)."""
    with pytest.raises(InvalidInput, match=problem):
        tenants.open_tenant(edition=edition, products=products)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=problem):
        Host.make().hub.open_tenant("new", edition=edition, products=products)  # type: ignore[arg-type]


def test_nobody_but_the_host_opens_a_tenant() -> None:
    """An administrator of a tenant that is not open is told just that, and nothing is written."""
    host = Host.make()
    before = host.dump()
    operation = tenants.open_tenant(edition="JP", products=["kintone"])

    assert (
        "tenant.not_open"
        == refusal(host.hub.tenant("new").acting_as("admin-1", roles={"common_administrator"}), operation).code
    )
    assert before == host.dump()


def test_the_host_itself_is_no_tenant() -> None:
    """Its name cannot be opened: its records are about every tenant at once."""
    host = Host.make()
    before = host.dump()

    with pytest.raises(InvalidInput, match="tenant: expected a customer's id"):
        host.root.run(tenants.open_tenant(edition="JP", products=["kintone"]))
    with pytest.raises(InvalidInput, match="which stands for the host itself"):
        host.hub.open_tenant(HOST, edition="JP", products=["kintone"])
    assert before == host.dump()
    registering = host.root.acting_as("ops", roles={"common_administrator"})
    assert "tenant.not_open" == refusal(registering, services.register(catalog.SLACK)).code


def test_the_first_start_remembers_the_keys() -> None:
    """Their check values lie under the host itself; the entry names their ids alone."""
    store = MemoryStorage()
    one = hub(store, 1, k1=ONE)
    opened(one)
    entry = one.host().run(ledger.entries()).entries[0]

    assert ("keys.registered", {"ids": ["k1"]}) == (entry.event, entry.details)
    assert ((('["k"]'), ["k1"]),) == entry.records


def test_the_same_keys_are_no_change() -> None:
    """A second start with the same keys writes nothing."""
    store = MemoryStorage()
    opened(hub(store, 1, k1=ONE))
    one = hub(store, 2, k1=ONE)
    opened(one)

    assert 1 == len(one.host().run(ledger.entries()).entries)


def test_a_new_key_is_remembered_beside_the_old() -> None:
    """Keys rotate by adding one; the entry names the new one alone, and the old may be left out later."""
    store = MemoryStorage()
    opened(hub(store, 1, k1=ONE))
    one = hub(store, 2, current="k2", k1=ONE, k2=OTHER)
    opened(one)
    opened(hub(store, 3, current="k2", k2=OTHER))

    assert [["k1"], ["k2"]] == [entry.details["ids"] for entry in one.host().run(ledger.entries()).entries]


def test_another_key_under_a_known_id_refuses_to_start() -> None:
    """Going on would make every link look forged: nothing is done, and the message says what to do."""
    store = MemoryStorage()
    opened(hub(store, 1, k1=ONE))

    with pytest.raises(Misconfigured, match="key k1 is not the one this store was made with; configure the right key"):
        opened(hub(store, 2, k1=OTHER))
    with pytest.raises(Misconfigured):
        opened(hub(store, 3, current="k2", k1=OTHER, k2=ONE))
    assert "22" * 4 not in str(store.__dict__)


def test_keys_are_the_hosts_business() -> None:
    """In a tenant nothing is written, whoever asks; on the host itself it takes the host's role."""
    host = Host.make()
    before = host.dump()
    operation = tenants.check_keys({"k9": "00ff"})

    with pytest.raises(InvalidInput, match=r"tenant: expected the host itself; run it on hub.host\(\)"):
        host.tenant.acting_as("ops", roles={"host"}).run(operation)
    with pytest.raises(InvalidInput):
        host.hub.tenant("never-opened").acting_as("ops", roles={"host"}).run(operation)
    assert before == host.dump()
    assert "actor.not_permitted" == refusal(host.root.acting_as("mallory"), operation).code


CHECKS: Mapping[str, object] = {
    "none": None,
    "a list": ["k1"],
    "a number for an id": {1: "00"},
    "bytes for a check": {"k1": b"00"},
    "half a letter": {"k1": "\ud800"},
    "too long": {"k1": "0" * 256},
}


@pytest.mark.parametrize("name", CHECKS)
def test_check_values_are_texts_by_ids(name: str) -> None:
    """Anything else is refused when the operation is made."""
    with pytest.raises(InvalidInput, match="checks: expected"):
        tenants.check_keys(CHECKS[name])  # type: ignore[arg-type]


def test_a_check_value_outside_ascii_is_just_another_one() -> None:
    """Comparing in constant time works on bytes, so that no text is an error of its own."""
    host = Host.make()
    host.root.run(tenants.check_keys({"k9": "鍵"}))
    host.root.run(tenants.check_keys({"k9": "鍵"}))

    with pytest.raises(Misconfigured):
        host.root.run(tenants.check_keys({"k9": "00"}))


# Everything at once


def test_every_link_of_a_tenant_ends_by_one_record() -> None:
    """After a restore from a backup nothing goes on: access tokens, refresh tokens and codes alike, for good."""
    host = Host.prepared()
    tokens, code = host.connect(), host.accept("suzuki").code
    (before, _), operations = host.dump(), host.tenant.acting_as("operations", roles={"host"})
    changed = operations.run(tenants.end_links("restored from the backup of 1 June"))
    after, _ = host.dump()
    entry = host.entries()[-1]

    assert 1 == changed.epoch
    assert ("tenant.links_ended", {"cause": "restored from the backup of 1 June", "epoch": 1}) == (
        entry.event,
        entry.details,
    )
    assert 1 == len([key for key, value in after.items() if before.get(key) != value])
    assert ("link.ended",) == codes(host.check(tokens.access_token))
    refreshed = host.tenant.run(links.refresh(tokens.refresh_token, client=CLIENT))
    redeemed = host.tenant.run(links.redeem(code, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER))
    assert not isinstance(refreshed, TokenSet)
    assert not isinstance(redeemed, TokenSet)
    again = host.connect()
    assert host.check(again.access_token)
    host.admin.run(tenants.end_links("a leak"))
    assert not host.check(again.access_token)


def test_ending_all_links_needs_an_open_tenant_and_a_cause() -> None:
    """A tenant that nobody opened has none, and the ledger keeps why."""
    host = Host.make()
    stranger = host.hub.tenant("another").acting_as("operations", roles={"host"})

    assert Reason("tenant.not_open", {"tenant": "another"}) == refusal(stranger, tenants.end_links("a leak"))
    assert "actor.not_permitted" == refusal(host.user(), tenants.end_links("a leak")).code
    with pytest.raises(InvalidInput, match="cause"):
        tenants.end_links(None)  # type: ignore[arg-type]
