"""Keys of all four algorithms, and assertions signed with them by hand: what a client's own library would send."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

__all__ = ["ALGORITHMS", "KIND", "hs256", "jwt", "key", "pem", "private_pem", "sign"]

ALGORITHMS: Final = ("ES256", "EdDSA", "PS256", "RS256")
KIND: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Sign = Callable[[bytes], bytes]


@cache
def key(algorithm: str, number: int = 0) -> Any:
    """Return a private key for an algorithm; the same one for the same number."""
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def pem(algorithm: str, number: int = 0) -> str:
    """Return the public key as PEM."""
    return public(key(algorithm, number))


def public(private: Any) -> str:
    """Return the public key of a private one."""
    return str(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def private_pem(algorithm: str) -> str:
    """Return the private key as PEM, which must never be registered."""
    return str(key(algorithm).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def sign(algorithm: str, data: bytes, number: int = 0) -> bytes:
    """Sign as RFC 7518 and RFC 8037 say."""
    private = key(algorithm, number)
    if algorithm == "ES256":
        first, second = decode_dss_signature(private.sign(data, ec.ECDSA(SHA256())))
        return first.to_bytes(32, "big") + second.to_bytes(32, "big")
    if algorithm == "EdDSA":
        return bytes(private.sign(data))
    if algorithm == "PS256":
        return bytes(private.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256()))
    return bytes(private.sign(data, padding.PKCS1v15(), SHA256()))


def hs256(secret: str) -> Sign:
    """Return how somebody signs who takes a public text for a shared secret."""
    return lambda data: hmac.new(secret.encode(), data, hashlib.sha256).digest()


def text(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(header: Mapping[str, object], claims: Mapping[str, object], signed: Sign) -> str:
    """Return a compact JWS."""
    body = f"{text(json.dumps(header).encode())}.{text(json.dumps(claims).encode())}"
    return f"{body}.{text(signed(body.encode()))}"
