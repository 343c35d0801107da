from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import pytest

from extlink import grants, links
from extlink.domain.client import Client
from extlink.errors import InvalidInput
from extlink.operation import Operation
from tests.people import POWER, READ, SLACK, World, codes, refused, world

Reach = Literal["direct", "subtree"]


def connected() -> World:
    """Return a host in which sato, suzuki and tanaka use Power Automate, and suzuki Slack too."""
    made = world()
    made.allow("sato", "suzuki", "tanaka", "ito")
    made.allow("suzuki", service=SLACK)
    for user in ("sato", "suzuki", "tanaka"):
        made.connect(user)
    made.connect("suzuki", service=SLACK, scopes="users:read")
    return made


def listed(made: World, organization: str, scope: Reach = "subtree", limit: int = 20) -> dict[str, list[str]]:
    """Return an organization's people with their services, page by page."""
    found: dict[str, list[str]] = {}
    after: str | None = None
    while True:
        page = made.run(links.members_of(organization, scope=scope, after=after, limit=limit))
        assert not {one.user for one in page.members} & found.keys()
        found |= {one.user: [use.service.id for use in one.uses] for one in page.members}
        after = page.next
        if after is None:
            return found


def ended(made: World, organization: str, *, limit: int = 20, **more: Any) -> list[str]:
    """End links until there is no next page, and return whose."""
    found: list[str] = []
    after: str | None = None
    while True:
        done = made.run(links.revoke_members_of(organization, after=after, limit=limit, **more))
        found += done.users
        after = done.next
        if after is None:
            return found


def using(made: World) -> set[tuple[str, str]]:
    """Return who has a link that works, and to what."""
    return {
        (user, use.service.id)
        for user in ("sato", "suzuki", "tanaka", "ito")
        for use in made.user(user).run(links.of(user))
        if use.state == "in_use"
    }


# --- Lists -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 20])
@pytest.mark.parametrize(
    ("organization", "scope", "wanted"),
    [
        ("sales", "subtree", {"sato": [POWER], "suzuki": [POWER, SLACK]}),
        ("sales", "direct", {"suzuki": [POWER, SLACK]}),
        ("tech", "subtree", {"suzuki": [POWER, SLACK], "tanaka": [POWER]}),
        ("hq", "direct", {}),
        ("club", "subtree", {"sato": [POWER]}),
    ],
)
def test_an_organizations_people(organization: str, scope: Reach, wanted: dict[str, list[str]], limit: int) -> None:
    """F7: those who have links, with their services, whatever the size of a page."""
    assert wanted == listed(connected(), organization, scope, limit)


def test_a_link_that_has_ended_is_not_listed() -> None:
    """Nor one to a service that was forgotten; who has none left is left out."""
    made = connected()
    made.run(links.revoke_all(user="tanaka"))
    made.run(links.revoke_all(user="suzuki", service=POWER))

    assert {"suzuki": [SLACK]} == listed(made, "tech")


# --- Ending ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 20])
def test_everything_of_an_organization_ends(limit: int) -> None:
    """Page by page; others keep theirs, and nothing is in the way of connecting again."""
    made = connected()
    token = made.connect("sato")

    assert {"sato", "suzuki"} <= set(ended(made, "sales", limit=limit))

    assert {("tanaka", POWER)} == using(made)
    assert ("link.ended",) == codes(made.check(token))
    assert made.check(made.connect("sato"))


@pytest.mark.parametrize("limit", [1, 20])
def test_the_links_to_one_service_end(limit: int) -> None:
    """Only they do; whoever has none is not counted, and nothing is written of them."""
    made = connected()

    assert {"suzuki", "tanaka"} == set(ended(made, "tech", service=POWER, limit=limit))

    assert {("sato", POWER), ("suzuki", SLACK)} == using(made)
    entries = made.entries("link.revoked_by_administrator")
    assert {("suzuki", POWER, "tech"), ("tanaka", POWER, "tech")} == {
        (one.details["user"], one.details["service"], one.details["organization"]) for one in entries
    }
    assert [] == ended(made, "tech", service=POWER)


