"""Instants: whole seconds since 1970-01-01T00:00:00Z, so that arithmetic is integer arithmetic.

One instant is fixed per operation (DESIGN 8). Hosts pass and receive aware `datetime` values; floors 0 to 3 compute
with `Instant` alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NewType, cast

from extlink.errors import InvalidInput

__all__ = ["Instant", "parse_instant", "to_datetime"]

Instant = NewType("Instant", int)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_FIRST: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND


def parse_instant(value: object, field: str) -> Instant:
    """Return an aware datetime as an instant, fractions of a second dropped.

    Raises:
        InvalidInput: not a datetime, without a time zone (a naive time means another instant on every machine), or
            beyond the years 1 to 9999 of UTC.

    >>> parse_instant(datetime(2020, 6, 9, tzinfo=UTC), "until")
    1591660800
    """
    if not issubclass(type(value), datetime):
        raise InvalidInput(field, f"expected an aware datetime, got {type(value).__name__}")
    given = cast("datetime", value)
    try:
        # The methods of datetime itself, since a subclass may have others; and a tzinfo may raise anything.
        offset, shown = datetime.utcoffset(given), datetime.isoformat(given)
        # Whole numbers all the way: a float of the year 9999 rounds up into the year 10000.
        instant = None if offset is None else datetime.__sub__(given, _EPOCH) // _SECOND
    except Exception as exc:
        raise InvalidInput(field, "expected a datetime whose time zone can be asked, got one that fails") from exc
    if instant is None:
        raise InvalidInput(field, f"expected a datetime with a time zone, got {shown}; add tzinfo=UTC, say")
    if not _FIRST <= instant <= _LAST:
        raise InvalidInput(field, f"expected an instant of the years 1 to 9999 in UTC, got {shown}")
    return Instant(instant)


def to_datetime(instant: Instant) -> datetime:
    """Return an instant as an aware datetime in UTC.

    >>> to_datetime(Instant(1591660800)).isoformat()
    '2020-06-09T00:00:00+00:00'
    """
    return datetime.fromtimestamp(instant, UTC)
