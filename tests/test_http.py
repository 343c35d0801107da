from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from extlink import clients
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.threaded import ThreadedDirectory, ThreadedStorage
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing
from extlink.errors import AccessDenied, ExtlinkError, InvalidInput, OAuthError, StorageError
from extlink.http import AuthorizationServer, Exchange, Request, Response, error_response
from extlink.oauth.parameters import Parameters
from extlink.runtime import AsyncExtLink
from tests.canary.channels import CHANNELS, Canaries
from tests.fakes import CountingEntropy, FrozenClock
from tests.hosts import people
from tests.oauth.kit import FORM, ISSUER, SESSION, Site, basic, error, members, sent

# What a host does on purpose to get a value out; a Request, a Response and Parameters are what is sent.
DELIBERATE = frozenset({"vars", "attributes", "asdict", "astuple", "json with vars", "pickle"})


def test_headers_have_any_case_and_any_form() -> None:
    """A mapping or pairs; one that is there twice is an error when it is asked for."""
    for headers in ({"X-A": "1"}, [("x-a", "1")], (("X-a", "1"),)):
        request = Request(method="GET", path="/", headers=headers)
        assert ("1", None) == (request.header("x-a"), request.header("x-b"))
    with pytest.raises(OAuthError, match="more than once"):
        Request(method="GET", path="/", headers=[("a", "1"), ("A", "2")]).header("a")


def test_requests_and_responses_print_nothing_that_was_sent() -> None:
    """Neither a secret in the query, a header or the body, nor the code in a Location."""
    site = Site.make()
    canaries = Canaries()
    canaries.add("secret", site.secret)
    redirect = site.answer(site.asked())
    code = sent(redirect)["code"]
    canaries.add("code", code)
    answer = site.redeem(code)
    for name in ("access_token", "refresh_token"):
        canaries.add(name, members(answer)[name])
    said = f"client_secret={site.secret}&code={code}"
    request = Request(
        method="POST", path="/", query=said, headers=[basic(site.client, site.secret)], body=said.encode()
    )
    found = [
        f"{type(value).__name__} by {name}"
        for value in (request, redirect, answer, Parameters({"code": (code,), "client_secret": (site.secret,)}))
        for name in CHANNELS.keys() - DELIBERATE
        for _ in canaries.found_in(shown(name, value))
    ]

    assert [] == found
    assert canaries.found_in(str(redirect.headers))


def shown(channel: str, value: object) -> str:
    """Return what a channel shows; nothing where it refuses."""
    try:
        return CHANNELS[channel](value)
    except Exception as refused:  # noqa: BLE001 - a refusal is as good; but it must not tell either
        return str(refused)


@pytest.mark.parametrize(
    ("failed", "status", "code"),
    [
        (OAuthError("invalid_scope"), 400, "invalid_scope"),
        (StorageError("disk /var/lib/x is full"), 503, "temporarily_unavailable"),
        (InvalidInput("token", "canary"), 400, "invalid_request"),
        (cast("AccessDenied", ExtlinkError("canary")), 400, "invalid_request"),
    ],
)
def test_an_error_tells_what_oauth_defines(failed: ExtlinkError, status: int, code: str) -> None:
    """And nothing of what happened inside."""
    response = error_response(failed)

    assert (status, code) == (response.status, error(response))
    assert b"canary" not in response.body
    assert b"disk" not in response.body
    assert ("Cache-Control", "no-store") in response.headers


def test_a_page_is_not_answered_by_the_library() -> None:
    """A host that lets `run` answer a consent gets an error, not a yes; the page is its own."""
    site = Site.make()
    step = site.server.authorize(Request(method="GET", path="/", query=site.query()), session=SESSION)
    assert isinstance(step, Exchange)

    assert "invalid_request" == error(step.run(site.host.user()))


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_a_consent_is_posted(method: str) -> None:
    """A link cannot consent."""
    site = Site.make()
    response = site.server.answer(Request(method=method, path="/"), session=SESSION)

    assert isinstance(response, Response)
    assert (405, (("Allow", "POST"),)) == (response.status, response.headers)


