"""The endpoints behind addresses: Request -> Response as values, so that any framework mounts them (DESIGN floor 6).

Rules: nothing here looks at a forwarded header, since only the host knows its proxies; every answer with a token or an
error is `no-store`; whatever a caller sends gets an answer that OAuth defines, and never tells which part of a
credential was wrong; a store that fails is 503, never a yes.

    authorization, consent form     `serve_user`, as the user who is logged in; its halves are `authorize` and `answer`
    pushed requests, token, revocation, introspection, metadata
                                     `serve`, or its two halves `exchange` and `Exchange.respond`
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, Generic, TypeVar

import attrs

from extlink import endpoints
from extlink.domain.client_registration import is_client_id
from extlink.domain.consent import Consent
from extlink.domain.decision import Refusal
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.endpoints import Introspection, PushedRequest, Redirect
from extlink.errors import ExtlinkError, InvalidInput, Misconfigured, OAuthError, StorageError
from extlink.http_messages import Request, Response
from extlink.oauth.assertion import read_assertion
from extlink.oauth.credentials import ClientCredentials, read_credentials
from extlink.oauth.metadata import authorization_server_metadata, metadata_path, parse_issuer
from extlink.oauth.parameters import Parameters, read_form, read_query
from extlink.oauth.token import read_scope, read_token_request, token_response
from extlink.operation import Operation
from extlink.ports import RateLimit
from extlink.runtime import AsyncTenant, Tenant

__all__ = ["CONSENT_HEADERS", "AuthorizationServer", "Exchange", "Page", "Request", "Response", "error_response"]

T = TypeVar("T")
_NO_STORE: Final = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
_JSON: Final = ("Content-Type", "application/json;charset=UTF-8")
_BASIC: Final = (("WWW-Authenticate", 'Basic realm="oauth"'),)
_LATER: Final = (("Retry-After", "1"),)
_UNAVAILABLE: Final = 503
_ALGORITHMS: Final = ("ES256", "EdDSA", "PS256", "RS256")
# What the host's consent page is to be sent with: no frame, no referrer with the request in it, no copy in a cache
# (RFC 9700 sections 4.2.4 and 4.16).
CONSENT_HEADERS: Final = (
    *_NO_STORE,
    ("Content-Security-Policy", "frame-ancestors 'none'"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
)


def _json(status: int, members: Mapping[str, object], headers: tuple[tuple[str, str], ...] = _NO_STORE) -> Response:
    return Response(status=status, headers=(_JSON, *headers), body=json.dumps(dict(members)).encode())


def _error(error: OAuthError, *headers: tuple[str, str]) -> Response:
    members = {"error": error.error}
    if error.description:
        members["error_description"] = error.description
    return _json(error.status, members, (*_NO_STORE, *headers))


def error_response(error: ExtlinkError) -> Response:
    """Return the answer to a caller for whom something failed: what OAuth defines, and nothing of what happened."""
    if isinstance(error, OAuthError):
        return _error(error)
    # A host that holds the wrong keys is not the caller's fault either: a client that is told so gives its tokens up.
    if isinstance(error, StorageError | Misconfigured):
        return _error(OAuthError("temporarily_unavailable"), *_LATER)
    # A tenant that nobody opened, or an argument that no caller should be able to get this far.
    return _error(OAuthError("invalid_request"))


@attrs.frozen
class Exchange(Generic[T]):
    """An operation to run, and how its result is answered: the two halves of serving a request."""

    operation: Operation[T]
    respond: Callable[[T], Response]

    def respond_to(self, tenant: Tenant) -> Response:
        """Run the operation and answer.

        Raises:
            ExtlinkError: whatever the operation raises.
        """
        return self.respond(tenant.run(self.operation))

    async def respond_to_async(self, tenant: AsyncTenant) -> Response:
        """Do as `respond_to` does, for a host on asyncio."""
        return self.respond(await tenant.run(self.operation))

    def run(self, tenant: Tenant) -> Response:
        """Run the operation and answer; what fails is answered as OAuth defines."""
        try:
            return self.respond_to(tenant)
        except ExtlinkError as error:
            return error_response(error)

    async def run_async(self, tenant: AsyncTenant) -> Response:
        """Do as `run` does, for a host on asyncio."""
        try:
            return await self.respond_to_async(tenant)
        except ExtlinkError as error:
            return error_response(error)


# The host's consent page as HTML: what is asked, and a form that sends `consent` and `answer` to `consent_path`.
Page = Callable[[Consent], str]
Asked = Exchange[Consent | Redirect | Refusal] | Exchange[Redirect | Refusal]
Answered = (
    Exchange[PushedRequest | Refusal]
    | Exchange[TokenSet | Refusal]
    | Exchange[Refusal | None]
    | Exchange[Introspection | Refusal]
)


class AuthorizationServer:
    """The endpoints of one tenant's authorization server, as values in and values out.

    Args:
        issuer: its identifier (RFC 8414); the metadata and every redirect name it.
        endpoint: the address under which the endpoints lie; the issuer's own by default.
        scopes: those that the metadata names.
        rate_limit: how often a client may fail; None: the host limits elsewhere.

    >>> server = AuthorizationServer("https://example.cybozu.com", endpoint="https://example.cybozu.com/oauth2")
    >>> request = Request(method="GET", path="/.well-known/oauth-authorization-server")
    >>> server.exchange(request).status
    200
    """

    def __init__(
        self,
        issuer: str,
        *,
        endpoint: str | None = None,
        scopes: Iterable[str] = (),
        rate_limit: RateLimit | None = None,
    ) -> None:
        self.issuer: str = parse_issuer(issuer)
        self.endpoint: str = (self.issuer if endpoint is None else parse_issuer(endpoint)).removesuffix("/")
        self._metadata = authorization_server_metadata(
            self.issuer,
            endpoint=self.endpoint,
            scopes=scopes,
            methods=("client_secret_basic", "client_secret_post", "private_key_jwt", "none"),
            algorithms=_ALGORITHMS,
        )
        self._rate_limit = rate_limit
        path = "/".join(["", *self.endpoint.split("/")[3:]]).removesuffix("/")
        self._clients: Mapping[str, Callable[[Parameters, ClientCredentials, str | None], Answered]] = {
            f"{path}/par": self._push,
            f"{path}/token": self._token,
            f"{path}/revoke": self._revoke,
            f"{path}/introspect": self._introspect,
        }

    def authorize(self, request: Request, *, session: str) -> Exchange[Consent | Redirect | Refusal] | Response:
        """Return what to run as the user who is logged in, for a request at the authorization endpoint.

        Show the page for a `Consent`; answer everything else with `respond`.

        Args:
            session: the host's own session of the user, to which the consent is bound.
        """
        if request.method not in {"GET", "HEAD", "POST"}:
            return Response(status=405, headers=(("Allow", "GET, HEAD, POST"),))
        try:
            parameters = _parameters(request)
        except OAuthError as error:
            return _page(error.status, error.error)
        operation = endpoints.authorize(parameters, issuer=self.issuer, session=session, address=request.address)
        return Exchange(operation, _sent_back)

    def answer(self, request: Request, *, session: str) -> Exchange[Redirect | Refusal] | Response:
        """Return what to run as the same user, for the form of the consent page.

        The form has `consent` (the token), `answer` (`accept` or `refuse`) and, where the user may narrow them, one
        `scope` field with the operations that are left; an empty one is refused, since it does not mean all of them.
        """
        if request.method != "POST":
            return Response(status=405, headers=(("Allow", "POST"),))
        try:
            form = read_form(request.body, request.header("content-type"))
            token, accepted, scopes = _consent_form(form)
        except OAuthError as error:
            return _page(error.status, error.error)
        if accepted:
            operation = endpoints.consent(
                token, issuer=self.issuer, session=session, scopes=scopes, address=request.address
            )
            return Exchange(operation, _sent_back)
        return Exchange(endpoints.decline(token, issuer=self.issuer, session=session), _sent_back)

    @property
    def authorization_path(self) -> str:
        """Where clients send the browser (RFC 6749 section 3.1)."""
        return self._path("authorize")

    @property
    def consent_path(self) -> str:
        """Where the form of the host's consent page goes."""
        return self._path("consent")

    def _path(self, name: str) -> str:
        return "/".join(["", *self.endpoint.split("/")[3:], name])

    @property
    def user_paths(self) -> frozenset[str]:
        """The paths that `serve_user` answers, for which somebody has to be logged in."""
        return frozenset({self.authorization_path, self.consent_path})

    def ask(self, request: Request, *, session: str, page: Page) -> Asked | Response:
        """Return what to run as the user who is logged in, or the answer where there is nothing to run.

        Args:
            session: the host's own session of the user, to which the consent is bound.
            page: the host's page, which escapes what it shows; it is sent with `CONSENT_HEADERS`.
        """
        if request.path == self.consent_path:
            return self.answer(request, session=session)
        if request.path != self.authorization_path:
            return Response(status=404)
        step = self.authorize(request, session=session)
        return step if isinstance(step, Response) else attrs.evolve(step, respond=partial(_shown, page))

    def serve_user(self, user: Tenant, request: Request, *, session: str, page: Page) -> Response:
        """Answer a request of the user who is logged in: the authorization endpoint, and the form of its page.

        Log the user in before: nobody is redirected who is not (RFC 9700 section 4.11.2). The arguments are `ask`'s.
        """
        try:
            step = self.ask(request, session=session, page=page)
            return step if isinstance(step, Response) else step.respond_to(user)
        except ExtlinkError as error:
            return _told(error)

    async def serve_user_async(self, user: AsyncTenant, request: Request, *, session: str, page: Page) -> Response:
        """Answer as `serve_user` does, for a host on asyncio."""
        try:
            step = self.ask(request, session=session, page=page)
            return step if isinstance(step, Response) else await step.respond_to_async(user)
        except ExtlinkError as error:
            return _told(error)

    def exchange(self, request: Request) -> Answered | Response:
        """Return what to run in the tenant for a request of a client, or the answer where there is nothing to run."""
        if request.path == self.metadata_path:
            return _metadata(request, self._metadata)
        serve = self._clients.get(request.path)
        if serve is None:
            return Response(status=404)
        if request.method != "POST":
            return Response(status=405, headers=(("Allow", "POST"),))
        try:
            form = read_form(request.body, request.header("content-type"))
            credentials = read_credentials(request.header("authorization"), form, read_query(request.query))
            limited = self._limited(credentials)
            return serve(form, credentials, request.address) if limited is None else limited
        except OAuthError as error:
            return _denied(error, request)
        except InvalidInput:
            return _error(OAuthError("invalid_request"))

    @property
    def metadata_path(self) -> str:
        """Where the metadata lies (RFC 8414 section 3)."""
        return metadata_path(self.issuer)

    def serve(self, tenant: Tenant, request: Request) -> Response:
        """Answer a request of a client: the token, revocation, introspection and metadata endpoints."""
        step = self.exchange(request)
        return step if isinstance(step, Response) else step.run(tenant)

    async def serve_async(self, tenant: AsyncTenant, request: Request) -> Response:
        """Answer as `serve` does, for a host on asyncio."""
        step = self.exchange(request)
        return step if isinstance(step, Response) else await step.run_async(tenant)

    def _limited(self, credentials: ClientCredentials) -> Response | None:
        if self._rate_limit is None or self._rate_limit.admits(_name_of(credentials)):
            return None
        members = {"error": "temporarily_unavailable", "error_description": "too many failed attempts"}
        return _json(429, members, (*_NO_STORE, ("Retry-After", "60")))

    def _answered(self, result: Refusal, credentials: ClientCredentials) -> Response:
        """Return the answer to a client that was refused, and count those who showed wrong credentials."""
        error = OAuthError(result.error)
        if result.error == "invalid_client" and self._rate_limit is not None:
            self._rate_limit.failed(_name_of(credentials))
        # RFC 6749 section 5.2: the scheme that the client used, where it used the header.
        by_header = credentials.method == "client_secret_basic" and result.error == "invalid_client"
        later = _LATER if error.status == _UNAVAILABLE else ()
        return _error(error, *(_BASIC if by_header else ()), *later)

    def _push(self, form: Parameters, credentials: ClientCredentials, address: str | None) -> Answered:
        def respond(result: PushedRequest | Refusal) -> Response:
            # 201, as something was made (RFC 9126 section 2.2).
            return (
                self._answered(result, credentials) if isinstance(result, Refusal) else _json(201, attrs.asdict(result))
            )

        return Exchange(endpoints.push(form, credentials, issuer=self.issuer, address=address), respond)

    def _token(self, form: Parameters, credentials: ClientCredentials, address: str | None) -> Answered:
        wanted = read_token_request(form)

        def respond(result: TokenSet | Refusal) -> Response:
            return (
                self._answered(result, credentials)
                if isinstance(result, Refusal)
                else _json(200, token_response(result))
            )

        return Exchange(endpoints.exchange(wanted, credentials, issuer=self.issuer, address=address), respond)

    def _revoke(self, form: Parameters, credentials: ClientCredentials, address: str | None) -> Answered:
        def respond(result: Refusal | None) -> Response:
            return Response(status=200, headers=_NO_STORE) if result is None else self._answered(result, credentials)

        # The hint is not looked at: a token says itself of which kind it is (RFC 7009 section 2.1).
        operation = endpoints.revoke(form.need("token"), credentials, issuer=self.issuer, address=address)
        return Exchange(operation, respond)

    def _introspect(self, form: Parameters, credentials: ClientCredentials, address: str | None) -> Answered:
        def respond(result: Introspection | Refusal) -> Response:
            return self._answered(result, credentials) if isinstance(result, Refusal) else _json(200, result.members)

        operation = endpoints.introspect(form.need("token"), credentials, issuer=self.issuer, address=address)
        return Exchange(operation, respond)


