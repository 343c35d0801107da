"""Templates: every value comes out as it went in, and none moves an address or adds a parameter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest
from hypothesis import given, strategies as st

from extlink.domain.secret import Secret
from extlink.domain.template import MAX_TEMPLATE, MAX_VALUE, parse_template, placeholders, render
from extlink.errors import ExtlinkError, InvalidInput

Render = Callable[[str, Mapping[str, str]], str]

FORM = "grant_type=authorization_code&code={Code}&redirect_uri={RedirectUrl}&hint=tenant:{OrgName}"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


def naive(template: str, values: Mapping[str, str]) -> str:
    """Broken twin: puts values in as they are."""
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], template)


def slash_safe(template: str, values: Mapping[str, str]) -> str:
    """Broken twin: leaves a slash, as `quote` does unless it is told."""
    return re.sub(r"\{(\w+)\}", lambda found: quote(values[found[1]]), template)


# --- Data: queries and form bodies ---------------------------------------------------------------------------------


def check_form(write: Render, code: str, url: str, name: str) -> None:
    """Require that a reader of forms finds just the parameters of the template, with the values that went in."""
    body = write(FORM, {"Code": code, "RedirectUrl": url, "OrgName": name})
    expected = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", url),
        ("hint", f"tenant:{name}"),
    ]

    assert expected == parse_qsl(body, keep_blank_values=True, strict_parsing=True)
    assert body.isascii()
    assert body.isprintable()


@given(TEXTS, TEXTS, TEXTS)
def test_a_form_carries_its_values_and_nothing_else(code: str, url: str, name: str) -> None:
    """Whatever the values are, no parameter is added, cut or changed."""
    check_form(render, code, url, name)


@pytest.mark.parametrize("value", ["a&client_id=b", "a+b", "100%41", "a\nb", "é"])
def test_a_renderer_that_does_not_encode_is_caught(value: str) -> None:
    """The broken twin: a value that holds a parameter of its own adds one."""
    with pytest.raises((AssertionError, ValueError)):
        check_form(naive, value, value, value)


@given(TEXTS)
def test_percent_encoding_is_exact(value: str) -> None:
    """The unreserved characters of RFC 3986 stay, all else is capital hexadecimal UTF-8: as the standard library's."""
    assert f"?q={quote(value, safe='')}" == render("?q={Value}", {"Value": value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("azAZ09-._~", "azAZ09-._~"),
        (" ", "%20"),
        ("+", "%2B"),
        ("/", "%2F"),
        ("%2F", "%252F"),
        ("日", "%E6%97%A5"),
        ("\x00", "%00"),
        ("{Other}", "%7BOther%7D"),
        ("", ""),
    ],
)
def test_what_each_character_becomes(value: str, expected: str) -> None:
    """A blank is %20; a value that looks like a placeholder is text."""
    assert f"a={expected}" == render("a={A}", {"A": value})


# --- Addresses -----------------------------------------------------------------------------------------------------

ADDRESS = "https://{sub}.example.com/{tenant}/token?audience={audience}"


def check_address(write: Render, sub: str, tenant: str, audience: str) -> None:
    """Require that an address stays on its vendor's host and in its path."""
    try:
        text = write(ADDRESS, {"sub": sub, "tenant": tenant, "audience": audience})
    except InvalidInput:
        return
    found = urlsplit(text)
    before, _, after = found.path.removeprefix("/").partition("/")

    assert (found.hostname or "").endswith(".example.com")
    assert found.username is None
    assert "token" == after
    assert tenant == unquote(before)
    assert tenant not in {".", ".."}
    assert [("audience", audience)] == parse_qsl(found.query, keep_blank_values=True, strict_parsing=True)
    assert "" == found.fragment


HOSTS = st.one_of(TEXTS, st.from_regex(r"[A-Za-z0-9.@:/?#-]{0,12}", fullmatch=True))


@given(HOSTS, st.one_of(TEXTS, st.sampled_from([".", "..", "../..", "%2e"])), TEXTS)
def test_an_address_stays_where_its_template_has_it(sub: str, tenant: str, audience: str) -> None:
    """Whatever the values are, nothing is sent to another host or path."""
    check_address(render, sub, tenant, audience)


