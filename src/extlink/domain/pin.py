"""Pin: the rule that calls of a service come from the ranges that the service itself publishes (F5).

Rules: the pin asks for more than the IP restriction and never for less: both must let an address pass. Where the rule
is on and there are no ranges, or no address is known, it refuses. Neither the order of the rows nor writing one twice
changes an answer (law 2); a further range never refuses more, a pin never allows more (law 5).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, Literal

import attrs

from extlink.domain.identifier import plain_text
from extlink.domain.network import Row, distinct_rows
from extlink.domain.range_table import RangeTable
from extlink.errors import InvalidInput

__all__ = ["Pin", "Pinned", "parse_pinned"]

Pinned = Literal["service", "links"]
_PINNED: Final[tuple[Pinned, ...]] = ("service", "links")


def parse_pinned(value: object, field: str = "applies") -> Pinned:
    """Return which calls a pin is asked of: all of the service, or those over links that ask for it.

    Raises:
        InvalidInput: another word.

    >>> parse_pinned("links")
    'links'
    """
    word = plain_text(value)
    if word is None or word not in _PINNED:
        got = type(value).__name__ if word is None else ascii(word)[:64]
        raise InvalidInput(field, f"expected one of {', '.join(_PINNED)}, got {got}")
    return word


def _in_order(values: Iterable[Row]) -> tuple[Row, ...]:
    """Return one row for each range, in the order of the addresses: the same ranges make an equal pin."""
    return tuple(sorted(distinct_rows(values), key=lambda row: (row.range.version, row.range.first, row.range.size)))


def _named(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words) - {""}))


@attrs.frozen
class Pin:
    """The ranges that a service publishes, and which of its calls must come from them.

    Args:
        rows: the published ranges, each with its source, version and day.
        applies: `service`: every call; `links`: calls over links that are pinned themselves.

    Raises:
        InvalidInput: something else than rows, or another word.

    >>> from extlink.domain.address import parse_range
    >>> pin = Pin([Row(range=parse_range("192.0.2.0/24"), source="AzureConnectors", version="53")])
    >>> pin.row_for("192.0.2.7").text, pin.row_for("198.51.100.7"), pin.source, pin.version
    ('192.0.2.0/24', None, 'AzureConnectors', '53')
    """

    rows: tuple[Row, ...] = attrs.field(converter=_in_order)
    applies: Pinned = attrs.field(default="service", converter=parse_pinned)
    _table: RangeTable = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_table", RangeTable(row.range for row in self.rows))

    @property
    def source(self) -> str:
        """The published lists that the ranges are from."""
        return _named(row.source for row in self.rows)

    @property
    def version(self) -> str:
        """The versions of these lists."""
        return _named(row.version for row in self.rows)

    @property
    def published(self) -> date | None:
        """The oldest day that is known of any of these lists."""
        return min((row.published for row in self.rows if row.published is not None), default=None)

    def row_for(self, address: str) -> Row | None:
        """Return the published row that an address is in, the narrowest if several are.

        Raises:
            InvalidInput: not an address.
        """
        place = self._table.find(address)
        return self.rows[place] if place >= 0 else None

    def contains_text(self, text: str) -> bool:
        """Tell whether a text is an address of these ranges; one that is no address is in none."""
        try:
            return self._table.find(text) >= 0
        except InvalidInput:
            return False
