"""The runners: faults at every call of every port, lost answers, conflicts, keys, and what a host may hand over.

Fail closed (PROMISES P2): whatever fails at whichever call of whichever operation, the answer is never a yes, nothing
is half written, and the error is one of extlink's. Call sites are counted and enumerated, not sampled.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal, TypeVar, cast

import attrs
import pytest

from extlink import access, grants, links, networks, services
from extlink.adapters.directory import AsyncInMemoryDirectory, InMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.threaded import ThreadedStorage
from extlink.domain.address import parse_range
from extlink.domain.decision import Decision, Refusal
from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.identifier import UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Lifetimes
from extlink.domain.network import Row
from extlink.domain.readiness import Readiness
from extlink.domain.secret import Secret
from extlink.domain.tenant import HOST
from extlink.domain.token import KeyRing
from extlink.domain.token_ledger import TokenSet
from extlink.endpoints import Introspection, Redirect
from extlink.errors import (
    Conflict,
    Contention,
    CorruptRecord,
    ExtlinkError,
    InvalidInput,
    Misconfigured,
    Refused,
    Unavailable,
)
from extlink.hub import Hub
from extlink.links import ServiceUserPage
from extlink.operation import Call, Commit, Operation, Step, Steps, Unanswered, operation
from extlink.ports import Batch, Key, Page, Position, Query, Stored, Version
from extlink.runtime import AsyncExtLink, ExtLink, Tenant
from tests.fakes import NOW, FrozenClock
from tests.hosts import ALL_ROLES, Dump, another_hub, dump
from tests.operations import Stage, arguments, constructors, where
from tests.schedules.scheduler import WorkerEntropy, copied
from tests.schedules.world import ADDRESS, KEYS, PEOPLE, SCOPE, SERVICE, TENANT, connected, hub_over, prepared, world

T = TypeVar("T")
KINDS: Final[tuple[type[Exception], ...]] = (
    Unavailable,
    Contention,
    CorruptRecord,
    Conflict,
    OSError,
    KeyError,
    RuntimeError,
)
Mode = Literal["once", "for good"]


class Faults:
    """Counts the calls of all ports, and lets one of them fail, or all from one on."""

    def __init__(self, at: int = 0, kind: type[Exception] = OSError, mode: Mode = "once") -> None:
        self._at = at
        self._kind = kind
        self._mode = mode
        self.calls: list[str] = []
        self.failed: list[str] = []

    def __call__(self, call: str) -> None:
        """Note a call; raise if it is to fail."""
        self.calls.append(call)
        number = len(self.calls)
        if number == self._at or (self._at and self._mode == "for good" and number > self._at):
            self.failed.append(call)
            raise self._kind("injected")


class FaultyStorage(MemoryStorage):
    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        self.faults("read")
        return super().read(keys, known)

    def list(self, query: Query) -> Page:
        self.faults("list")
        return super().list(query)

    def commit(self, batch: Batch) -> Position:
        self.faults("commit")
        return super().commit(batch)


class FaultyDirectory:
    def __init__(self, directory: InMemoryDirectory, faults: Faults) -> None:
        self._directory = directory
        self._faults = faults

    def member(self, user: UserId) -> Member | None:
        self._faults("directory")
        return self._directory.member(user)

    def get(self, users: Sequence[UserId]) -> Sequence[Member]:
        self._faults("directory")
        return self._directory.get(users)

    def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        self._faults("directory")
        return self._directory.page(query, after, limit)

    def organizations(self) -> Sequence[Organization]:
        self._faults("directory")
        return self._directory.organizations()


class FaultyClock(FrozenClock):
    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    def now(self) -> Instant:
        self._faults("clock")
        return super().now()


class FaultyEntropy(WorkerEntropy):
    def __init__(self, faults: Faults) -> None:
        super().__init__(worker=0)
        self._faults = faults

    def draw(self, size: int) -> bytes:
        self._faults("entropy")
        return super().draw(size)


@cache
def _stage() -> Stage:
    return Stage.make()


@cache
def _operations() -> Mapping[str, Operation[object]]:
    return {name: constructors()[name](**given) for name, given in arguments(_stage()).items()}


@attrs.frozen
class Came:
    """What an operation came to under some faults."""

    result: object
    error: ExtlinkError | None
    dump: Dump
    faults: Faults

    @property
    def told(self) -> tuple[object, str]:
        """The result, and the error as text."""
        return self.result, repr(self.error)


class AsAsync:
    """The methods of a port of the sync colour, for the async one; nothing waits."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Callable[..., Coroutine[None, None, object]]:
        method = getattr(self._port, name)

        async def call(*args: object) -> object:
            return method(*args)

        return call


