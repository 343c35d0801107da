from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Final, Literal

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.adapters.directory import AsyncInMemoryDirectory, InMemoryDirectory, UserDetails
from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.identifier import GroupId, OrganizationId, UserId
from extlink.domain.search import matches
from extlink.errors import ExtlinkError, InvalidInput
from extlink.ports import AsyncDirectory, Directory

ALL: Final = CandidateQuery()


def acme(make: Callable[[], InMemoryDirectory] = InMemoryDirectory) -> InMemoryDirectory:
    """Return a small company: hq over sales (over east) and tech, and a club that stands alone."""
    directory = make()
    directory.add_organization("hq", name="本社")
    directory.add_organization("tech", name="開発部", parent="hq", order=2)
    directory.add_organization("sales", name="営業部", parent="hq", order=1)
    directory.add_organization("east", name="東日本", parent="sales")
    directory.add_organization("club")
    directory.add_user("sato", display_name="佐藤 昇", organizations=["east", "club"], products={"kintone"})
    directory.add_user("suzuki", display_name="鈴木 花子", organizations=["tech", "sales"])
    directory.add_user("boss", display_name="社長", organizations=["hq"], display_priority=1)
    directory.add_user("guest", display_name="客", kind="guest")
    return directory


def everyone(
    directory: InMemoryDirectory, query: CandidateQuery = ALL, *, limit: int = 1_000, between: Iterable[str] = ()
) -> list[str]:
    """Return the ids on all pages of a query; after each page one of the users in `between` is added."""
    found: list[str] = []
    after, further = None, iter(between)
    while True:
        page = directory.page(query, after, limit)
        found += [member.id for member in page.members]
        after = page.next
        if after is None:
            return found
        for user in further:
            directory.add_user(user, organizations=["hq"])
            break


def under(organization: str, scope: Literal["direct", "subtree"] = "subtree") -> CandidateQuery:
    """Return the query for one organization."""
    return CandidateQuery(organization=OrganizationId(organization), scope=scope)


def paths(directory: InMemoryDirectory, user: str) -> tuple[tuple[str, ...], ...]:
    """Return a person's membership paths."""
    member = directory.member(user)
    assert member is not None
    return member.organizations


def test_it_is_a_directory() -> None:
    """Both are what the ports ask for, as the type checkers prove here."""
    directory: Directory = InMemoryDirectory()
    for_async_hosts: AsyncDirectory = AsyncInMemoryDirectory()

    assert directory.member(UserId("nobody")) is None
    assert asyncio.run(for_async_hosts.member(UserId("nobody"))) is None


# --- The tree and the paths ------------------------------------------------------------------------------------------


def test_membership_paths_come_from_the_tree() -> None:
    """TRACE T7: each membership is one path from the top, the priority organization first."""
    directory = acme()

    assert (("hq", "sales", "east"), ("club",)) == paths(directory, "sato")
    assert (("hq", "tech"), ("hq", "sales")) == paths(directory, "suzuki")
    assert () == paths(directory, "guest")


def test_the_tree_is_listed_parents_first() -> None:
    """Parents come before children, siblings by order, then as they were added."""
    assert ["hq", "sales", "east", "tech", "club"] == [node.id for node in acme().organizations()]


def test_moving_an_organization_moves_its_people() -> None:
    """A reorganization shows in the paths of everybody below, and of nobody else."""
    directory = acme()
    before = directory.member("boss")

    moved = directory.change_organization("sales", parent="club", name="販売")

    assert Organization(id=OrganizationId("sales"), name="販売", parent=OrganizationId("club"), order=1) == moved
    assert (("club", "sales", "east"), ("club",)) == paths(directory, "sato")
    assert (("hq", "tech"), ("club", "sales")) == paths(directory, "suzuki")
    assert before is directory.member("boss")


def test_moving_to_the_top() -> None:
    """A parent of None means the top; what is not named stays."""
    directory = acme()

    directory.change_organization("sales", parent=None)

    assert (("sales", "east"), ("club",)) == paths(directory, "sato")


def law_removing_takes_the_sub_organizations(directory: InMemoryDirectory) -> None:
    """T7: deleting an organization deletes its sub-organizations, and the memberships in all of them."""
    directory.remove_organization("sales")

    assert ["hq", "tech", "club"] == [node.id for node in directory.organizations()]
    assert (("club",),) == paths(directory, "sato")
    assert (("hq", "tech"),) == paths(directory, "suzuki")


