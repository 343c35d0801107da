"""What the tests run in processes of their own on PostgreSQL: `python -m tests.adapters.postgres_programs NAME ...`."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from extlink import access, links
from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.system import SystemEntropy
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Conflict, Unavailable
from extlink.ports import ABSENT, Batch, Guard, Storage, Version, Write
from extlink.runtime import ExtLink, Tenant
from extlink.testing.probes import at, batch, look, succeeds
from tests.fakes import FrozenClock
from tests.schedules.world import ADDRESS, CLIENT, KEYS, PEOPLE, SCOPE, TENANT

THREADS = 8


def say(text: str) -> None:
    """Print a line so that a reader has it before this process does anything else."""
    os.write(1, f"{text}\n".encode())


def _tenant(store: Storage) -> Tenant:
    hub = ExtLink(store, keys=KEYS, directory=PEOPLE, clock=FrozenClock(), entropy=SystemEntropy())
    return hub.tenant(TENANT)


def _asked() -> Iterator[str]:
    for line in sys.stdin:
        yield line.strip()


def refresh_all(store: Storage) -> None:
    """For each refresh token read: refresh it on eight threads at once, and print what each of them was given."""
    tenant = _tenant(store)
    start = threading.Barrier(THREADS)

    def contend(token: str) -> str:
        start.wait()
        answer = tenant.run(links.refresh(Secret(token), client=CLIENT))
        return answer.refresh_token.reveal() if isinstance(answer, TokenSet) else str(answer)

    with ThreadPoolExecutor(THREADS) as threads:
        say("ready")
        for token in _asked():
            say(" ".join(threads.map(contend, [token] * THREADS)))


def check_all(store: Storage) -> None:
    """For each access token read: print whether a call with it is allowed."""
    tenant = _tenant(store)
    say("ready")
    for token in _asked():
        say(str(bool(tenant.run(access.check(Secret(token), scope=SCOPE, address=ADDRESS)))))


def refresh(conninfo: str, schema: str) -> None:
    """Let eight threads refresh each token that is read."""
    with PostgresStorage(conninfo, schema=schema, timeout=60, connections=THREADS) as store:
        refresh_all(store)


def check(conninfo: str, schema: str) -> None:
    """Check each token that is read."""
    with PostgresStorage(conninfo, schema=schema) as store:
        check_all(store)


def commit_for_ever(conninfo: str, schema: str, name: str) -> None:
    """Commit batches of three writes and two entries, print each position; a batch whose outcome is unknown, again."""
    with PostgresStorage(conninfo, schema=schema, timeout=30, connections=2) as store:
        number, version = 0, ABSENT
        while True:
            number += 1
            version = _committed(store, name.encode(), number, version)


def _committed(store: PostgresStorage, name: bytes, number: int, version: Version) -> Version:
    text = b"%s %d" % (name, number)
    writes = [Write(at(b"%s/%s/%d" % (side, name, number)), text) for side in (b"left", b"right")]
    count = Write(at(b"count/" + name), b"%d" % number)
    guards = [Guard(count.key, version), *[Guard(write.key, ABSENT) for write in writes]]
    one = batch(*writes, count, guards=guards, entries=[text + b" first", text + b" second"])
    position = _settled(store, one)
    say(f"{number} {position}")
    return one.id


def _settled(store: PostgresStorage, one: Batch) -> int:
    while True:
        try:
            return store.commit(one)
        except Unavailable:
            # The server is away, or went away; the same batch settles what became of it.
            continue


def add(conninfo: str, schema: str, times: str) -> None:
    """Add one to a record, guarded by the version that was read, as often as asked."""
    with PostgresStorage(conninfo, schema=schema, timeout=60) as store:
        left = int(times)
        while left:
            (found,) = look(store, at(b"count"))
            added = Write(at(b"count"), b"%d" % (int(found.value or b"0") + 1))
            if succeeds(Conflict, store.commit, batch(added, guards=[Guard(at(b"count"), found.version)])):
                left -= 1


if __name__ == "__main__":
    {each.__name__: each for each in (refresh, check, commit_for_ever, add)}[sys.argv[1]](*sys.argv[2:])
