"""Operations on the IP restriction: what each promises, and that it holds at the very next check (S5, F6; T1, T15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink import access, links, networks
from extlink.domain.address import AddressRange, parse_range
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.decision import Answer
from extlink.domain.identifier import TenantId
from extlink.domain.instant import Instant
from extlink.domain.network import IPRestriction, NetworkProof, Proof, Row
from extlink.domain.pin import Pin
from extlink.domain.reason import Reason
from extlink.domain.reset import Reset
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing
from extlink.errors import ExtlinkError, InvalidInput
from extlink.networks import Saved
from extlink.operation import Operation
from tests.hosts import CHALLENGE, CLIENT, REDIRECT, SCOPES, SERVICE, Host, codes, refusal

HOME = "203.0.113.7"
AWAY = "198.51.100.9"
OFFICE = Row(range=parse_range("203.0.113.0/24"), memo="head office")
PUBLISHED = Row(range=parse_range("20.37.194.0/24"), source="AzureConnectors", version="65")
EVERYTHING = ("0.0.0.0/0", "::/0", "::ffff:0:0/96")
# Every operation here that parses rows.
TAKES_ROWS: Mapping[str, Callable[..., Operation[Saved]]] = {
    "restrict": networks.restrict,
    "add": networks.add,
    "remove": networks.remove,
}


class Failing:
    """A collection that breaks when it is read."""

    def __iter__(self) -> Iterator[str]:
        raise ZeroDivisionError


def last(host: Host) -> tuple[str, str | None, Mapping[str, object]]:
    """Return the newest entry: what, who, details."""
    entry = host.entries()[-1]
    return entry.event, entry.user, entry.details


def refused(host: Host, operation: Operation[object], address: str | None = None) -> Reason:
    """Run an operation that the rules refuse, for an administrator at an address: nothing changes."""
    before = host.dump()
    reason = refusal(host.tenant.acting_as("admin-1", roles={"common_administrator"}, address=address), operation)
    assert before == host.dump()
    return reason


def unchanged(host: Host, operation: Operation[object]) -> object:
    """Run an operation that has nothing to do and return its result: nothing is written, nothing recorded."""
    before = host.dump()
    result = host.admin.run(operation)
    assert before == host.dump()
    return result


def seen(host: Host, address: str | None = HOME) -> tuple[str, ...]:
    """Return what the network gate says of an address, in a process that has cached nothing."""
    other = host.other_process().acting_as("admin-2", roles={"common_administrator"})
    gate = other.run(access.explain("power-automate", user="sato", address=address)).gate("network")
    return tuple(reason.code for reason in gate.reasons)


def test_a_tenant_that_never_set_one_allows_all() -> None:
    """Without a restriction every address is admitted, in every edition (TRACE T1)."""
    for edition in ("JP", "US", "CN"):
        host = Host.prepared(edition=edition)

        assert IPRestriction() == host.admin.run(networks.show())
        assert ("network.allow_all",) == seen(host)


def test_restricting_admits_only_the_rows() -> None:
    """Page A: with a restriction on, the service cannot be used as it is; from a row's address it can."""
    host = Host.prepared()
    after = host.admin.run(networks.restrict([OFFICE])).restriction

    assert IPRestriction("allow_some", [OFFICE]) == after == host.admin.run(networks.show())
    assert ("network.row",) == seen(host)
    assert ("network.address_not_allowed",) == seen(host, AWAY)
    assert ("network.address_unknown",) == seen(host, None)


def test_restricting_says_what_changed() -> None:
    """Mode before and after, rows added and removed, how many there are, where published ones came from."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE]))
    host.admin.run(networks.restrict([PUBLISHED, "192.0.2.7"]))

    assert last(host) == (
        "network.changed",
        "admin-1",
        {
            "before": "allow_some",
            "after": "allow_some",
            "added": ["192.0.2.7/32", "20.37.194.0/24"],
            "removed": ["203.0.113.0/24"],
            "rows": 2,
            "sources": ["AzureConnectors 65"],
            "proofs": [],
            "locks_out_actor": False,
            "existing": "keep",
        },
    )


def test_restricting_replaces_all_rows() -> None:
    """What was there before is gone, and the empty list admits nobody."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE]))
    host.admin.run(networks.restrict([]))

    assert IPRestriction("allow_some", []) == host.admin.run(networks.show())
    assert ("network.address_not_allowed",) == seen(host)


def test_rows_are_texts_ranges_or_rows() -> None:
    """All three say the same; a bare address is a range of one."""
    host = Host.prepared()
    after = host.admin.run(networks.restrict([parse_range("192.0.2.0/24"), "198.51.100.1", OFFICE])).restriction

    assert ["192.0.2.0/24", "198.51.100.1/32", "203.0.113.0/24"] == [row.text for row in after.rows]
    assert ["", "", "head office"] == [row.memo for row in after.rows]