def finished(coroutine: Coroutine[Any, None, T]) -> T:
    """Return what a coroutine comes to that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    raise AssertionError("it waits")


class Driven(ExtLink):
    """An async hub behind the face of a sync one, so that one test asks both."""

    def __init__(self, storage: Any, *, directory: Any, **parts: Any) -> None:
        super().__init__(storage, directory=directory, **parts)
        self._driven = AsyncExtLink(cast("Any", AsAsync(storage)), directory=cast("Any", AsAsync(directory)), **parts)

    def carry_out(self, operation: Operation[T], call: Call) -> T:
        self._driven._started, self._driven._cache = self._started, self._cache
        return finished(self._driven.carry_out(operation, call))


def run(name: str, faults: Faults, hub_kind: type[ExtLink] = ExtLink) -> Came:
    """Run an operation on a copy of the stage whose ports may fail; anything but an error of ours goes through."""
    stage = _stage()
    storage = FaultyStorage(Faults())
    copied(stage.host.store, storage)
    hub = hub_kind(
        storage,
        keys=another_hub(storage, stage.host.directory, stage.host.clock)._keys,
        directory=FaultyDirectory(stage.host.directory, faults),
        clock=FaultyClock(faults),
        entropy=FaultyEntropy(faults),
    )
    hub._started = True
    # What was decoded before stays so: the catalogue's definition would be most of the work.
    hub._cache._records.update(stage.host.hub._cache._records)
    storage.faults = faults
    host = attrs.evolve(stage.host, hub=hub, tenant=hub.tenant("acme"))
    tenant = where(host, name).acting_as("sato", roles=ALL_ROLES)
    result, error = None, None
    try:
        result = tenant.run(_operations()[name])
    except ExtlinkError as raised:
        error = raised
    storage.faults = Faults()
    return Came(result, error, dump(storage, ("acme", HOST, "another")), faults)


class HalfDone(AssertionError):
    """A fault led to a yes, to half a change, or to a change that nobody was told of."""


def is_yes(result: object) -> bool:
    """Whether a result lets somebody do something, or says that they may, for which the directory's word is needed."""
    match result:
        case None | Refusal():
            return False
        case Decision():
            return result.allowed
        case Redirect():
            return not result.error
        case Introspection():
            return bool(result)
        case Readiness():
            return result.is_ready
        case ServiceUserPage():
            return any(view.state == "in_use" for user in result.users for view in user.links)
        case tuple():
            return any(getattr(use, "state", "") in {"in_use", "unused"} for use in result)
        case _:
            return True


# Saying no is not held up by a silent directory; what it would have told is then taken for the worse.
GOES_ON = frozenset({"links.refuse", "grants.withdraw", "grants.edit", "grants.organization_removed"})


def require_closed(name: str, came: Came) -> None:
    """Require that a fault did no harm: an error and no change, or all of it, or no yes without the directory."""
    sound = run(name, Faults())
    untouched = dump(_stage().host.store, ("acme", HOST, "another"))
    failed = came.faults.failed
    if not failed:
        raise HalfDone(f"{name}: the fault was never met")
    if "directory" in failed:
        # A list of several people may still say of one what the directory said of that one.
        silent = failed.count("directory") == came.faults.calls.count("directory")
        if came.error is None and name not in GOES_ON and silent and is_yes(came.result):
            raise HalfDone(f"{name}: {came.result!r} although the directory failed")
        return
    if came.error is not None and came.told != sound.told:
        if came.dump != untouched:
            raise HalfDone(f"{name}: {came.error!r} and yet something was changed")
    elif (came.told, came.dump) != (sound.told, sound.dump):
        raise HalfDone(f"{name}: came to {came.result!r} and a store that does not fit")


