"""Office 365 endpoints by service area and category, whatever the file they came in (TRACE T4, A15).

Rules: a service area becomes a group of its name, `Exchange`, and one a category, `Exchange.Optimize`, also where it
has no addresses. So both choices are a group's name, and the model needs no attributes. Every item of an endpoint is in
both of its groups; endpoints of one area repeat each other's ranges, which are set aside as duplicates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from extlink.errors import InvalidInput
from extlink.feeds._items import Sorter
from extlink.feeds._json import read_text
from extlink.feeds.published import Group

__all__ = ["SOURCE", "Endpoint", "endpoint_groups"]

# One for both kinds of file, so that rows from the one can be told as, and replaced by, rows from the other.
SOURCE: Final = "office-365-endpoints"


@attrs.frozen(kw_only=True)
class Endpoint:
    """One entry of a file: whose addresses these are.

    Args:
        place: where it stands, for messages.
        area: the service area: `Exchange`, `SharePoint`, `Skype` (with Teams) or `Common`.
        category: `Optimize`, `Allow` or `Default`.
        items: what the entry lists as addresses.
    """

    place: str
    area: object
    category: object
    items: Sequence[object]


def endpoint_groups(endpoints: Iterable[Endpoint], version: str) -> dict[str, Group]:
    """Return the groups of a file, in the order in which the areas and their categories first appear.

    Raises:
        InvalidInput: an area or a category that is no text, too long, or has a dot; the field names the place.
    """
    areas: dict[str, list[object]] = {}
    categories: dict[str, dict[str, list[object]]] = {}
    for endpoint in endpoints:
        area = _read_name(endpoint.area, f"{endpoint.place}.serviceArea")
        category = _read_name(endpoint.category, f"{endpoint.place}.category")
        areas.setdefault(area, []).extend(endpoint.items)
        categories.setdefault(area, {}).setdefault(category, []).extend(endpoint.items)
    sorter = Sorter()
    groups: dict[str, Group] = {}
    for area, whole in areas.items():
        lists = {area: whole, **{f"{area}.{category}": items for category, items in categories[area].items()}}
        for name, items in lists.items():
            ranges, aside = sorter.sort(items)
            groups[name] = Group(name=name, version=version, region="", ranges=ranges, set_aside=aside)
    return groups


def _read_name(value: object, place: str) -> str:
    name = read_text(value, place)
    if "." in name:
        raise InvalidInput(place, f"expected a name without a dot, which joins area and category, got {name[:64]!a}")
    return name
