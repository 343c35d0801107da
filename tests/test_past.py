"""Questions asked of the past: what may be asked, of which moment, and what nobody remembers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from extlink import (
    InMemoryDirectory,
    access,
    catalog,
    clients,
    grants,
    ledger,
    links,
    networks,
    previews,
    services,
    users,
)
from extlink.domain.decision import Answer
from extlink.domain.identifier import LinkId
from extlink.domain.instant import Instant, to_datetime
from extlink.domain.last_use import LastUse
from extlink.errors import InvalidInput
from extlink.operation import Call, Commit, Draw, Ledger, Operation, Recall, Step, Steps, ask, operation, put
from extlink.records import last_use_key, marks_key, tenant_key
from extlink.testing.fakes import ShakyDirectory
from tests.hosts import ALL_ROLES, CHALLENGE, CLIENT, REDIRECT, SCOPES, SERVICE, Host, codes, people, refusal


def as_it_was(host: Host, question: Operation[Any], **moment: Any) -> Any:
    """Ask the tenant as it was, with the people of today."""
    return host.admin.run(ledger.as_of(question, directory=host.directory, **moment))


def explained(user: str = "sato", **more: Any) -> Operation[Any]:
    """Ask about a user of Power Automate, wherever they sit."""
    return access.explain(SERVICE, user=user, network="not_applicable", **more)


# Of which moment.


def test_an_answer_is_that_of_its_position() -> None:
    """Before and after each change: registered, enabled, permitted."""
    host = Host.prepared()

    found = [codes(as_it_was(host, explained(), position=number)) for number in range(1, 5)]

    assert [
        ("service.unknown", "grant.missing"),
        ("service.not_enabled", "grant.missing"),
        ("grant.missing",),
        (),
    ] == found


def test_an_answer_is_that_of_its_instant() -> None:
    """What was recorded in that second counts, what came a second later does not."""
    host = Host.prepared()
    then = host.clock.now()
    host.clock.advance(1)
    host.admin.run(services.disable(SERVICE))
    now = host.clock.now()

    assert () == codes(as_it_was(host, explained(), at=to_datetime(then)))
    assert ("service.disabled",) == codes(as_it_was(host, explained(), at=to_datetime(now)))
    assert "tenant.not_open" == refusal(host.admin, ledger.as_of(explained(), at=to_datetime(Instant(then - 1)))).code


def test_what_depends_on_time_is_judged_by_the_time_it_was() -> None:
    """A grant that is over today held then; and one that held when it was written was over at a later instant."""
    host = Host.make()
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(services.enable("slack"))
    until = to_datetime(Instant(host.clock.now() + 60))
    host.admin.run(grants.allow("slack", users=["sato"], until=until))
    host.clock.advance(3_600)
    question = access.explain("slack", user="sato", network="not_applicable")

    assert ("grant.over",) == codes(host.admin.run(question))
    assert as_it_was(host, question, position=host.position()).allowed
    assert as_it_was(host, question, at=until - timedelta(seconds=1)).allowed
    assert ("grant.over",) == codes(as_it_was(host, question, at=until))


def test_a_position_that_the_ledger_has_not_reached_is_refused() -> None:
    """The latest is the present; 0 is before the tenant was opened."""
    host = Host.prepared()
    last = host.position()

    assert () == codes(as_it_was(host, explained(), position=last))
    assert "ledger.position_unknown" == refusal(host.admin, ledger.as_of(explained(), position=last + 1)).code
    assert "tenant.not_open" == refusal(host.admin, ledger.as_of(explained(), position=0)).code
    nowhere = host.hub.tenant("nobody").acting_as("a", roles={"host"})
    assert "tenant.not_open" == refusal(nowhere, ledger.as_of(networks.show(), position=1)).code


def test_an_instant_to_come_is_refused() -> None:
    """Nobody knows what will be; this second is past enough."""
    host = Host.prepared()
    now = to_datetime(host.clock.now())

    assert () == codes(as_it_was(host, explained(), at=now))
    with pytest.raises(InvalidInput, match="at: expected an instant that is past, got 2"):
        as_it_was(host, explained(), at=now + timedelta(seconds=1))


def test_entries_of_a_clock_that_jumped_back_count_by_their_number() -> None:
    """The last entry that is no later than the instant counts, and with it whatever was recorded before it."""
    host = Host.prepared()
    early = host.clock.now()
    host.clock.advance(100)
    host.admin.run(services.disable(SERVICE))
    host.clock.advance(-90)
    host.admin.run(networks.deny_all(even_if_it_locks_me_out=True))
    host.clock.advance(1_000)

    def known(at: int) -> tuple[str, str]:
        moment = to_datetime(Instant(at))
        (service,) = as_it_was(host, services.registered(), at=moment)
        return service.state, as_it_was(host, networks.show(), at=moment).mode

    assert [("enabled", "allow_all"), ("disabled", "deny_all")] == [known(early + 9), known(early + 10)]


@pytest.mark.parametrize("size", [1, 3, 4])
def test_more_than_a_page_of_entries_is_folded(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest image counts, wherever in the ledger it stands and wherever pages end."""
    monkeypatch.setattr("extlink.past._PAGE", size)
    host = Host.prepared()
    for days in (7, 8, None, 9):
        host.admin.run(services.set_dormancy(SERVICE, days=days))
    last = host.position()

    found = [as_it_was(host, services.registered(), position=at)[0].dormant_after for at in range(last - 4, last + 1)]

    assert [None, 7 * 86_400, 8 * 86_400, None, 9 * 86_400] == found
    assert 9 * 86_400 == as_it_was(host, services.registered(), at=to_datetime(host.clock.now()))[0].dormant_after