def _enumerate(name: str, kind: type[Exception], mode: Mode, hub_kind: type[ExtLink] = ExtLink) -> int:
    calls = len(run(name, Faults(), hub_kind).faults.calls)
    for number in range(1, calls + 1):
        came = run(name, Faults(number, kind, mode), hub_kind)
        require_closed(name, came)
        if mode == "for good" and "directory" not in came.faults.failed:
            assert came.error is not None
    return calls


NAMES = sorted(_operations())


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_at_every_call_of_every_operation(name: str) -> None:
    """Each call of each port fails once, and then for good, as an adapter would say it: never a yes, never half."""
    assert _enumerate(name, Unavailable, "once") >= 2
    _enumerate(name, Unavailable, "for good")


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_at_every_call_of_every_operation_of_an_async_host(name: str) -> None:
    """The async runner comes to the same as the sync one, without faults and with them."""
    assert run(name, Faults()).told == run(name, Faults(), Driven).told
    _enumerate(name, OSError, "once", Driven)
    _enumerate(name, Unavailable, "for good", Driven)


def test_a_yes_can_be_lost() -> None:
    """Without any fault the stage's check is allowed, so that what is refused above is refused for the fault."""
    assert is_yes(run("access.check", Faults()).result)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS[1:])
def test_every_kind_of_fault_at_every_call(kind: type[Exception]) -> None:
    """So it is for the other errors of stores, and for whatever else a port of the host's may raise."""
    for name in NAMES:
        _enumerate(name, kind, "once")
        _enumerate(name, kind, "for good")


class TakesSilenceForYes(ExtLink):
    """The broken runner: where the directory does not answer, it takes what it answered yesterday."""

    def _lookup(self, step: Any) -> object:
        found = super()._lookup(step)
        return _stage().host.directory.member(*step.arguments) if isinstance(found, Unanswered) else found


class SaysDone(ExtLink):
    """The broken runner: a commit that failed is reported as done."""

    def _commit(self, batch: Batch) -> None:
        try:
            super()._commit(batch)
        except Unavailable:
            return


class WritesInTwoSteps(ExtLink):
    """The broken runner: the records first, their entries afterwards."""

    def _commit(self, batch: Batch) -> None:
        super()._commit(attrs.evolve(batch, entries=()))
        super()._commit(attrs.evolve(batch, id=self._version(), guards=(), writes=()))


class ListsNothing(ExtLink):
    """The broken runner: what cannot be listed is not there."""

    def _list(self, query: Query) -> Page:
        try:
            return super()._list(query)
        except Unavailable:
            return Page((), more=False)


@pytest.mark.parametrize(
    ("twin", "name", "call", "mode"),
    [
        (TakesSilenceForYes, "access.check", "directory", "once"),
        (SaysDone, "links.revoke", "commit", "for good"),
        (WritesInTwoSteps, "links.revoke", "commit", "for good"),
        (ListsNothing, "services.registered", "list", "for good"),
    ],
)
def test_a_runner_that_is_not_closed_is_caught(twin: type[ExtLink], name: str, call: str, mode: Mode) -> None:
    """The broken twins: each does harm when its call fails."""
    caught = 0
    calls = run(name, Faults(), twin).faults.calls
    for number, made in enumerate(calls, 1):
        if made == call:
            try:
                require_closed(name, run(name, Faults(number, Unavailable, mode), twin))
            except HalfDone:
                caught += 1

    assert caught


# --- The directory -----------------------------------------------------------------------------------------------


