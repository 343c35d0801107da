"""The emergency stop as one call: stop a service, end all its links, and show that none is left (F14; law 9, 15).

Rules: the stop holds at once, everywhere, before the first link is ended; killed at any point, the same call goes on
where it was; what is returned was read from the store afterwards, not added up on the way.

Every function here only runs operations one after another - `services.quarantine`, `purge` until it is done,
`remaining` - and a host may as well run them itself. What is run in which order is written once, for both colours.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator
from typing import Final

import attrs

from extlink import services
from extlink.domain.identifier import plain_text
from extlink.domain.tenant import Actor
from extlink.errors import Contention, CorruptRecord, InvalidInput, Refused
from extlink.hub import named, parse_tenant
from extlink.operation import Call, Course, following
from extlink.runtime import AsyncExtLink, AsyncTenant, ExtLink, Tenant
from extlink.service_purge import Purge, Purges, Remaining

__all__ = ["Statement", "StatementEverywhere", "stop", "stop_async", "stop_everywhere", "stop_everywhere_async"]

_HOST: Final = Actor(roles=frozenset({"host"}))
# Whatever else a tenant refuses, its links may be there: nobody shall take that for a proof.
_NOTHING_TO_END: Final = frozenset({"service.unknown", "tenant.not_open"})


@attrs.frozen(kw_only=True)
class Statement:
    """What an emergency stop came to in one tenant; true if nothing is left.

    Args:
        purge: what was ended, as the ledger says it (`service.purged`).
        remaining: which links to the service have not ended, by a look at each: none.
    """

    purge: Purge
    remaining: Remaining

    def __bool__(self) -> bool:
        """Whether every link to the service has ended."""
        return not self.remaining.count


@attrs.frozen(kw_only=True)
class StatementEverywhere:
    """What an emergency stop came to in every tenant that was named; true if it met the service, and nothing is left.

    Args:
        purges: how many tenants are done and what was ended there, as `~host` has it.
        remaining: how many links have not ended, by a look at each link of each tenant: 0.
        unreadable: how many records of links could not be read; nobody can use them, a backup has them.
        refused: what was named and has nothing to be ended, with a code: `service.unknown` where the service is not
            registered, `tenant.not_open`, or `invalid_input` for no id of a tenant.
        damaged: tenants whose links were not all looked at, and why: a record that cannot be read, others who never
            stopped writing, or any other refusal. The stop holds there as everywhere.
    """

    purges: Purges
    remaining: int
    unreadable: int
    refused: tuple[tuple[str, str], ...]
    damaged: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        """Whether some tenant knows the service, and all of its links have ended in every one."""
        return bool(self.purges.tenants) and not self.remaining and not self.damaged


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


def _stopping(service: str, cause: str) -> Course[Statement]:
    yield from following(services.quarantine(service, cause))
    purge = yield from _purged(service, None)
    return Statement(purge=purge, remaining=(yield from following(services.remaining(service))))


def _purged(service: str, call: Call | None) -> Course[Purge]:
    """Run the purge until it is done."""
    purge = yield from following(services.purge(service), call)
    while purge.done is None:
        purge = yield from following(services.purge(service), call)
    return purge


def stop_everywhere(hub: ExtLink, tenants: Iterable[str], service: str, cause: str) -> StatementEverywhere:
    """Stop a service in every tenant at once, then end its links tenant by tenant; killed, call it again.

    Source: F14, DESIGN 5 (`~host`). One record of the host stops the service in all tenants, named here or not; only
    the links of those that are named are ended one by one, and the trouble of one keeps none of the others waiting. It
    runs as the host itself.

    Args:
        tenants: every tenant of the host, any number: `adapters.listing.tenants_of` has those of a store.
        cause: as in `stop`.

    Returns:
        The statement; false as well where no tenant knows the service, so that a slip in its name is noticed.

    Raises:
        InvalidInput: malformed arguments, or an `AsyncExtLink`, before anything is stopped.
        StorageError: the store failed; what is ended stays ended, call it again.

    >>> from extlink import ExtLink
    >>> stop_everywhere(ExtLink.in_memory(), ["acme"], "slack", "vendor breach").refused
    (('acme', 'tenant.not_open'),)
    """
    _require(hub, ExtLink, "hub", "stop_everywhere_async")
    return hub.host().follow(_stopping_everywhere(named(tenants), service, cause))


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
    return hub.host().follow(_stopping_everywhere(named(tenants), service, cause))


def _stopping_everywhere(tenants: Iterator[object], service: str, cause: str) -> Course[StatementEverywhere]:
    yield from following(services.quarantine_everywhere(service, cause))
    remaining = unreadable = 0
    refused, damaged = list[tuple[str, str]](), list[tuple[str, str]]()
    for tenant in tenants:
        shown = plain_text(tenant) or type(tenant).__name__
        try:
            call = Call(parse_tenant(tenant), _HOST)
        except InvalidInput as error:
            refused.append((shown, error.code))
            continue
        try:
            purge = yield from _purged(service, call)
            left = yield from following(services.remaining(service), call)
        except Refused as error:
            nothing = error.reason.code in _NOTHING_TO_END
            (refused if nothing else damaged).append((shown, error.reason.code))
        except (InvalidInput, CorruptRecord, Contention) as error:
            damaged.append((shown, str(error)))
        else:
            remaining, unreadable = remaining + left.count, unreadable + left.unread
            yield from following(services.note_purge(call.tenant, purge))
    purges = yield from following(services.purges(service))
    return StatementEverywhere(
        purges=purges, remaining=remaining, unreadable=unreadable, refused=tuple(refused), damaged=tuple(damaged)
    )
