"""A question asked of the past: the tenant as it was at a position or at an instant (N5, law 12; DESIGN 5).

Rules: a question about the past runs over an overlay that answers every read with the newest after-image in the ledger
at or before that position, and tells the time as it was then; it draws nothing, signs nothing and writes nothing. What
the ledger does not keep is empty there - digests and salts, so that no token can be checked; when a link was last used;
what a user wrote in a request - and who belonged to what then is the host's to say (`directory`), or unknown.

A tenant's own records are those of the position. The host's word on a service holds by the instant: what the host said
in that same second counts as said. The rules are those of this release.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeVar, cast

import attrs

from extlink.domain.instant import Instant, parse_instant, to_datetime
from extlink.domain.reason import Reason
from extlink.domain.tenant import HOST
from extlink.errors import InvalidInput, Refused
from extlink.images import path_of, rebuilt
from extlink.inputs import given_directory, whole
from extlink.ledger_entries import Entry, read_entry
from extlink.operation import (
    NETWORK_ADMINISTRATORS_AND_HOST,
    Answers,
    Call,
    Commit,
    List,
    Lookup,
    Now,
    Operation,
    Peek,
    Read,
    Readable,
    Recall,
    Step,
    Steps,
    Unremembered,
    ask,
    driven,
    operation,
)
from extlink.ports import ABSENT, AsyncDirectory, Directory, Entries, Key, Page, Position, Records, Stored, Version

__all__ = ["as_of"]

T = TypeVar("T")
_DENIED: Final = "operation.denied"
_PAGE: Final = 1_000
_NEVER: Final = 2**53
# Of these people are known by name; who else there was, is not.
_OF_PERSONS: Final = frozenset({"member", "get"})


@attrs.frozen
class _Moment:
    """Up to where a ledger counts: to a number, or to the last entry that is no later than an instant."""

    position: int = _NEVER
    at: Instant = Instant(_NEVER)

    def covers(self, entry: Entry) -> bool:
        return entry.number <= self.position and entry.at <= self.at


@attrs.frozen
class _Fold:
    """What the entries of a ledger come to.

    Args:
        position: the number of the last entry that counts; 0: none does.
        at: its instant.
        told: by the path of each record, the number of the entry that carries its newest image.
    """

    tenant: bytes
    position: int
    at: Instant
    told: Mapping[bytes, int]


def _entries(tenant: bytes, after: int, limit: int) -> Steps[tuple[tuple[Entry, ...], bool]]:
    page = yield from ask(List(Entries(tenant, Position(after), limit)))
    found = tuple(read_entry(item.key.path, item.value) for item in page.items if item.value is not None)
    return found, page.more


def _folded(tenant: bytes, moment: _Moment) -> Steps[_Fold]:
    """Return what a ledger comes to up to a moment; records are named, not kept, so that a long ledger fits."""
    told: dict[bytes, int] = {}
    # A clock that jumped back leaves entries later than the moment before ones that are not: they count with these.
    waiting: dict[bytes, int] = {}
    position, at, number, more = 0, Instant(0), 0, True
    while more and number < moment.position:
        found, more = yield from _entries(tenant, number, min(_PAGE, moment.position - number))
        for entry in found:
            number = entry.number
            waiting.update((path_of(name), number if image is not None else 0) for name, image in entry.records)
            if moment.covers(entry):
                position, at = number, entry.at
                told.update(waiting)
                waiting.clear()
    return _Fold(tenant, position, at, {path: number for path, number in told.items() if number})


@attrs.frozen
class _Past:
    """Answers the steps of a question from what the ledgers say was there.

    Args:
        own: the tenant's ledger up to the position.
        at: what time it was.
        directory: the people as they were; None: nobody remembers.
        held: ledgers folded and records rebuilt so far.
    """

    name: str
    own: _Fold
    at: Instant
    directory: object | None
    folds: dict[bytes, _Fold]
    held: dict[Key, Stored]

    def answer(self, step: Step[object]) -> Steps[object]:
        match step:
            case Now():
                return self.at
            case Read() | Peek() | Recall():
                return (yield from self._read(step.keys))
            case List(query=Records() as query):
                return (yield from self._list(query))
            case List(query=Entries() as query):
                return (yield from self._list_entries(query))
            case Lookup():
                return (yield from self._lookup(cast("Lookup[object]", step)))
            case _:
                raise InvalidInput(
                    "operation", f"expected a question, got {self.name}, which draws or signs; nothing is made then"
                )

    def _fold(self, tenant: bytes) -> Steps[_Fold]:
        fold = self.folds.get(tenant)
        if fold is None:
            fold = self.folds[tenant] = yield from _folded(tenant, _Moment(at=self.at))
        return fold

    def _stored(self, key: Key) -> Steps[Stored]:
        known = self.held.get(key)
        if known is not None:
            return known
        fold = yield from self._fold(key.tenant)
        number = fold.told.get(key.path)
        stored = Stored(key, ABSENT, None)
        if number is not None:
            (entry,), _ = yield from _entries(key.tenant, number - 1, 1)
            # The last of its images is the one that holds.
            image = {path_of(name): image for name, image in entry.records}[key.path]
            stored = Stored(key, Version(number), rebuilt(key, image, entry.at))
        self.held[key] = stored
        return stored

    def _read(self, keys: tuple[Readable, ...]) -> Steps[Answers]:
        values: dict[Key, object] = {}
        for one in keys:
            stored = yield from self._stored(one.key)
            values[one.key] = None if stored.value is None else one.decode(stored.value)[0]
        return Answers(values)

    def _list(self, query: Records) -> Steps[Page]:
        fold = yield from self._fold(query.tenant)
        paths = sorted(path for path in fold.told if path.startswith(query.prefix) and path > query.after)
        keys = [Key(query.tenant, path) for path in paths[: query.limit]]
        for key in keys:
            yield from self._stored(key)
        return Page(tuple(self.held[key] for key in keys), len(paths) > query.limit)

    def _list_entries(self, query: Entries) -> Steps[Page]:
        last = (yield from self._fold(query.tenant)).position
        page = yield from ask(List(query))
        items = tuple(item for item in page.items if int.from_bytes(item.key.path) <= last)
        return Page(items, page.more and len(items) == len(page.items))

    def _lookup(self, step: Lookup[object]) -> Steps[object]:
        if step.directory is not None:
            return (yield from ask(step))  # a question about other people brings them along, as a preview does
        if self.directory is not None:
            return (yield from ask(attrs.evolve(step, directory=self.directory)))
        if step.method in _OF_PERSONS:
            return Unremembered()
        raise InvalidInput("directory", f"expected the people as they were, for {self.name} asks who belonged to what")


@operation("ledger.as_of", by=NETWORK_ADMINISTRATORS_AND_HOST)
def _as_of(
    call: Call,
    *,
    operation: Operation[object],
    position: int | None,
    at: Instant | None,
    directory: object | None,
) -> Steps[Commit[object]]:
    today = None if at is None else (yield from ask(Now()))
    if at is not None and today is not None and at > today:
        raise InvalidInput("at", f"expected an instant that is past, got {to_datetime(at).isoformat()}")
    moment = _Moment(at=at) if at is not None else _Moment(position=position or 0)
    fold = yield from _folded(call.tenant.encode(), moment)
    if position is not None and fold.position != position:
        if not fold.position and call.tenant != HOST:
            raise Refused(Reason("tenant.not_open", {"tenant": call.tenant}))
        raise Refused(Reason("ledger.position_unknown", {"position": str(position)}))
    past = _Past(
        name=operation.name,
        own=fold,
        at=fold.at if at is None else at,
        directory=directory,
        folds={fold.tenant: fold},
        held={},
    )
    commit = yield from driven(operation.start(call), past.answer)
    # That the actor lacks a role for the question is recorded, today; what is noted beside an answer is left out.
    if commit.error is None and not commit.is_aside:
        raise _no_question(operation)
    return Commit(commit.result, events=commit.events, error=commit.error)


def _no_question(asked: Operation[object]) -> InvalidInput:
    return InvalidInput(
        "operation",
        f"expected a question, which only asks, got {asked.name}, which may write; "
        f"what was so of a user or a link, access.explain says",
    )


def as_of(
    operation: Operation[T],
    *,
    position: int | None = None,
    at: datetime | None = None,
    directory: Directory | AsyncDirectory | None = None,
) -> Operation[T]:
    """Ask a question of the tenant as it was: the same answer that it would have given then; nothing is written.

    Source: N5, law 12. Needs a role of an administrator or of the host, and those that the question itself needs. It
    reads the ledger from its beginning, so it takes time in proportion to it. No question that draws, signs or needs a
    token's digest can be asked: of a link, ask `access.explain(link=...)`.

    Args:
        operation: a question, such as `access.explain("slack", user="sato")` or `services.registered()`.
        position: the number of the last ledger entry that counts, from 0; the time is that entry's.
        at: an instant that is past, an aware datetime; what was recorded until then, that second included, counts.
        directory: the people as they were, of the hub's colour; None: who belonged to what is unknown, and what rests
            on it is neither a yes nor a no (`membership.unknown`).

    Raises:
        InvalidInput: not a question; not exactly one of position and at; no directory; when run: an instant to come,
            or a question that draws, or lists people that are unknown.
        Refused: when run: `ledger.position_unknown`, `actor.not_permitted`, and what the question itself refuses, such
            as `tenant.not_open` before the tenant was opened.

    >>> from extlink import services
    >>> as_of(services.registered(), position=7)
    ledger.as_of(operation=services.registered(), position=7, at=None, directory=None)
    """
    if type(operation) is not Operation:
        raise InvalidInput(
            "operation", f"expected an operation such as services.registered(), got {type(operation).__name__}"
        )
    if operation.definition.records - {_DENIED}:
        raise _no_question(cast("Operation[object]", operation))
    if (position is None) == (at is None):
        raise InvalidInput("position", "expected either a position or an instant (at)")
    asked = _as_of(
        operation=cast("Operation[object]", operation),
        position=None if position is None else whole(position, "position", 0, _NEVER),
        at=None if at is None else parse_instant(at, "at"),
        directory=given_directory(directory),
    )
    return cast("Operation[T]", asked)
