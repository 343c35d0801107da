"""`extlink remove-tenant`: nothing goes unless it is said, and nothing without its ledger unless that is said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from extlink import access, client_authentication, users
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.moving import fingerprint
from extlink.adapters.removing import remove_tenant
from extlink.adapters.sqlite import SQLiteStorage
from extlink.attempt import Attempt
from extlink.cli import main, remove_tenant as command
from extlink.cli.stores import WholeStore
from extlink.domain.identifier import ClientId, TenantId
from extlink.errors import Refused, Unavailable
from extlink.ports import Entries, Removed, Write
from extlink.records import client_key, last_use_key, tenant_key
from extlink.testing.probes import batch, ledger
from tests.cli.stores import KINDS, Place
from tests.fakes import FrozenClock
from tests.hosts import SCOPES, Host
from tests.oauth.kit import Site, basic
from tests.schedules.world import hub_over
from tests.stateful.story import tell
from tests.testing.rehearsal import NAMES, prepared, run

FORMS = {
    "token": {"grant_type": "refresh_token", "refresh_token": "x"},
    "revoke": {"token": "x"},
    "introspect": {"token": "x"},
}


def _lived_in(place: Place) -> list[tuple[int, bytes]]:
    """Let a tenant live beside a neighbour; return its ledger."""
    with place.open() as store:
        clock = FrozenClock()
        hub = hub_over(store, clock=clock)
        tell(hub, clock)
        hub.open_tenant("neighbour", edition="JP", products={"kintone"})
        return ledger(store)


def _run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[str], str]:
    code = main(["remove-tenant", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err


def test_its_ledger_is_exported_and_it_goes(place: Place, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Every entry as it was written, under its number; the neighbour stays."""
    entries = _lived_in(place)
    file = tmp_path / "acme.jsonl"
    with place.open() as store:
        others = [fingerprint(store, name) for name in ("neighbour", "~host")]
        had = fingerprint(store, "acme")
    code, lines, err = _run(capsys, "acme", *place.arguments, "--export", file, "--remove-for-good")
    exported = file.read_bytes().splitlines(keepends=True)

    assert (0, "") == (code, err)
    assert [b'{"entry":%b,"number":%d}\n' % (body, number) for number, body in entries] == exported
    assert "tenant.opened" == json.loads(exported[0])["entry"]["event"]
    assert [
        f"acme: {had.records:,} records, {had.entries:,} ledger entries",
        "its ledger is being written, and at its end the tenant is closed: if this breaks off, run it again",
        f"its ledger is in {file}",
        "acme: removed; backups have it still",
    ] == lines
    with place.open() as store:
        assert [b"neighbour", b"~host"] == list(store.tenants())
        assert others == [fingerprint(store, name) for name in ("neighbour", "~host")]
    code, lines, _ = _run(capsys, "acme", *place.arguments, "--without-export", "--remove-for-good")
    assert (0, "nothing is stored of this tenant") == (code, lines[-1])
    code, lines, _ = _run(capsys, "acme", *place.arguments, "--without-export")
    assert (1, "nothing is stored of this tenant") == (code, lines[-1])


