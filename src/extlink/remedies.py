"""The operations of remedies: what decisions, reasons and checklists name, as values that can be run (TRACE T11).

Rule: a remedy that is done outside - by the user at the service, by the vendor, in the host's own administration - has
no operation, and none is made up for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, cast

from extlink import clients, datagroups, grants, links, networks, services, users
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.identifier import parse_items
from extlink.domain.network import IPRestriction, Row
from extlink.domain.remedy import Action, Remedy
from extlink.domain.service import Service
from extlink.errors import InvalidInput
from extlink.inputs import exactly
from extlink.operation import Operation

__all__ = ["Action", "Remedy", "operation_of", "request_of"]

_Arguments = Mapping[str, object]


def _allow(given: _Arguments) -> Operation[object]:
    return grants.allow(cast("str", given["service"]), users=cast("tuple[str, ...]", given["users"]))


def _include(given: _Arguments) -> Operation[object]:
    return grants.include(
        cast("str", given["service"]),
        users=cast("tuple[str, ...]", given.get("users", ())),
        organizations=cast("tuple[str, ...]", given.get("organizations", ())),
        groups=cast("tuple[str, ...]", given.get("groups", ())),
    )


def _restrict(given: _Arguments) -> Operation[object]:
    rows = cast("tuple[Row, ...]", given["rows"])
    # A row that is everything was saved under its name once; it stays what it is.
    everything = any(row.range.prefix == 0 for row in rows)
    expected = cast("IPRestriction", given["expected"])
    return networks.restrict(rows, expected=expected, including_all_addresses=everything)


_OPERATIONS: Final[Mapping[str, Callable[[_Arguments], Operation[object]]]] = MappingProxyType(
    {
        "services.enable": lambda given: services.enable(cast("str", given["service"])),
        "users.resume": lambda given: users.resume(cast("str", given["user"])),
        "grants.allow": _allow,
        "grants.include": _include,
        "networks.add": lambda given: networks.add(cast("tuple[Row, ...]", given["rows"])),
        "networks.restrict": _restrict,
        "networks.pin": lambda given: networks.pin(
            cast("str", given["service"]), cast("tuple[str, ...]", given["rows"])
        ),
        "clients.add_secret": lambda given: clients.add_secret(cast("str", given["client"])),
        "services.confirm": lambda given: services.confirm(cast("str", given["service"]), cast("str", given["step"])),
        "datagroups.set_policy": lambda given: datagroups.set_policy(cast("DataPolicy", given["policy"])),
        "links.resume": lambda given: links.resume(cast("str", given["link"])),
    }
)


def operation_of(remedy: Remedy | Action, *, definitions: Iterable[Service] = ()) -> Operation[object] | None:
    """Return the operation that a remedy names, to be run by somebody with the role `remedy.who`; None: a step outside.

    Of a lone reason (`reason.remedy`), which nothing has verified, and of an item of a checklist (`item.remedy`) as
    well. None also where it leaves something to choose (`action.choices`), such as whom to permit, or only asks, such
    as for a plan; `action.is_outside` tells a step outside from these.

    A change of data policies is made in Power Platform, by `remedy.who`; the operation brings our copy up to date:
    that is a common administrator's.

    Args:
        definitions: where to find the definition of a service that is to be registered, such as the built-in catalogue;
            it takes the place of one there is. Without one that has the operations asked for, registering is a step
            outside too.

    Raises:
        InvalidInput: neither a `Remedy` nor an `Action`, or not definitions.

    >>> from extlink.domain.reason import Reason
    >>> operation_of(Reason("link.expired", {"link": "L1"}).remedy) is None
    True
    >>> operation_of(Reason("service.disabled", {"service": "slack"}).remedy)
    services.enable(service='slack')
    >>> operation_of(Remedy("service.disabled", action=Action("services.enable", {"service": "slack"})))
    services.enable(service='slack')
    """
    action = remedy if type(remedy) is Action else exactly(remedy, Remedy, "remedy").action
    known = [exactly(one, Service, "definitions") for one in parse_items(definitions, "definitions")]
    if action is None or action.choices:
        return None
    try:
        return _made(action, known)
    except (AttributeError, LookupError, TypeError) as error:
        raise InvalidInput("remedy", "expected the arguments that a decision gave it, got others") from error


def _made(action: Action, definitions: list[Service]) -> Operation[object] | None:
    if action.name == "services.register":
        service, scopes = action.arguments["service"], set(cast("tuple[str, ...]", action.arguments.get("scopes", ())))
        fitting = (one for one in definitions if one.id == service and scopes <= one.scope_names)
        return next((services.register(one) for one in fitting), None)
    make = _OPERATIONS.get(action.name)
    return None if make is None else make(action.arguments)


def request_of(remedy: Remedy) -> Operation[object] | None:
    """Return what a user may run who needs this remedy and may not apply it: a request to the administrators (F3).

    Run it as the user in person. None where asking is no use: only a grant can be asked for.

    >>> request_of(Remedy("grant.missing", action=Action("grants.allow", {"service": "slack", "users": ("sato",)})))
    grants.ask(service='slack', scopes=None, message='')
    """
    action = exactly(remedy, Remedy, "remedy").action
    if action is None or action.name != "grants.allow":
        return None
    return grants.ask(cast("str", action.arguments.get("service")))
