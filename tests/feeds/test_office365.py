"""Office 365 endpoints: exact on every real file of every cloud, in both formats, and nothing dropped."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink.errors import InvalidInput
from extlink.feeds import PublishedRanges, read_office365_json, read_office365_markdown, rows_of
from tests.feeds.readers import OFFICE_JSON, OFFICE_TABLES

CLOUDS = {
    "worldwide": "Worldwide",
    "operated-by-21vianet": "China",
    "germany": "Germany",
    "u.s.-government-dod": "USGovDoD",
    "u.s.-government-gcc-high": "USGovGCCHigh",
}
REAL = [
    "germany_2019010700",
    "germany_2019102800",
    "operated-by-21vianet_2018112800",
    "operated-by-21vianet_2020022800",
    "u.s.-government-dod_2019010700",
    "u.s.-government-dod_2019072900",
    "u.s.-government-gcc-high_2019010700",
    "u.s.-government-gcc-high_2019082800",
    "worldwide_2019010700",
    "worldwide_2020010200",
]
REAL_JSON = "endpoints_worldwide_2020-12.json"


def folder(realdata: Path) -> Path:
    """Return the folder of real endpoints."""
    return realdata / "office365"


def counts(published: PublishedRanges) -> dict[str, int]:
    """Return how many items each group accounts for."""
    return {name: len(group.ranges) + len(group.set_aside) for name, group in published.groups.items()}


def areas(published: PublishedRanges) -> list[str]:
    """Return the groups that are whole service areas."""
    return [name for name in published.groups if "." not in name]


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_real_tables_are_read_exactly(realdata: Path, name: str) -> None:
    """Cloud, version and the number of distinct ranges are those counted elsewhere; only repetition is aside."""
    instance, version = name.split("_")
    found = read_office365_markdown((folder(realdata) / f"{name}.md").read_bytes())
    known = (folder(realdata) / f"{instance}_versions.jsonl").read_text(encoding="utf-8").splitlines()
    expected = next(entry for line in known if (entry := json.loads(line))["version"] == version)

    assert (CLOUDS[instance], version) == (found.cloud, found.version)
    assert expected["distinct_prefixes"] == len({item for group in found.groups.values() for item in group.ranges})
    assert ["Exchange", "SharePoint", "Skype", "Common"] == areas(found)
    assert {"duplicate"} >= {item.reason for group in found.groups.values() for item in group.set_aside}


@pytest.mark.realdata
def test_the_day_of_a_real_file_is_when_it_was_made(realdata: Path) -> None:
    """The tables of China's version of November 2018 were made again in January 2019, with the same content."""
    found = read_office365_markdown((folder(realdata) / "operated-by-21vianet_2018112800.md").read_bytes())

    assert date(2019, 1, 30) == found.published


@pytest.mark.realdata
def test_every_real_file_is_tested(realdata: Path) -> None:
    """A file that is added to the folder is read as well."""
    assert {f"{name}.md" for name in REAL} == {path.name for path in folder(realdata).glob("*.md")}
    assert [REAL_JSON] == [path.name for path in folder(realdata).glob("*.json")]


@pytest.mark.realdata
def test_a_real_answer_is_read_exactly(realdata: Path) -> None:
    """Area by area, and category by category, the ranges are those of the answer, each once and in order."""
    data = (folder(realdata) / REAL_JSON).read_bytes()
    entries = json.loads(data)
    found = read_office365_json(data, cloud="Worldwide", version="2020120100")
    expected: dict[str, list[str]] = {}
    for entry in entries:
        for name in (entry["serviceArea"], f"{entry['serviceArea']}.{entry['category']}"):
            expected.setdefault(name, []).extend(entry.get("ips", []))

    assert expected.keys() == found.groups.keys()
    assert {name: len(items) for name, items in expected.items()} == counts(found)
    for name, items in expected.items():
        assert list(dict.fromkeys(items)) == [item.text for item in found.groups[name].ranges]
    assert 164 == len({item for group in found.groups.values() for item in group.ranges})


def test_the_small_answer_is_read() -> None:
    """Areas and their categories are groups, those without addresses as well; URLs are no items."""
    found = read_office365_json(OFFICE_JSON, cloud="Worldwide", version="2020120100", published=date(2020, 12, 1))
    exchange = found.groups["Exchange"]

    assert ("office-365-endpoints", "Worldwide", "2020120100", date(2020, 12, 1)) == (
        found.source,
        found.cloud,
        found.version,
        found.published,
    )
    assert {
        "Exchange": 7,
        "Exchange.Optimize": 4,
        "Exchange.Allow": 3,
        "Exchange.Default": 0,
        "SharePoint": 1,
        "SharePoint.Optimize": 1,
    } == counts(found)
    assert ["13.107.6.152/31", "40.96.0.0/13", "2603:1006::/40"] == [item.text for item in exchange.ranges]
    assert [
        ("192.168.0.0/16", "private"),
        ("13.107.6.152/31", "duplicate"),
        ("13.107.6.153/31", "expected no host bits, got '13.107.6.153/31'; use 13.107.6.152/31"),
        ("(a number)", "expected a range as text"),
    ] == [(item.text, item.reason) for item in exchange.set_aside]
    assert [("13.107.6.152/31", "office-365-endpoints:Worldwide:Exchange.Allow", "2020120100")] == [
        (row.text, row.source, row.version) for row in rows_of(found, "Exchange.Allow")
    ]


