r"""The client's address behind proxies: X-Forwarded-For and RFC 7239 Forwarded, read from the right.

Rules: a header is read from its right end, past the proxies that the host trusts, and no further: what stands to the
left of the client's address was written by whoever wants to be somebody else, and decides nothing. Where the address
is not certain the answer is None, and a tenant's restriction refuses it (`network.address_unknown`); there is no
guess. The stated answers, each strict where readers differ:

| text | answer |
|---|---|
| `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443` in X-Forwarded-For | taken |
| `for=192.0.2.1`, `for="192.0.2.1:443"`, `for="[2001:db8::1]"`, `For="[2001:db8::1]:_p"` in Forwarded | taken |
| `for=192.0.2.1:443`, `for=[2001:db8::1]`, `for="2001:db8::1"`, `for="[192.0.2.1]"`, `for= 192.0.2.1` | None |
| `unknown`, `_hidden`, an element without `for` or with two, a parameter given twice | None |
| an empty element, a zone id, `0.0.0.0`, `::`, anything that is no address | None |
| a quoted string that holds a comma, or has no end | None, for the whole header |
| several lines of one header | one list, in their order |
| both headers, where it was not said which | None |

A comma in a quoted string is legal and of no use to a proxy; it is how a client could make what a proxy appends part
of its own text, and so it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Literal, cast, get_args

import attrs

from extlink.domain.address import Address, AddressRange, parse_address, parse_range
from extlink.domain.identifier import parse_items, plain_text
from extlink.domain.range_table import RangeTable
from extlink.errors import InvalidInput

__all__ = ["ForwardingHeader", "Headers", "TrustedProxies"]

ForwardingHeader = Literal["x-forwarded-for", "forwarded"]
Headers = Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str] | tuple[bytes, bytes]]

_HEADERS: Final[tuple[ForwardingHeader, ...]] = get_args(ForwardingHeader)
# Far beyond any real chain; a longer one is no client's address.
_MAX_HEADER: Final = 8_192
_MAX_LINES: Final = 1_000
_MAX_HOPS: Final = 20
_MAX_RANGES: Final = 100_000

_BLANKS: Final = " \t"
_WORD: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# A quoted string without commas; the escape of a comma is one as well.
_QUOTED: Final = r'"(?:[^"\\,]|\\[^,])*"'
_ELEMENT: Final = re.compile(rf'(?:[^",]|{_QUOTED})*')
# What stands between the semicolons of an element; RFC 7239 lets nothing stand there too.
_PARTS: Final = re.compile(rf'(?:[^";]|{_QUOTED})+')
_PAIR: Final = re.compile(rf"({_WORD})=({_WORD}|{_QUOTED})", re.ASCII)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_PORT: Final = r"(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?"
_NODE_V6: Final = re.compile(rf"\[([0-9A-Fa-f:.]+)\]{_PORT}", re.ASCII)
_NODE_V4: Final = re.compile(rf"([0-9.]+){_PORT}", re.ASCII)


def _lines(headers: object, name: str) -> list[str]:
    """Return the lines of a header, in order; names are compared without regard to case."""
    kind = type(headers)
    if issubclass(kind, Mapping):
        try:
            headers = tuple(cast("Mapping[object, object]", headers).items())
        except Exception as exc:
            raise InvalidInput("headers", f"expected a mapping, got a {kind.__name__} that cannot be read") from exc
    lines: list[str] = []
    for pair in parse_items(headers, "headers", _MAX_LINES):
        if type(pair) is not tuple or len(cast("tuple[object, ...]", pair)) != 2:  # noqa: PLR2004 - name and value
            raise InvalidInput("headers", "expected a mapping, or pairs of a header's name and its value")
        key, value = cast("tuple[object, object]", pair)
        if _decoded(key).lower() == name:
            lines.extend(_each(value))
    return lines


def _each(value: object) -> list[str]:
    """Return the lines of one field: one text, or as many as the list has."""
    if type(value) is bytes or plain_text(value) is not None:
        return [_decoded(value)]
    return [_decoded(one) for one in parse_items(value, "headers", _MAX_LINES)]


def _decoded(value: object) -> str:
    if type(value) is bytes:
        return value.decode("latin-1")
    text = plain_text(value)
    if text is None:
        raise InvalidInput("headers", f"expected names and values as text or bytes, got {type(value).__name__}")
    return text


def _listed(lines: Sequence[str]) -> list[str]:
    """Return the elements of X-Forwarded-For."""
    return [one.strip(_BLANKS) for line in lines for one in line.split(",")]


def _forwarded(lines: Sequence[str]) -> list[str] | None:
    """Return the elements of Forwarded, or None where it cannot be told where one ends."""
    elements: list[str] = []
    for line in lines:
        place = 0
        while True:
            found = _ELEMENT.match(line, place)
            end = place if found is None else found.end()
            elements.append(line[place:end].strip(_BLANKS))
            if end == len(line):
                break
            if line[end] != ",":
                return None
            place = end + 1
    return elements


def _node(element: str) -> str | None:
    """Return the value of an element's one `for`, unquoted; None for an element that is malformed or has none."""
    values: dict[str, str] = {}
    for pair in _PARTS.findall(element):
        found = _PAIR.fullmatch(pair)
        if found is None or found[1].lower() in values:
            return None
        quoted = found[2]
        values[found[1].lower()] = _ESCAPE.sub(r"\1", quoted[1:-1]) if quoted.startswith('"') else quoted
    return values.get("for")


