"""Search for people by name, as an administrator types it (page A, STEP 1, item 4; TRACE T7).

Rules: searched are the display name, surname and given name, both phonetic names, the login name, the localized names,
and the full name in both orders. A name is found by any part of it. These differences never hide a person:

* upper and lower case, and letters that differ in case mapping alone (`ß` is `ss`);
* hiragana and katakana;
* half and full width - NFKC comes first, so that half-width katakana with a voiced mark is one letter and *is* found
  (the product's own search does not find it; ours does, by choice);
* diacritics: the marks of Latin, Greek and Cyrillic letters, strokes included (`é` is `e`, `ø` is `o`, `й` is `и`);
* blanks: `佐藤昇` finds `佐藤 昇` and the other way round.

Marks of other scripts are no diacritics and stay: the Japanese voiced marks - `が` is not `か` - and the vowel signs
and dots of Arabic, Hebrew, Thai or the Indic scripts. Therefore a mark is removed by the Unicode block it is in, not
because it combines.
"""

from __future__ import annotations

import unicodedata
from typing import Final, cast

from extlink.domain.directory import Member
from extlink.domain.identifier import parse_items
from extlink.errors import InvalidInput

__all__ = ["MAX_SEARCH", "fold", "matches", "parse_search", "searchable"]

MAX_SEARCH: Final = 256

# Combining Diacritical Marks, their Extended and Supplement blocks, Marks for Symbols, Half Marks.
_DIACRITICS: Final = ((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))
# Unicode does not decompose a stroke, nor give the dotless i its dot.
_STROKES: Final = {"ø": "o", "đ": "d", "ħ": "h", "ł": "l", "ŧ": "t", "\u0131": "i"}
# ァ to ヶ and the iteration mark ヽ stand 0x60 after their hiragana; voiced ones are two characters when decomposed.
_KATAKANA: Final = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD)}
_FOLDED: Final[dict[int, int | str | None]] = {
    **{mark: None for first, last in _DIACRITICS for mark in range(first, last + 1)},
    **{ord(letter): plain for letter, plain in _STROKES.items()},
    **_KATAKANA,
}
# NFKC would put a blank before a free-standing voiced mark (U+309B, U+309C): a reader sees か゛ as が.
_JOINED_MARKS: Final = {0x309B: 0x3099, 0x309C: 0x309A}


def fold(text: str, field: str = "text") -> str:
    """Return a text in the form in which names are compared (TRACE T7); folding twice changes nothing more.

    Runs of blanks become one blank, none at the ends.

    Args:
        text: a name, or what is looked for.
        field: the argument's name, for the message.

    Raises:
        InvalidInput: not text.

    >>> fold("ｻﾄｳ　ﾉﾎﾞﾙ") == fold("さとう のぼる")
    True
    >>> fold("が") == fold("か")
    False
    >>> fold("Łukasz MÜLLER")
    'lukasz muller'
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - hosts hand in anything
        raise InvalidInput(field, f"expected text, got {type(text).__name__}")
    if text.isascii():
        return " ".join(text.lower().split())
    cased = unicodedata.normalize("NFKC", text.translate(_JOINED_MARKS)).casefold()
    plain = unicodedata.normalize("NFKD", cased).translate(_FOLDED)
    return " ".join(unicodedata.normalize("NFC", plain).split())


def parse_search(text: str) -> str:
    """Return what is looked for, folded and without blanks; empty text looks for everyone.

    Raises:
        InvalidInput: not text, or longer than 256 characters.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput("search", f"expected text, got {type(text).__name__}")
    if len(text) > MAX_SEARCH:
        raise InvalidInput("search", f"expected at most {MAX_SEARCH} characters, got {len(text)}; search for a part")
    return fold(text).replace(" ", "")


def searchable(member: Member) -> str:
    """Return all that a person can be found by, folded and without blanks, one name a line.

    A directory that searches many people keeps this text and looks for `parse_search(text)` in it.

    Raises:
        InvalidInput: not a member, or a name that is not text.
    """
    if not isinstance(member, Member):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput("member", f"expected a Member, got {type(member).__name__}")
    surname, given = fold(member.surname, "surname"), fold(member.given_name, "given_name")
    phonetic_surname = fold(member.phonetic_surname, "phonetic_surname")
    phonetic_given = fold(member.phonetic_given_name, "phonetic_given_name")
    names = [
        fold(member.display_name, "display_name"),
        fold(member.login_name, "login_name"),
        surname + given,
        given + surname,
        phonetic_surname + phonetic_given,
        phonetic_given + phonetic_surname,
        *(
            fold(cast("str", name), "localized_names")
            for name in parse_items(member.localized_names, "localized_names")
        ),
    ]
    return "\n".join(names).replace(" ", "")


def matches(member: Member, search: str) -> bool:
    """Return whether a person is found by a search text.

    Raises:
        InvalidInput: not a member, not text, or longer than 256 characters.

    >>> from extlink.domain.identifier import UserId
    >>> sato = Member(id=UserId("u1"), display_name="佐藤 昇", phonetic_surname="サトウ", phonetic_given_name="ノボル")
    >>> matches(sato, "佐藤昇"), matches(sato, "さとう"), matches(sato, "ｻﾄｳﾉﾎﾞﾙ"), matches(sato, "ほる")
    (True, True, True, False)
    """
    return parse_search(search) in searchable(member)
