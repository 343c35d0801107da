"""Who uses what: the account page, the user edit screen, the users of a service (S10, S11; page B; TRACE T9).

Listed for a user, in the order in which services were registered: every service with a link - in use, or suspended
with the reason - then every service that is enabled and permitted for the user, as unused. Not listed: services not
permitted, not enabled or unavailable, unless a link exists.
"""

from __future__ import annotations

from typing import Final, Literal

import attrs

from extlink import facts
from extlink.domain.access import ENDED, AccessRequest, Credential, Policy, evaluate
from extlink.domain.identifier import ClientId, LinkId, ServiceId, UserId, parse_id
from extlink.domain.instant import Instant
from extlink.domain.last_use import LastUse
from extlink.domain.link import Link, LinkState
from extlink.domain.reason import Reason
from extlink.domain.registry import RegisteredService
from extlink.domain.service import Service
from extlink.domain.service_parts import ScopeDefinition
from extlink.errors import InvalidInput
from extlink.inputs import text, whole
from extlink.link_ends import is_administrator
from extlink.operation import (
    ADMINISTRATORS_AND_HOST,
    ALL_CONCERNED,
    Call,
    Commit,
    List,
    Now,
    Operation,
    Steps,
    ask,
    denied,
    operation,
    read,
)
from extlink.ports import Records, components, prefix
from extlink.records import LINKS_OF, SERVICE, last_use_key, links_of_key, service_key, tenant_key
from extlink.services import MAX_SERVICES

__all__ = ["LinkView", "ServiceUse", "ServiceUser", "ServiceUserPage", "of", "users_of"]

UseState = Literal["in_use", "suspended", "unused"]
_MAX_PAGE: Final = 50


@attrs.frozen(kw_only=True)
class LinkView:
    """One link as its owner sees it.

    Args:
        state: `in_use`, or `suspended` with the reasons why a call would be refused now.
        operations: what the service may do, with labels in ja, en and zh.
        connected: when the user agreed, seconds since 1970 in UTC.
        used: when a call was last allowed, or up to five minutes before; None: never.
        used_from: the caller's address then, if the host stated it.
    """

    id: LinkId
    client: ClientId
    state: UseState
    operations: tuple[ScopeDefinition, ...]
    connected: Instant
    reasons: tuple[Reason, ...] = ()
    used: Instant | None = None
    used_from: str | None = None


@attrs.frozen(kw_only=True)
class ServiceUse:
    """One service on a user's page: in use, suspended or unused, with its links.

    >>> from extlink import catalog
    >>> ServiceUse(service=catalog.SLACK, state="unused").state
    'unused'
    """

    service: Service
    state: UseState
    links: tuple[LinkView, ...] = ()


@attrs.frozen(kw_only=True)
class ServiceUser:
    """One user on a service's page, with the links that are not ended."""

    user: UserId
    links: tuple[LinkView, ...]


@attrs.frozen(kw_only=True)
class ServiceUserPage:
    """A bounded page of a service's users; `next` is the cursor of the following page or None."""

    users: tuple[ServiceUser, ...]
    next: str | None


def _view(policy: Policy, service: Service, link: Link, use: LastUse | None, at: Instant) -> LinkView | None:
    """Return a link for a page, or None for one that has ended or was never used."""
    request = AccessRequest(
        service=link.service,
        user=link.owner,
        at=at,
        scopes=link.scopes,
        network="not_applicable",
        flow="not_applicable",
        credential=Credential(link=link, scopes=link.scopes),
    )
    reasons = evaluate(policy, request).reasons
    if link.state is LinkState.CONSENTED or any(reason.code in ENDED for reason in reasons):
        return None
    return LinkView(
        id=link.id,
        client=link.client,
        state="suspended" if reasons else "in_use",
        operations=tuple(scope for scope in service.scopes if scope.name in link.scopes),
        connected=link.accepted_at,
        reasons=reasons,
        used=None if use is None else use.at,
        used_from=None if use is None else use.address,
    )


def _views(
    call: Call, policy: Policy, service: Service, ids: tuple[LinkId, ...], at: Instant
) -> Steps[tuple[LinkView, ...]]:
    if not ids:
        return ()
    links = yield from facts.links(call, ids)
    policy = yield from facts.knowing_clients(call, policy, links)
    uses = yield from read(*(last_use_key(call.tenant, link.id) for link in links))
    noted = {link.id: uses.get(last_use_key(call.tenant, link.id)) for link in links}
    views = [view for link in links if (view := _view(policy, service, link, noted[link.id], at)) is not None]
    return tuple(sorted(views, key=lambda view: (view.connected, view.id)))


