from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import catalog, grants, links, networks, services, users
from extlink.domain.client import Client
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.decision import Refusal
from extlink.domain.identifier import TenantId
from extlink.domain.link import Lifetimes, LinkState
from extlink.domain.secret import Secret
from extlink.domain.tenant import Actor
from extlink.domain.token import KeyRing
from extlink.errors import InvalidInput, Refused
from extlink.link_answers import MAX_LINKS
from extlink.link_consent import acting_user
from extlink.operation import Call, Operation
from tests.people import (
    BROWSER,
    PA,
    POWER,
    READ,
    REDIRECT,
    SLACK,
    VERIFIER,
    WRITE,
    World,
    challenge_of,
    codes,
    refused,
    stored,
    world,
)

CHALLENGE: Final = challenge_of(VERIFIER)


def begin(made: World, user: str = "sato", **more: Any) -> Consent | Refusal:
    """Ask whether a user may connect Power Automate, but for what is stated."""
    asked: dict[str, Any] = {
        "service": POWER,
        "client": PA,
        "redirect_uri": REDIRECT,
        "scopes": [READ, WRITE],
        "code_challenge": CHALLENGE,
        **more,
    }
    return made.user(user).run(links.begin(**asked))


def permitted(**more: Any) -> World:
    """Return a host in which sato and ito are permitted."""
    made = world(**more)
    made.allow("sato", "ito")
    return made


# --- Begin -------------------------------------------------------------------------------------------------------


def test_what_the_consent_page_shows() -> None:
    """ASVS 10.7.2: who asks, for which operations with their labels, how long it lives; in three languages."""
    made = permitted()
    consent = begin(made, scopes=f"{WRITE} {READ}", resource="https://api.example")
    assert isinstance(consent, Consent)

    request = consent.request
    assert ("sato", POWER, PA, REDIRECT) == (request.user, request.service, request.client, request.redirect_uri)
    assert [READ, WRITE] == sorted(request.scopes)
    assert (CHALLENGE, "https://api.example") == (request.challenge, request.resource)
    assert catalog.POWER_AUTOMATE.names == consent.names
    assert ["レコードの取得", "レコードの登録/更新/削除"] == [scope.labels.ja for scope in consent.operations]
    assert 3_650 * 86_400 == consent.lifetime
    assert made.clock.now() + 600 == request.expires


def test_asking_writes_nothing() -> None:
    """A page that is shown changes nothing; links are made by a yes."""
    made = permitted()
    before, commits = made.dump(), made.storage.commits
    begin(made)

    assert (before, commits) == (made.dump(), made.storage.commits)


def test_no_two_consents_are_alike() -> None:
    """Each asking has a handle and a token of its own, neither of which a log would show."""
    made = permitted()
    first, second = begin(made), begin(made)
    assert isinstance(first, Consent)
    assert isinstance(second, Consent)

    assert first.request.link != second.request.link
    assert first.token != second.token
    assert "xl_cs_" not in repr(first)


def test_the_challenge_of_rfc_7636() -> None:
    """Appendix B: the verifier there has the challenge there; redeemed with it, the code is good."""
    assert "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" == CHALLENGE
    made = permitted()

    assert made.redeem(made.agree("sato", made.ask("sato")), verifier=VERIFIER)


