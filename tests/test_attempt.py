"""One attempt at an operation: one snapshot, one instant, everything guarded - without any I/O."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any, cast

import pytest

from extlink import access, networks
from extlink.adapters.memory import MemoryStorage
from extlink.attempt import Attempt, Cache, _Known, advance, lookup_answer
from extlink.domain.address import parse_range
from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.event import Event
from extlink.domain.identifier import OrganizationId, ServiceId, TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.network import IPRestriction, Row
from extlink.domain.tenant import Actor, UserState
from extlink.errors import CorruptRecord, InvalidInput, Misconfigured, Refused
from extlink.operation import (
    Answers,
    Bundle,
    Call,
    Commit,
    Lookup,
    Now,
    Operation,
    Read,
    Recall,
    Steps,
    Unanswered,
    ask,
    operation,
    put,
)
from extlink.ports import ABSENT, MAX_READ_KEYS, MAX_VALUE_BYTES, Batch, Key, Stored, Version
from extlink.records import RecordKey, grant_head_key, marks_key, network_key, piece_key, user_key
from tests.fakes import NOW, FrozenClock
from tests.schedules.world import ADDRESS, SCOPE, TENANT, connected, hub_over, prepared

ACME = TenantId("acme")
CALL = Call(ACME, Actor(UserId("admin"), frozenset({"common_administrator"})))
SATO, SUZUKI = user_key(ACME, UserId("sato")), user_key(ACME, UserId("suzuki"))
NETWORK = network_key(ACME)
LATER = Instant(NOW + 1_000)


@operation("tests.change", records=("user.suspended", "user.resumed"))
def change(call: Call) -> Steps[Commit[None]]:
    """Do nothing; the commits of these tests are made by hand."""
    yield from ask(Now())
    return Commit(None)


OPERATION: Operation[None] = change()


def stored(record: RecordKey[Any], value: object, version: int = 7, at: Instant = NOW) -> Stored:
    """Return a record as a store answers it."""
    return Stored(record.key, Version(version), record.kind.encode(value, at))


def absent(record: RecordKey[Any]) -> Stored:
    """Return the answer that there is no such record."""
    return Stored(record.key, ABSENT, None)


def attempt(clock: Instant = NOW, cache: Cache | None = None) -> Attempt:
    """Return a fresh attempt."""
    return Attempt(Cache(100) if cache is None else cache, clock)


def batch_of(made: Attempt, commit: Commit[None]) -> Batch | None:
    """Return what an attempt would commit."""
    return made.batch(CALL, OPERATION, commit, lambda: Version(99))


# --- One snapshot ------------------------------------------------------------------------------------------------


def test_what_was_read_before_is_asked_again() -> None:
    """Every read names everything read before, so that its answers are of one moment."""
    made = attempt()
    made.asks(Read((SATO,)))
    made.takes(Read((SATO,)), [absent(SATO)])

    keys, _ = made.asks(Read((SUZUKI,)))

    assert [SATO.key, SUZUKI.key] == list(keys)


def test_a_record_is_answered_with_its_value() -> None:
    """What is stored is decoded; what is absent is None."""
    made = attempt()
    read = Read((SATO, SUZUKI))
    made.asks(read)

    answers = made.takes(read, [stored(SATO, UserState("suspended", 3)), absent(SUZUKI)])

    assert answers is not None
    assert (UserState("suspended", 3), None) == (answers.get(SATO), answers.get(SUZUKI))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (absent(SATO), stored(SATO, UserState(), 8)),
        (stored(SATO, UserState(), 7), stored(SATO, UserState(), 8)),
        (stored(SATO, UserState(), 7), absent(SATO)),
    ],
    ids=["written", "changed", "deleted"],
)
def test_a_record_that_changed_voids_the_attempt(before: Stored, after: Stored) -> None:
    """If anything read before is otherwise now - new, changed, gone - the operation starts anew."""
    made = attempt()
    made.asks(Read((SATO,)))
    made.takes(Read((SATO,)), [before])
    made.asks(Read((SUZUKI,)))

    assert made.takes(Read((SUZUKI,)), [after, absent(SUZUKI)]) is None


def test_a_read_has_a_limit() -> None:
    """More records than one read may name are refused before any store is asked."""
    keys = tuple(user_key(ACME, UserId(f"user {number}")) for number in range(MAX_READ_KEYS + 1))

    with pytest.raises(InvalidInput, match="at most 64"):
        attempt().asks(Read(keys))
    assert MAX_READ_KEYS == len(attempt().asks(Read(keys[1:]))[0])


def test_beyond_the_limit_the_first_are_asked_again() -> None:
    """The heads that every edit writes come first in an operation, so they stay; the commit guards the rest."""
    made = attempt()
    head = grant_head_key(ACME, ServiceId("slack"))
    some, more = (
        tuple(user_key(ACME, UserId(f"user {number}")) for number in numbers) for numbers in (range(60), range(60, 120))
    )
    for step in (Read((head, *some)), Read(more)):
        keys, _ = made.asks(step)
        made.takes(step, [Stored(key, ABSENT, None) for key in keys])

    keys, _ = made.asks(Read((SATO,)))
    batch = batch_of(made, Commit(None, events=(Event("user.suspended"),)))

    assert MAX_READ_KEYS == len(keys)
    assert (head.key, SATO.key) == (keys[0], keys[-1])
    assert batch is not None
    assert 121 == len(batch.guards)


# --- What is known already ---------------------------------------------------------------------------------------


def test_a_decoded_record_is_named_as_known() -> None:
    """What another operation decoded is not sent again if it is unchanged, and is not decoded again."""
    cache = Cache(100)
    first = attempt(cache=cache)
    first.asks(Read((SATO,)))
    first.takes(Read((SATO,)), [stored(SATO, UserState("suspended", 3))])
    second = attempt(cache=cache)

    _, known = second.asks(Read((SATO,)))
    answers = second.takes(Read((SATO,)), [Stored(SATO.key, Version(7), None)])

    assert {SATO.key: Version(7)} == dict(known)
    assert answers is not None
    assert UserState("suspended", 3) == answers.get(SATO)


def test_a_changed_record_replaces_what_is_known() -> None:
    """A store that answers with another version has the last word."""
    cache = Cache(100)
    for version, state in ((7, UserState()), (8, UserState("deleted", 1))):
        made = attempt(cache=cache)
        made.asks(Read((SATO,)))
        answers = made.takes(Read((SATO,)), [stored(SATO, state, version)])

        assert answers is not None
        assert state == answers.get(SATO)


def test_unchanged_for_a_version_that_nobody_named() -> None:
    """A store that answers so breaks its contract, and is not believed."""
    made = attempt()
    made.asks(Read((SATO,)))

    with pytest.raises(Misconfigured, match="unchanged"):
        made.takes(Read((SATO,)), [Stored(SATO.key, Version(7), None)])


def test_what_is_remembered_is_bounded() -> None:
    """The oldest goes first; what is decoded anew counts as new."""
    cache = Cache(2)
    a, b, c = (Key(b"acme", name) for name in (b"a", b"b", b"c"))
    known = _Known(Version(1), "value", NOW)
    for key in (a, b, a, c):
        cache.put(key, known)

    assert [known, None, known] == [cache.get(key) for key in (a, b, c)]


def test_nothing_need_be_remembered() -> None:
    """A bound that leaves no room keeps nothing and does not stumble over it."""
    cache = Cache(-1)
    cache.put(Key(b"acme", b"a"), _Known(Version(1), "value", NOW))

    assert cache.get(Key(b"acme", b"a")) is None


def test_recalling_is_no_reading() -> None:
    """What is remembered of a record is told as it is, and guards nothing."""
    cache = Cache(100)
    first = attempt(cache=cache)
    first.asks(Read((SATO,)))
    first.takes(Read((SATO,)), [stored(SATO, UserState("suspended", 3))])
    made = attempt(cache=cache)

    answers = made.recalls(Recall((SATO, SUZUKI)))
    batch = batch_of(made, Commit(None, events=(Event("user.suspended"),)))

    assert (UserState("suspended", 3), None) == (answers.get(SATO), answers.get(SUZUKI))
    assert batch is not None
    assert () == batch.guards


# --- Records that are read together ------------------------------------------------------------------------------


class Bundled:
    """A bundle of two people's states, which says how often something was made of them."""

    def __init__(self) -> None:
        self.made = 0
        self.bundle: Bundle[object] = Bundle((SATO, SUZUKI), self._make)

    def _make(self, answers: Answers) -> object:
        self.made += 1
        return answers.get(SATO), answers.get(SUZUKI)

    def step(self, *more: RecordKey[Any]) -> Read:
        """Return the step that asks for the bundle and more."""
        steps = self.bundle.read(*more)
        return cast("Read", next(steps))

    def read(self, made: Attempt, store: dict[Key, Stored], *more: RecordKey[Any]) -> Answers | None:
        """Read it from records as a store would answer, known versions without their values."""
        step = self.step(*more)
        keys, known = made.asks(step)
        found = [store.get(key, Stored(key, ABSENT, None)) for key in keys]
        return made.takes(step, [_told(one, known) for one in found])

    def twice(self, before: list[Stored], after: list[Stored], kind: type[Attempt] = Attempt) -> object:
        """Return what is made of the bundle after a change, by an attempt that remembers the time before."""
        cache = Cache(100)
        told: object = None
        for records in (before, after):
            answers = self.read(kind(cache, NOW), {one.key: one for one in records})
            assert answers is not None
            told = answers.of(self.bundle)
        return told


