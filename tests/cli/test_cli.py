"""The command: from a vendor's file and the tenant's CSV to the CSV to upload, and what a newer file changed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from extlink import feeds
from extlink.cli import main
from extlink.cli.files import day_in_name, read_file, write_file
from extlink.cli.main import parser
from extlink.cli.report import refusal_lines, share_text
from extlink.cli.words import _WORDS, say
from extlink.domain.address import Reach
from extlink.domain.messages import LANGUAGES
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

CSV = '"IPアドレス","CIDR","メモ"\r\n"20.37.194.0","24","本社"\r\n'


def tags(version: int, connectors: Sequence[str], cloud: str = "Public") -> bytes:
    """Return a service-tags file."""
    lists = {"AzureConnectors": connectors, "LogicApps": [], "AzureCloud": ["20.64.0.0/10"]}
    values = [
        {"name": name, "properties": {"changeNumber": version, "region": "", "addressPrefixes": list(prefixes)}}
        for name, prefixes in lists.items()
    ]
    return json.dumps({"changeNumber": version, "cloud": cloud, "values": values}).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two files of the vendor and the tenant's list, as the product exports it."""
    old = tags(1, ["20.89.11.0/30", "20.89.11.8/29", "10.0.0.0/8", "2603:1040::/32"])
    new = tags(2, ["20.89.11.8/29", "20.99.0.0/24", *(f"20.98.{number}.0/32" for number in range(0, 40, 2))])
    (tmp_path / "ServiceTags_Public_20250120.json").write_bytes(old)
    (tmp_path / "ServiceTags_Public_20250210.json.gz").write_bytes(gzip.compress(new))
    (tmp_path / "list.csv").write_bytes(CSV.encode("cp932"))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Return what a command came to: exit code, report, complaint."""
    code = main([str(one) for one in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_list_to_upload_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the encoding the list came in, the administrator's rows first, and a report in Japanese."""
    old, upload = folder / "ServiceTags_Public_20250120.json", folder / "upload.csv"
    code, out, err = run(
        capsys, "plan", "--service-tags", old, "--list", folder / "list.csv", "--rows", "2", "--write", upload
    )
    rows = list(csv.reader(io.StringIO(upload.read_bytes().decode("cp932"))))

    assert (0, "") == (code, err)
    assert [["IPアドレス", "CIDR", "メモ"], ["20.37.194.0", "24", "本社"]] == rows[:2]
    assert ["20.89.11.0", "28", "AzureConnectors v1 2025-01-20 (azure-service-tags:Public)"] == rows[2]
    assert 3 == len(rows)
    for sentence in (
        "サービス：Microsoft Power Automate",
        "資料のうち、使用しなかった項目：1件（プライベートアドレス: 1）",
        "現在のIPアドレス制限：1行（JP版の上限は2行）",
        "許可が必要なアドレス：12個。うち許可済み：0個（0.0 %）",
        "IPv6のため一覧に書けない範囲：1個。該当するアドレスからのアクセスは拒否されたままです。",
        "追加する行：1行。追加後の合計：2行",
        "必要な範囲を超えて許可されるアドレス：4個。これより少ない計画はありません。",
        "　うちazure-service-tags:Public:AzureCloudの範囲：4個",
        "「ヘルプが求めている3つの資料の範囲」との違い：必要なアドレスのうち、そちらだけにあるもの4,194,292個、この基準だけにあるもの0個",
        "　（資料にない範囲を除く：power-automate, office-365）",
        "新たに許可されるアドレスは4,194,304個です（この計画の262,144倍）。",
        f"ファイルに保存しました：{upload}（2行、cp932）",
    ):
        assert sentence in out


