"""After an emergency stop: every link ended in its own record, counted, and none revived (F14, law 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import attrs
import pytest

from extlink import catalog, grants, ledger, link_batches, links, service_purge, services, tenants, users
from extlink.domain.access import Policy
from extlink.domain.identifier import LinkId, ServiceId
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkState
from extlink.domain.link_job import Toll
from extlink.domain.registry import RegisteredService
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.errors import InvalidInput
from extlink.link_batches import Order, Swept, Verdict
from extlink.operation import Call, Operation, Steps
from extlink.ports import Write
from extlink.records import LINK, link_key, service_key
from extlink.runtime import Tenant
from extlink.service_purge import Purge
from tests.fakes import NOW
from tests.hosts import ACME, CLIENT, SERVICE, Host, codes, refusal
from tests.many_links import put_link, sow, stored, write

FLOWS = ServiceId(SERVICE)


class Fault(AssertionError):
    """A link was left, revived or miscounted."""


def finished(tenant: Tenant, service: str = SERVICE, most: int = 1_000) -> Purge:
    """Run a purge to its end."""
    runs = (tenant.run(services.purge(service)) for _ in range(most))
    return next(purge for purge in runs if purge.done is not None)


def many(count: int = 129) -> tuple[Host, TokenSet]:
    """Return a host with many links and the tokens of one."""
    host = Host.prepared()
    tokens = host.connect()
    sow(host.store, tokens.link, count)
    return host, tokens


def judge(host: Host, purge: Purge, before: int = 0) -> None:
    """Require that a purge left nothing, and that its statement is what the links and the ledger say."""
    held = stored(host.store).values()
    left = [link.id for link in held if link.service == FLOWS and link.state is not LinkState.REVOKED]
    if left or host.admin.run(services.remaining(SERVICE)).count:
        raise Fault(f"{len(left)} links are left")
    ended = sum(link.ended_by == "quarantine" for link in held)
    entries = [entry for start in range(before, 2_000, 500) for entry in host.entries(start)]
    told = {entry.number: entry for entry in entries}.values()
    revoked = sum(entry.event == "link.revoked" and entry.details["by"] == "quarantine" for entry in told)
    statements = [entry.details for entry in told if entry.event == "service.purged"]
    if not purge.toll.ended == ended == revoked or [ended] != [one["ended"] for one in statements]:
        raise Fault(f"{purge.toll.ended} stated, {ended} ended, {revoked} in the ledger, {len(statements)} statements")


def works_again(host: Host, tokens: TokenSet) -> bool:
    """Lift the stop, enable the service, and ask whether a token of before is good, or can be made good."""
    host.admin.run(services.release(SERVICE))
    host.admin.run(services.enable(SERVICE))
    again = host.tenant.run(links.refresh(tokens.refresh_token, client=CLIENT))
    return host.check(tokens.access_token).allowed or isinstance(again, TokenSet)


def test_all_links_of_a_stopped_service_are_ended() -> None:
    """In batches of at most 50; each link has its entry, and the statement counts them."""
    host, tokens = many()
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    seen = [host.admin.run(services.purge(SERVICE)) for _ in range(5)]

    assert [0, 50, 100, 130, 130] == [purge.toll.ended for purge in seen]
    assert [None, None, None, NOW, NOW] == [purge.done for purge in seen]
    judge(host, seen[-1])
    assert ("service.quarantined", "link.revoked", "link.ended") == codes(host.check(tokens.access_token))


def test_the_statement_says_what_was_ended() -> None:
    """Links, codes, tokens and subscriptions; and that a look at every link found none."""
    host = Host.prepared()
    host.connect()
    host.accept("suzuki")
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    finished(host.admin)

    (statement,) = [entry for entry in host.entries() if entry.event == "service.purged"]
    assert {
        "service": SERVICE,
        "stop": "0.1.0",
        "began": NOW,
        "ended": 2,
        "codes": 1,
        "access_tokens": 1,
        "refresh_tokens": 1,
        "subscriptions": 0,
        "unreadable": 0,
        "remaining": 0,
    } == statement.details
    assert ("admin-1", "services.purge") == (statement.user, statement.operation)


@pytest.mark.parametrize("stops", [0, 1, 2, 3])
def test_lifting_a_stop_revives_nothing(stops: int) -> None:
    """However far the purge had come when the stop was lifted, old links stay ended, and it can be finished."""
    host, tokens = many()
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    for _ in range(stops):
        host.admin.run(services.purge(SERVICE))
    assert not works_again(host, tokens)
    fresh = host.connect("suzuki")
    purge = finished(host.admin)

    assert 130 == purge.toll.ended
    assert host.check(fresh.access_token).allowed
    assert 1 == host.admin.run(services.remaining(SERVICE)).count
    assert not host.check(tokens.access_token).allowed


def test_a_stop_that_a_lift_revives_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: a stop that raises no epoch, lifted before its purge was done."""
    host, tokens = many(0)
    place = service_key(ACME, FLOWS)

    def lifted() -> bool:
        host.admin.run(services.quarantine(SERVICE, "a leak"))
        return works_again(host, tokens)

    known = host.store.read([place.key], {})[0].value or b""
    sound = RegisteredService.__init__

    def without_epoch(self: RegisteredService, *args: Any, **parts: Any) -> None:
        sound(self, *args, **{**parts, "epoch": 0})

    monkeypatch.setattr(RegisteredService, "__init__", without_epoch)
    assert lifted()
    monkeypatch.undo()
    write(host.store, Write(place.key, known))
    assert not lifted()