def test_the_small_tables_are_read() -> None:
    """Host names are no items; a misspelt address is one, and a heading nobody knows names its own area."""
    found = read_office365_markdown(OFFICE_TABLES)
    reasons = [(item.text, item.reason) for item in found.groups["Exchange"].set_aside]

    assert ("Germany", "2019102800", date(2019, 10, 29)) == (found.cloud, found.version, found.published)
    assert {
        "Exchange": 6,
        "Exchange.Optimize": 2,
        "Exchange.Default": 0,
        "Exchange.Allow": 4,
        "Somewhere new": 3,
        "Somewhere new.Allow": 3,
        "outside of tables": 2,
    } == counts(found)
    assert [
        ("51.4.64.0/23", "duplicate"),
        ("51.4.72.1/24", "expected no host bits, got '51.4.72.1/24'; use 51.4.72.0/24"),
        ("51.4.80.l5", "expected an address such as 192.0.2.1 or 2001:db8::1, got '51.4.80.l5'"),
    ] == reasons
    assert ["10.0.0.1/32", "ask support"] == [item.text for item in found.groups["Somewhere new"].set_aside]
    assert ["51.18.16.0/23", "2a01:4180:4051:400::"] == [
        item.text for item in found.groups["outside of tables"].set_aside
    ]


def test_an_address_in_another_column_is_shown() -> None:
    """What looks like an address in a note or among the ports is not taken, and not lost."""
    data = OFFICE_TABLES.replace(b"**Notes:**", b"**Notes:** not 51.4.1.1").replace(b"Note | Since", b"Note & Since")
    stray = read_office365_markdown(data).groups["outside of tables"]

    assert [("51.4.1.1", "expected in a column of addresses, got it in line 11")] == [
        (item.text, item.reason) for item in stray.set_aside if item.text == "51.4.1.1"
    ]
    assert 3 == len(stray.set_aside)


def test_both_formats_give_the_same_groups() -> None:
    """The same endpoints in JSON and in tables are equal, so that rows from the one are known from the other."""
    tables = """<!--Worldwide endpoints version 2020120100-->
## Exchange Online
ID | Category | ER | Addresses | Ports
-- | -- | -- | -- | --
1 | Optimize<BR>Required | Yes | `outlook.office.com`<BR>`13.107.6.152/31, 40.96.0.0/13` | **TCP:** 443
## Microsoft 365 Common and Office Online
ID | Category | ER | Addresses | Ports
-- | -- | -- | -- | --
56 | Allow<BR>Required | Yes | `*.msftidentity.com`<BR>`20.190.128.0/18` | **TCP:** 443
"""
    answer = [
        {"serviceArea": "Exchange", "category": "Optimize", "ips": ["13.107.6.152/31", "40.96.0.0/13"]},
        {"serviceArea": "Common", "category": "Allow", "ips": ["20.190.128.0/18"]},
    ]

    assert read_office365_markdown(tables) == read_office365_json(
        json.dumps(answer), cloud="Worldwide", version="2020120100"
    )


PLACES = {
    "data": {},
    "endpoints[0]": ["x"],
    "endpoints[1].serviceArea": [{"serviceArea": "A", "category": "B"}, {"category": "B"}],
    "endpoints[0].category": [{"serviceArea": "A", "category": 5}],
    "endpoints[0].ips": [{"serviceArea": "A", "category": "B", "ips": None}],
}


@pytest.mark.parametrize(("place", "content"), PLACES.items())
def test_another_answer_is_refused_by_its_place(place: str, content: object) -> None:
    """JSON of another shape is no list of endpoints; the error names where."""
    with pytest.raises(InvalidInput) as refusal:
        read_office365_json(json.dumps(content), cloud="Worldwide")

    assert place == refusal.value.field


def test_a_name_cannot_pass_for_a_category() -> None:
    """An area whose name has a dot could be taken for a category of another area, so it is refused."""
    content = json.dumps([{"serviceArea": "Exchange.Optimize", "category": "Allow"}])

    with pytest.raises(InvalidInput, match="expected a name without a dot"):
        read_office365_json(content, cloud="Worldwide")


