from __future__ import annotations

import json
import zlib

import attrs
import pytest

from extlink.domain.decision import Answer, Decision, Finding, Refusal
from extlink.domain.identifier import LinkId, TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.outcome import CodeAgain, Outcome, TokensAgain
from extlink.domain.reason import Reason
from extlink.errors import CorruptRecord
from extlink.outcomes import _FORMS, OUTCOME, outcome_key, without_secrets
from extlink.ports import components
from tests.test_idempotency import COMMANDS
from tests.testing.rehearsal import prepared, run

AT = Instant(7)
REFUSED: tuple[Finding, ...] = (
    (Answer.PASSED, ()),
    (Answer.REFUSED, (("grant.missing", {"user": "sato", "many": ("a", "b"), "yes": True, "count": 3}),)),
    *[(Answer.NOT_EVALUATED, ())] * 3,
)
DECISION = Decision(REFUSED, frozenset({"user", "link"}))
RESULTS: dict[str, object] = {
    **{name: result for name in COMMANDS if not isinstance(result := run(prepared(), name), Reason)},
    "decision": DECISION,
    "refusal": Refusal("invalid_grant", (Reason("token.unknown"),)),
    "refusal by the gates": Refusal("access_denied", DECISION.reasons, DECISION),
}


@pytest.mark.parametrize("name", RESULTS)
def test_what_a_command_came_to_comes_back(name: str) -> None:
    """Every kind of result that a command has is read as it was written."""
    kept = without_secrets(RESULTS[name])
    outcome = Outcome(fingerprint=b"\x00f", key_id="k1", nonce=b"\xffn", result=kept, error=Reason("token.unknown"))

    assert (outcome, AT) == OUTCOME.decode(OUTCOME.encode(outcome, AT))
    assert (attrs.evolve(outcome, error=None), AT) == OUTCOME.decode(
        OUTCOME.encode(attrs.evolve(outcome, error=None), AT)
    )


def test_every_form_is_tried_above() -> None:
    """A new kind of result cannot be forgotten here."""
    assert _FORMS.keys() == {type(without_secrets(result)) for result in RESULTS.values()}


def test_what_holds_a_secret_is_kept_without_it() -> None:
    """Of a code and of tokens only the link is kept."""
    kept = {name: without_secrets(RESULTS[name]) for name in ("links.accept", "links.redeem")}

    assert isinstance(kept["links.accept"], CodeAgain)
    assert isinstance(kept["links.redeem"], TokensAgain)
    assert 1 == len(attrs.fields(CodeAgain)) == len(attrs.fields(TokensAgain))


GOOD = Outcome(fingerprint=b"f", key_id="k1", nonce=b"n", result=CodeAgain(LinkId("l")))


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, "?"), (1, 7), (2, None), (3, "another"), (3, 7), (4, 7), (5, 7), (5, ["token.unknown", {"a": 1.5}])],
)
def test_a_damaged_outcome_is_never_guessed_at(place: int, value: object) -> None:
    """A field of another form is a record that cannot be read back."""
    version, at, fields = json.loads(zlib.decompress(OUTCOME.encode(GOOD, AT)))
    fields[place] = value

    with pytest.raises(CorruptRecord):
        OUTCOME.decode(zlib.compress(json.dumps([version, at, fields]).encode()))


def test_a_key_lies_under_its_person() -> None:
    """What the host itself does has a place of its own."""
    places = [outcome_key(TenantId("acme"), user, "7f1c").key.path for user in (UserId("sato"), None)]

    assert [("i", "sato", "7f1c"), ("i", "", "7f1c")] == [components(path) for path in places]
