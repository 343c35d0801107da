"""Impact: what a change would do to the people, links and flows of a tenant (N2, DESIGN 9 law 7).

Rules: what counts is the answer of the gates before and after, never what an operation says of itself. A user *may* use
a service if the service and the user gate pass. A link *works* if those two pass for everything it covers, nothing is
wrong with it, and the network gate lets the address pass that it was last used from; one that was never used is judged
by its address only where no address at all is admitted. A link has *ended* for the reasons of `access.ENDED`; whatever
else stands in its way, it is *paused*. One whose code is not redeemed is none yet, as on the pages that show links.
"""

from __future__ import annotations

from typing import Final, Generic, Literal, TypeVar

import attrs

from extlink.domain.access import ENDED, AccessRequest, Credential, Policy, evaluate, is_allowed
from extlink.domain.coverage import admitted_by
from extlink.domain.decision import Answer
from extlink.domain.event import Event
from extlink.domain.identifier import LinkId, ServiceId, SubscriptionId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkState
from extlink.domain.range_set import intervals, without
from extlink.domain.reason import Reason
from extlink.domain.subscription import Subscription

__all__ = ["EXAMPLES", "AffectedFlow", "AffectedLink", "Impact", "Rows", "Sample", "ServiceImpact"]

T = TypeVar("T")
EXAMPLES: Final = 20
Standing = Literal["works", "paused", "ended", "not_yet"]
LinkChange = Literal["ended", "paused", "resumed"]
# From where to where a link changes: what is not listed is no change worth telling.
_CHANGES: Final[dict[tuple[Standing, Standing], LinkChange]] = {
    ("works", "ended"): "ended",
    ("paused", "ended"): "ended",
    ("works", "paused"): "paused",
    ("paused", "works"): "resumed",
    # An end that memberships decide is undone by other memberships.
    ("ended", "works"): "resumed",
}


@attrs.frozen
class Sample(Generic[T]):
    """How many there are, and the first of them.

    Args:
        examples: at most 20.
        cursor: where `previews.more` goes on; None: the examples are all there are.
    """

    count: int = 0
    examples: tuple[T, ...] = ()
    cursor: str | None = None


@attrs.frozen(kw_only=True)
class ServiceImpact:
    """One service that people gain or lose."""

    service: ServiceId
    gained: Sample[UserId]
    lost: Sample[UserId]


@attrs.frozen(kw_only=True)
class AffectedLink:
    """A link that changes.

    Args:
        user: its owner; None: the tenant itself.
        reasons: what stands in its way afterwards; none if it works.
    """

    link: LinkId
    service: ServiceId
    user: UserId | None
    reasons: tuple[Reason, ...]


@attrs.frozen(kw_only=True)
class AffectedFlow:
    """A trigger whose flow the data policies judge otherwise; `reasons`: what stands in its way afterwards."""

    link: LinkId
    subscription: SubscriptionId
    reasons: tuple[Reason, ...]


@attrs.frozen(kw_only=True)
class Rows:
    """How many rows the IP restriction has, before and after, and how many the edition takes; None: any number."""

    before: int
    after: int
    limit: int | None


@attrs.frozen(kw_only=True)
class Impact:
    """What would change; nothing did.

    Args:
        position: how far the tenant's ledger was; `run(operation, expected=impact.position)` applies the operation to
            this tenant and no other.
        refusal: why the operation would be refused; none if it would not.
        events: what the ledger would get. What an operation draws is made up here: a link's or a client's id, say.
        services: those that somebody gains or loses, by id.
        ended, paused, resumed: links that end, stop for the time being, or work again.
        illegal, legal: triggers whose flows the data policies no longer allow, or allow again.
        rows: of the IP restriction; None where it stays as it is.
        unadmitted: links held to published ranges of which the restriction no longer admits all.
    """

    position: int
    refusal: tuple[Reason, ...] = ()
    events: tuple[Event, ...] = ()
    services: tuple[ServiceImpact, ...] = ()
    ended: Sample[AffectedLink] = Sample()
    paused: Sample[AffectedLink] = Sample()
    resumed: Sample[AffectedLink] = Sample()
    illegal: Sample[AffectedFlow] = Sample()
    legal: Sample[AffectedFlow] = Sample()
    rows: Rows | None = None
    unadmitted: Sample[AffectedLink] = Sample()


def may_use(policy: Policy, service: ServiceId, user: UserId, at: Instant) -> bool:
    """Whether the service and the user gate let a person use a service."""
    request = AccessRequest(service=service, user=user, at=at, network="not_applicable", flow="not_applicable")
    return is_allowed(policy, request)


def link_standing(policy: Policy, link: Link, address: str | None, at: Instant) -> tuple[Standing, tuple[Reason, ...]]:
    """Return where a link stands, and everything that is in its way.

    Args:
        address: where it was last used from, if that is known.
    """
    if link.state is LinkState.CONSENTED:
        return "not_yet", ()
    request = AccessRequest(
        service=link.service,
        user=link.owner,
        at=at,
        scopes=link.scopes,
        address=address,
        network="not_applicable" if address is None and _admits_somebody(policy) else "applies",
        flow="not_applicable",
        credential=Credential(link=link, scopes=link.scopes),
    )
    if is_allowed(policy, request):
        return "works", ()
    reasons = evaluate(policy, request).reasons
    return "ended" if any(reason.code in ENDED for reason in reasons) else "paused", reasons


def _admits_somebody(policy: Policy) -> bool:
    network = policy.network
    return network.mode == "allow_all" or (network.mode == "allow_some" and bool(network.rows))


def link_change(before: Standing, after: Standing) -> LinkChange | None:
    """Return what becomes of a link, or None where that is nothing.

    >>> link_change("works", "paused"), link_change("ended", "paused")
    ('paused', None)
    """
    return _CHANGES.get((before, after))


def flow_reasons(policy: Policy, flow: Subscription) -> tuple[Reason, ...]:
    """Return why the data policies refuse a trigger's flow, none if they do not."""
    request = AccessRequest(
        service=None,
        user=None,
        at=flow.made_at,
        connectors=flow.connectors,
        environment=flow.environment,
        flow_id=flow.flow_id,
    )
    decision = evaluate(policy, request)
    gate = decision.gate("data_group")
    is_lacking = gate.answer is Answer.NOT_EVALUATED and "data_group" in decision.required
    return gate.reasons if is_lacking or gate.answer is Answer.REFUSED else ()


def is_pinned(policy: Policy, link: Link) -> bool:
    """Whether a link's calls must come from ranges that its service publishes and that are known."""
    pin = policy.pins.get(link.service)
    return pin is not None and (link.pinned or pin.applies == "service")


def admits_published(policy: Policy, service: ServiceId) -> bool:
    """Whether the IP restriction admits every address that a service publishes; one that publishes none lacks none."""
    pin = policy.pins.get(service)
    if pin is None or policy.network.mode == "allow_all":
        return True
    admitted = admitted_by(policy.network)
    published = intervals(row.range for row in pin.rows)
    return not any(without(items, admitted[version]) for version, items in published.items())
