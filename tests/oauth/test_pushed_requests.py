"""Pushed authorization requests (RFC 9126): checked before any user is asked, and changed by nobody on the way."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import attrs
import pytest

from extlink import clients
from extlink.clients import ClientProfile
from extlink.domain.secret import Secret
from extlink.http import AuthorizationServer, Request, Response
from tests.hosts import CHALLENGE, REDIRECT, SERVICE, VERIFIER, Host

SERVER = AuthorizationServer("https://acme.cybozu.com", endpoint="https://acme.cybozu.com/oauth2")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
URN = "urn:ietf:params:oauth:request_uri:"
SAID = {
    "response_type": "code",
    "redirect_uri": REDIRECT,
    "scope": "k:app_record:read",
    "state": "s 1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@attrs.frozen(kw_only=True)
class Site:
    """A host with two clients of one service."""

    host: Host
    me: dict[str, str]
    other: dict[str, str]

    def push(self, *headers: tuple[str, str], **said: str) -> tuple[int, dict[str, object]]:
        """Push a request."""
        return answered(self.serve("/oauth2/par", *headers, **said))

    def serve(self, path: str, *headers: tuple[str, str], **fields: str) -> Response:
        """Send a form to an endpoint of the clients."""
        request = Request(method="POST", path=path, headers=[FORM, *headers], body=urlencode(fields).encode())
        return SERVER.serve(self.host.tenant, request)

    def reference(self, **said: str) -> str:
        """Push a request that is accepted, and return its reference."""
        status, answer = self.push(**self.me, **{**SAID, **said})
        assert 201 == status, answer
        return str(answer["request_uri"])

    def ask(self, reference: str, client: str | None = None, **more: str) -> Response:
        """Send sato's browser to the authorization endpoint with a reference."""
        asked = {"client_id": client or self.me["client_id"], "request_uri": reference, **more}
        return self.browse(Request(method="GET", path="/oauth2/authorize", query=urlencode(asked)))

    def browse(self, request: Request) -> Response:
        """Answer a request of sato."""
        sato = self.host.user("sato")
        return SERVER.serve_user(sato, request, session="s1", page=lambda consent: consent.token.reveal())


def answered(answer: Response) -> tuple[int, dict[str, object]]:
    """Return status and members of an answer, which no cache may keep."""
    assert "no-store" == dict(answer.headers)["Cache-Control"]
    return answer.status, json.loads(answer.body)


@pytest.fixture
def site() -> Site:
    """Return a host with two registered clients."""
    host = Host.prepared()
    made = [
        host.admin.run(clients.register(ClientProfile(service=SERVICE, name=name, redirect_uris=[REDIRECT])))
        for name in ("mine", "other")
    ]
    mine, other = ({"client_id": one.client.id, "client_secret": (one.secret or Secret("")).reveal()} for one in made)
    return Site(host=host, me=mine, other=other)


def test_a_pushed_request_goes_the_whole_way(site: Site) -> None:
    """201 with a reference for a minute; the browser carries that alone, and the code is redeemed as any other."""
    status, answer = site.push(**site.me, **SAID)
    assert (201, ["expires_in", "request_uri"], 60) == (status, sorted(answer), answer["expires_in"])
    assert str(answer["request_uri"]).startswith(URN)

    shown = site.ask(str(answer["request_uri"]))
    form = urlencode({"consent": shown.body.decode(), "answer": "accept"}).encode()
    agreed = site.browse(Request(method="POST", path="/oauth2/consent", headers=[FORM], body=form))
    back = {name: one for name, (one,) in parse_qs(urlsplit(dict(agreed.headers)["Location"]).query).items()}
    assert "s 1" == back["state"]

    redeeming = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": REDIRECT}
    status, tokens = answered(site.serve("/oauth2/token", **site.me, **redeeming, code_verifier=VERIFIER))
    assert (200, "k:app_record:read") == (status, tokens["scope"])


def test_a_client_may_authenticate_by_header(site: Site) -> None:
    """Section 2.1: as at the token endpoint."""
    id_, secret = site.me.values()
    header = ("Authorization", "Basic " + base64.b64encode(f"{id_}:{secret}".encode()).decode())

    assert 201 == site.push(header, client_id=id_, **SAID)[0]


def test_what_the_browser_adds_does_not_count(site: Site) -> None:
    """Section 4: the pushed parameters are the request, whatever the address says beside the reference."""
    reference = site.reference()

    shown = site.ask(reference, scope="k:app_record:write", state="other", redirect_uri="https://evil.example/")

    assert 200 == shown.status
    form = urlencode({"consent": shown.body.decode(), "answer": "refuse"}).encode()
    refused = site.browse(Request(method="POST", path="/oauth2/consent", headers=[FORM], body=form))
    assert dict(refused.headers)["Location"].startswith(f"{REDIRECT}?error=access_denied")
    assert "state=s%201" in dict(refused.headers)["Location"]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "k:unheard of"}, "access_or_scope"),
        ({"scope": '"'}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"state": "s" * 2_001}, "invalid_request"),
        ({"request": "e30.e30."}, "invalid_request"),
        ({"request_uri": URN + "xl_cs_k1YQ.x"}, "invalid_request"),
        ({"redirect_uri": REDIRECT, "resource": "https://a.example/" + "a" * 5_000}, "invalid_target"),
    ],
)
def test_a_wrong_request_is_told_to_the_client(site: Site, more: dict[str, str], error: str) -> None:
    """Section 2.3: at the push, to the authenticated client, before any user sees a page."""
    status, answer = site.push(**site.me, **{**SAID, **more})

    if error == "access_or_scope":
        # Which scopes the service defines is looked up when the user is asked.
        assert 201 == status
    else:
        assert (400, error) == (status, answer["error"])


