from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from extlink import access, links
from extlink.adapters import _sqlite
from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.sqlite import SQLiteStorage
from extlink.adapters.system import SystemEntropy
from extlink.domain.token_ledger import TokenSet
from extlink.ports import Batch, Key, Page, Position, Query, Storage, Stored, Version
from extlink.runtime import ExtLink
from tests.clusters import Cluster
from tests.fakes import FrozenClock
from tests.schedules.world import ADDRESS, CLIENT, KEYS, PEOPLE, SCOPE, TENANT, connected, prepared

WORKERS = 3
CALLS = 3
# A commit waits for the disk, a check does not: of fewer, all are over before a revocation has returned.
CALLS_ON_A_FILE = 12


class Call(NamedTuple):
    """One call of a history: when it began and ended, what was asked, whether it was granted."""

    began: int
    ended: int
    what: str
    granted: bool


def is_linearizable(history: Sequence[Call]) -> bool:
    """Return whether one order explains a history: each call at one moment between its begin and its end.

    The model: a link lives until it is revoked; a check and a refresh are granted if and only if it lives.
    """

    @cache
    def explains(left: frozenset[Call], lives: bool) -> bool:
        first_end = min((call.ended for call in left), default=0)
        return not left or any(
            explains(left - {call}, lives and call.what != "revoke")
            for call in left
            if call.began <= first_end and (call.what == "revoke" or call.granted == lives)
        )

    return explains(frozenset(history), True)


class Lagging:
    """The twin: a store whose reads may be a little old, as from a replica or a cache with a time to live."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._kept: dict[Key, Stored] = {}

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        found = [self._kept.get(one.key, one) for one in self._storage.read(keys, {})]
        self._kept = {one.key: one for one in found} if random.random() < 0.5 else {}
        return [one._replace(value=None) if one.version == known.get(one.key) else one for one in found]

    def list(self, query: Query) -> Page:
        return self._storage.list(query)

    def commit(self, batch: Batch) -> Position:
        return self._storage.commit(batch)


def _histories(stores: Sequence[Storage], count: int, calls: int = CALLS) -> Iterator[list[Call]]:
    """Yield what workers saw who check, refresh and revoke one link, each through a hub of its own."""
    _, tenant, _ = prepared(stores[0])
    draw = random.Random(20200609)
    hubs = [
        ExtLink(stores[worker % len(stores)], keys=KEYS, directory=PEOPLE, clock=FrozenClock(), entropy=SystemEntropy())
        for worker in range(WORKERS)
    ]
    with ThreadPoolExecutor(WORKERS) as threads:
        for _ in range(count):
            tokens = connected(tenant)
            start = threading.Barrier(WORKERS)
            plans = [draw.choices(["check", "refresh", "revoke"], [6, 3, 1], k=calls) for _ in range(WORKERS)]
            plans[0][draw.randrange(calls)] = "revoke"
            done = threads.map(_work, hubs, plans, [tokens] * WORKERS, [start] * WORKERS)
            yield [call for calls in done for call in calls]


def _work(hub: ExtLink, plan: Sequence[str], tokens: TokenSet, start: threading.Barrier) -> list[Call]:
    tenant = hub.tenant(TENANT)
    ask: Mapping[str, Callable[[], bool]] = {
        "check": lambda: bool(tenant.run(access.check(tokens.access_token, scope=SCOPE, address=ADDRESS))),
        "refresh": lambda: isinstance(tenant.run(links.refresh(tokens.refresh_token, client=CLIENT)), TokenSet),
        "revoke": lambda: bool(tenant.acting_as("sato").run(links.revoke(tokens.link))),
    }
    start.wait()
    calls: list[Call] = []
    for what in plan:
        began = time.monotonic_ns()
        granted = ask[what]()
        calls.append(Call(began, time.monotonic_ns(), what, granted))
    return calls


@pytest.mark.slow
def test_every_history_has_an_order(server: Cluster, schema: str, deep: bool) -> None:
    """P8: whatever workers on two stores see of checks, refreshes and revocations, one order explains it."""
    with (
        PostgresStorage(server.conninfo, schema=schema) as one,
        PostgresStorage(server.conninfo, schema=schema) as other,
    ):
        histories = list(_histories([one, other], 10_000 if deep else 1_000))

    assert [] == [history for history in histories if not is_linearizable(history)]
    refused = sum(not call.granted for history in histories for call in history)
    assert 0 < refused < sum(map(len, histories))


@pytest.mark.slow
def test_every_history_has_an_order_on_sqlite(tmp_path: Path, deep: bool) -> None:
    """P8: the same of two stores over one file, whose connections remember what they saw until the other commits."""
    file = tmp_path / "links.db"
    with SQLiteStorage(file) as one, SQLiteStorage(file) as other:
        histories = list(_histories([one, other], 10_000 if deep else 1_000, CALLS_ON_A_FILE))

    assert [] == [history for history in histories if not is_linearizable(history)]
    refused = sum(not call.granted for history in histories for call in history)
    assert 0 < refused < sum(map(len, histories))


@pytest.mark.slow
def test_connections_that_hear_of_no_change_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: connections that take what they once saw for what is there let some history have no order."""
    monkeypatch.setattr(_sqlite.Connection, "changes", lambda _: 1)
    file = tmp_path / "links.db"
    with SQLiteStorage(file) as one, SQLiteStorage(file) as other:
        assert not all(map(is_linearizable, _histories([one, other], 10_000, CALLS_ON_A_FILE)))


@pytest.mark.slow
def test_a_store_that_lags_is_found(server: Cluster, schema: str) -> None:
    """The control: some history of a lagging store has no order."""
    with PostgresStorage(server.conninfo, schema=schema) as store:
        lagging = Lagging(store)

        assert not all(map(is_linearizable, _histories([store, lagging], 2_000)))


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([(0, 1, "check", True), (2, 3, "revoke", True), (4, 5, "check", False)], True),
        ([(0, 1, "revoke", True), (2, 3, "check", True)], False),
        ([(0, 3, "revoke", True), (1, 2, "check", True)], True),
        ([(0, 9, "revoke", True), (1, 2, "check", False), (3, 4, "check", True)], False),
        ([(0, 9, "revoke", True), (1, 2, "refresh", True), (1, 4, "check", False)], True),
        ([(0, 1, "check", False)], False),
        ([(0, 1, "revoke", True), (2, 3, "refresh", True)], False),
    ],
)
def test_the_checker_knows_an_order_when_it_sees_one(history: list[tuple[int, int, str, bool]], expected: bool) -> None:
    """Calls that overlap may be in either order; one that ended before another began is before it."""
    assert expected is is_linearizable([Call(*call) for call in history])
