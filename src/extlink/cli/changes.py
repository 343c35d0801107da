"""`extlink changes`: what changed in a newer file, and what the tenant's list lacks today (S5)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from extlink.cli.inputs import Question, add_arguments as shared_arguments, read_question
from extlink.cli.report import Report, file_lines
from extlink.cli.words import say
from extlink.domain.address import AddressRange
from extlink.domain.age import MAX_AGE_DAYS, incomplete_since, stale
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
    lines = list(file_lines(asked.language, asked.files, found))
    compared = tuple(_compared(asked))
    if not compared and asked.held is None:
        raise InvalidInput("--service-tags", "expected two files of one kind, the older one first, or --list; got one")
    names = {row.memo for row in found.rows}
    for changes in compared:
        lines.extend(_changed(asked, changes, names))
    if asked.held is None:
        return Report(tuple(lines))
    lacking = tuple(_lacking(asked))
    lines.extend(lacking or (say(asked.language, "complete"),))
    lines.extend(_aged(asked, found.rows))
    return Report(tuple(lines), INCOMPLETE if lacking else 0)


def _compared(asked: Question) -> Iterator[Changes]:
    """Yield what changed from each file to the next of its kind."""
    kinds: dict[tuple[str, str], list[PublishedRanges]] = {}
    for file in asked.files:
        kinds.setdefault((file.source, file.cloud), []).append(file)
    for files in kinds.values():
        for old, new in pairwise(files):
            yield diff(old, new)


def _changed(asked: Question, changes: Changes, names: set[str]) -> Iterator[str]:
    language = asked.language
    yield say(language, "changes", before=changes.before, after=changes.after)
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


def _lacking(asked: Question) -> Iterator[str]:
    """Yield what the list lacks today, and since which file; nothing if it is complete."""
    language = asked.language
    newer = releases(asked.requirement, asked.files, asked.region)
    found = incomplete_since(asked.restriction, newer, ipv4_only=asked.edition.network.ipv4_only)
    if found is None:
        return
    day = "" if found.since.published is None else say(language, "day", day=found.since.published)
    yield say(language, "missing", addresses=found.addresses, version=found.since.version, day=day)
    yield from _ranges(asked, "range_added", found.missing)
    yield say(language, "then_plan")


def _aged(asked: Question, needed: tuple[Row, ...]) -> Iterator[str]:
    """Yield how old the rows of published lists are, and which of them nobody needs any more."""
    language, restriction = asked.language, asked.restriction
    wanted = [row.range for row in needed]
    idle = [row for row in restriction.rows if row.source and not intersect([row.range], wanted)]
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
