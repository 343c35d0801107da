from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Literal

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import access, catalog, datagroups, grants, links, networks, services, users
from extlink.domain.client import Client
from extlink.domain.consent import Acceptance
from extlink.domain.decision import Refusal
from extlink.domain.identifier import LinkId, TenantId
from extlink.domain.link import Lifetimes, LinkState
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing, Token, TokenKind
from extlink.domain.token_ledger import TokenSet
from extlink.errors import InvalidInput, Refused
from extlink.operation import Operation
from tests.people import (
    BROWSER,
    PA,
    POWER,
    READ,
    REDIRECT,
    VERIFIER,
    WRITE,
    World,
    codes,
    plant,
    refused,
    stored,
    world,
)

ACME: Final = TenantId("acme")
KEYS: Final = KeyRing({"k1": Secret("5e" * 32)}, current="k1")
OTHER: Final = Client("another")
WAIVED: Final = Client("power-automate-jp", pkce="waived_for_confidential_client")


def permitted(**more: Any) -> World:
    """Return a host in which sato and ito are permitted."""
    made = world(**more)
    made.allow("sato", "ito")
    return made


def issued(answer: TokenSet | Refusal) -> TokenSet:
    """Return the tokens of an answer that has some."""
    assert isinstance(answer, TokenSet), codes(answer)
    return answer


def why(answer: TokenSet | Refusal) -> tuple[str, tuple[str, ...]]:
    """Return the OAuth error and the reasons of a refusal."""
    assert isinstance(answer, Refusal), answer
    return answer.error, codes(answer)


# --- Redeem ------------------------------------------------------------------------------------------------------


def test_a_code_becomes_tokens() -> None:
    """RFC 6749 5.1: both tokens, an hour, the scopes that were consented to; one entry with no secret in it."""
    made = permitted()
    accepted = made.code("sato")

    tokens = issued(made.redeem(accepted))

    assert ("Bearer", 3_600, accepted.link) == (tokens.token_type, tokens.expires_in, tokens.link)
    assert [READ, WRITE] == sorted(tokens.scopes)
    (entry,) = made.entries("token.issued")
    assert {
        "service": POWER,
        "user": "sato",
        "link": tokens.link,
        "generation": 1,
        "scopes": [READ, WRITE],
        "expires": made.clock.now() + 3_600,
    } == entry.details
    ledger = repr(made.entries())
    for secret in (accepted.code, tokens.access_token, tokens.refresh_token):
        assert secret.reveal() not in ledger


def law_one_code_one_redemption(redeem: Callable[[World, Acceptance], TokenSet | Refusal]) -> None:
    """Law 10: one redemption wins; another valid one is refused and ends the winner's tokens (ASVS 10.4.2)."""
    made = permitted()
    accepted = made.code("sato")
    tokens = issued(redeem(made, accepted))

    assert ("invalid_grant", ("code.used",)) == why(redeem(made, accepted))
    assert ("link.revoked",) == codes(made.check(tokens))
    assert ("invalid_grant", ("link.revoked",)) == why(made.refresh(tokens))


def test_one_code_one_redemption() -> None:
    """A used code never yields tokens twice, and its second use ends those of the first."""
    law_one_code_one_redemption(lambda made, accepted: made.redeem(accepted))


def test_a_second_redemption_that_ends_nothing_is_caught() -> None:
    """The broken twin: a token endpoint that remembers used codes by itself and never asks the library."""
    used: set[str] = set()

    def remembering(made: World, accepted: Acceptance) -> TokenSet | Refusal:
        text = accepted.code.reveal()
        if text in used:
            return Refusal("invalid_grant", (Reason("code.used"),))
        used.add(text)
        return made.redeem(accepted)

    with pytest.raises(AssertionError):
        law_one_code_one_redemption(remembering)


def test_the_ledger_tells_of_a_code_that_was_used_twice() -> None:
    """Both the signal and the end of the link are recorded, with the rule that ended it."""
    made = permitted()
    accepted = made.code("sato")
    made.redeem(accepted)
    made.redeem(accepted)

    details = {"service": POWER, "user": "sato", "link": accepted.link, "by": "code_reuse"}
    assert [("code.reuse_detected", details), ("link.revoked", details)] == [
        (entry.event, entry.details) for entry in made.entries()[-2:]
    ]


