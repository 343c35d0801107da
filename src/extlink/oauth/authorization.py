"""The authorization endpoint's messages (RFC 6749 sections 4.1.1 and 4.1.2, RFC 7636, RFC 8707, RFC 9207).

Rules: the client and its redirect URI come first, and what is wrong with them is told to the user and never redirected
(OAuth 2.1 section 2.3.5); everything else goes back to the redirect URI, with the state as it came and the issuer. A
redirect URI is compared character by character; the port of a loopback address alone may differ (RFC 8252 section 7.3).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

import attrs

from extlink.domain.identifier import Scope
from extlink.errors import OAuthError
from extlink.oauth.parameters import Parameters
from extlink.oauth.token import read_resources, read_scope

__all__ = ["AuthorizationRequest", "match_redirect_uri", "read_authorization", "redirection"]

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:/.*)?)")
# RFC 6749 appendix A.5: VSCHAR. It is hostile input that is handed back, so it is bounded as well.
_STATE: Final = re.compile(r"[\x20-\x7e]{1,2000}")


@attrs.frozen(kw_only=True)
class AuthorizationRequest:
    """What a client asks a user for, of a client and a redirect URI that are known already.

    Args:
        scopes: what is asked for; empty: the client names nothing.
        state: handed back as it came.
        code_challenge: of method S256 (RFC 7636); None where the client sends none.
        resources: the audiences asked for (RFC 8707).
    """

    scopes: frozenset[Scope]
    state: str | None
    code_challenge: str | None
    resources: tuple[str, ...]


def match_redirect_uri(registered: tuple[str, ...], asked: str | None) -> str:
    """Return the redirect URI that an answer may go to (RFC 9700 section 2.1).

    Args:
        registered: the client's.
        asked: the parameter; None where it is absent, which is enough if exactly one is registered.

    Raises:
        OAuthError: `invalid_request`; the user is told, and nothing is redirected.

    >>> match_redirect_uri(("https://client.example/cb",), None)
    'https://client.example/cb'
    >>> match_redirect_uri(("http://127.0.0.1/cb",), "http://127.0.0.1:51004/cb")
    'http://127.0.0.1:51004/cb'
    """
    if asked is None:
        if len(registered) != 1:
            raise OAuthError("invalid_request", "redirect_uri is missing")
        return registered[0]
    if asked in registered:
        return asked
    local = _without_port(asked)
    if local is not None and local in {_without_port(one) for one in registered}:
        return asked
    raise OAuthError("invalid_request", "redirect_uri is not registered for this client")


def _without_port(uri: str) -> str | None:
    match = _LOOPBACK.fullmatch(uri)
    return None if match is None else match[1] + match[2]


def read_state(parameters: Parameters) -> str | None:
    """Return the state to hand back, also with an error.

    Raises:
        OAuthError: `invalid_request`: it is there twice, or holds what cannot be handed back.
    """
    state = parameters.one("state")
    if state is not None and not _STATE.fullmatch(state):
        raise OAuthError("invalid_request", "state is longer than 2000 characters or not printable ASCII")
    return state


def read_authorization(parameters: Parameters) -> AuthorizationRequest:
    """Return what is asked for, once client and redirect URI are known to be good.

    Raises:
        OAuthError: what the client is told through its redirect URI: `invalid_request`, `unsupported_response_type`,
            `invalid_scope`, `invalid_target`.
    """
    for name, error in (("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")):
        if parameters.many(name):
            raise OAuthError("invalid_request", f"{name} is not supported ({error})")
    kind = parameters.need("response_type")
    if kind != "code":
        raise OAuthError("unsupported_response_type", "expected response_type code")
    if parameters.one("response_mode") not in (None, "query"):
        raise OAuthError("invalid_request", "expected response_mode query")
    return AuthorizationRequest(
        scopes=read_scope(parameters),
        state=read_state(parameters),
        code_challenge=_challenge(parameters),
        resources=read_resources(parameters),
    )


def _challenge(parameters: Parameters) -> str | None:
    challenge, method = parameters.one("code_challenge"), parameters.one("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise OAuthError("invalid_request", "code_challenge is missing")
        return None
    # A challenge without a method means plain (RFC 7636 section 4.3), which anybody on the way can use.
    if method != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request", "expected a code_challenge of method S256")
    return challenge


def redirection(redirect_uri: str, parameters: dict[str, str | None]) -> str:
    """Return the address that carries an answer to the client; its own query is kept (RFC 6749 section 3.1.2).

    Args:
        redirect_uri: one that was matched.
        parameters: of the answer; those that are None are left out.

    >>> redirection("https://client.example/cb?tenant=7", {"code": "xl_ac_1", "state": "a b"})
    'https://client.example/cb?tenant=7&code=xl_ac_1&state=a%20b'
    """
    said = "&".join(f"{name}={quote(text, safe='')}" for name, text in parameters.items() if text is not None)
    joint = "" if redirect_uri.endswith(("?", "&")) else "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{joint}{said}"
