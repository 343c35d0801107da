"""The host's CSV: every line a row or an error, round trips, nothing written that is misread."""

from __future__ import annotations

import csv
import io
import re
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, strategies as st

from extlink.domain.address import AddressRange, classify, parse_range
from extlink.domain.edition import EDITIONS
from extlink.domain.network import Row
from extlink.errors import ExtlinkError, InvalidInput
from extlink.feeds.host_csv import (
    HostList,
    Notice,
    RowChanges,
    apply_rows,
    compare_rows,
    read_host_csv,
    write_host_csv,
)
from tests.strange import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Callable

JA = "IPアドレス,CIDR,メモ"
EN = "IP Address,CIDR,Memo"
SOURCE = "azure-service-tags:Public:AzureConnectors.JapanEast"


def row(text: str, memo: str = "", **values: Any) -> Row:
    """Return a row of a range given as text."""
    return Row(range=parse_range(text, allow_everything=True), memo=memo, **values)


def lines(*texts: str, header: str = EN, end: str = "\r\n") -> str:
    """Return a file with a header and these lines."""
    return "".join(text + end for text in (header, *texts))


SIMPLE = (row("20.37.194.0/24", "head office"), row("20.37.195.7"))


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("header", [JA, EN, '"IPアドレス","CIDR","メモ"', '"IP Address","CIDR",Memo'])
def test_every_way_to_write_it_is_read(encoding: Any, end: str, header: str) -> None:
    """Encodings, line ends, quotes and both headers; the answer says which were found."""
    text = lines('"20.37.194.0","24","本社"', "20.37.195.7,&nbsp;,", header=header, end=end)
    found = read_host_csv(text.encode(encoding))

    assert [("20.37.194.0/24", "本社"), ("20.37.195.7/32", "")] == [(item.text, item.memo) for item in found.rows]
    assert (encoding, "ja" if "メモ" in header else "en", ()) == (found.encoding, found.header, found.notices)
    assert found == read_host_csv(text.encode(encoding), encoding=encoding)


def test_text_is_read_as_well() -> None:
    """A file that the host decoded has no encoding; a byte order mark in it is none of the header."""
    expected = HostList(rows=SIMPLE, notices=(), encoding=None, header="en")
    text = lines("20.37.194.0,24,head office", "20.37.195.7,,")

    assert expected == read_host_csv(text) == read_host_csv("\ufeff" + text) == read_host_csv(text.rstrip())
    assert expected == read_host_csv(text + "\r\n\n\r\n")
    assert "utf-8" == read_host_csv(b"\xef\xbb\xbf" + text.encode(), encoding="utf-8").encoding


@pytest.mark.parametrize("blank", ["", " ", "&nbsp;", "\u3000", "\u00a0", " &nbsp; "])
def test_a_blank_length_is_one_address(blank: str) -> None:
    """Blank or `&nbsp;`, which the product's own page has, is one address."""
    assert (row("20.37.195.7"),) == read_host_csv(lines(f"20.37.195.7,{blank},")).rows
    assert (row("20.37.195.7"),) == read_host_csv(lines("20.37.195.7,32,")).rows


def test_notices_are_no_errors() -> None:
    """What is not global, and a range that comes twice, are rows, with a notice that names the line."""
    found = read_host_csv(lines("192.168.0.0,16,a", "20.37.194.0,24,b", '20.37.194.0,24,"b\r\nb"', "20.37.194.0,24,c"))

    assert 4 == len(found.rows)
    assert (
        Notice(line=2, text="192.168.0.0/16", reason="private"),
        Notice(line=4, text="20.37.194.0/24", reason="duplicate"),
        Notice(line=6, text="20.37.194.0/24", reason="duplicate"),
    ) == found.notices


