"""The text of the repository: nothing of one machine, no registry's address, no open end, no exemption without why."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOP = ("pyproject.toml", "src", "tests", "docs", "CHANGELOG.md", "README.md", "LICENSE")
DOTFILES = (".ci", ".gitignore")
# What a tool leaves behind, and git does not keep.
LEFT = frozenset({"__pycache__", ".hypothesis", "build", "dist", "uv.lock"})
TEXT = frozenset({".py", ".md", ".toml", ".sql", ".json", ".csv", ".txt", ".sh", ".svg", ""})

FORBIDDEN = (
    (re.compile(r"(?<![\w.:/<])/(?:home|root|tmp|opt|work|Users)/\w"), "a path of some machine"),
    (re.compile(r"//registry\.|\bpypi\.org|python[h]osted|npmjs\.(?:org|com)|deb\.debian"), "a registry's address"),
    (re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X|H[A]CK)\b"), "an open end"),
    (
        re.compile(r"(?<!ruff: )(?:pragma: no (?:cover|branch)|noqa: [A-Z0-9, ]+?)[ \t]*$", re.MULTILINE),
        "an exemption without its reason",
    ),
    # That of a whole file tells its reason in the line below.
    (re.compile(r"ruff: noqa: [A-Z0-9, ]+\n(?!# )"), "an exemption without its reason"),
    (
        re.compile(r"#[ \t]*noqa[ \t]*$|#\s*type:\s*ignore(?!\[)|#\s*pyright:\s*ignore(?!\[)", re.MULTILINE),
        "an exemption from everything",
    ),
)


def files(root: Path) -> Iterator[Path]:
    """Yield every text file that the repository keeps."""
    for name in (*TOP, *DOTFILES):
        top = root / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and path.suffix in TEXT and LEFT.isdisjoint(path.relative_to(root).parts):
                yield path


def unwanted_text(root: Path) -> list[str]:
    """Return every line that the repository must not hold."""
    return [
        f"{path.relative_to(root)}:{len(text[: found.start() + 1].splitlines())}: {what}"
        for path in files(root)
        for text in [path.read_text(encoding="utf-8")]
        for pattern, what in FORBIDDEN
        for found in pattern.finditer(text)
    ]


def strange_names(root: Path) -> list[str]:
    """Return what stands at the top beside the names that are fixed."""
    return [path.name for path in root.iterdir() if path.name[0] != "." and path.name not in {*TOP, *LEFT}]


def silent_tests(root: Path) -> list[str]:
    """Return every test whose docstring is not a sentence."""
    found: list[str] = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                first = (ast.get_docstring(node) or "").partition("\n\n")[0]
                if not first.endswith((".", "?", "!")):
                    found.append(f"{path.relative_to(root)}:{node.lineno}: {node.name}")
    return found


def test_no_text_is_unwanted() -> None:
    """No path of a machine, registry, open end or unexplained exemption stands in any file."""
    assert [] == unwanted_text(ROOT)


def test_the_top_level_is_the_fixed_one() -> None:
    """pyproject.toml, src, tests, docs, CHANGELOG.md, README.md, LICENSE and dotfiles; nothing else."""
    assert [] == strange_names(ROOT)


def test_every_test_says_what_it_shows() -> None:
    """Each test begins with one sentence."""
    assert [] == silent_tests(ROOT)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("path = '/+home/me/links.db'", "a path of some machine"),
        ("see https://pypi+.org/project/extlink", "a registry's address"),
        ("x = 1  # TO+DO: later", "an open end"),
        ("if x:  # pragma: no cover", "an exemption without its reason"),
        ("query = text  # noqa: S608", "an exemption without its reason"),
        ("# ruff: no+qa: E501", "an exemption without its reason"),
        ("query = text  # no+qa", "an exemption from everything"),
        ("query = text  # type+: ignore", "an exemption from everything"),
    ],
)
def test_unwanted_text_is_found(tmp_path: Path, line: str, what: str) -> None:
    """The broken twins: each kind of unwanted line is reported with its place."""
    line = line.replace("+", "")  # so that this file is clean itself
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(f"# Page\n{line}\n", encoding="utf-8")

    assert [f"docs/page.md:2: {what}"] == unwanted_text(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "if x:  # pragma: no cover - only on Windows, where CI does not run",
        "query = text  # noqa: S608 - the table's name is a constant",
        "query = text  # type: ignore[arg-type]",
        "# ruff: noqa: E501\n# A sentence stays on one line.",
        "see example.com/home/page",
    ],
)
def test_wanted_text_is_none(tmp_path: Path, line: str) -> None:
    """An exemption with its reason is as it should be."""
    (tmp_path / "README.md").write_text(line, encoding="utf-8")

    assert [] == unwanted_text(tmp_path)


def test_a_strange_name_is_found(tmp_path: Path) -> None:
    """The broken twin: a new file at the top."""
    (tmp_path / "setup.cfg").touch()
    (tmp_path / ".editorconfig").touch()

    assert ["setup.cfg"] == strange_names(tmp_path)


def test_a_silent_test_is_found(tmp_path: Path) -> None:
    """The broken twin: a test without a sentence."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_a(): assert x\n", encoding="utf-8")

    assert ["tests/test_a.py:1: test_a"] == silent_tests(tmp_path)