def test_rows_may_come_from_a_generator() -> None:
    """The rows are read once, when the operation is made, so that it can be run again."""
    operation = networks.restrict(f"192.0.2.{number}" for number in range(3))
    host = Host.prepared()
    host.admin.run(operation)

    assert Saved(IPRestriction("allow_some", operation.arguments["rows"])) == unchanged(host, operation)  # type: ignore[arg-type]


def test_allowing_all_keeps_the_rows_for_another_day() -> None:
    """Everybody is admitted, and the list is still there."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE]))
    after = host.admin.run(networks.allow_all()).restriction

    assert IPRestriction("allow_all", [OFFICE]) == after
    assert ("network.allow_all",) == seen(host, AWAY)
    assert ("allow_some", "allow_all") == (last(host)[2]["before"], last(host)[2]["after"])


def test_denying_all_refuses_every_address_and_keeps_the_rows() -> None:
    """Not even the addresses of the rows are admitted."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE]))
    after = host.admin.run(networks.deny_all()).restriction

    assert IPRestriction("deny_all", [OFFICE]) == after
    assert ("network.deny_all",) == seen(host)


@pytest.mark.parametrize("mode", ["allow_all", "deny_all", "allow_some"])
def test_rows_are_added_whatever_the_mode(mode: str) -> None:
    """The mode stays; added rows count once it is `allow_some`."""
    host = Host.prepared()
    set_mode = {"allow_all": networks.allow_all(), "deny_all": networks.deny_all(), "allow_some": networks.restrict([])}
    host.admin.run(set_mode[mode])
    after = host.admin.run(networks.add([OFFICE])).restriction

    assert IPRestriction(mode, [OFFICE]) == after  # type: ignore[arg-type]
    assert {"before": mode, "after": mode, "added": ["203.0.113.0/24"]}.items() <= last(host)[2].items()


BLOCKS = st.lists(
    st.tuples(st.integers(0, 63), st.integers(26, 32)).map(
        lambda drawn: f"192.0.2.{drawn[0] >> (32 - drawn[1]) << (32 - drawn[1])}/{drawn[1]}"
    ),
    max_size=4,
)


@given(BLOCKS, BLOCKS)
def test_adding_rows_never_refuses_more(rows: list[str], added: list[str]) -> None:
    """Law 5: every address that was admitted is admitted after any addition."""
    assert set() == newly_refused(rows, added, networks.add)


def newly_refused(rows: list[str], added: list[str], change: Callable[[list[str]], Operation[Saved]]) -> set[str]:
    """Return the addresses that were admitted by some rows and are not after a change."""
    host = Host.make()
    before = host.admin.run(networks.restrict(rows)).restriction
    after = host.admin.run(change(added)).restriction
    addresses = {f"192.0.2.{last}" for last in range(64)}
    return {one for one in addresses if before.admits(one) and not after.admits(one)}


def test_an_addition_that_replaces_is_found() -> None:
    """The broken twin: an addition that forgets what was there."""
    assert {"192.0.2.1"} == newly_refused(["192.0.2.1"], ["192.0.2.2"], networks.restrict)


def test_rows_are_taken_out_by_their_ranges() -> None:
    """However the range is written; the others stay."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE, PUBLISHED, "192.0.2.0/24"]))
    after = host.admin.run(networks.remove(["::ffff:203.0.113.0/120", parse_range("192.0.2.0/24")])).restriction

    assert IPRestriction("allow_some", [PUBLISHED]) == after
    assert ["192.0.2.0/24", "203.0.113.0/24"] == last(host)[2]["removed"]
    assert ("network.address_not_allowed",) == seen(host)


def test_a_row_that_is_not_there_cannot_be_taken_out() -> None:
    """The reason names the row, also one that lies inside another; nothing is taken out then."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE]))

    for row in ("192.0.2.0/24", "203.0.113.0/25"):
        assert Reason("network.unknown_row", {"row": row}) == refused(host, networks.remove(["203.0.113.0/24", row]))


