"""What changed between two files: exactly the true changes of the real timelines, and of every small world."""

from __future__ import annotations

import gzip
import ipaddress
import json
import pickle
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, strategies as st

from extlink.domain.address import AddressRange, merge, parse_range
from extlink.errors import InvalidInput
from extlink.feeds import Changes, Group, GroupChange, PublishedRanges, SetAside, diff, read_service_tags
from tests.strange import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

Ranges = tuple[AddressRange, ...]


def group(name: str, *ranges: AddressRange | str, version: str = "1", aside: tuple[SetAside, ...] = ()) -> Group:
    """Return a list of these ranges."""
    items = tuple(parse_range(item) if isinstance(item, str) else item for item in ranges)
    return Group(name=name, version=version, region="", ranges=items, set_aside=aside)


def published(
    *groups: Group, source: str = "azure-service-tags", cloud: str = "Public", version: str = "1"
) -> PublishedRanges:
    """Return a file of these lists."""
    by_name = {one.name: one for one in groups}
    return PublishedRanges(source=source, cloud=cloud, version=version, published=None, groups=by_name)


def texts(ranges: Ranges) -> list[str]:
    """Return ranges as texts."""
    return [item.text for item in ranges]


def test_a_change_is_told_by_list() -> None:
    """Added and removed addresses, as few intervals as there can be, with both versions; what is equal is not told."""
    old = published(
        group("Same", "20.1.0.0/24"),
        group("Moved", "20.2.0.0/24", "20.2.1.0/24", "2603::/32", version="7"),
        group("Gone", "20.3.0.0/24", version="3"),
        version="41",
    )
    new = published(
        group("New", "20.4.0.0/25", "20.4.0.128/25", version="1"),
        group("Moved", "20.2.1.0/25", "20.2.2.0/24", "20.2.3.0/24", "2603::/32", version="8"),
        group("Same", "20.1.0.0/24"),
        version="42",
    )
    found = diff(old, new)

    assert found
    assert ("azure-service-tags", "Public", "41", "42") == (found.source, found.cloud, found.before, found.after)
    assert (("New",), ("Gone",)) == (found.appeared, found.vanished)
    assert [
        ("New", None, "1", ["20.4.0.0/24"], []),
        ("Moved", "7", "8", ["20.2.2.0/23"], ["20.2.0.0/24", "20.2.1.128/25"]),
        ("Gone", "3", None, [], ["20.3.0.0/24"]),
    ] == [(one.name, one.before, one.after, texts(one.added), texts(one.removed)) for one in found.groups]
    assert not any(one.inconsistent for one in found.groups)
    assert found == pickle.loads(pickle.dumps(found))  # noqa: S301 - our own bytes


def test_a_number_alone_is_no_change() -> None:
    """A version, an order, other blocks of the same addresses and what is set aside change no list."""
    old = published(group("A", "20.1.0.0/24", "20.1.1.0/24", version="1"))
    aside = (SetAside("10.0.0.0/8", "private"),)

    for items in (["20.1.0.0/24", "20.1.1.0/24"], ["20.1.1.0/24", "20.1.0.0/24"], ["20.1.0.0/23"]):
        found = diff(old, published(group("A", *items, version="2", aside=aside), version="2"))
        assert not found
        assert Changes(source="azure-service-tags", cloud="Public", before="1", after="2", groups=()) == found


def test_a_change_under_one_version_is_inconsistent() -> None:
    """The vendor says a number changes with the list; where it did not, the change is told and marked."""
    (change,) = diff(published(group("A", "20.1.0.0/24")), published(group("A", "20.1.0.0/25"))).groups

    assert change.inconsistent
    assert ((), ["20.1.0.128/25"]) == (change.added, texts(change.removed))


def test_a_list_without_ranges_appears() -> None:
    """A new list is told though it lets nobody in yet."""
    found = diff(published(), published(group("A")))

    assert (GroupChange(name="A", before=None, after="1", added=(), removed=()),) == found.groups


@pytest.mark.parametrize("changes", [{"cloud": "China"}, {"source": "aws-ip-ranges"}])
def test_two_clouds_are_never_compared(changes: Any) -> None:
    """A difference between two clouds would take every row away; it is refused, and says what came."""
    with pytest.raises(InvalidInput, match="new: expected a file of 'azure-service-tags' for 'Public'") as refusal:
        diff(published(), published(**changes))

    assert ascii(next(iter(changes.values()))) in refusal.value.problem


