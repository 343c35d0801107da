"""Operations as values, the check of the actor's roles, and what holds for every one of them (DESIGN 4, TRACE T11)."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator

import attrs
import pytest

from extlink import InMemoryDirectory, access, catalog, facts, grants, ledger, links, services, users
from extlink.domain.decision import Decision, Refusal
from extlink.domain.directory import CandidateQuery
from extlink.domain.event import Event
from extlink.domain.identifier import ServiceId, TenantId, UserId
from extlink.domain.reason import Reason
from extlink.domain.tenant import HOST, ROLES, Actor, Tenant as TenantFacts, UserState
from extlink.errors import InvalidInput, Misconfigured, Refused
from extlink.operation import (
    ADMINISTRATORS,
    Call,
    Commit,
    Draw,
    Lookup,
    Now,
    Operation,
    Peek,
    Read,
    Step,
    Steps,
    ask,
    denied,
    driven,
    drop,
    operation,
    put,
    read,
)
from extlink.records import tenant_key, user_key
from tests.hosts import ACME, ALL_ROLES, SERVICE, Host, dump, refusal
from tests.operations import Stage, arguments, constructors, definition_of, definitions, where

NAMES = sorted(constructors())
GUARDED = [name for name in NAMES if definition_of(name).by]
UNOPENED = "never-opened"

# What an operation answers in a tenant that nobody opened, where it is not `tenant.not_open`.
#   A presented text that is no token of this tenant dies on its MAC, before anything is read (DESIGN 6).
#   A link, or a client, is asked for before the tenant: there is none.
UNREAD = {
    "access.admit": "token.unknown",
    "access.check": "token.unknown",
    "access.check_many": "token.unknown",
    "endpoints.consent": "consent.unknown",
    "endpoints.decline": "consent.unknown",
    "endpoints.exchange": "client.unknown",
    "endpoints.introspect": "client.unknown",
    "endpoints.push": "client.unknown",
    "endpoints.revoke": "client.unknown",
    "links.redeem": "token.unknown",
    "links.refresh": "token.unknown",
    "links.accept": "consent.unknown",
    "links.refuse": "consent.unknown",
    "networks.reset": "network.reset_unknown",
    "triggers.subscribe": "token.unknown",
    "triggers.check_delivery": "link.unknown",
    "services.note_purge": "tenant",
    "services.purges": "tenant",
    "services.quarantine_everywhere": "tenant",
    "services.release_everywhere": "tenant",
    "tenants.check_keys": "tenant",
}


# What is written the second time as well, and why.
AGAIN = {
    "clients.add_secret": "a further secret is another one",
    "clients.register": "two clients of one profile are two clients",
    "endpoints.decline": "as links.refuse",
    "endpoints.exchange": "as links.redeem",
    "links.reconcile": "each run takes the walk further, or begins the next one; how far it came is a record",
    "links.redeem": "a code that is presented twice is a sign of theft: its tokens end",
    "links.refresh": "a repeated answer is recorded (token.refresh_repeated)",
    "links.refuse": "the user said no twice; a refused consent is no record that could tell",
    "services.purge": "the first run begins the walk, the second is its first batch; a finished one writes nothing",
    "tenants.end_links": "whatever may have been made since then ends as well",
    "triggers.subscribe": "two flows may ask for the same trigger",
    "users.suspend": "with `revoke`, whatever may have been made since then ends as well",
}
# What has nothing to do on the stage that the arguments were made for.
IDLE = {
    "access.admit",
    "access.check",
    "access.check_many",
    "endpoints.push",
    "datagroups.remove_policy",
    "grants.include",
    "grants.withdraw",
    "links.resume",
    "links.unpin",
    "networks.accept_proofs",
    "networks.allow_all",
    "services.enable",
    "services.release",
    "services.release_everywhere",
    "services.unregister",
    "users.resume",
}


def answer_of(run: Callable[[], object]) -> str:
    """Return the code of what an operation refuses with, the field of what is invalid, or "" for a yes."""
    try:
        result = run()
    except Refused as refused:
        return refused.reason.code
    except InvalidInput as invalid:
        return invalid.field
    first = result[0] if isinstance(result, tuple) and result else result
    if isinstance(first, Decision | Refusal) and first.reasons:
        return first.reasons[0].code
    return ""


def test_an_operation_is_its_name_and_its_arguments() -> None:
    """Two operations of one name with equal arguments are equal; others are not."""
    assert services.enable("slack") == services.enable("slack")
    assert services.enable("slack") != services.enable("other")
    assert services.enable("slack") != services.disable("slack")


def test_an_operation_prints_as_it_is_written() -> None:
    """The repr is the call that makes it."""
    assert "services.disable(service='slack', existing='suspend')" == repr(services.disable("slack"))


def test_an_operation_is_frozen() -> None:
    """Nobody changes an operation between making and running it."""
    one = services.enable("slack")

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.arguments = {}  # type: ignore[misc]


def test_an_operation_can_be_a_key() -> None:
    """Operations are hashable, and equal ones have equal hashes."""
    assert {services.enable("slack"): 1} == {services.enable("slack"): 1}


def test_arguments_of_a_definition_are_named() -> None:
    """A body takes keyword arguments alone, so that an operation prints and compares by name."""
    definition = definition_of("services.enable")

    with pytest.raises(TypeError, match="takes keyword arguments alone"):
        definition("slack")


def test_every_operation_has_one_public_function() -> None:
    """Definitions and the public functions that make operations are the same set, under the same names."""
    assert set(definitions()) == {definition_of(name).name for name in NAMES}
    assert len(definitions()) == len(NAMES)


def test_the_table_of_arguments_is_complete() -> None:
    """The tests know arguments for every operation, and name every parameter of its signature."""
    known = arguments(Stage.make())

    assert set(NAMES) == set(known)
    assert {name: set(inspect.signature(make).parameters) for name, make in constructors().items()} == {
        name: set(given) for name, given in known.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_names_what_it_is(name: str) -> None:
    """Every public function gives an operation of its own definition, equal each time, with a repr that names it."""
    given = arguments(Stage.make())[name]
    one, other = constructors()[name](**given), constructors()[name](**given)

    assert isinstance(one, Operation)
    assert definition_of(name) is one.definition
    assert one == other
    assert repr(one).startswith(f"{one.name}(")


def test_a_step_is_asked_and_answered() -> None:
    """`ask` yields the step and returns what is sent back."""
    steps = ask(Draw(3))

    assert Draw(3) == next(steps)
    with pytest.raises(StopIteration) as done:
        steps.send(b"abc")
    assert b"abc" == done.value.value


def test_records_are_read_by_key() -> None:
    """`read` asks for all its keys at once, and the answers give each record with its type."""
    tenant, user = tenant_key(ACME), user_key(ACME, UserId("sato"))

    assert Read((tenant, user)) == next(read(tenant, user))


def test_changes_say_what_shall_be() -> None:
    """`put` writes a record and `drop` deletes it."""
    place = user_key(ACME, UserId("sato"))

    assert UserState("suspended", 1) == put(place, UserState("suspended", 1)).value
    assert drop(place).value is None
    assert place == drop(place).key


def test_questions_to_the_directory_name_its_methods() -> None:
    """Each look-up is a method of the port with its arguments."""
    query = CandidateQuery(search="sa")

    assert ("member", (UserId("sato"),)) == (
        Lookup.member(UserId("sato")).method,
        Lookup.member(UserId("sato")).arguments,
    )
    assert ("get", ((UserId("sato"),),), None) == attrs.astuple(Lookup.get((UserId("sato"),)), recurse=False)
    assert ("page", (query, None, 5), None) == attrs.astuple(Lookup.page(query, None, 5), recurse=False)
    assert ("organizations", (), None) == attrs.astuple(Lookup.organizations(), recurse=False)


def written_again(name: str) -> tuple[bool, bool]:
    """Run an operation twice and return whether the first and the second time something was written."""
    stage = Stage.make()
    host, make = stage.host, constructors()[name]
    one = make(**arguments(stage)[name])
    place = stage.where(name)
    dumps = [dump(host.store, (ACME, HOST, "another"))]
    for _ in range(2):
        answer_of(lambda: place.run(one))
        dumps.append(dump(host.store, (ACME, HOST, "another")))
    return dumps[0] != dumps[1], dumps[1] != dumps[2]


def _inner() -> Steps[Commit[tuple[bytes, object]]]:
    salt = yield from ask(Draw(2))
    at = yield from ask(Now())
    return Commit((salt, at))


def test_an_operation_is_carried_out_inside_another() -> None:
    """The outer one answers each step itself, or asks on: what it does not answer reaches whoever runs it."""

    def answer(step: Step[object]) -> Steps[object]:
        if isinstance(step, Draw):
            return bytes(step.size)
        return (yield from ask(step))

    outer = driven(_inner(), answer)

    assert Now() == next(outer)
    with pytest.raises(StopIteration) as done:
        outer.send(5)
    assert Commit((b"\0\0", 5)) == done.value.value


def test_what_the_outer_operation_raises_ends_the_inner_one() -> None:
    """An inner operation never goes on without its answer."""
    closed: list[str] = []

    def inner() -> Steps[Commit[None]]:
        try:
            yield from ask(Now())
        finally:
            closed.append("closed")
        return Commit(None)

    def answer(step: Step[object]) -> Steps[object]:
        if step == Now():
            raise Refused(Reason("directory.unavailable"))
        return (yield from ask(step))

    with pytest.raises(Refused):
        next(driven(inner(), answer))
    assert ["closed"] == closed


def test_a_scan_peeks_at_records_without_guarding_them() -> None:
    """What is peeked at is as it is now, absent ones are None, and a commit after it guards none of it."""
    host = Host.make()
    place, absent = user_key(ACME, UserId("sato")), user_key(ACME, UserId("nobody"))
    host.admin.run(users.suspend("sato", existing="suspend"))

    @operation("tests.peek")
    def scan(_: Call) -> Steps[Commit[tuple[object, ...]]]:
        found = yield from ask(Peek((place, absent)))
        return Commit((found.get(place), found.get(absent)))

    assert (UserState("suspended"), None) == host.admin.run(scan())


def test_another_directory_answers_where_a_question_names_one() -> None:
    """People as they will be are asked of who knows them; without one the host's own directory answers."""
    host = Host.make()
    empty = InMemoryDirectory()

    @operation("tests.lookup")
    def look(_: Call) -> Steps[Commit[tuple[object, object]]]:
        own: Lookup[object] = Lookup("member", (UserId("sato"),))
        today = yield from ask(own)
        return Commit((today, (yield from ask(attrs.evolve(own, directory=empty)))))

    today, then = host.admin.run(look())

    assert today is not None
    assert None is then


