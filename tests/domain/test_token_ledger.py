"""TokenLedger: what codes and tokens do to a link, one test for each sentence of the rule (DESIGN 6)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import attrs
import pytest

from extlink.domain.client import Client
from extlink.domain.identifier import LinkId, Scope, ServiceId, TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Code, Lifetimes, Link, LinkState
from extlink.domain.secret import Secret
from extlink.domain.tenant import Epochs
from extlink.domain.token import KeyRing, Presented, Token, TokenKind
from extlink.domain.token_ledger import Failed, Issued, TokenLedger, TokenSet

ACME = TenantId("acme")
LINK = LinkId("A" * 22)
AT = Instant(1_591_660_800)
READ, WRITE = Scope("k:app_record:read"), Scope("k:app_record:write")
BOTH = frozenset({READ, WRITE})
CONFIDENTIAL, PUBLIC = Client("c1"), Client("c1", kind="public")
REDIRECT = "https://client.example/cb"
# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
K1, K2 = Secret("11" * 32), Secret("22" * 32)
RING = KeyRing({"k1": K1}, current="k1")
ROTATED = KeyRing({"k1": K1, "k2": K2}, current="k2")
RETIRED = KeyRing({"k2": K2}, current="k2")
SALTS = (b"s" * 20, b"t" * 20, b"u" * 20)
LEDGER = TokenLedger(ACME, RING, Lifetimes())


@attrs.frozen
class Held:
    """A link and what its client holds."""

    link: Link
    tokens: TokenSet


def consented(challenge: str | None = CHALLENGE, *, public: bool = False) -> tuple[Link, Secret]:
    """Return a link that its owner has just agreed to, and its code."""
    code, digest = LEDGER.issue_code(LINK, bytes(20))
    link = Link(
        id=LINK,
        owner=UserId("sato"),
        service=ServiceId("slack"),
        client=CONFIDENTIAL.id,
        public=public,
        state=LinkState.CONSENTED,
        epochs=Epochs(),
        grants_at=0,
        scopes=BOTH,
        resource=None,
        accepted_at=AT,
        expires=Instant(AT + Lifetimes().refresh_absolute),
        code=Code(digest=digest, expires=Instant(AT + 60), redirect_uri=REDIRECT, challenge=challenge),
    )
    return link, code


def opened(secret: Secret, ledger: TokenLedger = LEDGER) -> Presented:
    """Return what a token of ours says."""
    presented = ledger.keys.open(ACME, secret)
    assert presented is not None
    return presented


def redeem(link: Link, code: Secret, **more: Any) -> Issued | Failed:
    """Show a code as it should be shown, but for what `more` says."""
    shown = {"redirect_uri": REDIRECT, "verifier": VERIFIER, "at": AT, "salt": SALTS[0], **more}
    return LEDGER.redeem(link, opened(code), code, **shown)


def refresh(
    link: Link,
    token: Secret,
    *,
    ledger: TokenLedger = LEDGER,
    client: Client = CONFIDENTIAL,
    **more: Any,
) -> Issued | Failed:
    """Show a refresh token as it should be shown, but for what `more` says."""
    shown = {"scopes": None, "at": Instant(AT + 10), "salt": SALTS[1], **more}
    return ledger.refresh(link, opened(token, ledger), token, client=client, **shown)


def issued(answer: Issued | Failed) -> Issued:
    """Return an answer that holds tokens."""
    assert isinstance(answer, Issued), answer
    return answer


def connected() -> Held:
    """Return a link whose code was redeemed at `AT`."""
    given = issued(redeem(*consented()))
    return Held(given.link, given.tokens)


def rotated(*, at: int = 10, client: Client = CONFIDENTIAL) -> tuple[Held, Held]:
    """Return a link before and after a refresh `at` seconds later; both hold the link as it is afterwards."""
    first = connected()
    given = issued(refresh(first.link, first.tokens.refresh_token, at=Instant(AT + at), client=client))
    return Held(given.link, first.tokens), Held(given.link, given.tokens)


def confirmed(link: Link) -> Link:
    """Return a link whose last answer is known to have arrived."""
    return attrs.evolve(link, rotation=attrs.evolve(link.rotation, confirmed=True))


def is_reuse(answer: Issued | Failed) -> bool:
    """Whether an answer ends the family."""
    if not isinstance(answer, Failed) or answer.event != "token.reuse_detected":
        return False
    assert ("invalid_grant", "refresh.reused") == (answer.error, answer.note[0])
    assert answer.link is not None
    assert (LinkState.REVOKED, "token_reuse") == (answer.link.state, answer.link.ended_by)
    return True


def ends_nothing(answer: Issued | Failed, code: str, error: str = "invalid_grant") -> bool:
    """Whether an answer refuses for a reason and leaves everything as it was."""
    return isinstance(answer, Failed) and (error, code, None, None) == (
        answer.error,
        answer.note[0],
        answer.link,
        answer.event,
    )


# --- Codes -------------------------------------------------------------------------------------------------------


def test_a_code_is_redeemed() -> None:
    """A code shown as it should be gives the tokens of the first generation, and the link lives."""
    link, code = consented()

    given = issued(redeem(link, code))

    assert ("token.issued", LinkState.LIVE, 1) == (given.event, given.link.state, given.link.rotation.generation)
    assert (BOTH, 3_600, LINK) == (given.tokens.scopes, given.tokens.expires_in, given.tokens.link)
    assert Token(TokenKind.ACCESS, LINK, 1, "k1") == opened(given.tokens.access_token).token
    assert Token(TokenKind.REFRESH, LINK, 1, "k1") == opened(given.tokens.refresh_token).token


def test_only_digests_are_kept() -> None:
    """What is kept of the tokens is a keyed digest of each: no text, no random part."""
    link, code = consented()

    given = issued(redeem(link, code))

    assert opened(given.tokens.access_token).digest == given.link.access[-1].digest
    assert opened(given.tokens.refresh_token).digest == given.link.rotation.current
    for secret in (code, given.tokens.access_token, given.tokens.refresh_token):
        assert secret.reveal() not in repr(attrs.asdict(given.link))


def test_a_code_is_single_use() -> None:
    """Another valid redemption gets `invalid_grant`, and the winner's tokens end (ASVS 10.4.2)."""
    link, code = consented()
    given = issued(redeem(link, code))

    again = redeem(given.link, code, salt=SALTS[1])

    assert isinstance(again, Failed)
    assert ("invalid_grant", "code.used", "code.reuse_detected") == (again.error, again.note[0], again.event)
    assert again.link is not None
    assert (LinkState.REVOKED, "code_reuse") == (again.link.state, again.link.ended_by)


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"redirect_uri": "https://client.example/other"}, "code.redirect_mismatch"),
        ({"redirect_uri": f"{REDIRECT}/"}, "code.redirect_mismatch"),
        ({"redirect_uri": ""}, "code.redirect_mismatch"),
        ({"verifier": "v" * 43}, "code.verifier_mismatch"),
        ({"verifier": VERIFIER[:42]}, "code.verifier_mismatch"),
        ({"verifier": CHALLENGE}, "code.verifier_mismatch"),
        ({"verifier": ""}, "code.verifier_mismatch"),
        ({"verifier": VERIFIER + "\n"}, "code.verifier_mismatch"),
        ({"verifier": None}, "code.verifier_missing"),
        ({"at": Instant(AT + 60)}, "code.expired"),
    ],
    ids=str,
)
def test_an_invalid_redemption_ends_nothing(used: bool, wrong: dict[str, Any], reason: str) -> None:
    """Whoever cannot show the code as it was bound ends nothing, before and after it was used (OAuth 2.1 7.5.3)."""
    link, code = consented()
    if used:
        link = issued(redeem(link, code)).link

    assert ends_nothing(redeem(link, code, **wrong), reason)


