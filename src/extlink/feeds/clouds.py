"""The readers of what other clouds publish: AWS, Google, GitHub, Oracle, Cloudflare, Fastly, Zscaler.

| reader | lists | version | day |
|---|---|---|---|
| `read_aws`, ip-ranges.json | `EC2`, `EC2.ap-northeast-1` | `syncToken` | `createDate` |
| `read_google`, cloud.json | `Google Cloud`, `Google Cloud.asia-northeast1` | `syncToken` | `creationTime` |
| `read_oracle`, public_ip_ranges.json | `ap-tokyo-1`, `OSN`, `OSN.ap-tokyo-1` | `last_updated_timestamp` | the same |
| `read_github`, api.github.com/meta | each list of the document but `ssh_keys` | ours | the host's |
| `read_fastly`, public-ip-list | `Fastly` | ours | the host's |
| `read_zscaler`, hubs/cidr | what `type` says, as `recommended` | ours | the host's |
| `read_cloudflare`, ips-v4 and ips-v6, a range a line | `Cloudflare` | ours | the host's |

Rules: as for service tags - every item of a list is taken or set aside, what else a file holds is not read, a document
of another shape is refused by its place. None of these vendors numbers its lists, and a file's own version says nothing
of one list, so a list's version is ours: a digest of the addresses that it covers, which changes when they do and
only then. The list of a whole cloud has the items of all its regions, in the order of the file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

import attrs

from extlink.domain.address import AddressRange, merge
from extlink.errors import InvalidInput
from extlink.feeds._items import Sorter
from extlink.feeds._json import kind, read_items, read_json, read_object, read_text
from extlink.feeds._text import plain_data
from extlink.feeds.published import Group, PublishedRanges

__all__ = ["read_aws", "read_cloudflare", "read_fastly", "read_github", "read_google", "read_oracle", "read_zscaler"]

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[-T].*)?")


@attrs.define(eq=False)
class _Lists:
    """The items of one file by the names of their lists, in the order in which the names come."""

    _items: dict[str, list[object]] = attrs.field(factory=dict[str, list[object]], init=False)
    _regions: dict[str, str] = attrs.field(factory=dict[str, str], init=False)

    def add(self, name: str, region: str, items: Iterable[object], place: str) -> None:
        """Add items to a list of the whole cloud, or of one region.

        Raises:
            InvalidInput: another list has that name already; a file whose names run together cannot be told apart.
        """
        if self._regions.setdefault(name, region) != region:
            raise InvalidInput(place, f"expected names that stay apart, got two lists called {name[:64]!a}")
        self._items.setdefault(name, []).extend(items)

    def groups(self) -> dict[str, Group]:
        """Return the lists, sorted."""
        sorter = Sorter()
        found: dict[str, Group] = {}
        for name, items in self._items.items():
            ranges, set_aside = sorter.sort(items)
            found[name] = Group(
                name=name,
                version=_digest(item.text for item in merge(ranges)),
                region=self._regions[name],
                ranges=ranges,
                set_aside=set_aside,
            )
        return found


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


@attrs.frozen(kw_only=True)
class _Tagged:
    """A kind of file in which each item names its service and its region.

    Args:
        source: what the kind is called.
        cloud: the vendor.
        parts: the lists of items, and under which keys an item may have a range.
        service: the key of the service.
        region: the key of the region.
        version: the key of the file's version.
        day: the key of a text that begins with the day.
    """

    source: str
    cloud: str
    parts: Mapping[str, tuple[str, ...]]
    service: str
    region: str
    version: str
    day: str


_AWS: Final = _Tagged(
    source="aws-ip-ranges",
    cloud="AWS",
    parts={"prefixes": ("ip_prefix",), "ipv6_prefixes": ("ipv6_prefix",)},
    service="service",
    region="region",
    version="syncToken",
    day="createDate",
)
_GOOGLE: Final = _Tagged(
    source="google-ip-ranges",
    cloud="Google Cloud",
    parts={"prefixes": ("ipv4Prefix", "ipv6Prefix")},
    service="service",
    region="scope",
    version="syncToken",
    day="creationTime",
)


def _read_tagged(data: object, form: _Tagged) -> PublishedRanges:
    document = read_object(read_json(data), "data")
    lists = _Lists()
    for part, keys in form.parts.items():
        for place, entry in _objects(document.get(part), part):
            service = read_text(entry.get(form.service), f"{place}.{form.service}")
            region = read_text(entry.get(form.region), f"{place}.{form.region}")
            # An entry without any of the keys is an item without a range: set aside, not dropped.
            items = [entry[key] for key in keys if key in entry] or [None]
            lists.add(service, "", items, place)
            lists.add(f"{service}.{region}", region, items, place)
    return PublishedRanges(
        source=form.source,
        cloud=form.cloud,
        version=read_text(document.get(form.version), form.version),
        published=_read_day(document.get(form.day), form.day),
        groups=lists.groups(),
    )


def _objects(value: object, place: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the objects of a JSON list, each with its place."""
    for i, item in enumerate(read_items(value, place)):
        yield f"{place}[{i}]", read_object(item, f"{place}[{i}]")


