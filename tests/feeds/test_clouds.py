"""The files of other clouds: item-exact against an independent count, nothing dropped, the rest refused by place."""

from __future__ import annotations

import gzip
import ipaddress
import json
from collections import defaultdict
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from extlink.domain.address import merge, parse_range
from extlink.errors import ExtlinkError, InvalidInput
from extlink.feeds import (
    PublishedRanges,
    SetAside,
    memo_for,
    read_aws,
    read_cloudflare,
    read_fastly,
    read_github,
    read_google,
    read_memo,
    read_oracle,
    read_zscaler,
    rows_of,
)
from tests.strange import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

Listed = dict[str, list[object]]


def load(realdata: Path, name: str) -> bytes:
    """Return a real file, unpacked."""
    data = (realdata / "other_clouds" / name).read_bytes()
    return gzip.decompress(data) if name.endswith(".gz") else data


def listed(pairs: Iterable[tuple[tuple[str, ...], object]]) -> Listed:
    """Return items by the names of their lists."""
    found: Listed = defaultdict(list)
    for names, item in pairs:
        for name in names:
            found[name].append(item)
    return dict(found)


def aws_items(document: Any) -> Listed:
    """Count AWS's items independently."""
    return listed(
        ((entry["service"], f"{entry['service']}.{entry['region']}"), entry[key])
        for part, key in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix"))
        for entry in document[part]
    )


def google_items(document: Any) -> Listed:
    """Count Google's items independently."""
    return listed(
        ((entry["service"], f"{entry['service']}.{entry['scope']}"), entry.get("ipv4Prefix") or entry["ipv6Prefix"])
        for entry in document["prefixes"]
    )


def oracle_items(document: Any) -> Listed:
    """Count Oracle's items independently."""
    return listed(
        (
            (region["region"], *item["tags"], *(f"{tag}.{region['region']}" for tag in item["tags"])),
            item["cidr"],
        )
        for region in document["regions"]
        for item in region["cidrs"]
    )


def github_items(document: Any) -> Listed:
    """Count GitHub's items independently."""
    return {name: value for name, value in document.items() if isinstance(value, list) and name != "ssh_keys"}


def fastly_items(document: Any) -> Listed:
    """Count Fastly's items independently."""
    return {"Fastly": [*document["addresses"], *document["ipv6_addresses"]]}


def zscaler_items(document: Any) -> Listed:
    """Count Zscaler's items independently."""
    return {document["type"]: document["hubPrefixes"]}


# reader, file, the items that it lists, source, cloud, version if the file has one, day, items in all, lists
JSON_FILES: dict[str, tuple[Any, ...]] = {
    "aws": (
        read_aws,
        "aws-ip-ranges.json.gz",
        aws_items,
        ("aws-ip-ranges", "AWS", "1753388594", date(2025, 7, 24)),
        (13_344, 611),
    ),
    "google": (
        read_google,
        "google-cloud-ip-ranges.json",
        google_items,
        ("google-ip-ranges", "Google Cloud", "1753409788780", date(2025, 7, 24)),
        (782, 47),
    ),
    "oracle": (
        read_oracle,
        "oracle-cloud-ip-ranges.json",
        oracle_items,
        ("oracle-ip-ranges", "Oracle Cloud", "2025-07-21T07:13:25.457838", date(2025, 7, 21)),
        (896, 177),
    ),
    "github": (read_github, "github-ip-ranges.json", github_items, ("github-meta", "GitHub", None, None), (5_959, 13)),
    "fastly": (read_fastly, "fastly-ip-ranges.json", fastly_items, ("fastly-ip-list", "Fastly", None, None), (21, 1)),
    "zscaler": (
        read_zscaler,
        "zscaler-cloud-ip-ranges.json",
        zscaler_items,
        ("zscaler-hubs", "zscaler.net", None, None),
        (80, 1),
    ),
}


def normal(item: object) -> str:
    """Return what a range is by the standard library."""
    return str(ipaddress.ip_network(str(item)))


def is_exact(found: PublishedRanges, items: Listed) -> bool:
    """Tell whether every list has each of its items, once as a range or else set aside."""
    return list(items) == list(found.groups) and all(
        [*dict.fromkeys(map(normal, values))] == [item.text for item in found.groups[name].ranges]
        and len(values) == len(found.groups[name].ranges) + len(found.groups[name].set_aside)
        and {"duplicate"} >= {item.reason for item in found.groups[name].set_aside}
        for name, values in items.items()
    )


