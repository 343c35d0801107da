"""Clearing away what a tenant no longer needs, over the three methods alone, in bounded batches (DESIGN 5).

Rules
    Only kinds that are apart from the ledger are touched, and of those only what means nothing any more:

        kind            goes when                               why nobody misses it
        i   outcomes    a day after they were written           nobody delivers a command again later than that
        n   marks       the hour of the last mark is over       they keep a refusal from being recorded twice an hour
        nu  last use    its link was revoked, or its time over  no page shows it; nothing revives such a link
        a   assertions  all have expired: emptied, not deleted  one that was seen is refused as expired; the record's
                                                                stamp keeps a clock that is behind from another view
        ~   pieces      their head does not count them          no reader asks for them

    Everything else stays, for good. Links that ended, users who are gone, grants, services and every epoch are what
    refuses an old token; requests that were answered or ran out, triggers and indexes are what pages show. All of these
    are in the ledger, whose views must find them in the store; each is bounded by the tenant's people and services.

    What is over is asked of the tenant's own time, where the clock of whoever collects is ahead of it: the instant of
    its newest ledger entry, or of an outcome that was met and is newer. Both prove a commit at that instant. So nothing
    goes that is younger than a day before the tenant's newest commit, however wrong the clock is; the price is that a
    tenant in which nothing happens keeps what its last day brought.

    A deletion guards what it rests on: a record that is renewed meanwhile stays. What cannot be read stays and is
    counted. No entry is written, no instant is moved. Killed at any point it has done a part, and is run again.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar, cast

import attrs

from extlink.adapters.system import SystemClock
from extlink.domain.identifier import TenantId, parse_id
from extlink.domain.instant import Instant
from extlink.domain.link import LinkState
from extlink.errors import Conflict, CorruptRecord, InvalidInput
from extlink.idempotency import KEPT_SECONDS
from extlink.ledger_entries import read_entry
from extlink.ledger_position import position_of
from extlink.operation import List
from extlink.outcomes import OUTCOME
from extlink.ports import (
    MAX_READ_KEYS,
    AsyncStorage,
    Batch,
    Clock,
    Entries,
    Guard,
    Key,
    Page,
    Position,
    Query,
    Records,
    Storage,
    Stored,
    Version,
    Write,
    prefix,
)
from extlink.records import ASSERTIONS, LAST_USE, LINK, MARKS, PIECES, head_of, pieces_of

__all__ = ["Collected", "collect", "collect_async"]

T = TypeVar("T")
_HOUR: Final = 3_600
_DAY: Final = 86_400
_MAX_LIMIT: Final = 10**9
_NO_TIME: Final = Instant(0)
# What every component of a path ends in.
_END: Final = prefix("")


@attrs.frozen(kw_only=True)
class Collected:
    """What one call cleared away, by kind.

    Args:
        outcomes, marks, uses, assertions, pieces: how many records; those of `assertions` were emptied.
        unreadable: how many were left alone because they cannot be read.
        next: the cursor to go on with where `limit` ended the call; None: everything was looked at.

    >>> Collected(outcomes=3, marks=1).total
    4
    """

    outcomes: int = 0
    marks: int = 0
    uses: int = 0
    assertions: int = 0
    pieces: int = 0
    unreadable: int = 0
    next: str | None = None

    @property
    def total(self) -> int:
        """How many records were cleared away."""
        return self.outcomes + self.marks + self.uses + self.assertions + self.pieces


_NOTHING: Final = Collected()


class _Gone(NamedTuple):
    """One record to clear away, and everything that rests on."""

    write: Write
    guards: tuple[Guard, ...]


_Ask = Query | tuple[Key, ...] | Batch
_Work = Generator[_Ask, object, T]
_Found = tuple[list[_Gone], int]
_Judge = Callable[[Sequence[Stored], Instant], _Work[_Found]]


def _is_over(value: bytes, before: Instant) -> bool:
    """Whether what a command came to may be forgotten."""
    return _written(value) + KEPT_SECONDS <= before


def _written(value: bytes) -> Instant:
    """Return when it was written what a command came to."""
    head = head_of(value)
    return OUTCOME.decode(value)[1] if head is None else head[0]


def _stamp(item: Stored) -> Instant:
    """Return when an outcome was written, 0 where it cannot be read."""
    try:
        return _written(item.value or b"")
    except CorruptRecord:
        return _NO_TIME


def _is_past(value: bytes, before: Instant) -> bool:
    """Whether the hour of every mark is over."""
    return all((hour + 1) * _HOUR <= before for hour in MARKS.decode(value)[0].values())


def _alone(is_over: Callable[[bytes, Instant], bool]) -> _Judge:
    """Return the judge of a kind whose records say themselves when they are over."""

    def judge(items: Sequence[Stored], before: Instant) -> _Work[_Found]:
        yield from ()
        over = [_asked(is_over, item.value, before) for item in items]
        return [_deleted(item) for item, is_it in zip(items, over, strict=True) if is_it], over.count(None)

    return judge


def _asked(is_over: Callable[[bytes, Instant], bool], value: bytes | None, before: Instant) -> bool | None:
    """Return whether a record is over; None for one that cannot be read."""
    try:
        return is_over(value or b"", before)
    except CorruptRecord:
        return None


def _deleted(item: Stored, *more: Guard) -> _Gone:
    return _Gone(Write(item.key, None), (Guard(item.key, item.version), *more))


def _emptied(items: Sequence[Stored], before: Instant) -> _Work[_Found]:
    """Judge seen assertions: where all have expired, what is left is a record without any, stamped when the last did.

    The stamp is what refuses them from then on, also to a process whose clock is behind: its instant is no earlier.
    """
    yield from ()
    gone: list[_Gone] = []
    unreadable = 0
    for item in items:
        try:
            seen, at = ASSERTIONS.decode(item.value or b"")
        except CorruptRecord:
            unreadable += 1
            continue
        last = max(seen.values(), default=before)
        if seen and last <= before:
            left = ASSERTIONS.encode({}, Instant(max(at, last)))
            gone.append(_Gone(Write(item.key, left), (Guard(item.key, item.version),)))
    return gone, unreadable


def _unused(items: Sequence[Stored], before: Instant) -> _Work[_Found]:
    """Judge notes of the last use by their links: revoked, out of time, or not there."""
    below = len(prefix(LAST_USE.name))
    places = [Key(item.key.tenant, prefix(LINK.name) + item.key.path[below:]) for item in items]
    links = cast("Sequence[Stored]", (yield tuple(places)))
    over = [None if link.value is None else _asked(_has_ended, link.value, before) for link in links]
    gone = [
        _deleted(item, Guard(link.key, link.version))
        for item, link, is_it in zip(items, links, over, strict=True)
        if is_it or link.value is None
    ]
    return gone, sum(is_it is None and link.value is not None for link, is_it in zip(links, over, strict=True))


def _has_ended(value: bytes, before: Instant) -> bool:
    link = LINK.decode(value)[0]
    return link.state is LinkState.REVOKED or link.is_over(before)


def _uncounted(items: Sequence[Stored], _before: Instant) -> _Work[_Found]:
    """Judge pieces by the heads of their records: one that its head does not count is left over."""
    below, end = len(prefix(PIECES)), len(_END)
    parts = [item.key.path[below:-end].rpartition(_END) for item in items]
    places = [Key(item.key.tenant, path + mark) for item, (path, mark, _) in zip(items, parts, strict=True)]
    heads = cast("Sequence[Stored]", (yield tuple(places)))
    gone: list[_Gone] = []
    unreadable = 0
    for item, (_, _, number), head in zip(items, parts, heads, strict=True):
        try:
            is_left = int(number) >= (0 if head.value is None else pieces_of(head.value))
        except (CorruptRecord, ValueError):
            unreadable += 1
            continue
        if is_left:
            gone.append(_deleted(item, Guard(head.key, head.version)))
    return gone, unreadable


# What may go, in the order of the keys; pieces last: those of an outcome go after it.
_KINDS: Final[tuple[tuple[str, str, _Judge], ...]] = (
    (ASSERTIONS.name, "assertions", _emptied),
    (OUTCOME.name, "outcomes", _alone(_is_over)),
    (MARKS.name, "marks", _alone(_is_past)),
    (LAST_USE.name, "uses", _unused),
    (PIECES, "pieces", _uncounted),
)


def _collecting(tenant: bytes, before: Instant, after: bytes, limit: int) -> _Work[Collected]:
    """Look at every record of the kinds that may go; written once for both colours, which answer what it asks for."""
    counts = dict.fromkeys([field for _, field, _ in _KINDS], 0)
    newest = yield from _newest(tenant)
    unreadable, left = int(newest is None and not after), limit
    time = newest or _NO_TIME
    for name, field, judge in _KINDS:
        start = prefix(name)
        more = after < start or after.startswith(start)
        while more:
            if not left:
                return _collected(counts, unreadable, _shown(after))
            page = cast("Page", (yield Records(tenant, start, after, min(left, MAX_READ_KEYS))))
            if name == OUTCOME.name:
                time = max([time, *map(_stamp, page.items)])
            found, unread = (yield from judge(page.items, min(before, time))) if page.items else ([], 0)
            counts[field] += yield from _cleared(tenant, found)
            unreadable, left, more = unreadable + unread, left - len(page.items), page.more
            after = page.items[-1].key.path if page.items else after
    return _collected(counts, unreadable, None)


def _newest(tenant: bytes) -> _Work[Instant | None]:
    """Return the instant of the newest ledger entry, 0 where there is none, None where it cannot be read."""
    steps, answer, number = position_of(TenantId(tenant.decode())), cast("object", None), 0
    try:
        while True:
            answer = yield cast("List", steps.send(answer)).query
    except StopIteration as done:
        number = cast("int", done.value)
    items = cast("Page", (yield Entries(tenant, Position(number - 1), 1))).items if number else ()
    try:
        return max((read_entry(item.key.path, item.value or b"").at for item in items), default=_NO_TIME)
    except CorruptRecord:
        return None


def _collected(counts: Mapping[str, int], unreadable: int, following: str | None) -> Collected:
    return attrs.evolve(_NOTHING, **counts, unreadable=unreadable, next=following)


def _cleared(tenant: bytes, found: list[_Gone]) -> _Work[int]:
    """Write a page's deletions as one batch; where a record of it was renewed meanwhile, one by one."""
    if not found or (yield _batch(tenant, found)):
        return len(found)
    gone = 0
    for one in found:
        gone += bool((yield _batch(tenant, [one])))
    return gone


