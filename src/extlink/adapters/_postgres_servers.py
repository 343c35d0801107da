"""Who answers on a connection: a server that takes writes, or one that is behind; directly, or through a pooler.

Rules
    A standby answers with yesterday: what was revoked since would be let in. So would a server that was set to read
    only while another one takes over. Neither answers anything here, however the connection came about.
    Since version 14 PostgreSQL says by itself which it is, with the very answer in which that changed, so to look
    costs nothing. Behind a pooler whoever answers is another server than the one it speaks of, and an older server says
    nothing: there each read asks as well, in the same round trip and of the same session.
    A pooler that hands each transaction to another session may run, under the same name, what another client prepared:
    a deletion in place of a read. No setting of the pooler that forbids it can be seen from here, or stays; so nothing
    is prepared by name behind a pooler. It gives itself away by the number of the server's process, which it makes up.
    (One that tells a real server's, and sends reads to standbys, is not noticed; docs/howto/postgres.md forbids it.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.pq import TransactionStatus

from extlink.adapters._postgres import Row
from extlink.errors import Misconfigured, Unavailable

__all__ = [
    "ISOLATION",
    "PROCESS",
    "WITNESS",
    "is_named",
    "require_joinable",
    "require_primary",
    "require_transaction",
    "threshold",
]

# PostgreSQL says both by itself since version 14, with the answer in which they changed: to look costs no round trip.
_REPORTED: Final = (
    (b"in_hot_standby", "it is a standby"),
    (b"default_transaction_read_only", "it is set to read only"),
)
# Who answers behind a pooler is not whom the connection was opened to; he is asked in the round trip of the read.
WITNESS: Final = b"SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on'"
# The server's own number of the process; a pooler gives its clients numbers that it made up.
PROCESS: Final = b"SELECT pg_backend_pid()"
ISOLATION: Final = (
    b"SELECT current_setting('transaction_isolation'), pg_backend_pid(), "
    b"pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on'"
)


def require_transaction(connection: Connection[object] | AsyncConnection[object]) -> None:
    """Require that a connection of the host's is in a transaction, or begins one by itself.

    Raises:
        Misconfigured: every statement would be committed on its own.
        Unavailable: the transaction has failed already.
    """
    state = connection.info.transaction_status
    if state == TransactionStatus.INERROR:
        raise Unavailable("the host's transaction has failed; roll it back and begin another")
    if connection.autocommit and state == TransactionStatus.IDLE:
        raise Misconfigured("expected a connection inside a transaction; open `with connection.transaction():` first")


def require_joinable(connection: Connection[object] | AsyncConnection[object], row: Row | None) -> None:
    """Require that each statement of the host's transaction sees what was committed before it, and is the one we sent.

    Args:
        row: the answer to `ISOLATION`.

    Raises:
        Misconfigured: an isolation level under which a read may answer with what was true long ago; or a pooler, over
            which the host lets psycopg prepare statements.
        psycopg.errors.ReadOnlySqlTransaction: as `require_primary`.
    """
    isolation, process, *witness = row or ("none", 0, False, False)
    if isolation != "read committed":
        raise Misconfigured(
            f"expected a transaction with READ COMMITTED, got {isolation}: its reads would not see a revocation that "
            "was committed since it began"
        )
    if is_named(connection) and is_relayed(connection, process):
        raise Misconfigured(
            "the connection goes through a pooler, where a prepared statement of another client may be run instead; "
            "set prepare_threshold = None on it"
        )
    require_primary(connection, witness)


def is_relayed(connection: Connection[object] | AsyncConnection[object], process: object) -> bool:
    """Return whether a pooler is in between.

    Args:
        process: what the server answered to `PROCESS`.
    """
    return connection.info.backend_pid != process


def is_named(connection: Connection[object] | AsyncConnection[object]) -> bool:
    """Return whether statements are prepared by name on a connection; where not, the server is not known for sure."""
    return connection.prepare_threshold is not None


def threshold(connection: Connection[object] | AsyncConnection[object], row: Row | None) -> int | None:
    """Return psycopg's `prepare_threshold` for a connection of ours: none behind a pooler, or before PostgreSQL 14.

    Args:
        row: the answer to `PROCESS`.
    """
    (process,) = row or (0,)
    is_silent = connection.pgconn.parameter_status(_REPORTED[0][0]) is None
    return None if is_silent or is_relayed(connection, process) else connection.prepare_threshold


def require_primary(
    connection: Connection[object] | AsyncConnection[object], witness: Sequence[object] | None = None
) -> None:
    """Require that what was just read came from a server that takes writes.

    Args:
        witness: the answer to `WITNESS`, where what the server says by itself may not reach us.

    Raises:
        psycopg.errors.ReadOnlySqlTransaction: it did not; `wrapped` makes a sentence of it.
    """
    reported = witness or [connection.pgconn.parameter_status(name) == b"on" for name, _ in _REPORTED]
    for is_so, (_, what) in zip(reported, _REPORTED, strict=True):
        if is_so:
            raise psycopg.errors.ReadOnlySqlTransaction(what)