def test_a_second_stop_ends_what_was_made_between() -> None:
    """Links made after the first stop was lifted, wherever they lie, are met by the purge of the second."""
    _between_two_stops()


def _between_two_stops() -> None:
    host, _ = many()
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    for _ in range(2):
        host.admin.run(services.purge(SERVICE))
    host.admin.run(services.release(SERVICE))
    host.admin.run(services.enable(SERVICE))
    # Both lie behind the cursor.
    first = LinkId(host.connect("suzuki").link)
    put_link(host.store, attrs.evolve(stored(host.store)[first], id=LinkId("!")))
    host.admin.run(services.quarantine(SERVICE, "another leak"))
    purge = finished(host.admin)
    judge(host, purge)
    assert 132 == purge.toll.ended


def test_a_purge_that_goes_on_from_its_cursor_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: a second stop is the same walk to it, and what lies behind the cursor is missed."""
    patched(monkeypatch, lambda order: attrs.evolve(order, ground="always the same"))

    with pytest.raises(Fault, match="2 links are left"):
        _between_two_stops()


def patched(monkeypatch: pytest.MonkeyPatch, change: Callable[[Order], Order]) -> None:
    """Let a purge walk on other orders than its own."""
    sound = link_batches.sweep

    def sweep(call: Call, place: Any, order: Order) -> Steps[Swept]:
        return sound(call, place, change(order))

    monkeypatch.setattr(service_purge, "sweep", sweep)


def test_a_purge_that_stops_at_the_first_page_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: it takes the first page for all there is."""
    sound = link_batches._scanned

    def first_page(*args: Any) -> Steps[Any]:
        scan = yield from sound(*args)
        return scan._replace(over=True)

    host, _ = many()
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    monkeypatch.setattr(link_batches, "_scanned", first_page)

    with pytest.raises(Fault, match="80 links are left"):
        judge(host, finished(host.admin))
    # Even then the statement says so itself.
    assert [80] == [entry.details["remaining"] for entry in host.entries() if entry.event == "service.purged"]


def test_a_statement_of_what_was_meant_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: it counts the links that it found when it began, some of which somebody else ended."""
    host, tokens = many()
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    meant = host.admin.run(services.remaining(SERVICE)).count
    host.admin.run(services.purge(SERVICE))
    host.user().run(links.revoke(tokens.link))
    purge = finished(host.admin)

    judge(host, purge)
    with pytest.raises(Fault, match="130 stated, 129 ended"):
        judge(host, attrs.evolve(purge, toll=attrs.evolve(purge.toll, ended=meant)))


def test_who_ends_a_link_meanwhile_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that its owner ends between the look and the commit is theirs: one entry, and not in the toll."""
    host, tokens = many(0)
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    host.admin.run(services.purge(SERVICE))
    sound, raced = service_purge._stopped, list[str]()

    def racing(policy: Policy, link: Link, at: Instant) -> Verdict | None:
        if not raced:
            raced.append(link.id)
            host.user().run(links.revoke(tokens.link))
        return sound(policy, link, at)

    patched(monkeypatch, lambda order: attrs.evolve(order, judge=racing))
    purge = finished(host.admin)

    assert ([tokens.link], Toll()) == (raced, purge.toll)
    assert 1 == sum(event.startswith("link.revoked") for event in host.events())


