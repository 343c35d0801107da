"""Tokens that name their link: what is authentic, and what dies without a look at any store."""

from __future__ import annotations

import base64
import hashlib
import hmac
import pickle
import re
from typing import cast

import pytest
from hypothesis import given, strategies as st

from extlink.domain.identifier import LinkId, TenantId
from extlink.domain.secret import Secret
from extlink.domain.token import RANDOM_BYTES, KeyRing, Token, TokenKind, _Keyed, client_secret, link_id, tenant_tag
from extlink.errors import InvalidInput, Misconfigured

ACME, OTHER = TenantId("acme"), TenantId("other")
LINK = LinkId("AAECAwQFBgcICQoLDA0ODw")
MATERIAL = "5e" * 32
RING = KeyRing({"k1": Secret(MATERIAL)}, current="k1")
RANDOM = bytes(range(RANDOM_BYTES))
FORM = re.compile(
    r"xl_(at|rt|ac)_[a-z2-7]{8}_k1[A-Za-z0-9_-]{22}\.[0-9]+\.[A-Za-z0-9_-]{27}\.[A-Za-z0-9_-]{16}", re.ASCII
)
ALPHABET = "ABCXYZabcxyz0189-._~"


def _token(kind: TokenKind = TokenKind.ACCESS, generation: int = 7, key_id: str = "k1") -> Token:
    return Token(kind, LINK, generation, key_id)


def _text(token: Token | None = None) -> str:
    return RING.mint(ACME, token or _token(), RANDOM).reveal()


@pytest.mark.parametrize("kind", TokenKind)
def test_a_token_says_what_it_is(kind: TokenKind) -> None:
    """The text has its form, and opened it says kind, link, generation and key."""
    text = _text(_token(kind))

    presented = RING.open(ACME, Secret(text))

    assert FORM.fullmatch(text)
    assert presented is not None
    assert _token(kind) == presented.token


def test_a_token_is_made_of_characters_that_clients_need_not_encode() -> None:
    """Only unreserved characters: clients that do not form-encode credentials do not fail on it."""
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", _text())


@given(
    kind=st.sampled_from(TokenKind),
    generation=st.integers(0, 9_999_999_999),
    random=st.binary(min_size=20, max_size=20),
)
def test_what_is_minted_is_authentic(kind: TokenKind, generation: int, random: bytes) -> None:
    """Every token that is made opens again, and the digest that is kept is that of the text that is shown."""
    token = _token(kind, generation)
    secret = RING.mint(ACME, token, random)

    presented = RING.open(ACME, secret)

    assert presented is not None
    assert (token, RING.digest(ACME, token, secret)) == (presented.token, presented.digest)


def test_every_altered_character_is_noticed() -> None:
    """Whatever stands at whichever place instead, the text is no token of ours."""
    text = _text()

    for place, letter in enumerate(text):
        for other in ALPHABET:
            if other != letter:
                assert RING.open(ACME, text[:place] + other + text[place + 1 :]) is None


def test_every_shorter_and_longer_text_is_noticed() -> None:
    """Nothing may be cut off, doubled or added at any place."""
    text = _text()

    for place in range(len(text)):
        assert RING.open(ACME, text[:place]) is None
        assert RING.open(ACME, text[place + 1 :]) is None
        assert RING.open(ACME, text[:place] + text[place] + text[place:]) is None
        assert RING.open(ACME, text[:place] + text[place + 1 :]) is None
    for added in ("\n", "\0", " ", "=", "."):
        assert RING.open(ACME, text + added) is None
        assert RING.open(ACME, added + text) is None


def test_parts_of_two_tokens_do_not_make_a_third() -> None:
    """The kind, link, generation, random part and MAC of one token fit no other."""
    one = _text().split(".")
    other = (
        RING.mint(ACME, Token(TokenKind.REFRESH, LinkId("B" * 22), 8, "k1"), bytes(RANDOM_BYTES)).reveal().split(".")
    )

    for place in range(len(one)):
        mixed = ".".join([*one[:place], other[place], *one[place + 1 :]])
        assert RING.open(ACME, mixed) is None


