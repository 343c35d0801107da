"""ExtLink and AsyncExtLink: the only code that knows sync from async (DESIGN 4).

The two halves are the same text but for `async` and `await`; a test compares them. All rules are in `Attempt` and in
the operations; what is left here is asking the store, the directory, the clock and the source of randomness.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar, cast

from extlink.adapters.directory import AsyncInMemoryDirectory, InMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.threaded import ThreadedStorage
from extlink.attempt import Attempt, advance, lookup_answer, peeked
from extlink.domain.edition import parse_edition, parse_products
from extlink.domain.impact import Impact
from extlink.domain.instant import Instant
from extlink.domain.link import Lifetimes
from extlink.domain.tenant import HOST, Actor
from extlink.domain.token import KeyRing
from extlink.errors import Conflict, Contention, ExtlinkError, InvalidInput, StorageError, Unavailable
from extlink.hub import Hub, drawn_keys, parse_actor, parse_tenant, require_course, require_operation, require_ports
from extlink.idempotency import with_key
from extlink.operation import (
    Call,
    Commit,
    Course,
    Draw,
    Ledger,
    List,
    Lookup,
    Now,
    Operation,
    Peek,
    Read,
    Recall,
    Step,
    Unanswered,
)
from extlink.ports import (
    AsyncDirectory,
    AsyncStorage,
    Batch,
    Clock,
    Directory,
    Entropy,
    Key,
    Page,
    Query,
    Storage,
    Stored,
    Version,
)
from extlink.previews import expecting, preview
from extlink.tenants import check_keys, open_tenant

__all__ = ["AsyncExtLink", "AsyncTenant", "ExtLink", "Tenant"]

T = TypeVar("T")
# In every round of contenders one wins, so an operation starts anew at most as often as it has rivals.
_ATTEMPTS: Final = 200
_RESTART: Final = object()
_HOST_ACTOR: Final = Actor(roles=frozenset({"host"}))


class ExtLink(Hub):
    """The library for a synchronous host.

    Args:
        storage: where everything is kept, such as `SQLiteStorage("links.db")`.
        keys: the host's key ring; without the right keys nothing starts.
        directory: the host's people.
        clock, entropy: only tests replace them.
        lifetimes: how long codes, tokens and links live.

    Raises:
        Misconfigured: no keys, no store, no directory; or, at the first operation, a key that this store was not made
            with.

    >>> hub = ExtLink.in_memory()
    >>> hub.open_tenant("acme", edition="JP", products={"kintone"})
    Tenant('acme')
    """

    def __init__(
        self,
        storage: Storage,
        *,
        keys: KeyRing,
        directory: Directory,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        lifetimes: Lifetimes | None = None,
    ) -> None:
        super().__init__(keys, clock, entropy, lifetimes)
        self._storage, self._directory = require_ports(storage, directory)

    @classmethod
    def in_memory(cls, *, directory: Directory | None = None, clock: Clock | None = None) -> ExtLink:
        """Return a hub that keeps everything in this process, under keys drawn for it: for tests and first steps."""
        return cls(MemoryStorage(), keys=drawn_keys(), directory=directory or InMemoryDirectory(), clock=clock)

    def open_tenant(self, tenant: str, *, edition: str, products: Iterable[str]) -> Tenant:
        """Open a tenant with its edition and products, or find it open alike.

        Raises:
            InvalidInput: a malformed id, an unknown edition or product.
            Refused: `tenant.opened_differently`.
        """
        opened = parse_tenant(tenant)
        where = parse_edition(edition)
        wanted = open_tenant(edition=where, products=parse_products(products, edition=where))
        self.carry_out(wanted, Call(opened, _HOST_ACTOR))
        return Tenant(self, Call(opened, Actor()))

    def tenant(self, tenant: str) -> Tenant:
        """Return a tenant by id; one that was never opened refuses every operation (`tenant.not_open`)."""
        return Tenant(self, Call(parse_tenant(tenant), Actor()))

    def host(self) -> Tenant:
        """Return the host itself, for what holds in every tenant at once, such as a quarantine everywhere."""
        return Tenant(self, Call(HOST, _HOST_ACTOR))

    def carry_out(self, operation: Operation[T], call: Call) -> T:
        """Carry an operation out for a tenant and an actor; hosts call `Tenant.run`, which names them."""
        require_operation(operation)
        if not self._started:
            self._perform(check_keys(self._checks()), Call(HOST, _HOST_ACTOR))
            self._started = True
        return self._perform(operation, call)

    def _perform(self, operation: Operation[T], call: Call) -> T:
        floor = Instant(0)
        for _ in range(_ATTEMPTS):
            attempt = Attempt(self._cache, max(self._now(), floor))
            commit = self._attempt(operation, call, attempt)
            floor = attempt.floor
            if commit is None:
                continue
            batch = attempt.batch(call, operation, commit, self._version)
            try:
                if batch is not None:
                    self._commit(batch)
            except Conflict:
                if not commit.is_aside:
                    continue
            except StorageError:
                if not commit.is_aside:
                    raise
            if commit.error is not None:
                raise commit.error
            return commit.result
        raise Contention(f"{operation.name} met {_ATTEMPTS} conflicts in a row; nothing was changed, call it again")

    def _attempt(self, operation: Operation[T], call: Call, attempt: Attempt) -> Commit[T] | None:
        steps = operation.start(call)
        step = advance(steps, None)
        while not isinstance(step, Commit):
            answer = self._answer(step, call, attempt)
            if answer is _RESTART:
                steps.close()
                return None
            step = advance(steps, answer)
        return step

    def _answer(self, step: Step[object], call: Call, attempt: Attempt) -> object:
        match step:
            case Read():
                return self._records(step, attempt)
            case Lookup():
                return self._lookup(cast("Lookup[object]", step))
            case Now():
                return attempt.now(self._now())
            case Recall():
                return attempt.recalls(step)
            case Ledger():
                return self._token_ledger(call.tenant)
            case Draw():
                return self._draw(step.size)
            case List():
                return self._list(step.query)
            case Peek():
                return peeked(step, self._read([record.key for record in step.keys], {}))
            case _:
                raise InvalidInput("step", f"expected a step of extlink.operation, got {type(step).__name__}")

    def _records(self, step: Read, attempt: Attempt) -> object:
        answers = attempt.takes(step, self._read(*attempt.asks(step)))
        if answers is None:
            return _RESTART
        parts = attempt.pieces(step)
        if not parts:
            return answers
        for part in parts:
            if attempt.takes(part, self._read(*attempt.asks(part))) is None:
                return _RESTART
        return attempt.answers(step) or _RESTART

    def _lookup(self, step: Lookup[object]) -> object:
        try:
            asked = step.directory or self._directory
            return lookup_answer(step, getattr(asked, step.method)(*step.arguments))
        except Exception:  # noqa: BLE001 - whatever the host's directory raises, it did not answer
            return Unanswered()

    def _read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        try:
            return self._storage.read(keys, known)
        except ExtlinkError:
            raise
        except Exception as exc:
            raise Unavailable("the store failed to read; nothing was done, see the cause") from exc

    def _list(self, query: Query) -> Page:
        try:
            return self._storage.list(query)
        except ExtlinkError:
            raise
        except Exception as exc:
            raise Unavailable("the store failed to list; nothing was done, see the cause") from exc

    def _commit(self, batch: Batch) -> None:
        try:
            self._store(batch)
        except Unavailable:
            # The answer may be lost and the batch be there: the same batch, by its id, is applied once.
            self._settle(batch)

    def _settle(self, batch: Batch) -> None:
        try:
            self._store(batch)
        except Conflict:
            raise
        except StorageError as exc:
            raise Unavailable(
                "the store lost the answer to a commit; the outcome is unknown, read before you retry"
            ) from exc

    def _store(self, batch: Batch) -> None:
        try:
            self._storage.commit(batch)
        except ExtlinkError:
            raise
        except Exception as exc:
            raise Unavailable("the store failed to commit; the outcome is unknown, read before you retry") from exc


class Tenant:
    """One tenant, for one actor: what operations run on."""

    def __init__(self, hub: ExtLink, call: Call) -> None:
        self._hub = hub
        self._call = call

    @property
    def id(self) -> str:
        """The tenant's id."""
        return self._call.tenant

    def acting_as(self, user: str, *, roles: Iterable[str] = ("user",), address: str | None = None) -> Tenant:
        """Return the same tenant for a person: the host states who it is, what roles they hold, and where they sit.

        Raises:
            InvalidInput: a malformed id or an unknown role.
        """
        return Tenant(self._hub, Call(self._call.tenant, parse_actor(user, roles, address)))

    def run(self, operation: Operation[T], *, idempotency_key: str | None = None, expected: int | None = None) -> T:
        """Carry an operation out and return its result; nothing is half done.

        Args:
            idempotency_key: the caller's name for this command, of their own choice: delivered again under it, also
                after the answer was lost, it has one effect and the first result (`extlink.idempotency`).
            expected: the position of a preview: if anything was decided since, nothing is written.

        Raises:
            Refused: the tenant's state, its rules or the actor's roles refuse it, or it moved on from the expected
                position (`tenant.moved_on`); nothing changed.
            InvalidInput: the operation was built of malformed values; or the key was used for another command, or the
                operation only asks and takes none.
            StorageError: the store failed; nothing changed, or the commit's outcome is unknown and says so.
        """
        if idempotency_key is not None:
            require_operation(operation)
            operation = with_key(operation, idempotency_key)
        if expected is not None:
            require_operation(operation)
            operation = expecting(operation, expected)
        return self._hub.carry_out(operation, self._call)

    def preview(
        self,
        operation: Operation[object] | None = None,
        *,
        directory: Directory | None = None,
        at: datetime | None = None,
    ) -> Impact:
        """Say what an operation would change, and change nothing; the arguments are those of `previews.preview`.

        Raises:
            InvalidInput: malformed arguments, also those that the operation itself was built of.
            Contention: the tenant moved on during every look; call it again.
            StorageError: the store failed.
        """
        return self.run(preview(operation, directory=directory, at=at))

    def follow(self, course: Course[T]) -> T:
        """Carry out the operations of a course, one after another; what was done stays done if it breaks off.

        Raises:
            InvalidInput: no course; anything else is the course's own.
        """
        require_course(course)
        try:
            operation, call = next(course)
            while True:
                try:
                    result = self._hub.carry_out(operation, call or self._call)
                except ExtlinkError as error:
                    operation, call = course.throw(error)
                else:
                    operation, call = course.send(result)
        except StopIteration as done:
            return cast("T", done.value)

    def __repr__(self) -> str:
        return f"Tenant({self._call.tenant!r})"


