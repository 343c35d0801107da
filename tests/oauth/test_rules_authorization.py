"""The rules of the authorization endpoint, each test named by the requirements it keeps (requirements.toml)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import attrs
import pytest

from extlink import clients, links, services
from extlink.domain.client_registration import ClientProfile
from extlink.domain.consent import Consent
from extlink.endpoints import Redirect
from extlink.errors import InvalidInput, OAuthError
from extlink.http import CONSENT_HEADERS, Exchange, Request, Response
from extlink.oauth.authorization import redirection
from tests.hosts import CHALLENGE, REDIRECT, SCOPES, SERVICE
from tests.oauth.kit import FORM, ISSUER, SESSION, Site, error, members, rule, sent, swap

CONSENT = "extlink.endpoint_consent."
WAIVED: Any = "waived_for_confidential_client"
# What looks like the registered address to somebody who compares less than everything.
NEARLY = (
    f"{REDIRECT}/",
    f"{REDIRECT}?x=1",
    f"{REDIRECT}#x",
    f"{REDIRECT}/../redirect",
    REDIRECT.replace("global", "Global"),
    REDIRECT.replace("https", "http"),
    REDIRECT.replace("https://", "https://user@"),
    REDIRECT.replace(".net/", ".net:443/"),
    REDIRECT.replace("/redirect", "/%72edirect"),
    REDIRECT.replace("azure-apim.net", "azure-apim.net.attacker.test"),
    "https://attacker.test/cb",
    f"{REDIRECT} ",
    "//attacker.test",
    "http://127.0.0.1:80@attacker.test/cb",
)


@rule(
    "BCP-2.1-1",
    "BCP-4.1.3-1",
    "BCP-2.1-2",
    "BCP-4.11.2-1",
    "BCP-4.11.2-3",
    "O21-2.3.1-1",
    "O21-2.3.5-1",
    "O21-7.14-1",
    "ASVS-10.4.1",
    "6749-4.1.2.1",
    without=swap(CONSENT + "match_redirect_uri", lambda registered, asked: asked or registered[0]),
)
def test_no_answer_goes_to_an_address_that_is_not_registered(rule_id: str) -> None:
    """Redirect URIs are compared character by character; a near one is told to the user and never followed."""
    site = Site.make()

    for uri in NEARLY:
        response = site.untold(site.query(redirect_uri=uri))
        assert uri.encode() not in response.body
    assert isinstance(site.authorize(site.query()), Consent)


@rule("BCP-4.11.2-1", "O21-2.3.5-1", "6749-4.1.2.1")
def test_a_client_that_is_none_is_told_to_the_user(rule_id: str) -> None:
    """Without a known client there is nobody to redirect to."""
    site = Site.make()

    for client in ("nobody", "x" * 5_000, "鍵" * 100, "\x01", site.client.upper() + "x"):
        site.untold(site.query(client_id=client))
    site.untold(site.query(client_id=None))
    site.untold(site.query() + "&client_id=another")
    site.untold(site.query() + "&redirect_uri=https%3A%2F%2Fattacker.test")


@rule(
    "O21-2.3.2-1",
    "6749-3.1.2.3",
    "6749-4.1.1",
    without=swap(CONSENT + "match_redirect_uri", lambda registered, asked: asked or registered[0]),
)
def test_only_a_single_registered_address_may_be_left_out(rule_id: str) -> None:
    """One redirect URI: the parameter is optional; several: it is required; none: there is nowhere to go."""
    one, several = Site.make(), Site.make(redirect_uris=[REDIRECT, "https://client.example/cb"])

    assert one.asked(redirect_uri=None).request.redirect_uri == REDIRECT
    several.untold(several.query(redirect_uri=None))
    none = Site.make(redirect_uris=[])
    none.untold(none.query(redirect_uri=None))


@rule("BCP-2.6-3", "O21-1.5-1", "O21-2.3-1", without=swap("extlink.domain.client_registration.parse_redirect_uri", str))
def test_what_can_be_a_redirect_address(rule_id: str) -> None:
    """Absolute, https or http on a loopback address, no fragment, no user information, no scheme of an app."""
    bad = (
        "http://client.example/cb",
        "http://localhost/cb",
        "https://client.example/cb#x",
        "https://user@client.example/cb",
        "/cb",
        "myapp:/cb",
        "javascript:alert(1)",
        "https://client.example/a b",
        "https://client.example/a\r\nSet-Cookie: x",
        "https://",
    )
    for uri in bad:
        with pytest.raises(InvalidInput):
            ClientProfile(service=SERVICE, name="n", redirect_uris=[uri])
    ClientProfile(service=SERVICE, name="n", redirect_uris=["http://127.0.0.1/cb", "http://[::1]:8080/cb"])


@rule("BCP-2.1-1")
def test_the_port_of_a_loopback_address_alone_may_differ(rule_id: str) -> None:
    """RFC 8252: an app listens on whatever port it was given; host and path stay."""
    site = Site.make(redirect_uris=["http://127.0.0.1/cb"])

    assert "http://127.0.0.1:51004/cb" == site.asked(redirect_uri="http://127.0.0.1:51004/cb").request.redirect_uri
    for uri in (
        "http://127.0.0.1:51004/other",
        "http://localhost:51004/cb",
        "http://[::1]:51004/cb",
        "http://127.0.0.1:x/cb",
    ):
        site.untold(site.query(redirect_uri=uri))


@rule(
    "O21-2.3-1",
    without=swap(CONSENT + "redirection", lambda uri, said: redirection(uri.partition("?")[0], said)),
)
def test_the_query_of_a_redirect_address_is_kept(rule_id: str) -> None:
    """A registered query goes on as it is; the answer is added to it."""
    uri = "https://client.example/cb?tenant=7"
    site = Site.make(redirect_uris=[uri])
    response = site.answer(site.asked(redirect_uri=uri))

    assert dict(response.headers)["Location"].startswith(f"{uri}&code=")


@rule("BCP-4.1.3-3")
def test_no_answer_carries_a_fragment(rule_id: str) -> None:
    """Nothing is appended that a browser would keep: a fragment cannot be registered, and none is made."""
    site = Site.make()

    assert "#" not in dict(site.answer(site.asked()).headers)["Location"]


@rule(
    "BCP-2.1-5",
    "BCP-4.12-1",
    "O21-1.6-1",
    without=swap("extlink.http.Response", lambda **fields: Response(**{**fields, "status": 307})),
)
def test_a_redirect_is_303(rule_id: str) -> None:
    """No browser sends the form of the consent page, or whatever it holds, on to the client."""
    site = Site.make()

    assert 303 == site.answer(site.asked()).status
    assert 303 == site.answer(site.asked(), answer="refuse").status
    assert "invalid_scope" == site.told(scope="nope")["error"]


@rule(
    "BCP-4.2.4-1",
    "BCP-4.16-1",
    "ASVS-14.2.1",
    without=swap("extlink.http.CONSENT_HEADERS", ()),
)
def test_the_host_is_given_the_headers_of_its_pages(rule_id: str) -> None:
    """No frame, no referrer, no cache: on every answer of the endpoint, and as a constant for the host's own page."""
    site = Site.make()
    wanted = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "frame-ancestors 'none'",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
    }

    for response in (site.answer(site.asked()), site.untold(site.query(client_id="nobody"))):
        assert wanted.items() <= dict(response.headers).items()
    assert wanted.items() <= dict(CONSENT_HEADERS).items()


