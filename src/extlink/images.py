"""After-images of the ledger back to records: one table, kind by kind (DESIGN 7, law 12).

Rules: what was left out of an image on purpose - digests and salts, what a user wrote in a request, whether an answer
arrived - is empty in the record that is read back; everything else is as it was. Most images are the record's own
fields, so that its reader reads both. An image that cannot be read is an error and never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, cast

from extlink import client_codec, link_codec, records, request_codec
from extlink.domain.instant import Instant
from extlink.domain.tenant import HOST
from extlink.errors import CorruptRecord, ExtlinkError
from extlink.fields import as_list, as_text
from extlink.ports import Key, components, prefix
from extlink.records import Kind

__all__ = ["kind_at", "path_of", "read_image", "rebuilt"]


def _kind(kind: object) -> Kind[object]:
    return cast("Kind[object]", kind)


_HOST_SERVICE: Final = _kind(records.HOST_SERVICE)
_KINDS: Final[Mapping[tuple[str, ...], Kind[object]]] = MappingProxyType(
    {
        ("t",): _kind(records.TENANT),
        ("k",): _kind(records.KEY_CHECKS),
        ("s",): _kind(records.SERVICE),
        ("sc",): _kind(records.CONFIRMATIONS),
        ("r",): _kind(records.GRANT_RULES),
        ("g",): _kind(records.USER_GRANT),
        ("gv",): _kind(records.GRANT_HEAD),
        ("u",): _kind(records.USER),
        ("l",): _kind(records.LINK),
        ("o",): _kind(records.LINKS_OF),
        ("x",): _kind(records.LINKS_OF),
        ("w",): _kind(records.SUBSCRIPTION),
        ("c",): _kind(records.CLIENT),
        ("rq",): _kind(records.REQUEST),
        ("ra",): _kind(records.REQUEST_ANSWER),
        ("rv",): _kind(records.OPEN_REQUESTS),
        ("p", "net"): _kind(records.NETWORK),
        ("p", "dlp"): _kind(records.DATA_GROUPS),
        ("p", "pin"): _kind(records.PIN),
        ("p", "rst"): _kind(records.RESETS),
    }
)


def _key_checks(image: object) -> Mapping[str, str]:
    """Return the ids of the host's keys; their check values are digests."""
    return {as_text(one): "" for one in as_list(image)}


# Those whose image is not simply their fields.
_READERS: Final[Mapping[Kind[object], Callable[[object], object]]] = MappingProxyType(
    {
        _kind(records.KEY_CHECKS): _key_checks,
        _kind(records.LINK): link_codec.read_link_image,
        _kind(records.CLIENT): client_codec.read_client_image,
        _kind(records.REQUEST): request_codec.read_request_image,
        _kind(records.REQUEST_ANSWER): request_codec.read_request_image,
    }
)


def path_of(name: str) -> bytes:
    """Return the path of the record that an entry calls by this name: the inverse of `records.name_of`.

    Raises:
        CorruptRecord: no name of a record.

    >>> path_of('["u","sato"]') == prefix("u", "sato")
    True
    """
    try:
        return prefix(*map(as_text, as_list(json.loads(name))))
    except (ValueError, TypeError, RecursionError) as exc:
        raise CorruptRecord(
            f"the ledger tells of a record {ascii(name)[:64]}, which is no name of one; restore it from a backup"
        ) from exc


def kind_at(key: Key) -> Kind[object]:
    """Return what kind of record lies under a key.

    Raises:
        CorruptRecord: a kind that this release does not know.
    """
    parts = components(key.path)
    if key.tenant == HOST.encode() and parts[0] == "s":
        return _HOST_SERVICE
    kind = _KINDS.get(parts[:2] if parts[0] == "p" else parts[:1])
    if kind is None:
        raise CorruptRecord(
            f"the ledger tells of records of kind {ascii(parts[0])[:64]}, which this release does not know; "
            f"use the release that wrote it"
        )
    return kind


def read_image(kind: Kind[object], image: object) -> object:
    """Return the record that an image is of.

    Raises:
        CorruptRecord: no image of this kind.
    """
    try:
        return _READERS.get(kind, kind.read)(image)
    except (ExtlinkError, ValueError, TypeError, KeyError, RecursionError) as exc:
        raise CorruptRecord(
            f"an image of kind {kind.name} in the ledger cannot be read back; restore it from a backup"
        ) from exc


def rebuilt(key: Key, image: object, at: Instant) -> bytes:
    """Return the bytes of the record under a key, as its image says it was from an instant on."""
    kind = kind_at(key)
    return kind.encode(read_image(kind, image), at)
