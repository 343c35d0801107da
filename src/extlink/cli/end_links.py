"""`extlink end-links`: after a restore from a backup, end every link of every tenant of a store.

Nobody may be served meanwhile. It needs no keys. Each tenant is told as soon as it is done, so that whoever reads knows
how far a run came that was killed; run it again, then: what was done is done once more, which harms nobody.
Exit code 3: in some tenants it could not be done, and the last lines say in which, and why; or the store has none.
"""

from __future__ import annotations

import argparse
from typing import Final

from extlink.adapters.listing import tenants_of
from extlink.cli.report import Lines
from extlink.cli.stores import Keyless, add_store, add_tenants, opened, some_tenants
from extlink.errors import InvalidInput
from extlink.hub import parse_tenant
from extlink.restored import end_all_links

__all__ = ["add_arguments", "run"]

_INCOMPLETE: Final = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_tenants(parser, "every tenant of the store")
    add_store(parser)
    parser.add_argument("--cause", required=True, metavar="TEXT", help="what each ledger keeps as the reason")
    parser.add_argument(
        "--as",
        dest="user",
        default="operations",
        metavar="USER",
        help="who does it, as the ledgers name it (operations)",
    )


def run(options: argparse.Namespace) -> Lines:
    """End the links tenant by tenant, each told when it is done, and state at last what came of it.

    Raises:
        InvalidInput: a malformed id, cause or user, no tenants named, no such file, or psycopg is not installed;
            nothing has ended.
        Unavailable: the store is away; run it again.
    """
    chosen = some_tenants(options, parse_tenant)
    if not options.cause.strip():
        raise InvalidInput("cause", "expected why, for whoever reads the ledgers, such as the backup that was restored")
    with opened(options) as storage:
        hub = Keyless(storage)
        # Before the first tenant: a cause or a user that is malformed fails in every one of them alike.
        end_all_links(hub, (), options.cause, user=options.user)
        count, failed = 0, list[tuple[str, str]]()
        for tenant in tenants_of(storage) if chosen is None else chosen:
            ended = end_all_links(hub, [tenant], options.cause, user=options.user)
            yield f"{tenant}: every link has ended" if ended else f"{tenant}: failed"
            count += ended.tenants
            failed += ended.failed
    yield f"tenants: {count + len(failed):,}; every link has ended in {count:,}, failed in {len(failed):,}"
    yield from (f"failed in {tenant}: {why}" for tenant, why in failed)
    # A store without a tenant is hardly the one that was meant.
    return _INCOMPLETE if failed or not count else 0
