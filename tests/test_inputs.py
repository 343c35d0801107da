"""Any object for any argument gives a value or an `ExtlinkError`, and a refused operation changes nothing (law 13)."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st

import extlink
from extlink import (
    Client,
    DataGroupPolicy,
    DataPolicy,
    IPRestriction,
    KeyRing,
    Lifetimes,
    Reason,
    Remedy,
    Secret,
    Service,
)
from extlink.domain.address import AddressRange, parse_address, parse_range
from extlink.domain.consent import Consent
from extlink.domain.localized import LocalizedText
from extlink.domain.network import Row
from extlink.domain.tenant import Actor
from extlink.errors import ExtlinkError, InvalidInput, Refused
from extlink.inputs import address_text, exactly, flag, one_of, shown, text, whole
from extlink.operation import Call, Commit, Operation, Steps, ask, operation, read
from extlink.records import tenant_key
from extlink.runtime import ExtLink
from tests.hosts import ALL_ROLES, Host
from tests.operations import Stage, arguments, constructors, modules, where
from tests.strange import ANYTHING, MAKERS, Liar, TrapError, TrappedText

NAMES = sorted(constructors())
# The arguments that decide what an operation does; the others are as in the table.
Given = Mapping[str, object]


@pytest.fixture(scope="module")
def stage() -> Stage:
    """Return a host in the middle of its life; whatever an example does to it, the next one must hold as well."""
    return Stage.make()


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
    assert message.isprintable()
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
def test_any_object_for_any_argument_is_a_value_or_an_error_of_ours(name: str, stage: Stage) -> None:
    """For every operation: any object for some of its arguments, run as an administrator."""
    make, good = constructors()[name], arguments(stage)[name]

    @settings(deadline=None)
    @given(st.data())
    def hold(data: st.DataObject) -> None:
        spoilt = data.draw(st.sets(st.sampled_from(sorted(good)), min_size=1)) if good else set[str]()
        strange = {field: data.draw(ANYTHING) for field in sorted(spoilt)}
        attempted(stage.host, name, lambda: make(**{**good, **strange}))

    hold()


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_every_strange_value_for_every_single_argument(kind: str, stage: Stage) -> None:
    """The same, exhaustively: each of the strange values in each place, the other arguments being good."""
    every = arguments(stage)
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
    """The broken twin: an operation that records something and then is refused."""
    host = Host.make()

    @operation("tests.leaky", records=("operation.denied",))
    def leaky(call: Call) -> Steps[Commit[None]]:
        yield from read(tenant_key(call.tenant))
        event = extlink_event()
        return Commit(None, events=(event,), error=Refused(Reason("tenant.not_open", {"tenant": "t"})))

    with pytest.raises(AssertionError):
        attempted(host, "services.registered", leaky)
