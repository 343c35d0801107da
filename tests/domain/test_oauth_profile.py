"""OAuth profiles: addresses and templates that may be held, what is sent by them, and that no credential is held."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain.oauth_profile import (
    SCOPE_DELIMITERS,
    FormPost,
    OAuthProfile,
    RequestTemplates,
    parse_body,
    parse_endpoint,
    parse_query,
)
from extlink.domain.secret import Secret
from extlink.domain.template import parse_template
from extlink.errors import ExtlinkError, InvalidInput

VALUES: dict[str, str | Secret] = {
    "ClientId": "c1",
    "ClientSecret": Secret("s&1"),
    "RedirectUrl": "https://host.example/cb?x=1",
    "Scopes": "a b",
    "State": "st",
    "Code": "co",
    "RefreshToken": "rt",
    "CodeChallenge": "ch",
    "CodeVerifier": "ve",
}
AUTHORIZE, TOKEN, REFRESH = (f"https://example.com/{name}" for name in ("authorize", "token", "refresh"))


def profile(**changes: Any) -> OAuthProfile:
    """Return a small legal profile with some fields changed."""
    return OAuthProfile(**{"authorization_url": AUTHORIZE, "token_url": TOKEN} | changes)


def form(post: FormPost) -> dict[str, str]:
    """Return the parameters of a body as a server reads them."""
    return dict(parse_qsl(post.body.reveal(), keep_blank_values=True, strict_parsing=True))


# --- What is sent --------------------------------------------------------------------------------------------------


def test_without_templates_what_rfc_6749_says_is_sent() -> None:
    """Sections 4.1.1, 4.1.3 and 6, with the challenge of RFC 7636."""
    told = profile()
    asked = dict(parse_qsl(urlsplit(told.authorization_request(VALUES)).query))

    assert {
        "response_type": "code",
        "client_id": "c1",
        "redirect_uri": "https://host.example/cb?x=1",
        "scope": "a b",
        "state": "st",
        "code_challenge": "ch",
        "code_challenge_method": "S256",
    } == asked
    assert TOKEN == told.token_request(VALUES).url
    assert {
        "grant_type": "authorization_code",
        "code": "co",
        "redirect_uri": "https://host.example/cb?x=1",
        "code_verifier": "ve",
    } == form(told.token_request(VALUES))
    assert {"grant_type": "refresh_token", "refresh_token": "rt"} == form(told.refresh_request(VALUES))


@pytest.mark.parametrize(
    ("method", "kind", "extra"),
    [
        (None, "confidential", {}),
        ("basic", "confidential", {}),
        ("body", "confidential", {"client_id": "c1", "client_secret": "s&1"}),
        ("none", "public", {"client_id": "c1"}),
    ],
)
def test_how_the_client_shows_who_it_is_decides_on_the_bodies(method: Any, kind: Any, extra: dict[str, str]) -> None:
    """RFC 6749 section 2.3.1: only who authenticates in the body sends the secret in it."""
    told = profile(client_authentication=method, kind=kind)

    for body in (form(told.token_request(VALUES)), form(told.refresh_request(VALUES))):
        assert extra == {name: body[name] for name in body if name.startswith("client_")}


def test_a_client_that_is_exempted_sends_no_challenge() -> None:
    """What sends none says so, and its values need none."""
    told = profile(pkce="waived_for_confidential_client")

    assert "code_challenge" not in told.authorization_request(VALUES)
    assert "code_verifier" not in form(told.token_request(VALUES))


def test_the_definitions_own_templates_are_sent_as_they_are() -> None:
    """A vendor's template replaces the default of its request alone; queries are joined to what the address has."""
    own = RequestTemplates(
        authorization_query="?client_id={clientid}&acr_values=tenantName:{OrgName}",
        token_query="?env={Env}",
        refresh_body="code={Code}&grant_type=authorization_code",
    )
    told = profile(authorization_url=f"{AUTHORIZE}?name=flow&", refresh_url=f"{REFRESH}?op=refresh", templates=own)
    values = VALUES | {"OrgName": "a b", "Env": "test"}

    assert f"{AUTHORIZE}?name=flow&client_id=c1&acr_values=tenantName:a%20b" == told.authorization_request(values)
    assert f"{TOKEN}?env=test" == told.token_request(values).url
    assert "authorization_code" == form(told.token_request(values))["grant_type"]
    assert FormPost(f"{REFRESH}?op=refresh", Secret("code=co&grant_type=authorization_code")) == told.refresh_request(
        values
    )
    assert own.refresh_body == told.sent().refresh_body


