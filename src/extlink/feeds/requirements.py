"""What a requirement comes to in files that were read: the rows that have to be admitted, and what is not known (T4).

Rules: every list that the requirement names is looked for; one that is not in the files is *missing* and said so, never
passed over, since "nothing is needed" and "nobody knows what is needed" are opposite answers. Of several files of one
kind the last one given counts. A list for the whole cloud is never replaced by its regional ones, nor the other way
round; a document that knows no regions is needed whole.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from extlink.domain.identifier import parse_items
from extlink.domain.network import Row
from extlink.domain.requirement import PublishedForm, Region, RequiredDocument, Requirement
from extlink.domain.service_parts import parse_part, shown
from extlink.errors import InvalidInput
from extlink.feeds.published import PublishedRanges, rows_of

__all__ = ["Need", "NeededDocument", "need"]

_Files = dict[str, PublishedRanges]


@attrs.frozen(kw_only=True)
class NeededDocument:
    """One document of a requirement, as the files have it.

    Args:
        id: the document's, within its requirement.
        rows: what has to be admitted for it, in the order of the file; IPv6 included.
        file: the file that was taken; None where none of the files is one of its forms.
        missing: the lists that no file has: `AzureConnectors`, or the document's own id where the whole file is absent.
    """

    id: str
    rows: tuple[Row, ...]
    file: PublishedRanges | None
    missing: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Need:
    """What a requirement asks to be admitted, by document.

    Args:
        requirement: the id of the requirement it answers for.
        region: the region it was narrowed down to, or None for the whole cloud.
        documents: all of the requirement's, in its order.
    """

    requirement: str
    region: str | None
    documents: tuple[NeededDocument, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all documents."""
        return tuple(row for document in self.documents for row in document.rows)

    @property
    def missing(self) -> tuple[str, ...]:
        """What no file has: as long as there is any, the rest is not the whole need."""
        return tuple(name for document in self.documents for name in document.missing)


def need(requirement: Requirement, files: Iterable[PublishedRanges], *, region: str | None = None) -> Need:
    """Return what a requirement comes to in these files.

    Args:
        requirement: one of a service's.
        files: published files that were read; of several of one kind and cloud, the last one counts.
        region: one of the requirement's regions, or None for the lists of the whole cloud.

    Raises:
        InvalidInput: not files; a region the requirement does not know; files of several clouds and no region that
            says which is meant.

    >>> from extlink.catalog import POWER_AUTOMATE
    >>> need(POWER_AUTOMATE.requirement("vendor-current"), []).missing
    ('connectors',)
    """
    chosen = _region(requirement, region)
    known = _files(files, chosen)
    documents = tuple(_document(document, known, chosen) for document in requirement.documents)
    return Need(requirement=requirement.id, region=region, documents=documents)


def _region(requirement: Requirement, name: str | None) -> Region | None:
    if name is None:
        return None
    found = requirement.region(name)
    if found is None:
        known = ", ".join(region.id for region in requirement.regions) or "none"
        raise InvalidInput("region", f"expected a region of {requirement.id} ({known}), got {shown(name)}")
    return found


def _files(values: Iterable[PublishedRanges], region: Region | None) -> _Files:
    """Return the files that count, by their kind."""
    found: _Files = {}
    cloud = region.cloud if region is not None else ""
    for item in parse_items(values, "files"):
        file = parse_part(item, PublishedRanges, "files")
        if cloud and file.cloud and file.cloud != cloud:
            continue
        other = found.get(file.source)
        if other is not None and other.cloud != file.cloud:
            clouds = " and ".join(sorted({ascii(other.cloud[:64]), ascii(file.cloud[:64])}))
            raise InvalidInput("files", f"expected {file.source} of one cloud, got {clouds}; name a region or one file")
        found[file.source] = file
    return found


def _document(document: RequiredDocument, files: _Files, region: Region | None) -> NeededDocument:
    for form in document.forms:
        file = files.get(form.source)
        if file is not None:
            names, missing = _lists(form, file, region)
            rows = tuple(row for name in names for row in rows_of(file, name, ipv4_only=False))
            return NeededDocument(id=document.id, rows=rows, file=file, missing=missing)
    return NeededDocument(id=document.id, rows=(), file=None, missing=(document.id,))


def _lists(
    form: PublishedForm, file: PublishedRanges, region: Region | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the lists that count, and of those that should be there and are not."""
    if region is None or not region.places:
        whole = form.groups or tuple(file.groups)
        return tuple(name for name in whole if name in file.groups), tuple(n for n in whole if n not in file.groups)
    if not any(group.region for group in file.groups.values()):
        return _lists(form, file, None)
    inside = [group for group in file.groups.values() if group.region in region.places]
    if not form.groups:
        names = tuple(group.name for group in inside)
        return names, () if names else (f"{form.source} ({region.id})",)
    found = {base: [g.name for g in inside if g.name.startswith(f"{base}.")] for base in form.groups}
    missing = tuple(f"{base} ({region.id})" for base, names in found.items() if not names)
    return tuple(name for names in found.values() for name in names), missing