@pytest.mark.parametrize(
    "operation",
    [
        networks.restrict([OFFICE]),
        networks.add([OFFICE]),
        networks.add(["203.0.113.0/24"]),
        networks.add([]),
        networks.remove([]),
    ],
    ids=["restrict", "add", "add without memo", "add nothing", "remove nothing"],
)
def test_what_is_so_already_is_not_written_again(operation: Operation[object]) -> None:
    """The same rows are no change, nor is a row without the memo that the list has for it."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE]))
    unchanged(host, operation)


@pytest.mark.parametrize("make", [networks.allow_all, networks.deny_all], ids=["allow_all", "deny_all"])
def test_the_same_mode_again_is_no_change(make: Callable[[], Operation[Saved]]) -> None:
    """Switching to a mode that is on changes nothing, nor does allowing all where nobody restricted."""
    host = Host.prepared()
    host.admin.run(make())
    unchanged(host, make())


def test_an_edition_has_room_for_so_many_rows() -> None:
    """2,900 rows fit in JP; with one more the reason names number, limit and edition, and nothing is changed."""
    host = Host.prepared()
    many = [f"10.{number >> 8}.{number & 255}.0/24" for number in range(2_900)]
    host.admin.run(networks.restrict(many))
    reason = Reason("network.row_limit", {"rows": 2_901, "limit": 2_900, "edition": "JP"})

    assert reason == refused(host, networks.add(["192.0.2.0/24"]))
    assert reason == refused(host, networks.restrict([*many, "192.0.2.0/24"]))
    assert 2_900 == len(host.admin.run(networks.show()).rows)
    assert 2_900 == len(host.other_process().acting_as("a", roles={"common_administrator"}).run(networks.show()).rows)


def test_2900_rows_with_long_memos_are_kept() -> None:
    """A list as large as the edition allows is stored and read back, however much its memos say."""
    host = Host.prepared()
    rows = [
        Row(range=parse_range(f"10.{number >> 8}.{number & 255}.0/24"), memo=f"{number * 7_919 % 99_991:_>9}" * 20)
        for number in range(2_900)
    ]
    host.admin.run(networks.restrict(rows))
    other = host.other_process().acting_as("admin-2", roles={"common_administrator"})

    assert tuple(rows) == other.run(networks.show()).rows
    host.admin.run(networks.restrict([OFFICE]))
    assert (OFFICE,) == other.run(networks.show()).rows


@pytest.mark.parametrize("edition", ["JP", "US"])
def test_an_edition_takes_ipv4_alone(edition: str) -> None:
    """An IPv6 row is refused with the row and the edition; an IPv4-mapped one is an IPv4 row."""
    host = Host.prepared(edition=edition)
    reason = Reason("network.ipv4_only", {"range": "2001:db8::/32", "edition": edition})

    assert reason == refused(host, networks.restrict(["2001:db8::/32"]))
    assert reason == refused(host, networks.add(["192.0.2.0/24", "2001:db8::/32"]))
    assert "10.0.0.0/8" == host.admin.run(networks.add(["::ffff:10.0.0.0/104"])).restriction.rows[0].text


@pytest.mark.parametrize(
    "operation",
    [networks.restrict([OFFICE]), networks.add([OFFICE]), networks.deny_all()],
    ids=lambda operation: operation.name,
)
def test_an_edition_whose_customers_do_not_set_it(operation: Operation[object]) -> None:
    """In CN no page tells a customer how (TRACE T1): refused, who may is the vendor; the host itself may."""
    host = Host.prepared(edition="CN")
    reason = refused(host, operation)
    host.tenant.acting_as("ops", roles={"host"}).run(operation)

    assert Reason("network.not_self_service", {"edition": "CN"}) == reason
    assert "vendor" == reason.remedy.who
    assert ("network.changed", "ops") == last(host)[:2]


@pytest.mark.parametrize("roles", [{"common_administrator"}, {"access_administrator"}, {"host"}])
def test_access_administrators_may_set_it_too(roles: set[str]) -> None:
    """JP has an administrator for access alone (TRACE T11)."""
    host = Host.prepared()
    host.tenant.acting_as("keeper", roles=roles).run(networks.restrict([OFFICE]))

    assert ("network.changed", "keeper") == last(host)[:2]


LOCKING_OUT: Mapping[str, Callable[[bool], Operation[Saved]]] = {
    "restrict": lambda sure: networks.restrict(["198.51.100.0/24"], even_if_it_locks_me_out=sure),
    "deny_all": lambda sure: networks.deny_all(even_if_it_locks_me_out=sure),
    "remove": lambda sure: networks.remove(["203.0.113.0/24"], even_if_it_locks_me_out=sure),
}


@pytest.mark.parametrize("name", LOCKING_OUT)
def test_locking_oneself_out_needs_a_word(name: str) -> None:
    """The acting administrator's own address would be refused: nothing changes without the named override."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE, PUBLISHED]))
    reason = refused(host, LOCKING_OUT[name](False), HOME)

    assert Reason("network.locks_out_actor", {"address": HOME}) == reason
    sitting = host.tenant.acting_as("admin-1", roles={"common_administrator"}, address=HOME)
    sitting.run(LOCKING_OUT[name](True))
    assert last(host)[2]["locks_out_actor"] is True
    assert ("network.row",) != seen(host)


