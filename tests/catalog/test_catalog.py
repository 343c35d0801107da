# Full-width punctuation is Japanese and Chinese.
"""The built-in catalogue against the two help pages, row by row of their trace, and the real published files."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from extlink.catalog import (
    BUILT_IN,
    EXAMPLE_FLOWS,
    GAROON_SCOPES,
    GOOGLE_HANGOUTS_CHAT,
    KINTONE_SCOPES,
    POWER_AUTOMATE,
    SLACK,
    connectors,
)
from extlink.domain.decision import Answer
from extlink.domain.edition import ALL_EDITIONS, EDITIONS, Edition
from extlink.domain.identifier import ServiceId, TenantId
from extlink.domain.reason import Reason
from extlink.domain.registry import RegisteredService, ServiceRegistry, ServiceState, unusable_definition
from extlink.domain.service import DocumentKind, ScopeDefinition, Service, from_fields, to_fields
from extlink.domain.tenant import Tenant

REMOVED_WORDS = ("password", "login_name", "loginname", "credential")


def tenant(edition: Edition, *products: str) -> Tenant:
    """Return a tenant of an edition with some products."""
    return Tenant(id=TenantId("acme"), edition=edition, products=frozenset(products))


def urls(service: Service, kind: DocumentKind, edition: Edition) -> list[str]:
    """Return the addresses an edition shows."""
    return [link.url for link in service.documents(kind, edition)]


def test_a1_three_services_are_listed() -> None:
    """A1: Power Automate, Slack and Google Hangouts Chat, in this order, in every edition."""
    assert ["Microsoft Power Automate", "Slack", "Google Hangouts Chat"] == [item.names.ja for item in BUILT_IN]
    assert [] == [item.id for item in BUILT_IN if item.editions != ALL_EDITIONS]


def test_names_of_services_are_never_translated() -> None:
    """A name is the same in every language."""
    assert [] == [item.id for item in BUILT_IN if len(set(item.names.texts)) != 1]


@pytest.mark.parametrize("edition", sorted(ALL_EDITIONS))
def test_a5_hangouts_chat_cannot_be_used(edition: Edition) -> None:
    """A5: listed, but refused with the cause even where it was enabled, and nobody can do anything about it."""
    service = ServiceId("google-hangouts-chat")
    registered = RegisteredService(GOOGLE_HANGOUTS_CHAT, ServiceState.ENABLED)
    registry = ServiceRegistry(tenant(edition, "kintone"), {service: registered})

    answer, notes = registry.finding(service)

    assert Answer.REFUSED == answer
    assert ["service.unavailable"] == [code for code, _ in notes]
    assert "nobody" == Reason(*notes[0]).remedy.who
    assert Reason(*notes[0]).remedy.text("ja").startswith("対処方法はありません。")
    assert not registry.is_usable(service)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ja", "google-hangouts-chatとの連携は、現在使用できません（連携の提供を停止しています）。"),
        ("en", "google-hangouts-chat is currently unavailable (the integration is not being offered)."),
        ("zh", "目前无法与google-hangouts-chat联动（已停止提供该联动）。"),
    ],
)
def test_a5_the_cause_is_said_in_the_readers_language(language: str, expected: str) -> None:
    """The cause of the definition is a reason's parameter in all three languages."""
    reason = Reason(
        "service.unavailable",
        {"service": GOOGLE_HANGOUTS_CHAT.id, "cause": GOOGLE_HANGOUTS_CHAT.availability.cause.texts},
    )

    assert expected == reason.text(language)


def test_a6_power_automate_is_described() -> None:
    """A6: what it combines is named in all three languages."""
    for text in POWER_AUTOMATE.descriptions.texts:
        assert [] == [name for name in ("kintone", "SharePoint", "Dropbox", "Slack", "Excel") if name not in text]


def test_a6_the_connectors_exist(realdata: Path) -> None:
    """A6: kintone, SharePoint, Dropbox, Slack, mail, Excel (and Google Calendar) have ids of real data policies."""
    real = (realdata / "dlp" / "scubagear_dlp_policies.json").read_text(encoding="utf-8")
    named = {name: getattr(connectors, name) for name in connectors.__all__}

    assert 8 == len(set(named.values()))
    assert ["KINTONE"] == [name for name, value in named.items() if f'/apis/{value}"' not in real]
    assert connectors.KINTONE == POWER_AUTOMATE.connector


def test_a8_both_directions_have_their_scopes() -> None:
    """A8: read carries the host's data to the service, write the service's data to the host."""
    assert {"read", "write"} == {scope.direction for scope in KINTONE_SCOPES}
    assert [] == [
        scope.name
        for scope in (*KINTONE_SCOPES, *GAROON_SCOPES)
        if (scope.direction == "read") is not scope.name.endswith(":read")
    ]


