"""Requests for access: a user asks, an administrator approves - perhaps some of the operations - or declines (F3).

A request by itself grants nothing; approving it is an edit of the service's grants, by name, with the next edit number
and in the same commit. Who may ask is somebody whom nothing but a grant keeps out.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Never, cast

import attrs

from extlink import facts
from extlink.domain.access import AccessRequest, Policy, evaluate
from extlink.domain.event import Detail, Event
from extlink.domain.grant import Rule
from extlink.domain.grant_request import GrantRequest, OpenRequests
from extlink.domain.identifier import Scope, ServiceId, UserId, parse_id, parse_scopes
from extlink.domain.instant import Instant
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput, Refused
from extlink.grant_edits import Part, Plan, Subjects, apply, begin, known_subjects, parse_service
from extlink.inputs import text, whole
from extlink.link_consent import acting_user
from extlink.link_ends import is_administrator
from extlink.operation import (
    ADMINISTRATORS,
    ADMINISTRATORS_AND_HOST,
    ALL_CONCERNED,
    USERS,
    Call,
    Change,
    Commit,
    List,
    Now,
    Operation,
    Steps,
    ask as answer,
    denied,
    drop,
    operation,
    put,
    read,
)
from extlink.ports import Records, prefix
from extlink.records import (
    REQUEST,
    SERVICE,
    open_requests_key,
    request_answer_key,
    request_key,
    tenant_key,
)
from extlink.services import MAX_SERVICES

__all__ = ["RequestPage", "approve", "ask", "decline", "requests"]

# How long a request waits for an answer, and how many of a tenant may wait at once.
_OPEN_DAYS: Final = 30
_MAX_OPEN: Final = 1_000
_DAY: Final = 86_400
_MAX_TEXT: Final = 500
_MAX_PAGE: Final = 50
_READ_AT_ONCE: Final = 30
# What a grant puts right; whoever is kept out by anything else would ask in vain.
_ASKABLE: Final = frozenset({"grant.missing", "grant.over", "grant.scope_not_granted"})


@attrs.frozen(kw_only=True)
class RequestPage:
    """A bounded page of requests; `next` is the cursor of the following page or None."""

    requests: tuple[GrantRequest, ...]
    next: str | None


def _details(request: GrantRequest) -> dict[str, Detail]:
    scopes = None if request.scopes is None else tuple(sorted(request.scopes))
    return {"service": request.service, "user": request.user, "scopes": scopes}


def _refuse_if_vain(
    policy: Policy, service: ServiceId, user: UserId, scopes: frozenset[Scope] | None, at: Instant
) -> None:
    """Refuse who is granted it already, and whom something else than a grant keeps out.

    Raises:
        Refused: `request.already_granted`, or the first reason that a grant does not put right.
    """
    question = AccessRequest(
        service=service, user=user, at=at, scopes=scopes or frozenset(), network="not_applicable", flow="not_applicable"
    )
    decision = evaluate(policy, question)
    for reason in decision.reasons:
        if reason.code not in _ASKABLE:
            raise Refused(reason)
    ceiling = policy.grants[service].ceiling(user, policy.people[user].member, at)
    if decision.allowed and (scopes is not None or ceiling is None):
        raise Refused(Reason("request.already_granted", {"service": service, "user": user}))


@operation("grants.ask", by=USERS, records=("request.made", "request.expired"))
def _ask(
    call: Call, *, service: ServiceId, scopes: frozenset[Scope] | None, message: str
) -> Steps[Commit[GrantRequest]]:
    user = acting_user(call)
    place, head = request_key(call.tenant, service, user), open_requests_key(call.tenant)
    found = yield from facts.load(call, service, user, place, head)
    at = yield from answer(Now())
    _refuse_if_vain(found.policy, service, user, scopes, at)
    held, before = found.answers.get(head) or OpenRequests(), found.answers.get(place)
    if before is not None and before.is_open(at):
        return Commit(before)
    events: list[Event] = []
    if before is not None:
        held = held.removed(before.expires, at)
        events.append(Event("request.expired", _details(before)))
    if held.count(at) >= _MAX_OPEN:
        raise Refused(Reason("request.too_many", {"limit": str(_MAX_OPEN)}))
    expires = Instant(at + _OPEN_DAYS * _DAY)
    made = GrantRequest(user=user, service=service, scopes=scopes, made_at=at, expires=expires, message=message)
    events.append(Event("request.made", {**_details(made), "expires": expires}))
    return Commit(made, (put(place, made), put(head, held.added(expires, at))), tuple(events))


def ask(service: str, *, scopes: str | Iterable[str] | None = None, message: str = "") -> Operation[GrantRequest]:
    """Ask the administrators for a service, on behalf of the user in person; it grants nothing.

    Source: F3. One request of a user for a service is open at a time, for 30 days: asking again changes nothing and
    returns it. A tenant has at most 1,000 open ones.

    Args:
        scopes: the operations wanted; None: the service with all of them.
        message: to the administrators, at most 500 characters; kept until there is an answer, and never in the ledger.

    Raises:
        InvalidInput: malformed arguments, or no operation at all.
        Refused: when run: `request.already_granted`, `request.too_many`, or what keeps the user out beside the grant:
            `user.suspended`, `user.unknown`, `grant.excluded`, `service.not_enabled`, `scope.unknown` ...

    >>> ask("slack", message="for the night shift").name
    'grants.ask'
    """
    wanted = None if scopes is None else parse_scopes(scopes)
    if wanted is not None and not wanted:
        raise InvalidInput("scopes", "expected at least one operation, or None for the service with all of them")
    return _ask(service=parse_service(service), scopes=wanted, message=text(message, "message", _MAX_TEXT))


class _Waiting(NamedTuple):
    """A request that an administrator answers, and what else its answer changes."""

    request: GrantRequest
    held: OpenRequests
    at: Instant


def _waiting(call: Call, service: ServiceId, user: UserId) -> Steps[_Waiting]:
    """Return the request that is to be answered.

    Raises:
        Refused: `tenant.not_open`, `request.unknown`.
    """
    place, head = request_key(call.tenant, service, user), open_requests_key(call.tenant)
    answers = yield from read(tenant_key(call.tenant), place, head)
    facts.opened(answers, call.tenant)
    request = answers.get(place)
    if request is None:
        raise Refused(Reason("request.unknown", {"service": service, "user": user}))
    at = yield from answer(Now())
    return _Waiting(request, answers.get(head) or OpenRequests(), at)


def _closed(call: Call, waiting: _Waiting, after: GrantRequest) -> tuple[Change, ...]:
    """Return the changes that put an answer in the place of a request."""
    service, user = after.service, after.user
    return (
        drop(request_key(call.tenant, service, user)),
        put(request_answer_key(call.tenant, service, user), attrs.evolve(after, message="", answered_at=waiting.at)),
        put(open_requests_key(call.tenant), waiting.held.removed(after.expires, waiting.at)),
    )


def _over(call: Call, waiting: _Waiting) -> Commit[Never]:
    """Record that a request is over, and refuse to answer it."""
    request = waiting.request
    changes = _closed(call, waiting, request.seen(waiting.at))
    reason = Reason("request.expired", {"service": request.service, "user": request.user})
    return Commit(cast("Never", None), changes, (Event("request.expired", _details(request)),), Refused(reason))


def _granting(given: frozenset[Scope] | None) -> Callable[[Rule, Plan], Rule]:
    """Return the change that grants by name.

    Who is granted already keeps the end date and what was granted before: approving never narrows.
    """

    def change(rule: Rule, plan: Plan) -> Rule:
        held = rule.open
        if held is None or not rule.holds(plan.at):
            return rule.opened(plan.edit, plan.at, None, "direct", scopes=given)
        union = None if held.scopes is None or given is None else held.scopes | given
        return rule.opened(plan.edit, plan.at, held.until, held.reach, held.existing, union)

    return change


@operation("grants.approve", by=ADMINISTRATORS, records=("grant.changed", "request.approved", "request.expired"))
def _approve(
    call: Call, *, service: ServiceId, user: UserId, scopes: frozenset[Scope] | None
) -> Steps[Commit[GrantRequest]]:
    waiting = yield from _waiting(call, service, user)
    request = waiting.request
    if not request.is_open(waiting.at):
        return _over(call, waiting)
    given = request.scopes if scopes is None else scopes
    if given is not None and request.scopes is not None and not given <= request.scopes:
        raise InvalidInput("scopes", "expected some of the operations that were asked for; grant others with `allow`")
    subjects = Subjects((user,))
    plan = yield from begin(call, service, subjects.users)
    yield from known_subjects(subjects)
    shown = None if given is None else tuple(sorted(given))
    details: dict[str, Detail] = {"added": subjects.details(), "scopes": shown}
    saved = apply(call, service, plan, (Part("granted", subjects, _granting(given)),), details)
    approved = attrs.evolve(request, state="approved", granted=given, answered_at=waiting.at, message="")
    event = Event("request.approved", {**_details(request), "granted": shown})
    return Commit(approved, (*saved.changes, *_closed(call, waiting, approved)), (*saved.events, event))


def approve(service: str, user: str, *, scopes: str | Iterable[str] | None = None) -> Operation[GrantRequest]:
    """Grant a user by name what they asked for, or some of it. Needs `common_administrator`.

    Source: F3. One commit: the grant, with the next edit number, and the answer. Some of the operations are a ceiling:
    others are refused `grant.scope_not_granted` at the next message, unless another grant lets the user in. What was
    granted by name before stays granted, with its end date.

    Args:
        scopes: some of the operations asked for; None: what was asked for.

    Returns:
        The request as it was answered.

    Raises:
        InvalidInput: malformed arguments, no operation at all; when run: operations that were not asked for.
        Refused: when run: `request.unknown`, `request.expired`, `service.unknown`, `subject.unknown`,
            `directory.unavailable`.

    >>> approve("slack", "sato", scopes="k:file:read").name
    'grants.approve'
    """
    given = None if scopes is None else parse_scopes(scopes)
    if given is not None and not given:
        raise InvalidInput("scopes", "expected at least one operation, or None for all asked for; decline otherwise")
    return _approve(service=parse_service(service), user=UserId(parse_id(user, "user")), scopes=given)


@operation("grants.decline", by=ADMINISTRATORS, records=("request.declined", "request.expired"))
def _decline(call: Call, *, service: ServiceId, user: UserId, cause: str) -> Steps[Commit[GrantRequest]]:
    waiting = yield from _waiting(call, service, user)
    request = waiting.request
    if not request.is_open(waiting.at):
        return _over(call, waiting)
    declined = attrs.evolve(request, state="declined", cause=cause, answered_at=waiting.at, message="")
    event = Event("request.declined", {**_details(request), "cause": cause})
    return Commit(declined, _closed(call, waiting, declined), (event,))


def decline(service: str, user: str, *, cause: str) -> Operation[GrantRequest]:
    """Say no to a request; the user may ask again. Needs `common_administrator`.

    Source: F3.

    Args:
        cause: why, for the user to read; 1 to 500 characters, kept in the ledger.

    Raises:
        InvalidInput: malformed arguments, or no cause.
        Refused: when run: `request.unknown`, `request.expired`.

    >>> decline("slack", "sato", cause="use the team's own connection").name
    'grants.decline'
    """
    why = text(cause, "cause", _MAX_TEXT)
    if not why.strip():
        raise InvalidInput("cause", "expected why it is declined, got a blank text; the user reads it")
    return _decline(service=parse_service(service), user=UserId(parse_id(user, "user")), cause=why)


@operation("grants.requests", by=ALL_CONCERNED)
def _requests(
    call: Call, *, user: UserId | None, service: ServiceId | None, after: bytes, limit: int
) -> Steps[Commit[RequestPage]]:
    if not is_administrator(call) and (user is None or user != call.actor.user):
        return (yield from denied(call, "grants.requests", ADMINISTRATORS_AND_HOST))
    facts.opened((yield from read(tenant_key(call.tenant))), call.tenant)
    if user is not None:
        return (yield from _of(call, user, service))
    where = prefix("rq") if service is None else prefix("rq", service)
    if after and not after.startswith(where):
        raise InvalidInput("after", "expected the cursor of a page of the same list")
    page = yield from answer(List(Records(call.tenant.encode(), where, after, limit)))
    at = yield from answer(Now())
    found = [REQUEST.decode(item.value)[0] for item in page.items if item.value is not None]
    more = base64.urlsafe_b64encode(page.items[-1].key.path).decode() if page.more else None
    return Commit(RequestPage(requests=tuple(one for one in found if one.is_open(at)), next=more))


def _of(call: Call, user: UserId, service: ServiceId | None) -> Steps[Commit[RequestPage]]:
    """Return a user's last request for each service, in the order in which the services were registered."""
    wanted = [service] if service is not None else (yield from _services(call))
    found: list[GrantRequest] = []
    for start in range(0, len(wanted), _READ_AT_ONCE):
        some = wanted[start : start + _READ_AT_ONCE]
        places = [(request_key(call.tenant, one, user), request_answer_key(call.tenant, one, user)) for one in some]
        answers = yield from read(*(place for pair in places for place in pair))
        seen = [answers.get(waiting) or answers.get(answered) for waiting, answered in places]
        found.extend(one for one in seen if one is not None)
    at = yield from answer(Now())
    return Commit(RequestPage(requests=tuple(one.seen(at) for one in found), next=None))


