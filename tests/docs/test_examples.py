"""The programs in docs/examples run as a person runs them, leave nothing behind and stay small."""

from __future__ import annotations

import ast
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
MOUNTING_LINES = 15


def test_there_is_a_quickstart_of_at_most_40_lines() -> None:
    """The main job fits on one screen."""
    assert QUICKSTART_LINES >= len((EXAMPLES / "quickstart.py").read_text(encoding="utf-8").splitlines())


def test_a_host_mounts_the_endpoints_in_at_most_15_lines() -> None:
    """The function of the WSGI host that mounts them, with its first line, its last and what stands between."""
    text = (EXAMPLES / "wsgi_host.py").read_text(encoding="utf-8")
    (mount,) = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "mount")
    lines = [line for line in text.splitlines()[mount.lineno - 1 : mount.end_lineno] if line.strip()]

    assert MOUNTING_LINES >= len(lines)


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
