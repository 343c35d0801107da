from __future__ import annotations

from pathlib import Path

import pytest

from extlink.adapters.memory import MemoryStorage
from extlink.adapters.sqlite import SQLiteStorage
from extlink.ports import Entries, Key, Page, Query, Records, Storage, Write
from extlink.testing import ContractBroken, copied, dump
from extlink.testing.probes import batch, ledger, pages
from tests.testing.rehearsal import stage

TENANTS = ("acme", "~host", "never")


def everything(storage: Storage) -> object:
    """Return what a store holds, versions and batches included."""
    return [
        (pages(storage, Records(name.encode(), b"", limit=1_000)), pages(storage, Entries(name.encode())))
        for name in TENANTS
    ]


def test_a_copy_holds_the_same_under_the_same_versions(tmp_path: Path) -> None:
    """From memory to a file and back: the same records, versions, entries, batches and numbers."""
    store = stage().host.store
    with SQLiteStorage(tmp_path / "links.db") as file:
        copied(store, file, TENANTS)

        assert everything(store) == everything(file) == everything(copied(file, MemoryStorage(), TENANTS))
        assert dump(store, TENANTS) == dump(file, TENANTS)


def test_large_tenants_are_copied_page_by_page() -> None:
    """More records and entries than a page holds, and records of batches without entries."""
    store = MemoryStorage()
    for part in range(3):
        writes = [Write(Key(b"acme", b"%d/%03d" % (part, number)), b"x") for number in range(700)]
        store.commit(batch(*writes, entries=[b"%d" % part] * (700 if part else 0)))

    copy = copied(store, MemoryStorage(), ["acme"])

    assert everything(store) == everything(copy)
    assert 2_100 == len(dump(copy, ["acme"]).records)
    assert 1_400 == len(ledger(copy))


class WithAGap(MemoryStorage):
    def list(self, query: Query) -> Page:
        page = super().list(query)
        return page._replace(items=page.items[1:]) if isinstance(query, Entries) else page


def test_a_gap_in_the_numbers_is_found() -> None:
    """The broken twin: a ledger whose first entry is gone."""
    store = WithAGap()
    store.commit(batch(entries=[b"1", b"2"]))

    with pytest.raises(ContractBroken, match=r"have a gap: \[2\]"):
        dump(store, ["acme"])