def test_the_hosts_word_counts_by_the_instant() -> None:
    """A quarantine everywhere is in another ledger; a second later it holds, and then no longer."""
    host = Host.prepared()
    before = host.clock.now()
    for change in (services.quarantine_everywhere(SERVICE, "a breach"), services.release_everywhere(SERVICE)):
        host.clock.advance(10)
        host.root.run(change)
    host.clock.advance(10)

    found = [codes(as_it_was(host, explained(), at=to_datetime(Instant(before + late)))) for late in (9, 10, 20)]

    assert [(), ("service.quarantined_everywhere",), ()] == found


def test_the_host_asks_of_its_own_past() -> None:
    """What every process of the host was told is in the host's ledger."""
    host = Host.prepared()
    host.root.run(services.quarantine_everywhere(SERVICE, "a breach"))

    page = host.root.run(ledger.as_of(ledger.entries(), position=1))

    assert ["keys.registered"] == [entry.event for entry in page.entries]
    assert "ledger.position_unknown" == refusal(host.root, ledger.as_of(ledger.entries(), position=9)).code


# What may be asked.


def test_a_change_cannot_be_made_in_the_past() -> None:
    """It is refused before anything is run, and so is a check, which needs what no ledger keeps."""
    for change in (services.enable(SERVICE), access.check("xl_at_...", scope="k:app_record:read")):
        with pytest.raises(InvalidInput, match=f"expected a question, which only asks, got {change.name}"):
            ledger.as_of(change, position=1)


@pytest.mark.parametrize("step", [Draw(2), Ledger()])
def test_nothing_is_drawn_or_signed_in_the_past(step: Step[object]) -> None:
    """A question that would make something, such as the page that asks for consent, is none."""
    host = Host.prepared()

    @operation("tests.makes")
    def makes(_: Call) -> Steps[Commit[object]]:
        return Commit((yield from ask(step)))

    before = host.dump()
    with pytest.raises(InvalidInput, match=r"got tests.makes, which draws or signs"):
        host.admin.run(ledger.as_of(makes(), position=2))
    page: dict[str, Any] = {"redirect_uri": REDIRECT, "scopes": SCOPES, "code_challenge": CHALLENGE}
    begin = links.begin(SERVICE, client=CLIENT, network="not_applicable", **page)
    with pytest.raises(InvalidInput, match=r"got links.begin, which draws or signs"):
        host.tenant.acting_as("sato", roles=ALL_ROLES).run(ledger.as_of(begin, position=4, directory=host.directory))
    assert before == host.dump()


