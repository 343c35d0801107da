"""The rule of refreshing as a model: honest clients live through lost answers and several nodes, a thief is ended.

An honest client refreshes each hour and uses what it got a second later; answers get lost, and two nodes of it may
refresh at once. A thief has a refresh token, and with a confidential client its secret as well. Both broken rules of
the field are here, and fail: strict rotation kills the honest, repeating "until the new refresh token is used" lets a
thief in lock-step live for ever (DESIGN 6).
"""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings, strategies as st

from extlink import access
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client import Client
from extlink.domain.instant import Instant
from extlink.domain.link import Rotation
from extlink.domain.token_ledger import TokenLedger
from extlink.runtime import Tenant
from tests.fakes import FrozenClock
from tests.oauth.attacked import Attacked, attacked, members
from tests.schedules.world import ADDRESS, SCOPE, TENANT, hub_over

HOUR = 3_600
# After a rotation that was confirmed, a confidential client may still ask again for this long (DESIGN 6).
WINDOW = 30


class HonestDied(AssertionError):
    """A client that did nothing wrong was ended."""


class ThiefLives(AssertionError):
    """A thief still holds tokens that work."""


@attrs.frozen
class Hour:
    """One refresh of the honest client: how many answers get lost, how long it waits, and whether a node joins."""

    lost: int = 0
    wait: int = 5
    joined: bool = False


@attrs.define
class Play:
    """A link, its honest client and a clock."""

    party: str
    clock: FrozenClock = attrs.field(factory=FrozenClock)
    target: Attacked = attrs.field(init=False)
    nodes: tuple[Tenant, Tenant] = attrs.field(init=False)
    held: dict[str, Any] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        storage = MemoryStorage()
        self.target = attacked(storage, clock=self.clock)
        one, two = (hub_over(storage, clock=self.clock, seed=seed).tenant(TENANT) for seed in (7, 8))
        self.nodes = one, two
        self.held = self.target.connected(self.party)
        self.use(self.held)

    def exchange(self, token: str, node: int = 0) -> dict[str, Any] | None:
        """Return the next tokens, or None where there are none."""
        answer = self.target.server.serve(self.nodes[node], self.target.refreshing(token, self.party))
        return members(answer) if answer.status == 200 else None

    def use(self, tokens: dict[str, Any]) -> bool:
        """Whether an access token opens the API."""
        question = access.check(tokens["access_token"], scope=SCOPE, address=ADDRESS)
        return bool(self.nodes[0].run(question))

    def honest(self, hour: Hour) -> None:
        """Refresh as an honest client does; every answer but the last gets lost.

        Raises:
            HonestDied: there is no answer, or what it holds does not work.
        """
        token = self.held["refresh_token"]
        got = self.exchange(token)
        for _ in range(hour.lost):
            self.clock.advance(hour.wait)
            got = self.exchange(token)
        if hour.joined:
            other = self.exchange(token, node=1)
            if other is None or got is None or other["refresh_token"] != got["refresh_token"]:
                raise HonestDied("two nodes got different tokens")
        self.clock.advance(1)
        if got is None or not self.use(got):
            raise HonestDied("the tokens of an honest client do not work")
        self.held = got


def live(party: str, hours: list[Hour]) -> None:
    """Let an honest client live for some hours."""
    play = Play(party)
    for hour in hours:
        play.clock.advance(HOUR)
        play.honest(hour)


def steal(party: str, offset: int, *, idle: int = 0, hours: int = 4) -> None:
    """Let a thief copy the refresh token and use it each hour, so long after the honest client's own refresh.

    Args:
        idle: for how many hours the thief only refreshes, and uses nothing.

    Raises:
        ThiefLives: hours later the thief's tokens still work.
    """
    play = Play(party)
    mine: dict[str, Any] | None = dict(play.held)
    for number in range(hours + idle):
        play.clock.advance(HOUR - offset)
        try:
            play.honest(Hour(wait=0))
        except HonestDied:
            break  # the family has ended, and the user is asked to connect again
        play.clock.advance(offset - 1)
        mine = None if mine is None else play.exchange(mine["refresh_token"])
        if mine is not None and number >= idle:
            play.use(mine)
    if mine is not None and (play.use(mine) or play.exchange(mine["refresh_token"]) is not None):
        raise ThiefLives(f"after {hours} hours, {offset} s behind")


