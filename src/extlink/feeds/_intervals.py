"""Ranges as people write them on pages: a CIDR block, one address, or the first and the last address.

Rules: between the two stands a hyphen or, on Japanese pages, `から` ("from"); blanks around it mean nothing. What
nobody was seen to write is no range, so that its item is set aside with a reason instead of being guessed at.
"""

from __future__ import annotations

import re
from typing import Final

from extlink.domain.address import AddressRange, parse_address, parse_range
from extlink.errors import InvalidInput

__all__ = ["parse_interval"]

_BETWEEN: Final = re.compile("-|から")


def parse_interval(text: str) -> AddressRange:
    """Return the range of a text.

    Raises:
        InvalidInput: as `parse_range` and `parse_address`; two addresses of two versions, or the higher one first.

    >>> [parse_interval(text).text for text in ("13.75.36.64 から 13.75.36.79", "20.89.11.1-20.89.11.2")]
    ['13.75.36.64/28', '20.89.11.1-20.89.11.2']
    """
    bounds = _BETWEEN.split(text, maxsplit=1)
    if len(bounds) == 1:
        return parse_range(text)
    first, last = (parse_address(bound.strip(), "range") for bound in bounds)
    if first.version != last.version:
        raise InvalidInput("range", f"expected two addresses of one version, got {text[:64]!a}")
    if first.value > last.value:
        raise InvalidInput("range", f"expected the lower address first, got {text[:64]!a}")
    return AddressRange(version=first.version, first=first.value, last=last.value)
