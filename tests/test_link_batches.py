"""Walks over links: each link once, whoever is killed when, and never over somebody else's change (F14, F11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from extlink import grants, links, triggers, users
from extlink.domain.access import Policy, link_notes
from extlink.domain.identifier import LinkId, Scope, ServiceId, SubscriptionId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkEvent, LinkState
from extlink.domain.link_job import LinkJob, Toll
from extlink.domain.subscription import Subscription
from extlink.domain.tenant import Epochs
from extlink.link_batches import SWEPT, Judge, Load, Order, Verdict, ended_by_epoch, sweep
from extlink.link_policies import epochs_of, policy_of, read_all
from extlink.operation import ADMINISTRATORS, Call, Commit, Steps, operation
from extlink.ports import Records, Write, key, prefix
from extlink.records import LINKS_OF, SUBSCRIPTION, job_key, link_key, links_of_key
from extlink.testing.probes import pages
from tests.fakes import NOW
from tests.hosts import ACME, SERVICE, Host, refusal
from tests.many_links import put_link, sow, stored, write

FLOWS = ServiceId(SERVICE)
ONCE = Order(ground="today", judge=ended_by_epoch, load=epochs_of)


@operation("test.sweep", by=ADMINISTRATORS, records=SWEPT)
def _sweep(call: Call, *, order: Order) -> Steps[Commit[LinkJob]]:
    swept = yield from sweep(call, job_key(call.tenant, "test"), order)
    return Commit(swept.job, swept.changes, swept.events)


def all_of(event: LinkEvent, by: str = "test", **only: Any) -> Judge:
    """Return a judge that picks every link whose fields are these."""

    def judge(_policy: Policy, link: Link, _at: Instant) -> Verdict | None:
        fits = all(getattr(link, name) == value for name, value in only.items())
        return Verdict(event, by) if fits else None

    return judge


def done(host: Host, order: Order, most: int = 100) -> LinkJob:
    """Run a walk to its end."""
    jobs = (host.admin.run(_sweep(order=order)) for _ in range(most))
    return next(job for job in jobs if job.done is not None)


def order(judge: Judge, load: Load = epochs_of, **parts: Any) -> Order:
    """Return what a walk is for."""
    return attrs.evolve(ONCE, judge=judge, load=load, **parts)


def sown(host: Host, count: int, **fields: Any) -> tuple[LinkId, ...]:
    """Connect tanaka, and put many links like that one behind it."""
    return sow(host.store, host.connect("tanaka").link, count, **fields)


def states(host: Host) -> dict[str, int]:
    """Count links by their state."""
    found: dict[str, int] = {}
    for link in stored(host.store).values():
        found[str(link.state)] = found.get(str(link.state), 0) + 1
    return found


def test_the_first_run_looks_at_nothing() -> None:
    """It takes its place in the line of commits: whatever was committed on older ground lies before it."""
    host = Host.prepared()
    host.connect()
    before = host.dump()[0]
    job = host.admin.run(_sweep(order=order(all_of(LinkEvent.REVOKE))))

    assert LinkJob(service=None, ground="today", began=NOW, by=UserId("admin-1")) == job
    assert {key(ACME, "j", "test", "")} == host.dump()[0].keys() - before.keys()


@pytest.mark.parametrize(
    ("event", "name", "state"),
    [
        (LinkEvent.REVOKE, "link.revoked", LinkState.REVOKED),
        (LinkEvent.SUSPEND, "link.suspended", LinkState.SUSPENDED),
    ],
)
def test_each_link_moves_once_with_its_entry(event: LinkEvent, name: str, state: LinkState) -> None:
    """Of each link the ledger gets one entry that says what the link says: who or what moved it."""
    host = Host.prepared()
    mine = {host.connect(user).link for user in ("sato", "suzuki", "tanaka")}
    position = host.position()
    job = done(host, order(all_of(event)))

    entries = host.entries(position)
    assert [name] * 3 == [entry.event for entry in entries]
    assert mine == {entry.details["link"] for entry in entries}
    assert {("test", SERVICE)} == {(entry.details["by"], entry.details["service"]) for entry in entries}
    assert {(state, "test", NOW)} == {
        (link.state, link.ended_by, link.ended_at) for link in stored(host.store).values()
    }
    assert (3, NOW, None) == (job.toll.ended + job.toll.suspended, job.done, job.reached)


def test_suspended_links_come_back() -> None:
    """A judge that resumes counts them, and one that the table of transitions has no row for moves nothing."""
    host = Host.prepared()
    tokens = host.connect()
    host.accept("suzuki")
    suspended = done(host, order(all_of(LinkEvent.SUSPEND), ground="1"))
    resumed = done(host, order(all_of(LinkEvent.RESUME), ground="2"))

    assert (Toll(suspended=1), Toll(resumed=1)) == (suspended.toll, resumed.toll)
    assert ("link.resumed", "test") == (host.entries()[-1].event, host.entries()[-1].details["by"])
    assert host.check(tokens.access_token).allowed
    assert {"live": 1, "consented": 1} == states(host)


def test_what_ends_with_a_link_is_counted_and_gone() -> None:
    """Indexes and subscriptions go with it; tokens and codes are counted if they had not expired when it began."""
    host = Host.prepared()
    tokens = host.connect()
    host.accept("suzuki")
    for _ in range(2):
        assert isinstance(
            host.tenant.run(triggers.subscribe(tokens.access_token, trigger="record_added")), Subscription
        )
    job = done(host, order(all_of(LinkEvent.REVOKE)))

    assert Toll(ended=2, codes=1, access_tokens=1, refresh_tokens=1, subscriptions=2) == job.toll
    left = {name for tenant, path in host.dump()[0] if tenant == ACME.encode() for name in [path.split(b"\0")[0]]}
    assert left.isdisjoint({b"o", b"x", b"w"})


def test_other_links_of_the_same_owner_stay_in_the_indexes() -> None:
    """Only what ended is taken out."""
    host = Host.prepared()
    first, second = host.connect().link, host.accept().link
    done(host, order(all_of(LinkEvent.REVOKE, id=first)))

    (use,) = [use for use in host.admin.run(links.of("sato")) if use.service.id == SERVICE]
    assert ("unused", "consented") == (use.state, str(stored(host.store)[second].state))
    mine = host.store.read([links_of_key(ACME, UserId("sato"), FLOWS).key], {})[0]
    assert (second,) == LINKS_OF.decode(mine.value or b"")[0]


def test_expired_tokens_are_not_counted() -> None:
    """What had expired when the walk began ends with its link and is not counted as a living token."""
    host = Host.prepared()
    host.connect()
    host.clock.advance(3_600)
    assert Toll(ended=1, refresh_tokens=1) == done(host, order(all_of(LinkEvent.REVOKE), ground="1")).toll
    host.connect("suzuki")
    host.clock.advance(11 * 365 * 86_400)
    assert Toll(ended=1) == done(host, order(all_of(LinkEvent.REVOKE), ground="2")).toll


def test_a_walk_takes_bounded_batches() -> None:
    """A run moves at most 50 links, and 130 take three of them after the first."""
    host = Host.prepared()
    sown(host, 129)
    reached: list[int] = []
    for _ in range(5):
        position = len(host.dump()[1])
        job = host.admin.run(_sweep(order=order(all_of(LinkEvent.REVOKE))))
        assert len(host.dump()[1]) - position <= 50
        reached.append(job.toll.ended)

    assert [0, 50, 100, 130, 130] == reached
    assert {"revoked": 130} == states(host)


def test_a_run_looks_at_a_bounded_number() -> None:
    """Where nothing is to be moved a run stops after a thousand links, and goes on from there."""
    host = Host.prepared()
    sown(host, 1_050, state=LinkState.REVOKED)
    host.connect("suzuki")
    jobs = [host.admin.run(_sweep(order=order(all_of(LinkEvent.REVOKE, owner="suzuki")))) for _ in range(3)]

    assert [None, LinkId("~000997"), None] == [job.reached for job in jobs]
    assert [False, False, True] == [job.done is not None for job in jobs]
    assert 1 == jobs[-1].toll.ended


def test_a_batch_that_is_full_stops_at_its_last_link() -> None:
    """Links with many subscriptions fill a batch before fifty of them do; no one is left out."""
    host = Host.prepared()
    ids = sown(host, 20)
    pattern = Subscription(
        id=SubscriptionId("x"),
        link=ids[0],
        trigger="record_added",
        scope=Scope("k:app_record:read"),
        connectors=None,
        made_at=NOW,
    )
    for link in ids:
        writes = [
            Write(key(ACME, "w", link, f"s{number:03}"), SUBSCRIPTION.encode(attrs.evolve(pattern, link=link), NOW))
            for number in range(100)
        ]
        write(host.store, *writes)
    job = order(all_of(LinkEvent.REVOKE))
    ended = [host.admin.run(_sweep(order=job)).toll.ended for _ in range(5)]

    assert [0, 9, 17, 21, 21] == ended
    assert 2_000 == done(host, job).toll.subscriptions
    assert [] == pages(host.store, Records(ACME.encode(), prefix("w"), limit=1_000))


def test_only_one_service_is_walked() -> None:
    """Links of other services are looked at and left alone."""
    host = Host.prepared()
    sown(host, 3, service=ServiceId("slack"))
    done(host, order(all_of(LinkEvent.REVOKE), service=FLOWS))

    assert {"live": 3, "revoked": 1} == states(host)


def test_a_workspace_connection_is_walked_too() -> None:
    """A link that the tenant owns is in no index, and is ended all the same."""
    host = Host.prepared()
    sown(host, 1, owner=None)
    for load in (epochs_of, policy_of):
        done(host, order(all_of(LinkEvent.SUSPEND, owner=None), load, ground=load.__name__))

    assert {"suspended": 1, "live": 1} == states(host)
    assert 1 == done(host, order(all_of(LinkEvent.REVOKE, owner=None), ground="last")).toll.ended


def test_a_link_that_cannot_be_read_keeps_no_other_from_its_end() -> None:
    """It is counted and passed over, once for each time that the walk comes by."""
    host = Host.prepared()
    host.connect()
    write(host.store, Write(link_key(ACME, LinkId("-broken")).key, b"[1,"))
    first = order(all_of(LinkEvent.REVOKE), ground="1")
    host.admin.run(_sweep(order=first))
    again = done(host, attrs.evolve(first, ground="2"))

    assert Toll(ended=1, access_tokens=1, refresh_tokens=1, unreadable=1) == again.toll


def _ended_behind(ground: Callable[[int], str]) -> None:
    """Require that a link is met which appeared behind a walk, on other ground."""
    host = Host.prepared()
    ids = sown(host, 60)
    judge = all_of(LinkEvent.REVOKE)
    for _ in range(2):
        host.admin.run(_sweep(order=order(judge, ground=ground(1))))
    behind = LinkId("~000000-and-more")
    link = attrs.evolve(stored(host.store)[ids[0]], id=behind, state=LinkState.LIVE, ended_by="", ended_at=None)
    put_link(host.store, link)
    again = host.admin.run(_sweep(order=order(judge, ground=ground(2))))
    last = done(host, order(judge, ground=ground(2)))

    assert (None, 50) == (again.reached, again.toll.ended)
    assert (62, {"revoked": 62}) == (last.toll.ended, states(host))


def test_a_walk_whose_ground_changed_begins_again() -> None:
    """A link behind it is met then, and what was counted stays counted."""
    _ended_behind(str)


def test_a_walk_that_does_not_begin_again_is_caught() -> None:
    """The broken twin: it goes on from where it was, and misses the link behind it."""
    with pytest.raises(AssertionError):
        _ended_behind(lambda _number: "always the same")


def test_a_walk_that_is_done_changes_nothing_more() -> None:
    """But one that repeats begins anew, and one on other ground."""
    host = Host.prepared()
    host.connect()
    first = order(all_of(LinkEvent.REVOKE))
    last = done(host, first)
    before = host.dump()
    assert (last, before) == (host.admin.run(_sweep(order=first)), host.dump())

    host.clock.advance(5)
    anew = host.admin.run(_sweep(order=attrs.evolve(first, repeats=True)))
    assert (NOW + 5, None, Toll()) == (anew.began, anew.done, anew.toll)
    assert done(host, first).done is not None
    assert "other" == host.admin.run(_sweep(order=attrs.evolve(first, ground="other"))).ground


def test_nothing_is_walked_in_a_tenant_that_nobody_opened() -> None:
    """Not even the walk itself is written."""
    host = Host.make()
    elsewhere = host.hub.tenant("nobody").acting_as("admin-1", roles={"common_administrator"})

    assert "tenant.not_open" == refusal(elsewhere, _sweep(order=ONCE)).code


def test_a_judge_is_asked_of_the_link_as_it_is() -> None:
    """What was listed is read again by key before it is moved; one that is gone by then moves nothing."""
    host = Host.prepared()
    link = host.connect().link
    seen: list[LinkState] = []

    def judge(_policy: Policy, one: Link, _at: Instant) -> Verdict | None:
        seen.append(one.state)
        if len(seen) == 1:
            host.admin.run(links.suspend(link))
        return None if one.state is LinkState.SUSPENDED else Verdict(LinkEvent.REVOKE, "test")

    host.admin.run(_sweep(order=order(judge)))
    assert 0 == done(host, order(judge)).toll.ended
    assert (LinkState.LIVE, LinkState.SUSPENDED) == (seen[0], stored(host.store)[LinkId(link)].state)


def test_a_link_that_vanished_is_passed_over() -> None:
    """Extlink deletes no link; where another hand did, the walk goes on."""
    host = Host.prepared()
    link = host.connect().link

    def judge(_policy: Policy, one: Link, _at: Instant) -> Verdict | None:
        write(host.store, Write(link_key(ACME, LinkId(link)).key, None))
        return Verdict(LinkEvent.REVOKE, one.ended_by)

    assert Toll() == done(host, order(judge)).toll


# Loaders


def gathered(host: Host, load: Load) -> tuple[Policy, tuple[Link, ...]]:
    """Return what a loader reads for all links of a host."""
    found: list[tuple[Policy, tuple[Link, ...]]] = []

    def spying(call: Call, held: tuple[Link, ...]) -> Steps[Policy]:
        policy = yield from load(call, held)
        found.append((policy, held))
        return policy

    host.admin.run(_sweep(order=order(lambda *_: None, spying)))
    host.admin.run(_sweep(order=order(lambda *_: None, spying)))
    return found[-1]


def test_the_whole_policy_judges_as_a_check_does() -> None:
    """Of every link `policy_of` says the same as the page of its owner: ended, suspended, or in use (law 3)."""
    host = Host.prepared()
    for user in ("sato", "suzuki", "tanaka"):
        host.connect(user)
    host.admin.run(grants.exclude(SERVICE, users=["tanaka"]))
    host.admin.run(users.suspend("suzuki", existing="suspend"))
    policy, held = gathered(host, policy_of)

    notes = {link.owner: [code for code, _ in link_notes(policy, link, NOW)] for link in held}
    assert {"sato": [], "suzuki": [], "tanaka": ["link.ended"]} == notes
    assert {"suspended"} == {policy.people[UserId("suzuki")].state.status}
    assert {"active"} == {policy.people[UserId(user)].state.status for user in ("sato", "tanaka")}


def test_a_directory_that_does_not_answer_says_so_of_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may be judged by what it would have said."""
    host = Host.prepared()
    host.connect()
    monkeypatch.setattr(host.directory, "get", _down)
    policy, _ = gathered(host, policy_of)

    assert [(None, False)] == [(person.member, person.answered) for person in policy.people.values()]


