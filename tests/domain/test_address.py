"""Addresses and ranges: the stated answers, the public vectors, and agreement with `ipaddress` on every text."""

from __future__ import annotations

import ipaddress
import json
import socket
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import find, given, settings, strategies as st

from extlink.domain import address as module
from extlink.domain.address import (
    Address,
    AddressRange,
    Version,
    classify,
    merge,
    packed,
    parse_address,
    parse_range,
)
from extlink.errors import InvalidInput

TAKEN = {
    "0.0.0.0": (4, 0),  # noqa: S104 - not bound to
    "192.0.2.1": (4, 0xC0000201),
    "255.255.255.255": (4, 2**32 - 1),
    "::": (6, 0),
    "::1": (6, 1),
    "2001:DB8::1": (6, 0x20010DB8 << 96 | 1),
    "2001:db8::192.0.2.1": (6, 0x20010DB8 << 96 | 0xC0000201),
    "::192.0.2.1": (6, 0xC0000201),
    "::ffff:10.0.0.1": (4, 0x0A000001),
    "::FFFF:10.0.0.1": (4, 0x0A000001),
    "0:0:0:0:0:ffff:bc15:6": (4, 0xBC150006),
    "0000:0000::ffff:0a00:0001": (4, 0x0A000001),
    "::fffe:10.0.0.1": (6, 0xFFFE0A000001),
    "1:2:3:4:5:6:7::": (6, 0x00010002000300040005000600070000),
}
# text -> a piece of the message that tells what to do
REFUSED = {
    "": "empty",
    "010.0.0.1": "leading zeros",
    "10.0.0.00": "leading zeros",
    "::ffff:10.0.0.01": "leading zeros",
    "0300.0250.0214.0377": "leading zeros",
    "::00001": "expected an address",
    "fe80::1%eth0": "zone id",
    "fe80::1%": "zone id",
    "::ffff:10.0.0.1%1": "zone id",
    "10.0.0.1%eth0": "zone id",
    "192.0.2.1:443": "port",
    "192.0.2.1:": "port",
    "[2001:db8::1]": "brackets",
    "[2001:db8::1]:443": "brackets",
    " 192.0.2.1": "blanks",
    "192.0.2.1 ": "blanks",
    "192. 0.2.1": "blanks",
    "192.0.2.1\n": "blanks",
    "192.0.2.1\t": "blanks",
    "::1\r": "blanks",
    "192.0.2.1/32": "not a range",
    "127.1": "four decimal numbers",
    "127.0.1": "four decimal numbers",
    "2130706433": "four decimal numbers",
    "0x7f000001": "four decimal numbers",
    "0x7f.0.0.1": "four decimal numbers",
    "0x7f.0.0.01": "leading zeros",
    "256.0.0.1": "four decimal numbers",
    "1.2.3.4.5": "four decimal numbers",
    "1e2.0.0.1": "four decimal numbers",
    "1২7.0.0.1": "ASCII",
    "\N{FULLWIDTH DIGIT ONE}92.0.2.1": "ASCII",
    "1\N{FULLWIDTH FULL STOP}2.3.4": "ASCII",
    "192.0.2.1\0": "NUL",
    "192.0.2.1\0.evil.example": "NUL",
    "\0": "NUL",
    "\ud800": "ASCII",
    "+1.2.3.4": "expected an address",
    "host.example": "expected an address",
    "12345::": "expected an address",
    "1::2::3": "expected an address",
    ":::": "expected an address",
    "1:2:3:4:5:6:7": "expected an address",
    "1:2:3:4::5:6:7:8": "expected an address",
}

# Where the vectors take what these rules refuse, and why: some other vector, or a rule of ours, is stricter.
STRICTER = {
    "010.000.015.001": "leading zeros: jsonschema_ipv6 refuses ::ffff:192.168.0.01",
    "000001.00000002.00000003.000000004": "leading zeros, the same",
    "::ffff:1.2.03.4": "leading zeros, the same",
    "fd7a:115c:a1e0:ab12:4843:cd96:626b:430b%eth0": "zone ids: jsonschema_ipv6 refuses fe80::a%eth1",
    "1:2::ffff:192.168.140.255%eth1": "zone ids, the same",
    "::ffff:192.168.140.255%eth1": "zone ids, the same",
}
# Refused by one suite only because the other family's is asked; we read both families.
OTHER_FAMILY = {"::ffff:192.168.0.1": "jsonschema_ipv4", "127.0.0.1": "jsonschema_ipv6"}
# Refused as a prefix by go_netip; here a bare address is a range of one (TRACE T15, blank CIDR column).
BARE = {"192.168.0.0"}


