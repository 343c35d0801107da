"""`extlink end-links`: after a restore nothing of before is good any more, in any tenant, whatever else is damaged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from extlink import access, catalog, grants, ledger, links, services
from extlink.adapters.sqlite import SQLiteStorage
from extlink.adapters.system import SystemClock
from extlink.cli import main
from extlink.cli.stores import Keyless
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.identifier import TenantId
from extlink.domain.token_ledger import TokenSet
from extlink.errors import ExtlinkError
from extlink.ledger_entries import NO_CHANGES
from extlink.ports import Storage, Write
from extlink.records import tenant_key
from extlink.runtime import ExtLink, Tenant
from extlink.testing.probes import at, batch
from tests.cli.stores import Place
from tests.fakes import FrozenClock
from tests.hosts import CHALLENGE, CLIENT, REDIRECT, SCOPES, SERVICE, VERIFIER, another_hub, codes, people

TENANTS = ("acme", "globex", "initech")
USERS = ("sato", "suzuki", "tanaka")


def _connect(tenant: Tenant, user: str) -> TokenSet:
    """Let a user connect: consent, code, tokens."""
    person = tenant.acting_as(user)
    begun = links.begin(
        SERVICE,
        client=CLIENT,
        redirect_uri=REDIRECT,
        scopes=SCOPES,
        code_challenge=CHALLENGE,
        network="not_applicable",
    )
    consent = person.run(begun)
    assert isinstance(consent, Consent)
    accepted = person.run(links.accept(consent, network="not_applicable"))
    assert isinstance(accepted, Acceptance)
    redeemed = tenant.run(links.redeem(accepted.code, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER))
    assert isinstance(redeemed, TokenSet)
    return redeemed


# The command has the machine's own clock: nothing shall end because time went by.
STARTED = SystemClock().now()


def _hub(store: Storage) -> ExtLink:
    return another_hub(store, people(), FrozenClock(STARTED))


def _make(hub: ExtLink, name: str) -> Tenant:
    """Open a tenant in which everybody may connect Power Automate."""
    tenant = hub.open_tenant(name, edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin-1", roles={"common_administrator"})
    admin.run(services.register(catalog.POWER_AUTOMATE))
    admin.run(services.enable(SERVICE))
    admin.run(grants.allow(SERVICE, users=["tanaka"], organizations=["sales"], scope="subtree"))
    return tenant


def _refreshed(tenant: Tenant, tokens: TokenSet) -> TokenSet | None:
    """Return the tokens that follow, or None where the lineage has ended."""
    try:
        found = tenant.run(links.refresh(tokens.refresh_token, client=CLIENT))
    except ExtlinkError:
        return None
    return found if isinstance(found, TokenSet) else None


@attrs.frozen
class Story:
    """What clients hold after a restore, by tenant.

    Args:
        forked: the tokens that were refreshed since the backup, and those that followed.
        revoked: those of a link that was revoked since.
        untouched: those of a link of which nothing happened.
    """

    forked: tuple[TokenSet, TokenSet]
    revoked: TokenSet
    untouched: TokenSet


def _restored(place: Place) -> dict[str, Story]:
    """Connect people in every tenant, back up, refresh and revoke, and put the backup in the place of the store."""
    with place.open() as store:
        hub = _hub(store)
        before = {name: [_connect(_make(hub, name), user) for user in USERS] for name in TENANTS}
        place.back_up()
        found = {}
        for name, (one, other, third) in before.items():
            tenant = hub.tenant(name)
            newer = _refreshed(tenant, one)
            assert newer is not None
            tenant.acting_as("suzuki").run(links.revoke(other.link))
            found[name] = Story((one, newer), other, third)
    place.restore()
    return found


def _live(store: Storage, stories: dict[str, Story]) -> list[tuple[str, str]]:
    """Return which of the tokens of before are still good for anything, by tenant and kind."""
    hub, found = _hub(store), []
    for name, story in stories.items():
        tenant = hub.tenant(name)
        held = {"old": story.forked[0], "new": story.forked[1], "revoked": story.revoked, "untouched": story.untouched}
        for kind, tokens in held.items():
            checked = tenant.run(access.check(tokens.access_token, scope=SCOPES[0], address="203.0.113.7"))
            assert not {"token.expired", "link.expired"} & set(codes(checked))
            if checked or _refreshed(tenant, tokens) is not None:
                found.append((name, kind))
    return found


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    code = main(["end-links", *arguments])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err


def _last(tenant: Tenant) -> ledger.Entry:
    admin = tenant.acting_as("admin-1", roles={"common_administrator"})
    *_, entry = [one for one in admin.run(ledger.entries(limit=500)).entries if one.event not in NO_CHANGES]
    return entry


def test_after_it_nothing_of_before_is_good(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Both ends of what would have forked, what was revoked since, and all else; users connect again. Keys are as new.

    The command knows no key: the store says of its keys what it said before.
    """
    stories = _restored(place)
    code, lines, err = _run(capsys, *place.arguments, "--all", "--cause", "the backup of 1 June")

    assert (0, "") == (code, err)
    assert [f"{name}: every link has ended" for name in TENANTS] == lines[:-1]
    assert "tenants: 3; every link has ended in 3, failed in 0" == lines[-1]
    with place.open() as store:
        assert [] == _live(store, stories)
        hub = _hub(store)
        for name in TENANTS:
            entry = _last(hub.tenant(name))
            assert ("tenant.links_ended", "operations") == (entry.event, entry.user)
            assert {"cause": "the backup of 1 June", "epoch": 1} == entry.details
            assert _refreshed(hub.tenant(name), _connect(hub.tenant(name), "sato")) is not None
        kept = hub.host().run(ledger.entries()).entries
        assert ["keys.registered"] == [one.event for one in kept]


