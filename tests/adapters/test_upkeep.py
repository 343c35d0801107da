from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, cast

import attrs
import pytest

from extlink import access, clients, grants, ledger as ledger_operations, links, tenants, users
from extlink.adapters._bounds import entry_key
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.moving import copy_tenant
from extlink.adapters.sqlite import SQLiteStorage
from extlink.adapters.threaded import ThreadedStorage
from extlink.adapters.upkeep import Collected, collect, collect_async
from extlink.domain.client_registration import ClientKey
from extlink.domain.event import Event, canonical
from extlink.domain.identifier import LinkId, TenantId
from extlink.domain.instant import Instant
from extlink.domain.outcome import CodeAgain, Outcome
from extlink.domain.secret import Secret
from extlink.domain.tenant import Actor
from extlink.domain.token import KeyRing
from extlink.domain.token_ledger import TokenSet
from extlink.errors import ExtlinkError, InvalidInput, Unavailable
from extlink.operation import Operation
from extlink.outcomes import OUTCOME
from extlink.ports import Batch, Entries, Key, Page, Position, Query, Records, Storage, Stored, Version, Write, prefix
from extlink.records import ASSERTIONS, MARKS, split
from extlink.runtime import ExtLink
from extlink.testing.probes import ACME, at, batch, ledger, paths
from tests.fakes import NOW, CountingEntropy, FrozenClock
from tests.hosts import CLIENT, SERVICE, Host
from tests.oauth.keys import pem
from tests.oauth.kit import Site
from tests.test_client_authentication import shown

DAY = 86_400
KEYS = KeyRing({"k1": Secret("5a" * 32)}, current="k1")
# Every kind that may go; `~` are the pieces of large ones.
GOING = tuple(prefix(name) for name in ("a", "i", "n", "nu", "~"))


def put(store: Storage, key: Key, value: bytes | None) -> None:
    """Write a record as what is apart from the ledger is written: without an entry."""
    store.commit(batch(Write(key, value), entries=()))


@attrs.frozen
class Town:
    """A tenant in the middle of its life, with something of every kind that may go and of every kind that may not."""

    store: Storage
    site: Site
    tokens: Sequence[TokenSet]

    @classmethod
    def make(cls, store: Storage) -> Town:
        """Connect people, end some of it, deliver commands twice, let calls be refused, show a signed assertion."""
        site = Site.make(methods=["private_key_jwt"], store=cast("MemoryStorage", store))
        host = site.host
        site.run(clients.set_keys(site.client, [ClientKey(id="k1", algorithm="EdDSA", pem=pem("EdDSA"))]))
        assert (200, "") == shown(site, "seen")
        tokens = [host.connect(user) for user in ("sato", "suzuki", "tanaka")]
        for one in tokens:
            assert host.check(one.access_token)
        host.user("tanaka").run(links.revoke(tokens[2].link))
        host.check(tokens[1].access_token, scope="k:file:read")
        host.user("guest-1").run(grants.ask(SERVICE))
        host.admin.run(grants.decline(SERVICE, user="guest-1", cause="not for guests"))
        host.admin.run(users.suspend("ito"), idempotency_key="command")
        host.admin.run(users.resume("ito"))
        return cls(store, site, tokens)

    def answers(self, store: Storage, at: Instant) -> list[object]:
        """Ask a copy of a store everything there is to ask at an instant, and deliver a command once more."""
        copy = MemoryStorage()
        for tenant in ("acme", "~host"):
            copy_tenant(store, copy, tenant)
        clock = FrozenClock()
        clock.advance(at - clock.now())
        old = self.site.host
        hub = ExtLink(copy, keys=KEYS, directory=old.directory, clock=clock, entropy=CountingEntropy(10**6))
        host = attrs.evolve(old, hub=hub, store=copy, clock=clock, tenant=hub.tenant("acme"))
        site = attrs.evolve(self.site, host=host)
        people = ("sato", "suzuki", "tanaka", "ito", "guest-1")
        asked: list[Operation[object]] = [
            access.explain(SERVICE, user=user, network="not_applicable") for user in people
        ]
        asked += [links.of(user) for user in people]
        asked += [
            links.users_of(SERVICE),
            grants.requests(service=SERVICE),
            grants.show(SERVICE),
            ledger_operations.entries(),
        ]
        heard: list[object] = [shown(site, "seen") if at == old.clock.now() else None]
        heard += [host.admin.run(users.suspend("ito"), idempotency_key="command")] if at < NOW + DAY else []
        heard += [host.admin.run(one) for one in asked]
        for one in self.tokens:
            heard += [host.check(one.access_token), _kept(host, links.refresh(one.refresh_token, client=CLIENT))]
        return heard


