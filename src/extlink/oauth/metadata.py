"""What an authorization server and a protected resource publish about themselves (RFC 8414, RFC 9728)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from extlink.domain.identifier import plain_text
from extlink.errors import InvalidInput

__all__ = ["authorization_server_metadata", "metadata_path", "parse_issuer", "protected_resource_metadata"]

# RFC 8414 section 2: https, no query, no fragment. A host's own tests may use http on a loopback address.
_ISSUER: Final = re.compile(
    r"(?:https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?"
    r"((?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*/?)"
)
_MAX_ISSUER: Final = 500


def parse_issuer(value: object, field: str = "issuer") -> str:
    """Return an issuer identifier (RFC 8414 section 2): https, without query and fragment; http on loopback alone.

    Raises:
        InvalidInput: anything else.

    >>> parse_issuer("https://example.cybozu.com")
    'https://example.cybozu.com'
    """
    issuer = plain_text(value)
    if issuer is None or len(issuer) > _MAX_ISSUER or not _ISSUER.fullmatch(issuer):
        got = type(value).__name__ if issuer is None else ascii(issuer[:64])
        raise InvalidInput(field, f"expected https://host/path without query and fragment, got {got}")
    return issuer


def metadata_path(issuer: str, kind: str = "oauth-authorization-server") -> str:
    """Return the path under which the metadata of an issuer lies (RFC 8414 section 3.1, RFC 9728 section 3.1).

    The well-known part goes between host and path, and a slash that ends the path is left out.

    >>> metadata_path("https://example.com/tenant/7/")
    '/.well-known/oauth-authorization-server/tenant/7'
    """
    match = _ISSUER.fullmatch(parse_issuer(issuer))
    path = "" if match is None else match[1].removesuffix("/")
    return f"/.well-known/{kind}{path}"


def authorization_server_metadata(
    issuer: str,
    *,
    endpoint: str,
    scopes: Iterable[str] = (),
    methods: Iterable[str] = (),
    algorithms: Iterable[str] = (),
) -> dict[str, str | bool | list[str]]:
    """Return the members of an authorization server's metadata (RFC 8414 section 2, RFC 9126, RFC 9207).

    Args:
        issuer: the issuer identifier.
        endpoint: the address under which the endpoints lie: `https://example.com/oauth2`.
        scopes: those that may be asked for.
        methods: the ways in which a client may authenticate.
        algorithms: of client assertions, where `private_key_jwt` is one of the ways.
    """
    ways, signed = sorted(methods), sorted(algorithms)
    members: dict[str, str | bool | list[str]] = {
        "issuer": issuer,
        "authorization_endpoint": f"{endpoint}/authorize",
        "pushed_authorization_request_endpoint": f"{endpoint}/par",
        "token_endpoint": f"{endpoint}/token",
        "revocation_endpoint": f"{endpoint}/revoke",
        "introspection_endpoint": f"{endpoint}/introspect",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": sorted(scopes),
    }
    for place in ("token", "revocation", "introspection"):
        # Introspection is for callers that prove who they are (RFC 7662 section 2.1).
        taken = [way for way in ways if way != "none"] if place == "introspection" else ways
        members[f"{place}_endpoint_auth_methods_supported"] = taken
        # Present if and only if a method signs (RFC 8414 section 2), and never "none".
        members[f"{place}_endpoint_auth_signing_alg_values_supported"] = signed if "private_key_jwt" in ways else []
    # Members without elements are left out (RFC 8414 section 3.2).
    return {name: value for name, value in members.items() if value != []}


def protected_resource_metadata(
    resource: str, *, issuer: str, scopes: Iterable[str] = ()
) -> dict[str, str | list[str]]:
    """Return the members of a protected resource's metadata (RFC 9728 section 2).

    >>> protected_resource_metadata("https://example.com/api", issuer="https://example.com")["authorization_servers"]
    ['https://example.com']
    """
    members: dict[str, str | list[str]] = {
        "resource": resource,
        "authorization_servers": [issuer],
        "scopes_supported": sorted(scopes),
        "bearer_methods_supported": ["header"],
    }
    return {name: value for name, value in members.items() if value != []}
