"""Walks over a tenant's links in bounded batches, killed at any point and resumed anywhere (F14, F11; DESIGN 5).

Rules:

* A walk lies in one record, `j <what for> <of what>`, written in the batch that moves the links: what was counted was
  moved, what was moved was counted, once, whoever is killed when and however many run it at a time.
* The first run of a walk writes the record and looks at nothing. Stores put the commits of a tenant in a line: whatever
  was committed on older ground lies before it and is seen by the runs that follow.
* Each run after it looks at links in the order of their ids, in unguarded pages, moves those a judge picks and says how
  far it came. What is moved was read again by key, judged again and is guarded, as are the facts it was judged by.
* A walk whose ground differs from what it was begun on (`Order.ground`) begins again at the first link.
* An ended link leaves both indexes, its subscriptions go, and the ledger gets one entry for it, with the cause.

An operation is made of it so, and run until the job is done:

    order = Order(ground=..., judge=ended_by_epoch, load=epochs_of, service=service)
    swept = yield from sweep(call, job_key(call.tenant, "purge", service), order)
    return Commit(swept.job, swept.changes, swept.events)       # records=SWEPT, more events as you like

A judge is pure: `(policy, link, instant) -> Verdict(event, by) | None`, where the event is REVOKE, SUSPEND or RESUME;
one that the table of transitions does not have for the link's state moves nothing. It is asked about every link that
has not ended. The policy holds what the loader read (`link_policies`): `epochs_of` the epochs alone, `policy_of` all
that `evaluate` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import attrs

from extlink import facts
from extlink.domain.event import Event
from extlink.domain.identifier import LinkId, ServiceId, SubscriptionId
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkEvent, LinkState
from extlink.domain.link_job import LinkJob, Toll
from extlink.domain.policy import Policy, current_epochs
from extlink.domain.subscription import Subscription
from extlink.errors import CorruptRecord
from extlink.link_policies import read_all
from extlink.operation import Call, Change, List, Now, Steps, ask, drop, put, read
from extlink.ports import Records, Stored, components, prefix
from extlink.records import LINK, RecordKey, link_key, links_of_key, subscription_key, tenant_key, users_of_key

__all__ = ["SWEPT", "Judge", "Load", "Order", "Swept", "Verdict", "ended_by_epoch", "sweep"]

# What a run may record; an operation that never suspends or resumes names fewer.
SWEPT: Final = ("link.revoked", "link.suspended", "link.resumed")
_NAMES: Final[Mapping[LinkEvent, str]] = MappingProxyType(
    {
        LinkEvent.REVOKE: "link.revoked",
        LinkEvent.SUSPEND: "link.suspended",
        LinkEvent.RESUME: "link.resumed",
    }
)
# One commit of 50 links holds the tenant's other commits up for a few milliseconds.
_CANDIDATES: Final = 50
_LISTED: Final = 100
_EXAMINED: Final = 1_000
# A batch may write 1,000 records: the walk itself, a link with two indexes, and subscriptions, about 100 of a link.
_ROOM: Final = 900
_SUBSCRIPTIONS: Final = 500
_INDEXED: Final = 3


class Verdict(NamedTuple):
    """What becomes of a link, and by whom or what: the cause that the link keeps and the ledger records."""

    event: LinkEvent
    by: str


Judge = Callable[[Policy, Link, Instant], Verdict | None]
Load = Callable[[Call, tuple[Link, ...]], Steps[Policy]]


@attrs.frozen(kw_only=True)
class Order:
    """What a walk is for.

    Args:
        ground: what it rests on, such as today's epochs: a text that differs whenever a walk that has come far must
            begin again.
        judge: what becomes of a link.
        load: reads the facts that it is judged by.
        service: only the links to this service; None: all.
        repeats: whether a walk that is done begins anew at the next run although its ground is the same.
    """

    ground: str
    judge: Judge
    load: Load
    service: ServiceId | None = None
    repeats: bool = False


@attrs.frozen(kw_only=True)
class Swept:
    """What one run comes to: the walk as it stands then, and what an operation commits for it."""

    job: LinkJob
    changes: tuple[Change, ...] = ()
    events: tuple[Event, ...] = ()


class _Scan(NamedTuple):
    """Links that have not ended, in the order of their ids, and how far the look went."""

    links: tuple[Link, ...]
    unreadable: tuple[LinkId, ...]
    reached: LinkId | None
    over: bool


class _Move(NamedTuple):
    """A link before and after a batch; the keys of what ends with it."""

    before: Link
    after: Link
    verdict: Verdict
    subscriptions: tuple[RecordKey[Subscription], ...] = ()

    def changes(self, call: Call) -> tuple[Change, ...]:
        """Return what is written for it, the indexes apart."""
        return (put(link_key(call.tenant, self.after.id), self.after), *(drop(place) for place in self.subscriptions))

    def toll(self, since: Instant) -> Toll:
        """Return what it counts for; what had expired when the walk began does not."""
        match self.verdict.event:
            case LinkEvent.SUSPEND:
                return Toll(suspended=1)
            case LinkEvent.RESUME:
                return Toll(resumed=1)
            case _:
                return Toll.of_end(self.before, len(self.subscriptions), since)

    def entry(self) -> Event:
        """Return what the ledger gets."""
        event, by = self.verdict
        link = self.after
        return Event(_NAMES[event], {"service": link.service, "user": link.owner, "link": link.id, "by": by})


def sweep(call: Call, place: RecordKey[LinkJob], order: Order) -> Steps[Swept]:
    """Take a walk one batch further: begin it, or move the next links that the judge picks.

    Args:
        place: where the walk lies (`records.job_key`).

    Returns:
        What to commit. A walk that is done changes nothing more, unless it repeats.

    Raises:
        Refused: `tenant.not_open`.
    """
    answers = yield from read(tenant_key(call.tenant), place)
    facts.opened(answers, call.tenant)
    known = answers.get(place)
    if known is None or (known.done is not None and (order.repeats or known.ground != order.ground)):
        at = yield from ask(Now())
        begun = LinkJob(service=order.service, ground=order.ground, began=at, by=call.actor.user)
        return Swept(job=begun, changes=(put(place, begun),))
    if known.done is not None:
        return Swept(job=known)
    if known.ground != order.ground:
        # What cannot be read is met again; what was moved is not.
        again = attrs.evolve(known, ground=order.ground, reached=None, toll=attrs.evolve(known.toll, unreadable=0))
        return Swept(job=again, changes=(put(place, again),))
    return (yield from _further(call, place, order, known))


def _further(call: Call, place: RecordKey[LinkJob], order: Order, job: LinkJob) -> Steps[Swept]:
    scan = yield from _scanned(call, order.service, job.reached)
    policy = yield from order.load(call, scan.links)
    at = yield from ask(Now())
    picked = tuple(link for link in scan.links if order.judge(policy, link, at) is not None)
    held = yield from _held(call, picked)
    moves, reached = yield from _moves(call, order.judge, policy, held, at)
    # A batch that is full stops at its last link; the others are looked at again by the next run.
    whole = reached is None
    last = scan.reached if whole else reached
    lost = Toll(unreadable=sum(last is not None and one <= last for one in scan.unreadable))
    toll = sum((move.toll(job.began) for move in moves), job.toll + lost)
    over = whole and scan.over
    after = attrs.evolve(job, reached=None if over else last, done=at if over else None, toll=toll)
    indexes = yield from _forgotten(call, tuple(move.after for move in moves if move.verdict.event is LinkEvent.REVOKE))
    changes = (put(place, after), *(change for move in moves for change in move.changes(call)), *indexes)
    return Swept(job=after, changes=changes, events=tuple(move.entry() for move in moves))


def _scanned(call: Call, service: ServiceId | None, after: LinkId | None) -> Steps[_Scan]:
    """Look at links after one of them until there are enough that may be moved."""
    links: list[Link] = []
    unreadable: list[LinkId] = []
    reached, looked = after, 0
    while looked < _EXAMINED:
        start = b"" if reached is None else link_key(call.tenant, reached).key.path
        page = yield from ask(List(Records(call.tenant.encode(), prefix("l"), start, _LISTED)))
        for item in page.items:
            reached = LinkId(components(item.key.path)[-1])
            link = _read(item)
            if link is None:
                unreadable.append(reached)
            elif link.state is not LinkState.REVOKED and service in {None, link.service}:
                links.append(link)
            if len(links) == _CANDIDATES:
                return _Scan(tuple(links), tuple(unreadable), reached, over=False)
        if not page.more:
            return _Scan(tuple(links), tuple(unreadable), reached, over=True)
        looked += len(page.items)
    return _Scan(tuple(links), tuple(unreadable), reached, over=False)


def _read(item: Stored) -> Link | None:
    """Return a listed link; None for one that cannot be read: it must not keep the others from being ended."""
    try:
        return LINK.decode(item.value or b"")[0]
    except CorruptRecord:
        return None


def _held(call: Call, links: tuple[Link, ...]) -> Steps[tuple[Link, ...]]:
    """Return links as they are in the operation's snapshot, and so guarded."""
    places = [link_key(call.tenant, link.id) for link in links]
    answers = yield from read_all(places)
    return tuple(held for place in places if (held := answers.get(place)) is not None)


