"""Age: which rows of a published list are older than they should be, and what newer lists have that the rows lack.

Rules: only a row that names a source can be stale; one that a person wrote is as old as its writer says. Whoever
publishes ranges says how long a copy holds: Microsoft at most 90 days. A row whose day nobody knows is never fresh: it
is listed, with no age. What is missing is exact, as the fewest CIDR blocks, and told with the first of the newer lists
that had any of it. The mode does not matter to a row's age, since rows are stored in every mode.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import islice
from typing import Final

import attrs

from extlink.domain.address import AddressRange
from extlink.domain.coverage import coverage, parse_restriction
from extlink.domain.instant import Instant, to_datetime
from extlink.domain.network import IPRestriction, Row, parse_rows
from extlink.domain.range_set import intersect
from extlink.errors import InvalidInput

__all__ = ["MAX_AGE_DAYS", "Incomplete", "Release", "StaleRow", "incomplete_since", "stale"]

# https://learn.microsoft.com/ja-jp/connectors/common/outbound-ip-addresses
MAX_AGE_DAYS: Final = 90
_MAX_RELEASES: Final = 10_000


@attrs.frozen(kw_only=True)
class StaleRow:
    """A row that is older than it should be, or nobody knows how old.

    Args:
        row: the row; its `published` is the day it is counted from.
        days: how many days ago that was, in UTC; None where the day is unknown.
    """

    row: Row
    days: int | None


def _rows(values: Iterable[Row]) -> tuple[Row, ...]:
    return parse_rows(values)  # a converter has one argument


@attrs.frozen(kw_only=True)
class Release:
    """One version of a published list.

    Args:
        version: as the list has it.
        published: the day, where somebody knows it.
        rows: all that it has (`feeds.published.rows_of`).

    Raises:
        InvalidInput: something else than a list of rows.
    """

    version: str
    published: date | None
    rows: tuple[Row, ...] = attrs.field(converter=_rows)


@attrs.frozen(kw_only=True)
class Incomplete:
    """What a restriction lacks today.

    Args:
        missing: the addresses of the newest list that do not come in, as the fewest CIDR blocks, ascending.
        addresses: how many they are.
        since: the first list that had any of them.
    """

    missing: tuple[AddressRange, ...]
    addresses: int
    since: Release


def stale(restriction: IPRestriction, now: Instant, *, older_than_days: int = MAX_AGE_DAYS) -> tuple[StaleRow, ...]:
    """Return the rows of published lists that are older than an age, or of unknown age; ascending, IPv4 first.

    Args:
        restriction: the tenant's.
        now: the instant from which days are counted back, in UTC.
        older_than_days: how old a row may be; 90 days old is not older than 90 days.

    Raises:
        InvalidInput: no restriction, or an age that is no number of days.

    >>> from extlink.domain.address import parse_range
    >>> row = Row(range=parse_range("20.37.194.0/24"), source="tags", published=date(2020, 3, 10))
    >>> found = stale(IPRestriction("allow_some", [row]), Instant(1591660800))
    >>> [(item.row.text, item.days) for item in found]
    [('20.37.194.0/24', 91)]
    """
    parse_restriction(restriction)
    if type(older_than_days) is not int or older_than_days < 0:
        raise InvalidInput("older_than_days", "expected a whole number of days of 0 or more")
    try:
        today = to_datetime(now).date()
    except Exception as exc:
        raise InvalidInput("now", f"expected an Instant, got {type(now).__name__}") from exc
    aged = (StaleRow(row=row, days=_days(row.published, today)) for row in restriction.rows if row.source)
    old = (item for item in aged if item.days is None or item.days > older_than_days)
    return tuple(sorted(old, key=lambda item: (item.row.range.version, item.row.range.first, item.row.range.last)))


def _days(published: date | None, today: date) -> int | None:
    return None if published is None else (today - published).days


def incomplete_since(
    restriction: IPRestriction, newer: Iterable[Release], *, ipv4_only: bool = True
) -> Incomplete | None:
    """Return what of the newest list is missing today, and since which of the lists; None if nothing is.

    Args:
        restriction: the tenant's.
        newer: versions of one need, the oldest first; the last one is what is needed today.
        ipv4_only: whether the edition's list takes IPv4 alone; then IPv6 ranges are not looked at.

    Raises:
        InvalidInput: no restriction, or something else than a list of `Release`.

    >>> from extlink.domain.address import parse_range
    >>> one, two = (Row(range=parse_range(text)) for text in ("20.37.194.0/24", "20.37.195.0/24"))
    >>> releases = [
    ...     Release(version="1", published=None, rows=[one]),
    ...     Release(version="2", published=date(2020, 6, 30), rows=[one, two]),
    ... ]
    >>> found = incomplete_since(IPRestriction("allow_some", [one]), releases)
    >>> [item.text for item in found.missing], found.since.version
    (['20.37.195.0/24'], '2')
    """
    releases = _parse_releases(newer)
    today = coverage(restriction, releases[-1].rows if releases else (), ipv4_only=ipv4_only)
    if not today.missing:
        return None
    had = (item for item in releases if intersect((row.range for row in item.rows), today.missing))
    return Incomplete(missing=today.missing, addresses=today.missing_addresses, since=next(had))


def _parse_releases(values: Iterable[Release]) -> tuple[Release, ...]:
    try:
        found = tuple(islice(values, _MAX_RELEASES + 1))
    except Exception as exc:
        raise InvalidInput("newer", f"expected a list of Release, got {type(values).__name__}") from exc
    if len(found) > _MAX_RELEASES:
        raise InvalidInput("newer", f"expected at most {_MAX_RELEASES:,} lists")
    for item in found:
        if type(item) is not Release:
            raise InvalidInput("newer", f"expected a list of Release, got {type(item).__name__} in it")
    return found
