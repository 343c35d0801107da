"""The arguments that the commands share: whose need, in which files, against which list."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

import attrs

from extlink import catalog, feeds
from extlink.cli.files import day_in_name, read_file
from extlink.domain.edition import ALL_EDITIONS, EDITIONS, Edition, EditionProfile
from extlink.domain.messages import LANGUAGES, Language
from extlink.domain.network import IPRestriction
from extlink.domain.requirement import Requirement
from extlink.domain.service import Service
from extlink.errors import InvalidInput
from extlink.feeds import HostList, PublishedRanges

__all__ = ["OPTIONS", "Question", "add_arguments", "read_question"]

_SERVICES: Final = {service.id: service for service in catalog.BUILT_IN if service.requirements}
T = TypeVar("T")


class _Reader(Protocol):
    def __call__(self, data: bytes, *, day: date | None) -> PublishedRanges: ...


def _service_tags(data: bytes, *, day: date | None) -> PublishedRanges:
    return feeds.read_service_tags(data, published=day)


def _page(data: bytes, *, day: date | None) -> PublishedRanges:
    return feeds.read_power_automate_page(data, published=day)


def _office_365(data: bytes, *, day: date | None) -> PublishedRanges:
    # The answer has no version of its own; without any, the memo of a row could not say where it came from.
    version = "" if day is None else day.isoformat()
    return feeds.read_office365_json(data, cloud="Public", version=version, published=day)


def _datacenter_xml(data: bytes, *, day: date | None) -> PublishedRanges:
    return feeds.read_datacenter_xml(data, published=day)


# The option that names a file of a kind, and how such a file is read.
_KINDS: Final[tuple[tuple[str, str, _Reader], ...]] = (
    ("service-tags", "an Azure service-tags file (download 56519), as it is or packed with gzip", _service_tags),
    ("power-automate-page", "the Power Automate limits page as Markdown", _page),
    ("office-365", "the Office 365 endpoints of the public cloud, as the web service's JSON", _office_365),
    ("datacenter-xml", "the older Azure datacenter ranges (download 41653) as XML", _datacenter_xml),
)
# The kind of file, as `PublishedRanges.source` has it, and the option that takes it.
OPTIONS: Final = {
    "azure-service-tags": "--service-tags",
    "power-automate-page": "--power-automate-page",
    "office-365-endpoints": "--office-365",
    "azure-datacenter-xml": "--datacenter-xml",
}
_TEXTS: Final = (
    ("--published", "DAY", "the day of the last file (2025-01-20), if neither its name nor its text tells it"),
    ("--requirement", "NAME", "which lists count: vendor-current (the default), vendor-current-http or seed"),
    ("--region", "NAME", "japan, united-states or china; the whole cloud if left out"),
)


@attrs.frozen(kw_only=True)
class Question:
    """What a command is asked about, read and checked."""

    service: Service
    requirement: Requirement
    region: str | None
    files: tuple[PublishedRanges, ...]
    held: HostList | None
    edition: EditionProfile
    language: Language

    @property
    def restriction(self) -> IPRestriction:
        """The tenant's list as a restriction: whoever has one allows some addresses."""
        return IPRestriction("allow_some", () if self.held is None else self.held.rows)


def add_arguments(parser: argparse.ArgumentParser, *, several: bool) -> None:
    """Add the shared arguments.

    Args:
        parser: of a command.
        several: whether the command is about more than one file of a kind.
    """
    again = "; give the option once a file, the older one first" if several else ""
    for kind, purpose, _ in _KINDS:
        parser.add_argument(f"--{kind}", action="append", type=Path, default=[], metavar="FILE", help=purpose + again)
    for option, metavar, purpose in _TEXTS:
        parser.add_argument(option, metavar=metavar, help=purpose)
    parser.add_argument("--list", type=Path, metavar="CSV", help="the IP address restriction as the product exports it")
    parser.add_argument("--edition", choices=sorted(ALL_EDITIONS), default="JP", help="whose limits hold (JP)")
    parser.add_argument(
        "--service", choices=sorted(_SERVICES), default=next(iter(_SERVICES)), help="whose addresses are needed"
    )
    parser.add_argument("--language", choices=LANGUAGES, help="of the report; that of the edition if left out")


def read_question(options: argparse.Namespace) -> Question:
    """Read the files that the arguments name.

    Raises:
        InvalidInput: a file that cannot be read, or a name that does not exist.
    """
    service = _SERVICES[options.service]
    named: str | None = options.requirement
    requirement = service.requirements[0] if named is None else service.requirement(named)
    if requirement is None:
        known = ", ".join(one.id for one in service.requirements)
        raise InvalidInput("--requirement", f"expected one of {known}, got {str(named)[:64]!a}")
    edition: Edition = options.edition
    profile = EDITIONS[edition]
    held = None if options.list is None else _read(options.list, "--list", feeds.read_host_csv)
    return Question(
        service=service,
        requirement=requirement,
        region=options.region,
        files=tuple(_files(options)),
        held=held,
        edition=profile,
        language=options.language or profile.system_language,
    )


def _files(options: argparse.Namespace) -> list[PublishedRanges]:
    found: list[PublishedRanges] = []
    for kind, _, read in _KINDS:
        paths: list[Path] = getattr(options, kind.replace("-", "_"))
        for place, path in enumerate(paths, 1):
            day = day_in_name(path)
            if day is None and place == len(paths):
                day = _day(options.published)
            found.append(_read(path, f"--{kind}", partial(read, day=day)))
    if not found:
        raise InvalidInput("--service-tags", "expected at least one published file, got none")
    return found


def _read(path: Path, option: str, reader: Callable[[bytes], T]) -> T:
    """Read a file; what is wrong in it is told with its name."""
    data = read_file(path, option)
    try:
        return reader(data)
    except InvalidInput as error:
        raise InvalidInput(f"{option} {path.name[:64]!a}", str(error)) from error


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("--published", f"expected a day such as 2025-01-20, got {text[:64]!a}") from None
