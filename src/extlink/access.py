"""Questions about access: check a token, explain a case, check a flow (DESIGN 3; S7, TRACE T3).

`check` is what a host asks at every call of a service. A refusal is a value with every reason. The first accepted use
of a new access token is written down once (it confirms that the answer arrived); a live link's refusals are recorded
once per reason and hour; and when a link was last used is noted at most once in five minutes, beside the answer: it
changes no decision, costs no round trip beyond the two, and where it cannot be written the answer is given anyhow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, cast

import attrs

from extlink import facts
from extlink.domain.access import (
    AccessRequest,
    Credential,
    Person,
    Policy,
    evaluate,
    is_allowed,
    unidentified,
)
from extlink.domain.connector import canonical_place, parse_connector
from extlink.domain.connector_rules import CustomConnector
from extlink.domain.datagroup import Question
from extlink.domain.decision import Admission, Decision, Gate, Note
from extlink.domain.event import Event
from extlink.domain.flow import Flow
from extlink.domain.identifier import (
    ConnectorId,
    LinkId,
    Scope,
    ServiceId,
    UserId,
    parse_id,
    parse_items,
    parse_scopes,
)
from extlink.domain.last_use import LastUse
from extlink.domain.link import Link, LinkState
from extlink.domain.network import NetworkProof, parse_proof
from extlink.domain.secret import Secret
from extlink.errors import InvalidInput
from extlink.inputs import address_text, audience, one_of, presented_secret
from extlink.link_dormancy import ending
from extlink.link_uses import noting
from extlink.operation import (
    ADMINISTRATORS,
    Call,
    Commit,
    Ledger,
    Now,
    Operation,
    Recall,
    Steps,
    ask,
    operation,
    put,
    read,
)
from extlink.records import client_key, last_use_key, link_key, links_of_key, marks_key

__all__ = [
    "AccessRequest",
    "Admission",
    "Credential",
    "Person",
    "Policy",
    "admit",
    "check",
    "check_flow",
    "evaluate",
    "explain",
    "is_allowed",
]

Network = Literal["applies", "not_applicable"]
_HOUR: Final = 3_600
_LINK_REQUIRED: Final[frozenset[Gate]] = frozenset({"service", "user", "link"})


CHECKED: Final = ("access.refused", "link.dormant")


def checking(
    call: Call,
    *,
    token: Secret,
    scopes: frozenset[Scope],
    address: str | None,
    connectors: Stated,
    resource: str | None,
) -> Steps[Commit[Decision]]:
    """Carry out `check`, for operations that are allowed only if it is."""
    ledger = yield from ask(Ledger())
    presented = ledger.keys.open(call.tenant, token)
    if presented is None:
        return Commit(unidentified())
    loaded = yield from _loaded(call, presented.token.link)
    if loaded is None:
        return Commit(unidentified())
    link, at = loaded.link, (yield from ask(Now()))
    notes, covered = ledger.examine(link, presented, at)
    if link.resource is not None and resource != link.resource:
        notes = (*notes, ("token.wrong_audience", {"audience": link.resource}))
    request = AccessRequest(
        service=link.service,
        user=link.owner,
        at=at,
        scopes=scopes,
        address=address,
        connectors=connectors.connectors,
        environment=connectors.environment,
        flow_id=connectors.flow_id,
        credential=Credential(link=link, notes=notes, scopes=covered),
        required=_LINK_REQUIRED,
    )
    decision = evaluate(loaded.policy, request)
    if not decision.allowed:
        return (yield from _recorded(call, link, request, decision))
    used = yield from noting(call, link.id, address, at, loaded.use, recalled=loaded.recalled)
    if not ledger.confirms(link, presented):
        return Commit(decision, used)
    # Nothing in the ledger's image changes: that an answer arrived is part of the token's mechanics.
    confirmed = attrs.evolve(link, rotation=attrs.evolve(link.rotation, confirmed=True))
    return Commit(decision, (put(link_key(call.tenant, link.id), confirmed), *used))


_check = operation("access.check", records=CHECKED)(checking)


class _Loaded(NamedTuple):
    """What a check rests on, of one snapshot.

    Args:
        use: when the link was last used.
        recalled: whether `use` is only what this process remembers.
    """

    link: Link
    policy: Policy
    use: LastUse | None
    recalled: bool


def _loaded(call: Call, handle: LinkId) -> Steps[_Loaded | None]:
    """Return the link that a token names, and the policy it is judged by; None if there is no link."""
    place, use = link_key(call.tenant, handle), last_use_key(call.tenant, handle)
    # Whose link it is and for which service never changes: where that is remembered, one round trip reads everything.
    recalled = yield from ask(Recall((place, use)))
    remembered, known = recalled.get(place), recalled.get(use)
    named = remembered or (yield from read(place)).get(place)
    if named is None:
        return None
    client = client_key(call.tenant, named.client)
    # A note that is remembered is read again only when it is due: it has grown no older than it says.
    more = (client, *(() if remembered is None else (place,)), *(() if known is not None else (use,)))
    found = yield from facts.load(call, named.service, named.owner, *more)
    link = found.answers.get(place)
    if link is None:
        return None
    return _Loaded(link, found.policy, found.answers.get(use) if known is None else known, known is not None)


def _recorded(call: Call, link: Link, request: AccessRequest, decision: Decision) -> Steps[Commit[Decision]]:
    """Record a live link's refusal, once per reason and hour, so that a hammering caller cannot grow the ledger."""
    if link.state is not LinkState.LIVE:
        return Commit(decision)
    dormant = ending(call, link, decision, request.at)
    if dormant is not None:
        return Commit(decision, *dormant)
    place = marks_key(call.tenant, link.id)
    marks = (yield from read(place)).get(place) or {}
    hour = request.at // _HOUR
    codes = tuple(sorted({reason.code for reason in decision.reasons}))
    fresh = tuple(code for code in codes if marks.get(code) != hour)
    if not fresh:
        return Commit(decision)
    event = Event(
        "access.refused",
        {
            "service": link.service,
            "user": link.owner,
            "link": link.id,
            "reasons": fresh,
            "address": None if request.address is None else request.address[:64].encode("ascii", "replace").decode(),
            "scopes": tuple(sorted(request.scopes)),
        },
    )
    return Commit(decision, (put(place, {**marks, **dict.fromkeys(fresh, hour)}),), (event,))