def test_without_it_the_restored_store_lets_them_in(place: Place) -> None:
    """The broken twin: what was revoked is live, and a link goes on in two lines."""
    stories = _restored(place)
    with place.open() as store:
        live = _live(store, stories)

    assert {(name, kind) for name in TENANTS for kind in ("old", "revoked", "untouched")} <= set(live)


def test_some_tenants_are_named(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Each once, by whoever does it; the others stay as they are."""
    stories = _restored(place)
    code, lines, _ = _run(capsys, *place.arguments, "--cause", "a leak", "--as", "kato", "globex", "globex")

    assert (0, ["globex: every link has ended", "tenants: 1; every link has ended in 1, failed in 0"]) == (code, lines)
    with place.open() as store:
        assert "globex" not in {name for name, _ in _live(store, stories)}
        assert {"acme", "initech"} == {name for name, _ in _live(store, stories)}
        assert "kato" == _last(_hub(store).tenant("globex")).user


def _damaged(store: Storage) -> None:
    store.commit(batch(Write(tenant_key(TenantId("globex")).key, b"{"), tenant=b"globex", entries=()))
    store.commit(batch(Write(at(b"l", b"half"), b"left of a removal"), tenant=b"half", entries=()))
    store.commit(batch(Write(at(b"t", b"\xff"), b"x"), tenant=b"\xff", entries=()))


def test_one_damaged_tenant_keeps_nobody_from_the_rest(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named with the reason, and the exit code says so."""
    stories = _restored(place)
    with place.open() as store:
        _damaged(store)
    code, lines, err = _run(capsys, *place.arguments, "--all", "--cause", "the backup of 1 June")

    assert (3, "") == (code, err)
    assert "tenants: 5; every link has ended in 2, failed in 3" in lines
    assert "globex: failed" in lines
    for line, why in zip(
        lines[-3:], ("globex: a record of kind", "half: tenant.not_open", "\\udcff: tenant"), strict=True
    ):
        assert line.startswith(f"failed in {why}")
    with place.open() as store:
        rest = {name: story for name, story in stories.items() if name != "globex"}
        assert [] == _live(store, rest)


def test_it_says_how_far_it_came(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """Killed, or with the store away: who is done was told by then, and the next run does all."""
    path = tmp_path / "links.db"
    with SQLiteStorage(path) as store:
        for name in TENANTS:
            _make(_hub(store), name)
    commit, left = SQLiteStorage.commit, [1]

    def dying(self: SQLiteStorage, written: Any) -> Any:
        if not left[0]:
            raise OSError("the disk is gone")
        left[0] -= 1
        return commit(self, written)

    monkeypatch.setattr(SQLiteStorage, "commit", dying)
    code, lines, err = _run(capsys, "--sqlite", str(path), "--all", "--cause", "x")
    assert (2, ["acme: every link has ended"]) == (code, lines)
    assert "the store lost the answer" in err
    left[0] = 100
    assert 0 == _run(capsys, "--sqlite", str(path), "--all", "--cause", "x")[0]
    with SQLiteStorage(path) as store:
        epochs = [_last(_hub(store).tenant(name)).details["epoch"] for name in TENANTS]
    assert [2, 1, 1] == epochs


def test_it_goes_on_when_nobody_listens_any_more(tmp_path: Path) -> None:
    """As behind `| head`: every tenant is done, and the exit code is that of what was done."""
    path = tmp_path / "links.db"
    names = [f"tenant-{number}" for number in range(20)]
    with SQLiteStorage(path) as store:
        for name in names:
            _make(_hub(store), name)
    command = [sys.executable, "-m", "extlink", "end-links", "--all", "--sqlite", str(path), "--cause", "x"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
    with SQLiteStorage(path) as store:
        ended = [_last(_hub(store).tenant(name)).event for name in names]

    assert (0, b"") == (process.returncode, told)
    assert ["tenant.links_ended"] * 20 == ended


def test_interrupted_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Ctrl-C: no traceback, and the exit code of a shell."""
    path = tmp_path / "links.db"
    with SQLiteStorage(path) as store:
        _make(_hub(store), "acme")

    def interrupted(*_arguments: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(SQLiteStorage, "commit", interrupted)
    code, lines, err = _run(capsys, "acme", "--sqlite", str(path), "--cause", "x")
    assert (130, [], "extlink end-links: interrupted; what was done is done, run it again\n") == (code, lines, err)


def test_an_empty_store_is_hardly_the_one(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody shall go on because there was nothing to do."""
    with place.open():
        pass
    statement = "tenants: 0; every link has ended in 0, failed in 0"

    assert (3, [statement], "") == _run(capsys, *place.arguments, "--all", "--cause", "x")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("--all", "--cause", "x" * 256), "cause"),
        (("--all", "--cause", " "), "cause"),
        (("--all", "--cause", "x", "--as", ""), "user"),
        (("--cause", "x", ""), "tenant"),
        (("--cause", "x"), "tenant"),
        (("--cause", "x", "--all", "acme"), "tenant"),
        (("--cause", "x", "acme", "~host"), "tenant"),
    ],
)
def test_what_is_malformed_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], field: str
) -> None:
    """Not even in the first tenant."""
    path = tmp_path / "links.db"
    with SQLiteStorage(path) as store:
        _make(_hub(store), "acme")
        code, lines, err = _run(capsys, "--sqlite", str(path), *arguments)

        assert (2, [], True) == (code, lines, err.startswith(f"extlink end-links: {field}: "))
        assert "tenant.links_ended" != _last(_hub(store).tenant("acme")).event


def test_the_hub_of_a_command_knows_no_keys_and_no_people(tmp_path: Path) -> None:
    """Whatever needs them fails loudly and changes nothing, also where it would only have said no."""
    with SQLiteStorage(tmp_path / "links.db") as store:
        tokens = _connect(_make(_hub(store), "acme"), "sato")
        before = store.list, _last(_hub(store).tenant("acme")).number
        tenant = Keyless(store).tenant("acme")
        with pytest.raises(ExtlinkError, match="needs the host's keys in tenant 'acme'"):
            tenant.run(links.refresh(tokens.refresh_token, client=CLIENT))
        with pytest.raises(ExtlinkError, match=r"asks the host's directory \(member\)"):
            admin = tenant.acting_as("admin-1", roles={"common_administrator"})
            admin.run(access.explain(SERVICE, user="sato", network="not_applicable"))

        assert before[1] == _last(_hub(store).tenant("acme")).number
        assert _refreshed(_hub(store).tenant("acme"), tokens) is not None
