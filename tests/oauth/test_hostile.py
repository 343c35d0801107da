"""Whatever is sent, the answer is one that OAuth defines: never an exception, never a 500, never a word of it repeated.

And nothing that happens to a client, its codes and its tokens is up to somebody who is not that client.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given, strategies as st

from extlink.adapters.limits import FailureLimit
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client import Client
from extlink.domain.consent import Consent
from extlink.domain.secret import Secret
from extlink.errors import ExtlinkError, InvalidInput
from extlink.http import AuthorizationServer, Request, Response
from extlink.oauth.assertion import read_assertion
from tests.hosts import dump
from tests.oauth.attacked import (
    ASSERTION_TYPE,
    AUTHORIZE,
    FORM,
    INTROSPECT,
    ISSUER,
    REVOKE,
    SESSION,
    TOKEN,
    Attacked,
    assertion,
    basic,
    in_memory,
    members,
    request,
)
from tests.schedules.world import REDIRECT, VERIFIER
from tests.strange import ANYTHING, Recipe

# RFC 6749 section 5.2.
TELLABLE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
ERRORS = {
    "invalid_request": 400,
    "invalid_client": 401,
    "invalid_grant": 400,
    "invalid_scope": 400,
    "invalid_target": 400,
    "unsupported_grant_type": 400,
}
ENDPOINTS = (TOKEN, REVOKE, INTROSPECT)


def require_clean(answer: Response, sent: str = "") -> None:
    """Require an answer that OAuth defines, with the headers it asks for, that repeats nothing of what was sent."""
    headers = dict(answer.headers)
    assert answer.status in {200, 303, 400, 401, 403, 404, 405}, answer.status
    assert all("\r" not in text and "\n" not in text for pair in answer.headers for text in pair)
    if answer.status in {404, 405}:
        assert b"" == answer.body
        return
    assert "no-store" in headers["Cache-Control"] or "max-age" in headers["Cache-Control"]
    if answer.status >= 400 and headers["Content-Type"].startswith("application/json"):
        said = members(answer)
        assert ERRORS[said["error"]] == answer.status
        assert set(said) <= {"error", "error_description"}
        assert TELLABLE.fullmatch(said.get("error_description", ""))
    if len(sent) > 8 and answer.status != 303:
        assert sent not in answer.body.decode()


# --- One by one --------------------------------------------------------------------------------------------------

GOOD = {"grant_type": "refresh_token", "refresh_token": "xl_rt_junk", "client_id": "c", "client_secret": "s"}
JSON = ("Content-Type", "application/json")
MARK = "canary-canary"


def _posted(body: bytes, *headers: tuple[str, str], path: str = TOKEN, query: str = "") -> Request:
    return Request(method="POST", path=path, headers=headers or (FORM,), body=body, query=query)


HOSTILE: Mapping[str, tuple[Request, str]] = {
    **{
        f"{name} twice": (request(TOKEN, [*GOOD.items(), (name, MARK)]), "invalid_request")
        for name in (*GOOD, "client_assertion", "client_assertion_type")
        if name in GOOD
    },
    **{
        f"no {name}": (request(TOKEN, {**GOOD, name: ""}), error)
        for name, error in (
            ("grant_type", "invalid_request"),
            ("refresh_token", "invalid_request"),
            ("client_id", "invalid_client"),
        )
    },
    "no client at all": (request(TOKEN, {"grant_type": "refresh_token", "refresh_token": MARK}), "invalid_client"),
    "unknown grant": (request(TOKEN, {**GOOD, "grant_type": MARK}), "unsupported_grant_type"),
    "password grant": (request(TOKEN, {**GOOD, "grant_type": "password", "password": MARK}), "unsupported_grant_type"),
    "client credentials": (request(TOKEN, {**GOOD, "grant_type": "client_credentials"}), "unsupported_grant_type"),
    "device code": (
        request(TOKEN, {**GOOD, "grant_type": "urn:ietf:params:oauth:grant-type:device_code"}),
        "unsupported_grant_type",
    ),
    "no body": (_posted(b""), "invalid_client"),
    "JSON": (_posted(json.dumps(GOOD).encode(), JSON), "invalid_request"),
    "JSON that says it is a form": (_posted(json.dumps({**GOOD, "client_id": MARK}).encode()), "invalid_client"),
    "multipart": (_posted(b"--x", ("Content-Type", "multipart/form-data; boundary=x")), "invalid_request"),
    "no type": (_posted(urlencode(GOOD).encode(), ("Accept", "*/*")), "invalid_request"),
    "two types": (_posted(urlencode(GOOD).encode(), FORM, FORM), "invalid_request"),
    "not UTF-8": (_posted(b"grant_type=%ff%fe"), "invalid_request"),
    "UTF-16": (_posted("grant_type=refresh_token".encode("utf-16")), "invalid_request"),
    "overlong UTF-8": (_posted(b"grant_type=%c0%af"), "invalid_request"),
    "a surrogate in UTF-8": (_posted(b"grant_type=%ed%a0%80"), "invalid_request"),
    "half an escape": (_posted(b"grant_type=%a"), "invalid_request"),
    "raw bytes": (_posted(bytes(range(256))), "invalid_request"),
    "a NUL": (_posted(b"grant_type=refresh_token%00"), "invalid_request"),
    "a line break": (_posted(b"grant_type=refresh_token\r\nX: y"), "invalid_request"),
    "64 KiB and one": (_posted(b"a=" + b"b" * 65_535), "invalid_request"),
    "101 parameters": (_posted(b"&".join(b"a%d=b" % number for number in range(101))), "invalid_request"),
    "a secret in the query": (_posted(urlencode(GOOD).encode(), query=f"client_secret={MARK}"), "invalid_request"),
    "a client in the query": (_posted(urlencode(GOOD).encode(), query=f"client_id={MARK}"), "invalid_request"),
    "an assertion in the query": (_posted(urlencode(GOOD).encode(), query="client_assertion=a"), "invalid_request"),
    "a malformed query": (_posted(urlencode(GOOD).encode(), query="%"), "invalid_request"),
    "header and body": (request(TOKEN, GOOD, basic("c", "s")), "invalid_request"),
    "header and assertion": (
        request(TOKEN, {"client_assertion_type": ASSERTION_TYPE, "client_assertion": MARK}, basic("c", "s")),
        "invalid_request",
    ),
    "secret and assertion": (
        request(TOKEN, {**GOOD, "client_assertion_type": ASSERTION_TYPE, "client_assertion": MARK}),
        "invalid_request",
    ),
    "two clients": (request(TOKEN, {"client_id": MARK}, basic("c", "s")), "invalid_request"),
    "two headers": (request(TOKEN, {}, basic("c", "s"), basic("c", "s")), "invalid_request"),
    "a header that is none": (request(TOKEN, {}, ("Authorization", "Basic !!!")), "invalid_client"),
    "a header without a secret": (request(TOKEN, {}, ("Authorization", "Basic Yw==")), "invalid_client"),
    "a bearer for a client": (request(TOKEN, {}, ("Authorization", f"Bearer {MARK}")), "invalid_client"),
    "Latin-1 credentials": (
        request(TOKEN, {}, ("Authorization", "Basic " + base64.b64encode(b"\xe4:\xf6").decode())),
        "invalid_client",
    ),
    "an assertion of an unknown type": (
        request(TOKEN, {"client_assertion_type": "urn:saml2", "client_assertion": MARK}),
        "invalid_client",
    ),
    "resource with a fragment": (request(TOKEN, {**GOOD, "resource": "https://a.example/#b"}), "invalid_target"),
    "eleven resources": (
        request(TOKEN, [*GOOD.items(), *(("resource", f"https://{one}.example") for one in range(11))]),
        "invalid_target",
    ),
    "a scope in quotation marks": (request(TOKEN, {**GOOD, "scope": '"'}), "invalid_scope"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_one_by_one(name: str) -> None:
    """Each is answered with the error that OAuth names for it, and with nothing of what was sent."""
    asked, error = HOSTILE[name]
    target = in_memory()
    before = _everything(target)
    answer = target.server.serve(target.tenant, asked)

    require_clean(answer, MARK)
    assert error == members(answer)["error"]
    assert before == _everything(target)


def _everything(target: Attacked) -> object:
    assert isinstance(target.storage, MemoryStorage)
    return dump(target.storage)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "post", ""])
@pytest.mark.parametrize("path", ENDPOINTS)
def test_other_methods(method: str, path: str) -> None:
    """Only POST is answered; a GET would put secrets into addresses (RFC 6749 section 3.2)."""
    target = in_memory()
    answer = target.server.serve(target.tenant, Request(method=method, path=path, query=urlencode(GOOD)))

    assert (405, (("Allow", "POST"),)) == (answer.status, answer.headers)


# --- Fuzzed ------------------------------------------------------------------------------------------------------


class Victim:
    """A server with a link and a code of `flow`, and texts of every kind that an attacker may have come by."""

    def __init__(self) -> None:
        self.target = in_memory()
        self.tokens = self.target.connected()
        other = self.target.connected("other", scope="k:app_record:read")
        self.code = self.target.code()
        self.texts = [
            self.tokens["access_token"],
            self.tokens["refresh_token"],
            self.code,
            other["access_token"],
            other["refresh_token"],
            self.target.parties["flow"].id,
            self.target.parties["other"].id,
            self.target.parties["other"].secret,
            self.target.parties["browser"].id,
            self.target.parties["signing"].id,
            self.target.proof("1")["client_assertion"],
            VERIFIER,
            REDIRECT,
            ISSUER,
        ]

    def lives(self) -> bool:
        """Whether what belongs to `flow` is as good as before: nobody but `flow` could end it."""
        active = self.target.is_active(self.tokens["access_token"], "api")
        redeemed = self.target.server.serve(self.target.tenant, self.target.redemption(self.code))
        return active and redeemed.status == 200


NAMES = (
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "resource",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "token",
    "token_type_hint",
    "response_type",
    "state",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "response_mode",
    "scope[a]",
    "__proto__",
    "consent",
    "answer",
)
WORDS = ("authorization_code", "refresh_token", "access_token", "code", "S256", "plain", ASSERTION_TYPE, "accept", "")
PLACES = st.integers(0, 13)


@st.composite
def requests(draw: st.DrawFn) -> Callable[[Victim], Request]:
    """Draw a request: mostly well-formed parts in wrong places, with real tokens of all kinds, sometimes noise."""
    path = draw(st.sampled_from([*ENDPOINTS, TOKEN, AUTHORIZE, "/oauth2/consent", "/", "/oauth2/token/"]))
    method = draw(st.sampled_from(["POST", "POST", "POST", "GET", "PUT"]))
    values = st.one_of(
        PLACES,
        st.sampled_from(WORDS),
        st.text(max_size=30),
        st.sampled_from(
            ["x" * 5_000, "\U0001f4a3", "%00", "a\r\nSet-Cookie: a=b", "' OR 1=1 --", "../../etc", "{{7*7}}"]
        ),
    )
    pairs = draw(st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=9))
    noise = draw(st.one_of(st.none(), st.none(), st.none(), st.binary(max_size=60)))
    header = draw(st.sampled_from(["none", "none", "other", "junk", "bearer", "noise"]))
    query = draw(st.one_of(st.just(""), st.text(max_size=20), st.sampled_from(["client_id=a", "a=%zz", "a&&=&"])))
    kind = draw(st.sampled_from([FORM, FORM, FORM, JSON, ("content-type", FORM[1].upper() + ";charset=utf-7")]))
    junk = draw(st.text(max_size=20))

    def made(victim: Victim) -> Request:
        form = [(name, victim.texts[value] if isinstance(value, int) else value) for name, value in pairs]
        other = victim.target.parties["other"]
        headers = {
            "none": (),
            "other": (basic(other.id, other.secret),),
            "junk": (basic(junk, victim.texts[0]),) if junk.isascii() else (),
            "bearer": (("Authorization", f"Bearer {victim.texts[0]}"),),
            "noise": (("Authorization", junk),),
        }[header]
        body = urlencode(form, errors="replace").encode() if noise is None else noise
        return Request(method=method, path=path, query=query, headers=(kind, *headers), body=body)

    return made


@given(made=st.lists(requests(), min_size=1, max_size=8))
def test_nothing_sent_ends_what_is_anothers(made: list[Callable[[Victim], Request]]) -> None:
    """Eight requests of somebody who knows everything but `flow`'s secret: clean answers, and `flow` lives."""
    victim = Victim()
    for one in made:
        asked = one(victim)
        require_clean(victim.target.server.serve(victim.target.tenant, asked))
        for step in (
            victim.target.server.authorize(asked, session=SESSION),
            victim.target.server.answer(asked, session=SESSION),
        ):
            answer = step if isinstance(step, Response) else step.run(victim.target.user)
            require_clean(answer)
            _require_no_open_redirector(answer)

    assert victim.lives()


