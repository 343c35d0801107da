"""The network item: covered, not covered, unknown, impossible; what it advises and what helps (S5, N3)."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from extlink.domain.address import parse_range
from extlink.domain.edition import EDITIONS, Edition
from extlink.domain.identifier import ServiceId
from extlink.domain.instant import Instant
from extlink.domain.network import IPRestriction, Row
from extlink.domain.pin import Pin
from extlink.domain.readiness import Action
from extlink.domain.readiness_network import Judged, Published, judge
from extlink.domain.reason import Reason

SLACK = ServiceId("slack")
AT = Instant(1_591_660_800)  # 2020-06-09
NEWS = date(2020, 6, 1)


def published(*texts: str, day: date | None = NEWS, missing: tuple[str, ...] = ()) -> Published:
    """Return a published set."""
    rows = tuple(Row(range=parse_range(text), source="tags", published=day) for text in texts)
    return Published(rows=rows, requirement="vendor-current", missing=missing)


def allowing(*texts: str) -> IPRestriction:
    """Return a restriction to some ranges."""
    return IPRestriction("allow_some", [Row(range=parse_range(text)) for text in texts])


def judged(wanted: Published, network: IPRestriction, *, pin: Pin | None = None, edition: Edition = "JP") -> Judged:
    """Return what the item says."""
    return judge(SLACK, wanted, network=network, held_to=pin, edition=EDITIONS[edition], at=AT)


def test_all_of_it_comes_in() -> None:
    """Then the item is done, with its figures."""
    found = judged(published("192.0.2.0/25", "192.0.2.128/25"), allowing("192.0.2.0/24"))

    assert ("done", "readiness.covered") == (found.state, found.reason.code)
    assert {"count": 256, "service": "slack", "source": ("tags",)} == found.reason.params
    assert ("1/1", 256, 256, 8, "2020-06-01") == tuple(
        found.evidence[name] for name in ("share", "needed", "admitted", "days", "published")
    )
    assert () == found.advice


def test_one_address_that_is_kept_out_is_enough() -> None:
    """Whichever it is; the share is rounded down, and the smallest opening is proposed."""
    found = judged(published("192.0.2.0/24"), allowing("192.0.2.0/25", "192.0.2.128/26", "192.0.2.192/27"))

    assert ("missing", "readiness.not_covered") == (found.state, found.reason.code)
    assert (32, 87) == (found.reason.params["count"], found.reason.params["percent"])
    assert Action("networks.add", {"rows": ("192.0.2.224/27",)}) == found.remedy
    assert "access_administrator" == found.who


def test_ninety_nine_percent_is_not_all() -> None:
    """A share that would round to 100 does not."""
    found = judged(published("10.0.0.0/8"), allowing("10.0.0.0/9", "10.128.0.0/10", "10.192.0.0/11", "10.224.0.0/12"))
    almost = judged(published("10.0.0.0/8"), IPRestriction("allow_some", _all_but_the_last("10.0.0.0/8")))

    assert 93 == found.reason.params["percent"]
    assert ("missing", 99, 1) == (almost.state, almost.reason.params["percent"], almost.reason.params["count"])


def _all_but_the_last(text: str) -> list[Row]:
    block = parse_range(text)
    rows: list[Row] = []
    first = block.first
    for bits in range(9, 33):
        rows.append(Row(range=parse_range(f"{'.'.join(map(str, first.to_bytes(4, 'big')))}/{bits}")))
        first += 1 << (32 - bits)
    return rows


def test_where_customers_cannot_set_it_the_vendor_does() -> None:
    """CN customers have to ask (TRACE T1)."""
    assert "vendor" == judged(published("192.0.2.0/24"), allowing(), edition="CN").who


def test_no_data_is_unknown() -> None:
    """Also where all addresses are allowed: nobody knows which ones are asked for."""
    for network in (IPRestriction(), IPRestriction("deny_all"), allowing("192.0.2.0/24")):
        found = judged(Published(), network)
        assert ("unknown", "readiness.ranges_unknown") == (found.state, found.reason.code)


def test_a_part_of_the_data_is_unknown() -> None:
    """What is there comes in; what is not there is not known. What is kept out for certain is missing."""
    part = published("192.0.2.0/24", missing=("LogicApps",))
    found = judged(part, allowing("192.0.2.0/24"))
    kept_out = judged(part, allowing())

    assert ("unknown", "network.data_missing") == (found.state, found.reason.code)
    assert {"requirement": "vendor-current", "lists": ("LogicApps",)} == found.reason.params
    assert ("missing", Action("networks.plan", {"service": "slack", "requirement": "vendor-current"}, ("files",))) == (
        kept_out.state,
        kept_out.remedy,
    )


def test_what_a_list_cannot_express_is_not_asked_for() -> None:
    """IPv6 beside IPv4 is told and asked for nothing; IPv6 alone is impossible; with "allow all" no list is asked."""
    both = judged(published("192.0.2.0/24", "2001:db8::/126"), allowing("192.0.2.0/24"))
    alone = judged(published("2001:db8::/126"), allowing("192.0.2.0/24"))
    every = judged(published("2001:db8::/126"), IPRestriction())

    assert ("done", ["readiness.partly_inexpressible"]) == (both.state, [one.code for one in both.advice])
    assert {"count": 4, "edition": "JP"} == both.advice[0].params
    assert ("cannot", "readiness.inexpressible") == (alone.state, alone.reason.code)
    assert ("done", 4) == (every.state, every.evidence["needed"])


def test_a_list_that_denies_all_has_no_remedy_here() -> None:
    """Whether the kept rows shall be read again is for a person to say."""
    found = judged(published("192.0.2.0/24"), IPRestriction("deny_all", [Row(range=parse_range("192.0.2.0/24"))]))

    assert ("missing", None) == (found.state, found.remedy)


def test_a_pin_has_to_let_it_in_too() -> None:
    """One for every call; one that single links ask for stands in nobody's way here."""
    wanted, network = published("192.0.2.0/24"), allowing("192.0.2.0/24", "198.51.100.0/24")
    rows = [Row(range=parse_range("192.0.2.0/25"))]
    found = judged(wanted, network, pin=Pin(rows))

    assert ("missing", Reason("readiness.not_pinned", {"service": "slack", "count": 128})) == (
        found.state,
        found.reason,
    )
    assert Action("networks.pin", {"service": "slack", "rows": ("192.0.2.0/24",)}) == found.remedy
    assert 128 == found.evidence["admitted"]
    assert "done" == judged(wanted, network, pin=Pin(rows, "links")).state
    assert "done" == judged(wanted, network, pin=Pin([Row(range=parse_range("192.0.0.0/16"))])).state
    partly = judged(published("192.0.2.0/24", missing=("LogicApps",)), network, pin=Pin(rows))
    assert ("missing", None) == (partly.state, partly.remedy)


