"""PostgreSQL's own benchmark beside ours, and 32 writers of one tenant's ledger."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from extlink.ports import ABSENT, Batch as StoredBatch, Entries, Guard, Key, Position, Storage, Version, Write
from tests import clusters
from tests.benchmarks.measure import ROUNDS, Batch, Sample, Samples, compare
from tests.benchmarks.postgres import THREADS, Measured
from tests.benchmarks.report import Row, Section, at_most, plain, without
from tests.fakes import NOW

__all__ = ["beside_pgbench", "find_pgbench", "writing_one_ledger"]

_WRITERS: Final = 32
_LATENCY: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_TITLE: Final = "PostgreSQL, beside pgbench"
_LEDGER: Final = f"{_WRITERS} writers of one tenant's ledger"


def find_pgbench() -> Path | None:
    """Return the newest pgbench among the servers that are installed; a wheel may come without one."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *clusters.VERSIONS.values()]
    found = [folder / "pgbench" for folder in folders if (folder / "pgbench").is_file()]
    return max(found, key=_version) if found else None


def _version(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"\d+", said)
    return int(number[0]) if number else 0


def _literal(value: object) -> str:
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    if isinstance(value, list):
        kind = "bytea" if value and isinstance(value[0], bytes) else "bigint"
        return f"ARRAY[{', '.join(map(_literal, value))}]::{kind}[]"
    return str(value)


def _script(text: bytes, parameters: Sequence[object]) -> str:
    """Return a statement as pgbench takes it: on one line, its parameters written out."""
    parts = iter(map(_literal, parameters))
    return re.sub(r"%b(?:::bigint\[\]|::bytea\[\])?", lambda _: next(parts), text.decode()) + ";"


_COMMIT: Final = r"""
\set id random(1, 9000000000000000000)
\startpipeline
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL lock_timeout = 10000;
INSERT INTO {schema}.head AS h (tenant, position, floor) VALUES (convert_to('pgbench ' || :client_id, 'UTF8'), 0, 1) ON CONFLICT (tenant) DO UPDATE SET floor = greatest(h.floor, excluded.floor) RETURNING position;
SELECT max(position) FROM {schema}.entry WHERE tenant = convert_to('pgbench ' || :client_id, 'UTF8') AND batch = :id;
SELECT path, version FROM {schema}.record WHERE tenant = convert_to('pgbench ' || :client_id, 'UTF8') AND path = ANY (ARRAY['a'::bytea]);
\endpipeline
\startpipeline
INSERT INTO {schema}.record (tenant, path, version, value) VALUES (convert_to('pgbench ' || :client_id, 'UTF8'), 'a', :id, convert_to(repeat('x', 400), 'UTF8')) ON CONFLICT (tenant, path) DO UPDATE SET version = excluded.version, value = excluded.value;
WITH n AS (UPDATE {schema}.head SET position = position + 1 WHERE tenant = convert_to('pgbench ' || :client_id, 'UTF8') RETURNING tenant, position) INSERT INTO {schema}.entry (tenant, position, batch, body) SELECT tenant, position, :id, convert_to(repeat('e', 300), 'UTF8') FROM n;
COMMIT;
\endpipeline
"""


