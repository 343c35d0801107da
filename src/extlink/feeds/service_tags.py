"""The reader of Azure service-tags files: the successor of the datacenter ranges that the help page names (T4).

The format, as Microsoft publishes it weekly (download 56519; one file a cloud):

| place | content |
|---|---|
| `changeNumber`, `cloud` | the file's version, which grows; `Public`, `China`, `AzureGovernment` |
| `values[].name` | the tag: `AzureConnectors`, or with a region `AzureConnectors.JapanEast` |
| `values[].properties.changeNumber` | the tag's own version |
| `values[].properties.region` | the region, empty for all |
| `values[].properties.addressPrefixes[]` | CIDR texts of both versions |

Rules: what else a file holds is not read. Each prefix is taken, or set aside because it is no range, comes twice in its
tag, or touches a block that never reaches a host over the internet. The file carries no date; whoever has it may say.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from extlink.errors import InvalidInput
from extlink.feeds._given import read_day
from extlink.feeds._items import Sorter
from extlink.feeds._json import read_count, read_items, read_json, read_object, read_text
from extlink.feeds.published import Group, PublishedRanges

__all__ = ["SOURCE", "read_service_tags"]

SOURCE: Final = "azure-service-tags"


def read_service_tags(data: str | bytes, *, published: date | None = None) -> PublishedRanges:
    """Return the ranges of a service-tags file.

    Args:
        data: the whole file, unpacked.
        published: the day the file was published, where the host knows it.

    Raises:
        InvalidInput: not such a file; the field names the place, as `values[12].properties.addressPrefixes`.

    >>> example = '''{"changeNumber": 1, "cloud": "Public", "values": [{"name": "AzureConnectors", "properties":
    ...     {"changeNumber": 1, "region": "", "addressPrefixes": ["20.89.11.48/28", "10.0.0.0/8"]}}]}'''
    >>> group = read_service_tags(example).groups["AzureConnectors"]
    >>> [item.text for item in group.ranges], [(item.text, item.reason) for item in group.set_aside]
    (['20.89.11.48/28'], [('10.0.0.0/8', 'private')])
    """
    day = read_day(published)
    document = read_object(read_json(data), "data")
    groups: dict[str, Group] = {}
    sorter = Sorter()
    for i, value in enumerate(read_items(document.get("values"), "values")):
        group = _read_group(value, f"values[{i}]", sorter)
        if group.name in groups:
            raise InvalidInput(f"values[{i}].name", f"expected each tag once, got {group.name[:64]!a} twice")
        groups[group.name] = group
    return PublishedRanges(
        source=SOURCE,
        cloud=read_text(document.get("cloud"), "cloud"),
        version=str(read_count(document.get("changeNumber"), "changeNumber")),
        published=day,
        groups=groups,
    )


def _read_group(value: object, place: str, sorter: Sorter) -> Group:
    tag = read_object(value, place)
    inside = f"{place}.properties"
    properties = read_object(tag.get("properties"), inside)
    ranges, set_aside = sorter.sort(read_items(properties.get("addressPrefixes"), f"{inside}.addressPrefixes"))
    return Group(
        name=read_text(tag.get("name"), f"{place}.name"),
        version=str(read_count(properties.get("changeNumber"), f"{inside}.changeNumber")),
        region=read_text(properties.get("region", ""), f"{inside}.region", least=0),
        ranges=ranges,
        set_aside=set_aside,
    )
