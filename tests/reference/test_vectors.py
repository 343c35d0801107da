"""Histories that were once answered wrongly, or nearly: what becomes of a link, worked out by hand.

In each, ann is in the organization east > sales and in the group staff, and the link is hers. An edit that is not said to
do something to links ends them.
"""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from extlink.domain.identifier import UserId
from extlink.domain.instant import Instant
from tests.reference import model
from tests.reference.building import grants_of, member_of

ANN = {"id": "ann", "directory": "active", "products": [], "paths": [["east", "sales"]], "groups": ["staff"]}
ENDED, REFUSED, WORKS = "ended", "refused", "works"


@attrs.frozen(kw_only=True)
class Vector:
    """Edits as (instant, verb, subject, more), the number of those before the link was made, and what it is at 100."""

    what: str
    edits: tuple[tuple[int, str, str, dict[str, Any]], ...]
    accepted: int = 1
    then: str


def by_name(at: int, verb: str, **more: Any) -> tuple[int, str, str, dict[str, Any]]:  # noqa: ANN401 - as an edit has it
    """Return an edit that names ann."""
    return at, verb, "user:ann", more


def of(at: int, verb: str, subject: str, **more: Any) -> tuple[int, str, str, dict[str, Any]]:  # noqa: ANN401 - as an edit
    """Return an edit that names an organization, a group or everyone."""
    return at, verb, subject, more


VECTORS = [
    Vector(what="a grant that was withdrawn and is given again", then=ENDED, edits=(
        by_name(1, "allow"), by_name(2, "withdraw"), by_name(3, "allow"),
    )),
]
