"""Requirements: illegal ones cannot be built, and their parts are found by id."""

from __future__ import annotations

from typing import Any

import pytest

from extlink.domain.localized import LocalizedText
from extlink.domain.requirement import PublishedForm, Region, RequiredDocument, Requirement
from extlink.errors import InvalidInput

WORDS = LocalizedText.same("x")
FORM = PublishedForm(source="azure-service-tags", groups=["AzureConnectors", "AzureConnectors"])
DOCUMENT = RequiredDocument(id="tags", titles=WORDS, page="https://example.com/", forms=[FORM])
JAPAN = Region(id="japan", titles=WORDS, cloud="Public", places=["japaneast"])


def requirement(**changes: object) -> Requirement:
    """Return a small legal requirement with some fields changed."""
    fields: dict[str, Any] = {
        "id": "vendor-current",
        "titles": WORDS,
        "documents": [DOCUMENT],
        "as_of": "2026-05-13",
        "regions": [JAPAN],
    }
    return Requirement(**fields | changes)


def test_parts_are_found_by_id() -> None:
    """What is not there is None; a list named twice counts once."""
    found = requirement()

    assert (DOCUMENT, None) == (found.document("tags"), found.document("other"))
    assert (JAPAN, None) == (found.region("japan"), found.region("Japan"))
    assert ("AzureConnectors",) == FORM.groups


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("id", {"id": ""}),
        ("titles", {"titles": LocalizedText.same("")}),
        ("documents", {"documents": []}),
        ("documents", {"documents": [DOCUMENT, DOCUMENT]}),
        ("documents", {"documents": ["tags"]}),
        ("regions", {"regions": [JAPAN, JAPAN]}),
        ("as_of", {"as_of": "May 2026"}),
        ("as_of", {"as_of": "2026-05-13T00:00:00"}),
        ("as_of", {"as_of": None}),
    ],
)
def test_an_illegal_requirement_cannot_be_built(field: str, changes: dict[str, object]) -> None:
    """The error names the field that is wrong."""
    with pytest.raises(InvalidInput, match=rf"^{field}: "):
        requirement(**changes)


def test_a_document_has_a_form() -> None:
    """A document that is published in no form could never be found."""
    with pytest.raises(InvalidInput, match=r"^forms: expected at least one form"):
        RequiredDocument(id="tags", titles=WORDS, page="https://example.com/", forms=[])
