"""requirements.toml against the tests that are named by its ids: every rule kept, and every removal noticed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.oauth import (
    test_rules_authorization,
    test_rules_clients,
    test_rules_servers,
    test_rules_tokens,
)
from tests.oauth.kit import KEPT, Kept
from tests.oauth.table import LEVELS, ROLES, Requirement, read_requirements, unanswered

# Importing the modules fills KEPT.
RULES = (test_rules_authorization, test_rules_clients, test_rules_servers, test_rules_tokens)


def named() -> Mapping[str, tuple[str, ...]]:
    """Return the tests by the ids that name them."""
    found: dict[str, tuple[str, ...]] = {}
    for kept in KEPT.values():
        for one in kept.ids:
            found[one] = (*found.get(one, ()), kept.name)
    return found


def test_the_table_and_the_tests_name_each_other() -> None:
    """Each test that the table names is there and named by the id; each id that names a test is in the table."""
    table = {one.id: one.tests for one in read_requirements() if one.tests}

    assert {one: tuple(sorted(tests)) for one, tests in named().items()} == {
        one: tuple(sorted(tests)) for one, tests in table.items()
    }
    assert 4 == len(RULES)


def test_every_requirement_is_answered() -> None:
    """A rule of the server or of a resource has a test; what a host alone can do says what, and with which datum."""
    assert [] == unanswered(read_requirements())


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "AS", "later": "the outbound client"},
        {"role": "CL", "tests": ()},
        {"role": "XX", "tests": ("a::b",)},
        {"role": "AS", "level": "maybe", "tests": ("a::b",)},
        {"role": "AS", "rule": "short", "tests": ("a::b",)},
        {"role": "AS"},
    ],
)
def test_a_gap_is_found(fields: Mapping[str, Any]) -> None:
    """The broken twins: a rule of the server put off, no answer, an unknown role or level, no sentence."""
    usual = {"id": "X-1", "role": "AS", "level": "MUST", "rule": "Do what is right."}

    assert ["X-1"] == unanswered([Requirement(**{**usual, **fields})])


def test_roles_and_levels_are_those_of_the_documents() -> None:
    """Every one of them occurs, so that the lists hold nothing that nobody uses."""
    every = read_requirements()

    assert set(ROLES) == {role for one in every for role in one.role.split(", ")}
    assert set(LEVELS) == {one.level for one in every}
    assert len(every) == len({one.id for one in every})


TWINS = [kept for kept in KEPT.values() if kept.without is not None]


def fails(kept: Kept, patch: pytest.MonkeyPatch, **fields: object) -> bool:
    """Return whether a test fails once its rule is taken out."""
    assert kept.without is not None
    kept.without(patch)
    try:
        kept.test(kept.ids[0], **fields)
    except (AssertionError, pytest.fail.Exception):
        return True
    return False


@pytest.mark.parametrize("kept", TWINS, ids=lambda kept: kept.test.__name__)
def test_a_rule_that_is_taken_out_is_missed(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twins: the server without one of its rules, which the test named by it notices."""
    marks = {mark.args[0]: mark.args[1] for mark in kept.test.pytestmark}  # type: ignore[attr-defined]
    others = {name: values for name, values in marks.items() if name != "rule_id"}
    name, values = next(iter(others.items())) if others else ("", [None])

    assert any(fails(kept, monkeypatch, **({name: value} if name else {})) for value in values)
