"""Patterns over endpoints: one form for each endpoint, so that no spelling of it slips past a rule (R8, R10)."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given, strategies as st

from extlink.domain.pattern import fits, read_endpoint

SAME = [
    ("https://Example.COM", "https://example.com/"),
    ("https://example.com:443/a", "https://example.com/a"),
    ("https://example.com:0443/a", "https://example.com/a"),
    ("http://example.com:80", "http://example.com"),
    ("https://example.com./a", "https://example.com/a"),
    ("https://example.com/a/../b", "https://example.com/b"),
    ("https://example.com/a/./b/..", "https://example.com/a/"),
    ("https://example.com/../../a", "https://example.com/a"),
    ("https://example.com/%61%2Ea", "https://example.com/a.a"),
    ("https://example.com/%2e%2e/a", "https://example.com/a"),
    ("https://example.com?x=1", "https://example.com/?x=1"),
    ("https://example.com/a#part", "https://example.com/a"),
    ("https://sato@example.com/a", "https://example.com/a"),
    ("https://sato:pw@example.com/a", "https://example.com/a"),
    ("https://0x7f.1/", "https://127.0.0.1/"),
    ("https://2130706433/", "https://127.0.0.1/"),
    ("https://0177.0.0.01/", "https://127.0.0.1/"),
    ("https://[::ffff:127.0.0.1]/", "https://127.0.0.1/"),
    ("https://[2001:DB8:0::1]:443/", "https://[2001:db8::1]/"),
    ("::ffff:11.22.33.44,1433", "11.22.33.44,1433"),
    ("0x0b.22.33.44 , db", "11.22.33.44,db"),
    ("185999660,db", "11.22.33.44,db"),
    ("tcp:Server.database.windows.net, Orders", "server.database.windows.net,orders"),
    ("server.example.,db", "server.example,db"),
    ("11.22.33.44\\named,db", "0xb.22.33.44\\NAMED,DB"),
    (" smtp.gmail.com,587 ", "smtp.gmail.com,587"),
]
UNREADABLE = [
    "https://good.example\\@bad.example/",
    "https://good.example/a\\b",
    "https:\\\\bad.example",
    "https:bad.example",
    "https:/bad.example/x",
    "https:///bad.example",
    "https://bad%2eexample/",
    "https://bad.example/a%2%65/b",
    "https://bad.example/%",
    "https://ｂａｄ.example/",
    "https://bad .example/",
    "https://bad.example:44x/",
    "https://bad.example/a\tb",
    "https://[::1/",
    "https://[fe80::1%25eth0]/",
    "server\x00,db",
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_endpoint(one: str, other: str) -> None:
    """Two spellings have one form, and each fits the other as a pattern."""
    assert read_endpoint(one) == read_endpoint(other)
    assert read_endpoint(one).readable
    assert fits(other, read_endpoint(one))


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_readers_read_differently(text: str) -> None:
    """It is told, so that who asks can take it strictly."""
    assert not read_endpoint(text).readable


@pytest.mark.parametrize(
    ("pattern", "endpoint", "expected"),
    [
        ("*", "anything", True),
        ("*", "https://example.com/", True),
        ("*localhost*", "tcp:LOCALHOST,db", True),
        ("*.database.windows.net*", "server.database.windows.net,db", True),
        ("*.database.windows.net*", "database.windows.example,db", False),
        ("server,*", "server,prod", True),
        ("server,*", "server2,prod", False),
        ("https://example.com", "https://example.com/", True),
        ("https://example.com", "https://example.com/a", False),
        ("https://*.example.com", "https://a.example.com", True),
        ("https://*.example.com", "https://example.com", False),
        ("https://www.example.com*", "https://www.example.com/a/b", True),
        ("*://example.com/*", "http://example.com/a", True),
        ("https://example.com/a*c", "https://example.com/abcbc", True),
        ("https://example.com/a*c", "https://example.com/ab", False),
        ("a*b*c", "ac", False),
        ("a*b*b", "ab", False),
        ("https://management.azure.com/subscriptions*", "https://management.azure.com/subscriptions/../tenants", False),
        ("11.22.33*", "11.22.33.44,1401,db", True),
        ("11.22.33*", "11.22.33.evil.example,1401,db", False),
        ("11.22.33.*", "0xb.22.33.44,db", True),
        ("https://10.0.*", "https://10.0.evil.example/", False),
        ("https://10.0.*", "https://10.0.0.1/", True),
        ("123*", "1234", True),
        ("123*", "123abc", True),
        ("Calculator", "calculator", True),
    ],
)
def test_what_a_pattern_fits(pattern: str, endpoint: str, *, expected: bool) -> None:
    """`*` alone is special; a pattern of an address fits addresses alone."""
    assert expected is fits(pattern, read_endpoint(endpoint))


@pytest.mark.parametrize(
    "text", ["256.1.1.1", "1.2.3.4.5", "0x100.1", "09.1.1.1", "4294967296", "1..2", "11.22.33.444,1401", "0xg.1"]
)
def test_numbers_that_are_no_address(text: str) -> None:
    """They stay names."""
    assert not read_endpoint(text).is_address


@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.sampled_from(["{}", "0x{:x}", "0{:o}"]))
def test_every_spelling_of_an_address_has_its_canonical_form(number: int, joined: int, form: str) -> None:
    """Decimal, octal and hexadecimal, of one to four parts: the forms that `inet_aton` takes."""
    octets = number.to_bytes(4, "big")
    parts = [*octets[: 3 - joined], int.from_bytes(octets[3 - joined :], "big")]
    text = ".".join(form.format(part) for part in parts)

    reading = read_endpoint(f"https://{text}/")

    assert (f"https://{ipaddress.IPv4Address(number)}/", True) == (reading.text, reading.is_address)


@given(st.text("ab*", max_size=8).filter(bool), st.text("ab", max_size=10))
def test_fitting_is_what_a_regular_expression_says(pattern: str, text: str) -> None:
    """The quick way without going back finds exactly what trying everything finds."""
    expression = ".*".join(re.escape(piece) for piece in pattern.split("*"))

    assert (re.fullmatch(expression, text) is not None) is fits(pattern, read_endpoint(text))


@given(st.text(max_size=60))
def test_any_text_has_one_form(text: str) -> None:
    """The form of the form of a readable endpoint is itself, and every endpoint fits `*`."""
    reading = read_endpoint(text)
    assert fits("*", reading)
    for url in (f"https://{text}", f"https://example.com/{text}"):
        if read_endpoint(url).readable:
            again = read_endpoint(read_endpoint(url).text)
            assert read_endpoint(url).text == again.text
