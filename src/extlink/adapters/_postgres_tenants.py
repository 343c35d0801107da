"""What is asked of a whole PostgreSQL store: which tenants it has, and that one of them goes, part by part.

Rules: the statement that lists tenants is the one that names none of them: an engine that spreads a table over machines
asks all of these, and no operation asks it. A part is removed as a commit is made: one transaction that locks the head
of its tenant first, so whoever locks it later finds the tenant as it is then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from psycopg.types.numeric import Int8

from extlink.adapters._bounds import require_size
from extlink.adapters._postgres import Statement
from extlink.ports import Removed

__all__ = ["listing", "removed", "removing"]

# A commit that was declined leaves a head behind: what is kept makes a tenant.
_TENANTS: Final = (
    "SELECT tenant FROM {0}.head AS h WHERE tenant > %b "
    "AND (EXISTS (SELECT FROM {0}.record AS r WHERE r.tenant = h.tenant) "
    "OR EXISTS (SELECT FROM {0}.entry AS e WHERE e.tenant = h.tenant)) ORDER BY tenant LIMIT %b"
)
_LOCK: Final = (
    "INSERT INTO {0}.head AS h (tenant, position, floor) VALUES (%b, 0, 0) "
    "ON CONFLICT (tenant) DO UPDATE SET floor = h.floor"
)
_FIRST: Final = "DELETE FROM {0}.record WHERE tenant = %b AND path = %b"
_RECORDS: Final = (
    "DELETE FROM {0}.record WHERE tenant = %b AND path = ANY "
    "(ARRAY(SELECT path FROM {0}.record WHERE tenant = %b ORDER BY path LIMIT %b))"
)
_ENTRIES: Final = (
    "DELETE FROM {0}.entry WHERE tenant = %b AND position = ANY "
    "(ARRAY(SELECT position FROM {0}.entry WHERE tenant = %b ORDER BY position LIMIT %b))"
)
_HEAD: Final = (
    "DELETE FROM {0}.head WHERE tenant = %b AND NOT EXISTS (SELECT FROM {0}.record WHERE tenant = %b) "
    "AND NOT EXISTS (SELECT FROM {0}.entry WHERE tenant = %b)"
)


def listing(schema: str, after: bytes, limit: int) -> Statement:
    """Return the statement that lists tenants.

    Raises:
        InvalidInput: a limit outside 1 to 1,000.

    >>> listing("links", b"acme", 10).text[:36]
    b'SELECT tenant FROM links.head AS h W'
    """
    require_size(limit)
    return Statement(_TENANTS.format(schema).encode(), (after, Int8(limit)))


def removing(schema: str, tenant: bytes, first: bytes, limit: int) -> tuple[Statement, ...]:
    """Return the statements that remove a part of a tenant, in order.

    Raises:
        InvalidInput: a limit outside 0 to 1,000.

    >>> len(removing("links", b"acme", b"t", 10))
    5
    """
    require_size(limit, least=0)
    parts = (
        (_LOCK, tenant),
        (_FIRST, tenant, first),
        (_RECORDS, tenant, tenant, Int8(limit)),
        (_ENTRIES, tenant, tenant, Int8(limit)),
        (_HEAD, tenant, tenant, tenant),
    )
    return tuple(Statement(text.format(schema).encode(), tuple(parameters)) for text, *parameters in parts)


def removed(counts: Sequence[int]) -> Removed:
    """Return what these statements came to, from how many rows each of them met.

    >>> removed([1, 1, 7, 9, 1])
    Removed(records=8, entries=9)
    """
    _, first, records, entries, _ = counts
    return Removed(first + records, entries)