def _told(one: Stored, known: Mapping[Key, Version]) -> Stored:
    """Return an answer without its value where the caller has it already."""
    return one._replace(value=None) if known.get(one.key) == one.version else one


HERE, GONE = UserState("suspended", 3), UserState("deleted", 4)


def test_what_is_made_of_a_bundle_is_made_once() -> None:
    """While every record has the version it had, absence included, what was made of them stands."""
    bundled = Bundled()
    records = [stored(SATO, HERE)]

    assert (HERE, None) == bundled.twice(records, records)
    assert 1 == bundled.made


CHANGES = [
    ([stored(SATO, HERE, 7)], [stored(SATO, GONE, 8)], (GONE, None)),
    ([stored(SATO, HERE, 7)], [], (None, None)),
    ([], [stored(SUZUKI, GONE, 8)], (None, GONE)),
    ([stored(SATO, HERE, 7), stored(SUZUKI, HERE, 7)], [stored(SATO, HERE, 7), stored(SUZUKI, GONE, 9)], (HERE, GONE)),
    ([stored(SATO, HERE, 7)], [stored(SATO, GONE, 8), stored(SUZUKI, HERE, 8)], (GONE, HERE)),
]


@pytest.mark.parametrize(("before", "after", "expected"), CHANGES)
def test_a_bundle_of_which_anything_changed_is_made_anew(
    before: list[Stored], after: list[Stored], expected: object
) -> None:
    """Written, deleted, new: no answer is ever of a record as it was."""
    bundled = Bundled()

    assert expected == bundled.twice(before, after)
    assert 2 == bundled.made