@pytest.mark.realdata
@pytest.mark.parametrize("name", JSON_FILES)
def test_real_files_are_read_exactly(realdata: Path, name: str) -> None:
    """List by list the ranges are the file's own, in its order, by the standard library's reading of each."""
    reader, path, independent, (source, cloud, version, day), (count, lists) = JSON_FILES[name]
    data = load(realdata, path)
    found, items = reader(data), independent(json.loads(data))

    assert is_exact(found, items)
    assert (source, cloud, day, lists) == (found.source, found.cloud, found.published, len(found.groups))
    assert found.version == version or (version is None and len(found.version) == 12)
    wholes = [group for group in found.groups.values() if not group.region]
    inside = {"oracle": [group for group in found.groups.values() if group.name == group.region]}.get(name, wholes)
    assert count == sum(len(group.ranges) + len(group.set_aside) for group in inside)


@pytest.mark.realdata
def test_cloudflare_is_read_exactly(realdata: Path) -> None:
    """Both plain files make one list; each alone is one, too."""
    texts = [load(realdata, f"cloudflare-v{version}-ip-ranges.txt") for version in (4, 6)]
    found = read_cloudflare(*texts, published=date(2025, 7, 24))

    assert is_exact(found, {"Cloudflare": [line for text in texts for line in text.decode().split("\n")]})
    assert (15, 7) == tuple(len(read_cloudflare(text).groups["Cloudflare"].ranges) for text in texts)


@pytest.mark.realdata
def test_regions_are_parts_of_the_whole(realdata: Path) -> None:
    """Of AWS, Google and Oracle the regions of a service together cover what its own list covers."""
    for reader, path, *_ in (JSON_FILES[name] for name in ("aws", "google", "oracle")):
        found = reader(load(realdata, path))
        for whole in (group for group in found.groups.values() if not group.region):
            parts = [
                group
                for group in found.groups.values()
                if group.region and group.name[: -len(group.region) - 1] == whole.name
            ]
            assert merge(whole.ranges) == merge(item for group in parts for item in group.ranges)


# What MISP lists a year later: how many ranges, and how many of these lie in what was read here (by subnet_of).
SECOND = {"cloudflare": (22, 22), "zscaler": (78, 73), "google-gcp": (471, 353)}


@pytest.mark.realdata
@pytest.mark.parametrize("name", SECOND)
def test_a_second_source_agrees(realdata: Path, name: str) -> None:
    """A younger list of the same vendors names mostly the same addresses, of Cloudflare exactly the same."""
    second = json.loads((realdata / "misp_warninglists" / f"{name}.json").read_text(encoding="utf-8"))["list"]
    texts = [load(realdata, f"cloudflare-v{version}-ip-ranges.txt") for version in (4, 6)]
    found = {
        "cloudflare": lambda: read_cloudflare(*texts).groups["Cloudflare"],
        "zscaler": lambda: read_zscaler(load(realdata, "zscaler-cloud-ip-ranges.json")).groups["recommended"],
        "google-gcp": lambda: read_google(load(realdata, "google-cloud-ip-ranges.json")).groups["Google Cloud"],
    }[name]()
    mine = merge(found.ranges)
    known = [item for item in map(parse_range, second) if merge([*mine, item]) == mine]

    assert SECOND[name] == (len(second), len(known))


def aws(*entries: object, **changes: object) -> dict[str, Any]:
    """Return a small AWS document."""
    base = {"syncToken": "1", "createDate": "2025-07-24-20-23-14", "prefixes": [*entries], "ipv6_prefixes": []}
    return {**base, **changes}


def aws_entry(item: object, service: object = "S3", region: object = "ap-northeast-1") -> dict[str, object]:
    """Return one of its entries."""
    return {"ip_prefix": item, "service": service, "region": region}


def google(*entries: object, **changes: object) -> dict[str, Any]:
    """Return a small Google document."""
    return {"syncToken": "1", "creationTime": "2025-07-24T19:16:28.780563", "prefixes": [*entries], **changes}


def google_entry(**ranges: object) -> dict[str, object]:
    """Return one of its entries."""
    return {"service": "Google Cloud", "scope": "asia-northeast1", **ranges}


