from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from extlink import clients, endpoints, links, services
from extlink.domain.client import Client
from extlink.domain.client_registration import ClientProfile
from extlink.domain.decision import Refusal
from extlink.domain.link import Lifetimes, LinkState
from extlink.domain.token_ledger import TokenSet
from extlink.errors import InvalidInput
from extlink.oauth.credentials import ClientCredentials
from extlink.oauth.token import RefreshRequest
from tests.people import BROWSER, POWER, READ, REDIRECT, SLACK, WRITE, World, codes, refused, stored, world

DAY: Final = 86_400


def linked(days: int | None = 30, **more: Any) -> tuple[World, TokenSet]:
    """Return a host in which links to Power Automate go dormant, and sato is connected."""
    made = world(**more)
    made.allow("sato")
    made.run(services.set_dormancy(POWER, days=days))
    return made, made.connect("sato")


def seen(made: World, user: str = "sato") -> list[tuple[str, tuple[str, ...]]]:
    """Return state and reasons of each link on the account page."""
    uses = made.user(user).run(links.of(user))
    return [(view.state, tuple(reason.code for reason in view.reasons)) for use in uses for view in use.links]


# --- Dormant links are over --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("passed", "over"), [(30 * DAY - 1, False), (30 * DAY, True), (30 * DAY + 1, True)])
def test_a_link_that_nobody_used_is_over(passed: int, *, over: bool) -> None:
    """F12: the instant is compared; one second before, its refresh token is good."""
    made, tokens = linked()
    made.clock.advance(passed)

    answer = made.refresh(tokens)

    assert over is isinstance(answer, Refusal)
    if isinstance(answer, Refusal):
        assert ("invalid_grant", ("link.dormant",)) == (answer.error, codes(answer))
        assert "30" == answer.reasons[0].params["days"]


def test_a_link_in_use_goes_on() -> None:
    """Whoever renews tokens is no day dormant, however long that goes on."""
    made, tokens = linked(days=1)
    for _ in range(10):
        made.clock.advance(DAY - 1)
        tokens = made.refreshed(tokens)

    assert made.check(tokens)


def test_an_accepted_call_is_never_the_last_for_long() -> None:
    """An access token lives a day at most, so a link that is in use is renewed in time."""
    made, tokens = linked(days=2, lifetimes=Lifetimes(access=DAY))
    made.clock.advance(DAY - 1)
    assert made.check(tokens)
    made.clock.advance(DAY)

    assert made.refresh(tokens)


def law_dormancy_is_final(bring_back: Callable[[World], object]) -> None:
    """What a message met dormant is revoked, with one entry, and no setting brings it back."""
    made, tokens = linked()
    made.clock.advance(30 * DAY)
    assert "link.dormant" in codes(made.check(tokens))

    bring_back(made)

    assert "link.revoked" in codes(made.check(tokens))
    assert ("link.revoked",) == codes(made.refresh(tokens))
    assert (LinkState.REVOKED, "dormant") == (stored(made, tokens.link).state, stored(made, tokens.link).ended_by)
    (entry,) = made.entries("link.dormant")
    details = {"service": POWER, "user": "sato", "link": tokens.link, "last_use": made.clock.now() - 30 * DAY}
    assert details == dict(entry.details)
    assert not made.entries("access.refused")
    assert [] == seen(made)


def test_dormancy_is_final() -> None:
    """The first check that meets a dormant link ends it: a longer period, or none, comes too late."""
    law_dormancy_is_final(lambda made: made.run(services.set_dormancy(POWER, days=None)))
    law_dormancy_is_final(lambda made: made.run(services.set_dormancy(POWER, days=3_650)))


def test_a_link_that_comes_back_is_caught() -> None:
    """The broken twin: a new link in the place of the old one's entry."""
    with pytest.raises(AssertionError):
        law_dormancy_is_final(lambda made: made.connect("sato"))


