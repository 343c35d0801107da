"""Entries of the ledger as values, and how they are read back (F13)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import attrs

from extlink.domain.event import FORMAT, Event, Kind, encode
from extlink.domain.instant import Instant, to_datetime
from extlink.errors import CorruptRecord, ExtlinkError
from extlink.fields import as_list, as_map, as_text, as_whole

__all__ = ["NO_CHANGES", "Entry", "EntryPage", "read_entry"]

_MAX_SHOWN: Final = 64
# What is recorded while a tenant is in use and nobody decides anything: refusals, and tokens that follow on others.
NO_CHANGES: Final = frozenset(
    {
        "access.refused",
        "client.authentication_failed",
        "operation.denied",
        "token.refresh_repeated",
        "token.refreshed",
    }
)


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

    @property
    def when(self) -> datetime:
        """When, as an aware datetime in UTC."""
        return to_datetime(self.at)

    @property
    def line(self) -> str:
        """The entry as people read it: when, who, what, and what about; long details are cut."""
        about = ", ".join(f"{name}={_shown(value)}" for name, value in sorted(self.details.items()))
        return f"{self.when.isoformat()} {self.user or 'the host'}: {self.kind.action} ({about})"


@attrs.frozen
class EntryPage:
    """A bounded page of entries; `next` is the number to go on after, or None."""

    entries: tuple[Entry, ...]
    next: int | None


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else encode(value).decode()
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def read_entry(number: bytes, body: bytes) -> Entry:
    """Return what the store keeps under a number.

    Raises:
        CorruptRecord: no entry, or of another release.
    """
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
