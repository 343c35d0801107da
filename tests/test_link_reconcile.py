"""Links in line with today's rules: what a rule ended stays ended whatever comes later, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import attrs
import pytest

from extlink import clients, grants, link_batches, links, networks, services, tenants, users
from extlink.adapters.memory import MemoryStorage
from extlink.domain.access import Policy, link_notes
from extlink.domain.client import Client
from extlink.domain.client_registration import ClientProfile
from extlink.domain.identifier import LinkId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkEvent, LinkState
from extlink.domain.link_job import Toll
from extlink.link_batches import Judge, Verdict
from extlink.link_policies import policy_of
from extlink.link_reconcile import Reconciled, verdict
from extlink.operation import Call, Commit, Now, Operation, Steps, ask, operation
from extlink.ports import Storage
from extlink.runtime import Tenant
from extlink.testing import ShakyDirectory, copied, each_fault
from extlink.testing.faults import ERRORS
from tests.fakes import NOW
from tests.hosts import ACME, REDIRECT, SERVICE, Host, another_hub, codes, dump, refusal
from tests.many_links import put_link, sow, stored

DAY = 86_400
MANY = 60


def walk(tenant: Tenant, most: int = 50) -> Reconciled:
    """Run a reconciliation to its end."""
    runs = (tenant.run(links.reconcile()) for _ in range(most))
    return next(found for found in runs if found.done is not None)


def length(store: Storage) -> int:
    """Return how many entries the tenant's ledger has; those of sown links cannot be read."""
    return len(dump(store, [ACME])[1])


def states(store: Storage) -> dict[str, tuple[str, str]]:
    """Return of every link its state, and what ended it."""
    return {link.id: (str(link.state), link.ended_by) for link in stored(store).values()}


def moved(host: Host) -> Host:
    """Withdraw the sales people's grant, and let suzuki move into an organization that was granted all the time."""
    host.admin.run(grants.allow(SERVICE, organizations=["dev"]))
    host.admin.run(grants.withdraw(SERVICE, organizations=["sales"]))
    return host


def test_no_later_move_revives_what_a_withdrawal_ended() -> None:
    """The residual risk of memberships that have no history, without a reconciliation and with one."""
    risky, safe = Host.prepared(), Host.prepared()
    for host in (risky, safe):
        tokens = host.connect("suzuki")
        moved(host)
        assert ("grant.missing", "link.ended") == codes(host.check(tokens.access_token))
        if host is safe:
            assert 1 == walk(host.admin).toll.ended
        host.directory.change_user("suzuki", organizations=["dev"])
        answer = host.check(tokens.access_token)

        assert ("link.revoked",) * (host is safe) == codes(answer)


Ending = Callable[[Host], object]


def _removing(host: Host) -> object:
    made = host.admin.run(clients.register(ClientProfile(service=SERVICE, name="Another", redirect_uris=[REDIRECT])))
    (link,) = stored(host.store).values()
    put_link(host.store, attrs.evolve(link, client=Client(made.client.id).id))
    return host.admin.run(clients.remove(made.client.id))


def _excluding(host: Host) -> object:
    host.admin.run(grants.exclude(SERVICE, organizations=["sales"]))
    return host.admin.run(grants.include(SERVICE, organizations=["sales"]))


def _resuming(host: Host) -> object:
    host.admin.run(users.suspend("suzuki"))
    return host.admin.run(users.resume("suzuki"))


def _waiting(host: Host) -> object:
    host.admin.run(services.set_dormancy(SERVICE, days=1))
    return host.clock.advance(DAY)


def _running(*operations: Operation[object]) -> Ending:
    def end(host: Host) -> object:
        return [host.admin.run(one) for one in operations]

    return end


@pytest.mark.parametrize(
    ("end", "by"),
    [
        (_running(grants.withdraw(SERVICE, organizations=["sales"])), "ended"),
        (_excluding, "ended"),
        (_resuming, "ended"),
        (_running(services.disable(SERVICE, existing="revoke"), services.enable(SERVICE)), "ended"),
        (_running(tenants.end_links("a leak")), "ended"),
        (_running(networks.restrict(["192.0.2.0/24"], existing="revoke")), "ended"),
        (_removing, "client_removed"),
        (_waiting, "dormant"),
        (lambda host: host.clock.advance(3_650 * DAY), "expired"),
    ],
    ids=["grant", "exclusion", "user", "service", "tenant", "network", "client", "dormant", "expired"],
)
def test_what_a_rule_ended_is_ended_in_its_own_record(end: Ending, by: str) -> None:
    """State, cause and entry say so; the link leaves the lists."""
    host = Host.prepared()
    link = host.connect("suzuki").link
    end(host)
    position = length(host.store)
    found = walk(host.admin)

    assert {link: ("revoked", by)} == states(host.store)
    assert 1 == found.toll.ended
    entries = host.entries(position)
    told = {"service": SERVICE, "user": "suzuki", "link": link, "by": by}
    assert [("link.revoked", "admin-1", told)] == [(one.event, one.user, one.details) for one in entries]
    assert () == host.admin.run(links.users_of(SERVICE)).users


