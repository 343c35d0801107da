from __future__ import annotations

from typing import Final

import pytest

from extlink import access, clients, facts, grants, links, networks, services, users
from extlink.domain.access import Person
from extlink.domain.client_registration import ClientProfile
from extlink.domain.grant import UserGrantPolicy
from extlink.domain.identifier import ClientId, LinkId, ServiceId, TenantId, UserId
from extlink.domain.link import Link
from extlink.domain.network import IPRestriction
from extlink.domain.tenant import UserState
from extlink.facts import Facts
from extlink.operation import Call, Commit, Operation, Steps, operation, read
from extlink.records import client_key, link_key, service_key, tenant_key
from tests.people import POWER, READ, SLACK, World, refused, world

ACME: Final = TenantId("acme")


@operation("facts.loading")
def _loading(call: Call, *, service: str, user: str | None, more: tuple[LinkId, ...] = ()) -> Steps[Commit[Facts]]:
    named = None if user is None else UserId(user)
    places = tuple(link_key(call.tenant, one) for one in more)
    return Commit((yield from facts.load(call, ServiceId(service), named, *places)))


@operation("facts.knowing")
def _knowing(call: Call, *, client: str, named: bool) -> Steps[Commit[Facts]]:
    one = ClientId(client)
    if named:
        return Commit((yield from facts.load(call, ServiceId(POWER), None, client=one)))
    return Commit((yield from facts.load(call, ServiceId(POWER), UserId("sato"), client_key(call.tenant, one))))


@operation("facts.opening")
def _opening(call: Call, *, service: str) -> Steps[Commit[tuple[str, str]]]:
    answers = yield from read(tenant_key(call.tenant), service_key(call.tenant, ServiceId(service)))
    tenant = facts.opened(answers, call.tenant)
    known = facts.registered(answers, call.tenant, ServiceId(service))
    return Commit((tenant.id, known.service.id))


@operation("facts.linking")
def _linking(call: Call, *, ids: tuple[LinkId, ...]) -> Steps[Commit[tuple[Link, ...]]]:
    return Commit((yield from facts.links(call, ids)))


def load(made: World, user: str | None = "sato", service: str = POWER) -> Facts:
    """Return what a decision about a service and a user rests on."""
    return made.run(_loading(service=service, user=user))


def busy() -> World:
    """Return a host in which much is set that does not concern sato and Power Automate."""
    made = world()
    made.run(grants.allow(POWER, users=["sato", "ito"], organizations=["tech"]))
    made.run(grants.allow(SLACK, everyone=True))
    made.run(users.suspend("suzuki"))
    made.run(networks.restrict(["203.0.113.0/24"]))
    return made


def test_a_decision_rests_on_one_read() -> None:
    """All that is stored comes from one snapshot: one read, and one question to the directory."""
    made = busy()
    reads, asked = made.storage.reads, made.directory.asked

    load(made)

    assert (reads + 1, asked + 1) == (made.storage.reads, made.directory.asked)