def test_several_may_purge_at_a_time() -> None:
    """Two that take turns share one walk and one statement."""
    host, _ = many()
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    other = host.other_process().acting_as("admin-2", roles={"common_administrator"})
    turns = [tenant.run(services.purge(SERVICE)) for tenant in (host.admin, other) * 3]

    assert [0, 50, 100, 130, 130, 130] == [purge.toll.ended for purge in turns]
    judge(host, turns[-1])


def test_links_that_another_epoch_ended_say_so() -> None:
    """Of a service that is not stopped only what had ended already is ended, with its own cause."""
    host = Host.prepared()
    by_person, alive, by_service = host.connect(), host.connect("suzuki"), host.connect("tanaka")
    host.admin.run(users.suspend("sato"))
    link = stored(host.store)[LinkId(by_service.link)]
    put_link(host.store, attrs.evolve(link, epochs=link.epochs._replace(service=7)))
    purge = finished(host.admin)

    assert {by_person.link: "ended", alive.link: "", by_service.link: "quarantine"} == {
        link.id: link.ended_by for link in stored(host.store).values()
    }
    assert 2 == purge.toll.ended


def test_another_epoch_begins_another_purge() -> None:
    """After everything of the tenant was ended, a purge that was done begins anew."""
    host = Host.prepared()
    host.connect()
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    first = finished(host.admin)
    host.admin.run(tenants.end_links("restored from a backup"))

    assert ("0.1.0", NOW, "1.1.0", None) == (
        first.stop,
        first.done,
        (again := host.admin.run(services.purge(SERVICE))).stop,
        again.done,
    )


def test_other_services_are_left_alone() -> None:
    """A stop of one service ends no link of another."""
    host, tokens = many(3)
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(services.quarantine("slack", "a leak"))

    assert 0 == finished(host.admin, "slack").toll.ended
    assert host.check(tokens.access_token).allowed
    assert 4 == host.admin.run(services.remaining(SERVICE)).count


def test_nobody_connects_while_a_service_is_stopped() -> None:
    """Consent, code and refresh are refused, from the record of the stop on."""
    host = Host.prepared()
    code, tokens = host.accept("suzuki").code, host.connect()
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    finished(host.admin)

    refresh = links.refresh(tokens.refresh_token, client=CLIENT)
    redeem = links.redeem(code, client=CLIENT, redirect_uri="https://global.consent.azure-apim.net/redirect")
    for operation in (refresh, redeem):
        assert not isinstance(host.tenant.run(operation), TokenSet)
    with pytest.raises(AssertionError, match="quarantined"):
        host.accept("tanaka")
    assert 0 == host.admin.run(services.remaining(SERVICE)).count


@pytest.mark.parametrize("make", [services.purge, services.remaining])
def test_a_misspelt_service_is_refused(make: Callable[[str], Operation[object]]) -> None:
    """Nobody takes the zero of a service that does not exist for the proof of a stop."""
    assert "service.unknown" == refusal(Host.prepared().admin, make("power-automat")).code


@pytest.mark.parametrize("make", [services.purge, services.remaining])
def test_users_may_not_purge(make: Callable[[str], Operation[object]]) -> None:
    """It takes a common administrator, or the host."""
    host = Host.prepared()
    assert "actor.not_permitted" == refusal(host.user(), make(SERVICE)).code
    host.tenant.acting_as("root", roles={"host"}).run(make(SERVICE))


def test_what_cannot_be_read_is_named() -> None:
    """A link whose record is damaged is of no use to anybody; the statement and the proof name it apart."""
    host, _ = many(30)
    for number in range(30):
        place = link_key(ACME, LinkId(f"broken-{number:02}"))
        write(host.store, Write(place.key, LINK.encode(stored_one(host), NOW)[:-9]))
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    before = host.admin.run(services.remaining(SERVICE))
    purge = finished(host.admin)
    left = host.admin.run(services.remaining(SERVICE))

    assert (31, 20, 30, 20) == (before.count, len(before.links), before.unread, len(before.unreadable))
    assert (31, 30) == (purge.toll.ended, purge.toll.unreadable)
    assert (0, 30, "broken-00") == (left.count, left.unread, left.unreadable[0])


def stored_one(host: Host) -> Link:
    """Return some link of a host."""
    stored_ids = host.admin.run(services.remaining(SERVICE)).links
    found = host.store.read([link_key(ACME, stored_ids[0]).key], {})[0].value
    return LINK.decode(found or b"")[0]