@given(value=ANYTHING)
def test_anything_else_is_refused(value: Any) -> None:
    """Law 13: only two published files are compared."""
    for field, pair in (("old", (value.make(), published())), ("new", (published(), value.make()))):
        with pytest.raises(InvalidInput) as refusal:
            diff(*pair)
        assert field == refusal.value.field


SMALL = 64
BASE: Final = {4: int(ipaddress.ip_address("20.0.0.0")), 6: int(ipaddress.ip_address("2603::"))}
INTERVALS = st.builds(
    lambda version, ends: AddressRange(
        version=version, first=BASE[version] + min(ends), last=BASE[version] + max(ends)
    ),
    st.sampled_from([4, 6]),
    st.tuples(st.integers(0, SMALL - 1), st.integers(0, SMALL - 1)),
)
WORLDS = st.dictionaries(
    st.sampled_from("AB"),
    st.tuples(st.lists(INTERVALS, max_size=5), st.sampled_from(["1", "2"])),
).map(lambda lists: published(*(group(name, *items, version=version) for name, (items, version) in lists.items())))


def addresses(one: Group | Ranges | None) -> set[tuple[int, int]]:
    """Return every single address of a list."""
    ranges = one.ranges if isinstance(one, Group) else one or ()
    return {(item.version, value) for item in ranges for value in range(item.first, item.last + 1)}


def is_exact(
    compare: Callable[[PublishedRanges, PublishedRanges], Changes], old: PublishedRanges, new: PublishedRanges
) -> bool:
    """Tell whether a comparison tells just the lists that changed, and of each every address once, in few intervals."""
    told = {change.name: change for change in compare(old, new).groups}
    for name in {*old.groups, *new.groups}:
        before, after = old.groups.get(name), new.groups.get(name)
        changed = not before or not after or addresses(before) != addresses(after)
        if changed != (name in told):
            return False
        if changed:
            found = told[name]
            sides = (
                (found.added, addresses(after) - addresses(before)),
                (found.removed, addresses(before) - addresses(after)),
            )
            versions = (before.version if before else None, after.version if after else None)
            if any(addresses(ranges) != wanted or merge(ranges) != ranges for ranges, wanted in sides):
                return False
            if (found.before, found.after) != versions or found.inconsistent != (versions[0] == versions[1]):
                return False
    return len(told) == len(compare(old, new).groups)


@given(old=WORLDS, new=WORLDS)
def test_every_difference_is_exact(old: PublishedRanges, new: PublishedRanges) -> None:
    """Address by address, in every small world."""
    assert is_exact(diff, old, new)


def by_text(old: PublishedRanges, new: PublishedRanges) -> Changes:
    """Broken twin: compares the ranges as they are written."""
    found = [
        GroupChange(
            name=name,
            before=old.groups[name].version,
            after=new.groups[name].version,
            added=tuple(item for item in new.groups[name].ranges if item not in old.groups[name].ranges),
            removed=tuple(item for item in old.groups[name].ranges if item not in new.groups[name].ranges),
        )
        for name in old.groups
        if old.groups[name].ranges != new.groups[name].ranges
    ]
    return Changes(source="", cloud="", before="", after="", groups=tuple(found))


def by_version(old: PublishedRanges, new: PublishedRanges) -> Changes:
    """Broken twin: believes the vendor's numbers."""
    groups = tuple(change for change in diff(old, new).groups if not change.inconsistent)
    return Changes(source="", cloud="", before="", after="", groups=groups)


@pytest.mark.parametrize("twin", [by_text, by_version])
def test_wrong_comparisons_are_caught(twin: Callable[[PublishedRanges, PublishedRanges], Changes]) -> None:
    """The same check fails for a comparison of texts, and for one of version numbers."""
    old = published(group("A", "20.0.0.0/28", "20.0.0.16/28"))
    same, other = published(group("A", "20.0.0.0/27", version="2")), published(group("A", "20.0.0.0/28"))

    assert is_exact(diff, old, same)
    assert is_exact(diff, old, other)
    assert not (is_exact(twin, old, same) and is_exact(twin, old, other))


# transitions, and how many of them change nothing: SOURCES.md and issue text have the same figures
TIMELINES = {
    "Public_upto_cn342": (210, 119),
    "AzureGovernment_upto_cn380": (61, 51),
    "China_upto_cn362": (7, 7),
}


