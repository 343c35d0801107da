"""What a store holds, and another store that holds the same: by the contract's own methods, so between any two stores.

Rule: a copy has the same records under the same versions and the same entries of the same batches under the same
numbers, so a guard holds there exactly where it holds here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TypeVar

import attrs

from extlink.domain.instant import Instant
from extlink.ports import MAX_LIST, Batch, Entries, Key, Position, Records, Storage, Stored, Version, Write
from extlink.testing.probes import ContractBroken

__all__ = ["Dump", "copied", "dump"]

S = TypeVar("S", bound=Storage)


@attrs.frozen
class Dump:
    """Everything that a store holds of some tenants but versions: records by key, and the ledgers in order.

    >>> Dump({}, {b"acme": (b"entry",)}).ledger[b"acme"]
    (b'entry',)
    """

    records: Mapping[Key, bytes | None]
    ledger: Mapping[bytes, tuple[bytes, ...]]


def dump(storage: Storage, tenants: Iterable[str]) -> Dump:
    """Return what a store holds of some tenants.

    Raises:
        ContractBroken: the numbers of a ledger have a gap.

    >>> from extlink import MemoryStorage
    >>> dump(MemoryStorage(), ["acme"])
    Dump(records={}, ledger={b'acme': ()})
    """
    records: dict[Key, bytes | None] = {}
    ledger: dict[bytes, tuple[bytes, ...]] = {}
    for name in [tenant.encode() for tenant in tenants]:
        records.update((one.key, one.value) for one in _records(storage, name))
        entries = list(_entries(storage, name))
        numbers = [int.from_bytes(one.key.path) for one in entries]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ContractBroken(f"the numbers of a ledger have a gap: {numbers}", "dump")
        ledger[name] = tuple(one.value or b"" for one in entries)
    return Dump(records, ledger)


def copied(storage: Storage, into: S, tenants: Iterable[str]) -> S:
    """Return an empty store after everything that another one holds of some tenants was written into it.

    Of a record only what it holds now is written, with the batch that wrote it; records of batches without entries,
    such as refusal marks, come last.

    >>> from extlink import MemoryStorage
    >>> store = copied(MemoryStorage(), MemoryStorage(), ["acme"])
    """
    for name in [tenant.encode() for tenant in tenants]:
        left: dict[Version, list[Write]] = {}
        for one in _records(storage, name):
            left.setdefault(one.version, []).append(Write(one.key, one.value))
        for version, group in groupby(_entries(storage, name), lambda entry: entry.version):
            bodies = tuple(entry.value or b"" for entry in group)
            into.commit(_batch(name, version, left.pop(version, []), bodies))
        for version, writes in left.items():
            into.commit(_batch(name, version, writes, ()))
    return into


def _batch(tenant: bytes, version: Version, writes: list[Write], entries: tuple[bytes, ...]) -> Batch:
    return Batch(tenant=tenant, id=version, guards=(), writes=tuple(writes), entries=entries, at=Instant(0))


def _records(storage: Storage, tenant: bytes) -> Iterator[Stored]:
    after, more = b"", True
    while more:
        page = storage.list(Records(tenant, b"", after, MAX_LIST))
        yield from page.items
        more = page.more
        after = page.items[-1].key.path if page.items else after


def _entries(storage: Storage, tenant: bytes) -> Iterator[Stored]:
    after, more = 0, True
    while more:
        page = storage.list(Entries(tenant, Position(after), MAX_LIST))
        yield from page.items
        more = page.more
        after += len(page.items)
