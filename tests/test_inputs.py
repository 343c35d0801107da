"""Any object for any argument gives a value or an `ExtlinkError`, and a refused operation changes nothing (law 13)."""

from __future__ import annotations

import inspect
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import extlink
from extlink import services, users
from extlink.adapters.memory import MemoryStorage
from extlink.domain.address import parse_range
from extlink.domain.client import Client
from extlink.domain.connector_rules import (
    ActionRules,
    CustomConnector,
    Endpoint,
    EndpointRule,
    EndpointRules,
    HostPattern,
)
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.event import Event
from extlink.domain.flow import Flow
from extlink.domain.link import Lifetimes
from extlink.domain.localized import LocalizedText
from extlink.domain.network import IPRestriction, Row
from extlink.domain.reason import Reason, Remedy
from extlink.domain.secret import Secret
from extlink.domain.service import AVAILABLE, Service
from extlink.domain.token import KeyRing
from extlink.errors import ExtlinkError, InvalidInput, Refused
from extlink.inputs import address_text, exactly, flag, one_of, shown, text, whole
from extlink.operation import Call, Commit, Operation, Steps, operation, read
from extlink.records import tenant_key
from extlink.runtime import ExtLink, Tenant
from tests.fakes import CountingEntropy, FrozenClock
from tests.hosts import ALL_ROLES, Host, people
from tests.operations import Stage, arguments, constructors, modules, where
from tests.strange import ANYTHING, MAKERS, Liar, Recipe, TrapError, TrappedText

NAMES = sorted(constructors())
# The arguments that decide what an operation does; the others are as in the table.
Given = Mapping[str, object]


@pytest.fixture(scope="module")
def every() -> Mapping[str, Given]:
    """Return good arguments for every operation."""
    return arguments(Stage.make())


def answer(make: Callable[[], object]) -> object:
    """Return what a call gives, or the `ExtlinkError` it raises; anything else fails the test."""
    try:
        return make()
    except ExtlinkError as error:
        return error


def told(error: ExtlinkError) -> str:
    """Return an error's message after looking at its grammar: one short sentence, no final period, safe to print."""
    message = str(error)
    assert len(message) < 2_000
    assert not {unicodedata.category(letter) for letter in message} & {"Cc", "Cs", "Zl", "Zp"}
    if isinstance(error, InvalidInput):
        assert not message.endswith(".")
        assert message.startswith(f"{error.field}: ")
        assert message.isascii()
    return message


def attempted(host: Host, name: str, make: Callable[[], Operation[object]]) -> object:
    """Make an operation and run it with every role; return its result or error: an error has changed nothing."""
    made = answer(make)
    if isinstance(made, ExtlinkError):
        told(made)
        return made
    assert isinstance(made, Operation)
    before = host.dump()
    result = answer(lambda: where(host, name).acting_as("sato", roles=ALL_ROLES).run(made))
    if isinstance(result, ExtlinkError):
        told(result)
        assert before == host.dump()
    return result


@pytest.mark.parametrize("name", NAMES)
def test_any_object_for_any_argument_is_a_value_or_an_error_of_ours(name: str) -> None:
    """For every operation: any object for some of its arguments, run as an administrator."""
    stage = Stage.make()
    make, good = constructors()[name], arguments(stage)[name]

    @settings(deadline=None)
    @given(st.data())
    def hold(data: st.DataObject) -> None:
        spoilt = data.draw(st.sets(st.sampled_from(sorted(good)), min_size=1)) if good else set[str]()
        recipes = {field: data.draw(ANYTHING) for field in sorted(spoilt)}
        strange = {field: recipe.make() for field, recipe in recipes.items()}
        attempted(stage.host, name, lambda: make(**{**good, **strange}))

    hold()


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_every_strange_value_for_every_single_argument(kind: str, every: Mapping[str, Given]) -> None:
    """The same, exhaustively: each of the strange values in each place, the other arguments being good."""
    for name, make in constructors().items():
        for field in every[name]:
            strange = {**every[name], field: MAKERS[kind]()}
            made = answer(lambda make=make, strange=strange: make(**strange))  # type: ignore[misc]
            if isinstance(made, ExtlinkError):
                told(made)


