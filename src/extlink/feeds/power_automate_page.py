"""The reader of the page "Limits and configuration in Power Automate", the help page's first link (TRACE A14, T4).

The format: Markdown, in any language, with tables of addresses by region; every version seen has one, the connectors'.

| place | content |
|---|---|
| `ms.date: 06/24/2020` in the front matter | the day of the text |
| a heading `<a name="connectors"></a>コネクタ` | the table's name in every language; else the heading's words |
| a column in which at least half of the cells have an address | the items, between `、`, `,` or a line break |
| the first other column | the region, as the page's language has it |

Rules: a table becomes a group of its name, and one a region, `connectors.日本`; where several columns have addresses,
the column's words are part of the name. Each item is one address, a CIDR block, `first - last` or `first から last`, or
is set aside; so is what looks like an address outside of these columns. Other tables, of limits and host names, are not
read. A row with more cells than columns is refused by its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import takewhile
from typing import Final

from extlink.errors import InvalidInput
from extlink.feeds._given import read_day
from extlink.feeds._intervals import parse_interval
from extlink.feeds._items import Sorter
from extlink.feeds._json import decode, read_text
from extlink.feeds._markdown import Table, has_address, read_lines, read_tables, stray_addresses
from extlink.feeds.published import Group, PublishedRanges

__all__ = ["SOURCE", "read_power_automate_page"]

SOURCE: Final = "power-automate-page"

_MAX_HEADING: Final = 1_000
_BETWEEN: Final = re.compile("[、,\uff0c]|</?br ?/?>", re.IGNORECASE)
_ANCHOR: Final = re.compile(r"<a (?:name|id)=\"([^\"<>]{1,255})\"")
_TAG: Final = re.compile(r"<[^<>]{0,1000}>")
_DAY: Final = re.compile(r"ms\.date: *(\d{1,2})/(\d{1,2})/(\d{4}) *", re.ASCII)


def read_power_automate_page(
    data: str | bytes, *, published: date | None = None, version: str = "", cloud: str = "Public"
) -> PublishedRanges:
    """Return the ranges of the page in one language.

    Args:
        data: the whole page, as Markdown.
        published: the day of the page; the page's own where it is not given and the page has one.
        version: what tells one state of the page from another; the page's own day where it is empty.
        cloud: the cloud that the page is about, which it does not say.

    Raises:
        InvalidInput: no such page; the field names the line where one line is to blame.

    >>> page = '''### <a name="connectors"></a>コネクタ
    ... | 地域 | 送信 IP |
    ... | --- | --- |
    ... | 日本 | 13.78.108.0 から 13.78.108.15、13.71.153.19, 127.0.0.1 |'''
    >>> found = read_power_automate_page(page)
    >>> group = found.groups["connectors.日本"]
    >>> list(found.groups), [item.text for item in group.ranges], [item.reason for item in group.set_aside]
    (['connectors', 'connectors.日本'], ['13.78.108.0/28', '13.71.153.19/32'], ['loopback'])
    """
    day, version = read_day(published), read_text(version, "version", least=0)
    lines = read_lines(decode(data))
    own = _own_day(lines)
    version = version or (own.isoformat() if own else "")
    groups: dict[str, Group] = {}
    named: dict[str, int] = {}
    tables, other = read_tables(lines)
    sorter = Sorter(parse_interval)
    for table in tables:
        columns = _address_columns(table)
        other.extend(table.cells_beside(columns))
        for name, region, items in _lists(table, columns, named):
            ranges, aside = sorter.sort(items)
            groups[name] = Group(name=name, version=version, region=region, ranges=ranges, set_aside=aside)
    if not groups:
        raise InvalidInput("data", f"expected a table of addresses, found none in {len(lines):,} lines")
    if stray := stray_addresses(other, version):
        groups[stray.name] = stray
    return PublishedRanges(
        source=SOURCE, cloud=read_text(cloud, "cloud"), version=version, published=day or own, groups=groups
    )


def _own_day(lines: list[str]) -> date | None:
    """Return the day in the front matter, which stands between two lines of hyphens at the top."""
    front = takewhile(lambda line: line != "---", lines[1:] if lines[0] == "---" else [])
    found = next(filter(None, map(_DAY.fullmatch, front)), None)
    try:
        return date(int(found[3]), int(found[1]), int(found[2])) if found else None
    except ValueError:
        return None


def _address_columns(table: Table) -> list[int]:
    """Return the places of the columns of a table that are lists of addresses.

    A column is one if at least half of its cells that are not blank have an address: one that strayed into the next
    cell, or is mentioned in a note, makes no list.
    """
    columns: list[int] = []
    for j in range(len(table.columns)):
        filled = [cell for _, cells in table.rows if (cell := cells[j])]
        if filled and 2 * sum(map(has_address, filled)) >= len(filled):
            columns.append(j)
    if columns:
        table.check_rows()
    return columns


def _lists(table: Table, columns: list[int], named: dict[str, int]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield name, region and items of each list of a table, the whole first."""
    describing = [j for j in range(len(table.columns)) if j not in columns]
    for j in columns:
        name = _name(table, table.columns[j], named, alone=len(columns) == 1)
        whole: list[str] = []
        regions: dict[str, list[str]] = {}
        for line, cells in table.rows:
            items = [item for part in _BETWEEN.split(cells[j]) if (item := part.strip())]
            region = read_text(cells[describing[0]], f"line {line}", least=0) if describing else ""
            whole += items
            regions.setdefault(region, []).extend(items)
        yield name, "", whole
        for region, items in regions.items():
            if region:
                yield f"{name}.{region}", region, items


def _name(table: Table, column: str, named: dict[str, int], *, alone: bool) -> str:
    """Return a name for the list in a column of a table; of equal ones the second is `name#2`."""
    heading = table.heading[:_MAX_HEADING]
    anchor = _ANCHOR.search(heading)
    parts = (_words(anchor[1] if anchor else _TAG.sub("", heading)), *(() if alone else (_words(column),)))
    name = read_text("-".join(filter(None, parts)) or _words(column) or "addresses", f"line {table.line}")
    named[name] = named.get(name, 0) + 1
    return name if named[name] == 1 else f"{name}#{named[name]}"


def _words(text: str) -> str:
    """Return a text as the vendor's pages make anchors of headings: small letters, hyphens, no other signs."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", text[:_MAX_HEADING].lower()).strip())