class BelievesTheBundle(Attempt):
    """The broken attempt: what a bundle came to is not compared with what the store answers."""

    def _unbundled(self, together: Any, found: Any) -> Any:
        versions = iter(together.versions)
        same = [one._replace(version=next(versions)) if one.key in together.held else one for one in found]
        return super()._unbundled(together, same)


@pytest.mark.parametrize(("before", "after", "expected"), CHANGES)
def test_an_attempt_that_believes_a_bundle_is_caught(
    before: list[Stored], after: list[Stored], expected: object
) -> None:
    """The broken twin gives yesterday's answer to the same question."""
    assert expected != Bundled().twice(before, after, BelievesTheBundle)


def test_a_bundle_of_which_a_record_is_held_already_is_read_one_by_one() -> None:
    """It is compared as everything read before is, and what was made of the same versions stands."""
    bundled, cache = Bundled(), Cache(100)
    records = {SATO.key: stored(SATO, HERE)}
    first = bundled.read(attempt(cache=cache), records)
    made = attempt(cache=cache)
    made.asks(Read((SATO,)))
    made.takes(Read((SATO,)), [stored(SATO, HERE)])
    second = bundled.read(made, records)

    assert first is not None
    assert second is not None
    assert first.of(bundled.bundle) == second.of(bundled.bundle) == (HERE, None)
    assert 1 == bundled.made