def _name_of(credentials: ClientCredentials) -> str:
    """Return whom failures are counted for: who the caller says it is, in an assertion too; of bounded length."""
    name = credentials.client_id
    if name is None and credentials.proof is not None:
        assertion = read_assertion(credentials.proof)
        name = None if assertion is None else assertion.client_id
    return name if name is not None and is_client_id(name) else ""


def _parameters(request: Request) -> Parameters:
    """Return the parameters of an authorization request (RFC 6749 section 3.1: GET, and POST with a form)."""
    if request.method == "POST":
        return read_form(request.body, request.header("content-type"))
    return read_query(request.query)


def _consent_form(form: Parameters) -> tuple[Secret, bool, str | None]:
    """Return the consent token, whether the user says yes, and the scopes that are left; None: all of them.

    Raises:
        OAuthError: a part is missing, there twice or malformed.
    """
    token, answer, scopes = form.need("consent"), form.need("answer"), read_scope(form)
    # A blank field is no field that was left out: who unticked everything did not agree to everything.
    if "scope" in form.empty or ("scope" in form.values and not scopes):
        raise OAuthError("invalid_scope", "scope is empty; refuse where nothing is left")
    return Secret(token), answer == "accept", " ".join(sorted(scopes)) or None


def _metadata(request: Request, members: Mapping[str, object]) -> Response:
    if request.method not in {"GET", "HEAD"}:
        return Response(status=405, headers=(("Allow", "GET, HEAD"),))
    # Public, and the same for everybody (RFC 8414 section 3.2); browsers' clients read it too.
    return _json(200, members, (("Cache-Control", "public, max-age=3600"), ("Access-Control-Allow-Origin", "*")))


