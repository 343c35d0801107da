from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import grants, link_ends, links, services, triggers, users
from extlink.domain.client import Client
from extlink.domain.consent import Acceptance
from extlink.domain.decision import Refusal
from extlink.domain.link import LinkState
from extlink.domain.token_ledger import TokenSet
from extlink.errors import InvalidInput, Refused
from extlink.operation import Operation
from tests.people import PA, POWER, SLACK, World, codes, plant, purge, refused, stored, world

Do = Callable[[World, TokenSet], object]
OTHER: Final = Client("another")


def linked() -> tuple[World, TokenSet]:
    """Return a host in which sato is connected; ito is permitted too."""
    made = world()
    made.allow("sato", "ito")
    return made, made.connect("sato")


def admin(operation: Operation[object]) -> Do:
    """Return what an administrator does."""
    return lambda made, tokens: made.run(operation)


def host(operation: Operation[object]) -> Do:
    """Return what the host does for all tenants."""
    return lambda made, tokens: made.hub.host().run(operation)


def owner(make: Callable[[str], Operation[object]]) -> Do:
    """Return what the owner does with the link."""
    return lambda made, tokens: made.user("sato").run(make(tokens.link))


def on_link(make: Callable[[str], Operation[object]]) -> Do:
    """Return what an administrator does with the link."""
    return lambda made, tokens: made.run(make(tokens.link))


# --- MISSION's four verbs ----------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Verb:
    """One verb exactly as MISSION states it.

    Args:
        do: the verb.
        now: why a call over an existing link is refused after it; empty: it is not.
        connect: whether a new link can be made while the verb holds.
        undo: what takes the verb back, step by step; empty: nothing can.
        after: why a call over the old link is refused after that.
        every_link: whether it concerns all of the user's links to the service, those that wait for their code too.
    """

    do: Do
    now: tuple[str, ...]
    connect: bool = False
    undo: tuple[Do, ...] = ()
    after: tuple[str, ...] = ()
    every_link: bool = True


WITHDRAWN: Final = ("grant.missing",)
ENDED: Final = ("link.ended",)
VERBS: Final[dict[str, Verb]] = {
    "disable": Verb(
        do=admin(services.disable(POWER)), now=("service.disabled",), undo=(admin(services.enable(POWER)),)
    ),
    "disable and revoke": Verb(
        do=admin(services.disable(POWER, existing="revoke")),
        now=("service.disabled", "link.ended"),
        undo=(admin(services.enable(POWER)),),
        after=ENDED,
    ),
    "quarantine": Verb(
        do=admin(services.quarantine(POWER, "leak")),
        now=("service.quarantined", "link.ended"),
        undo=(admin(services.release(POWER)), admin(services.enable(POWER))),
        after=ENDED,
    ),
    "quarantine everywhere": Verb(
        do=host(services.quarantine_everywhere(POWER, "breach")),
        now=("service.quarantined_everywhere", "link.ended"),
        undo=(host(services.release_everywhere(POWER)),),
        after=ENDED,
    ),
    "suspend a user": Verb(
        do=admin(users.suspend("sato")),
        now=("user.suspended", "link.ended"),
        undo=(admin(users.resume("sato")),),
        after=ENDED,
    ),
    "suspend a user for a leave": Verb(
        do=admin(users.suspend("sato", existing="suspend")),
        now=("user.suspended",),
        undo=(admin(users.resume("sato")),),
    ),
    "delete a user": Verb(do=admin(users.delete("sato")), now=("user.deleted", *ENDED), after=("user.deleted", *ENDED)),
    "revoke by the owner": Verb(
        do=owner(links.revoke), now=("link.revoked",), connect=True, after=("link.revoked",), every_link=False
    ),
    "revoke by an administrator": Verb(
        do=on_link(links.revoke), now=("link.revoked",), connect=True, after=("link.revoked",), every_link=False
    ),
    "revoke all of the user": Verb(do=admin(links.revoke_all(user="sato")), now=ENDED, connect=True, after=ENDED),
    "revoke all of the service": Verb(do=admin(links.revoke_all(service=POWER)), now=ENDED, connect=True, after=ENDED),
    "revoke all of the pair": Verb(
        do=admin(links.revoke_all(user="sato", service=POWER)),
        now=("link.revoked",),
        connect=True,
        after=("link.revoked",),
    ),
    "suspend a link": Verb(
        do=on_link(links.suspend),
        now=("link.suspended",),
        connect=True,
        undo=(on_link(links.resume),),
        every_link=False,
    ),
    "withdraw": Verb(
        do=admin(grants.withdraw(POWER, users=["sato"])),
        now=("grant.missing", "link.ended"),
        undo=(admin(grants.allow(POWER, users=["sato"])),),
        after=ENDED,
    ),
    "withdraw and suspend": Verb(
        do=admin(grants.withdraw(POWER, users=["sato"], existing="suspend")),
        now=WITHDRAWN,
        undo=(admin(grants.allow(POWER, users=["sato"])),),
    ),
    "withdraw and keep": Verb(
        do=admin(grants.withdraw(POWER, users=["sato"], existing="keep")),
        now=(),
        undo=(admin(grants.allow(POWER, users=["sato"])),),
    ),
}
FINAL: Final = {"link.ended", "link.revoked"}