def test_a_check_costs_two_round_trips() -> None:
    """DESIGN 5: the link, then all facts in one read; never more than two, and nothing is listed or written."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    made.check(tokens)
    reads, others = made.storage.reads, made.storage.lists + made.storage.commits

    assert made.check(tokens)
    assert made.storage.reads - reads in {1, 2}
    assert others == made.storage.lists + made.storage.commits


def test_a_check_of_a_pinned_service_costs_no_more() -> None:
    """The published ranges are read with the other facts: one round trip where the link is remembered."""
    made = world()
    made.allow("sato")
    made.run(networks.pin(POWER, ["20.37.194.0/24"]))
    tokens = made.connect("sato")
    check = access.check(tokens.access_token, scope=READ, address="20.37.194.9")
    made.tenant.run(check)
    reads = made.storage.reads

    assert made.tenant.run(check)
    assert reads + 1 == made.storage.reads


def test_the_policy_names_only_what_the_question_is_about() -> None:
    """One service, one user: nothing else of the tenant is read."""
    policy = load(busy()).policy

    assert [POWER] == list(policy.registry.services) == list(policy.grants)
    assert ["sato"] == list(policy.people)
    assert ["sato"] == list(policy.grants[ServiceId(POWER)].users)
    assert ["tech"] == list(policy.grants[ServiceId(POWER)].granted.organizations)
    assert "allow_some" == policy.network.mode


def test_what_nobody_ever_set() -> None:
    """Absent records are the defaults: no rules, no restriction, no data policies, an active user."""
    made = world(register=(), enable=())
    policy = load(made).policy

    assert ({}, {}) == (policy.registry.services, policy.registry.everywhere)
    assert {POWER: UserGrantPolicy(ServiceId(POWER))} == policy.grants
    assert IPRestriction() == policy.network
    assert () == policy.data_groups.policies
    assert Person(made.people.member("sato"), UserState()) == policy.people[UserId("sato")]


def test_what_the_host_said_of_a_service_is_read_too() -> None:
    """A quarantine everywhere holds in every tenant at the next decision."""
    made = world()
    made.hub.host().run(services.quarantine_everywhere(POWER, "breach"))

    assert load(made).policy.registry.everywhere[ServiceId(POWER)].quarantined
    assert ("service.quarantined_everywhere", "grant.missing") == made.explain("sato")


def test_what_the_host_told_of_a_user() -> None:
    """The user's own record comes beside the directory's answer."""
    made = busy()

    assert (
        Person(made.people.member("suzuki"), UserState("suspended", 1))
        == load(made, "suzuki").policy.people[UserId("suzuki")]
    )
    assert Person(None) == load(made, "stranger").policy.people[UserId("stranger")]


def test_a_directory_that_does_not_answer() -> None:
    """Nothing is known of memberships then, and the answer says so; what is stored is known all the same."""
    made = busy()
    made.directory.down = True

    assert (
        Person(None, UserState("suspended", 1), answered=False) == load(made, "suzuki").policy.people[UserId("suzuki")]
    )


def test_a_link_of_the_tenant_asks_for_nobody() -> None:
    """Without a user neither a grant by name nor the directory is asked."""
    made = busy()
    asked = made.directory.asked

    policy = load(made, None).policy

    assert ({}, {}, asked) == (policy.people, policy.grants[ServiceId(POWER)].users, made.directory.asked)


def test_further_records_come_from_the_same_snapshot() -> None:
    """Whatever an operation needs beside is read with the facts."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    reads = made.storage.reads

    found = made.run(_loading(service=POWER, user="sato", more=(tokens.link, LinkId("A" * 22))))

    held = found.answers.get(link_key(ACME, tokens.link))
    assert (tokens.link, None) == (held and held.id, found.answers.get(link_key(ACME, LinkId("A" * 22))))
    assert reads + 1 == made.storage.reads


def test_a_tenant_must_be_open() -> None:
    """Nothing may happen in a tenant that nobody opened, whatever the directory says."""
    made = world()
    other = made.hub.tenant("other")
    operations: list[Operation[object]] = [_loading(service=POWER, user="sato"), _opening(service=POWER)]

    for one in operations:
        with refused("tenant.not_open", tenant="other"):
            other.run(one)


def test_a_service_must_be_registered() -> None:
    """What is done to a service is refused if nobody registered it."""
    made = world()

    assert ("acme", POWER) == made.run(_opening(service=POWER))
    with refused("service.unknown", service="teams"):
        made.run(_opening(service="teams"))


def test_links_come_in_the_order_asked() -> None:
    """Links that are not there any more are left out; without ids nothing is read."""
    made = world()
    made.allow("sato", "ito")
    first, second = made.connect("sato").link, made.connect("ito").link
    reads = made.storage.reads

    assert [second, first] == [one.id for one in made.run(_linking(ids=(second, LinkId("A" * 22), first)))]
    assert () == made.run(_linking(ids=()))
    assert reads + 1 == made.storage.reads


@pytest.mark.parametrize("user", ["sato", "tanaka", "suzuki", "ito", "guest", "kimura", "stranger"])
def test_the_narrowed_policy_decides_as_the_whole_one(user: str) -> None:
    """Law 3: what is left out concerns other people and services alone; the check page and the listing agree."""
    made = busy()

    explained = made.run(access.explain(POWER, user=user, network="not_applicable"))
    listed = {one.member.id: one.why is not None for one in made.run(grants.candidates(POWER)).candidates}

    granted = not {reason.code for reason in explained.reasons} & {"grant.missing", "grant.excluded", "user.unknown"}
    assert listed.get(UserId(user), False) is granted


def test_the_account_page_costs_the_same_in_a_large_tenant() -> None:
    """What is read for one person's page does not grow with the people of the tenant."""
    made = busy()

    def cost() -> int:
        before = made.storage.calls
        made.user("sato").run(links.of("sato"))
        return made.storage.calls - before

    small = cost()
    crowd = [f"user-{number}" for number in range(50)]
    for user in crowd:
        made.people.add_user(user, organizations=["hq"])
    made.run(grants.allow(POWER, users=crowd))

    assert small == cost()


@pytest.mark.parametrize("named", [True, False])
def test_a_client_that_was_removed_is_known(named: bool) -> None:
    """Whether it was named as the client of the question, or its record was asked for beside."""
    made = world()
    profile = ClientProfile(service=POWER, name="Power Automate", redirect_uris=["https://flows.example/back"])
    client = made.run(clients.register(profile)).client.id
    before = made.run(_knowing(client=client, named=named)).policy
    made.run(clients.remove(client))
    after = made.run(_knowing(client=client, named=named)).policy

    assert frozenset() == before.removed_clients
    assert frozenset({client}) == after.removed_clients
