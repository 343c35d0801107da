"""People and organizations as a host states them, checked, for the directory in memory (TRACE T7).

Rules: every field is checked when it is stated, so that a directory answers with well-formed values alone; a tree has
no circle and no parent that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypedDict, TypeVar, cast

import attrs

from extlink.domain.directory import Kind, Member, Organization, OrganizationPath, Status
from extlink.domain.identifier import OrganizationId, parse_id, parse_ids, parse_items
from extlink.errors import InvalidInput

__all__ = [
    "MAX_PRIORITY",
    "OrganizationDetails",
    "Tree",
    "UserDetails",
    "check_parent",
    "details_of",
    "parents_first",
    "parse_each",
    "parse_organization",
    "parse_tree",
    "parse_user",
    "path_to",
    "shown",
]

MAX_PRIORITY: Final = 99_999_999
_MAX_TEXT: Final = 1_000
_SHOWN_BITS: Final = 64
_MAX_PEOPLE: Final = 1_000_000

Tree = Mapping[OrganizationId, Organization]
_T = TypeVar("_T")


class OrganizationDetails(TypedDict, total=False):
    """What can be said of an organization, as in `Organization`; the name is the id where nothing else is said."""

    name: str
    parent: str | None
    code: str
    order: int


class UserDetails(TypedDict, total=False):
    """What can be said of a person, as in `Member`; the display name is the id where nothing else is said.

    `organizations` are the ids of those the person is directly in, the priority organization first.
    """

    display_name: str
    login_name: str
    surname: str
    given_name: str
    phonetic_surname: str
    phonetic_given_name: str
    localized_names: Iterable[str]
    email: str | None
    status: Status
    kind: Kind
    language: str
    time_zone: str
    display_priority: int | None
    products: Iterable[str]
    groups: Iterable[str]
    organizations: Iterable[str]


def shown(value: object) -> str:
    """Return a value as a message may name it: short ASCII; of anything but text and small numbers the type alone."""
    # Python refuses to write out integers of more than 4,300 digits.
    is_short = isinstance(value, str | None) or (isinstance(value, int) and value.bit_length() <= _SHOWN_BITS)
    return ascii(value)[:64] if is_short else type(value).__name__


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(field, f"expected text, got {type(value).__name__}")
    if len(value) > _MAX_TEXT:
        raise InvalidInput(field, f"expected at most {_MAX_TEXT} characters, got {len(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput(field, f"expected text in Unicode, got {shown(value)} with a lone surrogate") from None
    return value


def _text_or_none(value: object, field: str) -> str | None:
    return None if value is None else _text(value, field)


def _texts(value: object, field: str) -> tuple[str, ...]:
    return tuple(_text(item, field) for item in parse_items(value, field))


def _ids(value: object, field: str) -> frozenset[str]:
    return frozenset(parse_ids(value, field))


def _ids_in_order(value: object, field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_id(item, field) for item in parse_items(value, field)))


def _id_or_none(value: object, field: str) -> str | None:
    return None if value is None else parse_id(value, field)


def _integer(value: object, field: str) -> int:
    if type(value) is not int:
        raise InvalidInput(field, f"expected a whole number, got {shown(value)}")
    return value


def _priority(value: object, field: str) -> int | None:
    if value is not None and not 0 <= _integer(value, field) <= MAX_PRIORITY:
        raise InvalidInput(field, f"expected 0 to {MAX_PRIORITY} or None, got {shown(value)}")
    return cast("int | None", value)


def _one_of(*choices: str) -> Callable[[object, str], str]:
    def parse(value: object, field: str) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InvalidInput(field, f"expected one of {', '.join(choices)}, got {shown(value)}")
        return value

    return parse


_Parsers = Mapping[str, Callable[[object, str], object]]
_ORGANIZATION: Final[_Parsers] = {"name": _text, "parent": _id_or_none, "code": _text, "order": _integer}
_USER: Final[_Parsers] = {
    "display_name": _text,
    "login_name": _text,
    "surname": _text,
    "given_name": _text,
    "phonetic_surname": _text,
    "phonetic_given_name": _text,
    "localized_names": _texts,
    "email": _text_or_none,
    "status": _one_of("active", "suspended", "deleted"),
    "kind": _one_of("member", "guest"),
    "language": _text,
    "time_zone": _text,
    "display_priority": _priority,
    "products": _ids,
    "groups": _ids,
    "organizations": _ids_in_order,
}


def _parse(details: Mapping[str, object], parsers: _Parsers) -> dict[str, object]:
    for field in details:
        if field not in parsers:
            raise InvalidInput("details", f"expected some of {', '.join(parsers)}, got {shown(field)}")
    return {field: parsers[field](value, field) for field, value in details.items()}


def parse_organization(organization: Organization, details: Mapping[str, object]) -> Organization:
    """Return an organization with the stated details, each checked; whether the parent exists is the tree's matter."""
    evolve = cast("Callable[..., Organization]", attrs.evolve)
    return evolve(organization, **_parse(details, _ORGANIZATION))


