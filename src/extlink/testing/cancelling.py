"""Checks of asynchronous stores alone: a task may be cancelled at any `await`, and nothing is half done.

The promise is the same that a crash has: the batch is there wholly or not at all, and committing it once more settles
which. A connection that was cancelled inside of a commit must not serve another call.
"""

from __future__ import annotations

import asyncio

from extlink.ports import ABSENT, AsyncStorage, Batch, Guard, Write
from extlink.testing.blocking import Blocking
from extlink.testing.probes import at, batch, expect, ledger, put, values

__all__: list[str] = []

# A commit over a network awaits a dozen times; where it is over sooner, cancelling comes too late and changes nothing.
MOMENTS = 24


async def _cancelled(store: AsyncStorage, one: Batch, moment: int) -> None:
    """Begin a commit, let the loop turn a few times, cancel it, and wait until it is over."""
    task = asyncio.ensure_future(store.commit(one))
    for _ in range(moment):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def check_a_cancelled_commit_is_whole_or_absent(store: Blocking) -> None:
    """Cancelled at any await, a batch is there with all its writes and entries, or with none, and later calls work."""
    done = 0
    for moment in range(MOMENTS):
        left, right = at(b"left/%d" % moment), at(b"right/%d" % moment)
        guards = [Guard(left, ABSENT), Guard(right, ABSENT)]
        one = batch(Write(left, b"x"), Write(right, b"x"), guards=guards, entries=[b"1", b"2"])
        store.run(_cancelled(store.storage, one, moment))
        found = values(store, left, right)
        expect(found[:1] * 2, found, f"both writes of a commit that was cancelled at moment {moment}")
        done += found == [b"x", b"x"]
        expect(2 * done, len(ledger(store)), f"entries after a commit that was cancelled at moment {moment}")


def check_a_cancelled_commit_is_settled_by_committing_again(store: Blocking) -> None:
    """Whatever became of it, the same batch once more is applied exactly once."""
    for moment in range(MOMENTS):
        key = at(b"%d" % moment)
        one = batch(Write(key, b"x"), guards=[Guard(key, ABSENT)])
        store.run(_cancelled(store.storage, one, moment))
        expect(moment + 1, store.commit(one), f"the position after a commit that was cancelled at moment {moment}")
        expect([b"x"], values(store, key), "its write")
    expect(MOMENTS, len(ledger(store)), "entries")


def check_a_cancelled_read_disturbs_no_other(store: Blocking) -> None:
    """After a read was cancelled at any await, the next answers are the ones that were asked for."""
    keys = [at(b"%d" % number) for number in range(4)]
    for key in keys:
        put(store, key, key.path)

    async def cancelled(moment: int) -> None:
        task = asyncio.ensure_future(store.storage.read(keys[:2], {}))
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for moment in range(MOMENTS):
        store.run(cancelled(moment))
        expect([b"2", b"3"], values(store, *keys[2:]), f"a read after one that was cancelled at moment {moment}")
