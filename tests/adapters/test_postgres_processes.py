from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial

import psycopg
import pytest

from extlink import access, links, services
from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.postgres_schema import upgrade
from extlink.domain.secret import Secret
from extlink.ports import Entries, Storage
from extlink.runtime import ExtLink
from extlink.testing.probes import ACME, at, look, pages, paths, values
from tests import clusters
from tests.adapters.processes import Process, running
from tests.clusters import Cluster
from tests.schedules.world import ADDRESS, SCOPE, SERVICE, connected, prepared

pytestmark = pytest.mark.slow

PROCESSES = 8


_running = partial(running, "postgres_programs")


# One token, many who refresh it


def _contend(processes: Sequence[Process], token: str) -> list[str]:
    """Let every thread of every process refresh one token, and return what each was given."""
    for process in processes:
        process.tell(token)
    return [given for process in processes for given in process.hear().split(" ")]


def test_one_refresh_token_has_one_successor(server: Cluster, schema: str, deep: bool) -> None:
    """P12: 64 contenders, in eight processes, get the same answer in every round, and one lineage lives on."""
    rounds = 1_000 if deep else 100
    with ExitStack() as stack, PostgresStorage(server.conninfo, schema=schema) as store:
        hub, tenant, _ = prepared(store)
        token = connected(tenant).refresh_token.reveal()
        processes = [stack.enter_context(_running("refresh", server.conninfo, schema)) for _ in range(PROCESSES)]
        assert ["ready"] * PROCESSES == [process.hear() for process in processes]
        for _ in range(rounds):
            given = _contend(processes, token)
            assert 64 == len(given)
            assert {given[0]} == set(given)
            assert token != given[0]
            token = given[0]
        (link,) = tenant.acting_as("sato").run(links.of("sato"))

        assert "in_use" == str(link.state)
        refreshed = [item for item in pages(store, Entries(ACME, limit=1_000)) if b'"token.refreshed"' in item.value]  # type: ignore[operator]
        assert rounds == len(refreshed)
        assert isinstance(hub, ExtLink)


# A revocation, and who hears of it


Revocation = Callable[[ExtLink, str], None]


def _revoke(hub: ExtLink, link: str) -> None:
    hub.tenant("acme").acting_as("sato").run(links.revoke(link))


def _disable(hub: ExtLink, link: str) -> None:
    hub.tenant("acme").acting_as("admin", roles={"common_administrator"}).run(services.disable(SERVICE))


def _quarantine(hub: ExtLink, link: str) -> None:
    hub.host().run(services.quarantine_everywhere(SERVICE, "leak"))


@pytest.mark.parametrize("end", [_revoke, _disable, _quarantine], ids=lambda end: end.__name__[1:])
def test_what_one_process_ended_another_refuses(server: Cluster, schema: str, end: Revocation) -> None:
    """P8: a revoke in one process is refused by the other at its very next check, again and again."""
    with PostgresStorage(server.conninfo, schema=schema) as store, _running("check", server.conninfo, schema) as other:
        hub, tenant, admin = prepared(store)
        assert "ready" == other.hear()
        for _ in range(10):
            tokens = connected(tenant)
            token = tokens.access_token.reveal()
            assert ["True", "True"] == [other.ask(token), other.ask(token)]
            end(hub, tokens.link)
            assert "False" == other.ask(token)
            assert not tenant.run(access.check(Secret(token), scope=SCOPE, address=ADDRESS))
            hub.host().run(services.release_everywhere(SERVICE))
            admin.run(services.enable(SERVICE))


# Side by side


def test_increments_of_several_processes_lose_nothing(server: Cluster, schema: str) -> None:
    """Four processes add one, each fifty times, guarded by what they read."""
    with ExitStack() as stack:
        running = [stack.enter_context(_running("add", server.conninfo, schema, 50)) for _ in range(4)]
        assert [[]] * 4 == [process.output.readlines() for process in running]

    with PostgresStorage(server.conninfo, schema=schema) as store:
        assert [b"200"] == values(store, at(b"count"))
        assert 200 == len(pages(store, Entries(ACME)))


# Stopped hard

WRITERS = ("one", "two")


