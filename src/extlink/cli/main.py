"""Arguments in, a report out; every command is a function of its arguments that returns lines and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Final

from extlink.cli.changes import add_arguments as changes_arguments, run as run_changes
from extlink.cli.gc import add_arguments as gc_arguments, run as run_gc
from extlink.cli.plan import add_arguments as plan_arguments, run as run_plan
from extlink.cli.report import Report
from extlink.cli.schema import add_arguments as schema_arguments, run as run_schema
from extlink.errors import ExtlinkError

__all__ = ["main", "parser"]

_Add = Callable[[argparse.ArgumentParser], None]
_Run = Callable[[argparse.Namespace], Report]
_COMMANDS: Final[tuple[tuple[str, str, _Add, _Run], ...]] = (
    ("plan", "write the CSV to upload, so that a service's addresses are allowed", plan_arguments, run_plan),
    ("changes", "say what changed in a newer file, and what the list lacks today", changes_arguments, run_changes),
    ("schema", "look after the tables of a PostgreSQL store", schema_arguments, run_schema),
    ("gc", "clear away what tenants no longer need", gc_arguments, run_gc),
)
WRONG: Final = 2
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
    try:
        report: Report = options.run(options)
    except ExtlinkError as error:
        sys.stderr.write(f"extlink {options.command}: {error}\n")
        return WRONG
    # A console that cannot show a letter shows its number; the report is not lost for it.
    encoding = sys.stdout.encoding or "utf-8"
    for line in report.lines:
        sys.stdout.write(_harmless(line).encode(encoding, "backslashreplace").decode(encoding) + "\n")
    return report.code


def _harmless(line: str) -> str:
    r"""Return a line without what a terminal would obey: names in a file are anybody's words.

    >>> print(_harmless("Pub\x1b[31mlic"))
    Pub\x1b[31mlic
    """
    return "".join(one if one.isprintable() or one == _WIDE_BLANK else ascii(one)[1:-1] for one in line)
