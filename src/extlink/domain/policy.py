"""What a decision is asked of and about: the policy of one tenant, and one request.

Rule: the mappings of a policy may hold the whole tenant or, for one decision, only what concerns its service and
user; the answer is the same (law 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import attrs

from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.decision import Gate, Note
from extlink.domain.directory import Member
from extlink.domain.flow import Flow
from extlink.domain.grant import UserGrantPolicy
from extlink.domain.identifier import ClientId, ConnectorId, Scope, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Link
from extlink.domain.network import IPRestriction, NetworkProof
from extlink.domain.pin import Pin
from extlink.domain.registry import ServiceRegistry
from extlink.domain.tenant import Epochs, UserState

__all__ = ["AccessRequest", "Credential", "Person", "Policy", "current_epochs"]

_ACTIVE: Final = UserState()
_NO_RESTRICTION: Final = IPRestriction()
_NO_POLICIES: Final = DataGroupPolicy()


@attrs.frozen
class Person:
    """What is known of a user: the directory's answer and what the host told extlink.

    Args:
        member: None if the directory knows no such person.
        state: extlink's own record.
        answered: False if the directory failed; the user gate then refuses, whatever else is known.
        remembered: False where the past is asked about and nobody says who belonged to what then; the answer is then a
            yes or a no only if it is the same for all memberships (`membership`).
    """

    member: Member | None
    state: UserState = _ACTIVE
    answered: bool = True
    remembered: bool = True


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
        removed_clients: OAuth clients that were removed: no link they made works any more.
        pins: by service, the ranges it publishes; a service that is not in it has none.
    """

    registry: ServiceRegistry
    grants: Mapping[ServiceId, UserGrantPolicy] = MappingProxyType({})
    people: Mapping[UserId, Person] = MappingProxyType({})
    network: IPRestriction = _NO_RESTRICTION
    data_groups: DataGroupPolicy = _NO_POLICIES
    removed_clients: frozenset[ClientId] = frozenset()
    pins: Mapping[ServiceId, Pin] = MappingProxyType({})


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
        caller: who sits at the address: the service, or the user in person on the consent page; published ranges are
            asked of the service alone, and only a user can have a proof.
        network_proof: what the host has checked of that user: Basic authentication, a client certificate (TRACE T16).
        connectors: all connectors of the flow, the service's own among them, or the flow itself; None: not stated.
        environment: where the flow lives; None: where the flow itself says, or not known: every data policy applies.
        flow_id: the flow's own id, for exemptions; None: what the flow itself says, or exempt from nothing.
        flow: `not_applicable` where no data flows: the consent page, the token endpoint, a listing.
        credential: None: no token is asked for.
        required: gates that must be evaluated for a yes; the data group is added where the tenant demands it.
    """

    service: ServiceId | None
    user: UserId | None
    at: Instant
    scopes: frozenset[Scope] = frozenset()
    address: str | None = None
    network: Literal["applies", "not_applicable"] = "applies"
    caller: Literal["service", "user"] = "service"
    network_proof: NetworkProof = "none"
    connectors: frozenset[ConnectorId] | Flow | None = None
    environment: str | None = None
    flow_id: str | None = None
    flow: Literal["applies", "not_applicable"] = "applies"
    credential: Credential | None = None
    required: frozenset[Gate] = frozenset()


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
