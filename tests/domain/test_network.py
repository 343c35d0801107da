"""IPRestriction: three modes, rows, and what an edition lets a customer save; its laws with broken twins."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import find, given, settings, strategies as st

from extlink.domain.address import Address, AddressRange, parse_address, parse_range
from extlink.domain.network import IPProfile, IPRestriction, Mode, Row, check_against, parse_proof
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput

OFFICE = Row(range=parse_range("192.0.2.0/24"), memo="head office")
DESK = Row(range=parse_range("192.0.2.7"), memo="one desk")
BRANCH = Row(range=parse_range("2001:db8::/32"), memo="branch", source="somebody's list", version="3")

# A small world: every address of the last /26 there is, and blocks of any size in it.
LOW, TOP = 2**32 - 64, 2**32
MODES: tuple[Mode, ...] = ("allow_all", "deny_all", "allow_some")
Answer = Callable[[Address], bool]
Maker = Callable[[Mode, Sequence[Row]], Answer]


def block(number: int, length: int, memo: str = "") -> Row:
    """Return the row of the block of a length around an address."""
    rest = 32 - length
    first = number >> rest << rest
    return Row(range=AddressRange(version=4, first=first, last=first + (1 << rest) - 1), memo=memo)


ROWS = st.lists(
    st.builds(block, st.integers(LOW, TOP - 1), st.integers(26, 32), st.sampled_from(["", "a", "b"])), max_size=6
)
MODE = st.sampled_from(MODES)


def brute_force(mode: Mode, rows: Sequence[Row], number: int) -> bool:
    """Return what a restriction must answer, by looking at every row."""
    return mode == "allow_all" or (
        mode == "allow_some" and any(row.range.first <= number <= row.range.last for row in rows)
    )


def ours(mode: Mode, rows: Sequence[Row]) -> Answer:
    """Make the library's answer."""
    return IPRestriction(mode, rows).admits


def is_wrong(make: Maker, mode: Mode, rows: Sequence[Row]) -> bool:
    """Tell whether an answer differs from brute force for any address of the world, or one beside it."""
    answer = make(mode, rows)
    return any(brute_force(mode, rows, number) != answer(Address(4, number)) for number in range(LOW - 1, TOP))


def widens_only(make: Maker, rows: Sequence[Row], added: Row) -> bool:
    """Tell whether every address that came in still does when a row is added."""
    before, after = make("allow_some", rows), make("allow_some", [*rows, added])
    world = (Address(4, number) for number in range(LOW - 1, TOP))
    return all(after(address) for address in world if before(address))


@given(mode=MODE, rows=ROWS)
def test_membership_equals_brute_force(mode: Mode, rows: list[Row]) -> None:
    """Every address of the world is admitted exactly if the mode and some row say so."""
    assert not is_wrong(ours, mode, rows)


@given(rows=ROWS, added=ROWS.filter(bool).map(lambda rows: rows[0]))
def test_adding_a_range_never_refuses_more(rows: list[Row], added: Row) -> None:
    """Law 5: whoever came in before a row was added comes in after."""
    assert widens_only(ours, rows, added)


@given(rows=ROWS, seed=st.integers(0, 2**16))
def test_order_and_duplicates_never_matter(rows: list[Row], seed: int) -> None:
    """Law 2: shuffled and doubled rows give the same answer and the same evidence, memos included."""
    shuffled = [*rows, *rows]
    random.Random(seed).shuffle(shuffled)
    one, other = IPRestriction("allow_some", rows), IPRestriction("allow_some", shuffled)

    for number in range(LOW - 1, TOP):
        assert one.row_for(Address(4, number)) == other.row_for(Address(4, number))


def exclusive_end(mode: Mode, rows: Sequence[Row]) -> Answer:
    """Broken twin: the last address of a row is out."""
    return lambda address: (
        mode == "allow_all"
        or (mode == "allow_some" and any(row.range.first <= address.value < row.range.last for row in rows))
    )


