"""The question whether a service works, and what is still to be done (S9, N3; TRACE T8): `access.readiness`.

It writes nothing. What a checklist rests on is read here and judged in `domain.checklist`. People and links are looked
at in pages, as they are at the moment, and only until somebody is found who is permitted, and somebody who is connected
and has called; no address is enumerated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, TypeVar

import attrs

from extlink import facts
from extlink.access_checks import Stated, stated
from extlink.domain.access import Person, Policy, link_notes
from extlink.domain.checklist import Known, checklist, usable_scopes
from extlink.domain.client_registration import ClientRegistration
from extlink.domain.datagroup import Question
from extlink.domain.directory import CandidateQuery, Member
from extlink.domain.grant import Rules, UserGrantPolicy, UserRules
from extlink.domain.identifier import ClientId, LinkId, ServiceId, UserId, parse_id, parse_items
from extlink.domain.instant import Instant
from extlink.domain.last_use import LastUse
from extlink.domain.link import Link
from extlink.domain.readiness import Readiness
from extlink.domain.readiness_network import Published
from extlink.domain.reason import Reason
from extlink.domain.service import Service
from extlink.domain.tenant import UserState
from extlink.errors import InvalidInput, Refused
from extlink.feeds.published import PublishedRanges
from extlink.feeds.requirements import need
from extlink.inputs import exactly
from extlink.operation import (
    ADMINISTRATORS_AND_HOST,
    Call,
    Commit,
    List,
    Lookup,
    Now,
    Operation,
    Peek,
    Steps,
    Unanswered,
    ask,
    operation,
)
from extlink.ports import Records, components, prefix
from extlink.records import (
    CLIENT,
    LINKS_OF,
    USER_GRANT,
    client_key,
    confirmations_key,
    last_use_key,
    link_key,
    links_of_key,
    user_grant_key,
    user_key,
)

__all__ = ["readiness"]

T = TypeVar("T")
# Two records are looked at for each person of a page, and 64 at once.
_PAGE: Final = 32
_PEOPLE: Final = 500
_MAX_CLIENTS: Final = 1_000
_MAX_CONNECTED: Final = 1_000
_MAX_FILES: Final = 100


@attrs.frozen(kw_only=True)
class _Ranges:
    """What the service calls from: published files and the requirement that says which of their lists count."""

    files: tuple[PublishedRanges, ...] | None
    requirement: str | None
    region: str | None


@attrs.frozen(kw_only=True)
class _Found:
    """Who was found: somebody permitted, and everybody who was looked at for it."""

    policy: Policy
    permitted: UserId | None = None
    answered: bool = True


@operation("access.readiness", by=ADMINISTRATORS_AND_HOST)
def _readiness(
    call: Call, *, service: ServiceId, definition: Service | None, user: UserId | None, ranges: _Ranges, flow: Stated
) -> Steps[Commit[Readiness]]:
    said = confirmations_key(call.tenant, service)
    mine = None if user is None else links_of_key(call.tenant, user, service)
    loaded = yield from facts.load(call, service, user, said, *(() if mine is None else (mine,)))
    at = yield from ask(Now())
    registered = loaded.policy.registry.services.get(service)
    known = Known(
        service=service,
        policy=loaded.policy,
        definition=definition if registered is None else registered.service,
        at=at,
        asked=user,
        flow=flow.connectors,
        confirmations=loaded.answers.get(said) or {},
    )
    known = attrs.evolve(known, published=_published(known, ranges), clients=(yield from _clients(call, service)))
    if user is not None and mine is not None:
        ids = loaded.answers.get(mine) or ()
        known = yield from _for_one(call, known, user, ids)
    else:
        known = yield from _for_anybody(call, known)
    return Commit(checklist(known))


def _published(known: Known, ranges: _Ranges) -> Published:
    """Return what is known of the addresses that the service calls from.

    Raises:
        Refused: `network.no_requirement`.
    """
    definition = known.definition
    if ranges.files is None or definition is None:
        pin = known.policy.pins.get(known.service)
        return Published() if pin is None or ranges.files is not None else Published(rows=pin.rows)
    name = ranges.requirement
    found = next(iter(definition.requirements), None) if name is None else definition.requirement(name)
    if found is None:
        ids = ", ".join(one.id for one in definition.requirements)
        params = {"service": known.service, "requirement": name or "", "known": ids}
        raise Refused(Reason("network.no_requirement", params))
    needed = need(found, ranges.files, region=ranges.region)
    return Published(rows=needed.rows, requirement=found.id, missing=needed.missing)


def _clients(call: Call, service: ServiceId) -> Steps[tuple[ClientRegistration, ...]]:
    page = yield from ask(List(Records(call.tenant.encode(), prefix("c"), limit=_MAX_CLIENTS)))
    records = (CLIENT.decode(one.value)[0] for one in page.items if one.value is not None)
    found = (record.registration for record in records)
    return tuple(client for client in found if client is not None and client.profile.service == service)


def _for_one(call: Call, known: Known, user: UserId, ids: tuple[LinkId, ...]) -> Steps[Known]:
    policy, links, use = yield from _looked_at(call, known.policy, ids)
    permitted = user if usable_scopes(policy, known.service, user, known.at) is not None else None
    seen = yield from _connected(call, attrs.evolve(known, policy=policy))
    return attrs.evolve(
        known, policy=policy, permitted=permitted, links=links, last_call=use, live_client=seen.live_client
    )


def _for_anybody(call: Call, known: Known) -> Steps[Known]:
    found = yield from _permitted(call, known)
    known = attrs.evolve(known, policy=found.policy, permitted=found.permitted, answered=found.answered)
    seen = yield from _connected(call, known)
    return attrs.evolve(
        known,
        policy=seen.policy,
        links=seen.links,
        last_call=seen.use,
        live_client=seen.live_client,
        unseen=seen.unseen,
    )


def _permitted(call: Call, known: Known) -> Steps[_Found]:
    """Look for somebody whom the user gate lets in: first those named, then, if many are granted it, everybody."""
    found = yield from _among_the_named(call, known)
    grants = known.policy.grants[known.service]
    if found.permitted is not None or not _opens(grants.granted, known.at):
        return found
    after: str | None = None
    while True:
        page = yield from ask(Lookup.page(CandidateQuery(), after, _PEOPLE))
        if isinstance(page, Unanswered):
            return attrs.evolve(found, answered=False)
        for members in _parts(tuple(one for one in page.members if _may_be(grants, one, known.at))):
            rules = yield from _named(call, known.service, tuple(member.id for member in members))
            tried = yield from _first(call, known, members, rules)
            if tried.permitted is not None:
                return tried
        if page.next is None:
            return found
        after = page.next


def _may_be(grants: UserGrantPolicy, member: Member, at: Instant) -> bool:
    """Whether a rule for many could let a person in: of all others no record is worth a look."""
    return (
        member.status == "active"
        and grants.granted.holder(member, at) is not None
        and grants.excluded.holder(member, at) is None
    )


def _opens(rules: Rules, at: Instant) -> bool:
    """Whether a rule for many is open now: without any, only people who are named can be permitted."""
    many = (*rules.organizations.values(), *rules.groups.values(), rules.everyone)
    return any(rule.holds(at) for rule in many)


def _among_the_named(call: Call, known: Known) -> Steps[_Found]:
    place, after, answered = prefix("g", known.service), b"", True
    while True:
        page = yield from ask(List(Records(call.tenant.encode(), place, after, _PAGE)))
        rules = {
            UserId(components(one.key.path)[-1]): USER_GRANT.decode(one.value)[0]
            for one in page.items
            if one.value is not None
        }
        open_now = tuple(user for user, said in rules.items() if said.granted.holds(known.at))
        members = (yield from ask(Lookup.get(open_now))) if open_now else ()
        if isinstance(members, Unanswered):
            answered = False
        else:
            found = yield from _first(call, known, members, rules)
            if found.permitted is not None:
                return found
        if not page.more:
            return _Found(policy=known.policy, answered=answered)
        after = page.items[-1].key.path


def _named(call: Call, service: ServiceId, users: tuple[UserId, ...]) -> Steps[Mapping[UserId, UserRules]]:
    places = {user: user_grant_key(call.tenant, service, user) for user in users}
    answers = yield from ask(Peek(tuple(places.values())))
    found = {user: answers.get(place) for user, place in places.items()}
    return {user: rules for user, rules in found.items() if rules is not None}


def _first(call: Call, known: Known, members: Iterable[Member], rules: Mapping[UserId, UserRules]) -> Steps[_Found]:
    """Return the first of some people whom the user gate lets use something."""
    policy = yield from _with(call, known.policy, known.service, {one.id: one for one in members}, rules)
    for user in policy.people:
        if usable_scopes(policy, known.service, user, known.at) is not None:
            return _Found(policy=policy, permitted=user)
    return _Found(policy=policy)


def _with(
    call: Call,
    policy: Policy,
    service: ServiceId,
    members: Mapping[UserId, Member | None],
    rules: Mapping[UserId, UserRules],
) -> Steps[Policy]:
    """Return a policy that knows some people: as the directory does, and as the host told."""
    if not members:
        return policy
    places = {user: user_key(call.tenant, user) for user in members}
    answers = yield from ask(Peek(tuple(places.values())))
    people = {user: Person(one, answers.get(places[user]) or UserState()) for user, one in members.items()}
    grants = attrs.evolve(policy.grants[service], users=dict(rules))
    return attrs.evolve(policy, people=people, grants={service: grants})


@attrs.frozen(kw_only=True)
class _Seen:
    """What was seen of a service's links.

    Args:
        links: one that lives, if any does.
        use: the newest call over any of them.
        unseen: whether none lives, and some were not looked at.
    """

    policy: Policy
    links: tuple[Link, ...] = ()
    use: LastUse | None = None
    unseen: bool = False

    @property
    def live_client(self) -> ClientId | None:
        """The client of the one that lives."""
        return self.links[0].client if self.links else None


def _connected(call: Call, known: Known) -> Steps[_Seen]:
    """Look at links until one lives and one has been used; whoever was found before stays known."""
    place, after, looked_at = prefix("x", known.service), b"", 0
    seen = _Seen(policy=known.policy)
    while True:
        page = yield from ask(List(Records(call.tenant.encode(), place, after, _PAGE)))
        held = {
            UserId(components(one.key.path)[-1]): LINKS_OF.decode(one.value)[0]
            for one in page.items
            if one.value is not None
        }
        seen = yield from _more(call, known, held, seen)
        looked_at += len(page.items)
        if not page.more or (seen.links and seen.use is not None) or looked_at >= _MAX_CONNECTED:
            return attrs.evolve(seen, unseen=page.more and not seen.links)
        after = page.items[-1].key.path


def _more(call: Call, known: Known, held: Mapping[UserId, tuple[LinkId, ...]], seen: _Seen) -> Steps[_Seen]:
    """Look at the links of a page of users."""
    ids = tuple(one for each in held.values() for one in each)
    if not ids:
        return seen
    found = yield from ask(Lookup.get(tuple(held)))
    # Where the directory fails, the link gate judges by what it knows without it, as it does at a call.
    members: dict[UserId, Member | None] = dict.fromkeys(held)
    if not isinstance(found, Unanswered):
        members.update({one.id: one for one in found})
    rules = yield from _named(call, known.service, tuple(held))
    policy = yield from _with(call, known.policy, known.service, members, rules)
    policy, links, use = yield from _looked_at(call, policy, ids)
    newest = max((one for one in (seen.use, use) if one is not None), key=lambda one: one.at, default=None)
    live = next((link for link in links if not link_notes(policy, link, known.at)), None)
    if live is None or live.owner is None or seen.links:
        return attrs.evolve(seen, use=newest)
    owner = live.owner
    before = known.policy.grants[known.service]
    users = {**before.users, **{user: said for user, said in rules.items() if user == owner}}
    both = attrs.evolve(
        known.policy,
        people={**known.policy.people, owner: policy.people[owner]},
        grants={known.service: attrs.evolve(before, users=users)},
    )
    return _Seen(policy=both, links=(live,), use=newest)


def _looked_at(
    call: Call, policy: Policy, ids: tuple[LinkId, ...]
) -> Steps[tuple[Policy, tuple[Link, ...], LastUse | None]]:
    """Return some links, a policy that knows which of their clients were removed, and the newest call over any."""
    links: list[Link] = []
    uses: list[LastUse] = []
    for some in _parts(ids):
        places, noted = [link_key(call.tenant, one) for one in some], [last_use_key(call.tenant, one) for one in some]
        answers = yield from ask(Peek((*places, *noted)))
        links.extend(link for place in places if (link := answers.get(place)) is not None)
        uses.extend(use for place in noted if (use := answers.get(place)) is not None)
    removed: set[ClientId] = set()
    for part in _parts(tuple(sorted({link.client for link in links}))):
        clients = {one: client_key(call.tenant, one) for one in part}
        answers = yield from ask(Peek(tuple(clients.values())))
        records = {one: answers.get(place) for one, place in clients.items()}
        removed.update(one for one, record in records.items() if record is not None and record.registration is None)
    policy = attrs.evolve(policy, removed_clients=policy.removed_clients | removed)
    return policy, tuple(links), max(uses, key=lambda use: use.at, default=None)


def _parts(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    left = iter(items)
    while part := tuple(islice(left, _PAGE)):
        yield part


def readiness(
    service: str | Service,
    user: str | None = None,
    ranges: Iterable[PublishedRanges] | None = None,
    *,
    requirement: str | None = None,
    region: str | None = None,
    connectors: Question | None = None,
) -> Operation[Readiness]:
    """Say what still has to be done before a service works, in order: STEP 1, STEP 2 and everything between.

    Source: S9, N3, page A, TRACE T8. The items of the gates are green if and only if a permitted user would be let in
    from every published address that the edition's list can express (law 8); without data they are unknown. Steps
    outside are confirmed by somebody (`services.confirm`), seen, or unknown. Writes nothing. Needs
    `common_administrator` or `host`.

    Args:
        service: its id, or a definition of it that is still to be registered.
        user: whom the checklist is for; None: anybody who is permitted.
        ranges: published files that were read (`feeds`), as `networks.coverage` takes them; None: the ranges to which
            the service is pinned, if it is.
        requirement: one of the service's; None: its first, which is what the vendor asks for today.
        region: one of the requirement's, such as `japan`; None: the lists for the whole cloud.
        connectors: all connectors of the flow that shall run; None: the service's own alone.

    Raises:
        InvalidInput: malformed arguments; a requirement or a region without files.
        Refused: when run: `tenant.not_open`, `network.no_requirement`.

    >>> readiness("power-automate", user="sato").name
    'access.readiness'
    """
    definition = service if type(service) is Service else None
    files = None if ranges is None else tuple(exactly(one, PublishedRanges, "ranges") for one in _items(ranges))
    if files is None and (requirement is not None or region is not None):
        raise InvalidInput("ranges", "expected the published files that the requirement is looked up in, got none")
    return _readiness(
        service=ServiceId(parse_id(service, "service")) if definition is None else definition.id,
        definition=definition,
        user=None if user is None else UserId(parse_id(user, "user")),
        ranges=_Ranges(
            files=files,
            requirement=None if requirement is None else parse_id(requirement, "requirement"),
            region=None if region is None else parse_id(region, "region"),
        ),
        flow=stated(connectors, None, None),
    )


def _items(ranges: Iterable[object]) -> tuple[object, ...]:
    items = tuple(parse_items(ranges, "ranges"))
    if len(items) > _MAX_FILES:
        raise InvalidInput("ranges", f"expected at most {_MAX_FILES} files, got {len(items)}")
    return items
