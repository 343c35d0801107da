"""The emergency stop as one call: stop a service, end all its links, and show that none is left (F14; law 9, 15).

Rules: the stop holds at once, everywhere, before the first link is ended; killed at any point, the same call goes on
where it was; what is returned was read from the store afterwards, not added up on the way.

Every function here only runs operations one after another - `services.quarantine`, `purge` until it is done,
`remaining` - and a host may as well run them itself; from asyncio it does.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from extlink import services
from extlink.domain.identifier import TenantId, parse_ids
from extlink.domain.tenant import Actor
from extlink.errors import CorruptRecord, InvalidInput, Refused
from extlink.hub import parse_tenant
from extlink.operation import Call
from extlink.runtime import ExtLink, Tenant
from extlink.service_purge import Purge, Purges, Remaining

__all__ = ["Statement", "StatementEverywhere", "stop", "stop_everywhere"]

_HOST = Actor(roles=frozenset({"host"}))


@attrs.frozen(kw_only=True)
class Statement:
    """What an emergency stop came to in one tenant.

    Args:
        purge: what was ended, as the ledger says it (`service.purged`).
        remaining: which links to the service have not ended, by a look at each: none.
    """

    purge: Purge
    remaining: Remaining


@attrs.frozen(kw_only=True)
class StatementEverywhere:
    """What an emergency stop came to in every tenant that was named.

    Args:
        purges: how many tenants are done and what was ended there, as `~host` has it.
        remaining: how many links have not ended, by a look at each link of each tenant: 0.
        unreadable: how many records of links could not be read; nobody can use them, a backup has them.
        refused: tenants in which nothing was to be ended, with the reason's code: `service.unknown` where the service
            is not registered, `tenant.not_open`.
    """

    purges: Purges
    remaining: int
    unreadable: int
    refused: tuple[tuple[TenantId, str], ...]


def stop(tenant: Tenant, service: str, cause: str) -> Statement:
    """Stop a service in a tenant, end all its links, and show that none is left; killed, call it again.

    Source: F14, MISSION's four verbs. Nothing revives the links: users connect again after `services.release` and
    `services.enable`. The actor needs `common_administrator`.

    Args:
        cause: why, for the administrators who meet it; at most 500 characters. Another cause is another stop.

    Raises:
        InvalidInput: malformed arguments, or the tenant of an `AsyncExtLink`, before anything is stopped.
        Refused: `service.unknown`, `tenant.not_open`, `actor.not_permitted`.
        StorageError: the store failed; what is ended stays ended, call it again.

    >>> from extlink import ExtLink, catalog
    >>> hub = ExtLink.in_memory()
    >>> tenant = hub.open_tenant("acme", edition="JP", products={"kintone"})
    >>> admin = tenant.acting_as("admin-1", roles={"common_administrator"})
    >>> registered = admin.run(services.register(catalog.SLACK))
    >>> stop(admin, "slack", "token leak at the vendor").remaining.count
    0
    """
    _synchronous(tenant, Tenant, "tenant")
    tenant.run(services.quarantine(service, cause))
    purge = tenant.run(services.purge(service))
    while purge.done is None:
        purge = tenant.run(services.purge(service))
    return Statement(purge=purge, remaining=tenant.run(services.remaining(service)))


def _synchronous(value: object, kind: type[object], field: str) -> None:
    """Refuse what cannot be run from here: with nothing awaited, nothing would be stopped."""
    if not isinstance(value, kind):
        raise InvalidInput(
            field,
            f"expected the {kind.__name__} of a synchronous host, got {type(value).__name__}; from asyncio run "
            f"services.quarantine, services.purge until it is done, and services.remaining",
        )


@attrs.define
class _Found:
    """What was seen on the way from tenant to tenant, beside what the host's records say.

    Args:
        damage: the first of the tenants' records that could not be read; it waits until all others are done.
    """

    remaining: int = 0
    unreadable: int = 0
    refused: tuple[tuple[TenantId, str], ...] = ()
    damage: CorruptRecord | None = None

    def take(self, left: Remaining) -> None:
        """Add what a look at a tenant's links found."""
        self.remaining += left.count
        self.unreadable += left.unread

    def pass_over(self, tenant: TenantId, refused: Refused) -> None:
        """Note a tenant that has no such service; another one's trouble must not keep the rest from being stopped."""
        self.refused = (*self.refused, (tenant, refused.reason.code))

    def statement(self, purges: Purges) -> StatementEverywhere:
        """Return the statement."""
        return StatementEverywhere(
            purges=purges, remaining=self.remaining, unreadable=self.unreadable, refused=self.refused
        )


def stop_everywhere(hub: ExtLink, tenants: Iterable[str], service: str, cause: str) -> StatementEverywhere:
    """Stop a service in every tenant at once, then end its links tenant by tenant; killed, call it again.

    Source: F14, DESIGN 5 (`~host`). One record of the host stops the service in all tenants, named here or not; only
    the links of those that are named are ended one by one. It runs as the host itself.

    Args:
        tenants: every tenant of the host.
        cause: as in `stop`.

    Raises:
        InvalidInput: malformed arguments, or an `AsyncExtLink`, before anything is stopped.
        StorageError: the store failed; what is ended stays ended, call it again. `CorruptRecord` for a damaged tenant,
            when the links of all others have been ended.

    >>> from extlink import ExtLink
    >>> stop_everywhere(ExtLink.in_memory(), ["acme"], "slack", "vendor breach").refused
    (('acme', 'tenant.not_open'),)
    """
    _synchronous(hub, ExtLink, "hub")
    host, found = hub.host(), _Found()
    named = tuple(parse_tenant(one) for one in sorted(parse_ids(tenants, "tenants")))
    host.run(services.quarantine_everywhere(service, cause))
    for tenant in named:
        call = Call(tenant, _HOST)
        try:
            purge = hub.carry_out(services.purge(service), call)
            while purge.done is None:
                purge = hub.carry_out(services.purge(service), call)
            found.take(hub.carry_out(services.remaining(service), call))
        except Refused as refused:
            found.pass_over(tenant, refused)
            continue
        except CorruptRecord as damaged:
            found.damage = found.damage or damaged
            continue
        host.run(services.note_purge(tenant, purge))
    if found.damage is not None:
        raise found.damage
    return found.statement(host.run(services.purges(service)))
