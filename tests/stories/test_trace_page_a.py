"""The page for administrators, sentence by sentence: each test is a row of the trace and does what "seen by" says."""

from __future__ import annotations

import inspect
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from extlink import (
    access,
    catalog,
    datagroups,
    feeds,
    grants,
    ledger,
    links,
    networks,
    services,
    triggers,
    users,
)
from extlink.catalog.connectors import (
    DROPBOX,
    EXCEL,
    GOOGLE_CALENDAR,
    KINTONE,
    OUTLOOK,
    SHAREPOINT,
    SLACK as SLACK_CONNECTOR,
)
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.edition import EDITIONS, Edition
from extlink.domain.instant import to_datetime
from extlink.domain.messages import words
from extlink.domain.secret import Secret
from extlink.domain.subscription import Subscription
from tests.people import POWER, READ, SLACK, WRITE, World, codes, refused, world

HANGOUTS: Final = "google-hangouts-chat"
EVERY_EDITION: Final[tuple[Edition, ...]] = ("JP", "US", "CN")
ROOT: Final = Path(__file__).resolve().parents[2]
AZURE: Final = "20.37.194.1"


def flow(made: World, *connectors: str, scope: str = WRITE, address: str | None = AZURE) -> tuple[str, ...]:
    """Return why a flow between kintone and other connectors may not run; nothing if it may."""
    trigger, action = connectors
    return codes(
        made.tenant.run(
            access.check_flow(POWER, user="sato", trigger=trigger, action=action, scope=scope, address=address)
        )
    )


@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_a1_the_catalogue_lists_three_services(edition: Edition) -> None:
    """A1: Power Automate, Slack and Google Hangouts Chat can be registered and are listed, in every edition."""
    made = world(edition=edition, enable=())

    listed = [one.service.names.ja for one in made.run(services.registered())]

    assert ["Microsoft Power Automate", "Slack", "Google Hangouts Chat"] == listed


@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_a2_users_are_permitted(edition: Edition) -> None:
    """A2: enable, allow sato: `access.check` allows sato, and suzuki is refused with `grant.missing`."""
    made = world(edition=edition)
    made.allow("sato", "suzuki")
    sato, suzuki = made.connect("sato"), made.connect("suzuki")
    made.run(grants.withdraw(POWER, users=["suzuki"], existing="suspend"))

    assert made.check(sato)
    assert ("grant.missing",) == codes(made.check(suzuki)) == made.explain("suzuki")


def test_a3_oauth_is_used() -> None:
    """A3: the code flow from the consent page to a token, refreshed and revoked, without any HTTP."""
    made = world()
    made.allow("sato")
    tokens = made.refreshed(made.connect("sato"))
    made.user("sato").run(links.revoke(tokens.link))

    assert ["link.authorized", "token.issued", "token.refreshed", "link.revoked_by_user"] == [
        event for event in made.events() if event.startswith(("link.", "token."))
    ]


PASSWORDS: Final = ("password", "passwd", "login_name", "login", "pin", "credentials")


def test_a4_no_login_name_or_password_is_asked_for() -> None:
    """A4, T13: no public operation has an argument for one, and every secret it gives is a `Secret`."""
    modules = (access, datagroups, grants, ledger, links, networks, services, triggers, users)
    asked = {
        f"{module.__name__}.{name}({argument})"
        for module in modules
        for name in module.__all__
        if callable(made := getattr(module, name)) and not inspect.isclass(made)
        for argument in inspect.signature(made).parameters
    }
    made = world()
    made.allow("sato")
    consent = made.ask("sato")
    accepted = made.agree("sato", consent)
    tokens = made.connect("sato")

    assert [] == [one for one in asked if any(f"({word}" in one for word in PASSWORDS)]
    for secret in (consent.token, accepted.code, tokens.access_token, tokens.refresh_token):
        assert isinstance(secret, Secret)
        assert secret.reveal() not in repr((consent, accepted, tokens))


@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_a5_hangouts_chat_cannot_be_used(edition: Edition) -> None:
    """A5: listed, `service.unavailable`, nobody can remedy it, and `enable` is refused; no grant helps."""
    made = world(edition=edition, enable=())
    made.run(grants.allow(HANGOUTS, everyone=True))
    with refused("service.unavailable", service=HANGOUTS):
        made.run(services.enable(HANGOUTS))

    decision = made.run(access.explain(HANGOUTS, user="sato", network="not_applicable"))

    assert HANGOUTS in [one.service.id for one in made.run(services.registered())]
    assert "service.unavailable" == decision.reasons[0].code
    assert "nobody" == decision.reasons[0].remedy.who
    assert "連携の提供を停止しています" in decision.reasons[0].text("ja")


