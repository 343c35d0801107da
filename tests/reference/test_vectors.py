"""Histories that were once answered wrongly, or nearly: what becomes of a link, worked out by hand.

In each, ann is in the organization east > sales and in the group staff; the link is hers and was made after the first
edit; asked is at the instant 100. An edit is: instant, verb, subject, and what it says of dates, reach and links.
"""

from __future__ import annotations

from typing import Any

import pytest

from extlink.domain.instant import Instant
from tests.reference import model
from tests.reference.building import grants_of, member_of

ANN = {"id": "ann", "directory": "active", "products": [], "paths": [["east", "sales"]], "groups": ["staff"]}
ALL = "everyone:everyone"

VECTORS = {
    "given again": ("1 allow user:ann; 2 withdraw user:ann; 3 allow user:ann", "ended"),
    "given again after a suspension": ("1 allow user:ann; 2 withdraw user:ann suspend; 3 allow user:ann", "works"),
    "suspended": ("1 allow user:ann; 2 withdraw user:ann suspend", "refused"),
    "kept": ("1 allow user:ann; 2 withdraw user:ann keep", "works"),
    "kept until the end date": ("1 allow user:ann until=100; 2 withdraw user:ann keep", "refused"),
    "another grant at that moment": ("1 allow user:ann; 2 allow group:staff; 3 withdraw user:ann", "works"),
    "none of two left": ("1 allow user:ann; 2 allow group:staff; 3 withdraw user:ann; 4 withdraw group:staff", "ended"),
    "the other one was over": ("1 allow user:ann; 2 allow group:staff until=3; 3 withdraw user:ann", "ended"),
    "the other one was not over yet": ("1 allow user:ann; 2 allow group:staff until=4; 3 withdraw user:ann", "refused"),
    # What held at an earlier edit is not rewritten.
    "the other one's date is moved later": (
        "1 allow user:ann; 2 allow group:staff until=3; 3 withdraw user:ann; 4 allow group:staff until=200",
        "ended",
    ),
    "the other one's date is moved into the past": (
        "1 allow user:ann; 2 allow group:staff; 3 withdraw user:ann; 4 allow group:staff until=2; 5 allow group:staff",
        "works",
    ),
    "the other one is widened later": (
        "1 allow user:ann; 2 allow organization:east direct; 3 withdraw user:ann; 4 allow organization:east subtree",
        "ended",
    ),
    "narrowed away": ("1 allow organization:east subtree; 2 allow organization:east direct", "ended"),
    "narrowed away and widened again": (
        "1 allow organization:east subtree; 2 allow organization:east direct; 3 allow organization:east subtree",
        "ended",
    ),
    "narrowed to her own organization": (
        "1 allow organization:sales subtree; 2 allow organization:sales direct",
        "works",
    ),
    "widened, then kept": (
        "1 allow organization:sales direct; 2 allow organization:sales subtree; 3 withdraw organization:sales keep",
        "works",
    ),
    "an end date that is over ends no link": ("1 allow user:ann until=2; 5 allow user:ann until=200", "works"),
    "over": ("1 allow user:ann until=2", "refused"),
    "over, then ticked": ("1 allow user:ann until=2; 3 tick user:ann", "works"),
    # Keeping is no grant.
    "kept, then granted and withdrawn": (
        f"1 allow user:ann; 2 withdraw user:ann keep; 3 allow {ALL}; 4 withdraw {ALL}",
        "ended",
    ),
    "kept, then suspended, then kept by a grant that was over": (
        """1 allow user:ann; 2 allow group:staff until=3; 3 allow everyone:everyone; 4 withdraw user:ann keep;
        5 withdraw everyone:everyone suspend; 6 withdraw group:staff keep""",
        "refused",
    ),
    # Exclusions.
    "excluded": (f"1 allow {ALL}; 2 exclude user:ann", "ended"),
    "excluded and included again": (f"1 allow {ALL}; 2 exclude user:ann; 3 include user:ann", "ended"),
    "excluded for a while": (f"1 allow {ALL}; 2 exclude user:ann suspend; 3 include user:ann", "works"),
    "excluded, links kept": (f"1 allow {ALL}; 2 exclude user:ann keep", "works"),
    "excluded for a while, then for good": (
        f"1 allow {ALL}; 2 exclude user:ann suspend; 3 exclude user:ann revoke; 4 include user:ann",
        "ended",
    ),
    "the exclusion is widened to her": (
        """1 allow everyone:everyone; 2 exclude organization:east direct; 3 exclude organization:east subtree;
        4 include organization:east""",
        "ended",
    ),
    "the exclusion for a while is narrowed": (
        f"1 allow {ALL}; 2 exclude organization:east subtree suspend; 3 exclude organization:east direct suspend",
        "works",
    ),
}


def edits_of(text: str) -> list[dict[str, Any]]:
    """Return a history as worlds have it."""
    edits = []
    for part in text.split(";"):
        at, verb, subject, *more = part.split()
        kind, name = subject.split(":")
        change = {"verb": verb, "kind": kind, "id": name, "reach": "direct", "until": None, "existing": "revoke"}
        for word in more:
            if word.startswith("until="):
                change["until"] = int(word.removeprefix("until="))  # type: ignore[assignment]
            else:
                change["reach" if word in {"direct", "subtree"} else "existing"] = word
        edits.append({"at": int(at), "changes": [change]})
    return edits


@pytest.mark.parametrize("what", VECTORS)
def test_what_becomes_of_a_link(what: str) -> None:
    """A link has ended, is refused for now, or works: extlink says so, and the reference model too."""
    text, expected = VECTORS[what]
    edits, ann = edits_of(text), member_of("ann", ANN)
    grants = grants_of("chat", edits)

    link = {"owner": "ann", "service": "chat", "accepted": 1}
    asked = {"service": "chat", "user": "ann", "at": 100, "token": {"link": link}}
    let_in, _ = model.granted({"edits": {"chat": edits}}, asked, ANN)
    by_model = "ended" if model.replay(edits, ANN, 1)["ended"] else "works" if let_in else "refused"
    granted = grants.is_granted(ann.id, ann, Instant(100), 1)
    by_extlink = "ended" if grants.ends_link(ann.id, ann, 1) else "works" if granted else "refused"

    assert (expected, expected) == (by_extlink, by_model)
