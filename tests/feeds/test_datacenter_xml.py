"""The older XML: a group for each region, nothing dropped, and no document type ever looked into."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, strategies as st

from extlink.errors import InvalidInput
from extlink.feeds import PublishedRanges, read_datacenter_xml, rows_of
from tests.feeds.readers import DATACENTER

ENTITY = """<!DOCTYPE AzurePublicIpAddresses [<!ENTITY subnet "13.71.128.0/19">]>
<AzurePublicIpAddresses><Region Name="japaneast"><IpRange Subnet="&subnet;"/></Region></AzurePublicIpAddresses>"""


def counts(published: PublishedRanges) -> dict[str, int]:
    """Return how many items each group accounts for."""
    return {name: len(group.ranges) + len(group.set_aside) for name, group in published.groups.items()}


def test_the_small_file_is_read() -> None:
    """Regions become groups, in the order of the file, and what is no usable range is set aside."""
    found = read_datacenter_xml(DATACENTER, published=date(2020, 6, 1))
    east = found.groups["japaneast"]

    assert ("azure-datacenter-xml", "Public", "2020-06-01", date(2020, 6, 1)) == (
        found.source,
        found.cloud,
        found.version,
        found.published,
    )
    assert {"japaneast": 6, "japanwest": 2, "nowhere": 0} == counts(found)
    assert ["13.71.128.0/19", "13.73.0.0/19"] == [item.text for item in east.ranges]
    assert [
        ("13.71.128.0/19", "duplicate"),
        ("13.73.0.1/19", "expected no host bits, got '13.73.0.1/19'; use 13.73.0.0/19"),
        ("10.0.0.0/8", "private"),
        ("(nothing)", "expected a range as text"),
    ] == [(item.text, item.reason) for item in east.set_aside]
    assert ("japaneast", "2020-06-01") == (east.region, east.version)
    assert ["13.71.128.0/19", "13.73.0.0/19"] == [row.text for row in rows_of(found, "japaneast")]


def test_the_cloud_is_what_the_host_says() -> None:
    """The file does not name its cloud, nor a version if nobody knows the day."""
    found = read_datacenter_xml(DATACENTER, cloud="China")

    assert ("China", "", None) == (found.cloud, found.version, found.published)


def test_spelling_makes_no_difference() -> None:
    """Text or bytes, a byte order mark, a default or a prefixed namespace, and the declared encoding mean nothing."""
    expected = read_datacenter_xml(DATACENTER)
    text = DATACENTER.decode()
    prefixed = text.replace("</", "</a:").replace("<Region", "<a:Region").replace("<IpRange", "<a:IpRange")
    prefixed = prefixed.replace("<AzurePublicIpAddresses", '<a:AzurePublicIpAddresses xmlns:a="urn:a"')

    for data in (
        text,
        "\ufeff" + text,
        b"\xef\xbb\xbf" + DATACENTER,
        text.replace("\n", "\r\n"),
        text.replace('encoding="utf-8"', 'encoding="utf-16"'),
        text.replace("<AzurePublicIpAddresses", '<AzurePublicIpAddresses xmlns="urn:a"'),
        prefixed,
    ):
        assert expected == read_datacenter_xml(data)


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
DANGEROUS = {
    "an entity": ENTITY,
    "a thousand million laughs": f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>',
    "a file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
    "a parameter entity": '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd">%x;]><a/>',
    "an outside definition": '<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>',
    "an empty one": "<!DOCTYPE AzurePublicIpAddresses><AzurePublicIpAddresses/>",
}


@pytest.mark.parametrize("data", DANGEROUS.values(), ids=DANGEROUS)
def test_a_document_type_is_refused(data: str) -> None:
    """A document that could define anything is refused before what it defines is looked into."""
    with pytest.raises(InvalidInput, match="expected no document type"):
        read_datacenter_xml(data)


def test_a_trusting_reader_expands_entities() -> None:
    """The broken twin, the standard library's own tree, takes what this reader refuses."""
    trusting = [item.get("Subnet") for item in ET.fromstring(ENTITY).iter("IpRange")]  # noqa: S314 - our own text

    assert ["13.71.128.0/19"] == trusting


