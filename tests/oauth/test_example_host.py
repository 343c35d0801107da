"""The example host itself: who is not logged in, what is malformed, and what it prints."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.hosts import CHALLENGE, VERIFIER
from tests.oauth.loopback import REDIRECT, SCOPES, Deployment, deployment


@pytest.fixture(scope="module")
def host() -> Generator[Deployment]:
    """Run the host."""
    with deployment() as running:
        yield running


def asking(client: str) -> str:
    """Return the address that a client sends the browser to, without its host."""
    asked = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": REDIRECT,
        "scope": " ".join(SCOPES),
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"/oauth2/authorize?{urlencode(asked)}"


def raw(host: Deployment, *lines: str) -> str:
    """Send lines as they are, and return the answer's first."""
    address = urlsplit(host.issuer)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "Host: h", "Connection: close", "", ""]).encode())
        with connection.makefile("rb") as answer:
            return answer.readline().decode().strip()


@pytest.mark.parametrize("cookie", [{}, {"Cookie": "session="}, {"Cookie": "session=nobody"}, {"Cookie": "x"}])
def test_nobody_is_asked_or_redirected_before_logging_in(host: Deployment, cookie: dict[str, str]) -> None:
    """RFC 9700 section 4.11.2: also where the request is wrong, nothing goes to the client."""
    client = host.register("client_secret_post", pkce=True)

    for path in (asking(client.id), asking(client.id) + "&response_type=token"):
        status, headers, body = host.host.send(host.issuer, path, None, **cookie)
        assert (401, b"") == (status, body)
        assert "Location" not in headers


def test_what_is_malformed_is_answered(host: Deployment) -> None:
    """A length that is none, a body that is no form and a path that leads nowhere: never a 500."""
    typed = "Content-Type: application/x-www-form-urlencoded"

    assert "401" in raw(host, "POST /oauth2/token HTTP/1.1", typed, "Content-Length: abc")
    assert "401" in raw(host, "POST /oauth2/token HTTP/1.1", typed, "Content-Length: -5")
    assert "400" in raw(host, "POST /oauth2/token HTTP/1.1", "Content-Type: application/json", "Content-Length: 0")
    assert "404" in raw(host, "GET /nothing HTTP/1.1")
    assert "405" in raw(host, "GET /oauth2/token HTTP/1.1")


def test_the_resource_tells_its_server(host: Deployment) -> None:
    """RFC 9728: from the API's challenge to its metadata, and from there to the server's."""
    status, headers, _ = host.host.send(host.issuer, "/api/records")
    assert 401 == status
    address = headers["WWW-Authenticate"].partition('resource_metadata="')[2].rstrip('"')

    resource = json.loads(host.host.send(host.issuer, urlsplit(address).path)[2])

    assert f"{host.issuer}/api" == resource["resource"]
    assert [host.issuer] == resource["authorization_servers"]
    server = json.loads(host.host.send(host.issuer, "/.well-known/oauth-authorization-server")[2])
    assert host.issuer == server["issuer"]


def test_nothing_of_a_cycle_is_printed(host: Deployment, capfd: pytest.CaptureFixture[str]) -> None:
    """A code, a token and a secret go by, and no line of the host's output has one."""
    client = host.register("client_secret_post", pkce=True)
    me = {"client_id": client.id, "client_secret": client.secret}
    (code,) = parse_qs(urlsplit(host.agree(host.issuer + asking(client.id))).query)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    tokens = json.loads(host.host.send(host.issuer, "/oauth2/token", {**form, **me})[2])

    assert 200 == host.call(tokens["access_token"])
    assert ("", "") == capfd.readouterr()