INVALID: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "another redirect URI": ({"redirect_uri": REDIRECT + "/"}, "code.redirect_mismatch"),
    "an empty redirect URI": ({"redirect_uri": ""}, "code.redirect_mismatch"),
    "another client": ({"client": OTHER}, "token.wrong_client"),
    "the same id as a public client": ({"client": Client(PA.id, kind="public")}, "token.wrong_client"),
    "no verifier": ({"verifier": None}, "code.verifier_missing"),
    "another verifier": ({"verifier": VERIFIER[:-1] + "A"}, "code.verifier_mismatch"),
    "a short verifier": ({"verifier": VERIFIER[:42]}, "code.verifier_mismatch"),
    "a long verifier": ({"verifier": "a" * 129}, "code.verifier_mismatch"),
    "a verifier with other characters": ({"verifier": VERIFIER[:-1] + "="}, "code.verifier_mismatch"),
}


@pytest.mark.parametrize("name", INVALID)
@pytest.mark.parametrize("when", ["first", "second"])
def test_an_invalid_redemption_ends_nothing(name: str, when: Literal["first", "second"]) -> None:
    """O21-7.5.3: who cannot redeem the code ends neither the code nor, later, its tokens (that would be a DoS)."""
    arguments, wanted = INVALID[name]
    made = permitted()
    accepted = made.code("sato")
    tokens = issued(made.redeem(accepted)) if when == "second" else None
    before = made.dump()

    assert ("invalid_grant", (wanted,)) == why(made.redeem(accepted, **arguments))

    assert before == made.dump()
    assert made.check(tokens or issued(made.redeem(accepted)))


def test_a_client_that_sends_no_redirect_uri() -> None:
    """O21-10.2: a pure OAuth 2.1 client sends none; the challenge binds its code."""
    made = permitted()

    assert isinstance(made.redeem(made.code("sato"), redirect_uri=None), TokenSet)


def waived(made: World) -> Acceptance:
    """Return the code of a client that sends no challenge."""
    return made.agree("sato", made.ask("sato", client=WAIVED, verifier=None))


def test_without_a_challenge_the_redirect_uri_binds_the_code() -> None:
    """Power Automate sends no challenge: then the redirect URI must be sent and be the same."""
    made = permitted()
    accepted = waived(made)

    assert ("invalid_grant", ("code.redirect_mismatch",)) == why(
        made.redeem(accepted, redirect_uri=None, verifier=None)
    )
    assert isinstance(made.redeem(accepted, verifier=None), TokenSet)


def test_a_verifier_without_a_challenge() -> None:
    """RFC 9700 4.8.2: somebody cut the challenge out on the way; refused, nothing ends."""
    made = permitted()
    accepted = waived(made)

    assert ("invalid_grant", ("code.verifier_unexpected",)) == why(made.redeem(accepted))
    assert isinstance(made.redeem(accepted, verifier=None), TokenSet)


@pytest.mark.parametrize(("passed", "good"), [(59, True), (60, False), (61, False)])
def test_a_code_lives_a_minute(passed: int, *, good: bool) -> None:
    """ASVS 10.4.3, level 3: at most 60 seconds."""
    made = permitted()
    accepted = made.code("sato")
    made.clock.advance(passed)

    answer = made.redeem(accepted)

    assert good is isinstance(answer, TokenSet)
    assert good or why(answer) == ("invalid_grant", ("code.expired",))


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_another_token_is_no_code(kind: str) -> None:
    """An access or refresh token in place of a code is refused and ends nothing."""
    made = permitted()
    tokens = made.connect("sato")
    text = tokens.access_token if kind == "access" else tokens.refresh_token

    assert ("invalid_grant", ("token.wrong_kind",)) == why(made.redeem(text))
    assert made.check(tokens)