def _require_no_open_redirector(answer: Response) -> None:
    for name, value in answer.headers:
        if name == "Location":
            assert value.startswith(REDIRECT + "?"), value


@given(recipes=st.lists(ANYTHING, min_size=6, max_size=6))
def test_any_object_in_place_of_a_request(recipes: list[Recipe]) -> None:
    """A framework that hands over bytes, None or worse is told so, with an error of extlink's own."""
    made = [_made(recipe) for recipe in recipes]
    server, tenant = in_memory().server, in_memory().tenant
    names = ("method", "path", "query", "headers", "body", "address")
    good: dict[str, Any] = {"method": "POST", "path": TOKEN, "headers": (FORM,), "body": urlencode(GOOD).encode()}
    for name, value in zip(names, made, strict=True):
        try:
            answer = server.serve(tenant, Request(**{**good, name: value}))
        except ExtlinkError:
            continue
        assert answer.status in {200, 400, 401, 404, 405}


def _made(recipe: Recipe) -> object:
    return recipe.make() if hasattr(recipe, "make") else recipe


# --- Assertions --------------------------------------------------------------------------------------------------


def _claims(target: Attacked, **other: object) -> dict[str, object]:
    who = target.parties["signing"].id
    return {"iss": who, "sub": who, "aud": ISSUER, "jti": "j", "exp": 1_591_660_900, **other}


