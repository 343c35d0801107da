"""Operations on the ranges that a service publishes, and the question which row admits an address (F5, F6).

A pin is the library's own rule, so every edition has it, for as many ranges as a service publishes and for IPv6 as
well. It concerns calls of the service and no person, so it locks no administrator out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import attrs

from extlink import facts, link_endings
from extlink.domain.address import AddressRange, parse_address
from extlink.domain.decision import Answer
from extlink.domain.event import Detail, Event
from extlink.domain.existing import parse_choice
from extlink.domain.grant import Existing
from extlink.domain.identifier import ServiceId, parse_id
from extlink.domain.instant import Instant
from extlink.domain.network import IPRestriction, Mode, Row
from extlink.domain.network_gate import network_finding
from extlink.domain.pin import Pin, Pinned, parse_pinned
from extlink.domain.policy import AccessRequest, Policy
from extlink.domain.reason import Reason
from extlink.domain.registry import ServiceRegistry
from extlink.errors import InvalidInput
from extlink.inputs import given_rows, text
from extlink.operation import (
    ADMINISTRATORS_AND_HOST,
    NETWORK_ADMINISTRATORS_AND_HOST,
    Call,
    Commit,
    Operation,
    Steps,
    denied,
    drop,
    operation,
    put,
    read,
)
from extlink.records import network_key, pin_key, service_key, tenant_key

__all__ = ["Found", "find", "pin", "show_pin", "unpin"]

_NO_RESTRICTION: Final = IPRestriction()
_MAX_TEXT: Final = 255
_ENDED: Final = "link.revoked_by_administrator"


@operation("networks.pin", by=NETWORK_ADMINISTRATORS_AND_HOST, records=("network.pinned", _ENDED))
def _pin(call: Call, *, service: ServiceId, wanted: Pin, existing: Existing) -> Steps[Commit[Pin]]:
    if not link_endings.is_permitted(call, existing):
        return (yield from denied(call, "links.revoke_all", ADMINISTRATORS_AND_HOST))
    place = pin_key(call.tenant, service)
    answers = yield from read(tenant_key(call.tenant), service_key(call.tenant, service), place)
    facts.opened(answers, call.tenant)
    registered = facts.registered(answers, call.tenant, service)
    known = answers.get(place)
    if wanted == known:
        return Commit(wanted)
    before = frozenset(() if known is None else known.rows)
    after = frozenset(wanted.rows)
    details: dict[str, Detail] = {
        "service": service,
        "before": None if known is None else known.applies,
        "after": wanted.applies,
        "added": len(after - before),
        "removed": len(before - after),
        "rows": len(wanted.rows),
        "source": wanted.source,
        "version": wanted.version,
        "existing": existing,
    }
    pinned = Event("network.pinned", details)
    ends, more = link_endings.of_service(call, registered, pinned.name) if existing == "revoke" else ((), ())
    return Commit(wanted, (put(place, wanted), *ends), (pinned, *more))


def pin(
    service: str,
    rows: Iterable[Row | AddressRange | str],
    *,
    applies: Pinned = "service",
    existing: Literal["keep", "revoke"] = "keep",
) -> Operation[Pin]:
    """Require that calls of a service come from the ranges that it publishes, in place of the ranges known before.

    Source: F5. The IP restriction holds beside it: both must let a call pass. Everybody who presents one of the
    service's tokens is asked, and at its token endpoint whoever states an address.

    Args:
        rows: the published ranges, such as `feeds.rows_of(published, "AzureConnectors", ipv4_only=False)`.
        applies: `service`: to every call; `links`: to calls over links that are pinned themselves (`links.pin`).
        existing: what happens to links with the change. `keep`: they stay, and calls pass again when the rule is
            loosened; `revoke`: every link to the service ends, in O(1), which takes `common_administrator` or `host`.

    Raises:
        InvalidInput: a malformed range, no range at all, the whole of IPv4 or IPv6, or another word.
        Refused: when run: `service.unknown`, `actor.not_permitted`.

    >>> pin("slack", ["192.0.2.0/24"]).name
    'networks.pin'
    """
    wanted = Pin(given_rows(rows, everything=False), parse_pinned(applies))
    if not wanted.rows:
        raise InvalidInput("rows", "expected the ranges that the service publishes, got none; unpin() lifts the rule")
    return _pin(
        service=ServiceId(parse_id(service, "service")),
        wanted=wanted,
        existing=parse_choice("networks.pin", existing),
    )


@operation("networks.unpin", by=NETWORK_ADMINISTRATORS_AND_HOST, records=("network.unpinned", _ENDED))
def _unpin(call: Call, *, service: ServiceId, existing: Existing) -> Steps[Commit[None]]:
    if not link_endings.is_permitted(call, existing):
        return (yield from denied(call, "links.revoke_all", ADMINISTRATORS_AND_HOST))
    place, there = pin_key(call.tenant, service), service_key(call.tenant, service)
    answers = yield from read(tenant_key(call.tenant), place, there)
    facts.opened(answers, call.tenant)
    known = answers.get(place)
    if known is None:
        return Commit(None)
    details: dict[str, Detail] = {"service": service, "before": known.applies, "rows": len(known.rows)}
    unpinned = Event("network.unpinned", {**details, "existing": existing})
    registered = answers.get(there)
    if existing == "keep" or registered is None:
        return Commit(None, (drop(place),), (unpinned,))
    ends, more = link_endings.of_service(call, registered, unpinned.name)
    return Commit(None, (drop(place), *ends), (unpinned, *more))


def unpin(service: str, *, existing: Literal["keep", "revoke"] = "keep") -> Operation[None]:
    """Lift the rule for a service and forget its ranges.

    Links that are pinned themselves are refused from then on (`network.ranges_unknown`), until there are ranges again
    or the link is unpinned.

    Args:
        existing: as in `pin`.

    >>> unpin("slack")
    networks.unpin(service='slack', existing='keep')
    """
    return _unpin(service=ServiceId(parse_id(service, "service")), existing=parse_choice("networks.unpin", existing))


@operation("networks.show_pin", by=NETWORK_ADMINISTRATORS_AND_HOST)
def _show_pin(call: Call, *, service: ServiceId) -> Steps[Commit[Pin | None]]:
    place = pin_key(call.tenant, service)
    answers = yield from read(tenant_key(call.tenant), place)
    facts.opened(answers, call.tenant)
    return Commit(answers.get(place))


def show_pin(service: str) -> Operation[Pin | None]:
    """Return the published ranges that a service's calls are held against; None where there are none.

    >>> show_pin("slack")
    networks.show_pin(service='slack')
    """
    return _show_pin(service=ServiceId(parse_id(service, "service")))


@attrs.frozen(kw_only=True)
class Found:
    """What the network gate says of an address (F6).

    Args:
        address: as it is written canonically.
        allowed: whether a call from there passes the gate: the restriction and, where it was asked about, the pin.
        mode: of the restriction.
        row: the narrowest row of the restriction that the address is in; None also where the mode reads no rows.
        published: the narrowest range of the service's published ones that the address is in.
        reasons: the evidence, or everything that stands in the way.
    """

    address: str
    allowed: bool
    mode: Mode
    row: Row | None
    published: Row | None
    reasons: tuple[Reason, ...]


@operation("networks.find", by=NETWORK_ADMINISTRATORS_AND_HOST)
def _find(call: Call, *, address: str, service: ServiceId | None) -> Steps[Commit[Found]]:
    tenant = call.tenant
    if service is None:
        answers = yield from read(tenant_key(tenant), network_key(tenant))
        registry, known = ServiceRegistry(facts.opened(answers, tenant)), None
    else:
        place = pin_key(tenant, service)
        answers = yield from read(tenant_key(tenant), network_key(tenant), service_key(tenant, service), place)
        registry, known = ServiceRegistry(facts.opened(answers, tenant)), answers.get(place)
        facts.registered(answers, tenant, service)
    network = answers.get(network_key(tenant)) or _NO_RESTRICTION
    policy = Policy(registry=registry, network=network, pins={service: known} if service and known else {})
    answer, notes = network_finding(policy, AccessRequest(service=service, user=None, at=Instant(0), address=address))
    return Commit(
        Found(
            address=address,
            allowed=answer is Answer.PASSED,
            mode=network.mode,
            row=network.row_for(address),
            published=None if known is None else known.row_for(address),
            reasons=tuple(Reason(code, params) for code, params in notes),
        )
    )


def find(address: str, *, service: str | None = None) -> Operation[Found]:
    """Say whether an address is allowed, and by which row (F6).

    Args:
        service: whose published ranges are asked as well; None: the restriction alone.

    Raises:
        InvalidInput: not an address.
        Refused: when run: `service.unknown`.

    >>> find("203.0.113.7")
    networks.find(address='203.0.113.7', service=None)
    """
    return _find(
        address=parse_address(text(address, "address", _MAX_TEXT)).text,
        service=None if service is None else ServiceId(parse_id(service, "service")),
    )
