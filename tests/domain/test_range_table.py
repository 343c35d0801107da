"""RangeTable: equal to brute force over integers, at every boundary, for any overlap, in every order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import find, given, settings, strategies as st

from extlink.domain import range_table as module
from extlink.domain.address import Address, AddressRange, Version, parse_address, parse_range
from extlink.domain.range_table import RangeTable
from extlink.errors import InvalidInput

# Windows of addresses at the ends and around the bounds that the wide table cuts at; the last address is the window's.
WINDOW = 48
LASTS: dict[Version, tuple[int, ...]] = {
    4: (WINDOW, 2**16 + 9, 2**31 + 5, 2**32 - 1),
    6: (WINDOW, 2**32 + 7, (0x20010DB8 << 96) + 11, 2**128 - 1),
}
Finder = Callable[[str | Address], int]
Maker = Callable[[Sequence[AddressRange]], Finder]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Version, int, list[AddressRange]]:
    """Draw a version, a window and intervals that lie in it, overlapping as they like, some of them twice."""
    version: Version = draw(st.sampled_from([4, 6]))
    last = draw(st.sampled_from(LASTS[version]))
    bounds = draw(st.lists(st.tuples(st.integers(0, WINDOW), st.integers(0, WINDOW)), max_size=7))
    ranges = [AddressRange(version=version, first=last - max(pair), last=last - min(pair)) for pair in bounds]
    return version, last, draw(st.permutations([*ranges, *ranges[:1]]))


def expected_index(ranges: Sequence[AddressRange], address: Address) -> int:
    """Return what the table must find, by looking at every range: the narrowest, then the lowest, then the earliest."""
    around = [(item.size, item.first, i) for i, item in enumerate(ranges) if item.contains(address)]
    return min(around)[2] if around else -1


def addresses(version: Version, last: int) -> list[Address]:
    """Return every address of a window and one beside it on each side."""
    top = 2**32 if version == 4 else 2**128
    return [Address(version, number) for number in range(max(0, last - WINDOW - 1), min(top, last + 2))]


def is_wrong(make: Maker, world: tuple[Version, int, list[AddressRange]]) -> bool:
    """Tell whether a finder differs from brute force anywhere in the window, asked by text or by value."""
    version, last, ranges = world
    finder = make(ranges)
    return any(
        expected_index(ranges, address) != finder(question)
        for address in addresses(version, last)
        for question in (address, address.text)
    )


def narrow(ranges: Sequence[AddressRange]) -> Finder:
    """Make the table as it is made for few ranges."""
    return RangeTable(ranges).find


def wide(ranges: Sequence[AddressRange]) -> Finder:
    """Make the table as it is made for many ranges."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_WIDE", 0)
        return RangeTable(ranges).find


@pytest.mark.parametrize("make", [narrow, wide])
def test_finding_equals_brute_force(make: Maker) -> None:
    """Every address in and around the window finds the range that looking at each of them finds."""

    @given(world=worlds())
    def check(world: tuple[Version, int, list[AddressRange]]) -> None:
        assert not is_wrong(make, world)

    check()


def moved(by_first: int, by_last: int) -> Maker:
    """Broken twin: every range begins or ends one address off."""

    def make(ranges: Sequence[AddressRange]) -> Finder:
        def shifted(item: AddressRange) -> AddressRange:
            top = 2**32 if item.version == 4 else 2**128
            first = min(max(item.first + by_first, 0), item.last)
            return AddressRange(version=item.version, first=first, last=min(max(item.last + by_last, first), top - 1))

        return RangeTable([shifted(item) for item in ranges]).find

    return make


def first_listed(ranges: Sequence[AddressRange]) -> Finder:
    """Broken twin: the first listed range is found, so that the order matters."""

    def finder(address: str | Address) -> int:
        value = parse_address(address) if isinstance(address, str) else address
        return next((i for i, item in enumerate(ranges) if item.contains(value)), -1)

    return finder


def widest(ranges: Sequence[AddressRange]) -> Finder:
    """Broken twin: the widest range is found."""

    def finder(address: str | Address) -> int:
        value = parse_address(address) if isinstance(address, str) else address
        around = [(-item.size, item.first, i) for i, item in enumerate(ranges) if item.contains(value)]
        return min(around)[2] if around else -1

    return finder


def never_left(ranges: Sequence[AddressRange]) -> Finder:
    """Broken twin: a narrow range that is over still hides the wide one below it."""

    def finder(address: str | Address) -> int:
        value = parse_address(address) if isinstance(address, str) else address
        found = expected_index(ranges, value)
        hiding = [item for item in ranges if item.last + 1 == value.value]
        return -1 if hiding and found >= 0 else found

    return finder