def test_nothing_goes_unless_it_is_said(place: Place, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It is told how much there is, and nothing is made; nor may it be forgotten what becomes of the ledger."""
    _lived_in(place)
    file = tmp_path / "acme.jsonl"
    with place.open() as store:
        had = fingerprint(store, "acme")
    code, lines, _ = _run(capsys, "acme", *place.arguments, "--export", file)

    assert (1, "nothing was removed; name --remove-for-good") == (code, lines[-1])
    assert not file.exists()
    with pytest.raises(SystemExit):
        _run(capsys, "acme", *place.arguments, "--remove-for-good")
    with place.open() as store:
        assert had == fingerprint(store, "acme")


def test_no_export_is_written_over(place: Place, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It may be the only ledger there is, of a removal that broke off; and nothing goes without one that is whole."""
    _lived_in(place)
    file = tmp_path / "acme.jsonl"
    file.write_bytes(b"the first one")
    with place.open() as store:
        had = fingerprint(store, "acme")
    for path in (file, tmp_path / "no such folder" / "acme.jsonl"):
        code, _, err = _run(capsys, "acme", *place.arguments, "--export", path, "--remove-for-good")

        assert (2, True) == (code, "extlink remove-tenant: --export: " in err)
    assert b"the first one" == file.read_bytes()
    with place.open() as store:
        assert had == fingerprint(store, "acme")


def test_an_export_that_fails_says_what_became_of_the_tenant(
    place: Place, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the tenant is closed already: its ledger is there, and the next run goes on."""
    _lived_in(place)
    file = tmp_path / "acme.jsonl"

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        code, lines, err = _run(capsys, "acme", *place.arguments, "--export", file, "--remove-for-good")
    assert (2, []) == (code, [*tmp_path.glob("*.jsonl*")])
    assert "no space left on device" in err
    assert "at its end the tenant is closed: if this breaks off, run it again" in lines[-1]
    assert 0 == _run(capsys, "acme", *place.arguments, "--export", file, "--remove-for-good")[0]
    assert 9 < len(file.read_bytes().splitlines())


def test_a_second_export_says_that_it_is_none_of_the_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A removal broke off after its first part: the ledger goes on where the first export has the rest."""
    path, file = tmp_path / "links.db", tmp_path / "acme.jsonl"
    with SQLiteStorage(path) as store:
        clock = FrozenClock()
        tell(hub_over(store, clock=clock), clock)
        store.remove_part(b"acme", tenant_key(TenantId("acme")).key.path, 3)
    code, lines, _ = _run(capsys, "acme", "--sqlite", path, "--export", file, "--remove-for-good")

    assert 0 == code
    assert f"its ledger is in {file}, from entry 4 on; the run before has exported those before it: keep both" in lines


def test_a_closed_tenant_has_nothing_more_to_export() -> None:
    """No operation of all there are writes anything into it, no endpoint either, whoever asks with whatever secret."""
    for name in NAMES:
        store: Any = prepared()
        store.remove_part(b"acme", tenant_key(TenantId("acme")).key.path, 0)
        before = ledger(store)
        run(store, name)
        if not name.startswith(("tenants.", "services.quarantine_everywhere")):
            assert before == ledger(store), name

    assert [] == _written_by_endpoints()


def _written_by_endpoints() -> list[str]:
    """Return the events that the endpoints for clients write into a tenant that is closed."""
    site = Site.make()
    token = site.tokens()["refresh_token"]
    before = len(ledger(site.host.store))
    site.host.store.remove_part(b"acme", tenant_key(TenantId("acme")).key.path, 0)
    for endpoint, form in FORMS.items():
        for secret in (site.secret, "wrong"):
            given = {name: token if value == "x" else value for name, value in form.items()}
            site.post(endpoint, headers=(basic(site.client, secret),), **given)
    return [json.loads(body)["event"] for _, body in ledger(site.host.store)[before:]]


def test_a_twin_that_does_not_ask_whether_it_is_open_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: clients are known in a closed tenant too, and what they do is in no export."""
    shown: list[str] = []
    make = Site.make

    def noted(**given: Any) -> Site:
        site = make(**given)
        shown.append(site.client)
        return site

    monkeypatch.setattr(Site, "make", noted)
    monkeypatch.setattr(client_authentication, "tenant_key", lambda tenant: client_key(tenant, ClientId(shown[0])))
    assert {"client.authentication_failed", "link.revoked"} <= set(_written_by_endpoints())


@pytest.mark.parametrize("guarded", [True, False], ids=["sound", "the broken twin"])
def test_a_note_of_the_last_use_lands_in_no_removed_tenant(guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written beside an answer, and guards the tenant's own record: what was removed meanwhile stays away."""
    store: Any = MemoryStorage()
    host = Host.prepared(store=store)
    tokens = host.connect()
    host.tenant.run(access.check(tokens.access_token, scope=SCOPES[0], address="203.0.113.7"))
    use = last_use_key(TenantId("acme"), tokens.link).key
    store.commit(batch(Write(use, None), entries=()))
    commit = store.commit

    def removed_meanwhile(written: Any) -> Any:
        assert use in {one.key for one in written.writes}
        remove_tenant(store, "acme")
        return commit(written)

    other = host.other_process()
    store.commit = removed_meanwhile
    if not guarded:
        guards = Attempt._guards
        monkeypatch.setattr(Attempt, "_guards", lambda *given: guards(*given)[1:])
    assert other.run(access.check(tokens.access_token, scope=SCOPES[0], address="203.0.113.7"))
    assert guarded is (b"acme" not in store.tenants())


@pytest.mark.parametrize("tenant", ["", "~host"])
def test_only_customers_are_removed(capsys: pytest.CaptureFixture[str], place: Place, tenant: str) -> None:
    """The host's own part never is."""
    _lived_in(place)
    code, lines, err = _run(capsys, tenant, *place.arguments, "--without-export", "--remove-for-good")

    assert (2, [], True) == (code, lines, "tenant" in err)
    with place.open() as store:
        assert b"~host" in store.tenants()


class Busy(MemoryStorage):
    """A store in which somebody decides something just before the tenant is closed, or its file is full."""

    def __init__(self) -> None:
        super().__init__()
        self.before_closing: Any = None

    def remove_part(self, tenant: bytes, first: bytes, limit: int) -> Removed:
        if limit == 0:
            self.before_closing()
        return super().remove_part(tenant, first, limit)


def _busy() -> tuple[Busy, Any]:
    store, clock = Busy(), FrozenClock()
    hub = hub_over(store, clock=clock)
    tell(hub, clock)
    return store, hub.tenant("acme").acting_as("admin-1", roles={"common_administrator"})


def _exported(store: WholeStore) -> list[bytes]:
    return list(command._closing_ledger(store, TenantId("acme")))


def test_what_is_decided_meanwhile_is_in_the_export() -> None:
    """The tenant is closed before the last line; whoever comes later is refused and decides nothing."""
    store, admin = _busy()
    number = len(ledger(store))
    store.before_closing = lambda: admin.run(users.suspend("seen-late"))
    lines = _exported(store)

    assert number + 1 == len(lines) == len(ledger(store))
    assert b"seen-late" in lines[-1]
    with pytest.raises(Refused, match=r"tenant\.not_open"):
        admin.run(users.suspend("too-late"))


def test_a_twin_that_does_not_close_loses_a_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the export ends, and the tenant goes on."""
    store, admin = _busy()
    monkeypatch.setattr(Busy, "remove_part", lambda *_: Removed(0, 0))
    lines = _exported(store)
    admin.run(users.suspend("lost"))

    assert len(lines) < len(ledger(store))


def test_an_export_that_breaks_off_leaves_no_file_and_every_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tenant is closed then, and stays so; the next run exports all of it."""
    place = KINDS["sqlite"](tmp_path)
    entries = _lived_in(place)
    file = tmp_path / "acme.jsonl"

    def failing(tenant: bytes, after: Any, limit: int) -> Entries:
        if after >= len(entries):
            raise Unavailable("the store is away")
        return Entries(tenant, after, limit)

    monkeypatch.setattr(command, "Entries", failing)
    assert 2 == _run(capsys, "acme", *place.arguments, "--export", file, "--remove-for-good")[0]
    monkeypatch.undo()
    assert [] == [one.name for one in tmp_path.iterdir() if "acme" in one.name]
    assert 0 == _run(capsys, "acme", *place.arguments, "--export", file, "--remove-for-good")[0]
    assert len(entries) == len(file.read_bytes().splitlines())
