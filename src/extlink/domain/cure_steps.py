"""The steps that can put a reason right, each a pure map from one policy and request to the next (law 6).

Rules: a step does what its operation does to the records, or what somebody does outside; where an operation would
refuse, there is no step but the reason for it. No step switches a restriction off, lifts an emergency stop, or goes
round a rule about published ranges. A step that others must come before says which question has to be allowed first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, cast

import attrs

from extlink.domain.address import parse_address, parse_range
from extlink.domain.datagroup import DataGroupPolicy, Move
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.directory import Member
from extlink.domain.edition import EDITIONS
from extlink.domain.grant import Rule, Rules, UserGrantPolicy, UserRules
from extlink.domain.identifier import ClientId, GroupId, LinkId, OrganizationId, Scope, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Code, Link, LinkState
from extlink.domain.localized import LocalizedText
from extlink.domain.network import IPRestriction, Row, check_against
from extlink.domain.policy import AccessRequest, Credential, Person, Policy, current_epochs
from extlink.domain.reason import Reason
from extlink.domain.registry import RegisteredService, ServiceState
from extlink.domain.remedy import Action, Param
from extlink.domain.service import ScopeDefinition, Service

__all__ = ["Case", "Step"]

_NEW_LINK: Final = LinkId("~new")
_NEW_CLIENT: Final = ClientId("~new")
# What is wrong with a token alone: another one of the same link has none of it.
_PASSING: Final = frozenset({"token.expired", "token.superseded", "token.wrong_kind"})
_NO_CODE: Final = Code(digest=b"", expires=Instant(0), redirect_uri="", challenge=None)


class Case(NamedTuple):
    """One reason to put right: what it was said about, and its parameters."""

    policy: Policy
    request: AccessRequest
    service: ServiceId
    params: Mapping[str, Param]

    @property
    def user(self) -> UserId:
        """Whom the user gate refused; it refuses nobody where there is no user."""
        return cast("UserId", self.request.user)

    @property
    def known(self) -> RegisteredService:
        """The registered service; a reason beyond `service.unknown` is never the first without one."""
        return self.policy.registry.services[self.service]


class Step(NamedTuple):
    """One thing to do, and how everything stands after it.

    Args:
        needs: a question that must be allowed before it can be done.
        said: whose sentence and role tell of it, if not those of the reason it puts right.
    """

    action: Action
    policy: Policy
    request: AccessRequest
    needs: AccessRequest | None = None
    said: Reason | None = None


Steps = Iterator[Step | Reason]


# The service gate.


def register(case: Case) -> Steps:
    """Register a definition, which is taken to have the operations that are asked for."""
    before = case.policy.registry.services.get(case.service)
    names = LocalizedText.same(case.service)
    service = (
        Service(id=case.service, names=names, descriptions=names, directions=frozenset({"inbound"}))
        if before is None
        else before.service
    )
    missing = sorted(case.request.scopes - service.scope_names)
    added = tuple(
        ScopeDefinition(name=scope, labels=LocalizedText.same(scope), product="", direction="read") for scope in missing
    )
    defined = attrs.evolve(service, scopes=(*service.scopes, *added))
    after = RegisteredService(defined) if before is None else attrs.evolve(before, service=defined)
    arguments = {"service": case.service, "scopes": tuple(missing)}
    yield Step(Action("services.register", arguments), _registered(case, after), case.request)


def enable(case: Case) -> Steps:
    """Switch the service on."""
    after = attrs.evolve(case.known, state=ServiceState.ENABLED, cause="")
    yield Step(Action("services.enable", {"service": case.service}), _registered(case, after), case.request)


def subscribe(case: Case) -> Steps:
    """Make a product available in the domain, if the edition sells one that will do."""
    tenant = case.policy.registry.tenant
    for product in sorted(case.known.service.products & EDITIONS[tenant.edition].products)[:1]:
        after = attrs.evolve(case.policy.registry, tenant=attrs.evolve(tenant, products=tenant.products | {product}))
        action = Action("outside.subscribe", {"product": product})
        yield Step(action, attrs.evolve(case.policy, registry=after), case.request)


def _registered(case: Case, after: RegisteredService) -> Policy:
    registry = case.policy.registry
    services = {**registry.services, case.service: after}
    return attrs.evolve(case.policy, registry=attrs.evolve(registry, services=services))


# The user gate.


def add_user(case: Case) -> Steps:
    """Add the person to the directory: in no organization and without any product."""
    yield _person(case, Action("outside.add_user", {"user": case.user}), Member(id=case.user, display_name=case.user))


def activate_user(case: Case) -> Steps:
    """Set the person to active in the directory."""
    member = case.policy.people[case.user].member
    if member is not None and member.status == "suspended":
        action = Action("outside.activate_user", {"user": case.user})
        yield _person(case, action, attrs.evolve(member, status="active"))


def give_product(case: Case) -> Steps:
    """Let the person use a product, if the edition sells it."""
    product = cast("str", case.params["product"])
    member = cast("Member", case.policy.people[case.user].member)  # a stranger lacks no product
    if product in EDITIONS[case.policy.registry.tenant.edition].products:
        action = Action("outside.give_product", {"user": case.user, "product": product})
        yield _person(case, action, attrs.evolve(member, products=member.products | {product}))


def resume_user(case: Case) -> Steps:
    """Let a person in again whom extlink was told to refuse."""
    known = case.policy.people[case.user]
    if known.state.status == "suspended":
        after = attrs.evolve(known, state=attrs.evolve(known.state, status="active"))
        people = {**case.policy.people, case.user: after}
        action = Action("users.resume", {"user": case.user})
        yield Step(action, attrs.evolve(case.policy, people=people), case.request)


def _person(case: Case, action: Action, member: Member) -> Step:
    known = case.policy.people.get(case.user, Person(None))
    people = {**case.policy.people, case.user: attrs.evolve(known, member=member)}
    return Step(action, attrs.evolve(case.policy, people=people), case.request)


def allow(case: Case) -> Steps:
    """Grant the service by name, with all its operations and without an end."""
    grants = _grants(case.policy, case.service)
    named = grants.users.get(case.user, UserRules())
    granted = named.granted.opened(_newest(case) + 1, case.request.at, None, "direct")
    after = attrs.evolve(grants, users={**grants.users, case.user: attrs.evolve(named, granted=granted)})
    action = Action("grants.allow", {"service": case.service, "users": (case.user,)})
    yield _granted(case, action, after)


def include(case: Case) -> Steps:
    """Lift the exclusion that the reason names; it may have kept out others too."""
    kind, _, subject = str(case.params["by"]).partition(":")
    grants, edit, at = _grants(case.policy, case.service), _newest(case) + 1, case.request.at
    excluded = grants.excluded
    if kind == "user":
        named = grants.users[case.user]
        users = {**grants.users, case.user: attrs.evolve(named, excluded=named.excluded.closed(edit, at))}
        yield _granted(case, _including(case, users=(case.user,)), attrs.evolve(grants, users=users))
    elif kind == "organization":
        one = OrganizationId(subject)
        organizations = {**excluded.organizations, one: excluded.organizations[one].closed(edit, at)}
        rules = Rules(organizations, excluded.groups, excluded.everyone)
        yield _granted(case, _including(case, organizations=(one,)), attrs.evolve(grants, excluded=rules))
    elif kind == "group":
        group = GroupId(subject)
        groups = {**excluded.groups, group: excluded.groups[group].closed(edit, at)}
        rules = Rules(excluded.organizations, groups, excluded.everyone)
        yield _granted(case, _including(case, groups=(group,)), attrs.evolve(grants, excluded=rules))


def _including(case: Case, **subjects: tuple[str, ...]) -> Action:
    return Action("grants.include", {"service": case.service, **subjects})


def _grants(policy: Policy, service: ServiceId) -> UserGrantPolicy:
    return policy.grants.get(service) or UserGrantPolicy(service)


def _granted(case: Case, action: Action, after: UserGrantPolicy) -> Step:
    grants = {**case.policy.grants, case.service: after}
    return Step(action, attrs.evolve(case.policy, grants=grants), case.request)


def _newest(case: Case) -> int:
    """Return the newest edit of the service's grants that anything here knows of; the next one follows all of them."""
    grants = _grants(case.policy, case.service)
    rules: list[Rule | Rules] = [grants.granted, grants.excluded]
    over = 0
    for named in grants.users.values():
        rules += [named.granted, named.excluded]
        over = max(over, named.over)
    link = None if case.request.credential is None else case.request.credential.link
    return max(over, 0 if link is None else link.grants_at, *(max(rule.begun, rule.ended) for rule in rules))


