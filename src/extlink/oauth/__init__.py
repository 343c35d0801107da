"""OAuth messages as values: parsed, validated, serialised; nothing is looked up and nothing decided here (DESIGN 2).

Rules: a parameter given twice is an error, an empty one is as good as none, an unknown one is ignored (RFC 6749 section
3.1); what may be told to the caller is in an `OAuthError`, and nothing else is. Names are those of the RFCs.
"""

from __future__ import annotations

from extlink.oauth.authorization import AuthorizationRequest, match_redirect_uri, read_authorization, redirection
from extlink.oauth.bearer import challenge, read_bearer
from extlink.oauth.credentials import ClientCredentials, read_credentials
from extlink.oauth.metadata import authorization_server_metadata, metadata_path, parse_issuer
from extlink.oauth.parameters import Parameters, read_form, read_query
from extlink.oauth.token import CodeRequest, RefreshRequest, read_token_request, token_response

__all__ = [
    "AuthorizationRequest",
    "ClientCredentials",
    "CodeRequest",
    "Parameters",
    "RefreshRequest",
    "authorization_server_metadata",
    "challenge",
    "match_redirect_uri",
    "metadata_path",
    "parse_issuer",
    "read_authorization",
    "read_bearer",
    "read_credentials",
    "read_form",
    "read_query",
    "read_token_request",
    "redirection",
    "token_response",
]
