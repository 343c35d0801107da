"""What every store checks and computes alike: the limits of a call, the range of a page, the text of a conflict.

Limits are the caller's mistake, so they are `InvalidInput` (DESIGN 5: "typed errors beyond"); everything else that a
store raises is a `StorageError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from extlink.errors import Conflict, InvalidInput
from extlink.ports import MAX_LIST, MAX_READ_KEYS, Batch, Key, Position, Query, Records, Stored

__all__ = [
    "conflict",
    "entry_key",
    "moved_on",
    "new_stored",
    "path_range",
    "require_keys",
    "require_limit",
    "require_size",
]

_New = Callable[[type[Stored], tuple[Key, int, bytes | None]], Stored]
# Called directly, a NamedTuple's own constructor costs as much as the point lookup that it reports.
new_stored: Final[_New] = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def require_keys(keys: Sequence[Key]) -> None:
    """Refuse a read of more keys than one read may have.

    Raises:
        InvalidInput: more than 64 keys.
    """
    if len(keys) > MAX_READ_KEYS:
        raise InvalidInput("keys", f"expected at most {MAX_READ_KEYS} keys in one read, got {len(keys)}; read twice")


def require_limit(query: Query) -> None:
    """Refuse a page of no bounded size.

    Raises:
        InvalidInput: a limit outside 1 to 1,000.
    """
    require_size(query.limit)


def require_size(limit: int, least: int = 1) -> None:
    """Refuse a number of items that is not bounded.

    Raises:
        InvalidInput: a limit outside `least` to 1,000.
    """
    if not least <= limit <= MAX_LIST:
        raise InvalidInput("limit", f"expected {least} to {MAX_LIST}, got {limit}")


def path_range(query: Records) -> tuple[bytes, bytes | None]:
    r"""Return the first path a page may hold and the first one beyond it, None where nothing lies beyond.

    The smallest path after `after` is `after` with a NUL appended; the first path beyond a prefix is the prefix with
    its last byte raised, bytes of 255 dropped.

    >>> path_range(Records(b"acme", b"u"))
    (b'u', b'v')
    >>> path_range(Records(b"acme", b"\xff", after=b"\xff\x01"))
    (b'\xff\x01\x00', None)
    """
    first = max(query.prefix, query.after + b"\x00")
    stem = query.prefix.rstrip(b"\xff")
    return first, stem[:-1] + bytes([stem[-1] + 1]) if stem else None


def entry_key(tenant: bytes, position: int) -> Key:
    r"""Return the key under which a page shows a ledger entry: its number as 8 bytes, most significant first.

    >>> entry_key(b"acme", 258)
    Key(tenant=b'acme', path=b'\x00\x00\x00\x00\x00\x00\x01\x02')
    """
    return Key(tenant, Position(position).to_bytes(8, "big"))


def conflict(key: Key) -> Conflict:
    """Return the error for a guard that no longer holds; it names the record and nothing of its content.

    >>> str(conflict(Key(b"acme", b"t")))
    "the record b't' changed since it was read; read again and decide anew"
    """
    return Conflict(f"the record {ascii(key.path)[:64]} changed since it was read; read again and decide anew")


def moved_on(batch: Batch, position: int) -> Conflict | None:
    """Return the error for a batch that expects the tenant's ledger at another position than it is at.

    >>> from extlink.ports import Instant, Version
    >>> facts = {"tenant": b"acme", "id": Version(7), "guards": (), "writes": (), "entries": (), "at": Instant(0)}
    >>> batch = Batch(**facts, expected=Position(3))
    >>> str(moved_on(batch, 4)), moved_on(batch, 3)
    ('the ledger of the tenant is at 4 and was expected at 3; look again', None)
    """
    if batch.expected is None or batch.expected == position:
        return None
    return Conflict(f"the ledger of the tenant is at {position} and was expected at {batch.expected}; look again")
