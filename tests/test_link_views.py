from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import catalog, grants, links, networks, services, users
from extlink.domain.client import Client
from extlink.domain.identifier import ClientId
from extlink.domain.link import Lifetimes
from extlink.domain.localized import LocalizedText
from extlink.domain.service import Availability, Service
from extlink.errors import InvalidInput, Refused
from extlink.link_views import ServiceUse
from extlink.operation import Operation
from tests.people import PA, POWER, READ, SLACK, WRITE, World, codes, refused, world

HANGOUTS: Final = "google-hangouts-chat"
OTHER: Final = Client("another")


def page(made: World, user: str = "sato") -> list[tuple[str, str]]:
    """Return a user's account page: services with their states, in order."""
    return [(use.service.id, use.state) for use in made.user(user).run(links.of(user))]


def uses(made: World, user: str = "sato") -> dict[str, ServiceUse]:
    """Return a user's account page by service."""
    return {use.service.id: use for use in made.user(user).run(links.of(user))}


def why(use: ServiceUse) -> list[str]:
    """Return the reasons of a service's first link."""
    return [reason.code for reason in use.links[0].reasons]


# --- What the account page lists ---------------------------------------------------------------------------------


def test_nothing_is_listed_without_a_permission() -> None:
    """T9: services that are not permitted are not listed."""
    assert [] == page(world())


def test_permitted_services_are_unused_first() -> None:
    """B10, T9: enabled and permitted, without a link: unused, in catalogue order, without operations or links."""
    made = world()
    made.run(grants.allow(SLACK, everyone=True))
    made.allow("sato")

    assert [(POWER, "unused"), (SLACK, "unused")] == page(made)
    assert [(), ()] == [use.links for use in uses(made).values()]
    assert [(SLACK, "unused")] == page(made, "ito")


def test_services_with_a_link_come_first() -> None:
    """T9: first every service with a link, then the unused ones, each part in catalogue order."""
    made = world()
    made.run(grants.allow(SLACK, users=["sato"]))
    made.allow("sato")
    made.connect("sato", service=SLACK, scopes="chat:write")
    assert [(SLACK, "in_use"), (POWER, "unused")] == page(made)

    made.connect("sato")
    assert [(POWER, "in_use"), (SLACK, "in_use")] == page(made)


