"""Templates of addresses, queries and form bodies: fixed text with placeholders such as `{ClientId}` (S1).

A vendor's definition says with them what is sent at authorize, token and refresh. Where a placeholder stands decides
what its value may be and how it is written:

| place | where | value |
|---|---|---|
| address | at the very beginning | an https address, as it is; no query or fragment if anything follows |
| host | between `https://` and the next `/`, `?` or `#` | letters, digits, hyphens, dots, a port; in lower case |
| path | from there to `?` or `#`; in a text that begins with `/` | percent-encoded, `/` too |
| data | everywhere else | percent-encoded |

Rules: percent-encoding leaves the unreserved characters of RFC 3986 section 2.3 (letters, digits, `-._~`) and writes
every other byte of the value's UTF-8 as `%XX` with capital digits; a blank is `%20`, which readers of queries and of
forms take alike. Names are compared whatever their case, as vendors spell them both ways in one file. A value never
moves an address to another host than its place allows, nor out of its path; no message shows a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, Literal, NamedTuple, cast

from extlink.domain.identifier import plain_text
from extlink.domain.secret import Secret
from extlink.errors import InvalidInput

__all__ = ["parse_template", "placeholders", "render"]

Place = Literal["address", "host", "path", "data"]

MAX_TEMPLATE: Final = 2_048
MAX_VALUE: Final = 16_384
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_WRITTEN: Final = tuple(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in range(256))
# What RFC 3986 lets stand in an address, but for brackets: they occur only in IPv6 hosts, which nobody publishes.
_TOKEN: Final = re.compile(r"\{(?P<name>[A-Za-z][A-Za-z0-9_]{0,63})\}|(?P<text>(?:[!#$&-;=?-Z_a-z~]|%[0-9A-Fa-f]{2})+)")
_SCHEME: Final = "https://"
_HOST_VALUE: Final = re.compile(r"[A-Za-z0-9.-]*(?::[0-9]{1,5})?")
_ADDRESS: Final = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?(?P<path>/[^?#]*)?(?:[?#].*)?")
_REMEMBERED: Final = 1_024


class _Part(NamedTuple):
    """Fixed text, or the name of a placeholder with the place it stands at."""

    text: str
    name: str = ""
    place: Place = "data"


def parse_template(value: object, field: str, *, limit: int = MAX_TEMPLATE) -> str:
    """Return `value` if it is a template.

    Args:
        limit: the most characters it may have, 2,048 unless it was put together of two.

    Raises:
        InvalidInput: no text, empty, more characters than that, a character that no address has, or a brace that
            belongs to no placeholder; the message says where and never shows the text, which may hold what it should
            not.

    >>> parse_template("https://{subdomain}.example.com/token", "token_url")
    'https://{subdomain}.example.com/token'
    >>> parse_template("code={{Code}}", "token_body")
    Traceback (most recent call last):
    ...
    extlink.errors.InvalidInput: token_body: expected text and placeholders such as {Code}, got '{' at character 6
    """
    text = plain_text(value)
    if text is None:
        raise InvalidInput(field, f"expected a template as text, got {type(value).__name__}")
    if not 1 <= len(text) <= limit:
        raise InvalidInput(field, f"expected a template of 1 to {limit:,} characters, got {len(text):,}")
    at = 0
    while found := _TOKEN.match(text, at):
        at = found.end()
    if at < len(text):
        raise InvalidInput(
            field, f"expected text and placeholders such as {{Code}}, got {text[at]!a} at character {at + 1}"
        )
    return text


def placeholders(template: str) -> tuple[str, ...]:
    """Return the names that a template asks values for, each once, as it is spelled first.

    Raises:
        InvalidInput: not a template.

    >>> placeholders("?client_id={ClientId}&scope={Scopes}&hint={clientId}")
    ('ClientId', 'Scopes')
    """
    found: dict[str, str] = {}
    for part in _parts(parse_template(template, "template")):
        if part.name:
            found.setdefault(part.name.lower(), part.name)
    return tuple(found.values())


@lru_cache(_REMEMBERED)
def _parts(template: str) -> tuple[_Part, ...]:
    return tuple(_split(template))


def _split(template: str) -> Iterator[_Part]:
    place = _first_place(template)
    for found in _TOKEN.finditer(template):
        if found["name"]:
            yield _Part("", found["name"], place)
            place = "path" if place == "address" else place
        else:
            place = _place_after(place, found["text"].removeprefix(_SCHEME if found.start() == 0 else ""))
            yield _Part(found["text"])


def _first_place(template: str) -> Place:
    if template.startswith("{"):
        return "address"
    if template.startswith(_SCHEME):
        return "host"
    return "path" if template.startswith("/") else "data"


def _place_after(place: Place, text: str) -> Place:
    """Return what a placeholder after a fixed text stands at, given what stood before it."""
    if place == "data" or "?" in text or "#" in text:
        return "data"
    return "path" if place == "path" or "/" in text else "host"


def render(template: str, values: Mapping[str, str | Secret]) -> str:
    """Return a template with its values filled in; what secrets went in is in the result as plain text.

    Args:
        template: such as the body that a vendor's definition sends to the token endpoint.
        values: by name, whatever its case; a template takes what it asks for, so one mapping serves all of them.

    Raises:
        InvalidInput: not a template; a value is missing, no text, longer than 16,384 characters, or not what its place
            allows; a result that is no https address where the template is one.

    >>> render("scope={Scopes}&redirect_uri={redirectUrl}", {"Scopes": "a b", "RedirectUrl": "https://example.com/r"})
    'scope=a%20b&redirect_uri=https%3A%2F%2Fexample.com%2Fr'
    >>> render("https://{subdomain}.example.com/{tenant}/token", {"subdomain": "Acme", "tenant": "a/b"})
    'https://acme.example.com/a%2Fb/token'
    >>> render("https://{subdomain}.example.com/token", {"subdomain": "evil.example/"})
    Traceback (most recent call last):
    ...
    extlink.errors.InvalidInput: subdomain: expected letters, digits, hyphens and dots for a part of a host's name
    """
    parts = _parts(parse_template(template, "template", limit=2 * MAX_TEMPLATE))
    given = _by_name(values)
    last = len(parts) - 1
    text = "".join(
        _fill(part, given, alone=number == last) if part.name else part.text for number, part in enumerate(parts)
    )
    if _first_place(template) in {"address", "host"}:
        _check_address(text)
    return text


def _by_name(values: object) -> dict[str, str]:
    if not issubclass(type(values), Mapping):
        raise InvalidInput("values", f"expected values by name, got {type(values).__name__}")
    found: dict[str, str] = {}
    try:
        items = tuple(cast("Mapping[object, object]", values).items())
    except Exception as exc:
        raise InvalidInput("values", f"expected values by name, got a {type(values).__name__} that fails") from exc
    for key, value in items:
        name = plain_text(key)
        if name is None:
            raise InvalidInput("values", f"expected names as text, got {type(key).__name__}")
        if name.lower() in found:
            raise InvalidInput("values", f"expected each name once whatever its case, got {ascii(name)[:64]} twice")
        found[name.lower()] = _value(ascii(name)[1:-1][:64], value)
    return found


def _value(name: str, value: object) -> str:
    text = value.reveal() if type(value) is Secret else plain_text(value)
    if text is None:
        raise InvalidInput(name, f"expected text, got {type(value).__name__}")
    if len(text) > MAX_VALUE:
        raise InvalidInput(name, f"expected at most {MAX_VALUE:,} characters, got {len(text):,}")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidInput(name, "expected text in Unicode, got a lone surrogate")
    return text


def _fill(part: _Part, given: Mapping[str, str], *, alone: bool) -> str:
    value = given.get(part.name.lower())
    if value is None:
        raise InvalidInput("values", f"expected a value for {part.name}, got none; the template asks for it")
    if part.place == "address":
        return _address(part.name, value, alone=alone)
    if part.place == "host":
        if not _HOST_VALUE.fullmatch(value):
            raise InvalidInput(part.name, "expected letters, digits, hyphens and dots for a part of a host's name")
        return value.lower()
    return "".join(_WRITTEN[byte] for byte in value.encode())


def _address(name: str, value: str, *, alone: bool) -> str:
    """Return an address that a template begins with, its scheme and host in lower case (RFC 3986 section 6.2.2.1)."""
    scheme, mark, rest = value.partition("//")
    end = next((at for at, letter in enumerate(rest) if letter in "/?#"), len(rest))
    text = f"{scheme.lower()}{mark}{rest[:end].lower()}{rest[end:]}"
    is_plain = _TOKEN.fullmatch(text) and not text.startswith("{")
    if not is_plain or not _ADDRESS.fullmatch(text) or (not alone and ("?" in text or "#" in text)):
        follows = "" if alone else ", without query or fragment since the template goes on"
        raise InvalidInput(name, f"expected an https address, percent-encoded{follows}")
    return text


def _check_address(text: str) -> None:
    found = _ADDRESS.fullmatch(text)
    if not found:
        raise InvalidInput("values", "expected values that make an https address, got others; see its first part")
    if not {".", ".."}.isdisjoint((found["path"] or "").split("/")):
        raise InvalidInput("values", "expected values that stay in their path, got '.' or '..'")
