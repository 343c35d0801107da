"""Broken twins: ways in which an evaluator can be wrong by a little. Each must be caught by comparison with the model.

A twin is extlink's own evaluator that is shown a policy or a request with one fact bent, or whose answer is bent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import attrs

from extlink.domain.access import AccessRequest, Credential, Person, Policy, evaluate, is_allowed
from extlink.domain.address import BITS, AddressRange
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.decision import Answer, Decision
from extlink.domain.grant import Rule, Rules, Tenure, UserGrantPolicy, UserRules
from extlink.domain.identifier import ClientId
from extlink.domain.instant import Instant
from extlink.domain.link import LinkState
from extlink.domain.network import IPRestriction, Row
from extlink.domain.pin import Pin
from extlink.domain.policy import current_epochs
from extlink.domain.range_table import RangeTable
from extlink.domain.registry import HostService, RegisteredService, ServiceState
from extlink.domain.service import Availability
from extlink.domain.tenant import Epochs, UserState
from tests.reference.differential import Subject

__all__ = ["TWINS"]


def _policy(change: Callable[[Policy], Policy]) -> Subject:
    return Subject(
        lambda policy, one: evaluate(change(policy), one), lambda policy, one: is_allowed(change(policy), one)
    )


def _request(change: Callable[[Policy, AccessRequest], AccessRequest]) -> Subject:
    return Subject(
        lambda policy, one: evaluate(policy, change(policy, one)),
        lambda policy, one: is_allowed(policy, change(policy, one)),
    )


def _decision(change: Callable[[Decision], Decision]) -> Subject:
    return Subject(lambda policy, one: change(evaluate(policy, one)))


def _fast(change: Callable[[AccessRequest], AccessRequest]) -> Subject:
    return Subject(is_allowed=lambda policy, one: is_allowed(policy, change(one)))


# Grants


def _grants(change: Callable[[UserGrantPolicy], UserGrantPolicy]) -> Subject:
    return _policy(
        lambda policy: attrs.evolve(policy, grants={name: change(one) for name, one in policy.grants.items()})
    )


def _each_rule(change: Callable[[Rule], Rule]) -> Subject:
    def many(rules: Rules) -> Rules:
        return Rules(
            {name: change(rule) for name, rule in rules.organizations.items()},
            {name: change(rule) for name, rule in rules.groups.items()},
            change(rules.everyone),
        )

    return _grants(
        lambda one: attrs.evolve(
            one,
            users={name: UserRules(change(said.granted), change(said.excluded)) for name, said in one.users.items()},
            granted=many(one.granted),
            excluded=many(one.excluded),
        )
    )


def _each_tenure(change: Callable[[Tenure], Tenure]) -> Subject:
    return _each_rule(lambda rule: Rule(tuple(map(change, rule.tenures)), rule.floor))


def _until(move: Callable[[Instant], Instant | None]) -> Subject:
    return _each_tenure(lambda one: one if one.until is None else attrs.evolve(one, until=move(one.until)))


def _no_exclusions(one: UserGrantPolicy) -> UserGrantPolicy:
    users = {name: UserRules(said.granted) for name, said in one.users.items()}
    return attrs.evolve(one, users=users, excluded=Rules())


def _by_name_first(one: UserGrantPolicy) -> UserGrantPolicy:
    users = {
        name: UserRules(said.granted) if said.granted.open is not None else said for name, said in one.users.items()
    }
    return attrs.evolve(one, users=users)


def _ceiling_first(policy: Policy, one: AccessRequest) -> Decision:
    grants = None if one.service is None else policy.grants.get(one.service)
    said = None if grants is None or one.user is None else grants.users.get(one.user)
    tenure = None if said is None else said.granted.open
    if one.service is None or grants is None or tenure is None or tenure.scopes is None or tenure.until is not None:
        return evaluate(policy, one)
    alone = {**policy.grants, one.service: attrs.evolve(grants, granted=Rules())}
    return evaluate(attrs.evolve(policy, grants=alone), one)


# People


def _people(change: Callable[[Person], Person]) -> Subject:
    return _policy(
        lambda policy: attrs.evolve(policy, people={name: change(one) for name, one in policy.people.items()})
    )


def _members(**changes: object) -> Subject:
    return _people(
        lambda one: one if one.member is None else attrs.evolve(one, member=attrs.evolve(one.member, **changes))  # type: ignore[arg-type]
    )


def _first_path(one: Person) -> Person:
    if one.member is None:
        return one
    return attrs.evolve(one, member=attrs.evolve(one.member, organizations=one.member.organizations[:1]))


# Services


def _services(change: Callable[[RegisteredService], RegisteredService]) -> Subject:
    def bent(policy: Policy) -> Policy:
        services = {name: change(one) for name, one in policy.registry.services.items()}
        return attrs.evolve(policy, registry=attrs.evolve(policy.registry, services=services))

    return _policy(bent)


def _definitions(**changes: object) -> Subject:
    return _services(lambda one: attrs.evolve(one, service=attrs.evolve(one.service, **changes)))  # type: ignore[arg-type]


def _dormancy(later: int) -> Subject:
    return _services(
        lambda one: one if one.dormant_after is None else attrs.evolve(one, dormant_after=one.dormant_after + later)
    )


def _tenant(**changes: object) -> Subject:
    def bent(policy: Policy) -> Policy:
        tenant = attrs.evolve(policy.registry.tenant, **changes)  # type: ignore[arg-type]
        return attrs.evolve(policy, registry=attrs.evolve(policy.registry, tenant=tenant))

    return _policy(bent)


def _everywhere(change: Callable[[HostService], HostService]) -> Subject:
    def bent(policy: Policy) -> Policy:
        everywhere = {name: change(one) for name, one in policy.registry.everywhere.items()}
        return attrs.evolve(policy, registry=attrs.evolve(policy.registry, everywhere=everywhere))

    return _policy(bent)


# Network


def _network(before: int, after: int) -> Subject:
    """Return a twin whose table holds each range with some addresses more at its ends, or fewer."""

    def wider(one: AddressRange) -> AddressRange:
        first, last = max(one.first - before, 0), min(one.last + after, (1 << BITS[one.version]) - 1)
        return one if first > last else AddressRange(version=one.version, first=first, last=last)

    def bent(policy: Policy) -> Policy:
        network = IPRestriction(policy.network.mode, policy.network.rows, policy.network.proofs)
        if network.mode == "allow_some":
            object.__setattr__(network, "_table", RangeTable(wider(row.range) for row in network.rows))
        return attrs.evolve(policy, network=network)

    return _policy(bent)


def _rows(change: Callable[[tuple[Row, ...]], tuple[Row, ...]]) -> Subject:
    return _policy(
        lambda policy: attrs.evolve(policy, network=attrs.evolve(policy.network, rows=change(policy.network.rows)))
    )


def _pins(change: Callable[[Pin], Pin | None]) -> Subject:
    def bent(policy: Policy) -> Policy:
        pins = {name: changed for name, one in policy.pins.items() if (changed := change(one)) is not None}
        return attrs.evolve(policy, pins=pins)

    return _policy(bent)


def _pin_alone(policy: Policy) -> Policy:
    """Return a policy in which whoever publishes ranges needs no row: one of the two is taken for both."""
    return policy if not policy.pins else attrs.evolve(policy, network=IPRestriction())


def _rangeless(policy: Policy, one: AccessRequest) -> AccessRequest:
    """Return a request that is asked for published ranges only where there are some."""
    known = None if one.service is None else policy.pins.get(one.service)
    return one if known is not None and known.rows else attrs.evolve(one, caller="user", network_proof="none")


def _waved_through(_policy: Policy, one: AccessRequest) -> AccessRequest:
    strange = one.address is None or not set(one.address.lower()) <= set("0123456789abcdef.:")
    return attrs.evolve(one, network="not_applicable") if strange else one


def _unmapped(_policy: Policy, one: AccessRequest) -> AccessRequest:
    mapped = one.address is not None and one.address.startswith("::ffff:")
    return attrs.evolve(one, address="2001:db8::ffff") if mapped else one


# Data groups


def _data(change: Callable[[DataGroupPolicy], DataGroupPolicy]) -> Subject:
    return _policy(lambda policy: attrs.evolve(policy, data_groups=change(policy.data_groups)))


# Links and tokens


def _credential(change: Callable[[Policy, AccessRequest, Credential], Credential]) -> Subject:
    return _request(
        lambda policy, one: (
            one if one.credential is None else attrs.evolve(one, credential=change(policy, one, one.credential))
        )
    )


def _linked(**changes: object) -> Subject:
    return _credential(
        lambda _, __, one: one if one.link is None else attrs.evolve(one, link=attrs.evolve(one.link, **changes))  # type: ignore[arg-type]
    )


def _epoch_forgotten(which: Literal["tenant", "service", "user", "host"]) -> Subject:
    def bent(policy: Policy, _: AccessRequest, one: Credential) -> Credential:
        if one.link is None:
            return one
        today: Epochs = current_epochs(policy, one.link.service, one.link.owner)
        epochs = one.link.epochs._replace(**{which: getattr(today, which)})
        return attrs.evolve(one, link=attrs.evolve(one.link, epochs=epochs))

    return _credential(bent)


def _expiry(later: int) -> Subject:
    return _credential(
        lambda _, __, one: (
            one
            if one.link is None
            else attrs.evolve(one, link=attrs.evolve(one.link, expires=Instant(one.link.expires + later)))
        )
    )


def _state_forgiven(state: LinkState) -> Subject:
    return _credential(
        lambda _, __, one: (
            attrs.evolve(one, link=attrs.evolve(one.link, state=LinkState.LIVE))
            if one.link is not None and one.link.state is state
            else one
        )
    )


def _somebodys(_: Policy, asked: AccessRequest, one: Credential) -> Credential:
    if one.link is None or asked.service is None:
        return one
    return attrs.evolve(one, link=attrs.evolve(one.link, owner=asked.user, service=asked.service))


def _one_scope_suffices(_: Policy, asked: AccessRequest, one: Credential) -> Credential:
    return attrs.evolve(one, scopes=one.scopes | asked.scopes) if one.scopes & asked.scopes else one


# Answers


def _first_gate_alone(one: Decision) -> Decision:
    findings = list(one.findings)
    refusing = [place for place, (answer, _) in enumerate(findings) if answer is Answer.REFUSED]
    for place in refusing[1:]:
        findings[place] = (Answer.NOT_EVALUATED, ())
    return attrs.evolve(one, findings=tuple(findings))


def _first_reason_alone(one: Decision) -> Decision:
    return attrs.evolve(one, findings=tuple((answer, notes[:1]) for answer, notes in one.findings))


_CONFIGURED: Final = {ServiceState.UNCONFIGURED: ServiceState.ENABLED}

TWINS: Final[dict[str, Subject]] = {
    "the last data policy wins": _data(lambda one: DataGroupPolicy(one.policies[-1:])),
    "data policies of some environments are passed over": _data(
        lambda one: DataGroupPolicy(tuple(each for each in one.policies if each.scope == "all"))
    ),
    "an exempt flow is judged all the same": _data(
        lambda one: DataGroupPolicy(tuple(attrs.evolve(each, exempt=frozenset[str]()) for each in one.policies))
    ),
    "excepted environments are taken for those that are meant": _data(
        lambda one: DataGroupPolicy(
            tuple(attrs.evolve(each, scope="only") if each.scope == "except" else each for each in one.policies)
        )
    ),
    "nobody asks which environment it is": _request(lambda _, one: attrs.evolve(one, environment=None)),
    "the quick answer forgets the environment": _fast(lambda one: attrs.evolve(one, environment=None)),
    "a blocked connector alone is let through": _data(
        lambda one: DataGroupPolicy(tuple(attrs.evolve(each, blocked=frozenset[str]()) for each in one.policies))
    ),
    "exclusions are forgotten": _grants(_no_exclusions),
    "a grant by name beats an exclusion": _grants(_by_name_first),
    "an end date still holds": _until(lambda until: Instant(until + 1)),
    "an end date is early": _until(lambda until: Instant(until - 1)),
    "end dates are forgotten": _until(lambda _: None),
    "ceilings are forgotten": _each_tenure(lambda one: attrs.evolve(one, scopes=None)),
    "a ceiling outranks the grants without one": Subject(_ceiling_first),
    "everybody below is in reach": _each_tenure(lambda one: attrs.evolve(one, reach="subtree")),
    "nobody below is in reach": _each_tenure(lambda one: attrs.evolve(one, reach="direct")),
    "a grant that comes back revives links": _each_rule(
        lambda one: Rule(one.tenures if one.open is None else (one.open,))
    ),
    "a withdrawal always ends links": _each_tenure(lambda one: attrs.evolve(one, existing="revoke")),
    "a withdrawal never ends links": _each_tenure(lambda one: attrs.evolve(one, existing="suspend")),
    "a withdrawal always keeps links": _each_tenure(lambda one: attrs.evolve(one, existing="keep")),
    "only the first membership counts": _people(_first_path),
    "groups do not count": _members(groups=frozenset[str]()),
    "what the host told of users is forgotten": _people(
        lambda one: attrs.evolve(one, state=UserState("active", one.state.epoch))
    ),
    "what the directory says of users is forgotten": _members(status="active"),
    "a silent directory is an empty one": _people(lambda one: attrs.evolve(one, answered=True)),
    "everybody has every product": _members(products=frozenset({"kintone", "garoon"})),
    "services are allowed by default": _tenant(unconfigured_services="allow"),
    "services are denied by default": _tenant(unconfigured_services="deny"),
    "nobody asks for the flow": _tenant(requires_flow_connectors=False),
    "the tenant has every product": _tenant(products=frozenset({"kintone", "garoon"})),
    "editions are forgotten": _definitions(editions=frozenset({"JP", "US", "CN"})),
    "availability is forgotten": _definitions(availability=Availability()),
    "a quarantined service is a disabled one": _services(
        lambda one: attrs.evolve(one, state=ServiceState.DISABLED) if one.state is ServiceState.QUARANTINED else one
    ),
    "an unconfigured service is an enabled one": _services(
        lambda one: attrs.evolve(one, state=_CONFIGURED.get(one.state, one.state))
    ),
    "a quarantine everywhere is forgotten": _everywhere(lambda one: attrs.evolve(one, quarantined=False)),
    "ranges are one address long at the end": _network(0, 1),
    "ranges are one address long at the start": _network(1, 0),
    "ranges are one address short at the end": _network(0, -1),
    "ranges are one address short at the start": _network(-1, 0),
    "the last row is not read": _rows(lambda rows: rows[:-1]),
    "an address that nobody can read is waved through": _request(_waved_through),
    "a mapped address is another address": _request(_unmapped),
    "pins are forgotten": _pins(lambda _: None),
    "a pin of some links is one of all": _pins(lambda one: attrs.evolve(one, applies="service")),
    "a pin of all links is one of some": _pins(lambda one: attrs.evolve(one, applies="links")),
    "a link's own pin is forgotten": _linked(pinned=False),
    "every link is pinned": _linked(pinned=True),
    "a removed client's links live on": _linked(client=ClientId("client")),
    "only the first published range is read": _pins(lambda one: attrs.evolve(one, rows=one.rows[:1])),
    "a pin takes the place of the restriction": _policy(_pin_alone),
    "no ranges are no rule": _request(_rangeless),
    "users are held to a service's ranges": _request(
        lambda _, one: one if one.network_proof != "none" else attrs.evolve(one, caller="service")
    ),
    "a service has a proof": _request(
        lambda policy, one: attrs.evolve(one, caller="user") if one.network_proof in policy.network.proofs else one
    ),
    "proofs are forgotten": _request(lambda _, one: attrs.evolve(one, network_proof="none")),
    "any proof will do": _policy(
        lambda policy: (
            policy
            if not policy.network.proofs
            else attrs.evolve(
                policy, network=attrs.evolve(policy.network, proofs=frozenset({"basic", "client_certificate"}))
            )
        )
    ),
    "the tenant's epoch is forgotten": _epoch_forgotten("tenant"),
    "the service's epoch is forgotten": _epoch_forgotten("service"),
    "the user's epoch is forgotten": _epoch_forgotten("user"),
    "the host's epoch is forgotten": _epoch_forgotten("host"),
    "a link lives a second longer": _expiry(1),
    "a link lives a second less": _expiry(-1),
    "links never go dormant": _services(lambda one: attrs.evolve(one, dormant_after=None)),
    "a link goes dormant a second later": _dormancy(1),
    "a link goes dormant a second earlier": _dormancy(-1),
    "a suspended link is live": _state_forgiven(LinkState.SUSPENDED),
    "a revoked link is live": _state_forgiven(LinkState.REVOKED),
    "a link that nobody redeemed is live": _state_forgiven(LinkState.CONSENTED),
    "somebody else's link will do": _credential(_somebodys),
    "any token of a link will do": _credential(lambda _, __, one: attrs.evolve(one, notes=())),
    "one scope covers the others": _credential(_one_scope_suffices),
    "required gates are forgotten": _request(lambda _, one: attrs.evolve(one, required=frozenset())),
    "the first gate that refuses is the only one": _decision(_first_gate_alone),
    "the first reason of a gate is the only one": _decision(_first_reason_alone),
    "the quick answer leaves out the network": _fast(lambda one: attrs.evolve(one, network="not_applicable")),
    "the quick answer leaves out the data group": _fast(lambda one: attrs.evolve(one, flow="not_applicable")),
    "the quick answer leaves out the link": _fast(lambda one: attrs.evolve(one, credential=None, required=frozenset())),
    "the quick answer leaves out the user": _fast(lambda one: attrs.evolve(one, user=None)),
    "the quick answer leaves out the scopes": _fast(lambda one: attrs.evolve(one, scopes=frozenset())),
    "the quick answer leaves out the service": Subject(
        is_allowed=lambda policy, one: all(
            answer is not Answer.REFUSED for answer, _ in evaluate(policy, one).findings[1:]
        )
    ),
}