def test_what_was_written_is_complete_until_the_vendor_changes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second command reads the first one's file: complete by the old file, lacking by the new one, and aged."""
    old, new = folder / "ServiceTags_Public_20250120.json", folder / "ServiceTags_Public_20250210.json.gz"
    upload = folder / "upload.csv"
    run(capsys, "plan", "--service-tags", old, "--list", folder / "list.csv", "--write", upload)
    same = run(capsys, "changes", "--service-tags", old, "--list", upload)
    code, out, _ = run(capsys, "changes", "--service-tags", old, "--service-tags", new, "--list", upload)

    assert (0, True) == (same[0], "現在の一覧は、新しい資料の必要なアドレスをすべて許可しています。" in same[1])
    assert 3 == code
    for sentence in (
        "版1から版2への変更",
        "　AzureConnectors：追加276個、削除4個のアドレス",
        "　　＋ 20.98.0.0/32",
        "　　ほか11件",
        "　　－ 20.89.11.0/30",
        "現在の一覧で許可されていないアドレス：276個（版2（2025-02-10公開）から不足）",
        "資料の範囲として追加された行のうち、新しい資料で不要になったもの：1行",
        "90日より古い資料による行：2行。最も古いもの：2025-01-20",
        "不足を補うには、新しい資料を指定してextlink planを実行してください。",
    ):
        assert sentence in out


def test_rows_of_unknown_age_are_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file whose day nobody tells gives rows without one; naming the day gives it to the last file."""
    plain, upload = folder / "tags.json", folder / "upload.csv"
    plain.write_bytes(tags(1, ["20.89.11.0/30"]))
    run(capsys, "plan", "--service-tags", plain, "--write", upload)
    _, ageless, _ = run(capsys, "changes", "--service-tags", plain, "--list", upload)
    run(capsys, "plan", "--service-tags", plain, "--published", "2025-01-20", "--write", upload, "--overwrite")
    _, aged, _ = run(capsys, "changes", "--service-tags", plain, "--list", upload, "--language", "en")

    assert "資料の公開日がわからない行：1行" in ageless
    assert "Rows from files older than 90 days: 1; the oldest: 2025-01-20" in aged


def test_changes_need_no_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two files alone are compared; what did not change is said too."""
    old = folder / "ServiceTags_Public_20250120.json"
    code, out, _ = run(capsys, "changes", "--service-tags", old, "--service-tags", old, "--edition", "US")

    assert (0, True) == (code, "Nothing changed in these lists." in out)


def check_says_unknown(code: int, out: str) -> None:
    """Require that nobody reads "complete" where the files do not tell what is needed."""
    assert 1 == code
    assert "判断できません：" in out
    assert "すべて許可しています" not in out


