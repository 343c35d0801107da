"""Previews: pages and cursors, who may ask, what happens while one looks, and the guarded change (N2)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import attrs
import pytest

from extlink import (
    AsyncExtLink,
    AsyncInMemoryDirectory,
    access,
    catalog,
    grants,
    ledger,
    ledger_position,
    links,
    networks,
    previews,
    services,
    tenants,
    users,
)
from extlink.adapters.directory import InMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.threaded import ThreadedDirectory, ThreadedStorage
from extlink.domain.directory import CandidateQuery, DirectoryPage
from extlink.domain.event import Event
from extlink.domain.identifier import LinkId, ServiceId, UserId
from extlink.domain.impact import Impact, Rows, Sample
from extlink.domain.instant import to_datetime
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Contention, ExtlinkError, InvalidInput, Refused
from extlink.operation import Call, Commit, Operation, Steps, drop, operation, put, read
from extlink.ports import Batch, Entries, Page, Position, Query, key
from extlink.preview_world import reaches
from extlink.records import link_key, links_of_key, service_key, user_key
from tests.hosts import ACME, ALL_ROLES, CLIENT, SERVICE, Host, another_hub, refusal

MANY = 130
STRANGE: tuple[object, ...] = (None, [], "\ud800", 2**60, True)


def crowded() -> Host:
    """Return a host with many people in sales, the first sixty of whom are connected."""
    host = Host.prepared()
    for number in range(MANY):
        host.directory.add_user(f"user-{number:03}", organizations=["sales"], products={"kintone"})
    for number in range(60):
        host.connect(f"user-{number:03}")
    return host


@pytest.fixture(scope="module")
def crowd() -> Host:
    """Return one that is only looked at."""
    return crowded()


def everything(host: Host, sample: Sample[Any], one: Operation[object], limit: int) -> list[Any]:
    """Return the examples of a sample and all its pages."""
    items: list[Any] = list(sample.examples)
    cursor = sample.cursor
    while cursor is not None:
        page = host.admin.run(previews.more(cursor, one, limit=limit))
        assert page.count == len(page.examples) <= limit
        items += page.examples
        cursor = page.cursor
    return items


@pytest.mark.parametrize("limit", [1, 7, 50, 500])
def test_every_one_is_paged(crowd: Host, limit: int) -> None:
    """A sample shows twenty; its pages show the others, each once, whatever their size."""
    one = services.disable(SERVICE)
    impact = crowd.admin.preview(one)
    (lost,) = [service.lost for service in impact.services]
    people, paused = everything(crowd, lost, one, limit), everything(crowd, impact.paused, one, limit)

    assert (MANY + 3, 20) == (lost.count, len(lost.examples))
    assert sorted(people) == sorted({"sato", "suzuki", "tanaka", *(f"user-{number:03}" for number in range(MANY))})
    assert (60, 60) == (impact.paused.count, len({one.link for one in paused}))


def test_a_pager_that_loses_the_last_page_is_found(crowd: Host) -> None:
    """The broken twin: who stops when a page is not full misses people, and the count tells."""
    one = services.disable(SERVICE)
    lost = crowd.admin.preview(one).services[0].lost
    assert lost.cursor is not None
    first = crowd.admin.run(previews.more(lost.cursor, one, limit=100))

    assert lost.count > len({*lost.examples, *first.examples})
    assert lost.count == len({*everything(crowd, lost, one, 100)})


def test_twenty_need_no_cursor() -> None:
    """What the examples show wholly has no further page; one more has."""
    host = Host.prepared()
    for number in range(17):
        host.directory.add_user(f"user-{number:02}", organizations=["sales"], products={"kintone"})
    exactly = host.admin.preview(services.disable(SERVICE)).services[0].lost
    host.directory.add_user("one-more", organizations=["sales"], products={"kintone"})
    more = host.admin.preview(services.disable(SERVICE)).services[0].lost

    assert (20, None) == (exactly.count, exactly.cursor)
    assert (21, 20) == (more.count, len(more.examples))
    assert ["one-more"] == everything(host, more, services.disable(SERVICE), 5)[20:]


def test_named_people_are_paged_too() -> None:
    """An edit of many people by name asks about them alone, in order of id, in several batches."""
    host = crowded()
    names = [f"user-{number:03}" for number in range(0, MANY, 2)]
    one = grants.exclude(SERVICE, users=names)
    impact = host.admin.preview(one)

    assert names == everything(host, impact.services[0].lost, one, 9)
    assert 30 == len(everything(host, impact.ended, one, 9))


def test_pages_stop_when_the_tenant_moves_on() -> None:
    """A page of another tenant than the one that was looked at would tell some twice and others never."""
    host = crowded()
    one = services.disable(SERVICE)
    cursor = host.admin.preview(one).services[0].lost.cursor
    assert cursor is not None
    host.admin.run(services.set_default("allow"))

    assert "tenant.moved_on" == refusal(host.admin, previews.more(cursor, one)).code


def test_pages_stop_when_the_host_moves_on() -> None:
    """What the host says of a service holds in this tenant as well."""
    host = crowded()
    one = services.disable(SERVICE)
    cursor = host.admin.preview(one).services[0].lost.cursor
    assert cursor is not None
    host.root.run(services.quarantine_everywhere(SERVICE, "a leak"))

    assert "tenant.moved_on" == refusal(host.admin, previews.more(cursor, one)).code


def test_an_operation_runs_in_the_tenant_that_was_previewed() -> None:
    """With the position of the preview it is applied, or refused if anything was decided since."""
    host = Host.prepared()
    one = services.disable(SERVICE)
    impact = host.admin.preview(one)
    assert impact.position == host.position()
    host.admin.run(grants.allow(SERVICE, users=["guest-1"]))

    with pytest.raises(Refused) as caught:
        host.admin.run(one, expected=impact.position)
    assert ("tenant.moved_on", {"tenant": ACME}) == (caught.value.reason.code, dict(caught.value.reason.params))
    assert host.explain("guest-1").allowed

    host.admin.run(one, expected=host.admin.preview(one).position)
    assert not host.explain("guest-1").allowed


class Interrupted(MemoryStorage):
    """A store in which something happens right before a commit, or during the listing of links."""

    def __init__(self) -> None:
        super().__init__()
        self.before_commit: Callable[[], object] | None = None
        self.during_list: Callable[[], object] | None = None

    def commit(self, batch: Batch) -> Position:
        happening, self.before_commit = self.before_commit, None
        if happening is not None:
            happening()
        return super().commit(batch)

    def list(self, query: Query) -> Page:
        page = super().list(query)
        if self.during_list is not None and not isinstance(query, Entries) and query.prefix.startswith(b"l"):
            happening, self.during_list = self.during_list, None
            happening()
        return page


def test_the_position_is_compared_in_the_commit_itself() -> None:
    """Somebody who is faster by a moment, on records that the operation does not read, still makes it refuse."""
    store = Interrupted()
    host = Host.prepared(store=store)
    position = host.admin.preview(services.disable(SERVICE)).position
    other = another_hub(store, host.directory, host.clock).tenant(ACME).acting_as("admin-2", roles=ALL_ROLES)
    store.before_commit = lambda: other.run(users.suspend("ito"))

    with pytest.raises(Refused, match=r"tenant\.moved_on"):
        host.admin.run(services.disable(SERVICE), expected=position)
    assert host.explain("sato").allowed


def _in_use(host: Host, tokens: list[TokenSet]) -> None:
    """Renew a token and refuse a call, as happens all day."""
    answer = host.tenant.run(links.refresh(tokens[-1].refresh_token, client=CLIENT))
    assert isinstance(answer, TokenSet)
    tokens.append(answer)
    assert not host.tenant.run(access.check(answer.access_token, scope="no:such:scope", address="203.0.113.7"))


def test_a_tenant_in_use_is_still_the_one_that_was_previewed() -> None:
    """Renewed tokens and refused calls, during the look and after it, decide nothing: the change is made."""
    store = Interrupted()
    host = Host.prepared(store=store)
    tokens = [host.connect()]
    before = host.position()
    store.during_list = lambda: _in_use(host, tokens)
    one = services.disable(SERVICE)
    impact = host.admin.preview(one)
    cursor = impact.services[0].lost.cursor
    assert cursor is None
    assert before < impact.position == host.position()
    _in_use(host, tokens)
    store.before_commit = lambda: _in_use(host, tokens)
    host.admin.run(one, expected=impact.position)

    assert 4 == len(tokens)
    assert not host.explain("sato").allowed


def test_what_a_renewed_token_can_change_counts_it() -> None:
    """How long links may lie idle, and another day, are told anew: a renewed token lives longer."""
    host = Host.prepared()
    tokens = [host.connect()]
    one = services.set_dormancy(SERVICE, days=30)
    position = host.admin.preview(one).position
    _in_use(host, tokens)

    with pytest.raises(Refused, match=r"tenant\.moved_on"):
        host.admin.run(one, expected=position)


def test_a_position_too_long_ago_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little was decided since, nobody reads through a ledger without end for it."""
    host = Host.prepared()
    tokens = [host.connect()]
    one = services.disable(SERVICE)
    position = host.admin.preview(one).position
    for _ in range(3):
        _in_use(host, tokens)
    monkeypatch.setattr(ledger_position, "_MAX_SINCE", 2)
    monkeypatch.setattr(ledger_position, "MAX_LIST", 1)

    with pytest.raises(Refused, match=r"tenant\.moved_on"):
        host.admin.run(one, expected=position)