ASSERTIONS: Mapping[str, Callable[[Attacked], str]] = {
    "junk": lambda target: "a.b.c",
    "a lone surrogate": lambda target: assertion(_claims(target, iss="\ud800", sub="\ud800")),
    "an id of 200 characters": lambda target: assertion(_claims(target, iss="i" * 200, sub="i" * 200)),
    "no subject": lambda target: assertion(_claims(target, sub=None)),
    "another subject": lambda target: assertion(_claims(target, sub=target.parties["flow"].id)),
    "another client's": lambda target: assertion(
        _claims(target, iss=target.parties["flow"].id, sub=target.parties["flow"].id)
    ),
    "the token endpoint as audience": lambda target: assertion(_claims(target, aud=f"{ISSUER}{TOKEN}")),
    "two audiences": lambda target: assertion(_claims(target, aud=[ISSUER])),
    "no expiry": lambda target: assertion(_claims(target, exp=None)),
    "expired": lambda target: assertion(_claims(target, exp=1_591_660_799)),
    "for ever": lambda target: assertion(_claims(target, exp=2**52)),
    "an expiry as text": lambda target: assertion(_claims(target, exp="1591660900")),
    "not a number": lambda target: assertion(_claims(target, exp=float("nan"))),
    "not yet": lambda target: assertion(_claims(target, nbf=1_591_660_890)),
    "unsigned": lambda target: assertion(_claims(target), {"alg": "none"}).rpartition(".")[0] + ".",
    "alg none": lambda target: assertion(_claims(target), {"alg": "none"}),
    "alg HS256": lambda target: assertion(_claims(target), {"alg": "HS256"}),
    "alg of another key": lambda target: assertion(_claims(target), {"alg": "RS256", "kid": "k1"}),
    "unknown key": lambda target: assertion(_claims(target), {"alg": "ES256", "kid": "k2"}),
    "critical": lambda target: assertion(_claims(target), {"alg": "ES256", "crit": ["b64"]}),
    "another type": lambda target: assertion(_claims(target), {"alg": "ES256", "typ": "at+jwt"}),
    "deep": lambda target: f"{base64.urlsafe_b64encode(b'[' * 5_000).decode().rstrip('=')}.e30.AA",
    "signature cut": lambda target: assertion(_claims(target))[:-4],
    "no id": lambda target: assertion(_claims(target, jti="")),
}


