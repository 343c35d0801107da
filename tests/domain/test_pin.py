"""The ranges that a service publishes, and what the network gate asks of its calls (F5, F6; TRACE T16, DESIGN 3)."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import attrs
import pytest

from extlink.domain.access import AccessRequest, Credential, Policy, evaluate, is_allowed
from extlink.domain.address import parse_range
from extlink.domain.decision import Answer
from extlink.domain.identifier import ServiceId
from extlink.domain.network import COMBINATIONS, IPRestriction, Mode, NetworkProof, Proof, Row, Way
from extlink.domain.network_gate import is_network_allowed, network_finding
from extlink.domain.pin import Pin, parse_pinned
from extlink.errors import InvalidInput
from tests.domain.test_access import LINK, NOW, OFFICE, POWER, policy as good_policy

SERVERS: Final = Row(range=parse_range("20.37.194.0/24"), source="AzureConnectors", version="53")
NEWER: Final = Row(
    range=parse_range("20.37.194.8/29"), source="LogicApps", version="71", published=date(2025, 1, 13), memo="new"
)
PIN: Final = Pin([SERVERS, NEWER])
SERVER: Final = "20.37.194.9"
AWAY: Final = "198.51.100.9"


def policy(pin: Pin | None = PIN, network: IPRestriction | None = None) -> Policy:
    """Return a policy that has nothing against the request but what is said here."""
    pins = {} if pin is None else {POWER: pin}
    return attrs.evolve(good_policy(), network=network or IPRestriction(), pins=pins)


def asked(address: str | None, **facts: Any) -> AccessRequest:
    """Return a question from an address, with a link that is live."""
    return AccessRequest(service=POWER, user=LINK.owner, at=NOW, address=address, **facts)


def codes(asked_of: Policy, request: AccessRequest) -> tuple[str, ...]:
    """Return what the gate says, after both speeds have said the same."""
    answer, notes = network_finding(asked_of, request)
    assert (answer is Answer.PASSED) is is_network_allowed(asked_of, request)
    assert evaluate(asked_of, request).allowed is is_allowed(asked_of, request)
    return tuple(code for code, _ in notes)


def test_a_call_from_a_published_range_passes() -> None:
    """The evidence names the row, the narrowest one, and where it was published."""
    answer, notes = network_finding(policy(), asked(SERVER))

    assert Answer.PASSED is answer
    assert "network.allow_all" == notes[0][0]
    assert notes[1] == (
        "network.published",
        {"address": SERVER, "service": POWER, "row": "20.37.194.8/29", "source": "LogicApps", "version": "71"},
    )


def test_a_call_from_elsewhere_is_refused() -> None:
    """The reason names the lists and their versions, and is in the decision."""
    params = {
        "address": AWAY,
        "service": POWER,
        "source": "AzureConnectors, LogicApps",
        "version": "53, 71",
    }
    decision = evaluate(policy(), asked(AWAY))

    assert not decision
    assert [("network.not_published", params)] == [(one.code, dict(one.params)) for one in decision.reasons]
    assert ("network.not_published",) == codes(policy(), asked(AWAY))


OFFICE_ALONE: Final = IPRestriction("allow_some", [Row(range=parse_range("203.0.113.0/24"))])
BOTH: Final = IPRestriction("allow_some", [*OFFICE_ALONE.rows, SERVERS])


@pytest.mark.parametrize(
    ("network", "address", "said"),
    [
        (BOTH, SERVER, ("network.row", "network.published")),
        (BOTH, OFFICE, ("network.not_published",)),
        (OFFICE_ALONE, SERVER, ("network.address_not_allowed",)),
        (OFFICE_ALONE, AWAY, ("network.address_not_allowed", "network.not_published")),
        (IPRestriction("deny_all"), SERVER, ("network.deny_all",)),
        (IPRestriction("deny_all"), None, ("network.address_unknown",)),
        (IPRestriction(), None, ("network.address_unknown",)),
        (IPRestriction(), "nowhere", ("network.address_invalid",)),
        (OFFICE_ALONE, "nowhere", ("network.address_invalid",)),
    ],
)
def test_restriction_and_pin_must_both_pass(network: IPRestriction, address: str | None, said: tuple[str, ...]) -> None:
    """Every reason is given, each once; an address that nobody knows is refused where the rule is on."""
    assert said == codes(policy(network=network), asked(address))


def test_missing_ranges_refuse() -> None:
    """A rule without anything to hold an address against is not passed over."""
    pinned = Credential(link=attrs.evolve(LINK, pinned=True), scopes=LINK.scopes)

    assert ("network.ranges_unknown",) == codes(policy(Pin([])), asked(SERVER))
    assert ("network.ranges_unknown",) == codes(policy(None), asked(SERVER, credential=pinned))
    assert ("network.allow_all",) == codes(policy(None), asked(SERVER))


def test_some_links_alone_can_be_pinned() -> None:
    """Where the ranges are for links that ask for them, the others call from anywhere."""
    free = Credential(link=LINK, scopes=LINK.scopes)
    pinned = Credential(link=attrs.evolve(LINK, pinned=True), scopes=LINK.scopes)
    some = policy(Pin([SERVERS], "links"))

    assert ("network.allow_all",) == codes(some, asked(AWAY, credential=free))
    assert ("network.allow_all",) == codes(some, asked(AWAY))
    assert ("network.allow_all",) == codes(some, asked(AWAY, credential=Credential(link=None)))
    assert ("network.not_published",) == codes(some, asked(AWAY, credential=pinned))
    assert ("network.allow_all", "network.published") == codes(some, asked(SERVER, credential=pinned))


def test_a_pin_is_asked_of_its_own_service_alone() -> None:
    """Another service's ranges, a user in person, an outbound call and a question about no service are no matter."""
    other = attrs.evolve(policy(None), pins={ServiceId("slack"): PIN})

    assert ("network.allow_all",) == codes(other, asked(AWAY))
    assert ("network.allow_all",) == codes(policy(), asked(AWAY, caller="user"))
    assert ("network.allow_all",) == codes(policy(), attrs.evolve(asked(AWAY), service=None))
    assert Answer.NOT_APPLICABLE is network_finding(policy(), asked(AWAY, network="not_applicable"))[0]
    assert is_allowed(policy(), asked(AWAY, network="not_applicable"))


