"""RangeTable: which of many ranges an address is in, by one bisection over packed bytes.

Rules: the answer depends on the set of ranges and never on their order (law 2): the narrowest range that contains the
address is found, of equally wide ones that with the lower first address. The fast way and the strict way give the same
answer on every input; what the fast way cannot read is read again strictly, and refused there.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from struct import Struct
from typing import Final

import attrs

from extlink.domain.address import BITS, IPV4, IPV4_SIZE, IPV6, MAPPED, Address, AddressRange, Version, pack, packed
from extlink.errors import InvalidInput

__all__ = ["RangeTable"]

_Starts = tuple[bytes, ...]
_Compiled = tuple[_Starts, Sequence[int]]


def _winners(ranges: Sequence[AddressRange], version: Version) -> Iterator[tuple[int, int]]:
    """Yield where each stretch of addresses begins and the index of the narrowest range there, or -1.

    A sweep over all first and one-past-last addresses: every range enters a heap once, narrowest on top, and leaves it
    when it is over and comes to the top, so arbitrary overlap costs n log n.
    """
    entering = sorted((item.first, item.size, i) for i, item in enumerate(ranges) if item.version == version)
    points = sorted({point for first, size, _ in entering for point in (first, first + size)})
    active: list[tuple[int, int, int]] = []
    entered, winner = 0, -1
    for point in points:
        while entered < len(entering) and entering[entered][0] == point:
            first, size, i = entering[entered]
            heapq.heappush(active, (size, first, i))
            entered += 1
        while active and active[0][1] + active[0][0] <= point:
            heapq.heappop(active)
        narrowest = active[0][2] if active else -1
        if narrowest != winner and point >> BITS[version] == 0:
            winner = narrowest
            yield point, winner


def _compile(ranges: Sequence[AddressRange], version: Version) -> _Compiled:
    # Packed addresses compare as their integers do, and come from inet_pton without a conversion. The one answer more
    # than there are starts is that of the addresses before the first.
    stretches = tuple(_winners(ranges, version))
    size = BITS[version] // 8
    starts = tuple(point.to_bytes(size, "big") for point, _ in stretches)
    return starts, array("i", [-1, *(winner for _, winner in stretches)])


# From about here on, a bisection over objects strewn in memory costs more than turning the address into an integer.
_WIDE: Final = 4_096
_TOP_BITS: Final = 16
_integer: Final[Callable[[bytes], tuple[int]]] = Struct(">I").unpack
_Wide = tuple[Sequence[int], Sequence[int]]


def _widen(starts: _Starts) -> _Wide | None:
    """Return many IPv4 starts as plain integers side by side, and between which of them each first half leads."""
    if len(starts) < _WIDE:
        return None
    numbers = array("I", [int.from_bytes(start, "big") for start in starts])
    below = array("I")
    for count, number in enumerate(numbers):
        below += array("I", [count]) * (-(-number >> _TOP_BITS) - len(below))
    below += array("I", [len(numbers)]) * ((1 << _TOP_BITS) + 1 - len(below))
    return numbers, below


def _checked(values: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    if not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput("ranges", f"expected a list of AddressRange, got {type(values).__name__}")
    items = tuple(values)
    for item in items:
        if not isinstance(item, AddressRange):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput("ranges", f"expected a list of AddressRange, got {type(item).__name__} in it")
    return items


@attrs.frozen
class RangeTable:
    """Ranges compiled once, so that an address text finds the narrowest range around it (DESIGN 3).

    Only a range given twice has to be told apart by its place; then the earlier is found.

    Args:
        ranges: any ranges, overlapping or not, of both versions.

    >>> from extlink.domain.address import parse_range
    >>> table = RangeTable((parse_range("192.0.2.0/24"), parse_range("192.0.2.7"), parse_range("2001:db8::/32")))
    >>> table.find("192.0.2.7"), table.find("::ffff:192.0.2.8"), table.find("2001:db9::")
    (1, 0, -1)
    """

    ranges: tuple[AddressRange, ...] = attrs.field(converter=_checked, repr=lambda ranges: f"<{len(ranges)}>")
    _ipv4: _Compiled = attrs.field(init=False, repr=False, eq=False)
    _ipv6: _Compiled = attrs.field(init=False, repr=False, eq=False)
    _wide: _Wide | None = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        ipv4 = _compile(self.ranges, 4)
        object.__setattr__(self, "_ipv4", ipv4)
        object.__setattr__(self, "_wide", _widen(ipv4[0]))
        object.__setattr__(self, "_ipv6", _compile(self.ranges, 6))

    def find(self, address: str | Address) -> int:
        """Return the index of the range that an address is in, or -1.

        Args:
            address: a text, which is fastest, or a parsed address.

        Raises:
            InvalidInput: not an address; never answered with -1, which a list of forbidden ranges would read as a yes.
        """
        try:
            if type(address) is str and ":" not in address:
                starts, found = self._ipv4
                key = pack(IPV4, address)
                if self._wide is None:
                    return found[bisect_right(starts, key)]
                (number,) = _integer(key)
                numbers, below = self._wide
                top: int = number >> _TOP_BITS
                return found[bisect_right(numbers, number, below[top], below[top + 1])]
            key = pack(IPV6, address)  # type: ignore[arg-type]
            if key[:12] != MAPPED:
                starts, found = self._ipv6
                return found[bisect_right(starts, key)]
        except Exception:  # noqa: BLE001, S110 - only inet_pton lets a text through; all else is read again, strictly
            pass
        return self._find_any(address)

    def stretches(self, version: Version) -> Iterator[tuple[int, int, int]]:
        """Yield all addresses of a version that are in some range: first, last, and the index that `find` tells there.

        In ascending order, and read from what was compiled for `find`, so that both always agree.

        >>> from extlink.domain.address import parse_range
        >>> table = RangeTable((parse_range("0.0.0.0/29"), parse_range("0.0.0.2/31")))
        >>> list(table.stretches(4))
        [(0, 1, 0), (2, 3, 1), (4, 7, 0)]
        """
        asked: object = version
        if type(asked) is not int or asked not in BITS:
            raise InvalidInput("version", "expected 4 or 6")
        starts, found = self._ipv4 if version == 4 else self._ipv6  # noqa: PLR2004 - IPv4
        firsts = [int.from_bytes(start, "big") for start in starts]
        lasts = [first - 1 for first in firsts[1:]] + [(1 << BITS[version]) - 1]
        return (stretch for stretch in zip(firsts, lasts, found[1:], strict=False) if stretch[2] >= 0)

    def _find_any(self, address: object) -> int:
        """Find what the fast way leaves: mapped texts, parsed addresses, and everything that is refused."""
        key = packed(address)
        starts, found = self._ipv4 if len(key) == IPV4_SIZE else self._ipv6
        return found[bisect_right(starts, key)]
