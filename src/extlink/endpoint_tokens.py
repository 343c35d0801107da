"""The endpoints that clients call as operations: token, revocation, introspection (RFC 6749, RFC 7009, RFC 7662).

Rules: the client is authenticated, the gates are asked and the link is changed over one snapshot, so that nothing
happens between check and act (ASVS 15.4.2). Nothing ends on behalf of a caller who has not shown that it is the client
to whom the token belongs.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeVar, cast

import attrs

from extlink import facts
from extlink.client_authentication import authenticate
from extlink.domain.access import AccessRequest, Credential, Policy, is_allowed
from extlink.domain.client_registration import ClientRegistration
from extlink.domain.decision import Note, Refusal
from extlink.domain.event import Event
from extlink.domain.identifier import Scope
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkEvent
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.domain.token import Presented, TokenKind
from extlink.domain.token_ledger import TokenLedger, TokenSet
from extlink.inputs import address_text, exactly, secret
from extlink.link_tokens import REDEEMED, REFRESHED, redeeming, refreshing
from extlink.oauth.credentials import ClientCredentials
from extlink.oauth.metadata import parse_issuer
from extlink.oauth.token import CodeRequest, RefreshRequest
from extlink.operation import Call, Change, Commit, Ledger, Now, Operation, Steps, ask, operation, put, read
from extlink.records import link_key

__all__ = ["Introspection", "exchange", "introspect", "revoke"]

T = TypeVar("T")
_FAILED: Final = ("client.authentication_failed",)


def _with(commit: Commit[T], changes: tuple[Change, ...]) -> Commit[T]:
    """Return a commit that also writes what authenticating the client came to."""
    return attrs.evolve(commit, changes=(*changes, *commit.changes)) if changes else commit


@operation("endpoints.exchange", records=(*REDEEMED, *REFRESHED, *_FAILED))
def _exchange(
    call: Call,
    *,
    request: CodeRequest | RefreshRequest,
    credentials: ClientCredentials,
    issuer: str,
    address: str | None,
) -> Steps[Commit[TokenSet | Refusal]]:
    known = yield from authenticate(call, credentials, issuer=issuer, address=address)
    if isinstance(known, Commit):
        return known
    client, changes = known
    if isinstance(request, CodeRequest):
        commit = yield from redeeming(
            call,
            code=request.code,
            client=client.client,
            redirect_uri=request.redirect_uri,
            verifier=request.code_verifier,
            address=address,
            resources=request.resources,
        )
    else:
        commit = yield from refreshing(
            call,
            token=request.refresh_token,
            client=client.client,
            scopes=request.scopes,
            address=address,
            resources=request.resources,
            wider="refused" if client.profile.refresh_scope == "strict" else "left_out",
        )
    return _with(commit, changes)


def exchange(
    request: CodeRequest | RefreshRequest,
    credentials: ClientCredentials,
    *,
    issuer: str,
    address: str | None = None,
) -> Operation[TokenSet | Refusal]:
    """Answer a token request: tokens for a code, or the next tokens for a refresh token (RFC 6749 sections 4.1.3, 6).

    Args:
        request: as `oauth.read_token_request` read it.
        credentials: as `oauth.read_credentials` read them.
        issuer: the audience of client assertions.
        address: the client's; None: the IP restriction is left to the calls made with the tokens.

    Returns:
        The tokens, or a refusal whose `error` the client may be told.

    >>> request = RefreshRequest(refresh_token=Secret("xl_rt_..."), scopes=None)
    >>> client = ClientCredentials(method="none", client_id="c1", proof=None)
    >>> exchange(request, client, issuer="https://example.com").name
    'endpoints.exchange'
    """
    return _exchange(
        request=request if type(request) is CodeRequest else exactly(request, RefreshRequest, "request"),
        credentials=exactly(credentials, ClientCredentials, "credentials"),
        issuer=parse_issuer(issuer),
        address=address_text(address),
    )


def _presented(call: Call, token: Secret) -> Steps[tuple[Presented, Link] | None]:
    """Return the link that an authentic token names, whatever state it is in; junk costs no I/O."""
    ledger = yield from ask(Ledger())
    presented = ledger.keys.open(call.tenant, token)
    if presented is None:
        return None
    place = link_key(call.tenant, presented.token.link)
    link = (yield from read(place)).get(place)
    return None if link is None else (presented, link)


@operation("endpoints.revoke", records=("link.revoked", *_FAILED))
def _revoke(
    call: Call, *, token: Secret, credentials: ClientCredentials, issuer: str, address: str | None
) -> Steps[Commit[Refusal | None]]:
    known = yield from authenticate(call, credentials, issuer=issuer, address=address)
    if isinstance(known, Commit):
        return cast("Commit[Refusal | None]", known)
    client, changes = known
    found = yield from _presented(call, token)
    # A token that is not ours, not this client's or already dead is as good as revoked (RFC 7009 section 2.2).
    if found is None or found[1].client != client.id or found[0].token.kind is TokenKind.CODE:
        return Commit(None, changes)
    link = found[1]
    at = yield from ask(Now())
    ended = link.moved(LinkEvent.REVOKE, "client", at)
    if ended is None or ended is link:
        return Commit(None, changes)
    details = {"service": link.service, "user": link.owner, "link": link.id, "by": "client"}
    return Commit(None, (*changes, put(link_key(call.tenant, link.id), ended)), (Event("link.revoked", details),))


def revoke(
    token: Secret | str, credentials: ClientCredentials, *, issuer: str, address: str | None = None
) -> Operation[Refusal | None]:
    """Answer a revocation request: the link that the token belongs to ends, with all its tokens (RFC 7009).

    An access token ends its link too, as section 2.1 allows: who throws one away means the connection.

    Returns:
        None, also for a token that is unknown or another client's; a refusal where the client is not authenticated.

    >>> client = ClientCredentials(method="none", client_id="c1", proof=None)
    >>> revoke("xl_rt_...", client, issuer="https://example.com").name
    'endpoints.revoke'
    """
    return _revoke(
        token=secret(token, "token"),
        credentials=exactly(credentials, ClientCredentials, "credentials"),
        issuer=parse_issuer(issuer),
        address=address_text(address),
    )


@attrs.frozen
class Introspection:
    """What a token is worth now (RFC 7662 section 2.2); `bool()` is whether it is active.

    Args:
        members: of the answer; `{"active": False}` and nothing else for a token that is worth nothing.
    """

    members: Mapping[str, str | int | bool]

    def __bool__(self) -> bool:
        return self.members["active"] is True


_INACTIVE: Final = Introspection(MappingProxyType({"active": False}))


@operation("endpoints.introspect", records=_FAILED)
def _introspect(
    call: Call, *, token: Secret, credentials: ClientCredentials, issuer: str, address: str | None
) -> Steps[Commit[Introspection | Refusal]]:
    known = yield from authenticate(call, credentials, issuer=issuer, address=address)
    if isinstance(known, Commit):
        return cast("Commit[Introspection | Refusal]", known)
    client, changes = known
    if client.profile.kind == "public":
        return Commit(Refusal("invalid_client", (Reason("client.wrong_method"),)), changes)
    found = yield from _presented(call, token)
    if found is None or not _may_ask(client, found[1]):
        return Commit(_INACTIVE, changes)
    presented, link = found
    loaded = yield from facts.load(call, link.service, link.owner, client=link.client)
    at = yield from ask(Now())
    ledger = yield from ask(Ledger())
    worth = _worth(loaded.policy, ledger, link, presented, at)
    if worth is None:
        return Commit(_INACTIVE, changes)
    scopes, expires = worth
    if presented.token.kind is TokenKind.ACCESS and ledger.confirms(link, presented):
        confirmed = attrs.evolve(link, rotation=attrs.evolve(link.rotation, confirmed=True))
        changes = (*changes, put(link_key(call.tenant, link.id), confirmed))
    return Commit(_active(link, presented.token.kind, scopes, expires, issuer), changes)


def _worth(
    policy: Policy, ledger: TokenLedger, link: Link, presented: Presented, at: Instant
) -> tuple[frozenset[Scope], Instant] | None:
    """Return what a token permits now and until when, or None for one that is worth nothing."""
    token = presented.token
    notes: tuple[Note, ...] = ()
    if token.kind is TokenKind.ACCESS:
        notes, scopes = ledger.examine(link, presented, at)
        expires = next((one.expires for one in link.access if one.generation == token.generation), at)
    elif token.kind is TokenKind.REFRESH and hmac.compare_digest(presented.digest, link.rotation.current):
        scopes, expires = link.scopes, min(link.expires, link.idle_until or link.expires)
    else:
        return None
    request = AccessRequest(
        service=link.service,
        user=link.owner,
        at=at,
        network="not_applicable",
        flow="not_applicable",
        credential=Credential(link=link, notes=notes, scopes=scopes),
    )
    # What a check would refuse is not told to be worth anything: a product that the user lost takes its scopes along.
    asked = {one: attrs.evolve(request, scopes=frozenset({one})) for one in scopes}
    permitted = frozenset(one for one, question in asked.items() if is_allowed(policy, question))
    return (permitted, expires) if permitted else None


def _active(link: Link, kind: TokenKind, scopes: frozenset[Scope], expires: Instant, issuer: str) -> Introspection:
    members: dict[str, str | int | bool] = {
        "active": True,
        "iss": issuer,
        "client_id": link.client,
        "scope": " ".join(sorted(scopes)),
        "exp": expires,
    }
    # A refresh token must not look like one that an API may take (RFC 7662 section 4), so it has no token_type.
    members["token_type" if kind is TokenKind.ACCESS else "token_use"] = (
        "Bearer" if kind is TokenKind.ACCESS else "refresh"
    )
    told = {"sub": link.owner, "aud": link.resource}
    members.update({name: value for name, value in told.items() if value is not None})
    return Introspection(MappingProxyType(members))


def _may_ask(client: ClientRegistration, link: Link) -> bool:
    """Whether a client may know about a link's tokens: its own, or as a resource server those made for it."""
    if link.client == client.id:
        return True
    return client.profile.introspects and (link.resource is None or link.resource in client.profile.resources)


def introspect(
    token: Secret | str, credentials: ClientCredentials, *, issuer: str, address: str | None = None
) -> Operation[Introspection | Refusal]:
    """Answer an introspection request: what a token is worth now, for those who may ask (RFC 7662).

    A token that is unknown, over, revoked, refused by a gate or not for the caller to know about is inactive, and the
    answer says nothing else.

    Returns:
        The answer, or a refusal where the caller is not authenticated.

    >>> client = ClientCredentials(method="client_secret_basic", client_id="api", proof=Secret("xl_sk_..."))
    >>> introspect("xl_at_...", client, issuer="https://example.com").name
    'endpoints.introspect'
    """
    return _introspect(
        token=secret(token, "token"),
        credentials=exactly(credentials, ClientCredentials, "credentials"),
        issuer=parse_issuer(issuer),
        address=address_text(address),
    )
