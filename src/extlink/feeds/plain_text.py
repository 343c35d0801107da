"""The reader of plain lists: one range a line, as Cloudflare and many a firewall's export have it.

| line | meaning |
|---|---|
| `20.89.11.48/28`, `20.89.11.50`, `20.89.11.1 - 20.89.11.2` | a range |
| from `#` to the end of the line | a comment |
| blank, or with nothing but a comment | nothing |

Rules: every other line is set aside with its reason, so a page of an error that was saved as a list shows as such.
"""

from __future__ import annotations

from datetime import date

from extlink.feeds._given import read_day
from extlink.feeds._intervals import parse_interval
from extlink.feeds._items import Sorter
from extlink.feeds._json import decode, read_text
from extlink.feeds.published import Group, PublishedRanges

__all__ = ["read_plain_text"]


def read_plain_text(
    data: str | bytes,
    *,
    source: str,
    cloud: str = "",
    name: str = "ranges",
    version: str = "",
    published: date | None = None,
) -> PublishedRanges:
    r"""Return the ranges of a list with one range a line, as one group.

    Args:
        data: the whole list.
        source: what kind of list it is, as rows will name it: `cloudflare`.
        cloud: whose or which part, where the source has several.
        name: what the only group is called.
        version: what tells one state of the list from another.
        published: the day of the list, where the host knows it.

    Raises:
        InvalidInput: no text in UTF-8, or one of the names is no short text.

    >>> found = read_plain_text("# offices\n20.89.11.48/28  # Tokyo\n\n10.0.0.0/8", source="firewall")
    >>> group = found.groups["ranges"]
    >>> [item.text for item in group.ranges], [(item.text, item.reason) for item in group.set_aside]
    (['20.89.11.48/28'], [('10.0.0.0/8', 'private')])
    """
    day, version = read_day(published), read_text(version, "version", least=0)
    lines = decode(data).replace("\r", "\n").split("\n")
    ranges, aside = Sorter(parse_interval).sort(item for line in lines if (item := line.partition("#")[0].strip()))
    group = Group(name=read_text(name, "name"), version=version, region="", ranges=ranges, set_aside=aside)
    return PublishedRanges(
        source=read_text(source, "source"),
        cloud=read_text(cloud, "cloud", least=0),
        version=version,
        published=day,
        groups={group.name: group},
    )
