"""Who a client is, established: the second of the checks of every endpoint (RFC 6749 section 2.3, DESIGN 6).

Rules: an unknown client and a wrong secret get the same answer, after the same work; the way a client chose must be one
of its own; an assertion is good once. A failure of a client that there is is recorded, once per cause and hour; one of
a client that there is not writes nothing, so that guessing fills no ledger. In a tenant that is not open no client is
known: one that is being removed decides nothing any more.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from extlink.domain.client_registration import ClientRegistration, is_client_id
from extlink.domain.decision import Refusal
from extlink.domain.event import Event
from extlink.domain.identifier import ClientId
from extlink.domain.instant import Instant
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.oauth.assertion import Assertion, read_assertion
from extlink.oauth.credentials import ClientCredentials
from extlink.operation import Call, Change, Commit, Ledger, Now, Steps, ask, put, read
from extlink.records import assertions_key, client_key, client_marks_key, tenant_key

__all__ = ["Unauthenticated", "authenticate"]

_HOUR: Final = 3_600
_MAX_ID: Final = 100
# Assertions of one client that are remembered at once; they are forgotten when they expire, after minutes.
_MAX_ASSERTIONS: Final = 1_000

Unauthenticated = Commit[Refusal]
_MALFORMED: Final = Commit(Refusal("invalid_client", (Reason("client.assertion_malformed"),)))


def authenticate(
    call: Call, credentials: ClientCredentials, *, issuer: str, address: str | None
) -> Steps[tuple[ClientRegistration, tuple[Change, ...]] | Unauthenticated]:
    """Return the client that a request is from, with what has to be written for it, or the refusal to commit.

    Args:
        issuer: the only audience of an assertion.
        address: the caller's, for the record.
    """
    assertion = _assertion(credentials)
    named = credentials.client_id if assertion is None else assertion.client_id
    if credentials.method == "private_key_jwt" and assertion is None:
        # Never looked at as anything else: it could be the client's secret in the wrong place.
        return _MALFORMED
    if named is None or not is_client_id(named):
        return _unknown(named or "")
    name = ClientId(named)
    place = client_key(call.tenant, name)
    tenant = tenant_key(call.tenant)
    answers = yield from read(tenant, place)
    record = answers.get(place)
    client = None if record is None or answers.get(tenant) is None else record.registration
    if client is None:
        yield from _same_work(call, credentials)
        return _unknown(named)
    at = yield from ask(Now())
    problem = yield from _problem(call, client, credentials, assertion, issuer=issuer, at=at)
    if problem is not None:
        return (yield from _recorded(call, client, problem, at, address))
    if assertion is None:
        return client, ()
    return (yield from _used(call, client, assertion, at, address))


def _assertion(credentials: ClientCredentials) -> Assertion | None:
    if credentials.method != "private_key_jwt" or credentials.proof is None:
        return None
    found = read_assertion(credentials.proof)
    # RFC 7521 section 4.2: a client_id beside an assertion names the same client.
    return found if found is not None and credentials.client_id in (None, found.client_id) else None


def _unknown(name: str) -> Unauthenticated:
    shown = ascii(name[:_MAX_ID])[1:-1]
    return Commit(Refusal("invalid_client", (Reason("client.unknown", {"client": shown}),)))


def _same_work(call: Call, credentials: ClientCredentials) -> Steps[None]:
    """Do for an unknown client what is done for a known one, so that the time tells nothing."""
    ledger = yield from ask(Ledger())
    if credentials.proof is not None:
        ledger.keys.client_digest(call.tenant, "", credentials.proof)


def _problem(
    call: Call,
    client: ClientRegistration,
    credentials: ClientCredentials,
    assertion: Assertion | None,
    *,
    issuer: str,
    at: Instant,
) -> Steps[str | None]:
    """Return the code of what is wrong with the proof, or None."""
    if credentials.method not in client.profile.methods:
        return "client.wrong_method"
    if assertion is not None:
        keys = client.keys if assertion.key_id is None else tuple(k for k in client.keys if k.id == assertion.key_id)
        if not any(assertion.is_signed_with(key) for key in keys):
            return "client.assertion_signature"
        return assertion.problem(issuer=issuer, at=at)
    if credentials.proof is None:
        return None
    return (yield from _secret_problem(call, client, credentials.proof, at))


def _secret_problem(call: Call, client: ClientRegistration, proof: Secret, at: Instant) -> Steps[str | None]:
    ledger = yield from ask(Ledger())
    found = False
    for secret in client.secrets:
        shown = ledger.keys.client_digest(call.tenant, client.id, proof, secret.key_id)
        is_it = shown is not None and hmac.compare_digest(shown, secret.digest)
        found = found or (is_it and (secret.expires is None or at < secret.expires))
    return None if found else "client.wrong_secret"


def _used(
    call: Call, client: ClientRegistration, assertion: Assertion, at: Instant, address: str | None
) -> Steps[tuple[ClientRegistration, tuple[Change, ...]] | Unauthenticated]:
    """Return the client with the note that this assertion was seen, or the refusal of one that was seen before."""
    place = assertions_key(call.tenant, client.id)
    seen = (yield from read(place)).get(place) or {}
    name = hashlib.sha256(assertion.id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    current = {one: until for one, until in seen.items() if until > at}
    if name in current:
        return (yield from _recorded(call, client, "client.assertion_replayed", at, address))
    if len(current) >= _MAX_ASSERTIONS:
        return Commit(Refusal("temporarily_unavailable", (Reason("client.too_many_assertions"),)))
    return client, (put(place, {**current, name: assertion.expires}),)


def _recorded(
    call: Call, client: ClientRegistration, code: str, at: Instant, address: str | None
) -> Steps[Unauthenticated]:
    """Return the refusal, recorded once per cause and hour."""
    refusal = Refusal("invalid_client", (Reason(code),))
    place = client_marks_key(call.tenant, client.id)
    marks = (yield from read(place)).get(place) or {}
    hour = at // _HOUR
    if marks.get(code) == hour:
        return Commit(refusal)
    shown = None if address is None else address[:64].encode("ascii", "replace").decode()
    event = Event(
        "client.authentication_failed",
        {"service": client.profile.service, "client": client.id, "cause": code, "address": shown},
    )
    return Commit(refusal, (put(place, {**marks, code: hour}),), (event,))
