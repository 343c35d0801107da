"""The rules of clients and of how they authenticate, each test named by the requirements it keeps."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from extlink import Secret, clients
from extlink.adapters.limits import FailureLimit
from extlink.domain.client_registration import ClientKey, ClientProfile
from extlink.domain.token import CLIENT_SECRET_BYTES, RANDOM_BYTES
from extlink.errors import InvalidInput
from extlink.http import Request
from extlink.oauth.credentials import ClientCredentials, read_credentials
from extlink.oauth.parameters import Parameters
from tests.fakes import FrozenClock
from tests.hosts import SCOPES, SERVICE
from tests.oauth.keys import ALGORITHMS, KIND, hs256, jwt, pem, private_pem, public, sign
from tests.oauth.kit import FORM, ISSUER, Site, basic, error, members, rule, swap

AUTHENTICATE = "extlink.client_authentication."
ENDPOINTS = ("token", "revoke", "introspect")


def signing(algorithm: str = "ES256", **profile: Any) -> Site:
    """Return a site whose client signs."""
    site = Site.make(methods=["private_key_jwt"], **profile)
    site.run(clients.set_keys(site.client, [ClientKey(id="k1", algorithm=algorithm, pem=pem(algorithm))]))  # type: ignore[arg-type]
    return site


def assertion(site: Site, algorithm: str = "ES256", *, header: Any = None, signed: Any = None, **claims: Any) -> str:
    """Return an assertion that is right but for what is given."""
    now = site.host.clock.now()
    usual = {"iss": site.client, "sub": site.client, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": "j1"}
    given = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    head = {"alg": algorithm, "kid": "k1", "typ": "JWT"} if header is None else header
    return jwt(head, given, signed or (lambda data: sign(algorithm, data)))


def forgetful(_call: object, client: object, *_given: object) -> Generator[object, object, tuple[object, ...]]:
    """Take an assertion without remembering it."""
    yield from ()
    return client, ()


def shown(site: Site, text: str, path: str = "introspect", **form: str) -> str:
    """Return the error with which an assertion is refused, or nothing."""
    usual = {"token": "x", "client_assertion_type": KIND, "client_assertion": text}
    response = site.post(path, headers=(), **{**usual, **form})
    return "" if response.status == 200 else error(response)


@rule(
    "BCP-2.5-1",
    "ASVS-10.4.10",
    "O21-4.3-1",
    "7009-2.1-1",
    "7662-2.1-1",
    "7662-2.3",
    without=swap(AUTHENTICATE + "_secret_problem", lambda *given: iter(())),
)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_endpoint_wants_the_client_to_prove_itself(rule_id: str, path: str) -> None:
    """No credentials, a wrong secret, another client's, none at all: 401 `invalid_client`, at each of them."""
    site = Site.make()
    other = site.another()
    form = {"token": "x", "grant_type": "refresh_token", "refresh_token": site.tokens()["refresh_token"]}

    for headers in (
        (),
        (basic(site.client, "x" + site.secret),),
        (basic(site.client, other.secret),),
        (basic("nobody", site.secret),),
        (basic(site.client.swapcase(), site.secret),),
    ):
        response = site.post(path, headers=headers, **form)
        assert (401, "invalid_client") == (response.status, error(response))
    response = site.post(path, headers=(), client_id=site.client, **form)
    assert (401, "invalid_client") == (response.status, error(response))
    assert site.introspect(form["refresh_token"])["active"]


@rule("O21-2.4.1-1", "O21-2.4.1-3")
def test_the_secret_may_be_in_the_body_or_in_the_header(rule_id: str) -> None:
    """One client may do either, and form-encode the header or forget to: ids and secrets hold nothing to encode."""
    site = Site.make()

    assert not members(site.post("introspect", token="x"))["active"]
    assert not members(
        site.post("introspect", headers=(), token="x", client_id=site.client, client_secret=site.secret)
    )["active"]
    assert not members(site.post("introspect", token="x", client_id=site.client))["active"]
    encoded = "".join(f"%{ord(letter):02X}" for letter in site.secret)
    assert not members(site.post("introspect", headers=(basic(site.client, encoded),), token="x"))["active"]
    only = site.another(methods=["client_secret_basic"])
    refused = only.post("introspect", headers=(), token="x", client_id=only.client, client_secret=only.secret)
    assert 401 == refused.status


