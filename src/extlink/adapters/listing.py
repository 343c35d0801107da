"""Which tenants a store has: every customer of the host of whom it keeps something, in byte order.

Rules
    A page is bounded, and no operation waits for another one's; so this is no snapshot: who comes or goes meanwhile is
    listed or not. Whoever is there from the first page to the last is listed once.
    The host's own part, `~host`, is no customer and is left out here; stores themselves list it (`ports.TenantList`).
    What is no text in Unicode, which only damage can make of an id, is listed all the same, with a lone surrogate for
    each such byte: whatever is done with it next refuses it by name, and nobody is passed over in silence.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from extlink.adapters._beside import listed, listed_async
from extlink.domain.identifier import plain_text
from extlink.domain.tenant import HOST
from extlink.errors import InvalidInput
from extlink.ports import MAX_LIST, AsyncTenantList, TenantList

__all__ = ["tenants_of", "tenants_of_async"]


def tenants_of(storage: TenantList, *, after: str = "") -> Iterator[str]:
    """Yield the id of every tenant of a store, asking for a thousand at a time.

    Args:
        storage: any of extlink's own stores, or another one that has `tenants`.
        after: the id to go on after; it need not exist.

    Raises:
        InvalidInput: no text.
        Misconfigured: a store that cannot say it.
        StorageError: the store failed; go on after the last id.

    >>> from extlink import ExtLink, MemoryStorage
    >>> from extlink.hub import drawn_keys
    >>> from extlink.adapters.directory import InMemoryDirectory
    >>> storage = MemoryStorage()
    >>> hub = ExtLink(storage, keys=drawn_keys(), directory=InMemoryDirectory())
    >>> for name in ("globex", "acme"):
    ...     _ = hub.open_tenant(name, edition="JP", products={"kintone"})
    >>> list(tenants_of(storage)), list(tenants_of(storage, after="acme"))
    (['acme', 'globex'], ['globex'])
    """
    lister, start = listed(storage), _start(after)
    return _each(lister, start)


def _each(lister: TenantList, after: bytes) -> Iterator[str]:
    page: Sequence[bytes] = (b"",) * MAX_LIST
    while len(page) == MAX_LIST:
        page = lister.tenants(after, MAX_LIST)
        yield from _customers(page)
        after = page[-1] if page else after


def tenants_of_async(storage: AsyncTenantList, *, after: str = "") -> AsyncIterator[str]:
    """Do the same as `tenants_of` for a host on asyncio.

    >>> import asyncio
    >>> from extlink import MemoryStorage, ThreadedStorage
    >>> async def main():
    ...     async with ThreadedStorage(MemoryStorage()) as storage:
    ...         return [tenant async for tenant in tenants_of_async(storage)]
    >>> asyncio.run(main())
    []
    """
    lister, start = listed_async(storage), _start(after)
    return _each_async(lister, start)


async def _each_async(lister: AsyncTenantList, after: bytes) -> AsyncIterator[str]:
    page: Sequence[bytes] = (b"",) * MAX_LIST
    while len(page) == MAX_LIST:
        page = await lister.tenants(after, MAX_LIST)
        for tenant in _customers(page):
            yield tenant
        after = page[-1] if page else after


def _customers(page: Sequence[bytes]) -> list[str]:
    names = [name.decode(errors="surrogateescape") for name in page]
    return [name for name in names if name != HOST]


def _start(after: object) -> bytes:
    text = plain_text(after)
    if text is None:
        raise InvalidInput("after", f"expected a tenant's id, got {type(after).__name__}")
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise InvalidInput("after", f"expected text in Unicode, got {text[:64]!a} with a lone surrogate") from None
