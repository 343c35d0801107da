"""From the consent page to the code: accept, refuse (S4; DESIGN 4 and 6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

import attrs

from extlink import facts
from extlink.domain.access import ENDED, AccessRequest, Policy, evaluate, link_notes
from extlink.domain.consent import (
    Acceptance,
    Consent,
    ConsentRequest,
)
from extlink.domain.decision import Refusal
from extlink.domain.event import Detail, Event
from extlink.domain.identifier import LinkId, Scope, UserId, parse_scopes
from extlink.domain.instant import Instant
from extlink.domain.link import Code, Lifetimes, Link, LinkEvent, LinkState
from extlink.domain.network import NetworkProof, parse_proof
from extlink.domain.policy import current_epochs
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.domain.tenant import Epochs
from extlink.domain.token import RANDOM_BYTES
from extlink.errors import InvalidInput, Refused
from extlink.inputs import address_text, one_of, secret
from extlink.link_consent import Network, acting_user, oauth_error, parse_session
from extlink.operation import USERS, Call, Commit, Draw, Ledger, Now, Operation, Steps, ask, operation, put
from extlink.records import grant_head_key, link_key, links_of_key, users_of_key

__all__ = ["accept", "refuse"]

MAX_LINKS: Final = 20


def answered(call: Call, token: Secret, session: str) -> Steps[ConsentRequest]:
    """Return the consent request that a token carries.

    Raises:
        Refused: `consent.unknown`, `consent.other_user`, `consent.other_session`.
    """
    user = acting_user(call)
    ledger = yield from ask(Ledger())
    body = ledger.keys.open_consent(call.tenant, token)
    request = None if body is None else ConsentRequest.unpack(body)
    if request is None:
        raise Refused(Reason("consent.unknown"))
    if request.user != user:
        raise Refused(Reason("consent.other_user"))
    if request.session != session:
        raise Refused(Reason("consent.other_session"))
    return request


ACCEPTED: Final = ("link.authorized", "link.revoked")
DENIED: Final = ("consent.denied",)


def accepting(
    call: Call,
    *,
    token: Secret,
    scopes: frozenset[Scope] | None,
    address: str | None,
    network: Network,
    session: str,
    network_proof: NetworkProof = "none",
) -> Steps[Commit[Acceptance | Refusal]]:
    """Carry out `accept`, for the authorization endpoint."""
    request = yield from answered(call, token, session)
    granted = request.scopes if scopes is None else scopes
    if not granted or not granted <= request.scopes:
        raise InvalidInput(
            "scopes", "expected some of the operations that were asked for; wider ones must be asked anew"
        )
    tenant, user, service = call.tenant, request.user, request.service
    place, mine = link_key(tenant, request.link), links_of_key(tenant, user, service)
    head, theirs = grant_head_key(tenant, service), users_of_key(tenant, service, user)
    found = yield from facts.load(call, service, user, place, mine, theirs, head, client=request.client.id)
    listed = yield from facts.links(call, found.answers.get(mine) or ())
    at = yield from ask(Now())
    _check_open(request, found.policy, used=found.answers.get(place) is not None, at=at)
    question = _question_again(call, request, scopes=granted, at=at, address=address, network=network)
    decision = evaluate(found.policy, attrs.evolve(question, network_proof=network_proof))
    if not decision.allowed:
        return Commit(Refusal(oauth_error(decision), decision.reasons, decision))
    known, ended = _sorted_out((yield from facts.knowing_clients(call, found.policy, listed)), listed, at)
    if len(known) >= MAX_LINKS:
        raise Refused(Reason("link.too_many", {"service": service, "limit": str(MAX_LINKS)}))
    ledger = yield from ask(Ledger())
    code, digest = ledger.issue_code(request.link, (yield from ask(Draw(RANDOM_BYTES))))
    link = attrs.evolve(
        _consented(request, granted, code_digest=digest, at=at, lifetimes=ledger.lifetimes),
        epochs=current_epochs(found.policy, service, user),
        grants_at=found.answers.get(head) or 0,
    )
    commit = _linked(call, code, link, (*known, link.id), ended)
    return attrs.evolve(commit, result=attrs.evolve(cast("Acceptance", commit.result), state=request.state))


def _check_open(request: ConsentRequest, policy: Policy, *, used: bool, at: Instant) -> None:
    """Refuse the answer to a page that was answered, has run out, or whose client is gone.

    Raises:
        Refused: `consent.used`, `consent.expired`, `client.removed`.
    """
    if used:
        raise Refused(Reason("consent.used"))
    if at >= request.expires:
        raise Refused(Reason("consent.expired"))
    if request.client.id in policy.removed_clients:
        raise Refused(Reason("client.removed", {"client": request.client.id}))


_accept = operation("links.accept", by=USERS, records=ACCEPTED)(accepting)


def _question_again(
    call: Call,
    request: ConsentRequest,
    *,
    scopes: frozenset[Scope],
    at: Instant,
    address: str | None,
    network: Network,
) -> AccessRequest:
    """Return the question to the gates for the scopes that are left: the page may have stood open for a while."""
    return AccessRequest(
        service=request.service,
        user=request.user,
        at=at,
        scopes=scopes,
        address=call.actor.address if address is None else address,
        network=network,
        caller="user",
        flow="not_applicable",
    )


def _consented(
    request: ConsentRequest, granted: frozenset[Scope], *, code_digest: bytes, at: Instant, lifetimes: Lifetimes
) -> Link:
    """Return the link that a consent comes to, before it is known to what epochs and edits it belongs."""
    return Link(
        id=request.link,
        owner=request.user,
        service=request.service,
        client=request.client.id,
        public=request.client.kind == "public",
        state=LinkState.CONSENTED,
        epochs=Epochs(),
        grants_at=0,
        scopes=granted,
        resource=request.resource,
        accepted_at=at,
        expires=Instant(at + lifetimes.refresh_absolute),
        code=Code(
            digest=code_digest,
            expires=Instant(at + lifetimes.code),
            redirect_uri=request.redirect_uri,
            challenge=request.challenge,
            redirect_named=request.redirect_named,
        ),
    )


def _linked(
    call: Call, code: Secret, link: Link, ids: tuple[LinkId, ...], ended: tuple[tuple[Link, Link], ...]
) -> Commit[Acceptance | Refusal]:
    """Return the commit that makes a link: its record, two indexes that find it, and the end of what they forget."""
    acceptance = Acceptance(
        code=code,
        redirect_uri=link.code.redirect_uri,
        link=link.id,
        expires_in=link.code.expires - link.accepted_at,
    )
    user = UserId(link.owner or "")
    details: dict[str, Detail] = {
        "service": link.service,
        "user": user,
        "link": link.id,
        "client": link.client,
        "scopes": tuple(sorted(link.scopes)),
    }
    changes = (
        put(link_key(call.tenant, link.id), link),
        put(links_of_key(call.tenant, user, link.service), ids),
        put(users_of_key(call.tenant, link.service, user), ids),
        *(put(link_key(call.tenant, old.id), new) for old, new in ended),
    )
    over = [
        Event("link.revoked", {"service": old.service, "user": old.owner, "link": old.id, "by": "ended"})
        for old, _ in ended
    ]
    return Commit(acceptance, changes, (Event("link.authorized", details), *over))


def _sorted_out(
    policy: Policy, links: tuple[Link, ...], at: Instant
) -> tuple[tuple[LinkId, ...], tuple[tuple[Link, Link], ...]]:
    """Return the links that the index goes on to name, and those that it forgets because they have ended.

    What is forgotten is revoked with it: an end that memberships decide could be undone by other memberships, and would
    leave a link that works and that no page shows.
    """
    known: list[LinkId] = []
    ended: list[tuple[Link, Link]] = []
    for link in links:
        unredeemed = link.state is LinkState.CONSENTED and at >= link.code.expires
        if not unredeemed and not any(code in ENDED for code, _ in link_notes(policy, link, at)):
            known.append(link.id)
            continue
        after = link.moved(LinkEvent.REVOKE, "ended", at)
        if after is not None and after is not link:
            ended.append((link, after))
    return tuple(known), tuple(ended)


def accept(
    consent: Consent | Secret | str,
    *,
    scopes: str | Iterable[str] | None = None,
    address: str | None = None,
    network: Network = "applies",
    network_proof: NetworkProof = "none",
    session: str | None = None,
) -> Operation[Acceptance | Refusal]:
    """Say yes on behalf of the user who was asked: make the link and return its code.

    Source: RFC 6749 section 4.1.2. Once per consent; the gates are asked again. Run it as the same user.

    Args:
        consent: the consent, or its token as the form sent it back.
        scopes: fewer operations than were asked for; None: all of them.
        address, network, network_proof: as for `begin`.
        session: the host's session, as `begin` was told it.

    Returns:
        The code, or a refusal with every reason.

    Raises:
        InvalidInput: scopes that were not asked for.
        Refused: when run: `consent.unknown`, `consent.expired`, `consent.used`, `consent.other_user`,
            `consent.other_session`, `link.too_many`.

    >>> accept("xl_cs_...").name
    'links.accept'
    """
    return _accept(
        token=_token(consent),
        scopes=None if scopes is None else parse_scopes(scopes),
        address=address_text(address),
        network=cast("Network", one_of(network, ("applies", "not_applicable"), "network")),
        network_proof=parse_proof(network_proof),
        session=parse_session(session),
    )


def _token(consent: object) -> Secret:
    return consent.token if type(consent) is Consent else secret(consent, "consent")


def refusing(call: Call, *, token: Secret, session: str) -> Steps[Commit[tuple[Refusal, ConsentRequest]]]:
    """Carry out `refuse`, for the authorization endpoint, which needs to know whom to tell."""
    request = yield from answered(call, token, session)
    place = link_key(call.tenant, request.link)
    found = yield from facts.load(call, request.service, request.user, place)
    if found.answers.get(place) is not None:
        raise Refused(Reason("consent.used"))
    if (yield from ask(Now())) >= request.expires:
        raise Refused(Reason("consent.expired"))
    details: dict[str, Detail] = {
        "service": request.service,
        "user": request.user,
        "scopes": tuple(sorted(request.scopes)),
    }
    return Commit((Refusal("access_denied", ()), request), events=(Event("consent.denied", details),))


@operation("links.refuse", by=USERS, records=DENIED)
def _refuse(call: Call, *, token: Secret, session: str) -> Steps[Commit[Refusal]]:
    commit = yield from refusing(call, token=token, session=session)
    return Commit(commit.result[0], commit.changes, commit.events)


def refuse(consent: Consent | Secret | str, *, session: str | None = None) -> Operation[Refusal]:
    """Say no on behalf of the user who was asked; the client learns `access_denied` (RFC 6749 section 4.1.2.1).

    Raises when run:
        Refused: `consent.unknown`, `consent.other_user`, `consent.expired`, `consent.used` after a yes; a link is
        ended by `revoke`.

    >>> refuse("xl_cs_...").name
    'links.refuse'
    """
    return _refuse(token=_token(consent), session=parse_session(session))
