"""The note of when a link was last used: written at most once in five minutes, beside an answer (F7; DESIGN 5)."""

from __future__ import annotations

from extlink.domain.identifier import LinkId
from extlink.domain.instant import Instant
from extlink.domain.last_use import LastUse
from extlink.operation import Call, Change, Steps, put, read
from extlink.records import last_use_key

__all__ = ["noting"]


def noting(
    call: Call, link: LinkId, address: str | None, at: Instant, known: LastUse | None, *, recalled: bool
) -> Steps[tuple[Change, ...]]:
    """Return what notes that a link was used, if that is due.

    Args:
        known: the note there is.
        recalled: whether it is only what this process remembers; otherwise it was read.
    """
    if known is not None and not known.is_due(at):
        return ()
    place = last_use_key(call.tenant, link)
    if recalled:
        # Another process may have noted a newer use; and what is written must have been read.
        newer = (yield from read(place)).get(place)
        if newer is not None and not newer.is_due(at):
            return ()
    return (put(place, LastUse.of(at, address)),)
