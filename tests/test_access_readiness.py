"""The checklist of a service through a store: items in order, who and why, people and links found in pages (S9, N3)."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import cast

import attrs
import pytest

from extlink import (
    InMemoryDirectory,
    access,
    catalog,
    clients,
    datagroups,
    feeds,
    grants,
    links,
    networks,
    services,
    users,
)
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client_registration import ClientKey, ClientProfile
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.event import Detail
from extlink.domain.flow import Flow
from extlink.domain.identifier import UserId
from extlink.domain.localized import LocalizedText
from extlink.domain.messages import LANGUAGES
from extlink.domain.readiness import Action, Item, Readiness
from extlink.domain.service import Service
from extlink.errors import Contention, InvalidInput
from extlink.ports import Entries, Key, Page, Query, Stored, Version
from extlink.runtime import Tenant
from tests.fakes import NOW
from tests.hosts import ALL_ROLES, REDIRECT, SERVICE, Host, another_hub, refusal
from tests.oauth.keys import pem
from tests.operations import SERVICE_TAGS, Endpoint

# The same person, by each kind of grant.
GRANTED: Mapping[str, Mapping[str, object]] = {
    "users": {"users": ["ito", "sato"]},
    "organizations": {"organizations": ["dev"]},
    "groups": {"groups": ["leaders"]},
    "everyone": {"everyone": True},
}
ORDER = (
    "available",
    "registered",
    "enabled",
    "users",
    "network",
    "data_group",
    "step:data-group",
    "client",
    "step:app-side",
    "consent",
    "last_call",
)


def asked(host: Host, user: str | None = None, **more: object) -> Readiness:
    """Return the checklist for Power Automate, with the published file at hand."""
    arguments: Mapping[str, object] = {"service": SERVICE, "user": user, "ranges": [SERVICE_TAGS], **more}
    return host.admin.run(access.readiness(**arguments))  # type: ignore[arg-type]


def item(found: Readiness, name: str) -> Item:
    """Return a line that the checklist has."""
    line = found.item(name)
    assert line is not None, name
    return line


def told(found: Readiness) -> dict[str, tuple[str, str]]:
    """Return state and code of each line."""
    return {one.name: (one.state, one.reason.code) for one in found.items}


class TestOrder:
    """Which lines there are, and what waits for what."""

    def test_nothing_is_done_in_a_new_tenant(self) -> None:
        """All lines are there in order; each that is not done waits for the first that is missing."""
        found = Host.make().admin.run(access.readiness(catalog.POWER_AUTOMATE))

        assert ORDER == tuple(one.name for one in found.items)
        assert (False, False, "registered") == (found.would_pass, found.is_ready, found.next and found.next.name)
        assert {"registered"} == {one.waits for one in found.items[2:] if one.state != "done"}
        assert Action("services.register", {"service": SERVICE}) == item(found, "registered").remedy

    def test_of_an_unknown_service_little_is_known(self) -> None:
        """Without a definition nobody can say whether it is available, nor which steps it has."""
        found = told(Host.make().admin.run(access.readiness("nonsense")))

        assert ("unknown", "readiness.definition_unknown") == found["available"]
        assert ("missing", "service.unknown") == found["registered"]
        assert ("missing", "service.not_enabled") == found["enabled"]
        assert ("unknown", "readiness.ranges_unknown") == found["network"]
        assert "data_group" not in found

    def test_the_registered_definition_counts(self) -> None:
        """Whatever definition the question brings."""
        host = Host.prepared()
        another = attrs.evolve(catalog.POWER_AUTOMATE, steps=())

        assert "unknown" == item(host.admin.run(access.readiness(another)), "step:app-side").state

    def test_a_service_that_never_calls_needs_neither_addresses_nor_a_client(self) -> None:
        """Slack is called by the host: green without any published range."""
        host = Host.make()
        for operation in (
            services.register(catalog.SLACK),
            services.enable("slack"),
            grants.allow("slack", users=["sato"]),
        ):
            host.admin.run(operation)
        found = host.admin.run(access.readiness("slack"))

        assert {"network", "client"}.isdisjoint(told(found))
        assert found.would_pass
        assert ["step:same-email", "step:process-management", "step:app-notification"] == [
            one.name for one in found.items if one.name.startswith("step:")
        ]

    @pytest.mark.parametrize(("edition", "pages"), [("JP", (1, 2)), ("US", (1, 1)), ("CN", (0, 1))])
    def test_links_are_those_of_the_edition(self, edition: str, pages: tuple[int, int]) -> None:
        """The page of the IP restriction and those of STEP 2 (TRACE T10); CN has the step about its cloud."""
        found = asked(Host.prepared(edition=edition))
        kinds = [link.kind for link in item(found, "network").links]

        assert pages == (kinds.count("ip_restriction"), len(item(found, "step:app-side").links))
        assert (edition == "CN") == ("step:global-cloud" in told(found))

    def test_every_line_reads_well(self) -> None:
        """Title, reason and remedy are filled in three languages, spelt as the edition spells the product."""
        host = Host.prepared(edition="US")
        for found in (asked(host), asked(Host.make()), asked(host, "sato")):
            for line in found.items:
                for language in LANGUAGES:
                    texts = (line.title(language), line.reason.text(language), line.reason.remedy.text(language))
                    assert not any("[" in text.replace("[Config", "").replace("[Enab", "") for text in texts[:2]), texts
                    assert texts[0]
        assert "Kintone" in item(asked(host), "step:app-side").title("en")


class TestService:
    """The three lines of the service gate."""

    def test_an_unavailable_service_cannot_be_used(self) -> None:
        """Nobody can change that, and everything waits for it (TRACE T9)."""
        found = Host.make().admin.run(access.readiness(catalog.GOOGLE_HANGOUTS_CHAT))
        line = item(found, "available")

        assert ("cannot", "service.unavailable", "nobody") == (line.state, line.reason.code, line.who)
        assert None is found.next
        assert "available" == item(found, "registered").waits

    def test_a_product_can_be_had(self) -> None:
        """A tenant without it is told what is missing."""
        host = Host.make(products=["garoon"])
        line = item(host.admin.run(access.readiness(catalog.SLACK)), "available")

        assert ("missing", "service.product_missing", "common_administrator") == (
            line.state,
            line.reason.code,
            line.who,
        )

    def test_an_edition_cannot(self) -> None:
        """Worse than a missing product: it is told first."""
        text = LocalizedText.same("own")
        own = Service(
            id="own", names=text, descriptions=text, directions={"inbound"}, editions={"CN"}, products={"garoon"}
        )
        line = item(Host.make().admin.run(access.readiness(own)), "available")

        assert ("cannot", "service.not_in_edition") == (line.state, line.reason.code)

    def test_enabling_helps(self) -> None:
        """A service that nobody switched on, or that was switched off."""
        host = Host.prepared()
        host.admin.run(services.disable(SERVICE))
        off = item(asked(host), "enabled")
        host.admin.run(services.register(catalog.SLACK))
        new = item(host.admin.run(access.readiness("slack")), "enabled")

        assert (("missing", "service.disabled"), Action("services.enable", {"service": SERVICE})) == (
            (off.state, off.reason.code),
            off.remedy,
        )
        assert ("missing", "service.not_enabled") == (new.state, new.reason.code)

    def test_the_tenants_default_enables_too(self) -> None:
        """Where unconfigured services are allowed (F1)."""
        host = Host.make()
        host.admin.run(services.register(catalog.POWER_AUTOMATE))
        host.admin.run(services.set_default("allow"))

        assert ("done", "service.enabled_by_default") == told(asked(host))["enabled"]

    def test_a_quarantine_has_no_remedy(self) -> None:
        """Whether its cause is gone nobody here can know: not the tenant's own, not the host's."""
        host = Host.prepared()
        host.admin.run(services.quarantine(SERVICE, "a leak"))
        own = item(asked(host), "enabled")
        host.admin.run(services.release(SERVICE))
        host.admin.run(services.enable(SERVICE))
        host.root.run(services.quarantine_everywhere(SERVICE, "a breach"))
        hosts = item(asked(host), "enabled")

        assert [("missing", None, "common_administrator"), ("missing", None, "host")] == [
            (one.state, one.remedy, one.who) for one in (own, hosts)
        ]


class TestUsers:
    """Somebody permitted, or the one who is asked about."""

    def test_nobody_is_permitted_by_enabling(self) -> None:
        """TRACE T6: and a grant to suspended people alone permits nobody."""
        host = Host.make()
        host.admin.run(services.register(catalog.POWER_AUTOMATE))
        host.admin.run(services.enable(SERVICE))
        empty = item(asked(host), "users")
        host.admin.run(grants.allow(SERVICE, users=["ito"]))

        assert ("missing", "readiness.no_user") == (empty.state, empty.reason.code)
        assert Action("grants.allow", {"service": SERVICE}, ("users",)) == empty.remedy
        assert ("missing", "readiness.no_user") == told(asked(host))["users"]

    @pytest.mark.parametrize("subject", ["users", "organizations", "groups", "everyone"])
    def test_one_permitted_user_is_enough(self, subject: str) -> None:
        """By name, by organization, by group or as everybody; the grant is the evidence."""
        host = Host.make()
        host.admin.run(services.register(catalog.POWER_AUTOMATE))
        given: Mapping[str, object] = GRANTED[subject]
        host.admin.run(grants.allow(SERVICE, **given))  # type: ignore[arg-type]
        line = item(asked(host), "users")

        assert ("done", "sato", "grant.") == (line.state, line.evidence["user"], line.reason.code[:6])

    def test_an_exclusion_counts(self) -> None:
        """Somebody who is granted it and excluded is not permitted."""
        host = Host.make()
        host.admin.run(services.register(catalog.POWER_AUTOMATE))
        host.admin.run(grants.allow(SERVICE, users=["sato"]))
        host.admin.run(grants.exclude(SERVICE, organizations=["hq"], scope="subtree"))
        assert "missing" == item(asked(host), "users").state

        host.admin.run(grants.allow(SERVICE, users=["suzuki"], groups=["leaders"]))
        assert "missing" == item(asked(host), "users").state

    def test_without_the_product_nobody_can_use_anything(self) -> None:
        """A grant is not enough: each operation of Power Automate belongs to a product of the user's."""
        host = Host.make()
        host.directory.add_user("bare")
        host.admin.run(services.register(catalog.POWER_AUTOMATE))
        host.admin.run(grants.allow(SERVICE, users=["bare"]))
        one = item(asked(host, "bare"), "users")

        assert "missing" == item(asked(host), "users").state
        assert ("missing", "user.product_missing", None) == (one.state, one.reason.code, one.remedy)

    def test_a_service_without_operations_needs_no_product(self) -> None:
        """There is nothing that could belong to one."""
        host = Host.make()
        text = LocalizedText.same("own")
        own = Service(id="own", names=text, descriptions=text, directions={"inbound"})
        host.admin.run(services.register(own))
        host.admin.run(grants.allow("own", users=["sato"]))

        assert "done" == item(host.admin.run(access.readiness("own", user="sato")), "users").state

    @pytest.mark.parametrize(
        ("user", "code", "remedy"),
        [
            ("guest-1", "grant.missing", Action("grants.allow", {"service": SERVICE, "users": ("guest-1",)})),
            ("suzuki", "grant.excluded", Action("grants.include", {"service": SERVICE, "users": ("suzuki",)})),
            ("tanaka", "grant.excluded", None),
            ("ito", "user.suspended", None),
            ("nobody", "user.unknown", None),
        ],
    )
    def test_one_user_is_told_why(self, user: str, code: str, remedy: Action | None) -> None:
        """And what helps, where one operation does."""
        host = Host.prepared()
        host.admin.run(grants.exclude(SERVICE, users=["suzuki"], organizations=["dev"]))
        found = asked(host, user)
        line = item(found, "users")

        assert ("missing", code, remedy) == (line.state, line.reason.code, line.remedy)
        assert (user, False) == (found.user, found.would_pass)

    def test_a_directory_that_fails_is_unknown(self) -> None:
        """Nobody was found, and nobody is said to be missing."""
        host = Host.prepared()
        host.connect("sato")
        host.admin.run(grants.allow(SERVICE, everyone=True))
        silent = another_hub(host.store, Silent(), host.clock)
        admin = silent.tenant("acme").acting_as("admin-1", roles={"common_administrator"})

        for user in (None, "sato"):
            line = item(admin.run(access.readiness(SERVICE, user=user)), "users")
            assert ("unknown", "directory.unavailable", "host") == (line.state, line.reason.code, line.who)

    def test_what_a_directory_that_fails_would_have_decided_about_a_link_is_unknown(self) -> None:
        """A link that an exclusion of an organization may have ended is not said to be there, nor to be missing."""
        host = Host.prepared()
        host.connect("sato")
        silent = another_hub(host.store, Silent(), host.clock)
        admin = silent.tenant("acme").acting_as("admin-1", roles={"common_administrator"})

        assert ("done", "readiness.connected") == told(admin.run(access.readiness(SERVICE)))["consent"]
        host.admin.run(grants.exclude(SERVICE, organizations=["dev"]))
        for user in (None, "sato"):
            found = told(admin.run(access.readiness(SERVICE, user=user)))
            assert {("unknown", "directory.unavailable")} == {found["consent"], found["client"]}
        assert ("missing", "readiness.nobody_connected") == told(asked(host))["consent"]

    def test_somebody_whom_the_host_suspended_is_not_permitted(self) -> None:
        """Whatever the directory says; nor is somebody excluded by name."""
        host = Host.make()
        host.admin.run(services.register(catalog.POWER_AUTOMATE))
        host.admin.run(grants.allow(SERVICE, everyone=True))
        host.admin.run(grants.exclude(SERVICE, users=["tanaka"]))
        for user in ("sato", "suzuki", "guest-1", "admin-1"):
            host.admin.run(users.suspend(user))
        assert "missing" == item(asked(host), "users").state

        host.admin.run(users.resume("guest-1"))
        assert "guest-1" == item(asked(host), "users").evidence["user"]

    def test_an_empty_directory_has_nobody(self) -> None:
        """Everybody is permitted, and there is nobody."""
        host = Host.prepared()
        host.admin.run(grants.allow(SERVICE, everyone=True))
        empty = another_hub(host.store, InMemoryDirectory(), host.clock)
        admin = empty.tenant("acme").acting_as("admin-1", roles={"common_administrator"})

        assert "missing" == item(admin.run(access.readiness(SERVICE)), "users").state

    def test_people_are_looked_at_in_pages_until_one_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The last of very many is found; with the first of them nobody else is asked for."""
        monkeypatch.setattr("extlink.access_scans._PEOPLE", 40)
        host = Host.make()
        for number in range(100):
            host.directory.add_user(f"u{number}", products={"kintone"}, status="suspended", display_priority=number)
        host.directory.add_user("last", organizations=["partners"], products={"kintone"}, display_priority=1_000)
        host.admin.run(services.register(catalog.POWER_AUTOMATE))
        host.admin.run(grants.allow(SERVICE, users=[f"u{number}" for number in range(100)]))
        assert "missing" == item(asked(host), "users").state

        host.admin.run(grants.allow(SERVICE, organizations=["partners"]))
        host.directory.remove_user("guest-1")
        assert "last" == item(asked(host), "users").evidence["user"]

        host.directory.resume("u70")
        assert "u70" == item(asked(host), "users").evidence["user"]


class Silent(InMemoryDirectory):
    """A directory that does not answer."""

    def member(self, user: str) -> None:
        raise ConnectionError(user)

    def get(self, users: Sequence[str]) -> Sequence[object]:  # type: ignore[override]
        raise ConnectionError(users)

    def page(self, *_: object) -> object:  # type: ignore[override]
        raise ConnectionError


class TestNetwork:
    """What the files, the requirement and the pin come to; how it is judged is told elsewhere."""

    def test_the_requirement_is_looked_up_in_the_files(self) -> None:
        """As `networks.coverage` does; another one, or a region, where it is named."""
        host = Host.prepared()
        found = item(asked(host), "network")
        seed = item(asked(host, requirement="seed"), "network")

        assert ("done", "vendor-current", 16) == (
            found.state,
            *(found.evidence[one] for one in ("requirement", "needed")),
        )
        assert ("unknown", "network.data_missing") == (seed.state, seed.reason.code)
        assert "done" == item(asked(host, region="japan"), "network").state
        assert (
            "network.no_requirement" == refusal(host.admin, access.readiness(SERVICE, ranges=[], requirement="x")).code
        )

    def test_the_vendors_real_file(self, realdata: Path) -> None:
        """As many addresses and rows as `networks.plan` finds; applied, the plan makes the item green."""
        name = "ServiceTags_Public_cn342_2025-01-23.json.gz"
        data = gzip.decompress((realdata / "servicetags" / name).read_bytes())
        file = feeds.read_service_tags(data, published=date(2020, 6, 1))
        host = Host.prepared()
        host.admin.run(networks.restrict(["203.0.113.0/24"]))
        before = item(asked(host, ranges=[file]), "network")
        plan = host.admin.run(networks.plan(SERVICE, [file])).plan
        host.admin.run(networks.restrict(plan.after.rows))
        found = item(asked(host, ranges=[file]), "network")

        assert ("missing", "0/1") == (before.state, before.evidence["share"])
        assert ("done", "1/1", 8) == (found.state, found.evidence["share"], found.evidence["days"])
        assert before.evidence["needed"] == found.evidence["admitted"]
        others = cast("Mapping[str, int | None]", found.evidence["others"])
        assert None is others["seed"]
        assert (others["vendor-current-http"] or 0) > 0
        assert ["readiness.partly_inexpressible", "readiness.differs"] == [one.code for one in found.advice]

    def test_without_files_the_pinned_ranges_are_the_published_ones(self) -> None:
        """What a service is held to is what somebody knows of it; without any it is unknown."""
        host = Host.prepared()
        assert "unknown" == item(asked(host, ranges=None), "network").state

        host.admin.run(networks.pin(SERVICE, ["20.89.11.48/28"]))
        found = item(asked(host, ranges=None), "network")
        assert ("done", None, 16) == (found.state, found.evidence["requirement"], found.evidence["needed"])
        host.admin.run(networks.restrict(["203.0.113.0/24"]))
        assert "missing" == item(asked(host, ranges=None), "network").state

    def test_the_remedy_helps(self) -> None:
        """Run as it stands, it makes the item green."""
        host = Host.prepared()
        host.admin.run(networks.restrict(["203.0.113.0/24"]))
        remedy = item(asked(host), "network").remedy
        assert remedy is not None
        assert remedy == Action("networks.add", {"rows": ("20.89.11.48/28",)})
        host.admin.run(networks.add(cast("tuple[str, ...]", remedy.arguments["rows"])))

        assert asked(host).would_pass

    def test_a_requirement_needs_files(self) -> None:
        """It would be looked up in nothing; so would a region."""
        with pytest.raises(InvalidInput, match="ranges: expected the published files"):
            access.readiness(SERVICE, requirement="seed")
        with pytest.raises(InvalidInput, match="ranges: expected the published files"):
            access.readiness(SERVICE, region="japan")

    def test_files_are_files(self) -> None:
        """And not too many of them."""
        with pytest.raises(InvalidInput, match="ranges: expected a PublishedRanges, got str"):
            access.readiness(SERVICE, ranges=["20.89.11.48/28"])  # type: ignore[list-item]
        with pytest.raises(InvalidInput, match="ranges: expected at most 100 files, got 101"):
            access.readiness(SERVICE, ranges=[SERVICE_TAGS] * 101)


class TestDataGroup:
    """What is known here of the data policies."""

    def test_a_policy_that_blocks_the_service_is_told(self) -> None:
        """Its own connector alone is asked about, or the flow that shall run."""
        host = Host.prepared()
        host.admin.run(datagroups.set_policy(DataPolicy(id="p", business={"shared_kintone"})))
        fine, mixed = asked(host), asked(host, connectors=["shared_kintone", "shared_twitter"])
        flow = asked(host, connectors=Flow(["shared_kintone", "shared_twitter"]))
        host.admin.run(datagroups.set_policy(DataPolicy(id="p", blocked={"shared_kintone"})))

        assert ("done", "datagroup.same_group") == told(fine)["data_group"]
        assert ("missing", "datagroup.mixed") == told(mixed)["data_group"] == told(flow)["data_group"]
        line = item(mixed, "data_group")
        arguments: Mapping[str, Detail] = {"connectors": ("shared_kintone", "shared_twitter"), "service": SERVICE}
        assert Action("datagroups.remedy", arguments) == line.remedy == item(flow, "data_group").remedy
        assert ("service_administrator", False) == (line.who, mixed.would_pass)
        assert ("missing", "datagroup.blocked") == told(asked(host))["data_group"]

    def test_a_flow_that_nobody_knows_is_unknown(self) -> None:
        """Where the tenant demands to know it, of a service without a connector of its own."""
        host = Host.make()
        text = LocalizedText.same("own")
        host.admin.run(services.register(Service(id="own", names=text, descriptions=text, directions={"inbound"})))
        before = told(host.admin.run(access.readiness("own")))
        host.admin.run(datagroups.require_flow_connectors(True))
        after = told(host.admin.run(access.readiness("own")))

        assert "data_group" not in before
        assert ("unknown", "datagroup.flow_unknown") == after["data_group"]


class TestClient:
    """Somebody has to be able to authenticate."""

    def test_a_client_needs_a_redirect_uri_and_something_to_prove_itself_by(self) -> None:
        """None, a bare one, one without a good secret, and one that can be used."""
        host = Host.prepared()
        none = item(asked(host), "client")
        profile = ClientProfile(service=SERVICE, name="Power Automate")
        made = host.admin.run(clients.register(profile)).client
        bare = item(asked(host), "client")
        whole = attrs.evolve(profile, redirect_uris=[REDIRECT], methods=["client_secret_post", "private_key_jwt"])
        host.admin.run(clients.change(made.id, whole))
        good = item(asked(host), "client")
        host.admin.run(clients.remove_secret(made.id, secret_id=made.secrets[0].id))
        spent = item(asked(host), "client")
        host.admin.run(clients.set_keys(made.id, [ClientKey(id="k1", algorithm="ES256", pem=pem("ES256"))]))

        assert Action("clients.register", {"service": SERVICE}, ("profile",)) == none.remedy
        assert Action("clients.change", {"client": made.id}, ("profile",)) == bare.remedy
        assert Action("clients.add_secret", {"client": made.id}) == spent.remedy
        assert ["missing", "missing", "done", "missing"] == [one.state for one in (none, bare, good, spent)]
        assert "readiness.client_unusable" == bare.reason.code == spent.reason.code
        assert "done" == item(asked(host), "client").state

    def test_a_secret_that_ran_out_is_none(self) -> None:
        """The one that was drawn after it counts."""
        host = Host.prepared()
        made = host.admin.run(
            clients.register(ClientProfile(service=SERVICE, name="PA", redirect_uris=[REDIRECT]))
        ).client
        host.admin.run(clients.add_secret(made.id, others_expire_in=60))
        host.clock.advance(60)
        assert "done" == item(asked(host), "client").state

        kept = host.admin.run(clients.show(made.id)).secrets[-1]
        host.admin.run(clients.remove_secret(made.id, secret_id=kept.id))
        assert "missing" == item(asked(host), "client").state

    def test_a_client_of_the_hosts_own_is_seen_by_its_links(self) -> None:
        """It is registered nowhere; also for a user who is not connected."""
        host = Host.prepared()
        host.connect("sato")

        assert ("done", "readiness.client") == told(asked(host))["client"] == told(asked(host, "suzuki"))["client"]

    def test_clients_of_other_services_do_not_count(self) -> None:
        """Nor does one that was removed."""
        host = Host.prepared()
        host.admin.run(services.register(catalog.SLACK))
        host.admin.run(clients.register(ClientProfile(service="slack", name="S", redirect_uris=[REDIRECT])))
        gone = host.admin.run(clients.register(ClientProfile(service=SERVICE, name="PA", redirect_uris=[REDIRECT])))
        host.admin.run(clients.remove(gone.client.id))

        assert ("missing", "readiness.no_client") == told(asked(host))["client"]


class TestOutside:
    """Steps that extlink cannot see: confirmed, seen, or unknown (TRACE T8)."""

    def test_a_confirmed_step_names_who_and_when(self) -> None:
        """The other one stays unknown."""
        host = Host.prepared()
        host.admin.run(services.confirm(SERVICE, "app-side"))
        found = asked(host)
        line = item(found, "step:app-side")

        assert ("done", "app_administrator") == (line.state, line.who)
        assert {"confirmed_by": "admin-1", "at": NOW} == line.evidence
        assert "2020-06-09T00:00:00+00:00" in line.reason.text("en")
        other = item(found, "step:data-group")
        assert ("unknown", "service_administrator") == (other.state, other.who)
        assert Action("services.confirm", {"service": SERVICE, "step": "data-group"}) == other.remedy

    def test_a_call_shows_that_it_works(self) -> None:
        """Every step is seen then, and the last line is done; a refused call shows nothing."""
        host = Host.prepared()
        host.admin.run(networks.restrict(["20.89.11.48/28"]))
        token = host.connect().access_token
        host.check(token, address="203.0.113.9")
        before = told(asked(host))
        host.clock.advance(60)
        host.check(token, address="20.89.11.50")
        found = asked(host)

        assert ("unknown", "readiness.never_called") == before["last_call"]
        assert ("done", "readiness.seen") == told(found)["step:app-side"] == told(found)["step:data-group"]
        assert {"at": NOW + 60, "from": "20.89.11.50"} == item(found, "last_call").evidence

    def test_what_was_taken_back_is_shown_by_later_calls_alone(self) -> None:
        """A call before that moment proves nothing any more."""
        host = Host.prepared()
        token = host.connect().access_token
        host.check(token)
        host.admin.run(services.confirm(SERVICE, "app-side"))
        host.clock.advance(600)
        host.admin.run(services.unconfirm(SERVICE, "app-side"))
        taken_back = asked(host)
        host.clock.advance(600)
        host.check(token)

        assert ("unknown", "readiness.unconfirmed") == told(taken_back)["step:app-side"]
        assert ("done", "readiness.seen") == told(asked(host))["step:app-side"]


class TestConnected:
    """Somebody is connected, or the one who is asked about."""

    def test_another_users_link_is_not_ones_own(self) -> None:
        """Nor are another's calls."""
        host = Host.prepared()
        host.check(host.connect("sato").access_token)
        found = told(asked(host, "tanaka"))

        assert ("missing", "link.missing") == found["consent"]
        assert ("unknown", "readiness.never_called") == found["last_call"]
        assert ("done", "readiness.connected") == told(asked(host, "sato"))["consent"] == told(asked(host))["consent"]
        assert asked(host, "sato").item("last_call") == asked(host).item("last_call")

    def test_a_link_that_ended_is_none(self) -> None:
        """One's own is told with the reason; a code that nobody redeemed is none yet."""
        host = Host.prepared()
        host.connect("sato")
        host.accept("tanaka")
        host.admin.run(links.revoke_all(service=SERVICE))

        assert ("missing", "readiness.nobody_connected") == told(asked(host))["consent"]
        assert ("missing", "link.ended") == told(asked(host, "sato"))["consent"]
        assert ("missing", "link.not_redeemed") == told(asked(host, "tanaka"))["consent"]

    def test_a_suspended_users_link_is_not_counted(self) -> None:
        """Suspending ended it; the directory that does not know a person any more ends nothing by itself."""
        host = Host.prepared()
        host.connect("sato")
        host.admin.run(users.suspend("sato"))

        assert "missing" == item(asked(host), "consent").state

    def test_removed_clients_connect_nobody(self) -> None:
        """Their links look alive and are not: neither to anybody nor to their owner."""
        host = Host.prepared()
        made = Endpoint.make(host).registered.client
        before = [item(asked(host, user), "consent").state for user in (None, "tanaka")]
        host.admin.run(clients.remove(made.id))

        assert ["done", "done"] == before
        assert ("missing", "readiness.nobody_connected") == told(asked(host))["consent"]
        assert ("missing", "client.removed") == told(asked(host, "tanaka"))["consent"]

    def test_links_are_looked_at_in_pages(self) -> None:
        """The one that lives is found behind very many that ended; the permitted user stays known."""
        host = Host.make()
        host.admin.run(services.register(catalog.POWER_AUTOMATE))
        host.admin.run(services.enable(SERVICE))
        host.admin.run(grants.allow(SERVICE, everyone=True))
        names = [f"u{number:03}" for number in range(40)]
        for name in names:
            host.directory.add_user(name, products={"kintone"}, display_priority=1)
            host.connect(name)
        host.admin.run(links.revoke_all(service=SERVICE))
        host.check(host.connect("u039").access_token)
        found = asked(host)

        assert {"service": SERVICE, "user": "u039"} == item(found, "consent").reason.params
        assert "u000" == item(found, "users").evidence["user"]
        assert ("done", "readiness.called") == told(found)["last_call"]

    def test_of_too_many_ended_links_it_is_not_said_that_nobody_is_connected(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was not looked at is unknown."""
        host = Host.prepared()
        host.admin.run(grants.allow(SERVICE, everyone=True))
        for number in range(40):
            host.directory.add_user(f"u{number:03}", products={"kintone"})
            host.connect(f"u{number:03}")
        host.admin.run(links.revoke_all(service=SERVICE))
        monkeypatch.setattr("extlink.access_scans._MAX_CONNECTED", 32)

        assert ("unknown", "readiness.links_unseen") == told(asked(host))["consent"]


class Counting(MemoryStorage):
    """A store that counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = 0

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        self.keys += len(keys)
        return super().read(keys, known)


def test_a_large_directory_costs_no_more_than_the_first_page() -> None:
    """Where somebody on it is permitted; and no published address is looked at one by one."""
    store = Counting()
    host = Host.prepared(store=store)
    for number in range(2_000):
        host.directory.add_user(f"u{number}", products={"kintone"})
    host.admin.run(grants.allow(SERVICE, everyone=True))
    everything = feeds.read_service_tags(
        """{"changeNumber": 1, "cloud": "Public", "values": [{"name": "AzureConnectors", "properties":
        {"changeNumber": 53, "region": "", "addressPrefixes": ["20.0.0.0/6", "2603::/16"]}}]}"""
    )
    store.keys = 0

    assert asked(host, ranges=[everything]).would_pass
    assert store.keys < 200


def test_it_writes_nothing_and_only_administrators_ask() -> None:
    """A user is denied; the store is as it was after a question."""
    host = Host.prepared()
    before = host.dump()
    asked(host)

    assert before == host.dump()
    assert "actor.not_permitted" == refusal(host.user(), access.readiness(SERVICE)).code


def test_users_are_named_by_id() -> None:
    """As everywhere: a malformed id is refused where it is handed over."""
    with pytest.raises(InvalidInput, match="user"):
        access.readiness(SERVICE, user="")
    assert UserId("sato") == asked(Host.prepared(), "sato").user


class Moving(MemoryStorage):
    """A store in which something happens during the next looks at links: as often as said."""

    def __init__(self) -> None:
        super().__init__()
        self.happening: Callable[[], object] = lambda: None
        self.times = 0

    def list(self, query: Query) -> Page:
        page = super().list(query)
        if self.times and not isinstance(query, Entries) and query.prefix.startswith(b"x"):
            self.times -= 1
            self.happening()
        return page


def _moving() -> tuple[Host, Moving, Tenant]:
    store = Moving()
    host = Host.prepared(store=store)
    host.connect()
    other = another_hub(store, host.directory, host.clock).tenant("acme").acting_as("admin-2", roles=ALL_ROLES)
    return host, store, other


def test_a_checklist_is_of_one_tenant() -> None:
    """What is decided during the look is in all of the answer: the look is taken again."""
    host, store, other = _moving()
    store.happening, store.times = lambda: other.run(links.revoke_all(user="sato")), 1

    assert ("missing", "readiness.nobody_connected") == told(asked(host))["consent"]


def test_a_tenant_that_never_stands_still_is_not_guessed_at() -> None:
    """Three looks, then a plain error."""
    host, store, other = _moving()
    store.happening, store.times = lambda: other.run(users.suspend("ito", existing="revoke")), 3

    with pytest.raises(Contention, match="3 looks in a row"):
        asked(host)
