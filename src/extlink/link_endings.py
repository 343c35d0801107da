"""The end of all links that a tightened rule is about, in the commit that tightens it (F11; `domain.existing`).

Rule: one record, an epoch, and one entry, however many links there are; so it holds at the next check in every process.
Who may change a rule need not be one who may end other people's links: that is asked beside it.
"""

from __future__ import annotations

import attrs

from extlink.domain.event import Event
from extlink.domain.grant import Existing
from extlink.domain.registry import RegisteredService
from extlink.domain.tenant import Tenant
from extlink.link_ends import is_administrator
from extlink.operation import Call, Change, put
from extlink.records import service_key, tenant_key

__all__ = ["is_permitted", "of_service", "of_tenant"]

Ending = tuple[tuple[Change, ...], tuple[Event, ...]]


def is_permitted(call: Call, existing: Existing) -> bool:
    """Whether the actor may say this word about other people's links (TRACE T11)."""
    return existing != "revoke" or is_administrator(call)


def of_tenant(call: Call, tenant: Tenant, cause: str) -> Ending:
    """Return what ends every link of a tenant, and what records it."""
    ended = attrs.evolve(tenant, epoch=tenant.epoch + 1)
    event = Event("tenant.links_ended", {"cause": cause, "epoch": ended.epoch})
    return (put(tenant_key(call.tenant), ended),), (event,)


def of_service(call: Call, known: RegisteredService, cause: str) -> Ending:
    """Return what ends every link to a service, and what records it."""
    ended = attrs.evolve(known, epoch=known.epoch + 1)
    details = {"user": None, "service": known.service.id, "link": None, "cause": cause}
    return (put(service_key(call.tenant, known.service.id), ended),), (Event("link.revoked_by_administrator", details),)
