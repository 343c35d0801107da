"""Removing a tenant from PostgreSQL for good: its records, its ledger, its head; nothing can be asked of it afterwards.

Rules: the tenant's own record goes first, so that every operation is refused from then on (`tenant.not_open`), and one
that is under way conflicts. The rest goes in bounded transactions, in any number of calls: one that broke off is made
again. Each of them locks the head as a commit does and closes the tenant anew, if somebody has opened it meanwhile; the
head goes in the last one, with nothing left behind it. The host's own part is never purged. While anything remains of a
tenant, it is not opened anew (`tenant.incomplete`); afterwards the tokens of the old one name links that are gone.
"""

from __future__ import annotations

from typing import Final

import attrs
import psycopg
from psycopg import Connection, IsolationLevel

from extlink.adapters._postgres import Row, Statements, settings
from extlink.adapters._postgres_errors import wrapped
from extlink.domain.identifier import parse_id
from extlink.domain.tenant import HOST
from extlink.errors import InvalidInput
from extlink.ports import prefix

__all__ = ["Purged", "purge"]

_PATIENCE_SECONDS: Final = 60.0
_BATCH: Final = 1_000
_LOCK: Final = (
    "INSERT INTO {0}.head AS h (tenant, position, floor) VALUES (%b, 0, 0) "
    "ON CONFLICT (tenant) DO UPDATE SET floor = h.floor"
)
_CLOSE: Final = "DELETE FROM {0}.record WHERE tenant = %b AND path = %b"
_RECORDS: Final = (
    "DELETE FROM {0}.record WHERE tenant = %b AND path = ANY "
    "(ARRAY(SELECT path FROM {0}.record WHERE tenant = %b ORDER BY path LIMIT %b))"
)
_ENTRIES: Final = (
    "DELETE FROM {0}.entry WHERE tenant = %b AND position = ANY "
    "(ARRAY(SELECT position FROM {0}.entry WHERE tenant = %b ORDER BY position LIMIT %b))"
)
_HEAD: Final = "DELETE FROM {0}.head WHERE tenant = %b"


@attrs.frozen
class Purged:
    """How many records and ledger entries went."""

    records: int
    entries: int


def purge(conninfo: str, tenant: str, *, schema: str = "extlink") -> Purged:
    """Remove everything of a tenant; purging it twice is no harm.

    Export its ledger first, if you must keep it.

    Raises:
        InvalidInput: no id of a customer's tenant.
        Misconfigured: malformed arguments, or no tables.
        StorageError: the server failed; call it again.

    >>> from extlink.adapters import postgres_schema
    >>> _ = postgres_schema.upgrade("dbname=links")
    >>> purge("dbname=links", "acme")
    Purged(records=0, entries=0)
    """
    name = parse_id(tenant, "tenant")
    if name == HOST:
        raise InvalidInput("tenant", f"expected a customer's id, got {HOST!r}, which stands for the host itself")
    Statements(schema)
    records = entries = 0
    try:
        with Connection[Row].connect(**settings(conninfo, _PATIENCE_SECONDS, 1), prepare_threshold=None) as connection:
            connection.isolation_level = IsolationLevel.READ_COMMITTED
            is_left = True
            while is_left:
                with connection.transaction():
                    some, more = _part(connection, schema, name.encode())
                records, entries = records + some, entries + more
                is_left = some >= _BATCH or more >= _BATCH
    except psycopg.Error as error:
        raise wrapped(error, opening=True) from error
    return Purged(records, entries)


def _part(connection: Connection[Row], schema: str, tenant: bytes) -> tuple[int, int]:
    """Remove some of a tenant, and the head where nothing else is left; return how many records and entries."""

    def removed(statement: str, *parameters: object) -> int:
        return connection.execute(statement.format(schema).encode(), (tenant, *parameters)).rowcount

    # As a commit does: whoever locks the head later finds the tenant gone.
    removed(_LOCK)
    records = removed(_CLOSE, prefix("t")) + removed(_RECORDS, tenant, _BATCH)
    entries = removed(_ENTRIES, tenant, _BATCH)
    if records < _BATCH and entries < _BATCH:
        removed(_HEAD)
    return records, entries
