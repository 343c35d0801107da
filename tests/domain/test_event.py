"""Events and the bytes of a ledger entry: one form for one content (DESIGN 7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink.domain.event import VOCABULARY, Detail, Event, canonical, encode
from extlink.domain.identifier import TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.tenant import Actor
from extlink.errors import InvalidInput

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
DETAILS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def entry(
    details: Mapping[str, Detail] | None = None, actor: Actor | None = None, name: str = "service.enabled"
) -> Mapping[str, Any]:
    """Return the fields of an entry, from its bytes."""
    body = canonical(
        Event(name, details or {}),
        tenant=TenantId("acme"),
        actor=actor or Actor(UserId("sato"), frozenset({"user", "host"}), "203.0.113.7"),
        operation="services.enable",
        at=Instant(9),
        images=(('["s","slack"]', {"state": "enabled"}),),
    )
    fields: Mapping[str, Any] = json.loads(body)
    return fields


def test_an_entry_holds_who_did_what_when_and_what_came_of_it() -> None:
    """All fields, and no number: the store gives that."""
    assert entry({"service": "slack"}) == {
        "format": 1,
        "tenant": "acme",
        "at": 9,
        "event": "service.enabled",
        "level": "important",
        "module": "System Administration",
        "action": "enable integration",
        "result": "SUCCESS",
        "operation": "services.enable",
        "actor": {"user": "sato", "roles": ["host", "user"], "address": "203.0.113.7"},
        "details": {"service": "slack"},
        "records": [['["s","slack"]', {"state": "enabled"}]],
    }


@pytest.mark.parametrize("name", sorted(VOCABULARY))
def test_an_entry_shows_what_the_vocabulary_says(name: str) -> None:
    """Level, module, action and result are those of the event's name."""
    fields = entry(name=name)

    assert VOCABULARY[name] == Event(name).kind
    assert VOCABULARY[name] == (fields["level"], fields["module"], fields["action"], fields["result"])


@pytest.mark.parametrize("name", ["", "service.enable", "SERVICE.ENABLED", "made.up" * 50])
def test_an_event_is_a_name_of_the_vocabulary(name: str) -> None:
    """A misspelt one is an error where it is made; the message shows at most 64 characters of it."""
    with pytest.raises(InvalidInput, match="event: expected a name of the vocabulary, got") as caught:
        Event(name)

    assert len(str(caught.value)) < 120


def test_the_system_itself_is_an_actor_without_a_name() -> None:
    """Nobody, no roles, no address."""
    assert {"user": None, "roles": [], "address": None} == entry(actor=Actor())["actor"]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("nowhere\n", "nowhere\n"),
        ("\ud800", "\\ud800"),
        ("ホスト", "\\u30db\\u30b9\\u30c8"),
        ("x" * 10_000, "x" * 64),
    ],
    ids=["address", "text", "half a letter", "letters", "long"],
)
def test_any_address_of_an_actor_can_be_told(address: str, told: str) -> None:
    """What the host stated is told as short ASCII, so that no address breaks an entry or fills the ledger."""
    assert told == entry(actor=Actor(address=address))["actor"]["address"]


@given(st.dictionaries(TEXT, DETAILS, max_size=3))
def test_one_content_has_one_form(details: Mapping[str, Detail]) -> None:
    """The order in which details were named does not show, nor whether they are frozen."""
    turned = MappingProxyType(dict(reversed(list(details.items()))))
    data = encode(details)

    assert data == encode(turned)
    assert data == encode(json.loads(data))


@given(DETAILS)
def test_the_form_is_plain_json_in_utf8(value: object) -> None:
    """Sorted keys, no blanks between parts, nothing escaped that need not be."""
    data = encode(value)

    assert data == json.dumps(json.loads(data), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def test_letters_stay_letters() -> None:
    """A person who reads the export reads the names."""
    assert '{"user":"佐藤"}'.encode() == encode({"user": "佐藤"})


@pytest.mark.parametrize("value", [b"x", {1, 2}, object(), 1j], ids=["bytes", "set", "object", "number"])
def test_only_plain_data_is_told(value: object) -> None:
    """Bytes would be digests, sets have no order: an operation that records them is an error of ours."""
    with pytest.raises(TypeError, match="expected plain data in a ledger entry, got"):
        encode({"detail": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=str)
def test_what_json_cannot_write_is_not_told(value: float) -> None:
    """No entry that only some readers take."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"detail": value})


def test_the_vocabulary_cannot_be_changed() -> None:
    """It is one table, read by all."""
    with pytest.raises(TypeError):
        VOCABULARY["made.up"] = VOCABULARY["service.enabled"]  # type: ignore[index]


def test_details_are_none_unless_named() -> None:
    """An event may be its name alone."""
    assert {} == dict(Event("service.enabled").details)
    assert Event("service.enabled") == Event("service.enabled", {})
