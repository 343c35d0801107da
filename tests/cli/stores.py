"""Stores for the tests of commands: a file or a schema with tenants in it, its arguments, and its backup."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import psycopg

from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.postgres_schema import upgrade
from extlink.adapters.sqlite import SQLiteStorage
from tests import clusters

__all__ = ["KINDS", "Place"]


@attrs.frozen
class Place:
    """Where a store lies.

    Args:
        arguments: what names it on a command line.
        open: opens it.
        back_up: makes a backup of it.
        restore: puts the backup in its place; nobody has it open.
    """

    arguments: tuple[str, ...]
    open: Callable[[], contextlib.AbstractContextManager[Any]]
    back_up: Callable[[], None]
    restore: Callable[[], None]


def _file(folder: Path) -> Place:
    path, backup = folder / "links.db", folder / "backup.db"

    def back_up() -> None:
        with contextlib.closing(sqlite3.connect(path)) as live, contextlib.closing(sqlite3.connect(backup)) as copy:
            live.backup(copy)

    def restore() -> None:
        for name in ("links.db", "links.db-wal", "links.db-shm"):
            (folder / name).unlink(missing_ok=True)
        shutil.copy(backup, path)

    return Place(("--sqlite", str(path)), lambda: SQLiteStorage(path), back_up, restore)


def _schema(folder: Path) -> Place:
    clusters.require()
    server = clusters.cluster(clusters.newest())
    name = server.fresh_name()
    upgrade(server.conninfo, schema=name)
    backup = folder / "backup.sql"
    programs = {"PGHOST": str(server.folder), "PGUSER": "extlink", "PGDATABASE": "postgres"}

    def run(program: str, *arguments: str) -> None:
        # The machine's own variables would name another server.
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        command = [str(server.program(program)), *arguments]
        subprocess.run(command, env={**kept, **programs}, check=True, capture_output=True)

    def restore() -> None:
        with psycopg.connect(server.conninfo, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA {name} CASCADE".encode())
        run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(backup))

    return Place(
        ("--postgres", server.conninfo, "--schema", name),
        lambda: PostgresStorage(server.conninfo, schema=name),
        lambda: run("pg_dump", "-n", name, "-f", str(backup)),
        restore,
    )


KINDS: dict[str, Callable[[Path], Place]] = {"sqlite": _file, "postgres": _schema}
