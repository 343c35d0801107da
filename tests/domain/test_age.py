"""Age: rows older than they should be, and what newer lists have that a restriction lacks."""

from __future__ import annotations

import itertools
from datetime import date

import pytest
from hypothesis import given, strategies as st

from extlink.domain.address import parse_range
from extlink.domain.age import Incomplete, Release, StaleRow, incomplete_since, stale
from extlink.domain.instant import Instant
from extlink.domain.network import IPRestriction, Mode, Row
from extlink.domain.range_set import count, subtract
from extlink.errors import InvalidInput
from tests.strange import ANYTHING, Recipe

NOW = Instant(1591660800)  # 2020-06-09T00:00:00Z
OLD = Row(range=parse_range("20.0.0.0/24"), source="tags", published=date(2020, 3, 10))
DUE = Row(range=parse_range("20.0.1.0/24"), source="tags", published=date(2020, 3, 11))
UNKNOWN = Row(range=parse_range("20.0.2.0/24"), source="tags")
BY_HAND = Row(range=parse_range("20.0.3.0/24"), memo="office", published=date(2001, 1, 1))
FUTURE = Row(range=parse_range("20.0.4.0/24"), source="tags", published=date(2031, 1, 1))
SIX = Row(range=parse_range("2603:1040::/32"), source="tags")
ALL = [SIX, FUTURE, BY_HAND, UNKNOWN, DUE, OLD]


@pytest.mark.parametrize("mode", ["allow_all", "deny_all", "allow_some"])
def test_rows_older_than_ninety_days_are_stale(mode: Mode) -> None:
    """91 days old is, 90 is not; an unknown day is never fresh; what a person wrote is never stale, in any mode."""
    found = stale(IPRestriction(mode, ALL), NOW)

    assert (StaleRow(row=OLD, days=91), StaleRow(row=UNKNOWN, days=None), StaleRow(row=SIX, days=None)) == found
    assert found == stale(IPRestriction(mode, ALL[::-1]), Instant(NOW + 86_399))


def test_the_age_is_the_callers() -> None:
    """Any number of days; of 0 everything that is not of today."""
    restriction = IPRestriction("allow_some", ALL)

    assert [91, 90, None, None] == [item.days for item in stale(restriction, NOW, older_than_days=0)]
    assert [None, None] == [item.days for item in stale(restriction, NOW, older_than_days=91)]


def release(version: str, *rows: Row) -> Release:
    """Return a list of that version."""
    return Release(version=version, published=None, rows=rows)


def test_what_is_missing_is_exact_and_has_a_beginning() -> None:
    """Only what today's list has and no row admits; since the first list that had any of it."""
    half = Row(range=parse_range("20.0.1.0/25"))
    gone = Row(range=parse_range("20.0.9.0/24"))
    releases = [release("1", OLD), release("2", OLD, gone), release("3", OLD, DUE), release("4", OLD, DUE, SIX)]

    found = incomplete_since(IPRestriction("allow_some", [OLD, half]), releases)

    assert Incomplete(missing=(parse_range("20.0.1.128/25"),), addresses=128, since=releases[2]) == found
    # What was needed once and is not today is not missing; nor is IPv6, where the list cannot take it.
    assert incomplete_since(IPRestriction("allow_some", [OLD, DUE]), releases) is None
    both = incomplete_since(IPRestriction("allow_some", [OLD, DUE]), releases, ipv4_only=False)
    assert both is not None
    assert ("4", (SIX.range,)) == (both.since.version, both.missing)
    assert incomplete_since(IPRestriction(), releases) is None
    assert incomplete_since(IPRestriction("deny_all"), []) is None


@given(
    st.lists(st.lists(st.sampled_from([OLD, DUE, UNKNOWN, FUTURE]), max_size=4), max_size=5),
    st.sets(st.sampled_from([OLD, DUE])),
)
def test_incomplete_equals_looking_at_every_list(lists: list[list[Row]], kept: set[Row]) -> None:
    """The missing addresses are those of the last list without the rows; no earlier list had any of them."""
    releases = [release(str(i), *rows) for i, rows in enumerate(lists)]
    found = incomplete_since(IPRestriction("allow_some", kept), releases)
    missing = {row for row in lists[-1] if row not in kept} if lists else set[Row]()

    assert bool(missing) == (found is not None)
    if found is not None:
        assert sum(row.range.size for row in missing) == found.addresses == count(found.missing)
        assert () == subtract(found.missing, [row.range for row in missing])
        assert str(next(i for i, rows in enumerate(lists) if missing & set(rows))) == found.since.version


def test_a_list_without_an_end_is_refused() -> None:
    """Nothing is read for ever."""
    with pytest.raises(InvalidInput, match="newer: expected at most 10,000 lists"):
        incomplete_since(IPRestriction(), itertools.repeat(release("1")))


@given(ANYTHING)
def test_any_object_has_an_age_or_is_invalid(recipe: Recipe) -> None:
    """Law 13: whatever is handed over, there is a value or an InvalidInput."""
    some = IPRestriction("allow_some", ALL)
    for call in (
        lambda: stale(recipe.make(), NOW),  # type: ignore[arg-type]
        lambda: stale(some, recipe.make()),  # type: ignore[arg-type]
        lambda: stale(some, NOW, older_than_days=recipe.make()),  # type: ignore[arg-type]
        lambda: incomplete_since(recipe.make(), []),  # type: ignore[arg-type]
        lambda: incomplete_since(some, recipe.make()),  # type: ignore[arg-type]
        lambda: incomplete_since(some, [recipe.make()]),  # type: ignore[list-item]
        lambda: incomplete_since(some, [], ipv4_only=recipe.make()),  # type: ignore[arg-type]
        lambda: Release(version="1", published=None, rows=recipe.make()),  # type: ignore[arg-type]
    ):
        try:
            call()
        except InvalidInput:
            continue
