"""DataPolicy: one data policy of Power Platform, as a copy (S6; DATAGROUPS R1-R3).

Rules: a policy puts each connector in exactly one of Business, Non-Business and Blocked; a connector it does not name,
one invented later included, is in its default group. It applies to all environments, to all but some, or only to some,
and never to a resource that it lists as exempt. An illegal policy cannot be built.

The setting itself lives in Power Platform, so a policy says where its copy comes from and of which date (TRACE T8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import combinations, islice
from typing import Final, Literal, TypedDict, cast

import attrs

from extlink.domain.identifier import ConnectorId, PolicyId, parse_id
from extlink.errors import InvalidInput

__all__ = [
    "GROUPS",
    "MAX_CONNECTORS",
    "MAX_ENVIRONMENTS",
    "MAX_EXEMPT",
    "DataPolicy",
    "Group",
    "PolicyFields",
    "PolicyScope",
    "parse_id_set",
    "shown",
]

Group = Literal["business", "non_business", "blocked"]
PolicyScope = Literal["all", "except", "only"]
GROUPS: Final[tuple[Group, ...]] = ("business", "non_business", "blocked")

# Microsoft publishes about 1,500 connectors; its own limit of exemptions is 2,000 a policy (dlp-resource-exemption.md).
MAX_CONNECTORS: Final = 10_000
MAX_ENVIRONMENTS: Final = 10_000
MAX_EXEMPT: Final = 2_000
_MAX_TEXT: Final = 1_000
_SCOPES: Final[tuple[PolicyScope, ...]] = ("all", "except", "only")


def shown(text: str) -> str:
    """Return a text as a message may name it: ASCII, at most 64 characters."""
    return ascii(text)[:64]


def parse_id_set(values: object, field: str, limit: int) -> frozenset[str]:
    """Return the distinct identifiers in a collection of at most `limit` items.

    Raises:
        InvalidInput: not a collection, too many items, or an item that is no identifier.
    """
    kind = type(values)
    if issubclass(kind, str | bytes | bytearray) or not issubclass(kind, Iterable):
        raise InvalidInput(field, f"expected a list of ids, got {kind.__name__}; write [...] around a single one")
    try:
        items = tuple(islice(cast("Iterable[object]", values), limit + 1))
    except Exception as exc:
        raise InvalidInput(field, f"expected a list of ids, got a {kind.__name__} that cannot be read") from exc
    found = frozenset(parse_id(item, field) for item in items)
    if len(items) > limit:
        raise InvalidInput(field, f"expected at most {limit} ids")
    return found


def _business(values: Iterable[str]) -> frozenset[ConnectorId]:
    return frozenset(map(ConnectorId, parse_id_set(values, "business", MAX_CONNECTORS)))


def _non_business(values: Iterable[str]) -> frozenset[ConnectorId]:
    return frozenset(map(ConnectorId, parse_id_set(values, "non_business", MAX_CONNECTORS)))


def _blocked(values: Iterable[str]) -> frozenset[ConnectorId]:
    return frozenset(map(ConnectorId, parse_id_set(values, "blocked", MAX_CONNECTORS)))


def _environments(values: Iterable[str]) -> frozenset[str]:
    return parse_id_set(values, "environments", MAX_ENVIRONMENTS)


def _exempt(values: Iterable[str]) -> frozenset[str]:
    return parse_id_set(values, "exempt", MAX_EXEMPT)


def _policy_id(value: str) -> PolicyId:
    return PolicyId(parse_id(value, "id"))


def _check_text(_policy: DataPolicy, attribute: attrs.Attribute[str], value: object) -> None:
    if type(value) is not str:
        raise InvalidInput(attribute.name, f"expected text, got {type(value).__name__}")
    if len(value) > _MAX_TEXT:
        raise InvalidInput(attribute.name, f"expected at most {_MAX_TEXT} characters, got {len(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput(
            attribute.name, f"expected text in Unicode, got {shown(value)} with a lone surrogate"
        ) from None


def _check_date(policy: DataPolicy, attribute: attrs.Attribute[str], value: object) -> None:
    _check_text(policy, attribute, value)
    text = cast("str", value)
    if not text:
        return
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(attribute.name, f"expected a date such as 2026-04-07, got {shown(text)}") from None


def _choice(field: str, value: object, choices: tuple[str, ...]) -> None:
    if type(value) is not str or value not in choices:
        got = shown(value) if type(value) is str else type(value).__name__
        raise InvalidInput(field, f"expected one of {', '.join(choices)}, got {got}")


def _check_group(_policy: DataPolicy, attribute: attrs.Attribute[Group], value: object) -> None:
    _choice(attribute.name, value, GROUPS)


def _check_scope(_policy: DataPolicy, attribute: attrs.Attribute[PolicyScope], value: object) -> None:
    _choice(attribute.name, value, _SCOPES)


class PolicyFields(TypedDict):
    """A `DataPolicy` as plain data that JSON can carry: what `to_fields` gives and `from_fields` takes."""

    id: str
    name: str
    business: list[str]
    non_business: list[str]
    blocked: list[str]
    default: Group
    scope: PolicyScope
    environments: list[str]
    exempt: list[str]
    source: str
    as_of: str


@attrs.frozen(kw_only=True)
class DataPolicy:
    """One data policy of Power Platform, as a copy (DATAGROUPS R1-R3).

    Args:
        id: the policy's immutable id in Power Platform; `name` is for people and may change.
        business, non_business, blocked: the connectors named in each group; each connector in one of them at most.
        default: the group of every connector not named, one invented later included; Power Platform starts with
            `non_business`.
        scope: `all` environments, all `except` those in `environments`, or `only` those in `environments`.
        environments: ids of environments; empty if and only if the scope is `all` (`except` may be empty as well).
        exempt: ids of resources (flows, apps) to which this policy does not apply; at most 2,000.
        source: where this copy comes from, for people.
        as_of: of which date the copy is, in ISO 8601, or empty where nobody knows.

    Raises:
        InvalidInput: malformed, a connector in two groups, an environment list that does not fit the scope, or beyond a
            limit.

    >>> policy = DataPolicy(id="p", business={"kintone", "dataverse"}, blocked={"twitter"})
    >>> policy.group_of("kintone"), policy.group_of("twitter"), policy.group_of("slack")
    ('business', 'blocked', 'non_business')
    """

    id: PolicyId = attrs.field(converter=_policy_id)
    name: str = attrs.field(default="", validator=_check_text)
    business: frozenset[ConnectorId] = attrs.field(default=frozenset(), converter=_business)
    non_business: frozenset[ConnectorId] = attrs.field(default=frozenset(), converter=_non_business)
    blocked: frozenset[ConnectorId] = attrs.field(default=frozenset(), converter=_blocked)
    default: Group = attrs.field(default="non_business", validator=_check_group)
    scope: PolicyScope = attrs.field(default="all", validator=_check_scope)
    environments: frozenset[str] = attrs.field(default=frozenset(), converter=_environments)
    exempt: frozenset[str] = attrs.field(default=frozenset(), converter=_exempt)
    source: str = attrs.field(default="", validator=_check_text)
    as_of: str = attrs.field(default="", validator=_check_date)

    def __attrs_post_init__(self) -> None:
        for one, other in combinations(GROUPS, 2):
            both = self.named(one) & self.named(other)
            if both:
                raise InvalidInput(
                    other, f"connector {shown(min(both))} is in {one} as well; name it in one group only"
                )
        if self.scope == "all" and self.environments:
            raise InvalidInput("environments", "expected none with scope 'all'; write scope='only' or scope='except'")
        if self.scope == "only" and not self.environments:
            raise InvalidInput("environments", "expected at least one with scope 'only': the policy would never apply")

    def named(self, group: Group) -> frozenset[ConnectorId]:
        """Return the connectors that the policy itself names in a group."""
        _choice("group", group, GROUPS)
        return {"business": self.business, "non_business": self.non_business, "blocked": self.blocked}[group]

    def group_of(self, connector: str) -> Group:
        """Return the one group this policy puts a connector in (R1): where it is named, else the default group."""
        parsed = parse_id(connector, "connector")
        for group in GROUPS:
            if parsed in self.named(group):
                return group
        return self.default

    def applies_to(self, environment: str | None = None, resource: str | None = None) -> bool:
        """Return whether the policy applies (R2, R3); an environment or resource that is not known is taken strictly.

        >>> policy = DataPolicy(id="p", scope="except", environments=["prod"], exempt=["flow-1"])
        >>> policy.applies_to("dev"), policy.applies_to("prod"), policy.applies_to("dev", "flow-1"), policy.applies_to()
        (True, False, False, True)
        """
        is_exempt = resource is not None and parse_id(resource, "resource") in self.exempt
        is_named = environment is not None and parse_id(environment, "environment") in self.environments
        if is_exempt or environment is None or self.scope == "all":
            return not is_exempt
        return is_named is (self.scope == "only")

    def to_fields(self) -> PolicyFields:
        """Return the policy as plain data, the same for equal policies; `from_fields` gives it back."""
        return {
            "id": self.id,
            "name": self.name,
            "business": sorted(self.business),
            "non_business": sorted(self.non_business),
            "blocked": sorted(self.blocked),
            "default": self.default,
            "scope": self.scope,
            "environments": sorted(self.environments),
            "exempt": sorted(self.exempt),
            "source": self.source,
            "as_of": self.as_of,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> DataPolicy:
        """Return the policy that `to_fields` wrote.

        A field that is missing or not known is refused, never guessed: either could stand for a rule that blocks.

        Raises:
            InvalidInput: not a mapping with exactly these fields, or a value that no policy has.

        >>> policy = DataPolicy(id="p", business={"kintone"})
        >>> DataPolicy.from_fields(policy.to_fields()) == policy
        True
        """
        try:
            given = dict(fields)
        except Exception as exc:
            raise InvalidInput("fields", f"expected a mapping, got {type(fields).__name__}") from exc
        known = PolicyFields.__required_keys__
        for field in known - given.keys():
            raise InvalidInput(field, "expected this field of a data policy, got none")
        if len(given) != len(known):
            raise InvalidInput("fields", f"expected only {', '.join(sorted(known))}")
        return cls(**cast("PolicyFields", given))
