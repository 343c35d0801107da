from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from extlink import grant_requests, grants, links, networks, services, users
from extlink.domain.consent import Consent
from extlink.domain.decision import Refusal
from extlink.domain.grant_request import GrantRequest, OpenRequests
from extlink.domain.instant import Instant
from extlink.errors import InvalidInput, Refused
from extlink.operation import Operation
from tests.people import (
    CALENDAR,
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
    world,
)

DAY: Final = 86_400
SECRET_WORDS: Final = "I am ill and work from home"


def ask(made: World, user: str = "sato", service: str = POWER, **more: Any) -> GrantRequest:
    """Let a user ask."""
    return made.user(user).run(grants.ask(service, **more))


def own(made: World, user: str = "sato", **more: Any) -> tuple[tuple[str, str], ...]:
    """Return what a user sees of the own requests: service and state."""
    page = made.user(user).run(grants.requests(user=user, **more))
    assert page.next is None
    return tuple((one.service, one.state) for one in page.requests)


def waiting(made: World, **more: Any) -> tuple[tuple[str, str], ...]:
    """Return what an administrator sees of all open requests, page by page."""
    found: list[tuple[str, str]] = []
    after: str | None = None
    while True:
        page = made.run(grants.requests(after=after, limit=2, **more))
        found += [(one.service, one.user) for one in page.requests]
        after = page.next
        if after is None:
            return tuple(found)


# --- Asking ------------------------------------------------------------------------------------------------------


def test_a_request_is_recorded() -> None:
    """F3: who asked for what, when, and until when it may be answered; what is shown is what was asked."""
    made = world()

    request = ask(made, scopes=[READ], message="for the night shift")

    assert ("sato", POWER, frozenset({READ}), "open") == (request.user, request.service, request.scopes, request.state)
    assert request.expires == request.made_at + 30 * DAY
    assert (request,) == made.run(grants.requests()).requests
    (entry,) = made.entries("request.made")
    assert {"service": POWER, "user": "sato", "scopes": [READ], "expires": request.expires} == dict(entry.details)


def law_a_request_grants_nothing(make: Callable[[World], object]) -> None:
    """Whatever is asked for, and however often: the gates answer as before."""
    made = world()
    before = made.explain("sato")

    make(made)

    assert ("grant.missing",) == before == made.explain("sato")
    assert not made.entries("grant.changed")


def test_a_request_grants_nothing() -> None:
    """F3: a request never grants anything by itself."""
    law_a_request_grants_nothing(lambda made: (ask(made), ask(made, scopes=[READ, WRITE]), ask(made)))


def test_a_request_that_grants_is_caught() -> None:
    """The broken twin: who asks is let in until an administrator looks."""
    with pytest.raises(AssertionError):
        law_a_request_grants_nothing(lambda made: (ask(made), made.allow("sato")))


def test_asking_again_changes_nothing() -> None:
    """One open request of a user for a service: asking again returns it, whatever is asked for now."""
    made = world()
    first = ask(made, scopes=[READ])
    before = made.dump()
    made.clock.advance(29 * DAY)

    assert first == ask(made) == ask(made, scopes=[WRITE], message="please")
    assert before == made.dump()


VAIN: Final[tuple[tuple[str, str, Operation[object] | None, str], ...]] = (
    ("kimura", POWER, None, "user.suspended"),
    ("ueda", POWER, None, "user.deleted"),
    ("nobody", POWER, None, "user.unknown"),
    ("sato", POWER, users.suspend("sato"), "user.suspended"),
    ("sato", POWER, users.delete("sato"), "user.deleted"),
    ("sato", POWER, grants.exclude(POWER, users=["sato"]), "grant.excluded"),
    ("sato", POWER, services.disable(POWER), "service.disabled"),
    ("sato", POWER, services.quarantine(POWER, "leak"), "service.quarantined"),
    ("sato", CALENDAR, None, "service.unknown"),
    ("sato", POWER, grants.allow(POWER, users=["sato"]), "request.already_granted"),
    ("sato", POWER, grants.allow(POWER, groups=["staff"]), "request.already_granted"),
    ("sato", POWER, grants.allow(POWER, everyone=True), "request.already_granted"),
)


@pytest.mark.parametrize("number", range(len(VAIN)))
def test_who_cannot_ask(number: int) -> None:
    """Who is granted it already is told so; whom something else keeps out is told what; nothing is written."""
    user, service, break_it, wanted = VAIN[number]
    made = world()
    if break_it is not None:
        made.run(break_it)
    before = made.dump()

    with refused(wanted):
        ask(made, user, service)
    assert before == made.dump()


