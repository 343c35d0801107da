"""Several operations carried out as one: over one snapshot, with the reads of one, as if one came after the other.

Rules
    Each sees what those before it wrote, so the results and what is written are those of a loop over them - at one
    instant and from one snapshot, which no loop has.
    They go in step: what all of them wait for is read at once, people are looked up at once. So the round trips are
    those of the longest of them, however many there are.
    All that decides must fit one read, or it would be of several snapshots: beyond that they are refused as too many,
    before anything is written. What is apart from the ledger (marks, notes of the last use) decides nothing, and may
    be read beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Final, Generic, TypeVar, cast

from extlink.domain.directory import Member
from extlink.domain.event import Event
from extlink.domain.identifier import UserId
from extlink.errors import InvalidInput
from extlink.operation import (
    Answers,
    Change,
    Commit,
    Lookup,
    Now,
    Read,
    Readable,
    Step,
    Steps,
    Unanswered,
    ask,
)
from extlink.ports import MAX_READ_KEYS, Key
from extlink.records import MAX_PIECES, Kind, RecordKey

__all__ = ["Start", "merged", "together"]

T = TypeVar("T")
Start = Callable[[], Steps[Commit[T]]]
# Records that may be in pieces lie among the first that are asked for: those are compared when the pieces are read.
_MAX_PACKED: Final = MAX_READ_KEYS - MAX_PIECES
_MEMBER: Final = "member"


class _Shared:
    """What the operations know together: records as they are for the next of them, and people."""

    def __init__(self, people: Iterable[Member]) -> None:
        self.records: dict[Key, object] = {}
        self.people: dict[UserId, Member | Unanswered | None] = {one.id: one for one in people}
        self.deciding = 0


class _Run(Generic[T]):
    """One operation on its way: the step it waits for, and what it touched."""

    def __init__(self, start: Start[T]) -> None:
        self._steps = start()
        self.commit: Commit[T] | None = None
        self.touched: set[Key] = set()
        self.step: Step[object] | None = None
        self.send(None)

    def send(self, answer: object) -> None:
        """Answer the step it waits for."""
        try:
            self.step = self._steps.send(answer)
        except StopIteration as done:
            self.step = None
            self.commit = cast("Commit[T]", done.value)
            self.touched.update(change.key.key for change in self.commit.changes)

    def close(self) -> None:
        """End it where it is."""
        self._steps.close()


def together(starts: Sequence[Start[T]], people: Iterable[Member] = ()) -> Steps[tuple[Commit[T], ...]]:
    """Carry operations out as if one came after the other; return what each came to, to be committed as one.

    Args:
        starts: each starts one of them anew at every call.
        people: who need not be looked up.

    Raises:
        InvalidInput: they rest on too many records.
    """
    shared = _Shared(people)
    commits = yield from _in_step(starts, shared)
    if commits is not None:
        return commits
    # One of them rests on what another changes: everything has been read, so each is carried out over the changes of
    # those before it.
    found: list[Commit[T]] = []
    for start in starts:
        (commit,) = cast("tuple[Commit[T]]", (yield from _in_step((start,), shared)))
        shared.records.update((change.key.key, change.value) for change in commit.changes)
        found.append(commit)
    return tuple(found)


def _in_step(starts: Sequence[Start[T]], shared: _Shared) -> Steps[tuple[Commit[T], ...] | None]:
    """Carry operations out side by side; None where one rests on what another changes."""
    runs: list[_Run[T]] = []
    try:
        runs.extend(_Run(start) for start in starts)
        while waiting := [run for run in runs if run.step is not None]:
            yield from _answered(waiting, shared)
    finally:
        for run in runs:
            run.close()
    changed: set[Key] = set()
    for run in runs:
        if not changed.isdisjoint(run.touched):
            return None
        changed.update(change.key.key for change in cast("Commit[T]", run.commit).changes)
    return tuple(cast("Commit[T]", run.commit) for run in runs)


def _answered(waiting: Sequence[_Run[T]], shared: _Shared) -> Steps[None]:
    """Answer what can be answered at once: first what needs nobody, then records, people and, last of all, the time."""
    alone = [run for run in waiting if not (type(run.step) in (Read, Now) or _asks_for_a_person(run.step))]
    reading = [run for run in waiting if type(run.step) is Read]
    meeting = [run for run in waiting if _asks_for_a_person(run.step)]
    if alone:
        for run in alone:
            run.send((yield from ask(cast("Step[object]", run.step))))
    elif reading:
        yield from _read(reading, shared)
    elif meeting:
        yield from _met(meeting, shared)
    else:
        at = yield from ask(Now())
        for run in waiting:
            run.send(at)


def _asks_for_a_person(step: Step[object] | None) -> bool:
    return isinstance(step, Lookup) and step.method == _MEMBER and step.directory is None


def _read(runs: Sequence[_Run[T]], shared: _Shared) -> Steps[None]:
    wanted = [cast("Read", run.step).keys for run in runs]
    missing = {one.key: one for one in chain.from_iterable(wanted) if one.key not in shared.records}
    deciding = sorted((one for one in missing.values() if _decides(one)), key=lambda one: not _is_packed(one))
    aside = [one for one in missing.values() if not _decides(one)]
    packed = sum(map(_is_packed, deciding))
    if shared.deciding + len(deciding) > MAX_READ_KEYS or (packed and shared.deciding + packed > _MAX_PACKED):
        raise InvalidInput(
            "requests",
            f"expected what rests on at most {MAX_READ_KEYS} records, so that one snapshot answers it all; "
            f"ask in smaller batches",
        )
    shared.deciding += len(deciding)
    # What decides is compared at every later read as long as it fits: nothing else may take its place.
    room = MAX_READ_KEYS - shared.deciding
    rest = iter(aside[room:])
    for part in ([*deciding, *aside[:room]], *iter(lambda: list(islice(rest, MAX_READ_KEYS)), [])):
        if part:
            shared.records.update((yield from ask(Read(tuple(part)))).values)
    answers = Answers(shared.records)
    for run, keys in zip(runs, wanted, strict=True):
        run.touched.update(one.key for one in keys)
        run.send(answers)


def _decides(place: Readable) -> bool:
    """Whether a decision may rest on a record: all but those that are apart from the ledger."""
    kind = _kind(place)
    return kind is None or kind.image is not None


def _is_packed(place: Readable) -> bool:
    kind = _kind(place)
    return kind is not None and kind.packed


def _kind(place: Readable) -> Kind[object] | None:
    return cast("RecordKey[object]", place).kind if isinstance(place, RecordKey) else None


def _met(runs: Sequence[_Run[T]], shared: _Shared) -> Steps[None]:
    named = [cast("UserId", cast("Lookup[object]", run.step).arguments[0]) for run in runs]
    missing = tuple(dict.fromkeys(user for user in named if user not in shared.people))
    if len(missing) == 1:
        shared.people[missing[0]] = yield from ask(Lookup.member(missing[0]))
    elif missing:
        found = yield from ask(Lookup.get(missing))
        if isinstance(found, Unanswered):
            shared.people.update(dict.fromkeys(missing, found))
        else:
            known = {one.id: one for one in found}
            shared.people.update((user, known.get(user)) for user in missing)
    for run, user in zip(runs, named, strict=True):
        run.send(shared.people[user])


def merged(commits: Iterable[Commit[T]]) -> Commit[tuple[T, ...]]:
    """Return one commit that is worth several, of which each rests on those before it.

    >>> merged([Commit(1), Commit(2)]).result
    (1, 2)
    """
    results: list[T] = []
    changes: dict[Key, Change] = {}
    events: list[Event] = []
    for commit in commits:
        results.append(commit.result)
        changes.update((change.key.key, change) for change in commit.changes)
        events.extend(commit.events)
    return Commit(tuple(results), tuple(changes.values()), tuple(events))
