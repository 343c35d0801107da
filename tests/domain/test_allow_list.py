"""The allow-list plan: keeps what is there, admits what is needed, opens the least; else it has a reason."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path

import attrs
import pytest
from hypothesis import find, given, settings, strategies as st

from extlink.domain.address import AddressRange, parse_range
from extlink.domain.allow_list import Owner, Plan, plan, plan_for_edition
from extlink.domain.coverage import coverage
from extlink.domain.edition import EDITIONS
from extlink.domain.network import IPRestriction, Mode, Row
from extlink.domain.range_set import cidrs, subtract
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput
from extlink.feeds.published import PublishedRanges, rows_of
from extlink.feeds.service_tags import read_service_tags
from tests.domain.test_block_cover import CELLS, antichains
from tests.strange import ANYTHING, Recipe

BASE = 20 << 24
MODES: tuple[Mode, ...] = ("allow_all", "deny_all", "allow_some")
Case = tuple[Mode, list[Row], list[Row], int]
Planner = Callable[[IPRestriction, Sequence[Row], int], Plan | Reason]
ONE = Row(range=parse_range("20.89.11.48/28"), memo="AzureConnectors", source="tags:AzureConnectors", version="53")
SIX = Row(range=parse_range("2603:1040:407:402::180/122"), source="tags:AzureConnectors")


def block(cell: int, length: int, source: str = "") -> Row:
    """Return the row of a block of 2**length addresses among the eight of the world."""
    first = BASE + (cell >> length << length)
    return Row(range=AddressRange(version=4, first=first, last=first + (1 << length) - 1), source=source)


ROWS = st.lists(st.builds(block, st.integers(0, CELLS - 1), st.integers(0, 2), st.sampled_from("ab")), max_size=5)
CASES = st.tuples(st.sampled_from(MODES), ROWS, ROWS.filter(bool), st.integers(0, 9))


def cells(ranges: Sequence[AddressRange]) -> int:
    """Return the mask of the world's addresses that ranges have."""
    return sum(1 << cell for cell in range(CELLS) if any(r.first <= BASE + cell <= r.last for r in ranges))


def ours(restriction: IPRestriction, needed: Sequence[Row], limit: int) -> Plan | Reason:
    """Make the library's plan."""
    return plan(restriction, needed, rows=limit)


def is_wrong(planner: Planner, case: Case) -> bool:
    """Tell whether a plan loses a row, admits too little, is too long, opens too much, or is refused for no reason."""
    mode, rows, needed, limit = case
    restriction = IPRestriction(mode, rows)
    found = planner(restriction, needed, limit)
    need, kept = cells([row.range for row in needed]), cells([row.range for row in restriction.rows])
    if mode == "allow_all":
        return isinstance(found, Reason) or found.after != restriction or found.added != () or found.extra != ()
    room = limit - len(restriction.rows)
    covers = [mask for mask, blocks in antichains() if blocks <= room and need & ~kept & ~mask == 0]
    if not covers:
        return found != Reason(
            "network.plan_rows",
            {"rows": len(restriction.rows), "limit": limit, "fewest": int(need & ~kept != 0)},
        )
    if isinstance(found, Reason):
        return True
    fresh = kept if mode == "deny_all" else 0
    least = min((mask & ~(need | kept)).bit_count() for mask in covers) + (fresh & ~need).bit_count()
    after = cells([row.range for row in found.after.rows])
    return (
        found.after.mode != "allow_some"
        or found.after.rows != (*restriction.rows, *found.added)
        or found.rows > limit
        or need & ~after != 0
        or least != found.extra_addresses
        or cells(found.extra) != after & ~need & ~(0 if mode == "deny_all" else kept)
        or found.opened_addresses != (after & ~(0 if mode == "deny_all" else kept)).bit_count()
    )


@settings(max_examples=400)
@given(CASES)
def test_a_plan_equals_brute_force(case: Case) -> None:
    """It keeps every row, admits every need within the rows, and no set of rows opens fewer other addresses."""
    assert not is_wrong(ours, case)


def drops_a_row(restriction: IPRestriction, needed: Sequence[Row], limit: int) -> Plan | Reason:
    """Broken twin: a row that is not needed makes room."""
    found = plan(restriction, needed, rows=limit)
    if isinstance(found, Reason) or restriction.mode == "allow_all":
        return found
    return attrs.evolve(found, after=IPRestriction("allow_some", [*restriction.rows[1:], *found.added]))


