from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from extlink import tenants
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.moving import fingerprint
from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.postgres_purge import Purged, purge
from extlink.adapters.upkeep import collect_marks
from extlink.domain.instant import Instant
from extlink.errors import Conflict, InvalidInput, Misconfigured, Refused, Unavailable
from extlink.ports import Batch, Position, Records, Write, prefix
from extlink.records import MARKS
from extlink.testing.probes import ACME, at, batch, ledger, paths, put
from tests.clusters import Cluster
from tests.fakes import NOW, FrozenClock
from tests.hosts import Host
from tests.schedules.world import hub_over
from tests.stateful.story import tell


def _marked(number: int, age: int, store: MemoryStorage) -> None:
    key = at(prefix("n", f"link {number:04d}"))
    store.commit(batch(Write(key, MARKS.encode({"link.expired": 1}, Instant(NOW - age))), entries=()))


# Marks


def test_old_marks_go_and_nothing_else() -> None:
    """Every other record, every epoch and the ledger are byte for byte as they were."""
    store, clock = MemoryStorage(), FrozenClock()
    tell(hub_over(store, clock=clock), clock)
    assert 0 == collect_marks(store, "acme", before=Instant(NOW - 10**6))
    marks = paths(store, prefix("n"))
    for path in marks:
        put(store, at(path), None)
    before = fingerprint(store, "acme")
    for number in range(450):
        _marked(number, 90_000, store)
    for number in range(450, 460):
        _marked(number, 10, store)

    assert 450 == collect_marks(store, "acme", before=Instant(NOW - 86_400))
    assert 10 == len(paths(store, prefix("n")))
    assert 10 == collect_marks(store, "acme", before=Instant(NOW))
    assert before == fingerprint(store, "acme")


def test_a_mark_that_changes_meanwhile_stays() -> None:
    """Somebody is refused at this very moment."""

    class Busy(MemoryStorage):
        def commit(self, batch: Batch) -> Position:
            if batch.guards:
                raise Conflict("changed")
            return super().commit(batch)

    store = Busy()
    _marked(1, 90_000, store)

    assert 0 == collect_marks(store, "acme", before=NOW)
    assert 1 == len(paths(store, prefix("n")))


def test_a_refusal_is_recorded_again_after_its_mark_went() -> None:
    """Nothing but a repetition within the hour was kept back by it."""
    host = Host.prepared()
    tokens = host.connect()
    host.admin.run(tenants.end_links("a leak"))
    host.check(tokens.access_token)
    refused = host.events().count("access.refused")
    host.check(tokens.access_token)
    assert refused == host.events().count("access.refused") == 1
    assert 1 == collect_marks(host.store, "acme", before=Instant(NOW + 1))
    host.check(tokens.access_token)

    assert 2 == host.events().count("access.refused")


@pytest.mark.parametrize("before", ["yesterday", 1.5, None, True])
def test_malformed_arguments_are_refused(before: object) -> None:
    """A tenant has an id, and an instant is whole seconds."""
    with pytest.raises(InvalidInput, match="before"):
        collect_marks(MemoryStorage(), "acme", before=before)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="tenant"):
        collect_marks(MemoryStorage(), "", before=NOW)


# A whole tenant


def test_a_purged_tenant_is_gone_and_others_are_not(server: Cluster, schema: str, store: PostgresStorage) -> None:
    """Records, ledger and head go; the neighbour and the host stay as they were, and its id may be opened anew."""
    clock = FrozenClock()
    hub = hub_over(store, clock=clock)
    tell(hub, clock)
    hub.open_tenant("neighbour", edition="JP", products={"kintone"})
    store.commit(batch(*[Write(at(b"z%04d" % number), b"x") for number in range(1_000)], entries=[b"{}"] * 1_100))
    others = [fingerprint(store, name) for name in ("neighbour", "~host")]
    before = fingerprint(store, "acme")

    assert Purged(before.records, before.entries) == purge(server.conninfo, "acme", schema=schema)
    assert Purged(0, 0) == purge(server.conninfo, "acme", schema=schema)
    assert ((), []) == (store.list(Records(ACME, b"")).items, ledger(store))
    assert others == [fingerprint(store, name) for name in ("neighbour", "~host")]
    with psycopg.connect(server.conninfo) as connection:
        heads = connection.execute(f"SELECT tenant FROM {schema}.head".encode()).fetchall()  # noqa: S608 - our own name
    assert {b"neighbour", b"~host"} == {bytes(tenant) for (tenant,) in heads}
    with pytest.raises(Refused, match=r"tenant\.not_open"):
        hub.tenant("acme").acting_as("operations", roles={"host"}).run(tenants.end_links("x"))


def test_what_cannot_be_purged(server: Cluster, tmp_path: Path) -> None:
    """The host's own part, a tenant without an id, a database without tables, a server that is away."""
    for tenant in ("~host", "", None):
        with pytest.raises(InvalidInput, match="tenant"):
            purge(server.conninfo, tenant)  # type: ignore[arg-type]
    with pytest.raises(Misconfigured, match="extlink schema upgrade"):
        purge(server.conninfo, "acme", schema="none")
    with pytest.raises(Unavailable, match="look at the server"):
        purge(f"host={tmp_path}", "acme")
