"""What many links are judged by, read at once: today's epochs alone, or all that a decision about each rests on.

Rules: a loader reads records by key, so that what it says is guarded; `policy_of` gives `evaluate` and `link_notes` the
answer that the whole tenant's policy would give about these links (law 3). Where the directory does not answer, every
`Person` says so (`answered` is False): nobody may be judged by what it would have said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from extlink import facts
from extlink.domain.access import Person, Policy
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.grant import Rules, UserGrantPolicy
from extlink.domain.identifier import ServiceId, UserId
from extlink.domain.link import Link
from extlink.domain.network import IPRestriction
from extlink.domain.registry import ServiceRegistry
from extlink.domain.tenant import UserState
from extlink.operation import Answers, Call, Lookup, Read, Readable, Steps, Unanswered, ask
from extlink.ports import Key
from extlink.records import (
    data_groups_key,
    grant_rules_key,
    host_service_key,
    network_key,
    pin_key,
    service_key,
    tenant_key,
    user_grant_key,
    user_key,
)

__all__ = ["epochs_of", "policy_of", "read_all"]

# Below what one read takes, so that it asks once more for some of what was read before.
_AT_ONCE: Final = 50
_NO_RULES: Final = (Rules(), Rules())


def read_all(places: Sequence[Readable]) -> Steps[Answers]:
    """Read any number of records, in several reads; all are guarded."""
    found: dict[Key, object] = {}
    for start in range(0, len(places), _AT_ONCE):
        answers = yield from ask(Read(tuple(places[start : start + _AT_ONCE])))
        found.update(answers.values)
    return Answers(found)


def _about(links: Iterable[Link]) -> tuple[tuple[ServiceId, ...], tuple[UserId, ...]]:
    held = tuple(links)
    services = sorted({link.service for link in held})
    return tuple(services), tuple(sorted({link.owner for link in held if link.owner is not None}))


def _registry(call: Call, answers: Answers, services: Iterable[ServiceId]) -> ServiceRegistry:
    known = {one: held for one in services if (held := answers.get(service_key(call.tenant, one))) is not None}
    everywhere = {one: host for one in services if (host := answers.get(host_service_key(one))) is not None}
    return ServiceRegistry(facts.opened(answers, call.tenant), known, everywhere)


def _state(call: Call, answers: Answers, user: UserId) -> UserState:
    return answers.get(user_key(call.tenant, user)) or UserState()


def epochs_of(call: Call, links: tuple[Link, ...]) -> Steps[Policy]:
    """Read whether links have ended by an epoch and whether their services are stopped; no directory is asked.

    Raises:
        Refused: `tenant.not_open`.
    """
    services, owners = _about(links)
    places: list[Readable] = [tenant_key(call.tenant)]
    places += [place for one in services for place in (service_key(call.tenant, one), host_service_key(one))]
    places += [user_key(call.tenant, user) for user in owners]
    answers = yield from read_all(places)
    people = {user: Person(None, _state(call, answers, user)) for user in owners}
    return Policy(registry=_registry(call, answers, services), people=people)


def policy_of(call: Call, links: tuple[Link, ...]) -> Steps[Policy]:
    """Read everything that `evaluate` and `link_notes` ask about these links, at most 50, and ask the directory once.

    Raises:
        Refused: `tenant.not_open`.
    """
    tenant = call.tenant
    services, owners = _about(links)
    pairs = sorted({(link.service, link.owner) for link in links if link.owner is not None})
    places: list[Readable] = [tenant_key(tenant), network_key(tenant), data_groups_key(tenant)]
    for one in services:
        places += [service_key(tenant, one), host_service_key(one), grant_rules_key(tenant, one), pin_key(tenant, one)]
    places += [user_key(tenant, user) for user in owners]
    places += [user_grant_key(tenant, service, user) for service, user in pairs]
    answers = yield from read_all(places)
    grants: dict[ServiceId, UserGrantPolicy] = {}
    for one in services:
        granted, excluded = answers.get(grant_rules_key(tenant, one)) or _NO_RULES
        rules = {
            user: found
            for service, user in pairs
            if service == one and (found := answers.get(user_grant_key(tenant, one, user))) is not None
        }
        grants[one] = UserGrantPolicy(one, rules, granted, excluded)
    policy = Policy(
        registry=_registry(call, answers, services),
        grants=grants,
        people=(yield from _people(call, answers, owners)),
        network=answers.get(network_key(tenant)) or IPRestriction(),
        data_groups=answers.get(data_groups_key(tenant)) or DataGroupPolicy(),
        pins={one: pin for one in services if (pin := answers.get(pin_key(tenant, one))) is not None},
    )
    return (yield from facts.knowing_clients(call, policy, links))


def _people(call: Call, answers: Answers, users: tuple[UserId, ...]) -> Steps[dict[UserId, Person]]:
    if not users:
        return {}
    members = yield from ask(Lookup.get(users))
    if isinstance(members, Unanswered):
        return {user: Person(None, _state(call, answers, user), answered=False) for user in users}
    known = {member.id: member for member in members}
    return {user: Person(known.get(user), _state(call, answers, user)) for user in users}