def test_what_the_files_do_not_tell_is_never_complete(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files of another cloud, and a requirement of which documents are absent: a refusal that says where they are."""
    old, held = folder / "ServiceTags_Public_20250120.json", folder / "list.csv"
    shared = ("changes", "--service-tags", old, "--list", held)
    china, seed = (run(capsys, *shared, *more)[:2] for more in (("--region", "china"), ("--requirement", "seed")))

    check_says_unknown(*china)
    check_says_unknown(*seed)
    assert "　地域「中国」のクラウド（China）の資料ではないため、この資料は範囲の判断に使用しません。" in china[1]
    for option, page in (("--power-automate-page", "/limits-and-config"), ("--office-365", "/urls-and-ip-address")):
        assert any(f"{option}で指定" in line and page in line for line in seed[1].splitlines())
    assert "download/details.aspx" not in seed[1]
    assert "変更" not in run(capsys, *shared, "--service-tags", old, "--region", "china")[1]
    with pytest.raises(AssertionError):  # the twin that looks at the list alone
        check_says_unknown(0, "現在の一覧は、新しい資料の必要なアドレスをすべて許可しています。")


def test_rows_of_lists_that_were_not_asked_about_are_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row of another service's list is needed by somebody else; these files cannot say that nobody needs it."""
    old = folder / "ServiceTags_Public_20250120.json"
    idle = _list(folder, "20.89.13.0,28,AzureConnectors v1 2025-01-20 (azure-service-tags:Public)")
    said = run(capsys, "changes", "--service-tags", old, "--list", idle)[1]
    kept = _list(
        folder,
        "20.89.11.0,28,AzureConnectors v1 2025-01-20 (azure-service-tags:Public)",
        "3.5.140.0,22,AMAZON v7 2025-01-20 (aws:Public)",
        "20.90.0.0,24,LogicApps v1 2025-01-20 (azure-service-tags:Public)",
    )

    assert "不要になったもの：1行" in said
    assert "不要になったもの" not in run(capsys, "changes", "--service-tags", old, "--list", kept)[1]


def test_a_file_cannot_speak_to_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name with control characters or with another direction of writing is told, and not obeyed."""
    path = folder / "hostile.json"
    path.write_bytes(tags(1, ["20.89.11.0/30"], cloud="Pub\x1b[2J\u202e\nlic"))
    _, out, _ = run(capsys, "plan", "--service-tags", path)

    assert r"Pub\x1b[2J\u202e\nlic" in out
    assert {"\n", "\u3000"} >= {letter for letter in out if not letter.isprintable()}


def test_what_is_odd_about_a_list_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that never comes in over the internet, with its line."""
    old = folder / "ServiceTags_Public_20250120.json"
    _, out, _ = run(capsys, "plan", "--service-tags", old, "--list", _list(folder, "192.168.0.7,,VPN"))

    assert "確認してください（2行目）：192.168.0.7/32はプライベートアドレスです。" in out


def test_only_lists_that_count_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What changed elsewhere in the file is nobody's concern here."""
    old, new = folder / "ServiceTags_Public_20250120.json", folder / "ServiceTags_Public_20250217.json"
    new.write_bytes(old.read_bytes().replace(b"20.64.0.0/10", b"20.64.0.0/11"))
    _, out, _ = run(capsys, "changes", "--service-tags", old, "--service-tags", new)

    assert "この範囲に変更はありません。" in out


def test_the_older_file_comes_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two files in the wrong order would tell the way back as news."""
    old, new = folder / "ServiceTags_Public_20250120.json", folder / "ServiceTags_Public_20250210.json.gz"
    code, out, err = run(capsys, "changes", "--service-tags", new, "--service-tags", old)

    assert (2, "") == (code, out)
    assert "expected the older file of azure-service-tags first, got one of 2025-02-10 before one of 2025-01-20" in err


def test_a_list_that_was_not_given_is_told_to_be_lost(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The import replaces the list, so a file without the present rows says so."""
    old, held, upload = (folder / one for one in ("ServiceTags_Public_20250120.json", "list.csv", "upload.csv"))
    without = run(capsys, "plan", "--service-tags", old, "--write", upload)[1]
    together = run(capsys, "plan", "--service-tags", old, "--list", held, "--write", upload, "--overwrite")[1]

    assert "このまま読み込むと、現在の行は失われます。" in without
    assert "失われます" not in together


def test_a_complete_list_needs_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to add, nothing written unless a file is named, and the regions are told."""
    code, out, _ = run(
        capsys,
        "plan",
        "--service-tags",
        folder / "ServiceTags_Public_20250120.json",
        "--list",
        _list(folder, "20.89.11.0,24,x"),
        "--edition",
        "US",
        "--region",
        "china",
    )

    assert (1, True) == (code, "There is no plan" in out)
    code, out, _ = run(
        capsys,
        "plan",
        "--service-tags",
        folder / "ServiceTags_Public_20250120.json",
        "--list",
        _list(folder, "20.89.11.0,24,x"),
        "--language",
        "en",
    )
    assert 0 == code
    assert "There is nothing to add: every needed address is allowed." in out
    assert "Nothing was written; name a file with --write." in out


def _list(folder: Path, *lines: str) -> Path:
    path = folder / "other.csv"
    path.write_text("\n".join(("IP Address,CIDR,Memo", *lines, "")), encoding="utf-8")
    return path


def test_many_owners_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The largest are named, the rest counted, and what is in no file is said."""
    lists = {f"Other{number}": ["20.89.11.4/30"] for number in range(7)} | {
        "AzureConnectors": ["20.89.11.0/30", "20.89.11.8/29", "20.91.0.0/32", "20.91.0.2/32"]
    }
    values = [
        {"name": name, "properties": {"changeNumber": 1, "region": "", "addressPrefixes": prefixes}}
        for name, prefixes in lists.items()
    ]
    path = folder / "many.json"
    path.write_text(json.dumps({"changeNumber": 1, "cloud": "Public", "values": values}), encoding="utf-8")
    _, out, _ = run(capsys, "plan", "--service-tags", path, "--rows", 2, "--language", "en")

    assert "Mind: that is " in run(capsys, "plan", "--service-tags", path, "--rows", 1, "--language", "en")[1]
    assert "Mind:" not in out
    assert "and 2 more lists" in out
    assert "of them in none of the files: 2" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plan"], "--service-tags: expected at least one published file, got none"),
        (["plan", "--service-tags", "absent.json"], "no such file or directory"),
        (["plan", "--service-tags", "{old}", "--requirement", "all"], "--requirement: expected one of vendor-current"),
        (["plan", "--service-tags", "{old}", "--region", "mars"], "region: expected a region of vendor-current"),
        (
            ["plan", "--service-tags", "{old}", "--at-most-extra", "-1"],
            "--at-most-extra: expected 0 or more addresses, got -1",
        ),
        (["plan", "--service-tags", "{old}", "--rows", "-1"], "--rows: expected 0 to 1,000,000 rows, got -1"),
        (["plan", "--service-tags", "{list}"], "--service-tags 'list.csv': data: expected UTF-8"),
        (
            ["plan", "--service-tags", "{old}", "--list", "{old}"],
            "--list 'ServiceTags_Public_20250120.json': data: line 1: expected the header",
        ),
        (["plan", "--service-tags", "{old}", "--write", "{old}"], "which exists; name --overwrite"),
        (["plan", "--service-tags", "{plain}", "--published", "soon"], "--published: expected a day"),
        (["changes", "--service-tags", "{old}"], "expected two files of one kind, the older one first, or --list"),
        (["plan", "--power-automate-page", "{list}"], ""),
        (["plan", "--office-365", "{list}"], ""),
        (["plan", "--datacenter-xml", "{list}"], ""),
    ],
    ids=lambda value: None if isinstance(value, str) else " ".join(value),
)
def test_what_is_wrong_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    """Exit code 2, one sentence on standard error that names the option, no traceback, and nothing is written."""
    old, held = folder / "ServiceTags_Public_20250120.json", folder / "list.csv"
    (folder / "plain.json").write_bytes(old.read_bytes())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    named = {"old": old, "list": held, "plain": folder / "plain.json"}
    code, out, err = run(capsys, *(one.format(**named) for one in arguments))

    assert (2, "") == (code, out)
    assert says in err
    assert 1 == err.count("\n")
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--edition", "CN", "--language", "en"], "What to do: "),
        (["--requirement", "seed"], "計画できません：基準「seed」が求める一覧（power-automate、office-365）が"),
        (["--rows", "0"], "計画できません"),
        (["--rows", "1", "--at-most-extra", "0"], "計画できません"),
    ],
    ids=["edition", "data", "rows", "extra"],
)
def test_where_there_is_no_plan_the_reason_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    """Exit code 1, the reason and what to do, and no file."""
    upload = folder / "upload.csv"
    code, out, err = run(
        capsys, "plan", "--service-tags", folder / "ServiceTags_Public_20250120.json", "--write", upload, *arguments
    )

    assert (1, "") == (code, err)
    assert says in out
    assert not upload.exists()


