"""The remedies of a refusal, reason by reason: the table is complete, and each step is what its operation does."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
from types import ModuleType
from typing import Any, Final

import attrs
import pytest

from extlink import catalog
from extlink.domain import access, membership, network_gate, registry
from extlink.domain.access import AccessRequest, Credential, Person, Policy, evaluate, unidentified
from extlink.domain.address import parse_range
from extlink.domain.connector import HTTP
from extlink.domain.connector_rules import ActionRules
from extlink.domain.cure import CURES
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Decision
from extlink.domain.edition import EDITIONS
from extlink.domain.flow import Flow
from extlink.domain.grant import Rule, Rules, UserGrantPolicy, UserRules
from extlink.domain.identifier import ClientId, OrganizationId
from extlink.domain.instant import Instant
from extlink.domain.link import LinkState
from extlink.domain.messages import LANGUAGES, PARAMS, render, who
from extlink.domain.network import IPRestriction, Row
from extlink.domain.pin import Pin
from extlink.domain.registry import ServiceState
from extlink.domain.remedy import Action, Remedy
from extlink.domain.unfixable import UNFIXABLE
from tests.domain.test_access import (
    KINTONE,
    LINK,
    MEMBER,
    NOW,
    OUTLOOK,
    POWER,
    READ,
    REQUEST,
    RULE,
    RULES,
    SATO,
    SLACK,
    policy,
)

# Where the gates say why.
GATES: Final = (access, membership, network_gate, registry)
# What the token ledger says of an access token that is presented.
TOKENS: Final = {
    "token.unknown",
    "token.expired",
    "token.superseded",
    "token.wrong_kind",
    "token.wrong_audience",
    "link.missing",
}
ELSEWHERE: Final = "198.51.100.9"


def said(module: ModuleType) -> set[str]:
    """Return the reason codes that a module's text names."""
    texts = {
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return texts & PARAMS.keys()


def is_evidence(code: str) -> bool:
    """Return whether a code says what is so, and not what to do about it."""
    params = dict.fromkeys(PARAMS[code], "x")
    return who(code) == "nobody" and not any(render(code, "remedy", params, one) for one in LANGUAGES)


def test_every_reason_of_every_gate_has_a_row() -> None:
    """Steps that put it right, or why there are none; a reason that somebody adds to a gate is missed here."""
    refusing = {code for module in GATES for code in said(module) if not is_evidence(code)} | TOKENS

    assert set() == refusing - CURES.keys() - UNFIXABLE.keys()
    assert set() == (CURES.keys() | UNFIXABLE.keys()) - PARAMS.keys()
    assert set() == CURES.keys() & UNFIXABLE.keys()


@pytest.mark.parametrize("code", sorted(PARAMS.keys() - CURES.keys() - UNFIXABLE.keys()))
def test_every_other_reason_says_what_to_do(code: str) -> None:
    """What an operation refuses is put right outside: a sentence in each language; evidence needs none."""
    params = dict.fromkeys(PARAMS[code], "x")

    assert is_evidence(code) or all(render(code, "remedy", params, one) for one in LANGUAGES)


@pytest.mark.parametrize("code", sorted(CURES))
def test_what_has_steps_says_who_takes_them(code: str) -> None:
    """A sentence in each language and a role that is somebody's."""
    params = dict.fromkeys(PARAMS[code], "x")

    assert all(render(code, "remedy", params, one) for one in LANGUAGES)
    assert "nobody" != who(code)


def plan(rules: Policy, request: AccessRequest = REQUEST) -> list[tuple[str, str]]:
    """Return the remedies of a refusal: for which reason each is, and what is done."""
    decision = evaluate(rules, request)
    assert not decision.allowed
    assert not (decision.remedies and decision.unfixable)
    return [(one.code, one.action.name) for one in decision.remedies if one.action is not None]


def stuck(rules: Policy, request: AccessRequest = REQUEST) -> list[str]:
    """Return why a refusal has no remedies."""
    decision = evaluate(rules, request)
    assert () == decision.remedies
    return [one.code for one in decision.unfixable]


def asked(**changes: Any) -> AccessRequest:
    """Return the usual question, but for what is stated."""
    return attrs.evolve(REQUEST, **changes)


def presented(*notes: str, **changes: Any) -> AccessRequest:
    """Return the usual question with a link and a token of which something is wrong."""
    link = attrs.evolve(LINK, **changes)
    return asked(credential=Credential(link=link, notes=tuple((one, {}) for one in notes), scopes=link.scopes))


def test_nothing_is_to_be_done_where_nothing_is_refused() -> None:
    """An allowed decision has neither remedies nor anything that cannot be put right."""
    decision = evaluate(policy(), REQUEST)

    assert ((), ()) == (decision.remedies, decision.unfixable)


def test_the_service_comes_before_the_user_and_the_user_before_the_link() -> None:
    """The order is that in which it can be done: a consent page refuses whom the administrators refuse."""
    rules = policy(service={"state": ServiceState.DISABLED}, granted=None)

    assert [
        ("service.disabled", "services.enable"),
        ("grant.missing", "grants.allow"),
        ("link.expired", "outside.connect"),
    ] == plan(rules, presented(expires=NOW))


def test_what_kept_an_old_link_does_not_let_a_new_one_in() -> None:
    """The exclusion that spared the link has to go before the user can connect again."""
    excluded = Rule().opened(5, Instant(9_500), None, "direct", "keep")

    assert [("grant.excluded", "grants.include"), ("link.expired", "outside.connect")] == plan(
        policy(excluded=excluded), presented(expires=NOW)
    )


def test_connecting_again_is_said_once() -> None:
    """However much is wrong with a token and its link, a new one has none of it: the words are of what weighs most."""
    request = presented("token.expired", state=LinkState.REVOKED, expires=NOW)

    assert [("link.revoked", "outside.connect")] == plan(policy(), request)


def test_a_fresh_token_needs_what_its_link_permits() -> None:
    """Who may not refresh connects again: the refresh asks for every operation of the link."""
    limited = Rule().opened(1, Instant(8_000), None, "direct", scopes=frozenset({READ}))

    assert [("token.expired", "outside.connect")] == plan(policy(granted=limited), presented("token.expired"))
    assert [("token.expired", "outside.present_token")] == plan(policy(), presented("token.expired"))


def test_a_fresh_token_has_the_same_audience() -> None:
    """Another token of the same link does not help where the link was made for somebody else."""
    request = presented("token.expired", "token.wrong_audience")

    assert [("token.expired", "outside.connect")] == plan(policy(), request)


def test_without_a_link_there_is_nothing_to_refresh() -> None:
    """A token of which only the fault is known is answered by connecting."""
    request = asked(credential=Credential(link=None, notes=(("token.expired", {}),)))

    assert [("token.expired", "outside.connect")] == plan(policy(), request)


def test_a_paused_link_is_resumed_and_not_made_again() -> None:
    """The operation is the first of two that are as few."""
    assert [("link.suspended", "links.resume")] == plan(policy(), presented(state=LinkState.SUSPENDED))


def test_a_client_that_was_removed_is_not_connected_again() -> None:
    """The remedy is another client: an administrator's, and then the user's."""
    rules = attrs.evolve(policy(), removed_clients=frozenset({LINK.client, ClientId("other")}))
    decision = evaluate(rules, REQUEST)

    assert [("client.removed", "outside.connect")] == plan(rules)
    assert "common_administrator" == decision.remedies[0].who


def test_connecting_again_is_no_way_round_published_ranges() -> None:
    """A link that had to come from there stands for one that has to."""
    assert ["network.ranges_unknown"] == stuck(policy(), presented(pinned=True, expires=NOW))


def test_an_address_is_added_as_it_is_written_in_the_list() -> None:
    """An address in another spelling is the same row; where customers do not set the list, the support does."""
    decision = evaluate(policy(), asked(address=f"::ffff:{ELSEWHERE}"))
    foreign = evaluate(policy(tenant={"edition": "CN"}), asked(address=ELSEWHERE))

    row = Row(range=parse_range(ELSEWHERE))
    assert [Action("networks.add", {"rows": (row,)})] == [one.action for one in decision.remedies]
    assert [("network.not_self_service", "vendor")] == [(one.code, one.who) for one in foreign.remedies]


def test_what_the_list_cannot_hold_is_said() -> None:
    """No advice that the very next operation refuses: the obstacle is named instead."""
    full = IPRestriction("allow_some", [Row(range=parse_range(f"10.0.{n // 256}.{n % 256}")) for n in range(2_900)])

    assert ["network.ipv4_only"] == stuck(policy(), asked(address="2001:db8::1"))
    assert ["network.row_limit"] == stuck(policy(network=full), asked(address=ELSEWHERE))


@pytest.mark.parametrize(("address", "rows"), [("203.0.113.7", 1), (ELSEWHERE, 2)])
def test_a_denial_of_all_becomes_a_list_and_never_open(address: str, rows: int) -> None:
    """The rows there were hold again, with the address if it is in none of them."""
    office = Row(range=parse_range("203.0.113.0/24"), memo="本社")
    decision = evaluate(policy(network=IPRestriction("deny_all", [office])), asked(address=address))
    (remedy,) = decision.remedies

    assert remedy.action is not None
    assert ("networks.restrict", rows) == (remedy.action.name, len(remedy.action.arguments["rows"]))  # type: ignore[arg-type]


def test_a_missing_product_is_advised_only_where_it_is_sold() -> None:
    """There is no Garoon in the US: neither for a domain nor for a user."""
    definition = attrs.evolve(catalog.POWER_AUTOMATE, products={"garoon"}, scopes=(), triggers=(), steps=())
    domain = {"products": frozenset({"kintone"})}
    nobody = Person(attrs.evolve(MEMBER, products=frozenset()))
    request = asked(scopes=frozenset())

    assert [("service.product_missing", "outside.subscribe")] == plan(
        policy(tenant=domain, service={"service": definition}), request
    )
    assert ["service.product_missing"] == stuck(
        policy(tenant={**domain, "edition": "US"}, service={"service": definition}), request
    )
    assert [("user.product_missing", "outside.give_product")] == plan(policy(person=nobody))


def test_a_data_policy_is_saved_as_power_platform_would_save_it() -> None:
    """A copy from the time of older rules loses what they let be saved, or the operation would refuse it."""
    older = DataPolicy(
        id="older",
        business={KINTONE},
        blocked={OUTLOOK, SLACK},
        actions=[ActionRules(connector=OUTLOOK, rules={"x": "deny"})],
    )
    (remedy,) = evaluate(policy(policies=[older]), asked(connectors=frozenset({KINTONE, SLACK}))).remedies

    assert remedy.action is not None
    saved = remedy.action.arguments["policy"]
    assert isinstance(saved, DataPolicy)
    assert ({KINTONE, SLACK}, "service_administrator") == (set(saved.business), remedy.who)
    assert not saved.blocked


def test_two_policies_are_two_steps() -> None:
    """A step for each policy that has to change, since each is saved as a whole."""
    other = DataPolicy(id="other", business={KINTONE}, blocked={"shared_twitter"})
    one = DataPolicy(id="one", business={KINTONE})

    assert [("datagroup.mixed", "datagroups.set_policy")] * 2 == plan(policy(policies=[one, other]))


@pytest.mark.parametrize(
    ("flow", "code"),
    [
        (Flow({KINTONE, OUTLOOK}, actions={KINTONE: ["DeleteRecord"]}), "datagroup.action_blocked"),
        (Flow({KINTONE, HTTP}, endpoints={HTTP: ["https://evil.example/"]}), "datagroup.endpoint_denied"),
    ],
)
def test_what_a_flow_may_not_do_is_not_for_moves_to_change(flow: Flow, code: str) -> None:
    """Rules on actions and endpoints are their administrator's word; groups do not help."""
    assert [code] == stuck(policy(policies=[RULES]), asked(connectors=flow))


def test_an_exclusion_of_everyone_is_no_operation_of_ours() -> None:
    """Nothing can be excluded so, and so nothing included."""
    rules = attrs.evolve(
        policy(), grants={POWER: UserGrantPolicy(POWER, {SATO: UserRules(RULE)}, excluded=Rules(everyone=RULE))}
    )

    assert ["grant.excluded"] == stuck(rules)


def test_an_exclusion_names_whom_it_was_made_for() -> None:
    """Two organizations that are excluded are two steps; each is lifted for all its people."""
    paths = ((OrganizationId("hq"), OrganizationId("sales")),)
    closed = {one: Rule().opened(2, Instant(8_500), None, "subtree", "suspend") for one in paths[0]}
    rules = attrs.evolve(
        policy(person=Person(attrs.evolve(MEMBER, organizations=paths))),
        grants={POWER: UserGrantPolicy(POWER, {SATO: UserRules(RULE)}, excluded=Rules(organizations=closed))},
    )

    found = evaluate(rules, REQUEST).remedies

    assert [("hq",), ("sales",)] == [one.action and one.action.arguments["organizations"] for one in found]


@pytest.mark.parametrize(
    ("rules", "request_", "code"),
    [
        (policy(service={"state": ServiceState.QUARANTINED}, granted=None), REQUEST, "service.quarantined"),
        (policy(service={"service": catalog.GOOGLE_HANGOUTS_CHAT}), asked(scopes=frozenset()), "service.unavailable"),
        (policy(person=Person(None, answered=False)), REQUEST, "directory.unavailable"),
        (
            attrs.evolve(
                policy(person=Person(None, remembered=False)),
                grants={POWER: UserGrantPolicy(POWER, granted=Rules(organizations={OrganizationId("hq"): RULE}))},
            ),
            REQUEST,
            "membership.unknown",
        ),
        (policy(), asked(address=None), "network.address_unknown"),
        (policy(), asked(service=None), "service.unidentified"),
        (
            attrs.evolve(policy(), pins={POWER: Pin([Row(range=parse_range("192.0.2.0/24"))])}),
            REQUEST,
            "network.not_published",
        ),
    ],
)
def test_what_cannot_be_put_right_is_said(rules: Policy, request_: AccessRequest, code: str) -> None:
    """Whatever else could be done, the request would stay refused: nothing is advised, and the reason is named."""
    assert code in stuck(rules, request_)


def test_a_reason_that_nobody_knows_has_no_steps() -> None:
    """A host that evaluates with notes of its own gets an answer."""
    assert ["made.up"] == stuck(policy(), presented("made.up"))


def test_a_decision_without_its_question_keeps_silent() -> None:
    """A token that names nothing, and a decision read back from bytes: what would help cannot be verified."""
    decision = evaluate(policy(granted=None), REQUEST)
    restored = pickle.loads(pickle.dumps(decision))  # noqa: S301 - of our own

    assert decision.remedies
    assert (decision, (), ()) == (restored, restored.remedies, restored.unfixable)
    assert ((), ()) == (unidentified().remedies, unidentified().unfixable)
    stopped = copy.copy(evaluate(policy(service={"state": ServiceState.QUARANTINED}), REQUEST))
    assert ["service.quarantined"] == [one.code for one in stopped.unfixable]


def test_the_question_is_no_part_of_the_answer() -> None:
    """Two decisions are equal and print alike whatever they were asked about."""
    decision = evaluate(policy(granted=None), REQUEST)
    bare = Decision(decision.findings, decision.required)

    assert (bare, repr(bare)) == (decision, repr(decision))


def test_remedies_link_the_pages_of_the_edition() -> None:
    """The edition's page on IP addresses and on users, Microsoft's on data groups, the account page: nothing else."""
    network = evaluate(policy(), asked(address=ELSEWHERE)).remedies[0]
    groups = evaluate(policy(policies=[DataPolicy(id="C", business={KINTONE})]), REQUEST).remedies[0]
    link = evaluate(policy(), presented(expires=NOW)).remedies[0]
    grant = evaluate(policy(granted=None), REQUEST).remedies[0]
    person = evaluate(policy(person=Person(None)), REQUEST).remedies[0]

    assert [one.ip_page for one in EDITIONS.values()] == [network.link(name) for name in EDITIONS]
    assert groups.link("JP") == "https://docs.microsoft.com/ja-jp/flow/introduction-to-data-groups"
    assert all("cooperation" in (link.link(name) or "") for name in EDITIONS)
    assert all("externalservices" in (grant.link(name) or "") for name in EDITIONS)
    assert [None, None] == [person.link("JP"), network.link("Mars")]


def test_a_service_that_is_not_there_has_no_pages_of_its_own() -> None:
    """Its definition would name them; how to enable a service is on the edition's page."""
    rules = attrs.evolve(policy(), registry=attrs.evolve(policy().registry, services={}))
    decision = evaluate(rules, asked(credential=Credential(link=None)))

    assert ["services.register", "services.enable", "outside.connect"] == [
        one.action.name for one in decision.remedies if one.action
    ]
    assert [False, True, False] == [one.link("JP") is not None for one in decision.remedies]


def test_a_remedy_that_somebody_makes_names_no_action_of_itself() -> None:
    """A reason's own has one, and so has a plan's; by itself it is words and a role."""
    remedy = Remedy("grant.missing", {"service": "slack", "user": "sato"})

    assert (None, "common_administrator") == (remedy.action, remedy.who)
