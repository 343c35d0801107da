"""Memberships that nobody remembers: a yes or a no is one for all of them, whatever else is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import cast

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import catalog
from extlink.domain import membership
from extlink.domain.access import AccessRequest, Credential, Person, Policy, evaluate, is_allowed
from extlink.domain.decision import Answer, Decision, Gate
from extlink.domain.directory import Member
from extlink.domain.grant import Existing, Reach, Rule, Rules, UserGrantPolicy, UserRules
from extlink.domain.identifier import (
    ClientId,
    GroupId,
    LinkId,
    OrganizationId,
    Scope,
    ServiceId,
    TenantId,
    UserId,
)
from extlink.domain.instant import Instant
from extlink.domain.link import Code, Link, LinkState
from extlink.domain.registry import RegisteredService, ServiceRegistry, ServiceState
from extlink.domain.tenant import Epochs, Tenant, UserState

SLACK, SATO = ServiceId("slack"), UserId("sato")
READ, WRITE = Scope("users:read"), Scope("chat:write")
NOW = Instant(100)
SUBJECTS = ("user", "everyone", "sales", "tokyo", "leaders")
EXISTING: tuple[Existing, ...] = ("revoke", "suspend", "keep")
PLACES: tuple[tuple[tuple[str, ...], ...], ...] = ((), (("sales",),), (("sales", "tokyo"),), (("dev",), ("sales",)))


def _changed(rule: Rule, draw: Random, edit: int) -> Rule:
    at = Instant(edit * 10)
    if rule.open is not None and draw.random() < 0.6:
        return rule.closed(edit, at, draw.choice((*EXISTING, None)))
    reach: Reach = draw.choice(("direct", "subtree"))
    until = draw.choice((None, None, Instant(99), Instant(200)))
    return rule.opened(edit, at, until, reach, draw.choice(EXISTING))


def grants_of(seed: int) -> UserGrantPolicy:
    """Return what some edits of a service's grants come to, as in a whole life of it."""
    draw = Random(seed)
    rules = {(side, subject): Rule() for side in ("granted", "excluded") for subject in SUBJECTS}
    subjects = draw.sample(SUBJECTS, draw.randint(1, len(SUBJECTS)))
    for edit in range(1, draw.randint(2, 10)):
        place = draw.choice(("granted", "granted", "excluded")), draw.choice(subjects)
        rules[place] = _changed(rules[place], draw, edit)
    named = rules["granted", "user"]
    if named.open is not None and draw.random() < 0.3:
        limited = attrs.evolve(named.open, scopes=frozenset({READ}))
        rules["granted", "user"] = attrs.evolve(named, tenures=(*named.tenures[:-1], limited))
    sides = {}
    for side in ("granted", "excluded"):
        many = {name: rules[side, name] for name in ("sales", "tokyo") if rules[side, name].tenures}
        groups = {name: rules[side, name] for name in ("leaders",) if rules[side, name].tenures}
        sides[side] = Rules(
            {OrganizationId(name): rule for name, rule in many.items()},
            {GroupId(name): rule for name, rule in groups.items()},
            rules[side, "everyone"],
        )
    over = draw.choice((0, 0, 0, 4))
    users = {SATO: UserRules(rules["granted", "user"], rules["excluded", "user"], over)}
    return UserGrantPolicy(SLACK, users, sides["granted"], sides["excluded"])


def policy_of(grants: UserGrantPolicy, person: Person) -> Policy:
    """Return the policy of a tenant in which slack is enabled."""
    tenant = Tenant(id=TenantId("acme"), edition="JP", products=frozenset({"kintone"}))
    registry = ServiceRegistry(tenant, {SLACK: RegisteredService(catalog.SLACK, ServiceState.ENABLED)})
    return Policy(registry=registry, grants={SLACK: grants}, people={SATO: person})


def members() -> Iterator[Member]:
    """Yield the same person with every membership there can be."""
    for places, leads in product(PLACES, (False, True)):
        yield Member(
            id=SATO,
            display_name="Sato",
            products=frozenset({"kintone"}),
            organizations=tuple(tuple(OrganizationId(one) for one in path) for path in places),
            groups=frozenset({GroupId("leaders")}) if leads else frozenset(),
        )


def link_of(accepted: int) -> Link:
    """Return sato's link, accepted at an edit."""
    return Link(
        id=LinkId("l1"),
        owner=SATO,
        service=SLACK,
        client=ClientId("c1"),
        public=True,
        state=LinkState.LIVE,
        epochs=Epochs(),
        grants_at=accepted,
        scopes=frozenset({READ, WRITE}),
        resource=None,
        accepted_at=Instant(1),
        expires=Instant(1_000),
        code=Code(digest=b"", expires=Instant(2), redirect_uri="", challenge=None),
    )


def request_of(accepted: int | None, scopes: frozenset[Scope] = frozenset()) -> AccessRequest:
    """Return a question about sato, or about sato's link."""
    link = None if accepted is None else link_of(accepted)
    return AccessRequest(
        service=SLACK,
        user=SATO,
        at=NOW,
        scopes=scopes,
        network="not_applicable",
        flow="not_applicable",
        credential=None if link is None else Credential(link=link, scopes=link.scopes),
    )


FORGOTTEN = Person(None, remembered=False)


def unsound(decision: Decision, known: list[Decision]) -> list[str]:
    """Return the gates of a decision that say something else than with some membership."""
    found: list[str] = []
    for name in cast("tuple[Gate, ...]", ("user", "link")):
        answer = decision.gate(name).answer
        if answer in {Answer.PASSED, Answer.REFUSED} and any(one.gate(name).answer != answer for one in known):
            found.append(name)
    return found


