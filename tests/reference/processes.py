"""Run a comparing program in several processes of their own, which no tracer slows down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.reference.differential import Summary

__all__ = ["PROCESSES", "run_all"]

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = max(2, os.cpu_count() or 1)


def _run(program: Sequence[str]) -> Summary:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-m", *program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stderr)
    return Summary(**json.loads(done.stdout))


def run_all(programs: Sequence[Sequence[str]]) -> Summary:
    """Return what all the programs together came to; each is a module's name with its arguments."""
    with ThreadPoolExecutor(PROCESSES) as pool:
        parts = list(pool.map(_run, programs))
    return Summary(
        sum(part.cases for part in parts),
        sum(part.allowed for part in parts),
        [difference for part in parts for difference in part.differences],
    )
