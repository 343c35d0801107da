"""Operations on grants: for whom an administrator opened a service (S3, F2; TRACE T6, T7, T14).

Every edit of a service's grants gets the next edit number, kept in one head record that every edit writes: two
administrators cannot overwrite each other, and a link knows which edits came after it. Saving is a difference: who was
not shown is not touched.

allow, withdraw, exclude, include, edit, organization_removed      edits
ask, approve, decline, requests                                   requests for access (F3)
show, candidates                                                  what a page shows
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, cast

import attrs

from extlink.domain.directory import CandidateQuery, Member
from extlink.domain.event import Detail, Event
from extlink.domain.existing import parse_choice
from extlink.domain.grant import Existing, Reach, Rule, Rules, UserGrantPolicy
from extlink.domain.grant_request import GrantRequest
from extlink.domain.identifier import OrganizationId, Scope, ServiceId, UserId, parse_id, parse_ids
from extlink.domain.instant import Instant, parse_instant
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput, Refused
from extlink.grant_edits import (
    MAX_USERS,
    Part,
    Saved,
    Subjects,
    apply,
    begin,
    closing,
    excluding,
    inheriting,
    known_subjects,
    memberships,
    opening,
    parse_service,
    parse_subjects,
    ticking,
)
from extlink.grant_requests import RequestPage, approve, ask, decline, requests
from extlink.inputs import flag, one_of, text, whole
from extlink.operation import (
    ADMINISTRATORS,
    ADMINISTRATORS_AND_HOST,
    Call,
    Commit,
    Lookup,
    Operation,
    Steps,
    Unanswered,
    ask as answer,
    operation,
)

__all__ = [
    "Candidate",
    "CandidatePage",
    "GrantRequest",
    "GrantState",
    "RequestPage",
    "Saved",
    "allow",
    "approve",
    "ask",
    "candidates",
    "decline",
    "edit",
    "exclude",
    "include",
    "organization_removed",
    "requests",
    "show",
    "withdraw",
]

_MAX_PAGE: Final = 50


@attrs.frozen(kw_only=True)
class GrantState:
    """A service's grants to many, as an administrator's page shows them.

    Args:
        version: the edit number; hand it to `edit`.
        granted, excluded: rules for organizations, groups and everyone.
    """

    version: int
    granted: Rules
    excluded: Rules


@attrs.frozen(kw_only=True)
class Candidate:
    """One row of the page on which an administrator ticks users (page A, STEP 1, item 4).

    Args:
        ticked: whether the person is granted by name; a grant whose end date is reached is no tick.
        ceiling: the only operations that the tick reaches; None: all of them.
        why: the grant that lets the person in today, by whatever path; None if none does.
        tickable: False for suspended people, whose tick cannot be set anew but stays if it is there (TRACE T7).
    """

    member: Member
    ticked: bool
    why: Reason | None
    tickable: bool
    ceiling: frozenset[Scope] | None = None


@attrs.frozen(kw_only=True)
class CandidatePage:
    """A bounded page of candidates; `next` is the cursor of the following page or None."""

    candidates: tuple[Candidate, ...]
    next: str | None
    version: int


@operation("grants.allow", by=ADMINISTRATORS, records=("grant.changed",))
def _allow(
    call: Call, *, service: ServiceId, subjects: Subjects, reach: Reach, until: Instant | None, existing: Existing
) -> Steps[Commit[Saved]]:
    plan = yield from begin(call, service, subjects.users)
    yield from known_subjects(subjects)
    added = subjects.details()
    details: Mapping[str, Detail] = {"added": added, "reach": reach, "until": until, "existing": existing}
    return apply(call, service, plan, (Part("granted", subjects, opening(until, reach, existing)),), details)


def allow(
    service: str,
    *,
    users: Iterable[str] = (),
    organizations: Iterable[str] = (),
    groups: Iterable[str] = (),
    everyone: bool = False,
    scope: Literal["direct", "subtree"] = "direct",
    until: datetime | None = None,
    existing: Literal["revoke", "suspend", "keep"] = "revoke",
) -> Operation[Saved]:
    """Let users use a service: by name, by organization, by group, or everyone; people hired later are included.

    Source: S3, F2, TRACE T6. Nobody else is touched. Needs `common_administrator`.

    Args:
        users, organizations, groups: immutable ids of the host's directory; at most 300 users in one save. Users who
            were granted some operations alone (`approve`) are granted all of them.
        everyone: all people of the directory; a grant one must choose.
        scope: for organizations: only their own people (`direct`) or those of sub-organizations too (`subtree`).
        until: an aware instant from which the grant is over; links are refused from then on, and none ends by it.
        existing: what happens to links of those whom an organization's grant reached so far and, with a narrower
            `scope`, reaches no longer; as in `withdraw`.

    Raises:
        InvalidInput: malformed ids, nobody named.
        Refused: `save.too_large`; when run: `service.unknown`, `subject.unknown`, `directory.unavailable`.

    >>> allow("slack", users=["sato"]).name
    'grants.allow'
    """
    return _allow(
        service=parse_service(service),
        subjects=parse_subjects(users, organizations, groups, everyone=everyone),
        reach=cast("Reach", one_of(scope, ("direct", "subtree"), "scope")),
        until=None if until is None else parse_instant(until, "until"),
        existing=parse_choice("grants.allow", existing),
    )


@operation("grants.withdraw", by=ADMINISTRATORS, records=("grant.changed",))
def _withdraw(call: Call, *, service: ServiceId, subjects: Subjects, existing: Existing) -> Steps[Commit[Saved]]:
    plan = yield from begin(call, service, subjects.users)
    losing = yield from memberships(subjects.users if existing == "revoke" else ())
    details: Mapping[str, Detail] = {"removed": subjects.details(), "existing": existing}
    return apply(call, service, plan, (Part("granted", subjects, closing(existing)),), details, losing)


def withdraw(
    service: str,
    *,
    users: Iterable[str] = (),
    organizations: Iterable[str] = (),
    groups: Iterable[str] = (),
    everyone: bool = False,
    existing: Literal["revoke", "suspend", "keep"] = "revoke",
) -> Operation[Saved]:
    """Take grants away from the subjects they were given to.

    Source: MISSION's four verbs, DESIGN 5. Needs `common_administrator`.

    Args:
        existing: what happens to links of those who are left without any grant: `revoke` ends them for good, also if
            the
            grant is given again; `suspend`: refused until then; `keep`: links made under the grant go on, new ones are
            refused.

    Raises when run:
        Refused: `service.unknown`.

    >>> withdraw("slack", users=["sato"]).name
    'grants.withdraw'
    """
    return _withdraw(
        service=parse_service(service),
        subjects=parse_subjects(users, organizations, groups, everyone=everyone),
        existing=parse_choice("grants.withdraw", existing),
    )


@operation("grants.exclude", by=ADMINISTRATORS, records=("grant.changed",))
def _exclude(
    call: Call, *, service: ServiceId, subjects: Subjects, reach: Reach, existing: Existing
) -> Steps[Commit[Saved]]:
    plan = yield from begin(call, service, subjects.users)
    yield from known_subjects(subjects)
    details: Mapping[str, Detail] = {"excluded": subjects.details(), "reach": reach, "existing": existing}
    return apply(call, service, plan, (Part("excluded", subjects, excluding(reach, existing)),), details)


def exclude(
    service: str,
    *,
    users: Iterable[str] = (),
    organizations: Iterable[str] = (),
    groups: Iterable[str] = (),
    scope: Literal["direct", "subtree"] = "subtree",
    existing: Literal["revoke", "suspend", "keep"] = "revoke",
) -> Operation[Saved]:
    """Refuse a service to subjects whatever grants they have, now or later (law 1: deny overrides).

    Args:
        scope: for organizations: with their sub-organizations unless said otherwise, the opposite of `allow`.
        existing: as in `withdraw`.

    Raises when run:
        Refused: `service.unknown`, `subject.unknown`, `directory.unavailable`.

    >>> exclude("slack", users=["suzuki"]).name
    'grants.exclude'
    """
    return _exclude(
        service=parse_service(service),
        subjects=parse_subjects(users, organizations, groups),
        reach=cast("Reach", one_of(scope, ("direct", "subtree"), "scope")),
        existing=parse_choice("grants.exclude", existing),
    )


@operation("grants.include", by=ADMINISTRATORS, records=("grant.changed",))
def _include(call: Call, *, service: ServiceId, subjects: Subjects) -> Steps[Commit[Saved]]:
    plan = yield from begin(call, service, subjects.users)
    parts = (Part("excluded", subjects, closing(None)),)
    return apply(call, service, plan, parts, {"included": subjects.details()})


def include(
    service: str, *, users: Iterable[str] = (), organizations: Iterable[str] = (), groups: Iterable[str] = ()
) -> Operation[Saved]:
    """Lift exclusions; who has a grant may use the service again, links that an exclusion ended stay ended.

    Raises when run:
        Refused: `service.unknown`.

    >>> include("slack", users=["suzuki"]).name
    'grants.include'
    """
    return _include(service=parse_service(service), subjects=parse_subjects(users, organizations, groups))


@operation("grants.edit", by=ADMINISTRATORS, records=("grant.changed",))
def _edit(
    call: Call,
    *,
    service: ServiceId,
    version: int,
    add: tuple[UserId, ...],
    remove: tuple[UserId, ...],
    existing: Existing,
) -> Steps[Commit[Saved]]:
    plan = yield from begin(call, service, tuple(sorted({*add, *remove})))
    if plan.edit - 1 != version:
        raise Refused(Reason("version.stale", {"what": f"grants:{service}"}))
    added, removed = Subjects(add), Subjects(remove)
    yield from known_subjects(added)
    parts = (Part("granted", added, ticking), Part("granted", removed, closing(existing)))
    losing = yield from memberships(remove if existing == "revoke" else ())
    details = {"added": added.details(), "removed": removed.details(), "existing": existing}
    return apply(call, service, plan, parts, details, losing)


def edit(
    service: str,
    *,
    version: int,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    existing: Literal["revoke", "suspend", "keep"] = "revoke",
) -> Operation[Saved]:
    """Save ticks as a difference against the version that was shown (page A, STEP 1, items 4 and 5).

    Users who are in neither list are not touched, so a save made under a filter drops nobody; a save against a
    version that is no longer the present one is refused, so two administrators cannot overwrite each other.

    Args:
        version: from `candidates`, `show` or the last save.
        add, remove: users newly ticked and unticked; together at most 300.
        existing: as in `withdraw`.

    Raises:
        InvalidInput: malformed ids, or a user in both lists.
        Refused: `save.too_large`; when run: `version.stale`, `service.unknown`, `subject.unknown`.

    >>> edit("slack", version=0, add=["sato"]).name
    'grants.edit'
    """
    added = tuple(UserId(user) for user in parse_ids(add, "add"))
    removed = tuple(UserId(user) for user in parse_ids(remove, "remove"))
    both = set(added) & set(removed)
    if both:
        raise InvalidInput("remove", f"expected nobody to be added and removed at once, got {ascii(min(both))[:64]}")
    if len(added) + len(removed) > MAX_USERS:
        raise Refused(
            Reason("save.too_large", {"count": str(len(added) + len(removed)), "limit": str(MAX_USERS)}),
        )
    return _edit(
        service=parse_service(service),
        version=whole(version, "version", 0, 2**53),
        add=added,
        remove=removed,
        existing=parse_choice("grants.edit", existing),
    )


@operation(
    "grants.organization_removed", by=ADMINISTRATORS_AND_HOST, records=("grant.changed", "grant.subject_vanished")
)
def _organization_removed(
    call: Call, *, service: ServiceId, organization: OrganizationId, former: tuple[UserId, ...], existing: Existing
) -> Steps[Commit[Saved]]:
    plan = yield from begin(call, service, former)
    exclusion = plan.excluded.organizations.get(organization, Rule()).open
    parts = [Part("granted", Subjects(organizations=(organization,)), closing(existing))]
    details: dict[str, Detail] = {"service": service, "organization": organization, "existing": existing}
    if exclusion is not None:
        parts.append(Part("excluded", Subjects(former), inheriting(exclusion)))
        details["excluded_by_name"] = former
    holding = plan.granted.organizations.get(organization, Rule()).open is not None
    losing = yield from memberships(former if holding and existing == "revoke" else (), without=organization)
    saved = apply(call, service, plan, tuple(parts), details, losing)
    if not saved.changes:
        return saved
    return attrs.evolve(saved, events=(*saved.events, Event("grant.subject_vanished", details)))


def organization_removed(
    service: str,
    organization: str,
    *,
    former_members: Iterable[str],
    existing: Literal["revoke", "suspend"] = "revoke",
) -> Operation[Saved]:
    """Tell a service's grants that an organization is about to be deleted.

    Source: TRACE T7. A grant to it lapses; an exclusion of it goes over to its former members by name and stays in
    force until an administrator lifts it: deleting an organization never widens. Needs `common_administrator` or
    `host`.

    Args:
        former_members: everybody in it and its sub-organizations, at most 300; ask the directory before it forgets.
            Sub-organizations go with it: tell of each of them too, of more people in several calls.
        existing: what happens to links of those who are left without any grant: `revoke` ends them for good;
            `suspend`: refused until another grant is given.

    Raises:
        Refused: `save.too_large`; when run: `service.unknown`.

    >>> organization_removed("slack", "sales", former_members=["sato"]).name
    'grants.organization_removed'
    """
    former = tuple(UserId(user) for user in parse_ids(former_members, "former_members"))
    if len(former) > MAX_USERS:
        raise Refused(Reason("save.too_large", {"count": str(len(former)), "limit": str(MAX_USERS)}))
    gone = OrganizationId(parse_id(organization, "organization"))
    return _organization_removed(
        service=parse_service(service),
        organization=gone,
        former=former,
        existing=parse_choice("grants.organization_removed", existing),
    )


@operation("grants.show", by=ADMINISTRATORS)
def _show(call: Call, *, service: ServiceId) -> Steps[Commit[GrantState]]:
    plan = yield from begin(call, service, ())
    return Commit(GrantState(version=plan.edit - 1, granted=plan.granted, excluded=plan.excluded))


def show(service: str) -> Operation[GrantState]:
    """Return a service's grants to organizations, groups and everyone, with the version that `edit` wants.

    Raises when run:
        Refused: `service.unknown`.

    >>> show("slack")
    grants.show(service='slack')
    """
    return _show(service=parse_service(service))


@operation("grants.candidates", by=ADMINISTRATORS)
def _candidates(
    call: Call, *, service: ServiceId, query: CandidateQuery, after: str | None, limit: int
) -> Steps[Commit[CandidatePage]]:
    page = yield from answer(Lookup.page(query, after, limit))
    if isinstance(page, Unanswered):
        raise Refused(Reason("directory.unavailable"))
    members = tuple(page.members[:limit])
    plan = yield from begin(call, service, tuple(member.id for member in members))
    policy = UserGrantPolicy(service, plan.named, plan.granted, plan.excluded)
    rows: list[Candidate] = []
    for member in members:
        standing = policy.standing(member.id, member, plan.at)
        rule = plan.named[member.id].granted
        ticked = rule.holds(plan.at)
        rows.append(
            Candidate(
                member=member,
                ticked=ticked,
                why=Reason(*standing.note) if standing.granted else None,
                tickable=member.status == "active",
                ceiling=rule.open.scopes if ticked and rule.open is not None else None,
            ),
        )
    return Commit(CandidatePage(candidates=tuple(rows), next=page.next, version=plan.edit - 1))


def candidates(
    service: str,
    *,
    search: str = "",
    organization: str | None = None,
    scope: Literal["direct", "subtree"] = "subtree",
    without_organization: bool = False,
    after: str | None = None,
    limit: int = 20,
) -> Operation[CandidatePage]:
    """List users for an administrator to tick, in pages, filtered by organization and searched (S3, TRACE T7).

    Order: display priority, then creation; each user once; suspended ones are shown and cannot be ticked anew.

    Args:
        search: text looked for in all names, folding case, kana kind, width and accents.
        organization: only its people; `scope` says whether sub-organizations count.
        without_organization: only people in no organization.
        after: the cursor of the page before.
        limit: 1 to 50.

    Raises:
        InvalidInput: malformed arguments.
        Refused: when run: `service.unknown`, `directory.unavailable`.

    >>> candidates("slack", search="sato").name
    'grants.candidates'
    """
    query = CandidateQuery(
        search=text(search, "search", 255),
        organization=None if organization is None else OrganizationId(parse_id(organization, "organization")),
        scope=cast("Reach", one_of(scope, ("direct", "subtree"), "scope")),
        without_organization=flag(without_organization, "without_organization"),
    )
    if query.organization is not None and query.without_organization:
        raise InvalidInput("without_organization", "expected False beside an organization; ask for one of them")
    cursor = None if after is None else text(after, "after", 1_024)
    return _candidates(
        service=parse_service(service), query=query, after=cursor, limit=whole(limit, "limit", 1, _MAX_PAGE)
    )