class AsyncExtLink(Hub):
    """The library for an asynchronous host.

    Args:
        storage: where everything is kept, such as `ThreadedStorage(SQLiteStorage("links.db"))`.
        keys: the host's key ring; without the right keys nothing starts.
        directory: the host's people.
        clock, entropy: only tests replace them.
        lifetimes: how long codes, tokens and links live.

    Raises:
        Misconfigured: no keys, no store, no directory; or, at the first operation, a key that this store was not made
            with.

    >>> import asyncio
    >>> async def story():
    ...     hub = AsyncExtLink.in_memory()
    ...     return await hub.open_tenant("acme", edition="JP", products={"kintone"})
    >>> asyncio.run(story())
    AsyncTenant('acme')
    """

    def __init__(
        self,
        storage: AsyncStorage,
        *,
        keys: KeyRing,
        directory: AsyncDirectory,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        lifetimes: Lifetimes | None = None,
    ) -> None:
        super().__init__(keys, clock, entropy, lifetimes)
        self._storage, self._directory = require_ports(storage, directory)

    @classmethod
    def in_memory(cls, *, directory: AsyncDirectory | None = None, clock: Clock | None = None) -> AsyncExtLink:
        """Return a hub that keeps everything in this process, under keys drawn for it: for tests and first steps."""
        return cls(
            ThreadedStorage(MemoryStorage()),
            keys=drawn_keys(),
            directory=directory or AsyncInMemoryDirectory(),
            clock=clock,
        )

    async def open_tenant(self, tenant: str, *, edition: str, products: Iterable[str]) -> AsyncTenant:
        """Open a tenant with its edition and products, or find it open alike.

        Raises:
            InvalidInput: a malformed id, an unknown edition or product.
            Refused: `tenant.opened_differently`.
        """
        opened = parse_tenant(tenant)
        where = parse_edition(edition)
        wanted = open_tenant(edition=where, products=parse_products(products, edition=where))
        await self.carry_out(wanted, Call(opened, _HOST_ACTOR))
        return AsyncTenant(self, Call(opened, Actor()))

    def tenant(self, tenant: str) -> AsyncTenant:
        """Return a tenant by id; one that was never opened refuses every operation (`tenant.not_open`)."""
        return AsyncTenant(self, Call(parse_tenant(tenant), Actor()))

    def host(self) -> AsyncTenant:
        """Return the host itself, for what holds in every tenant at once, such as a quarantine everywhere."""
        return AsyncTenant(self, Call(HOST, _HOST_ACTOR))

    async def carry_out(self, operation: Operation[T], call: Call) -> T:
        """Carry an operation out for a tenant and an actor; hosts call `Tenant.run`, which names them."""
        require_operation(operation)
        if not self._started:
            await self._perform(check_keys(self._checks()), Call(HOST, _HOST_ACTOR))
            self._started = True
        return await self._perform(operation, call)

    async def _perform(self, operation: Operation[T], call: Call) -> T:
        floor = Instant(0)
        for _ in range(_ATTEMPTS):
            attempt = Attempt(self._cache, max(self._now(), floor))
            commit = await self._attempt(operation, call, attempt)
            floor = attempt.floor
            if commit is None:
                continue
            batch = attempt.batch(call, operation, commit, self._version)
            try:
                if batch is not None:
                    await self._commit(batch)
            except Conflict:
                if not commit.is_aside:
                    continue
            except StorageError:
                if not commit.is_aside:
                    raise
            if commit.error is not None:
                raise commit.error
            return commit.result
        raise Contention(f"{operation.name} met {_ATTEMPTS} conflicts in a row; nothing was changed, call it again")

    async def _attempt(self, operation: Operation[T], call: Call, attempt: Attempt) -> Commit[T] | None:
        steps = operation.start(call)
        step = advance(steps, None)
        while not isinstance(step, Commit):
            answer = await self._answer(step, call, attempt)
            if answer is _RESTART:
                steps.close()
                return None
            step = advance(steps, answer)
        return step

    async def _answer(self, step: Step[object], call: Call, attempt: Attempt) -> object:
        match step:
            case Read():
                return await self._records(step, attempt)
            case Lookup():
                return await self._lookup(cast("Lookup[object]", step))
            case Now():
                return attempt.now(self._now())
            case Recall():
                return attempt.recalls(step)
            case Ledger():
                return self._token_ledger(call.tenant)
            case Draw():
                return self._draw(step.size)
            case List():
                return await self._list(step.query)
            case Peek():
                return peeked(step, await self._read([record.key for record in step.keys], {}))
            case _:
                raise InvalidInput("step", f"expected a step of extlink.operation, got {type(step).__name__}")

    async def _records(self, step: Read, attempt: Attempt) -> object:
        answers = attempt.takes(step, await self._read(*attempt.asks(step)))
        if answers is None:
            return _RESTART
        parts = attempt.pieces(step)
        if not parts:
            return answers
        for part in parts:
            if attempt.takes(part, await self._read(*attempt.asks(part))) is None:
                return _RESTART
        return attempt.answers(step) or _RESTART

    async def _lookup(self, step: Lookup[object]) -> object:
        try:
            asked = step.directory or self._directory
            return lookup_answer(step, await getattr(asked, step.method)(*step.arguments))
        except Exception:  # noqa: BLE001 - whatever the host's directory raises, it did not answer
            return Unanswered()

    async def _read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        try:
            return await self._storage.read(keys, known)
        except ExtlinkError:
            raise
        except Exception as exc:
            raise Unavailable("the store failed to read; nothing was done, see the cause") from exc

    async def _list(self, query: Query) -> Page:
        try:
            return await self._storage.list(query)
        except ExtlinkError:
            raise
        except Exception as exc:
            raise Unavailable("the store failed to list; nothing was done, see the cause") from exc

    async def _commit(self, batch: Batch) -> None:
        try:
            await self._store(batch)
        except Unavailable:
            # The answer may be lost and the batch be there: the same batch, by its id, is applied once.
            await self._settle(batch)

    async def _settle(self, batch: Batch) -> None:
        try:
            await self._store(batch)
        except Conflict:
            raise
        except StorageError as exc:
            raise Unavailable(
                "the store lost the answer to a commit; the outcome is unknown, read before you retry"
            ) from exc

    async def _store(self, batch: Batch) -> None:
        try:
            await self._storage.commit(batch)
        except ExtlinkError:
            raise
        except Exception as exc:
            raise Unavailable("the store failed to commit; the outcome is unknown, read before you retry") from exc


