"""A directory in memory: people in several organizations, organizations as a tree (TRACE T7).

Rules: a person may be in several organizations; the first is the priority organization and decides nothing. The tree
says which path leads to each, so a reorganization shows in everybody's paths at once. Removing an organization removes
its sub-organizations, and people lose those memberships. An id that is added again after its removal is the same
person or organization again: that is the host's statement. People are listed by display priority (none: last), then by
creation.

It may be shared between threads: no answer shows half a change. For tests, for demonstrations, and for hosts whose
people fit into memory.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Final, Unpack, cast

import attrs

from extlink.adapters._people import (
    MAX_PRIORITY,
    OrganizationDetails,
    Tree,
    UserDetails,
    check_parent,
    details_of,
    parents_first,
    parse_each,
    parse_organization,
    parse_tree,
    parse_user,
    path_to,
    shown,
)
from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.identifier import OrganizationId, UserId, parse_id, parse_items
from extlink.domain.search import parse_search, searchable
from extlink.errors import InvalidInput

__all__ = ["AsyncInMemoryDirectory", "InMemoryDirectory", "OrganizationDetails", "UserDetails"]

_MAX_LIMIT: Final = 1_000
_CURSOR: Final = re.compile(r"([0-9]{1,9})\.([0-9]{1,18})")


@attrs.define
class _Person:
    """A member, the person's place in the order, and the text to search in, once it was needed."""

    member: Member
    rank: tuple[int, int]
    names: str | None = None

    def has(self, part: str) -> bool:
        if self.names is None:
            self.names = searchable(self.member)
        return part in self.names


def _rank(person: _Person) -> tuple[int, int]:
    return person.rank


def _parse_cursor(after: str | None) -> tuple[int, int] | None:
    if after is None:
        return None
    text = cast("object", after)  # hosts hand in anything
    cursor = _CURSOR.fullmatch(text) if isinstance(text, str) else None
    if cursor is None:
        raise InvalidInput("after", f"expected the cursor of a page or None, got {shown(after)}")
    return int(cursor[1]), int(cursor[2])


def _parse_query(query: CandidateQuery) -> Callable[[_Person], bool]:
    """Return the condition that a query puts on people."""
    if not isinstance(query, CandidateQuery):  # pyright: ignore[reportUnnecessaryIsInstance] - hosts hand in anything
        raise InvalidInput("query", f"expected a CandidateQuery, got {shown(query)}")
    part = parse_search(query.search)
    if query.scope not in ("direct", "subtree"):
        raise InvalidInput("scope", f"expected direct or subtree, got {shown(query.scope)}")
    if type(query.without_organization) is not bool:
        raise InvalidInput("without_organization", f"expected True or False, got {shown(query.without_organization)}")
    organization = None if query.organization is None else OrganizationId(parse_id(query.organization, "organization"))
    if organization is not None and query.without_organization:
        raise InvalidInput("without_organization", "expected False beside an organization; ask for one of them")

    def is_wanted(person: _Person) -> bool:
        member = person.member
        if member.status == "deleted" or (query.without_organization and member.organizations):
            return False
        if organization is not None:
            return organization in (member.direct if query.scope == "direct" else member.within) and person.has(part)
        return person.has(part)

    return is_wanted


