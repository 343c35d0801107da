"""PostgreSQL stores for tests, each in a schema of its own, synchronous or asynchronous behind a bridge."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
from extlink.adapters.postgres_schema import upgrade
from extlink.ports import Storage
from extlink.testing.blocking import Blocking
from tests import clusters

__all__ = ["COLOURS", "Schemas"]

COLOURS = ("sync", "async")
# A machine opens a store for every example; the server has room for a few at once.
_MOST_OPEN = 4


class Schemas:
    """Open stores on one server: fresh ones, or the same one again.

    Args:
        conninfo: how the stores reach the server, where it is not directly.
    """

    def __init__(self, version: str, colour: str, conninfo: str | None = None) -> None:
        self.cluster = clusters.cluster(version)
        self._conninfo = conninfo or self.cluster.conninfo
        self.colour = colour
        self._same = self.cluster.fresh_name()
        self._closing: deque[Callable[[], None]] = deque()

    def fresh(self) -> Storage:
        """Open a store over new, empty tables."""
        return self.over(self.cluster.fresh_name())

    def again(self) -> Storage:
        """Open the same store as the last call of `again` did."""
        return self.over(self._same)

    def over(self, schema: str, *, connections: int = 10) -> Storage:
        """Open a store over a schema, whose tables are made where they are missing."""
        while len(self._closing) >= _MOST_OPEN:
            self._closing.popleft()()
        upgrade(self.cluster.conninfo, schema=schema)
        # The pool's own threads draw random numbers while they connect, which Hypothesis takes for the test's doing:
        # they are waited for before anything is asked.
        if self.colour == "sync":
            store = PostgresStorage(self._conninfo, schema=schema, connections=connections)
            self._closing.append(store.close)
            store.open()
            store._pool.wait()
            return store
        blocking = Blocking(lambda: self._opened(schema, connections))
        self._closing.append(blocking.close)
        return blocking

    async def fresh_async(self) -> AsyncPostgresStorage:
        """Open an asynchronous store over new, empty tables, where a loop runs."""
        schema = self.cluster.fresh_name()
        upgrade(self.cluster.conninfo, schema=schema)
        return await self._opened(schema, 10)

    def again_async(self) -> AsyncPostgresStorage:
        """Return the asynchronous store over what `again` opens, for `async with`."""
        return AsyncPostgresStorage(self._conninfo, schema=self._same, connections=10)

    async def _opened(self, schema: str, connections: int) -> AsyncPostgresStorage:
        store = AsyncPostgresStorage(self._conninfo, schema=schema, connections=connections)
        await store.open()
        await store._pool.wait()
        return store

    def close(self) -> None:
        """Close all of them."""
        while self._closing:
            self._closing.pop()()