def test_without_a_position_the_same_change_is_made() -> None:
    """The broken twin: who leaves the position out changes a tenant that nobody looked at."""
    store = Interrupted()
    host = Host.prepared(store=store)
    other = another_hub(store, host.directory, host.clock).tenant(ACME).acting_as("admin-2", roles=ALL_ROLES)
    store.before_commit = lambda: other.run(users.suspend("ito"))
    host.admin.run(services.disable(SERVICE))

    assert not host.explain("sato").allowed


@pytest.mark.parametrize("position", [0, 1, 3, 400, 2**53])
def test_a_position_that_the_tenant_is_not_at_is_refused(position: int) -> None:
    """One that is past, and one that was never reached."""
    host = Host.prepared()
    assert position != host.position()

    with pytest.raises(Refused, match=r"tenant\.moved_on"):
        host.admin.run(services.disable(SERVICE), expected=position)


@pytest.mark.parametrize("position", ["3", 3.0, True, -1, 2**53 + 1])
def test_something_else_than_a_position_is_refused(position: Any) -> None:
    """A position is a whole number."""
    with pytest.raises(InvalidInput, match="expected: expected a whole number"):
        Host.prepared().admin.run(services.disable(SERVICE), expected=position)


def test_something_else_than_an_operation_is_refused() -> None:
    """With a position as without."""
    with pytest.raises(InvalidInput, match="operation: expected an operation"):
        Host.prepared().admin.run("disable", expected=3)  # type: ignore[arg-type]


