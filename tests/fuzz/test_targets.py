"""Every target survives its seeds and what comes of them by chance, without atheris and in every run of the tests."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from extlink.errors import ExtlinkError
from tests.fuzz.targets import CORPUS, TARGETS, Target, broken, seeds, survive

TINY = 1_024
# What readers of texts and of JSON trip over.
PIECES = [
    b'"',
    b"[",
    b"{",
    b"null",
    b"NaN",
    b"1e999",
    b"\xff",
    b"\x00",
    b"\xef\xbb\xbf",
    b"/0",
    b"'=",
    b"&nbsp;",
    b"9" * 5_000,
]


@st.composite
def mutations(draw: st.DrawFn, starts: list[bytes]) -> bytes:
    """Draw a seed with some pieces cut out, doubled, or put in."""
    data = draw(st.sampled_from(starts))
    for _ in range(draw(st.integers(0, 4))):
        at, until = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        new = draw(st.one_of(st.binary(max_size=4), st.sampled_from(PIECES), st.just(data[at:until] * 2)))
        data = data[:at] + new + data[until:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_has_tiny_seeds(name: str) -> None:
    """A new reader brings an example of what it reads; the corpus stays small."""
    found = seeds(name)

    assert found
    assert TINY > max(map(len, found))


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_good(name: str) -> None:
    """At least one seed of each target is read, not refused, so that fuzzing begins inside."""
    refused = 0
    for data in seeds(name):
        try:
            TARGETS[name](data)
        except ExtlinkError:
            refused += 1

    assert refused < len(seeds(name))


@given(data=st.data(), name=st.sampled_from(sorted(TARGETS)))
def test_every_target_survives(data: st.DataObject, name: str) -> None:
    """Law 13: any bytes give a value or an `ExtlinkError`, and a value keeps what its target promises."""
    survive(TARGETS[name], data.draw(st.one_of(mutations(seeds(name)), st.binary(max_size=64))))


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_every_target_survives_longer(name: str) -> None:
    """As above, with as many examples for each target."""

    @given(data=mutations(seeds(name)))
    def survives(data: bytes) -> None:
        survive(TARGETS[name], data)

    survives()


def falls(target: Target) -> bool:
    """Tell whether chance finds an input that a target does not survive."""

    @settings(max_examples=500, derandomize=True)
    @given(data=mutations([b"1:ab"]))
    def survives(data: bytes) -> None:
        survive(target, data)

    try:
        survives()
    except IndexError:
        return True
    return False


def test_a_broken_target_is_found() -> None:
    """The broken twin falls to the same mutations."""
    assert falls(broken)
    assert not falls(len)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is in the dependency group fuzz")
def test_the_program_runs() -> None:
    """A short run over one target ends by itself, and has found the broken twin first."""
    program = Path(CORPUS.parent / "run.py")
    done = subprocess.run(
        [sys.executable, program, "--runs", "3000", "memo"], capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode
    assert ["broken: failed", "memo: no failure"] == [line.partition(",")[0] for line in done.stdout.splitlines()[:2]]
