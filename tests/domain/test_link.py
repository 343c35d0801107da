"""A link's life: every row of the transition table, every cell that is not in it."""

from __future__ import annotations

from itertools import product

import attrs
import pytest

from extlink.domain.identifier import ClientId, LinkId, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import TRANSITIONS, Code, Lifetimes, Link, LinkEvent, LinkState, move
from extlink.domain.tenant import Epochs
from extlink.errors import Misconfigured

# The table once more, by hand: state, event, the state after it.
ROWS = {
    (LinkState.CONSENTED, LinkEvent.REDEEM): LinkState.LIVE,
    (LinkState.CONSENTED, LinkEvent.REVOKE): LinkState.REVOKED,
    (LinkState.LIVE, LinkEvent.REFRESH): LinkState.LIVE,
    (LinkState.LIVE, LinkEvent.SUSPEND): LinkState.SUSPENDED,
    (LinkState.LIVE, LinkEvent.REVOKE): LinkState.REVOKED,
    (LinkState.SUSPENDED, LinkEvent.SUSPEND): LinkState.SUSPENDED,
    (LinkState.SUSPENDED, LinkEvent.RESUME): LinkState.LIVE,
    (LinkState.SUSPENDED, LinkEvent.REVOKE): LinkState.REVOKED,
    (LinkState.REVOKED, LinkEvent.REVOKE): LinkState.REVOKED,
}
EVERY_CELL = list(product(LinkState, LinkEvent))
AT = Instant(1_591_660_800)


def link_in(state: LinkState) -> Link:
    """Return a link in a state."""
    return Link(
        id=LinkId("A" * 22),
        owner=UserId("sato"),
        service=ServiceId("slack"),
        client=ClientId("c1"),
        public=False,
        state=state,
        epochs=Epochs(),
        grants_at=0,
        scopes=frozenset(),
        resource=None,
        accepted_at=AT,
        expires=Instant(AT + 1_000),
        code=Code(digest=b"", expires=AT, redirect_uri="https://client.example/cb", challenge=None),
    )


@pytest.mark.parametrize(("state", "event"), EVERY_CELL)
def test_every_cell_of_the_table(state: LinkState, event: LinkEvent) -> None:
    """A state and an event lead where the table says, and nowhere where it says nothing."""
    assert ROWS.get((state, event)) == move(state, event)


@pytest.mark.parametrize(("state", "event"), EVERY_CELL)
def test_a_link_moves_as_the_table_says(state: LinkState, event: LinkEvent) -> None:
    """Only the state changes, and who ended or paused it, and when; what the table does not list is impossible."""
    before = link_in(state)
    target = ROWS.get((state, event))

    after = before.moved(event, "user", AT)

    if target is None:
        assert after is None
    elif target is state:
        assert before is after
    else:
        is_over = target in {LinkState.SUSPENDED, LinkState.REVOKED}
        expected = attrs.evolve(
            before, state=target, ended_by="user" if is_over else "", ended_at=AT if is_over else None
        )
        assert expected == after


def test_nothing_leads_out_of_revoked() -> None:
    """From a revoked link every path stays there, however long."""
    reached = {LinkState.REVOKED}
    for state, event in EVERY_CELL:
        after = move(state, event)
        if state in reached and after is not None:
            reached.add(after)

    assert {LinkState.REVOKED} == reached


def test_every_state_can_be_reached_and_revoked() -> None:
    """No state of the table is dead text, and from each there is a way to end the link at once."""
    reached = {LinkState.CONSENTED} | {target for row in TRANSITIONS.values() for target in row.values()}

    assert set(LinkState) == reached == set(TRANSITIONS)
    assert all(move(state, LinkEvent.REVOKE) is LinkState.REVOKED for state in LinkState)


def test_the_table_cannot_be_changed() -> None:
    """It is one table for the whole process."""
    with pytest.raises(TypeError):
        TRANSITIONS[LinkState.REVOKED][LinkEvent.RESUME] = LinkState.LIVE  # type: ignore[index]
    with pytest.raises(TypeError):
        TRANSITIONS[LinkState.REVOKED] = {}  # type: ignore[index]


BOUNDS = {
    "consent": (1, 3_600),
    "code": (1, 60),
    "access": (1, 86_400),
    "refresh_idle": (1, 3_650 * 86_400),
    "refresh_absolute": (1, 3_650 * 86_400),
    "retry_confirmed": (0, 30),
    "retry_public": (0, 600),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_life_may_be_as_long_as_is_stated(name: str) -> None:
    """Both bounds of every lifetime are within it."""
    for seconds in BOUNDS[name]:
        assert seconds == getattr(Lifetimes(**{name: seconds}), name)


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("value", ["below", "above", True, 1.5, "60", None])
def test_a_life_may_not_be_longer(name: str, value: object) -> None:
    """A code that lives for an hour (ASVS 10.4.3: a minute), or a life that is no whole number, starts nothing."""
    least, most = BOUNDS[name]
    wrong = {"below": least - 1, "above": most + 1}.get(str(value), value)

    with pytest.raises(Misconfigured, match=name):
        Lifetimes(**{name: wrong})  # type: ignore[arg-type]


def test_the_defaults_are_within_their_bounds() -> None:
    """Every lifetime has a bound, and what holds without a word keeps it."""
    defaults = attrs.asdict(Lifetimes())

    assert set(BOUNDS) == set(defaults)
    assert all(least <= defaults[name] <= most for name, (least, most) in BOUNDS.items())
