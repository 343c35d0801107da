"""The page of Power Automate: exact on every real version, whatever the language, and nothing dropped."""

from __future__ import annotations

import gzip
import ipaddress
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink.domain.address import AddressRange, merge
from extlink.errors import InvalidInput
from extlink.feeds import Group, read_power_automate_page, read_service_tags, rows_of
from tests.feeds.readers import PAGE

# File -> distinct IPv4 addresses of the connectors table, and the day that the page says.
REAL = {
    "limits-and-config.ja-jp.2019-12-04.674f70f1.md": (425, date(2019, 5, 30)),
    "limits-and-config.ja-jp.2020-02-26.b965c2f1.md": (425, date(2019, 5, 30)),
    "limits-and-config.ja-jp.2020-03-18.bc964de1.md": (425, date(2019, 5, 30)),
    "limits-and-config.ja-jp.2020-04-09.76b2304b.md": (425, date(2020, 3, 26)),
    "limits-and-config.ja-jp.2020-04-29.5071aa80.md": (425, date(2020, 3, 26)),
    "limits-and-config.ja-jp.2020-04-29.f3873826.md": (425, date(2020, 4, 26)),
    "limits-and-config.ja-jp.2020-05-13.dfa0977b.md": (474, date(2020, 4, 28)),
    "limits-and-config.ja-jp.2020-06-30.14837bc6.md": (460, date(2020, 5, 19)),
    "limits-and-config.ja-jp.2020-07-10.1c920fec.md": (460, date(2020, 6, 24)),
    "limits-and-config.pt-pt.md": (474, date(2020, 5, 19)),
}
POWER_APPS = "powerapps-limits.2020-09-14.outbound-table.md"
# What the translation of June 2020 lost: it wrote "13.77.50.240、13.77.50.255" for "13.77.50.240 から 13.77.50.255".
HOLE = {int(ipaddress.IPv4Address("13.77.50.241")) + i for i in range(14)}


def folder(realdata: Path) -> Path:
    """Return the folder of real pages."""
    return realdata / "power_automate_pages"


def addresses(group: Group) -> set[int]:
    """Return every address of a group."""
    return {address for item in merge(group.ranges) for address in range(item.first, item.last + 1)}


@cache
def connectors(path: Path) -> Group:
    """Return the connectors' addresses on a page."""
    return read_power_automate_page(path.read_bytes()).groups["connectors"]


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_real_pages_have_exactly_these_addresses(realdata: Path, name: str) -> None:
    """The counts are of distinct IPv4 addresses over the whole page, which has one table of them."""
    found = read_power_automate_page((folder(realdata) / name).read_bytes())
    count, day = REAL[name]

    assert count == len(addresses(found.groups["connectors"]))
    assert (day, day.isoformat(), "Public") == (found.published, found.version, found.cloud)
    assert [] == [group.name for group in found.groups.values() if group.set_aside]
    assert (12 if count > 425 else 11) == len(found.groups)


@pytest.mark.realdata
def test_every_real_page_is_tested(realdata: Path) -> None:
    """A page that is added to the folder is read as well."""
    assert {*REAL, POWER_APPS} == {path.name for path in folder(realdata).glob("*.md")}


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_real_items_are_those_of_the_page(realdata: Path, name: str) -> None:
    """Ranges and single addresses are what a plain search of the page's text for addresses finds, in order."""
    text = (folder(realdata) / name).read_text(encoding="utf-8")
    pairs = re.findall(r"([0-9]+(?:\.[0-9]+){3})(?: (?:から|-) ([0-9]+(?:\.[0-9]+){3}))?", text)
    expected = [
        AddressRange(version=4, first=int(ipaddress.IPv4Address(first)), last=int(ipaddress.IPv4Address(last or first)))
        for first, last in pairs
    ]

    assert expected == list(connectors(folder(realdata) / name).ranges)