@pytest.mark.parametrize("name", LOCKING_OUT)
def test_who_stays_inside_needs_no_word(name: str) -> None:
    """From elsewhere, or where the host did not state an address, there is nobody to lock out."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE, PUBLISHED, "198.51.100.0/24"]))
    address = None if name == "deny_all" else AWAY
    host.tenant.acting_as("admin-1", roles={"common_administrator"}, address=address).run(LOCKING_OUT[name](False))

    assert last(host)[2]["locks_out_actor"] is False


@pytest.mark.parametrize("address", ["nowhere", "203.0.113.7:443", "\ud800", "fe80::1%eth0", "x" * 5_000])
def test_an_address_that_is_none_is_inside_of_nothing(address: str) -> None:
    """An administrator whose address cannot be read is told of it, and can always lift the restriction."""
    host = Host.prepared()
    reason = refused(host, networks.restrict([OFFICE]), address)
    sitting = host.tenant.acting_as("admin-1", roles={"common_administrator"}, address=address)
    sitting.run(networks.restrict([OFFICE], even_if_it_locks_me_out=True))
    sitting.run(networks.add(["192.0.2.0/24"]))
    sitting.run(networks.allow_all())

    assert "network.locks_out_actor" == reason.code
    assert len(str(reason.params["address"])) < 400
    assert ("network.allow_all",) == seen(host)


@pytest.mark.parametrize("value", [None, 1, "yes", "False"])
def test_an_override_is_a_yes_or_a_no(value: object) -> None:
    """Anything else would be taken for a yes."""
    makes: tuple[Callable[..., Operation[Saved]], ...] = (networks.remove, networks.restrict)
    for make in makes:
        with pytest.raises(InvalidInput, match="even_if_it_locks_me_out: expected True or False"):
            make([], even_if_it_locks_me_out=value)
    with pytest.raises(InvalidInput, match="even_if_it_locks_me_out: expected True or False"):
        networks.deny_all(even_if_it_locks_me_out=value)  # type: ignore[arg-type]
    makes = (networks.add, networks.restrict)
    for make in makes:
        with pytest.raises(InvalidInput, match="including_all_addresses: expected True or False"):
            make([], including_all_addresses=value)


def whole_worlds() -> Iterator[Row | AddressRange | str]:
    """Yield the whole of IPv4 and IPv6 in every form in which a row may be written."""
    for text in EVERYTHING:
        allowed = parse_range(text, allow_everything=True)
        yield from (text, allowed, Row(range=allowed))


@pytest.mark.parametrize("make", [networks.restrict, networks.add], ids=["restrict", "add"])
def test_a_row_that_is_everything_needs_a_word(make: Callable[..., Operation[Saved]]) -> None:
    """`/0` is refused in every form, unless it is said in so many words (TRACE T15)."""
    for row in whole_worlds():
        with pytest.raises(InvalidInput, match="rows: expected a"):
            make([row])
        assert 0 == make([row], including_all_addresses=True).arguments["rows"][0].range.prefix  # type: ignore[index]


def test_a_row_that_is_everything_can_be_taken_out() -> None:
    """Removing it needs no word: it admits less."""
    host = Host.prepared()
    host.admin.run(networks.restrict(["0.0.0.0/0"], including_all_addresses=True))

    assert IPRestriction("allow_some", []) == host.admin.run(networks.remove(["0.0.0.0/0"])).restriction


@pytest.mark.parametrize("make", TAKES_ROWS)
@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("203.0.113.0/24", "expected a list, got str"),
        (7, "expected a list, got int"),
        ([7], "expected text, got int"),
        (["198.51.100.7/24"], "use 198.51.100.0/24"),
        (["fe80::1%eth0/64"], "zone id"),
        (["10.0.0.0/08"], "leading zero"),
        (["192.0.2.0/0.0.0.255"], "expected"),
        ([b"192.0.2.1"], "expected text, got bytes"),
        (["x" * 256], "at most 255 characters"),
        (["192.0.2.1", None], "expected text, got NoneType"),
        (Failing(), "cannot be read"),
    ],
    ids=["text", "number", "numbers", "host bits", "zone", "zero", "hostmask", "bytes", "long", "none", "failing"],
)
def test_malformed_rows_are_refused_when_the_operation_is_made(make: str, rows: object, problem: str) -> None:
    """The message says what was probably meant."""
    with pytest.raises(InvalidInput, match=problem):
        TAKES_ROWS[make](rows)


def test_a_range_of_no_block_is_no_row() -> None:
    """An interval that is no CIDR block has to be split first."""
    odd = AddressRange(version=4, first=1, last=2)

    with pytest.raises(InvalidInput, match="split it with cidrs"):
        networks.add([odd])


def test_there_are_only_so_many_rows_in_one_call() -> None:
    """More than any edition has are not even read."""
    with pytest.raises(InvalidInput, match="rows: expected at most 100,000 items"):
        networks.add("192.0.2.1" for _ in iter(int, 1))


def test_a_row_is_found_by_an_address() -> None:
    """Whether an address is allowed, and by which row (F6): the narrowest one, or none."""
    host = Host.prepared()
    desk = Row(range=parse_range("203.0.113.7"), memo="one desk")
    host.admin.run(networks.restrict([OFFICE, desk]))

    narrowest = host.admin.run(networks.find(HOME))
    mapped = host.admin.run(networks.find("::ffff:203.0.113.8"))
    nowhere = host.admin.run(networks.find(AWAY))
    assert (True, desk, "allow_some", HOME) == (narrowest.allowed, narrowest.row, narrowest.mode, narrowest.address)
    assert (True, OFFICE, "203.0.113.8") == (mapped.allowed, mapped.row, mapped.address)
    assert (False, None, None) == (nowhere.allowed, nowhere.row, nowhere.published)
    assert ["network.row"] == [reason.code for reason in narrowest.reasons]
    assert ["network.address_not_allowed"] == [reason.code for reason in nowhere.reasons]


def test_where_rows_are_not_read_none_is_found() -> None:
    """With all allowed or all denied it is no row that decides."""
    host = Host.prepared()
    host.admin.run(networks.add([OFFICE]))
    allowed = host.admin.run(networks.find(HOME))
    host.admin.run(networks.deny_all())
    denied = host.admin.run(networks.find(HOME))

    assert (True, None, "allow_all") == (allowed.allowed, allowed.row, allowed.mode)
    assert (False, None, "deny_all") == (denied.allowed, denied.row, denied.mode)


@pytest.mark.parametrize("address", ["nowhere", "", "203.0.113.7:443", "010.0.0.1", None, 7, b"203.0.113.7", "1" * 300])
def test_only_an_address_can_be_looked_for(address: object) -> None:
    """What is no address is refused when the operation is made."""
    with pytest.raises(InvalidInput) as caught:
        networks.find(address)  # type: ignore[arg-type]

    assert "address" == caught.value.field


def test_a_bearer_is_refused_at_the_next_call() -> None:
    """A token that was accepted a moment ago is refused as soon as the restriction holds, in every process."""
    host = Host.prepared()
    token = host.connect().access_token
    before = host.check(token, address=AWAY)
    host.admin.run(networks.restrict([OFFICE]))

    assert before
    assert ["network.address_not_allowed"] == [reason.code for reason in host.check(token, address=AWAY).reasons]
    assert host.check(token, address=HOME)


@given(st.text(max_size=30))
def test_any_text_is_a_row_or_invalid(text: str) -> None:
    """A row that is taken can be taken out again by the same text."""
    try:
        operation = networks.add([text])
    except ExtlinkError:
        return
    host = Host.make(edition="JP")
    try:
        host.admin.run(operation)
    except ExtlinkError:
        return
    assert () == host.admin.run(networks.remove([text])).restriction.rows


# --- Published ranges ---------------------------------------------------------------------------------------------

IPV6 = Row(range=parse_range("2603:1040:407:402::180/122"), source="AzureConnectors", version="65")
SERVICE_RANGES = [PUBLISHED, IPV6]
INSIDE = "20.37.194.9"


def answered(host: Host, token: Secret, address: str | None) -> tuple[str, ...]:
    """Return why a token is refused from an address, in a process that has cached nothing."""
    return codes(host.check(token, address=address))


def test_a_pinned_service_calls_from_its_own_ranges_alone() -> None:
    """F5: refused from elsewhere at the very next check, whoever is in the tenant's list; lifted, allowed again."""
    host = Host.prepared()
    token = host.connect().access_token
    before = answered(host, token, HOME)
    pin = host.admin.run(networks.pin("power-automate", SERVICE_RANGES))
    pinned = answered(host, token, HOME), answered(host, token, None), answered(host, token, INSIDE)
    host.admin.run(networks.unpin("power-automate"))

    assert Pin(SERVICE_RANGES) == pin
    assert () == before == answered(host, token, HOME)
    assert (("network.not_published",), ("network.address_unknown",), ()) == pinned


