"""What the checks of the storage contract are written with.

A check is a function that takes a way to open fresh, empty stores; it returns if the store kept the promise and raises
`ContractBroken` if not. The checks are written from `extlink.ports` alone and know no store.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from types import MappingProxyType
from typing import TypeVar

from extlink.domain.instant import Instant
from extlink.ports import Batch, Entries, Guard, Key, Position, Query, Records, Storage, Stored, Version, Write

_T = TypeVar("_T")
Factory = Callable[[], Storage]
Check = Callable[[Factory], None]

ACME = b"acme"
HOST = b"~host"
NOTHING_KNOWN: Mapping[Key, Version] = MappingProxyType({})
AT = Instant(1_700_000_000)
# Nothing here takes a second on an idle machine; a store that hangs is told from one that waits.
PATIENCE_SECONDS = 120


class ContractBroken(AssertionError):
    """The store did not keep the promise that the check is named after."""


def expect(expected: object, actual: object, what: str) -> None:
    """Require that a store answered what the contract says."""
    if expected != actual:
        raise ContractBroken(f"{what}: expected {_shown(expected)}, got {_shown(actual)}")


def refused(kind: type[Exception], what: str, call: Callable[[_T], object], argument: _T) -> None:
    """Require that a call raises an error of this kind and no other."""
    try:
        answer = call(argument)
    except kind:
        return
    except Exception as error:
        raise ContractBroken(f"{what}: expected {kind.__name__}, got {_shown(error)}") from error
    raise ContractBroken(f"{what}: expected {kind.__name__}, got the answer {_shown(answer)}")


def strictly(check: Check) -> Check:
    """Return a check that also rejects a store which raises where it should answer."""

    @wraps(check)
    def checked(open_store: Factory) -> None:
        try:
            check(open_store)
        except ContractBroken:
            raise
        except Exception as error:
            raise ContractBroken(f"expected an answer, got {_shown(error)}") from error

    return checked


def succeeds(kind: type[Exception], call: Callable[[_T], object], argument: _T) -> bool:
    """Return whether a call went through, or was refused with an error of this kind."""
    try:
        call(argument)
    except kind:
        return False
    return True


def version() -> Version:
    """Return 63 random bits, never the version that means "absent"."""
    return Version(secrets.randbits(63) | 1)


def at(path: bytes, tenant: bytes = ACME) -> Key:
    """Return a key in the tenant that the checks mostly use."""
    return Key(tenant, path)


def batch(
    *writes: Write, tenant: bytes = ACME, guards: Iterable[Guard] = (), entries: Iterable[bytes] = (b"entry",)
) -> Batch:
    """Return a batch with an id of its own."""
    return Batch(tenant=tenant, id=version(), guards=tuple(guards), writes=writes, entries=tuple(entries), at=AT)


def put(store: Storage, key: Key, value: bytes | None) -> Version:
    """Commit one write without a guard and return the record's version."""
    written = batch(Write(key, value), tenant=key.tenant)
    store.commit(written)
    return written.id


def look(store: Storage, *keys: Key, known: Mapping[Key, Version] | None = None) -> list[Stored]:
    """Read some keys, knowing some versions by key."""
    return list(store.read(keys, known or {}))


def values(store: Storage, *keys: Key) -> list[bytes | None]:
    """Read the values of some keys."""
    return [stored.value for stored in look(store, *keys)]


def versions(store: Storage, *keys: Key) -> list[Version]:
    """Read the versions of some keys."""
    return [stored.version for stored in look(store, *keys)]


def pages(store: Storage, query: Query) -> list[Stored]:
    """Walk all pages of a query, each from the last item of the one before."""
    found: list[Stored] = []
    while True:
        page = store.list(query)
        if len(page.items) > query.limit:
            raise ContractBroken(f"a page of {query.limit}: got {len(page.items)} items")
        if found and page.items and page.items[0].key <= found[-1].key:
            raise ContractBroken(f"a page that follows {_shown(found[-1].key)} begins with {_shown(page.items[0].key)}")
        found.extend(page.items)
        if not page.more:
            return found
        if not page.items:
            raise ContractBroken("a page without items says that more follows")
        query = _following(query, page.items[-1])


def ledger(store: Storage, tenant: bytes = ACME) -> list[tuple[int, bytes]]:
    """Return all entries of a tenant with their numbers."""
    return [(int.from_bytes(item.key.path, "big"), item.value or b"") for item in pages(store, Entries(tenant))]


def paths(store: Storage, prefix: bytes = b"", tenant: bytes = ACME) -> list[bytes]:
    """Return the paths of all records below a prefix."""
    return [item.key.path for item in pages(store, Records(tenant, prefix))]


def together(*calls: Callable[[], object]) -> list[object]:
    """Call functions on threads of their own at the same time, and return their answers or raise the first error."""
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result(PATIENCE_SECONDS) for future in [threads.submit(call) for call in calls]]


def _following(query: Query, last: Stored) -> Query:
    if isinstance(query, Records):
        return query._replace(after=last.key.path)
    return query._replace(after=Position(int.from_bytes(last.key.path, "big")))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