def test_a_trap_is_found() -> None:
    """The broken twin: a function that asks the value itself lets its exception through."""

    def careless(value: str) -> str:
        if not isinstance(value, str):
            raise InvalidInput("value", f"expected text, got {value!r}")
        return value.strip()

    for kind in ("faceless", "liar str", "trapped", "trapped text"):
        with pytest.raises((TrapError, AttributeError)):
            answer(lambda kind=kind: careless(MAKERS[kind]()))  # type: ignore[arg-type,misc]


def test_a_refusal_that_writes_is_found() -> None:
    """The broken twin: an operation that records something and is refused all the same."""

    @operation("tests.leaky", records=("user.resumed",))
    def leaky(call: Call) -> Steps[Commit[None]]:
        yield from read(tenant_key(call.tenant))
        reason = Reason("user.deleted", {"user": "sato"})
        return Commit(None, events=(Event("user.resumed", {"user": "sato"}),), error=Refused(reason))

    with pytest.raises(AssertionError):
        attempted(Host.make(), "services.registered", leaky)


TEXT = LocalizedText.same("own")
# What hosts build: each class with arguments that it accepts, every one of its parameters named.
VALUES: Mapping[type[object], Given] = {
    Client: {"id": "c1", "kind": "confidential", "pkce": "required"},
    DataGroupPolicy: {"policies": [DataPolicy(id="standard")], "unblockable": ["shared_approvals"]},
    DataPolicy: {
        "id": "standard",
        "name": "Standard",
        "business": ["a"],
        "non_business": ["b"],
        "blocked": ["c"],
        "default": "blocked",
        "scope": "only",
        "environments": ["dev"],
        "exempt": ["flow-1"],
        "level": "tenant",
        "hosts": [("https://*.example.com", "blocked"), ("*", "ignore")],
        "actions": [ActionRules(connector="a", rules={"Delete": "deny"})],
        "endpoints": [EndpointRules(connector="a", rules=[("*", "deny")])],
        "source": "",
        "as_of": "2020-06-09",
    },
    ActionRules: {"connector": "a", "default": "deny", "rules": {"Read": "allow"}},
    CustomConnector: {"id": "orders", "host": "https://api.example.com"},
    Endpoint: {"text": "https://api.example.com/orders", "kind": "literal"},
    EndpointRule: {"pattern": "*", "behaviour": "deny"},
    EndpointRules: {"connector": "a", "rules": [("server,*", "allow"), ("*", "deny")]},
    Flow: {
        "connectors": ["a", CustomConnector("orders", "https://api.example.com")],
        "actions": {"a": ["Read"]},
        "endpoints": {"a": ["server,db"]},
        "children": [Flow(["b"], kind="desktop")],
        "environment": "dev",
        "id": "flow-1",
        "kind": "cloud",
    },
    HostPattern: {"pattern": "*", "group": "ignore"},
    IPRestriction: {
        "mode": "allow_some",
        "rows": [Row(range=parse_range("192.0.2.0/24"))],
        "proofs": ["basic", "client_certificate"],
    },
    KeyRing: {"keys": {"k1": Secret("00" * 32)}, "current": "k1"},
    Lifetimes: {
        "consent": 1,
        "code": 1,
        "access": 1,
        "refresh_idle": 1,
        "refresh_absolute": 1,
        "retry_confirmed": 0,
        "retry_public": 0,
    },
    LocalizedText: {"ja": "x", "en": "x", "zh": "x"},
    Reason: {"code": "grant.missing", "params": {"service": "slack", "user": "sato"}},
    Remedy: {"code": "grant.missing", "params": {}, "action": None, "links": {"JP": "https://example.com/"}},
    Row: {"range": parse_range("192.0.2.0/24"), "memo": "", "source": "", "version": "", "published": None},
    Secret: {"value": "xl_at_example"},
    Service: {
        "id": "own",
        "names": TEXT,
        "descriptions": TEXT,
        "directions": ["inbound"],
        "scopes": [],
        "connector": None,
        "products": [],
        "editions": ["JP"],
        "availability": AVAILABLE,
        "links": [],
        "steps": [],
        "requirements": [],
        "triggers": [],
        "oauth": None,
    },
}
# The other public names, and why nobody hands strange things to them.
ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(["AsyncExtLink", "ExtLink"], "the hubs: below"),
    **dict.fromkeys(
        ["AsyncInMemoryDirectory", "InMemoryDirectory", "MemoryStorage", "SQLiteStorage"], "adapters: their own tests"
    ),
    **dict.fromkeys(["ThreadedDirectory", "ThreadedStorage"], "adapters: their own tests"),
    **dict.fromkeys(["AsyncPostgresStorage", "PostgresStorage"], "adapters: their own tests"),
    **dict.fromkeys(["Decision", "Refusal", "TokenSet"], "answers: made by the library"),
    **dict.fromkeys(["ServiceRegistry", "TokenLedger", "UserGrantPolicy"], "compiled from records by the library"),
    "ExtlinkError": "the errors: made by the library",
}
# Methods of the values above that only the token rules call, with values of their own.
OWN = frozenset({"client_digest", "digest", "mint", "once", "sign_consent", "sign_reset", "succeed", "knows"})


