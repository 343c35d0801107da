"""Who may use a service, and what may somebody use: lists, in pages (law 3).

A list is what asking one by one lets through. A page is of one snapshot and one instant, and rests on a page of people
or services; whoever may not is left out, so it may hold fewer than were asked for, even none, and still have a next
one. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

import attrs

from extlink import facts
from extlink.access_checks import Network
from extlink.access_questions import explain
from extlink.domain.datagroup import Question
from extlink.domain.decision import Decision
from extlink.domain.directory import CandidateQuery, Member
from extlink.domain.identifier import ServiceId, parse_id
from extlink.domain.network import NetworkProof
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput, Refused
from extlink.inputs import text, whole
from extlink.operation import (
    ADMINISTRATORS,
    Call,
    Commit,
    List,
    Lookup,
    Operation,
    Steps,
    Unanswered,
    ask,
    operation,
    read,
)
from extlink.ports import Records, components, prefix
from extlink.records import SERVICE, service_key, tenant_key
from extlink.together import together

__all__ = ["ServiceAccess", "ServiceAccessPage", "UserAccess", "UserAccessPage", "services", "users"]

# What decides about so many fits one read: two records for each user beside seven, five for each service beside four.
_MAX_USERS: Final = 25
_MAX_SERVICES: Final = 10
_MAX_CURSOR: Final = 1_024
# Stands in a question for whom it will be about.
_SOMEBODY: Final = "somebody"
_UNAVAILABLE: Final = "directory.unavailable"


@attrs.frozen(kw_only=True)
class UserAccess:
    """One person who may use a service, and why: the decision names the grant."""

    member: Member
    decision: Decision


@attrs.frozen(kw_only=True)
class UserAccessPage:
    """A bounded page of those who may use a service; `next` is the cursor of the following page or None."""

    users: tuple[UserAccess, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class ServiceAccess:
    """One service that a user may use, and why: the decision names the grant."""

    service: ServiceId
    decision: Decision


@attrs.frozen(kw_only=True)
class ServiceAccessPage:
    """A bounded page of what a user may use; `next` is the cursor of the following page or None."""

    services: tuple[ServiceAccess, ...]
    next: str | None


def _about(question: Operation[Decision], **who: str) -> Operation[Decision]:
    return attrs.evolve(question, arguments={**question.arguments, **who})


@operation("access.users", by=ADMINISTRATORS)
def _users(
    call: Call, *, service: ServiceId, question: Operation[Decision], after: str | None, limit: int
) -> Steps[Commit[UserAccessPage]]:
    answers = yield from read(tenant_key(call.tenant), service_key(call.tenant, service))
    facts.opened(answers, call.tenant)
    facts.registered(answers, call.tenant, service)
    page = yield from ask(Lookup.page(CandidateQuery(), after, limit))
    if isinstance(page, Unanswered):
        raise Refused(Reason(_UNAVAILABLE))
    members = tuple(page.members[:limit])
    starts = [partial(_about(question, user=member.id).start, call) for member in members]
    commits = yield from together(starts, members)
    found = [
        UserAccess(member=member, decision=commit.result)
        for member, commit in zip(members, commits, strict=True)
        if commit.result.allowed
    ]
    return Commit(UserAccessPage(users=tuple(found), next=page.next))


def users(  # noqa: PLR0913 - each is a fact of the question, as in `explain`
    service: str,
    *,
    scope: str | Iterable[str] = (),
    address: str | None = None,
    connectors: Question | None = None,
    environment: str | None = None,
    flow_id: str | None = None,
    network: Network = "applies",
    network_proof: NetworkProof | None = None,
    after: str | None = None,
    limit: int = 20,
) -> Operation[UserAccessPage]:
    """List who may use a service, and why, in pages: those whom `access.explain` lets through.

    Source: law 3, F7. Asked with these arguments, in the directory's order. Needs `common_administrator`. A page may
    hold fewer people than `limit`, even none, and still have a next one. Who does use it says `links.users_of`.

    Args:
        scope, address, connectors, environment, flow_id, network, network_proof: as in `explain`.
        after: the cursor of the page before.
        limit: how many people to look at, 1 to 25.

    Raises:
        InvalidInput: malformed arguments.
        Refused: when run: `service.unknown`, `directory.unavailable`, `tenant.not_open`.

    >>> users("slack", network="not_applicable").name
    'access.users'
    """
    question = explain(
        service,
        user=_SOMEBODY,
        scope=scope,
        address=address,
        connectors=connectors,
        environment=environment,
        flow_id=flow_id,
        network=network,
        network_proof=network_proof,
    )
    return _users(
        service=ServiceId(parse_id(service, "service")),
        question=question,
        after=None if after is None else text(after, "after", _MAX_CURSOR),
        limit=whole(limit, "limit", 1, _MAX_USERS),
    )


@operation("access.services", by=ADMINISTRATORS)
def _services(
    call: Call, *, question: Operation[Decision], after: str | None, limit: int
) -> Steps[Commit[ServiceAccessPage]]:
    facts.opened((yield from read(tenant_key(call.tenant))), call.tenant)
    start = b"" if after is None else prefix(SERVICE.name, after)
    page = yield from ask(List(Records(call.tenant.encode(), prefix(SERVICE.name), start, limit)))
    names = [ServiceId(components(item.key.path)[-1]) for item in page.items]
    commits = yield from together([partial(_about(question, service=name).start, call) for name in names])
    if any(reason.code == _UNAVAILABLE for commit in commits for reason in commit.result.reasons):
        raise Refused(Reason(_UNAVAILABLE))  # an empty page would read as "nothing"
    unknown = [reason for commit in commits if commit.result.is_unknown for reason in commit.result.reasons]
    if unknown:
        raise Refused(unknown[0])  # of the past, of which nobody said who belonged to what: as well
    found = [
        ServiceAccess(service=name, decision=commit.result)
        for name, commit in zip(names, commits, strict=True)
        if commit.result.allowed
    ]
    return Commit(ServiceAccessPage(services=tuple(found), next=names[-1] if page.more else None))


def services(  # noqa: PLR0913 - each is a fact of the question, as in `explain`
    user: str,
    *,
    scope: str | Iterable[str] = (),
    address: str | None = None,
    connectors: Question | None = None,
    environment: str | None = None,
    flow_id: str | None = None,
    network: Network = "applies",
    network_proof: NetworkProof | None = None,
    after: str | None = None,
    limit: int = 10,
) -> Operation[ServiceAccessPage]:
    """List what a user may use, and why, in pages: the services that `access.explain` lets through.

    Source: law 3, F7. Asked with these arguments, in order of id. Needs `common_administrator`. A page may hold fewer
    services than `limit`, even none, and still have a next one. What a user does use says `links.of`.

    Args:
        scope, address, connectors, environment, flow_id, network, network_proof: as in `explain`.
        after: the cursor of the page before.
        limit: how many services to look at, 1 to 10.

    Raises:
        InvalidInput: malformed arguments.
        Refused: when run: `directory.unavailable`, `tenant.not_open`; of the past `membership.unknown`.

    >>> services("sato", network="not_applicable").name
    'access.services'
    """
    question = explain(
        _SOMEBODY,
        user=user,
        scope=scope,
        address=address,
        connectors=connectors,
        environment=environment,
        flow_id=flow_id,
        network=network,
        network_proof=network_proof,
    )
    cursor = None if after is None else text(after, "after", 255)
    if cursor == "":
        raise InvalidInput(
            "after", "expected the cursor of the page before, got an empty text; leave it out for the first"
        )
    return _services(question=question, after=cursor, limit=whole(limit, "limit", 1, _MAX_SERVICES))
