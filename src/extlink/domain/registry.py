"""ServiceRegistry: which services a tenant has registered, and in what state each is.

Rules: a service that is not registered is unknown; registering enables nothing; what holds for a registered service
that nobody switched on or off is the tenant's explicit default (F1); an unavailable service cannot be used or enabled
(page A: Google Hangouts Chat); quarantine by the tenant or by the host outranks every other state (MISSION, four
verbs).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import attrs

from extlink.domain.decision import Answer, Finding, Note
from extlink.domain.identifier import ServiceId
from extlink.domain.service import Service
from extlink.domain.tenant import Tenant

__all__ = ["HostService", "RegisteredService", "ServiceRegistry", "ServiceState"]


class ServiceState(StrEnum):
    """What an administrator said about a registered service."""

    UNCONFIGURED = "unconfigured"
    ENABLED = "enabled"
    DISABLED = "disabled"
    QUARANTINED = "quarantined"


@attrs.frozen
class RegisteredService:
    """A service definition with its state in one tenant.

    Args:
        epoch: raised to end all its links at once.
        cause: why it is quarantined.
        order: how many services were registered before it: the order of every list (TRACE T9).
    """

    service: Service
    state: ServiceState = ServiceState.UNCONFIGURED
    epoch: int = 0
    cause: str = ""
    order: int = 0


@attrs.frozen
class HostService:
    """What the host says of a service for all tenants at once: quarantined everywhere, or not."""

    quarantined: bool = False
    epoch: int = 0
    cause: str = ""


@attrs.frozen
class ServiceRegistry:
    """The services of one tenant (or, for one decision, only the one that is asked about).

    Args:
        tenant: its edition, products and default decide what can be used.
        services: by service id.
        everywhere: the host's own word on services, by service id.
    """

    tenant: Tenant
    services: Mapping[ServiceId, RegisteredService] = MappingProxyType({})
    everywhere: Mapping[ServiceId, HostService] = MappingProxyType({})

    def is_usable(self, service: ServiceId) -> bool:
        """Whether the service gate passes: the short answer of `findings`, allocating nothing."""
        known = self.services.get(service)
        if known is None:
            return False
        host = self.everywhere.get(service)
        if host is not None and host.quarantined:
            return False
        state, tenant = known.state, self.tenant
        if state is not ServiceState.ENABLED and (
            state is not ServiceState.UNCONFIGURED or tenant.unconfigured_services != "allow"
        ):
            return False
        return not unusable_definition(known.service, tenant)

    def finding(self, service: ServiceId) -> Finding:
        """Return the service gate's answer, with every reason."""
        known = self.services.get(service)
        if known is None:
            return Answer.REFUSED, (("service.unknown", {"service": service}),)
        notes = list(unusable_definition(known.service, self.tenant))
        host = self.everywhere.get(service)
        if host is not None and host.quarantined:
            notes.append(("service.quarantined_everywhere", {"service": service, "cause": host.cause}))
        params = {"service": service}
        match known.state:
            case ServiceState.QUARANTINED:
                notes.append(("service.quarantined", {"service": service, "cause": known.cause}))
            case ServiceState.DISABLED:
                notes.append(("service.disabled", params))
            case ServiceState.UNCONFIGURED if self.tenant.unconfigured_services != "allow":
                notes.append(("service.not_enabled", params))
            case _:
                pass
        if notes:
            return Answer.REFUSED, tuple(notes)
        return Answer.PASSED, (_ENABLED.get(known.state, _BY_DEFAULT)(service),)


def _enabled(service: ServiceId) -> Note:
    return "service.enabled", {"service": service}


def _BY_DEFAULT(service: ServiceId) -> Note:  # noqa: N802 - a constant of the table below
    return "service.enabled_by_default", {"service": service}


_ENABLED: Final = {ServiceState.ENABLED: _enabled}


def unusable_definition(service: Service, tenant: Tenant) -> tuple[Note, ...]:
    """Return why a definition cannot be used in a tenant whatever its state: edition, products, availability."""
    notes: list[Note] = []
    if tenant.edition not in service.editions:
        notes.append(("service.not_in_edition", {"service": service.id, "edition": str(tenant.edition)}))
    if service.products and service.products.isdisjoint(tenant.products):
        products = tuple(sorted(service.products))
        notes.append(("service.product_missing", {"service": service.id, "products": products}))
    if service.availability.state != "available":
        notes.append(("service.unavailable", {"service": service.id, "cause": service.availability.cause.texts}))
    return tuple(notes)