hours = st.lists(
    st.builds(Hour, lost=st.integers(0, 3), wait=st.integers(0, 150), joined=st.just(False)), min_size=1, max_size=12
)


@pytest.mark.parametrize("party", ["flow", "browser"])
@given(hours=hours)
@settings(max_examples=25)
def test_lost_answers_kill_nobody(party: str, hours: list[Hour]) -> None:
    """However many answers get lost: whoever asks again gets the identical tokens, and they work."""
    live(party, hours)


def test_a_confidential_client_may_ask_again_much_later() -> None:
    """An answer that nobody used can be asked for again after a week without network, and leads on."""
    play = Play("flow")
    lost = play.exchange(play.held["refresh_token"])
    play.clock.advance(7 * 24 * HOUR)
    again = play.exchange(play.held["refresh_token"])

    assert lost is not None
    assert {**lost, "expires_in": 0} == again
    play.held = lost
    play.honest(Hour())


@given(lost=st.lists(st.integers(0, 2), min_size=1, max_size=8))
@settings(max_examples=25)
def test_two_nodes_of_a_client_share_a_lineage(lost: list[int]) -> None:
    """Two nodes that refresh the same token get the same tokens, and neither ends the other."""
    for party in ("flow", "browser"):
        live(party, [Hour(lost=one, joined=True) for one in lost])


@given(offset=st.integers(WINDOW + 2, HOUR - 1))
@example(offset=WINDOW + 2)
@example(offset=HOUR - 1)
@settings(max_examples=15)
def test_a_thief_is_ended_by_a_confidential_client(offset: int) -> None:
    """A thief with the client's own secret, who refreshes at any distance beyond the window, is ended in hours."""
    steal("flow", offset)


@given(offset=st.integers(2, HOUR - 1))
@example(offset=2)
@settings(max_examples=15)
def test_a_thief_is_ended_by_a_public_client(offset: int) -> None:
    """Of a public client's tokens nothing is repeated once they were used, so even a thief close behind is ended."""
    steal("browser", offset)


@pytest.mark.parametrize("party", ["flow", "browser"])
def test_a_thief_who_waits_is_ended_when_they_begin(party: str) -> None:
    """Who first only refreshes, and for days uses nothing, is ended all the same."""
    steal(party, HOUR // 2, idle=30)


# --- Broken twins ------------------------------------------------------------------------------------------------


class Strict(TokenLedger):
    """The broken rule: a refresh token is good once, whatever became of the answer."""

    def _may_repeat(self, held: Rotation, client: Client, at: Instant) -> bool:
        return False


class UntilUsed(TokenLedger):
    """The broken rule: the answer is repeated until the new refresh token is shown, however much it was used."""

    def _may_repeat(self, held: Rotation, client: Client, at: Instant) -> bool:
        return True


def test_strict_rotation_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: one lost answer, and an honest client is ended."""
    monkeypatch.setattr("extlink.hub.TokenLedger", Strict)

    with pytest.raises(HonestDied):
        live("flow", [Hour(lost=1)])
    with pytest.raises(HonestDied):
        live("flow", [Hour(joined=True)])


@pytest.mark.parametrize("party", ["flow", "browser"])
def test_repeating_until_the_next_refresh_is_caught(monkeypatch: pytest.MonkeyPatch, party: str) -> None:
    """The broken twin: a thief in lock-step with the honest client lives for as long as it does."""
    monkeypatch.setattr("extlink.hub.TokenLedger", UntilUsed)

    with pytest.raises(ThiefLives):
        steal(party, HOUR // 2, hours=48)