def test_a_request_that_no_address_can_carry_is_refused(site: Site) -> None:
    """The reference holds the request, so it is bounded by what browsers and servers take."""
    profile = site.host.admin.run(clients.show(site.me["client_id"])).profile
    long = attrs.evolve(profile, redirect_uris=["https://client.example/" + "a" * 1_900], scopes=None)
    site.host.admin.run(clients.change(site.me["client_id"], long))
    said = {**SAID, "redirect_uri": long.redirect_uris[0], "state": "s" * 2_000}
    assert 201 == site.push(**site.me, **said)[0]

    many = {"scope": " ".join(f"k:{number}" for number in range(300))}
    status, answer = site.push(**site.me, **(said | many))

    assert (400, "invalid_request") == (status, answer["error"])


def test_who_is_not_authenticated_pushes_nothing(site: Site) -> None:
    """A wrong secret, no client, and credentials in the query, each as at the token endpoint."""
    assert (401, "invalid_client") == error_of(site.push(**{**site.me, "client_secret": "wrong"}, **SAID))
    assert (401, "invalid_client") == error_of(site.push(**SAID))
    query = Request(method="POST", path="/oauth2/par", query="client_id=a", headers=[FORM], body=b"")
    assert 400 == SERVER.serve(site.host.tenant, query).status
    assert 405 == SERVER.serve(site.host.tenant, Request(method="GET", path="/oauth2/par")).status


def error_of(answer: tuple[int, dict[str, object]]) -> tuple[int, object]:
    """Return status and error."""
    return answer[0], answer[1]["error"]


def test_a_reference_is_for_one_client_and_one_minute(site: Site) -> None:
    """Section 2.2: bound to the client that pushed; the user is told, and nothing is redirected."""
    reference = site.reference()
    site.host.clock.advance(59)
    assert 200 == site.ask(reference).status
    assert 400 == site.ask(reference, client=site.other["client_id"]).status

    site.host.clock.advance(1)

    assert 400 == site.ask(reference).status


@pytest.mark.parametrize("way", ["cut", "longer", "empty", "another signature"])
def test_a_reference_that_was_changed_is_none(site: Site, way: str) -> None:
    """It is signed: the user is told that the request is not valid, and nothing is redirected."""
    reference, other = site.reference(), site.reference(state="another")
    changed = {
        "cut": reference[:-10],
        "longer": reference + "A",
        "empty": URN,
        "another signature": reference.rpartition(".")[0] + "." + other.rpartition(".")[2],
    }

    answer = site.ask(changed[way])

    assert 400 == answer.status
    assert "Location" not in dict(answer.headers)


def test_a_consent_is_no_reference_and_a_reference_no_consent(site: Site) -> None:
    """Both are signed by the same keys; neither is taken for the other."""
    reference = site.reference()
    consent = site.ask(reference).body.decode()

    assert 400 == site.ask(URN + consent).status
    form = f"consent={quote(reference.removeprefix(URN))}&answer=accept".encode()
    assert 400 == site.browse(Request(method="POST", path="/oauth2/consent", headers=[FORM], body=form)).status


def test_a_reference_of_another_kind_is_not_supported(site: Site) -> None:
    """A request_uri that would have to be fetched (RFC 9101) is never fetched: the client is told by redirect."""
    asked = {**SAID, "client_id": site.me["client_id"], "request_uri": "https://client.example/request.jwt"}

    answer = site.browse(Request(method="GET", path="/oauth2/authorize", query=urlencode(asked)))

    assert 303 == answer.status
    assert "error=invalid_request" in dict(answer.headers)["Location"]


def test_a_reference_holds_no_credential(site: Site) -> None:
    """What authenticated the push is not in what the browser carries."""
    body = site.reference().partition("xl_cs_")[2].partition(".")[0][2:]
    text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()

    assert site.me["client_secret"] not in text
    assert "client_secret" not in text
    assert hashlib.sha256(VERIFIER.encode()).digest() == base64.urlsafe_b64decode(
        json.loads(text)[2]["code_challenge"][0] + "="
    )


def test_the_metadata_name_the_endpoint() -> None:
    """Section 5."""
    found = SERVER.exchange(Request(method="GET", path=SERVER.metadata_path))

    assert isinstance(found, Response)
    assert "https://acme.cybozu.com/oauth2/par" == json.loads(found.body)["pushed_authorization_request_endpoint"]
