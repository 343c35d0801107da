"""The reader of Power Platform's `apiProperties.json`: the OAuth settings of a connector (S1).

| place | content |
|---|---|
| `properties.connectionParameters.<name>` | a setting, if its `type` is `oauthSetting` |
| `properties.connectionParameterSets.values[].parameters.<name>` | the same for each named set, such as a region |
| `oAuthSettings.identityProvider` | `oauth2` or `oauth2generic`; others, as `aad`, bring no addresses |
| `oAuthSettings.scopes[]` | several scopes; one text alone may hold several, with blanks or commas between |
| `oAuthSettings.customParameters.<field>.value` | addresses; with `oauth2generic` also templates and the delimiter |

Rules: keys are compared whatever their case, which varies. A setting becomes a definition or is set aside; so is every
other connection parameter. `clientId` and `clientSecret` are never taken, wherever they stand. Nothing is completed by
guessing: without both addresses there is no definition. What else a file holds is not read.

The client is Power Platform. For a service that the host calls (`outbound`) its redirect address is therefore not
taken; for a connector by which Power Platform calls the host (`inbound`) it is, and the profile says whether a code
challenge is sent, which no custom connector did in 2025.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from extlink.domain.identifier import parse_id, parse_scope
from extlink.domain.localized import LocalizedText
from extlink.domain.oauth_profile import (
    SCOPE_DELIMITERS,
    OAuthProfile,
    RequestTemplates,
    parse_body,
    parse_endpoint,
    parse_query,
)
from extlink.domain.service import Direction, Service, to_fields
from extlink.domain.service_parts import parse_choice, parse_filled, parse_url
from extlink.errors import InvalidInput
from extlink.feeds._json import kind, read_items, read_json, read_object
from extlink.feeds.definitions import (
    NEVER_TAKEN,
    Definitions,
    is_credential,
    parse_labels,
    parse_product,
    scope_definitions,
)
from extlink.feeds.scope_labels import ScopeLabels
from extlink.feeds.unused import Unused

__all__ = ["SOURCE", "read_api_properties"]

SOURCE: Final = "power-platform"
_SETTING: Final = "oauthsetting"
_NO_FIELD: Final = "no field of such a provider; a template that names it is given its value when it is rendered"
_NOT_OURS: Final = "Power Platform's own address; a host that calls the service has another"
_NO_SCOPE: Final = "a placeholder, no scope; it is given its value when the template is rendered"
_MAX_SHOWN: Final = 64
_HOST: Final = re.compile(r"https://[^/?#]*", re.IGNORECASE)
_UPPER: Final = re.compile(r"\{[^{}]*\}|[A-Z]+")

# Which fields a provider's kind has, and what they become. What one kind has the other must not have.
_PLAIN: Final[Mapping[str, str]] = {
    "authorizationurl": "authorization_url",
    "tokenurl": "token_url",
    "refreshurl": "refresh_url",
    "redirecturl": "redirect_uri",
}
_GENERIC: Final[Mapping[str, str]] = {
    "authorizationurltemplate": "authorization_url",
    "tokenurltemplate": "token_url",
    "refreshurltemplate": "refresh_url",
    "redirecturl": "redirect_uri",
    "authorizationurlquerystringtemplate": "authorization_query",
    "tokenurlquerystringtemplate": "token_query",
    "tokenbodytemplate": "token_body",
    "refreshurlquerystringtemplate": "refresh_query",
    "refreshbodytemplate": "refresh_body",
    "scopelistdelimiter": "scope_delimiter",
}
_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {"oauth2": _PLAIN, "oauth2generic": _GENERIC}
_TAKEN: Final = frozenset({"identityprovider", "customparameters", "scopes", "redirecturl"})


@attrs.frozen
class _Request:
    """What the host said of all definitions of a file."""

    id: str
    names: LocalizedText
    descriptions: LocalizedText
    direction: Direction
    product: str
    labels: tuple[ScopeLabels, ...]


@attrs.frozen
class _Found:
    """A connection parameter: where it stands, what makes its definition's id its own, and what it is."""

    place: str
    suffix: str
    value: object


