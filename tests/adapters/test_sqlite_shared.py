"""One SQLite file that several processes share: what one of them did is what the others answer by, at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from extlink import access, links, services
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.secret import Secret
from extlink.ports import Entries
from extlink.runtime import ExtLink
from extlink.testing.probes import ACME, pages
from tests.adapters.processes import Process, running
from tests.schedules.world import ADDRESS, SCOPE, SERVICE, connected, prepared

pytestmark = pytest.mark.slow

PROCESSES = 8

_running = partial(running, "sqlite_programs")


def test_one_refresh_token_has_one_successor(tmp_path: Path, deep: bool) -> None:
    """P12: 64 contenders, in eight processes, get the same answer in every round, and one lineage lives on."""
    rounds = 1_000 if deep else 100
    file = tmp_path / "links.db"
    with ExitStack() as stack, SQLiteStorage(file, timeout=60) as store:
        _, tenant, _ = prepared(store)
        token = connected(tenant).refresh_token.reveal()
        processes = [stack.enter_context(_running("refresh", file)) for _ in range(PROCESSES)]
        assert ["ready"] * PROCESSES == [process.hear() for process in processes]
        for _ in range(rounds):
            for process in processes:
                process.tell(token)
            given = [one for process in processes for one in process.hear().split(" ")]
            assert 64 == len(given)
            assert {given[0]} == set(given)
            assert token != given[0]
            token = given[0]
        (link,) = tenant.acting_as("sato").run(links.of("sato"))

        assert "in_use" == str(link.state)
        refreshed = [item for item in pages(store, Entries(ACME, limit=1_000)) if b'"token.refreshed"' in item.value]  # type: ignore[operator]
        assert rounds == len(refreshed)


Revocation = Callable[[ExtLink, str], object]
ENDS: dict[str, Revocation] = {
    "revoke": lambda hub, link: hub.tenant("acme").acting_as("sato").run(links.revoke(link)),
    "disable": lambda hub, _: (
        hub.tenant("acme").acting_as("admin", roles={"common_administrator"}).run(services.disable(SERVICE))
    ),
    "quarantine": lambda hub, _: hub.host().run(services.quarantine_everywhere(SERVICE, "leak")),
}


def _heard(store: SQLiteStorage, other: Process, end: Revocation) -> list[bool]:
    """End a link ten times, and return what another process said of its token just before and just after."""
    hub, tenant, admin = prepared(store)
    assert "ready" == other.hear()
    said: list[bool] = []
    for _ in range(10):
        tokens = connected(tenant)
        token = tokens.access_token.reveal()
        # Twice: from then on everything that the check rests on is remembered there.
        said += [other.ask(token) == other.ask(token) == "True"]
        end(hub, tokens.link)
        said += [other.ask(token) == "True"]
        assert not tenant.run(access.check(Secret(token), scope=SCOPE, address=ADDRESS))
        hub.host().run(services.release_everywhere(SERVICE))
        admin.run(services.enable(SERVICE))
    return said


@pytest.mark.parametrize("end", ENDS)
def test_what_one_process_ended_another_refuses(tmp_path: Path, end: str) -> None:
    """P8: a revoke in one process is refused by the other at its very next check, again and again."""
    file = tmp_path / "links.db"
    with SQLiteStorage(file) as store, _running("check", file) as other:
        assert [True, False] * 10 == _heard(store, other, ENDS[end])


def test_a_connection_that_hears_of_no_change_is_found(tmp_path: Path) -> None:
    """The twin: a process whose connections take what they once saw for what is there goes on letting it in."""
    file = tmp_path / "links.db"
    with SQLiteStorage(file) as store, _running("check_deaf", file) as other:
        assert [True, False] * 10 != _heard(store, other, ENDS["revoke"])