@rule(
    "O21-2.4-1",
    without=swap(
        "extlink.http.read_credentials",
        lambda header, form, query: (
            ClientCredentials(
                method="client_secret_post",
                client_id=form.values["client_id"][0],
                proof=Secret(form.values["client_secret"][0]),
            )
            if "client_secret" in form.values
            else read_credentials(header, form, query)
        ),
    ),
)
def test_two_ways_to_authenticate_are_one_too_many(rule_id: str) -> None:
    """Whichever of them is right: two mechanisms, two secrets, two names are `invalid_request`."""
    site = Site.make()
    right = {"client_id": site.client, "client_secret": site.secret}
    proof = {"client_assertion": "a.b.c", "client_assertion_type": KIND}

    for headers, form in (
        ((basic(site.client, site.secret),), right),
        ((basic(site.client, site.secret),), proof),
        ((), {**right, **proof}),
        ((basic(site.client, site.secret),), {"client_id": "another"}),
        ((basic(site.client, site.secret), basic(site.client, site.secret)), {}),
    ):
        response = site.post("introspect", headers=headers, token="x", **form)
        assert (400, "invalid_request") == (response.status, error(response))
    twice = site.send(
        "introspect", f"token=x&client_id={site.client}&client_secret=a&client_secret=b".encode(), (FORM,)
    )
    assert "invalid_request" == error(twice)


@rule("O21-2.4.1-2", "ASVS-14.2.1", without=swap("extlink.http.read_query", lambda text: Parameters()))
def test_no_credentials_are_taken_from_the_address(rule_id: str) -> None:
    """A secret or an assertion in the query is an error, even beside good credentials."""
    site = Site.make()

    for name in ("client_id", "client_secret", "client_assertion", "client_assertion_type"):
        response = site.send("introspect", b"token=x", (FORM, basic(site.client, site.secret)), query=f"{name}=x")
        assert (400, "invalid_request") == (response.status, error(response))


@rule("O21-2.4.1-4", without=swap("extlink.http.AuthorizationServer._limited", lambda server, credentials: None))
def test_a_client_that_fails_again_and_again_waits(rule_id: str) -> None:
    """The port counts failures per client, at every endpoint that takes a secret; others are not concerned."""
    site = Site.make(rate_limit=FailureLimit(failures=3, clock=FrozenClock()))
    other = site.another()
    for path in ENDPOINTS:
        form = {"token": "x", "grant_type": "refresh_token", "refresh_token": "x"}
        assert 401 == site.post(path, headers=(basic(site.client, "wrong"),), **form).status
    waits = site.post("introspect", token="x")

    assert (429, "60") == (waits.status, dict(waits.headers).get("Retry-After"))
    assert 200 == other.post("introspect", token="x").status


@rule("O21-2.4.1-4")
def test_failures_are_counted_for_whom_an_assertion_names(rule_id: str) -> None:
    """A client that says who it is in its assertion alone is not locked out by another one's failures."""
    limit = FailureLimit(failures=1, clock=FrozenClock())
    site = signing(rate_limit=limit)
    assert "invalid_client" == shown(site, assertion(site, iss="mallory", sub="mallory"))
    assert "invalid_client" == shown(site, "junk")

    assert "" == shown(site, assertion(site))
    assert "invalid_client" == shown(site, assertion(site))
    assert "temporarily_unavailable" == shown(site, assertion(site, jti="j2"))