@pytest.mark.parametrize("name", ASSERTIONS)
def test_hostile_assertions(name: str) -> None:
    """Each gets the same answer as an unknown client, byte by byte."""
    target = in_memory()
    shown = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": ASSERTIONS[name](target)}
    answer = target.server.serve(target.tenant, request(INTROSPECT, {"token": "xl_at_junk", **shown}))

    assert _unknown(target) == answer


def test_the_assertion_that_all_of_them_are_made_from_is_good() -> None:
    """The control: without anything wrong the client is let in."""
    target = in_memory()
    good = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion(_claims(target))}

    assert 200 == target.server.serve(target.tenant, request(INTROSPECT, {"token": "x", **good})).status


def _unknown(target: Attacked) -> Response:
    return target.server.serve(
        target.tenant, request(INTROSPECT, {"token": "x", "client_id": "nobody", "client_secret": "x"})
    )


# --- The user's part ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        REDIRECT + "/",
        REDIRECT + "?a=b",
        REDIRECT + "#x",
        REDIRECT.upper(),
        REDIRECT.replace("https", "http"),
        REDIRECT.replace("://", "://user@"),
        REDIRECT + "/../evil",
        REDIRECT + "%2f",
        "https://evil.example/redirect",
        "https://global.consent.azure-apim.net.evil.example/redirect",
        "javascript:alert(1)",
        "//evil.example",
        "\r\nLocation: https://evil.example",
        "http://127.0.0.1:80@evil.example/",
    ],
)
def test_a_redirect_uri_that_is_not_registered(uri: str) -> None:
    """Nothing is redirected, whatever else is wrong or right: the user is told (OAuth 2.1 section 2.3.5)."""
    target = in_memory()
    for more in ({}, {"response_type": "token"}, {"scope": "nonsense"}, {"code_challenge": "short"}):
        answer = target.asked(redirect_uri=uri, **more)

        assert isinstance(answer, Response)
        assert 400 == answer.status
        assert "Location" not in dict(answer.headers)
        assert b"evil" not in answer.body