def _kept(host: Host, operation: Operation[object]) -> object:
    try:
        return host.tenant.run(operation)
    except ExtlinkError as error:
        return repr(error)


def _others(store: Storage) -> list[Stored]:
    """Return every record of a kind that may not go."""
    page = store.list(Records(ACME, b"", b"", 1_000))
    assert not page.more
    return [one for one in page.items if not one.key.path.startswith(GOING)]


def _at(instant: int) -> FrozenClock:
    clock = FrozenClock()
    clock.advance(instant - clock.now())
    return clock


Collecting = Callable[[Storage, Instant], object]


def recorded(store: Storage, at: Instant) -> None:
    """Let something be recorded at an instant: it is the tenant's own time from then on."""
    event = Event("operation.denied", {"operation": "users.suspend", "roles": ()})
    body = canonical(event, tenant=TenantId("acme"), actor=Actor(), operation="users.suspend", at=at, images=())
    store.commit(batch(entries=[body]))


def _collecting(store: Storage, now: Instant) -> object:
    return collect(store, "acme", before=now, clock=_at(now))


def _collected(store: Storage, now: Instant) -> object:
    """Collect from a tenant in which something has just happened."""
    recorded(store, now)
    return _collecting(store, now)


def _harm(collecting: Collecting, town: Town, after: Sequence[int]) -> list[int]:
    """Return after how many seconds a tenant from which was collected answers anything differently."""
    found = []
    for seconds in after:
        now = Instant(NOW + seconds)
        recorded(town.store, now)
        copy = MemoryStorage()
        for tenant in ("acme", "~host"):
            copy_tenant(town.store, copy, tenant)
        others, entries = _others(copy), ledger(copy)
        collecting(copy, now)
        assert entries == ledger(copy)
        if town.answers(copy, now) != town.answers(town.store, now) or others != _others(copy):
            found.append(seconds)
    return found


MOMENTS = (0, 59, 60, 3_599, 3_600, DAY - 1, DAY, 400 * DAY)


def test_nothing_living_is_touched() -> None:
    """At any moment every question is answered as if nothing had been collected; ledger and epochs are byte-equal."""
    town = Town.make(MemoryStorage())

    assert [] == _harm(_collecting, town, MOMENTS)


def _all_of(name: str) -> Collecting:
    def twin(store: Storage, now: Instant) -> object:
        for path in paths(store, prefix(name)):
            put(store, at(path), None)
        return now

    return twin


@pytest.mark.parametrize("kind", ["a", "i", "nu", "u", "ra", "l"])
def test_a_twin_that_collects_too_early_is_caught(kind: str) -> None:
    """The broken twins: each clears a kind away that is still of use, or that always is."""
    town = Town.make(MemoryStorage())

    assert _harm(_all_of(kind), town, MOMENTS[:1])


def test_each_kind_goes_when_it_means_nothing_any_more(any_store: Storage) -> None:
    """The table: outcomes after a day, marks after their hour, notes of ended links at once, assertions emptied."""
    town = Town.make(any_store)
    found = [_collected(any_store, Instant(NOW + after)) for after in (0, 60, 3_600, DAY, 400 * DAY)]

    assert [
        Collected(uses=1),
        Collected(assertions=1),
        Collected(marks=1),
        Collected(outcomes=1),
        Collected(uses=2),
    ] == found
    assert [prefix("a", town.site.client)] == [path for path in map(bytes, _paths(any_store)) if path.startswith(GOING)]
    assert Collected() == _collected(any_store, Instant(NOW + 400 * DAY))