def _address(text: str | None, *, bare_v6: bool) -> Address | None:
    """Return the address of a node, its port left out; None for one that is none or means no host.

    Args:
        bare_v6: whether IPv6 may stand without brackets.
    """
    if text is None:
        return None
    found = _NODE_V6.fullmatch(text) or _NODE_V4.fullmatch(text)
    plain = found[1] if found is not None else text
    # Brackets are for IPv6, and in Forwarded it has them.
    is_v6 = ":" in plain
    if is_v6 != text.startswith("[") and not (is_v6 and bare_v6):
        return None
    try:
        address = parse_address(plain)
    except InvalidInput:
        return None
    return address if address.value else None


def _ranges(values: Iterable[AddressRange | str] | None) -> tuple[AddressRange, ...] | None:
    if values is None:
        return None
    items = parse_items(values, "trusted", _MAX_RANGES)
    return tuple(one if type(one) is AddressRange else parse_range(one, "trusted") for one in items)


def _check_hops(_instance: object, _attribute: attrs.Attribute[int | None], value: object) -> None:
    if value is not None and (type(value) is not int or not 1 <= value <= _MAX_HOPS):
        raise InvalidInput("hops", f"expected a whole number from 1 to {_MAX_HOPS}")


def _check_header(_instance: object, _attribute: attrs.Attribute[ForwardingHeader | None], value: object) -> None:
    if value is not None and (type(value) is not str or value not in _HEADERS):
        raise InvalidInput("header", f"expected one of {', '.join(_HEADERS)}; no other one lists the proxies")


@attrs.frozen(kw_only=True)
class TrustedProxies:
    """Which proxies stand before the host, and so from where on a forwarding header is believed.

    Either the ranges of the proxies, or how many there are. Ranges are the better choice: only from there is the
    header believed at all. A number believes everybody who reaches the host itself, so nobody but the proxies may.

    Args:
        trusted: the addresses of the proxies, as texts or ranges; none: the header is never read.
        hops: how many proxies each access passes, 1 to 20, the one that connects to the host among them.
        header: the one header that these proxies write; None: whichever there is, and none if there are both.

    Raises:
        InvalidInput: both or neither of `trusted` and `hops`, a malformed range, another header.

    >>> proxies = TrustedProxies(trusted=["10.0.0.0/8"], header="x-forwarded-for")
    >>> proxies.client_address("10.0.0.5", {"X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.0.0.1"})
    '203.0.113.7'
    >>> proxies.client_address("198.51.100.9", {"X-Forwarded-For": "203.0.113.7"})
    '198.51.100.9'
    >>> TrustedProxies(hops=1, header="forwarded").client_address(None, [(b"forwarded", b'for="[2001:db8::7]:443"')])
    '2001:db8::7'
    """

    trusted: tuple[AddressRange, ...] | None = attrs.field(default=None, converter=_ranges)
    hops: int | None = attrs.field(default=None, validator=_check_hops)
    header: ForwardingHeader | None = attrs.field(default=None, validator=_check_header)
    _table: RangeTable = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if (self.trusted is None) is (self.hops is None):
            raise InvalidInput("trusted", "expected either the ranges of the proxies or how many there are (hops)")
        object.__setattr__(self, "_table", RangeTable(self.trusted or ()))

    def client_address(self, peer: str | None, headers: Headers) -> str | None:
        """Return the client's address as its one canonical text, or None where it is not certain.

        Args:
            peer: who is at the other end of the connection, such as WSGI's REMOTE_ADDR or the host of ASGI's `client`;
                a port is left out; None where the server cannot tell, as with a Unix socket.
            headers: of the request: a mapping to a text or a list of texts, or pairs, as text or bytes.

        Raises:
            InvalidInput: something else than headers.
        """
        nodes = self._nodes(headers)
        if self.hops is not None:
            # The peer is the first hop; each hop wrote down who connected to it, so the last `hops` are by them.
            return self._counted(nodes, self.hops)
        address = _address(plain_text(peer), bare_v6=True)
        if address is None or self._table.find(address) < 0:
            return None if address is None else address.text
        return self._first_untrusted(nodes)

    def _nodes(self, headers: object) -> Iterator[Address | None]:
        """Yield from the right whom each element names, None for one that names nobody; nothing where it is unclear."""
        found = {name: lines for name in _HEADERS if (lines := _lines(headers, name))}
        if self.header is None and len(found) > 1:
            return
        name = self.header or next(iter(found), None)
        lines = found.get(name, []) if name is not None else []
        if sum(map(len, lines)) > _MAX_HEADER:
            return
        # What is never reached is never looked at: it costs nothing, whatever a client writes there.
        if name == "forwarded":
            yield from (_address(_node(element), bare_v6=False) for element in reversed(_forwarded(lines) or ()))
        else:
            yield from (_address(element, bare_v6=True) for element in reversed(_listed(lines)))

    def _counted(self, nodes: Iterator[Address | None], hops: int) -> str | None:
        passed = tuple(islice(nodes, hops))
        client = passed[-1] if len(passed) == hops else None
        return None if client is None or None in passed else client.text

    def _first_untrusted(self, nodes: Iterator[Address | None]) -> str | None:
        for address in nodes:
            if address is None:
                return None
            if self._table.find(address) < 0:
                return address.text
        return None
