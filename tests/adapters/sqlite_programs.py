"""What the tests run in processes of their own on SQLite alone: files that are opened at once, and forks."""

from __future__ import annotations

import os
import threading
from functools import partial

from extlink.adapters import _sqlite
from extlink.adapters.sqlite import SQLiteStorage
from extlink.testing.probes import at, put, values
from tests.processes import asked, goes_on, say

__all__ = ["busy", "fork", "fork_under_load", "open_all"]


def open_all() -> None:
    """Open each file of which a line tells the path, write once and close it."""
    say("here")
    for path in asked():
        with SQLiteStorage(path, timeout=60) as store:
            put(store, at(b"%d" % os.getpid()), b"x")
        say("done")


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
    # Each closes the other's end, so that neither waits for one that is gone.
    if child == 0:
        os.close(to_child[1])
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
    os.close(to_parent[1])
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
            while not stop.is_set() and goes_on():
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


def busy(path: str) -> None:
    """Write in a tenant of its own, so that whoever else commits has company; print nothing but the first."""
    with SQLiteStorage(path, timeout=60) as store:
        put(store, at(b"busy", b"busy"), b"x")
        say("busy")
        # SQLite has no queue of writers: without a pause nobody else would get a turn.
        while goes_on(0.005):
            put(store, at(b"busy", b"busy"), b"x")