def can_connect(made: World) -> bool:
    """Whether sato could make a new link by another client."""
    asked = made.user("sato").run(
        links.begin(
            POWER,
            client=Client("third", pkce="waived_for_confidential_client"),
            redirect_uri="https://client.example/cb",
            scopes="k:file:read",
            network="not_applicable",
        )
    )
    return not isinstance(asked, Refusal)


def law_verb(verb: Verb, do: Do | None = None) -> None:
    """Check a verb: existing links, new links, tokens and codes - while it holds, and after it is taken back."""
    made, tokens = linked()
    pending = made.code("sato", client=OTHER)
    assert made.check(tokens)

    (do or verb.do)(made, tokens)

    assert verb.now == codes(made.check(tokens))
    assert (not verb.now) is isinstance(made.refresh(tokens), TokenSet)
    assert verb.connect is can_connect(made)
    for step in verb.undo:
        step(made, tokens)
    assert verb.after == codes(made.check(tokens))
    assert (not verb.after) is isinstance(made.refresh(tokens), TokenSet)
    if verb.undo or verb.connect:
        assert can_connect(made)
        assert made.check(made.connect("sato"))
    if verb.every_link:
        assert (not verb.after) is isinstance(made.redeem(pending, client=OTHER), TokenSet)


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_means_what_mission_says(name: str) -> None:
    """Four verbs, four meanings: what holds at the next check, and after the verb is taken back."""
    law_verb(VERBS[name])


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("disable", "disable and revoke"),
        ("disable and revoke", "disable"),
        ("quarantine", "disable"),
        ("suspend a user", "suspend a user for a leave"),
        ("suspend a user for a leave", "suspend a user"),
        ("revoke by the owner", "suspend a link"),
        ("suspend a link", "revoke by the owner"),
        ("withdraw", "withdraw and suspend"),
        ("withdraw and suspend", "withdraw and keep"),
        ("withdraw and keep", "withdraw"),
    ],
)
def test_a_verb_that_does_another_ones_work_is_caught(name: str, wrong: str) -> None:
    """The broken twins: each verb done as the one beside it."""
    with pytest.raises((AssertionError, Refused)):
        law_verb(VERBS[name], VERBS[wrong].do)


@pytest.mark.parametrize("name", [name for name, verb in VERBS.items() if set(verb.now) & FINAL and not verb.undo])
def test_what_is_final(name: str) -> None:
    """Nothing brings a link back that was revoked, or whose user was deleted."""
    made, tokens = linked()
    VERBS[name].do(made, tokens)
    for undo in (users.resume("sato"), services.enable(POWER), grants.allow(POWER, users=["sato"])):
        with suppress(Refused):
            made.run(undo)
    with suppress(Refused):
        made.run(links.resume(tokens.link))

    assert set(codes(made.check(tokens))) & FINAL
    assert isinstance(made.refresh(tokens), Refusal)


def test_enabling_again_asks_every_gate() -> None:
    """Links of a disabled service work again after `enable` only if every gate passes then."""
    made, tokens = linked()
    made.run(services.disable(POWER))
    made.run(grants.withdraw(POWER, users=["sato"], existing="suspend"))
    made.run(services.enable(POWER))

    assert WITHDRAWN == codes(made.check(tokens))


