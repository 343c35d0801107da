"""Moving a tenant from one store to another, over the three methods alone, and proving that nothing was lost.

Rules
    A copy is exact: the same keys, values and versions, the same ledger under the same numbers and batch ids.
    It changes nothing in the source, and may be run while the tenant is in use, and again: each time it carries over
    what is not there yet. The last time nothing may write; then both have the same fingerprint.
    Records go first, then the entries that were there before the first record was read. So whatever a record still
    lacks was committed later, and its batch is not in the copied ledger yet: a store applies no batch twice.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final, TypeVar

import attrs

from extlink.domain.identifier import parse_id
from extlink.domain.instant import Instant
from extlink.errors import CorruptRecord, Misconfigured
from extlink.ports import MAX_LIST, Batch, Entries, Position, Records, Storage, Stored, Version, Write

__all__ = ["Copied", "Fingerprint", "copy_tenant", "fingerprint"]

T = TypeVar("T")
_NO_TIME: Final = Instant(0)


@attrs.frozen(kw_only=True)
class Copied:
    """What one copy carried over: records put, records deleted from the target, entries added.

    >>> bool(Copied(records=0, deleted=0, entries=0))
    False
    """

    records: int
    deleted: int
    entries: int

    def __bool__(self) -> bool:
        """Whether anything was left to carry over."""
        return bool(self.records or self.deleted or self.entries)


@attrs.frozen(kw_only=True)
class Fingerprint:
    """What a store has of a tenant: how much, and the SHA-256 of all of it in order, in hexadecimal.

    >>> Fingerprint(records=0, entries=0, sha256="00") == Fingerprint(records=0, entries=0, sha256="01")
    False
    """

    records: int
    entries: int
    sha256: str


def fingerprint(storage: Storage, tenant: str) -> Fingerprint:
    """Read everything of a tenant and return its fingerprint; `~host` is the host's own part.

    Two stores with the same fingerprint hold the same records, versions and ledger, byte for byte.

    >>> from extlink.adapters.memory import MemoryStorage
    >>> fingerprint(MemoryStorage(), "acme").records
    0
    """
    name = parse_id(tenant, "tenant").encode()
    whole = hashlib.sha256()
    counts = [0, 0]
    for kind, items in enumerate((_records(storage, name), _entries(storage, name, Position(0)))):
        for item in items:
            counts[kind] += 1
            value = item.value or b""
            whole.update(b"%d %d %d %d " % (kind, item.version, len(item.key.path), len(value)))
            whole.update(item.key.path + value)
    return Fingerprint(records=counts[0], entries=counts[1], sha256=whole.hexdigest())


def copy_tenant(source: Storage, target: Storage, tenant: str) -> Copied:
    """Carry over to the target what it lacks of a tenant, `~host` included as one.

    Raises:
        InvalidInput: no id of a tenant.
        Misconfigured: the target has a ledger of its own for this tenant: it is no copy of the source.
        StorageError: a store failed; run it again.

    >>> from extlink.adapters.memory import MemoryStorage
    >>> copy_tenant(MemoryStorage(), MemoryStorage(), "acme")
    Copied(records=0, deleted=0, entries=0)
    """
    name = parse_id(tenant, "tenant").encode()
    there = _last(target, name, Position(0))
    _require_prefix(source, target, name, there)
    end = _last(source, name, there)
    deleted = records = 0
    for stored, is_wanted in _differing(_records(source, name), _records(target, name)):
        records += is_wanted
        deleted += not is_wanted
        version = stored.version if is_wanted else Version(secrets.randbits(62) + 1)
        value = stored.value if is_wanted else None
        target.commit(_batch(name, version, writes=(Write(stored.key, value),)))
    for version, group in groupby(_entries(source, name, there, end), lambda item: item.version):
        items = list(group)
        bodies = tuple(item.value or b"" for item in items)
        number = target.commit(_batch(name, version, entries=bodies))
        _require(number == _number(items[-1]), name)
    return Copied(records=records, deleted=deleted, entries=end - there)


def _batch(tenant: bytes, version: Version, writes: tuple[Write, ...] = (), entries: tuple[bytes, ...] = ()) -> Batch:
    at = max(map(_at, entries), default=_NO_TIME)
    return Batch(tenant=tenant, id=version, guards=(), writes=writes, entries=entries, at=at)


def _at(entry: bytes) -> Instant:
    try:
        return Instant(int(json.loads(entry)["at"]))
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise CorruptRecord("a ledger entry cannot be read; restore the source from a backup first") from exc


def _records(storage: Storage, tenant: bytes) -> Iterator[Stored]:
    after = b""
    while True:
        page = storage.list(Records(tenant, b"", after, MAX_LIST))
        yield from page.items
        if not page.more:
            return
        after = page.items[-1].key.path


def _entries(storage: Storage, tenant: bytes, after: Position, end: Position | None = None) -> Iterator[Stored]:
    while True:
        page = storage.list(Entries(tenant, after, MAX_LIST))
        for item in page.items:
            after = _number(item)
            if end is not None and after > end:
                return
            yield item
        if not page.more:
            return


def _number(entry: Stored) -> Position:
    return Position(int.from_bytes(entry.key.path))


def _last(storage: Storage, tenant: bytes, after: Position) -> Position:
    for item in _entries(storage, tenant, after):
        after = _number(item)
    return after


def _require_prefix(source: Storage, target: Storage, tenant: bytes, there: Position) -> None:
    """Compare the newest entry that the target has; all before it were copied with it."""
    if there:
        query = Entries(tenant, Position(there - 1), 1)
        _require(source.list(query).items == target.list(query).items, tenant)


def _require(is_copy: bool, tenant: bytes) -> None:  # noqa: FBT001 - what is required
    if not is_copy:
        raise Misconfigured(
            f"the target has another ledger of {ascii(tenant)[1:][:64]} than the source; copy into a store of its own"
        )


def _differing(source: Iterable[Stored], target: Iterable[Stored]) -> Iterator[tuple[Stored, bool]]:
    """Yield what the target must put (True) and delete (False): a merge of two lists in byte order."""
    ours, theirs = iter(source), iter(target)
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one.key < other.key):
            assert one is not None  # noqa: S101 - for type checkers: the loop goes on while one of both is there
            yield one, True
            one = next(ours, None)
        elif one is None or other.key < one.key:
            yield other, False
            other = next(theirs, None)
        else:
            if one.version != other.version:
                yield one, True
            one, other = next(ours, None), next(theirs, None)
