"""How an edit of a service's grants is made: read, changed rule by rule, written with its head (DESIGN 5).

Every edit gets the next edit number, kept in one head record that every edit writes: two administrators cannot
overwrite each other, and a link knows which edits came after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeVar

import attrs

from extlink import facts
from extlink.domain.directory import Member
from extlink.domain.event import Detail, Event
from extlink.domain.grant import Existing, Reach, Rule, Rules, Tenure, UserGrantPolicy, UserRules
from extlink.domain.identifier import GroupId, OrganizationId, ServiceId, UserId, parse_id, parse_ids
from extlink.domain.instant import Instant
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput, Refused
from extlink.inputs import flag
from extlink.operation import (
    Call,
    Change,
    Commit,
    Lookup,
    Now,
    Read,
    Steps,
    Unanswered,
    ask,
    put,
    read,
)
from extlink.records import grant_head_key, grant_rules_key, service_key, tenant_key, user_grant_key

__all__ = [
    "MAX_USERS",
    "Part",
    "Plan",
    "Saved",
    "Subjects",
    "apply",
    "begin",
    "closing",
    "excluding",
    "inheriting",
    "known_subjects",
    "memberships",
    "opening",
    "parse_service",
    "parse_subjects",
    "ticking",
]

MAX_USERS: Final = 300
_READ_AT_ONCE: Final = 50
_NO_RULES: Final = (Rules(), Rules())
# A person's memberships before an edit, and after it.
Memberships = tuple[Member | None, Member | None]
_NOBODY: Final[Mapping[UserId, Memberships]] = MappingProxyType({})
_STRICTNESS: Final[Mapping[Existing, int]] = {"keep": 0, "suspend": 1, "revoke": 2}
S = TypeVar("S", bound=str)


@attrs.frozen
class Subjects:
    """Whom an edit names."""

    users: tuple[UserId, ...] = ()
    organizations: tuple[OrganizationId, ...] = ()
    groups: tuple[GroupId, ...] = ()
    everyone: bool = False

    def details(self) -> Mapping[str, Detail]:
        """The subjects as the ledger names them."""
        return {
            "users": self.users,
            "organizations": self.organizations,
            "groups": self.groups,
            "everyone": self.everyone,
        }


@attrs.frozen
class Saved:
    """What a saved edit came to.

    Args:
        version: the edit number now; hand it to the next `edit`.
        changed: how many subjects the edit really changed.
    """

    version: int
    changed: int


def parse_subjects(
    users: Iterable[str], organizations: Iterable[str], groups: Iterable[str], *, everyone: object = False
) -> Subjects:
    """Return the subjects of an edit.

    Raises:
        InvalidInput: malformed ids, or nobody named.
        Refused: `save.too_large`.
    """
    subjects = Subjects(
        tuple(UserId(user) for user in parse_ids(users, "users")),
        tuple(OrganizationId(one) for one in parse_ids(organizations, "organizations")),
        tuple(GroupId(group) for group in parse_ids(groups, "groups")),
        flag(everyone, "everyone"),
    )
    if subjects == Subjects():
        raise InvalidInput("users", "expected at least one user, organization, group or everyone=True")
    if len(subjects.users) > MAX_USERS:
        raise Refused(Reason("save.too_large", {"count": str(len(subjects.users)), "limit": str(MAX_USERS)}))
    return subjects


def parse_service(value: object) -> ServiceId:
    """Return a service's id."""
    return ServiceId(parse_id(value, "service"))


@attrs.frozen
class Plan:
    """An edit under way: its number and instant, and what is stored of those it names."""

    edit: int
    at: Instant
    granted: Rules
    excluded: Rules
    named: Mapping[UserId, UserRules]


_Edit = Callable[[Rule, Plan], Rule]