def test_a_command_delivered_again_is_answered_at_any_position() -> None:
    """What moved the tenant on was the command itself: its answer was lost, and is given once more."""
    host = Host.prepared()
    position = host.position()
    first = host.admin.run(services.disable(SERVICE), idempotency_key="k", expected=position)

    assert first == host.admin.run(services.disable(SERVICE), idempotency_key="k", expected=position)


def test_what_writes_nothing_needs_no_position() -> None:
    """There is nothing to be guarded; the answer is one of today."""
    host = Host.prepared()

    assert services.ServiceState.ENABLED is host.admin.run(services.enable(SERVICE), expected=0).state  # type: ignore[attr-defined]


def test_a_denial_is_recorded_at_any_position() -> None:
    """A position keeps nobody's attempt out of the ledger."""
    host = Host.prepared()
    with pytest.raises(Refused, match=r"actor\.not_permitted"):
        host.user().run(services.disable(SERVICE), expected=0)

    assert "operation.denied" == host.events()[-1]


def test_a_tenant_that_moves_on_is_looked_at_again() -> None:
    """Something is recorded during the first look: the second tells of it."""
    store = Interrupted()
    host = Host.prepared(store=store)
    host.connect()
    other = another_hub(store, host.directory, host.clock).tenant(ACME).acting_as("admin-2", roles=ALL_ROLES)
    store.during_list = lambda: other.run(users.suspend("suzuki"))
    impact = host.admin.preview(services.disable(SERVICE))

    assert host.position() == impact.position
    assert ("sato", "tanaka") == impact.services[0].lost.examples


