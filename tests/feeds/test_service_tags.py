"""Service-tags files: item-exact on every real file, nothing dropped, and anything else refused by its place."""

from __future__ import annotations

import gzip
import json
import pickle
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink.domain.address import classify, merge, parse_address
from extlink.domain.network import IPRestriction
from extlink.errors import ExtlinkError, InvalidInput
from extlink.feeds import Group, PublishedRanges, SetAside, read_service_tags, rows_of

HERE = Path(__file__).parent
SMALL = (HERE / "service_tags_small.json").read_bytes()
EXAMPLE = HERE.parent.parent / "docs" / "examples" / "ServiceTags_example.json"
REAL = [
    "AzureGovernment_cn313_2024-07-08",
    "AzureGovernment_cn380_2026-01-11",
    "China_cn354_2025-05-15",
    "China_cn362_2025-07-28",
    "Public_cn128_2021-01-06",
    "Public_cn250_2023-04-19",
    "Public_cn342_2025-01-23",
]


def folder(realdata: Path) -> Path:
    """Return the folder of real service-tags files."""
    return realdata / "servicetags"


def counts(group: Group) -> dict[str, int]:
    """Return of a group what the expectations count."""
    of = {version: [item for item in group.ranges if item.version == version] for version in (4, 6)}
    return {
        "v4": len(of[4]),
        "v6": len(of[6]),
        "v4_collapsed": sum(len(item.cidrs()) for item in merge(of[4])),
        "v6_collapsed": sum(len(item.cidrs()) for item in merge(of[6])),
        "v4_addresses": sum(item.size for item in merge(of[4])),
    }


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_exactly(realdata: Path, name: str) -> None:
    """Tags, prefixes, distinct prefixes, and per tag the counts of both versions, are those computed elsewhere."""
    data = gzip.decompress((folder(realdata) / f"ServiceTags_{name}.json.gz").read_bytes())
    cloud, change, day = name.split("_")
    found = read_service_tags(data, published=date.fromisoformat(day))
    everything = json.loads((folder(realdata) / "EXPECTED.json").read_text(encoding="utf-8"))
    expected = next(item for item in everything if f"{item['cloud']}_cn{item['changeNumber']}" == f"{cloud}_{change}")

    assert ("azure-service-tags", cloud, change[2:]) == (found.source, found.cloud, found.version)
    assert expected["tags"] == len(found.groups)
    assert expected["prefix_entries"] == sum(len(group.ranges) for group in found.groups.values())
    assert expected["distinct_prefixes"] == len({item for group in found.groups.values() for item in group.ranges})
    assert expected["per_tag"] == {tag: counts(found.groups[tag]) for tag in expected["per_tag"]}
    assert [] == [group.name for group in found.groups.values() if group.set_aside]


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_real_items_are_those_of_the_file(realdata: Path, name: str) -> None:
    """Tag by tag the ranges, written as text, are the file's own list, with the tag's own version and region."""
    data = gzip.decompress((folder(realdata) / f"ServiceTags_{name}.json.gz").read_bytes())
    values = {value["name"]: value["properties"] for value in json.loads(data)["values"]}
    found = read_service_tags(data.decode())

    assert list(values) == list(found.groups)
    for tag, group in found.groups.items():
        assert values[tag]["addressPrefixes"] == [item.text for item in group.ranges]
        assert (str(values[tag]["changeNumber"]), values[tag]["region"]) == (group.version, group.region)


@pytest.mark.realdata
def test_every_real_file_is_tested(realdata: Path) -> None:
    """A file that is added to the folder is read as well."""
    assert {f"ServiceTags_{name}.json.gz" for name in REAL} == {
        path.name for path in folder(realdata).glob("ServiceTags_*")
    }