def read(folder: Path, name: str) -> Any:
    """Return a file of vectors."""
    return json.loads((folder / "ip_vectors" / name).read_text(encoding="utf-8"))


def is_taken(text: object) -> bool:
    """Tell whether a text is an address here; anything but `InvalidInput` fails the test."""
    try:
        parse_address(text)
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize(("text", "expected"), TAKEN.items())
def test_addresses_are_taken(text: str, expected: tuple[Version, int]) -> None:
    """Each spelling that is taken means exactly one address."""
    assert Address(*expected) == parse_address(text)


@pytest.mark.parametrize(("text", "problem"), REFUSED.items(), ids=ascii)
def test_addresses_are_refused(text: str, problem: str) -> None:
    """Each spelling that is refused is refused by name, as an address and in front of a length, with the remedy."""
    with pytest.raises(InvalidInput) as refusal:
        parse_address(text, "client")

    assert "client" == refusal.value.field
    assert problem in refusal.value.problem
    assert ascii(text[:64]) in refusal.value.problem or not text
    with pytest.raises(InvalidInput):
        parse_range(f"{text}/32")


@pytest.mark.parametrize("value", [None, 12, 13.7, True, b"192.0.2.1", ["192.0.2.1"], {}, Address(4, 1)])
def test_only_text_is_an_address(value: object) -> None:
    """Integers and bytes are addresses to other readers; here they are refused, naming the type."""
    with pytest.raises(InvalidInput, match=type(value).__name__):
        parse_address(value)
    with pytest.raises(InvalidInput, match=type(value).__name__):
        parse_range(value)


@pytest.mark.realdata
def test_go_vectors_agree(realdata: Path) -> None:
    """The vectors of Go's netip agree, but for the named stricter answers."""
    vectors = read(realdata, "go_netip.json")

    assert STRICTER.keys() == {text for text in vectors["valid_addr"] if not is_taken(text)}
    assert [] == [text for text in vectors["invalid_addr"] if is_taken(text)]
    for text in vectors["invalid_prefix"]:
        if text in BARE:
            assert 1 == parse_range(text).size
        else:
            with pytest.raises(InvalidInput):
                parse_range(text)


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["jsonschema_ipv4", "jsonschema_ipv6"])
def test_json_schema_vectors_agree(realdata: Path, name: str) -> None:
    """The vectors of the JSON Schema suite agree on every text; what is no text it ignores and we refuse."""
    cases = [case for suite in read(realdata, f"{name}.json") for case in suite["tests"]]
    texts = {case["data"]: case["valid"] for case in cases if isinstance(case["data"], str)}
    differing = {text for text, valid in texts.items() if valid != is_taken(text)}

    assert {text for text, suite in OTHER_FAMILY.items() if suite == name} == differing
    assert not any(is_taken(case["data"]) for case in cases if not isinstance(case["data"], str))


def reference(text: str) -> Address | None:
    """Read as `ipaddress` does, and strictly: no zone ids, mapped is IPv4."""
    if "%" in text:
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if found.version == 6 else found
    return Address(4, int(mapped)) if mapped is not None else Address(6, int(found))


def ours(text: str) -> Address | None:
    """Read as the library does."""
    try:
        return parse_address(text)
    except InvalidInput:
        return None


def exploded(number: int) -> str:
    """Return the long spelling of an IPv6 address."""
    return ipaddress.IPv6Address(number).exploded


