"""The rules of revocation, introspection, metadata and of the host's own API, named by the requirements they keep."""

from __future__ import annotations

from typing import Any

import pytest

from extlink import access, clients, links, services
from extlink.domain.decision import Decision
from extlink.errors import InvalidInput, OAuthError, Unavailable
from extlink.http import AuthorizationServer, Request, Response, error_response
from extlink.oauth import bearer
from extlink.oauth.metadata import authorization_server_metadata, metadata_path, protected_resource_metadata
from tests.hosts import SCOPES, SERVICE, Host
from tests.oauth.kit import ISSUER, Site, error, members, rule, swap

API = "https://acme.cybozu.com/k/v1"


def metadata(site: Site, method: str = "GET") -> Response:
    """Ask for the metadata."""
    return site.server.serve(site.host.tenant, Request(method=method, path=site.server.metadata_path))


def check(host: Host, token: str, scope: str = SCOPES[0], **fields: Any) -> Decision:
    """Ask whether a token is good for a call, as the host's API does."""
    return host.tenant.run(access.check(token, scope=scope, address="203.0.113.7", **fields))


def reasons(decision: Decision) -> set[str]:
    """Return the codes of a decision's reasons."""
    return {one.code for one in decision.reasons}


@rule("7009-2-1", "7009-2.1-3", "7009-2.1-5", "O21-4.3-3")
@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_revoking_ends_the_connection_at_once(rule_id: str, kind: str) -> None:
    """A refresh token, and an access token as well: both are dead from the next message on, and stay so."""
    site = Site.make()
    tokens = site.tokens()
    response = site.post("revoke", token=tokens[kind])

    assert (200, b"") == (response.status, response.body)
    assert not check(site.host, tokens["access_token"]).allowed
    assert {"active": False} == site.introspect(tokens["access_token"])
    assert "invalid_grant" == error(site.refresh(tokens["refresh_token"]))
    assert 200 == site.post("revoke", token=tokens[kind]).status


@rule("7009-2.1-4")
def test_revoking_an_access_token_ends_the_refresh_token(rule_id: str) -> None:
    """RFC 7009 leaves it open; whoever throws the token away means the connection."""
    site = Site.make()
    tokens = site.tokens()
    site.post("revoke", token=tokens["access_token"])

    assert "invalid_grant" == error(site.refresh(tokens["refresh_token"]))


@rule("7009-2.1-1", "ASVS-10.4.10")
def test_nobody_ends_what_is_another_client_s(rule_id: str) -> None:
    """Another client is told 200, as for any token it does not have, and nothing ends."""
    site = Site.make()
    tokens = site.tokens()
    other, spa = site.another(introspects=True), site.another(kind="public")
    before = site.host.dump()

    assert 200 == other.post("revoke", token=tokens["refresh_token"]).status
    assert 200 == spa.post("revoke", headers=(), client_id=spa.client, token=tokens["refresh_token"]).status
    assert before == site.host.dump()
    assert 200 == site.refresh(tokens["refresh_token"]).status


@rule("7009-2.1-2", "7662-2.1-3", "7009-5", "7009-2.2.1")
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "made_up", "", "x" * 10_000])
def test_a_hint_that_lies_changes_nothing(rule_id: str, hint: str) -> None:
    """A token says itself of which kind it is: the hint is not looked at, and costs nothing."""
    site = Site.make()
    tokens = site.tokens()

    assert members(site.post("introspect", token=tokens["access_token"], token_type_hint=hint))["active"]
    assert 200 == site.post("revoke", token=tokens["refresh_token"], token_type_hint=hint).status
    assert {"active": False} == site.introspect(tokens["access_token"])


@rule("7009-2.2-1")
def test_an_unknown_token_is_as_good_as_revoked(rule_id: str) -> None:
    """200 for junk, for another tenant's, for what is over already."""
    site, elsewhere = Site.make(), Site.make()
    for text in ("x", "xl_rt_" + "a" * 90, elsewhere.tokens()["refresh_token"], "鍵", site.code()):
        assert 200 == site.post("revoke", token=text).status
    assert "invalid_request" == error(site.post("revoke"))