class Answers:
    """A directory that answers every question with one thing."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def member(self, user: UserId) -> Any:
        return self._answer

    def get(self, users: Sequence[UserId]) -> Any:
        return self._answer

    def page(self, query: CandidateQuery, after: str | None, limit: int) -> Any:
        return self._answer

    def organizations(self) -> Any:
        return self._answer


def _over(directory: object, storage: MemoryStorage | None = None, hub_kind: type[ExtLink] = ExtLink) -> Tenant:
    kept = copied(world().storage) if storage is None else storage
    hub = hub_kind(
        kept, keys=KEYS, directory=cast("InMemoryDirectory", directory), clock=FrozenClock(), entropy=WorkerEntropy(7)
    )
    return hub.tenant(TENANT)


STRANGER = Member(id=UserId("suzuki"), display_name="鈴木", organizations=PEOPLE.member("suzuki").organizations)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "answer",
    [STRANGER, "sato", object(), True, {"id": "sato"}, (), [STRANGER], DirectoryPage((), None), Member],
    ids=["another", "text", "object", "True", "dict", "tuple", "list", "page", "class"],
)
def test_a_directory_that_mixes_people_up(answer: object) -> None:
    """An answer about somebody else, or one that is none, lends nobody another's grants: `directory.unavailable`."""
    decision = _over(Answers(answer)).run(
        access.check(world().tokens.access_token, scope=SCOPE, address=ADDRESS),
    )

    assert not decision.allowed
    assert "directory.unavailable" in [reason.code for reason in decision.reasons]


@pytest.mark.parametrize(
    "answer",
    [None, "x", object(), [object()], [STRANGER, "sato"], STRANGER, b"bytes"],
    ids=["None", "text", "object", "objects", "a text among people", "one person", "bytes"],
)
@pytest.mark.parametrize(
    "operation",
    [
        grants.allow(SERVICE, users=["sato"]),
        grants.allow(SERVICE, organizations=["sales"]),
        grants.candidates(SERVICE),
    ],
    ids=["users", "organizations", "candidates"],
)
def test_a_directory_that_answers_garbage(answer: object, operation: Operation[object]) -> None:
    """Where an administrator names people, an answer that is none refuses the edit and changes nothing."""
    storage = copied(world().storage)
    before = dump(storage)

    with pytest.raises(Refused, match=r"directory\.unavailable"):
        _over(Answers(answer), storage).acting_as("admin", roles={"common_administrator"}).run(operation)

    assert before == dump(storage)


# --- Answers that are lost, and conflicts -------------------------------------------------------------------------


class LosesAnswers(MemoryStorage):
    """A store that applies a commit and then cannot be heard."""

    def __init__(self, kind: type[Exception], times: int) -> None:
        super().__init__()
        self._kind = kind
        self.left = times

    def commit(self, batch: Batch) -> Position:
        position = super().commit(batch)
        if self.left:
            self.left -= 1
            raise self._kind("the line went dead")
        return position


MAKES = {
    "revoke": links.revoke(world().link),
    "refresh": links.refresh(world().tokens.refresh_token, client=world().consent.request.client),
    "accept": links.accept(world().consent),
    "check": access.check(world().tokens.access_token, scope=SCOPE, address=ADDRESS),
}


@pytest.mark.parametrize("hub_kind", [ExtLink, Driven])
@pytest.mark.parametrize("kind", [Unavailable, OSError])
@pytest.mark.parametrize("name", MAKES)
def test_a_lost_answer_is_settled(name: str, kind: type[Exception], hub_kind: type[ExtLink]) -> None:
    """The batch was applied, its answer lost: asked again by its id it counts once, and the caller gets the result."""
    clear, lossy = copied(world().storage), LosesAnswers(kind, 1)
    copied(world().storage, lossy)

    expected = _over(PEOPLE, clear, hub_kind).acting_as("sato").run(MAKES[name])
    actual = _over(PEOPLE, lossy, hub_kind).acting_as("sato").run(MAKES[name])

    assert 0 == lossy.left
    assert (expected, dump(clear)) == (actual, dump(lossy))


@pytest.mark.parametrize("kind", [Unavailable, OSError])
def test_an_answer_that_stays_lost_is_an_error(kind: type[Exception]) -> None:
    """Nothing is made up: the host hears that the store cannot be reached, and the change is there, once."""
    clear, lossy = copied(world().storage), LosesAnswers(kind, 2)
    copied(world().storage, lossy)
    _over(PEOPLE, clear).acting_as("sato").run(MAKES["revoke"])

    with pytest.raises(Unavailable):
        _over(PEOPLE, lossy).acting_as("sato").run(MAKES["revoke"])

    assert dump(clear) == dump(lossy)


