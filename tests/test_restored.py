"""Ending the links of many tenants: each by itself, whatever becomes of the others, and again after a kill."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from extlink import AsyncExtLink, KeyRing, Secret, ThreadedDirectory, ThreadedStorage, ledger
from extlink.adapters.listing import tenants_of, tenants_of_async
from extlink.adapters.memory import MemoryStorage
from extlink.errors import Contention, CorruptRecord, InvalidInput, Misconfigured, Unavailable
from extlink.ports import Batch, Position, Write
from extlink.records import tenant_key
from extlink.restored import LinksEnded, end_all_links, end_all_links_async
from extlink.runtime import ExtLink
from extlink.testing.probes import batch
from tests.fakes import FrozenClock
from tests.hosts import another_hub, people

NAMES = [f"tenant-{number}" for number in range(7)]


class Failing(MemoryStorage):
    """A store that raises what it is told to, at a commit of some tenant."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: dict[bytes, Exception] = {}

    def commit(self, batch: Batch) -> Position:
        if batch.tenant in self.errors:
            raise self.errors[batch.tenant]
        return super().commit(batch)


def _made() -> tuple[Failing, ExtLink]:
    store = Failing()
    hub = another_hub(store, people(), FrozenClock())
    for name in NAMES:
        hub.open_tenant(name, edition="JP", products={"kintone"})
    return store, hub


def _epochs(hub: ExtLink) -> list[int]:
    """Return how often the links of each tenant were ended, as its ledger says."""
    found = []
    for name in NAMES:
        entries = hub.tenant(name).acting_as("x", roles={"host"}).run(ledger.entries()).entries
        found.append(sum(entry.event == "tenant.links_ended" for entry in entries))
    return found


def test_every_tenant_of_a_store_is_done() -> None:
    """Once, under one cause, by whoever says so."""
    store, hub = _made()

    assert LinksEnded(7) == end_all_links(hub, tenants_of(store), "a restore", user="kato")
    assert [1] * 7 == _epochs(hub)
    entry = hub.tenant(NAMES[0]).acting_as("x", roles={"host"}).run(ledger.entries()).entries[-1]
    assert ("kato", "a restore", "tenants.end_links") == (entry.user, entry.details["cause"], entry.operation)


def test_one_tenants_trouble_is_its_own() -> None:
    """Damaged, contended, not open, no tenant at all: each is named with its reason, in order."""
    store, hub = _made()
    store.commit(batch(Write(tenant_key(NAMES[2]).key, b"{"), tenant=NAMES[2].encode(), entries=()))
    store.errors = {NAMES[4].encode(): Contention("busy"), NAMES[5].encode(): CorruptRecord("damaged")}
    named: list[Any] = [*NAMES, "nobody", "~host", "", 3]
    ended = end_all_links(hub, named, "a restore")

    assert (4, False) == (ended.tenants, bool(ended))
    assert [NAMES[2], NAMES[4], NAMES[5], "nobody", "~host", "str", "int"] == [name for name, _ in ended.failed]
    reasons = ("a record of kind t", "busy", "damaged", "tenant.not_open", "tenant: ", "tenant: ", "tenant: ")
    assert [True] * 7 == [why.startswith(one) for (_, why), one in zip(ended.failed, reasons, strict=True)]


@pytest.mark.parametrize("at", range(7))
def test_it_is_killed_and_run_again(at: int) -> None:
    """In any tenant: who was done is done once more, and everybody is."""
    store, hub = _made()
    store.errors = {NAMES[at].encode(): Unavailable("gone")}
    with pytest.raises(Unavailable):
        end_all_links(hub, tenants_of(store), "a restore")
    store.errors = {}

    assert [1] * at + [0] * (7 - at) == _epochs(hub)
    assert LinksEnded(7) == end_all_links(hub, tenants_of(store), "a restore")
    assert [2] * at + [1] * (7 - at) == _epochs(hub)