@attrs.frozen
class Stated:
    """What a caller states of the flow behind a call: as `AccessRequest` takes it."""

    connectors: frozenset[ConnectorId] | Flow | None = None
    environment: str | None = None
    flow_id: str | None = None


def stated(connectors: Question | None, environment: str | None, flow_id: str | None) -> Stated:
    """Return what a caller states of the flow, each id in its one form.

    Raises:
        InvalidInput: malformed, or the flow itself names another environment or id.
    """
    if type(connectors) is Flow:
        where, own = _agreed(connectors.environment, environment, "environment"), connectors.id
        return Stated(connectors, where, _agreed(own, flow_id, "flow_id"))
    where, own = _agreed(None, environment, "environment"), _agreed(None, flow_id, "flow_id")
    if connectors is None:
        return Stated(None, where, own)
    ids = parse_items(connectors, "connectors")
    if any(type(one) is CustomConnector for one in ids):
        return Stated(Flow(cast("Iterable[str]", ids)), where, own)
    return Stated(frozenset(parse_connector(one, "connectors") for one in ids), where, own)


def _agreed(known: str | None, value: str | None, field: str) -> str | None:
    said = None if value is None else canonical_place(value, field)
    if known is not None and said is not None and known != said:
        raise InvalidInput(field, "expected what the flow itself says, got another; leave it out here or there")
    return known if said is None else said


def _needed(scope: str | Iterable[str]) -> frozenset[Scope]:
    scopes = parse_scopes(scope, "scope")
    if not scopes:
        raise InvalidInput(
            "scope", "expected the operation that is asked for; a check that names none would check nothing"
        )
    return scopes


def check(
    token: Secret | str,
    *,
    scope: str | Iterable[str],
    address: str | None = None,
    connectors: Question | None = None,
    environment: str | None = None,
    flow_id: str | None = None,
    resource: str | None = None,
) -> Operation[Decision]:
    """Decide whether a service may do something now with the token it presents.

    Source: DESIGN 3, RFC 6750. All five gates are asked; a text that is not one of our tokens is refused without I/O.

    Args:
        token: what the caller presented, whatever it is.
        scope: the operation, or all operations, that the call needs.
        address: the caller's address as the host got it.
        connectors: all connectors of the flow, where the caller states them (TRACE T2), or the flow as a value.
        environment: where the flow lives; not stated: every data policy applies, those for other environments too.
        flow_id: the flow's own id, for exemptions from data policies.
        resource: the resource server that asks; a token made for one is refused by any other, and by one that does not
            say which it is (RFC 8707, RFC 9700 section 2.3).

    Returns:
        The decision; `bool(decision)` is whether it is allowed.

    Raises:
        InvalidInput: malformed arguments.
        Refused: when run: `tenant.not_open`.
        StorageError: when run: no answer is no yes.

    >>> check("xl_at_...", scope="k:app_record:read", address="203.0.113.7").name
    'access.check'
    """
    return _check(
        token=presented_secret(token),
        scopes=_needed(scope),
        address=address_text(address),
        connectors=stated(connectors, environment, flow_id),
        resource=audience(resource),
    )


