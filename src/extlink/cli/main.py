"""Arguments in, a report out; every command is a function of its arguments that returns lines and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from extlink.cli.changes import add_arguments as changes_arguments, run as run_changes
from extlink.cli.end_links import add_arguments as end_links_arguments, run as run_end_links
from extlink.cli.gc import add_arguments as gc_arguments, run as run_gc
from extlink.cli.plan import add_arguments as plan_arguments, run as run_plan
from extlink.cli.remove_tenant import add_arguments as remove_tenant_arguments, run as run_remove_tenant
from extlink.cli.report import Lines, Report
from extlink.cli.schema import add_arguments as schema_arguments, run as run_schema
from extlink.errors import ExtlinkError

__all__ = ["main", "parser"]

_Add = Callable[[argparse.ArgumentParser], None]
_Run = Callable[[argparse.Namespace], Report | Lines]
_COMMANDS: Final[tuple[tuple[str, str, _Add, _Run], ...]] = (
    ("plan", "write the CSV to upload, so that a service's addresses are allowed", plan_arguments, run_plan),
    ("changes", "say what changed in a newer file, and what the list lacks today", changes_arguments, run_changes),
    ("schema", "look after the tables of a PostgreSQL store", schema_arguments, run_schema),
    ("gc", "clear away what tenants no longer need", gc_arguments, run_gc),
    ("end-links", "end every link of a store that was restored from a backup", end_links_arguments, run_end_links),
    ("remove-tenant", "remove a tenant from a store for good", remove_tenant_arguments, run_remove_tenant),
)
WRONG: Final = 2
# As a shell says of a process that SIGINT ended.
INTERRUPTED: Final = 130
# Python counts no blank but the plain one as printable; the Japanese and Chinese reports indent with this one.
_WIDE_BLANK: Final = "\u3000"


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands.

    >>> parser().parse_args(["plan", "--service-tags", "ServiceTags_Public_20250120.json"]).edition
    'JP'
    """
    found = argparse.ArgumentParser(prog="extlink", description="Govern external service integrations.")
    commands = found.add_subparsers(dest="command", required=True, metavar="command")
    for name, purpose, add_arguments, run in _COMMANDS:
        command = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        add_arguments(command)
        command.set_defaults(run=run)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; what it says goes to standard output, what is wrong to standard error.

    Args:
        arguments: without the program's name; None: those that the process was started with.
    """
    options = parser().parse_args(arguments)
    lines = _lines(options)
    try:
        while True:
            _say(next(lines))
    except StopIteration as done:
        return int(done.value)
    except ExtlinkError as error:
        sys.stderr.write(f"extlink {options.command}: {error}\n")
        return WRONG
    except KeyboardInterrupt:
        sys.stderr.write(f"extlink {options.command}: interrupted; what was done is done, run it again\n")
        return INTERRUPTED


def _say(line: str) -> None:
    """Print a line at once, so that whoever ends a long command knows what it did."""
    # A console that cannot show a letter shows its number; the report is not lost for it.
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(_harmless(line).encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody listens any more, as behind `| head`; what was begun is not left half done for that.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _lines(options: argparse.Namespace) -> Lines:
    """Yield what a command says, when it says it, and return its exit code."""
    said: Report | Lines = options.run(options)
    if not isinstance(said, Report):
        return (yield from said)
    yield from said.lines
    return said.code


def _harmless(line: str) -> str:
    r"""Return a line without what a terminal would obey: names in a file are anybody's words.

    >>> print(_harmless("Pub\x1b[31mlic"))
    Pub\x1b[31mlic
    """
    return "".join(one if one.isprintable() or one == _WIDE_BLANK else ascii(one)[1:-1] for one in line)