def test_a_tenant_that_never_stands_still_is_not_guessed_at() -> None:
    """Three looks, then a plain error; nothing was written by any of them."""
    store = Interrupted()
    host = Host.prepared(store=store)
    other = another_hub(store, host.directory, host.clock).tenant(ACME).acting_as("admin-2", roles=ALL_ROLES)

    def again() -> None:
        other.run(users.suspend("ito", existing="revoke"))
        store.during_list = again

    store.during_list = again
    before = host.position()
    with pytest.raises(Contention, match="3 looks in a row"):
        host.admin.preview(services.disable(SERVICE))
    assert before + 3 == host.position()


def test_who_may_not_do_it_may_not_look() -> None:
    """A preview needs the roles of the operation; it says so, tells nothing else, and records nothing."""
    host = Host.prepared()
    host.connect()
    before = host.dump()
    impact = host.user().preview(services.disable(SERVICE))

    assert ["actor.not_permitted"] == [reason.code for reason in impact.refusal]
    assert ["operation.denied"] == [event.name for event in impact.events]
    assert Impact(position=host.position(), refusal=impact.refusal, events=impact.events) == impact
    assert before == host.dump()


@pytest.mark.parametrize("what", ["people", "a day"])
def test_who_is_no_administrator_may_not_ask_about_others(what: str) -> None:
    """Who will gain and lose what is not for everybody; nor is it where an operation comes along that is."""
    host = Host.prepared()
    asked: dict[str, Any] = {"directory": host.directory} if what == "people" else {"at": _later(host, 9)}
    for one in (None, links.revoke_all(user="sato")):
        impact = host.user().preview(one, **asked)
        assert ["actor.not_permitted"] == [reason.code for reason in impact.refusal]
        assert () == impact.services
        assert "actor.not_permitted" == refusal(host.user(), previews.more(_cursor(), one, **asked)).code


def test_a_user_may_preview_what_a_user_may_do() -> None:
    """Ending one's own link shows that link and no other."""
    host = Host.prepared()
    mine = host.connect().link
    host.connect("tanaka")
    impact = host.user().preview(links.revoke(mine))

    assert ([mine], None) == ([one.link for one in impact.ended.examples], impact.rows)
    assert (1, "link.revoked") == (impact.ended.count, impact.ended.examples[0].reasons[0].code)


def test_a_refused_operation_shows_its_reasons() -> None:
    """No exception: the reason, as `run` would raise it."""
    impact = Host.prepared().admin.preview(services.enable("unheard-of"))

    assert ["service.unknown"] == [reason.code for reason in impact.refusal]