def test_a_code_lives_sixty_seconds() -> None:
    """It is good one second before its end, and not at its end."""
    link, code = consented()

    assert isinstance(redeem(link, code, at=Instant(AT + 59)), Issued)
    assert isinstance(redeem(link, code, at=Instant(AT + 60)), Failed)


def test_the_vector_of_rfc_7636() -> None:
    """Appendix B: verifier and challenge as the RFC prints them; the challenge is the hash of the verifier."""
    hashed = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

    assert CHALLENGE == hashed
    assert isinstance(redeem(*consented(CHALLENGE)), Issued)


@pytest.mark.parametrize("length", [42, 43, 128, 129])
def test_a_verifier_has_43_to_128_characters(length: int) -> None:
    """RFC 7636 4.1: what is shorter or longer is no verifier, even if its hash is the challenge."""
    verifier = "~" * length
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()

    answer = redeem(*consented(challenge), verifier=verifier)

    assert (43 <= length <= 128) == isinstance(answer, Issued)


def test_a_client_without_pkce() -> None:
    """With the named waiver no verifier is shown; one that is means that a challenge was cut out (RFC 9700 4.8)."""
    assert isinstance(redeem(*consented(None), verifier=None), Issued)
    assert ends_nothing(redeem(*consented(None)), "code.verifier_unexpected")


