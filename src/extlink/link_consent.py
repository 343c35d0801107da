"""From "may I?" to the consent page: begin (S4; DESIGN 4 and 6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, cast

import attrs

from extlink import facts
from extlink.domain.access import AccessRequest, evaluate
from extlink.domain.client import Client
from extlink.domain.consent import (
    Consent,
    ConsentRequest,
    parse_challenge,
    parse_redirect_uri,
    session_digest,
)
from extlink.domain.decision import Decision, Refusal
from extlink.domain.identifier import Scope, ServiceId, UserId, parse_id, parse_scopes
from extlink.domain.instant import Instant
from extlink.domain.network import NetworkProof, parse_proof
from extlink.domain.reason import Reason
from extlink.domain.token import HANDLE_BYTES, link_id
from extlink.errors import InvalidInput, Refused
from extlink.inputs import address_text, audience, exactly, one_of, text
from extlink.operation import USERS, Call, Commit, Draw, Ledger, Now, Operation, Steps, ask, operation

__all__ = ["begin"]

Network = Literal["applies", "not_applicable"]
_MAX_SESSION: Final = 1_000


def acting_user(call: Call) -> UserId:
    """Return the person an operation acts for; nobody consents but the user in person.

    Raises:
        Refused: `actor.not_permitted` for the system itself, which is no person.
    """
    if call.actor.user is None:
        raise Refused(Reason("actor.not_permitted", {"operation": "links", "roles": ("user",)}))
    return call.actor.user


@attrs.frozen(kw_only=True)
class Asked:
    """What `begin` asks for, checked."""

    service: ServiceId
    client: Client
    redirect_uri: str
    scopes: frozenset[Scope]
    challenge: str | None
    resource: str | None
    address: str | None
    network: Network
    network_proof: NetworkProof = "none"
    state: str | None = None
    session: str = ""
    redirect_named: bool = True


def beginning(call: Call, *, asked: Asked) -> Steps[Commit[Consent | Refusal]]:
    """Carry out `begin`, for the authorization endpoint, which knows the client of the same snapshot."""
    user = acting_user(call)
    found = yield from facts.load(call, asked.service, user)
    at = yield from ask(Now())
    # A client that always asks for all it could use is not shut out by a grant of some (RFC 6749 section 3.3).
    within = found.policy.grants[asked.service].within(user, found.policy.people[user].member, at, asked.scopes)
    asked = attrs.evolve(asked, scopes=within or asked.scopes)
    decision = evaluate(found.policy, _question(call, asked, user, at))
    if not decision.allowed:
        return Commit(Refusal(oauth_error(decision), decision.reasons, decision))
    ledger = yield from ask(Ledger())
    link = link_id((yield from ask(Draw(HANDLE_BYTES))))
    request = ConsentRequest(
        user=user,
        service=asked.service,
        client=asked.client,
        redirect_uri=asked.redirect_uri,
        scopes=asked.scopes,
        challenge=asked.challenge,
        resource=asked.resource,
        link=link,
        expires=Instant(at + ledger.lifetimes.consent),
        state=asked.state,
        session=asked.session,
        redirect_named=asked.redirect_named,
    )
    service = found.policy.registry.services[asked.service].service
    consent = Consent(
        request=request,
        names=service.names,
        operations=tuple(scope for scope in service.scopes if scope.name in asked.scopes),
        lifetime=ledger.lifetimes.refresh_absolute,
        token=ledger.keys.sign_consent(call.tenant, request.pack()),
    )
    return Commit(consent)


_begin = operation("links.begin", by=USERS)(beginning)


def _question(call: Call, asked: Asked, user: UserId, at: Instant) -> AccessRequest:
    return AccessRequest(
        service=asked.service,
        user=user,
        at=at,
        scopes=asked.scopes,
        address=call.actor.address if asked.address is None else asked.address,
        network=asked.network,
        caller="user",
        network_proof=asked.network_proof,
        flow="not_applicable",
    )


def oauth_error(decision: Decision) -> str:
    """Return the error that a client is told when the gates refuse a consent (RFC 6749 section 4.1.2.1)."""
    if decision.is_temporary:
        return "temporarily_unavailable"
    unknown = any(reason.code == "scope.unknown" for reason in decision.reasons)
    return "invalid_scope" if unknown else "access_denied"


def begin(  # noqa: PLR0913 - each is a parameter of the message, or a fact that the host states beside it
    service: str,
    *,
    client: Client,
    redirect_uri: str,
    scopes: str | Iterable[str],
    code_challenge: str | None = None,
    resource: str | None = None,
    address: str | None = None,
    network: Network = "applies",
    network_proof: NetworkProof = "none",
    session: str | None = None,
) -> Operation[Consent | Refusal]:
    """Ask whether a user may connect a service, and return what the consent page shows; nothing is written.

    Source: RFC 6749 section 4.1.1, RFC 7636. Run it as the user: `tenant.acting_as("sato")`.

    Args:
        session: the host's session in which the user is asked; the answer must come from the same.
        client: the OAuth client, whose identity and redirect URI the host has established.
        redirect_uri: where the code goes; https, or http on a loopback address.
        scopes: the operations asked for, as one text or a collection. Those beyond what the user was granted are left
            out of the consent, unless nothing would be left.
        code_challenge: PKCE, method S256; only a confidential client with a named waiver may omit it.
        resource: the audience of the tokens (RFC 8707), if the client names one.
        address: the user's address, if not the one that `acting_as` stated; `network`: whether the IP restriction
            holds for the consent page (TRACE T2).
        network_proof: what the host checked of the user beside the address: `basic`, `client_certificate` (TRACE T16).

    Returns:
        The consent, or a refusal with every reason.

    Raises:
        InvalidInput: malformed arguments.
        Refused: when run: `tenant.not_open`, `actor.not_permitted`.

    >>> begin(
    ...     "slack",
    ...     client=Client("c1"),
    ...     redirect_uri="https://client.example/cb",
    ...     scopes="k:file:read",
    ...     code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    ... ).name
    'links.begin'
    """
    client = exactly(client, Client, "client")
    wanted = parse_scopes(scopes)
    if not wanted:
        raise InvalidInput("scopes", "expected at least one operation; a link that may do nothing is not made")
    asked = Asked(
        service=ServiceId(parse_id(service, "service")),
        client=client,
        redirect_uri=parse_redirect_uri(redirect_uri),
        scopes=wanted,
        challenge=parse_challenge(code_challenge, client),
        resource=audience(resource),
        address=address_text(address),
        network=cast("Network", one_of(network, ("applies", "not_applicable"), "network")),
        network_proof=parse_proof(network_proof),
        session=parse_session(session),
    )
    return _begin(asked=asked)


def parse_session(value: object) -> str:
    """Return what a consent keeps of the user's session: its digest, never the session itself.

    Raises:
        InvalidInput: no text, or too long.
    """
    return session_digest(None if value is None else text(value, "session", _MAX_SESSION))
