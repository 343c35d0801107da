"""`access.explain_many` and `access.check_many`: one snapshot, few round trips, and what a loop would have written."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace

import attrs
import pytest

from extlink import access, links, services, users
from extlink.adapters.directory import InMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.moving import copy_tenant
from extlink.domain.decision import Decision
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing
from extlink.errors import InvalidInput, Refused
from extlink.operation import Operation
from extlink.ports import Batch, Key, Page, Position, Query, Storage, Stored, Version
from extlink.runtime import ExtLink, Tenant
from tests.fakes import CountingEntropy, FrozenClock
from tests.hosts import SERVICE, Host, codes, dump

READ, WRITE = "k:app_record:read", "k:app_record:write"
KEYS = KeyRing({"k1": Secret("5a" * 32)}, current="k1")
DAY = 86_400

Ask = Callable[[Tenant, Sequence[Operation[Decision]]], Sequence[Decision]]


class Watched:
    """A store that counts its calls, and does something before one of its reads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.calls: list[str] = []
        self.before: Mapping[int, Callable[[], object]] = {}

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        self.calls.append("read")
        act = self.before.get(self.calls.count("read"))
        if act is not None:
            act()
        return self._storage.read(keys, known)

    def list(self, query: Query) -> Page:
        self.calls.append("list")
        return self._storage.list(query)

    def commit(self, batch: Batch) -> Position:
        self.calls.append("commit")
        return self._storage.commit(batch)


class Met:
    """A directory that counts how it is asked."""

    def __init__(self, directory: InMemoryDirectory) -> None:
        self.directory = directory
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., object]:
        self.calls.append(name)
        found: Callable[..., object] = getattr(self.directory, name)
        return found


def _process(host: Host, storage: Storage, *, seed: int = 10**6) -> Tenant:
    """Return the tenant in a process that has cached nothing."""
    hub = ExtLink(storage, keys=KEYS, directory=host.directory, clock=host.clock, entropy=CountingEntropy(seed))
    tenant = hub.tenant("acme").acting_as("admin-1", roles={"common_administrator"})
    with pytest.raises(Refused):
        tenant.run(services.enable("nowhere"))  # the keys are looked at once, and this is not what is measured
    return tenant


def failing(host: Host) -> Tenant:
    """Return the tenant of a process whose directory fails."""

    def fail(*_: object) -> object:
        raise OSError

    directory = SimpleNamespace(member=fail, get=fail, page=fail, organizations=fail)
    return _process(attrs.evolve(host, directory=directory), host.store)  # type: ignore[arg-type] # it has the methods


def measured(host: Host, asked: Operation[object]) -> tuple[list[str], list[str]]:
    """Return the calls of the store and of the directory that an operation costs a process that has cached nothing."""
    store, met = Watched(host.store), Met(host.directory)
    tenant = _process(attrs.evolve(host, directory=met), store)  # type: ignore[arg-type] # it answers as one
    return _calls(store, met, lambda: tenant.run(asked))


def _batch(tenant: Tenant, asked: Sequence[Operation[Decision]]) -> Sequence[Decision]:
    return tenant.run(access.check_many(asked))


def _loop(tenant: Tenant, asked: Sequence[Operation[Decision]]) -> Sequence[Decision]:
    return [tenant.run(one) for one in asked]


@attrs.frozen
class Town:
    """People with tokens: good ones, one that was revoked, one of somebody suspended, and junk."""

    host: Host
    tokens: tuple[Secret, ...]

    @classmethod
    def make(cls) -> Town:
        host = Host.prepared()
        made = [host.connect(user) for user in ("sato", "suzuki", "tanaka")]
        host.admin.run(services.set_dormancy(SERVICE, days=30))
        again = host.user("sato").run(links.of("sato"))
        assert 1 == len(again[0].links)
        host.user("tanaka").run(links.revoke(made[2].link))
        tokens = [one.access_token for one in made]
        return cls(host, (*tokens, made[0].refresh_token, Secret("xl_at_junk")))

    def outcome(self, ask: Ask, asked: Sequence[Operation[Decision]], late: int) -> object:
        """Return what is decided and written on a copy, some seconds later."""
        store, clock = MemoryStorage(), FrozenClock()
        for tenant in ("acme", "~host"):
            copy_tenant(self.host.store, store, tenant)
        clock.advance(late)
        host = attrs.evolve(self.host, store=store, clock=clock)
        said = ask(_process(host, store), asked)
        records, entries = dump(store)
        events = [_without_images(one or b"") for one in entries]
        return [*said], {place: value for place, value in records.items() if value is not None}, events


def _without_images(entry: bytes) -> object:
    found: dict[str, object] = json.loads(entry)
    return {name: value for name, value in found.items() if name in {"event", "details", "at", "tenant"}}


def _differs(town: Town, ask: Ask, rounds: int) -> bool:
    draw = random.Random(7)
    for _ in range(rounds):
        asked = [
            access.check(
                draw.choice(town.tokens),
                scope=draw.choice((READ, WRITE, "k:file:read", (READ, WRITE))),
                address=draw.choice((None, "203.0.113.7", "nowhere")),
            )
            for _ in range(draw.randint(0, 6))
        ]
        late = draw.choice((0, 600, 3_600, 31 * DAY))
        if town.outcome(ask, asked, late) != town.outcome(_loop, asked, late):
            return True
    return False