def _batch(tenant: bytes, found: list[_Gone]) -> Batch:
    return Batch(
        tenant=tenant,
        id=Version(secrets.randbits(62) + 1),
        guards=tuple({guard: None for one in found for guard in one.guards}),
        writes=tuple(one.write for one in found),
        entries=(),
        at=_NO_TIME,
    )


def _shown(path: bytes) -> str:
    return base64.urlsafe_b64encode(path).decode()


def _begun(
    tenant: object, before: object, after: object, limit: object, clock: Clock | None
) -> Generator[_Ask, object, Collected]:
    """Return the work that was asked for, every argument checked.

    Raises:
        InvalidInput: as `collect`.
    """
    name, now = parse_id(tenant, "tenant"), (clock or SystemClock()).now()
    if before is None:
        before = now - _DAY
    if type(before) is not int or before > now:
        got = before if type(before) is int else type(before).__name__
        raise InvalidInput(
            "before", f"expected seconds since 1970 that are past, got {ascii(got)[:64]}; leave it out for a day ago"
        )
    if limit is not None and (type(limit) is not int or not 0 < limit <= _MAX_LIMIT):
        raise InvalidInput("limit", f"expected how many records to look at, 1 to {_MAX_LIMIT:,}, or None for all")
    return _collecting(name.encode(), Instant(before), _path(after), limit or _MAX_LIMIT)


