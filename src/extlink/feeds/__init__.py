"""Readers of published files: text or bytes in, values out (DESIGN floor 1).

Rules: a reader opens nothing and asks no network; the host brings the bytes. Every item of a file is taken or set aside
with its reason, so that the counts always add up; a document of another shape is refused, naming the place.
"""

from __future__ import annotations

from extlink.feeds.connector_lists import ConnectorList, FlowList, read_connectors, read_flows, stale_connectors
from extlink.feeds.data_policies import PublishedPolicies, read_data_policies
from extlink.feeds.policy_writer import write_data_policy
from extlink.feeds.published import Group, PublishedRanges, SetAside, rows_of
from extlink.feeds.service_tags import read_service_tags

__all__ = [
    "ConnectorList",
    "FlowList",
    "Group",
    "PublishedPolicies",
    "PublishedRanges",
    "SetAside",
    "read_connectors",
    "read_data_policies",
    "read_flows",
    "read_service_tags",
    "rows_of",
    "stale_connectors",
    "write_data_policy",
]
