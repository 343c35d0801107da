"""Connectors: one id for each, however Power Platform spells it, and the few that rules name (DATAGROUPS R7, R11).

Rules: `/providers/Microsoft.PowerApps/apis/shared_slack` and `SHARED_SLACK` are the connector `shared_slack`, since a
spelling must not slip past a policy that blocks it; ids that Power Platform did not shape so are left as they are. The
sets below are data with a source; a tenant may have a newer one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from extlink.domain.identifier import ConnectorId, parse_id, parse_items

__all__ = [
    "DATAVERSE",
    "HTTP",
    "MAX_CONNECTORS",
    "NEVER_CLASSIFIED",
    "UNBLOCKABLE",
    "canonical_place",
    "parse_connector",
    "parse_connector_set",
]

# Microsoft publishes about 1,500 connectors.
MAX_CONNECTORS: Final = 10_000
# The same ids come again and again.
_REMEMBERED: Final = 4_096

# The resource path before a connector's own id; that of a custom connector may name its environment.
_APIS: Final = re.compile(
    r"(?:/providers/microsoft\.powerapps/(?:scopes/(?:[^/]{1,200}/){1,4})?apis/)+", re.IGNORECASE | re.ASCII
)
_PLACES: Final = re.compile(
    r"(?:/providers/microsoft\.businessappplatform/(?:scopes/admin/)?environments/)+", re.IGNORECASE | re.ASCII
)
_GUID: Final = re.compile(r"(default-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE | re.ASCII)

# The virtual connectors of flows, which have no `shared_` name (terraform-provider-power-platform, get_virtual).
HTTP: Final = ConnectorId("Http")
_VIRTUAL: Final = {one.lower(): ConnectorId(one) for one in (HTTP, "HttpRequestReceived", "HttpWebhook")}
DATAVERSE: Final = ConnectorId("shared_commondataserviceforapps")
# Content Conversion turns HTML into text, holds no data and is in no group (dlp-connector-classification.md).
NEVER_CLASSIFIED: Final = frozenset({ConnectorId("shared_conversionservice")})

# What Business and Non-Business alone may hold: the two columns of "List of connectors that can't be blocked",
# dlp-connector-classification.md@06b3de30 (2024-05-04); the ids as in cisagov/ScubaGear, MS.POWERPLATFORM.2.3v1.
UNBLOCKABLE: Final = frozenset(
    {
        ConnectorId("shared_approvals"),
        ConnectorId("shared_cloudappsecurity"),
        ConnectorId("shared_commondataservice"),
        ConnectorId("shared_commondataserviceforapps"),
        ConnectorId("shared_excelonlinebusiness"),
        ConnectorId("shared_flowpush"),
        ConnectorId("shared_kaizala"),
        ConnectorId("shared_microsoftformspro"),
        ConnectorId("shared_office365"),
        ConnectorId("shared_office365groups"),
        ConnectorId("shared_office365groupsmail"),
        ConnectorId("shared_office365users"),
        ConnectorId("shared_onedriveforbusiness"),
        ConnectorId("shared_onenote"),
        ConnectorId("shared_planner"),
        ConnectorId("shared_powerappsnotification"),
        ConnectorId("shared_powerappsnotificationv2"),
        ConnectorId("shared_powerbi"),
        ConnectorId("shared_sharepointonline"),
        ConnectorId("shared_shifts"),
        ConnectorId("shared_skypeforbiz"),
        ConnectorId("shared_teams"),
        ConnectorId("shared_todo"),
        ConnectorId("shared_yammer"),
    }
)


def parse_connector(value: object, field: str = "connector") -> ConnectorId:
    """Return the one id of a connector.

    Raises:
        InvalidInput: no identifier.

    >>> parse_connector("/providers/Microsoft.PowerApps/apis/shared_Slack"), parse_connector("HTTP")
    ('shared_slack', 'Http')
    """
    # What is no plain text must not be compared with what is remembered: it may raise, or lie.
    return _one_connector(value, field) if type(value) is str else _one_connector(parse_id(value, field), field)


@lru_cache(_REMEMBERED)
def _one_connector(value: str, field: str) -> ConnectorId:
    text = parse_id(value, field)
    path = _APIS.match(text)
    name = text[path.end() :] if path and len(text) > path.end() else text
    low = name.lower() if name.isascii() else name
    if low.startswith("shared_"):
        return ConnectorId(name if low == name else low)  # the text itself, where it is in its one form already
    return _VIRTUAL.get(low, ConnectorId(name))


def parse_connector_set(values: object, field: str, limit: int = MAX_CONNECTORS) -> frozenset[ConnectorId]:
    """Return the distinct connectors in a collection of at most `limit` items.

    Raises:
        InvalidInput: not a collection, too many items, or an item that is no identifier.
    """
    return frozenset(parse_connector(item, field) for item in parse_items(values, field, limit))


def canonical_place(value: object, field: str) -> str:
    """Return the one id of an environment or a resource: GUIDs in small letters, without the resource path.

    Raises:
        InvalidInput: no identifier.

    >>> canonical_place("Default-3C19C757-3B55-411F-B03F-2BCC514A598D", "environment")
    'Default-3c19c757-3b55-411f-b03f-2bcc514a598d'
    """
    return _one_place(value, field) if type(value) is str else _one_place(parse_id(value, field), field)


@lru_cache(_REMEMBERED)
def _one_place(value: str, field: str) -> str:
    text = parse_id(value, field)
    path = _PLACES.match(text)
    name = text[path.end() :] if path and len(text) > path.end() else text
    guid = _GUID.fullmatch(name)
    if guid is None:
        return name
    return f"{'Default-' if guid[1] else ''}{guid[2].lower()}"
