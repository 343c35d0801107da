"""Where a store lies that several processes open."""

from __future__ import annotations

from typing import NamedTuple

from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.sqlite import SQLiteStorage

__all__ = ["CONNECTIONS", "Place"]

CONNECTIONS = 8
_PATIENCE_SECONDS = 60.0


class Place(NamedTuple):
    """A SQLite file, or a schema of a PostgreSQL server; as arguments of a program, two texts.

    Args:
        where: the path of the file, or where the server is, as libpq reads it.
        schema: there; empty for a file.
    """

    where: str
    schema: str = ""

    def open(self) -> SQLiteStorage | PostgresStorage:
        """Open a store that is patient with other writers."""
        if self.schema:
            return PostgresStorage(self.where, schema=self.schema, timeout=_PATIENCE_SECONDS, connections=CONNECTIONS)
        return SQLiteStorage(self.where, timeout=_PATIENCE_SECONDS)
