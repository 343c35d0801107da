"""What each edition has (TRACE T1, T10)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from extlink.domain.edition import ALL_EDITIONS, EDITIONS, Edition, parse_edition, parse_editions, parse_products
from extlink.errors import InvalidInput


def test_there_are_three_editions() -> None:
    """Each has a profile under its own name."""
    assert ALL_EDITIONS == set(EDITIONS)
    assert [] == [name for name, profile in EDITIONS.items() if profile.edition != name]


@pytest.mark.parametrize(
    ("edition", "ja", "en", "zh"),
    [
        ("JP", "cybozu.com共通管理", "Users & System Administration", "cybozu.com共通管理"),
        ("US", "Kintone共通管理", "Kintone Users & System Administration", "Kintone共通管理"),
        ("CN", "cybozu.cn共通管理", "cybozu.cn Administration", "cybozu.cn共通管理"),
    ],
)
def test_names_of_the_console(edition: Edition, ja: str, en: str, zh: str) -> None:
    """The common administration has a name per edition and language (A25)."""
    assert (ja, en, zh) == EDITIONS[edition].console.texts


@pytest.mark.parametrize(
    ("edition", "ja", "en"),
    [
        ("JP", "cybozu.com共通管理者", "cybozu.com Administrator"),
        ("US", "Kintone共通管理者", "Kintone Users & System Administrator"),
        ("CN", "cybozu.cn共通管理者", "cybozu.cn Administrator"),
    ],
)
def test_names_of_the_administrator(edition: Edition, ja: str, en: str) -> None:
    """So have its administrators."""
    assert (ja, en) == EDITIONS[edition].administrator.texts[:2]


@pytest.mark.parametrize(
    ("edition", "product", "domain", "language", "products"),
    [
        ("JP", "kintone", "cybozu.com", "ja", {"kintone", "garoon"}),
        ("US", "Kintone", "kintone.com", "en", {"kintone"}),
        ("CN", "kintone", "cybozu.cn", "zh", {"kintone", "garoon"}),
    ],
)
def test_products_and_domains(edition: Edition, product: str, domain: str, language: str, products: set[str]) -> None:
    """The spelling of kintone, the domain, the language of mails, and what is sold."""
    profile = EDITIONS[edition]

    assert (product, domain, language) == (profile.product, profile.domain, profile.system_language)
    assert products == profile.products


@pytest.mark.parametrize(
    ("edition", "limit", "self_service", "page"),
    [
        ("JP", 2_900, True, "https://jp.cybozu.help/general/ja/admin/list_security/list_access/ip_restrictions.html"),
        ("US", 2_900, True, "https://get.kintone.help/general/ja/admin/list_security/list_access/ip_restrictions.html"),
        ("CN", None, False, None),
    ],
)
def test_ip_restriction(edition: Edition, limit: int | None, self_service: bool, page: str | None) -> None:
    """2,900 rows of IPv4 in JP and US; CN states no limit, has no page, and customers cannot set it (TRACE T1)."""
    profile = EDITIONS[edition]

    assert (limit, True, self_service, page) == (
        profile.network.row_limit,
        profile.network.ipv4_only,
        profile.network.self_service,
        profile.ip_page,
    )


@pytest.mark.parametrize(
    ("edition", "basic", "certificates", "two_factor"),
    [
        ("JP", "available", True, False),
        ("US", "before_migration", False, True),
        ("CN", "never", True, False),
    ],
)
def test_ways_around_the_restriction(edition: Edition, basic: str, certificates: bool, two_factor: bool) -> None:
    """Basic authentication in JP, in the US only before its migration; certificates in JP and CN; two-factor in US."""
    profile = EDITIONS[edition]

    assert (basic, certificates, two_factor) == (
        profile.basic_authentication,
        profile.client_certificates,
        profile.two_factor,
    )


@pytest.mark.parametrize(
    ("edition", "before_migration", "proofs", "lifetime"),
    [
        ("JP", False, {"basic", "client_certificate"}, None),
        ("US", False, set(), 3_600),
        ("US", True, {"basic"}, 3_600),
        ("CN", True, {"client_certificate"}, None),
    ],
)
def test_what_stands_beside_the_restriction(
    edition: Edition, before_migration: bool, proofs: set[str], lifetime: int | None
) -> None:
    """What an edition accepts from people beside their address, and for how long a saved change can be reset."""
    profile = EDITIONS[edition]

    assert proofs == profile.proofs(before_migration=before_migration)
    assert lifetime == profile.network.reset_lifetime


@pytest.mark.parametrize(
    ("edition", "text", "expected"),
    [
        ("US", "kintoneのデータ", "Kintoneのデータ"),
        ("US", "将kintone、Slack", "将Kintone、Slack"),
        ("US", "Use kintone.", "Use Kintone."),
        ("US", "https://x.kintone.com/kintone/ shared_kintone kintone.com a@kintone", None),
        ("JP", "kintoneのデータ", None),
        ("CN", "kintone", None),
    ],
)
def test_kintone_is_spelt_as_the_edition_does(edition: Edition, text: str, expected: str | None) -> None:
    """Only the word is spelt anew; addresses and identifiers stay."""
    assert (expected or text) == EDITIONS[edition].spell(text)


@pytest.mark.parametrize("value", ["jp", "EU", "", None, 1, b"JP", ["JP"]])
def test_an_unknown_edition_is_refused(value: object) -> None:
    """The field is named."""
    with pytest.raises(InvalidInput, match=r"^edition: expected one of JP, US, CN, got "):
        parse_edition(value)


def test_an_edition_that_lies_is_refused() -> None:
    """A text that says it equals everything is still compared as the text it is."""

    class Liar(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            return True

    with pytest.raises(InvalidInput):
        parse_edition(Liar("EU"))


def test_products_are_those_the_edition_sells() -> None:
    """There is no Garoon in the US (B2)."""
    assert {"kintone"} == parse_products(["kintone"], edition="US")
    with pytest.raises(InvalidInput, match=r"^products: expected some of kintone in edition US, got 'garoon'"):
        parse_products(["garoon"], edition="US")
    with pytest.raises(InvalidInput, match=r"^products: expected some of garoon, kintone, got 'office'"):
        parse_products(["office"])


@given(st.one_of(st.none(), st.integers(), st.text(), st.lists(st.one_of(st.text(), st.integers(), st.just("JP")))))
def test_anything_gives_a_value_or_invalid_input(value: object) -> None:
    """Any object: a value or an error of ours."""
    for parse in (parse_edition, parse_editions, parse_products):
        with suppress(InvalidInput):
            parse(value)
