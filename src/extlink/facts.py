"""What a decision rests on, read in one snapshot: the tenant, one service, one user.

Rule: `load` gives `evaluate` a policy that names only this service and this user; the answer about them is the one
that the whole tenant's policy would give (law 3), at the cost of a single read.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import attrs

from extlink.domain.access import Person, Policy
from extlink.domain.client_registration import ClientRecord
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.grant import Rules, UserGrantPolicy, UserRules
from extlink.domain.identifier import ClientId, LinkId, ServiceId, TenantId, UserId
from extlink.domain.link import Link
from extlink.domain.network import IPRestriction
from extlink.domain.reason import Reason
from extlink.domain.registry import RegisteredService, ServiceRegistry
from extlink.domain.tenant import Tenant, UserState
from extlink.errors import Refused
from extlink.operation import Answers, Bundle, Call, Lookup, Read, Readable, Steps, Unanswered, Unremembered, ask
from extlink.ports import components
from extlink.records import (
    client_key,
    data_groups_key,
    grant_rules_key,
    host_service_key,
    link_key,
    network_key,
    pin_key,
    service_key,
    tenant_key,
    user_grant_key,
    user_key,
)

__all__ = ["Facts", "knowing_clients", "links", "load", "opened", "registered"]

_NO_RESTRICTION: Final = IPRestriction()
_NO_POLICIES: Final = DataGroupPolicy()
_NO_RULES: Final = (Rules(), Rules())
_NO_STATE: Final = UserState()
_BUNDLES: Final = 4_096


@attrs.frozen
class Facts:
    """A policy narrowed to one service and one user, and everything else that was read with it."""

    policy: Policy
    answers: Answers


def opened(answers: Answers, tenant: TenantId) -> Tenant:
    """Return the tenant's own facts.

    Raises:
        Refused: `tenant.not_open`; nothing may happen in a tenant that nobody opened.
    """
    known = answers.get(tenant_key(tenant))
    if known is None:
        raise Refused(Reason("tenant.not_open", {"tenant": tenant}))
    return known


def registered(answers: Answers, tenant: TenantId, service: ServiceId) -> RegisteredService:
    """Return a registered service.

    Raises:
        Refused: `service.unknown`.
    """
    known = answers.get(service_key(tenant, service))
    if known is None:
        raise Refused(Reason("service.unknown", {"service": service}))
    return known


@lru_cache(_BUNDLES)
def _bundle(tenant: TenantId, service: ServiceId, client: ClientId | None) -> Bundle[Policy]:
    """Return all that decisions about a service share, whoever they are about."""
    clients = () if client is None else (client_key(tenant, client),)

    def make(answers: Answers) -> Policy:
        return _policy(answers, tenant, service, _removed(answers, clients))

    return Bundle(
        (
            tenant_key(tenant),
            service_key(tenant, service),
            host_service_key(service),
            grant_rules_key(tenant, service),
            network_key(tenant),
            data_groups_key(tenant),
            pin_key(tenant, service),
            *clients,
        ),
        make,
    )


def load(
    call: Call, service: ServiceId, user: UserId | None, *more: Readable, client: ClientId | None = None
) -> Steps[Facts]:
    """Read all that a decision about a service and a user rests on, and ask the directory for the user.

    Args:
        user: None for a link that the tenant owns.
        more: further records of the same snapshot.
        client: the OAuth client whose link it is about; the policy says whether it was removed.

    Raises:
        Refused: `tenant.not_open`.
    """
    tenant = call.tenant
    bundle = _bundle(tenant, service, client)
    if user is None:
        answers = yield from bundle.read(*more)
        shared = answers.of(bundle)
        return Facts(_without(shared, _removed(answers, more)), answers)
    grant_place, user_place = user_grant_key(tenant, service, user), user_key(tenant, user)
    answers = yield from bundle.read(*more, grant_place, user_place)
    shared = answers.of(bundle)
    member = yield from ask(Lookup.member(user))
    state = answers.get(user_place) or _NO_STATE
    remembered = not isinstance(member, Unremembered)
    answered = not (remembered and isinstance(member, Unanswered))
    known = None if isinstance(member, Unanswered) else member
    person = Person(known, state, answered=answered, remembered=remembered)
    rules = answers.get(grant_place)
    policy = Policy(
        registry=shared.registry,
        grants=shared.grants if rules is None else {service: _naming(shared.grants[service], user, rules)},
        people={user: person},
        network=shared.network,
        data_groups=shared.data_groups,
        pins=shared.pins,
        removed_clients=shared.removed_clients,
    )
    return Facts(_without(policy, _removed(answers, more)), answers)


def _without(policy: Policy, removed: frozenset[ClientId]) -> Policy:
    if not removed:
        return policy
    return attrs.evolve(policy, removed_clients=policy.removed_clients | removed)


def _removed(answers: Answers, places: Iterable[Readable]) -> frozenset[ClientId]:
    """Return which of the clients among some records were removed; one that never was registered is the host's own."""
    found: set[ClientId] = set()
    for place in places:
        record = answers.values[place.key]
        if isinstance(record, ClientRecord) and record.registration is None:
            found.add(ClientId(components(place.key.path)[-1]))
    return frozenset(found)


def knowing_clients(call: Call, policy: Policy, links: Iterable[Link]) -> Steps[Policy]:
    """Return a policy that also knows which of these links' clients were removed."""
    places = tuple(client_key(call.tenant, client) for client in sorted({link.client for link in links}))
    if not places:
        return policy
    answers = yield from ask(Read(places))
    return attrs.evolve(policy, removed_clients=_removed(answers, places))


def _policy(answers: Answers, tenant: TenantId, service: ServiceId, removed: frozenset[ClientId]) -> Policy:
    """Return the policy of one service, which names nobody yet."""
    known, everywhere = answers.get(service_key(tenant, service)), answers.get(host_service_key(service))
    granted, excluded = answers.get(grant_rules_key(tenant, service)) or _NO_RULES
    pin = answers.get(pin_key(tenant, service))
    return Policy(
        registry=ServiceRegistry(
            opened(answers, tenant),
            {} if known is None else {service: known},
            {} if everywhere is None else {service: everywhere},
        ),
        grants={service: UserGrantPolicy(service, {}, granted, excluded)},
        network=answers.get(network_key(tenant)) or _NO_RESTRICTION,
        data_groups=answers.get(data_groups_key(tenant)) or _NO_POLICIES,
        pins={} if pin is None else {service: pin},
        removed_clients=removed,
    )


def _naming(grants: UserGrantPolicy, user: UserId, rules: UserRules) -> UserGrantPolicy:
    return UserGrantPolicy(grants.service, {user: rules}, grants.granted, grants.excluded)


def links(call: Call, ids: tuple[LinkId, ...]) -> Steps[tuple[Link, ...]]:
    """Read several links, in the order of their ids; one that is not there any more is left out."""
    if not ids:
        return ()
    places = tuple(link_key(call.tenant, one) for one in ids)
    answers = yield from ask(Read(places))
    return tuple(link for place in places if (link := answers.get(place)) is not None)
