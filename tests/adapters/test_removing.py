"""Removing a tenant for good: all of it, nothing else, in parts, closed from the first one on, and what remains."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from extlink import tenants
from extlink.adapters import _sqlite, removing
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.moving import fingerprint
from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
from extlink.adapters.removing import remove_tenant, remove_tenant_async
from extlink.adapters.sqlite import SQLiteStorage
from extlink.adapters.threaded import ThreadedStorage
from extlink.errors import Conflict, Contention, InvalidInput, Misconfigured, Refused, Unavailable
from extlink.ports import Guard, Records, Removed, Write, prefix
from extlink.runtime import ExtLink
from extlink.testing.probes import ACME, at, batch, ledger, paths, versions
from tests.clusters import Cluster
from tests.fakes import FrozenClock
from tests.schedules.world import hub_over
from tests.stateful.story import tell

OWN = prefix("t")


@pytest.fixture(params=["sqlite", "postgres"])
def kept_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Open one store of each kind that outlives its process."""
    if request.param == "postgres":
        yield request.getfixturevalue("store")
    else:
        with SQLiteStorage(tmp_path / "links.db") as opened:
            yield opened


def _lived_in(store: Any) -> ExtLink:
    """Return a hub over a store in which a tenant has had a life, beside a neighbour."""
    clock = FrozenClock()
    hub = hub_over(store, clock=clock)
    tell(hub, clock)
    hub.open_tenant("neighbour", edition="JP", products={"kintone"})
    return hub


def _open(hub: ExtLink) -> None:
    hub.open_tenant("acme", edition="JP", products={"kintone"})


def test_a_removed_tenant_is_gone_and_others_are_not(any_store: Any) -> None:
    """Records, ledger and head go; the neighbour and the host stay as they were, and its id may be opened anew."""
    hub = _lived_in(any_store)
    any_store.commit(batch(*[Write(at(b"z%04d" % number), b"x") for number in range(1_000)], entries=[b"{}"] * 1_100))
    others = [fingerprint(any_store, name) for name in ("neighbour", "~host")]
    before = fingerprint(any_store, "acme")

    assert Removed(before.records, before.entries) == remove_tenant(any_store, "acme")
    assert Removed(0, 0) == remove_tenant(any_store, "acme")
    assert ((), []) == (any_store.list(Records(ACME, b"")).items, ledger(any_store))
    assert others == [fingerprint(any_store, name) for name in ("neighbour", "~host")]
    assert [b"neighbour", b"~host"] == list(any_store.tenants())
    with pytest.raises(Refused, match=r"tenant\.not_open"):
        hub.tenant("acme").acting_as("operations", roles={"host"}).run(tenants.end_links("x"))
    _open(hub)
    assert [1] == [number for number, _ in ledger(any_store)]


def test_what_was_read_before_it_went_cannot_be_written(any_store: Any) -> None:
    """An operation under way guards the tenant it read: it conflicts, and leaves no tenant behind."""
    _lived_in(any_store)
    place = at(OWN)
    guard = Guard(place, versions(any_store, place)[0])
    remove_tenant(any_store, "acme")

    with pytest.raises(Conflict):
        any_store.commit(batch(Write(at(b"l"), b"late"), guards=[guard]))
    assert b"acme" not in any_store.tenants()
    assert Removed(0, 0) == remove_tenant(any_store, "acme")


class Watched:
    """A store that lets something happen after each part."""

    def __init__(self, storage: Any, happens: Any) -> None:
        self.storage = storage
        self.happens = happens

    def remove_part(self, tenant: bytes, first: bytes, limit: int) -> Removed:
        gone: Removed = self.storage.remove_part(tenant, first, limit)
        self.happens(gone)
        return gone


def _filled(store: Any) -> None:
    store.commit(batch(*[Write(at(b"b%d" % number), b"x") for number in range(9)], entries=[b"{}"] * 11))