@pytest.mark.realdata
def test_regions_make_up_the_table(realdata: Path) -> None:
    """Each item of the table is one of the region of its row."""
    found = read_power_automate_page((folder(realdata) / "limits-and-config.pt-pt.md").read_bytes())
    regions = [group for group in found.groups.values() if group.region]

    assert found.groups["connectors"].ranges == tuple(item for group in regions for item in group.ranges)
    assert ["Ásia Pacífico", "Austrália", "Canadá"] == [group.region for group in regions[:3]]
    assert [f"connectors.{group.region}" for group in regions] == [group.name for group in regions]


@pytest.mark.realdata
@pytest.mark.parametrize("later", ["2020-06-30.14837bc6", "2020-07-10.1c920fec"])
def test_comparing_two_pages_shows_the_hole(realdata: Path, later: str) -> None:
    """The 14 addresses that a translation lost are what the version before and the other language have more."""
    japanese = addresses(connectors(folder(realdata) / f"limits-and-config.ja-jp.{later}.md"))
    before = addresses(connectors(folder(realdata) / "limits-and-config.ja-jp.2020-05-13.dfa0977b.md"))
    portuguese = addresses(connectors(folder(realdata) / "limits-and-config.pt-pt.md"))

    assert before == portuguese
    assert (HOLE, set()) == (before - japanese, japanese - before)


@pytest.mark.realdata
def test_the_service_tags_fill_the_hole(realdata: Path) -> None:
    """The first service-tags file after the page has the addresses that the page lost, in the same region."""
    data = gzip.decompress((realdata / "servicetags" / "ServiceTags_Public_cn128_2021-01-06.json.gz").read_bytes())
    tag = read_service_tags(data).groups["AzureConnectors.AustraliaSoutheast"]

    assert addresses(tag) >= HOLE


@pytest.mark.realdata
def test_a_published_loopback_address_is_set_aside(realdata: Path) -> None:
    """The page of Power Apps publishes 127.0.0.1 in every region; nobody calls from there."""
    found = read_power_automate_page((folder(realdata) / POWER_APPS).read_bytes())
    whole = found.groups["outbound-ip"]
    regions = [group for group in found.groups.values() if group.region]

    assert 6 == len(regions)
    assert {("127.0.0.1", "loopback")} == {
        (item.text, item.reason) for group in regions for item in group.set_aside if item.reason != "duplicate"
    }
    assert 6 == sum(item.text == "127.0.0.1" for item in whole.set_aside)
    assert ("13.71.170.224 - 13.71.170.239", "duplicate") in [(item.text, item.reason) for item in whole.set_aside]
    assert (None, "") == (found.published, found.version)


def test_the_small_page_is_read() -> None:
    """Mixed delimiters and both ways to write a range are read; what misleads is set aside, with its reason."""
    found = read_power_automate_page(PAGE)
    whole = found.groups["connectors"]
    pacific = found.groups["connectors.アジア太平洋"]

    assert ["アジア太平洋", "オーストラリア", "日本", "香港 13.75.37.1", "英国", "米国"] == [
        group.region for group in found.groups.values() if group.region
    ]
    assert ["13.75.36.64/28", "52.175.23.169/32", "52.187.68.19/32"] == [item.text for item in pacific.ranges]
    assert [
        *(item.text for item in pacific.ranges),
        "13.77.50.240/28",
        "13.72.243.10/32",
        "13.78.108.0-13.78.108.14",
    ] == [item.text for item in whole.ranges]
    assert ["127.0.0.1", "13.78.108.0 - 13.78.108.14"] == [item.text for item in whole.set_aside[:2]]
    assert [
        r"expected the lower address first, got '51.140.148.15 \u304b\u3089 51.140.148.0'",
        "expected no host bits, got '51.140.148.1/28'; use 51.140.148.0/28",
        r"expected an address in ASCII without NUL, got '\uff15\uff11.140.80.51'",
        r"expected an address in ASCII without NUL, got '\u4e0b\u8a18\u3092\u53c2\u7167'",
    ] == [item.reason for item in found.groups["connectors.英国"].set_aside]
    assert ((), ()) == (found.groups["connectors.米国"].ranges, found.groups["connectors.米国"].set_aside)