def test_a_pin_is_shown_and_recorded() -> None:
    """Who, for which service, how many ranges came and went, from which list; the same again is no change."""
    host = Host.prepared()
    assert host.admin.run(networks.show_pin("power-automate")) is None
    host.admin.run(networks.pin("power-automate", SERVICE_RANGES))
    pinned = last(host)
    host.admin.run(networks.pin("power-automate", [PUBLISHED, "192.0.2.0/24"], applies="links"))

    assert pinned == (
        "network.pinned",
        "admin-1",
        {
            "service": "power-automate",
            "before": None,
            "after": "service",
            "added": 2,
            "removed": 0,
            "rows": 2,
            "source": "AzureConnectors",
            "version": "65",
            "existing": "keep",
        },
    )
    assert {"before": "service", "after": "links", "added": 1, "removed": 1}.items() <= last(host)[2].items()
    shown = unchanged(host, networks.pin("power-automate", ["192.0.2.0/24", PUBLISHED], applies="links"))
    assert shown == host.admin.run(networks.show_pin("power-automate"))
    host.admin.run(networks.unpin("power-automate"))
    told = {"service": "power-automate", "before": "links", "rows": 2, "existing": "keep"}
    assert ("network.unpinned", "admin-1", told) == last(host)
    unchanged(host, networks.unpin("power-automate"))


