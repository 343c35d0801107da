from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.checks import CHECKS, DURABLE
from tests.contract.identifiers import PAIRS
from tests.contract.stores import KEEPING, STORES, Opened


@pytest.fixture
def opened(kind: str, tmp_path: Path) -> Iterator[Opened]:
    """Open stores of a kind, and close them after the test."""
    opened = Opened(kind, tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("name", CHECKS)
def test_every_store_keeps_the_contract(name: str, opened: Opened) -> None:
    """Law 17: every storage behaves as the contract says."""
    CHECKS[name](opened.fresh)


@pytest.mark.parametrize("kind", KEEPING)
@pytest.mark.parametrize("name", DURABLE)
def test_stores_on_disk_keep_what_they_have(name: str, opened: Opened) -> None:
    """Law 15: what was acknowledged is there after opening again."""
    DURABLE[name](opened.again)


def test_the_contract_is_large_enough() -> None:
    """At least 40 named checks and 200 pairs of identifiers."""
    assert 40 <= len(CHECKS)
    assert 200 <= len(set(PAIRS))
