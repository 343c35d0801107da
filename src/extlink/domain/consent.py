"""Consent: what a user is asked before a link is made (RFC 6749 section 4.1.1, ASVS 10.7.2).

Rules: the page shows who asks, for which operations, for how long; the answer comes back with a token that only this
host can have made, bound to the user it was made for and good for one acceptance.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final, Literal, cast

import attrs

from extlink.domain.client import Client
from extlink.domain.event import encode
from extlink.domain.identifier import LinkId, Scope, ServiceId, UserId, plain_text
from extlink.domain.instant import Instant
from extlink.domain.localized import LocalizedText
from extlink.domain.secret import Secret
from extlink.domain.service_parts import ScopeDefinition
from extlink.errors import InvalidInput

__all__ = ["Acceptance", "Consent", "ConsentRequest", "parse_challenge", "parse_redirect_uri"]

# BASE64URL(SHA-256) is 43 characters (RFC 7636 section 4.2); no other method is offered.
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_LOOPBACK: Final = r"http://(?:127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?"
_HTTPS: Final = r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?"
_REDIRECT: Final = re.compile(rf"(?:{_HTTPS}|{_LOOPBACK})(?:/[\x21\x24-\x7e]*)?", re.ASCII)
FORMAT: Final = 1
_MAX_URI: Final = 2_000


def session_digest(session: str | None) -> str:
    """Return what a consent token keeps of the host's session: nothing that could be used as one."""
    return "" if session is None else hashlib.sha256(b"extlink session " + session.encode()).hexdigest()[:32]


def parse_redirect_uri(value: object) -> str:
    """Return an absolute redirect URI: https, or http on a loopback address; no fragment, no user information.

    Source: RFC 9700 section 2.6, OAuth 2.1 section 2.3. That it is one of the client's registered ones, compared
    character by character, the host has established.

    >>> parse_redirect_uri("https://global.consent.azure-apim.net/redirect")
    'https://global.consent.azure-apim.net/redirect'
    """
    uri = plain_text(value)
    if uri is None:
        raise InvalidInput("redirect_uri", f"expected text, got {type(value).__name__}")
    if len(uri) > _MAX_URI or not _REDIRECT.fullmatch(uri):
        raise InvalidInput(
            "redirect_uri",
            f"expected https://host/path (or http on 127.0.0.1 or [::1]) without fragment, got {uri[:64]!a}",
        )
    return uri


def parse_challenge(value: object, client: Client) -> str | None:
    """Return a PKCE challenge of method S256, or None where a confidential client may omit it (RFC 7636 section 4.4.1).

    >>> parse_challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Client("spa", kind="public"))
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    if value is None:
        if client.pkce == "waived_for_confidential_client":
            return None
        raise InvalidInput(
            "code_challenge", "expected a PKCE challenge (S256); only a named waiver lets a client omit it"
        )
    challenge = plain_text(value)
    if challenge is None or not _CHALLENGE.fullmatch(challenge):
        raise InvalidInput("code_challenge", "expected 43 characters of base64url, as method S256 gives")
    return challenge


@attrs.frozen(kw_only=True)
class ConsentRequest:
    """What the user is asked to agree to, as the consent token carries it.

    Args:
        state: the client's, handed back with the answer as it came (RFC 6749 section 4.1.2).
        session: a digest of the host's session in which the user was asked; empty: the host named none.
        redirect_named: whether the client named the redirect URI, or left it to the only one it has.
    """

    user: UserId
    service: ServiceId
    client: Client
    redirect_uri: str
    scopes: frozenset[Scope]
    challenge: str | None
    resource: str | None
    link: LinkId
    expires: Instant
    state: str | None = None
    session: str = ""
    redirect_named: bool = True

    def pack(self) -> bytes:
        """Return the request as bytes to sign."""
        client = self.client
        return encode(
            [
                FORMAT,
                self.user,
                self.service,
                [client.id, client.kind, client.pkce],
                self.redirect_uri,
                sorted(self.scopes),
                self.challenge,
                self.resource,
                self.link,
                self.expires,
                self.state,
                self.session,
                *([] if self.redirect_named else [False]),
            ]
        )

    @classmethod
    def unpack(cls, data: bytes) -> ConsentRequest | None:
        """Return the request that `pack` wrote, or None where another release did.

        The bytes are authentic, so they are not checked again.
        """
        fields = cast("list[object]", json.loads(data))
        if fields[0] != FORMAT:
            return None
        _, user, service, client, redirect_uri, scopes, challenge, resource, link, expires, state, session, *unnamed = (
            fields
        )
        name, kind, pkce = cast("list[str]", client)
        return cls(
            user=UserId(cast("str", user)),
            service=ServiceId(cast("str", service)),
            client=Client(
                name,
                kind=cast("Literal['confidential', 'public']", kind),
                pkce=cast("Literal['required', 'waived_for_confidential_client']", pkce),
            ),
            redirect_uri=cast("str", redirect_uri),
            scopes=frozenset(Scope(one) for one in cast("list[str]", scopes)),
            challenge=cast("str | None", challenge),
            resource=cast("str | None", resource),
            link=LinkId(cast("str", link)),
            expires=Instant(cast("int", expires)),
            state=cast("str | None", state),
            session=cast("str", session),
            redirect_named=not unnamed,
        )


@attrs.frozen(kw_only=True)
class Consent:
    """What the host's consent page shows, and the token that comes back with the answer.

    Args:
        request: user, service, client, scopes, resource.
        names: the service's name in ja, en and zh.
        operations: the scopes with their labels, in the order of the service's definition.
        lifetime: how long the link may live, in seconds.
        token: hidden field of the form; `links.accept` and `links.refuse` take it.
        client_name: what the client is called, where it is a registered one.
    """

    request: ConsentRequest
    names: LocalizedText
    operations: tuple[ScopeDefinition, ...]
    lifetime: int
    token: Secret
    client_name: str = ""


@attrs.frozen(kw_only=True)
class Acceptance:
    """The user agreed: the code to send back to the client's redirect URI, and how long it is good for."""

    code: Secret
    redirect_uri: str
    link: LinkId
    expires_in: int
    state: str | None = None