def test_what_was_read_before_a_bundle_is_compared_too() -> None:
    """The record before it, the bundle, the one after: of one moment, or the attempt is void."""
    bundled, cache = Bundled(), Cache(100)
    records = {SATO.key: stored(SATO, HERE)}
    bundled.read(attempt(cache=cache), records)
    for now in (absent(NETWORK), Stored(NETWORK.key, Version(9), b"")):
        made = attempt(cache=cache)
        made.asks(Read((NETWORK,)))
        made.takes(Read((NETWORK,)), [absent(NETWORK)])
        answers = bundled.read(made, {**records, NETWORK.key: now})

        assert (answers is None) == (now.version != ABSENT)


def test_a_bundle_is_guarded_record_by_record() -> None:
    """Also where it was taken as one, and also what is absent in it."""
    bundled, cache = Bundled(), Cache(100)
    bundled.read(attempt(cache=cache), {SATO.key: stored(SATO, HERE)}, NETWORK)
    made = attempt(cache=cache)
    bundled.read(made, {SATO.key: stored(SATO, HERE)}, NETWORK)
    batch = batch_of(made, Commit(None, events=(Event("user.suspended"),)))

    assert batch is not None
    assert {(SATO.key, 7), (SUZUKI.key, ABSENT), (NETWORK.key, ABSENT)} == set(batch.guards)


def test_the_stamps_of_a_bundle_count() -> None:
    """Now is never earlier than the newest of them, and an instant that was used voids the attempt."""
    bundled, cache = Bundled(), Cache(100)
    records = {SATO.key: stored(SATO, HERE, at=LATER)}
    bundled.read(attempt(cache=cache), records)
    made, used = attempt(NOW, cache), attempt(NOW, cache)
    used.now(NOW)

    assert bundled.read(made, records) is not None
    assert LATER == made.now(NOW)
    assert bundled.read(used, records) is None
    assert LATER == used.floor


def test_bundles_in_one_attempt_are_kept_apart() -> None:
    """What was made of one is never given for another, nor where nothing was remembered."""
    one, other, cache = Bundled(), Bundled(), Cache(100)
    other.bundle = Bundle((NETWORK,), lambda answers: answers.get(NETWORK))
    made = attempt(cache=cache)
    first = one.read(made, {SATO.key: stored(SATO, HERE)})
    second = other.read(made, {SATO.key: stored(SATO, HERE)})

    assert first is not None
    assert second is not None
    assert ((HERE, None), None) == (first.of(one.bundle), second.of(other.bundle))
    assert (HERE, None) == second.of(one.bundle) == Answers(second.values).of(one.bundle)


def test_bundles_are_remembered_within_a_bound() -> None:
    """All of them together hold no more records than the cache does."""
    cache = Cache(4)
    some = [Bundled() for _ in range(3)]
    for bundled in some:
        bundled.read(attempt(cache=cache), {})

    assert [True, False, False] == [cache.together(bundled.bundle) is None for bundled in some]


def test_a_bundle_with_a_large_record() -> None:
    """Its pieces are read first; then it is remembered like any other."""
    cache, values = Cache(100), {one.key: one for one in kept(written(attempt(), LARGE))}
    large = Bundle((NETWORK, SATO), lambda answers: answers.get(NETWORK))
    for remembered in (False, False, True):
        made = attempt(cache=cache)
        step = cast("Read", next(large.read()))
        assert remembered == (cache.together(large) is not None)
        keys, known = made.asks(step)
        found = [values.get(key, Stored(key, ABSENT, None)) for key in keys]
        made.takes(step, [_told(one, known) for one in found])
        for part in made.pieces(step):
            made.takes(part, [values.get(key, Stored(key, ABSENT, None)) for key in made.asks(part)[0]])
        answers = made.answers(step)

        assert answers is not None
        assert LARGE == answers.of(large)


