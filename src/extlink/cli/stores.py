"""Which store a command works on: `--sqlite FILE`, or `--postgres CONNINFO` with `--schema NAME`; and as which hub.

A command needs none of the host's keys: it runs what rests on records alone. Whatever asks for the token rules, or for
people, fails before anything is written.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar, cast

from extlink.adapters.directory import InMemoryDirectory
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.identifier import TenantId
from extlink.errors import InvalidInput, Misconfigured
from extlink.hub import drawn_keys
from extlink.operation import Lookup
from extlink.ports import Storage, TenantList, TenantRemoval
from extlink.runtime import ExtLink

__all__ = ["Keyless", "WholeStore", "add_store", "add_tenants", "opened", "some_tenants"]

T = TypeVar("T")


class WholeStore(Storage, TenantList, TenantRemoval, Protocol):
    """A store, and what can be done with all of it."""


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name the store."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--sqlite", metavar="FILE", type=Path, help="a store in a SQLite file")
    where.add_argument("--postgres", metavar="CONNINFO", help="a PostgreSQL store, as libpq reads it; may be empty")
    parser.add_argument("--schema", metavar="NAME", help="with --postgres: the schema of its tables (extlink)")


def add_tenants(parser: argparse.ArgumentParser, all_of_them: str) -> None:
    """Add the arguments that name tenants: their ids, or `--all`, so that a name that is left out never means all."""
    parser.add_argument("tenants", nargs="*", metavar="TENANT", help="the tenants' ids")
    parser.add_argument("--all", action="store_true", help=all_of_them)


def some_tenants(options: argparse.Namespace, parse: Callable[[str], T]) -> list[T] | None:
    """Return the tenants that were named, each once; None for all.

    Raises:
        InvalidInput: a malformed id, neither names nor `--all`, or both.
    """
    names = [parse(one) for one in dict.fromkeys(options.tenants)]
    if bool(names) == options.all:
        raise InvalidInput("tenant", "expected the ids of some tenants, or --all for every one, and not both")
    return names or None


def opened(options: argparse.Namespace) -> AbstractContextManager[WholeStore]:
    """Return the store that was named, to be used in a `with`.

    Raises:
        InvalidInput: no such file, or psycopg is not installed.
        StorageError: the store cannot be opened.
    """
    if options.sqlite is not None:
        if options.schema is not None:
            raise InvalidInput("schema", "expected it beside --postgres; a file has none")
        _require_file(options.sqlite)
        return SQLiteStorage(options.sqlite)
    try:
        postgres = import_module("extlink.adapters.postgres")
    except ImportError as exc:
        raise InvalidInput("postgres", "expected psycopg to be installed; pip install 'extlink[postgres]'") from exc
    opening = cast("Callable[..., AbstractContextManager[WholeStore]]", postgres.PostgresStorage)
    return opening(options.postgres, schema="extlink" if options.schema is None else options.schema)


def _require_file(path: Path) -> None:
    """Require a file with something in it: opening would make one, and leave an empty store where a name has a slip."""
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or "it is no path"
        raise InvalidInput("sqlite", f"expected a store's file, got {str(path)!a}: {why.lower()}") from exc
    if not path.is_file():
        raise InvalidInput("sqlite", f"expected a store's file, got {str(path)!a}, which is a folder or the like")
    if not size:
        raise InvalidInput("sqlite", f"expected a store's file, got {str(path)!a}, which is empty")


class Keyless(ExtLink):
    """A hub over a store whose keys are not at hand: no key is compared, registered or used.

    >>> from extlink import MemoryStorage, tenants
    >>> hub = Keyless(MemoryStorage())
    >>> _ = hub.open_tenant("acme", edition="JP", products={"kintone"})
    >>> hub.tenant("acme").acting_as("operations", roles={"host"}).run(tenants.end_links("a leak")).epoch
    1
    """

    def __init__(self, storage: Storage) -> None:
        # A hub must have some: these are drawn and never asked for.
        super().__init__(storage, keys=drawn_keys(), directory=InMemoryDirectory())
        self._started = True

    def _token_ledger(self, tenant: TenantId) -> NoReturn:
        raise Misconfigured(f"this needs the host's keys in tenant {tenant[:64]!a}; run it in the application")

    def _lookup(self, step: Lookup[object]) -> NoReturn:
        raise Misconfigured(f"this asks the host's directory ({step.method}); run it in the application")