@operation("access.admit", records=CHECKED)
def _admit(
    call: Call,
    *,
    token: Secret,
    scopes: frozenset[Scope],
    address: str | None,
    connectors: Stated,
    resource: str | None,
) -> Steps[Commit[Admission | Decision]]:
    commit = yield from checking(
        call, token=token, scopes=scopes, address=address, connectors=connectors, resource=resource
    )
    presented = (yield from ask(Ledger())).keys.open(call.tenant, token)
    link: Link | None = None
    if presented is not None and commit.result.allowed:
        # Whose link it is never changes, so that it is read again breaks no snapshot.
        place = link_key(call.tenant, presented.token.link)
        link = (yield from read(place)).get(place)
    if link is None:
        return Commit(commit.result, commit.changes, commit.events)
    admitted = Admission(
        user=link.owner, service=link.service, link=link.id, client=link.client, decision=commit.result
    )
    return Commit(admitted, commit.changes, commit.events)


def admit(
    token: Secret | str,
    *,
    scope: str | Iterable[str],
    address: str | None = None,
    connectors: Question | None = None,
    environment: str | None = None,
    flow_id: str | None = None,
    resource: str | None = None,
) -> Operation[Admission | Decision]:
    """Decide as `check` does, and say of a call that is let in for whom it acts.

    Arguments and errors are those of `check`; its `Decision` comes back where the call is refused.

    >>> admit("xl_at_...", scope="k:app_record:read", address="203.0.113.7").name
    'access.admit'
    """
    return _admit(
        token=presented_secret(token),
        scopes=_needed(scope),
        address=address_text(address),
        connectors=stated(connectors, environment, flow_id),
        resource=audience(resource),
    )


@operation("access.explain", by=ADMINISTRATORS)
def _explain(
    call: Call,
    *,
    service: ServiceId,
    user: UserId,
    scopes: frozenset[Scope],
    address: str | None,
    connectors: Stated,
    network: Network,
    network_proof: NetworkProof | None,
) -> Steps[Commit[Decision]]:
    found = yield from facts.load(call, service, user)
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
        network=network,
        caller="service" if network_proof is None else "user",
        network_proof=network_proof or "none",
    )
    return Commit(evaluate(found.policy, request))


def explain(  # noqa: PLR0913 - each is a fact of the question
    service: str,
    *,
    user: str,
    scope: str | Iterable[str] = (),
    address: str | None = None,
    connectors: Question | None = None,
    environment: str | None = None,
    flow_id: str | None = None,
    network: Network = "applies",
    network_proof: NetworkProof | None = None,
) -> Operation[Decision]:
    """Say whether a user may use a service and why, without any token; writes nothing.

    Source: DESIGN 3. The link gate is not evaluated. Needs `common_administrator`.

    Args:
        scope: operations to ask about; none: the gates before them.
        connectors, environment, flow_id: as in `check`.
        network: `not_applicable` to leave the address out.
        network_proof: None where the service is at the address; where it is the user in person, on the consent page,
            what the host checked of them: `none`, `basic`, `client_certificate`.

    >>> explain("slack", user="sato", network="not_applicable").name
    'access.explain'
    """
    return _explain(
        service=ServiceId(parse_id(service, "service")),
        user=UserId(parse_id(user, "user")),
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
        required=_LINK_REQUIRED,
    )
    tried = [
        evaluate(policy, attrs.evolve(request, credential=Credential(link=link, scopes=link.scopes))) for link in links
    ]
    none: tuple[Note, ...] = (("link.missing", {"service": service, "user": user}),)
    tried.append(evaluate(policy, attrs.evolve(request, credential=Credential(link=None, notes=none))))
    # A user may have several links to one service, one per client: the flow runs if one of them may carry it.
    return Commit(next((decision for decision in tried if decision.allowed), tried[0]))


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
        scopes=_needed(scope),
        connectors=attrs.evolve(said, connectors=whole),
        address=address_text(address),
        direction=cast("Literal['inbound', 'outbound']", one_of(direction, ("inbound", "outbound"), "direction")),
    )