@pytest.mark.parametrize(
    ("day", "code"),
    [(None, "readiness.data_undated"), (date(2020, 3, 10), "readiness.data_old"), (date(2020, 3, 11), None)],
)
def test_the_age_of_the_data_is_advice(day: date | None, code: str | None) -> None:
    """Older than 90 days, or of unknown age: told, and no obstacle."""
    found = judged(published("192.0.2.0/24", day=day), allowing("192.0.2.0/24"))

    assert ("done", [] if code is None else [code]) == (found.state, [one.code for one in found.advice])


def test_the_oldest_list_counts() -> None:
    """Of several; one without a day makes the age unknown."""
    old, new, bare = (
        Row(range=parse_range("192.0.2.0/24"), source=str(day), published=day)
        for day in (date(2020, 5, 1), date(2020, 6, 1), None)
    )

    assert "2020-05-01" == judged(Published(rows=(new, old)), IPRestriction()).evidence["published"]
    assert None is judged(Published(rows=(new, bare)), IPRestriction()).evidence["published"]


def test_room_in_the_list_is_advice() -> None:
    """Where the missing blocks do not fit, a plan that widens rows is proposed instead."""
    rows = [Row(range=parse_range(f"20.{number // 256}.{number % 256}.0/32")) for number in range(2_900)]
    found = judged(published("192.0.2.0/24"), IPRestriction("allow_some", rows))

    assert [Reason("network.row_limit", {"rows": 2_901, "limit": 2_900, "edition": "JP"})] == list(found.advice)
    assert found.remedy is not None
    assert "networks.plan" == found.remedy.name


def test_what_other_requirements_name_is_told() -> None:
    """Never silently dropped (TRACE T4); where the files lack lists of one, nobody knows how much it is."""
    wanted = attrs.evolve(published("192.0.2.0/24"), others={"seed": 512, "same": 0, "unread": None})
    found = judged(wanted, IPRestriction())

    assert {"seed": 512, "same": 0, "unread": None} == found.evidence["others"]
    assert [Reason("readiness.differs", {"requirement": "vendor-current", "other": "seed", "count": 512})] == list(
        found.advice
    )


def test_two_factor_and_a_restriction_are_told_of() -> None:
    """In the US both cannot be had once a user has it on mobile (TRACE T16)."""
    wanted = published("192.0.2.0/24")

    assert ["readiness.two_factor"] == [
        one.code for one in judged(wanted, allowing("192.0.2.0/24"), edition="US").advice
    ]
    assert () == judged(wanted, IPRestriction(), edition="US").advice