@pytest.mark.parametrize(
    "body",
    [b"", b"consent=x", b"answer=accept", b"consent=x&answer=accept&answer=accept", b"consent=%ff&answer=accept"],
)
def test_a_form_that_lacks_something_is_a_page(body: bytes) -> None:
    """The user reads that the request is not valid; nobody is redirected."""
    response = Site.make().server.answer(Request(method="POST", path="/", headers=[FORM], body=body), session=SESSION)

    assert isinstance(response, Response)
    assert 400 == response.status
    assert response.body.startswith(b"The request of the service is not valid")


def test_what_is_no_yes_is_a_no() -> None:
    """An answer other than `accept` declines."""
    site = Site.make()
    for answer in ("refuse", "ACCEPT", "accept ", "yes"):
        assert "access_denied" == sent(site.answer(site.asked(), answer=answer))["error"]


def test_endpoints_lie_under_their_address() -> None:
    """The issuer's own by default; elsewhere there is nothing."""
    site = Site.make()
    for server, prefix in (
        (AuthorizationServer(ISSUER), ""),
        (AuthorizationServer(f"{ISSUER}/t/7/"), "/t/7"),
        (AuthorizationServer(ISSUER, endpoint=f"{ISSUER}/a/b/"), "/a/b"),
    ):
        for name in ("token", "revoke", "introspect"):
            assert 405 == server.serve(site.host.tenant, Request(method="GET", path=f"{prefix}/{name}")).status
        assert 404 == server.serve(site.host.tenant, Request(method="POST", path=f"{prefix}/authorize")).status


def test_a_tenant_that_nobody_opened_has_no_clients() -> None:
    """Whoever asks there is unknown; a user is refused."""
    site = Site.make()
    nowhere = site.host.hub.tenant("nowhere")
    request = Request(
        method="POST",
        path="/oauth2/token",
        headers=[FORM, basic(site.client, site.secret)],
        body=b"grant_type=refresh_token&refresh_token=x",
    )

    assert 401 == site.server.serve(nowhere, request).status
    step = site.server.authorize(Request(method="GET", path="/", query=site.query()), session=SESSION)
    assert isinstance(step, Exchange)
    assert "invalid_request" == error(step.run(nowhere.acting_as("sato")))


def test_an_address_that_is_none_is_the_host_s_mistake() -> None:
    """It is not read as another one, and the caller is told nothing of it."""
    site = Site.make()
    response = site.send("introspect", b"token=x", (FORM, basic(site.client, site.secret)), address=7)

    assert "invalid_request" == error(response)


def test_a_token_of_any_length_is_answered() -> None:
    """What no token could be as long as is unknown or invalid, and breaks nothing."""
    site = Site.make()
    long: dict[str, Any] = {"token": "x" * 60_000}
    refresh: dict[str, Any] = {"grant_type": "refresh_token", "refresh_token": "x" * 60_000}

    for path, form in (("revoke", long), ("introspect", long), ("token", refresh)):
        assert site.post(path, **form).status in {200, 400}


def test_an_async_host_gets_the_same_answers() -> None:
    """Metadata, a refusal, an answer and a failure, through `serve_async`."""

    async def story() -> list[int]:
        hub = AsyncExtLink(
            ThreadedStorage(MemoryStorage()),
            keys=KeyRing({"k1": Secret("5a" * 32)}, current="k1"),
            directory=ThreadedDirectory(people()),
            clock=FrozenClock(),
            entropy=CountingEntropy(),
        )
        tenant = await hub.open_tenant("acme", edition="JP", products={"kintone"})
        server = AuthorizationServer(ISSUER)
        asked = (
            Request(method="GET", path=server.metadata_path),
            Request(method="POST", path="/introspect", headers=[FORM, basic("nobody", "x")], body=b"token=x"),
        )
        found = [(await server.serve_async(tenant, one)).status for one in asked]
        step = server.authorize(Request(method="GET", path="/authorize", query="client_id=x"), session=SESSION)
        assert isinstance(step, Exchange)
        return found + [(await step.run_async(actor)).status for actor in (tenant.acting_as("sato"), tenant)]

    assert [200, 401, 400, 400] == asyncio.run(story())


def test_a_client_that_was_removed_is_unknown_everywhere() -> None:
    """From the next message on, at every endpoint."""
    site = Site.make()
    tokens = site.tokens()
    site.run(clients.remove(site.client))
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        ("token", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}),
        ("revoke", {"token": tokens["refresh_token"]}),
        ("introspect", {"token": tokens["access_token"]}),
    )

    assert [401] * 3 == [site.post(path, **form).status for path, form in forms]
    site.untold(site.query())