class InMemoryDirectory:
    """The `Directory` port over plain dicts, with the changes that a host's tests need.

    Args:
        members: people as values; of each path the last organization counts, the tree supplies the way to it.
        organizations: the tree, in any order.

    Raises:
        InvalidInput: malformed, an id twice, an organization or parent that does not exist, or a circle of parents.

    >>> directory = InMemoryDirectory()
    >>> _ = directory.add_organization("hq", name="Headquarters")
    >>> _ = directory.add_organization("sales", name="Sales", parent="hq")
    >>> _ = directory.add_user("sato", display_name="佐藤 昇", organizations=["sales"], products={"kintone"})
    >>> directory.member("sato").organizations
    (('hq', 'sales'),)
    >>> directory.suspend("sato").status
    'suspended'
    """

    def __init__(self, members: Iterable[Member] = (), organizations: Iterable[Organization] = ()) -> None:
        self._lock = Lock()
        # The tree is replaced, never changed; of the people single entries are, which is as good.
        self._tree: Tree = parse_tree(organizations)
        self._people: dict[UserId, _Person] = {}
        self._order: list[_Person] | None = None
        self._created = 0
        for member in parse_each(members, Member, "members"):
            self.add_user(member.id, **details_of(member))

    def member(self, user: str) -> Member | None:
        """Return one person, deleted ones included, or None if there is none."""
        # Whoever is found under a plain text needs no look at the form of the id.
        person = self._people.get(UserId(user)) if type(user) is str else None
        if person is None:
            person = self._people.get(UserId(parse_id(user, "user")))
        return None if person is None else person.member

    def get(self, users: Sequence[str]) -> Sequence[Member]:
        """Return the people among `users` that exist, each once, in the order asked; at most 1,000."""
        ids = dict.fromkeys(parse_id(user, "users") for user in parse_items(users, "users"))
        found = map(self._people.get, map(UserId, ids))
        return tuple(person.member for person in found if person is not None)

    def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        """Return people in display order, each once; suspended ones are shown, deleted ones are not.

        Args:
            query: an organization (one that does not exist has nobody), a search text, or those without organization.
            after: the cursor of the page before, or None. People added meanwhile shift nothing: whoever was to come
                still comes, once.
            limit: 1 to 1,000 people.

        Raises:
            InvalidInput: malformed, or both an organization and "without organization".
        """
        is_wanted = _parse_query(query)
        cursor = _parse_cursor(after)
        if type(limit) is not int or not 1 <= limit <= _MAX_LIMIT:
            raise InvalidInput("limit", f"expected 1 to {_MAX_LIMIT}, got {shown(limit)}")
        found: list[_Person] = []
        with self._lock:
            order = self._sorted()
            for index in range(bisect_right(order, cursor, key=_rank) if cursor else 0, len(order)):
                if is_wanted(order[index]):
                    found.append(order[index])
                    if len(found) > limit:
                        break
        following = "{}.{}".format(*found[limit - 1].rank) if len(found) > limit else None
        return DirectoryPage(tuple(person.member for person in found[:limit]), following)

    def organizations(self) -> Sequence[Organization]:
        """Return the whole tree, parents before children, siblings by `order`, then by creation."""
        return parents_first(self._tree)

    def add_organization(self, organization: str, **details: Unpack[OrganizationDetails]) -> Organization:
        """Add an organization under `parent`, or at the top.

        Raises:
            InvalidInput: malformed, already there, or the parent is not.
        """
        key = OrganizationId(parse_id(organization, "organization"))
        with self._lock:
            if key in self._tree:
                raise InvalidInput("organization", f"{shown(key)} is there already; use change_organization")
            self._plant(parse_organization(Organization(id=key, name=key), details))
            return self._tree[key]

    def change_organization(self, organization: str, **changes: Unpack[OrganizationDetails]) -> Organization:
        """Rename or move an organization; the membership paths that lead through it follow.

        Raises:
            InvalidInput: malformed, not there, or moved under a parent that is not there or is below it.
        """
        with self._lock:
            key = self._known_organization(organization)
            self._plant(parse_organization(self._tree[key], changes))
            self._follow()
            return self._tree[key]

    def remove_organization(self, organization: str) -> None:
        """Remove an organization with all its sub-organizations (T7); nobody is a member of them any longer.

        Raises:
            InvalidInput: malformed, or not there.
        """
        with self._lock:
            key = self._known_organization(organization)
            self._tree = {each: node for each, node in self._tree.items() if key not in path_to(self._tree, each)}
            self._follow()

    def add_user(self, user: str, **details: Unpack[UserDetails]) -> Member:
        """Add a person, active unless `status` says otherwise.

        Raises:
            InvalidInput: malformed, already there, or in an organization that is not.
        """
        key = UserId(parse_id(user, "user"))
        with self._lock:
            if key in self._people:
                raise InvalidInput("user", f"{shown(key)} is there already; use change_user")
            member = parse_user(Member(id=key, display_name=key), details, self._tree)
            self._created += 1
            return self._put(member, self._created)

    def change_user(self, user: str, **changes: Unpack[UserDetails]) -> Member:
        """Change what is said of a person; what is not named stays, and so does the place among equals.

        Raises:
            InvalidInput: malformed, not there, or moved to an organization that is not.
        """
        with self._lock:
            before = self._known_person(user)
            return self._put(parse_user(before.member, changes, self._tree), before.rank[1])

    def suspend(self, user: str) -> Member:
        """Suspend a person, who keeps memberships and place.

        Raises:
            InvalidInput: malformed, or not there.
        """
        return self.change_user(user, status="suspended")

    def resume(self, user: str) -> Member:
        """Make a person active again.

        Raises:
            InvalidInput: malformed, or not there.
        """
        return self.change_user(user, status="active")

    def remove_user(self, user: str) -> None:
        """Remove a person, who is unknown from now on; `change_user(user, status="deleted")` remembers instead.

        Raises:
            InvalidInput: malformed, or not there.
        """
        with self._lock:
            del self._people[self._known_person(user).member.id]
            self._order = None

    def _known_organization(self, organization: str) -> OrganizationId:
        key = OrganizationId(parse_id(organization, "organization"))
        if key not in self._tree:
            raise InvalidInput("organization", f"there is no organization {shown(key)}; add it first")
        return key

    def _known_person(self, user: str) -> _Person:
        person = self._people.get(UserId(parse_id(user, "user")))
        if person is None:
            raise InvalidInput("user", f"there is no user {shown(user)}; add the user first")
        return person

    def _plant(self, organization: Organization) -> None:
        check_parent(self._tree, organization)
        self._tree = {**self._tree, organization.id: organization}

    def _put(self, member: Member, created: int) -> Member:
        priority = MAX_PRIORITY + 1 if member.display_priority is None else member.display_priority
        self._people[member.id] = _Person(member, (priority, created))
        self._order = None
        return member

    def _follow(self) -> None:
        """Lead everybody's membership paths through the tree as it is now."""
        paths = {each: path_to(self._tree, each) for each in self._tree}
        people: dict[UserId, _Person] = {}
        for user, person in self._people.items():
            before = person.member
            led = tuple(paths[path[-1]] for path in before.organizations if path[-1] in paths)
            moved = led != before.organizations
            people[user] = _Person(attrs.evolve(before, organizations=led), person.rank) if moved else person
        self._people, self._order = people, None

    def _sorted(self) -> list[_Person]:
        if self._order is None:
            self._order = sorted(self._people.values(), key=_rank)
        return self._order


