from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from extlink.adapters.sqlite import SQLiteStorage
from extlink.testing import Check, ContractBroken, check_async_storage, check_storage, storage_checks
from extlink.testing.contract import async_storage_checks
from extlink.testing.identifiers import PAIRS
from tests.contract import broken
from tests.contract.stores import ASYNC, KEEPING, STORES, Opened

CHECKS = storage_checks()
DURABLE = tuple(one for one in storage_checks(durable=True) if one.theme == "durability")
CANCELLING = tuple(one for one in async_storage_checks() if one.theme == "cancelling")


def name_of(check: Check) -> str:
    """Name a test after the promise."""
    return check.name


@pytest.fixture
def opened(kind: str, tmp_path: Path) -> Iterator[Opened]:
    """Open stores of a kind, and close them after the test."""
    opened = Opened(kind, tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_every_store_keeps_the_contract(check: Check, opened: Opened) -> None:
    """Law 17: every storage behaves as the contract says."""
    check.run(opened.fresh)


@pytest.mark.parametrize("kind", KEEPING)
@pytest.mark.parametrize("check", DURABLE, ids=name_of)
def test_stores_on_disk_keep_what_they_have(check: Check, opened: Opened) -> None:
    """Law 15: what was acknowledged is there after opening again."""
    check.run(opened.again)


@pytest.mark.parametrize("kind", ASYNC)
@pytest.mark.parametrize("check", CANCELLING, ids=name_of)
def test_an_async_store_may_be_cancelled_anywhere(check: Check, opened: Opened) -> None:
    """Law 15 for tasks: what is cancelled is done wholly or not at all."""
    check.run_async(opened.fresh_async)


def test_the_contract_is_large_enough() -> None:
    """At least 60 named checks, each with a sentence, and 200 pairs of identifiers."""
    every = async_storage_checks(durable=True)

    assert 60 <= len(CHECKS)
    assert len(every) == len({one.name for one in every})
    assert all(one.promise.endswith(".") for one in every)
    assert 200 <= len(set(PAIRS))


# In one call


@pytest.mark.slow
def test_one_call_runs_everything_on_a_store(tmp_path: Path) -> None:
    """A file passes the whole contract, durability and programs included, and what was opened is closed."""
    stores: list[SQLiteStorage] = []

    def opened(name: str) -> SQLiteStorage:
        stores.append(SQLiteStorage(tmp_path / f"{name}.db"))
        return stores[-1]

    check_storage(lambda: opened(f"fresh {len(stores)}"), open_named=opened, programs=10)

    assert len(CHECKS) < len(stores)
    assert all(store._connections._closed for store in stores)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["async memory"])
def test_one_call_runs_everything_on_an_async_store(opened: Opened) -> None:
    """The same for a coroutine function that opens an asynchronous store; here every name is one store."""
    check_async_storage(opened.fresh_async, open_named=opened.named_async, programs=10)


def test_one_call_names_every_broken_promise() -> None:
    """What is reported is the name of each check that broke, and how it did."""
    with pytest.raises(ContractBroken) as caught:
        check_storage(broken.IgnoresGuards, programs=0)
    message = str(caught.value)

    assert message.startswith("16 promises of the contract are broken\n  a_stale_guard_is_a_conflict: a write over")
    assert "expected Conflict, got the answer 3" in message
    assert "\n  concurrent_increments_lose_nothing: " in message


def test_one_broken_promise_is_reported_alone() -> None:
    """One check that is not kept is raised as it is, with its name and its problem."""
    with pytest.raises(ContractBroken) as caught:
        check_storage(broken.ListsWithoutLimit)

    assert "a_limit_is_1_to_1000" == caught.value.check
    assert "0 records: expected InvalidInput, got the answer Page(items=(" in caught.value.problem