def test_a_client_that_sends_no_redirect_uri() -> None:
    """OAuth 2.1 10.2 lets PKCE alone bind the code; without PKCE the redirect URI is all there is."""
    assert isinstance(redeem(*consented(), redirect_uri=None), Issued)
    assert ends_nothing(redeem(*consented(None), redirect_uri=None, verifier=None), "code.redirect_mismatch")


def test_another_kind_of_token_is_no_code() -> None:
    """Neither an access token nor a refresh token of the same link is redeemed."""
    held = connected()

    for token in (held.tokens.access_token, held.tokens.refresh_token):
        assert ends_nothing(redeem(held.link, token), "token.wrong_kind")


def test_an_authentic_code_that_was_not_issued() -> None:
    """A code that the host's key made for this link, but not at this acceptance, ends nothing."""
    link, _ = consented()
    other, _ = LEDGER.issue_code(LINK, b"r" * 20)

    assert ends_nothing(redeem(link, other), "token.unknown")


# --- Refresh: the table of DESIGN 6 ------------------------------------------------------------------------------


def test_the_current_generation_rotates() -> None:
    """A new pair of tokens, the next generation, not yet confirmed, with the salt that was drawn."""
    held = connected()

    given = issued(refresh(held.link, held.tokens.refresh_token))

    rotation = given.link.rotation
    assert ("token.refreshed", 2, False) == (given.event, rotation.generation, rotation.confirmed)
    assert (SALTS[1], Instant(AT + 10)) == (rotation.salt, rotation.at)
    assert opened(held.tokens.refresh_token).digest == rotation.previous
    assert 2 == opened(given.tokens.refresh_token).token.generation
    assert given.tokens.refresh_token != held.tokens.refresh_token


def test_the_successor_is_derived_and_not_kept() -> None:
    """It follows from the host's key, the salt and the presented token: the same again, other for another salt."""
    held = connected()
    token = held.tokens.refresh_token

    one, same = (issued(refresh(held.link, token)).tokens for _ in range(2))
    other = issued(refresh(held.link, token, salt=SALTS[2])).tokens

    assert one == same
    assert one.refresh_token != other.refresh_token
    assert one.access_token != other.access_token


@pytest.mark.parametrize("client", [CONFIDENTIAL, PUBLIC], ids=lambda client: client.kind)
def test_the_one_before_unconfirmed_gets_the_identical_successor(client: Client) -> None:
    """A lost answer is given again, text for text, with the time that the access token has left; nothing changes."""
    before, after = rotated(client=client)

    again = issued(refresh(after.link, before.tokens.refresh_token, at=Instant(AT + 110), salt=SALTS[2], client=client))

    assert "token.refresh_repeated" == again.event
    assert after.link is again.link
    assert attrs.evolve(after.tokens, expires_in=3_500) == again.tokens


@pytest.mark.parametrize(("later", "repeated"), [(0, True), (29, True), (30, False), (599, False)])
def test_a_confidential_client_has_thirty_seconds_after_a_confirmation(later: int, repeated: bool) -> None:
    """Confirmed, it gets the successor within 30 s of the rotation; then the older token is reuse."""
    before, after = rotated()
    link = confirmed(after.link)

    answer = refresh(link, before.tokens.refresh_token, at=Instant(AT + 10 + later))

    assert repeated == isinstance(answer, Issued)
    assert repeated != is_reuse(answer)


