"""DataGroupPolicy: which connectors may meet in one flow, over all data policies of a tenant (S6; DATAGROUPS R1-R6).

Rules: all policies that apply hold together. A flow is allowed if and only if no applicable policy blocks one of its
connectors or sees both Business and Non-Business among them. No policy overrides another, so order and duplicates never
matter, and a further policy never allows more (laws 2 and 5).

What is not known is taken strictly. Without an environment every policy applies, those for other environments too, and
without a resource nothing is exempt: whatever is allowed then is allowed in every environment, so leaving a fact out
never turns a refusal into permission.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, cast

import attrs

from extlink.domain.datapolicy import GROUPS, MAX_CONNECTORS, DataPolicy, Group, PolicyScope, parse_id_set, shown
from extlink.domain.identifier import MAX_BYTES, ConnectorId, PolicyId, parse_id
from extlink.errors import InvalidInput

__all__ = ["MAX_POLICIES", "DataGroupPolicy", "DataPolicy", "Group", "Mixed", "PolicyScope", "Verdict"]

MAX_POLICIES: Final = 1_000

# Bit i of each mask is the i-th policy in the order of ids: (business, non-business, blocked).
_Masks = tuple[int, int, int]


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
        applicable: the policies that were asked; empty: no policy applies, everything is allowed.
    """

    blocked: tuple[tuple[ConnectorId, tuple[PolicyId, ...]], ...] = ()
    mixed: tuple[Mixed, ...] = ()
    applicable: tuple[PolicyId, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether no connector is blocked and no policy keeps two of them apart."""
        return not (self.blocked or self.mixed)

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


@attrs.frozen
class DataGroupPolicy:
    """All data policies of a tenant together (S6): may these connectors meet in one flow?

    Compiled once to three bit masks per connector - Business, Non-Business, Blocked; bit i is the i-th policy - so that
    a flow costs one look-up and three ORs per connector, and the bits that remain *are* the policies to blame.

    Args:
        policies: in any order; one given twice counts once.

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
    _listed: Mapping[str, _Masks] = attrs.field(init=False, repr=False, eq=False)
    _unlisted: _Masks = attrs.field(init=False, repr=False, eq=False)
    _all: int = attrs.field(init=False, repr=False, eq=False)
    _elsewhere: int = attrs.field(init=False, repr=False, eq=False)
    _places: Mapping[str, int] = attrs.field(init=False, repr=False, eq=False)
    _exempt: Mapping[str, int] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        everywhere = _mask(policy.scope == "all" for policy in self.policies)
        outside = _mask(policy.scope == "except" for policy in self.policies)
        inside = _mask(policy.scope == "only" for policy in self.policies)
        named = _marks(policy.environments for policy in self.policies)
        places = {each: everywhere | (outside & ~marks) | (inside & marks) for each, marks in named.items()}
        compiled = {
            "_listed": _listed(self.policies),
            "_unlisted": _unlisted(self.policies),
            "_all": everywhere | outside | inside,
            "_elsewhere": everywhere | outside,
            "_places": places,
            "_exempt": _marks(policy.exempt for policy in self.policies),
        }
        for field, value in compiled.items():
            object.__setattr__(self, field, value)

    def allows(self, connectors: Iterable[str], environment: str | None = None, resource: str | None = None) -> bool:
        """Return whether the connectors may meet in one flow: the short answer of `verdict`, next to nothing allocated.

        Args:
            connectors: ids of all connectors of the flow.
            environment: where the flow lives; None, not known: every policy applies.
            resource: the flow's own id, for exemptions; None: exempt from nothing.

        Raises:
            InvalidInput: not a list of ids.
        """
        flow = cast("frozenset[str]", connectors)
        if type(flow) is not frozenset or len(flow) > MAX_CONNECTORS:
            flow = parse_id_set(connectors, "connectors", MAX_CONNECTORS)
        listed = self._listed
        business = non_business = blocked = 0
        for connector in flow:
            masks = listed.get(connector) if type(connector) is str else None
            if masks is None:
                masks = self._masks(connector)
            business |= masks[0]
            non_business |= masks[1]
            blocked |= masks[2]
        guilty = (business & non_business) | blocked
        if environment is not None or resource is not None:
            guilty &= self._applicable(environment, resource)
        return not guilty

    def verdict(
        self, connectors: Iterable[str], environment: str | None = None, resource: str | None = None
    ) -> Verdict:
        """Return whether the connectors may meet in one flow, and every policy that objects (R3-R5).

        Arguments and errors as `allows`; the two always agree (law 3). Everything is in order of ids.

        >>> only = DataPolicy(id="dev-only", blocked={"slack"}, scope="only", environments=["dev"])
        >>> verdict = DataGroupPolicy([only]).verdict(["slack", "kintone"], environment="dev")
        >>> verdict.allowed, verdict.blocked
        (False, (('slack', ('dev-only',)),))
        """
        applicable = self._applicable(environment, resource)
        flow = [
            (ConnectorId(each), self._listed.get(each, self._unlisted))
            for each in sorted(parse_id_set(connectors, "connectors", MAX_CONNECTORS))
        ]
        business = non_business = 0
        for _, masks in flow:
            business |= masks[0]
            non_business |= masks[1]
        mixed = business & non_business & applicable
        return Verdict(
            blocked=tuple((each, self._named(masks[2] & applicable)) for each, masks in flow if masks[2] & applicable),
            mixed=tuple(
                Mixed(
                    policy=self.policies[bit].id,
                    business=tuple(each for each, masks in flow if masks[0] >> bit & 1),
                    non_business=tuple(each for each, masks in flow if masks[1] >> bit & 1),
                )
                for bit in _bits(mixed)
            ),
            applicable=self._named(applicable),
        )

    def groups(
        self, connectors: Iterable[str], environment: str | None = None, resource: str | None = None
    ) -> tuple[tuple[ConnectorId, ...], ...]:
        """Return the connectors sorted into groups: those of one group may meet, those of two may not (R5).

        n applicable policies make at most 2 to the n groups. A blocked connector is in none.

        >>> DataGroupPolicy([DataPolicy(id="p", business={"a"}, blocked={"d"})]).groups(["a", "b", "c", "d"])
        (('a',), ('b', 'c'))
        """
        applicable = self._applicable(environment, resource)
        found: dict[int, list[ConnectorId]] = {}
        for each in sorted(parse_id_set(connectors, "connectors", MAX_CONNECTORS)):
            business, _, blocked = self._masks(each)
            if not blocked & applicable:
                found.setdefault(business & applicable, []).append(ConnectorId(each))
        return tuple(map(tuple, found.values()))

    def _masks(self, connector: str) -> _Masks:
        # Whoever is not listed is checked here, so that the hot path pays nothing for those who are.
        if type(connector) is str and connector.isascii() and 0 < len(connector) <= MAX_BYTES:
            return self._listed.get(connector, self._unlisted)
        return self._listed.get(parse_id(connector, "connectors"), self._unlisted)

    def _applicable(self, environment: str | None, resource: str | None) -> int:
        applicable = self._all
        if environment is not None:
            applicable = self._places.get(parse_id(environment, "environment"), self._elsewhere)
        if resource is not None:
            applicable &= ~self._exempt.get(parse_id(resource, "resource"), 0)
        return applicable

    def _named(self, mask: int) -> tuple[PolicyId, ...]:
        return tuple(self.policies[bit].id for bit in _bits(mask))


def _bits(mask: int) -> Iterator[int]:
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


def _mask(bits: Iterable[bool]) -> int:
    return sum(1 << bit for bit, is_set in enumerate(bits) if is_set)


def _marks(sets: Iterable[Iterable[str]]) -> dict[str, int]:
    """Return, for each member of any of the sets, in which of them it is: bit i stands for the i-th set."""
    marks: dict[str, int] = {}
    for bit, members in enumerate(sets):
        for member in members:
            marks[member] = marks.get(member, 0) | 1 << bit
    return marks


def _unlisted(policies: tuple[DataPolicy, ...]) -> _Masks:
    business, non_business, blocked = (_mask(policy.default == group for policy in policies) for group in GROUPS)
    return business, non_business, blocked


def _listed(policies: tuple[DataPolicy, ...]) -> dict[str, _Masks]:
    business, non_business, blocked = (_marks(policy.named(group) for policy in policies) for group in GROUPS)
    default = _unlisted(policies)
    listed: dict[str, _Masks] = {}
    for connector in business | non_business | blocked:
        named = (business.get(connector, 0), non_business.get(connector, 0), blocked.get(connector, 0))
        silent = ~(named[0] | named[1] | named[2])
        listed[connector] = (
            named[0] | (default[0] & silent),
            named[1] | (default[1] & silent),
            named[2] | (default[2] & silent),
        )
    return listed
