"""TokenLedger: what codes and tokens do to a link (DESIGN 6).

Rules, in the order in which they are asked: the text is authentic - the token belongs to this client - the link lives
and the gates pass (the caller asks them) - redirect, PKCE, scope - consume - issue. Nothing ends on behalf of a caller
who has not passed the first three.

    code                            one redemption wins; another valid one ends the winner's tokens (ASVS 10.4.2);
                                    an invalid one ends nothing
    refresh, current generation     rotates
    refresh, the one before         the identical successor, if the answer may have been lost: nobody used it yet
                                    (public clients: for ten minutes), or, for a confidential client, within seconds
                                    of it; asking for something else: refused, nothing ends
    refresh, an older authentic one reuse: the family ends
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Final, Literal

import attrs

from extlink.domain.client import Client
from extlink.domain.decision import Note
from extlink.domain.identifier import LinkId, Scope, TenantId
from extlink.domain.instant import Instant
from extlink.domain.link import AccessToken, Lifetimes, Link, LinkEvent, LinkState, Rotation
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing, Presented, Token, TokenKind

__all__ = ["Failed", "Issued", "TokenLedger", "TokenSet"]

_KEPT_ACCESS_TOKENS: Final = 4
# RFC 7636 section 4.1: code-verifier = 43*128unreserved
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


@attrs.frozen(kw_only=True)
class TokenSet:
    """The tokens of one generation, for the client alone (RFC 6749 section 5.1).

    Args:
        expires_in: seconds that the access token still lives.
        scopes: what the access token covers.
        link: the link they belong to, for the host's own records.

    >>> tokens = TokenSet(
    ...     access_token=Secret("xl_at_..."), refresh_token=Secret("xl_rt_..."), expires_in=3600, scopes=frozenset(),
    ...     link=LinkId("AAAAAAAAAAAAAAAAAAAAAA"),
    ... )
    >>> tokens.access_token, tokens.token_type
    (Secret(***), 'Bearer')
    """

    access_token: Secret
    refresh_token: Secret
    expires_in: int
    scopes: frozenset[Scope]
    link: LinkId
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of the scheme (RFC 6750), not a secret


@attrs.frozen
class Issued:
    """The rules gave tokens: the link as it is now, and what to record."""

    link: Link
    tokens: TokenSet
    event: Literal["token.issued", "token.refreshed", "token.refresh_repeated"]


@attrs.frozen
class Failed:
    """The rules gave none: the OAuth error, the reason, and the link as it is now where a theft signal ended it."""

    error: Literal["invalid_grant", "invalid_scope", "invalid_request"]
    note: Note
    link: Link | None = None
    event: Literal["code.reuse_detected", "token.reuse_detected"] | None = None


@attrs.frozen
class TokenLedger:
    """The rules of a link's life for one tenant, pure: a link and what is presented go in, a link and tokens come out.

    Args:
        tenant: bound into every token.
        keys: the host's key ring.
        lifetimes: how long things live.

    >>> keys = KeyRing({"k1": Secret("00" * 32)}, current="k1")
    >>> ledger = TokenLedger(TenantId("acme"), keys, Lifetimes())
    >>> code, digest = ledger.issue_code(LinkId("AAAAAAAAAAAAAAAAAAAAAA"), bytes(20))
    >>> code, len(digest)
    (Secret(***), 32)
    """

    tenant: TenantId
    keys: KeyRing
    lifetimes: Lifetimes

    def issue_code(self, link: LinkId, random: bytes) -> tuple[Secret, bytes]:
        """Return a new authorization code for a link, and its digest.

        Args:
            random: 20 bytes, drawn.
        """
        token = Token(TokenKind.CODE, link, 0, self.keys.current)
        code = self.keys.mint(self.tenant, token, random)
        return code, self.keys.digest(self.tenant, token, code)

    def redeem(
        self,
        link: Link,
        presented: Presented,
        code: Secret,
        *,
        redirect_uri: str | None,
        verifier: str | None,
        at: Instant,
        salt: bytes,
    ) -> Issued | Failed:
        """Exchange a code for the first tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.6).

        Args:
            presented: what `code` says of itself; it belongs to the client, and the gates passed.
            redirect_uri: None for a client that sends none: one of OAuth 2.1 (section 10.2), or one that named none.
            salt: 20 bytes, drawn.
        """
        if presented.token.kind is not TokenKind.CODE:
            note: Note = ("token.wrong_kind", {"kind": str(presented.token.kind), "expected": str(TokenKind.CODE)})
            return Failed("invalid_grant", note)
        if not hmac.compare_digest(presented.digest, link.code.digest):
            return Failed("invalid_grant", ("token.unknown", {}))
        # A pure OAuth 2.1 client sends no redirect URI (section 10.2); without PKCE, it is all that binds the code, and
        # who named it before has to repeat it (RFC 6749 section 4.1.3).
        needed = link.code.redirect_named and link.code.challenge is None
        if redirect_uri != link.code.redirect_uri and (redirect_uri is not None or needed):
            return Failed("invalid_grant", ("code.redirect_mismatch", {}))
        problem = _verify(link.code.challenge, verifier)
        if problem is not None:
            return Failed("invalid_grant", (problem, {}))
        if at >= link.code.expires:
            return Failed("invalid_grant", ("code.expired", {"link": link.id}))
        state = link.moved(LinkEvent.REDEEM, "", at)
        if state is None:
            ended = link.moved(LinkEvent.REVOKE, "code_reuse", at)
            return Failed("invalid_grant", ("code.used", {"link": link.id}), ended, "code.reuse_detected")
        rotation = attrs.evolve(link.rotation, salt=salt, scopes=link.scopes)
        return self._rotate(attrs.evolve(state, rotation=rotation), code, at, "token.issued")

    def refresh(
        self,
        link: Link,
        presented: Presented,
        token: Secret,
        *,
        client: Client,
        scopes: frozenset[Scope] | None,
        at: Instant,
        salt: bytes,
    ) -> Issued | Failed:
        """Exchange a refresh token for the next tokens, or repeat the last answer (RFC 6749 section 6, DESIGN 6).

        Args:
            presented: what `token` says of itself; it belongs to `client`, and the gates passed.
            scopes: what the new access token shall cover; None: all that the link covers.
            salt: 20 bytes, drawn; unused where the last answer is repeated.
        """
        held, generation = link.rotation, presented.token.generation
        if presented.token.kind is not TokenKind.REFRESH:
            kinds = {"kind": str(presented.token.kind), "expected": str(TokenKind.REFRESH)}
            return Failed("invalid_grant", ("token.wrong_kind", kinds))
        wanted = link.scopes if scopes is None else scopes
        wider = sorted(wanted - link.scopes)
        if wider:
            return Failed("invalid_scope", ("refresh.scope_wider", {"scope": wider[0]}))
        if generation == held.generation and hmac.compare_digest(presented.digest, held.current):
            if link.is_over(at):
                return Failed("invalid_grant", ("refresh.expired", {"link": link.id}))
            rotation = attrs.evolve(held, salt=salt, scopes=wanted)
            return self._rotate(attrs.evolve(link, rotation=rotation), token, at, "token.refreshed")
        if generation == held.generation - 1 and hmac.compare_digest(presented.digest, held.previous):
            if wanted != held.scopes:
                return Failed("invalid_grant", ("refresh.other_request", {}))
            if self._may_repeat(held, client, at) and self.keys.knows(held.key_id):
                return Issued(link, self._tokens(link, token, at), "token.refresh_repeated")
        elif generation >= held.generation:
            # Authentic, yet not what the store holds: only a store that was set back can know less than a token.
            return Failed("invalid_grant", ("token.unknown", {}))
        ended = link.moved(LinkEvent.REVOKE, "token_reuse", at)
        return Failed("invalid_grant", ("refresh.reused", {"link": link.id}), ended, "token.reuse_detected")

    def code_again(self, link: Link, key_id: str, random: bytes) -> Secret | None:
        """Return the code of a link as it was issued from these bytes under this key, if it waits to be redeemed."""
        if link.state is not LinkState.CONSENTED or not self.keys.knows(key_id):
            return None
        token = Token(TokenKind.CODE, link.id, 0, key_id)
        code = self.keys.mint(self.tenant, token, random)
        return code if hmac.compare_digest(self.keys.digest(self.tenant, token, code), link.code.digest) else None

    def tokens_again(self, link: Link, presented: Secret, *, client: Client, at: Instant) -> TokenSet | None:
        """Return the tokens that a code or refresh token was exchanged for, if they are a link's newest.

        Only where a refresh would repeat its answer: who has recorded a request gets no more from it by an idempotency
        key than without.
        """
        held = link.rotation
        if not self.keys.knows(held.key_id) or not self._may_repeat(held, client, at):
            return None
        access, refresh = self._pair(link, presented)
        if not hmac.compare_digest(self._digest(link, TokenKind.REFRESH, refresh), held.current):
            return None
        return self._token_set(link, access, refresh, at)

    def examine(self, link: Link, presented: Presented, at: Instant) -> tuple[tuple[Note, ...], frozenset[Scope]]:
        """Return what is wrong with an access token of this link, and what the token covers (RFC 6750 section 3.1)."""
        token = presented.token
        if token.kind is not TokenKind.ACCESS:
            return (("token.wrong_kind", {"kind": str(token.kind), "expected": str(TokenKind.ACCESS)}),), frozenset()
        for access in link.access:
            if access.generation == token.generation and hmac.compare_digest(access.digest, presented.digest):
                if at >= access.expires:
                    return (("token.expired", {"link": link.id}),), access.scopes
                return (), access.scopes
        if token.generation < link.rotation.generation:
            return (("token.superseded", {"link": link.id}),), frozenset()
        return (("token.unknown", {}),), frozenset()

    def confirms(self, link: Link, presented: Presented) -> bool:
        """Whether the first accepted use of this access token shows that the last answer arrived."""
        return not link.rotation.confirmed and presented.token.generation == link.rotation.generation

    def _may_repeat(self, held: Rotation, client: Client, at: Instant) -> bool:
        age = at - held.at
        if client.kind == "public":
            return not held.confirmed and age < self.lifetimes.retry_public
        return not held.confirmed or age < self.lifetimes.retry_confirmed

    def _rotate(
        self, link: Link, presented: Secret, at: Instant, event: Literal["token.issued", "token.refreshed"]
    ) -> Issued:
        """Advance a link whose rotation already carries the new salt and scopes by one generation."""
        held = link.rotation
        rotation = attrs.evolve(
            held,
            generation=held.generation + 1,
            previous=held.current,
            key_id=self.keys.current,
            at=at,
            confirmed=False,
        )
        idle_until = Instant(at + self.lifetimes.refresh_idle)
        expires = Instant(min(at + self.lifetimes.access, link.expires, idle_until))
        link = attrs.evolve(link, rotation=rotation, idle_until=idle_until)
        # The digests are of the tokens, the tokens of the salt: so the tokens are made first, then their digests kept.
        access, refresh = self._pair(link, presented)
        kept = AccessToken(rotation.generation, self._digest(link, TokenKind.ACCESS, access), expires, rotation.scopes)
        link = attrs.evolve(
            link,
            access=(*(old for old in link.access if old.expires > at), kept)[-_KEPT_ACCESS_TOKENS:],
            rotation=attrs.evolve(rotation, current=self._digest(link, TokenKind.REFRESH, refresh)),
        )
        return Issued(link, self._token_set(link, access, refresh, at), event)

    def _tokens(self, link: Link, presented: Secret, at: Instant) -> TokenSet:
        return self._token_set(link, *self._pair(link, presented), at)

    def _pair(self, link: Link, presented: Secret) -> tuple[Secret, Secret]:
        salt = link.rotation.salt
        return (
            self.keys.succeed(self.tenant, self._token(link, TokenKind.ACCESS), salt, presented),
            self.keys.succeed(self.tenant, self._token(link, TokenKind.REFRESH), salt, presented),
        )

    def _token(self, link: Link, kind: TokenKind) -> Token:
        return Token(kind, link.id, link.rotation.generation, link.rotation.key_id)

    def _digest(self, link: Link, kind: TokenKind, secret: Secret) -> bytes:
        return self.keys.digest(self.tenant, self._token(link, kind), secret)

    def _token_set(self, link: Link, access: Secret, refresh: Secret, at: Instant) -> TokenSet:
        newest = link.access[-1]
        return TokenSet(
            access_token=access,
            refresh_token=refresh,
            expires_in=max(0, newest.expires - at),
            scopes=newest.scopes,
            link=link.id,
        )


def _verify(challenge: str | None, verifier: str | None) -> str | None:
    """Return the code of what is wrong with a PKCE verifier, or None (RFC 7636 section 4.6, S256 alone)."""
    if challenge is None:
        # A verifier without a challenge means that somebody cut the challenge out on the way (RFC 9700 section 4.8.2).
        return None if verifier is None else "code.verifier_unexpected"
    if verifier is None:
        return "code.verifier_missing"
    if not _VERIFIER.fullmatch(verifier):
        return "code.verifier_mismatch"
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return None if hmac.compare_digest(hashed, challenge) else "code.verifier_mismatch"
