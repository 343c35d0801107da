"""Any bytes as a request: what comes back is an answer that OAuth defines. Also the target of the fuzzer.

The bytes are cut at 0x1e: which endpoint, the query, the headers (name and value, cut at 0x1f), the body. So that
chance gets past the first checks, single control bytes stand for what a client would know: its id, its secret, a
code, tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Final

from extlink.http import Exchange, Request, Response
from tests.oauth.kit import ISSUER, SESSION, Site, basic

__all__ = ["PLACES", "site", "survive_request"]

PLACES: Final = (
    ("authorize", "GET"),
    ("authorize", "POST"),
    ("answer", "POST"),
    ("/oauth2/token", "POST"),
    ("/oauth2/revoke", "POST"),
    ("/oauth2/introspect", "POST"),
    ("/oauth2/token", "GET"),
    ("/.well-known/oauth-authorization-server", "GET"),
    ("/elsewhere", "PATCH"),
)
_STATUSES: Final = frozenset({200, 303, 400, 401, 403, 404, 405, 429, 503})
_ERRORS: Final = frozenset(
    {
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "temporarily_unavailable",
        "unsupported_grant_type",
        "unsupported_response_type",
    }
)


@cache
def site() -> tuple[Site, Mapping[int, bytes]]:
    """Return the site that is asked, and what its client knows by the byte that stands for it."""
    mounted = Site.make()
    tokens = mounted.tokens()
    known = {
        0x01: mounted.client,
        0x02: mounted.secret,
        0x03: mounted.code(),
        0x04: tokens["access_token"],
        0x05: tokens["refresh_token"],
        0x06: mounted.asked().token.reveal(),
        0x07: basic(mounted.client, mounted.secret)[1],
        0x08: "application/x-www-form-urlencoded",
        0x0B: mounted.query(),
    }
    return mounted, {number: text.encode() for number, text in known.items()}


def survive_request(data: bytes) -> Response | None:
    """Send any bytes to one of the endpoints; what comes back is an answer of OAuth, or the page to show (None).

    Raises:
        AssertionError: it is not.
    """
    mounted, known = site()
    number, query, headers, body = (*data.split(b"\x1e", 3), b"", b"", b"")[:4]
    query, headers, body = (
        b"".join(known.get(byte, bytes([byte])) for byte in part) for part in (query, headers, body)
    )
    place, method = PLACES[sum(number) % len(PLACES)]
    fields = headers.decode("latin-1").split("\x1f")
    request = Request(
        method=method,
        path=place,
        query=query.decode("latin-1"),
        headers=tuple(zip(fields[::2], fields[1::2], strict=False)),
        body=body,
        address="203.0.113.7",
    )
    response = _answered(mounted, place, request)
    if response is not None:
        _look_at(response)
    return response


def _answered(site: Site, place: str, request: Request) -> Response | None:
    if place.startswith("/"):
        return site.server.serve(site.host.tenant, request)
    serve = site.server.authorize if place == "authorize" else site.server.answer
    step = serve(request, session=SESSION)
    if isinstance(step, Response):
        return step
    assert isinstance(step, Exchange)
    page = step.run(site.host.user())
    # A consent is shown by the host; `run` is not made for it and says so.
    return None if place == "authorize" and page.status == 400 and b"invalid_request" in page.body else page


def _look_at(response: Response) -> None:
    """Require an answer that OAuth defines, in headers that are headers."""
    assert response.status in _STATUSES, response
    for name, value in response.headers:
        assert f"{name}{value}".isascii(), response
        assert f"{name}{value}".isprintable(), response
    said = dict(response.headers)
    if response.status == 303:
        assert f"iss={ISSUER.replace(':', '%3A').replace('/', '%2F')}" in said["Location"], response
        assert said["Location"].startswith("https://global.consent.azure-apim.net/redirect?"), response
    elif said.get("Content-Type", "").startswith("application/json"):
        members = json.loads(response.body)
        assert response.status == 200 or members["error"] in _ERRORS, response
        assert response.status == 200 or members.keys() <= {"error", "error_description"}, response