class _Bench:
    """pgbench over one script; what it says of a run is its throughput, connecting left out."""

    def __init__(self, program: Path, conninfo: str, folder: Path, name: str, script: str) -> None:
        self._program = program
        self._conninfo = conninfo
        self._script = folder / f"{name}.sql"
        self._script.write_text(script, encoding="utf-8")

    def nanoseconds(self, count: int, clients: int) -> float:
        """Return how long a transaction took, all clients together."""
        done = subprocess.run(
            [
                *(self._program, "-n", "-M", "prepared", "-f", self._script, "-c", str(clients)),
                *("-j", str(min(clients, os.cpu_count() or 1)), "-t", str(max(1, count // clients)), self._conninfo),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        found = _LATENCY.search(done.stdout)
        if found is None:
            raise SystemExit(f"pgbench said nothing of its throughput: {done.stdout}")
        return 1e9 / float(found[1])


def _compared(ours: Batch, bench: _Bench, count: int, clients: int, rounds: int) -> Samples:
    """Return what both took, in turns; pgbench tells its own time, so that its start does not count."""
    mine: list[float] = []
    theirs: list[float] = []
    ours()
    for number in range(rounds):
        for turn in (0, 1):
            if turn == number % 2:
                before = time.perf_counter_ns()
                done = ours()
                mine.append((time.perf_counter_ns() - before) / done)
            else:
                theirs.append(bench.nanoseconds(count, clients))
    return Samples({"ours": Sample(tuple(mine)), "pgbench": Sample(tuple(theirs))})


def beside_pgbench(folder: Path, count: int, rounds: int = ROUNDS) -> Section:
    """Measure checks and commits beside pgbench, which sends the same statements and does nothing else."""
    how = (
        "`pgbench -M prepared` sends what extlink sends - for a check one SELECT, for a commit two pipelines in one "
        "transaction - with the parameters written into the text; it decodes and decides nothing and is written in C. "
        "Both ask one server, in turns; a time is that of all clients together, and pgbench tells its own."
    )
    program = find_pgbench()
    if reason := clusters.missing():
        return Section(_TITLE, how, (without("PostgreSQL", reason),))
    if program is None:
        return Section(_TITLE, how, (without("pgbench", "no such program: apt-get install postgresql"),))
    server = clusters.cluster(clusters.newest())
    measured = Measured(server.conninfo, server.fresh_name())
    rows: list[Row] = []
    try:
        ((text, parameters),) = measured.asked
        scripts = {"check": _script(text, parameters or ()), "commit": _COMMIT.format(schema=measured.schema)}
        contenders = measured.contenders(count)
        for clients, name in ((1, "one thread"), (THREADS, "eight threads")):
            for what, script in scripts.items():
                bench = _Bench(program, server.conninfo, folder, what, script)
                samples = _compared(contenders[f"{what}, {name}"]["ours"], bench, count, clients, rounds)
                rows.append(plain(f"{what}, {name}: pgbench", samples, "pgbench"))
                rows.append(at_most(f"{what}, {name}: extlink", samples, "ours", "pgbench", None, "pgbench"))
    finally:
        measured.close()
    return Section(_TITLE, f"{how} pgbench {_version(program)}, PostgreSQL {clusters.newest()}.", tuple(rows))


def _writers(storage: Storage, tenant: bytes, count: int, writers: int, ids: itertools.count[int]) -> Batch:
    """Return a batch of commits to one tenant by so many threads, each of a record of its own and one entry."""

    def write(number: int) -> None:
        key, last = Key(tenant, b"writer %d" % number), ABSENT
        ((_, last, _),) = storage.read([key], {})
        for _ in range(count // writers):
            one = Version(next(ids))
            storage.commit(
                StoredBatch(
                    tenant=tenant,
                    id=one,
                    guards=(Guard(key, last),),
                    writes=(Write(key, b"x" * 400),),
                    entries=(b"e" * 300,),
                    at=NOW,
                )
            )
            last = one

    threads = ThreadPoolExecutor(writers)

    def run() -> int:
        for done in [threads.submit(write, number) for number in range(writers)]:
            done.result()
        return count // writers * writers

    return run


def _require_one_line(storage: Storage, tenant: bytes, commits: int) -> None:
    """Require that a ledger has every commit once, numbered without a gap.

    Raises:
        AssertionError: it forked, or lost one.
    """
    batches: set[int] = set()
    position = Position(0)
    while True:
        page = storage.list(Entries(tenant, position, 1_000))
        for number, entry in enumerate(page.items, position + 1):
            assert int.from_bytes(entry.key.path, "big") == number
            batches.add(entry.version)
        position = Position(position + len(page.items))
        if not page.more:
            break
    assert commits == position == len(batches)


def writing_one_ledger(folder: Path, count: int, rounds: int = ROUNDS) -> Section:
    """Measure commits of 32 writers to one tenant against those of one writer, and look at the ledger they leave."""
    from extlink.adapters.sqlite import SQLiteStorage

    how = (
        f"{_WRITERS} threads commit to one tenant, each a record of its own with a guard and one ledger entry; the store "
        "lets one after the other have the tenant's head. Beside it one thread, to a tenant of its own. After all "
        "rounds the ledger is read from end to end: every commit is in it once, the numbers have no gap. Time on the "
        "clock, for one commit, all writers together."
    )
    rows: list[Row] = []
    with SQLiteStorage(folder / "ledger.db", timeout=60) as store:
        rows.extend(_contended("SQLite, synchronous=FULL", store, count, rounds))
    if reason := clusters.missing():
        rows.append(without("PostgreSQL", reason))
    else:
        rows.extend(_on_postgres(count, rounds))
    return Section(_LEDGER, how, tuple(rows))


def _on_postgres(count: int, rounds: int) -> Sequence[Row]:
    from extlink.adapters.postgres import PostgresStorage
    from extlink.adapters.postgres_schema import upgrade

    server = clusters.cluster(clusters.newest())
    schema = server.fresh_name()
    upgrade(server.conninfo, schema=schema)
    with PostgresStorage(server.conninfo, schema=schema, timeout=60, connections=_WRITERS) as store:
        return _contended(f"PostgreSQL {clusters.newest()}", store, count, rounds)


def _contended(where: str, store: Storage, count: int, rounds: int) -> Sequence[Row]:
    ids = itertools.count(1)
    alone, crowd = b"alone", b"crowd"
    made: dict[bytes, int] = {alone: 0, crowd: 0}

    def counted(tenant: bytes, batch: Batch) -> Callable[[], int]:
        def run() -> int:
            done = batch()
            made[tenant] += done
            return done

        return run

    samples = compare(
        {
            "one": counted(alone, _writers(store, alone, count, 1, ids)),
            "many": counted(crowd, _writers(store, crowd, count, _WRITERS, ids)),
        },
        rounds,
        waits=True,
    )
    for tenant, commits in made.items():
        _require_one_line(store, tenant, commits)
    what = f"{where}: {_WRITERS} writers, {made[crowd]:,} commits, no fork"
    return (plain(f"{where}: one writer", samples, "one"), at_most(what, samples, "many", "one", None, "one writer"))
