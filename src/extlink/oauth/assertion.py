"""Client assertions: a client signs who it is with its own key (RFC 7523 section 3, and its revision of 2026).

Rules: the audience is the issuer, as the sole value and as text - an array, or the token endpoint's address, could have
been meant for another server; the algorithm is that of the registered key, whatever the header says; an assertion
lives for minutes and is good once. Nothing of an assertion is believed before its signature holds.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Final, cast

import attrs
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from extlink.domain.client_registration import ClientKey
from extlink.domain.instant import Instant
from extlink.domain.secret import Secret
from extlink.errors import InvalidInput

__all__ = ["Assertion", "check_key", "read_assertion"]

MAX_LIFE: Final = 600
_SKEW: Final = 30
_MAX_LENGTH: Final = 8_192
_MAX_ID: Final = 255
_MIN_RSA_BITS: Final = 2_048
_P256_BYTES: Final = 32
_FORM: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# Who names a type of token names one of these (RFC 8725 section 3.11; the revision of RFC 7523).
_TYPES: Final = frozenset({None, "JWT", "jwt", "client-authentication+jwt"})


@attrs.frozen(kw_only=True)
class Assertion:
    """What an assertion says, before anything of it is verified.

    Args:
        client_id: whom it says it is from.
        key_id: the key it says it is signed with; None where it does not say.
        id: tells it from every other assertion of the client (`jti`).
        expires: until when it is good.
    """

    client_id: str
    key_id: str | None
    id: str
    expires: Instant
    algorithm: str
    audience: object = attrs.field(repr=False)
    not_before: int
    signed: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)

    def problem(self, *, issuer: str, at: Instant) -> str | None:
        """Return what is wrong with the claims, for a reason's code, or None."""
        if self.audience != issuer:
            return "client.assertion_audience"
        if self.expires <= at or self.expires > at + MAX_LIFE or self.not_before > at + _SKEW:
            return "client.assertion_expired"
        return None

    def is_signed_with(self, key: ClientKey) -> bool:
        """Whether the signature is of this key, by the algorithm that the key was registered for."""
        if self.algorithm != key.algorithm:
            return False
        try:
            _VERIFIERS[key.algorithm](key.pem, self.signed, self.signature)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
            return False
        return True


def read_assertion(token: Secret) -> Assertion | None:
    """Return what an assertion says, or None for a text that is none.

    >>> read_assertion(Secret("junk")) is None
    True
    """
    text = token.reveal()
    if len(text) > _MAX_LENGTH or not _FORM.fullmatch(text):
        return None
    head, body, signature = text.split(".")
    try:
        header, claims = _object(head), _object(body)
        return _assertion(header, claims, f"{head}.{body}".encode(), _bytes(signature))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _assertion(
    header: Mapping[str, object], claims: Mapping[str, object], signed: bytes, signature: bytes
) -> Assertion | None:
    issuer, subject, name, key = claims["iss"], claims["sub"], claims["jti"], header.get("kid")
    if not isinstance(issuer, str) or subject != issuer or not isinstance(name, str) or not 0 < len(name) <= _MAX_ID:
        return None
    # What a header declares critical and a reader does not know makes it unreadable (RFC 7515 section 4.1.11).
    if "crit" in header or header.get("typ") not in _TYPES or not isinstance(key, str | None):
        return None
    return Assertion(
        client_id=issuer,
        key_id=key,
        id=name,
        expires=Instant(_seconds(claims["exp"])),
        algorithm=str(header["alg"]),
        audience=claims["aud"],
        not_before=max(_seconds(claims.get("nbf", 0)), _seconds(claims.get("iat", 0))),
        signed=signed,
        signature=signature,
    )


def _seconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 53:
        raise TypeError("expected a NumericDate")
    return int(value)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _object(text: str) -> dict[str, object]:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name twice")
        return found

    value: object = json.loads(_bytes(text).decode(), object_pairs_hook=once)
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return cast("dict[str, object]", value)


def _es256(pem: str, signed: bytes, signature: bytes) -> None:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise TypeError("expected a key on P-256")
    if len(signature) != 2 * _P256_BYTES:
        raise ValueError("expected two numbers of 32 bytes")
    first, second = signature[:_P256_BYTES], signature[_P256_BYTES:]
    numbers = encode_dss_signature(int.from_bytes(first), int.from_bytes(second))
    key.verify(numbers, signed, ec.ECDSA(SHA256()))


def _eddsa(pem: str, signed: bytes, signature: bytes) -> None:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise TypeError("expected an Ed25519 key")
    key.verify(signature, signed)


def _rsa(pem: str) -> rsa.RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _MIN_RSA_BITS:
        raise TypeError("expected an RSA key of at least 2,048 bits")
    return key


def _rs256(pem: str, signed: bytes, signature: bytes) -> None:
    _rsa(pem).verify(signature, signed, padding.PKCS1v15(), SHA256())


def _ps256(pem: str, signed: bytes, signature: bytes) -> None:
    _rsa(pem).verify(signature, signed, padding.PSS(padding.MGF1(SHA256()), SHA256().digest_size), SHA256())


_VERIFIERS: Final[Mapping[str, Callable[[str, bytes, bytes], None]]] = {
    "ES256": _es256,
    "EdDSA": _eddsa,
    "PS256": _ps256,
    "RS256": _rs256,
}


def check_key(key: ClientKey) -> None:
    """Refuse a key that could verify nothing: no key at all, or one of another kind than its algorithm.

    Raises:
        InvalidInput: such a key.
    """
    try:
        _VERIFIERS[key.algorithm](key.pem, b"", b"\0" * 64)
    except InvalidSignature:
        return
    except (UnsupportedAlgorithm, ValueError, TypeError) as exc:
        raise InvalidInput("pem", f"expected a public key for {key.algorithm}") from exc