@pytest.mark.parametrize(
    ("url", "query", "expected"),
    [
        ("https://e.com/a", "?x=1", "https://e.com/a?x=1"),
        ("https://e.com/a?", "?x=1", "https://e.com/a?x=1"),
        ("https://e.com/a?b=c", "?x=1", "https://e.com/a?b=c&x=1"),
        ("https://e.com/a?b=c&", "?x=1", "https://e.com/a?b=c&x=1"),
        ("https://e.com/#/a", "?x=1", "https://e.com/#/a?x=1"),
        ("https://e.com/a", "/new?x=1", "https://e.com/a/new?x=1"),
    ],
)
def test_a_query_is_added_to_an_address(url: str, query: str, expected: str) -> None:
    """What an address has is kept (RFC 6749 section 3.1); some have a path in their query."""
    told = profile(authorization_url=url, templates=RequestTemplates(authorization_query=query))

    assert expected == told.authorization_request({})


def test_refreshing_goes_to_the_token_endpoint_unless_another_is_named() -> None:
    """RFC 6749 section 6."""
    assert TOKEN == profile().refresh_request(VALUES).url
    assert REFRESH == profile(refresh_url=REFRESH).refresh_request(VALUES).url


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (OAuthProfile().authorization_request, "authorization_url"),
        (OAuthProfile().token_request, "token_url"),
        (OAuthProfile().refresh_request, "refresh_url"),
        (profile().token_request, "values"),
    ],
)
def test_what_cannot_be_sent_is_refused(ask: Any, field: str) -> None:
    """A definition without an address, or a value that is missing."""
    with pytest.raises(InvalidInput) as refusal:
        ask({})

    assert field == refusal.value.field


def test_what_is_posted_shows_itself_nowhere() -> None:
    """The body holds the secret and the token; its repr does not."""
    assert "s%261" in profile(client_authentication="body").token_request(VALUES).body.reveal()
    assert "s%261" not in repr(profile(client_authentication="body").token_request(VALUES))


def test_the_connection_is_asked_for_what_the_protocol_does_not_give() -> None:
    """Each once, in any spelling; the protocol's own are not asked for."""
    told = profile(
        authorization_url="https://{Region}.example.com/{tenantId}",
        token_url="https://{region}.example.com/token",
        templates=RequestTemplates(token_body="code={code}&client_id={AppClientId}&client_secret={AppClientSecret}"),
    )

    assert ("Region", "tenantId", "AppClientId", "AppClientSecret") == told.connection_parameters
    assert () == profile().connection_parameters


@given(st.sampled_from(SCOPE_DELIMITERS), st.lists(st.from_regex(r"[a-z:]{1,5}", fullmatch=True), max_size=4))
def test_scopes_are_joined_by_the_delimiter(delimiter: str, scopes: list[str]) -> None:
    """The text that goes into `{Scopes}`."""
    assert delimiter.join(scopes) == profile(scope_delimiter=delimiter).scope_text(scopes)


# --- What may be held ----------------------------------------------------------------------------------------------

SECRETIVE = [
    ("token_body", RequestTemplates, "grant_type=x&client_secret=hunter2"),
    ("token_body", RequestTemplates, "client_id=hunter2&code={Code}"),
    ("token_body", RequestTemplates, "client_secret=hunter2{ClientSecret}"),
    ("token_body", RequestTemplates, "CLIENT%5FSECRET=hunter2"),
    ("refresh_body", RequestTemplates, "refresh_token=hunter2"),
    ("refresh_body", RequestTemplates, "password=hunter2"),
    ("authorization_query", RequestTemplates, "?client_id=hunter2"),
    ("authorization_query", RequestTemplates, "?client_secret={ClientSecret}"),
    ("token_query", RequestTemplates, "?key={ClientSecret}"),
    ("token_query", RequestTemplates, "?code={Code}"),
    ("refresh_query", RequestTemplates, "/x?t={RefreshToken}"),
    ("authorization_url", OAuthProfile, "https://example.com/?client_id=hunter2"),
    ("token_url", OAuthProfile, "https://example.com/?client_secret=hunter2"),
    ("token_url", OAuthProfile, "https://example.com/{ClientSecret}/token"),
    ("token_url", OAuthProfile, "https://user:hunter2@example.com/token"),
    ("refresh_url", OAuthProfile, "https://example.com/?refresh_token={RefreshToken}"),
    ("revocation_url", OAuthProfile, "https://example.com/?a=b;password=hunter2"),
]