@pytest.mark.parametrize(
    ("write", "sub", "tenant"),
    [
        (naive, "evil.test/", "acme"),
        (naive, "evil.test#", "acme"),
        (naive, "user@evil.test/", "acme"),
        (naive, "acme", "a?b"),
        (slash_safe, "evil.test/", "acme"),
        (slash_safe, "acme", ".."),
        (slash_safe, "acme", "a/b"),
    ],
)
def test_a_renderer_that_lets_an_address_out_is_caught(write: Render, sub: str, tenant: str) -> None:
    """The broken twins: both send something to a place that the template does not name."""
    with pytest.raises(AssertionError):
        check_address(write, sub, tenant, "x")


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ("https://{Sub}.example.com/", {"sub": "ACME"}, "https://acme.example.com/"),
        ("https://api.{A}{B}/v1", {"a": "", "b": "example.com"}, "https://api.example.com/v1"),
        ("https://{Host}/token", {"host": "example.com:8443"}, "https://example.com:8443/token"),
        ("{Env}/oauth/token", {"env": "HTTPS://Example.com/Api"}, "https://example.com/Api/oauth/token"),
        ("{Authority}oauth/token", {"authority": "https://example.com/"}, "https://example.com/oauth/token"),
        ("{Url}", {"url": "https://example.com/a?b=c#d"}, "https://example.com/a?b=c#d"),
        ("https://example.com/{Tenant}/t", {"tenant": "a b/c"}, "https://example.com/a%20b%2Fc/t"),
        ("https://example.com?t={Tenant}", {"tenant": "a/b"}, "https://example.com?t=a%2Fb"),
        ("https://example.com/#/{Tenant}", {"tenant": "a/b"}, "https://example.com/#/a%2Fb"),
        ("/new/{Tenant}?t={Tenant}", {"tenant": "a/b"}, "/new/a%2Fb?t=a%2Fb"),
        ("a={A}", {"A": Secret("s3 cret")}, "a=s3%20cret"),
    ],
)
def test_where_a_placeholder_stands_decides(template: str, values: Mapping[str, str | Secret], expected: str) -> None:
    """Address, host, path and data, each by its rule."""
    assert expected == render(template, values)