@pytest.mark.parametrize(
    ("break_it", "error", "wanted"),
    [
        (services.disable(POWER), "access_denied", "service.disabled"),
        (services.quarantine(POWER, "leak"), "access_denied", "service.quarantined"),
        (grants.withdraw(POWER, users=["sato"]), "access_denied", "grant.missing"),
        (grants.exclude(POWER, users=["sato"]), "access_denied", "grant.excluded"),
        (users.suspend("sato"), "access_denied", "user.suspended"),
        (users.delete("sato"), "access_denied", "user.deleted"),
        (networks.deny_all(even_if_it_locks_me_out=True), "access_denied", "network.address_unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value),
)
def test_a_gate_that_refuses(break_it: Operation[object], error: str, wanted: str) -> None:
    """The client learns `access_denied`; the host's own page has every reason."""
    made = permitted()
    made.run(break_it)

    refusal = begin(made)

    assert isinstance(refusal, Refusal)
    assert (error, (wanted,), False) == (refusal.error, codes(refusal), bool(refusal))
    assert refusal.decision is not None
    assert refusal.reasons == refusal.decision.reasons


@pytest.mark.parametrize(
    ("more", "error", "wanted"),
    [
        ({"service": "teams"}, "access_denied", ("service.unknown", "grant.missing")),
        ({"scopes": "k:app_record:erase"}, "invalid_scope", ("scope.unknown",)),
        ({"scopes": [READ, "chat:write"]}, "invalid_scope", ("scope.unknown",)),
        ({"service": SLACK, "scopes": "chat:write"}, "access_denied", ("grant.missing",)),
    ],
)
def test_what_cannot_be_asked_for(more: dict[str, Any], error: str, wanted: tuple[str, ...]) -> None:
    """A scope that the service's definition lacks is `invalid_scope` (RFC 6749 section 4.1.2.1)."""
    refusal = begin(permitted(), **more)

    assert isinstance(refusal, Refusal)
    assert (error, wanted) == (refusal.error, codes(refusal))


def test_a_user_without_the_scopes_product() -> None:
    """T7: tanaka uses kintone and no Garoon, so Garoon's operations cannot be consented to."""
    made = world()
    made.allow("tanaka")

    refusal = begin(made, "tanaka", scopes=["g:todo:read", READ])

    assert isinstance(refusal, Refusal)
    assert [("user.product_missing", "garoon", "g:todo:read")] == [
        (reason.code, reason.params["product"], reason.params["scope"]) for reason in refusal.reasons
    ]


def test_a_directory_that_fails_refuses_consent() -> None:
    """No answer is no yes."""
    made = permitted()
    made.directory.down = True

    refusal = begin(made)

    assert isinstance(refusal, Refusal)
    assert ("directory.unavailable",) == codes(refusal)


@pytest.mark.parametrize(
    ("acting_from", "stated", "wanted"),
    [
        ("203.0.113.7", None, ()),
        (None, "203.0.113.7", ()),
        ("198.51.100.1", "203.0.113.7", ()),
        ("203.0.113.7", "198.51.100.1", ("network.address_not_allowed",)),
        ("203.0.113.7", "", ("network.address_invalid",)),
        (None, None, ("network.address_unknown",)),
    ],
)
def test_from_where_a_user_consents(acting_from: str | None, stated: str | None, wanted: tuple[str, ...]) -> None:
    """T2: the restriction holds for the consent page, with the address of the acting person unless one is stated."""
    made = permitted()
    made.run(networks.restrict(["203.0.113.0/24"]))
    sato = made.tenant.acting_as("sato", address=acting_from)

    asked = sato.run(
        links.begin(POWER, client=PA, redirect_uri=REDIRECT, scopes=READ, code_challenge=CHALLENGE, address=stated)
    )

    assert wanted == (() if isinstance(asked, Consent) else codes(asked))
    consent = made.ask("sato")
    accepted = sato.run(links.accept(consent, address=stated))
    assert wanted == (() if isinstance(accepted, Acceptance) else codes(accepted))


def test_a_host_may_exempt_its_consent_page() -> None:
    """T2: network is not applicable to the user's own consent page where the host says so."""
    made = permitted()
    made.run(networks.deny_all(even_if_it_locks_me_out=True))

    assert isinstance(begin(made, network="not_applicable"), Consent)


# --- Accept ------------------------------------------------------------------------------------------------------


def test_a_yes_makes_a_link_and_its_code() -> None:
    """RFC 6749 4.1.2: the code, where to send it, how long it is good for; one commit, one entry by the user."""
    made = permitted()
    consent = made.ask("sato")
    commits = made.storage.commits

    accepted = made.agree("sato", consent)

    assert (REDIRECT, consent.request.link, 60) == (accepted.redirect_uri, accepted.link, accepted.expires_in)
    assert commits + 1 == made.storage.commits
    (entry,) = made.entries("link.authorized")
    assert ("sato", "links.accept") == (entry.user, entry.operation)
    assert {
        "service": POWER,
        "user": "sato",
        "client": PA.id,
        "link": accepted.link,
        "scopes": [READ, WRITE],
    } == entry.details


@pytest.mark.parametrize("form", ["consent", "secret", "text"])
def test_what_comes_back_from_the_form(form: str) -> None:
    """The consent, its token as a secret, or the text of the hidden field."""
    made = permitted()
    asked = made.ask("sato")
    answers: dict[str, Consent | Secret | str] = {
        "consent": asked,
        "secret": asked.token,
        "text": asked.token.reveal(),
    }

    assert isinstance(made.user("sato").run(links.accept(answers[form], network="not_applicable")), Acceptance)


def test_fewer_operations_may_be_accepted() -> None:
    """Approval of a subset: the link covers what was agreed to, not what was asked for."""
    made = permitted()
    tokens = made.redeem(made.agree("sato", made.ask("sato"), scopes=READ))
    assert not isinstance(tokens, Refusal)

    assert {READ} == tokens.scopes
    assert ("scope.not_covered",) == codes(made.check(tokens, scope=WRITE))


@pytest.mark.parametrize("scopes", ["k:file:read", f"{READ} k:file:read", "", []])
def test_other_operations_must_be_asked_anew(scopes: Any) -> None:
    """Nothing may be added on the way, and a link that may do nothing is not made."""
    made = permitted()
    consent = made.ask("sato")
    before = made.dump()

    with pytest.raises(InvalidInput, match="scopes: expected some of the operations that were asked for"):
        made.user("sato").run(links.accept(consent, scopes=scopes, network="not_applicable"))

    assert before == made.dump()


def law_a_consent_is_good_once(accept: Callable[[World, Consent], Acceptance]) -> None:
    """A consent makes one link; a second yes makes none and takes nothing from the first."""
    made = permitted()
    consent = made.ask("sato")
    first = accept(made, consent)
    with refused("consent.used"):
        accept(made, consent)
    assert made.redeem(first)
    with refused("consent.used"):
        accept(made, consent)


def test_a_consent_is_good_once() -> None:
    """Once per consent, before and after its code is redeemed."""
    law_a_consent_is_good_once(lambda made, consent: made.agree("sato", consent))


def test_a_consent_that_is_asked_again_is_caught() -> None:
    """The broken twin: a host that renews the consent behind the user's back makes a second link."""
    with pytest.raises(pytest.fail.Exception):
        law_a_consent_is_good_once(lambda made, consent: made.agree("sato", made.ask("sato")))


def test_a_used_consent_stays_used_when_its_link_has_ended() -> None:
    """Revoking the link does not make its consent good again."""
    made = permitted()
    consent = made.ask("sato")
    accepted = made.agree("sato", consent)
    made.user("sato").run(links.revoke(accepted.link))

    with refused("consent.used"):
        made.agree("sato", consent)


@pytest.mark.parametrize(("passed", "good"), [(599, True), (600, False), (601, False)])
def test_a_consent_expires(passed: int, *, good: bool) -> None:
    """Ten minutes from `begin` to `accept`, unless the host chose another lifetime."""
    made = permitted()
    consent = made.ask("sato")
    made.clock.advance(passed)

    if good:
        made.agree("sato", consent)
    else:
        with refused("consent.expired"):
            made.agree("sato", consent)


def test_the_host_may_shorten_lifetimes() -> None:
    """Consent and code live as long as the host says, within the bounds."""
    made = permitted(lifetimes=Lifetimes(consent=30, code=5))
    consent = made.ask("sato")
    assert 5 == made.agree("sato", consent).expires_in

    late = made.ask("sato")
    made.clock.advance(30)
    with refused("consent.expired"):
        made.agree("sato", late)


def law_a_consent_is_one_persons(answer: Callable[[World, str, Consent], object]) -> None:
    """UPD-3: the flow that one user began is completed by the same user, or not at all."""
    made = permitted()
    consent = made.ask("sato")
    before = made.dump()

    with refused("consent.other_user"):
        answer(made, "ito", consent)

    assert before == made.dump()


@pytest.mark.parametrize("make", [links.accept, links.refuse], ids=["accept", "refuse"])
def test_a_consent_is_one_persons(make: Callable[[Consent], Operation[object]]) -> None:
    """Whoever is logged in when the form comes back must be the person who was asked."""
    law_a_consent_is_one_persons(lambda made, user, consent: made.user(user).run(make(consent)))


def test_a_host_that_trusts_the_form_is_caught() -> None:
    """The broken twin: the answer is taken for that of the person whom the form names."""
    with pytest.raises(pytest.fail.Exception):
        law_a_consent_is_one_persons(
            lambda made, user, consent: made.user(consent.request.user).run(links.accept(consent))
        )


OUR_KEYS: Final = KeyRing({"k1": Secret("5e" * 32)}, current="k1")
OTHER_KEYS: Final = KeyRing({"k1": Secret("00" * 32)}, current="k1")
FORGED: Final[dict[str, object]] = {
    "nothing": "",
    "junk": "xl_cs_k1AAAA.AAAA",
    "no dot": "xl_cs_k1AAAA",
    "an access token": "xl_at_aaaaaaaa_k1",
    "unknown key": "xl_cs_zzAAAA.AAAA",
    "not ASCII": "xl_cs_k1佐藤.AAAA",
    "another host's": OTHER_KEYS.sign_consent(TenantId("acme"), b"[]"),
    "another tenant's": OUR_KEYS.sign_consent(TenantId("other"), b"[]"),
    "another release's": OUR_KEYS.sign_consent(TenantId("acme"), b'[0,"sato","power-automate"]'),
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("answer", [links.accept, links.refuse], ids=["accept", "refuse"])
def test_a_consent_that_is_not_ours(name: str, answer: Callable[[Any], Operation[object]]) -> None:
    """RFC 6749 10.12: only this host can have made the hidden field; others cost no read."""
    made = permitted()
    calls = made.storage.calls

    with refused("consent.unknown"):
        made.user("sato").run(answer(FORGED[name]))

    assert calls == made.storage.calls


def test_an_altered_consent_is_not_ours() -> None:
    """Not a character of the hidden field may change."""
    made = permitted()
    text = made.ask("sato").token.reveal()
    for place in range(0, len(text), 7):
        altered = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with refused("consent.unknown"):
            made.user("sato").run(links.accept(altered, network="not_applicable"))


@pytest.mark.parametrize(
    ("break_it", "wanted"),
    [
        (services.disable(POWER), "service.disabled"),
        (grants.withdraw(POWER, users=["sato"]), "grant.missing"),
        (users.suspend("sato"), "user.suspended"),
    ],
    ids=repr,
)
def test_the_gates_are_asked_again(break_it: Operation[object], wanted: str) -> None:
    """What changed while the page was open counts; the consent is not used up by the refusal."""
    made = permitted()
    consent = made.ask("sato")
    made.run(break_it)
    before = made.dump()

    refusal = made.user("sato").run(links.accept(consent, network="not_applicable"))

    assert isinstance(refusal, Refusal)
    assert ("access_denied", (wanted,)) == (refusal.error, codes(refusal))
    assert before == made.dump()


def test_a_scope_that_was_taken_out_meanwhile() -> None:
    """A service that was redefined without the scope: `invalid_scope`."""
    made = permitted()
    consent = made.ask("sato", scopes="k:file:read")
    kept = tuple(scope for scope in catalog.POWER_AUTOMATE.scopes if scope.name != "k:file:read")
    made.run(services.register(attrs.evolve(catalog.POWER_AUTOMATE, scopes=kept)))

    refusal = made.user("sato").run(links.accept(consent, network="not_applicable"))

    assert isinstance(refusal, Refusal)
    assert ("invalid_scope", ("scope.unknown",)) == (refusal.error, codes(refusal))


# --- How many links ----------------------------------------------------------------------------------------------


def many(made: World, count: int) -> list[str]:
    """Connect sato by as many clients."""
    return [made.connect("sato", client=Client(f"client-{number}")).link for number in range(count)]


def test_twenty_links_of_one_user_to_one_service() -> None:
    """One link per client, twenty at most: the next is refused with the limit, and nothing is made."""
    made = permitted()
    many(made, MAX_LINKS)
    consent = made.ask("sato", client=Client("one-more"))
    before = made.dump()

    with refused("link.too_many", service=POWER, limit="20"):
        made.agree("sato", consent)

    assert before == made.dump()
    made.connect("ito", client=Client("one-more"))


@pytest.mark.parametrize("ending", ["revoke one", "revoke all", "end by an epoch", "withdraw", "expire", "never used"])
def test_links_that_have_ended_count_no_more(ending: str) -> None:
    """The indexes forget links that were revoked, ended by an epoch or a rule, expired, or never redeemed."""
    made = permitted(lifetimes=Lifetimes(refresh_idle=1_000, refresh_absolute=1_000))
    if ending == "never used":
        for number in range(MAX_LINKS):
            made.code("sato", client=Client(f"client-{number}"))
        made.clock.advance(60)
    else:
        first = many(made, MAX_LINKS)[0]
        match ending:
            case "revoke one":
                made.user("sato").run(links.revoke(first))
            case "revoke all":
                made.run(links.revoke_all(user="sato", service=POWER))
            case "end by an epoch":
                made.run(links.revoke_all(service=POWER))
            case "withdraw":
                made.run(grants.withdraw(POWER, users=["sato"]))
                made.allow("sato")
            case _:
                made.clock.advance(1_000)

    assert made.check(made.connect("sato", client=Client("one-more")))
    listed = made.user("sato").run(links.of("sato"))[0].links
    assert (MAX_LINKS if ending == "revoke one" else 1) == len(listed)


def test_a_link_that_is_forgotten_is_revoked() -> None:
    """What the index no longer names cannot come back by a membership of tomorrow: its end is written down."""
    made = world()
    made.run(grants.allow(POWER, organizations=["shibuya"]))
    old = made.connect("sato")
    made.run(grants.withdraw(POWER, organizations=["shibuya"]))
    made.run(grants.allow(POWER, organizations=["club"]))
    made.connect("sato", client=Client("another"))

    assert (LinkState.REVOKED, "ended") == (stored(made, old.link).state, stored(made, old.link).ended_by)
    assert [old.link] == [entry.details["link"] for entry in made.entries("link.revoked")]


def test_suspended_links_count() -> None:
    """A link that may come back takes its place."""
    made = permitted()
    for link in many(made, MAX_LINKS):
        made.run(links.suspend(link))

    with refused("link.too_many"):
        made.code("sato", client=Client("one-more"))


# --- Refuse ------------------------------------------------------------------------------------------------------


def test_a_no_is_recorded() -> None:
    """The client learns `access_denied`; the ledger has who refused what, and no link is made."""
    made = permitted()

    refusal = made.user("sato").run(links.refuse(made.ask("sato")))

    assert ("access_denied", (), False) == (refusal.error, refusal.reasons, bool(refusal))
    (entry,) = made.entries("consent.denied")
    assert ("sato", {"service": POWER, "user": "sato", "scopes": [READ, WRITE]}) == (entry.user, entry.details)
    assert () == made.entries("link.authorized")


def test_a_late_no_is_none() -> None:
    """The client was told long ago that nobody answered; nothing is recorded."""
    made = permitted()
    consent = made.ask("sato")
    made.clock.advance(600)
    before = made.dump()

    with refused("consent.expired"):
        made.user("sato").run(links.refuse(consent))

    assert before == made.dump()


def test_after_a_yes_there_is_no_no() -> None:
    """The ledger never says that a user denied what is connected: a link is ended, not refused."""
    made = permitted()
    consent = made.ask("sato")
    made.agree("sato", consent)
    before = made.dump()

    with refused("consent.used"):
        made.user("sato").run(links.refuse(consent))

    assert before == made.dump()


def test_a_no_needs_no_permission() -> None:
    """Saying no is always possible: the service may be off, the grant gone, the restriction on."""
    made = permitted()
    consent = made.ask("sato")
    made.run(services.disable(POWER))
    made.run(grants.withdraw(POWER, users=["sato"]))

    assert "access_denied" == made.user("sato").run(links.refuse(consent)).error


# --- Who acts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["common_administrator", "host", "access_administrator", "app_administrator"])
def test_nobody_consents_for_somebody_else(role: str) -> None:
    """T11: only the user in person begins, accepts or refuses; the attempt is recorded."""
    made = permitted()
    consent = made.ask("sato")
    asked = links.begin(POWER, client=PA, redirect_uri=REDIRECT, scopes=READ, code_challenge=CHALLENGE)
    operations: list[Operation[object]] = [asked, links.accept(consent), links.refuse(consent)]
    for operation in operations:
        with refused("actor.not_permitted", roles=("user",)):
            made.tenant.acting_as("sato", roles={role}).run(operation)
        with refused("actor.not_permitted", roles=("user",)):
            made.tenant.run(operation)

    assert ["links.begin", "links.begin", "links.accept", "links.accept", "links.refuse", "links.refuse"] == [
        entry.details["operation"] for entry in made.entries("operation.denied")
    ]


def test_the_system_itself_is_no_person() -> None:
    """An actor without a user consents to nothing, whatever roles are stated."""
    with refused("actor.not_permitted"):
        acting_user(Call(TenantId("acme"), Actor(roles=frozenset({"user"}))))


def test_a_tenant_that_was_never_opened() -> None:
    """Nobody is asked in a tenant that nobody opened."""
    other = world().hub.tenant("other").acting_as("sato")

    with refused("tenant.not_open"):
        other.run(links.begin(POWER, client=PA, redirect_uri=REDIRECT, scopes=READ, code_challenge=CHALLENGE))


# --- Bad input ---------------------------------------------------------------------------------------------------

GOOD: Final[dict[str, Any]] = {
    "service": POWER,
    "client": PA,
    "redirect_uri": REDIRECT,
    "scopes": READ,
    "code_challenge": CHALLENGE,
}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"service": ""}, "service"),
        ({"client": "power-automate"}, "client"),
        ({"client": None}, "client"),
        ({"redirect_uri": "http://client.example/cb"}, "redirect_uri"),
        ({"scopes": ""}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"scopes": None}, "scopes"),
        ({"code_challenge": None}, "code_challenge"),
        ({"code_challenge": None, "client": BROWSER}, "code_challenge"),
        ({"code_challenge": "short"}, "code_challenge"),
        ({"resource": 7}, "resource"),
        ({"resource": ""}, "resource"),
        ({"resource": "x" * 2_001}, "resource"),
        ({"address": 7}, "address"),
        ({"network": "off"}, "network"),
    ],
)
def test_malformed_arguments_of_begin(arguments: dict[str, Any], field: str) -> None:
    """The error names the argument and is raised before anything runs."""
    with pytest.raises(InvalidInput) as caught:
        links.begin(**{**GOOD, **arguments})

    assert field == caught.value.field


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: links.accept(7), "consent"),  # type: ignore[arg-type]
        (lambda: links.accept("x", scopes=7), "scopes"),  # type: ignore[arg-type]
        (lambda: links.accept("x", network="off"), "network"),  # type: ignore[arg-type]
        (lambda: links.accept("x", address=7), "address"),  # type: ignore[arg-type]
        (lambda: links.refuse(None), "consent"),  # type: ignore[arg-type]
    ],
    ids=["consent", "scopes", "network", "address", "refuse"],
)
def test_malformed_answers(make: Callable[[], object], field: str) -> None:
    """The error names the argument."""
    with pytest.raises(InvalidInput) as caught:
        make()

    assert field == caught.value.field