@rule("BCP-2.6-4", "O21-3.1-1")
def test_no_script_of_another_site_reads_the_authorization_endpoint(rule_id: str) -> None:
    """No CORS header is on any of its answers."""
    site = Site.make()

    for response in (site.answer(site.asked()), site.untold(site.query(client_id="x"))):
        assert [] == [name for name, _ in response.headers if name.lower().startswith("access-control")]


@rule(
    "O21-3.1-1",
    without=swap("extlink.http._parameters", lambda request: (_ for _ in ()).throw(OAuthError("invalid_request"))),
)
def test_get_and_post_are_served_and_nothing_else(rule_id: str) -> None:
    """GET with a query, POST with a form; unknown parameters are ignored, empty ones as good as none."""
    site = Site.make()
    extras = "&prompt=consent&access_type=offline&smallDisplay=Y&acr_values=&resource="
    assert isinstance(site.authorize(site.query() + extras), Consent)
    post = Request(method="POST", path="/oauth2/authorize", headers=[FORM], body=site.query().encode())
    step = site.server.authorize(post, session=SESSION)
    assert isinstance(step, Exchange)
    assert isinstance(site.host.user().run(step.operation), Consent)
    refused = site.server.authorize(attrs.evolve(post, method="PUT"), session=SESSION)
    assert isinstance(refused, Response)
    assert 405 == refused.status


