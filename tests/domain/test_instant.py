"""Instants: whole seconds, from aware datetimes alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given, strategies as st

from extlink.domain.instant import Instant, parse_instant, to_datetime
from extlink.errors import InvalidInput
from tests.strange import ANYTHING, MAKERS, Recipe

TOKYO = timezone(timedelta(hours=9))
FIRST, LAST = -62_135_596_800, 253_402_300_799


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(2020, 6, 9, tzinfo=UTC), 1_591_660_800),
        (datetime(2020, 6, 9, 9, tzinfo=TOKYO), 1_591_660_800),
        (datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC), -1),
        (datetime(2020, 6, 9, 0, 0, 0, 999_999, tzinfo=UTC), 1_591_660_800),
        (datetime.min.replace(tzinfo=UTC), FIRST),
        (datetime.max.replace(tzinfo=UTC), LAST),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), LAST),
    ],
    ids=["epoch", "utc", "offset", "before", "fraction", "first", "last", "last second"],
)
def test_an_aware_datetime_is_an_instant(value: datetime, expected: int) -> None:
    """The same moment is the same number in every time zone; fractions are dropped, downwards."""
    assert expected == parse_instant(value, "until")


OFFSETS = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)


@given(st.datetimes(timezones=OFFSETS))
def test_an_instant_is_the_second_in_which_the_moment_lies(value: datetime) -> None:
    """There and back is at most a second earlier, and never later."""
    try:
        found = parse_instant(value, "until")
    except InvalidInput:
        # Beyond the years 1 to 9999 in UTC.
        assert value.year in {1, 9999}
        return
    assert timedelta(0) <= value - to_datetime(found) < timedelta(seconds=1)


@given(st.integers(FIRST, LAST).map(Instant))
def test_an_instant_is_a_datetime_in_utc(instant: Instant) -> None:
    """Every instant that can be parsed can be shown, and is itself again."""
    shown = to_datetime(instant)

    assert UTC is shown.tzinfo
    assert instant == parse_instant(shown, "until")


def test_the_end_of_time_can_be_shown() -> None:
    """The last moment there is, a common word for "never", does not round up into a year that cannot be written."""
    never = parse_instant(datetime.max.replace(tzinfo=UTC), "until")

    assert "9999-12-31T23:59:59+00:00" == to_datetime(never).isoformat()


def test_a_conversion_by_way_of_floats_is_found() -> None:
    """The broken twin: a float has no room for microseconds in the year 9999, and rounds up into the next."""
    twin = int(datetime.max.replace(tzinfo=UTC).timestamp() // 1)

    assert LAST + 1 == twin
    with pytest.raises(ValueError, match="year 10000"):
        to_datetime(Instant(twin))


class Unset(tzinfo):
    """A time zone that does not know its offset, as the documentation of datetime allows."""

    def utcoffset(self, _when: datetime | None) -> None:
        return None

    def tzname(self, _when: datetime | None) -> None:
        return None

    def dst(self, _when: datetime | None) -> None:
        return None


@pytest.mark.parametrize("zone", [None, Unset()], ids=["naive", "unset"])
def test_a_time_without_a_zone_is_refused(zone: tzinfo | None) -> None:
    """It means another instant on every machine; the message says what to add."""
    with pytest.raises(
        InvalidInput, match=r"until: expected a datetime with a time zone, got 2020-06-09T00:00:00; add"
    ):
        parse_instant(datetime(2020, 6, 9, tzinfo=zone), "until")


@pytest.mark.parametrize(
    "value",
    [datetime.min.replace(tzinfo=TOKYO), datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))],
    ids=["before the first", "after the last"],
)
def test_a_moment_beyond_the_calendar_is_refused(value: datetime) -> None:
    """What UTC cannot write is no instant."""
    with pytest.raises(InvalidInput, match="until: expected an instant of the years 1 to 9999 in UTC"):
        parse_instant(value, "until")


@pytest.mark.parametrize("value", ["2020-06-09", 1_591_660_800, 0.0, None, datetime(2020, 6, 9, tzinfo=UTC).date()])
def test_only_a_datetime_is_parsed(value: object) -> None:
    """Texts and numbers have no stated meaning."""
    with pytest.raises(InvalidInput, match="until: expected an aware datetime, got"):
        parse_instant(value, "until")


def test_a_time_zone_that_fails_is_refused_with_its_cause() -> None:
    """What went wrong is the cause, for the host's log."""
    with pytest.raises(InvalidInput, match="until: expected a datetime whose time zone can be asked") as caught:
        parse_instant(MAKERS["strange zone"](), "until")

    assert caught.value.__cause__ is not None


@given(ANYTHING)
def test_any_object_is_an_instant_or_invalid(recipe: Recipe) -> None:
    """Law 13: a whole number within the calendar, or `InvalidInput`."""
    try:
        found = parse_instant(recipe.make(), "until")
    except InvalidInput:
        return
    assert FIRST <= found <= LAST
