"""Every published OAuth setting of Power Platform's connectors runs against the endpoints as it renders.

The client is what an administrator registers for Power Automate: it keeps a secret, sends no code challenge, and may
repeat the scope of its first request on every refresh.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, quote_plus, urlencode

import attrs
import pytest

from extlink import ExtLink, InMemoryDirectory, clients, grants, services
from extlink.clients import ClientProfile
from extlink.domain.client_registration import RefreshScope
from extlink.domain.identifier import Scope
from extlink.domain.localized import LocalizedText
from extlink.domain.service import ScopeDefinition, Service
from extlink.http import AuthorizationServer, Request, Response
from extlink.runtime import Tenant
from tests.fakes import FrozenClock
from tests.oauth.power_platform import Setting, render, settings

SERVER = AuthorizationServer("https://acme.cybozu.com", endpoint="https://acme.cybozu.com/oauth2")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
# As long and as strange as Power Platform's, which is hundreds of characters of base64.
STATE = "eyJ0IjoiYSJ9+/ " + "aGVsbG8/+=" * 40
DEFAULT = "records"
Encoder = Callable[[str], str]


@attrs.frozen(kw_only=True)
class Connection:
    """One connector's connection: what it knows, and how it writes it."""

    setting: Setting
    tenant: Tenant
    encode: Encoder
    values: dict[str, str]

    def authorize(self, scope: str = "") -> dict[str, str]:
        """Send the browser, let the user agree - to one scope alone, if named - and return what the client gets."""
        asked = Request(method="GET", path="/oauth2/authorize", query=self._render(self.setting.authorize))
        answer = self._as_user(asked)
        if answer.status == 200:
            narrowed = {"scope": scope} if scope else {}
            form = urlencode({"consent": answer.body.decode(), "answer": "accept", **narrowed}).encode()
            answer = self._as_user(Request(method="POST", path="/oauth2/consent", headers=[FORM], body=form))
        assert answer.status == 303, (self.setting.path, answer.body)
        location = dict(answer.headers)["Location"]
        assert location.startswith(self.setting.redirect_uri)
        joint = "&" if "?" in self.setting.redirect_uri else "?"
        return {
            name: one for name, (one,) in parse_qs(location.removeprefix(self.setting.redirect_uri + joint)).items()
        }

    def _as_user(self, request: Request) -> Response:
        sato = self.tenant.acting_as("sato")
        return SERVER.serve_user(sato, request, session="s1", page=lambda consent: consent.token.reveal())

    def _render(self, template: str) -> str:
        return render(template, self.values, self.encode)

    def post(self, body: str, query: str, *headers: tuple[str, str]) -> tuple[int, dict[str, object]]:
        """Post a rendered body to the token endpoint."""
        request = Request(
            method="POST",
            path="/oauth2/token",
            query=self._render(query),
            headers=[FORM, *headers],
            body=self._render(body).encode(),
        )
        answer = SERVER.serve(self.tenant, request)
        return answer.status, json.loads(answer.body)

    def is_alive(self, token: object) -> bool:
        """Ask about a token."""
        body = f"token={token}&client_id={self.values['id']}&client_secret={self.values['secret']}".encode()
        request = Request(method="POST", path="/oauth2/introspect", headers=[FORM], body=body)
        return bool(json.loads(SERVER.serve(self.tenant, request).body)["active"])


def connect(
    setting: Setting, encode: Encoder = quote, refresh_scope: RefreshScope = "intersect_with_granted"
) -> Connection:
    """Register a service with the setting's scopes, and a client as the setting needs it."""
    scopes = setting.scopes.split() or [DEFAULT]
    people = InMemoryDirectory()
    people.add_user("sato", products={"kintone"})
    tenant = ExtLink.in_memory(directory=people, clock=FrozenClock()).open_tenant(
        "acme", edition="JP", products={"kintone"}
    )
    admin = tenant.acting_as("admin-1", roles={"common_administrator"})
    service = Service(
        id="connector",
        names=LocalizedText.same(setting.path),
        descriptions=LocalizedText.same(setting.path),
        directions={"inbound"},
        products={"kintone"},
        scopes=[
            ScopeDefinition(name=Scope(one), labels=LocalizedText.same(one), product="kintone", direction="read")
            for one in dict.fromkeys(scopes)
        ],
    )
    admin.run(services.register(service))
    admin.run(services.enable("connector"))
    admin.run(grants.allow("connector", users=["sato"]))
    profile = ClientProfile(
        service="connector",
        name=setting.path[:100],
        pkce="waived_for_confidential_client",
        redirect_uris=[setting.redirect_uri],
        default_scopes=scopes,
        refresh_scope=refresh_scope,
    )
    made = admin.run(clients.register(profile))
    assert made.secret is not None
    values = {
        "id": made.client.id,
        "secret": made.secret.reveal(),
        "redirecturl": setting.redirect_uri,
        "scopes": setting.scopes,
        "state": STATE,
    }
    return Connection(setting=setting, tenant=tenant, encode=encode, values=values)


