"""What the tests run in processes of their own, on either store that several processes may share.

A program is told where its store lies (`Place`), and often which one it is: the sound one, or a broken twin of it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from extlink import access, links
from extlink.adapters.system import SystemEntropy
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Conflict, ExtlinkError, Unavailable
from extlink.ports import ABSENT, Batch, Guard, Storage, Version, Write
from extlink.runtime import ExtLink, Tenant
from extlink.testing import FaultyStorage
from extlink.testing.probes import at, batch, look, succeeds
from tests.adapters.places import CONNECTIONS, Place
from tests.adapters.twins import TWINS
from tests.fakes import FrozenClock
from tests.processes import asked, goes_on, say
from tests.schedules.world import ADDRESS, CLIENT, KEYS, PEOPLE, SCOPE, TENANT

__all__ = [
    "HELD",
    "READY",
    "THREADS",
    "add",
    "check",
    "cross",
    "exchange",
    "refresh",
    "tenant_over",
    "work",
    "write",
    "written",
]

T = TypeVar("T")

THREADS = CONNECTIONS
READY = "ready"
HELD = "guards hold"


@contextmanager
def _opened(kind: str, where: str, schema: str, pause: Callable[[], object] = lambda: None) -> Iterator[Storage]:
    with Place(where, schema).open() as store:
        yield TWINS[kind](store, pause)


def tenant_over(store: Storage) -> Tenant:
    """Return the tenant on a hub of this process, which draws what no other one draws."""
    return ExtLink(store, keys=KEYS, directory=PEOPLE, clock=FrozenClock(), entropy=SystemEntropy()).tenant(TENANT)


# Links


def refresh(where: str, schema: str, kind: str) -> None:
    """For each refresh token read: refresh it on eight threads at once, and print what each of them was given.

    A broken twin lets all of them come to the place that matters before one goes on.
    """
    start, pause = (threading.Barrier(THREADS, timeout=60) for _ in range(2))
    with _opened(kind, where, schema, pause.wait) as store, ThreadPoolExecutor(THREADS) as threads:
        tenant = tenant_over(store)

        def contend(token: str) -> str:
            start.wait()
            try:
                answer = tenant.run(links.refresh(Secret(token), client=CLIENT))
            except ExtlinkError as error:
                return type(error).__name__
            return answer.refresh_token.reveal() if isinstance(answer, TokenSet) else type(answer).__name__

        say(READY)
        for token in asked():
            say(" ".join(threads.map(contend, [token] * THREADS)))


def check(where: str, schema: str, kind: str) -> None:
    """For each access token read: print whether a call with it is allowed."""
    with _opened(kind, where, schema) as store:
        tenant = tenant_over(store)
        say(READY)
        for token in asked():
            say(bool(tenant.run(access.check(Secret(token), scope=SCOPE, address=ADDRESS))))


def work(where: str, schema: str, kind: str) -> None:
    """For each line read: begin at its instant, make its calls, and print when each began and ended, and if granted.

    A line is `<begin> <access token> <refresh token> <link> <user> <call> ...`.
    """
    with _opened(kind, where, schema) as store:
        tenant = tenant_over(store)
        say(READY)
        for line in asked():
            begin, token, successor, link, user, *calls = line.split(" ")
            ask: Mapping[str, Callable[[], object]] = {
                "check": partial(tenant.run, access.check(Secret(token), scope=SCOPE, address=ADDRESS)),
                "refresh": partial(tenant.run, links.refresh(Secret(successor), client=CLIENT)),
                "revoke": partial(tenant.acting_as(user).run, links.revoke(link)),
            }
            _wait_until(int(begin))
            say(" ".join([_timed(ask[call]) for call in calls]))


def _wait_until(begin: int) -> None:
    # All who are told the same instant begin together, however the lines that told them came.
    while time.monotonic_ns() < begin:
        pass


def _timed(call: Callable[[], object]) -> str:
    began = time.monotonic_ns()
    answer = call()
    return f"{began}/{time.monotonic_ns()}/{bool(answer):d}"


def exchange(where: str, schema: str, number: str, token: str, keyed: str, call: str = "0", moment: str = "") -> None:
    """Exchange refresh tokens one after another, and print the number of each exchange with the token it gave.

    Args:
        where, schema: the store.
        number, token: what the first exchange presents, and its number: the key it comes with.
        keyed: whether exchanges come with keys at all.
        call, moment: at which call of the store, before or after it took effect, this process kills itself; 0: never.
    """
    done, held = int(number), Secret(token)
    with Place(where, schema).open() as store:
        tenant = tenant_over(_DiesAtACall(store, int(call), moment))
        while goes_on():
            key = f"exchange {done}" if keyed == "keyed" else None
            try:
                tokens = tenant.run(links.refresh(held, client=CLIENT), idempotency_key=key)
            except Unavailable:
                # The server is away, or went away; the same key settles what became of it.
                continue
            assert isinstance(tokens, TokenSet), tokens
            done, held = done + 1, tokens.refresh_token
            say(f"{done} {held.reveal()}")


class _DiesAtACall(FaultyStorage):
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


# Records


def cross(where: str, schema: str, kind: str) -> None:
    """For each line read, `<begin> <mine> <other>`: write the one record if the other is absent; print if and when.

    A broken twin prints that it has read its guards, and waits for a line before it goes on.
    """
    lines = asked()

    def pause() -> None:
        say(HELD)
        next(lines)

    with _opened(kind, where, schema, pause) as store:
        say(READY)
        for line in lines:
            begin, *paths = line.split(" ")
            mine, other = (at(path.encode()) for path in paths)
            one = batch(Write(mine, b"x"), guards=[Guard(other, ABSENT)])
            _wait_until(int(begin))
            say(_timed(partial(succeeds, Conflict, store.commit, one)))


def add(where: str, schema: str, times: str) -> None:
    """Add one to a record, guarded by the version that was read, as often as asked."""
    with Place(where, schema).open() as store:
        left = int(times)
        while left:
            (found,) = look(store, at(b"count"))
            added = Write(at(b"count"), b"%d" % (int(found.value or b"0") + 1))
            if succeeds(Conflict, store.commit, batch(added, guards=[Guard(at(b"count"), found.version)])):
                left -= 1
                say(left)


def write(where: str, schema: str, name: str) -> None:
    """Go on committing batches (`written`), and print the number and the position of each."""
    with Place(where, schema).open() as store:
        (found,) = look(store, at(f"count/{name}".encode()))
        number, version = int(found.value or b"0"), found.version
        while goes_on():
            number += 1
            one = written(name, number, version)
            say(f"{number} {_settled(store, one)}")
            version = one.id


def written(name: str, number: int, version: Version) -> Batch:
    """Return a writer's batch of a number, three writes and two entries; the count had a version before."""
    text = b"%s %d" % (name.encode(), number)
    writes = [Write(at(f"{side}/{name}/{number}".encode()), text) for side in ("left", "right")]
    count = Write(at(f"count/{name}".encode()), b"%d" % number)
    guards = [Guard(count.key, version), *[Guard(one.key, ABSENT) for one in writes]]
    return batch(*writes, count, guards=guards, entries=[text + b" first", text + b" second"])


def _settled(store: Storage, one: Batch) -> int:
    while True:
        try:
            return store.commit(one)
        except Unavailable:
            # The server is away, or went away; the same batch settles what became of it.
            if not goes_on():
                raise