def test_removing_takes_the_sub_organizations() -> None:
    """T7 holds for the directory in memory."""
    law_removing_takes_the_sub_organizations(acme())


def test_removing_the_top_leaves_people_without_organization() -> None:
    """People stay when their organizations go."""
    directory = acme()
    directory.remove_organization("hq")

    assert ["suzuki", "guest"] == everyone(directory, CandidateQuery(without_organization=True))[1:]
    assert (("club",),) == paths(directory, "sato")


def test_an_organization_added_again_is_the_same_again() -> None:
    """The host names ids; its people must be put there anew."""
    directory = acme()
    directory.remove_organization("club")
    directory.add_organization("club")

    assert (("hq", "sales", "east"),) == paths(directory, "sato")
    assert (("club",),) == directory.change_user("sato", organizations=["club"]).organizations


def test_the_name_is_the_id_unless_stated() -> None:
    """Tests of a host need not invent names."""
    directory = acme()

    assert "club" == next(node.name for node in directory.organizations() if node.id == "club")
    assert "tanaka" == directory.add_user("tanaka").display_name


@pytest.mark.parametrize("parent", ["hq", "sales", "east"])
def test_no_organization_is_above_itself(parent: str) -> None:
    """A circle is refused and nothing changes."""
    directory = acme()

    with pytest.raises(InvalidInput, match="parent: 'hq' would be above itself"):
        directory.change_organization("hq", parent=parent)

    assert acme().organizations() == directory.organizations()


def node(identifier: str, parent: str | None = None, order: int = 0) -> Organization:
    """Return an organization as a value."""
    above = None if parent is None else OrganizationId(parent)
    return Organization(id=OrganizationId(identifier), name=identifier, parent=above, order=order)


def test_built_from_values() -> None:
    """Organizations come in any order; a member's paths are led through the tree that is given."""
    stale = (OrganizationId("old"), OrganizationId("east"))
    sato = Member(
        id=UserId("sato"),
        display_name="佐藤",
        organizations=(stale, stale, ()),
        groups=frozenset({GroupId("g")}),
        display_priority=3,
        email="sato@example.com",
    )
    directory = InMemoryDirectory(
        members=[sato], organizations=[node("east", "sales"), node("sales", "hq"), node("hq")]
    )

    found = directory.member("sato")

    assert attrs.evolve(sato, organizations=(("hq", "sales", "east"),)) == found  # type: ignore[arg-type]
    assert ["hq", "sales", "east"] == [each.id for each in directory.organizations()]


@pytest.mark.parametrize(
    ("organizations", "problem"),
    [
        ([node("a", "b")], "parent: there is no organization 'b'"),
        ([node("a", "b"), node("b", "a")], "parent: 'a' would be above itself"),
        ([node("a", "a")], "parent: 'a' would be above itself"),
        ([node("a"), node("a")], "organizations: 'a' is there twice"),
        ([node("a"), None], "organizations: expected Organization values, got None"),
        (None, "organizations: expected a list of Organization, got None"),
        ([node("")], "organizations: expected 1 to 255 bytes"),
        ([node("a", order="first")], "order: expected a whole number, got 'first'"),  # type: ignore[arg-type]
    ],
    ids=ascii,
)
def test_what_is_no_tree(organizations: list[Organization], problem: str) -> None:
    """A circle, an orphan, an id twice or a malformed node is refused."""
    with pytest.raises(InvalidInput, match=problem):
        InMemoryDirectory(organizations=organizations)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ([Member(id=UserId("a"), display_name="a")] * 2, "user: 'a' is there already"),
        (["sato"], "members: expected Member values, got 'sato'"),
        (5, "members: expected a list of Member, got 5"),
        (
            [Member(id=UserId("a"), display_name="a", organizations=((OrganizationId("hq"),),))],
            "organizations: there is no organization 'hq'",
        ),
        (
            [Member(id=UserId("a"), display_name="a", organizations=("hq",))],  # type: ignore[arg-type]
            "organizations: expected a list",
        ),
        ([Member(id=UserId(""), display_name="a")], "user: expected 1 to 255 bytes"),
    ],
    ids=ascii,
)
def test_what_are_no_members(members: list[Member], problem: str) -> None:
    """Somebody twice, in an organization that is not there, or malformed is refused."""
    with pytest.raises(InvalidInput, match=problem):
        InMemoryDirectory(members=members)


