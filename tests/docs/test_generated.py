"""The generated parts of the reference say what the code says today, and every operation and code is in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs
import pytest

from extlink.domain import messages
from extlink.domain.event import VOCABULARY
from extlink.domain.link import TRANSITIONS
from tests.docs.generated import INTERNAL, PARTS, UNRESTRICTED, definitions, replaced, stale_pages

if TYPE_CHECKING:
    from pathlib import Path


def test_every_generated_part_is_current() -> None:
    """No page differs from the code; `python -m tests.docs.generated` writes them anew."""
    assert [] == stale_pages()


def test_every_operation_has_a_section() -> None:
    """Each operation that the package defines, found by import, is described; those run by the hub are in a table."""
    described = re.findall(r"^### (.+)$", PARTS["operations"].text(), re.MULTILINE)

    assert sorted(definitions().keys() - INTERNAL.keys()) == sorted(described)
    assert INTERNAL.keys() <= definitions().keys()


def test_what_no_role_guards_is_explained() -> None:
    """An operation without roles is listed with who may run it, and no other one is."""
    assert UNRESTRICTED.keys() == {name for name, definition in definitions().items() if not definition.by}


def test_every_recorded_event_is_of_the_vocabulary() -> None:
    """No operation names an event that the ledger does not know."""
    recorded = frozenset[str]().union(*(definition.records for definition in definitions().values()))

    assert recorded <= VOCABULARY.keys()


def test_every_reason_code_has_its_texts() -> None:
    """The page has a section for each code, with each of its three texts."""
    text = PARTS["reason-codes"].text()

    assert list(messages.PARAMS) == re.findall(r"^### (.+)$", text, re.MULTILINE)
    for catalogue in messages.CATALOGUES.values():
        assert [] == [code for code in messages.PARAMS if catalogue[code].text not in text]


def test_the_diagram_has_every_transition() -> None:
    """Each cell of the transition table is an arrow, and each arrow but the first a cell."""
    arrows = re.findall(r"^    (\w+) --> (\w+): (\w+)$", PARTS["link-states"].text(), re.MULTILINE)
    cells = [(str(state), str(after), str(event)) for state, row in TRANSITIONS.items() for event, after in row.items()]

    assert cells == arrows


def test_no_reference_to_inner_documents_is_left() -> None:
    """What a docstring says for whoever works on the code does not reach a host's reader."""
    found = [name for name, part in PARTS.items() if re.search(r"TRACE|DESIGN|MISSION|Source:", part.text())]

    assert [] == found


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<!-- generated: link-states -->\n\n{text}\n<!-- end of link-states -->\n", []),
        ("<!-- generated: link-states -->\n\nold\n<!-- end of link-states -->\n", ["link-states"]),
        ("<!-- generated: link-states -->\n<!-- end of link-states -->\n", ["link-states"]),
    ],
)
def test_a_stale_page_is_found(tmp_path: Path, page: str, found: list[str]) -> None:
    """The broken twins: a part that says something else, and an empty one."""
    part = attrs.evolve(PARTS["link-states"], page=tmp_path / "page.md")
    part.page.write_text(page.replace("{text}", part.text()), encoding="utf-8")

    assert found == stale_pages({"link-states": part})


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<!-- generated: x -->\n",
        "<!-- end of x --> <!-- generated: x -->\n",
        "<!-- generated: x -->\n<!-- end of x --> <!-- generated: x -->\n<!-- end of x -->",
    ],
)
def test_a_page_without_its_place_is_refused(page: str) -> None:
    """The broken twins: no comments, one of them, the wrong order, the part twice."""
    with pytest.raises(ValueError, match="between its two comments"):
        replaced(page, "x", "text")
