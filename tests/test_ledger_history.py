"""What concerned one service, user or link: who changed what, and when."""

from __future__ import annotations

from typing import Any

import pytest

from extlink import catalog, clients, datagroups, grants, ledger, networks, services, triggers, users
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.event import VOCABULARY
from extlink.domain.subscription import Subscription
from extlink.errors import InvalidInput, Refused
from extlink.ledger_entries import NO_CHANGES
from extlink.ledger_history import _COMPONENTS, _FOR_ALL
from tests.hosts import REDIRECT, SERVICE, Host, refusal
from tests.test_images import IMAGED
from tests.test_records import KINDS


def told(host: Host, **about: Any) -> list[str]:
    """Return the names of what happened to something."""
    return [entry.event for entry in host.admin.run(ledger.history(**about)).entries]


def test_who_changed_what_concerning_a_service() -> None:
    """In order, with who did it and when; another service's changes are not in it."""
    host = Host.prepared()
    host.admin.run(services.register(catalog.SLACK))
    host.clock.advance(60)
    host.admin.run(services.disable(SERVICE))

    page = host.admin.run(ledger.history(service=SERVICE))

    assert ["tenant.opened", "service.registered", "service.enabled", "grant.changed", "service.disabled"] == [
        entry.event for entry in page.entries
    ]
    last = page.entries[-1]
    assert ("admin-1", host.clock.now(), None) == (last.user, last.at, page.next)
    assert "2020-06-09T00:01:00+00:00" == last.when.isoformat()
    assert (
        "2020-06-09T00:01:00+00:00 admin-1: disable integration "
        "(before=enabled, existing=suspend, service=power-automate)"
    ) == last.line


def test_what_the_host_did_and_long_details_are_read_as_well() -> None:
    """Nobody in person opened the tenant; a detail that nobody would read to its end is cut."""
    host = Host.prepared()

    first, *_, granted = host.admin.run(ledger.history(service=SERVICE)).entries

    assert first.line.endswith(' the host: open domain (edition=JP, products=["kintone"])')
    assert "added=" in granted.line
    assert "..." in granted.line
    assert len(granted.line) < 300


def test_what_was_changed_for_all_concerns_each() -> None:
    """The restriction, the data policies and the default decide about every service and everybody."""
    host = Host.prepared()
    count = host.position()
    host.admin.run(networks.restrict(["203.0.113.0/24"]))
    host.admin.run(datagroups.set_policy(DataPolicy(id="standard", business={"shared_kintone"})))
    host.admin.run(services.set_default("allow"))
    host.admin.run(services.set_dormancy(SERVICE, days=9))
    for_all = ["network.changed", "datagroup.changed", "default.changed"]

    assert [*for_all, "tenant.setting_changed"] == told(host, service=SERVICE, after=count)
    assert for_all == told(host, service="slack", after=count)
    assert for_all == told(host, user="sato", after=count)


def test_what_concerned_a_user() -> None:
    """By name, whatever the service; a grant to an organization concerns the service."""
    host = Host.prepared()
    count = host.position()
    host.admin.run(grants.allow(SERVICE, users=["sato", "suzuki"]))
    host.admin.run(grants.allow(SERVICE, organizations=["dev"]))
    host.user("guest-1").run(grants.ask(SERVICE))
    host.connect("sato")
    host.admin.run(users.suspend("sato"))
    host.admin.run(users.suspend("suzuki"))

    assert ["grant.changed", "link.authorized", "token.issued", "user.suspended"] == told(
        host, user="sato", after=count
    )
    assert ["request.made"] == told(host, user="guest-1", after=count)
    assert ["grant.changed", "user.suspended"] == told(host, user="suzuki", after=count)


def test_what_happened_to_a_link() -> None:
    """Its own life, its triggers, and the link that took its place; refused calls changed nothing."""
    host = Host.prepared()
    count = host.position()
    first = host.connect()
    added = host.tenant.run(triggers.subscribe(first.access_token, trigger="record_added"))
    assert isinstance(added, Subscription)
    assert not host.check(first.access_token, scope="k:file:read")
    host.connect()
    host.connect("suzuki")

    # The tokens that were issued last are those of the other link: that commit ended this one.
    assert ["link.authorized", "token.issued", "subscription.added", "token.issued", "link.revoked"] == told(
        host, link=first.link, after=count
    )


def test_a_client_of_a_service_concerns_it() -> None:
    """What an administrator set for its OAuth client."""
    host = Host.prepared()
    count = host.position()
    host.admin.run(clients.register(clients.ClientProfile(service=SERVICE, name="Flows", redirect_uris=[REDIRECT])))

    assert ["client.added"] == told(host, service=SERVICE, after=count)
    assert [] == told(host, service="slack", after=count)


def test_pages_follow_each_other() -> None:
    """The cursor is the number of the last entry looked at; the last page has none."""
    host = Host.prepared()
    numbers: list[int] = []
    after: int | None = 0
    while after is not None:
        page = host.admin.run(ledger.history(service=SERVICE, after=after, limit=3))
        numbers += [entry.number for entry in page.entries]
        after = page.next

    assert [1, 2, 3, 4] == numbers
    assert None is host.admin.run(ledger.history(service=SERVICE, limit=4)).next
    assert 3 == host.admin.run(ledger.history(service=SERVICE, limit=3)).next


def test_one_run_looks_through_so_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page may be empty and still have a next one: nobody waits for a whole ledger."""
    monkeypatch.setattr("extlink.ledger_history._MAX_PAGE", 2)
    monkeypatch.setattr("extlink.ledger_history._SCANNED", 4)
    host = Host.prepared()
    host.admin.run(services.disable(SERVICE))

    page = host.admin.run(ledger.history(link="AAAAAAAAAAAAAAAAAAAAAA", limit=2))

    assert (["tenant.opened"], 4) == ([entry.event for entry in page.entries], page.next)
    assert ledger.EntryPage((), None) == host.admin.run(ledger.history(link="A", after=4, limit=2))


def test_the_hosts_own_word_is_in_its_own_ledger() -> None:
    """A quarantine everywhere, asked of the host."""
    host = Host.prepared()
    host.root.run(services.quarantine_everywhere(SERVICE, "a breach"))

    page = host.root.run(ledger.history(service=SERVICE))

    assert ["service.quarantined"] == [entry.event for entry in page.entries]


def test_only_administrators_look_back() -> None:
    """The ledger tells of everybody."""
    host = Host.prepared()

    assert "actor.not_permitted" == refusal(host.user(), ledger.history(user="sato")).code
    with pytest.raises(Refused, match=r"tenant\.not_open"):
        host.hub.tenant("nobody").acting_as("a", roles={"host"}).run(ledger.history(user="sato"))


@pytest.mark.parametrize(
    "about", [{}, {"service": "slack", "user": "sato"}, {"user": "a", "link": "b", "service": "c"}]
)
def test_exactly_one_thing_is_asked_about(about: dict[str, Any]) -> None:
    """Nothing, or several at once, is a mistake of the caller."""
    with pytest.raises(InvalidInput, match="expected a service, a user or a link, exactly one"):
        ledger.history(**about)


def test_the_tables_know_the_vocabulary() -> None:
    """Events and kinds of records are those there are."""
    unnamed = {"t", "k", "rv", "c"}

    assert _FOR_ALL | NO_CHANGES <= VOCABULARY.keys()
    assert {KINDS[name].name for name in IMAGED} | {"x"} == _COMPONENTS.keys() | unnamed
