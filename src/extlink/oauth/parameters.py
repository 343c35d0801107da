"""Parameters of a query or a form: decoded strictly, so that two readers cannot read them differently.

Rules: `application/x-www-form-urlencoded` in UTF-8 (RFC 6749 appendix B), bounded in size and number; a parameter given
twice is an error unless its RFC lets it repeat; an empty value is as good as none (RFC 6749 section 3.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes

import attrs

from extlink.errors import OAuthError

__all__ = ["Parameters", "read_form", "read_query"]

MAX_BYTES: Final = 64 * 1024
MAX_PARAMETERS: Final = 100
_FORM: Final = "application/x-www-form-urlencoded"
# Every % begins an escape, and nothing is a control character or beyond ASCII; both are what readers disagree about.
_ENCODED: Final = re.compile(rb"(?:[\x21-\x24\x26-\x7e ]|%[0-9A-Fa-f]{2})*")


def _read_only(values: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType(dict(values))


@attrs.frozen
class Parameters:
    """The parameters of one message, by name; those without a value are left out.

    A value may be a secret, so none is shown.

    Args:
        values: by name, those that are given more than once in their order.
        empty: the names that were given without a value, for whom an empty answer is not the same as none.

    >>> Parameters({"scope": ("k:file:read",)}).one("scope")
    'k:file:read'
    """

    values: Mapping[str, tuple[str, ...]] = attrs.field(
        default=MappingProxyType({}), converter=_read_only, repr=False, hash=False
    )
    empty: frozenset[str] = attrs.field(default=frozenset[str](), repr=False)

    def one(self, name: str) -> str | None:
        """Return the value of a parameter, or None where it is absent or empty.

        Raises:
            OAuthError: `invalid_request`: it is there more than once (RFC 6749 section 3.1).
        """
        found = self.values.get(name, ())
        if len(found) > 1:
            raise OAuthError("invalid_request", f"{name} is given more than once")
        return found[0] if found else None

    def need(self, name: str) -> str:
        """Return the value of a parameter that has to be there.

        Raises:
            OAuthError: `invalid_request`: it is missing, or there more than once.
        """
        found = self.one(name)
        if found is None:
            raise OAuthError("invalid_request", f"{name} is missing")
        return found

    def many(self, name: str) -> tuple[str, ...]:
        """Return the values of a parameter that may repeat (RFC 8707 section 2)."""
        return self.values.get(name, ())


def read_query(text: object) -> Parameters:
    """Return the parameters of a query, without its question mark.

    Raises:
        OAuthError: `invalid_request`: malformed, not UTF-8, or too large.

    >>> read_query("client_id=c1&state=a%20b&scope=").one("state")
    'a b'
    """
    if not isinstance(text, str) or not text.isascii():
        raise OAuthError("invalid_request", "the query is not percent-encoded")
    return _read(text.encode("ascii"))


def read_form(body: object, content_type: object) -> Parameters:
    """Return the parameters of a form.

    Args:
        body: the message body.
        content_type: the header's value, with or without parameters.

    Raises:
        OAuthError: `invalid_request`: another kind of body, malformed, not UTF-8, or too large.

    >>> read_form(b"grant_type=refresh_token", "application/x-www-form-urlencoded; charset=UTF-8").need("grant_type")
    'refresh_token'
    """
    kind = content_type.partition(";")[0].strip().lower() if isinstance(content_type, str) else ""
    if kind != _FORM:
        raise OAuthError("invalid_request", f"expected a body of type {_FORM}")
    if not isinstance(body, bytes):
        raise OAuthError("invalid_request", "the body is missing")
    return _read(body)


def _read(data: bytes) -> Parameters:
    if len(data) > MAX_BYTES:
        raise OAuthError("invalid_request", "the request is too large")
    pairs = data.split(b"&") if data else []
    if len(pairs) > MAX_PARAMETERS:
        raise OAuthError("invalid_request", "the request has too many parameters")
    found: dict[str, tuple[str, ...]] = {}
    empty: set[str] = set()
    for pair in pairs:
        name, _, value = (_decode(part) for part in pair.partition(b"="))
        if name and value:
            found[name] = (*found.get(name, ()), value)
        elif name:
            empty.add(name)
    return Parameters(found, frozenset(empty))


def _decode(part: bytes) -> str:
    if not _ENCODED.fullmatch(part):
        raise OAuthError("invalid_request", "a parameter is not percent-encoded")
    try:
        text = unquote_to_bytes(part.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise OAuthError("invalid_request", "a parameter is not UTF-8") from None
    if "\0" in text:
        raise OAuthError("invalid_request", "a parameter holds a NUL")
    return text
