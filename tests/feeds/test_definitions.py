"""What all readers of definitions share: labels, directions, and which fields are credentials."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink.domain.identifier import Scope
from extlink.domain.localized import LocalizedText
from extlink.domain.service import ScopeDefinition, Service, Trigger
from extlink.errors import InvalidInput
from extlink.feeds import ScopeLabels, Unused, scope_definitions, with_scopes
from extlink.feeds.definitions import data_direction, is_credential
from tests.feeds.definition_files import outcome

NAME = LocalizedText.same("Chat")
LABELS = ScopeLabels(source="a", texts={"chat:write": {"en": "Send messages"}}, set_aside=())
OTHER = ScopeLabels(source="b", texts={"chat:write": {"en": "Other"}, "users:read": {"ja": "読む"}}, set_aside=())


@pytest.mark.parametrize(
    ("scope", "inbound", "outbound"),
    [
        ("k:app_record:read", "read", "write"),
        ("k:app_record:write", "write", "read"),
        ("Mail.ReadWrite", "read", "read"),
        ("Mail.Read", "read", "write"),
        ("Mail.Send", "write", "read"),
        ("https://www.googleapis.com/auth/drive.readonly", "read", "write"),
        ("channels:history", "read", "write"),
        ("Directory.Read.All", "read", "write"),
        ("messages.ALL", "read", "read"),
        ("identify", "read", "read"),
        ("READ", "read", "write"),
        ("bread", "read", "read"),
        ("*", "read", "read"),
    ],
)
def test_where_a_name_does_not_tell_the_hosts_data_may_leave(scope: str, inbound: str, outbound: str) -> None:
    """`write` only where the name says that data flows to the host, and nothing else."""
    assert (inbound, outbound) == (data_direction(scope, "inbound"), data_direction(scope, "outbound"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clientId", True),
        ("CLIENT_ID", True),
        ("clientSecret", True),
        ("uS_clientSecret", True),
        ("AppUserSecret", True),
        ("consumer_key", True),
        ("key", True),
        ("password", True),
        ("refreshToken", True),
        ("tokenUrl", False),
        ("tenantId", False),
        ("scopes", False),
        ("", False),
    ],
)
def test_a_credential_is_known_by_its_name(name: str, expected: bool) -> None:
    """Ids and secrets of clients, tokens, passwords and keys."""
    assert expected is is_credential(name)


def test_the_first_that_has_a_label_gives_it() -> None:
    """Sources are asked in their order; what none has shows its own name; each scope once."""
    found = scope_definitions(["chat:write", "users:read", "x", "x"], direction="outbound", labels=[LABELS, OTHER])

    assert [
        ("chat:write", ("Send messages",) * 3, "read"),
        ("users:read", ("読む", "users:read", "users:read"), "write"),
        ("x", ("x",) * 3, "read"),
    ] == [(scope.name, scope.labels.texts, scope.direction) for scope in found]


def test_a_definition_gets_scopes_by_its_direction() -> None:
    """A service that calls the host has the host's scopes, of one of its products."""
    service = Service(id="chat", names=NAME, descriptions=NAME, directions={"inbound", "outbound"})
    named = with_scopes(service, ["k:file:write"], product="kintone")

    assert [("kintone", "write")] == [(scope.product, scope.direction) for scope in named.scopes]
    assert service == with_scopes(named, [])


def test_scopes_that_a_trigger_needs_stay() -> None:
    """A definition cannot lose what it rests on."""
    scope = ScopeDefinition(name=Scope("a"), labels=NAME, product="", direction="read")
    trigger = Trigger(id="t", labels=NAME, scope=Scope("a"))
    service = Service(
        id="chat", names=NAME, descriptions=NAME, directions={"inbound"}, scopes=[scope], triggers=[trigger]
    )

    with pytest.raises(InvalidInput, match=r"^triggers: expected a scope of the service"):
        with_scopes(service, ["b"])


ANYTHING = st.one_of(st.none(), st.integers(), st.text(), st.lists(st.one_of(st.text(), st.integers())))


@given(ANYTHING, st.one_of(ANYTHING, st.just("inbound")), ANYTHING, ANYTHING)
def test_anything_is_defined_or_refused(names: Any, direction: Any, product: Any, labels: Any) -> None:
    """Law 13."""
    for ask in (
        lambda: scope_definitions(names, direction=direction),
        lambda: scope_definitions(["a"], direction="inbound", product=product, labels=labels),
        lambda: with_scopes(names, ["a"]),
    ):
        assert repr(outcome(ask))


def test_what_is_unused_can_be_shown() -> None:
    """A place is ASCII and short, whatever a file calls its parts."""
    assert "\\u65e5\\n" == Unused("日\n", "not read").place
    assert 255 == len(Unused("x" * 1_000, "not read").place)
