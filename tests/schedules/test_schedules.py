"""Every interleaving of pairs and triples of operations comes to what one after another comes to (PROMISES P8 to P12).

Compared are results, errors, every record and every ledger entry with its number, so "no lost update", "guards hold"
and "numbers without gaps" are one property. The broken twins are a store, an attempt and a runner that each drop one
rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement, product
from math import comb

import attrs
import pytest

from extlink import access, services
from extlink.adapters.memory import MemoryStorage
from extlink.attempt import Attempt
from extlink.domain.decision import Decision
from extlink.errors import Conflict
from extlink.operation import Answers, Read
from extlink.ports import Batch, Stored
from extlink.runtime import AsyncExtLink
from tests.schedules.cast import ADMINISTRATION, CORE, GRANTS, SETTINGS, warm, worker
from tests.schedules.scheduler import (
    Exploration,
    NoGuardOnAbsence,
    NotLinearizable,
    TornReads,
    Worker,
    copied,
    exploration,
    linearizable,
    unguarded,
)
from tests.schedules.world import ADDRESS, SCOPE, hub_over, service, world

TEN_YEARS = 10 * 365 * 86_400


def _exploration(*names: str, kind: str = "confidential", reduce: bool = False) -> Exploration:
    workers = tuple(worker(name, kind) for name in names)
    return exploration(workers=workers, storage=world(kind).storage, reduce=reduce)


@pytest.mark.parametrize(("one", "other"), list(combinations_with_replacement(CORE, 2)))
def test_revoke_check_accept_refresh_and_disable_in_pairs(one: str, other: str) -> None:
    """In every interleaving of two of them, both come to what they come to in one of the two orders."""
    assert linearizable(_exploration(one, other)) > 1


@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_one_code_redeemed_twice(kind: str) -> None:
    """However two redemptions of one code interleave, the second finds it used."""
    assert linearizable(_exploration("redeem", "redeem", kind=kind)) > 1


@pytest.mark.parametrize(("one", "other"), list(combinations_with_replacement(GRANTS, 2)))
def test_edits_of_one_services_grants_in_pairs(one: str, other: str) -> None:
    """Two administrators who edit the same service's grants never overwrite each other."""
    assert linearizable(_exploration(one, other)) > 1


@pytest.mark.parametrize(("one", "other"), list(combinations_with_replacement(SETTINGS, 2)))
def test_settings_that_were_never_written_in_pairs(one: str, other: str) -> None:
    """Two first writes of a record are an update after an update, too: absence is guarded."""
    assert linearizable(_exploration(one, other)) > 1


def test_services_registered_at_once_get_places_of_their_own() -> None:
    """What is listed and then written from has a head that every insert writes (DESIGN 5)."""
    roles = ("common_administrator",)
    both = tuple(Worker(services.register(service(name)), "admin", roles) for name in ("one", "two"))

    assert linearizable(exploration(workers=both, storage=world().storage)) > 1


@pytest.mark.parametrize("one", CORE)
def test_the_core_with_everything_an_administrator_does(one: str) -> None:
    """So it is with every other operation that ends, pauses or permits something."""
    assert sum(linearizable(_exploration(one, other)) for other in ADMINISTRATION) > len(ADMINISTRATION)


@pytest.mark.parametrize(("one", "other"), list(product(CORE, (*CORE, *ADMINISTRATION))))
def test_pairs_of_processes_that_remember(one: str, other: str) -> None:
    """What a process decoded a moment ago saves it questions, and never lets it answer of yesterday (P11)."""
    assert linearizable(attrs.evolve(_exploration(one, other, reduce=True), hub=warm)) >= 1


class BelievesItsCache(Attempt):
    """The broken attempt: what it remembers is not asked for again."""

    def takes(self, step: Read, found: Sequence[Stored]) -> Answers | None:
        known = {key: self._cache.get(key) for key, _, _ in found}
        stale = [
            Stored(key, remembered.version, None) if remembered is not None else Stored(key, version, value)
            for (key, version, value), remembered in zip(found, known.values(), strict=True)
        ]
        return super().takes(step, stale)


