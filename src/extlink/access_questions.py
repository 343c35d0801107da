"""Questions without a presented token: why is a person or a link refused, and may a flow run (DESIGN 3; S7, TRACE T3).

Nothing is written by either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, cast

import attrs

from extlink import facts
from extlink.access_checks import LINK_REQUIRED, Network, Stated, needed, stated
from extlink.domain.access import (
    AccessRequest,
    Credential,
    Policy,
    evaluate,
)
from extlink.domain.connector import parse_connector
from extlink.domain.datagroup import Question
from extlink.domain.decision import Answer, Decision, Note
from extlink.domain.flow import Flow
from extlink.domain.identifier import (
    LinkId,
    Scope,
    ServiceId,
    UserId,
    parse_id,
    parse_scopes,
)
from extlink.domain.link import LinkState
from extlink.domain.network import NetworkProof, parse_proof
from extlink.errors import InvalidInput
from extlink.inputs import address_text, one_of
from extlink.link_ends import load_link
from extlink.operation import (
    ADMINISTRATORS,
    Call,
    Commit,
    Now,
    Operation,
    Steps,
    ask,
    operation,
)
from extlink.records import client_key, links_of_key

__all__ = ["check_flow", "explain"]


@operation("access.explain", by=ADMINISTRATORS)
def _explain(  # noqa: PLR0913 - as `explain`
    call: Call,
    *,
    service: ServiceId | None,
    user: UserId | None,
    link: LinkId | None,
    scopes: frozenset[Scope],
    address: str | None,
    connectors: Stated,
    network: Network,
    network_proof: NetworkProof | None,
) -> Steps[Commit[Decision]]:
    asked = yield from _asked(call, service, user, link)
    at = yield from ask(Now())
    credential = asked.credential
    request = AccessRequest(
        service=asked.service,
        user=asked.user,
        at=at,
        scopes=scopes if scopes or credential is None else credential.scopes,
        address=address,
        connectors=connectors.connectors,
        environment=connectors.environment,
        flow_id=connectors.flow_id,
        network=network,
        caller="service" if network_proof is None else "user",
        network_proof=network_proof or "none",
        credential=credential,
        required=frozenset() if credential is None else LINK_REQUIRED,
    )
    return Commit(evaluate(asked.policy, request))


class _Asked(NamedTuple):
    """Whom an explanation is about, and the policy they are judged by."""

    policy: Policy
    service: ServiceId
    user: UserId | None
    credential: Credential | None = None


def _asked(call: Call, service: ServiceId | None, user: UserId | None, link: LinkId | None) -> Steps[_Asked]:
    if link is not None:
        known = yield from load_link(call, link)
        found = yield from facts.load(call, known.service, known.owner, client_key(call.tenant, known.client))
        return _Asked(found.policy, known.service, known.owner, Credential(link=known, scopes=known.scopes))
    named = service or ServiceId("")
    return _Asked((yield from facts.load(call, named, user)).policy, named, user)


def explain(  # noqa: PLR0913 - each is a fact of the question
    service: str | None = None,
    *,
    user: str | None = None,
    link: str | None = None,
    scope: str | Iterable[str] = (),
    address: str | None = None,
    connectors: Question | None = None,
    environment: str | None = None,
    flow_id: str | None = None,
    network: Network = "applies",
    network_proof: NetworkProof | None = None,
) -> Operation[Decision]:
    """Say whether a user may use a service, or a link works, and why, without any token; writes nothing.

    Source: DESIGN 3. The link gate is evaluated for a link alone, as for a token of it that is good. Needs
    `common_administrator`.

    Args:
        service, user: who would use what; or
        link: the link that is asked about: its service and its owner are known.
        scope: operations to ask about; none: the gates before them, or all operations that the link covers.
        connectors, environment, flow_id: as in `check`.
        network: `not_applicable` to leave the address out.
        network_proof: None where the service is at the address; where it is the user in person, on the consent page,
            what the host checked of them: `none`, `basic`, `client_certificate`.

    Raises:
        InvalidInput: malformed arguments; neither a service and a user, nor a link alone.
        Refused: when run: `tenant.not_open`, `link.unknown`.

    >>> explain("slack", user="sato", network="not_applicable").name
    'access.explain'
    """
    if link is not None and (service is not None or user is not None):
        raise InvalidInput("link", "expected a link alone, or a service and a user; got both")
    return _explain(
        service=None if link is not None else ServiceId(parse_id(service, "service")),
        user=None if link is not None else UserId(parse_id(user, "user")),
        link=None if link is None else LinkId(parse_id(link, "link")),
        scopes=parse_scopes(scope, "scope"),
        address=address_text(address),
        connectors=stated(connectors, environment, flow_id),
        network=cast("Network", one_of(network, ("applies", "not_applicable"), "network")),
        network_proof=None if network_proof is None else parse_proof(network_proof),
    )


@operation("access.check_flow")
def _check_flow(
    call: Call,
    *,
    service: ServiceId,
    user: UserId,
    scopes: frozenset[Scope],
    connectors: Stated,
    address: str | None,
    direction: Literal["inbound", "outbound"],
) -> Steps[Commit[Decision]]:
    mine = links_of_key(call.tenant, user, service)
    found = yield from facts.load(call, service, user, mine)
    ids = found.answers.get(mine) or ()
    # Those that live first, the newest of them first: of several refusals, that about the link made last tells most.
    links = sorted(
        (yield from facts.links(call, ids)), key=lambda one: (one.state is not LinkState.LIVE, -one.accepted_at, one.id)
    )
    policy = yield from facts.knowing_clients(call, found.policy, links)
    at = yield from ask(Now())
    request = AccessRequest(
        service=service,
        user=user,
        at=at,
        scopes=scopes,
        address=address,
        connectors=connectors.connectors,
        environment=connectors.environment,
        flow_id=connectors.flow_id,
        network="not_applicable" if direction == "outbound" else "applies",
        required=LINK_REQUIRED,
    )
    tried = [
        evaluate(policy, attrs.evolve(request, credential=Credential(link=link, scopes=link.scopes))) for link in links
    ]
    none: tuple[Note, ...] = (("link.missing", {"service": service, "user": user}),)
    tried.append(evaluate(policy, attrs.evolve(request, credential=Credential(link=None, notes=none))))
    # A user may have several links to one service, one per client: the flow runs if one of them may carry it. If none
    # may, the one is told of that fewest gates refuse, so that no remedy mends a link that another could stand in for.
    return Commit(min(tried, key=_obstacles))


def _obstacles(decision: Decision) -> tuple[bool, int]:
    return not decision.allowed, sum(answer is Answer.REFUSED for answer, _ in decision.findings)


def check_flow(  # noqa: PLR0913 - each is one fact of the flow, and all but one have names
    service: str,
    *,
    user: str,
    trigger: str,
    action: str,
    scope: str | Iterable[str],
    connectors: Question = (),
    environment: str | None = None,
    flow_id: str | None = None,
    address: str | None = None,
    direction: Literal["inbound", "outbound"] = "inbound",
) -> Operation[Decision]:
    """Decide whether a flow of several connectors may run over a user's link: every gate, the data group included.

    Source: S7, TRACE T3. The page's own examples: {Outlook, kintone} with `k:app_record:write`, and {kintone, Google
    Calendar} with `k:app_record:read`.

    Args:
        trigger, action: the connectors at the two ends of the flow.
        scope: what the flow does in the host.
        connectors: further connectors of the flow, or the flow itself.
        environment, flow_id: as in `check`.
        address: where the service calls from.
        direction: `outbound` where the host calls the service; the IP restriction is then not applicable.

    >>> check_flow(
    ...     "power-automate", user="sato", trigger="shared_outlook", action="shared_kintone", scope="k:app_record:write"
    ... ).name
    'access.check_flow'
    """
    ends = frozenset({parse_connector(trigger, "trigger"), parse_connector(action, "action")})
    said = stated(connectors, environment, flow_id)
    rest = said.connectors or frozenset()
    whole = rest.joined(ends) if isinstance(rest, Flow) else rest | ends
    return _check_flow(
        service=ServiceId(parse_id(service, "service")),
        user=UserId(parse_id(user, "user")),
        scopes=needed(scope),
        connectors=attrs.evolve(said, connectors=whole),
        address=address_text(address),
        direction=cast("Literal['inbound', 'outbound']", one_of(direction, ("inbound", "outbound"), "direction")),
    )
