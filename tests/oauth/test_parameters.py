from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given, strategies as st

from extlink.errors import OAuthError
from extlink.oauth.parameters import MAX_BYTES, MAX_PARAMETERS, Parameters, read_form, read_query

FORM = "application/x-www-form-urlencoded"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=8))
def test_what_was_encoded_is_read_back(pairs: list[tuple[str, str]]) -> None:
    """Every text comes back as it was, from a query and from a form, with its repetitions in order."""
    wanted: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        wanted[name] = (*wanted.get(name, ()), value)

    assert wanted == dict(read_query(urlencode(pairs)).values)
    assert wanted == dict(read_form(urlencode(pairs).encode(), FORM).values)


@given(st.text() | st.binary() | st.none())
def test_any_text_is_parameters_or_an_error_of_oauth(text: object) -> None:
    """Nothing else comes out of either reader."""
    for read in (read_query, lambda body: read_form(body, FORM)):
        try:
            read(text)
        except OAuthError as error:
            if error.error != "invalid_request":
                raise


@pytest.mark.parametrize(
    "query", ["a=%", "a=%4", "a=%zz", "a=\x7f", "a=\t", "a=é", "a=%ff", "a=%c0%80", "a=%00", "%00=a", "a=%ed%a0%80"]
)
def test_what_readers_disagree_about_is_refused(query: str) -> None:
    """A broken escape, a control character, no UTF-8, an overlong or half letter, a NUL."""
    with pytest.raises(OAuthError, match="invalid_request"):
        read_query(query)


@pytest.mark.parametrize("query", ["", "&&", "=", "=x", "a=", "a", "a&b=&=c"])
def test_what_has_no_name_or_no_value_is_left_out(query: str) -> None:
    """An empty parameter is as good as none; which were empty is told beside."""
    found = read_query(query)

    assert {} == dict(found.values)
    assert found.empty == {name for name in ("a", "b") if name in query}


def test_a_repeated_parameter_is_an_error_unless_it_may_repeat() -> None:
    """`one` and `need` refuse it, `many` returns all; a second one that is empty does not count."""
    found = read_query("a=1&a=2&b=1&b=")

    assert ("1", "2") == found.many("a")
    assert ("1", "1", None) == (found.one("b"), found.need("b"), found.one("c"))
    for ask in (found.one, found.need):
        with pytest.raises(OAuthError, match="more than once"):
            ask("a")
    with pytest.raises(OAuthError, match="c is missing"):
        found.need("c")


def test_size_and_number_are_bounded() -> None:
    """One byte or one parameter too many is refused, without reading it."""
    fill = "a=" + "x" * (MAX_BYTES - 2)
    read_query(fill)
    read_query("a=1&" * (MAX_PARAMETERS - 1) + "a=1")
    for wrong in (fill + "x", "a=1&" * MAX_PARAMETERS + "a=1"):
        with pytest.raises(OAuthError, match="too"):
            read_query(wrong)


@pytest.mark.parametrize("kind", [None, "", "application/json", "multipart/form-data", FORM + "x", 7])
def test_another_kind_of_body_is_refused(kind: object) -> None:
    """A form is due; its type may have parameters and any case."""
    read_form(b"a=1", FORM.upper() + " ; charset=utf-8")
    with pytest.raises(OAuthError, match="expected a body of type"):
        read_form(b"a=1", kind)
    with pytest.raises(OAuthError, match="missing"):
        read_form("a=1", FORM)


def test_no_value_is_shown() -> None:
    """A value may be a secret; the mapping cannot be changed either."""
    found = Parameters({"client_secret": ("canary",)})

    assert "canary" not in repr(found)
    with pytest.raises(TypeError):
        found.values["x"] = ("y",)  # type: ignore[index]
