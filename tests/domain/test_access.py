from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import Any, Final

import attrs
import pytest

from extlink import catalog
from extlink.domain.access import (
    ENDED,
    AccessRequest,
    Credential,
    Person,
    Policy,
    evaluate,
    is_allowed,
    link_notes,
    unidentified,
)
from extlink.domain.address import parse_range
from extlink.domain.connector import HTTP
from extlink.domain.connector_rules import ActionRules, EndpointRules
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import GATES, Answer, Decision, Gate
from extlink.domain.directory import Member, Status
from extlink.domain.edition import Edition
from extlink.domain.flow import Flow
from extlink.domain.grant import Existing, Rule, Rules, UserGrantPolicy, UserRules
from extlink.domain.identifier import ClientId, ConnectorId, GroupId, LinkId, Scope, ServiceId, TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Code, Link, LinkState
from extlink.domain.network import IPRestriction, Row
from extlink.domain.policy import current_epochs
from extlink.domain.registry import HostService, RegisteredService, ServiceRegistry, ServiceState
from extlink.domain.tenant import Epochs, Tenant, UserState
from extlink.errors import AccessDenied

POWER: Final = ServiceId("power-automate")
SATO: Final = UserId("sato")
READ, WRITE, MAIL = Scope("k:app_record:read"), Scope("k:app_record:write"), Scope("g:todo:read")
KINTONE, OUTLOOK, SLACK = ConnectorId("shared_kintone"), ConnectorId("shared_office365"), ConnectorId("shared_slack")
NOW: Final = Instant(10_000)
OFFICE: Final = "203.0.113.7"
LINK: Final = Link(
    id=LinkId("AAAAAAAAAAAAAAAAAAAAAA"),
    owner=SATO,
    service=POWER,
    client=ClientId("pa"),
    public=False,
    state=LinkState.LIVE,
    epochs=Epochs(),
    grants_at=1,
    scopes=frozenset({READ, WRITE}),
    resource=None,
    accepted_at=Instant(9_000),
    expires=Instant(20_000),
    code=Code(digest=b"", expires=Instant(9_060), redirect_uri="https://client.example/cb", challenge=None),
)
MEMBER: Final = Member(
    id=SATO, display_name="佐藤", products=frozenset({"kintone"}), groups=frozenset({GroupId("staff")})
)
RULE: Final = Rule().opened(1, Instant(8_000), None, "direct")
GOOD: Final = Credential(link=LINK, scopes=frozenset({READ, WRITE}))
REQUEST: Final = AccessRequest(
    service=POWER,
    user=SATO,
    at=NOW,
    scopes=frozenset({READ}),
    address=OFFICE,
    connectors=frozenset({KINTONE, OUTLOOK}),
    credential=GOOD,
)
RULES: Final = DataPolicy(
    id="rules",
    actions=[ActionRules(connector=KINTONE, rules={"DeleteRecord": "deny"})],
    endpoints=[EndpointRules(connector=HTTP, rules=[("https://good.example/*", "allow"), ("*", "deny")])],
)
DEV_ONLY: Final = DataPolicy(
    id="dev-only", blocked={"shared_slack"}, scope="only", environments=["dev"], exempt=["flow-1"]
)
SAME_GROUP: Final = DataPolicy(id="standard", business={KINTONE, OUTLOOK}, blocked={"shared_twitter"})


def policy(
    *,
    tenant: dict[str, Any] | None = None,
    service: dict[str, Any] | None = None,
    everywhere: HostService | None = None,
    granted: Rule | None = RULE,
    excluded: Rule | None = None,
    person: Person | None = None,
    network: IPRestriction | None = None,
    policies: Iterable[DataPolicy] = (SAME_GROUP,),
) -> Policy:
    """Return a policy under which REQUEST is allowed, but for what is stated."""
    facts: dict[str, Any] = {
        "id": TenantId("acme"),
        "edition": "JP",
        "products": frozenset({"kintone", "garoon"}),
        **(tenant or {}),
    }
    known: dict[str, Any] = {"service": catalog.POWER_AUTOMATE, "state": ServiceState.ENABLED, **(service or {})}
    named = UserRules(granted or Rule(), excluded or Rule())
    return Policy(
        registry=ServiceRegistry(
            Tenant(**facts), {POWER: RegisteredService(**known)}, {} if everywhere is None else {POWER: everywhere}
        ),
        grants={POWER: UserGrantPolicy(POWER, {SATO: named})},
        people={SATO: person or Person(MEMBER)},
        network=network or IPRestriction("allow_some", [Row(range=parse_range("203.0.113.0/24"), memo="本社")]),
        data_groups=DataGroupPolicy(tuple(policies)),
    )


