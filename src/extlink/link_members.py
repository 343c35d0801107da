"""The links of an organization's people: who uses what, and the end of it all (F7; TRACE T7).

Who is in an organization is the directory's word of this moment: a page of people is asked for, and what is done for
them is one commit. A cursor leads to the next page, so an organization of any size costs bounded commits, and whoever
was interrupted goes on where they stopped - or begins anew: ending twice changes nothing.
"""

from __future__ import annotations

from typing import Final, cast

import attrs

from extlink import facts
from extlink.domain.directory import CandidateQuery, DirectoryPage, Member
from extlink.domain.event import Detail, Event
from extlink.domain.grant import Reach
from extlink.domain.identifier import OrganizationId, ServiceId, UserId, parse_id
from extlink.domain.reason import Reason
from extlink.domain.tenant import UserState
from extlink.errors import Refused
from extlink.grant_edits import Subjects, known_subjects
from extlink.inputs import one_of, text, whole
from extlink.link_ends import revoking_pair
from extlink.link_views import ServiceUse, use_of
from extlink.operation import (
    ADMINISTRATORS_AND_HOST,
    Call,
    Change,
    Commit,
    List,
    Lookup,
    Operation,
    Steps,
    Unanswered,
    ask,
    operation,
    put,
    read,
)
from extlink.ports import Records, components, prefix
from extlink.records import service_key, tenant_key, user_key
from extlink.services import MAX_SERVICES

__all__ = ["MemberPage", "MemberUses", "MembersRevoked", "members_of", "revoke_members_of"]

_MAX_CURSOR: Final = 1_024
# Of each person at most 20 links to a service end, and two lists of them change: below the 1,000 writes of a commit.
_MAX_PAGE: Final = 40


@attrs.frozen(kw_only=True)
class MemberUses:
    """One person of an organization, with the services to which there are links."""

    user: UserId
    uses: tuple[ServiceUse, ...]


@attrs.frozen(kw_only=True)
class MemberPage:
    """A bounded page of an organization's people who have links; `next` is the cursor of the following page or None."""

    members: tuple[MemberUses, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class MembersRevoked:
    """What one commit of a bulk revocation came to.

    Args:
        users: whose links have ended with it.
        next: the cursor to go on with; None: everybody has been reached.
    """

    users: tuple[UserId, ...]
    next: str | None


def _people(
    call: Call, query: CandidateQuery, after: str | None, limit: int
) -> Steps[tuple[tuple[Member, ...], str | None]]:
    """Return a page of an organization's people.

    Raises:
        Refused: `tenant.not_open`, `subject.unknown`, `directory.unavailable`.
    """
    facts.opened((yield from read(tenant_key(call.tenant))), call.tenant)
    yield from known_subjects(Subjects(organizations=() if query.organization is None else (query.organization,)))
    page: DirectoryPage | Unanswered = yield from ask(Lookup.page(query, after, limit))
    if isinstance(page, Unanswered):
        raise Refused(Reason("directory.unavailable"))
    return tuple(page.members[:limit]), page.next


@operation("links.members_of", by=ADMINISTRATORS_AND_HOST)
def _members_of(call: Call, *, query: CandidateQuery, after: str | None, limit: int) -> Steps[Commit[MemberPage]]:
    people, following = yield from _people(call, query, after, limit)
    found: list[MemberUses] = []
    for member in people:
        page = yield from ask(List(Records(call.tenant.encode(), prefix("o", member.id), limit=MAX_SERVICES)))
        uses: list[ServiceUse] = []
        for item in page.items:
            place = service_key(call.tenant, ServiceId(components(item.key.path)[-1]))
            known = (yield from read(place)).get(place)
            use = None if known is None else (yield from use_of(call, known, member.id))
            if use is not None and use.links:
                uses.append(use)
        if uses:
            found.append(MemberUses(user=member.id, uses=tuple(uses)))
    return Commit(MemberPage(members=tuple(found), next=following))


def members_of(
    organization: str, *, scope: Reach = "subtree", after: str | None = None, limit: int = 20
) -> Operation[MemberPage]:
    """List the people of an organization who have links, with their services, in pages; what the product itself lacks.

    Source: F7. In the directory's order. Needs `common_administrator` or `host`. A page may hold fewer people than
    `limit`, even none, and still have a next one.

    Args:
        scope: its own people (`direct`), or those of its sub-organizations too.
        after: the cursor of the page before.
        limit: 1 to 40.

    Raises when run:
        Refused: `subject.unknown`, `directory.unavailable`, `tenant.not_open`.

    >>> members_of("sales").name
    'links.members_of'
    """
    return _members_of(
        query=_query(organization, scope), after=_cursor(after), limit=whole(limit, "limit", 1, _MAX_PAGE)
    )


def _query(organization: object, scope: object) -> CandidateQuery:
    return CandidateQuery(
        organization=OrganizationId(parse_id(organization, "organization")),
        scope=cast("Reach", one_of(scope, ("direct", "subtree"), "scope")),
    )


def _cursor(after: object) -> str | None:
    return None if after is None else text(after, "after", _MAX_CURSOR)


@operation("links.revoke_members_of", by=ADMINISTRATORS_AND_HOST, records=("link.revoked_by_administrator",))
def _revoke_members_of(
    call: Call, *, query: CandidateQuery, service: ServiceId | None, after: str | None, limit: int
) -> Steps[Commit[MembersRevoked]]:
    people, following = yield from _people(call, query, after, limit)
    if service is not None:
        place = service_key(call.tenant, service)
        facts.registered((yield from read(place)), call.tenant, service)
    changes: list[Change] = []
    events: list[Event] = []
    users: list[UserId] = []
    for member in people:
        details: dict[str, Detail] = {"user": member.id, "service": service, "link": None}
        event = Event("link.revoked_by_administrator", {**details, "organization": query.organization})
        if service is None:
            mine = user_key(call.tenant, member.id)
            state = (yield from read(mine)).get(mine) or UserState()
            ended: Commit[None] = Commit(None, (put(mine, attrs.evolve(state, epoch=state.epoch + 1)),), (event,))
        else:
            ended = yield from revoking_pair(call, member.id, service, event)
        changes.extend(ended.changes)
        events.extend(ended.events)
        users.extend([member.id] if ended.events else [])
    return Commit(MembersRevoked(users=tuple(users), next=following), tuple(changes), tuple(events))


def revoke_members_of(
    organization: str,
    *,
    service: str | None = None,
    scope: Reach = "subtree",
    after: str | None = None,
    limit: int = 20,
) -> Operation[MembersRevoked]:
    """End the links of an organization's people for good, a page of people in each commit; run it until `next` is None.

    Source: F7, F8. Needs `common_administrator` or `host`. Everything of a person ends by one record, of whom the
    ledger gets one entry; it is written for everybody on the page, since a list of who has links would be a moment old.
    Nobody is refused afterwards: take the grant away as well (`grants.withdraw`).

    Args:
        service: only links to this service; None: to every service.
        scope: its own people (`direct`), or those of its sub-organizations too.
        after: the cursor that the commit before returned.
        limit: 1 to 40 people a commit, so at most 800 links.

    Raises when run:
        Refused: `subject.unknown`, `service.unknown`, `directory.unavailable`, `tenant.not_open`.

    >>> revoke_members_of("sales", service="slack").name
    'links.revoke_members_of'
    """
    return _revoke_members_of(
        query=_query(organization, scope),
        service=None if service is None else ServiceId(parse_id(service, "service")),
        after=_cursor(after),
        limit=whole(limit, "limit", 1, _MAX_PAGE),
    )
