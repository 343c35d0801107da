"""Coverage, plan and age of a service's published addresses: what each answer says, and what for (S5, N4)."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import attrs
import pytest

from extlink import catalog, feeds, network_plans, networks, services
from extlink.domain.address import parse_range
from extlink.domain.age import Release, incomplete_since
from extlink.domain.localized import LocalizedText
from extlink.domain.network import IPRestriction, Row
from extlink.domain.requirement import PublishedForm, RequiredDocument, Requirement
from extlink.errors import InvalidInput
from extlink.feeds.requirements import need
from tests.hosts import SERVICE, Host, dump, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from extlink.feeds import PublishedRanges
    from extlink.networks import ServicePlan

    Releases = Callable[[Requirement, tuple[PublishedRanges, ...], str | None], tuple[Release, ...]]

LISTS = {
    "AzureConnectors": ["20.89.11.0/30", "20.89.11.8/29", "2603:1040::/32"],
    "AzureConnectors.JapanEast": ["20.89.11.0/30"],
    "LogicApps": ["20.90.0.0/24"],
    "PowerPlatformPlex": [],
    "PowerPlatformInfra": ["20.90.1.0/24"],
    "AzureCloud": ["20.64.0.0/10"],
    "AzureCloud.japaneast": ["20.89.0.0/16"],
}


def tags(version: int = 342, day: date | None = date(2025, 1, 23), **changed: Sequence[str]) -> PublishedRanges:
    """Return a service-tags file with some lists changed."""
    lists: Mapping[str, Sequence[str]] = {**LISTS, **changed}
    values = [
        {
            "name": name,
            "properties": {
                "changeNumber": version,
                "region": name.partition(".")[2].lower(),
                "addressPrefixes": [*prefixes],
            },
        }
        for name, prefixes in lists.items()
    ]
    text = json.dumps({"changeNumber": version, "cloud": "Public", "values": values})
    return feeds.read_service_tags(text, published=day)


def restricted(*rows: str) -> Host:
    """Return a host whose tenant allows some addresses."""
    host = Host.prepared()
    host.admin.run(networks.restrict(rows))
    return host


def test_coverage_names_what_it_answers_for() -> None:
    """The vendor's present requirement by default, its documents with their shares, and how the others differ."""
    host = restricted("203.0.113.0/24", "20.89.11.0/29")
    found = host.admin.run(networks.coverage(SERVICE, [tags()]))

    assert found.is_complete
    assert not host.admin.run(networks.coverage(SERVICE, [])).is_complete
    assert ("vendor-current", None, ()) == (found.need.requirement, found.need.region, found.need.missing)
    assert (4, 8, Fraction(1, 3)) == (
        found.coverage.admitted_addresses,
        found.coverage.missing_addresses,
        found.coverage.share,
    )
    assert ["20.89.11.8/29"] == [item.text for item in found.coverage.missing]
    assert ["2603:1040::/32"] == [item.text for item in found.coverage.inexpressible]
    assert [("connectors", Fraction(1, 3))] == [(one.document, one.coverage.share) for one in found.documents]
    assert [
        ("vendor-current-http", (), 512, 0),
        ("seed", ("power-automate", "office-365"), (1 << 22) - 12, 0),
    ] == [(one.requirement, one.missing, one.only_there, one.only_here) for one in found.differences]


def test_a_region_narrows_every_answer() -> None:
    """The regional lists alone; a requirement that knows the region is compared for it."""
    found = restricted("203.0.113.0/24").admin.run(networks.coverage(SERVICE, [tags()], region="japan"))

    assert 4 == found.coverage.missing_addresses
    assert 65_532 == found.differences[1].only_there


def test_a_plan_is_saved_by_restricting() -> None:
    """It keeps the rows there are, admits the need, and the advice of the help page is measured beside it."""
    host = restricted("203.0.113.0/24")
    before = dump(host.store)
    found = host.admin.run(networks.plan(SERVICE, [tags()], rows=2))

    assert before == dump(host.store)
    assert ["203.0.113.0/24", "20.89.11.0/28"] == [row.text for row in found.plan.after.rows]
    assert 4 == found.plan.extra_addresses
    assert {"azure-service-tags:Public:AzureCloud", "azure-service-tags:Public:AzureCloud.japaneast"} == {
        owner.source for owner in found.plan.owners
    }
    advice = dict(found.advice)
    assert (1 << 22, Fraction(1 << 22, 16)) == (advice["seed"].opened, advice["seed"].times)

    host.admin.run(networks.restrict(found.plan.after.rows))
    assert Fraction(1) == host.admin.run(networks.coverage(SERVICE, [tags()])).coverage.share


