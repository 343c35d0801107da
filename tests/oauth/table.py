"""requirements.toml as values: what the server, a resource, a client or the host has to do, and where that is answered.

The ids are those of the documents: BCP is RFC 9700, O21 the draft of OAuth 2.1, ASVS version 5.0, a number an RFC. The
sentences are our own.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import attrs

__all__ = ["LEVELS", "ROLES", "Requirement", "read_requirements", "unanswered"]

TABLE: Final = Path(__file__).with_name("requirements.toml")
ROLES: Final = ("AS", "CL", "RS", "host")
LEVELS: Final = ("MUST", "SHOULD", "MAY", "L1", "L2", "L3")
# What has to be kept today; the other levels may say why they are not.
_BINDING: Final = frozenset({"MUST", "L1"})


@attrs.frozen(kw_only=True)
class Requirement:
    """One rule.

    Args:
        role: who keeps it: AS the authorization server, RS the resource server, CL a client (outbound), host.
        level: of RFC 2119, or of ASVS.
        tests: that are named by the id.
        host: what the host does, and which datum extlink gives it for that.
        later: why it is not answered.
    """

    id: str
    role: str
    level: str
    rule: str
    tests: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    host: str = ""
    later: str = ""


def read_requirements(path: Path = TABLE) -> tuple[Requirement, ...]:
    """Return the table, in the order of the documents."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(Requirement(id=name, **fields) for name, fields in tables.items())


def unanswered(every: tuple[Requirement, ...] | list[Requirement]) -> list[str]:
    """Return the ids whose answer does not do: the server and resources keep theirs, the host's is explained."""
    return [one.id for one in every if not _is_answered(one)]


def _is_answered(one: Requirement) -> bool:
    roles = set(one.role.split(", "))
    if not roles <= set(ROLES) or one.level not in LEVELS or not one.rule.endswith(".") or len(one.rule) > 200:
        return False
    if "host" in roles and not one.host:
        return False
    if roles & {"AS", "RS"} and one.level in _BINDING:
        return bool(one.tests)
    return bool(one.tests or one.later or ("host" in roles and one.host))
