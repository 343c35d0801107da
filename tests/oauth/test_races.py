"""Many requests at once, through the endpoints, on every store: one code is one lineage, one token has one successor.

Nothing is left to luck: the store holds every thread's first commit back until all threads stand before theirs, so
that all of them decided over the same state. Four hubs with memories of their own stand for four machines.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import attrs
import pytest

from extlink import access
from extlink.adapters.directory import AsyncInMemoryDirectory
from extlink.adapters.threaded import ThreadedStorage
from extlink.domain.instant import Instant
from extlink.domain.link import Link
from extlink.domain.secret import Secret
from extlink.domain.token import Presented
from extlink.domain.token_ledger import Failed, Issued, TokenLedger
from extlink.http import Request, Response
from extlink.ports import AsyncStorage, Batch, Key, Page, Position, Query, Storage, Stored, Version
from extlink.runtime import AsyncExtLink
from extlink.testing.probes import ledger
from tests import clusters
from tests.contract.postgres_stores import Schemas
from tests.contract.stores import STORES, Opened
from tests.fakes import CountingEntropy
from tests.oauth.attacked import INTROSPECT, REVOKE, TOKEN, Attacked, attacked, basic, in_memory, members, request
from tests.schedules.world import ADDRESS, KEYS, PEOPLE, SCOPE, TENANT

PARALLEL = 200
NODES = 4
PATIENCE_SECONDS = 120
KINDS = [*(name for name in STORES if not name.startswith("async")), "postgres"]


class NotOne(AssertionError):
    """More came out of a race than one winner, or the loser was not told so by OAuth's own means."""


class Together:
    """A store that holds the first commit of each of `count` threads back until all of them have come to theirs."""

    def __init__(self, storage: Storage, count: int, *, guarded: bool = True) -> None:
        self._storage = storage
        self._barrier = threading.Barrier(count)
        self._mine = threading.local()
        self._guarded = guarded

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return self._storage.read(keys, known)

    def list(self, query: Query) -> Page:
        return self._storage.list(query)

    def commit(self, batch: Batch) -> Position:
        if not getattr(self._mine, "came", False):
            self._mine.came = True
            self._barrier.wait(PATIENCE_SECONDS)
        return self._storage.commit(batch if self._guarded else attrs.evolve(batch, guards=()))


@pytest.fixture
def opened(kind: str, tmp_path: Path) -> Iterator[Opened | Schemas]:
    """Open a store of a kind, and close it after the test."""
    if kind == "postgres":
        clusters.require()
    opened = Schemas(clusters.newest(), "sync") if kind == "postgres" else Opened(kind, tmp_path)
    yield opened
    opened.close()


def race(target: Attacked, asked: Callable[[int], Request], count: int, *, guarded: bool = True) -> list[Response]:
    """Send requests at the same time, a thread for each, spread over four machines; return the answers."""
    held = attrs.evolve(target, storage=Together(target.storage, count, guarded=guarded))
    nodes = [held.node(seed) for seed in range(10, 10 + NODES)]

    def send(number: int) -> Response:
        return target.server.serve(nodes[number % NODES], asked(number))

    with ThreadPoolExecutor(count) as threads:
        return [future.result(PATIENCE_SECONDS) for future in [threads.submit(send, one) for one in range(count)]]


def require_one_winner(target: Attacked, answers: Sequence[Response], party: str = "flow") -> None:
    """Require one 200 among redemptions of one code, `invalid_grant` for all others, and that nothing works after."""
    counted = Counter((answer.status, members(answer).get("error")) for answer in answers)
    if counted != {(200, None): 1, (400, "invalid_grant"): len(answers) - 1}:
        raise NotOne(f"the answers were {dict(counted)}")
    (won,) = (members(answer) for answer in answers if answer.status == 200)
    checked = target.tenant.run(access.check(won["access_token"], scope=SCOPE, address=ADDRESS))
    refreshed = target.server.serve(target.tenant, target.refreshing(won["refresh_token"], party))
    if checked.allowed or refreshed.status == 200 or _is_active(target, won["access_token"]):
        raise NotOne("the tokens of a code that was used twice still work")


def entries(target: Attacked) -> list[bytes]:
    """Return all entries of the tenant's ledger."""
    return [body for _, body in ledger(target.storage)]


def _is_active(target: Attacked, token: str) -> bool:
    return target.is_active(token, "api")