def test_the_order_of_published_ranges_tells_nothing() -> None:
    """The same ranges make equal pins, in whatever order and how often they are written (law 2)."""
    assert Pin([SERVERS, NEWER]) == Pin([NEWER, SERVERS, SERVERS])
    assert Pin([SERVERS]) != Pin([SERVERS], "links")


def test_a_pin_knows_the_oldest_day_of_its_lists() -> None:
    """Where none is known there is none."""
    older = attrs.evolve(SERVERS, published=date(2024, 12, 2))

    assert date(2024, 12, 2) == Pin([older, NEWER]).published
    assert Pin([SERVERS]).published is None
    assert ("", "") == (Pin([]).source, Pin([]).version)


@pytest.mark.parametrize("value", ["", "Service", "both", None, 7, ["service"]])
def test_what_is_pinned_is_one_of_two_words(value: object) -> None:
    """A misspelt one would pin less than was meant."""
    with pytest.raises(InvalidInput, match="applies: expected one of service, links"):
        parse_pinned(value)


@pytest.mark.parametrize("address", ["", "nowhere", "20.37.194.9:443", "020.37.194.9", "\ud800"])
def test_what_is_no_address_is_published_by_nobody(address: str) -> None:
    """In both speeds."""
    assert not PIN.contains_text(address)
    with pytest.raises(InvalidInput):
        PIN.row_for(address)


# --- The six combinations of restriction and Basic authentication (TRACE T16) --------------------------------------

LISTED: Final = [Row(range=parse_range("203.0.113.0/24"))]
# Number -> restriction, Basic authentication, what somebody gets in with: from a row, from elsewhere, from elsewhere
# with Basic authentication. The second cannot be set.
SIX: Final[dict[int, tuple[Mode, bool, tuple[bool, bool, bool] | None]]] = {
    1: ("allow_all", False, (True, True, True)),
    2: ("allow_all", True, None),
    3: ("deny_all", False, (False, False, False)),
    4: ("deny_all", True, (False, False, True)),
    5: ("allow_some", False, (True, False, False)),
    6: ("allow_some", True, (True, False, True)),
}


@pytest.mark.parametrize("number", SIX)
def test_the_six_combinations(number: int) -> None:
    """1 everybody, 2 cannot be set, 3 nobody, 4 and 6 another address passes with the proof, 5 the rows alone."""
    mode, basic, wanted = SIX[number]
    proofs: frozenset[Proof] = frozenset({"basic"}) if basic else frozenset()
    if wanted is None:
        with pytest.raises(InvalidInput, match="proofs: expected none with allow_all"):
            IPRestriction(mode, LISTED, proofs)
        return
    whole = policy(None, IPRestriction(mode, LISTED, proofs))

    def passes(address: str, proof: NetworkProof) -> bool:
        request = asked(address, caller="user", network_proof=proof)
        codes(whole, request)
        return is_network_allowed(whole, request)

    assert wanted == (passes(OFFICE, "none"), passes(AWAY, "none"), passes(AWAY, "basic"))


def test_the_table_of_combinations_is_that_of_the_tests() -> None:
    """The one table of the domain says the ways in; what cannot be set has none."""
    ways: dict[tuple[bool, bool, bool], tuple[Way, ...]] = {
        (True, True, True): ("any address",),
        (False, False, False): (),
        (False, False, True): ("a proof",),
        (True, False, False): ("a row",),
        (True, False, True): ("a row", "a proof"),
    }

    assert dict(COMBINATIONS) == {
        (mode, basic): None if wanted is None else ways[wanted] for mode, basic, wanted in SIX.values()
    }


CERTIFIED: Final = IPRestriction("allow_some", LISTED, frozenset({"client_certificate"}))


def test_each_proof_is_accepted_for_itself() -> None:
    """A client certificate is no Basic authentication; the evidence names what was shown, or the row that sufficed."""

    def said(address: str | None, proof: NetworkProof) -> tuple[str, ...]:
        return codes(policy(None, CERTIFIED), asked(address, caller="user", network_proof=proof))

    assert ("network.proof",) == said(AWAY, "client_certificate")
    assert ("network.address_not_allowed",) == said(AWAY, "basic")
    assert ("network.row",) == said(OFFICE, "client_certificate")
    assert ("network.address_unknown",) == said(None, "client_certificate")
    assert ("network.address_invalid",) == said("nowhere", "client_certificate")


def test_a_service_has_no_proof() -> None:
    """Whatever is stated of a call of the service, its address decides."""
    request = asked(AWAY, network_proof="client_certificate")

    assert ("network.address_not_allowed",) == codes(policy(None, CERTIFIED), request)
