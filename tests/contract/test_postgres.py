from __future__ import annotations

from collections.abc import Iterator

import pytest

from extlink.testing import Check, async_storage_checks, storage_checks
from extlink.testing.machine import run_programs
from tests import clusters
from tests.contract.postgres_stores import COLOURS, Schemas

pytestmark = pytest.mark.slow

CHECKS = storage_checks()
DURABLE = tuple(check for check in storage_checks(durable=True) if check.theme == "durability")
CANCELLING = tuple(check for check in async_storage_checks() if check.theme == "cancelling")
VERSIONS = [*clusters.VERSIONS] or ["none"]


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """Name a version of PostgreSQL that is installed."""
    clusters.require()
    return str(request.param)


@pytest.fixture
def schemas(version: str, colour: str) -> Iterator[Schemas]:
    """Open stores on a server, and close them after the test."""
    schemas = Schemas(version, colour)
    yield schemas
    schemas.close()


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_postgresql_keeps_the_contract(check: Check, schemas: Schemas) -> None:
    """Law 17: every storage behaves as the contract says."""
    check.run(schemas.fresh)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("check", DURABLE, ids=lambda check: check.name)
def test_postgresql_keeps_what_it_has(check: Check, schemas: Schemas) -> None:
    """Law 15: what was acknowledged is there after opening again."""
    check.run(schemas.again)


@pytest.mark.parametrize("colour", ["async"])
@pytest.mark.parametrize("check", CANCELLING, ids=lambda check: check.name)
def test_postgresql_survives_being_cancelled(check: Check, schemas: Schemas) -> None:
    """Cancellation at any await leaves nothing half done."""
    check.run_async(schemas.fresh_async)


@pytest.mark.parametrize("colour", COLOURS)
def test_postgresql_behaves_as_the_model(schemas: Schemas, deep: bool) -> None:
    """Law 17: random calls are answered as a model answers that is too simple to be wrong."""
    run_programs(schemas.fresh, programs=None if deep else 40)
