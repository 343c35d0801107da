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

from extlink.domain.address import AddressRange, classify, parse_range
from extlink.errors import InvalidInput
from extlink.feeds._json import kind, read_count, read_items, read_json, read_object, read_text
from extlink.feeds.published import Group, PublishedRanges, SetAside

__all__ = ["SOURCE", "read_service_tags"]

SOURCE: Final = "azure-service-tags"
_MAX_SHOWN: Final = 64

# Regions repeat the prefixes of the whole, so each text is judged once a file.
_Verdicts = dict[str, AddressRange | str]


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
    if published is not None and not isinstance(published, date):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput("published", f"expected a date, got {type(published).__name__}")
    document = read_object(read_json(data), "data")
    groups: dict[str, Group] = {}
    verdicts: _Verdicts = {}
    for i, value in enumerate(read_items(document.get("values"), "values")):
        group = _read_group(value, f"values[{i}]", verdicts)
        if group.name in groups:
            raise InvalidInput(f"values[{i}].name", f"expected each tag once, got {group.name[:64]!a} twice")
        groups[group.name] = group
    return PublishedRanges(
        source=SOURCE,
        cloud=read_text(document.get("cloud"), "cloud"),
        version=str(read_count(document.get("changeNumber"), "changeNumber")),
        published=published,
        groups=groups,
    )


def _read_group(value: object, place: str, verdicts: _Verdicts) -> Group:
    tag = read_object(value, place)
    inside = f"{place}.properties"
    properties = read_object(tag.get("properties"), inside)
    prefixes = read_items(properties.get("addressPrefixes"), f"{inside}.addressPrefixes")
    ranges: dict[AddressRange, None] = {}
    set_aside: list[SetAside] = []
    for prefix in prefixes:
        verdict = _judge(prefix, verdicts)
        if isinstance(verdict, str):
            set_aside.append(SetAside(_shown(prefix), verdict))
        elif verdict in ranges:
            set_aside.append(SetAside(_shown(prefix), "duplicate"))
        else:
            ranges[verdict] = None
    return Group(
        name=read_text(tag.get("name"), f"{place}.name"),
        version=str(read_count(properties.get("changeNumber"), f"{inside}.changeNumber")),
        region=read_text(properties.get("region", ""), f"{inside}.region", least=0),
        ranges=tuple(ranges),
        set_aside=tuple(set_aside),
    )


def _judge(prefix: object, verdicts: _Verdicts) -> AddressRange | str:
    """Return the range of a prefix, or why it is set aside."""
    if not isinstance(prefix, str):
        return "expected a range as text"
    verdict = verdicts.get(prefix)
    if verdict is None:
        verdict = verdicts[prefix] = _parse(prefix)
    return verdict


def _parse(prefix: str) -> AddressRange | str:
    try:
        found = parse_range(prefix)
    except InvalidInput as error:
        return error.problem
    reach = classify(found)
    return found if reach == "global" else reach


def _shown(prefix: object) -> str:
    text = prefix if isinstance(prefix, str) else f"({kind(prefix)})"
    return ascii(text[:_MAX_SHOWN])[1:-1]