def test_addresses_elsewhere_are_set_aside() -> None:
    """An address in the running text, or that strayed into the region's cell, is shown with its line."""
    stray = read_power_automate_page(PAGE).groups["outside of tables"]

    assert () == stray.ranges
    assert [
        ("13.75.37.1", "expected in a column of addresses, got it in line 18"),
        ("13.71.195.32", "expected in a column of addresses, got it in line 22"),
    ] == [(item.text, item.reason) for item in stray.set_aside]


def test_a_range_becomes_as_many_rows_as_it_has_blocks() -> None:
    """Fifteen addresses are no CIDR block; their rows hold each of them and no other."""
    rows = rows_of(read_power_automate_page(PAGE), "connectors.日本")

    assert ["13.78.108.0/29", "13.78.108.8/30", "13.78.108.12/31", "13.78.108.14/32"] == [row.text for row in rows]
    assert {("connectors.日本", "power-automate-page:Public:connectors.日本", "2020-06-24", date(2020, 6, 24))} == {
        (row.memo, row.source, row.version, row.published) for row in rows
    }


def test_the_host_knows_better() -> None:
    """What the host says of day, version and cloud goes before what the page says."""
    found = read_power_automate_page(PAGE, published=date(2020, 7, 10), version="1c920fec", cloud="Government")

    assert (date(2020, 7, 10), "1c920fec", "Government") == (found.published, found.version, found.cloud)
    assert {"1c920fec"} == {group.version for group in found.groups.values()}


TABLE = "| R | IP |\n|---|---|\n| a | 20.0.0.1 |"
DAYS = {
    "---\nms.date: 6/4/2020\n---": date(2020, 6, 4),
    "---\nms.date: 13/30/2020\n---": None,
    "---\nms.date: 2020-06-24\n---": None,
    "---\ntitle: x\n---\nms.date: 06/24/2020": None,
    "ms.date: 06/24/2020": None,
}


@pytest.mark.parametrize(("front", "day"), DAYS.items())
def test_the_day_is_that_of_the_front_matter(front: str, day: date | None) -> None:
    """A day that is none, or stands elsewhere, is no day; the page is read all the same."""
    assert day == read_power_automate_page(f"{front}\n\n{TABLE}").published


NAMES = {
    f'### <a name="logic-apps"></a>Logic Apps\n{TABLE}': ["logic-apps", "logic-apps.a"],
    f"## Managed connectors (outbound)\n{TABLE}": ["managed-connectors-outbound", "managed-connectors-outbound.a"],
    f"## コネクタ\n{TABLE}": ["コネクタ", "コネクタ.a"],
    TABLE: ["ip", "ip.a"],
    TABLE.replace("IP", "?"): ["addresses", "addresses.a"],
    f"# A\n{TABLE}\n\n{TABLE}\n\n# A\n{TABLE}": ["a", "a.a", "a#2", "a#2.a", "a#3", "a#3.a"],
    "# A\n| R | In | Out |\n|-|-|-|\n| a | 20.0.0.1 | 20.0.0.2 |": ["a-in", "a-in.a", "a-out", "a-out.a"],
    "# A\nIP|\n-|\n20.0.0.1|": ["a"],
    "# A\nR | IP\n-|-\na | 20.0.0.1\n|| 20.0.0.2\na | 20.0.0.3": ["a", "a.a"],
    f"```\n# B\n```\n{TABLE}": ["ip", "ip.a"],
}


@pytest.mark.parametrize(("page", "names"), NAMES.items())
def test_lists_are_named_after_their_heading(page: str, names: list[str]) -> None:
    """The heading's anchor names a list, then its words, then the column's; equal names are numbered."""
    assert names == list(read_power_automate_page(page).groups)