def test_the_setting_holds_at_the_next_message() -> None:
    """It is one record: links made long ago are judged by it at once, in every process."""
    made, tokens = linked(days=None)
    made.clock.advance(40 * DAY)
    fresh = made.refreshed(tokens)
    made.clock.advance(10 * DAY)
    assert "token.expired" in codes(made.check(fresh))

    made.run(services.set_dormancy(POWER, days=10))

    assert ("link.dormant",) == codes(made.refresh(fresh))


def test_a_page_says_why() -> None:
    """Until a message ends it, a dormant link is shown, with the reason; a new consent takes its place."""
    made, _ = linked()
    made.clock.advance(30 * DAY)
    assert [("suspended", ("link.dormant",))] == seen(made)

    made.connect("sato")

    assert [("in_use", ())] == seen(made)


def test_other_services_and_clients() -> None:
    """The period is a service's own; each link has its own days."""
    made, _ = linked(days=10)
    made.allow("sato", service=SLACK)
    slack = made.connect("sato", service=SLACK, scopes="users:read")
    made.clock.advance(5 * DAY)
    browser = made.connect("sato", client=BROWSER)
    made.clock.advance(5 * DAY)

    assert made.refresh(slack)
    assert made.refresh(browser, client=BROWSER)
    assert [("in_use", ()), ("in_use", ()), ("suspended", ("link.dormant",))] == sorted(seen(made))


def test_what_has_ended_is_not_ended_again() -> None:
    """A refresh that meets a link which dormancy ended already records nothing more."""
    made, tokens = linked()
    made.clock.advance(30 * DAY)
    made.refresh(tokens)
    before = made.dump()

    assert {"link.revoked", "link.dormant"} == set(codes(made.refresh(tokens)))
    assert not made.check(tokens)
    assert before == made.dump()


def test_a_suspended_link_goes_dormant_too() -> None:
    """Pausing does not stop the days; a refresh that meets it ends it, and nothing is left to resume."""
    made, tokens = linked()
    made.run(links.suspend(tokens.link))
    made.clock.advance(30 * DAY)
    assert ("link.suspended", "link.dormant") == codes(made.refresh(tokens))

    with refused("link.transition"):
        made.run(links.resume(tokens.link))


def test_the_token_endpoint_ends_it_too() -> None:
    """A registered client that refreshes too late is told `invalid_grant`, and the end is recorded."""
    made, _ = linked()
    profile = ClientProfile(service=POWER, name="Power Automate", redirect_uris=[REDIRECT])
    registered = made.run(clients.register(profile))
    assert registered.secret is not None
    tokens = made.connect("sato", client=Client(registered.client.id))
    made.clock.advance(30 * DAY)

    credentials = ClientCredentials(
        method="client_secret_basic", client_id=registered.client.id, proof=registered.secret
    )
    request = RefreshRequest(refresh_token=tokens.refresh_token, scopes=None)
    answer = made.tenant.run(endpoints.exchange(request, credentials, issuer="https://acme.cybozu.com"))

    assert isinstance(answer, Refusal)
    assert ("invalid_grant", ("link.dormant",)) == (answer.error, codes(answer))
    assert "link.dormant" == made.events()[-1]


# --- The setting -------------------------------------------------------------------------------------------------


def test_the_setting_is_recorded() -> None:
    """Before and after, in days; saying the same again records nothing, and a new definition keeps it."""
    made = world()
    made.run(services.set_dormancy(POWER, days=90))
    made.run(services.set_dormancy(POWER, days=90))
    made.run(services.set_dormancy(POWER, days=None))

    told = [dict(entry.details) for entry in made.entries("tenant.setting_changed")]
    setting = {"setting": "dormant_after", "service": POWER}
    assert [{**setting, "before": None, "after": 90}, {**setting, "before": 90, "after": None}] == told


@pytest.mark.parametrize("days", [0, -1, 3_651, 1.5, True, "30"])
def test_a_malformed_period(days: Any) -> None:
    """Whole days, from one to ten years."""
    with pytest.raises(InvalidInput, match="days"):
        services.set_dormancy(POWER, days=days)


def test_who_may_say_so() -> None:
    """An administrator, of a service that is registered."""
    made = world()
    with refused("service.unknown"):
        made.run(services.set_dormancy("teams", days=1))
    with refused("actor.not_permitted"):
        made.user("sato").run(services.set_dormancy(POWER, days=1))