def _path(after: object) -> bytes:
    try:
        path = b"" if after is None else base64.b64decode(cast("str", after).encode(), altchars=b"-_", validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error):
        path = b""
    if after is not None and not path:
        raise InvalidInput("after", "expected the cursor of the call before; leave it out for the first")
    return path


def collect(
    storage: Storage,
    tenant: str,
    *,
    before: Instant | None = None,
    after: str | None = None,
    limit: int | None = None,
    clock: Clock | None = None,
) -> Collected:
    """Clear away what a tenant no longer needs, in batches of at most 64 records.

    Run it beside the application whenever you like, once a day is plenty; twice at once is no harm. No decision, no
    page and no ledger entry is another afterwards, and no epoch is touched (the table above).

    Args:
        tenant: its id; `~host` for the host's own part.
        before: what meant nothing any more at this instant goes, in seconds since 1970 UTC; None: a day ago, so that
            machines whose clocks differ by less are no matter. Where the tenant's own time is behind that, it counts.
        after: the cursor of the call before, where `limit` ended it.
        limit: how many records to look at in this call; None: all.
        clock: only tests replace it.

    Raises:
        InvalidInput: no id of a tenant, an instant to come, a malformed cursor or limit.
        StorageError: the store failed; run it again.

    >>> from extlink.adapters.memory import MemoryStorage
    >>> collect(MemoryStorage(), "acme").total
    0
    """
    work, answer = _begun(tenant, before, after, limit, clock), cast("object", None)
    try:
        while True:
            asked = work.send(answer)
            answer = _answer(storage, asked)
    except StopIteration as done:
        return cast("Collected", done.value)


