"""The reader of Power Platform's data policies (S6; DATAGROUPS, "Rules").

The formats: what the Power Platform API answers for one policy (`policyDefinition` with its two companions), and flat
policies as `Get-DlpPolicy` exports them, alone, in `value`, or in ScubaGear's `dlp_policies`.

| place | content |
|---|---|
| `name`, `displayName` | the policy's immutable id; its name for people |
| `defaultConnectorsClassification` | `General` (non-business), `Confidential` (business), `Blocked` |
| `connectorGroups[].classification`, `.connectors[].id` | what each group names; nothing else is listed |
| `environmentType`, `environments[].name` | where it applies; `SingleEnvironment`: an environment's own policy |
| `lastModifiedTime` | the copy is not older than this |
| `connectorConfigurationsDefinition` | rules on actions and endpoints |
| `customConnectorUrlPatternsDefinition.rules[]` | `order`, `pattern`, `customConnectorRuleClassification` |

Rules: what comes out is a *copy* of Power Platform's setting and says so, with its date. Every item is taken or set
aside with its reason: a summary, which lists no connectors, is no policy without rules. A policy whose parts contradict
each other, or say what this reader does not know, is refused, naming the place: it might block. Exemptions are a
document of their own in Power Platform; `attrs.evolve(policy, exempt=...)` adds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Final, TypedDict, TypeVar, cast

import attrs

from extlink.domain.connector_rules import IGNORE_ALL, ActionRules, EndpointRules, Group, HostPattern
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.identifier import ConnectorId, PolicyId
from extlink.errors import InvalidInput
from extlink.feeds._connectors import read_id, read_ids
from extlink.feeds._items import shown_item
from extlink.feeds._json import kind, read_items, read_json, read_object, read_text
from extlink.feeds._policy_words import ACTIONS, CLASSES, ENDPOINTS, GROUPS, SCOPES
from extlink.feeds.published import SetAside

__all__ = ["SOURCE", "PublishedPolicies", "read_data_policies"]

SOURCE: Final = "copy of Power Platform's data policies"

_T = TypeVar("_T")
_Fields = dict[str, object]
# What a policy's definition holds beside its rules, and who changed it when: nothing that lets pass or stops.
_READ: Final = frozenset(
    {
        "name",
        "displayName",
        "defaultConnectorsClassification",
        "connectorGroups",
        "environmentType",
        "environments",
        "lastModifiedTime",
    }
)
_BESIDE: Final = frozenset({"createdBy", "createdTime", "lastModifiedBy", "etag", "isLegacySchemaVersion"})
_CONFIGURATIONS: Final = "connectorConfigurationsDefinition"
_PATTERNS: Final = "customConnectorUrlPatternsDefinition"
_COMPANIONS: Final = frozenset({_CONFIGURATIONS, _PATTERNS})
# ScubaGear wraps policies in a list in a list; nothing wraps them deeper.
_WRAPPED: Final = 3


@attrs.frozen(kw_only=True)
class PublishedPolicies:
    """The policies of a document, in its order, and what was set aside: each a copy of Power Platform's setting."""

    policies: tuple[DataPolicy, ...]
    set_aside: tuple[SetAside, ...]


def read_data_policies(data: str | bytes, *, as_of: date | None = None, source: str = SOURCE) -> PublishedPolicies:
    """Return the data policies of an answer of the API or of an export.

    Args:
        data: the whole document.
        as_of: the day the copy was made, where the host knows it; else the day of the policy's last change, which no
            copy is older than.
        source: where the copy comes from, for people.

    Raises:
        InvalidInput: not such a document; the field names the place, as `value[0].connectorGroups[2].connectors`.

    >>> found = read_data_policies('''{"name": "p1", "displayName": "Standard", "environmentType": "AllEnvironments",
    ...     "defaultConnectorsClassification": "General", "environments": [], "connectorGroups": [
    ...     {"classification": "Blocked", "connectors": [{"id": "shared_slack"}]}]}''')
    >>> sorted(found.policies[0].blocked), found.policies[0].source
    (['shared_slack'], "copy of Power Platform's data policies")
    """
    if as_of is not None and not isinstance(as_of, date):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput("as_of", f"expected a date, got {type(as_of).__name__}")
    aside: list[SetAside] = []
    policies: dict[str, DataPolicy] = {}
    for fields, place in _unpacked(read_json(data), "data", _WRAPPED):
        wrapped = "policyDefinition" in fields
        inside = f"{place}.policyDefinition" if wrapped else place
        definition = read_object(fields["policyDefinition"], inside) if wrapped else fields
        name = read_text(definition.get("name"), f"{inside}.name")
        aside.extend(SetAside(shown_item(key), "not known to this reader") for key in _unknown(fields, definition))
        if "connectorGroups" not in definition:
            aside.append(SetAside(shown_item(name), "a summary without connectors; read the policy itself"))
            continue
        if name in policies:
            raise InvalidInput(f"{inside}.name", f"expected each policy once, got {name[:64]!a} twice")
        grouped = _at(inside, partial(_policy, definition, inside, aside))
        read = _at(place, partial(_completed, grouped, _companions(fields, place, aside), source))
        policies[name] = read if as_of is None else attrs.evolve(read, as_of=as_of.isoformat()[:10])
    return PublishedPolicies(policies=tuple(policies.values()), set_aside=tuple(aside))