V4 = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 2**31, 2**32 - 1]))
V6 = st.one_of(st.integers(0, 2**128 - 1), V4, V4.map(lambda low: 0xFFFF << 32 | low), V4.map(lambda low: low << 96))
SPELLED = st.one_of(
    V4.map(lambda number: str(ipaddress.IPv4Address(number))),
    V4.map(lambda number: f"::ffff:{ipaddress.IPv4Address(number)}"),
    V6.map(lambda number: str(ipaddress.IPv6Address(number))),
    V6.map(exploded),
    V6.map(lambda number: exploded(number).upper()),
    st.tuples(V6, V4).map(lambda pair: exploded(pair[0])[:30] + str(ipaddress.IPv4Address(pair[1]))),
)
LETTER = st.sampled_from(
    [*"0123456789abcdefABCDEFxXg.:%/+- []\0\n\t_", "\N{FULLWIDTH DIGIT ONE}", "২", "\ud800", "\N{NO-BREAK SPACE}"]
)
NEAR = st.tuples(SPELLED, st.integers(0, 45), st.integers(0, 2), st.lists(LETTER, max_size=3)).map(
    lambda parts: parts[0][: parts[1]] + "".join(parts[3]) + parts[0][parts[1] + parts[2] :]
)
GROUPS = st.lists(st.sampled_from(["", "", "0", "00", "1", "ffff", "10", "255", "256", "abcde", "1.2.3.4"]), max_size=9)
TEXTS = st.one_of(
    SPELLED, NEAR, GROUPS.map(":".join), GROUPS.map(".".join), st.lists(LETTER, max_size=20).map("".join), st.text()
)


@given(text=TEXTS)
def test_every_text_is_read_as_the_reference_reads_it(text: str) -> None:
    """The fast parser and `ipaddress` with our stricter rules agree on every text (law 13: a value or an error)."""
    assert reference(text) == ours(text)


@given(text=TEXTS, family=st.sampled_from([socket.AF_INET, socket.AF_INET6]))
def test_the_stand_in_for_a_lax_platform_agrees(text: str, family: int) -> None:
    """What a platform with a lax `inet_pton` gets reads as the strict one does."""

    def read_by(parser: module.Parser) -> bytes | None:
        try:
            return parser(family, text)
        except (OSError, ValueError):
            return None

    assert read_by(socket.inet_pton) == read_by(module.pack_by_ipaddress)


def lax_zeros(family: int, text: str) -> bytes:
    """Broken twin: leading zeros are decimal."""
    if family == socket.AF_INET:
        return bytes(int(part) for part in text.split("."))
    return socket.inet_pton(family, text)


def lax_zone(family: int, text: str) -> bytes:
    """Broken twin: a zone id is cut off."""
    return socket.inet_pton(family, text.partition("%")[0])


def lax_blanks(family: int, text: str) -> bytes:
    """Broken twin: blanks are trimmed."""
    return socket.inet_pton(family, text.strip())


def lax_short(family: int, text: str) -> bytes:
    """Broken twin: `inet_aton` reads IPv4."""
    return socket.inet_aton(text) if family == socket.AF_INET else socket.inet_pton(family, text)


def without_ipv6(family: int, text: str) -> bytes:
    """Broken twin: a platform built without IPv6."""
    if family == socket.AF_INET6:
        raise OSError(text)
    return socket.inet_pton(family, text)


def wrong_order(family: int, text: str) -> bytes:
    """Broken twin: the least significant byte first."""
    return socket.inet_pton(family, text)[::-1]


# One text on which each twin is wrong, so that finding one is no matter of luck.
TELLING = ["01.2.3.4", "fe80::1%lo", " 1.2.3.4", "1.2.3", "::1", "1.2.3.4"]
TWINS = [lax_zeros, lax_zone, lax_blanks, lax_short, without_ipv6, wrong_order]


@pytest.mark.parametrize("twin", TWINS)
def test_lax_platforms_are_found_out(twin: module.Parser) -> None:
    """A parser laxer than the rules is replaced at import; this platform's, if it is strict, is kept."""
    assert module.pack_by_ipaddress is module.stricter(twin)
    assert module.pack_by_ipaddress is module.stricter(module.pack_by_ipaddress)
    assert module.pack is module.stricter(socket.inet_pton)


