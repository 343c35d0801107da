"""Flow: what a data policy sees of a flow: connectors, actions, endpoints, the flows it starts (DATAGROUPS R8-R12).

Rules: a flow is judged with every flow that it starts, as one, in its own environment; an exemption is of each flow by
its own id. Starting another cloud flow needs the HTTP connector, as Power Platform's child flows do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, TypedDict, cast

import attrs

from extlink.domain.connector import HTTP, MAX_CONNECTORS, canonical_place, parse_connector
from extlink.domain.connector_rules import CustomConnector, Endpoint, EndpointKind, check_choice, shown
from extlink.domain.identifier import ConnectorId, parse_id, parse_items
from extlink.errors import InvalidInput

__all__ = ["Connector", "Flow", "FlowFields", "FlowKind", "parse_connectors"]

Connector = ConnectorId | CustomConnector
FlowKind = Literal["cloud", "desktop"]
_FLOW_KINDS: Final[tuple[FlowKind, ...]] = ("cloud", "desktop")
_MAX_FAMILY: Final = 1_000
_MAX_DEPTH: Final = 10


class FlowFields(TypedDict):
    """A `Flow` as plain data that JSON can carry: what `to_fields` gives and `from_fields` takes."""

    connectors: list[str]
    custom: list[list[str]]
    actions: list[list[str]]
    endpoints: list[list[str]]
    children: list[FlowFields]
    environment: str | None
    id: str | None
    kind: FlowKind


def parse_connectors(values: Iterable[str | CustomConnector]) -> frozenset[Connector]:
    """Return the distinct connectors of a flow, each under its one id.

    Raises:
        InvalidInput: not a collection, too many, or an item that is neither an id nor a custom connector.
    """
    items = parse_items(values, "connectors", MAX_CONNECTORS)
    return frozenset(one if type(one) is CustomConnector else parse_connector(one, "connectors") for one in items)


def _by_connector(values: object, field: str) -> list[tuple[ConnectorId, object]]:
    """Return the pairs of a mapping of connectors to lists, or of a list of pairs."""
    pairs: list[tuple[ConnectorId, object]] = []
    if issubclass(type(values), Mapping):
        try:
            named = list(cast("Mapping[object, object]", values).items())
        except Exception as exc:
            raise InvalidInput(field, f"expected lists by connector, got {type(values).__name__}") from exc
        for name, items in named:
            connector = parse_connector(name, field)
            pairs.extend((connector, item) for item in parse_items(items, field, MAX_CONNECTORS))
    else:
        for item in parse_items(values, field, MAX_CONNECTORS):
            pair = parse_items(item, field, 2)
            if len(pair) != 2:  # noqa: PLR2004 - a pair
                raise InvalidInput(field, "expected pairs with a connector")
            pairs.append((parse_connector(pair[0], field), pair[1]))
    if len(pairs) > MAX_CONNECTORS:
        raise InvalidInput(field, f"expected at most {MAX_CONNECTORS}")
    return pairs


def _actions(values: Mapping[str, Iterable[str]] | tuple[tuple[str, str], ...]) -> tuple[tuple[ConnectorId, str], ...]:
    found = {(connector, parse_id(action, "actions")) for connector, action in _by_connector(values, "actions")}
    return tuple(sorted(found))


def _endpoints(
    values: Mapping[str, Iterable[str | Endpoint]] | tuple[tuple[str, str | Endpoint], ...],
) -> tuple[tuple[ConnectorId, Endpoint], ...]:
    found = {
        (connector, one if type(one) is Endpoint else Endpoint(cast("str", one)))
        for connector, one in _by_connector(values, "endpoints")
    }
    return tuple(sorted(found, key=lambda pair: (pair[0], pair[1].kind, pair[1].text)))


def _children(values: Iterable[Flow]) -> tuple[Flow, ...]:
    items = parse_items(values, "children", _MAX_FAMILY)
    for item in items:
        if type(item) is not Flow:
            raise InvalidInput("children", f"expected flows, got {type(item).__name__}")
    return cast("tuple[Flow, ...]", items)


def _environment(value: str | None) -> str | None:
    return None if value is None else canonical_place(value, "environment")


def _id(value: str | None) -> str | None:
    return None if value is None else canonical_place(value, "id")


@attrs.frozen
class Flow:
    """A flow as a data policy sees it.

    Args:
        connectors: all connectors it uses, the host's own among them: ids, and `CustomConnector` where the tenant made
            the connector itself. A custom connector given by its id alone is taken for one that a policy does not name.
        actions: which actions of its connectors it uses, by connector (or pairs); none stated: none are checked.
        endpoints: what it calls, by connector (or pairs); none stated: none are checked.
        children: the flows it starts, cloud and desktop; they run in its environment.
        environment: where it lives; None, not known: every policy applies.
        id: its own id, for exemptions; None: exempt from nothing.
        kind: a `cloud` flow that is started by another needs the HTTP connector; a `desktop` flow does not.

    Raises:
        InvalidInput: malformed, beyond a limit, or an action or endpoint of a connector that the flow does not use.

    >>> flow = Flow(["shared_kintone", "shared_sql"], endpoints={"shared_sql": ["server,orders"]}, environment="dev")
    >>> [(connector, endpoint.text) for connector, endpoint in flow.endpoints]
    [('shared_sql', 'server,orders')]
    """

    connectors: frozenset[Connector] = attrs.field(converter=parse_connectors)
    actions: tuple[tuple[ConnectorId, str], ...] = attrs.field(default=(), converter=_actions, kw_only=True)
    endpoints: tuple[tuple[ConnectorId, Endpoint], ...] = attrs.field(default=(), converter=_endpoints, kw_only=True)
    children: tuple[Flow, ...] = attrs.field(default=(), converter=_children, kw_only=True)
    environment: str | None = attrs.field(default=None, converter=_environment, kw_only=True)
    id: str | None = attrs.field(default=None, converter=_id, kw_only=True)
    kind: FlowKind = attrs.field(default="cloud", kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_choice("kind", self.kind, _FLOW_KINDS)
        known = {one.id if isinstance(one, CustomConnector) else one for one in self.connectors}
        for field, pairs in (("actions", self.actions), ("endpoints", self.endpoints)):
            for connector, _ in pairs:
                if connector not in known:
                    raise InvalidInput(field, f"connector {shown(connector)} is not among the flow's connectors")
        if _depth(self) > _MAX_DEPTH or sum(1 for _ in self.members()) > _MAX_FAMILY:
            raise InvalidInput("children", f"expected at most {_MAX_FAMILY} flows, {_MAX_DEPTH} below each other")

    def members(self) -> Iterator[Flow]:
        """Yield this flow and all that it starts, directly or not."""
        yield self
        for child in self.children:
            yield from child.members()

    def uses(self) -> frozenset[Connector]:
        """Return what the flow itself uses: its connectors, and HTTP where it starts another cloud flow (R11)."""
        starts = any(child.kind == "cloud" for child in self.children)
        return self.connectors | {HTTP} if starts else self.connectors

    def joined(self, ends: Iterable[str]) -> Flow:
        """Return the flow with further connectors; one that it has already, as a custom one too, stays as it is.

        >>> sorted(Flow(["shared_kintone"]).joined(["shared_slack"]).connectors)
        ['shared_kintone', 'shared_slack']
        """
        known = {one.id if isinstance(one, CustomConnector) else one for one in self.connectors}
        return attrs.evolve(self, connectors=self.connectors | (parse_connectors(ends) - known))

    def ids(self) -> frozenset[ConnectorId]:
        """Return the ids of all connectors of the flow and of those that it starts."""
        every = (one for flow in self.members() for one in flow.uses())
        return frozenset(one.id if isinstance(one, CustomConnector) else one for one in every)

    def to_fields(self) -> FlowFields:
        """Return the flow as plain data, the same for equal flows; `from_fields` gives it back."""
        custom = [one for one in self.connectors if isinstance(one, CustomConnector)]
        return {
            "connectors": sorted(one for one in self.connectors if not isinstance(one, CustomConnector)),
            "custom": sorted([one.id, one.host] for one in custom),
            "actions": [list(pair) for pair in self.actions],
            "endpoints": [[connector, one.text, one.kind] for connector, one in self.endpoints],
            "children": [child.to_fields() for child in self.children],
            "environment": self.environment,
            "id": self.id,
            "kind": self.kind,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, object]) -> Flow:
        """Return the flow that `to_fields` wrote.

        Raises:
            InvalidInput: not a mapping with exactly these fields, or a value that no flow has.

        >>> flow = Flow(["shared_kintone"], id="flow-1")
        >>> Flow.from_fields(flow.to_fields()) == flow
        True
        """
        try:
            given = dict(fields)
        except Exception as exc:
            raise InvalidInput("fields", f"expected a mapping, got {type(fields).__name__}") from exc
        if given.keys() != FlowFields.__required_keys__:
            raise InvalidInput("fields", f"expected exactly {', '.join(sorted(FlowFields.__required_keys__))}")
        try:
            return _restored(cast("FlowFields", given))
        except InvalidInput:
            raise
        except Exception as exc:
            raise InvalidInput("fields", "expected the fields of a flow, got something else") from exc


def _restored(fields: FlowFields) -> Flow:
    return Flow(
        [*fields["connectors"], *(CustomConnector(name, host) for name, host in fields["custom"])],
        actions=tuple((connector, action) for connector, action in fields["actions"]),
        endpoints=tuple(
            (connector, Endpoint(text, cast("EndpointKind", kind))) for connector, text, kind in fields["endpoints"]
        ),
        children=[Flow.from_fields(cast("Mapping[str, object]", one)) for one in fields["children"]],
        environment=fields["environment"],
        id=fields["id"],
        kind=fields["kind"],
    )


def _depth(flow: Flow) -> int:
    return 1 + max((_depth(child) for child in flow.children), default=0)
