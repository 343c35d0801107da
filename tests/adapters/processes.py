"""Programs of the tests in processes of their own, which are told a line and answer one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["Process", "running"]

_ROOT = Path(__file__).resolve().parent.parent.parent


class Process:
    """A program of ours that answers line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def output(self) -> IO[str]:
        """Everything that it has printed and nobody has read."""
        assert self._process.stdout is not None
        return self._process.stdout

    def tell(self, line: str) -> None:
        """Send it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """Wait for its next line."""
        return self.output.readline().strip()

    def ask(self, line: str) -> str:
        """Send it a line and wait for its answer."""
        self.tell(line)
        return self.hear()

    def kill(self) -> list[str]:
        """End it and return what it had printed."""
        self._process.kill()
        return self.output.readlines()


@contextmanager
def running(module: str, program: str, *arguments: object) -> Iterator[Process]:
    """Run a program of a module for a while."""
    command = [sys.executable, "-m", f"tests.adapters.{module}", program, *map(str, arguments)]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Process(process)
        finally:
            process.kill()
