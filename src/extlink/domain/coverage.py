"""Coverage: which of the addresses that a service publishes a restriction admits, and which it does not (S5).

Rules: every needed address is counted once, however often it is published, and for the row that `IPRestriction.row_for`
would name. `allow_all` covers everything, `deny_all` nothing. What the edition's list cannot express - IPv6, where it
takes IPv4 alone - is told apart: it is neither admitted nor missing, and in no share, unless no list is asked. An empty
need is no data: its share is None and never 100 %. Order and repetitions change nothing (law 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

import attrs

from extlink.domain.address import BITS, AddressRange, Version, merged
from extlink.domain.network import IPRestriction, Row, parse_rows
from extlink.domain.range_set import (
    Interval,
    Intervals,
    Known,
    Measure,
    begin,
    cidrs_of,
    each,
    size_of,
    within,
    without,
)
from extlink.errors import InvalidInput

__all__ = ["Coverage", "RowCoverage", "SourceCoverage", "coverage"]


@attrs.frozen(kw_only=True)
class RowCoverage:
    """How many of the needed addresses one row admits, those of narrower rows inside it not counted."""

    row: Row
    admitted: int


@attrs.frozen(kw_only=True)
class SourceCoverage:
    """How many addresses of one published list are admitted.

    Args:
        source: the list, as its rows name it; empty for rows that name none.
        needed: its addresses that the edition's list can express.
        admitted: those of them that come in.
        inexpressible: its addresses that the edition's list cannot express.
    """

    source: str
    needed: int
    admitted: int
    inexpressible: int

    @property
    def missing(self) -> int:
        """Those that do not come in."""
        return self.needed - self.admitted

    @property
    def share(self) -> Fraction | None:
        """The exact share that comes in, or None where there is no data."""
        return Fraction(self.admitted, self.needed) if self.needed else None


@attrs.frozen(kw_only=True)
class Coverage:
    """What a restriction does to the addresses that a service needs.

    Args:
        admitted: what comes in, as the fewest CIDR blocks, ascending, IPv4 first.
        missing: what does not.
        inexpressible: what the edition's list cannot express.
        admitted_addresses: how many come in.
        missing_addresses: how many do not.
        by_row: every row that is read, in ascending order; those that admit nothing of this need with 0.
        by_source: every published list of the need, in the order of their names; lists may share addresses.
    """

    admitted: tuple[AddressRange, ...]
    missing: tuple[AddressRange, ...]
    inexpressible: tuple[AddressRange, ...]
    admitted_addresses: int
    missing_addresses: int
    by_row: tuple[RowCoverage, ...]
    by_source: tuple[SourceCoverage, ...]

    @property
    def needed_addresses(self) -> int:
        """How many addresses are needed that the edition's list can express."""
        return self.admitted_addresses + self.missing_addresses

    @property
    def share(self) -> Fraction | None:
        """The exact share that comes in, or None where there is no data."""
        return Fraction(self.admitted_addresses, self.needed_addresses) if self.needed_addresses else None


def by_source_of(rows: Iterable[Row]) -> tuple[Mapping[str, Intervals], Known]:
    """Return the merged intervals of each published list, by its name in ascending order, and the ranges at hand."""
    found: dict[str, Intervals] = {}
    known: dict[Version, dict[Interval, AddressRange]] = {version: {} for version in BITS}
    for row in rows:
        item = row.range
        version, bounds = item.version, (item.first, item.last)
        lists = found.get(row.source)
        if lists is None:
            lists = found[row.source] = {each: [] for each in BITS}
        lists[version].append(bounds)
        known[version][bounds] = item
    for lists in found.values():
        lists.update({version: merged(sorted(items, key=begin)) for version, items in lists.items()})
    return dict(sorted(found.items())), known


def united(lists: Iterable[Intervals]) -> Intervals:
    """Return the merged intervals of several lists together."""
    found: Intervals = {version: [] for version in BITS}
    parts = tuple(lists)
    for version in BITS:
        several = [part[version] for part in parts if part[version]]
        found[version] = (
            several[0] if len(several) == 1 else merged(sorted((item for part in several for item in part), key=begin))
        )
    return found