# The network gate.


def add_address(case: Case) -> Steps:
    """Add the address to the list, if the edition's list can hold it."""
    row = _row(case)
    wanted = attrs.evolve(case.policy.network, rows=(*case.policy.network.rows, row))
    yield from _restricted(case, Action("networks.add", {"rows": (row,)}), wanted)


def restrict(case: Case) -> Steps:
    """Admit the rows there are, and the address, where everybody is refused."""
    network, row = case.policy.network, _row(case)
    wanted = IPRestriction("allow_some", network.rows, network.proofs)
    if not wanted.admits(row.range.text.partition("/")[0]):
        wanted = attrs.evolve(wanted, rows=(*wanted.rows, row))
    yield from _restricted(case, Action("networks.restrict", {"rows": wanted.rows, "expected": network}), wanted)


def _row(case: Case) -> Row:
    return Row(range=parse_range(parse_address(case.params["address"]).text))


def _restricted(case: Case, action: Action, wanted: IPRestriction) -> Steps:
    edition = case.policy.registry.tenant.edition
    obstacles = check_against(wanted, EDITIONS[edition].network, edition=edition)
    # Where customers do not set it, the provider does (TRACE T1): another role, and another sentence.
    provider = next((one for one in obstacles if one.code == "network.not_self_service"), None)
    others = tuple(one for one in obstacles if one is not provider)
    yield from others
    if not others:
        yield Step(action, attrs.evolve(case.policy, network=wanted), case.request, said=provider)


