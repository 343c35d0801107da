"""Lists of connectors and of flows, as Power Platform and others write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from extlink.domain.datapolicy import DataPolicy
from extlink.domain.identifier import ConnectorId
from extlink.errors import ExtlinkError, InvalidInput
from extlink.feeds import SetAside, read_connectors, read_data_policies, read_flows, stale_connectors


@pytest.mark.realdata
def test_the_real_lists(realdata: Path) -> None:
    """Two connectors, two virtual ones, and three that no policy can block."""
    real = {
        name: read_connectors((realdata / "dlp/terraform-provider" / f"connectors__get_{name}.json").read_bytes())
        for name in ("apis", "virtual", "unblockable")
    }

    assert ("shared_sharepointonline", "shared_onedriveforbusiness") == real["apis"].connectors
    assert ("Http", "HttpRequestReceived") == real["virtual"].connectors
    assert {"shared_approvals", "shared_cloudappsecurity", "shared_commondataservice"} == real[
        "unblockable"
    ].unblockable
    assert [frozenset(), frozenset()] == [real["apis"].unblockable, real["virtual"].unblockable]
    assert [()] * 3 == [one.set_aside for one in real.values()]


@pytest.mark.realdata
def test_stale_ids_of_the_real_export_are_told_and_kept(realdata: Path) -> None:
    """Against a list that lacks three of them; the copy keeps the rules about them."""
    export = read_data_policies((realdata / "dlp" / "scubagear_dlp_policies.json").read_bytes()).policies[0]
    gone = ("shared_blockchaincorda", "shared_blockchainethereum", "shared_instagram")
    known = tuple((export.business | export.blocked) - set(gone))

    assert gone == stale_connectors(export, known)
    assert set(gone) <= export.blocked
    assert () == stale_connectors(export, (*known, *map(ConnectorId, gone)))


def test_what_a_list_says() -> None:
    """Custom ones and unblockable ones are marked; one that comes twice is set aside, its marks are not."""
    found = read_connectors(
        '{"value": [{"id": "a", "properties": {"isCustomApi": true}}, {"id": "b"},'
        ' {"id": "a", "metadata": {"unblockable": true}}]}'
    )

    assert [["a", "b"], ["a"], ["a"]] == [list(one) for one in (found.connectors, found.custom, found.unblockable)]
    assert (SetAside("a", "duplicate"),) == found.set_aside


def test_flows_one_a_line() -> None:
    """Blank lines are none; a flow that comes twice is set aside."""
    again = '{"flow": "a", "connectors": []}\n'
    text = '{"flow": "a", "connectors": ["Shared_Slack"]}\n\n{"flow": "b", "connectors": []}\r\n' + again
    for data in (text, text.encode()):
        found = read_flows(data)
        assert [("a", ["shared_slack"]), ("b", [])] == [(flow.id, list(flow.connectors)) for flow in found.flows]
        assert (SetAside("a", "duplicate"),) == found.set_aside


@pytest.mark.parametrize(
    ("make", "field", "problem"),
    [
        (lambda: read_connectors("5"), "data", "expected a list, got a number"),
        (lambda: read_connectors("{}"), "value", "expected a list, got nothing"),
        (lambda: read_connectors("[5]"), "data[0]", "expected an object"),
        (lambda: read_connectors("[{}]"), "data[0].id", "expected text"),
        (lambda: read_connectors('[{"id": "a", "metadata": []}]'), "data[0].metadata", "expected an object"),
        (
            lambda: read_connectors('[{"id": "a", "metadata": {"unblockable": "no"}}]'),
            "data[0].metadata.unblockable",
            "expected true or false, got a text",
        ),
        (lambda: read_flows('{"flow": "a"}'), "line 1.connectors", "expected a list, got nothing"),
        (lambda: read_flows('\n{"connectors": []}'), "line 2.flow", "expected text, got nothing"),
        (lambda: read_flows("\n{"), "line 2", "expected JSON"),
        (lambda: read_flows('{"flow": "a", "connectors": [5]}'), "line 1.connectors[0]", "expected text"),
        (lambda: read_flows('{"flow": "' + "キ" * 200 + '", "connectors": []}'), "line 1", "expected 1 to 255 bytes"),
        (lambda: read_flows(5), "data", "expected the text or the bytes"),  # type: ignore[arg-type]
        (lambda: stale_connectors("p", ()), "policy", "expected a DataPolicy, got str"),  # type: ignore[arg-type]
        (lambda: stale_connectors(DataPolicy(id="p"), 5), "known", "expected a list"),  # type: ignore[arg-type]
    ],
)
def test_another_shape_is_refused(make: Callable[[], object], field: str, problem: str) -> None:
    """The error names the place."""
    with pytest.raises(InvalidInput) as caught:
        make()

    assert field == caught.value.field
    assert problem in caught.value.problem


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_are_a_value_or_an_error(data: bytes | str) -> None:
    """Law 13."""
    for read in (read_connectors, read_flows):
        try:
            read(data)
        except ExtlinkError:
            continue
