"""How a client says who it is: exactly one way, never in the query (RFC 6749 section 2.3, OAuth 2.1 section 2.4).

Rules: `client_secret_basic`, `client_secret_post`, `private_key_jwt` (RFC 7523 with the audience of its revision) or
`none`; two ways at once are an error, whichever of them is right; a header of another scheme is no way at all.
"""

from __future__ import annotations

import base64
import re
from typing import Final, Literal
from urllib.parse import unquote_to_bytes

import attrs

from extlink.domain.secret import Secret
from extlink.errors import OAuthError
from extlink.oauth.parameters import Parameters

__all__ = ["ClientCredentials", "Method", "read_credentials"]

Method = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_BASIC: Final = re.compile(r"(?i:basic) +([A-Za-z0-9+/]+={0,2}) *", re.ASCII)
_MAX_HEADER: Final = 4_096
_NOTHING: Final = Parameters()
_SECRETS: Final = ("client_secret", "client_assertion", "client_assertion_type")


@attrs.frozen(kw_only=True)
class ClientCredentials:
    """Who a client says it is, and what it shows for it; nothing of it is verified yet.

    Args:
        method: the one way it chose.
        client_id: None where only the assertion says it.
        proof: the secret or the assertion; None for `none`.
    """

    method: Method
    client_id: str | None
    proof: Secret | None


def read_credentials(authorization: str | None, form: Parameters, query: Parameters = _NOTHING) -> ClientCredentials:
    """Return how the client of a request identifies itself.

    Args:
        authorization: the Authorization header, if there is one.
        form: the parameters of the body.
        query: those of the address, which must hold no credentials (OAuth 2.1 section 2.4.1).

    Raises:
        OAuthError: `invalid_client`: no credentials at all, or a header that is none; `invalid_request`: two ways at
            once, two different clients, or credentials in the query.

    >>> form = Parameters({"client_id": ("c1",), "client_secret": ("s",)})
    >>> read_credentials(None, form)
    ClientCredentials(method='client_secret_post', client_id='c1', proof=Secret(***))
    """
    if any(query.many(name) for name in ("client_id", *_SECRETS)):
        raise OAuthError("invalid_request", "client credentials do not belong into the query")
    named, secret = form.one("client_id"), form.one("client_secret")
    assertion, kind = form.one("client_assertion"), form.one("client_assertion_type")
    if sum((authorization is not None, secret is not None, assertion is not None or kind is not None)) > 1:
        raise OAuthError("invalid_request", "the client uses more than one way to authenticate")
    if authorization is not None:
        client, proof = _read_basic(authorization)
        if named not in (None, client):
            raise OAuthError("invalid_request", "the header and the body name two clients")
        return ClientCredentials(method="client_secret_basic", client_id=client, proof=Secret(proof))
    if assertion is not None or kind is not None:
        if kind != ASSERTION_TYPE or assertion is None:
            raise OAuthError("invalid_client", "the client assertion is of an unknown type")
        return ClientCredentials(method="private_key_jwt", client_id=named, proof=Secret(assertion))
    if named is None:
        raise OAuthError("invalid_client", "the client does not say who it is")
    if secret is not None:
        return ClientCredentials(method="client_secret_post", client_id=named, proof=Secret(secret))
    return ClientCredentials(method="none", client_id=named, proof=None)


def _read_basic(header: str) -> tuple[str, str]:
    """Return id and secret of an HTTP Basic header, each form-encoded before (RFC 6749 section 2.3.1)."""
    # Ids and secrets of ours hold nothing that encoding changes, so clients that forget to encode are read alike.
    match = _BASIC.fullmatch(header) if len(header) <= _MAX_HEADER else None
    try:
        text = base64.b64decode(match[1] if match is not None else "", validate=True)
        client, _, secret = (unquote_to_bytes(part.replace(b"+", b" ")).decode() for part in text.partition(b":"))
    except ValueError:
        client = secret = ""
    if not client or not secret:
        raise OAuthError("invalid_client", "the Authorization header holds no client credentials")
    return client, secret