def _down(_users: object) -> tuple[()]:
    raise OSError("the directory is down")


def test_links_end_by_each_of_the_four_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ended_by_epoch` ends those whose epochs are not today's, and asks no directory."""
    host = Host.prepared()
    sown(host, 4)
    for number, field in enumerate(Epochs._fields):
        link = attrs.evolve(stored(host.store)[LinkId(f"~{number:06}")], epochs=Epochs(**{field: 7}))
        put_link(host.store, link)
    monkeypatch.setattr(host.directory, "get", _down)

    assert 4 == done(host, ONCE).toll.ended
    assert {"live": 1, "revoked": 4} == states(host)


def test_a_policy_without_owners_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no link has an owner the directory is left in peace."""
    host = Host.prepared()
    monkeypatch.setattr(host.directory, "get", _down)
    policy, held = gathered(host, policy_of)

    assert ((), {}) == (held, policy.people)


def test_any_number_of_records_is_read_and_guarded() -> None:
    """More than one read takes; all answers are there."""
    host = Host.prepared()
    sown(host, 130)

    @operation("test.read_all")
    def look(call: Call) -> Steps[Commit[int]]:
        places = [link_key(call.tenant, LinkId(f"~{number:06}")) for number in range(130)]
        answers = yield from read_all(places)
        return Commit(sum(answers.get(place) is not None for place in places))

    assert 130 == host.admin.run(look())