def require_one_lineage(target: Attacked, token: str, answers: Sequence[Response], party: str = "flow") -> None:
    """Require the identical successor in every answer to refreshes of one token, and that it works and goes on."""
    bodies = {answer.body for answer in answers}
    if len(bodies) != 1 or {answer.status for answer in answers} != {200}:
        raise NotOne(f"{len(bodies)} answers: {Counter(answer.status for answer in answers)}")
    successor = members(answers[0])
    again = target.server.serve(target.tenant, target.refreshing(token, party))
    if again.body != answers[0].body:
        raise NotOne("a later retry gave other tokens")
    onward = target.server.serve(target.tenant, target.refreshing(successor["refresh_token"], party))
    if onward.status != 200 or not _is_active(target, members(onward)["access_token"]):
        raise NotOne("the lineage has ended")


@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_redemptions_of_one_code(opened: Opened | Schemas) -> None:
    """One gets tokens, 199 `invalid_grant`, and the next valid one ends what the first got (ASVS 10.4.2)."""
    target = attacked(opened.again())
    code = target.code()

    require_one_winner(target, race(target, lambda _: target.redemption(code), PARALLEL))


@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_refreshes_of_one_token(opened: Opened | Schemas) -> None:
    """A confidential client gets the identical successor two hundred times, and nothing ends."""
    target = attacked(opened.again())
    token = target.connected()["refresh_token"]

    require_one_lineage(target, token, race(target, lambda _: target.refreshing(token), PARALLEL))


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_refreshes_of_a_public_client(opened: Opened | Schemas) -> None:
    """So does a public one, as long as nobody has used the answer."""
    target = attacked(opened.again())
    token = target.connected("browser")["refresh_token"]
    answers = race(target, lambda _: target.refreshing(token, "browser"), 20)

    require_one_lineage(target, token, answers, "browser")


def revoking(target: Attacked, token: str) -> Request:
    """Return the request that ends a lineage, by its refresh token (RFC 7009)."""
    party = target.parties["flow"]
    return request(REVOKE, {"token": token}, basic(party.id, party.secret))


def require_ended(target: Attacked, answers: Sequence[Response]) -> None:
    """Require that nothing works after a revocation that was answered with 200, whoever refreshed meanwhile."""
    said = {(answer.status, members(answer).get("error")) for answer in answers if answer.body}
    if not said <= {(200, None), (400, "invalid_grant")}:
        raise NotOne(f"the answers were {said}")
    for made in {answer.body: members(answer) for answer in answers if answer.status == 200 and answer.body}.values():
        if target.server.serve(target.tenant, target.refreshing(made["refresh_token"])).status == 200:
            raise NotOne("a refresh token lives on")
        if _is_active(target, made["access_token"]):
            raise NotOne("an access token lives on")


@pytest.mark.parametrize("kind", KINDS)
def test_ten_refreshes_and_ten_revocations(opened: Opened | Schemas) -> None:
    """Whoever comes first: every revocation succeeds, and what the refreshes were given is dead."""
    target = attacked(opened.again())
    token = target.connected()["refresh_token"]
    asked = (target.refreshing(token), revoking(target, token))
    answers = race(target, lambda number: asked[number % 2], 20)

    assert {200} == {answer.status for answer in answers[1::2]}
    require_ended(target, answers[::2])


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_refreshes_each_with_an_assertion_of_its_own(opened: Opened | Schemas) -> None:
    """A client that signs writes down each assertion it used; even so each of its requests gets the same answer."""
    target = attacked(opened.again())
    token = target.connected("signing")["refresh_token"]

    def refresh(number: int) -> Request:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return request(TOKEN, {**form, **target.proof(f"number {number}")})

    answers = race(target, refresh, 20)

    assert {200} == {answer.status for answer in answers}
    assert 1 == len({answer.body for answer in answers})


@pytest.mark.parametrize("kind", KINDS)
def test_one_assertion_shown_by_twenty(opened: Opened | Schemas) -> None:
    """Of twenty requests with the same signed assertion one is let in: it is good once (RFC 7523 section 3)."""
    target = attacked(opened.again())
    shown = target.proof("the only one")
    answers = race(target, lambda _: request(INTROSPECT, {"token": "xl_at_junk", **shown}), 20)

    assert {200: 1, 401: 19} == Counter(answer.status for answer in answers)


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_wrong_secrets_make_one_entry(opened: Opened | Schemas) -> None:
    """However many fail at once, the ledger has one entry for the cause and the hour, and everybody the same answer."""
    target = attacked(opened.again())
    form = {"client_id": target.parties["flow"].id, "client_secret": "xl_sk_wrong", "token": "xl_at_junk"}
    answers = race(target, lambda _: request(INTROSPECT, form), 20)

    assert {401} == {answer.status for answer in answers}
    assert 1 == len({answer.body for answer in answers})
    assert 1 == len([one for one in entries(target) if b"client.authentication_failed" in one])


