from __future__ import annotations

import pytest

from extlink.domain.identifier import LinkId, Scope
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.errors import OAuthError
from extlink.oauth.parameters import Parameters
from extlink.oauth.token import (
    CodeRequest,
    RefreshRequest,
    read_resources,
    read_scope,
    read_token_request,
    token_response,
)


def test_a_redemption_is_read() -> None:
    """What the grant type needs, and nothing else."""
    form = {"grant_type": ("authorization_code",), "code": ("c",), "code_verifier": ("v",), "refresh_token": ("x", "y")}
    found = read_token_request(Parameters(form))

    assert CodeRequest(code=Secret("c"), redirect_uri=None, code_verifier=Secret("v")) == found
    bare = read_token_request(Parameters({"grant_type": ("authorization_code",), "code": ("c",)}))
    assert CodeRequest(code=Secret("c"), redirect_uri=None, code_verifier=None) == bare


def test_a_refresh_is_read() -> None:
    """Power Platform sends code and redirect_uri along, which are ignored."""
    form = {"grant_type": ("refresh_token",), "refresh_token": ("r",), "code": ("a", "b"), "redirect_uri": ("x",)}

    assert RefreshRequest(refresh_token=Secret("r"), scopes=None) == read_token_request(Parameters(form))
    scoped = read_token_request(Parameters({**form, "scope": ("a b",)}))
    assert isinstance(scoped, RefreshRequest)
    assert ["a", "b"] == sorted(scoped.scopes or ())


@pytest.mark.parametrize("text", ["\x7f", 'a"b', "a\\b", "é", "x" * 300, " ".join(str(n) for n in range(1_001))])
def test_what_are_no_scope_tokens_is_an_invalid_scope(text: str) -> None:
    """RFC 6749 section 3.3; many and long ones are none either."""
    with pytest.raises(OAuthError, match="invalid_scope"):
        read_scope(Parameters({"scope": (text,)}))


@pytest.mark.parametrize(
    "uri", ["a", "/a", "a:", "https://a#b", "https://a b", "https://é", "https://a\n", "1:a", "a:" + "b" * 1_901]
)
def test_what_is_no_absolute_address_is_an_invalid_target(uri: str) -> None:
    """RFC 8707 section 2; so are more than ten."""
    with pytest.raises(OAuthError, match="invalid_target"):
        read_resources(Parameters({"resource": (uri,)}))
    with pytest.raises(OAuthError, match="invalid_target"):
        read_resources(Parameters({"resource": tuple(f"https://a/{n}" for n in range(11))}))


def test_the_members_of_an_answer() -> None:
    """Tokens bare, lifetime a number, scopes in one order."""
    tokens = TokenSet(
        access_token=Secret("a"),
        refresh_token=Secret("r"),
        expires_in=60,
        scopes=frozenset({Scope("y"), Scope("x")}),
        link=LinkId("l"),
    )

    assert {
        "access_token": "a",
        "token_type": "Bearer",
        "expires_in": 60,
        "refresh_token": "r",
        "scope": "x y",
    } == token_response(tokens)
