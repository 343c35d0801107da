"""Law 10: one code, one redemption; one refresh token, one successor (DESIGN 6, PROMISES P12)."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest
from hypothesis import given as examples, strategies as st

from extlink import access, links
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client import Client
from extlink.domain.decision import Refusal
from extlink.domain.identifier import Scope, TenantId
from extlink.domain.instant import Instant
from extlink.domain.link import Link
from extlink.domain.secret import Secret
from extlink.domain.token import Presented
from extlink.domain.token_ledger import Failed, Issued, TokenLedger, TokenSet
from extlink.runtime import AsyncExtLink, ExtLink, Tenant
from tests.fakes import FrozenClock
from tests.schedules.cast import worker
from tests.schedules.scheduler import Exploration, Run, copied, exploration, unguarded
from tests.schedules.world import (
    SCOPE,
    SCOPES,
    TENANT,
    client_of,
    connected,
    hub_over,
    prepared,
    world,
)


class NotOne(AssertionError):
    """A code gave tokens twice, or a refresh token had two successors."""


def _exploration(*names: str, kind: str = "confidential") -> Exploration:
    workers = tuple(worker(name, kind) for name in names)
    return exploration(workers=workers, storage=world(kind).storage, reduce=len(names) > 2)


def _each(exploration: Exploration, require: Callable[[Run], None]) -> None:
    for run in exploration.runs():
        require(run)


def require_one_redemption(run: Run) -> None:
    """Require that one of several valid redemptions of a code won, and that its tokens have ended with the next."""
    won = [outcome.result for outcome in run.outcomes if isinstance(outcome.result, TokenSet)]
    if len(won) != 1:
        raise NotOne(f"{run.schedule}: {len(won)} redemptions won")
    checked = hub_over(run.storage, seed=9).tenant(TENANT).run(access.check(won[0].access_token, scope=SCOPE))
    if checked.allowed:
        raise NotOne(f"{run.schedule}: the tokens of a code that was used twice still work")


def require_one_successor(run: Run, kind: str = "confidential") -> None:
    """Require that whoever refreshed a token got the same answer, and that no other token came out of it."""
    answers = [outcome.result for outcome in run.outcomes if isinstance(outcome.result, TokenSet)]
    if not answers or any(answer != answers[0] for answer in answers):
        raise NotOne(f"{run.schedule}: answers differ")
    again = hub_over(copied(run.storage), seed=9).tenant(TENANT)
    if again.run(links.refresh(world(kind).tokens.refresh_token, client=client_of(kind))) != answers[0]:
        raise NotOne(f"{run.schedule}: a later retry gave other tokens")


@pytest.mark.parametrize("kind", ["confidential", "public"])
@pytest.mark.parametrize("contenders", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_one_code_one_redemption(kind: str, contenders: int) -> None:
    """However redemptions of one code interleave, one wins, and the next valid one ends what it won (ASVS 10.4.2)."""
    for run in _exploration(*["redeem"] * contenders, kind=kind).runs():
        require_one_redemption(run)


@pytest.mark.parametrize("kind", ["confidential", "public"])
@pytest.mark.parametrize("contenders", [2, 3])
def test_one_refresh_token_one_successor(kind: str, contenders: int) -> None:
    """However refreshes of one token interleave, all get the same successor and nothing ends."""
    for run in _exploration(*["refresh"] * contenders, kind=kind).runs():
        require_one_successor(run, kind)


def test_a_refresh_beside_one_that_asks_for_less() -> None:
    """Of two refreshes that ask for different scopes one wins, the other is refused and ends nothing."""
    for run in _exploration("refresh", "narrower refresh").runs():
        (won,) = (one.result for one in run.outcomes if isinstance(one.result, TokenSet))
        (lost,) = (one.result for one in run.outcomes if isinstance(one.result, Refusal))
        checked = hub_over(run.storage, seed=9).tenant(TENANT).run(access.check(won.access_token, scope=SCOPE))

        assert ["refresh.other_request"] == [reason.code for reason in lost.reasons]
        assert checked.allowed


def test_a_store_unguarded_is_caught() -> None:
    """The broken twin: both redemptions win."""
    with pytest.raises(NotOne):
        _each(unguarded(_exploration("redeem", "redeem")), require_one_redemption)


class NewSaltAtEachRetry(TokenLedger):
    """The broken rules: a retry is answered with fresh tokens in place of the lost ones."""

    def refresh(
        self,
        link: Link,
        presented: Presented,
        token: Secret,
        *,
        client: Client,
        scopes: frozenset[Scope] | None,
        at: Instant,
        salt: bytes,
    ) -> Issued | Failed:
        given = super().refresh(link, presented, token, client=client, scopes=scopes, at=at, salt=salt)
        if isinstance(given, Failed) or given.event != "token.refresh_repeated":
            return given
        held = attrs.evolve(link.rotation, salt=salt, generation=link.rotation.generation - 1)
        return self._rotate(attrs.evolve(link, rotation=held), token, at, "token.refreshed")


class DrawsAnew(AsyncExtLink):
    """A hub with those rules."""

    def _token_ledger(self, tenant: TenantId) -> TokenLedger:
        return NewSaltAtEachRetry(tenant, self._keys, self._lifetimes)


def test_a_new_salt_at_each_retry_is_caught() -> None:
    """The broken twin: one refresh token has two successors."""
    with pytest.raises(NotOne, match="answers differ"):
        _each(attrs.evolve(_exploration("refresh", "refresh"), hub=DrawsAnew), require_one_successor)


@attrs.frozen
class Shown:
    """One step of a client's life: which of its refresh tokens it shows, what for, and after how long."""

    token: int
    narrower: bool
    later: int


