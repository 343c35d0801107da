"""DataGroupPolicy: which connectors may meet in one flow, over all data policies of a tenant (S6; DATAGROUPS R1-R12).

Rules: all policies that apply hold together. A flow is allowed if and only if no applicable policy blocks one of its
connectors, sees both Business and Non-Business among them, or denies an action or an endpoint that the flow uses. No
policy overrides another, so order and duplicates never matter, and a further policy never allows more (laws 2 and 5).

What is not known is taken strictly. Without an environment every policy applies, those for other environments too, and
without a resource nothing is exempt: whatever is allowed then is allowed in every environment, so leaving a fact out
never turns a refusal into permission.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final, NamedTuple, cast

import attrs

from extlink.domain.connector import (
    MAX_CONNECTORS,
    UNBLOCKABLE,
    canonical_place,
    parse_connector,
    parse_connector_set,
)
from extlink.domain.connector_rules import ActionRules, Classification, CustomConnector, EndpointRules
from extlink.domain.datagroup_masks import Masks, bits, custom_masks, listed, marks, mask, rule_bits, unlisted
from extlink.domain.datagroup_remedy import Denied, Move, Unfixable, apply_moves, smallest_moves
from extlink.domain.datapolicy import DataPolicy, Group, PolicyScope, shown
from extlink.domain.flow import Connector, Flow, parse_connectors
from extlink.domain.identifier import ConnectorId, PolicyId, parse_id, parse_items
from extlink.errors import InvalidInput

__all__ = [
    "MAX_POLICIES",
    "DataGroupPolicy",
    "DataPolicy",
    "Denied",
    "Group",
    "Mixed",
    "Move",
    "PolicyScope",
    "Question",
    "Unfixable",
    "Verdict",
]

MAX_POLICIES: Final = 1_000
# What may be asked about: the connectors of a flow, or the flow with all that is known of it.
Question = Iterable[str | CustomConnector] | Flow


@attrs.frozen(kw_only=True)
class Mixed:
    """A policy that keeps the connectors of a flow apart, and on which side each is (R5)."""

    policy: PolicyId
    business: tuple[ConnectorId, ...]
    non_business: tuple[ConnectorId, ...]


@attrs.frozen(kw_only=True)
class Verdict:
    """The answer to one flow with all its reasons; `bool(verdict)` is `verdict.allowed`.

    Args:
        blocked: each connector that cannot be used at all, with the policies that block it (R4).
        mixed: each policy that keeps the flow's connectors apart (R5).
        actions, endpoints: what the flow uses and some policy denies (R9, R10).
        applicable: the policies that were asked; empty: no policy applies, everything is allowed.
    """

    blocked: tuple[tuple[ConnectorId, tuple[PolicyId, ...]], ...] = ()
    mixed: tuple[Mixed, ...] = ()
    actions: tuple[Denied, ...] = ()
    endpoints: tuple[Denied, ...] = ()
    applicable: tuple[PolicyId, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether nothing is blocked or denied and no policy keeps two connectors apart."""
        return not (self.blocked or self.mixed or self.actions or self.endpoints)

    def __bool__(self) -> bool:
        return self.allowed


def _policies(values: Iterable[DataPolicy]) -> tuple[DataPolicy, ...]:
    try:
        items = tuple(islice(values, MAX_POLICIES + 1))
    except Exception as exc:
        raise InvalidInput("policies", f"expected a list of DataPolicy, got {type(values).__name__}") from exc
    if len(items) > MAX_POLICIES:
        raise InvalidInput("policies", f"expected at most {MAX_POLICIES}")
    found: dict[PolicyId, DataPolicy] = {}
    for policy in items:
        if type(policy) is not DataPolicy:
            raise InvalidInput("policies", f"expected a DataPolicy, got {type(policy).__name__}")
        if found.setdefault(policy.id, policy) != policy:
            raise InvalidInput("policies", f"two different policies have the id {shown(policy.id)}; keep one of them")
    return tuple(found[policy] for policy in sorted(found))


class _Member(NamedTuple):
    """One flow of a family: what it uses, the policies that apply to it, and itself where more is known of it."""

    connectors: frozenset[Connector]
    applicable: int
    flow: Flow | None


