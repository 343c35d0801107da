"""Questions about a service's published addresses and the tenant's restriction: coverage, plan, age (S5, N4).

The files are the host's to bring and to read (`extlink.feeds`); the requirement - whose lists count - is the service's
(`Service.requirements`), and each answer names the one it was given for and how it differs from the others. Nothing
here changes anything: a plan is saved by `networks.restrict(plan.after.rows)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from extlink import facts
from extlink.domain.address import AddressRange
from extlink.domain.age import MAX_AGE_DAYS, Incomplete, Release, StaleRow, incomplete_since, stale as stale_rows
from extlink.domain.allow_list import Comparison, Plan, plan as plan_rows
from extlink.domain.coverage import Coverage, coverage as covered
from extlink.domain.edition import EDITIONS, Edition, EditionProfile, parse_edition
from extlink.domain.identifier import ServiceId, parse_id, parse_items
from extlink.domain.network import IPRestriction, Row
from extlink.domain.range_set import count, subtract
from extlink.domain.reason import Reason
from extlink.domain.requirement import Requirement
from extlink.domain.service import Service
from extlink.errors import InvalidInput, Refused
from extlink.feeds.published import PublishedRanges
from extlink.feeds.requirements import Need, need
from extlink.inputs import exactly, flag, whole
from extlink.operation import NETWORK_ADMINISTRATORS_AND_HOST, Call, Commit, Now, Operation, Steps, ask, operation, read
from extlink.records import network_key, service_key, tenant_key

__all__ = ["Difference", "DocumentCoverage", "ServiceCoverage", "ServicePlan", "Staleness", "coverage", "plan", "stale"]

_NO_RESTRICTION: Final = IPRestriction()
_MAX_FILES: Final = 100
_MAX_ROWS: Final = 1_000_000
_MAX_ADDRESSES: Final = 2**128
_MAX_DAYS: Final = 36_500


@attrs.frozen(kw_only=True)
class _Question:
    """Whose need is meant: a service's, by one of its requirements, in these files."""

    service: ServiceId
    files: tuple[PublishedRanges, ...]
    requirement: str | None
    region: str | None


def _question(service: str, files: Iterable[object], requirement: str | None, region: str | None) -> _Question:
    read_files = tuple(exactly(item, PublishedRanges, "files") for item in parse_items(files, "files"))
    if len(read_files) > _MAX_FILES:
        raise InvalidInput("files", f"expected at most {_MAX_FILES}, got {len(read_files)}")
    return _Question(
        service=ServiceId(parse_id(service, "service")),
        files=read_files,
        requirement=None if requirement is None else parse_id(requirement, "requirement"),
        region=None if region is None else parse_id(region, "region"),
    )


@attrs.frozen
class _Loaded:
    edition: EditionProfile
    network: IPRestriction
    service: Service
    requirement: Requirement


def _load(call: Call, asked: _Question) -> Steps[_Loaded]:
    at = network_key(call.tenant)
    answers = yield from read(tenant_key(call.tenant), at, service_key(call.tenant, asked.service))
    tenant = facts.opened(answers, call.tenant)
    service = facts.registered(answers, call.tenant, asked.service).service
    named = asked.requirement
    found = next(iter(service.requirements), None) if named is None else service.requirement(named)
    if found is None:
        params = {"service": asked.service, "requirement": named or "", "known": ", ".join(_ids(service))}
        raise Refused(Reason("network.no_requirement", params))
    return _Loaded(EDITIONS[tenant.edition], answers.get(at) or _NO_RESTRICTION, service, found)


def _ids(service: Service) -> tuple[str, ...]:
    return tuple(one.id for one in service.requirements)


@attrs.frozen(kw_only=True)
class DocumentCoverage:
    """What a restriction admits of one document that the requirement names; `coverage.share` is None without data."""

    document: str
    coverage: Coverage