def _read_day(value: object, place: str) -> date:
    text = read_text(value, place)
    found = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(found[1] if found else "")
    except ValueError:
        raise InvalidInput(place, f"expected a day such as 2025-07-24 and a time, got {text[:64]!a}") from None


def read_aws(data: str | bytes) -> PublishedRanges:
    """Return the ranges of Amazon Web Services, by service and by service and region.

    The list `AMAZON` has the ranges of all services.

    Args:
        data: the file ip-ranges.json, unpacked.

    Raises:
        InvalidInput: not such a file; the field names the place, as `prefixes[12].service`.

    >>> found = read_aws('''{"syncToken": "1753388594", "createDate": "2025-07-24-20-23-14", "ipv6_prefixes": [],
    ...     "prefixes": [{"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3"}]}''')
    >>> list(found.groups), found.published
    (['S3', 'S3.ap-northeast-2'], datetime.date(2025, 7, 24))
    """
    return _read_tagged(data, _AWS)


def read_google(data: str | bytes) -> PublishedRanges:
    """Return the ranges of Google Cloud, by service and by service and scope.

    Args:
        data: the file cloud.json. Google's other file, goog.json, names no services and is refused.

    Raises:
        InvalidInput: not such a file; the field names the place, as `prefixes[12].scope`.

    >>> found = read_google('''{"syncToken": "1753409788780", "creationTime": "2025-07-24T19:16:28.780563",
    ...     "prefixes": [{"ipv4Prefix": "34.80.0.0/15", "service": "Google Cloud", "scope": "asia-east1"}]}''')
    >>> list(found.groups)
    ['Google Cloud', 'Google Cloud.asia-east1']
    """
    return _read_tagged(data, _GOOGLE)


def read_oracle(data: str | bytes) -> PublishedRanges:
    """Return the ranges of Oracle Cloud, by region, by tag, and by tag and region.

    A range may have several tags, or none, so that the list of its region alone has every range.

    Args:
        data: the file public_ip_ranges.json.

    Raises:
        InvalidInput: not such a file; the field names the place, as `regions[3].cidrs[12].tags`.

    >>> found = read_oracle('''{"last_updated_timestamp": "2025-07-21T07:13:25.457838", "regions": [
    ...     {"region": "ap-tokyo-1", "cidrs": [{"cidr": "132.145.112.0/20", "tags": ["OCI"]}]}]}''')
    >>> list(found.groups)
    ['ap-tokyo-1', 'OCI', 'OCI.ap-tokyo-1']
    """
    document = read_object(read_json(data), "data")
    lists = _Lists()
    for place, entry in _objects(document.get("regions"), "regions"):
        region = read_text(entry.get("region"), f"{place}.region")
        for inner, item in _objects(entry.get("cidrs"), f"{place}.cidrs"):
            found = [item.get("cidr")]
            lists.add(region, region, found, inner)
            for tag in read_items(item.get("tags"), f"{inner}.tags"):
                name = read_text(tag, f"{inner}.tags")
                lists.add(name, "", found, inner)
                lists.add(f"{name}.{region}", region, found, inner)
    stamp = "last_updated_timestamp"
    return PublishedRanges(
        source="oracle-ip-ranges",
        cloud="Oracle Cloud",
        version=read_text(document.get(stamp), stamp),
        published=_read_day(document.get(stamp), stamp),
        groups=lists.groups(),
    )


def _undated(source: str, cloud: str, lists: _Lists, published: object) -> PublishedRanges:
    """Return the ranges of a file that says neither its version nor its day."""
    if published is not None and type(published) is not date:
        raise InvalidInput("published", f"expected a date without a time, got {type(published).__name__}")
    groups = lists.groups()
    return PublishedRanges(
        source=source,
        cloud=cloud,
        version=_digest(f"{group.name} {group.version}" for group in groups.values()),
        published=published,
        groups=groups,
    )