def test_an_authentic_code_that_was_never_issued() -> None:
    """A code of our keys with other random bits: only a store that was set back can meet it; nothing ends."""
    made = permitted()
    accepted = made.code("sato")
    forged = KEYS.mint(ACME, Token(TokenKind.CODE, accepted.link, 0, "k1"), b"\1" * 20)

    assert ("invalid_grant", ("token.unknown",)) == why(made.redeem(forged))
    assert isinstance(made.redeem(accepted), TokenSet)


GATES: Final[dict[str, tuple[Operation[Any], Operation[Any] | None, str]]] = {
    # What closes a gate, what opens it again (None: nothing does), and the reason.
    "service disabled": (services.disable(POWER), services.enable(POWER), "service.disabled"),
    "grant suspended": (
        grants.withdraw(POWER, users=["sato"], existing="suspend"),
        grants.allow(POWER, users=["sato"]),
        "grant.missing",
    ),
    "excluded": (
        grants.exclude(POWER, users=["sato"], existing="suspend"),
        grants.include(POWER, users=["sato"]),
        "grant.excluded",
    ),
    "user on leave": (users.suspend("sato", existing="suspend"), users.resume("sato"), "user.suspended"),
    "service's links ended": (links.revoke_all(service=POWER), None, "link.ended"),
    "user's links ended": (links.revoke_all(user="sato"), None, "link.ended"),
}


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("endpoint", ["redeem", "refresh"])
def test_the_gates_at_the_token_endpoint(name: str, endpoint: str) -> None:
    """Every gate is asked before a code or token is looked at; a closed gate uses nothing up."""
    close, reopen, wanted = GATES[name]
    made = permitted()
    accepted = made.code("sato")
    tokens = issued(made.redeem(accepted)) if endpoint == "refresh" else None
    made.run(close)
    before = made.dump()

    def attempt() -> TokenSet | Refusal:
        return made.redeem(accepted) if tokens is None else made.refresh(tokens)

    refusal = attempt()
    assert ("invalid_grant", (wanted,)) == why(refusal)
    assert isinstance(refusal, Refusal)
    assert refusal.decision is not None
    assert before == made.dump()

    if reopen is not None:
        made.run(reopen)
        assert made.check(issued(attempt()))


def test_a_directory_that_fails() -> None:
    """No answer is no yes at the token endpoint either, and no lasting no; the code and the token stay good."""
    made = permitted()
    accepted = made.code("sato")
    made.directory.down = True
    assert ("temporarily_unavailable", ("directory.unavailable",)) == why(made.redeem(accepted))

    made.directory.down = False
    tokens = issued(made.redeem(accepted))
    made.directory.down = True
    assert ("temporarily_unavailable", ("directory.unavailable",)) == why(made.refresh(tokens))


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        (None, None),
        ("203.0.113.9", None),
        ("198.51.100.1", "network.address_not_allowed"),
        ("203.0.113.09", "network.address_invalid"),
        ("", "network.address_invalid"),
    ],
)
def test_the_address_at_the_token_endpoint(address: str | None, wanted: str | None) -> None:
    """Where the host states the client's address the restriction holds; without one it is left to the calls."""
    made = permitted()
    accepted = made.code("sato")
    made.run(networks.restrict(["203.0.113.0/24"]))

    def redeem(where: str | None) -> TokenSet | Refusal:
        return made.tenant.run(
            links.redeem(accepted.code, client=PA, redirect_uri=REDIRECT, code_verifier=VERIFIER, address=where)
        )

    first = redeem(address)
    assert (wanted is None) is isinstance(first, TokenSet)
    tokens = first if isinstance(first, TokenSet) else issued(redeem(None))
    second = made.tenant.run(links.refresh(tokens.refresh_token, client=PA, address=address))
    assert (wanted is None) is isinstance(second, TokenSet)
    if wanted is not None:
        assert ("invalid_grant", (wanted,)) == why(first) == why(second)


def test_a_scope_that_became_unknown() -> None:
    """A link whose operations the service's definition has no more gets no tokens."""
    made = permitted()
    tokens = made.connect("sato")
    kept = tuple(scope for scope in catalog.POWER_AUTOMATE.scopes if scope.name != WRITE)
    made.run(services.register(attrs.evolve(catalog.POWER_AUTOMATE, scopes=kept)))

    assert ("invalid_grant", ("scope.unknown",)) == why(made.refresh(tokens))


