"""Stores that are wrong only where others write beside them: the broken twins of the tests with several processes.

Rule: nothing is left to luck. Where an order of events matters, a twin stops at the place that matters (`pause`) until
the test lets it go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import attrs

from extlink.adapters import _sqlite
from extlink.adapters._bounds import conflict
from extlink.adapters.sqlite import SQLiteStorage
from extlink.ports import Batch, Key, Page, Position, Query, Storage, Stored, Version

__all__ = ["TWINS"]

Pause = Callable[[], object]


@attrs.frozen
class _Over:
    """A store over another one."""

    storage: Storage
    pause: Pause

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return self.storage.read(keys, known)

    def list(self, query: Query) -> Page:
        return self.storage.list(query)

    def commit(self, batch: Batch) -> Position:
        return self.storage.commit(batch)


@attrs.frozen
class _Lagging(_Over):
    """Answers what it saw since it last wrote, as a cache, or a replica that hears of no other writer."""

    kept: dict[Key, Stored] = attrs.field(factory=dict)

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        found = [self.kept.setdefault(one.key, one) for one in self.storage.read(keys, {})]
        return [one._replace(value=None) if one.version == known.get(one.key) else one for one in found]

    def commit(self, batch: Batch) -> Position:
        self.kept.clear()
        return self.storage.commit(batch)


@attrs.frozen
class _GuardsFirst(_Over):
    """Reads the guards, and locks the tenant's head only then."""

    def commit(self, batch: Batch) -> Position:
        found = self.storage.read([guard.key for guard in batch.guards], {})
        for guard, one in zip(batch.guards, found, strict=True):
            if guard.version != one.version:
                raise conflict(guard.key)
        self.pause()
        return self.storage.commit(attrs.evolve(batch, guards=()))


def _deaf(storage: Storage, _: Pause) -> Storage:
    """Hear of no change of the file: what a connection once saw is taken for what is there."""
    setattr(_sqlite.Connection, "changes", lambda _: 1)  # noqa: B010 - type checkers refuse a method to be replaced
    return storage


def _deferred(storage: Storage, pause: Pause) -> Storage:
    """Begin DEFERRED: a transaction reads first, and may not write any more once another one has committed."""
    assert isinstance(storage, SQLiteStorage)
    connections = storage._connections

    @contextmanager
    def transaction() -> Iterator[_sqlite.Connection]:
        with connections.lend() as connection:
            connection.forget()
            connection.execute("BEGIN DEFERRED")
            connection.execute("SELECT count(*) FROM head").fetchall()
            pause()
            yield connection
            connection.execute("COMMIT")

    setattr(connections, "transaction", transaction)  # noqa: B010 - as above
    return storage


TWINS: Mapping[str, Callable[[Storage, Pause], Storage]] = {
    "sound": lambda storage, _: storage,
    "lagging": _Lagging,
    "guards first": _GuardsFirst,
    "deaf": _deaf,
    "deferred": _deferred,
}
