"""What a measurement says: rows of numbers with their targets, and the words around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.benchmarks.measure import Ratio, Samples

__all__ = ["Row", "Section", "at_least", "at_most", "plain", "without"]

_TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class Row:
    """One line of a table: what was measured, its time, and how it stands to what it is compared with."""

    what: str
    time: str
    ratio: str = ""
    spread: str = ""
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Section:
    """One subject: how it was measured, its rows, and what is to be said about them."""

    title: str
    how: str
    rows: tuple[Row, ...]
    notes: Sequence[str] = field(default=())


def duration(nanoseconds: float) -> str:
    """Return a time in the unit that fits it."""
    for size, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if nanoseconds >= size:
            return f"{nanoseconds / size:,.2f} {unit}"
    return f"{nanoseconds:,.0f} ns"


def _number(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def _ratio(ratio: Ratio) -> tuple[str, str]:
    return f"{_number(ratio.median)} {_TIMES}", f"{_number(ratio.low)} to {_number(ratio.high)}"


def plain(what: str, samples: Samples, name: str) -> Row:
    """Return a line that others are compared with."""
    return Row(what, duration(samples[name].median))


def at_most(what: str, samples: Samples, name: str, base: str, limit: float | None, than: str) -> Row:
    """Return a line about what shall take at most `limit` times as long as `base`; None: no target is set."""
    ratio = samples.ratio(name, base)
    shown, spread = _ratio(ratio)
    target = "" if limit is None else f"at most {limit:g} {_TIMES} {than}"
    met = None if limit is None else ratio.median <= limit
    return Row(what, duration(samples[name].median), f"{shown} {than}", spread, target, met)


def at_least(what: str, samples: Samples, name: str, peer: str, limit: float | None, than: str) -> Row:
    """Return a line about a peer that shall take at least `limit` times as long as we do."""
    ratio = samples.ratio(peer, name)
    shown, spread = _ratio(ratio)
    target = "" if limit is None else f"at least {limit:,g} {_TIMES} as fast as {than}"
    met = None if limit is None else ratio.median >= limit
    return Row(what, duration(samples[peer].median), f"{shown} as long", spread, target, met)


def without(what: str, why: str) -> Row:
    """Return a line about a peer that could not be asked, and why."""
    return Row(what, f"not measured: {why}")
