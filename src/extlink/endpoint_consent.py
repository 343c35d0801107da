"""The authorization endpoint as operations: what the user is asked, and where the answer goes (RFC 6749 section 4.1).

Rules: what is wrong with the client or its redirect URI is shown to the user and never redirected (OAuth 2.1 section
2.3.5); everything else goes to the redirect URI that was matched, with the state as it came and the issuer (RFC 9207).
"""

from __future__ import annotations

from typing import Final, cast

import attrs

from extlink import facts
from extlink.domain.client_registration import ClientProfile, ClientRegistration, is_client_id
from extlink.domain.consent import Consent, ConsentRequest, session_digest
from extlink.domain.decision import Refusal
from extlink.domain.identifier import ClientId, Scope, parse_scopes
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.errors import InvalidInput, OAuthError
from extlink.inputs import address_text, exactly, one_of, secret, text
from extlink.link_answers import ACCEPTED, DENIED, accepting, answered, refusing
from extlink.link_consent import Asked, Network, beginning
from extlink.oauth.authorization import (
    AuthorizationRequest,
    match_redirect_uri,
    read_authorization,
    read_state,
    redirection,
)
from extlink.oauth.metadata import parse_issuer
from extlink.oauth.parameters import Parameters
from extlink.operation import USERS, Call, Commit, Operation, Steps, operation, read
from extlink.pushed_request import pulled
from extlink.records import client_key, tenant_key

__all__ = ["Redirect", "authorize", "check_request", "consent", "decline"]

_MAX_SESSION: Final = 1_000


@attrs.frozen(kw_only=True)
class Redirect:
    """Where the user agent goes next, with the answer for the client in the address.

    Args:
        location: the value of the Location header, which may hold a code.
        error: the OAuth error that the client is told, or empty for a code.
        reasons: why, for the host's own page or log; never for the client.
    """

    location: Secret
    error: str = ""
    reasons: tuple[Reason, ...] = ()


@attrs.frozen(kw_only=True)
class _Authorization:
    parameters: Parameters
    issuer: str
    address: str | None
    network: Network
    session: str


@operation("endpoints.authorize", by=USERS)
def _authorize(call: Call, *, asked: _Authorization) -> Steps[Commit[Consent | Redirect | Refusal]]:
    try:
        parameters = yield from pulled(call, asked.parameters)
        name, uri = parameters.need("client_id"), parameters.one("redirect_uri")
    except OAuthError as error:
        return _untold(error.error, Reason("authorization.malformed"))
    answers = yield from read(tenant_key(call.tenant))
    facts.opened(answers, call.tenant)
    client = yield from _registered(call, name)
    if client is None:
        return _untold("invalid_client", Reason("client.unknown", {"client": ascii(name[:64])[1:-1]}))
    try:
        target = match_redirect_uri(client.profile.redirect_uris, uri)
    except OAuthError as error:
        return _untold(error.error, Reason("authorization.redirect_uri", {"client": client.id}))
    return (yield from _ask_user(call, attrs.evolve(asked, parameters=parameters), client, target))


def _registered(call: Call, name: str) -> Steps[ClientRegistration | None]:
    if not is_client_id(name):
        return None
    place = client_key(call.tenant, ClientId(name))
    record = (yield from read(place)).get(place)
    return None if record is None else record.registration


def _untold(error: str, reason: Reason) -> Commit[Consent | Redirect | Refusal]:
    """Refuse what must not be redirected: the user is told, the client is not (OAuth 2.1 section 2.3.5)."""
    return Commit(Refusal(error, (reason,)))