def begin(call: Call, service: ServiceId, users: tuple[UserId, ...]) -> Steps[Plan]:
    """Read what an edit starts from.

    Raises:
        Refused: `tenant.not_open`, `service.unknown`.
    """
    tenant = call.tenant
    head, rules = grant_head_key(tenant, service), grant_rules_key(tenant, service)
    answers = yield from read(tenant_key(tenant), service_key(tenant, service), head, rules)
    facts.opened(answers, tenant)
    facts.registered(answers, tenant, service)
    granted, excluded = answers.get(rules) or _NO_RULES
    named: dict[UserId, UserRules] = {}
    for start in range(0, len(users), _READ_AT_ONCE):
        some = users[start : start + _READ_AT_ONCE]
        found = yield from ask(Read(tuple(user_grant_key(tenant, service, user) for user in some)))
        for user in some:
            named[user] = found.get(user_grant_key(tenant, service, user)) or UserRules()
    at = yield from ask(Now())
    return Plan((answers.get(head) or 0) + 1, at, granted, excluded, named)


def _edited(rules: Mapping[S, Rule], subjects: tuple[S, ...], change: _Edit, plan: Plan) -> dict[S, Rule]:
    """Return only the rules that the change really changes."""
    changed: dict[S, Rule] = {}
    for subject in subjects:
        before = rules.get(subject, Rule())
        after = change(before, plan)
        if after != before:
            changed[subject] = after
    return changed


class Part(NamedTuple):
    """One part of an edit: what becomes of which subjects, on the side of the grants or of the exclusions."""

    side: Literal["granted", "excluded"]
    subjects: Subjects
    change: _Edit


def _for_many(rules: Rules, part: Part, plan: Plan) -> tuple[Rules, int]:
    organizations = _edited(rules.organizations, part.subjects.organizations, part.change, plan)
    groups = _edited(rules.groups, part.subjects.groups, part.change, plan)
    everyone = part.change(rules.everyone, plan) if part.subjects.everyone else rules.everyone
    changed = len(organizations) + len(groups) + (everyone != rules.everyone)
    after = Rules({**rules.organizations, **organizations}, {**rules.groups, **groups}, everyone)
    return (after if changed else rules), changed


def apply(
    call: Call,
    service: ServiceId,
    plan: Plan,
    parts: tuple[Part, ...],
    details: Mapping[str, Detail],
    losing: Mapping[UserId, Memberships] = _NOBODY,
) -> Commit[Saved]:
    """Return the commit of one edit: every rule it changes, the head, and one event that names the difference.

    Args:
        losing: people who may lose their grant for good. Who does is written down, so that a membership of tomorrow
            revives no link.
    """
    granted, excluded = plan.granted, plan.excluded
    named = dict(plan.named)
    changed = 0
    for part in parts:
        if part.side == "granted":
            granted, count = _for_many(granted, part, plan)
        else:
            excluded, count = _for_many(excluded, part, plan)
        changed += count
        for user in part.subjects.users:
            held = named[user]
            if part.side == "granted":
                named[user] = attrs.evolve(held, granted=part.change(held.granted, plan))
            else:
                named[user] = attrs.evolve(held, excluded=part.change(held.excluded, plan))
    changed += sum(rules != plan.named[user] for user, rules in named.items())
    if not changed:
        return Commit(Saved(plan.edit - 1, 0))
    for user, (before, after) in losing.items():
        had = UserGrantPolicy(service, {user: UserRules(plan.named[user].granted)}, plan.granted)
        has = UserGrantPolicy(service, {user: UserRules(named[user].granted)}, granted)
        if had.is_granted(user, before, plan.at) and not has.is_granted(user, after, plan.at):
            named[user] = attrs.evolve(named[user], over=plan.edit)
    touched = [user for user, rules in named.items() if rules != plan.named[user]]
    changes: list[Change] = [put(grant_head_key(call.tenant, service), plan.edit)]
    if granted is not plan.granted or excluded is not plan.excluded:
        changes.append(put(grant_rules_key(call.tenant, service), (granted, excluded)))
    changes.extend(put(user_grant_key(call.tenant, service, user), named[user]) for user in touched)
    event = Event("grant.changed", {"service": service, "edit": plan.edit, **details})
    return Commit(Saved(plan.edit, changed), tuple(changes), (event,))


