"""UserGrantPolicy: for whom an administrator opened a service (S3, F2; TRACE T6, T7, T14).

Rules: nobody is permitted until somebody is named; users, organizations (direct or with sub-organizations), groups or
everyone can be named, with an end date; an exclusion outranks every grant, in any order (law 1). Grants name ids.

Time inside one service's grants is the *edit number*: each saved change gets the next one, and a link remembers the
number at which it was accepted. So what a withdrawal ends is decided by comparing two integers, without listing links:

    a link is ended by a withdrawal (or exclusion) that came after it, said "revoke", and left its owner without any
    other grant at that moment - also if the grant is given again later (DESIGN 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import attrs

from extlink.domain.decision import Note
from extlink.domain.directory import Member
from extlink.domain.identifier import GroupId, OrganizationId, ServiceId, UserId
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
    """

    since: int
    until: Instant | None = None
    reach: Reach = "direct"
    ended: int | None = None
    ended_at: Instant | None = None
    existing: Existing = "revoke"


@attrs.frozen
class Rule:
    """All tenures of one subject, oldest first; at most the last one is open.

    Args:
        floor: links accepted before this edit ended with tenures that are no longer remembered.
    """

    tenures: tuple[Tenure, ...] = ()
    floor: int = 0
    open: Tenure | None = attrs.field(init=False, repr=False, eq=False)
    newest: int = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        last = self.tenures[-1] if self.tenures else None
        object.__setattr__(self, "open", last if last is not None and last.ended is None else None)
        edits = [edit for tenure in self.tenures for edit in (tenure.since, tenure.ended or 0)]
        object.__setattr__(self, "newest", max(edits, default=self.floor))

    def opened(
        self, edit: int, at: Instant, until: Instant | None, reach: Reach, existing: Existing = "revoke"
    ) -> Rule:
        """Return the rule with a tenure open from `edit`; one that is open already goes on with the new date and reach.

        Narrowing the reach ends the wider tenure, as a withdrawal would.
        """
        current = self.open
        if current is None:
            return self._with((*self.tenures, Tenure(edit, until, reach, existing=existing)))
        if current.reach == "subtree" and reach == "direct":
            return self.closed(edit, at, "revoke").opened(edit, at, until, reach, existing)
        return self._with((*self.tenures[:-1], attrs.evolve(current, until=until, reach=reach)))

    def closed(self, edit: int, at: Instant, existing: Existing | None = None) -> Rule:
        """Return the rule with its open tenure ended at `edit`; without one nothing changes.

        Args:
            existing: what a withdrawal does to links; None for a lifted exclusion, which keeps what it said when made.
        """
        if self.open is None:
            return self
        ended = attrs.evolve(self.open, ended=edit, ended_at=at, existing=existing or self.open.existing)
        return self._with((*self.tenures[:-1], ended))

    def _with(self, tenures: tuple[Tenure, ...]) -> Rule:
        dropped = max((tenure.ended or 0 for tenure in tenures[:-_REMEMBERED]), default=0)
        return Rule(tenures[-_REMEMBERED:], max(self.floor, dropped))


_NO_RULE: Final = Rule()
_NO_ORGANIZATIONS: Final[Mapping[OrganizationId, Rule]] = MappingProxyType({})
_NO_GROUPS: Final[Mapping[GroupId, Rule]] = MappingProxyType({})


class Standing(NamedTuple):
    """Whether a person is granted a service now, and on what that rests."""

    granted: bool
    note: Note


class Held(NamedTuple):
    """A rule that concerns one person, with those of its tenures that do (a direct one stops at its own people)."""

    kind: Literal["user", "everyone", "organization", "group"]
    subject: str
    rule: Rule
    tenures: tuple[Tenure, ...]

    @property
    def open(self) -> Tenure | None:
        """The tenure that holds today, if any."""
        return self.tenures[-1] if self.tenures and self.tenures[-1].ended is None else None


@attrs.frozen
class UserRules:
    """What an administrator said about one person by name."""

    granted: Rule = _NO_RULE
    excluded: Rule = _NO_RULE