def test_a_confidential_client_may_wait_where_nobody_confirmed() -> None:
    """Unconfirmed, it may ask again a day later: only it could, and nobody has used the answer."""
    before, after = rotated()

    answer = refresh(after.link, before.tokens.refresh_token, at=Instant(AT + 86_400))

    assert 0 == issued(answer).tokens.expires_in
    assert after.tokens.refresh_token == issued(answer).tokens.refresh_token


@pytest.mark.parametrize(("later", "repeated"), [(0, True), (599, True), (600, False)])
def test_a_public_client_has_ten_minutes(later: int, repeated: bool) -> None:
    """Unconfirmed, it gets the successor within ten minutes of the rotation; then the older token is reuse."""
    before, after = rotated(client=PUBLIC)

    answer = refresh(after.link, before.tokens.refresh_token, at=Instant(AT + 10 + later), client=PUBLIC)

    assert repeated == isinstance(answer, Issued)
    assert repeated != is_reuse(answer)


def test_a_public_client_has_no_time_after_a_confirmation() -> None:
    """Confirmed, the older token of a public client is reuse at once."""
    before, after = rotated(client=PUBLIC)

    assert is_reuse(refresh(confirmed(after.link), before.tokens.refresh_token, client=PUBLIC))


def test_a_host_may_close_the_window_after_a_confirmation() -> None:
    """With `retry_confirmed=0` a confirmed answer is never given again."""
    before, after = rotated()
    strict = TokenLedger(ACME, RING, Lifetimes(retry_confirmed=0))

    assert is_reuse(refresh(confirmed(after.link), before.tokens.refresh_token, ledger=strict))
    assert isinstance(refresh(after.link, before.tokens.refresh_token, ledger=strict), Issued)


@pytest.mark.parametrize("client", [CONFIDENTIAL, PUBLIC], ids=lambda client: client.kind)
@pytest.mark.parametrize("is_confirmed", [False, True])
def test_the_one_before_with_another_scope_ends_nothing(client: Client, is_confirmed: bool) -> None:
    """A retry that asks for something else is refused, whatever is known of the answer, and nothing ends."""
    before, after = rotated(client=client)
    link = confirmed(after.link) if is_confirmed else after.link
    narrower = frozenset({READ})

    answer = refresh(link, before.tokens.refresh_token, scopes=narrower, client=client)

    assert ends_nothing(answer, "refresh.other_request")


def test_a_retry_asks_for_what_was_asked_for() -> None:
    """A refresh for less is repeated for the same less, and refused for all."""
    held = connected()
    less = frozenset({READ})
    given = issued(refresh(held.link, held.tokens.refresh_token, scopes=less))

    assert less == given.tokens.scopes
    assert given.tokens == issued(refresh(given.link, held.tokens.refresh_token, scopes=less)).tokens
    assert ends_nothing(refresh(given.link, held.tokens.refresh_token), "refresh.other_request")


def test_an_older_token_is_reuse() -> None:
    """An authentic token of two generations ago ends the family, confirmed or not."""
    before, after = rotated()
    third = issued(refresh(after.link, after.tokens.refresh_token, salt=SALTS[2]))

    assert is_reuse(refresh(third.link, before.tokens.refresh_token))
    assert is_reuse(refresh(confirmed(third.link), before.tokens.refresh_token))


def test_using_the_successor_confirms_it() -> None:
    """Once the successor was presented, the token before it is two generations old; its answer is not repeated."""
    before, after = rotated()
    third = issued(refresh(after.link, after.tokens.refresh_token, salt=SALTS[2]))

    assert 3 == third.link.rotation.generation
    assert is_reuse(refresh(third.link, before.tokens.refresh_token))
    assert isinstance(refresh(third.link, after.tokens.refresh_token), Issued)


def test_an_authentic_older_token_of_another_lineage_is_reuse() -> None:
    """One of the generation before that is not the one before: only a store that was set back knows of two."""
    _, after = rotated()
    forked = RING.mint(ACME, Token(TokenKind.REFRESH, LINK, 1, "k1"), b"f" * 20)

    assert is_reuse(refresh(after.link, forked))


