"""Removing a tenant from a store for good: its records, its ledger, its head; nothing can be asked of it afterwards.

Rules
    The tenant's own record goes first, so that every operation is refused from then on (`tenant.not_open`), and one
    that is under way conflicts. The rest goes in bounded transactions, in any number of calls: one that broke off is
    made again. Each of them closes the tenant anew, if somebody has opened it meanwhile; the head goes in the last one,
    with nothing left behind it. The host's own part is never removed. While anything remains of a tenant, it is not
    opened anew (`tenant.incomplete`); afterwards the tokens of the old one name links that are gone.

What remains on the disk
    SQLite      `secure_delete` overwrites what is deleted, and the last part cuts the log to nothing. Remnants of rows
                can stay in the unused parts of pages that others share, until the pages are written again: `VACUUM`,
                while nobody writes, makes the file anew without them, and smaller.
    PostgreSQL  Old rows stay in the tables until a vacuum, and their bytes until the space is used again (`VACUUM FULL`
                makes the tables anew); the write-ahead log and its archive have them as long as they are kept.
    Backups, standbys, exports and copies of the file have everything as they have it; they end by your own rules.
"""

from __future__ import annotations

from typing import Final

from extlink.adapters._beside import removable, removable_async
from extlink.domain.identifier import parse_id
from extlink.domain.tenant import HOST
from extlink.errors import InvalidInput
from extlink.ports import AsyncTenantRemoval, Removed, TenantRemoval, prefix

__all__ = ["remove_tenant", "remove_tenant_async"]

_PART: Final = 1_000
# Where a tenant's own record lies: `records.tenant_key`.
_OWN: Final = prefix("t")
_NOTHING: Final = Removed(0, 0)


def remove_tenant(storage: TenantRemoval, tenant: str) -> Removed:
    """Remove everything of a tenant and return how much went; removing it twice is no harm.

    Export its ledger first, if you must keep it: `extlink remove-tenant --export` does both.

    Args:
        storage: any of extlink's own stores, or another one that has `remove_part`.

    Raises:
        InvalidInput: no id of a customer's tenant.
        Misconfigured: a store that cannot do it.
        StorageError: the store failed; call it again. `Contention` at the end: everything went, but the log of a SQLite
            file could not be emptied, for somebody was reading; call it again.

    >>> from extlink import MemoryStorage
    >>> remove_tenant(MemoryStorage(), "acme")
    Removed(records=0, entries=0)
    """
    able, name = removable(storage), _customer(tenant)
    total, part = _NOTHING, None
    while part is None or _is_more(part):
        part = able.remove_part(name, _OWN, _PART)
        total = _sum(total, part)
    return total


async def remove_tenant_async(storage: AsyncTenantRemoval, tenant: str) -> Removed:
    """Do the same as `remove_tenant` for a host on asyncio.

    >>> import asyncio
    >>> from extlink import MemoryStorage, ThreadedStorage
    >>> async def main():
    ...     async with ThreadedStorage(MemoryStorage()) as storage:
    ...         return await remove_tenant_async(storage, "acme")
    >>> asyncio.run(main())
    Removed(records=0, entries=0)
    """
    able, name = removable_async(storage), _customer(tenant)
    total, part = _NOTHING, None
    while part is None or _is_more(part):
        part = await able.remove_part(name, _OWN, _PART)
        total = _sum(total, part)
    return total


def _customer(tenant: object) -> bytes:
    name = parse_id(tenant, "tenant")
    if name == HOST:
        raise InvalidInput("tenant", f"expected a customer's id, got {HOST!r}, which stands for the host itself")
    return name.encode()


def _is_more(part: Removed) -> bool:
    return max(part) >= _PART


def _sum(one: Removed, other: Removed) -> Removed:
    return Removed(one.records + other.records, one.entries + other.entries)
