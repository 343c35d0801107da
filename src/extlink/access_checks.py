"""Checking what a service presents: the token, every gate, and what is written of it (DESIGN 3).

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
    Policy,
    evaluate,
    unidentified,
)
from extlink.domain.connector import canonical_place, parse_connector
from extlink.domain.connector_rules import CustomConnector
from extlink.domain.datagroup import Question
from extlink.domain.decision import Admission, Decision, Gate
from extlink.domain.event import Event
from extlink.domain.flow import Flow
from extlink.domain.identifier import (
    ConnectorId,
    LinkId,
    Scope,
    parse_items,
    parse_scopes,
)
from extlink.domain.last_use import LastUse
from extlink.domain.link import Link, LinkState
from extlink.domain.secret import Secret
from extlink.errors import InvalidInput
from extlink.inputs import address_text, audience, presented_secret
from extlink.link_dormancy import ending
from extlink.link_uses import noting
from extlink.operation import (
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
from extlink.records import last_use_key, link_key, marks_key

__all__ = ["admit", "check"]

Network = Literal["applies", "not_applicable"]
_HOUR: Final = 3_600
LINK_REQUIRED: Final[frozenset[Gate]] = frozenset({"service", "user", "link"})


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
        required=LINK_REQUIRED,
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
    # A note that is remembered is read again only when it is due: it has grown no older than it says.
    more = (*(() if remembered is None else (place,)), *(() if known is not None else (use,)))
    found = yield from facts.load(call, named.service, named.owner, *more, client=named.client)
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


_UNSTATED: Final = Stated()


def stated(connectors: Question | None, environment: str | None, flow_id: str | None) -> Stated:
    """Return what a caller states of the flow, each id in its one form.

    Raises:
        InvalidInput: malformed, or the flow itself names another environment or id.
    """
    if connectors is None and environment is None and flow_id is None:
        return _UNSTATED
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


def needed(scope: str | Iterable[str]) -> frozenset[Scope]:
    """Return the operations that a check is for: at least one, or it would check nothing.

    Raises:
        InvalidInput: malformed, or none.
    """
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
        scopes=needed(scope),
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
        scopes=needed(scope),
        address=address_text(address),
        connectors=stated(connectors, environment, flow_id),
        resource=audience(resource),
    )
