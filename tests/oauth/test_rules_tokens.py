"""The rules of codes and tokens at the token endpoint, each test named by the requirements it keeps."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest

from extlink import clients, links, services, users
from extlink.domain.instant import Instant
from extlink.domain.link import Lifetimes, Link
from extlink.domain.token_ledger import TokenLedger
from extlink.http import Request, Response
from tests.hosts import CHALLENGE, REDIRECT, SCOPES, SERVICE, VERIFIER
from tests.oauth.kit import FORM, Site, basic, error, members, rule, swap

WAIVED = "waived_for_confidential_client"
NO_PKCE: dict[str, Any] = {"code_challenge": None, "code_challenge_method": None}
VERIFY = "extlink.domain.token_ledger._verify"


def redeemed_with(fields: Callable[[Link], dict[str, Any]]) -> Any:
    """Return how the token ledger forgets a rule: it is told that something is as it should be."""
    redeem = TokenLedger.redeem

    def careless(ledger: TokenLedger, link: Link, *given: Any, **named: Any) -> Any:
        return redeem(ledger, link, *given, **{**named, **fields(link)})

    return swap("extlink.domain.token_ledger.TokenLedger.redeem", careless)


def alive(site: Site, tokens: Any) -> bool:
    """Return whether an access token is worth something."""
    return bool(site.introspect(tokens["access_token"])["active"])


@rule("O21-3.2.3-1", "6749-5.1", without=swap("extlink.http._NO_STORE", ()))
def test_tokens_come_in_json_that_nobody_keeps(rule_id: str) -> None:
    """200, JSON, no-store and no-cache; the members of the RFC with their types; the scope always."""
    site = Site.make()
    response = site.redeem(site.code())
    told = members(response)

    assert {"Cache-Control": "no-store", "Pragma": "no-cache"}.items() <= dict(response.headers).items()
    assert ("Bearer", 3_600, SCOPES[0]) == (told["token_type"], told["expires_in"], told["scope"])
    assert {"access_token", "token_type", "expires_in", "refresh_token", "scope"} == told.keys()
    refused = site.redeem("x")
    assert {"Cache-Control": "no-store", "Pragma": "no-cache"}.items() <= dict(refused.headers).items()


@rule("O21-3.2.3-2")
def test_no_token_is_longer_than_is_documented(rule_id: str) -> None:
    """At most 128 characters of `A-Za-z0-9._~-`, whatever the scopes."""
    tokens = Site.make().tokens(scope=" ".join(SCOPES))

    for name in ("access_token", "refresh_token"):
        assert len(tokens[name]) <= 128
        assert all(letter.isalnum() or letter in "._~-" for letter in tokens[name])


@rule("O21-3.2.4-1", "O21-3.2.4-2", "6749-5.2")
def test_errors_are_of_the_rfc(rule_id: str) -> None:
    """Each cause has its code and status, and says nothing that came in."""
    site = Site.make()
    wrong: tuple[tuple[dict[str, Any], int, str], ...] = (
        ({}, 400, "invalid_request"),
        ({"grant_type": "x"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, 400, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "canary-1"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "canary-1"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "canary-1", "scope": "\x7f"}, 400, "invalid_scope"),
        ({"grant_type": "refresh_token", "refresh_token": "canary-1", "resource": "x"}, 400, "invalid_target"),
    )
    for form, status, code in wrong:
        response = site.post("token", **form)
        assert (status, code) == (response.status, error(response))
        assert b"canary" not in response.body


@rule("O21-3.2-1", "ASVS-14.2.1")
def test_the_endpoint_takes_forms_by_post_alone(rule_id: str) -> None:
    """GET is 405; JSON is invalid; a parameter twice too; unknown ones are ignored, empty ones as good as none."""
    site = Site.make()
    shown = basic(site.client, site.secret)
    refresh = site.tokens()["refresh_token"]
    for method in ("GET", "PUT", "HEAD", "OPTIONS", "post"):
        response = site.server.serve(site.host.tenant, Request(method=method, path="/oauth2/token", headers=[shown]))
        assert (405, "POST") == (response.status, dict(response.headers)["Allow"])
    json = (("Content-Type", "application/json"), shown)
    assert "invalid_request" == error(site.send("token", b'{"grant_type":"refresh_token"}', json))
    body = f"grant_type=refresh_token&refresh_token={refresh}"
    for twice in ("grant_type=refresh_token", "refresh_token=x", "scope=a&scope=a", "client_id=a&client_id=a"):
        assert "invalid_request" == error(site.send("token", f"{body}&{twice}".encode(), (FORM, shown)))
    fine = f"{body}&audience=x&audience=y&account_name=&scope=&code=&operation=refresh".encode()
    assert 200 == site.send("token", fine, (FORM, shown)).status


@rule(
    "BCP-2.1.1-5",
    "BCP-2.1.1-6",
    "BCP-4.8.2-1",
    "BCP-4.8.2-2",
    "O21-4.1.3-3",
    "7636-4.5",
    "7636-4.6",
    "ASVS-10.4.6",
    without=swap(VERIFY, lambda challenge, verifier: None),
)
def test_the_verifier_is_the_one_of_the_challenge(rule_id: str) -> None:
    """Missing, wrong, plain, or another request's: `invalid_grant`, and the code is still good for its owner."""
    site = Site.make()
    code = site.code()

    for verifier in ("", "w" * 43, CHALLENGE, VERIFIER.upper(), VERIFIER + "x"):
        assert "invalid_grant" == error(site.redeem(code, code_verifier=verifier))
    assert 200 == site.redeem(code).status