@rule("7009-2.2.1", "ASVS-16.5.3")
def test_a_store_that_fails_is_503(rule_id: str) -> None:
    """With Retry-After, so that the client knows its token to be alive still; never a yes."""
    site = Site.make()
    tokens = site.tokens()

    def broken(_step: object) -> Any:
        raise Unavailable("gone")

    site.host.store.read = broken  # type: ignore[assignment,method-assign]
    for path in ("token", "revoke", "introspect"):
        response = site.post(
            path, token=tokens["access_token"], grant_type="refresh_token", refresh_token=tokens["refresh_token"]
        )
        assert (503, "temporarily_unavailable") == (response.status, error(response))
        assert "1" == dict(response.headers)["Retry-After"]
    assert 400 == error_response(InvalidInput("x", "y")).status


@rule(
    "7662-2.1-2",
    "7662-2.2-2",
    "7662-4-1",
    "BCP-2.3-2",
    without=swap("extlink.endpoint_tokens._may_ask", lambda client, link: True),
)
def test_who_may_ask_about_a_token(rule_id: str) -> None:
    """Its own client, and a resource server for the tokens made for it; for everybody else it is inactive."""
    site = Site.make(resources=[API])
    tokens = site.tokens()
    own = site.another(introspects=True, resources=[API])
    other = site.another(introspects=True, resources=["https://other.example"])
    stranger, spa = site.another(resources=[API]), site.another(kind="public")

    assert [True, True] == [one.introspect(tokens["access_token"])["active"] for one in (site, own)]
    assert [{"active": False}] * 2 == [one.introspect(tokens["access_token"]) for one in (other, stranger)]
    refused = spa.post("introspect", headers=(), client_id=spa.client, token=tokens["access_token"])
    assert (401, "invalid_client") == (refused.status, error(refused))


@rule("7662-2.2-1", "7662-4-1", "ASVS-9.2.2")
def test_an_inactive_token_is_told_nothing_of(rule_id: str) -> None:
    """Exactly `{"active": false}`: expired, revoked, superseded, a code, junk, refused by a gate."""
    site = Site.make()
    tokens = site.tokens()
    code = site.code()
    assert b'{"active": false}' == site.post("introspect", token=code).body
    assert {"active": False} == site.introspect("junk")
    later = members(site.refresh(tokens["refresh_token"]))
    assert {"active": False} == site.introspect(tokens["refresh_token"])
    site.host.admin.run(services.disable(SERVICE))
    assert {"active": False} == site.introspect(later["access_token"])
    site.host.admin.run(services.enable(SERVICE))
    assert site.introspect(later["access_token"])["active"]
    site.host.clock.advance(3_600)
    assert {"active": False} == site.introspect(later["access_token"])


@rule("7662-4-2")
def test_an_answer_says_until_when_it_may_be_kept(rule_id: str) -> None:
    """`exp` is there, and the answer itself is no-store."""
    site = Site.make()
    response = site.post("introspect", token=site.tokens()["access_token"])

    assert site.host.clock.now() + 3_600 == members(response)["exp"]
    assert "no-store" == dict(response.headers)["Cache-Control"]


@rule(
    "7662-4",
    "ASVS-9.2.2",
    without=swap("extlink.endpoint_tokens.TokenKind", type("K", (), {"ACCESS": "rt", "REFRESH": "rt", "CODE": "ac"})),
)
def test_a_refresh_token_does_not_look_like_an_access_token(rule_id: str) -> None:
    """It has no `token_type`, and is refused where an access token is due; and the other way round."""
    site = Site.make()
    tokens = site.tokens()
    told = site.introspect(tokens["refresh_token"])

    assert ("refresh", None) == (told.get("token_use"), told.get("token_type"))
    assert "Bearer" == site.introspect(tokens["access_token"])["token_type"]
    assert not check(site.host, tokens["refresh_token"]).allowed
    assert "invalid_grant" == error(site.refresh(tokens["access_token"]))
    assert "invalid_grant" == error(site.redeem(tokens["access_token"]))