# --- One instant -------------------------------------------------------------------------------------------------


def test_now_is_never_earlier_than_a_stamp_that_was_read() -> None:
    """A clock that jumps back extends no life: the newest stamp is the least that the time can be."""
    made = attempt(NOW)
    made.asks(Read((SATO,)))
    made.takes(Read((SATO,)), [stored(SATO, UserState(), at=LATER)])

    assert LATER == made.now(NOW)


def test_a_clock_that_is_ahead_is_believed() -> None:
    """Stamps of the past change nothing."""
    made = attempt(LATER)
    made.asks(Read((SATO,)))
    made.takes(Read((SATO,)), [stored(SATO, UserState(), at=NOW)])

    assert LATER == made.now(NOW)


def test_an_instant_that_was_used_stands() -> None:
    """A newer stamp that is read afterwards voids the attempt, and the next one starts from it."""
    made = attempt(NOW)
    assert NOW == made.now(NOW)
    made.asks(Read((SATO,)))

    assert made.takes(Read((SATO,)), [stored(SATO, UserState(), at=LATER)]) is None
    assert LATER == made.floor


def test_a_stamp_that_is_remembered_counts_too() -> None:
    """The time of a record that was not sent again is the time at which it was written."""
    cache = Cache(100)
    first = attempt(cache=cache)
    first.asks(Read((SATO,)))
    first.takes(Read((SATO,)), [stored(SATO, UserState(), at=LATER)])
    made = attempt(NOW, cache)
    made.asks(Read((SATO,)))
    made.takes(Read((SATO,)), [Stored(SATO.key, Version(7), None)])

    assert LATER == made.now(NOW)


def test_what_is_written_carries_the_instant() -> None:
    """Record, batch and entry have one stamp."""
    made = attempt(NOW)
    made.asks(Read((SATO,)))
    made.takes(Read((SATO,)), [stored(SATO, UserState(), at=LATER)])

    batch = batch_of(made, Commit(None, (put(SATO, UserState("suspended")),), (Event("user.suspended"),)))

    assert batch is not None
    assert LATER == batch.at
    assert LATER == SATO.decode(batch.writes[0].value or b"")[1]
    assert f'"at":{LATER}'.encode() in batch.entries[0]


# --- What is committed -------------------------------------------------------------------------------------------


def test_nothing_to_write_is_no_commit() -> None:
    """An operation that neither changes nor records anything commits nothing."""
    assert batch_of(attempt(), Commit(None)) is None


def test_everything_that_was_read_is_guarded() -> None:
    """What was there, by its version, and what was not there."""
    made = attempt()
    made.asks(Read((SATO, SUZUKI)))
    made.takes(Read((SATO, SUZUKI)), [stored(SATO, UserState()), absent(SUZUKI)])

    batch = batch_of(made, Commit(None, events=(Event("user.suspended"),)))

    assert batch is not None
    assert {(SATO.key, Version(7)), (SUZUKI.key, ABSENT)} == set(batch.guards)
    assert (b"acme", Version(99)) == (batch.tenant, batch.id)


def test_an_event_must_be_announced() -> None:
    """An operation records only what its definition names, so that the vocabulary can be checked."""
    with pytest.raises(Misconfigured, match=r"tests\.change records \['user\.deleted'\]"):
        batch_of(attempt(), Commit(None, events=(Event("user.deleted"),)))


def test_a_change_must_be_recorded() -> None:
    """A record of the ledger that changes without an event would make the views more than a fold of it (law 12)."""
    made = attempt()
    made.asks(Read((SATO,)))
    made.takes(Read((SATO,)), [stored(SATO, UserState())])

    with pytest.raises(Misconfigured, match="records nothing"):
        batch_of(made, Commit(None, (put(SATO, UserState("suspended")),)))
    assert batch_of(made, Commit(None, (put(SATO, UserState()),))) is not None