VERSION = "<!--Germany endpoints version 2019102800-->\n"
HEADER = "ID | Category | Addresses\n-- | -- | --\n"
NO_TABLES = {
    "nothing": ("", "data", "expected a comment such as <!--Worldwide"),
    "no version": (HEADER, "data", "expected a comment"),
    "a version too far below": ("x\n" * 4_096 + VERSION, "data", "expected a comment"),
    "no table": (VERSION, "data", "expected a table with the columns Category and Addresses"),
    "an empty table": (f"{VERSION}# A\n{HEADER}", "data", "expected a table"),
    "other columns": (f"{VERSION}# A\nID | Addresses\n-|-\n1 | 20.0.0.0/8", "data", "expected a table"),
    "no heading": (f"{VERSION}{HEADER}1 | Allow | `20.0.0.0/8`", "line 4.serviceArea", "expected 1 to 255"),
    "no category": (f"{VERSION}# A\n{HEADER}1 | <BR> | `20.0.0.0/8`", "line 5.category", "expected 1 to 255"),
    "a cell too many": (f"{VERSION}# A\n{HEADER}1 | Allow | `20.0.0.0/8` | x", "line 5", "expected 3 cells"),
    "an open comment": (f"{VERSION}<!--", "line 2", "expected -->"),
    "not text": (5, "data", "got int"),
}


@pytest.mark.parametrize(("data", "place", "problem"), NO_TABLES.values(), ids=NO_TABLES)
def test_other_tables_are_refused_by_their_place(data: Any, place: str, problem: str) -> None:
    """A page without cloud and version, or without the columns that are read, is another page."""
    with pytest.raises(InvalidInput) as refusal:
        read_office365_markdown(data)

    assert place == refusal.value.field
    assert problem in refusal.value.problem


@pytest.mark.parametrize(
    ("made", "day"), [("2019-02-30", None), ("never", None), ("2019-02-28 11:00", date(2019, 2, 28))]
)
def test_the_day_is_a_day(made: str, day: date | None) -> None:
    """A day that the calendar lacks is no day; the tables are read all the same."""
    data = f"{VERSION}<!--File generated {made}-->\n# A\n{HEADER}1 | Allow | `20.0.0.0/8`"

    assert day == read_office365_markdown(data).published
    assert date(2020, 1, 1) == read_office365_markdown(data, published=date(2020, 1, 1)).published


@pytest.mark.parametrize("wrong", [{"cloud": ""}, {"version": 5}, {"published": "2020-06-01"}], ids=repr)
def test_what_the_host_says_is_checked(wrong: dict[str, Any]) -> None:
    """Names are short texts, and a day is a date."""
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        read_office365_json(OFFICE_JSON, **{"cloud": "Worldwide", **wrong})


AREAS = st.sampled_from(["Exchange", "Common", "Teams phones"])
CATEGORIES = st.sampled_from(["Optimize", "Allow", "Default"])
# Texts that no reader takes for a host name, so that each is an item in both formats.
ITEMS = st.one_of(
    st.sampled_from(["20.0.0.0/8", "20.0.0.1/8", "10.0.0.0/8", "2603:1006::/40", "１０.0.0.0/8", "x/24"]),
    st.text(
        st.characters(exclude_characters=r"|\<>,`.", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1
    ),
)
ENDPOINTS = st.lists(st.tuples(AREAS, CATEGORIES, st.lists(ITEMS, max_size=4)), min_size=1, max_size=6)


@given(endpoints=ENDPOINTS)
def test_no_item_is_lost_in_json(endpoints: list[tuple[str, str, list[str]]]) -> None:
    """Of every area and category, ranges and items set aside are as many as the answer lists."""
    answer = [{"serviceArea": area, "category": category, "ips": items} for area, category, items in endpoints]
    expected: dict[str, int] = {}
    for area, category, items in endpoints:
        for name in (area, f"{area}.{category}"):
            expected[name] = expected.get(name, 0) + len(items)

    assert expected == counts(read_office365_json(json.dumps(answer), cloud="Worldwide"))


@given(endpoints=ENDPOINTS)
def test_no_item_is_lost_in_tables(endpoints: list[tuple[str, str, list[str]]]) -> None:
    """The same endpoints, one table each, give the same counts as in JSON."""
    answer = [{"serviceArea": area, "category": category, "ips": items} for area, category, items in endpoints]
    long = {"Exchange": "Exchange Online", "Common": "Microsoft 365 Common and Office Online"}
    tables = VERSION + "".join(
        f"\n# {long.get(area, area)}\n{HEADER}1 | {category}<BR>Required | `a.office.de`<BR>`{', '.join(items)}`\n"
        for area, category, items in endpoints
    )
    expected = counts(read_office365_json(json.dumps(answer), cloud="Germany"))

    assert expected == counts(read_office365_markdown(tables))


def trusting(cell: str) -> list[str]:
    """Broken twin: takes for a host name whatever has a letter in it."""
    return [item for item in cell.split(", ") if not any(letter.isalpha() for letter in item)]


def test_a_misspelt_address_is_no_host_name() -> None:
    """The twin drops 51.4.80.l5 silently; this reader sets it aside."""
    data = f"{VERSION}# A\n{HEADER}1 | Allow | `51.4.80.1, 51.4.80.l5, a.office.de`"

    assert ["51.4.80.1"] == trusting("51.4.80.1, 51.4.80.l5, a.office.de")
    assert ["51.4.80.l5"] == [item.text for item in read_office365_markdown(data).groups["A"].set_aside]