def test_every_public_name_is_looked_at() -> None:
    """A new public class is tried here, or says where it is."""
    tried = {kind.__name__ for kind in VALUES}

    assert set(extlink.__all__) == (tried & set(extlink.__all__)) | ELSEWHERE.keys()
    assert set() == tried & ELSEWHERE.keys()


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_the_table_of_values_is_complete(kind: type[object]) -> None:
    """Every parameter of a constructor is named, and the values are accepted."""
    assert VALUES[kind].keys() == inspect.signature(kind).parameters.keys()
    assert isinstance(kind(**VALUES[kind]), kind)


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_any_object_makes_a_value_or_an_error_of_ours(kind: type[object]) -> None:
    """For everything that hosts build: any object for some of its fields; what is built can be printed and compared."""
    good = VALUES[kind]

    @settings(deadline=None)
    @given(st.data())
    def hold(data: st.DataObject) -> None:
        spoilt = data.draw(st.sets(st.sampled_from(sorted(good)), min_size=1))
        recipes = {field: data.draw(ANYTHING) for field in sorted(spoilt)}
        strange = {field: recipe.make() for field, recipe in recipes.items()}
        answer(lambda: kind(**{**good, **strange}))

    hold()


def uses() -> Iterator[tuple[str, Callable[..., object], list[inspect.Parameter], int]]:
    """Yield every public method of the values, with one parameter after the other to be spoilt."""
    for kind, good in VALUES.items():
        value = kind(**good)
        for name, method in inspect.getmembers(value, callable):
            if not name.startswith("_") and name not in OWN:
                parameters = list(inspect.signature(method).parameters.values())
                for place in range(len(parameters)):
                    yield f"{kind.__name__}.{name}-{parameters[place].name}", method, parameters, place


@pytest.mark.parametrize(("method", "parameters", "place"), [pytest.param(*use, id=name) for name, *use in uses()])
def test_any_object_handed_to_a_method_is_a_value_or_an_error_of_ours(
    method: Callable[..., object], parameters: list[inspect.Parameter], place: int
) -> None:
    """For every method of what hosts build: each strange value for each parameter."""
    for make in MAKERS.values():
        given = {one.name: "x" if one.default is inspect.Parameter.empty else one.default for one in parameters}
        strange = {**given, parameters[place].name: make()}
        answer(lambda strange=strange: method(**strange))  # type: ignore[misc]


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_any_object_is_answered_by_the_hub(kind: str) -> None:
    """Opening and naming tenants, stating an actor, running: a value or an error of ours."""
    host, make = Host.make(), MAKERS[kind]
    hub: Any = host.hub
    before = host.dump()
    calls: tuple[Callable[[], object], ...] = (
        lambda: hub.open_tenant(make(), edition="JP", products=["kintone"]),
        lambda: hub.open_tenant("new", edition=make(), products=["kintone"]),
        lambda: hub.open_tenant("new", edition="JP", products=make()),
        lambda: hub.tenant(make()).run(services.registered()),
        lambda: hub.tenant("acme").acting_as(make()),
        lambda: hub.tenant("acme").acting_as("sato", roles=make()),
        lambda: hub.tenant("acme").run(make()),
        lambda: hub.host().run(make()),
    )
    for call in calls[1:]:
        result = answer(call)
        if isinstance(result, ExtlinkError):
            told(result)
    if kind != "empty list":  # no products at all is a tenant as well
        assert before == host.dump()
    answer(calls[0])


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_any_address_of_an_actor_can_be_recorded(kind: str) -> None:
    """Whatever the host states of where somebody sits, an operation is run and its entry written, or neither."""
    host = Host.make()
    admin = answer(
        lambda: host.tenant.acting_as("admin-1", roles={"common_administrator"}, address=MAKERS[kind]())  # type: ignore[arg-type]
    )
    if isinstance(admin, ExtlinkError):
        told(admin)
        return
    assert isinstance(admin, Tenant)
    admin.run(users.suspend("sato"))
    assert "user.suspended" == host.entries()[-1].event


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_any_object_plugged_in_is_an_error_of_ours(kind: str) -> None:
    """A store, a directory, keys, a clock, randomness or lifetimes that are none do not become another exception."""
    good: dict[str, Any] = {
        "storage": MemoryStorage(),
        "keys": KeyRing({"k1": Secret("00" * 32)}, current="k1"),
        "directory": people(),
        "clock": FrozenClock(),
        "entropy": CountingEntropy(),
        "lifetimes": Lifetimes(),
    }
    for part in good:
        plugged = {**good, part: MAKERS[kind]()}
        answer(lambda plugged=plugged: _started(plugged))  # type: ignore[misc]


