r"""Addresses and ranges: texts in, integers out.

Rules: one text means one address, on every platform and at every entry point, or it is refused. An IPv4-mapped IPv6
address *is* the IPv4 address, so a dual-stack listener and an IPv4 one give the same answer. The stated answers:

| text | answer |
|---|---|
| `192.0.2.1`, `2001:DB8::1`, `2001:db8::192.0.2.1` | taken |
| `::ffff:10.0.0.1`, `0:0:0:0:0:ffff:a00:1` | taken as 10.0.0.1; `::ffff:10.0.0.0/104` as 10.0.0.0/8 |
| `010.0.0.1`, `::ffff:10.0.0.01` | refused: a leading zero is octal to some readers |
| `fe80::1%eth0`, `::1%1` | refused: a zone id means another network on every machine |
| `192.0.2.1:443`, `[2001:db8::1]`, `[2001:db8::1]:443` | refused: a port or brackets |
| ` 192.0.2.1`, `192.0.2.1\n`, `192. 0.2.1` | refused: blanks anywhere |
| `127.1`, `2130706433`, `0x7f.0.0.1` | refused: short, integer and hexadecimal IPv4 |
| digits outside ASCII, a NUL, bytes, an integer, an empty text | refused |
| `192.0.2.0/24`, `192.0.2.1` as a range | taken; a bare address is a range of one |
| `198.51.100.7/24` as a range | refused: host bits set; the message offers 198.51.100.0/24 |
| `192.0.2.0/024`, `192.0.2.0/+24`, `192.0.2.0/` | refused: the length is ASCII digits without leading zeros |
| `192.0.2.0/255.255.255.0`, `192.0.2.0/0.0.0.255` | refused: netmask and hostmask forms |
| `0.0.0.0/0`, `::/0`, `::ffff:0:0/96` as a range | refused unless `allow_everything=True` names it (TRACE T15) |

The one impure name in this floor is `socket.inet_pton`, used as a parser. A platform whose own is laxer than these
rules is found out once, at import, and gets `ipaddress` instead: slower, with equal answers.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final, Literal, NamedTuple

import attrs

from extlink.domain.identifier import plain_text
from extlink.errors import InvalidInput

__all__ = [
    "Address",
    "AddressRange",
    "Reach",
    "Version",
    "classify",
    "merge",
    "parse_address",
    "parse_range",
]

Version = Literal[4, 6]
BITS: Final[dict[Version, int]] = {4: 32, 6: 128}
_WIDTHS: Final[dict[int, int]] = {int(version): bits for version, bits in BITS.items()}
_V4: Final = 4
IPV4_SIZE: Final = 4
IPV4: Final = int(AF_INET)
IPV6: Final = int(AF_INET6)
MAPPED: Final = bytes(10) + b"\xff\xff"
_MAPPED_BITS: Final = 96
_MAPPED_TOP: Final = 0xFFFF

# What some platform's inet_pton takes and these rules refuse, and what every one must take.
_LAX: Final = {
    IPV4: ("01.2.3.4", "1.2.3", "16909060", "0x1.2.3.4", "1.2.3.4 ", "1.2.3.256"),
    IPV6: ("::00001", "::1%1", "fe80::1%lo", "::1 ", "::1.2.3", "::1.2.3.04", "[::1]", "[::1]:1", "1::2::3", "::1/8"),
}
_EXACT: Final = {
    (IPV4, "192.0.2.1"): "c0000201",
    (IPV6, "2001:DB8::192.0.2.1"): "20010db80000000000000000c0000201",
}

Parser = Callable[[int, str], bytes]


def pack_by_ipaddress(family: int, text: str) -> bytes:
    """Parse as `inet_pton` does where that one is strict; Python's own parser takes zone ids, so they go first."""
    if family == IPV4:
        return ipaddress.IPv4Address(text).packed
    if "%" in text:
        raise ValueError(text)
    return ipaddress.IPv6Address(text).packed


