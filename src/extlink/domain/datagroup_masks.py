"""The data policies of a tenant as bit masks: bit i of a mask is the i-th policy in the order of ids.

Rules: a connector that a policy names has the bit of that policy in one of its three masks, Business, Non-Business or
Blocked; any other connector the bit of the policy's default; one that no policy classifies has none at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from extlink.domain.connector import NEVER_CLASSIFIED
from extlink.domain.connector_rules import GROUPS, ActionRules, CustomConnector, EndpointRules
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.identifier import ConnectorId

__all__ = ["Masks", "bits", "custom_masks", "listed", "marks", "mask", "rule_bits", "unlisted"]

# Business, Non-Business, Blocked.
Masks = tuple[int, int, int]
_R = TypeVar("_R", ActionRules, EndpointRules)


def bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set.

    >>> list(bits(0b1010))
    [1, 3]
    """
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


def mask(flags: Iterable[bool]) -> int:
    """Return a mask of which bit i is the i-th flag.

    >>> mask([False, True, False, True])
    10
    """
    return sum(1 << bit for bit, is_set in enumerate(flags) if is_set)


def marks(sets: Iterable[Iterable[str]]) -> dict[str, int]:
    """Return, for each member of any of the sets, in which of them it is: bit i stands for the i-th set.

    >>> marks([{"a"}, {"a", "b"}])["a"]
    3
    """
    found: dict[str, int] = {}
    for bit, members in enumerate(sets):
        for member in members:
            found[member] = found.get(member, 0) | 1 << bit
    return found


def unlisted(policies: tuple[DataPolicy, ...]) -> Masks:
    """Return the masks of a connector that no policy names."""
    business, non_business, blocked = (mask(policy.default == group for policy in policies) for group in GROUPS)
    return business, non_business, blocked


def listed(policies: tuple[DataPolicy, ...], unblockable: Collection[ConnectorId]) -> Mapping[str, Masks]:
    """Return the masks of every connector that a policy names, that cannot be blocked, or that is never classified."""
    business, non_business, blocked = (marks(policy.named(group) for policy in policies) for group in GROUPS)
    default = unlisted(policies)
    spared = (default[0], default[1] | default[2], 0)
    found: dict[str, Masks] = {}
    for connector in business.keys() | non_business.keys() | blocked.keys() | frozenset(unblockable):
        named = (business.get(connector, 0), non_business.get(connector, 0), blocked.get(connector, 0))
        silent = ~(named[0] | named[1] | named[2])
        group = spared if connector in unblockable else default
        found[connector] = (
            named[0] | (group[0] & silent),
            named[1] | (group[1] & silent),
            named[2] | (group[2] & silent),
        )
    return {**found, **dict.fromkeys(NEVER_CLASSIFIED, (0, 0, 0))}


def custom_masks(policies: tuple[DataPolicy, ...], connector: CustomConnector) -> Masks:
    """Return the masks of a custom connector: each policy is asked, since only it knows which of its patterns fits."""
    groups = [policy.group_of(connector, frozenset()) for policy in policies]
    business, non_business, blocked = (mask(group == one for group in groups) for one in GROUPS)
    return business, non_business, blocked


def rule_bits(rules: Iterable[tuple[_R, ...]]) -> Mapping[str, tuple[tuple[int, _R], ...]]:
    """Return, for each connector, the rules about it, each with the number of its policy."""
    found: dict[str, list[tuple[int, _R]]] = {}
    for bit, of_policy in enumerate(rules):
        for one in of_policy:
            found.setdefault(one.connector, []).append((bit, one))
    return {connector: tuple(pairs) for connector, pairs in found.items()}
