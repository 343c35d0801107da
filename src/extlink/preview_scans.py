"""Who and what is affected, found in bounded batches: people, links, and the flows of triggers.

Rules: a scan takes a place and returns what it found in one batch and the place to go on from, so that no tenant is too
large to be looked through, and a page of a preview goes on where the one before stopped. People are looked for in the
directory, since nobody else may use anything; links in the store. What the changes cannot touch is not asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple

import attrs

from extlink.domain.directory import CandidateQuery, Member
from extlink.domain.identifier import LinkId, UserId
from extlink.domain.impact import (
    AffectedFlow,
    AffectedLink,
    LinkChange,
    Standing,
    flow_reasons,
    is_pinned,
    link_change,
    link_standing,
    may_use,
)
from extlink.domain.link import Link
from extlink.domain.reason import Reason
from extlink.errors import Refused
from extlink.operation import Answers, List, Lookup, Readable, Steps, ask
from extlink.ports import Records, components, prefix
from extlink.preview_world import World, answered, last_use_place, peeked, user_grant_place, user_place
from extlink.records import (
    LINK,
    LINKS_OF,
    SUBSCRIPTION,
    client_key,
    link_key,
)
from extlink.services import MAX_SERVICES

__all__: list[str] = []

Part = Literal["gained", "lost", "ended", "paused", "resumed", "illegal", "legal", "unadmitted"]
# Where a scan goes on: which of its rounds, and the cursor there.
Place = tuple[int, str]
START: Final[Place] = (0, "")
_BATCH: Final = 50
# Each has a few links.
_OWNERS: Final = 10
_THERE: Final = ("works", "paused")


class Found(NamedTuple):
    """One that is affected: how, of which service (where that sorts them), and what it is."""

    part: Part
    service: str
    item: object


Batch = tuple[list[Found], Place | None]
Scan = Callable[[World, Place], Steps[Batch]]


def people(world: World, place: Place) -> Steps[Batch]:
    """Ask of a batch of people which services they gain or lose."""
    if world.people.is_broad:
        before, after, following = yield from _everybody(world, place)
    else:
        chosen, following = _sorted_after(world.people.users, place, _BATCH)
        before = yield from world.before.members(tuple(map(UserId, chosen)))
        after = before
    reach, every = world.people, sorted(world.services)
    some = every if reach.everything else sorted(world.services & reach.services)
    pairs = [(service, user) for user in before | after for service in (every if user in reach.users else some)]
    call = world.call
    places: list[Readable] = [user_place(call.tenant, user) for _, user in pairs]
    answers = yield from peeked([*places, *(user_grant_place(call.tenant, service, user) for service, user in pairs)])
    then, now = world.after.policy(call, answers, after, pairs), world.before.policy(call, answers, before, pairs)
    found: list[Found] = []
    for service, user in pairs:
        had, has = may_use(now, service, user, world.before.at), may_use(then, service, user, world.after.at)
        if had is not has:
            found.append(Found("gained" if has else "lost", service, user))
    return found, following


def _everybody(world: World, place: Place) -> Steps[tuple[dict[UserId, Member], dict[UserId, Member], Place | None]]:
    """Return a batch of all people, as they are and as they will be: first those of today, then those who are new."""
    rounds = (world.before, world.after) if world.after.directory is not None else (world.before,)
    if place[0] >= len(rounds):
        return {}, {}, None
    asked, other = rounds[place[0]], rounds[place[0] - 1]
    step = attrs.evolve(Lookup.page(CandidateQuery(), place[1] or None, _BATCH), directory=asked.directory)
    page = answered((yield from ask(step)))
    if page.next is not None and page.next == place[1]:
        raise Refused(Reason("directory.unavailable"))  # it would never end
    here = {member.id: member for member in page.members if member.status != "deleted"}
    there = here if other is asked else (yield from other.members(tuple(here)))
    following = (place[0], page.next) if page.next else (place[0] + 1, "")
    goes_on = following if following[0] < len(rounds) else None
    if place[0] == 0:
        return here, there, goes_on
    new = {user: member for user, member in here.items() if user not in there or there[user].status == "deleted"}
    return {user: there[user] for user in new if user in there}, new, goes_on


def _sorted_after(names: Iterable[str], place: Place, limit: int) -> tuple[list[str], Place | None]:
    rest = sorted(name for name in names if name > place[1])
    return rest[:limit], (place[0], rest[limit - 1]) if len(rest) > limit else None


class _Judged(NamedTuple):
    """A link as it stands before and after."""

    link: Link
    change: LinkChange | None
    standing: Standing
    reasons: tuple[Reason, ...]


def links(world: World, place: Place) -> Steps[Batch]:
    """Ask of a batch of links which end, pause or work again, and which lack a range that their service publishes."""
    chosen, following = yield from (_listed(world, place) if world.links.is_broad else _chosen(world, place))
    found: list[Found] = []
    for one in (yield from _judged(world, chosen)):
        link = one.link
        item = AffectedLink(link=link.id, service=link.service, user=link.owner, reasons=one.reasons)
        if one.change is not None:
            found.append(Found(one.change, "", item))
        is_lacking = link.service in world.before.admitted and link.service not in world.after.admitted
        if is_lacking and one.standing in _THERE and is_pinned(world.after.rules, link):
            found.append(Found("unadmitted", "", item))
    return found, following


def _listed(world: World, place: Place) -> Steps[tuple[list[Link], Place | None]]:
    """Return a batch of all links, without those that nothing concerns."""
    after = prefix("l", place[1]) if place[1] else b""
    page = yield from ask(List(Records(world.call.tenant.encode(), prefix("l"), after, _BATCH)))
    listed = [LINK.decode(item.value)[0] for item in page.items if item.value is not None]
    reach = world.links
    chosen = [
        link
        for link in listed
        if reach.everything or link.service in reach.services or link.owner in reach.users or link.id in reach.links
    ]
    return chosen, (0, listed[-1].id) if page.more else None


def _chosen(world: World, place: Place) -> Steps[tuple[list[Link], Place | None]]:
    """Return a batch of the links that are concerned: first those of the people who are, then those that are named."""
    reach = world.links
    if place[0]:
        names, following = _sorted_after(reach.links, place, _BATCH)
        return (yield from _stored(world, map(LinkId, names))), following
    users, following = _sorted_after(reach.users, place, _OWNERS)
    ids: set[LinkId] = set()
    for user in users:
        page = yield from ask(List(Records(world.call.tenant.encode(), prefix("o", user), limit=MAX_SERVICES)))
        for item in page.items:
            ids.update(LINKS_OF.decode(item.value)[0] if item.value is not None else ())
    return (yield from _stored(world, sorted(ids - reach.links))), following or (1, "")


def _stored(world: World, ids: Iterable[LinkId]) -> Steps[list[Link]]:
    places = [link_key(world.call.tenant, one) for one in ids]
    answers = yield from peeked(places)
    return [link for place in places if (link := answers.get(place)) is not None]


def _judged(world: World, chosen: list[Link]) -> Steps[list[_Judged]]:
    """Return where some links stand before and after."""
    tenant = world.call.tenant
    owned = [(link.service, link.owner) for link in chosen if link.owner is not None]
    users = tuple({user for _, user in owned})
    before = yield from world.before.members(users)
    after = before if world.after.directory is None else (yield from world.after.members(users))
    clients = frozenset(link.client for link in chosen)
    places: list[Readable] = [last_use_place(tenant, link.id) for link in chosen]
    places += [user_place(tenant, user) for user in users]
    places += [user_grant_place(tenant, service, user) for service, user in owned]
    places += [client_key(tenant, client) for client in clients]
    answers = yield from peeked(places)
    now = world.before.policy(world.call, answers, before, owned, clients)
    then = world.after.policy(world.call, answers, after, owned, clients)
    found: list[_Judged] = []
    for link in chosen:
        use = answers.get(last_use_place(tenant, link.id))
        address = None if use is None else use.address
        place = link_key(tenant, link.id)
        left = world.after.get(Answers({place.key: link}), place)
        was, _ = link_standing(now, link, address, world.before.at)
        gone: tuple[Standing, tuple[Reason, ...]] = ("ended", ())
        standing, reasons = gone if left is None else link_standing(then, left, address, world.after.at)
        found.append(_Judged(left or link, link_change(was, standing), standing, reasons))
    return found


def flows(world: World, place: Place) -> Steps[Batch]:
    """Ask of a batch of triggers whose flows the data policies judge otherwise, but of links that have ended."""
    if not world.flows.everything:
        return [], None
    after = prefix("w", *place[1].split("/")) if place[1] else b""
    page = yield from ask(List(Records(world.call.tenant.encode(), prefix("w"), after, _BATCH)))
    listed = [SUBSCRIPTION.decode(item.value)[0] for item in page.items if item.value is not None]
    stored = yield from _stored(world, {one.link: None for one in listed})
    alive = {one.link.id for one in (yield from _judged(world, stored)) if one.standing in _THERE}
    found: list[Found] = []
    for one in listed:
        was, reasons = flow_reasons(world.before.rules, one), flow_reasons(world.after.rules, one)
        if one.link in alive and bool(was) is not bool(reasons):
            item = AffectedFlow(link=one.link, subscription=one.id, reasons=reasons)
            found.append(Found("illegal" if reasons else "legal", "", item))
    return found, (0, "/".join(components(page.items[-1].key.path)[1:])) if page.more else None


SCANS: Final[dict[Scan, tuple[Part, ...]]] = {
    people: ("gained", "lost"),
    links: ("ended", "paused", "resumed", "unadmitted"),
    flows: ("illegal", "legal"),
}
