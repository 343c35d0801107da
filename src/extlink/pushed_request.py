"""A pushed authorization request as it travels: signed, for one client, for a minute (RFC 9126 section 2.2).

Rules: the reference holds the request itself, signed by the host's key ring, so nothing is stored and nothing has to be
swept up. It is not encrypted: what is in it, the browser would have carried anyway; but nobody between the client and
the user can change it. A page that is loaded again within the minute works again; what is good once is the consent.
"""

from __future__ import annotations

import json
from typing import Final, cast

from extlink.domain.identifier import ClientId
from extlink.domain.instant import Instant
from extlink.errors import OAuthError
from extlink.oauth.parameters import Parameters
from extlink.operation import Call, Ledger, Now, Steps, ask

__all__ = ["LIFETIME", "pulled", "pushed"]

LIFETIME: Final = 60
_URN: Final = "urn:ietf:params:oauth:request_uri:"
# The first member of what is signed; a consent's is a number, so neither can be taken for the other.
_KIND: Final = "pushed"
# What an authorization request says; above all not how the client authenticated the push.
_SAID: Final = (
    "code_challenge",
    "code_challenge_method",
    "redirect_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
)
# A reference is sent in an address, and few servers take one of more than eight thousand characters.
_MAX_BODY: Final = 5_000


def pushed(call: Call, client: ClientId, parameters: Parameters) -> Steps[str]:
    """Return the `request_uri` for parameters of this client that have been checked.

    Raises:
        OAuthError: `invalid_request`: they are too long for an address.
    """
    ledger = yield from ask(Ledger())
    until = (yield from ask(Now())) + LIFETIME
    said = {name: values for name in _SAID if (values := parameters.many(name))}
    body = json.dumps([_KIND, until, {**said, "client_id": [client]}]).encode()
    if len(body) > _MAX_BODY:
        raise OAuthError("invalid_request", "the request is too long for an address")
    return _URN + ledger.keys.sign_consent(call.tenant, body).reveal()


def pulled(call: Call, parameters: Parameters) -> Steps[Parameters]:
    """Return the parameters that are meant: the pushed ones alone, where the request refers to such (section 4).

    Raises:
        OAuthError: `invalid_request`: the reference is not ours, not this client's, or too old.
    """
    reference = parameters.one("request_uri")
    if reference is None or not reference.startswith(_URN):
        return parameters
    ledger = yield from ask(Ledger())
    at = yield from ask(Now())
    body = ledger.keys.open_consent(call.tenant, reference.removeprefix(_URN))
    kind, *fields = json.loads(body) if body is not None else [""]
    if kind != _KIND:
        raise OAuthError("invalid_request", "request_uri is unknown")
    until, values = cast("tuple[int, dict[str, list[str]]]", fields)
    meant = Parameters({name: tuple(several) for name, several in values.items()})
    if meant.need("client_id") != parameters.need("client_id") or Instant(until) <= at:
        raise OAuthError("invalid_request", "request_uri is of another client or too old")
    return meant