def test_a_silent_directory_takes_no_request() -> None:
    """Who cannot be known is nobody: an error is never a yes."""
    made = world()
    made.directory.down = True

    with refused("directory.unavailable"):
        ask(made)


def test_the_network_is_not_asked() -> None:
    """From where a user asks is for the host's own sign-in; the service would not call from there."""
    made = world()
    made.run(networks.deny_all(even_if_it_locks_me_out=True))

    assert ask(made).is_open(made.clock.now())


def test_operations_that_the_service_lacks() -> None:
    """Nobody asks for what nobody could give."""
    for scope in ("k:app_record:erase", "g:todo:read"):
        with refused("scope.unknown"):
            ask(world(), service=SLACK, scopes=scope)


def test_a_grant_that_is_over_may_be_asked_for_again() -> None:
    """An end date that passed leaves somebody without a grant."""
    made = world()
    made.allow("sato")
    made.run(grants.withdraw(POWER, users=["sato"]))

    assert "open" == ask(made).state


MALFORMED: Final[tuple[tuple[str, Callable[[], Operation[object]]], ...]] = (
    ("service", lambda: grants.ask("")),
    ("scopes", lambda: grants.ask(POWER, scopes=[])),
    ("scopes", lambda: grants.ask(POWER, scopes=7)),  # type: ignore[arg-type]  # on purpose
    ("message", lambda: grants.ask(POWER, message="x" * 501)),
    ("user", lambda: grants.approve(POWER, "")),
    ("scopes", lambda: grants.approve(POWER, "sato", scopes="")),
    ("cause", lambda: grants.decline(POWER, "sato", cause=" ")),
    ("cause", lambda: grants.decline(POWER, "sato", cause="x" * 501)),
    ("user", lambda: grants.requests(user="")),
    ("service", lambda: grants.requests(service="")),
    ("limit", lambda: grants.requests(limit=51)),
    ("after", lambda: grants.requests(after="")),
    ("after", lambda: grants.requests(after="_")),
    ("after", lambda: grants.requests(after="日本")),
)


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_malformed_arguments(number: int) -> None:
    """The error names the field."""
    field, build = MALFORMED[number]

    with pytest.raises(InvalidInput) as caught:
        build()
    assert field == caught.value.field


# --- Approving ---------------------------------------------------------------------------------------------------


def test_approving_grants_by_name() -> None:
    """In one commit: the grant with the next edit number, the answer, and an entry for each."""
    made = world()
    ask(made)
    version, commits = made.run(grants.show(POWER)).version, made.storage.commits

    answered = made.run(grants.approve(POWER, "sato"))

    assert ("approved", None, commits + 1) == (answered.state, answered.granted, made.storage.commits)
    assert version + 1 == made.run(grants.show(POWER)).version
    assert ("grant.user",) == made.explain("sato")
    assert ("grant.missing",) == made.explain("suzuki")
    changed, approved = made.entries("grant.changed", "request.approved")
    assert version + 1 == changed.details["edit"]
    assert {"service": POWER, "user": "sato", "scopes": None, "granted": None} == dict(approved.details)
    assert ((), ((POWER, "approved"),)) == (waiting(made), own(made))


def begun(made: World, scopes: str) -> Consent | Refusal:
    """Return what the consent page has for sato."""
    return made.user("sato").run(
        links.begin(
            POWER,
            client=PA,
            redirect_uri=REDIRECT,
            scopes=scopes,
            code_challenge=challenge_of(VERIFIER),
            network="not_applicable",
        )
    )


def test_some_of_the_operations_are_a_ceiling() -> None:
    """The others are refused, and left out of what a client asks for; a client that wants them alone is refused."""
    made = world()
    ask(made, scopes=[READ, WRITE])
    made.run(grants.approve(POWER, "sato", scopes=[READ]))

    tokens = made.connect("sato")
    assert {READ} == tokens.scopes
    assert made.check(tokens)
    refusal = begun(made, WRITE)
    assert ("access_denied", ("grant.scope_not_granted",)) == (getattr(refusal, "error", ""), codes(refusal))
    (row,) = made.run(grants.candidates(POWER, search="sato")).candidates
    assert (True, frozenset({READ})) == (row.ticked, row.ceiling)