def _unblockable(values: Iterable[str]) -> frozenset[ConnectorId]:
    return parse_connector_set(values, "unblockable")


@attrs.frozen
class DataGroupPolicy:
    """All data policies of a tenant together (S6): may these connectors meet in one flow?

    Compiled once to three bit masks per connector - Business, Non-Business, Blocked; bit i is the i-th policy - so that
    a flow costs one look-up and three ORs per connector, and the bits that remain *are* the policies to blame.

    Args:
        policies: in any order; one given twice counts once.
        unblockable: the connectors that cannot be blocked (R7): where a policy's default is Blocked, those that it does
            not name are Non-Business. One that a policy names in Blocked stays there: older rules let it be saved.

    Raises:
        InvalidInput: not policies, more than 1,000, or two different ones under the same id.

    >>> tenant = DataPolicy(id="tenant", business={"kintone", "outlook"}, blocked={"twitter"})
    >>> policy = DataGroupPolicy([tenant])
    >>> policy.allows(["kintone", "outlook"]), policy.allows(["kintone", "slack"]), policy.allows(["twitter"])
    (True, False, False)
    >>> policy.verdict(["kintone", "slack"]).mixed
    (Mixed(policy='tenant', business=('kintone',), non_business=('slack',)),)
    """

    policies: tuple[DataPolicy, ...] = attrs.field(default=(), converter=_policies)
    unblockable: frozenset[ConnectorId] = attrs.field(default=UNBLOCKABLE, converter=_unblockable, repr=False)
    _listed: Mapping[str, Masks] = attrs.field(init=False, repr=False, eq=False)
    _unlisted: Masks = attrs.field(init=False, repr=False, eq=False)
    _all: int = attrs.field(init=False, repr=False, eq=False)
    _elsewhere: int = attrs.field(init=False, repr=False, eq=False)
    _places: Mapping[str, int] = attrs.field(init=False, repr=False, eq=False)
    _exempt: Mapping[str, int] = attrs.field(init=False, repr=False, eq=False)
    _actions: Mapping[str, tuple[tuple[int, ActionRules], ...]] = attrs.field(init=False, repr=False, eq=False)
    _endpoints: Mapping[str, tuple[tuple[int, EndpointRules], ...]] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        everywhere = mask(policy.scope == "all" for policy in self.policies)
        outside = mask(policy.scope == "except" for policy in self.policies)
        inside = mask(policy.scope == "only" for policy in self.policies)
        named = marks(policy.environments for policy in self.policies)
        places = {each: everywhere | (outside & ~bit) | (inside & bit) for each, bit in named.items()}
        compiled = {
            "_listed": listed(self.policies, self.unblockable),
            "_unlisted": unlisted(self.policies),
            "_all": everywhere | outside | inside,
            "_elsewhere": everywhere | outside,
            "_places": places,
            "_exempt": marks(policy.exempt for policy in self.policies),
            "_actions": rule_bits(policy.actions for policy in self.policies),
            "_endpoints": rule_bits(policy.endpoints for policy in self.policies),
        }
        for field, value in compiled.items():
            object.__setattr__(self, field, value)

    def allows(self, connectors: Question, environment: str | None = None, resource: str | None = None) -> bool:
        """Return whether the connectors may meet in one flow: the short answer of `verdict`, next to nothing allocated.

        Args:
            connectors: ids of all connectors of the flow, or the flow itself.
            environment: where the flow lives; None: where the flow says, or, not known, every policy applies.
            resource: the flow's own id, for exemptions; None: what the flow says, or exempt from nothing.

        Raises:
            InvalidInput: neither a flow nor a list of connectors.
        """
        flow = cast("frozenset[str]", connectors)
        if type(flow) is not frozenset or len(flow) > MAX_CONNECTORS:
            if type(connectors) is Flow:
                return self.verdict(connectors, environment, resource).allowed
            flow = cast("frozenset[str]", parse_connectors(cast("Iterable[str]", connectors)))
        known = self._listed
        business = non_business = blocked = 0
        for connector in flow:
            masks = known.get(connector) if type(connector) is str else None
            if masks is None:
                masks = self._masks(cast("ConnectorId", connector))
            business |= masks[0]
            non_business |= masks[1]
            blocked |= masks[2]
        guilty = (business & non_business) | blocked
        if environment is not None or resource is not None:
            guilty &= self._applicable(environment, resource)
        return not guilty

    def verdict(self, connectors: Question, environment: str | None = None, resource: str | None = None) -> Verdict:
        """Return whether the connectors may meet in one flow, and every policy that objects (R3-R12).

        Arguments and errors as `allows`; the two always agree (law 3). Everything is in order of ids.

        >>> only = DataPolicy(id="dev-only", blocked={"slack"}, scope="only", environments=["dev"])
        >>> verdict = DataGroupPolicy([only]).verdict(["slack", "kintone"], environment="dev")
        >>> verdict.allowed, verdict.blocked
        (False, (('slack', ('dev-only',)),))
        """
        family = self._family(connectors, environment, resource)
        parts = self._parts(family)
        return Verdict(
            blocked=tuple((each, self._named(masks[2])) for each, masks in parts.items() if masks[2]),
            mixed=_mixed(self.policies, parts),
            actions=self._denied_actions(family),
            endpoints=self._denied_endpoints(family),
            applicable=self._named(_either(member.applicable for member in family)),
        )

    def remedy(
        self,
        connectors: Question,
        environment: str | None = None,
        resource: str | None = None,
        *,
        host: str | None = None,
    ) -> tuple[Move, ...] | Unfixable:
        """Return a smallest change of the policies after which the flow is allowed: which connectors to move where.

        No fewer moves do; none moves anything to Blocked. `moved` shows the policies after them.

        Args:
            connectors, environment, resource: as `allows`.
            host: the host's own connector; where it costs no further move, the partner is moved to its group.

        Returns:
            The moves in order of ids, none if the flow is allowed; or what no move can change.

        >>> policy = DataGroupPolicy([DataPolicy(id="C", business={"shared_kintone"})])
        >>> [str(move) for move in policy.remedy(["shared_kintone", "shared_slack"], host="shared_kintone")]
        ['C: shared_slack from non_business to business']
        """
        own = None if host is None else parse_connector(host, "host")
        family = self._family(connectors, environment, resource)
        actions, endpoints = self._denied_actions(family), self._denied_endpoints(family)
        if actions or endpoints:
            return Unfixable(actions=actions, endpoints=endpoints)
        return smallest_moves(self.policies, self._parts(family), own)

    def moved(self, moves: Iterable[Move]) -> DataGroupPolicy:
        """Return the policies as they are after some moves.

        Raises:
            InvalidInput: not moves, or of a policy that is not there.
        """
        found = parse_items(moves, "moves", MAX_CONNECTORS)
        known = {policy.id for policy in self.policies}
        for one in found:
            if type(one) is not Move or one.policy not in known:
                raise InvalidInput("moves", "expected moves in policies of this tenant")
        return attrs.evolve(self, policies=apply_moves(self.policies, cast("tuple[Move, ...]", found)))

    def groups(
        self, connectors: Iterable[str], environment: str | None = None, resource: str | None = None
    ) -> tuple[tuple[ConnectorId, ...], ...]:
        """Return the connectors sorted into groups: those of one group may meet, those of two may not (R5).

        n applicable policies make at most 2 to the n groups. A blocked connector is in none; nor is Content Conversion,
        which may meet them all (R11).

        >>> DataGroupPolicy([DataPolicy(id="p", business={"a"}, blocked={"d"})]).groups(["a", "b", "c", "d"])
        (('a',), ('b', 'c'))
        """
        applicable = self._applicable(environment, resource)
        found: dict[int, list[ConnectorId]] = {}
        for each in sorted(parse_connector_set(connectors, "connectors")):
            business, non_business, blocked = self._masks(each)
            is_classified = not self.policies or business | non_business | blocked
            if is_classified and not blocked & applicable:
                found.setdefault(business & applicable, []).append(each)
        return tuple(map(tuple, found.values()))

    def group_of(self, policy: str, connector: str | CustomConnector) -> Classification:
        """Return where one of the policies puts a connector (R1, R7, R8, R11).

        Raises:
            InvalidInput: no policy has this id.

        >>> DataGroupPolicy([DataPolicy(id="p", default="blocked")]).group_of("p", "shared_approvals")
        'non_business'
        """
        wanted = parse_id(policy, "policy")
        for known in self.policies:
            if known.id == wanted:
                return known.group_of(connector, self.unblockable)
        raise InvalidInput("policy", "expected the id of a policy of this tenant")

    def _family(self, asked: Question, environment: str | None, resource: str | None) -> tuple[_Member, ...]:
        """Return the flow and all that it starts, each with the policies that apply to it (R12)."""
        if type(asked) is not Flow:
            used = parse_connectors(cast("Iterable[str]", asked))
            return (_Member(used, self._applicable(environment, resource), None),)
        where = asked.environment if environment is None else environment
        own = asked.id if resource is None else resource
        return tuple(
            _Member(flow.uses(), self._applicable(where, own if flow is asked else flow.id), flow)
            for flow in asked.members()
        )

    def _parts(self, family: tuple[_Member, ...]) -> dict[ConnectorId, Masks]:
        """Return what the policies say of the connectors of some flows, in order of ids."""
        found: dict[ConnectorId, Masks] = {}
        for member in family:
            for each in member.connectors:
                masks = self._masks(each)
                name = each.id if isinstance(each, CustomConnector) else each
                known = found.get(name, (0, 0, 0))
                found[name] = (
                    known[0] | masks[0] & member.applicable,
                    known[1] | masks[1] & member.applicable,
                    known[2] | masks[2] & member.applicable,
                )
        return dict(sorted(found.items()))

    def _masks(self, connector: Connector) -> Masks:
        # Whoever is not listed as it is written is looked at here, so that the hot path pays nothing for those who are.
        if isinstance(connector, CustomConnector):
            return custom_masks(self.policies, connector)
        return self._listed.get(parse_connector(connector, "connectors"), self._unlisted)

    def _applicable(self, environment: str | None, resource: str | None) -> int:
        applicable = self._all
        if environment is not None:
            applicable = self._places.get(canonical_place(environment, "environment"), self._elsewhere)
        if resource is not None:
            applicable &= ~self._exempt.get(canonical_place(resource, "resource"), 0)
        return applicable

    def _denied_actions(self, family: tuple[_Member, ...]) -> tuple[Denied, ...]:
        rules = self._actions
        return self._denied(
            (
                connector,
                action,
                _either(1 << bit for bit, one in rules[connector] if not one.allows(action)),
                applicable,
            )
            for _, applicable, flow in family
            for connector, action in (() if flow is None else flow.actions)
            if connector in rules
        )

    def _denied_endpoints(self, family: tuple[_Member, ...]) -> tuple[Denied, ...]:
        rules = self._endpoints
        return self._denied(
            (
                connector,
                end.shown,
                _either(1 << bit for bit, one in rules[connector] if not one.allows(end)),
                applicable,
            )
            for _, applicable, flow in family
            for connector, end in (() if flow is None else flow.endpoints)
            if connector in rules
        )

    def _denied(self, said: Iterable[tuple[ConnectorId, str, int, int]]) -> tuple[Denied, ...]:
        found: dict[tuple[ConnectorId, str], int] = {}
        for connector, what, denying, applicable in said:
            if denying & applicable:
                found[connector, what] = found.get((connector, what), 0) | denying & applicable
        return tuple(Denied(one, what, self._named(guilty)) for (one, what), guilty in sorted(found.items()))

    def _named(self, mask: int) -> tuple[PolicyId, ...]:
        return tuple(self.policies[bit].id for bit in bits(mask))


def _either(masks: Iterable[int]) -> int:
    found = 0
    for one in masks:
        found |= one
    return found


def _mixed(policies: tuple[DataPolicy, ...], parts: Mapping[ConnectorId, Masks]) -> tuple[Mixed, ...]:
    business, non_business = (_either(masks[side] for masks in parts.values()) for side in (0, 1))
    return tuple(
        Mixed(
            policy=policies[bit].id,
            business=tuple(each for each, masks in parts.items() if masks[0] >> bit & 1),
            non_business=tuple(each for each, masks in parts.items() if masks[1] >> bit & 1),
        )
        for bit in bits(business & non_business)
    )