def test_an_endless_list_is_refused() -> None:
    """A generator that never ends does not hang the host."""
    with pytest.raises(InvalidInput, match="organizations: expected at most 1000000"):
        InMemoryDirectory(organizations=repeat(node("a")))


# --- People ----------------------------------------------------------------------------------------------------------


def test_life_of_a_user() -> None:
    """Suspended and active again, changed, removed, and the same again when added again."""
    directory = acme()

    assert "suspended" == directory.suspend("sato").status
    assert "active" == directory.resume("sato").status
    assert "deleted" == directory.change_user("sato", status="deleted").status
    directory.remove_user("sato")
    assert directory.member("sato") is None
    assert Member(id=UserId("sato"), display_name="佐藤 二代目") == directory.add_user(
        "sato", display_name="佐藤 二代目"
    )


def test_what_is_not_named_stays() -> None:
    """A change of one field keeps the others, memberships included."""
    directory = acme()
    before = directory.member("sato")

    after = directory.change_user("sato", email="sato@example.com")

    assert before is not None
    assert attrs.evolve(before, email="sato@example.com") == after == directory.member("sato")


def test_everything_that_can_be_said() -> None:
    """Each detail of a user reaches the member."""
    details: UserDetails = {
        "display_name": "佐藤 昇",
        "login_name": "sato",
        "surname": "佐藤",
        "given_name": "昇",
        "phonetic_surname": "サトウ",
        "phonetic_given_name": "ノボル",
        "localized_names": ["Sato Noboru"],
        "email": "sato@example.com",
        "status": "suspended",
        "kind": "guest",
        "language": "ja",
        "time_zone": "Asia/Tokyo",
        "display_priority": 99_999_999,
        "products": ["kintone", "garoon", "kintone"],
        "groups": ["sales-managers"],
        "organizations": ["club", "east", "club"],
    }
    expected = Member(
        id=UserId("sato-2"),
        display_name="佐藤 昇",
        login_name="sato",
        surname="佐藤",
        given_name="昇",
        phonetic_surname="サトウ",
        phonetic_given_name="ノボル",
        localized_names=("Sato Noboru",),
        email="sato@example.com",
        status="suspended",
        kind="guest",
        language="ja",
        time_zone="Asia/Tokyo",
        display_priority=99_999_999,
        products=frozenset({"kintone", "garoon"}),
        groups=frozenset({GroupId("sales-managers")}),
        organizations=((OrganizationId("club"),), tuple(map(OrganizationId, ("hq", "sales", "east")))),
    )

    assert expected == acme().add_user("sato-2", **details)


def test_the_longest_name_is_legal() -> None:
    """Exactly 1,000 characters are allowed."""
    assert "x" * 1_000 == acme().add_user("x", display_name="x" * 1_000).display_name


def test_get_answers_those_that_exist() -> None:
    """Each once, in the order asked, deleted ones included; nobody is invented."""
    directory = acme()
    directory.change_user("boss", status="deleted")

    found = directory.get(["suzuki", "nobody", "boss", "suzuki"])

    assert ["suzuki", "boss"] == [member.id for member in found]


