"""Tokens that name their link, and the keys that make them (DESIGN 6).

    xl_<kind>_<tenant tag>_<key id><link handle>.<generation>.<160 random bits>.<96-bit keyed MAC>

Rules: everything is from `[A-Za-z0-9._~-]`; a text that is not ours, of another tenant, or altered dies on its MAC
without any I/O; the generation tells an old token without history; what is stored is an HMAC-SHA-256 digest under a
key whose id is in the token, so that keys rotate without touching a record. Every comparison is constant-time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple, cast, final

from extlink.domain.identifier import LinkId, TenantId, plain_text
from extlink.domain.secret import Secret
from extlink.errors import InvalidInput, Misconfigured

__all__ = ["KeyRing", "Presented", "Token", "TokenKind"]

RANDOM_BYTES: Final = 20
CLIENT_SECRET_BYTES: Final = 32
HANDLE_BYTES: Final = 16
SALT_BYTES: Final = 20
_MAC_BYTES: Final = 12
_TAG_BYTES: Final = 5
_MIN_KEY_BYTES: Final = 32
# 8 + 22 + 27 + 16 characters of base64url or base32 with their separators; nothing longer is looked at.
_MAX_LENGTH: Final = 128
_FORM: Final = re.compile(
    r"xl_(at|rt|ac)_([a-z2-7]{8})_([0-9a-z]{2})([A-Za-z0-9_-]{22})\.(0|[1-9][0-9]{0,9})\.([A-Za-z0-9_-]{27})\.([A-Za-z0-9_-]{16})",
    re.ASCII,
)
# What is signed and carries its content: a consent request, a reset of the IP restriction.
_SIGNED: Final = re.compile(r"xl_(cs|rs)_[0-9a-z]{2}[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", re.ASCII)
_MAX_SIGNED: Final = 65_536
_REMEMBERED: Final = 1_024
_KEY_ID: Final = re.compile(r"[0-9a-z]{2}", re.ASCII)

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


class TokenKind(StrEnum):
    """What a token is for."""

    ACCESS = "at"
    REFRESH = "rt"
    CODE = "ac"


# To look a member up by its value is an enumeration's slowest question.
_KINDS: Final[Mapping[str, TokenKind]] = {str(kind): kind for kind in TokenKind}


class Token(NamedTuple):
    """What an authentic token says of itself; the text stays where it was."""

    kind: TokenKind
    link: LinkId
    generation: int
    key_id: str


class Presented(NamedTuple):
    """An authentic token with the digest of its text: all that the rules of a link's life need of it."""

    token: Token
    digest: bytes


def _text(data: bytes) -> str:
    # As `base64.urlsafe_b64encode` without its padding, at a third of the cost: every check makes one.
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode()


