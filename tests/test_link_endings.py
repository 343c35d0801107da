"""Links that end with the change that tightens a rule: one record and one entry more, and who may ask for it (F11)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from extlink import catalog, datagroups, grants, networks, services
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.localized import LocalizedText
from extlink.domain.reason import Reason
from extlink.domain.tenant import Role
from extlink.errors import Refused
from extlink.operation import Operation
from tests.hosts import SERVICE, Host, codes, refusal

ROWS = ["203.0.113.0/24"]
INSIDE = "203.0.113.7"
RENAMED = attrs.evolve(catalog.POWER_AUTOMATE, names=LocalizedText.same("Flow"))
POLICY = DataPolicy(id="standard", business={"shared_kintone"})

OF_THE_TENANT: dict[str, tuple[Operation[Any], str]] = {
    "restrict": (networks.restrict(ROWS, existing="revoke"), "network.changed"),
    "deny_all": (networks.deny_all(existing="revoke"), "network.changed"),
    "set_policy": (datagroups.set_policy(POLICY, existing="revoke"), "datagroup.changed"),
    "set_unblockable": (datagroups.set_unblockable([], existing="revoke"), "tenant.setting_changed"),
    "require": (datagroups.require_flow_connectors(True, existing="revoke"), "tenant.setting_changed"),
}


@pytest.mark.parametrize("what", sorted(OF_THE_TENANT))
def test_every_link_of_the_tenant_ends_by_one_record(what: str) -> None:
    """The rule and the end are one commit; the second entry tells why, and no link is written."""
    operation, cause = OF_THE_TENANT[what]
    host = Host.prepared()
    tokens, other = host.connect(), host.connect("tanaka")
    position, links_before = host.position(), _links(host)
    host.admin.run(operation)

    changed, ended = host.entries(position)
    assert (cause, "revoke") == (changed.event, changed.details["existing"])
    assert ("tenant.links_ended", {"cause": cause, "epoch": 1}) == (ended.event, ended.details)
    assert links_before == _links(host)
    for one in (tokens, other):
        assert "link.ended" in codes(host.check(one.access_token, address=INSIDE))


def _links(host: Host) -> dict[tuple[bytes, bytes], bytes | None]:
    return {place: value for place, value in host.dump()[0].items() if place[1].startswith(b"l")}


@pytest.mark.parametrize("what", ["pin", "unpin", "register"])
def test_every_link_to_the_service_ends_by_one_record(what: str) -> None:
    """And those to other services go on."""
    host = Host.prepared()
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(services.enable("slack"))
    host.admin.run(grants.allow("slack", users=["sato"]))
    if what == "unpin":
        host.admin.run(networks.pin(SERVICE, ROWS, applies="links"))
    mine, other = host.connect(), host.connect(service="slack", scopes=["chat:write"])
    position, links_before = host.position(), _links(host)
    operations: dict[str, Operation[Any]] = {
        "pin": networks.pin(SERVICE, ROWS, existing="revoke"),
        "unpin": networks.unpin(SERVICE, existing="revoke"),
        "register": services.register(RENAMED, existing="revoke"),
    }
    host.admin.run(operations[what])

    changed, *more = host.entries(position)
    assert "revoke" == changed.details["existing"]
    told = {"user": None, "service": SERVICE, "link": None, "cause": changed.event}
    assert ([] if what == "register" else [("link.revoked_by_administrator", told)]) == [
        (one.event, one.details) for one in more
    ]
    assert links_before == _links(host)
    assert ("link.ended",) == codes(host.check(mine.access_token, address=INSIDE))
    assert host.check(other.access_token, "chat:write").allowed


UNCHANGED: tuple[Operation[Any], ...] = (
    networks.restrict(ROWS, existing="revoke"),
    networks.pin(SERVICE, ROWS, applies="links", existing="revoke"),
    datagroups.set_policy(POLICY, existing="revoke"),
    datagroups.require_flow_connectors(False, existing="revoke"),
    services.register(catalog.POWER_AUTOMATE, existing="revoke"),
    services.set_default("deny", existing="revoke"),
    networks.unpin("slack", existing="revoke"),
)


@pytest.mark.parametrize("operation", UNCHANGED, ids=lambda one: one.name)
def test_where_nothing_changes_nothing_ends(operation: Operation[Any]) -> None:
    """A host that says the same at every start ends links once."""
    host = Host.prepared()
    for before in (
        networks.restrict(ROWS),
        networks.pin(SERVICE, ROWS, applies="links"),
        datagroups.set_policy(POLICY),
    ):
        host.admin.run(before)
    tokens, records = host.connect(), host.dump()
    host.admin.run(operation)

    assert records == host.dump()
    assert host.check(tokens.access_token, address=INSIDE).allowed


def test_no_longer_to_require_flows_ends_nothing() -> None:
    """The word is for where it tightens."""
    host = Host.prepared()
    host.admin.run(datagroups.require_flow_connectors(True))
    tokens = host.connect()
    host.admin.run(datagroups.require_flow_connectors(False, existing="revoke"))

    assert host.check(tokens.access_token).allowed


def test_ranges_of_a_service_that_is_gone_are_forgotten() -> None:
    """Nobody has links to it, so there is nothing to end."""
    host = Host.prepared()
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(networks.pin("slack", ROWS))
    host.admin.run(services.unregister("slack"))
    host.admin.run(networks.unpin("slack", existing="revoke"))

    assert "network.unpinned" == host.events()[-1]


@pytest.mark.parametrize(
    ("operation", "denied"),
    [
        (networks.restrict(ROWS, existing="revoke"), "tenants.end_links"),
        (networks.deny_all(existing="revoke"), "tenants.end_links"),
        (networks.remove(ROWS, existing="revoke"), "tenants.end_links"),
        (networks.pin(SERVICE, ROWS, existing="revoke"), "links.revoke_all"),
        (networks.unpin(SERVICE, existing="revoke"), "links.revoke_all"),
    ],
    ids=lambda one: one.name if isinstance(one, Operation) else "",
)
def test_who_sets_network_rules_need_not_end_links(operation: Operation[Any], denied: str) -> None:
    """An access administrator may change the rule and keep links, and not end those of other people with it."""
    host = Host.prepared()
    host.admin.run(networks.add([*ROWS, "198.51.100.0/24"]))
    tokens, records = host.connect(), host.dump()[0]
    access = host.tenant.acting_as("boss", roles={"access_administrator"})
    roles = ("common_administrator", "host")

    assert Reason("actor.not_permitted", {"operation": denied, "roles": roles}) == refusal(access, operation)
    assert (records, "operation.denied") == (host.dump()[0], host.events()[-1])
    assert host.check(tokens.access_token).allowed
    milder = attrs.evolve(operation, arguments={**operation.arguments, "existing": "keep"})
    access.run(milder)
    assert "link.ended" not in codes(host.check(tokens.access_token))


@pytest.mark.parametrize("role", ["common_administrator", "host"])
def test_who_may_end_links_may_do_so_with_a_rule(role: Role) -> None:
    """The common administrator, and the host."""
    host = Host.prepared()
    tokens = host.connect()
    host.tenant.acting_as("boss", roles={role}).run(networks.deny_all(existing="revoke"))

    assert "link.ended" in codes(host.check(tokens.access_token))


# --- The default for services that nobody configured ---------------------------------------------------------------


def by_default() -> Host:
    """Return a host where Power Automate is used by the default, and Slack was switched on."""
    host = Host.make()
    for service in (catalog.POWER_AUTOMATE, catalog.SLACK):
        host.admin.run(services.register(service))
        host.admin.run(grants.allow(service.id, everyone=True))
    host.admin.run(services.enable("slack"))
    host.admin.run(services.set_default("allow"))
    return host


def test_the_default_ends_links_of_those_services_alone() -> None:
    """Those that were switched on go on; the entry names the others."""
    host = by_default()
    mine, other = host.connect(), host.connect(service="slack", scopes=["chat:write"])
    host.admin.run(services.set_default("deny", existing="revoke"))

    entry = host.entries()[-1]
    assert {"before": "allow", "after": "deny", "existing": "revoke", "ended": [SERVICE]} == entry.details
    assert host.check(other.access_token, "chat:write").allowed
    host.admin.run(services.set_default("allow"))
    assert ("link.ended",) == codes(host.check(mine.access_token))


def test_allowing_by_default_ends_nothing() -> None:
    """Whatever was said of links."""
    host = by_default()
    host.admin.run(services.set_default("deny"))
    host.admin.run(services.set_default("allow", existing="revoke"))
    tokens = host.connect()
    host.admin.run(services.set_default("deny"))
    host.admin.run(services.set_default("allow", existing="revoke"))

    assert host.check(tokens.access_token).allowed


def test_the_default_ends_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 300 services it is refused, and nothing is changed."""
    host = by_default()
    monkeypatch.setattr(services, "_MAX_ENDED", 0)
    records = host.dump()
    with pytest.raises(Refused) as caught:
        host.admin.run(services.set_default("deny", existing="revoke"))

    assert Reason("save.too_large", {"count": "1", "limit": "0"}) == caught.value.reason
    assert records == host.dump()