@attrs.frozen(kw_only=True)
class Difference:
    """How another requirement of the same service differs from the one that an answer was given for.

    Args:
        requirement: the other one's id.
        missing: lists it names that no file has; the numbers leave them out.
        only_there: addresses that it needs and the answer's does not; IPv4 alone where the list holds no others.
        only_here: addresses that the answer's needs and it does not, likewise.
    """

    requirement: str
    missing: tuple[str, ...]
    only_there: int
    only_here: int


@attrs.frozen(kw_only=True)
class ServiceCoverage:
    """Which published addresses of a service a restriction admits (S5).

    Args:
        need: the requirement and region, and what it came to in the files; `need.missing` is what they lack.
        coverage: of the whole need.
        documents: of each document.
        differences: to every other requirement of the service.
    """

    need: Need
    coverage: Coverage
    documents: tuple[DocumentCoverage, ...]
    differences: tuple[Difference, ...]

    @property
    def is_complete(self) -> bool:
        """Whether the files had every list of the need; else `coverage` is of a part, and no share of the whole."""
        return not self.need.missing


def differences(
    service: Service, mine: Need, files: tuple[PublishedRanges, ...], *, ipv4_only: bool
) -> tuple[Difference, ...]:
    """Return how every other requirement of a service differs from the need that was found in these files.

    Args:
        mine: the need, of one of the service's requirements.
        ipv4_only: whether IPv4 addresses alone are counted, as a list that holds no others asks for nothing else.
    """
    found: list[Difference] = []
    for other in service.requirements:
        if other.id == mine.requirement:
            continue
        # One that knows no such region is compared as a whole.
        theirs = need(other, files, region=mine.region if mine.region and other.region(mine.region) else None)
        here, there = (_counted(one, ipv4_only=ipv4_only) for one in (mine, theirs))
        found.append(
            Difference(
                requirement=other.id,
                missing=theirs.missing,
                only_there=count(subtract(there, here)),
                only_here=count(subtract(here, there)),
            )
        )
    return tuple(found)


def _counted(found: Need, *, ipv4_only: bool) -> list[AddressRange]:
    return [row.range for row in found.rows if not ipv4_only or row.range.version == 4]  # noqa: PLR2004 - IPv4


@operation("networks.coverage", by=NETWORK_ADMINISTRATORS_AND_HOST)
def _coverage(call: Call, *, asked: _Question) -> Steps[Commit[ServiceCoverage]]:
    loaded = yield from _load(call, asked)
    mine = need(loaded.requirement, asked.files, region=asked.region)
    ipv4_only = loaded.edition.network.ipv4_only
    found = ServiceCoverage(
        need=mine,
        coverage=covered(loaded.network, mine.rows, ipv4_only=ipv4_only),
        documents=tuple(
            DocumentCoverage(document=one.id, coverage=covered(loaded.network, one.rows, ipv4_only=ipv4_only))
            for one in mine.documents
        ),
        differences=differences(loaded.service, mine, asked.files, ipv4_only=ipv4_only),
    )
    return Commit(found)


def coverage(
    service: str, files: Iterable[PublishedRanges], *, requirement: str | None = None, region: str | None = None
) -> Operation[ServiceCoverage]:
    """Say which of a service's published addresses the tenant's restriction admits, and which not.

    Source: S5, TRACE T4, A12. Needs `common_administrator`, `access_administrator` or `host`.

    Args:
        files: published files that were read; of several of one kind, the last one counts.
        requirement: one of the service's; None: its first, which is what the vendor asks for today.
        region: one of the requirement's, such as `japan`; None: the lists for the whole cloud.

    Raises:
        InvalidInput: not files; when run, a region that the requirement does not know, or files of two clouds.
        Refused: when run: `service.unknown`, `network.no_requirement`.

    >>> coverage("power-automate", [], region="japan").name
    'networks.coverage'
    """
    return _coverage(asked=_question(service, files, requirement, region))