ANYTHING: Final[st.SearchStrategy[Any]] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text() | st.none())
)
_WORLD: Final = permitted()
_CONSENT: Final = _WORLD.ask("sato")


@given(data=st.data())
def test_any_input_gives_a_value_or_an_error_of_ours(data: st.DataObject) -> None:
    """Every public entry point takes any object and gives an operation that runs, or an `ExtlinkError`."""
    wrong = data.draw(st.dictionaries(st.sampled_from([*sorted(GOOD), "resource", "address", "network"]), ANYTHING))
    with suppress(InvalidInput, Refused):
        _WORLD.user("sato").run(links.begin(**{**GOOD, **wrong}))
    fields = data.draw(st.dictionaries(st.sampled_from(["scopes", "address", "network"]), ANYTHING, min_size=1))
    with suppress(InvalidInput, Refused):
        _WORLD.user("sato").run(links.accept(data.draw(ANYTHING), **fields))
    with suppress(InvalidInput, Refused):
        _WORLD.user("sato").run(links.refuse(data.draw(ANYTHING)))


def test_a_link_is_consented_first() -> None:
    """Until its code is redeemed a link is neither listed nor live, and its owner may end it."""
    made = permitted()
    accepted = made.code("sato")

    assert ["unused"] == [use.state for use in made.user("sato").run(links.of("sato"))]
    assert LinkState.REVOKED is made.user("sato").run(links.revoke(accepted.link)).state
    refusal = made.redeem(accepted)
    assert isinstance(refusal, Refusal)
    assert ("link.revoked",) == codes(refusal)
