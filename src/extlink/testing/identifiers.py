"""Checks that a store never decides which identifiers are equal: only their bytes do (P7)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement
from typing import Final

from extlink.errors import Conflict
from extlink.ports import ABSENT, Guard, Records, Write, components, key
from extlink.testing.probes import OpenStore, batch, expect, ledger, pages, paths, succeeds, values

__all__ = ["FAMILIES", "PAIRS"]

# Within a family some database, file system or programming language takes one for another.
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "case": ("sato", "Sato", "SATO", "\u017fato", "sat\u00f6", "SAT\u00d6"),
    "case that changes length": ("stra\u00dfe", "STRASSE", "strasse", "stra\u1e9ee"),
    "the i of Turkish": ("i", "I", "\u0131", "\u0130", "i\u0307"),
    "final sigma and Kelvin": ("\u03c3", "\u03c2", "\u03a3", "k", "K", "\u212a"),
    "titlecase": ("\u01c6", "\u01c5", "\u01c4", "d\u017e"),
    "composed and not": ("caf\u00e9", "cafe\u0301", "cafe", "caf\u00e8"),
    "one letter, three ways": ("\u00c5", "A\u030a", "\u212b"),
    "order of marks": ("q\u0307\u0323", "q\u0323\u0307"),
    "kana": ("\u304c", "\u304b\u3099", "\u304b", "\u30ac", "\uff76\uff9e", "\u30ab\u3099"),
    "Hangul": ("\ud55c", "\u1112\u1161\u11ab"),
    "compatibility": ("\ufb01", "fi", "\u2460", "1", "\u00b2", "2", "\u00bd", "1/2"),
    "width": ("abc", "\uff41\uff42\uff43", "\uff21\uff22\uff23"),
    "blanks": ("sato", "sato ", " sato", "sato  ", "sato\t", "sato\n", "sato\r\n", "sato\u00a0", "sato\u3000"),
    "NUL": ("sato", "sato\x00", "\x00sato", "sa\x00to", "sa", "\x00", "\x00\x00", "\x00\x01", "\x01"),
    "invisible": ("sato", "sa\u200bto", "sa\u200dto", "sa\u00adto", "\ufeffsato", "sato\ufe0f", "sato\u200c"),
    "four bytes": ("\U00020bb7", "\u5409", "\U0001f600", "\U0001f601", "\U00010400", "\U00010428", "\U0010ffff"),
    "right to left": ("\u05e9\u05dc\u05d5\u05dd", "\u05dd\u05d5\u05dc\u05e9", "\u05e9\u05dc\u05d5\u05dd\u200f"),
    "bidirectional marks": ("\u202eab", "ab", "ba", "\u2066ab\u2069"),
    "Arabic forms": ("\u0627\u0644\u0644\u0647", "\ufdf2", "\u06cc", "\u064a"),
    "digits": ("1", "\u0661", "\u06f1", "\uff11", "01", "1.0", "+1", "1e0", " 1"),
    "look-alikes": ("a", "\u0430", "\u03b1"),
    "words of databases": ("null", "NULL", "None", "true", "True", "0", "false"),
    "patterns": ("a%", "a_", "a*", "a?", "a\\%", "ab", "[a]", "a"),
    "quoting": ("o'hara", "o''hara", 'o"hara', "o`hara", "o\\'hara", "'; DROP TABLE record; --"),
    "paths": ("a/b", "a//b", "a/./b", "a/../b", ".", "..", "a\\b", "~host"),
    "length": ("x" * 255, "x" * 254, "x" * 254 + "y"),
}  # fmt: skip
PAIRS: Final[tuple[tuple[str, str], ...]] = tuple(
    pair for family in FAMILIES.values() for pair in combinations_with_replacement(family, 2)
)


def check_identifiers_are_equal_only_if_their_bytes_are(open_store: OpenStore) -> None:
    """Every pair of look-alikes is two records, and every identifier is one."""
    store = open_store()
    for number, (one, other) in enumerate(PAIRS):
        first, second = (key(f"tenant {number}", "u", each) for each in (one, other))
        for record, value in ((first, b"first"), (second, b"second")):
            guards = [Guard(record, ABSENT)]
            new = batch(Write(record, value), tenant=record.tenant, guards=guards)
            created = succeeds(Conflict, store.commit, new)
            expect(value == b"first" or one != other, created, f"created: {value!r} of {one!r} and {other!r}")
        expect([b"first", b"second" if one != other else b"first"], values(store, first, second), f"{one!r} {other!r}")
        found = {components(path) for path in paths(store, tenant=first.tenant)}
        expect({("u", one), ("u", other)}, found, "the identifiers as listed")


def check_tenants_are_equal_only_if_their_bytes_are(open_store: OpenStore) -> None:
    """The same for the names of tenants: records, lists and ledgers stay apart."""
    store = open_store()
    names = sorted({name for family in FAMILIES.values() for name in family})
    for name in names:
        record = key(name, "t")
        store.commit(batch(Write(record, name.encode()), tenant=record.tenant, entries=[name.encode()]))
    for name in names:
        record = key(name, "t")
        expect([name.encode()], values(store, record), f"the record of {name!r}")
        expect([name.encode()], [item.value for item in pages(store, Records(record.tenant, b""))], f"list of {name!r}")
        expect([(1, name.encode())], ledger(store, record.tenant), f"the ledger of {name!r}")