def decide(rules: Policy, request: AccessRequest = REQUEST) -> Decision:
    """Return the full decision; the quick answer must agree (law 3)."""
    decision = evaluate(rules, request)
    assert decision.allowed is bool(decision) is is_allowed(rules, request)
    return decision


def codes(decision: Decision) -> tuple[str, ...]:
    """Return the codes of all reasons, in the order of the gates."""
    return tuple(reason.code for reason in decision.reasons)


def params(decision: Decision) -> list[dict[str, object]]:
    """Return the parameters of all reasons."""
    return [dict(reason.params) for reason in decision.reasons]


# --- Everything passes -------------------------------------------------------------------------------------------


def test_an_allow_carries_its_evidence() -> None:
    """DESIGN 3: which grant, which row, which link - one reason for every gate."""
    decision = decide(policy())

    assert [
        ("service", "passed", "service.enabled", {"service": POWER}),
        ("user", "passed", "grant.user", {"service": POWER, "user": SATO}),
        (
            "network",
            "passed",
            "network.row",
            {"address": OFFICE, "row": "203.0.113.0/24", "memo": "本社", "source": ""},
        ),
        ("data_group", "passed", "datagroup.same_group", {"connectors": (KINTONE, OUTLOOK)}),
        ("link", "passed", "link.live", {"link": LINK.id}),
    ] == [
        (result.gate, str(result.answer), result.reasons[0].code, dict(result.reasons[0].params))
        for result in decision.gates
    ]
    assert () == decision.reasons
    decision.require()


def test_the_same_question_has_the_same_answer() -> None:
    """The evaluator is a pure function: asked twice, it says the same."""
    assert evaluate(policy(), REQUEST) == evaluate(policy(), REQUEST)


# --- Each gate, each code ----------------------------------------------------------------------------------------

Broken = tuple[dict[str, Any], dict[str, Any], list[str]]


def without(product: str) -> Person:
    """Return sato without a product."""
    return Person(attrs.evolve(MEMBER, products=MEMBER.products - {product}))


def member(status: Status) -> Person:
    """Return sato with a status of the directory."""
    return Person(attrs.evolve(MEMBER, status=status))


def link(**changes: Any) -> Credential:
    """Return the credential of a changed link."""
    return attrs.evolve(GOOD, link=attrs.evolve(LINK, **changes))