@pytest.mark.parametrize("name", NAMES)
def test_repeating_changes_nothing_and_records_nothing(name: str) -> None:
    """Whatever an operation wrote the first time, the second time there is nothing to do; the others are named."""
    _, second = written_again(name)

    assert (name in AGAIN) is second


def test_something_is_written_the_first_time() -> None:
    """The arguments of these tests are no idle ones: most operations that write do so with them."""
    idle = {name for name in NAMES if definition_of(name).records - {"operation.denied"} and not written_again(name)[0]}

    assert IDLE == idle


def test_an_event_that_was_not_announced_is_an_error_of_ours() -> None:
    """An operation that records what its definition does not name is refused before anything is written."""
    host = Host.make()
    before = host.dump()

    @operation("tests.rogue", by=ADMINISTRATORS, records=("user.suspended",))
    def rogue(call: Call) -> Steps[Commit[None]]:
        yield from ask(Now())
        return Commit(None, events=(Event("user.resumed"),))

    with pytest.raises(Misconfigured, match=r"tests.rogue records \['user.resumed'\]"):
        host.admin.run(rogue())
    assert before == host.dump()


@pytest.mark.parametrize("name", GUARDED)
def test_an_actor_without_the_role_is_refused_and_recorded(name: str) -> None:
    """Each role that is not among those of the operation is refused, and one entry says who tried what."""
    stage = Stage.make()
    one = constructors()[name](**arguments(stage)[name])
    place = stage.host.tenant if name == "tenants.open_tenant" else where(stage.host, name)
    others = dump(stage.host.store, {ACME, HOST} - {place.id})
    records, entries = dump(stage.host.store, [place.id])

    for role in sorted(ROLES - one.definition.by):
        actor = place.acting_as("mallory", roles={role}, address="203.0.113.9")
        reason = refusal(actor, one)
        after, (*told, entry) = dump(stage.host.store, [place.id])

        assert (
            Reason("actor.not_permitted", {"operation": one.name, "roles": tuple(sorted(one.definition.by))}) == reason
        )
        assert (records, entries) == (after, tuple(told))
        fields = json.loads(entry or b"")
        assert ("operation.denied", "FAILED", one.name) == (fields["event"], fields["result"], fields["operation"])
        assert {"user": "mallory", "roles": [role], "address": "203.0.113.9"} == fields["actor"]
        assert {"operation": one.name, "roles": sorted(one.definition.by)} == fields["details"]
        entries = (*entries, entry)
    assert others == dump(stage.host.store, {ACME, HOST} - {place.id})