# The data group gate.


def move(case: Case) -> Steps:
    """Put connectors into other groups of a policy that objects, as few as will do: it is saved as a whole.

    Every policy that objects has to change, so it is enough to begin with one of them.
    """
    request, policies = case.request, case.policy.data_groups
    asked = request.connectors or frozenset()
    # Where an action or an endpoint is denied no moves help: that is hopeless, and has been said before.
    found = policies.remedy(asked, request.environment, request.flow_id, host=case.known.service.connector)
    guilty = case.params["policy"] if "policy" in case.params else cast("tuple[str, ...]", case.params["policies"])[0]
    moves = [one for one in cast("tuple[Move, ...]", found) if one.policy == guilty]
    moved = next(one for one in policies.moved(moves).policies if one.id == guilty)
    saved = _saveable(moved, policies)
    others = tuple(one for one in policies.policies if one.id != guilty)
    after = attrs.evolve(case.policy, data_groups=attrs.evolve(policies, policies=(*others, saved)))
    yield Step(Action("datagroups.set_policy", {"policy": saved}), after, request)


def _saveable(policy: DataPolicy, known: DataGroupPolicy) -> DataPolicy:
    """Return a policy without what older rules let be saved and Power Platform refuses at the next edit (R7, R9)."""
    actions = tuple(one for one in policy.actions if one.connector not in known.unblockable)
    return attrs.evolve(policy, blocked=policy.blocked - known.unblockable, actions=actions)


# The link gate.


def connect(case: Case) -> Steps:
    """Let the owner connect anew, with the operations that are asked for.

    It needs what the consent page needs. A link that had to come from published ranges stands for one that has to:
    connecting anew is no way round that.
    """
    request, policy = case.request, case.policy
    old = None if request.credential is None else request.credential.link
    client = _NEW_CLIENT if old is None or old.client in policy.removed_clients else old.client
    link = Link(
        id=_NEW_LINK,
        owner=request.user,
        service=case.service,
        client=client,
        public=False,
        state=LinkState.LIVE,
        epochs=current_epochs(policy, case.service, request.user),
        grants_at=_newest(case),
        scopes=request.scopes,
        resource=None,
        accepted_at=request.at,
        expires=Instant(request.at + 1),
        code=_NO_CODE,
        pinned=old is not None and old.pinned,
    )
    arguments = {"service": case.service, "user": request.user, "scopes": tuple(sorted(request.scopes))}
    needs = _without_traffic(request, request.scopes, None)
    yield Step(Action("outside.connect", arguments), policy, _with(request, link, request.scopes), needs)


def resume_link(case: Case) -> Steps:
    """Let a paused link work again."""
    credential = cast("Credential", case.request.credential)
    link = cast("Link", credential.link)
    after = attrs.evolve(credential, link=attrs.evolve(link, state=LinkState.LIVE))
    action = Action("links.resume", {"link": link.id})
    yield Step(action, case.policy, attrs.evolve(case.request, credential=after))


def present(case: Case) -> Steps:
    """Let the client present the token it should: it fetches one with its refresh token, for all the link permits."""
    credential = cast("Credential", case.request.credential)
    link = credential.link
    if link is not None:
        fresh = attrs.evolve(
            credential, notes=tuple(one for one in credential.notes if one[0] not in _PASSING), scopes=link.scopes
        )
        needs = _without_traffic(case.request, link.scopes, attrs.evolve(fresh, notes=()))
        yield Step(
            Action("outside.present_token", {"link": link.id}),
            case.policy,
            attrs.evolve(case.request, credential=fresh),
            needs,
        )


def _with(request: AccessRequest, link: Link, scopes: frozenset[Scope]) -> AccessRequest:
    return attrs.evolve(request, credential=Credential(link=link, scopes=scopes))


def _without_traffic(request: AccessRequest, scopes: frozenset[Scope], credential: Credential | None) -> AccessRequest:
    """Return the question of the consent page or the token endpoint: no data flows, and no address is asked for."""
    return AccessRequest(
        service=request.service,
        user=request.user,
        at=request.at,
        scopes=scopes,
        network="not_applicable",
        flow="not_applicable",
        credential=credential,
    )