def _is_strict(parser: Parser) -> bool:
    """Tell whether a platform's parser refuses what these rules refuse and takes what they take."""
    for family, texts in _LAX.items():
        for text in texts:
            try:
                parser(family, text)
            except (OSError, ValueError):
                continue
            return False
    try:
        return all(parser(*given).hex() == packed for given, packed in _EXACT.items())
    except (OSError, ValueError):
        return False


def stricter(parser: Parser) -> Parser:
    """Return a platform's parser if it keeps these rules, else the slower one that does."""
    return parser if _is_strict(parser) else pack_by_ipaddress


# The fast reader of an address text: OSError or ValueError says no. `packed` says why.
pack: Final = stricter(inet_pton)

_EXPECTED = "expected an address such as 192.0.2.1 or 2001:db8::1"
# Asked in this order, of texts that are no address: the first that matches tells what is wrong.
_PROBLEMS: Final = tuple(
    (re.compile(pattern), problem)
    for pattern, problem in (
        (r"\A\Z", f"{_EXPECTED}, got an empty text"),
        (r"[^\x01-\x7f]", "expected an address in ASCII without NUL"),
        (r"\s", "expected an address without blanks; pass it trimmed"),
        (r"%", "expected an address without a zone id; the part from % on means another network on every machine"),
        (r"/", "expected one address, not a range"),
        (r"[\[\]]|\A[^:]*:[0-9]*\Z", "expected an address without brackets and port; pass the host part alone"),
        (r"\.0[0-9]|(?:\A|:)0[0-9]+\.", "expected numbers without leading zeros (octal to some)"),
        (r"\A[0-9a-fA-FxX.]+\Z", "expected four decimal numbers from 0 to 255, as in 192.0.2.1"),
    )
)


def _shown(value: str) -> str:
    return ascii(value[:64])


def _problem(text: str) -> str:
    found = (problem for pattern, problem in _PROBLEMS if pattern.search(text))
    return f"{next(found, _EXPECTED)}, got {_shown(text)}"


class Address(NamedTuple):
    """One address as a version and an integer; `parse_address` makes it. An IPv4-mapped one has version 4.

    >>> parse_address("192.0.2.1")
    Address(version=4, value=3221225985)
    """

    version: Version
    value: int

    @property
    def text(self) -> str:
        """The canonical text (RFC 5952 for IPv6).

        >>> parse_address("2001:DB8:0::1").text
        '2001:db8::1'
        """
        return _text(self.version, self.value)


def _text(version: Version, value: int) -> str:
    if version == _V4:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    return ipaddress.IPv6Address(value).compressed


def _packed_text(value: object, field: str) -> bytes:
    """Return 4 or 16 bytes, most significant first; a mapped address has 4."""
    text = plain_text(value)
    if text is None:
        raise InvalidInput(field, f"{_EXPECTED} as text, got {type(value).__name__}")
    try:
        packed = pack(IPV6 if ":" in text else IPV4, text)
    except (OSError, ValueError):
        raise InvalidInput(field, _problem(text)) from None
    return packed[12:] if packed[:12] == MAPPED else packed


