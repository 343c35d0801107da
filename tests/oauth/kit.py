"""A tenant with an authorization server and a client, and the word by which a test says which requirement it keeps.

`rule` names a test by the ids of tests/oauth/requirements.toml; `without` takes the rule out of the code, which the
same test must notice (test_requirements.py runs each of these broken twins).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import pytest

from extlink import clients
from extlink.adapters.memory import MemoryStorage
from extlink.clients import RegisteredClient
from extlink.domain.client_registration import ClientProfile
from extlink.domain.consent import Consent
from extlink.domain.decision import Refusal
from extlink.endpoints import Redirect
from extlink.http import AuthorizationServer, Exchange, Request, Response
from extlink.operation import Operation
from extlink.ports import RateLimit
from tests.hosts import CHALLENGE, REDIRECT, SCOPES, SERVICE, VERIFIER, Host

__all__ = ["FORM", "ISSUER", "KEPT", "SESSION", "Kept", "Site", "basic", "rule", "sent", "swap"]

ISSUER: Final = "https://acme.cybozu.com"
ENDPOINT: Final = f"{ISSUER}/oauth2"
SESSION: Final = "session-1"
FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
Test = TypeVar("Test", bound=Callable[..., object])
Removal = Callable[[pytest.MonkeyPatch], None]


@attrs.frozen
class Kept:
    """A test, the requirements it is named by, and how to take its rule out of the code."""

    ids: tuple[str, ...]
    test: Callable[..., object]
    without: Removal | None

    @property
    def name(self) -> str:
        """Where the test is: file and function."""
        return f"{self.test.__module__.replace('.', '/')}.py::{self.test.__name__}"


# By name: a module that is imported a second time replaces its own.
KEPT: Final[dict[str, Kept]] = {}


def rule(*ids: str, without: Removal | None = None) -> Callable[[Test], Test]:
    """Name a test by requirements: `pytest -k BCP-2.1-1` runs it."""

    def mark(test: Test) -> Test:
        kept = Kept(ids, test, without)
        KEPT[kept.name] = kept
        return cast("Test", pytest.mark.parametrize("rule_id", ids)(test))

    return mark


def swap(target: str, value: object) -> Removal:
    """Return how to replace something of the package, by its dotted name."""
    return lambda patch: patch.setattr(target, value)


def basic(client: str, secret: str) -> tuple[str, str]:
    """Return the header of HTTP Basic."""
    return ("Authorization", "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode())


def sent(response: Response) -> dict[str, str]:
    """Return what a redirect carries to the client."""
    assert 303 == response.status, response.body
    return dict(parse_qsl(urlsplit(dict(response.headers)["Location"]).query, strict_parsing=True))


@attrs.frozen(kw_only=True)
class Site:
    """A host with one client: what a browser and a client see of it."""

    host: Host
    server: AuthorizationServer
    registered: RegisteredClient

    @classmethod
    def make(cls, *, rate_limit: RateLimit | None = None, store: MemoryStorage | None = None, **profile: Any) -> Site:
        """Open a tenant with Power Automate, and register a client of it."""
        host = Host.prepared(store=store)
        server = AuthorizationServer(ISSUER, endpoint=ENDPOINT, rate_limit=rate_limit)
        return cls(host=host, server=server, registered=register(host, **profile))

    @property
    def client(self) -> str:
        """The client's id."""
        return self.registered.client.id

    @property
    def secret(self) -> str:
        """The client's secret."""
        assert self.registered.secret is not None
        return self.registered.secret.reveal()

    def another(self, **profile: Any) -> Site:
        """Register a further client in the same tenant, and return the site as that one sees it."""
        return attrs.evolve(self, registered=register(self.host, **profile))

    def change(self, **fields: Any) -> None:
        """Change the client's profile."""
        before = self.host.admin.run(clients.show(self.client)).profile
        self.host.admin.run(clients.change(self.client, attrs.evolve(before, **fields)))

    def query(self, **parameters: str | None) -> str:
        """Return the query of an authorization request; a parameter that is None is left out."""
        usual = {
            "client_id": self.client,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": SCOPES[0],
            "state": "s 1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return urlencode({name: value for name, value in {**usual, **parameters}.items() if value is not None})

    def authorize(self, query: str, user: str = "sato", session: str = SESSION) -> Consent | Redirect | Refusal:
        """Send a user's browser to the authorization endpoint."""
        request = Request(method="GET", path="/oauth2/authorize", query=query)
        step = self.server.authorize(request, session=session)
        assert isinstance(step, Exchange), step
        return self.host.user(user).run(step.operation)

    def asked(self, **parameters: str | None) -> Consent:
        """Return what the user is asked."""
        found = self.authorize(self.query(**parameters))
        assert isinstance(found, Consent), found
        return found

    def told(self, **parameters: str | None) -> dict[str, str]:
        """Return what the client is told of a request that the user never sees."""
        request = Request(method="GET", path="/oauth2/authorize", query=self.query(**parameters))
        step = self.server.authorize(request, session=SESSION)
        return sent(step if isinstance(step, Response) else step.run(self.host.user()))

    def untold(self, query: str) -> Response:
        """Return what the user sees of a request of which the client must not hear."""
        request = Request(method="GET", path="/oauth2/authorize", query=query)
        step = self.server.authorize(request, session=SESSION)
        response = step if isinstance(step, Response) else step.run(self.host.user())
        assert "Location" not in dict(response.headers)
        assert 400 == response.status
        assert response.body.startswith(b"The request of the service is not valid"), response.body
        return response

    def answer(
        self, page: Consent, *, user: str = "sato", session: str = SESSION, answer: str = "accept", **form: str
    ) -> Response:
        """Send the form of the consent page."""
        body = urlencode({"consent": page.token.reveal(), "answer": answer, **form}).encode()
        request = Request(method="POST", path="/oauth2/consent", headers=[FORM], body=body)
        step = self.server.answer(request, session=session)
        return step if isinstance(step, Response) else step.run(self.host.user(user))

    def code(self, **parameters: str | None) -> str:
        """Return the code of a user who says yes."""
        return sent(self.answer(self.asked(**parameters)))["code"]

    def post(self, path: str, *, headers: tuple[tuple[str, str], ...] | None = None, **form: Any) -> Response:
        """Send a form to an endpoint for clients, with HTTP Basic unless headers are given."""
        shown = (basic(self.client, self.secret),) if headers is None else headers
        return self.send(path, urlencode(form).encode(), (FORM, *shown))

    def send(self, path: str, body: bytes, headers: tuple[tuple[str, str], ...], **fields: Any) -> Response:
        """Send a body to an endpoint for clients."""
        request = Request(method="POST", path=f"/oauth2/{path}", headers=headers, body=body, **fields)
        return self.server.serve(self.host.tenant, request)

    def redeem(self, code: str, *, headers: tuple[tuple[str, str], ...] | None = None, **form: str) -> Response:
        """Redeem a code, with the redirect URI and the verifier of `query`."""
        usual = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        given: Any = {name: value for name, value in {**usual, "code": code, **form}.items() if value}
        return self.post("token", headers=headers, **given)

    def tokens(self, **parameters: str | None) -> Mapping[str, Any]:
        """Connect the user and return the members of the token response."""
        return members(self.redeem(self.code(**parameters)))

    def refresh(self, token: str, **form: Any) -> Response:
        """Ask for the next tokens."""
        return self.post("token", grant_type="refresh_token", refresh_token=token, **form)

    def introspect(self, token: str) -> Mapping[str, Any]:
        """Ask what a token is worth."""
        return members(self.post("introspect", token=token))

    def run(self, operation: Operation[Any]) -> Any:
        """Run an operation as the administrator."""
        return self.host.admin.run(operation)


def register(host: Host, **profile: Any) -> RegisteredClient:
    """Register a client of Power Automate."""
    usual: dict[str, Any] = {"service": SERVICE, "name": "Power Automate", "redirect_uris": [REDIRECT]}
    return host.admin.run(clients.register(ClientProfile(**{**usual, **profile})))


def members(response: Response, status: int = 200) -> Mapping[str, Any]:
    """Return the members of an answer in JSON."""
    assert status == response.status, response.body
    assert "application/json;charset=UTF-8" == dict(response.headers)["Content-Type"]
    found = json.loads(response.body)
    assert isinstance(found, dict)
    return found


def error(response: Response) -> str:
    """Return the error of an answer that is none."""
    assert response.status >= 400
    return str(json.loads(response.body)["error"])
