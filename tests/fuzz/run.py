"""Fuzz every target with atheris, guided by coverage, for a bounded time; one command.

    uv run --group fuzz python tests/fuzz/run.py                     20,000 inputs a target, about a minute in all
    uv run --group fuzz python tests/fuzz/run.py --runs 1000000 aws  longer, one target or several

Each target has a process of its own, since libFuzzer ends the one it runs in. It begins with the seeds of the corpus
and keeps nothing: an input that fails is printed, so that it can become a test. A broken twin goes first; where it is
not found, the fuzzing is at fault and nothing it says counts.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

__all__ = ["main"]

TWIN = "broken"
MODULE = "tests.fuzz.targets"
LONGEST = 4_096
# An input that takes this many seconds, or this many megabytes, is a failure as well.
LIMITS = ("-timeout=10", "-rss_limit_mb=1024")


def _fuzz(name: str, options: list[str]) -> None:
    """Fuzz one target in this process, which ends with it."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["extlink", MODULE]):
        targets = importlib.import_module(MODULE)
    target = targets.broken if name == TWIN else targets.TARGETS[name]
    atheris.Setup([sys.argv[0], *options], lambda data: targets.survive(target, data))
    atheris.Fuzz()


def _run(name: str, runs: int, seconds: int) -> subprocess.CompletedProcess[str]:
    """Fuzz one target in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        grown = Path(scratch) / "corpus"
        grown.mkdir()
        seeds = [str(folder) for folder in [ROOT / "tests" / "fuzz" / "corpus" / name] if folder.is_dir()]
        options = [f"-runs={runs}", f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-seed=1", *LIMITS]
        command = [sys.executable, __file__, "--in-process", name, *options]
        return subprocess.run(
            [*command, f"-artifact_prefix={scratch}/", str(grown), *seeds],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            cwd=ROOT,
        )


def main() -> int:
    """Run what the command line asks for; 1 if anything failed."""
    parser = argparse.ArgumentParser(description="Fuzz what reads from outside.")
    parser.add_argument("targets", nargs="*", help="only these")
    parser.add_argument("--runs", type=int, default=20_000, help="inputs a target")
    parser.add_argument("--seconds", type=int, default=60, help="at most so long a target")
    asked = parser.parse_args()
    names = asked.targets or sorted(importlib.import_module(MODULE).TARGETS)
    failed = []
    for name in [TWIN, *names]:
        started = time.monotonic()
        done = _run(name, asked.runs, asked.seconds)
        found = done.returncode != 0
        print(f"{name}: {'failed' if found else 'no failure'}, {time.monotonic() - started:.1f} s", flush=True)
        if found != (name == TWIN):
            print(done.stdout[-4_000:], flush=True)
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else f"nothing found in {len(names)} targets, but the broken twin")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-process"]:
        _fuzz(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
