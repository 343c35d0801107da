"""Ending, narrowing and pausing links: revoke, revoke_all, narrow, suspend, resume (S11, F8, F12; the four verbs).

*Revoke* is final: nothing brings a link back. A whole user's or service's links end by one record, an epoch, so it
holds at the next check in every process however many links there are.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from extlink import facts
from extlink.domain.event import Detail, Event
from extlink.domain.identifier import LinkId, Scope, ServiceId, UserId, parse_id, parse_scopes
from extlink.domain.link import Link, LinkEvent, LinkState
from extlink.domain.reason import Reason
from extlink.domain.tenant import UserState
from extlink.errors import InvalidInput, Refused
from extlink.operation import (
    ADMINISTRATORS,
    ADMINISTRATORS_AND_HOST,
    ALL_CONCERNED,
    Call,
    Change,
    Commit,
    Now,
    Operation,
    Read,
    Steps,
    ask,
    denied,
    operation,
    put,
    read,
)
from extlink.records import link_key, links_of_key, service_key, tenant_key, user_key, users_of_key

__all__ = ["narrow", "resume", "revoke", "revoke_all", "suspend"]

_BY_HAND = ("link.revoked_by_user", "link.revoked_by_administrator")


def is_administrator(call: Call) -> bool:
    """Whether the actor may see and end other people's links."""
    return not ADMINISTRATORS_AND_HOST.isdisjoint(call.actor.roles)


def load_link(call: Call, link: LinkId) -> Steps[Link]:
    """Return a link to its owner, an administrator or the host.

    Raises:
        Refused: `link.unknown`, also for a link of somebody else.
    """
    place = link_key(call.tenant, link)
    answers = yield from read(tenant_key(call.tenant), place)
    facts.opened(answers, call.tenant)
    known = answers.get(place)
    # To who is neither owner nor administrator, a link of somebody else is as unknown as none.
    if known is None or not (is_administrator(call) or _owns(call, known)):
        raise Refused(Reason("link.unknown", {"link": link}))
    return known


def _owns(call: Call, link: Link) -> bool:
    return link.owner is not None and link.owner == call.actor.user and "user" in call.actor.roles


def _forget(call: Call, link: Link) -> Steps[tuple[Change, ...]]:
    """Return the changes that take a link out of its owner's and its service's index."""
    if link.owner is None:
        return ()
    mine = links_of_key(call.tenant, link.owner, link.service)
    theirs = users_of_key(call.tenant, link.service, link.owner)
    answers = yield from read(mine, theirs)
    ids = tuple(one for one in answers.get(mine) or () if one != link.id)
    return put(mine, ids), put(theirs, ids)


@operation("links.revoke", records=_BY_HAND)
def _revoke(call: Call, *, link: LinkId) -> Steps[Commit[Link]]:
    known = yield from load_link(call, link)
    indexes = yield from _forget(call, known)
    at = yield from ask(Now())
    by = "user" if _owns(call, known) else "administrator"
    ended = known.moved(LinkEvent.REVOKE, by, at)
    if ended is None or ended is known:
        return Commit(known)
    details = {"service": known.service, "user": known.owner, "link": link}
    event = Event(f"link.revoked_by_{by}", details)
    return Commit(ended, (put(link_key(call.tenant, link), ended), *indexes), (event,))


def revoke(link: str) -> Operation[Link]:
    """End a link for good: its owner from the account page, or an administrator.

    Source: S11, page B step 4. The next call with any of its tokens is refused `link.revoked`; ending it twice changes
    nothing.

    Raises when run:
        Refused: `link.unknown`, also for a link of somebody else.

    >>> revoke("AAAAAAAAAAAAAAAAAAAAAA")
    links.revoke(link='AAAAAAAAAAAAAAAAAAAAAA')
    """
    return _revoke(link=LinkId(parse_id(link, "link")))


@operation("links.revoke_all", by=ALL_CONCERNED, records=_BY_HAND)
def _revoke_all(call: Call, *, user: UserId | None, service: ServiceId | None) -> Steps[Commit[None]]:
    if not is_administrator(call) and (user is None or user != call.actor.user):
        return (yield from denied(call, "links.revoke_all", ADMINISTRATORS_AND_HOST))
    by = "link.revoked_by_administrator" if is_administrator(call) else "link.revoked_by_user"
    event = Event(by, {"user": user, "service": service, "link": None})
    if user is not None and service is not None:
        return (yield from revoking_pair(call, user, service, event))
    if user is not None:
        place = user_key(call.tenant, user)
        answers = yield from read(tenant_key(call.tenant), place)
        facts.opened(answers, call.tenant)
        known = answers.get(place) or UserState()
        return Commit(None, (put(place, attrs.evolve(known, epoch=known.epoch + 1)),), (event,))
    if service is None:
        raise InvalidInput("service", "expected a user, a service, or both")
    at = service_key(call.tenant, service)
    answers = yield from read(tenant_key(call.tenant), at)
    facts.opened(answers, call.tenant)
    registered = facts.registered(answers, call.tenant, service)
    return Commit(None, (put(at, attrs.evolve(registered, epoch=registered.epoch + 1)),), (event,))


