"""What the checks of the storage contract are written with: small questions to a store, and how a broken one is told.

Rules: everything here is written from `extlink.ports` alone and knows no store; a store that does not keep a promise is
reported as `ContractBroken`, whatever it did instead.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Final, TypeVar

from extlink.domain.instant import Instant
from extlink.ports import Batch, Entries, Guard, Key, Position, Query, Records, Storage, Stored, Version, Write

__all__ = [
    "ACME",
    "AT",
    "HOST",
    "NOTHING_KNOWN",
    "PATIENCE_SECONDS",
    "ContractBroken",
    "OpenStore",
    "at",
    "batch",
    "expect",
    "ledger",
    "look",
    "pages",
    "paths",
    "put",
    "refused",
    "shown",
    "succeeds",
    "together",
    "values",
    "version",
    "versions",
]

_T = TypeVar("_T")
_A = TypeVar("_A")
OpenStore = Callable[[], Storage]

ACME: Final = b"acme"
HOST: Final = b"~host"
NOTHING_KNOWN: Final[Mapping[Key, Version]] = MappingProxyType({})
AT: Final = Instant(1_700_000_000)
# Nothing here takes a second on an idle machine; a store that hangs is told from one that waits.
PATIENCE_SECONDS: Final = 120
_MAX_SHOWN: Final = 200


class ContractBroken(AssertionError):
    """A store did not keep its contract.

    Args:
        problem: what was expected, and what came instead.
        check: the name of the check that found it; empty inside of a check.
    """

    def __init__(self, problem: str, check: str = "") -> None:
        super().__init__(f"{check}: {problem}" if check else problem)
        self.problem: str = problem
        self.check: str = check


def expect(expected: object, actual: object, what: str) -> None:
    """Require that a store answered what the contract says."""
    if expected != actual:
        raise ContractBroken(f"{what}: expected {shown(expected)}, got {shown(actual)}")


def refused(kind: type[Exception], what: str, call: Callable[[_A], object], argument: _A) -> None:
    """Require that a call raises an error of this kind and no other."""
    try:
        answer = call(argument)
    except kind:
        return
    except Exception as error:
        raise ContractBroken(f"{what}: expected {kind.__name__}, got {shown(error)}") from error
    raise ContractBroken(f"{what}: expected {kind.__name__}, got the answer {shown(answer)}")


def succeeds(kind: type[Exception], call: Callable[[_A], object], argument: _A) -> bool:
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
            raise ContractBroken(f"a page that follows {shown(found[-1].key)} begins with {shown(page.items[0].key)}")
        found.extend(page.items)
        if not page.more:
            return found
        if not page.items:
            raise ContractBroken("a page without items says that more follows")
        query = _following(query, page.items[-1])


def ledger(store: Storage, tenant: bytes = ACME) -> list[tuple[int, bytes]]:
    """Return all entries of a tenant with their numbers."""
    return [(int.from_bytes(item.key.path), item.value or b"") for item in pages(store, Entries(tenant))]


def paths(store: Storage, prefix: bytes = b"", tenant: bytes = ACME) -> list[bytes]:
    """Return the paths of all records below a prefix."""
    return [item.key.path for item in pages(store, Records(tenant, prefix))]


def together(*calls: Callable[[], _T]) -> list[_T]:
    """Call functions on threads of their own at the same time, and return their answers or raise the first error."""
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result(PATIENCE_SECONDS) for future in [threads.submit(call) for call in calls]]


def shown(value: object) -> str:
    """Return a value as a report may show it."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _following(query: Query, last: Stored) -> Query:
    if isinstance(query, Records):
        return query._replace(after=last.key.path)
    return query._replace(after=Position(int.from_bytes(last.key.path)))
