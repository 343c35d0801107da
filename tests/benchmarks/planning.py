"""Coverage of a published list and the plan of rows for it: exact, and beside netaddr's set algebra."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Sequence
from typing import Any

from extlink.domain.address import AddressRange
from extlink.domain.allow_list import Plan, plan
from extlink.domain.coverage import Coverage, coverage
from extlink.domain.network import IPRestriction, Row
from extlink.feeds.published import rows_of
from extlink.feeds.service_tags import read_service_tags
from tests.benchmarks.measure import ROUNDS, Batch, Samples, compare
from tests.benchmarks.report import Row as Line, Section, at_least, plain, without
from tests.conftest import find_realdata

__all__ = ["planning"]

_TAGS = ("AzureConnectors", "LogicApps", "PowerPlatformPlex", "PowerPlatformInfra")
_FILE = "servicetags/ServiceTags_Public_cn342_2025-01-23.json.gz"
_PLAN_SECONDS = 0.5
_COVERAGE_SECONDS = 0.1


def _synthetic(count: int, draw: random.Random) -> list[Row]:
    """Return as many distinct ranges as a published list has: short blocks in clusters, of three sources."""
    found: dict[AddressRange, None] = {}
    while len(found) < count:
        cluster = draw.randrange(20 << 24, 60 << 24) >> 12 << 12
        for _ in range(draw.randrange(1, 12)):
            rest = draw.choice((0, 0, 1, 2, 3, 4, 4, 5, 6))
            first = cluster + (draw.randrange(1 << 12) >> rest << rest)
            found[AddressRange(version=4, first=first, last=first + (1 << rest) - 1)] = None
    return [Row(range=item, source=f"list {i % 3}") for i, item in enumerate(list(found)[:count])]


def _published(count: int, draw: random.Random) -> tuple[list[Row], str]:
    folder = find_realdata()
    if folder is None or not (folder / _FILE).is_file() or count < 4_000:
        return _synthetic(count, draw), "made up, of the same shape"
    published = read_service_tags(gzip.decompress((folder / _FILE).read_bytes()))
    return [row for tag in _TAGS for row in rows_of(published, tag)], "Microsoft's of 2025-01-23"


def _once(call: Callable[[], object]) -> Batch:
    def run() -> int:
        call()
        return 1

    return run


def _limited(what: str, samples: Samples, name: str, seconds: float) -> Line:
    line = plain(what, samples, name)
    return Line(line.what, line.time, target=f"at most {seconds:g} s", met=samples[name].median <= seconds * 1e9)


def _netaddr(needed: Sequence[Row], rows: Sequence[Row]) -> Callable[[], tuple[Any, Any, dict[str, int]]]:
    """Return netaddr's answer to the same question without the part by row, from networks parsed beforehand."""
    import netaddr

    networks = [(netaddr.IPNetwork(row.text), row.source) for row in needed]
    allowed = [netaddr.IPNetwork(row.text) for row in rows]
    sources = sorted({row.source for row in needed})

    def run() -> tuple[Any, Any, dict[str, int]]:
        need, admits = netaddr.IPSet(network for network, _ in networks), netaddr.IPSet(allowed)
        admitted, missing = need & admits, need - admits
        by_source = {
            source: (netaddr.IPSet(network for network, own in networks if own == source) & admits).size
            for source in sources
        }
        return admitted.iter_cidrs(), missing.iter_cidrs(), by_source

    return run


def _require_agreement(found: Coverage, theirs: tuple[Any, Any, dict[str, int]]) -> None:
    """Compare both answers.

    Raises:
        AssertionError: they differ.
    """
    admitted, missing, by_source = theirs
    assert [item.text for item in found.admitted] == [str(network) for network in admitted]
    assert [item.text for item in found.missing] == [str(network) for network in missing]
    assert {item.source: item.admitted for item in found.by_source} == by_source


def planning(needs: int, ranges: int, rows: int, rounds: int = ROUNDS) -> Section:
    """Measure a plan of `needs` ranges into `rows` rows, and the coverage of `ranges` ranges by `rows` rows."""
    draw = random.Random(needs)
    needed, origin = _published(needs, draw)
    denied = IPRestriction("deny_all")
    made = plan(denied, needed, rows=rows)
    assert isinstance(made, Plan)
    wide = _synthetic(ranges, draw)
    draw.shuffle(wide)
    own = _synthetic(rows // 2, draw) + wide[: rows - rows // 2]
    restriction = IPRestriction("allow_some", own)
    contenders: dict[str, Batch] = {
        "plan": _once(lambda: plan(denied, needed, rows=rows)),
        "coverage": _once(lambda: coverage(restriction, wide, ipv4_only=True)),
    }
    what = f"coverage of {ranges:,} ranges by {len(restriction.rows):,} rows"
    missing = ""
    try:
        theirs = _netaddr(wide, restriction.rows)
    except ImportError as error:
        missing = f"{error}"
    else:
        _require_agreement(coverage(restriction, wide, ipv4_only=True), theirs())
        contenders["netaddr"] = _once(theirs)
    samples = compare(contenders, rounds)
    return Section(
        "The plan of an allow list, and the coverage of a published list",
        f"The plan is for {len(needed):,} published ranges ({origin}) in a tenant without rows; its answer is exact, "
        "the fewest addresses opened beyond the need. Coverage is asked of made-up ranges in clusters, of three "
        "sources, in random order: what is admitted and missing as the fewest CIDR blocks, by source and by row. "
        "netaddr's `IPSet` answers the same but for the rows, and both answers are compared first; texts are parsed "
        "beforehand for both.",
        (
            _limited(
                f"plan of {len(needed):,} ranges into {rows:,} rows, {made.extra_addresses:,} extra addresses",
                samples,
                "plan",
                _PLAN_SECONDS,
            ),
            _limited(what, samples, "coverage", _COVERAGE_SECONDS),
            without("netaddr", missing)
            if missing
            else at_least(f"netaddr, {what}, not by row", samples, "coverage", "netaddr", 5, "netaddr"),
        ),
    )
