"""The tables of a Markdown page, and what looks like an address outside of the columns that were read.

Rules: a table is a line with `|`, below it the line of hyphens with as many cells, and the lines with `|` that follow
(GitHub Flavored Markdown 4.10, but that a line without `|` ends a table). What is commented out is not published and
is not read; what is fenced is text. Lines are counted from 1, comments included.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from operator import itemgetter
from typing import Final

import attrs

from extlink.domain.address import parse_address
from extlink.errors import InvalidInput
from extlink.feeds._items import shown_item
from extlink.feeds.published import Group, SetAside

__all__ = ["OUTSIDE", "Table", "has_address", "read_lines", "read_tables", "stray_addresses"]

# The name of the group of what looks like an address and stands elsewhere; the name of no list has a blank.
OUTSIDE: Final = "outside of tables"

_PIPE: Final = re.compile(r"(?<!\\)\|")
_HYPHENS: Final = re.compile(r":?-+:?")
_FENCES: Final = ("```", "~~~")
# Digits of every script, so that a full-width address is seen as well, and then set aside.
_IPV4_LIKE: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,3})?(?!\.?\d)")
_IPV6_LIKE: Final = re.compile(r"(?<![\w.:])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:.]{3,45}(?![\w:])", re.ASCII)


@attrs.frozen(kw_only=True)
class Table:
    """One table of a page.

    Args:
        line: the number of the line with the names of the columns.
        heading: the heading above, as it stands there, without `#`.
        columns: the names of the columns.
        rows: of each row the number of its line, and its cells; missing ones are empty.
    """

    line: int
    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def check_rows(self) -> None:
        """Refuse a row with more cells than there are columns: which of them nobody would see is a guess.

        Raises:
            InvalidInput: there is such a row; the field names its line.
        """
        for line, cells in self.rows:
            if len(cells) > len(self.columns):
                wanted = f"expected {len(self.columns)} cells as in line {self.line}, got {len(cells)}"
                raise InvalidInput(f"line {line}", f"{wanted}; write \\| for | inside a cell")

    def cells_beside(self, columns: Container[int]) -> Iterator[tuple[int, str]]:
        """Yield the cells of all columns but these, each with the number of its line."""
        return ((line, cell) for line, cells in self.rows for j, cell in enumerate(cells) if j not in columns)


def read_lines(text: str) -> list[str]:
    """Return the lines of a page, without what is commented out.

    Raises:
        InvalidInput: a comment is never closed.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept: list[str] = []
    end = 0
    while (start := text.find("<!--", end)) >= 0:
        kept.append(text[end:start])
        # From the second character on, since `<!-->` is a whole comment.
        end = text.find("-->", start + 2) + 3
        if end < 3:  # noqa: PLR2004 - the length of -->
            line = text.count("\n", 0, start) + 1
            raise InvalidInput(f"line {line}", "expected --> at the end of the comment, found none")
        kept.append("\n" * text.count("\n", start, end))
    return "".join([*kept, text[end:]]).split("\n")


def _cells(line: str) -> tuple[str, ...]:
    cells = _PIPE.split(line.strip().removeprefix("|"))
    if len(cells) > 1 and not cells[-1].strip():
        del cells[-1]
    return tuple(cell.strip().replace("\\|", "|") for cell in cells)


def _is_below(columns: tuple[str, ...], line: str) -> bool:
    """Tell whether a line is that of hyphens below the names of the columns."""
    cells = _cells(line)
    return len(cells) == len(columns) and all(map(_HYPHENS.fullmatch, cells))


def read_tables(lines: list[str]) -> tuple[list[Table], list[tuple[int, str]]]:
    """Return the tables of a page, and every other line with its number."""
    tables: list[Table] = []
    other: list[tuple[int, str]] = []
    heading, fenced, i = "", False, 0
    while i < len(lines):
        line = lines[i]
        if line.lstrip().startswith(_FENCES):
            fenced = not fenced
        elif not fenced and line.startswith("#"):
            heading = line.lstrip("#").strip()
        elif not fenced and "|" in line and i + 1 < len(lines) and _is_below(columns := _cells(line), lines[i + 1]):
            rows = _rows(lines, i + 2, len(columns))
            tables.append(Table(line=i + 1, heading=heading, columns=columns, rows=rows))
            other.append((i + 1, line))
            i += 2 + len(rows)
            continue
        other.append((i + 1, line))
        i += 1
    return tables, other


def _rows(lines: list[str], start: int, width: int) -> tuple[tuple[int, tuple[str, ...]], ...]:
    rows: list[tuple[int, tuple[str, ...]]] = []
    for i in range(start, len(lines)):
        if "|" not in lines[i]:
            break
        cells = _cells(lines[i])
        rows.append((i + 1, cells + ("",) * (width - len(cells))))
    return tuple(rows)


def _addresses(text: str) -> Iterator[str]:
    """Yield what looks like an address."""
    yield from (found[0] for found in _IPV4_LIKE.finditer(text))
    for found in _IPV6_LIKE.finditer(text):
        like = found[0].rstrip(".")
        try:
            parse_address(like)
        except InvalidInput:
            continue
        yield like


def has_address(text: str) -> bool:
    """Tell whether something in a text looks like an address.

    >>> [has_address(text) for text in ("5 minutes", "(13.72.243.10)", "2603:1006::/40", "std::x")]
    [False, True, True, False]
    """
    return any(True for _ in _addresses(text))


def stray_addresses(lines: Iterable[tuple[int, str]], version: str) -> Group | None:
    """Return the group of what looks like an address in lines where none is read, or None."""
    found = [
        SetAside(shown_item(text), f"expected in a column of addresses, got it in line {number}")
        for number, line in sorted(lines, key=itemgetter(0))
        for text in _addresses(line)
    ]
    return Group(name=OUTSIDE, version=version, region="", ranges=(), set_aside=tuple(found)) if found else None
