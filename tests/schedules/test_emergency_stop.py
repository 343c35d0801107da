"""An emergency stop beside whatever a service and its users do meanwhile, in every interleaving (law 9).

Two things are asked of each schedule: what its operations came to is what they come to in some order; and whoever goes
on with the stop afterwards leaves nothing that works, lifted or not.
"""

from __future__ import annotations

from functools import cache

import pytest

from extlink import access, links, service_purge, services
from extlink.adapters.memory import MemoryStorage
from extlink.domain.access import Policy
from extlink.domain.identifier import LinkId
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkState
from extlink.domain.token_ledger import TokenSet
from extlink.link_batches import Verdict
from extlink.runtime import Tenant
from extlink.service_purge import Purge
from tests.many_links import stored
from tests.schedules.cast import worker
from tests.schedules.scheduler import Exploration, NotLinearizable, Worker, copied, exploration, linearizable, unguarded
from tests.schedules.world import ADDRESS, CLIENT, SCOPE, SERVICE, TENANT, hub_over, world

ADMIN = ("common_administrator",)
PURGE = Worker(services.purge(SERVICE), "admin", ADMIN)
# What a service and its users do, and what ends or lifts.
DOINGS = ("accept", "redeem", "refresh", "check")
OTHERS = ("revoke", "revoke pair", "revoke all of service", "suspend link", "release", "quarantine", "disable")


class Fault(AssertionError):
    """A link was left or revived."""


def _admin(storage: MemoryStorage, seed: int) -> Tenant:
    return hub_over(storage, seed=seed).tenant(TENANT).acting_as("admin", roles=ADMIN)


@cache
def _stopped(*, runs: int = 1, lifted: bool = False) -> MemoryStorage:
    """Return the world in the middle of a stop: so many runs of the purge are over, and it may have been lifted."""
    storage = copied(world().storage)
    admin = _admin(storage, 10_000)
    admin.run(services.quarantine(SERVICE, "leak"))
    for _ in range(runs):
        admin.run(services.purge(SERVICE))
    if lifted:
        admin.run(services.release(SERVICE))
        admin.run(services.enable(SERVICE))
    return storage


def _finished(admin: Tenant) -> Purge:
    purge = admin.run(services.purge(SERVICE))
    while purge.done is None:
        purge = admin.run(services.purge(SERVICE))
    return purge


def left(played: Exploration) -> int:
    """Require that whoever goes on after each schedule leaves nothing of before that works.

    Raises:
        Fault: a link is left, or works after the stop was lifted.
    """
    runs = list(played.runs())
    for run in runs:
        storage = copied(run.storage)
        admin = _admin(storage, 20_000)
        admin.run(services.quarantine(SERVICE, "leak"))
        _finished(admin)
        living = [link.id for link in stored(storage).values() if link.state is not LinkState.REVOKED]
        if living or admin.run(services.remaining(SERVICE)).count:
            raise Fault(f"replay({run.schedule}) leaves {living}")
        admin.run(services.release(SERVICE))
        admin.run(services.enable(SERVICE))
        tokens = (world().tokens, *(one.result for one in run.outcomes if isinstance(one.result, TokenSet)))
        for token in tokens:
            check = admin.run(access.check(token.access_token, scope=SCOPE, address=ADDRESS))
            again = admin.run(links.refresh(token.refresh_token, client=CLIENT))
            if check.allowed or isinstance(again, TokenSet):
                raise Fault(f"replay({run.schedule}) revives {token.link}")
    return len(runs)


def beside(name: str, storage: MemoryStorage, *more: Worker, reduce: bool = False) -> Exploration:
    """Return the interleavings of a run of the purge and an operation of the cast.

    A run that lists is played in every schedule: to leave some out takes the order of a list and a commit for nothing.
    """
    return exploration(workers=(PURGE, worker(name), *more), storage=storage, reduce=reduce)


@pytest.mark.parametrize("runs", [0, 1])
@pytest.mark.parametrize("name", [*DOINGS, *OTHERS])
def test_a_batch_beside_anything(name: str, runs: int, deep: bool) -> None:
    """The run that begins a purge, and the one that ends links, beside everything that touches them."""
    # A check that refuses writes no link, and has the most schedules.
    played = beside(name, _stopped(runs=runs), reduce=name == "check" and not deep)

    assert linearizable(played) == left(played) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", DOINGS)
def test_a_batch_after_the_stop_was_lifted(name: str, deep: bool) -> None:
    """What is made after the stop is left alone by a purge that is finished late; what was there before ends."""
    played = beside(name, _stopped(lifted=True), reduce=name == "check" and not deep)
    assert linearizable(played) > 1
    for run in played.runs():
        storage = copied(run.storage)
        _finished(_admin(storage, 20_000))
        made = world().consent.request.link if name == "accept" else None
        states = {link.id: link.state for link in stored(storage).values()}
        assert LinkState.CONSENTED == states.pop(LinkId(made)) if made else True, run.schedule
        assert {LinkState.REVOKED} == set(states.values()), run.schedule


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accept", "redeem", "refresh"])
def test_the_stop_itself_beside_the_first_batches(name: str) -> None:
    """A stop, a purge that somebody begins at once, and what was under way when both came: nothing escapes."""
    played = beside(name, world().storage, worker("quarantine"), reduce=True)

    assert linearizable(played) == left(played) > 1


@pytest.mark.parametrize("name", ["accept", "redeem", "refresh"])
def test_a_stop_of_the_host(name: str) -> None:
    """One record of the host, beside what is under way in a tenant: it is refused, or ended by the epoch."""
    workers = worker("quarantine everywhere"), worker(name)
    played = exploration(workers=workers, storage=world().storage, reduce=True)
    assert linearizable(played) > 1
    for run in played.runs():
        storage = copied(run.storage)
        admin = _admin(storage, 20_000)
        _finished(admin)
        assert {LinkState.REVOKED} == {link.state for link in stored(storage).values()}, run.schedule
        assert 0 == admin.run(services.remaining(SERVICE)).count


def test_two_purges_at_once() -> None:
    """They share one walk: each link is counted once, whoever ended it."""
    played = exploration(workers=(PURGE, PURGE), storage=_stopped(), reduce=True)
    for run in played.runs():
        storage = copied(run.storage)
        assert 2 == _finished(_admin(storage, 20_000)).toll.ended, run.schedule


@pytest.mark.parametrize("name", ["accept", "redeem", "refresh"])
def test_a_store_without_guards_is_caught(name: str) -> None:
    """The broken twin: what was under way when the stop came is written over it."""
    played = exploration(workers=(worker("quarantine"), worker(name)), storage=world().storage, reduce=True)
    assert left(played) > 1
    with pytest.raises(NotLinearizable):
        linearizable(unguarded(played))


def test_a_batch_without_guards_is_caught() -> None:
    """The broken twin: a batch that writes over a refresh, or a refresh over it, in a store that takes everything."""
    with pytest.raises(NotLinearizable):
        linearizable(unguarded(beside("revoke", _stopped())))


def test_a_purge_that_spares_what_is_new_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: it ends only what the epoch ended, and a link that another hand wrote in escapes."""

    def by_epoch(policy: Policy, link: Link, at: Instant) -> Verdict | None:
        return None if link.state is LinkState.CONSENTED else _SOUND(policy, link, at)

    monkeypatch.setattr(service_purge, "_stopped", by_epoch)
    with pytest.raises(Fault, match="leaves"):
        left(beside("refresh", _stopped(), reduce=True))


_SOUND = service_purge._stopped
