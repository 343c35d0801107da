"""Law 13: any input gives a value or an `ExtlinkError` - at the hub, the keys, and wherever a token is shown.

What a host may hand over by mistake, and what a caller may present on purpose: objects that lie about their class,
raise from every method, are endless, huge, or text that no store can hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import pytest
from hypothesis import given, strategies as st

from extlink import access, links
from extlink.domain.client import Client
from extlink.domain.consent import parse_challenge, parse_redirect_uri
from extlink.domain.link import Lifetimes
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing
from extlink.errors import ExtlinkError, Refused
from extlink.operation import Definition, Operation
from extlink.runtime import ExtLink, Tenant
from tests.schedules.scheduler import copied
from tests.schedules.world import CLIENT, KEYS, PEOPLE, SCOPE, TENANT, hub_over, world


class Raises:
    """Raises from everything that it may be asked."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError

    def __iter__(self) -> Iterator[object]:
        raise RuntimeError

    def __len__(self) -> int:
        raise RuntimeError


class Lies:
    """Says that it is text."""

    __class__ = str  # type: ignore[assignment]


class Text(str):
    """Text that compares, hashes and prints as it likes."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError

    def encode(self, *args: object, **kwargs: object) -> bytes:
        raise RuntimeError

    def split(self, *args: object, **kwargs: object) -> list[Any]:
        raise RuntimeError


class Broken(dict[str, object]):
    def items(self) -> Any:
        raise RuntimeError

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError


def endless() -> Iterator[str]:
    """Yield for ever."""
    while True:
        yield "sato"


class Endless:
    def __iter__(self) -> Iterator[str]:
        return endless()


SPECIAL = [
    None,
    True,
    -1,
    10**5_000,
    1.5,
    float("nan"),
    float("inf"),
    1j,
    b"",
    b"\xff" * 100,
    bytearray(3),
    "",
    " ",
    "\0",
    "\ud800",
    "x" * 300,
    "x" * 100_000,
    "~host",
    "JP",
    "kintone",
    "acme",
    "k1",
    object(),
    type,
    len,
    Raises(),
    Lies(),
    Text("kintone"),
    Text("k1"),
    Broken(k1="x"),
    Endless(),
    [None],
    [Raises()],
    ["kintone", Text("kintone")],
    {"k1": None},
    {"k1": Secret("11" * 32)},
    {1: 2},
    Secret("x"),
    Secret("\ud800"),
    KEYS,
    CLIENT,
    ExceptionGroup("several", [ValueError()]),
]
# Special objects by their place: Hypothesis itself cannot print all of them.
places = st.integers(0, len(SPECIAL) - 1)
plain = st.text(max_size=40) | st.integers() | st.binary(max_size=10) | st.lists(st.text(max_size=3), max_size=3)
Call = Callable[[dict[str, Any]], object]


class Place(NamedTuple):
    """Which special object to hand over."""

    number: int


@cache
def _tenant() -> Tenant:
    return hub_over(copied(world().storage), seed=13).tenant(TENANT)


def _hub() -> ExtLink:
    return hub_over(copied(world().storage), seed=13)


def _run(operation: Operation[object]) -> object:
    return _tenant().acting_as("sato").run(operation)


# Each entry point with the parts that may be anything.
ENTRIES: Mapping[str, tuple[tuple[str, ...], Call]] = {
    "ExtLink": (
        ("storage", "keys", "directory", "clock", "entropy", "lifetimes"),
        lambda given: ExtLink(**given).open_tenant(TENANT, edition="JP", products=["kintone"]),
    ),
    "ExtLink with keys": (
        ("storage", "directory"),
        lambda given: ExtLink(given["storage"], keys=KEYS, directory=given["directory"]),
    ),
    "ExtLink with a clock": (
        ("clock", "entropy", "lifetimes"),
        lambda given: ExtLink(copied(world().storage), keys=KEYS, directory=PEOPLE, **given),
    ),
    "open_tenant": (("tenant", "edition", "products"), lambda given: _hub().open_tenant(**given)),
    "tenant": (("tenant",), lambda given: _hub().tenant(**given)),
    "acting_as": (("user", "roles", "address"), lambda given: _tenant().acting_as(**given)),
    "run": (("operation",), lambda given: _tenant().run(**given)),
    "KeyRing": (("keys", "current"), lambda given: KeyRing(**given)),
    "Secret": (("value",), lambda given: Secret(**given)),
    "Client": (("id", "kind", "pkce"), lambda given: Client(**given)),
    "Lifetimes": (("consent", "code", "access", "retry_public"), lambda given: Lifetimes(**given)),
    "open": (("text",), lambda given: KEYS.open(world().consent.request.link, given["text"])),  # type: ignore[arg-type]
    "open_consent": (("text",), lambda given: KEYS.open_consent(world().consent.request.link, given["text"])),  # type: ignore[arg-type]
    "parse_redirect_uri": (("value",), lambda given: parse_redirect_uri(given["value"])),
    "parse_challenge": (("value",), lambda given: parse_challenge(given["value"], CLIENT)),
    "redeem": (
        ("code", "redirect_uri", "code_verifier", "address"),
        lambda given: _run(links.redeem(**{"client": CLIENT, **given})),
    ),
    "redeem as": (("client",), lambda given: _run(links.redeem(world().code.code, **given))),
    "refresh": (("token", "scopes", "address"), lambda given: _run(links.refresh(**{"client": CLIENT, **given}))),
    "refresh as": (("client",), lambda given: _run(links.refresh(world().tokens.refresh_token, **given))),
    "check": (
        ("token", "scope", "address", "connectors", "resource"),
        lambda given: _run(access.check(**given)),
    ),
    "check of a good token": (
        ("address", "connectors", "resource"),
        lambda given: _run(access.check(world().tokens.access_token, scope=SCOPE, **given)),
    ),
    "accept": (("consent", "scopes", "address", "network"), lambda given: _run(links.accept(**given))),
    "refuse": (("consent",), lambda given: _run(links.refuse(**given))),
    "begin": (
        ("service", "client", "redirect_uri", "scopes", "code_challenge", "resource", "address", "network"),
        lambda given: _run(links.begin(**given)),
    ),
}


class Foreign(AssertionError):
    """An exception that is none of extlink's came out."""


