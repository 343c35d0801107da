from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain.directory import Member
from extlink.domain.identifier import UserId
from extlink.domain.search import MAX_SEARCH, fold, matches, parse_search, searchable
from extlink.errors import ExtlinkError, InvalidInput

Fold = Callable[[str], str]

ALIKE: Final = [
    ("SATO", "sato"),
    ("Straße", "STRASSE"),
    ("ＳＡＴＯ　１", "sato 1"),
    ("さとう", "サトウ"),
    ("さとう", "ｻﾄｳ"),
    ("がぎぐげご", "ｶﾞｷﾞｸﾞｹﾞｺﾞ"),
    ("ぱぴぷ", "ﾊﾟﾋﾟﾌﾟ"),
    ("ゔぁいおりん", "ヴァイオリン"),
    ("が", "か\u3099"),
    ("が", "か\u309b"),
    ("ぱ", "ハ\u309c"),
    ("いすゞ", "イスヾ"),
    ("ヷ", "わ\u3099"),
    ("かーど", "ｶｰﾄﾞ"),
    ("Müller", "Muller"),
    ("Müller", "Mu\u0308ller"),
    ("Søren Łukasz Đorđe", "soren lukasz dorde"),
    ("ǿ", "o"),
    ("İstanbul ısı", "istanbul isi"),
    ("Ελλάδα", "ελλαδα"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("Андрей", "андреи"),
    ("㈱ワークス", "(株)わーくす"),
    ("  佐藤 \t 昇\n", "佐藤\u3000昇"),
    ("", " \u3000"),
]
APART: Final = [
    ("か", "が"),
    ("は", "ば"),
    ("ば", "ぱ"),
    ("ハハ", "パパ"),
    ("つ", "っ"),
    ("佐藤", "佐籐"),
    ("斉藤", "斎藤"),
    ("おお", "おー"),
    ("กา", "ก\u0e34"),  # Thai vowels are marks that combine, and make another word
    ("कि", "क"),
    ("\u05e9\u05c1", "\u05e9\u05c2"),  # Hebrew shin and sin
    ("\u06a9", "\u06a9\u064e"),
]
SATO: Final = Member(
    id=UserId("u1"),
    display_name="佐藤 昇",
    login_name="noboru-sato@example.com",
    surname="佐藤",
    given_name="昇",
    phonetic_surname="サトウ",
    phonetic_given_name="ノボル",
    localized_names=("Noboru SATŌ", "佐藤升"),
)


@pytest.mark.parametrize(("one", "other"), ALIKE, ids=ascii)
def test_what_is_alike(one: str, other: str) -> None:
    """TRACE T7: case, kana, width and diacritics make no difference."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), APART, ids=ascii)
def test_what_is_not_alike(one: str, other: str) -> None:
    """A mark that makes another letter is kept."""
    assert fold(one) != fold(other)


def test_blanks() -> None:
    """Runs of any blanks become one, and none is left at the ends."""
    assert "佐藤 昇" == fold("\u3000佐藤 \u00a0\t 昇 ")


@pytest.mark.parametrize(
    "first_and_last", [(0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)]
)
def test_the_blocks_of_diacritics(first_and_last: tuple[int, int]) -> None:
    """From the first mark of each Unicode block to the last, and not beyond."""
    first, last = first_and_last
    marks = [chr(code) for code in range(first, last + 1) if chr(code).casefold() == chr(code)]

    assert {"e"} == {fold("e" + mark) for mark in marks}
    assert "e" not in {fold("e" + chr(first - 1)), fold("e" + chr(last + 1))}


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    """A folded text is its own folded form."""
    assert fold(text) == fold(fold(text))


def test_every_character_folds_stably() -> None:
    """Every character of the first plane, so all that names are written in, has one folded form."""
    unstable = [code for code in range(0x1_0000) if fold(fold(chr(code))) != fold(chr(code))]

    assert [] == unstable


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_is_folded_as_anything_else(text: str) -> None:
    """The short way for ASCII is only a short way."""
    assert fold(text + "e") == fold(text + "é")


@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_the_normal_form_of_the_input_does_not_matter(text: str, form: str) -> None:
    """Canonically equal texts, as different keyboards write them, fold alike."""
    kana = "".join(chr(0x3041 + ord(letter) % 0x56) for letter in text)
    accented = "".join(chr(0xC0 + ord(letter) % 0x140) for letter in text)

    for each in (kana, accented):
        assert fold(each) == fold(unicodedata.normalize(form, each))  # type: ignore[arg-type]


@given(st.text(st.characters(min_codepoint=0x3041, max_codepoint=0x3096)))
def test_katakana_is_hiragana(text: str) -> None:
    """Every hiragana text is found by its katakana, and keeps its voiced marks."""
    katakana = "".join(chr(ord(letter) + 0x60) for letter in text)

    assert text == fold(text)
    assert text == fold(katakana)


@pytest.mark.parametrize(
    "search",
    [
        *["佐藤", "昇", "佐藤昇", "佐藤 昇", "佐藤\u3000昇", "昇 佐藤", "藤 昇"],
        *["サトウ", "さとう", "ｻﾄｳ", "さとうのぼる", "サトウ ノボル", "ﾉﾎﾞﾙ ｻﾄｳ", "とう"],
        *["NOBORU-SATO", "@example.com", "noboru sato", "Noboru Satō", "ＳＡＴＯ", "noborusato", "佐藤升"],
        *["", "  ", "\u3000"],
    ],
)
def test_sato_is_found(search: str) -> None:
    """Every name of a person finds the person, with and without blanks, in both orders; nothing finds everyone."""
    assert matches(SATO, search)


@pytest.mark.parametrize(
    "search", ["鈴木", "ノホル", "サドウ", "昇昇", "佐藤昇佐藤昇佐藤昇", "sato noboru", "u1", "昇\nnoboru"]
)
def test_sato_is_not_found(search: str) -> None:
    """What is in no name finds nobody: ids are not searched, and no text spans two names."""
    assert not matches(SATO, search)


@pytest.mark.parametrize(
    "name",
    ["display_name", "login_name", "surname", "given_name", "phonetic_surname", "phonetic_given_name"],
)
def test_each_name_alone_is_searched(name: str) -> None:
    """TRACE T7 lists the names; each is enough."""
    member = attrs.evolve(Member(id=UserId("u"), display_name="x"), **{name: "Ｇödel が"})  # type: ignore[arg-type]

    assert matches(member, "godelガ")


@given(st.text(min_size=1, max_size=20), st.data())
def test_any_part_of_a_name_finds_it(name: str, data: st.DataObject) -> None:
    """A person is found by any part of the folded name."""
    folded = fold(name)
    first = data.draw(st.integers(0, len(folded)))
    last = data.draw(st.integers(first, len(folded)))

    assert parse_search(folded) in searchable(Member(id=UserId("u"), display_name=name))
    assert folded[first:last].replace(" ", "") in searchable(Member(id=UserId("u"), display_name=name))


def test_a_search_has_a_limit() -> None:
    """A search longer than any name is refused; the limit itself is not."""
    assert "x" * MAX_SEARCH == parse_search("x" * MAX_SEARCH)
    with pytest.raises(InvalidInput, match="search: expected at most 256 characters, got 257"):
        parse_search("x" * (MAX_SEARCH + 1))


# --- Broken twins ----------------------------------------------------------------------------------------------------


def every_mark_removed(text: str) -> str:
    """The usual recipe: decompose and drop whatever combines."""
    plain = unicodedata.normalize("NFKD", fold(text))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def canonical_forms_alone(text: str) -> str:
    """Without compatibility forms half-width katakana stays as it is."""
    return unicodedata.normalize("NFC", text).casefold()


@pytest.mark.parametrize(("twin", "tables"), [(every_mark_removed, "apart"), (canonical_forms_alone, "alike")])
def test_the_tables_catch_the_broken_twin(twin: Fold, tables: str) -> None:
    """The recipe that turns が into か, and the one that does not find half-width katakana, fail the same tables."""
    if tables == "apart":
        assert not all(twin(one) != twin(other) for one, other in APART)
    else:
        assert not all(twin(one) == twin(other) for one, other in ALIKE)


ANYTHING: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.integers(),
    st.binary(max_size=4),
    st.text(st.characters(codec=None), max_size=300),
    st.lists(st.one_of(st.text(max_size=3), st.integers()), max_size=3),
    st.just(SATO),
)


@given(ANYTHING, ANYTHING, st.sampled_from([attribute.name for attribute in attrs.fields(Member) if attribute.init]))
def test_any_object(one: object, other: object, field: str) -> None:
    """Law 13: any object gives a value or an ExtlinkError."""

    def damaged() -> Member:
        member = attrs.evolve(SATO)
        object.__setattr__(member, field, other)
        return member

    calls: list[Callable[[], object]] = [
        lambda: fold(one),  # type: ignore[arg-type]
        lambda: parse_search(one),  # type: ignore[arg-type]
        lambda: searchable(one),  # type: ignore[arg-type]
        lambda: matches(one, other),  # type: ignore[arg-type]
        lambda: matches(damaged(), "x"),
    ]
    for call in calls:
        try:
            call()
        except ExtlinkError:
            continue
