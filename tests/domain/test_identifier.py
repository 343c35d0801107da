"""Identifiers: opaque text of 1 to 255 bytes, compared as it was written (TRACE T7; RFC 6749 section 3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, strategies as st

from extlink.domain.identifier import parse_id, parse_ids, parse_items, parse_scope, parse_scopes, plain_text
from extlink.errors import InvalidInput
from tests.strange import ANYTHING, MAKERS, Recipe, TrappedText

UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
PARSERS: dict[str, Callable[[object, str], object]] = {
    "parse_id": parse_id,
    "parse_ids": parse_ids,
    "parse_items": parse_items,
    "parse_scope": parse_scope,
    "parse_scopes": parse_scopes,
}


@given(UNICODE)
def test_an_identifier_is_1_to_255_bytes_and_stays_as_it_is(text: str) -> None:
    """Nothing is trimmed, folded or normalised; what counts is bytes of UTF-8, not letters."""
    if 1 <= len(text.encode()) <= 255:
        assert text == parse_id(text, "user")
    else:
        with pytest.raises(InvalidInput):
            parse_id(text, "user")


@pytest.mark.parametrize(
    ("size", "letter", "taken"),
    [(255, "x", True), (256, "x", False), (85, "鍵", True), (86, "鍵", False), (1, "\x00", True), (0, "x", False)],
    ids=["255", "256", "85 letters", "86 letters", "NUL", "none"],
)
def test_the_bounds_of_an_identifier(size: int, letter: str, taken: bool) -> None:
    """One byte more is too many, whatever the script."""
    text = letter * size
    if taken:
        assert text == parse_id(text, "user")
    else:
        with pytest.raises(
            InvalidInput, match=rf"user: expected 1 to 255 bytes of text, got ({len(text.encode())}|none)"
        ):
            parse_id(text, "user")


@pytest.mark.parametrize(
    ("one", "other"),
    [("sato", "Sato"), ("sato", " sato"), ("が", "か\u3099"), ("\uff53ato", "sato"), ("sato", "sato\x00")],
    ids=["case", "blank", "composition", "width", "NUL"],
)
def test_two_texts_are_two_identifiers(one: str, other: str) -> None:
    """Two identifiers are equal only if the host wrote the same text."""
    assert parse_id(one, "user") != parse_id(other, "user")
    assert 2 == len(parse_ids([one, other], "users"))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "expected text, got NoneType; pass the host's immutable id"),
        (7, "expected text, got int"),
        (b"sato", "expected text, got bytes"),
        ("sa\ud800to", "got 'sa\\\\ud800to' with a lone surrogate"),
        ("", "expected 1 to 255 bytes of text, got none"),
    ],
    ids=["none", "number", "bytes", "half", "empty"],
)
def test_a_malformed_identifier_says_what_is_wrong(value: object, problem: str) -> None:
    """The message names the field and what to pass instead."""
    with pytest.raises(InvalidInput, match=f"^user: .*{problem}"):
        parse_id(value, "user")


def test_a_long_text_is_shown_in_part() -> None:
    """A message has at most 64 characters of what was given."""
    with pytest.raises(InvalidInput) as caught:
        parse_id("x" * 100_000 + "\ud800", "user")

    assert len(str(caught.value)) < 200
    with pytest.raises(InvalidInput) as caught:
        parse_scope("é" * 100, "scope")
    assert len(str(caught.value)) < 500


def test_a_subclass_of_text_becomes_plain_text() -> None:
    """However it compares or prints; from here on it is plain."""
    found = parse_id(TrappedText("sato"), "user")

    assert "sato" == found
    assert type(found) is str
    assert type(plain_text(TrappedText("sato"))) is str


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_plain_text_asks_the_type(kind: str) -> None:
    """Text gives itself, anything else None, whatever it says of its class."""
    value = MAKERS[kind]()
    found = plain_text(value)

    assert (type(found) is str) == issubclass(type(value), str)


@given(st.lists(UNICODE, max_size=20))
def test_a_collection_is_a_sorted_set(values: list[str]) -> None:
    """Order and duplicates never matter (law 2)."""
    try:
        found = parse_ids(values, "users")
    except InvalidInput:
        assert any(not 1 <= len(value.encode()) <= 255 for value in values)
        return
    assert tuple(sorted(set(values))) == found == parse_ids(iter(values[::-1] + values), "users")


@pytest.mark.parametrize("value", ["sato", b"sato", bytearray(b"sato"), 7, None], ids=str)
def test_one_text_is_no_collection_of_its_letters(value: object) -> None:
    """A single id has to be put into a list; that is said."""
    problem = rf"users: expected a list, got {type(value).__name__}; write \[...\] around a single one"

    with pytest.raises(InvalidInput, match=problem):
        parse_ids(value, "users")


class Breaking:
    """A collection that breaks after an item."""

    def __iter__(self) -> Iterator[object]:
        yield "sato"
        raise ZeroDivisionError


def test_a_collection_that_breaks_is_refused_with_its_cause() -> None:
    """What went wrong is the cause, for the host's log."""
    with pytest.raises(InvalidInput, match="users: expected a list, got a Breaking that cannot be read") as caught:
        parse_ids(Breaking(), "users")

    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_collection_is_bounded() -> None:
    """A thousand items, or as many as the caller says; an endless one is not read to the end."""
    assert 1_000 == len(parse_items(range(1_000), "users"))
    assert 3 == len(parse_items(["abc"] * 3, "users", 3))
    with pytest.raises(InvalidInput, match="users: expected at most 1,000 items; split the call"):
        parse_items(iter(int, 1), "users")
    with pytest.raises(InvalidInput, match="users: expected at most 3 items"):
        parse_items(range(4), "users", 3)


