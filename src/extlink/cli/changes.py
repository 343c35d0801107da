"""`extlink changes`: what changed in a newer file, and what the tenant's list lacks today (S5)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from extlink.cli.inputs import Question, add_arguments as shared_arguments, read_question
from extlink.cli.report import REFUSED, Report, file_lines, unknown_lines, version_text
from extlink.cli.words import say
from extlink.domain.address import AddressRange
from extlink.domain.age import MAX_AGE_DAYS, Release, incomplete_since, stale
from extlink.domain.allow_list import AND
from extlink.domain.instant import Instant
from extlink.domain.network import Row
from extlink.domain.range_set import cidrs, count, intersect
from extlink.errors import InvalidInput
from extlink.feeds import Changes, PublishedRanges, diff, need
from extlink.network_plans import releases

__all__ = ["add_arguments", "run"]

INCOMPLETE: Final = 3
_SHOWN: Final = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    shared_arguments(parser, several=True)


def run(options: argparse.Namespace) -> Report:
    """Compare and report."""
    asked = read_question(options)
    found = need(asked.requirement, asked.files, region=asked.region)
    lines = list(file_lines(asked, found))
    compared = tuple(_compared(asked))
    if not compared and asked.held is None:
        raise InvalidInput("--service-tags", "expected two files of one kind, the older one first, or --list; got one")
    newer = releases(asked.requirement, asked.files, asked.region)
    names = {row.memo for rows in (found.rows, *(one.rows for one in newer)) for row in rows}
    for changes in compared if names else ():
        lines.extend(_changed(asked, changes, names))
    if found.missing:
        # What a part of the need says of the list is no answer: it would read as "complete".
        return Report((*lines, *unknown_lines(asked, found, "undecided")), REFUSED)
    if asked.held is None:
        return Report(tuple(lines))
    lacking = tuple(_lacking(asked, newer))
    lines.extend(lacking or (say(asked.language, "complete"),))
    lines.extend(_aged(asked, found.rows, names))
    return Report(tuple(lines), INCOMPLETE if lacking else 0)


def _compared(asked: Question) -> Iterator[Changes]:
    """Yield what changed from each file to the next of its kind."""
    kinds: dict[tuple[str, str], list[PublishedRanges]] = {}
    for file in asked.files:
        kinds.setdefault((file.source, file.cloud), []).append(file)
    for files in kinds.values():
        for old, new in pairwise(files):
            if old.published and new.published and old.published > new.published:
                days = f"one of {old.published} before one of {new.published}"
                raise InvalidInput("files", f"expected the older file of {old.source} first, got {days}")
            yield diff(old, new)


def _changed(asked: Question, changes: Changes, names: set[str]) -> Iterator[str]:
    language = asked.language
    before, after = (version_text(language, one) for one in (changes.before, changes.after))
    yield say(language, "changes", before=before, after=after)
    quiet = True
    for group in changes.groups:
        added, removed = _expressible(asked, group.added), _expressible(asked, group.removed)
        if group.name in names and (added or removed):
            quiet = False
            yield say(language, "group", name=group.name, added=count(added), removed=count(removed))
            yield from _ranges(asked, "range_added", added)
            yield from _ranges(asked, "range_removed", removed)
    if quiet:
        yield say(language, "no_changes")


def _expressible(asked: Question, ranges: Sequence[AddressRange]) -> tuple[AddressRange, ...]:
    """Return what the edition's list can hold at all: a change of anything else asks nothing of an administrator."""
    version_4 = 4
    return tuple(one for one in ranges if one.version == version_4 or not asked.edition.network.ipv4_only)


def _ranges(asked: Question, sentence: str, ranges: Sequence[AddressRange]) -> Iterator[str]:
    blocks = cidrs(ranges)
    for block in blocks[:_SHOWN]:
        yield say(asked.language, sentence, range=block.text)
    if len(blocks) > _SHOWN:
        yield say(asked.language, "more_ranges", count=len(blocks) - _SHOWN)


def _lacking(asked: Question, newer: tuple[Release, ...]) -> Iterator[str]:
    """Yield what the list lacks today, and since which file; nothing if it is complete."""
    language = asked.language
    found = incomplete_since(asked.restriction, newer, ipv4_only=asked.edition.network.ipv4_only)
    if found is None:
        return
    day = "" if found.since.published is None else say(language, "day", day=found.since.published)
    version = version_text(language, found.since.version)
    yield say(language, "missing", addresses=found.addresses, version=version, day=day)
    yield from _ranges(asked, "range_added", found.missing)
    yield say(language, "then_plan")


def _aged(asked: Question, needed: tuple[Row, ...], names: set[str]) -> Iterator[str]:
    """Yield how old the rows of published lists are, and which of the lists that count nobody needs any more.

    Of a row of another list - of another service, region or requirement - these files say nothing.
    """
    language, restriction = asked.language, asked.restriction
    wanted = [row.range for row in needed]
    ours = {f"{file.source}:{file.cloud}:{name}" for file in asked.files for name in names}
    counted = [row for row in restriction.rows if row.source and ours.issuperset(row.source.split(AND))]
    idle = [row for row in counted if not intersect([row.range], wanted)]
    if idle:
        yield say(language, "unneeded", count=len(idle))
    now = Instant(int(datetime.now(UTC).timestamp()))
    old = stale(restriction, now)
    dated = [item for item in old if item.days is not None]
    if dated:
        oldest = min(item.row.published for item in dated if item.row.published is not None)
        yield say(language, "stale", days=MAX_AGE_DAYS, count=len(dated), oldest=oldest)
    if len(old) > len(dated):
        yield say(language, "ageless", count=len(old) - len(dated))
