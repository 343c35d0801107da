"""Memos of published rows: what is written is read back exactly, and nobody's own words are taken for it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from extlink.domain.address import parse_range
from extlink.domain.network import Row
from extlink.errors import InvalidInput
from extlink.feeds.memo import memo_for, read_memo
from tests.strange import ANYTHING

RANGE = parse_range("20.89.11.48/28")
SOURCE = "azure-service-tags:Public:AzureConnectors.JapanEast"
DAY = date(2025, 1, 23)


def row(**values: Any) -> Row:
    """Return a row of the range above."""
    return Row(range=RANGE, **values)


def test_a_published_row_tells_where_it_came_from() -> None:
    """The form has the list, its version, the day if anybody knows it, the kind of file and the cloud."""
    dated = row(memo="AzureConnectors.JapanEast", source=SOURCE, version="89", published=DAY)

    assert "AzureConnectors.JapanEast v89 2025-01-23 (azure-service-tags:Public)" == memo_for(dated)
    assert (SOURCE, "89", DAY) == read_memo(memo_for(dated))
    assert "AzureConnectors.JapanEast v89 (azure-service-tags:Public)" == memo_for(row(source=SOURCE, version="89"))


def test_a_row_that_serves_several_lists_names_them_all() -> None:
    """Lists and versions one after the other, the way a plan joins them; read back exactly."""
    source = "azure-service-tags:Public:AzureConnectors, azure-service-tags:Public:LogicApps"
    joined = row(memo="AzureConnectors, LogicApps", source=source, version="53, 48", published=DAY)

    assert "AzureConnectors v53 + LogicApps v48 2025-01-23 (azure-service-tags:Public)" == memo_for(joined)
    assert (source, "53, 48", DAY) == read_memo(memo_for(joined))


def test_a_plus_sign_in_a_name_is_no_second_list() -> None:
    """Only what has a version of its own is a list of its own."""
    plus = row(memo="C + D", source="a:b:C + D", version="1")

    assert "C + D v1 (a:b)" == memo_for(plus)
    assert ("a:b:C + D", "1", None) == read_memo(memo_for(plus))


KEPT = [
    row(memo="A v1 + B", source="a:b:A v1 + B", version="2"),
    row(memo="A, B", source="a:b:A, c:d:B", version="1, 2"),
    row(memo="head office"),
    row(),
    row(memo="VPN", source=SOURCE, version="89", published=DAY),
    row(memo="AzureConnectors.JapanEast", source=SOURCE),
    row(memo="x", source="no colons", version="1"),
    row(memo="c", source="a:b:c", version="two words"),
    row(memo="c", source="a:(b):c", version="1"),
    row(memo="c", source="A:b:c", version="1"),
    row(memo="c\n", source="a:b:c\n", version="1"),
    row(memo="c" * 990, source="a:b:" + "c" * 990, version="123456"),
    row(memo="", source="a:b:", version="1"),
]


@pytest.mark.parametrize("kept", KEPT, ids=repr)
def test_a_memo_that_cannot_tell_is_kept(kept: Row) -> None:
    """An administrator's words stay, and a source that does not fit into the form is not written half."""
    assert kept.memo == memo_for(kept)
    assert None is read_memo(kept.memo)


@pytest.mark.parametrize(
    "memo",
    [
        "",
        "head office (since 2019)",
        "VPN v2 (spare)",
        "AzureConnectors v53",
        "AzureConnectors 53 (azure-service-tags:Public)",
        "AzureConnectors v53  (azure-service-tags:Public)",
        "AzureConnectors v53 (azure-service-tags:Public) ",
        "AzureConnectors v53 2025-02-30 (azure-service-tags:Public)",
        "AzureConnectors v53 2025-1-23 (azure-service-tags:Public)",
        "AzureConnectors v53 \uff12\uff10\uff12\uff15-01-23 (azure-service-tags:Public)",
        "v53 (azure-service-tags:Public)",
        "AzureConnectors v53 (azure-service-tags:Public)\n",
        "A\nB v53 (azure-service-tags:Public)",
        "x" * 1_000 + " v53 (azure-service-tags:Public)",
    ],
    ids=ascii,
)
def test_other_memos_are_not_ours(memo: str) -> None:
    """Only the exact form is read; whatever is near to it is an administrator's own memo."""
    assert None is read_memo(memo)


TEXT = st.text(max_size=12) | st.text("vV 0123456789-():ab\n", max_size=24)
ROWS = st.builds(
    lambda memo, parts, version, published: row(
        memo=parts[-1] if memo is None else memo, source=":".join(parts), version=version, published=published
    ),
    st.none() | TEXT,
    st.lists(TEXT, min_size=1, max_size=5),
    TEXT,
    st.none() | st.dates(),
)


def is_exact(writer: Any, given_row: Row) -> bool:
    """Tell whether what is written of a row is its own memo, or reads back as its source."""
    text = writer(given_row)
    told = read_memo(text)
    return text == given_row.memo or told == (given_row.source, given_row.version, given_row.published)


@given(given_row=ROWS)
@example(given_row=row(source="s:c:A v1", version="2"))
@example(given_row=row(source="s:c:A v1 2020-01-01 (s:c)", version="2", published=DAY))
@example(given_row=row(source="s:c:A:B", version="v"))
def test_reading_back_is_exact(given_row: Row) -> None:
    """Source, version and day come back as they were, whatever the texts."""
    assert is_exact(memo_for, given_row)


def hasty(given_row: Row) -> str:
    """Broken twin: writes the form without asking whether it can be read."""
    kind, cloud, name = given_row.source.split(":", 2)
    return f"{name} v{given_row.version} ({kind}:{cloud})"


@pytest.mark.parametrize(("source", "version"), [("s:c(d:e", "1"), ("s:c:d", "1 2020-01-01"), ("s:c:d", "")])
def test_hasty_writing_is_caught(source: str, version: str) -> None:
    """The broken twin writes memos that are not read back."""
    given_row = row(memo="mine", source=source, version=version)

    assert is_exact(memo_for, given_row)
    assert not is_exact(hasty, given_row)


@given(value=ANYTHING)
def test_anything_is_read_or_refused(value: Any) -> None:
    """Law 13: what is no text is no memo of ours, and what is no row has no memo."""
    assert None is read_memo(value.make())
    with pytest.raises(InvalidInput):
        memo_for(value.make())
