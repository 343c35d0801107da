from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from extlink import http
from extlink.http import Response
from extlink.oauth.authorization import redirection
from tests.oauth.survive import PLACES, site, survive_request

NAMES = (
    b"client_id client_secret grant_type code code_verifier redirect_uri refresh_token scope resource token state "
    b"consent answer response_type code_challenge code_challenge_method client_assertion client_assertion_type "
    b"token_type_hint"
).split()
KNOWN = [bytes([number]) for number in (1, 2, 3, 4, 5, 6)]
WORDS = [
    b"authorization_code",
    b"refresh_token",
    b"accept",
    b"code",
    b"S256",
    b"k%3Aapp_record%3Aread",
    b"vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv",
    b"https%3A%2F%2Fglobal.consent.azure-apim.net%2Fredirect",
    b"urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
    b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJcdWQ4MDAiLCJzdWIiOiJcdWQ4MDAiLCJqdGkiOiJqIiwiZXhwIjoxLCJhdWQiOiJ4In0.AA",
    b"%0d%0aSet-Cookie%3A+x",
    b"",
]
VALUES = st.sampled_from(KNOWN + WORDS) | st.binary(max_size=12)
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES) | st.binary(max_size=4), VALUES).map(b"=".join), max_size=8).map(
    b"&".join
)
HEADERS = st.lists(
    st.sampled_from([b"Content-Type\x1f\x08", b"Authorization\x1f\x07", b"Authorization\x1fBasic x"])
    | st.binary(max_size=20),
    max_size=3,
).map(b"\x1f".join)
REQUESTS = st.tuples(
    st.integers(0, len(PLACES) - 1).map(lambda number: bytes([number])),
    PAIRS | st.just(b"\x0b") | st.just(b""),
    HEADERS,
    PAIRS | st.binary(max_size=40),
).map(b"\x1e".join)


@given(REQUESTS | st.binary(max_size=200))
@settings(deadline=None, max_examples=400)
def test_any_bytes_get_an_answer_of_oauth(data: bytes) -> None:
    """As query, headers and body of every endpoint: never an exception, never a 500, never a header broken open."""
    survive_request(data)


@pytest.mark.parametrize(
    ("place", "query", "headers", "body", "status"),
    [
        (3, b"", b"Content-Type\x1f\x08\x1fAuthorization\x1f\x07", b"grant_type=refresh_token&refresh_token=\x05", 200),
        (5, b"", b"Content-Type\x1f\x08", b"client_id=\x01&client_secret=\x02&token=\x04", 200),
        (2, b"", b"Content-Type\x1f\x08", b"consent=\x06&answer=accept", 303),
        (2, b"", b"Content-Type\x1f\x08", b"consent=" + b"x" * 20_000 + b"&answer=accept", 400),
        (0, b"\x0b&response_type=token", b"", b"", 303),
        (7, b"", b"", b"", 200),
    ],
)
def test_bytes_get_as_far_as_they_can(place: int, query: bytes, headers: bytes, body: bytes, status: int) -> None:
    """The words of the target reach tokens, answers and redirects, so that what is fuzzed is not the first check."""
    site.cache_clear()
    response = survive_request(b"\x1e".join([bytes([place]), query, headers, body]))

    assert response is not None
    assert status == response.status, response.body


def test_an_answer_that_is_none_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twins: a 500, and a state that breaks out of its header."""
    monkeypatch.setattr(http, "_metadata", lambda request, members: Response(status=500))
    with pytest.raises(AssertionError):
        survive_request(b"\x07")
    monkeypatch.setattr(
        "extlink.endpoint_consent.redirection", lambda uri, said: redirection(uri, said) + "\r\nSet-Cookie: x"
    )
    with pytest.raises(AssertionError):
        survive_request(b"\x00\x1e\x0b&response_type=token")
