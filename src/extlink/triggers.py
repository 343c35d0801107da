"""Trigger subscriptions: the service asks to be called when something happens in the host (S7, TRACE T3).

A subscription is a record of its link: made under it, listed with it, ended with it. Before each delivery the gates are
asked again, so a withdrawn grant or a data policy set today stops the next delivery.
"""

from __future__ import annotations

import base64
from typing import Final

from extlink import facts
from extlink.access_checks import CHECKED, Stated, checking, stated
from extlink.domain.access import AccessRequest, Credential, evaluate, unidentified
from extlink.domain.datagroup import Question
from extlink.domain.decision import Decision, Gate
from extlink.domain.event import Event
from extlink.domain.identifier import LinkId, Scope, SubscriptionId, parse_id
from extlink.domain.link import Link
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.domain.subscription import Subscription
from extlink.errors import Refused
from extlink.inputs import address_text, audience, presented_secret
from extlink.link_ends import load_link
from extlink.operation import Call, Commit, Draw, Ledger, List, Now, Operation, Steps, ask, drop, operation, put, read
from extlink.ports import Records, prefix
from extlink.records import SUBSCRIPTION, link_key, service_key, subscription_key

__all__ = ["check_delivery", "listed", "subscribe", "unsubscribe"]

_REQUIRED: Final[frozenset[Gate]] = frozenset({"service", "user", "link"})
_ID_BYTES: Final = 15
_MAX: Final = 100


@operation("triggers.subscribe", records=("subscription.added", *CHECKED))
def _subscribe(
    call: Call,
    *,
    token: Secret,
    trigger: str,
    connectors: Stated,
    address: str | None,
    resource: str | None,
) -> Steps[Commit[Subscription | Decision]]:
    ledger = yield from ask(Ledger())
    presented = ledger.keys.open(call.tenant, token)
    if presented is None:
        return Commit(unidentified())
    place = link_key(call.tenant, presented.token.link)
    link = (yield from read(place)).get(place)
    if link is None:
        return Commit(unidentified())
    where = service_key(call.tenant, link.service)
    known = facts.registered((yield from read(where)), call.tenant, link.service)
    definition = known.service.trigger(trigger)
    if definition is None:
        raise Refused(Reason("subscription.trigger_unknown", {"trigger": trigger, "service": link.service}))
    checked = yield from checking(
        call,
        token=token,
        scopes=frozenset({definition.scope}),
        address=address,
        connectors=connectors,
        resource=resource,
    )
    if not checked.result.allowed:
        return Commit(checked.result, checked.changes, checked.events)
    listed = yield from ask(List(Records(call.tenant.encode(), prefix("w", link.id), limit=_MAX)))
    if len(listed.items) >= _MAX:
        raise Refused(Reason("subscription.too_many", {"link": link.id, "limit": str(_MAX)}))
    subscription = yield from _made(link, trigger, definition.scope, connectors)
    details = {"service": link.service, "user": link.owner, "link": link.id, "trigger": trigger}
    written = put(subscription_key(call.tenant, link.id, subscription.id), subscription)
    return Commit(subscription, (*checked.changes, written), (Event("subscription.added", details),))


def _made(link: Link, trigger: str, scope: Scope, flow: Stated) -> Steps[Subscription]:
    drawn = yield from ask(Draw(_ID_BYTES))
    return Subscription(
        id=SubscriptionId(base64.urlsafe_b64encode(drawn).decode()),
        link=link.id,
        trigger=trigger,
        scope=scope,
        connectors=flow.connectors,
        environment=flow.environment,
        flow_id=flow.flow_id,
        made_at=(yield from ask(Now())),
    )