def test_a_twin_that_stops_at_the_first_trouble_is_caught() -> None:
    """The broken twin: one damaged tenant, and those after it are as live as before."""
    store, hub = _made()
    store.errors = {NAMES[1].encode(): CorruptRecord("damaged")}

    def twin() -> None:
        for name in NAMES:
            if not end_all_links(hub, [name], "a restore"):
                return

    twin()
    assert [1, 0, 0, 0, 0, 0, 0] == _epochs(hub)
    end_all_links(hub, NAMES, "a restore")
    assert [2, 0, 1, 1, 1, 1, 1] == _epochs(hub)


def _broken() -> Iterator[str]:
    yield NAMES[0]
    raise RuntimeError("the list is gone")


def _away() -> Iterator[str]:
    yield NAMES[0]
    raise Unavailable("the store is gone")


@attrs.frozen
class Arguments:
    """What `end_all_links` is asked with."""

    field: str
    tenants: Any = ("tenant-0",)
    cause: Any = "a restore"
    user: Any = "operations"


@pytest.mark.parametrize(
    "arguments",
    [
        Arguments("tenants", tenants="tenant-0"),
        Arguments("tenants", tenants=b"tenant-0"),
        Arguments("tenants", tenants=None),
        Arguments("tenants", tenants=3),
        Arguments("cause", cause=None),
        Arguments("cause", cause="x" * 256),
        Arguments("user", user=""),
        Arguments("user", user=None),
    ],
    ids=str,
)
def test_malformed_arguments_end_nothing(arguments: Arguments) -> None:
    """Not even in the first tenant."""
    _, hub = _made()
    with pytest.raises(InvalidInput) as caught:
        end_all_links(hub, arguments.tenants, arguments.cause, user=arguments.user)

    assert arguments.field == caught.value.field
    assert [0] * 7 == _epochs(hub)


def test_a_list_that_breaks_off_says_so() -> None:
    """What was ended is ended."""
    _, hub = _made()
    with pytest.raises(InvalidInput, match="what was done is done"):
        end_all_links(hub, _broken(), "a restore")
    with pytest.raises(Unavailable, match="the store is gone"):
        end_all_links(hub, _away(), "a restore")

    assert [2, 0, 0, 0, 0, 0, 0] == _epochs(hub)


@pytest.mark.parametrize("hub", [AsyncExtLink.in_memory(), None])
def test_it_takes_the_hub_of_a_synchronous_host(hub: Any) -> None:
    """With nothing awaited, nothing would end."""
    with pytest.raises(InvalidInput, match=r"there is end_all_links_async$"):
        end_all_links(hub, ["tenant-0"], "a restore")


def test_from_asyncio_it_comes_to_the_same() -> None:
    """Every tenant is done, trouble is named; a synchronous hub is refused before anything seems done."""
    store, hub = _made()
    store.errors = {NAMES[3].encode(): CorruptRecord("damaged")}
    keys = KeyRing({"k1": Secret("5a" * 32)}, current="k1")

    async def ended() -> LinksEnded:
        async with ThreadedStorage(store) as threaded:
            other = AsyncExtLink(threaded, keys=keys, directory=ThreadedDirectory(people()), clock=FrozenClock())
            names = [name async for name in tenants_of_async(threaded)]
            return await end_all_links_async(other, names, "a restore")

    assert LinksEnded(6, ((NAMES[3], "damaged"),)) == asyncio.run(ended())
    assert [1, 1, 1, 0, 1, 1, 1] == _epochs(hub)
    synchronous: Any = hub
    with pytest.raises(InvalidInput, match=r"there is end_all_links$"):
        _ = end_all_links_async(synchronous, NAMES, "a restore")


def test_a_hub_with_other_keys_ends_nothing() -> None:
    """It is told at once, not once for each tenant."""
    store, hub = _made()
    with pytest.raises(Misconfigured, match="keys"):
        end_all_links(ExtLink(store, keys=ExtLink.in_memory()._keys, directory=people()), NAMES, "a restore")

    assert [0] * 7 == _epochs(hub)
