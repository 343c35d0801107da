"""The allow-list plan: which rows to add so that a service is admitted, opening the fewest addresses beyond it (S5).

Rules: a plan only adds; it keeps every row that the tenant has. It admits every needed address that the edition's list
can express, within the rows that the edition allows, and no plan opens fewer addresses that are neither needed nor
admitted already: an exact optimum (`block_cover`). Each added row is one CIDR block, never all addresses of a version,
no wider than what it is for, and names the published lists that it serves. Nothing is widened silently: what is opened
beyond the need is in the plan, block by block, with whose addresses they are as far as that is known; and where there
is no plan, the answer is a `Reason`. Order and repetitions change nothing (law 2).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Final

import attrs

from extlink.domain.address import BITS, AddressRange, classify, merged
from extlink.domain.block_cover import Trie, cheapest_blocks, plant
from extlink.domain.coverage import admitted_by, by_source_of, expressible, parse_flag, parse_restriction, united
from extlink.domain.network import IPProfile, IPRestriction, Row, parse_rows
from extlink.domain.range_set import Interval, Intervals, cidrs_of, each, intervals, ranges_of, size_of, within, without
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput

__all__ = ["Comparison", "Owner", "Plan", "plan", "plan_for_edition"]

_NO_LIMIT: Final = "network.plan_limit_unknown"
_MAX_TEXT: Final = 1_000
# Between the lists that one row of a plan serves.
AND: Final = ", "
# What a row serves: source, version, memo and day.
_Origin = tuple[str, str, str, date | None]


@attrs.frozen(kw_only=True)
class Owner:
    """How many of the addresses that a plan opens beyond the need another published list has.

    One address may be in several lists. A list that publishes a range need not be the only one behind it.
    """

    source: str
    addresses: int


@attrs.frozen(kw_only=True)
class Comparison:
    """What another list of rows would do in the plan's place, such as "allow all of Azure".

    Args:
        rows: how many rows it takes, merged as far as that goes.
        fits: whether these and the tenant's own are within the limit.
        opened: how many addresses it opens that are not admitted now.
        missing: how many needed addresses it leaves out.
        times: how many times more addresses it opens than the plan, or None where the plan opens none.
    """

    rows: int
    fits: bool
    opened: int
    missing: int
    times: Fraction | None


@attrs.frozen(kw_only=True)
class Plan:
    """Rows to add, and what comes of it.

    Args:
        before: the tenant's restriction.
        after: what to save: the same rows and then the added ones. Of mode `allow_some`, except where the tenant allows
            all addresses: there is nothing to add there, and nothing is switched.
        added: the new rows, ascending, IPv4 first.
        limit: the most rows that the list can hold.
        needed: the needed addresses that the list can express, merged.
        inexpressible: the needed addresses that it cannot, as the fewest CIDR blocks; they stay refused.
        extra: what comes in afterwards that is neither needed nor admitted now, as the fewest CIDR blocks. Rows that a
            tenant stored and does not read, because it denies all, come into force with the plan and count here.
        owners: whose the extra addresses may be, the largest first.
        unknown: how many extra addresses are in no known list.
        ipv4_only: whether the list takes IPv4 ranges alone.
    """

    before: IPRestriction
    after: IPRestriction
    added: tuple[Row, ...]
    limit: int
    needed: tuple[AddressRange, ...]
    inexpressible: tuple[AddressRange, ...]
    extra: tuple[AddressRange, ...]
    owners: tuple[Owner, ...]
    unknown: int
    ipv4_only: bool

    @property
    def rows(self) -> int:
        """How many rows the list has afterwards."""
        return len(self.after.rows)

    @property
    def extra_addresses(self) -> int:
        """How many addresses are opened beyond the need."""
        return sum(item.size for item in self.extra)

    @property
    def opened_addresses(self) -> int:
        """How many addresses come in afterwards that do not now, needed or not."""
        return _size(each(without, admitted_by(self.after), admitted_by(self.before)))

    def compare_with(self, rows: Iterable[Row]) -> Comparison:
        """Return what allowing other rows instead of the plan's would open: a piece of advice, measured.

        The tenant's own rows stay here too; what a tenant that denies all stored comes into force with either.

        Raises:
            InvalidInput: something else than a list of rows.
        """
        lists, _ = by_source_of(parse_rows(rows))
        advised, _ = expressible(self.before, united(lists.values()), ipv4_only=self.ipv4_only)
        kept, ours = _kept(self.before), self.opened_addresses
        opened = _size(each(without, united((advised, kept)), admitted_by(self.before)))
        blocks = len(cidrs_of(advised))
        missing = each(without, each(without, intervals(self.needed), kept), advised)
        return Comparison(
            rows=blocks,
            fits=blocks + len(self.before.rows) <= self.limit,
            opened=opened,
            missing=_size(missing),
            times=Fraction(opened, ours) if ours else None,
        )


def plan_for_edition(
    restriction: IPRestriction, needed: Iterable[Row], profile: IPProfile, *, edition: str, known: Iterable[Row] = ()
) -> Plan | Reason:
    """Return a plan for a tenant of an edition: `plan`, after asking whether its customers set the list themselves.

    Returns:
        `network.not_self_service` where they do not; else as `plan`.

    Raises:
        InvalidInput: as `plan`.
    """
    if not profile.self_service:
        return Reason("network.not_self_service", {"edition": edition})
    return plan(restriction, needed, rows=profile.row_limit, ipv4_only=profile.ipv4_only, known=known)


def plan(
    restriction: IPRestriction,
    needed: Iterable[Row],
    *,
    rows: int | None,
    ipv4_only: bool = True,
    known: Iterable[Row] = (),
    at_most_extra: int | None = None,
) -> Plan | Reason:
    """Return the rows to add so that every needed address is admitted, opening the fewest others.

    Args:
        restriction: the tenant's.
        needed: published ranges as rows, of one list or of several.
        rows: the most rows that the list can hold, the present ones with them; None: nobody knows.
        ipv4_only: whether the list takes IPv4 ranges alone; then IPv6 needs are told in the plan and not planned for.
        known: rows of published lists, whoever's; what the plan opens beyond the need is looked up in them.
        at_most_extra: how many addresses it may open beyond the need; None: as many as the fewest are.

    Returns:
        A plan, with nothing to add where everything needed is admitted. Or why there is none: `network.plan_no_data`,
        `network.plan_limit_unknown`, `network.plan_ipv6_only`, `network.plan_not_global`, `network.plan_rows`,
        `network.plan_opens_too_much`.

    Raises:
        InvalidInput: no restriction, something else than lists of rows, or a limit that is no number of rows or
            addresses.

    >>> from extlink.domain.address import parse_range
    >>> needed = [Row(range=parse_range(text), source="tags") for text in ("20.89.11.0/30", "20.89.11.8/29")]
    >>> found = plan(IPRestriction("deny_all"), needed, rows=1)
    >>> assert isinstance(found, Plan)
    >>> [row.text for row in found.added], [item.text for item in found.extra]
    (['20.89.11.0/28'], ['20.89.11.4/30'])
    """
    limit, most = _parse_limit(rows, "rows"), _parse_limit(at_most_extra, "addresses", "at_most_extra")
    parse_flag(ipv4_only, "ipv4_only")
    items, others = parse_rows(needed, "needed"), parse_rows(known, "known")
    problem = _unplannable(parse_restriction(restriction), items, limit, ipv4_only=ipv4_only)
    if limit is None or problem is not None:
        return problem or Reason(_NO_LIMIT)
    need = united(by_source_of(items)[0].values())
    asked, foreign = expressible(restriction, need, ipv4_only=ipv4_only)
    kept = _kept(restriction)
    missing = each(without, asked, kept)
    trie = plant(missing, united((asked, kept)))
    room = limit - len(restriction.rows)
    if restriction.mode != "allow_all" and (room < trie.fewest or room < 0):
        return Reason("network.plan_rows", {"rows": len(restriction.rows), "limit": limit, "fewest": trie.fewest})
    added = tuple(_rows_for(trie, max(room, 0), missing, items))
    after = _after(restriction, added)
    extra = each(without, each(without, admitted_by(after), admitted_by(restriction)), asked)
    owners, unknown = _owners(extra, others)
    found = Plan(
        before=restriction,
        after=after,
        added=added,
        limit=limit,
        needed=ranges_of(asked),
        inexpressible=cidrs_of(foreign),
        extra=cidrs_of(extra),
        owners=owners,
        unknown=unknown,
        ipv4_only=ipv4_only,
    )
    return found if most is None or found.extra_addresses <= most else _too_much(found, most)


def _too_much(found: Plan, most: int) -> Reason:
    params = {"extra": found.extra_addresses, "most": most, "rows": found.limit}
    return Reason("network.plan_opens_too_much", params)


def _after(restriction: IPRestriction, added: tuple[Row, ...]) -> IPRestriction:
    if restriction.mode == "allow_all":
        return restriction
    return attrs.evolve(restriction, mode="allow_some", rows=(*restriction.rows, *added))


def _parse_limit(value: object, what: str, field: str | None = None) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        problem = f"expected a whole number of {what} of 0 or more, or None, got {type(value).__name__}"
        raise InvalidInput(field or what, problem)
    return value


def _unplannable(
    restriction: IPRestriction, needed: Sequence[Row], limit: int | None, *, ipv4_only: bool
) -> Reason | None:
    """Return why nothing can be planned, whatever the tenant has; the first range in ascending order is named."""
    if not needed:
        return Reason("network.plan_no_data")
    if limit is None:
        return Reason(_NO_LIMIT)
    if restriction.mode == "allow_all":
        return None
    ranges = sorted({row.range for row in needed}, key=lambda item: (item.version, item.first, item.last))
    asked = [item for item in ranges if item.version == 4 or not ipv4_only]  # noqa: PLR2004 - IPv4
    if not asked:
        return Reason("network.plan_ipv6_only", {"range": ranges[0].text})
    local = next((item for item in asked if classify(item) != "global"), None)
    return None if local is None else Reason("network.plan_not_global", {"range": local.text})


def _kept(restriction: IPRestriction) -> Intervals:
    """Return what comes in by the rows that a plan keeps; a tenant that denies all has them, and does not read them."""
    denied = restriction.mode == "deny_all"
    return admitted_by(IPRestriction("allow_some", restriction.rows) if denied else restriction)


def _size(found: Intervals) -> int:
    return sum(map(size_of, found.values()))


def _rows_for(trie: Trie, room: int, missing: Intervals, needed: Sequence[Row]) -> Iterator[Row]:
    """Yield a row for each chosen block, with the origins of the missing addresses in it."""
    chosen = cheapest_blocks(trie, room)
    origins: list[set[_Origin]] = [set() for _ in chosen]
    for version in BITS:
        places = [place for place, block in enumerate(chosen) if block[0] == version]
        if places:
            bounds = [chosen[place][1:] for place in places]
            for origin, items in _by_origin(needed, version).items():
                for i in _touched(bounds, within(items, missing[version])):
                    origins[places[i]].add(origin)
    for (version, first, last), found in zip(chosen, origins, strict=True):
        yield _row(AddressRange(version=version, first=first, last=last), sorted(found, key=_order))


def _by_origin(rows: Sequence[Row], version: int) -> Mapping[_Origin, list[Interval]]:
    found: dict[_Origin, list[Interval]] = {}
    for row in rows:
        if row.range.version == version:
            origin = row.source, row.version, row.memo, row.published
            found.setdefault(origin, []).append((row.range.first, row.range.last))
    return {origin: merged(sorted(items)) for origin, items in found.items()}


def _touched(bounds: Sequence[Interval], items: Sequence[Interval]) -> Iterator[int]:
    """Yield the places of the blocks, disjoint and ascending, that some interval reaches into."""
    lasts = [last for _, last in bounds]
    for first, last in items:
        place = bisect_left(lasts, first)
        while place < len(bounds) and bounds[place][0] <= last:
            yield place
            place += 1


def _order(origin: _Origin) -> tuple[str, str, str, date]:
    source, version, memo, published = origin
    return source, version, memo, published or date.min


def _row(item: AddressRange, origins: Sequence[_Origin]) -> Row:
    """Return the row of a block: its lists one after the other, and the day of the oldest, unknown if any is."""
    lists = tuple(dict.fromkeys((source, version) for source, version, _, _ in origins))
    days = [published for _, _, _, published in origins]
    known = [day for day in days if day is not None]
    return Row(
        range=item,
        memo=_joined(sorted({memo for _, _, memo, _ in origins if memo})),
        source=_joined([source for source, _ in lists]),
        version=_joined([version for _, version in lists]),
        published=min(known) if len(known) == len(days) else None,
    )


def _joined(texts: Sequence[str]) -> str:
    """Return texts with commas, as many as fit into a row, and how many more there are."""
    for count in range(len(texts), 0, -1):
        more = f"{AND}+{len(texts) - count}" if count < len(texts) else ""
        text = AND.join(texts[:count]) + more
        if len(text) <= _MAX_TEXT:
            return text
    return f"{len(texts)}" if texts else ""


def _owners(extra: Intervals, known: Sequence[Row]) -> tuple[tuple[Owner, ...], int]:
    """Return how many extra addresses each published list has, and how many none of them has."""
    lists, _ = by_source_of(known)
    found = {source: each(within, items, extra) for source, items in lists.items()}
    owners = [Owner(source=source, addresses=_size(items)) for source, items in found.items() if _size(items)]
    owned = _size(united(found.values()))
    return tuple(sorted(owners, key=lambda owner: (-owner.addresses, owner.source))), _size(extra) - owned
