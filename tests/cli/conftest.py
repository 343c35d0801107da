"""The stores that a command may be run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.stores import KINDS, Place


@pytest.fixture(params=sorted(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return where a store lies that commands can be run on."""
    return KINDS[request.param](tmp_path)
