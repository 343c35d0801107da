from __future__ import annotations

import pytest

from extlink.adapters.memory import MemoryStorage
from extlink.errors import InvalidInput, StorageError
from tests.contract import broken
from tests.contract.broken import TWINS, Twin
from tests.contract.checks import CHECKS, DURABLE
from tests.contract.kit import ContractBroken, Factory

ALL = {**CHECKS, **DURABLE}


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_every_broken_store_is_rejected_by_its_check(twin: Factory) -> None:
    """The check that is named for a mistake finds it, and calls it by name instead of falling over it."""
    with pytest.raises(ContractBroken) as caught:
        ALL[TWINS[twin]](twin)

    # An error of another kind would be a mistake in the twin.
    assert isinstance(caught.value.__cause__, StorageError | InvalidInput | OverflowError | None)


@pytest.mark.parametrize("name", sorted(set(TWINS.values()) & CHECKS.keys()))
def test_the_checks_accept_the_unbroken_twin(name: str) -> None:
    """What the broken ones are made of keeps the contract."""
    ALL[name](Twin)


def test_every_broken_store_is_listed() -> None:
    """No twin is written and never run; there are more than the 25 that PROMISES asks for."""
    written = {
        each
        for each in vars(broken).values()
        if isinstance(each, type) and issubclass(each, Twin) and not each.__subclasses__()
    }

    assert written == set(TWINS)
    assert 25 <= len(TWINS)
    assert all(issubclass(twin, MemoryStorage) for twin in written)