def read_github(data: str | bytes, *, published: date | None = None) -> PublishedRanges:
    """Return the ranges of GitHub, by feature, such as `hooks`, `web` and `actions`.

    Args:
        data: the answer of the API's endpoint `meta`.
        published: the day it was fetched, where the host knows it.

    Raises:
        InvalidInput: not such a document, or one without a single list, as an error of the API is.

    >>> found = read_github('{"ssh_keys": ["ssh-ed25519 AAAA"], "hooks": ["192.30.252.0/22"]}')
    >>> {name: [item.text for item in group.ranges] for name, group in found.groups.items()}
    {'hooks': ['192.30.252.0/22']}
    """
    document = read_object(read_json(data), "data")
    lists = _Lists()
    for name, value in document.items():
        if kind(value) == "a list" and name != "ssh_keys":
            lists.add(read_text(name, "data"), "", read_items(value, "data"), "data")
    found = _undated("github-meta", "GitHub", lists, published)
    if not found.groups:
        raise InvalidInput("data", "expected lists of ranges, such as hooks, got an object without any list")
    return found


def read_fastly(data: str | bytes, *, published: date | None = None) -> PublishedRanges:
    """Return the ranges of Fastly, all in one list.

    Args:
        data: the answer of the API's endpoint `public-ip-list`.
        published: the day it was fetched, where the host knows it.

    Raises:
        InvalidInput: not such a document.

    >>> found = read_fastly('{"addresses": ["23.235.32.0/20"], "ipv6_addresses": ["2a04:4e40::/32"]}')
    >>> [item.text for item in found.groups["Fastly"].ranges]
    ['23.235.32.0/20', '2a04:4e40::/32']
    """
    document = read_object(read_json(data), "data")
    lists = _Lists()
    for part in ("addresses", "ipv6_addresses"):
        lists.add("Fastly", "", read_items(document.get(part), part), part)
    return _undated("fastly-ip-list", "Fastly", lists, published)


def read_zscaler(data: str | bytes, *, published: date | None = None) -> PublishedRanges:
    """Return the hub ranges of one Zscaler cloud, in one list named by its type.

    Args:
        data: the answer of `hubs/cidr/json`, of the recommended or the required ranges.
        published: the day it was fetched, where the host knows it.

    Raises:
        InvalidInput: not such a document.

    >>> found = read_zscaler('{"cloudName": "zscaler.net", "type": "recommended", "hubPrefixes": ["8.25.203.0/24"]}')
    >>> found.cloud, list(found.groups)
    ('zscaler.net', ['recommended'])
    """
    document = read_object(read_json(data), "data")
    lists = _Lists()
    prefixes = read_items(document.get("hubPrefixes"), "hubPrefixes")
    lists.add(read_text(document.get("type"), "type"), "", prefixes, "type")
    return _undated("zscaler-hubs", read_text(document.get("cloudName"), "cloudName"), lists, published)


def read_cloudflare(*texts: str | bytes, published: date | None = None) -> PublishedRanges:
    r"""Return the ranges of Cloudflare, all in one list.

    Args:
        texts: the file of IPv4 ranges, that of IPv6 ranges, or both, a range a line.
        published: the day they were fetched, where the host knows it.

    Raises:
        InvalidInput: no file, or one without a single range, as an error page is.

    >>> found = read_cloudflare("173.245.48.0/20\n103.21.244.0/22", "2400:cb00::/32\n")
    >>> [item.text for item in found.groups["Cloudflare"].ranges]
    ['173.245.48.0/20', '103.21.244.0/22', '2400:cb00::/32']
    """
    lists = _Lists()
    for text in texts:
        lists.add("Cloudflare", "", _read_lines(text), "texts")
    if not texts:
        raise InvalidInput("texts", "expected the text of one file or more")
    return _undated("cloudflare-ips", "Cloudflare", lists, published)


def _read_lines(data: object) -> list[str]:
    """Return the lines of a text, without the empty ones."""
    given = plain_data(data, "texts", megabytes=1)
    try:
        text = (given if isinstance(given, str) else given.decode()).removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        raise InvalidInput("texts", f"expected UTF-8, got another encoding at byte {exc.start}") from exc
    lines = [line for line in _LINE_END.split(text) if line]
    sorter = Sorter()
    if not any(isinstance(sorter.judge(line), AddressRange) for line in lines):
        raise InvalidInput("texts", "expected one range a line, got a text without a single one")
    return lines