WRONG = {
    "198.51.100.7,24,": "expected no host bits, got '198.51.100.7/24'; use 198.51.100.0/24",
    ",24,x": "expected an IPv4 address in the first column, got '' and '24'",
    ",,": "expected an IPv4 address in the first column",
    "": "expected a row, got an empty line; delete it",
    "20.37.194.0/24,,": "expected the number behind / in the column CIDR instead, got '20.37.194.0/24' and ''",
    "20.37.194.0:443,,": "expected an IPv4 address without a port",
    "2603:1040::,32,": "expected an IPv4 address without a port; the list holds no others, got '2603:1040::' and '32'",
    "::ffff:20.37.194.0,,": "the list holds no others",
    "20.37.194.0,/24,": "expected digits only in the column CIDR, or nothing for one address",
    "20.37.194.0,255.255.255.0,": "expected digits only",
    "20.37.194.0,２４,": "expected digits only",
    "20.37.194.0, 24,": "expected digits only",
    "20.37.194.0,+24,": "expected digits only",
    "20.37.194.0,024,": "without sign, blanks and leading zeros",
    "20.37.194.0,33,": "expected 0 to 32",
    "0.0.0.0,0,": "name allow_everything=True",
    "020.37.194.0,24,": "leading zeros",
    " 20.37.194.0,24,": "without blanks",
    "example.com,,": "expected an address",
    "20.37.194.0": "expected 3 fields, got 1",
    "20.37.194.0,24,a,b": "expected 3 fields, got 4; write quotes around a memo that has a comma",
    f"20.37.194.0,24,{'x' * 1_001}": "expected at most 1,000 characters, got 1,001",
    "20.37.194.0,24,\ud800": "lone surrogate",
    '"20.37.194.0"x,24,': "close each quote",
    "20.37.194.0,24,a\rb": "CRLF or LF",
    f"20.37.194.0,24,{'x' * 200_000}": "keep memos short",
}


@pytest.mark.parametrize(("line", "problem"), WRONG.items(), ids=lambda text: ascii(text[:40]))
def test_a_wrong_line_refuses_the_file(line: str, problem: str) -> None:
    """Its number, what was found, and what to write instead; the lines around it make no difference."""
    with pytest.raises(InvalidInput) as refusal:
        read_host_csv(lines("20.37.195.0,24,", line, "20.37.196.0,24,"))

    assert refusal.value.field == "data"
    assert refusal.value.problem.startswith("line 3: ")
    assert problem in refusal.value.problem
    assert refusal.value.problem.isascii()
    assert ["3"] == re.findall(r"line (\d+):", refusal.value.problem)


def test_all_wrong_lines_are_told_at_once() -> None:
    """An administrator mends a file once: the first twenty are told, the others counted."""
    texts = [f"20.37.194.{i},24,memo" for i in range(1, 24)]
    with pytest.raises(InvalidInput) as refusal:
        read_host_csv(lines(*texts))

    assert [str(number) for number in range(2, 22)] == re.findall(r"line (\d+):", refusal.value.problem)
    assert refusal.value.problem.endswith("; and 3 more")


def test_a_quote_that_never_closes_is_told_by_its_line() -> None:
    """It swallows the rest of the file, so the line where it opens is what to mend."""
    with pytest.raises(InvalidInput) as refusal:
        read_host_csv(lines("20.37.194.0,24,a", '20.37.195.0,24,"b', "20.37.196.0,24,c"))

    assert ["3"] == re.findall(r"line (\d+):", refusal.value.problem)


FILES = {
    "nothing": (b"", "line 1"),
    "no header": (b"20.37.194.0,24,x", "got '20.37.194.0,24,x'"),
    "another header": ("IP,CIDR,メモ".encode("cp932"), r"got 'IP,CIDR,\u30e1\u30e2'"),
    "an open quote": (b'"IP Address', "got something else"),
    "a workbook": (b"PK\x03\x04", "save it as CSV"),
    "two bytes a letter": (EN.encode("utf-16"), "UTF-16"),
    "two bytes a letter, turned": (b"\xfe\xff" + EN.encode("utf-16-be"), "UTF-16"),
    "packed": (b"\x1f\x8b\x08", "unpack it"),
    "another encoding": (b"\x81\x00\xff", "UTF-8 or Shift_JIS"),
    "broken behind a mark": (b"\xef\xbb\xbf\xff", "another encoding"),
    "a number": (5, "got int"),
}