def widens(restriction: IPRestriction, needed: Sequence[Row], limit: int) -> Plan | Reason:
    """Broken twin: where the rows do not suffice, more are taken."""
    found = plan(restriction, needed, rows=limit)
    return plan(restriction, needed, rows=limit + 1) if isinstance(found, Reason) else found


def one_block(restriction: IPRestriction, needed: Sequence[Row], limit: int) -> Plan | Reason:
    """Broken twin: one wide row for everything, whatever it opens."""
    found = plan(restriction, needed, rows=len(restriction.rows) + 1)
    return found if limit > len(restriction.rows) else plan(restriction, needed, rows=limit)


@pytest.mark.parametrize("twin", [drops_a_row, widens, one_block])
def test_a_broken_plan_is_found(twin: Planner) -> None:
    """The check is able to fail."""
    find(
        CASES,
        lambda case: is_wrong(twin, case),
        settings=settings(max_examples=2_000, derandomize=True, database=None),
        random=random.Random(1),
    )


@given(CASES, st.randoms(use_true_random=False))
def test_order_and_repetitions_change_nothing(case: Case, draw: random.Random) -> None:
    """Law 2: needs and known lists in any order, given twice, make an equal plan."""
    mode, rows, needed, limit = case
    restriction = IPRestriction(mode, rows)
    again = [*needed, *needed]
    draw.shuffle(again)
    known = [block(0, 3, "x"), block(3, 1, "y")]

    assert plan(restriction, needed, rows=limit, known=known) == plan(
        restriction, again, rows=limit, known=[*known[::-1], *known]
    )


@pytest.mark.parametrize(
    ("needed", "rows", "code"),
    [
        ([], 2_900, "network.plan_no_data"),
        ([], None, "network.plan_no_data"),
        ([ONE], None, "network.plan_limit_unknown"),
        ([SIX], 2_900, "network.plan_ipv6_only"),
        ([ONE, Row(range=parse_range("127.0.0.1"))], 2_900, "network.plan_not_global"),
        ([ONE], 0, "network.plan_rows"),
    ],
)
def test_where_there_is_no_plan_there_is_a_reason(needed: list[Row], rows: int | None, code: str) -> None:
    """Each refusal has its code, a text in three languages and somebody who can help."""
    found = plan(IPRestriction("allow_some"), needed, rows=rows)

    assert isinstance(found, Reason)
    assert code == found.code
    assert found.remedy.who in {"access_administrator", "vendor"}
    for language in ("ja", "en", "zh"):
        assert "{" not in found.text(language) + found.remedy.text(language)


def test_a_plan_that_opens_more_than_it_may_is_none() -> None:
    """Where rows are few even the fewest can be too many: the number is told, and the same bound lets it through."""
    needed = [Row(range=parse_range(text)) for text in ("1.1.1.0", "1.1.1.3")]
    refused = plan(IPRestriction("deny_all"), needed, rows=1, at_most_extra=1)
    allowed = plan(IPRestriction("deny_all"), needed, rows=1, at_most_extra=2)

    assert Reason("network.plan_opens_too_much", {"extra": 2, "most": 1, "rows": 1}) == refused
    assert isinstance(allowed, Plan)
    assert 2 == allowed.extra_addresses
    with pytest.raises(InvalidInput, match="at_most_extra: expected a whole number of addresses"):
        plan(IPRestriction("deny_all"), needed, rows=1, at_most_extra=-1)


def test_needs_in_both_halves_take_two_rows() -> None:
    """No row is ever all addresses: one free row does not suffice, two do, and what they open is said."""
    needed = [Row(range=parse_range(text)) for text in ("1.1.1.1", "200.1.1.1")]
    found = plan(IPRestriction("deny_all"), needed, rows=1)
    enough = plan(IPRestriction("deny_all"), needed, rows=2)

    assert Reason("network.plan_rows", {"rows": 0, "limit": 1, "fewest": 2}) == found
    assert isinstance(enough, Plan)
    assert ["1.1.1.1/32", "200.1.1.1/32"] == [row.text for row in enough.added]


def test_all_but_two_addresses_do_not_make_everything() -> None:
    """Where rows admit the rest of the world already, the last addresses are still added as themselves."""
    whole = [AddressRange(version=4, first=0, last=2**32 - 1)]
    needed = [Row(range=parse_range(text)) for text in ("1.1.1.1", "200.1.1.1")]
    rows = [Row(range=item) for item in cidrs(subtract(whole, [row.range for row in needed]))]
    found = plan(IPRestriction("allow_some", rows), needed, rows=2_900)

    assert isinstance(found, Plan)
    assert (["1.1.1.1/32", "200.1.1.1/32"], 0) == ([row.text for row in found.added], found.extra_addresses)