class Contended(MemoryStorage):
    """A store in which somebody else always was quicker."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times
        self.tried = 0

    def commit(self, batch: Batch) -> Position:
        self.tried += 1
        if self.tried <= self._times:
            raise Conflict("somebody was quicker")
        return super().commit(batch)


def test_an_operation_starts_anew_as_often_as_it_must() -> None:
    """After a hundred conflicts it still comes to its end."""
    storage = Contended(100)
    copied(world().storage, storage)

    link = _over(PEOPLE, storage).acting_as("sato").run(links.revoke(world().link))

    assert "revoked" == link.state


@pytest.mark.parametrize("hub_kind", [ExtLink, Driven])
def test_endless_conflicts_are_an_error(hub_kind: type[ExtLink]) -> None:
    """An operation does not try for ever: `Contention`, nothing was changed, the call may be made again."""
    storage = Contended(10**9)
    copied(world().storage, storage)

    with pytest.raises(Contention, match="nothing was changed"):
        _over(PEOPLE, storage, hub_kind).acting_as("sato").run(links.revoke(world().link))

    assert dump(world().storage) == dump(storage)


@pytest.mark.parametrize("hub_kind", [ExtLink, Driven])
def test_an_error_that_comes_with_entries_is_raised_once_they_are_safe(hub_kind: type[ExtLink]) -> None:
    """Who lacks the role is refused, and the ledger says so."""
    storage = copied(world().storage)
    before = dump(storage)

    with pytest.raises(Refused, match=r"actor\.not_permitted"):
        _over(PEOPLE, storage, hub_kind).acting_as("sato").run(networks.show())

    assert before != dump(storage)


class Disturbed(MemoryStorage):
    """A store in which something else is written between the first two reads of an operation."""

    def __init__(self, disturb: Callable[[MemoryStorage], object]) -> None:
        super().__init__()
        self._disturb = disturb
        self.reads = -1

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        self.reads += 1
        if self.reads == 2:
            self._disturb(self)
        return super().read(keys, known)


def _revoked_elsewhere(storage: MemoryStorage) -> None:
    hub_over(storage, seed=4).tenant(TENANT).acting_as("sato").run(links.revoke(world().link))


@pytest.mark.parametrize("hub_kind", [ExtLink, Driven])
def test_a_record_that_changes_between_two_reads(hub_kind: type[ExtLink]) -> None:
    """The operation starts anew, and decides on what is there now."""
    storage = Disturbed(_revoked_elsewhere)
    copied(world().storage, storage)
    parts: dict[str, Any] = {"keys": KEYS, "directory": PEOPLE, "clock": FrozenClock(), "entropy": WorkerEntropy(7)}

    decision = hub_kind(storage, **parts).tenant(TENANT).run(MAKES["check"])

    assert isinstance(decision, Decision)
    assert "link.revoked" in [reason.code for reason in decision.reasons]
    assert storage.reads > 3


def _large(number: int) -> list[Row]:
    noise = random.Random(number)
    rows = [(f"10.{one >> 8}.{one & 255}.0/24", noise.randbytes(40).hex()) for one in range(2_500)]
    return [Row(range=parse_range(text), memo=memo) for text, memo in rows]


def _restricted_elsewhere(storage: MemoryStorage) -> None:
    admin = hub_over(storage, seed=4).tenant(TENANT).acting_as("admin", roles={"common_administrator"})
    admin.run(networks.restrict(_large(2)))


@pytest.mark.parametrize("hub_kind", [ExtLink, Driven])
def test_a_large_record_that_changes_between_its_pieces(hub_kind: type[ExtLink]) -> None:
    """No record is put together from the pieces of two."""
    storage = Disturbed(_restricted_elsewhere)
    copied(world().storage, storage)
    storage.reads = -1_000
    hub_over(storage, seed=5).tenant(TENANT).acting_as("admin", roles={"common_administrator"}).run(
        networks.restrict(_large(1))
    )
    storage.reads = -1
    parts: dict[str, Any] = {"keys": KEYS, "directory": PEOPLE, "clock": FrozenClock(), "entropy": WorkerEntropy(7)}
    tenant = hub_kind(storage, **parts).tenant(TENANT).acting_as("admin", roles={"common_administrator"})

    network = tenant.run(networks.show())

    assert _large(2) == list(network.rows)


@operation("tests.strange")
def strange(call: Call) -> Steps[Commit[None]]:
    """Ask for something that no runner knows."""
    yield Step()
    return Commit(None)


@pytest.mark.parametrize("hub_kind", [ExtLink, Driven])
def test_a_step_that_no_runner_knows(hub_kind: type[ExtLink]) -> None:
    """Whoever writes operations of their own learns what a step is."""
    parts: dict[str, Any] = {"keys": KEYS, "directory": PEOPLE, "clock": FrozenClock(), "entropy": WorkerEntropy(7)}

    with pytest.raises(InvalidInput, match=r"expected a step of extlink\.operation"):
        hub_kind(copied(world().storage), **parts).tenant(TENANT).run(strange())


def test_lifetimes_are_the_hosts() -> None:
    """What a host says of lifetimes holds for what is made from then on."""
    storage = copied(world().storage)
    hub = ExtLink(
        storage,
        keys=KEYS,
        directory=PEOPLE,
        clock=FrozenClock(),
        entropy=WorkerEntropy(7),
        lifetimes=Lifetimes(access=900),
    )

    refreshed = hub.tenant(TENANT).run(MAKES["refresh"])

    assert isinstance(refreshed, TokenSet)
    assert 900 == refreshed.expires_in


def test_another_error_is_not_tried_again() -> None:
    """Only a conflict starts an operation anew: a record that is damaged stays so."""

    class Damaged(MemoryStorage):
        reads = 0

        def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
            Damaged.reads += 1
            raise CorruptRecord("damaged")

    with pytest.raises(CorruptRecord):
        _over(PEOPLE, Damaged()).run(networks.show())

    assert 1 == Damaged.reads


# --- Keys ----------------------------------------------------------------------------------------------------------


def _with_keys(storage: MemoryStorage, keys: KeyRing) -> Tenant:
    hub = ExtLink(storage, keys=keys, directory=PEOPLE, clock=FrozenClock(), entropy=WorkerEntropy(8))
    return hub.tenant(TENANT)


def test_a_wrong_key_refuses_to_start() -> None:
    """Another key under a known id would make every link look forged: nothing runs, however often it is tried."""
    storage = copied(world().storage)
    before = dump(storage)
    tenant = _with_keys(storage, KeyRing({"k1": Secret("99" * 32)}, current="k1"))

    for _ in range(2):
        with pytest.raises(Misconfigured, match="key k1 is not the one"):
            tenant.run(access.check(world().tokens.access_token, scope=SCOPE, address=ADDRESS))

    assert before == dump(storage)


def test_a_new_key_is_taken_in() -> None:
    """A key under a new id is remembered with a ledger entry; tokens of the old one go on."""
    storage = copied(world().storage)
    both = KeyRing({"k1": Secret("11" * 32), "k2": Secret("99" * 32)}, current="k2")

    decision = _with_keys(storage, both).run(access.check(world().tokens.access_token, scope=SCOPE, address=ADDRESS))

    assert decision.allowed
    with pytest.raises(Misconfigured):
        _with_keys(storage, KeyRing({"k2": Secret("88" * 32)}, current="k2")).run(networks.show())


def test_a_retired_key_need_not_be_there() -> None:
    """A host that has dropped an old key starts; tokens made under it are unknown."""
    storage = copied(world().storage)
    only = KeyRing({"k2": Secret("99" * 32)}, current="k2")

    decision = _with_keys(storage, only).run(access.check(world().tokens.access_token, scope=SCOPE, address=ADDRESS))

    assert ["token.unknown"] == [reason.code for reason in decision.reasons]


def test_keys_are_compared_once() -> None:
    """The first operation compares the keys, the following ones do not read them again."""
    faults = Faults()
    storage = FaultyStorage(faults)
    tenant = prepared(storage)[1]
    before = len(faults.calls)

    tenant.acting_as("admin", roles={"common_administrator"}).run(networks.show())

    assert ["read"] == faults.calls[before:]


# --- What a host may hand over ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [None, object(), "links.db", 1], ids=["None", "object", "text", "number"])
def test_a_hub_without_a_store_is_not_made(wrong: object) -> None:
    """A missing or malformed part refuses to start, and does not wait for the first call."""
    for hub in (ExtLink, AsyncExtLink):
        with pytest.raises(Misconfigured, match="storage"):
            hub(cast("Any", wrong), keys=KEYS, directory=cast("Any", PEOPLE))


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("keys", None),
        ("keys", {"k1": Secret("11" * 32)}),
        ("directory", None),
        ("directory", {"sato": "active"}),
        ("clock", 1_591_660_800),
        ("entropy", b"random"),
        ("lifetimes", {"code": 60}),
        ("lifetimes", 60),
    ],
)
def test_a_hub_with_a_wrong_part_is_not_made(part: str, wrong: object) -> None:
    """Keys, directory, clock, randomness and lifetimes likewise; the message names the part."""
    parts: dict[str, Any] = {"keys": KEYS, "directory": PEOPLE, part: wrong}

    for hub in (ExtLink, AsyncExtLink):
        with pytest.raises(Misconfigured, match=part):
            hub(cast("Any", MemoryStorage()), **parts)


@pytest.mark.parametrize("wrong", [None, 1.5, "now", True, float("nan")])
def test_a_clock_that_says_no_time(wrong: object) -> None:
    """It failed, as one that raises did."""
    storage = copied(world().storage)
    hub = hub_over(storage)
    hub._clock = cast("Any", _Says(wrong))

    with pytest.raises(Unavailable, match="clock"):
        hub.tenant(TENANT).acting_as("sato").run(links.revoke(world().link))

    assert dump(world().storage) == dump(storage)


@pytest.mark.parametrize("wrong", [None, b"", b"short", "x" * 20, bytearray(20), b"x" * 21])
def test_a_source_of_randomness_that_gives_something_else(wrong: object) -> None:
    """Too few bytes, too many or none: nothing is made of them."""
    storage = copied(world().storage)
    hub = hub_over(storage)
    hub._entropy = cast("Any", _Says(wrong))

    with pytest.raises(Unavailable, match="randomness"):
        hub.tenant(TENANT).acting_as("sato").run(links.accept(world().consent))

    assert dump(world().storage) == dump(storage)


class _Says:
    def __init__(self, answer: object) -> None:
        self._answer = answer

    def now(self) -> object:
        return self._answer

    def draw(self, size: int) -> object:
        return self._answer


def test_the_hosts_own_name_is_no_customers() -> None:
    """No tenant is opened or asked for under the name of the host's own records."""
    hub = hub_over(MemoryStorage())

    with pytest.raises(InvalidInput, match="host itself"):
        hub.open_tenant(HOST, edition="JP", products={"kintone"})
    with pytest.raises(InvalidInput, match="host itself"):
        hub.tenant(HOST)


