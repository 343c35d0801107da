"""Codes and tokens: redeem and refresh, by the rules of the token ledger (DESIGN 6).

Order of checks: the text is authentic - the token belongs to this client - link and gates - redirect, PKCE, scope -
consume - issue. Nothing is ended for a caller who has not passed the first three.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from extlink import facts
from extlink.domain.access import AccessRequest, Credential, Policy, evaluate
from extlink.domain.client import Client
from extlink.domain.decision import Decision, Refusal
from extlink.domain.event import Detail, Event
from extlink.domain.identifier import LinkId, Scope, parse_scopes, plain_text
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkEvent, LinkState
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.domain.token import SALT_BYTES, Presented
from extlink.domain.token_ledger import Failed, Issued, TokenSet
from extlink.errors import InvalidInput
from extlink.inputs import address_text, exactly, text
from extlink.operation import Call, Change, Commit, Draw, Ledger, Now, Operation, Steps, ask, operation, put, read
from extlink.records import link_key, links_of_key

__all__ = ["redeem", "refresh"]


def _refused(code: str, error: str = "invalid_grant") -> Commit[TokenSet | Refusal]:
    return Commit(Refusal(error, (Reason(code),)))


def _closed(decision: Decision) -> Commit[TokenSet | Refusal]:
    """Refuse what the gates refuse; who reads `invalid_grant` throws its tokens away, so an outage is none."""
    error = "temporarily_unavailable" if decision.is_temporary else "invalid_grant"
    return Commit(Refusal(error, decision.reasons, decision))


def _find(call: Call, token: Secret, client: Client) -> Steps[tuple[Presented, Link] | Refusal]:
    """Return the link that an authentic token names, if it belongs to the client; costs no I/O for junk."""
    ledger = yield from ask(Ledger())
    presented = ledger.keys.open(call.tenant, token)
    if presented is None:
        return Refusal("invalid_grant", (Reason("token.unknown"),))
    place = link_key(call.tenant, presented.token.link)
    link = (yield from read(place)).get(place)
    if link is None:
        return Refusal("invalid_grant", (Reason("token.unknown"),))
    if link.client != client.id or link.public != (client.kind == "public"):
        return Refusal("invalid_grant", (Reason("token.wrong_client"),))
    return presented, link


def _gates(policy: Policy, link: Link, at: Instant, address: str | None, *, redeeming: bool) -> Decision:
    """Ask every gate for a link whose client shows a code or a refresh token; tokens are for all its scopes.

    Without an address the IP restriction is left to the calls that will be made with the tokens.
    """
    return evaluate(
        policy,
        AccessRequest(
            service=link.service,
            user=link.owner,
            at=at,
            scopes=link.scopes,
            address=address,
            credential=Credential(link=link, scopes=link.scopes, redeeming=redeeming),
            network="not_applicable" if address is None else "applies",
            flow="not_applicable",
        ),
    )


REDEEMED: Final = ("token.issued", "code.reuse_detected", "link.revoked")
REFRESHED: Final = ("token.refreshed", "token.refresh_repeated", "token.reuse_detected", "link.revoked")


def redeeming(
    call: Call,
    *,
    code: Secret,
    client: Client,
    redirect_uri: str | None,
    verifier: Secret | None,
    address: str | None,
    resources: tuple[str, ...] = (),
) -> Steps[Commit[TokenSet | Refusal]]:
    """Carry out `redeem`, for the token endpoint, which knows the client of the same snapshot."""
    found = yield from _find(call, code, client)
    if isinstance(found, Refusal):
        return Commit(found)
    presented, link = found
    if link.owner is None:
        return _refused("token.unknown")
    place, mine = link_key(call.tenant, link.id), links_of_key(call.tenant, link.owner, link.service)
    known = yield from facts.load(call, link.service, link.owner, place, mine)
    others = yield from _others(call, link, known.answers.get(mine) or ())
    at = yield from ask(Now())
    decision = _gates(known.policy, link, at, address, redeeming=True)
    if not decision.allowed:
        return _closed(decision)
    if not _is_audience(link, resources):
        return _refused("resource.not_granted", "invalid_target")
    ledger = yield from ask(Ledger())
    salt = yield from ask(Draw(SALT_BYTES))
    outcome = ledger.redeem(
        link,
        presented,
        code,
        redirect_uri=redirect_uri,
        verifier=None if verifier is None else verifier.reveal(),
        at=at,
        salt=salt,
    )
    commit = _outcome(call, outcome)
    return commit if isinstance(outcome, Failed) else _superseding(call, commit, others, at)


_redeem = operation("links.redeem", records=REDEEMED)(redeeming)


def _is_audience(link: Link, resources: tuple[str, ...]) -> bool:
    """Whether tokens of this link may be made for these resources: those that were consented to (RFC 8707 2.2)."""
    return not resources or resources == (link.resource,)


def _superseding(
    call: Call, commit: Commit[TokenSet | Refusal], others: tuple[Link, ...], at: Instant
) -> Commit[TokenSet | Refusal]:
    """Add the end of older links: one per owner, service and client lives, the new one takes the place of the old."""
    ended = [(one, one.moved(LinkEvent.REVOKE, "superseded", at)) for one in others]
    changes = [put(link_key(call.tenant, old.id), new) for old, new in ended if new is not None]
    events = [Event("link.revoked", _details(old, "superseded")) for old, new in ended if new is not None]
    return Commit(commit.result, (*commit.changes, *changes), (*commit.events, *events))


def _others(call: Call, link: Link, ids: tuple[LinkId, ...]) -> Steps[tuple[Link, ...]]:
    """Return the other links of the same owner, service and client that carry tokens."""
    found = yield from facts.links(call, tuple(one for one in ids if one != link.id))
    carrying = {LinkState.LIVE, LinkState.SUSPENDED}
    return tuple(other for other in found if other.client == link.client and other.state in carrying)


def _details(link: Link, by: str) -> dict[str, Detail]:
    return {"service": link.service, "user": link.owner, "link": link.id, "by": by}


def _outcome(call: Call, outcome: Issued | Failed) -> Commit[TokenSet | Refusal]:
    """Return the commit of what the token ledger decided."""
    changes: list[Change] = []
    if isinstance(outcome, Failed):
        code, params = outcome.note
        events: tuple[Event, ...] = ()
        if outcome.link is not None and outcome.event is not None:
            link = outcome.link
            changes.append(put(link_key(call.tenant, link.id), link))
            details = _details(link, link.ended_by)
            events = (Event(outcome.event, details), Event("link.revoked", details))
        return Commit(Refusal(outcome.error, (Reason(code, params),)), tuple(changes), events)
    link = outcome.link
    details = {"service": link.service, "user": link.owner, "link": link.id}
    issued: dict[str, Detail] = {
        **details,
        "generation": link.rotation.generation,
        "scopes": tuple(sorted(outcome.tokens.scopes)),
        "expires": link.access[-1].expires,
    }
    if outcome.event != "token.refresh_repeated":
        changes.append(put(link_key(call.tenant, link.id), link))
    return Commit(outcome.tokens, tuple(changes), (Event(outcome.event, issued),))


def tokens_again(
    call: Call, link: LinkId, presented: Secret, *, client: Client, address: str | None
) -> Steps[TokenSet | Refusal]:
    """Return the tokens that were given for a code or a refresh token, if they are still the newest and may be had."""
    place = link_key(call.tenant, link)
    held = (yield from read(place)).get(place)
    if held is None:
        return Refusal("invalid_grant", (Reason("token.unknown"),))
    known = yield from facts.load(call, held.service, held.owner)
    at = yield from ask(Now())
    decision = _gates(known.policy, held, at, address, redeeming=False)
    if not decision.allowed:
        return Refusal("invalid_grant", decision.reasons, decision)
    ledger = yield from ask(Ledger())
    tokens = ledger.tokens_again(held, presented, client=client, at=at)
    return Refusal("invalid_grant", (Reason("token.superseded", {"link": link}),)) if tokens is None else tokens


def redeem(
    code: Secret | str,
    *,
    client: Client,
    redirect_uri: str | None = None,
    code_verifier: Secret | str | None = None,
    address: str | None = None,
) -> Operation[TokenSet | Refusal]:
    """Exchange an authorization code for the first tokens of a link.

    Source: RFC 6749 section 4.1.3, RFC 7636 section 4.6, DESIGN 6. Once; a second valid redemption ends the tokens of
    the first. A link of the same user, service and client is replaced.

    Args:
        client: the client that the host has authenticated.
        redirect_uri: as in the authorization request; a pure OAuth 2.1 client sends none.
        address: the client's address; None: the IP restriction is left to `access.check`.

    Returns:
        The tokens, or a refusal whose `error` may be told to the client and whose reasons may not.

    >>> redeem("xl_ac_...", client=Client("c1")).name
    'links.redeem'
    """
    return _redeem(
        code=_secret(code, "code"),
        client=_client(client),
        redirect_uri=None if redirect_uri is None else text(redirect_uri, "redirect_uri", 2_000),
        verifier=None if code_verifier is None else _secret(code_verifier, "code_verifier"),
        address=address_text(address),
    )


def _secret(value: object, field: str) -> Secret:
    if type(value) is Secret:
        return value
    plain = plain_text(value)
    if plain is None:
        raise InvalidInput(field, f"expected a Secret or text, got {type(value).__name__}")
    return Secret(plain)


def _client(value: object) -> Client:
    return exactly(value, Client, "client")


def refreshing(
    call: Call,
    *,
    token: Secret,
    client: Client,
    scopes: frozenset[Scope] | None,
    address: str | None,
    resources: tuple[str, ...] = (),
    wider: Literal["refused", "left_out"] = "refused",
) -> Steps[Commit[TokenSet | Refusal]]:
    """Carry out `refresh`, for the token endpoint, which knows the client of the same snapshot."""
    found = yield from _find(call, token, client)
    if isinstance(found, Refusal):
        return Commit(found)
    presented, link = found
    known = yield from facts.load(call, link.service, link.owner)
    at = yield from ask(Now())
    decision = _gates(known.policy, link, at, address, redeeming=False)
    if not decision.allowed:
        return _closed(decision)
    if not _is_audience(link, resources):
        return _refused("resource.not_granted", "invalid_target")
    if scopes is not None and wider == "left_out" and scopes & link.scopes:
        scopes &= link.scopes
    ledger = yield from ask(Ledger())
    salt = yield from ask(Draw(SALT_BYTES))
    outcome = ledger.refresh(link, presented, token, client=client, scopes=scopes, at=at, salt=salt)
    return _outcome(call, outcome)


_refresh = operation("links.refresh", records=REFRESHED)(refreshing)


def refresh(
    token: Secret | str,
    *,
    client: Client,
    scopes: str | Iterable[str] | None = None,
    address: str | None = None,
) -> Operation[TokenSet | Refusal]:
    """Exchange a refresh token for the next tokens; a lost answer can be asked for again and is identical.

    Source: RFC 6749 section 6, RFC 9700 section 4.14, DESIGN 6. An older refresh token than that is reuse and ends the
    link; a token that is not ours, or another client's, ends nothing.

    Args:
        client: the client that the host has authenticated.
        scopes: fewer operations for the new access token; None: all that the link covers.
        address: as in `redeem`.

    Returns:
        The tokens, or a refusal.

    Raises:
        InvalidInput: malformed arguments, or no operation at all.

    >>> refresh("xl_rt_...", client=Client("c1")).name
    'links.refresh'
    """
    wanted = None if scopes is None else parse_scopes(scopes)
    if wanted is not None and not wanted:
        raise InvalidInput("scopes", "expected at least one operation, or None for all that the link covers")
    return _refresh(token=_secret(token, "token"), client=_client(client), scopes=wanted, address=address_text(address))
