"""LocalizedText: one text in the three languages that the host's pages have (TRACE T14).

Rules: all three languages say something, or none does; a text is one line without control, direction or other invisible
characters, so that it can stand in any page, mail or log line as it is.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import attrs

from extlink.domain import messages
from extlink.domain.identifier import plain_text
from extlink.errors import InvalidInput

__all__ = ["LocalizedText"]

MAX_CHARACTERS: Final = 2_000
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def parse_text(value: object, field: str) -> str:
    """Return `value` if it is one line of at most 2,000 visible characters; empty text is text.

    Raises:
        InvalidInput: not text, too long, or with a character that cannot be seen.

    >>> parse_text("外部連携", "ja")
    '外部連携'
    """
    text = plain_text(value)
    if text is None:
        raise InvalidInput(field, f"expected text, got {type(value).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(
            field, f"expected at most {MAX_CHARACTERS:,} characters, got {len(text):,}; shorten the text"
        )
    if not text.isprintable():
        # The ideographic space and its like are not "printable" either, and harmless.
        for letter in text:
            if unicodedata.category(letter) in _INVISIBLE:
                raise InvalidInput(field, f"expected one line of visible characters, got {letter!a}; remove it")
    return text


def _ja(value: str) -> str:
    return parse_text(value, "ja")


def _en(value: str) -> str:
    return parse_text(value, "en")


def _zh(value: str) -> str:
    return parse_text(value, "zh")


@attrs.frozen(kw_only=True)
class LocalizedText:
    """A text in Japanese, English and simplified Chinese; `bool()` tells whether it says anything.

    Raises:
        InvalidInput: a language is missing while another is there, or a text is not one visible line.

    >>> text = LocalizedText(ja="外部連携", en="Integrations", zh="外部联动")
    >>> text.text("zh-TW"), text.text("pt-PT")
    ('外部联动', 'Integrations')
    """

    ja: str = attrs.field(converter=_ja)
    en: str = attrs.field(converter=_en)
    zh: str = attrs.field(converter=_zh)

    def __attrs_post_init__(self) -> None:
        missing = [name for name, text in zip(messages.LANGUAGES, self.texts, strict=True) if not text.strip()]
        if missing and any(self.texts):
            raise InvalidInput(
                missing[0], "expected a text in each of ja, en and zh, got none; translate it or repeat one"
            )

    @classmethod
    def same(cls, text: str) -> LocalizedText:
        """Return a text that is the same in every language, such as the name of a service.

        >>> LocalizedText.same("Slack").text("ja")
        'Slack'
        """
        return cls(ja=text, en=text, zh=text)

    @property
    def texts(self) -> tuple[str, str, str]:
        """The three texts in the order ja, en, zh: a reason's parameter that is shown in the reader's language."""
        return self.ja, self.en, self.zh

    def text(self, language: str) -> str:
        """Return the text for a language tag, by the rule of `messages.language`."""
        return self.texts[messages.LANGUAGES.index(messages.language(language))]

    def __bool__(self) -> bool:
        return bool(self.ja)