def test_a_ceiling_holds_at_the_next_message() -> None:
    """A link that was made under a wider grant is refused beyond the ceiling once that grant is gone."""
    made = world()
    ask(made, scopes=[READ])
    made.run(grants.approve(POWER, "sato"))
    made.run(grants.allow(POWER, groups=["staff"]))
    tokens = made.connect("sato")
    assert made.check(tokens, scope=WRITE)

    made.run(grants.withdraw(POWER, groups=["staff"]))

    assert ("grant.scope_not_granted",) == codes(made.check(tokens, scope=WRITE))
    assert made.check(tokens, scope=READ)
    assert ("grant.scope_not_granted",) == codes(made.refresh(tokens))
    made.allow("sato")
    assert made.check(tokens, scope=WRITE)


def test_approving_never_narrows() -> None:
    """What was granted before stays granted: the operations, and the end date."""
    made = world()
    for scope in (READ, WRITE):
        ask(made, scopes=[scope])
        made.run(grants.approve(POWER, "sato"))
    (row,) = made.run(grants.candidates(POWER, search="sato")).candidates
    assert frozenset({READ, WRITE}) == row.ceiling

    ask(made)
    made.allow("sato")
    edits = made.run(grants.show(POWER)).version
    made.run(grants.approve(POWER, "sato", scopes=[READ]))

    assert edits == made.run(grants.show(POWER)).version
    (row,) = made.run(grants.candidates(POWER, search="sato")).candidates
    assert (True, None) == (row.ticked, row.ceiling)
    assert "request.approved" == made.events()[-1]


def test_a_ceiling_ends_with_the_whole_service() -> None:
    """Who has some operations may ask for all; approved, nothing is left out."""
    made = world()
    ask(made, scopes=[READ])
    made.run(grants.approve(POWER, "sato"))
    with refused("request.already_granted"):
        ask(made, scopes=[READ])

    ask(made)
    made.run(grants.approve(POWER, "sato"))

    assert {READ, WRITE} == made.connect("sato").scopes


def test_what_was_not_asked_for_cannot_be_approved() -> None:
    """An administrator who wants to give more says so with `allow`; nothing is written."""
    made = world()
    ask(made, scopes=[READ])
    before = made.dump()

    with pytest.raises(InvalidInput, match="scopes"):
        made.run(grants.approve(POWER, "sato", scopes=[READ, WRITE]))
    assert before == made.dump()


def test_somebody_who_left_is_not_granted_anything() -> None:
    """A request of somebody whom the directory forgot cannot be approved, and may be declined."""
    made = world()
    ask(made, "guest")
    made.people.remove_user("guest")

    with refused("subject.unknown"):
        made.run(grants.approve(POWER, "guest"))
    assert "declined" == made.run(grants.decline(POWER, "guest", cause="gone")).state


# --- Declining and expiring --------------------------------------------------------------------------------------


def test_declining_says_why() -> None:
    """The user reads the cause, and may ask again."""
    made = world()
    ask(made)

    made.run(grants.decline(POWER, "sato", cause="use the team's own connection"))

    (seen,) = made.user("sato").run(grants.requests(user="sato")).requests
    assert ("declined", "use the team's own connection") == (seen.state, seen.cause)
    assert ("grant.missing",) == made.explain("sato")
    assert "open" == ask(made).state
    assert ((POWER, "open"),) == own(made)


@pytest.mark.parametrize(
    "late", [grants.approve(POWER, "sato"), grants.decline(POWER, "sato", cause="too late")], ids=["approve", "decline"]
)
def test_a_request_is_over_after_thirty_days(late: Operation[object]) -> None:
    """Nothing runs: the instant is compared. Whoever answers it then is told, and that is what is recorded."""
    made = world()
    ask(made)
    made.clock.advance(30 * DAY - 1)
    assert ((POWER, "sato"),) == waiting(made)
    made.clock.advance(1)
    assert ((), ((POWER, "expired"),)) == (waiting(made), own(made))

    with refused("request.expired", user="sato"):
        made.run(late)

    assert "request.expired" == made.events()[-1]
    assert ("grant.missing",) == made.explain("sato")
    assert ((POWER, "expired"),) == own(made)
    with refused("request.unknown"):
        made.run(late)