@pytest.mark.parametrize("twin", TWINS)
def test_agreement_catches_lax_twins(twin: module.Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison with the reference fails for every lax parser."""
    monkeypatch.setattr(module, "pack", twin)

    texts = TEXTS | st.sampled_from(TELLING)
    assert find(texts, lambda text: reference(text) != ours(text), settings=settings(max_examples=5_000, database=None))


@given(number=V4)
def test_ipv4_text_round_trips(number: int) -> None:
    """An address's text means that address, also in its mapped spellings."""
    address = Address(4, number)

    assert address == parse_address(address.text)
    assert address == parse_address(f"::ffff:{address.text}")
    assert address == parse_address(str(ipaddress.IPv6Address(0xFFFF << 32 | number)))


@given(number=V6)
def test_ipv6_text_round_trips(number: int) -> None:
    """An IPv6 address's text means that address; of a mapped one, the IPv4 address."""
    expected = Address(4, number & 0xFFFFFFFF) if number >> 32 == 0xFFFF else Address(6, number)

    assert expected == parse_address(str(ipaddress.IPv6Address(number)))
    assert expected == parse_address(expected.text)
    assert expected.value == int.from_bytes(packed(Address(6, number)), "big")


class Sly(str):
    """A text that lies about what it contains."""

    __slots__ = ()

    def __contains__(self, key: object) -> bool:
        return True

    def __str__(self) -> str:
        return "203.0.113.1"


def test_a_subclass_of_str_is_read_as_its_characters() -> None:
    """What a subclass claims about itself does not matter."""
    assert parse_address("192.0.2.1") == parse_address(Sly("192.0.2.1"))
    assert parse_range("192.0.2.0/24") == parse_range(Sly("192.0.2.0/24"))


RANGES = {
    "192.0.2.0/24": (4, 0xC0000200, 0xC00002FF),
    "192.0.2.1": (4, 0xC0000201, 0xC0000201),
    "192.0.2.1/32": (4, 0xC0000201, 0xC0000201),
    "128.0.0.0/1": (4, 2**31, 2**32 - 1),
    "2001:db8::/32": (6, 0x20010DB8 << 96, 0x20010DB9 << 96),
    "::1": (6, 1, 1),
    "::ffff:10.0.0.0/104": (4, 0x0A000000, 0x0AFFFFFF),
    "::ffff:0a00:0/104": (4, 0x0A000000, 0x0AFFFFFF),
    "::ffff:10.0.0.1": (4, 0x0A000001, 0x0A000001),
    "::ffff:10.0.0.1/128": (4, 0x0A000001, 0x0A000001),
    "::/1": (6, 0, 2**127 - 1),
}
NO_RANGES = {
    "198.51.100.7/24": "use 198.51.100.0/24",
    "::ffff:10.0.0.1/104": "use 10.0.0.0/8",
    "2001:db8::1/32": "use 2001:db8::/32",
    "192.0.2.0/": "digits",
    "192.0.2.0/024": "leading zeros",
    "192.0.2.0/00": "leading zeros",
    "192.0.2.1/032": "leading zeros",
    "192.0.2.0/+24": "sign",
    "192.0.2.0/-1": "sign",
    "192.0.2.0/ 24": "blanks",
    "192.0.2.0/24 ": "blanks",
    "192.0.2.0/24\n": "blanks",
    "192.0.2.0 /24": "blanks",
    "192.0.2.0/\N{FULLWIDTH DIGIT TWO}4": "ASCII",
    "192.0.2.0/2²": "ASCII",
    "192.0.2.0/33": "0 to 32",
    "192.0.2.0/999": "0 to 32",
    "192.0.2.0/" + "1" * 10_000: "0 to 32",
    "2001:db8::/129": "0 to 128",
    "192.0.2.0/q": "digits",
    "192.0.2.0/24/24": "digits",
    "192.0.2.0/255.255.255.0": "netmask",
    "192.0.2.0/0.0.0.255": "hostmask",
    "2001:db8::/ffff::": "netmask",
    "::ffff:10.0.0.0/95": "96 to 128",
    "::ffff:10.0.0.0/8": "96 to 128",
    "::ffff:10.0.0.0/129": "0 to 128",
    "192.0.2/24": "four decimal numbers",
    "fe80::%eth0/10": "zone id",
    "/24": "empty",
    "": "empty",
}


@pytest.mark.parametrize(("text", "expected"), RANGES.items())
def test_ranges_are_taken(text: str, expected: tuple[Version, int, int]) -> None:
    """A CIDR text or a bare address is a range; a mapped one is the IPv4 range."""
    version, first, last = expected
    last -= version == 6 and last & 1 == 0  # one past the last is easier to write

    assert AddressRange(version=version, first=first, last=last) == parse_range(text)


@pytest.mark.parametrize(("text", "problem"), NO_RANGES.items(), ids=[ascii(text)[:40] for text in NO_RANGES])
def test_ranges_are_refused(text: str, problem: str) -> None:
    """What other readers guess at is refused, saying what was expected; host bits set offer the network."""
    with pytest.raises(InvalidInput) as refusal:
        parse_range(text, "cidr")

    assert "cidr" == refusal.value.field
    assert problem in refusal.value.problem


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "::ffff:0:0/96"])
def test_everything_must_be_named(text: str) -> None:
    """A length of 0 is every address there is and needs the named option (TRACE T15)."""
    with pytest.raises(InvalidInput, match="allow_everything"):
        parse_range(text)

    assert 0 == parse_range(text, allow_everything=True).prefix


