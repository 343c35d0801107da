"""Patterns over endpoints and hosts: `*` alone is special, the first that fits decides (DATAGROUPS R8, R10).

Power Platform compares texts, and its documents name two ways around that: a pattern such as `11.22.33*` also fits a
host name that begins so, and one host has several spellings. So both sides are brought into one form before they are
compared:

| what | one form |
|---|---|
| letters | small ones: hosts and schemes have no case (RFC 3986 section 6.2.2.1); what a rule denies has none either |
| a host that is an address | its canonical text: `0x0b.0x16.0x21.1` and `::ffff:11.22.33.1` are 11.22.33.1 |
| a host pattern of digits, dots and `*` | fits addresses alone, never a name such as `11.22.33.example` |
| a URL | without user, fragment and default port; dots in the path resolved, needless percent signs decoded |
| `server, database` | without blanks around commas and without `tcp:` |

A literal that has no single reading (a backslash, a control character or half an encoding in a URL, a percent sign or
letters outside ASCII in its host) is unreadable; who asks must take it strictly.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from extlink.domain.address import parse_address
from extlink.errors import InvalidInput

__all__ = ["Reading", "fits", "read_endpoint"]

_REMEMBERED: Final = 4_096
_URL: Final = re.compile(r"([a-z*][a-z0-9+.*-]*)://([^/?#\\]*)([^#]*)", re.DOTALL)
_AUTHORITY: Final = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?")
_ENCODED: Final = re.compile(r"%(2d|2e|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])")
_HALF_ENCODED: Final = re.compile(r"%(?![0-9a-f]{2})")
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")
# A dot is asked for, so that the name of a storage account may begin with digits.
_ADDRESSES: Final = re.compile(r"(?=[0-9*]*\.)(?=.*[0-9])(?=.*\*)[0-9.*]+")
# Clients take `https:host` and `https:\\host` for URLs; whatever begins so and is not written out is unreadable.
_ALMOST: Final = re.compile(r"(?:https?|wss?|ftp):")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
_OCTETS: Final = 4
_OCTET: Final = 0xFF
_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f]*")


class Reading(NamedTuple):
    """An endpoint or a host in one form.

    Args:
        text: the form.
        is_address: whether its host is an IP address.
        readable: False where readers of it may disagree about what it names.
    """

    text: str
    is_address: bool
    readable: bool


@lru_cache(_REMEMBERED)
def read_endpoint(text: str) -> Reading:
    """Return an endpoint in one form.

    >>> read_endpoint("HTTPS://user@0x7f.1:443/a/../b#c").text, read_endpoint("tcp:Server , db").text
    ('https://127.0.0.1/b', 'server,db')
    """
    return _read(text, is_pattern=False)


@lru_cache(_REMEMBERED)
def _read_pattern(text: str) -> Reading:
    found = _read(text, is_pattern=True)
    return found._replace(is_address=bool(_ADDRESSES.fullmatch(_host(found.text))))


def fits(pattern: str, endpoint: Reading) -> bool:
    """Return whether a pattern fits an endpoint that is readable.

    >>> fits("11.22.33*", read_endpoint("11.22.33.44,db")), fits("11.22.33*", read_endpoint("11.22.33.example,db"))
    (True, False)
    """
    known = _read_pattern(pattern)
    return (endpoint.is_address or not known.is_address) and _glob(known.text, endpoint.text)


def _glob(pattern: str, text: str) -> bool:
    """Fit without going back: the first place where a piece stands leaves most for the pieces after it."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in middle:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return len(text) - at >= len(last) and text.endswith(last)


def _read(text: str, *, is_pattern: bool) -> Reading:
    low = text.strip().lower()
    readable = _PRINTABLE.fullmatch(low) is not None
    url = _URL.match(low)
    if url is None:
        return _read_list(low, readable=readable and _ALMOST.match(low) is None)
    scheme, authority, path = url.groups()
    host, is_address, readable_host = _read_host(scheme, authority.rpartition("@")[2])
    if not (is_pattern and not path and host.endswith("*")):
        path = _resolved(_decoded(path if path.startswith("/") else f"/{path}"))
    is_plain = readable_host and "\\" not in low and _HALF_ENCODED.search(low) is None
    return Reading(f"{scheme}://{host}{path}", is_address, readable and is_plain)


def _read_host(scheme: str, authority: str) -> tuple[str, bool, bool]:
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        return authority, False, False
    name, number = parts[1], (parts[2] or "").lstrip("0")
    port = f":{number}" if number and number != _DEFAULT_PORTS.get(scheme) else ""
    address = _address(name.strip("[]"))
    if address is not None:
        return address + port, True, True
    plain = name.rstrip(".")
    return plain + port, False, bool(plain) and plain.isascii() and not set("%[]@ ") & set(plain)


def _read_list(low: str, *, readable: bool) -> Reading:
    first, *rest = [part.strip() for part in low.split(",")]
    machine, slash, instance = first.removeprefix("tcp:").strip().partition("\\")
    # Digits alone are the name of an account; with a port or a database behind them, an address.
    address = None if machine.isdecimal() and not rest else _address(machine.strip("[]"))
    host = machine.rstrip(".") or machine if address is None else address
    return Reading(",".join([host + slash + instance, *rest]), address is not None, readable)


def _host(text: str) -> str:
    """Return the host part of a pattern in one form."""
    scheme, mark, rest = text.partition("://")
    return re.split(r"[/:,\\?]", rest if mark else scheme, maxsplit=1)[0]


def _address(text: str) -> str | None:
    """Return an address in its canonical text, in whichever of the forms that clients take (`inet_aton` included)."""
    try:
        return parse_address(text).text
    except InvalidInput:
        pass
    parts = text.removesuffix(".").split(".")
    if not (len(parts) <= _OCTETS and all(_NUMBER.fullmatch(part) for part in parts)):
        return None
    try:
        *head, tail = [_number(part) for part in parts]
    except ValueError:
        return None
    if any(one > _OCTET for one in head) or tail >= 256 ** (_OCTETS - len(head)):
        return None
    number = tail + sum(one << (8 * (3 - place)) for place, one in enumerate(head))
    return ".".join(str(number >> shift & 0xFF) for shift in (24, 16, 8, 0))


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)


def _decoded(path: str) -> str:
    """Decode what needs no encoding (RFC 3986 section 6.2.2.2); all is in small letters already."""
    return _ENCODED.sub(lambda found: chr(int(found[1], 16)).lower(), path)


def _resolved(path: str) -> str:
    """Resolve `.` and `..` (RFC 3986 section 5.2.4)."""
    way, mark, query = path.partition("?")
    kept: list[str] = []
    steps = way.split("/")[1:]
    for step in steps:
        if step == "..":
            del kept[-1:]
        elif step != ".":
            kept.append(step)
    if steps[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept) + mark + query
