"""A server that is stopped hard under load, again and again (PROMISES P18 and P19)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from extlink.adapters.postgres_schema import upgrade
from extlink.errors import Unavailable
from extlink.ports import Batch, Position, Storage
from extlink.testing import FaultyStorage
from tests import clusters
from tests.adapters import programs
from tests.adapters.acknowledged import Chain, Fault, faults, hear_position
from tests.adapters.places import Place
from tests.clusters import Cluster
from tests.processes import running

pytestmark = pytest.mark.slow

WRITERS = ("one", "two")


@pytest.fixture
def own_server() -> Iterator[Cluster]:
    """Start a server that may be stopped."""
    clusters.require()
    server = Cluster(clusters.VERSIONS[clusters.newest()])
    yield server
    server.remove()


def _place(server: Cluster, schema: str) -> Place:
    upgrade(server.conninfo, schema=schema)
    return Place(server.conninfo, schema)


def test_stopped_hard_under_load_nothing_acknowledged_is_lost(own_server: Cluster, deep: bool) -> None:
    """What was acknowledged is there, nothing is there by halves, and what is delivered again has one effect.

    Two processes write batches, a third exchanges refresh tokens; each sends again what it knows no outcome of.
    """
    place, chain = _place(own_server, "batches"), Chain.make(_place(own_server, "links"))
    rounds = random.Random(20200609)
    told: dict[str, dict[int, int]] = {name: {} for name in WRITERS}
    with ExitStack() as stack:
        writers = {name: stack.enter_context(running(programs.write, *place, name)) for name in WRITERS}
        client = stack.enter_context(running(programs.exchange, *chain.place, chain.done, chain.held, "keyed"))
        for _ in range(500 if deep else 20):
            for _ in range(rounds.randint(1, 20)):
                for name, process in writers.items():
                    hear_position(told[name], process.hear())
                chain.acknowledge(client.hear())
            own_server.stop_hard()
            own_server.start()
            # One that nobody hears would stand still; what it said before the stop is the past.
            for name, process in writers.items():
                for line in process.heard():
                    hear_position(told[name], line)
            for line in client.heard():
                chain.acknowledge(line)
        for name, process in writers.items():
            for line in process.kill():
                hear_position(told[name], line)
        for line in client.kill():
            chain.acknowledge(line)
    with place.open() as store:
        assert [] == faults(store, told)
    chain.judge()
    chain.settle()
    assert chain.done == chain.judge()
    assert all(len(positions) >= 20 for positions in [*told.values(), range(chain.done)])


class _Stopped(FaultyStorage):
    """Stops its server as soon as a commit is done: the answer is lost, and whoever asks again is told nothing."""

    def __init__(self, inner: Storage, server: Cluster) -> None:
        super().__init__(inner)
        self._server = server

    def commit(self, batch: Batch) -> Position:
        if not self.failed:
            self.failed = True
            self.inner.commit(batch)
            self._server.stop_hard()
        raise Unavailable("the server is away")


@pytest.mark.parametrize("keyed", [True, False])
def test_a_command_whose_answer_the_stop_took_is_delivered_again(own_server: Cluster, keyed: bool) -> None:
    """With its key it has one effect; without, the broken twin, it has two."""
    chain = Chain.make(_place(own_server, "links"))
    with chain.place.open() as store, pytest.raises(Unavailable):
        chain.deliver(_Stopped(store, own_server), keyed=keyed)
    own_server.start()
    chain.settle(keyed=keyed)

    if keyed:
        assert 1 == chain.judge() == chain.done
    else:
        with pytest.raises(Fault, match="the last entries are"):
            chain.judge()
