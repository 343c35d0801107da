"""Coverage: equal to asking for every address, at every boundary; with broken twins."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction

import attrs
import pytest
from hypothesis import find, given, settings, strategies as st

from extlink.domain.address import Address, AddressRange, Version, parse_range
from extlink.domain.coverage import Coverage, coverage
from extlink.domain.network import IPRestriction, Mode, Row
from extlink.errors import InvalidInput
from tests.strange import ANYTHING, Recipe

LOWS: dict[Version, int] = {4: 2**32 - 32, 6: 2**128 - 32}
MODES: tuple[Mode, ...] = ("allow_all", "deny_all", "allow_some")
Case = tuple[Mode, list[Row], list[Row], bool]
Maker = Callable[[IPRestriction, Sequence[Row], bool], Coverage]


def block(version: Version, number: int, length: int, source: str) -> Row:
    """Return the row of a block of 2**length addresses in a version's last 32."""
    first = LOWS[version] + (number >> length << length)
    return Row(range=AddressRange(version=version, first=first, last=first + (1 << length) - 1), source=source)


ROW = st.builds(block, st.sampled_from([4, 4, 6]), st.integers(0, 31), st.integers(0, 4), st.sampled_from("ab"))
CASES = st.tuples(st.sampled_from(MODES), st.lists(ROW, max_size=6), st.lists(ROW, max_size=6), st.booleans())


def ours(restriction: IPRestriction, needed: Sequence[Row], ipv4_only: bool) -> Coverage:
    """Make the library's answer."""
    return coverage(restriction, needed, ipv4_only=ipv4_only)


def addresses(ranges: Sequence[AddressRange]) -> set[Address]:
    """Return every address of ranges."""
    return {Address(item.version, number) for item in ranges for number in range(item.first, item.last + 1)}


def is_wrong(make: Maker, case: Case) -> bool:
    """Tell whether an answer differs from asking the restriction for every needed address, in any part."""
    mode, rows, needed, ipv4_only = case
    restriction = IPRestriction(mode, rows)
    found = make(restriction, needed, ipv4_only)
    need = addresses([row.range for row in needed])
    apart = {item for item in need if item.version == 6 and ipv4_only and mode != "allow_all"}
    asked = need - apart
    admitted = {item for item in asked if restriction.admits(item)}
    by_row = {row: sum(restriction.row_for(item) == row for item in asked) for row in restriction.rows}
    by_source = {
        source: (len(own & asked), len(own & admitted), len(own & apart))
        for source in {row.source for row in needed}
        for own in [addresses([row.range for row in needed if row.source == source])]
    }
    return (
        (admitted, asked - admitted, apart)
        != (addresses(found.admitted), addresses(found.missing), addresses(found.inexpressible))
        or (len(admitted), len(asked - admitted)) != (found.admitted_addresses, found.missing_addresses)
        or (by_row if mode == "allow_some" else {}) != {item.row: item.admitted for item in found.by_row}
        or by_source != {one.source: (one.needed, one.admitted, one.inexpressible) for one in found.by_source}
        or found.share != (Fraction(len(admitted), len(asked)) if asked else None)
        or any(one.missing + one.admitted != one.needed for one in found.by_source)
    )


@given(CASES)
def test_coverage_equals_asking_for_every_address(case: Case) -> None:
    """What is admitted, missing and inexpressible, by row and by source: as `row_for` and `admits` say, one by one."""
    assert not is_wrong(ours, case)


def one_address(restriction: IPRestriction, needed: Sequence[Row], ipv4_only: bool) -> Coverage:
    """Broken twin: a range is admitted if its first address is."""
    firsts = [row for row in needed if restriction.admits(Address(row.range.version, row.range.first))]
    wide = (
        IPRestriction("allow_some", [*restriction.rows, *firsts]) if restriction.mode == "allow_some" else restriction
    )
    return coverage(wide, needed, ipv4_only=ipv4_only)


def forgets_ipv6(restriction: IPRestriction, needed: Sequence[Row], ipv4_only: bool) -> Coverage:
    """Broken twin: what the list cannot express is left out as if nobody needed it."""
    return coverage(
        restriction, [row for row in needed if row.range.version == 4 or not ipv4_only], ipv4_only=ipv4_only
    )


