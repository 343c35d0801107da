"""Law 9: revocation is final under every interleaving (PROMISES P8 to P11)."""

from __future__ import annotations

import pytest

from extlink import access, grants, links, services, users
from extlink.adapters.memory import MemoryStorage
from extlink.domain import link as link_rules
from extlink.domain.decision import Decision, Note, Refusal
from extlink.domain.link import LinkEvent, LinkState
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Refused
from extlink.operation import Operation
from tests.schedules.cast import worker
from tests.schedules.scheduler import Exploration, Run, copied, exploration, unguarded
from tests.schedules.world import ADDRESS, SCOPE, SERVICE, TENANT, client_of, hub_over, service, world

ONE_LINK = ("revoke", "revoke by administrator")
EVERY_LINK = (
    "revoke all of user",
    "revoke all of service",
    "revoke pair",
    "quarantine",
    "quarantine everywhere",
    "disable and revoke",
    "suspend user",
    "delete user",
    "withdraw",
    "exclude",
    "restrict and revoke",
    "pin and revoke",
    "set policy and revoke",
    "redefine and revoke",
)
# Everything that lets somebody in again.
REVIVALS: tuple[Operation[object], ...] = (
    services.release(SERVICE),
    services.enable(SERVICE),
    services.register(service()),
    users.resume("sato"),
    grants.include(SERVICE, users=["sato"]),
    grants.allow(SERVICE, users=["sato"]),
    grants.allow(SERVICE, organizations=["sales"], scope="subtree"),
    links.resume(world().link),
)


class NotFinal(AssertionError):
    """A token worked after its link had ended."""


def _works(storage: MemoryStorage, tokens: TokenSet, kind: str) -> bool:
    """Whether either token of a set opens anything."""
    tenant = hub_over(storage, seed=9).tenant(TENANT)
    checked = tenant.run(access.check(tokens.access_token, scope=SCOPE, address=ADDRESS))
    refreshed = tenant.run(links.refresh(tokens.refresh_token, client=client_of(kind)))
    return checked.allowed or not isinstance(refreshed, Refusal)


def _revive(storage: MemoryStorage) -> None:
    hub = hub_over(storage, seed=8)
    hub.host().run(services.release_everywhere(SERVICE))
    admin = hub.tenant(TENANT).acting_as("admin", roles={"common_administrator"})
    for operation in REVIVALS:
        try:
            admin.run(operation)
        except Refused:
            continue


def require_final(run: Run, kind: str = "confidential") -> None:
    """Require that the first operation of a run ended the link for good, whatever the others did meanwhile.

    Raises:
        NotFinal: a check that began afterwards was allowed, or a token that anybody holds works, now or after all that
            lets somebody in again.
    """
    for number, outcome in enumerate(run.outcomes):
        if isinstance(outcome.result, Decision) and outcome.result.allowed and (0, number) in run.before:
            raise NotFinal(f"{run.schedule}: allowed after the end")
    held = [world(kind).tokens, *[one.result for one in run.outcomes if isinstance(one.result, TokenSet)]]
    left = copied(run.storage)
    for revived in (False, True):
        if revived:
            _revive(left)
        for tokens in held:
            # On a copy: showing a token may end something, and the next one is to be asked on its own.
            if _works(copied(left), tokens, kind):
                raise NotFinal(f"{run.schedule}: works, {revived=}")


def require_all_final(exploration: Exploration) -> None:
    """Require it of every run."""
    for run in exploration.runs():
        require_final(run)


def _ending(*names: str, kind: str = "confidential", reduce: bool = False) -> Exploration:
    workers = tuple(worker(name, kind) for name in names)
    return exploration(workers=workers, storage=world(kind).storage, reduce=reduce)


@pytest.mark.parametrize("ending", [*ONE_LINK, *EVERY_LINK])
@pytest.mark.parametrize("other", ["check", "refresh"])
def test_revocation_is_final(ending: str, other: str) -> None:
    """However an end and a use of a link interleave: after both, no token works and nothing makes one work again."""
    require_all_final(_ending(ending, other))


@pytest.mark.parametrize("ending", EVERY_LINK)
def test_an_end_of_all_ends_what_is_being_made(ending: str) -> None:
    """A code that is redeemed while all links end gives no token that outlives them."""
    require_all_final(_ending(ending, "redeem", reduce=True))


@pytest.mark.parametrize("ending", ["withdraw", "exclude", "redefine and revoke"])
def test_a_walk_over_links_revives_none(ending: str) -> None:
    """However an end and the walk that follows it interleave."""
    require_all_final(_ending(ending, "reconcile", reduce=True))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_revocation_wins_over_two_refreshes(kind: str) -> None:
    """So it is with two clients that refresh the same token meanwhile."""
    for run in _ending("revoke", "refresh", "refresh", kind=kind, reduce=True).runs():
        require_final(run, kind)


def test_a_link_that_a_store_unguarded_revives_is_caught() -> None:
    """The broken twin: the refresh writes the link back as it had read it."""
    with pytest.raises(NotFinal):
        require_all_final(unguarded(_ending("revoke", "refresh")))


def test_an_evaluator_that_forgets_epochs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: a link is taken for live by its state alone, so what one record ended comes back."""

    def nothing(*args: object) -> list[Note]:
        return []

    monkeypatch.setattr("extlink.domain.access._ended_notes", nothing)

    with pytest.raises(NotFinal, match="revived=True"):
        require_all_final(_ending("quarantine", "check"))


def test_a_table_that_leads_out_of_revoked_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: an administrator may resume what was revoked."""
    twin = {**link_rules.TRANSITIONS, LinkState.REVOKED: {LinkEvent.RESUME: LinkState.LIVE}}
    monkeypatch.setattr(link_rules, "TRANSITIONS", twin)

    with pytest.raises(NotFinal, match="revived=True"):
        require_all_final(_ending("revoke", "check"))
