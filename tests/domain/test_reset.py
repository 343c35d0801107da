"""The reset of an IP restriction: for how long it is good, and how it is written down (TRACE T1)."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from extlink.domain.identifier import TenantId
from extlink.domain.instant import Instant
from extlink.domain.reset import Reset
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing

ACME = TenantId("acme")
KEYS = KeyRing({"k1": Secret("11" * 32), "k2": Secret("22" * 32)}, current="k2")
OLD = KeyRing({"k1": Secret("11" * 32)}, current="k1")


@pytest.mark.parametrize(
    ("at", "resets", "lifetime", "good"),
    [
        (1_000, 2, 3_600, True),
        (4_599, 2, 3_600, True),
        (4_600, 2, 3_600, False),
        (999, 2, 3_600, False),
        (1_000, 3, 3_600, False),
        (1_000, 1, 3_600, False),
        (1_000, 2, None, False),
        (1_000, 2, 0, False),
    ],
)
def test_a_reset_is_good_in_time_and_before_any_other(at: int, resets: int, lifetime: int | None, good: bool) -> None:
    """From its issue to just before its end, in an edition that has it, and as long as nobody has reset since."""
    assert good is Reset(Instant(1_000), 2).is_good(at=Instant(at), resets=resets, lifetime=lifetime)


@given(st.integers(0, 2**40), st.integers(0, 2**31))
def test_a_reset_comes_back_as_it_was(issued: int, after: int) -> None:
    """What is signed says the same when it is opened, also under a key that is no longer the current one."""
    made = Reset(Instant(issued), after)
    for keys in (KEYS, OLD):
        body = KEYS.open_reset(ACME, keys.sign_reset(ACME, made.pack()))
        assert body is not None
        assert made == Reset.unpack(body)


def test_a_reset_of_another_release_is_none() -> None:
    """The format is named, and not guessed."""
    assert Reset.unpack(b"[2,1000,0]") is None


@given(st.text(max_size=80) | st.text(st.sampled_from("xl_rscsk1k2.AZaz09-_"), max_size=60))
def test_any_text_is_no_reset(text: str) -> None:
    """Nobody but the host makes one."""
    assert KEYS.open_reset(ACME, text) is None
    assert KEYS.open_reset(ACME, f"xl_rs_k2{text}") is None


def test_each_part_of_a_reset_is_bound() -> None:
    """Another tenant, another key's id, another kind or any other letter makes it nothing."""
    text = KEYS.sign_reset(ACME, Reset(Instant(1_000), 0).pack()).reveal()

    assert KEYS.open_reset(TenantId("acm"), text) is None
    assert KEYS.open_consent(ACME, text) is None
    assert KEYS.open_consent(ACME, text.replace("xl_rs_", "xl_cs_")) is None
    for place, letter in enumerate(text):
        other = "B" if letter == "A" else "A"
        assert KEYS.open_reset(ACME, text[:place] + other + text[place + 1 :]) is None