def test_whoever_asks_again_later_starts_anew() -> None:
    """The old request is recorded as over, the new one as made; there is one."""
    made = world()
    ask(made, scopes=[READ])
    made.clock.advance(30 * DAY)

    again = ask(made, scopes=[WRITE])

    assert ("request.expired", "request.made") == made.events()[-2:]
    assert (frozenset({WRITE}), 30 * DAY) == (again.scopes, again.expires - again.made_at)
    assert ((POWER, "sato"),) == waiting(made)


@pytest.mark.parametrize(
    "answer", [grants.approve(POWER, "sato"), grants.decline(POWER, "sato", cause="no")], ids=["approve", "decline"]
)
def test_nothing_is_answered_twice(answer: Operation[object]) -> None:
    """The second administrator is told that nothing is open; a request that was never made is as unknown."""
    made = world()
    with refused("request.unknown", service=POWER, user="sato"):
        made.run(answer)
    ask(made)
    made.run(answer)

    with refused("request.unknown"):
        made.run(answer)


# --- Bounds ------------------------------------------------------------------------------------------------------


def test_a_tenant_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open requests are counted; those that were answered, or are over, count no longer."""
    monkeypatch.setattr(grant_requests, "_MAX_OPEN", 2)
    made = world()
    ask(made, "sato")
    ask(made, "suzuki")

    with refused("request.too_many", limit="2"):
        ask(made, "tanaka")
    assert "open" == ask(made, "sato").state
    made.run(grants.decline(POWER, "sato", cause="no"))
    assert "open" == ask(made, "tanaka").state
    made.clock.advance(31 * DAY)
    assert "open" == ask(made, "ito").state
    assert "open" == ask(made, "sato").state


def test_requests_are_counted_by_the_day_on_which_they_end() -> None:
    """The count forgets days that are past, holds one entry a day, and never goes below nothing."""
    held = (
        OpenRequests().added(Instant(5), Instant(0)).added(Instant(DAY + 5), Instant(0)).added(Instant(6), Instant(0))
    )

    assert {0: 2, 1: 1} == held.by_day
    assert (3, 1, 0) == tuple(held.count(Instant(at)) for at in (DAY - 1, DAY, 2 * DAY))
    assert {1: 1} == held.removed(Instant(5), Instant(DAY)).by_day
    assert {} == OpenRequests().removed(Instant(5), Instant(0)).by_day


# --- Who sees what -----------------------------------------------------------------------------------------------


def test_administrators_see_all_in_pages() -> None:
    """Ordered by service and user, whatever the size of a page; of one service on demand."""
    made = world()
    people = ("guest", "ito", "sato", "suzuki", "tanaka")
    for user in reversed(people):
        ask(made, user)
    ask(made, "sato", SLACK)

    assert tuple((POWER, user) for user in people) == waiting(made, service=POWER)
    assert (*((POWER, user) for user in people), (SLACK, "sato")) == waiting(made)
    assert {(POWER, "open"), (SLACK, "open")} == set(own(made))
    assert ((SLACK, "open"),) == own(made, service=SLACK)


def test_a_cursor_of_another_list_is_refused() -> None:
    """A cursor that does not lie in the list would show other records."""
    made = world()
    for user in ("ito", "sato", "suzuki"):
        ask(made, user)
    cursor = made.run(grants.requests(limit=2)).next
    assert cursor is not None

    for bad in (grants.requests(service=SLACK, after=cursor), grants.requests(after="AAAA")):
        with pytest.raises(InvalidInput, match="after"):
            made.run(bad)


def test_users_see_their_own() -> None:
    """Somebody else's requests, and all of them, are an administrator's to see; a denial is recorded (T11)."""
    made = world()
    ask(made, "suzuki")

    for prying in (grants.requests(user="suzuki"), grants.requests()):
        with pytest.raises(Refused) as caught:
            made.user("sato").run(prying)
        assert "actor.not_permitted" == caught.value.reason.code
    assert 2 == len(made.entries("operation.denied"))
    assert () == own(made)


def test_the_users_words_are_in_no_entry() -> None:
    """What a user wrote is shown while the request is open, goes with it, and is never in the ledger."""
    made = world()
    ask(made, message=SECRET_WORDS)
    assert SECRET_WORDS == made.run(grants.requests()).requests[0].message

    made.run(grants.decline(POWER, "sato", cause="no"))

    assert "" == made.run(grants.requests(user="sato")).requests[0].message
    assert SECRET_WORDS not in repr(made.dump())
    assert not [entry for entry in made.entries() if SECRET_WORDS in repr(entry)]