def parse_user(member: Member, details: Mapping[str, object], tree: Tree) -> Member:
    """Return a member with the stated details, each checked, and with the membership paths that the tree has.

    Raises:
        InvalidInput: malformed, a detail nobody knows, or an organization that is not in the tree.
    """
    parsed = _parse(details, _USER)
    if "organizations" in parsed:
        ids = cast("tuple[OrganizationId, ...]", parsed["organizations"])
        for each in ids:
            if each not in tree:
                raise InvalidInput("organizations", f"there is no organization {shown(each)}; add it first")
        parsed["organizations"] = tuple(path_to(tree, each) for each in ids)
    evolve = cast("Callable[..., Member]", attrs.evolve)
    return evolve(member, **parsed)


def parse_each(values: Iterable[_T], kind: type[_T], field: str) -> tuple[_T, ...]:
    """Return the items of a collection that all are of one class.

    Raises:
        InvalidInput: not a collection, an item of another class, or over a million items.
    """
    if not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] - hosts hand in anything
        raise InvalidInput(field, f"expected a list of {kind.__name__}, got {shown(values)}")
    items: list[_T] = []
    for item in values:
        if not isinstance(item, kind):
            raise InvalidInput(field, f"expected {kind.__name__} values, got {shown(item)}")
        if len(items) == _MAX_PEOPLE:
            raise InvalidInput(field, f"expected at most {_MAX_PEOPLE}")
        items.append(item)
    return tuple(items)


def details_of(member: Member) -> UserDetails:
    """Return what a ready-made member says, with the last organization of each path for the path."""
    details: dict[str, object] = {field: getattr(member, field) for field in _USER}
    paths = [parse_items(path, "organizations") for path in parse_items(member.organizations, "organizations")]
    details["organizations"] = [path[-1] for path in paths if path]
    return cast("UserDetails", details)


def parse_tree(organizations: Iterable[Organization]) -> Tree:
    """Return organizations, in any order, as a tree.

    Raises:
        InvalidInput: malformed, an id twice, a parent that does not exist, or a circle.
    """
    tree: dict[OrganizationId, Organization] = {}
    for given in parse_each(organizations, Organization, "organizations"):
        key = OrganizationId(parse_id(given.id, "organizations"))
        if key in tree:
            raise InvalidInput("organizations", f"{shown(key)} is there twice")
        details = {field: getattr(given, field) for field in _ORGANIZATION}
        tree[key] = parse_organization(Organization(id=key, name=key), details)
    parents_first(tree)
    return tree


def check_parent(tree: Tree, organization: Organization) -> None:
    """Refuse a parent that is not in the tree, or that is below the organization itself.

    Raises:
        InvalidInput: either of them.
    """
    parent = organization.parent
    if parent is not None and parent not in tree:
        raise InvalidInput("parent", f"there is no organization {shown(parent)}; add it first")
    if parent is not None and organization.id in path_to(tree, parent):
        raise InvalidInput("parent", f"{shown(organization.id)} would be above itself; name a parent outside of it")


def parents_first(tree: Tree) -> tuple[Organization, ...]:
    """Return the organizations of a tree, parents before children, siblings by `order`, then as they were added.

    Raises:
        InvalidInput: a parent that does not exist, or a circle of parents.
    """
    children: dict[OrganizationId | None, list[Organization]] = {}
    for node in tree.values():
        if node.parent is not None and node.parent not in tree:
            raise InvalidInput("parent", f"there is no organization {shown(node.parent)}; add it first")
        children.setdefault(node.parent, []).append(node)
    found: list[Organization] = []
    waiting = _in_order(children.get(None, []))
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += _in_order(children.get(node.id, []))
    if len(found) < len(tree):
        lost = min(tree.keys() - {node.id for node in found})
        raise InvalidInput("parent", f"{shown(lost)} would be above itself; name a parent outside of it")
    return tuple(found)


def _in_order(siblings: list[Organization]) -> list[Organization]:
    """Return siblings in reverse: the end of the list is taken first."""
    return sorted(siblings, key=lambda node: node.order)[::-1]


def path_to(tree: Tree, organization: OrganizationId) -> OrganizationPath:
    """Return the way from the top of a tree down to one of its organizations."""
    path = [organization]
    while (parent := tree[path[-1]].parent) is not None:
        path.append(parent)
    return tuple(reversed(path))