def _paths(store: Storage) -> list[bytes]:
    return [one.key.path for one in store.list(Records(ACME, b"", b"", 1_000)).items]


def test_an_assertion_is_refused_after_it_was_collected() -> None:
    """By a process whose clock is behind as well: the record's stamp is no earlier than what it forgot."""
    town = Town.make(MemoryStorage())
    assert (401, "invalid_client") == shown(town.site, "seen")
    _collected(town.store, Instant(NOW + 60))

    # The assertion is signed as before, for the same instants.
    assert (401, "invalid_client") == shown(town.site, "seen")
    town.site.host.clock.advance(60)
    assert (200, "") == shown(town.site, "new")


def test_seen_assertions_stay_while_one_is_good() -> None:
    """A record is emptied as a whole; one that is empty is left as it is, whenever it was written."""
    store = MemoryStorage()
    for name, seen in (("one", {"old": NOW - 5, "new": NOW + 1}), ("two", {}), ("three", {"old": NOW - 5})):
        put(store, at(prefix("a", name)), ASSERTIONS.encode(seen, Instant(NOW - 9)))
    put(store, at(prefix("a", "four")), ASSERTIONS.encode({"old": NOW - 5}, Instant(NOW - 1)))
    untouched = store.read([at(prefix("a", name)) for name in ("one", "two")], {})

    assert Collected(assertions=2) == _collected(store, Instant(NOW))
    assert untouched == store.read([at(prefix("a", name)) for name in ("one", "two")], {})
    left = store.read([at(prefix("a", name)) for name in ("three", "four")], {})
    assert [({}, NOW - 5), ({}, NOW - 1)] == [ASSERTIONS.decode(one.value or b"") for one in left]


def test_a_refusal_is_recorded_again_after_its_mark_went() -> None:
    """Nothing but a repetition within the hour was kept back by it."""
    host = Host.prepared()
    tokens = host.connect()
    host.admin.run(tenants.end_links("a leak"))
    host.check(tokens.access_token)
    host.check(tokens.access_token)
    assert 1 == host.events().count("access.refused")
    assert Collected(marks=1) == _collected(host.store, Instant(NOW + 3_600))
    host.clock.advance(3_600)
    host.check(tokens.access_token)

    assert 2 == host.events().count("access.refused")


def _large(store: Storage, number: int, age: int) -> None:
    """Put what a command came to, of three pieces."""
    parts = split(at(prefix("i", "", f"{number:04d}")), random.Random(number).randbytes(150_000), Instant(NOW - age))
    store.commit(batch(*[Write(*part) for part in parts], entries=()))


def test_a_large_record_goes_with_its_pieces(any_store: Storage) -> None:
    """And what one became smaller by; pieces of what is kept stay."""
    _large(any_store, 1, 2 * DAY)
    _large(any_store, 2, 10)
    _large(any_store, 3, 10)
    put(any_store, at(prefix("i", "", "0003")), b"small")
    kept = [one for one in _paths(any_store) if b"0002" in one]

    assert Collected(outcomes=1, pieces=6, unreadable=1) == _collected(any_store, NOW)
    assert [kept[0], prefix("i", "", "0003"), *kept[1:]] == _paths(any_store)
    assert 4 == len(kept)


def test_what_cannot_be_read_stays() -> None:
    """It is counted, so that somebody looks at it: a backup may have it."""
    store = MemoryStorage()
    for name in ("a", "i", "n"):
        put(store, at(prefix(name, "x")), b"{")
    put(store, at(prefix("nu", "x")), b"{")
    put(store, at(prefix("l", "x")), b"{")
    put(store, at(prefix("i", "y")), b"\x00{")
    put(store, at(prefix("~", "i", "y", "0")), b"{")
    put(store, at(prefix("~", "i", "x", "many")), b"{")
    put(store, at(b"~\x00\x01"), b"{")
    put(store, at(prefix("nu", "gone")), b"{")
    before = len(_paths(store))

    assert Collected(uses=1, unreadable=8) == _collected(store, NOW)
    assert before - 1 == len(_paths(store))