# --- One link per owner, service and client ----------------------------------------------------------------------


def law_one_live_lineage(redeem: Callable[[World, Acceptance], TokenSet | Refusal]) -> tuple[World, TokenSet, TokenSet]:
    """Law 11: at most one live lineage per user, service and client; the older ends when the newer is redeemed."""
    made = permitted()
    old = made.connect("sato")
    accepted = made.code("sato")
    assert made.check(old)

    new = issued(redeem(made, accepted))

    assert (("link.revoked",), ()) == (codes(made.check(old)), codes(made.check(new)))
    return made, old, new


def test_links_that_pile_up_are_caught() -> None:
    """The broken twin: the old link is left as it was."""

    def piling_up(made: World, accepted: Acceptance) -> TokenSet | Refusal:
        link = made.user("sato").run(links.of("sato"))[0].links[0].id
        before = stored(made, link)
        tokens = made.redeem(accepted)
        plant(made, before)
        return tokens

    with pytest.raises(AssertionError):
        law_one_live_lineage(piling_up)


def test_a_new_link_takes_the_place_of_the_old() -> None:
    """The newer is listed alone, and the entry says that the older was superseded."""
    made, old, new = law_one_live_lineage(lambda made, accepted: made.redeem(accepted))

    (entry,) = made.entries("link.revoked")
    assert {"service": POWER, "user": "sato", "link": old.link, "by": "superseded"} == entry.details
    assert [new.link] == [view.id for view in made.user("sato").run(links.of("sato"))[0].links]


def test_links_of_others_are_untouched() -> None:
    """Another user's, another client's and another service's links live on."""
    made = permitted(enable=(POWER, "slack"))
    made.allow("sato", service="slack")
    others = [
        made.connect("ito"),
        made.connect("sato", client=OTHER),
        made.connect("sato", client=BROWSER),
    ]
    slack = made.connect("sato", service="slack", scopes="chat:write")
    made.connect("sato")
    made.connect("sato")

    assert all(made.check(tokens) for tokens in others)
    assert made.check(slack, scope="chat:write")


def test_a_suspended_link_is_replaced_too() -> None:
    """Connecting anew replaces a link that is paused, so that it cannot come back beside the new one."""
    made = permitted()
    old = made.connect("sato")
    made.run(links.suspend(old.link))
    made.connect("sato")

    with refused("link.transition", state="revoked", event="resume"):
        made.run(links.resume(old.link))


def test_of_two_codes_the_one_redeemed_last_stays() -> None:
    """Two consents of the same user and client: each redemption replaces what the other brought."""
    made = permitted()
    first, second = made.code("sato"), made.code("sato")
    later = issued(made.redeem(second))
    last = issued(made.redeem(first))

    assert (("link.revoked",), ()) == (codes(made.check(later)), codes(made.check(last)))


# --- Refresh -----------------------------------------------------------------------------------------------------


def test_a_refresh_rotates() -> None:
    """RFC 9700 4.14: a new pair in the next generation, recorded; the old refresh token is used up."""
    made = permitted()
    first = made.connect("sato")
    second = made.refreshed(first)
    third = made.refreshed(second)

    assert 3 == len({tokens.refresh_token.reveal() for tokens in (first, second, third)})
    assert [2, 3] == [entry.details["generation"] for entry in made.entries("token.refreshed")]
    assert made.check(third)


def test_a_lost_answer_is_repeated_identically() -> None:
    """F9: the retry gets the identical successor with the remaining lifetime; the store keeps digests alone."""
    made = permitted()
    first = made.connect("sato")
    second = made.refreshed(first)
    before = stored(made, first.link)
    made.clock.advance(100)

    again = made.refreshed(first)

    assert (second.access_token, second.refresh_token) == (again.access_token, again.refresh_token)
    assert (3_600, 3_500) == (second.expires_in, again.expires_in)
    assert before == stored(made, first.link)
    assert ["token.refresh_repeated"] == [made.events()[-1]]