def test_catalogue_order_is_the_order_of_registering() -> None:
    """The host's own services stand where it registered them."""
    made = world(register=(catalog.SLACK, catalog.POWER_AUTOMATE), enable=(SLACK, POWER))
    made.run(grants.allow(SLACK, everyone=True))
    made.run(grants.allow(POWER, everyone=True))

    assert [SLACK, POWER] == [service for service, _ in page(made)]


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (services.disable(POWER), "service.disabled"),
        (users.suspend("sato", existing="suspend"), "user.suspended"),
        (grants.withdraw(POWER, users=["sato"], existing="suspend"), "grant.missing"),
        (grants.exclude(POWER, users=["sato"], existing="suspend"), "grant.excluded"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_suspended_link_says_why(break_it: Operation[object], reason: str) -> None:
    """T9: suspended, with the reason why a call would be refused; it comes back with the gate."""
    made = world()
    made.allow("sato")
    made.connect("sato")
    made.run(break_it)

    use = uses(made)[POWER]

    assert ("suspended", [reason]) == (use.state, why(use))
    assert use.links[0].reasons[0].text("ja")


def test_a_paused_link_is_suspended() -> None:
    """A link that an administrator paused."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    made.run(links.suspend(tokens.link))

    assert ("suspended", ["link.suspended"]) == (uses(made)[POWER].state, why(uses(made)[POWER]))


def test_one_of_several_links_in_use_is_in_use() -> None:
    """Several connections of one service stand under one heading, the oldest first, ended singly."""
    made = world()
    made.allow("sato")
    first = made.connect("sato")
    made.clock.advance(60)
    second = made.connect("sato", client=OTHER, scopes=READ)
    made.run(links.suspend(first.link))

    use = uses(made)[POWER]

    assert "in_use" == use.state
    assert [(first.link, "suspended"), (second.link, "in_use")] == [(view.id, view.state) for view in use.links]
    assert [PA.id, OTHER.id] == [view.client for view in use.links]


def test_what_a_link_shows() -> None:
    """B11: the operations permitted, with labels in three languages in the definition's order; since when."""
    made = world()
    made.allow("sato")
    made.connect("sato", scopes=[WRITE, READ, "g:todo:read"])

    (view,) = uses(made)[POWER].links

    assert made.clock.now() == view.connected
    assert () == view.reasons
    assert ["レコードの取得", "レコードの登録/更新/削除", "ToDoの取得"] == [one.labels.ja for one in view.operations]
    assert ["Get records", "Add, update and delete records", "Get to-dos"] == [one.labels.en for one in view.operations]


UNAVAILABLE: Final = attrs.evolve(
    catalog.POWER_AUTOMATE,
    availability=Availability(state="unavailable", cause=LocalizedText.same("closed")),
)


@pytest.mark.parametrize(
    "change",
    [services.disable(POWER), services.register(UNAVAILABLE)],
    ids=["disabled", "unavailable"],
)
def test_not_listed_unless_a_link_exists(change: Operation[object]) -> None:
    """T9: a service that was switched off or became unavailable keeps its links listed so that they can be ended."""
    made = world()
    made.allow("sato", "ito")
    tokens = made.connect("sato")
    made.run(change)

    assert [(POWER, "suspended")] == page(made)
    assert [] == page(made, "ito")

    made.user("sato").run(links.revoke(tokens.link))
    assert [] == page(made)


def test_an_unavailable_service_is_never_listed_as_unused() -> None:
    """Google Hangouts Chat is listed for administrators with its reason, and cannot be enabled or used."""
    made = world()
    made.run(grants.allow(HANGOUTS, everyone=True))
    with refused("service.unavailable"):
        made.run(services.enable(HANGOUTS))

    assert [] == page(made)
    assert HANGOUTS in [one.service.id for one in made.run(services.registered())]


@pytest.mark.parametrize(
    "ending", ["revoke", "revoke all", "quarantine", "withdraw", "delete", "supersede", "expire", "idle"]
)
def test_ended_links_are_not_listed(ending: str) -> None:
    """What never works again leaves the page, whatever ended it."""
    made = world(lifetimes=Lifetimes(refresh_absolute=5_000, refresh_idle=1_000))
    made.allow("sato")
    tokens = made.connect("sato")
    match ending:
        case "revoke":
            made.user("sato").run(links.revoke(tokens.link))
        case "revoke all":
            made.run(links.revoke_all(user="sato"))
        case "quarantine":
            made.run(services.quarantine(POWER, "leak"))
        case "withdraw":
            made.run(grants.withdraw(POWER, users=["sato"]))
        case "delete":
            made.run(users.delete("sato"))
        case "supersede":
            made.connect("sato")
        case "idle":
            made.clock.advance(1_000)
        case _:
            for _ in range(5):
                made.clock.advance(900)
                tokens = made.refreshed(tokens)
            made.clock.advance(500)

    shown = [view.id for use in made.run(links.of("sato")) for view in use.links]

    assert tokens.link not in shown
    assert (1 if ending == "supersede" else 0) == len(shown)
    assert tokens.link not in [view.id for user in made.run(links.users_of(POWER)).users for view in user.links]


def test_a_link_that_waits_for_its_code_is_not_listed() -> None:
    """Agreed to and not yet redeemed: the service is still unused."""
    made = world()
    made.allow("sato")
    made.code("sato")

    assert [(POWER, "unused")] == page(made)
    assert () == made.run(links.users_of(POWER)).users


def test_a_kept_link_is_in_use() -> None:
    """A grant withdrawn for new links only: the old link works, and the page says so."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    made.run(grants.withdraw(POWER, users=["sato"], existing="keep"))

    assert made.check(tokens)
    assert [(POWER, "in_use")] == page(made)


def test_a_link_whose_product_is_gone_is_suspended() -> None:
    """T7: who no longer has the product of an operation is refused, so the link does not show as in use."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    made.people.change_user("sato", products=["garoon"])

    assert ("user.product_missing",) == codes(made.check(tokens))
    assert ("suspended", ["user.product_missing"] * 2) == (uses(made)[POWER].state, why(uses(made)[POWER]))


def test_where_a_user_sits_does_not_matter() -> None:
    """The page lists connections; the address they are used from is asked at each call."""
    made = world()
    made.allow("sato")
    made.connect("sato")
    made.run(networks.deny_all(even_if_it_locks_me_out=True))

    assert [(POWER, "in_use")] == page(made)


def test_the_page_agrees_with_the_check() -> None:
    """In use if and only if a call over the link passes the gates that do not depend on the call."""
    operations: list[Operation[object]] = [
        services.disable(POWER),
        services.enable(POWER),
        users.suspend("sato", existing="suspend"),
        users.resume("sato"),
        grants.withdraw(POWER, users=["sato"], existing="suspend"),
        grants.allow(POWER, organizations=["club"]),
        grants.exclude(POWER, groups=["staff"], existing="suspend"),
        grants.include(POWER, groups=["staff"]),
    ]
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    for operation in operations:
        made.run(operation)
        assert bool(made.check(tokens)) is (uses(made)[POWER].state == "in_use"), operation
        assert list(codes(made.check(tokens))) == why(uses(made)[POWER]), operation


def test_a_directory_that_fails_suspends() -> None:
    """Nothing is guessed: links show the reason, unused services are not offered."""
    made = world()
    made.allow("sato", "ito")
    made.connect("sato")
    made.directory.down = True

    assert ("suspended", ["directory.unavailable"]) == (uses(made)[POWER].state, why(uses(made)[POWER]))
    assert [] == page(made, "ito")


def test_a_listing_writes_nothing() -> None:
    """Looking changes nothing."""
    made = world()
    made.allow("sato")
    made.connect("sato")
    commits = made.storage.commits
    page(made)
    made.run(links.users_of(POWER))

    assert commits == made.storage.commits


# --- Who may look ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "roles"),
    [("sato", {"user"}), ("boss", {"common_administrator"}), ("system", {"host"})],
)
def test_who_sees_a_users_services(user: str, roles: set[str]) -> None:
    """S10, S11: the user in the account settings, an administrator on the user edit screen, alike."""
    made = world()
    made.allow("sato")
    made.connect("sato")

    (use,) = made.tenant.acting_as(user, roles=roles).run(links.of("sato"))

    assert (POWER, "in_use", 1) == (use.service.id, use.state, len(use.links))


