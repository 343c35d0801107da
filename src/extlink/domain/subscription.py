"""Trigger subscriptions: the service asked to be called when something happens in the host (S7, TRACE T3).

Rule: a subscription is a record of its link: made under it, listed with it, ended with it; before each delivery the
gates are asked again.
"""

from __future__ import annotations

import attrs

from extlink.domain.flow import Flow
from extlink.domain.identifier import ConnectorId, LinkId, Scope, SubscriptionId
from extlink.domain.instant import Instant

__all__ = ["Subscription"]


@attrs.frozen(kw_only=True)
class Subscription:
    """One trigger that a service registered over a link.

    Args:
        trigger: id of the trigger in the service's definition, such as `record_added`.
        scope: the operation whose data each delivery carries.
        connectors: the flow's connectors, or the flow, if the service stated them when it registered.
        environment, flow_id: where the flow lives and its own id, if the service stated them.
    """

    id: SubscriptionId
    link: LinkId
    trigger: str
    scope: Scope
    connectors: frozenset[ConnectorId] | Flow | None
    made_at: Instant
    environment: str | None = None
    flow_id: str | None = None
