"""Every call of the store that an endpoint makes is made to fail, in every way a store can: 503, never a yes.

Nothing is half done: what was there before is there after, and the same request made again comes to what it would have
come to. A commit whose answer is lost may have been carried out; then the request made again must agree with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import attrs
import pytest

from extlink.adapters.memory import MemoryStorage
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing
from extlink.errors import Conflict, Contention, CorruptRecord, StorageError, Unavailable
from extlink.http import Request, Response
from extlink.ports import Batch, Key, Page, Position, Query, Storage, Stored, Version
from extlink.runtime import ExtLink
from extlink.testing.probes import ledger
from tests.hosts import dump
from tests.oauth.attacked import (
    INTROSPECT,
    REVOKE,
    SESSION,
    Attacked,
    in_memory,
    members,
    request,
    reunited,
)
from tests.schedules.scheduler import copied

ERRORS: Mapping[str, Callable[[], Exception]] = {
    "unavailable": lambda: Unavailable("the disk is full"),
    "contention": lambda: Contention("too many at once"),
    "corrupt": lambda: CorruptRecord("a record cannot be read"),
    "another storage error": lambda: StorageError("something"),
    "a driver's own": lambda: OSError("connection reset"),
    "a bug": lambda: KeyError("x"),
}


class HalfDone(AssertionError):
    """A request that failed left something behind, or was answered with a yes."""


class Failing:
    """A store whose n-th call fails; `after` carries it out first, as a connection does that breaks too late."""

    def __init__(self, storage: Storage, number: int, error: Callable[[], Exception], *, after: bool = False) -> None:
        self.calls = 0
        self.failed = ""
        self._storage = storage
        self._number = number
        self._error = error
        self._after = after

    def _fail(self, name: str) -> NoReturn:
        self.failed = name
        raise self._error()

    def _counts(self) -> bool:
        self.calls += 1
        return self.calls == self._number

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return self._fail("read") if self._counts() else self._storage.read(keys, known)

    def list(self, query: Query) -> Page:
        return self._fail("list") if self._counts() else self._storage.list(query)

    def commit(self, batch: Batch) -> Position:
        fails = self._counts()
        if fails and not self._after:
            self._fail("commit")
        position = self._storage.commit(batch)
        return self._fail("commit") if fails else position


@attrs.frozen(kw_only=True)
class Ready:
    """A server with everything under way, and a request to it."""

    target: Attacked
    asked: Request

    def send(self, storage: Storage) -> Response:
        """Send the request to the same server over another store."""
        server = attrs.evolve(reunited(storage, self.target.parties), server=self.target.server)
        server.hub._started = True  # the check of keys was made when the store was
        return self.target.server.serve(server.tenant, self.asked)


def _redeeming() -> Ready:
    target = in_memory()
    target.connected()
    return Ready(target=target, asked=target.redemption(target.code()))


def _replaying() -> Ready:
    target = in_memory()
    asked = target.redemption(target.code())
    target.server.serve(target.tenant, asked)
    return Ready(target=target, asked=asked)


def _refreshing() -> Ready:
    target = in_memory()
    return Ready(target=target, asked=target.refreshing(target.connected()["refresh_token"]))


def _repeating() -> Ready:
    target = in_memory()
    asked = target.refreshing(target.connected()["refresh_token"])
    target.server.serve(target.tenant, asked)
    return Ready(target=target, asked=asked)


def _reusing() -> Ready:
    target = in_memory()
    asked = target.refreshing(target.connected()["refresh_token"])
    second = members(target.server.serve(target.tenant, asked))
    target.server.serve(target.tenant, target.refreshing(second["refresh_token"]))
    return Ready(target=target, asked=asked)


def _by_client(path: str, kind: str) -> Ready:
    target = in_memory()
    token = target.connected()[kind]
    return Ready(target=target, asked=request(path, {**target.parties["flow"].form, "token": token}))


def _signing() -> Ready:
    target = in_memory()
    return Ready(target=target, asked=request(INTROSPECT, {"token": "xl_at_junk", **target.proof("once")}))


def _wrong() -> Ready:
    target = in_memory()
    form = {"client_id": target.parties["flow"].id, "client_secret": "wrong", "token": "xl_at_junk"}
    return Ready(target=target, asked=request(INTROSPECT, form))


READY: Mapping[str, Callable[[], Ready]] = {
    "redeem": _redeeming,
    "redeem again": _replaying,
    "refresh": _refreshing,
    "refresh, a repetition": _repeating,
    "refresh, reuse": _reusing,
    "revoke": lambda: _by_client(REVOKE, "refresh_token"),
    "introspect": lambda: _by_client(INTROSPECT, "access_token"),
    "an assertion": _signing,
    "a wrong secret": _wrong,
}


def _memory(storage: Storage) -> MemoryStorage:
    assert isinstance(storage, MemoryStorage)
    return storage


def require_refused(answer: Response) -> None:
    """Require a 503 that says when to come back, and nothing else."""
    headers = dict(answer.headers)
    if (answer.status, members(answer)) != (503, {"error": "temporarily_unavailable"}):
        raise HalfDone(f"the answer was {answer.status} {answer.body!r}")
    if headers.get("Retry-After") != "1" or headers.get("Cache-Control") != "no-store":
        raise HalfDone(f"the headers were {answer.headers}")


def each_call(ready: Ready, error: Callable[[], Exception]) -> int:
    """Let each call fail in turn, before it did anything; return how many there were.

    Raises:
        HalfDone: something was answered, or is left.
    """
    prepared = _memory(ready.target.storage)
    expected = ready.send(copied(prepared))
    # A commit that may have been carried out is offered once more by its id, and this time the store answers.
    settles = isinstance(error(), Unavailable) or not isinstance(error(), StorageError)
    number = 0
    while True:
        number += 1
        storage = copied(prepared)
        failing = Failing(storage, number, error)
        answer = ready.send(failing)
        if not failing.failed:
            return number - 1
        if failing.failed == "commit" and settles:
            _require_same(answer, expected)
            continue
        require_refused(answer)
        if dump(storage) != dump(prepared):
            raise HalfDone(f"call {number}, a {failing.failed}, left something behind")
        _require_same(ready.send(storage), expected)


def _require_same(answer: Response, expected: Response) -> None:
    if answer.status != expected.status or (expected.status != 200 and answer != expected):
        raise HalfDone(f"once it works again: {answer.status} {answer.body!r} in place of {expected.status}")


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", READY)
def test_each_call_of_the_store_fails(name: str, error: str) -> None:
    """503 and when to come back; nothing is left behind, and the same request then comes to what it should."""
    assert each_call(READY[name](), ERRORS[error]) >= 2


@pytest.mark.parametrize("name", READY)
def test_a_store_that_stays_away(name: str) -> None:
    """From any call on, nothing answers: 503, and after that the request is good."""
    ready = READY[name]()
    prepared = _memory(ready.target.storage)
    expected = ready.send(copied(prepared))

    class Gone(Failing):
        def _counts(self) -> bool:
            self.calls += 1
            return self.calls >= self._number

    for number in range(1, each_call(ready, ERRORS["corrupt"]) + 1):
        storage = copied(prepared)
        require_refused(ready.send(Gone(storage, number, ERRORS["unavailable"])))
        assert dump(storage) == dump(prepared)
        _require_same(ready.send(storage), expected)


@pytest.mark.parametrize("name", ["refresh", "refresh, a repetition", "refresh, reuse", "revoke", "introspect"])
def test_the_answer_to_a_commit_is_lost_and_the_store_goes(name: str) -> None:
    """What was carried out and could not be told is a 503; the same request agrees with what was done."""
    ready = READY[name]()
    prepared = _memory(ready.target.storage)
    expected = ready.send(copied(prepared))
    storage = copied(prepared)

    class Late(Failing):
        def commit(self, batch: Batch) -> Position:
            if not self.failed:
                self._storage.commit(batch)
            self._fail("commit")

    require_refused(ready.send(Late(storage, 0, ERRORS["unavailable"])))
    assert len(ledger(storage)) >= len(ledger(prepared))
    _require_same(ready.send(storage), expected)


def test_a_lost_answer_costs_a_refresh_nothing() -> None:
    """The tokens that a failed request had stored already are the ones that it gives when it is made again."""
    ready = _refreshing()
    storage = copied(_memory(ready.target.storage))
    answer = ready.send(Failing(storage, 4, ERRORS["unavailable"], after=True))
    again = ready.send(storage)

    assert 200 == again.status
    assert answer.status == 503 or answer.body == again.body


def test_the_user_is_not_sent_on_by_a_store_that_fails() -> None:
    """Neither the page nor the answer to it becomes a redirect, and no code is made."""
    target = in_memory()
    consent = target.asked()
    assert not isinstance(consent, Response)
    form = request("/oauth2/consent", {"consent": consent.token.reveal(), "answer": "accept"})
    for number in range(1, 20):
        storage = copied(_memory(target.storage))
        failing = Failing(storage, number, ERRORS["corrupt"])
        broken = reunited(failing, target.parties)
        broken.hub._started = True
        step = target.server.answer(form, session=SESSION)
        assert not isinstance(step, Response)
        answer = step.run(broken.user)
        if not failing.failed:
            break
        require_refused(answer)
        assert dump(storage) == dump(_memory(target.storage))

    assert number > 2
    assert 303 == target.answer(consent).status


def test_a_host_with_the_wrong_keys_is_not_the_clients_fault() -> None:
    """A client told that its request was wrong would give its tokens up; it is told to come back."""
    ready = _refreshing()
    target = ready.target
    wrong = ExtLink(
        copied(_memory(target.storage)),
        keys=KeyRing({"k1": Secret("22" * 32)}, current="k1"),
        directory=target.hub._directory,
    )

    require_refused(target.server.serve(wrong.tenant("acme"), ready.asked))


# --- Broken twins ------------------------------------------------------------------------------------------------


class TwoCommits(MemoryStorage):
    """The broken store: it writes the records first and the entries after, and stops in between."""

    def commit(self, batch: Batch) -> Position:
        super().commit(attrs.evolve(batch, entries=()))
        raise CorruptRecord("the entries were not written")


def test_a_store_that_does_half_is_caught() -> None:
    """The broken twin: the answer is 503, and the link is changed."""
    ready = _refreshing()
    prepared = _memory(ready.target.storage)
    broken = copied(prepared, TwoCommits())
    require_refused(ready.send(broken))

    assert dump(broken) != dump(prepared)


def test_an_endpoint_that_shrugs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin, fosite's GHSA-7mqr-2v3q-v2wm: a revocation that could not be stored is answered with 200."""
    monkeypatch.setattr("extlink.http.error_response", lambda error: Response(status=200, body=b"{}"))

    with pytest.raises(HalfDone, match="200"):
        each_call(READY["revoke"](), ERRORS["corrupt"])


def test_a_conflict_is_tried_again() -> None:
    """The one storage error that is no failure: the request is decided anew."""
    ready = _refreshing()
    for number in range(1, 6):
        storage = copied(_memory(ready.target.storage))
        failing = Failing(storage, number, lambda: Conflict("changed since"))
        answer = ready.send(failing)

        assert answer.status == (200 if failing.failed in {"commit", ""} else 503)