def _carried(opened: Opened | Schemas, storage: Storage) -> AbstractAsyncContextManager[AsyncStorage]:
    """Return the store for a host on asyncio: PostgreSQL's own, the others in worker threads."""
    return ThreadedStorage(storage) if isinstance(opened, Opened) else opened.again_async()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_tasks_of_one_host_on_asyncio(opened: Opened | Schemas) -> None:
    """The same for a host on asyncio: redemptions of one code, then refreshes of one token, all tasks at once."""
    target = attacked(opened.again())
    code, token = target.code(), target.connected("other")["refresh_token"]

    async def together(asked: Request) -> list[Response]:
        async with _carried(opened, target.storage) as carried:
            hub = AsyncExtLink(
                carried,
                keys=KEYS,
                directory=AsyncInMemoryDirectory(PEOPLE),
                clock=target.clock,
                entropy=CountingEntropy(seed=int.from_bytes(asked.body[-4:])),
            )
            served = [target.server.serve_async(hub.tenant(TENANT), asked) for _ in range(PARALLEL)]
            return list(await asyncio.gather(*served))

    require_one_winner(target, asyncio.run(together(target.redemption(code))))
    require_one_lineage(target, token, asyncio.run(together(target.refreshing(token, "other"))), "other")


# --- Broken twins ------------------------------------------------------------------------------------------------


def test_a_store_without_guards_is_caught() -> None:
    """The broken twin: every redemption wins."""
    target = in_memory()
    code = target.code()
    answers = race(target, lambda _: target.redemption(code), 8, guarded=False)

    with pytest.raises(NotOne, match="answers were"):
        require_one_winner(target, answers)


class LeavesTheWinner(TokenLedger):
    """The broken rules: a second redemption is refused and ends nothing, as in Authlib and aioauth."""

    def redeem(
        self,
        link: Link,
        presented: Presented,
        code: Secret,
        *,
        redirect_uri: str | None,
        verifier: str | None,
        at: Instant,
        salt: bytes,
    ) -> Issued | Failed:
        made = super().redeem(link, presented, code, redirect_uri=redirect_uri, verifier=verifier, at=at, salt=salt)
        return Failed(made.error, made.note) if isinstance(made, Failed) else made


def test_rules_that_leave_the_winner_alone_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: whoever stole the code and came first keeps the tokens."""
    monkeypatch.setattr("extlink.hub.TokenLedger", LeavesTheWinner)
    target = in_memory()
    code = target.code()

    with pytest.raises(NotOne, match="still work"):
        require_one_winner(target, race(target, lambda _: target.redemption(code), 8))


class RefreshLast(Together):
    """A store that ignores guards, and carries a refresh out after the revocation that it did not see."""

    def __init__(self, storage: Storage, count: int, *, guarded: bool = True) -> None:
        super().__init__(storage, count, guarded=guarded)
        self._revoked = threading.Event()

    def commit(self, batch: Batch) -> Position:
        is_refresh = any(b"token.refreshed" in entry for entry in batch.entries)
        if is_refresh:
            self._mine.came = True
            self._barrier.wait(PATIENCE_SECONDS)
            self._revoked.wait(PATIENCE_SECONDS)
        position = super().commit(attrs.evolve(batch, guards=()))
        if not is_refresh:
            self._revoked.set()
        return position


def test_a_refresh_that_undoes_a_revocation_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the link is written as the refresh read it, live."""
    monkeypatch.setattr("tests.oauth.test_races.Together", RefreshLast)
    target = in_memory()
    token = target.connected()["refresh_token"]
    asked = (target.refreshing(token), revoking(target, token))
    answers = race(target, lambda number: asked[number], 2)

    with pytest.raises(NotOne, match="lives on"):
        require_ended(target, answers[:1])


def test_a_refresh_without_guards_is_caught() -> None:
    """The broken twin: each machine draws a successor of its own."""
    target = in_memory()
    token = target.connected()["refresh_token"]
    answers = race(target, lambda _: target.refreshing(token), 8, guarded=False)

    with pytest.raises(NotOne, match="answers"):
        require_one_lineage(target, token, answers)
