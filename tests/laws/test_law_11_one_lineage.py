"""Law 11: a user has at most one live lineage of tokens per service and client."""

from __future__ import annotations

from collections import Counter

import attrs
import pytest
from hypothesis import given as examples, strategies as st

from extlink import access, links
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client import Client
from extlink.domain.link import Link, LinkState
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Refused
from extlink.operation import Commit
from extlink.ports import Records, prefix
from extlink.records import LINK
from tests.schedules.scheduler import Exploration, Worker, copied, exploration, unguarded
from tests.schedules.world import (
    CLIENT,
    REDIRECT,
    SCOPE,
    TENANT,
    VERIFIER,
    accepted,
    hub_over,
    prepared,
    world,
)


class TooMany(AssertionError):
    """Two links of one user, service and client carry tokens at the same time."""


def require_one_lineage(storage: MemoryStorage) -> None:
    """Require that no user, service and client have two links that carry tokens."""
    page = storage.list(Records(TENANT.encode(), prefix("l"), limit=1_000))
    found: list[Link] = [LINK.decode(one.value)[0] for one in page.items if one.value is not None]
    carrying = Counter(
        (link.owner, link.service, link.client) for link in found if link.state in {LinkState.LIVE, LinkState.SUSPENDED}
    )
    if carrying and max(carrying.values()) > 1:
        raise TooMany(str(carrying))


def _two_codes() -> Exploration:
    """Two more codes of one user, service and client, redeemed at once while a third link is live."""
    storage = copied(world().storage)
    tenant = hub_over(storage, seed=1).tenant(TENANT)
    codes = [world().code.code, accepted(tenant).code]
    workers = tuple(
        Worker(links.redeem(code, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER)) for code in codes
    )
    return exploration(workers=tuple(attrs.evolve(one, user="sato") for one in workers), storage=storage)


def test_two_codes_redeemed_at_once() -> None:
    """In every interleaving the link that is made last takes the place of the other and of the one there was."""
    _each(_two_codes())


def _each(exploration: Exploration) -> None:
    for run in exploration.runs():
        require_one_lineage(copied(run.storage))

        assert all(isinstance(outcome.result, TokenSet) for outcome in run.outcomes)


def test_a_store_unguarded_is_caught() -> None:
    """The broken twin: each redemption overlooks the other."""
    with pytest.raises(TooMany):
        _each(unguarded(_two_codes()))


steps = st.lists(
    st.tuples(
        st.sampled_from(["accept", "redeem", "revoke", "suspend", "resume", "check"]),
        st.sampled_from(["sato", "suzuki"]),
        st.sampled_from(["flow-client", "other-client"]),
        st.integers(0, 3),
    ),
    max_size=25,
)


def _walk(path: list[tuple[str, str, str, int]]) -> None:
    storage = MemoryStorage()
    _, tenant, admin = prepared(storage)
    codes: list[tuple[str, Client]] = []
    held: list[TokenSet] = []
    for what, user, name, number in path:
        client = Client(name)
        link = held[number % len(held)].link if held else "none"
        try:
            if what == "accept":
                codes.append((accepted(tenant, user, client).code.reveal(), client))
            elif what == "redeem" and codes:
                code, client = codes[number % len(codes)]
                redeemed = tenant.run(links.redeem(code, client=client, redirect_uri=REDIRECT, code_verifier=VERIFIER))
                held += [redeemed] if isinstance(redeemed, TokenSet) else []
            elif what == "check" and held:
                tenant.run(access.check(held[number % len(held)].access_token, scope=SCOPE))
            elif what in {"revoke", "suspend", "resume"}:
                admin.run({"revoke": links.revoke, "suspend": links.suspend, "resume": links.resume}[what](link))
        except Refused:
            pass
        require_one_lineage(storage)


@examples(steps)
def test_one_lineage_whatever_is_done(path: list[tuple[str, str, str, int]]) -> None:
    """Accepting, redeeming, pausing and ending in any order leaves one link with tokens per user and client."""
    _walk(path)


def test_a_redemption_that_leaves_the_old_link_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: connecting again gives a second link beside the first."""

    def only_the_new_one(call: object, commit: Commit[object], *others: object) -> Commit[object]:
        return commit

    monkeypatch.setattr("extlink.link_tokens._superseding", only_the_new_one)
    twice = [("accept", "sato", "flow-client", 0), ("redeem", "sato", "flow-client", 0)]

    with pytest.raises(TooMany):
        _walk([*twice, ("accept", "sato", "flow-client", 1), ("redeem", "sato", "flow-client", 1)])
