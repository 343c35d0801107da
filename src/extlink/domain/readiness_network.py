"""The readiness item of the network gate: do all published addresses come in (S5, N3, law 8).

Rules: what has to come in is the published set as far as the edition's list can express it; every address of it has to
pass the restriction and, where the service is pinned, the pin. Interval arithmetic alone: no address is enumerated. No
data, or data that lack a list, is *unknown*, never green - also where all addresses are allowed. The age of the data
and the room that is left in the list are advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import attrs

from extlink.domain.address import BITS, merged
from extlink.domain.age import MAX_AGE_DAYS
from extlink.domain.coverage import Coverage, coverage
from extlink.domain.edition import EditionProfile
from extlink.domain.event import Detail
from extlink.domain.identifier import ServiceId
from extlink.domain.instant import Instant, to_datetime
from extlink.domain.messages import Who
from extlink.domain.network import IPRestriction, Row
from extlink.domain.pin import Pin
from extlink.domain.range_set import Intervals, begin, each, intervals, size_of, without
from extlink.domain.readiness import Action, ItemState
from extlink.domain.reason import Param, Reason

__all__ = ["Judged", "Published", "judge"]

_NO_OTHERS: Final[Mapping[str, int | None]] = MappingProxyType({})
_NOTHING: Final[Mapping[str, Detail]] = MappingProxyType({})


@attrs.frozen(kw_only=True)
class Published:
    """What is known of the addresses that a service calls from.

    Args:
        rows: all of them.
        requirement: whose need they are; empty: the ranges that the service is pinned to.
        missing: lists that nobody has; as long as there are any, `rows` is not the whole set.
        others: how many addresses the service's other requirements name beyond these, by their ids (TRACE T4); None: no
            file has all their lists.
    """

    rows: tuple[Row, ...] = ()
    requirement: str = ""
    missing: tuple[str, ...] = ()
    others: Mapping[str, int | None] = attrs.field(default=_NO_OTHERS, hash=False)


@attrs.frozen(kw_only=True)
class Judged:
    """What is to be said of an item."""

    state: ItemState
    reason: Reason
    who: Who | None = None
    evidence: Mapping[str, Detail] = attrs.field(default=_NOTHING, hash=False)
    advice: tuple[Reason, ...] = ()
    remedy: Action | None = None


@attrs.frozen(kw_only=True)
class _Asked:
    service: ServiceId
    published: Published
    network: IPRestriction
    edition: EditionProfile
    found: Coverage
    unpinned: Intervals
    at: Instant

    @property
    def barred(self) -> int:
        """How many addresses the restriction or the pin keeps out."""
        return self.found.missing_addresses + sum(map(size_of, self.unpinned.values()))


def judge(
    service: ServiceId,
    published: Published,
    *,
    network: IPRestriction,
    held_to: Pin | None,
    edition: EditionProfile,
    at: Instant,
) -> Judged:
    """Return what the network item says.

    Args:
        published: what the service calls from, as far as somebody knows.
        network, held_to: what stands in the way of a call; a pin for single links does not.
        edition: whose list the restriction is.
    """
    found = coverage(network, published.rows, ipv4_only=edition.network.ipv4_only)
    asked = _Asked(
        service=service,
        published=published,
        network=network,
        edition=edition,
        found=found,
        unpinned=_unpinned(found, held_to if held_to is not None and held_to.applies == "service" else None),
        at=at,
    )
    return attrs.evolve(_verdict(asked), evidence=_evidence(asked), advice=_advice(asked))


def _unpinned(found: Coverage, pin: Pin | None) -> Intervals:
    """Return what the restriction admits and the pin does not."""
    if pin is None:
        return {version: [] for version in BITS}
    held: Intervals = {version: [] for version in BITS}
    for row in pin.rows:
        held[row.range.version].append((row.range.first, row.range.last))
    ranges: Intervals = {version: merged(sorted(items, key=begin)) for version, items in held.items()}
    return each(without, intervals(found.admitted), ranges)


def _verdict(asked: _Asked) -> Judged:
    service, found, published = asked.service, asked.found, asked.published
    source = tuple(sorted({row.source for row in published.rows} - {""}))
    if found.missing_addresses:
        params: dict[str, Param] = {"service": service, "count": found.missing_addresses, "percent": _percent(found)}
        reason = Reason("readiness.not_covered", {**params, "source": source})
        return Judged(state="missing", reason=reason, who=_who(asked), remedy=_remedy(asked))
    if asked.barred:
        rows = tuple(row.text for row in published.rows)
        wanted = Action("networks.pin", {"service": service, "rows": rows})
        return Judged(
            state="missing",
            reason=Reason("readiness.not_pinned", {"service": service, "count": asked.barred}),
            remedy=wanted if not published.missing else None,
        )
    if published.missing:
        lacking: dict[str, Param] = {"requirement": published.requirement, "lists": published.missing}
        return Judged(state="unknown", reason=Reason("network.data_missing", lacking))
    if not published.rows:
        return Judged(state="unknown", reason=Reason("readiness.ranges_unknown", {"service": service}))
    if not found.needed_addresses:
        reason = Reason("readiness.inexpressible", {"service": service, "edition": asked.edition.edition})
        return Judged(state="cannot", reason=reason)
    covered = Reason("readiness.covered", {"service": service, "count": found.needed_addresses, "source": source})
    return Judged(state="done", reason=covered)


def _who(asked: _Asked) -> Who:
    return "access_administrator" if asked.edition.network.self_service else "vendor"


def _remedy(asked: _Asked) -> Action | None:
    """Return the smallest opening, as far as the list has room for it; else the plan that finds the best one."""
    if asked.network.mode == "deny_all":
        # Rows of a list that denies all are not read: whether the kept ones shall be again is for a person to say.
        return None
    missing = asked.found.missing
    if asked.published.missing or _has_no_room(asked):
        arguments: dict[str, Detail] = {"service": asked.service, "requirement": asked.published.requirement or None}
        return Action("networks.plan", arguments, ("files",))
    return Action("networks.add", {"rows": tuple(item.text for item in missing)})


def _has_no_room(asked: _Asked) -> bool:
    limit = asked.edition.network.row_limit
    return limit is not None and len(asked.network.rows) + len(asked.found.missing) > limit


def _percent(found: Coverage) -> int:
    """Return the share that comes in, rounded down: 100 is all of it."""
    return 100 * found.admitted_addresses // found.needed_addresses


def _evidence(asked: _Asked) -> Mapping[str, Detail]:
    found, published = asked.found, asked.published
    day, needed = _oldest(published), found.needed_addresses
    share = Fraction(needed - asked.barred, needed) if needed else None
    return {
        "requirement": published.requirement or None,
        "others": published.others,
        "needed": needed,
        "admitted": needed - asked.barred,
        "share": None if share is None else f"{share.numerator}/{share.denominator}",
        "inexpressible": sum(item.size for item in found.inexpressible),
        "rows": len(asked.network.rows),
        "rows_to_add": len(found.missing),
        "row_limit": asked.edition.network.row_limit,
        "published": None if day is None else day.isoformat(),
        "days": None if day is None else _days(asked, day),
    }


def _oldest(published: Published) -> date | None:
    """Return the day of the oldest list; None as long as the day of one is not known: such a list is never fresh."""
    days = {row.published for row in published.rows}
    return None if None in days else min((day for day in days if day is not None), default=None)


def _days(asked: _Asked, day: date) -> int:
    return (to_datetime(asked.at).date() - day).days


def _advice(asked: _Asked) -> tuple[Reason, ...]:
    found, edition, service = asked.found, asked.edition, asked.service
    advice: list[Reason] = []
    day = _oldest(asked.published)
    if asked.published.rows and day is None:
        advice.append(Reason("readiness.data_undated", {"service": service}))
    elif day is not None and (days := _days(asked, day)) > MAX_AGE_DAYS:
        advice.append(Reason("readiness.data_old", {"service": service, "days": days, "limit": MAX_AGE_DAYS}))
    limit = edition.network.row_limit
    if limit is not None and _has_no_room(asked):
        rows = len(asked.network.rows) + len(found.missing)
        advice.append(Reason("network.row_limit", {"rows": rows, "limit": limit, "edition": edition.edition}))
    if found.inexpressible and found.needed_addresses:
        count = sum(item.size for item in found.inexpressible)
        advice.append(Reason("readiness.partly_inexpressible", {"count": count, "edition": edition.edition}))
    for other, number in asked.published.others.items():
        if number:
            params: dict[str, Param] = {"requirement": asked.published.requirement, "other": other, "count": number}
            advice.append(Reason("readiness.differs", params))
    if edition.two_factor and asked.network.mode != "allow_all":
        advice.append(Reason("readiness.two_factor", {"edition": edition.edition}))
    return tuple(advice)
