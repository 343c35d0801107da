"""`extlink plan`: the rows to add, written as the CSV to upload, with a summary that an administrator can read (N4)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from extlink.cli.files import write_file
from extlink.cli.inputs import Question, add_arguments as shared_arguments, read_question
from extlink.cli.report import REFUSED, Report, file_lines, refusal_lines, share_text, unknown_lines
from extlink.cli.words import say
from extlink.domain.allow_list import Plan, plan
from extlink.domain.coverage import coverage
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput
from extlink.feeds import Need, need, write_host_csv
from extlink.feeds.host_csv import ENCODINGS
from extlink.network_plans import differences, every_row

__all__ = ["add_arguments", "run"]

_OWNERS: Final = 5
_MAX_ROWS: Final = 1_000_000
_MAX_ADDRESSES: Final = 2**128


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    shared_arguments(parser, several=False)
    parser.add_argument("--rows", type=int, metavar="N", help="the most rows; those of the edition if left out")
    parser.add_argument(
        "--at-most-extra", type=int, metavar="N", help="the most addresses to open beyond the need; any if left out"
    )
    parser.add_argument("--write", type=Path, metavar="CSV", help="where to write the list to upload")
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it exists")


def run(options: argparse.Namespace) -> Report:
    """Plan, write and report."""
    asked = read_question(options)
    found = need(asked.requirement, asked.files, region=asked.region)
    limit = asked.edition.network.row_limit if options.rows is None else options.rows
    if limit is not None and not 0 <= limit <= _MAX_ROWS:
        raise InvalidInput("--rows", f"expected 0 to {_MAX_ROWS:,} rows, got {limit:,}")
    head = tuple(_head(asked, found))
    most = options.at_most_extra
    if most is not None and not 0 <= most <= _MAX_ADDRESSES:
        raise InvalidInput("--at-most-extra", f"expected 0 or more addresses, got {most:,}")
    planned = _planned(asked, found, limit, most)
    if planned is None:
        return Report((*head, *unknown_lines(asked, found, "refused")), REFUSED)
    if isinstance(planned, Reason):
        return Report((*head, *refusal_lines(asked.language, planned)), REFUSED)
    return Report((*head, *_told(asked, found, planned), *_written(asked, planned, options)))


def _planned(asked: Question, found: Need, limit: int | None, most: int | None) -> Plan | Reason | None:
    """Return the plan, why there is none, or None where the files lack what is needed."""
    profile = asked.edition.network
    if not profile.self_service:
        return Reason("network.not_self_service", {"edition": asked.edition.edition})
    if found.missing:
        return None
    known = tuple(row for file in asked.files for row in every_row(file))
    return plan(asked.restriction, found.rows, rows=limit, ipv4_only=profile.ipv4_only, known=known, at_most_extra=most)


def _head(asked: Question, found: Need) -> Iterator[str]:
    language, requirement = asked.language, asked.requirement
    yield say(language, "service", service=asked.service.names.text(language))
    yield say(language, "requirement", requirement=requirement.titles.text(language), as_of=requirement.as_of)
    region = requirement.region(asked.region) if asked.region else None
    if region is None:
        yield say(language, "every_region")
    else:
        yield say(language, "region", region=region.titles.text(language))
    yield from file_lines(asked, found)
    for notice in () if asked.held is None else asked.held.notices:
        reach = say(language, f"reach_{notice.reason}")
        yield say(language, "notice", line=notice.line, range=notice.text, reach=reach)


def _told(asked: Question, found: Need, planned: Plan) -> Iterator[str]:
    language = asked.language
    yield say(
        language,
        "list",
        rows=len(asked.restriction.rows),
        edition=asked.edition.edition,
        limit=planned.limit,
    )
    covered = coverage(asked.restriction, found.rows, ipv4_only=planned.ipv4_only)
    numbers = {"needed": covered.needed_addresses, "admitted": covered.admitted_addresses}
    yield say(language, "need", **numbers, share=share_text(covered.share))
    if planned.inexpressible:
        yield say(language, "inexpressible", count=len(planned.inexpressible))
    if not planned.added:
        yield say(language, "nothing_to_add")
    else:
        yield say(language, "added", added=len(planned.added), rows=planned.rows)
        yield from _opened(asked, planned, covered.needed_addresses)
    yield from _compared(asked, found, planned)


def _opened(asked: Question, planned: Plan, needed: int) -> Iterator[str]:
    if not planned.extra_addresses:
        yield say(asked.language, "no_extra")
        return
    yield say(asked.language, "extra", extra=planned.extra_addresses)
    if planned.extra_addresses > needed:
        yield say(asked.language, "wide", times=f"{planned.extra_addresses / needed:,.1f}")
    yield from _owned(asked, planned)


def _owned(asked: Question, planned: Plan) -> Iterator[str]:
    for owner in planned.owners[:_OWNERS]:
        yield say(asked.language, "owner", source=owner.source, addresses=owner.addresses)
    if len(planned.owners) > _OWNERS:
        yield say(asked.language, "more_owners", count=len(planned.owners) - _OWNERS)
    if planned.unknown:
        yield say(asked.language, "owner_unknown", addresses=planned.unknown)


def _compared(asked: Question, found: Need, planned: Plan) -> Iterator[str]:
    """Yield how each other requirement differs, and what its advice would open instead, where that is more."""
    language = asked.language
    where = say(language, "everywhere") if asked.region else ""
    others = [one for one in asked.service.requirements if one.id != found.requirement]
    found_differences = differences(asked.service, found, asked.files, ipv4_only=planned.ipv4_only)
    for requirement, other in zip(others, found_differences, strict=True):
        title = requirement.titles.text(language)
        yield say(language, "difference", requirement=title, there=other.only_there, here=other.only_here)
        if other.missing:
            yield say(language, "advice_incomplete", missing=", ".join(other.missing))
        # Advice has no region: "allow the addresses of Azure" is all of them.
        compared = planned.compare_with(need(requirement, asked.files).rows)
        if compared.times is not None and compared.times > 1:
            times = say(language, "times", times=round(compared.times))
            yield say(language, "advice", requirement=title, where=where, opened=compared.opened, times=times)


def _written(asked: Question, planned: Plan, options: argparse.Namespace) -> Iterator[str]:
    if options.write is None:
        yield say(asked.language, "not_written")
        return
    edition = asked.edition.edition
    # As the list came, so it goes back.
    encoding = (None if asked.held is None else asked.held.encoding) or ENCODINGS[edition]
    data = write_host_csv(planned.after.rows, edition=edition, encoding=encoding)
    write_file(options.write, [data], overwrite=options.overwrite)
    yield say(asked.language, "written", path=options.write, rows=planned.rows, encoding=encoding)
    if asked.held is None:
        yield say(asked.language, "unlisted")
    yield say(asked.language, "upload", console=asked.edition.console.text(asked.language))