@pytest.mark.parametrize("name", NAMES)
def test_an_actor_with_one_of_the_roles_is_not_refused_for_it(name: str) -> None:
    """One of the roles is enough, whatever else may stand in the way; without any, everybody may ask."""
    for role in sorted(definition_of(name).by or {"user"}):
        stage = Stage.make()
        one = constructors()[name](**arguments(stage)[name])
        actor = where(stage.host, name).acting_as("sato", roles={role})

        assert "actor.not_permitted" != answer_of(lambda one=one, actor=actor: actor.run(one))  # type: ignore[misc]


def test_a_role_is_one_the_library_knows() -> None:
    """A misspelt role would look like a missing one, so the host is told."""
    with pytest.raises(InvalidInput, match="roles: expected some of"):
        Host.make().tenant.acting_as("admin-1", roles={"common_administrater"})


def test_nobody_in_person_holds_no_role() -> None:
    """A tenant for which no actor was stated may ask about tokens, and administer nothing."""
    host = Host.prepared()

    assert "actor.not_permitted" == refusal(host.tenant, services.disable(SERVICE)).code
    assert ("operation.denied", None) == (host.entries()[-1].event, host.entries()[-1].user)
    assert not host.tenant.run(access.check("junk", scope="k:file:read"))


@pytest.mark.parametrize("make", [links.of, lambda user: links.revoke_all(user=user)], ids=["of", "revoke_all"])
def test_what_is_somebody_elses_is_denied_and_recorded(make: Callable[[str], Operation[object]]) -> None:
    """Users may look at and end their own links alone; an attempt on another's is recorded as any other denial."""
    host = Host.prepared()
    before = host.position()

    assert "actor.not_permitted" == refusal(host.user("sato"), make("suzuki")).code
    assert [("operation.denied", "sato")] == [(entry.event, entry.user) for entry in host.entries(before)]


