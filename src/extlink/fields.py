"""Reading JSON-able fields back: each function takes anything and gives the one type it names, or raises.

Rule: what is malformed raises `ValueError` or `TypeError`, which `records` turns into `CorruptRecord`; nothing is
guessed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import cast

from extlink.domain.identifier import (
    Scope,
)
from extlink.domain.instant import Instant

__all__ = [
    "as_bytes",
    "as_instant",
    "as_list",
    "as_map",
    "as_one_of",
    "as_scopes",
    "as_text",
    "as_whole",
    "base64_text",
]


def as_map(value: object) -> Mapping[str, object]:
    """Return an object of JSON."""
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return cast("Mapping[str, object]", value)


def as_list(value: object) -> list[object]:
    """Return a list of JSON."""
    if not isinstance(value, list):
        raise TypeError("expected a list")
    return cast("list[object]", value)


def as_text(value: object) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise TypeError("expected text")
    return value


def as_whole(value: object) -> int:
    """Return a whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("expected a whole number")
    return value


def as_one_of(value: object, allowed: frozenset[str]) -> str:
    """Return one of a few words."""
    text = as_text(value)
    if text not in allowed:
        raise ValueError("expected a known word")
    return text


def as_instant(value: object) -> Instant | None:
    """Return an instant, or None."""
    return None if value is None else Instant(as_whole(value))


def as_bytes(value: object) -> bytes:
    """Return bytes that `base64_text` wrote."""
    return base64.b64decode(as_text(value), validate=True)


def base64_text(value: bytes) -> str:
    """Return bytes as text."""
    return base64.b64encode(value).decode()


def as_scopes(value: object) -> frozenset[Scope]:
    """Return a set of scopes."""
    return frozenset(Scope(as_text(one)) for one in as_list(value))