def counts_wide_rows(restriction: IPRestriction, needed: Sequence[Row], ipv4_only: bool) -> Coverage:
    """Broken twin: rows are counted however narrow another one inside them is."""
    found = coverage(restriction, needed, ipv4_only=ipv4_only)
    wide = [
        attrs.evolve(
            item,
            admitted=coverage(IPRestriction("allow_some", [item.row]), needed, ipv4_only=ipv4_only).admitted_addresses,
        )
        for item in found.by_row
    ]
    return attrs.evolve(found, by_row=tuple(wide))


@pytest.mark.parametrize("twin", [one_address, forgets_ipv6, counts_wide_rows])
def test_a_broken_coverage_is_found(twin: Maker) -> None:
    """The check is able to fail."""
    find(
        CASES,
        lambda case: is_wrong(twin, case),
        settings=settings(max_examples=2_000, derandomize=True, database=None),
        random=random.Random(1),
    )


@given(CASES, st.randoms(use_true_random=False))
def test_order_and_repetitions_change_nothing(case: Case, draw: random.Random) -> None:
    """Law 2: shuffled and given twice, rows and needs have an equal coverage, minimal and ascending."""
    mode, rows, needed, ipv4_only = case
    # Of two rows of one range one is kept, by a rule that does not look at the order either.
    twice, again = [*rows, *rows], [*needed, *needed]
    draw.shuffle(twice)
    draw.shuffle(again)
    found = coverage(IPRestriction(mode, rows), needed, ipv4_only=ipv4_only)

    assert found == coverage(IPRestriction(mode, twice), again, ipv4_only=ipv4_only)


@pytest.mark.parametrize("mode", MODES)
def test_no_data_is_no_share(mode: Mode) -> None:
    """Nothing needed, or nothing that the list can express, is unknown and never 100 %."""
    six = Row(range=parse_range("2603:1040:407:402::180/122"), source="tags")
    nothing = coverage(IPRestriction(mode), [], ipv4_only=True)
    foreign = coverage(IPRestriction(mode, [six]), [six], ipv4_only=True)

    assert (None, 0, ()) == (nothing.share, nothing.needed_addresses, nothing.by_source)
    if mode == "allow_all":
        assert (Fraction(1), ()) == (foreign.share, foreign.inexpressible)
    else:
        assert (None, (six.range,), ()) == (foreign.share, foreign.inexpressible, foreign.admitted)
        assert (None, 64) == (foreign.by_source[0].share, foreign.by_source[0].inexpressible)


def test_a_source_has_its_own_share() -> None:
    """Three documents, each with its share; addresses that two of them have count once in the whole."""
    restriction = IPRestriction("allow_some", [Row(range=parse_range("20.0.0.0/25"))])
    needed = [
        Row(range=parse_range("20.0.0.0/24"), source="azure"),
        Row(range=parse_range("20.0.0.0/25"), source="power-automate"),
        Row(range=parse_range("20.0.1.0/24"), source="office-365"),
    ]
    found = coverage(restriction, needed, ipv4_only=True)

    assert Fraction(1, 4) == found.share
    assert {"azure": Fraction(1, 2), "office-365": Fraction(0), "power-automate": Fraction(1)} == {
        item.source: item.share for item in found.by_source
    }


@given(ANYTHING)
def test_any_object_is_covered_or_invalid(recipe: Recipe) -> None:
    """Law 13: whatever is handed over, there is a value or an InvalidInput."""
    calls: tuple[Callable[[], Coverage], ...] = (
        lambda: coverage(recipe.make(), [], ipv4_only=True),  # type: ignore[arg-type]
        lambda: coverage(IPRestriction(), recipe.make(), ipv4_only=True),  # type: ignore[arg-type]
        lambda: coverage(IPRestriction(), [recipe.make()], ipv4_only=True),  # type: ignore[list-item]
        lambda: coverage(IPRestriction(), [], ipv4_only=recipe.make()),  # type: ignore[arg-type]
    )
    for call in calls:
        try:
            call()
        except InvalidInput:
            continue
