"""ClientRegistration: an OAuth client as a tenant's administrator registered it (RFC 6749 section 2, S4).

Rules: a client belongs to one service; it may do what its registration says and no more; its redirect URIs change
without its secrets, and its secrets without its redirect URIs, since some vendors tell the address only after the
client was made. Several secrets hold at once, so that one can follow another without an outage. Ids and secrets are of
the characters `A-Z a-z 0-9 . _ ~ -` alone: encoders disagree about all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, cast, get_args

import attrs

from extlink.domain.client import Client
from extlink.domain.consent import parse_redirect_uri
from extlink.domain.identifier import ClientId, Scope, ServiceId, parse_id, parse_items, parse_scopes, plain_text
from extlink.domain.instant import Instant
from extlink.domain.localized import parse_text
from extlink.errors import InvalidInput

__all__ = [
    "AuthenticationMethod",
    "ClientKey",
    "ClientProfile",
    "ClientRecord",
    "ClientRegistration",
    "ClientSecret",
    "KeyAlgorithm",
    "RefreshScope",
]

AuthenticationMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
KeyAlgorithm = Literal["ES256", "EdDSA", "PS256", "RS256"]
ClientKind = Literal["confidential", "public"]
Pkce = Literal["required", "waived_for_confidential_client"]
RefreshScope = Literal["strict", "intersect_with_granted"]
_METHODS: Final[tuple[str, ...]] = get_args(AuthenticationMethod)
BY_SECRET: Final[frozenset[AuthenticationMethod]] = frozenset({"client_secret_basic", "client_secret_post"})

MAX_SECRETS: Final = 5
MAX_KEYS: Final = 10
MAX_REDIRECT_URIS: Final = 50
MAX_RESOURCES: Final = 50
MAX_NAME: Final = 100
_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_MAX_PEM: Final = 4_096
# One public key and nothing beside it: what is pasted along with it could be the private one, and would be kept.
_PEM: Final = re.compile(r"-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----\s*")


def parse_client_id(value: object, field: str = "client") -> ClientId:
    """Return a client id: 1 to 100 characters that no encoder changes.

    >>> parse_client_id("power-automate.jp")
    'power-automate.jp'
    """
    text = plain_text(value)
    if text is None or not _ID.fullmatch(text):
        got = type(value).__name__ if text is None else ascii(text[:64])
        raise InvalidInput(field, f"expected 1 to 100 of A-Z a-z 0-9 . _ ~ -, got {got}")
    return ClientId(text)


def is_client_id(text: str) -> bool:
    """Whether a text could be a client's id; what could not is looked up nowhere.

    >>> is_client_id("c1"), is_client_id("c 1")
    (True, False)
    """
    return _ID.fullmatch(text) is not None


@attrs.frozen(kw_only=True)
class ClientSecret:
    """One of a client's secrets, as it is kept.

    Args:
        id: tells it from the client's others; people see it.
        key_id: the host's key that the digest was made under.
        digest: keyed, and fast: the secret itself is drawn, not thought up (ASVS 6.5.2).
        made_at: when it was drawn.
        expires: from when on it is refused; None: it holds until it is removed.
    """

    id: str
    key_id: str
    digest: bytes = attrs.field(repr=False)
    made_at: Instant
    expires: Instant | None = None


def _one_of(value: object, words: tuple[str, ...], field: str) -> str:
    word = plain_text(value)
    if word is None or word not in words:
        raise InvalidInput(field, f"expected one of {', '.join(words)}")
    return word


def _key_id(value: str) -> str:
    return parse_id(value, "key")


def _algorithm(value: KeyAlgorithm) -> KeyAlgorithm:
    return cast("KeyAlgorithm", _one_of(value, get_args(KeyAlgorithm), "algorithm"))


def _pem(value: str) -> str:
    pem = plain_text(value)
    if pem is None or len(pem) > _MAX_PEM or not _PEM.fullmatch(pem):
        raise InvalidInput("pem", "expected one public key in PEM; a private key must never leave the client")
    return pem


@attrs.frozen(kw_only=True)
class ClientKey:
    """A public key with which a client signs its assertions (RFC 7523, `private_key_jwt`).

    Args:
        id: the `kid` of the assertions' header.
        algorithm: the one algorithm it is good for.
        pem: the key as PEM (SubjectPublicKeyInfo), and nothing else.

    Raises:
        InvalidInput: a malformed part, or a text that is no single public key.
    """

    id: str = attrs.field(converter=_key_id)
    algorithm: KeyAlgorithm = attrs.field(converter=_algorithm)
    pem: str = attrs.field(converter=_pem)


def _name(value: str) -> str:
    name = parse_text(value, "name")
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise InvalidInput("name", f"expected 1 to {MAX_NAME} characters, got {len(name)}; people read it on consent")
    return name


def _client_id(value: str) -> ClientId:
    return parse_client_id(value, "id")


def _service(value: str) -> ServiceId:
    return ServiceId(parse_id(value, "service"))


def _redirect_uris(values: Iterable[str]) -> tuple[str, ...]:
    uris = tuple(dict.fromkeys(parse_redirect_uri(item) for item in parse_items(values, "redirect_uris")))
    if len(uris) > MAX_REDIRECT_URIS:
        raise InvalidInput("redirect_uris", f"expected at most {MAX_REDIRECT_URIS}, got {len(uris)}")
    return uris


def _methods(values: Iterable[AuthenticationMethod]) -> frozenset[AuthenticationMethod]:
    found = frozenset(plain_text(item) or "" for item in parse_items(values, "methods"))
    if not found <= frozenset(_METHODS):
        raise InvalidInput("methods", f"expected some of {', '.join(_METHODS)}, got {ascii(min(found))[:64]}")
    return cast("frozenset[AuthenticationMethod]", found)


def _scopes(values: str | Iterable[str] | None) -> frozenset[Scope] | None:
    return None if values is None else parse_scopes(values)


def _default_scopes(values: str | Iterable[str]) -> frozenset[Scope]:
    return parse_scopes(values, "default_scopes")


def _resources(values: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(parse_id(item, "resources") for item in parse_items(values, "resources")))
    if len(found) > MAX_RESOURCES:
        raise InvalidInput("resources", f"expected at most {MAX_RESOURCES}, got {len(found)}")
    return found


def _kind(value: ClientKind) -> ClientKind:
    return cast("ClientKind", _one_of(value, get_args(ClientKind), "kind"))


def _pkce(value: Pkce) -> Pkce:
    return cast("Pkce", _one_of(value, get_args(Pkce), "pkce"))


def _refresh_scope(value: RefreshScope) -> RefreshScope:
    return cast("RefreshScope", _one_of(value, get_args(RefreshScope), "refresh_scope"))


def _is_flag(_profile: object, attribute: attrs.Attribute[bool], value: object) -> None:
    if type(value) is not bool:
        raise InvalidInput(attribute.name, f"expected True or False, got {type(value).__name__}")


def _usual_methods(profile: ClientProfile) -> frozenset[AuthenticationMethod]:
    return frozenset({"none"}) if profile.kind == "public" else BY_SECRET


@attrs.frozen(kw_only=True)
class ClientProfile:
    """What an administrator sets of an OAuth client.

    Args:
        service: the service whose links it makes; the client keeps it for life.
        name: what the consent page calls it.
        kind: `public` if it can keep no secret; the client keeps it for life.
        pkce: `waived_for_confidential_client` lets it leave out PKCE; the waiver is recorded.
        methods: how it may authenticate: `none` for a public client, anything else for a confidential one.
        redirect_uris: where codes may go; may be empty at first, since some vendors tell theirs only after the client
            was made.
        scopes: the most it may ask for; None: whatever the service defines.
        default_scopes: what it is taken to ask for if it names none; empty: that is `invalid_scope`.
        resources: the audiences it may ask tokens for (RFC 8707); the first is the default; empty: none.
        introspects: whether it is a resource server, which may ask about tokens that are not its own (RFC 7662).
        refresh_scope: `intersect_with_granted` takes a refresh request for scopes that were never granted as one for
            those that were: some clients repeat their first request for ever; the option is recorded.

    Raises:
        InvalidInput: a part is malformed, or the parts do not fit together.

    >>> profile = ClientProfile(service="power-automate", name="Power Automate")
    >>> profile.kind, sorted(profile.methods)
    ('confidential', ['client_secret_basic', 'client_secret_post'])
    """

    service: ServiceId = attrs.field(converter=_service)
    name: str = attrs.field(converter=_name)
    kind: ClientKind = attrs.field(default="confidential", converter=_kind)
    pkce: Pkce = attrs.field(default="required", converter=_pkce)
    methods: frozenset[AuthenticationMethod] = attrs.field(
        default=attrs.Factory(_usual_methods, takes_self=True), converter=_methods
    )
    redirect_uris: tuple[str, ...] = attrs.field(default=(), converter=_redirect_uris)
    scopes: frozenset[Scope] | None = attrs.field(default=None, converter=_scopes)
    default_scopes: frozenset[Scope] = attrs.field(default=frozenset[Scope](), converter=_default_scopes)
    resources: tuple[str, ...] = attrs.field(default=(), converter=_resources)
    introspects: bool = attrs.field(default=False, validator=_is_flag)
    refresh_scope: RefreshScope = attrs.field(default="strict", converter=_refresh_scope)

    def __attrs_post_init__(self) -> None:
        public = self.kind == "public"
        expected = {"none"} if public else set(_METHODS) - {"none"}
        if not self.methods or not self.methods <= expected:
            raise InvalidInput("methods", f"expected some of {', '.join(sorted(expected))} for a {self.kind} client")
        if public and self.pkce != "required":
            raise InvalidInput("pkce", "expected 'required' for a public client: nothing else protects its code")
        if public and self.introspects:
            raise InvalidInput("introspects", "expected a confidential client: introspection is for those we know")
        if self.scopes is not None and not self.default_scopes <= self.scopes:
            raise InvalidInput("default_scopes", "expected some of the scopes that the client may ask for")


@attrs.frozen(kw_only=True)
class ClientRegistration:
    """An OAuth client of one tenant: what an administrator set, and what it proves itself by.

    Args:
        id: drawn, and no secret.
        secrets: at most five, for one to follow another.
        keys: for `private_key_jwt`; at most ten.

    Raises:
        InvalidInput: too many secrets or keys, or some that the profile has no use for.

    >>> profile = ClientProfile(service="power-automate", name="Power Automate")
    >>> ClientRegistration(id="c1", profile=profile).client
    Client(id='c1', kind='confidential', pkce='required')
    """

    id: ClientId = attrs.field(converter=_client_id)
    profile: ClientProfile
    secrets: tuple[ClientSecret, ...] = ()
    keys: tuple[ClientKey, ...] = ()

    def __attrs_post_init__(self) -> None:
        methods = self.profile.methods
        if len(self.secrets) > MAX_SECRETS or (self.secrets and not methods & BY_SECRET):
            raise InvalidInput("secrets", f"expected at most {MAX_SECRETS} at once, of a client that shows secrets")
        if len(self.keys) > MAX_KEYS or len({key.id for key in self.keys}) < len(self.keys):
            raise InvalidInput("keys", f"expected at most {MAX_KEYS} keys, each id once")
        if self.keys and "private_key_jwt" not in methods:
            raise InvalidInput("keys", "expected none, since the client does not use private_key_jwt")

    @property
    def client(self) -> Client:
        """The identity that operations on links take, once it is established."""
        return Client(self.id, kind=self.profile.kind, pkce=self.profile.pkce)

    def key(self, id: str) -> ClientKey | None:  # noqa: A002 - the word of the definition
        """Return the key of this id, or None."""
        return next((key for key in self.keys if key.id == id), None)


@attrs.frozen
class ClientRecord:
    """A registered client, or the grave of one: a client that was removed is not one that never was.

    Links that were made by a client of the host's own have no record, and live; those of a removed client do not.

    Args:
        registration: None once the client was removed.
    """

    registration: ClientRegistration | None
