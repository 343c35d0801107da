"""Request and Response as values: what a host's framework has, and what it sends (DESIGN floor 6).

Rules: what a framework hands over is text, headers are found whatever their case, and nothing that may hold a code or a
secret is shown when a message is printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import attrs

from extlink.domain.identifier import plain_text
from extlink.errors import InvalidInput, OAuthError
from extlink.inputs import exactly

__all__ = ["Request", "Response"]


def _lower(headers: object) -> tuple[tuple[str, str], ...]:
    """Return headers with their names in small letters.

    Raises:
        InvalidInput: anything but pairs of text; what comes as bytes is decoded as Latin-1 before.
    """
    try:
        by_name = issubclass(type(headers), Mapping)
        given = cast("Mapping[str, str]", headers).items() if by_name else cast("Iterable[tuple[str, str]]", headers)
        pairs = [(plain_text(name), plain_text(value)) for name, value in given]
    except Exception as exc:
        raise InvalidInput("headers", f"expected pairs of names and values, got {type(headers).__name__}") from exc
    found = tuple((name.lower(), value) for name, value in pairs if name is not None and value is not None)
    if len(found) < len(pairs):
        raise InvalidInput("headers", "expected names and values as text")
    return found


def _text(value: object, field: str) -> str:
    plain = plain_text(value)
    if plain is None:
        raise InvalidInput(field, f"expected text, got {type(value).__name__}")
    return plain


def _method(value: str) -> str:
    return _text(value, "method")


def _path(value: str) -> str:
    return _text(value, "path")


def _query(value: str) -> str:
    return _text(value, "query")


def _body(value: bytes) -> bytes:
    return exactly(value, bytes, "body")


def _names(headers: tuple[tuple[str, str], ...]) -> str:
    return repr(tuple(name for name, _ in headers))


@attrs.frozen(kw_only=True)
class Request:
    """An HTTP request as the host's framework has it.

    Args:
        method: in capitals.
        path: without query, percent-encoding as it came.
        query: without the question mark.
        headers: names in any case; a header that occurs twice is there twice.
        body: whole.
        address: the client's address as the host knows it.

    >>> Request(method="GET", path="/", headers={"Authorization": "Bearer x"}).header("authorization")
    'Bearer x'
    """

    method: str = attrs.field(converter=_method)
    path: str = attrs.field(converter=_path)
    query: str = attrs.field(default="", repr=False, converter=_query)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_lower, repr=False)
    body: bytes = attrs.field(default=b"", repr=False, converter=_body)
    address: str | None = None

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None where it is absent.

        Raises:
            OAuthError: `invalid_request`: it is there more than once.
        """
        found = [value for known, value in self.headers if known == name]
        if len(found) > 1:
            raise OAuthError("invalid_request", f"{name} is given more than once")
        return found[0] if found else None


@attrs.frozen(kw_only=True)
class Response:
    """An HTTP response for the host's framework to send; printed, it names its headers, whose values may hold a code.

    >>> Response(status=303, headers=(("Location", "https://client.example/cb?code=xl_ac_..."),))
    Response(status=303, headers=('Location',))
    """

    status: int
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=_names)
    body: bytes = attrs.field(default=b"", repr=False)
