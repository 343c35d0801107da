"""The items of a published list: each is taken as a range, or set aside with its reason; nothing is dropped.

Rules: an item is set aside because it is no range, because it comes twice in its list, or because it touches a block
that never reaches a host over the internet (`domain.address.classify`). One `Sorter` serves a whole file, since regions
repeat the items of the whole, so that each text is judged once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from extlink.domain.address import AddressRange, classify, parse_range
from extlink.errors import InvalidInput
from extlink.feeds._json import kind
from extlink.feeds.published import SetAside

__all__ = ["Sorter", "shown_item"]

_MAX_SHOWN = 64


@attrs.define(eq=False)
class Sorter:
    """Sorts the items of one file's lists; remembers what it said of each text.

    Args:
        parse: what reads a text as a range, or says by `InvalidInput` why it is none.
    """

    _parse: Callable[[str], AddressRange] = attrs.field(default=parse_range)
    _verdicts: dict[str, AddressRange | str] = attrs.field(factory=dict[str, "AddressRange | str"], init=False)

    def sort(self, items: Iterable[object]) -> tuple[tuple[AddressRange, ...], tuple[SetAside, ...]]:
        """Return the ranges of one list, each once, and what was set aside, both in the order of the list.

        >>> ranges, aside = Sorter().sort(["20.89.11.48/28", "127.0.0.1", "20.89.11.48/28", 7])
        >>> [item.text for item in ranges]
        ['20.89.11.48/28']
        >>> [f"{item.text}: {item.reason}" for item in aside]
        ['127.0.0.1: loopback', '20.89.11.48/28: duplicate', '(a number): expected a range as text']
        """
        ranges: dict[AddressRange, None] = {}
        aside: list[SetAside] = []
        for item in items:
            verdict = self.judge(item)
            if isinstance(verdict, str):
                aside.append(SetAside(shown_item(item), verdict))
            elif verdict in ranges:
                aside.append(SetAside(shown_item(item), "duplicate"))
            else:
                ranges[verdict] = None
        return tuple(ranges), tuple(aside)

    def judge(self, item: object) -> AddressRange | str:
        """Return the range of an item, or why it is set aside."""
        if not isinstance(item, str):
            return "expected a range as text"
        verdict = self._verdicts.get(item)
        if verdict is None:
            verdict = self._verdicts[item] = _verdict(item, self._parse)
        return verdict


def _verdict(item: str, parse: Callable[[str], AddressRange]) -> AddressRange | str:
    try:
        found = parse(item)
    except InvalidInput as error:
        return error.problem
    reach = classify(found)
    return found if reach == "global" else reach


def shown_item(item: object) -> str:
    """Return an item as `SetAside.text` has it: ASCII, cut at 64 characters."""
    text = item if isinstance(item, str) else f"({kind(item)})"
    return ascii(text[:_MAX_SHOWN])[1:-1]
