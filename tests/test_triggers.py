from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import catalog, datagroups, grants, links, networks, services, triggers, users
from extlink.catalog.connectors import GOOGLE_CALENDAR, KINTONE
from extlink.domain.connector_rules import ActionRules, CustomConnector
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Decision
from extlink.domain.flow import Flow
from extlink.domain.identifier import LinkId, Scope
from extlink.domain.secret import Secret
from extlink.domain.subscription import Subscription
from extlink.domain.token import KeyRing, Token, TokenKind
from extlink.domain.token_ledger import TokenSet
from extlink.errors import InvalidInput, Refused
from extlink.operation import Operation
from tests.people import ACME, POWER, READ, WRITE, World, codes, plant, refused, stored, world

FLOW: Final = (KINTONE, GOOGLE_CALENDAR)
KEYS: Final = KeyRing({"k1": Secret("5e" * 32)}, current="k1")


def linked(scopes: str = f"{READ} {WRITE}") -> tuple[World, TokenSet]:
    """Return a host in which sato is connected; ito is permitted too."""
    made = world()
    made.allow("sato", "ito")
    return made, made.connect("sato", scopes=scopes)


def subscribe(made: World, tokens: TokenSet, **more: Any) -> Subscription | Decision:
    """Register the page's second example: a record is added."""
    asked: dict[str, Any] = {"trigger": "record_added", "connectors": FLOW, "address": "20.37.194.1", **more}
    return made.tenant.run(triggers.subscribe(tokens.access_token, **asked))


def subscribed(made: World, tokens: TokenSet, **more: Any) -> Subscription:
    """Return the subscription of a trigger that may be registered."""
    found = subscribe(made, tokens, **more)
    assert isinstance(found, Subscription), codes(found)
    return found


def deliver(made: World, one: Subscription) -> Decision:
    """Ask whether a delivery may be made."""
    return made.tenant.run(triggers.check_delivery(one.link, one.id))


# --- Subscribing -------------------------------------------------------------------------------------------------


def test_a_trigger_is_a_record_of_its_link() -> None:
    """T3: created under the link, with the scope whose data each delivery carries; one entry."""
    made, tokens = linked()

    one = subscribed(made, tokens)

    assert (tokens.link, "record_added", READ) == (one.link, one.trigger, one.scope)
    assert (frozenset(FLOW), made.clock.now()) == (one.connectors, one.made_at)
    (entry,) = made.entries("subscription.added")
    assert {"service": POWER, "user": "sato", "link": tokens.link, "trigger": "record_added"} == entry.details
    assert (one,) == made.user("sato").run(triggers.listed(tokens.link))


def test_the_connectors_need_not_be_stated() -> None:
    """T2: a flow that is not known is not evaluated."""
    made, tokens = linked()
    one = subscribed(made, tokens, connectors=None)

    assert one.connectors is None
    assert "not_evaluated" == str(deliver(made, one).gate("data_group").answer)


@pytest.mark.parametrize("trigger", [trigger.id for trigger in catalog.POWER_AUTOMATE.triggers])
def test_every_trigger_of_the_catalogue(trigger: str) -> None:
    """Each can be registered over a link that covers its scope."""
    made, tokens = linked()

    assert trigger == subscribed(made, tokens, trigger=trigger).trigger


BREAK: Final[dict[str, tuple[Operation[Any], str]]] = {
    "service": (services.disable(POWER), "service.disabled"),
    "user": (users.suspend("sato", existing="suspend"), "user.suspended"),
    "grant": (grants.withdraw(POWER, users=["sato"], existing="suspend"), "grant.missing"),
    "data group": (
        datagroups.set_policy(DataPolicy(id="standard", business={KINTONE}, non_business={GOOGLE_CALENDAR})),
        "datagroup.mixed",
    ),
    "link": (links.revoke_all(user="sato", service=POWER), "link.revoked"),
}


@pytest.mark.parametrize("gate", BREAK)
def test_a_gate_that_refuses_the_subscription(gate: str) -> None:
    """The decision that refuses is returned with every reason; nothing is registered."""
    made, tokens = linked()
    made.run(BREAK[gate][0])

    found = subscribe(made, tokens)

    assert isinstance(found, Decision)
    assert (BREAK[gate][1],) == codes(found)
    assert () == made.run(triggers.listed(tokens.link))
    assert () == made.entries("subscription.added")
    assert (0 if gate == "link" else 1) == len(made.entries("access.refused"))


def test_the_network_at_the_time_of_subscribing() -> None:
    """The service registers by a call of its own, from an address that must be allowed."""
    made, tokens = linked()
    made.run(networks.deny_all(even_if_it_locks_me_out=True))

    assert ("network.deny_all",) == codes(subscribe(made, tokens))