def test_the_small_file_is_read() -> None:
    """The values of a file, and the reason of each item that is set aside, in the order of the file."""
    found = read_service_tags(SMALL, published=date(2020, 6, 9))
    group, japan_east = found.groups["AzureConnectors"], found.groups["AzureConnectors.JapanEast"]
    reasons = [(item.text, item.reason) for item in group.set_aside]

    assert ("Public", "7", date(2020, 6, 9)) == (found.cloud, found.version, found.published)
    assert ["AzureConnectors", "AzureConnectors.JapanEast", "Empty"] == list(found.groups)
    assert ["20.89.11.64/27", "20.89.11.48/28", "13.71.128.159/32", "2603:1040:407:402::180/122"] == [
        item.text for item in group.ranges
    ]
    assert [
        ("20.89.11.48/28", "duplicate"),
        ("13.71.128.159/32", "duplicate"),
        ("127.0.0.1/32", "loopback"),
        ("10.0.0.0/8", "private"),
        ("192.0.2.0/24", "documentation"),
        ("fe80::/10", "link_local"),
        ("20.89.11.49/28", "expected no host bits, got '20.89.11.49/28'; use 20.89.11.48/28"),
    ] == reasons[:7]
    assert ["20.89.11.0/024", "0.0.0.0/0", "", "(nothing)", "(a number)", "(a list)"] == [
        text for text, _ in reasons[7:]
    ]
    assert ["expected a range as text"] * 3 == [reason for _, reason in reasons[-3:]]
    assert ("3", "") == (group.version, group.region)
    assert ("2", "japaneast") == (japan_east.version, japan_east.region)
    assert Group(name="Empty", version="1", region="", ranges=(), set_aside=()) == found.groups["Empty"]


def test_nothing_is_dropped() -> None:
    """Of every tag, ranges and items set aside are as many as the file lists."""
    listed = {value["name"]: len(value["properties"]["addressPrefixes"]) for value in json.loads(SMALL)["values"]}
    found = read_service_tags(SMALL)

    assert listed == {name: len(group.ranges) + len(group.set_aside) for name, group in found.groups.items()}


def silent(data: bytes) -> dict[str, int]:
    """Broken twin: what cannot be parsed, or is there twice, is skipped."""
    return {name: len(group.ranges) for name, group in read_service_tags(data).groups.items()}


def test_counting_catches_a_reader_that_skips() -> None:
    """The comparison of counts fails for a reader that drops items silently."""
    listed = {value["name"]: len(value["properties"]["addressPrefixes"]) for value in json.loads(SMALL)["values"]}

    assert listed != silent(SMALL)


def test_the_example_file_is_clean() -> None:
    """The file that ships with the examples has the three tags, of both versions, and nothing to set aside."""
    found = read_service_tags(EXAMPLE.read_text(encoding="utf-8"))

    assert ["AzureConnectors", "AzureConnectors.JapanEast", "LogicApps"] == list(found.groups)
    for group in found.groups.values():
        assert () == group.set_aside
        assert {4: "global", 6: "global"} == {item.version: classify(item) for item in group.ranges}
    whole, part = (set(found.groups[name].ranges) for name in ("AzureConnectors", "AzureConnectors.JapanEast"))
    assert part < whole


def test_text_and_bytes_read_alike() -> None:
    """A byte order mark, line ends and the type of the input make no difference."""
    text = SMALL.decode()
    expected = read_service_tags(SMALL)

    for data in (text, "\ufeff" + text, b"\xef\xbb\xbf" + SMALL, text.replace("\n", "\r\n")):
        assert expected == read_service_tags(data)


def test_published_ranges_are_values() -> None:
    """What was read cannot be changed, and survives pickling."""
    found = read_service_tags(SMALL)

    assert found == pickle.loads(pickle.dumps(found))  # noqa: S301 - our own bytes
    assert hash(found) == hash(read_service_tags(SMALL))
    with pytest.raises(TypeError):
        found.groups["Empty"] = found.groups["Empty"]  # type: ignore[index]


def document(**changes: object) -> dict[str, Any]:
    """Return a small document with some of its parts replaced."""
    return {"changeNumber": 1, "cloud": "Public", "values": [tag()], **changes}


