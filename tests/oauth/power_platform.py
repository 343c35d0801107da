"""What Power Platform sends for a connector's OAuth settings, rendered from its published definition.

Source of the fields: OAUTH.md section 2.1 and the published definitions themselves. A definition's own addresses are
the vendor's and become ours; their queries stay. Names of placeholders are spelled in either case, sometimes both in
one file; several in a row (`{US_clientId}{AU_clientId}`) are alternatives, of which a connection fills the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs

__all__ = ["Setting", "settings"]

GLOBAL = "https://global.consent.azure-apim.net/redirect"
AUTHORIZE = "?response_type=code&client_id={ClientId}&redirect_uri={RedirectUrl}&scope={Scopes}&state={State}"
TOKEN = (
    "grant_type=authorization_code&code={Code}&redirect_uri={RedirectUrl}"
    "&client_id={ClientId}&client_secret={ClientSecret}"
)
REFRESH = "grant_type=refresh_token&refresh_token={RefreshToken}&client_id={ClientId}&client_secret={ClientSecret}"
PLACEHOLDERS = re.compile(r"(?:\{[A-Za-z0-9_]+\})+")
FAMILIES = (("clientsecret", "secret"), ("usersecret", "secret"), ("clientid", "id"), ("userid", "id"))
SCOPES = frozenset({"scope", "scopes", "customscopes"})

Encoder = Callable[[str], str]


@attrs.frozen(kw_only=True)
class Setting:
    """One OAuth setting of one connector.

    Args:
        scopes: as one text, which is sent.
        authorize, token, refresh: what is sent, with placeholders.
        token_query, refresh_query: what is added to the address.
        plain: whether the kind is `oauth2`, whose refresh may show the secret in a header alone.
    """

    path: str
    plain: bool
    redirect_uri: str
    scopes: str
    authorize: str
    token: str
    token_query: str
    refresh: str
    refresh_query: str

    @property
    def kind(self) -> str:
        """Tell a well-formed setting from those that no server can serve, and why."""
        if "request" in parse_qs(self.authorize.lstrip("?")):
            return "authorize: request"  # a parameter of RFC 9101, which means something else
        if _of(self.token, "grant_type") != "authorization_code":
            return "token: another grant"
        if _of(self.refresh, "grant_type") == "refresh_token" and _of(self.refresh, "refresh_token"):
            return "well-formed"
        return f"refresh: {_of(self.refresh, 'grant_type')}"


def _of(template: str, name: str) -> str:
    return parse_qs(template, keep_blank_values=True).get(name, [""])[0]


def settings(folder: Path) -> Iterator[Setting]:
    """Yield every setting of kind oauth2 or oauth2generic."""
    file = folder / "connectors" / "powerplatform_oauth_settings.jsonl"
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        told = row["oAuthSettings"]
        if told["identityProvider"] in {"oauth2", "oauth2generic"}:
            yield _setting(row["path"], told)


def _setting(path: str, told: Mapping[str, Any]) -> Setting:
    given = {name.lower(): (value or {}).get("value") for name, value in told["customParameters"].items()}

    def query(*names: str) -> str:
        address = next((given[name] for name in names if given.get(name)), "") or ""
        return urlsplit(address).query.strip("&")

    own = given.get("authorizationurlquerystringtemplate") or AUTHORIZE
    mode = (told.get("redirectMode") or "").lower()
    usual = (
        f"{GLOBAL}/{re.sub('[^a-z0-9]+', '-', path.split('/')[1].lower())}" if mode == "globalperconnector" else GLOBAL
    )
    return Setting(
        path=path,
        plain=told["identityProvider"] == "oauth2",
        redirect_uri=told.get("redirectUrl") or usual,
        scopes=(given.get("scopelistdelimiter") or " ").join(told.get("scopes") or ()),
        authorize="&".join(
            filter(None, (query("authorizationurl", "authorizationurltemplate"), own.partition("?")[2]))
        ),
        token=given.get("tokenbodytemplate") or TOKEN,
        token_query=(given.get("tokenurlquerystringtemplate") or "").lstrip("?") or query("tokenurl"),
        refresh=given.get("refreshbodytemplate") or REFRESH,
        refresh_query=(given.get("refreshurlquerystringtemplate") or "").lstrip("?") or query("refreshurl"),
    )


def render(template: str, values: Mapping[str, str], encode: Encoder) -> str:
    """Fill in a template; whatever a connection would be asked for is `acme`."""

    def filled(run: re.Match[str]) -> str:
        name = run[0][1:].partition("}")[0].lower()
        name = next((short for ending, short in FAMILIES if name.endswith(ending)), name)
        return encode(values["scopes" if name in SCOPES else name] if name in {*values, *SCOPES} else "acme")

    return PLACEHOLDERS.sub(filled, template)
