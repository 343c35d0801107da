"""What happened to one service, user or link: who changed what, and when (N5, F13).

An entry concerns a service, a user or a link that it names, or one of whose records it wrote; and what was changed for
the whole tenant - its settings, its IP restriction, its data policies - concerns all of them. What changed nothing is
left out: calls that were refused, tokens that were renewed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from extlink import facts
from extlink.domain.identifier import parse_id
from extlink.domain.tenant import HOST
from extlink.errors import InvalidInput
from extlink.images import path_of
from extlink.inputs import whole
from extlink.ledger_entries import NO_CHANGES, Entry, EntryPage, read_entry
from extlink.operation import ADMINISTRATORS_AND_HOST, Call, Commit, List, Operation, Steps, ask, operation, read
from extlink.ports import Entries, Position, components
from extlink.records import tenant_key

__all__ = ["history"]

Noun = Literal["service", "user", "link"]
_MAX_PAGE: Final = 500
# How many entries one run looks through: whoever wants more goes on.
_SCANNED: Final = 5_000
_FOR_ALL: Final = frozenset(
    {
        "datagroup.changed",
        "default.changed",
        "network.changed",
        "network.reset",
        "tenant.links_ended",
        "tenant.opened",
        "tenant.setting_changed",
    }
)
# Of each kind of record, what the components of its key after the first name.
_COMPONENTS: Final[Mapping[str, tuple[Noun | None, ...]]] = MappingProxyType(
    {
        "s": ("service",),
        "sc": ("service",),
        "r": ("service",),
        "gv": ("service",),
        "g": ("service", "user"),
        "x": ("service", "user"),
        "rq": ("service", "user"),
        "ra": ("service", "user"),
        "o": ("user", "service"),
        "u": ("user",),
        "l": ("link",),
        "w": ("link",),
        "p": (None, "service"),
    }
)


def _named(entry: Entry, noun: Noun) -> frozenset[object]:
    """Return the services, users or links that an entry names."""
    keys = [components(path_of(name)) for name, _ in entry.records]
    named = {
        part
        for kind, *rest in keys
        for part, what in zip(rest, _COMPONENTS.get(kind, ()), strict=False)
        if what == noun
    }
    return frozenset({*named, entry.details.get(noun)})


def _concerns(entry: Entry, noun: Noun, name: str) -> bool:
    if entry.event in NO_CHANGES:
        return False
    # A setting of one service is none of the whole tenant.
    is_for_all = entry.event in _FOR_ALL and "service" not in entry.details
    return is_for_all or name in _named(entry, noun)


@operation("ledger.history", by=ADMINISTRATORS_AND_HOST)
def _history(call: Call, *, noun: Noun, name: str, after: int, limit: int) -> Steps[Commit[EntryPage]]:
    if call.tenant != HOST:
        facts.opened((yield from read(tenant_key(call.tenant))), call.tenant)
    found: list[Entry] = []
    number, more = after, True
    while more and number < after + _SCANNED:
        page = yield from ask(List(Entries(call.tenant.encode(), Position(number), _MAX_PAGE)))
        entries = [read_entry(item.key.path, item.value) for item in page.items if item.value is not None]
        more = page.more
        for entry in entries:
            number = entry.number
            if _concerns(entry, noun, name):
                found.append(entry)
                if len(found) == limit:
                    return Commit(EntryPage(tuple(found), number if more or entry is not entries[-1] else None))
    return Commit(EntryPage(tuple(found), number if more else None))


def history(
    *,
    service: str | None = None,
    user: str | None = None,
    link: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> Operation[EntryPage]:
    """List who changed what concerning a service, a user or a link, oldest first, in pages.

    Source: N5, F13. Needs `common_administrator` or `host`. What an organization or a group was granted concerns the
    service; whom it reached is the directory's to say. What the host said for every tenant is in its own ledger: run it
    on `hub.host()`. One run looks through 5,000 entries, so a page may be empty and still have a next one.

    Args:
        service, user, link: exactly one of them.
        after: the number to go on after; 0: from the beginning.
        limit: 1 to 500.

    Raises:
        InvalidInput: malformed arguments.
        Refused: when run: `tenant.not_open`, `actor.not_permitted`.

    >>> history(service="slack", after=7).name
    'ledger.history'
    """
    given: list[tuple[Noun, object]] = [("service", service), ("user", user), ("link", link)]
    named: list[tuple[Noun, object]] = [(noun, value) for noun, value in given if value is not None]
    if len(named) != 1:
        raise InvalidInput("service", "expected a service, a user or a link, exactly one of them")
    noun, value = named[0]
    return _history(
        noun=noun,
        name=parse_id(value, noun),
        after=whole(after, "after", 0, 2**53),
        limit=whole(limit, "limit", 1, _MAX_PAGE),
    )
