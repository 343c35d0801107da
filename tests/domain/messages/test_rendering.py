# Full-width punctuation is Japanese and Chinese.
"""Rendering never fails a reader, never reads a value as a template, and never lets a value forge a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pytest
from hypothesis import given, strategies as st

from extlink.domain import messages
from extlink.domain.messages import CATALOGUES, LANGUAGES, PARAMS, WORDS, Language
from extlink.domain.reason import Param, Reason

Render = Callable[[str, Any, Mapping[str, Param], str], str]

CODES = st.sampled_from(sorted(PARAMS))
PARTS = st.sampled_from(["text", "remedy"])
# Texts that try hardest: templates, line ends, escape sequences, direction marks, tags, lone surrogates.
NASTY = st.sampled_from(["{service}", "{", "}}", "a\nb", "\r\n", "\x1b[2J", "\u202eevil", "\u2028", "\x85", "\ud800"])
TEXTS = st.one_of(NASTY, st.text())
VALUES = st.one_of(TEXTS, st.integers(), st.booleans(), st.lists(TEXTS, max_size=40).map(tuple))


def forging(text: str) -> list[str]:
    """Return the characters of a text that could begin another line or turn its direction."""
    return [
        letter
        for letter in text
        if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and letter not in "\u200c\u200d"
    ]


def check_one_line(render: Render, code: str, params: Mapping[str, Param], language: str) -> None:
    """Require that whatever the parameters are, the text stays one line and no value is read as a template."""
    text = render(code, "text", params, language)

    assert [] == forging(text)
    assert len(text.splitlines()) <= 1


def formatted(code: str, part: str, params: Mapping[str, Param], language: str) -> str:
    """Render as one would at first: the broken twin."""
    message = CATALOGUES[messages.language(language)][code]
    text: str = getattr(message, part).format(**params)
    return text


@given(CODES, PARTS, st.data(), st.text())
def test_any_parameters_give_one_line(
    code: str, part: Literal["text", "remedy"], data: st.DataObject, language: str
) -> None:
    """Whatever the values and however many of them are missing or left over, a text is one line."""
    names = st.sampled_from([*PARAMS[code], "other"])
    params = data.draw(st.dictionaries(names, VALUES))

    check_one_line(messages.render, code, params, language)
    assert isinstance(messages.render(code, part, params, language), str)


def test_a_naive_renderer_is_caught() -> None:
    """The broken twin: `str.format` lets a value forge a line."""
    with pytest.raises(AssertionError):
        check_one_line(formatted, "grant.missing", {"service": "slack", "user": "a\nINFO all is well"}, "en")


@given(st.text(), PARTS, st.text())
def test_an_unknown_code_is_shown_as_itself(code: str, part: Literal["text", "remedy"], language: str) -> None:
    """A code of a newer release is better than a failure: it is shown, harmless."""
    text = messages.render(f"x{code}", part, {}, language)

    assert text.startswith("x")
    assert [] == forging(text)


@given(st.text(), st.text())
def test_an_unknown_word_is_shown_as_itself(key: str, language: str) -> None:
    """The same for words."""
    assert messages.words(f"x{key}", language).startswith("x")


@given(CODES, st.sampled_from(LANGUAGES))
def test_a_missing_parameter_is_shown_in_brackets(code: str, language: Language) -> None:
    """Nothing is given: each parameter shows as its name."""
    text = messages.render(code, "text", {}, language)

    assert [] == [name for name in PARAMS[code] if f"[{name}]" not in text]


def test_braces_in_a_value_are_data() -> None:
    """A value that looks like a placeholder is shown as it is, in whatever order parameters are filled in."""
    params: Mapping[str, Param] = {"service": "{user}", "user": "{service}{0}{{}}"}

    assert "{service}{0}{{}} is not permitted to use {user}." == messages.render("grant.missing", "text", params, "en")


def test_invisible_characters_are_replaced() -> None:
    """Line ends, escapes and direction marks become a visible sign; joiners and wide blanks stay."""
    shown = messages.render("service.enabled", "text", {"service": "a\r\nb\x1b\u202e\u2066c\u200d\u3000d"}, "en")

    assert "a\ufffd\ufffdb\ufffd\ufffd\ufffdc\u200d\u3000d is enabled." == shown


def test_a_long_value_is_cut() -> None:
    """A value takes at most 256 characters, a list at most 30 items."""
    text = messages.render("service.enabled", "text", {"service": "x" * 1_000}, "en")
    many = messages.render("datagroup.same_group", "text", {"connectors": tuple("c" * 1_234)}, "ja")

    assert "x" * 255 + "… is enabled." == text
    assert "フローのコネクタ（" + "c、" * 30 + "… (+1,204)）は、同じデータグループに属しています。" == many


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ja", "日本版（cybozu.com）では、IPアドレス制限に登録できるのは2,900行までですが、3,001行あります。"),
        (
            "en",
            (
                "In the Japanese edition (cybozu.com) the IP address restrictions can hold 2,900 rows, "
                "but there are 3,001."
            ),
        ),
        ("zh", "日本版（cybozu.com）的IP地址限制最多可注册2,900行，但现有3,001行。"),
    ],
)
def test_numbers_and_editions_are_written_out(language: str, expected: str) -> None:
    """Numbers have a comma, editions their name."""
    reason = Reason("network.row_limit", {"rows": 3_001, "limit": 2_900, "edition": "JP"})

    assert expected == reason.text(language)


@pytest.mark.parametrize(
    ("code", "params", "language", "expected"),
    [
        ("service.not_enabled", {"service": "slack"}, "en", "slack is not enabled in this domain."),
        (
            "grant.organization",
            {"service": "slack", "user": "sato", "organization": "tokyo", "path": ("honsha", "eigyo", "tokyo")},
            "ja",
            "satoは、組織「tokyo」（honsha > eigyo > tokyo）を通じてslackの利用を許可されています。",
        ),
        (
            "grant.excluded",
            {"service": "slack", "user": "sato", "by": "organization:sales"},
            "en",
            "sato is excluded from using slack (excluded: Department sales).",
        ),
        (
            "grant.excluded",
            {"service": "slack", "user": "sato", "by": "user"},
            "zh",
            "sato已从可使用slack的用户中排除（排除对象：用户）。",
        ),
        ("link.revoked", {"link": "l1", "by": "user"}, "ja", "連携「l1」は、ユーザーによって解除されています。"),
        ("link.revoked", {"link": "l1", "by": "a new rule"}, "en", "The connection l1 was disconnected by a new rule."),
        (
            "token.wrong_kind",
            {"kind": "rt", "expected": "at"},
            "ja",
            "アクセストークンが必要ですが、リフレッシュトークンが渡されました。",
        ),
        (
            "network.row",
            {"address": "198.51.100.7", "row": "198.51.100.0/24", "memo": "", "source": "manual"},
            "en",
            (
                "198.51.100.7 is allowed by the row 198.51.100.0/24 of the IP address restrictions "
                "(memo: none; source: manual)."
            ),
        ),
        (
            "scope.not_covered",
            {"scope": "k:file:read", "granted": ()},
            "zh",
            "操作“k:file:read”不在联动已允许的操作（无）之内。",
        ),
        (
            "version.stale",
            {"what": "grants:slack"},
            "ja",
            "連携を利用できるユーザー「slack」は、ほかの人によって変更されています。",
        ),
        ("version.stale", {"what": "the grants"}, "en", "Somebody else has changed the grants meanwhile."),
        (
            "save.too_large",
            {"count": "1001", "limit": "300"},
            "zh",
            "一次最多可保存300项更改，但现有1,001项。",
        ),
        (
            "actor.not_permitted",
            {"operation": "services.enable", "roles": ("common_administrator", "host")},
            "ja",
            "操作「services.enable」を実行する権限がありません。実行できる人：共通管理者、システムの運用担当者。",
        ),
    ],
)
def test_texts_read_well(code: str, params: dict[str, Param], language: str, expected: str) -> None:
    """Parameters that are words of a list are spoken, the others shown as they are."""
    assert expected == Reason(code, params).text(language)


def test_a_cause_in_three_languages_is_shown_in_the_readers() -> None:
    """Why a service is unavailable is said in the language of the rest of the sentence."""
    reason = Reason("service.unavailable", {"service": "chat", "cause": ("停止しています", "it has ended", "已停止")})

    assert "chatとの連携は、現在使用できません（停止しています）。" == reason.text("ja")
    assert "chat is currently unavailable (it has ended)." == reason.text("fr")
    assert "目前无法与chat联动（已停止）。" == reason.text("zh-Hant")


@pytest.mark.parametrize("value", [None, 1.5, object(), 10**100, {"a": 1}, [1]])
def test_a_value_of_a_strange_type_is_shown_by_its_name(value: object) -> None:
    """What is no parameter value never reaches a reader, and never fails."""
    params: dict[str, Any] = {"service": value}

    assert "[service] is enabled." == messages.render("service.enabled", "text", params, "en")


def test_a_truth_value_is_said() -> None:
    """A yes is no number."""
    assert "はいは有効です。" == messages.render("service.enabled", "text", {"service": True}, "ja")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("JA_jp.UTF-8", "ja"),
        (" zh ", "zh"),
        ("zh-TW", "zh"),
        ("zh-Hant-HK", "zh"),
        ("zh-CN", "zh"),
        ("en", "en"),
        ("auto", "en"),
        ("", "en"),
        ("jam", "en"),
        ("zhx", "en"),
        ("de", "en"),
    ],
)
def test_languages(tag: str, expected: str) -> None:
    """zh-TW is answered with zh, ja-JP with ja, anything else with en (TRACE T14)."""
    assert expected == messages.language(tag)


@given(st.text())
def test_any_text_names_a_language(tag: str) -> None:
    """No text fails."""
    assert messages.language(tag) in LANGUAGES


@given(st.sampled_from(sorted(WORDS)), st.sampled_from(LANGUAGES), st.dictionaries(st.text(), VALUES))
def test_words_are_one_line(key: str, language: Language, params: dict[str, Param]) -> None:
    """The words are rendered by the same rules."""
    assert [] == forging(messages.words(key, language, params))


def test_a_subclass_of_text_is_plain() -> None:
    """A text that prints otherwise than it is shows what it is."""

    class Liar(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "line\nline"

        def __format__(self, spec: str) -> str:
            return "line\nline"

    assert "slack is enabled." == messages.render("service.enabled", "text", {"service": Liar("slack")}, "en")