@pytest.mark.parametrize(
    ("user", "roles"),
    [
        ("ito", {"user"}),
        ("ito", {"access_administrator"}),
        ("sato", {"app_administrator"}),
        ("ito", {"user", "access_administrator", "app_administrator"}),
    ],
)
def test_others_do_not(user: str, roles: set[str]) -> None:
    """T11: refused and recorded; organization administrators and others see neither services nor links."""
    made = world()

    with refused("actor.not_permitted"):
        made.tenant.acting_as(user, roles=roles).run(links.of("sato"))
    with refused("actor.not_permitted"):
        made.tenant.acting_as(user, roles=roles).run(links.users_of(POWER))

    assert ["links.of", "links.users_of"] == [entry.details["operation"] for entry in made.entries("operation.denied")]


def test_users_do_not_see_who_else_uses_a_service() -> None:
    """The list of a service's users is an administrator's."""
    made = world()

    with refused("actor.not_permitted"):
        made.user("sato").run(links.users_of(POWER))


# --- The users of a service --------------------------------------------------------------------------------------


def crowd(made: World, count: int) -> list[str]:
    """Connect as many people, whose ids are awkward to order."""
    users_ = sorted(f"user-{number}" for number in range(count))
    made.run(grants.allow(POWER, organizations=["hq"]))
    for user in users_:
        made.people.add_user(user, organizations=["hq"], products={"kintone"})
        made.connect(user)
    return users_


def shown(made: World, limit: int) -> list[str]:
    """Return all pages of a service's users."""
    found: list[str] = []
    after = None
    while True:
        one = made.run(links.users_of(POWER, after=after, limit=limit))
        assert len(one.users) <= limit
        found += [user.user for user in one.users]
        after = one.next
        if after is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 11, 12, 50])
def test_the_users_of_a_service_in_pages(limit: int) -> None:
    """F7: in order of id, each once, whatever the page size; other services' users are not among them."""
    made = world()
    people = crowd(made, 12)
    made.run(grants.allow(SLACK, users=["sato"]))
    made.connect("sato", service=SLACK, scopes="chat:write")

    assert people == shown(made, limit)


