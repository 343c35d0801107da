"""PostgreSQL for the tests of its adapters: a server, and a schema of their own on it; and where either store lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from extlink.adapters.memory import MemoryStorage
from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.postgres_schema import upgrade
from extlink.adapters.sqlite import SQLiteStorage
from extlink.ports import Storage
from tests import clusters
from tests.adapters.places import Place
from tests.clusters import Cluster


@pytest.fixture(scope="session")
def server() -> Cluster:
    """Return the newest server there is, shared by all tests, or skip with the reason."""
    clusters.require()
    return clusters.cluster(clusters.newest())


@pytest.fixture
def schema(server: Cluster) -> str:
    """Make the tables in a schema of their own."""
    name = server.fresh_name()
    upgrade(server.conninfo, schema=name)
    return name


@pytest.fixture
def reopened(server: Cluster, schema: str) -> Iterator[Callable[..., PostgresStorage]]:
    """Open stores over the same tables, and close them after the test."""
    opened: list[PostgresStorage] = []

    def open_store(**options: float) -> PostgresStorage:
        store = PostgresStorage(server.conninfo, schema=schema, **options)  # type: ignore[arg-type]
        opened.append(store)
        return store

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(reopened: Callable[..., PostgresStorage]) -> PostgresStorage:
    """Open a store that waits a little, over two connections."""
    return reopened(timeout=10.0, connections=2)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """Open one store of each kind."""
    if request.param == "postgres":
        yield request.getfixturevalue("store")
    elif request.param == "memory":
        yield MemoryStorage()
    else:
        with SQLiteStorage(tmp_path / "links.db") as opened:
            yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return where a store lies that several processes may open, for each kind that they may share."""
    if request.param == "sqlite":
        return Place(str(tmp_path / "links.db"))
    return Place(request.getfixturevalue("server").conninfo, request.getfixturevalue("schema"))