NO_PAGE = {
    "nothing": ("", "data", "expected a table of addresses, found none in 1 lines"),
    "no table": ("20.0.0.1\n" * 3, "data", "found none in 4 lines"),
    "a fenced table": (f"```\n{TABLE}\n```", "data", "found none"),
    "a table in a comment": (f"<!--\n{TABLE}\n-->", "data", "found none"),
    "one address among notes": ("| a | b |\n|-|-|\n| x | y |\n| x | y |\n| x | see 20.0.0.1 |", "data", "found none"),
    "another number of hyphens": (TABLE.replace("|---|---|", "|---|"), "data", "found none"),
    "an empty table": ("a | b\n-|-\n", "data", "found none"),
    "an open comment": (f"{TABLE}\n<!-- 20.0.0.2", "line 4", "expected --> at the end of the comment"),
    "a cell too many": (f"{TABLE}\n| b | 20.0.0.2 | 20.0.0.3 |", "line 4", r"expected 2 cells as in line 1, got 3"),
    "a long region": (TABLE.replace("a", "a" * 256), "line 3", "expected 0 to 255 characters"),
    "a long heading": (f"# {'x' * 256}\n{TABLE}", "line 2", "expected 1 to 255 characters"),
    "a surrogate": (TABLE.replace("a", "\ud800"), "line 3", "lone surrogate"),
    "another encoding": (PAGE.decode().encode("shift_jis", "replace"), "data", "UTF-8"),
    "not text": (None, "data", "got NoneType"),
}


@pytest.mark.parametrize(("data", "place", "problem"), NO_PAGE.values(), ids=NO_PAGE)
def test_another_page_is_refused(data: Any, place: str, problem: str) -> None:
    """A page without a table of addresses, or with a table that can be misread, is refused by its place."""
    with pytest.raises(InvalidInput) as refusal:
        read_power_automate_page(data)

    assert place == refusal.value.field
    assert problem in refusal.value.problem


@pytest.mark.parametrize("wrong", [{"cloud": ""}, {"version": 5}, {"published": "2020-06-01"}], ids=repr)
def test_what_the_host_says_is_checked(wrong: dict[str, Any]) -> None:
    """Names are short texts, and a day is a date."""
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        read_power_automate_page(PAGE, **wrong)


ITEMS = st.one_of(
    st.sampled_from(
        ["20.0.0.1 - 20.0.0.9", "20.0.0.9 から 20.0.0.1", "20.0.0.1から20.0.0.9", "127.0.0.1", "20.0.0.0/24"]
    ),
    st.text(st.characters(exclude_characters="|\\<>、,，\n\r", exclude_categories=["Cs"]), min_size=1).filter(
        lambda text: text == text.strip()
    ),
)
ROWS = st.dictionaries(st.sampled_from(["日本", "米国", "Europa"]), st.lists(ITEMS, max_size=5), min_size=1)


@given(rows=ROWS, between=st.lists(st.sampled_from(["、", ", ", "，", ",", "<br>", "</br>", " 、 "]), min_size=1))
def test_no_item_is_lost(rows: dict[str, list[str]], between: list[str]) -> None:
    """Whatever the items and however they are delimited, a region's ranges and items set aside are as many."""
    cells = {
        region: "".join(item + between[i % len(between)] for i, item in enumerate(["20.0.0.0/28", *items]))
        for region, items in rows.items()
    }
    page = "# A\n| R | IP |\n|---|---|\n" + "\n".join(f"| {region} | {cell} |" for region, cell in cells.items())
    groups = read_power_automate_page(page).groups
    found = {group.region: len(group.ranges) + len(group.set_aside) for group in groups.values() if group.region}

    assert {region: 1 + len(items) for region, items in rows.items()} == found
    assert sum(found.values()) == len(groups["a"].ranges) + len(groups["a"].set_aside)


def naive(page: str) -> int:
    """Broken twin: knows one delimiter and skips what it cannot read."""
    parts = [part.strip() for part in page.rpartition("| ")[2].rstrip(" |").split("、")]
    return sum(re.fullmatch(r"[0-9.]+( - [0-9.]+)?", part) is not None for part in parts)


def test_counting_catches_a_reader_that_skips() -> None:
    """Of a cell with two delimiters the twin misses items that this reader accounts for."""
    page = "| R | IP |\n|---|---|\n| a | 20.0.0.1、20.0.0.2, 20.0.0.3、20.0.0.4 から 20.0.0.5 |"

    assert (4, 1) == (len(read_power_automate_page(page).groups["ip"].ranges), naive(page))