@given(state=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=60))
def test_the_state_comes_back_as_it_was(state: str) -> None:
    """Whatever printable state a client sends comes back with the error and with the code, in one line."""
    target = in_memory()
    refused, consent = target.asked(state=state, scope="nonsense"), target.asked(state=state)
    assert isinstance(refused, Response)
    assert isinstance(consent, Consent)

    for answer in (refused, target.answer(consent)):
        location = dict(answer.headers)["Location"]
        assert [("state", state)] == [pair for pair in parse_qsl(urlsplit(location).query) if pair[0] == "state"]
        assert re.fullmatch(r"[\x21-\x7e]+", location)


@pytest.mark.parametrize("scope", ["\x01", "x" * 60_000, "nonsense", " ", '"'])
def test_a_consent_form_with_a_scope_that_was_not_asked_for(scope: str) -> None:
    """No exception comes out, no code, and the consent can still be given."""
    target = in_memory()
    consent = target.asked()
    assert isinstance(consent, Consent)

    assert 400 == target.answer(consent, scope=scope).status
    assert 303 == target.answer(consent).status


def test_a_consent_form_whose_scopes_were_all_unticked() -> None:
    """A field that is there and empty is no yes to everything; a field that is not there is one."""
    target = in_memory()
    consent = target.asked()
    assert isinstance(consent, Consent)

    assert 400 == target.answer(consent, scope="").status
    assert 303 == target.answer(consent, scope="k:app_record:read").status