def oracle(*cidrs: object, region: object = "ap-tokyo-1", **changes: object) -> dict[str, Any]:
    """Return a small Oracle document."""
    return {"last_updated_timestamp": "2025-07-21", "regions": [{"region": region, "cidrs": [*cidrs]}], **changes}


READERS: dict[str, Callable[..., PublishedRanges]] = {
    "aws": read_aws,
    "google": read_google,
    "oracle": read_oracle,
    "github": read_github,
    "fastly": read_fastly,
    "zscaler": read_zscaler,
    "cloudflare": read_cloudflare,
}
FASTLY = {"addresses": ["23.235.32.0/20"], "ipv6_addresses": []}
ZSCALER = {"cloudName": "zscaler.net", "type": "recommended", "hubPrefixes": ["8.25.203.0/24"]}
PLACES: list[tuple[str, str, object]] = [
    ("aws", "data", []),
    ("aws", "prefixes", aws(prefixes=None)),
    ("aws", "ipv6_prefixes", aws(ipv6_prefixes={})),
    ("aws", "prefixes[1]", aws(aws_entry("3.5.140.0/22"), prefixes=[aws_entry("3.5.140.0/22"), 7])),
    ("aws", "prefixes[0].service", aws(aws_entry("3.5.140.0/22", service=None))),
    ("aws", "prefixes[0].region", aws(aws_entry("3.5.140.0/22", region=""))),
    ("aws", "syncToken", aws(syncToken=5)),
    ("aws", "createDate", aws(createDate="today")),
    ("aws", "createDate", aws(createDate="2025-02-30-00-00-00")),
    ("aws", "createDate", aws(createDate="2025-07-241")),
    ("aws", "prefixes[1]", aws(aws_entry("3.5.140.0/22", "A", "b.c"), aws_entry("3.5.144.0/22", "A.b", "c"))),
    ("google", "prefixes[0].service", google({"ipv4Prefix": "34.80.0.0/15"})),
    ("google", "prefixes[0].scope", google({"ipv4Prefix": "34.80.0.0/15", "service": "Google Cloud"})),
    ("oracle", "regions", oracle(regions=None)),
    ("oracle", "regions[0].region", oracle(region=5)),
    ("oracle", "regions[0].cidrs", oracle(regions=[{"region": "x"}])),
    ("oracle", "regions[0].cidrs[0].tags", oracle({"cidr": "132.145.112.0/20"})),
    ("oracle", "regions[0].cidrs[0].tags", oracle({"cidr": "132.145.112.0/20", "tags": [5]})),
    ("oracle", "regions[0].cidrs[0]", oracle({"cidr": "132.145.112.0/20", "tags": ["ap-tokyo-1"]})),
    ("oracle", "last_updated_timestamp", oracle(last_updated_timestamp=None)),
    ("github", "data", {"message": "API rate limit exceeded"}),
    ("github", "data", {"ssh_keys": ["ssh-ed25519 AAAA"]}),
    ("github", "data", {"": ["192.30.252.0/22"]}),
    ("fastly", "addresses", {}),
    ("fastly", "ipv6_addresses", {"addresses": []}),
    ("zscaler", "hubPrefixes", {**ZSCALER, "hubPrefixes": "8.25.203.0/24"}),
    ("zscaler", "type", {**ZSCALER, "type": 1}),
    ("zscaler", "cloudName", {**ZSCALER, "cloudName": ""}),
]


@pytest.mark.parametrize(
    ("name", "place", "content"), PLACES, ids=[f"{i} {name} {place}" for i, (name, place, _) in enumerate(PLACES)]
)
def test_another_shape_is_refused_by_its_place(name: str, place: str, content: object) -> None:
    """A document of another shape is no such file; the error names where."""
    with pytest.raises(InvalidInput) as refusal:
        READERS[name](json.dumps(content))

    assert place == refusal.value.field


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ((), "expected the text of one file"),
        (("",), "without a single one"),
        (("<!DOCTYPE html>\n<p>404</p>",), "without a single one"),
        (("173.245.48.0/20", ""), "without a single one"),
        (("10.0.0.0/8\n",), "without a single one"),
        ((b"173.245.48.0/20\n\xff",), "expected UTF-8, got another encoding at byte 16"),
        (("1" * 1_000_001,), "at most 1 MB"),
        ((5,), "got int"),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_a_plain_text_without_ranges_is_refused(texts: Any, problem: str) -> None:
    """An error page or an empty file is no list; taken for one it would say that every range is gone."""
    with pytest.raises(InvalidInput, match=r"^texts: ") as refusal:
        read_cloudflare(*texts)

    assert problem in refusal.value.problem