def test_pages_may_hold_fewer() -> None:
    """Users whose links have all ended are passed over; the next page follows all the same."""
    made = world()
    people = crowd(made, 6)
    for user in people[:4]:
        made.run(links.revoke_all(user=user))

    first = made.run(links.users_of(POWER, limit=2))

    assert ((), people[1]) == (first.users, first.next)
    assert people[4:] == shown(made, 2)


def test_what_is_shown_of_a_user() -> None:
    """Every link that has not ended, with its state and reasons, as the user sees it."""
    made = world()
    made.allow("sato")
    made.connect("sato")
    made.connect("sato", client=OTHER)
    made.run(users.suspend("sato", existing="suspend"))

    (found,) = made.run(links.users_of(POWER)).users

    assert "sato" == found.user
    assert uses(made)[POWER].links == found.links
    assert {ClientId(PA.id), ClientId(OTHER.id)} == {view.client for view in found.links}
    assert [["user.suspended"]] * 2 == [[reason.code for reason in view.reasons] for view in found.links]


def test_users_with_awkward_ids() -> None:
    """Ids are compared byte by byte: prefixes, NUL and other scripts are ordered and paged all the same."""
    made = world()
    ids = ["a", "a\x00", "a\x00b", "ab", "b", "佐藤"]
    made.run(grants.allow(POWER, everyone=True))
    for user in ids:
        made.people.add_user(user, products={"kintone"})
        made.connect(user)

    assert sorted(ids) == sorted(shown(made, 1))
    assert shown(made, 1) == shown(made, 4)


def test_a_service_without_users() -> None:
    """An empty page, and no next one."""
    found = world().run(links.users_of(POWER))

    assert ((), None) == (found.users, found.next)


def test_a_service_must_be_known() -> None:
    """A service that nobody registered has no list."""
    with refused("service.unknown", service="teams"):
        world().run(links.users_of("teams"))


# --- Bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"service": ""}, "service"),
        ({"after": ""}, "after"),
        ({"after": 7}, "after"),
        ({"after": "x" * 256}, "after"),
        ({"limit": 0}, "limit"),
        ({"limit": 51}, "limit"),
        ({"limit": True}, "limit"),
    ],
)
def test_malformed_arguments(arguments: dict[str, Any], field: str) -> None:
    """The error names the argument."""
    with pytest.raises(InvalidInput) as caught:
        links.users_of(**{"service": POWER, **arguments})

    assert field == caught.value.field


def test_a_tenant_that_was_never_opened() -> None:
    """Nothing is listed of a tenant that nobody opened."""
    other = world().hub.tenant("other").acting_as("sato", roles={"user", "common_administrator"})
    operations: list[Operation[object]] = [links.of("sato"), links.users_of(POWER)]

    for operation in operations:
        with refused("tenant.not_open"):
            other.run(operation)


ANYTHING: Final[st.SearchStrategy[Any]] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text() | st.none())
)
_WORLD: Final = world()


@given(data=st.data())
def test_any_input_gives_a_value_or_an_error_of_ours(data: st.DataObject) -> None:
    """Every public entry point takes any object and gives an operation that runs, or an `ExtlinkError`."""
    with suppress(InvalidInput, Refused):
        _WORLD.run(links.of(data.draw(ANYTHING)))
    arguments = data.draw(st.dictionaries(st.sampled_from(["service", "after", "limit"]), ANYTHING))
    with suppress(InvalidInput, Refused):
        _WORLD.run(links.users_of(**{"service": POWER, **arguments}))


def test_a_custom_service_is_listed_beside_the_catalogue() -> None:
    """S1: hosts register their own."""
    own = Service(
        id="own",
        names=LocalizedText.same("Own"),
        descriptions=LocalizedText.same("Our own."),
        directions={"inbound"},
        scopes=[attrs.evolve(catalog.KINTONE_SCOPES[0], product="")],
    )
    made = world(register=(*catalog.BUILT_IN, own), enable=("own",))
    made.run(grants.allow("own", everyone=True))
    made.connect("mori", service="own", scopes=READ)

    assert [("own", "in_use")] == page(made, "mori")
