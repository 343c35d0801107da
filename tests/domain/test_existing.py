"""The table of what happens to existing links: every operation is in one place, and every word means something."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from extlink import access
from extlink.domain.existing import ON_CLIENTS, ON_LINKS, TIGHTENING, Tightening, parse_choice
from extlink.domain.grant import Existing
from extlink.errors import ExtlinkError, InvalidInput
from tests.hosts import SCOPES
from tests.laws.tightening import LOOSE
from tests.operations import Stage, arguments, constructors, definition_of
from tests.strange import TrappedText

WORDS = ("keep", "suspend", "revoke")


def writing(names: Mapping[str, object]) -> frozenset[str]:
    """Return the operations that may record something; those that do not write nothing, which a test proves."""
    return frozenset(name for name in names if definition_of(name).records - {"operation.denied"})


def unplaced(names: frozenset[str]) -> dict[str, int]:
    """Return the operations that are not in exactly one place, with the number of their places."""
    places: tuple[frozenset[str], ...] = (frozenset(TIGHTENING), ON_LINKS, ON_CLIENTS, frozenset(LOOSE))
    known = names | frozenset[str]().union(*places)
    counts = {name: sum(name in place for place in places) for name in known}
    return {name: count for name, count in counts.items() if count != 1 or name not in names}


def test_every_operation_that_writes_has_its_place() -> None:
    """By import: a new one must be in the table, or be said not to tighten."""
    assert {} == unplaced(writing(constructors()))


def test_an_operation_without_a_place_is_found() -> None:
    """The broken twin: one that nobody thought of, and a row of one that does not exist."""
    known = writing(constructors())

    assert {"services.throttle": 0} == unplaced(known | {"services.throttle"})
    assert {"users.delete": 1} == unplaced(known - {"users.delete"})


def _offered(name: str) -> inspect.Parameter | None:
    return inspect.signature(constructors()[name], eval_str=True).parameters.get("existing")


@pytest.mark.parametrize("name", sorted(TIGHTENING))
def test_the_argument_is_the_row(name: str) -> None:
    """Each operation of the table takes `existing`, with its words and its default."""
    row, parameter = TIGHTENING[name], _offered(name)

    assert parameter is not None
    assert (row.default, set(row.offered)) == (parameter.default, set(get_args(parameter.annotation)))


def test_no_other_operation_takes_the_argument() -> None:
    """Where nothing tightens there is nothing to choose."""
    assert set(TIGHTENING) == {name for name in constructors() if _offered(name) is not None}


@pytest.mark.parametrize("name", sorted(TIGHTENING))
def test_a_row_says_something_of_every_word(name: str) -> None:
    """A word is offered, with what it means, or refused, with the reason; never both."""
    row = TIGHTENING[name]

    assert sorted(WORDS) == sorted([*row.offered, *row.refused])
    assert all(text for text in (*row.offered.values(), *row.refused.values()))


@pytest.fixture(scope="module")
def stage() -> Stage:
    """Return a stage that nothing here changes."""
    return Stage.make()


@pytest.mark.parametrize(("name", "word"), [(n, w) for n, w in product(sorted(TIGHTENING), WORDS)])
def test_a_word_that_makes_no_sense_is_refused_with_the_reason(stage: Stage, name: str, word: str) -> None:
    """When the operation is made, before anything is read; what is offered is taken as it is."""
    row = TIGHTENING[name]
    make, given = constructors()[name], {**arguments(stage)[name], "existing": word}
    if word in row.offered:
        assert definition_of(name).name == make(**given).name
        return
    with pytest.raises(InvalidInput) as caught:
        make(**given)

    assert row.refused[word] in caught.value.problem  # type: ignore[index]
    assert "existing" == caught.value.field


@pytest.mark.parametrize(
    "value",
    ["", "Keep", "forget", None, True, 3, b"keep", ["keep"], TrappedText("revoke!")],
    ids=["empty", "capital", "another", "none", "true", "number", "bytes", "list", "liar"],
)
def test_any_other_word_is_refused(value: object) -> None:
    """Law 13: nothing is guessed, and no object is trusted to say what it is."""
    with pytest.raises(InvalidInput, match="existing: expected one of revoke, suspend, got "):
        parse_choice("users.suspend", value)
    with pytest.raises(InvalidInput, match="existing: expected revoke, got "):
        parse_choice("users.delete", value)


def test_a_long_word_is_cut() -> None:
    """At 64 characters."""
    with pytest.raises(InvalidInput) as caught:
        parse_choice("users.suspend", "x" * 1_000)

    assert len("expected one of revoke, suspend, got ") + 64 >= len(caught.value.problem)


def test_a_row_cannot_be_written_to() -> None:
    """The table is shared by every caller."""
    mine: dict[Any, str] = {"keep": "links stay"}
    row = Tightening(offered=mine)
    mine["revoke"] = "links end"

    assert ("keep",) == tuple(row.offered)


QUESTIONS = [
    (scope, address, flow)
    for scope in SCOPES
    for address in ("203.0.113.7", "192.0.2.7", None)
    for flow in (None, ("shared_kintone",), ("shared_kintone", "shared_slack"))
]


def _allowed(stage: Stage) -> frozenset[object]:
    tokens = {"sato": stage.tokens.access_token, "tanaka": stage.endpoint.tokens.access_token}
    return frozenset(
        (user, *question)
        for user, token in tokens.items()
        for question in QUESTIONS
        if stage.host.tenant.run(
            access.check(token, scope=question[0], address=question[1], connectors=question[2])
        ).allowed
    )


def law_loose_operations_refuse_nothing(stage: Stage, name: str) -> None:
    """Every call that was allowed on the stage before an operation is allowed after it."""
    before = _allowed(stage)
    with suppress(ExtlinkError):
        stage.where(name).run(constructors()[name](**arguments(stage)[name]))

    assert before
    assert before <= _allowed(stage)


@pytest.mark.parametrize("name", sorted(set(constructors()) - set(TIGHTENING) - ON_LINKS - ON_CLIENTS))
def test_what_is_not_in_the_table_refuses_nothing(name: str) -> None:
    """Laws 4 and 5, with every operation by import, on a stage where each finds its object."""
    law_loose_operations_refuse_nothing(Stage.make(), name)


def test_an_operation_that_refuses_is_found() -> None:
    """The broken twin: were a withdrawal said not to tighten, the law would catch it."""
    with pytest.raises(AssertionError):
        law_loose_operations_refuse_nothing(Stage.make(), "grants.exclude")


def _page() -> dict[str, tuple[str, str]]:
    """Return what the page says of each operation: what is offered, and what is not."""
    text = (Path(__file__).parents[2] / "docs/howto/existing-links.md").read_text(encoding="utf-8")
    table = [line for line in text.partition("## Every operation")[2].splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table]
    return {name: (offered, refused) for names, offered, refused in rows for name in re.findall(r"`(.*?)`", names)}


def _written(words: Mapping[Existing, str]) -> str:
    return "<br>".join(f"`{word}`: {text}" for word, text in words.items())


def test_the_page_has_the_table() -> None:
    """Every operation with every word, as the module says it, the default first."""
    table = {name: (_written(row.offered), _written(row.refused)) for name, row in TIGHTENING.items()}

    assert table == _page()
