"""Rules on hosts, actions and endpoints: illegal ones cannot be built, and any question has an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given

from extlink.domain.connector_rules import (
    CURRENT_ENVIRONMENT,
    DYNAMIC,
    ActionRules,
    CustomConnector,
    Endpoint,
    EndpointRule,
    EndpointRules,
    HostPattern,
)
from extlink.domain.datapolicy import DataPolicy
from extlink.errors import ExtlinkError, InvalidInput
from tests.strange import ANYTHING, Recipe

DENYING = EndpointRules(connector="c", rules=[("https://a.example/*", "allow"), ("*", "deny")])
ALLOWING = EndpointRules(connector="c", rules=[EndpointRule("https://a.example/*", "deny"), ("*", "allow")])
OPEN = EndpointRules(connector="c", rules=[("https://a.example/*", "allow"), ("*", "allow")])


ILLEGAL: Final[list[tuple[Callable[[], object], str, str]]] = [
    (lambda: HostPattern("a*", "ignore"), "group", "expected ignore on * alone, got it on 'a*'"),
    (lambda: HostPattern("*", "Business"), "group", "expected one of business, non_business"),  # type: ignore[arg-type]
    (lambda: HostPattern("", "blocked"), "pattern", "expected 1 to 2000 characters, got 0"),
    (lambda: HostPattern("x" * 2_001, "blocked"), "pattern", "expected 1 to 2000 characters, got 2001"),
    (lambda: HostPattern("\ud800", "blocked"), "pattern", "got a lone surrogate"),
    (lambda: HostPattern(None, "blocked"), "pattern", "expected text, got NoneType"),  # type: ignore[arg-type]
    (lambda: CustomConnector("", "https://a.example"), "id", "expected 1 to 255 bytes"),
    (lambda: CustomConnector("c", "https://a.example\\@b.example"), "host", "got one that can be read twice"),
    (lambda: EndpointRules(connector="c", rules=[]), "rules", "expected * as the last pattern"),
    (lambda: EndpointRules(connector="c", rules=[("a", "deny")]), "rules", "expected * as the last pattern"),
    (lambda: EndpointRules(connector="c", rules=[("*", "deny"), ("*", "deny")]), "rules", "expected * once"),
    (lambda: EndpointRules(connector="c", rules=[("*", "block")]), "behaviour", "expected one of allow, deny"),
    (lambda: EndpointRules(connector="c", rules=[("*",)]), "rules", "expected pairs"),  # type: ignore[list-item]
    (lambda: ActionRules(connector="c", default="Block"), "default", "expected one of allow, deny"),  # type: ignore[arg-type]
    (lambda: ActionRules(connector="c", rules={"A": "deny", "a": "allow"}), "rules", "one word on each action"),
    (lambda: ActionRules(connector="c", rules={"A": "block"}), "rules", "expected one of allow, deny"),
    (lambda: ActionRules(connector="c", rules={"": "deny"}), "rules", "expected 1 to 255 bytes"),
    (lambda: Endpoint(""), "endpoint", "expected 1 to 2000 characters"),
    (lambda: Endpoint("x", "dynamic"), "endpoint", "expected no text"),
    (lambda: Endpoint("x", "other"), "kind", "expected one of literal, dynamic, current_environment"),  # type: ignore[arg-type]
    (lambda: DataPolicy(id="p", hosts=[("a", "blocked")]), "hosts", "expected * as the last pattern"),
    (lambda: DataPolicy(id="p", hosts=[("a",)]), "hosts", "expected pairs"),  # type: ignore[list-item]
    (lambda: DataPolicy(id="p", hosts=[]), "hosts", "expected * as the last pattern"),
    (lambda: DataPolicy(id="p", actions=[DENYING]), "actions", "expected ActionRules, got EndpointRules"),  # type: ignore[list-item]
    (lambda: DataPolicy(id="p", endpoints=[DENYING, ALLOWING]), "endpoints", "connector 'c' has two sets of rules"),
    (lambda: DataPolicy(id="p", level="environment"), "level", "expected scope 'only' and one environment"),
    (
        lambda: DataPolicy(id="p", level="environment", scope="only", environments=["dev"], hosts=[("*", "blocked")]),
        "hosts",
        "it knows custom connectors by name",
    ),
]


@pytest.mark.parametrize(("make", "field", "problem"), ILLEGAL, ids=map(str, range(len(ILLEGAL))))
def test_illegal_rules_cannot_be_built(make: Callable[[], object], field: str, problem: str) -> None:
    """R8-R10: the error names the field and what was expected."""
    with pytest.raises(InvalidInput) as caught:
        make()

    assert field == caught.value.field
    assert problem in caught.value.problem


def test_the_same_rule_twice_is_one() -> None:
    """Law 2: order and duplicates of rules on actions and of sets of rules never matter."""
    one = ActionRules(connector="c", rules=(("b", "deny"), ("A", "allow"), ("b", "deny")))

    assert one == ActionRules(connector="c", rules={"A": "allow", "b": "deny"})
    assert DataPolicy(id="p", actions=[one, one]) == DataPolicy(id="p", actions=[one])


def test_actions_have_no_case() -> None:
    """R9: an action that is spelled otherwise does not slip past its rule."""
    rules = ActionRules(connector="c", rules={"Delete": "deny"})

    assert [False, False, True] == [rules.allows(one) for one in ("delete", "DELETE", "Read")]


def test_endpoints_that_are_no_literal() -> None:
    """R10: dynamic ones get the last rule's answer; Dataverse's own environment can never be denied."""
    assert [False, True, True] == [rules.allows(DYNAMIC) for rules in (DENYING, ALLOWING, OPEN)]
    assert [True, True, True] == [rules.allows(CURRENT_ENVIRONMENT) for rules in (DENYING, ALLOWING, OPEN)]


def test_what_can_be_read_twice_is_taken_strictly() -> None:
    """A literal that readers read differently passes only where nothing is denied."""
    assert [False, False, True] == [
        rules.allows("https://a.example\\@b.example/") for rules in (DENYING, ALLOWING, OPEN)
    ]


def test_a_reason_may_show_an_endpoint() -> None:
    """Neither user, query nor fragment is told: keys stand there."""
    assert "https://a.example/b" == Endpoint("https://u:p@A.example/b?sig=secret#x").shown
    assert "server,db" == Endpoint("server,db;password=secret").shown
    assert ["dynamic", "current_environment"] == [DYNAMIC.shown, CURRENT_ENVIRONMENT.shown]
    assert 64 == len(Endpoint("https://a.example/" + "x" * 100).shown)
    assert Endpoint("サーバー,db").shown.isascii()


def test_a_host_without_a_scheme_is_one_of_https() -> None:
    """R8: Power Platform's own patterns begin with the scheme."""
    policy = DataPolicy(id="p", hosts=[("https://*.example.com", "blocked"), ("*", "ignore")])

    assert ["blocked", "ignore"] == [
        policy.group_of(CustomConnector("c", host)) for host in ("api.example.com", "http://api.example.com")
    ]


def strange(recipe: Recipe) -> Any:
    """Return a value that no type checker would let pass."""
    return recipe.make()


@given(ANYTHING, ANYTHING)
def test_any_object_in_any_rule(one: Recipe, other: Recipe) -> None:
    """Law 13: a value or an error of ours."""
    calls: tuple[Callable[[], object], ...] = (
        lambda: HostPattern(strange(one), strange(other)),
        lambda: CustomConnector(strange(one), strange(other)),
        lambda: ActionRules(connector="c", default="allow", rules=strange(one)),
        lambda: ActionRules(connector="c", rules={"a": strange(one)}).allows(strange(other)),
        lambda: EndpointRules(connector="c", rules=[strange(one), ("*", "deny")]),
        lambda: EndpointRules(connector="c", rules=strange(one)),
        lambda: Endpoint(strange(one), strange(other)),
        lambda: DENYING.allows(strange(one)),
        lambda: DataPolicy(id="p", hosts=strange(one), actions=strange(other)),
        lambda: DataPolicy(id="p", level=strange(one), endpoints=strange(other)),
    )
    for call in calls:
        try:
            call()
        except ExtlinkError:
            continue