@pytest.mark.parametrize("generation", [2, 3, 9_999_999_999])
def test_a_token_that_the_store_cannot_know_ends_nothing(generation: int) -> None:
    """A store restored from a backup knows less than a token says: refused, and nothing ends."""
    _, after = rotated()
    newer = RING.mint(ACME, Token(TokenKind.REFRESH, LINK, generation, "k1"), b"n" * 20)

    assert ends_nothing(refresh(after.link, newer), "token.unknown")


def test_a_text_that_is_not_authentic_says_nothing() -> None:
    """It does not get as far as the rules: nothing about it is known."""
    held = connected()
    text = held.tokens.refresh_token.reveal()

    assert RING.open(ACME, text[:-1] + ("A" if text[-1] != "A" else "B")) is None


def test_another_kind_of_token_is_no_refresh_token() -> None:
    """An access token or the code of the same link refreshes nothing and ends nothing."""
    link, code = consented()
    given = issued(redeem(link, code))

    for token in (given.tokens.access_token, code):
        assert ends_nothing(refresh(given.link, token), "token.wrong_kind")


def test_wider_scopes_are_never_given() -> None:
    """RFC 6749 6: what was not consented to is `invalid_scope`; the token stays good."""
    held = connected()
    wider = frozenset({READ, Scope("k:file:write")})

    assert ends_nothing(
        refresh(held.link, held.tokens.refresh_token, scopes=wider), "refresh.scope_wider", "invalid_scope"
    )
    assert isinstance(refresh(held.link, held.tokens.refresh_token), Issued)


def test_the_refresh_token_keeps_its_scopes() -> None:
    """RFC 6749 6: a refresh for less narrows the access token alone; the next refresh may ask for all again."""
    held = connected()
    narrowed = issued(refresh(held.link, held.tokens.refresh_token, scopes=frozenset({READ})))

    again = issued(refresh(narrowed.link, narrowed.tokens.refresh_token, salt=SALTS[2]))

    assert BOTH == again.tokens.scopes


@pytest.mark.parametrize(("later", "good"), [(-1, True), (0, False)])
def test_a_link_that_is_not_refreshed_expires(later: int, good: bool) -> None:
    """180 days after the last rotation (RFC 9700 4.14.2); refused, and nothing ends that was not over."""
    held = connected()
    at = Instant(AT + Lifetimes().refresh_idle + later)

    answer = refresh(held.link, held.tokens.refresh_token, at=at)

    assert good == isinstance(answer, Issued)
    assert good != ends_nothing(answer, "refresh.expired")


def test_a_link_has_an_absolute_end() -> None:
    """However often it is refreshed, neither token outlives the link (ASVS 10.4.8)."""
    held = connected()
    link = attrs.evolve(held.link, expires=Instant(AT + 100))

    given = issued(refresh(link, held.tokens.refresh_token, at=Instant(AT + 90)))

    assert 10 == given.tokens.expires_in
    assert ends_nothing(refresh(given.link, given.tokens.refresh_token, at=Instant(AT + 100)), "refresh.expired")


# --- Keys that rotate --------------------------------------------------------------------------------------------


def test_a_retry_after_the_key_was_rotated_is_identical() -> None:
    """The successor is derived under the key of its rotation, whatever key is current at the retry."""
    before, after = rotated()
    later = TokenLedger(ACME, ROTATED, Lifetimes())

    again = issued(refresh(after.link, before.tokens.refresh_token, ledger=later))

    assert after.tokens.refresh_token == again.tokens.refresh_token
    assert after.tokens.access_token == again.tokens.access_token


def test_a_rotation_takes_the_current_key() -> None:
    """Tokens of an older key are exchanged for tokens of the current one, and those are good for a retry too."""
    held = connected()
    later = TokenLedger(ACME, ROTATED, Lifetimes())

    given = issued(refresh(held.link, held.tokens.refresh_token, ledger=later))

    assert ("k2", "k2") == (given.link.rotation.key_id, opened(given.tokens.refresh_token, later).token.key_id)
    assert given.tokens == issued(refresh(given.link, held.tokens.refresh_token, ledger=later)).tokens


def test_a_retired_key_recognises_nothing() -> None:
    """Tokens made under it are no longer authentic: refused without a trace, and nothing ends."""
    held = connected()

    assert RETIRED.open(ACME, held.tokens.refresh_token) is None
    assert RETIRED.open(ACME, held.tokens.access_token) is None