class AsyncInMemoryDirectory:
    """The `AsyncDirectory` port over an `InMemoryDirectory`, which takes the changes.

    Args:
        directory: the people; without one, nobody is there yet.

    Raises:
        InvalidInput: not an `InMemoryDirectory`.

    >>> people = InMemoryDirectory()
    >>> for_async_hosts = AsyncInMemoryDirectory(people)
    >>> people.add_user("sato") == for_async_hosts.directory.member("sato")
    True
    """

    def __init__(self, directory: InMemoryDirectory | None = None) -> None:
        if directory is not None and not isinstance(directory, InMemoryDirectory):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput("directory", f"expected an InMemoryDirectory, got {shown(directory)}")
        self.directory: InMemoryDirectory = InMemoryDirectory() if directory is None else directory

    async def member(self, user: str) -> Member | None:
        """As `InMemoryDirectory.member`."""
        return self.directory.member(user)

    async def get(self, users: Sequence[str]) -> Sequence[Member]:
        """As `InMemoryDirectory.get`."""
        return self.directory.get(users)

    async def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        """As `InMemoryDirectory.page`."""
        return self.directory.page(query, after, limit)

    async def organizations(self) -> Sequence[Organization]:
        """As `InMemoryDirectory.organizations`."""
        return self.directory.organizations()