def test_every_kind_of_file_is_read(realdata: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The three documents of the help page, as they were published: a plan by the seed's own requirement."""
    pages, tags_folder = realdata / "power_automate_pages", realdata / "servicetags"
    code, out, _ = run(
        capsys,
        "plan",
        "--requirement",
        "seed",
        "--power-automate-page",
        pages / "limits-and-config.ja-jp.2020-07-10.1c920fec.md",
        "--office-365",
        realdata / "office365" / "endpoints_worldwide_2020-12.json",
        "--service-tags",
        tags_folder / "ServiceTags_Public_cn128_2021-01-06.json.gz",
        "--region",
        "japan",
    )

    assert 0 == code
    assert "必要な範囲を超えて許可されるアドレスはありません。" in out


def check_survives(write: object, path: Path) -> None:
    """Require that a file that cannot be written whole is left as it was."""
    path.write_bytes(b"old")
    blocker = path.parent / "blocked"
    blocker.write_bytes(b"")
    assert callable(write)
    with pytest.raises(InvalidInput, match="--write: expected a file that can be written"):
        write(blocker / "upload.csv", b"new", overwrite=True)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails in the middle leaves the old file, and nothing beside it."""
    check_survives(write_file, tmp_path / "upload.csv")
    path = tmp_path / "upload.csv"

    def fails(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(InvalidInput, match="no space left on device"):
        write_file(path, [b"new"], overwrite=True)
    assert b"old" == path.read_bytes()
    assert {"upload.csv", "blocked"} == {one.name for one in tmp_path.iterdir()}


def test_a_new_name_is_taken_only_if_it_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where somebody takes it while the file is being written, and where the file system knows no links."""
    path = tmp_path / "ledger.jsonl"

    def taken_meanwhile() -> Iterator[bytes]:
        yield b"ours"
        path.write_bytes(b"theirs")

    with pytest.raises(InvalidInput, match="file exists"):
        write_file(path, taken_meanwhile(), overwrite=False)
    assert (b"theirs", [path]) == (path.read_bytes(), list(tmp_path.iterdir()))

    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    path.unlink()
    write_file(path, [b"ours"], overwrite=False)
    assert (b"ours", [path]) == (path.read_bytes(), list(tmp_path.iterdir()))


def test_a_folder_that_cannot_be_opened_is_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems where folders are no files; the file is whole and has its name."""
    opened = os.open

    def only_files(path: Any, flags: int, *more: Any, **others: Any) -> int:
        if path == tmp_path:
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *more, **others)

    monkeypatch.setattr(os, "open", only_files)
    write_file(tmp_path / "upload.csv", [b"new"], overwrite=True)
    assert b"new" == (tmp_path / "upload.csv").read_bytes()


def test_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file cannot fill the memory when it is unpacked; one that is cut off is not read as a whole."""
    monkeypatch.setattr("extlink.cli.files._MAX_BYTES", 1_000)
    bomb, cut = tmp_path / "bomb.gz", tmp_path / "cut.gz"
    bomb.write_bytes(gzip.compress(bytes(1_000_000)))
    cut.write_bytes(gzip.compress(b"a" * 500)[:-9])
    twice = tmp_path / "twice.gz"
    twice.write_bytes(gzip.compress(b"a") + gzip.compress(b"b"))
    for path in (bomb, cut, twice):
        with pytest.raises(InvalidInput, match="--list: expected"):
            read_file(path, "--list")
    with pytest.raises(InvalidInput, match="cannot be unpacked"):
        read_file(cut, "--list")
    (tmp_path / "large").write_bytes(bytes(1_001))
    with pytest.raises(InvalidInput, match="MiB"):
        read_file(tmp_path / "large", "--list")


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("ServiceTags_Public_20250120.json", date(2025, 1, 20)),
        ("ServiceTags_Public_cn342_2025-01-23.json.gz", date(2025, 1, 23)),
        ("20259999.json", None),
        ("120250120.json", None),
        ("tags.json", None),
    ],
)
def test_a_name_may_tell_the_day(name: str, day: date | None) -> None:
    """Only a day of the calendar is one."""
    assert day == day_in_name(Path(name))


