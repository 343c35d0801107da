"""A scheduler that the test owns: several operations over one store, every interleaving of them, no threads.

What is scheduled is the asynchronous runner itself. Its store stops before each read, list and commit and hands the
control back; nothing else is a switch point. A schedule is a sequence of numbers: who makes the next step. Schedules
are found depth-first, each played from the start on a store prepared anew; a runner that starts anew after a conflict
just has more steps. With `reduce`, sleep sets leave out schedules that differ only in the order of steps that cannot
notice each other.

Required is that each run came to what its operations come to one after another, in an order that the run allows:
results, errors, records and ledgers. So "no lost update", "guards hold" and "numbers without gaps" are one property.
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from itertools import count, permutations
from typing import Final, Literal, NamedTuple, cast

import attrs

from extlink.domain.instant import Instant
from extlink.domain.tenant import HOST
from extlink.domain.token import KeyRing
from extlink.errors import ExtlinkError, InvalidInput, Misconfigured
from extlink.operation import Operation
from extlink.ports import AsyncDirectory, Batch, Key, Page, Position, Query, Storage, Stored, Version
from extlink.records import key_checks_key
from extlink.runtime import AsyncExtLink, AsyncTenant
from extlink.testing.copying import Dump, dump
from extlink.testing.fakes import NOW, FrozenClock

__all__ = ["Exploration", "NotLinearizable", "Outcome", "Point", "Run", "Worker", "WorkerEntropy", "linearizable"]

_VERSION_BYTES: Final = 8
_CHECK_OF_KEYS: Final = [key_checks_key(HOST).key]


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


class _SteppedStorage:
    """An `AsyncStorage` that stops before each call until the scheduler goes on."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        # A hub compares the host's keys before its first operation; that is no step of the operation.
        if list(keys) != _CHECK_OF_KEYS:
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

    >>> entropy = WorkerEntropy(1)
    >>> entropy.draw(20) == entropy.draw(20), entropy.draw(8) == entropy.draw(8)
    (True, False)
    """

    def __init__(self, worker: int) -> None:
        self._worker = worker
        self._versions = count(1)

    def draw(self, size: int) -> bytes:
        """Return the bytes."""
        number = next(self._versions) if size == _VERSION_BYTES else 0
        return hashlib.shake_256(f"{self._worker}.{size}.{number}".encode()).digest(size)


@attrs.frozen
class Worker:
    """One operation to run, and for whom.

    Args:
        operation: what is run.
        user: None: nobody in person.
        roles: what the person may do.
        tenant: `~host` is the host itself.
        address: where the person sits.
        skew: how many seconds the clock of this process is off.
        idempotency_key: as in `tenant.run`.

    >>> from extlink import services
    >>> Worker(services.enable("slack"), "admin", ("common_administrator",))
    services.enable(service='slack')
    """

    operation: Operation[object]
    user: str | None = None
    roles: tuple[str, ...] = ("user",)
    tenant: str = "acme"
    address: str | None = None
    skew: int = 0
    idempotency_key: str | None = None

    def place(self, hub: AsyncExtLink) -> AsyncTenant:
        """Return where a hub runs it."""
        tenant = hub.host() if self.tenant == HOST else hub.tenant(self.tenant)
        return tenant if self.user is None else tenant.acting_as(self.user, roles=self.roles, address=self.address)

    def __repr__(self) -> str:
        return repr(self.operation)


@attrs.frozen
class Outcome:
    """What a run of one operation came to: its result, or the text of what it raised.

    >>> Outcome(7)
    Outcome(result=7, error='')
    """

    result: object = None
    error: str = ""


@attrs.frozen
class Run:
    """One schedule that was played to its end.

    Args:
        schedule: who made each step.
        before: pairs of workers, the first of which had returned when the second made its first step.
        storage: as they left it; closed, if it can be closed.

    >>> from extlink import MemoryStorage
    >>> Run((0, 1), (Outcome(), Outcome()), frozenset({(0, 1)}), MemoryStorage(), Dump({}, {})).schedule
    (0, 1)
    """

    schedule: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    before: frozenset[tuple[int, int]]
    storage: Storage
    dump: Dump


class _Play:
    """One play of a schedule: the workers' coroutines, each stopped at its next point."""

    def __init__(self, exploration: Exploration, storage: Storage, hub: Callable[..., AsyncExtLink]) -> None:
        self.pending: dict[int, Point] = {}
        self.schedule: list[int] = []
        self._exploration = exploration
        self._storage = storage
        self._outcomes: dict[int, Outcome] = {}
        self._began: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._running: dict[int, Coroutine[Point, None, object]] = {}
        for number, worker in enumerate(exploration.workers):
            self._running[number] = self._start(hub, number, worker)
            self._go_on(number)

    def _start(self, hub: Callable[..., AsyncExtLink], number: int, worker: Worker) -> Coroutine[Point, None, object]:
        made = hub(
            _SteppedStorage(self._storage),
            keys=self._exploration.keys,
            directory=self._exploration.directory,
            clock=FrozenClock(Instant(self._exploration.now + worker.skew)),
            entropy=WorkerEntropy(number),
        )
        return worker.place(made).run(worker.operation, idempotency_key=worker.idempotency_key)

    def step(self, number: int) -> None:
        """Let a worker do what it stands before."""
        self._began.setdefault(number, len(self.schedule))
        self.schedule.append(number)
        self._go_on(number)

    def _go_on(self, number: int) -> None:
        try:
            point = cast("object", self._running[number].send(None))
        except StopIteration as done:
            self._end(number, Outcome(done.value))
        except ExtlinkError as error:
            self._end(number, Outcome(error=f"{type(error).__name__} {error.code}: {error}"))
        else:
            if not isinstance(point, Point):
                raise Misconfigured(
                    "a worker awaits something else than its store; give it a directory that never waits"
                )
            self.pending[number] = point

    def _end(self, number: int, outcome: Outcome) -> None:
        self.pending.pop(number, None)
        self._outcomes[number] = outcome
        self._ended[number] = len(self.schedule)

    def close(self) -> None:
        """Give up the workers that were not played to the end, and the store."""
        for coroutine in self._running.values():
            coroutine.close()
        close = getattr(self._storage, "close", None)
        if close is not None:
            close()

    def run(self) -> Run:
        """Return what the workers came to."""
        order = range(len(self._running))
        never = len(self.schedule)
        before = {(a, b) for a in order for b in order if a != b and self._ended[a] <= self._began.get(b, never)}
        outcomes = tuple(self._outcomes[number] for number in order)
        held = dump(self._storage, self._exploration.tenants)
        return Run(tuple(self.schedule), outcomes, frozenset(before), self._storage, held)