@pytest.mark.parametrize("generation", ["07", "-7", "+7", "7_", "\uff17", "", "99999999999"])
def test_a_generation_has_one_form(generation: str) -> None:
    """No leading zero, sign, other digit or length beyond ten is read, even with a right MAC."""
    body = _text().replace(".7.", f".{generation}.").rpartition(".")[0]
    key = RING._keys["k1"]
    mac = key.mac(ACME.encode() + b"\0" + body.encode())[:12]

    assert RING.open(ACME, f"{body}.{base64.urlsafe_b64encode(mac).decode()}") is None


def test_a_token_is_one_tenants() -> None:
    """Shown to another tenant it is no token at all, and its digest would be another one."""
    assert RING.open(OTHER, _text()) is None
    assert RING.digest(ACME, _token(), Secret("x")) != RING.digest(OTHER, _token(), Secret("x"))


def test_a_token_of_another_host_is_none_of_ours() -> None:
    """Another key under the same id recognises nothing."""
    other = KeyRing({"k1": Secret("00" * 32)}, current="k1")

    assert other.open(ACME, _text()) is None


def test_keys_rotate_and_retire() -> None:
    """Tokens of an older key are recognised as long as it is in the ring, and die with it."""
    both = KeyRing({"k1": Secret(MATERIAL), "k2": Secret("77" * 32)}, current="k2")
    only_new = KeyRing({"k2": Secret("77" * 32)}, current="k2")
    old = RING.open(ACME, _text())

    assert old is not None
    assert old == both.open(ACME, _text())
    assert only_new.open(ACME, _text()) is None
    assert (True, False) == (both.knows("k1"), only_new.knows("k1"))


JUNK = st.one_of(
    st.text(),
    st.binary(),
    st.none(),
    st.integers(),
    st.builds(object),
    st.from_regex(FORM, fullmatch=True),
    st.from_regex(r"\Axl_cs_k1[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{43}\Z"),
    st.text().map(Secret),
)


@given(JUNK)
def test_anything_else_is_no_token(junk: object) -> None:
    """Any object at all gives None, never an exception."""
    assert RING.open(ACME, junk) is None
    assert RING.open_consent(ACME, junk) is None


def test_a_megabyte_is_no_token() -> None:
    """What is longer than any token is not looked at."""
    assert RING.open(ACME, "xl_at_" + "a" * 1_000_000) is None


def test_the_successor_is_derived() -> None:
    """The same ingredients give the same token, so a retry gets what was lost."""
    one, other = (RING.succeed(ACME, _token(), b"salt", Secret("presented")) for _ in range(2))

    assert one == other
    assert RING.open(ACME, one) is not None


@pytest.mark.parametrize(
    ("tenant", "token", "salt", "presented"),
    [
        (OTHER, _token(), b"salt", "presented"),
        (ACME, _token(TokenKind.REFRESH), b"salt", "presented"),
        (ACME, Token(TokenKind.ACCESS, LinkId("B" * 22), 7, "k1"), b"salt", "presented"),
        (ACME, _token(generation=8), b"salt", "presented"),
        (ACME, _token(), b"other", "presented"),
        (ACME, _token(), b"salt", "another"),
        # What belongs to one ingredient cannot be moved to its neighbour.
        (ACME, _token(), b"dsalt", "presente"),
    ],
)
def test_every_ingredient_matters(tenant: TenantId, token: Token, salt: bytes, presented: str) -> None:
    """Another tenant, kind, link, generation, salt or presented token gives another successor."""
    known = RING.succeed(ACME, _token(), b"salt", Secret("presented")).reveal().split(".")
    other = RING.succeed(tenant, token, salt, Secret(presented)).reveal().split(".")

    assert known[2] != other[2]


def test_who_has_the_store_alone_cannot_derive() -> None:
    """Without the host's key the same salt and token give another successor."""
    stranger = KeyRing({"k1": Secret("00" * 32)}, current="k1")

    ours, theirs = (ring.succeed(ACME, _token(), b"salt", Secret("presented")) for ring in (RING, stranger))

    assert ours != theirs


@given(key=st.binary(max_size=200), message=st.binary(max_size=300))
def test_the_keyed_digest_is_the_standard_one(key: bytes, message: bytes) -> None:
    """Hashing the key once gives just what RFC 2104 gives."""
    assert hmac.digest(key, message, hashlib.sha256) == _Keyed(key)(message)


