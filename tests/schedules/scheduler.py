"""A scheduler that the test owns: several operations over one store, every interleaving of them, no threads.

What is scheduled is the async runner itself. Its store stops before each read, list and commit and hands the control
back; nothing else is a switch point. A schedule is a sequence of numbers: who makes the next step. Schedules are found
depth-first, each played from the start on a copy of the store; a runner that starts anew after a conflict just has more
steps. With `reduce`, sleep sets leave out schedules that differ only in the order of steps that cannot notice each
other.
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from itertools import count, permutations
from typing import Any, Literal, NamedTuple

import attrs

from extlink.adapters.directory import AsyncInMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.attempt import Attempt
from extlink.errors import ExtlinkError
from extlink.operation import Operation
from extlink.ports import Batch, Entries, Key, Page, Position, Query, Records, Stored, Version
from extlink.runtime import AsyncExtLink
from tests.fakes import NOW, FrozenClock
from tests.schedules.world import KEYS, PEOPLE, TENANT

VERSION_BYTES = 8


class Point(NamedTuple):
    """What a worker is about to do: a read of some keys, or a commit that writes some."""

    kind: Literal["read", "commit"]
    keys: frozenset[Key]

    def disturbs(self, other: Point) -> bool:
        """Whether the order of two steps can be noticed."""
        if self.kind == other.kind == "read":
            return False
        return self.kind == other.kind or not self.keys.isdisjoint(other.keys)


@types.coroutine
def _pause(point: Point) -> Generator[Point, None, None]:
    yield point


class SteppedStorage:
    """An `AsyncStorage` that stops before each call until the scheduler goes on."""

    def __init__(self, storage: MemoryStorage) -> None:
        self._storage = storage

    async def read(self, keys: Sequence[Key], known: Any) -> Sequence[Stored]:
        await _pause(Point("read", frozenset(keys)))
        return self._storage.read(keys, known)

    async def list(self, query: Query) -> Page:
        await _pause(Point("read", frozenset()))
        return self._storage.list(query)

    async def commit(self, batch: Batch) -> Position:
        await _pause(Point("commit", frozenset(write.key for write in batch.writes)))
        return self._storage.commit(batch)


class WorkerEntropy:
    """Versions that never repeat, and the same salt, random part or handle whenever one worker asks for it.

    So a run can be compared byte by byte with one in which its operations came one after another.
    """

    def __init__(self, worker: int) -> None:
        self._worker = worker
        self._versions = count(1)

    def draw(self, size: int) -> bytes:
        number = next(self._versions) if size == VERSION_BYTES else 0
        return hashlib.shake_256(f"{self._worker}.{size}.{number}".encode()).digest(size)


@attrs.frozen
class Worker:
    """One operation to run, for whom, and how far its clock is off.

    Args:
        user: None runs it as the host of the tenant `~host` does.
    """

    operation: Operation[object]
    user: str | None = None
    roles: tuple[str, ...] = ("user",)
    skew: int = 0

    def __repr__(self) -> str:
        return self.operation.name


@attrs.frozen
class Outcome:
    """What a run of one operation came to."""

    result: object = None
    error: str = ""


@attrs.frozen
class Dump:
    """Everything a store holds but versions: records by key, and the ledgers in order."""

    records: Mapping[Key, bytes | None]
    ledger: Mapping[bytes, tuple[bytes, ...]]


@attrs.frozen
class Run:
    """One schedule that was played to its end.

    Args:
        schedule: who made each step.
        before: pairs of workers, the first of which had returned when the second made its first step.
        storage: as they left it.
    """

    schedule: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    before: frozenset[tuple[int, int]]
    storage: MemoryStorage
    dump: Dump


Hub = Callable[..., AsyncExtLink]
Store = Callable[[MemoryStorage], MemoryStorage]


def copied(storage: MemoryStorage, into: MemoryStorage | None = None) -> MemoryStorage:
    """Return an independent copy of a store."""
    copy = MemoryStorage() if into is None else into
    for name, tenant in storage._tenants.items():
        twin = type(tenant)()
        twin.records, twin.order, twin.fresh = dict(tenant.records), list(tenant.order), set(tenant.fresh)
        twin.entries, twin.batches, twin.floor = list(tenant.entries), dict(tenant.batches), tenant.floor
        copy._tenants[name] = twin
    return copy


def dump(storage: MemoryStorage) -> Dump:
    """Return what a store holds, by the contract's own methods; numbers with a gap are an error."""
    records: dict[Key, bytes | None] = {}
    ledger: dict[bytes, tuple[bytes, ...]] = {}
    for tenant in (TENANT.encode(), b"~host"):
        page = storage.list(Records(tenant, b"", limit=1_000))
        records.update((one.key, one.value) for one in page.items)
        entries = storage.list(Entries(tenant, limit=1_000)).items
        numbers = [int.from_bytes(one.key.path) for one in entries]
        assert list(range(1, len(numbers) + 1)) == numbers
        ledger[tenant] = tuple(one.value or b"" for one in entries)
    return Dump(records, ledger)