def test_the_host_runs_no_tenants_operations() -> None:
    """On the host itself nothing of a tenant is there."""
    with pytest.raises(Refused):
        hub_over(MemoryStorage()).host().run(networks.show())


def test_a_tenant_that_was_never_opened() -> None:
    """It can be named, and refuses everything."""
    tenant = hub_over(MemoryStorage()).tenant("nobody").acting_as("admin", roles={"common_administrator"})

    with pytest.raises(Refused, match=r"tenant\.not_open"):
        tenant.run(services.registered())


def test_a_tenant_is_opened_once() -> None:
    """Opened alike it is found; opened otherwise it is refused and stays as it was."""
    hub = hub_over(MemoryStorage())
    hub.open_tenant(TENANT, edition="JP", products={"kintone"})

    assert TENANT == hub.open_tenant(TENANT, edition="JP", products=["kintone"]).id
    with pytest.raises(Refused, match=r"tenant\.opened_differently"):
        hub.open_tenant(TENANT, edition="US", products={"kintone"})


def test_tenants_share_nothing() -> None:
    """A token of one tenant is unknown in another over the same store."""
    storage = copied(world().storage)
    hub = hub_over(storage, seed=3)
    hub.open_tenant("other", edition="JP", products={"kintone"})

    decision = hub.tenant("other").run(access.check(world().tokens.access_token, scope=SCOPE, address=ADDRESS))

    assert ["token.unknown"] == [reason.code for reason in decision.reasons]