def test_a_service_must_be_registered_to_be_pinned() -> None:
    """A misspelt name would leave the service unpinned."""
    host = Host.prepared()

    assert Reason("service.unknown", {"service": "slack"}) == refused(host, networks.pin("slack", SERVICE_RANGES))
    assert Reason("service.unknown", {"service": "slack"}) == refused(host, networks.find(HOME, service="slack"))


@pytest.mark.parametrize("rows", [[], ["0.0.0.0/0"], ["192.0.2.7/24"], "192.0.2.0/24", None])
def test_a_pin_has_ranges(rows: Any) -> None:
    """No range at all would refuse everything, and everything would refuse nothing: neither is what was meant."""
    with pytest.raises(InvalidInput) as caught:
        networks.pin("power-automate", rows)

    assert "rows" == caught.value.field


def test_a_pin_of_a_whole_cloud_is_kept() -> None:
    """As many ranges as no list of an edition holds, in pieces; IPv6 among them."""
    host = Host.prepared()
    many = [f"20.{number >> 8}.{number & 255}.0/28" for number in range(30_000)]
    host.admin.run(networks.pin("power-automate", [*many, "2603:1040::/32"]))
    other = host.other_process().acting_as("admin-2", roles={"common_administrator"})
    kept = other.run(networks.show_pin("power-automate"))

    assert kept is not None
    assert 30_001 == len(kept.rows)
    assert other.run(networks.find("2603:1040::9", service="power-automate")).allowed
    host.admin.run(networks.unpin("power-automate"))
    assert other.run(networks.show_pin("power-automate")) is None