def test_marks_are_apart_from_the_ledger() -> None:
    """A record without an image may be written alone, and no entry names it."""
    marks = marks_key(ACME, cast("Any", "link"))

    alone = batch_of(attempt(), Commit(None, (put(marks, {"token.expired": 1}),)))
    beside = batch_of(attempt(), Commit(None, (put(marks, {"a": 1}),), (Event("user.suspended"),)))

    assert alone is not None
    assert beside is not None
    assert ((), 1) == (alone.entries, len(alone.writes))
    assert b'"records":[]' in beside.entries[0]


def test_the_first_entry_carries_the_images() -> None:
    """Several events of one commit do not repeat what was written."""
    events = (Event("user.suspended"), Event("user.resumed"))

    batch = batch_of(attempt(), Commit(None, (put(SATO, UserState("suspended")),), events))

    assert batch is not None
    assert [True, False] == [b'"status":"suspended"' in entry for entry in batch.entries]


# --- Large records -----------------------------------------------------------------------------------------------


def rows(count: int, seed: int = 1) -> IPRestriction:
    """Return a restriction whose compressed form is about 45 bytes a row."""
    noise = random.Random(seed)
    made = [
        Row(range=parse_range(f"10.{number >> 8}.{number & 255}.0/24"), memo=noise.randbytes(40).hex())
        for number in range(count)
    ]
    return IPRestriction("allow_some", tuple(made))


LARGE = rows(2_500)


def written(made: Attempt, network: IPRestriction) -> Batch:
    """Return the batch that writes a restriction."""
    batch = batch_of(made, Commit(None, (put(NETWORK, network),), (Event("user.suspended"),)))
    assert batch is not None
    return batch


def read_back(made: Attempt, values: Iterable[Stored]) -> object:
    """Read the restriction from what a store holds, its pieces as they are asked for."""
    there = {one.key: one for one in values}
    step = Read((NETWORK,))

    def answers(part: Read) -> list[Stored]:
        return [there.get(key, Stored(key, ABSENT, None)) for key in made.asks(part)[0]]

    if made.takes(step, answers(step)) is None:
        return None
    for part in made.pieces(step):
        if made.takes(part, answers(part)) is None:
            return None
    found = made.answers(step)
    if found is None:
        return None
    network: IPRestriction | None = found.get(NETWORK)
    return network


def kept(batch: Batch, version: int = 7) -> list[Stored]:
    """Return what a store holds after a batch."""
    return [Stored(write.key, Version(version), write.value) for write in batch.writes if write.value is not None]


def test_a_large_record_comes_back_whole() -> None:
    """Beyond 64 KiB it is kept in pieces, each of which fits, and is read as one."""
    batch = written(attempt(), LARGE)

    assert len(batch.writes) > 2
    assert all(len(write.value or b"") <= MAX_VALUE_BYTES for write in batch.writes)
    assert LARGE == read_back(attempt(), kept(batch))


def test_a_large_record_is_put_together_once() -> None:
    """The next operation is told "unchanged" and asks for no piece."""
    cache, batch = Cache(100), written(attempt(), LARGE)
    read_back(attempt(cache=cache), kept(batch))
    made = attempt(cache=cache)
    step = Read((NETWORK,))

    keys, known = made.asks(step)
    made.takes(step, [Stored(NETWORK.key, Version(7), None)])

    assert ([NETWORK.key], {NETWORK.key: Version(7)}) == (list(keys), dict(known))
    assert [] == list(made.pieces(step))


def test_pieces_that_are_left_over_are_deleted() -> None:
    """A record that shrinks leaves nothing behind."""
    made = attempt()
    read_back(made, kept(written(attempt(), LARGE)))

    batch = written(made, rows(3))

    gone = {write.key for write in batch.writes if write.value is None}
    assert piece_key(NETWORK.key, 0) in gone
    assert rows(3) == read_back(attempt(), kept(batch))


def test_the_stamp_of_a_large_record_counts() -> None:
    """Now is never earlier than it, whether the record was put together just now or remembered."""
    cache, batch = Cache(100), written(attempt(LATER), LARGE)
    for _ in range(2):
        made = attempt(NOW, cache)
        read_back(made, kept(batch))

        assert LATER == made.now(NOW)