ROOT = "<AzurePublicIpAddresses>{}</AzurePublicIpAddresses>"
REGION = ROOT.format('<Region Name="a">{}</Region>')
OTHER = {
    "nothing": ("", "line 1", "no element found"),
    "no XML": ("{}", "line 1", "at column 1"),
    "cut off": (DATACENTER[:-5], "line 17", "expected XML"),
    "two documents": (ROOT.format("") + "\n" + ROOT.format(""), "line 2", "junk after document element"),
    "an unknown entity": (REGION.format('<IpRange Subnet="&x;"/>'), "line 1", "undefined entity"),
    "an unbound prefix": (REGION.format("<a:IpRange/>"), "line 1", "unbound prefix"),
    "an attribute twice": (REGION.format('<IpRange Subnet="" Subnet=""/>'), "line 1", "duplicate attribute"),
    "another root": ("<html/>", "line 1", "expected AzurePublicIpAddresses, got the element 'html'"),
    "another element": (ROOT.format("\n<IpRange/>"), "line 2", "expected Region, got the element 'IpRange'"),
    "another item": (REGION.format("<Range/>"), "line 1", "expected IpRange, got the element 'Range'"),
    "an item in an item": (REGION.format("<IpRange><IpRange/></IpRange>"), "line 1", "expected nothing"),
    "deep": ("<a>" * 100_000, "line 1", "expected AzurePublicIpAddresses"),
    "a text": (REGION.format("\n<IpRange>20.0.0.0/8</IpRange>"), "line 2", "got the text '20.0.0.0/8'"),
    "a region without name": (ROOT.format("<Region/>"), "line 1, Name", "expected text, got nothing"),
    "an empty name": (ROOT.format('<Region Name=""/>'), "line 1, Name", "expected 1 to 255 characters"),
    "a region twice": (ROOT.format('<Region Name="a"/>' * 2), "line 1, Name", "expected each region once"),
    "a surrogate": (ROOT.format("\ud800"), "data", "lone surrogate"),
    "a NUL": (ROOT.format("\0"), "line 1", "not well-formed"),
    "another encoding": (DATACENTER.decode().encode("utf-16"), "data", "UTF-8"),
    "not text": (5, "data", "got int"),
}


@pytest.mark.parametrize(("data", "place", "problem"), OTHER.values(), ids=OTHER)
def test_another_document_is_refused_by_its_line(data: Any, place: str, problem: str) -> None:
    """What is not well-formed, or of another shape, is refused with the line."""
    with pytest.raises(InvalidInput) as refusal:
        read_datacenter_xml(data)

    assert place == refusal.value.field
    assert problem in refusal.value.problem


@pytest.mark.parametrize(
    "wrong",
    [{"cloud": ""}, {"cloud": 5}, {"published": "2020-06-01"}, {"published": datetime(2020, 6, 1, tzinfo=UTC)}],
    ids=repr,
)
def test_what_the_host_says_is_checked(wrong: dict[str, Any]) -> None:
    """The name of a cloud is a short text, and a day is a date without a time."""
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        read_datacenter_xml(DATACENTER, **wrong)


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9)
ITEMS = st.one_of(NAMES, st.sampled_from(["13.71.128.0/19", "13.73.0.1/19", "10.0.0.0/8", "&", "１３.0.0.0/8", ""]))


@given(regions=st.dictionaries(NAMES, st.lists(ITEMS, max_size=6), max_size=4))
def test_no_item_is_lost(regions: dict[str, list[str]]) -> None:
    """Whatever the items are, ranges and items set aside are as many as the file lists, region by region."""
    body = "".join(
        f"<Region Name={quoteattr(name)}>{''.join(f'<IpRange Subnet={quoteattr(item)}/>' for item in items)}</Region>"
        for name, items in regions.items()
    )

    assert {name: len(items) for name, items in regions.items()} == counts(read_datacenter_xml(ROOT.format(body)))
