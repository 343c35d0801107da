"""The user's part of the endpoints in one call: `AuthorizationServer.serve_user` and its asynchronous twin."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlencode, urlsplit

import attrs
import pytest

from extlink import (
    AsyncExtLink,
    AsyncInMemoryDirectory,
    KeyRing,
    Secret,
    ThreadedStorage,
    catalog,
    clients,
    grants,
    services,
)
from extlink.adapters.memory import MemoryStorage
from extlink.clients import ClientProfile
from extlink.domain.consent import Consent
from extlink.errors import Unavailable
from extlink.http import CONSENT_HEADERS, AuthorizationServer, Request, Response
from extlink.ports import Key, Stored, Version
from tests.hosts import CHALLENGE, REDIRECT, SERVICE, Host

SERVER = AuthorizationServer("https://acme.cybozu.com/t/7", endpoint="https://acme.cybozu.com/oauth2")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
PROFILE = ClientProfile(service=SERVICE, name="Flow <b>", redirect_uris=[REDIRECT])


# A client that nobody registered.
REFRESH = Request(
    method="POST",
    path="/oauth2/token",
    headers=[FORM],
    body=b"grant_type=refresh_token&refresh_token=junk&client_id=nobody",
)


class Failing(MemoryStorage):
    """A store that stops answering."""

    down = False

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        if self.down:
            raise Unavailable("the store is down")
        return super().read(keys, known)


def page(consent: Consent) -> str:
    """Show the token and nothing else."""
    return consent.token.reveal()


def asking(client: str, **more: str) -> Request:
    """Return an authorization request."""
    asked = {
        "client_id": client,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "k:app_record:read",
        "state": "s 1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return Request(method="GET", path="/oauth2/authorize", query=urlencode({**asked, **more}))


def form(**fields: str) -> Request:
    """Return the form of the consent page."""
    return Request(method="POST", path="/oauth2/consent", headers=[FORM], body=urlencode(fields).encode())


def headers(answer: Response) -> dict[str, str]:
    """Return the headers of an answer, each of which is there once."""
    found = dict(answer.headers)
    assert len(found) == len(answer.headers)
    return found


def told(answer: Response) -> dict[str, str]:
    """Return what the redirect tells the client."""
    assert 303 == answer.status
    assert dict(CONSENT_HEADERS).items() <= headers(answer).items()
    return {name: value for name, (value,) in parse_qs(urlsplit(headers(answer)["Location"]).query).items()}


@attrs.frozen(kw_only=True)
class Part:
    """A prepared host, a client of it, and sato's browser."""

    host: Host
    client: str

    def serve(self, request: Request, session: str = "s1") -> Response:
        """Answer a request of sato."""
        return SERVER.serve_user(self.host.user("sato"), request, session=session, page=page)


def part(store: MemoryStorage | None = None) -> Part:
    """Return a host with a registered client."""
    host = Host.prepared(store=store)
    return Part(host=host, client=host.admin.run(clients.register(PROFILE)).client.id)


def test_the_page_is_sent_with_what_protects_it() -> None:
    """RFC 9700 sections 4.2.4 and 4.16: no frame, no referrer, no copy; a host cannot forget it."""
    made = part()

    answer = made.serve(asking(made.client))

    assert (200, "text/html;charset=UTF-8") == (answer.status, headers(answer)["Content-Type"])
    assert dict(CONSENT_HEADERS).items() <= headers(answer).items()
    assert answer.body.startswith(b"xl_cs_")


@pytest.mark.parametrize(("answer", "member"), [("accept", "code"), ("refuse", "error"), ("anything", "error")])
def test_the_form_is_answered_by_a_redirect(answer: str, member: str) -> None:
    """Whatever is not `accept` is a no; the state comes back as it came, and the issuer (RFC 9207)."""
    made = part()
    token = made.serve(asking(made.client)).body.decode()

    back = told(made.serve(form(consent=token, answer=answer)))

    assert {member, "state", "iss"} == back.keys()
    assert ("s 1", "https://acme.cybozu.com/t/7") == (back["state"], back["iss"])


def test_an_authorization_request_may_be_a_form() -> None:
    """RFC 6749 section 3.1: GET, and POST with the parameters in the body."""
    made = part()
    asked = asking(made.client)

    posted = Request(method="POST", path=asked.path, headers=[FORM], body=asked.query.encode())

    assert 200 == made.serve(posted).status


def test_a_request_that_is_refused_goes_back_to_the_client() -> None:
    """What is wrong with anything but client and redirect URI is the client's to know."""
    made = part()

    back = told(made.serve(asking(made.client, scope="k:unknown")))

    assert ("invalid_scope", "s 1") == (back["error"], back["state"])