SOME: Final = IPRestriction("allow_some", [Row(range=parse_range("198.51.100.0/24"))])
BROKEN: Final[dict[str, Broken]] = {
    # What is wrong: changes to the policy, changes to the request, the codes of the refusal.
    "service unknown": ({}, {"service": ServiceId("teams"), "user": None, "credential": None}, ["service.unknown"]),
    "service of another edition": (
        {"tenant": {"edition": "CN"}, "service": {"service": attrs.evolve(catalog.POWER_AUTOMATE, editions={"JP"})}},
        {},
        ["service.not_in_edition"],
    ),
    "tenant without product": ({"tenant": {"products": frozenset[str]()}}, {}, ["service.product_missing"]),
    "service unavailable": (
        {
            "service": {
                "service": attrs.evolve(catalog.POWER_AUTOMATE, availability=catalog.GOOGLE_HANGOUTS_CHAT.availability)
            }
        },
        {},
        ["service.unavailable"],
    ),
    "service not enabled": ({"service": {"state": ServiceState.UNCONFIGURED}}, {}, ["service.not_enabled"]),
    "service disabled": ({"service": {"state": ServiceState.DISABLED}}, {}, ["service.disabled"]),
    "service quarantined": ({"service": {"state": ServiceState.QUARANTINED}}, {}, ["service.quarantined"]),
    "quarantined everywhere": (
        {"everywhere": HostService(quarantined=True, cause="breach")},
        {},
        ["service.quarantined_everywhere"],
    ),
    "scope undefined": (
        {},
        {
            "scopes": frozenset({Scope("k:x:read")}),
            "credential": attrs.evolve(GOOD, scopes=frozenset({Scope("k:x:read")})),
        },
        ["scope.unknown"],
    ),
    "user unknown": ({"person": Person(None)}, {}, ["user.unknown"]),
    "directory silent": ({"person": Person(None, answered=False)}, {}, ["directory.unavailable"]),
    "user suspended by the directory": ({"person": member("suspended")}, {}, ["user.suspended"]),
    "user suspended by the host": ({"person": Person(MEMBER, UserState("suspended"))}, {}, ["user.suspended"]),
    "user deleted by the directory": ({"person": member("deleted")}, {}, ["user.deleted"]),
    "user deleted by the host": ({"person": Person(None, UserState("deleted"))}, {}, ["user.deleted"]),
    "user without the scope's product": ({"person": without("kintone")}, {}, ["user.product_missing"]),
    "user not granted": ({"granted": None}, {}, ["grant.missing"]),
    "grant over": ({"granted": Rule().opened(1, Instant(0), NOW, "direct")}, {}, ["grant.over"]),
    "user excluded": (
        {"excluded": Rule().opened(1, Instant(0), None, "direct", "suspend")},
        {},
        ["grant.excluded"],
    ),
    "address not allowed": ({"network": SOME}, {}, ["network.address_not_allowed"]),
    "every address denied": ({"network": IPRestriction("deny_all")}, {}, ["network.deny_all"]),
    "address not stated": ({}, {"address": None}, ["network.address_unknown"]),
    "no address under deny all": (
        {"network": IPRestriction("deny_all")},
        {"address": None},
        ["network.address_unknown"],
    ),
    "address unparsable": ({}, {"address": "203.0.113.07"}, ["network.address_invalid"]),
    "connector blocked": ({}, {"connectors": frozenset({KINTONE, "shared_twitter"})}, ["datagroup.blocked"]),
    "connectors mixed": ({}, {"connectors": frozenset({KINTONE, SLACK})}, ["datagroup.mixed"]),
    "action denied": (
        {"policies": (RULES,)},
        {"connectors": Flow([KINTONE], actions={KINTONE: ["DeleteRecord"]})},
        ["datagroup.action_blocked"],
    ),
    "endpoint denied": (
        {"policies": (RULES,)},
        {"connectors": Flow([HTTP], endpoints={HTTP: ["https://bad.example/x?key=secret"]})},
        ["datagroup.endpoint_denied"],
    ),
    "connector blocked in this environment": (
        {"policies": (DEV_ONLY,)},
        {"connectors": frozenset({SLACK}), "environment": "dev"},
        ["datagroup.blocked"],
    ),
    "connector blocked in an environment that nobody names": (
        {"policies": (DEV_ONLY,)},
        {"connectors": frozenset({SLACK})},
        ["datagroup.blocked"],
    ),
    "flow not stated and required": (
        {},
        {"connectors": None, "required": frozenset({"data_group"})},
        ["datagroup.flow_unknown"],
    ),
    "flow not stated in a strict tenant": (
        {"tenant": {"requires_flow_connectors": True}},
        {"connectors": None},
        ["datagroup.flow_unknown"],
    ),
    "no token though required": ({}, {"credential": None, "required": frozenset({"link"})}, ["link.not_asked"]),
    "token of nothing": ({}, {"credential": Credential(link=None)}, ["token.unknown"]),
    "no link": (
        {},
        {"credential": Credential(link=None, notes=(("link.missing", {"service": POWER, "user": SATO}),))},
        ["link.missing"],
    ),
    "link of another user": ({}, {"credential": link(owner=UserId("suzuki"))}, ["link.missing"]),
    "link of another service": ({}, {"credential": link(service=ServiceId("slack"))}, ["link.missing"]),
    "link revoked": ({}, {"credential": link(state=LinkState.REVOKED, ended_by="user")}, ["link.revoked"]),
    "link suspended": ({}, {"credential": link(state=LinkState.SUSPENDED)}, ["link.suspended"]),
    "link not redeemed": ({}, {"credential": link(state=LinkState.CONSENTED)}, ["link.not_redeemed"]),
    "link expired": ({}, {"credential": link(expires=NOW)}, ["link.expired"]),
    "tenant's links ended": ({"tenant": {"epoch": 1}}, {}, ["link.ended"]),
    "service's links ended": ({"service": {"epoch": 1}}, {}, ["link.ended"]),
    "user's links ended": ({"person": Person(MEMBER, UserState("active", 1))}, {}, ["link.ended"]),
    "the host's links ended": ({"everywhere": HostService(epoch=1)}, {}, ["link.ended"]),
    "links ended by a withdrawal": (
        {"granted": RULE.closed(2, Instant(9_500), "revoke").opened(3, Instant(9_600), None, "direct")},
        {},
        ["link.ended"],
    ),
    "scope not covered": ({}, {"credential": attrs.evolve(GOOD, scopes=frozenset({WRITE}))}, ["scope.not_covered"]),
    "token expired": (
        {},
        {"credential": attrs.evolve(GOOD, notes=(("token.expired", {"link": LINK.id}),))},
        ["token.expired"],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_thing_that_is_wrong_has_its_code(name: str) -> None:
    """Of a request that would pass, one thing is wrong: refused with exactly that code, quickly and in full alike."""
    rules, question, wanted = BROKEN[name]

    assert wanted == list(codes(decide(policy(**rules), attrs.evolve(REQUEST, **question))))


def test_every_code_of_the_gates_has_a_test() -> None:
    """No refusal of the five gates is left out above, but those that token and check know alone."""
    assert {
        "service.unknown", "service.not_in_edition", "service.product_missing", "service.unavailable",
        "service.not_enabled", "service.disabled", "service.quarantined", "service.quarantined_everywhere",
        "scope.unknown", "user.unknown", "user.suspended", "user.deleted", "user.product_missing",
        "directory.unavailable", "grant.missing", "grant.over", "grant.excluded", "network.address_unknown",
        "network.address_invalid", "network.address_not_allowed", "network.deny_all", "datagroup.blocked",
        "datagroup.mixed", "datagroup.action_blocked", "datagroup.endpoint_denied",
        "datagroup.flow_unknown", "link.not_asked", "token.unknown", "link.missing",
        "link.revoked", "link.suspended", "link.not_redeemed", "link.expired", "link.ended", "scope.not_covered",
        "token.expired",
    } == {code for _, _, wanted in BROKEN.values() for code in wanted}  # fmt: skip


def lists_every_failing_gate(ask: Callable[[Policy, AccessRequest], Decision]) -> None:
    """Assert that of several things that are wrong each is a reason (N1)."""
    names = ("service disabled", "user not granted", "address not allowed", "connectors mixed", "link suspended")
    for count in range(2, 6):
        for chosen in combinations(names, count):
            rules: dict[str, Any] = {}
            question: dict[str, Any] = {}
            wanted: list[str] = []
            for name in chosen:
                rules |= BROKEN[name][0]
                question |= BROKEN[name][1]
                wanted += BROKEN[name][2]
            assert wanted == list(codes(ask(policy(**rules), attrs.evolve(REQUEST, **question))))


def test_every_failing_gate_is_listed() -> None:
    """One decision over all gates lists every reason, in the order of the gates, for every combination."""
    lists_every_failing_gate(decide)


def test_an_evaluator_that_stops_at_the_first_is_caught() -> None:
    """The broken twin: the administrator mends one thing and meets the next."""

    def hasty(rules: Policy, request: AccessRequest) -> Decision:
        decision = evaluate(rules, request)
        first = next((place for place, (answer, _) in enumerate(decision.findings) if answer is Answer.REFUSED), 5)
        rest = tuple((Answer.NOT_EVALUATED, ()) for _ in decision.findings[first + 1 :])
        return Decision((*decision.findings[: first + 1], *rest))

    with pytest.raises(AssertionError):
        lists_every_failing_gate(hasty)


# --- Reasons of one gate together --------------------------------------------------------------------------------


def test_a_service_with_several_obstacles() -> None:
    """Edition, product, availability, quarantine and an undefined scope are all told."""
    hangouts = attrs.evolve(catalog.GOOGLE_HANGOUTS_CHAT, editions={"US"})
    rules = policy(
        tenant={"products": frozenset[str]()},
        service={"service": hangouts, "state": ServiceState.QUARANTINED, "cause": "leak"},
        everywhere=HostService(quarantined=True, cause="breach"),
    )

    assert (
        "service.not_in_edition",
        "service.product_missing",
        "service.unavailable",
        "service.quarantined_everywhere",
        "service.quarantined",
        "scope.unknown",
    ) == codes(decide(rules))


def test_a_user_with_several_obstacles() -> None:
    """Status, product and grant are all told."""
    rules = policy(person=Person(attrs.evolve(MEMBER, status="suspended", products=frozenset())), granted=None)

    assert ("user.suspended", "user.product_missing", "grant.missing") == codes(decide(rules))


def test_a_silent_directory_says_nothing_of_grants() -> None:
    """Who cannot be asked about is refused for that; what the host told extlink is known all the same."""
    rules = policy(person=Person(None, UserState("deleted"), answered=False), granted=None)

    assert ("directory.unavailable", "user.deleted") == codes(decide(rules))


def test_a_token_with_several_obstacles() -> None:
    """What is wrong with token, state, epochs and date are all told; scopes only of a token that is in order."""
    credential = attrs.evolve(
        link(state=LinkState.REVOKED, ended_by="user", expires=NOW),
        notes=(("token.expired", {"link": LINK.id}),),
        scopes=frozenset(),
    )
    rules = policy(tenant={"epoch": 1}, service={"epoch": 2}, everywhere=HostService(epoch=3))

    assert ["token.expired", "link.revoked", "link.ended", "link.ended", "link.ended", "link.expired"] == list(
        codes(decision := decide(rules, attrs.evolve(REQUEST, credential=credential)))
    )
    assert ["tenant", "service", "host"] == [one["cause"] for one in params(decision) if "cause" in one]


def test_every_scope_that_is_missing_is_named() -> None:
    """All undefined, all not covered, all whose product the user lacks: sorted, one reason each."""
    request = attrs.evolve(REQUEST, scopes=frozenset({READ, MAIL, Scope("b:x"), Scope("a:x")}))
    decision = decide(policy(), request)

    assert [
        ("scope.unknown", "a:x"),
        ("scope.unknown", "b:x"),
        ("user.product_missing", MAIL),
        ("scope.not_covered", "a:x"),
        ("scope.not_covered", "b:x"),
        ("scope.not_covered", MAIL),
    ] == [(reason.code, reason.params["scope"]) for reason in decision.reasons]
    assert (READ, WRITE) == decision.reasons[-1].params["granted"]


# --- The four answers --------------------------------------------------------------------------------------------


def answer(decision: Decision, gate: Gate) -> tuple[str, str]:
    """Return one gate's answer and its reason."""
    result = decision.gate(gate)
    return str(result.answer), result.reasons[0].code


@pytest.mark.parametrize(
    ("gate", "change", "wanted"),
    [
        ("user", {"user": None, "credential": None}, ("not_applicable", "grant.not_applicable")),
        ("network", {"network": "not_applicable"}, ("not_applicable", "network.not_applicable")),
        ("data_group", {"flow": "not_applicable"}, ("not_applicable", "datagroup.not_applicable")),
        ("data_group", {"connectors": None}, ("not_evaluated", "datagroup.flow_unknown")),
        ("link", {"credential": None}, ("not_evaluated", "link.not_asked")),
    ],
)
def test_gates_that_do_not_apply(gate: Gate, change: dict[str, Any], wanted: tuple[str, str]) -> None:
    """T2: what does not apply, or was not asked, neither refuses nor claims to pass, and says why."""
    decision = decide(policy(), attrs.evolve(REQUEST, **change))

    assert (True, wanted) == (decision.allowed, answer(decision, gate))
    assert wanted[1] not in [reason.code for reason in decision.evidence]


@pytest.mark.parametrize("connectors", [None, frozenset({KINTONE, SLACK})])
def test_where_no_data_flows_no_connectors_are_asked_for(connectors: frozenset[ConnectorId] | None) -> None:
    """A tenant that demands connectors demands them of calls, not of the consent page or the token endpoint."""
    request = attrs.evolve(REQUEST, flow="not_applicable", connectors=connectors, required=frozenset({"data_group"}))

    assert decide(policy(tenant={"requires_flow_connectors": True}), request).allowed


@pytest.mark.parametrize("mode", ["allow_all", "deny_all", "allow_some"])
@pytest.mark.parametrize(
    "text", ["", " ", "x", "203.0.113.7 ", "203.0.113.07", "203.0.113.7/32", "203.0.113.7:443", "fe80::1%eth0", "::g"]
)
def test_an_unparsable_address_is_refused_in_every_mode(mode: Any, text: str) -> None:
    """An unparsable client address is never waved through, also where every address is allowed."""
    decision = decide(policy(network=IPRestriction(mode, SOME.rows)), attrs.evolve(REQUEST, address=text))

    assert ("network.address_invalid",) == codes(decision)


def test_a_hostile_address_is_shown_harmlessly() -> None:
    """What the reason names is short ASCII, whatever a proxy passed on."""
    decision = decide(policy(), attrs.evolve(REQUEST, address="\x1b[31m佐藤\ud800" + "x" * 500))

    (found,) = params(decision)
    shown = str(found["address"])
    assert shown.isascii()
    assert "\\ud800" in shown
    assert len(shown) < 200


def test_without_a_restriction_any_address_passes() -> None:
    """Allow all: whatever the address, and also where the host does not know it."""
    rules = policy(network=IPRestriction())

    for address in (OFFICE, "2001:db8::1", None):
        assert ("passed", "network.allow_all") == answer(
            decide(rules, attrs.evolve(REQUEST, address=address)), "network"
        )


def test_no_data_policy_is_a_reason_of_its_own() -> None:
    """A tenant without data policies says so rather than that the connectors share a group."""
    assert ("passed", "datagroup.no_policy") == answer(decide(policy(policies=())), "data_group")


@pytest.mark.parametrize("required", [frozenset[Gate](), frozenset(GATES)])
def test_a_question_about_no_service_is_never_answered_with_a_yes(required: frozenset[Gate]) -> None:
    """Law 1: a token that names nothing of ours is refused, also where nothing is required."""
    request = AccessRequest(service=None, user=None, at=NOW, network="not_applicable", required=required)

    assert not decide(policy(), request).allowed


def test_who_presents_nothing_of_ours_learns_nothing() -> None:
    """The decision on junk is one constant: no gate is asked, no state is told."""
    decision = unidentified()

    assert ("token.unknown",) == codes(decision)
    assert ["not_evaluated"] * 4 + ["refused"] == [str(result.answer) for result in decision.gates]
    assert not decision.allowed
    with pytest.raises(AccessDenied, match=r"token\.unknown"):
        decision.require()


def test_a_policy_that_names_nobody_refuses() -> None:
    """Law 1: without facts the answer is no."""
    bare = Policy(registry=policy().registry)

    assert {"user.unknown", "grant.missing"} <= set(codes(decide(bare)))


@pytest.mark.parametrize("edition", ["JP", "US", "CN"])
def test_the_default_for_services_that_nobody_configured(edition: Edition) -> None:
    """F1: the tenant's explicit default lets an unconfigured service in, and the evidence says so."""
    rules = policy(
        tenant={"unconfigured_services": "allow", "edition": edition}, service={"state": ServiceState.UNCONFIGURED}
    )

    assert ("passed", "service.enabled_by_default") == answer(decide(rules), "service")


# --- Links -------------------------------------------------------------------------------------------------------


def test_a_code_finds_a_consented_link_good() -> None:
    """A link that was agreed to and not yet redeemed is good for its code, and for nothing else."""
    consented = link(state=LinkState.CONSENTED)

    assert decide(policy(), attrs.evolve(REQUEST, credential=attrs.evolve(consented, redeeming=True))).allowed
    assert ("link.not_redeemed",) == codes(decide(policy(), attrs.evolve(REQUEST, credential=consented)))


def test_a_live_link_is_good_for_a_code_too() -> None:
    """The gates pass a second redemption on, so that the rules of the code can end its tokens."""
    assert decide(policy(), attrs.evolve(REQUEST, credential=attrs.evolve(GOOD, redeeming=True))).allowed


def test_a_workspace_connection_needs_no_grant() -> None:
    """T5: a link of the tenant itself serves everybody; the user gate does not apply without a user."""
    request = attrs.evolve(REQUEST, user=None, credential=link(owner=None))

    decision = decide(policy(granted=None), request)

    assert ("not_applicable", "grant.not_applicable") == answer(decision, "user")
    assert decision.allowed
    assert decide(policy(), attrs.evolve(REQUEST, credential=link(owner=None))).allowed


@pytest.mark.parametrize(("existing", "wanted"), [("keep", ()), ("suspend", ("grant.missing",))])
def test_a_kept_link_speaks_for_itself_alone(existing: Existing, wanted: tuple[str, ...]) -> None:
    """A withdrawal that keeps links keeps this one; without the link, or with another's, the user is refused."""
    rules = policy(granted=RULE.closed(2, Instant(9_500), existing))

    assert wanted == codes(decide(rules))
    assert ("grant.missing",) == codes(decide(rules, attrs.evolve(REQUEST, credential=None)))
    stranger = attrs.evolve(REQUEST, credential=link(owner=None))
    assert ("grant.missing",) == codes(decide(rules, stranger))


def test_epochs_are_todays_four_counters() -> None:
    """What a link copies at acceptance: tenant, service, user, host; 0 for what nobody ever ended."""
    rules = policy(
        tenant={"epoch": 1},
        service={"epoch": 2},
        person=Person(MEMBER, UserState("active", 3)),
        everywhere=HostService(epoch=4),
    )

    assert Epochs(1, 2, 3, 4) == current_epochs(rules, POWER, SATO)
    assert Epochs(1, 2, 0, 4) == current_epochs(rules, POWER, None) == current_epochs(rules, POWER, UserId("ito"))
    assert Epochs(1, 0, 3, 0) == current_epochs(rules, ServiceId("slack"), SATO)


LISTED: Final = [
    name
    for name, (_, _, (wanted, *_)) in BROKEN.items()
    if wanted in {"link.revoked", "link.suspended", "link.not_redeemed", "link.expired", "link.ended"}
]


@pytest.mark.parametrize("name", LISTED)
def test_what_a_listing_shows_of_a_link(name: str) -> None:
    """`link_notes` says why a link is not live without a token; nothing for a good one."""
    rules, question, (wanted,) = BROKEN[name]
    shown = question.get("credential", GOOD).link

    assert [wanted] == [code for code, _ in link_notes(policy(**rules), shown, NOW)]
    assert () == link_notes(policy(), LINK, NOW)


def test_which_links_never_come_back() -> None:
    """Revoked, ended and expired links are over, as those of a removed client; others may come back."""
    assert {"link.revoked", "link.ended", "link.expired", "client.removed"} == ENDED


def test_the_whole_tenants_policy_gives_the_same_answer() -> None:
    """A policy that names other services and people too answers about this one alike."""
    rules = policy()
    more = attrs.evolve(
        rules,
        grants={**rules.grants, ServiceId("slack"): UserGrantPolicy(ServiceId("slack"), granted=Rules(everyone=RULE))},
        people={**rules.people, UserId("ito"): Person(None)},
    )

    assert evaluate(rules, REQUEST) == evaluate(more, REQUEST)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"environment": "prod"}, "datagroup.same_group"),
        ({"environment": "dev", "flow_id": "flow-1"}, "datagroup.same_group"),
        ({"flow_id": "flow-1"}, "datagroup.same_group"),
        ({"connectors": Flow([SLACK], environment="prod")}, "datagroup.same_group"),
        ({"connectors": Flow([SLACK], environment="dev", id="flow-1")}, "datagroup.same_group"),
        ({"connectors": Flow([SLACK], environment="prod"), "environment": "dev"}, "datagroup.blocked"),
        ({"connectors": Flow([SLACK], environment="dev")}, "datagroup.blocked"),
    ],
    ids=map(str, range(7)),
)
def test_where_a_flow_lives_and_which_it_is_decides(facts: dict[str, Any], code: str) -> None:
    """R2, R3: both speeds ask the policies that apply; what the request says stands above what the flow says."""
    given = policy(policies=(DEV_ONLY,))
    request = attrs.evolve(REQUEST, **{"connectors": frozenset({SLACK}), **facts})
    result = evaluate(given, request).gate("data_group")

    assert (code,) == tuple(reason.code for reason in result.reasons)
    assert is_allowed(given, request) is evaluate(given, request).allowed is (code == "datagroup.same_group")


def test_the_evidence_of_a_flow_names_all_its_connectors() -> None:
    """Those of the flows that it starts too."""
    flow = Flow([KINTONE], children=[Flow([OUTLOOK], kind="desktop")])
    result = evaluate(policy(), attrs.evolve(REQUEST, connectors=flow)).gate("data_group")

    assert {"connectors": (KINTONE, OUTLOOK)} == dict(result.reasons[0].params)
