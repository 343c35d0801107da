"""The question whether a service works, and what is still to be done (S9, N3; TRACE T8): `access.readiness`.

It writes nothing. What a checklist rests on is read here and judged in `domain.checklist`; no address is enumerated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from extlink import facts
from extlink.access_checks import Stated, stated
from extlink.access_scans import connected, looked_at, permitted
from extlink.domain.checklist import checklist
from extlink.domain.client_registration import ClientRegistration
from extlink.domain.datagroup import Question
from extlink.domain.edition import EDITIONS
from extlink.domain.identifier import LinkId, ServiceId, UserId, parse_id, parse_items
from extlink.domain.readiness import Readiness
from extlink.domain.readiness_known import Known, usable_scopes
from extlink.domain.readiness_network import Published
from extlink.domain.reason import Reason
from extlink.domain.service import Service
from extlink.errors import InvalidInput, Refused
from extlink.feeds.published import PublishedRanges
from extlink.feeds.requirements import need
from extlink.inputs import exactly
from extlink.ledger_position import steady
from extlink.network_plans import differences
from extlink.operation import (
    ADMINISTRATORS_AND_HOST,
    Call,
    Commit,
    List,
    Now,
    Operation,
    Steps,
    ask,
    operation,
)
from extlink.ports import Records, prefix
from extlink.records import (
    CLIENT,
    confirmations_key,
    links_of_key,
)

__all__ = ["readiness"]

_MAX_CLIENTS: Final = 1_000
_MAX_FILES: Final = 100


@attrs.frozen(kw_only=True)
class _Ranges:
    """What the service calls from: published files and the requirement that says which of their lists count."""

    files: tuple[PublishedRanges, ...] | None
    requirement: str | None
    region: str | None


@operation("access.readiness", by=ADMINISTRATORS_AND_HOST)
def _readiness(
    call: Call, *, service: ServiceId, definition: Service | None, user: UserId | None, ranges: _Ranges, flow: Stated
) -> Steps[Commit[Readiness]]:
    def look() -> Steps[Known]:
        return _looked(call, service, definition, user, ranges, flow)

    return Commit(checklist((yield from steady(call.tenant, look))))


def _looked(
    call: Call, service: ServiceId, definition: Service | None, user: UserId | None, ranges: _Ranges, flow: Stated
) -> Steps[Known]:
    said = confirmations_key(call.tenant, service)
    mine = None if user is None else links_of_key(call.tenant, user, service)
    loaded = yield from facts.load(call, service, user, said, *(() if mine is None else (mine,)))
    at = yield from ask(Now())
    registered = loaded.policy.registry.services.get(service)
    known = Known(
        service=service,
        policy=loaded.policy,
        definition=definition if registered is None else registered.service,
        at=at,
        asked=user,
        flow=flow.connectors,
        confirmations=loaded.answers.get(said) or {},
    )
    known = attrs.evolve(known, published=_published(known, ranges), clients=(yield from _clients(call, service)))
    if user is not None and mine is not None:
        ids = loaded.answers.get(mine) or ()
        return (yield from _for_one(call, known, user, ids))
    return (yield from _for_anybody(call, known))


def _published(known: Known, ranges: _Ranges) -> Published:
    """Return what is known of the addresses that the service calls from.

    Raises:
        Refused: `network.no_requirement`.
    """
    definition = known.definition
    if ranges.files is None or definition is None:
        pin = known.policy.pins.get(known.service)
        return Published() if pin is None or ranges.files is not None else Published(rows=pin.rows)
    name = ranges.requirement
    found = next(iter(definition.requirements), None) if name is None else definition.requirement(name)
    if found is None:
        ids = ", ".join(one.id for one in definition.requirements)
        params = {"service": known.service, "requirement": name or "", "known": ids}
        raise Refused(Reason("network.no_requirement", params))
    needed = need(found, ranges.files, region=ranges.region)
    ipv4_only = EDITIONS[known.policy.registry.tenant.edition].network.ipv4_only
    others = differences(definition, needed, ranges.files, ipv4_only=ipv4_only)
    return Published(
        rows=needed.rows,
        requirement=found.id,
        missing=needed.missing,
        others={one.requirement: None if one.missing else one.only_there for one in others},
    )


def _clients(call: Call, service: ServiceId) -> Steps[tuple[ClientRegistration, ...]]:
    page = yield from ask(List(Records(call.tenant.encode(), prefix("c"), limit=_MAX_CLIENTS)))
    records = (CLIENT.decode(one.value)[0] for one in page.items if one.value is not None)
    found = (record.registration for record in records)
    return tuple(client for client in found if client is not None and client.profile.service == service)


def _for_one(call: Call, known: Known, user: UserId, ids: tuple[LinkId, ...]) -> Steps[Known]:
    policy, links, use = yield from looked_at(call, known.policy, ids)
    let_in = user if usable_scopes(policy, known.service, user, known.at) is not None else None
    known = attrs.evolve(known, policy=policy, permitted=let_in, links=links, last_call=use)
    if known.clients:
        return known
    # Whether the host has a client of its own is seen by anybody's links.
    seen = yield from connected(call, known)
    return attrs.evolve(known, live_client=seen.live_client, unseen=seen.unseen)


def _for_anybody(call: Call, known: Known) -> Steps[Known]:
    found = yield from permitted(call, known)
    known = attrs.evolve(known, policy=found.policy, permitted=found.permitted, answered=found.answered)
    seen = yield from connected(call, known)
    return attrs.evolve(
        known,
        policy=seen.policy,
        links=seen.links,
        last_call=seen.use,
        live_client=seen.live_client,
        unseen=seen.unseen,
    )


def readiness(
    service: str | Service,
    user: str | None = None,
    ranges: Iterable[PublishedRanges] | None = None,
    *,
    requirement: str | None = None,
    region: str | None = None,
    connectors: Question | None = None,
) -> Operation[Readiness]:
    """Say what still has to be done before a service works, in order: STEP 1, STEP 2 and everything between.

    Source: S9, N3, page A, TRACE T8. The items of the gates are green if and only if a permitted user would be let in
    from every published address that the edition's list can express (law 8); without data they are unknown. Steps
    outside are confirmed by somebody (`services.confirm`), seen, or unknown. Writes nothing. Needs
    `common_administrator` or `host`.

    Args:
        service: its id, or a definition of it that is still to be registered.
        user: whom the checklist is for; None: anybody who is permitted.
        ranges: published files that were read (`feeds`), as `networks.coverage` takes them; None: the ranges to which
            the service is pinned, if it is.
        requirement: one of the service's; None: its first, which is what the vendor asks for today.
        region: one of the requirement's, such as `japan`; None: the lists for the whole cloud.
        connectors: all connectors of the flow that shall run; None: the service's own alone.

    Raises:
        InvalidInput: malformed arguments; a requirement or a region without files.
        Refused: when run: `tenant.not_open`, `network.no_requirement`.
        Contention: when run: something was decided during every look.

    >>> readiness("power-automate", user="sato").name
    'access.readiness'
    """
    definition = service if type(service) is Service else None
    files = None if ranges is None else tuple(exactly(one, PublishedRanges, "ranges") for one in _items(ranges))
    if files is None and (requirement is not None or region is not None):
        raise InvalidInput("ranges", "expected the published files that the requirement is looked up in, got none")
    return _readiness(
        service=ServiceId(parse_id(service, "service")) if definition is None else definition.id,
        definition=definition,
        user=None if user is None else UserId(parse_id(user, "user")),
        ranges=_Ranges(
            files=files,
            requirement=None if requirement is None else parse_id(requirement, "requirement"),
            region=None if region is None else parse_id(region, "region"),
        ),
        flow=stated(connectors, None, None),
    )


def _items(ranges: Iterable[object]) -> tuple[object, ...]:
    items = tuple(parse_items(ranges, "ranges"))
    if len(items) > _MAX_FILES:
        raise InvalidInput("ranges", f"expected at most {_MAX_FILES} files, got {len(items)}")
    return items