def subscribe(
    token: Secret | str,
    *,
    trigger: str,
    connectors: Question | None = None,
    environment: str | None = None,
    flow_id: str | None = None,
    address: str | None = None,
    resource: str | None = None,
) -> Operation[Subscription | Decision]:
    """Register a trigger over a link, if the token covers what each delivery will carry.

    Args:
        token: what the service presented.
        trigger: a trigger of the service's definition, such as `record_added`.
        connectors: the connectors of the flow behind it, or the flow; each delivery is checked against today's data
            policies. A flow is kept as it is given: leave out of its endpoints what is secret, such as a signed query.
        environment, flow_id, address, resource: as in `access.check`.

    Returns:
        The subscription, or the decision that refuses it.

    Raises when run:
        Refused: `subscription.trigger_unknown`, `subscription.too_many` beyond 100 of one link, `tenant.not_open`.

    >>> subscribe("xl_at_...", trigger="record_added").name
    'triggers.subscribe'
    """
    return _subscribe(
        token=presented_secret(token),
        trigger=parse_id(trigger, "trigger"),
        connectors=stated(connectors, environment, flow_id),
        address=address_text(address),
        resource=audience(resource),
    )


def _find(call: Call, link: LinkId, subscription: SubscriptionId) -> Steps[Subscription]:
    place = subscription_key(call.tenant, link, subscription)
    known = (yield from read(place)).get(place)
    if known is None:
        raise Refused(Reason("subscription.unknown", {"subscription": subscription}))
    return known


@operation("triggers.unsubscribe", records=("subscription.removed",))
def _unsubscribe(call: Call, *, link: LinkId, subscription: SubscriptionId) -> Steps[Commit[None]]:
    owned = yield from load_link(call, link)
    known = yield from _find(call, link, subscription)
    details = {"service": owned.service, "user": owned.owner, "link": link, "trigger": known.trigger}
    place = subscription_key(call.tenant, link, subscription)
    return Commit(None, (drop(place),), (Event("subscription.removed", details),))


def unsubscribe(link: str, subscription: str) -> Operation[None]:
    """Remove a trigger: its owner, an administrator, or the host on the service's behalf.

    Raises when run:
        Refused: `link.unknown`, `subscription.unknown`.

    >>> unsubscribe("AAAAAAAAAAAAAAAAAAAAAA", "abc").name
    'triggers.unsubscribe'
    """
    return _unsubscribe(
        link=LinkId(parse_id(link, "link")), subscription=SubscriptionId(parse_id(subscription, "subscription"))
    )


@operation("triggers.listed")
def _listed(call: Call, *, link: LinkId) -> Steps[Commit[tuple[Subscription, ...]]]:
    yield from load_link(call, link)
    page = yield from ask(List(Records(call.tenant.encode(), prefix("w", link), limit=_MAX)))
    return Commit(tuple(SUBSCRIPTION.decode(one.value)[0] for one in page.items if one.value is not None))


def listed(link: str) -> Operation[tuple[Subscription, ...]]:
    """List a link's triggers, at most 100: for its owner, an administrator, or the host.

    Raises when run:
        Refused: `link.unknown`.

    >>> listed("AAAAAAAAAAAAAAAAAAAAAA").name
    'triggers.listed'
    """
    return _listed(link=LinkId(parse_id(link, "link")))


@operation("triggers.check_delivery")
def _check_delivery(call: Call, *, link: LinkId, subscription: SubscriptionId) -> Steps[Commit[Decision]]:
    place = link_key(call.tenant, link)
    held: Link | None = (yield from read(place)).get(place)
    if held is None:
        raise Refused(Reason("link.unknown", {"link": link}))
    known = yield from _find(call, link, subscription)
    found = yield from facts.load(call, held.service, held.owner, client=held.client)
    at = yield from ask(Now())
    request = AccessRequest(
        service=held.service,
        user=held.owner,
        at=at,
        scopes=frozenset({known.scope}),
        network="not_applicable",
        connectors=known.connectors,
        environment=known.environment,
        flow_id=known.flow_id,
        credential=Credential(link=held, scopes=held.scopes),
        required=_REQUIRED,
    )
    return Commit(evaluate(found.policy, request))


def check_delivery(link: str, subscription: str) -> Operation[Decision]:
    """Ask every gate again before the host calls the service; the IP restriction is not applicable to outbound calls.

    Raises when run:
        Refused: `link.unknown`, `subscription.unknown`.

    >>> check_delivery("AAAAAAAAAAAAAAAAAAAAAA", "abc").name
    'triggers.check_delivery'
    """
    return _check_delivery(
        link=LinkId(parse_id(link, "link")), subscription=SubscriptionId(parse_id(subscription, "subscription"))
    )
