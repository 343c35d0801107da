"""The reader of grant's `oauth.json`: the OAuth addresses of some two hundred services, as that npm library has them.

(*grant* is here the name of an npm library. In extlink the word means that an administrator lets users use a service.)

| field of a provider | becomes |
|---|---|
| `authorize_url`, `access_url` | the addresses; `[subdomain]` becomes the placeholder `{subdomain}` |
| `scope_delimiter` | the delimiter; a comma where there is none, as that library joins scopes |
| `oauth` | 2 is read; 1, which has neither scopes nor bearer tokens, is set aside |

Rules: a provider becomes a definition or is set aside. The file names no scopes (`with_scopes` adds them), no texts and
no way to authenticate; nothing is guessed. The host calls the service: definitions are `outbound`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from extlink.domain.localized import LocalizedText
from extlink.domain.oauth_profile import SCOPE_DELIMITERS, OAuthProfile, parse_endpoint
from extlink.domain.service import Service
from extlink.errors import InvalidInput
from extlink.feeds._json import kind, read_json, read_object
from extlink.feeds.definitions import NEVER_TAKEN, Definitions, is_credential
from extlink.feeds.unused import Unused

__all__ = ["SOURCE", "read_oauth_providers"]

SOURCE: Final = "npm-grant"
_TAKEN: Final = frozenset({"authorize_url", "access_url", "scope_delimiter", "oauth"})
_BRACKETS: Final = re.compile(r"\[([A-Za-z][A-Za-z0-9_]*)\]")
_COMMA: Final = ","
_OAUTH_2: Final = 2


def read_oauth_providers(data: str | bytes) -> Definitions:
    """Return definitions of the providers of an `oauth.json`; each is named by its key until you name it better.

    Raises:
        InvalidInput: not such a file; the field names the place.

    >>> example = '''{"aha": {"authorize_url": "https://[subdomain].aha.io/oauth/authorize",
    ...     "access_url": "https://[subdomain].aha.io/oauth/token", "oauth": 2}, "trello": {"oauth": 1}}'''
    >>> found = read_oauth_providers(example)
    >>> found.service("aha").oauth.token_url
    'https://{subdomain}.aha.io/oauth/token'
    >>> [(one.place, one.reason) for one in found.set_aside]
    [('trello', 'expected OAuth 2, got 1; OAuth 1 has no scopes and no bearer tokens')]
    """
    services: list[Service] = []
    aside: list[Unused] = []
    unused: list[Unused] = []
    for name, value in read_object(read_json(data), "data").items():
        try:
            service, parts = _provider(name, value)
        except InvalidInput as error:
            aside.append(Unused(name, error.problem if error.field == name else str(error)))
        else:
            services.append(service)
            unused.extend(parts)
    return Definitions(source=SOURCE, services=tuple(services), set_aside=tuple(aside), unused=tuple(unused))


def _provider(name: str, value: object) -> tuple[Service, tuple[Unused, ...]]:
    fields = read_object(value, name)
    version = fields.get("oauth")
    if type(version) is not int or version != _OAUTH_2:
        got = str(version)[:64] if type(version) is int else kind(version)
        raise InvalidInput(name, f"expected OAuth 2, got {got}; OAuth 1 has no scopes and no bearer tokens")
    profile = OAuthProfile(
        authorization_url=parse_endpoint(_address(fields, "authorize_url"), "authorize_url", fragment=True),
        token_url=parse_endpoint(_address(fields, "access_url"), "access_url"),
        scope_delimiter=_delimiter(fields),
    )
    service = Service(
        id=name,
        names=LocalizedText.same(name),
        descriptions=LocalizedText(ja=f"{name}と連携します。", en=f"Connects to {name}.", zh=f"与{name}联动。"),
        directions=frozenset({"outbound"}),
        oauth=profile,
    )
    return service, tuple(_unused(name, fields))


def _address(fields: dict[str, object], name: str) -> str:
    text = fields.get(name)
    if not isinstance(text, str):
        raise InvalidInput(name, f"expected an address in {name}, got {kind(text)}")
    return _BRACKETS.sub(r"{\1}", text)


def _delimiter(fields: dict[str, object]) -> str:
    text = fields.get("scope_delimiter", _COMMA)
    if text not in SCOPE_DELIMITERS:
        raise InvalidInput("scope_delimiter", f"expected one of {', '.join(map(repr, SCOPE_DELIMITERS))}")
    return str(text)


def _unused(name: str, fields: dict[str, object]) -> Iterator[Unused]:
    for field in fields:
        if field not in _TAKEN:
            yield Unused(f"{name}.{field}", NEVER_TAKEN if is_credential(field) else "not read")
