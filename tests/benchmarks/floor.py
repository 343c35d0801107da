"""The floor: the same decision by hand, over nothing but dictionaries, sets and tuples, with no reason in the answer.

It is what a host would write that needs this one answer and nothing else: no explanations, no other form of the same
question, no change of a rule without compiling anew. Every gate is there, the parsing of the address included. It must
agree with `is_allowed` on every question that is measured.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from socket import AF_INET, AF_INET6, inet_pton

from extlink.domain.access import AccessRequest, Policy
from extlink.domain.flow import Flow
from extlink.domain.grant import Rule, Rules
from extlink.domain.link import LinkState

__all__ = ["Floor", "Question", "make", "plain"]

_NEVER = 1 << 62
_MAPPED = bytes(10) + b"\xff\xff"

# A question: service, user, at, scopes, address, connectors, link.
# A link: service, owner, whether it is live, epochs, accepted, expires, scopes.
_Link = tuple[str, str, bool, tuple[int, int, int, int], int, int, frozenset[str]]
Question = tuple[str, str, int, frozenset[str], str | None, frozenset[str] | None, _Link | None]
Floor = Callable[[str, str, int, frozenset[str], str | None, frozenset[str] | None, _Link | None], bool]
# Until when for everyone; for an organization, and whether with those below it; for a group. Sets meet sets in C.
_Open = tuple[int, dict[str, tuple[int, bool]], frozenset[str], dict[str, int], frozenset[str]]
_Tenure = tuple[int, int, int, int, int, str, bool]


def plain(request: AccessRequest) -> Question:
    """Return a question as plain values."""
    assert request.service is not None
    assert request.user is not None
    credential = request.credential
    link: _Link | None = None
    if credential is not None:
        held = credential.link
        assert held is not None
        epochs = (held.epochs.tenant, held.epochs.service, held.epochs.user, held.epochs.host)
        assert held.owner is not None
        link = (
            held.service,
            held.owner,
            held.state is LinkState.LIVE,
            epochs,
            held.grants_at,
            held.expires,
            credential.scopes,
        )
    connectors = request.connectors
    assert not isinstance(connectors, Flow)
    return (request.service, request.user, request.at, request.scopes, request.address, connectors, link)


def _until(rule: Rule) -> int:
    return 0 if rule.open is None else rule.open.until or _NEVER


def _open(rules: Rules) -> _Open:
    organizations = {
        str(one): (_until(rule), rule.open.reach == "subtree")
        for one, rule in rules.organizations.items()
        if rule.open is not None
    }
    groups = {str(one): _until(rule) for one, rule in rules.groups.items() if rule.open is not None}
    return _until(rules.everyone), organizations, frozenset(organizations), groups, frozenset(groups)


def _tenures(rule: Rule) -> list[_Tenure]:
    return [
        (
            one.since,
            one.ended or _NEVER,
            one.ended_at or 0,
            one.until or _NEVER,
            rule.floor,
            one.existing,
            one.reach == "direct",
        )
        for one in rule.tenures
    ]


def _many(rules: Rules) -> list[Rule]:
    return [*rules.organizations.values(), *rules.groups.values(), rules.everyone]


def _by_subject(rules: Rules) -> dict[str, list[_Tenure]]:
    return {str(one): _tenures(rule) for one, rule in (*rules.organizations.items(), *rules.groups.items())}


def _starts(ranges: Iterable[tuple[int, int]], size: int) -> tuple[list[bytes], list[bool]]:
    """Return where what is allowed begins and ends, as packed addresses, merged."""
    starts: list[bytes] = []
    inside = [False]
    open_: list[int] = []
    points = sorted({point for first, last in ranges for point in (first, last + 1)})
    entering = sorted(ranges)
    for point in points:
        while entering and entering[0][0] == point:
            heappush(open_, -entering.pop(0)[1])
        while open_ and -open_[0] < point:
            heappop(open_)
        if bool(open_) != inside[-1] and point < 1 << 8 * size:
            starts.append(point.to_bytes(size, "big"))
            inside.append(bool(open_))
    return starts, inside


def _ended(tenures: list[_Tenure], accepted: int) -> bool:
    """Whether a link has ended with a grant that was withdrawn."""
    if any(floor > accepted for _, _, _, _, floor, _, _ in tenures):
        return True
    if any(how == "keep" and since <= accepted < ended < _NEVER for since, ended, _, _, _, how, _ in tenures):
        return False
    return any(
        accepted < ended < _NEVER
        and how == "revoke"
        and not any(since <= ended < later and at < until for since, later, _, until, _, _, _ in tenures)
        for _, ended, at, _, _, how, _ in tenures
    )


def make(policy: Policy) -> Floor:  # noqa: C901, PLR0915 - what it compiles is read by the functions in it
    """Compile a policy to dictionaries and sets, and return the function that decides over them."""
    tenant = policy.registry.tenant
    assert policy.network.mode == "allow_some"
    assert tenant.unconfigured_services == "deny"
    assert not tenant.requires_flow_connectors
    edition, products, tenant_epoch = str(tenant.edition), set(tenant.products), tenant.epoch
    services = {
        str(known.service.id): (
            known.state == "enabled",
            {str(one) for one in known.service.editions},
            set(known.service.products),
            known.service.availability.state == "available",
            set(known.service.scope_names),
            {str(scope): product for scope, product in known.service.scope_products.items()},
            known.epoch,
        )
        for known in policy.registry.services.values()
    }
    quarantined = {str(one) for one, host in policy.registry.everywhere.items() if host.quarantined}
    people = {
        str(user): (
            person.member.status == "active",
            person.state.status == "active",
            set(person.member.products),
            set(person.member.within),
            set(person.member.direct),
            set(person.member.groups),
            person.state.epoch,
        )
        for user, person in policy.people.items()
        if person.member is not None
    }
    grants = {
        str(service): (
            {str(user): _until(rules.granted) for user, rules in one.users.items() if rules.granted.open},
            {str(user): _until(rules.excluded) for user, rules in one.users.items() if rules.excluded.open},
            _open(one.granted),
            _open(one.excluded),
            # The last edits that can have ended a link, and what to ask where a link is older than one of them.
            max([each.ended for each in _many(one.granted)] + [each.granted.ended for each in one.users.values()]),
            max([each.begun for each in _many(one.excluded)] + [each.excluded.begun for each in one.users.values()]),
            _by_subject(one.granted),
            _by_subject(one.excluded),
            {str(user): (_tenures(rules.granted), _tenures(rules.excluded)) for user, rules in one.users.items()},
        )
        for service, one in policy.grants.items()
    }
    ranges = [row.range for row in policy.network.rows]
    starts4, inside4 = _starts([(one.first, one.last) for one in ranges if one.version == 4], 4)
    starts6, inside6 = _starts([(one.first, one.last) for one in ranges if one.version == 6], 16)
    policies = [
        (
            one.default,
            {str(each): group for group in ("business", "non_business", "blocked") for each in one.named(group)},
        )
        for one in policy.data_groups.policies
    ]

    def tenures(service: str, user: str) -> tuple[list[_Tenure], list[_Tenure]]:
        """Return what concerns a person: grants and exclusions with their past."""
        granted, excluded, named = grants[service][6:]
        _, _, _, within, direct, groups, _ = people[user]
        mine, against = named.get(user, ([], []))
        for one in (within | groups) & granted.keys():
            mine = mine + [each for each in granted[one] if not each[6] or one in direct or one in groups]
        for one in (within | groups) & excluded.keys():
            against = against + [each for each in excluded[one] if not each[6] or one in direct or one in groups]
        return mine, against

    def kept(service: str, user: str, accepted: int, at: int) -> bool:
        """Whether a link is kept where a new one would not be let in."""
        mine, against = tenures(service, user)
        if any(
            ended == _NEVER and at < until and not (how == "keep" and accepted < since)
            for since, ended, _, until, _, how, _ in against
        ):
            return False
        return any(
            at < until and (ended == _NEVER or (how == "keep" and since <= accepted < ended))
            for since, ended, _, until, _, how, _ in mine
        )

    def older(service: str, user: str, accepted: int) -> bool:
        """Whether a link older than the last edit that may have ended it has ended."""
        mine, against = tenures(service, user)
        if any(each[4] > accepted or (each[0] > accepted and each[5] == "revoke") for each in against):
            return True
        return _ended(mine, accepted)

    # One function by design: nothing on its way costs a call.
    def decide(  # noqa: C901, PLR0911, PLR0912, PLR0915 - the floor is one function on purpose
        service: str,
        user: str,
        at: int,
        scopes: frozenset[str],
        address: str | None,
        connectors: frozenset[str] | None,
        link: _Link | None,
    ) -> bool:
        known = services.get(service)
        if known is None:
            return False
        enabled, editions, its_products, available, its_scopes, scope_products, service_epoch = known
        if not enabled or not available or edition not in editions or service in quarantined:
            return False
        if (its_products and products.isdisjoint(its_products)) or not its_scopes.issuperset(scopes):
            return False
        person = people.get(user)
        if person is None:
            return False
        active, also, his_products, within, direct, groups, user_epoch = person
        if not active or not also:
            return False
        for scope in scopes:
            product = scope_products.get(scope)
            if product is not None and product not in his_products:
                return False
        by_name, barred, opened, closed, newest_end, newest_exclusion, *_ = grants[service]
        granted = at < by_name.get(user, 0)
        if not granted:
            everyone, organizations, named_organizations, by_group, named_groups = opened
            for one in within & named_organizations:
                until, below = organizations[one]
                if at < until and (below or one in direct):
                    granted = True
                    break
            else:
                for group in groups & named_groups:
                    if at < by_group[group]:
                        granted = True
                        break
                else:
                    granted = at < everyone
        if granted:
            everyone, organizations, named_organizations, by_group, named_groups = closed
            if at < barred.get(user, 0) or at < everyone:
                granted = False
            for one in within & named_organizations:
                until, below = organizations[one]
                if at < until and (below or one in direct):
                    granted = False
            for group in groups & named_groups:
                if at < by_group[group]:
                    granted = False
        if not granted and (link is None or not kept(service, user, link[4], at)):
            return False
        if address is None:
            return False
        try:
            if ":" not in address:
                if not inside4[bisect_right(starts4, inet_pton(AF_INET, address))]:
                    return False
            else:
                packed = inet_pton(AF_INET6, address)
                if packed[:12] == _MAPPED:
                    if not inside4[bisect_right(starts4, packed[12:])]:
                        return False
                elif not inside6[bisect_right(starts6, packed)]:
                    return False
        except OSError:
            return False
        if connectors is not None:
            for default, named in policies:
                seen = {named.get(connector, default) for connector in connectors}
                if "blocked" in seen or len(seen) > 1:
                    return False
        if link is not None:
            of, owner, live, epochs, accepted, expires, covered = link
            if of != service or owner != user or not live or at >= expires or not covered >= scopes:
                return False
            if epochs != (tenant_epoch, service_epoch, user_epoch, 0):
                return False
            if (accepted < newest_end or accepted < newest_exclusion) and older(service, user, accepted):
                return False
        return True

    return decide
