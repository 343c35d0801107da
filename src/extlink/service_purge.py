"""What follows an emergency stop: every link of a service is ended in its own record too, and counted (F14, law 9).

Rules:

* `quarantine` has refused and ended everything already, by one record. `purge` ends the links themselves, some in each
  run, so that pages, reports and exports of the store say so as well; its statement counts what was ended.
* While a service is stopped, all of its links are ended, whatever else they say. After the stop is lifted a purge that
  was interrupted can still be finished: it ends the links that the stop ended, and none that was made since.
* `remaining` looks at the links one by one: at no counter, index or cursor, which may be what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

import attrs

from extlink import facts
from extlink.domain.event import Detail, Event
from extlink.domain.identifier import LinkId, ServiceId, TenantId, parse_id
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkEvent, LinkState
from extlink.domain.link_job import LinkJob, Toll
from extlink.domain.policy import Policy, current_epochs
from extlink.domain.registry import HostService, ServiceState
from extlink.domain.tenant import HOST
from extlink.errors import CorruptRecord, InvalidInput
from extlink.inputs import exactly, text, whole
from extlink.link_batches import Order, Verdict, sweep
from extlink.link_policies import epochs_of
from extlink.operation import (
    ADMINISTRATORS_AND_HOST,
    HOSTS,
    Call,
    Commit,
    List,
    Operation,
    Steps,
    ask,
    operation,
    put,
    read,
)
from extlink.ports import MAX_LIST, Records, Stored, components, prefix
from extlink.records import JOB, LINK, host_service_key, job_key, purge_in_key, service_key, tenant_key

__all__ = ["Purge", "Purges", "Remaining", "note_purge", "purge", "purges", "remaining"]

_WHAT: Final = "purge"
_SHOWN: Final = 20
_MAX_STOP: Final = 64
_MOST: Final = 2**53
# A purge only ends.
_NEVER: Final = frozenset({"suspended", "resumed"})
_NOTHING: Final = Toll()


@attrs.frozen(kw_only=True)
class Purge:
    """How far the end of a service's links has come: once it is done, the statement.

    Args:
        stop: which stop it follows; another one begins another purge.
        began, done: the instants; `done` None: run it again.
        toll: what it ended so far: links, codes, tokens, subscriptions, and what could not be read.

    >>> Purge(service=ServiceId("slack"), stop="0.1.0", began=Instant(0), toll=Toll(ended=50)).toll.ended
    50
    """

    service: ServiceId
    stop: str
    began: Instant
    done: Instant | None = None
    toll: Toll = _NOTHING


@attrs.frozen(kw_only=True)
class Purges:
    """The statement about every tenant together, as their purges were noted.

    Args:
        tenants: of how many the purge is done.
        toll: what they ended.
    """

    service: ServiceId
    tenants: int
    toll: Toll


@attrs.frozen(kw_only=True)
class Remaining:
    """The links to a service that have not ended in their own record.

    Args:
        count: how many.
        links: the first of them, at most 20.
        unreadable: links of whatever service whose record cannot be read back, at most 20; nobody can use them, a
            backup has them.
        unread: how many of those.
    """

    service: ServiceId
    count: int
    links: tuple[LinkId, ...]
    unread: int
    unreadable: tuple[LinkId, ...]


def _stopped(policy: Policy, link: Link, _at: Instant) -> Verdict | None:
    """Judge a link: while its service is stopped it ends; otherwise if a stop, or another epoch, has ended it."""
    known, host = policy.registry.services.get(link.service), policy.registry.everywhere.get(link.service)
    today = current_epochs(policy, link.service, link.owner)
    if (known is not None and known.state is ServiceState.QUARANTINED) or (host is not None and host.quarantined):
        return Verdict(LinkEvent.REVOKE, "quarantine")
    if today == link.epochs:
        return None
    by_stop = (today.service, today.host) != (link.epochs.service, link.epochs.host)
    return Verdict(LinkEvent.REVOKE, "quarantine" if by_stop else "ended")


def _walked(tenant: TenantId, path: bytes, take: Callable[[Stored], None]) -> Steps[None]:
    """Show every record below a path, page by page: what is kept of them is the taker's."""
    after, more = b"", True
    while more:
        page = yield from ask(List(Records(tenant.encode(), path, after, MAX_LIST)))
        for item in page.items:
            after = item.key.path
            take(item)
        more = page.more


