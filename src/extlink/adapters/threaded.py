"""Any synchronous store or directory for hosts on asyncio, carried by one worker thread.

Rules
    One call at a time, in the order in which they were made, whatever event loop they came from.

    A task may be cancelled at any `await`. A call that has not started then never starts; one that has started is
    finished by the worker, and only its answer is lost. So a cancelled commit is applied wholly or not at all; every
    later call through the same object is answered after it, and the same batch committed again settles which it was.

    The worker starts at the first call, and again in a child process after a fork. What is carried stays its owner's:
    `aclose` ends the worker and closes nothing else.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from extlink.adapters._beside import listed, removable
from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.identifier import UserId
from extlink.errors import Unavailable
from extlink.ports import (
    MAX_LIST,
    Batch,
    Directory,
    Key,
    Page,
    Position,
    Query,
    Removed,
    Storage,
    Stored,
    Version,
)

__all__ = ["ThreadedDirectory", "ThreadedStorage"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Worker:
    """One thread that calls functions in order."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._process = os.getpid()
        self._closed = False

    async def call(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Return what the function returns when the worker calls it."""
        import asyncio  # noqa: PLC0415 - synchronous hosts never load it

        # The caller's context variables travel along, as with asyncio.to_thread: hosts keep trace ids in them.
        context = contextvars.copy_context()
        return await asyncio.wrap_future(self._submit(lambda: context.run(function, *args, **kwargs)))

    async def aclose(self) -> None:
        """Finish what was asked for and end the thread."""
        import asyncio  # noqa: PLC0415 - as above

        with self._lock:
            self._closed = True
            executor, self._executor = self._executor, None
        if executor is not None and self._process == os.getpid():
            last = executor.submit(lambda: None)
            executor.shutdown(wait=False)
            await asyncio.wrap_future(last)
            # Nothing is left to call: this waits no longer than the thread takes to leave.
            executor.shutdown(wait=True)

    def _submit(self, function: Callable[[], _T]) -> Future[_T]:
        with self._lock:
            if self._closed:
                raise Unavailable(f"{self._name} was closed; make a new one")
            if self._executor is None or self._process != os.getpid():
                # A fork leaves the parent's thread behind.
                self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)
                self._process = os.getpid()
            return self._executor.submit(function)


class _Carried:
    """What both adapters share: the worker and how it ends."""

    def __init__(self, name: str) -> None:
        self._worker = _Worker(name)

    async def aclose(self) -> None:
        """Finish the calls under way and end the worker; later calls raise `Unavailable`."""
        await self._worker.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()


class ThreadedStorage(_Carried):
    """Carry a synchronous store for an asynchronous host (`AsyncStorage`), and what it can do beside the contract.

    >>> import asyncio
    >>> from extlink.adapters.memory import MemoryStorage
    >>> from extlink.ports import key
    >>> async def main():
    ...     async with ThreadedStorage(MemoryStorage()) as store:
    ...         return [stored.version for stored in await store.read([key("acme", "t")], {})]
    >>> asyncio.run(main())
    [0]
    """

    def __init__(self, storage: Storage) -> None:
        super().__init__("extlink-storage")
        self._storage = storage

    async def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """As `Storage.read`, on the worker."""
        return await self._worker.call(self._storage.read, keys, known)

    async def list(self, query: Query) -> Page:
        """As `Storage.list`, on the worker."""
        return await self._worker.call(self._storage.list, query)

    async def commit(self, batch: Batch) -> Position:
        """As `Storage.commit`, on the worker; cancelled, it is applied wholly or not at all."""
        return await self._worker.call(self._storage.commit, batch)

    async def tenants(self, after: bytes = b"", limit: int = MAX_LIST) -> Sequence[bytes]:
        """As `TenantList.tenants`, on the worker.

        Raises:
            Misconfigured: the store that is carried cannot say it.
        """
        return await self._worker.call(listed(self._storage).tenants, after, limit)

    async def remove_part(self, tenant: bytes, first: bytes, limit: int) -> Removed:
        """As `TenantRemoval.remove_part`, on the worker.

        Raises:
            Misconfigured: the store that is carried cannot do it.
        """
        return await self._worker.call(removable(self._storage).remove_part, tenant, first, limit)


class ThreadedDirectory(_Carried):
    """Carry a synchronous directory for an asynchronous host (`AsyncDirectory`), on a worker thread of its own.

    >>> import asyncio
    >>> from extlink.adapters.directory import InMemoryDirectory
    >>> people = InMemoryDirectory()
    >>> _ = people.add_user("sato", display_name="Sato Noboru")
    >>> async def name() -> str:
    ...     directory = ThreadedDirectory(people)
    ...     member = await directory.member(UserId("sato"))
    ...     await directory.aclose()
    ...     return "nobody" if member is None else member.display_name
    >>> asyncio.run(name())
    'Sato Noboru'
    """

    def __init__(self, directory: Directory) -> None:
        super().__init__("extlink-directory")
        self._directory = directory

    async def member(self, user: UserId) -> Member | None:
        """As `Directory.member`, on the worker."""
        return await self._worker.call(self._directory.member, user)

    async def get(self, users: Sequence[UserId]) -> Sequence[Member]:
        """As `Directory.get`, on the worker."""
        return await self._worker.call(self._directory.get, users)

    async def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        """As `Directory.page`, on the worker."""
        return await self._worker.call(self._directory.page, query, after, limit)

    async def organizations(self) -> Sequence[Organization]:
        """As `Directory.organizations`, on the worker."""
        return await self._worker.call(self._directory.organizations)
