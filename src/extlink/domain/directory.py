"""The host's directory as values: people, their organizations and groups (TRACE T7).

Rules: a user may be in several organizations; the priority organization is for display only and never decides; ids are
immutable, names and codes are not, so grants name ids alone.
"""

from __future__ import annotations

from typing import Literal

import attrs

from extlink.domain.identifier import GroupId, OrganizationId, UserId

__all__ = ["CandidateQuery", "DirectoryPage", "Kind", "Member", "Organization", "Status"]

Status = Literal["active", "suspended", "deleted"]
Kind = Literal["member", "guest"]
OrganizationPath = tuple[OrganizationId, ...]


@attrs.frozen(kw_only=True)
class Organization:
    """One node of the organization tree; `parent` is None at the top."""

    id: OrganizationId
    name: str
    parent: OrganizationId | None = None
    code: str = ""
    order: int = 0


@attrs.frozen(kw_only=True)
class Member:
    """One person as the host's directory answers.

    Args:
        id: the host's immutable user id.
        display_name: what administrators see; `login_name` and the four name parts are searched as well.
        organizations: one path per membership, from the top organization down to the one the person is in.
        groups: ids of groups; Everyone is a grant of its own and is not listed.
        products: ids of the host's products the person may use, such as `kintone`.
        status: `suspended` and `deleted` people are refused whatever their grants say.
        display_priority: 0 to 99,999,999, smaller first; None comes last; equal: the earlier created first.
    """

    id: UserId
    display_name: str
    login_name: str = ""
    surname: str = ""
    given_name: str = ""
    phonetic_surname: str = ""
    phonetic_given_name: str = ""
    localized_names: tuple[str, ...] = ()
    email: str | None = None
    status: Status = "active"
    kind: Kind = "member"
    language: str = "auto"
    time_zone: str = "UTC"
    display_priority: int | None = None
    products: frozenset[str] = frozenset()
    organizations: tuple[OrganizationPath, ...] = ()
    groups: frozenset[GroupId] = frozenset()
    # Compiled once per directory answer, so that a check only tests membership of small sets.
    direct: frozenset[OrganizationId] = attrs.field(init=False, repr=False, eq=False)
    within: frozenset[OrganizationId] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "direct", frozenset(path[-1] for path in self.organizations if path))
        object.__setattr__(self, "within", frozenset(node for path in self.organizations for node in path))


@attrs.frozen(kw_only=True)
class CandidateQuery:
    """Which people an administrator wants to see (page A, STEP 1, item 4; TRACE T7).

    Args:
        search: text looked for in all names and the login name, folded; empty: everyone.
        organization: only its people; `scope` says whether sub-organizations count.
        without_organization: only the people in no organization.
    """

    search: str = ""
    organization: OrganizationId | None = None
    scope: Literal["direct", "subtree"] = "subtree"
    without_organization: bool = False


@attrs.frozen
class DirectoryPage:
    """A bounded page of people in the order of the directory; `next` is the cursor of the following page or None."""

    members: tuple[Member, ...]
    next: str | None = None