@rule("O21-3.2.4-1", "7662-2.3", "6749-5.2")
def test_a_failed_header_is_answered_by_its_scheme(rule_id: str) -> None:
    """401 with WWW-Authenticate where the header was used, whatever is wrong with it; without, where it was not."""
    site = Site.make()
    for header in (
        basic(site.client, "wrong"),
        ("Authorization", "Bearer x"),
        ("Authorization", "Basic ==="),
        ("Authorization", ""),
    ):
        response = site.post("introspect", headers=(header,), token="x")
        assert 401 == response.status
        assert dict(response.headers)["WWW-Authenticate"].startswith("Basic ")
    response = site.post("introspect", headers=(), token="x", client_id=site.client, client_secret="wrong")
    assert 401 == response.status


@rule("ASVS-13.3.4", "ASVS-13.3.1")
def test_a_secret_follows_another_without_an_outage(rule_id: str) -> None:
    """Two hold at once; the older one runs out or is removed; the redirect URIs change without either."""
    site = Site.make()
    second = site.run(clients.add_secret(site.client, others_expire_in=3_600)).secret.reveal()

    def good(secret: str) -> int:
        return site.post("introspect", headers=(basic(site.client, secret),), token="x").status

    assert (200, 200) == (good(site.secret), good(second))
    site.change(redirect_uris=["https://global.consent.azure-apim.net/redirect/gc-5f"])
    assert (200, 200) == (good(site.secret), good(second))
    site.host.clock.advance(3_600)
    assert (401, 200) == (good(site.secret), good(second))
    (newest,) = (one for one in site.run(clients.show(site.client)).secrets if one.expires is None)
    site.run(clients.remove_secret(site.client, secret_id=newest.id))
    assert 401 == good(second)


@rule("ASVS-11.2.4", without=swap("extlink.oauth.assertion.Assertion.is_signed_with", lambda *given: True))
def test_secrets_are_compared_in_constant_time(rule_id: str) -> None:
    """By hmac.compare_digest alone (tests/architecture/test_secrets.py), and signatures by their library."""
    site = signing()
    assert "invalid_client" == shown(site, assertion(site, signed=lambda data: bytes(64)))


@rule("O21-7.8-1", "6749-10.10", "ASVS-11.5.1", "ASVS-6.5.2")
def test_what_is_guessed_has_160_bits(rule_id: str) -> None:
    """Codes and tokens have 160 random bits, client secrets 256: a fast keyed hash is enough for them."""
    site = Site.make()

    assert RANDOM_BYTES * 8 >= 160
    assert CLIENT_SECRET_BYTES * 8 >= 160
    assert len(site.secret) >= 43
    assert site.secret != site.another().secret


@rule("ASVS-13.3.1", "BCP-4.9.3-1")
def test_no_secret_is_stored(rule_id: str) -> None:
    """The store holds keyed digests: no secret, code or token is in any of its bytes, nor in the ledger's."""
    site = Site.make()
    code = site.code()
    tokens = members(site.redeem(code))
    records, entries = site.host.dump()
    stored = b"".join(value or b"" for value in (*records.values(), *entries))

    for text in (site.secret, code, tokens["access_token"], tokens["refresh_token"]):
        assert text.encode() not in stored
        assert text.split(".")[-1].encode() not in stored
    assert site.client.encode() in stored


@rule("BCP-2.6-2", "O21-7.10-1", "ASVS-10.4.7")
def test_clients_are_registered_by_administrators_alone(rule_id: str) -> None:
    """No client registers itself, and no user can."""
    site = Site.make()

    with pytest.raises(Exception, match=r"actor\.not_permitted"):
        site.host.user().run(clients.register(ClientProfile(service=SERVICE, name="mine")))
    for path in ("/oauth2/register", "/register"):
        assert 404 == site.server.serve(site.host.tenant, Request(method="POST", path=path)).status


@rule("BCP-2.5-2", "ASVS-10.4.16")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_client_may_sign_with_its_own_key(rule_id: str, algorithm: str) -> None:
    """`private_key_jwt`, with each of the four algorithms, in place of any secret."""
    site = signing(algorithm)

    assert site.registered.secret is None
    assert "" == shown(site, assertion(site, algorithm))
    assert "" == shown(site, assertion(site, algorithm, jti="j2", header={"alg": algorithm}))
    assert "" == shown(
        site,
        assertion(site, algorithm, jti="j3", header={"alg": algorithm, "typ": "client-authentication+jwt"}),
        client_id=site.client,
    )
    with pytest.raises(Exception, match=r"client\.no_secrets"):
        site.run(clients.add_secret(site.client))