def tag(name: object = "A", **changes: object) -> dict[str, Any]:
    """Return one tag with some of its properties replaced."""
    return {"name": name, "properties": {"changeNumber": 1, "region": "", "addressPrefixes": [], **changes}}


PLACES = {
    "data": [],
    "values": document(values={}),
    "cloud": document(cloud=None),
    "changeNumber": document(changeNumber="1"),
    "values[0]": document(values=["A"]),
    "values[0].name": document(values=[tag(name="")]),
    "values[1].name": document(values=[tag(), tag()]),
    "values[1].properties": document(values=[tag(), {"name": "B", "properties": []}]),
    "values[0].properties.changeNumber": document(values=[tag(changeNumber=True)]),
    "values[0].properties.region": document(values=[tag(region=None)]),
    "values[0].properties.addressPrefixes": document(values=[tag(addressPrefixes="20.89.11.48/28")]),
}


@pytest.mark.parametrize(("place", "content"), PLACES.items())
def test_another_shape_is_refused_by_its_place(place: str, content: object) -> None:
    """A document of another shape is no ranges file; the error names where."""
    with pytest.raises(InvalidInput) as refusal:
        read_service_tags(json.dumps(content))

    assert place == refusal.value.field


@pytest.mark.parametrize(
    "content",
    [
        document(changeNumber=-1),
        document(changeNumber=1.0),
        document(changeNumber=2**63),
        document(changeNumber=None),
        document(cloud="x" * 256),
        document(cloud="\ud800"),
        document(values=[tag(name=5)]),
        document(values=[tag(changeNumber=None)]),
        document(values=[{"name": "A"}]),
        document(values=[{}]),
        {},
        None,
        5,
        "text",
    ],
    ids=repr,
)
def test_wrong_parts_are_refused(content: object) -> None:
    """Numbers are whole and bounded, texts short and in Unicode, and nothing that is needed is missing."""
    with pytest.raises(InvalidInput):
        read_service_tags(json.dumps(content))


HOSTILE = {
    "nothing": (b"", "line 1, column 1"),
    "no JSON": (b"{", "line 1"),
    "deep": (b"[" * 200_000, "nested too deeply"),
    "deep objects": (b'{"values":' * 200_000, "nested too deeply"),
    "a long number": (b'{"changeNumber": ' + b"9" * 10_000 + b"}", "reasonable length"),
    "NaN": (b'{"changeNumber": NaN}', "NaN"),
    "infinity": (b'{"changeNumber": -Infinity}', "-Infinity"),
    "a key twice": (b'{"cloud": "Public", "cloud": "China"}', "'cloud' twice"),
    "a key twice below": (json.dumps(document()).replace('"region"', '"changeNumber"').encode(), "twice"),
    "another encoding": ('{"cloud": "Públic"}'.encode("latin-1"), "UTF-8"),
    "two bytes a letter": (SMALL.decode().encode("utf-16"), "UTF-8"),
    "packed": (gzip.compress(SMALL), "unpack it first"),
    "two documents": (SMALL + SMALL, "line"),
    "not text": (5, "got int"),
    "none": (None, "got NoneType"),
    "a list": ([SMALL], "got list"),
}