def test_what_is_no_range_is_set_aside() -> None:
    """Items without a range, of another kind, private or twice are kept with their reason, in each of their lists."""
    entries = [
        aws_entry("3.5.140.0/22"),
        aws_entry("3.5.140.0/22"),
        aws_entry("10.0.0.0/8"),
        aws_entry(7),
        {"service": "S3", "region": "ap-northeast-1"},
    ]
    expected = [
        ("3.5.140.0/22", "duplicate"),
        ("10.0.0.0/8", "private"),
        ("(a number)", "expected a range as text"),
        ("(nothing)", "expected a range as text"),
    ]
    found = read_aws(json.dumps(aws(*entries)))

    for name in ("S3", "S3.ap-northeast-1"):
        assert ["3.5.140.0/22"] == [item.text for item in found.groups[name].ranges]
        assert tuple(SetAside(text, reason) for text, reason in expected) == found.groups[name].set_aside
    both = google(google_entry(ipv4Prefix="34.80.0.0/15", ipv6Prefix="2600:1900:8000::/44"))
    assert 2 == len(read_google(json.dumps(both)).groups["Google Cloud"].ranges)
    untagged = read_oracle(json.dumps(oracle({"cidr": "132.145.112.0/20", "tags": []})))
    assert ["ap-tokyo-1"] == list(untagged.groups)
    lines = read_cloudflare("\ufeff173.245.48.0/20\r\n# a comment\r103.21.244.0/22\n")
    assert ["# a comment"] == [item.text for item in lines.groups["Cloudflare"].set_aside]


def test_a_version_changes_just_with_the_addresses() -> None:
    """Order, blocks and what is set aside make no version; a single address does, in its own lists alone."""

    def versions(*items: str, other: str = "3.5.160.0/24", **changes: object) -> dict[str, str]:
        entries = [*map(aws_entry, items), aws_entry(other, "EC2", "us-east-1")]
        groups = read_aws(json.dumps(aws(*entries, **changes))).groups
        return {name: group.version for name, group in groups.items()}

    before = versions("3.5.140.0/24", "3.5.141.0/24")

    assert before == versions("3.5.141.0/24", "3.5.140.0/24", syncToken="2")
    assert before == versions("3.5.140.0/23", "10.0.0.0/8")
    after = versions("3.5.140.0/24", "3.5.141.0/25")
    assert {"S3", "S3.ap-northeast-1"} == {name for name in before if before[name] != after[name]}
    assert read_github('{"a": ["8.8.8.0/24"]}').version != read_github('{"a": ["8.8.8.0/25"]}').version
    assert read_github('{"a": ["8.8.8.0/24"]}').version != read_github('{"b": ["8.8.8.0/24"]}').version


def test_the_day_is_the_hosts_where_the_file_has_none() -> None:
    """It is a date without a time, as a row wants it; rows tell by their memo where they came from."""
    day = date(2025, 7, 24)
    given_day: list[PublishedRanges] = [
        read_github('{"hooks": ["192.30.252.0/22"]}', published=day),
        read_fastly(json.dumps(FASTLY), published=day),
        read_zscaler(json.dumps(ZSCALER), published=day),
        read_cloudflare("173.245.48.0/20", published=day),
        read_aws(json.dumps(aws(aws_entry("3.5.140.0/22")))),
        read_google(json.dumps(google(google_entry(ipv4Prefix="34.80.0.0/15")))),
    ]

    for found in given_day:
        for row in (row for name in found.groups for row in rows_of(found, name)):
            assert day == row.published
            assert (row.source, row.version, day) == read_memo(memo_for(row))
    for reader, text in ((read_github, '{"hooks": []}'), (read_cloudflare, "173.245.48.0/20")):
        for wrong in ("2025-07-24", datetime(2025, 7, 24)):  # noqa: DTZ001 - any time of day is wrong
            with pytest.raises(InvalidInput, match="published: expected a date"):
                reader(text, published=wrong)  # type: ignore[arg-type]


