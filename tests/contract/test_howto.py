from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from tests.contract.checks import CHECKS
from tests.contract.kit import Factory
from tests.contract.machine import run

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "howto" / "write-your-own-store.md"


@pytest.fixture(scope="module")
def open_store() -> Factory:
    """Run the page's examples and return the store that they define."""
    names: dict[str, Factory] = {}
    for example in doctest.DocTestParser().get_examples(PAGE.read_text(encoding="utf-8")):
        if example.source.startswith(("import ", "from ", "class ")):
            exec(compile(example.source, PAGE.name, "exec"), names)  # noqa: S102 - the page of this repository
    return names["DictStore"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKS)
def test_the_store_of_the_page_keeps_the_contract(open_store: Factory, name: str) -> None:
    """A store written from the ports alone passes."""
    CHECKS[name](open_store)


@pytest.mark.slow
def test_the_store_of_the_page_behaves_as_the_model(open_store: Factory) -> None:
    """The machine finds nothing either."""
    run(open_store)


def test_the_page_is_short() -> None:
    """At most 150 lines of example."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()

    assert len([line for line in lines if line.startswith((">>> ", "..."))]) <= 150
