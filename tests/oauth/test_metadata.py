from __future__ import annotations

from hypothesis import given, strategies as st

from extlink.errors import InvalidInput
from extlink.oauth.metadata import (
    authorization_server_metadata,
    metadata_path,
    parse_issuer,
    protected_resource_metadata,
)


@given(st.text(max_size=40) | st.text(max_size=20).map("https://a.example/{}".format))
def test_an_issuer_is_an_address_that_breaks_nothing(text: str) -> None:
    """What is taken is printable ASCII without query, fragment and blanks, and has a place for its metadata."""
    try:
        issuer = parse_issuer(text)
    except InvalidInput:
        return
    assert issuer.isascii()
    assert issuer.isprintable()
    assert not set(issuer) & set('?# "<>\\')
    assert metadata_path(issuer).startswith("/.well-known/oauth-authorization-server")


def test_members_that_are_empty_are_left_out() -> None:
    """RFC 8414 section 3.2: no member without elements."""
    told = authorization_server_metadata("https://a.example", endpoint="https://a.example", scopes=["b", "a"])

    assert ["a", "b"] == told["scopes_supported"]
    assert [] == [name for name in told if "auth" in name and "methods" in name]
    assert "scopes_supported" not in protected_resource_metadata("https://a.example/api", issuer="https://a.example")