@pytest.mark.parametrize("connector", [SHAREPOINT, DROPBOX, SLACK_CONNECTOR, OUTLOOK, EXCEL])
def test_a6_a7_power_automate_links_many_services(connector: str) -> None:
    """A6, A7: a flow of kintone and each named service is evaluated, and refused where a policy parts the two."""
    made = world()
    made.allow("sato")
    made.connect("sato")
    assert () == flow(made, connector, KINTONE)

    made.run(datagroups.set_policy(DataPolicy(id="apart", business={KINTONE}, non_business={connector})))
    assert ("datagroup.mixed",) == flow(made, connector, KINTONE)


def test_a8_data_goes_both_ways() -> None:
    """A8: read operations serve kintone -> service, write ones the other way; a link with one is refused the other."""
    made = world()
    made.allow("sato", "ito")
    reading, writing = made.connect("sato", scopes=READ), made.connect("ito", scopes=WRITE)

    for tokens, right, wrong in ((reading, READ, WRITE), (writing, WRITE, READ)):
        assert made.check(tokens, scope=right)
        assert ("scope.not_covered",) == codes(made.check(tokens, scope=wrong))


def test_a9_a_mail_notifies_kintone() -> None:
    """A9: flow {Outlook, kintone} with `k:app_record:write`; each gate is broken in test_examples."""
    made = world()
    made.allow("sato")
    made.connect("sato")

    assert () == flow(made, OUTLOOK, KINTONE, scope=WRITE)


def test_a10_a_record_becomes_an_event() -> None:
    """A10: a trigger registered over the link; flow {kintone, Google Calendar} with `k:app_record:read`."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato", scopes=READ)
    one = made.tenant.run(
        triggers.subscribe(
            tokens.access_token, trigger="record_added", connectors=[KINTONE, GOOGLE_CALENDAR], address=AZURE
        )
    )
    assert isinstance(one, Subscription)
    assert () == flow(made, KINTONE, GOOGLE_CALENDAR, scope=READ)
    assert ["record_added"] == [found.trigger for found in made.user("sato").run(triggers.listed(tokens.link))]


@pytest.mark.parametrize("edition", ["JP", "US"])
def test_a11_a_restricted_domain_refuses_as_it_is(edition: Edition) -> None:
    """A11: restriction on, the service's addresses not allowed: `network.address_not_allowed`, and who may help."""
    made = world(edition=edition)
    made.allow("sato")
    tokens = made.connect("sato")
    made.run(networks.restrict(["203.0.113.0/24"]))

    (reason,) = made.check(tokens, address=AZURE).reasons

    assert ("network.address_not_allowed", "access_administrator") == (reason.code, reason.remedy.who)


def test_a11_in_china_the_customer_cannot_set_it() -> None:
    """A11, T1: the restriction exists in CN, and no page tells a customer how to set it."""
    with refused("network.not_self_service", edition="CN"):
        world(edition="CN").run(networks.restrict(["203.0.113.0/24"]))


def test_a12_to_a16_the_published_addresses_are_allowed() -> None:
    """A12: with the ranges of the vendor's file the call passes, and the evidence names file and row; others do not."""
    tags = feeds.read_service_tags((ROOT / "docs/examples/ServiceTags_example.json").read_bytes())
    rows = feeds.rows_of(tags, "AzureConnectors")
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    made.run(networks.restrict(["203.0.113.0/24"]))
    published = rows[0].text.partition("/")[0]
    assert not made.check(tokens, address=published)

    made.run(networks.add([row for row in rows if row.range.version == 4]))

    (row,) = made.check(tokens, address=published).gate("network").reasons
    assert ("network.row", rows[0].text, rows[0].source) == (row.code, row.params["row"], row.params["source"])
    assert ("network.address_not_allowed",) == codes(made.check(tokens, address="8.8.8.8"))


@pytest.mark.parametrize(("edition", "pages"), [("JP", 1), ("US", 1), ("CN", 0)])
def test_a17_where_the_restriction_is_set(edition: Edition, pages: int) -> None:
    """A17: the registered service links the edition's page; CN has none (T1)."""
    made = world(edition=edition)
    (service,) = [one.service for one in made.run(services.registered()) if one.service.id == POWER]

    found = service.documents("ip_restriction", edition)

    assert pages == len(found)
    assert all(link.url.startswith(EDITIONS[edition].help_site) for link in found)


