"""The texts that people read, in Japanese, English and simplified Chinese: pure data and one renderer (DESIGN 2).

Rules: every code has a text in every catalogue, with exactly the parameters of `PARAMS`; a code that asks nobody to do
anything (a gate passed, does not apply, or was left out because another gate's reason says what to do) has an empty
remedy; where nothing helps, the remedy says so. A value is data: it is never read as a template, and its line breaks,
control and direction characters are replaced, so that no value forges a line (PROMISES P24). Rendering never fails a
reader: an unknown code is shown as itself, a missing parameter as its name in brackets. Words follow TERMS.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, cast

from extlink.domain.identifier import plain_text
from extlink.domain.messages import en, ja, zh
from extlink.domain.messages.codes import LANGUAGES, PARAMS, ROLES, WHO, Language, Message, Who
from extlink.domain.messages.words import SPOKEN, WORDS

__all__ = [
    "CATALOGUES",
    "LANGUAGES",
    "PARAMS",
    "ROLES",
    "WORDS",
    "Language",
    "Message",
    "Who",
    "language",
    "render",
    "who",
    "words",
]

_Param = str | int | bool | tuple[str, ...]

CATALOGUES: Final[Mapping[Language, Mapping[str, Message]]] = MappingProxyType(
    {"ja": ja.MESSAGES, "en": en.MESSAGES, "zh": zh.MESSAGES}
)

_MAX_TEXT: Final = 256
_MAX_ITEMS: Final = 30
_MAX_BITS: Final = 128
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
# Controls, line and paragraph separators, lone surrogates, and invisible format characters (the bidirectional ones
# among them); joiners are spared, since names in several scripts need them.
_FORGING: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SPARED: Final = frozenset("\u200c\u200d")
# Path-like lists show an order, not alternatives.
_STEPS: Final = frozenset({"path"})
# Numbers are written with a comma, also where they come as text.
_NUMBERS: Final = frozenset({"count", "limit", "position", "rows"})
_DIGITS: Final = re.compile(r"[0-9]{1,30}", re.ASCII)


def language(tag: str) -> Language:
    """Return the catalogue for a language tag: ja, zh (zh-TW and zh-Hant too) or, for anything else, en (TRACE T14).

    What is no text is no tag either; a reader gets English and no exception.

    >>> language("ja-JP"), language("zh-Hant-TW"), language("auto")
    ('ja', 'zh', 'en')
    """
    primary = (plain_text(tag) or "").strip().lower().replace("_", "-").partition("-")[0]
    if primary == "ja":
        return "ja"
    return "zh" if primary == "zh" else "en"


# The functions below name their argument `language`, as their callers do.
_language = language


def who(code: str) -> Who:
    """Return the role that may apply the remedy of a code (TRACE T11); `nobody` where there is none.

    >>> who("network.address_not_allowed"), who("service.unavailable")
    ('access_administrator', 'nobody')
    """
    return WHO.get(code, "nobody")


def render(code: str, part: Literal["text", "remedy"], params: Mapping[str, _Param], language: str) -> str:
    """Return what a reason says, or what to do about it, with its parameters filled in.

    Args:
        code: a reason code; an unknown one is returned as it is.
        part: `remedy` may be empty: nothing is to be done.
        params: as `PARAMS` lists them; a missing one shows as its name in brackets, others are ignored.
        language: any language tag.

    >>> render("grant.missing", "text", {"service": "slack", "user": "sato"}, "ja")
    'satoは、slackの利用を許可されていません。'
    >>> render("grant.missing", "text", {"service": "slack"}, "en")
    '[user] is not permitted to use slack.'
    """
    chosen = _language(language)
    message = CATALOGUES[chosen].get(code)
    if message is None:
        return _shown(code)
    return _fill(message.remedy if part == "remedy" else message.text, code, params, chosen)


_NO_PARAMS: Final[Mapping[str, _Param]] = MappingProxyType({})


def words(key: str, language: str, params: Mapping[str, _Param] = _NO_PARAMS) -> str:
    """Return a word or sentence that is no reason: a gate, an answer, a state, a role, a button, the consent page.

    >>> words("state.unused", "ja"), words("consent.title", "en", {"client": "Slack", "product": "kintone"})
    ('未使用', 'Slack asks to use kintone on your behalf')
    """
    chosen = _language(language)
    row = WORDS.get(key)
    return _shown(key) if row is None else _fill(row[LANGUAGES.index(chosen)], "", params, chosen)


def _fill(template: str, code: str, params: Mapping[str, _Param], chosen: Language) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        return _value(params.get(name), name, code, chosen)

    # One pass over the template: what a value contains is never looked at again.
    return _PLACEHOLDER.sub(value, template)


def _value(value: object, name: str, code: str, chosen: Language) -> str:
    text = plain_text(value)
    if text is not None:
        if name in _NUMBERS and _DIGITS.fullmatch(text):
            return f"{int(text):,}"
        return _word(text, SPOKEN.get((code, name)), chosen)
    # The type is asked: a value may lie about its class. A subclass of int is written as its number.
    kind = type(value)
    if kind is bool:
        return words("value.true" if value else "value.false", chosen)
    if issubclass(kind, int):
        number = cast("int", value)
        return int.__format__(number, ",") if int.bit_length(number) <= _MAX_BITS else f"[{name}]"
    if kind is tuple:
        return _list(cast("tuple[object, ...]", value), name, code, chosen)
    return f"[{name}]"


def _list(values: tuple[object, ...], name: str, code: str, chosen: Language) -> str:
    if name == "cause" and len(values) == len(LANGUAGES):
        # A text in the three languages (why a service is unavailable): the reader's own is shown.
        return _value(values[LANGUAGES.index(chosen)], "", code, chosen)
    shown = [_value(item, name, code, chosen) for item in values[:_MAX_ITEMS] if type(item) is not tuple]
    if len(values) > _MAX_ITEMS:
        shown.append(f"… (+{len(values) - _MAX_ITEMS:,})")
    separator = " > " if name in _STEPS else words("value.separator", chosen)
    return separator.join(shown) or words("value.none", chosen)


def _word(value: str, kind: str | None, chosen: Language) -> str:
    """Return a value as its language says it; `organization:sales` is a department and its id."""
    if not value:
        return words("value.none", chosen)
    if kind is not None:
        head, colon, rest = value.partition(":")
        row = WORDS.get(f"{kind}.{head}")
        if row is not None:
            spoken = row[LANGUAGES.index(chosen)]
            return words("value.named", chosen, {"kind": spoken, "id": rest}) if colon else spoken
    return _shown(value)


def _shown(value: str) -> str:
    # A subclass of str may print as it likes; what is shown is its plain text.
    text = str.__str__(value)
    cut = text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(
        "\ufffd" if unicodedata.category(letter) in _FORGING and letter not in _SPARED else letter for letter in cut
    )
