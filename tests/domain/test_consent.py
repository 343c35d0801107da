from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given, strategies as st

from extlink.domain.client import Client
from extlink.domain.consent import ConsentRequest, parse_challenge, parse_redirect_uri
from extlink.domain.identifier import LinkId, Scope, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.errors import InvalidInput

# RFC 7636 appendix B.
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CONFIDENTIAL: Final = Client("c1")
WAIVED: Final = Client("c1", pkce="waived_for_confidential_client")
PUBLIC: Final = Client("spa", kind="public")


@pytest.mark.parametrize(
    "uri",
    [
        "https://global.consent.azure-apim.net/redirect",
        "https://client.example",
        "https://client.example/",
        "https://client.example:8443/cb?from=extlink&x=%E4%BD%90",
        "https://xn--r8jz45g.example/cb",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:51004/cb",
        "http://[::1]:51004/cb",
        "https://client.example/" + "a" * (2_000 - len("https://client.example/")),
    ],
)
def test_redirect_uris_that_are_taken(uri: str) -> None:
    """RFC 9700 2.6: https, or http on a loopback address; the text stays as it is, character by character."""
    assert uri == parse_redirect_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://client.example/cb",
        "http://localhost/cb",
        "http://127.0.0.2/cb",
        "http://10.0.0.1/cb",
        "http://[::2]/cb",
        "ftp://client.example/cb",
        "javascript:alert(1)",
        "myapp:/cb",
        "//client.example/cb",
        "/cb",
        "",
        "https://",
        "https:///cb",
        "https://client.example/cb#fragment",
        "https://client.example#",
        "https://user@client.example/cb",
        "https://user:secret@client.example/cb",
        "https://client.example@evil.example/cb",
        "https://client.example\\@evil.example/cb",
        "https://client.example?x=1",
        "https://client.example/cb with blank",
        "https://client.example/cb\n",
        "https://client.example/cb\r\nLocation: https://evil.example",
        "https://client.example/佐藤",
        "https://例え.example/cb",
        "HTTPS://client.example/cb",
        " https://client.example/cb",
        'https://client.example/"',
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:99999999/cb",
        "https://client.example/" + "a" * 2_000,
        None,
        7,
        b"https://client.example/cb",
    ],
)
def test_redirect_uris_that_are_refused(uri: object) -> None:
    """No plain http, no fragment, no user information, no control characters, nothing relative, nothing too long."""
    with pytest.raises(InvalidInput, match="redirect_uri"):
        parse_redirect_uri(uri)


@pytest.mark.parametrize("client", [CONFIDENTIAL, WAIVED, PUBLIC], ids=["confidential", "waived", "public"])
def test_a_challenge_is_taken_from_every_client(client: Client) -> None:
    """RFC 7636: 43 characters of base64url, as S256 gives; a client that may omit it may send it."""
    assert CHALLENGE == parse_challenge(CHALLENGE, client)


def test_only_a_named_waiver_lets_a_client_omit_the_challenge() -> None:
    """RFC 9700 2.1.1: public clients must send one, confidential ones unless the host waived it by name."""
    assert parse_challenge(None, WAIVED) is None
    for client in (CONFIDENTIAL, PUBLIC):
        with pytest.raises(InvalidInput, match="code_challenge: expected a PKCE challenge"):
            parse_challenge(None, client)


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "plain",
        CHALLENGE[:-1],
        CHALLENGE + "A",
        CHALLENGE + "=",
        CHALLENGE + "\n",
        CHALLENGE.replace("-", "+"),
        CHALLENGE[:-1] + "佐",
        7,
        CHALLENGE.encode(),
    ],
)
def test_challenges_that_are_refused(challenge: object) -> None:
    """No other method is offered, so anything but 43 characters of base64url is malformed, waiver or not."""
    for client in (CONFIDENTIAL, WAIVED):
        with pytest.raises(InvalidInput, match="43 characters of base64url"):
            parse_challenge(challenge, client)


IDS: Final = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
CLIENTS: Final = st.sampled_from([CONFIDENTIAL, WAIVED, PUBLIC, Client("佐藤")])


@given(
    user=IDS,
    service=IDS,
    client=CLIENTS,
    scopes=st.frozensets(st.sampled_from(["k:file:read", "k:file:write", "chat:write"]), min_size=1),
    challenge=st.none() | st.just(CHALLENGE),
    resource=st.none() | IDS,
    expires=st.integers(0, 2**40),
)
def test_a_request_survives_the_round_trip(
    user: str,
    service: str,
    client: Client,
    scopes: frozenset[str],
    challenge: str | None,
    resource: str | None,
    expires: int,
) -> None:
    """What the form sends back is what the page showed, to the last field."""
    request = ConsentRequest(
        user=UserId(user),
        service=ServiceId(service),
        client=client,
        redirect_uri="https://client.example/cb",
        scopes=frozenset(Scope(scope) for scope in scopes),
        challenge=challenge,
        resource=resource,
        link=LinkId("AAAAAAAAAAAAAAAAAAAAAA"),
        expires=Instant(expires),
    )

    assert request == ConsentRequest.unpack(request.pack())


def test_a_request_of_another_release_is_not_guessed_at() -> None:
    """Authentic bytes of another form are no request: the page is asked anew."""
    assert ConsentRequest.unpack(b"[0]") is None
    assert ConsentRequest.unpack(b'["sato","slack"]') is None


@given(value=st.none() | st.integers() | st.text() | st.binary() | st.lists(st.text()))
def test_any_object_gives_a_value_or_an_error_of_ours(value: Any) -> None:
    """Whatever a client sends on."""
    for parse in (parse_redirect_uri, lambda one: parse_challenge(one, CONFIDENTIAL)):
        try:
            parsed = parse(value)
        except InvalidInput:
            continue
        assert value == parsed