def _services(call: Call) -> Steps[list[ServiceId]]:
    page = yield from answer(List(Records(call.tenant.encode(), prefix("s"), limit=MAX_SERVICES)))
    known = [SERVICE.decode(one.value)[0] for one in page.items if one.value is not None]
    return [one.service.id for one in sorted(known, key=lambda one: (one.order, one.service.id))]


def requests(
    *, user: str | None = None, service: str | None = None, after: str | None = None, limit: int = 20
) -> Operation[RequestPage]:
    """List requests: the open ones of the tenant in pages, or a user's own with what became of them.

    Source: F3. Users see their own; administrators and the host everybody's. A page of the tenant may hold fewer than
    `limit`, even none, and still have a next one: requests that are over are left out.

    Args:
        user: the last request of this user for each service, answered ones too; None: all open requests.
        service: only those for it.
        after: the cursor of the page before.
        limit: 1 to 50; a user's own are one page.

    Raises:
        InvalidInput: malformed arguments; when run: a cursor of another list.
        Refused: when run: `actor.not_permitted`, `tenant.not_open`.

    >>> requests(user="sato").name
    'grants.requests'
    """
    return _requests(
        user=None if user is None else UserId(parse_id(user, "user")),
        service=None if service is None else parse_service(service),
        after=b"" if after is None else _cursor(after),
        limit=whole(limit, "limit", 1, _MAX_PAGE),
    )


def _cursor(value: object) -> bytes:
    try:
        path = base64.b64decode(text(value, "after", 2_048).encode(), altchars=b"-_", validate=True)
    except binascii.Error:
        path = b""
    if not path:
        raise InvalidInput("after", "expected the cursor of the page before; leave it out for the first")
    return path
