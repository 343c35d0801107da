"""The storage contract over plain dictionaries: for tests, examples and hosts that need nothing kept.

Rules: one lock around every call, so that a read is one snapshot and a commit happens wholly or not at all; nothing
outlives the object. Listing needs sorted paths: new ones are merged in when a page is asked for, not at every write.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import assert_never

from extlink.adapters._bounds import (
    conflict,
    entry_key,
    moved_on,
    path_range,
    require_keys,
    require_limit,
    require_size,
)
from extlink.domain.instant import Instant
from extlink.ports import (
    ABSENT,
    MAX_LIST,
    Batch,
    Entries,
    Key,
    Page,
    Position,
    Query,
    Records,
    Removed,
    Stored,
    Version,
    Write,
)

__all__ = ["MemoryStorage"]

_NOTHING = (ABSENT, None)


class _Tenant:
    """One tenant's records, ledger and head."""

    def __init__(self) -> None:
        self.records: dict[bytes, tuple[Version, bytes]] = {}
        self.order: list[bytes] = []
        self.fresh: set[bytes] = set()
        self.entries: list[tuple[Version, bytes]] = []
        self.batches: dict[Version, Position] = {}
        self.floor = Instant(0)

    def paths(self) -> list[bytes]:
        """Return all paths in order, those written since the last page merged in."""
        if self.fresh:
            self.order.extend(self.fresh)
            self.order.sort()
            self.fresh.clear()
        return self.order

    def put(self, write: Write, version: Version) -> None:
        """Apply one write."""
        path, value = write.key.path, write.value
        if value is not None:
            if path not in self.records:
                self.fresh.add(path)
            self.records[path] = (version, value)
        elif self.records.pop(path, None) is not None:
            if path in self.fresh:
                self.fresh.remove(path)
            else:
                del self.order[bisect_left(self.order, path)]


class MemoryStorage:
    """Keep everything in memory; any number of threads may share one.

    >>> from extlink.ports import Guard, key
    >>> store = MemoryStorage()
    >>> sato = key("acme", "u", "sato")
    >>> guards, writes = (Guard(sato, ABSENT),), (Write(sato, b"active"),)
    >>> store.commit(Batch(tenant=b"acme", id=Version(7), guards=guards, writes=writes, entries=(b"e",), at=Instant(0)))
    1
    >>> [(stored.version, stored.value) for stored in store.read([sato], {})]
    [(7, b'active')]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tenants: dict[bytes, _Tenant] = {}

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """Return one answer per key, in order, all from one snapshot (`Storage.read`)."""
        require_keys(keys)
        with self._lock:
            found = [(key, *self._find(key)) for key in keys]
        return [Stored(key, version, None if version == known.get(key) else value) for key, version, value in found]

    def list(self, query: Query) -> Page:
        """Return a bounded page in key order (`Storage.list`)."""
        require_limit(query)
        with self._lock:
            tenant = self._tenants.get(query.tenant)
            if tenant is None:
                return Page((), more=False)
            match query:
                case Records():
                    return _records(tenant, query)
                case Entries():
                    return _entries(tenant, query)
                case _:
                    assert_never(query)

    def commit(self, batch: Batch) -> Position:
        """Apply a batch wholly or not at all and return the tenant's position after it (`Storage.commit`)."""
        with self._lock:
            tenant = self._tenants.get(batch.tenant) or _Tenant()
            if batch.id in tenant.batches:
                return tenant.batches[batch.id]
            for guard in batch.guards:
                if self._find(guard.key)[0] != guard.version:
                    raise conflict(guard.key)
            moved = moved_on(batch, len(tenant.entries))
            if moved is not None:
                raise moved
            self._tenants[batch.tenant] = tenant
            for write in batch.writes:
                tenant.put(write, batch.id)
            tenant.entries.extend((batch.id, body) for body in batch.entries)
            tenant.floor = max(tenant.floor, batch.at)
            position = Position(len(tenant.entries))
            if batch.entries:
                tenant.batches[batch.id] = position
            return position

    def tenants(self, after: bytes = b"", limit: int = MAX_LIST) -> Sequence[bytes]:
        """Return the ids of the tenants in byte order (`TenantList.tenants`)."""
        require_size(limit)
        with self._lock:
            found = sorted(name for name, one in self._tenants.items() if name > after and (one.records or one.entries))
        return found[:limit]

    def remove_part(self, tenant: bytes, first: bytes, limit: int) -> Removed:
        """Remove a tenant (`TenantRemoval.remove_part`): at once, since nobody waits for memory to be written."""
        require_size(limit, least=0)
        with self._lock:
            found = self._tenants.get(tenant)
            if found is None:
                return Removed(0, 0)
            if limit:
                del self._tenants[tenant]
                return Removed(len(found.records), len(found.entries))
            is_open = first in found.records
            found.put(Write(Key(tenant, first), None), ABSENT)
            return Removed(int(is_open), 0)

    def _find(self, key: Key) -> tuple[Version, bytes | None]:
        tenant = self._tenants.get(key.tenant)
        return _NOTHING if tenant is None else tenant.records.get(key.path, _NOTHING)


def _records(tenant: _Tenant, query: Records) -> Page:
    paths = tenant.paths()
    first, beyond = path_range(query)
    start = bisect_left(paths, first)
    end = len(paths) if beyond is None else bisect_left(paths, beyond)
    page = paths[start : min(end, start + query.limit)]
    return Page(tuple(Stored(Key(query.tenant, path), *tenant.records[path]) for path in page), start + len(page) < end)


def _entries(tenant: _Tenant, query: Entries) -> Page:
    start = max(query.after, 0)
    page = tenant.entries[start : start + query.limit]
    numbered = enumerate(page, start + 1)
    items = tuple(Stored(entry_key(query.tenant, number), batch, body) for number, (batch, body) in numbered)
    return Page(items, start + len(page) < len(tenant.entries))
