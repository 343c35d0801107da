"""The fewest extra addresses: which so many CIDR blocks cover a set of addresses and open the least beyond it.

An exact optimum, by a dynamic programme over the binary trie of the addresses to be covered. Rules: what is open
already costs nothing; a block of all addresses of a version is never used; the same sets give the same blocks.

*Leaves.* Let `open` be everything that may be open anyway: the addresses to be covered, the other needed ones and those
that are admitted. A block that opens nothing else lies in one of the widest blocks of `open`; so the widest ones with
something to cover in them, each narrowed to what is to be covered, are the fewest blocks that cost nothing.

*Joints.* Blocks are nested or disjoint, so an optimum has disjoint ones, and each holds the leaves below one joint: one
place of the trie where leaves part. Of all blocks around the same leaves the joint's own is the narrowest. Joining the
`n` leaves below a joint to one block saves `n - 1` blocks and opens its size less what of it is open already.

*Recurrence.* `least(joint, saved)` is the smallest number of addresses opened below a joint if `saved` blocks are
saved: for `saved = n - 1` its own cost, else the minimum over `i` of `least(left, i) + least(right, saved - i)`.
Both halves of the address space, and both versions, part above every block: their joints cost what nobody can pay.

*Bound.* For any price of `p / q` addresses a saved block, `q * cost - p * saved` is least by choosing at each joint the
better of two: one pass. The prices that matter are the slopes of the lower hull of all (saved, cost); the search ends
with a plan that saves enough, `upper`, and a price at which nothing is below `best`. Where the priced cost of a choice
below a joint is more than `q * upper - p * wanted - best` above the least there is, the choice is in no plan that saves
`wanted` and costs at most `upper`: its entry of the table is left out. So are entries of more blocks than there are
rows, and those that save more than is wanted and cost no less than another that saves enough. Nothing else is left out,
so the answer is exact; and tables that could be as long as the leaves are many have a few dozen entries for real lists.
For lists
as regular as a ruler they are up to as long as the rows are many.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from extlink.domain.address import BITS, Version
from extlink.domain.range_set import Interval, Intervals, Measure, blocks

__all__ = ["Trie", "cheapest_blocks", "plant"]

# More than any sum of sizes and prices can come to; a joint with this cost is never a block.
_NEVER: Final = 1 << 512

Block = tuple[Version, int, int]
_Row = tuple[int, list[int]]


@attrs.frozen(kw_only=True)
class Trie:
    """The leaves in ascending order, then the joints, each after what is below it; a place counts through both.

    Args:
        leaves: the fewest blocks that cover everything and open nothing.
        joints: of each joint the places of its two sides.
        counts: how many leaves are below it.
        blocks: the block that it is.
        costs: how many addresses that block opens.
    """

    leaves: tuple[Block, ...]
    joints: tuple[tuple[int, int], ...]
    counts: tuple[int, ...]
    blocks: tuple[Block, ...]
    costs: tuple[int, ...]

    @property
    def fewest(self) -> int:
        """The fewest blocks that can cover everything, whatever they open: one for each half of each version."""
        return len({(version, first >> BITS[version] - 1) for version, first, _ in self.leaves})


def hull(version: Version, first: int, last: int) -> Block:
    """Return the narrowest block around two addresses."""
    height = (first ^ last).bit_length()
    low = first >> height << height
    return version, low, low + (1 << height) - 1


def _leaves(version: Version, missing: Sequence[Interval], free: Sequence[Interval]) -> Iterator[Block]:
    firsts = [first for first, _ in missing]
    lasts = [last for _, last in missing]
    for low, high in blocks(free, 1 << BITS[version] - 1):
        start, end = bisect_left(lasts, low), bisect_right(firsts, high)
        if start < end:
            yield hull(version, max(low, firsts[start]), min(high, lasts[end - 1]))


def plant(missing: Intervals, free: Mapping[Version, Sequence[Interval]]) -> Trie:
    """Return the trie of the addresses to be covered.

    Args:
        missing: what is to be covered, merged.
        free: what costs nothing, merged; all of `missing` and more.
    """
    leaves = tuple(leaf for version, items in missing.items() for leaf in _leaves(version, items, free[version]))
    measures = {version: Measure(items) for version, items in free.items()}
    joints: list[tuple[int, int]] = []
    counts = [1] * len(leaves)
    found: list[Block] = []
    costs: list[int] = []
    for left, right, block in _joints(leaves):
        joints.append((left, right))
        counts.append(counts[left] + counts[right])
        found.append(block)
        version, first, last = block
        whole = last - first + 1 == 1 << BITS[version]
        costs.append(_NEVER if whole else last - first + 1 - measures[version].of(first, last))
    return Trie(
        leaves=leaves,
        joints=tuple(joints),
        counts=tuple(counts[len(leaves) :]),
        blocks=tuple(found),
        costs=tuple(costs),
    )


def _joints(leaves: Sequence[Block]) -> Iterator[tuple[int, int, Block]]:
    """Yield the places of both sides of each joint and its block, those below before those above."""
    place = len(leaves)
    # Of every open side its place and first address; between two of them, how high their joint is.
    sides: list[tuple[int, Block]] = []
    heights: list[int] = []
    for i, leaf in enumerate((*leaves, None)):
        height = _height(leaves[i - 1], leaf) if i else 0
        while heights and heights[-1] < height:
            heights.pop()
            right, high = sides.pop()
            left, low = sides.pop()
            block = hull(low[0], low[1], high[2]) if low[0] == high[0] else (low[0], 0, (1 << BITS[low[0]]) - 1)
            yield left, right, block
            sides.append((place, block))
            place += 1
        if leaf:
            sides.append((i, leaf))
            heights += [height] if i else []


def _height(before: Block, leaf: Block | None) -> int:
    """Return how many bits below the root two neighbours part; both versions above all, and the end above that."""
    if leaf is None:
        return BITS[6] + 2
    return BITS[6] + 1 if before[0] != leaf[0] else (before[1] ^ leaf[1]).bit_length()


def _priced(trie: Trie, p: int, q: int) -> tuple[list[int], int]:
    """Return for every place the least `q * cost - p * saved` below it, and how much the whole saves there."""
    least = [0] * len(trie.leaves)
    saved = [0] * len(trie.leaves)
    for (left, right), count, cost in zip(trie.joints, trie.counts, trie.costs, strict=True):
        apart, joined = least[left] + least[right], q * cost - p * (count - 1)
        least.append(min(apart, joined))
        saved.append(count - 1 if joined <= apart else saved[left] + saved[right])
    return least, saved[-1]


@attrs.frozen(kw_only=True)
class _Bound:
    """The price of the search's end, the least at every place for it, and how much more may still be in an optimum."""

    p: int
    q: int
    least: list[int]
    slack: int


