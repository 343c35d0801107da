"""Readers of published files: text or bytes in, values out (DESIGN floor 1).

Rules: a reader opens nothing and asks no network; the host brings the bytes. Every item of a file is taken or set aside
with its reason, so that the counts always add up; a document of another shape is refused, naming the place.
"""

from __future__ import annotations

from extlink.feeds.changes import Changes, GroupChange, diff
from extlink.feeds.clouds import (
    read_aws,
    read_cloudflare,
    read_fastly,
    read_github,
    read_google,
    read_oracle,
    read_zscaler,
)
from extlink.feeds.connector_lists import ConnectorList, FlowList, read_connectors, read_flows, stale_connectors
from extlink.feeds.data_policies import PublishedPolicies, read_data_policies
from extlink.feeds.datacenter_xml import read_datacenter_xml
from extlink.feeds.definitions import Definitions, scope_definitions, with_scopes
from extlink.feeds.host_csv import HostList, Notice, RowChanges, apply_rows, compare_rows, read_host_csv, write_host_csv
from extlink.feeds.memo import memo_for, read_memo
from extlink.feeds.oauth_providers import read_oauth_providers
from extlink.feeds.office365_json import read_office365_json
from extlink.feeds.office365_markdown import read_office365_markdown
from extlink.feeds.plain_text import read_plain_text
from extlink.feeds.policy_writer import write_data_policy
from extlink.feeds.power_automate_page import read_power_automate_page
from extlink.feeds.power_platform import read_api_properties
from extlink.feeds.published import Group, PublishedRanges, SetAside, rows_of
from extlink.feeds.requirements import Need, NeededDocument, need
from extlink.feeds.scope_files import read_cybozu_scopes, read_google_scopes, read_graph_scopes, read_slack_scopes
from extlink.feeds.scope_labels import ScopeLabels
from extlink.feeds.service_tags import read_service_tags
from extlink.feeds.unused import Unused

__all__ = [
    "Changes",
    "ConnectorList",
    "Definitions",
    "FlowList",
    "Group",
    "GroupChange",
    "HostList",
    "Need",
    "NeededDocument",
    "Notice",
    "PublishedPolicies",
    "PublishedRanges",
    "RowChanges",
    "ScopeLabels",
    "SetAside",
    "Unused",
    "apply_rows",
    "compare_rows",
    "diff",
    "memo_for",
    "need",
    "read_api_properties",
    "read_aws",
    "read_cloudflare",
    "read_connectors",
    "read_cybozu_scopes",
    "read_data_policies",
    "read_datacenter_xml",
    "read_fastly",
    "read_flows",
    "read_github",
    "read_google",
    "read_google_scopes",
    "read_graph_scopes",
    "read_host_csv",
    "read_memo",
    "read_oauth_providers",
    "read_office365_json",
    "read_office365_markdown",
    "read_oracle",
    "read_plain_text",
    "read_power_automate_page",
    "read_service_tags",
    "read_slack_scopes",
    "read_zscaler",
    "rows_of",
    "scope_definitions",
    "stale_connectors",
    "with_scopes",
    "write_data_policy",
    "write_host_csv",
]
