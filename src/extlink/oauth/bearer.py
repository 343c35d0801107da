"""Bearer tokens in requests to the host's API (RFC 6750, OAuth 2.1 section 5).

Rules: the Authorization header alone; a token in the query is ignored; without credentials the answer names no error
(RFC 6750 section 3.1); each attribute of the challenge occurs once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from extlink.domain.secret import Secret
from extlink.errors import InvalidInput, OAuthError

__all__ = ["challenge", "read_bearer"]

# RFC 6750 section 2.1: b64token. The scheme is case-insensitive (RFC 9110 section 11.1).
_BEARER: Final = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*) *", re.ASCII)
_ANY_BEARER: Final = re.compile(r"(?i:bearer)(?: .*)?", re.DOTALL)
_MAX_HEADER: Final = 4_096
_QUOTABLE: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")


def read_bearer(headers: Iterable[str]) -> Secret | None:
    """Return the token that a request presents, or None where it presents none.

    Args:
        headers: the values of every Authorization header of the request.

    Raises:
        OAuthError: `invalid_request`: several headers, or a bearer header that holds no token.

    >>> read_bearer(["Bearer xl_at_abc"]), read_bearer(["Basic YTpi"]), read_bearer([])
    (Secret(***), None, None)
    """
    values = tuple(headers)
    if len(values) > 1:
        raise OAuthError("invalid_request", "expected one Authorization header")
    if not values or not _ANY_BEARER.fullmatch(values[0]):
        return None
    match = _BEARER.fullmatch(values[0]) if len(values[0]) <= _MAX_HEADER else None
    if match is None:
        raise OAuthError("invalid_request", "the Authorization header holds no bearer token")
    return Secret(match[1])


def challenge(error: OAuthError | None = None, *, realm: str = "", scope: str = "", resource_metadata: str = "") -> str:
    """Return the value of WWW-Authenticate for a request that is refused (RFC 6750 section 3).

    Args:
        error: None where the request had no credentials: it is then told nothing about any.
        realm: the protected area, if the host names one.
        scope: what the request would have needed, for `insufficient_scope`.
        resource_metadata: the address of the resource's metadata (RFC 9728 section 5.1).

    Raises:
        InvalidInput: a text that cannot be quoted.

    >>> challenge(OAuthError("insufficient_scope"), scope="k:file:read")
    'Bearer error="insufficient_scope", scope="k:file:read"'
    """
    attributes = {
        "realm": realm,
        "error": "" if error is None else error.error,
        "error_description": "" if error is None else error.description,
        "scope": scope,
        "resource_metadata": resource_metadata,
    }
    for name, text in attributes.items():
        if not _QUOTABLE.fullmatch(text):
            raise InvalidInput(name, "expected printable ASCII without quotation marks and backslashes")
    said = ", ".join(f'{name}="{text}"' for name, text in attributes.items() if text)
    return f"Bearer {said}" if said else "Bearer"
