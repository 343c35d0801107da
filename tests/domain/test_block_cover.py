"""The fewest extra addresses: equal to trying every set of blocks; with broken twins."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import find, given, settings, strategies as st

from extlink.domain.address import BITS, Version, merged
from extlink.domain.block_cover import Block, cheapest_blocks, hull, plant
from extlink.domain.range_set import Intervals

# A world has eight cells in a row, of each version: of one address, at the ends or within, or an eighth of all.
CELLS = 8
PLACES: dict[Version, tuple[tuple[int, int], ...]] = {
    4: ((0, 1), (20 << 24, 1), (2**32 - 8, 1), (0, 2**29)),
    6: ((0, 1), (0x2603 << 112, 1), (2**128 - 8, 1), (0, 2**125)),
}
# The place and size of each version's cells; which cells are missing and which are open beside; the rows.
Case = tuple[dict[Version, tuple[int, int]], dict[Version, int], dict[Version, int], int]
Coverer = Callable[[Intervals, Intervals, int], tuple[Block, ...]]

_MASK = st.integers(0, 2**CELLS - 1)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a world of one version or of both, in which something is missing."""
    places = {version: draw(st.sampled_from(found)) for version, found in PLACES.items()}
    only: Version | None = draw(st.sampled_from([4, 4, 6, None]))
    missing: dict[Version, int] = {4: 0, 6: 0}
    free: dict[Version, int] = {4: 0, 6: 0}
    for version in BITS:
        if only in (version, None):
            missing[version] = draw(_MASK)
            free[version] = draw(st.sampled_from([0, 255, 0b1010_0101]) | _MASK)
    return places, missing, free, draw(st.integers(0, 9))


def intervals(places: dict[Version, tuple[int, int]], masks: dict[Version, int]) -> Intervals:
    """Return the intervals of masks of cells."""
    return {
        version: merged(
            (first + size * cell, first + size * (cell + 1) - 1) for cell in range(CELLS) if masks[version] >> cell & 1
        )
        for version, (first, size) in places.items()
    }


