"""The token endpoint's messages: authorization_code and refresh_token (RFC 6749 sections 4.1.3, 5 and 6).

Rules: what a grant type does not need is ignored - Power Platform sends `code` and `redirect_uri` along on a refresh -
and what it needs is there exactly once.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from extlink.domain.identifier import Scope, parse_scopes
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.errors import InvalidInput, OAuthError
from extlink.oauth.parameters import Parameters

__all__ = ["CodeRequest", "RefreshRequest", "read_resources", "read_scope", "read_token_request", "token_response"]

_MAX_RESOURCES: Final = 10
# RFC 8707 section 2: an absolute URI (RFC 3986 section 4.3), so without a fragment.
_RESOURCE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]{1,1900}")


@attrs.frozen(kw_only=True)
class CodeRequest:
    """A request to redeem an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

    Args:
        redirect_uri: as in the authorization request; a pure OAuth 2.1 client sends none.
        resources: the audiences asked for (RFC 8707), a subset of those consented to.
    """

    code: Secret
    redirect_uri: str | None
    code_verifier: Secret | None
    resources: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class RefreshRequest:
    """A request for the next tokens (RFC 6749 section 6).

    Args:
        scopes: what the new access token shall cover; None: all that the link covers.
    """

    refresh_token: Secret
    scopes: frozenset[Scope] | None
    resources: tuple[str, ...] = ()


def read_token_request(form: Parameters) -> CodeRequest | RefreshRequest:
    """Return what a client asks the token endpoint for.

    Raises:
        OAuthError: `unsupported_grant_type`, or `invalid_request`: a parameter is missing or there twice.

    >>> read_token_request(Parameters({"grant_type": ("refresh_token",), "refresh_token": ("xl_rt_...",)}))
    RefreshRequest(refresh_token=Secret(***), scopes=None, resources=())
    """
    kind = form.need("grant_type")
    resources = read_resources(form)
    if kind == "authorization_code":
        verifier = form.one("code_verifier")
        return CodeRequest(
            code=Secret(form.need("code")),
            redirect_uri=form.one("redirect_uri"),
            code_verifier=None if verifier is None else Secret(verifier),
            resources=resources,
        )
    if kind == "refresh_token":
        scopes = read_scope(form) or None
        return RefreshRequest(refresh_token=Secret(form.need("refresh_token")), scopes=scopes, resources=resources)
    raise OAuthError("unsupported_grant_type", "expected authorization_code or refresh_token")


def read_scope(parameters: Parameters) -> frozenset[Scope]:
    """Return the scopes a message names; none where it names none.

    Raises:
        OAuthError: `invalid_scope`: no scope tokens (RFC 6749 section 3.3).
    """
    text = parameters.one("scope")
    if text is None:
        return frozenset()
    try:
        return parse_scopes(text, "scope")
    except InvalidInput:
        raise OAuthError("invalid_scope", "scope is no list of scope tokens") from None


def read_resources(parameters: Parameters) -> tuple[str, ...]:
    """Return the resources a message names, each once, in its order (RFC 8707 section 2).

    Raises:
        OAuthError: `invalid_target`: one is no absolute URI without a fragment, or there are too many.
    """
    found = tuple(dict.fromkeys(parameters.many("resource")))
    if len(found) > _MAX_RESOURCES or not all(_RESOURCE.fullmatch(one) for one in found):
        raise OAuthError("invalid_target", "resource is no absolute URI without a fragment")
    return found


def token_response(tokens: TokenSet) -> dict[str, str | int]:
    """Return the members of the answer that gives tokens (RFC 6749 section 5.1); the tokens in it are bare.

    The scope is always there, which is right whether or not it is what was asked for.
    """
    return {
        "access_token": tokens.access_token.reveal(),
        "token_type": tokens.token_type,
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token.reveal(),
        "scope": " ".join(sorted(tokens.scopes)),
    }
