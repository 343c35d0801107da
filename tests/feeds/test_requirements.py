"""What a requirement comes to in files that were read: rows, and what is missing."""

from __future__ import annotations

import gzip
import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from extlink import feeds
from extlink.catalog import POWER_AUTOMATE
from extlink.domain.localized import LocalizedText
from extlink.domain.requirement import PublishedForm, Region, RequiredDocument, Requirement
from extlink.errors import InvalidInput
from extlink.feeds import Need, PublishedRanges, need

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

WORDS = LocalizedText.same("x")
PAGE = "https://example.com/"


def tags(version: int = 1, cloud: str = "Public", **lists: Sequence[str]) -> PublishedRanges:
    """Return a service-tags file; `A__japaneast` is the tag `A.JapanEast` of the region japaneast."""
    values = [
        {
            "name": name.replace("__japaneast", ".JapanEast").replace("__eastus", ".EastUS"),
            "properties": {
                "changeNumber": version,
                "region": name.partition("__")[2],
                "addressPrefixes": list(prefixes),
            },
        }
        for name, prefixes in lists.items()
    ]
    text = json.dumps({"changeNumber": version, "cloud": cloud, "values": values})
    return feeds.read_service_tags(text, published=date(2025, 1, 23))


def document(name: str, *forms: PublishedForm) -> RequiredDocument:
    """Return a document with these forms."""
    return RequiredDocument(id=name, titles=WORDS, page=PAGE, forms=forms)


TAGS = PublishedForm(source="azure-service-tags", groups=("A", "B"))
JAPAN = Region(id="japan", titles=WORDS, cloud="Public", places=("japaneast",))
CHINA = Region(id="china", titles=WORDS, cloud="China")
BOTH = Requirement(
    id="both",
    titles=WORDS,
    documents=(document("tags", TAGS), document("other", PublishedForm(source="plain"))),
    as_of="2026-05-13",
    regions=(JAPAN, CHINA),
)
ONE = Requirement(id="one", titles=WORDS, documents=(document("tags", TAGS),), as_of="2026-05-13", regions=(JAPAN,))
FILE = tags(
    A=["20.0.0.0/24"], A__japaneast=["20.0.0.0/28"], B=["20.0.1.0/24", "2603:1040::/32"], B__eastus=["20.9.0.0/24"]
)


def texts(found: Need) -> list[str]:
    """Return the ranges of a need."""
    return [row.text for row in found.rows]


def test_a_need_is_the_lists_that_are_named() -> None:
    """For the whole cloud: those lists and no regional ones, both versions, each with where it is from."""
    found = need(ONE, [FILE])

    assert ["20.0.0.0/24", "20.0.1.0/24", "2603:1040::/32"] == texts(found)
    assert ("one", None, ()) == (found.requirement, found.region, found.missing)
    assert ("azure-service-tags:Public:A", "1", date(2025, 1, 23)) == (
        found.rows[0].source,
        found.rows[0].version,
        found.rows[0].published,
    )


def test_a_region_takes_the_regional_lists_alone() -> None:
    """A list for the whole cloud is not their union, so it is no substitute for one that is missing."""
    found = need(ONE, [FILE], region="japan")

    assert ["20.0.0.0/28"] == texts(found)
    assert ("B (japan)",) == found.missing


def check_nothing_is_passed_over(ask: Callable[..., Need]) -> None:
    """Require that every list a requirement names is either there or missing."""
    assert ("other",) == ask(BOTH, [FILE]).missing
    assert ("tags", "other") == ask(BOTH, []).missing
    assert ("B", "other") == ask(BOTH, [tags(A=["20.0.0.0/24"])]).missing


def test_what_no_file_has_is_missing() -> None:
    """A whole document, or one list of it: both are said."""
    check_nothing_is_passed_over(need)


def test_a_twin_that_passes_over_absent_documents_is_caught() -> None:
    """The broken twin answers for the documents it has, as if they were all."""

    def lenient(requirement: Requirement, files: Sequence[PublishedRanges]) -> Need:
        found = need(requirement, files)
        return Need(
            requirement=found.requirement,
            region=None,
            documents=tuple(one for one in found.documents if one.file is not None),
        )

    with pytest.raises(AssertionError):
        check_nothing_is_passed_over(lenient)


def test_the_first_form_that_is_there_counts() -> None:
    """A document in two forms is needed once, in the preferred one."""
    forms = (PublishedForm(source="absent"), PublishedForm(source="azure-service-tags"))
    either = Requirement(
        id="either", titles=WORDS, documents=(document("d", *forms),), as_of="2026-05-13", regions=(JAPAN,)
    )

    assert list(FILE.groups) == ["A", "A.JapanEast", "B", "B.EastUS"]
    assert 5 == len(need(either, [FILE]).rows)
    assert ["20.0.0.0/28"] == texts(need(either, [FILE], region="japan"))
    assert ("azure-service-tags (japan)",) == need(either, [tags(B__eastus=["20.9.0.0/24"])], region="japan").missing


def test_a_document_without_regions_is_needed_whole() -> None:
    """Where no list of a file has a region, there is nothing to narrow down."""
    assert ["20.0.0.0/24", "20.1.0.0/24"] == texts(
        need(ONE, [tags(A=["20.0.0.0/24"], B=["20.1.0.0/24"])], region="japan")
    )