def test_what_a_question_writes_is_refused_and_what_it_notes_left_out() -> None:
    """Whatever its definition says: nothing is ever written of the past; a note beside the answer is not missed."""
    host = Host.prepared()

    @operation("tests.writes")
    def writes(call: Call, *, aside: bool) -> Steps[Commit[str]]:
        yield from ask(Recall((tenant_key(call.tenant),)))
        noted = put(last_use_key(call.tenant, LinkId("l1")), LastUse(Instant(1), None))
        return Commit("answer", (noted if aside else put(marks_key(call.tenant, LinkId("l1")), {}),))

    before = host.dump()
    assert "answer" == as_it_was(host, writes(aside=True), position=2)
    with pytest.raises(InvalidInput, match=r"got tests.writes, which may write"):
        as_it_was(host, writes(aside=False), position=2)
    assert before == host.dump()


def test_a_role_that_is_missing_today_is_recorded_today() -> None:
    """Roles are those the host states now; what the past says of the actor does not matter."""
    host = Host.prepared()
    network = host.tenant.acting_as("net-1", roles={"access_administrator"})
    count = host.position()

    assert "actor.not_permitted" == refusal(network, ledger.as_of(services.registered(), position=2)).code
    assert "actor.not_permitted" == refusal(host.user(), ledger.as_of(networks.show(), position=2)).code

    assert [("ledger.as_of", "services.registered"), ("ledger.as_of", "ledger.as_of")] == [
        (entry.operation, entry.details["operation"]) for entry in host.entries(count)
    ]
    assert "allow_all" == network.run(ledger.as_of(networks.show(), position=2)).mode


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "position: expected either a position or an instant"),
        ({"position": 1, "at": datetime(2020, 1, 1, tzinfo=UTC)}, "position: expected either a position or an instant"),
        ({"position": -1}, "position: expected a whole number"),
        ({"at": datetime(2020, 1, 1)}, "at: expected a datetime with a time zone"),  # noqa: DTZ001 - that is the point
        ({"position": 1, "directory": object()}, "directory: expected a directory with member, get, page"),
    ],
)
def test_a_moment_is_a_position_or_an_instant(arguments: dict[str, Any], message: str) -> None:
    """Neither, both, or something else is a mistake of the caller."""
    with pytest.raises(InvalidInput, match=message):
        ledger.as_of(networks.show(), **arguments)


def test_only_an_operation_is_a_question() -> None:
    """Anything else is refused, whatever it looks like."""
    wrong: Any = "networks.show"
    with pytest.raises(InvalidInput, match=r"operation: expected an operation such as services.registered"):
        ledger.as_of(wrong, position=1)


def test_the_past_of_the_past_is_the_past() -> None:
    """A question about the past may itself be asked of the past, and knows no entry that came later."""
    host = Host.prepared()
    inner = ledger.as_of(services.registered(), position=3)

    assert "enabled" == as_it_was(host, inner, position=4)[0].state
    assert "ledger.position_unknown" == refusal(host.admin, ledger.as_of(inner, position=2)).code


def test_the_ledger_of_then_ends_then() -> None:
    """Pages of it stop at the position, whether or not it falls together with the end of a page."""
    host = Host.prepared()

    def seen(position: int, limit: int) -> tuple[int, int | None]:
        page = as_it_was(host, ledger.entries(limit=limit), position=position)
        return len(page.entries), page.next

    assert [(2, 2), (3, None), (1, None)] == [seen(3, 2), seen(3, 4), seen(1, 2)]


# What nobody remembers.


def test_without_the_people_of_then_an_organizations_grant_is_unknown() -> None:
    """Sato may use it through an organization, tanaka by name, ito not at all: one answer each."""
    host = Host.prepared()
    host.admin.run(grants.exclude(SERVICE, users=["ito"]))
    last = host.position()

    def then(user: str) -> tuple[bool, bool, Answer]:
        decision = host.admin.run(ledger.as_of(explained(user), position=last))
        return decision.allowed, decision.is_unknown, decision.gate("user").answer

    assert (False, True, Answer.NOT_EVALUATED) == then("sato")
    assert (True, False, Answer.PASSED) == then("tanaka")
    assert (False, False, Answer.REFUSED) == then("ito")