@attrs.define
class _Count:
    """What a look at all links found so far: two numbers and a few examples, however many there are.

    Args:
        ending: links that end in the same commit.
    """

    service: ServiceId
    ending: frozenset[str] = frozenset()
    left: int = 0
    unread: int = 0
    links: tuple[LinkId, ...] = ()
    unreadable: tuple[LinkId, ...] = ()

    def take(self, item: Stored) -> None:
        """Look at one record."""
        found = LinkId(components(item.key.path)[-1])
        try:
            link = LINK.decode(item.value or b"")[0]
        except CorruptRecord:
            self.unread += 1
            self.unreadable = (*self.unreadable, found)[:_SHOWN]
            return
        ends = link.state is LinkState.REVOKED or link.id in self.ending
        if link.service == self.service and not ends:
            self.left += 1
            self.links = (*self.links, found)[:_SHOWN]


@operation("services.purge", by=ADMINISTRATORS_AND_HOST, records=("link.revoked", "service.purged"))
def _purge(call: Call, *, service: ServiceId) -> Steps[Commit[Purge]]:
    everywhere = host_service_key(service)
    answers = yield from read(tenant_key(call.tenant), service_key(call.tenant, service), everywhere)
    tenant = facts.opened(answers, call.tenant)
    known = facts.registered(answers, call.tenant, service)
    host = answers.get(everywhere) or HostService()
    # The epochs of a person are not in it: a link that ends by one is ended, and so is one made afterwards.
    stop = f"{tenant.epoch}.{known.epoch}.{host.epoch}"
    order = Order(ground=stop, judge=_stopped, load=epochs_of, service=service)
    swept = yield from sweep(call, job_key(call.tenant, _WHAT, service), order)
    job = swept.job
    result = Purge(service=service, stop=stop, began=job.began, done=job.done, toll=job.toll)
    if not swept.changes or job.done is None:
        return Commit(result, swept.changes, swept.events)
    # The statement says what is left by a look at every link, not by what the walk believes to have done.
    count = _Count(service, ending=frozenset(cast("str", event.details["link"]) for event in swept.events))
    yield from _walked(call.tenant, prefix("l"), count.take)
    statement = Event("service.purged", {**_told(result), "remaining": count.left})
    return Commit(result, swept.changes, (*swept.events, statement))


def _told(done: Purge) -> dict[str, Detail]:
    counts = attrs.asdict(done.toll, filter=lambda field, _: field.name not in _NEVER)
    return {"service": done.service, "stop": done.stop, "began": done.began, **counts}


def purge(service: str) -> Operation[Purge]:
    """End the links of a stopped service one by one, at most 50 in each run; run it until `done` says when.

    Source: F14, law 9. Needs `common_administrator` or `host`. Killed at any point it goes on where it was, from any
    process, and several may run it at a time; each link is counted once. The run that finds the last link writes
    the statement, `service.purged`. Of a service that is not stopped, it ends the links that had ended before. No run
    needs an idempotency key; two must not have the same, or the second is not run.

    Raises when run:
        Refused: `service.unknown`, `tenant.not_open`.

    >>> purge("slack")
    services.purge(service='slack')
    """
    return _purge(service=ServiceId(parse_id(service, "service")))


@operation("services.remaining", by=ADMINISTRATORS_AND_HOST)
def _remaining(call: Call, *, service: ServiceId) -> Steps[Commit[Remaining]]:
    answers = yield from read(tenant_key(call.tenant), service_key(call.tenant, service))
    facts.opened(answers, call.tenant)
    facts.registered(answers, call.tenant, service)
    count = _Count(service)
    yield from _walked(call.tenant, prefix("l"), count.take)
    return Commit(
        Remaining(
            service=service,
            count=count.left,
            links=count.links,
            unread=count.unread,
            unreadable=count.unreadable,
        )
    )


