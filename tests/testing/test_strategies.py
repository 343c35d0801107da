from __future__ import annotations

import ipaddress

import pytest
from hypothesis import Phase, find, given, settings, strategies as st

from extlink import access, networks
from extlink.runtime import ExtLink
from extlink.testing.strategies import TenantPlan, addresses, rows, tenants

LAST = 2**32 - 1


def _allowed(plan: TenantPlan) -> list[bool]:
    tenant = plan.open(ExtLink.in_memory(directory=plan.directory()))
    admin = tenant.acting_as("admin", roles={"common_administrator"})
    return [
        admin.run(
            access.explain(service.id, user=person.id, scope=service.scopes[0].name, network="not_applicable")
        ).allowed
        for service in plan.definitions
        for person in plan.people
    ]


@pytest.mark.slow
@given(tenants())
def test_every_plan_opens(plan: TenantPlan) -> None:
    """Every operation of a plan is accepted, and every question about it has an answer."""
    assert len(_allowed(plan)) == len(plan.definitions) * len(plan.people)


@pytest.mark.slow
def test_plans_say_yes_and_no() -> None:
    """Neither answer is so rare that a wrong one would not be met: each is more than a tenth of all."""
    answers: list[bool] = []

    @settings(max_examples=60, derandomize=True, database=None, phases=[Phase.generate], deadline=None)
    @given(tenants())
    def ask(plan: TenantPlan) -> None:
        answers.extend(_allowed(plan))

    ask()

    assert 0.1 < sum(answers) / len(answers) < 0.9


@given(st.lists(rows(), min_size=1, max_size=3, unique=True).map(tuple), st.data())
def test_rows_and_addresses_fit_each_other(restriction: tuple[str, ...], data: st.DataObject) -> None:
    """Rows are accepted as they are; addresses are addresses, and the borders of rows are among them."""
    assert networks.restrict(restriction).name == "networks.restrict"
    for one in (data.draw(addresses(restriction)), data.draw(addresses())):
        assert one == str(ipaddress.ip_address(one))


def test_borders_stay_inside_of_the_space() -> None:
    """The rows at both ends have one neighbour less."""
    first, last = "0.0.0.0/8", "255.255.255.255/32"

    assert "0.0.0.0" == find(addresses((first,)), lambda one: one == "0.0.0.0")  # noqa: S104 - an address, not a socket
    assert "255.255.255.255" == find(addresses((last,)), lambda one: int(ipaddress.ip_address(one)) == LAST)
