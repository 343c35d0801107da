"""What `import extlink` costs a program that starts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from tests.benchmarks.measure import ROUNDS, Batch, compare
from tests.benchmarks.report import Section, at_most, plain

__all__ = ["importing"]

# The interpreter's own start is left out: the import is timed inside, after the modules that both need anyway.
_PROGRAM = "import time; before = time.perf_counter_ns(); import {}; print(time.perf_counter_ns() - before)"


def _nanoseconds(module: str) -> int:
    program = [sys.executable, "-c", _PROGRAM.format(module)]
    return int(subprocess.run(program, capture_output=True, check=True, text=True).stdout)


def _whole(module: str) -> Batch:
    program = [sys.executable, "-c", f"import {module}"]

    def run() -> int:
        subprocess.run(program, check=True)
        return 1

    return run


def importing(rounds: int = 3 * ROUNDS) -> Section:
    """Measure the import of extlink and of attrs, each in a fresh process."""
    clock: Callable[[str], Batch] = _whole
    samples = compare(
        {"extlink": clock("extlink"), "attrs": clock("attrs"), "nothing": clock("sys")}, rounds, waits=True
    )
    inside = {
        module: sorted(_nanoseconds(module) for _ in range(rounds))[rounds // 2] for module in ("extlink", "attrs")
    }
    return Section(
        "`import extlink`",
        "A fresh interpreter that imports one thing and ends; and, inside such a one, the import alone: "
        f"extlink {inside['extlink'] / 1e6:.2f} ms, attrs {inside['attrs'] / 1e6:.2f} ms.",
        (
            plain("an interpreter that imports nothing", samples, "nothing"),
            plain("`import attrs`", samples, "attrs"),
            at_most("`import extlink`", samples, "extlink", "attrs", 1.6, "`import attrs`"),
        ),
    )
