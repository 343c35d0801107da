"""Tenant: one customer of the host, opened explicitly with its edition and products (DESIGN 1)."""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

import attrs

from extlink.domain.edition import Edition
from extlink.domain.identifier import TenantId, UserId, parse_ids
from extlink.errors import InvalidInput

__all__ = ["HOST", "Actor", "Epochs", "Role", "Tenant", "UserState", "parse_roles"]

Role = Literal["user", "common_administrator", "access_administrator", "app_administrator", "host"]
ROLES: frozenset[str] = frozenset({"user", "common_administrator", "access_administrator", "app_administrator", "host"})


def parse_roles(value: object) -> frozenset[Role]:
    """Return the roles the host states for an acting person (TRACE T11).

    Raises:
        InvalidInput: an unknown role; a misspelt one would otherwise look like a missing one.

    >>> sorted(parse_roles({"common_administrator"}))
    ['common_administrator']
    """
    names = parse_ids(value, "roles")
    for name in names:
        if name not in ROLES:
            raise InvalidInput("roles", f"expected some of {', '.join(sorted(ROLES))}, got {name[:64]!a}")
    return cast("frozenset[Role]", frozenset(names))


# Records of the host itself: what holds for every tenant at once. No tenant may be opened under this name.
HOST = TenantId("~host")


@attrs.frozen(kw_only=True)
class Tenant:
    """A tenant's own facts.

    Args:
        unconfigured_services: what holds for a registered service that nobody enabled or disabled (F1).
        requires_flow_connectors: whether a call that does not state its flow's connectors is refused (TRACE T2).
        epoch: raised to end every link of the tenant at once.
    """

    id: TenantId
    edition: Edition
    products: frozenset[str]
    unconfigured_services: Literal["deny", "allow"] = "deny"
    requires_flow_connectors: bool = False
    epoch: int = 0


@attrs.frozen
class UserState:
    """What the host told extlink about a user; a user it never spoke of is active with epoch 0."""

    status: Literal["active", "suspended", "deleted"] = "active"
    epoch: int = 0


class Epochs(NamedTuple):
    """The four counters a link copies when it is accepted: it lives only while all equal today's (DESIGN 5)."""

    tenant: int = 0
    service: int = 0
    user: int = 0
    host: int = 0


@attrs.frozen
class Actor:
    """Who asks for an operation, as the host states it (TRACE T11); `user` None is the system itself.

    Args:
        roles: what the host says the person may do; a missing role is refused, never assumed.
        address: where the person sits, so that a restriction that would lock them out is noticed.
    """

    user: UserId | None = None
    roles: frozenset[Role] = frozenset()
    address: str | None = None