@pytest.mark.parametrize("ending", ["revoke", "disable", "quarantine"])
def test_an_attempt_that_believes_its_cache_is_caught(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """The broken twin: a check that is made after the end of a link, in a process that remembers it alive."""
    # In use already, so that the check itself writes nothing that a guard would stop.
    workers, storage = (worker("check"), worker(ending)), _used()
    assert linearizable(exploration(workers=workers, storage=storage, hub=warm, reduce=True)) >= 1
    monkeypatch.setattr("extlink.runtime.Attempt", BelievesItsCache)

    with pytest.raises(NotLinearizable):
        linearizable(exploration(workers=workers, storage=storage, hub=warm, reduce=True))


@pytest.mark.parametrize("skew", [TEN_YEARS, -TEN_YEARS])
def test_pairs_of_two_machines_whose_clocks_differ(skew: int) -> None:
    """A machine that is ten years behind or ahead changes nothing about the order of things."""
    for one, other in product((*CORE, "redeem", "allow"), repeat=2):
        workers = worker(one), worker(other, skew=skew)

        assert linearizable(exploration(workers=workers, storage=world().storage, reduce=True)) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_a_revocation_and_two_refreshes_of_one_token(kind: str) -> None:
    """Every schedule of the three that anybody can tell from another comes to one of their six orders."""
    assert linearizable(_exploration("revoke", "refresh", "refresh", kind=kind, reduce=True)) > 100


@pytest.mark.slow
def test_a_revocation_and_two_refreshes_in_every_schedule(deep: bool) -> None:
    """The same without leaving out any of the 27,406 schedules."""
    if not deep:
        pytest.skip("the long tier plays all of them; the test above leaves out what nobody can tell apart")

    assert linearizable(_exploration("revoke", "refresh", "refresh")) > 20_000


@pytest.mark.parametrize(("one", "other"), [("revoke", "refresh"), ("redeem", "redeem"), ("accept", "disable")])
def test_leaving_out_schedules_leaves_out_no_outcome(one: str, other: str) -> None:
    """With sleep sets the same results, records and ledgers come up as without, from fewer schedules."""
    full = list(_exploration(one, other).runs())
    reduced = list(_exploration(one, other, reduce=True).runs())

    assert len(reduced) < len(full)
    assert all(any((run.outcomes, run.dump) == (few.outcomes, few.dump) for few in reduced) for run in full)


def test_schedules_are_all_there() -> None:
    """Two operations of three steps each have as many schedules as there are ways to merge them, none twice."""
    played = [run.schedule for run in _exploration("revoke", "revoke").runs()]

    assert comb(6, 3) == len(played)
    assert len(played) == len(set(played))


class TakesItAnyway(AsyncExtLink):
    """The broken runner: after a conflict it writes what it had computed before."""

    async def _commit(self, batch: Batch) -> None:
        try:
            await super()._commit(batch)
        except Conflict:
            await super()._commit(attrs.evolve(batch, guards=()))


CONTENDERS = [("revoke", "refresh"), ("redeem", "redeem"), ("accept", "accept"), ("allow", "withdraw")]


@pytest.mark.parametrize(("one", "other"), CONTENDERS)
def test_a_store_unguarded_is_caught(one: str, other: str) -> None:
    """The broken twin: a store that applies whatever it is given."""
    with pytest.raises(NotLinearizable):
        linearizable(unguarded(_exploration(one, other)))


@pytest.mark.parametrize(("one", "other"), CONTENDERS)
def test_a_runner_that_does_not_look_again_after_a_conflict_is_caught(one: str, other: str) -> None:
    """The broken twin: a runner that takes a conflict for an invitation to write harder."""
    with pytest.raises(NotLinearizable):
        linearizable(attrs.evolve(_exploration(one, other), hub=TakesItAnyway))


@pytest.mark.parametrize(
    ("one", "other"), [("restrict", "add range"), ("set policy", "set other policy"), ("suspend user", "refresh")]
)
def test_an_attempt_that_does_not_guard_absence_is_caught(
    monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    """The broken twin: two first writes of one record, or a refresh beside the first word on a user."""
    monkeypatch.setattr("extlink.runtime.Attempt", NoGuardOnAbsence)

    with pytest.raises(NotLinearizable):
        linearizable(_exploration(one, other))


def _used() -> MemoryStorage:
    """Return the world with its link in use."""
    storage = copied(world().storage)
    used = (
        hub_over(storage, seed=1)
        .tenant("acme")
        .run(access.check(world().tokens.access_token, scope=SCOPE, address=ADDRESS))
    )
    assert isinstance(used, Decision)
    assert used.allowed
    return storage


def _paused() -> MemoryStorage:
    """Return the world with its link in use and its service switched off."""
    storage = _used()
    tenant = hub_over(storage, seed=3).tenant("acme")
    tenant.acting_as("admin", roles={"common_administrator"}).run(services.disable("flows"))
    return storage


def test_a_check_never_adds_up_two_moments() -> None:
    """A link that is ended while its service is off, which is switched on afterwards, is allowed at no moment."""
    workers = worker("check"), worker("revoke"), worker("enable")

    assert linearizable(exploration(workers=workers, storage=_paused(), reduce=True)) > 1


def test_an_attempt_over_torn_reads_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: it takes the link of one moment and the service of another."""
    monkeypatch.setattr("extlink.runtime.Attempt", TornReads)
    workers = worker("check"), worker("revoke"), worker("enable")

    with pytest.raises(NotLinearizable):
        linearizable(exploration(workers=workers, storage=_paused(), reduce=True))
