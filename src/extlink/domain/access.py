"""The decision: one pure function over five gates, in two speeds with one truth (DESIGN 3).

`evaluate` runs every gate and gives every reason; `is_allowed` stops at the first refusal. Law 3 ties them: the same
answer on every input.

    service     unknown; not available in this edition or product; unavailable; not enabled; quarantined
    user        unknown; suspended; without the product the scope belongs to; not granted; grant over; above its ceiling
    network     the restriction refuses the address; it is not among those the service publishes, where that rule is on;
                it cannot be parsed
    data group  a policy that applies blocks the flow's connectors, mixes them, or denies an action or endpoint
    link        no live link, or a dormant one; token unknown, expired, ended, of the wrong kind or audience; scope not
                covered
"""

from __future__ import annotations

from typing import Final, NamedTuple

from extlink.domain import membership
from extlink.domain.cure import cure
from extlink.domain.datagroup import Verdict
from extlink.domain.decision import Answer, Cure, Decision, Finding, Gate, Note, answered
from extlink.domain.directory import Member
from extlink.domain.flow import Flow
from extlink.domain.grant import UserGrantPolicy
from extlink.domain.identifier import Scope, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkState
from extlink.domain.network_gate import is_network_allowed, network_finding
from extlink.domain.policy import AccessRequest, Credential, Person, Policy, current_epochs
from extlink.domain.registry import ServiceRegistry

__all__ = [
    "ENDED",
    "AccessRequest",
    "Credential",
    "Person",
    "Policy",
    "evaluate",
    "is_allowed",
    "link_notes",
    "unidentified",
]

# In Python 3.11 to ask an enumeration for its member costs more than to compare it; these are the members themselves.
_PASSED: Final = Answer.PASSED
_REFUSED: Final = Answer.REFUSED
_LIVE: Final = LinkState.LIVE
_CONSENTED: Final = LinkState.CONSENTED
_FLOW_UNKNOWN: Final[Finding] = (Answer.NOT_EVALUATED, (("datagroup.flow_unknown", {}),))
_NOT_ASKED: Final[Finding] = (Answer.NOT_EVALUATED, (("link.not_asked", {}),))
_DATA_GROUP: Final[frozenset[Gate]] = frozenset({"data_group"})
_SERVICE: Final[frozenset[Gate]] = frozenset({"service"})


_STRANGER: Final = Person(None)


class Asked(NamedTuple):
    """What a decision answers: which request, and of which policy."""

    policy: Policy
    request: AccessRequest

    def cure(self) -> Cure:
        """Return what puts the refusal right, judged by `evaluate` itself."""
        return cure(self.policy, self.request, evaluate)


def evaluate(policy: Policy, request: AccessRequest) -> Decision:
    """Ask every gate and return the decision with every reason and all evidence (DESIGN 3).

    Pure: the same policy and request give the same decision, always. Never raises for a refusal.
    """
    required: frozenset[Gate] = request.required
    if policy.registry.tenant.requires_flow_connectors:
        required = required | _DATA_GROUP
    if request.service is None:
        required = required | _SERVICE  # law 1: a question about no service is never answered with a yes
    findings = (
        _service_gate(policy, request),
        _user_gate(policy, request),
        network_finding(policy, request),
        _data_group_gate(policy, request),
        _link_gate(policy, request),
    )
    if request.user is not None and not policy.people.get(request.user, _STRANGER).remembered:
        required = required | membership.doubtful(findings)
    return answered(findings, required, Asked(policy, request))


def is_allowed(policy: Policy, request: AccessRequest) -> bool:
    """Return `evaluate(policy, request).allowed`, stopping at the first gate that refuses (law 3)."""
    service, user = request.service, request.user
    registry = policy.registry
    if service is None or not registry.is_usable(service) or not _defines(registry, service, request.scopes):
        return False
    if user is not None and not _is_user_allowed(policy, request, service, user):
        return False
    if request.network == "applies" and not is_network_allowed(policy, request):
        return False
    if request.flow == "applies" and not _is_flow_allowed(policy, request):
        return False
    credential = request.credential
    if credential is None:
        return "link" not in request.required
    return _is_link_good(policy, request, credential)


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
    finding = policy.registry.finding(service)
    known = policy.registry.services.get(service)
    if known is None or request.scopes <= known.service.scope_names:
        return finding
    answer, notes = finding
    unknown = sorted(request.scopes - known.service.scope_names)
    undefined: tuple[Note, ...] = tuple(("scope.unknown", {"scope": scope, "service": service}) for scope in unknown)
    return _REFUSED, (notes + undefined if answer is _REFUSED else undefined)