TWINS = {
    "first address lost": moved(1, 0),
    "one before the first taken": moved(-1, 0),
    "one past the last taken": moved(0, 1),
    "last address lost": moved(0, -1),
    "first listed": first_listed,
    "widest": widest,
    "never left": never_left,
}


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
def test_brute_force_catches_broken_twins(twin: Maker) -> None:
    """The same comparison finds a case for each broken finder, off by a single address included."""
    assert find(worlds(), lambda world: is_wrong(twin, world), settings=settings(max_examples=5_000, database=None))


@given(world=worlds(), seed=st.integers(0, 2**16))
def test_order_and_duplicates_never_matter(world: tuple[Version, int, list[AddressRange]], seed: int) -> None:
    """Shuffled and doubled, the ranges answer with the same range (law 2)."""
    version, last, ranges = world
    shuffled = [*ranges, *ranges]
    random.Random(seed).shuffle(shuffled)
    one, other = RangeTable(ranges), RangeTable(shuffled)

    for address in addresses(version, last):
        place, another = one.find(address), other.find(address)
        assert (place < 0) == (another < 0)
        assert place < 0 or ranges[place] == shuffled[another]


@given(low=st.integers(0, 2**32 - 1))
def test_a_mapped_address_is_the_ipv4_address(low: int) -> None:
    """Texts and values in ::ffff:0:0/96 find the IPv4 range, and never an IPv6 range around that block."""
    table = RangeTable([parse_range("::/0", allow_everything=True), parse_range("0.0.0.0/0", allow_everything=True)])
    plain = Address(4, low).text

    assert [1, 1, 1] == [table.find(plain), table.find(f"::ffff:{plain}"), table.find(Address(6, 0xFFFF << 32 | low))]
    assert 0 == table.find(f"::fffe:{plain}")


class Raising:
    """An object that answers every question with an exception."""

    def __contains__(self, item: object) -> bool:
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [None, 5, b"192.0.2.1", [], ["192.0.2.1"], "", "192.0.2.01", "::1%1", "\ud800", "\0", Address(4, -1), Raising()],
)
@pytest.mark.parametrize("make", [narrow, wide])
def test_what_is_no_address_is_never_just_absent(make: Maker, value: Any) -> None:
    """A malformed address is an error, which a list of forbidden ranges cannot mistake for a yes."""
    finder = make([parse_range("192.0.2.0/24")])

    with pytest.raises(InvalidInput):
        finder(value)


@pytest.mark.parametrize("ranges", [5, None, "192.0.2.0/24", ["192.0.2.0/24"], [None]])
def test_only_ranges_are_compiled(ranges: Any) -> None:
    """Texts are parsed before, so that the error names the row."""
    with pytest.raises(InvalidInput):
        RangeTable(ranges)


def test_equal_ranges_make_equal_tables() -> None:
    """A table is a value; its repr does not list what it holds."""
    ranges = (parse_range("192.0.2.0/24"), parse_range("2001:db8::/32"))

    assert RangeTable(ranges) == RangeTable(list(ranges))
    assert "RangeTable(ranges=<2>)" == repr(RangeTable(ranges))


def block(version: Version, first: int, length: int) -> AddressRange:
    """Return the CIDR block of a length around an address."""
    rest = (32 if version == 4 else 128) - length
    return AddressRange(version=version, first=first >> rest << rest, last=first | (1 << rest) - 1)


@pytest.mark.slow
@pytest.mark.parametrize("version", [4, 6])
def test_many_ranges_find_what_a_lookup_by_length_finds(version: Version, deep: bool) -> None:
    """Of 100,000 nested blocks the narrowest is found at every bound and one beside it, against one dict per length."""
    rand = random.Random(20200609)
    width = 32 if version == 4 else 128
    lengths = range(8, 33) if version == 4 else range(20, 129)
    top = 0 if version == 4 else 0x2001 << 112
    ranges = [block(version, top | rand.getrandbits(width - 16), rand.choice(lengths)) for _ in range(100_000)]
    by_bounds: dict[tuple[int, int], int] = {}
    for i, item in enumerate(ranges):
        by_bounds.setdefault((item.first, item.last), i)

    def reference(number: int) -> int:
        blocks = (block(version, number, length) for length in reversed(lengths))
        return next((by_bounds[(b.first, b.last)] for b in blocks if (b.first, b.last) in by_bounds), -1)

    table = RangeTable(ranges)
    edges = [edge for item in rand.sample(ranges, 10_000 if deep else 500) for edge in (item.first, item.last)]
    for number in {near for edge in edges for near in (edge - 1, edge, edge + 1) if 0 <= near < 1 << width}:
        address = Address(version, number)
        assert reference(number) == table.find(address.text) == table.find(address)