@given(value=st.one_of(TEXTS, NEAR.map(lambda text: f"{text}/24"), st.binary(), st.integers(), st.none()))
def test_any_object_is_a_value_or_an_error(value: object) -> None:
    """Law 13: both parsers give a value or an `InvalidInput` whose message is one line of ASCII and short."""
    for parse in (parse_address, parse_range):
        message = ""
        try:
            parse(value)
        except InvalidInput as error:
            message = str(error)

        assert message.isascii()
        assert message.isprintable()
        assert len(message) < 800


@given(number=V4, length=st.integers(0, 32), mapped=st.booleans())
def test_cidr_agrees_with_the_reference(number: int, length: int, mapped: bool) -> None:
    """A block's bounds, size, prefix and text are those of `ipaddress`, written as IPv4 or mapped."""
    network = ipaddress.IPv4Network((number, length), strict=False)
    text = f"::ffff:{network.network_address}/{length + 96}" if mapped else str(network)
    found = parse_range(text, allow_everything=True)

    assert (int(network.network_address), int(network.broadcast_address)) == (found.first, found.last)
    assert (network.num_addresses, length, str(network)) == (found.size, found.prefix, found.text)
    assert found == parse_range(found.text, allow_everything=True)


@given(number=st.integers(0, 2**128 - 1), length=st.integers(0, 128))
def test_ipv6_cidr_agrees_with_the_reference(number: int, length: int) -> None:
    """The same for IPv6, outside the mapped block."""
    network = ipaddress.IPv6Network((number, length), strict=False)
    if network.subnet_of(ipaddress.IPv6Network("::ffff:0:0/96")):
        return
    found = parse_range(str(network), allow_everything=True)

    assert (int(network.network_address), int(network.broadcast_address)) == (found.first, found.last)
    assert (network.num_addresses, length, str(network)) == (found.size, found.prefix, found.text)


@given(first=V4, size=st.integers(1, 2**32))
def test_blocks_of_an_interval_agree_with_the_reference(first: int, size: int) -> None:
    """Any interval is split into the fewest blocks, in order, without a gap."""
    last = min(first + size, 2**32) - 1
    expected = ipaddress.summarize_address_range(ipaddress.IPv4Address(first), ipaddress.IPv4Address(last))
    item = AddressRange(version=4, first=first, last=last)

    assert [str(block) for block in expected] == [block.text for block in item.cidrs()]
    assert (item.prefix is None) == (len(item.cidrs()) > 1)


def test_an_interval_that_is_no_block_names_both_ends() -> None:
    """The text of an interval without a prefix shows its first and last address."""
    assert "192.0.2.1-192.0.2.2" == AddressRange(version=4, first=0xC0000201, last=0xC0000202).text


@pytest.mark.parametrize(
    ("version", "first", "last"),
    [
        (4, 1, 0),
        (4, -1, 0),
        (4, 0, 2**32),
        (6, 0, 2**128),
        (5, 0, 0),
        ([], 0, 0),
        (4.0, 0, 0),
        (4, 0.0, 1),
        (4, 0, True),
        (4, "0", "1"),
        (6, 0xFFFF << 32, 0xFFFF << 32),
        (6, 0xFFFF << 32, 0x10000 * 2**32 - 1),
    ],
)
def test_impossible_ranges_cannot_be_built(version: Any, first: Any, last: Any) -> None:
    """Bounds outside the version, in the wrong order, or in the mapped block as IPv6, are refused."""
    with pytest.raises(InvalidInput):
        AddressRange(version=version, first=first, last=last)


