"""The programs in docs/examples run as a person runs them, leave nothing behind and stay small."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = ROOT / "docs" / "examples"
QUICKSTART_LINES = 40


def test_there_is_a_quickstart_of_at_most_40_lines() -> None:
    """The main job fits on one screen."""
    assert QUICKSTART_LINES >= len((EXAMPLES / "quickstart.py").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("program", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_a_program_tells_its_story(program: Path, tmp_path: Path) -> None:
    """A program ends well, prints something and warns of nothing, started in an empty folder without arguments."""
    environment = os.environ | {"PYTHONWARNINGS": "error", "PYTHONUTF8": "1"}

    answer = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert (0, "") == (answer.returncode, answer.stderr)
    assert answer.stdout.strip()