def test_a9_a10_the_two_examples_are_values() -> None:
    """A9, A10: a mail writes a record; an added record is read for the calendar (TRACE T3)."""
    mail, calendar = EXAMPLE_FLOWS

    assert (connectors.OUTLOOK, connectors.KINTONE, "k:app_record:write", "write", None) == (
        mail.trigger_connector,
        mail.action_connector,
        mail.scope,
        mail.direction,
        mail.trigger,
    )
    assert (connectors.KINTONE, connectors.GOOGLE_CALENDAR, "k:app_record:read", "read", "record_added") == (
        calendar.trigger_connector,
        calendar.action_connector,
        calendar.scope,
        calendar.direction,
        calendar.trigger,
    )
    assert frozenset({"shared_kintone", "shared_googlecalendar"}) == calendar.connectors


def test_an_example_fits_the_definition() -> None:
    """Scope, direction and trigger of each example are those of Power Automate's definition."""
    for flow in EXAMPLE_FLOWS:
        scope = POWER_AUTOMATE.scope(flow.scope)
        assert scope is not None
        assert flow.direction == scope.direction
        if flow.trigger is not None:
            trigger = POWER_AUTOMATE.trigger(flow.trigger)
            assert trigger is not None
            assert flow.scope == trigger.scope


def test_a13_to_a16_the_vendors_documents_are_linked() -> None:
    """A13-A16: the three documents of the page, and what replaced the third."""
    for edition in EDITIONS:
        found = urls(POWER_AUTOMATE, "addresses", edition)
        assert 4 == len(found)
        assert found[0].endswith("/flow/limits-and-config#ip-address-configuration")
        assert "8548a211-3fe7-47cb-abb1-355ea5aa88a2" in found[1]
        assert ["details.aspx?id=41653", "details.aspx?id=56519"] == [url.rpartition("/")[2] for url in found[2:]]


@pytest.mark.parametrize(("edition", "count"), [("JP", 1), ("US", 1), ("CN", 0)])
def test_a17_the_page_of_the_ip_restriction_is_linked(edition: Edition, count: int) -> None:
    """A17: where to set it in the common administration; CN has no page (TRACE T1)."""
    found = urls(POWER_AUTOMATE, "ip_restriction", edition)

    assert count == len(found)
    assert [url for url in [EDITIONS[edition].ip_page] if url is not None] == found


def test_a19_the_document_on_data_groups_is_linked() -> None:
    """A19: in every edition, by the step that tells to use one data group."""
    for edition in EDITIONS:
        assert 1 == len(urls(POWER_AUTOMATE, "data_group", edition))
    assert ["data-group"] == [step.id for step in POWER_AUTOMATE.steps if "data_group" in step.documents]


def test_a20_a21_slack_is_described() -> None:
    """A20, A21: a chat service that tells the assignee of a record by direct message."""
    assert "チャットサービスです。" in SLACK.descriptions.ja
    assert "作業者" in SLACK.descriptions.ja
    assert "ダイレクトメッセージ" in SLACK.descriptions.ja
    assert "direct message" in SLACK.descriptions.en
    assert "私信" in SLACK.descriptions.zh
    assert {"outbound"} == SLACK.directions
    assert SLACK.trigger("assignee_changed") is not None


@pytest.mark.parametrize(
    ("edition", "expected"),
    [
        (
            "JP",
            [
                "https://jp.cybozu.help/k/ja/user/oauth/msflow.html",
                "https://developer.cybozu.io/hc/ja/articles/115005486166",
            ],
        ),
        ("US", ["https://get.kintone.help/k/ja/user/oauth/msflow.html"]),
        ("CN", ["https://help.cybozu.cn/k/ja/user/oauth/msflow.html"]),
    ],
)
def test_a34_a35_step_2_of_power_automate(edition: Edition, expected: list[str]) -> None:
    """A34, A35: two pages in JP, one in US and CN."""
    assert expected == urls(POWER_AUTOMATE, "app_side", edition)


@pytest.mark.parametrize("edition", sorted(ALL_EDITIONS))
def test_a36_step_2_of_slack(edition: Edition) -> None:
    """A36: one page in every edition, on the edition's own help site."""
    assert [f"{EDITIONS[edition].help_site}/k/ja/user/oauth/slack_integration.html"] == urls(SLACK, "app_side", edition)