@pytest.mark.parametrize(("data", "problem"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_data_is_refused(data: Any, problem: str) -> None:
    """What is not strict JSON in UTF-8 is refused with what was expected, and never by another exception."""
    with pytest.raises(InvalidInput) as refusal:
        read_service_tags(data)

    assert "data" == refusal.value.field
    assert problem in refusal.value.problem


def test_a_file_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit on size comes before any parsing."""
    monkeypatch.setattr("extlink.feeds._json._MAX_BYTES", len(SMALL) - 1)

    with pytest.raises(InvalidInput, match="at most"):
        read_service_tags(SMALL)


def test_the_date_is_a_date() -> None:
    """A publication date given as text is refused."""
    with pytest.raises(InvalidInput, match="published: expected a date"):
        read_service_tags(SMALL, published="2020-06-09")  # type: ignore[arg-type]


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["10.0.0.0/8", "x/y"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from([*document(), *tag(), *tag()["properties"]]), inner, max_size=4),
    ),
    max_leaves=12,
)
BROKEN = st.tuples(st.integers(0, len(SMALL)), st.integers(0, 40), st.binary(max_size=8)).map(
    lambda cut: SMALL[: cut[0]] + cut[2] + SMALL[cut[0] + cut[1] :]
)
NEARLY = st.builds(
    lambda values, more: json.dumps(document(values=values, **more)),
    st.lists(st.builds(tag, st.one_of(ANYTHING, st.text()), addressPrefixes=st.one_of(ANYTHING, st.lists(ANYTHING)))),
    st.dictionaries(st.sampled_from(["cloud", "changeNumber", "other"]), ANYTHING),
)


@given(data=st.one_of(st.binary(), st.text(), BROKEN, ANYTHING.map(json.dumps), NEARLY, ANYTHING))
def test_any_data_is_ranges_or_an_error(data: Any) -> None:
    """Law 13: whatever comes in, a value comes out whose counts add up, or an `ExtlinkError` of one printable line."""
    message = ""
    try:
        found = read_service_tags(data)
    except ExtlinkError as error:
        message = str(error)
    else:
        listed = {value["name"]: len(value["properties"]["addressPrefixes"]) for value in json.loads(data)["values"]}
        assert listed == {name: len(group.ranges) + len(group.set_aside) for name, group in found.groups.items()}
        assert all(item.text.isascii() for group in found.groups.values() for item in group.set_aside)

    assert message.isprintable()
    assert message.isascii()


def test_a_group_becomes_rows() -> None:
    """Rows carry the tag as memo, the file as source and the tag's own version, IPv4 alone unless asked otherwise."""
    found = read_service_tags(SMALL)
    rows = rows_of(found, "AzureConnectors")

    assert ["20.89.11.64/27", "20.89.11.48/28", "13.71.128.159/32"] == [row.text for row in rows]
    assert {("AzureConnectors", "azure-service-tags:Public:AzureConnectors", "3")} == {
        (row.memo, row.source, row.version) for row in rows
    }
    assert Counter({4: 3, 6: 1}) == Counter(
        row.range.version for row in rows_of(found, "AzureConnectors", ipv4_only=False)
    )
    assert () == rows_of(found, "Empty")


def test_rows_let_the_published_addresses_in() -> None:
    """A restriction to the rows of a tag admits its first and last address, and neither neighbour."""
    restriction = IPRestriction("allow_some", rows_of(read_service_tags(SMALL), "AzureConnectors.JapanEast"))
    asked = ("20.89.11.47", "20.89.11.48", "20.89.11.63", "20.89.11.64")

    assert [False, True, True, False] == [restriction.admits(parse_address(text)) for text in asked]


@pytest.mark.parametrize(
    ("name", "problem"),
    [("azureconnectors", "did you mean 'AzureConnectors'?"), ("Slack", "it has 3"), ("", "it has 3"), (5, "got int")],
)
def test_an_unknown_group_is_an_error(name: Any, problem: str) -> None:
    """No rows for a misspelt tag would be a restriction that refuses everybody; the likely name is offered."""
    with pytest.raises(InvalidInput) as refusal:
        rows_of(read_service_tags(SMALL), name)

    assert problem in refusal.value.problem


def test_values_are_told_apart() -> None:
    """Two files differ by their version alone."""
    found = read_service_tags(SMALL)
    newer = read_service_tags(SMALL.replace(b'"changeNumber": 7', b'"changeNumber": 8'))

    assert isinstance(newer, PublishedRanges)
    assert found != newer
    assert SetAside("10.0.0.0/8", "private") in newer.groups["AzureConnectors"].set_aside