def remaining(service: str) -> Operation[Remaining]:
    """Count the links to a service that have not ended, by looking at every link of the tenant: the proof of a purge.

    Source: F14. Needs `common_administrator` or `host`. Of a stopped service nobody can use those that it counts; after
    the purge it is none. It reads all links, 1,000 at a time: seconds for 100,000, and no more memory than for one
    page.

    Raises when run:
        Refused: `service.unknown` for a misspelt one, `tenant.not_open`.

    >>> remaining("slack")
    services.remaining(service='slack')
    """
    return _remaining(service=ServiceId(parse_id(service, "service")))


def _host_only(call: Call) -> None:
    if call.tenant != HOST:
        raise InvalidInput("tenant", "expected the host itself; run it on hub.host()")


def _of_stop(stop: str, host: HostService) -> bool:
    """Whether a purge followed the host's last stop: a link that it left out would be of an earlier one."""
    return stop.rpartition(".")[2] == str(host.epoch)


@operation("services.note_purge", by=HOSTS, records=("service.purged",))
def _note_purge(call: Call, *, tenant: TenantId, done: Purge) -> Steps[Commit[None]]:
    _host_only(call)
    everywhere, place = host_service_key(done.service), purge_in_key(done.service, tenant)
    answers = yield from read(everywhere, place)
    if done.done is None or not _of_stop(done.stop, answers.get(everywhere) or HostService()):
        raise InvalidInput("done", "expected a purge that is done and follows the host's last stop; purge again")
    job = LinkJob(
        service=done.service, ground=done.stop, began=done.began, by=call.actor.user, done=done.done, toll=done.toll
    )
    if answers.get(place) == job:
        return Commit(None)
    return Commit(None, (put(place, job),), (Event("service.purged", {**_told(done), "of": tenant}),))


def note_purge(tenant: str, done: Purge) -> Operation[None]:
    """Note on `hub.host()` what the purge of a tenant came to, for the statement about all of them. Needs `host`.

    Source: F14. Noting the same again changes nothing.

    Args:
        done: what `purge` returned at last.

    Raises:
        InvalidInput: not a `Purge`; when run: one that is not done, or follows another stop than the host's last.

    >>> done = Purge(service=ServiceId("slack"), stop="0.1.1", began=Instant(0), done=Instant(9))
    >>> note_purge("acme", done).name
    'services.note_purge'
    """
    return _note_purge(tenant=TenantId(parse_id(tenant, "tenant")), done=_checked(exactly(done, Purge, "done")))


def _checked(done: Purge) -> Purge:
    """Return a purge whose fields are what their types say; it may come from another process, or from anywhere."""
    toll = exactly(done.toll, Toll, "done")
    counts = {name: whole(count, "done", 0, _MOST) for name, count in attrs.asdict(toll).items()}
    return Purge(
        service=ServiceId(parse_id(done.service, "done")),
        stop=text(done.stop, "done", _MAX_STOP),
        began=Instant(whole(done.began, "done", -_MOST, _MOST)),
        done=None if done.done is None else Instant(whole(done.done, "done", -_MOST, _MOST)),
        toll=Toll(**counts),
    )


@attrs.define
class _Total:
    """What the purges of one stop of the host came to, as far as they were looked at."""

    host: HostService
    tenants: int = 0
    toll: Toll = _NOTHING

    def take(self, item: Stored) -> None:
        """Look at what was noted of one tenant."""
        job = JOB.decode(item.value or b"")[0]
        if _of_stop(job.ground, self.host):
            self.tenants += 1
            self.toll += job.toll


@operation("services.purges", by=HOSTS)
def _purges(call: Call, *, service: ServiceId) -> Steps[Commit[Purges]]:
    _host_only(call)
    everywhere = host_service_key(service)
    host = (yield from read(everywhere)).get(everywhere) or HostService()
    total = _Total(host)
    yield from _walked(HOST, prefix("j", _WHAT, service), total.take)
    return Commit(Purges(service=service, tenants=total.tenants, toll=total.toll))


def purges(service: str) -> Operation[Purges]:
    """Return the statement about every tenant whose purge was noted since the host's last stop; run it on `hub.host()`.

    Source: F14. Needs `host`.

    >>> purges("slack")
    services.purges(service='slack')
    """
    return _purges(service=ServiceId(parse_id(service, "service")))