@pytest.mark.parametrize(
    "refuse",
    [
        _running(grants.withdraw(SERVICE, organizations=["sales"], existing="suspend")),
        _running(grants.withdraw(SERVICE, organizations=["sales"], existing="keep")),
        _running(grants.exclude(SERVICE, organizations=["sales"], existing="suspend")),
        _running(services.disable(SERVICE)),
        _running(users.suspend("suzuki", existing="suspend")),
        _running(networks.deny_all()),
        lambda host: host.directory.suspend("suzuki"),
        lambda host: host.directory.remove_user("suzuki"),
        lambda host: host.directory.change_user("suzuki", organizations=[]),
        lambda host: host.admin.run(links.suspend(next(iter(stored(host.store))))),
        lambda _: None,
    ],
    ids=[
        "suspended grant",
        "kept grant",
        "suspended exclusion",
        "service",
        "user",
        "network",
        "directory suspends",
        "directory forgets",
        "moved away",
        "by hand",
        "nothing",
    ],
)
def test_what_may_come_back_is_not_touched(refuse: Ending) -> None:
    """Whoever is refused for now: the link's record is the same after the walk, and the ledger too."""
    host = Host.prepared()
    host.connect("suzuki")
    refuse(host)
    before, position = states(host.store), length(host.store)
    found = walk(host.admin)

    assert (before, position) == (states(host.store), length(host.store))
    assert Toll() == found.toll


def test_a_code_that_nobody_redeemed_ends_with_its_grant() -> None:
    """It is counted, and can be redeemed no more."""
    host = Host.prepared()
    host.accept("suzuki")
    host.admin.run(grants.withdraw(SERVICE, organizations=["sales"]))
    toll = walk(host.admin).toll

    assert (1, 1, 0) == (toll.ended, toll.codes, toll.access_tokens)


def shaky(host: Host) -> tuple[Tenant, ShakyDirectory]:
    """Return the administrator over a directory that does not answer."""
    directory = ShakyDirectory(host.directory)
    directory.down = True
    hub = another_hub(host.store, directory, host.clock)  # type: ignore[arg-type]
    return hub.tenant(ACME).acting_as("admin-1", roles={"common_administrator"}), directory


def test_a_directory_that_is_silent_ends_no_link() -> None:
    """Nobody is judged by memberships that are not known; what an epoch ended is ended all the same."""
    host = Host.prepared()
    ended, waiting = host.connect("sato").link, host.connect("suzuki").link
    host.admin.run(grants.withdraw(SERVICE, organizations=["sales"]))
    host.admin.run(links.revoke_all(user="sato"))
    admin, directory = shaky(host)
    walk(admin)

    assert {ended: ("revoked", "ended"), waiting: ("live", "")} == states(host.store)
    directory.down = False
    walk(admin)
    assert ("revoked", "ended") == states(host.store)[waiting]


@operation("test.judge")
def _judge(call: Call, *, held: Iterable[Link], judge: Judge) -> Steps[Commit[tuple[Verdict | None, ...]]]:
    picked = tuple(held)
    policy = yield from policy_of(call, picked)
    at = yield from ask(Now())
    return Commit(tuple(judge(policy, link, at) for link in picked))


def law_a_permitted_link_is_not_judged(judge: Judge) -> None:
    """A person who was named once, and is let in by an organization, is judged alike while the directory is silent."""
    host = Host.prepared()
    host.admin.run(grants.allow(SERVICE, users=["suzuki"]))
    tokens = host.connect("suzuki")
    host.admin.run(grants.withdraw(SERVICE, users=["suzuki"]))
    held = tuple(stored(host.store).values())
    silent, _ = shaky(host)

    assert host.check(tokens.access_token).allowed
    for tenant in (host.admin, silent):
        assert (None,) == tenant.run(_judge(held=held, judge=judge))


def _credulous(policy: Policy, link: Link, at: Instant) -> Verdict | None:
    ended = any(code == "link.ended" for code, _ in link_notes(policy, link, at))
    return Verdict(LinkEvent.REVOKE, "ended") if ended else None


def test_a_permitted_link_is_not_judged() -> None:
    """Whatever the directory says or does not say."""
    law_a_permitted_link_is_not_judged(verdict)