def _unpacked(value: object, place: str, depth: int) -> Iterator[tuple[dict[str, object], str]]:
    """Yield every policy of a document with its place, whichever way the document wraps it."""
    if kind(value) == "a list" and depth:
        for i, item in enumerate(read_items(value, place)):
            yield from _unpacked(item, f"{place}[{i}]", depth - 1)
        return
    fields = read_object(value, place)
    for wrapping in ("dlp_policies", "value"):
        if wrapping in fields and depth:
            inside = wrapping if place == "data" else f"{place}.{wrapping}"
            yield from _unpacked(read_items(fields[wrapping], inside), inside, depth)
            return
    yield fields, place


def _unknown(fields: _Fields, definition: _Fields) -> list[str]:
    """Return the keys that this reader does not know, in order: what they mean is for a person to judge."""
    known = _READ | _BESIDE | _COMPANIONS | {"policyDefinition"}
    return sorted((fields.keys() | definition.keys()) - known)


def _policy(definition: _Fields, place: str, aside: list[SetAside]) -> DataPolicy:
    groups = _groups(definition, place, aside)
    scope, level = _word(definition.get("environmentType"), SCOPES, f"{place}.environmentType")
    default = "defaultConnectorsClassification"
    return DataPolicy(
        id=PolicyId(cast("str", definition["name"])),
        name=cast("str", definition.get("displayName", "")),
        business=groups.get("business", ()),
        non_business=groups.get("non_business", ()),
        blocked=groups.get("blocked", ()),
        default=_word(definition.get(default), GROUPS, f"{place}.{default}"),
        scope=scope,
        level=level,
        environments=_environments(definition, f"{place}.environments", aside),
        as_of=_day(definition.get("lastModifiedTime")),
    )


def _at(place: str, make: Callable[[], _T]) -> _T:
    """Return what is built from a part of the document; an error of its fields names the place."""
    try:
        return make()
    except InvalidInput as error:
        if error.field.startswith(place):
            raise
        raise InvalidInput(f"{place}.{error.field}", error.problem) from error


def _word(value: object, words: Mapping[str, _T], place: str) -> _T:
    """Return what one of the vendor's words means; a word that is not known might mean that something is blocked."""
    found = words.get(value) if isinstance(value, str) else None
    if found is None:
        got = shown_item(value) if isinstance(value, str) else kind(value)
        raise InvalidInput(place, f"expected one of {', '.join(words)}, got {got}")
    return found


def _groups(definition: _Fields, place: str, aside: list[SetAside]) -> dict[Group, tuple[ConnectorId, ...]]:
    found: dict[Group, tuple[ConnectorId, ...]] = {}
    for i, item in enumerate(read_items(definition["connectorGroups"], f"{place}.connectorGroups")):
        inside = f"{place}.connectorGroups[{i}]"
        fields = read_object(item, inside)
        group = _word(fields.get("classification"), GROUPS, f"{inside}.classification")
        if group in found:
            raise InvalidInput(f"{inside}.classification", "expected each group once, got one twice")
        listing = read_items(fields.get("connectors"), f"{inside}.connectors")
        found[group] = read_ids(listing, f"{inside}.connectors", aside)
    return found


