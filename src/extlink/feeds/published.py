"""Published ranges: what a vendor's file says a service calls from, with source, version and date (TRACE T4).

Rules: a group has every item of its list, taken as a range or set aside with the reason; nothing is dropped. Ranges
keep the order of the file; only `rows_of` turns them into rows, and it says which it leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import attrs

from extlink.domain.address import AddressRange
from extlink.domain.network import Row
from extlink.errors import InvalidInput

__all__ = ["Group", "PublishedRanges", "SetAside", "rows_of"]


@attrs.frozen
class SetAside:
    """An item of a file that is no usable range.

    Args:
        text: the item as the file has it, in ASCII and cut at 64 characters.
        reason: `duplicate`; what a special-purpose block is called, such as `private` (`domain.address.Reach`); or, of
            an item that is no range, the sentence that says what was expected.
    """

    text: str
    reason: str


@attrs.frozen(kw_only=True)
class Group:
    """One named list of a file, such as the service tag `AzureConnectors`.

    Args:
        name: as the file spells it.
        version: the list's own version, which changes only when the list does; the file's, where lists have none.
        region: the vendor's name of a region, empty for all of them.
        ranges: what was taken, in the order of the file, each once.
        set_aside: what was not, in the order of the file.
    """

    name: str
    version: str
    region: str
    ranges: tuple[AddressRange, ...]
    set_aside: tuple[SetAside, ...]


def _counted(groups: Mapping[str, Group]) -> str:
    # A file has tens of thousands of ranges, and is shown wherever an operation on it is.
    return f"<{len(groups):,} groups>"


def _read_only(groups: Mapping[str, Group]) -> Mapping[str, Group]:
    return MappingProxyType(dict(groups))


@attrs.frozen(kw_only=True)
class PublishedRanges:
    """One file of published ranges.

    Args:
        source: the kind of file, such as `azure-service-tags`.
        cloud: the vendor's name of the cloud it is for, such as `Public` or `China`.
        version: the file's version; a larger number is newer where the vendor counts.
        published: the day of publication, where the file or whoever brought it says so.
        groups: the lists by name, in the order of the file.
    """

    source: str
    cloud: str
    version: str
    published: date | None
    groups: Mapping[str, Group] = attrs.field(converter=_read_only, hash=False, repr=_counted)

    def __reduce__(self) -> tuple[object, ...]:
        values = (self.source, self.cloud, self.version, self.published, dict(self.groups))
        return _restore, values


def _restore(
    source: str, cloud: str, version: str, published: date | None, groups: dict[str, Group]
) -> PublishedRanges:  # a read-only view cannot be pickled
    return PublishedRanges(source=source, cloud=cloud, version=version, published=published, groups=groups)


def rows_of(published: PublishedRanges, name: str, *, ipv4_only: bool = True) -> tuple[Row, ...]:
    """Return a published group as rows of a restriction, in the order of the file.

    A row is one CIDR block; a range that only several blocks make up becomes several rows. A row's version is that of
    its group, so rows stay equal from file to file until the vendor changes their list.

    Args:
        published: a file that was read.
        name: the group, as the file spells it.
        ipv4_only: leave out the IPv6 ranges, which the list of every present edition cannot hold.

    Raises:
        InvalidInput: the file has no such group; the message offers one that differs in case alone.

    >>> from extlink.domain.address import parse_range
    >>> ranges = (parse_range("20.89.11.48/28"), parse_range("2603:1040:407:402::180/122"))
    >>> group = Group(name="Example", version="7", region="", ranges=ranges, set_aside=())
    >>> published = PublishedRanges(source="s", cloud="c", version="1", published=None, groups={"Example": group})
    >>> [(row.text, row.source, row.version) for row in rows_of(published, "Example")]
    [('20.89.11.48/28', 's:c:Example', '7')]
    """
    group = _find(published, name)
    source = f"{published.source}:{published.cloud}:{group.name}"
    return tuple(
        Row(range=block, memo=group.name, source=source, version=group.version, published=published.published)
        for item in group.ranges
        if item.version == 4 or not ipv4_only  # noqa: PLR2004 - IPv4
        for block in item.cidrs()
    )


def _find(published: PublishedRanges, name: object) -> Group:
    if not isinstance(name, str):
        raise InvalidInput("name", f"expected the name of a group as text, got {type(name).__name__}")
    group = published.groups.get(name)
    if group is None:
        near = [known for known in published.groups if known.lower() == name.lower()]
        hint = f"did you mean {near[0]!a}?" if near else f"it has {len(published.groups):,}"
        where = f"{published.source} {published.cloud!a} {published.version}"
        raise InvalidInput("name", f"expected a group of {where}, got {name[:64]!a}; {hint}")
    return group
