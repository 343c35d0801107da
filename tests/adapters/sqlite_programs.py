"""Small programs on one SQLite store, for tests that need several processes (`python -m`).

Each prints one line for every commit that was acknowledged, at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import NoReturn, TypeVar

from extlink import links
from extlink.adapters import _sqlite
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Conflict
from extlink.ports import ABSENT, Guard, Storage, Write
from extlink.runtime import ExtLink
from extlink.testing import FaultyStorage, FrozenClock
from extlink.testing.probes import at, batch, look, put, succeeds, values
from tests.adapters.postgres_programs import check_all, refresh_all
from tests.schedules.world import CLIENT, KEYS, PEOPLE, TENANT

T = TypeVar("T")


def say(number: int) -> None:
    """Print a number so that a reader has it before this process does anything else."""
    os.write(1, b"%d\n" % number)


def commit_for_ever(path: str) -> None:
    """Commit batches of three writes and two entries, one after the other, and print each position."""
    with SQLiteStorage(path) as store:
        while True:
            (found,) = look(store, at(b"count"))
            count = int(found.value or b"0") + 1
            writes = [Write(at(b"%s/%d" % (side, count)), b"%d" % count) for side in (b"left", b"right")]
            guards = [Guard(at(b"count"), found.version), *[Guard(write.key, ABSENT) for write in writes]]
            entries = [b"%d first" % count, b"%d second" % count]
            say(store.commit(batch(*writes, Write(at(b"count"), b"%d" % count), guards=guards, entries=entries)))


def add(path: str, times: str) -> None:
    """Add one to a record, guarded by the version that was read, as often as asked."""
    with SQLiteStorage(path, timeout=60) as store:
        left = int(times)
        while left:
            (found,) = look(store, at(b"count"))
            added = Write(at(b"count"), b"%d" % (int(found.value or b"0") + 1))
            if succeeds(Conflict, store.commit, batch(added, guards=[Guard(at(b"count"), found.version)])):
                left -= 1
                say(left)


def open_it(path: str) -> None:
    """Wait for a line, open the store, write once and close it."""
    say(0)
    sys.stdin.readline()
    with SQLiteStorage(path, timeout=60) as store:
        put(store, at(b"%d" % os.getpid()), b"x")
    say(1)


def fork(path: str, guarded: str) -> None:
    """Fork with an open store; the child commits before and after the parent closes; each says what was acknowledged.

    Without the hooks the child believes in locks that it does not hold.
    """
    store = SQLiteStorage(path)
    if guarded == "without hooks":
        _sqlite._STORES.clear()
    put(store, at(b"parent"), b"x")
    to_child, to_parent = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        mine = SQLiteStorage(path)
        put(mine, at(b"child"), b"x")
        os.write(to_parent[1], b".")
        os.read(to_child[0], 1)
        for number in range(10):
            put(mine, at(b"child/%d" % number), b"x")
            say(number)
        os.write(to_parent[1], b".")
        os.read(to_child[0], 1)
        os._exit(0)
    os.read(to_parent[0], 1)
    store.close()
    os.write(to_child[1], b".")
    os.read(to_parent[0], 1)
    with SQLiteStorage(path) as again:
        say(sum(value == b"x" for value in values(again, *[at(b"child/%d" % number) for number in range(10)])))
    os.write(to_child[1], b".")
    os.waitpid(child, 0)


def fork_under_load(path: str) -> None:
    """Fork while threads read and write; parent and children go on, and no lock stays behind."""
    with SQLiteStorage(path) as store:
        stop = threading.Event()

        def work(number: int) -> None:
            while not stop.is_set():
                put(store, at(b"thread %d" % number), b"x")
                values(store, at(b"a"))

        threads = [threading.Thread(target=partial(work, number)) for number in range(3)]
        for thread in threads:
            thread.start()
        for number in range(5):
            child = os.fork()
            if child == 0:
                put(store, at(b"child %d" % number), b"x")
                os._exit(0)
            say(os.waitpid(child, 0)[1])
        stop.set()
        for thread in threads:
            thread.join()
        say(sum(value == b"x" for value in values(store, *[at(b"child %d" % number) for number in range(5)])))


def nursery(path: str) -> None:
    """Fork a child for every line, `<number> <token> <keyed> <call> <moment>`, and say which and when it is dead.

    A process that has imported everything and opened nothing: its children are there at once, and are killed.
    """
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            refresh_for_ever(path, *line.split())
        os.write(1, b"child %d\n" % child)
        os.waitpid(child, 0)
        os.write(1, b"dead\n")


def refresh_for_ever(path: str, number: str, token: str, keyed: str, call: str, moment: str) -> NoReturn:
    """Exchange refresh tokens one after another, and print the number of each exchange with the token it gave.

    Args:
        number, token: what the first exchange presents, and its number: the key it comes with.
        keyed: whether exchanges come with keys at all.
        call, moment: at which call of the store, before or after it took effect, this process kills itself; 0: never.
    """
    done, held = int(number), Secret(token)
    with SQLiteStorage(path, timeout=60) as store:
        dying = DiesAtACall(store, int(call), moment)
        hub = ExtLink(dying, keys=KEYS, directory=PEOPLE, clock=FrozenClock())
        while True:
            key = f"exchange {done}" if keyed == "keyed" else None
            tokens = hub.tenant(TENANT).run(links.refresh(held, client=CLIENT), idempotency_key=key)
            if not isinstance(tokens, TokenSet):
                os._exit(1)
            done, held = done + 1, tokens.refresh_token
            os.write(1, b"%d %s\n" % (done, held.reveal().encode()))


class DiesAtACall(FaultyStorage):
    """Kills its own process at a call: no exception, no clean-up."""

    def __init__(self, inner: Storage, call: int, moment: str) -> None:
        super().__init__(inner)
        self._left = call
        self._moment = moment

    def _call(self, call: Callable[[], T]) -> T:
        self._left -= 1
        if self._left == 0 and self._moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = call()
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def write_for_ever(path: str) -> None:
    """Write in a tenant of its own, so that whoever else commits has company; print nothing but the first."""
    with SQLiteStorage(path, timeout=60) as store:
        put(store, at(b"busy", b"busy"), b"x")
        say(0)
        while True:
            put(store, at(b"busy", b"busy"), b"x")
            # SQLite has no queue of writers: without a pause nobody else would get a turn.
            time.sleep(0.005)


def refresh(path: str) -> None:
    """Let eight threads refresh each token that is read."""
    with SQLiteStorage(path, timeout=60) as store:
        refresh_all(store)


def check(path: str) -> None:
    """Check each token that is read."""
    with SQLiteStorage(path) as store:
        check_all(store)


def check_deaf(path: str) -> None:
    """Do the same over connections that never hear of a change of the file."""
    setattr(_sqlite.Connection, "changes", lambda _: 1)  # noqa: B010 - type checkers refuse a method to be replaced
    check(path)


if __name__ == "__main__":
    programs = (
        commit_for_ever,
        add,
        open_it,
        fork,
        fork_under_load,
        nursery,
        write_for_ever,
        refresh,
        check,
        check_deaf,
    )
    {each.__name__: each for each in programs}[sys.argv[1]](*sys.argv[2:])
