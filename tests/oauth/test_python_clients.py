"""Clients that others wrote do the whole cycle against the example host: those of PyPI (dependency group `clients`).

Each step is the library's own; where a library has no function for a step, the comment says what of it is used. They
refuse plain http, as they should, so each is told here alone that the server is on a loopback address.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode

import pytest

from extlink.domain.client_registration import AuthenticationMethod
from tests.oauth.loopback import REDIRECT, SCOPES, Deployment, Registered, deployment

METADATA = "/.well-known/oauth-authorization-server"
Tokens = Mapping[str, Any]


@pytest.fixture(scope="module")
def host() -> Generator[Deployment]:
    """Run one host for all clients."""
    with deployment() as running:
        yield running


@pytest.fixture(autouse=True)
def _on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the libraries talk plain http, here alone, and to nobody's proxy."""
    for name in ("AUTHLIB_INSECURE_TRANSPORT", "OAUTHLIB_INSECURE_TRANSPORT"):
        monkeypatch.setenv(name, "1")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def library(name: str, distribution: str) -> Any:
    """Import a library, or skip and say how to get it."""
    return pytest.importorskip(name, reason=f"{distribution} is not installed: uv sync --group clients")


class Library(Protocol):
    """The cycle as one library does it; it is made with discovery."""

    def authorization_url(self) -> str: ...

    def token(self, redirected: str) -> Tokens: ...

    def refresh(self, tokens: Tokens) -> Tokens: ...

    def introspect(self, tokens: Tokens) -> Mapping[str, Any]: ...

    def revoke(self, tokens: Tokens) -> None: ...