def test_a18_one_data_group() -> None:
    """A18: kintone and Slack in two groups of one policy: refused, and the policy is named."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    made.run(datagroups.set_policy(DataPolicy(id="Contoso", business={KINTONE}, non_business={SLACK_CONNECTOR})))

    decision = made.tenant.run(
        access.check(tokens.access_token, scope=READ, address=AZURE, connectors=[KINTONE, SLACK_CONNECTOR])
    )

    (reason,) = decision.reasons
    assert ("datagroup.mixed", "Contoso", "service_administrator") == (
        reason.code,
        reason.params["policy"],
        reason.remedy.who,
    )
    assert ((KINTONE,), (SLACK_CONNECTOR,)) == (reason.params["business"], reason.params["non_business"])


def test_a19_the_document_on_data_groups() -> None:
    """A19: the registered service carries the link to the vendor's page."""
    (service,) = [one.service for one in world().run(services.registered()) if one.service.id == POWER]

    assert ["データグループのすべて"] == [link.title.ja for link in service.documents("data_group", "JP")]


def test_a20_to_a22_what_slack_is_for() -> None:
    """A20 to A22: a chat service that tells the user who becomes the assignee, said in three languages."""
    (service,) = [one.service for one in world().run(services.registered()) if one.service.id == SLACK]

    assert "チャットサービス" in service.descriptions.ja
    assert "direct message" in service.descriptions.en
    assert service.trigger("assignee_changed") is not None
    assert {"outbound"} == service.directions


@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_a23_to_a31_step_1(edition: Edition) -> None:
    """A23, A31: registering, enabling, choosing users and saving is all; then a chosen user can connect."""
    made = world(edition=edition, register=[catalog.POWER_AUTOMATE], enable=())
    assert ("service.not_enabled", "grant.missing") == made.explain("sato")

    made.run(services.enable(POWER))
    page = made.run(grants.candidates(POWER, search="佐藤"))
    made.run(grants.edit(POWER, version=page.version, add=[one.member.id for one in page.candidates]))

    assert ("grant.user",) == made.explain("sato")
    assert made.check(made.connect("sato"))


@pytest.mark.parametrize("service", [POWER, SLACK])
def test_a24_the_same_operations_for_every_service(service: str) -> None:
    """A24: the page explains with Power Automate; Slack is enabled and permitted the same way."""
    made = world(enable=())
    made.run(services.enable(service))
    made.run(grants.edit(service, version=0, add=["sato"]))

    assert made.may("sato", service=service)
    made.run(services.disable(service))
    assert ("service.disabled",) == made.explain("sato", service=service)


@pytest.mark.parametrize(
    ("edition", "console", "product"),
    [
        ("JP", "cybozu.com共通管理", "kintone"),
        ("US", "Kintone共通管理", "Kintone"),
        ("CN", "cybozu.cn共通管理", "kintone"),
    ],
)
def test_a25_the_console_has_a_name_in_each_edition(edition: Edition, console: str, product: str) -> None:
    """A25, T10: the page's title and the product's spelling are data of the tenant's edition."""
    profile = EDITIONS[edition]

    assert (console, product) == (profile.console.ja, profile.product)
    assert f"{product}を使う" == profile.spell("kintoneを使う")


def test_a26_a27_a30_the_words_on_the_page() -> None:
    """A26, A27, A30: menu, switch, button and save are said as on the page."""
    keys = ("ui.external_integration", "ui.enabled", "ui.set_permitted_users", "ui.save")

    assert ["外部連携", "有効", "連携利用ユーザーの設定", "保存"] == [words(key, "ja") for key in keys]


def test_a27_enabling_is_recorded() -> None:
    """A27: the switch permits nobody yet (T6), and the ledger has `enable integration` by the administrator."""
    made = world(enable=())
    made.run(services.enable(POWER))
    made.run(services.enable(POWER))

    (entry,) = made.entries("service.enabled")
    assert ("admin", "enable integration", "System Administration") == (
        entry.user,
        entry.kind.action,
        entry.kind.module,
    )
    assert ("grant.missing",) == made.explain("sato")


def test_a28_ticking_users() -> None:
    """A28: check boxes; a save is the difference of what was ticked and unticked."""
    made = world()
    made.allow("sato", "ito")
    page = made.run(grants.candidates(POWER))
    boxes = {one.member.id: one.ticked for one in page.candidates}

    made.run(grants.edit(POWER, version=page.version, add=["suzuki"], remove=["ito"]))

    assert {"sato", "ito"} == {user for user, ticked in boxes.items() if ticked}
    assert [True, True, False] == [made.may(user) for user in ("sato", "suzuki", "ito")]


