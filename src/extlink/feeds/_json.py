"""JSON as strictly as a published file deserves: one reading of every document, or a refusal that names the place.

Rules: UTF-8, with or without a byte order mark; a key given twice, NaN and infinities are refused, because readers
disagree about them; depth and size are bounded. What comes out is read with the functions below, which name the place.
"""

from __future__ import annotations

import json
from typing import Never, cast

from extlink.errors import InvalidInput

__all__ = ["decode", "kind", "read_count", "read_items", "read_json", "read_object", "read_text"]

_MAX_BYTES = 64 * 1024 * 1024
_MAX_TEXT = 255
_MAX_COUNT = 2**63 - 1


def read_json(data: object, field: str = "data") -> object:
    """Return the document in a text or in bytes.

    Raises:
        InvalidInput: neither text nor bytes, more than 64 MiB, not UTF-8, or not strict JSON.

    >>> read_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ...
    extlink.errors.InvalidInput: data: expected each key once, got 'a' twice
    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in pairs:
            if key in found:
                raise InvalidInput(field, f"expected each key once, got {key[:64]!a} twice")
            found[key] = value
        return found

    def refuse(constant: str) -> Never:
        raise InvalidInput(field, f"expected JSON, got the number {constant}, which JSON does not have")

    text = decode(data, field)
    try:
        return cast("object", json.loads(text, object_pairs_hook=once, parse_constant=refuse))
    except json.JSONDecodeError as exc:
        problem = f"expected JSON, got something else at line {exc.lineno}, column {exc.colno}"
        raise InvalidInput(field, problem) from exc
    except RecursionError as exc:
        raise InvalidInput(field, "expected JSON of reasonable depth; it is nested too deeply") from exc
    except InvalidInput:
        raise
    except ValueError as exc:
        raise InvalidInput(field, "expected JSON with numbers of reasonable length") from exc


def decode(data: object, field: str = "data") -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        InvalidInput: neither text nor bytes, more than 64 MiB, or not UTF-8.
    """
    if not isinstance(data, str | bytes):
        raise InvalidInput(field, f"expected the text or the bytes of a file, got {type(data).__name__}")
    if len(data) > _MAX_BYTES:
        raise InvalidInput(field, f"expected at most {_MAX_BYTES // 1024 // 1024} MiB, got more")
    if isinstance(data, str):
        return str.__str__(data).removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        hint = "; unpack it first" if data[:2] == b"\x1f\x8b" else ""
        raise InvalidInput(field, f"expected UTF-8, got another encoding at byte {exc.start}{hint}") from exc


def read_object(value: object, place: str) -> dict[str, object]:
    """Return a JSON object.

    Raises:
        InvalidInput: something else; `place` says where.
    """
    if not isinstance(value, dict):
        raise InvalidInput(place, f"expected an object, got {kind(value)}")
    return cast("dict[str, object]", value)


def read_items(value: object, place: str) -> list[object]:
    """Return the items of a JSON array.

    Raises:
        InvalidInput: something else; `place` says where.
    """
    if not isinstance(value, list):
        raise InvalidInput(place, f"expected a list, got {kind(value)}")
    return cast("list[object]", value)


def read_text(value: object, place: str, *, least: int = 1) -> str:
    """Return a short text.

    Raises:
        InvalidInput: something else, fewer than `least` or more than 255 characters, or a lone surrogate.
    """
    if not isinstance(value, str):
        raise InvalidInput(place, f"expected text, got {kind(value)}")
    if not least <= len(value) <= _MAX_TEXT:
        raise InvalidInput(place, f"expected {least} to {_MAX_TEXT} characters, got {len(value)}")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InvalidInput(place, f"expected text in Unicode, got {value[:64]!a} with a lone surrogate")
    return value


def read_count(value: object, place: str) -> int:
    """Return a whole number from 0 to 2**63 - 1.

    Raises:
        InvalidInput: something else; a fraction is something else.
    """
    if type(value) is not int or not 0 <= value <= _MAX_COUNT:
        raise InvalidInput(place, f"expected a whole number of 0 or more, got {kind(value)}")
    return value


_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    type(None): "nothing",
}


def kind(value: object) -> str:
    """Return what JSON calls a value, for a message."""
    return _KINDS.get(value.__class__, "a number")
