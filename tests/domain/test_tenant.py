"""A tenant's own facts, its users' states, the four epochs, and the acting person (DESIGN 1 and 5; TRACE T11)."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain.identifier import TenantId, UserId
from extlink.domain.tenant import HOST, ROLES, Actor, Epochs, Tenant, UserState, parse_roles
from extlink.errors import InvalidInput
from tests.strange import ANYTHING, Recipe


@given(st.lists(st.sampled_from(sorted(ROLES)), max_size=8))
def test_roles_are_a_set(roles: list[str]) -> None:
    """Order and duplicates do not matter; none is possible."""
    assert frozenset(roles) == parse_roles(roles)


def test_the_roles_are_those_of_the_trace() -> None:
    """Those who act through operations; service administrators, vendors and nobody act elsewhere."""
    assert {"user", "common_administrator", "access_administrator", "app_administrator", "host"} == ROLES


@pytest.mark.parametrize("role", ["administrator", "User", "", "vendor", " user"])
def test_a_misspelt_role_is_told(role: str) -> None:
    """It would look like a missing one otherwise; the message lists what there is."""
    with pytest.raises(InvalidInput, match="roles: expected"):
        parse_roles(["user", role])


def test_one_role_has_to_be_put_into_a_list() -> None:
    """A text is not a collection of its letters."""
    with pytest.raises(InvalidInput, match="roles: expected a list, got str"):
        parse_roles("user")


@given(ANYTHING)
def test_any_object_is_roles_or_invalid(recipe: Recipe) -> None:
    """Law 13: a set of known roles, or `InvalidInput`."""
    try:
        found = parse_roles(recipe.make())
    except InvalidInput:
        return
    assert found <= ROLES


def test_a_tenant_denies_and_demands_nothing_unless_told() -> None:
    """The defaults: unconfigured services are denied, flows need not be stated, nothing has ended."""
    tenant = Tenant(id=TenantId("acme"), edition="JP", products=frozenset())

    assert ("deny", False, 0) == (tenant.unconfigured_services, tenant.requires_flow_connectors, tenant.epoch)


def test_a_user_nobody_spoke_of_is_active() -> None:
    """With epoch 0, as every link of such a user copies it."""
    assert UserState("active", 0) == UserState()
    assert (0, 0, 0, 0) == Epochs()


def test_the_system_itself_holds_no_role() -> None:
    """Who is not stated may do nothing; a missing role is never assumed."""
    assert (None, frozenset(), None) == attrs.astuple(Actor(), recurse=False)
    assert Actor(UserId("sato")) != Actor()


def test_the_host_has_a_name_that_no_tenant_has() -> None:
    """Its records hold for every tenant at once."""
    assert "~host" == HOST
