"""UserGrantPolicy: for whom an administrator opened a service (S3, F2; TRACE T6, T7, T14).

Rules: nobody is permitted until somebody is named; users, organizations (direct or with sub-organizations), groups or
everyone can be named, with an end date; an exclusion outranks every grant, in any order (law 1). Grants name ids.

Time inside one service's grants is the *edit number*: each saved change gets the next one, and a link remembers the
number at which it was accepted. So what a withdrawal ends is decided by comparing two integers, without listing links:

    a link is ended by a withdrawal (or exclusion) that came after it, said "revoke", and left its owner without any
    other grant at that moment - also if the grant is given again later (DESIGN 5).

So what held at an earlier edit is never rewritten: an end date or a reach that could change the answer for that moment
begins a new tenure, which goes on where the one before stopped.

A grant by name may have a *ceiling*: it reaches these operations and no others. Several grants are a union: who is let
in by another one too, which has no ceiling, is under none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import attrs

from extlink.domain.decision import Note
from extlink.domain.directory import Member
from extlink.domain.identifier import GroupId, OrganizationId, Scope, ServiceId, UserId
from extlink.domain.instant import Instant, to_datetime
from extlink.domain.reason import Param

__all__ = ["Existing", "Reach", "Rule", "Rules", "Standing", "Tenure", "UserGrantPolicy", "UserRules"]

Existing = Literal["revoke", "suspend", "keep"]
Reach = Literal["direct", "subtree"]
# How many closed tenures of one subject are kept; older ones shrink to `Rule.floor`, which errs towards ending links.
_REMEMBERED: Final = 4


@attrs.frozen
class Tenure:
    """One stretch in which a rule held for one subject, from edit `since` to edit `ended` (None: it holds).

    Args:
        until: the end date, an instant; the rule is over from then on, and holds again if the date is moved.
        reach: for organizations: only its own people, or those of its sub-organizations too.
        ended_at: the instant of edit `ended`.
        existing: what the change that took the grant away does to links made before it.
        scopes: the operations it reaches; None: all that the service has.
    """

    since: int
    until: Instant | None = None
    reach: Reach = "direct"
    ended: int | None = None
    ended_at: Instant | None = None
    existing: Existing = "revoke"
    scopes: frozenset[Scope] | None = None


@attrs.frozen
class Rule:
    """All tenures of one subject, oldest first; at most the last one is open.

    `begun` and `ended` are the last edits at which one began, or ended. A link accepted since then cannot have ended by
    it: by an exclusion that had begun, or a grant that had ended.

    Args:
        floor: links accepted before this edit ended with tenures that are no longer remembered.
    """

    tenures: tuple[Tenure, ...] = ()
    floor: int = 0
    open: Tenure | None = attrs.field(init=False, repr=False, eq=False)
    begun: int = attrs.field(init=False, repr=False, eq=False)
    ended: int = attrs.field(init=False, repr=False, eq=False)
    # Whether some tenure has a ceiling; of most rules nothing more need be asked.
    limited: bool = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        last = self.tenures[-1] if self.tenures else None
        object.__setattr__(self, "open", last if last is not None and last.ended is None else None)
        object.__setattr__(self, "begun", max(self.floor, *(tenure.since for tenure in self.tenures), 0))
        object.__setattr__(self, "ended", max(self.floor, *(tenure.ended or 0 for tenure in self.tenures), 0))
        object.__setattr__(self, "limited", any(tenure.scopes is not None for tenure in self.tenures))

    def opened(
        self,
        edit: int,
        at: Instant,
        until: Instant | None,
        reach: Reach,
        existing: Existing = "revoke",
        scopes: frozenset[Scope] | None = None,
        *,
        leaving: Existing | None = None,
    ) -> Rule:
        """Return the rule with a tenure open from `edit`; one that holds already goes on with the new date and ceiling.

        What held in the past stays as it was, so that no edit revives a link that has ended: another reach, another
        word about links, or a date that is past begins a new tenure at the edit that ends the old.

        Args:
            leaving: what becomes of links of those whom a grant reached and, with a narrower reach, reaches no longer;
                None: what was said when it was made.
        """
        current = self.open
        wanted = Tenure(edit, until, reach, existing=existing, scopes=scopes)
        if current is None:
            return self._with((*self.tenures, wanted))
        if wanted == attrs.evolve(current, since=edit):
            return self
        if (reach, existing) == (current.reach, current.existing) and _holds(current, at) and _holds(wanted, at):
            return self._with((*self.tenures[:-1], attrs.evolve(current, until=until, scopes=scopes)))
        # Who is still reached does not leave: the word is for the others, and must not part what goes on for these.
        narrows = (current.reach, reach) == ("subtree", "direct")
        return self._with((*self.closed(edit, at, leaving if narrows else None).tenures, wanted))

    def inherited(self, tenure: Tenure) -> Rule:
        """Return the rule with a tenure that another subject had: as old, and with the same word about links."""
        return self._with((*self.tenures, attrs.evolve(tenure, reach="direct")))

    def closed(self, edit: int, at: Instant, existing: Existing | None = None) -> Rule:
        """Return the rule with its open tenure ended at `edit`; without one nothing changes.

        Args:
            existing: what a withdrawal does to links; None for an exclusion that is lifted or a tenure that another
                one takes over from, which keep what they said when made.
        """
        if self.open is None:
            return self
        ended = attrs.evolve(self.open, ended=edit, ended_at=at, existing=existing or self.open.existing)
        return self._with((*self.tenures[:-1], ended))

    def holds(self, at: Instant) -> bool:
        """Whether the rule is open, and its end date, if any, is not reached."""
        return _holds(self.open, at)

    def _with(self, tenures: tuple[Tenure, ...]) -> Rule:
        floor = self.floor
        for dropped, following in pairwise(tenures[: 1 - _REMEMBERED]):
            # What the next tenure took over with the same word goes on in it; what ended then must not be forgotten.
            narrowed = dropped.reach == "subtree" and following.reach == "direct"
            if narrowed or (following.since, following.existing) != (dropped.ended, dropped.existing):
                floor = max(floor, dropped.ended or 0)
        return Rule(tenures[-_REMEMBERED:], floor)


_NO_RULE: Final = Rule()
_NO_ORGANIZATIONS: Final[Mapping[OrganizationId, Rule]] = MappingProxyType({})
_NO_GROUPS: Final[Mapping[GroupId, Rule]] = MappingProxyType({})


class Standing(NamedTuple):
    """Whether a person is granted a service now, and on what that rests."""

    granted: bool
    note: Note


class Withdrawn(NamedTuple):
    """A stretch of tenures that followed each other without a gap, and ended with the last of them.

    Args:
        since: the edit at which the first began.
        tenure: the last, whose word about links counts.
        ended: the edit at which it ended.
    """

    since: int
    tenure: Tenure
    ended: int


HolderKind = Literal["user", "everyone", "organization", "group"]
# What grants or excludes: a kind of rule, and for whom it was made.
Holder = tuple[HolderKind, str]


class Held(NamedTuple):
    """A rule that concerns one person, with those of its tenures that do (a direct one stops at its own people)."""

    kind: HolderKind
    subject: str
    rule: Rule
    tenures: tuple[Tenure, ...]

    @property
    def open(self) -> Tenure | None:
        """The tenure that holds today, if any."""
        return self.tenures[-1] if self.tenures and self.tenures[-1].ended is None else None

    def withdrawn(self) -> Iterator[Withdrawn]:
        """Yield what was taken away from the person; a tenure that another one took over from was not."""
        since: int | None = None
        for tenure, following in zip(self.tenures, (*self.tenures[1:], None), strict=False):
            since = tenure.since if since is None else since
            if tenure.ended is not None and (following is None or following.since != tenure.ended):
                yield Withdrawn(since, tenure, tenure.ended)
                since = None


@attrs.frozen
class UserRules:
    """What an administrator said about one person by name.

    Args:
        over: links accepted before this edit have ended: it took the person's name back, said "revoke", and left the
            person
            without any grant by the memberships of that day, whatever memberships come later.
    """

    granted: Rule = _NO_RULE
    excluded: Rule = _NO_RULE
    over: int = 0


@attrs.frozen
class Rules:
    """Rules for many people at once: organizations, groups, everyone.

    `begun` and `ended` are the last edits at which anything here began, or ended.
    """

    organizations: Mapping[OrganizationId, Rule] = _NO_ORGANIZATIONS
    groups: Mapping[GroupId, Rule] = _NO_GROUPS
    everyone: Rule = _NO_RULE
    begun: int = attrs.field(init=False, repr=False, eq=False)
    ended: int = attrs.field(init=False, repr=False, eq=False)
    # A set meets another without a step of ours for each member.
    _organizations: frozenset[OrganizationId] = attrs.field(init=False, repr=False, eq=False)
    _groups: frozenset[GroupId] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # Decoded rules are shared by every check of the process: a host that is shown them must not be able to write.
        object.__setattr__(self, "organizations", MappingProxyType(dict(self.organizations)))
        object.__setattr__(self, "groups", MappingProxyType(dict(self.groups)))
        rules = (*self.organizations.values(), *self.groups.values(), self.everyone)
        object.__setattr__(self, "begun", max(rule.begun for rule in rules))
        object.__setattr__(self, "ended", max(rule.ended for rule in rules))
        object.__setattr__(self, "_organizations", frozenset(self.organizations))
        object.__setattr__(self, "_groups", frozenset(self.groups))

    def held(self, member: Member | None) -> list[Held]:
        """Return the rules that concern a person: organizations, then groups, by id, then everyone."""
        found: list[Held] = []
        if member is not None:
            for organization in sorted(member.within & self._organizations):
                rule = self.organizations[organization]
                concerned = rule.tenures
                if organization not in member.direct:
                    concerned = tuple([tenure for tenure in concerned if tenure.reach == "subtree"])
                found.append(Held("organization", organization, rule, concerned))
            for group in sorted(member.groups & self._groups):
                rule = self.groups[group]
                found.append(Held("group", group, rule, rule.tenures))
        if self.everyone.tenures:
            found.append(Held("everyone", "everyone", self.everyone, self.everyone.tenures))
        return found

    def holder(self, member: Member | None, at: Instant) -> Holder | None:
        """Return the first rule of `held` that is open now: its short form, allocating next to nothing."""
        if member is not None:
            organizations = member.within & self._organizations
            for organization in sorted(organizations) if len(organizations) > 1 else organizations:
                tenure = self.organizations[organization].open
                if _holds(tenure, at) and (organization in member.direct or _is_subtree(tenure)):
                    return "organization", organization
            groups = member.groups & self._groups
            for group in sorted(groups) if len(groups) > 1 else groups:
                if _holds(self.groups[group].open, at):
                    return "group", group
        return ("everyone", "everyone") if _holds(self.everyone.open, at) else None


def _holds(tenure: Tenure | None, at: Instant) -> bool:
    return tenure is not None and (tenure.until is None or at < tenure.until)


def _is_subtree(tenure: Tenure | None) -> bool:
    return tenure is not None and tenure.reach == "subtree"


_NOBODY: Final[Mapping[UserId, UserRules]] = MappingProxyType({})
_UNNAMED: Final = UserRules()


@attrs.frozen
class UserGrantPolicy:
    """Who may use one service in one tenant.

    `users` may name everyone the tenant named or, for one decision, only the person it is about: the answer about that
    person is the same.

    Args:
        service: the service it is about.
        users: what was said about people by name.
        granted: the organizations, groups or everyone that an administrator opened the service for.
        excluded: those whom an administrator excluded; outranks every grant.

    >>> sato = UserRules(granted=Rule().opened(1, Instant(0), None, "direct"))
    >>> policy = UserGrantPolicy(ServiceId("slack"), {UserId("sato"): sato})
    >>> policy.is_granted(UserId("sato"), None, Instant(0)), policy.is_granted(UserId("suzuki"), None, Instant(0))
    (True, False)
    """

    service: ServiceId
    users: Mapping[UserId, UserRules] = _NOBODY
    granted: Rules = Rules()
    excluded: Rules = Rules()

    def is_granted(self, user: UserId, member: Member | None, at: Instant, accepted: int | None = None) -> bool:
        """Whether the person may use the service now: the short answer of `standing`.

        Args:
            member: the person's memberships; None where the directory knows none.
            at: the operation's instant.
            accepted: the edit number at which the link that asks was accepted; a link may be kept where a new one
                would not be let in.
        """
        if self._holder(user, member, at) is not None:
            return True
        return accepted is not None and self.standing(user, member, at, accepted).granted

    def _holder(self, user: UserId, member: Member | None, at: Instant) -> Holder | None:
        """Return what grants the service now to a person whom nothing excludes."""
        named = self.users.get(user)
        if named is None:
            holder = self.granted.holder(member, at)
        elif _holds(named.excluded.open, at):
            return None
        else:
            holder = ("user", user) if _holds(named.granted.open, at) else self.granted.holder(member, at)
        return None if holder is None or self.excluded.holder(member, at) is not None else holder

    def standing(self, user: UserId, member: Member | None, at: Instant, accepted: int | None = None) -> Standing:
        """Return the full answer with its evidence: which grant, or why none."""
        params: dict[str, Param] = {"service": self.service, "user": user}
        holder = self._holder(user, member, at)
        if holder is not None:
            return Standing(True, _evidence(*holder, params, member))  # noqa: FBT003 - by position, at half the cost
        for held in self._exclusions(user, member):
            tenure = held.open
            kept = tenure is not None and accepted is not None and tenure.existing == "keep" and accepted < tenure.since
            if _holds(tenure, at) and not kept:
                by = held.kind if held.kind in {"user", "everyone"} else f"{held.kind}:{held.subject}"
                return Standing(granted=False, note=("grant.excluded", {**params, "by": by}))
        over: Instant | None = None
        grants = self._grants(user, member)
        for held in grants:
            tenure = held.open
            if _holds(tenure, at):
                return Standing(granted=True, note=_evidence(held.kind, held.subject, params, member))
            if tenure is not None and tenure.until is not None:
                over = max(over or tenure.until, tenure.until)
        if accepted is not None and _kept(grants, at, accepted):
            return Standing(granted=True, note=("grant.kept", params))
        if over is not None:
            return Standing(granted=False, note=("grant.over", {**params, "until": to_datetime(over).isoformat()}))
        return Standing(granted=False, note=("grant.missing", params))

    def ceiling(
        self, user: UserId, member: Member | None, at: Instant, accepted: int | None = None
    ) -> frozenset[Scope] | None:
        """Return the operations beyond which nothing is granted to a person who is let in; None: there is no ceiling.

        A union of everything that lets the person in now, what keeps the link among it.

        Args:
            accepted: as in `is_granted`.
        """
        named = self.users.get(user)
        if named is None or not named.granted.limited or self.granted.holder(member, at) is not None:
            return None
        holding = [tenure for tenure in (named.granted.open,) if tenure is not None and _holds(tenure, at)]
        if accepted is not None:
            holding.extend(_kept(self._grants(user, member), at, accepted))
        covered: set[Scope] = set()
        for tenure in holding:
            if tenure.scopes is None:
                return None
            covered |= tenure.scopes
        return frozenset(covered)

    def within(self, user: UserId, member: Member | None, at: Instant, scopes: frozenset[Scope]) -> frozenset[Scope]:
        """Return those of some operations that do not lie above the ceiling of a person who makes a new link."""
        ceiling = self.ceiling(user, member, at)
        return scopes if ceiling is None else scopes & ceiling

    def ends_link(self, user: UserId, member: Member | None, accepted: int) -> bool:
        """Whether a link accepted at edit `accepted` has ended with an exclusion or a withdrawn grant."""
        named = self.users.get(user, _UNNAMED)
        if self.excluded.begun > accepted or named.excluded.begun > accepted:
            for held in self._exclusions(user, member):
                if held.rule.floor > accepted:
                    return True
                if any(tenure.since > accepted and tenure.existing == "revoke" for tenure in held.tenures):
                    return True
        if named.over > accepted:
            return True
        if self.granted.ended <= accepted and named.granted.ended <= accepted:
            return False
        grants = tuple(self._grants(user, member))
        if any(held.rule.floor > accepted for held in grants):
            return True
        tenures = [tenure for held in grants for tenure in held.tenures]
        return any(_ends(one.tenure, accepted, tenures) for held in grants for one in held.withdrawn())

    def _grants(self, user: UserId, member: Member | None) -> list[Held]:
        rule = self.users.get(user, _UNNAMED).granted
        if rule.tenures or rule.floor:
            return [Held("user", user, rule, rule.tenures), *self.granted.held(member)]
        return self.granted.held(member)

    def _exclusions(self, user: UserId, member: Member | None) -> list[Held]:
        rule = self.users.get(user, _UNNAMED).excluded
        if rule.tenures or rule.floor:
            return [Held("user", user, rule, rule.tenures), *self.excluded.held(member)]
        return self.excluded.held(member)


def _kept(grants: list[Held], at: Instant, accepted: int) -> list[Tenure]:
    """Return what a link goes on under without a grant: withdrawals that said so, and none since said no.

    The link was made under what they took away. A later withdrawal that keeps links brings none back that one before it
    refused (law 4).
    """
    withdrawn = [one for held in grants for one in held.withdrawn() if one.ended > accepted]
    refused = max((one.ended for one in withdrawn if one.tenure.existing != "keep"), default=0)
    return [one.tenure for one in withdrawn if one.ended > refused and one.since <= accepted and _holds(one.tenure, at)]


def _evidence(kind: HolderKind, subject: str, params: dict[str, Param], member: Member | None) -> Note:
    match kind:
        case "user":
            return "grant.user", params
        case "everyone":
            return "grant.everyone", {"service": params["service"]}
        case "group":
            return "grant.group", {**params, "group": subject}
        case _:  # an organization
            # The shortest is the closest reason, and the same one in whatever order the directory names them (law 2).
            paths = [] if member is None else [one for one in member.organizations if subject in one]
            path = paths[0] if len(paths) == 1 else min(paths, key=lambda one: (len(one), one), default=())
            return "grant.organization", {**params, "organization": subject, "path": path}


def _ends(tenure: Tenure, accepted: int, others: list[Tenure]) -> bool:
    """Whether the end of one tenure ended the link: it came later, said "revoke", and nothing else held then."""
    edit, at = tenure.ended, tenure.ended_at
    if edit is None or at is None or edit <= accepted or tenure.existing != "revoke":
        return False
    return not any(
        other.since <= edit and (other.ended is None or other.ended > edit) and _holds(other, at) for other in others
    )