def law_one_commit_is_bounded(revoke: Callable[[World], object]) -> None:
    """However large an organization is, one commit ends what 40 people have, and no more than 1,000 records change."""
    made = world()
    for number in range(45):
        made.people.add_user(f"new-{number:02}", organizations=["club"], products={"kintone"})
    made.run(grants.allow(POWER, organizations=["club"]))
    for client in range(20):
        made.connect("sato", client=Client(f"client-{client}"), scopes=[READ])
    before = len(made.entries("link.revoked_by_administrator"))

    revoke(made)

    assert 0 < len(made.entries("link.revoked_by_administrator")) - before <= 40


def test_one_commit_is_bounded() -> None:
    """The cursor says where to go on."""
    law_one_commit_is_bounded(lambda made: made.run(links.revoke_members_of("club", limit=40)))
    law_one_commit_is_bounded(lambda made: made.run(links.revoke_members_of("club", service=POWER, limit=40)))


def test_a_revocation_without_pages_is_caught() -> None:
    """The broken twin: it goes on until everybody is reached."""
    with pytest.raises(AssertionError):
        law_one_commit_is_bounded(lambda made: ended(made, "club", limit=40))


def test_what_was_interrupted_goes_on() -> None:
    """Half of it, another administrator in between, the other half: everybody is reached."""
    made = connected()
    first = made.run(links.revoke_members_of("hq", limit=2))
    assert first.next is not None
    made.run(links.revoke_all(user="suzuki"))

    rest = made.run(links.revoke_members_of("hq", after=first.next, limit=40))

    assert rest.next is None
    assert set() == using(made)


@pytest.mark.parametrize("build", [links.members_of, links.revoke_members_of])
def test_who_is_not_known(build: Callable[[str], Operation[object]]) -> None:
    """A misspelt organization ends nothing, and is no empty list; a silent directory is none either."""
    made = connected()

    with refused("subject.unknown", id="slaes"):
        made.run(build("slaes"))
    made.directory.down = True
    with refused("directory.unavailable"):
        made.run(build("sales"))
    with refused("actor.not_permitted"):
        made.user("sato").run(build("sales"))
    made.directory.down = False
    with refused("tenant.not_open"):
        made.hub.tenant("other").acting_as("admin", roles={"common_administrator"}).run(build("sales"))


def test_a_directory_that_fails_between_two_questions() -> None:
    """The organization is known, and then nobody answers: nothing has ended."""
    made = connected()
    before = made.dump()
    asked = made.directory._answer

    def once() -> Any:
        made.directory.down = made.directory.asked % 2 == 1
        return asked()

    made.directory.asked = 0
    made.directory._answer = once  # type: ignore[method-assign]  # a directory that fails at the second question
    with refused("directory.unavailable"):
        made.run(links.revoke_members_of("sales"))
    made.directory.down = False
    assert before == made.dump()


def test_an_unknown_service_ends_nothing() -> None:
    """A misspelt service is told."""
    with refused("service.unknown"):
        connected().run(links.revoke_members_of("sales", service="teams"))


MALFORMED: Final[tuple[tuple[str, Callable[[], Operation[object]]], ...]] = (
    ("organization", lambda: links.members_of("")),
    ("scope", lambda: links.members_of("sales", scope="all")),  # type: ignore[arg-type]  # on purpose
    ("limit", lambda: links.members_of("sales", limit=41)),
    ("after", lambda: links.members_of("sales", after="x" * 1_025)),
    ("service", lambda: links.revoke_members_of("sales", service="")),
    ("limit", lambda: links.revoke_members_of("sales", limit=0)),
)


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_malformed_arguments(number: int) -> None:
    """The error names the field."""
    field, build = MALFORMED[number]

    with pytest.raises(InvalidInput) as caught:
        build()
    assert field == caught.value.field
