"""Small checks of what hosts hand over, shared by the operations.

Rule: the type of a value is asked, never the value itself: an object may lie about its class, compare, print or iterate
as it likes, or raise; what comes out of here is a plain value.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

from extlink.domain.address import AddressRange, parse_range
from extlink.domain.identifier import parse_items, plain_text
from extlink.domain.network import Row
from extlink.domain.secret import Secret
from extlink.errors import InvalidInput

__all__ = [
    "MAX_ROWS",
    "address_text",
    "audience",
    "exactly",
    "flag",
    "given_directory",
    "given_row",
    "given_rows",
    "one_of",
    "presented_secret",
    "secret",
    "shown",
    "text",
    "whole",
]

T = TypeVar("T")
MAX_ROWS: Final = 100_000
_MAX_RANGE: Final = 255
_OF_A_DIRECTORY: Final = ("member", "get", "page", "organizations")
_MAX_SHOWN: Final = 64
_MAX_URI: Final = 2_000
_MAX_SECRET: Final = 16_384


def shown(value: object) -> str:
    """Return a value as a message may name it: short ASCII; of anything but text and small numbers the type alone.

    >>> shown("suspend"), shown(7), shown(10**5_000), shown([])
    ("'suspend'", '7', 'int', 'list')
    """
    plain = plain_text(value)
    if plain is not None:
        return ascii(plain[:_MAX_SHOWN])[:_MAX_SHOWN]
    # Python refuses to write out integers of more than 4,300 digits.
    if value is None or type(value) is bool or (type(value) is int and value.bit_length() <= _MAX_SHOWN):
        return ascii(value)
    return type(value).__name__


def exactly(value: object, kind: type[T], field: str) -> T:
    """Return `value` if it is a `kind`; a subclass is none, since it may answer otherwise.

    >>> exactly(frozenset("a"), frozenset, "letters")
    frozenset({'a'})
    """
    if type(value) is not kind:
        raise InvalidInput(field, f"expected a {kind.__name__}, got {type(value).__name__}")
    return value


def given_directory(value: object | None) -> object | None:
    """Return other people that a question is asked about, or None: the host's own; the hub's colour is not seen here.

    >>> given_directory("people")
    Traceback (most recent call last):
    extlink.errors.InvalidInput: directory: expected a directory with member, get, page, organizations, got 'people'
    """
    try:
        is_one = value is None or all(callable(getattr(value, name)) for name in _OF_A_DIRECTORY)
    except Exception:  # noqa: BLE001 - whatever an attribute of a strange object does, it is no method
        is_one = False
    if not is_one:
        raise InvalidInput("directory", f"expected a directory with {', '.join(_OF_A_DIRECTORY)}, got {shown(value)}")
    return value


def one_of(value: object, allowed: tuple[str, ...], field: str) -> str:
    """Return `value` if it is one of the allowed words.

    >>> one_of("suspend", ("suspend", "revoke"), "existing")
    'suspend'
    """
    word = plain_text(value)
    if word is None or word not in allowed:
        raise InvalidInput(field, f"expected one of {', '.join(allowed)}, got {shown(value)}")
    return word


def text(value: object, field: str, limit: int) -> str:
    """Return `value` if it is text of at most `limit` characters that every store can hold."""
    plain = plain_text(value)
    if plain is None:
        raise InvalidInput(field, f"expected text, got {type(value).__name__}")
    if len(plain) > limit:
        raise InvalidInput(field, f"expected at most {limit} characters, got {len(plain)}")
    try:
        plain.encode()
    except UnicodeEncodeError:
        raise InvalidInput(field, f"expected text in Unicode, got {shown(plain)} with a lone surrogate") from None
    return plain


def whole(value: object, field: str, least: int, most: int) -> int:
    """Return `value` if it is a whole number within bounds.

    >>> whole(20, "limit", 1, 100)
    20
    """
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(field, f"expected a whole number from {least} to {most}, got {shown(value)}")
    return value


def flag(value: object, field: str) -> bool:
    """Return `value` if it is True or False; anything else would be taken for a yes."""
    if type(value) is not bool:
        raise InvalidInput(field, f"expected True or False, got {type(value).__name__}")
    return value


def address_text(value: object) -> str | None:
    """Return the caller's address as the host got it; whether it is one is for the network gate to say."""
    if value is None:
        return None
    plain = plain_text(value)
    if plain is None:
        raise InvalidInput("address", f"expected the caller's address as text, got {type(value).__name__}")
    return plain


def presented_secret(value: object) -> Secret:
    """Return what a caller presented as a secret, whatever it is."""
    if type(value) is Secret:
        return value
    # Whatever else a caller presents is no token of ours; it must not become an error that tells more than a refusal.
    return Secret(plain_text(value) or "")


def secret(value: object, field: str) -> Secret:
    """Return what was presented as a secret; text becomes one.

    >>> secret("xl_rt_...", "token")
    Secret(***)
    """
    return value if type(value) is Secret else Secret(text(value, field, _MAX_SECRET))


def audience(value: object) -> str | None:
    """Return the resource that tokens are for (RFC 8707), or None where none is named.

    >>> audience("https://api.example")
    'https://api.example'
    """
    if value is None:
        return None
    named = text(value, "resource", _MAX_URI)
    if not named:
        raise InvalidInput("resource", "expected an absolute URI, got an empty text; leave it out where none is named")
    return named


def given_rows(values: Iterable[Row | AddressRange | str], *, everything: bool) -> tuple[Row, ...]:
    """Return rows, however each was written.

    Args:
        everything: whether a row may be the whole of IPv4 or IPv6 (TRACE T15).

    >>> [row.text for row in given_rows(["192.0.2.0/24", "198.51.100.7"], everything=False)]
    ['192.0.2.0/24', '198.51.100.7/32']
    """
    return tuple(given_row(item, everything=everything) for item in parse_items(values, "rows", MAX_ROWS))


def given_row(value: object, *, everything: bool) -> Row:
    """Return one row: itself, or the row of a range or of a CIDR text."""
    if type(value) is Row:
        row = value
    elif type(value) is AddressRange:
        row = Row(range=value)
    else:
        row = Row(range=parse_range(text(value, "rows", _MAX_RANGE), "rows", allow_everything=everything))
    if row.range.prefix == 0 and not everything:
        raise InvalidInput("rows", f"expected a range smaller than {row.text}; allow_all() says what it means")
    return row