@pytest.mark.parametrize(("data", "problem"), FILES.values(), ids=FILES)
def test_another_file_is_refused(data: Any, problem: str) -> None:
    """What is no such list is told in a way that helps to bring the right one."""
    with pytest.raises(InvalidInput) as refusal:
        read_host_csv(data)

    assert "data" == refusal.value.field
    assert problem in refusal.value.problem


def test_a_named_encoding_is_kept_to() -> None:
    """Where the host knows the encoding, nothing is guessed; these two bytes mean something in both."""
    data = EN.encode() + b"\n20.37.194.0,24,\xc2\xb1\n"

    assert ["\u00b1", "\uff82\uff71"] == [
        read_host_csv(data, encoding=encoding).rows[0].memo for encoding in (None, "cp932")
    ]
    with pytest.raises(InvalidInput, match="expected text in utf-8, got another"):
        read_host_csv(lines("20.37.194.0,24,本社").encode("cp932"), encoding="utf-8")


def test_the_limits_are_the_editions() -> None:
    """2,900 rows in JP and US, none stated in CN; both ways, and one row more is refused."""
    assert (2_900, 2_900, None) == tuple(EDITIONS[name].network.row_limit for name in ("JP", "US", "CN"))
    rows = [row(f"20.37.{i // 256}.{i % 256}") for i in range(2_901)]
    full = write_host_csv(rows[:-1], edition="JP")

    assert tuple(rows[:-1]) == read_host_csv(full).rows
    for edition in ("JP", "US"):
        with pytest.raises(InvalidInput, match=f"at most 2,900 rows in edition {edition}, got 2,901"):
            write_host_csv(rows, edition=edition)
        with pytest.raises(InvalidInput, match=f"at most 2,900 rows in edition {edition}, got 2,901"):
            read_host_csv(write_host_csv(rows, edition="CN"), edition=edition)
    assert tuple(rows) == read_host_csv(write_host_csv(rows, edition="CN"), edition="CN").rows


@pytest.mark.slow
def test_a_file_too_large_is_refused() -> None:
    """10 MB are the most, read or written, before anything is parsed."""
    data = lines("20.37.194.0,24,x")
    assert 1 == len(read_host_csv(data + "\n" * (10_000_000 - len(data))).rows)

    for large in (data + "\n" * 10_000_000, b" " * 10_000_001):
        with pytest.raises(InvalidInput, match="at most 10 MB"):
            read_host_csv(large)
    with pytest.raises(InvalidInput, match="at most 10 MB"):
        write_host_csv([row("20.37.194.0/24", "あ" * 1_000)] * 4_000, edition="CN")


def test_every_address_needs_to_be_named() -> None:
    """A row that is all of IPv4 is neither read nor written by accident."""
    everything = row("0.0.0.0/0", "all")
    data = write_host_csv([everything], edition="JP", allow_everything=True)

    assert (everything,) == read_host_csv(data, allow_everything=True).rows
    with pytest.raises(InvalidInput, match="name allow_everything=True"):
        read_host_csv(data)
    with pytest.raises(InvalidInput, match=r"rows: 0\.0\.0\.0/0: .*name allow_everything=True"):
        write_host_csv([everything], edition="JP")


def test_what_is_written_for_each_edition() -> None:
    """Header and encoding by edition, every field quoted, CRLF; a single address has no CIDR."""
    body = '"20.37.194.0","24","head office"\r\n"20.37.195.7","",""\r\n'

    assert f'"IPアドレス","CIDR","メモ"\r\n{body}'.encode("cp932") == write_host_csv(SIMPLE, edition="JP")
    for edition in ("US", "CN"):
        assert f'"IP Address","CIDR","Memo"\r\n{body}'.encode() == write_host_csv(SIMPLE, edition=edition)
    assert write_host_csv(SIMPLE, edition="US") == write_host_csv(SIMPLE, edition="JP", language="en")
    assert b"\xef\xbb\xbf" == write_host_csv((), edition="JP", encoding="utf-8-sig")[:3]


