"""Programs of the tests in processes of their own, which are told lines and answer lines: both ends of it.

A program is a function of a module of the tests, whose arguments are texts. It ends by itself when its test is gone: no
more lines come, an answer that nobody can hear raises, and one that works on unasked looks whether it `goes_on`.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

__all__ = ["Nursery", "Process", "Program", "asked", "goes_on", "nursing", "running", "say"]

_ROOT = Path(__file__).resolve().parent.parent
_DEAD = "dead"
Program = Callable[..., object]


# The test's end


class Process:
    """A program that runs."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._input, self._output = process.stdin.fileno(), process.stdout.fileno()
        self._read = b""

    def tell(self, line: str) -> None:
        """Send it a line."""
        os.write(self._input, f"{line}\n".encode())

    def hear(self) -> str:
        """Wait for its next line."""
        while b"\n" not in self._read:
            assert self._reads(), f"{self._process.args!r} ended without an answer"
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def ask(self, line: str) -> str:
        """Send it a line and wait for its answer."""
        self.tell(line)
        return self.hear()

    def heard(self) -> list[str]:
        """Return the lines that it has printed and nobody has read, without waiting for more."""
        while select.select([self._output], [], [], 0)[0] and self._reads():
            pass
        *lines, self._read = self._read.split(b"\n")
        return [line.decode() for line in lines]

    def kill(self) -> list[str]:
        """End it, and return the lines that nobody has read; a torn one is none."""
        self._process.kill()
        return self._last()

    def finish(self) -> list[str]:
        """Let it come to its end, which must be a good one, and return the lines that nobody has read."""
        lines = self._last()
        assert 0 == self._process.wait()
        return lines

    def _last(self) -> list[str]:
        while self._reads():
            pass
        return self.heard()

    def _reads(self) -> bool:
        more = os.read(self._output, 1 << 16)
        self._read += more
        return bool(more)


@contextmanager
def running(program: Program, *arguments: object) -> Iterator[Process]:
    """Run a program for a while."""
    command = [sys.executable, "-m", __name__, program.__module__, program.__name__, *map(str, arguments)]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            yield Process(process)
        finally:
            process.kill()


class Nursery:
    """A process whose children play a program: there at once, for everything is imported, and killed as one likes."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def let_die(self, hear: Callable[[str], None], *words: object, after: int, spin: int) -> bool:
        """Let a child play, kill it some answers later, and hand on all that it said; False if it had ended before."""
        child = self._begun(words)
        for _ in range(after):
            line = self._process.hear()
            if line == _DEAD:
                return False
            hear(line)
        for _ in range(spin):
            pass
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        # What it had printed before it died counts as well.
        self._rest(hear)
        return True

    def let_end(self, hear: Callable[[str], None], *words: object) -> None:
        """Let a child play to its end, and hand on all that it said."""
        self._begun(words)
        self._rest(hear)

    def _begun(self, words: tuple[object, ...]) -> int:
        return int(self._process.ask("\t".join(map(str, words))))

    def _rest(self, hear: Callable[[str], None]) -> None:
        while (line := self._process.hear()) != _DEAD:
            hear(line)


@contextmanager
def nursing(program: Program) -> Iterator[Nursery]:
    """Run a nursery of a program for a while."""
    with running(_nurse, program.__module__, program.__name__) as process:
        yield Nursery(process)


# The program's end


def say(text: object) -> None:
    """Print a line so that a reader has it before this process does anything else."""
    os.write(1, f"{text}\n".encode())


def asked() -> Iterator[str]:
    """Wait for each line that the test sends, until there will be no more."""
    for line in sys.stdin:
        yield line.rstrip("\n")


def goes_on(seconds: float = 0.0) -> bool:
    """Return whether the test is still there, and give it so much time to go."""
    return not select.select([0], [], [], seconds)[0]


def _nurse(module: str, name: str) -> None:
    """Fork a child for every line, which plays a program with its words; say its number, and when it is dead."""
    program: Program = getattr(import_module(module), name)
    for line in asked():
        child = os.fork()
        if child == 0:
            program(*line.split("\t"))
            os._exit(0)
        say(child)
        os.waitpid(child, 0)
        say(_DEAD)


if __name__ == "__main__":
    getattr(import_module(sys.argv[1]), sys.argv[2])(*sys.argv[3:])