def _answer(storage: Storage, asked: _Ask) -> object:
    match asked:
        case Batch():
            try:
                storage.commit(asked)
            except Conflict:
                return False
            return True
        case Records() | Entries():
            return storage.list(asked)
        case _:
            return _each(asked, storage.read(_once(asked), {}))


async def collect_async(
    storage: AsyncStorage,
    tenant: str,
    *,
    before: Instant | None = None,
    after: str | None = None,
    limit: int | None = None,
    clock: Clock | None = None,
) -> Collected:
    """Do the same as `collect` for a host on asyncio.

    >>> import asyncio
    >>> from extlink.adapters.memory import MemoryStorage
    >>> from extlink.adapters.threaded import ThreadedStorage
    >>> async def main():
    ...     async with ThreadedStorage(MemoryStorage()) as storage:
    ...         return await collect_async(storage, "acme")
    >>> asyncio.run(main()).total
    0
    """
    work, answer = _begun(tenant, before, after, limit, clock), cast("object", None)
    try:
        while True:
            asked = work.send(answer)
            answer = await _answer_async(storage, asked)
    except StopIteration as done:
        return cast("Collected", done.value)


async def _answer_async(storage: AsyncStorage, asked: _Ask) -> object:
    match asked:
        case Batch():
            try:
                await storage.commit(asked)
            except Conflict:
                return False
            return True
        case Records() | Entries():
            return await storage.list(asked)
        case _:
            return _each(asked, await storage.read(_once(asked), {}))


def _once(keys: tuple[Key, ...]) -> tuple[Key, ...]:
    return tuple(dict.fromkeys(keys))


def _each(keys: tuple[Key, ...], found: Sequence[Stored]) -> Sequence[Stored]:
    by_key = {one.key: one for one in found}
    return [by_key[key] for key in keys]
