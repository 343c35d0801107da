"""Events: the vocabulary of the ledger, one table (DESIGN 7; the product's own audit log names the first eight).

Rule of levels: what changes who may do what, or hints at an attack, is `important`; what a user does within the rules,
and life-cycle routine, is `information`. Reads, previews and explanations write nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, cast

import attrs

from extlink.domain.identifier import TenantId
from extlink.domain.instant import Instant
from extlink.domain.tenant import Actor
from extlink.errors import InvalidInput

__all__ = ["VOCABULARY", "Detail", "Event", "Kind", "canonical"]

Level = Literal["important", "information"]
Module = Literal["System Administration", "Integrations", "Authentication"]
Result = Literal["SUCCESS", "FAILED", "VALIDATION ERROR"]
Detail = str | int | bool | None | tuple["Detail", ...] | Mapping[str, "Detail"]
FORMAT: Final = 1
_MAX_ADDRESS: Final = 64


class Kind(NamedTuple):
    """What every entry of one name has in common."""

    level: Level
    module: Module
    action: str
    result: Result = "SUCCESS"


_S: Final[Module] = "System Administration"
_I: Final[Module] = "Integrations"

VOCABULARY: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "tenant.opened": Kind("important", _S, "open domain"),
        "tenant.links_ended": Kind("important", _S, "revoke all integrations"),
        "tenant.setting_changed": Kind("important", _S, "update integration setting"),
        "keys.registered": Kind("important", _S, "register key"),
        "service.registered": Kind("important", _S, "add integration"),
        "service.redefined": Kind("important", _S, "update integration"),
        "service.unregistered": Kind("important", _S, "delete integration"),
        "service.enabled": Kind("important", _S, "enable integration"),
        "service.disabled": Kind("important", _S, "disable integration"),
        "service.quarantined": Kind("important", _S, "quarantine integration"),
        "service.released": Kind("important", _S, "release integration"),
        "service.purged": Kind("important", _S, "revoke all of integration"),
        "service.confirmed": Kind("important", _S, "confirm integration step"),
        "service.unconfirmed": Kind("important", _S, "no longer confirm integration step"),
        "default.changed": Kind("important", _S, "update integration default"),
        "grant.changed": Kind("important", _S, "update permitted users"),
        "grant.subject_vanished": Kind("important", _S, "permitted subject deleted"),
        "request.made": Kind("information", _I, "request integration"),
        "request.approved": Kind("important", _S, "approve request"),
        "request.declined": Kind("important", _S, "decline request"),
        "request.expired": Kind("information", _S, "expire request"),
        "client.added": Kind("important", _S, "add oauth client"),
        "client.changed": Kind("important", _S, "update oauth client"),
        "client.removed": Kind("important", _S, "delete oauth client"),
        "client.exempted": Kind("important", _S, "update oauth client"),
        "client.secret_rotated": Kind("important", _S, "update oauth client secret"),
        "client.authentication_failed": Kind("important", "Authentication", "authenticate client", "FAILED"),
        "network.changed": Kind("important", _S, "update ip restriction"),
        "network.reset": Kind("important", _S, "reset ip restriction"),
        "network.pinned": Kind("important", _S, "update published ranges"),
        "network.unpinned": Kind("important", _S, "delete published ranges"),
        "datagroup.changed": Kind("important", _S, "update data group"),
        "user.suspended": Kind("important", _I, "user status changed"),
        "user.resumed": Kind("important", _I, "user status changed"),
        "user.deleted": Kind("important", _I, "user status changed"),
        "consent.denied": Kind("information", _I, "deny authorization"),
        "link.authorized": Kind("information", _I, "authorize integration"),
        "link.revoked": Kind("important", _I, "revoke integration"),
        "link.revoked_by_user": Kind("information", _I, "revoke integration"),
        "link.revoked_by_administrator": Kind("important", _S, "revoke integration"),
        "link.scopes_changed": Kind("information", _I, "update authorization"),
        "link.dormant": Kind("information", _I, "expire integration"),
        "link.suspended": Kind("important", _I, "suspend integration"),
        "link.resumed": Kind("important", _I, "resume integration"),
        "link.pinned": Kind("information", _I, "require published ranges"),
        "link.unpinned": Kind("information", _I, "no longer require published ranges"),
        "token.issued": Kind("information", _I, "issue token"),
        "token.refreshed": Kind("information", _I, "refresh token"),
        "token.refresh_repeated": Kind("information", _I, "refresh token"),
        "token.reuse_detected": Kind("important", _I, "token reuse detected", "FAILED"),
        "code.reuse_detected": Kind("important", _I, "code reuse detected", "FAILED"),
        "subscription.added": Kind("information", _I, "add trigger"),
        "subscription.removed": Kind("information", _I, "delete trigger"),
        "access.refused": Kind("information", _I, "use integration", "FAILED"),
        "operation.denied": Kind("important", _S, "operation denied", "FAILED"),
    },
)


@attrs.frozen
class Event:
    """One thing that happened: a name of the vocabulary and what it was about.

    Args:
        name: of `VOCABULARY`.
        details: service, user, link, before, after ...; never a secret, never a digest.

    Raises:
        InvalidInput: a name that the vocabulary does not have.

    >>> Event("service.enabled", {"service": "slack"}).kind.action
    'enable integration'
    """

    name: str
    details: Mapping[str, Detail] = MappingProxyType({})

    def __attrs_post_init__(self) -> None:
        if self.name not in VOCABULARY:
            raise InvalidInput("event", f"expected a name of the vocabulary, got {ascii(self.name)[:64]}")

    @property
    def kind(self) -> Kind:
        """Level, module, action and result, as the product's audit log shows them."""
        return VOCABULARY[self.name]


def canonical(
    event: Event,
    *,
    tenant: TenantId,
    actor: Actor,
    operation: str,
    at: Instant,
    images: tuple[tuple[str, Detail], ...],
) -> bytes:
    """Return the bytes of a ledger entry: one form for one content, without number (the store gives it that).

    Args:
        images: key and after-image of every record written with the event, digests and salts left out; None: deleted.
    """
    kind = event.kind
    fields: dict[str, Detail] = {
        "format": FORMAT,
        "tenant": tenant,
        "at": at,
        "event": event.name,
        "level": kind.level,
        "module": kind.module,
        "action": kind.action,
        "result": kind.result,
        "operation": operation,
        "actor": {"user": actor.user, "roles": tuple(sorted(actor.roles)), "address": _address(actor.address)},
        "details": event.details,
        "records": images,
    }
    return encode(fields)


def _address(text: str | None) -> str | None:
    """Return what the host said of the actor's address, whatever it is, as a short text that every store can hold."""
    return None if text is None else text[:_MAX_ADDRESS].encode("ascii", "backslashreplace").decode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    raise TypeError(f"expected plain data in a ledger entry, got {type(value).__name__}")


def encode(value: object) -> bytes:
    """Return canonical JSON: sorted keys, no blanks, UTF-8, nothing escaped that need not be."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
    return text.encode()