@pytest.mark.parametrize("service", [POWER_AUTOMATE, SLACK], ids=lambda service: service.id)
@pytest.mark.parametrize("edition", sorted(ALL_EDITIONS))
def test_a40_the_users_page_is_linked(service: Service, edition: Edition) -> None:
    """A40: how users confirm and end their services."""
    assert [f"{EDITIONS[edition].help_site}/general/ja/user/list_personal/cooperation.html"] == urls(
        service, "account_page", edition
    )


@pytest.mark.parametrize(
    ("edition", "expected"),
    [
        ("JP", ["https://developer.cybozu.io/hc/ja/articles/360000361506-help"]),
        ("US", ["https://www.kintone.com/ms-power-automate-things-to-know/"]),
        ("CN", []),
    ],
)
def test_a41_see_also(edition: Edition, expected: list[str]) -> None:
    """A41: the eleven things to know in JP and US, nothing in CN."""
    assert expected == urls(POWER_AUTOMATE, "see_also", edition)
    assert [] == urls(SLACK, "see_also", edition)


@pytest.mark.parametrize(
    ("edition", "products", "usable"),
    [
        ("JP", ["kintone"], True),
        ("JP", ["garoon"], True),
        ("CN", ["garoon"], True),
        ("US", ["kintone"], True),
        ("JP", [], False),
    ],
)
def test_b2_kintone_or_garoon_is_needed(edition: Edition, products: list[str], usable: bool) -> None:
    """B2: external services are for those who use kintone or, in JP and CN, cloud Garoon."""
    notes = unusable_definition(POWER_AUTOMATE, tenant(edition, *products))

    assert ([] if usable else ["service.product_missing"]) == [code for code, _ in notes]


def test_b2_garoon_exists_in_jp_and_cn() -> None:
    """B2: the sentence is absent in the US."""
    assert ["JP", "CN"] == [name for name, profile in EDITIONS.items() if "garoon" in profile.products]


@pytest.mark.parametrize(("product", "scopes"), [("kintone", KINTONE_SCOPES), ("garoon", GAROON_SCOPES)])
def test_scopes_are_the_products(realdata: Path, product: str, scopes: tuple[ScopeDefinition, ...]) -> None:
    """Names and Japanese labels are, in their order, those of the product's developer site."""
    real = json.loads((realdata / "scopes" / "cybozu_scopes.json").read_text(encoding="utf-8"))

    assert list(real[product].items()) == [(scope.name, scope.labels.ja) for scope in scopes]
    assert {product} == {scope.product for scope in scopes}


def test_there_are_six_and_seventeen_scopes() -> None:
    """Power Automate offers all of them, kintone's first."""
    assert (6, 17) == (len(KINTONE_SCOPES), len(GAROON_SCOPES))
    assert (*KINTONE_SCOPES, *GAROON_SCOPES) == POWER_AUTOMATE.scopes


def test_slack_scopes_are_slacks(realdata: Path) -> None:
    """Each is in Slack's public interface description, and finding a user by address needs one of them."""
    real = json.loads((realdata / "scopes" / "slack_scopes.json").read_text(encoding="utf-8"))

    assert SLACK.scope_names <= set(_texts(real))
    assert "users:read.email" in SLACK.scope_names
    assert {} == SLACK.scope_products


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for inner in value.values() for text in _texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


def test_power_automate_requires_what_its_vendor_asks_for(realdata: Path) -> None:
    """The lists are those that Microsoft's own advice names, for connectors and for HTTP actions (TRACE T4)."""
    name = "required_service_tags.2026-05-13.json"
    real = json.loads((realdata / "power_automate_pages" / name).read_text("utf-8"))
    current, with_http, _ = POWER_AUTOMATE.requirements

    assert ("vendor-current", "vendor-current-http") == (current.id, with_http.id)
    assert tuple(real["connector_actions"]) == current.documents[0].forms[0].groups
    assert current.documents[0] == with_http.documents[0]
    assert tuple(real["http_and_http_swagger_actions"]) == with_http.documents[1].forms[0].groups
    assert name.split(".")[1] == current.as_of == with_http.as_of


def test_the_seed_is_the_three_documents_of_the_help_page() -> None:
    """Each is needed; what replaced the datacenter ranges is preferred to them (TRACE A12, A14 to A16)."""
    seed = POWER_AUTOMATE.requirement("seed")

    assert seed is not None
    assert ["power-automate", "office-365", "azure"] == [document.id for document in seed.documents]
    assert ["azure-service-tags", "azure-datacenter-xml"] == [form.source for form in seed.documents[2].forms]
    assert ["japan", "united-states", "china"] == [region.id for region in seed.regions]


