"""What the ledger says is there, and what is there: law 12 compares the two.

Records count as their images: digests, salts and whether an answer arrived are apart, and kinds without an image (last
use, refusal marks) altogether (DESIGN 7 and 9).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from extlink import records
from extlink.domain.event import encode
from extlink.domain.instant import Instant
from extlink.domain.tenant import HOST
from extlink.ports import Entries, Key, Position, Records, Storage, Stored, components
from extlink.records import Kind

__all__ = ["all_entries", "all_records", "decoded", "fold", "kind_of", "views"]

_PAGE = 500
_KINDS: Mapping[str, Kind[Any]] = MappingProxyType(
    {
        "t": records.TENANT,
        "k": records.KEY_CHECKS,
        "s": records.SERVICE,
        "sc": records.CONFIRMATIONS,
        "r": records.GRANT_RULES,
        "g": records.USER_GRANT,
        "gv": records.GRANT_HEAD,
        "u": records.USER,
        "l": records.LINK,
        "o": records.LINKS_OF,
        "x": records.LINKS_OF,
        "w": records.SUBSCRIPTION,
        "n": records.MARKS,
        "nu": records.LAST_USE,
        "rq": records.REQUEST,
        "ra": records.REQUEST_ANSWER,
        "rv": records.OPEN_REQUESTS,
        "c": records.CLIENT,
        "a": records.ASSERTIONS,
        "p net": records.NETWORK,
        "p dlp": records.DATA_GROUPS,
        "p pin": records.PIN,
        "p rst": records.RESETS,
    }
)


def kind_of(key: Key) -> Kind[Any]:
    """Return what kind of record lies under a key."""
    parts = components(key.path)
    if key.tenant == HOST.encode() and parts[0] == "s":
        return records.HOST_SERVICE
    return _KINDS[" ".join(parts[:2]) if parts[0] == "p" else parts[0]]


def all_records(storage: Storage, tenant: str) -> tuple[Stored, ...]:
    """Return every record of a tenant."""
    found: list[Stored] = []
    more, after = True, b""
    while more:
        items, more = storage.list(Records(tenant.encode(), b"", after, _PAGE))
        found += items
        after = items[-1].key.path if items else after
    return tuple(found)


def all_entries(storage: Storage, tenant: str) -> tuple[Stored, ...]:
    """Return every ledger entry of a tenant."""
    found: list[Stored] = []
    more = True
    while more:
        items, more = storage.list(Entries(tenant.encode(), Position(len(found)), _PAGE))
        found += items
    return tuple(found)


def decoded(storage: Storage, tenant: str) -> Iterator[tuple[Key, Kind[Any], Any, Instant]]:
    """Yield every record of a tenant with its kind and stamp, large ones put together; a piece too many is an error."""
    stored = {one.key: one.value or b"" for one in all_records(storage, tenant)}
    pieces = {key for key in stored if components(key.path)[0] == "~"}
    for key in stored.keys() - pieces:
        kind, value = kind_of(key), stored[key]
        own = [records.piece_key(key, number) for number in range(records.pieces_of(value))]
        pieces -= set(own)
        yield key, kind, *kind.decode(b"".join(stored[one] for one in own) if own else value)
    assert not pieces


def views(storage: Storage, tenant: str) -> dict[str, object]:
    """Return the image of every record that has one, by the name that the ledger gives it."""
    return {
        records.name_of(key): json.loads(encode(kind.image(value)))
        for key, kind, value, _ in decoded(storage, tenant)
        if kind.image is not None
    }


def fold(entries: Iterable[bytes], onto: dict[str, object] | None = None) -> dict[str, object]:
    """Return what the after-images of some ledger entries, taken in order, come to.

    Args:
        onto: what the entries before them came to; changed in place.
    """
    found = {} if onto is None else onto
    for body in entries:
        for name, image in json.loads(body)["records"]:
            if image is None:
                found.pop(name, None)
            else:
                found[name] = image
    return found