@functools.cache
def antichains(low: int = 0, width: int = CELLS) -> tuple[tuple[int, int], ...]:
    """Return every set of disjoint blocks in some cells, as the mask of what it covers and the number of blocks."""
    whole = (((1 << width) - 1) << low, 1)
    if width == 1:
        return (0, 0), whole
    halves = antichains(low, width // 2), antichains(low + width // 2, width // 2)
    return whole, *((a | b, m + n) for (a, m), (b, n) in itertools.product(*halves))


def covers(case: Case, version: Version) -> Iterator[tuple[int, int]]:
    """Yield the number of blocks and the extra addresses of every cover of one version."""
    places, missing, free, _ = case
    size = places[version][1]
    for mask, blocks in antichains():
        if missing[version] & ~mask == 0 and not (size > 1 and blocks == 1 and mask == 2**CELLS - 1):
            yield blocks, size * (mask & ~(missing[version] | free[version])).bit_count()


def brute_force(case: Case) -> int | None:
    """Return the fewest extra addresses of any set of blocks within the rows, or None if there is no set."""
    best: dict[Version, dict[int, int]] = {}
    for version in BITS:
        by_count: dict[int, int] = {}
        for blocks, extra in covers(case, version):
            by_count[blocks] = min(by_count.get(blocks, extra), extra)
        best[version] = by_count
    found = [
        extra4 + extra6
        for (rows4, extra4), (rows6, extra6) in itertools.product(best[4].items(), best[6].items())
        if rows4 + rows6 <= case[3]
    ]
    return min(found, default=None)


def ours(missing: Intervals, free: Intervals, rows: int) -> tuple[Block, ...]:
    """Make the library's answer."""
    return cheapest_blocks(plant(missing, free), rows)


def is_wrong(coverer: Coverer, case: Case) -> bool:
    """Tell whether blocks are too many, leave something out, cover everything, or open more than they must."""
    places, missing, free, rows = case
    both: dict[Version, int] = {version: missing[version] | free[version] for version in BITS}
    need, opened = intervals(places, missing), intervals(places, both)
    expected = brute_force(case)
    if expected is None:
        return plant(need, opened).fewest <= rows
    found = coverer(need, opened, rows)
    cells = {
        (version, first + size * cell, first + size * cell + size - 1): both[version] >> cell & 1
        for version, (first, size) in places.items()
        for cell in range(CELLS)
    }
    hit = {cell for cell in cells for one in found if one[0] == cell[0] and one[1] <= cell[1] and cell[2] <= one[2]}
    extra = sum(cell[2] - cell[1] + 1 for cell in hit if not cells[cell])
    return (
        len(found) > rows
        or list(found) != sorted(found)
        or any(hull(*one) != one or one[2] - one[1] + 1 == 1 << BITS[one[0]] for one in found)
        or any(
            not any(one[0] == version and one[1] <= first and last <= one[2] for one in found)
            for version, (start, size) in places.items()
            for cell in range(CELLS)
            if missing[version] >> cell & 1
            for first, last in [(start + size * cell, start + size * (cell + 1) - 1)]
        )
        or extra != expected
    )


@settings(max_examples=1_000)
@given(cases())
def test_blocks_equal_brute_force(case: Case) -> None:
    """Of all sets of blocks that cover what is missing within the rows, none opens fewer addresses."""
    assert not is_wrong(ours, case)


def test_every_need_of_eight_cells_equals_brute_force() -> None:
    """All 255 needs, with every number of rows, at the last addresses of IPv4; nothing open beside them."""
    places: dict[Version, tuple[int, int]] = {4: PLACES[4][2], 6: PLACES[6][0]}
    found = [
        (mask, rows)
        for mask in range(1, 256)
        for rows in range(1, 6)
        if is_wrong(ours, (places, {4: mask, 6: 0}, {4: 0, 6: 0}, rows))
    ]

    assert [] == found


def greedy(missing: Intervals, free: Intervals, rows: int) -> tuple[Block, ...]:
    """Broken twin: the two neighbours whose joint block opens the least are joined, until they fit."""
    found = list(plant(missing, free).leaves)

    def cost(at: int) -> int:
        (version, first, _), (other, _, last) = found[at], found[at + 1]
        if version != other:
            return 1 << 200
        _, low, high = hull(version, first, last)
        opened = sum(max(0, min(b, high) - max(a, low) + 1) for a, b in free[version])
        return high - low + 1 - opened if high - low + 1 < 1 << BITS[version] else 1 << 200

    while len(found) > rows:
        at = min(range(len(found) - 1), key=cost)
        joint = hull(found[at][0], found[at][1], found[at + 1][2])
        found = [one for one in found if one[0] != joint[0] or one[2] < joint[1] or one[1] > joint[2]]
        found = sorted([*found, joint])
    return tuple(found)


def one_row_too_many(missing: Intervals, free: Intervals, rows: int) -> tuple[Block, ...]:
    """Broken twin: the limit is exceeded where that is cheaper."""
    return ours(missing, free, rows + 1)


def blind(missing: Intervals, free: Intervals, rows: int) -> tuple[Block, ...]:
    """Broken twin: what is admitted already is not known to be free."""
    return cheapest_blocks(plant(missing, missing), rows)


def forgetful(missing: Intervals, free: Intervals, rows: int) -> tuple[Block, ...]:
    """Broken twin: what does not fit is left out."""
    return plant(missing, free).leaves[:rows]


@pytest.mark.parametrize("twin", [greedy, one_row_too_many, blind, forgetful])
def test_a_broken_planner_is_found(twin: Coverer) -> None:
    """The check is able to fail."""
    find(
        cases(),
        lambda case: is_wrong(twin, case),
        settings=settings(max_examples=5_000, derandomize=True, database=None),
        random=random.Random(1),
    )


@pytest.mark.parametrize("step", [2, 3, 4])
def test_lists_as_regular_as_a_ruler(step: int) -> None:
    """Where every joint costs the same, any number of rows is filled, and one row fewer never opens less."""
    items = [((20 << 24) + step * i, (20 << 24) + step * i) for i in range(96)]
    need: Intervals = {4: items, 6: []}
    trie = plant(need, need)
    opened = []
    for rows in range(1, 98):
        found = cheapest_blocks(trie, rows)
        assert len(found) <= rows
        assert all(any(low <= first and last <= high for _, low, high in found) for first, last in items)
        opened.append(sum(high - low + 1 for _, low, high in found))

    assert sorted(opened, reverse=True) == opened
    assert 96 == opened[-1]