@pytest.mark.parametrize(
    ("client", "used", "passed", "identical"),
    [
        (PA, False, 100_000, True),
        (PA, True, 29, True),
        (PA, True, 30, False),
        (BROWSER, False, 599, True),
        (BROWSER, False, 600, False),
        (BROWSER, True, 1, False),
    ],
)
def test_how_long_an_answer_may_be_asked_for_again(client: Client, used: bool, passed: int, identical: bool) -> None:
    """DESIGN 6: unconfirmed for ever (public: ten minutes); confirmed: confidential clients for 30 seconds."""
    made = permitted()
    first = made.connect("sato", client=client)
    second = made.refreshed(first, client=client)
    if used:
        assert made.check(second)
    made.clock.advance(passed)

    answer = made.refresh(first, client=client)

    if identical:
        assert second.refresh_token == issued(answer).refresh_token
    else:
        assert ("invalid_grant", ("refresh.reused",)) == why(answer)
        assert LinkState.REVOKED is stored(made, second.link).state


def law_reuse_ends_the_family(refresh: Callable[[World, TokenSet], TokenSet | Refusal]) -> None:
    """RFC 9700 4.14, ASVS 10.4.5: an older refresh token than the one before is reuse and ends all of the link."""
    made = permitted()
    stolen = made.connect("sato")
    second = issued(refresh(made, stolen))
    third = issued(refresh(made, second))

    assert ("invalid_grant", ("refresh.reused",)) == why(refresh(made, stolen))
    for tokens in (second, third):
        assert not made.check(tokens)
        assert isinstance(refresh(made, tokens), Refusal)


def test_reuse_ends_the_family() -> None:
    """Whoever has the old token - the thief or the robbed - the family ends."""
    law_reuse_ends_the_family(lambda made, tokens: made.refresh(tokens))


def test_a_refresh_that_only_refuses_is_caught() -> None:
    """The broken twin: an old token is refused and the thief's family lives on."""

    def lenient(made: World, tokens: TokenSet) -> TokenSet | Refusal:
        before = stored(made, tokens.link)
        answer = made.refresh(tokens)
        if isinstance(answer, Refusal):
            plant(made, before)
        return answer

    with pytest.raises(AssertionError):
        law_reuse_ends_the_family(lenient)


def test_the_ledger_tells_of_reuse() -> None:
    """The signal and the end of the link, by the rule."""
    made = permitted()
    stolen = made.connect("sato")
    made.refreshed(made.refreshed(stolen))
    made.refresh(stolen)

    details = {"service": POWER, "user": "sato", "link": stolen.link, "by": "token_reuse"}
    assert [("token.reuse_detected", details), ("link.revoked", details)] == [
        (entry.event, entry.details) for entry in made.entries()[-2:]
    ]
    assert (LinkState.REVOKED, "token_reuse") == (stored(made, stolen.link).state, stored(made, stolen.link).ended_by)


def test_the_redeemed_code_is_no_refresh_token() -> None:
    """The code is an authentic token of the link, and of the wrong kind for a refresh."""
    made = permitted()
    accepted = made.code("sato")
    tokens = issued(made.redeem(accepted))

    assert ("invalid_grant", ("token.wrong_kind",)) == why(made.tenant.run(links.refresh(accepted.code, client=PA)))
    assert made.check(tokens)


def test_narrower_scopes() -> None:
    """RFC 6749 6: fewer operations for the new access token, and all of them again with the next."""
    made = permitted()
    narrow = issued(made.refresh(made.connect("sato"), scopes=READ))
    assert {READ} == narrow.scopes
    assert ("scope.not_covered",) == codes(made.check(narrow, scope=WRITE))

    wide = made.refreshed(narrow)
    assert made.check(wide, scope=WRITE)


def test_wider_scopes_are_refused() -> None:
    """RFC 6749 6: never more than was consented to; `invalid_scope`, and nothing ends."""
    made = permitted()
    tokens = made.connect("sato")

    assert ("invalid_scope", ("refresh.scope_wider",)) == why(made.refresh(tokens, scopes=f"{READ} k:file:read"))
    assert made.check(made.refreshed(tokens))