def basic(values: dict[str, str]) -> tuple[str, str]:
    """Return the header that shows id and secret."""
    return "Authorization", "Basic " + base64.b64encode(f"{values['id']}:{values['secret']}".encode()).decode()


def redeem(connection: Connection, scope: str = "") -> dict[str, object]:
    """Go through authorization and token request, and return the tokens."""
    back = connection.authorize(scope)
    assert (STATE, SERVER.issuer) == (back["state"], back["iss"])
    connection.values["code"] = back["code"]
    status, tokens = connection.post(connection.setting.token, connection.setting.token_query)
    assert status == 200, (connection.setting.path, tokens)
    connection.values["refreshtoken"] = str(tokens["refresh_token"])
    return tokens


def test_what_the_settings_are(realdata: Path) -> None:
    """Of the 151 settings, 147 are well-formed; the four others are named, so that none is left out unseen."""
    found = list(settings(realdata))

    assert {
        "well-formed": 147,
        "authorize: request": 1,
        "refresh: authorization_code": 2,
        "token: another grant": 1,
    } == Counter(one.kind for one in found)
    assert 151 == len(found)


@pytest.mark.parametrize("encode", [lambda text: quote(text, safe=""), quote_plus], ids=["percent", "plus"])
def test_every_well_formed_setting_runs(realdata: Path, encode: Encoder) -> None:
    """Authorize, token and refresh as rendered: the state comes back, the scope too, and a repeated refresh is one."""
    tried = 0
    for setting in settings(realdata):
        if setting.kind != "well-formed":
            continue
        connection = connect(setting, encode)
        first = redeem(connection)
        asked = set(setting.scopes.split()) or {DEFAULT}
        assert asked == set(str(first["scope"]).split()), setting.path

        # Several flows refresh one connection at once: each gets the same tokens.
        answers = [connection.post(setting.refresh, setting.refresh_query) for _ in range(2)]
        assert answers[0] == answers[1], setting.path
        status, second = answers[0]
        assert (200, asked) == (status, set(str(second.get("scope", "")).split())), (setting.path, second)
        if setting.plain:
            # The default refresh of the kind oauth2 may show id and secret in the header alone.
            connection.values["refreshtoken"] = str(second["refresh_token"])
            body = re.sub(r"&client_(id|secret)=\{[A-Za-z]+\}", "", setting.refresh)
            status, second = connection.post(body, setting.refresh_query, basic(connection.values))
            assert status == 200, (setting.path, second)
        assert connection.is_alive(second["access_token"]), setting.path
        tried += 1
    assert tried == 147


def test_the_original_scope_is_sent_back_after_the_user_narrowed_it(realdata: Path) -> None:
    """Those that repeat their first scope on refresh get what was granted by the named option, and no more."""
    repeating = [
        setting
        for setting in settings(realdata)
        if setting.kind == "well-formed" and "scope=" in setting.refresh and len(set(setting.scopes.split())) > 1
    ]
    for setting in repeating:
        granted = setting.scopes.split()[0]
        connection = connect(setting)
        redeem(connection, granted)
        status, answer = connection.post(setting.refresh, setting.refresh_query)
        assert (200, granted) == (status, answer.get("scope")), setting.path

        strict = connect(setting, refresh_scope="strict")
        redeem(strict, granted)
        status, answer = strict.post(setting.refresh, setting.refresh_query)
        assert (400, "invalid_scope") == (status, answer["error"]), setting.path
    assert repeating


def test_a_refresh_that_redeems_the_code_again_gets_a_clean_error(realdata: Path) -> None:
    """Two settings refresh with the used code: `invalid_grant`, and the replay ends the link (RFC 9700 4.2.4)."""
    for setting in settings(realdata):
        if setting.kind == "refresh: authorization_code":
            connection = connect(setting)
            tokens = redeem(connection)

            status, answer = connection.post(setting.refresh, setting.refresh_query)

            assert (400, {"error": "invalid_grant"}) == (status, answer)
            assert not connection.is_alive(tokens["access_token"])


def test_another_grant_gets_a_clean_error(realdata: Path) -> None:
    """One setting asks for client_credentials at token and refresh: `unsupported_grant_type`, and nothing is spent."""
    (setting,) = (one for one in settings(realdata) if one.kind == "token: another grant")
    connection = connect(setting)
    connection.values["code"] = connection.authorize()["code"]

    for body, query in ((setting.token, setting.token_query), (setting.refresh, setting.refresh_query)):
        status, answer = connection.post(body, query)
        assert (400, "unsupported_grant_type") == (status, answer["error"])

    proper = setting.token.replace("client_credentials", "authorization_code")
    assert 200 == connection.post(proper, setting.token_query)[0]


def test_a_request_object_is_refused_by_redirect(realdata: Path) -> None:
    """One vendor's address has a parameter called `request`, which RFC 9101 has taken: the client is told."""
    (setting,) = (one for one in settings(realdata) if one.kind == "authorize: request")

    back = connect(setting).authorize()

    assert ("invalid_request", STATE) == (back["error"], back["state"])