REFUSED: Final[dict[str, tuple[Callable[[InMemoryDirectory], object], str]]] = {
    "user twice": (lambda d: d.add_user("sato"), "user: 'sato' is there already; use change_user"),
    "empty user": (lambda d: d.add_user(""), "user: expected 1 to 255 bytes"),
    "unknown organization": (lambda d: d.add_user("x", organizations=["west"]), "organizations: there is no .* 'west'"),
    "one text": (lambda d: d.add_user("x", organizations="hq"), "organizations: expected a list, got str"),
    "unknown detail": (
        lambda d: d.add_user("x", colour="red"),  # type: ignore[call-arg]
        "details: expected some of display_name, .*, got 'colour'",
    ),
    "status": (
        lambda d: d.add_user("x", status="retired"),  # type: ignore[arg-type]
        "status: expected one of active, suspended, deleted, got 'retired'",
    ),
    "kind": (
        lambda d: d.add_user("x", kind=["guest"]),  # type: ignore[arg-type]
        "kind: expected one of member, guest, got list",
    ),
    "priority below": (lambda d: d.add_user("x", display_priority=-1), "display_priority: expected 0 to .*, got -1"),
    "priority above": (lambda d: d.add_user("x", display_priority=10**8), "expected 0 to 99999999 or None, got 1000"),
    "priority huge": (lambda d: d.add_user("x", display_priority=10**5_000), "expected 0 to 99999999 or None, got int"),
    "priority true": (lambda d: d.add_user("x", display_priority=True), "expected a whole number, got True"),
    "no name": (
        lambda d: d.add_user("x", display_name=None),  # type: ignore[arg-type]
        "display_name: expected text, got NoneType",
    ),
    "surrogate": (lambda d: d.add_user("x", surname="\ud800"), "surname: expected text in Unicode"),
    "long name": (
        lambda d: d.add_user("x", surname="x" * 1_001),
        "surname: expected at most 1000 characters, got 1001",
    ),
    "email": (lambda d: d.add_user("x", email=5), "email: expected text, got int"),  # type: ignore[arg-type]
    "one localized name": (lambda d: d.add_user("x", localized_names="S"), "localized_names: expected a list, got str"),
    "change nobody": (lambda d: d.change_user("nobody"), "user: there is no user 'nobody'; add the user first"),
    "suspend nobody": (lambda d: d.suspend("nobody"), "user: there is no user 'nobody'; add the user first"),
    "resume None": (lambda d: d.resume(None), "user: expected text, got NoneType"),  # type: ignore[arg-type]
    "remove nobody": (lambda d: d.remove_user("nobody"), "user: there is no user 'nobody'; add the user first"),
    "organization twice": (lambda d: d.add_organization("hq"), "organization: 'hq' is there already; use change_org"),
    "under nothing": (lambda d: d.add_organization("x", parent="west"), "parent: there is no organization 'west'"),
    "under itself": (lambda d: d.add_organization("x", parent="x"), "parent: there is no organization 'x'"),
    "order": (
        lambda d: d.add_organization("x", order=1.5),  # type: ignore[arg-type]
        "order: expected a whole number, got float",
    ),
    "unknown organization detail": (
        lambda d: d.add_organization("x", colour="red"),  # type: ignore[call-arg]
        "details: expected some of name, parent, code, order, got 'colour'",
    ),
    "rename nothing": (
        lambda d: d.change_organization("west", name="W"),
        "organization: there is no organization 'west'",
    ),
    "move under nothing": (
        lambda d: d.change_organization("hq", parent="west"),
        "parent: there is no organization 'west'",
    ),
    "remove nothing": (lambda d: d.remove_organization("west"), "organization: there is no organization 'west'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refused_change_changes_nothing(what: str) -> None:
    """The error names the field and the value, and the directory is as it was."""
    change, problem = REFUSED[what]
    directory = acme()

    with pytest.raises(InvalidInput, match=problem):
        change(directory)

    assert acme().organizations() == directory.organizations()
    assert acme().page(ALL, None, 1_000) == directory.page(ALL, None, 1_000)


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_order_is_priority_then_creation() -> None:
    """Smaller priorities first, none last, equal ones as they were created; a change keeps the place."""
    directory = acme()
    directory.add_user("vice", display_priority=1)
    directory.add_user("zero", display_priority=0)
    directory.add_user("last", display_priority=99_999_999)
    directory.change_user("suzuki", display_name="鈴木 (新)")
    directory.change_user("sato", display_priority=1)

    assert ["zero", "sato", "boss", "vice", "last", "suzuki", "guest"] == everyone(directory)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (under("hq"), ["boss", "sato", "suzuki"]),
        (under("hq", "direct"), ["boss"]),
        (under("sales"), ["sato", "suzuki"]),
        (under("sales", "direct"), ["suzuki"]),
        (under("club"), ["sato"]),
        (under("nowhere"), []),
        (CandidateQuery(without_organization=True), ["guest"]),
        (CandidateQuery(search="佐藤"), ["sato"]),
        (CandidateQuery(search="花子", organization=OrganizationId("hq")), ["suzuki"]),
        (CandidateQuery(search="花子", organization=OrganizationId("club")), []),
        (CandidateQuery(search="客", without_organization=True), ["guest"]),
        (CandidateQuery(search="佐藤", without_organization=True), []),
        (ALL, ["boss", "sato", "suzuki", "guest"]),
    ],
)
def test_filters(query: CandidateQuery, expected: list[str]) -> None:
    """TRACE T7: direct or subtree, the two extra nodes, and the search, each user once."""
    assert expected == everyone(acme(), query)