@rule("O21-3.1-1", "O21-7.14-1")
@pytest.mark.parametrize("name", ["response_type", "scope", "state", "code_challenge", "code_challenge_method"])
def test_a_parameter_given_twice_is_an_error(rule_id: str, name: str) -> None:
    """Two readers could take two different ones."""
    site = Site.make()
    request = Request(method="GET", path="/oauth2/authorize", query=site.query() + f"&{name}=x")
    step = site.server.authorize(request, session=SESSION)
    assert isinstance(step, Exchange)

    assert "invalid_request" == sent(step.run(site.host.user()))["error"]


@rule("O21-1.8")
def test_names_and_values_are_case_sensitive(rule_id: str) -> None:
    """`Client_ID` is another parameter than `client_id`, and `CODE` another value than `code`."""
    site = Site.make()

    site.untold(site.query(client_id=None, Client_ID=site.client))
    assert "unsupported_response_type" == site.told(response_type="CODE")["error"]
    assert "invalid_request" == site.told(code_challenge_method="s256")["error"]
    assert "invalid_scope" == site.told(scope=SCOPES[0].upper())["error"]


@rule(
    "BCP-2.1.2-1",
    "ASVS-10.4.4",
    "O21-4.1.1-1",
    without=swap(
        CONSENT + "read_authorization",
        lambda found: type("A", (), {"scopes": frozenset([SCOPES[0]]), "code_challenge": CHALLENGE, "resources": ()})(),
    ),
)
def test_there_is_no_implicit_grant(rule_id: str) -> None:
    """`response_type=token`, and whatever is not `code`, is unsupported; a missing one is an error; both are told."""
    site = Site.make()

    for kind in ("token", "id_token", "code token", "code id_token", "none"):
        assert "unsupported_response_type" == site.told(response_type=kind)["error"]
    assert "invalid_request" == site.told(response_type=None)["error"]


@rule("O21-4.1.2.1-1", without=swap("extlink.oauth.authorization._challenge", lambda found: None))
def test_what_is_wrong_is_told_by_its_code(rule_id: str) -> None:
    """Each cause has the error of the RFC: request, response type, scope, target, and the user's or the gates' no."""
    site = Site.make()

    assert "invalid_request" == site.told(code_challenge_method="plain")["error"]
    assert "invalid_scope" == site.told(scope="k:nothing")["error"]
    assert "invalid_target" == site.told(resource="https://elsewhere.example")["error"]
    assert "access_denied" == sent(site.answer(site.asked(), answer="refuse"))["error"]
    site.host.admin.run(services.disable(SERVICE))
    assert "access_denied" == site.told()["error"]