def read_api_properties(
    data: str | bytes,
    *,
    id: str,  # noqa: A002 - the word of the definition
    names: LocalizedText,
    descriptions: LocalizedText | None = None,
    direction: Direction = "outbound",
    product: str = "",
    labels: Sequence[ScopeLabels] = (),
) -> Definitions:
    """Return a definition for each OAuth setting of a connector.

    Args:
        data: the whole file.
        id: the definition's id; a setting in a named set has the set's name after it, as `lawvu:oauthEU`, and one that
            is not called `token` its own.
        names, descriptions: what people read, which the file does not have; without descriptions the names serve.
        direction: `outbound` if the host calls the service; `inbound` if this is the connector that calls the host.
        product: the host's product that the scopes belong to, for scopes of the host's own.
        labels: what the vendor calls the scopes (`feeds.read_graph_scopes` and others); pass this vendor's alone.

    Raises:
        InvalidInput: not such a file; the field names the place, or the message line and column.

    >>> example = '''{"properties": {"connectionParameters": {"token": {"type": "oauthSetting", "oAuthSettings": {
    ...     "identityProvider": "oauth2", "clientId": "dummy", "scopes": ["boards:read boards:write"],
    ...     "customParameters": {"AuthorizationUrl": {"value": "https://example.com/oauth/authorize"},
    ...     "tokenUrl": {"value": "https://api.example.com/oauth/token"}}}}}}}'''
    >>> found = read_api_properties(example, id="boards", names=LocalizedText.same("Boards"))
    >>> service = found.service("boards")
    >>> sorted(service.scope_names), service.oauth.token_url
    (['boards:read', 'boards:write'], 'https://api.example.com/oauth/token')
    >>> [one.place.rpartition(".")[2] for one in found.unused]
    ['clientId']
    """
    text = parse_filled(names, "names")
    request = _Request(
        parse_id(id, "id"),
        text,
        text if descriptions is None else parse_filled(descriptions, "descriptions"),
        "inbound" if parse_choice(direction, ("inbound", "outbound"), "direction") == "inbound" else "outbound",
        parse_product(product),
        parse_labels(labels),
    )
    services: dict[str, Service] = {}
    aside: list[Unused] = []
    unused: list[Unused] = []
    for found in _parameters(_folded(read_json(data), "data").get("properties"), "properties"):
        parts: list[Unused] = []
        try:
            service = _service(found, request, parts)
            to_fields(service)  # what is larger than a record cannot be registered
        except InvalidInput as error:
            inside = error.field.startswith(found.place)
            aside.append(Unused(error.field, error.problem) if inside else Unused(found.place, str(error)))
            continue
        if service.id in services:
            aside.append(Unused(found.place, f"its definition's id is that of another: {ascii(service.id)[:64]}"))
        else:
            services[service.id] = service
            unused.extend(parts)
    return Definitions(source=SOURCE, services=tuple(services.values()), set_aside=tuple(aside), unused=tuple(unused))


def _folded(value: object, place: str) -> dict[str, object]:
    """Return an object's values by their keys in lower case."""
    found: dict[str, object] = {}
    for key, item in read_object(value, place).items():
        if key.lower() in found:
            raise InvalidInput(place, f"expected each key once whatever its case, got {key[:_MAX_SHOWN]!a} twice")
        found[key.lower()] = item
    return found


def _parameters(value: object, place: str) -> Iterator[_Found]:
    properties = _folded(value, place)
    inside = f"{place}.connectionParameters"
    yield from _group(properties.get("connectionparameters", {}), inside, "")
    sets = properties.get("connectionparametersets")
    if sets is None:
        return
    inside = f"{place}.connectionParameterSets"
    for number, item in enumerate(read_items(_folded(sets, inside).get("values"), f"{inside}.values")):
        at = f"{inside}.values[{number}]"
        one = _folded(item, at)
        yield from _group(one.get("parameters", {}), f"{at}.parameters", parse_id(one.get("name"), f"{at}.name"))


def _group(value: object, place: str, name: str) -> Iterator[_Found]:
    for key, item in read_object(value, place).items():
        parts = (name, "" if key == "token" else key)
        yield _Found(f"{place}.{key}", "".join(f":{part}" for part in parts if part), item)


def _service(found: _Found, request: _Request, unused: list[Unused]) -> Service:
    """Return the definition of a setting, and add to `unused` what it has no place for."""
    parameter = _folded(found.value, found.place)
    said = parameter.get("type")
    if not isinstance(said, str) or said.lower() != _SETTING:
        shown = ascii(said[:_MAX_SHOWN]) if isinstance(said, str) else kind(said)
        raise InvalidInput(found.place, f"expected an OAuth setting, got a parameter of type {shown}")
    place = f"{found.place}.oAuthSettings"
    given = read_object(parameter.get("oauthsettings"), place)
    settings = _folded(given, place)
    inbound = request.direction == "inbound"
    fields = _fields(settings, place, unused, inbound=inbound)
    if inbound and settings.get("redirecturl"):
        fields["redirect_uri"] = _examined("redirect_uri", settings["redirecturl"], f"{place}.redirectUrl")
    scopes, delimiter = _scopes(settings.get("scopes"), f"{place}.scopes", fields.get("scope_delimiter", ""), unused)
    taken = _TAKEN if inbound else _TAKEN - {"redirecturl"}
    unused.extend(Unused(f"{place}.{key}", _why_unused(key)) for key in given if key.lower() not in taken)
    return Service(
        id=request.id + found.suffix,
        names=request.names,
        descriptions=request.descriptions,
        directions=frozenset({request.direction}),
        scopes=scope_definitions(scopes, direction=request.direction, product=request.product, labels=request.labels),
        oauth=_profile(fields, place, delimiter, inbound=inbound),
    )