def test_what_is_too_large_to_be_saved_is_refused() -> None:
    """That shows where a record is written, which a preview never does."""
    host = Host.make()

    @operation("tests.fill", records=("link.authorized",))
    def filling(call: Call) -> Steps[Commit[None]]:
        place = links_of_key(call.tenant, UserId("sato"), ServiceId("slack"))
        yield from read(place)
        return Commit(None, (put(place, tuple(map(LinkId, map(str, range(20_000))))),), (Event("link.authorized"),))

    assert "record.too_large" == refusal(host.admin, filling()).code
    assert (refusal(host.admin, filling()),) == host.admin.preview(filling()).refusal


def test_a_malformed_operation_is_the_callers_fault() -> None:
    """What `run` would raise for malformed values, the preview raises as well."""
    host = Host.prepared()

    with pytest.raises(InvalidInput, match="tenant: expected the host itself"):
        host.tenant.acting_as("h", roles={"host"}).preview(services.quarantine_everywhere(SERVICE, "a leak"))


@pytest.mark.parametrize("one", [None, services.disable(SERVICE), services.set_default("deny")])
def test_nothing_is_told_of_a_tenant_that_nobody_opened(one: Operation[object] | None) -> None:
    """It is refused like everything there; only to open it can be previewed."""
    host = Host.make()
    nobody = host.hub.tenant("unopened").acting_as("admin-1", roles=ALL_ROLES)

    assert "tenant.not_open" == refusal(nobody, previews.preview(one)).code
    opening = nobody.preview(tenants.open_tenant(edition="JP", products=frozenset({"kintone"})))
    assert (0, ["tenant.opened"]) == (opening.position, [event.name for event in opening.events])


def test_the_host_is_told_the_events_alone() -> None:
    """No tenant is looked into from there."""
    host = Host.prepared()
    impact = host.root.preview(services.quarantine_everywhere(SERVICE, "a leak"))

    assert ((), ["service.quarantined"]) == (impact.services, [event.name for event in impact.events])


def test_rows_are_told_where_the_restriction_changes() -> None:
    """How full it is, and how full it may be."""
    host = Host.prepared(edition="US")
    host.admin.run(networks.add(["192.0.2.0/24"]))

    assert (
        Rows(before=1, after=3, limit=2_900) == host.admin.preview(networks.add(["10.0.0.0/8", "172.16.0.0/12"])).rows
    )
    assert None is host.admin.preview(services.disable(SERVICE)).rows


def test_a_link_is_judged_by_the_address_it_was_used_from() -> None:
    """Where it was never used, only a restriction that admits nobody stops it."""
    host = Host.prepared(edition="US")
    used, unused = host.connect(), host.connect("tanaka")
    assert host.check(used.access_token, address="203.0.113.7").allowed

    def paused(one: Operation[object]) -> set[str]:
        return {link.link for link in host.admin.preview(one).paused.examples}

    assert set() == paused(networks.restrict(["203.0.113.0/24"]))
    assert {used.link} == paused(networks.restrict(["192.0.2.0/24"]))
    assert {used.link, unused.link} == paused(networks.restrict([]))
    assert {used.link, unused.link} == paused(networks.deny_all())


def _later(host: Host, days: int) -> Any:
    return to_datetime(host.clock.now()) + timedelta(days=days)


def test_a_day_that_is_past_is_refused() -> None:
    """What was, the ledger tells."""
    host = Host.prepared()

    with pytest.raises(InvalidInput, match="at: expected an instant that is still to come"):
        host.admin.preview(at=_later(host, -1))
    assert Impact(position=host.position()) == host.admin.preview(at=_later(host, 0))