@pytest.mark.parametrize(
    "more", [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/cb"}, {"client_id": ""}]
)
def test_nobody_is_redirected_to_an_address_that_is_not_registered(more: dict[str, str]) -> None:
    """OAuth 2.1 section 2.3.5: the user is told, by a page that repeats nothing of the request."""
    made = part()

    answer = made.serve(asking(made.client, **more))

    assert 400 == answer.status
    assert "Location" not in headers(answer)
    assert b"evil" not in answer.body


@pytest.mark.parametrize(
    ("request_", "status", "allow"),
    [
        (Request(method="PUT", path="/oauth2/authorize"), 405, "GET, HEAD, POST"),
        (Request(method="GET", path="/oauth2/consent"), 405, "POST"),
        (Request(method="GET", path="/oauth2/token"), 404, None),
        (Request(method="GET", path="/oauth2/authorize", query="%"), 400, None),
        (Request(method="POST", path="/oauth2/consent", headers=[FORM]), 400, None),
        (Request(method="POST", path="/oauth2/consent", body=b"{}"), 400, None),
        (form(consent="junk", answer="accept"), 400, None),
        (form(consent="junk", answer="refuse"), 400, None),
        (form(consent="junk", answer="accept", scope='"'), 400, None),
        (Request(method="POST", path="/oauth2/consent", headers=[FORM, FORM], body=b"consent=a"), 400, None),
    ],
)
def test_what_is_malformed_is_told_to_the_user(request_: Request, status: int, allow: str | None) -> None:
    """A page or a bare status, never an exception and never a redirect."""
    answer = part().serve(request_)

    assert (status, allow) == (answer.status, headers(answer).get("Allow"))
    assert "Location" not in headers(answer)


def test_another_session_cannot_send_the_form() -> None:
    """RFC 6749 section 10.12: the consent is bound to the session in which the user was asked."""
    made = part()
    token = made.serve(asking(made.client)).body.decode()

    answer = made.serve(form(consent=token, answer="accept"), session="s2")

    assert 400 == answer.status
    assert "Location" not in headers(answer)


def test_a_store_that_fails_is_503() -> None:
    """The user may try again; nothing was decided."""
    store = Failing()
    made = part(store)
    store.down = True

    assert 503 == made.serve(asking(made.client)).status
    assert 503 == SERVER.serve(made.host.tenant, REFRESH).status


def test_nothing_shows_a_code_or_a_token() -> None:
    """A request, an answer and the step between them may be logged: none shows what it carries."""
    made = part()
    shown = made.serve(asking(made.client))
    posted = form(consent=shown.body.decode(), answer="accept")
    step = SERVER.ask(posted, session="s1", page=page)

    agreed = made.serve(posted)
    code = told(agreed)["code"]
    leaking = Request(method="GET", path="/api/records", query=f"access_token={code}")

    for thing in (shown, posted, step, agreed, leaking):
        assert "xl_" not in repr(thing)
        assert "xl_" not in str(thing)


def test_the_paths_of_the_user_are_named() -> None:
    """A host routes by them: these two need somebody who is logged in."""
    assert {"/oauth2/authorize", "/oauth2/consent"} == SERVER.user_paths


def test_the_asynchronous_way_answers_alike() -> None:
    """`serve_user_async` shows the page, takes the form and survives a store that fails."""

    async def story() -> list[int]:
        people, store = AsyncInMemoryDirectory(), Failing()
        people.directory.add_user("sato", products={"kintone"})
        keys = KeyRing({"k1": Secret("5a" * 32)}, current="k1")
        async with ThreadedStorage(store) as storage:
            hub = AsyncExtLink(storage, keys=keys, directory=people)
            tenant = await hub.open_tenant("acme", edition="JP", products={"kintone"})
            admin, sato = tenant.acting_as("admin-1", roles={"common_administrator"}), tenant.acting_as("sato")
            await admin.run(services.register(catalog.POWER_AUTOMATE))
            await admin.run(services.enable(SERVICE))
            await admin.run(grants.allow(SERVICE, users=["sato"]))
            client = (await admin.run(clients.register(PROFILE))).client.id

            async def serve(request: Request) -> Response:
                return await SERVER.serve_user_async(sato, request, session="s1", page=page)

            shown = await serve(asking(client))
            agreed = await serve(form(consent=shown.body.decode(), answer="accept"))
            missing = await serve(Request(method="GET", path="/"))
            junk = await SERVER.serve_async(tenant, REFRESH)
            found = await SERVER.serve_async(tenant, Request(method="GET", path=SERVER.metadata_path))
            store.down = True
            down = [await serve(asking(client)), await SERVER.serve_async(tenant, REFRESH)]
            return [one.status for one in (shown, agreed, missing, junk, found, *down)]

    assert [200, 303, 404, 401, 200, 503, 503] == asyncio.run(story())
