"""What a data policy says beside its three groups: host patterns, action rules, endpoint rules (DATAGROUPS R8-R10).

Rules: patterns are ordered, the first that fits decides, and the last is `*`, so that every host and endpoint has an
answer; Ignore stands on `*` alone. What cannot be read, or is not known before the flow runs, is taken strictly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, cast

import attrs

from extlink.domain.connector import parse_connector
from extlink.domain.identifier import ConnectorId, parse_id, parse_items, plain_text
from extlink.domain.pattern import fits, read_endpoint
from extlink.errors import InvalidInput

__all__ = [
    "CURRENT_ENVIRONMENT",
    "DYNAMIC",
    "GROUPS",
    "IGNORE_ALL",
    "ActionRules",
    "Behaviour",
    "Classification",
    "CustomConnector",
    "Endpoint",
    "EndpointRule",
    "EndpointRules",
    "Group",
    "HostPattern",
    "check_choice",
    "check_order",
    "parse_text",
    "shown",
]

Group = Literal["business", "non_business", "blocked"]
Classification = Literal["business", "non_business", "blocked", "ignore"]
Behaviour = Literal["allow", "deny"]
EndpointKind = Literal["literal", "dynamic", "current_environment"]
GROUPS: Final[tuple[Group, ...]] = ("business", "non_business", "blocked")
CLASSIFICATIONS: Final[tuple[Classification, ...]] = (*GROUPS, "ignore")
BEHAVIOURS: Final[tuple[Behaviour, ...]] = ("allow", "deny")
_KINDS: Final[tuple[EndpointKind, ...]] = ("literal", "dynamic", "current_environment")
_MAX_TEXT: Final = 2_000
_MAX_RULES: Final = 10_000
_ANY: Final = "*"


def shown(text: str) -> str:
    """Return a text as a message may name it: ASCII, at most 64 characters."""
    return ascii(text[:64])[:64]


def check_choice(field: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse what is none of the words.

    Raises:
        InvalidInput: something else.
    """
    if type(value) is not str or value not in choices:
        got = shown(value) if type(value) is str else type(value).__name__
        raise InvalidInput(field, f"expected one of {', '.join(choices)}, got {got}")


def parse_text(value: object, field: str) -> str:
    """Return a pattern or an endpoint: 1 to 2,000 characters that every store can hold.

    Raises:
        InvalidInput: something else; the text itself is not told, since an endpoint may hold a key.
    """
    text = plain_text(value)
    if text is None:
        raise InvalidInput(field, f"expected text, got {type(value).__name__}")
    if not 1 <= len(text) <= _MAX_TEXT:
        raise InvalidInput(field, f"expected 1 to {_MAX_TEXT} characters, got {len(text)}")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidInput(field, "expected text in Unicode, got a lone surrogate")
    return text


def _pattern(value: str) -> str:
    return parse_text(value, "pattern")


def _connector(value: str) -> ConnectorId:
    return parse_connector(value, "connector")


def _check_behaviour(_instance: object, attribute: attrs.Attribute[Behaviour], value: object) -> None:
    check_choice(attribute.name, value, BEHAVIOURS)


def _check_classification(_instance: object, attribute: attrs.Attribute[Classification], value: object) -> None:
    check_choice(attribute.name, value, CLASSIFICATIONS)


def _check_kind(_instance: object, attribute: attrs.Attribute[EndpointKind], value: object) -> None:
    check_choice(attribute.name, value, _KINDS)


def _id(value: str) -> ConnectorId:
    return parse_connector(value, "id")


def _host(value: str) -> str:
    return parse_text(value, "host")


