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
from extlink.domain.decision import Decision, Gate, Note
from extlink.domain.event import Event
from extlink.domain.identifier import (
    ConnectorId,
    LinkId,
    Scope,
    ServiceId,
    UserId,
    parse_id,
    parse_ids,
    parse_scopes,
    plain_text,
)
from extlink.domain.instant import Instant
from extlink.domain.last_use import LastUse
from extlink.domain.link import Link, LinkState
from extlink.domain.secret import Secret
from extlink.errors import InvalidInput
from extlink.inputs import address_text, audience, one_of
from extlink.link_dormancy import ending
from extlink.operation import (
    ADMINISTRATORS,
    Call,
    Change,
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
from extlink.records import last_use_key, link_key, links_of_key, marks_key

__all__ = [
    "AccessRequest",
    "Credential",
    "Person",
    "Policy",
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
    connectors: frozenset[ConnectorId] | None,
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
    link, policy = loaded.link, loaded.policy
    at = yield from ask(Now())
    notes, covered = ledger.examine(link, presented, at)
    if link.resource is not None and resource != link.resource:
        notes = (*notes, ("token.wrong_audience", {"audience": link.resource}))
    request = AccessRequest(
        service=link.service,
        user=link.owner,
        at=at,
        scopes=scopes,
        address=address,
        connectors=connectors,
        credential=Credential(link=link, notes=notes, scopes=covered),
        required=_LINK_REQUIRED,
    )
    decision = evaluate(policy, request)
    if not decision.allowed:
        return (yield from _recorded(call, link, request, decision))
    used: tuple[Change, ...] = ()
    if loaded.use is None or loaded.use.is_due(at):
        used = yield from _used(call, loaded, at, address)
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
    # A note that is remembered is read again only when it is due: it has grown no older than it says.
    more = (*(() if remembered is None else (place,)), *(() if known is not None else (use,)))
    found = yield from facts.load(call, named.service, named.owner, *more)
    link = found.answers.get(place)
    if link is None:
        return None
    return _Loaded(link, found.policy, found.answers.get(use) if known is None else known, known is not None)


def _used(call: Call, loaded: _Loaded, at: Instant, address: str | None) -> Steps[tuple[Change, ...]]:
    """Return what notes that a link was used, where that is due by what is known."""
    place = last_use_key(call.tenant, loaded.link.id)
    if loaded.recalled:
        # Another process may have noted a newer use; and what is written must have been read.
        newer = (yield from read(place)).get(place)
        if newer is not None and not newer.is_due(at):
            return ()
    return (put(place, LastUse.of(at, address)),)


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


def parse_connectors(values: Iterable[str] | None) -> frozenset[ConnectorId] | None:
    """Return the connectors of a flow, or None where the caller does not state them."""
    if values is None:
        return None
    return frozenset(ConnectorId(one) for one in parse_ids(values, "connectors"))


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
    connectors: Iterable[str] | None = None,
    resource: str | None = None,
) -> Operation[Decision]:
    """Decide whether a service may do something now with the token it presents.

    Source: DESIGN 3, RFC 6750. All five gates are asked; a text that is not one of our tokens is refused without I/O.

    Args:
        token: what the caller presented, whatever it is.
        scope: the operation, or all operations, that the call needs.
        address: the caller's address as the host got it.
        connectors: all connectors of the flow, where the caller states them (TRACE T2).
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
        connectors=parse_connectors(connectors),
        resource=audience(resource),
    )


def presented_secret(value: object) -> Secret:
    """Return what a caller presented as a secret, whatever it is."""
    if type(value) is Secret:
        return value
    # Whatever else a caller presents is no token of ours; it must not become an error that tells more than a refusal.
    return Secret(plain_text(value) or "")


@operation("access.explain", by=ADMINISTRATORS)
def _explain(
    call: Call,
    *,
    service: ServiceId,
    user: UserId,
    scopes: frozenset[Scope],
    address: str | None,
    connectors: frozenset[ConnectorId] | None,
    network: Network,
) -> Steps[Commit[Decision]]:
    found = yield from facts.load(call, service, user)
    at = yield from ask(Now())
    request = AccessRequest(
        service=service,
        user=user,
        at=at,
        scopes=scopes,
        address=address,
        connectors=connectors,
        network=network,
    )
    return Commit(evaluate(found.policy, request))


def explain(
    service: str,
    *,
    user: str,
    scope: str | Iterable[str] = (),
    address: str | None = None,
    connectors: Iterable[str] | None = None,
    network: Network = "applies",
) -> Operation[Decision]:
    """Say whether a user may use a service and why, without any token; writes nothing.

    Source: DESIGN 3. The link gate is not evaluated. Needs `common_administrator`.

    Args:
        scope: operations to ask about; none: the gates before them.
        network: `not_applicable` to leave the address out.

    >>> explain("slack", user="sato", network="not_applicable").name
    'access.explain'
    """
    return _explain(
        service=ServiceId(parse_id(service, "service")),
        user=UserId(parse_id(user, "user")),
        scopes=parse_scopes(scope, "scope"),
        address=address_text(address),
        connectors=parse_connectors(connectors),
        network=cast("Network", one_of(network, ("applies", "not_applicable"), "network")),
    )


@operation("access.check_flow")
def _check_flow(
    call: Call,
    *,
    service: ServiceId,
    user: UserId,
    scopes: frozenset[Scope],
    connectors: frozenset[ConnectorId],
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
    at = yield from ask(Now())
    request = AccessRequest(
        service=service,
        user=user,
        at=at,
        scopes=scopes,
        address=address,
        connectors=connectors,
        network="not_applicable" if direction == "outbound" else "applies",
        required=_LINK_REQUIRED,
    )
    tried = [
        evaluate(found.policy, attrs.evolve(request, credential=Credential(link=link, scopes=link.scopes)))
        for link in links
    ]
    none: tuple[Note, ...] = (("link.missing", {"service": service, "user": user}),)
    tried.append(evaluate(found.policy, attrs.evolve(request, credential=Credential(link=None, notes=none))))
    # A user may have several links to one service, one per client: the flow runs if one of them may carry it.
    return Commit(next((decision for decision in tried if decision.allowed), tried[0]))


def check_flow(
    service: str,
    *,
    user: str,
    trigger: str,
    action: str,
    scope: str | Iterable[str],
    connectors: Iterable[str] = (),
    address: str | None = None,
    direction: Literal["inbound", "outbound"] = "inbound",
) -> Operation[Decision]:
    """Decide whether a flow of several connectors may run over a user's link: every gate, the data group included.

    Source: S7, TRACE T3. The page's own examples: {Outlook, kintone} with `k:app_record:write`, and {kintone, Google
    Calendar} with `k:app_record:read`.

    Args:
        trigger, action: the connectors at the two ends of the flow.
        scope: what the flow does in the host.
        connectors: further connectors of the flow.
        address: where the service calls from.
        direction: `outbound` where the host calls the service; the IP restriction is then not applicable.

    >>> check_flow(
    ...     "power-automate", user="sato", trigger="shared_outlook", action="shared_kintone", scope="k:app_record:write"
    ... ).name
    'access.check_flow'
    """
    named = {parse_id(trigger, "trigger"), parse_id(action, "action"), *parse_ids(connectors, "connectors")}
    return _check_flow(
        service=ServiceId(parse_id(service, "service")),
        user=UserId(parse_id(user, "user")),
        scopes=_needed(scope),
        connectors=frozenset(ConnectorId(one) for one in named),
        address=address_text(address),
        direction=cast("Literal['inbound', 'outbound']", one_of(direction, ("inbound", "outbound"), "direction")),
    )
