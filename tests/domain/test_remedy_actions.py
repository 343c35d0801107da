"""The remedy of a reason that is read alone: every reason with steps names one, and makes nothing up."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pytest
from hypothesis import given, strategies as st

from extlink.domain.cure import CURES
from extlink.domain.edition import EDITIONS
from extlink.domain.help_pages import HELP_SITES, INTEGRATIONS
from extlink.domain.messages import PARAMS, who
from extlink.domain.reason import Reason
from extlink.domain.remedy import OUTSIDE, Action, Param
from extlink.domain.remedy_actions import ACTIONS
from extlink.domain.unfixable import UNFIXABLE
from extlink.errors import InvalidInput
from extlink.remedies import operation_of, request_of
from tests.operations import constructors
from tests.strange import ANYTHING, Recipe

# Parameters as the gates give them, where one letter would not do.
GIVEN: Final[Mapping[str, Param]] = MappingProxyType(
    {"by": "organization:hq", "address": "::ffff:203.0.113.7", "products": ("garoon",), "policies": ("C",)}
)
# What is asked of the administrator, the user or the vendor, since no parameter tells it.
LEFT: Final = MappingProxyType(
    {
        "network.deny_all": ("rows",),
        "datagroup.blocked": ("policy",),
        "datagroup.mixed": ("policy",),
        "link.missing": ("scopes",),
        "link.revoked": ("scopes",),
        "link.ended": ("scopes",),
        "link.not_redeemed": ("scopes",),
        "link.expired": ("scopes",),
        "link.dormant": ("scopes",),
        "client.removed": ("client", "scopes"),
        "scope.not_covered": ("scopes",),
        "token.unknown": ("service", "scopes"),
        "token.wrong_audience": ("service", "scopes"),
        "token.wrong_kind": ("link",),
    }
)


def reason_of(code: str) -> Reason:
    """Return a reason as a gate says it."""
    return Reason(code, {name: GIVEN.get(name, "x") for name in PARAMS[code]})


def action_of(code: str) -> Action:
    """Return what its remedy names; a reason without any fails here."""
    action = reason_of(code).remedy.action
    assert action is not None, code
    return action


@pytest.mark.parametrize("code", sorted(CURES))
def test_every_reason_with_steps_names_one(code: str) -> None:
    """An operation there is, with arguments that it has; or a step outside; and somebody may take it."""
    action = action_of(code)
    known = constructors()

    assert action.is_outside or action.name in known
    assert LEFT.get(code, ()) == action.choices
    assert not action.arguments.keys() & set(action.choices)
    assert "nobody" != who(code)
    if not action.is_outside and action.name != "services.register":
        assert {*action.arguments, *action.choices} <= inspect.signature(known[action.name]).parameters.keys()


@pytest.mark.parametrize("code", sorted(CURES))
def test_what_leaves_no_choice_can_be_run(code: str) -> None:
    """It is an operation; a step outside and one that leaves a choice are none, and the action says which."""
    action, asked = action_of(code), operation_of(reason_of(code).remedy)

    # A definition has to be found first.
    assert (asked is not None) is not (action.is_outside or action.choices or action.name == "services.register")
    assert asked is None or asked.name == action.name


@pytest.mark.parametrize("code", sorted(UNFIXABLE))
def test_what_nobody_can_put_right_names_nothing(code: str) -> None:
    """No step is made up for it."""
    assert (None, {}) == (reason_of(code).remedy.action, reason_of(code).remedy.links)


def test_no_other_reason_of_a_gate_is_in_the_table() -> None:
    """Beside what `cure` mends stand four refusals of the token endpoint, which all end in connecting again."""
    others = ACTIONS.keys() - CURES.keys()

    assert {"code.used", "code.expired", "refresh.reused", "refresh.expired"} == others
    assert {f"{OUTSIDE}connect"} == {action_of(code).name for code in others}


@pytest.mark.parametrize(
    ("by", "arguments"),
    [
        ("user", {"service": "slack", "users": ("sato",)}),
        ("organization:hq", {"service": "slack", "organizations": ("hq",)}),
        ("group:a:b", {"service": "slack", "groups": ("a:b",)}),
    ],
)
def test_an_exclusion_is_lifted_for_whom_it_was_made(by: str, arguments: Mapping[str, object]) -> None:
    """The person, the organization or the group, and nobody else."""
    action = Reason("grant.excluded", {"service": "slack", "user": "sato", "by": by}).remedy.action

    assert Action("grants.include", arguments) == action


def test_an_exclusion_of_everyone_is_no_operation_of_ours() -> None:
    """As in a plan, nothing is named."""
    params: dict[str, Param] = {"service": "slack", "user": "sato"}

    assert Reason("grant.excluded", {**params, "by": "everyone"}).remedy.action is None
    left = Reason("grant.excluded", {**params, "by": "group:"}).remedy.action
    assert Action("grants.include", {"service": "slack"}, ("groups",)) == left


@pytest.mark.parametrize(
    ("code", "params", "action"),
    [
        ("grant.missing", {"service": "slack"}, Action("grants.allow", {"service": "slack"}, ("users",))),
        ("grant.missing", {"service": "slack", "user": ""}, Action("grants.allow", {"service": "slack"}, ("users",))),
        ("network.address_not_allowed", {"address": "010.0.0.1"}, Action("networks.add", {}, ("rows",))),
        ("service.product_missing", {"products": ("a", "b")}, Action("outside.subscribe", {}, ("product",))),
        ("service.product_missing", {"products": "a"}, Action("outside.subscribe", {}, ("product",))),
        ("service.product_missing", {"products": ("a",)}, Action("outside.subscribe", {"product": "a"})),
        ("link.expired", {"link": "L1"}, Action("outside.connect", {"link": "L1"}, ("scopes",))),
    ],
)
def test_what_the_parameters_do_not_tell_is_left_to_choose(
    code: str, params: Mapping[str, Param], action: Action
) -> None:
    """Nothing is made up for it, and with a choice open there is no operation to run."""
    assert action == Reason(code, params).remedy.action


def test_a_user_can_ask_for_what_a_lone_reason_needs() -> None:
    """Who may not permit can ask those who may, without a decision at hand."""
    asked = request_of(Reason("grant.missing", {"service": "slack", "user": "sato"}).remedy)

    assert "grants.ask" == (asked and asked.name)


def test_a_lone_remedy_links_the_pages_of_the_edition() -> None:
    """Those that need no definition: enabling, permitting, the IP restriction; none where no page is known."""
    pages = {code: reason_of(code).remedy for code in CURES}

    for edition, profile in EDITIONS.items():
        assert profile.help_site == HELP_SITES[edition]
        assert profile.ip_page == pages["network.address_not_allowed"].link(edition)
        assert profile.ip_page == pages["network.deny_all"].link(edition)
        for code in ("service.not_enabled", "service.disabled", "grant.missing", "grant.over"):
            assert INTEGRATIONS[edition] == pages[code].link(edition)
            assert INTEGRATIONS[edition].startswith(profile.help_site)
    linked = {"services.enable", "grants.allow", "networks.add", "networks.restrict"}
    assert linked == {one.action.name for one in pages.values() if one.action is not None and one.links}


@given(st.sampled_from(sorted(ACTIONS)), ANYTHING)
def test_any_object_as_a_parameter_leaves_a_remedy(code: str, value: Recipe) -> None:
    """Law 13: a reason made by hand has an action or none, and its operation is one or an error of ours."""
    remedy = Reason(code, dict.fromkeys((*PARAMS[code],), value.make())).remedy  # type: ignore[arg-type]
    try:
        asked = operation_of(remedy)
    except InvalidInput:
        return
    assert asked is None or remedy.action is None or asked.name == remedy.action.name