def check_refused(build: Any, field: str, text: str) -> None:
    """Require that a text with a credential is refused, by its field and without showing it."""
    with pytest.raises(InvalidInput) as refusal:
        build(**{field: text})

    assert field == refusal.value.field
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(("field", "build", "text"), SECRETIVE)
def test_a_definition_holds_no_credential(field: str, build: Any, text: str) -> None:
    """A credential as text is refused, and one that would be sent in an address; the message does not show it."""
    check_refused(build, field, text)


def test_a_definition_that_holds_any_template_is_caught() -> None:
    """The broken twin: it looks at the form of a text alone."""

    def careless(**texts: str) -> list[str]:
        return [parse_template(text, field) for field, text in texts.items()]

    for field, _, text in SECRETIVE[:4]:
        with pytest.raises(pytest.fail.Exception):
            check_refused(careless, field, text)


@pytest.mark.parametrize(
    ("field", "build", "value"),
    [
        ("authorization_url", OAuthProfile, "http://example.com/"),
        ("authorization_url", OAuthProfile, "/Authorization"),
        ("authorization_url", OAuthProfile, "https://"),
        ("authorization_url", OAuthProfile, "https:///path"),
        ("authorization_url", OAuthProfile, "https://<replace me>"),
        ("authorization_url", OAuthProfile, ""),
        ("authorization_url", OAuthProfile, 7),
        ("token_url", OAuthProfile, "https://example.com/#/token"),
        ("token_url", OAuthProfile, "https://Example.com/token"),
        ("token_url", OAuthProfile, "https://[::1]/token"),
        ("token_url", OAuthProfile, "https://{Sub}@example.com/"),
        ("scope_delimiter", OAuthProfile, ""),
        ("scope_delimiter", OAuthProfile, "ab"),
        ("scope_delimiter", OAuthProfile, None),
        ("client_authentication", OAuthProfile, "jwt"),
        ("client_authentication", OAuthProfile, "none"),
        ("templates", OAuthProfile, None),
        ("templates", OAuthProfile, {}),
        ("authorization_query", RequestTemplates, "client_id={ClientId}"),
        ("authorization_query", RequestTemplates, "?a=b#c"),
        ("token_query", RequestTemplates, None),
        ("token_body", RequestTemplates, "?a=b"),
        ("token_body", RequestTemplates, "{a}=b"),
        ("token_body", RequestTemplates, "a=b&&c=d"),
        ("token_body", RequestTemplates, "ab"),
        ("token_body", RequestTemplates, "=b"),
        ("refresh_body", RequestTemplates, b"a=b"),
    ],
)
def test_what_is_malformed_is_refused(field: str, build: Any, value: object) -> None:
    """The field is named."""
    with pytest.raises(InvalidInput) as refusal:
        build(**{field: value})

    assert field == refusal.value.field


def test_a_public_client_shows_no_secret() -> None:
    """`public` and `none` belong together."""
    with pytest.raises(InvalidInput, match=r"^client_authentication: expected 'none' for a public client alone"):
        OAuthProfile(kind="public", client_authentication="body")
    assert "none" == OAuthProfile(kind="public", client_authentication="none").client_authentication


def test_only_a_browser_goes_to_a_fragment() -> None:
    """Some vendors' sign-in pages have one; a server would never see it."""
    assert "https://e.com/#/authorize" == parse_endpoint("https://e.com/#/authorize", "url", fragment=True)


def test_a_profile_is_a_value() -> None:
    """It is compared, hashed and evolved like every part of a definition."""
    assert profile() == attrs.evolve(profile(refresh_url=REFRESH), refresh_url=None)
    assert hash(profile()) == hash(profile())


ANYTHING = st.one_of(st.none(), st.integers(), st.text(), st.binary())
PIECES = st.lists(
    st.sampled_from(["https://", "e.com", "/", "?", "#", "client_secret", "=", "{Code}", "&", "%3d", "x"])
)


@given(st.sampled_from([parse_endpoint, parse_query, parse_body]), st.one_of(ANYTHING, PIECES.map("".join)))
def test_anything_is_held_or_refused(parse: Any, value: Any) -> None:
    """Law 13: the text itself comes back, or an `ExtlinkError`."""
    try:
        assert value == parse(value, "field")
    except ExtlinkError as error:
        assert str(error).isascii()  # noqa: PT017 - any value may be refused, and none must be
