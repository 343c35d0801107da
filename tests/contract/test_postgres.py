from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import clusters
from tests.contract.checks import CHECKS, DURABLE
from tests.contract.machine import run
from tests.contract.postgres_stores import COLOURS, Schemas

pytestmark = pytest.mark.slow

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
@pytest.mark.parametrize("name", CHECKS)
def test_postgresql_keeps_the_contract(name: str, schemas: Schemas) -> None:
    """Law 17: every storage behaves as the contract says."""
    CHECKS[name](schemas.fresh)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("name", DURABLE)
def test_postgresql_keeps_what_it_has(name: str, schemas: Schemas) -> None:
    """Law 15: what was acknowledged is there after opening again."""
    DURABLE[name](schemas.again)


@pytest.mark.parametrize("colour", COLOURS)
def test_postgresql_behaves_as_the_model(schemas: Schemas, deep: bool) -> None:
    """Law 17: random calls are answered as a model answers that is too simple to be wrong."""
    # A fresh store is a schema here, so the four of them together make as many examples as one store in memory.
    profile = settings()
    examples = profile.max_examples if deep else min(40, profile.max_examples)
    how = settings(max_examples=examples, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow])
    run(schemas.fresh, how)
