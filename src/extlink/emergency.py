"""The emergency stop as one call: stop a service, end all its links, and show that none is left (F14; law 9, 15).

Rules: the stop holds at once, everywhere, before the first link is ended; killed at any point, the same call goes on
where it was; what is returned was read from the store afterwards, not added up on the way.

Every function here only runs operations one after another - `services.quarantine`, `purge` until it is done,
`remaining` - and a host may as well run them itself. What is run in which order is written once, for both colours.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Final

import attrs

from extlink import services
from extlink.domain.identifier import TenantId, parse_ids
from extlink.domain.tenant import Actor
from extlink.errors import CorruptRecord, InvalidInput, Refused
from extlink.hub import parse_tenant
from extlink.operation import Call, Flow, following
from extlink.runtime import AsyncExtLink, AsyncTenant, ExtLink, Tenant
from extlink.service_purge import Purge, Purges, Remaining

__all__ = ["Statement", "StatementEverywhere", "stop", "stop_async", "stop_everywhere", "stop_everywhere_async"]

_HOST: Final = Actor(roles=frozenset({"host"}))


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
    _require(tenant, Tenant, "tenant", "stop_async")
    return tenant.follow(_stopping(service, cause))


def stop_async(tenant: AsyncTenant, service: str, cause: str) -> Coroutine[object, object, Statement]:
    """Do the same as `stop` for a host on asyncio; cancelled, call it again.

    >>> import asyncio
    >>> from extlink import AsyncExtLink, catalog
    >>> async def night():
    ...     tenant = await AsyncExtLink.in_memory().open_tenant("acme", edition="JP", products={"kintone"})
    ...     admin = tenant.acting_as("admin-1", roles={"common_administrator"})
    ...     await admin.run(services.register(catalog.SLACK))
    ...     return await stop_async(admin, "slack", "token leak at the vendor")
    >>> asyncio.run(night()).remaining.count
    0
    """
    _require(tenant, AsyncTenant, "tenant", "stop")
    return tenant.follow(_stopping(service, cause))


def _require(value: object, kind: type[object], field: str, other: str) -> None:
    """Refuse the other colour: with nothing awaited, nothing would be stopped."""
    if not isinstance(value, kind):
        raise InvalidInput(
            field, f"expected {kind.__name__}, got {type(value).__name__}; for the other colour there is {other}"
        )


def _stopping(service: str, cause: str) -> Flow[Statement]:
    yield from following(services.quarantine(service, cause))
    purge = yield from _purged(service, None)
    return Statement(purge=purge, remaining=(yield from following(services.remaining(service))))


def _purged(service: str, call: Call | None) -> Flow[Purge]:
    """Run the purge until it is done."""
    purge = yield from following(services.purge(service), call)
    while purge.done is None:
        purge = yield from following(services.purge(service), call)
    return purge


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
    _require(hub, ExtLink, "hub", "stop_everywhere_async")
    return hub.host().follow(_stopping_everywhere(tenants, service, cause))


def stop_everywhere_async(
    hub: AsyncExtLink, tenants: Iterable[str], service: str, cause: str
) -> Coroutine[object, object, StatementEverywhere]:
    """Do the same as `stop_everywhere` for a host on asyncio; cancelled, call it again.

    >>> import asyncio
    >>> from extlink import AsyncExtLink
    >>> async def night():
    ...     return await stop_everywhere_async(AsyncExtLink.in_memory(), ["acme"], "slack", "vendor breach")
    >>> asyncio.run(night()).refused
    (('acme', 'tenant.not_open'),)
    """
    _require(hub, AsyncExtLink, "hub", "stop_everywhere")
    return hub.host().follow(_stopping_everywhere(tenants, service, cause))


def _stopping_everywhere(tenants: Iterable[str], service: str, cause: str) -> Flow[StatementEverywhere]:
    found = _Found()
    named = tuple(parse_tenant(one) for one in sorted(parse_ids(tenants, "tenants")))
    yield from following(services.quarantine_everywhere(service, cause))
    for tenant in named:
        call = Call(tenant, _HOST)
        try:
            purge = yield from _purged(service, call)
            found.take((yield from following(services.remaining(service), call)))
        except Refused as refused:
            found.pass_over(tenant, refused)
            continue
        except CorruptRecord as damaged:
            found.damage = found.damage or damaged
            continue
        yield from following(services.note_purge(tenant, purge))
    if found.damage is not None:
        raise found.damage
    return found.statement((yield from following(services.purges(service))))