def check_a_plan_needs_all_data(run: Callable[[Host], ServicePlan]) -> None:
    """Require that a plan for a part of the need is not given for all of it."""
    assert "network.data_missing" == refusal_of(run)


def refusal_of(run: Callable[[Host], object]) -> str:
    """Return the code of the reason for which something is refused."""
    try:
        run(restricted())
    except Exception as error:  # noqa: BLE001 - whatever a twin raises, it is not this refusal
        return str(getattr(getattr(error, "reason", None), "code", type(error).__name__))
    return "allowed"


def test_there_is_no_plan_for_a_part_of_the_need() -> None:
    """What no file has is named; the answer is a refusal, not a smaller plan."""
    check_a_plan_needs_all_data(lambda host: host.admin.run(networks.plan(SERVICE, [])))
    reason = refusal(restricted().admin, networks.plan(SERVICE, [], requirement="seed"))

    assert ("seed", ("power-automate", "office-365", "azure")) == (reason.params["requirement"], reason.params["lists"])


def test_a_twin_that_plans_with_what_it_has_is_caught() -> None:
    """The broken twin plans for the lists that are there."""

    def hasty(host: Host) -> ServicePlan:
        kept = attrs.evolve(catalog.POWER_AUTOMATE.requirements[0], id="kept")
        assert isinstance(kept, Requirement)
        host.admin.run(services.register(attrs.evolve(catalog.POWER_AUTOMATE, requirements=[kept])))
        return host.admin.run(networks.plan(SERVICE, [tags()]))

    with pytest.raises(AssertionError):
        check_a_plan_needs_all_data(hasty)


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("network.plan_rows", {"rows": 0}),
        ("network.plan_opens_too_much", {"rows": 1, "at_most_extra": 0}),
        ("network.no_requirement", {"requirement": "everything"}),
        ("network.not_self_service", {"edition": "CN"}),
    ],
)
def test_where_there_is_no_plan_it_is_refused(code: str, arguments: dict[str, object]) -> None:
    """Too few rows, a requirement that the service does not have, an edition whose customers do not set the list."""
    asked = networks.plan(SERVICE, [tags()], **arguments)  # type: ignore[arg-type]  # a table of keywords

    assert code == refusal(restricted().admin, asked).code


def test_a_service_without_requirements_says_so() -> None:
    """A host's own service needs a requirement before anything can be said of its addresses."""
    host = restricted()
    host.admin.run(services.register(catalog.SLACK))

    assert {"service": "slack", "requirement": "", "known": ""} == dict(
        refusal(host.admin, networks.coverage("slack", [])).params
    )


def test_age_alone_needs_no_service() -> None:
    """Rows of published lists that are older than asked for, counted from the day of their file."""
    host = restricted("203.0.113.0/24")
    host.admin.run(networks.add(feeds.rows_of(tags(day=date(2000, 1, 1)), "AzureConnectors")))
    host.admin.run(networks.add(feeds.rows_of(tags(day=None), "LogicApps")))
    found = host.admin.run(networks.stale(older_than_days=30))

    assert ["20.89.11.0/30", "20.89.11.8/29", "20.90.0.0/24"] == [item.row.text for item in found.rows]
    assert None is found.rows[2].days
    assert (None, None) == (found.incomplete, found.need)
    assert () == Host.make().admin.run(networks.stale()).rows


def test_a_difference_counts_what_the_list_can_hold() -> None:
    """Ranges of IPv6 ask nothing of a list that holds IPv4 alone, and would drown its numbers."""
    file = tags(AzureConnectors=["20.89.11.0/30"], LogicApps=["20.90.0.0/30", "2603:1040::/32"])
    found = restricted("20.89.11.0/30").admin.run(networks.coverage(SERVICE, [file])).differences[0]

    assert ("vendor-current-http", 4 + 256, 0) == (found.requirement, found.only_there, found.only_here)


