"""An asynchronous store as a synchronous one, so that the same checks serve both colours.

Rule: every call, the opening and the closing of the store run on one event loop, which has a thread of its own; calls
from several threads are tasks of that loop, side by side.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Self, TypeVar

from extlink.ports import AsyncStorage, Batch, Key, Page, Position, Query, Stored, Version

__all__ = ["Blocking", "OpenAsyncStore"]

_T = TypeVar("_T")
OpenAsyncStore = Callable[[], AsyncStorage | Awaitable[AsyncStorage]]


class Blocking:
    """Run every call of an asynchronous store on one event loop.

    Close it, or use it as a context manager: that closes the store too, if it has `aclose`, and ends the loop.

    Args:
        open_store: opens the store, called where a loop runs; a coroutine function may await.

    >>> from extlink import MemoryStorage, ThreadedStorage
    >>> with Blocking(lambda: ThreadedStorage(MemoryStorage())) as store:
    ...     store.read([Key(b"acme", b"t")], {})
    [Stored(key=Key(tenant=b'acme', path=b't'), version=0, value=None)]
    """

    def __init__(self, open_store: OpenAsyncStore) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="event loop of a check")
        self._thread.start()
        try:
            self._storage = self.run(_opened(open_store))
        except BaseException:
            self._stop()
            raise

    @property
    def storage(self) -> AsyncStorage:
        """The store itself; only coroutines that `run` runs may call it."""
        return self._storage

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """As `AsyncStorage.read`."""
        return self.run(self._storage.read(keys, known))

    def list(self, query: Query) -> Page:
        """As `AsyncStorage.list`."""
        return self.run(self._storage.list(query))

    def commit(self, batch: Batch) -> Position:
        """As `AsyncStorage.commit`."""
        return self.run(self._storage.commit(batch))

    def run(self, call: Coroutine[object, object, _T]) -> _T:
        """Return what a coroutine comes to on the loop of the store."""
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()

    def close(self) -> None:
        """Close the store and end the loop; twice is once."""
        if not self._loop.is_closed():
            try:
                self.run(_closed(self._storage))
            finally:
                self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _opened(open_store: OpenAsyncStore) -> AsyncStorage:
    store = open_store()
    return await store if inspect.isawaitable(store) else store


async def _closed(store: AsyncStorage) -> None:
    close = getattr(store, "aclose", None)
    if close is not None:
        await close()