def test_find_names_the_published_range_as_well() -> None:
    """F6: allowed by the restriction and by the service's ranges, each with its row, and why not."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE, PUBLISHED]))
    host.admin.run(networks.pin("power-automate", SERVICE_RANGES))
    inside = host.admin.run(networks.find(INSIDE, service="power-automate"))
    office = host.admin.run(networks.find(HOME, service="power-automate"))

    assert (True, PUBLISHED, PUBLISHED) == (inside.allowed, inside.row, inside.published)
    assert ["network.row", "network.published"] == [reason.code for reason in inside.reasons]
    assert (False, OFFICE, None) == (office.allowed, office.row, office.published)
    assert ["network.not_published"] == [reason.code for reason in office.reasons]
    assert host.admin.run(networks.find(HOME)).allowed


def test_find_without_published_ranges_asks_the_restriction_alone() -> None:
    """A service that nobody pinned calls from wherever the restriction lets it."""
    found = Host.prepared().admin.run(networks.find(HOME, service="power-automate"))

    assert (True, None) == (found.allowed, found.published)


# --- Proofs -------------------------------------------------------------------------------------------------------


def consented(host: Host, address: str, proof: NetworkProof) -> bool:
    """Whether the user may open the consent page from an address with a proof."""
    asked = links.begin(
        SERVICE,
        client=CLIENT,
        redirect_uri=REDIRECT,
        scopes=SCOPES,
        code_challenge=CHALLENGE,
        address=address,
        network_proof=proof,
    )
    consent = host.user().run(asked)
    if not isinstance(consent, Consent):
        return False
    accepted = host.user().run(links.accept(consent, address=address, network_proof=proof))
    without = host.user().run(links.accept(host.user().run(asked), address=address))  # type: ignore[arg-type]
    assert isinstance(accepted, Acceptance)
    assert isinstance(without, Acceptance) is (proof == "none")
    return True


def test_a_proof_lets_a_person_in_and_no_service() -> None:
    """Once accepted, from any other address, at the consent page; a call with a token has no proof (TRACE T16)."""
    host = Host.prepared()
    token = host.connect().access_token
    host.admin.run(networks.restrict([OFFICE]))
    before = consented(host, AWAY, "basic")
    saved = host.admin.run(networks.accept_proofs(["basic"]))

    assert IPRestriction("allow_some", [OFFICE], frozenset({"basic"})) == saved.restriction
    assert ["basic"] == last(host)[2]["proofs"]
    assert (False, True) == (before, consented(host, AWAY, "basic"))
    assert not consented(host, AWAY, "client_certificate")
    assert ("network.address_not_allowed",) == answered(host, token, AWAY)
    explained = host.admin.run(access.explain(SERVICE, user="sato", address=AWAY, network_proof="basic"))
    assert Answer.PASSED is explained.gate("network").answer
    unchanged(host, networks.accept_proofs(["basic"]))


def test_with_allow_all_no_proof_can_be_set() -> None:
    """The second of the six combinations; switching to it leaves none."""
    host = Host.prepared()
    reason = refused(host, networks.accept_proofs(["client_certificate", "basic"]))
    host.admin.run(networks.deny_all())
    host.admin.run(networks.accept_proofs(["basic"]))
    kept = host.admin.run(networks.restrict([OFFICE])).restriction.proofs
    host.admin.run(networks.allow_all())

    assert Reason("network.proof_needs_restriction", {"proofs": ("basic", "client_certificate")}) == reason
    assert {"basic"} == kept
    assert frozenset() == host.admin.run(networks.deny_all()).restriction.proofs


@pytest.mark.parametrize(
    ("edition", "proof", "before_migration", "offered"),
    [
        ("JP", "basic", False, True),
        ("JP", "client_certificate", False, True),
        ("US", "basic", False, False),
        ("US", "basic", True, True),
        ("US", "client_certificate", True, False),
        ("CN", "basic", True, False),
        ("CN", "client_certificate", False, True),
    ],
)
def test_an_edition_has_its_proofs(edition: str, proof: Proof, before_migration: bool, offered: bool) -> None:
    """TRACE T10: Basic authentication in JP, in the US before its migration alone; certificates in JP and CN."""
    host = Host.prepared(edition=edition)
    keeper = host.tenant.acting_as("ops", roles={"host"})
    keeper.run(networks.deny_all())
    operation = networks.accept_proofs([proof], before_migration=before_migration)
    if offered:
        assert {proof} == keeper.run(operation).restriction.proofs
    else:
        reason = Reason("network.proof_not_in_edition", {"proof": proof, "edition": edition})
        assert reason == refusal(keeper, operation)


def test_accepting_less_may_lock_out() -> None:
    """Whoever sits in no row may have come in by the proof; to accept more locks nobody out."""
    host = Host.prepared()
    host.admin.run(networks.restrict([OFFICE]))
    away = host.tenant.acting_as("admin-1", roles={"common_administrator"}, address=AWAY)
    away.run(networks.accept_proofs(["basic", "client_certificate"]))
    reason = refused(host, networks.accept_proofs(["basic"]), AWAY)
    away.run(networks.accept_proofs([], even_if_it_locks_me_out=True))

    assert Reason("network.locks_out_actor", {"address": AWAY}) == reason
    assert frozenset() == host.admin.run(networks.show()).proofs


# --- Two administrators -------------------------------------------------------------------------------------------


def test_nobody_overwrites_what_they_have_not_seen() -> None:
    """A list that was made from an older one is refused, and the other administrator's change stays."""
    host = Host.prepared()
    seen_by_one = host.admin.run(networks.show())
    theirs = host.admin.run(networks.restrict([OFFICE], expected=seen_by_one)).restriction

    assert Reason("version.stale", {"what": "network"}) == refused(
        host, networks.restrict([PUBLISHED], expected=seen_by_one)
    )
    assert theirs == host.admin.run(networks.show())
    mine = host.admin.run(networks.restrict([*theirs.rows, PUBLISHED], expected=theirs)).restriction
    assert (OFFICE, PUBLISHED) == mine.rows


@pytest.mark.parametrize("value", [7, "allow_all", [OFFICE], Saved(IPRestriction())])
def test_what_was_seen_is_a_restriction(value: Any) -> None:
    """Anything else would never be equal, or always."""
    with pytest.raises(InvalidInput, match="expected: expected a IPRestriction"):
        networks.restrict([], expected=value)


# --- Resetting ----------------------------------------------------------------------------------------------------


def locked_out() -> tuple[Host, Secret]:
    """Return a host of the US edition whose administrator has just locked everybody out, and the token of it."""
    host = Host.prepared(edition="US")
    host.admin.run(networks.restrict([OFFICE]))
    host.admin.run(networks.accept_proofs(["basic"], before_migration=True))
    token = host.admin.run(networks.deny_all()).reset
    assert token is not None
    return host, token


def test_a_reset_token_allows_all_again() -> None:
    """TRACE T1: without any role, from any address; the rows are kept, the proofs are not, and the ledger knows."""
    host, token = locked_out()
    result = host.other_process().run(networks.reset(token))
    entry = host.entries()[-1]

    assert result is None
    assert IPRestriction("allow_all", [OFFICE]) == host.admin.run(networks.show())
    assert ("network.allow_all",) == seen(host, AWAY)
    assert ("network.reset", None) == (entry.event, entry.user)
    assert {"before": "deny_all", "after": "allow_all", "issued": host.clock.now(), "number": 1} == entry.details