def _started(parts: dict[str, Any]) -> object:
    hub = ExtLink(parts.pop("storage"), **parts)
    tenant = hub.open_tenant("acme", edition="JP", products=["kintone"])
    return tenant.acting_as("admin-1", roles={"common_administrator"}).run(services.registered())


# T13: nobody enters a login name or a password.
FORBIDDEN = re.compile(r"log_?in|logon|pass_?(?:word|wd|phrase|code)|\bpwd\b|\bpin\b", re.IGNORECASE)
# What is a name of a person in the host's own directory, to be searched by administrators (TRACE T7). Nobody enters it
# in a service, and no operation takes it.
NAMES_OF_PEOPLE = frozenset(
    {("domain.directory", "Member", "login_name"), ("adapters.directory", "UserDetails", "login_name")}
)


def asked_for(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield everything that the public names of a module ask for: parameters and fields, by name."""
    for name in getattr(module, "__all__", ()):
        thing = getattr(module, name)
        if inspect.isfunction(thing):
            yield from ((name, parameter) for parameter in inspect.signature(thing).parameters)
        if inspect.isclass(thing):
            yield from ((name, field) for field in getattr(thing, "__annotations__", {}))
            for method in vars(thing).values():
                if inspect.isfunction(method):
                    yield from ((name, parameter) for parameter in inspect.signature(method).parameters)


def credentials(every: Mapping[str, Iterator[tuple[str, str]]]) -> set[tuple[str, str, str]]:
    """Return what asks for a login name or a password: module, name, parameter."""
    return {(module, *asked) for module, found in every.items() for asked in found if FORBIDDEN.search(asked[1])}


def test_nothing_takes_a_login_name_or_a_password() -> None:
    """OAuth is used, so that no login name and no password of the host is entered in a service (page A; TRACE T13)."""
    every = {module.__name__.removeprefix("extlink."): asked_for(module) for module in modules()}
    found = credentials(every)

    assert set() == {one for one in found if one[1:] not in {allowed[1:] for allowed in NAMES_OF_PEOPLE}}
    assert ("domain.directory", "Member", "login_name") in found


# How a module asks a form or a query for one of its fields.
FIELD_OF_A_FORM = re.compile(r"""\.(?:one|need|many)\(\s*["']([^"']+)["']""")


def fields_of_forms(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the names of the fields that each module reads from a form or a query."""
    found = {module: set(FIELD_OF_A_FORM.findall(text)) for module, text in sources.items()}
    return {module: fields for module, fields in found.items() if fields}


def test_no_form_has_a_field_for_a_login_name_or_a_password() -> None:
    """What the endpoints read is of OAuth; `username` and `password` of its oldest grant are not even looked at."""
    found = fields_of_forms({module.__name__: inspect.getsource(module) for module in modules()})
    every = frozenset[str]().union(*found.values())

    assert {"code", "client_secret", "refresh_token", "consent", "answer"} <= every
    assert set() == {field for field in every if FORBIDDEN.search(field) or field == "username"}
    assert {"oauth.token": {"password"}} == fields_of_forms({"oauth.token": 'form.need("password")'})


@pytest.mark.parametrize("name", ["password", "login_name", "loginName", "user_password", "passphrase", "pin", "pwd"])
def test_a_password_is_found(name: str) -> None:
    """The broken twins: a public function that asks for a secret of a person."""
    assert {("tests", "connect", name)} == credentials({"tests": iter([("connect", "user"), ("connect", name)])})


def test_words_that_only_sound_alike_are_none() -> None:
    """A range of addresses is no password, and compiling is no pin."""
    innocent = ["user", "address", "scope", "compass", "passed", "mapping", "redirect_uri", "token"]

    assert set() == credentials({"tests": iter(("connect", name) for name in innocent)})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("suspend", "'suspend'"),
        ("佐藤", ascii("佐藤")),
        ("x" * 100, "'" + "x" * 63),
        ("\ud800", r"'\ud800'"),
        (None, "None"),
        (True, "True"),
        (-7, "-7"),
        (2**70, "int"),
        (1.5, "float"),
        (b"x", "bytes"),
        ([], "list"),
        (Liar(str), "Liar"),
        (TrappedText("x"), "'x'"),
    ],
    ids=[
        "text",
        "letters",
        "long",
        "half",
        "none",
        "yes",
        "number",
        "huge",
        "fraction",
        "bytes",
        "list",
        "liar",
        "trap",
    ],
)
def test_a_message_shows_a_value_in_short_ascii(value: object, expected: str) -> None:
    """Texts and small numbers as they are, of anything else the type; at most 64 characters."""
    assert expected == shown(value)