def use_of(call: Call, known: RegisteredService, user: UserId) -> Steps[ServiceUse | None]:
    """Return a service as a user's page shows it; None where there is no link and nothing to connect."""
    service = known.service
    mine = links_of_key(call.tenant, user, service.id)
    found = yield from facts.load(call, service.id, user, mine)
    at = yield from ask(Now())
    views = yield from _views(call, found.policy, service, found.answers.get(mine) or (), at)
    if views:
        state: UseState = "in_use" if any(view.state == "in_use" for view in views) else "suspended"
        return ServiceUse(service=service, state=state, links=views)
    request = AccessRequest(service=service.id, user=user, at=at, network="not_applicable", flow="not_applicable")
    return ServiceUse(service=service, state="unused") if evaluate(found.policy, request).allowed else None


@operation("links.of", by=ALL_CONCERNED)
def _of(call: Call, *, user: UserId) -> Steps[Commit[tuple[ServiceUse, ...]]]:
    if not is_administrator(call) and user != call.actor.user:
        return (yield from denied(call, "links.of", ADMINISTRATORS_AND_HOST))
    facts.opened((yield from read(tenant_key(call.tenant))), call.tenant)
    page = yield from ask(List(Records(call.tenant.encode(), prefix("s"), limit=MAX_SERVICES)))
    known = [SERVICE.decode(one.value)[0] for one in page.items if one.value is not None]
    uses: list[ServiceUse] = []
    for service in sorted(known, key=lambda one: (one.order, one.service.id)):
        use = yield from use_of(call, service, user)
        if use is not None:
            uses.append(use)
    return Commit(tuple(sorted(uses, key=lambda use: use.state == "unused")))


def of(user: str) -> Operation[tuple[ServiceUse, ...]]:
    """List a user's services as the account page and the user edit screen show them.

    Source: S10, S11, page B, TRACE T9. Users see their own; administrators anybody's.

    Raises when run:
        Refused: `actor.not_permitted`, `tenant.not_open`.

    >>> of("sato")
    links.of(user='sato')
    """
    return _of(user=UserId(parse_id(user, "user")))


@operation("links.users_of", by=ADMINISTRATORS_AND_HOST)
def _users_of(call: Call, *, service: ServiceId, after: str | None, limit: int) -> Steps[Commit[ServiceUserPage]]:
    where = service_key(call.tenant, service)
    answers = yield from read(tenant_key(call.tenant), where)
    facts.opened(answers, call.tenant)
    known = facts.registered(answers, call.tenant, service)
    start = prefix("x", service) if after is None else prefix("x", service, after)
    page = yield from ask(
        List(Records(call.tenant.encode(), prefix("x", service), b"" if after is None else start, limit))
    )
    held = [
        (UserId(components(one.key.path)[-1]), LINKS_OF.decode(one.value)[0])
        for one in page.items
        if one.value is not None
    ]
    users: list[ServiceUser] = []
    for user, ids in held:
        found = yield from facts.load(call, service, user)
        at = yield from ask(Now())
        views = yield from _views(call, found.policy, known.service, ids, at)
        if views:
            users.append(ServiceUser(user=user, links=views))
    return Commit(ServiceUserPage(users=tuple(users), next=held[-1][0] if page.more else None))


def users_of(service: str, *, after: str | None = None, limit: int = 20) -> Operation[ServiceUserPage]:
    """List the users who have a link to a service, in pages, in order of id; what the product itself lacks.

    Source: S10, F7. Needs `common_administrator` or `host`. A page may hold fewer users than `limit`, even none, and
    still have a next one.

    Args:
        after: the cursor of the page before.
        limit: 1 to 50.

    Raises when run:
        Refused: `service.unknown`.

    >>> users_of("slack").name
    'links.users_of'
    """
    cursor = None if after is None else text(after, "after", 255)
    if cursor == "":
        raise InvalidInput(
            "after", "expected the cursor of the page before, got an empty text; leave it out for the first"
        )
    return _users_of(
        service=ServiceId(parse_id(service, "service")), after=cursor, limit=whole(limit, "limit", 1, _MAX_PAGE)
    )
