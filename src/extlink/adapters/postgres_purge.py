"""Removing a tenant from PostgreSQL for good: its records, its ledger, its head; nothing can be asked of it afterwards.

Rules: the tenant's own record goes first, so that every operation is refused from then on (`tenant.not_open`), and one
that is under way conflicts. The rest goes in bounded transactions, in any number of calls: one that broke off is made
again. The host's own part is never purged. Tokens of a purged tenant name links that are gone; they stay dead if a
tenant of that name is opened anew.
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
_LOCK: Final = "UPDATE {0}.head SET floor = floor WHERE tenant = %b"
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
    key = name.encode()
    Statements(schema)
    try:
        with Connection[Row].connect(**settings(conninfo, _PATIENCE_SECONDS, 1)) as connection:
            connection.isolation_level = IsolationLevel.READ_COMMITTED
            with connection.transaction():
                # As a commit does: whoever locks the head later finds the tenant gone.
                connection.execute(_LOCK.format(schema).encode(), (key,))
                records = connection.execute(_CLOSE.format(schema).encode(), (key, prefix("t"))).rowcount
            records += _in_batches(connection, _RECORDS.format(schema), key)
            entries = _in_batches(connection, _ENTRIES.format(schema), key)
            connection.execute(_HEAD.format(schema).encode(), (key,))
    except psycopg.Error as error:
        raise wrapped(error, opening=True) from error
    return Purged(records, entries)


def _in_batches(connection: Connection[Row], statement: str, tenant: bytes) -> int:
    gone, last = 0, _BATCH
    while last:
        last = connection.execute(statement.encode(), (tenant, tenant, _BATCH)).rowcount
        gone += last
    return gone
