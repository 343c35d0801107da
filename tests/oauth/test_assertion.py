from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain.client_registration import ClientKey
from extlink.domain.secret import Secret
from extlink.oauth.assertion import read_assertion
from tests.oauth.keys import ALGORITHMS, jwt, pem, sign, text

CLAIMS: dict[str, Any] = {"iss": "c1", "sub": "c1", "aud": "https://a.example", "exp": 1_000, "jti": "j"}


def signed(algorithm: str = "ES256", header: Any = None, **claims: Any) -> Secret:
    """Return an assertion."""
    head = {"alg": algorithm} if header is None else header
    return Secret(jwt(head, {**CLAIMS, **claims}, lambda data: sign(algorithm, data)))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_is_of_its_key_and_algorithm(algorithm: Any) -> None:
    """Each algorithm verifies its own, and nothing that was changed by a bit."""
    found = read_assertion(signed(algorithm))
    assert found is not None

    for other in ALGORITHMS:
        key = ClientKey(id="k", algorithm=other, pem=pem(other))
        assert found.is_signed_with(key) is (other == algorithm)
    right = ClientKey(id="k", algorithm=algorithm, pem=pem(algorithm))
    for place in (0, len(found.signature) - 1):
        altered = bytearray(found.signature)
        altered[place] ^= 1
        assert not attrs.evolve(found, signature=bytes(altered)).is_signed_with(right)


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_signature_of_another_length_is_none(length: int) -> None:
    """ES256 has two numbers of 32 bytes: neither DER nor padding."""
    found = read_assertion(Secret(jwt({"alg": "ES256"}, CLAIMS, lambda data: bytes(length or 1))))
    assert found is not None

    assert not found.is_signed_with(ClientKey(id="k", algorithm="ES256", pem=pem("ES256")))


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "a.b",
        "a.b.c.d",
        "a..c",
        "a.b.c",
        f"{text(b'[]')}.{text(b'[]')}.AA",
        f"{text(b'{}')}.{text(b'{}')}.AA",
        f"{text(b'[' * 3_000)}.{text(b'{}')}.AA",
        f"{text(b'{' + b'}')}.A.AA",
        "x" * 9_000 + ".b.c",
        text(b'{"alg":"ES256","alg":"none"}') + "." + text(json.dumps(CLAIMS).encode()) + ".AA",
        text(b'{"alg":"ES256"}') + "." + text(json.dumps(CLAIMS).encode()[:-1] + b',"iss":"c2"}') + ".AA",
        text(b'{"alg":"ES256"}')
        + "."
        + text(json.dumps({**CLAIMS, "exp": 10**9}).replace("1000000000", "9" * 5_000).encode())
        + ".AA",
        text(b"\xff") + "." + text(b"{}") + ".AA",
    ],
)
def test_what_is_no_assertion_is_none(raw: str) -> None:
    """Not three parts, not JSON, no objects, a name twice, too deep, too long, a number too large."""
    assert read_assertion(Secret(raw)) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=4,
    ),
    st.sampled_from([*CLAIMS, "nbf", "iat"]),
    st.sampled_from(["alg", "kid", "typ", "crit"]),
)
def test_any_claim_and_header_are_read_or_refused(value: Any, claim: str, member: str) -> None:
    """Whatever stands in the place of a claim or of a header's member: an assertion, or None."""
    for found in (
        read_assertion(Secret(jwt({"alg": "ES256"}, {**CLAIMS, claim: value}, lambda _: b"x"))),
        read_assertion(Secret(jwt({"alg": "ES256", member: value}, CLAIMS, lambda _: b"x"))),
    ):
        if found is not None:
            assert not found.is_signed_with(ClientKey(id="k", algorithm="ES256", pem=pem("ES256")))
            found.problem(issuer="https://a.example", at=found.expires)


def test_what_an_assertion_holds_is_not_shown() -> None:
    """Neither what was signed nor the signature, which together are the assertion."""
    found = read_assertion(signed())

    assert found is not None
    assert text(found.signature) not in repr(found)
    assert repr(found.signed) not in repr(found)
