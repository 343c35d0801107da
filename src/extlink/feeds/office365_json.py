"""The reader of what the Office 365 endpoints web service answers, the help page's second link (TRACE A15, T4).

The format, at endpoints.office.com: a list of endpoints, one address of the service for each of five clouds.

| place | content |
|---|---|
| `[].serviceArea` | `Exchange`, `SharePoint`, `Skype` (with Teams), `Common` |
| `[].category` | `Optimize`, `Allow` or `Default` |
| `[].ips[]` | CIDR texts of both versions; most endpoints have none |

Rules: what else the answer holds is not read; URLs are not ranges. The answer says neither its cloud nor its version:
whoever asked knows them, and a wrong guess would allow another cloud's addresses, so the cloud has no default.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from extlink.feeds._endpoints import SOURCE, Endpoint, endpoint_groups
from extlink.feeds._given import read_day
from extlink.feeds._json import read_items, read_json, read_object, read_text
from extlink.feeds.published import PublishedRanges

__all__ = ["SOURCE", "read_office365_json"]


def read_office365_json(
    data: str | bytes, *, cloud: str, published: date | None = None, version: str = ""
) -> PublishedRanges:
    """Return the ranges of an answer of the endpoints web service.

    Args:
        data: the whole answer, in JSON.
        cloud: the instance that was asked, as the service spells it: `Worldwide`, `USGovDoD`, `USGovGCCHigh`, `China`,
            `Germany`.
        published: the day of the answer, where the host knows it.
        version: what the service's `/version` said, such as `2020120100`.

    Raises:
        InvalidInput: no such answer; the field names the place, as `endpoints[12].ips`.

    >>> answer = '''[{"id": 1, "serviceArea": "Exchange", "category": "Optimize", "ips": ["13.107.6.152/31"]},
    ...     {"id": 9, "serviceArea": "Exchange", "category": "Allow", "ips": ["13.107.6.152/31", "40.92.0.0/15"]}]'''
    >>> found = read_office365_json(answer, cloud="Worldwide")
    >>> {name: [item.text for item in group.ranges] for name, group in found.groups.items()} == {
    ...     "Exchange": ["13.107.6.152/31", "40.92.0.0/15"],
    ...     "Exchange.Optimize": ["13.107.6.152/31"],
    ...     "Exchange.Allow": ["13.107.6.152/31", "40.92.0.0/15"],
    ... }
    True
    """
    day, version = read_day(published), read_text(version, "version", least=0)
    endpoints = _endpoints(read_items(read_json(data), "data"))
    return PublishedRanges(
        source=SOURCE,
        cloud=read_text(cloud, "cloud"),
        version=version,
        published=day,
        groups=endpoint_groups(endpoints, version),
    )


def _endpoints(values: list[object]) -> Iterator[Endpoint]:
    for i, value in enumerate(values):
        place = f"endpoints[{i}]"
        entry = read_object(value, place)
        items = read_items(entry.get("ips", []), f"{place}.ips")
        yield Endpoint(place=place, area=entry.get("serviceArea"), category=entry.get("category"), items=items)
