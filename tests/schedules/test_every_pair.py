"""Every pair of operations in every interleaving: found by import, so that a new operation cannot be forgotten.

Two operations meet where one writes a record that the other reads or writes, or a list that the other asks for. In CI
those pairs are played, without schedules that nobody can tell from one that is played; the long tier plays all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations_with_replacement

import pytest

from extlink.adapters.directory import AsyncInMemoryDirectory
from extlink.domain.tenant import HOST
from extlink.idempotency import takes_a_key
from extlink.ports import Batch, Entries, Key, Page, Position, Query, Storage, Stored, Version
from extlink.testing import Exploration, NotLinearizable, Worker, linearizable
from tests.hosts import ACME, ALL_ROLES
from tests.operations import definition_of
from tests.schedules.scheduler import unguarded
from tests.testing.rehearsal import NAMES, operation, prepared, run, stage

PARTS = 8


class Noting:
    """A store that notes which records a run reads, lists and writes."""

    def __init__(self, inner: Storage) -> None:
        self._inner = inner
        self.read_keys: set[Key] = set()
        self.lists: list[Query] = []
        self.written: set[Key] = set()
        self.entered: set[bytes] = set()

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        self.read_keys.update(keys)
        return self._inner.read(keys, known)

    def list(self, query: Query) -> Page:
        self.lists.append(query)
        return self._inner.list(query)

    def commit(self, batch: Batch) -> Position:
        self.written.update(write.key for write in batch.writes)
        if batch.entries:
            self.entered.add(batch.tenant)
        return self._inner.commit(batch)

    def writes_for(self, other: Noting) -> bool:
        """Whether this run wrote what another one reads, lists or writes."""
        if not self.written.isdisjoint(other.read_keys | other.written):
            return True
        return any(self._is_listed(query) for query in other.lists)

    def _is_listed(self, query: Query) -> bool:
        if isinstance(query, Entries):
            return query.tenant in self.entered
        return any(key.tenant == query.tenant and key.path.startswith(query.prefix) for key in self.written)


@cache
def noted(name: str) -> Noting:
    """Return what an operation touches when it is alone."""
    noting = Noting(prepared())
    run(noting, name)
    return noting


def meet(one: str, other: str) -> bool:
    """Whether two operations could notice each other."""
    return noted(one).writes_for(noted(other)) or noted(other).writes_for(noted(one))


def worker(name: str, key: str | None = None) -> Worker:
    """Return an operation as one that sato runs, with every role."""
    tenant = "another" if name == "tenants.open_tenant" else HOST if definition_of(name).by == {"host"} else ACME
    return Worker(operation(name), "sato", tuple(ALL_ROLES), tenant=tenant, idempotency_key=key)


def exploration(*workers: Worker, reduce: bool = True) -> Exploration:
    """Return the interleavings of some workers on the stage."""
    host = stage().host
    return Exploration(
        workers=workers,
        prepare=prepared,
        keys=host.hub._keys,
        directory=AsyncInMemoryDirectory(host.directory),
        now=host.clock.now(),
        tenants=(ACME, "another", HOST),
        reduce=reduce,
    )


PAIRS = tuple(combinations_with_replacement(NAMES, 2))
COMMANDS = tuple(name for name in NAMES if takes_a_key(definition_of(name)))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_pair_of_operations(part: int, deep: bool) -> None:
    """Whatever two operations are under way at once, both come to what they come to in one of the two orders."""
    chosen = [pair for pair in PAIRS[part::PARTS] if deep or meet(*pair)]
    played = [linearizable(exploration(worker(one), worker(other), reduce=not deep)) for one, other in chosen]

    assert len(played) < sum(played)


def test_pairs_that_meet_are_many() -> None:
    """The choice of CI leaves out what touches other records alone, and nothing that the issue names."""
    met = {pair for pair in PAIRS if meet(*pair)}

    assert len(PAIRS) == len(NAMES) * (len(NAMES) + 1) // 2
    assert 400 <= len(met) < len(PAIRS)
    for pair in (("links.refresh", "links.revoke"), ("access.check", "links.revoke"), ("links.redeem", "links.redeem")):
        assert pair in met
    assert ("networks.add", "users.suspend") not in met


TRIPLES = (
    ("services.disable", "services.enable", "links.redeem"),
    ("users.suspend", "links.revoke", "access.check"),
    ("grants.exclude", "grants.include", "grants.allow"),
    ("networks.restrict", "networks.deny_all", "networks.add"),
    ("services.quarantine_everywhere", "services.release_everywhere", "links.accept"),
)


@pytest.mark.slow
@pytest.mark.parametrize("names", TRIPLES, ids=" ".join)
def test_chosen_triples_of_operations(names: tuple[str, str, str]) -> None:
    """What ends, pauses or permits something, twice over, beside what depends on it."""
    assert linearizable(exploration(*map(worker, names))) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_two_deliveries_of_a_command_at_once(name: str, deep: bool) -> None:
    """Delivered twice at the same time under one key, a command has one effect, in every interleaving (P19)."""
    both = worker(name, "7f1c"), worker(name, "7f1c")
    alone = len(exploration(both[0]).in_order((0,)).dump.ledger[both[0].tenant.encode()])
    for played in exploration(*both, reduce=not deep).runs():
        assert played.outcomes[0] == played.outcomes[1], played.schedule
        assert alone == len(played.dump.ledger[both[0].tenant.encode()]), played.schedule


@pytest.mark.parametrize("name", ["links.accept", "links.redeem", "triggers.subscribe"])
def test_two_deliveries_without_guards_are_caught(name: str) -> None:
    """The broken twin: a store that lets both through."""
    both = worker(name, "7f1c"), worker(name, "7f1c")
    played = list(unguarded(exploration(*both)).runs())

    assert any(one.outcomes[0] != one.outcomes[1] for one in played)


@pytest.mark.parametrize(
    ("one", "other"), [("links.refresh", "links.revoke"), ("grants.allow", "grants.exclude"), ("networks.add",) * 2]
)
def test_a_store_without_guards_is_caught(one: str, other: str) -> None:
    """The broken twin: pairs of this list, on a store that applies whatever it is given."""
    with pytest.raises(NotLinearizable) as caught:
        linearizable(unguarded(exploration(worker(one), worker(other))))

    # What a failure prints plays it again.
    schedule = caught.value.schedule
    again = unguarded(exploration(worker(one), worker(other))).replay(schedule)
    assert str(caught.value).startswith(f"replay({schedule}) of ")
    assert schedule == again.schedule
    assert str(again.outcomes) in str(caught.value)