shown = st.builds(
    Shown, token=st.integers(0, 5), narrower=st.booleans(), later=st.sampled_from([0, 1, 29, 30, 599, 600, 86_400])
)


def _walk(tenant: Tenant, clock: FrozenClock, client: Client, steps: list[Shown], first: TokenSet) -> None:
    """Show refresh tokens, old and new, and require that each has at most one successor ever."""
    known, successor = [first.refresh_token.reveal()], dict[str, TokenSet]()
    for step in steps:
        clock.advance(step.later)
        token = known[-1 - step.token % len(known)]
        scopes = SCOPE if step.narrower else None
        answer = tenant.run(links.refresh(token, client=client, scopes=scopes))
        if isinstance(answer, Refusal):
            continue
        tokens = attrs.evolve(answer, expires_in=0)
        if successor.setdefault(token, tokens) != tokens:
            raise NotOne("a refresh token had two successors")
        if tokens.refresh_token.reveal() not in known:
            known.append(tokens.refresh_token.reveal())
    if any(list(successor.values()).count(one) > 1 for one in successor.values()):
        raise NotOne("two refresh tokens had one successor")


def _story(kind: str, hub_kind: type[ExtLink], steps: list[Shown]) -> None:
    clock = FrozenClock()
    storage = MemoryStorage()
    prepared(storage, clock=clock)
    client = client_of(kind)
    first = hub_over(storage, clock=clock, seed=1)
    twin = hub_kind(storage, keys=first._keys, directory=first._directory, clock=clock, entropy=first._entropy)
    tenant = twin.tenant(TENANT)
    _walk(tenant, clock, client, steps, connected(tenant, client=client, scopes=SCOPES))


@examples(kind=st.sampled_from(["confidential", "public"]), steps=st.lists(shown, max_size=12))
def test_one_successor_whatever_is_shown_when(kind: str, steps: list[Shown]) -> None:
    """Any refresh tokens shown in any order, at any distance and for any scopes: each has one successor at most."""
    _story(kind, ExtLink, steps)


class SyncDrawsAnew(ExtLink):
    def _token_ledger(self, tenant: TenantId) -> TokenLedger:
        return NewSaltAtEachRetry(tenant, self._keys, self._lifetimes)


def test_the_walk_catches_a_new_salt_too() -> None:
    """The broken twin once more, without any concurrency: a retry after a lost answer."""
    retry = [Shown(0, narrower=False, later=0), Shown(1, narrower=False, later=0)]

    with pytest.raises(NotOne, match="two successors"):
        _story("confidential", SyncDrawsAnew, retry)