def test_a29_narrowing_the_list() -> None:
    """A29: by organization, direct or with sub-organizations, or by the user search; the save drops nobody unseen."""
    made = world()
    made.allow("guest")
    by_organization = made.run(grants.candidates(POWER, organization="sales"))
    by_search = made.run(grants.candidates(POWER, search="ｻﾄｳ"))
    made.run(grants.edit(POWER, version=by_search.version, add=["sato"]))

    assert ["sato", "suzuki", "kimura"] == [one.member.id for one in by_organization.candidates]
    assert ["sato"] == [one.member.id for one in by_search.candidates]
    assert made.may("guest")


def test_a30_saving() -> None:
    """A30: one commit, one entry, with the names of those added and removed."""
    made = world()
    made.allow("ito")
    commits, entries = made.storage.commits, len(made.entries())

    made.run(grants.edit(POWER, version=1, add=["sato", "suzuki"], remove=["ito"]))

    assert (commits + 1, entries + 1) == (made.storage.commits, len(made.entries()))
    details = made.entries("grant.changed")[-1].details
    assert ["sato", "suzuki"] == _named(details["added"])
    assert ["ito"] == _named(details["removed"])


def _named(subjects: object) -> list[str]:
    assert isinstance(subjects, dict)
    return list(subjects["users"])


@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_a32_a36_what_comes_after_step_1(edition: Edition) -> None:
    """A32 to A36: the registered services carry the app-side steps and the edition's pages for them."""
    made = world(edition=edition)
    counts = {
        one.service.id: len(one.service.documents("app_side", edition)) for one in made.run(services.registered())
    }

    assert {POWER: 2 if edition == "JP" else 1, SLACK: 1, HANGOUTS: 0} == counts
    for one in made.run(services.registered())[:2]:
        stages = [step.stage for step in one.service.steps_in(edition)]
        assert sorted(stages, key=["before", "step1", "step2"].index) == stages


@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_a31_a32_readiness_shows_step_2_as_not_yet_until_step_1_is_done(edition: Edition) -> None:
    """A31, A32, A17, A33: STEP 1 is green once it is saved; STEP 2 waits for it, and links the edition's pages."""
    made = world(edition=edition, register=[catalog.POWER_AUTOMATE], enable=())
    waiting = made.run(access.readiness(POWER)).item("step:app-side")
    made.run(services.enable(POWER))
    made.run(grants.edit(POWER, version=0, add=["sato"]))
    found = made.run(access.readiness(POWER))
    step_1 = [item.state for item in found.items if item.name in {"available", "registered", "enabled", "users"}]
    network = found.item("network")

    assert waiting is not None
    assert ("unknown", "enabled", 2 if edition == "JP" else 1) == (waiting.state, waiting.waits, len(waiting.links))
    assert ["done"] * 4 == step_1
    assert network is not None
    pages = [link.url for link in network.links if link.kind == "ip_restriction"]
    assert [page for page in [EDITIONS[edition].ip_page] if page] == pages


@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_a37_a38_on_the_user_edit_screen(edition: Edition) -> None:
    """A37, A38: a common administrator sees a user's services in use; others do not (T11)."""
    made = world(edition=edition)
    made.allow("sato", "ito")
    made.connect("sato")

    (use,) = made.run(links.of("sato"))

    assert (POWER, "in_use") == (use.service.id, use.state)
    assert ["sato"] == [user.user for user in made.run(links.users_of(POWER)).users]
    with refused("actor.not_permitted"):
        made.tenant.acting_as("ito", roles={"access_administrator"}).run(links.of("sato"))


def test_a39_in_the_account_settings() -> None:
    """A39: users confirm and end what they use themselves."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    sato = made.user("sato")
    assert ["in_use"] == [use.state for use in sato.run(links.of("sato"))]

    sato.run(links.revoke(tokens.link))

    assert ["unused"] == [use.state for use in sato.run(links.of("sato"))]
    assert ("link.revoked",) == codes(made.check(tokens))


@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_a40_the_page_for_users(edition: Edition) -> None:
    """A40: both services link the edition's page on confirming and ending."""
    for one in world(edition=edition).run(services.registered())[:2]:
        (link,) = one.service.documents("account_page", edition)
        assert f"{EDITIONS[edition].help_site}/general/ja/user/list_personal/cooperation.html" == link.url


def test_a_grant_ends_with_its_date() -> None:
    """F2, T14, beside the page: permitted until the end of a project."""
    made = world()
    until = to_datetime(made.clock.now()) + timedelta(days=30)
    made.run(grants.allow(POWER, organizations=["tech"], until=until))
    tokens = made.connect("tanaka")
    made.clock.advance(30 * 86_400)

    assert ("grant.over", "token.expired") == codes(made.check(tokens))
