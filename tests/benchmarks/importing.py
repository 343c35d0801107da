"""What `import extlink` costs a program that starts."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.measure import ROUNDS, Batch, compare
from tests.benchmarks.report import Section, at_most, plain

__all__ = ["importing"]

# The interpreter's own start is left out: the import is timed inside, after the modules that both need anyway.
_PROGRAM = "import time; before = time.perf_counter_ns(); import {}; print(time.perf_counter_ns() - before)"


def _nanoseconds(module: str, environment: Mapping[str, str]) -> int:
    program = [sys.executable, "-c", _PROGRAM.format(module)]
    done = subprocess.run(program, capture_output=True, check=True, text=True, env=environment)
    return int(done.stdout)


def _whole(module: str, environment: Mapping[str, str]) -> Batch:
    program = [sys.executable, "-c", f"import {module}"]

    def run() -> int:
        subprocess.run(program, check=True, env=environment)
        return 1

    return run


def importing(folder: Path, rounds: int = 3 * ROUNDS) -> Section:
    """Measure the import of extlink and of attrs, each in a fresh process that finds everything compiled."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    modules = {"extlink": "extlink", "attrs": "attrs", "nothing": "sys"}
    batches = {name: _whole(module, environment) for name, module in modules.items()}
    samples = compare(batches, rounds, waits=True)
    inside = {
        module: statistics.median(_nanoseconds(module, environment) for _ in range(rounds))
        for module in ("extlink", "attrs")
    }
    return Section(
        "`import extlink`",
        "A fresh interpreter that finds everything compiled, imports one thing and ends; and, inside such a one, "
        f"the import alone: extlink {inside['extlink'] / 1e6:.2f} ms, attrs {inside['attrs'] / 1e6:.2f} ms. "
        "extlink's names are loaded when they are first asked for.",
        (
            plain("an interpreter that imports nothing", samples, "nothing"),
            plain("`import attrs`", samples, "attrs"),
            at_most("`import extlink`", samples, "extlink", "attrs", 1.6, "`import attrs`"),
        ),
    )