@rule("O21-2.4-2", "7523bis-1", without=swap("extlink.oauth.assertion.Assertion.problem", lambda *given, **named: None))
def test_an_assertion_is_for_this_issuer_alone(rule_id: str) -> None:
    """The audience is the issuer, as text: no array, no token endpoint, no other server."""
    site = signing()

    for number, audience in enumerate(
        ([ISSUER], [ISSUER, "https://x"], f"{ISSUER}/oauth2/token", f"{ISSUER}/", "https://x", 7, {}, "")
    ):
        assert "invalid_client" == shown(site, assertion(site, aud=audience, jti=f"a{number}"))


@rule("7523bis-1", without=swap("extlink.oauth.assertion.Assertion.problem", lambda *given, **named: None))
def test_an_assertion_lives_for_minutes(rule_id: str) -> None:
    """An expiry that has passed, lies more than ten minutes ahead, is missing or is no number is refused."""
    site, at = signing(), Site.make().host.clock.now()

    wrong: tuple[object, ...] = (at, at - 1, at + 601, at + 10**9, 10**30, -1, None, "soon", True, [])
    for number, expires in enumerate(wrong):
        assert "invalid_client" == shown(site, assertion(site, exp=expires, jti=f"e{number}"))
    for name in ("nbf", "iat"):
        later: dict[str, Any] = {name: at + 31}
        assert "invalid_client" == shown(site, assertion(site, **later))
    assert "" == shown(site, assertion(site, exp=at + 599.5, nbf=at + 30, jti="good"))


@rule(
    "7523bis-1",
    without=swap(AUTHENTICATE + "_used", forgetful),
)
def test_an_assertion_is_good_once(rule_id: str) -> None:
    """A second use is refused at every endpoint, until it has expired anyway; then another may have its name."""
    site = signing()
    text = assertion(site)

    assert "" == shown(site, text)
    for path in ENDPOINTS:
        assert "invalid_client" == shown(site, text, path, grant_type="refresh_token", refresh_token="x")
    site.host.clock.advance(61)
    assert "invalid_client" == shown(site, text)
    assert "" == shown(site, assertion(site))


@rule("7523bis-1", "ASVS-9.2.2", without=swap("extlink.oauth.assertion.Assertion.is_signed_with", lambda *given: True))
def test_no_other_algorithm_and_no_other_key_will_do(rule_id: str) -> None:
    """`none`, an HMAC with the public key, another algorithm of the same key, another key or kid, no signature."""
    site = signing("RS256")
    plain = pem("RS256")

    for number, (header, signed) in enumerate(
        (
            ({"alg": "none"}, lambda data: b""),
            ({"alg": "none", "kid": "k1"}, lambda data: b"x"),
            ({"alg": "HS256", "kid": "k1"}, hs256(plain)),
            ({"alg": "RS256", "kid": "k1"}, hs256(plain)),
            ({"alg": "PS256", "kid": "k1"}, lambda data: sign("PS256", data)),
            ({"alg": "RS256", "kid": "k1"}, lambda data: sign("PS256", data)),
            ({"alg": "RS256", "kid": "k1"}, lambda data: sign("RS256", data, 2)),
            ({"alg": "RS256", "kid": "k2"}, lambda data: sign("RS256", data)),
            ({"alg": "RS256", "kid": "k1"}, lambda data: sign("RS256", data + b"x")),
            ({"alg": "ES256", "kid": "k1"}, lambda data: sign("ES256", data)),
            ({"alg": ["RS256"], "kid": "k1"}, lambda data: sign("RS256", data)),
        )
    ):
        assert "invalid_client" == shown(site, assertion(site, header=header, signed=signed, jti=f"s{number}"))
    assert "" == shown(site, assertion(site, "RS256"))