@attrs.frozen
class Rules:
    """Rules for many people at once: organizations, groups, everyone.

    `newest` is the last edit at which anything here began or ended: a link accepted since then cannot have ended by it.
    """

    organizations: Mapping[OrganizationId, Rule] = _NO_ORGANIZATIONS
    groups: Mapping[GroupId, Rule] = _NO_GROUPS
    everyone: Rule = _NO_RULE
    newest: int = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        rules = (*self.organizations.values(), *self.groups.values(), self.everyone)
        object.__setattr__(self, "newest", max(rule.newest for rule in rules))

    def held(self, member: Member | None) -> Iterator[Held]:
        """Yield the rules that concern a person: organizations, then groups, by id, then everyone."""
        if member is not None:
            for organization in sorted(member.within) if self.organizations else ():
                rule = self.organizations.get(organization)
                if rule is not None:
                    direct = organization in member.direct
                    concerned = tuple(tenure for tenure in rule.tenures if direct or tenure.reach == "subtree")
                    yield Held("organization", organization, rule, concerned)
            for group in sorted(member.groups) if self.groups else ():
                rule = self.groups.get(group)
                if rule is not None:
                    yield Held("group", group, rule, rule.tenures)
        if self.everyone.tenures:
            yield Held("everyone", "everyone", self.everyone, self.everyone.tenures)

    def holds(self, member: Member | None, at: Instant) -> bool:
        """Whether an open rule concerns the person now: the short form of `held`, allocating next to nothing."""
        if _holds(self.everyone.open, at):
            return True
        if member is None:
            return False
        if self.organizations:
            rules, direct = self.organizations, member.direct
            for organization in member.within:
                rule = rules.get(organization)
                if rule is not None:
                    tenure = rule.open
                    if _holds(tenure, at) and (organization in direct or _is_subtree(tenure)):
                        return True
        if self.groups:
            for group in member.groups:
                rule = self.groups.get(group)
                if rule is not None and _holds(rule.open, at):
                    return True
        return False


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
        named = self.users.get(user, _UNNAMED)
        if (
            (_holds(named.granted.open, at) or self.granted.holds(member, at))
            and not _holds(named.excluded.open, at)
            and not self.excluded.holds(member, at)
        ):
            return True
        return accepted is not None and self.standing(user, member, at, accepted).granted

    def standing(self, user: UserId, member: Member | None, at: Instant, accepted: int | None = None) -> Standing:
        """Return the full answer with its evidence: which grant, or why none."""
        params: dict[str, Param] = {"service": self.service, "user": user}
        for held in self._exclusions(user, member):
            tenure = held.open
            kept = tenure is not None and accepted is not None and tenure.existing == "keep" and accepted < tenure.since
            if _holds(tenure, at) and not kept:
                by = held.kind if held.kind in {"user", "everyone"} else f"{held.kind}:{held.subject}"
                return Standing(granted=False, note=("grant.excluded", {**params, "by": by}))
        over: Instant | None = None
        keeping = False
        for held in self._grants(user, member):
            tenure = held.open
            if _holds(tenure, at):
                return Standing(granted=True, note=_evidence(held, params, member))
            if tenure is not None and tenure.until is not None:
                over = max(over or tenure.until, tenure.until)
            keeping = keeping or (accepted is not None and any(_keeps(one, accepted, at) for one in held.tenures))
        if keeping:
            return Standing(granted=True, note=("grant.kept", params))
        if over is not None:
            return Standing(granted=False, note=("grant.over", {**params, "until": to_datetime(over).isoformat()}))
        return Standing(granted=False, note=("grant.missing", params))

    def ends_link(self, user: UserId, member: Member | None, accepted: int) -> bool:
        """Whether a link accepted at edit `accepted` has ended with an exclusion or a withdrawn grant."""
        named = self.users.get(user, _UNNAMED)
        newest = max(self.granted.newest, self.excluded.newest, named.granted.newest, named.excluded.newest)
        if newest <= accepted:
            return False
        for held in self._exclusions(user, member):
            if held.rule.floor > accepted:
                return True
            if any(tenure.since > accepted and tenure.existing == "revoke" for tenure in held.tenures):
                return True
        tenures: list[Tenure] = []
        for held in self._grants(user, member):
            if held.rule.floor > accepted:
                return True
            tenures.extend(held.tenures)
        if any(_keeps(tenure, accepted, None) for tenure in tenures):
            return False
        return any(_ends(tenure, accepted, tenures) for tenure in tenures)

    def _grants(self, user: UserId, member: Member | None) -> Iterator[Held]:
        rule = self.users.get(user, _UNNAMED).granted
        yield Held("user", user, rule, rule.tenures)
        yield from self.granted.held(member)

    def _exclusions(self, user: UserId, member: Member | None) -> Iterator[Held]:
        rule = self.users.get(user, _UNNAMED).excluded
        yield Held("user", user, rule, rule.tenures)
        yield from self.excluded.held(member)


def _evidence(held: Held, params: dict[str, Param], member: Member | None) -> Note:
    match held.kind:
        case "user":
            return "grant.user", params
        case "everyone":
            return "grant.everyone", {"service": params["service"]}
        case "group":
            return "grant.group", {**params, "group": held.subject}
        case "organization":
            organization = OrganizationId(held.subject)
            path = member.path_to(organization) if member is not None else ()
            return "grant.organization", {**params, "organization": organization, "path": path}


def _keeps(tenure: Tenure, accepted: int, at: Instant | None) -> bool:
    """Whether a grant was withdrawn for new links only, and the link was accepted under it."""
    if tenure.ended is None or tenure.existing != "keep" or not tenure.since <= accepted < tenure.ended:
        return False
    return at is None or _holds(tenure, at)


def _ends(tenure: Tenure, accepted: int, others: list[Tenure]) -> bool:
    """Whether the end of one tenure ended the link: it came later, said "revoke", and nothing else held then."""
    edit, at = tenure.ended, tenure.ended_at
    if edit is None or at is None or edit <= accepted or tenure.existing != "revoke":
        return False
    return not any(
        other.since <= edit and (other.ended is None or other.ended > edit) and _holds(other, at) for other in others
    )
