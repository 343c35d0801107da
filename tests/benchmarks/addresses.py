"""Address text to row: against a C extension, the standard library and netaddr."""

from __future__ import annotations

import ipaddress
import random
import socket
from bisect import bisect_right
from collections.abc import Callable, Sequence

from extlink.domain.address import parse_range
from extlink.domain.range_table import RangeTable
from tests.benchmarks.measure import ROUNDS, Batch, compare
from tests.benchmarks.report import Row, Section, at_least, at_most, plain, without

__all__ = ["looking_up"]

# netaddr looks at every range to find the smallest: beyond so many, one question takes a second.
_LINEAR = 3_000
_BITS = {4: 32, 6: 128}
_KIND = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}


def _ranges(version: int, count: int, draw: random.Random) -> list[str]:
    """Return distinct CIDR ranges as published lists hold them: of many lengths, some inside others."""
    found: dict[str, None] = {}
    while len(found) < count:
        if version == 4:
            prefix = draw.choice((14, 16, 18, 20, 22, 24, 24, 26, 28, 30, 32))
            first = draw.randrange(1 << 24, 224 << 24) >> (32 - prefix) << (32 - prefix)
        else:
            prefix = draw.choice((32, 40, 48, 48, 56, 64, 128))
            first = ((0x20 << 120) | draw.getrandbits(120)) >> (128 - prefix) << (128 - prefix)
        found[f"{_KIND[version](first)}/{prefix}"] = None
    return list(found)


def _addresses(version: int, ranges: Sequence[str], count: int, draw: random.Random) -> list[str]:
    """Return distinct address texts, half of them inside a range."""
    bits, kind = _BITS[version], _KIND[version]
    found: dict[str, None] = {}
    while len(found) < count:
        if len(found) % 2:
            network = ipaddress.ip_network(draw.choice(ranges))
            value = int(network.network_address) + draw.randrange(network.num_addresses)
        else:
            value = draw.randrange(1 << 24, 224 << 24) if version == 4 else (0x20 << 120) | draw.getrandbits(bits - 8)
        found[str(kind(value))] = None
    texts = list(found)
    draw.shuffle(texts)
    return texts


def _asking(find: Callable[[str], object], texts: Sequence[str]) -> Batch:
    def run() -> int:
        for text in texts:
            find(text)
        return len(texts)

    return run


def _standard(version: int, ranges: Sequence[str]) -> Callable[[str], int]:
    """Return a bisection over integers, reached through `ipaddress.ip_address`: what a host writes first."""
    table = RangeTable(parse_range(text, allow_everything=True) for text in ranges)
    starts, found = table._ipv4 if version == 4 else table._ipv6
    numbers = [int.from_bytes(start, "big") for start in starts]

    def find(text: str) -> int:
        return found[bisect_right(numbers, int(ipaddress.ip_address(text)))]

    return find


def _pytricia(version: int, ranges: Sequence[str]) -> Callable[[str], object]:
    import pytricia

    tree = pytricia.PyTricia(_BITS[version], socket.AF_INET if version == 4 else socket.AF_INET6)
    for number, text in enumerate(ranges):
        tree[text] = number
    tree.freeze()
    get: Callable[[str], object] = tree.get
    return get


def _netaddr(_version: int, ranges: Sequence[str]) -> Callable[[str], object]:
    """Return netaddr's answer to the whole question: the smallest range around an address."""
    import netaddr

    networks = [netaddr.IPNetwork(text) for text in ranges]
    places = {network: number for number, network in enumerate(networks)}

    def find(text: str) -> object:
        found = netaddr.smallest_matching_cidr(text, networks)
        return None if found is None else places[found]

    return find


def _ipset(_version: int, ranges: Sequence[str]) -> Callable[[str], object]:
    """Return netaddr's answer to half of the question: whether any range is around an address."""
    import netaddr

    allowed = netaddr.IPSet(ranges)

    def find(text: str) -> object:
        return netaddr.IPAddress(text) in allowed

    return find


def require_agreement(find: Callable[[str], int], other: Callable[[str], object], texts: Sequence[str]) -> None:
    """Ask both for every address.

    Raises:
        AssertionError: one finds another row.
    """
    for text in texts:
        mine, theirs = find(text), other(text)
        assert mine == (-1 if theirs is None else theirs), f"{text}: {mine} and {theirs}"


def looking_up(counts: Sequence[int], questions: int, rounds: int = ROUNDS) -> Section:
    """Measure one look-up at several numbers of ranges, of both versions."""
    rows: list[Row] = []
    for version in (4, 6):
        for count in counts:
            rows += _one_size(version, count, questions, rounds)
    return Section(
        "From the text of an address to its row",
        f"{questions:,} distinct texts, half of them inside a range; nothing is remembered from one to the next. "
        "The ranges are of many lengths, some inside others, and the narrowest is the answer. pytricia (a Patricia "
        "tree in C), `ipaddress` + bisect (over a table that extlink compiled) and netaddr's "
        "`smallest_matching_cidr` answer the same, and are compared with extlink text by text; netaddr's `IPSet` "
        "answers only whether there is a range.",
        tuple(rows),
        (
            (
                "For few ranges nearly all of the time is the call of a Python function and of `inet_pton`; "
                "pytricia does both inside one call of C."
            ),
            (
                "For very many IPv6 ranges the bisection waits for memory: its steps are over 16-byte objects that "
                "lie apart. IPv4 starts lie side by side as integers, found through a table over their first half."
            ),
        ),
    )


def _one_size(version: int, count: int, questions: int, rounds: int) -> list[Row]:
    draw = random.Random(count + version)
    ranges = _ranges(version, count, draw)
    texts = _addresses(version, ranges, questions, draw)
    table = RangeTable(parse_range(text, allow_everything=True) for text in ranges)
    contenders = {"extlink": _asking(table.find, texts)}
    standard = _standard(version, ranges)
    require_agreement(table.find, standard, texts)
    contenders["ipaddress"] = _asking(standard, texts)
    missing: dict[str, str] = {}
    makers = {"pytricia": _pytricia, "netaddr": _netaddr, "ipset": _ipset}
    for name, make in makers.items():
        some = texts if name == "pytricia" else texts[: len(texts) // 20] if name == "ipset" else texts[:4]
        if name == "netaddr" and count > _LINEAR:
            continue
        try:
            find = make(version, ranges)
        except ImportError as error:
            missing[name] = f"{error}"
            continue
        if name != "ipset":
            require_agreement(table.find, find, some)
        contenders[name] = _asking(find, some)
    samples = compare(contenders, rounds)
    what = f"IPv{version}, {count:,} ranges"
    if "pytricia" in missing:
        rows = [without("pytricia", missing["pytricia"]), plain(what, samples, "extlink")]
    else:
        rows = [
            plain(f"pytricia, {what}", samples, "pytricia"),
            at_most(what, samples, "extlink", "pytricia", 2, "pytricia"),
        ]
    rows.append(at_least(f"`ipaddress` + bisect, {what}", samples, "extlink", "ipaddress", 4, "`ipaddress` + bisect"))
    if "netaddr" in missing:
        rows.append(without("netaddr", missing["netaddr"]))
    if "netaddr" in contenders:
        rows.append(at_least(f"netaddr, the row, {what}", samples, "extlink", "netaddr", 40, "netaddr"))
    if "ipset" in contenders:
        rows.append(at_least(f"netaddr, only whether, {what}", samples, "extlink", "ipset", None, "netaddr"))
    return rows
