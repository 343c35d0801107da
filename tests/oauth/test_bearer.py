from __future__ import annotations

from hypothesis import given, strategies as st

from extlink.errors import InvalidInput, OAuthError
from extlink.oauth.bearer import challenge, read_bearer


@given(st.lists(st.text(max_size=30) | st.text(max_size=30).map("Bearer {}".format), max_size=3))
def test_any_headers_are_a_token_none_or_an_error_of_oauth(headers: list[str]) -> None:
    """Never another exception, and a token is never shown."""
    try:
        found = read_bearer(headers)
    except OAuthError as error:
        if error.error != "invalid_request":
            raise
        return
    assert found is None or "Secret(***)" == repr(found)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_challenge_is_one_line_or_an_error_of_ours(realm: str, scope: str, place: str) -> None:
    """Each attribute at most once, nothing breaks out of its quotes or its header."""
    try:
        said = challenge(OAuthError("invalid_token", "over"), realm=realm, scope=scope, resource_metadata=place)
    except InvalidInput:
        return
    assert said.isascii()
    assert said.isprintable()
    assert said.count('"') == 2 * (2 + sum(map(bool, (realm, scope, place))))