UNWRITABLE = {
    "a \u301c b": "U+301C WAVE DASH; write U+FF5E FULLWIDTH TILDE, or choose UTF-8",
    "\u2212": "U+2212 MINUS SIGN; write U+FF0D FULLWIDTH HYPHEN-MINUS",
    "\u2014": "U+2014 EM DASH; write U+2015 HORIZONTAL BAR",
    "\U0001f600": "U+1F600 GRINNING FACE; write another",
    "\u0378": "U+0378 a letter without a name; write another",
}


@pytest.mark.parametrize(("memo", "problem"), UNWRITABLE.items(), ids=ascii)
def test_a_letter_outside_is_refused_by_name(memo: str, problem: str) -> None:
    """Shift_JIS cannot hold it, or would make another letter of it; all rows are told at once, and UTF-8 takes it."""
    rows = [row("20.37.194.0/24", memo), row("2603:1040::/32"), row("20.37.195.0/24", memo)]
    with pytest.raises(InvalidInput) as refusal:
        write_host_csv(rows, edition="JP")

    assert refusal.value.problem.startswith("20.37.194.0/24: expected a memo that cp932 can hold, got U+")
    assert problem in refusal.value.problem
    assert "; 2603:1040::/32: expected IPv4; the list holds no others; 20.37.195.0/24: " in refusal.value.problem
    assert rows[0] == read_host_csv(write_host_csv(rows[:1], edition="JP", encoding="utf-8")).rows[0]


def survivors(written: Callable[[str], bytes | None]) -> list[str]:
    """Return the letters that are written and read back as another."""
    letters = (chr(code) for code in range(0x80, 0x1_0000) if not 0xD800 <= code < 0xE000)
    return [letter for letter in letters if (data := written(letter)) is not None and data.decode("cp932") != letter]


@pytest.mark.slow
def test_no_letter_turns_into_another() -> None:
    """Of every letter there is, what is written in Shift_JIS reads back as itself; the codec alone changes six."""

    def ours(letter: str) -> bytes | None:
        try:
            data = write_host_csv([row("20.37.194.0/24", f"x{letter}")], edition="JP", language="en")
        except InvalidInput:
            return None
        return data.split(b'","')[-1].removesuffix(b'"\r\n')[1:]

    def codec(letter: str) -> bytes | None:
        try:
            return letter.encode("cp932")
        except UnicodeEncodeError:
            return None

    assert [] == survivors(ours)
    assert ["\xa2", "\xa3", "\xac", "\u2016", "\u2212", "\u301c"] == survivors(codec)


FORMULAS = [
    "=1+1",
    "+81-3",
    "-1",
    "@x",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    "'=1",
    "''=1",
    "=cmd|' /C calc'!A0",
]
PLAIN = ["", "'", "'x", "''", "head office = main", "1-1", "x@example.com", "本社"]


def starts_a_formula(cell: str) -> bool:
    """Tell whether a spreadsheet may compute a cell: by what it begins with once blanks are gone."""
    return cell[:1] in {"\t", "\r", "\n"} or cell.strip()[:1] in set("=+-@\uff1d\uff0b\uff0d\uff20")


def cells(data: bytes) -> list[str]:
    """Return every cell of a written file but the header's, as another program reads it."""
    table = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
    return [cell for each in table[1:] for cell in each]


@pytest.mark.parametrize("memo", FORMULAS + PLAIN, ids=ascii)
def test_no_memo_is_a_formula(memo: str) -> None:
    """A memo with formula characters stands behind an apostrophe, and reads back as it was; others are as they are."""
    data = write_host_csv([row("20.37.194.0/24", memo)], edition="US")

    assert [] == [cell for cell in cells(data) if starts_a_formula(cell)]
    assert ["20.37.194.0", "24", f"'{memo}" if memo in FORMULAS else memo] == cells(data)
    assert memo == read_host_csv(data).rows[0].memo