def _faults(store: Storage, acknowledged: dict[str, dict[int, int]]) -> list[str]:
    """Return what is wrong with a store whose server was stopped, after it acknowledged positions to each writer."""
    entries = pages(store, Entries(ACME, limit=1_000))
    bodies = [(item.value or b"").decode() for item in entries]
    faults: list[str] = []
    for name, positions in acknowledged.items():
        count = len([body for body in bodies if body.startswith(f"{name} ")]) // 2
        mine = [body for body in bodies if body.startswith(f"{name} ")]
        expected = [f"{name} {number} {part}" for number in range(1, count + 1) for part in ("first", "second")]
        if mine != expected:
            faults.append(f"the entries of {name} are not each there once, in order")
        for number, position in positions.items():
            if len(bodies) < position or bodies[position - 1] != f"{name} {number} second":
                faults.append(f"{name} was told that {number} is at {position}")
        if values(store, at(f"count/{name}".encode())) != [b"%d" % count]:
            faults.append(f"the count of {name} is not the ledger's")
        for number in range(1, count + 1):
            found = look(store, *[at(f"{side}/{name}/{number}".encode()) for side in ("left", "right")])
            mine_too = [item.version for item, body in zip(entries, bodies, strict=True) if f"{name} {number} " in body]
            if {one.version for one in found} != set(mine_too):
                faults.append(f"batch {number} of {name} is half there")
    if [int.from_bytes(item.key.path) for item in entries] != list(range(1, len(entries) + 1)):
        faults.append("the numbers have gaps")
    if len(paths(store)) != len(entries) + len(acknowledged):
        faults.append("records are missing or too many")
    return faults


def _heard(acknowledged: dict[str, dict[int, int]], name: str, line: str) -> None:
    number, position = map(int, line.split())
    acknowledged[name][number] = position


@pytest.fixture
def own_server() -> Iterator[Cluster]:
    """Start a server that may be stopped."""
    clusters.require()
    server = Cluster(clusters.VERSIONS[clusters.newest()])
    yield server
    server.remove()


def test_stopped_hard_under_load_nothing_acknowledged_is_lost(own_server: Cluster, deep: bool) -> None:
    """P18: the server is stopped at once, again and again: what was acknowledged is there, and nothing by halves."""
    upgrade(own_server.conninfo)
    rounds = random.Random(20200609)
    acknowledged: dict[str, dict[int, int]] = {name: {} for name in WRITERS}
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(_running("commit_for_ever", own_server.conninfo, "extlink", name))
            for name in WRITERS
        }
        for _ in range(500 if deep else 20):
            for name, process in running.items():
                for _ in range(rounds.randint(1, 20)):
                    _heard(acknowledged, name, process.hear())
            own_server.stop_hard()
            own_server.start()
        for name, process in running.items():
            for line in process.kill():
                if line.endswith("\n"):
                    _heard(acknowledged, name, line)
    with PostgresStorage(own_server.conninfo) as store:
        assert [] == _faults(store, acknowledged)
        assert all(max(positions) >= 20 for positions in acknowledged.values())


def test_a_lost_or_torn_commit_would_be_seen(server: Cluster, schema: str) -> None:
    """The control: the same look finds a store that lost a record, an entry or everything."""
    acknowledged: dict[str, dict[int, int]] = {"one": {}}
    with _running("commit_for_ever", server.conninfo, schema, "one") as process:
        for _ in range(5):
            _heard(acknowledged, "one", process.hear())
        for line in process.kill():
            _heard(acknowledged, "one", line)
    with PostgresStorage(server.conninfo, schema=schema) as store, psycopg.connect(server.conninfo) as connection:
        connection.autocommit = True
        assert [] == _faults(store, acknowledged)
        for statement, fault in (
            ("DELETE FROM extlink.record WHERE path = 'left/one/1'", "batch 1 of one is half there"),
            ("DELETE FROM extlink.entry WHERE position = 3", "the numbers have gaps"),
            ("DELETE FROM extlink.entry", "one was told that 5 is at 10"),
        ):
            connection.execute(statement.replace("extlink", schema).encode())
            assert fault in _faults(store, acknowledged)