def _is_user_allowed(policy: Policy, request: AccessRequest, service: ServiceId, user: UserId) -> bool:
    person = policy.people.get(user)
    if person is None or not person.answered:
        return False
    member = person.member
    if member is None:
        return not person.remembered and _user_gate(policy, request)[0] is _PASSED
    if member.status != "active" or person.state.status != "active":
        return False
    known = policy.registry.services[service].service
    for scope in request.scopes:
        product = known.scope_products.get(scope)
        if product and product not in member.products:
            return False
    grants = policy.grants.get(service)
    accepted = _accepted(request)
    if grants is None or not grants.is_granted(user, member, request.at, accepted):
        return False
    ceiling = grants.ceiling(user, member, request.at, accepted)
    return ceiling is None or request.scopes <= ceiling


def _accepted(request: AccessRequest) -> int | None:
    link = None if request.credential is None else request.credential.link
    if link is None or link.service != request.service or link.owner != request.user:
        return None
    return link.grants_at


def _user_gate(policy: Policy, request: AccessRequest) -> Finding:
    service, user = request.service, request.user
    if service is None:
        return Answer.NOT_EVALUATED, (("user.unidentified", {}),)
    if user is None:
        return Answer.NOT_APPLICABLE, (("grant.not_applicable", {"service": service}),)
    person = policy.people.get(user, _STRANGER)
    if not person.remembered:
        return membership.finding(policy, request, person, service, _accepted(request))
    notes = _status_notes(person, user)
    member = person.member
    if member is not None:
        notes.extend(_product_notes(policy, request, service, member))
    grants = policy.grants.get(service) or UserGrantPolicy(service)
    accepted = _accepted(request)
    standing = grants.standing(user, member, request.at, accepted)
    if standing.granted:
        ceiling = grants.ceiling(user, member, request.at, accepted)
        beyond = () if ceiling is None else sorted(request.scopes - ceiling)
        notes.extend(("grant.scope_not_granted", {"service": service, "user": user, "scope": one}) for one in beyond)
    elif person.answered:
        notes.append(standing.note)
    if notes:
        return _REFUSED, tuple(notes)
    return _PASSED, (standing.note,)


def _status_notes(person: Person, user: UserId) -> list[Note]:
    member = person.member
    if person.answered and member is not None and member.status == "active" and person.state.status == "active":
        return []
    params = {"user": user}
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
    return notes


def _product_notes(policy: Policy, request: AccessRequest, service: ServiceId, member: Member) -> list[Note]:
    known = policy.registry.services.get(service)
    if known is None:
        return []
    products = known.service.scope_products
    missing = [
        (scope, product)
        for scope in request.scopes
        if (product := products.get(scope)) and product not in member.products
    ]
    return [
        ("user.product_missing", {"user": member.id, "product": product, "scope": scope})
        for scope, product in sorted(missing)
    ]


def _is_flow_allowed(policy: Policy, request: AccessRequest) -> bool:
    connectors = request.connectors
    if connectors is None:
        return not policy.registry.tenant.requires_flow_connectors and "data_group" not in request.required
    return policy.data_groups.allows(connectors, request.environment, request.flow_id)


def _data_group_gate(policy: Policy, request: AccessRequest) -> Finding:
    if request.flow != "applies":
        return Answer.NOT_APPLICABLE, (("datagroup.not_applicable", {}),)
    connectors = request.connectors
    if connectors is None:
        return _FLOW_UNKNOWN
    where = (request.environment, request.flow_id)
    if policy.data_groups.allows(connectors, *where):
        if not policy.data_groups.policies:
            return _PASSED, (("datagroup.no_policy", {}),)
        ids = connectors.ids() if isinstance(connectors, Flow) else connectors
        return _PASSED, (("datagroup.same_group", {"connectors": tuple(sorted(ids))}),)
    return _REFUSED, _data_group_notes(policy.data_groups.verdict(connectors, *where))


def _data_group_notes(verdict: Verdict) -> tuple[Note, ...]:
    blocked: list[Note] = [
        ("datagroup.blocked", {"connector": connector, "policies": policies}) for connector, policies in verdict.blocked
    ]
    mixed: list[Note] = [
        ("datagroup.mixed", {"policy": one.policy, "business": one.business, "non_business": one.non_business})
        for one in verdict.mixed
    ]
    actions: list[Note] = [
        ("datagroup.action_blocked", {"connector": one.connector, "action": one.what, "policies": one.policies})
        for one in verdict.actions
    ]
    endpoints: list[Note] = [
        ("datagroup.endpoint_denied", {"connector": one.connector, "endpoint": one.what, "policies": one.policies})
        for one in verdict.endpoints
    ]
    return (*blocked, *mixed, *actions, *endpoints)