def _cursor(*changes: tuple[int, object]) -> str:
    fields: list[object] = ["lost", SERVICE, 4, 1, 1_591_660_800, 0, "", 0]
    for place, value in changes:
        fields[place] = value
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "AAAA",
        "é",
        "\ud800",
        base64.urlsafe_b64encode(b"[" * 3_000).decode(),
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"[1,2]").decode(),
        *(_cursor((place, value)) for place in range(8) for value in STRANGE),
        *(_cursor((place, -1)) for place in (2, 3, 5, 7)),
        _cursor((5, 2)),
        "A" * 20_000,
        7,
        None,
    ],
)
def test_what_is_no_cursor_is_refused(cursor: Any) -> None:
    """Whatever comes back from a browser is a cursor or the caller's fault."""
    host = Host.prepared()

    with pytest.raises((InvalidInput, Refused)) as caught:
        host.admin.run(previews.more(cursor, services.disable(SERVICE)))
    if isinstance(caught.value, Refused):
        assert caught.value.reason.code in {"tenant.moved_on", "directory.unavailable"}


def test_a_cursor_of_another_round_finds_nobody() -> None:
    """Newcomers are asked for where other people come; a cursor that says otherwise is at its end."""
    host = Host.prepared()
    hosts = len(host.root.run(ledger.entries()).entries)
    cursor = _cursor((2, host.position()), (3, hosts), (5, 1))

    assert Sample() == host.admin.run(previews.more(cursor, services.disable(SERVICE)))


class Directory(InMemoryDirectory):
    """A directory that goes wrong in one way."""

    def __init__(self, inner: InMemoryDirectory, wrong: str) -> None:
        super().__init__()
        self._inner, self._wrong = inner, wrong

    def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        if self._wrong == "page":
            raise OSError("down")
        page = self._inner.page(query, after, limit)
        return attrs.evolve(page, next="0.1") if self._wrong == "endless" else page

    def get(self, users: Sequence[str]) -> Any:
        if self._wrong == "get":
            raise OSError("down")
        return self._inner.get(users)


@pytest.mark.parametrize("wrong", ["page", "get", "endless"])
def test_a_directory_that_fails_is_not_taken_for_an_empty_one(wrong: str) -> None:
    """Of people who are not known nobody can say what they lose."""
    host = Host.prepared()
    reason = refusal(host.admin, previews.preview(directory=Directory(host.directory, wrong)))

    assert "directory.unavailable" == reason.code


class Talkative(InMemoryDirectory):
    """A directory that answers with more people than it was asked about."""

    def get(self, users: Sequence[str]) -> Any:
        return super().get([*users, "admin-1", "mori"])


def test_people_whom_nobody_asked_about_are_not_counted() -> None:
    """Each is counted once, on the page that they are on."""
    host = Host.prepared()
    then = Talkative(organizations=host.directory.organizations())
    for user in ("sato", "mori"):
        then.add_user(user, organizations=["sales"], products={"kintone"})
    impact = host.admin.preview(directory=then)

    assert (("mori",), ("suzuki", "tanaka")) == (impact.services[0].gained.examples, impact.services[0].lost.examples)


class Strange:
    """An object whose attributes are nobody's business."""

    def __getattr__(self, name: str) -> object:
        raise ValueError(name)


@pytest.mark.parametrize("directory", [7, "people", object(), Host, Strange()], ids=type)
def test_something_else_than_a_directory_is_refused(directory: Any) -> None:
    """It is noticed before anybody is asked."""
    with pytest.raises(InvalidInput, match="directory: expected a directory"):
        Host.prepared().admin.preview(directory=directory)


@pytest.mark.parametrize("one", [7, "services.disable", services.disable])
def test_previewing_something_else_than_an_operation_is_refused(one: Any) -> None:
    """A function that makes an operation is none yet."""
    with pytest.raises(InvalidInput, match="operation: expected an operation, or None, got"):
        Host.prepared().admin.preview(one)


def test_an_operation_meets_the_people_who_will_be() -> None:
    """Asked together, the operation is carried out after the reorganization."""
    host = Host.prepared()
    then = InMemoryDirectory()
    then.add_user("mori", products={"kintone"})
    one = grants.edit(SERVICE, version=1, add=["mori"])

    assert ["subject.unknown"] == [reason.code for reason in host.admin.preview(one).refusal]
    impact = host.admin.preview(one, directory=then)
    assert (("mori",), 3) == (impact.services[0].gained.examples, impact.services[0].lost.count)