@pytest.mark.parametrize(
    ("template", "values", "field"),
    [
        ("https://{Sub}.example.com/", {"Sub": "a/b"}, "Sub"),
        ("https://{Sub}.example.com/", {"Sub": "é"}, "Sub"),
        ("https://{Sub}.example.com/", {"Sub": ""}, "values"),
        ("https://{Sub}.example.com/", {"Sub": "a:1"}, "values"),
        ("https://{Host}/", {"Host": "-"}, "values"),
        ("{Env}/token", {"Env": "http://example.com"}, "Env"),
        ("{Env}/token", {"Env": "https://user@example.com"}, "Env"),
        ("{Env}/token", {"Env": "https://example.com?a=b"}, "Env"),
        ("{Env}/token", {"Env": "https://example.com/#a"}, "Env"),
        ("{Env}/token", {"Env": "https://{Other}.example.com"}, "Env"),
        ("{Env}/token", {"Env": "{Other}"}, "Env"),
        ("{Env}/token", {"Env": "javascript:alert(1)"}, "Env"),
        ("{Env}/token", {"Env": "https://example.com/.."}, "values"),
        ("https://example.com/{A}{B}/token", {"A": ".", "B": "."}, "values"),
        ("a={A}", {}, "values"),
        ("a={A}", {"B": "b"}, "values"),
        ("a={A}", {"A": "1", "a": "2"}, "values"),
        ("a={A}", {"A": 1}, "A"),
        ("a={A}", {"A": None}, "A"),
        ("a={A}", {"A": "\ud800"}, "A"),
        ("a={A}", {"A": "x" * (MAX_VALUE + 1)}, "A"),
        ("a={A}", {1: "x"}, "values"),
        ("a={A}", ["A"], "values"),
        ("a={A}", None, "values"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(template: str, values: Any, field: str) -> None:
    """The placeholder is named, or the mapping."""
    with pytest.raises(InvalidInput) as refusal:
        render(template, values)

    assert field == refusal.value.field


def test_a_mapping_that_fails_is_refused() -> None:
    """What a host's own mapping raises does not come through."""

    class Failing(dict[str, str]):
        def items(self) -> Any:
            raise RuntimeError

    with pytest.raises(InvalidInput, match="fails"):
        render("a={A}", Failing())


def check_silence(write: Render, template: str, value: str) -> None:
    """Require that what is wrong with a value is told without it."""
    message = ""
    try:
        write(template, dict.fromkeys(["Code", "RedirectUrl", "sub", "tenant", "audience", "Env"], f"cAnArY{value}"))
    except InvalidInput as error:
        message = str(error)

    assert "cAnArY" not in message


@given(st.sampled_from([FORM, ADDRESS, "{Env}/token"]), TEXTS.filter(lambda text: len(text) > 3))
def test_no_message_shows_a_value(template: str, value: str) -> None:
    """A value may be a secret."""
    check_silence(render, template, value)


def test_a_message_that_shows_a_value_is_caught() -> None:
    """The broken twin: it helpfully says what it got."""

    def helpful(template: str, values: Mapping[str, str]) -> str:
        raise InvalidInput("sub", f"expected a part of a host's name in {template}, got {values['sub']!a}")

    with pytest.raises(AssertionError):
        check_silence(helpful, ADDRESS, "/")


# --- Templates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "a\n",
        '"',
        "<replace me>",
        "a={",
        "a=}",
        "a={}",
        "a={1}",
        "a={a b}",
        "a={{A}}",
        "a=[A]",
        "a=%",
        "a=%4",
        "a=%zz",
        "é",
        "a|b",
        "{" + "a" * 65 + "}",
        "a" * (2 * MAX_TEMPLATE + 1),
        None,
        7,
        b"a",
    ],
)
def test_what_is_no_template_is_refused(text: Any) -> None:
    """Blanks, quotes, stray braces and percent signs, and other things than text."""
    for ask in (lambda: parse_template(text, "template"), lambda: placeholders(text), lambda: render(text, {})):
        with pytest.raises(InvalidInput) as refusal:
            ask()

        assert "template" == refusal.value.field


def test_an_address_and_its_query_are_rendered_together() -> None:
    """What is held is at most 2,048 characters long; what is rendered may be put together of two."""
    long = "?a=" + "x" * (MAX_TEMPLATE - 3)

    assert f"https://example.com{long}" == render(f"https://example.com{long}", {})
    with pytest.raises(InvalidInput, match="of 1 to 2,048 characters, got 2,049"):
        parse_template(f"{long}x", "query")


def test_a_refusal_says_where_and_not_what() -> None:
    """The text of a template may hold what it should not, so one character alone is shown."""
    with pytest.raises(InvalidInput) as refusal:
        parse_template("client_secret=hunter2 ", "token_body")

    assert "token_body: expected text and placeholders such as {Code}, got ' ' at character 22" == str(refusal.value)


def test_names_are_told_once_as_they_are_spelled_first() -> None:
    """`{clientId}` and `{ClientId}` are one; the order is that of the template."""
    assert ("b", "A_1") == placeholders("{b}/x?y={A_1}&z={B}&w={a_1}")
    assert () == placeholders("https://example.com/")


ANYTHING = st.one_of(st.none(), st.integers(), st.text(), st.binary(), st.lists(st.text()))
NEARLY = st.lists(
    st.sampled_from(["https://", "{A}", "{b}", "/", "?", "#", "a=", "&", ".", "x", "{", "}", "%41", "@", ":1"])
).map("".join)


@given(st.one_of(NEARLY, ANYTHING), st.one_of(ANYTHING, st.dictionaries(st.sampled_from(["A", "a", "B"]), ANYTHING)))
def test_anything_is_rendered_or_refused(template: Any, values: Any) -> None:
    """Law 13: a text of printable ASCII, or an `ExtlinkError` of one such line."""
    try:
        text = render(template, values)
    except ExtlinkError as error:
        text = str(error)

    assert text.isascii()
    assert text.isprintable()
