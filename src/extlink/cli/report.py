"""What a command comes to: lines for the reader, and an exit code for the shell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import attrs

from extlink.cli.words import say
from extlink.domain.messages import Language
from extlink.feeds import Need, PublishedRanges

__all__ = ["Report", "file_lines", "share_text"]


@attrs.frozen
class Report:
    """The lines of a report and the exit code."""

    lines: tuple[str, ...]
    code: int = 0


def share_text(share: Fraction | None) -> str:
    """Return a share in percent, rounded down, so that what is not complete never reads as complete.

    >>> share_text(Fraction(1, 3)), share_text(Fraction(99_999, 100_000)), share_text(None)
    ('33.3 %', '99.9 %', '-')
    """
    return "-" if share is None else f"{share * 1000 // 1 / 10:.1f} %"


def file_lines(language: Language, files: tuple[PublishedRanges, ...], found: Need) -> Iterator[str]:
    """Yield which files were read, and what of the needed lists was set aside."""
    for file in files:
        day = "day_unknown" if file.published is None else "day"
        told = say(language, day, day=file.published)
        yield say(language, "file", source=file.source, cloud=file.cloud, version=file.version, day=told)
    used = {row.memo for row in found.rows}
    aside = [item for file in files for group in file.groups.values() if group.name in used for item in group.set_aside]
    if aside:
        counts = Counter(one.reason for one in aside).most_common()
        told = ", ".join(f"{reason}: {count}" for reason, count in counts)
        yield say(language, "set_aside", count=len(aside), reasons=told)