# --- Grants whose reach narrows, and organizations that go ---------------------------------------------------------


@pytest.mark.parametrize(
    ("existing", "now", "later"),
    [
        ("revoke", ("grant.missing", "link.ended"), ("link.ended",)),
        ("suspend", ("grant.missing",), ()),
        ("keep", (), ()),
    ],
)
def test_a_narrower_reach_says_what_becomes_of_links(
    existing: Any, now: tuple[str, ...], later: tuple[str, ...]
) -> None:
    """Of those whom it leaves out; who is still reached is not concerned."""
    host = Host.prepared()
    left, reached = host.connect("suzuki"), host.connect("sato")
    host.admin.run(grants.allow(SERVICE, organizations=["sales"], scope="direct", existing=existing))

    assert now == codes(host.check(left.access_token))
    assert host.check(reached.access_token).allowed
    host.admin.run(grants.allow(SERVICE, organizations=["sales"], scope="subtree"))
    assert later == codes(host.check(left.access_token))
    assert host.check(reached.access_token).allowed
    host.admin.run(grants.withdraw(SERVICE, organizations=["sales"]))
    assert ("grant.missing", "link.ended") == codes(host.check(reached.access_token))


@pytest.mark.parametrize(("existing", "later"), [("revoke", ("link.ended",)), ("suspend", ())])
def test_an_organization_that_goes_says_what_becomes_of_links(existing: Any, later: tuple[str, ...]) -> None:
    """With `suspend` they wait for another grant."""
    host = Host.prepared()
    tokens = host.connect("suzuki")
    gone = grants.organization_removed(SERVICE, "sales", former_members=["sato", "suzuki"], existing=existing)
    host.admin.run(gone)

    assert not host.check(tokens.access_token).allowed
    host.admin.run(grants.allow(SERVICE, users=["suzuki"]))
    assert later == codes(host.check(tokens.access_token))
