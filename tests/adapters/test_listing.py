"""Which tenants a store has: alike on every store, in byte order, page by page, and nobody who is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from extlink.adapters import _postgres_tenants, listing, sqlite
from extlink.adapters.listing import tenants_of, tenants_of_async
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.postgres import AsyncPostgresStorage
from extlink.adapters.removing import remove_tenant, remove_tenant_async
from extlink.adapters.threaded import ThreadedStorage
from extlink.errors import Conflict, InvalidInput, Misconfigured
from extlink.ports import ABSENT, Guard, Storage, Version, Write
from extlink.testing.probes import at, batch
from tests.clusters import Cluster

# What a collation, a normal form or a trimmed blank would make one, or put elsewhere.
NASTY = ("A", "Z", "a", "a ", "a\x00", "aa", "e\u0301", "é", "ß", "~", "~host", "~hosts", "\u202ea", "\U0001f600")


def keep(store: Storage, *tenants: bytes) -> None:
    """Let a store keep something of each of some tenants."""
    for tenant in tenants:
        store.commit(batch(Write(at(b"x", tenant), b"kept"), tenant=tenant))


def gathered(ids: AsyncIterator[str]) -> list[str]:
    """Return what an asynchronous iterator yields."""

    async def main() -> list[str]:
        return [one async for one in ids]

    return asyncio.run(main())


def test_every_tenant_is_listed_in_byte_order(any_store: Any) -> None:
    """Whatever the order they came in; the store lists the host's own part, and the list of customers has it not."""
    names = [name.encode() for name in NASTY]
    keep(any_store, *reversed(names))

    assert sorted(names) == list(any_store.tenants())
    assert [name.decode() for name in sorted(names) if name != b"~host"] == list(tenants_of(any_store))