def test_a_token_that_does_not_cover_what_is_delivered() -> None:
    """A8: a link that may only write is not told what was read."""
    made, tokens = linked(scopes=WRITE)

    assert ("scope.not_covered",) == codes(subscribe(made, tokens))


def test_a_trigger_that_the_service_does_not_have() -> None:
    """Refused by name; nothing is written."""
    made, tokens = linked()
    before = made.dump()

    with refused("subscription.trigger_unknown", trigger="record_eaten", service=POWER):
        subscribe(made, tokens, trigger="record_eaten")

    assert before == made.dump()


@pytest.mark.parametrize("text", ["", "junk", 7, None, Secret("xl_at_")])
def test_junk_registers_nothing(text: Any) -> None:
    """A text that is none of ours is refused without any I/O."""
    made, _ = linked()
    before = (made.storage.calls, made.directory.asked)

    found = made.tenant.run(triggers.subscribe(text, trigger="record_added"))

    assert ("token.unknown",) == codes(found)
    assert before == (made.storage.calls, made.directory.asked)


def test_an_authentic_token_of_no_link() -> None:
    """A link that the store does not have: as unknown as junk."""
    made, _ = linked()
    text = KEYS.mint(ACME, Token(TokenKind.ACCESS, LinkId("A" * 22), 1, "k1"), b"\0" * 20)

    assert ("token.unknown",) == codes(made.tenant.run(triggers.subscribe(text, trigger="record_added")))


def test_a_hundred_triggers_of_one_link() -> None:
    """As many as are listed: the next is refused with the limit, and removing one makes room."""
    made, tokens = linked()
    ones = [subscribed(made, tokens) for _ in range(100)]
    with refused("subscription.too_many", link=tokens.link, limit="100"):
        subscribe(made, tokens)
    assert {one.id for one in ones} == {one.id for one in made.run(triggers.listed(tokens.link))}

    made.run(triggers.unsubscribe(tokens.link, ones[0].id))
    subscribed(made, tokens)


@pytest.mark.parametrize(
    ("asked_by", "wanted"),
    [("https://api.example", None), (None, "token.wrong_audience"), ("https://other.example", "token.wrong_audience")],
)
def test_the_audience_of_a_subscription(asked_by: str | None, wanted: str | None) -> None:
    """RFC 8707: a token made for one resource server registers nothing at another."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato", resource="https://api.example")

    found = subscribe(made, tokens, resource=asked_by)

    assert (wanted is None) is isinstance(found, Subscription)
    assert wanted is None or codes(found) == (wanted,)


def test_subscribing_is_a_use_of_the_token() -> None:
    """The first accepted use confirms that the answer arrived: the older refresh token cannot be used again."""
    made, first = linked()
    second = made.refreshed(first)
    subscribed(made, second)
    made.clock.advance(30)

    assert ("refresh.reused",) == codes(made.refresh(first))


# --- Delivering --------------------------------------------------------------------------------------------------


def law_gates_are_asked_again(deliverable: Callable[[World, Subscription], bool]) -> None:
    """T3: before each delivery the gates are asked again, so what changed since stops the next one."""
    for gate, (break_it, _) in BREAK.items():
        made, tokens = linked()
        one = subscribed(made, tokens)
        assert deliverable(made, one), gate
        made.run(break_it)
        assert not deliverable(made, one), gate


def test_gates_are_asked_again() -> None:
    """A withdrawn grant, a data policy set today, a link ended: each stops the next delivery."""
    law_gates_are_asked_again(lambda made, one: bool(deliver(made, one)))


def test_a_host_that_only_looks_at_its_list_is_caught() -> None:
    """The broken twin: what is listed is delivered."""
    with pytest.raises(AssertionError):
        law_gates_are_asked_again(lambda made, one: one in made.run(triggers.listed(one.link)))


@pytest.mark.parametrize("gate", BREAK)
def test_why_a_delivery_is_refused(gate: str) -> None:
    """Exactly the code of the gate that is broken; an outbound call writes nothing."""
    made, tokens = linked()
    one = subscribed(made, tokens)
    made.run(BREAK[gate][0])
    before = made.dump()

    assert (BREAK[gate][1],) == codes(deliver(made, one))
    assert before == made.dump()


@pytest.mark.parametrize(
    "ending",
    [
        links.revoke_all(user="sato"),
        links.revoke_all(service=POWER),
        services.quarantine(POWER, "leak"),
        users.delete("sato"),
        grants.withdraw(POWER, users=["sato"]),
    ],
    ids=repr,
)
def test_a_subscription_ends_with_its_link(ending: Operation[Any]) -> None:
    """T3: whatever ended the link, nothing is delivered any more."""
    made, tokens = linked()
    one = subscribed(made, tokens)
    made.run(ending)

    assert "link.ended" in codes(deliver(made, one))


def test_a_subscription_survives_a_pause_and_a_refresh() -> None:
    """It belongs to the link, not to a token: refreshing goes on with it, and so does resuming."""
    made, tokens = linked()
    one = subscribed(made, tokens)
    made.refreshed(tokens)
    made.clock.advance(10_000)
    assert deliver(made, one)

    made.run(links.suspend(tokens.link))
    assert ("link.suspended",) == codes(deliver(made, one))
    made.run(links.resume(tokens.link))
    assert deliver(made, one)


def test_the_network_does_not_apply_to_deliveries() -> None:
    """T2: the restriction is for those who call the host."""
    made, tokens = linked()
    one = subscribed(made, tokens)
    made.run(networks.deny_all(even_if_it_locks_me_out=True))

    decision = deliver(made, one)

    assert (True, "not_applicable") == (decision.allowed, str(decision.gate("network").answer))


def test_a_strict_tenant_delivers_only_known_flows() -> None:
    """T2: where the tenant demands connectors, a flow that was not stated is refused."""
    made, tokens = linked()
    known, unknown = subscribed(made, tokens), subscribed(made, tokens, connectors=None)
    made.run(datagroups.require_flow_connectors(True))

    assert () == codes(deliver(made, known))
    assert ("datagroup.flow_unknown",) == codes(deliver(made, unknown))


def test_a_narrowed_link_delivers_no_more() -> None:
    """A delivery is covered by what the owner consented to."""
    made, tokens = linked()
    one = subscribed(made, tokens)
    plant(made, attrs.evolve(stored(made, tokens.link), scopes=frozenset({Scope(WRITE)})))

    assert ("scope.not_covered",) == codes(deliver(made, one))


def test_a_subscription_of_a_workspace_connection() -> None:
    """T5: a link of the tenant itself needs nobody's grant."""
    made, tokens = linked()
    plant(made, attrs.evolve(stored(made, tokens.link), owner=None))
    one = subscribed(made, tokens)
    made.run(grants.withdraw(POWER, users=["sato"]))

    decision = deliver(made, one)

    assert (True, "not_applicable") == (decision.allowed, str(decision.gate("user").answer))