def test_users_may_ask_for_what_is_theirs() -> None:
    """The same operations, asked by the person they are about, are not denied."""
    host = Host.prepared()
    host.user("suzuki").run(links.of("suzuki"))
    host.user("suzuki").run(links.revoke_all(user="suzuki"))

    assert "operation.denied" not in host.events()


def test_a_denial_on_the_host_itself_is_recorded_there() -> None:
    """The host has a ledger of its own, although nobody opens it."""
    host = Host.make()
    refusal(host.root.acting_as("mallory"), services.quarantine_everywhere("slack", "why not"))
    last = host.root.run(ledger.entries()).entries[-1]

    assert ("operation.denied", "mallory") == (last.event, last.user)


def denials_in_the_unopened(make: Callable[[], Operation[object]], roles: frozenset[str]) -> tuple[str, bool]:
    """Return what an operation answers in a tenant that nobody opened, and whether the store holds anything of it."""
    host = Host.make()
    actor = host.hub.tenant(UNOPENED).acting_as("sato", roles=roles)
    answer = answer_of(lambda: actor.run(make()))
    return answer, dump(host.store, [UNOPENED]) != ({}, ())


@pytest.mark.parametrize("roles", [ALL_ROLES, frozenset[str]()], ids=["every role", "no role"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_happens_in_a_tenant_that_nobody_opened(name: str, roles: frozenset[str]) -> None:
    """Every operation is refused there, and nothing is written: no record, no entry, not even a denial."""
    if name == "tenants.open_tenant" and roles:
        return
    given = arguments(Stage.make())[name]
    expected = UNREAD.get(name, "tenant.not_open")
    if definition_of(name).by and not roles:
        expected = "tenant.not_open"

    assert (expected, False) == denials_in_the_unopened(lambda: constructors()[name](**given), roles)


def test_a_denial_that_does_not_look_is_found() -> None:
    """The broken twin: a denial written without asking whether the tenant is open leaves an entry behind."""

    @operation("tests.hasty", records=("operation.denied",))
    def hasty(call: Call) -> Steps[Commit[None]]:
        yield from ()
        reason = Reason("actor.not_permitted", {"operation": "tests.hasty", "roles": ()})
        return Commit(None, events=(Event("operation.denied"),), error=Refused(reason))

    assert ("actor.not_permitted", True) == denials_in_the_unopened(hasty, frozenset())


def test_a_denial_names_the_tenant_that_is_not_open() -> None:
    """The reason says which tenant is to be opened."""
    reason = refusal(Host.make().hub.tenant(UNOPENED).acting_as("x"), users.delete("sato"))

    assert Reason("tenant.not_open", {"tenant": UNOPENED}) == reason


def test_a_denial_reads_one_record() -> None:
    """Whether the tenant is open is all that a denial asks; on the host itself it asks nothing."""
    call = Call(ACME, Actor())
    steps = denied(call, "tests.any", ADMINISTRATORS)

    assert Read((tenant_key(ACME),)) == next(steps)
    assert [] == list(_asked(denied(Call(HOST, Actor()), "tests.any", ADMINISTRATORS)))


def _asked(steps: Steps[object]) -> Iterator[object]:
    yield from steps


def test_what_belongs_to_the_tenant_is_judged_without_a_user() -> None:
    """A link that the tenant owns asks no directory; the policy it is judged by names nobody."""
    host = Host.prepared()

    @operation("tests.tenant_link", by=ADMINISTRATORS)
    def asked(call: Call) -> Steps[Commit[facts.Facts]]:
        return Commit((yield from facts.load(call, ServiceId(SERVICE), None)))

    policy = host.admin.run(asked()).policy
    assert {} == dict(policy.people)
    assert policy.registry.is_usable(ServiceId(SERVICE))


def test_a_second_administrator_sees_what_the_first_did() -> None:
    """An operation holds at the next one, in every process."""
    host = Host.make()
    host.admin.run(services.register(catalog.SLACK))
    other = host.other_process().acting_as("admin-2", roles={"common_administrator"})

    assert ["slack"] == [one.service.id for one in other.run(services.registered())]
    assert 0 == other.run(grants.show("slack")).version


def test_facts_of_a_tenant_are_what_was_opened() -> None:
    """What an operation gives back of the tenant is its edition and its products."""
    host = Host.make(edition="CN", products=["garoon"])

    assert TenantFacts(id=TenantId("acme"), edition="CN", products=frozenset({"garoon"})) == host.admin.run(
        services.set_default("deny")
    )