@rule("BCP-2.6-1", "8414-2-1", "8414-3.2-1", "BCP-2.1.1-8", "9207-2.3", "O21-3.2.4-2")
def test_the_metadata_says_what_there_is(rule_id: str) -> None:
    """200 in JSON; the issuer, the endpoints, what they support; nothing that is empty."""
    site = Site.make()
    told = members(metadata(site))

    assert ISSUER == told["issuer"]
    assert ["code"] == told["response_types_supported"]
    assert ["S256"] == told["code_challenge_methods_supported"]
    assert ["authorization_code", "refresh_token"] == told["grant_types_supported"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert [] == [name for name, value in told.items() if value == []]
    for name in ("authorization", "token", "revocation", "introspection"):
        assert told[f"{name}_endpoint"].startswith(f"{ISSUER}/oauth2/")
    assert (200, 405) == (metadata(site, "HEAD").status, metadata(site, "POST").status)
    assert "GET, HEAD" == dict(metadata(site, "DELETE").headers)["Allow"]


@rule("8414-2-1", "9207-2-2", without=swap("extlink.http.parse_issuer", str))
@pytest.mark.parametrize(
    "issuer",
    [
        "http://a.example",
        "https://a.example?x=1",
        "https://a.example#x",
        "https://A.example",
        "",
        "https://a.example/ x",
        "https://u@a.example",
        None,
    ],
)
def test_an_issuer_is_https_without_query_and_fragment(rule_id: str, issuer: Any) -> None:
    """Anything else is refused before anything is served."""
    with pytest.raises(InvalidInput, match="issuer"):
        AuthorizationServer(issuer)


@rule("8414-2-2")
def test_algorithms_are_named_where_something_is_signed(rule_id: str) -> None:
    """Present if and only if `private_key_jwt` is; `none` is never an algorithm."""
    told = members(metadata(Site.make()))
    plain = authorization_server_metadata(
        ISSUER, endpoint=ISSUER, methods=["client_secret_basic"], algorithms=["ES256"]
    )

    for place in ("token", "revocation", "introspection"):
        name = f"{place}_endpoint_auth_signing_alg_values_supported"
        assert ["ES256", "EdDSA", "PS256", "RS256"] == told[name]
        assert name not in plain
    assert "none" in told["token_endpoint_auth_methods_supported"]
    assert "none" not in told["introspection_endpoint_auth_methods_supported"]


@rule("8414-3-1")
def test_the_metadata_of_an_issuer_with_a_path_lies_between(rule_id: str) -> None:
    """The well-known part goes between host and path, and a slash at the end is left out."""
    for issuer, path in (
        ("https://a.example", ""),
        ("https://a.example/", ""),
        ("https://a.example/t/7", "/t/7"),
        ("https://a.example/t/7/", "/t/7"),
    ):
        assert (
            f"/.well-known/oauth-authorization-server{path}"
            == metadata_path(issuer)
            == AuthorizationServer(issuer).metadata_path
        )


@rule("BCP-2.6-4")
def test_scripts_may_read_the_metadata(rule_id: str) -> None:
    """CORS is on the metadata, which is public; on no answer that holds a token."""
    site = Site.make()

    assert "*" == dict(metadata(site).headers)["Access-Control-Allow-Origin"]
    assert "Access-Control-Allow-Origin" not in dict(site.redeem(site.code()).headers)


@rule("O21-5.1-1", "6750-2", "BCP-4.9.3-1")
def test_a_bearer_token_comes_in_the_header(rule_id: str) -> None:
    """The scheme in any case; a query is not even looked at; two headers, or none that can be read, are an error."""
    assert ("a.b", "a.b") == tuple(bearer.read_bearer([text]).reveal() for text in ("Bearer a.b", "bEARER  a.b "))  # type: ignore[union-attr]
    assert (None, None, None) == tuple(bearer.read_bearer(values) for values in ([], ["Basic YTpi"], ["Bearerx y"]))
    for bad in (
        ["Bearer a", "Bearer a"],
        ["Bearer "],
        ["Bearer"],
        ["Bearer a b"],
        ["Bearer a,b"],
        ["Bearer ä"],
        ["Bearer " + "a" * 5_000],
        ["Bearer a\r\nX: y"],
    ):
        with pytest.raises(OAuthError, match="invalid_request"):
            bearer.read_bearer(bad)


@rule(
    "O21-5.2-1",
    "6750-3",
    "6750-3.1",
    without=swap("extlink.oauth.bearer.challenge", lambda error=None, **said: 'Bearer error="invalid_token"'),
)
def test_a_challenge_tells_what_the_rfc_allows(rule_id: str) -> None:
    """Nothing without credentials; 401, 403 with the scope, 400; each attribute once, and nothing breaks out."""
    assert "Bearer" == bearer.challenge()
    assert 'Bearer realm="api"' == bearer.challenge(realm="api")
    told = bearer.challenge(
        OAuthError("insufficient_scope", "more"), realm="api", scope="a b", resource_metadata="https://a"
    )
    assert (
        'Bearer realm="api", error="insufficient_scope", error_description="more", scope="a b", resource_metadata="https://a"'
        == told
    )
    assert [401, 403, 400] == [
        OAuthError(code).status for code in ("invalid_token", "insufficient_scope", "invalid_request")
    ]
    for bad in ('"', "\\", "\r\n", "é"):
        with pytest.raises(InvalidInput):
            bearer.challenge(realm=bad)


@rule("O21-5.2-1", "BCP-2.3-2", "BCP-2.3-3", "BCP-4.9.3-2", "ASVS-10.3.1", "ASVS-10.3.2", "ASVS-9.2.3")
def test_a_call_is_held_to_expiry_scope_and_audience(rule_id: str) -> None:
    """`access.check` refuses a token that is over, of another audience, or without the scope; on every request."""
    site = Site.make(resources=[API])
    token = site.tokens()["access_token"]

    assert check(site.host, token, resource=API).allowed
    assert "token.wrong_audience" in reasons(check(site.host, token, resource="https://other.example"))
    assert "token.wrong_audience" in reasons(check(site.host, token))
    assert not check(site.host, token, SCOPES[1], resource=API).allowed
    site.host.clock.advance(3_600)
    assert "token.expired" in reasons(check(site.host, token, resource=API))


@rule("ASVS-10.3.3")
def test_a_person_is_the_host_s_immutable_id(rule_id: str) -> None:
    """`iss` and `sub` name who the token acts for: the id, which is never given to another person."""
    site = Site.make()
    told = site.introspect(site.tokens()["access_token"])

    assert (ISSUER, "sato") == (told["iss"], told["sub"])


@rule("9728-1")
def test_the_metadata_of_a_resource(rule_id: str) -> None:
    """Where it lies, what it says, and how a refusal points to it."""
    told = protected_resource_metadata(API, issuer=ISSUER, scopes=SCOPES)

    assert {"resource": API, "authorization_servers": [ISSUER]}.items() <= told.items()
    assert "/.well-known/oauth-protected-resource/k/v1" == metadata_path(API, "oauth-protected-resource")
    assert 'resource_metadata="https://a"' in bearer.challenge(resource_metadata="https://a")


@rule("ASVS-11.2.2")
def test_keys_follow_each_other(rule_id: str) -> None:
    """Every digest and token names its key, so that a stronger one can follow without touching a record."""
    site = Site.make()
    (secret,) = site.run(clients.show(site.client)).secrets

    assert "k1" == secret.key_id
    assert "_k1" in site.tokens()["access_token"]


@rule("BCP-4.14.2-5", "ASVS-10.7.3")
def test_a_revoked_link_is_revived_by_nothing(rule_id: str) -> None:
    """Neither a refresh in flight nor a service that is enabled again brings a token back to life."""
    site = Site.make()
    tokens = site.tokens()
    site.host.admin.run(links.revoke_all(user="sato"))
    site.host.admin.run(services.disable(SERVICE))
    site.host.admin.run(services.enable(SERVICE))

    assert "invalid_grant" == error(site.refresh(tokens["refresh_token"]))
    assert {"active": False} == site.introspect(tokens["access_token"])


@rule(
    "7009-2.2.1",
    "ASVS-16.5.3",
    "O21-4.1.2.1-1",
    without=swap("extlink.domain.decision.Decision.is_temporary", property(lambda decision: False)),
)
def test_a_directory_that_fails_is_no_verdict_on_a_grant(rule_id: str) -> None:
    """503 and `temporarily_unavailable`: a client that reads `invalid_grant` throws its tokens away for good."""
    site = Site.make()
    tokens, code = site.tokens(), site.code()
    member = site.host.directory.member

    def silent(_user: object) -> Any:
        raise TimeoutError

    site.host.directory.member = silent  # type: ignore[assignment,method-assign]
    for response in (site.refresh(tokens["refresh_token"]), site.redeem(code)):
        assert (503, "temporarily_unavailable") == (response.status, error(response))
        assert "1" == dict(response.headers).get("Retry-After")
    assert "temporarily_unavailable" == site.told()["error"]
    assert {"active": False} == site.introspect(tokens["access_token"])
    site.host.directory.member = member  # type: ignore[method-assign]

    assert 200 == site.refresh(tokens["refresh_token"]).status
