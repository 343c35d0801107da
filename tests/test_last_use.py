from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import pytest

from extlink import access, links, records, triggers
from extlink.adapters.directory import AsyncInMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.threaded import ThreadedStorage
from extlink.domain.decision import Decision
from extlink.domain.identifier import TenantId
from extlink.domain.instant import Instant
from extlink.domain.last_use import LastUse
from extlink.domain.subscription import Subscription
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Conflict, StorageError, Unavailable
from extlink.ports import Batch, Key, Position, Stored, Version
from extlink.records import Kind
from extlink.runtime import AsyncExtLink, ExtLink
from tests.fakes import CountingEntropy
from tests.people import _KEYS as KEYS, POWER, READ, SLACK, CountingStorage, World, codes, world

OFFICE: Final = "203.0.113.7"


class Shaky(CountingStorage):
    """A store whose commits, or reads, can be made to fail with some error."""

    def __init__(self) -> None:
        super().__init__()
        self.commit_fails: StorageError | None = None
        self.read_fails: StorageError | None = None

    def commit(self, batch: Batch) -> Position:
        self.commits += 1
        if self.commit_fails is not None:
            raise self.commit_fails
        return self.inner.commit(batch)

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        if self.read_fails is not None:
            raise self.read_fails
        return super().read(keys, known)


def used(storage: CountingStorage | None = None) -> tuple[World, TokenSet]:
    """Return a host in which sato's link was used once, so that its tokens are confirmed."""
    made = world(storage=storage)
    made.allow("sato")
    tokens = made.connect("sato")
    assert made.check(tokens, address=OFFICE)
    return made, tokens


def shown(made: World, user: str = "sato") -> tuple[int | None, str | None]:
    """Return when and from where the account page says that the link was used."""
    (use,) = [one for one in made.user(user).run(links.of(user)) if one.links]
    (view,) = use.links
    return view.used, view.used_from


def process(made: World) -> World:
    """Return the host in another process, which has cached nothing."""
    hub = ExtLink(made.storage, keys=KEYS, directory=made.directory, clock=made.clock, entropy=CountingEntropy(seed=99))
    return attrs.evolve(made, hub=hub, tenant=hub.tenant("acme"))


# --- What is shown -----------------------------------------------------------------------------------------------


def test_a_page_shows_the_last_use() -> None:
    """F7: when, and from which address, on the user's page and on the service's."""
    made, _ = used()
    at = made.clock.now()

    assert (at, OFFICE) == shown(made)
    (row,) = made.run(links.users_of(POWER)).users
    assert (at, OFFICE) == (row.links[0].used, row.links[0].used_from)


def test_a_link_that_was_never_used() -> None:
    """Connected is not used; nor is a call that was refused."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    assert not made.check(tokens, scope="k:file:write")

    assert (None, None) == shown(made)


@pytest.mark.parametrize(
    ("address", "noted"), [(None, None), ("x" * 99, "x" * 64), ("2001:db8::1", "2001:db8::1"), ("東京", "??")]
)
def test_the_address_is_the_hosts_word(address: str | None, noted: str | None) -> None:
    """Where no restriction holds any text may be stated: it is kept short, and plain."""
    assert LastUse(Instant(7), noted) == LastUse.of(Instant(7), address)


def test_a_trigger_that_is_subscribed_is_a_use() -> None:
    """Whatever an access token is accepted for."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")

    added = made.tenant.run(triggers.subscribe(tokens.access_token, trigger="record_added", address=OFFICE))

    assert isinstance(added, Subscription)
    assert OFFICE == shown(made)[1]


# --- Bounded writes ----------------------------------------------------------------------------------------------


def law_writes_are_bounded(check: Callable[[World, TokenSet], Decision]) -> None:
    """1,000 checks within five minutes: one write."""
    made, tokens = used()
    made.clock.advance(300)
    commits, entries = made.storage.commits, len(made.entries())

    for number in range(1_000):
        assert check(made, tokens)
        made.clock.advance(number % 4 == 0)

    assert commits + 1 == made.storage.commits
    assert entries == len(made.entries())


def test_writes_are_bounded() -> None:
    """F7: at most once in five minutes for a link, and nothing in the ledger."""
    law_writes_are_bounded(World.check)


def test_a_use_that_is_written_each_time_is_caught() -> None:
    """The broken twin: it forgets what it has noted."""

    def twin(made: World, tokens: TokenSet) -> Decision:
        made.clock.advance(300)
        return made.check(tokens)

    with pytest.raises(AssertionError):
        law_writes_are_bounded(twin)


def test_the_interval_is_five_minutes() -> None:
    """A second earlier nothing is written; then the newer use is shown."""
    made, tokens = used()
    first = made.clock.now()
    made.clock.advance(299)
    assert made.check(tokens, address="198.51.100.1")
    assert (first, OFFICE) == shown(made)

    made.clock.advance(1)

    assert made.check(tokens, address="198.51.100.1")
    assert (first + 300, "198.51.100.1") == shown(made)


def test_several_processes_share_the_interval() -> None:
    """A process that remembers an older note looks again before it writes."""
    made, tokens = used()
    other = process(made)
    assert made.check(tokens)
    assert other.check(tokens)
    commits = made.storage.commits
    made.clock.advance(300)

    assert made.check(tokens, address="198.51.100.1")
    assert other.check(tokens, address="198.51.100.2")

    assert commits + 1 == made.storage.commits
    assert "198.51.100.1" == shown(made)[1]


