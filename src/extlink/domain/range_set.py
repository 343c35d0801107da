"""Set algebra over ranges: what two lists of ranges have together, in common, and one without the other.

Rules: a list of ranges *is* the set of its addresses; order, overlaps and repetitions never change an answer (law 2).
Every answer is merged and ascending, IPv4 first, each step is one pass over two sorted lists. No answer lies inside
`::ffff:0:0/96`, whose addresses are IPv4 and are matched as such, whatever an IPv6 range around it says.

The public functions take and return `AddressRange`; those over bare intervals are for the modules of this floor that
work on many thousands of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, islice
from operator import itemgetter
from typing import Final

from extlink.domain.address import BITS, MAPPED, AddressRange, Version, merged
from extlink.errors import InvalidInput

__all__ = ["cidrs", "count", "intersect", "subtract", "union"]

Interval = tuple[int, int]
# The merged intervals of both versions, in the order in which answers are given.
Intervals = dict[Version, list[Interval]]
_V4: Final = 4
_MAX_RANGES: Final = 1_000_000
_MAPPED_TOP: Final = int.from_bytes(MAPPED, "big")
_set: Final = object.__setattr__
# Sorting by it alone is faster, and enough for `merged`.
begin: Final[Callable[[Interval], int]] = itemgetter(0)
_end: Final[Callable[[Interval], int]] = itemgetter(1)
# Ranges at hand, so that what comes out of a computation unchanged is not made anew.
Known = Mapping[Version, Mapping[Interval, AddressRange]]
_NONE: Final[Known] = {4: {}, 6: {}}


def intervals(ranges: Iterable[AddressRange], field: str = "ranges") -> Intervals:
    """Return the merged intervals of ranges.

    Raises:
        InvalidInput: no list, something else than ranges in it, or more than a million.
    """
    found: Intervals = {version: [] for version in BITS}
    try:
        items = tuple(islice(ranges, _MAX_RANGES + 1))
    except Exception as exc:
        raise InvalidInput(field, f"expected a list of AddressRange, got {type(ranges).__name__}") from exc
    if len(items) > _MAX_RANGES:
        raise InvalidInput(field, f"expected at most {_MAX_RANGES:,} ranges")
    for item in items:
        if type(item) is not AddressRange:
            raise InvalidInput(field, f"expected a list of AddressRange, got {type(item).__name__} in it")
        found[item.version].append((item.first, item.last))
    return {version: merged(sorted(items)) for version, items in found.items()}


def _is_mapped(first: int, last: int) -> bool:
    return first >> 32 == last >> 32 == _MAPPED_TOP


def _known_range(version: Version, first: int, last: int) -> AddressRange:
    """Return an interval that was computed and needs no examination, at a third of the constructor's cost."""
    item: AddressRange = object.__new__(AddressRange)
    _set(item, "version", version)
    _set(item, "first", first)
    _set(item, "last", last)
    return item


def ranges_of(found: Intervals, known: Known = _NONE) -> tuple[AddressRange, ...]:
    """Return intervals as ranges, those of `known` where it has them."""
    ranges: list[AddressRange] = []
    for version, items in found.items():
        get = known[version].get
        ranges += [
            get(item) or _known_range(version, *item) for item in items if version == _V4 or not _is_mapped(*item)
        ]
    return tuple(ranges)


def blocks(items: Iterable[Interval], largest: int) -> list[Interval]:
    """Return the fewest CIDR blocks that make up merged intervals, none with more addresses than `largest`.

    They are the widest blocks that lie in the intervals: any other block in them lies in one of these.
    """
    found: list[Interval] = []
    for item in items:
        first, last = item
        size = last - first + 1
        if not size & (size - 1) and not first % size and size <= largest:
            found.append(item)
            continue
        while first <= last:
            size = min(first & -first or largest, 1 << (last - first + 1).bit_length() - 1, largest)
            found.append((first, first + size - 1))
            first += size
    return found


def cidrs_of(found: Intervals, known: Known = _NONE) -> tuple[AddressRange, ...]:
    """Return merged intervals as the fewest CIDR blocks."""
    return ranges_of({version: blocks(items, 1 << BITS[version]) for version, items in found.items()}, known)