def test_a_quarantine_is_lifted_before_enabling() -> None:
    """Quarantine outranks the switch: neither enabling nor disabling lifts it; after a release the service is off."""
    made, tokens = linked()
    made.run(services.quarantine(POWER, "leak"))
    for operation in (services.enable(POWER), services.disable(POWER)):
        with refused("service.quarantined", cause="leak"):
            made.run(operation)

    made.run(services.release(POWER))
    assert ("service.disabled", "link.ended") == codes(made.check(tokens))


def test_a_deleted_user_is_not_resumed() -> None:
    """T12: deletion ends everything, for good."""
    made, _ = linked()
    made.run(users.delete("sato"))

    for operation in (users.resume("sato"), users.suspend("sato")):
        with refused("user.deleted", user="sato"):
            made.run(operation)


@pytest.mark.parametrize(
    "make",
    [
        lambda: users.suspend("sato", existing="keep"),  # type: ignore[arg-type]
        lambda: services.disable(POWER, existing="keep"),  # type: ignore[arg-type]
    ],
    ids=["users.suspend", "services.disable"],
)
def test_keep_has_a_meaning_for_grants_alone(make: Callable[[], object]) -> None:
    """A disabled service or suspended user keeps no links working: the word is refused."""
    with pytest.raises(InvalidInput, match="existing"):
        make()


def test_other_peoples_links_go_on() -> None:
    """What is done to one user, link or pair leaves everybody else's links alone."""
    for name in ("suspend a user", "delete a user", "revoke by the owner", "revoke all of the user", "withdraw"):
        made, tokens = linked()
        others = made.connect("ito")
        VERBS[name].do(made, tokens)

        assert made.check(others), name


# --- Revoke ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "roles", "event", "by"),
    [
        ("sato", {"user"}, "link.revoked_by_user", "user"),
        ("sato", {"user", "common_administrator"}, "link.revoked_by_user", "user"),
        ("boss", {"common_administrator"}, "link.revoked_by_administrator", "administrator"),
        ("sato", {"common_administrator"}, "link.revoked_by_administrator", "administrator"),
        ("system", {"host"}, "link.revoked_by_administrator", "administrator"),
    ],
)
def test_who_may_end_a_link(user: str, roles: set[str], event: str, by: str) -> None:
    """S11: its owner, an administrator, or the host; the next call is refused and the entry says who it was."""
    made, tokens = linked()

    ended = made.tenant.acting_as(user, roles=roles).run(links.revoke(tokens.link))

    assert (LinkState.REVOKED, by, made.clock.now()) == (ended.state, ended.ended_by, ended.ended_at)
    (reason,) = made.check(tokens).reasons
    assert ("link.revoked", by) == (reason.code, reason.params["by"])
    (entry,) = made.entries(event)
    assert (user, {"service": POWER, "user": "sato", "link": tokens.link}) == (entry.user, entry.details)


@pytest.mark.parametrize(
    ("user", "roles"),
    [
        ("ito", {"user"}),
        ("ito", {"user", "access_administrator", "app_administrator"}),
        ("sato", {"access_administrator"}),
    ],
)
def test_a_strangers_link_is_unknown(user: str, roles: set[str]) -> None:
    """To who is neither owner nor administrator, somebody else's link is as unknown as none; nothing changes."""
    made, tokens = linked()
    stranger = made.tenant.acting_as(user, roles=roles)
    before = made.dump()
    for link in (tokens.link, "A" * 22):
        with refused("link.unknown", link=link):
            stranger.run(links.revoke(link))

    assert before == made.dump()
    assert made.check(tokens)


def test_nobody_in_particular_ends_nothing() -> None:
    """Without an acting person there is no owner."""
    made, tokens = linked()

    with refused("link.unknown"):
        made.tenant.run(links.revoke(tokens.link))


def test_ending_a_link_twice_changes_nothing() -> None:
    """Two people may press the button: one entry, by the first."""
    made, tokens = linked()
    first = made.user("sato").run(links.revoke(tokens.link))
    made.clock.advance(100)
    before = made.dump()

    assert first == made.run(links.revoke(tokens.link))
    assert before == made.dump()