# --- Narrowing ---------------------------------------------------------------------------------------------------


def test_narrowing_ends_the_wider_tokens() -> None:
    """F12: the access token dies at the next check, the refresh token gives a narrower one."""
    made, tokens = linked()
    assert made.check(tokens)

    narrowed = made.user("sato").run(links.narrow(tokens.link, scopes=READ))

    assert {READ} == narrowed.scopes
    assert ("token.superseded",) == codes(made.check(tokens))
    following = made.refreshed(tokens)
    assert {READ} == following.scopes
    assert made.check(following)
    assert ("scope.not_covered",) == codes(made.check(following, scope=WRITE))
    (entry,) = made.entries("link.scopes_changed")
    details = {"service": POWER, "user": "sato", "link": tokens.link, "before": [READ, WRITE], "after": [READ]}
    assert details == dict(entry.details)


def test_a_narrower_token_goes_on() -> None:
    """An access token that the client asked for with fewer operations is not wider than what is left."""
    made, tokens = linked()
    fewer = made.refresh(tokens, scopes=READ)
    assert isinstance(fewer, TokenSet)

    made.run(links.narrow(tokens.link, scopes=READ))

    assert ("token.superseded",) == codes(made.check(tokens))
    assert made.check(fewer)
    assert made.refresh(tokens, scopes=READ) == fewer
    assert ("refresh.scope_wider",) == codes(made.refresh(fewer, scopes=WRITE))


def test_an_answer_that_was_lost_before_narrowing() -> None:
    """Its tokens covered more, so they are not given again; nothing ends for the asking."""
    made, tokens = linked()
    lost = made.refreshed(tokens)
    made.run(links.narrow(tokens.link, scopes=READ))

    assert ("refresh.other_request",) == codes(made.refresh(tokens))
    assert {READ} == made.refreshed(lost).scopes


def test_a_code_gives_what_is_left() -> None:
    """A link that nobody redeemed yet may be narrowed as well."""
    made, _ = linked()
    accepted = made.code("sato")
    made.run(links.narrow(accepted.link, scopes=READ))

    tokens = made.redeem(accepted)

    assert isinstance(tokens, TokenSet)
    assert {READ} == tokens.scopes


def test_what_is_narrow_enough_changes_nothing() -> None:
    """The same operations: no entry, no write."""
    made, tokens = linked()
    before = made.dump()

    made.run(links.narrow(tokens.link, scopes=[WRITE, READ]))

    assert before == made.dump()


def law_narrowing_never_widens(narrow: Callable[[World, str, str], object]) -> None:
    """What the owner did not consent to cannot be had by narrowing; nothing is written."""
    made, tokens = linked()
    before = made.dump()

    with pytest.raises(InvalidInput, match="scopes"):
        narrow(made, tokens.link, f"{READ} k:file:read")
    assert before == made.dump()


def test_narrowing_never_widens() -> None:
    """Wider ones ask again."""
    law_narrowing_never_widens(lambda made, link, scopes: made.run(links.narrow(link, scopes=scopes)))


def test_a_narrowing_that_widens_is_caught() -> None:
    """The broken twin: it takes what it knows of the list and leaves the rest."""

    def twin(made: World, link: str, scopes: str) -> object:
        known = [one for one in scopes.split() if one in {READ, WRITE}]
        return made.run(links.narrow(link, scopes=known))

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        law_narrowing_never_widens(twin)


def test_who_may_narrow() -> None:
    """Its owner or an administrator; somebody else's link is unknown, and one that has ended stays as it is."""
    made, tokens = linked()
    with refused("link.unknown"):
        made.user("suzuki").run(links.narrow(tokens.link, scopes=READ))
    made.run(links.revoke(tokens.link))

    with refused("link.transition", event="narrow", state="revoked"):
        made.run(links.narrow(tokens.link, scopes=READ))
    bad: tuple[Any, ...] = ("", [], 7)
    for scopes in bad:
        with pytest.raises(InvalidInput, match="scopes"):
            links.narrow(tokens.link, scopes=scopes)
