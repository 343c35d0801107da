"""The endpoint for pushed authorization requests as an operation (RFC 9126): checked before any user is asked.

Rules: the client is authenticated as at the token endpoint; what would be refused at the authorization endpoint is
refused here already, to the client alone; a request that refers to another one is none.
"""

from __future__ import annotations

import attrs

from extlink.client_authentication import authenticate
from extlink.domain.decision import Refusal
from extlink.domain.reason import Reason
from extlink.endpoint_consent import check_request
from extlink.errors import OAuthError
from extlink.inputs import address_text, exactly
from extlink.oauth.credentials import ClientCredentials
from extlink.oauth.metadata import parse_issuer
from extlink.oauth.parameters import Parameters
from extlink.operation import Call, Commit, Operation, Steps, operation
from extlink.pushed_request import LIFETIME, pushed

__all__ = ["PushedRequest", "push"]


@attrs.frozen(kw_only=True)
class PushedRequest:
    """Where a pushed request is found: what the client sends the browser with, and for how many seconds it is good."""

    request_uri: str
    expires_in: int


@operation("endpoints.push", records=("client.authentication_failed",))
def _push(
    call: Call, *, parameters: Parameters, credentials: ClientCredentials, issuer: str, address: str | None
) -> Steps[Commit[PushedRequest | Refusal]]:
    known = yield from authenticate(call, credentials, issuer=issuer, address=address)
    if isinstance(known, Commit):
        return Commit(known.result, known.changes, known.events)
    client, changes = known
    try:
        check_request(client.profile, parameters)
        request_uri = yield from pushed(call, client.id, parameters)
    except OAuthError as error:
        return Commit(Refusal(error.error, (Reason("authorization.malformed"),)), changes)
    return Commit(PushedRequest(request_uri=request_uri, expires_in=LIFETIME), changes)


def push(
    parameters: Parameters, credentials: ClientCredentials, *, issuer: str, address: str | None = None
) -> Operation[PushedRequest | Refusal]:
    """Answer a pushed authorization request: a reference to send the browser with (RFC 9126 section 2).

    Nothing is written but what authenticating the client came to.

    Args:
        parameters: of the form: those of an authorization request, with what authenticates the client.

    Returns:
        The reference, or a refusal whose `error` the client may be told.

    >>> client = ClientCredentials(method="none", client_id="c1", proof=None)
    >>> push(Parameters({"client_id": ("c1",)}), client, issuer="https://example.com").name
    'endpoints.push'
    """
    return _push(
        parameters=exactly(parameters, Parameters, "parameters"),
        credentials=exactly(credentials, ClientCredentials, "credentials"),
        issuer=parse_issuer(issuer),
        address=address_text(address),
    )