@pytest.mark.parametrize("field", ["consent", "answer", "scope"])
def test_a_consent_form_with_a_field_twice(field: str) -> None:
    """Two answers are no answer."""
    target = in_memory()
    consent = target.asked()
    assert isinstance(consent, Consent)
    form = [("consent", consent.token.reveal()), ("answer", "accept"), ("scope", "k:app_record:read")]
    step = target.server.answer(request("/oauth2/consent", [*form, (field, "accept")]), session=SESSION)

    assert isinstance(step, Response)
    assert 400 == step.status


@pytest.mark.parametrize("token", ["", "x", "xl_cs_", "xl_cs_k1" + "A" * 70_000 + "." + "A" * 43])
def test_a_consent_token_that_is_none(token: str) -> None:
    """It is answered, and nothing is made."""
    target = in_memory()
    form = {"consent": token, "answer": "accept"}
    step = target.server.answer(request("/oauth2/consent", form), session=SESSION)
    answer = step if isinstance(step, Response) else step.run(target.user)

    assert 400 == answer.status


def test_a_consent_of_another_session_or_user() -> None:
    """A consent token that was stolen from one browser is worth nothing in another (RFC 6749 section 10.12)."""
    target = in_memory()
    consent = target.asked()
    assert isinstance(consent, Consent)
    form = request("/oauth2/consent", {"consent": consent.token.reveal(), "answer": "accept"})
    for session, user in (("another", "sato"), (SESSION, "suzuki"), ("another", "suzuki")):
        step = target.server.answer(form, session=session)
        assert not isinstance(step, Response)
        assert 400 == step.run(target.tenant.acting_as(user)).status

    assert 303 == target.answer(consent).status


# --- The limit ---------------------------------------------------------------------------------------------------


class Names:
    """A limit that admits everybody and writes down under which names failures were counted."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def admits(self, client: str) -> bool:
        return True

    def failed(self, client: str) -> None:
        self.failures.append(client)


def test_failures_are_counted_under_short_names_of_their_own() -> None:
    """An endless name counts for nobody, since it is none; an assertion counts for the client that it names."""
    names = Names()
    target = in_memory(limit=names)
    flow, signing = target.parties["flow"].id, target.parties["signing"].id
    wrong = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion(_claims(target, aud="x"))}
    for shown in (
        {"client_id": flow, "client_secret": "wrong"},
        {"client_id": "n" * 50_000, "client_secret": "wrong"},
        wrong,
        {**wrong, "client_assertion": "junk"},
    ):
        assert 401 == target.server.serve(target.tenant, request(INTROSPECT, {"token": "x", **shown})).status

    assert [flow, "", signing, ""] == names.failures


def test_a_client_that_waits_learns_nothing() -> None:
    """Behind the limit a right secret, a wrong one and an unknown client get the same answer, and when to come back."""
    target = in_memory(limit=FailureLimit(failures=2))
    flow = target.parties["flow"]
    for name in (flow.id, "nobody"):
        for _ in range(2):
            form = {"token": "x", "client_id": name, "client_secret": "wrong"}
            assert 401 == target.server.serve(target.tenant, request(INTROSPECT, form)).status
    shown = [{"client_id": flow.id, "client_secret": secret} for secret in (flow.secret, "wrong")]
    shown.append({"client_id": "nobody", "client_secret": "wrong"})
    answers = [target.server.serve(target.tenant, request(INTROSPECT, {"token": "x", **one})) for one in shown]

    assert [answers[0]] * 3 == answers
    assert (429, "60") == (answers[0].status, dict(answers[0].headers)["Retry-After"])
    assert target.call(INTROSPECT, "other", token="x").status == 200


def test_an_issuer_is_no_free_text() -> None:
    """The server itself is built from a parsed issuer, or not at all."""
    for issuer in (
        "http://example.com",
        "https://example.com?a",
        "https://exa mple.com",
        "",
        None,
        Secret("x"),
        Client,
    ):
        with pytest.raises(InvalidInput):
            AuthorizationServer(issuer)  # type: ignore[arg-type] # that is the test


def test_an_oversized_assertion_is_not_parsed() -> None:
    """Nothing is decoded of what is longer than any real assertion."""
    assert read_assertion(Secret(assertion({"iss": "a" * 9_000}))) is None