def _denied(error: OAuthError, request: Request) -> Response:
    """Return the answer to a request whose message is wrong; a client that tried the header is told its scheme."""
    tried = error.error == "invalid_client" and any(name == "authorization" for name, _ in request.headers)
    return _error(error, *(_BASIC if tried else ()))


def _sent_back(result: Consent | Redirect | Refusal) -> Response:
    """Return the redirect to the client, or what the user is told where there is none."""
    if isinstance(result, Redirect):
        # 303, so that no browser sends the form on to the client (RFC 9700 section 4.12).
        return Response(status=303, headers=(("Location", result.location.reveal()), *CONSENT_HEADERS))
    if isinstance(result, Refusal):
        return _page(400, result.error)
    raise InvalidInput("result", "expected the host to show the page of a consent, and to respond to anything else")


def _shown(page: Page, result: Consent | Redirect | Refusal) -> Response:
    """Return the host's page for a consent, with the headers that protect it, and the answer to anything else."""
    if not isinstance(result, Consent):
        return _sent_back(result)
    headers = (("Content-Type", "text/html;charset=UTF-8"), *CONSENT_HEADERS)
    return Response(status=200, headers=headers, body=page(result).encode())


def _told(error: ExtlinkError) -> Response:
    """Return what a user is told for whom something failed: a store that cannot answer is no fault of the service."""
    return _page(503, "temporarily_unavailable") if isinstance(error, StorageError) else _page(400, "invalid_request")


def _page(status: int, error: str) -> Response:
    """Return what a host without a page of its own shows a user; it repeats nothing that came in."""
    text = f"The request of the service is not valid ({error}). Ask the administrator of the service."
    return Response(
        status=status, headers=(("Content-Type", "text/plain;charset=UTF-8"), *CONSENT_HEADERS), body=text.encode()
    )