class _Play:
    """One play of a schedule: the workers' coroutines, each stopped at its next point."""

    def __init__(self, workers: Sequence[Worker], storage: MemoryStorage, hub: Hub) -> None:
        self.pending: dict[int, Point] = {}
        self.schedule: list[int] = []
        self._storage = storage
        self._outcomes: dict[int, Outcome] = {}
        self._began: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._running: dict[int, Coroutine[Point, None, object]] = {}
        for number, worker in enumerate(workers):
            self._running[number] = self._start(hub, number, worker)
            self._go_on(number)

    def _start(self, hub: Hub, number: int, worker: Worker) -> Coroutine[Point, None, object]:
        made = hub(
            SteppedStorage(self._storage),
            keys=KEYS,
            directory=AsyncInMemoryDirectory(PEOPLE),
            clock=FrozenClock(type(NOW)(NOW + worker.skew)),
            entropy=WorkerEntropy(number),
        )
        made._started = True  # the check of keys was made when the world was
        tenant = made.host() if worker.user is None else made.tenant(TENANT).acting_as(worker.user, roles=worker.roles)
        return tenant.run(worker.operation)

    def step(self, number: int) -> None:
        """Let a worker do what it stands before."""
        self._began.setdefault(number, len(self.schedule))
        self.schedule.append(number)
        self._go_on(number)

    def _go_on(self, number: int) -> None:
        try:
            self.pending[number] = self._running[number].send(None)
        except StopIteration as done:
            self._end(number, Outcome(done.value))
        except ExtlinkError as error:
            self._end(number, Outcome(error=f"{type(error).__name__} {error.code}: {error}"))

    def _end(self, number: int, outcome: Outcome) -> None:
        self.pending.pop(number, None)
        self._outcomes[number] = outcome
        self._ended[number] = len(self.schedule)

    def close(self) -> None:
        """Give up the workers that were not played to the end."""
        for coroutine in self._running.values():
            coroutine.close()

    def run(self) -> Run:
        """Return what the workers came to."""
        order = range(len(self._running))
        never = len(self.schedule)
        before = {(a, b) for a in order for b in order if a != b and self._ended[a] <= self._began.get(b, never)}
        outcomes = tuple(self._outcomes[number] for number in order)
        return Run(tuple(self.schedule), outcomes, frozenset(before), self._storage, dump(self._storage))


@attrs.define
class _Node:
    """A place in the tree of schedules: who could go on there, who need not, and who was tried."""

    pending: dict[int, Point]
    asleep: set[int]
    tried: list[int]