def require_typed(call: Call, given: dict[str, Any]) -> None:
    """Require a value or an `ExtlinkError` whose text can be logged."""
    try:
        call(given)
    except ExtlinkError as error:
        text = str(error)
    except Exception as error:
        raise Foreign(type(error).__name__) from error
    else:
        return
    if not text.isprintable() or len(text) >= 2_000:
        raise Foreign(f"a message that is no line of a log: {ascii(text)[:100]}")


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_part_may_be_anything(entry: str) -> None:
    """Every special object in every place of an entry point, the other places held by the same."""
    names, call = ENTRIES[entry]
    for special in SPECIAL:
        require_typed(call, dict.fromkeys(names, special))


@pytest.mark.parametrize("entry", ENTRIES)
@given(data=st.data())
def test_any_input_gives_a_value_or_an_error_of_ours(entry: str, data: st.DataObject) -> None:
    """Anything, in any combination."""
    names, call = ENTRIES[entry]
    drawn = {name: data.draw(plain | places.map(Place), name) for name in names}

    require_typed(call, {name: SPECIAL[one.number] if isinstance(one, Place) else one for name, one in drawn.items()})


@given(st.lists(st.none() | st.text(max_size=5) | st.integers(), min_size=1, max_size=12))
def test_a_consent_of_another_release_is_unknown(body: list[object]) -> None:
    """What the host's own key signed in another form is refused, and nothing of it is guessed at."""
    token = KEYS.sign_consent(_tenant()._call.tenant, json.dumps(["another", *body]).encode())

    with pytest.raises(Refused, match=r"consent\.unknown"):
        _run(links.accept(token))


@pytest.mark.parametrize("wrong", [object(), None, {}, "slack"], ids=["object", "None", "dict", "text"])
def test_an_operation_of_strange_arguments(wrong: object) -> None:
    """A definition is a class of the library's own: what is no operation is told from one."""
    require_typed(lambda given: _tenant().run(wrong), {})  # type: ignore[arg-type]
    assert isinstance(links.redeem("x", client=CLIENT).definition, Definition)


def _careless(given: dict[str, Any]) -> str:
    value: str = given["value"]
    return value.strip()


def test_a_careless_entry_point_is_caught() -> None:
    """The broken twin: it takes what it is given for text."""
    for special in (None, 1, object()):
        with pytest.raises(Foreign):
            require_typed(_careless, {"value": special})
