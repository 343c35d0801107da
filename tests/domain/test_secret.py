"""Secret: the text that no repr, format, pickle or copy carries."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given, strategies as st

from extlink.domain.secret import Secret
from extlink.errors import InvalidInput

TEXT = "xl_at_canary"


def test_reveal_is_the_one_way_out() -> None:
    """What was put in comes out, by asking for it."""
    assert TEXT == Secret(TEXT).reveal()


SHOWN: dict[str, Callable[[Secret], str]] = {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "format": "{}".format,
    "aligned": "{:>40}".format,
    "aligned repr": "{!r:>40}".format,
    "f-string": lambda secret: f"{secret}",
    "old style": lambda secret: "%s" % secret,  # noqa: UP031 - an old host's log line
    "in a list": lambda secret: repr([secret]),
    "in a dictionary": lambda secret: repr({"token": secret}),
}


@pytest.mark.parametrize("way", SHOWN)
def test_no_text_of_it_shows_it(way: str) -> None:
    """However it is printed, alone or in a collection, it stays hidden."""
    shown = SHOWN[way](Secret(TEXT))

    assert TEXT not in shown
    assert "Secret(***)" in shown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(protocol: int) -> None:
    """No protocol of pickle writes it."""
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(TEXT), protocol)


def test_it_is_not_json() -> None:
    """The standard encoder refuses it."""
    with pytest.raises(TypeError):
        json.dumps(Secret(TEXT))


def test_it_has_no_dictionary_of_its_attributes() -> None:
    """There is nothing for `vars` and its like to print."""
    assert not hasattr(Secret(TEXT), "__dict__")


def test_copies_are_itself() -> None:
    """A copy, deep or not, makes no second place where it lies."""
    secret = Secret(TEXT)

    assert secret is copy.copy(secret)
    assert secret is copy.deepcopy(secret)


@pytest.mark.parametrize("name", ["_value", "other"])
def test_it_cannot_be_changed(name: str) -> None:
    """No attribute is set or deleted."""
    secret = Secret(TEXT)

    with pytest.raises(AttributeError):
        setattr(secret, name, "x")
    with pytest.raises(AttributeError):
        delattr(secret, name)


def test_it_is_no_key_of_a_dictionary() -> None:
    """What is not hashable cannot end up as a key that is printed."""
    with pytest.raises(TypeError):
        hash(Secret(TEXT))


@given(st.text(), st.text())
def test_equal_secrets_are_equal(one: str, other: str) -> None:
    """Two secrets are equal if and only if their texts are, surrogates and all."""
    assert (one == other) == (Secret(one) == Secret(other))


def test_a_secret_is_not_its_text() -> None:
    """Comparing with a plain text is a mistake that shows."""
    assert Secret(TEXT) != TEXT


@pytest.mark.parametrize("value", [None, 1, b"bytes", ["list"], object()])
def test_only_text_is_a_secret(value: object) -> None:
    """Anything else is refused, and not repeated in the message."""
    with pytest.raises(InvalidInput) as caught:
        Secret(cast("str", value))

    assert "secret" == caught.value.field
    assert type(value).__name__ in str(caught.value)
