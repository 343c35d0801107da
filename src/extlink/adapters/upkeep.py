"""Clearing away what a tenant no longer needs, over the three methods alone, in bounded batches.

Rules
    Only *marks* are cleared: which refusals of a link were recorded lately, so that each is recorded once an hour. They
    are the one kind of record that is apart from the ledger, and an hour after the last one they mean nothing.
    Nothing else grows without being an account of something: links that ended, users who are gone and every epoch stay,
    since they are what refuses an old token; pieces of a list that became shorter are deleted with the change itself.
    A mark that changes meanwhile is left alone.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import Final

from extlink.domain.identifier import parse_id
from extlink.domain.instant import Instant
from extlink.errors import Conflict, InvalidInput
from extlink.ports import Batch, Guard, Records, Storage, Version, Write, prefix
from extlink.records import MARKS

__all__ = ["collect_marks"]

_BATCH: Final = 200


def collect_marks(storage: Storage, tenant: str, *, before: Instant) -> int:
    """Delete the marks that were written before an instant, and return how many went.

    Run it when you like, beside the application; a day back is plenty: `now - 86400`.

    Args:
        before: seconds since 1970 UTC.

    Raises:
        InvalidInput: no id of a tenant, or no whole number of seconds.
        CorruptRecord: a mark that cannot be read.
        StorageError: the store failed; run it again.

    >>> from extlink.adapters.memory import MemoryStorage
    >>> collect_marks(MemoryStorage(), "acme", before=Instant(1_700_000_000))
    0
    """
    name = parse_id(tenant, "tenant").encode()
    if type(before) is not int:
        raise InvalidInput("before", f"expected whole seconds since 1970, got {type(before).__name__}")
    gone, after, more = 0, b"", True
    while more:
        page = storage.list(Records(name, prefix(MARKS.name), after, _BATCH))
        old = [item for item in page.items if MARKS.decode(item.value or b"")[1] < before]
        for item in old:
            guards, writes = (Guard(item.key, item.version),), (Write(item.key, None),)
            id_ = Version(secrets.randbits(62) + 1)
            with contextlib.suppress(Conflict):
                storage.commit(Batch(tenant=name, id=id_, guards=guards, writes=writes, entries=(), at=Instant(0)))
                gone += 1
        after, more = (page.items[-1].key.path if page.items else b""), page.more
    return gone