def revoking_pair(call: Call, user: UserId, service: ServiceId, event: Event) -> Steps[Commit[None]]:
    """End all links of a user to a service, at most 20; without any nothing is written."""
    mine, theirs = links_of_key(call.tenant, user, service), users_of_key(call.tenant, service, user)
    answers = yield from read(tenant_key(call.tenant), mine, theirs)
    facts.opened(answers, call.tenant)
    places = tuple(link_key(call.tenant, link) for link in answers.get(mine) or ())
    if not places:
        return Commit(None)
    found = yield from ask(Read(places))
    at = yield from ask(Now())
    changes: list[Change] = [put(mine, ()), put(theirs, ())]
    by = "user" if event.name == "link.revoked_by_user" else "administrator"
    for place in places:
        link = found.get(place)
        ended = None if link is None else link.moved(LinkEvent.REVOKE, by, at)
        if ended is not None:
            changes.append(put(place, ended))
    return Commit(None, tuple(changes), (event,))


def revoke_all(*, user: str | None = None, service: str | None = None) -> Operation[None]:
    """End every link of a user, of a service, or of a user with a service, for good.

    Source: F7, F8. A user's or a service's whole set ends by one record. An administrator may do all three; users may
    end their own.

    Raises:
        InvalidInput: neither a user nor a service.
        Refused: when run: `actor.not_permitted`, `service.unknown`.

    >>> revoke_all(user="sato")
    links.revoke_all(user='sato', service=None)
    """
    if user is None and service is None:
        raise InvalidInput("user", "expected a user, a service, or both")
    return _revoke_all(
        user=None if user is None else UserId(parse_id(user, "user")),
        service=None if service is None else ServiceId(parse_id(service, "service")),
    )


@operation("links.narrow", records=("link.scopes_changed",))
def _narrow(call: Call, *, link: LinkId, scopes: frozenset[Scope]) -> Steps[Commit[Link]]:
    known = yield from load_link(call, link)
    if known.state is LinkState.REVOKED:
        raise Refused(Reason("link.transition", {"link": link, "state": str(known.state), "event": "narrow"}))
    if not scopes <= known.scopes:
        raise InvalidInput("scopes", "expected some of the operations that it covers; others need a new consent")
    if scopes == known.scopes:
        return Commit(known)
    after = known.narrowed(scopes)
    details: dict[str, Detail] = {
        "service": known.service,
        "user": known.owner,
        "link": link,
        "before": tuple(sorted(known.scopes)),
        "after": tuple(sorted(scopes)),
    }
    return Commit(after, (put(link_key(call.tenant, link), after),), (Event("link.scopes_changed", details),))


def narrow(link: str, *, scopes: str | Iterable[str]) -> Operation[Link]:
    """Take operations away from a link: its owner, or an administrator.

    Source: F12. Access tokens for more than what is left are refused at the next check (`token.superseded`); the
    service gets narrower ones with its refresh token. Operations come back with a new consent alone.

    Args:
        scopes: the operations that are left, at least one.

    Raises:
        InvalidInput: malformed arguments, none left; when run: operations that the link does not cover.
        Refused: when run: `link.unknown`, also for a link of somebody else; `link.transition` for one that has ended.

    >>> narrow("AAAAAAAAAAAAAAAAAAAAAA", scopes="k:file:read").name
    'links.narrow'
    """
    left = parse_scopes(scopes)
    if not left:
        raise InvalidInput("scopes", "expected at least one operation; a link that may do nothing is revoked")
    return _narrow(link=LinkId(parse_id(link, "link")), scopes=left)


def _paused(call: Call, link: LinkId, event: LinkEvent, by: str) -> Steps[tuple[Link, Link]]:
    known = yield from load_link(call, link)
    at = yield from ask(Now())
    after = known.moved(event, by, at)
    if after is None:
        params = {"link": link, "state": str(known.state), "event": str(event)}
        raise Refused(Reason("link.transition", params))
    return known, after


@operation("links.suspend", by=ADMINISTRATORS, records=("link.suspended",))
def _suspend(call: Call, *, link: LinkId) -> Steps[Commit[Link]]:
    known, after = yield from _paused(call, link, LinkEvent.SUSPEND, "administrator")
    if after is known:
        return Commit(known)
    event = Event("link.suspended", {"service": known.service, "user": known.owner, "link": link})
    return Commit(after, (put(link_key(call.tenant, link), after),), (event,))


def suspend(link: str) -> Operation[Link]:
    """Pause a link: refused until it is resumed. Needs `common_administrator`.

    Raises when run:
        Refused: `link.unknown`, `link.transition` for one that is not live.

    >>> suspend("AAAAAAAAAAAAAAAAAAAAAA").name
    'links.suspend'
    """
    return _suspend(link=LinkId(parse_id(link, "link")))


@operation("links.resume", by=ADMINISTRATORS, records=("link.resumed",))
def _resume(call: Call, *, link: LinkId) -> Steps[Commit[Link]]:
    known, after = yield from _paused(call, link, LinkEvent.RESUME, "administrator")
    event = Event("link.resumed", {"service": known.service, "user": known.owner, "link": link})
    return Commit(after, (put(link_key(call.tenant, link), after),), (event,))


def resume(link: str) -> Operation[Link]:
    """Let a paused link work again, if every gate passes then. Needs `common_administrator`.

    Raises when run:
        Refused: `link.unknown`, `link.transition` for one that is not suspended; a revoked one never returns.

    >>> resume("AAAAAAAAAAAAAAAAAAAAAA").name
    'links.resume'
    """
    return _resume(link=LinkId(parse_id(link, "link")))