@attrs.frozen
class CustomConnector:
    """A connector that the tenant made itself, with the host it calls (R8).

    Args:
        id: as in an environment's policy, which knows it by name.
        host: its host URL, which a tenant's patterns are asked about; without a scheme, `https` is meant.

    Raises:
        InvalidInput: no identifier, or a host that readers may read differently.

    >>> CustomConnector("shared_orders-5f04", "https://api.example.com")
    CustomConnector(id='shared_orders-5f04', host='https://api.example.com')
    """

    id: ConnectorId = attrs.field(converter=_id)
    host: str = attrs.field(converter=_host)

    def __attrs_post_init__(self) -> None:
        if not read_endpoint(self.url).readable:
            raise InvalidInput("host", "expected a URL such as https://api.example.com, got one that can be read twice")

    @property
    def url(self) -> str:
        """The host with its scheme."""
        return self.host if "://" in self.host else f"https://{self.host}"


@attrs.frozen
class HostPattern:
    """One row of a tenant policy's custom connectors: a host URL pattern and the group of what fits it (R8).

    >>> HostPattern("https://*.example.com", "blocked").group
    'blocked'
    """

    pattern: str = attrs.field(converter=_pattern)
    group: Classification = attrs.field(validator=_check_classification)

    def __attrs_post_init__(self) -> None:
        if self.group == "ignore" and self.pattern != _ANY:
            raise InvalidInput("group", f"expected ignore on * alone, got it on {shown(self.pattern)}")


# What a policy says of custom connectors until somebody says otherwise: nothing.
IGNORE_ALL: Final = (HostPattern(_ANY, "ignore"),)


def check_order(field: str, patterns: Iterable[str]) -> None:
    """Refuse a list of patterns that does not end with its only `*`.

    Raises:
        InvalidInput: no `*` at the end, or one before it, behind which nothing would ever be asked.
    """
    texts = tuple(patterns)
    if not texts or texts[-1] != _ANY:
        raise InvalidInput(field, "expected * as the last pattern, so that every endpoint has an answer")
    if _ANY in texts[:-1]:
        raise InvalidInput(field, "expected * once, as the last pattern; what stands behind one is never asked")


def _action_rules(
    values: Mapping[str, str] | tuple[tuple[str, str], ...],
) -> tuple[tuple[str, Behaviour], ...]:
    found: dict[str, tuple[str, Behaviour]] = {}
    for name, behaviour in _pairs(values, "rules"):
        action = parse_id(name, "rules")
        check_choice("rules", behaviour, BEHAVIOURS)
        pair = (action, cast("Behaviour", behaviour))
        if found.setdefault(action.lower(), pair)[1] != pair[1]:
            raise InvalidInput("rules", f"expected one word on each action, got two on {shown(action)}")
    return tuple(sorted(found.values()))


def _pairs(values: object, field: str) -> list[tuple[object, object]]:
    """Return the pairs of a mapping or of a list of pairs."""
    if issubclass(type(values), Mapping):
        try:
            values = list(cast("Mapping[object, object]", values).items())
        except Exception as exc:
            raise InvalidInput(field, f"expected values by name, got {type(values).__name__}") from exc
    found: list[tuple[object, object]] = []
    for item in parse_items(values, field, _MAX_RULES):
        pair = parse_items(item, field, 2)
        if len(pair) != 2:  # noqa: PLR2004 - a pair
            raise InvalidInput(field, "expected pairs")
        found.append((pair[0], pair[1]))
    return found


@attrs.frozen(kw_only=True)
class ActionRules:
    """Which actions of a connector a policy lets be used: a default, and what differs from it (R9).

    Args:
        connector: whose actions.
        default: `allow` or `deny`; holds for actions that are invented later.
        rules: what is said of single actions (and triggers), by id.

    >>> rules = ActionRules(connector="shared_github", default="deny", rules={"GetRepositoryById": "allow"})
    >>> rules.allows("GetRepositoryById"), rules.allows("DeleteRepository")
    (True, False)
    """

    connector: ConnectorId = attrs.field(converter=_connector)
    default: Behaviour = attrs.field(default="allow", validator=_check_behaviour)
    rules: tuple[tuple[str, Behaviour], ...] = attrs.field(default=(), converter=_action_rules)

    def allows(self, action: str) -> bool:
        """Return whether an action may be used; ids of actions have no case, so that none slips past a rule."""
        wanted = parse_id(action, "action").lower()
        return next((said for known, said in self.rules if known.lower() == wanted), self.default) == "allow"


