"""The host's directory as values: people in several organizations (TRACE T7)."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.identifier import GroupId, OrganizationId, UserId

NODES = st.sampled_from([OrganizationId(name) for name in ("hq", "sales", "tokyo", "dev")])
PATHS = st.lists(st.lists(NODES, max_size=4, unique=True).map(tuple), max_size=4).map(tuple)


def member(*paths: str) -> Member:
    """Return a person with memberships, each written from the top down."""
    organizations = tuple(tuple(OrganizationId(node) for node in path.split("/")) for path in paths)
    return Member(id=UserId("sato"), display_name="佐藤", organizations=organizations)


def test_a_person_may_be_in_several_organizations() -> None:
    """Directly in the last of each path, within all of them."""
    sato = member("hq/sales/tokyo", "hq/dev")

    assert {"tokyo", "dev"} == sato.direct
    assert {"hq", "sales", "tokyo", "dev"} == sato.within


@given(PATHS)
def test_direct_and_within_are_read_from_the_paths(paths: tuple[tuple[OrganizationId, ...], ...]) -> None:
    """The ends of the paths, and every node on them; an empty path leads nowhere."""
    sato = Member(id=UserId("sato"), display_name="佐藤", organizations=paths)

    assert {path[-1] for path in paths if path} == set(sato.direct)
    assert {node for path in paths for node in path} == set(sato.within)
    assert sato.direct <= sato.within


def test_who_is_in_no_organization_is_within_none() -> None:
    """The node "without organization" holds exactly these."""
    assert (frozenset(), frozenset()) == (member().direct, member().within)


def test_the_order_of_memberships_decides_nothing() -> None:
    """The first, the priority organization, is for display alone."""
    one, other = member("hq/sales", "hq/dev"), member("hq/dev", "hq/sales")

    assert (one.direct, one.within) == (other.direct, other.within)


def test_moving_a_person_moves_what_is_compiled() -> None:
    """A changed copy is compiled anew."""
    moved = attrs.evolve(member("hq/sales"), organizations=((OrganizationId("dev"),),))

    assert {"dev"} == moved.direct == moved.within


def test_people_are_compared_by_what_the_host_said() -> None:
    """Equal if every stated field is; what is compiled is no field."""
    assert member("hq/sales") == member("hq/sales")
    assert member("hq/sales") != member("hq/dev")
    assert "within" not in repr(member("hq/sales"))


def test_what_is_not_said_of_a_person() -> None:
    """An active member in no organization and no group, without products: nothing that lets anybody in."""
    plain = Member(id=UserId("sato"), display_name="佐藤")

    assert ("active", "member", None, None) == (plain.status, plain.kind, plain.email, plain.display_priority)
    assert (frozenset(), frozenset(), ()) == (plain.products, plain.groups, plain.organizations)
    assert ("auto", "UTC") == (plain.language, plain.time_zone)


def test_values_are_frozen_and_named() -> None:
    """Nobody changes a directory's answer, and nobody mixes up fields by their order."""
    with pytest.raises(AttributeError):
        member().status = "deleted"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Member(UserId("sato"), "佐藤")  # type: ignore[call-arg]


def test_the_small_values_have_defaults() -> None:
    """A top organization, everybody, the last page."""
    assert (None, "", 0) == attrs.astuple(Organization(id=OrganizationId("hq"), name="HQ"))[2:]
    assert ("", None, "subtree", False) == attrs.astuple(CandidateQuery())
    assert DirectoryPage(()).next is None
    assert {GroupId("staff")} == Member(
        id=UserId("sato"), display_name="佐藤", groups=frozenset({GroupId("staff")})
    ).groups