def _many(store: Storage) -> None:
    recorded(store, NOW)
    for number in range(150):
        put(store, at(prefix("n", f"link {number:04d}")), MARKS.encode({"link.expired": 1}, Instant(NOW - DAY)))
        put(store, at(prefix("nu", f"link {number:04d}")), b"{}")
    for number in range(10):
        put(store, at(prefix("n", f"new {number}")), MARKS.encode({"link.expired": NOW // 3_600}, NOW))
        _large(store, number, 3 * DAY)


def test_it_is_done_in_parts(any_store: Storage) -> None:
    """A limit ends a call, its cursor goes on; together they do what one call does."""
    _many(any_store)
    parts = [collect(any_store, "acme", before=NOW, limit=70)]
    while parts[-1].next is not None:
        assert 70 >= parts[-1].total
        parts.append(collect(any_store, "acme", before=NOW, after=parts[-1].next, limit=70))

    assert (10, 150, 150, 30) == tuple(
        sum(getattr(one, kind) for one in parts) for kind in ("outcomes", "marks", "uses", "pieces")
    )
    assert 10 == len(_paths(any_store))
    assert 5 == len(parts)


def test_a_batch_is_bounded() -> None:
    """Nobody waits long behind one."""

    class Watched(MemoryStorage):
        def commit(self, batch: Batch) -> Position:
            largest.append(len(batch.writes))
            entries.extend(batch.entries)
            return super().commit(batch)

    largest: list[int] = []
    entries: list[bytes] = []
    store = Watched()
    _many(store)
    largest.clear()
    entries.clear()
    collect(store, "acme", before=NOW)

    assert (64, []) == (max(largest), entries)


class Passing:
    """A store that passes everything on; broken ones are made of it."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return self.storage.read(keys, known)

    def list(self, query: Query) -> Page:
        return self.storage.list(query)

    def commit(self, batch: Batch) -> Position:
        return self.storage.commit(batch)


class Dying(Passing):
    """A store that is gone after a few commits."""

    left = 0

    def commit(self, batch: Batch) -> Position:
        if not self.left:
            raise Unavailable("gone")
        self.left -= 1
        return super().commit(batch)


def test_it_is_killed_and_run_again() -> None:
    """After any commit: what was done is done, and the next run does the rest."""
    whole = MemoryStorage()
    _many(whole)
    collect(whole, "acme", before=NOW)
    store = MemoryStorage()
    _many(store)
    dying, killed = Dying(store), 0
    while True:
        dying.left = 1
        try:
            collect(dying, "acme", before=NOW)
        except Unavailable:
            killed += 1
        else:
            break

    assert _paths(whole) == _paths(store)
    assert 6 <= killed


class Renewing(Passing):
    """A store in which somebody renews the last record of a page before anything of it is deleted."""

    guarded = True

    def list(self, query: Query) -> Page:
        page = super().list(query)
        if isinstance(query, Records) and page.items:
            put(self.storage, page.items[-1].key, MARKS.encode({"link.expired": NOW // 3_600}, NOW))
        return page

    def commit(self, batch: Batch) -> Position:
        return super().commit(batch if self.guarded else attrs.evolve(batch, guards=()))


def _renewed(store: Renewing) -> tuple[int, int]:
    """Return how many marks went and how many are left, of three of which one is renewed."""
    recorded(store.storage, NOW)
    for number in range(3):
        put(store.storage, at(prefix("n", str(number))), MARKS.encode({"link.expired": 1}, NOW))
    gone = collect(store, "acme", before=NOW).marks
    return gone, len(_paths(store.storage))


def test_what_is_renewed_meanwhile_stays(any_store: Storage) -> None:
    """Somebody is refused at this very moment; the others of its batch go all the same."""
    assert (2, 1) == _renewed(Renewing(any_store))


def test_a_twin_that_ignores_its_guards_is_caught() -> None:
    """The broken twin deletes what was just written."""
    twin = Renewing(MemoryStorage())
    twin.guarded = False

    assert (2, 1) != _renewed(twin)


def test_a_note_is_kept_whose_link_changes_meanwhile() -> None:
    """The note rests on what the link is; both are guarded."""

    class Changing(Passing):
        def commit(self, batch: Batch) -> Position:
            put(self.storage, at(prefix("l", "x")), b"new")
            return super().commit(batch)

    store = MemoryStorage()
    put(store, at(prefix("nu", "x")), b"{}")

    assert Collected() == collect(Changing(store), "acme", before=NOW)
    assert Collected(unreadable=1) == collect(store, "acme", before=NOW)


class Timeless(Passing):
    """The broken twin: a store without a ledger for whoever collects, so that a clock alone says what time it is."""

    def list(self, query: Query) -> Page:
        if isinstance(query, Entries):
            return Page((Stored(entry_key(query.tenant, 1), Version(1), _FAR),) if not query.after else (), more=False)
        return super().list(query)


_FAR: Final = canonical(
    Event("operation.denied", {"operation": "users.suspend", "roles": ()}),
    tenant=TenantId("acme"),
    actor=Actor(),
    operation="users.suspend",
    at=Instant(NOW + 400 * DAY),
    images=(),
)


def _days_ahead(store: Storage, seen: Callable[[Storage], Storage]) -> tuple[object, list[str], bool]:
    """Collect under a clock that is days ahead; return what went, what is left, and whether a command ran twice."""
    town = Town.make(store)
    clock = town.site.host.clock
    clock.advance(2 * DAY)
    admin = town.site.host.admin
    admin.run(users.suspend("ito"), idempotency_key="late")
    admin.run(users.resume("ito"))
    gone = _collecting(seen(store), Instant(NOW + 9 * DAY))
    left = sorted({path[:1].decode() for path in paths(store) if path.startswith(prefix("i"))})
    # Delivered once more: it must not suspend anybody who was resumed since.
    admin.run(users.suspend("ito"), idempotency_key="late")
    return gone, left, town.site.host.events()[-1] == "user.suspended"


def test_a_clock_that_is_days_ahead_drops_nothing_fresh(any_store: Storage) -> None:
    """The tenant's own ledger says what time it is: what its last day brought stays, and a command runs once."""
    gone, left, ran_twice = _days_ahead(any_store, lambda store: store)

    assert (["i"], False) == (left, ran_twice)
    assert Collected(outcomes=1, marks=1, uses=1, assertions=1) == gone


def test_a_twin_that_believes_the_clock_is_caught() -> None:
    """The broken twin: the same check sees the outcome go, and the command run twice."""
    _, left, ran_twice = _days_ahead(MemoryStorage(), Timeless)

    assert ([], True) == (left, ran_twice)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7, 8, 9, 100])
def test_the_newest_entry_counts(number: int) -> None:
    """However many there are: what is over at its instant goes, and nothing that was not yet over a second before."""
    store = MemoryStorage()
    for one in range(number):
        recorded(store, Instant(NOW - number + one))
    put(store, at(prefix("n", "x")), MARKS.encode({"link.expired": NOW // 3_600 - 1}, NOW))

    assert Collected() == _collecting(store, Instant(NOW + DAY))
    recorded(store, NOW)
    assert Collected() == _collecting(store, Instant(NOW - 1))
    assert Collected(marks=1) == _collecting(store, Instant(NOW + DAY))


def test_a_tenant_of_which_half_was_removed_still_tells_its_time(tmp_path: Path) -> None:
    """The first entries are gone; the newest is found all the same."""
    with SQLiteStorage(tmp_path / "links.db") as store:
        for one in range(20):
            recorded(store, Instant(NOW - 19 + one))
        store.remove_part(ACME, b"t", 7)
        put(store, at(prefix("n", "x")), MARKS.encode({"link.expired": NOW // 3_600 - 1}, NOW))

        assert 13 == len(ledger(store))
        assert Collected(marks=1) == _collecting(store, Instant(NOW + DAY))


def test_commands_that_decide_nothing_do_not_pile_up(any_store: Storage) -> None:
    """They leave no entry; what they came to tells the time itself, and the newest of it stays."""
    recorded(any_store, NOW)
    for day in range(5):
        outcome = Outcome(fingerprint=b"f", key_id="k1", nonce=b"n", result=CodeAgain(LinkId("l")))
        put(any_store, at(prefix("i", "", f"small {day}")), OUTCOME.encode(outcome, Instant(NOW + day * DAY)))
        _large(any_store, day, -day * DAY)
    put(any_store, at(prefix("i", "", "broken")), b"{")

    assert Collected(outcomes=8, pieces=12, unreadable=1) == _collecting(any_store, Instant(NOW + 99 * DAY))


def test_what_tells_no_time_lets_nothing_go() -> None:
    """A tenant without a ledger, as while it is copied; and one whose newest entry cannot be read, which is counted."""
    store = MemoryStorage()
    put(store, at(prefix("n", "x")), MARKS.encode({"link.expired": 1}, NOW))

    assert Collected() == _collecting(store, NOW)
    store.commit(batch(entries=[b"{}"]))
    assert Collected(unreadable=1) == _collecting(store, NOW)


def test_two_at_once_do_it_once(any_store: Storage) -> None:
    """Each record goes once, and none of both fails."""
    _many(any_store)
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda _: collect(any_store, "acme", before=NOW), range(2)))

    assert 340 == sum(one.total for one in found)
    assert 10 == len(_paths(any_store))


def test_async_does_the_same() -> None:
    """The same records go, counted alike; renewed ones stay."""
    one, other = MemoryStorage(), MemoryStorage()
    _many(one)
    _many(other)

    async def main(storage: Storage, **options: Any) -> Collected:
        async with ThreadedStorage(storage) as opened:
            return await collect_async(opened, "acme", before=NOW, **options)

    assert collect(one, "acme", before=NOW) == asyncio.run(main(other))
    assert _paths(one) == _paths(other)
    again = Renewing(MemoryStorage())
    recorded(again.storage, NOW)
    for number in range(3):
        put(again.storage, at(prefix("n", str(number))), MARKS.encode({"link.expired": 1}, NOW))
    part = asyncio.run(main(again, limit=3))
    assert 2 == part.marks
    assert part.next is not None
    assert Collected() == asyncio.run(main(again.storage, after=part.next))


def test_a_day_is_left_for_clocks_that_differ() -> None:
    """Without an instant, what meant nothing a day ago goes; of the real clock where none is given."""
    store = MemoryStorage()
    recorded(store, NOW)
    put(store, at(prefix("n", "x")), MARKS.encode({"link.expired": NOW // 3_600 - 24}, NOW))

    assert Collected() == collect(store, "acme", clock=_at(NOW))
    assert Collected(marks=1) == collect(store, "acme", clock=_at(NOW + 3_600))
    put(store, at(prefix("n", "x")), MARKS.encode({"link.expired": NOW // 3_600 - 24}, NOW))
    assert Collected(marks=1) == collect(store, "acme")


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("tenant", {"tenant": ""}),
        ("tenant", {"tenant": None}),
        ("before", {"before": "yesterday"}),
        ("before", {"before": True}),
        ("before", {"before": NOW + 1}),
        ("after", {"after": ""}),
        ("after", {"after": 1}),
        ("after", {"after": "?"}),
        ("after", {"after": "\ud800"}),
        ("limit", {"limit": 0}),
        ("limit", {"limit": True}),
        ("limit", {"limit": 10**9 + 1}),
    ],
)
def test_malformed_arguments_are_refused(field: str, arguments: dict[str, Any]) -> None:
    """A tenant has an id, an instant is whole seconds and past, a cursor is one that was given."""
    with pytest.raises(InvalidInput) as caught:
        collect(MemoryStorage(), **{"tenant": "acme", "clock": _at(NOW), **arguments})

    assert field == caught.value.field