def test_a_region_says_which_cloud_is_meant() -> None:
    """Files of other clouds are left out; without a region two clouds are refused, with the way out."""
    china = tags(cloud="China", A=["40.0.0.0/24"], B=["40.1.0.0/24"])

    assert ["40.0.0.0/24", "40.1.0.0/24"] == texts(need(BOTH, [FILE, china], region="china"))
    with pytest.raises(InvalidInput, match="of one cloud, got 'China' and 'Public'; name a region or one file"):
        need(BOTH, [FILE, china])


def test_of_two_files_of_one_kind_the_last_counts() -> None:
    """Whoever passes an older file beside a newer one passes the newer one last."""
    newer = tags(2, A=["20.7.0.0/24"], B=[])

    assert ["20.7.0.0/24"] == texts(need(ONE, [FILE, newer]))


@pytest.mark.parametrize("region", ["Japan", "", "us", 7, None.__class__], ids=repr)
def test_an_unknown_region_is_refused(region: object) -> None:
    """The message lists the regions there are."""
    with pytest.raises(InvalidInput, match=r"region: expected a region of both \(japan, china\), got"):
        need(BOTH, [FILE], region=region)  # type: ignore[arg-type]


@pytest.mark.parametrize("files", [7, ["x"], [None], "ab"], ids=repr)
def test_only_files_that_were_read_are_taken(files: object) -> None:
    """Text is to be read first."""
    with pytest.raises(InvalidInput, match="files: expected"):
        need(BOTH, files)  # type: ignore[arg-type]


REAL = (
    # requirement, region, file -> rows; counted from the files with the standard library alone.
    ("vendor-current", None, "Public_cn342_2025-01-23"),
    ("vendor-current", "japan", "Public_cn342_2025-01-23"),
    ("vendor-current-http", "united-states", "Public_cn342_2025-01-23"),
    ("vendor-current-http", "china", "China_cn362_2025-07-28"),
)


@pytest.mark.parametrize(("name", "region", "file"), REAL)
def test_the_requirements_of_power_automate_in_real_files(
    realdata: Path, name: str, region: str | None, file: str
) -> None:
    """Each comes to exactly the prefixes that the tags of its lists hold in Microsoft's own file."""
    data = gzip.decompress((realdata / "servicetags" / f"ServiceTags_{file}.json.gz").read_bytes())
    requirement = POWER_AUTOMATE.requirement(name)
    assert requirement is not None
    part = requirement.region(region) if region else None
    bases = [group for one in requirement.documents for form in one.forms for group in form.groups]
    expected = sorted(
        prefix
        for value in json.loads(data)["values"]
        for prefix in value["properties"]["addressPrefixes"]
        if (value["name"].split(".")[0] if part and part.places else value["name"]) in bases
        and (not (part and part.places) or value["properties"]["region"] in part.places)
    )
    found = need(requirement, [feeds.read_service_tags(data)], region=region)

    assert () == found.missing
    assert len(expected) > 20
    assert expected == sorted(row.text for row in found.rows)


def page(japan: str, states: str) -> PublishedRanges:
    """Return the page of limits with the rows of two regions and of a preview."""
    rows = f"| {japan} | 13.78.108.1 |\n| {states} | 104.41.132.180 |\n| Preview ({states}) | 52.168.91.64 |\n"
    return feeds.read_power_automate_page(f"---\nms.date: 06/24/2020\n---\n\n| R | IP |\n| --- | --- |\n{rows}")


@pytest.mark.parametrize(
    ("japan", "states"),
    [("Japan", "United States"), ("日本", "米国"), ("Japão", "Estados Unidos"), ("日本", "美国")],
    ids=["en", "ja", "pt", "zh"],
)
def test_the_page_is_known_in_its_languages(japan: str, states: str) -> None:
    """A region of the page counts under the name that each translation gives it; a preview is no region."""
    seed = POWER_AUTOMATE.requirement("seed")
    assert seed is not None
    found = [need(seed, [page(japan, states)], region=region).documents[0] for region in ("japan", "united-states")]

    assert [["13.78.108.1/32"], ["104.41.132.180/32"]] == [[row.text for row in one.rows] for one in found]


def test_the_datacenter_file_has_names_of_its_own() -> None:
    """It writes `useast` where the service tags write `eastus`."""
    names = "useast", "useast2", "uswest", "uswest2", "uscentral", "usnorth", "ussouth", "uswestcentral"
    inside = "".join(
        f'<Region Name="{name}"><IpRange Subnet="13.{number}.0.0/24" /></Region>' for number, name in enumerate(names)
    )
    other = '<Region Name="europewest"><IpRange Subnet="40.112.124.0/24" /></Region>'
    file = feeds.read_datacenter_xml(f"<AzurePublicIpAddresses>{inside}{other}</AzurePublicIpAddresses>")
    seed = POWER_AUTOMATE.requirement("seed")
    assert seed is not None
    found = next(one for one in need(seed, [file], region="united-states").documents if one.id == "azure")

    assert () == found.missing
    assert [f"13.{number}.0.0/24" for number in range(len(names))] == [row.text for row in found.rows]