@rule("7523bis-1")
def test_an_assertion_names_one_client(rule_id: str) -> None:
    """Issuer, subject and the parameter beside it are one; a header or claims that cannot be read are refused."""
    site = signing()
    for number, wrong in enumerate[dict[str, Any]](
        (
            {"sub": "another"},
            {"iss": "another"},
            {"sub": None},
            {"jti": None},
            {"jti": ""},
            {"jti": "x" * 256},
            {"aud": None},
            {"iss": "\ud800", "sub": "\ud800"},
            {"iss": "\0", "sub": "\0"},
        )
    ):
        assert "invalid_client" == shown(site, assertion(site, **{"jti": f"w{number}", **wrong}))
    assert "invalid_client" == shown(site, assertion(site), client_id="another")
    for header in (
        {"alg": "ES256", "typ": "at+jwt"},
        {"alg": "ES256", "crit": ["b64"]},
        {"alg": "ES256", "kid": 7},
        {},
        {"alg": "ES256", "typ": ["JWT"]},
    ):
        assert "invalid_client" == shown(site, assertion(site, header=header, jti="h"))
    assert "invalid_client" == shown(
        site, assertion(site), client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    )


@rule("ASVS-13.3.1", "7523bis-1")
def test_only_a_public_key_of_its_algorithm_is_registered(rule_id: str) -> None:
    """A private key, alone or pasted below the public one, a short key, a key of another kind: refused at once."""
    for algorithm in ALGORITHMS:
        for text in (
            private_pem(algorithm),
            pem(algorithm) + private_pem(algorithm),
            private_pem(algorithm) + pem(algorithm),
            "",
            "x",
        ):
            with pytest.raises(InvalidInput) as caught:
                ClientKey(id="k1", algorithm=algorithm, pem=text)
            assert "PRIVATE" not in str(caught.value)
    small = public(rsa.generate_private_key(public_exponent=65_537, key_size=1_024))  # noqa: S505 - refused for that
    wrong = (("RS256", small), ("ES256", pem("RS256")), ("EdDSA", pem("ES256")), ("RS256", pem("ES256")))
    for algorithm, text in wrong:
        with pytest.raises(InvalidInput, match="expected a public key for"):
            clients.set_keys("c1", [ClientKey(id="k1", algorithm=algorithm, pem=text)])  # type: ignore[arg-type]


@rule("O21-2.1-1", without=swap(AUTHENTICATE + "_problem", lambda *given, **named: iter(())))
def test_an_id_alone_proves_nothing_for_a_confidential_client(rule_id: str) -> None:
    """Who knows the id, which is public, gets no tokens and revokes none."""
    site = Site.make()
    tokens = site.tokens()

    for path, form in (
        ("token", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}),
        ("revoke", {"token": tokens["refresh_token"]}),
    ):
        assert 401 == site.post(path, headers=(), client_id=site.client, **form).status
    assert site.introspect(tokens["access_token"])["active"]


@rule("O21-4.2-1", "BCP-2.4-1", "ASVS-10.4.4", "O21-3.2.4-2")
@pytest.mark.parametrize(
    "kind",
    [
        "client_credentials",
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:device_code",
        "Authorization_Code",
    ],
)
def test_no_other_grant_is_there(rule_id: str, kind: str) -> None:
    """No password, no client credentials, nothing on nobody's behalf: `unsupported_grant_type`."""
    site = Site.make()
    response = site.post("token", grant_type=kind, username="sato", password="x", scope=SCOPES[0])

    assert (400, "unsupported_grant_type") == (response.status, error(response))


@rule("ASVS-16.5.1")
def test_an_unknown_client_and_a_wrong_secret_look_alike(rule_id: str) -> None:
    """The same answer, byte by byte, and nothing written for a client that there is not."""
    site = Site.make()
    wrong = site.post("introspect", headers=(basic(site.client, "wrong"),), token="x")
    before = site.host.dump()
    unknown = site.post("introspect", headers=(basic("nobody", "wrong"),), token="x")

    assert (wrong.status, wrong.headers, wrong.body) == (unknown.status, unknown.headers, unknown.body)
    assert before == site.host.dump()
