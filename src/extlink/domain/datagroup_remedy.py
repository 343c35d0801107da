"""A smallest change of the data policies that makes a flow legal: which connectors to move where (S6).

Rules: a move puts one connector into Business or Non-Business of one policy, by name. It touches no other policy, so
the fewest moves of all are the fewest of each: every blocked connector, and the smaller of the two sides that a policy
keeps apart. Nothing is ever moved to Blocked, and no policy is switched off, narrowed or deleted. Where both sides are
equally many, the partner is moved to the host's connector; what is still equal goes by the order of ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import attrs

from extlink.domain.connector_rules import GROUPS, Group
from extlink.domain.datagroup_masks import Masks, bits
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.identifier import ConnectorId, PolicyId

__all__ = ["Denied", "Move", "Unfixable", "apply_moves", "smallest_moves"]

_Side = Literal["business", "non_business"]
_SIDES: Final[tuple[_Side, ...]] = ("business", "non_business")


@attrs.frozen
class Denied:
    """An action or an endpoint that the flow uses, and the policies whose rules deny it (R9, R10).

    Args:
        what: the action's id; of an endpoint its text without user, query and fragment, cut at 64 characters.
    """

    connector: ConnectorId
    what: str
    policies: tuple[PolicyId, ...]


@attrs.frozen
class Move:
    """One thing to change in Power Platform: put a connector into another group of one policy.

    >>> print(Move("C", "shared_slack", "non_business", "business"))
    C: shared_slack from non_business to business
    """

    policy: PolicyId
    connector: ConnectorId
    from_group: Group
    to_group: _Side

    def __str__(self) -> str:
        return f"{self.policy}: {self.connector} from {self.from_group} to {self.to_group}"


@attrs.frozen(kw_only=True)
class Unfixable:
    """Why no moves make a flow legal: rules about its actions or endpoints deny it, whatever the groups.

    Args:
        actions, endpoints: what to change in the flow, or in those rules.
    """

    actions: tuple[Denied, ...] = ()
    endpoints: tuple[Denied, ...] = ()

    def __bool__(self) -> Literal[False]:
        return False


def smallest_moves(
    policies: tuple[DataPolicy, ...], parts: Mapping[ConnectorId, Masks], host: ConnectorId | None
) -> tuple[Move, ...]:
    """Return the fewest moves after which no policy blocks or keeps apart the connectors, in order of ids.

    Args:
        policies: those whose bits stand in the masks.
        parts: of each connector the three masks, without the policies that do not apply.
        host: the host's own connector, which stays where it is if that costs no further move.
    """
    business = non_business = blocked = 0
    for masks in parts.values():
        business, non_business, blocked = business | masks[0], non_business | masks[1], blocked | masks[2]
    found: list[Move] = []
    for bit in bits((business & non_business) | blocked):
        policy = policies[bit]
        groups = {one: tuple(masks[side] >> bit & 1 for side in range(3)) for one, masks in parts.items()}
        target = _target(policy, groups, host)
        for one in _elsewhere(groups, target):
            held: Group = next(group for place, group in enumerate(GROUPS) if groups[one][place] and group != target)
            found.append(Move(policy.id, one, held, target))
    return tuple(found)


_Groups = Mapping[ConnectorId, tuple[int, ...]]


def _elsewhere(groups: _Groups, target: _Side) -> list[ConnectorId]:
    side = GROUPS.index(target)
    return [one for one, has in groups.items() if any(has[:side]) or any(has[side + 1 :])]


def _target(policy: DataPolicy, groups: _Groups, host: ConnectorId | None) -> _Side:
    """Return the side that costs fewer moves; then the host's; then that of the first connector that has one."""
    costs = {side: len(_elsewhere(groups, side)) for side in _SIDES}
    if costs["business"] != costs["non_business"]:
        return min(_SIDES, key=costs.__getitem__)
    order = sorted(groups, key=lambda one: (one != host, one))
    for one in order:
        sides: list[_Side] = [side for place, side in enumerate(_SIDES) if groups[one][place]]
        if len(sides) == 1:
            return sides[0]
    return "business" if policy.default == "business" else "non_business"


def apply_moves(policies: Iterable[DataPolicy], moves: Iterable[Move]) -> tuple[DataPolicy, ...]:
    """Return the policies after the moves: each connector is named in its new group, and nowhere else.

    >>> policy = DataPolicy(id="C", business={"shared_kintone"})
    >>> sorted(apply_moves([policy], [Move("C", "shared_slack", "non_business", "business")])[0].business)
    ['shared_kintone', 'shared_slack']
    """
    found = {policy.id: policy for policy in policies}
    for move in moves:
        policy = found[move.policy]
        named = {group: policy.named(group) - {move.connector} for group in GROUPS}
        named[move.to_group] |= {move.connector}
        found[move.policy] = attrs.evolve(
            policy, business=named["business"], non_business=named["non_business"], blocked=named["blocked"]
        )
    return tuple(found.values())