def silent(data: bytes) -> dict[str, int]:
    """Broken twin: what is set aside is not counted."""
    return {name: len(group.ranges) for name, group in read_aws(data).groups.items()}


def test_counting_catches_a_reader_that_skips() -> None:
    """The comparison of counts fails for a reader that drops items silently."""
    document = aws(aws_entry("3.5.140.0/22"), aws_entry("3.5.140.0/22"))
    data = json.dumps(document).encode()
    counts = {name: len(items) for name, items in aws_items(document).items()}

    assert is_exact(read_aws(data), aws_items(document))
    assert counts == {name: len(g.ranges) + len(g.set_aside) for name, g in read_aws(data).groups.items()}
    assert counts != silent(data)


ITEM = st.one_of(
    st.sampled_from(["3.5.140.0/22", "10.0.0.0/8", "2400:cb00::/32", "3.5.140.1/22", "", "x"]), st.none(), st.integers()
)
NAME = st.sampled_from(["A", "B", "A.b", "b", "", "\ud800"]) | st.none()
DOCUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "aws": st.lists(st.builds(aws_entry, ITEM, NAME, NAME), max_size=4).map(lambda entries: aws(*entries)),
    "google": st.lists(
        st.dictionaries(st.sampled_from(["ipv4Prefix", "ipv6Prefix"]), ITEM).map(lambda some: google_entry(**some)),
        max_size=4,
    ).map(lambda entries: google(*entries)),
    "oracle": st.lists(
        st.builds(lambda item, tags: {"cidr": item, "tags": tags}, ITEM, st.lists(NAME, max_size=2)), max_size=4
    ).map(lambda cidrs: oracle(*cidrs)),
    "github": st.dictionaries(st.text(max_size=3), st.lists(ITEM, max_size=4) | st.none(), max_size=3),
    "fastly": st.builds(
        lambda first, second: {"addresses": first, "ipv6_addresses": second}, st.lists(ITEM), st.lists(ITEM)
    ),
    "zscaler": st.lists(ITEM).map(lambda items: {**ZSCALER, "hubPrefixes": items}),
}


def items_of(name: str, document: Any) -> Iterator[int]:
    """Yield how many items a document has, list by list of the vendor's own that hold each item once."""
    if name == "aws":
        yield len(document["prefixes"])
    elif name == "google":
        yield sum(max(1, len(entry) - 2) for entry in document["prefixes"])
    elif name == "oracle":
        yield len(document["regions"][0]["cidrs"])
    elif name == "github":
        yield sum(len(value) for value in document.values() if value is not None)
    elif name == "fastly":
        yield len(document["addresses"]) + len(document["ipv6_addresses"])
    else:
        yield len(document["hubPrefixes"])


@given(data=st.data(), name=st.sampled_from(sorted(DOCUMENTS)))
def test_no_item_is_lost(data: st.DataObject, name: str) -> None:
    """Law 13: a document is read with every item in the lists of the whole cloud, or refused."""
    document = data.draw(DOCUMENTS[name])
    message = ""
    try:
        found = READERS[name](json.dumps(document))
    except ExtlinkError as error:
        message = str(error)
    else:
        # Oracle's whole lists are its tags, which an item may have none of; its region has them all.
        wholes = [group for group in found.groups.values() if (group.region == "") != (name == "oracle")]
        if name == "oracle":
            wholes = [group for group in wholes if group.name == group.region]
        assert [*items_of(name, document)] == [sum(len(group.ranges) + len(group.set_aside) for group in wholes)]

    assert message.isprintable()
    assert message.isascii()


@given(
    data=st.one_of(st.binary(), st.text(), st.text("0123456789./\n\r:abcdef")), name=st.sampled_from(sorted(READERS))
)
def test_any_data_is_ranges_or_an_error(data: Any, name: str) -> None:
    """Law 13: whatever comes in, ranges or an `ExtlinkError` come out."""
    with suppress(ExtlinkError):
        assert READERS[name](data).groups


@given(value=ANYTHING)
def test_anything_is_refused_or_read(value: Any) -> None:
    """Law 13: a plain text that is none, or a strange one."""
    with suppress(ExtlinkError):
        read_cloudflare(value.make())
    with suppress(ExtlinkError):
        read_cloudflare("173.245.48.0/20", published=value.make())