def test_what_is_missing_is_told_with_the_first_file_that_had_it() -> None:
    """Files in order, the oldest first; one that lacks a needed list tells nothing."""
    host = restricted("20.89.11.0/30", "20.89.11.8/29")
    newer = tags(343, date(2025, 2, 1), AzureConnectors=["20.89.11.0/30", "20.89.11.8/29", "20.99.0.0/32"])
    newest = tags(344, date(2025, 3, 1), AzureConnectors=["20.89.11.0/30", "20.99.0.0/32", "20.99.0.2/32"])
    other = attrs.evolve(newer, source="plain")
    found = host.admin.run(networks.stale(service=SERVICE, files=[other, tags(), newer, newest]))

    assert found.incomplete is not None
    assert ["20.99.0.0/32", "20.99.0.2/32"] == [item.text for item in found.incomplete.missing]
    assert ("343", date(2025, 2, 1)) == (found.incomplete.since.version, found.incomplete.since.published)
    assert None is host.admin.run(networks.stale(service=SERVICE, files=[tags()])).incomplete


def check_names_what_brought_it(releases: Releases) -> None:
    """Require the newer tags as the file since which something is missing, wherever the other document stands."""
    older, newer = tags(), tags(343, date(2025, 2, 1), AzureConnectors=["20.89.11.0/30", "20.99.0.0/32"])
    page = feeds.read_plain_text("20.91.0.0/24", source="page")
    lists = ("azure-service-tags", ("AzureConnectors",)), ("page", ())
    wanted = Requirement(
        id="both",
        titles=LocalizedText.same("both"),
        documents=[
            RequiredDocument(
                id=kind,
                titles=LocalizedText.same(kind),
                page="https://example.com/",
                forms=[PublishedForm(source=kind, groups=groups)],
            )
            for kind, groups in lists
        ],
        as_of="2026-05-13",
    )
    held = IPRestriction("allow_some", [Row(range=parse_range(one)) for one in ("20.89.11.0/28", "20.91.0.0/24")])
    for files in ((page, older, newer), (older, page, newer), (older, newer, page)):
        found = incomplete_since(held, releases(wanted, files, None))
        assert found is not None
        assert "343" == found.since.version
    assert () == releases(wanted, (older, newer), None)


def test_since_is_told_with_the_file_that_brought_it() -> None:
    """Of a need of several documents too, in whichever order they are given; a part of a need tells nothing."""
    check_names_what_brought_it(network_plans.releases)


def test_a_twin_that_waits_for_all_documents_is_caught() -> None:
    """It takes the last document for the news."""

    def late(wanted: Requirement, files: tuple[PublishedRanges, ...], region: str | None) -> tuple[Release, ...]:
        known = [files[:number] for number in range(1, len(files) + 1) if not need(wanted, files[:number]).missing]
        return tuple(
            Release(version=some[-1].version, published=None, rows=need(wanted, some, region=region).rows)
            for some in known
        )

    with pytest.raises(AssertionError):
        check_names_what_brought_it(late)


def test_who_allows_all_lacks_nothing() -> None:
    """Without a restriction nothing is missing, whatever the newest file has."""
    assert None is Host.prepared().admin.run(networks.stale(service=SERVICE, files=[tags()])).incomplete


@pytest.mark.parametrize(
    "make",
    [
        lambda: networks.stale(files=[tags()]),
        lambda: networks.stale(region="japan"),
        lambda: networks.stale(older_than_days=-1),
        lambda: networks.coverage(SERVICE, ["x"]),  # type: ignore[list-item]  # read it first
        lambda: networks.coverage(SERVICE, [tags()] * 101),
        lambda: networks.coverage("", []),
        lambda: networks.plan(SERVICE, [], rows=-1),
        lambda: networks.plan(SERVICE, [], edition="XX"),
        lambda: networks.plan(SERVICE, [], ipv4_only="no"),  # type: ignore[arg-type]  # a yes or a no
    ],
    ids=["files alone", "region alone", "age", "no file", "files", "service", "rows", "edition", "flag"],
)
def test_malformed_questions_are_refused_when_they_are_made(make: Callable[[], object]) -> None:
    """Nothing is read for them."""
    with pytest.raises(InvalidInput):
        make()


def test_a_question_is_short_when_it_is_shown() -> None:
    """A file of thousands of ranges does not fill the log."""
    assert 600 > len(repr(networks.coverage(SERVICE, [tags()])))
    assert "groups=<7 groups>" in repr(tags())
