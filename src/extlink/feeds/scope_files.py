"""The readers of files in which vendors label their scopes (S1).

| reader | file | texts |
|---|---|---|
| `read_graph_scopes` | Microsoft Graph's `permissions-descriptions`, one file a language | `consentDisplayName`, else `adminConsentDisplayName` |
| `read_google_scopes` | scopes and texts of Google's discovery documents | the text |
| `read_slack_scopes` | the `scopes` of Slack's OpenAPI document | the text, where it is not the name again |
| `read_cybozu_scopes` | scopes and texts of the product's developer site, by product | the text |

Rules: an item gives a label or is set aside with its reason. A label is one line: line breaks and runs of blanks, which
vendors' files have, are one blank; what then is no visible line is set aside. What else a file holds is not read.
"""  # noqa: E501 - rows of a table

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import attrs

from extlink.domain.identifier import parse_scope
from extlink.domain.localized import parse_text
from extlink.domain.messages import LANGUAGES, Language
from extlink.domain.service_parts import parse_choice
from extlink.errors import InvalidInput
from extlink.feeds._json import kind, read_items, read_json, read_object
from extlink.feeds.scope_labels import ScopeLabels
from extlink.feeds.unused import Unused

__all__ = ["Permissions", "read_cybozu_scopes", "read_google_scopes", "read_graph_scopes", "read_slack_scopes"]

Permissions = Literal["delegated", "application"]

_LISTS: Final = {"delegated": "delegatedScopesList", "application": "applicationScopesList"}
# The service's addresses in the clouds: a scope may be written with one before its name.
_GRAPH: Final = (
    "https://graph.microsoft.com/",
    "https://graph.microsoft.us/",
    "https://dod-graph.microsoft.us/",
    "https://microsoftgraph.chinacloudapi.cn/",
)
_GROUPS: Final = ("kintone", "garoon")
_NO_SCOPE: Final = "none"


@attrs.frozen
class _Item:
    """A scope and its text as a file has them, and where."""

    place: str
    scope: object
    text: object


def _labels(
    source: str, language: Language, items: Iterable[_Item | Unused], prefixes: tuple[str, ...] = ()
) -> ScopeLabels:
    texts: dict[str, dict[Language, str]] = {}
    aside: list[Unused] = []
    for item in items:
        if isinstance(item, Unused):
            aside.append(item)
            continue
        try:
            scope, text = str(parse_scope(item.scope, item.place)), _line(item.text, item.place)
        except InvalidInput as error:
            aside.append(Unused(item.place, error.problem))
            continue
        if scope in texts:
            aside.append(Unused(item.place, "duplicate"))
        elif text == scope:
            aside.append(Unused(item.place, "its text is its name again"))
        else:
            texts[scope] = {language: text}
    return ScopeLabels(source=source, texts=texts, set_aside=tuple(aside), prefixes=prefixes)


def _line(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(place, f"expected a text, got {kind(value)}")
    line = parse_text(" ".join(value.split()), place)
    if not line:
        raise InvalidInput(place, "expected a text, got an empty one")
    return line


def _language(value: object) -> Language:
    name = parse_choice(value, LANGUAGES, "language")
    return next(one for one in LANGUAGES if one == name)


def read_graph_scopes(
    data: str | bytes, *, language: Language = "en", permissions: Permissions = "delegated"
) -> ScopeLabels:
    """Return the labels of Microsoft Graph's permissions in one language; join the files of two (`joined`).

    Args:
        data: the whole file.
        language: the one that the file is in; the file does not say.
        permissions: which of its two lists: what an app may do for a signed-in user, or by itself. One name means
            different things in both, so they are never mixed.

    Raises:
        InvalidInput: not such a file; the field names the place.

    >>> example = '''{"delegatedScopesList": [{"value": "Mail.Read", "consentDisplayName": "Read your mail"}]}'''
    >>> labels = read_graph_scopes(example)
    >>> labels.label("https://graph.microsoft.com/Mail.Read", "en")
    'Read your mail'
    """
    spoken = _language(language)
    name = _LISTS[parse_choice(permissions, _LISTS, "permissions")]
    listed = read_items(read_object(read_json(data), "data").get(name), name)
    return _labels("microsoft-graph", spoken, _graph_items(listed, name), _GRAPH)


def _graph_items(listed: Iterable[object], name: str) -> Iterator[_Item | Unused]:
    for number, value in enumerate(listed):
        place = f"{name}[{number}]"
        entry = read_object(value, place)
        if entry.get("isEnabled", True) is not True:
            yield Unused(place, "the vendor has disabled it")
            continue
        yield _Item(place, entry.get("value"), entry.get("consentDisplayName") or entry.get("adminConsentDisplayName"))


def read_google_scopes(data: str | bytes, *, language: Language = "en") -> ScopeLabels:
    """Return the labels of Google's scopes: one object, scope to text, as the discovery documents have them.

    Raises:
        InvalidInput: not such a file; the field names the place.

    >>> read_google_scopes('{"openid": "Associate you with your personal info"}').label("openid", "ja")
    'Associate you with your personal info'
    """
    return _labels("google", _language(language), _items(read_json(data), "data"))


def _items(value: object, place: str) -> Iterator[_Item]:
    for scope, text in read_object(value, place).items():
        yield _Item(scope if place == "data" else f"{place}.{scope}", scope, text)


def read_slack_scopes(data: str | bytes, *, language: Language = "en") -> ScopeLabels:
    """Return the labels of Slack's scopes; most of its texts are the name again, and are set aside.

    Raises:
        InvalidInput: not such a file; the field names the place.

    >>> labels = read_slack_scopes('{"scopes": {"bot": "Bot user scope", "chat:write": "chat:write"}}')
    >>> labels.label("bot", "en"), [(one.place, one.reason) for one in labels.set_aside]
    ('Bot user scope', [('scopes.chat:write', 'its text is its name again')])
    """
    scopes = read_object(read_json(data), "data").get("scopes")
    items: Iterable[_Item | Unused] = (
        Unused(item.place, "no scope: it stands for methods that need none") if item.scope == _NO_SCOPE else item
        for item in _items(scopes, "scopes")
    )
    return _labels("slack", _language(language), items)


def read_cybozu_scopes(data: str | bytes, *, language: Language = "ja") -> ScopeLabels:
    """Return the labels of the product's own scopes, of kintone and Garoon.

    Raises:
        InvalidInput: not such a file; the field names the place.

    >>> labels = read_cybozu_scopes('{"kintone": {"k:file:read": "ファイルのダウンロード"}}')
    >>> labels.label("k:file:read", "ja-JP"), labels.label("k:file:read", "en")
    ('ファイルのダウンロード', 'k:file:read')
    """
    spoken = _language(language)
    document = read_object(read_json(data), "data")
    groups = [name for name in _GROUPS if name in document]
    if not groups:
        raise InvalidInput("data", f"expected scopes of {' or '.join(_GROUPS)}, got none")
    items = (item for name in groups for item in _items(document[name], name))
    return _labels("cybozu", spoken, items)