@attrs.frozen(kw_only=True)
class ServicePlan:
    """The rows to add so that a service is admitted, and what the help page's own advice would open instead (N4).

    Args:
        need: the requirement and region it is for.
        plan: the rows, what they open beyond the need, and whose that may be.
        advice: the other requirements of the service, measured beside the plan: what allowing all of theirs would open.
        differences: to every other requirement of the service.
    """

    need: Need
    plan: Plan
    advice: tuple[tuple[str, Comparison], ...]
    differences: tuple[Difference, ...]


@attrs.frozen(kw_only=True)
class _Limits:
    edition: Edition | None
    rows: int | None
    ipv4_only: bool | None
    at_most_extra: int | None


@operation("networks.plan", by=NETWORK_ADMINISTRATORS_AND_HOST)
def _plan(call: Call, *, asked: _Question, limits: _Limits) -> Steps[Commit[ServicePlan]]:
    loaded = yield from _load(call, asked)
    edition = loaded.edition if limits.edition is None else EDITIONS[limits.edition]
    if not edition.network.self_service:
        raise Refused(Reason("network.not_self_service", {"edition": edition.edition}))
    mine = need(loaded.requirement, asked.files, region=asked.region)
    if mine.missing:
        # A plan for a part of the need would look like one for all of it.
        raise Refused(Reason("network.data_missing", {"requirement": mine.requirement, "lists": mine.missing}))
    found = plan_rows(
        loaded.network,
        mine.rows,
        rows=edition.network.row_limit if limits.rows is None else limits.rows,
        ipv4_only=edition.network.ipv4_only if limits.ipv4_only is None else limits.ipv4_only,
        known=tuple(row for file in asked.files for row in every_row(file)),
        at_most_extra=limits.at_most_extra,
    )
    if isinstance(found, Reason):
        raise Refused(found)
    return Commit(
        ServicePlan(
            need=mine,
            plan=found,
            advice=_advice(asked, loaded, found),
            differences=differences(loaded.service, mine, asked.files, ipv4_only=found.ipv4_only),
        )
    )


def every_row(file: PublishedRanges) -> tuple[Row, ...]:
    """Return all ranges of a file as rows that name their list: whose an address may be."""
    return tuple(
        Row(range=block, source=f"{file.source}:{file.cloud}:{group.name}")
        for group in file.groups.values()
        for item in group.ranges
        for block in item.cidrs()
    )


def _advice(asked: _Question, loaded: _Loaded, found: Plan) -> tuple[tuple[str, Comparison], ...]:
    others = [other for other in loaded.service.requirements if other.id != loaded.requirement.id]
    # Advice has no region: "allow the addresses of Azure" is all of them.
    rows = {other.id: need(other, asked.files).rows for other in others}
    return tuple((name, found.compare_with(theirs)) for name, theirs in rows.items() if theirs)


def plan(
    service: str,
    files: Iterable[PublishedRanges],
    *,
    requirement: str | None = None,
    region: str | None = None,
    edition: str | None = None,
    rows: int | None = None,
    ipv4_only: bool | None = None,
    at_most_extra: int | None = None,
) -> Operation[ServicePlan]:
    """Return the rows to add so that all of a service's addresses come in, opening the fewest others (N4).

    Source: S5. The present rows stay. No plan opens fewer addresses beyond the need within the rows there are; save it
    with `restrict(found.plan.after.rows)`. Needs `common_administrator`, `access_administrator` or `host`.

    Args:
        files, requirement, region: as `coverage`; beside the lists that are needed, files may hold others, in which the
            plan looks up whose the extra addresses may be.
        edition: whose limits hold; None: the tenant's.
        rows: the most rows of the list, the present ones included; None: the edition's.
        ipv4_only: whether rows are IPv4 alone; None: as the edition's are.
        at_most_extra: how many addresses may be opened beyond the need; None: as many as the fewest are. Where rows
            are few, even the fewest can be very many.

    Raises:
        InvalidInput: as `coverage`, or an unknown edition.
        Refused: when run: `service.unknown`, `network.no_requirement`, `network.data_missing`, and where there is no
            plan: `network.not_self_service`, `network.plan_limit_unknown`, `network.plan_no_data`,
            `network.plan_ipv6_only`, `network.plan_not_global`, `network.plan_rows`,
            `network.plan_opens_too_much`.

    >>> plan("power-automate", [], region="japan").name
    'networks.plan'
    """
    limits = _Limits(
        edition=None if edition is None else parse_edition(edition),
        rows=None if rows is None else whole(rows, "rows", 0, _MAX_ROWS),
        ipv4_only=None if ipv4_only is None else flag(ipv4_only, "ipv4_only"),
        at_most_extra=None if at_most_extra is None else whole(at_most_extra, "at_most_extra", 0, _MAX_ADDRESSES),
    )
    return _plan(asked=_question(service, files, requirement, region), limits=limits)


