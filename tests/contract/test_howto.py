from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from extlink.testing import Check, run_programs, storage_checks
from extlink.testing.probes import OpenStore

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "howto" / "write-your-own-store.md"


@pytest.fixture(scope="module")
def open_store() -> OpenStore:
    """Run the page's examples and return the store that they define."""
    names: dict[str, OpenStore] = {}
    for example in doctest.DocTestParser().get_examples(PAGE.read_text(encoding="utf-8")):
        if example.source.startswith(("import ", "from ", "class ")):
            exec(compile(example.source, PAGE.name, "exec"), names)  # noqa: S102 - the page of this repository
    return names["DictStore"]


@pytest.mark.slow
@pytest.mark.parametrize("check", storage_checks(), ids=lambda check: check.name)
def test_the_store_of_the_page_keeps_the_contract(open_store: OpenStore, check: Check) -> None:
    """A store written from the ports alone passes."""
    check.run(open_store)


@pytest.mark.slow
def test_the_store_of_the_page_behaves_as_the_model(open_store: OpenStore) -> None:
    """The machine finds nothing either."""
    run_programs(open_store)


def test_the_page_is_short() -> None:
    """At most 150 lines of example."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()

    assert len([line for line in lines if line.startswith((">>> ", "..."))]) <= 150