def _ask_user(
    call: Call, asked: _Authorization, client: ClientRegistration, target: str
) -> Steps[Commit[Consent | Redirect | Refusal]]:
    state: str | None = None
    try:
        state = read_state(asked.parameters)
        wanted = read_authorization(asked.parameters)
        _check_pkce(client.profile, wanted)
        scopes = _scopes(client.profile, wanted.scopes)
        resource = _resource(client.profile, wanted.resources)
    except OAuthError as error:
        return Commit(_told(asked.issuer, target, state, error))
    question = Asked(
        service=client.profile.service,
        client=client.client,
        redirect_uri=target,
        scopes=scopes,
        challenge=wanted.code_challenge,
        resource=resource,
        address=asked.address,
        network=asked.network,
        state=state,
        session=asked.session,
        redirect_named=asked.parameters.one("redirect_uri") is not None,
    )
    commit = yield from beginning(call, asked=question)
    result = commit.result
    if isinstance(result, Consent):
        return Commit(attrs.evolve(result, client_name=client.profile.name))
    return Commit(_told(asked.issuer, target, state, OAuthError(result.error), result.reasons))


def check_request(profile: ClientProfile, parameters: Parameters) -> None:
    """Refuse, before any user is asked, what the authorization endpoint would refuse of this client.

    Raises:
        OAuthError: as that endpoint tells the user or the client.
    """
    match_redirect_uri(profile.redirect_uris, parameters.one("redirect_uri"))
    wanted = read_authorization(parameters)
    _check_pkce(profile, wanted)
    _scopes(profile, wanted.scopes)
    _resource(profile, wanted.resources)


def _check_pkce(profile: ClientProfile, asked: AuthorizationRequest) -> None:
    """Refuse a request without a challenge, unless a named waiver lets this client leave it out.

    Raises:
        OAuthError: `invalid_request` (RFC 7636 section 4.4.1).
    """
    if asked.code_challenge is None and profile.pkce == "required":
        raise OAuthError("invalid_request", "code_challenge is missing")


def _scopes(profile: ClientProfile, asked: frozenset[Scope]) -> frozenset[Scope]:
    """Return the scopes that are meant: the client's default where it names none (RFC 6749 section 3.3).

    Raises:
        OAuthError: `invalid_scope`.
    """
    wanted = asked or profile.default_scopes
    if not wanted:
        raise OAuthError("invalid_scope", "scope is missing and this client has no default")
    if profile.scopes is not None and not wanted <= profile.scopes:
        raise OAuthError("invalid_scope", "scope is wider than what this client may ask for")
    return wanted


def _resource(profile: ClientProfile, asked: tuple[str, ...]) -> str | None:
    """Return the audience that tokens are for: one, since a token for several could be replayed among them.

    Raises:
        OAuthError: `invalid_target` (RFC 8707 section 2).
    """
    if not asked:
        return next(iter(profile.resources), None)
    wanted, *others = asked
    if others or wanted not in profile.resources:
        raise OAuthError("invalid_target", "expected one resource that this client may ask tokens for")
    return wanted


def _told(issuer: str, target: str, state: str | None, error: OAuthError, reasons: tuple[Reason, ...] = ()) -> Redirect:
    said = {"error": error.error, "error_description": error.description or None, "state": state, "iss": issuer}
    return Redirect(location=Secret(redirection(target, said)), error=error.error, reasons=reasons)


def _session(value: str) -> str:
    session = text(value, "session", _MAX_SESSION)
    if not session:
        raise InvalidInput("session", "expected the host's session of the user, got none; it is what binds the consent")
    return session_digest(session)


def authorize(
    parameters: Parameters,
    *,
    issuer: str,
    session: str,
    address: str | None = None,
    network: Network = "applies",
) -> Operation[Consent | Redirect | Refusal]:
    """Answer an authorization request: what the user is to be asked, or where to send them (RFC 6749 section 4.1.1).

    Run it as the user who is logged in. Nothing is written.

    Args:
        parameters: of the query, or of a form.
        issuer: this authorization server's identifier (RFC 9207).
        session: the host's session of the user; the consent is bound to it.
        address: the user's address; `network="not_applicable"` where the host's rule leaves it out (TRACE T2).

    Returns:
        A consent to show; or a redirect that tells the client no; or a refusal to show to the user, which must not be
        redirected: the client or its redirect URI is wrong.

    >>> authorize(Parameters({"client_id": ("c1",)}), issuer="https://example.com", session="s1").name
    'endpoints.authorize'
    """
    asked = _Authorization(
        parameters=exactly(parameters, Parameters, "parameters"),
        issuer=parse_issuer(issuer),
        address=address_text(address),
        network=cast("Network", one_of(network, ("applies", "not_applicable"), "network")),
        session=_session(session),
    )
    return _authorize(asked=asked)


