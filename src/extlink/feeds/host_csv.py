r"""The host's own CSV of its IP restriction: read and written (S5, TRACE T15).

| part | rule |
|---|---|
| encoding | Shift_JIS (cp932), UTF-8 with or without a byte order mark; found out, or named by the host |
| header | `IPアドレス,CIDR,メモ` or `IP Address,CIDR,Memo` |
| lines | CRLF or LF; any field may be quoted; empty lines only at the end |
| address | one IPv4 address, without blanks |
| CIDR | digits only, 0 to 32; blank or `&nbsp;` is one address; 0 only if `allow_everything=True` names it |
| memo | at most 1,000 characters |
| size | at most 10 MB, and as many rows as the edition has |

Rules: every line is a row or an error, and an error refuses the file, since an import with an error changes nothing;
all wrong lines are told at once. An address that never comes in over the internet, and a range that is there twice, are
rows with a notice. A published range is written with the memo that tells its source, and read back as it was
(`feeds.memo`).

A memo that a spreadsheet would take for a formula is written behind an apostrophe; on reading, an apostrophe is taken
away from just those memos. What was written thus reads back as it was. Of a foreign file's memo `'=x` the apostrophe
is lost in the value, and there again in the next file that is written.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, cast, get_args

import attrs

from extlink.domain.address import AddressRange, classify, parse_range
from extlink.domain.edition import EDITIONS, Edition, parse_edition
from extlink.domain.identifier import parse_items
from extlink.domain.messages import LANGUAGES, Language
from extlink.domain.network import IPRestriction, Row
from extlink.domain.service_parts import parse_choice
from extlink.errors import InvalidInput
from extlink.feeds._text import plain_data
from extlink.feeds.memo import memo_for, read_memo

__all__ = [
    "Encoding",
    "HostList",
    "How",
    "Notice",
    "RowChanges",
    "apply_rows",
    "compare_rows",
    "read_host_csv",
    "write_host_csv",
]

Encoding = Literal["cp932", "utf-8", "utf-8-sig"]
How = Literal["replacement", "addition"]

_MEGABYTES: Final = 10
# Of an edition whose limit nobody states.
_MAX_ROWS: Final = 100_000
_MAX_TOLD: Final = 20
_IPV4_BITS: Final = 32
_MARK: Final = b"\xef\xbb\xbf"
_HEADERS: Final[dict[Language, tuple[str, str, str]]] = {
    "ja": ("IPアドレス", "CIDR", "メモ"),
    "en": ("IP Address", "CIDR", "Memo"),
}
_FIELDS: Final = 3
_BLANK: Final = frozenset({"", "&nbsp;"})
# What each edition's product reads. ASCII is the same in all three, so that a list without other letters fits anywhere.
ENCODINGS: Final[Mapping[Edition, Encoding]] = {"JP": "cp932", "US": "utf-8", "CN": "utf-8"}
# What a spreadsheet takes for a formula, also in full width, and behind any number of apostrophes: one comes before it.
_FORMULA: Final = re.compile(r"'*(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")
# Other files that people bring, by their first bytes.
_STRANGERS: Final = (
    (b"PK", "it is a workbook; save it as CSV"),
    (b"\xff\xfe", "it is UTF-16; save it as CSV in UTF-8"),
    (b"\xfe\xff", "it is UTF-16; save it as CSV in UTF-8"),
    (b"\x1f\x8b", "it is packed; unpack it first"),
)
_DIGITS: Final = re.compile(r"[0-9]*")
_NO_LINE: Final = (
    "expected CSV; close each quote, double those inside of quotes, end lines by CRLF or LF, keep memos short"
)


@attrs.frozen(kw_only=True)
class Notice:
    """Something to look at in a list that is otherwise in order.

    Args:
        line: the number of the line; the header's is 1.
        text: the range.
        reason: what a block is called that never comes in over the internet (`domain.address.Reach`), or `duplicate`.
    """

    line: int
    text: str
    reason: str


@attrs.frozen(kw_only=True)
class HostList:
    """A host's CSV that was read.

    Args:
        rows: one for each line, in the order of the file.
        notices: what to look at.
        encoding: in which the file was; None if it came as text.
        header: the language of its header.
    """

    rows: tuple[Row, ...]
    notices: tuple[Notice, ...]
    encoding: Encoding | None
    header: Language


def _decode(data: object, named: Encoding | None) -> tuple[str, Encoding | None]:
    """Return the text of a file, and the encoding if it came as bytes."""
    given = plain_data(data, "data", megabytes=_MEGABYTES)
    if isinstance(given, str):
        return given.removeprefix("\ufeff"), None
    stranger = next((hint for start, hint in _STRANGERS if given.startswith(start)), None)
    if stranger:
        raise InvalidInput("data", f"expected a CSV file; {stranger}")
    # Japanese in Shift_JIS is hardly ever UTF-8 by chance, so UTF-8 is tried first.
    guesses: tuple[Encoding, ...] = ("utf-8-sig",) if given.startswith(_MARK) else ("utf-8", "cp932")
    for encoding in (named,) if named else guesses:
        try:
            return given.decode(encoding).removeprefix("\ufeff"), encoding
        except UnicodeDecodeError:
            continue
    raise InvalidInput("data", f"expected text in {named or 'UTF-8 or Shift_JIS'}, got another encoding")


def _records(text: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield each line's number with its fields, or with what is wrong with it; empty lines at the end are none."""
    reader = csv.reader((f"{line}\n" for line in text.split("\n")), strict=True)
    last = text.rstrip("\r\n").count("\n") + 1
    while (before := reader.line_num) < last:
        try:
            yield before + 1, next(reader)
        except csv.Error:
            yield before + 1, _NO_LINE


