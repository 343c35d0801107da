"""Connectors have one id each, however Power Platform spells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from extlink.domain.connector import HTTP, NEVER_CLASSIFIED, UNBLOCKABLE, canonical_place, parse_connector
from extlink.domain.datapolicy import DataPolicy
from extlink.errors import ExtlinkError, InvalidInput
from extlink.feeds import read_data_policies

PATHS = (
    "",
    "/providers/Microsoft.PowerApps/apis/",
    "/PROVIDERS/microsoft.powerapps/APIS/",
    "/providers/Microsoft.PowerApps/scopes/environments/dev/apis/",
    "/providers/Microsoft.PowerApps/scopes/admin/environments/dev/apis/",
    "/providers/Microsoft.PowerApps/apis//providers/Microsoft.PowerApps/apis/",
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["shared_slack", "Shared_Slack", "SHARED_SLACK"])
def test_spellings_of_one_connector(path: str, name: str) -> None:
    """With or without the resource path, in any case."""
    assert "shared_slack" == parse_connector(path + name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Http", "Http"),
        ("HTTP", "Http"),
        ("httpwebhook", "HttpWebhook"),
        ("HTTPRequestReceived", "HttpRequestReceived"),
        ("kintone", "kintone"),
        ("Kintone", "Kintone"),
        ("キントーン", "キントーン"),
        ("shared_キン", "shared_キン"),
        ("/providers/Microsoft.PowerApps/apis/", "/providers/Microsoft.PowerApps/apis/"),
        ("/providers/Microsoft.Other/apis/shared_x", "/providers/Microsoft.Other/apis/shared_x"),
    ],
)
def test_other_ids_stay_as_they_are(text: str, expected: str) -> None:
    """The virtual connectors have their published spelling; what is not Power Platform's is nobody's to change."""
    assert expected == parse_connector(text)


@given(st.text(max_size=40) | st.sampled_from(PATHS).flatmap(lambda path: st.text(max_size=20).map(path.__add__)))
def test_the_one_id_is_its_own(text: str) -> None:
    """Doing it twice changes nothing, so that what was stored is found again; anything else is an error of ours."""
    for parse in (parse_connector, canonical_place):
        try:
            once = parse(text, "field")
        except ExtlinkError:
            continue
        assert once == parse(once, "field")


@pytest.mark.parametrize("value", [None, 5, b"shared_slack", "", "x" * 256, "\ud800"], ids=ascii)
def test_what_is_no_connector(value: object) -> None:
    """The field is named."""
    with pytest.raises(InvalidInput) as caught:
        parse_connector(value, "blocked")
    assert "blocked" == caught.value.field


def test_places_have_one_id() -> None:
    """GUIDs in small letters, the resource path left out; other names as they are."""
    guid = "3C19C757-3B55-411F-B03F-2BCC514A598D"
    path = "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/"

    assert guid.lower() == canonical_place(guid, "flow_id") == canonical_place(path + guid, "environment")
    assert f"Default-{guid.lower()}" == canonical_place(f"DEFAULT-{guid}", "environment")
    assert ["Dev", path] == [canonical_place(text, "environment") for text in ("Dev", path)]


def test_what_is_never_classified_is_in_no_group_of_any_policy() -> None:
    """R11: whoever names Content Conversion says nothing; and nothing unblockable is meant by it."""
    policy = DataPolicy(id="p", business={*NEVER_CLASSIFIED, "a"}, blocked=NEVER_CLASSIFIED)

    assert (frozenset({"a"}), frozenset()) == (policy.business, policy.blocked)
    assert not UNBLOCKABLE & {*NEVER_CLASSIFIED, HTTP}


@pytest.mark.realdata
def test_the_unblockable_ids_are_real(realdata: Path) -> None:
    """The real export of 2022 names all of the 24 but three; what Microsoft answered is among them."""
    export = read_data_policies((realdata / "dlp" / "scubagear_dlp_policies.json").read_bytes()).policies[0]
    answer = json.loads((realdata / "dlp/terraform-provider/connectors__get_unblockable.json").read_text())

    missing = {"shared_flowpush", "shared_kaizala", "shared_skypeforbiz"}
    assert missing == UNBLOCKABLE - export.business - export.blocked
    assert {parse_connector(one["id"]) for one in answer} <= UNBLOCKABLE