SCOPE = st.text(st.sampled_from("!#$%&'()*+,-./:;<=>?@[]^_`{|}~azAZ09"), min_size=1, max_size=40)


@given(st.text(min_size=1, max_size=20))
def test_a_scope_is_printable_ascii_without_blanks(text: str) -> None:
    """RFC 6749 section 3.3: neither blank, quotation mark nor backslash."""
    if re.fullmatch(r"[!#-\[\]-~]+", text, re.ASCII):
        assert text == parse_scope(text)
    else:
        with pytest.raises(InvalidInput, match="scope: expected"):
            parse_scope(text)


@given(st.lists(SCOPE, min_size=1, max_size=8))
def test_scopes_come_as_a_text_or_as_a_collection(scopes: list[str]) -> None:
    """One text separated by blanks means the same as a list; order and duplicates do not matter."""
    assert (
        frozenset(scopes) == parse_scopes(scopes) == parse_scopes(" ".join(scopes)) == parse_scopes("  ".join(scopes))
    )


@pytest.mark.parametrize("value", ["", " ", "   ", [], ()], ids=repr)
def test_no_scopes_are_an_empty_set(value: object) -> None:
    """Whether none is allowed is for the operation to say."""
    assert frozenset() == parse_scopes(value)


def test_a_long_text_of_scopes_is_read_as_a_short_one() -> None:
    """Twice the same answer, and the same beyond the length that is remembered."""
    names = [f"scope:{number}" for number in range(60)]
    text = " ".join(names)

    assert len(text) > 255
    assert frozenset(names) == parse_scopes(text)
    assert parse_scopes("a b") == parse_scopes("b a") == parse_scopes("a b")


@pytest.mark.parametrize("value", ["a\tb", "a\nb", ["a b"], 'a"', "a\\b", "é", ["a", None], None, 7], ids=ascii)
def test_malformed_scopes_are_refused(value: object) -> None:
    """Only blanks separate; every part is a scope."""
    with pytest.raises(InvalidInput, match="scopes: expected"):
        parse_scopes(value)


@given(st.sampled_from(sorted(PARSERS)), ANYTHING)
def test_any_object_is_parsed_or_invalid(name: str, recipe: Recipe) -> None:
    """Law 13: a value, or `InvalidInput` with the field's name."""
    try:
        PARSERS[name](recipe.make(), "field")
    except InvalidInput as error:
        found = error.field
    else:
        found = "field"
    assert "field" == found