def test_a_delivery_that_nobody_asked_for() -> None:
    """An unknown link, an unknown subscription, or one of another link: refused by name."""
    made, tokens = linked()
    one = subscribed(made, tokens)
    other = made.connect("ito")

    with refused("link.unknown", link="A" * 22):
        made.tenant.run(triggers.check_delivery("A" * 22, one.id))
    for link, subscription in ((tokens.link, "nope"), (other.link, one.id)):
        with refused("subscription.unknown", subscription=subscription):
            made.tenant.run(triggers.check_delivery(link, subscription))


# --- Listing and removing ----------------------------------------------------------------------------------------


def test_listed_with_the_link() -> None:
    """T3: all subscriptions of one link, and of no other."""
    made, tokens = linked()
    ones = {subscribed(made, tokens, trigger=trigger) for trigger in ("record_added", "status_changed")}
    other = made.connect("ito")
    subscribed(made, other)

    assert ones == set(made.user("sato").run(triggers.listed(tokens.link)))
    assert 1 == len(made.run(triggers.listed(other.link)))


@pytest.mark.parametrize(
    ("user", "roles"), [("sato", {"user"}), ("boss", {"common_administrator"}), ("system", {"host"})]
)
def test_who_may_list_and_remove(user: str, roles: set[str]) -> None:
    """The owner, an administrator, or the host on the service's behalf; removing is recorded."""
    made, tokens = linked()
    one = subscribed(made, tokens)
    actor = made.tenant.acting_as(user, roles=roles)
    assert (one,) == actor.run(triggers.listed(tokens.link))

    actor.run(triggers.unsubscribe(tokens.link, one.id))

    assert () == actor.run(triggers.listed(tokens.link))
    (entry,) = made.entries("subscription.removed")
    assert user == entry.user
    assert {"service": POWER, "user": "sato", "link": tokens.link, "trigger": "record_added"} == entry.details
    with refused("subscription.unknown"):
        deliver(made, one)


