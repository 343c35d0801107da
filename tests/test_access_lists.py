"""`access.users` and `access.services`: pages of who may and of what one may, and what they cost (the law: laws/)."""

from __future__ import annotations

import attrs
import pytest

from extlink import access, catalog, grants, services, users
from extlink.access import ServiceAccessPage, UserAccessPage
from extlink.errors import InvalidInput, Refused
from tests.hosts import SERVICE, Host, refusal
from tests.test_access_batches import failing, measured


def _listed(page: UserAccessPage) -> list[str]:
    return [one.member.id for one in page.users]


def test_who_may_is_listed_with_the_reason() -> None:
    """In the directory's order; the suspended, the excluded and those without a grant are not."""
    host = Host.prepared()
    page = host.admin.run(access.users(SERVICE, network="not_applicable"))

    assert ["sato", "suzuki", "tanaka"] == _listed(page)
    assert page.next is None
    assert host.explain("sato") == page.users[0].decision
    host.admin.run(users.suspend("suzuki"))
    host.admin.run(grants.exclude(SERVICE, users=["tanaka"]))
    assert ["sato"] == _listed(host.admin.run(access.users(SERVICE, network="not_applicable")))
    assert [] == _listed(host.admin.run(access.users(SERVICE, scope="k:nothing:read", network="not_applicable")))


def test_a_page_may_be_empty_and_have_a_next_one() -> None:
    """It rests on a page of people, whoever of them may."""
    host = Host.prepared()
    found: list[list[str]] = []
    after: str | None = None
    while not found or after is not None:
        page = host.admin.run(access.users(SERVICE, network="not_applicable", after=after, limit=1))
        found.append(_listed(page))
        after = page.next

    assert [["sato"], ["suzuki"], ["tanaka"], [], [], []] == found


def test_what_one_may_is_listed_with_the_reason() -> None:
    """In order of id, of the registered ones; of a stranger nothing."""
    host = Host.prepared()
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(services.enable("slack"))
    host.admin.run(grants.allow("slack", everyone=True))
    both = host.admin.run(access.services("sato", network="not_applicable"))
    first = host.admin.run(access.services("sato", network="not_applicable", limit=1))

    assert [SERVICE, "slack"] == [one.service for one in both.services]
    assert host.explain("sato", "slack") == both.services[1].decision
    assert (SERVICE, None) == (first.next, both.next)
    last = host.admin.run(access.services("sato", network="not_applicable", after=first.next, limit=1))
    assert (["slack"], None) == ([one.service for one in last.services], last.next)
    assert ServiceAccessPage(services=(), next=None) == host.admin.run(access.services("nobody"))
    assert ServiceAccessPage(services=(), next=None) == Host.make().admin.run(access.services("sato"))


def test_a_page_costs_two_reads() -> None:
    """However many it lists; the directory is asked once."""
    host = Host.prepared()
    host.admin.run(services.register(catalog.SLACK))
    people, one = measured(host, access.users(SERVICE)), measured(host, access.services("sato"))

    assert (["read", "read"], ["page"]) == people
    assert (["read", "list", "read"], ["member"]) == one


def test_the_largest_page_fits() -> None:
    """Twenty-five people, or ten services, rest on one read."""
    host = Host.prepared()
    for number in range(40):
        host.directory.add_user(f"user-{number:02d}", organizations=["sales"], products={"kintone"})
    page = host.admin.run(access.users(SERVICE, network="not_applicable", limit=25))
    assert 22 <= len(page.users)
    for number in range(12):
        text = f"service-{number:02d}"
        host.admin.run(services.register(attrs.evolve(catalog.SLACK, id=text)))
        host.admin.run(services.enable(text))
        host.admin.run(grants.allow(text, everyone=True))
    assert 9 == len(host.admin.run(access.services("admin-1", network="not_applicable")).services)


def test_no_list_without_a_directory() -> None:
    """An empty page would read as nobody, or nothing."""
    host = failing(Host.prepared())

    assert "directory.unavailable" == refusal(host, access.users(SERVICE)).code
    assert "directory.unavailable" == refusal(host, access.services("sato")).code


def test_what_cannot_be_listed() -> None:
    """A service that nobody registered; malformed arguments; and by whom."""
    host = Host.prepared()

    assert "service.unknown" == refusal(host.admin, access.users("slack")).code
    for asked in (access.users(SERVICE), access.services("sato")):
        with pytest.raises(Refused, match=r"actor\.not_permitted"):
            host.user().run(asked)
    for limit in (0, 26, True):
        with pytest.raises(InvalidInput, match="limit"):
            access.users(SERVICE, limit=limit)
    with pytest.raises(InvalidInput, match="limit"):
        access.services("sato", limit=11)
    with pytest.raises(InvalidInput, match="after"):
        access.services("sato", after="")
    with pytest.raises(InvalidInput, match="address"):
        access.users(SERVICE, address=7)  # type: ignore[arg-type] # hostile input