@pytest.mark.parametrize("address", [Address(4, -1), Address(4, 2**32), Address(6, 2**128), Address(4, 10**5_000)])
def test_impossible_addresses_are_refused(address: Address) -> None:
    """An address made by hand is checked where it is used."""
    with pytest.raises(InvalidInput):
        packed(address)


@pytest.mark.parametrize(("version", "value"), [(5, 1), (True, 1), ([], 1), (4, "1"), (4, None), (6, 1.0)])
def test_addresses_of_other_types_are_refused(version: Any, value: Any) -> None:
    """A version or a value of another type is refused, hashable or not."""
    with pytest.raises(InvalidInput):
        packed(Address(version, value))


def test_a_range_contains_its_ends_and_nothing_beside_them() -> None:
    """First and last are in, one off on either side is out, and so is the other version."""
    item = AddressRange(version=4, first=10, last=20)
    inside = [number for number in range(30) if item.contains(Address(4, number))]

    assert list(range(10, 21)) == inside
    assert not item.contains(Address(6, 15))


@given(st.lists(st.tuples(st.sampled_from([4, 6]), st.integers(0, 40), st.integers(0, 12)), max_size=8))
def test_merging_keeps_every_address(bounds: list[tuple[Version, int, int]]) -> None:
    """The merged intervals hold the same addresses, in order, with a gap of at least one between two of a version."""
    ranges = [AddressRange(version=version, first=first, last=first + more) for version, first, more in bounds]
    merged = merge(ranges)

    for version in (4, 6):
        expected = {number for item in ranges if item.version == version for number in range(item.first, item.last + 1)}
        parts = [item for item in merged if item.version == version]
        assert expected == {number for item in parts for number in range(item.first, item.last + 1)}
        assert len(expected) == sum(item.size for item in parts)
        assert all(before.last + 1 < after.first for before, after in pairwise(parts))
    assert list(merged) == sorted(merged, key=lambda item: (item.version, item.first))
    assert merged == merge(reversed(merged))


KINDS = {
    "20.89.11.48/28": "global",
    "2603:1040:407:402::180/122": "global",
    "0.0.0.0": "unspecified",  # noqa: S104 - not bound to
    "::": "unspecified",
    "127.0.0.1": "loopback",
    "::1": "loopback",
    "10.1.2.3": "private",
    "172.31.255.255": "private",
    "172.32.0.0": "global",
    "192.168.0.0/16": "private",
    "fd00::/8": "private",
    "169.254.169.254": "link_local",
    "fe80::1": "link_local",
    "100.64.0.1": "shared",
    "192.0.2.0/24": "documentation",
    "2001:db8::/32": "documentation",
    "3fff::1": "documentation",
    "198.18.0.0/15": "benchmarking",
    "2001:2::1": "benchmarking",
    "239.0.0.1": "multicast",
    "ff02::1": "multicast",
    "2002:c000:201::": "transition",
    "64:ff9b::192.0.2.1": "transition",
    "2001::1": "transition",
    "255.255.255.255": "reserved",
    "192.0.0.1": "reserved",
    "2001:100::": "reserved",
    "2001:200::": "global",
    "4000::": "reserved",
    "126.0.0.0/7": "loopback",
    "::ffff:10.0.0.0/104": "private",
}


@pytest.mark.parametrize(("text", "expected"), KINDS.items())
def test_special_purpose_blocks_are_named(text: str, expected: str) -> None:
    """A range that touches a special-purpose block is called by its name, for a warning."""
    assert expected == classify(parse_range(text))


@given(number=V4)
def test_what_is_global_is_global_to_the_reference(number: int) -> None:
    """No IPv4 address that `ipaddress` calls private, loopback, multicast or reserved is called global."""
    reach = classify(AddressRange(version=4, first=number, last=number))
    known = ipaddress.IPv4Address(number)

    assert reach != "global" or (known.is_global and not known.is_multicast)
