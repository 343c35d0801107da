"""Who may use a service and who does: looked for in pages, until somebody is found (S9).

Rules: records are looked at as they are at the moment and held to no snapshot, since a scan would hold all it met; the
first person whom the user gate lets in is enough, and so is the first link that lives and the first call that is seen.
Nobody is left out: only people whom no rule could let in are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, TypeVar

import attrs

from extlink.domain.access import Person, Policy
from extlink.domain.directory import CandidateQuery, Member
from extlink.domain.grant import Rules, UserGrantPolicy, UserRules
from extlink.domain.identifier import ClientId, LinkId, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.last_use import LastUse
from extlink.domain.link import Link
from extlink.domain.readiness_known import NOT_KNOWN, Known, usable_scopes, what_is_wrong
from extlink.domain.reason import Reason
from extlink.domain.tenant import UserState
from extlink.operation import Call, List, Lookup, Peek, Steps, Unanswered, Unremembered, ask, remembered
from extlink.ports import Records, components, prefix
from extlink.records import LINKS_OF, USER_GRANT, client_key, last_use_key, link_key, user_grant_key, user_key

__all__: list[str] = []

T = TypeVar("T")
# Two records are looked at for each person of a page, and 64 at once.
_PAGE: Final = 32
_PEOPLE: Final = 500
_MAX_CONNECTED: Final = 1_000
_NAME: Final = "access.readiness"


@attrs.frozen(kw_only=True)
class Found:
    """Who was found: somebody permitted, and everybody who was looked at for it."""

    policy: Policy
    permitted: UserId | None = None
    answered: bool = True


def permitted(call: Call, known: Known) -> Steps[Found]:
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


def _among_the_named(call: Call, known: Known) -> Steps[Found]:
    place, after, answered = prefix("g", known.service), b"", True
    while True:
        page = yield from ask(List(Records(call.tenant.encode(), place, after, _PAGE)))
        rules = {
            UserId(components(one.key.path)[-1]): USER_GRANT.decode(one.value)[0]
            for one in page.items
            if one.value is not None
        }
        open_now = tuple(user for user, said in rules.items() if said.granted.holds(known.at))
        members = remembered((yield from ask(Lookup.get(open_now))), _NAME) if open_now else ()
        if isinstance(members, Unanswered):
            answered = False
        else:
            found = yield from _first(call, known, members, rules)
            if found.permitted is not None:
                return found
        if not page.more:
            return Found(policy=known.policy, answered=answered)
        after = page.items[-1].key.path


def _named(call: Call, service: ServiceId, users: tuple[UserId, ...]) -> Steps[Mapping[UserId, UserRules]]:
    places = {user: user_grant_key(call.tenant, service, user) for user in users}
    answers = yield from ask(Peek(tuple(places.values())))
    found = {user: answers.get(place) for user, place in places.items()}
    return {user: rules for user, rules in found.items() if rules is not None}


def _first(call: Call, known: Known, members: Iterable[Member], rules: Mapping[UserId, UserRules]) -> Steps[Found]:
    """Return the first of some people whom the user gate lets use something."""
    policy = yield from _with(call, known.policy, known.service, {one.id: one for one in members}, rules)
    for user in policy.people:
        if usable_scopes(policy, known.service, user, known.at) is not None:
            return Found(policy=policy, permitted=user)
    return Found(policy=policy)


def _with(
    call: Call,
    policy: Policy,
    service: ServiceId,
    members: Mapping[UserId, Member | None],
    rules: Mapping[UserId, UserRules],
    silent: Unanswered | None = None,
) -> Steps[Policy]:
    """Return a policy that knows some people: as the directory does, unless it is silent, and as the host told."""
    if not members:
        return policy
    places = {user: user_key(call.tenant, user) for user in members}
    answers = yield from ask(Peek(tuple(places.values())))
    remember = not isinstance(silent, Unremembered)
    answer = silent is None or not remember
    people = {
        user: Person(one, answers.get(places[user]) or UserState(), answered=answer, remembered=remember)
        for user, one in members.items()
    }
    grants = attrs.evolve(policy.grants[service], users=dict(rules))
    return attrs.evolve(policy, people=people, grants={service: grants})


@attrs.frozen(kw_only=True)
class Seen:
    """What was seen of a service's links.

    Args:
        links: one that lives, if any does.
        use: the newest call over any of them.
        unseen: why it is not known that none lives: some were not looked at, or the directory failed.
    """

    policy: Policy
    links: tuple[Link, ...] = ()
    use: LastUse | None = None
    unseen: Reason | None = None

    @property
    def live_client(self) -> ClientId | None:
        """The client of the one that lives."""
        return self.links[0].client if self.links else None


def connected(call: Call, known: Known) -> Steps[Seen]:
    """Look at links until one lives and one has been used; whoever was found before stays known."""
    place, after, looked_at = prefix("x", known.service), b"", 0
    seen = Seen(policy=known.policy)
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
            if page.more and not seen.links:
                return attrs.evolve(seen, unseen=Reason("readiness.links_unseen", {"service": known.service}))
            return seen
        after = page.items[-1].key.path


def _more(call: Call, known: Known, held: Mapping[UserId, tuple[LinkId, ...]], seen: Seen) -> Steps[Seen]:
    """Look at the links of a page of users."""
    ids = tuple(one for each in held.values() for one in each)
    if not ids:
        return seen
    found = yield from ask(Lookup.get(tuple(held)))
    silent = found if isinstance(found, Unanswered) else None
    members: dict[UserId, Member | None] = dict.fromkeys(held)
    if not isinstance(found, Unanswered):
        members.update({one.id: one for one in found})
    rules = yield from _named(call, known.service, tuple(held))
    policy = yield from _with(call, known.policy, known.service, members, rules, silent)
    policy, links, use = yield from looked_at(call, policy, ids)
    newest = max((one for one in (seen.use, use) if one is not None), key=lambda one: one.at, default=None)
    wrong = [what_is_wrong(policy, link, known.at) for link in links]
    live = next((link for link, notes in zip(links, wrong, strict=True) if not notes), None)
    if live is None or live.owner is None or seen.links:
        doubts = (Reason(*notes[0]) for notes in wrong if notes and all(code in NOT_KNOWN for code, _ in notes))
        unseen = None if seen.links else seen.unseen or next(doubts, None)
        return attrs.evolve(seen, use=newest, unseen=unseen)
    owner = live.owner
    before = known.policy.grants[known.service]
    users = {**before.users, **{user: said for user, said in rules.items() if user == owner}}
    both = attrs.evolve(
        known.policy,
        people={owner: policy.people[owner], **known.policy.people},
        grants={known.service: attrs.evolve(before, users=users)},
    )
    return Seen(policy=both, links=(live,), use=newest)


def looked_at(
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