def test_strangers_may_not() -> None:
    """To others the link is unknown, and nothing changes."""
    made, tokens = linked()
    one = subscribed(made, tokens)
    stranger = made.user("ito")
    before = made.dump()
    operations: list[Operation[object]] = [triggers.listed(tokens.link), triggers.unsubscribe(tokens.link, one.id)]

    for operation in operations:
        with refused("link.unknown"):
            stranger.run(operation)

    assert before == made.dump()


def test_removing_what_is_not_there() -> None:
    """An unknown subscription is refused by name, also one that was removed before."""
    made, tokens = linked()
    one = subscribed(made, tokens)
    made.run(triggers.unsubscribe(tokens.link, one.id))

    for subscription in (one.id, "nope"):
        with refused("subscription.unknown", subscription=subscription):
            made.run(triggers.unsubscribe(tokens.link, subscription))


# --- Bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: triggers.subscribe("x", trigger=""), "trigger"),
        (lambda: triggers.subscribe("x", trigger="t", connectors="kintone"), "connectors"),
        (lambda: triggers.subscribe("x", trigger="t", address=7), "address"),  # type: ignore[arg-type]
        (lambda: triggers.unsubscribe("", "s"), "link"),
        (lambda: triggers.unsubscribe("l", ""), "subscription"),
        (lambda: triggers.check_delivery(None, "s"), "link"),  # type: ignore[arg-type]
        (lambda: triggers.check_delivery("l", "x" * 256), "subscription"),
        (lambda: triggers.listed(""), "link"),
    ],
    ids=["trigger", "connectors", "address", "link", "subscription", "no link", "long subscription", "listed"],
)
def test_malformed_arguments(make: Callable[[], object], field: str) -> None:
    """The error names the argument."""
    with pytest.raises(InvalidInput) as caught:
        make()

    assert field == caught.value.field


ANYTHING: Final[st.SearchStrategy[Any]] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text() | st.none())
)
_WORLD, _TOKENS = linked()


@given(data=st.data())
def test_any_input_gives_a_value_or_an_error_of_ours(data: st.DataObject) -> None:
    """Every public entry point takes any object and gives an operation that runs, or an `ExtlinkError`."""
    arguments = data.draw(
        st.dictionaries(st.sampled_from(["token", "trigger", "connectors", "address"]), ANYTHING, min_size=1)
    )
    with suppress(InvalidInput, Refused):
        _WORLD.tenant.run(triggers.subscribe(**{"token": _TOKENS.access_token, "trigger": "record_added", **arguments}))
    first, second = data.draw(st.just(_TOKENS.link) | ANYTHING), data.draw(ANYTHING)
    for make in (triggers.unsubscribe, triggers.check_delivery):
        with suppress(InvalidInput, Refused):
            _WORLD.run(make(first, second))
    with suppress(InvalidInput, Refused):
        _WORLD.run(triggers.listed(first))


def test_where_the_flow_lives_is_recorded_and_asked_at_each_delivery() -> None:
    """R2, R3: a policy of another environment, or one that the flow is exempt from, stops no delivery."""
    made, tokens = linked()
    here = subscribed(made, tokens, environment="dev", flow_id="flow-2")
    there = subscribed(made, tokens, environment="prod")
    exempt = subscribed(made, tokens, environment="dev", flow_id="flow-1")
    unknown = subscribed(made, tokens)
    policy = DataPolicy(id="dev-only", blocked={KINTONE}, scope="only", environments=["dev"], exempt=["flow-1"])
    made.run(datagroups.set_policy(policy))

    assert ("dev", "flow-2") == (here.environment, here.flow_id)
    assert [("datagroup.blocked",), (), (), ("datagroup.blocked",)] == [
        codes(deliver(made, one)) for one in (here, there, exempt, unknown)
    ]


def test_a_flow_is_recorded_whole() -> None:
    """Its actions, endpoints and children are asked at each delivery too."""
    made, tokens = linked()
    flow = Flow(
        [KINTONE, CustomConnector("own", "https://api.example.com")],
        actions={KINTONE: ["Delete"]},
        children=[Flow(["shared_slack"], kind="desktop", id="child")],
        environment="dev",
        id="flow-1",
    )
    one = subscribed(made, tokens, connectors=flow)
    (kept,) = made.user("sato").run(triggers.listed(tokens.link))

    assert (flow, "dev", "flow-1") == (kept.connectors, kept.environment, kept.flow_id)
    made.run(datagroups.set_policy(DataPolicy(id="standard", business={KINTONE}, hosts=[("*", "business")])))
    assert ("datagroup.mixed",) == codes(deliver(made, one))
    rules = [ActionRules(connector=KINTONE, default="deny")]
    made.run(datagroups.set_policy(DataPolicy(id="standard", actions=rules)))
    assert ("datagroup.action_blocked",) == codes(deliver(made, one))
