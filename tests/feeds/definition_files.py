"""Small files of definitions for the tests, in the formats of the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from extlink.errors import ExtlinkError

__all__ = [
    "CANARY",
    "GRAPH",
    "PROVIDERS",
    "connector",
    "generic",
    "outcome",
    "plain",
    "setting",
    "settings_of",
    "wrap",
]

T = TypeVar("T")

CANARY = "cAnArY-5f1c"

PROVIDERS: dict[str, Any] = {
    "github": {
        "authorize_url": "https://github.com/login/oauth/authorize",
        "access_url": "https://github.com/login/oauth/access_token",
        "oauth": 2,
    },
    "aha": {
        "authorize_url": "https://[subdomain].aha.io/oauth/authorize",
        "access_url": "https://[subdomain].aha.io/oauth/token",
        "oauth": 2,
        "scope_delimiter": " ",
        "client_secret": CANARY,
        "custom_parameters": ["access_type"],
    },
    "trello": {
        "request_url": "https://trello.com/1/OAuthGetRequestToken",
        "authorize_url": "https://trello.com/1/OAuthAuthorizeToken",
        "access_url": "https://trello.com/1/OAuthGetAccessToken",
        "oauth": 1,
    },
}

GRAPH: dict[str, Any] = {
    "delegatedScopesList": [
        {"value": "Mail.Read", "consentDisplayName": "Read your mail", "adminConsentDisplayName": "Read user mail"},
        {"value": "Files.Read", "consentDisplayName": None, "adminConsentDisplayName": "Read\u00a0user\nfiles "},
    ],
    "applicationScopesList": [{"value": "Mail.Read", "consentDisplayName": "Read mail in all mailboxes"}],
}


def outcome(ask: Callable[[], T]) -> T | ExtlinkError:
    """Return what a call gives, or the error that it raises on purpose; every other error goes through."""
    try:
        return ask()
    except ExtlinkError as error:
        return error


def plain(**changes: object) -> dict[str, Any]:
    """Return OAuth settings of kind `oauth2` with some fields changed."""
    return {
        "identityProvider": "oauth2",
        "clientId": CANARY,
        "clientSecret": CANARY,
        "scopes": ["boards:read boards:write"],
        "redirectMode": "Global",
        "redirectUrl": "https://global.consent.azure-apim.net/redirect",
        "customParameters": {
            "AuthorizationUrl": {"value": "https://Example.com/oauth/Authorize"},
            "tokenUrl": {"value": " https://api.example.com/oauth/token "},
            "refreshUrl": {"value": "https://api.example.com/oauth/refresh"},
        },
        **changes,
    }


def generic(**changes: object) -> dict[str, Any]:
    """Return OAuth settings of kind `oauth2generic` with some custom parameters changed."""
    values: dict[str, object] = {
        "authorizationUrlTemplate": "https://{Region}.Example.com/oauth/authorize",
        "authorizationUrlQueryStringTemplate": "?client_id={clientId}&state={State}&scope={Scopes}&prompt=consent",
        "tokenUrlTemplate": "https://{Region}.example.com/oauth/token",
        "tokenBodyTemplate": "code={Code}&client_id={ClientId}&client_secret={ClientSecret}&scope={Scopes}",
        "refreshUrlTemplate": None,
        "refreshBodyTemplate": "code={Code}&refresh_token={RefreshToken}&client_secret={ClientSecret}",
        "ScopeListDelimiter": ",",
        "eU_clientId": CANARY,
        "eU_domain": "eu.example.com",
        **changes,
    }
    return {
        "identityProvider": "OAuth2Generic",
        "scopes": ["a", "b"],
        "customParameters": {name: {"value": value} for name, value in values.items()},
    }


def setting(settings: object) -> dict[str, Any]:
    """Return a connection parameter with OAuth settings."""
    return {"type": "oauthSetting", "oAuthSettings": settings}


def connector(parameters: object, sets: object = None) -> dict[str, Any]:
    """Return a document with connection parameters, and with sets of such."""
    properties = {"iconBrandColor": "#fff", "connectionParameters": parameters}
    return {"properties": properties | ({} if sets is None else {"connectionParameterSets": {"values": sets}})}


def wrap(row: dict[str, Any]) -> bytes:
    """Return a file with the one setting of a row of the real sample."""
    parameters = {row["parameter"]: setting(row["oAuthSettings"])}
    named = [{"name": row["parameterSet"], "parameters": parameters}] if row["parameterSet"] else None
    return json.dumps(connector({} if named else parameters, named)).encode()


def settings_of(realdata: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of the real sample of OAuth settings."""
    text = (realdata / "connectors" / "powerplatform_oauth_settings.jsonl").read_text(encoding="utf-8")
    for line in text.splitlines():
        yield json.loads(line)