def test_the_stamp_of_a_large_record_voids_an_attempt_whose_instant_was_used() -> None:
    """As that of any other."""
    made = attempt(NOW)
    made.now(NOW)

    assert read_back(made, kept(written(attempt(LATER), LARGE))) is None
    assert LATER == made.floor


@pytest.mark.parametrize("harm", ["missing", "of another version"])
def test_a_large_record_with_a_wrong_piece(harm: str) -> None:
    """A piece that is not there, or not of its head, makes the record corrupt, and nothing is guessed."""
    values = kept(written(attempt(), LARGE))
    last = values.pop()
    if harm == "of another version":
        values.append(last._replace(version=Version(8)))

    with pytest.raises(CorruptRecord):
        read_back(attempt(), values)


def test_a_record_that_is_too_large() -> None:
    """There is a limit to pieces too; the way out is a smaller list."""
    with pytest.raises(Refused, match=r"record\.too_large"):
        written(attempt(), rows(65_000))


def test_a_stamp_in_pieces_holds_in_the_whole_runner() -> None:
    """In a process that has cached nothing, a large restriction written later still ends a token's life."""
    storage, clock = MemoryStorage(), FrozenClock()
    _, tenant, admin = prepared(storage, clock=clock)
    token = connected(tenant).access_token
    clock.advance(7_200)
    admin.run(networks.restrict([*LARGE.rows, Row(range=parse_range("203.0.113.0/24"))]))
    clock.advance(-7_200)

    fresh = hub_over(storage, clock=clock, seed=5).tenant(TENANT)
    decision = fresh.run(access.check(token, scope=SCOPE, address=ADDRESS))

    assert ["token.expired"] == [reason.code for reason in decision.reasons]


# --- Steps -------------------------------------------------------------------------------------------------------


def test_an_operation_is_advanced_step_by_step() -> None:
    """First a step, then, with its answer, the commit."""
    steps = change.body(CALL)

    assert Now() == advance(steps, None)
    assert Commit(None) == advance(steps, NOW)


PERSON = Member(id=UserId("sato"), display_name="佐藤")
SALES = Organization(id=OrganizationId("sales"), name="Sales")
PAGE = DirectoryPage((PERSON,), None)
QUERY = CandidateQuery()


@pytest.mark.parametrize(
    ("step", "right"),
    [
        (Lookup.member(UserId("sato")), PERSON),
        (Lookup.member(UserId("sato")), None),
        (Lookup.get((UserId("sato"),)), (PERSON,)),
        (Lookup.get((UserId("sato"),)), ()),
        (Lookup.page(QUERY, None, 10), PAGE),
        (Lookup.organizations(), (SALES,)),
    ],
    ids=["member", "nobody", "some", "none", "page", "tree"],
)
def test_a_right_answer_of_the_directory(step: Lookup[object], right: object) -> None:
    """An answer to the question that was asked is taken as it is."""
    assert right == lookup_answer(step, right)


WRONG = ["text", 1, object(), [None], Unanswered(), SALES, [PERSON, "text"], {"id": "sato"}]


@pytest.mark.parametrize(
    "step",
    [Lookup.member(UserId("sato")), Lookup.get(()), Lookup.page(QUERY, None, 1), Lookup.organizations()],
    ids=lambda step: step.method,
)
def test_anything_else_is_no_answer(step: Lookup[object]) -> None:
    """What is no answer to the question counts as silence."""
    for wrong in WRONG:
        assert Unanswered() == lookup_answer(step, wrong)


def test_a_page_that_is_longer_than_asked_for_is_no_answer() -> None:
    """Whoever is beyond the limit would be missing from a list without a next page, and from what is ended by it."""
    two = DirectoryPage((PERSON, Member(id=UserId("suzuki"), display_name="鈴木")), None)

    assert two == lookup_answer(Lookup.page(QUERY, None, 2), two)
    assert Unanswered() == lookup_answer(Lookup.page(QUERY, None, 1), two)


def test_a_person_who_was_not_asked_for_is_no_answer() -> None:
    """A directory that mixes people up must not lend one person another's grants."""
    assert Unanswered() == lookup_answer(Lookup.member(UserId("suzuki")), PERSON)