class _Keyed:
    """HMAC-SHA-256 with the two padded key blocks hashed once: three times faster than `hmac.new` (RFC 2104)."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")  # noqa: PLR2004 - RFC 2104 B
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def __call__(self, message: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def __repr__(self) -> str:
        return "_Keyed(***)"


class _Key(NamedTuple):
    """One host key, spread into a key per purpose (NIST SP 800-108 in counter mode has the same shape)."""

    mac: _Keyed
    digest: _Keyed
    derive: _Keyed
    signs: Mapping[str, _Keyed]
    client: _Keyed
    once: _Keyed
    check: bytes


def _spread(key: bytes) -> _Key:
    root = _Keyed(key)
    return _Key(
        mac=_Keyed(root(b"extlink 1 mac")),
        digest=_Keyed(root(b"extlink 1 digest")),
        derive=_Keyed(root(b"extlink 1 derive")),
        signs={"cs": _Keyed(root(b"extlink 1 consent")), "rs": _Keyed(root(b"extlink 1 reset"))},
        client=_Keyed(root(b"extlink 1 client")),
        once=_Keyed(root(b"extlink 1 once")),
        check=root(b"extlink 1 check"),
    )


def _materials(keys: object) -> Iterator[tuple[str, bytes]]:
    """Yield ids and key material; a message names an id at most, since whoever mixes things up shows a key."""
    kind = type(keys)
    if not issubclass(kind, Mapping):
        raise Misconfigured(f"keys: expected a mapping of key ids to Secrets, got {kind.__name__}")
    try:
        items = [(plain_text(key_id), secret) for key_id, secret in cast("Mapping[object, object]", keys).items()]
    except Exception as exc:
        raise Misconfigured(f"keys: expected a mapping, got a {kind.__name__} that cannot be read") from exc
    for key_id, secret in items:
        if key_id is None or not _KEY_ID.fullmatch(key_id):
            raise Misconfigured("keys: expected ids of two characters 0-9 or a-z, got another one")
        if type(secret) is not Secret:
            raise Misconfigured(f"keys: expected key {key_id} as a Secret, got {type(secret).__name__}")
        try:
            material = bytes.fromhex(secret.reveal())
        except ValueError:
            raise Misconfigured(f"keys: expected key {key_id} as hex digits; secrets.token_hex(32) draws one") from None
        if len(material) < _MIN_KEY_BYTES:
            raise Misconfigured(f"keys: expected at least {_MIN_KEY_BYTES} bytes for key {key_id}")
        yield key_id, material


@final
class KeyRing:
    """The host's token keys by id: one current, the others still recognised.

    Args:
        keys: key id (two characters of 0-9, a-z) to at least 32 bytes of key material, as a Secret of hex digits.
        current: the id that new tokens are made under.

    Raises:
        Misconfigured: no mapping, no key, a short key, a malformed id, or a current id without a key.

    >>> ring = KeyRing({"k1": Secret("00" * 32)}, current="k1")
    >>> ring
    KeyRing(current='k1', ids=('k1',))
    """

    __slots__ = ("_keys", "current")

    def __init__(self, keys: Mapping[str, Secret], *, current: str) -> None:
        spread = {key_id: _spread(material) for key_id, material in _materials(keys)}
        current_id = plain_text(current)
        if current_id is None or current_id not in spread:
            known = ", ".join(sorted(spread)) or "and there is none"
            raise Misconfigured(f"keys: expected `current` to be the id of one of the keys, {known}")
        self._keys: Mapping[str, _Key] = spread
        self.current: str = current_id

    def __repr__(self) -> str:
        return f"KeyRing(current={self.current!r}, ids={tuple(sorted(self._keys))!r})"

    @property
    def checks(self) -> Mapping[str, bytes]:
        """What the store keeps of each key, so that a wrong key under a known id is noticed before it does harm."""
        return {key_id: key.check for key_id, key in self._keys.items()}

    def mint(self, tenant: TenantId, token: Token, random: bytes) -> Secret:
        """Return the text of the token that says `token` of itself.

        Args:
            random: 20 bytes, drawn or derived.
        """
        body = f"xl_{token.kind}_{tenant_tag(tenant)}_{token.key_id}{token.link}.{token.generation}.{_text(random)}"
        mac = self._keys[token.key_id].mac(_bound(tenant, body))[:_MAC_BYTES]
        return Secret(f"{body}.{_text(mac)}")

    def knows(self, key_id: str) -> bool:
        """Whether the key of this id is (still) in the ring."""
        return key_id in self._keys

    def open(self, tenant: TenantId, text: object) -> Presented | None:
        """Return what an authentic token of this tenant says, or None for anything else; costs no I/O."""
        if type(text) is Secret:
            text = text.reveal()
        if type(text) is not str or len(text) > _MAX_LENGTH:
            return None
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        kind, _, key_id, handle, generation, _, mac = match.groups()
        key = self._keys.get(key_id)
        if key is None:
            return None
        # The form is ASCII, so that it has as many bytes as characters; the MAC and its dot come last.
        whole = _bound(tenant, text)
        if not hmac.compare_digest(_text(key.mac(whole[: -len(mac) - 1])[:_MAC_BYTES]), mac):
            return None
        return Presented(Token(_KINDS[kind], LinkId(handle), int(generation), key_id), key.digest(whole))

    def digest(self, tenant: TenantId, token: Token, secret: Secret) -> bytes:
        """Return what is stored of a minted token."""
        return self._keys[token.key_id].digest(_bound(tenant, secret.reveal()))

    def succeed(self, tenant: TenantId, token: Token, salt: bytes, presented: Secret) -> Secret:
        """Return the text of `token` as the successor of `presented`: the same for the same salt, so a retry gets it.

        The presented token itself is an input: who has only the store cannot compute its successor.
        """
        parts = (token.kind, tenant, token.link, str(token.generation), presented.reveal())
        message = b"".join(len(part).to_bytes(2, "big") + part for part in (*(p.encode() for p in parts), salt))
        return self.mint(tenant, token, self._keys[token.key_id].derive(message)[:RANDOM_BYTES])

    def client_digest(self, tenant: TenantId, client: str, secret: Secret, key_id: str | None = None) -> bytes | None:
        """Return what is stored of a client's secret, or None under a key that is not in the ring any more.

        Args:
            key_id: the key it was stored under; None: the current one.
        """
        key = self._keys.get(self.current if key_id is None else key_id)
        return None if key is None else key.client(_bound(tenant, client) + b"\0" + secret.reveal().encode())

    def once(self, tenant: TenantId, key_id: str, purpose: str, data: bytes) -> bytes:
        """Return 32 bytes that follow from `data` under a key of the ring: what an idempotent command is known by.

        Args:
            purpose: what they are for; another purpose gives other bytes.
        """
        return self._keys[key_id].once(_bound(tenant, purpose) + b"\0" + data)

    def sign_consent(self, tenant: TenantId, body: bytes) -> Secret:
        """Return a consent request as a text that only this host can have made."""
        return self._sign("cs", tenant, body)

    def open_consent(self, tenant: TenantId, text: object) -> bytes | None:
        """Return the body of an authentic consent request of this tenant, or None for anything else."""
        return self._opened("cs", tenant, text)

    def sign_reset(self, tenant: TenantId, body: bytes) -> Secret:
        """Return a reset of the IP restriction as a text that only this host can have made."""
        return self._sign("rs", tenant, body)

    def open_reset(self, tenant: TenantId, text: object) -> bytes | None:
        """Return the body of an authentic reset of this tenant, or None for anything else."""
        return self._opened("rs", tenant, text)

    def _sign(self, kind: str, tenant: TenantId, body: bytes) -> Secret:
        payload = f"xl_{kind}_{self.current}{_text(body)}"
        return Secret(f"{payload}.{_text(self._keys[self.current].signs[kind](_bound(tenant, payload)))}")

    def _opened(self, kind: str, tenant: TenantId, text: object) -> bytes | None:
        if type(text) is Secret:
            text = text.reveal()
        if type(text) is not str or len(text) > _MAX_SIGNED:
            return None
        match = _SIGNED.fullmatch(text)
        if match is None or match[1] != kind:
            return None
        payload, _, mac = text.rpartition(".")
        key = self._keys.get(payload[6:8])
        if key is None or not hmac.compare_digest(_text(key.signs[kind](_bound(tenant, payload))), mac):
            return None
        body = payload[8:]
        return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))


def _bound(tenant: TenantId, text: str) -> bytes:
    # The length goes first: a tenant's id may hold any character, and must not run over into the text.
    return _start(tenant) + text.encode()


@lru_cache(_REMEMBERED)
def _start(tenant: TenantId) -> bytes:
    name = tenant.encode()
    return len(name).to_bytes(2) + name


def client_secret(random: bytes) -> Secret:
    """Return a new secret for a client: 256 random bits in characters that no encoder changes.

    Raises:
        InvalidInput: not 32 bytes.
    """
    if len(random) != CLIENT_SECRET_BYTES:
        raise InvalidInput("random", f"expected {CLIENT_SECRET_BYTES} bytes, got {len(random)}")
    return Secret(f"xl_sk_{_text(random)}")


def tenant_tag(tenant: TenantId) -> str:
    """Return eight characters that stand for a tenant in its tokens, so that a host can route a token it is shown.

    >>> len(tenant_tag(TenantId("acme")))
    8
    """
    return base64.b32encode(hashlib.sha256(b"extlink tenant " + tenant.encode()).digest()[:_TAG_BYTES]).decode().lower()


def link_id(random: bytes) -> LinkId:
    """Return the handle of a new link: 128 random bits as 22 characters.

    Raises:
        InvalidInput: not 16 bytes.
    """
    if len(random) != HANDLE_BYTES:
        raise InvalidInput("random", f"expected {HANDLE_BYTES} bytes, got {len(random)}")
    return LinkId(_text(random))
