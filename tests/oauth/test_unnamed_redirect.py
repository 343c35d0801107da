"""A client that leaves the redirect URI out of its authorization request need not send it with the code (RFC 6749)."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from extlink import ExtLink, InMemoryDirectory, catalog, clients, grants, services
from extlink.clients import ClientProfile
from extlink.domain.client_registration import ClientRegistration
from extlink.http import AuthorizationServer, Request
from extlink.runtime import Tenant

REDIRECT = "https://global.consent.azure-apim.net/redirect"
SERVER = AuthorizationServer("https://acme.cybozu.com", endpoint="https://acme.cybozu.com/oauth2")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def registered() -> tuple[Tenant, ClientRegistration, str]:
    """Return a tenant with a client that sends no code challenge and has one redirect URI, and its secret."""
    people = InMemoryDirectory()
    people.add_user("sato", products={"kintone"})
    tenant = ExtLink.in_memory(directory=people).open_tenant("acme", edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin-1", roles={"common_administrator"})
    admin.run(services.register(catalog.POWER_AUTOMATE))
    admin.run(services.enable("power-automate"))
    admin.run(grants.allow("power-automate", users=["sato"]))
    profile = ClientProfile(
        service="power-automate",
        name="Power Automate",
        redirect_uris=[REDIRECT],
        pkce="waived_for_confidential_client",
    )
    made = admin.run(clients.register(profile))
    assert made.secret is not None
    return tenant, made.client, made.secret.reveal()


@pytest.mark.parametrize(
    ("named", "sent", "status"),
    [
        (None, None, 200),
        (None, REDIRECT, 200),
        (None, REDIRECT + "/other", 400),
        (REDIRECT, REDIRECT, 200),
        (REDIRECT, None, 400),
    ],
)
def test_what_was_named_is_repeated(named: str | None, sent: str | None, status: int) -> None:
    """The token request repeats what the authorization request named, and need not say what that left out (4.1.3)."""
    tenant, client, secret = registered()
    asked = {"response_type": "code", "client_id": client.id, "scope": "k:app_record:read", "redirect_uri": named}
    query = urlencode({name: value for name, value in asked.items() if value})
    sato = tenant.acting_as("sato")
    shown = SERVER.serve_user(
        sato,
        Request(method="GET", path="/oauth2/authorize", query=query),
        session="s1",
        page=lambda consent: consent.token.reveal(),
    )
    body = urlencode({"consent": shown.body.decode(), "answer": "accept"}).encode()
    agreed = SERVER.serve_user(
        sato,
        Request(method="POST", path="/oauth2/consent", headers=[FORM], body=body),
        session="s1",
        page=lambda _consent: "",
    )
    (code,) = parse_qs(urlsplit(dict(agreed.headers)["Location"]).query)["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client.id,
        "client_secret": secret,
        "redirect_uri": sent,
    }
    sending = urlencode({name: value for name, value in form.items() if value}).encode()
    answer = SERVER.serve(tenant, Request(method="POST", path="/oauth2/token", headers=[FORM], body=sending))

    assert status == answer.status
    assert ("access_token" if status == 200 else "error") in json.loads(answer.body)
