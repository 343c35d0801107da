"""One attempt at an operation, without any I/O: what the runners of both colours share (DESIGN 4 and 5).

Rules kept here, so that neither a runner nor an operation can forget them:

* every Read asks again for everything read before; if something changed, the attempt is void and starts anew, so an
  operation computes over one snapshot, never over two torn ones;
* the instant is never earlier than the newest stamp of a record read: a clock that jumps back extends no life;
* a commit guards everything that was read, absence included - but what is written aside, which guards itself and the
  tenant's own record: it changes no answer, and lands in no tenant that was removed meanwhile;
  every change of a ledgered record comes with an event.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar, cast

import attrs

from extlink.domain.directory import DirectoryPage, Member, Organization
from extlink.domain.event import Detail, canonical
from extlink.domain.instant import Instant
from extlink.errors import CorruptRecord, InvalidInput, Misconfigured
from extlink.operation import (
    Answers,
    Bundle,
    Bundled,
    Call,
    Change,
    Commit,
    Lookup,
    Operation,
    Peek,
    Read,
    Recall,
    Step,
    Steps,
    Unanswered,
)
from extlink.ports import ABSENT, MAX_READ_KEYS, Batch, Guard, Key, Stored, Version, Write
from extlink.records import RecordKey, name_of, parts_of, piece_key, pieces_of, tenant_key

__all__ = ["Attempt", "Cache", "advance", "lookup_answer", "peeked"]

K = TypeVar("K")
T = TypeVar("T")
V = TypeVar("V")


@attrs.frozen
class _Known:
    version: Version
    value: object
    at: Instant
    pieces: int = 0


@attrs.frozen
class _Head:
    """The value of a record whose pieces are still to be read."""

    count: int


@attrs.frozen
class _Piece:
    """Where a piece of a large record lies; what lies there is taken as it is."""

    key: Key

    def decode(self, data: bytes, /) -> tuple[bytes, Instant]:
        return data, Instant(0)


@attrs.frozen(kw_only=True)
class _Together:
    """All records of a bundle as they were read once, absent ones among them.

    Args:
        held, values: by key.
        known: the versions of those that are there.
        versions: of all, in the order of the bundle.
        at: the newest stamp among them.
    """

    held: Mapping[Key, _Known]
    values: Mapping[Key, object]
    known: Mapping[Key, Version]
    versions: Sequence[Version]
    at: Instant
    bundled: Bundled


class Cache:
    """Decoded records by key and version, bounded: a compiled policy costs one comparison per check and is never stale.

    Args:
        limit: how many records are kept; the oldest goes first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._records: OrderedDict[Key, _Known] = OrderedDict()
        self._bundles: OrderedDict[Bundle[object], _Together] = OrderedDict()

    def together(self, bundle: Bundle[object]) -> _Together | None:
        """Return what a bundle came to when it was last read, whatever its records are by now."""
        return self._bundles.get(bundle)

    def keep(self, together: _Together) -> None:
        """Remember what a bundle came to; all of them together hold as many records as are kept one by one."""
        _put(self._bundles, together.bundled.bundle, together, self._limit // len(together.held))

    def get(self, key: Key) -> _Known | None:
        """Return what is known under a key, whatever its version."""
        return self._records.get(key)

    def put(self, key: Key, known: _Known) -> None:
        """Remember a decoded record; single dict operations, so that threads need no lock."""
        _put(self._records, key, known, self._limit)


def _put(kept: OrderedDict[K, V], key: K, value: V, limit: int) -> None:
    kept.pop(key, None)
    kept[key] = value
    # An ordinary dict looks for its oldest item among all that left before it.
    with contextlib.suppress(KeyError):
        while len(kept) > limit:
            kept.popitem(last=False)


_NOTHING: Final = _Known(ABSENT, None, Instant(0))


class Attempt:
    """The bookkeeping of one run of an operation's generator, from its first step to its batch."""

    def __init__(self, cache: Cache, clock: Instant) -> None:
        self._cache = cache
        self._at = clock
        self._newest = clock
        self._fixed = False
        self._held: dict[Key, _Known] = {}
        self._values: dict[Key, object] = {}
        self._decoded: dict[Key, _Known] = {}
        self._versions: dict[Key, Version] = {}
        self._together: _Together | None = None
        self._before = 0
        self._bundled: Bundled | None = None
        self._are_whole = True

    def now(self, clock: Instant) -> Instant:
        """Return the operation's instant, and fix it: the clock as it is asked, after everything that took time."""
        if not self._fixed:
            self._at = max(self._at, clock)
            self._fixed = True
        return self._at

    def recalls(self, step: Recall) -> Answers:
        """Return what is remembered of some records, None for those that are not."""
        values: dict[Key, object] = {}
        for record in step.keys:
            known = self._cache.get(record.key)
            values[record.key] = None if known is None else known.value
        return Answers(values)

    def asks(self, step: Read) -> tuple[Sequence[Key], Mapping[Key, Version]]:
        """Return the keys to read - the new ones and everything read before - and the versions already decoded."""
        held, keys, own = self._held, list[Key](), step.keys
        together = self._together = self._remembered(step.bundle)
        if together is not None:
            keys.extend(together.held)
            own = own[len(keys) :]
            self._versions.update(together.known)
        for record in own:
            key = record.key
            if key not in held:
                keys.append(key)
                known = self._cache.get(key)
                if known is not None:
                    self._decoded[key] = known
                    self._versions[key] = known.version
        if len(keys) > MAX_READ_KEYS:
            raise InvalidInput("keys", f"expected at most {MAX_READ_KEYS} records in one read, got {len(keys)}")
        # Beyond the limit the first ones count, the heads that every edit writes; the guards of the commit hold the
        # rest.
        before = list(held)[: MAX_READ_KEYS - len(keys)]
        self._before = len(before)
        return [*before, *keys], self._versions

    def _remembered(self, bundle: Bundle[object] | None) -> _Together | None:
        """Return what a bundle came to when it was last read, unless some of its records are held already."""
        if bundle is None or (self._held and not self._held.keys().isdisjoint(bundle.places)):
            return None
        return self._cache.together(bundle)

    def takes(self, step: Read, found: Sequence[Stored]) -> Answers | None:
        """Return the answers, or None if something read before has changed meanwhile: then the attempt is void."""
        held, bundle = self._held, step.bundle
        self._bundled = None
        rest = found if self._together is None else self._unbundled(self._together, found)
        if rest is None:
            return None
        for key, version, value in rest:
            known = held.get(key)
            if known is not None:
                if known.version != version:
                    return None
                continue
            known = _NOTHING if version == ABSENT else self._decoded.get(key)
            if known is None or known.version != version:
                known = self._decode(step, key, version, value)
            self._hold(key, known)
            if known.at > self._at and not self._reaches(known.at):
                return None
        if bundle is not None and self._bundled is None:
            self._gather(bundle)
        return Answers(self._values, self._bundled)

    def _unbundled(self, together: _Together, found: Sequence[Stored]) -> Sequence[Stored] | None:
        """Return the answers to be looked at one by one, without a bundle that is as it was; None as `takes`."""
        first = self._before
        beyond = first + len(together.versions)
        if [one.version for one in found[first:beyond]] != together.versions:
            self._decoded.update(together.held)
            return found
        self._held.update(together.held)
        self._values.update(together.values)
        self._bundled = together.bundled
        return [*found[:first], *found[beyond:]] if self._reaches(together.at) else None

    def _gather(self, bundle: Bundle[object]) -> None:
        """Remember what a bundle came to, unless pieces of a record of it are still to be read."""
        held = {key: self._held[key] for key in bundle.places}
        if any(type(known.value) is _Head for known in held.values()):
            return
        versions = [known.version for known in held.values()]
        together = self._cache.together(bundle)
        if together is None or together.versions != versions:
            together = _Together(
                held=held,
                values={key: known.value for key, known in held.items()},
                known={key: known.version for key, known in held.items() if known.version != ABSENT},
                versions=versions,
                at=max(known.at for known in held.values()),
                bundled=Bundled(bundle),
            )
            self._cache.keep(together)
        self._bundled = together.bundled

    def _reaches(self, stamp: Instant) -> bool:
        """Move the operation's instant to a newer stamp; False if the instant was used already: the attempt is void."""
        if stamp > self._at:
            self._newest = max(self._newest, stamp)
            if self._fixed:
                return False
            self._at = stamp
        return True

    def pieces(self, step: Read) -> Sequence[Read]:
        """Return what must still be read for a step: the pieces of records too large for one value."""
        if self._are_whole:
            return ()
        heads = [(one.key, head) for one in step.keys if isinstance(head := self._held[one.key].value, _Head)]
        return [Read(tuple(_Piece(piece_key(key, number)) for number in range(head.count))) for key, head in heads]

    def answers(self, step: Read) -> Answers | None:
        """Return the answers to a step, every large record put together from its pieces; None as `takes`."""
        for record in step.keys:
            held = self._held[record.key]
            if isinstance(held.value, _Head):
                parts = [self._held[piece_key(record.key, number)] for number in range(held.value.count)]
                if any(part.version != held.version for part in parts):
                    raise CorruptRecord("a piece of a large record is not of its head; restore it from a backup")
                data = b"".join(cast("bytes", part.value) for part in parts)
                whole = _Known(held.version, *record.decode(data), pieces=held.value.count)
                self._hold(record.key, whole)
                self._cache.put(record.key, whole)
                if not self._reaches(whole.at):
                    return None
        return Answers(self._values, self._bundled)

    def _hold(self, key: Key, known: _Known) -> None:
        self._held[key] = known
        self._values[key] = known.value

    def _decode(self, step: Read, key: Key, version: Version, value: bytes | None) -> _Known:
        if value is None:
            raise Misconfigured("the store answered 'unchanged' for a version that was not named as known")
        reader = next(record for record in step.keys if record.key == key)
        count = 0 if isinstance(reader, _Piece) else pieces_of(value)
        if count:
            self._are_whole = False
            return _Known(version, _Head(count), Instant(0))
        known = _Known(version, *reader.decode(value))
        if not isinstance(reader, _Piece):
            self._versions[key] = version
            self._cache.put(key, known)
        return known

    def _require_same(self, name: str, commit: Commit[T]) -> None:
        """Refuse a commit that would change what the ledger knows and record nothing (law 12)."""
        for change in commit.changes:
            held = self._held.get(change.key.key, _NOTHING)
            if _is_ledgered(change) and _image(change.key, held.value) != _image(change.key, change.value):
                raise Misconfigured(f"{name} changes {name_of(change.key.key)} and records nothing; name an event")

    def _writes(self, change: Change) -> Iterator[Write]:
        """Yield the writes of one change: large records in pieces, pieces that are left over deleted.

        Raises:
            Refused: `record.too_large`; kinds that are listed are never cut.
        """
        key = change.key.key
        held = self._held.get(key)
        parts = () if change.value is None else parts_of(change.key, change.value, self._at)
        if not parts:
            yield Write(key, None)
        for place, data in parts:
            yield Write(place, data)
        for number in range(max(0, len(parts) - 1), held.pieces if held is not None else 0):
            yield Write(piece_key(key, number), None)

    def _guards(self, call: Call, commit: Commit[T]) -> tuple[Guard, ...]:
        """Return everything that was read; of what is written aside, what is written and the tenant's own record."""
        written = {tenant_key(call.tenant).key, *(change.key.key for change in commit.changes)}
        return tuple(
            Guard(key, known.version) for key, known in self._held.items() if key in written or not commit.is_aside
        )

    @property
    def floor(self) -> Instant:
        """The newest instant seen: what the next attempt starts from."""
        return max(self._at, self._newest)

    def batch(
        self, call: Call, operation: Operation[T], commit: Commit[T], draw_version: Callable[[], Version]
    ) -> Batch | None:
        """Return what to commit, or None where there is nothing to write."""
        if not commit.changes and not commit.events:
            return None
        unknown = {event.name for event in commit.events} - operation.definition.records
        if unknown:
            raise Misconfigured(f"{operation.name} records {sorted(unknown)}, which its definition does not name")
        images = tuple(_image(change.key, change.value) for change in commit.changes if _is_ledgered(change))
        if images and not commit.events:
            self._require_same(operation.name, commit)
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
            guards=self._guards(call, commit),
            writes=tuple(write for change in commit.changes for write in self._writes(change)),
            entries=entries,
            at=self._at,
            expected=commit.expected,
        )


def _is_ledgered(change: Change) -> bool:
    return change.key.kind.image is not None


def _image(record: RecordKey[object], value: object | None) -> tuple[str, Detail]:
    image = record.kind.image
    return name_of(record.key), None if image is None or value is None else image(value)


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
            right = isinstance(value, DirectoryPage) and _are_members(value.members)
            # Of a page that is longer than asked for, somebody would be left out of what a page of ours can hold.
            right = right and len(cast("DirectoryPage", value).members) <= cast("int", step.arguments[2])
        case _:
            kind = Member if step.method == "get" else Organization
            items = tuple(cast("Sequence[object]", value)) if isinstance(value, Sequence) else (None,)
            return items if all(isinstance(one, kind) for one in items) else Unanswered()
    return value if right else Unanswered()


def peeked(step: Peek, found: Sequence[Stored]) -> Answers:
    """Return the records that a scan asked for; nothing of them is remembered.

    Raises:
        CorruptRecord: a record that cannot be read.
    """
    pairs = zip(step.keys, found, strict=True)
    return Answers({key.key: None if one.value is None else key.decode(one.value)[0] for key, one in pairs})


def _are_members(values: Sequence[object]) -> bool:
    return all(isinstance(one, Member) for one in values)