def test_a_check_keeps_its_round_trips() -> None:
    """DESIGN 5: never more than two reads; one where the link is remembered, but for the two calls about a note."""
    made, tokens = used()
    assert made.check(tokens)

    def reads(where: World) -> int:
        before = made.storage.reads
        assert where.check(tokens)
        return made.storage.reads - before

    assert 1 == reads(made)
    made.clock.advance(300)
    assert 2 == reads(made)
    assert (2, 1) == (reads(made), reads(made))
    other = process(made)
    other.run(links.of("suzuki"))
    assert 2 == reads(other)
    made.clock.advance(300)
    # The host's keys are compared once in a process.
    assert 1 + 2 == reads(process(made))


# --- A note that cannot be written -------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Unavailable("read only"), Conflict("somebody was faster")], ids=["down", "conflict"])
def test_a_note_that_fails_is_no_error(error: StorageError) -> None:
    """A store that only reads answers with a yes; somebody else's newer note is as good as ours."""
    storage = Shaky()
    made, tokens = used(storage)
    made.clock.advance(300)
    storage.commit_fails = error
    before = storage.commits

    assert made.check(tokens)

    assert storage.commits - before <= 2
    storage.commit_fails = None
    assert OFFICE == shown(made)[1]


def test_a_first_use_must_be_confirmed() -> None:
    """That a new token arrived is more than a note: where it cannot be written, the check says so."""
    storage = Shaky()
    made = world(storage=storage)
    made.allow("sato")
    tokens = made.connect("sato")
    storage.commit_fails = Unavailable("read only")

    with pytest.raises(Unavailable):
        made.check(tokens)


def test_a_store_that_cannot_be_read_answers_nothing() -> None:
    """No answer is no yes."""
    storage = Shaky()
    made, tokens = used(storage)
    storage.read_fails = Unavailable("down")

    with pytest.raises(Unavailable):
        made.check(tokens)


def test_the_asynchronous_runner_answers_too() -> None:
    """The two runners are one text; this is the branch of it that only a failing store reaches."""

    async def story() -> tuple[Decision, Decision]:
        storage = Shaky()
        made, tokens = used(storage)
        hub = AsyncExtLink(
            ThreadedStorage(storage),
            keys=KEYS,
            directory=AsyncInMemoryDirectory(made.people),
            clock=made.clock,
            entropy=CountingEntropy(seed=9),
        )
        tenant = hub.tenant("acme")
        made.clock.advance(300)
        await tenant.run(access.check(tokens.access_token, scope=READ))
        found: list[Decision] = []
        for error in (Unavailable("read only"), Conflict("faster")):
            made.clock.advance(300)
            storage.commit_fails = error
            found.append(await tenant.run(access.check(tokens.access_token, scope=READ)))
        return found[0], found[1]

    assert all(asyncio.run(story()))


def test_what_may_be_written_aside() -> None:
    """DESIGN 5: the exceptions to the rule that a commit guards all it read are these, and they are in no entry."""
    kinds = {name: kind for name, kind in vars(records).items() if isinstance(kind, Kind)}

    assert {"LAST_USE"} == {name for name, kind in kinds.items() if kind.aside}
    assert all(kind.image is None for kind in kinds.values() if kind.aside)


def law_a_note_moves_no_instant() -> None:
    """A process that is ahead notes the use of a newer token; no other process takes an older one for expired."""
    made, older = used()
    made.clock.advance(1_000)
    newer = made.refreshed(older)
    assert made.check(newer)
    made.clock.advance(3_000)
    assert made.check(newer)
    made.clock.advance(-2_500)

    assert process(made).check(older)


def test_a_note_moves_no_instant() -> None:
    """A note decides nothing, not even by its time; the records that a decision rests on do (DESIGN 6)."""
    law_a_note_moves_no_instant()


def test_a_note_that_moves_the_instant_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: its time counts as that of any record."""
    monkeypatch.setattr(records.RecordKey, "decode", lambda place, data: place.kind.decode(data))

    with pytest.raises(AssertionError):
        law_a_note_moves_no_instant()


class Recording(MemoryStorage):
    """A store that keeps the batches it applied."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Batch] = []

    def commit(self, batch: Batch) -> Position:
        self.batches.append(batch)
        return super().commit(batch)


def test_a_note_guards_itself_and_the_tenant() -> None:
    """Nothing that changes meanwhile makes a check start anew for its sake; only a removed tenant takes no note."""
    inner = Recording()
    made, tokens = used(CountingStorage(inner))
    made.clock.advance(300)
    made.check(tokens)

    note = inner.batches[-1]
    assert 1 == len(note.writes)
    assert {records.tenant_key(TenantId("acme")).key, note.writes[0].key} == {guard.key for guard in note.guards}
    assert () == note.entries


def test_a_refused_call_is_no_use() -> None:
    """A token for too little notes nothing, whoever shows it."""
    made, tokens = used()
    made.clock.advance(300)

    assert ("scope.not_covered",) == codes(made.check(tokens, scope="k:file:read"))
    assert OFFICE == shown(made)[1]
    assert SLACK not in {use.service.id for use in made.user("sato").run(links.of("sato"))}
