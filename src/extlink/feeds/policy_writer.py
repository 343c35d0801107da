"""The writer of Power Platform's data policies: the shape in which its API takes and answers one policy.

Rules: what `read_data_policies` reads of it is the policy that was written, but for what the document cannot hold: the
source and the date of the copy, and exemptions, which are a document of their own. Lists are in the order of ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from extlink.domain.datapolicy import DataPolicy
from extlink.domain.identifier import ConnectorId
from extlink.errors import InvalidInput
from extlink.feeds._policy_words import ACTIONS, CLASSES, ENDPOINTS, GROUPS, SCOPES

__all__ = ["write_data_policy"]

_T = TypeVar("_T")
_APIS: Final = "/providers/Microsoft.PowerApps/apis/"
_ENVIRONMENTS: Final = "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/"
_MAX_ID: Final = 255


def write_data_policy(policy: DataPolicy) -> str:
    """Return a policy as the JSON document of Power Platform's API.

    Raises:
        InvalidInput: not a `DataPolicy`.

    >>> from extlink.feeds.data_policies import read_data_policies
    >>> policy = DataPolicy(id="p1", name="Standard", blocked={"shared_slack"}, source="written", as_of="2026-04-07")
    >>> read_data_policies(write_data_policy(policy), source="written").policies[0].blocked
    frozenset({'shared_slack'})
    """
    if type(policy) is not DataPolicy:
        raise InvalidInput("policy", f"expected a DataPolicy, got {type(policy).__name__}")
    document = {
        "policyDefinition": _definition(policy),
        "connectorConfigurationsDefinition": _configurations(policy),
        "customConnectorUrlPatternsDefinition": {
            "rules": _ordered(
                {"customConnectorRuleClassification": _vendor(CLASSES, one.group), "pattern": one.pattern}
                for one in policy.hosts
            )
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _definition(policy: DataPolicy) -> Mapping[str, object]:
    return {
        "name": policy.id,
        "displayName": policy.name,
        "defaultConnectorsClassification": _vendor(GROUPS, policy.default),
        "connectorGroups": [
            {"classification": word, "connectors": [_connector(one) for one in sorted(policy.named(group))]}
            for word, group in GROUPS.items()
        ],
        "environmentType": _vendor(SCOPES, (policy.scope, policy.level)),
        "environments": [
            {"id": _ENVIRONMENTS + one, "name": one, "type": "Microsoft.BusinessAppPlatform/scopes/environments"}
            for one in sorted(policy.environments)
        ],
    }


def _configurations(policy: DataPolicy) -> Mapping[str, object]:
    return {
        "connectorActionConfigurations": [
            {
                "connectorId": _id(one.connector),
                "actionRules": [{"actionId": action, "behavior": _vendor(ACTIONS, said)} for action, said in one.rules],
                "defaultConnectorActionRuleBehavior": _vendor(ACTIONS, one.default),
            }
            for one in policy.actions
        ],
        "endpointConfigurations": [
            {
                "connectorId": _id(one.connector),
                "endpointRules": _ordered(
                    {"behavior": _vendor(ENDPOINTS, rule.behaviour), "endPoint": rule.pattern} for rule in one.rules
                ),
            }
            for one in policy.endpoints
        ],
    }


def _vendor(words: Mapping[str, _T], ours: _T) -> str:
    return next(word for word, meaning in words.items() if meaning == ours)


def _ordered(rules: Iterable[Mapping[str, str]]) -> list[Mapping[str, object]]:
    return [{"order": order, **rule} for order, rule in enumerate(rules, 1)]


def _id(connector: ConnectorId) -> str:
    # The virtual connectors have no path; an id that is too long for one goes without.
    path = _APIS + connector
    return path if connector.startswith("shared_") and len(path) <= _MAX_ID else connector


def _connector(connector: ConnectorId) -> Mapping[str, str]:
    return {"id": _id(connector), "name": connector, "type": "Microsoft.PowerApps/apis"}