def test_a_share_never_reads_as_more_than_it_is() -> None:
    """What is not complete is not rounded up to it."""
    assert ["99.9 %", "100.0 %", "0.0 %", "-"] == [
        share_text(share) for share in (Fraction(9_999, 10_000), Fraction(1), Fraction(0), None)
    ]


@pytest.mark.parametrize("sentence", sorted(_WORDS))
def test_sentences_have_the_same_blanks_in_every_language(sentence: str) -> None:
    """A sentence can be said in each language with the blanks of any other."""
    blanks = [set(_blanks(_WORDS[sentence].text(language))) for language in LANGUAGES]

    assert blanks[0] == blanks[1] == blanks[2]
    for language in LANGUAGES:
        assert say(language, sentence, **dict.fromkeys(blanks[0], 1_000))


def _blanks(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("{")[1:]]


def test_a_reason_without_a_remedy_has_no_empty_line() -> None:
    """A sentence that has nothing to say is left out."""
    assert 1 == len(tuple(refusal_lines("en", Reason("network.allow_all"))))


def test_every_reach_has_words() -> None:
    """Whatever a list's line is remarked for can be said."""
    assert {f"reach_{one}" for one in (*get_args(Reach), "duplicate")} - {"reach_global"} <= set(_WORDS)


def test_the_command_runs_as_a_module(folder: Path) -> None:
    """`python -m extlink` is the command; letters that a console cannot show do not stop the report."""
    done = subprocess.run(
        [sys.executable, "-m", "extlink", "plan", "--service-tags", str(folder / "ServiceTags_Public_20250120.json")],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )

    assert rb"\u30b5\u30fc\u30d3\u30b9" in done.stdout
    assert b"" == done.stderr