def test_a_bare_writer_is_caught() -> None:
    """The broken twin writes the memo as it is; the same check finds the formula."""
    bare = f'{EN}\r\n"20.37.194.0","24","=1+1"\r\n'.encode()

    assert ["=1+1"] == [cell for cell in cells(bare) if starts_a_formula(cell)]
    assert "=1+1" == read_host_csv(bare).rows[0].memo


def test_the_file_tells_where_a_row_came_from() -> None:
    """A published row has source, version and day in its memo, and is read back as the row that it was."""
    rows = (
        row("20.89.11.48/28", "AzureConnectors.JapanEast", source=SOURCE, version="89", published=date(2025, 1, 23)),
        row("20.37.194.0/24", "head office"),
    )
    data = write_host_csv(rows, edition="JP")

    assert b'"AzureConnectors.JapanEast v89 2025-01-23 (azure-service-tags:Public)"' in data
    assert rows == read_host_csv(data).rows
    assert not compare_rows(rows, read_host_csv(data).rows)


MEMOS = st.one_of(
    st.text(max_size=20),
    st.text("\r\n\"',=+-@ &nbsp;\t\0\x85\u2028'", max_size=10),
    st.sampled_from(FORMULAS + PLAIN),
)


def block(value: int, prefix: int) -> AddressRange:
    """Return the block of this size around a number."""
    first = value >> 32 - prefix << 32 - prefix
    return AddressRange(version=4, first=first, last=first + (1 << 32 - prefix) - 1)


RANGES = st.builds(block, st.integers(0, 2**32 - 1), st.integers(1, 32))


def fits(memo: str) -> bool:
    """Tell whether Shift_JIS holds a memo as it is."""
    return memo.encode("cp932", "replace").decode("cp932") == memo


@given(
    rows=st.lists(st.builds(Row, range=RANGES, memo=MEMOS), max_size=6), encoding=st.sampled_from(["cp932", "utf-8"])
)
@example(rows=[row("20.37.194.0/24", "a\rb\nc\r\nd\n")], encoding="utf-8")
def test_what_is_written_is_read(rows: list[Row], encoding: Any) -> None:
    """Every list of rows comes back equal, in each encoding that can hold it, whatever is in the memos."""
    outside = [item for item in rows if encoding == "cp932" and not fits(item.memo)]
    if outside:
        with pytest.raises(InvalidInput, match="can hold"):
            write_host_csv(rows, edition="JP", encoding=encoding)
    rows = [item for item in rows if item not in outside]
    data = write_host_csv(rows, edition="JP", encoding=encoding)
    found = read_host_csv(data, encoding=encoding)
    assert tuple(rows) == found.rows
    assert data == write_host_csv(found.rows, edition="JP", encoding=encoding)
    assert {item.text for item in rows if classify(item.range) != "global"} == {
        notice.text for notice in found.notices if notice.reason != "duplicate"
    }


CELLS = st.one_of(MEMOS, st.sampled_from(["20.37.194.0", "20.37.194.7", "24", "0", "&nbsp;", "10.0.0.0", "8"]))
RECORDS = st.lists(CELLS, max_size=4).map(lambda fields: ",".join('"' + f.replace('"', '""') + '"' for f in fields))
DATA = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60),
    st.lists(st.one_of(RECORDS, st.text(max_size=20)), max_size=5).map(lambda texts: lines(*texts)),
    st.lists(st.text("0123456789.,\"\r\n'", max_size=30), max_size=5).map(lambda texts: lines(*texts).encode()),
)


def counted(text: str) -> int:
    """Return how many records another reader finds below the header, empty lines at the end apart."""
    return len(list(csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), strict=True))) - 1