def test_nobody_opens_what_is_half_removed(kept_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that opens it by habit is refused until all is gone: no tenant of what is left, no ledger that goes on."""
    monkeypatch.setattr(removing, "_PART", 4)
    hub = hub_over(kept_store)
    _open(hub)
    _filled(kept_store)
    kept_store.commit(batch(entries=[b"{}"]))
    tried: list[str] = []

    def tries(_: Removed) -> None:
        try:
            _open(hub)
            tried.append("open")
        except Refused as refused:
            tried.append(refused.reason.code)

    assert Removed(10, 13) == remove_tenant(Watched(kept_store, tries), "acme")
    assert [*["tenant.incomplete"] * 3, "open"] == tried
    assert [1] == [number for number, _ in ledger(kept_store)]


def _reopened_by_force(store: Any, first: bytes) -> list[bool]:
    """Return after which parts a tenant is open that somebody writes there after each, whatever the rules say."""
    _filled(store)
    found = []
    for _ in range(2):
        store.commit(batch(Write(at(OWN), b"open"), entries=()))
        part = store.remove_part(ACME, first, 2)
        assert part.entries == 2
        found.append(OWN in paths(store))
    return found


def test_each_part_closes_the_tenant_anew(kept_store: Any) -> None:
    """Before anything else of it goes."""
    assert [False, False] == _reopened_by_force(kept_store, OWN)


def test_a_twin_that_takes_records_as_they_come_is_caught(kept_store: Any) -> None:
    """The broken twin: half a tenant stays open."""
    assert [True, True] == _reopened_by_force(kept_store, b"\xff")


def test_a_part_is_bounded(kept_store: Any) -> None:
    """So that nobody waits long behind one; a part of 0 closes the tenant and nothing else."""
    _lived_in(kept_store)
    before = fingerprint(kept_store, "acme")

    assert Removed(1, 0) == kept_store.remove_part(ACME, OWN, 0)
    assert Removed(0, 0) == kept_store.remove_part(ACME, OWN, 0)
    assert Removed(3, 3) == kept_store.remove_part(ACME, OWN, 3)
    left = fingerprint(kept_store, "acme")
    assert (before.records - 4, before.entries - 3) == (left.records, left.entries)


def test_memory_closes_a_tenant_as_well() -> None:
    """Its parts are whole tenants."""
    store = MemoryStorage()
    hub = _lived_in(store)

    assert Removed(0, 0) == store.remove_part(b"nobody", OWN, 0)
    assert [Removed(1, 0), Removed(0, 0)] == [store.remove_part(ACME, OWN, 0) for _ in range(2)]
    with pytest.raises(Refused, match=r"tenant\.incomplete"):
        _open(hub)


@pytest.mark.parametrize("limit", [-1, 1_001])
def test_a_part_has_a_size(any_store: Any, limit: int) -> None:
    """As a page has."""
    with pytest.raises(InvalidInput, match="limit"):
        any_store.remove_part(ACME, OWN, limit)


def test_what_broke_off_is_done_by_the_next_call(kept_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After any part; nothing is lost of the count but what was not told."""
    monkeypatch.setattr(removing, "_PART", 4)
    _filled(kept_store)

    def breaks(gone: Removed) -> None:
        if gone.records:
            raise Unavailable("gone")

    for _ in range(3):
        with pytest.raises(Unavailable):
            remove_tenant(Watched(kept_store, breaks), "acme")
    assert Removed(0, 0) == remove_tenant(Watched(kept_store, breaks), "acme")
    assert [] == list(kept_store.tenants())


def test_async_removes_the_same(tmp_path: Path) -> None:
    """On a worker thread."""
    one = SQLiteStorage(tmp_path / "one.db")
    _filled(one)

    async def main() -> Removed:
        async with ThreadedStorage(one) as store:
            return await remove_tenant_async(store, "acme")

    with one:
        assert Removed(9, 11) == asyncio.run(main())
        assert [] == list(one.tenants())


def test_async_postgres_removes_the_same(
    server: Cluster, schema: str, store: PostgresStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a thread, part by part."""
    monkeypatch.setattr(removing, "_PART", 4)
    _filled(store)

    async def main() -> Removed:
        async with AsyncPostgresStorage(server.conninfo, schema=schema) as opened:
            return await remove_tenant_async(opened, "acme")

    assert Removed(9, 11) == asyncio.run(main())
    assert [] == list(store.tenants())


@pytest.mark.parametrize("tenant", ["~host", "", None])
def test_what_is_no_customer_is_not_removed(any_store: Any, tenant: Any) -> None:
    """The host's own part, a tenant without an id; nothing goes."""
    _lived_in(any_store)
    before = fingerprint(any_store, "~host")
    with pytest.raises(InvalidInput, match="tenant"):
        remove_tenant(any_store, tenant)
    with pytest.raises(InvalidInput, match="tenant"):
        asyncio.run(remove_tenant_async(ThreadedStorage(any_store), tenant))

    assert before == fingerprint(any_store, "~host")


def test_where_nothing_can_be_removed(server: Cluster, tmp_path: Path) -> None:
    """A store of the three methods alone, a database without tables, a server that is away."""

    class Three:
        def __init__(self) -> None:
            self.read = self.list = self.commit = None

    three: Any = Three()
    with pytest.raises(Misconfigured, match="TenantRemoval"):
        remove_tenant(three, "acme")
    with pytest.raises(Misconfigured, match="AsyncTenantRemoval"):
        asyncio.run(remove_tenant_async(three, "acme"))
    with pytest.raises(Misconfigured, match="TenantRemoval"):
        asyncio.run(remove_tenant_async(ThreadedStorage(three), "acme"))
    with pytest.raises(Misconfigured, match="extlink schema upgrade"):
        remove_tenant(PostgresStorage(server.conninfo, schema="none"), "acme")
    with pytest.raises(Unavailable, match="look at the server"):
        remove_tenant(PostgresStorage(f"host={tmp_path}"), "acme")


# What lies in a file


def _marked(path: Path) -> SQLiteStorage:
    """Return a store in which two tenants were written in turn, one of them with a mark in everything it has."""
    store = SQLiteStorage(path, timeout=0)
    for number in range(60):
        name, text = ((ACME, b"the mark %d;" % number), (b"globex", b"other %d;" % number))[number % 2]
        place = at(b"k%02d" % (number % 23), name)
        store.commit(batch(Write(place, text * (1 + number * 7 % 300)), tenant=name, entries=[text * 9]))
    return store


def _where(path: Path) -> tuple[bool, bool]:
    """Return whether the mark is to be found in the file, and in its log."""
    log = path.with_name(f"{path.name}-wal")
    return b"the mark" in path.read_bytes(), log.exists() and b"the mark" in log.read_bytes()


def test_the_log_of_a_file_is_emptied(tmp_path: Path) -> None:
    """There everything lay that was ever written of it; `VACUUM` leaves nothing in the file either."""
    path = tmp_path / "links.db"
    with _marked(path) as store:
        assert _where(path)[1]
        remove_tenant(store, "acme")
        assert 0 == (tmp_path / "links.db-wal").stat().st_size
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        assert (False, False) == _where(path)
        assert 23 == len(paths(store, tenant=b"globex"))


def test_a_twin_that_leaves_the_log_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: whoever has the log has the tenant."""
    monkeypatch.setattr(_sqlite.Connections, "empty_log", lambda _: None)
    path = tmp_path / "links.db"
    with _marked(path) as store:
        remove_tenant(store, "acme")

        assert _where(path)[1]


def test_a_log_that_is_read_is_emptied_by_the_next_call(tmp_path: Path) -> None:
    """The tenant is gone; that its remains are not is an error, never silence."""
    path = tmp_path / "links.db"
    with _marked(path) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM record").fetchone()
            with pytest.raises(Contention, match="its log stays; call again"):
                remove_tenant(store, "acme")
            assert [b"globex"] == list(store.tenants())
        assert Removed(0, 0) == remove_tenant(store, "acme")
        assert 0 == (tmp_path / "links.db-wal").stat().st_size


def test_a_log_is_emptied_beside_nobody_who_writes(tmp_path: Path) -> None:
    """Writers of one store and whoever empties its log wait for each other."""
    with _marked(tmp_path / "links.db") as store, store._connections.transaction(), pytest.raises(Contention):
        store._connections.empty_log()
