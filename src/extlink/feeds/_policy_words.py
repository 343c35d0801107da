"""Power Platform's words for the groups, scopes and behaviours of data policies, and ours; one table for both ways.

Source of the words: the terraform provider for Power Platform (`General` is Non-Business, `Confidential` is Business),
and `New-DlpPolicy` for `SingleEnvironment`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from extlink.domain.connector_rules import Behaviour, Classification, Group
from extlink.domain.datapolicy import PolicyLevel, PolicyScope

__all__ = ["ACTIONS", "CLASSES", "ENDPOINTS", "GROUPS", "SCOPES"]

GROUPS: Final[Mapping[str, Group]] = {"Confidential": "business", "General": "non_business", "Blocked": "blocked"}
CLASSES: Final[Mapping[str, Classification]] = {**GROUPS, "Ignore": "ignore"}
SCOPES: Final[Mapping[str, tuple[PolicyScope, PolicyLevel]]] = {
    "AllEnvironments": ("all", "tenant"),
    "ExceptEnvironments": ("except", "tenant"),
    "OnlyEnvironments": ("only", "tenant"),
    "SingleEnvironment": ("only", "environment"),
}
ACTIONS: Final[Mapping[str, Behaviour]] = {"Allow": "allow", "Block": "deny"}
ENDPOINTS: Final[Mapping[str, Behaviour]] = {"Allow": "allow", "Deny": "deny"}