class Authlib:
    """Authlib's `OAuth2Session` over requests."""

    def __init__(self, host: Deployment, client: Registered, method: str, *, pkce: bool) -> None:
        requests_client = library("authlib.integrations.requests_client", "Authlib")
        self.verifier = secrets.token_urlsafe(36) if pkce else None
        self.session = requests_client.OAuth2Session(
            client.id,
            library("joserfc.jwk", "Authlib").ECKey.import_key(client.key) if client.key else client.secret or None,
            scope=" ".join(SCOPES),
            redirect_uri=REDIRECT,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            code_challenge_method="S256" if pkce else None,
        )
        if client.key:
            self.session.register_client_auth_method(("private_key_jwt", self.signed(host.issuer)))
        # The class reads no metadata; its HTTP session does, and the library checks what came.
        found = self.session.get(host.issuer + METADATA, withhold_token=True).json()
        self.server = library("authlib.oauth2.rfc8414", "Authlib").AuthorizationServerMetadata(found)
        self.server.validate_issuer = lambda: None  # it insists on https, and the others of its checks hold
        for name in ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint"):
            setattr(self.server, f"validate_{name}", lambda: None)
        self.server.validate()

    def signed(self, issuer: str) -> Callable[..., tuple[str, Any, str]]:
        """Return Authlib's signing as this server asks for it.

        Left to itself it names the endpoint as audience, and makes the assertion good for an hour.
        """
        rfc7523 = library("authlib.oauth2.rfc7523", "Authlib")

        def prepare(auth: Any, _method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
            assertion = rfc7523.private_key_jwt_sign(
                auth.client_secret, auth.client_id, issuer, alg="ES256", header={"kid": "k1"}, expires_in=60
            )
            more = {"client_assertion_type": rfc7523.auth.ASSERTION_TYPE, "client_assertion": assertion}
            return uri, headers, f"{body}&{urlencode(more)}"

        return prepare

    def authorization_url(self) -> str:
        url, self.state = self.session.create_authorization_url(
            self.server["authorization_endpoint"], code_verifier=self.verifier
        )
        return str(url)

    def token(self, redirected: str) -> Tokens:
        more = {"code_verifier": self.verifier} if self.verifier else {}
        found: Tokens = self.session.fetch_token(
            self.server["token_endpoint"], authorization_response=redirected, state=self.state, **more
        )
        return found

    def refresh(self, tokens: Tokens) -> Tokens:
        found: Tokens = self.session.refresh_token(self.server["token_endpoint"], tokens["refresh_token"])
        return found

    def introspect(self, tokens: Tokens) -> Mapping[str, Any]:
        answer = self.session.introspect_token(self.server["introspection_endpoint"], tokens["access_token"])
        return dict(answer.json())

    def revoke(self, tokens: Tokens) -> None:
        answer = self.session.revoke_token(
            self.server["revocation_endpoint"], tokens["refresh_token"], token_type_hint="refresh_token"
        )
        answer.raise_for_status()


class RequestsOAuthlib:
    """requests-oauthlib's `OAuth2Session`; it knows neither metadata nor introspection, so its session posts those."""

    def __init__(self, host: Deployment, client: Registered, method: str, *, pkce: bool) -> None:
        module = library("requests_oauthlib", "requests-oauthlib")
        self.session = module.OAuth2Session(
            client.id, scope=list(SCOPES), redirect_uri=REDIRECT, pkce="S256" if pkce else None
        )
        self.server = self.session.get(host.issuer + METADATA, withhold_token=True).json()
        self.client = client
        basic = method == "client_secret_basic"
        auth = library("requests.auth", "requests").HTTPBasicAuth(client.id, client.secret)
        self.auth = auth if basic else None
        self.body = {} if basic else {"client_id": client.id, "client_secret": client.secret}

    def authorization_url(self) -> str:
        return str(self.session.authorization_url(self.server["authorization_endpoint"])[0])

    def token(self, redirected: str) -> Tokens:
        how = {"auth": self.auth} if self.auth else {"client_secret": self.client.secret, "include_client_id": True}
        found: Tokens = self.session.fetch_token(
            self.server["token_endpoint"], authorization_response=redirected, **how
        )
        return {**found, "scope": " ".join(found["scope"])}

    def refresh(self, tokens: Tokens) -> Tokens:
        # It repeats the scope of the first request on every refresh.
        found: Tokens = self.session.refresh_token(
            self.server["token_endpoint"], tokens["refresh_token"], auth=self.auth, **self.body
        )
        return found

    def introspect(self, tokens: Tokens) -> Mapping[str, Any]:
        data = {"token": tokens["access_token"], **self.body}
        answer = self.session.post(self.server["introspection_endpoint"], data, auth=self.auth, withhold_token=True)
        return dict(answer.json())

    def revoke(self, tokens: Tokens) -> None:
        client = self.session._client
        url, headers, body = client.prepare_token_revocation_request(
            self.server["revocation_endpoint"], tokens["refresh_token"], token_type_hint="refresh_token", **self.body
        )
        self.session.post(url, body, headers=headers, auth=self.auth, withhold_token=True).raise_for_status()


class HttpxOAuth:
    """httpx-oauth's `OAuth2`; metadata are read by its httpx, introspection is a request that it builds and sends."""

    def __init__(self, host: Deployment, client: Registered, method: str, *, pkce: bool) -> None:
        self.module = library("httpx_oauth.oauth2", "httpx-oauth")
        self.server = library("httpx", "httpx").get(host.issuer + METADATA, trust_env=False).json()
        self.client = self.module.OAuth2(
            client.id,
            client.secret,
            self.server["authorization_endpoint"],
            self.server["token_endpoint"],
            self.server["token_endpoint"],
            self.server["revocation_endpoint"],
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
        )
        self.verifier = secrets.token_urlsafe(36) if pkce else None

    def authorization_url(self) -> str:
        more: dict[str, str] = {}
        if self.verifier:
            digest = hashlib.sha256(self.verifier.encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            more = {"code_challenge": challenge, "code_challenge_method": "S256"}
        return str(asyncio.run(self.client.get_authorization_url(REDIRECT, "s1", list(SCOPES), **more)))

    def token(self, redirected: str) -> Tokens:
        code = library("httpx", "httpx").URL(redirected).params["code"]
        found: Tokens = asyncio.run(self.client.get_access_token(code, REDIRECT, self.verifier))
        return found

    def refresh(self, tokens: Tokens) -> Tokens:
        found: Tokens = asyncio.run(self.client.refresh_token(tokens["refresh_token"]))
        return found

    def introspect(self, tokens: Tokens) -> Mapping[str, Any]:
        async def asked() -> dict[str, Any]:
            async with self.client.get_httpx_client() as session:
                request, auth = self.client.build_request(
                    session,
                    "POST",
                    self.server["introspection_endpoint"],
                    auth_method=self.client.token_endpoint_auth_method,
                    data={"token": tokens["access_token"]},
                )
                answer = await self.client.send_request(
                    session, request, auth, exc_class=self.module.OAuth2RequestError
                )
                return dict(answer.json())

        return asyncio.run(asked())

    def revoke(self, tokens: Tokens) -> None:
        asyncio.run(self.client.revoke_token(tokens["refresh_token"], "refresh_token"))


def jwk(client: Registered) -> Any:
    """Return a client's private key as requests-oauth2client takes it."""
    module = library("jwskate", "requests-oauth2client")
    return module.Jwk({**module.Jwk.from_pem(client.key), "kid": "k1"})


class RequestsOAuth2Client:
    """requests-oauth2client's `OAuth2Client`, which has every step; it checks issuer, state and `iss` by itself."""

    def __init__(self, host: Deployment, client: Registered, method: str, *, pkce: bool) -> None:
        module = library("requests_oauth2client", "requests-oauth2client")
        ways: dict[str, Callable[[], Any]] = {
            "client_secret_basic": lambda: module.ClientSecretBasic(client.id, client.secret),
            "client_secret_post": lambda: module.ClientSecretPost(client.id, client.secret),
            # Left to itself it names the endpoint as audience, which the revision of RFC 7523 forbids.
            "private_key_jwt": lambda: module.PrivateKeyJwt(client.id, jwk(client), alg="ES256", aud=host.issuer),
            "none": lambda: module.PublicApp(client.id),
        }
        self.client = module.OAuth2Client.from_discovery_endpoint(
            host.issuer + METADATA,
            issuer=host.issuer,
            auth=ways[method](),
            redirect_uri=REDIRECT,
            code_challenge_method="S256" if pkce else None,
            testing=True,
        )
        self.asked = self.client.authorization_request(scope=" ".join(SCOPES))

    def authorization_url(self) -> str:
        return str(self.asked.uri)

    def token(self, redirected: str) -> Tokens:
        self.tokens = self.client.authorization_code(self.asked.validate_callback(redirected), validate=False)
        return dict(self.tokens.as_dict())

    def refresh(self, tokens: Tokens) -> Tokens:
        return dict(self.client.refresh_token(tokens["refresh_token"]).as_dict())

    def introspect(self, tokens: Tokens) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.client.introspect_token(tokens["access_token"])
        return found

    def revoke(self, tokens: Tokens) -> None:
        assert self.client.revoke_refresh_token(tokens["refresh_token"])


ALL: tuple[Callable[..., Library], ...] = (Authlib, RequestsOAuthlib, HttpxOAuth, RequestsOAuth2Client)
CASES: tuple[tuple[Callable[..., Library], AuthenticationMethod, bool], ...] = (
    *((of, "client_secret_basic", pkce) for of in ALL for pkce in (True, False)),
    *((of, "client_secret_post", pkce) for of in ALL for pkce in (True, False)),
    # The two that can.
    *((of, "private_key_jwt", True) for of in (Authlib, RequestsOAuth2Client)),
    *((of, "none", True) for of in (Authlib, RequestsOAuth2Client)),
)


@pytest.mark.filterwarnings("default")  # theirs, not ours
@pytest.mark.parametrize(
    ("of", "method", "pkce"), CASES, ids=[f"{of.__name__}-{how}-{'' if pkce else 'no-'}pkce" for of, how, pkce in CASES]
)
def test_a_client_does_the_whole_cycle(
    host: Deployment, of: Callable[..., Library], method: AuthenticationMethod, pkce: bool
) -> None:
    """Discovery, authorize, token, a call, refresh, introspect, revoke; afterwards none of it is worth anything."""
    client = of(host, host.register(method, pkce=pkce), method, pkce=pkce)

    address = client.authorization_url()
    assert pkce == ("code_challenge=" in address)

    first = client.token(host.agree(address))
    assert set(SCOPES) == set(first["scope"].split())
    assert 200 == host.call(first["access_token"])

    second = client.refresh(first)
    assert first["access_token"] != second["access_token"]
    assert 200 == host.call(second["access_token"])

    # Introspection is for clients that prove who they are (RFC 7662 section 2.1).
    if method != "none":
        worth = client.introspect(second)
        assert (True, "sato", host.issuer) == (worth["active"], worth["sub"], worth["iss"])

    client.revoke(second)
    if method != "none":
        assert {"active": False} == dict(client.introspect(second))
    assert 401 == host.call(second["access_token"])
    assert 401 == host.call(first["access_token"])


@pytest.mark.filterwarnings("default")  # theirs, not ours
def test_a_client_pushes_its_request(host: Deployment) -> None:
    """requests-oauth2client pushes what it would have asked for, and sends the browser with the reference."""
    made = RequestsOAuth2Client(host, host.register("client_secret_basic", pkce=True), "client_secret_basic", pkce=True)

    reference = made.client.pushed_authorization_request(made.asked)

    assert "state" not in str(reference)
    tokens = made.token(host.agree(str(reference)))
    assert 200 == host.call(tokens["access_token"])


@pytest.mark.filterwarnings("default")  # theirs, not ours
@pytest.mark.parametrize(("name", "error"), [("iss", "MismatchingIssuer"), ("state", "MismatchingState")])
def test_a_client_that_checks_notices_a_changed_answer(host: Deployment, name: str, error: str) -> None:
    """The broken twins: with another issuer or state in the redirect, requests-oauth2client refuses our answer."""
    method: AuthenticationMethod = "client_secret_basic"
    made = RequestsOAuth2Client(host, host.register(method, pkce=True), method, pkce=True)
    address, _, query = host.agree(made.authorization_url()).partition("?")
    changed = urlencode({**dict(parse_qsl(query)), name: "https://evil.example"})

    with pytest.raises(getattr(library("requests_oauth2client", "requests-oauth2client"), error)):
        made.token(f"{address}?{changed}")

    assert made.token(f"{address}?{query}")["access_token"]


@pytest.mark.filterwarnings("default")  # theirs, not ours
def test_an_assertion_for_the_endpoint_is_refused(host: Deployment) -> None:
    """The audience is the issuer and nothing else: an assertion for the token endpoint is `invalid_client`."""
    module = library("requests_oauth2client", "requests-oauth2client")
    registered = host.register("private_key_jwt", pkce=True)
    auth = module.PrivateKeyJwt(registered.id, jwk(registered), alg="ES256")
    client = module.OAuth2Client.from_discovery_endpoint(
        host.issuer + METADATA, issuer=host.issuer, auth=auth, testing=True
    )

    with pytest.raises(module.InvalidClient):
        client.refresh_token("xl_rt_nothing")