@rule("O21-4.1.1-4", "7636-4.1", without=swap("extlink.domain.token_ledger._VERIFIER", re.compile(".*")))
@pytest.mark.parametrize("verifier", ["a" * 42, "a" * 129, "a" * 42 + "=", "a" * 42 + " "])
def test_a_verifier_has_the_form_of_the_rfc(rule_id: str, verifier: str) -> None:
    """43 to 128 unreserved characters, even where the hash would fit."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    site = Site.make()

    assert "invalid_grant" == error(site.redeem(site.code(code_challenge=challenge), code_verifier=verifier))


@rule(
    "BCP-2.1.1-7", "BCP-4.8.2-3", "O21-4.1.3-3", "ASVS-10.4.6", without=swap(VERIFY, lambda challenge, verifier: None)
)
def test_a_challenge_cannot_be_cut_out_on_the_way(rule_id: str) -> None:
    """A client that may leave out PKCE and yet shows a verifier was downgraded: refused."""
    site = Site.make(pkce=WAIVED)

    assert "invalid_grant" == error(site.redeem(site.code(**NO_PKCE)))
    assert 200 == site.redeem(site.code(**NO_PKCE), code_verifier="").status
    assert "invalid_grant" == error(site.redeem(site.code(), code_verifier=""))


@rule(
    "O21-4.1.2-1", "7636-4.4", "ASVS-10.4.3", without=redeemed_with(lambda link: {"at": Instant(link.code.expires - 1)})
)
def test_a_code_lives_for_a_minute(rule_id: str) -> None:
    """At most 60 seconds, no host can lengthen it; the challenge is in no answer."""
    site = Site.make()
    code, late = site.code(), site.code()
    site.host.clock.advance(59)
    assert 200 == site.redeem(code).status
    site.host.clock.advance(1)

    assert "invalid_grant" == error(site.redeem(late))
    assert CHALLENGE not in str(site.answer(site.asked()).headers)
    with pytest.raises(Exception, match="code"):
        Lifetimes(code=61)


@rule(
    "O21-4.1.2-1",
    "6749-4.1.3",
    "O21-4.1.3-4",
    without=redeemed_with(lambda link: {"redirect_uri": link.code.redirect_uri}),
)
def test_the_redirect_address_is_that_of_the_request(rule_id: str) -> None:
    """Another one that is registered as well will not do."""
    other = "https://client.example/cb"
    site = Site.make(redirect_uris=[REDIRECT, other])
    code = site.code(redirect_uri=other)

    assert "invalid_grant" == error(site.redeem(code, redirect_uri=REDIRECT))
    assert "invalid_grant" == error(site.redeem(code, redirect_uri=other + "/"))
    assert 200 == site.redeem(code, redirect_uri=other).status


@rule("O21-10.2", "O21-4.1.3-4")
def test_a_client_of_oauth_2_1_sends_no_redirect_address(rule_id: str) -> None:
    """With PKCE it need not; without PKCE it is all that binds the code, and is required."""
    site = Site.make(pkce=WAIVED)

    assert 200 == site.redeem(site.code(), redirect_uri="").status
    assert "invalid_grant" == error(site.redeem(site.code(**NO_PKCE), redirect_uri="", code_verifier=""))


@rule("BCP-4.2.4-2", "BCP-4.2.4-3", "O21-4.1.3-1", "O21-4.1.3-2", "ASVS-10.4.2")
def test_a_code_is_good_once_and_a_second_use_ends_what_it_gave(rule_id: str) -> None:
    """The second valid redemption is refused, and takes the tokens of the first along."""
    site = Site.make()
    code = site.code()
    tokens = members(site.redeem(code))
    assert alive(site, tokens)

    assert "invalid_grant" == error(site.redeem(code))
    assert not alive(site, tokens)
    assert "invalid_grant" == error(site.refresh(tokens["refresh_token"]))


@rule("O21-7.5.3-1", without=swap(VERIFY, lambda challenge, verifier: None))
def test_an_invalid_second_use_ends_nothing(rule_id: str) -> None:
    """Whoever found a code without the secret, the verifier or the redirect URI cannot end anything with it."""
    site = Site.make()
    other = site.another()
    code = site.code()
    tokens = members(site.redeem(code))
    site.redeem(code, code_verifier="w" * 43)
    site.redeem(code, code_verifier="")
    site.redeem(code, redirect_uri="https://client.example/other")
    site.redeem(code, headers=(basic(site.client, "wrong"),))
    other.redeem(code)

    assert alive(site, tokens)


@rule("6749-4.1.3", "O21-4.1.2-1", "ASVS-10.4.10")
def test_a_code_is_its_client_s(rule_id: str) -> None:
    """Another client, authenticated and with everything else right, gets nothing, and spoils nothing."""
    site = Site.make()
    other, spa = site.another(), site.another(kind="public")
    code = site.code()

    assert "invalid_grant" == error(other.redeem(code))
    assert "invalid_grant" == error(spa.redeem(code, headers=(), client_id=spa.client))
    assert 200 == site.redeem(code).status


@rule("BCP-2.2.2-1", "O21-4.3-1", "6749-6")
def test_a_refresh_token_is_its_client_s(rule_id: str) -> None:
    """Another client gets nothing for it and ends nothing by it."""
    site = Site.make()
    other = site.another()
    tokens = site.tokens()

    assert "invalid_grant" == error(other.refresh(tokens["refresh_token"]))
    assert alive(site, tokens)
    assert 200 == site.refresh(tokens["refresh_token"]).status


@rule("BCP-2.2.2-1", "BCP-4.14.2-3", "ASVS-10.4.5", "O21-4.3-4")
@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_a_refresh_token_of_two_generations_ago_ends_the_family(rule_id: str, kind: str) -> None:
    """Rotation at every refresh; the old is kept as a relation, and its reuse ends every token and the link."""
    site = Site.make(kind=kind)
    shown: dict[str, Any] = {} if kind == "confidential" else {"headers": (), "client_id": site.client}
    first = members(site.redeem(site.code(), **shown))

    def again(token: str) -> Response:
        return site.post("token", grant_type="refresh_token", refresh_token=token, **shown)

    second = members(again(first["refresh_token"]))
    third = members(again(second["refresh_token"]))
    assert 3 == len({one["refresh_token"] for one in (first, second, third)})

    assert "invalid_grant" == error(again(first["refresh_token"]))
    assert "invalid_grant" == error(again(third["refresh_token"]))
    asking = site if kind == "confidential" else site.another(introspects=True)
    assert not alive(asking, third)


@rule("FAPI2-1")
def test_a_lost_answer_can_be_asked_for_again(rule_id: str) -> None:
    """The same refresh token shown again gives the identical successor, so that a broken line breaks no link."""
    site = Site.make()
    tokens = site.tokens()
    first, again = site.refresh(tokens["refresh_token"]), site.refresh(tokens["refresh_token"])

    assert 200 == first.status
    assert first.body == again.body
    assert 200 == site.refresh(members(first)["refresh_token"]).status


@rule("O21-4.3-2", "6749-6", "BCP-4.14.2-2")
def test_a_refresh_never_widens(rule_id: str) -> None:
    """More than was consented to is `invalid_scope`; fewer is fewer; none named is all."""
    site = Site.make()
    tokens = site.tokens(scope=SCOPES[0])

    assert "invalid_scope" == error(site.refresh(tokens["refresh_token"], scope=" ".join(SCOPES)))
    assert "invalid_scope" == error(site.refresh(tokens["refresh_token"], scope=SCOPES[1]))
    assert SCOPES[0] == members(site.refresh(tokens["refresh_token"]))["scope"]
    lenient = site.another(refresh_scope="intersect_with_granted")
    held = lenient.tokens(scope=SCOPES[0])
    assert SCOPES[0] == members(lenient.refresh(held["refresh_token"], scope=" ".join(SCOPES)))["scope"]
    assert "invalid_scope" == error(lenient.refresh(held["refresh_token"], scope=SCOPES[1]))


@rule("O21-4.3-5")
def test_a_narrower_refresh_narrows_the_access_token_alone(rule_id: str) -> None:
    """The next refresh token covers what the old one did."""
    site = Site.make()
    both = " ".join(sorted(SCOPES))
    narrow = members(site.refresh(site.tokens(scope=both)["refresh_token"], scope=SCOPES[0]))

    assert SCOPES[0] == narrow["scope"]
    assert both == members(site.refresh(narrow["refresh_token"]))["scope"]


@rule(
    "O21-4.3-3",
    "ASVS-10.4.9",
    without=swap(
        "extlink.link_tokens.evaluate", lambda policy, asked: type("D", (), {"allowed": True, "reasons": ()})()
    ),
)
def test_a_grant_that_is_over_refreshes_nothing(rule_id: str) -> None:
    """A disabled service and a suspended user stop the next refresh, and the redemption of a code in flight."""
    for stop in (services.disable(SERVICE), users.suspend("sato")):
        site = Site.make()
        tokens, code = site.tokens(), site.code()
        site.host.admin.run(stop)
        assert "invalid_grant" == error(site.refresh(tokens["refresh_token"]))
        assert "invalid_grant" == error(site.redeem(code))


@rule("BCP-4.14.2-6", "O21-4.3-6")
def test_a_link_that_nobody_uses_runs_out(rule_id: str) -> None:
    """Without a refresh for the idle time, the refresh token is over."""
    site = Site.make()
    tokens = site.tokens()
    site.host.clock.advance(Lifetimes().refresh_idle)

    assert "invalid_grant" == error(site.refresh(tokens["refresh_token"]))


@rule("ASVS-10.4.8")
def test_a_link_ends_absolutely(rule_id: str) -> None:
    """However often it is refreshed, it ends at the time that was said on the page."""
    site = Site.make()
    tokens = site.tokens()
    step = Lifetimes().refresh_idle - 1
    for _ in range(Lifetimes().refresh_absolute // step):
        site.host.clock.advance(step)
        tokens = members(site.refresh(tokens["refresh_token"]))
    site.host.clock.advance(step)

    assert "invalid_grant" == error(site.refresh(tokens["refresh_token"]))


@rule("BCP-4.14.2-1", "O21-7.10-1")
def test_refresh_tokens_go_to_clients_that_an_administrator_registered(rule_id: str) -> None:
    """Whether a service gets lasting access is the administrator's decision, who can take the client away at once."""
    site = Site.make()
    tokens = site.tokens()
    site.run(clients.remove(site.client))

    assert 401 == site.refresh(tokens["refresh_token"]).status


