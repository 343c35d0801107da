# A host in plain WSGI that mounts the OAuth endpoints and an API, on a loopback address. Run as a program, it plays the
# user's browser and a client too, from registration to revocation, and ends by itself.
import base64
import hashlib
import html
import json
import secrets
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

from extlink import ExtLink, InMemoryDirectory, catalog, clients, grants, services
from extlink.adapters.limits import FailureLimit
from extlink.clients import ClientProfile
from extlink.domain.consent import Consent
from extlink.http import AuthorizationServer, Request, Response
from extlink.protected_resource import ProtectedResource
from extlink.runtime import Tenant

# The host's own business: who is logged in. Here a table; in earnest the framework's sessions.
SESSIONS = {"cookie-of-sato": "sato"}
SCOPE = "k:app_record:read"
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., object]], Iterable[bytes]]


def read(environ: Environ) -> Request:
    """The request as it came. Behind a proxy of yours, `address` is what *that* proxy reports, and no other header."""
    length = environ.get("CONTENT_LENGTH") or ""
    headers = [(name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")]
    return Request(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"],
        query=environ["QUERY_STRING"],
        headers=[*headers, ("Content-Type", environ.get("CONTENT_TYPE", ""))],
        body=environ["wsgi.input"].read(min(int(length[:9]), 65_537) if length.isdecimal() else 0),
        address=environ["REMOTE_ADDR"],
    )


def page(consent: Consent) -> str:
    """The consent page: who asks, for what, for how long. Everything shown is escaped."""
    boxes = "".join(f"<li>{html.escape(operation.labels.ja)}</li>" for operation in consent.operations)
    return (
        f"<!doctype html><title>外部連携</title><h1>{html.escape(consent.client_name)}</h1>"
        f"<ul>{boxes}</ul><p>{consent.lifetime // 86_400}日間</p><form method=post action=/oauth2/consent>"
        f'<input type=hidden name=consent value="{html.escape(consent.token.reveal())}">'
        "<button name=answer value=accept>許可</button><button name=answer value=refuse>拒否</button></form>"
    )


def signed_in(request: Request) -> tuple[str, str | None]:
    """The session that the browser's cookie names, and the user who is logged in there."""
    session = (request.header("cookie") or "").removeprefix("session=")
    return session, SESSIONS.get(session)


def records(tenant: Tenant, api: ProtectedResource, request: Request) -> Response:
    """An endpoint of the API: nothing is done unless the call is admitted, and then for the user it acts for."""
    admitted = api.admit(tenant, request, scope=SCOPE)
    if isinstance(admitted, Response):
        return admitted
    body = json.dumps({"records_of": admitted.user}).encode()
    return Response(status=200, headers=(("Content-Type", "application/json"),), body=body)


def mount(tenant: Tenant, server: AuthorizationServer, api: ProtectedResource) -> Application:
    def application(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        request = read(environ)
        session, user = signed_in(request)
        if request.path == "/api/records":
            answer = records(tenant, api, request)
        elif request.path not in server.user_paths:
            answer = api.metadata(request) or server.serve(tenant, request)
        elif user is None:
            answer = Response(status=401)  # in earnest the login page, which comes back to the same address
        else:
            answer = server.serve_user(tenant.acting_as(user), request, session=session, page=page)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(answer.headers))
        return [answer.body]

    return application


class Quiet(WSGIRequestHandler):
    """No access log: the addresses of authorization requests hold what the client keeps to itself."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
        pass


@contextmanager
def running(tenant: Tenant, scopes: Iterable[str] = (SCOPE,)) -> Generator[str]:
    """Serve on a free port of the loopback interface, and yield the issuer."""
    with make_server("127.0.0.1", 0, lambda _environ, _start: [], handler_class=Quiet) as httpd:
        issuer = f"http://127.0.0.1:{httpd.server_port}"
        server = AuthorizationServer(
            issuer, endpoint=f"{issuer}/oauth2", scopes=scopes, rate_limit=FailureLimit(failures=20, seconds=60)
        )
        httpd.set_app(mount(tenant, server, ProtectedResource(resource=f"{issuer}/api", issuer=issuer, scopes=scopes)))
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield issuer
        finally:
            httpd.shutdown()
            thread.join()


def send(
    issuer: str, path: str, form: dict[str, str] | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Send a request as browsers and clients do, and follow nothing."""
    connection = HTTPConnection(urlsplit(issuer).netloc, timeout=10)
    body = None if form is None else urlencode(form)
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("GET" if body is None else "POST", path, body, headers)
    answer = connection.getresponse()
    result = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return result


def agree(issuer: str, address: str, cookie: str = "session=cookie-of-sato", answer: str = "accept") -> str:
    """Do what the user does in the browser, and return where the browser is sent: the client's redirect URI."""
    parts = urlsplit(address)
    _, headers, shown = send(issuer, f"{parts.path}?{parts.query}", Cookie=cookie)
    if "Location" not in headers:
        token = shown.decode().partition('name=consent value="')[2].partition('"')[0]
        _, headers, _ = send(issuer, "/oauth2/consent", {"consent": token, "answer": answer}, Cookie=cookie)
    return headers["Location"]


def main() -> None:
    people = InMemoryDirectory()
    people.add_user("sato", products={"kintone"})
    tenant = ExtLink.in_memory(directory=people).open_tenant("acme", edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin-1", roles={"common_administrator"})
    admin.run(services.register(catalog.POWER_AUTOMATE))
    admin.run(services.enable("power-automate"))
    admin.run(grants.allow("power-automate", users=["sato"]))
    redirect = "https://client.example/cb"
    registered = admin.run(
        clients.register(
            ClientProfile(
                service="power-automate", name="Flow", redirect_uris=[redirect], methods=["client_secret_post"]
            )
        )
    )
    if registered.secret is None:
        sys.exit("a confidential client has a secret")
    me = {"client_id": registered.client.id, "client_secret": registered.secret.reveal()}
    with running(tenant) as issuer:
        found = json.loads(send(issuer, "/.well-known/oauth-authorization-server")[2])
        token_endpoint = urlsplit(str(found["token_endpoint"])).path
        revocation_endpoint = urlsplit(str(found["revocation_endpoint"])).path
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": me["client_id"],
            "redirect_uri": redirect,
            "scope": SCOPE,
            "state": "s1",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        back = dict(parse_qsl(urlsplit(agree(issuer, f"{found['authorization_endpoint']}?{urlencode(asked)}")).query))
        print("Sato agreed:", sorted(back))
        code = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": redirect}
        tokens = json.loads(send(issuer, token_endpoint, {**code, **me, "code_verifier": verifier})[2])
        print("tokens:", tokens["token_type"], tokens["expires_in"], tokens["scope"])
        status, _, body = send(issuer, "/api/records", Authorization=f"Bearer {tokens['access_token']}")
        print("the API answers:", status, body.decode())
        again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **me}
        tokens = json.loads(send(issuer, token_endpoint, again)[2])
        status, _, _ = send(issuer, revocation_endpoint, {"token": tokens["refresh_token"], **me})
        print("revoked:", status)
        status, headers, _ = send(issuer, "/api/records", Authorization=f"Bearer {tokens['access_token']}")
        print("the API answers:", status, headers["WWW-Authenticate"].replace(issuer, "https://host"))


if __name__ == "__main__":
    main()