def test_a_batch_of_checks_is_what_a_loop_would_be(deep: bool) -> None:
    """The same decisions, the same records, the same events: confirmed tokens, uses, refusals, dormant links."""
    assert not _differs(Town.make(), _batch, 2_000 if deep else 60)


def _first_for_all(tenant: Tenant, asked: Sequence[Operation[Decision]]) -> Sequence[Decision]:
    return [*tenant.run(access.check_many(asked[:1])) * len(asked)]


def _asks_twice(tenant: Tenant, asked: Sequence[Operation[Decision]]) -> Sequence[Decision]:
    tenant.run(access.check_many(asked))
    return _batch(tenant, [*reversed(asked)])[::-1]


@pytest.mark.parametrize("twin", [_first_for_all, _asks_twice])
def test_a_twin_of_a_batch_is_caught(twin: Ask) -> None:
    """The broken twins: the first answer for all; each asked twice, in another order."""
    assert _differs(Town.make(), twin, 60)


def test_a_batch_costs_the_round_trips_of_one() -> None:
    """One read for explanations, two for checks and one commit, none for a process that remembers the links more."""
    host = Host.prepared()
    tokens = [host.connect(user).access_token for user in ("sato", "suzuki", "tanaka")]
    store, met = Watched(host.store), Met(host.directory)
    tenant = _process(attrs.evolve(host, directory=met), store)  # type: ignore[arg-type] # it answers as one
    explaining = [
        access.explain(service, user=user, address=f"203.0.113.{number}")
        for service in (SERVICE, "slack")
        for user in ("sato", "suzuki", "tanaka", "ito")
        for number in range(20)
    ]
    checking = [access.check(token, scope=scope) for token in tokens for scope in (READ, WRITE)]

    assert (["read"], ["get"]) == _calls(store, met, lambda: tenant.run(access.explain_many(explaining)))
    assert (["read", "read", "commit"], ["get"]) == _calls(store, met, lambda: _batch(tenant, checking))
    assert (["read"], ["get"]) == _calls(store, met, lambda: _batch(tenant, checking))
    assert (["read"], ["member"]) == _calls(store, met, lambda: _batch(tenant, checking[:2]))
    # The twin: a loop.
    assert 160 == _calls(store, met, lambda: _loop(tenant, explaining))[0].count("read")


def _calls(store: Watched, met: Met, act: Callable[[], object]) -> tuple[list[str], list[str]]:
    store.calls.clear()
    met.calls.clear()
    act()
    return [*store.calls], [*met.calls]


def _torn(ask: Ask) -> bool:
    """Whether some answers are of before and others of after a service was stopped."""
    for number in range(1, 12):
        host = Host.prepared()
        tokens = [host.connect(user).access_token for user in ("sato", "suzuki", "tanaka")]
        store = Watched(host.store)
        tenant = _process(host, store)
        store.calls.clear()
        store.before = {number: partial(host.admin.run, services.disable(SERVICE, existing="suspend"))}
        said = ask(tenant, [access.check(token, scope=READ) for token in tokens])
        if 1 != len({one.allowed for one in said}):
            return True
    return False


def test_a_batch_is_of_one_snapshot() -> None:
    """Whatever is changed between its reads, all answers are of before or all of after; the twin, a loop, is torn."""
    assert not _torn(_batch)
    assert _torn(_loop)


def test_a_batch_is_bounded_by_what_it_rests_on() -> None:
    """Three records of the tenant, four of a service, two of a person: beyond one read there is no one snapshot."""
    host = Host.prepared()

    def ask(services_: int, people: int) -> int:
        asked = [
            access.explain(f"service-{service}", user=f"user-{user}", network="not_applicable")
            for service in range(services_)
            for user in range(people)
        ]
        return len(host.admin.run(access.explain_many(asked)))

    assert (28, 11) == (ask(1, 28), ask(11, 1))
    for services_, people in ((1, 29), (12, 1), (3, 20)):
        with pytest.raises(InvalidInput, match=r"at most 64 records.*smaller batches") as caught:
            ask(services_, people)
        assert "requests" == caught.value.field


def test_what_a_batch_is_made_of() -> None:
    """Questions of one kind, as values, at most a thousand."""
    one = access.explain(SERVICE, user="sato", network="not_applicable")

    assert () == Host.prepared().admin.run(access.explain_many([]))
    assert 1_000 == len(Host.prepared().admin.run(access.explain_many([one] * 1_000)))
    for wrong in ([one] * 1_001, one, None, "sato", [None], [access.check("xl_at_x", scope=READ)], [users.resume("x")]):
        with pytest.raises(InvalidInput) as caught:
            access.explain_many(wrong)  # type: ignore[arg-type] # hostile input
        assert "requests" == caught.value.field
    with pytest.raises(InvalidInput, match=r"expected access\.check\(\.\.\.\) values, got access\.explain"):
        access.check_many([one])


def test_a_batch_needs_who_may_ask_one() -> None:
    """An administrator, for explanations; checks are the host's own."""
    one = access.explain(SERVICE, user="sato", network="not_applicable")

    with pytest.raises(Refused, match=r"actor\.not_permitted"):
        Host.prepared().user().run(access.explain_many([one]))


def test_a_directory_that_fails_refuses_all() -> None:
    """No answer is no yes, for nobody of the batch."""
    host = Host.prepared()
    tokens = [host.connect(user).access_token for user in ("sato", "suzuki")]

    tenant = failing(host)
    said = _batch(tenant, [access.check(token, scope=READ) for token in tokens])

    assert [("directory.unavailable",)] * 2 == [codes(one) for one in said]
