from __future__ import annotations

import pytest

from extlink.adapters._schema import Script, pending, scripts
from extlink.errors import Misconfigured

FIRST = Script(1, "0001_first.sql", "CREATE TABLE a (b);", "aa")
SECOND = Script(2, "0002_second.sql", "CREATE TABLE c (d);", "bb")


@pytest.mark.parametrize(
    ("applied", "expected"),
    [({}, (FIRST, SECOND)), ({1: "aa"}, (SECOND,)), ({1: "aa", 2: "bb"}, ()), ({2: "bb"}, (FIRST,))],
)
def test_what_is_pending_is_what_was_not_applied(applied: dict[int, str], expected: tuple[Script, ...]) -> None:
    """In the order of the numbers."""
    assert expected == pending((FIRST, SECOND), applied)


@pytest.mark.parametrize(
    ("applied", "problem"),
    [
        ({3: "cc"}, "schema file 0003, this release knows 0002"),
        ({1: "aa", 2: "bb", 3: "cc", 4: "dd"}, "schema file 0004"),
        ({1: "other"}, "0001_first.sql is not the one"),
        ({1: "aa", 2: "other"}, "0002_second.sql is not the one"),
    ],
)
def test_what_this_release_did_not_make_is_refused(applied: dict[int, str], problem: str) -> None:
    """A number that is unknown, or a known one with another content."""
    with pytest.raises(Misconfigured, match=problem):
        pending((FIRST, SECOND), applied)


def test_numbers_are_unique_and_without_gaps() -> None:
    """Every schema file of a release is applied in one order."""
    numbers = [script.number for script in scripts("sqlite")]

    assert list(range(1, len(numbers) + 1)) == numbers


# Number -> checksum of every file that was ever released; a line here is never changed, only added.
RELEASED: dict[int, str] = {}


def test_released_files_never_change() -> None:
    """A database made by an older release is brought up by the same files as a new one."""
    assert RELEASED.items() <= {script.number: script.checksum for script in scripts("sqlite")}.items()
