"""Set algebra over ranges: equal to sets of integers, at every boundary, in both versions, in every order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import find, given, settings, strategies as st

from extlink.domain.address import BITS, AddressRange, Version, merge, parse_range
from extlink.domain.range_set import cidrs, count, intersect, subtract, union
from extlink.errors import InvalidInput
from tests.strange import ANYTHING, Recipe

# Windows at the ends of both spaces, across the middle, and across the block of mapped addresses' end.
WINDOW = 40
FIRSTS: dict[Version, tuple[int, ...]] = {
    4: (0, 2**31 - WINDOW // 2, 2**32 - WINDOW),
    6: (0, 2**127 - WINDOW // 2, 2**128 - WINDOW, (1 << 48) - 8),
}
WHOLE = {version: AddressRange(version=version, first=0, last=(1 << bits) - 1) for version, bits in BITS.items()}
Points = frozenset[tuple[Version, int]]
Algebra = Callable[[Sequence[AddressRange], Sequence[AddressRange]], tuple[AddressRange, ...]]


@st.composite
def worlds(draw: st.DrawFn) -> list[list[AddressRange]]:
    """Draw two lists of ranges in the same windows: overlapping, adjacent, one off, repeated, of both versions."""
    lists: list[list[AddressRange]] = [[], []]
    for version, firsts in FIRSTS.items():
        start = draw(st.sampled_from(firsts))
        bounds = st.tuples(st.integers(0, WINDOW - 1), st.integers(0, WINDOW - 1))
        for ranges in lists:
            pairs = [(start + min(pair), start + max(pair)) for pair in draw(st.lists(bounds, max_size=6))]
            ranges += [
                AddressRange(version=version, first=first, last=last)
                for first, last in pairs
                if version == 4 or not first >> 32 == last >> 32 == 0xFFFF
            ]
    return [draw(st.permutations([*ranges, *ranges[:1]])) for ranges in lists]


def points(ranges: Sequence[AddressRange]) -> Points:
    """Return every address of ranges but those that are IPv4 addresses written as IPv6."""
    return frozenset(
        (item.version, number)
        for item in ranges
        for number in range(item.first, item.last + 1)
        if item.version == 4 or number >> 32 != 0xFFFF
    )


def canonical(found: Sequence[AddressRange]) -> bool:
    """Tell whether ranges are ascending, IPv4 first, and neither overlap nor touch."""
    return all((a.version, a.last + 1) < (b.version, b.first) for a, b in itertools.pairwise(found))


def is_wrong(algebra: Algebra, expected: Callable[[Points, Points], Points], world: list[list[AddressRange]]) -> bool:
    """Tell whether an answer differs from that of sets of integers, or is not merged."""
    these, others = world
    found = algebra(these, others)
    return not canonical(found) or points(found) != expected(points(these), points(others))


@pytest.mark.parametrize(
    ("algebra", "expected"),
    [
        (subtract, lambda a, b: a - b),
        (intersect, lambda a, b: a & b),
        (lambda a, b: union([*a, *b]), lambda a, b: a | b),
    ],
    ids=["subtract", "intersect", "union"],
)
def test_algebra_equals_sets_of_integers(algebra: Algebra, expected: Callable[[Points, Points], Points]) -> None:
    """Every operation has the addresses that sets of integers have, as the fewest intervals."""

    @given(worlds())
    def check(world: list[list[AddressRange]]) -> None:
        assert not is_wrong(algebra, expected, world)

    check()


def off_by_one(these: Sequence[AddressRange], others: Sequence[AddressRange]) -> tuple[AddressRange, ...]:
    """Broken twin: the last address of what is taken away stays."""
    shorter = [attrs_range(item.version, item.first, item.last - 1) for item in others if item.size > 1]
    return subtract(these, shorter)


def attrs_range(version: Version, first: int, last: int) -> AddressRange:
    """Return a range, or the whole of its version where it would be a piece of the mapped block."""
    mapped = version == 6 and first >> 32 == last >> 32 == 0xFFFF
    return WHOLE[6] if mapped else AddressRange(version=version, first=first, last=last)


def first_only(these: Sequence[AddressRange], others: Sequence[AddressRange]) -> tuple[AddressRange, ...]:
    """Broken twin: only the first range is taken away."""
    return subtract(these, others[:1])


@pytest.mark.parametrize("twin", [off_by_one, first_only])
def test_a_broken_subtraction_is_found(twin: Algebra) -> None:
    """The check is able to fail."""
    find(
        worlds(),
        lambda world: is_wrong(twin, lambda a, b: a - b, world),
        settings=settings(max_examples=2_000, derandomize=True, database=None),
        random=random.Random(1),
    )


@given(worlds())
def test_counts_and_blocks_are_those_of_the_set(world: list[list[AddressRange]]) -> None:
    """Each address counts once; the CIDR blocks have the same addresses and are as few as can be."""
    ranges, _ = world
    blocks = cidrs(ranges)

    assert points(ranges) == points(blocks)
    assert sum(item.size for item in merge(ranges)) == count(ranges)
    assert all(item.prefix is not None for item in blocks)
    # Fewest: no two neighbours of one size make up a block, and none overlap.
    for a, b in itertools.pairwise(blocks):
        assert (a.version, a.last) < (b.version, b.first)
        assert not (
            a.version == b.version and a.last + 1 == b.first and a.size == b.size and a.first % (2 * a.size) == 0
        )


@pytest.mark.parametrize("version", [4, 6])
def test_whole_space(version: Version) -> None:
    """Everything, nothing, and everything but one address at each end and in the middle."""
    whole, bits = WHOLE[version], BITS[version]

    assert (whole,) == union([whole]) == cidrs([whole]) == intersect([whole], [whole])
    assert () == subtract([whole], [whole]) == union([]) == cidrs([]) == intersect([whole], [])
    assert 2**bits == count([whole])
    for number in (0, 2 ** (bits - 1), 2**bits - 1):
        one = AddressRange(version=version, first=number, last=number)
        rest = subtract([whole], [one])
        assert 2**bits - 1 == count(rest)
        assert bits == len(cidrs(rest))
        assert (one,) == subtract([whole], rest)


def test_no_answer_lies_in_the_mapped_block() -> None:
    """What is left of an IPv6 range may be IPv4 addresses alone: nothing, since they are matched as IPv4."""
    around = AddressRange(version=6, first=(0xFFFF << 32) - 1, last=(0x10000 << 32))
    ends = [AddressRange(version=6, first=item, last=item) for item in (around.first, around.last)]

    assert () == subtract([around], ends)
    assert tuple(ends) == cidrs([around])


@pytest.mark.parametrize(
    "function",
    [union, count, cidrs, lambda it: subtract(it, ()), lambda it: subtract((), it)],
    ids=["union", "count", "cidrs", "these", "others"],
)
def test_any_object_is_a_list_of_ranges_or_invalid(function: Callable[[object], object]) -> None:
    """Law 13: whatever is handed over, there is a value or an InvalidInput."""

    @given(ANYTHING)
    def check(recipe: Recipe) -> None:
        for value in (recipe.make(), [recipe.make()]):
            try:
                function(value)
            except InvalidInput:
                continue

    check()


def test_the_message_names_the_argument() -> None:
    """Which list is wrong is said."""
    with pytest.raises(InvalidInput, match="others: expected a list of AddressRange, got str in it"):
        intersect([parse_range("192.0.2.0/24")], ["192.0.2.0/24"])  # type: ignore[list-item]


def test_a_list_without_an_end_is_refused() -> None:
    """Nothing is read for ever."""
    with pytest.raises(InvalidInput, match="ranges: expected at most 1,000,000 ranges"):
        count(itertools.repeat(parse_range("192.0.2.0/24")))
