"""What a command comes to: lines for the reader, and an exit code for the shell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import Final

import attrs

from extlink.cli.inputs import OPTIONS, Question
from extlink.cli.words import aside, say
from extlink.domain.messages import Language
from extlink.domain.reason import Reason
from extlink.feeds import Need

__all__ = ["REFUSED", "Lines", "Report", "file_lines", "refusal_lines", "share_text", "unknown_lines", "version_text"]

REFUSED: Final = 1

# What a command that works for long says: its lines while it does, and then its exit code.
Lines = Generator[str, None, int]


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


def version_text(language: Language, version: str) -> str:
    """Return a version, or that nobody knows it.

    >>> version_text("en", "342"), version_text("en", "")
    ('342', 'unknown')
    """
    return version or say(language, "version_unknown")


def file_lines(asked: Question, found: Need) -> Iterator[str]:
    """Yield which files were read, which of them are of another cloud, and what of the needed lists was set aside."""
    language = asked.language
    region = asked.requirement.region(asked.region) if asked.region else None
    for file in asked.files:
        day = say(language, "day_unknown" if file.published is None else "day", day=file.published)
        version = version_text(language, file.version)
        yield say(language, "file", source=file.source, cloud=file.cloud, version=version, day=day)
        if region is not None and file.cloud and region.cloud not in {"", file.cloud}:
            yield say(language, "other_cloud", region=region.titles.text(language), cloud=region.cloud)
    used = {row.memo for row in found.rows}
    groups = [group for file in asked.files for group in file.groups.values() if group.name in used]
    counts = Counter(item.reason for group in groups for item in group.set_aside)
    if counts:
        told = ", ".join(f"{aside(language, reason)}: {count}" for reason, count in counts.most_common())
        yield say(language, "set_aside", count=counts.total(), reasons=told)


def unknown_lines(asked: Question, found: Need, sentence: str) -> Iterator[str]:
    """Yield that lists are in none of the files, and of each document where it is and which option takes it."""
    language = asked.language
    reason = Reason("network.data_missing", {"requirement": found.requirement, "lists": found.missing})
    yield from refusal_lines(language, reason, sentence)
    for needed in found.documents:
        document = asked.requirement.document(needed.id)
        if needed.missing and document is not None:
            option = next((OPTIONS[form.source] for form in document.forms if form.source in OPTIONS), "-")
            title = document.titles.text(language)
            yield say(language, "document_page", document=title, option=option, page=document.page)


def refusal_lines(language: Language, reason: Reason, sentence: str = "refused") -> Iterator[str]:
    """Yield why there is no answer, and what to do."""
    yield say(language, sentence, reason=reason.text(language))
    remedy = reason.remedy.text(language)
    if remedy:
        yield say(language, "remedy", remedy=remedy)