def test_a_keyed_digest_can_be_asked_again() -> None:
    """Asking does not change it."""
    keyed = _Keyed(b"key")

    assert keyed(b"message") == keyed(b"message")


def test_a_consent_comes_back_as_it_went() -> None:
    """Its body opens again, as text and as Secret."""
    token = RING.sign_consent(ACME, b'["body"]')

    assert b'["body"]' == RING.open_consent(ACME, token)
    assert b'["body"]' == RING.open_consent(ACME, token.reveal())


def test_an_altered_consent_is_noticed() -> None:
    """At whichever place, and by another tenant or host."""
    text = RING.sign_consent(ACME, b'["body"]').reveal()

    for place, letter in enumerate(text):
        assert RING.open_consent(ACME, text[:place] + ("A" if letter != "A" else "B") + text[place + 1 :]) is None
    assert RING.open_consent(OTHER, text) is None
    assert KeyRing({"k1": Secret("00" * 32)}, current="k1").open_consent(ACME, text) is None


def test_a_token_is_no_consent_and_a_consent_no_token() -> None:
    """The keys of the two purposes differ."""
    assert RING.open_consent(ACME, _text()) is None
    assert RING.open(ACME, RING.sign_consent(ACME, b"body")) is None


def test_what_the_store_keeps_of_a_key_is_not_the_key() -> None:
    """A check value tells two keys apart and neither of them."""
    assert {"k1"} == set(RING.checks)
    assert RING.checks["k1"] != bytes.fromhex(MATERIAL)
    assert RING.checks != KeyRing({"k1": Secret("00" * 32)}, current="k1").checks


def test_a_ring_shows_ids_alone() -> None:
    """No representation, attribute listing or pickle of a ring holds key material."""
    assert "KeyRing(current='k1', ids=('k1',))" == repr(RING)
    assert MATERIAL not in repr(RING._keys)
    with pytest.raises(TypeError):
        pickle.dumps(RING)


@pytest.mark.parametrize(
    ("keys", "current", "problem"),
    [
        ({}, "k1", "one of the keys"),
        ({"k1": Secret(MATERIAL)}, "k2", "one of the keys"),
        ({"k1": Secret(MATERIAL)}, None, "one of the keys"),
        ({"key1": Secret(MATERIAL)}, "key1", "two characters"),
        ({"K1": Secret(MATERIAL)}, "K1", "two characters"),
        ({1: Secret(MATERIAL)}, "k1", "two characters"),
        ({MATERIAL: Secret("k1")}, "k1", "two characters"),
        ({"k1": MATERIAL}, "k1", "as a Secret"),
        ({"k1": None}, "k1", "as a Secret"),
        ({"k1": Secret("no hex")}, "k1", "hex digits"),
        ({"k1": Secret("5e" * 31)}, "k1", "32 bytes"),
        ([("k1", Secret(MATERIAL))], "k1", "a mapping"),
        (None, "k1", "a mapping"),
    ],
)
def test_a_ring_that_cannot_work_is_not_made(keys: object, current: object, problem: str) -> None:
    """No key, a short one, a plain text, a strange id: the host learns it at once, and no message holds a key."""
    with pytest.raises(Misconfigured, match=problem) as caught:
        KeyRing(cast("dict[str, Secret]", keys), current=cast("str", current))

    assert MATERIAL[:16] not in str(caught.value)


def test_a_handle_is_128_random_bits() -> None:
    """Sixteen bytes become 22 characters; any other number is a mistake of the caller's."""
    assert LINK == link_id(bytes(range(16)))
    with pytest.raises(InvalidInput):
        link_id(b"")


def test_a_clients_secret_is_256_random_bits() -> None:
    """Fewer are refused, whoever draws them; what comes out holds nothing that an encoder changes."""
    assert "xl_sk_" + "A" * 43 == client_secret(bytes(32)).reveal()
    with pytest.raises(InvalidInput, match="expected 32 bytes, got 31"):
        client_secret(bytes(31))


def test_a_tenants_tag_tells_tenants_apart() -> None:
    """Eight characters of base32, the same for the same tenant."""
    assert re.fullmatch(r"[a-z2-7]{8}", tenant_tag(ACME))
    assert tenant_tag(ACME) == tenant_tag(TenantId("acme"))
    assert tenant_tag(ACME) != tenant_tag(OTHER)
