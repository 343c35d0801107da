"""The decision: one pure function over five gates, in two speeds with one truth (DESIGN 3).

`evaluate` runs every gate and gives every reason; `is_allowed` stops at the first refusal. Law 3 ties them: the same
answer on every input.

    service     unknown; not available in this edition or product; unavailable; not enabled; quarantined
    user        unknown; suspended; without the product the scope belongs to; not granted; grant over
    network     the restriction refuses the address; the address cannot be parsed
    data group  the connectors of the flow are blocked or mixed in any policy
    link        no live link; token unknown, expired, ended, of the wrong kind or audience; scope not covered
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import attrs

from extlink.domain.address import parse_address
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.decision import Answer, Decision, Finding, Gate, Note
from extlink.domain.directory import Member
from extlink.domain.grant import UserGrantPolicy
from extlink.domain.identifier import ConnectorId, Scope, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkState
from extlink.domain.network import IPRestriction
from extlink.domain.registry import ServiceRegistry
from extlink.domain.tenant import Epochs, UserState
from extlink.errors import InvalidInput

__all__ = [
    "AccessRequest",
    "Credential",
    "Person",
    "Policy",
    "current_epochs",
    "evaluate",
    "is_allowed",
    "link_notes",
    "unidentified",
]

_ACTIVE: Final = UserState()
_NO_RESTRICTION: Final = IPRestriction()
_NO_POLICIES: Final = DataGroupPolicy()
_DATA_GROUP: Final[frozenset[Gate]] = frozenset({"data_group"})


@attrs.frozen
class Person:
    """What is known of a user: the directory's answer and what the host told extlink.

    Args:
        member: None if the directory knows no such person.
        state: extlink's own record.
        answered: False if the directory failed; the user gate then refuses, whatever else is known.
    """

    member: Member | None
    state: UserState = _ACTIVE
    answered: bool = True


_STRANGER: Final = Person(None)


@attrs.frozen(kw_only=True)
class Policy:
    """Everything one tenant's decisions rest on.

    The mappings may hold the whole tenant or, for one decision, only what concerns its service and user: the answer is
    the same.

    Args:
        registry: services and their states, with the tenant's edition and products.
        grants: by service.
        people: by user id; a user who is not in it is unknown.
        network: the tenant's IP restriction.
        data_groups: the tenant's data policies.
    """

    registry: ServiceRegistry
    grants: Mapping[ServiceId, UserGrantPolicy] = MappingProxyType({})
    people: Mapping[UserId, Person] = MappingProxyType({})
    network: IPRestriction = _NO_RESTRICTION
    data_groups: DataGroupPolicy = _NO_POLICIES


@attrs.frozen(kw_only=True)
class Credential:
    """What the presented token names, examined by the token ledger.

    Args:
        link: None where the token names no link of ours.
        notes: what is wrong with the token itself.
        scopes: what the token covers.
        redeeming: whether it is a code, for which a consented link is as good as a live one.
    """

    link: Link | None
    notes: tuple[Note, ...] = ()
    scopes: frozenset[Scope] = frozenset()
    redeeming: bool = False


@attrs.frozen(kw_only=True)
class AccessRequest:
    """One question: may this service do this, for this user, from this address, in this flow, now?

    Args:
        service: None where the presented token names nothing we know.
        user: whom the service acts for; None: the tenant itself (a workspace connection).
        at: the operation's instant.
        scopes: every operation that is needed.
        address: the caller's address as the host got it; None: the host does not know it.
        network: `not_applicable` for outbound calls, and for the user's own consent page where the host says so.
        connectors: all connectors of the flow, the service's own among them; None: not stated.
        credential: None: no token is asked for.
        required: gates that must be evaluated for a yes; the data group is added where the tenant demands it.
    """

    service: ServiceId | None
    user: UserId | None
    at: Instant
    scopes: frozenset[Scope] = frozenset()
    address: str | None = None
    network: Literal["applies", "not_applicable"] = "applies"
    connectors: frozenset[ConnectorId] | None = None
    credential: Credential | None = None
    required: frozenset[Gate] = frozenset()


def evaluate(policy: Policy, request: AccessRequest) -> Decision:
    """Ask every gate and return the decision with every reason and all evidence (DESIGN 3).

    Pure: the same policy and request give the same decision, always. Never raises for a refusal.
    """
    required: frozenset[Gate] = request.required
    if policy.registry.tenant.requires_flow_connectors:
        required = required | _DATA_GROUP
    return Decision(tuple(gate(policy, request) for gate in _GATES), required)


def is_allowed(policy: Policy, request: AccessRequest) -> bool:
    """Return `evaluate(policy, request).allowed`, stopping at the first gate that refuses (law 3)."""
    service, user = request.service, request.user
    registry = policy.registry
    if service is None or not registry.is_usable(service) or not _defines(registry, service, request.scopes):
        return False
    if user is not None and not _is_user_allowed(policy, request, service, user):
        return False
    if request.network == "applies" and not _is_address_allowed(policy.network, request.address):
        return False
    connectors = request.connectors
    if connectors is None:
        if registry.tenant.requires_flow_connectors or "data_group" in request.required:
            return False
    elif not policy.data_groups.allows(connectors):
        return False
    credential = request.credential
    if credential is None:
        return "link" not in request.required
    return not _link_notes(policy, request, credential)


_UNIDENTIFIED: Final = Decision(
    (
        (Answer.NOT_EVALUATED, (("service.unidentified", {}),)),
        (Answer.NOT_EVALUATED, (("user.unidentified", {}),)),
        (Answer.NOT_EVALUATED, (("service.unidentified", {}),)),
        (Answer.NOT_EVALUATED, (("datagroup.flow_unknown", {}),)),
        (Answer.REFUSED, (("token.unknown", {}),)),
    ),
)


def unidentified() -> Decision:
    """Return the decision on a token that names nothing of ours: refused without a look at anything else.

    >>> [reason.code for reason in unidentified().reasons]
    ['token.unknown']
    """
    return _UNIDENTIFIED


def _defines(registry: ServiceRegistry, service: ServiceId, scopes: frozenset[Scope]) -> bool:
    return scopes <= registry.services[service].service.scope_names


def _service_gate(policy: Policy, request: AccessRequest) -> Finding:
    service = request.service
    if service is None:
        return Answer.NOT_EVALUATED, (("service.unidentified", {}),)
    answer, notes = policy.registry.finding(service)
    known = policy.registry.services.get(service)
    if known is not None:
        unknown = sorted(request.scopes - known.service.scope_names)
        if unknown:
            undefined: tuple[Note, ...] = tuple(
                ("scope.unknown", {"scope": scope, "service": service}) for scope in unknown
            )
            return Answer.REFUSED, (notes + undefined if answer is Answer.REFUSED else undefined)
    return answer, notes


def _is_user_allowed(policy: Policy, request: AccessRequest, service: ServiceId, user: UserId) -> bool:
    person = policy.people.get(user)
    if person is None or not person.answered:
        return False
    member = person.member
    if member is None or member.status != "active" or person.state.status != "active":
        return False
    known = policy.registry.services[service].service
    for scope in request.scopes:
        product = known.scope_products.get(scope)
        if product and product not in member.products:
            return False
    grants = policy.grants.get(service)
    return grants is not None and grants.is_granted(user, member, request.at, _accepted(request))


def _accepted(request: AccessRequest) -> int | None:
    credential = request.credential
    return None if credential is None or credential.link is None else credential.link.grants_at


def _user_gate(policy: Policy, request: AccessRequest) -> Finding:
    service, user = request.service, request.user
    if service is None:
        return Answer.NOT_EVALUATED, (("user.unidentified", {}),)
    if user is None:
        return Answer.NOT_APPLICABLE, (("grant.not_applicable", {"service": service}),)
    person = policy.people.get(user, _STRANGER)
    notes = list(_status_notes(person, user))
    member = person.member
    if member is not None:
        notes.extend(_product_notes(policy, request, service, member))
    grants = policy.grants.get(service) or UserGrantPolicy(service)
    standing = grants.standing(user, member, request.at, _accepted(request))
    if not standing.granted and person.answered:
        notes.append(standing.note)
    if notes:
        return Answer.REFUSED, tuple(notes)
    return Answer.PASSED, (standing.note,)


def _status_notes(person: Person, user: UserId) -> tuple[Note, ...]:
    params = {"user": user}
    member = person.member
    statuses = {person.state.status, member.status if member is not None else "active"}
    notes: list[Note] = []
    if not person.answered:
        notes.append(("directory.unavailable", {}))
    elif member is None and "deleted" not in statuses:
        notes.append(("user.unknown", params))
    if "deleted" in statuses:
        notes.append(("user.deleted", params))
    elif "suspended" in statuses:
        notes.append(("user.suspended", params))
    return tuple(notes)


def _product_notes(policy: Policy, request: AccessRequest, service: ServiceId, member: Member) -> list[Note]:
    known = policy.registry.services.get(service)
    if known is None:
        return []
    products = known.service.scope_products
    return [
        ("user.product_missing", {"user": member.id, "product": product, "scope": scope})
        for scope in sorted(request.scopes)
        if (product := products.get(scope)) and product not in member.products
    ]


def _is_address_allowed(network: IPRestriction, address: str | None) -> bool:
    if address is None:
        return network.mode == "allow_all"
    return network.admits_text(address)


def _network_gate(policy: Policy, request: AccessRequest) -> Finding:
    if request.network != "applies":
        return Answer.NOT_APPLICABLE, (("network.not_applicable", {}),)
    network, text = policy.network, request.address
    if text is None:
        if network.mode == "allow_all":
            return Answer.PASSED, (("network.allow_all", {}),)
        return Answer.REFUSED, (("network.address_unknown", {}),)
    try:
        address = parse_address(text)
    except InvalidInput as error:
        shown = text[:64].encode("ascii", "backslashreplace").decode()
        return Answer.REFUSED, (("network.address_invalid", {"address": shown, "problem": error.problem}),)
    if network.mode == "allow_all":
        return Answer.PASSED, (("network.allow_all", {}),)
    if network.mode == "deny_all":
        return Answer.REFUSED, (("network.deny_all", {"address": text}),)
    row = network.row_for(address)
    if row is None:
        return Answer.REFUSED, (("network.address_not_allowed", {"address": text}),)
    evidence = {"address": text, "row": row.range.text, "memo": row.memo, "source": row.source}
    return Answer.PASSED, (("network.row", evidence),)


def _data_group_gate(policy: Policy, request: AccessRequest) -> Finding:
    connectors = request.connectors
    if connectors is None:
        return Answer.NOT_EVALUATED, (("datagroup.flow_unknown", {}),)
    verdict = policy.data_groups.verdict(connectors)
    if not verdict.applicable:
        return Answer.PASSED, (("datagroup.no_policy", {}),)
    if verdict.allowed:
        return Answer.PASSED, (("datagroup.same_group", {"connectors": tuple(sorted(connectors))}),)
    blocked: list[Note] = [
        ("datagroup.blocked", {"connector": connector, "policies": policies}) for connector, policies in verdict.blocked
    ]
    mixed: list[Note] = [
        ("datagroup.mixed", {"policy": one.policy, "business": one.business, "non_business": one.non_business})
        for one in verdict.mixed
    ]
    return Answer.REFUSED, (*blocked, *mixed)


def _link_gate(policy: Policy, request: AccessRequest) -> Finding:
    credential = request.credential
    if credential is None:
        return Answer.NOT_EVALUATED, (("link.not_asked", {}),)
    notes = _link_notes(policy, request, credential)
    if notes or credential.link is None:
        return Answer.REFUSED, notes
    return Answer.PASSED, (("link.live", {"link": credential.link.id}),)


def _link_notes(policy: Policy, request: AccessRequest, credential: Credential) -> tuple[Note, ...]:
    """Return what is wrong with the link and the token; none of it is more than a few comparisons for a good one."""
    link = credential.link
    if link is None:
        return credential.notes or (("token.unknown", {}),)
    notes = list(credential.notes)
    if link.state is not LinkState.LIVE:
        notes.extend(_state_notes(link, credential))
    # The state carries the cause already; the epochs are asked as well, since either alone ends a link.
    notes.extend(_ended_notes(policy, link))
    if request.at >= link.expires:
        notes.append(("link.expired", {"link": link.id}))
    if not credential.notes:
        missing = request.scopes - credential.scopes
        if missing:
            granted = tuple(sorted(credential.scopes))
            notes.extend(("scope.not_covered", {"scope": scope, "granted": granted}) for scope in sorted(missing))
    return tuple(notes)


def _state_notes(link: Link, credential: Credential) -> tuple[Note, ...]:
    if link.state is LinkState.REVOKED:
        return (("link.revoked", {"link": link.id, "by": link.ended_by}),)
    if link.state is LinkState.SUSPENDED:
        return (("link.suspended", {"link": link.id}),)
    return () if credential.redeeming else (("link.not_redeemed", {"link": link.id}),)


def current_epochs(policy: Policy, service: ServiceId, user: UserId | None) -> Epochs:
    """Return today's four epochs for a service and a user: what a link copies, and is compared with ever after."""
    registry = policy.registry
    known, host = registry.services.get(service), registry.everywhere.get(service)
    person = policy.people.get(user) if user is not None else None
    return Epochs(
        registry.tenant.epoch,
        known.epoch if known is not None else 0,
        person.state.epoch if person is not None else 0,
        host.epoch if host is not None else 0,
    )


def _ended_notes(policy: Policy, link: Link) -> list[Note]:
    today = current_epochs(policy, link.service, link.owner)
    notes: list[Note] = []
    if today != link.epochs:
        notes.extend(
            ("link.ended", {"link": link.id, "cause": cause})
            for cause in ("tenant", "service", "user", "host")
            if getattr(today, cause) != getattr(link.epochs, cause)
        )
    grants = policy.grants.get(link.service)
    if grants is not None and link.owner is not None:
        person = policy.people.get(link.owner, _STRANGER)
        if grants.ends_link(link.owner, person.member, link.grants_at):
            notes.append(("link.ended", {"link": link.id, "cause": "grant"}))
    return notes


def link_notes(policy: Policy, link: Link, at: Instant) -> tuple[Note, ...]:
    """Return why a link is not live, none if it is: what a listing shows of a link nobody presented a token for."""
    request = AccessRequest(service=link.service, user=link.owner, at=at)
    return _link_notes(policy, request, Credential(link=link))


_GATES: Final[tuple[Callable[[Policy, AccessRequest], Finding], ...]] = (
    _service_gate,
    _user_gate,
    _network_gate,
    _data_group_gate,
    _link_gate,
)