def opening(until: Instant | None, reach: Reach, leaving: Existing = "revoke") -> _Edit:
    """Return the change that names a subject.

    Args:
        leaving: what becomes of links of those whom the subject's grant reached so far and reaches no longer.
    """
    return lambda rule, plan: rule.opened(plan.edit, plan.at, until, reach, leaving=leaving)


def ticking(rule: Rule, plan: Plan) -> Rule:
    """Grant by name; who is granted already keeps an end date, since the page does not show it."""
    return rule if rule.holds(plan.at) else rule.opened(plan.edit, plan.at, None, "direct")


def inheriting(exclusion: Tenure) -> _Edit:
    """Return the change that takes an organization's exclusion over by name, as old as it is.

    Who is excluded by name already keeps the stricter word of the two.
    """

    def change(rule: Rule, plan: Plan) -> Rule:
        held = rule.open
        if held is None:
            return rule.inherited(exclusion)
        if _STRICTNESS[held.existing] >= _STRICTNESS[exclusion.existing]:
            return rule
        return rule.opened(plan.edit, plan.at, None, "direct", exclusion.existing)

    return change


def closing(existing: Existing | None) -> _Edit:
    """Return the change that takes a subject's name back; None keeps what an exclusion said of links when made."""
    return lambda rule, plan: rule.closed(plan.edit, plan.at, existing)


def excluding(reach: Reach, existing: Existing) -> _Edit:
    """Return the change that excludes a subject; of one that is excluded already nothing is taken back.

    Only `include` admits anybody: a narrower reach or a milder word leaves the exclusion as it was.
    """

    def change(rule: Rule, plan: Plan) -> Rule:
        held = rule.open
        if held is None:
            return rule.opened(plan.edit, plan.at, None, reach, existing)
        stricter = max(held.existing, existing, key=_STRICTNESS.__getitem__)
        wider: Reach = "subtree" if "subtree" in {held.reach, reach} else "direct"
        if (stricter, wider) == (held.existing, held.reach):
            return rule
        # Links that the old exclusion refused are older than the new one, which must not take them for kept.
        return rule.opened(plan.edit, plan.at, None, wider, "suspend" if stricter == "keep" else stricter)

    return change


def memberships(
    users: tuple[UserId, ...], without: OrganizationId | None = None
) -> Steps[Mapping[UserId, Memberships]]:
    """Return people's memberships of today, and as they will be; none of anybody, if the directory does not answer.

    Args:
        without: an organization that is going, with all that lies below it.
    """
    found = (yield from ask(Lookup.get(users))) if users else ()
    known = {} if isinstance(found, Unanswered) else {member.id: member for member in found}
    return {user: (known.get(user), _without(known.get(user), without)) for user in users}


def _without(member: Member | None, organization: OrganizationId | None) -> Member | None:
    if member is None or organization is None:
        return member
    return attrs.evolve(member, organizations=tuple(path for path in member.organizations if organization not in path))


def known_subjects(subjects: Subjects) -> Steps[None]:
    """Refuse subjects that the directory does not know: a misspelt id would be a grant to nobody, or to a stranger.

    Raises:
        Refused: `subject.unknown`, `directory.unavailable`.
    """
    if subjects.users:
        members = yield from ask(Lookup.get(subjects.users))
        if isinstance(members, Unanswered):
            raise Refused(Reason("directory.unavailable"))
        missing = set(subjects.users) - {member.id for member in members}
        if missing:
            raise Refused(Reason("subject.unknown", {"kind": "user", "id": min(missing)}))
    if subjects.organizations:
        tree = yield from ask(Lookup.organizations())
        if isinstance(tree, Unanswered):
            raise Refused(Reason("directory.unavailable"))
        lost = set(subjects.organizations) - {one.id for one in tree}
        if lost:
            raise Refused(Reason("subject.unknown", {"kind": "organization", "id": min(lost)}))