def replay(lines: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], PublishedRanges]]:
    """Yield each line of a timeline with the file as it was then, of which only some tags are known."""
    state: dict[str, Group] = {}
    for line in lines:
        for name, change in line["set"].items():
            before = dict.fromkeys(state[name].ranges if name in state else ())
            before.update(dict.fromkeys(parse_range(item) for item in change["add"]))
            for item in change["del"]:
                del before[parse_range(item)]
            state[name] = group(name, *before, version=str(change["changeNumber"]))
        for name in line["removed"]:
            del state[name]
        yield line, published(*state.values(), cloud=line["cloud"], version=str(line["changeNumber"]))


def collapsed(*lists: Iterable[str]) -> tuple[list[str], int]:
    """Return texts as the standard library merges them, and how many addresses they are."""
    parsed = [ipaddress.ip_network(item) for items in lists for item in items]
    ipv4 = [*ipaddress.collapse_addresses(item for item in parsed if isinstance(item, ipaddress.IPv4Network))]
    ipv6 = [*ipaddress.collapse_addresses(item for item in parsed if isinstance(item, ipaddress.IPv6Network))]
    size = sum(item.num_addresses for item in ipv4) + sum(item.num_addresses for item in ipv6)
    return [*map(str, ipv4), *map(str, ipv6)], size


def blocks(ranges: Iterable[AddressRange]) -> list[str]:
    """Return ranges as texts of blocks."""
    return [block.text for item in ranges for block in item.cidrs()]


def leads(old: Group | None, new: Group | None, change: GroupChange) -> bool:
    """Tell, by the standard library, whether a change has just what one list has and the other has not.

    Added to the older list and removed from the newer, both make the union of the two, and no address is counted twice.
    """
    first, last = ([item.text for item in one.ranges] if one else [] for one in (old, new))
    added, removed = blocks(change.added), blocks(change.removed)
    union, size = collapsed(first, last)
    return (
        union == collapsed(first, added)[0] == collapsed(last, removed)[0]
        and size == collapsed(first)[1] + collapsed(added)[1] == collapsed(last)[1] + collapsed(removed)[1]
    )


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize("name", TIMELINES)
def test_a_replay_tells_exactly_the_true_changes(realdata: Path, name: str) -> None:
    """Of all weekly files: who is told, and with which ranges, is what the archive says; most weeks tell nothing."""
    data = gzip.decompress((realdata / "servicetags" / f"timeline_{name}.jsonl.gz").read_bytes())
    files = list(replay([json.loads(line) for line in data.splitlines()]))
    silent = 0
    for (_, old), (line, new) in pairwise(files):
        found = diff(old, new)
        told = {change.name: change for change in found.groups}
        silent += not found
        assert line["set"].keys() | set(line["removed"]) == told.keys()
        assert set(line["removed"]) == set(found.vanished)
        assert not any(change.inconsistent for change in found.groups)
        for tag, change in told.items():
            assert leads(old.groups.get(tag), new.groups.get(tag), change)

    assert TIMELINES[name] == (len(files) - 1, silent)


PAIRS = [
    ("Public_cn250_2023-04-19", "Public_cn342_2025-01-23"),
    ("China_cn354_2025-05-15", "China_cn362_2025-07-28"),
    ("AzureGovernment_cn313_2024-07-08", "AzureGovernment_cn380_2026-01-11"),
]


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_whole_files_lead_to_each_other(realdata: Path, before: str, after: str) -> None:
    """What is added to the older file and removed from it makes the newer one, tag by tag, and nothing is both."""
    old, new = (
        read_service_tags(gzip.decompress((realdata / "servicetags" / f"ServiceTags_{name}.json.gz").read_bytes()))
        for name in (before, after)
    )
    found = diff(old, new)
    told = {change.name: change for change in found.groups}

    for name in {*old.groups, *new.groups}:
        first, last = old.groups.get(name), new.groups.get(name)
        if name in told:
            assert leads(first, last, told[name])
            assert told[name].added or told[name].removed or not first or not last
        else:
            assert first
            assert last
            assert merge(first.ranges) == merge(last.ranges)
    assert set(found.appeared) == new.groups.keys() - old.groups.keys()
    assert set(found.vanished) == old.groups.keys() - new.groups.keys()