def test_an_ended_link_leaves_the_lists() -> None:
    """The account page and the service's users show it no more; the service is unused again."""
    made, tokens = linked()
    other = made.connect("sato", client=OTHER)
    made.user("sato").run(links.revoke(tokens.link))

    (use,) = made.user("sato").run(links.of("sato"))
    assert [other.link] == [view.id for view in use.links]
    made.user("sato").run(links.revoke(other.link))
    assert ["unused"] == [one.state for one in made.user("sato").run(links.of("sato"))]
    assert () == made.run(links.users_of(POWER)).users


def test_a_workspace_connection_is_ended_by_administrators() -> None:
    """T5: a link of the tenant itself has no owner, so no user may end it."""
    made, tokens = linked()
    plant(made, attrs.evolve(stored(made, tokens.link), owner=None))

    with refused("link.unknown"):
        made.user("sato").run(links.revoke(tokens.link))
    assert LinkState.REVOKED is made.run(links.revoke(tokens.link)).state
    assert [None] == [entry.details["user"] for entry in made.entries("link.revoked_by_administrator")]


# --- Revoke all --------------------------------------------------------------------------------------------------


def spread(made: World) -> dict[str, TokenSet]:
    """Connect sato and ito to two services, sato twice to one of them."""
    made.run(grants.allow(SLACK, users=["sato", "ito"]))
    return {
        "sato power": made.connect("sato"),
        "sato power 2": made.connect("sato", client=OTHER),
        "sato slack": made.connect("sato", service=SLACK, scopes="chat:write"),
        "ito power": made.connect("ito"),
        "ito slack": made.connect("ito", service=SLACK, scopes="chat:write"),
    }


@pytest.mark.parametrize(
    ("arguments", "ended"),
    [
        ({"user": "sato"}, {"sato power", "sato power 2", "sato slack"}),
        ({"service": SLACK}, {"sato slack", "ito slack"}),
        ({"user": "sato", "service": POWER}, {"sato power", "sato power 2"}),
        ({"user": "tanaka", "service": POWER}, set[str]()),
        ({"user": "tanaka"}, set[str]()),
    ],
)
def test_what_ends_together(arguments: dict[str, str], ended: set[str]) -> None:
    """F7: every link of a user, of a service, or of a user with a service, and no other."""
    made, _ = linked()
    tokens = spread(made)

    made.run(links.revoke_all(**arguments))

    found = {
        name
        for name, one in tokens.items()
        if not made.check(one, scope="chat:write" if "slack" in name else "k:app_record:read")
    }
    assert ended == found


@pytest.mark.parametrize("arguments", [{"user": "sato"}, {"service": POWER}])
def test_a_whole_set_ends_by_one_record(arguments: dict[str, str]) -> None:
    """F8: O(1), however many links there are - what is read and written does not grow with them."""
    made, _ = linked()

    def cost() -> tuple[int, int, int]:
        reads, lists, commits = made.storage.reads, made.storage.lists, made.storage.commits
        made.run(links.revoke_all(**arguments))
        return made.storage.reads - reads, made.storage.lists - lists, made.storage.commits - commits

    small = cost()
    for number in range(10):
        made.connect("sato", client=Client(f"client-{number}"))
    assert small == cost() == (1, 0, 1)


def test_codes_end_with_the_set() -> None:
    """F8: every link, code and token; one that was agreed to and not redeemed yet as well."""
    for arguments in ({"user": "sato"}, {"service": POWER}, {"user": "sato", "service": POWER}):
        made = world()
        made.allow("sato")
        pending = made.code("sato")
        made.run(links.revoke_all(**arguments))

        assert isinstance(made.redeem(pending), Refusal), arguments


@pytest.mark.parametrize(
    ("user", "roles", "event"),
    [
        ("sato", {"user"}, "link.revoked_by_user"),
        ("boss", {"common_administrator"}, "link.revoked_by_administrator"),
        ("system", {"host"}, "link.revoked_by_administrator"),
    ],
)
@pytest.mark.parametrize("service", [None, POWER])
def test_who_may_end_all_of_a_users_links(user: str, roles: set[str], event: str, service: str | None) -> None:
    """Users may end their own; administrators and the host anybody's; one entry says so."""
    made, tokens = linked()

    made.tenant.acting_as(user, roles=roles).run(links.revoke_all(user="sato", service=service))

    assert not made.check(tokens)
    (entry,) = made.entries(event)
    assert (user, {"user": "sato", "service": service, "link": None}) == (entry.user, entry.details)


