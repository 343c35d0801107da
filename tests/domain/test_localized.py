"""LocalizedText: all three languages or none, one visible line."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink.domain.localized import LocalizedText
from extlink.errors import InvalidInput


@pytest.mark.parametrize(
    ("tag", "expected"), [("ja-JP", "外部連携"), ("zh-TW", "外部联动"), ("en", "Integrations"), ("fr", "Integrations")]
)
def test_the_readers_language_is_chosen(tag: str, expected: str) -> None:
    """The rule is that of messages: other languages are answered in English."""
    assert expected == LocalizedText(ja="外部連携", en="Integrations", zh="外部联动").text(tag)


def test_a_name_is_the_same_everywhere() -> None:
    """Names of services are never translated."""
    assert ("Slack", "Slack", "Slack") == LocalizedText.same("Slack").texts


@pytest.mark.parametrize("texts", [("", "b", "c"), ("a", " ", "c"), ("a", "b", "")])
def test_a_missing_language_is_refused(texts: tuple[str, str, str]) -> None:
    """A reader of the third language would see nothing."""
    ja, en, zh = texts

    with pytest.raises(InvalidInput, match="expected a text in each of ja, en and zh"):
        LocalizedText(ja=ja, en=en, zh=zh)


def test_no_text_at_all_says_nothing() -> None:
    """Nothing in any language is how "no cause" is written."""
    assert not LocalizedText.same("")


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "\x00", "\x1b[2J", "\u202ea", "\u2028", "\ufeffa", "\ud800", "\x85"])
def test_invisible_characters_are_refused(text: str) -> None:
    """No definition forges a line or turns its direction."""
    with pytest.raises(InvalidInput, match="one line of visible characters"):
        LocalizedText(ja="a", en=text, zh="c")


def test_a_wide_blank_is_text() -> None:
    """Japanese uses the ideographic space."""
    assert "営業\u3000部" == LocalizedText.same("営業\u3000部").ja


def test_a_text_is_bounded() -> None:
    """At most 2,000 characters."""
    with pytest.raises(InvalidInput, match="at most 2,000 characters, got 2,001"):
        LocalizedText.same("x" * 2_001)


@given(st.one_of(st.none(), st.integers(), st.binary(), st.lists(st.text()), st.text()))
def test_anything_gives_a_text_or_invalid_input(value: object) -> None:
    """Any object: a value or an error of ours."""
    texts: dict[str, Any] = dict.fromkeys(("ja", "en", "zh"), value)

    with suppress(InvalidInput):
        assert value == LocalizedText(**texts).ja
