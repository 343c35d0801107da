"""Markdown's tables: what is one, what is not, and what looks like an address and stands elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from extlink.errors import InvalidInput
from extlink.feeds._markdown import has_address, read_lines, read_tables, stray_addresses

LIKE = {
    "20.0.0.1": True,
    "see 20.0.0.0/24.": True,
    "(20.0.0.1)": True,
    "999.0.0.1": True,
    "２０.0.0.1": True,
    "2603:1006::": True,
    "at 2603:1006::.": True,
    "::1": True,
    "1.2.3": False,
    "1.2.3.4.5": False,
    "131,072": False,
    "11:00:02.7886": False,
    "std::vector": False,
    "a.b.c.d": False,
    "": False,
}


@pytest.mark.parametrize(("text", "expected"), LIKE.items())
def test_addresses_are_seen(text: str, expected: bool) -> None:
    """What a reader of the page would take for an address is seen; versions, times and numbers are not."""
    assert expected is has_address(text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\r\nb\rc", ["a", "b", "c"]),
        ("a<!-- x\ny -->b", ["a", "b"]),
        ("<!---->a<!-->b<!--->c", ["abc"]),
        ("a --> b", ["a --> b"]),
        ("", [""]),
    ],
)
def test_comments_are_left_out(text: str, lines: list[str]) -> None:
    """What is commented out is not there, and the lines keep their numbers."""
    assert lines == read_lines(text)


def test_an_open_comment_is_refused() -> None:
    """A comment without an end would hide the rest of a page."""
    with pytest.raises(InvalidInput, match="line 2: expected --> at the end"):
        read_lines("a\n<!-- b\nc")


def test_a_page_full_of_comments_takes_no_longer() -> None:
    """Reading is linear: a million openings are as many characters, not as many searches of the page."""
    with pytest.raises(InvalidInput, match="line 1"):
        read_lines("<!--" * 1_000_000)


def test_tables_are_read() -> None:
    r"""Outer bars are optional, `\|` is no end of a cell, missing cells are empty, and a line without bar is no row."""
    lines = ["# *A*", "a | b", ":-- | -:", "1 | x\\|y", "| 2 |", "| 3 | 4 | 5 |", "end", "| 6 | 7 |"]
    tables, other = read_tables(lines)

    assert [(2, "*A*", ("a", "b"))] == [(table.line, table.heading, table.columns) for table in tables]
    assert ((4, ("1", "x|y")), (5, ("2", "")), (6, ("3", "4", "5"))) == tables[0].rows
    assert [(1, "# *A*"), (2, "a | b"), (7, "end"), (8, "| 6 | 7 |")] == other
    assert [(4, "1"), (5, "2"), (6, "3"), (6, "5")] == list(tables[0].cells_beside([1]))


def test_nothing_stray_is_no_group() -> None:
    """A page whose addresses all stand in columns has no further group."""
    assert None is stray_addresses([(1, "text")], "1")


@given(st.text(st.sampled_from("|-: a\n\r\\#`~<!>")))
def test_every_line_is_in_a_table_or_beside(text: str) -> None:
    """Headers, hyphens, rows and other lines together are the lines of the page, each once."""
    try:
        lines = read_lines(text)
    except InvalidInput:
        return
    tables, other = read_tables(lines)
    numbers = [number for number, _ in other]
    for table in tables:
        numbers += [table.line + 1, *(number for number, _ in table.rows)]

    assert list(range(1, len(lines) + 1)) == sorted(numbers)
