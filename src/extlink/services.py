"""Operations on services: register, enable, disable, quarantine (S1, S2, S12, F1; MISSION's four verbs).

*Disable*: refused at the next check; the links work again after *enable* if every gate passes then; `existing="revoke"`
ends them instead. *Quarantine*: the links end, nothing revives them. Enabling permits nobody (TRACE T6).

The tenant's own record is the head of the collection of its services: registering and unregistering write it, since
both rest on a list of all of them (DESIGN 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, cast

import attrs

from extlink import facts
from extlink.domain.event import Detail, Event
from extlink.domain.existing import parse_choice
from extlink.domain.grant import Existing
from extlink.domain.identifier import ServiceId, parse_id
from extlink.domain.reason import Reason
from extlink.domain.registry import HostService, RegisteredService, ServiceState, unusable_definition
from extlink.domain.service import Service, to_fields
from extlink.domain.tenant import HOST, Tenant
from extlink.errors import InvalidInput, Refused
from extlink.inputs import exactly, one_of, text, whole
from extlink.link_policies import read_all
from extlink.operation import (
    ADMINISTRATORS,
    ADMINISTRATORS_AND_HOST,
    HOSTS,
    Call,
    Commit,
    List,
    Operation,
    Steps,
    ask,
    drop,
    operation,
    put,
    read,
)
from extlink.ports import Records, prefix
from extlink.records import SERVICE, confirmations_key, grant_head_key, host_service_key, service_key, tenant_key
from extlink.service_purge import Purge, Purges, Remaining, note_purge, purge, purges, remaining
from extlink.service_steps import confirm, unconfirm

__all__ = [
    "Purge",
    "Purges",
    "Remaining",
    "confirm",
    "disable",
    "enable",
    "note_purge",
    "purge",
    "purges",
    "quarantine",
    "quarantine_everywhere",
    "register",
    "registered",
    "release",
    "release_everywhere",
    "remaining",
    "set_default",
    "set_dormancy",
    "unconfirm",
    "unregister",
]

MAX_SERVICES: Final = 1_000
_MAX_CAUSE: Final = 500
_MAX_DAYS: Final = 3_650
# How many services' links may end with one change of the default; each is a record that is read and written.
_MAX_ENDED: Final = 300
_DAY: Final = 86_400


def _id(value: object) -> ServiceId:
    return ServiceId(parse_id(value, "service"))


def _load(call: Call, service: ServiceId) -> Steps[tuple[Tenant, RegisteredService]]:
    answers = yield from read(tenant_key(call.tenant), service_key(call.tenant, service))
    return facts.opened(answers, call.tenant), facts.registered(answers, call.tenant, service)


@operation("services.register", by=ADMINISTRATORS, records=("service.registered", "service.redefined"))
def _register(call: Call, *, definition: Service, existing: Existing) -> Steps[Commit[RegisteredService]]:
    head, at = tenant_key(call.tenant), service_key(call.tenant, definition.id)
    answers = yield from read(head, at)
    tenant = facts.opened(answers, call.tenant)
    known = answers.get(at)
    if known is None:
        others = yield from _all(call)
        if len(others) == MAX_SERVICES:
            raise Refused(Reason("save.too_large", {"count": str(MAX_SERVICES + 1), "limit": str(MAX_SERVICES)}))
        new = RegisteredService(definition, order=max((one.order for one in others), default=-1) + 1)
        event = Event("service.registered", {"service": definition.id, "order": new.order})
        return Commit(new, (put(at, new), put(head, tenant)), (event,))
    if known.service == definition:
        return Commit(known)
    changed = attrs.evolve(known, service=definition, epoch=known.epoch + (existing == "revoke"))
    told: dict[str, Detail] = {"service": definition.id, "existing": existing}
    event = Event("service.redefined", {**told, **_difference(known.service, definition)})
    return Commit(changed, (put(at, changed),), (event,))


def _difference(before: Service, after: Service) -> Mapping[str, Detail]:
    """Return the fields that differ, as they were and as they are."""
    old, new = cast("Mapping[str, Detail]", to_fields(before)), cast("Mapping[str, Detail]", to_fields(after))
    names = [name for name in new if old[name] != new[name]]
    return {"before": {name: old[name] for name in names}, "after": {name: new[name] for name in names}}


def _all(call: Call) -> Steps[list[RegisteredService]]:
    page = yield from ask(List(Records(call.tenant.encode(), prefix("s"), limit=MAX_SERVICES)))
    return [SERVICE.decode(one.value)[0] for one in page.items if one.value is not None]


def register(service: Service, *, existing: Literal["keep", "revoke"] = "keep") -> Operation[RegisteredService]:
    """Make a service known to the tenant, or replace its definition; its state stays as it is.

    Source: S1. Registering enables nothing. Needs `common_administrator`.

    Args:
        service: a definition, of the built-in catalogue or the host's own.
        existing: what happens to links where the definition changes. `keep`: they stay, and what the definition no
            longer has is refused; `revoke`: every link to the service ends, in O(1).

    Raises:
        InvalidInput: not a `Service`, or another word about existing links.

    >>> from extlink import catalog
    >>> register(catalog.SLACK).name
    'services.register'
    """
    definition = exactly(service, Service, "service")
    return _register(definition=definition, existing=parse_choice("services.register", existing))


@operation("services.unregister", by=ADMINISTRATORS, records=("service.unregistered",))
def _unregister(call: Call, *, service: ServiceId) -> Steps[Commit[None]]:
    head, said = grant_head_key(call.tenant, service), confirmations_key(call.tenant, service)
    place = service_key(call.tenant, service)
    answers = yield from read(tenant_key(call.tenant), place, head, said)
    facts.opened(answers, call.tenant)
    known = facts.registered(answers, call.tenant, service)
    # Nobody has a link without a grant, so the head of the grants, guarded while it is absent, stands for both. Without
    # the record its epoch would be forgotten, and what it ended be revived by registering anew.
    if known.state is not ServiceState.UNCONFIGURED or known.epoch or answers.get(head) is not None:
        raise Refused(Reason("service.blocked_by_links", {"service": service}))
    dropped = (drop(place), *((drop(said),) if answers.get(said) is not None else ()))
    return Commit(None, dropped, (Event("service.unregistered", {"service": service}),))


def unregister(service: str) -> Operation[None]:
    """Forget a service that was never configured nor used; one that was is disabled, so that its links stay ended.

    Raises when run:
        Refused: `service.unknown`, `service.blocked_by_links`.

    >>> unregister("slack")
    services.unregister(service='slack')
    """
    return _unregister(service=_id(service))


@operation("services.enable", by=ADMINISTRATORS, records=("service.enabled",))
def _enable(call: Call, *, service: ServiceId) -> Steps[Commit[RegisteredService]]:
    tenant, known = yield from _load(call, service)
    obstacles = unusable_definition(known.service, tenant)
    if obstacles:
        code, params = obstacles[0]
        raise Refused(Reason(code, params))
    if known.state is ServiceState.QUARANTINED:
        raise Refused(Reason("service.quarantined", {"service": service, "cause": known.cause}))
    if known.state is ServiceState.ENABLED:
        return Commit(known)
    changed = attrs.evolve(known, state=ServiceState.ENABLED, cause="")
    event = Event("service.enabled", {"service": service, "before": str(known.state)})
    return Commit(changed, (put(service_key(call.tenant, service), changed),), (event,))


def enable(service: str) -> Operation[RegisteredService]:
    """Switch a registered service on, effective at the very next check in every process.

    Source: S2, page A STEP 1. It permits nobody yet (TRACE T6). Needs `common_administrator`.

    Raises when run:
        Refused: `service.unknown`, `service.unavailable`, `service.not_in_edition`, `service.product_missing`,
            `service.quarantined`.

    >>> enable("slack")
    services.enable(service='slack')
    """
    return _enable(service=_id(service))


@operation("services.disable", by=ADMINISTRATORS, records=("service.disabled",))
def _disable(call: Call, *, service: ServiceId, existing: Existing) -> Steps[Commit[RegisteredService]]:
    _, known = yield from _load(call, service)
    if known.state is ServiceState.QUARANTINED:
        raise Refused(Reason("service.quarantined", {"service": service, "cause": known.cause}))
    if known.state is ServiceState.DISABLED and existing == "suspend":
        return Commit(known)
    epoch = known.epoch + (existing == "revoke")
    changed = attrs.evolve(known, state=ServiceState.DISABLED, epoch=epoch)
    event = Event("service.disabled", {"service": service, "before": str(known.state), "existing": existing})
    return Commit(changed, (put(service_key(call.tenant, service), changed),), (event,))


def disable(service: str, *, existing: Literal["suspend", "revoke"] = "suspend") -> Operation[RegisteredService]:
    """Switch a service off: refused at the next check.

    Source: S2, MISSION's four verbs. Needs `common_administrator`.

    Args:
        existing: `suspend`: links work again after `enable` if every gate passes then; `revoke`: they end, in O(1).

    Raises when run:
        Refused: `service.unknown`, `service.quarantined`.

    >>> disable("slack", existing="revoke")
    services.disable(service='slack', existing='revoke')
    """
    return _disable(service=_id(service), existing=parse_choice("services.disable", existing))


@operation("services.quarantine", by=ADMINISTRATORS, records=("service.quarantined",))
def _quarantine(call: Call, *, service: ServiceId, cause: str) -> Steps[Commit[RegisteredService]]:
    _, known = yield from _load(call, service)
    if known.state is ServiceState.QUARANTINED and known.cause == cause:
        # No link was made since: there is nothing left to end.
        return Commit(known)
    changed = attrs.evolve(known, state=ServiceState.QUARANTINED, epoch=known.epoch + 1, cause=cause)
    event = Event("service.quarantined", {"service": service, "cause": cause, "epoch": changed.epoch})
    return Commit(changed, (put(service_key(call.tenant, service), changed),), (event,))


def quarantine(service: str, cause: str, *, existing: Literal["revoke"] = "revoke") -> Operation[RegisteredService]:
    """Stop a service at once and end all its links of this tenant; nothing revives them.

    Source: F14, MISSION's four verbs. One record is written, so it holds at the next check in every process.

    Args:
        cause: why, for the administrators who meet it; at most 500 characters.
        existing: `revoke` alone; `disable` pauses links.

    Raises:
        InvalidInput: malformed arguments, or another word about existing links.
        Refused: when run: `service.unknown`.

    >>> quarantine("slack", "token leak at the vendor").name
    'services.quarantine'
    """
    parse_choice("services.quarantine", existing)
    return _quarantine(service=_id(service), cause=text(cause, "cause", _MAX_CAUSE))


@operation("services.release", by=ADMINISTRATORS, records=("service.released",))
def _release(call: Call, *, service: ServiceId) -> Steps[Commit[RegisteredService]]:
    _, known = yield from _load(call, service)
    if known.state is not ServiceState.QUARANTINED:
        return Commit(known)
    changed = attrs.evolve(known, state=ServiceState.DISABLED, cause="")
    event = Event("service.released", {"service": service, "epoch": known.epoch})
    return Commit(changed, (put(service_key(call.tenant, service), changed),), (event,))


def release(service: str) -> Operation[RegisteredService]:
    """Lift a quarantine: the service is disabled then, its old links stay ended, and it may be enabled again.

    Raises when run:
        Refused: `service.unknown`.

    >>> release("slack")
    services.release(service='slack')
    """
    return _release(service=_id(service))


def _host_only(call: Call) -> None:
    if call.tenant != HOST:
        raise InvalidInput("tenant", "expected the host itself; run it on hub.host()")


@operation("services.quarantine_everywhere", by=HOSTS, records=("service.quarantined",))
def _quarantine_everywhere(call: Call, *, service: ServiceId, cause: str) -> Steps[Commit[HostService]]:
    _host_only(call)
    at = host_service_key(service)
    known = (yield from read(at)).get(at) or HostService()
    if known.quarantined and known.cause == cause:
        return Commit(known)
    changed = HostService(quarantined=True, epoch=known.epoch + 1, cause=cause)
    event = Event("service.quarantined", {"service": service, "cause": cause, "epoch": changed.epoch})
    return Commit(changed, (put(at, changed),), (event,))


def quarantine_everywhere(
    service: str, cause: str, *, existing: Literal["revoke"] = "revoke"
) -> Operation[HostService]:
    """Stop a service in every tenant at once and end all its links; run it on `hub.host()`.

    Source: F14, DESIGN 5 (`~host`). One record is written.

    Args:
        cause: as in `quarantine`.
        existing: `revoke` alone; `disable` pauses links, in one tenant.

    >>> quarantine_everywhere("slack", "vendor breach").name
    'services.quarantine_everywhere'
    """
    parse_choice("services.quarantine_everywhere", existing)
    return _quarantine_everywhere(service=_id(service), cause=text(cause, "cause", _MAX_CAUSE))


@operation("services.release_everywhere", by=HOSTS, records=("service.released",))
def _release_everywhere(call: Call, *, service: ServiceId) -> Steps[Commit[HostService]]:
    _host_only(call)
    at = host_service_key(service)
    known = (yield from read(at)).get(at) or HostService()
    if not known.quarantined:
        return Commit(known)
    changed = HostService(epoch=known.epoch)
    event = Event("service.released", {"service": service, "epoch": known.epoch})
    return Commit(changed, (put(at, changed),), (event,))


def release_everywhere(service: str) -> Operation[HostService]:
    """Lift a quarantine of the host; links that it ended stay ended. Run it on `hub.host()`.

    >>> release_everywhere("slack")
    services.release_everywhere(service='slack')
    """
    return _release_everywhere(service=_id(service))


@operation("services.set_default", by=ADMINISTRATORS, records=("default.changed",))
def _set_default(call: Call, *, unconfigured: Literal["deny", "allow"], existing: Existing) -> Steps[Commit[Tenant]]:
    at = tenant_key(call.tenant)
    tenant = facts.opened((yield from read(at)), call.tenant)
    if tenant.unconfigured_services == unconfigured:
        return Commit(tenant)
    changed = attrs.evolve(tenant, unconfigured_services=unconfigured)
    ended = (yield from _unconfigured(call)) if (unconfigured, existing) == ("deny", "revoke") else ()
    details: dict[str, Detail] = {
        "before": tenant.unconfigured_services,
        "after": unconfigured,
        "existing": existing,
        "ended": tuple(one.service.id for one in ended),
    }
    raised = [put(service_key(call.tenant, one.service.id), attrs.evolve(one, epoch=one.epoch + 1)) for one in ended]
    return Commit(changed, (put(at, changed), *raised), (Event("default.changed", details),))


def _unconfigured(call: Call) -> Steps[tuple[RegisteredService, ...]]:
    """Return the services that nobody enabled or disabled, as they are in the operation's snapshot.

    Raises:
        Refused: `save.too_large`.
    """
    listed = yield from _all(call)
    places = [service_key(call.tenant, one.service.id) for one in listed if one.state is ServiceState.UNCONFIGURED]
    if len(places) > _MAX_ENDED:
        raise Refused(Reason("save.too_large", {"count": str(len(places)), "limit": str(_MAX_ENDED)}))
    answers = yield from read_all(places)
    found = (answers.get(place) for place in places)
    return tuple(one for one in found if one is not None and one.state is ServiceState.UNCONFIGURED)


def set_default(
    unconfigured: Literal["deny", "allow"], *, existing: Literal["suspend", "revoke"] = "suspend"
) -> Operation[Tenant]:
    """Say what holds for registered services that nobody enabled or disabled; until then they are denied.

    Source: F1. Users still need a grant. Needs `common_administrator`.

    Args:
        existing: what happens to links to these services where they are denied from now on. `suspend`: they work again
            once the service is enabled, or the default is `allow`; `revoke`: they end.

    Raises:
        InvalidInput: another word.
        Refused: when run: `save.too_large`: the links of over 300 services would end at once.

    >>> set_default("deny")
    services.set_default(unconfigured='deny', existing='suspend')
    """
    checked = cast("Literal['deny', 'allow']", one_of(unconfigured, ("deny", "allow"), "unconfigured"))
    return _set_default(unconfigured=checked, existing=parse_choice("services.set_default", existing))


@operation("services.set_dormancy", by=ADMINISTRATORS, records=("tenant.setting_changed",))
def _set_dormancy(call: Call, *, service: ServiceId, days: int | None) -> Steps[Commit[RegisteredService]]:
    _, known = yield from _load(call, service)
    seconds = None if days is None else days * _DAY
    if known.dormant_after == seconds:
        return Commit(known)
    before = None if known.dormant_after is None else known.dormant_after // _DAY
    details: dict[str, Detail] = {"setting": "dormant_after", "service": service, "before": before, "after": days}
    changed = attrs.evolve(known, dormant_after=seconds)
    event = Event("tenant.setting_changed", details)
    return Commit(changed, (put(service_key(call.tenant, service), changed),), (event,))


def set_dormancy(
    service: str, *, days: int | None, existing: Literal["revoke"] = "revoke"
) -> Operation[RegisteredService]:
    """Say after how many days without use the links to a service are over; effective at the next check.

    Source: F12. Needs `common_administrator`. The days count from when a link's tokens were last renewed: a service
    that uses a link renews them at least as often as an access token lives, an hour unless the host says otherwise. A
    dormant link is refused `link.dormant`; the first check or refresh that meets it ends it for good, and records it.

    Args:
        days: 1 to 3,650; None: links live as long as the host's lifetimes say.
        existing: `revoke` alone: a link that nobody used for so long ends.

    Raises:
        InvalidInput: malformed arguments.
        Refused: when run: `service.unknown`.

    >>> set_dormancy("slack", days=90)
    services.set_dormancy(service='slack', days=90)
    """
    parse_choice("services.set_dormancy", existing)
    return _set_dormancy(service=_id(service), days=None if days is None else whole(days, "days", 1, _MAX_DAYS))


@operation("services.registered", by=ADMINISTRATORS_AND_HOST)
def _registered(call: Call) -> Steps[Commit[tuple[RegisteredService, ...]]]:
    facts.opened((yield from read(tenant_key(call.tenant))), call.tenant)
    known = yield from _all(call)
    return Commit(tuple(sorted(known, key=lambda one: one.order)))


def registered() -> Operation[tuple[RegisteredService, ...]]:
    """List the tenant's services with their states, in the order of registering, unavailable ones too (page A).

    Needs `common_administrator` or `host`: what users may see of it is `links.of` (TRACE T9, T11).

    >>> registered()
    services.registered()
    """
    return _registered()
