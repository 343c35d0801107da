from __future__ import annotations

import doctest
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from extlink.ports import Storage
from extlink.testing import Check, run_programs, storage_checks

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "howto" / "write-your-own-store.md"
Folder = Callable[[Path], Storage]


@pytest.fixture(scope="module")
def folder_store() -> Folder:
    """Run the page's imports and return the store that it defines."""
    names: dict[str, Folder] = {}
    for example in doctest.DocTestParser().get_examples(PAGE.read_text(encoding="utf-8")):
        if example.source.startswith(("import ", "from ", "class FolderStore")):
            exec(compile(example.source, PAGE.name, "exec"), names)  # noqa: S102 - the page of this repository
    return names["FolderStore"]


@pytest.mark.slow
@pytest.mark.parametrize("check", storage_checks(durable=True), ids=lambda check: check.name)
def test_the_store_of_the_page_keeps_the_contract(folder_store: Folder, check: Check, tmp_path: Path) -> None:
    """A store written from the ports alone passes, opened again as well."""
    numbers = count()
    if check.theme == "durability":
        check.run(lambda: folder_store(tmp_path))
    else:
        check.run(lambda: folder_store(tmp_path / str(next(numbers))))


@pytest.mark.slow
def test_the_store_of_the_page_behaves_as_the_model(folder_store: Folder, tmp_path: Path) -> None:
    """The machine finds nothing either."""
    numbers = count()
    run_programs(lambda: folder_store(tmp_path / str(next(numbers))), programs=30)


def test_the_page_is_short() -> None:
    """At most 150 lines of example."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()

    assert len([line for line in lines if line.startswith((">>> ", "..."))]) <= 150
