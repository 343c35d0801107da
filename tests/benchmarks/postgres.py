"""A check and a commit on PostgreSQL, against the same statements in bare psycopg: one thread, eight, and async."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from extlink import access
from extlink.ports import Batch as StoredBatch, Guard, Key, Version, Write
from extlink.runtime import AsyncExtLink
from extlink.testing.blocking import Blocking
from tests.benchmarks.measure import ROUNDS, Batch, compare
from tests.benchmarks.report import Row, Section, at_most, plain, without
from tests.fakes import NOW, FrozenClock
from tests.schedules.world import ADDRESS, KEYS, PEOPLE, SCOPE, TENANT, connected, prepared

__all__ = ["THREADS", "Measured", "on_postgres"]

THREADS: Final = 8
_LIMIT: Final = 1.4
_TITLE: Final = "A check and a commit on PostgreSQL"
_HOW: Final = (
    "A server of its own on the same machine, reached by a Unix socket. *Check*: `access.check` of a live token, "
    "everything known but asked for anew: the link, then all facts. *Commit*: one record, one guard, one ledger entry, "
    "each thread in a tenant of its own. The bare side sends the same statements with the same parameters, prepared, in "
    "binary form, over one psycopg connection a thread, the commit in a pipeline as ours does; it decides nothing. "
    "Eight threads, or eight tasks of one event loop, do the same number of calls together. Time on the clock."
)
_NOTES: Final = (
    (
        "A check costs one round trip here, since the link's owner and service are known: one statement, which a server "
        "on the same machine answers in less time than the check's Python takes. The processor is handed to the "
        "server and back for every statement, and finds its caches cold: what a check adds took about 100 µs of "
        "the processor in loops of its own parts, and 200 µs between two statements. The bare side has little to find again. So the ratio "
        "is one of this machine's two processors as much as of extlink; by arithmetic, and not measured, a round trip of "
        "0.5 ms brings it to about 1.4."
    ),
)
_Statement = tuple[bytes, Sequence[object] | None]


def _recorded(call: Callable[[], object]) -> list[_Statement]:
    """Return the statements that a call sends."""
    from extlink.adapters import postgres

    seen: list[_Statement] = []
    real = postgres._asked

    def asked(connection: Any, text: bytes, parameters: Sequence[object] | None = None) -> Any:
        seen.append((text, parameters))
        return real(connection, text, parameters)

    postgres._asked = asked
    try:
        call()
    finally:
        postgres._asked = real
    return seen


def _batches(thread: int) -> Callable[[], StoredBatch]:
    """Return a maker of batches for one thread: a record that grows older, guarded by its last version."""
    tenant = b"thread %d" % thread
    numbers = itertools.count(1 + thread * 10**9)
    last = [Version(0)]
    key = Key(tenant, b"a")

    def make() -> StoredBatch:
        one = StoredBatch(
            tenant=tenant,
            id=Version(next(numbers)),
            guards=(Guard(key, last[0]),),
            writes=(Write(key, b"x" * 400),),
            entries=(b"e" * 300,),
            at=NOW,
        )
        last[0] = one.id
        return one

    return make


def _threaded(works: Sequence[Callable[[int], None]], count: int) -> Batch:
    threads = ThreadPoolExecutor(len(works))

    def run() -> int:
        for future in [threads.submit(work, count // len(works)) for work in works]:
            future.result()
        return count

    return run


def _together(blocking: Blocking, works: Sequence[Callable[[int], Awaitable[None]]], count: int) -> Batch:
    async def all_of_them() -> None:
        await asyncio.gather(*[work(count // len(works)) for work in works])

    def run() -> int:
        blocking.run(all_of_them())
        return count

    return run


def on_postgres(count: int, rounds: int = ROUNDS) -> Section:
    """Measure a check and a commit against the same statements in psycopg."""
    from tests import clusters

    if reason := clusters.missing():
        return Section(_TITLE, _HOW, (without("PostgreSQL", reason),))
    server = clusters.cluster(clusters.newest())
    measured = Measured(server.conninfo, server.fresh_name())
    try:
        rows: list[Row] = []
        for name, contenders in measured.contenders(count).items():
            samples = compare(contenders, rounds, waits=True)
            rows.append(plain(f"{name}: the statements alone", samples, "bare"))
            rows.append(at_most(f"{name}: extlink", samples, "ours", "bare", _LIMIT, "the statements"))
    finally:
        measured.close()
    version = f"PostgreSQL {clusters.newest()}, its files in memory where the machine has such a folder."
    return Section(_TITLE, f"{_HOW} {version}", tuple(rows), _NOTES)


class Measured:
    """The stores, the bare connections and what they do."""

    def __init__(self, conninfo: str, schema: str) -> None:
        import psycopg

        from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
        from extlink.adapters.postgres_schema import upgrade

        self.schema = schema
        upgrade(conninfo, schema=schema)
        self.store = PostgresStorage(conninfo, schema=schema, connections=THREADS)
        # Operations draw from a counter there, so that each hub has draws of its own.
        _, self.tenant, _ = prepared(self.store)
        self.check = access.check(connected(self.tenant).access_token, scope=SCOPE, address=ADDRESS)
        assert self.tenant.run(self.check)
        assert self.tenant.run(self.check)
        self.asked = _recorded(lambda: self.tenant.run(self.check))
        self.asynchronous = AsyncPostgresStorage(conninfo, schema=schema, connections=THREADS)
        self.loop = Blocking(lambda: self.asynchronous)
        hub = AsyncExtLink(self.asynchronous, keys=KEYS, directory=_people(), clock=FrozenClock())
        self.async_tenant = hub.tenant(TENANT)
        self.connections = [psycopg.connect(conninfo, autocommit=True) for _ in range(THREADS)]
        self.async_connections = [
            self.loop.run(psycopg.AsyncConnection.connect(conninfo, autocommit=True)) for _ in range(THREADS)
        ]
        self.numbers = itertools.count()

    def close(self) -> None:
        """Close everything."""
        self.store.close()
        for connection in self.connections:
            connection.close()
        for one in self.async_connections:
            self.loop.run(one.close())
        self.loop.close()

    def contenders(self, count: int) -> dict[str, dict[str, Batch]]:
        """Return what is compared, by name."""
        one, many = range(1), range(THREADS)
        return {
            "check, one thread": {
                "bare": _threaded([self._bare_check(number) for number in one], count),
                "ours": _threaded([self._check for _ in one], count),
            },
            "check, eight threads": {
                "bare": _threaded([self._bare_check(number) for number in many], count),
                "ours": _threaded([self._check for _ in many], count),
            },
            "check, eight tasks": {
                "bare": _together(self.loop, [self._async_bare_check(number) for number in many], count),
                "ours": _together(self.loop, [self._async_check for _ in many], count),
            },
            "commit, one thread": {
                "bare": _threaded([self._bare_commit(number) for number in one], count),
                "ours": _threaded([self._commit() for _ in one], count),
            },
            "commit, eight threads": {
                "bare": _threaded([self._bare_commit(number) for number in many], count),
                "ours": _threaded([self._commit() for _ in many], count),
            },
            "commit, eight tasks": {
                "bare": _together(self.loop, [self._async_bare_commit(number) for number in many], count),
                "ours": _together(self.loop, [self._async_commit() for _ in many], count),
            },
        }

    def _check(self, count: int) -> None:
        for _ in range(count):
            self.tenant.run(self.check)

    async def _async_check(self, count: int) -> None:
        for _ in range(count):
            await self.async_tenant.run(self.check)

    def _bare_check(self, number: int) -> Callable[[int], None]:
        connection = self.connections[number]

        def run(count: int) -> None:
            for _ in range(count):
                for text, parameters in self.asked:
                    connection.execute(text, parameters, prepare=True, binary=True).fetchall()

        return run

    def _async_bare_check(self, number: int) -> Callable[[int], Awaitable[None]]:
        connection = self.async_connections[number]

        async def run(count: int) -> None:
            for _ in range(count):
                for text, parameters in self.asked:
                    await (await connection.execute(text, parameters, prepare=True, binary=True)).fetchall()

        return run

    def _commit(self) -> Callable[[int], None]:
        make = _batches(next(self.numbers))

        def run(count: int) -> None:
            for _ in range(count):
                self.store.commit(make())

        return run

    def _async_commit(self) -> Callable[[int], Awaitable[None]]:
        make = _batches(next(self.numbers))

        async def run(count: int) -> None:
            for _ in range(count):
                await self.asynchronous.commit(make())

        return run

    def _planned(self, batch: StoredBatch, position: int) -> tuple[list[_Statement], list[_Statement]]:
        """Return the statements of a commit before its answer and after it."""
        from extlink.adapters._postgres import Verdict

        plan, bracket = self.store._sql.plan(batch), self.store._own
        verdict = Verdict(position, applies=True)  # type: ignore[arg-type]
        begin: list[_Statement] = [(text, None) for text in bracket.begin]
        end: list[_Statement] = [(text, None) for text in bracket.end]
        return [*begin, *plan.asks], [*plan.writes(verdict), *end]

    def _bare_commit(self, number: int) -> Callable[[int], None]:
        make, connection, positions = _batches(next(self.numbers)), self.connections[number], itertools.count(1)

        def run(count: int) -> None:
            for _ in range(count):
                first, last = self._planned(make(), next(positions))
                with connection.pipeline():
                    sent = [connection.execute(*one, prepare=True, binary=True) for one in first]
                    sent[-1].fetchone()
                    for one in last:
                        connection.execute(*one, prepare=True, binary=True)

        return run

    def _async_bare_commit(self, number: int) -> Callable[[int], Awaitable[None]]:
        make, connection, positions = _batches(next(self.numbers)), self.async_connections[number], itertools.count(1)

        async def run(count: int) -> None:
            for _ in range(count):
                first, last = self._planned(make(), next(positions))
                async with connection.pipeline():
                    sent = [await connection.execute(*one, prepare=True, binary=True) for one in first]
                    await sent[-1].fetchone()
                    for one in last:
                        await connection.execute(*one, prepare=True, binary=True)

        return run


def _people() -> Any:
    from extlink.adapters.directory import AsyncInMemoryDirectory

    return AsyncInMemoryDirectory(PEOPLE)
