"""IPRestriction: from which networks a tenant may be reached, and what an edition lets a customer write there.

Rules: one of three modes; only `allow_some` reads the rows, so that a list outlives being switched off. A tenant that
says nothing allows all (TRACE T1). Rows of the same range are one row. Neither the order nor the number of times a row
is written changes an answer or its evidence (law 2): of overlapping rows the narrowest admits, and of two rows of one
range that with a memo is kept, then the first in the order of memo and source, then the newer one, at the place of the
first. A text that is no address is refused in every mode, never waved through.

Beside the rows, Basic authentication and client certificates let a person in from any other address; with "allow all"
neither can be set. The six combinations of restriction and Basic authentication are one table (TRACE T16).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from types import MappingProxyType
from typing import Final, Literal, cast, get_args

import attrs

from extlink.domain.address import Address, AddressRange, Version
from extlink.domain.identifier import parse_ids, plain_text
from extlink.domain.range_table import RangeTable
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput

__all__ = [
    "COMBINATIONS",
    "IPProfile",
    "IPRestriction",
    "Mode",
    "NetworkProof",
    "Proof",
    "Row",
    "Way",
    "check_against",
    "parse_proof",
    "parse_proofs",
    "parse_rows",
]

Mode = Literal["allow_all", "deny_all", "allow_some"]
_MODES: Final = get_args(Mode)
Proof = Literal["basic", "client_certificate"]
PROOFS: Final[tuple[Proof, ...]] = get_args(Proof)
# What the host states of a person who asks, after it has checked it.
NetworkProof = Literal["none", "basic", "client_certificate"]
_STATED: Final[tuple[NetworkProof, ...]] = get_args(NetworkProof)
Way = Literal["any address", "a row", "a proof"]

# Restriction and Basic authentication -> the ways in; None: cannot be set (TRACE T16, combinations 1 to 6).
COMBINATIONS: Final[Mapping[tuple[Mode, bool], tuple[Way, ...] | None]] = MappingProxyType(
    {
        ("allow_all", False): ("any address",),
        ("allow_all", True): None,
        ("deny_all", False): (),
        ("deny_all", True): ("a proof",),
        ("allow_some", False): ("a row",),
        ("allow_some", True): ("a row", "a proof"),
    }
)
_MAX_TEXT: Final = 1_000
_MAX_ROWS: Final = 1_000_000


@attrs.frozen(kw_only=True)
class Row:
    """One line of the list: a CIDR range, a memo, and where a published range came from.

    Args:
        range: one CIDR block; `AddressRange.cidrs` splits any other interval.
        memo: the administrator's words, at most 1,000 characters.
        source: the published list the range was taken from, empty if a person wrote it.
        version: that list's own version, so that a newer one can be told from it.
        published: the day of the file it was read from, where somebody knows it; `networks.stale` counts from it.

    Raises:
        InvalidInput: no CIDR block, or a text that is none, is too long or cannot be stored.

    >>> from extlink.domain.address import parse_range
    >>> Row(range=parse_range("192.0.2.0/24"), memo="head office").text
    '192.0.2.0/24'
    """

    range: AddressRange
    memo: str = ""
    source: str = ""
    version: str = ""
    published: date | None = None
    # The CIDR text of the range, always with the length: made once, since each decision that rests on the row names it.
    text: str = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if type(self.range) is not AddressRange:
            raise InvalidInput("range", f"expected an AddressRange, got {type(self.range).__name__}; use parse_range")
        if self.range.prefix is None:
            raise InvalidInput("range", f"expected one CIDR block, got {self.range.text}; split it with cidrs()")
        for name, text in (("memo", self.memo), ("source", self.source), ("version", self.version)):
            _check_text(text, name)
        if self.published is not None and type(self.published) is not date:
            raise InvalidInput("published", f"expected a date without a time, got {type(self.published).__name__}")
        object.__setattr__(self, "text", self.range.text)


def _check_text(value: object, field: str) -> None:
    if type(value) is not str:
        raise InvalidInput(field, f"expected text, got {type(value).__name__}")
    if len(value) > _MAX_TEXT:
        raise InvalidInput(field, f"expected at most {_MAX_TEXT:,} characters, got {len(value):,}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput(field, f"expected text in Unicode, got {value[:64]!a} with a lone surrogate") from None


def _check_mode(_instance: object, _attribute: object, value: object) -> None:
    if type(value) is not str or value not in _MODES:
        got = ascii(value[:64]) if type(value) is str else type(value).__name__
        raise InvalidInput("mode", f"expected one of {', '.join(_MODES)}, got {got}")


def _preference(row: Row) -> tuple[bool, str, str, int, int, str]:
    # A row of a newer file takes the place of the same row of an older one; versions that are numbers are compared so.
    day = 0 if row.published is None else row.published.toordinal()
    number = int(row.version) if re.fullmatch(r"[0-9]{1,18}", row.version) else -1
    return (not row.memo, row.memo, row.source, -day, -number, row.version)


def parse_rows(values: Iterable[Row], field: str = "rows") -> tuple[Row, ...]:
    """Return a list of rows if it is one, in its order.

    Raises:
        InvalidInput: no list, something else than rows in it, or more than a million.

    >>> parse_rows([])
    ()
    """
    try:
        rows = tuple(islice(values, _MAX_ROWS + 1))
    except Exception as exc:
        raise InvalidInput(field, f"expected a list of Row, got {type(values).__name__}") from exc
    if len(rows) > _MAX_ROWS:
        raise InvalidInput(field, f"expected at most {_MAX_ROWS:,} rows")
    for row in rows:
        if type(row) is not Row:
            raise InvalidInput(field, f"expected a list of Row, got {type(row).__name__} in it")
    return rows


def parse_proof(value: object, field: str = "network_proof") -> NetworkProof:
    """Return what the host states of a person who asks: `none`, `basic` or `client_certificate`.

    Raises:
        InvalidInput: another word; what is not known to have been checked is `none`.

    >>> parse_proof("basic")
    'basic'
    """
    word = plain_text(value)
    if word is None or word not in _STATED:
        got = type(value).__name__ if word is None else ascii(word)[:64]
        raise InvalidInput(field, f"expected one of {', '.join(_STATED)}, got {got}")
    return word


def parse_proofs(value: object, field: str = "proofs") -> frozenset[Proof]:
    """Return the proofs that a restriction accepts from people beside their address.

    Raises:
        InvalidInput: not a collection, or something else than `basic` and `client_certificate`.

    >>> sorted(parse_proofs(["client_certificate", "basic"]))
    ['basic', 'client_certificate']
    """
    names = parse_ids(value, field)
    for name in names:
        if name not in PROOFS:
            raise InvalidInput(field, f"expected some of {', '.join(PROOFS)}, got {ascii(name)[:64]}")
    return cast("frozenset[Proof]", frozenset(names))


def distinct_rows(values: Iterable[Row]) -> tuple[Row, ...]:
    """Return one row for each range, in the order in which the ranges first appear."""
    kept: dict[AddressRange, Row] = {}
    for row in parse_rows(values):
        kept[row.range] = min(kept.get(row.range, row), row, key=_preference)
    return tuple(kept.values())


@attrs.frozen
class IPRestriction:
    """The addresses from which a tenant may be reached: all, none, or those of the rows (MISSION S5).

    Compiled once, when it is made; asking is one bisection (DESIGN 3).

    Args:
        mode: `allow_all`, `deny_all` or `allow_some`.
        rows: what `allow_some` allows; kept, and not read, in the other modes.
        proofs: what lets a person in from any other address: `basic`, `client_certificate`.

    Raises:
        InvalidInput: an unknown mode or proof, something else than rows, or proofs with `allow_all`.

    >>> from extlink.domain.address import parse_range
    >>> office = Row(range=parse_range("192.0.2.0/24"), memo="head office")
    >>> restriction = IPRestriction("allow_some", [office])
    >>> restriction.admits("192.0.2.7"), restriction.admits("198.51.100.7")
    (True, False)
    """

    mode: Mode = attrs.field(default="allow_all", validator=_check_mode)
    rows: tuple[Row, ...] = attrs.field(default=(), converter=distinct_rows)
    proofs: frozenset[Proof] = attrs.field(default=frozenset(), converter=parse_proofs)
    _table: RangeTable = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if COMBINATIONS[self.mode, bool(self.proofs)] is None:
            raise InvalidInput("proofs", "expected none with allow_all; they are accepted beside a restriction alone")
        read = self.rows if self.mode == "allow_some" else ()
        object.__setattr__(self, "_table", RangeTable(row.range for row in read))

    def find(self, address: str | Address) -> int:
        """Return the place in `rows` of the row that admits an address, or -1; no row admits unless some do.

        Raises:
            InvalidInput: not an address.
        """
        return self._table.find(address)

    def stretches(self, version: Version) -> Iterator[tuple[int, int, int]]:
        """Yield which addresses of a version are admitted by which row: first, last and the place that `find` tells."""
        return self._table.stretches(version)

    def row_for(self, address: str | Address) -> Row | None:
        """Return the row that admits an address, the narrowest if several do (MISSION F6).

        Raises:
            InvalidInput: not an address.
        """
        place = self._table.find(address)
        return self.rows[place] if place >= 0 else None

    def admits(self, address: str | Address) -> bool:
        """Tell whether an address may come in.

        Raises:
            InvalidInput: not an address, in every mode.
        """
        return self._table.find(address) >= 0 or self.mode == "allow_all"

    def admits_text(self, text: str) -> bool:
        """Tell whether a text is an address that may come in; one that is no address may not, in any mode."""
        try:
            return self._table.find(text) >= 0 or self.mode == "allow_all"
        except InvalidInput:
            return False


@attrs.frozen(kw_only=True)
class IPProfile:
    """What an edition lets a customer write into the list (TRACE T1 and the facts).

    Args:
        row_limit: the most rows, or None where no limit is stated.
        ipv4_only: whether the edition's list takes IPv4 ranges alone.
        self_service: whether the customer sets the restriction, not the provider.
        reset_lifetime: for how many seconds after a saved change its reset token is good; None: the edition has no such
            token.

    Raises:
        InvalidInput: a limit that is no whole number, or negative.
    """

    row_limit: int | None
    ipv4_only: bool
    self_service: bool
    reset_lifetime: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.row_limit is not None and (type(self.row_limit) is not int or self.row_limit < 0):
            raise InvalidInput("row_limit", "expected a whole number of rows of 0 or more, or None")


def check_against(restriction: IPRestriction, profile: IPProfile, *, edition: str) -> tuple[Reason, ...]:
    """Return everything that keeps a customer of an edition from saving a restriction; nothing, if he may.

    Args:
        restriction: what is to be saved; its rows count in every mode, because they are stored in every mode.
        profile: the edition's.
        edition: its name, for the reasons.

    Returns:
        `network.not_self_service`, `network.row_limit`, and `network.ipv4_only` once for each IPv6 row, in this order.

    >>> profile = IPProfile(row_limit=2_900, ipv4_only=True, self_service=False)
    >>> [reason.code for reason in check_against(IPRestriction("deny_all"), profile, edition="CN")]
    ['network.not_self_service']
    """
    reasons: list[Reason] = []
    if not profile.self_service:
        reasons.append(Reason("network.not_self_service", {"edition": edition}))
    count = len(restriction.rows)
    if profile.row_limit is not None and count > profile.row_limit:
        reasons.append(
            Reason("network.row_limit", {"rows": count, "limit": profile.row_limit, "edition": edition}),
        )
    if profile.ipv4_only:
        foreign = (row for row in restriction.rows if row.range.version != 4)  # noqa: PLR2004 - IPv4
        reasons.extend(Reason("network.ipv4_only", {"range": row.text, "edition": edition}) for row in foreign)
    return tuple(reasons)
