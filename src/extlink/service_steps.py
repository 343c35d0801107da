"""Operations on the steps that are done outside: somebody says that one is done, or no longer (TRACE T8).

What was said is kept with who and when. Taking it back keeps the moment too: a call that succeeded before it shows
nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from extlink import facts
from extlink.domain.event import Detail, Event
from extlink.domain.identifier import ServiceId, parse_id
from extlink.domain.readiness import Confirmation
from extlink.domain.reason import Reason
from extlink.domain.tenant import Role
from extlink.errors import Refused
from extlink.operation import Call, Commit, Now, Operation, Steps, ask, operation, put, read
from extlink.records import confirmations_key, service_key, tenant_key

__all__ = ["confirm", "unconfirm"]

# Those who do such steps, as far as a host can state them (TRACE T11).
_WITNESSES: Final[frozenset[Role]] = frozenset({"common_administrator", "app_administrator", "host"})
_Said = Mapping[str, Confirmation]


def _load(call: Call, service: ServiceId, step: str) -> Steps[_Said]:
    """Return what was said of a service's steps.

    Raises:
        Refused: `tenant.not_open`, `service.unknown`, `service.step_unknown`.
    """
    said = confirmations_key(call.tenant, service)
    answers = yield from read(tenant_key(call.tenant), service_key(call.tenant, service), said)
    tenant = facts.opened(answers, call.tenant)
    definition = facts.registered(answers, call.tenant, service).service
    outside = {one.id for one in definition.steps_in(tenant.edition) if one.known_from == "confirmation"}
    if step not in outside:
        raise Refused(Reason("service.step_unknown", {"service": service, "step": step}))
    return answers.get(said) or {}


@operation("services.confirm", by=_WITNESSES, records=("service.confirmed",))
def _confirm(call: Call, *, service: ServiceId, step: str) -> Steps[Commit[Confirmation]]:
    said = yield from _load(call, service, step)
    known = said.get(step)
    if known is not None and known.holds:
        return Commit(known)
    new = Confirmation(by=call.actor.user, at=(yield from ask(Now())))
    details: dict[str, Detail] = {"service": service, "step": step}
    change = put(confirmations_key(call.tenant, service), {**said, step: new})
    return Commit(new, (change,), (Event("service.confirmed", details),))


def confirm(service: str, step: str) -> Operation[Confirmation]:
    """Say that a step outside is done, which extlink cannot see: who says so and when is kept.

    Source: TRACE T8, page A STEP 2. Who confirmed it first stays, until it is taken back. Needs `common_administrator`,
    `app_administrator` or `host`.

    Args:
        step: its id in the service's definition, such as `app-side`; one that the tenant's edition asks for.

    Raises when run:
        Refused: `service.unknown`, `service.step_unknown`.

    >>> confirm("power-automate", "app-side")
    services.confirm(service='power-automate', step='app-side')
    """
    return _confirm(service=ServiceId(parse_id(service, "service")), step=parse_id(step, "step"))


@operation("services.unconfirm", by=_WITNESSES, records=("service.unconfirmed",))
def _unconfirm(call: Call, *, service: ServiceId, step: str) -> Steps[Commit[None]]:
    said = yield from _load(call, service, step)
    known = said.get(step)
    if known is None or not known.holds:
        return Commit(None)
    taken_back = Confirmation(by=call.actor.user, at=(yield from ask(Now())), holds=False)
    details: dict[str, Detail] = {"service": service, "step": step, "confirmed_by": known.by, "confirmed": known.at}
    change = put(confirmations_key(call.tenant, service), {**said, step: taken_back})
    return Commit(None, (change,), (Event("service.unconfirmed", details),))


def unconfirm(service: str, step: str) -> Operation[None]:
    """Take back that a step outside is done: it is unknown again, until somebody confirms it or a later call shows it.

    Needs the roles of `confirm`.

    Raises when run:
        Refused: `service.unknown`, `service.step_unknown`.

    >>> unconfirm("power-automate", "app-side")
    services.unconfirm(service='power-automate', step='app-side')
    """
    return _unconfirm(service=ServiceId(parse_id(service, "service")), step=parse_id(step, "step"))
