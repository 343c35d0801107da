"""`extlink gc`: clear away what tenants no longer need, of a file or of a PostgreSQL store.

Beside the application, by hand or once a day. What goes and why nobody misses it is told in `extlink.adapters.upkeep`;
the ledger and every epoch stay. Exit code 3: some records could not be read, and were left alone; or the store has no
tenant at all, and is hardly the one that was meant.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from itertools import chain
from typing import Final

import attrs

from extlink.adapters.listing import tenants_of
from extlink.adapters.upkeep import Collected, collect
from extlink.cli.report import Lines
from extlink.cli.stores import WholeStore, add_store, add_tenants, opened, some_tenants
from extlink.domain.identifier import parse_id
from extlink.domain.tenant import HOST
from extlink.errors import CorruptRecord, InvalidInput

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
    add_tenants(parser, "every tenant of the store, and ~host, the host's own part")
    add_store(parser)


def run(options: argparse.Namespace) -> Lines:
    """Clear every tenant away that is named, or all of them, one after the other.

    Raises:
        InvalidInput: no id of a tenant, none at all, no such file, or psycopg is not installed.
        StorageError: the store failed; run it again.
    """
    chosen = some_tenants(options, lambda one: parse_id(one, "tenant"))
    code = count = 0
    with opened(options) as storage:
        for tenant in _everyone(storage) if chosen is None else chosen:
            found, lines = _collected(storage, tenant)
            yield from lines
            code = code if found else _INCOMPLETE
            count += tenant != HOST or chosen is not None
    if not count:
        yield "the store has no tenants"
    return code if count else _INCOMPLETE


def _everyone(storage: WholeStore) -> Iterable[str]:
    return chain([HOST], tenants_of(storage))


def _collected(storage: WholeStore, tenant: str) -> tuple[bool, list[str]]:
    """Clear one tenant away; return whether everything of it could be read, and what is to be told."""
    try:
        found = collect(storage, tenant)
    except (InvalidInput, CorruptRecord) as error:
        # Damage; the others have nothing to do with it.
        return False, [f"{tenant}: left alone: {error}"]
    return not found.unreadable, _lines(tenant, found)


def _lines(tenant: str, found: Collected) -> list[str]:
    counts = attrs.asdict(found)
    said = ", ".join(f"{counts[field]:,} {words}" for field, words in _WORDS if counts[field])
    lines = [f"{tenant}: cleared away {said}" if said else f"{tenant}: nothing to clear away"]
    if found.unreadable:
        lines.append(f"{tenant}: unreadable records left alone: {found.unreadable:,}; look at the last good backup")
    return lines
