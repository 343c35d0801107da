"""What a store may have beside the three methods of its contract, asked for by the few who need it.

Rule: a store that lacks it is as good as any other for every operation; whoever needs more is told the way out. One of
the other colour lacks it too: nothing may begin that nobody awaits.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TypeVar, cast

from extlink.errors import Misconfigured
from extlink.ports import AsyncTenantList, AsyncTenantRemoval, TenantList, TenantRemoval

__all__ = ["listed", "listed_async", "removable", "removable_async"]

T = TypeVar("T")


def listed(storage: object) -> TenantList:
    """Return a store that can say which tenants it has.

    Raises:
        Misconfigured: it cannot.

    >>> listed(3)
    Traceback (most recent call last):
    ...
    extlink.errors.Misconfigured: expected a store with tenants (extlink.ports.TenantList), got int; name the tenants
    """
    return cast("TenantList", _having(storage, "tenants", "TenantList", "name the tenants"))


def listed_async(storage: object) -> AsyncTenantList:
    """Return an asynchronous store that can say which tenants it has.

    Raises:
        Misconfigured: as `listed`.
    """
    return cast("AsyncTenantList", _having(storage, "tenants", "AsyncTenantList", "name the tenants"))


def removable(storage: object) -> TenantRemoval:
    """Return a store of which a tenant can be removed.

    Raises:
        Misconfigured: it cannot.
    """
    return cast("TenantRemoval", _having(storage, "remove_part", "TenantRemoval", "remove it by the store's own means"))


def removable_async(storage: object) -> AsyncTenantRemoval:
    """Return an asynchronous store of which a tenant can be removed.

    Raises:
        Misconfigured: as `removable`.
    """
    way_out = "remove it by the store's own means"
    return cast("AsyncTenantRemoval", _having(storage, "remove_part", "AsyncTenantRemoval", way_out))


def _having(storage: T, method: str, port: str, way_out: str) -> T:
    try:
        found: object = getattr(storage, method)
    except Exception:  # noqa: BLE001 - whatever an attribute of a strange object does, it is no method
        found = None
    if not callable(found) or iscoroutinefunction(found) != port.startswith("Async"):
        raise Misconfigured(
            f"expected a store with {method} (extlink.ports.{port}), got {type(storage).__name__}; {way_out}"
        )
    return storage