@pytest.mark.parametrize("size", [1, 3, 7, 14, 15])
def test_pages_are_bounded_and_leave_nobody_out(any_store: Any, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer than asked for are the last; the id to go on after need not exist."""
    names = sorted(name.encode() for name in NASTY)
    keep(any_store, *names)
    found, page = list[bytes](), any_store.tenants(b"", size)
    while page:
        assert len(page) <= size
        found += page
        page = any_store.tenants(found[-1], size)
    monkeypatch.setattr(listing, "MAX_LIST", size)

    assert names == found
    assert len(names) - 1 == len(list(tenants_of(any_store)))
    assert [name for name in names if name > b"a\x01"] == list(any_store.tenants(b"a\x01"))
    assert [name.decode() for name in names if name > "é".encode()] == list(tenants_of(any_store, after="é"))


@pytest.mark.parametrize("limit", [-1, 0, 1_001])
def test_a_page_has_a_size(any_store: Any, limit: int) -> None:
    """As every page of the contract."""
    with pytest.raises(InvalidInput, match="limit"):
        any_store.tenants(b"", limit)


def test_more_than_a_page() -> None:
    """A thousand are asked for at a time."""
    store = MemoryStorage()
    names = [f"{number:05d}" for number in range(2_000)]
    keep(store, *[name.encode() for name in names])

    assert names == list(tenants_of(store))


def _leave_heads(store: Storage) -> None:
    """Commit what leaves nothing behind but, on some stores, a row of the head: nothing at all, and what conflicts."""
    store.commit(batch(tenant=b"nothing", entries=()))
    with suppress(Conflict):
        store.commit(batch(tenant=b"conflict", guards=[Guard(at(b"x", b"conflict"), Version(7))]))
    store.commit(batch(Write(at(b"x", b"taken back"), b""), tenant=b"taken back", entries=()))
    store.commit(batch(Write(at(b"x", b"taken back"), None), tenant=b"taken back", entries=()))


def test_a_tenant_is_one_of_which_something_is_kept(any_store: Any) -> None:
    """A record or an entry: what was said of somebody and came to nothing makes none, nor what is gone."""
    _leave_heads(any_store)
    any_store.commit(batch(Write(at(b"x", b"record"), b""), tenant=b"record", entries=()))
    any_store.commit(batch(tenant=b"entry"))

    assert ABSENT == any_store.read([at(b"x", b"conflict")], {})[0].version
    assert [b"entry", b"record"] == list(any_store.tenants())


def test_twins_that_list_every_head_are_caught(store: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twins: each lists tenants of which nothing is there."""
    monkeypatch.setattr(_postgres_tenants, "_TENANTS", "SELECT tenant FROM {0}.head WHERE tenant > %b LIMIT %b")
    monkeypatch.setattr(sqlite, "_TENANTS", "SELECT tenant FROM head WHERE tenant > ? LIMIT ?")
    with sqlite.SQLiteStorage(tmp_path / "links.db") as file:
        for one in (store, file):
            _leave_heads(one)
            assert one.tenants()


def test_an_id_that_is_damaged_is_not_passed_over(any_store: Any) -> None:
    """What is no text is listed so that whatever takes it refuses it by name."""
    keep(any_store, b"acme", b"ac\xffme")

    assert ["acme", "ac\udcffme"] == list(tenants_of(any_store))
    assert ["ac\udcffme"] == list(tenants_of(any_store, after="acme"))
    assert [] == list(tenants_of(any_store, after="ac\udcffme"))


def test_async_lists_the_same(any_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a worker thread, page by page."""
    keep(any_store, *[name.encode() for name in NASTY])
    monkeypatch.setattr(listing, "MAX_LIST", 4)

    assert list(tenants_of(any_store)) == gathered(tenants_of_async(ThreadedStorage(any_store)))
    assert ["e\u0301", "~"] == gathered(tenants_of_async(ThreadedStorage(any_store), after="aa"))[:2]


def test_async_postgres_lists_the_same(server: Cluster, schema: str, store: Any) -> None:
    """Without a thread."""
    keep(store, b"globex", b"acme", b"~host")

    async def main() -> list[str]:
        async with AsyncPostgresStorage(server.conninfo, schema=schema) as opened:
            return [one async for one in tenants_of_async(opened)]

    assert ["acme", "globex"] == asyncio.run(main())


@pytest.mark.parametrize("after", [None, 3, b"acme", "\ud800"])
def test_a_malformed_id_is_refused(after: Any) -> None:
    """At once, before anything is asked."""
    with pytest.raises(InvalidInput, match="after"):
        tenants_of(MemoryStorage(), after=after)
    with pytest.raises(InvalidInput, match="after"):
        tenants_of_async(ThreadedStorage(MemoryStorage()), after=after)


class Three:
    """A store of the three methods alone."""

    def __init__(self) -> None:
        self.read = self.list = self.commit = None


class Strange:
    """What raises whatever it is asked for."""

    def __getattr__(self, name: str) -> object:
        raise ValueError(name)


@pytest.mark.parametrize("store", [Three(), Strange(), None], ids=["three", "strange", "none"])
def test_a_store_that_cannot_say_it_is_told(store: Any) -> None:
    """Also behind a worker thread; three methods are enough for everything else."""
    with pytest.raises(Misconfigured, match=r"TenantList.*name the tenants"):
        tenants_of(store)
    with pytest.raises(Misconfigured, match="AsyncTenantList"):
        tenants_of_async(store)
    carried = ThreadedStorage(store)
    with pytest.raises(Misconfigured, match="TenantList"):
        gathered(tenants_of_async(carried))


def test_a_store_of_the_other_colour_is_told() -> None:
    """Before anything begins that nobody awaits."""
    plain: Any = MemoryStorage()
    carried: Any = ThreadedStorage(plain)
    with pytest.raises(Misconfigured, match="got ThreadedStorage"):
        tenants_of(carried)
    with pytest.raises(Misconfigured, match="got MemoryStorage"):
        tenants_of_async(plain)
    with pytest.raises(Misconfigured, match="got ThreadedStorage"):
        remove_tenant(carried, "acme")
    with pytest.raises(Misconfigured, match="got MemoryStorage"):
        asyncio.run(remove_tenant_async(plain, "acme"))
