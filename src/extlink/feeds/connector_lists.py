"""Readers of lists of connectors: Power Platform's own, and which of them flows use (DATAGROUPS R7).

The formats, as the terraform provider for Power Platform records them and as sample flows are indexed:

| document | content |
|---|---|
| `get_apis` | `value[].id`: the connectors of an environment; `value[].properties.isCustomApi` |
| `get_virtual` | `[].id`, `[].metadata.virtualConnector`: `Http` and its like |
| `get_unblockable` | `[].id`, `[].metadata.unblockable`: what no policy can block |
| flows, one a line | `flow`, `connectors[]` |

Rules: every item is taken or set aside with its reason; a document of another shape is refused, naming the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import attrs

from extlink.domain.connector import parse_connector
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.flow import Flow
from extlink.domain.identifier import ConnectorId, parse_items
from extlink.errors import InvalidInput
from extlink.feeds._connectors import read_id
from extlink.feeds._items import shown_item
from extlink.feeds._json import kind, read_items, read_json, read_object, read_text
from extlink.feeds.published import SetAside

__all__ = ["ConnectorList", "FlowList", "read_connectors", "read_flows", "stale_connectors"]

_MAX_LINES = 100_000


@attrs.frozen(kw_only=True)
class ConnectorList:
    """A list of connectors.

    Args:
        connectors: what was taken, in the order of the document, each once.
        unblockable: those of them that the document says no policy can block.
        custom: those of them that the document says the tenant made itself.
        set_aside: what was not, in the order of the document.
    """

    connectors: tuple[ConnectorId, ...]
    unblockable: frozenset[ConnectorId]
    custom: frozenset[ConnectorId]
    set_aside: tuple[SetAside, ...]


def read_connectors(data: str | bytes) -> ConnectorList:
    """Return the connectors of `get_apis`, `get_virtual` or `get_unblockable`.

    Raises:
        InvalidInput: another shape; the field names the place.

    >>> text = '[{"id": "/providers/Microsoft.PowerApps/apis/shared_approvals", "metadata": {"unblockable": true}}]'
    >>> read_connectors(text).unblockable
    frozenset({'shared_approvals'})
    """
    document = read_json(data)
    inside = "value" if isinstance(document, dict) else "data"
    listing = cast("dict[str, object]", document).get("value") if isinstance(document, dict) else document
    found: dict[ConnectorId, None] = {}
    marked: dict[str, set[ConnectorId]] = {"unblockable": set(), "isCustomApi": set()}
    aside: list[SetAside] = []
    for i, item in enumerate(read_items(listing, inside)):
        place = f"{inside}[{i}]"
        fields = read_object(item, place)
        connector = read_id(fields.get("id"), f"{place}.id")
        if connector in found:
            aside.append(SetAside(shown_item(fields["id"]), "duplicate"))
        found[connector] = None
        for part, flag in (("metadata", "unblockable"), ("properties", "isCustomApi")):
            if _flag(read_object(fields.get(part, {}), f"{place}.{part}"), flag, f"{place}.{part}"):
                marked[flag].add(connector)
    return ConnectorList(
        connectors=tuple(found),
        unblockable=frozenset(marked["unblockable"]),
        custom=frozenset(marked["isCustomApi"]),
        set_aside=tuple(aside),
    )


def _flag(fields: dict[str, object], name: str, place: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInput(f"{place}.{name}", f"expected true or false, got {kind(value)}")
    return value


def stale_connectors(policy: DataPolicy, known: tuple[ConnectorId, ...]) -> tuple[ConnectorId, ...]:
    """Return what a policy names though no list knows it any more, in order of ids.

    Exports hold ids that are gone (dlp-connector-classification.md, "stale references"). They are kept in the copy: a
    rule about a connector that does not exist changes nothing, and one that only this list lacks may block.

    Args:
        known: all connectors that exist for the tenant.

    >>> stale_connectors(DataPolicy(id="p", blocked={"shared_gone", "shared_slack"}), ("shared_slack",))
    ('shared_gone',)
    """
    if type(policy) is not DataPolicy:
        raise InvalidInput("policy", f"expected a DataPolicy, got {type(policy).__name__}")
    exists = {parse_connector(one, "known") for one in parse_items(known, "known", _MAX_LINES)}
    return tuple(sorted((policy.business | policy.non_business | policy.blocked) - exists))


@attrs.frozen(kw_only=True)
class FlowList:
    """The flows of a document: what was taken, and what was set aside, both in its order."""

    flows: tuple[Flow, ...]
    set_aside: tuple[SetAside, ...]


def read_flows(data: str | bytes) -> FlowList:
    """Return the flows of a document with one JSON object a line: `flow`, its id or path, and `connectors`.

    Blank lines are none. A flow that comes twice is set aside the second time.

    Raises:
        InvalidInput: another shape; the field names the line.

    >>> found = read_flows('{"flow": "mail-to-kintone", "connectors": ["shared_office365", "shared_kintone"]}')
    >>> sorted(found.flows[0].connectors)
    ['shared_kintone', 'shared_office365']
    """
    if not isinstance(data, str | bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput("data", f"expected the text or the bytes of a file, got {type(data).__name__}")
    lines: list[str] | list[bytes] = data.split("\n") if isinstance(data, str) else data.split(b"\n")
    flows: dict[str, Flow] = {}
    aside: list[SetAside] = []
    every: Iterable[str | bytes] = lines
    for number, line in enumerate(every, 1):
        if not line.strip():
            continue
        place = f"line {number}"
        fields = read_object(read_json(line, place), place)
        name = read_text(fields.get("flow"), f"{place}.flow")
        listing = read_items(fields.get("connectors"), f"{place}.connectors")
        if name in flows:
            aside.append(SetAside(shown_item(name), "duplicate"))
            continue
        flows[name] = _flow(name, [read_id(one, f"{place}.connectors[{i}]") for i, one in enumerate(listing)], place)
    return FlowList(flows=tuple(flows.values()), set_aside=tuple(aside))


def _flow(name: str, connectors: list[ConnectorId], place: str) -> Flow:
    try:
        return Flow(connectors, id=name)
    except InvalidInput as error:
        raise InvalidInput(place, error.problem) from error
