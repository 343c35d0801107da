"""The help page for users, sentence by sentence: each test is a row of the trace and does what "seen by" says."""

from __future__ import annotations

from typing import Final

import pytest

from extlink import grants, links, services
from extlink.domain.decision import Refusal
from extlink.domain.edition import EDITIONS, Edition
from extlink.domain.messages import words
from tests.people import (
    PA,
    POWER,
    READ,
    REDIRECT,
    SLACK,
    VERIFIER,
    WRITE,
    World,
    challenge_of,
    codes,
    refused,
    world,
)

EVERY_EDITION: Final[tuple[Edition, ...]] = ("JP", "US", "CN")


def connected(edition: Edition = "JP") -> World:
    """Return a host in which sato uses Power Automate and may use Slack."""
    made = world(edition=edition)
    made.allow("sato")
    made.run(grants.allow(SLACK, users=["sato"]))
    made.connect("sato")
    return made


@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_b1_confirm_and_end(edition: Edition) -> None:
    """B1: the account page is one list, and a button on it; the same in every edition."""
    made = connected(edition)
    sato = made.user("sato")
    (use, *_) = sato.run(links.of("sato"))

    sato.run(links.revoke(use.links[0].id))

    assert {"unused"} == {one.state for one in sato.run(links.of("sato"))}


@pytest.mark.parametrize(
    ("edition", "products", "usable"),
    [
        ("JP", {"kintone"}, True),
        ("JP", {"garoon"}, True),
        ("CN", {"garoon"}, True),
        ("US", {"kintone"}, True),
        ("JP", set[str](), False),
    ],
)
def test_b2_kintone_or_cloud_garoon_on_the_tenant(edition: Edition, products: set[str], *, usable: bool) -> None:
    """B2: available to those who use kintone or cloud Garoon; a tenant with neither cannot enable the service."""
    made = world(edition=edition, products=products, enable=())

    if usable:
        assert "enabled" == str(made.run(services.enable(POWER)).state)
    else:
        with refused("service.product_missing", products=("garoon", "kintone")):
            made.run(services.enable(POWER))


@pytest.mark.parametrize(
    ("user", "scope", "wanted"),
    [
        ("sato", "k:app_record:read", ()),
        ("sato", "g:todo:read", ()),
        ("tanaka", "k:app_record:read", ()),
        ("tanaka", "g:todo:read", ("user.product_missing",)),
        ("mori", "k:app_record:read", ("user.product_missing",)),
    ],
)
def test_b2_the_product_on_the_user(user: str, scope: str, wanted: tuple[str, ...]) -> None:
    """B2, T7: a user without the product that an operation belongs to cannot consent to it."""
    made = world()
    made.run(grants.allow(POWER, everyone=True))
    asked = made.user(user).run(
        links.begin(
            POWER,
            client=PA,
            redirect_uri=REDIRECT,
            scopes=scope,
            code_challenge=challenge_of(VERIFIER),
            network="not_applicable",
        )
    )

    assert wanted == (codes(asked) if isinstance(asked, Refusal) else ())


def test_b3_users_confirm_what_they_use() -> None:
    """B3: `links.of(user)` by the user; of nobody else."""
    made = connected()

    assert [POWER, SLACK] == [use.service.id for use in made.user("sato").run(links.of("sato"))]
    with refused("actor.not_permitted"):
        made.user("ito").run(links.of("sato"))


def test_b4_b12_users_end_what_is_connected() -> None:
    """B4, B12: the next call is refused `link.revoked`, the state is `unused`, the entry names the user."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    sato = made.user("sato")

    sato.run(links.revoke(tokens.link))

    assert ("link.revoked",) == codes(made.check(tokens))
    assert ["unused"] == [use.state for use in sato.run(links.of("sato"))]
    (entry,) = made.entries("link.revoked_by_user")
    assert ("sato", tokens.link, "revoke integration") == (entry.user, entry.details["link"], entry.kind.action)


@pytest.mark.parametrize("edition", EVERY_EDITION)
def test_b5_b6_the_same_page_in_three_editions(edition: Edition) -> None:
    """B5, B6: explained with Power Automate and kintone; the editions differ in pictures alone."""
    made = connected(edition)
    uses = made.user("sato").run(links.of("sato"))

    assert [(POWER, "in_use"), (SLACK, "unused")] == [(use.service.id, use.state) for use in uses]
    (link,) = uses[0].service.documents("account_page", edition)
    assert link.url.startswith(EDITIONS[edition].help_site)


def test_b7_b8_where_the_page_is() -> None:
    """B7, B8: the words of the menu and the tab; the tab differs from the administrator's term."""
    assert ("アカウント設定", "外部連携サービス", "外部連携") == tuple(
        words(key, "ja") for key in ("ui.account_settings", "ui.external_services", "ui.external_integration")
    )


def test_b9_services_in_use_are_shown() -> None:
    """B9: state `in_use`, in the three languages."""
    use = connected().user("sato").run(links.of("sato"))[0]

    assert ["使用中", "In use", "使用中"] == [words(f"state.{use.state}", language) for language in ("ja", "en", "zh")]


def test_b10_services_not_used_are_shown_as_unused() -> None:
    """B10, T9: state `unused` (未使用); services that are not permitted are not shown at all."""
    made = connected()
    use = made.user("sato").run(links.of("sato"))[1]

    assert (SLACK, "未使用") == (use.service.id, words(f"state.{use.state}", "ja"))
    assert () == made.user("suzuki").run(links.of("suzuki"))


def test_b11_operations_and_the_button() -> None:
    """B11: the operations permitted by their labels, and what the button needs; an unused service has neither."""
    made = world()
    made.allow("sato")
    made.run(grants.allow(SLACK, users=["sato"]))
    tokens = made.connect("sato", scopes=[READ, WRITE])
    used, unused = made.user("sato").run(links.of("sato"))

    assert ["レコードの取得", "レコードの登録/更新/削除"] == [one.labels.ja for one in used.links[0].operations]
    assert tokens.link == used.links[0].id
    assert () == unused.links
    assert "連携を解除" == words("ui.end_integration", "ja")