def _read_row(fields: list[str] | str, *, everything: bool) -> Row | str:
    """Return the row of a line, or what is wrong with it."""
    if isinstance(fields, str):
        return fields
    if not fields:
        return "expected a row, got an empty line; delete it"
    if len(fields) != _FIELDS:
        return f"expected 3 fields, got {len(fields)}; write quotes around a memo that has a comma"
    address, length, memo = fields
    if length.strip() in _BLANK:
        length = ""
    problems = (
        (not address, "expected an IPv4 address in the first column"),
        ("/" in address, "expected the number behind / in the column CIDR instead"),
        (":" in address, "expected an IPv4 address without a port; the list holds no others"),
        (not _DIGITS.fullmatch(length), "expected digits only in the column CIDR, or nothing for one address"),
    )
    problem = next((problem for wrong, problem in problems if wrong), None)
    if problem:
        return f"{problem}, got {address[:64]!a} and {length[:64]!a}"
    try:
        return _row(parse_range(f"{address}/{length}" if length else address, allow_everything=everything), memo)
    except InvalidInput as error:
        return error.problem


def _row(found: AddressRange, memo: str) -> Row:
    memo = memo.removeprefix("'") if _FORMULA.match(memo) else memo
    told = read_memo(memo)
    if told is None:
        return Row(range=found, memo=memo)
    source, version, published = told
    return Row(range=found, memo=source.split(":", 2)[2], source=source, version=version, published=published)


def _refuse(field: str, problems: Iterable[str]) -> None:
    """Refuse everything for the sake of what is wrong, all of it at once.

    Raises:
        InvalidInput: if anything is.
    """
    told: list[str] = []
    more = 0
    for problem in problems:
        if len(told) < _MAX_TOLD:
            told.append(problem)
        else:
            more += 1
    if told:
        raise InvalidInput(field, "; ".join(told) + (f"; and {more:,} more" if more else ""))


def read_host_csv(
    data: str | bytes,
    *,
    edition: Edition = "JP",
    encoding: Encoding | None = None,
    allow_everything: bool = False,
) -> HostList:
    r"""Return the rows of a host's CSV (TRACE T15; the module's table).

    Args:
        data: the whole file.
        edition: whose limit of rows holds.
        encoding: to read it in, where the host knows; else it is found out.
        allow_everything: take a row with the CIDR 0, which is every address there is.

    Raises:
        InvalidInput: not such a file, too large, or with lines that are no rows; the first 20 of these are told with
            their number, what was found and what to write.

    >>> found = read_host_csv("IP Address,CIDR,Memo\r\n20.37.194.0,24,head office\r\n192.168.0.7,,VPN\r\n")
    >>> [(row.text, row.memo) for row in found.rows], [(item.line, item.reason) for item in found.notices]
    ([('20.37.194.0/24', 'head office'), ('192.168.0.7/32', 'VPN')], [(3, 'private')])
    >>> read_host_csv("IP Address,CIDR,Memo\r\n198.51.100.7,24,head office\r\n")
    Traceback (most recent call last):
    ...
    extlink.errors.InvalidInput: data: line 2: expected no host bits, got '198.51.100.7/24'; use 198.51.100.0/24
    """
    edition, everything = parse_edition(edition), _check_flag(allow_everything)
    text, found = _decode(data, _check_encoding(encoding))
    limit = _row_limit(edition)
    records = _records(text)
    header = _read_header(next(records))
    rows: list[tuple[int, Row]] = []

    def problems() -> Iterator[str]:
        count = 0
        for line, fields in records:
            count += 1
            row = _read_row(fields, everything=everything) if count <= limit else None
            if isinstance(row, str):
                yield f"line {line}: {row}"
            elif row:
                rows.append((line, row))
        if count > limit:
            yield f"expected at most {limit:,} rows in edition {edition}, got {count:,}"

    _refuse("data", problems())
    return HostList(rows=tuple(row for _, row in rows), notices=tuple(_notices(rows)), encoding=found, header=header)