def test_suspended_are_shown_and_deleted_are_not() -> None:
    """T7: suspended users are shown as such; a deleted one is no candidate."""
    directory = acme()
    directory.suspend("sato")
    directory.change_user("suzuki", status="deleted")

    page = directory.page(under("hq"), None, 10)

    assert [("boss", "active"), ("sato", "suspended")] == [(member.id, member.status) for member in page.members]


def test_a_search_sees_the_newest_name() -> None:
    """The folded text kept beside a person goes with the old name."""
    directory = acme()

    assert ["sato"] == everyone(directory, CandidateQuery(search="佐藤"))
    directory.change_user("sato", display_name="田中 昇")
    assert [] == everyone(directory, CandidateQuery(search="佐藤"))
    assert ["sato"] == everyone(directory, CandidateQuery(search="田中昇"))


@pytest.mark.parametrize(
    ("query", "after", "limit", "problem"),
    [
        (ALL, None, 0, "limit: expected 1 to 1000, got 0"),
        (ALL, None, 1_001, "limit: expected 1 to 1000, got 1001"),
        (ALL, None, True, "limit: expected 1 to 1000, got True"),
        (ALL, None, "10", "limit: expected 1 to 1000, got '10'"),
        (ALL, "first", 10, "after: expected the cursor of a page or None, got 'first'"),
        (ALL, "1.2\n", 10, "after: expected the cursor"),
        (ALL, "\u0661.\u0662", 10, "after: expected the cursor"),
        (ALL, 5, 10, "after: expected the cursor of a page or None, got 5"),
        (None, None, 10, "query: expected a CandidateQuery, got None"),
        (CandidateQuery(search="x" * 257), None, 10, "search: expected at most 256 characters"),
        (CandidateQuery(scope=["direct"]), None, 10, "scope: expected direct or subtree, got list"),  # type: ignore[arg-type]
        (CandidateQuery(without_organization=1), None, 10, "without_organization: .*, got 1"),  # type: ignore[arg-type]
        (CandidateQuery(organization=OrganizationId("")), None, 10, "organization: expected 1 to 255 bytes"),
        (attrs.evolve(under("hq"), without_organization=True), None, 10, "without_organization: expected False beside"),
    ],
    ids=ascii,
)
def test_what_is_no_question(query: CandidateQuery, after: str | None, limit: int, problem: str) -> None:
    """A malformed question is refused with its field."""
    with pytest.raises(InvalidInput, match=problem):
        acme().page(query, after, limit)


def law_each_user_once(directory: InMemoryDirectory) -> None:
    """Whoever is in several organizations of a subtree is listed once."""
    assert ["boss", "sato", "suzuki"] == everyone(directory, under("hq"))


def law_cursors_are_stable(directory: InMemoryDirectory) -> None:
    """Additions between pages neither drop nor repeat anybody who was there."""
    before = everyone(directory)

    directory.add_user("first-of-all", display_priority=0)
    page = directory.page(ALL, None, 2)
    directory.add_user("earlier-still", display_priority=0)
    rest: list[str] = []
    while page.next is not None:
        rest += [member.id for member in page.members]
        page = directory.page(ALL, page.next, 2)
        directory.add_user(f"later-{len(rest)}", display_priority=len(rest) % 2)
    rest += [member.id for member in page.members]

    assert len(set(rest)) == len(rest)
    assert before == [user for user in rest if user in before]


def test_a_full_last_page_is_the_last() -> None:
    """A cursor is given if and only if somebody follows."""
    directory = acme()

    assert directory.page(ALL, None, 4).next is None
    assert directory.page(ALL, None, 3).next is not None
    assert directory.page(ALL, directory.page(ALL, None, 2).next, 2).next is None


@pytest.mark.parametrize("law", [law_each_user_once, law_cursors_are_stable])
def test_pages(law: Callable[[InMemoryDirectory], None]) -> None:
    """The laws of pages hold."""
    law(acme())


