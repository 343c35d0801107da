from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, strategies as st

from extlink.domain.consent import parse_redirect_uri
from extlink.errors import InvalidInput, OAuthError
from extlink.oauth.authorization import match_redirect_uri, read_authorization, read_state, redirection
from extlink.oauth.parameters import Parameters

PLACE = "https://client.example/cb"


@given(st.text(max_size=60) | st.sampled_from(["", "?", "/", "%2e", ":443", "\n", "\u2024"]).map((PLACE + "{}").format))
def test_an_address_that_matches_is_the_registered_one(asked: str) -> None:
    """Whatever is asked: the registered text itself, or an error."""
    try:
        assert PLACE == match_redirect_uri((PLACE,), asked)
        assert PLACE == asked
    except OAuthError as error:
        if error.error != "invalid_request":
            raise


@given(st.text(max_size=30))
def test_a_loopback_address_stays_on_the_loopback(rest: str) -> None:
    """Whatever stands where the port is: the host of what matches is still the loopback address."""
    try:
        found = match_redirect_uri(("http://127.0.0.1/cb",), f"http://127.0.0.1{rest}/cb")
    except OAuthError:
        return
    assert "127.0.0.1" == urlsplit(found).hostname
    assert "/cb" == urlsplit(found).path


@given(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1),
    st.sampled_from(["", "?x=1", "?", "?x=1&"]),
)
def test_an_answer_says_what_was_said_and_nothing_else(state: str, query: str) -> None:
    """No state adds or hides a parameter, whatever the address has already."""
    found = redirection(PLACE + query, {"code": "c", "state": state, "error": None})
    said = parse_qsl(urlsplit(found).query, strict_parsing=True)

    assert [("code", "c"), ("state", state)] == said[-2:]
    assert found.startswith(PLACE + query)
    assert found.isprintable()


@given(st.text(max_size=80))
def test_what_can_be_registered_cannot_break_a_header(text: str) -> None:
    """No registered address holds a blank, a quotation mark, a control character or a fragment."""
    try:
        found = parse_redirect_uri("https://client.example/" + text)
    except InvalidInput:
        return
    assert found.isascii()
    assert not set(found) & set(' "#\r\n\t\0')


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "response_type",
                "scope",
                "state",
                "code_challenge",
                "code_challenge_method",
                "resource",
                "response_mode",
                "request",
            ]
        ),
        st.lists(
            st.text(min_size=1, max_size=5) | st.sampled_from(["code", "S256", "query", "a" * 43]),
            min_size=1,
            max_size=2,
        ).map(tuple),
    )
)
def test_any_parameters_are_a_request_or_an_error_of_oauth(values: dict[str, tuple[str, ...]]) -> None:
    """Never another exception; a state that is read is printable and bounded."""
    parameters = Parameters(values)
    for read in (read_authorization, read_state):
        try:
            found = read(parameters)
        except OAuthError:
            continue
        state = found if isinstance(found, str | None) else found.state
        assert state is None or (state.isascii() and state.isprintable())


def test_a_request_is_read() -> None:
    """Each part where the RFC says; what is absent is None or empty."""
    found = read_authorization(
        Parameters({"response_type": ("code",), "scope": ("a b",), "resource": ("https://a", "https://b", "https://a")})
    )

    assert ["a", "b"] == sorted(found.scopes)
    assert (None, None) == (found.state, found.code_challenge)
    assert ("https://a", "https://b") == found.resources


@pytest.mark.parametrize("method", ["S256", "plain"])
def test_a_method_without_a_challenge_is_an_error(method: str) -> None:
    """Half of PKCE is none."""
    with pytest.raises(OAuthError, match="code_challenge is missing"):
        read_authorization(Parameters({"response_type": ("code",), "code_challenge_method": (method,)}))