def test_every_saved_change_yields_a_token() -> None:
    """Each kind of change, in the edition that has it; what changes nothing yields none."""
    host = Host.prepared(edition="US")
    changes = [
        networks.deny_all(),
        networks.accept_proofs(["basic"], before_migration=True),
        networks.restrict([OFFICE]),
        networks.add([PUBLISHED]),
        networks.remove(["203.0.113.0/24"]),
        networks.allow_all(),
    ]

    assert [] == [one.name for one in changes if host.admin.run(one).reset is None]
    assert Saved(IPRestriction("allow_all", [PUBLISHED])) == unchanged(host, networks.allow_all())


@pytest.mark.parametrize("edition", ["JP", "CN"])
def test_other_editions_have_no_token(edition: str) -> None:
    """The reset address is the US edition's alone; one that the host's key signed all the same opens nothing."""
    host = Host.prepared(edition=edition)
    keeper = host.tenant.acting_as("ops", roles={"host"})

    assert keeper.run(networks.deny_all()).reset is None
    forged = keys().sign_reset(TenantId("acme"), Reset(host.clock.now(), 0).pack())
    assert "network.reset_unknown" == refused(host, networks.reset(forged)).code


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (3_599, True), (3_600, False), (100_000, False)])
def test_a_reset_token_is_good_for_an_hour(seconds: int, good: bool) -> None:
    """From its issue, to the second."""
    host, token = locked_out()
    host.clock.advance(seconds)
    if good:
        host.tenant.run(networks.reset(token))
    else:
        assert "network.reset_unknown" == refused(host, networks.reset(token)).code

    assert good is ("network.reset" in host.events())


def test_one_reset_ends_all_tokens() -> None:
    """The one that was used, and every other one that was issued before; a later change yields a good one."""
    host, first = locked_out()
    second = host.admin.run(networks.restrict([PUBLISHED])).reset
    assert second is not None
    host.tenant.run(networks.reset(first))

    for token in (first, second):
        assert Reason("network.reset_unknown") == refused(host, networks.reset(token))
    third = host.admin.run(networks.deny_all()).reset
    assert third is not None
    host.tenant.run(networks.reset(third.reveal()))
    assert 2 == last(host)[2]["number"]


def wrong_tokens(token: Secret) -> Iterator[Any]:
    """Yield what is no reset token of this tenant: altered, another's, of another kind or key, or nothing at all."""
    text, now = token.reveal(), Reset(Instant(0), 0).pack()
    yield from (text[:-1] + ("A" if text[-1] != "A" else "B"), text[1:], text + "x", "", "xl_rs_k1", None, 7, b"xl_rs_")
    yield text.replace("xl_rs_", "xl_cs_")
    yield keys().sign_reset(TenantId("other"), now)
    yield keys().sign_consent(TenantId("acme"), now)
    yield KeyRing({"k1": Secret("77" * 32)}, current="k1").sign_reset(TenantId("acme"), now)
    yield KeyRing({"k9": Secret("5a" * 32)}, current="k9").sign_reset(TenantId("acme"), now)
    yield keys().sign_reset(TenantId("acme"), b"[2,0,0]")
    yield keys().sign_reset(TenantId("acme"), Reset(Instant(2**40), 0).pack())


def keys() -> KeyRing:
    """Return the host's keys."""
    return KeyRing({"k1": Secret("5a" * 32)}, current="k1")


def test_every_wrong_token_gets_the_same_answer() -> None:
    """Altered, foreign, of another kind, key or release, from the future: one reason, and nothing is written."""
    host, token = locked_out()

    assert {Reason("network.reset_unknown")} == {refused(host, networks.reset(one)) for one in wrong_tokens(token)}
    assert IPRestriction("deny_all", [OFFICE], frozenset({"basic"})) == host.admin.run(networks.show())


def test_a_consent_is_not_opened_by_a_reset() -> None:
    """The two kinds of signed text have keys of their own."""
    host, token = locked_out()

    assert "consent.unknown" == refusal(host.user(), links.accept(token)).code
    renamed = Secret(token.reveal().replace("xl_rs_", "xl_cs_"))
    assert "consent.unknown" == refusal(host.user(), links.accept(renamed)).code


def test_two_resets_at_once_are_one() -> None:
    """The second of two processes that use tokens of the same moment finds that it has been done."""
    host, token = locked_out()
    other = host.other_process()
    other.acting_as("admin-2", roles={"common_administrator"}).run(networks.show())
    host.tenant.run(networks.reset(token))

    assert "network.reset_unknown" == refusal(other, networks.reset(token)).code
    assert 1 == host.events().count("network.reset")