@st.composite
def companies(draw: st.DrawFn) -> InMemoryDirectory:
    """Draw a directory of up to 6 organizations and 12 people."""
    directory = InMemoryDirectory()
    names = [f"o{number}" for number in range(draw(st.integers(0, 6)))]
    for number, name in enumerate(names):
        parent = draw(st.sampled_from([None, *names[:number]]))
        directory.add_organization(name, parent=parent, order=draw(st.integers(0, 2)))
    for number in range(draw(st.integers(0, 12))):
        directory.add_user(
            f"u{number}",
            display_name=draw(st.sampled_from(["佐藤", "サトウ", "Satō", "鈴木"])),
            organizations=draw(st.lists(st.sampled_from(names), max_size=3)) if names else [],
            display_priority=draw(st.sampled_from([None, None, 0, 1, 2])),
            status=draw(st.sampled_from(["active", "suspended", "deleted"])),
        )
    return directory


QUERIES: Final = st.one_of(
    st.builds(
        CandidateQuery,
        search=st.sampled_from(["", "", "佐藤", "さとう", "sato", "木"]),
        organization=st.sampled_from([None, *(OrganizationId(f"o{number}") for number in range(7))]),
        scope=st.sampled_from(["direct", "subtree"]),
    ),
    st.just(CandidateQuery(without_organization=True)),
)


def naive_page(directory: InMemoryDirectory, query: CandidateQuery) -> list[str]:
    """List who is wanted, from single answers alone."""
    members = [member for number in range(12) if (member := directory.member(f"u{number}")) is not None]
    parents = {each.id: each.parent for each in directory.organizations()}

    def is_in(member: Member) -> bool:
        for path in member.organizations:
            here: OrganizationId | None = path[-1]
            while here is not None:
                if here == query.organization:
                    return True
                here = parents[here] if query.scope == "subtree" else None
        return query.organization is None

    wanted = [
        member
        for member in members
        if member.status != "deleted"
        and is_in(member)
        and matches(member, query.search)
        and not (query.without_organization and member.organizations)
    ]
    return [
        member.id
        for member in sorted(wanted, key=lambda each: 10**9 if each.display_priority is None else each.display_priority)
    ]


@given(companies(), QUERIES, st.integers(1, 5))
def test_pages_are_the_naive_list(directory: InMemoryDirectory, query: CandidateQuery, limit: int) -> None:
    """Pages of any size, put together, are what single answers say."""
    assert naive_page(directory, query) == everyone(directory, query, limit=limit)


@given(companies(), st.data())
def test_paths_follow_every_reorganization(directory: InMemoryDirectory, data: st.DataObject) -> None:
    """After any changes of the tree, each path is the way from the top down to an organization that is there."""
    for _ in range(4):
        names = [each.id for each in directory.organizations()]
        if not names:
            return
        name = data.draw(st.sampled_from(names))
        if data.draw(st.booleans()):
            directory.remove_organization(name)
        else:
            try:
                directory.change_organization(name, parent=data.draw(st.sampled_from([None, *names])))
            except InvalidInput:
                continue

    parents = {each.id: each.parent for each in directory.organizations()}
    seen: set[str] = set()
    for each in directory.organizations():
        assert each.parent is None or each.parent in seen
        seen.add(each.id)
    for number in range(12):
        member = directory.member(f"u{number}")
        for path in member.organizations if member is not None else ():
            assert [parents[each] for each in path] == [None, *path[:-1]]


# --- Broken twins ----------------------------------------------------------------------------------------------------


class OnePerMembership(InMemoryDirectory):
    """Lists people organization by organization, as a join would."""

    def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        page = super().page(query, after, limit)
        return DirectoryPage(tuple(member for member in page.members for _ in member.organizations), page.next)


class Offsets(InMemoryDirectory):
    """Counts how many were shown, instead of remembering who was the last."""

    def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        members = super().page(query, None, 1_000).members
        start = int(after or 0)
        following = str(start + limit) if start + limit < len(members) else None
        return DirectoryPage(members[start : start + limit], following)


class OrphansKept(InMemoryDirectory):
    """Removes one organization and hangs its children one higher."""

    def remove_organization(self, organization: str) -> None:
        by_id = {each.id: each for each in self.organizations()}
        for each in by_id.values():
            if each.parent == organization:
                self.change_organization(each.id, parent=by_id[OrganizationId(organization)].parent)
        super().remove_organization(organization)


@pytest.mark.parametrize(
    ("twin", "law"),
    [
        (OnePerMembership, law_each_user_once),
        (Offsets, law_cursors_are_stable),
        (OrphansKept, law_removing_takes_the_sub_organizations),
    ],
)
def test_the_law_catches_the_broken_twin(
    twin: Callable[[], InMemoryDirectory], law: Callable[[InMemoryDirectory], None]
) -> None:
    """The law that the directory in memory passes is failed by the wrong one."""
    with pytest.raises(AssertionError):
        law(acme(twin))