def admitted_by(restriction: IPRestriction) -> Intervals:
    """Return the merged intervals of everything that a restriction admits."""
    if restriction.mode == "allow_all":
        return {version: [(0, (1 << bits) - 1)] for version, bits in BITS.items()}
    return {version: merged((first, last) for first, last, _ in restriction.stretches(version)) for version in BITS}


def expressible(restriction: IPRestriction, found: Intervals, *, ipv4_only: bool) -> tuple[Intervals, Intervals]:
    """Return the part that the list can let in, and the other; `allow_all` asks no list."""
    nothing: Intervals = {version: [] for version in BITS}
    if ipv4_only and restriction.mode != "allow_all":
        return {**found, 6: []}, {**nothing, 6: found[6]}
    return found, nothing


def parse_restriction(value: object) -> IPRestriction:
    """Return a restriction if it is one.

    Raises:
        InvalidInput: anything else.
    """
    if type(value) is not IPRestriction:
        raise InvalidInput("restriction", f"expected an IPRestriction, got {type(value).__name__}")
    return value


def parse_flag(value: object, field: str) -> bool:
    """Return True or False if it is one of them.

    Raises:
        InvalidInput: anything else.
    """
    if type(value) is not bool:
        raise InvalidInput(field, f"expected True or False, got {type(value).__name__}")
    return value


def coverage(restriction: IPRestriction, needed: Iterable[Row], *, ipv4_only: bool) -> Coverage:
    """Return which needed addresses a restriction admits and which it does not.

    Args:
        restriction: the tenant's.
        needed: published ranges as rows (`feeds.published.rows_of`), of one list or of several.
        ipv4_only: whether the edition's list takes IPv4 ranges alone (`IPProfile.ipv4_only`).

    Raises:
        InvalidInput: no restriction, something else than a list of rows, or no flag.

    >>> from extlink.domain.address import parse_range
    >>> restriction = IPRestriction("allow_some", [Row(range=parse_range("20.37.194.0/25"))])
    >>> found = coverage(restriction, [Row(range=parse_range("20.37.194.0/24"), source="tags")], ipv4_only=True)
    >>> found.share, [item.text for item in found.missing], found.by_row[0].admitted
    (Fraction(1, 2), ['20.37.194.128/25'], 128)
    """
    parse_restriction(restriction)
    parse_flag(ipv4_only, "ipv4_only")
    sources, known = by_source_of(parse_rows(needed, "needed"))
    need = united(sources.values())
    allowed = admitted_by(restriction)
    asked, foreign = expressible(restriction, need, ipv4_only=ipv4_only)
    admitted = each(within, asked, allowed)
    missing = each(without, asked, allowed)
    return Coverage(
        admitted=cidrs_of(admitted, known),
        missing=cidrs_of(missing, known),
        inexpressible=cidrs_of(foreign, known),
        admitted_addresses=sum(map(size_of, admitted.values())),
        missing_addresses=sum(map(size_of, missing.values())),
        by_row=_by_row(restriction, admitted),
        by_source=tuple(_by_source(sources, admitted, foreign)),
    )


def _by_source(sources: Mapping[str, Intervals], admitted: Intervals, foreign: Intervals) -> Iterator[SourceCoverage]:
    """Count for each list."""
    for source, lists in sources.items():
        apart = sum(size_of(items) for version, items in lists.items() if foreign[version])
        yield SourceCoverage(
            source=source,
            needed=sum(map(size_of, lists.values())) - apart,
            admitted=sum(size_of(within(items, admitted[version])) for version, items in lists.items()),
            inexpressible=apart,
        )


def _by_row(restriction: IPRestriction, admitted: Intervals) -> tuple[RowCoverage, ...]:
    """Count each admitted address for its row; every stretch of a row's addresses is asked once."""
    read = restriction.rows if restriction.mode == "allow_some" else ()
    counts = [0] * len(read)
    for version, items in admitted.items():
        measure = Measure(items)
        for first, last, place in restriction.stretches(version):
            counts[place] += measure.of(first, last)
    found = zip(read, counts, strict=True)
    return tuple(
        RowCoverage(row=row, admitted=number)
        for row, number in sorted(
            found, key=lambda pair: (pair[0].range.version, pair[0].range.first, pair[0].range.last)
        )
    )