@attrs.frozen(kw_only=True)
class Exploration:
    """All interleavings of some workers over copies of one store.

    Args:
        workers: 2 to 4 operations.
        storage: what they find.
        hub: how each worker's runner is made; broken twins replace it.
        store: what the copy becomes before it is used; broken twins replace it.
        reduce: leave out schedules that nobody can tell from one that is played.
    """

    workers: tuple[Worker, ...]
    storage: MemoryStorage
    hub: Hub = AsyncExtLink
    store: Store = copied
    reduce: bool = False

    def runs(self) -> Iterator[Run]:
        """Play every schedule."""
        path: list[_Node] = []
        while True:
            play = self._play()
            for node in path:
                play.step(node.tried[-1])
            if self._extend(play, path):
                yield play.run()
            play.close()
            if not self._backtrack(path):
                return

    def in_order(self, order: Sequence[int]) -> Run:
        """Play the workers one after another."""
        play = self._play(sound=True)
        for number in order:
            while number in play.pending:
                play.step(number)
        return play.run()

    def _play(self, *, sound: bool = False) -> _Play:
        store, hub = (copied, AsyncExtLink) if sound else (self.store, self.hub)
        return _Play(self.workers, store(self.storage), hub)

    def _extend(self, play: _Play, path: list[_Node]) -> bool:
        """Play on to the end, always the first that may; False where all that could go on need not."""
        while play.pending:
            asleep: set[int] = set()
            if path and self.reduce:
                above = path[-1]
                chosen = above.pending[above.tried[-1]]
                asleep = {one for one in above.asleep if not above.pending[one].disturbs(chosen)}
            awake = [number for number in sorted(play.pending) if number not in asleep]
            if not awake:
                return False
            path.append(_Node(dict(play.pending), asleep, [awake[0]]))
            play.step(awake[0])
        return True

    def _backtrack(self, path: list[_Node]) -> bool:
        """Turn to the next schedule; False where there is none."""
        while path:
            node = path[-1]
            if self.reduce:
                node.asleep.add(node.tried[-1])
            left = [one for one in sorted(node.pending) if one not in node.asleep and one not in node.tried]
            if left:
                node.tried.append(left[0])
                return True
            path.pop()
        return False


class NotLinearizable(AssertionError):
    """A run came to what no order of its operations comes to."""


def linearizable(exploration: Exploration) -> int:
    """Require that each run came to what its operations come to one after another, in an order it allows.

    Results, records and ledgers are compared; an operation that had returned before another began comes first.

    Returns:
        How many schedules were played.

    Raises:
        NotLinearizable: with the schedule.
    """
    orders = list(permutations(range(len(exploration.workers))))
    known = {order: exploration.in_order(order) for order in orders}
    played = 0
    for run in exploration.runs():
        played += 1
        possible = [
            known[order]
            for order in orders
            if all(order.index(first) < order.index(second) for first, second in run.before)
        ]
        if not any((one.outcomes, one.dump) == (run.outcomes, run.dump) for one in possible):
            raise NotLinearizable(f"{exploration.workers} in the order {run.schedule} came to {run.outcomes}")
    return played


class WithoutGuards(MemoryStorage):
    """The broken store: it applies a batch whatever was read."""

    def commit(self, batch: Batch) -> Position:
        return super().commit(attrs.evolve(batch, guards=()))


def without_guards(storage: MemoryStorage) -> MemoryStorage:
    """Return a copy that ignores guards."""
    return copied(storage, WithoutGuards())


class NoGuardOnAbsence(Attempt):
    """The broken attempt: what was not there when it was read need not be absent at the commit."""

    def batch(self, *args: Any, **kwargs: Any) -> Batch | None:
        made = super().batch(*args, **kwargs)
        if made is None:
            return None
        return attrs.evolve(made, guards=tuple(guard for guard in made.guards if guard.version != Version(0)))


class TornReads(Attempt):
    """The broken attempt: later reads do not ask whether earlier ones still hold."""

    def asks(self, step: Any) -> Any:
        keys, known = super().asks(step)
        wanted = {record.key for record in step.keys}
        return [key for key in keys if key in wanted], known