# --- Threads, async, anything ----------------------------------------------------------------------------------------


def test_no_answer_shows_half_a_change() -> None:
    """Readers beside a thread that reorganizes see one of the two trees, never a mixture."""
    directory = acme()
    ways = {(("hq", "sales", "east"), ("club",)), (("club", "sales", "east"), ("club",))}
    done = threading.Event()

    def reorganize() -> None:
        for number in range(300):
            directory.change_organization("sales", parent=("club", "hq")[number % 2])
            directory.add_user(f"u{number}")
        done.set()

    writer = threading.Thread(target=reorganize)
    writer.start()
    seen: set[object] = set()
    while not done.is_set():
        seen.add(paths(directory, "sato"))
        assert "sato" in {member.id for member in directory.page(under("sales"), None, 10).members}
        assert 5 == len(directory.organizations())
    writer.join()

    assert seen <= ways
    assert 304 == len(everyone(directory))


def test_async_is_the_same() -> None:
    """Law 18: the same answers, and changes made through the directory below are seen at once."""
    directory = acme()
    wrapped = AsyncInMemoryDirectory(directory)

    async def ask() -> tuple[Member | None, Sequence[Member], DirectoryPage, Sequence[Organization]]:
        wrapped.directory.suspend("sato")
        return (
            await wrapped.member("sato"),
            await wrapped.get(["boss"]),
            await wrapped.page(ALL, None, 2),
            await wrapped.organizations(),
        )

    assert asyncio.run(ask()) == (
        directory.member("sato"),
        directory.get(["boss"]),
        directory.page(ALL, None, 2),
        directory.organizations(),
    )


def test_async_wraps_a_directory() -> None:
    """Anything else is refused at once, not at the first question."""
    with pytest.raises(InvalidInput, match="directory: expected an InMemoryDirectory, got 'acme'"):
        AsyncInMemoryDirectory("acme")  # type: ignore[arg-type]


ANYTHING: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.builds(lambda: 10**5_000),
    st.floats(),
    st.binary(max_size=4),
    st.text(st.characters(codec=None), max_size=300),
    st.sampled_from(["sato", "hq", "active", "guest", "1.2", object(), print, ALL]),
    st.lists(st.one_of(st.text(max_size=3), st.integers(), st.just("hq"), st.lists(st.text())), max_size=3),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
)
FIELDS: Final = st.sampled_from([attribute.name for attribute in attrs.fields(Member) if attribute.init])


@given(
    ANYTHING, ANYTHING, ANYTHING, FIELDS, st.sampled_from(["search", "organization", "scope", "without_organization"])
)
def test_any_object(one: object, other: object, third: object, field: str, asked: str) -> None:
    """Law 13: any object anywhere gives a value or an ExtlinkError, and the directory stays whole."""
    directory = acme()
    query = attrs.evolve(ALL, **{asked: one})  # type: ignore[arg-type]
    damaged = attrs.evolve(Member(id=UserId("x"), display_name="x"))
    object.__setattr__(damaged, field, one)
    calls: list[Callable[..., object]] = [
        directory.member,
        directory.get,
        directory.page,
        directory.suspend,
        directory.resume,
        directory.remove_user,
        directory.remove_organization,
        lambda *_: directory.page(query, other, third),  # type: ignore[arg-type]
        lambda *_: directory.add_user(one, **{field: other}),  # type: ignore[arg-type]
        lambda *_: directory.change_user("sato", **{field: other}),  # type: ignore[arg-type]
        lambda *_: directory.add_organization(one, parent=other, order=third),  # type: ignore[arg-type]
        lambda *_: directory.change_organization("hq", name=one, code=other),  # type: ignore[arg-type]
        lambda *_: InMemoryDirectory(one, other),  # type: ignore[arg-type]
        lambda *_: InMemoryDirectory([damaged]),
        lambda *_: AsyncInMemoryDirectory(one),  # type: ignore[arg-type]
    ]
    for call in calls:
        for arguments in ((one, other, third), (one,)):
            try:
                call(*arguments)
            except ExtlinkError:
                continue
            except TypeError as error:
                # Python's own word on the number of arguments, which is ours to get right.
                assert "positional argument" in str(error)  # noqa: PT017 - the message is the point

    assert directory.page(ALL, None, 10).members