class AsyncTenant:
    """One tenant, for one actor: what operations run on."""

    def __init__(self, hub: AsyncExtLink, call: Call) -> None:
        self._hub = hub
        self._call = call

    @property
    def id(self) -> str:
        """The tenant's id."""
        return self._call.tenant

    def acting_as(self, user: str, *, roles: Iterable[str] = ("user",), address: str | None = None) -> AsyncTenant:
        """Return the same tenant for a person: the host states who it is, what roles they hold, and where they sit.

        Raises:
            InvalidInput: a malformed id or an unknown role.
        """
        return AsyncTenant(self._hub, Call(self._call.tenant, parse_actor(user, roles, address)))

    async def run(
        self, operation: Operation[T], *, idempotency_key: str | None = None, expected: int | None = None
    ) -> T:
        """Carry an operation out and return its result; nothing is half done.

        Args:
            idempotency_key: the caller's name for this command, of their own choice: delivered again under it, also
                after the answer was lost, it has one effect and the first result (`extlink.idempotency`).
            expected: the position of a preview: if anything was decided since, nothing is written.

        Raises:
            Refused: the tenant's state, its rules or the actor's roles refuse it, or it moved on from the expected
                position (`tenant.moved_on`); nothing changed.
            InvalidInput: the operation was built of malformed values; or the key was used for another command, or the
                operation only asks and takes none.
            StorageError: the store failed; nothing changed, or the commit's outcome is unknown and says so.
        """
        if idempotency_key is not None:
            require_operation(operation)
            operation = with_key(operation, idempotency_key)
        if expected is not None:
            require_operation(operation)
            operation = expecting(operation, expected)
        return await self._hub.carry_out(operation, self._call)

    async def preview(
        self,
        operation: Operation[object] | None = None,
        *,
        directory: AsyncDirectory | None = None,
        at: datetime | None = None,
    ) -> Impact:
        """Say what an operation would change, and change nothing; the arguments are those of `previews.preview`.

        Raises:
            InvalidInput: malformed arguments, also those that the operation itself was built of.
            Contention: the tenant moved on during every look; call it again.
            StorageError: the store failed.
        """
        return await self.run(preview(operation, directory=directory, at=at))

    async def follow(self, course: Course[T]) -> T:
        """Carry out the operations of a course, one after another; what was done stays done if it breaks off.

        Raises:
            InvalidInput: no course; anything else is the course's own.
        """
        require_course(course)
        try:
            operation, call = next(course)
            while True:
                try:
                    result = await self._hub.carry_out(operation, call or self._call)
                except ExtlinkError as error:
                    operation, call = course.throw(error)
                else:
                    operation, call = course.send(result)
        except StopIteration as done:
            return cast("T", done.value)

    def __repr__(self) -> str:
        return f"AsyncTenant({self._call.tenant!r})"