# For all tenants


def test_the_host_keeps_the_statement_about_all_tenants() -> None:
    """What each tenant's purge came to is noted once, in the host's own ledger, and added up from there."""
    host, _ = many(3)
    host.root.run(services.quarantine_everywhere(SERVICE, "a breach"))
    done = finished(host.tenant.acting_as("root", roles={"host"}))
    other = attrs.evolve(done, toll=Toll(ended=5, codes=1))
    for tenant, purge in (("acme", done), ("acme", done), ("beta", other)):
        host.root.run(services.note_purge(tenant, purge))

    total = host.root.run(services.purges(SERVICE))
    assert (2, done.toll + other.toll) == (total.tenants, total.toll)
    assert 9 == total.toll.ended
    assert [("acme", 4), ("beta", 5)] == _noted(host)


def _noted(host: Host) -> list[tuple[object, object]]:
    entries = host.root.run(ledger.entries(limit=500)).entries
    return [(one.details["of"], one.details["ended"]) for one in entries if one.event == "service.purged"]


def test_another_stop_of_the_host_begins_another_statement() -> None:
    """What was noted of an earlier stop is not counted, and cannot be noted any more."""
    host, _ = many(3)
    host.root.run(services.quarantine_everywhere(SERVICE, "a breach"))
    administrator = host.tenant.acting_as("root", roles={"host"})
    done = finished(administrator)
    host.root.run(services.note_purge("acme", done))
    host.root.run(services.quarantine_everywhere(SERVICE, "another breach"))

    assert (0, Toll()) == _total(host)
    with pytest.raises(InvalidInput, match="purge again"):
        host.root.run(services.note_purge("acme", done))
    with pytest.raises(InvalidInput, match="that is done"):
        host.root.run(services.note_purge("acme", administrator.run(services.purge(SERVICE))))
    host.root.run(services.note_purge("acme", finished(administrator)))
    assert (1, Toll()) == _total(host)


def _total(host: Host) -> tuple[int, Toll]:
    total = host.root.run(services.purges(SERVICE))
    return total.tenants, total.toll


def test_the_host_notes_only_for_itself() -> None:
    """Both run on `hub.host()`."""
    host = Host.prepared()
    inside = host.tenant.acting_as("root", roles={"host"})
    done = Purge(service=FLOWS, stop="0.0.0", began=NOW, done=NOW)
    for operation in (services.note_purge("acme", done), services.purges(SERVICE)):
        with pytest.raises(InvalidInput, match="expected the host itself"):
            inside.run(operation)


@pytest.mark.parametrize(
    "fields",
    [
        {"service": 7},
        {"service": ""},
        {"stop": None},
        {"stop": "0" * 65},
        {"began": "now"},
        {"done": 1.5},
        {"toll": (1, 2)},
        {"toll": Toll(ended=-1)},
        {"toll": Toll(codes=cast("int", "many"))},
    ],
)
def test_what_is_no_statement_is_not_noted(fields: dict[str, Any]) -> None:
    """A value of the right kind may hold anything; what is noted is what the fields say they are."""
    done = Purge(service=FLOWS, stop="0.0.0", began=NOW, done=NOW)
    assert "services.note_purge" == services.note_purge("acme", done).name

    with pytest.raises(InvalidInput):
        services.note_purge("acme", attrs.evolve(done, **fields))


def test_a_stop_of_the_host_ends_a_tenants_links() -> None:
    """Every tenant refuses at the next check; lifted, nothing comes back, purged or not."""
    host, tokens = many(3)
    host.admin.run(grants.allow(SERVICE, users=["sato"]))
    host.root.run(services.quarantine_everywhere(SERVICE, "a breach"))
    assert "service.quarantined_everywhere" in codes(host.check(tokens.access_token))
    assert 4 == finished(host.admin).toll.ended
    host.root.run(services.release_everywhere(SERVICE))

    assert ("link.revoked", "link.ended") == codes(host.check(tokens.access_token))
    assert not works_again(host, tokens)


def test_secrets_are_nowhere_in_a_statement() -> None:
    """Counts, ids and instants alone (law 14)."""
    host, tokens = many(0)
    host.admin.run(services.quarantine(SERVICE, "a leak"))
    purge = finished(host.admin)

    for secret in (tokens.access_token, tokens.refresh_token):
        assert isinstance(secret, Secret)
        assert secret.reveal() not in repr((purge, host.entries(), host.admin.run(services.remaining(SERVICE))))
