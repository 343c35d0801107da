"""Plain lists: one range a line, each line taken, set aside or empty."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink.errors import InvalidInput
from extlink.feeds import read_plain_text, rows_of
from tests.feeds.readers import PLAIN


def test_the_small_list_is_read() -> None:
    """Comments and blank lines are nothing; every other line is a range or set aside with its reason."""
    found = read_plain_text(
        PLAIN, source="firewall", cloud="Tokyo", name="offices", version="7", published=date(2020, 6, 9)
    )
    group = found.groups["offices"]

    assert ("firewall", "Tokyo", "7", date(2020, 6, 9)) == (found.source, found.cloud, found.version, found.published)
    assert ["20.89.11.48/28", "20.89.11.1-20.89.11.6", "2603:1006::/40"] == [item.text for item in group.ranges]
    assert [
        ("20.89.11.48/28", "duplicate"),
        ("10.0.0.0/8", "private"),
        ("<html>", "expected an address such as 192.0.2.1 or 2001:db8::1, got '<html>'"),
    ] == [(item.text, item.reason) for item in group.set_aside]
    assert ["20.89.11.48/28", "20.89.11.1/32", "20.89.11.2/31", "20.89.11.4/31", "20.89.11.6/32"] == [
        row.text for row in rows_of(found, "offices")
    ]


@pytest.mark.realdata
@pytest.mark.parametrize("version", [4, 6])
def test_real_lists_are_read_exactly(realdata: Path, version: int) -> None:
    """Each line of Cloudflare's two lists is a range."""
    text = (realdata / "other_clouds" / f"cloudflare-v{version}-ip-ranges.txt").read_text(encoding="utf-8")
    group = read_plain_text(text, source="cloudflare").groups["ranges"]

    assert text.split() == [item.text for item in group.ranges]
    assert () == group.set_aside


def test_text_and_bytes_read_alike() -> None:
    """A byte order mark, line ends and the type of the input make no difference."""
    text = PLAIN.decode()
    expected = read_plain_text(PLAIN, source="list")

    for data in (text, "\ufeff" + text, b"\xef\xbb\xbf" + PLAIN, text.replace("\n", "\r\n"), text.replace("\n", "\r")):
        assert expected == read_plain_text(data, source="list")


def test_an_empty_list_is_empty() -> None:
    """A list without a range is a group without one: whether that may be is for whoever asked for it."""
    for data in ("", "# nothing", "\n\n"):
        group = read_plain_text(data, source="list").groups["ranges"]
        assert ((), ()) == (group.ranges, group.set_aside)


@pytest.mark.parametrize(
    "wrong",
    [{"source": ""}, {"source": 5}, {"cloud": None}, {"name": ""}, {"version": 5}, {"published": "2020-06-01"}],
    ids=repr,
)
def test_what_the_host_says_is_checked(wrong: dict[str, Any]) -> None:
    """Names are short texts, and a day is a date."""
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        read_plain_text(PLAIN, **{"source": "list", **wrong})


@pytest.mark.parametrize("data", [b"\xff\xfe", 5, None], ids=repr)
def test_what_is_no_text_is_refused(data: Any) -> None:
    """Another encoding, or something else than a file, is no list."""
    with pytest.raises(InvalidInput, match="data: expected"):
        read_plain_text(data, source="list")


@given(lines=st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]))))
def test_no_line_is_lost(lines: list[str]) -> None:
    """Ranges and items set aside are as many as the lines that say something."""
    group = read_plain_text("x\n" + "\n".join(lines), source="list").groups["ranges"]
    said = [line for line in lines if line.split("#")[0].strip()]

    assert 1 + len(said) == len(group.ranges) + len(group.set_aside)