def test_both_versions_share_the_rows() -> None:
    """Where the list takes IPv6, the rows go where they save the most addresses; else IPv6 is said to stay refused."""
    needed = [ONE, SIX, Row(range=parse_range("20.89.11.80/28"))]
    both = plan(IPRestriction("deny_all"), needed, rows=2, ipv4_only=False)
    alone = plan(IPRestriction("deny_all"), needed, rows=2)

    assert isinstance(both, Plan)
    assert isinstance(alone, Plan)
    assert ["20.89.11.0/25", SIX.text] == [row.text for row in both.added]
    assert (96, 0) == (both.extra_addresses, len(both.inexpressible))
    assert (["20.89.11.48/28", "20.89.11.80/28"], (SIX.range,)) == ([r.text for r in alone.added], alone.inexpressible)


def test_an_added_row_names_what_it_serves() -> None:
    """The row of one list is that list's; a joint one names each, and the day of the oldest, if all are known."""
    one = attrs.evolve(ONE, published=date(2025, 1, 23))
    two = Row(
        range=parse_range("20.89.11.0/28"),
        memo="LogicApps",
        source="tags:LogicApps",
        version="7",
        published=date(2024, 5, 1),
    )
    apart = plan(IPRestriction("deny_all"), [one, two], rows=2)
    joint = plan(IPRestriction("deny_all"), [one, two], rows=1)
    unknown = plan(IPRestriction("deny_all"), [one, attrs.evolve(two, published=None)], rows=1)

    assert isinstance(apart, Plan)
    assert isinstance(joint, Plan)
    assert isinstance(unknown, Plan)
    assert (two, one) == apart.added
    assert joint.added == (
        Row(
            range=parse_range("20.89.11.0/26"),
            memo="AzureConnectors, LogicApps",
            source="tags:AzureConnectors, tags:LogicApps",
            version="53, 7",
            published=date(2024, 5, 1),
        ),
    )
    assert unknown.added[0].published is None


def test_a_row_for_very_many_lists_says_how_many_more() -> None:
    """The texts of a row have an end; what does not fit is counted, and a name that fits nowhere too."""
    many = [attrs.evolve(ONE, memo=f"{i:03}" + "x" * 97, source="s" * 1_000, version="") for i in range(20)]
    found = plan(IPRestriction("deny_all"), [*many, attrs.evolve(ONE, source="t" * 1_000)], rows=1)

    assert isinstance(found, Plan)
    assert found.added[0].memo.endswith("x, +12")
    assert ("2", 1) == (found.added[0].source, len(found.added))


def test_what_is_opened_is_named() -> None:
    """Every block beyond the need, and whose it may be: by list, and how many nobody is known for."""
    needed = [block(0, 0), block(7, 0)]
    found = plan(
        IPRestriction("deny_all"), needed, rows=1, known=[block(2, 1, "b"), block(0, 2, "a"), block(7, 0, "c")]
    )

    assert isinstance(found, Plan)
    assert ["20.0.0.1/32", "20.0.0.2/31", "20.0.0.4/31", "20.0.0.6/32"] == [item.text for item in found.extra]
    assert ((Owner(source="a", addresses=3), Owner(source="b", addresses=2)), 3) == (found.owners, found.unknown)


def test_advice_is_measured() -> None:
    """Allowing a wide list instead: its rows, if they fit, what it opens and leaves out, and how many times more."""
    found = plan(IPRestriction("allow_some", [block(0, 0)]), [block(0, 1), block(4, 0)], rows=4)
    assert isinstance(found, Plan)
    advice = found.compare_with([block(0, 2), SIX])

    assert (1, True, 3, 1, Fraction(3, 2)) == (advice.rows, advice.fits, advice.opened, advice.missing, advice.times)
    nothing = plan(IPRestriction("allow_all"), [block(0, 1)], rows=0)
    assert isinstance(nothing, Plan)
    assert (None, 0) == (nothing.compare_with([block(0, 2)]).times, nothing.compare_with([SIX]).opened)


def test_stored_rows_come_into_force_with_a_plan_and_with_advice() -> None:
    """A tenant that denies all has rows that it does not read: what they open is said, of both."""
    found = plan(IPRestriction("deny_all", [block(0, 0), block(6, 1)]), [block(0, 1)], rows=3)
    assert isinstance(found, Plan)
    advice = found.compare_with([block(0, 2)])

    assert (["20.0.0.1/32"], ["20.0.0.6/31"]) == ([row.text for row in found.added], [one.text for one in found.extra])
    assert (4, 6, Fraction(3, 2), 0) == (found.opened_addresses, advice.opened, advice.times, advice.missing)