def _case(seed: int) -> tuple[UserGrantPolicy, AccessRequest]:
    draw = Random(seed)
    scopes = draw.choice((frozenset[Scope](), frozenset({READ}), frozenset({READ, WRITE})))
    return grants_of(seed), request_of(draw.choice((None, 0, 1, 2, 3, 5)), scopes)


@given(st.integers(0, 2**40))
def test_what_is_said_without_memberships_holds_with_any(seed: int) -> None:
    """A gate that passes or refuses does so whatever the person belonged to; and both speeds say the same (law 3)."""
    grants, request = _case(seed)
    decision = evaluate(policy_of(grants, FORGOTTEN), request)
    known = [evaluate(policy_of(grants, Person(member)), request) for member in members()]

    assert [] == unsound(decision, known)
    assert decision.allowed is is_allowed(policy_of(grants, FORGOTTEN), request)
    assert not (decision.allowed and decision.is_unknown)


def test_it_is_often_a_yes_or_a_no_and_sometimes_unknown() -> None:
    """Of each answer there is enough among the cases, so that none is proved of nothing."""
    answers = [evaluate(policy_of(grants, FORGOTTEN), request) for grants, request in map(_case, range(600))]
    said = [decision.gate("user").answer for decision in answers]

    assert all(said.count(answer) > 50 for answer in (Answer.PASSED, Answer.REFUSED, Answer.NOT_EVALUATED))
    assert sum("membership.unknown" in {one.code for one in decision.gate("link").reasons} for decision in answers) > 30


@pytest.mark.parametrize("stands_for", [Person(None), Person(next(members()))])
def test_who_takes_the_unknown_for_something_is_caught(stands_for: Person) -> None:
    """The broken twins: a person without memberships taken for one who belongs to nothing, or is not there."""
    wrong = 0
    for grants, request in map(_case, range(300)):
        known = [evaluate(policy_of(grants, Person(member)), request) for member in members()]
        wrong += bool(unsound(evaluate(policy_of(grants, stands_for), request), known))

    assert wrong


def _decided(grants: UserGrantPolicy, request: AccessRequest | None = None, state: UserState | None = None) -> Decision:
    person = attrs.evolve(FORGOTTEN, state=state or UserState())
    return evaluate(policy_of(grants, person), request or request_of(None))


OPEN = Rule().opened(1, Instant(0), None, "subtree")


def test_an_organizations_grant_leaves_it_open() -> None:
    """Neither a yes nor a no: the gate is not evaluated, it is required, and the reason says why."""
    decision = _decided(UserGrantPolicy(SLACK, granted=Rules(organizations={OrganizationId("sales"): OPEN})))

    assert not decision.allowed
    assert decision.is_unknown
    assert Answer.NOT_EVALUATED is decision.gate("user").answer
    assert ["membership.unknown"] == [reason.code for reason in decision.reasons]


def test_a_grant_by_name_is_a_yes() -> None:
    """As long as no organization or group is excluded; what the host said of the user counts."""
    named = {SATO: UserRules(granted=OPEN)}

    assert _decided(UserGrantPolicy(SLACK, named)).allowed
    assert _decided(UserGrantPolicy(SLACK, named, excluded=Rules(groups={GroupId("leaders"): OPEN}))).is_unknown
    suspended = _decided(UserGrantPolicy(SLACK, named), state=UserState("suspended"))
    assert ["user.suspended"] == [reason.code for reason in suspended.reasons]


def test_somebody_named_nowhere_is_a_no() -> None:
    """Where only the grants of others are known, or the person is excluded by name."""
    sales = Rules(organizations={OrganizationId("sales"): OPEN})
    excluded = {SATO: UserRules(excluded=OPEN)}

    assert ["grant.missing"] == [reason.code for reason in _decided(UserGrantPolicy(SLACK)).reasons]
    assert ["grant.excluded"] == [reason.code for reason in _decided(UserGrantPolicy(SLACK, excluded, sales)).reasons]


def test_a_products_operation_is_unknown() -> None:
    """Which products a person could use is in the directory as well."""
    scope = attrs.evolve(catalog.SLACK.scopes[0], product="kintone")
    service = attrs.evolve(catalog.SLACK, scopes=(scope, *catalog.SLACK.scopes[1:]))
    policy = policy_of(UserGrantPolicy(SLACK, {SATO: UserRules(granted=OPEN)}), FORGOTTEN)
    registry = ServiceRegistry(policy.registry.tenant, {SLACK: RegisteredService(service, ServiceState.ENABLED)})
    asked = request_of(None, frozenset({scope.name}))

    assert evaluate(policy, asked).allowed
    assert evaluate(attrs.evolve(policy, registry=registry), asked).is_unknown


def test_of_a_service_that_nobody_registered_nothing_is_unknown() -> None:
    """The service gate refuses, so that the whole is a no."""
    policy = policy_of(UserGrantPolicy(SLACK, {SATO: UserRules(granted=OPEN)}), FORGOTTEN)
    empty = attrs.evolve(policy, registry=ServiceRegistry(policy.registry.tenant), grants={})

    assert not evaluate(empty, request_of(None, frozenset({READ}))).is_unknown


def test_a_link_of_the_tenant_belongs_to_nobody() -> None:
    """No grant ends it, and nobody's memberships matter."""
    link = attrs.evolve(link_of(1), owner=None)

    assert False is membership.is_ended(policy_of(UserGrantPolicy(SLACK), FORGOTTEN), link)