@pytest.mark.parametrize("arguments", [{"user": "sato"}, {"service": POWER}, {"user": "sato", "service": POWER}])
@pytest.mark.parametrize("roles", [{"user"}, {"access_administrator"}, {"user", "app_administrator"}])
def test_nobody_ends_other_peoples_links(arguments: dict[str, str], roles: set[str]) -> None:
    """T11: refused and recorded, and the links live on."""
    made, tokens = linked()

    with refused("actor.not_permitted", operation="links.revoke_all"):
        made.tenant.acting_as("ito", roles=roles).run(links.revoke_all(**arguments))

    assert made.check(tokens)
    assert ["ito"] == [entry.user for entry in made.entries("operation.denied")]


def test_a_user_does_not_end_a_services_links() -> None:
    """Who may end the own links may not end those of all users."""
    made, tokens = linked()

    with refused("actor.not_permitted"):
        made.user("sato").run(links.revoke_all(service=POWER))
    assert made.check(tokens)


def test_a_pair_without_links_changes_nothing() -> None:
    """Nothing to end, nothing to record."""
    made, _ = linked()
    before = made.dump()
    made.run(links.revoke_all(user="ito", service=POWER))

    assert before == made.dump()


def test_ending_a_pair_twice() -> None:
    """Links that ended before are not ended again; those whose record is gone are passed over."""
    made, tokens = linked()
    made.connect("sato")
    made.run(links.revoke_all(user="sato", service=POWER))
    ended = stored(made, tokens.link)
    made.clock.advance(100)
    made.run(links.revoke_all(user="sato", service=POWER))

    assert ended == stored(made, tokens.link)
    assert "superseded" == ended.ended_by


def test_a_list_may_name_what_is_gone() -> None:
    """A link whose record is not there any more is passed over, and leaves the list with the others."""
    made, tokens = linked()
    other = made.connect("sato", client=OTHER)
    purge(made, tokens.link)

    assert [other.link] == [view.id for view in made.user("sato").run(links.of("sato"))[0].links]
    made.run(links.revoke_all(user="sato", service=POWER))
    assert LinkState.REVOKED is stored(made, other.link).state


def test_a_service_must_be_known() -> None:
    """Ending all links of a service that nobody registered is a mistake."""
    made, _ = linked()

    with refused("service.unknown", service="teams"):
        made.run(links.revoke_all(service="teams"))


def test_all_of_nothing_is_not_everything() -> None:
    """Neither a user nor a service: refused where it is built, and again where it runs."""
    with pytest.raises(InvalidInput, match="expected a user, a service, or both"):
        links.revoke_all()
    made, tokens = linked()
    with pytest.raises(InvalidInput, match="expected a user, a service, or both"):
        made.run(link_ends._revoke_all(user=None, service=None))
    assert made.check(tokens)


def test_epochs_of_a_deleted_user_stay() -> None:
    """Ending all links of a user who was deleted leaves the tombstone."""
    made, _ = linked()
    made.run(users.delete("sato"))
    made.run(links.revoke_all(user="sato"))

    state = made.run(users.state("sato"))
    assert ("deleted", 2) == (state.status, state.epoch)


# --- Suspend and resume ------------------------------------------------------------------------------------------


def test_pausing_a_link() -> None:
    """Refused until it is resumed, calls and refreshes alike; one entry each by the administrator."""
    made, tokens = linked()
    paused = made.run(links.suspend(tokens.link))
    assert (LinkState.SUSPENDED, "administrator") == (paused.state, paused.ended_by)
    assert ("link.suspended",) == codes(made.check(tokens))

    resumed = made.run(links.resume(tokens.link))
    assert (LinkState.LIVE, "", None) == (resumed.state, resumed.ended_by, resumed.ended_at)
    assert made.check(made.refreshed(tokens))
    details = {"service": POWER, "user": "sato", "link": tokens.link}
    for event in ("link.suspended", "link.resumed"):
        (entry,) = made.entries(event)
        assert ("admin", details) == (entry.user, entry.details)