def test_help_is_there_for_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Each option says what it is for."""
    for command in ("plan", "changes"):
        with pytest.raises(SystemExit):
            parser().parse_args([command, "--help"])
        assert "--service-tags" in capsys.readouterr().out


def test_the_readers_are_those_of_the_package() -> None:
    """A list that the product exports is read by the reader that a host would use."""
    assert "本社" == feeds.read_host_csv(CSV.encode("cp932")).rows[0].memo


def test_rows_of_office_365_tell_where_they_came_from(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The web service gives no version; its day stands for it, so that the list can be aged later."""
    answer, xml, page = folder / "office_20201201.json", folder / "PublicIPs_20200601.xml", folder / "page.md"
    answer.write_text('[{"id": 1, "serviceArea": "Exchange", "category": "Allow", "ips": ["40.92.0.0/15"]}]')
    xml.write_text('<A><Region Name="japaneast"><IpRange Subnet="13.71.128.0/19" /></Region></A>')
    xml.write_text(xml.read_text().replace("A>", "AzurePublicIpAddresses>"))
    page.write_text("---\nms.date: 06/24/2020\n---\n\n| R | IP |\n| --- | --- |\n| Japan | 13.78.108.1 |\n")
    upload = folder / "upload.csv"
    files = ("--power-automate-page", page, "--office-365", answer, "--datacenter-xml", xml)
    code, out, err = run(capsys, "plan", *files, "--requirement", "seed", "--write", upload)
    rows = feeds.read_host_csv(upload.read_bytes()).rows

    assert (0, "") == (code, err)
    assert "office-365-endpoints Public 版2020-12-01" in out
    assert {"office-365-endpoints", "power-automate-page", "azure-datacenter-xml"} == {
        row.source.partition(":")[0] for row in rows
    }
    assert None not in {row.published for row in rows}


def test_the_tables_of_a_store_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The files as they are, without a server; where nothing listens, one sentence says so."""
    pytest.importorskip("psycopg")
    code, out, _ = run(capsys, "schema", "sql", "--phase", "pre")
    nowhere = run(capsys, "schema", "status", "host=127.0.0.1 port=1 connect_timeout=1")

    assert (0, True) == (code, "CREATE TABLE" in out)
    assert (2, "") == nowhere[:2]
    assert nowhere[2].startswith("extlink schema: ")


def test_without_psycopg_the_way_out_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base install has no driver of PostgreSQL."""
    monkeypatch.setitem(sys.modules, "extlink.adapters._schema_cli", None)
    code, _, err = run(capsys, "schema", "status")

    assert (2, True) == (code, "pip install 'extlink[postgres]'" in err)
