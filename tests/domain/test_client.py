from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink.domain.client import Client
from extlink.errors import InvalidInput


def test_a_client_is_confidential_with_pkce_unless_said_otherwise() -> None:
    """The stricter words are the defaults: PKCE is required."""
    client = Client("power-automate-jp")

    assert ("power-automate-jp", "confidential", "required") == (client.id, client.kind, client.pkce)


@pytest.mark.parametrize(
    ("kind", "pkce"),
    [("confidential", "required"), ("confidential", "waived_for_confidential_client"), ("public", "required")],
)
def test_what_a_client_may_be(kind: Any, pkce: Any) -> None:
    """Confidential with or without PKCE, public with it."""
    assert (kind, pkce) == ((made := Client("c", kind=kind, pkce=pkce)).kind, made.pkce)


def test_pkce_is_never_waived_for_a_public_client() -> None:
    """RFC 9700 section 2.1.1: nothing else protects a public client's code."""
    with pytest.raises(InvalidInput, match="pkce: expected 'required' for a public client"):
        Client("spa", kind="public", pkce="waived_for_confidential_client")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id": ""}, "client"),
        ({"id": None}, "client"),
        ({"id": "x" * 256}, "client"),
        ({"id": "c", "kind": "secret"}, "kind"),
        ({"id": "c", "kind": None}, "kind"),
        ({"id": "c", "pkce": "plain"}, "pkce"),
        ({"id": "c", "pkce": False}, "pkce"),
    ],
)
def test_a_malformed_client_cannot_be_built(fields: dict[str, Any], field: str) -> None:
    """An illegal value is refused where it is built, by the name of the field."""
    with pytest.raises(InvalidInput) as caught:
        Client(**fields)

    assert field == caught.value.field


ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text())


@given(name=ANYTHING, kind=ANYTHING, pkce=ANYTHING)
def test_any_object_gives_a_client_or_an_error_of_ours(name: Any, kind: Any, pkce: Any) -> None:
    """Whatever a host hands in."""
    try:
        client = Client(name, kind=kind, pkce=pkce)
    except InvalidInput:
        return
    assert (name, kind, pkce) == (client.id, client.kind, client.pkce)