def test_a_successor_under_a_retired_key_is_not_given() -> None:
    """A retry cannot be answered where the key of its rotation is gone: its tokens are dead, and so is the family."""
    held = connected()
    given = issued(refresh(held.link, held.tokens.refresh_token, ledger=TokenLedger(ACME, ROTATED, Lifetimes())))

    assert is_reuse(refresh(given.link, held.tokens.refresh_token))


# --- Access tokens -----------------------------------------------------------------------------------------------


def _examined(link: Link, token: Secret, at: int = 10) -> tuple[list[str], frozenset[Scope]]:
    notes, covered = LEDGER.examine(link, opened(token), Instant(AT + at))
    return [code for code, _ in notes], covered


def test_a_good_access_token() -> None:
    """Nothing is wrong with it, and it covers what it was issued for."""
    held = connected()

    assert ([], BOTH) == _examined(held.link, held.tokens.access_token)


def test_an_access_token_lives_an_hour() -> None:
    """It is good one second before its end, and expired at its end."""
    held = connected()

    assert [] == _examined(held.link, held.tokens.access_token, 3_599)[0]
    assert ["token.expired"] == _examined(held.link, held.tokens.access_token, 3_600)[0]


def test_an_access_token_in_use_outlives_a_rotation() -> None:
    """Requests under way do not fail because another process refreshed: up to four are kept until they expire."""
    held = connected()
    link, token = held.link, held.tokens.refresh_token
    access = [held.tokens.access_token]
    for number in range(4):
        given = issued(refresh(link, token, at=Instant(AT + 10 + number), salt=bytes([number]) * 20))
        link, token = given.link, given.tokens.refresh_token
        access.append(given.tokens.access_token)

    examined = [_examined(link, one, 20)[0] for one in access]

    assert [["token.superseded"], [], [], [], []] == examined


def test_expired_access_tokens_are_not_kept() -> None:
    """At a rotation those that are over are dropped."""
    held = connected()

    given = issued(refresh(held.link, held.tokens.refresh_token, at=Instant(AT + 3_600)))

    assert 1 == len(given.link.access)


@pytest.mark.parametrize(
    ("generation", "reason"), [(0, "token.superseded"), (1, "token.unknown"), (2, "token.unknown")]
)
def test_an_authentic_access_token_that_is_not_kept(generation: int, reason: str) -> None:
    """An older one is superseded; one of this generation or a later one is unknown."""
    held = connected()
    token = RING.mint(ACME, Token(TokenKind.ACCESS, LINK, generation, "k1"), b"o" * 20)

    assert ([reason], frozenset()) == _examined(held.link, token)


def test_another_kind_is_no_access_token() -> None:
    """A refresh token is never taken for an access token."""
    held = connected()

    assert (["token.wrong_kind"], frozenset()) == _examined(held.link, held.tokens.refresh_token)


def test_what_confirms_an_answer() -> None:
    """The first accepted use of the newest access token, once; never that of an older one."""
    before, after = rotated()

    assert LEDGER.confirms(after.link, opened(after.tokens.access_token))
    assert not LEDGER.confirms(after.link, opened(before.tokens.access_token))
    assert not LEDGER.confirms(confirmed(after.link), opened(after.tokens.access_token))


# --- A rule that lets a thief live -------------------------------------------------------------------------------


class UntilTheRefreshTokenIsUsed(TokenLedger):
    """The broken rule: a retry is answered until the next refresh, although the access token is in use."""

    def _may_repeat(self, *args: object) -> bool:
        return True


def test_a_thief_in_lock_step_is_caught() -> None:
    """The broken twin: who copied a token could follow its owner for ever; by the rules, the first use ends it."""
    before, after = rotated(client=PUBLIC)
    link = confirmed(after.link)
    broken = UntilTheRefreshTokenIsUsed(ACME, RING, Lifetimes())

    assert not is_reuse(refresh(link, before.tokens.refresh_token, ledger=broken, client=PUBLIC))
    assert is_reuse(refresh(link, before.tokens.refresh_token, client=PUBLIC))
