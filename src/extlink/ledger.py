"""Reading the ledger: what happened in a tenant, who did it, when (F13).

Every change wrote its entries in the same commit as itself, numbered without gaps. Sealing and proofs are not here yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import attrs

from extlink import facts
from extlink.domain.event import FORMAT, Event, Kind
from extlink.domain.instant import Instant
from extlink.domain.tenant import HOST
from extlink.errors import CorruptRecord, ExtlinkError
from extlink.fields import as_list, as_map, as_text, as_whole
from extlink.inputs import whole
from extlink.operation import ADMINISTRATORS_AND_HOST, Call, Commit, List, Operation, Steps, ask, operation, read
from extlink.ports import Entries as EntriesQuery, Position
from extlink.records import tenant_key

__all__ = ["Entry", "EntryPage", "entries"]

_MAX_PAGE: Final = 500


@attrs.frozen(kw_only=True)
class Entry:
    """One entry of the ledger, as it was written.

    Args:
        number: its place, from 1, without gaps.
        at: when, in seconds since 1970 UTC.
        operation: the operation that wrote it.
        user: the acting person; None: the system or the host.
        details: what it was about.
        records: key and after-image of each record written with it; None: deleted.
    """

    number: int
    at: Instant
    event: str
    operation: str
    user: str | None
    details: Mapping[str, object]
    records: tuple[tuple[str, object], ...]

    @property
    def kind(self) -> Kind:
        """Level, module, action and result, as an audit log shows them."""
        return Event(self.event).kind


@attrs.frozen
class EntryPage:
    """A bounded page of entries; `next` is the number to go on after, or None."""

    entries: tuple[Entry, ...]
    next: int | None


def _entry(number: bytes, body: bytes) -> Entry:
    try:
        fields = as_map(json.loads(body.decode()))
        actor = as_map(fields["actor"])
        user, event = actor["user"], as_text(fields["event"])
        _require_known(fields["format"])
        return Entry(
            number=int.from_bytes(number),
            at=Instant(as_whole(fields["at"])),
            event=Event(event).name,
            operation=as_text(fields["operation"]),
            user=None if user is None else as_text(user),
            details=as_map(fields["details"]),
            records=tuple((as_text(key), image) for key, image in map(as_list, as_list(fields["records"]))),
        )
    except (ExtlinkError, ValueError, TypeError, KeyError, RecursionError) as exc:
        raise CorruptRecord(
            f"ledger entry {int.from_bytes(number)} cannot be read; "
            f"use the release that wrote it, or restore it from a backup"
        ) from exc


def _require_known(version: object) -> None:
    if as_whole(version) != FORMAT:
        raise ValueError("expected the format of this release")


@operation("ledger.entries", by=ADMINISTRATORS_AND_HOST)
def _entries(call: Call, *, after: int, limit: int) -> Steps[Commit[EntryPage]]:
    # The host itself is never opened and has a ledger all the same: of its keys, of what it quarantined everywhere.
    if call.tenant != HOST:
        facts.opened((yield from read(tenant_key(call.tenant))), call.tenant)
    page = yield from ask(List(EntriesQuery(call.tenant.encode(), Position(after), limit)))
    found = tuple(_entry(item.key.path, item.value) for item in page.items if item.value is not None)
    return Commit(EntryPage(found, found[-1].number if page.more and found else None))


def entries(*, after: int = 0, limit: int = 100) -> Operation[EntryPage]:
    """List what happened, oldest first, in pages; run it on `hub.host()` for what concerns every tenant.

    Needs `common_administrator` or `host`.

    Args:
        after: the number to go on after; 0: from the beginning.
        limit: 1 to 500.

    Raises when run:
        Refused: `tenant.not_open`, `actor.not_permitted`.

    >>> entries(limit=10)
    ledger.entries(after=0, limit=10)
    """
    return _entries(after=whole(after, "after", 0, 2**53), limit=whole(limit, "limit", 1, _MAX_PAGE))
