"""The page that the numbers go into."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3
from collections.abc import Iterator, Sequence

from tests.benchmarks.report import Row, Section

__all__ = ["lines", "whole"]

_HEAD = """# Performance

What extlink costs, measured against the least that the same work could cost and against libraries that do a part of it.

This page is written by a program and not by hand:

    uv run --group bench python tests/benchmarks/run.py --write

## How it is measured

Everything that is compared runs in one process, in the same rounds, in turns: each round runs every contender once, in an order that rotates, with the garbage collector off and all inputs prepared.
A ratio is taken within each round; the table shows the median over at least nine rounds and, as the spread, the smallest and the largest.
What only computes is measured in processor time, what waits for a disk or for other processes in time on the clock.
Ratios travel from one machine to another, absolute times do not.

The tenant: 100,000 people, 50 services, 2,000 organizations five deep, 1,000 ranges of both versions, 2 data policies.
Everybody is in one to three organizations and up to four groups.
A service is open to a tenth of the organizations (half of them with all below), to five groups and to a hundredth of the people by name, with end dates on a fifth of the grants; two organizations and a thousandth of the people are excluded.
One person in fifty is suspended, one service in twenty-five disabled or quarantined.
Half of the questions are allowed.
The others are refused by every gate, most often by the user's.
Four in five carry a link, accepted between the 100th and the 250th edit of grants, while edits were made up to the 200th.

"""


def _load() -> str:
    """Return how busy the machine was in the last quarter of an hour: what waits is slower for it, and ratios wider."""
    try:
        busy = os.getloadavg()[2]
    except (AttributeError, OSError):
        return ""
    return f"Load of the machine in the last quarter of an hour, these programs among it: {busy:.1f}.\n"


def _machine() -> str:
    packages = (
        "attrs",
        "cryptography",
        "casbin",
        "vakt",
        "cedarpy",
        "pytricia",
        "netaddr",
        "django-oauth-toolkit",
        "authlib",
    )
    versions: list[str] = []
    for name in packages:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} not installed")
    return (
        f"Measured with {platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{platform.system()} on {platform.machine()}, {os.cpu_count()} processors; {', '.join(versions)}.\n"
        f"{_load()}\n"
    )


def _verdict(row: Row) -> str:
    return "" if row.met is None else "met" if row.met else "**missed**"


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| what | a question takes | ratio | spread | target | |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        yield f"| {row.what} | {row.time} | {row.ratio} | {row.spread} | {row.target} | {_verdict(row)} |"


def lines(section: Section) -> Iterator[str]:
    """Yield the lines of one section."""
    yield f"## {section.title}"
    yield ""
    yield section.how
    yield ""
    yield from _table(section.rows)
    yield ""
    for note in section.notes:
        yield f"* {note}"
    if section.notes:
        yield ""


def whole(sections: Sequence[Section]) -> str:
    """Return the whole page."""
    body = "\n".join(line for section in sections for line in lines(section))
    return f"{_HEAD}{_machine()}\n{body}"