def one_too_many(mode: Mode, rows: Sequence[Row]) -> Answer:
    """Broken twin: the address past a row is in."""
    return lambda address: (
        mode == "allow_all"
        or (mode == "allow_some" and any(row.range.first <= address.value <= row.range.last + 1 for row in rows))
    )


def one_too_early(mode: Mode, rows: Sequence[Row]) -> Answer:
    """Broken twin: the address before a row is in."""
    return lambda address: (
        mode == "allow_all"
        or (mode == "allow_some" and any(row.range.first - 1 <= address.value <= row.range.last for row in rows))
    )


def rows_in_every_mode(mode: Mode, rows: Sequence[Row]) -> Answer:
    """Broken twin: rows admit although everything is denied."""
    return lambda address: mode == "allow_all" or any(row.range.contains(address) for row in rows)


def no_rows_is_open(mode: Mode, rows: Sequence[Row]) -> Answer:
    """Broken twin: an empty list allows all."""
    return lambda address: not rows or brute_force(mode, rows, address.value)


def odd_one_out(mode: Mode, rows: Sequence[Row]) -> Answer:
    """Broken twin: an address in two rows is out, so that adding one refuses more."""
    return lambda address: (
        brute_force(mode, rows, address.value) and (sum(row.range.contains(address) for row in rows) < 2)
    )


def newest_only(mode: Mode, rows: Sequence[Row]) -> Answer:
    """Broken twin: the last row replaces the others."""
    return lambda address: brute_force(mode, rows[-1:], address.value)


@pytest.mark.parametrize(
    "twin",
    [exclusive_end, one_too_many, one_too_early, rows_in_every_mode, no_rows_is_open, odd_one_out, newest_only],
)
def test_brute_force_catches_broken_twins(twin: Maker) -> None:
    """The comparison finds a case for each broken answer, off by a single address included."""
    cases = st.tuples(MODE, ROWS)

    assert find(cases, lambda case: is_wrong(twin, *case), settings=settings(max_examples=5_000, database=None))


@pytest.mark.parametrize("twin", [odd_one_out, newest_only])
def test_law_5_catches_broken_twins(twin: Maker) -> None:
    """The law finds a case for answers that a further row can take back."""
    cases = st.tuples(ROWS, ROWS.filter(bool).map(lambda rows: rows[0]))

    assert find(cases, lambda case: not widens_only(twin, *case), settings=settings(max_examples=5_000, database=None))


def test_law_2_catches_the_first_listed_row() -> None:
    """Naming the first listed row as evidence, a likely mistake, depends on the order; ours names the narrowest."""
    both, turned = IPRestriction("allow_some", [OFFICE, DESK]), IPRestriction("allow_some", [DESK, OFFICE])

    def first_listed(restriction: IPRestriction) -> Row:
        return next(row for row in restriction.rows if row.range.contains(parse_address("192.0.2.7")))

    assert first_listed(both) != first_listed(turned)
    assert DESK == both.row_for("192.0.2.7") == turned.row_for("192.0.2.7")


def test_no_restriction_is_allow_all() -> None:
    """A tenant that says nothing is reached from everywhere, in every edition (TRACE T1)."""
    assert IPRestriction() == IPRestriction("allow_all", ())
    assert IPRestriction().admits("203.0.113.1")
    assert IPRestriction().row_for("203.0.113.1") is None


@pytest.mark.parametrize("mode", ["allow_all", "deny_all"])
def test_rows_outlive_being_switched_off(mode: Mode) -> None:
    """Only `allow_some` reads the rows; the other modes keep them."""
    restriction = IPRestriction(mode, [OFFICE])

    assert (OFFICE,) == restriction.rows
    assert -1 == restriction.find("192.0.2.7")
    assert (mode == "allow_all") == restriction.admits("192.0.2.7") == restriction.admits_text("192.0.2.7")