@given(data=DATA)
def test_every_line_is_a_row_or_an_error(data: str | bytes) -> None:
    """Law 13: whatever comes in, as many rows as there are lines come out, or an error of one printable line."""
    message = ""
    try:
        found = read_host_csv(data)
    except ExtlinkError as error:
        message = str(error)
    else:
        text = data if isinstance(data, str) else data.decode(found.encoding or "")
        assert counted(text.removeprefix("\ufeff")) == len(found.rows)

    assert message.isprintable()
    assert message.isascii()


def lenient(text: str) -> list[Row]:
    """Broken twin: skips the lines that it cannot read."""
    rows: list[Row] = []
    for line in text.splitlines()[1:]:
        try:
            rows += read_host_csv(lines(line)).rows
        except ExtlinkError:
            continue
    return rows


def test_a_lenient_reader_is_caught() -> None:
    """The same count finds the lines that the broken twin lost."""
    text = lines("20.37.194.0,24,", "198.51.100.7,24,")

    assert counted(text) != len(lenient(text))


@given(value=ANYTHING)
def test_anything_handed_over_is_refused_or_read(value: Any) -> None:
    """Law 13 for every argument of every function here."""
    calls: tuple[Callable[[Any], object], ...] = (
        read_host_csv,
        lambda given: read_host_csv(EN, edition=given),
        lambda given: read_host_csv(EN, encoding=given),
        lambda given: read_host_csv(EN, allow_everything=given),
        lambda given: write_host_csv(given, edition="JP"),
        lambda given: write_host_csv((), edition=given),
        lambda given: write_host_csv((), edition="JP", language=given),
        lambda given: write_host_csv((), edition="JP", encoding=given),
        lambda given: write_host_csv((), edition="JP", allow_everything=given),
        lambda given: compare_rows(given, ()),
        lambda given: compare_rows((), given),
        lambda given: apply_rows((), (), how=given),
        lambda given: apply_rows(given, (), how="addition"),
        lambda given: apply_rows((), given, how="replacement"),
    )
    for call in calls:
        with suppress(ExtlinkError):
            call(value.make())


def test_an_import_is_shown_before_it_is_made() -> None:
    """A replacement takes rows away, an addition does not; a memo that differs is told with both rows."""
    here = (row("20.37.194.0/24", "head office"), row("20.37.195.0/24"))
    imported = (row("20.37.194.0/24", "main office"), row("20.37.196.0/24"), row("20.37.196.0/24"))
    replaced = apply_rows(here, imported, how="replacement")
    added = apply_rows(here, imported, how="addition")

    assert RowChanges(
        added=(row("20.37.196.0/24"),), removed=(here[1],), changed=((here[0], imported[0]),)
    ) == compare_rows(here, replaced)
    assert RowChanges(added=(row("20.37.196.0/24"),), removed=(), changed=()) == compare_rows(here, added)
    assert (*here, row("20.37.196.0/24")) == added
    assert not compare_rows(here, tuple(reversed(here * 2)))
    with pytest.raises(InvalidInput, match="how: expected one of replacement, addition"):
        apply_rows(here, imported, how="merge")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="imported: expected a list of Row"):
        apply_rows(here, ["20.37.194.0/24"], how="addition")  # type: ignore[list-item]


@given(
    before=st.lists(st.builds(Row, range=RANGES, memo=st.sampled_from("abc")), max_size=5),
    after=st.lists(st.builds(Row, range=RANGES, memo=st.sampled_from("abc")), max_size=5),
)
def test_a_difference_leads_from_one_list_to_the_other(before: list[Row], after: list[Row]) -> None:
    """What is removed, added and changed makes the second list of the first; nothing else differs."""
    changes = compare_rows(before, after)
    kept = {item.range: item for item in apply_rows((), before, how="replacement")}
    for item in changes.removed:
        del kept[item.range]
    for old, new in changes.changed:
        assert old == kept[old.range] != new
        kept[old.range] = new
    kept.update((item.range, item) for item in changes.added)

    assert {item.range: item for item in apply_rows((), after, how="replacement")} == kept
    assert bool(changes) == (set(apply_rows((), before, how="replacement")) != set(kept.values()))