def test_an_async_host_previews_alike() -> None:
    """The same operation in the other colour, with a directory of that colour."""
    host = Host.prepared()
    host.connect()

    async def story() -> tuple[Impact, Impact]:
        hub = AsyncExtLink(
            ThreadedStorage(host.store),
            keys=host.hub._keys,
            directory=ThreadedDirectory(host.directory),
            clock=host.clock,
        )
        admin = hub.tenant(ACME).acting_as("admin-1", roles={"common_administrator"})
        empty = await admin.preview(directory=AsyncInMemoryDirectory())
        impact = await admin.preview(services.disable(SERVICE))
        await admin.run(services.disable(SERVICE), expected=impact.position)
        return impact, empty

    expected = host.admin.preview(services.disable(SERVICE)), host.admin.preview(directory=InMemoryDirectory())

    assert expected == asyncio.run(story())
    assert not host.explain("sato").allowed


def test_a_record_of_an_unheard_of_kind_is_taken_to_touch_everything() -> None:
    """A kind that somebody adds tomorrow and forgets here costs time, and hides nothing."""
    assert all(reach.everything for reach in reaches([key(ACME, "q", "l1")]))
    assert not any(reach.is_broad or reach.users or reach.links for reach in reaches([key(ACME, "gv", "slack")]))


def test_a_link_whose_record_goes_has_ended() -> None:
    """Nobody deletes one that works today; if somebody does, it is told."""
    host = Host.prepared()
    link = host.connect().link

    @operation("tests.drop", records=("link.revoked",))
    def dropping(call: Call) -> Steps[Commit[None]]:
        place = link_key(call.tenant, link)
        yield from read(place)
        return Commit(None, (drop(place),), (Event("link.revoked"),))

    impact = host.admin.preview(dropping())
    assert [(link, ())] == [(one.link, one.reasons) for one in impact.ended.examples]


def test_an_error_of_oauth_is_raised_as_it_would_be() -> None:
    """It is no refusal of the tenant's rules, but a message that was wrong."""

    class Broken(ExtlinkError):
        code = "broken"

    @operation("tests.broken", records=("user.suspended",))
    def broken(call: Call) -> Steps[Commit[None]]:
        place = user_key(call.tenant, UserId("sato"))
        state = (yield from read(place)).get(place)
        assert state is None
        return Commit(None, events=(Event("user.suspended"),), error=Broken())

    with pytest.raises(Broken):
        Host.prepared().admin.preview(broken())


def test_a_service_that_is_registered_anew_brings_its_old_rules() -> None:
    """What a new service gives to people who have it by default is told as well."""
    host = Host.make()
    host.admin.run(services.set_default("allow"))
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(grants.allow("slack", users=["sato"]))

    @operation("tests.forget", records=("service.unregistered",))
    def forgetting(call: Call) -> Steps[Commit[None]]:
        place = service_key(call.tenant, ServiceId("slack"))
        yield from read(place)
        return Commit(None, (drop(place),), (Event("service.unregistered", {"service": "slack"}),))

    host.connect(service="slack", scopes=[catalog.SLACK.scopes[0].name])
    assert ("sato",) == host.admin.preview(forgetting()).services[0].lost.examples
    assert (1, 0) == (host.admin.preview(forgetting()).paused.count, host.admin.preview(forgetting()).ended.count)
    host.admin.run(forgetting())
    assert Impact(position=host.position()) == host.admin.preview(at=_later(host, 1))
    assert ("sato",) == host.admin.preview(services.register(catalog.SLACK)).services[0].gained.examples


def test_an_access_check_changes_nothing() -> None:
    """A question that notes a use touches nobody."""
    host = Host.prepared()
    token = host.connect().access_token

    assert Impact(position=host.position()) == host.tenant.preview(access.check(token, scope="k:app_record:read"))
