from __future__ import annotations

import time
from pathlib import Path

import pytest

from extlink.adapters import _sqlite
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.sqlite import SQLiteStorage
from extlink.errors import InvalidInput, StorageError
from extlink.testing import Check, ContractBroken, storage_checks
from extlink.testing.probes import OpenStore
from tests.contract import broken
from tests.contract.broken import TWINS, Twin

ALL = {one.name: one for one in storage_checks(durable=True)}
SECONDS = 2


def name_of(check: Check) -> str:
    """Name a test after the promise."""
    return check.name


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_every_broken_store_is_rejected_by_its_check(twin: OpenStore) -> None:
    """The check that is named for a mistake finds it, and calls it by name instead of falling over it."""
    began = time.process_time()
    with pytest.raises(ContractBroken) as caught:
        ALL[TWINS[twin]].run(twin)

    assert TWINS[twin] == caught.value.check
    # Work, not waiting: a machine under load changes nothing.
    assert time.process_time() - began < SECONDS
    # An error of another kind would be a mistake in the twin.
    assert isinstance(caught.value.__cause__, StorageError | InvalidInput | OverflowError | KeyError | None)


@pytest.mark.parametrize("check", storage_checks(), ids=name_of)
def test_the_checks_accept_the_unbroken_twin(check: Check) -> None:
    """What the broken ones are made of keeps the contract."""
    check.run(Twin)


def test_reads_that_are_torn_between_tenants_are_found() -> None:
    """The twin that reads key by key is found by its second check as well."""
    with pytest.raises(ContractBroken, match="they never were so together"):
        ALL["a_read_across_tenants_is_one_snapshot"].run(broken.ReadsKeyByKey)


def test_a_store_that_hears_of_nobody_else_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that take what they once saw for what is there keep every promise but one, while they are alone."""
    monkeypatch.setattr(_sqlite.Connection, "changes", lambda _: 1)
    check = ALL["what_one_opening_commits_every_other_answers"]

    with pytest.raises(ContractBroken, match="read through the other"):
        check.run(lambda: SQLiteStorage(tmp_path / "links.db"))


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