def test_nothing_puts_right_what_is_unknown() -> None:
    """No remedy is proposed for a day that is over, and the list of what is ready does not guess either."""
    host = Host.prepared()
    decision = host.admin.run(ledger.as_of(explained(), position=4))
    ready = host.admin.run(ledger.as_of(access.readiness(SERVICE, user="sato"), position=4))

    assert () == decision.remedies
    assert ["membership.unknown"] == [reason.code for reason in decision.unfixable]
    assert [("unknown", "membership.unknown")] == [
        (item.state, item.reason.code) for item in ready.items if item.name == "users"
    ]


def test_with_the_people_of_then_it_is_decided() -> None:
    """Whoever kept a copy of the directory of that day gets the answer of that day."""
    host = Host.prepared()
    then = InMemoryDirectory()
    then.add_organization("sales", name="Sales")
    then.add_user("tanaka", organizations=["sales"], products={"kintone"})
    then.add_user("sato", products={"kintone"})

    found = [
        codes(host.admin.run(ledger.as_of(explained(user), position=4, directory=then))) for user in ("sato", "tanaka")
    ]

    assert [("grant.missing",), ()] == found


def test_people_who_do_not_answer_are_no_yes() -> None:
    """A directory that was given and fails refuses, as today."""
    host = Host.prepared()
    shaky = ShakyDirectory(people())
    shaky.down = True

    decision = host.admin.run(ledger.as_of(explained(), position=4, directory=shaky))

    assert ("directory.unavailable",) == codes(decision)


def test_several_questions_are_asked_of_the_past_at_once() -> None:
    """Many explanations, and the list of those who could use a service."""
    host = Host.prepared()
    last = host.position()
    host.admin.run(services.disable(SERVICE))
    many = access.explain_many([explained(user) for user in ("sato", "tanaka")])

    without = host.admin.run(ledger.as_of(many, position=last))
    page = as_it_was(host, access.users(SERVICE, network="not_applicable"), position=last)

    assert [(False, True), (True, False)] == [(one.allowed, one.is_unknown) for one in without]
    assert [True, True] == [one.allowed for one in as_it_was(host, many, position=last)]
    assert ["sato", "suzuki", "tanaka"] == [one.member.id for one in page.users]
    assert () == host.admin.run(access.users(SERVICE, network="not_applicable")).users


def test_a_list_of_services_is_no_guess() -> None:
    """What is unknown would be missing in it, and read as a no."""
    host = Host.prepared()
    question = access.services("sato", network="not_applicable")
    last = host.position()

    assert "membership.unknown" == refusal(host.admin, ledger.as_of(question, position=last)).code
    assert [SERVICE] == [one.service for one in as_it_was(host, question, position=last).services]
    assert () == host.admin.run(ledger.as_of(question, position=2)).services


def test_a_list_of_people_needs_the_people() -> None:
    """Who was there then is not in any ledger."""
    host = Host.prepared()

    with pytest.raises(InvalidInput, match=r"directory: expected the people as they were, for grants.candidates"):
        host.admin.run(ledger.as_of(grants.candidates(SERVICE), position=4))
    assert 6 == len(as_it_was(host, grants.candidates(SERVICE), position=4).candidates)


def test_a_link_of_then_is_shown_without_what_is_not_kept() -> None:
    """When it was last used is kept for today alone; a link that was ended since was in use."""
    host = Host.prepared()
    tokens = host.connect()
    assert host.check(tokens.access_token)
    last = host.position()
    host.clock.advance(10)
    host.user().run(links.revoke(tokens.link))

    (then,) = as_it_was(host, links.of("sato"), position=last)
    (now,) = host.admin.run(links.of("sato"))

    assert ("in_use", None) == (then.state, then.links[0].used)
    assert "unused" == now.state
    assert ("sato",) == tuple(one.user for one in as_it_was(host, links.users_of(SERVICE), position=last).users)