def test_the_admitting_row_is_found() -> None:
    """The place, the row and the answer agree, for IPv4, mapped and IPv6 addresses, as text and as value."""
    restriction = IPRestriction("allow_some", [OFFICE, BRANCH])

    assert [0, 0, 1, -1] == [
        restriction.find(t) for t in ("192.0.2.0", "::ffff:192.0.2.255", "2001:db8::", "192.0.3.0")
    ]
    assert OFFICE == restriction.row_for(parse_address("192.0.2.1"))
    assert BRANCH == restriction.row_for("2001:db8::1")
    assert restriction.admits(parse_address("192.0.2.1"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", ["", "192.0.2.07", "fe80::1%1", "192.0.2.7:80", None, 5, b"192.0.2.7"])
def test_what_is_no_address_is_refused_in_every_mode(mode: Mode, text: Any) -> None:
    """An unparsable address is never waved through, not even where all are allowed."""
    restriction = IPRestriction(mode, [OFFICE])

    assert not restriction.admits_text(text)
    for ask in (restriction.admits, restriction.row_for, restriction.find):
        with pytest.raises(InvalidInput):
            ask(text)


def test_rows_of_one_range_are_one_row() -> None:
    """The place is that of the first; the text that of the row with a memo, then the first in order."""
    plain, named, other = (Row(range=OFFICE.range, memo=memo) for memo in ("", "a", "b"))

    assert (named, DESK) == IPRestriction("allow_some", [plain, DESK, other, named, plain]).rows
    assert IPRestriction("allow_some", [named]) == IPRestriction("allow_some", [other, named, plain])


def test_a_restriction_is_a_value() -> None:
    """Equal rows make equal, hashable and picklable restrictions, whatever collection they came in."""
    one, other = IPRestriction("allow_some", [OFFICE, DESK]), IPRestriction("allow_some", iter((OFFICE, DESK)))

    assert one == other
    assert hash(one) == hash(other)
    assert one == pickle.loads(pickle.dumps(one))  # noqa: S301 - our own bytes
    assert pickle.loads(pickle.dumps(one)).admits("192.0.2.7")  # noqa: S301 - our own bytes
    assert "192.0.2.0/24" == OFFICE.text


@pytest.mark.parametrize("mode", ["", "ALLOW_ALL", "allow", None, [], 1, b"allow_all"])
def test_unknown_modes_are_refused(mode: Any) -> None:
    """A restriction of another mode cannot be built."""
    with pytest.raises(InvalidInput, match="expected one of allow_all, deny_all, allow_some"):
        IPRestriction(mode)


@pytest.mark.parametrize("rows", [None, 5, "192.0.2.0/24", ["192.0.2.0/24"], [OFFICE, None], [OFFICE.range]])
def test_only_rows_are_rows(rows: Any) -> None:
    """Something else than rows is refused, naming its type."""
    with pytest.raises(InvalidInput, match="rows: expected a list of Row"):
        IPRestriction("allow_some", rows)


@pytest.mark.parametrize(
    "wrong",
    [
        {"range": "192.0.2.0/24"},
        {"range": AddressRange(version=4, first=1, last=2)},
        {"memo": None},
        {"memo": "x" * 1_001},
        {"memo": "\ud800"},
        {"source": b"file"},
        {"version": 3},
    ],
    ids=repr,
)
def test_impossible_rows_cannot_be_built(wrong: dict[str, Any]) -> None:
    """A row needs one CIDR block and texts that can be stored; the field is named."""
    with pytest.raises(InvalidInput) as refusal:
        Row(**{"range": OFFICE.range, **wrong})

    assert next(iter(wrong)) == refusal.value.field


JP = IPProfile(row_limit=2_900, ipv4_only=True, self_service=True)
CN = IPProfile(row_limit=None, ipv4_only=True, self_service=False)
OPEN = IPProfile(row_limit=None, ipv4_only=False, self_service=True)


def test_an_edition_lets_its_list_through() -> None:
    """As many rows as the limit says, of IPv4, are no reason; without limits nothing is."""
    rows = [block(number, 32) for number in range(2_900)]

    assert () == check_against(IPRestriction("allow_some", rows), JP, edition="JP")
    assert () == check_against(IPRestriction("allow_some", [*rows, block(2_900, 32), BRANCH]), OPEN, edition="X")


def test_a_row_too_many_is_a_reason() -> None:
    """One row more than the limit is named with both numbers; a row written twice counts once."""
    rows = [block(number, 32) for number in range(2_901)]
    reason = Reason("network.row_limit", {"rows": 2_901, "limit": 2_900, "edition": "JP"})

    assert (reason,) == check_against(IPRestriction("allow_some", rows), JP, edition="JP")
    assert (reason,) == check_against(IPRestriction("allow_all", rows), JP, edition="JP")
    assert () == check_against(IPRestriction("allow_some", rows[1:] * 2), JP, edition="JP")


def test_every_ipv6_row_is_a_reason() -> None:
    """Where only IPv4 may be written, each IPv6 range is named."""
    other = Row(range=parse_range("2001:db8:1::/48"))
    expected = tuple(
        Reason("network.ipv4_only", {"range": text, "edition": "JP"}) for text in ("2001:db8::/32", "2001:db8:1::/48")
    )

    assert expected == check_against(IPRestriction("allow_some", [OFFICE, BRANCH, other]), JP, edition="JP")


@pytest.mark.parametrize("mode", MODES)
def test_no_self_service_is_a_reason_for_every_change(mode: Mode) -> None:
    """Where the customer may not set the restriction, no mode may be saved (TRACE T1: CN)."""
    reason = Reason("network.not_self_service", {"edition": "CN"})

    assert (reason,) == check_against(IPRestriction(mode), CN, edition="CN")


def test_all_reasons_are_given_at_once() -> None:
    """A restriction that is wrong in three ways is told so in one answer."""
    strict = IPProfile(row_limit=0, ipv4_only=True, self_service=False)
    reasons = check_against(IPRestriction("allow_some", [BRANCH]), strict, edition="X")

    assert ["network.not_self_service", "network.row_limit", "network.ipv4_only"] == [item.code for item in reasons]


@pytest.mark.parametrize("limit", [-1, 1.5, "2900", True])
def test_impossible_profiles_cannot_be_built(limit: Any) -> None:
    """A limit is a whole number of rows."""
    with pytest.raises(InvalidInput):
        IPProfile(row_limit=limit, ipv4_only=True, self_service=True)


@pytest.mark.parametrize("published", ["2025-01-13", 20250113, datetime(2025, 1, 13, tzinfo=UTC), (2025, 1, 13)])
def test_a_day_of_publication_is_a_date(published: Any) -> None:
    """A text would be sorted otherwise, a moment belongs to a time zone."""
    with pytest.raises(InvalidInput) as caught:
        Row(range=parse_range("192.0.2.0/24"), published=published)

    assert "published" == caught.value.field
    assert f"expected a date without a time, got {type(published).__name__}" == caught.value.problem


def test_of_two_rows_of_one_range_the_day_decides_last() -> None:
    """Which of them is kept does not depend on their order (law 2)."""
    older, newer = (Row(range=parse_range("192.0.2.0/24"), published=date(2025, 1, day)) for day in (6, 13))
    unknown = Row(range=parse_range("192.0.2.0/24"))

    for rows in permutations([older, newer, unknown]):
        assert (newer,) == IPRestriction("allow_some", rows).rows


@pytest.mark.parametrize("proofs", ["basic", ["Basic"], ["none"], [7], None, 7, ["basic", ""]])
def test_proofs_are_those_that_there_are(proofs: Any) -> None:
    """A misspelt one would never let anybody in, and nobody would know why."""
    with pytest.raises(InvalidInput) as caught:
        IPRestriction("deny_all", (), proofs)

    assert "proofs" == caught.value.field


@pytest.mark.parametrize("value", ["", "Basic", "password", None, 7, ["basic"]])
def test_what_was_checked_is_one_of_three_words(value: object) -> None:
    """What the host does not know to have checked is `none`."""
    with pytest.raises(InvalidInput, match="network_proof: expected one of none, basic, client_certificate"):
        parse_proof(value)
