"""Measure everything that the design promises about speed; one command.

    uv run --group bench python tests/benchmarks/run.py            print a table (about ten minutes)
    uv run --group bench python tests/benchmarks/run.py --write    and write docs/explanation/performance.md
    uv run --group bench python tests/benchmarks/run.py --smoke    everything once at its smallest size

A missed target is reported, never an error; two answers that differ are one. Peers that are not installed are named so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    # One of the peers installs a package named `tests` of its own; ours is this folder's.
    ours = types.ModuleType("tests")
    ours.__path__ = [str(ROOT / "tests")]
    sys.modules["tests"] = ours

from tests.benchmarks import (
    addresses,
    changing,
    checking,
    datagroups,
    decisions,
    direct,
    endpoints,
    growing,
    importing,
    page,
    pgbench,
    planning,
    postgres,
    previewing,
    reading,
)
from tests.benchmarks.measure import ROUNDS
from tests.benchmarks.report import Section
from tests.benchmarks.world import Size, build

__all__ = ["main"]

PAGE = ROOT / "docs" / "explanation" / "performance.md"
SMALL = Size(users=500, services=8, organizations=60, ranges=40, questions=400)


def _sections(folder: Path, *, smoke: bool) -> Iterator[Callable[[], Section]]:
    size = SMALL if smoke else Size()
    rounds = 2 if smoke else ROUNDS
    world = build(size)
    yield lambda: decisions.against_floor(world, size, rounds)
    yield lambda: decisions.against_engines(world, size, rounds)
    yield lambda: changing.seeing(world, 5 if smoke else 50, rounds)
    yield lambda: decisions.growing(size, rounds)
    counts = (100, 3_000) if smoke else (100, 3_000, 40_000, 100_000)
    yield lambda: addresses.looking_up(counts, 400 if smoke else 10_000, rounds)
    checks = cache(lambda: checking.prepare(folder, 300 if smoke else 100_000, size.ranges))
    yield lambda: checking.checking(folder, checks(), 50 if smoke else 2_000, rounds)
    yield lambda: direct.running(checks(), 50 if smoke else 2_000, rounds)
    yield lambda: growing.growing(folder, (100, 300) if smoke else (10_000, 1_000_000), rounds)
    yield lambda: changing.writing(folder, 5 if smoke else 30, rounds)
    yield lambda: datagroups.verdicts(40 if smoke else 2_000, rounds)
    yield lambda: postgres.on_postgres(16 if smoke else 800, rounds)
    yield lambda: pgbench.beside_pgbench(folder, 16 if smoke else 800, rounds)
    yield lambda: pgbench.writing_one_ledger(folder, 32 if smoke else 320, rounds)
    yield lambda: endpoints.answering(folder, 5 if smoke else 100, rounds)
    yield lambda: importing.importing(folder, 2 if smoke else 3 * ROUNDS)
    yield lambda: planning.planning(*((300, 500, 100) if smoke else (4_338, 40_000, 2_900)), rounds)
    yield lambda: reading.reading(rounds, smoke=smoke)
    yield lambda: previewing.previewing(folder, *((500, 50) if smoke else (100_000, 10_000)), 1 if smoke else 3)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure extlink against a floor and against its peers.")
    parser.add_argument("--smoke", action="store_true", help="everything once, at its smallest size")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    parser.add_argument(
        "--only", default="", help="only sections with this number, counted from 1; several with commas"
    )
    arguments = parser.parse_args()
    wanted = {int(number) for number in arguments.only.split(",") if number}
    done: list[Section] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, section in enumerate(_sections(Path(folder), smoke=arguments.smoke), 1):
            if not wanted or number in wanted:
                done.append(section())
                print("\n".join(page.lines(done[-1])), flush=True)
    if arguments.write:
        PAGE.write_text(page.whole(done), encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