def _bound(trie: Trie, wanted: int) -> _Bound:
    """Search the edge of the lower hull over `wanted`: from a plan that saves less to one that saves enough."""
    few, few_cost = 0, 0
    least, many = _priced(trie, _NEVER >> 128, 1)
    many_cost = least[-1] + (_NEVER >> 128) * many
    while True:
        p, q = many_cost - few_cost, many - few
        least, saved = _priced(trie, p, q)
        if least[-1] == q * few_cost - p * few:
            return _Bound(p=p, q=q, least=least, slack=q * many_cost - p * wanted - least[-1])
        cost = (least[-1] + p * saved) // q
        if saved < wanted:
            few, few_cost = saved, cost
        else:
            many, many_cost = saved, cost


def _tables(trie: Trie, bound: _Bound, rows: int) -> list[_Row]:
    """Return `least(place, saved)` for every place, as the first `saved` that is kept and the costs from it on."""
    wanted = len(trie.leaves) - rows
    tables: list[_Row] = [(0, [0])] * len(trie.leaves)
    for (left, right), count, cost in zip(trie.joints, trie.counts, trie.costs, strict=True):
        low, costs = _convolved(tables[left], tables[right])
        # Only joining all leaves reaches the last entry, and only that entry means it.
        costs += [_NEVER] * (count - 1 - low - len(costs)) + [cost]
        most = bound.least[len(tables)] + bound.slack
        kept = [
            saved
            for saved in range(max(low, count - rows), low + _cheapest(costs, wanted - low) + 1)
            if bound.q * costs[saved - low] - bound.p * saved <= most
        ]
        # Nothing is kept where every optimum joins a wider block.
        tables.append((kept[0], costs[kept[0] - low : kept[-1] + 1 - low]) if kept else (0, [_NEVER]))
    return tables


def _cheapest(costs: Sequence[int], enough: int) -> int:
    """Return the first place of the smallest cost from `enough` on; the last place, if that is beyond it."""
    return min(range(max(enough, 0), len(costs)), key=costs.__getitem__, default=len(costs) - 1)


def _convolved(one: _Row, other: _Row) -> _Row:
    """Return the least costs of both sides together, for each sum of what they save."""
    short, long = sorted((one[1], other[1]), key=len)
    width = len(long)
    costs = [_NEVER] * (len(short) + width - 1)
    for i, cost in enumerate(short):
        costs[i : i + width] = map(min, costs[i : i + width], [cost + more for more in long])
    return one[0] + other[0], costs


def cheapest_blocks(trie: Trie, rows: int) -> tuple[Block, ...]:
    """Return the blocks, at most `rows`, that cover everything and open the fewest addresses; ascending, IPv4 first.

    Args:
        trie: what is to be covered.
        rows: at least `trie.fewest`.
    """
    wanted = len(trie.leaves) - rows
    if wanted <= 0:
        return trie.leaves
    tables = _tables(trie, _bound(trie, wanted), rows)
    low, costs = tables[-1]
    return tuple(_chosen(trie, tables, low + _cheapest(costs, wanted - low)))


def _chosen(trie: Trie, tables: Sequence[_Row], saved: int) -> Iterator[Block]:
    """Walk down from the root: a joint that saves all it can is a block, any other is split as its table was made."""
    leaves = len(trie.leaves)
    waiting = [(len(tables) - 1, saved)]
    while waiting:
        place, saved = waiting.pop()
        if place < leaves:
            yield trie.leaves[place]
        elif saved == trie.counts[place - leaves] - 1:
            yield trie.blocks[place - leaves]
        else:
            left, right = trie.joints[place - leaves]
            part = _split(tables[left], tables[right], saved)
            waiting += [(right, saved - part), (left, part)]


def _split(left: _Row, right: _Row, saved: int) -> int:
    """Return how much the left side saves where both together cost least; the smallest of several."""
    (low, costs), (low_right, costs_right) = left, right
    parts = range(max(low, saved - low_right - len(costs_right) + 1), min(low + len(costs) - 1, saved - low_right) + 1)
    return min(parts, key=lambda part: costs[part - low] + costs_right[saved - part - low_right])
