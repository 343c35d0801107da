"""What can be said of a person whose memberships nobody remembers: yes, no, or unknown (DESIGN 5, directory port).

Rule: memberships are the host's and are not versioned, so a question about the past may come without them. Such an
answer is a yes or a no only if it is the same whatever organizations, groups and products the person had; for anything
else it is `membership.unknown`, which never allows. That the person was there and active is taken for granted, unless
the ledger says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from extlink.domain.decision import Answer, Finding, Gate, Note
from extlink.domain.grant import Rule, Rules, Standing, UserGrantPolicy, UserRules
from extlink.domain.identifier import Scope, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Link
from extlink.domain.policy import AccessRequest, Person, Policy

__all__ = ["UNKNOWN", "doubtful", "finding", "is_ended"]

UNKNOWN: Final = "membership.unknown"
_UNNAMED: Final = UserRules()
_STRANGER: Final = Person(None)
_GATES: Final[tuple[tuple[int, Gate], ...]] = ((1, "user"), (4, "link"))


def doubtful(findings: tuple[Finding, ...]) -> frozenset[Gate]:
    """Return the gates that only memberships could decide: what is unknown is never a yes (law 1)."""
    return frozenset(gate for place, gate in _GATES if any(code == UNKNOWN for code, _ in findings[place][1]))


def finding(
    policy: Policy, request: AccessRequest, person: Person, service: ServiceId, accepted: int | None
) -> Finding:
    """Return the user gate's answer about a person whose memberships are unknown.

    Args:
        accepted: as in `UserGrantPolicy.standing`.
    """
    user = request.user or UserId("")
    params = {"service": service, "user": user}
    status = person.state.status
    notes: list[Note] = [] if status == "active" else [(f"user.{status}", {"user": user})]
    grants = policy.grants.get(service) or UserGrantPolicy(service)
    standing = _standing(grants, user, request.at, accepted)
    beyond: list[Scope] | None = []
    if standing is not None and standing.granted:
        beyond = _beyond(grants, user, request, accepted)
        notes.extend(("grant.scope_not_granted", {**params, "scope": one}) for one in beyond or ())
    elif standing is not None:
        notes.append(standing.note)
    if notes:
        return Answer.REFUSED, tuple(notes)
    if standing is None or beyond is None or _has_products(policy, service, request.scopes):
        return Answer.NOT_EVALUATED, ((UNKNOWN, params),)
    return Answer.PASSED, (standing.note,)


def is_ended(policy: Policy, link: Link) -> bool | None:
    """Say whether an exclusion or a withdrawn grant ended a link; None: memberships that nobody remembers decide."""
    grants, owner = policy.grants.get(link.service), link.owner
    if grants is None or owner is None:
        return False
    person = policy.people.get(owner, _STRANGER)
    if person.remembered:
        return grants.ends_link(owner, person.member, link.grants_at)
    return _has_ended(grants, owner, link.grants_at)


def _has_ended(grants: UserGrantPolicy, user: UserId, accepted: int) -> bool | None:
    named = grants.users.get(user, _UNNAMED)
    if named.over > accepted or any(_ends(rule, accepted) for rule in (named.excluded, grants.excluded.everyone)):
        return True
    if any(rule.begun > accepted for rule in _of_many(grants.excluded)):
        return None
    many = tuple(_of_many(grants.granted))
    if any(rule.ended > accepted for rule in many):
        return None
    if not grants.ends_link(user, None, accepted):
        return False
    # What took the person's own grant away spared the link if another one held at that moment.
    return None if many else True


def _of_many(rules: Rules) -> Iterator[Rule]:
    """Yield the rules that reach a person by what they belong to."""
    yield from rules.organizations.values()
    yield from rules.groups.values()


def _ends(exclusion: Rule, accepted: int) -> bool:
    return exclusion.floor > accepted or any(
        tenure.since > accepted and tenure.existing == "revoke" for tenure in exclusion.tenures
    )


def _has_moved(grants: UserGrantPolicy, accepted: int | None) -> bool:
    """Whether a grant to many ended since a link was accepted: it may be kept by that, or have been refused."""
    return accepted is not None and any(rule.ended > accepted for rule in _of_many(grants.granted))


def _standing(grants: UserGrantPolicy, user: UserId, at: Instant, accepted: int | None) -> Standing | None:
    """Return what grants by name and to everyone come to; None where memberships may turn it round."""
    known = grants.standing(user, None, at, accepted)
    has_moved = _has_moved(grants, accepted)
    if known.granted:
        is_excluded = any(rule.holds(at) for rule in _of_many(grants.excluded))
        return None if is_excluded or (has_moved and known.note[0] == "grant.kept") else known
    if known.note[0] == "grant.excluded":
        return known
    return None if has_moved or any(rule.holds(at) for rule in _of_many(grants.granted)) else known


def _beyond(grants: UserGrantPolicy, user: UserId, request: AccessRequest, accepted: int | None) -> list[Scope] | None:
    """Return the operations above the ceiling of who is let in; None where memberships may lift or lower it."""
    at, scopes = request.at, request.scopes
    least = grants.ceiling(user, None, at)
    if least is None or scopes <= least:
        return []
    if _has_moved(grants, accepted) or any(rule.holds(at) for rule in _of_many(grants.granted)):
        return None
    ceiling = grants.ceiling(user, None, at, accepted)
    return [] if ceiling is None else sorted(scopes - ceiling)


def _has_products(policy: Policy, service: ServiceId, scopes: frozenset[Scope]) -> bool:
    """Whether one of the operations belongs to a product, which the person may or may not have had."""
    known = policy.registry.services.get(service)
    return known is not None and any(known.service.scope_products.get(scope) for scope in scopes)
