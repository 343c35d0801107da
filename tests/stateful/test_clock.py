"""Clocks that jump: now is never earlier than the newest stamp that was read, so no jump back extends a life (P20).

Covered: whatever was written - to the link, its owner, its service and its grants, the tenant, its restriction or its
data policies - at an instant beyond the end of a token, a code or a consent ends it for good, wherever the clock is.
Order comes from versions and numbers, never from time, so nothing that was revoked returns.

Not covered, and said so in the page on security: time that passes while the clock is behind and nothing is written; and
an end that only a refusal saw, since a check does not read what was noted of refusals.
"""

from __future__ import annotations

import json
from typing import Final

import attrs
import pytest
from hypothesis import given as examples, strategies as st

from extlink import access, datagroups, grants, links, networks, services, users
from extlink.adapters.memory import MemoryStorage
from extlink.attempt import Attempt
from extlink.domain.consent import Acceptance
from extlink.domain.decision import Refusal
from extlink.domain.identifier import LinkId, ServiceId, TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Refused
from extlink.operation import Operation
from extlink.ports import components
from extlink.records import (
    data_groups_key,
    grant_head_key,
    grant_rules_key,
    host_service_key,
    link_key,
    links_of_key,
    marks_key,
    network_key,
    service_key,
    tenant_key,
    user_grant_key,
    user_key,
)
from tests.fakes import FrozenClock
from tests.schedules.world import (
    ADDRESS,
    CLIENT,
    REDIRECT,
    SCOPE,
    SERVICE,
    TENANT,
    VERIFIER,
    asked,
    hub_over,
    prepared,
)
from tests.stateful.views import decoded

ACME, SATO, FLOWS = TenantId(TENANT), UserId("sato"), ServiceId(SERVICE)
YEAR: Final = 365 * 86_400
TOUCHES: Final[tuple[Operation[object], ...]] = (
    networks.add(["198.51.100.0/24"]),
    networks.allow_all(),
    services.set_default("allow"),
    services.set_default("deny"),
    services.disable(SERVICE),
    services.enable(SERVICE),
    users.suspend("sato", existing="suspend"),
    users.resume("sato"),
    grants.allow(SERVICE, users=["tanaka"]),
    grants.allow(SERVICE, users=["sato"]),
    datagroups.require_flow_connectors(required=True),
    datagroups.require_flow_connectors(required=False),
    networks.remove(["198.51.100.0/24"]),
)
jumps = st.sampled_from([0, 1, 59, 60, 600, 3_599, 3_600, 86_400, YEAR, 10 * YEAR]).flatmap(
    lambda seconds: st.sampled_from([seconds, -seconds])
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("jump"), jumps),
        st.tuples(st.just("touch"), st.integers(0, len(TOUCHES) - 1)),
        st.tuples(st.sampled_from(["begin", "accept", "redeem", "refresh", "check", "check", "elsewhere"]), st.just(0)),
    ),
    max_size=25,
)


class LivedLonger(AssertionError):
    """Something was good beyond its end, or a stamp went back."""


@attrs.define
class Mortal:
    """A secret, and the instant at which it ends."""

    secret: Secret
    ends: int
    link: str = ""