def test_a_link_of_which_nobody_knows_is_shown_with_the_reason() -> None:
    """Sato's link rests on an organization, tanaka's on the name: the one is unknown, the other in use."""
    host = Host.make()
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(services.enable("slack"))
    host.admin.run(grants.allow("slack", users=["tanaka"], organizations=["sales"]))
    host.connect("sato", "slack", ["users:read"])
    host.connect("tanaka", "slack", ["users:read"])

    page = host.admin.run(ledger.as_of(links.users_of("slack"), position=host.position()))
    shown = [(one.user, one.links[0].state, [reason.code for reason in one.links[0].reasons]) for one in page.users]

    assert [("sato", "suspended", ["membership.unknown"]), ("tanaka", "in_use", [])] == shown


def test_the_words_of_a_request_are_not_in_the_ledger() -> None:
    """What a user wrote goes with the record."""
    host = Host.prepared()
    host.user("guest-1").run(grants.ask(SERVICE, message="for the night shift"))
    last = host.position()
    host.admin.run(grants.decline(SERVICE, "guest-1", cause="no"))

    (then,) = as_it_was(host, grants.requests(), position=last).requests

    assert ("open", "") == (then.state, then.message)


def test_pages_of_records_are_those_of_then() -> None:
    """A cursor goes on in the past as it does today."""
    host = Host.prepared()
    for user in ("sato", "suzuki", "tanaka"):
        host.connect(user)
    last = host.position()
    host.admin.run(users.delete("suzuki"))
    host.admin.run(links.revoke_all(service=SERVICE))

    found: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = as_it_was(host, links.users_of(SERVICE, after=cursor, limit=1), position=last)
        found += [one.user for one in page.users]
        cursor = page.next

    assert (["sato", "suzuki", "tanaka"], None) == (found, cursor)


def test_a_client_that_was_removed_since_was_there() -> None:
    """Its name and its settings; of its secrets only that there were some."""
    host = Host.prepared()
    profile = clients.ClientProfile(service=SERVICE, name="Flows", redirect_uris=[REDIRECT])
    registered = host.admin.run(clients.register(profile))
    last = host.position()
    host.admin.run(clients.remove(registered.client.id))

    (then,) = as_it_was(host, clients.registered(), position=last)

    assert ("Flows", 1, b"") == (then.profile.name, len(then.secrets), then.secrets[0].digest)
    assert () == as_it_was(host, clients.registered(), position=last + 1)


def test_other_people_that_a_question_brings_along_are_asked() -> None:
    """A preview of a reorganization keeps its people, and so does a look at the past from the past."""
    host = Host.prepared()
    host.connect("sato")
    strangers = InMemoryDirectory()
    strangers.add_user("somebody-else", products={"kintone"})
    reorganized = previews.preview(directory=strangers)
    nested = ledger.as_of(explained(), position=host.position(), directory=strangers)

    today = host.admin.run(reorganized)
    then = as_it_was(host, reorganized, position=host.position())

    assert [3] == [one.lost.count for one in today.services]
    assert (today.services, today.paused) == (then.services, then.paused)
    assert ("user.unknown", "grant.missing") == codes(as_it_was(host, nested, position=host.position()))[:2]


@pytest.mark.parametrize(
    "question",
    [
        previews.preview(users.suspend("sato")),
        previews.preview(services.disable(SERVICE)),
        access.readiness(SERVICE),
    ],
    ids=str,
)
def test_what_memberships_decide_about_many_needs_the_people(question: Operation[Any]) -> None:
    """It says so, and neither that the directory failed nor that all is well."""
    host = Host.prepared()

    with pytest.raises(InvalidInput, match=r"^directory: expected the people as they were"):
        host.admin.run(ledger.as_of(question, position=host.position()))


def test_a_link_that_only_memberships_could_have_ended_is_neither_there_nor_missing() -> None:
    """The checklist of one person says of the connection what the gates say."""
    host = Host.prepared()
    host.connect("sato")
    host.admin.run(grants.exclude(SERVICE, organizations=["dev"]))
    found = host.admin.run(ledger.as_of(access.readiness(SERVICE, user="sato"), position=host.position()))
    line = found.item("consent")

    assert line is not None
    assert ("unknown", "membership.unknown") == (line.state, line.reason.code)
