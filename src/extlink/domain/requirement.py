"""Requirement: whose published addresses a service calls from, as data with source and date (S5, TRACE T4).

Rules: a requirement names documents; a document is published in one or several forms, of which any one will do; a form
is a kind of file and the lists of it that count, or all of them. Answers name the requirement they were given for:
what the help page asks for (`seed`) and what the vendor asks for today are two sets, and neither is dropped for the
other. A list for the whole cloud is not the union of its regional ones, so a region takes the regional lists alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

import attrs

from extlink.domain.identifier import parse_id, parse_items
from extlink.domain.localized import LocalizedText
from extlink.domain.service_parts import parse_filled, parse_parts, parse_url, shown
from extlink.errors import InvalidInput

__all__ = ["PublishedForm", "Region", "RequiredDocument", "Requirement"]


def _id(value: str) -> str:
    return parse_id(value, "id")


def _source(value: str) -> str:
    return parse_id(value, "source")


def _cloud(value: str) -> str:
    return parse_id(value, "cloud") if value else value


def _groups(values: Iterable[str]) -> tuple[str, ...]:
    return _distinct(values, "groups")


def _places(values: Iterable[str]) -> tuple[str, ...]:
    return _distinct(values, "places")


def _distinct(values: Iterable[str], field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_id(item, field) for item in parse_items(values, field)))


@attrs.frozen(kw_only=True)
class PublishedForm:
    """One form in which a document is published: a kind of file, and which of its lists count.

    Args:
        source: the kind of file, as `PublishedRanges.source` has it: `azure-service-tags`.
        groups: the lists for the whole cloud, as the file spells them; empty: every list of the file.
    """

    source: str = attrs.field(converter=_source)
    groups: tuple[str, ...] = attrs.field(default=(), converter=_groups)


def _forms(values: Iterable[PublishedForm]) -> tuple[PublishedForm, ...]:
    forms = parse_parts(values, PublishedForm, "forms")
    if not forms:
        raise InvalidInput("forms", "expected at least one form in which the document is published, got none")
    return forms


def _page(value: str) -> str:
    return parse_url(value, "page")


def _titles(value: LocalizedText) -> LocalizedText:
    return parse_filled(value, "titles")


@attrs.frozen(kw_only=True)
class RequiredDocument:
    """One document whose addresses have to be admitted.

    Args:
        id: names it within its requirement.
        page: where the vendor offers it.
        forms: in which it is published, the preferred one first.
    """

    id: str = attrs.field(converter=_id)
    titles: LocalizedText = attrs.field(converter=_titles)
    page: str = attrs.field(converter=_page)
    forms: tuple[PublishedForm, ...] = attrs.field(converter=_forms)


@attrs.frozen(kw_only=True)
class Region:
    """A part of the world for which alone addresses may be admitted.

    Args:
        id: such as `japan`.
        cloud: the cloud whose files are meant, such as `Public`; empty: any.
        places: the vendor's names of the regions in it; empty: the whole cloud.
    """

    id: str = attrs.field(converter=_id)
    titles: LocalizedText = attrs.field(converter=_titles)
    cloud: str = attrs.field(default="", converter=_cloud)
    places: tuple[str, ...] = attrs.field(default=(), converter=_places)


def _documents(values: Iterable[RequiredDocument]) -> tuple[RequiredDocument, ...]:
    documents = parse_parts(values, RequiredDocument, "documents")
    if not documents:
        raise InvalidInput("documents", "expected at least one document, got none")
    return _by_id(documents, "documents")


def _regions(values: Iterable[Region]) -> tuple[Region, ...]:
    return _by_id(parse_parts(values, Region, "regions"), "regions")


_Named = TypeVar("_Named", RequiredDocument, Region)


def _by_id(parts: tuple[_Named, ...], field: str) -> tuple[_Named, ...]:
    for number, part in enumerate(parts):
        if part.id in {other.id for other in parts[:number]}:
            raise InvalidInput(field, f"expected each one once, got {shown(part.id)} twice")
    return parts


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise InvalidInput("as_of", f"expected a date such as 2026-05-13, got {shown(value)}") from None


@attrs.frozen(kw_only=True)
class Requirement:
    """A set of published addresses that have to be admitted before a service works.

    Args:
        id: such as `vendor-current`; answers name it.
        documents: all of them are needed.
        regions: for which it can be narrowed down.
        as_of: the day on which the vendor's words were read, in ISO 8601.

    Raises:
        InvalidInput: a part is malformed or named twice.

    >>> tags = PublishedForm(source="azure-service-tags", groups=["AzureConnectors"])
    >>> page = "https://www.microsoft.com/en-us/download/details.aspx?id=56519"
    >>> document = RequiredDocument(id="tags", titles=LocalizedText.same("Service tags"), page=page, forms=[tags])
    >>> today = Requirement(
    ...     id="vendor-current", titles=LocalizedText.same("Today"), documents=[document], as_of="2026-05-13"
    ... )
    >>> today.document("tags").forms[0].groups, today.region("japan")
    (('AzureConnectors',), None)
    """

    id: str = attrs.field(converter=_id)
    titles: LocalizedText = attrs.field(converter=_titles)
    documents: tuple[RequiredDocument, ...] = attrs.field(converter=_documents)
    as_of: str = attrs.field(converter=_day)
    regions: tuple[Region, ...] = attrs.field(default=(), converter=_regions)

    def document(self, id: str) -> RequiredDocument | None:  # noqa: A002 - the word of the definition
        """Return the document of this id, or None."""
        return next((document for document in self.documents if document.id == id), None)

    def region(self, id: str) -> Region | None:  # noqa: A002 - the word of the definition
        """Return the region of this id, or None where the requirement knows none."""
        return next((region for region in self.regions if region.id == id), None)
