"""What changed between two files of one source: by list, in addresses.

Rules: a list changed if and only if the addresses that its ranges cover changed; written in another order or cut into
other blocks it is the same list, and its number alone says nothing. A list's version should change just then; where the
ranges changed under one version, the change says so. Lists of two sources or two clouds are never compared.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from extlink.domain.address import AddressRange, merge
from extlink.errors import InvalidInput
from extlink.feeds.published import Group, PublishedRanges

__all__ = ["Changes", "GroupChange", "diff"]


@attrs.frozen(kw_only=True)
class GroupChange:
    """How one list changed.

    Args:
        name: the list's.
        before: its version in the older file; None if it is not there.
        after: its version in the newer file; None if it is not there.
        added: the addresses that came, as the fewest intervals; `AddressRange.cidrs` makes blocks of them.
        removed: the addresses that went, likewise.
    """

    name: str
    before: str | None
    after: str | None
    added: tuple[AddressRange, ...]
    removed: tuple[AddressRange, ...]

    @property
    def inconsistent(self) -> bool:
        """Whether the ranges changed under one and the same version, which the vendor says they do not."""
        return self.before == self.after


@attrs.frozen(kw_only=True)
class Changes:
    """What changed from one file to another; true if anything did.

    Args:
        source: the kind of both files.
        cloud: the cloud that both are for.
        before: the version of the older file.
        after: the version of the newer file.
        groups: the lists that changed, appeared or vanished: those of the newer file in its order, then the vanished.
    """

    source: str
    cloud: str
    before: str
    after: str
    groups: tuple[GroupChange, ...]

    def __bool__(self) -> bool:
        return bool(self.groups)

    @property
    def appeared(self) -> tuple[str, ...]:
        """The names of the lists that the newer file alone has."""
        return tuple(group.name for group in self.groups if group.before is None)

    @property
    def vanished(self) -> tuple[str, ...]:
        """The names of the lists that the older file alone has."""
        return tuple(group.name for group in self.groups if group.after is None)


def diff(old: PublishedRanges, new: PublishedRanges) -> Changes:
    """Return what changed from one published file to another of the same source and cloud.

    Items that were set aside are no part of it: they admit nobody.

    Args:
        old: the file that is in use.
        new: the one that is to follow; it may be older, then the answer tells the way back.

    Raises:
        InvalidInput: not two files, or files of two sources or clouds.

    >>> from extlink.feeds import read_service_tags
    >>> text = '''{"changeNumber": 1, "cloud": "Public", "values": [{"name": "AzureConnectors", "properties":
    ...     {"changeNumber": 1, "region": "", "addressPrefixes": ["20.89.11.48/28"]}}]}'''
    >>> newer = text.replace('Number": 1', 'Number": 2').replace("48/28", "32/27")
    >>> (change,) = diff(read_service_tags(text), read_service_tags(newer)).groups
    >>> change.name, change.before, change.after, [item.text for item in change.added], change.removed
    ('AzureConnectors', '1', '2', ['20.89.11.32/28'], ())
    """
    for field, value in (("old", old), ("new", new)):
        if type(value) is not PublishedRanges:
            raise InvalidInput(field, f"expected PublishedRanges, got {type(value).__name__}")
    if (old.source, old.cloud) != (new.source, new.cloud):
        expected, got = (f"{one.source[:64]!a} for {one.cloud[:64]!a}" for one in (old, new))
        raise InvalidInput("new", f"expected a file of {expected}, as the older one is, got one of {got}")
    names = dict.fromkeys((*new.groups, *old.groups))
    found = (_change(name, old.groups.get(name), new.groups.get(name)) for name in names)
    return Changes(
        source=new.source,
        cloud=new.cloud,
        before=old.version,
        after=new.version,
        groups=tuple(change for change in found if change),
    )


def _change(name: str, old: Group | None, new: Group | None) -> GroupChange | None:
    if old and new and old.ranges == new.ranges:
        return None  # by far the most; what follows costs more
    before, after = (merge(group.ranges) if group else () for group in (old, new))
    if old and new and before == after:
        return None
    return GroupChange(
        name=name,
        before=old.version if old else None,
        after=new.version if new else None,
        added=_subtract(after, before),
        removed=_subtract(before, after),
    )


def _subtract(ranges: Iterable[AddressRange], taken: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """Return the addresses of the first that are not in the second; both are merged, and so is the answer."""
    left: list[AddressRange] = []
    cuts = iter(taken)
    cut = next(cuts, None)
    for item in ranges:
        first = item.first
        while cut and (cut.version, cut.last) < (item.version, first):
            cut = next(cuts, None)
        while cut and cut.version == item.version and cut.first <= item.last:
            if first < cut.first:
                left.append(attrs.evolve(item, first=first, last=cut.first - 1))
            first = cut.last + 1
            if first > item.last:
                break  # the cut may reach into the next one
            cut = next(cuts, None)
        if first <= item.last:
            left.append(attrs.evolve(item, first=first))
    return tuple(left)