def test_a_retry_that_asks_for_something_else() -> None:
    """DESIGN 6: the token before with another scope is refused, and nothing ends."""
    made = permitted()
    first = made.connect("sato")
    second = made.refreshed(first)

    assert ("invalid_grant", ("refresh.other_request",)) == why(made.refresh(first, scopes=READ))
    assert made.check(second)


@pytest.mark.parametrize("client", [OTHER, Client(PA.id, kind="public")], ids=["another", "public"])
def test_another_client_ends_nothing(client: Client) -> None:
    """O21-4.3-1: a refresh token is its client's own; who else shows it, old or new, ends nothing."""
    made = permitted()
    first = made.connect("sato")
    second = made.refreshed(made.refreshed(first))
    before = made.dump()

    for tokens in (first, second):
        assert ("invalid_grant", ("token.wrong_client",)) == why(made.refresh(tokens, client=client))

    assert before == made.dump()
    assert made.check(second)


@pytest.mark.parametrize(("passed", "good"), [(999, True), (1_000, False)])
def test_a_link_that_is_not_refreshed_expires(passed: int, *, good: bool) -> None:
    """BCP-4.14.2-6: expiry on inactivity; every refresh begins the time anew."""
    made = permitted(lifetimes=Lifetimes(refresh_idle=1_000))
    tokens = made.connect("sato")
    made.clock.advance(900)
    tokens = made.refreshed(tokens)
    made.clock.advance(passed)

    answer = made.refresh(tokens)

    assert good is isinstance(answer, TokenSet)
    assert good or why(answer) == ("invalid_grant", ("link.expired",))
    assert good is made.check(tokens).allowed or ("link.expired", "token.expired") == codes(made.check(tokens))


def test_a_link_has_an_absolute_end() -> None:
    """ASVS 10.4.8: however often it is refreshed; the last access token ends with it."""
    made = permitted(lifetimes=Lifetimes(refresh_absolute=5_000))
    tokens = made.connect("sato")
    made.clock.advance(3_000)
    tokens = made.refreshed(tokens)
    assert 2_000 == tokens.expires_in
    made.clock.advance(2_000)

    assert ("invalid_grant", ("link.expired",)) == why(made.refresh(tokens))
    assert ("token.expired", "link.expired") == codes(made.check(tokens))


def test_a_token_that_is_newer_than_the_store() -> None:
    """Only a store that was set back knows less than a token: refused as unknown, nothing ends."""
    made = permitted()
    first = made.connect("sato")
    before = stored(made, first.link)
    second = made.refreshed(first)
    plant(made, before)

    assert ("invalid_grant", ("token.unknown",)) == why(made.refresh(second))
    assert made.check(first)


@pytest.mark.parametrize("text", ["", "junk", "xl_rt_", "x" * 10_000, Secret("xl_ac_")])
def test_junk_at_the_token_endpoint_costs_nothing(text: Secret | str) -> None:
    """A text that is none of ours is refused without any I/O, and nothing is written."""
    made = permitted()
    made.connect("sato")
    before = (made.storage.calls, made.directory.asked)

    assert ("invalid_grant", ("token.unknown",)) == why(made.tenant.run(links.refresh(text, client=PA)))
    assert ("invalid_grant", ("token.unknown",)) == why(made.tenant.run(links.redeem(text, client=PA)))
    assert before == (made.storage.calls, made.directory.asked)


@pytest.mark.parametrize("kind", [TokenKind.CODE, TokenKind.REFRESH])
def test_an_authentic_token_of_no_link(kind: TokenKind) -> None:
    """A link that the store does not have: as unknown as junk."""
    made = permitted()
    text = KEYS.mint(ACME, Token(kind, LinkId("A" * 22), 1, "k1"), b"\0" * 20)

    assert ("invalid_grant", ("token.unknown",)) == why(made.redeem(text))
    assert ("invalid_grant", ("token.unknown",)) == why(made.tenant.run(links.refresh(text, client=PA)))


