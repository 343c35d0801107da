from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
from collections.abc import Sequence

import pytest

from extlink.adapters.memory import MemoryStorage
from extlink.adapters.threaded import ThreadedDirectory, ThreadedStorage
from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.identifier import OrganizationId, UserId
from extlink.errors import Conflict, Unavailable
from extlink.ports import ABSENT, Batch, Entries, Guard, Position, Write
from extlink.testing.probes import ACME, PATIENCE_SECONDS, at, batch

TRACE = contextvars.ContextVar("TRACE", default="")


class Slow(MemoryStorage):
    """A store whose commits wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.started = threading.Event()
        self.let_go = threading.Event()
        self.threads: set[threading.Thread] = set()
        self.trace = ""

    def commit(self, batch: Batch) -> Position:
        self.threads.add(threading.current_thread())
        self.trace = TRACE.get()
        self.started.set()
        assert self.let_go.wait(PATIENCE_SECONDS)
        return super().commit(batch)


class People:
    """A directory of one person; `None` fails."""

    def __init__(self, member: Member | None) -> None:
        self._member = member

    def member(self, user: UserId) -> Member | None:
        if self._member is None:
            raise ConnectionError("the directory is away")
        return self._member if self._member.id == user else None

    def get(self, users: Sequence[UserId]) -> Sequence[Member]:
        return [member for user in users if (member := self.member(user))]

    def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        assert self._member is not None
        return DirectoryPage((self._member,) * limit, f"{query.search} after {after}")

    def organizations(self) -> Sequence[Organization]:
        return [Organization(id=OrganizationId("sales"), name="Sales")]


async def _until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, PATIENCE_SECONDS)


async def _bodies(store: ThreadedStorage) -> list[bytes | None]:
    return [item.value for item in (await store.list(Entries(ACME))).items]


def test_a_commit_that_started_is_finished_when_its_task_is_cancelled() -> None:
    """Only the answer is lost; what is asked next is answered after it, and the same batch settles it."""

    async def main() -> None:
        slow = Slow()
        async with ThreadedStorage(slow) as store:
            one = batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), ABSENT)], entries=[b"1", b"2"])
            task = asyncio.create_task(store.commit(one))
            await _until(slow.started)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            read = asyncio.create_task(store.read([at(b"a")], {}))
            await asyncio.sleep(0)
            slow.let_go.set()

            assert [b"x"] == [stored.value for stored in await read]
            assert 2 == await store.commit(one)
            assert [b"1", b"2"] == await _bodies(store)

    asyncio.run(main())


def test_a_commit_that_had_not_started_never_starts() -> None:
    """Cancelled while it waits for its turn, it is not applied; the one before it is."""

    async def main() -> None:
        slow = Slow()
        async with ThreadedStorage(slow) as store:
            first = asyncio.create_task(store.commit(batch(entries=[b"first"])))
            await _until(slow.started)
            second = asyncio.create_task(store.commit(batch(entries=[b"second"])))
            await asyncio.sleep(0)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            slow.let_go.set()
            await first

            assert [b"first"] == await _bodies(store)

    asyncio.run(main())


def test_calls_are_answered_in_their_order_by_one_thread() -> None:
    """The ledger has the entries in the order in which the commits were asked for."""

    async def main() -> None:
        slow = Slow()
        slow.let_go.set()
        async with ThreadedStorage(slow) as store:
            positions = await asyncio.gather(*[store.commit(batch(entries=[b"%d" % number])) for number in range(20)])

            assert list(range(1, 21)) == positions
            assert [b"%d" % number for number in range(20)] == await _bodies(store)
            assert 1 == len(slow.threads)

    asyncio.run(main())


def test_errors_arrive_as_they_were_raised() -> None:
    """A conflict is a conflict for the task that waits."""

    async def main() -> None:
        async with ThreadedStorage(MemoryStorage()) as store:
            await store.commit(batch(Write(at(b"a"), b"x")))
            with pytest.raises(Conflict):
                await store.commit(batch(guards=[Guard(at(b"a"), ABSENT)]))

    asyncio.run(main())


def test_one_store_serves_several_event_loops() -> None:
    """The worker belongs to no loop."""
    store = ThreadedStorage(MemoryStorage())
    for number in range(3):
        assert number + 1 == asyncio.run(store.commit(batch()))
    asyncio.run(store.aclose())


def test_context_variables_travel_along() -> None:
    """A trace id that the host set is seen by the store, as with asyncio.to_thread."""

    async def main() -> None:
        slow = Slow()
        slow.let_go.set()
        async with ThreadedStorage(slow) as store:
            TRACE.set("request 7")
            await store.commit(batch())

        assert "request 7" == slow.trace

    asyncio.run(main())


def test_closing_finishes_what_was_asked_for() -> None:
    """Calls made before are answered, later ones raise `Unavailable`; closing again is no error."""

    async def main() -> None:
        slow = Slow()
        store = ThreadedStorage(slow)
        commits = [asyncio.create_task(store.commit(batch())) for _ in range(3)]
        await _until(slow.started)
        closing = asyncio.create_task(store.aclose())
        await asyncio.sleep(0)
        slow.let_go.set()

        assert [1, 2, 3] == await asyncio.gather(*commits)
        await closing
        await store.aclose()
        with pytest.raises(Unavailable, match="closed"):
            await store.commit(batch())
        assert not any(thread.is_alive() for thread in slow.threads)

    asyncio.run(main())


def test_closing_what_was_never_called_starts_nothing() -> None:
    """No thread is started for it."""
    before = threading.active_count()
    asyncio.run(ThreadedStorage(MemoryStorage()).aclose())

    assert before == threading.active_count()


def test_a_directory_is_carried_whole() -> None:
    """All four questions reach the synchronous directory, arguments in order."""
    sato = Member(id=UserId("sato"), display_name="Sato")

    async def main() -> None:
        async with ThreadedDirectory(People(sato)) as directory:
            assert sato == await directory.member(UserId("sato"))
            assert await directory.member(UserId("kato")) is None
            assert [sato] == await directory.get([UserId("kato"), UserId("sato")])
            page = await directory.page(CandidateQuery(search="s"), "cursor", 2)
            assert ((sato, sato), "s after cursor") == (page.members, page.next)
            assert ["sales"] == [organization.id for organization in await directory.organizations()]

    asyncio.run(main())


def test_a_directory_that_fails_fails() -> None:
    """Its own exception arrives; the user gate reads any as "unavailable"."""

    async def main() -> None:
        async with ThreadedDirectory(People(None)) as directory:
            with pytest.raises(ConnectionError, match="away"):
                await directory.member(UserId("sato"))

    asyncio.run(main())


FORK = """
import asyncio, os
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.threaded import ThreadedStorage
from extlink.ports import key

store = ThreadedStorage(MemoryStorage())
ask = lambda: asyncio.run(store.read([key("acme", "t")], {}))
ask()
child = os.fork()
if child == 0:
    ask()
    asyncio.run(store.aclose())
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
child = os.fork()
if child == 0:
    asyncio.run(store.aclose())
    os._exit(8)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
asyncio.run(store.aclose())
"""


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (FORK, "7\n8\n"),
        ("import extlink.adapters.threaded, sys; print('asyncio' in sys.modules)", "False\n"),
    ],
)
def test_in_a_process_of_its_own(program: str, expected: str) -> None:
    """A child process gets a worker of its own; synchronous hosts never load asyncio."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert expected == done.stdout
