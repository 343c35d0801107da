"""Reading the ledger: what happened in a tenant, who did it, when; and what was so then (F13, N5).

Every change wrote its entries in the same commit as itself, numbered without gaps. Sealing and proofs are not here yet.

entries     what happened, all of it
history     what concerned one service, user or link
as_of       a question, asked of the tenant as it was
"""

from __future__ import annotations

from typing import Final

from extlink import facts
from extlink.domain.tenant import HOST
from extlink.inputs import whole
from extlink.ledger_entries import Entry, EntryPage, read_entry
from extlink.ledger_history import history
from extlink.operation import ADMINISTRATORS_AND_HOST, Call, Commit, List, Operation, Steps, ask, operation, read
from extlink.past import as_of
from extlink.ports import Entries as EntriesQuery, Position
from extlink.records import tenant_key

__all__ = ["Entry", "EntryPage", "as_of", "entries", "history"]

_MAX_PAGE: Final = 500


@operation("ledger.entries", by=ADMINISTRATORS_AND_HOST)
def _entries(call: Call, *, after: int, limit: int) -> Steps[Commit[EntryPage]]:
    # The host itself is never opened and has a ledger all the same: of its keys, of what it quarantined everywhere.
    if call.tenant != HOST:
        facts.opened((yield from read(tenant_key(call.tenant))), call.tenant)
    page = yield from ask(List(EntriesQuery(call.tenant.encode(), Position(after), limit)))
    found = tuple(read_entry(item.key.path, item.value) for item in page.items if item.value is not None)
    return Commit(EntryPage(found, found[-1].number if page.more and found else None))


def entries(*, after: int = 0, limit: int = 100) -> Operation[EntryPage]:
    """List what happened, oldest first, in pages; run it on `hub.host()` for what concerns every tenant.

    Needs `common_administrator` or `host`.

    Args:
        after: the number to go on after; 0: from the beginning.
        limit: 1 to 500.

    Raises when run:
        Refused: `tenant.not_open`, `actor.not_permitted`.

    >>> entries(limit=10)
    ledger.entries(after=0, limit=10)
    """
    return _entries(after=whole(after, "after", 0, 2**53), limit=whole(limit, "limit", 1, _MAX_PAGE))
