"""An asynchronous store as a synchronous one, so that the same checks serve both. For tests alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from typing import Self, TypeVar

from extlink.ports import AsyncStorage, Batch, Key, Page, Position, Query, Stored, Version

_T = TypeVar("_T")


class Blocking:
    """Run every call of an asynchronous store on one event loop, which has a thread of its own."""

    def __init__(self, storage: AsyncStorage) -> None:
        self._storage = storage
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="event loop of a test")
        self._thread.start()

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """As `AsyncStorage.read`."""
        return self._run(self._storage.read(keys, known))

    def list(self, query: Query) -> Page:
        """As `AsyncStorage.list`."""
        return self._run(self._storage.list(query))

    def commit(self, batch: Batch) -> Position:
        """As `AsyncStorage.commit`."""
        return self._run(self._storage.commit(batch))

    def close(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _run(self, call: Coroutine[object, object, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()
