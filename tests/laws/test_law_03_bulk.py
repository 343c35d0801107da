"""Law 3, in bulk: a list is what asking one by one lets through, and a batch says what its questions say alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hypothesis import Phase, find, given, settings, strategies as st

from extlink import access, grants
from extlink.domain.decision import Decision
from extlink.operation import Operation
from extlink.runtime import ExtLink, Tenant
from extlink.testing.strategies import TenantPlan, addresses, tenants

# How many tenants a twin may survive.
SEARCH = settings(max_examples=300, phases=[Phase.generate], derandomize=True, deadline=None, database=None)
# Of what the profile says: a tenant is opened three times for each.
FEW = settings().max_examples // 3

Batch = Callable[[Tenant, Sequence[Operation[Decision]]], Sequence[Decision]]
Listing = Callable[[Tenant, str, str], Iterable[str]]


def opened(plan: TenantPlan) -> Tenant:
    """Return a tenant of a plan for its administrator."""
    tenant = plan.open(ExtLink.in_memory(directory=plan.directory()))
    return tenant.acting_as("admin", roles={"common_administrator"})


def names(plan: TenantPlan) -> tuple[str, ...]:
    """Return everybody of a plan, in the directory's order."""
    return tuple(person.id for person in plan.people)


def questions(plan: TenantPlan, address: str) -> list[Operation[Decision]]:
    """Return the questions about everybody and nobody, every service and none, from an address and from everywhere."""
    found: list[Operation[Decision]] = []
    for service in (*(one.id for one in plan.definitions), "none"):
        for user in (*names(plan), "nobody"):
            found.append(access.explain(service, user=user, address=address))
            found.append(access.explain(service, user=user, network="not_applicable"))
    return found


def batch(admin: Tenant, asked: Sequence[Operation[Decision]]) -> Sequence[Decision]:
    """Ask all at once."""
    return admin.run(access.explain_many(asked))


def is_batch_wrong(plan: TenantPlan, address: str, ask: Batch) -> bool:
    """Whether a batch says anything else than its questions say one by one."""
    admin, asked = opened(plan), questions(plan, address)
    return list(ask(admin, asked)) != [admin.run(one) for one in asked]


def users(admin: Tenant, service: str, address: str) -> Iterable[str]:
    """Return who is listed for a service, from pages of two."""
    after: str | None = None
    while True:
        page = admin.run(access.users(service, address=address, after=after, limit=2))
        assert all(one.decision.allowed for one in page.users)
        yield from (one.member.id for one in page.users)
        after = page.next
        if after is None:
            return


def services(admin: Tenant, user: str, address: str) -> Iterable[str]:
    """Return what is listed for a user, from pages of one."""
    after: str | None = None
    while True:
        page = admin.run(access.services(user, address=address, after=after, limit=1))
        assert all(one.decision.allowed for one in page.services)
        yield from (one.service for one in page.services)
        after = page.next
        if after is None:
            return


def is_list_of_users_wrong(plan: TenantPlan, address: str, listed: Listing) -> bool:
    """Whether a list of users is not those for whom asking says yes, each once, in the directory's order."""
    admin = opened(plan)
    return any(
        list(listed(admin, one.id, address))
        != [user for user in names(plan) if admin.run(access.explain(one.id, user=user, address=address))]
        for one in plan.definitions
    )


def is_list_of_services_wrong(plan: TenantPlan, address: str, listed: Listing) -> bool:
    """Whether a list of services is not those for which asking says yes, each once, in order."""
    admin, known = opened(plan), sorted(one.id for one in plan.definitions)
    return any(
        list(listed(admin, user, address))
        != [one for one in known if admin.run(access.explain(one, user=user, address=address))]
        for user in (*names(plan), "nobody")
    )


@settings(max_examples=FEW)
@given(plan=tenants(), address=addresses())
def test_in_bulk_as_one_by_one(plan: TenantPlan, address: str) -> None:
    """A batch gives every decision with all its reasons, in order; a list, over all pages, who may and what one may."""
    assert not is_batch_wrong(plan, address, batch)
    assert not is_list_of_users_wrong(plan, address, users)
    assert not is_list_of_services_wrong(plan, address, services)


def caught(is_wrong: Callable[[TenantPlan, str], bool]) -> bool:
    """Find a tenant on which a twin is wrong."""
    found = find(st.tuples(tenants(), addresses()), lambda drawn: is_wrong(*drawn), settings=SEARCH)
    return is_wrong(*found)


def test_a_twin_that_takes_the_first_answer_for_all_is_caught() -> None:
    """The broken twin asks once."""

    def first(admin: Tenant, asked: Sequence[Operation[Decision]]) -> Sequence[Decision]:
        return [admin.run(asked[0])] * len(asked)

    assert caught(lambda plan, address: is_batch_wrong(plan, address, first))


def test_a_twin_that_answers_in_another_order_is_caught() -> None:
    """The broken twin sorts the questions."""

    def ordered(admin: Tenant, asked: Sequence[Operation[Decision]]) -> Sequence[Decision]:
        return batch(admin, sorted(asked, key=repr))

    assert caught(lambda plan, address: is_batch_wrong(plan, address, ordered))


def test_a_twin_that_skips_a_page_is_caught() -> None:
    """The broken twins read every other page."""

    def some_users(admin: Tenant, service: str, address: str) -> Iterable[str]:
        after: str | None = None
        while True:
            page = admin.run(access.users(service, address=address, after=after, limit=1))
            yield from (one.member.id for one in page.users)
            if page.next is None:
                return
            after = admin.run(access.users(service, address=address, after=page.next, limit=1)).next
            if after is None:
                return

    def first_services(admin: Tenant, user: str, address: str) -> Iterable[str]:
        return [one.service for one in admin.run(access.services(user, address=address, limit=1)).services]

    assert caught(lambda plan, address: is_list_of_users_wrong(plan, address, some_users))
    assert caught(lambda plan, address: is_list_of_services_wrong(plan, address, first_services))


def test_a_twin_that_forgets_the_directory_is_caught() -> None:
    """The broken twin lists whoever has a grant, suspended people too."""

    def granted(admin: Tenant, service: str, address: str) -> Iterable[str]:
        may = {*users(admin, service, address)}
        page = admin.run(grants.candidates(service, limit=50)).candidates
        return [
            one.member.id
            for one in page
            if one.member.id in may or (one.why is not None and one.member.status == "suspended")
        ]

    assert caught(lambda plan, address: is_list_of_users_wrong(plan, address, granted))
