"""Reasons that nobody's step puts right, and why: whatever else is done, the request stays refused (law 6)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["UNFIXABLE", "Why"]

Why = Literal["not offered", "stopped", "gone", "not known", "their rules"]

UNFIXABLE: Final[Mapping[str, Why]] = MappingProxyType(
    {
        "service.not_in_edition": "not offered",
        "service.unavailable": "not offered",
        # Whoever stopped it lifts the stop, once the cause is removed: no advice of ours does.
        "service.quarantined": "stopped",
        "service.quarantined_everywhere": "stopped",
        "user.deleted": "gone",
        # The question lacks a fact; about what it would be, nothing can be verified.
        "service.unidentified": "not known",
        "user.unidentified": "not known",
        "directory.unavailable": "not known",
        "membership.unknown": "not known",
        "network.address_unknown": "not known",
        "network.address_invalid": "not known",
        "datagroup.flow_unknown": "not known",
        "link.not_asked": "not known",
        # Only a newer list of the service's own could name the address, or the call is not the service's.
        "network.not_published": "their rules",
        "network.ranges_unknown": "their rules",
        "datagroup.action_blocked": "their rules",
        "datagroup.endpoint_denied": "their rules",
    }
)