def _why_unused(key: str) -> str:
    if key.lower() == "redirecturl":
        return _NOT_OURS
    return NEVER_TAKEN if is_credential(key) else "not read"


def _fields(settings: Mapping[str, object], place: str, unused: list[Unused], *, inbound: bool) -> dict[str, str]:
    """Return the fields of a profile by name, examined; what there is no field for is added to `unused`."""
    provider = settings.get("identityprovider")
    names = _FIELDS.get(provider.lower()) if isinstance(provider, str) else None
    if names is None:
        shown = ascii(provider[:_MAX_SHOWN]) if isinstance(provider, str) else kind(provider)
        raise InvalidInput(f"{place}.identityProvider", f"expected {' or '.join(_FIELDS)}, got {shown}")
    inside = f"{place}.customParameters"
    given = read_object(settings.get("customparameters", {}), inside)
    _folded(given, inside)
    fields: dict[str, str] = {}
    for key, item in given.items():
        at, name = f"{inside}.{key}", names.get(key.lower())
        value = None if name is None else _folded(item, at).get("value")
        if name is None:
            unused.append(Unused(at, NEVER_TAKEN if is_credential(key) else _NO_FIELD))
        elif value is None or value == "":
            unused.append(Unused(at, "it says nothing"))
        elif name == "redirect_uri" and not inbound:
            unused.append(Unused(at, _NOT_OURS))
        elif name == "scope_delimiter" and value not in SCOPE_DELIMITERS:
            unused.append(Unused(at, f"expected one of {', '.join(map(repr, SCOPE_DELIMITERS))}"))
        else:
            fields[name] = _examined(name, value, at)
    return fields


def _examined(name: str, value: object, place: str) -> str:
    """Return the text of a field as a profile may hold it."""
    if not isinstance(value, str):
        raise InvalidInput(place, f"expected a text, got {kind(value)}")
    if name == "scope_delimiter":
        return value
    text = value.strip()
    if name.endswith("_url"):
        return parse_endpoint(_lower_host(text), place, fragment=name == "authorization_url")
    if name == "redirect_uri":
        return parse_url(text, place)
    return parse_body(text, place) if name.endswith("_body") else parse_query(text, place)


def _lower_host(text: str) -> str:
    """Return an address with its scheme and host in lower case (RFC 3986 section 6.2.2.1), but for placeholders."""
    return _HOST.sub(
        lambda found: _UPPER.sub(lambda part: part[0] if part[0].startswith("{") else part[0].lower(), found[0]),
        text,
        count=1,
    )


def _scopes(value: object, place: str, delimiter: str, unused: list[Unused]) -> tuple[tuple[str, ...], str]:
    """Return the scopes of a setting, each once, and what stands between them on the wire.

    One text alone may hold several; in a list of several texts each is one, and one with a blank is none.
    """
    items = [] if value is None else [value] if isinstance(value, str) else read_items(value, place)
    if len(items) == 1 and isinstance(items[0], str):
        text = items[0].strip()
        delimiter = delimiter or ("," if "," in text and " " not in text else " ")
        items = [part for part in re.split(r"\s+" if delimiter == " " else re.escape(delimiter), text) if part]
    scopes: dict[str, None] = {}
    for number, item in enumerate(items):
        at = f"{place}[{number}]"
        try:
            scope = parse_scope(item, at)
        except InvalidInput as error:
            unused.append(Unused(at, error.problem))
            continue
        if "{" in scope or scope in scopes:
            unused.append(Unused(at, "duplicate" if scope in scopes else _NO_SCOPE))
        else:
            scopes[scope] = None
    return tuple(scopes), delimiter or " "


def _profile(fields: Mapping[str, str], place: str, delimiter: str, *, inbound: bool) -> OAuthProfile:
    for name in ("authorization_url", "token_url"):
        if name not in fields:
            raise InvalidInput(f"{place}.customParameters", f"expected the {name.replace('_', ' ')}, got none")
    own = {name: fields.get(name, "") for name in _TEMPLATES}
    sends_secret = any(name.startswith("client_secret=") for name in own["token_body"].split("&"))
    challenges = "code_challenge=" in own["authorization_query"]
    return OAuthProfile(
        pkce="waived_for_confidential_client" if inbound and not challenges else "required",
        redirect_uris=(fields["redirect_uri"],) if "redirect_uri" in fields else (),
        authorization_url=fields["authorization_url"],
        token_url=fields["token_url"],
        refresh_url=fields.get("refresh_url"),
        scope_delimiter=delimiter,
        client_authentication="body" if sends_secret else None,
        templates=RequestTemplates(**own),
    )


_TEMPLATES: Final = tuple(field.name for field in attrs.fields(RequestTemplates))