def _read_header(record: tuple[int, list[str] | str]) -> Language:
    _, fields = record
    for language, names in _HEADERS.items():
        if [*names] == fields:
            return language
    got = "something else" if isinstance(fields, str) else ascii(",".join(fields)[:64])
    raise InvalidInput("data", f"line 1: expected the header 'IP Address,CIDR,Memo' or the Japanese one, got {got}")


def _check_encoding(value: object) -> Encoding | None:
    return None if value is None else cast("Encoding", parse_choice(value, get_args(Encoding), "encoding"))


def _check_flag(value: object) -> bool:
    if type(value) is not bool:
        raise InvalidInput("allow_everything", f"expected True or False, got {type(value).__name__}")
    return value


def _row_limit(edition: Edition) -> int:
    limit = EDITIONS[edition].network.row_limit
    return _MAX_ROWS if limit is None else limit


def _notices(rows: Iterable[tuple[int, Row]]) -> Iterator[Notice]:
    seen: set[AddressRange] = set()
    for line, row in rows:
        reach = classify(row.range)
        if reach != "global":
            yield Notice(line=line, text=row.text, reason=reach)
        if row.range in seen:
            yield Notice(line=line, text=row.text, reason="duplicate")
        seen.add(row.range)


def write_host_csv(
    rows: Iterable[Row],
    *,
    edition: Edition,
    language: Language | None = None,
    encoding: Encoding | None = None,
    allow_everything: bool = False,
) -> bytes:
    r"""Return the CSV to upload: every field quoted, CRLF, a single address without CIDR.

    Args:
        rows: in the order in which they are to be.
        edition: whose header, encoding and limit of rows hold: JP is Shift_JIS (cp932), the others are UTF-8.
        language: of the header; that of the edition unless given. There is none in Chinese: it is English then.
        encoding: the edition's unless given; a spreadsheet knows `utf-8-sig` by its mark, and `utf-8` often not.
        allow_everything: write a row that is every address there is.

    Raises:
        InvalidInput: not rows, too many of them, one that the list cannot hold (IPv6, every address), or a memo with a
            letter that the encoding does not have; all of these are told at once.

    >>> from extlink.domain.address import parse_range
    >>> row = Row(range=parse_range("20.37.194.0/24"), memo="=1+1")
    >>> write_host_csv([row], edition="US").decode().splitlines()
    ['"IP Address","CIDR","Memo"', '"20.37.194.0","24","\'=1+1"']
    """
    edition, everything = parse_edition(edition), _check_flag(allow_everything)
    limit = _row_limit(edition)
    chosen = _check_encoding(encoding) or ENCODINGS[edition]
    spoken = EDITIONS[edition].system_language if language is None else language
    header = _HEADERS.get(cast("Language", parse_choice(spoken, LANGUAGES, "language")), _HEADERS["en"])
    items = _check_rows(rows, "rows")
    if len(items) > limit:
        raise InvalidInput("rows", f"expected at most {limit:,} rows in edition {edition}, got {len(items):,}")
    problems = ((row, _unwritable(row, chosen, everything=everything)) for row in items)
    _refuse("rows", (f"{row.text}: {problem}" for row, problem in problems if problem))
    data = "".join(_line(fields) for fields in (header, *map(_fields, items))).encode(chosen)
    if len(data) > _MEGABYTES * 1_000_000:
        raise InvalidInput("rows", f"expected a file of at most {_MEGABYTES} MB, got more")
    return data