def test_power_automates_redirect_address_is_the_published_one(realdata: Path) -> None:
    """It is the one most public connectors use; the client is confidential and sends no code challenge."""
    real = (realdata / "connectors" / "powerplatform_oauth_settings.jsonl").read_text(encoding="utf-8")
    profile = POWER_AUTOMATE.oauth

    assert profile is not None
    assert ("confidential", "waived_for_confidential_client") == (profile.kind, profile.pkce)
    assert [] == [uri for uri in profile.redirect_uris if real.count(f'"{uri}"') < 100]


def test_the_kintone_connector_is_missing_in_the_chinese_cloud(realdata: Path) -> None:
    """CN readers are told; nobody else is (TRACE T10)."""
    real = json.loads((realdata / "connectors" / "kintone_connector_reference.json").read_text(encoding="utf-8"))

    assert "China Cloud operated by 21Vianet" in real["not_in_regions"]
    assert ["CN"] == [
        name for name in EDITIONS if "global-cloud" in [step.id for step in POWER_AUTOMATE.steps_in(name)]
    ]


@pytest.mark.parametrize(
    ("edition", "expected"),
    [
        (
            "JP",
            [
                ("allow-addresses", "access_administrator"),
                ("data-group", "service_administrator"),
                ("enable", "common_administrator"),
                ("permit-users", "common_administrator"),
                ("app-side", "app_administrator"),
            ],
        ),
        (
            "CN",
            [
                ("global-cloud", "service_administrator"),
                ("request-addresses", "vendor"),
                ("data-group", "service_administrator"),
                ("enable", "common_administrator"),
                ("permit-users", "common_administrator"),
                ("app-side", "app_administrator"),
            ],
        ),
    ],
)
def test_steps_of_power_automate(edition: Edition, expected: list[tuple[str, str]]) -> None:
    """Addresses and data group first, then STEP 1, then STEP 2, each with who does it (TRACE T8, T11)."""
    steps = POWER_AUTOMATE.steps_in(edition)

    assert expected == [(step.id, step.who) for step in steps]
    assert sorted(["before", "step1", "step2"]) == sorted({step.stage for step in steps})
    assert [step.stage for step in steps] == sorted(step.stage for step in steps)


def test_steps_of_slack_are_in_the_order_of_the_vendor() -> None:
    """The same e-mail address, Slack enabled, process management, the app's switch (TRACE T5)."""
    assert ["same-email", "enable", "process-management", "app-notification"] == [step.id for step in SLACK.steps]


@pytest.mark.parametrize("service", [POWER_AUTOMATE, SLACK], ids=lambda service: service.id)
def test_what_is_done_elsewhere_is_confirmed(service: Service) -> None:
    """STEP 2, the data group and Slack's address are never guessed; the common administration is known (TRACE T8)."""
    known = {step.id for step in service.steps if step.known_from == "extlink"}

    assert known <= {"allow-addresses", "request-addresses", "enable", "permit-users"}
    assert [] == [step.id for step in service.steps if step.stage == "step2" and step.known_from == "extlink"]


@pytest.mark.parametrize("service", BUILT_IN, ids=lambda service: service.id)
def test_a_built_in_definition_can_be_stored(service: Service) -> None:
    """It fits into a record, also where a store writes JSON in ASCII, and comes back equal."""
    fields = to_fields(service)

    assert len(json.dumps(fields)) < 65_536
    assert service == from_fields(json.loads(json.dumps(fields)))


@pytest.mark.parametrize("service", BUILT_IN, ids=lambda service: service.id)
def test_no_definition_asks_for_a_password(service: Service) -> None:
    """A4: no field of a definition takes a login name or a password (TRACE T13)."""
    names = [field.name for field in attrs.fields(Service)]

    assert [] == [name for name in names for word in REMOVED_WORDS if word in name]
    assert [] == [scope.name for scope in service.scopes for word in REMOVED_WORDS if word in scope.name]


def test_chinese_texts_have_no_kana() -> None:
    """Nothing was left untranslated: no kana in Chinese, nothing but ASCII and dashes in English."""
    for service in BUILT_IN:
        for text in _localized(to_fields(service)):
            assert not any("\u3040" <= letter <= "\u30ff" for letter in text["zh"]), text
            assert text["en"].replace("–", "-").isascii() or text["en"] == text["ja"], text


def _localized(value: object) -> list[dict[str, str]]:
    if isinstance(value, dict):
        if set(value) == {"ja", "en", "zh"}:
            return [value]
        return [text for inner in value.values() for text in _localized(inner)]
    return [text for inner in value for text in _localized(inner)] if isinstance(value, list) else []
