"""Small checks of what hosts hand over, shared by the operations."""

from __future__ import annotations

from extlink.errors import InvalidInput

__all__ = ["address_text", "flag", "one_of", "text", "whole"]


def one_of(value: object, allowed: tuple[str, ...], field: str) -> str:
    """Return `value` if it is one of the allowed words.

    >>> one_of("suspend", ("suspend", "revoke"), "existing")
    'suspend'
    """
    if not isinstance(value, str) or value not in allowed:
        raise InvalidInput(field, f"expected one of {', '.join(allowed)}, got {ascii(value)[:64]}")
    return value


def text(value: object, field: str, limit: int) -> str:
    """Return `value` if it is text of at most `limit` characters that every store can hold."""
    if not isinstance(value, str):
        raise InvalidInput(field, f"expected text, got {type(value).__name__}")
    if len(value) > limit:
        raise InvalidInput(field, f"expected at most {limit} characters, got {len(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidInput(field, f"expected text in Unicode, got {value[:64]!a} with a lone surrogate") from None
    return value


def whole(value: object, field: str, least: int, most: int) -> int:
    """Return `value` if it is a whole number within bounds.

    >>> whole(20, "limit", 1, 100)
    20
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidInput(field, f"expected a whole number from {least} to {most}, got {ascii(value)[:64]}")
    return value


def flag(value: object, field: str) -> bool:
    """Return `value` if it is True or False; anything else would be taken for a yes."""
    if not isinstance(value, bool):
        raise InvalidInput(field, f"expected True or False, got {type(value).__name__}")
    return value


def address_text(value: object) -> str | None:
    """Return the caller's address as the host got it; whether it is one is for the network gate to say."""
    if value is not None and not isinstance(value, str):
        raise InvalidInput("address", f"expected the caller's address as text, got {type(value).__name__}")
    return value