def packed(value: object, field: str = "address") -> bytes:
    """Return the bytes of an address text, or of an `Address`, also of one made by hand; a mapped one has 4.

    Raises:
        InvalidInput: as `parse_address`; or a version or an integer that no address has.
    """
    if type(value) is not Address:
        return _packed_text(value, field)
    bits = _bits(value.version)
    if bits is None or type(value.value) is not int or not 0 <= value.value < 1 << bits:
        raise InvalidInput(field, "expected an Address of version 4 or 6 and a fitting integer; use parse_address")
    found = value.value.to_bytes(bits // 8, "big")
    return found[12:] if found[:12] == MAPPED else found


def _bits(version: object) -> int | None:
    return _WIDTHS.get(version) if type(version) is int else None


def _unpacked(packed: bytes) -> Address:
    return Address(4 if len(packed) == IPV4_SIZE else 6, int.from_bytes(packed, "big"))


def parse_address(text: object, field: str = "address") -> Address:
    """Return the address a text means; the module's table says which texts are refused.

    Args:
        text: anything.
        field: the argument's name, for the message.

    Raises:
        InvalidInput: not an address, or one spelled in a way that another reader takes for something else.

    >>> parse_address("::ffff:10.0.0.1").text
    '10.0.0.1'
    >>> parse_address("010.0.0.1")
    Traceback (most recent call last):
    ...
    extlink.errors.InvalidInput: address: expected numbers without leading zeros (octal to some), got '010.0.0.1'
    """
    return _unpacked(_packed_text(text, field))


@attrs.frozen(kw_only=True)
class AddressRange:
    """All addresses of one version from `first` to `last`, both included, as integers.

    Any interval may be a value (merging yields such); `parse_range` makes only blocks that CIDR can write.

    Raises:
        InvalidInput: bounds outside the version or in the wrong order; a piece of `::ffff:0:0/96`, which could never
            match, because its addresses are IPv4.

    >>> AddressRange(version=4, first=3221225984, last=3221225986).text
    '192.0.2.0-192.0.2.2'
    """

    version: Version
    first: int
    last: int

    def __attrs_post_init__(self) -> None:
        bits = _bits(self.version)
        if bits is None or type(self.first) is not int or type(self.last) is not int:
            raise InvalidInput("range", "expected version 4 or 6 and two integers")
        if not 0 <= self.first <= self.last < 1 << bits:
            raise InvalidInput("range", f"expected 0 <= first <= last < 2**{bits}")
        if self.version != _V4 and self.first >> 32 == self.last >> 32 == _MAPPED_TOP:
            raise InvalidInput("range", "expected version 4; addresses in ::ffff:0:0/96 are IPv4 addresses")

    @property
    def size(self) -> int:
        """The number of addresses."""
        return self.last - self.first + 1

    @property
    def prefix(self) -> int | None:
        """The length of the CIDR prefix, or None if no single CIDR block is this range."""
        size = self.size
        return BITS[self.version] - size.bit_length() + 1 if not size & (size - 1) and not self.first % size else None

    @property
    def text(self) -> str:
        """The CIDR text, always with the length: `192.0.2.1/32`; `first-last` where one block is not enough."""
        prefix, first = self.prefix, _text(self.version, self.first)
        return f"{first}/{prefix}" if prefix is not None else f"{first}-{_text(self.version, self.last)}"

    def contains(self, address: Address) -> bool:
        """Tell whether an address lies in this range; one of the other version never does."""
        return address.version == self.version and self.first <= address.value <= self.last

    def cidrs(self) -> tuple[AddressRange, ...]:
        """Return the fewest CIDR blocks that make up this range, in ascending order.

        >>> [block.text for block in AddressRange(version=4, first=3221225984, last=3221225986).cidrs()]
        ['192.0.2.0/31', '192.0.2.2/32']
        """
        if self.prefix is not None:
            return (self,)
        blocks: list[AddressRange] = []
        first = self.first
        while first <= self.last:
            fitting = 1 << (self.last - first + 1).bit_length() - 1
            size = min(first & -first, fitting) if first else fitting
            blocks.append(AddressRange(version=self.version, first=first, last=first + size - 1))
            first += size
        return tuple(blocks)


def _parse_length(text: str, bits: int, field: str) -> int:
    """Return the number of bits behind the slash."""
    if "." in text or ":" in text:
        problem = "expected the number of bits after /, not a netmask or hostmask"
    elif not re.fullmatch(r"0|[1-9][0-9]{0,2}", text, re.ASCII) or int(text) > bits:
        problem = f"expected 0 to {bits} after / in ASCII digits without sign, blanks and leading zeros"
    else:
        return int(text)
    raise InvalidInput(field, f"{problem}, got {_shown(text)}")


def parse_range(value: object, field: str = "range", *, allow_everything: bool = False) -> AddressRange:
    """Return the range that a CIDR text or a bare address means (TRACE T15; the module's table).

    Args:
        value: anything.
        field: the argument's name, for the message.
        allow_everything: take a length of 0, which is every address there is.

    Raises:
        InvalidInput: no address before the slash, no plain number of bits after it, host bits set, or a length of 0
            that `allow_everything` does not name.

    >>> parse_range("198.51.100.0/24").size
    256
    >>> parse_range("198.51.100.7/24")
    Traceback (most recent call last):
    ...
    extlink.errors.InvalidInput: range: expected no host bits, got '198.51.100.7/24'; use 198.51.100.0/24
    """
    text = plain_text(value)
    if text is None:
        raise InvalidInput(field, f"expected a range such as 192.0.2.0/24 as text, got {type(value).__name__}")
    head, slash, tail = text.partition("/")
    version, number = _unpacked(_packed_text(head, field))
    width = BITS[version]
    length = width
    if slash:
        # The text's own family says how long a length may be; that of a mapped one counts from 96 on.
        mapped = version == _V4 and ":" in head
        length = _parse_length(tail, 128 if mapped else width, field) - (_MAPPED_BITS if mapped else 0)
        if length < 0:
            raise InvalidInput(field, f"expected 96 to 128 after / of an IPv4-mapped range, got {_shown(tail)}")
    first = number >> width - length << width - length
    found = AddressRange(version=version, first=first, last=first | (1 << width - length) - 1)
    if first != number:
        raise InvalidInput(field, f"expected no host bits, got {_shown(text)}; use {found.text}")
    if not length and not allow_everything:
        raise InvalidInput(field, f"expected a part of the addresses, got {_shown(text)}; name allow_everything=True")
    return found


def merge(ranges: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """Return the same addresses as the fewest intervals: ascending, IPv4 first, neither overlapping nor adjacent.

    >>> [item.text for item in merge([parse_range("192.0.2.128/25"), parse_range("192.0.2.0/25")])]
    ['192.0.2.0/24']
    """
    items = tuple(ranges)
    return tuple(
        AddressRange(version=version, first=first, last=last)
        for version in BITS
        for first, last in merged(sorted((item.first, item.last) for item in items if item.version == version))
    )


def merged(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return sorted intervals of one version, joined wherever they overlap or touch."""
    found: list[tuple[int, int]] = []
    beyond = -1
    for item in intervals:
        first, last = item
        if first > beyond:
            found.append(item)
            beyond = last + 1
        elif last >= beyond:
            found[-1] = (found[-1][0], last)
            beyond = last + 1
    return found


Reach = Literal[
    "global",
    "private",
    "loopback",
    "link_local",
    "shared",
    "documentation",
    "benchmarking",
    "multicast",
    "transition",
    "unspecified",
    "reserved",
]
# The IANA special-purpose registries (RFC 6890 and later), narrow blocks before the wide ones around them. IPv6 outside
# 2000::/3 is not given out. `transition` embeds an IPv4 address, so it says nothing about who is behind it.
_SPECIAL: Final[tuple[tuple[Reach, str], ...]] = (
    ("unspecified", "0.0.0.0/8 ::/128"),
    ("loopback", "127.0.0.0/8 ::1/128"),
    ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 64:ff9b:1::/48"),
    ("link_local", "169.254.0.0/16 fe80::/10"),
    ("shared", "100.64.0.0/10"),
    ("documentation", "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"),
    ("benchmarking", "198.18.0.0/15 2001:2::/48"),
    ("multicast", "224.0.0.0/4 ff00::/8"),
    ("transition", "192.88.99.0/24 64:ff9b::/96 2001::/32 2002::/16"),
    ("reserved", "192.0.0.0/24 240.0.0.0/4 2001::/23 ::/3 4000::/2 8000::/1"),
)
_BLOCKS: Final[tuple[tuple[AddressRange, Reach], ...]] = tuple(
    (parse_range(block), reach) for reach, blocks in _SPECIAL for block in blocks.split()
)


def classify(item: AddressRange) -> Reach:
    """Return `global`, or what the special-purpose registries call a block that the range touches, for a warning.

    >>> classify(parse_range("192.168.1.0/24")), classify(parse_range("20.37.194.0/24"))
    ('private', 'global')
    """
    for block, reach in _BLOCKS:
        if block.version == item.version and block.first <= item.last and item.first <= block.last:
            return reach
    return "global"
