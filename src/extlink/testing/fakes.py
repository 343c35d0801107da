"""Stand-ins for what a host plugs in: a clock that stands, randomness that counts, a directory and a network that fail.

Rule: a fake does what its port says, and nothing on its own; what it does otherwise, a test tells it to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from typing import Final

from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.identifier import UserId
from extlink.domain.instant import Instant, parse_instant
from extlink.ports import Directory, NotSent, OutboundRequest, OutboundResponse

__all__ = ["NOW", "AsyncScriptedTransport", "CountingEntropy", "FrozenClock", "ScriptedTransport", "ShakyDirectory"]

# 2020-06-09T00:00:00Z, the date of the help pages.
NOW: Final = Instant(1_591_660_800)


class FrozenClock:
    """A clock that stands still until it is moved, forwards or backwards.

    >>> clock = FrozenClock()
    >>> clock.advance(60) - clock.now()
    0
    """

    def __init__(self, now: Instant | datetime = NOW) -> None:
        self._now = parse_instant(now, "now") if isinstance(now, datetime) else now

    def now(self) -> Instant:
        """Return the instant at which the clock stands."""
        return self._now

    def advance(self, seconds: int) -> Instant:
        """Move the clock by `seconds`, which may be negative, and return the new instant."""
        self._now = Instant(self._now + seconds)
        return self._now


class CountingEntropy:
    """The same bytes in every run, other bytes in every draw: the n-th draw is a hash of n and the seed.

    Hubs over one store need different seeds, or they draw the same versions.

    >>> CountingEntropy(1).draw(4) == CountingEntropy(1).draw(4) != CountingEntropy(2).draw(4)
    True
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        # next() of a count is one step of the interpreter: two threads never draw the same number.
        self._draws = count(1)

    def draw(self, size: int) -> bytes:
        """Return the next bytes."""
        return hashlib.shake_256(f"{self._seed}.{next(self._draws)}".encode()).digest(size)


class ShakyDirectory:
    """A directory that can be switched off, and that counts what it is asked.

    Args:
        people: who answers while it is up.

    >>> from extlink import InMemoryDirectory
    >>> directory = ShakyDirectory(InMemoryDirectory())
    >>> directory.organizations(), directory.asked
    ((), 1)
    >>> directory.down = True
    >>> directory.organizations()
    Traceback (most recent call last):
    TimeoutError: the directory does not answer
    """

    def __init__(self, people: Directory) -> None:
        self.people: Directory = people
        self.down: bool = False
        self.asked: int = 0

    def _answer(self) -> Directory:
        self.asked += 1
        if self.down:
            raise TimeoutError("the directory does not answer")
        return self.people

    def member(self, user: UserId) -> Member | None:
        """As `Directory.member`."""
        return self._answer().member(user)

    def get(self, users: Sequence[UserId]) -> Sequence[Member]:
        """As `Directory.get`."""
        return self._answer().get(users)

    def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        """As `Directory.page`."""
        return self._answer().page(query, after, limit)

    def organizations(self) -> Sequence[Organization]:
        """As `Directory.organizations`."""
        return self._answer().organizations()


_Answer = OutboundResponse | NotSent | Exception | Callable[[OutboundRequest], OutboundResponse]


class ScriptedTransport:
    """A network that answers what a test told it, in order, and keeps what it was given to send.

    Args:
        answers: one for each request: a response; `NotSent`; an exception, as when the answer is lost on its way back,
            raised after the request arrived; or a function of the request.

    >>> network = ScriptedTransport(OutboundResponse(status=200), TimeoutError("no answer"))
    >>> request = OutboundRequest(method="POST", url="https://service.example/token")
    >>> network.send(request).status
    200
    >>> network.send(request)
    Traceback (most recent call last):
    TimeoutError: no answer
    >>> len(network.arrived)
    2
    """

    def __init__(self, *answers: _Answer) -> None:
        self._answers = list(answers)
        self.arrived: list[OutboundRequest] = []

    @property
    def left(self) -> int:
        """How many answers nobody asked for yet: 0 at the end of a test."""
        return len(self._answers)

    def send(self, request: OutboundRequest) -> OutboundResponse | NotSent:
        """As `Transport.send`.

        Raises:
            AssertionError: nothing was told for one more request.
        """
        if not self._answers:
            raise AssertionError(f"nothing was told for one more request: {request}")
        answer = self._answers.pop(0)
        if isinstance(answer, NotSent):
            return answer
        self.arrived.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, OutboundResponse) else answer(request)


class AsyncScriptedTransport:
    """The same for async hosts; `script` keeps what arrived.

    >>> import asyncio
    >>> network = AsyncScriptedTransport(OutboundResponse(status=200))
    >>> asyncio.run(network.send(OutboundRequest(method="GET", url="https://service.example/"))).status
    200
    >>> len(network.script.arrived)
    1
    """

    def __init__(self, *answers: _Answer) -> None:
        self.script: ScriptedTransport = ScriptedTransport(*answers)

    async def send(self, request: OutboundRequest) -> OutboundResponse | NotSent:
        """As `ScriptedTransport.send`."""
        return self.script.send(request)
