"""Operations on users, as the host tells of them: suspend, resume, delete (F8; TRACE T12).

Each is one record: every link, code and token of the user is refused at the next check, in every process. What the
host's directory says is asked as well, so a user the directory calls suspended is refused even if nobody told extlink.
"""

from __future__ import annotations

from typing import Final, Literal

from extlink import facts
from extlink.domain.event import Event
from extlink.domain.existing import parse_choice
from extlink.domain.grant import Existing
from extlink.domain.identifier import UserId, parse_id
from extlink.domain.reason import Reason
from extlink.domain.tenant import UserState
from extlink.errors import Refused
from extlink.operation import ADMINISTRATORS_AND_HOST, Call, Commit, Operation, Steps, operation, put, read
from extlink.records import tenant_key, user_key

__all__ = ["delete", "resume", "state", "suspend"]

_ACTIVE: Final = UserState()


def _load(call: Call, user: UserId) -> Steps[UserState]:
    at = user_key(call.tenant, user)
    answers = yield from read(tenant_key(call.tenant), at)
    facts.opened(answers, call.tenant)
    return answers.get(at) or _ACTIVE


@operation("users.suspend", by=ADMINISTRATORS_AND_HOST, records=("user.suspended",))
def _suspend(call: Call, *, user: UserId, existing: Existing) -> Steps[Commit[UserState]]:
    known = yield from _load(call, user)
    if known.status == "deleted":
        raise Refused(Reason("user.deleted", {"user": user}))
    if known.status == "suspended" and existing == "suspend":
        return Commit(known)
    after = UserState("suspended", known.epoch + (existing == "revoke"))
    event = Event("user.suspended", {"user": user, "before": known.status, "existing": existing})
    return Commit(after, (put(user_key(call.tenant, user), after),), (event,))


def suspend(user: str, *, existing: Literal["revoke", "suspend"] = "revoke") -> Operation[UserState]:
    """Refuse a user everywhere from the next check on.

    Source: F8, MISSION's four verbs. Needs `common_administrator` or `host`.

    Args:
        existing: `revoke` ends the user's links for good; `suspend`, for a leave, lets them work again after `resume`.

    Raises when run:
        Refused: `user.deleted`.

    >>> suspend("sato")
    users.suspend(user='sato', existing='revoke')
    """
    return _suspend(user=_id(user), existing=parse_choice("users.suspend", existing))


def _id(value: object) -> UserId:
    return UserId(parse_id(value, "user"))


@operation("users.resume", by=ADMINISTRATORS_AND_HOST, records=("user.resumed",))
def _resume(call: Call, *, user: UserId) -> Steps[Commit[UserState]]:
    known = yield from _load(call, user)
    if known.status == "deleted":
        raise Refused(Reason("user.deleted", {"user": user}))
    if known.status == "active":
        return Commit(known)
    after = UserState("active", known.epoch)
    return Commit(after, (put(user_key(call.tenant, user), after),), (Event("user.resumed", {"user": user}),))


def resume(user: str) -> Operation[UserState]:
    """Let a suspended user in again; links that the suspension ended stay ended.

    Raises when run:
        Refused: `user.deleted`.

    >>> resume("sato")
    users.resume(user='sato')
    """
    return _resume(user=_id(user))


@operation("users.delete", by=ADMINISTRATORS_AND_HOST, records=("user.deleted",))
def _delete(call: Call, *, user: UserId) -> Steps[Commit[UserState]]:
    known = yield from _load(call, user)
    if known.status == "deleted":
        return Commit(known)
    after = UserState("deleted", known.epoch + 1)
    event = Event("user.deleted", {"user": user, "before": known.status})
    return Commit(after, (put(user_key(call.tenant, user), after),), (event,))


def delete(user: str, *, existing: Literal["revoke"] = "revoke") -> Operation[UserState]:
    """End everything of a user for good; the record stays as a tombstone, so nothing can be revived.

    Source: TRACE T12, DESIGN 5.

    Args:
        existing: `revoke` alone; `suspend` for a leave pauses links.

    Raises:
        InvalidInput: any other word about existing links.

    >>> delete("sato")
    users.delete(user='sato')
    """
    parse_choice("users.delete", existing)
    return _delete(user=_id(user))


@operation("users.state", by=ADMINISTRATORS_AND_HOST)
def _state(call: Call, *, user: UserId) -> Steps[Commit[UserState]]:
    return Commit((yield from _load(call, user)))


def state(user: str) -> Operation[UserState]:
    """Return what extlink was told about a user; one it never heard of is active.

    >>> state("sato")
    users.state(user='sato')
    """
    return _state(user=_id(user))
