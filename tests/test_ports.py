from __future__ import annotations

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain.instant import Instant
from extlink.errors import InvalidInput
from extlink.ports import MAX_VALUE_BYTES, MAX_WRITES, Batch, Version, Write, components, key, prefix

BATCH = Batch(tenant=b"acme", id=Version(1), guards=(), writes=(), entries=(), at=Instant(0))
texts = st.lists(st.text(alphabet=st.sampled_from("\x00\x01\xff\u0100ab"), max_size=4), max_size=4)


@given(texts)
def test_a_path_gives_its_components_back(names: list[str]) -> None:
    """`components` is the inverse of `prefix`, and a key's path is the prefix of its components."""
    assert tuple(names) == components(prefix(*names))
    assert prefix(*names) == key("acme", *names).path


@given(texts, texts)
def test_paths_are_ordered_as_their_components(one: list[str], other: list[str]) -> None:
    """Byte order is the order of the components, code point by code point; equal only where they are equal."""
    assert (one < other) == (prefix(*one) < prefix(*other))
    assert (one == other) == (prefix(*one) == prefix(*other))


@given(texts, texts)
def test_a_path_lies_below_its_own_components_alone(one: list[str], other: list[str]) -> None:
    """No component begins another one by accident."""
    assert (other[: len(one)] == one) == prefix(*other).startswith(prefix(*one))


@pytest.mark.parametrize(
    ("writes", "problem"),
    [
        ([Write(key("acme", str(number)), b"") for number in range(MAX_WRITES + 1)], "at most 1000"),
        ([Write(key("acme", "a"), b"1"), Write(key("acme", "a"), None)], "each key once"),
        ([Write(key("other", "a"), b"1")], "own tenant"),
        ([Write(key("acme", "a"), b"x" * (MAX_VALUE_BYTES + 1))], "at most 64 KiB, got 65537 bytes"),
    ],
)
def test_a_batch_beyond_a_limit_cannot_be_built(writes: list[Write], problem: str) -> None:
    """So no store ever meets one."""
    with pytest.raises(InvalidInput, match=problem):
        attrs.evolve(BATCH, writes=tuple(writes))


def test_a_batch_at_its_limits_is_built() -> None:
    """1,000 writes, one of them of 64 KiB and one a deletion."""
    writes = [Write(key("acme", str(number)), b"") for number in range(MAX_WRITES - 2)]
    writes += [Write(key("acme", "large"), b"x" * MAX_VALUE_BYTES), Write(key("acme", "deleted"), None)]

    assert MAX_WRITES == len(attrs.evolve(BATCH, writes=tuple(writes)).writes)


@pytest.mark.parametrize("value", [0, -1, 2**63])
def test_an_id_is_63_bits(value: int) -> None:
    """So no store has to cut it, and none means "absent"."""
    with pytest.raises(InvalidInput, match="63 random bits"):
        attrs.evolve(BATCH, id=Version(value))


@pytest.mark.parametrize("value", [2**63, -(2**63)])
def test_an_instant_fits_64_bits(value: int) -> None:
    """So no store has to cut it."""
    with pytest.raises(InvalidInput, match="64 bits"):
        attrs.evolve(BATCH, at=Instant(value))