@attrs.frozen(kw_only=True)
class Staleness:
    """How old the published rows of a restriction are, and what newer files have that it lacks.

    Args:
        rows: older than asked for, or of unknown age.
        incomplete: what is missing today and since which file; None: nothing, as far as `need` tells.
        need: what the newest files ask for; None: no service was named.
    """

    rows: tuple[StaleRow, ...]
    incomplete: Incomplete | None = None
    need: Need | None = None


@operation("networks.stale", by=NETWORK_ADMINISTRATORS_AND_HOST)
def _stale(call: Call, *, older_than_days: int, asked: _Question | None) -> Steps[Commit[Staleness]]:
    if asked is None:
        at = network_key(call.tenant)
        answers = yield from read(tenant_key(call.tenant), at)
        facts.opened(answers, call.tenant)
        network = answers.get(at) or _NO_RESTRICTION
        return Commit(Staleness(rows=stale_rows(network, (yield from ask(Now())), older_than_days=older_than_days)))
    loaded = yield from _load(call, asked)
    newer = releases(loaded.requirement, asked.files, asked.region)
    incomplete = incomplete_since(loaded.network, newer, ipv4_only=loaded.edition.network.ipv4_only)
    found = Staleness(
        rows=stale_rows(loaded.network, (yield from ask(Now())), older_than_days=older_than_days),
        incomplete=incomplete if loaded.network.mode != "allow_all" else None,
        need=need(loaded.requirement, asked.files, region=asked.region),
    )
    return Commit(found)


def releases(requirement: Requirement, files: tuple[PublishedRanges, ...], region: str | None) -> tuple[Release, ...]:
    """Return what was needed after each file came out, the oldest first; of a need that the files lack, nothing.

    A need of several documents grows while their first files come in, so that whatever is missing today is told with
    the file that brought it, in whichever order the documents are given.
    """
    if need(requirement, files, region=region).missing:
        return ()
    return tuple(
        Release(
            version=file.version,
            published=file.published,
            rows=need(requirement, files[:number], region=region).rows,
        )
        for number, file in enumerate(files, 1)
    )


def stale(
    *,
    older_than_days: int = MAX_AGE_DAYS,
    service: str | None = None,
    files: Iterable[PublishedRanges] = (),
    requirement: str | None = None,
    region: str | None = None,
) -> Operation[Staleness]:
    """List the rows of published lists that are older than an age, and what newer files have that is missing today.

    Source: Microsoft asks for a refresh every 90 days. Needs `common_administrator`, `access_administrator` or `host`.

    Args:
        older_than_days: how old a row may be; a row whose day is unknown is listed.
        service, requirement, region: as `coverage`; None: age alone.
        files: newer files, the oldest first: the answer names the first that had something which is missing today.

    Raises:
        InvalidInput: malformed arguments; files without a service.
        Refused: when run: `service.unknown`, `network.no_requirement`.

    >>> stale(older_than_days=30)
    networks.stale(older_than_days=30, asked=None)
    """
    days = whole(older_than_days, "older_than_days", 0, _MAX_DAYS)
    newer = parse_items(files, "files")
    if service is None:
        if newer or requirement is not None or region is not None:
            raise InvalidInput("service", "expected the service whose addresses the files are looked up for, got none")
        return _stale(older_than_days=days, asked=None)
    return _stale(older_than_days=days, asked=_question(service, newer, requirement, region))