def _fields(row: Row) -> tuple[str, str, str]:
    address, _, length = row.text.partition("/")
    memo = memo_for(row)
    bare = row.range.prefix == _IPV4_BITS
    return address, "" if bare else length, f"'{memo}" if _FORMULA.match(memo) else memo


def _line(fields: Iterable[str]) -> str:
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields) + "\r\n"


def _check_rows(values: Iterable[Row], field: str) -> tuple[Row, ...]:
    items = parse_items(values, field, _MAX_ROWS)
    rows = tuple(item for item in items if type(item) is Row)
    if len(rows) != len(items):
        raise InvalidInput(field, "expected a list of Row, got something else in it")
    return rows


def _unwritable(row: Row, encoding: Encoding, *, everything: bool) -> str:
    """Return why a row cannot stand in the file, or nothing."""
    if row.range.version != 4:  # noqa: PLR2004 - IPv4
        return "expected IPv4; the list holds no others"
    if row.range.prefix == 0 and not everything:
        return "expected a part of the addresses; name allow_everything=True"
    letter = next((each for each in memo_for(row) if not _survives(each, encoding)), None)
    if letter is None:
        return ""
    # Some letters are written as another one that looks alike; which, is offered and not assumed.
    near = letter.encode(encoding, "ignore").decode(encoding) or {"\u2014": "\u2015"}.get(letter, "")
    hint = f"write U+{ord(near):04X} {unicodedata.name(near, '')}" if near else "write another"
    name = unicodedata.name(letter, "a letter without a name")
    return f"expected a memo that {encoding} can hold, got U+{ord(letter):04X} {name}; {hint}, or choose UTF-8"


def _survives(letter: str, encoding: Encoding) -> bool:
    return letter.isascii() or letter.encode(encoding, "ignore").decode(encoding) == letter


@attrs.frozen(kw_only=True)
class RowChanges:
    """What a list of rows gains and loses; true if anything changes.

    Args:
        added: rows whose range is new.
        removed: rows whose range goes.
        changed: rows whose range stays, before and after, where memo, source, version or day differ.
    """

    added: tuple[Row, ...]
    removed: tuple[Row, ...]
    changed: tuple[tuple[Row, Row], ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def apply_rows(current: Iterable[Row], imported: Iterable[Row], *, how: How) -> tuple[Row, ...]:
    """Return the list that an import makes: the imported rows instead of the present ones, or beside them (T15).

    Rows of one range are one row; `domain.network` says which is kept.

    Raises:
        InvalidInput: not rows, or neither `replacement` nor `addition`.

    >>> from extlink.domain.address import parse_range
    >>> here, new = Row(range=parse_range("20.37.194.0/24")), Row(range=parse_range("20.37.195.0/24"))
    >>> [[row.text for row in apply_rows([here], [new], how=how)] for how in ("replacement", "addition")]
    [['20.37.195.0/24'], ['20.37.194.0/24', '20.37.195.0/24']]
    """
    kept = _check_rows(current, "current") if parse_choice(how, get_args(How), "how") == "addition" else ()
    return IPRestriction(rows=(*kept, *_check_rows(imported, "imported"))).rows


def compare_rows(before: Iterable[Row], after: Iterable[Row]) -> RowChanges:
    """Return what changes from one list of rows to another, so that an import is shown before it is made (T15).

    Order and repetition are no difference, nor is a memo that is written alike.

    Raises:
        InvalidInput: not rows.

    >>> from extlink.domain.address import parse_range
    >>> here, new = Row(range=parse_range("20.37.194.0/24")), Row(range=parse_range("20.37.195.0/24"))
    >>> changes = compare_rows([here], [new])
    >>> [row.text for row in changes.added], [row.text for row in changes.removed], changes.changed
    (['20.37.195.0/24'], ['20.37.194.0/24'], ())
    """
    old, new = (
        {row.range: row for row in apply_rows((), rows, how="replacement")}
        for rows in (_check_rows(before, "before"), _check_rows(after, "after"))
    )
    return RowChanges(
        added=tuple(row for place, row in new.items() if place not in old),
        removed=tuple(row for place, row in old.items() if place not in new),
        changed=tuple(
            (old[place], row) for place, row in new.items() if place in old and _told(old[place]) != _told(row)
        ),
    )


def _told(row: Row) -> tuple[object, ...]:
    return memo_for(row), row.source, row.version, row.published