@rule("BCP-4.14.2-4", "ASVS-11.5.1")
def test_a_token_that_was_altered_is_none(rule_id: str) -> None:
    """The handle and the generation in a token are under its MAC: any other letter makes it unknown, ending nothing."""
    site = Site.make()
    tokens = site.tokens()
    text = tokens["refresh_token"]
    for place in range(0, len(text), 3):
        other = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        assert "invalid_grant" == error(site.refresh(other))

    assert alive(site, tokens)


@rule("BCP-4.14.2-5")
def test_the_host_can_end_a_user_s_links(rule_id: str) -> None:
    """For a host that does so when a password changes: `links.revoke_all` ends them at once."""
    site = Site.make()
    tokens = site.tokens()
    site.host.admin.run(links.revoke_all(user="sato"))

    assert not alive(site, tokens)
    assert "invalid_grant" == error(site.refresh(tokens["refresh_token"]))


@rule("8707-2.2", "8707-2.2-3", without=swap("extlink.link_tokens._is_audience", lambda link, resources: True))
def test_tokens_are_for_the_resource_that_was_consented_to(rule_id: str) -> None:
    """With the code and with the refresh token: that resource or none named; any other is `invalid_target`."""
    one, other = "https://a.example/api", "https://b.example/api"
    site = Site.make(resources=[one, other])
    code = site.code(resource=other)

    assert "invalid_target" == error(site.redeem(code, resource=one))
    tokens = members(site.redeem(code, resource=other))
    assert other == site.introspect(tokens["access_token"])["aud"]
    assert "invalid_target" == error(site.refresh(tokens["refresh_token"], resource=one))
    assert other == site.introspect(members(site.refresh(tokens["refresh_token"]))["access_token"])["aud"]
    default = Site.make(resources=[one]).another(resources=[one])
    assert one == default.introspect(default.tokens()["access_token"])["aud"]


@rule("ASVS-15.4.1", "ASVS-15.4.2")
def test_check_and_act_are_one_commit(rule_id: str) -> None:
    """Between a redemption's reading and its writing nothing else gets in: the second runner starts anew and loses."""
    site = Site.make()
    code = site.code()
    store, commit, answers = site.host.store, site.host.store.commit, list[int]()

    def commit_second(batch: Any) -> Any:
        store.commit = commit  # type: ignore[method-assign]
        answers.append(site.redeem(code).status)
        return commit(batch)

    store.commit = commit_second  # type: ignore[method-assign]
    answers.append(site.redeem(code).status)

    assert [200, 400] == answers


@rule("ASVS-16.2.5")
def test_nothing_that_is_logged_holds_a_token(rule_id: str) -> None:
    """Requests, responses and refusals, printed as a host's log would print them."""
    site = Site.make()
    code = site.code()
    response = site.redeem(code)
    tokens = members(response)
    shown = repr((response, site.answer(site.asked()), site.server, site.registered, site.host.entries()))

    for text in (site.secret, code, tokens["access_token"], tokens["refresh_token"], "xl_ac_"):
        assert text not in shown