def _environments(definition: _Fields, place: str, aside: list[SetAside]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for i, item in enumerate(read_items(definition.get("environments"), place)):
        fields = read_object(item, f"{place}[{i}]")
        name = read_text(fields.get("name", fields.get("id")), f"{place}[{i}].name")
        if name in found:
            aside.append(SetAside(shown_item(name), "duplicate"))
        found[name] = None
    return tuple(found)


def _day(value: object) -> str:
    """Return the day of an instant, or nothing where the document has none; a placeholder is none."""
    text = value[:10] if isinstance(value, str) else ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


class _Companions(TypedDict):
    hosts: tuple[HostPattern, ...]
    actions: tuple[ActionRules, ...]
    endpoints: tuple[EndpointRules, ...]


def _companions(fields: _Fields, place: str, aside: list[SetAside]) -> _Companions:
    inside = f"{place}.{_CONFIGURATIONS}"
    rules = _optional(fields, _CONFIGURATIONS, inside)
    aside.extend(
        SetAside(shown_item(key), "not known to this reader")
        for key in sorted(rules.keys() - {"connectorActionConfigurations", "endpointConfigurations"})
    )
    actions = _each(rules, "connectorActionConfigurations", inside)
    endpoints = _each(rules, "endpointConfigurations", inside)
    return {
        "hosts": _hosts(_optional(fields, _PATTERNS, f"{place}.{_PATTERNS}"), f"{place}.{_PATTERNS}"),
        "actions": tuple(_at(where, partial(_action_rules, one, where)) for one, where in actions),
        "endpoints": tuple(_at(where, partial(_endpoint_rules, one, where)) for one, where in endpoints),
    }


def _completed(policy: DataPolicy, companions: _Companions, source: str) -> DataPolicy:
    return attrs.evolve(policy, **companions, source=source)


def _optional(fields: _Fields, name: str, place: str) -> _Fields:
    value = fields.get(name)
    return {} if value is None else read_object(value, place)


def _each(fields: _Fields, name: str, place: str) -> Iterator[tuple[_Fields, str]]:
    """Yield the objects of a list with their places; a list that is not there is empty."""
    listing = fields.get(name)
    for i, item in enumerate([] if listing is None else read_items(listing, f"{place}.{name}")):
        yield read_object(item, f"{place}.{name}[{i}]"), f"{place}.{name}[{i}]"


def _ordered(fields: _Fields, name: str, place: str) -> list[tuple[_Fields, str]]:
    """Return the rules of an ordered list; the orders are 1 to N, each once (R8, R10)."""
    rules = list(_each(fields, name, place))
    found = {one.get("order"): (one, where) for one, where in rules if type(one.get("order")) is int}
    if found.keys() != set(range(1, len(rules) + 1)):
        raise InvalidInput(f"{place}.{name}", f"expected the orders 1 to {len(rules)}, each once")
    return [found[order] for order in range(1, len(rules) + 1)]


def _hosts(fields: _Fields, place: str) -> tuple[HostPattern, ...]:
    rules = _ordered(fields, "rules", place)
    return IGNORE_ALL if not rules else tuple(_at(where, partial(_host, one, where)) for one, where in rules)


def _host(rule: _Fields, place: str) -> HostPattern:
    key = "customConnectorRuleClassification"
    return HostPattern(cast("str", rule.get("pattern")), _word(rule.get(key), CLASSES, f"{place}.{key}"))


def _action_rules(fields: _Fields, place: str) -> ActionRules:
    default = "defaultConnectorActionRuleBehavior"
    return ActionRules(
        connector=read_id(fields.get("connectorId"), f"{place}.connectorId"),
        default=_word(fields.get(default), ACTIONS, f"{place}.{default}"),
        rules=tuple(
            (
                read_text(one.get("actionId"), f"{where}.actionId"),
                _word(one.get("behavior"), ACTIONS, f"{where}.behavior"),
            )
            for one, where in _each(fields, "actionRules", place)
        ),
    )


def _endpoint_rules(fields: _Fields, place: str) -> EndpointRules:
    # The API writes `endPoint`, the PowerShell documents write `endpoint`.
    return EndpointRules(
        connector=read_id(fields.get("connectorId"), f"{place}.connectorId"),
        rules=[
            (
                cast("str", one.get("endPoint", one.get("endpoint"))),
                _word(one.get("behavior"), ENDPOINTS, f"{where}.behavior"),
            )
            for one, where in _ordered(fields, "endpointRules", place)
        ],
    )