def within(these: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """Return what is in both of two merged lists.

    The shorter list is walked; what of the longer one lies in each of its intervals is found by bisection and copied.
    """
    few, many = (these, others) if len(these) <= len(others) else (others, these)
    found: list[Interval] = []
    at, end = 0, len(many)
    for first, last in few:
        # Where the first interval is that begins behind `first`; the one before may reach over it.
        at = bisect_right(many, first, at, key=begin)
        if at and many[at - 1][1] >= first:
            found.append((first, min(last, many[at - 1][1])))
        start, at = at, bisect_right(many, last, at, key=begin)
        found += many[start:at]
        if start < at and many[at - 1][1] > last:
            found[-1] = (many[at - 1][0], last)
        if at == end and many[at - 1][1] <= last:
            break
    return found


def without(these: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """Return what is in the first of two merged lists and not in the second."""
    if not these or not others:
        return list(these)
    firsts = [0, *(last + 1 for _, last in others)]
    lasts = [*(first - 1 for first, _ in others), these[-1][1]]
    return within(these, [gap for gap in zip(firsts, lasts, strict=True) if gap[0] <= gap[1]])


def each(
    algebra: Callable[[Sequence[Interval], Sequence[Interval]], list[Interval]], these: Intervals, others: Intervals
) -> Intervals:
    """Return what `within` or `without` says for each version."""
    return {version: algebra(items, others[version]) for version, items in these.items()}


def size_of(items: Sequence[Interval]) -> int:
    """Return how many addresses merged intervals have."""
    return sum(map(_end, items)) - sum(map(begin, items)) + len(items)


class Measure:
    """How many addresses of a merged list lie in an interval: two bisections, however long the list is."""

    __slots__ = ("_firsts", "_items", "_sizes")

    def __init__(self, items: Sequence[Interval]) -> None:
        self._items = items
        self._firsts = [first for first, _ in items]
        self._sizes = list(accumulate((last - first + 1 for first, last in items), initial=0))

    def _up_to(self, number: int) -> int:
        """Return how many addresses are at most `number`."""
        at = bisect_right(self._firsts, number)
        return self._sizes[at] - max(self._items[at - 1][1] - number, 0) if at else 0

    def of(self, first: int, last: int) -> int:
        """Return how many addresses lie from `first` to `last`."""
        return self._up_to(last) - self._up_to(first - 1)


def union(ranges: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """Return the addresses of any range, as the fewest intervals.

    Raises:
        InvalidInput: something else than a list of ranges; so for every function here.

    >>> from extlink.domain.address import parse_range
    >>> [item.text for item in union([parse_range("192.0.2.128/25"), parse_range("192.0.2.0/25")])]
    ['192.0.2.0/24']
    """
    return ranges_of(intervals(ranges))


def subtract(ranges: Iterable[AddressRange], others: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """Return the addresses of the first list that are not in the second, as the fewest intervals.

    >>> from extlink.domain.address import parse_range
    >>> [item.text for item in subtract([parse_range("192.0.2.0/29")], [parse_range("192.0.2.2")])]
    ['192.0.2.0/31', '192.0.2.3-192.0.2.7']
    """
    these, those = intervals(ranges), intervals(others, "others")
    return ranges_of(each(without, these, those))


def intersect(ranges: Iterable[AddressRange], others: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """Return the addresses that are in both lists, as the fewest intervals.

    >>> from extlink.domain.address import parse_range
    >>> [item.text for item in intersect([parse_range("192.0.2.0/24")], [parse_range("192.0.0.0/16")])]
    ['192.0.2.0/24']
    """
    these, those = intervals(ranges), intervals(others, "others")
    return ranges_of(each(within, these, those))


def count(ranges: Iterable[AddressRange]) -> int:
    """Return how many addresses are in any of the ranges, each counted once.

    >>> from extlink.domain.address import parse_range
    >>> count([parse_range("192.0.2.0/24"), parse_range("192.0.2.128/25"), parse_range("2001:db8::/127")])
    258
    """
    return sum(map(size_of, intervals(ranges).values()))


def cidrs(ranges: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """Return the addresses of any range, as the fewest CIDR blocks.

    >>> from extlink.domain.address import parse_range
    >>> [item.text for item in cidrs([parse_range("192.0.2.0/25"), parse_range("192.0.2.128/25")])]
    ['192.0.2.0/24']
    """
    return cidrs_of(intervals(ranges))