def test_both_colours_print_their_tenant() -> None:
    """A tenant prints as its id and nothing else."""
    storage = copied(world().storage)
    asynchronous = AsyncExtLink(
        ThreadedStorage(storage), keys=KEYS, directory=AsyncInMemoryDirectory(PEOPLE), clock=FrozenClock()
    )

    assert "Tenant('acme')" == repr(hub_over(storage).tenant(TENANT))
    assert "AsyncTenant('acme')" == repr(asynchronous.tenant(TENANT))
    assert TENANT == asynchronous.tenant(TENANT).id


def test_a_hub_in_memory_of_either_colour() -> None:
    """With drawn keys and an empty directory; what is done in one is unknown to the next."""

    async def connect() -> object:
        hub = AsyncExtLink.in_memory(directory=AsyncInMemoryDirectory(PEOPLE), clock=FrozenClock())
        tenant = await hub.open_tenant(TENANT, edition="JP", products={"kintone"})
        with pytest.raises(Refused):
            await AsyncExtLink.in_memory().tenant(TENANT).run(networks.show())
        return await tenant.acting_as("a", roles={"access_administrator"}).run(networks.show())

    assert "allow_all" == cast("Any", asyncio.run(connect())).mode
    hub = ExtLink.in_memory(directory=PEOPLE, clock=FrozenClock(NOW))
    assert isinstance(hub, Hub)
    with pytest.raises(Refused):
        hub.tenant(TENANT).run(networks.show())


