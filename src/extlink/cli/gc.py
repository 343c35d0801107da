"""`extlink gc`: clear away what tenants no longer need, of a file or of a PostgreSQL store.

Beside the application, by hand or once a day. What goes and why nobody misses it is told in `extlink.adapters.upkeep`;
the ledger and every epoch stay. Exit code 3: some records could not be read, and were left alone.
"""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import attrs

from extlink.adapters.sqlite import SQLiteStorage
from extlink.adapters.upkeep import Collected, collect
from extlink.cli.report import Report
from extlink.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from extlink.ports import Storage

__all__ = ["add_arguments", "run"]

_INCOMPLETE: Final = 3
_WORDS: Final = (
    ("outcomes", "outcomes of commands"),
    ("marks", "refusal marks"),
    ("uses", "notes of the last use"),
    ("assertions", "seen assertions"),
    ("pieces", "pieces left over"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("tenants", nargs="+", metavar="TENANT", help="the tenants' ids; ~host is the host's own part")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--sqlite", metavar="FILE", type=Path, help="a store in a SQLite file")
    where.add_argument("--postgres", metavar="CONNINFO", help="a PostgreSQL store, as libpq reads it; may be empty")
    parser.add_argument("--schema", default="extlink", metavar="NAME", help="the schema of its tables (extlink)")


def run(options: argparse.Namespace) -> Report:
    """Clear every tenant away that is named, one after the other.

    Raises:
        InvalidInput: no id of a tenant, no such file, or psycopg is not installed.
        StorageError: the store failed; run it again.
    """
    with _opened(options) as storage:
        found = {tenant: collect(storage, tenant) for tenant in options.tenants}
    lines = [line for tenant, one in found.items() for line in _lines(tenant, one)]
    return Report(tuple(lines), _INCOMPLETE if any(one.unreadable for one in found.values()) else 0)


def _lines(tenant: str, found: Collected) -> list[str]:
    counts = attrs.asdict(found)
    said = ", ".join(f"{counts[field]:,} {words}" for field, words in _WORDS if counts[field])
    lines = [f"{tenant}: cleared away {said}" if said else f"{tenant}: nothing to clear away"]
    if found.unreadable:
        lines.append(f"{tenant}: unreadable records left alone: {found.unreadable:,}; look at the last good backup")
    return lines


def _opened(options: argparse.Namespace) -> AbstractContextManager[Storage]:
    if options.sqlite is not None:
        # Opening would make the file: a name with a slip in it must not leave an empty store behind.
        if not options.sqlite.is_file():
            raise InvalidInput("sqlite", f"expected a store's file, got {str(options.sqlite)!a}, which is none")
        return SQLiteStorage(options.sqlite)
    try:
        postgres = import_module("extlink.adapters.postgres")
    except ImportError as exc:
        raise InvalidInput("postgres", "expected psycopg to be installed; pip install 'extlink[postgres]'") from exc
    opening = cast("Callable[..., AbstractContextManager[Storage]]", postgres.PostgresStorage)
    return opening(options.postgres, schema=options.schema)