@attrs.define
class _Node:
    """A place in the tree of schedules: who could go on there, who need not, and who was tried."""

    pending: dict[int, Point]
    asleep: set[int]
    tried: list[int]


@attrs.frozen(kw_only=True)
class Exploration:
    """All interleavings of some operations over stores in one state.

    Args:
        workers: 2 to 4 operations.
        prepare: returns a store in the same state at each call; what has a `close` is closed when it was played on.
        keys, directory: the host's; the directory must not wait for anything.
        now: what the workers' clocks say, but for their skew.
        tenants: what is compared of the stores.
        hub: how each worker's runner is made; broken twins replace it.
        reference: as `prepare`, for the orders that runs are compared with, where `prepare` makes broken stores.
        reduce: leave out schedules that nobody can tell from one that is played.

    >>> from extlink import AsyncInMemoryDirectory, KeyRing, MemoryStorage, Secret, users
    >>> keys = KeyRing({"k1": Secret("11" * 32)}, current="k1")
    >>> both = tuple(Worker(users.suspend(user), "host", ("host",)) for user in ("sato", "suzuki"))
    >>> exploration = Exploration(
    ...     workers=both, prepare=MemoryStorage, keys=keys, directory=AsyncInMemoryDirectory(),
    ... )
    >>> exploration.replay((1, 0)).schedule[:2]
    (1, 0)
    """

    workers: tuple[Worker, ...]
    prepare: Callable[[], Storage]
    keys: KeyRing
    directory: AsyncDirectory
    now: Instant = NOW
    tenants: tuple[str, ...] = ("acme", HOST)
    hub: Callable[..., AsyncExtLink] = AsyncExtLink
    reference: Callable[[], Storage] | None = None
    reduce: bool = False

    def runs(self) -> Iterator[Run]:
        """Play every schedule."""
        path: list[_Node] = []
        while True:
            play = _Play(self, self.prepare(), self.hub)
            for node in path:
                play.step(node.tried[-1])
            if self._extend(play, path):
                yield play.run()
            play.close()
            if not self._backtrack(path):
                return

    def replay(self, schedule: Sequence[int]) -> Run:
        """Play one schedule, as a failure prints it; whoever has steps left then goes on in order.

        Raises:
            InvalidInput: a step of a worker that has none left.
        """
        play = _Play(self, self.prepare(), self.hub)
        for number in schedule:
            if number not in play.pending:
                raise InvalidInput("schedule", f"worker {number} has no step left after {len(play.schedule)} steps")
            play.step(number)
        return self._finished(play, range(len(self.workers)))

    def in_order(self, order: Sequence[int]) -> Run:
        """Play the workers one after another, on a store and with runners that are not broken."""
        play = _Play(self, (self.reference or self.prepare)(), AsyncExtLink)
        return self._finished(play, order)

    def _finished(self, play: _Play, order: Sequence[int]) -> Run:
        for number in order:
            while number in play.pending:
                play.step(number)
        run = play.run()
        play.close()
        return run

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
    """A run came to what no order of its operations comes to.

    Args:
        schedule: who made each step; `exploration.replay(schedule)` plays it again.
    """

    def __init__(self, workers: tuple[Worker, ...], run: Run) -> None:
        super().__init__(f"replay({run.schedule}) of {workers} came to {run.outcomes}, as no order of them does")
        self.schedule: tuple[int, ...] = run.schedule


def linearizable(exploration: Exploration) -> int:
    """Require that each run came to what its operations come to one after another, in an order it allows.

    Results, records and ledgers are compared; an operation that had returned before another began comes first.

    Returns:
        How many schedules were played.

    Raises:
        NotLinearizable: with the schedule.

    >>> from extlink import AsyncInMemoryDirectory, KeyRing, MemoryStorage, Secret, users
    >>> keys = KeyRing({"k1": Secret("11" * 32)}, current="k1")
    >>> both = tuple(Worker(users.suspend(user), "host", ("host",)) for user in ("sato", "suzuki"))
    >>> played = linearizable(
    ...     Exploration(workers=both, prepare=MemoryStorage, keys=keys, directory=AsyncInMemoryDirectory())
    ... )
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
            raise NotLinearizable(exploration.workers, run)
    return played