class Walk:
    """A user with a link, under a clock that jumps; what ends when is computed here once more, from stamps alone."""

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.storage = MemoryStorage()
        _, self.tenant, self.admin = prepared(self.storage, clock=self.clock)
        self.consent: Mortal | None = None
        self.code: Mortal | None = None
        self.tokens: list[tuple[Mortal, Mortal]] = []
        self.stamps: dict[object, int] = {}

    def now(self, link: str = "", *, indexes: bool = False, marks: bool = False) -> int:
        """Return the instant of an operation that reads what a decision about sato's link rests on."""
        read = {
            tenant_key(ACME).key,
            service_key(ACME, FLOWS).key,
            host_service_key(FLOWS).key,
            grant_rules_key(ACME, FLOWS).key,
            user_grant_key(ACME, FLOWS, SATO).key,
            user_key(ACME, SATO).key,
            network_key(ACME).key,
            data_groups_key(ACME).key,
        }
        if link:
            read.add(link_key(ACME, LinkId(link)).key)
        if marks:
            read.add(marks_key(ACME, LinkId(link)).key)
        if indexes:
            read |= {links_of_key(ACME, SATO, FLOWS).key, grant_head_key(ACME, FLOWS).key}
        found = [at for key, _, _, at in decoded(self.storage, TENANT) if key in read]
        return max(self.clock.now(), *found)

    def take(self, what: str, value: int) -> None:
        """Make one step of a walk."""
        match what:
            case "jump":
                self.clock.advance(value)
            case "touch":
                self._quietly(TOUCHES[value])
            case "elsewhere":
                # Another tenant's time is no business of this one's.
                hub_over(self.storage, clock=self.clock, seed=99).open_tenant(
                    "other", edition="JP", products=["kintone"]
                )
            case _:
                getattr(self, f"_{what}")()
        self._stamps_never_go_back()

    def _quietly(self, operation: Operation[object]) -> None:
        try:
            self.admin.run(operation)
        except Refused:
            return

    def _begin(self) -> None:
        at = self.now()
        try:
            consent = asked(self.tenant)
        except AssertionError:
            return  # a gate refuses now
        self.consent = Mortal(consent.token, at + 600)

    def _accept(self) -> None:
        if self.consent is None:
            return
        at = max(self.now(indexes=True), *(self.now(tokens[0].link) for tokens in self.tokens), 0)
        try:
            acceptance = self.tenant.acting_as("sato", address=ADDRESS).run(links.accept(self.consent.secret))
        except Refused as refused:
            if refused.reason.code == "consent.expired" and at < self.consent.ends:
                raise LivedLonger("a consent ended early") from None
            return
        if isinstance(acceptance, Acceptance):
            if at >= self.consent.ends:
                raise LivedLonger(f"a consent of {self.consent.ends} was good at {at}")
            self.code = Mortal(acceptance.code, at + 60, acceptance.link)

    def _redeem(self) -> None:
        if self.code is None:
            return
        at = max(self.now(self.code.link, indexes=True), *(self.now(one[0].link) for one in self.tokens), 0)
        redemption = links.redeem(self.code.secret, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER)
        redeemed = self.tenant.run(redemption)
        if isinstance(redeemed, TokenSet):
            if at >= self.code.ends:
                raise LivedLonger(f"a code of {self.code.ends} was good at {at}")
            self._hold(redeemed, at)
            self.code = None
        elif "code.expired" in _codes(redeemed) and at < self.code.ends:
            raise LivedLonger("a code ended early")

    def _hold(self, tokens: TokenSet, at: int) -> None:
        access_token = Mortal(tokens.access_token, at + tokens.expires_in, tokens.link)
        self.tokens.append((access_token, Mortal(tokens.refresh_token, at + 180 * 86_400, tokens.link)))

    def _refresh(self) -> None:
        if not self.tokens:
            return
        token = self.tokens[-1][1]
        at = self.now(token.link)
        refreshed = self.tenant.run(links.refresh(token.secret, client=CLIENT))
        if isinstance(refreshed, TokenSet):
            if at >= token.ends:
                raise LivedLonger(f"a refresh token of {token.ends} was good at {at}")
            self._hold(refreshed, at)
        elif "refresh.expired" in _codes(refreshed) and at < token.ends:
            raise LivedLonger("a refresh token ended early")

    def _check(self) -> None:
        for token, _ in self.tokens:
            # A refusal also reads what was noted of refusals: it may tell of an end earlier for it, never later.
            at, at_most = self.now(token.link), self.now(token.link, marks=True)
            decision = self.tenant.run(access.check(token.secret, scope=SCOPE, address=ADDRESS))
            expired = "token.expired" in [reason.code for reason in decision.reasons]
            if decision.allowed and at >= token.ends:
                raise LivedLonger(f"a token of {token.ends} was good at {at}")
            if expired and at_most < token.ends:
                raise LivedLonger("a token ended early")

    def _stamps_never_go_back(self) -> None:
        for key, _, _, at in decoded(self.storage, TENANT):
            if at < self.stamps.get(key, at):
                raise LivedLonger(f"{components(key.path)} was stamped {at} after {self.stamps[key]}")
            self.stamps[key] = at


def _codes(refusal: Refusal) -> list[str]:
    return [reason.code for reason in refusal.reasons]


@examples(steps)
def test_no_jump_extends_a_life(path: list[tuple[str, int]]) -> None:
    """Consents, codes, access and refresh tokens end just when stamps and clock say, whatever is done in between."""
    walk = Walk()
    for what in ("begin", "accept", "redeem"):
        walk.take(what, 0)
    for what, value in path:
        walk.take(what, value)


EXTENDED = [
    ("jump", 4_000),
    ("touch", 0),
    ("jump", -4_000),
    ("check", 0),
]


def test_what_was_written_later_ends_a_token() -> None:
    """The plain case: an hour later something is written, the clock is set back, and the token stays expired."""
    walk = Walk()
    for what, value in [("begin", 0), ("accept", 0), ("redeem", 0), *EXTENDED]:
        walk.take(what, value)

    decision = walk.tenant.run(access.check(walk.tokens[0][0].secret, scope=SCOPE, address=ADDRESS))

    assert ["token.expired"] == [reason.code for reason in decision.reasons]


class BelievesTheClock(Attempt):
    """The broken attempt: now is what the clock says."""

    def _reaches(self, stamp: Instant) -> bool:
        return True


def test_an_attempt_that_believes_the_clock_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: an hour later something is written, the clock is set back, and the token is good again."""
    walk = Walk()
    for what in ("begin", "accept", "redeem"):
        walk.take(what, 0)
    monkeypatch.setattr("extlink.runtime.Attempt", BelievesTheClock)

    for what, value in EXTENDED[:-1]:
        walk.take(what, value)

    with pytest.raises(LivedLonger):
        walk.take(*EXTENDED[-1])


def test_what_is_not_covered() -> None:
    """An end that only a refusal saw is forgotten if the clock is set back: the page on security says so."""
    walk = Walk()
    for what, value in [("begin", 0), ("accept", 0), ("redeem", 0), ("jump", 4_000)]:
        walk.take(what, value)
    question = access.check(walk.tokens[0][0].secret, scope=SCOPE, address=ADDRESS)

    late = walk.tenant.run(question)
    walk.clock.advance(-4_000)

    assert ["token.expired"] == [reason.code for reason in late.reasons]
    assert walk.tenant.run(question).allowed


def test_the_ledger_is_in_the_order_of_its_numbers() -> None:
    """Entries may say an earlier time than those before them; their numbers have no gap, and the last word counts."""
    walk = Walk()
    walk.take("jump", 10 * YEAR)
    walk.take("touch", 0)
    walk.take("jump", -10 * YEAR)
    walk.take("touch", 4)

    entries = walk.storage._tenants[TENANT.encode()].entries
    times = [json.loads(body)["at"] for _, body in entries]

    assert times != sorted(times)
    assert walk.tenant.run(access.check("x", scope=SCOPE)).reasons
