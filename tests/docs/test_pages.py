"""The pages: every link resolves, every Python block is executed, and the README's two commands are the two."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.docs.pages import ROOT, anchors, fences, links, pages

if TYPE_CHECKING:
    from pathlib import Path

# Blocks that pytest executes as doctests, or that repeat a file which tests/docs/test_examples.py runs.
PYTHON = frozenset({"python", "py", "python3", "pycon", "pycon3"})
# What a block may hold beside Python. A block without a language could hide code that nothing runs.
OTHER = frozenset(
    {
        "console",
        "csv",
        "diff",
        "dockerfile",
        "html",
        "http",
        "ini",
        "json",
        "mermaid",
        "sh",
        "sql",
        "text",
        "toml",
        "yaml",
    }
)
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:")


def unexecuted_blocks(root: Path) -> list[str]:
    """Return every block of Python that is neither a doctest nor the exact text of an executed example."""
    executed = {path.read_text(encoding="utf-8").strip() for path in (root / "docs" / "examples").glob("*.py")}
    return [
        f"{page.relative_to(root)}:{fence.line}"
        for page in pages(root)
        for fence in fences(page.read_text(encoding="utf-8"))
        if fence.language in PYTHON
        if ">>>" not in fence.text and fence.text.strip() not in executed
    ]


def unnamed_blocks(root: Path) -> list[str]:
    """Return every block whose language is missing or unknown."""
    return [
        f"{page.relative_to(root)}:{fence.line}: {fence.language or 'no language'}"
        for page in pages(root)
        for fence in fences(page.read_text(encoding="utf-8"))
        if fence.language not in PYTHON | OTHER
    ]


def broken_links(root: Path) -> list[str]:
    """Return every link between pages that leads nowhere: a missing file, a missing heading, an absolute path."""
    found: list[str] = []
    for page in pages(root):
        for link in links(page.read_text(encoding="utf-8")):
            if OUTSIDE.match(link):
                continue
            name, _, anchor = unquote(link).partition("#")
            target = (page.parent / name).resolve() if name else page
            inside = target.is_relative_to(root.resolve()) and target.exists()
            known = (
                anchors(target.read_text(encoding="utf-8"))
                if inside and target.suffix == ".md"
                else frozenset({anchor})
            )
            if not inside or (anchor and anchor not in known):
                found.append(f"{page.relative_to(root)}: {link}")
    return found


def unreachable_pages(root: Path) -> list[str]:
    """Return every page below docs/ that no chain of links from README leads to."""
    reached: set[Path] = set()
    waiting = [root / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.is_file() or page.suffix != ".md":
            continue
        reached.add(page)
        for link in links(page.read_text(encoding="utf-8")):
            target = (page.parent / unquote(link).partition("#")[0]).resolve()
            waiting.append(target / "README.md" if target.is_dir() else target)
    return [f"{page.relative_to(root)}" for page in pages(root) if page not in reached and page.name != "CHANGELOG.md"]


def commands(readme: str) -> list[str]:
    """Return the README's commands that set everything up, without their comments."""
    return [re.sub(r"\s+#.*", "", line).strip() for line in readme.splitlines() if "uv run" in line and "`" not in line]


def test_every_python_block_is_executed() -> None:
    """A block of Python in a page is a doctest, or the exact text of a program in docs/examples."""
    assert [] == unexecuted_blocks(ROOT)


def test_every_block_names_its_language() -> None:
    """A fence says what it holds, so that no Python hides in it."""
    assert [] == unnamed_blocks(ROOT)


def test_every_link_resolves() -> None:
    """A relative link names a file of the repository, and a heading that it has."""
    assert [] == broken_links(ROOT)


def test_every_page_is_reachable() -> None:
    """From README, links lead to every page below docs/."""
    assert [] == unreachable_pages(ROOT)


def test_the_readme_names_exactly_the_two_commands() -> None:
    """One command runs the main job and one the tests; each does all set-up itself."""
    expected = ["pip install uv && uv run docs/examples/quickstart.py", "pip install uv && uv run pytest"]

    assert expected == commands((ROOT / "README.md").read_text(encoding="utf-8"))


def small_repository(root: Path, page: str, readme: str = "[page](docs/page.md)\n") -> Path:
    """Write a README, one page and one program for a broken twin."""
    (root / "docs" / "examples").mkdir(parents=True)
    (root / "README.md").write_text(readme, encoding="utf-8")
    (root / "docs" / "page.md").write_text(page, encoding="utf-8")
    (root / "docs" / "examples" / "quickstart.py").write_text("print(1)\n", encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("# P\n\n```python\nprint(2)\n```\n", ["docs/page.md:3"]),
        ("# P\n\n~~~py\nprint(2)\n~~~\n", ["docs/page.md:3"]),
        ("1. step\n\n   ```python\n   print(2)\n   ```\n", ["docs/page.md:3"]),
        ("```python\nprint(1)\n```\n", []),
        ("```python\n>>> print(2)\n2\n```\n", []),
        ("```text\nprint(2)\n```\n", []),
    ],
)
def test_an_unexecuted_block_is_found(tmp_path: Path, page: str, found: list[str]) -> None:
    """The broken twins: a block of Python that nothing runs; an included program or a doctest is none."""
    assert found == unexecuted_blocks(small_repository(tmp_path, page))


@pytest.mark.parametrize("language", ["", "pyhton"])
def test_an_unnamed_block_is_found(tmp_path: Path, language: str) -> None:
    """The broken twins: no language, or a misspelt one."""
    assert len(unnamed_blocks(small_repository(tmp_path, f"```{language}\nprint(2)\n```\n"))) == 1


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("[a](missing.md)", 1),
        ("[a](../README.md#missing)", 1),
        ("[a](/docs/page.md)", 1),
        ("[a](../../outside.md)", 1),
        ("[a][b]\n\n[b]: missing.md", 1),
        ("![a](missing.svg)", 1),
        ("[a](../README.md)", 0),
        ("# Who may\n\n[a](#who-may) [b](page.md#who-may) [c](examples/quickstart.py)", 0),
        ("[a](https://example.com/missing) `[b](missing.md)`", 0),
    ],
)
def test_a_broken_link_is_found(tmp_path: Path, page: str, found: int) -> None:
    """The broken twins: a file or a heading that is not there, a path out of the repository."""
    assert found == len(broken_links(small_repository(tmp_path, page)))


def test_an_unreachable_page_is_found(tmp_path: Path) -> None:
    """The broken twin: a page that nothing links to."""
    assert ["docs/page.md"] == unreachable_pages(small_repository(tmp_path, "# P\n", readme="# R\n"))
    assert [] == unreachable_pages(small_repository(tmp_path / "linked", "# P\n"))