def test_a_cancelled_operation_is_done_or_not() -> None:
    """A task that is cancelled at its commit leaves the whole change or none of it, never a part."""
    outcomes = set()
    for steps in range(1, 12):
        storage = copied(world().storage)

        async def cancelled(storage: MemoryStorage = storage, steps: int = steps) -> None:
            async with ThreadedStorage(storage) as threaded:
                hub = AsyncExtLink(
                    threaded,
                    keys=KEYS,
                    directory=AsyncInMemoryDirectory(PEOPLE),
                    clock=FrozenClock(),
                    entropy=WorkerEntropy(9),
                )
                task = asyncio.create_task(hub.tenant(TENANT).acting_as("sato").run(links.revoke(world().link)))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        asyncio.run(cancelled())
        outcomes.add(str(dump(storage)))

    done = copied(world().storage)
    _over(PEOPLE, done).acting_as("sato").run(links.revoke(world().link))
    assert outcomes <= {str(dump(world().storage)), str(dump(done))}


def test_what_is_run_must_be_an_operation() -> None:
    """Anything else is a mistake of the caller's, told before anything is read."""
    tenant = hub_over(MemoryStorage()).tenant(TENANT)

    for wrong in (None, "services.enable", services.enable, object()):
        with pytest.raises(InvalidInput, match="expected an operation"):
            tenant.run(cast("Any", wrong))


def test_a_link_is_made_through_the_whole_runner() -> None:
    """The plain case, once: consent, code, tokens, an allowed check."""
    storage = MemoryStorage()
    _, tenant, _ = prepared(storage)

    tokens = connected(tenant)

    assert isinstance(tokens, TokenSet)
    assert tenant.run(access.check(tokens.access_token, scope=SCOPE, address=ADDRESS)).allowed


@pytest.mark.parametrize("course", [None, 3, services.enable("slack"), [services.enable("slack")]])
def test_only_a_course_is_followed(course: Any) -> None:
    """Anything else is refused in words, whatever the colour."""
    hub, other = ExtLink.in_memory(), AsyncExtLink.in_memory()

    with pytest.raises(InvalidInput, match=r"^course: expected a course"):
        hub.host().follow(course)
    with pytest.raises(InvalidInput, match=r"^course: expected a course"):
        asyncio.run(other.host().follow(course))