def test_pausing_twice_changes_nothing() -> None:
    """A link that is paused is paused."""
    made, tokens = linked()
    first = made.run(links.suspend(tokens.link))
    before = made.dump()

    assert first == made.run(links.suspend(tokens.link))
    assert before == made.dump()


def test_resuming_asks_the_gates() -> None:
    """A resumed link works only if every gate passes then."""
    made, tokens = linked()
    made.run(links.suspend(tokens.link))
    made.run(grants.withdraw(POWER, users=["sato"]))
    made.run(links.resume(tokens.link))

    assert ("grant.missing", "link.ended") == codes(made.check(tokens))


@pytest.mark.parametrize(
    ("prepare", "make", "state"),
    [
        (None, links.resume, "live"),
        (links.revoke, links.suspend, "revoked"),
        (links.revoke, links.resume, "revoked"),
    ],
)
def test_transitions_that_do_not_exist(
    prepare: Callable[[str], Operation[object]] | None, make: Callable[[str], Operation[object]], state: str
) -> None:
    """What the table of states does not list is refused by name, and nothing changes."""
    made, tokens = linked()
    if prepare is not None:
        made.run(prepare(tokens.link))
    before = made.dump()

    with refused("link.transition", state=state):
        made.run(make(tokens.link))

    assert before == made.dump()


@pytest.mark.parametrize("make", [links.suspend, links.resume])
def test_a_link_that_waits_for_its_code(make: Callable[[str], Operation[object]]) -> None:
    """It can be ended, and neither paused nor resumed."""
    made = world()
    made.allow("sato")
    accepted: Acceptance = made.code("sato")

    with refused("link.transition", state="consented"):
        made.run(make(accepted.link))


@pytest.mark.parametrize("make", [links.suspend, links.resume])
@pytest.mark.parametrize("role", ["user", "host", "access_administrator"])
def test_only_administrators_pause(make: Callable[[str], Operation[object]], role: str) -> None:
    """T11: not even the owner, who may end the link."""
    made, tokens = linked()

    with refused("actor.not_permitted", roles=("common_administrator",)):
        made.tenant.acting_as("sato", roles={role}).run(make(tokens.link))


# --- Bad input ---------------------------------------------------------------------------------------------------

ONE: Final[dict[str, Callable[[Any], Operation[Any]]]] = {
    "revoke": links.revoke,
    "suspend": links.suspend,
    "resume": links.resume,
    "listed": triggers.listed,
}


@pytest.mark.parametrize("name", ONE)
def test_a_link_that_is_not_there(name: str) -> None:
    """An unknown id is refused by name."""
    with refused("link.unknown", link="nope"):
        world().run(ONE[name]("nope"))


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("value", ["", None, 7, "x" * 256, b"AAAA"])
def test_malformed_links(name: str, value: object) -> None:
    """The error names the argument."""
    with pytest.raises(InvalidInput, match="link"):
        ONE[name](value)


@pytest.mark.parametrize("name", ONE)
def test_a_tenant_that_was_never_opened(name: str) -> None:
    """Nothing ends in a tenant that nobody opened."""
    other = world().hub.tenant("other").acting_as("admin", roles={"common_administrator"})

    with refused("tenant.not_open"):
        other.run(ONE[name]("A" * 22))
    for arguments in ({"user": "sato"}, {"service": POWER}, {"user": "sato", "service": POWER}):
        with refused("tenant.not_open"):
            other.run(links.revoke_all(**arguments))


ANYTHING: Final[st.SearchStrategy[Any]] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text() | st.none())
)
_WORLD: Final = world()


@given(value=ANYTHING, other=ANYTHING)
def test_any_input_gives_a_value_or_an_error_of_ours(value: Any, other: Any) -> None:
    """Every public entry point takes any object and gives an operation that runs, or an `ExtlinkError`."""
    for make in ONE.values():
        with suppress(InvalidInput, Refused):
            _WORLD.run(make(value))
    with suppress(InvalidInput, Refused):
        _WORLD.run(links.revoke_all(user=value, service=other))


def test_a_client_is_no_link() -> None:
    """What names a client names no link."""
    made, _ = linked()

    with refused("link.unknown"):
        made.run(links.revoke(PA.id))
