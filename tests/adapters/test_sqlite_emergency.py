"""Killed at random in an emergency stop: none left, none revived, nothing acknowledged lost (F14, laws 9 and 15)."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import attrs
import pytest

from extlink import links, services
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.identifier import LinkId, ServiceId, TenantId
from extlink.domain.link import LinkState
from extlink.domain.link_job import Toll
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.ports import Entries, Position
from extlink.records import job_key
from extlink.testing.probes import pages
from tests.adapters import emergency_programs
from tests.many_links import put_link, sow, stored
from tests.processes import nursing, running
from tests.schedules.world import CLIENT, SERVICE, TENANT, connected, hub_over, prepared

JOB = job_key(TenantId(TENANT), "purge", ServiceId(SERVICE))
BATCH = 50


class Fault(AssertionError):
    """A link was left or revived, or something acknowledged was lost, half done or counted twice."""


@attrs.define
class Stop:
    """One emergency stop on a file, from outside.

    Args:
        acknowledged: how many links were said to have ended; -1: not even the stop was said to hold.
        seen: how many entries were looked at, and `stopped`, `revoked` and `stated` what they tell.
    """

    file: Path
    acknowledged: int = -1
    finished: bool = False
    seen: int = 0
    stopped: bool = False
    revoked: int = 0
    stated: tuple[int, ...] = ()

    def acknowledge(self, line: str) -> None:
        """Take what a child printed."""
        verb, number = line.split()
        if verb == "left":
            self.finished = True
            if int(number):
                raise Fault(f"{int(number)} links are left")
        else:
            self.acknowledged = max(self.acknowledged, int(number))

    def judge(self, *, wholly: bool) -> None:
        """Require that job, ledger and, if wholly, every link say the same, and all that was acknowledged."""
        with SQLiteStorage(self.file) as store:
            fresh = pages(store, Entries(TENANT.encode(), Position(self.seen), 1_000))
            (item,) = store.read([JOB.key], {})
            held = stored(store).values() if wholly else ()
        self.seen += len(fresh)
        for entry in fresh:
            fields = json.loads(entry.value or b"")
            self._enter(fields["event"], fields["details"])
        toll = Toll() if item.value is None else JOB.decode(item.value)[0].toll
        if not max(0, self.acknowledged) <= toll.ended <= max(0, self.acknowledged) + BATCH:
            raise Fault(f"{self.acknowledged} were acknowledged, the walk counts {toll.ended}")
        ended = sum(link.state is LinkState.REVOKED and link.ended_by == "quarantine" for link in held)
        if self.revoked != toll.ended or (wholly and ended != toll.ended):
            raise Fault(f"{toll.ended} counted, {self.revoked} in the ledger, {ended} ended")
        if self.finished and (self.stated != (toll.ended,) or not self._is_over()):
            raise Fault(f"the statements are {self.stated}, {toll.ended} ended, or a link is left")

    def _enter(self, event: str, details: Mapping[str, object]) -> None:
        """Take one entry of the ledger; once the stop holds, nobody is given anything."""
        self.stopped = self.stopped or event == "service.quarantined"
        if self.stopped and event in {"link.authorized", "token.issued", "token.refreshed"}:
            raise Fault(f"{event} after the stop")
        self.revoked += event == "link.revoked" and details["by"] == "quarantine"
        if event == "service.purged":
            self.stated = (*self.stated, cast("int", details["ended"]))

    def _is_over(self) -> bool:
        with SQLiteStorage(self.file) as store:
            return all(link.state is LinkState.REVOKED for link in stored(store).values())


def _given(lines: Sequence[str]) -> dict[str, str]:
    """Return what a knocking process was given, by link: its newest refresh token, or a dash."""
    return {link: token for _, link, token in map(str.split, lines)}


def _revived(file: Path, given: dict[str, str]) -> list[str]:
    """Lift the stop, and return which of the links that were given work again."""
    with SQLiteStorage(file) as store:
        tenant = hub_over(store, seed=9_000_000).tenant(TENANT)
        admin = tenant.acting_as("admin", roles={"common_administrator"})
        admin.run(services.release(SERVICE))
        admin.run(services.enable(SERVICE))
        tokens = {link: Secret(token) for link, token in given.items() if token != "-"}
        answers = {link: tenant.run(links.refresh(token, client=CLIENT)) for link, token in tokens.items()}
    return [link for link, answer in answers.items() if isinstance(answer, TokenSet)]


def _grown(file: Path, count: int) -> Stop:
    with SQLiteStorage(file) as store:
        _, tenant, _ = prepared(store)
        sow(store, connected(tenant, "suzuki").link, count)
        return Stop(file, seen=len(pages(store, Entries(TENANT.encode(), limit=1_000))))


@pytest.mark.slow
def test_killed_at_random_a_stop_is_finished_by_the_next(tmp_path: Path, deep: bool) -> None:
    """30 kill -9 on 5,000 links beside a service that keeps asking; 1,000 on 100,000 in the long tier."""
    count, kills = (100_000, 1_000) if deep else (5_000, 30)
    rounds = random.Random(20201122)
    stop = _grown(tmp_path / "links.db", count)
    with nursing(emergency_programs.stop) as nursery, running(emergency_programs.knock, stop.file) as knocker:
        knocked: list[str] = []
        while (line := knocker.hear()) != "ready":
            knocked.append(line)
        for number in range(kills):
            # Anywhere in the next batch: it takes some tens of milliseconds.
            after, spin = rounds.choice((0, 1, 2, 2, 3, 4)), rounds.randrange(1_000_000)
            died = nursery.let_die(stop.acknowledge, stop.file, after=after, spin=spin)
            assert died, f"it was over after {number} of {kills} kills"
            assert not stop.finished, f"it was finished after {number} of {kills} kills"
            stop.judge(wholly=not number % (kills // 5))
            # One that nobody hears would stand still.
            knocked += knocker.heard()
        nursery.let_end(stop.acknowledge, stop.file)
        given = _given(knocked + knocker.kill())

    assert stop.finished
    stop.judge(wholly=True)
    with SQLiteStorage(stop.file) as store:
        held = stored(store)
    assert given.keys() <= held.keys(), "what was given to the service is in the store"
    assert count < stop.revoked
    assert [] == _revived(stop.file, given)


def test_what_is_half_done_is_found(tmp_path: Path) -> None:
    """The control: the same look finds a link that lives, a lost entry, a lost count and a second statement."""
    stop = _grown(tmp_path / "links.db", 60)
    with SQLiteStorage(stop.file) as store:
        admin = hub_over(store, seed=7).tenant(TENANT).acting_as("admin", roles={"common_administrator"})
        admin.run(services.quarantine(SERVICE, "a leak"))
        for _ in range(3):
            stop.acknowledged = admin.run(services.purge(SERVICE)).toll.ended
        living = attrs.evolve(stored(store)[LinkId("~000007")], state=LinkState.LIVE)
    stop.finished = True
    before = attrs.evolve(stop)
    stop.judge(wholly=True)

    for broken, found in (
        (attrs.evolve(before, acknowledged=62), "were acknowledged"),
        (attrs.evolve(before, revoked=1), "in the ledger"),
        (attrs.evolve(before, stated=(61,)), "the statements are"),
    ):
        with pytest.raises(Fault, match=found):
            broken.judge(wholly=True)
    with pytest.raises(Fault, match="after the stop"):
        attrs.evolve(before, seen=0, stopped=True).judge(wholly=False)
    with pytest.raises(Fault, match="1 links are left"):
        before.acknowledge("left 1")
    with SQLiteStorage(stop.file) as store:
        put_link(store, living)
    with pytest.raises(Fault, match="60 ended"):
        attrs.evolve(before).judge(wholly=True)
    with pytest.raises(Fault, match="a link is left"):
        attrs.evolve(before).judge(wholly=False)
