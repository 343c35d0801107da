"""`extlink remove-tenant`: remove a tenant from a store for good, its ledger exported first.

Without `--remove-for-good` it says how much there is and changes nothing. The export is a line of JSON for each ledger
entry, the entry as it was written; the tenant is closed before its last line, so that nothing is decided that is not in
it. The file is whole before anything but the tenant's own record goes. What broke off is run again, the export into
another file if the first one is there: that one is complete.

Exit codes: 0 nothing is left of it; 1 nothing was removed, for that was not asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from extlink.adapters.moving import fingerprint
from extlink.adapters.removing import remove_tenant
from extlink.cli.files import write_file
from extlink.cli.report import REFUSED, Lines
from extlink.cli.stores import WholeStore, add_store, opened
from extlink.domain.identifier import TenantId
from extlink.hub import parse_tenant
from extlink.ports import MAX_LIST, Entries, Position
from extlink.records import tenant_key

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("tenant", metavar="TENANT", help="the tenant's id")
    add_store(parser)
    ledger = parser.add_mutually_exclusive_group(required=True)
    ledger.add_argument("--export", metavar="FILE", type=Path, help="a new file for its ledger, a line for each entry")
    ledger.add_argument("--without-export", action="store_true", help="its ledger is lost as well")
    parser.add_argument("--remove-for-good", action="store_true", help="do it; without it, only say what would go")


def run(options: argparse.Namespace) -> Lines:
    """Say how much there is of a tenant, export its ledger and remove it.

    Raises:
        InvalidInput: no id of a customer's tenant, no such file, one for the export that exists or cannot be written,
            or psycopg is not installed.
        StorageError: the store failed; run it again.
    """
    tenant = parse_tenant(options.tenant)
    with opened(options) as storage:
        found = fingerprint(storage, tenant)
        is_there = bool(found.records or found.entries)
        yield f"{tenant}: {found.records:,} records, {found.entries:,} ledger entries"
        if not options.remove_for_good:
            yield "nothing was removed; name --remove-for-good" if is_there else "nothing is stored of this tenant"
            return REFUSED
        if options.export is not None and is_there:
            yield "its ledger is being written, and at its end the tenant is closed: if this breaks off, run it again"
            since = _since(storage, tenant)
            write_file(options.export, _closing_ledger(storage, tenant), overwrite=False, option="--export")
            yield f"its ledger is in {options.export}{since}"
        # Also where nothing is left: the last run may have left the log of a file.
        remove_tenant(storage, tenant)
    yield f"{tenant}: removed; backups have it still" if is_there else "nothing is stored of this tenant"
    return 0


def _since(storage: WholeStore, tenant: TenantId) -> str:
    """Return a warning where a ledger's first part has gone: only an earlier export has it."""
    items = storage.list(Entries(tenant.encode(), Position(0), 1)).items
    number = int.from_bytes(items[0].key.path) if items else 1
    return "" if number == 1 else f", from entry {number:,} on; the run before has exported those before it: keep both"


def _closing_ledger(storage: WholeStore, tenant: TenantId) -> Iterator[bytes]:
    """Yield the ledger as lines of JSON; where it seems to end, close the tenant, and yield what came before that."""
    place = tenant_key(tenant).key
    number = 0
    for is_closed in (False, True):
        if is_closed:
            storage.remove_part(place.tenant, place.path, 0)
        items = storage.list(Entries(place.tenant, Position(number), MAX_LIST)).items
        while items:
            for item in items:
                number = int.from_bytes(item.key.path)
                yield b'{"entry":%b,"number":%d}\n' % (item.value or b"null", number)
            items = storage.list(Entries(place.tenant, Position(number), MAX_LIST)).items
