from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given

from extlink.domain.client_registration import (
    MAX_KEYS,
    MAX_NAME,
    MAX_REDIRECT_URIS,
    MAX_RESOURCES,
    MAX_SECRETS,
    ClientKey,
    ClientProfile,
    ClientRegistration,
    ClientSecret,
    is_client_id,
    parse_client_id,
)
from extlink.domain.instant import Instant
from extlink.errors import InvalidInput
from tests.strange import ANYTHING, Recipe

PEM = "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"
FULL: dict[str, Any] = {
    "service": "flows",
    "name": "Flows",
    "kind": "confidential",
    "pkce": "required",
    "methods": ["private_key_jwt"],
    "redirect_uris": ["https://client.example/cb"],
    "scopes": "a b",
    "default_scopes": ["a"],
    "resources": ["https://api.example"],
    "introspects": True,
    "refresh_scope": "strict",
}


def profile(**fields: Any) -> ClientProfile:
    """Return a profile that is right but for what is given."""
    return ClientProfile(**{**FULL, **fields})


def secret(number: int) -> ClientSecret:
    """Return a secret as it is kept."""
    return ClientSecret(id=f"s{number}", key_id="k1", digest=bytes(32), made_at=Instant(0))


def key(number: int) -> ClientKey:
    """Return a key as it is kept."""
    return ClientKey(id=f"k{number}", algorithm="ES256", pem=PEM)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"service": ""}, "service"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * (MAX_NAME + 1)}, "name"),
        ({"name": "Power\u202eAutomate"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"kind": "secret"}, "kind"),
        ({"pkce": "never"}, "pkce"),
        ({"methods": []}, "methods"),
        ({"methods": ["none"]}, "methods"),
        ({"methods": ["tls_client_auth"]}, "methods"),
        ({"methods": [7]}, "methods"),
        ({"redirect_uris": "https://client.example/cb"}, "redirect_uris"),
        ({"redirect_uris": [f"https://client.example/{n}" for n in range(MAX_REDIRECT_URIS + 1)]}, "redirect_uris"),
        ({"scopes": "\x7f"}, "scopes"),
        ({"default_scopes": ["c"]}, "default_scopes"),
        ({"resources": [f"https://api.example/{n}" for n in range(MAX_RESOURCES + 1)]}, "resources"),
        ({"introspects": 1}, "introspects"),
        ({"refresh_scope": "wide"}, "refresh_scope"),
        ({"kind": "public", "introspects": False}, "methods"),
        ({"kind": "public", "methods": ["none"]}, "introspects"),
        (
            {"kind": "public", "methods": ["none"], "introspects": False, "pkce": "waived_for_confidential_client"},
            "pkce",
        ),
    ],
)
def test_a_profile_that_does_not_fit_is_refused(fields: dict[str, Any], field: str) -> None:
    """Each part, and what does not go together, names the field that is wrong."""
    with pytest.raises(InvalidInput) as caught:
        profile(**fields)
    assert field == caught.value.field


def test_a_profile_is_strict_unless_said_otherwise() -> None:
    """PKCE, the RFC's rule of refresh scopes, no introspection; the methods follow the kind."""
    plain = ClientProfile(service="flows", name="Flows")

    assert ("required", "strict", False) == (plain.pkce, plain.refresh_scope, plain.introspects)
    assert {"client_secret_basic", "client_secret_post"} == plain.methods
    assert {"none"} == ClientProfile(service="flows", name="Flows", kind="public").methods
    assert profile() == profile(methods=iter(["private_key_jwt"]), scopes=["b", "a", "a"])


@given(ANYTHING)
def test_any_object_in_any_field_is_a_profile_or_an_error_of_ours(recipe: Recipe) -> None:
    """Each strange value in each place."""
    for field in FULL:
        try:
            profile(**{field: recipe.make()})
        except InvalidInput as error:
            assert str(error).isascii()  # noqa: PT017 - whether it is raised depends on the value


@pytest.mark.parametrize("text", ["", "a b", "a/b", "a:b", "鍵", "x" * 101, "a\n", None, b"a", "\ud800"])
def test_what_no_encoder_leaves_alone_is_no_id(text: Any) -> None:
    """Ids are of `A-Za-z0-9._~-` alone."""
    with pytest.raises(InvalidInput, match="client: expected 1 to 100"):
        parse_client_id(text)
    assert not isinstance(text, str) or not is_client_id(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"secrets": (secret(0),)},
        {"secrets": tuple(map(secret, range(MAX_SECRETS + 1))), "profile": profile(methods=["client_secret_post"])},
        {"keys": tuple(map(key, range(MAX_KEYS + 1)))},
        {"keys": (key(0), key(0))},
        {"keys": (key(0),), "profile": profile(methods=["client_secret_post"])},
        {"id": "a b"},
    ],
)
def test_a_client_has_what_its_profile_has_a_use_for(fields: dict[str, Any]) -> None:
    """Not too many secrets and keys, each id once, none that could not be shown."""
    with pytest.raises(InvalidInput):
        ClientRegistration(**{"id": "c1", "profile": profile(), **fields})


def test_a_client_knows_its_keys() -> None:
    """By id, or not at all; printed, it shows no digest."""
    client = ClientRegistration(id="c1", profile=profile(methods=["private_key_jwt", "client_secret_basic"]))
    client = attrs.evolve(client, keys=(key(1), key(2)), secrets=(secret(1),))

    assert (key(2), None) == (client.key("k2"), client.key("k3"))
    assert "digest" not in repr(client)


@given(ANYTHING)
def test_any_object_in_a_key_is_an_error_of_ours(recipe: Recipe) -> None:
    """Each strange value in each place; a message never repeats what was pasted."""
    for field in ("id", "algorithm", "pem"):
        fields: dict[str, Any] = {"id": "k1", "algorithm": "ES256", "pem": PEM, field: recipe.make()}
        try:
            ClientKey(**fields)
        except InvalidInput as error:
            assert "slack" not in str(error)  # noqa: PT017 - whether it is raised depends on the value
