"""Operations on the tenant's IP restriction: allow all, deny all, allow some (S5; TRACE T1, T15, T16).

What an edition lets a customer set is data (`EDITIONS`); beyond it, nothing is changed. A restriction that would lock
out the administrator who sets it needs a named override. Host bits set in a range, zone ids and the like are refused
where the range is parsed, with what was probably meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from extlink import facts
from extlink.domain.address import AddressRange, parse_address, parse_range
from extlink.domain.edition import EDITIONS, Edition
from extlink.domain.event import Detail, Event
from extlink.domain.identifier import parse_items
from extlink.domain.network import IPRestriction, Row, check_against
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput, Refused
from extlink.inputs import flag, text
from extlink.network_plans import (
    Difference,
    DocumentCoverage,
    ServiceCoverage,
    ServicePlan,
    Staleness,
    coverage,
    plan,
    stale,
)
from extlink.operation import NETWORK_ADMINISTRATORS_AND_HOST, Call, Commit, Operation, Steps, operation, put, read
from extlink.records import network_key, tenant_key

__all__ = [
    "Difference",
    "DocumentCoverage",
    "ServiceCoverage",
    "ServicePlan",
    "Staleness",
    "add",
    "allow_all",
    "coverage",
    "deny_all",
    "find",
    "plan",
    "remove",
    "restrict",
    "show",
    "stale",
]

_NO_RESTRICTION: Final = IPRestriction()
_MAX_ROWS: Final = 100_000
_MAX_TEXT: Final = 255


def _rows(values: object, *, everything: bool) -> tuple[Row, ...]:
    return tuple(_row(item, everything) for item in parse_items(values, "rows", _MAX_ROWS))


def _row(value: object, everything: bool) -> Row:  # noqa: FBT001 - named at every public entry
    if type(value) is Row:
        row = value
    elif type(value) is AddressRange:
        row = Row(range=value)
    else:
        row = Row(range=parse_range(text(value, "rows", _MAX_TEXT), "rows", allow_everything=everything))
    if row.range.prefix == 0 and not everything:
        raise InvalidInput("rows", f"expected a range smaller than {row.text}; allow_all() says what it means")
    return row


@attrs.frozen
class _Loaded:
    edition: Edition
    network: IPRestriction


def _load(call: Call) -> Steps[_Loaded]:
    at = network_key(call.tenant)
    answers = yield from read(tenant_key(call.tenant), at)
    tenant = facts.opened(answers, call.tenant)
    return _Loaded(tenant.edition, answers.get(at) or _NO_RESTRICTION)


def _save(call: Call, loaded: _Loaded, wanted: IPRestriction, *, lock_out: bool) -> Commit[IPRestriction]:
    """Return the commit of a restriction, if the edition and the actor's own address allow it.

    Raises:
        Refused: `network.not_self_service`, `network.row_limit`, `network.ipv4_only`, `network.locks_out_actor`.
    """
    if wanted == loaded.network:
        return Commit(loaded.network)
    obstacles = check_against(wanted, EDITIONS[loaded.edition].network, edition=loaded.edition)
    if "host" in call.actor.roles:
        # Where an edition does not let customers set it, its provider does (TRACE T1).
        obstacles = tuple(one for one in obstacles if one.code != "network.not_self_service")
    if obstacles:
        raise Refused(obstacles[0])
    address = call.actor.address
    if address is not None and not lock_out and not wanted.admits_text(address):
        raise Refused(Reason("network.locks_out_actor", {"address": ascii(address[:64])[1:-1]}))
    before, after = set(loaded.network.rows), set(wanted.rows)
    details: dict[str, Detail] = {
        "before": loaded.network.mode,
        "after": wanted.mode,
        "added": tuple(sorted(row.text for row in after - before)),
        "removed": tuple(sorted(row.text for row in before - after)),
        "rows": len(wanted.rows),
        "sources": tuple(sorted({f"{row.source} {row.version}".strip() for row in after - before} - {""})),
        "locks_out_actor": address is not None and not wanted.admits_text(address),
    }
    return Commit(wanted, (put(network_key(call.tenant), wanted),), (Event("network.changed", details),))


@operation("networks.allow_all", by=NETWORK_ADMINISTRATORS_AND_HOST, records=("network.changed",))
def _allow_all(call: Call) -> Steps[Commit[IPRestriction]]:
    loaded = yield from _load(call)
    # Admitting everybody locks nobody out, not even somebody whose address the host got wrong.
    return _save(call, loaded, IPRestriction("allow_all", loaded.network.rows), lock_out=True)


def allow_all() -> Operation[IPRestriction]:
    """Admit every address; the rows are kept for the day the restriction is switched on again.

    Source: S5. Needs `common_administrator`, `access_administrator` or `host`, as everything here.

    >>> allow_all()
    networks.allow_all()
    """
    return _allow_all()


@operation("networks.deny_all", by=NETWORK_ADMINISTRATORS_AND_HOST, records=("network.changed",))
def _deny_all(call: Call, *, even_if_it_locks_me_out: bool) -> Steps[Commit[IPRestriction]]:
    loaded = yield from _load(call)
    return _save(call, loaded, IPRestriction("deny_all", loaded.network.rows), lock_out=even_if_it_locks_me_out)


def deny_all(*, even_if_it_locks_me_out: bool = False) -> Operation[IPRestriction]:
    """Refuse every address; the rows are kept.

    Args:
        even_if_it_locks_me_out: needed where the host stated the acting administrator's own address.

    Raises when run:
        Refused: `network.locks_out_actor`, `network.not_self_service`.

    >>> deny_all(even_if_it_locks_me_out=True)
    networks.deny_all(even_if_it_locks_me_out=True)
    """
    return _deny_all(even_if_it_locks_me_out=flag(even_if_it_locks_me_out, "even_if_it_locks_me_out"))


@operation("networks.restrict", by=NETWORK_ADMINISTRATORS_AND_HOST, records=("network.changed",))
def _restrict(call: Call, *, rows: tuple[Row, ...], even_if_it_locks_me_out: bool) -> Steps[Commit[IPRestriction]]:
    loaded = yield from _load(call)
    return _save(call, loaded, IPRestriction("allow_some", rows), lock_out=even_if_it_locks_me_out)


def restrict(
    rows: Iterable[Row | AddressRange | str],
    *,
    even_if_it_locks_me_out: bool = False,
    including_all_addresses: bool = False,
) -> Operation[IPRestriction]:
    """Admit only the addresses of these rows, in place of all rows there are.

    Source: S5, page A. The empty list admits nobody.

    Args:
        rows: CIDR texts, ranges, or rows with memo and source.
        even_if_it_locks_me_out: needed where the acting administrator's own address is in none of them.
        including_all_addresses: needed for a row that is the whole of IPv4 or IPv6 (TRACE T15).

    Raises:
        InvalidInput: a malformed range, with what was probably meant.
        Refused: when run: `network.row_limit`, `network.ipv4_only`, `network.not_self_service`,
            `network.locks_out_actor`.

    >>> restrict(["203.0.113.0/24"]).name
    'networks.restrict'
    """
    everything = flag(including_all_addresses, "including_all_addresses")
    return _restrict(
        rows=_rows(rows, everything=everything),
        even_if_it_locks_me_out=flag(even_if_it_locks_me_out, "even_if_it_locks_me_out"),
    )


@operation("networks.add", by=NETWORK_ADMINISTRATORS_AND_HOST, records=("network.changed",))
def _add(call: Call, *, rows: tuple[Row, ...]) -> Steps[Commit[IPRestriction]]:
    loaded = yield from _load(call)
    wanted = IPRestriction(loaded.network.mode, (*loaded.network.rows, *rows))
    # Adding rows admits more, so nobody can be locked out by it who was not before.
    return _save(call, loaded, wanted, lock_out=True)


def add(rows: Iterable[Row | AddressRange | str], *, including_all_addresses: bool = False) -> Operation[IPRestriction]:
    """Add rows to the list, whatever the mode; nobody who was admitted is refused by it (law 5).

    Raises:
        InvalidInput: a malformed range.
        Refused: when run: `network.row_limit`, `network.ipv4_only`, `network.not_self_service`.

    >>> add(["20.37.194.0/24"]).name
    'networks.add'
    """
    return _add(rows=_rows(rows, everything=flag(including_all_addresses, "including_all_addresses")))


@operation("networks.remove", by=NETWORK_ADMINISTRATORS_AND_HOST, records=("network.changed",))
def _remove(
    call: Call, *, ranges: tuple[AddressRange, ...], even_if_it_locks_me_out: bool
) -> Steps[Commit[IPRestriction]]:
    loaded = yield from _load(call)
    present = {row.range for row in loaded.network.rows}
    for one in ranges:
        if one not in present:
            raise Refused(Reason("network.unknown_row", {"row": one.text}))
    kept = tuple(row for row in loaded.network.rows if row.range not in frozenset(ranges))
    return _save(call, loaded, IPRestriction(loaded.network.mode, kept), lock_out=even_if_it_locks_me_out)


def remove(ranges: Iterable[AddressRange | str], *, even_if_it_locks_me_out: bool = False) -> Operation[IPRestriction]:
    """Take rows out of the list, by their ranges.

    Raises:
        InvalidInput: a malformed range.
        Refused: when run: `network.unknown_row`, `network.locks_out_actor`, `network.not_self_service`.

    >>> remove(["203.0.113.0/24"]).name
    'networks.remove'
    """
    items = tuple(_row(item, everything=True).range for item in parse_items(ranges, "ranges", _MAX_ROWS))
    return _remove(ranges=items, even_if_it_locks_me_out=flag(even_if_it_locks_me_out, "even_if_it_locks_me_out"))


@operation("networks.show", by=NETWORK_ADMINISTRATORS_AND_HOST)
def _show(call: Call) -> Steps[Commit[IPRestriction]]:
    return Commit((yield from _load(call)).network)


def show() -> Operation[IPRestriction]:
    """Return the tenant's restriction; a tenant that never set one allows all (TRACE T1).

    >>> show()
    networks.show()
    """
    return _show()


@operation("networks.find", by=NETWORK_ADMINISTRATORS_AND_HOST)
def _find(call: Call, *, address: str) -> Steps[Commit[Row | None]]:
    network = (yield from _load(call)).network
    return Commit(network.row_for(address))


def find(address: str) -> Operation[Row | None]:
    """Return the row that admits an address, or None: "is this address allowed, and by which row?" (F6).

    Raises:
        InvalidInput: not an address.

    >>> find("203.0.113.7")
    networks.find(address='203.0.113.7')
    """
    return _find(address=parse_address(text(address, "address", _MAX_TEXT)).text)