def test_tokens_of_another_tenant() -> None:
    """A token names its tenant: in another one it is junk."""
    made = permitted()
    tokens = made.connect("sato")
    other = made.hub.open_tenant("other", edition="JP", products={"kintone"})

    assert ("token.unknown",) == codes(other.run(access.check(tokens.access_token, scope=READ)))
    assert ("invalid_grant", ("token.unknown",)) == why(other.run(links.refresh(tokens.refresh_token, client=PA)))


# --- Links of the tenant itself ----------------------------------------------------------------------------------


def workspace(made: World) -> TokenSet:
    """Return tokens of a link that the tenant owns: a workspace connection (T5), which no operation here makes."""
    tokens = made.connect("sato")
    plant(made, attrs.evolve(stored(made, tokens.link), owner=None))
    return tokens


def test_a_workspace_connection_is_refreshed() -> None:
    """T5: it belongs to no user, so no user's grant is asked."""
    made = permitted()
    tokens = workspace(made)
    made.run(grants.withdraw(POWER, users=["sato"]))

    assert made.check(made.refreshed(tokens))


def test_a_workspace_connection_has_no_code() -> None:
    """Codes come from a person's consent; one of a link without an owner is unknown."""
    made = permitted()
    accepted = made.code("sato")
    plant(made, attrs.evolve(stored(made, accepted.link), owner=None))

    assert ("invalid_grant", ("token.unknown",)) == why(made.redeem(accepted))


# --- Bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "arguments", "field"),
    [
        (links.redeem, {"code": 7}, "code"),
        (links.redeem, {"code": None}, "code"),
        (links.redeem, {"client": "pa"}, "client"),
        (links.redeem, {"redirect_uri": 7}, "redirect_uri"),
        (links.redeem, {"redirect_uri": "x" * 2_001}, "redirect_uri"),
        (links.redeem, {"code_verifier": 7}, "code_verifier"),
        (links.redeem, {"address": 7}, "address"),
        (links.refresh, {"token": 7}, "token"),
        (links.refresh, {"client": None}, "client"),
        (links.refresh, {"scopes": 7}, "scopes"),
        (links.refresh, {"scopes": ""}, "scopes"),
        (links.refresh, {"scopes": []}, "scopes"),
        (links.refresh, {"address": b"10.0.0.1"}, "address"),
    ],
)
def test_malformed_arguments(make: Callable[..., object], arguments: dict[str, Any], field: str) -> None:
    """The error names the argument and is raised before anything runs."""
    first = "code" if make is links.redeem else "token"
    with pytest.raises(InvalidInput) as caught:
        make(**{first: "x", "client": PA, **arguments})

    assert field == caught.value.field


ANYTHING: Final[st.SearchStrategy[Any]] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text() | st.none())
)
_WORLD: Final = permitted()
_CODE: Final = _WORLD.code("sato").code
_TOKEN: Final = _WORLD.connect("ito").refresh_token


@given(data=st.data())
def test_any_input_gives_tokens_or_an_error_of_ours(data: st.DataObject) -> None:
    """Every public entry point takes any object and gives an operation that answers, or an `ExtlinkError`."""
    redeeming = data.draw(
        st.dictionaries(st.sampled_from(["code", "client", "redirect_uri", "code_verifier", "address"]), ANYTHING)
    )
    with suppress(InvalidInput, Refused):
        _WORLD.tenant.run(links.redeem(**{"code": _CODE, "client": OTHER, **redeeming}))
    refreshing = data.draw(st.dictionaries(st.sampled_from(["token", "client", "scopes", "address"]), ANYTHING))
    with suppress(InvalidInput, Refused):
        _WORLD.tenant.run(links.refresh(**{"token": _TOKEN, "client": OTHER, **refreshing}))


def test_a_strict_tenant_refreshes_too() -> None:
    """The token endpoint carries no flow, so a tenant that demands connectors does not demand them here."""
    made = permitted()
    tokens = made.connect("sato")
    made.run(datagroups.require_flow_connectors(True))

    assert isinstance(made.refresh(tokens), TokenSet)