def test_a_judge_that_trusts_a_silent_directory_is_caught() -> None:
    """Broken twin: it takes no answer for no memberships, and ends a permitted link."""
    with pytest.raises(AssertionError):
        law_a_permitted_link_is_not_judged(_credulous)


def test_a_workspace_connection_has_no_grant() -> None:
    """It ends by epochs alone, and nobody is looked up."""
    host = Host.prepared()
    host.connect("suzuki")
    (link,) = stored(host.store).values()
    put_link(host.store, attrs.evolve(link, owner=None))
    host.admin.run(grants.withdraw(SERVICE, organizations=["sales"]))
    assert Toll() == walk(host.admin).toll
    host.admin.run(links.revoke_all(service=SERVICE))

    assert 1 == walk(host.admin).toll.ended


# --- Bounded, idempotent, resumable -------------------------------------------------------------------------------


def crowd(many: int = MANY) -> Host:
    """Return a host where a withdrawal ended many links, and another one is permitted."""
    host = Host.prepared()
    tokens = host.connect("suzuki")
    sow(host.store, tokens.link, many)
    for number in range(many):
        host.directory.add_user(f"u{number:06}", organizations=["sales"], products={"kintone"})
    host.connect("tanaka")
    host.admin.run(grants.withdraw(SERVICE, organizations=["sales"]))
    return host


def test_each_run_ends_a_bounded_number() -> None:
    """At most 50 links a commit; the first writes nothing but where it is."""
    host = crowd()
    counts = [length(host.store)]
    while host.admin.run(links.reconcile()).done is None:
        counts.append(length(host.store))
    counts.append(length(host.store))
    each = [after - before for before, after in pairwise(counts)]

    assert 0 == each[0]
    assert 50 >= max(each)
    assert MANY + 1 == sum(each)


def test_a_second_walk_changes_nothing() -> None:
    """Links, indexes and ledger stay as they are; the walk's own record tells when it was."""
    host = crowd()
    first = walk(host.admin)
    records, entries = host.dump()
    host.clock.advance(60)
    second = walk(host.admin)
    again, same = host.dump()

    assert (MANY + 1, 0) == (first.toll.ended, second.toll.ended)
    assert entries == same
    assert {b"j"} == {path[1][:1] for path in records.keys() | again.keys() if records.get(path) != again.get(path)}
    assert (NOW + 60, NOW + 60) == (second.began, second.done)


@pytest.mark.slow
def test_a_walk_that_fails_anywhere_is_finished_by_another(monkeypatch: pytest.MonkeyPatch, *, deep: bool) -> None:
    """Each call of the store fails once, before and after it took effect: every link ends once, with one entry."""
    if not deep:
        monkeypatch.setattr(link_batches, "_CANDIDATES", 2)
    host = crowd(MANY if deep else 5)
    due = set(stored(host.store)) - set(_of(host, "tanaka"))
    before = length(host.store)

    def run(store: Storage) -> Reconciled:
        return walk(another_hub(store, host.directory, host.clock).tenant(ACME).acting_as("a", roles={"host"}))

    played = 0
    for faulted in each_fault(run, lambda: copied(host.store, MemoryStorage(), [ACME, "~host"]), errors=ERRORS[:2]):
        walk(another_hub(faulted.storage, host.directory, host.clock).tenant(ACME).acting_as("b", roles={"host"}))
        over = {link for link, (state, _) in states(faulted.storage).items() if state == "revoked"}
        played += 1

        assert due == over, faulted.fault
        assert before + len(due) == length(faulted.storage), faulted.fault
    assert played > 20


def _of(host: Host, user: str) -> tuple[LinkId, ...]:
    return tuple(link.id for link in stored(host.store).values() if link.owner == UserId(user))


def test_links_that_come_meanwhile_are_not_harmed() -> None:
    """Between two runs somebody connects anew: the new link lives."""
    host = crowd()
    host.admin.run(links.reconcile())
    host.admin.run(grants.allow(SERVICE, organizations=["sales"], scope="subtree"))
    tokens = host.connect("suzuki")
    walk(host.admin)

    assert host.check(tokens.access_token).allowed
    assert LinkState.LIVE is stored(host.store)[LinkId(tokens.link)].state


@pytest.mark.parametrize("roles", [{"user"}, {"access_administrator"}, {"app_administrator"}, set()], ids=ascii)
def test_only_administrators_and_the_host_reconcile(roles: set[str]) -> None:
    """Who may change a network rule may not end other people's links."""
    host = Host.prepared()

    assert "actor.not_permitted" == refusal(host.tenant.acting_as("sato", roles=roles), links.reconcile()).code
