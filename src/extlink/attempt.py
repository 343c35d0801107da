"""One attempt at an operation, without any I/O: what the runners of both colours share (DESIGN 4 and 5).

Rules kept here, so that neither a runner nor an operation can forget them:

* every Read asks again for everything read before; if something changed, the attempt is void and starts anew, so an
  operation computes over one snapshot, never over two torn ones;
* the instant is never earlier than the newest stamp of a record read: a clock that jumps back extends no life;
* a commit guards everything that was read, absence included; every change of a ledgered record comes with an event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar, cast

import attrs

from extlink.domain.directory import DirectoryPage, Member, Organization
from extlink.domain.event import Detail, canonical
from extlink.domain.instant import Instant
from extlink.errors import InvalidInput, Misconfigured
from extlink.operation import Answers, Call, Change, Commit, Lookup, Operation, Read, Step, Steps, Unanswered
from extlink.ports import ABSENT, MAX_READ_KEYS, Batch, Guard, Key, Stored, Version, Write
from extlink.records import name_of

__all__ = ["Attempt", "Cache", "advance", "lookup_answer"]

T = TypeVar("T")


@attrs.frozen
class _Known:
    version: Version
    value: object
    at: Instant


class Cache:
    """Decoded records by key and version, bounded: a compiled policy costs one comparison per check and is never stale.

    Args:
        limit: how many records are kept; the oldest goes first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._records: dict[Key, _Known] = {}

    def get(self, key: Key) -> _Known | None:
        """Return what is known under a key, whatever its version."""
        return self._records.get(key)

    def put(self, key: Key, known: _Known) -> None:
        """Remember a decoded record; single dict operations, so that threads need no lock."""
        self._records.pop(key, None)
        self._records[key] = known
        while len(self._records) > self._limit:
            oldest = next(iter(self._records), None)
            if oldest is None:
                break
            self._records.pop(oldest, None)


_NOTHING: Final = _Known(ABSENT, None, Instant(0))


class Attempt:
    """The bookkeeping of one run of an operation's generator, from its first step to its batch."""

    def __init__(self, cache: Cache, clock: Instant) -> None:
        self._cache = cache
        self._at = clock
        self._fixed = False
        self._held: dict[Key, _Known] = {}
        self._asked: dict[Key, _Known] = {}

    def now(self) -> Instant:
        """Return the operation's instant, and fix it."""
        self._fixed = True
        return self._at

    def asks(self, step: Read) -> tuple[Sequence[Key], Mapping[Key, Version]]:
        """Return the keys to read - the new ones and everything read before - and the versions already decoded."""
        keys = [record.key for record in step.keys if record.key not in self._held]
        if len(keys) > MAX_READ_KEYS:
            raise InvalidInput("keys", f"expected at most {MAX_READ_KEYS} records in one read, got {len(keys)}")
        # Beyond the limit the first ones count, the heads that every edit writes; the guards of the commit hold the
        # rest.
        keys = [*list(self._held)[: MAX_READ_KEYS - len(keys)], *keys]
        asked: dict[Key, _Known] = dict(self._held)
        for record in step.keys:
            if record.key not in asked:
                known = self._cache.get(record.key)
                if known is not None:
                    asked[record.key] = known
        self._asked = asked
        return keys, {key: known.version for key, known in asked.items() if known.version != ABSENT}

    def takes(self, step: Read, found: Sequence[Stored]) -> Answers | None:
        """Return the answers, or None if something read before has changed meanwhile: then the attempt is void."""
        readers = {record.key: record for record in step.keys}
        for key, version, value in found:
            held = self._held.get(key)
            if held is not None:
                if held.version != version:
                    return None
                continue
            known = self._asked.get(key)
            if version == ABSENT:
                known = _NOTHING
            elif known is None or known.version != version:
                if value is None:
                    raise Misconfigured("the store answered 'unchanged' for a version that was not named as known")
                known = _Known(version, *readers[key].decode(value))
                self._cache.put(key, known)
            self._held[key] = known
            if known.at > self._at:
                if self._fixed:
                    return None
                self._at = known.at
        return Answers({record.key: self._held[record.key].value for record in step.keys})

    @property
    def floor(self) -> Instant:
        """The newest instant seen: what the next attempt starts from."""
        return max(self._at, *(known.at for known in self._held.values())) if self._held else self._at

    def batch(
        self, call: Call, operation: Operation[T], commit: Commit[T], draw_version: Callable[[], Version]
    ) -> Batch | None:
        """Return what to commit, or None where there is nothing to write."""
        if not commit.changes and not commit.events:
            return None
        unknown = {event.name for event in commit.events} - operation.definition.records
        if unknown:
            raise Misconfigured(f"{operation.name} records {sorted(unknown)}, which its definition does not name")
        images = tuple(_image(change) for change in commit.changes if change.key.kind.image is not None)
        entries = tuple(
            canonical(
                event,
                tenant=call.tenant,
                actor=call.actor,
                operation=operation.name,
                at=self._at,
                images=() if number else images,
            )
            for number, event in enumerate(commit.events)
        )
        return Batch(
            tenant=call.tenant.encode(),
            id=draw_version(),
            guards=tuple(Guard(key, known.version) for key, known in self._held.items()),
            writes=tuple(Write(change.key.key, _encoded(change, self._at)) for change in commit.changes),
            entries=entries,
            at=self._at,
        )


def _encoded(change: Change, at: Instant) -> bytes | None:
    return None if change.value is None else change.key.kind.encode(change.value, at)


def _image(change: Change) -> tuple[str, Detail]:
    image = change.key.kind.image
    return name_of(change.key.key), None if image is None or change.value is None else image(change.value)


def advance(steps: Steps[Commit[T]], answer: object) -> Step[object] | Commit[T]:
    """Send an answer into an operation and return its next step, or the commit it ends with."""
    try:
        return steps.send(answer)
    except StopIteration as done:
        return cast("Commit[T]", done.value)


def lookup_answer(step: Lookup[object], value: object) -> object:
    """Return a directory's answer if it is one to the question asked; anything else is no answer.

    A directory that mixes people up must not lend one person another's grants.
    """
    match step.method:
        case "member":
            right = value is None or (isinstance(value, Member) and value.id == step.arguments[0])
        case "page":
            right = isinstance(value, DirectoryPage)
        case _:
            kind = Member if step.method == "get" else Organization
            items = tuple(cast("Sequence[object]", value)) if isinstance(value, Sequence) else (None,)
            return items if all(isinstance(one, kind) for one in items) else Unanswered()
    return value if right else Unanswered()
