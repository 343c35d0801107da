"""`extlink schema`: the tables of a PostgreSQL store - which files it has, apply the others, verify, print them.

What does it needs the extra `postgres`, so it is imported when it is asked for.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING, cast

from extlink.cli.report import Report
from extlink.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from extlink.adapters._schema_cli import Answer

__all__ = ["add_arguments", "run"]

_VERBS = ("status", "upgrade", "verify", "sql")
_PHASES = ("pre", "post", "all")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("verb", choices=_VERBS, help="what to do")
    parser.add_argument(
        "conninfo", nargs="?", default="", help="as libpq reads it; the rest comes from PGHOST and others"
    )
    parser.add_argument("--schema", default="extlink", metavar="NAME", help="the schema of the tables (extlink)")
    parser.add_argument("--phase", choices=_PHASES, default="all", help="of an upgrade without stopping (all)")


def run(options: argparse.Namespace) -> Report:
    """Carry one verb out.

    Raises:
        InvalidInput: psycopg is not installed.
    """
    try:
        schema = import_module("extlink.adapters._schema_cli")
    except ImportError as exc:
        raise InvalidInput("schema", "expected psycopg to be installed; pip install 'extlink[postgres]'") from exc
    carry_out = cast("Callable[..., Answer]", schema.run)
    answer = carry_out(options.verb, options.conninfo, schema=options.schema, phase=options.phase)
    return Report(tuple(answer.text.splitlines()), int(answer.code))
