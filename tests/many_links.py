"""Links by the thousand: written at once, as a host's years of consents would have left them, and read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from extlink.domain.identifier import LinkId, TenantId, UserId
from extlink.domain.link import Link
from extlink.ports import Records, Storage, Write, prefix
from extlink.records import LINK, LINKS_OF, link_key, links_of_key, users_of_key
from extlink.testing.probes import batch
from tests.fakes import NOW

__all__ = ["put_link", "sow", "stored", "write"]

_AT_ONCE = 300
_ACME = TenantId("acme")


def _each(store: Storage) -> Iterator[Link]:
    after, more = b"", True
    while more:
        page = store.list(Records(_ACME.encode(), prefix("l"), after, 1_000))
        for item in page.items:
            after = item.key.path
            yield LINK.decode(item.value or b"")[0]
        more = page.more


def stored(store: Storage) -> Mapping[LinkId, Link]:
    """Return every link of the tenant `acme`, as its record says it."""
    return {link.id: link for link in _each(store)}


def write(store: Storage, *writes: Write) -> None:
    """Write records of the tenant past every rule, and without an entry in the ledger."""
    store.commit(batch(*writes, tenant=_ACME.encode(), entries=()))


def put_link(store: Storage, link: Link) -> None:
    """Write one link as it is, past every rule."""
    write(store, Write(link_key(_ACME, link.id).key, LINK.encode(link, NOW)))


def sow(store: Storage, like: str, count: int, **fields: Any) -> tuple[LinkId, ...]:
    """Write many links like one, each with an owner of its own, and return their ids: after all real ones."""
    pattern = stored(store)[LinkId(like)]
    made = [
        attrs.evolve(pattern, **{"id": LinkId(f"~{number:06}"), "owner": UserId(f"u{number:06}"), **fields})
        for number in range(count)
    ]
    for start in range(0, count, _AT_ONCE):
        writes: list[Write] = []
        for one in made[start : start + _AT_ONCE]:
            ids = LINKS_OF.encode((one.id,), NOW)
            writes.append(Write(link_key(_ACME, one.id).key, LINK.encode(one, NOW)))
            if one.owner is not None:
                writes.append(Write(links_of_key(_ACME, one.owner, one.service).key, ids))
                writes.append(Write(users_of_key(_ACME, one.service, one.owner).key, ids))
        write(store, *writes)
    return tuple(one.id for one in made)