def _moves(
    call: Call, judge: Judge, policy: Policy, links: tuple[Link, ...], at: Instant
) -> Steps[tuple[tuple[_Move, ...], LinkId | None]]:
    """Return the moves that a batch has room for, and the last link of them if there was none for all; None: all."""
    moves: list[_Move] = []
    room = _ROOM
    for link in links:
        verdict = judge(policy, link, at)
        after = None if verdict is None else link.moved(verdict.event, verdict.by, at)
        if verdict is None or after is None or after is link:
            continue
        ending = verdict.event is LinkEvent.REVOKE
        move = _Move(link, after, verdict, (yield from _subscriptions(call, link)) if ending else ())
        room -= _INDEXED + len(move.subscriptions)
        if room < 0:
            return tuple(moves), moves[-1].after.id
        moves.append(move)
    return tuple(moves), None


def _subscriptions(call: Call, link: Link) -> Steps[tuple[RecordKey[Subscription], ...]]:
    page = yield from ask(List(Records(call.tenant.encode(), prefix("w", link.id), limit=_SUBSCRIPTIONS)))
    ids = (SubscriptionId(components(item.key.path)[-1]) for item in page.items)
    return tuple(subscription_key(call.tenant, link.id, one) for one in ids)


def _forgotten(call: Call, links: tuple[Link, ...]) -> Steps[tuple[Change, ...]]:
    """Return the changes that take ended links out of their owners' and their services' indexes."""
    gone = {link.id for link in links}
    pairs = sorted({(link.owner, link.service) for link in links if link.owner is not None})
    places = [
        place
        for user, service in pairs
        for place in (links_of_key(call.tenant, user, service), users_of_key(call.tenant, service, user))
    ]
    answers = yield from read_all(places)
    changes: list[Change] = []
    for place in places:
        known = answers.get(place) or ()
        left = tuple(one for one in known if one not in gone)
        if left != known:
            changes.append(put(place, left) if left else drop(place))
    return tuple(changes)


def ended_by_epoch(policy: Policy, link: Link, _at: Instant) -> Verdict | None:
    """Judge that a link ends whose epochs are not today's: it works nowhere any more, and never will."""
    today = current_epochs(policy, link.service, link.owner)
    return None if today == link.epochs else Verdict(LinkEvent.REVOKE, "ended")
