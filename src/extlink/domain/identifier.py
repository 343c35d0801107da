"""Identifiers: opaque text, compared code point by code point on every store.

Rules: 1 to 255 bytes of UTF-8; nothing is trimmed, folded or normalised, so two identifiers are equal only if the host
wrote the same text. Ids are immutable facts of the host; names and codes are not ids (TRACE T7).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import Final, NewType, cast

from extlink.errors import InvalidInput

__all__ = [
    "ClientId",
    "ConnectorId",
    "GroupId",
    "LinkId",
    "OrganizationId",
    "PolicyId",
    "Scope",
    "ServiceId",
    "SubscriptionId",
    "TenantId",
    "UserId",
    "parse_id",
    "parse_ids",
    "parse_items",
    "parse_scope",
    "parse_scopes",
    "plain_text",
]

TenantId = NewType("TenantId", str)
ServiceId = NewType("ServiceId", str)
UserId = NewType("UserId", str)
OrganizationId = NewType("OrganizationId", str)
GroupId = NewType("GroupId", str)
ClientId = NewType("ClientId", str)
LinkId = NewType("LinkId", str)
SubscriptionId = NewType("SubscriptionId", str)
ConnectorId = NewType("ConnectorId", str)
PolicyId = NewType("PolicyId", str)
Scope = NewType("Scope", str)

_REMEMBERED: Final = 256
MAX_BYTES = 255
MAX_ITEMS = 1_000
# RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def plain_text(value: object) -> str | None:
    """Return text as plain text, whatever a subclass of str makes of itself, and None for anything else.

    The type is asked, not the object: what an object says of its own class may be wrong, or raise.

    >>> plain_text("sato"), plain_text(b"sato")
    ('sato', None)
    """
    if type(value) is str:
        return value
    return str.__str__(cast("str", value)) if issubclass(type(value), str) else None


def parse_id(value: object, field: str) -> str:
    """Return `value` if it is an identifier.

    Args:
        value: anything.
        field: the argument's name, for the message.

    Raises:
        InvalidInput: not text, empty, longer than 255 bytes of UTF-8, or not encodable (a lone surrogate).

    >>> parse_id("sato", "user")
    'sato'
    >>> parse_id("", "user")
    Traceback (most recent call last):
    ...
    extlink.errors.InvalidInput: user: expected 1 to 255 bytes of text, got none; pass the host's immutable id
    """
    text = plain_text(value)
    if text is None:
        raise InvalidInput(field, f"expected text, got {type(value).__name__}; pass the host's immutable id")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidInput(field, f"expected text in Unicode, got {text[:64]!a} with a lone surrogate") from None
    if not 1 <= size <= MAX_BYTES:
        got = f"{size}" if size else "none"
        raise InvalidInput(field, f"expected 1 to {MAX_BYTES} bytes of text, got {got}; pass the host's immutable id")
    return text


def parse_items(values: object, field: str, limit: int = MAX_ITEMS) -> tuple[object, ...]:
    """Return the items of a bounded collection; one text is not a collection of its letters.

    Raises:
        InvalidInput: not a collection, a text or bytes, more than `limit` items, or an iterator that fails.
    """
    kind = type(values).__name__
    if issubclass(type(values), str | bytes | bytearray) or not issubclass(type(values), Iterable):
        raise InvalidInput(field, f"expected a list, got {kind}; write [...] around a single one")
    try:
        items = tuple(islice(cast("Iterable[object]", values), limit + 1))
    except Exception as exc:
        raise InvalidInput(field, f"expected a list, got a {kind} that cannot be read") from exc
    if len(items) > limit:
        raise InvalidInput(field, f"expected at most {limit:,} items; split the call")
    return items


def parse_ids(values: object, field: str) -> tuple[str, ...]:
    """Return the distinct identifiers in `values`, sorted, so that order and duplicates never matter (law 2).

    Raises:
        InvalidInput: not a collection, more than 1,000 items, or an item that is no identifier.

    >>> parse_ids(["b", "a", "b"], "users")
    ('a', 'b')
    """
    return tuple(sorted({parse_id(item, field) for item in parse_items(values, field)}))


def parse_scope(value: object, field: str = "scope") -> Scope:
    """Return `value` if it is one scope token of RFC 6749 section 3.3.

    >>> parse_scope("k:app_record:read")
    'k:app_record:read'
    """
    text = parse_id(value, field)
    if not _SCOPE.fullmatch(text):
        raise InvalidInput(field, f"expected one scope of printable ASCII without blanks, got {text[:64]!a}")
    return Scope(text)


def parse_scopes(values: object, field: str = "scopes") -> frozenset[Scope]:
    """Return the set of scopes in a collection, or in one text separated by blanks (RFC 6749 section 3.3).

    >>> sorted(parse_scopes("k:file:read k:file:write"))
    ['k:file:read', 'k:file:write']
    """
    text = plain_text(values)
    if text is not None:
        if len(text) <= MAX_BYTES:
            return _parse_scope_text(text, field)
        values = [part for part in text.split(" ") if part]
    return frozenset(parse_scope(item, field) for item in parse_items(values, field))


@lru_cache(_REMEMBERED)
def _parse_scope_text(text: str, field: str) -> frozenset[Scope]:
    # A host asks for the same few scopes at every call.
    return frozenset(parse_scope(part, field) for part in text.split(" ") if part)