@pytest.mark.parametrize(("edition", "code"), [("JP", None), ("US", None), ("CN", "network.not_self_service")])
def test_an_edition_sets_the_limit(edition: str, code: str | None) -> None:
    """Japan and the US have 2,900 rows of IPv4; in China nobody plans for the customer."""
    profile = EDITIONS[edition].network  # type: ignore[index]
    found = plan_for_edition(IPRestriction("deny_all"), [ONE, SIX], profile, edition=edition)

    assert code == (found.code if isinstance(found, Reason) else None)
    if isinstance(found, Plan):
        assert (2_900, (SIX.range,)) == (found.limit, found.inexpressible)


@given(ANYTHING)
def test_any_object_is_planned_or_invalid(recipe: Recipe) -> None:
    """Law 13: whatever is handed over, there is a value or an InvalidInput."""
    some = IPRestriction("allow_some")
    made = plan(some, [ONE], rows=1)
    assert isinstance(made, Plan)
    for call in (
        lambda: plan(recipe.make(), [ONE], rows=1),  # type: ignore[arg-type]
        lambda: plan(some, recipe.make(), rows=1),  # type: ignore[arg-type]
        lambda: plan(some, [ONE], rows=recipe.make()),  # type: ignore[arg-type]
        lambda: plan(some, [ONE], rows=1, ipv4_only=recipe.make()),  # type: ignore[arg-type]
        lambda: plan(some, [ONE], rows=1, known=recipe.make()),  # type: ignore[arg-type]
        lambda: made.compare_with(recipe.make()),  # type: ignore[arg-type]
    ):
        try:
            call()
        except InvalidInput:
            continue


# The tags that the figures of EXPECTED.json are about; "japan" takes the regional tags where there are such.
TAGS = {
    "power_automate_global_4tags": ("AzureConnectors", "LogicApps", "PowerPlatformPlex", "PowerPlatformInfra"),
    "http_actions_3tags": ("LogicApps", "PowerPlatformPlex", "PowerPlatformInfra"),
    "connector_calls": ("AzureConnectors",),
    "japan_4tags": tuple(
        f"{tag}.{region}"
        for tag in ("AzureConnectors", "LogicApps", "PowerPlatformPlex", "PowerPlatformInfra")
        for region in ("JapanEast", "JapanWest")
    ),
    "azure_all": ("AzureCloud",),
}


def read(folder: Path, cloud: str, version: int) -> PublishedRanges:
    """Return one of the real files."""
    (path,) = folder.glob(f"servicetags/ServiceTags_{cloud}_cn{version}_*.json.gz")
    return read_service_tags(gzip.decompress(path.read_bytes()))


@pytest.mark.slow
def test_real_files_need_exactly_as_many_extra_addresses(realdata: Path) -> None:
    """Every file, every set of tags, every number of rows: the figures that another program found."""
    expected, found = {}, {}
    for entry in json.loads((realdata / "servicetags" / "EXPECTED.json").read_text()):
        published = read(realdata, entry["cloud"], entry["changeNumber"])
        for name, fit in entry["fit"].items():
            needed = [row for tag in TAGS[name] if tag in published.groups for row in rows_of(published, tag)]
            for rows, extra in fit["min_extra_addresses_for_K_slots"].items():
                key = entry["cloud"], entry["changeNumber"], name, rows
                made = plan(IPRestriction("deny_all"), needed, rows=int(rows))
                assert isinstance(made, Plan)
                assert Fraction(1) == coverage(made.after, needed, ipv4_only=True).share
                expected[key] = extra
                found[key] = made.extra_addresses

    assert expected == found
    assert len(found) == 79


def test_all_of_azure_is_hundreds_of_times_more(realdata: Path) -> None:
    """The help page's advice, measured: 333 times as many addresses as the plan for 2,900 rows opens."""
    published = read(realdata, "Public", 342)
    needed = [row for tag in TAGS["power_automate_global_4tags"] for row in rows_of(published, tag)]
    cloud = rows_of(published, "AzureCloud")
    found = plan(IPRestriction("deny_all"), needed, rows=2_900, known=cloud)
    assert isinstance(found, Plan)
    advice = found.compare_with(cloud)

    assert (70_774, 70_768, 6) == (found.extra_addresses, found.owners[0].addresses, found.unknown)
    assert (44_730_814, 0, 333) == (advice.opened, advice.missing, round(advice.times or 0))