def _link_gate(policy: Policy, request: AccessRequest) -> Finding:
    credential = request.credential
    if credential is None:
        return _NOT_ASKED
    notes = _link_notes(policy, request, credential)
    if notes and all(code == membership.UNKNOWN for code, _ in notes):
        return Answer.NOT_EVALUATED, notes
    if notes or credential.link is None:
        return _REFUSED, notes
    return _PASSED, (("link.live", {"link": credential.link.id}),)


def _is_link_good(policy: Policy, request: AccessRequest, credential: Credential) -> bool:
    """Whether nothing is wrong with the link and the token: the short form of `_link_notes`."""
    link = credential.link
    if link is None or credential.notes or link.service != request.service:
        return False
    if policy.removed_clients and link.client in policy.removed_clients:
        return False
    owner = link.owner
    if owner is not None and owner != request.user:
        return False
    if link.state is not _LIVE and not (credential.redeeming and link.state is _CONSENTED):
        return False
    return (
        not link.is_over(request.at)
        and policy.registry.dormant_days(link, request.at) is None
        and request.scopes <= credential.scopes
        and current_epochs(policy, link.service, owner) == link.epochs
        and membership.is_ended(policy, link) is False
    )


def _link_notes(policy: Policy, request: AccessRequest, credential: Credential) -> tuple[Note, ...]:
    """Return what is wrong with the link and the token."""
    link = credential.link
    if link is None:
        return credential.notes or (("token.unknown", {}),)
    owner = link.owner
    if link.service != request.service or (owner is not None and owner != request.user):
        # Somebody else's link, or that of another service, opens nothing; a workspace connection serves everybody.
        return (("link.missing", {"service": request.service or "", "user": request.user or ""}),)
    notes = list(credential.notes)
    if link.state is not _LIVE:
        notes.extend(_state_notes(link, credential))
    # The state carries the cause already; the epochs are asked as well, since either alone ends a link.
    notes.extend(_ended_notes(policy, link))
    if link.client in policy.removed_clients:
        notes.append(("client.removed", {"client": link.client}))
    if link.is_over(request.at):
        notes.append(("link.expired", {"link": link.id}))
    days = policy.registry.dormant_days(link, request.at)
    if days is not None:
        notes.append(("link.dormant", {"link": link.id, "days": str(days)}))
    if not credential.notes and not request.scopes <= credential.scopes:
        missing = sorted(request.scopes - credential.scopes)
        granted = tuple(sorted(credential.scopes))
        notes.extend(("scope.not_covered", {"scope": scope, "granted": granted}) for scope in missing)
    return tuple(notes)


def _state_notes(link: Link, credential: Credential) -> tuple[Note, ...]:
    if link.state is LinkState.REVOKED:
        return (("link.revoked", {"link": link.id, "by": link.ended_by}),)
    if link.state is LinkState.SUSPENDED:
        return (("link.suspended", {"link": link.id}),)
    return () if credential.redeeming else (("link.not_redeemed", {"link": link.id}),)


def _ended_notes(policy: Policy, link: Link) -> list[Note]:
    notes: list[Note] = []
    today = current_epochs(policy, link.service, link.owner)
    if today != link.epochs:
        notes.extend(
            ("link.ended", {"link": link.id, "cause": cause})
            for cause in ("tenant", "service", "user", "host")
            if getattr(today, cause) != getattr(link.epochs, cause)
        )
    is_ended = membership.is_ended(policy, link)
    if is_ended is None:
        notes.append((membership.UNKNOWN, {"service": link.service, "user": link.owner or ""}))
    elif is_ended:
        notes.append(("link.ended", {"link": link.id, "cause": "grant"}))
    return notes


# A link refused for one of these reasons never works again; for any other it may.
ENDED: Final = frozenset({"link.revoked", "link.ended", "link.expired", "client.removed"})


def link_notes(policy: Policy, link: Link, at: Instant) -> tuple[Note, ...]:
    """Return why a link is not live, none if it is: what a listing shows of a link nobody presented a token for."""
    request = AccessRequest(service=link.service, user=link.owner, at=at)
    return _link_notes(policy, request, Credential(link=link))