@attrs.frozen
class Endpoint:
    """What a flow calls with a connector: a literal, a value that is known only when it runs, or its own environment.

    >>> Endpoint("https://api.example.com/orders").kind
    'literal'
    """

    text: str = attrs.field(default="")
    kind: EndpointKind = attrs.field(default="literal", validator=_check_kind)

    def __attrs_post_init__(self) -> None:
        if self.kind == "literal":
            object.__setattr__(self, "text", parse_text(self.text, "endpoint"))
        elif plain_text(self.text) != "":
            raise InvalidInput("endpoint", "expected no text where the endpoint is no literal")

    @property
    def shown(self) -> str:
        """The endpoint as a reason may name it: without user, query, options and fragment, where keys may stand."""
        if self.kind != "literal":
            return self.kind
        text = read_endpoint(self.text).text.partition("?")[0].partition(";")[0]
        return ascii(text)[1:-1][:64]


# A value computed when the flow runs: a variable, an expression, an input.
DYNAMIC: Final = Endpoint(kind="dynamic")
# Dataverse of the flow's own environment, which no endpoint rule can deny (R10).
CURRENT_ENVIRONMENT: Final = Endpoint(kind="current_environment")


@attrs.frozen
class EndpointRule:
    """One row of a connector's endpoints: a pattern and whether what fits it may be called (R10).

    >>> EndpointRule("*.example.com", "deny").behaviour
    'deny'
    """

    pattern: str = attrs.field(converter=_pattern)
    behaviour: Behaviour = attrs.field(validator=_check_behaviour)


def _endpoint_rules(values: Iterable[EndpointRule | tuple[str, str]]) -> tuple[EndpointRule, ...]:
    rules: list[EndpointRule] = []
    for item in parse_items(values, "rules", _MAX_RULES):
        if type(item) is EndpointRule:
            rules.append(item)
            continue
        ((pattern, behaviour),) = _pairs([item], "rules")
        rules.append(EndpointRule(cast("str", pattern), cast("Behaviour", behaviour)))
    check_order("rules", (rule.pattern for rule in rules))
    return tuple(rules)


@attrs.frozen(kw_only=True)
class EndpointRules:
    """Which endpoints of a connector a policy lets be called: ordered, the first that fits decides (R10).

    Args:
        connector: whose endpoints.
        rules: in order, each a rule or a pair of pattern and behaviour; the last is `*`.

    >>> ordered = [("server,test", "deny"), ("server,*", "allow"), ("*", "deny")]
    >>> rules = EndpointRules(connector="shared_sql", rules=ordered)
    >>> [rules.allows(text) for text in ("server,test", "server,prod", "other,prod")]
    [False, True, False]
    """

    connector: ConnectorId = attrs.field(converter=_connector)
    rules: tuple[EndpointRule, ...] = attrs.field(converter=_endpoint_rules)

    def allows(self, endpoint: Endpoint | str) -> bool:
        """Return whether an endpoint may be called; a text is a literal.

        What is known only when the flow runs gets the answer of the last rule, the strictest that Power Platform gives
        any (UI automation). A literal that can be read twice passes only where nothing at all is denied.
        """
        asked = endpoint if type(endpoint) is Endpoint else Endpoint(cast("str", endpoint))
        if asked.kind == "current_environment":
            return True
        if asked.kind == "dynamic":
            return self.rules[-1].behaviour == "allow"
        reading = read_endpoint(asked.text)
        if not reading.readable:
            return all(rule.behaviour == "allow" for rule in self.rules)
        return next(rule.behaviour for rule in self.rules if fits(rule.pattern, reading)) == "allow"
