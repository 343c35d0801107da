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
from extlink.domain.instant import Instant
from extlink.domain.link import Link
from extlink.domain.service import Service
from extlink.domain.tenant import Tenant

__all__ = ["HostService", "RegisteredService", "ServiceRegistry", "ServiceState"]


class ServiceState(StrEnum):
    """What an administrator said about a registered service."""

    UNCONFIGURED = "unconfigured"
    ENABLED = "enabled"
    DISABLED = "disabled"
    QUARANTINED = "quarantined"


_DAY: Final = 86_400
# In Python 3.11 to ask an enumeration for its member costs more than to compare it; these are the members themselves.
_PASSED: Final = Answer.PASSED
_REFUSED: Final = Answer.REFUSED
_ENABLED: Final = ServiceState.ENABLED
_DISABLED: Final = ServiceState.DISABLED
_UNCONFIGURED: Final = ServiceState.UNCONFIGURED
_QUARANTINED: Final = ServiceState.QUARANTINED


@attrs.frozen
class RegisteredService:
    """A service definition with its state in one tenant.

    Args:
        epoch: raised to end all its links at once.
        cause: why it is quarantined.
        order: how many services were registered before it: the order of every list (TRACE T9).
        dormant_after: how many seconds a link lives without new tokens; None: as long as the host's lifetimes say.
    """

    service: Service
    state: ServiceState = ServiceState.UNCONFIGURED
    epoch: int = 0
    cause: str = ""
    order: int = 0
    dormant_after: int | None = None


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

    >>> from extlink.domain.identifier import TenantId
    >>> tenant = Tenant(id=TenantId("acme"), edition="JP", products=frozenset({"kintone"}))
    >>> ServiceRegistry(tenant).is_usable(ServiceId("slack"))
    False
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
        state, tenant, definition = known.state, self.tenant, known.service
        if state is not _ENABLED and (state is not _UNCONFIGURED or tenant.unconfigured_services != "allow"):
            return False
        return (
            tenant.edition in definition.editions
            and not (definition.products and definition.products.isdisjoint(tenant.products))
            and definition.availability.state == "available"
        )

    def dormant_days(self, link: Link, at: Instant) -> int | None:
        """Return after how many days without new tokens a link is over, if it is; None: it is not (F12)."""
        known = self.services.get(link.service)
        if known is None or known.dormant_after is None or at - link.renewed < known.dormant_after:
            return None
        return known.dormant_after // _DAY

    def finding(self, service: ServiceId) -> Finding:
        """Return the service gate's answer, with every reason."""
        known = self.services.get(service)
        if known is None:
            return _REFUSED, (("service.unknown", {"service": service}),)
        notes = list(unusable_definition(known.service, self.tenant))
        host = self.everywhere.get(service)
        if host is not None and host.quarantined:
            notes.append(("service.quarantined_everywhere", {"service": service, "cause": host.cause}))
        params = {"service": service}
        state = known.state
        if state is _QUARANTINED:
            notes.append(("service.quarantined", {"service": service, "cause": known.cause}))
        elif state is _DISABLED:
            notes.append(("service.disabled", params))
        elif state is _UNCONFIGURED and self.tenant.unconfigured_services != "allow":
            notes.append(("service.not_enabled", params))
        if notes:
            return _REFUSED, tuple(notes)
        return _PASSED, (("service.enabled" if state is _ENABLED else "service.enabled_by_default", params),)


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
