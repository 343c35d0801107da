"""How examples run: those of README, of the pages in docs/ and of the docstrings are doctests, each in an empty folder.

`pyproject.toml` names this module, so that it serves every call of pytest, whatever files are asked for.
"""

from __future__ import annotations

import doctest
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FENCE = re.compile(r"^ *(?:```|~~~).*$", re.MULTILINE)

# What an example says that needs a server.
SERVER = re.compile("dbname=links")

PROGRAMS = frozenset({("docs", "examples"), ("tests", "benchmarks"), ("tests", "fuzz"), ("tests", "typing")})


class MarkdownParser(doctest.DocTestParser):
    r"""A doctest parser that reads a Markdown fence as a blank line, so that it ends the expected output.

    >>> [example.want for example in MarkdownParser().get_examples("```python\n>>> 1 + 1\n2\n```\n")]
    ['2\n']
    """

    def parse(self, string: str, name: str = "<string>") -> list[str | doctest.Example]:
        """Return the examples and the text between them."""
        return super().parse(FENCE.sub("", string), name)


def pytest_configure() -> None:
    """Let pytest read pages by the parser above; it takes whatever doctest offers under this name."""
    doctest.DocTestParser = MarkdownParser  # type: ignore[misc]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the files that are programs, or that only type checkers read."""
    is_test = collection_path.name.startswith("test_") or collection_path.suffix != ".py"
    return True if collection_path.parent.parts[-2:] in PROGRAMS and not is_test else None


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(request: pytest.FixtureRequest) -> None:
    """Run an example in an empty folder, so that the files it makes do not land in the checkout."""
    if isinstance(request.node, pytest.DoctestItem):
        folder = request.getfixturevalue("tmp_path")
        request.getfixturevalue("monkeypatch").chdir(folder)


@pytest.fixture(autouse=True)
def _a_database_of_its_own(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give an example that speaks of PostgreSQL an empty database `links`, found by libpq's own variables."""
    item = request.node
    if not isinstance(item, pytest.DoctestItem) or not any(SERVER.search(one.source) for one in item.dtest.examples):
        yield
        return
    from tests import clusters  # noqa: PLC0415 - looks for servers, which few calls of pytest need

    clusters.require()
    with clusters.cluster(clusters.newest()).database("links") as environment:
        for name, value in environment.items():
            request.getfixturevalue("monkeypatch").setenv(name, value)
        yield
