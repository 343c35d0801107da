"""What an error of PostgreSQL means for a call: again, elsewhere, or not at all.

Rules: whatever psycopg raises leaves as a `StorageError`, the foreign one as its cause. The text is the server's first
line, which names tables and settings and never a value; DETAIL lines, which may quote values, are left out.

    again       the server undid the transaction for the sake of another one: the same batch at once
    elsewhere   the connection is gone, or of no more use: the same call on another one. The outcome of a commit is
                unknown then, and the batch's id settles it
    otherwise   the caller is told
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from extlink.errors import Contention, CorruptRecord, Misconfigured, StorageError, Unavailable

__all__ = ["Way", "way", "wrapped"]

_AGAIN: Final = frozenset({"40001", "40P01"})
# A prepared statement that a pooler dropped or a schema change outdated; a server that became a standby.
_ELSEWHERE: Final = frozenset({"0A000", "26000", "42P05", "25006"})
_ELSEWHERE_CLASSES: Final = frozenset({"08", "57"})
_READ_ONLY: Final = "25006"
_CANCELLED: Final = "57014"
_WAITED: Final = frozenset({"55P03", *_AGAIN})
_CORRUPT: Final = frozenset({"XX001", "XX002"})
_TABLES: Final = frozenset({"3F000", "42P01", "42703"})
_LONGEST: Final = 200


class Way(Enum):
    """How a call goes on after an error."""

    AGAIN = "again"
    ELSEWHERE = "elsewhere"
    OVER = "over"


def way(error: psycopg.Error, *, closed: bool) -> Way:
    """Return how to go on.

    Args:
        closed: whether the connection broke.

    >>> way(psycopg.errors.DeadlockDetected(), closed=False).value
    'again'
    """
    code = error.sqlstate or ""
    if code in _AGAIN:
        return Way.AGAIN
    lost = closed or code in _ELSEWHERE or (code[:2] in _ELSEWHERE_CLASSES and code != _CANCELLED)
    return Way.ELSEWHERE if lost and not isinstance(error, PoolTimeout | PoolClosed) else Way.OVER


def wrapped(error: psycopg.Error, *, opening: bool = False) -> StorageError | Misconfigured:
    """Return what the caller is told.

    Args:
        opening: whether a store is being opened: missing tables are the host's mistake then.

    >>> wrapped(psycopg.errors.LockNotAvailable()).code
    'storage.contention'
    """
    code = error.sqlstate
    if isinstance(error, PoolClosed):
        return Unavailable("the store was closed; make a new PostgresStorage")
    if isinstance(error, PoolTimeout):
        return Unavailable(
            "no connection to PostgreSQL in time: the server cannot be reached or all connections are in use; "
            "look at the server, raise max_connections, then call again"
        )
    if code in _WAITED:
        return Contention(f"PostgreSQL let others go first; nothing was changed, call again ({_reason(error)})")
    if code in _CORRUPT:
        return CorruptRecord(f"PostgreSQL found a damaged page; restore it from a backup ({_reason(error)})")
    if code == _READ_ONLY:
        return Unavailable(
            "this server takes no writes and may answer with yesterday, which would let in what was revoked since; "
            f"name every host in the connection string, with target_session_attrs=read-write ({_reason(error)})"
        )
    if code in _TABLES:
        kind = Misconfigured if opening else Unavailable
        return kind(f"the tables are missing or old; run: extlink schema upgrade ({_reason(error)})")
    return Unavailable(f"PostgreSQL cannot serve; look at the server, then call again ({_reason(error)})")


def _reason(error: psycopg.Error) -> str:
    lines = (error.diag.message_primary or str(error)).splitlines()
    return ascii(lines[0])[1:-1][:_LONGEST] if lines else type(error).__name__
