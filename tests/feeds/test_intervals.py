"""Ranges as people write them: the same addresses as counted out, and no guess at what nobody writes."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from extlink.domain.address import Address, AddressRange
from extlink.errors import InvalidInput
from extlink.feeds._intervals import parse_interval

TAKEN = {
    "20.0.0.1": "20.0.0.1/32",
    "20.0.0.0/24": "20.0.0.0/24",
    "20.0.0.0-20.0.0.255": "20.0.0.0/24",
    "20.0.0.0 - 20.0.0.14": "20.0.0.0-20.0.0.14",
    "20.0.0.0から20.0.0.15": "20.0.0.0/28",
    "20.0.0.7\u3000から\t20.0.0.7": "20.0.0.7/32",
    "2603:1006:: - 2603:1006::f": "2603:1006::/124",
    "::ffff:20.0.0.0 - 20.0.0.1": "20.0.0.0/31",
}
REFUSED = {
    "": "got an empty text",
    "-": "got an empty text",
    "20.0.0.1 -": "got an empty text",
    "20.0.0.9 - 20.0.0.1": "expected the lower address first, got '20.0.0.9 - 20.0.0.1'",
    "20.0.0.9 から 20.0.0.1": "expected the lower address first",
    "20.0.0.1 - 2603:1006::": "expected two addresses of one version",
    "20.0.0.0/24 - 20.0.1.0/24": "expected one address, not a range",
    "20.0.0.1 - 20.0.0.2 - 20.0.0.3": "without blanks",
    "20.0.0.1 - 9": "expected four decimal numbers",
    "20.0.0.1 to 20.0.0.2": "without blanks",
    "20.0.0.1\u201320.0.0.2": "in ASCII",
    "２０.0.0.1 - 20.0.0.2": "in ASCII",
    "020.0.0.1 - 20.0.0.2": "without leading zeros",
    "20.0.0.1/24": "expected no host bits",
    "0.0.0.0/0": "name allow_everything=True",
}


@pytest.mark.parametrize(("text", "expected"), TAKEN.items())
def test_ranges_are_read(text: str, expected: str) -> None:
    """A block, one address, or the first and the last."""
    assert expected == parse_interval(text).text


@pytest.mark.parametrize(("text", "problem"), REFUSED.items())
def test_the_rest_is_refused(text: str, problem: str) -> None:
    """What is no range, or a range backwards, is refused with what was expected."""
    with pytest.raises(InvalidInput) as refusal:
        parse_interval(text)

    assert problem in refusal.value.problem


@given(first=st.integers(0, 2**32 - 1), more=st.integers(0, 2**16), between=st.sampled_from(["-", " - ", "から"]))
def test_a_range_has_all_addresses_between(first: int, more: int, between: str) -> None:
    """The bounds, written as text, are the first and the last address, and the one before each is not the other way."""
    last = min(first + more, 2**32 - 1)
    texts = [Address(4, first).text, Address(4, last).text]

    assert AddressRange(version=4, first=first, last=last) == parse_interval(between.join(texts))
    if first != last:
        with pytest.raises(InvalidInput, match="lower address first"):
            parse_interval(between.join(reversed(texts)))
