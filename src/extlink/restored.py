"""After a restore from a backup: end every link of every tenant, so that no line of tokens goes on in two (DESIGN 6).

Rules
    Each tenant is done by the one operation that does it, `tenants.end_links`, as the host: one record, its epoch, and
    an entry in its ledger (`tenant.links_ended`) that names the cause.
    One tenant's trouble keeps nobody from the rest: it is named at the end with its reason, and the statement is false.
    Killed at any point it is called again: a tenant that was done is done once more, which costs a further epoch and
    ends nothing that lived, as long as nobody is served yet.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator

import attrs

from extlink import tenants as operations
from extlink.domain.identifier import plain_text
from extlink.errors import Contention, CorruptRecord, InvalidInput, Refused
from extlink.hub import named, parse_actor, parse_tenant
from extlink.operation import Call, Course, following
from extlink.runtime import AsyncExtLink, ExtLink

__all__ = ["LinksEnded", "end_all_links", "end_all_links_async"]


@attrs.frozen
class LinksEnded:
    """What came of it; true if no tenant failed.

    Args:
        tenants: in how many tenants every link has ended.
        failed: in which it has not, and why.

    >>> bool(LinksEnded(2)), bool(LinksEnded(1, (("acme", "a record of kind t cannot be read back"),)))
    (True, False)
    """

    tenants: int
    failed: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        """Whether every link of every tenant has ended."""
        return not self.failed


def end_all_links(hub: ExtLink, tenants: Iterable[str], cause: str, *, user: str = "operations") -> LinksEnded:
    """End every link of tenants, with all codes and tokens, tenant by tenant; killed, call it again.

    The command `extlink end-links` does the same without the host's keys.

    Args:
        tenants: all that the store has (`adapters.listing.tenants_of`), or some; any number.
        cause: what each ledger keeps as the reason, at most 255 characters.
        user: who does it, as the ledgers name them.

    Raises:
        InvalidInput: malformed arguments, or an `AsyncExtLink`, before anything is ended. A malformed id among the
            tenants is one that failed.
        Unavailable: the store is away; what has ended stays ended, call it again.
        Misconfigured: the hub's keys are not those of the store; nothing has ended.

    >>> hub = ExtLink.in_memory()
    >>> _ = hub.open_tenant("acme", edition="JP", products={"kintone"})
    >>> end_all_links(hub, ["acme", "globex"], "restored from the backup of 1 June")
    LinksEnded(tenants=1, failed=(('globex', 'tenant.not_open: The domain globex has not been opened.'),))
    """
    _require(hub, ExtLink, "end_all_links_async")
    return hub.host().follow(_ending(named(tenants), cause, user))


def end_all_links_async(
    hub: AsyncExtLink, tenants: Iterable[str], cause: str, *, user: str = "operations"
) -> Coroutine[object, object, LinksEnded]:
    """Do the same as `end_all_links` for a host on asyncio; cancelled, call it again.

    >>> import asyncio
    >>> from extlink import AsyncExtLink
    >>> async def morning():
    ...     return await end_all_links_async(AsyncExtLink.in_memory(), ["globex"], "restored from a backup")
    >>> asyncio.run(morning()).tenants
    0
    """
    _require(hub, AsyncExtLink, "end_all_links")
    return hub.host().follow(_ending(named(tenants), cause, user))


def _ending(tenants: Iterator[object], cause: str, user: str) -> Course[LinksEnded]:
    ending, actor = operations.end_links(cause), parse_actor(user, {"host"}, None)
    count, failed = 0, list[tuple[str, str]]()
    for tenant in tenants:
        try:
            yield from following(ending, Call(parse_tenant(tenant), actor))
        except (InvalidInput, Refused, CorruptRecord, Contention) as error:
            failed.append((plain_text(tenant) or type(tenant).__name__, str(error)))
        else:
            count += 1
    return LinksEnded(count, tuple(failed))


def _require(hub: object, kind: type[object], other: str) -> None:
    """Refuse what cannot be walked from here: with nothing awaited, nothing would end."""
    if not issubclass(type(hub), kind):
        raise InvalidInput(
            "hub", f"expected {kind.__name__}, got {type(hub).__name__}; for the other colour there is {other}"
        )
