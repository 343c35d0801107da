"""The kit's scheduler over this world: copies of one store in memory, and the broken twins that it must catch."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs

from extlink.adapters.directory import AsyncInMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.attempt import Attempt
from extlink.ports import Batch, Position, Storage, Version
from extlink.testing import Exploration, NotLinearizable, Run, Worker, linearizable
from extlink.testing.schedules import WorkerEntropy
from tests.schedules.world import KEYS, PEOPLE

__all__ = [
    "Exploration",
    "NoGuardOnAbsence",
    "NotLinearizable",
    "Run",
    "TornReads",
    "Worker",
    "WorkerEntropy",
    "copied",
    "exploration",
    "linearizable",
    "unguarded",
]


def exploration(*, workers: tuple[Worker, ...], storage: MemoryStorage, **parts: Any) -> Exploration:
    """Return all interleavings of some workers over copies of one store."""
    directory = AsyncInMemoryDirectory(PEOPLE)
    return Exploration(workers=workers, prepare=partial(copied, storage), keys=KEYS, directory=directory, **parts)


def copied(storage: Storage, into: MemoryStorage | None = None) -> MemoryStorage:
    """Return an independent copy of a store; the kit's own copies between any two stores, and takes its time."""
    assert isinstance(storage, MemoryStorage)
    copy = MemoryStorage() if into is None else into
    for name, tenant in storage._tenants.items():
        twin = type(tenant)()
        twin.records, twin.order, twin.fresh = dict(tenant.records), list(tenant.order), set(tenant.fresh)
        twin.entries, twin.batches, twin.floor = list(tenant.entries), dict(tenant.batches), tenant.floor
        copy._tenants[name] = twin
    return copy


class WithoutGuards(MemoryStorage):
    """The broken store: it applies a batch whatever was read."""

    def commit(self, batch: Batch) -> Position:
        return super().commit(attrs.evolve(batch, guards=()))


def unguarded(played: Exploration) -> Exploration:
    """Return the same over stores that ignore guards; what runs are compared with comes from sound ones."""
    return attrs.evolve(played, prepare=lambda: copied(played.prepare(), WithoutGuards()), reference=played.prepare)


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
