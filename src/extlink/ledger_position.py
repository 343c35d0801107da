"""Where a ledger is, and whether anything was decided since a position: what a look at many records rests on.

Records that are only peeked at are guarded by nobody. A look that began and ended at one position saw one tenant, since
whatever is decided has its entry in the same commit; what a tenant in use records all day beside that, refused calls
and renewed tokens, decides nothing (`NO_CHANGES`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from extlink.domain.identifier import TenantId
from extlink.errors import Contention
from extlink.ledger_entries import NO_CHANGES, read_entry
from extlink.operation import List, Steps, ask
from extlink.ports import MAX_LIST, Entries, Position

__all__ = ["LOOKS", "last_since", "moved_on", "position_of", "steady"]

T = TypeVar("T")
LOOKS: Final = 3
_MAX_SINCE: Final = 10_000


def steady(tenant: TenantId, look: Callable[[], Steps[T]]) -> Steps[T]:
    """Return what a look saw of a tenant in which nothing was decided meanwhile; else look again.

    Raises:
        Contention: the tenant moved on during every look.
    """
    for _ in range(LOOKS):
        position = yield from position_of(tenant)
        seen = yield from look()
        if (yield from last_since(tenant, position, NO_CHANGES)) is not None:
            return seen
    raise moved_on()


def moved_on() -> Contention:
    """Return the error of a tenant that never stood still."""
    return Contention(f"the tenant moved on during {LOOKS} looks in a row; nothing was changed, call it again")


def position_of(tenant: TenantId) -> Steps[int]:
    """Return the number of a ledger's last entry: in ever longer steps past it, then back in ever shorter ones."""
    known, step = 0, 1
    while (yield from _has_entry(tenant, known + step)):
        known, step = known + step, step * 2
    while step > 1:
        step //= 2
        if (yield from _has_entry(tenant, known + step)):
            known += step
    return known


def last_since(tenant: TenantId, position: int, still: frozenset[str]) -> Steps[Position | None]:
    """Return the number of a ledger's last entry; None if any after a position is of another event, or too many are."""
    if position and not (yield from _has_entry(tenant, position)):
        return None
    number = position
    while number <= position + _MAX_SINCE:
        page = yield from ask(List(Entries(tenant.encode(), Position(number), MAX_LIST)))
        for item in page.items:
            entry = read_entry(item.key.path, item.value or b"")
            if entry.event not in still:
                return None
            number = entry.number
        if not page.more:
            return Position(number)
    return None


def _has_entry(tenant: TenantId, number: int) -> Steps[bool]:
    page = yield from ask(List(Entries(tenant.encode(), Position(number - 1), 1)))
    return bool(page.items)