@rule(
    "BCP-2.1.1-5",
    "O21-4.1.1-2",
    "O21-4.1.1-3",
    "ASVS-10.4.6",
    "7636-4.4.1",
    without=swap(CONSENT + "_check_pkce", lambda profile, asked: None),
)
def test_pkce_is_required(rule_id: str) -> None:
    """A request without a challenge is refused, unless a named waiver of this confidential client says otherwise."""
    site = Site.make()

    assert "invalid_request" == site.told(code_challenge=None, code_challenge_method=None)["error"]
    assert "invalid_request" == site.told(code_challenge=None)["error"]
    waived = site.another(pkce=WAIVED)
    assert waived.asked(code_challenge=None, code_challenge_method=None).request.challenge is None
    with pytest.raises(InvalidInput):
        ClientProfile(service=SERVICE, name="spa", kind="public", pkce=WAIVED)


@rule(
    "O21-4.1.1-4",
    "ASVS-10.4.6",
    "7636-4.4.1",
    "7636-7.2",
    without=swap("extlink.oauth.authorization._challenge", lambda found: CHALLENGE),
)
def test_plain_is_refused_by_every_name(rule_id: str) -> None:
    """A missing method means plain; so do `plain`, another method, and a challenge that no SHA-256 gives."""
    site = Site.make()

    for method in (None, "plain", "S512", "S256 "):
        assert "invalid_request" == site.told(code_challenge_method=method)["error"]
    for challenge in ("a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "+", "鍵" * 43):
        assert "invalid_request" == site.told(code_challenge=challenge)["error"]


@rule(
    "O21-4.1.2-2",
    "6749-4.1.2.1",
    without=swap(CONSENT + "read_state", lambda found: (found.one("state") or "").strip()),
)
def test_the_state_comes_back_as_it_was(rule_id: str) -> None:
    """With the code and with every error; none where none was sent."""
    site = Site.make()
    state = " a%20b&code=stolen#x\"'<script>/?=+ "

    assert state == sent(site.answer(site.asked(state=state)))["state"]
    assert state == sent(site.answer(site.asked(state=state), answer="refuse"))["state"]
    assert state == site.told(state=state, scope="k:nothing")["state"]
    assert "state" not in sent(site.answer(site.asked(state=None)))


@rule("O21-7.14-1", without=swap("extlink.oauth.authorization._STATE", re.compile(".*", re.DOTALL)))
@pytest.mark.parametrize("state", ["a\r\nSet-Cookie: x=1", "a\x7f", "é", "x" * 2_001, "\u202e"])
def test_no_state_breaks_out_of_its_header(rule_id: str, state: str) -> None:
    """What cannot be handed back in printable ASCII is refused, and not handed back."""
    site = Site.make()
    told = site.told(state=state)

    assert "invalid_request" == told["error"]
    assert "state" not in told


@rule(
    "9207-2-1",
    "9207-2-2",
    "O21-4.1.2-2",
    without=swap(CONSENT + "redirection", lambda uri, said: redirection(uri, {**said, "iss": None})),
)
def test_every_answer_names_the_issuer(rule_id: str) -> None:
    """In success and in error, equal to the issuer of the metadata."""
    site = Site.make()
    published = members(site.server.serve(site.host.tenant, Request(method="GET", path=site.server.metadata_path)))

    assert ISSUER == published["issuer"]
    assert ISSUER == sent(site.answer(site.asked())).get("iss")
    assert ISSUER == sent(site.answer(site.asked(), answer="refuse"))["iss"]
    assert ISSUER == site.told(scope="k:nothing")["iss"]


@rule("O21-7.14-1", "BCP-4.11.2-3")
def test_an_answer_repeats_nothing_of_a_bad_request(rule_id: str) -> None:
    """What the user is shown is fixed text: nothing that came in can speak in the host's name."""
    site = Site.make()
    response = site.untold(site.query(client_id="<script>alert(1)</script>", redirect_uri="https://attacker.test"))

    assert b"script" not in response.body
    assert b"attacker" not in response.body
    assert "text/plain;charset=UTF-8" == dict(response.headers)["Content-Type"]


@rule("BCP-4.11.2-2", "O21-3.1-1")
def test_nobody_is_redirected_before_the_user_is_known(rule_id: str) -> None:
    """The endpoint is an operation of a user in person: without one there is no answer for the client."""
    site = Site.make()
    for query in (site.query(), site.query(scope="k:nothing")):
        step = site.server.authorize(Request(method="GET", path="/", query=query), session=SESSION)
        assert isinstance(step, Exchange)
        response = step.run(site.host.tenant)
        assert 400 == response.status
        assert "Location" not in dict(response.headers)


@rule(
    "BCP-2.3-1",
    "ASVS-10.4.11",
    "O21-7.10-1",
    without=swap(CONSENT + "_scopes", lambda profile, asked: asked),
)
def test_a_client_asks_for_no_more_than_it_may(rule_id: str) -> None:
    """The administrator's ceiling holds; what the service does not define cannot even be registered."""
    site = Site.make(scopes=[SCOPES[0]])

    assert "invalid_scope" == site.told(scope=" ".join(SCOPES))["error"]
    assert {SCOPES[0]} == site.asked().request.scopes


@rule("6749-3.3", without=swap(CONSENT + "_scopes", lambda profile, asked: asked or frozenset(SCOPES)))
def test_a_request_without_scope_means_the_default_or_nothing(rule_id: str) -> None:
    """The default is what the administrator set; without one, the request is invalid."""
    site = Site.make()

    assert "invalid_scope" == site.told(scope=None)["error"]
    site.change(default_scopes=[SCOPES[1]])
    assert {SCOPES[1]} == site.asked(scope=None).request.scopes


@rule(
    "6749-10.12",
    "ASVS-10.2.1",
    without=swap(CONSENT + "_session", lambda value: ""),
)
def test_an_answer_comes_from_the_session_that_was_asked(rule_id: str) -> None:
    """The consent token is bound to the user and to the host's session: a form made elsewhere is refused."""
    site = Site.make()
    consent = site.asked()

    for response in (
        site.answer(consent, session="session-2"),
        site.answer(consent, user="suzuki"),
        site.answer(consent, session="session-2", answer="refuse"),
        site.answer(consent, consent="xl_cs_forged"),
    ):
        assert 400 == response.status
    assert "code" in sent(site.answer(consent))
    with pytest.raises(InvalidInput, match="session"):
        site.authorize(site.query(), session="")


@rule("6749-10.12")
def test_a_consent_is_good_once_and_for_minutes(rule_id: str) -> None:
    """A second yes, and one after the page has expired, give no code."""
    site = Site.make()
    consent, old = site.asked(), site.asked()
    sent(site.answer(consent))

    assert "invalid_request" == error(site.answer(consent))
    site.host.clock.advance(24 * 3_600)
    assert "invalid_request" == error(site.answer(old))


@rule("O21-7.3-1", "ASVS-10.7.1")
def test_every_request_is_asked_anew(rule_id: str) -> None:
    """Nothing is remembered of an earlier yes: a repeated request shows the page, for public clients and others."""
    site = Site.make()
    for one in (site, site.another(kind="public")):
        assert "code" in sent(one.answer(one.asked()))
        assert isinstance(one.authorize(one.query()), Consent)


@rule("ASVS-10.7.2", "O21-7.10-1")
def test_the_page_has_who_asks_for_what_and_how_long(rule_id: str) -> None:
    """The host is given the client's name, the operations in words, the resource and the lifetime."""
    site = Site.make(name="Power Automate (sales)", resources=["https://acme.cybozu.com/k"])
    consent = site.asked(resource="https://acme.cybozu.com/k")

    assert "Power Automate (sales)" == consent.client_name
    assert [SCOPES[0]] == [one.name for one in consent.operations]
    assert all(consent.operations[0].labels.texts)
    assert "https://acme.cybozu.com/k" == consent.request.resource
    assert consent.lifetime > 0


@rule("ASVS-10.7.3", "ASVS-10.4.9", "O21-7.10-1")
def test_users_and_administrators_list_and_end_consents(rule_id: str) -> None:
    """Both see the link; both can revoke it; its tokens are worth nothing from then on."""
    site = Site.make()
    for actor in (site.host.user(), site.host.admin):
        tokens = site.tokens()
        (use,) = site.host.user().run(links.of("sato"))
        assert site.client in {link.client for link in use.links}
        actor.run(links.revoke(use.links[-1].id))
        assert {"active": False} == site.introspect(tokens["access_token"])
        assert "invalid_grant" == error(site.refresh(tokens["refresh_token"]))


@rule("ASVS-10.7.3")
def test_the_user_may_leave_operations_out_and_add_none(rule_id: str) -> None:
    """Fewer scopes are granted as fewer; wider ones, none at all, or something else is no consent."""
    site = Site.make()
    both = " ".join(SCOPES)

    code = sent(site.answer(site.asked(scope=both), scope=SCOPES[1]))["code"]
    assert SCOPES[1] == members(site.redeem(code))["scope"]
    for scope in ("k:file:read", both + " k:file:read", "\x01", ""):
        assert "Location" not in dict(site.answer(site.asked(scope=both), scope=scope).headers)


@rule(
    "8707-2-1",
    "8707-2.1",
    without=swap("extlink.endpoint_consent._resource", lambda profile, asked: next(iter(asked), None)),
)
def test_a_resource_is_one_that_the_client_may_name(rule_id: str) -> None:
    """Unknown, malformed and several are `invalid_target`; none means the client's first."""
    site = Site.make(resources=["https://a.example/api", "https://b.example/api"])

    assert "https://b.example/api" == site.asked(resource="https://b.example/api").request.resource
    assert "https://a.example/api" == site.asked().request.resource
    for resource in ("https://c.example", "https://a.example/api#x", "a.example", "https://a.example/api/", " "):
        assert "invalid_target" == site.told(resource=resource)["error"]
    several = site.query(resource="https://a.example/api") + "&resource=" + quote("https://b.example/api")
    found = site.authorize(several)
    assert isinstance(found, Redirect)
    assert "invalid_target" == found.error


@rule("BCP-4.10.2-1")
def test_unknown_resources_are_refused(rule_id: str) -> None:
    """A client may name the audiences that are registered for it, and no other one."""
    assert "invalid_target" == Site.make().told(resource="https://attacker.test")["error"]


@rule(
    "ASVS-10.4.12",
    without=swap(
        "extlink.oauth.authorization.Parameters.one",
        lambda found, name: next(iter(found.values.get(name, ())), None) if name != "response_mode" else None,
    ),
)
def test_answers_travel_in_the_query_alone(rule_id: str) -> None:
    """No client may ask for a fragment, a form or a message to a window."""
    site = Site.make()

    assert isinstance(site.authorize(site.query(response_mode="query")), Consent)
    for mode in ("fragment", "form_post", "web_message", "query.jwt"):
        assert "invalid_request" == site.told(response_mode=mode)["error"]


@rule("BCP-4.17.2")
def test_no_window_is_sent_a_message(rule_id: str) -> None:
    """The answers of the endpoint are redirects and plain text: there is no script in them."""
    site = Site.make()
    assert b"" == site.answer(site.asked()).body
    assert "invalid_request" == site.told(response_mode="web_message")["error"]


@rule("ASVS-10.4.15")
def test_no_request_is_taken_from_an_object_or_an_address(rule_id: str) -> None:
    """What the user agrees to is signed by the host; `request` and `request_uri` are not read."""
    site = Site.make()

    assert "invalid_request" == site.told(request="eyJhbGciOiJub25lIn0..")["error"]
    assert "invalid_request" == site.told(request_uri="https://attacker.test/request")["error"]
    consent = site.asked()
    token = consent.token.reveal()
    middle = len(token) // 2
    forged = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    assert 400 == site.answer(consent, consent=forged).status


@rule("O21-7.10-1", "BCP-4.11.2-3", without=swap(CONSENT + "_changed_since", lambda call, request, scopes: iter(())))
def test_what_changed_while_the_page_stood_open_holds(rule_id: str) -> None:
    """A client, a redirect URI and a scope that an administrator took away give no code and no redirect."""
    away = ({"redirect_uris": ["https://client.example/cb"]}, {"scopes": [SCOPES[1]]})
    for fields in away:
        site = Site.make()
        consent = site.asked()
        site.change(**fields)
        assert "Location" not in dict(site.answer(consent).headers)
    site = Site.make()
    consent = site.asked()
    site.run(clients.remove(site.client))
    assert "Location" not in dict(site.answer(consent).headers)
    assert "Location" not in dict(site.answer(consent, answer="refuse").headers)


@rule("ASVS-16.5.1", "O21-4.1.2.1-1")
def test_the_client_learns_that_it_was_refused_and_not_why(rule_id: str) -> None:
    """Which gate said no is for the host; the client reads `access_denied` and nothing of the person."""
    site = Site.make()
    site.host.admin.run(services.disable(SERVICE))
    told = site.told()

    assert {"error": "access_denied", "state": "s 1", "iss": ISSUER} == told
    found = site.authorize(site.query())
    assert isinstance(found, Redirect)
    assert "service.disabled" in {reason.code for reason in found.reasons}


@rule(
    "ASVS-16.5.3",
    without=swap(
        "extlink.link_answers.evaluate", lambda policy, asked: type("D", (), {"allowed": True, "reasons": ()})()
    ),
)
def test_the_gates_are_asked_when_the_page_is_made_and_when_it_is_answered(rule_id: str) -> None:
    """A service that was disabled in between gives no code."""
    site = Site.make()
    consent = site.asked()
    site.host.admin.run(services.disable(SERVICE))

    assert 400 == site.answer(consent).status


@rule("BCP-2.6-2", "BCP-4.15.1-1", "O21-2.1-1")
def test_a_client_has_no_say_in_its_id(rule_id: str) -> None:
    """Ids are drawn, so none can be made to look like a user's; a token names the client and the user apart."""
    site, other = Site.make(), Site.make(name="sato")

    assert re.fullmatch(r"[A-Za-z0-9_-]{20}", site.client)
    assert other.client not in {"sato", site.client}
    told = site.introspect(site.tokens()["access_token"])
    assert ("sato", site.client) == (told["sub"], told["client_id"])


@rule("O21-2.1-1")
def test_a_client_is_of_one_kind_for_life(rule_id: str) -> None:
    """A confidential client does not become a public one under the same id, nor one of another service."""
    site = Site.make()
    with pytest.raises(Exception, match=r"client\.another"):
        site.change(kind="public", methods=["none"])


@rule("BCP-2.6-5")
def test_the_issuer_is_an_https_address(rule_id: str) -> None:
    """The host keeps TLS up to the end; extlink takes no other address for its own."""
    server = type(Site.make().server)
    for bad in ("http://acme.cybozu.com", "https://acme.cybozu.com?x", "https://acme.cybozu.com#x", "acme.cybozu.com"):
        with pytest.raises(InvalidInput, match="issuer"):
            server(bad)


@rule("BCP-4.13-1")
def test_no_forwarded_header_is_looked_at(rule_id: str) -> None:
    """The address is what the host states: a header that claims another one changes nothing."""
    site = Site.make()
    shown = (("X-Forwarded-For", "198.51.100.1"), ("Forwarded", "for=198.51.100.1"), ("X-Real-IP", "198.51.100.1"))
    site.post(
        "token", headers=shown, grant_type="refresh_token", refresh_token="x", client_id=site.client, client_secret="x"
    )

    assert site.host.entries()[-1].details["address"] is None
