"""What every test may ask for: the real published files, and whether this is the long tier."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("fast", max_examples=40, deadline=None, print_blob=True)
# The same examples at every run: whether a change lands is no matter of luck. The two others look for new ones.
settings.register_profile(
    "ci", max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "deep", max_examples=5_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)


def find_realdata() -> Path | None:
    """Return the folder of real published files: EXTLINK_REALDATA, or shared/data beside the checkout."""
    named = os.environ.get("EXTLINK_REALDATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch of the long tier."""
    parser.addoption("--deep", action="store_true", help="run the long tier: many more examples and schedules")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the size of property tests: long, CI or a developer's loop."""
    deep = config.getoption("--deep")
    settings.load_profile("deep" if deep else "ci" if os.environ.get("CI") else "fast")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what reads the real files, so that `-m realdata` runs just that."""
    for item in items:
        if "realdata" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.realdata)


def pytest_report_header() -> str:
    """Print which real files the tests read."""
    folder = find_realdata()
    return f"real published files: {folder}" if folder else "real published files: none found, their tests skip"


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Return the folder of real published files, or skip with the reason."""
    folder = find_realdata()
    if folder is None:
        pytest.skip("no real published files: set EXTLINK_REALDATA or put them into ../shared/data")
    return folder


@pytest.fixture(scope="session")
def deep(request: pytest.FixtureRequest) -> bool:
    """Return whether the long tier was asked for."""
    return bool(request.config.getoption("--deep"))
