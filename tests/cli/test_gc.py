"""`extlink gc`: what goes of a file and of a PostgreSQL store, and what is told of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.postgres_schema import upgrade
from extlink.adapters.sqlite import SQLiteStorage
from extlink.cli import main
from extlink.ports import Storage, Write, prefix
from extlink.records import MARKS
from extlink.testing.probes import at, batch, paths
from tests import clusters
from tests.adapters.test_upkeep import recorded
from tests.cli.stores import Place
from tests.fakes import NOW


def _filled(storage: Storage) -> Storage:
    recorded(storage, NOW)
    for number in range(120):
        key = at(prefix("n", f"link {number:04d}"))
        storage.commit(batch(Write(key, MARKS.encode({"link.expired": 1}, NOW)), entries=()))
    return storage


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["gc", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_file_is_cleared(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Tenant by tenant, with what went; a second run finds nothing."""
    file = tmp_path / "links.db"
    with SQLiteStorage(file) as storage:
        _filled(storage)

    told = "acme: cleared away 120 refusal marks\n~host: nothing to clear away\n"
    assert (0, told, "") == _run(capsys, "acme", "~host", "--sqlite", str(file))
    assert (0, "acme: nothing to clear away\n", "") == _run(capsys, "acme", "--sqlite", str(file))


def test_what_cannot_be_read_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It stays, and the exit code says so."""
    file = tmp_path / "links.db"
    with SQLiteStorage(file) as storage:
        recorded(storage, NOW)
        storage.commit(batch(Write(at(prefix("n", "x")), b"{"), entries=()))
        code, out, _ = _run(capsys, "acme", "--sqlite", str(file))

        assert (3, True) == (code, "acme: unreadable records left alone: 1; look" in out)
        assert 1 == len(paths(storage, prefix("n")))


def test_what_is_wrong_is_told_before_anything_is_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file that is none is not made; a tenant has an id."""
    file = tmp_path / "lniks.db"
    code, out, err = _run(capsys, "acme", "--sqlite", str(file))

    assert (2, "") == (code, out)
    assert err.startswith("extlink gc: ")
    assert "lniks.db" in err
    assert not file.exists()
    SQLiteStorage(file).close()
    assert 2 == _run(capsys, "", "--sqlite", str(file))[0]
    with pytest.raises(SystemExit):
        _run(capsys, "acme")


def test_without_psycopg_the_way_out_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base install has no driver of PostgreSQL."""
    monkeypatch.setitem(sys.modules, "extlink.adapters.postgres", None)
    code, _, err = _run(capsys, "acme", "--postgres", "")

    assert (2, True) == (code, "pip install 'extlink[postgres]'" in err)


def test_a_postgres_store_is_cleared(capsys: pytest.CaptureFixture[str]) -> None:
    """As a file is."""
    clusters.require()
    server = clusters.cluster(clusters.newest())
    name = server.fresh_name()
    upgrade(server.conninfo, schema=name)
    with PostgresStorage(server.conninfo, schema=name) as storage:
        _filled(storage)

    code, out, _ = _run(capsys, "acme", "--postgres", server.conninfo, "--schema", name)
    assert (0, "acme: cleared away 120 refusal marks\n") == (code, out)


def test_all_tenants_are_cleared(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Every one of the store, and the host's own part; one that is damaged keeps nobody from the rest."""
    with place.open() as storage:
        _filled(storage)
        storage.commit(batch(Write(at(b"x", b"a\xffz"), b"x"), tenant=b"a\xffz", entries=()))
        storage.commit(batch(Write(at(b"x", b"zeta"), b"x"), tenant=b"zeta", entries=()))
    code, out, err = _run(capsys, "--all", *place.arguments)
    lines = out.splitlines()

    assert (3, "") == (code, err)
    assert ["~host: nothing to clear away", "acme: cleared away 120 refusal marks"] == lines[:2]
    assert lines[2].startswith("a\\udcffz: left alone: tenant: expected text in Unicode")
    assert "zeta: nothing to clear away" == lines[3]


def test_a_store_without_tenants_is_hardly_the_one(capsys: pytest.CaptureFixture[str], place: Place) -> None:
    """A job with a slip in its path does not stay green."""
    with place.open():
        pass

    assert (3, "~host: nothing to clear away\nthe store has no tenants\n", "") == _run(
        capsys, "--all", *place.arguments
    )
    assert 0 == _run(capsys, "~host", *place.arguments)[0]


def test_what_is_no_file_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each with its own words: nothing there, a folder, nothing in it, no path at all."""
    empty = tmp_path / "empty.db"
    empty.touch()
    for path, why in {
        tmp_path / "none.db": "no such file",
        tmp_path: "which is a folder",
        empty: "which is empty",
        tmp_path / ("x" * 300): "file name too long",
        "\0": "it is no path",
    }.items():
        code, out, err = _run(capsys, "acme", "--sqlite", str(path))

        assert (2, "", True) == (code, out, why in err)
    assert 0 == empty.stat().st_size
    code, _, err = _run(capsys, "acme", "--sqlite", str(tmp_path / "x.db"), "--schema", "links")
    assert (2, True) == (code, "expected it beside --postgres" in err)


def test_either_some_or_all(capsys: pytest.CaptureFixture[str], place: Place) -> None:
    """Neither would do nothing in silence, both would say two things."""
    for arguments in ((), ("--all", "acme")):
        code, out, err = _run(capsys, *arguments, *place.arguments)

        assert (2, "", True) == (code, out, "--all for every one" in err)
