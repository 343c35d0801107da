"""DataPolicy: one data policy of Power Platform, as a copy (S6; DATAGROUPS R1-R3, R7-R11).

Rules: a policy puts each connector in exactly one of Business, Non-Business and Blocked; a connector it does not name,
one invented later included, is in its default group. It applies to all environments, to all but some, or only to some,
and never to a resource that it lists as exempt. A custom connector that a tenant's policy does not name is where the
first host pattern that fits puts it. An illegal policy cannot be built; one that only older rules allowed can.

The setting itself lives in Power Platform, so a policy says where its copy comes from and of which date (TRACE T8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import combinations, islice
from typing import Final, Literal, TypedDict, TypeVar, cast

import attrs

from extlink.domain.connector import (
    MAX_CONNECTORS,
    NEVER_CLASSIFIED,
    UNBLOCKABLE,
    canonical_place,
    parse_connector,
    parse_connector_set,
)
from extlink.domain.connector_rules import (
    GROUPS,
    IGNORE_ALL,
    ActionRules,
    Behaviour,
    Classification,
    CustomConnector,
    EndpointRules,
    Group,
    HostPattern,
    check_choice,
    check_order,
    shown,
)
from extlink.domain.identifier import ConnectorId, PolicyId, parse_id, parse_items
from extlink.domain.pattern import fits, read_endpoint
from extlink.errors import InvalidInput

__all__ = [
    "GROUPS",
    "MAX_CONNECTORS",
    "MAX_ENVIRONMENTS",
    "MAX_EXEMPT",
    "DataPolicy",
    "Group",
    "PolicyFields",
    "PolicyLevel",
    "PolicyScope",
    "parse_id_set",
    "shown",
]

PolicyScope = Literal["all", "except", "only"]
_R = TypeVar("_R", ActionRules, EndpointRules)
PolicyLevel = Literal["tenant", "environment"]

# Microsoft's own limit of exemptions is 2,000 a policy (dlp-resource-exemption.md).
MAX_ENVIRONMENTS: Final = 10_000
MAX_EXEMPT: Final = 2_000
_MAX_TEXT: Final = 1_000
_MAX_RULES: Final = 1_000
_SCOPES: Final[tuple[PolicyScope, ...]] = ("all", "except", "only")
_LEVELS: Final[tuple[PolicyLevel, ...]] = ("tenant", "environment")


def parse_id_set(
    values: object, field: str, limit: int, parse: Callable[[object, str], str] = parse_id
) -> frozenset[str]:
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
    found = frozenset(parse(item, field) for item in items)
    if len(items) > limit:
        raise InvalidInput(field, f"expected at most {limit} ids")
    return found


def _group(values: Iterable[str], field: str) -> frozenset[ConnectorId]:
    # What is never classified is in no group, whoever names it (R11).
    named = cast("frozenset[ConnectorId]", parse_id_set(values, field, MAX_CONNECTORS, parse_connector))
    return named - NEVER_CLASSIFIED


def _business(values: Iterable[str]) -> frozenset[ConnectorId]:
    return _group(values, "business")


def _non_business(values: Iterable[str]) -> frozenset[ConnectorId]:
    return _group(values, "non_business")


def _blocked(values: Iterable[str]) -> frozenset[ConnectorId]:
    return _group(values, "blocked")


def _environments(values: Iterable[str]) -> frozenset[str]:
    return parse_id_set(values, "environments", MAX_ENVIRONMENTS, canonical_place)


def _exempt(values: Iterable[str]) -> frozenset[str]:
    return parse_id_set(values, "exempt", MAX_EXEMPT, canonical_place)


def _hosts(values: Iterable[HostPattern | tuple[str, str]]) -> tuple[HostPattern, ...]:
    found: list[HostPattern] = []
    for item in parse_items(values, "hosts", _MAX_RULES):
        if type(item) is HostPattern:
            found.append(item)
            continue
        pair = parse_items(item, "hosts", 2)
        if len(pair) != 2:  # noqa: PLR2004 - a pair
            raise InvalidInput("hosts", "expected pairs of a pattern and a group")
        found.append(HostPattern(cast("str", pair[0]), cast("Classification", pair[1])))
    check_order("hosts", (one.pattern for one in found))
    return tuple(found)


def _rules(values: object, field: str, kind: type[_R]) -> tuple[_R, ...]:
    """Return rules about connectors, one for each connector, in the order of ids."""
    found: dict[ConnectorId, _R] = {}
    for item in parse_items(values, field, _MAX_RULES):
        if type(item) is not kind:
            raise InvalidInput(field, f"expected {kind.__name__}, got {type(item).__name__}")
        if found.setdefault(item.connector, item) != item:
            raise InvalidInput(field, f"connector {shown(item.connector)} has two sets of rules; keep one of them")
    return tuple(found[connector] for connector in sorted(found))


def _actions(values: Iterable[ActionRules]) -> tuple[ActionRules, ...]:
    return _rules(values, "actions", ActionRules)


def _endpoints(values: Iterable[EndpointRules]) -> tuple[EndpointRules, ...]:
    return _rules(values, "endpoints", EndpointRules)


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


def _check_group(_policy: DataPolicy, attribute: attrs.Attribute[Group], value: object) -> None:
    check_choice(attribute.name, value, GROUPS)


def _check_scope(_policy: DataPolicy, attribute: attrs.Attribute[PolicyScope], value: object) -> None:
    check_choice(attribute.name, value, _SCOPES)


def _check_level(_policy: DataPolicy, attribute: attrs.Attribute[PolicyLevel], value: object) -> None:
    check_choice(attribute.name, value, _LEVELS)


class ActionFields(TypedDict):
    """`ActionRules` as plain data."""

    connector: str
    default: Behaviour
    rules: list[list[str]]


class EndpointFields(TypedDict):
    """`EndpointRules` as plain data."""

    connector: str
    rules: list[list[str]]


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
    level: PolicyLevel
    hosts: list[list[str]]
    actions: list[ActionFields]
    endpoints: list[EndpointFields]
    source: str
    as_of: str


@attrs.frozen(kw_only=True)
class DataPolicy:
    """One data policy of Power Platform, as a copy (DATAGROUPS R1-R3, R7-R11).

    Args:
        id: the policy's immutable id in Power Platform; `name` is for people and may change.
        business, non_business, blocked: the connectors named in each group; each connector in one of them at most.
        default: the group of every connector not named, one invented later included; Power Platform starts with
            `non_business`.
        scope: `all` environments, all `except` those in `environments`, or `only` those in `environments`.
        environments: ids of environments; empty if and only if the scope is `all` (`except` may be empty as well).
        exempt: ids of resources (flows, apps) to which this policy does not apply; at most 2,000.
        level: `environment` for a policy of one environment's own administrators; it knows custom connectors by name.
        hosts: host patterns of a tenant's policy for the custom connectors that it does not name, ordered, the first
            that fits decides, the last is `*`; Power Platform starts with `* ignore`: this policy has no opinion.
        actions: which actions of a connector may be used; of a connector without rules, every one.
        endpoints: which endpoints of a connector may be called; of a connector without rules, every one.
        source: where this copy comes from, for people.
        as_of: of which date the copy is, in ISO 8601, or empty where nobody knows.

    Raises:
        InvalidInput: malformed, a connector in two groups, an environment list that does not fit the scope or the
            level, host patterns in an environment's policy, or beyond a limit.

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
    level: PolicyLevel = attrs.field(default="tenant", validator=_check_level)
    hosts: tuple[HostPattern, ...] = attrs.field(default=IGNORE_ALL, converter=_hosts)
    actions: tuple[ActionRules, ...] = attrs.field(default=(), converter=_actions)
    endpoints: tuple[EndpointRules, ...] = attrs.field(default=(), converter=_endpoints)
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
        if self.level == "environment" and (self.scope != "only" or len(self.environments) != 1):
            raise InvalidInput("level", "expected scope 'only' and one environment with level 'environment'")
        if self.level == "environment" and self.hosts != IGNORE_ALL:
            raise InvalidInput("hosts", "expected none with level 'environment': it knows custom connectors by name")

    def named(self, group: Group) -> frozenset[ConnectorId]:
        """Return the connectors that the policy itself names in a group."""
        check_choice("group", group, GROUPS)
        return {"business": self.business, "non_business": self.non_business, "blocked": self.blocked}[group]

    def group_of(self, connector: str | CustomConnector, unblockable: Iterable[str] = UNBLOCKABLE) -> Classification:
        """Return where this policy puts a connector (R1, R7, R8, R11).

        Args:
            connector: an id, or a custom connector with its host.
            unblockable: connectors that a default of Blocked puts in Non-Business; one that is named in Blocked stays.

        Returns:
            Where it is named; else, of a custom connector in a tenant's policy, where the first pattern that fits its
            host says; else the default group. `ignore`: the policy has no opinion.

        >>> policy = DataPolicy(id="p", hosts=[("https://*.example.com", "blocked"), ("*", "ignore")])
        >>> policy.group_of(CustomConnector("orders", "https://api.example.com")), policy.group_of("shared_slack")
        ('blocked', 'non_business')
        """
        custom = connector if type(connector) is CustomConnector else None
        parsed = parse_connector(connector, "connector") if custom is None else custom.id
        if parsed in NEVER_CLASSIFIED:
            return "ignore"
        for group in GROUPS:
            if parsed in self.named(group):
                return group
        if custom is not None and self.level == "tenant":
            reading = read_endpoint(custom.url)
            return next(one.group for one in self.hosts if fits(one.pattern, reading))
        known = type(unblockable) is frozenset  # as it is compiled: a set is looked through once, not at each call
        spared = cast("frozenset[str]", unblockable) if known else parse_connector_set(unblockable, "unblockable")
        is_spared = self.default == "blocked" and custom is None and parsed in spared
        return "non_business" if is_spared else self.default

    def applies_to(self, environment: str | None = None, resource: str | None = None) -> bool:
        """Return whether the policy applies (R2, R3); an environment or resource that is not known is taken strictly.

        >>> policy = DataPolicy(id="p", scope="except", environments=["prod"], exempt=["flow-1"])
        >>> policy.applies_to("dev"), policy.applies_to("prod"), policy.applies_to("dev", "flow-1"), policy.applies_to()
        (True, False, False, True)
        """
        is_exempt = resource is not None and canonical_place(resource, "resource") in self.exempt
        is_named = environment is not None and canonical_place(environment, "environment") in self.environments
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
            "level": self.level,
            "hosts": [[one.pattern, one.group] for one in self.hosts],
            "actions": [
                {"connector": one.connector, "default": one.default, "rules": [list(rule) for rule in one.rules]}
                for one in self.actions
            ],
            "endpoints": [
                {"connector": one.connector, "rules": [[rule.pattern, rule.behaviour] for rule in one.rules]}
                for one in self.endpoints
            ],
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
        rules = {
            "actions": _read_rules(given["actions"], "actions", ActionRules),
            "endpoints": _read_rules(given["endpoints"], "endpoints", EndpointRules),
        }
        return cls(**cast("PolicyFields", {**given, **rules}))  # type: ignore[arg-type]  # converted by the fields


def _read_rules(values: object, field: str, kind: Callable[..., _R]) -> list[_R]:
    try:
        return [kind(**item) for item in cast("Iterable[Mapping[str, object]]", parse_items(values, field, _MAX_RULES))]
    except InvalidInput as exc:
        raise InvalidInput(field, exc.problem) from exc
    except Exception as exc:
        raise InvalidInput(field, "expected rules as to_fields writes them, got something else") from exc