def _changed_since(call: Call, request: ConsentRequest, scopes: frozenset[Scope] | None) -> Steps[Refusal | None]:
    """Return why the client may not be answered any more, though it could ask: it changed while the page stood open."""
    client = yield from _registered(call, request.client.id)
    if client is None:
        return Refusal("invalid_client", (Reason("client.unknown", {"client": request.client.id}),))
    try:
        match_redirect_uri(client.profile.redirect_uris, request.redirect_uri)
    except OAuthError as error:
        return Refusal(error.error, (Reason("authorization.redirect_uri", {"client": client.id}),))
    ceiling, granted = client.profile.scopes, request.scopes if scopes is None else scopes
    if ceiling is not None and not granted <= ceiling:
        return Refusal("invalid_scope", (Reason("authorization.scope", {"client": client.id}),))
    return None


@operation("endpoints.consent", by=USERS, records=ACCEPTED)
def _consent(
    call: Call,
    *,
    token: Secret,
    scopes: frozenset[Scope] | None,
    issuer: str,
    session: str,
    address: str | None,
    network: Network,
) -> Steps[Commit[Redirect | Refusal]]:
    refused = yield from _changed_since(call, (yield from answered(call, token, session)), scopes)
    if refused is not None:
        return Commit(refused)
    commit = yield from accepting(call, token=token, scopes=scopes, address=address, network=network, session=session)
    result = commit.result
    if isinstance(result, Refusal):
        return Commit(result, commit.changes, commit.events)
    said = {"code": result.code.reveal(), "state": result.state, "iss": issuer}
    answer = Redirect(location=Secret(redirection(result.redirect_uri, said)))
    return Commit(answer, commit.changes, commit.events)


def consent(
    token: Secret | str,
    *,
    issuer: str,
    session: str,
    scopes: str | None = None,
    address: str | None = None,
    network: Network = "applies",
) -> Operation[Redirect | Refusal]:
    """Say yes on behalf of the user, and return the redirect that carries the code (RFC 6749 section 4.1.2).

    Args:
        token: the consent token, as the form sent it back.
        scopes: fewer operations than were asked for, separated by spaces; None: all.
        session: the host's session; another one than the user was asked in is refused.

    Raises:
        InvalidInput: scopes that were not asked for.
        Refused: when run, as `links.accept`.

    >>> consent("xl_cs_...", issuer="https://example.com", session="s1").name
    'endpoints.consent'
    """
    return _consent(
        token=secret(token, "token"),
        scopes=None if scopes is None else parse_scopes(scopes),
        issuer=parse_issuer(issuer),
        session=_session(session),
        address=address_text(address),
        network=cast("Network", one_of(network, ("applies", "not_applicable"), "network")),
    )


@operation("endpoints.decline", by=USERS, records=DENIED)
def _decline(call: Call, *, token: Secret, issuer: str, session: str) -> Steps[Commit[Redirect | Refusal]]:
    refused = yield from _changed_since(call, (yield from answered(call, token, session)), frozenset())
    if refused is not None:
        return Commit(refused)
    commit = yield from refusing(call, token=token, session=session)
    _, request = commit.result
    answer = _told(issuer, request.redirect_uri, request.state, OAuthError("access_denied"))
    return Commit(answer, commit.changes, commit.events)


def decline(token: Secret | str, *, issuer: str, session: str) -> Operation[Redirect | Refusal]:
    """Say no on behalf of the user; the client learns `access_denied` (RFC 6749 section 4.1.2.1).

    Returns:
        The redirect; or a refusal where the client or its redirect URI is gone, so that nobody may be told.

    >>> decline("xl_cs_...", issuer="https://example.com", session="s1").name
    'endpoints.decline'
    """
    return _decline(
        token=secret(token, "token"),
        issuer=parse_issuer(issuer),
        session=_session(session),
    )