@given(ANYTHING)
def test_checks_of_what_hosts_hand_over_give_plain_values(recipe: Recipe) -> None:
    """Each check gives back a plain value of its type, or says which field is wrong."""
    value = recipe.make()
    for check, kinds in (
        (lambda: one_of(value, ("suspend", "revoke"), "field"), (str,)),
        (lambda: text(value, "field", 10), (str,)),
        (lambda: whole(value, "field", 0, 10), (int,)),
        (lambda: flag(value, "field"), (bool,)),
        (lambda: exactly(value, frozenset, "field"), (frozenset,)),
        (lambda: address_text(value), (str, type(None))),
    ):
        found = answer(check)
        if isinstance(found, InvalidInput):
            assert found.field in {"field", "address"}
            told(found)
        else:
            assert type(found) in kinds


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: one_of("x", ("a", "b"), "f"), "f: expected one of a, b, got 'x'"),
        (lambda: one_of([], ("a", "b"), "f"), "f: expected one of a, b, got list"),
        (lambda: text(7, "f", 3), "f: expected text, got int"),
        (lambda: text("abcd", "f", 3), "f: expected at most 3 characters, got 4"),
        (lambda: text("\udc00", "f", 3), r"f: expected text in Unicode, got '\udc00' with a lone surrogate"),
        (lambda: whole(True, "f", 0, 9), "f: expected a whole number from 0 to 9, got True"),
        (lambda: whole(10, "f", 0, 9), "f: expected a whole number from 0 to 9, got 10"),
        (lambda: whole(-1, "f", 0, 9), "f: expected a whole number from 0 to 9, got -1"),
        (lambda: whole("1", "f", 0, 9), "f: expected a whole number from 0 to 9, got '1'"),
        (lambda: flag(1, "f"), "f: expected True or False, got int"),
        (lambda: exactly({}, frozenset, "f"), "f: expected a frozenset, got dict"),
        (lambda: address_text(7), "address: expected the caller's address as text, got int"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_check_says_what_was_expected(check: Callable[[], object], message: str) -> None:
    """The message names the field, what was expected and what was given."""
    with pytest.raises(InvalidInput) as caught:
        check()

    assert message == str(caught.value)


def test_checks_let_pass_what_is_right() -> None:
    """Plain values of the right kind come back as they are, also at the bounds."""
    assert ("revoke", "abc", 0, 9, False, None, "x") == (
        one_of("revoke", ("suspend", "revoke"), "f"),
        text("abc", "f", 3),
        whole(0, "f", 0, 9),
        whole(9, "f", 0, 9),
        flag(False, "f"),
        address_text(None),
        address_text("x"),
    )
