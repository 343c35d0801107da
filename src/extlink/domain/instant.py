"""Instants: whole seconds since 1970-01-01T00:00:00Z, so that arithmetic is integer arithmetic.

One instant is fixed per operation (DESIGN 8). Hosts pass and receive aware `datetime` values; floors 0 to 3 compute
with `Instant` alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NewType

from extlink.errors import InvalidInput

__all__ = ["Instant", "parse_instant", "to_datetime"]

Instant = NewType("Instant", int)


def parse_instant(value: object, field: str) -> Instant:
    """Return an aware datetime as an instant, fractions of a second dropped.

    Raises:
        InvalidInput: not a datetime, or without a time zone (a naive time means another instant on every machine).

    >>> parse_instant(datetime(2020, 6, 9, tzinfo=UTC), "until")
    1591660800
    """
    if not isinstance(value, datetime):
        raise InvalidInput(field, f"expected an aware datetime, got {type(value).__name__}")
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidInput(field, f"expected a datetime with a time zone, got {value.isoformat()}; add tzinfo=UTC, say")
    try:
        return Instant(int(value.astimezone(UTC).timestamp() // 1))
    except (OverflowError, ValueError):
        raise InvalidInput(field, f"expected a representable instant, got {value.isoformat()}") from None


def to_datetime(instant: Instant) -> datetime:
    """Return an instant as an aware datetime in UTC.

    >>> to_datetime(Instant(1591660800)).isoformat()
    '2020-06-09T00:00:00+00:00'
    """
    return datetime.fromtimestamp(instant, UTC)
