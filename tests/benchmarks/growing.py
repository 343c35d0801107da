"""What grows with the number of links, and what does not: a check, a user's page, a service's page, the end of all."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from extlink import access, catalog, grants, links, services
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.identifier import LinkId, UserId
from extlink.domain.secret import Secret
from extlink.domain.token import HANDLE_BYTES, KeyRing, link_id
from extlink.operation import Operation
from extlink.ports import Batch as StoredBatch, Key, Page, Position, Query, Stored, Version
from extlink.records import LINK, LINKS_OF, link_key, links_of_key, users_of_key
from extlink.runtime import ExtLink, Tenant
from tests.benchmarks.checking import NOW, SCOPE, SERVICE, TENANT, Clock, made_link
from tests.benchmarks.measure import ROUNDS, Batch, compare
from tests.benchmarks.report import Row, Section, at_most, plain

__all__ = ["growing"]

_VERSION: Final = Version(1_000_000)
_ASKED: Final = 100
_FLAT: Final = 1.5
_PAGE: Final = 20


class _Anybody:
    """A directory that knows everybody, so that no memory of ours grows with the tenant."""

    def member(self, user: UserId) -> Member | None:
        return Member(id=user, display_name=user, products=frozenset({"kintone"}))

    def get(self, users: Sequence[UserId]) -> Sequence[Member]:
        return [member for user in users if (member := self.member(user)) is not None]

    def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        raise NotImplementedError

    def organizations(self) -> Sequence[Organization]:
        return ()


class _Counted:
    """A store that says how many records the last commit wrote."""

    def __init__(self, storage: SQLiteStorage) -> None:
        self._storage = storage
        self.written = 0

    def read(self, keys: Sequence[Key], known: dict[Key, Version]) -> Sequence[Stored]:
        return self._storage.read(keys, known)

    def list(self, query: Query) -> Page:
        return self._storage.list(query)

    def commit(self, batch: StoredBatch) -> Position:
        self.written = len(batch.writes)
        return self._storage.commit(batch)


def _user(number: int) -> UserId:
    return UserId(f"user{number:07}")


class _Grown:
    """A tenant on SQLite with so many links, one a person; tokens of a hundred of them."""

    def __init__(self, path: Path, count: int) -> None:
        self.count = count
        self.storage = _Counted(SQLiteStorage(path))
        self.keys = KeyRing({"k1": Secret("5a" * 32)}, current="k1")
        hub = ExtLink(self.storage, keys=self.keys, directory=_Anybody(), clock=Clock())  # type: ignore[arg-type]
        hub.open_tenant(TENANT, edition="JP", products={"kintone"})
        self.tenant = hub.tenant(TENANT)
        self.administrator = self.tenant.acting_as("admin", roles={"common_administrator"}, address="10.0.0.1")
        self.administrator.run(services.register(catalog.POWER_AUTOMATE))
        self.administrator.run(services.enable(SERVICE))
        self.administrator.run(grants.allow(SERVICE, everyone=True))
        draw = random.Random(count)
        self.asked = sorted(draw.sample(range(count), min(_ASKED, count)))
        self.tokens: list[str] = []
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # What is measured is not how it came to be there.
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("BEGIN")
            rows = ((*key, _VERSION, value) for key, value in self._records(draw))
            connection.executemany("INSERT INTO record (tenant, path, version, value) VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        for token in self.tokens:
            # The first use of a link writes a note; it is made here, so that what is measured only reads.
            assert self.tenant.run(access.check(token, scope=SCOPE, address="10.0.1.7"))

    def _records(self, draw: random.Random) -> Iterator[tuple[Key, bytes]]:
        template, _ = made_link(self.keys, _user(0), draw)
        plain_link, wanted = LINK.encode(template, NOW), set(self.asked)
        for number in range(self.count):
            user = _user(number)
            if number in wanted:
                link, token = made_link(self.keys, user, draw)
                self.tokens.append(token.reveal())
                handle, value = link.id, LINK.encode(link, NOW)
            else:
                handle = link_id(draw.randbytes(HANDLE_BYTES))
                value = plain_link.replace(template.id.encode(), handle.encode()).replace(b"user0000000", user.encode())
            yield link_key.__wrapped__(TENANT, handle).key, value
            yield from _listed(user, handle)

    def checks(self) -> Batch:
        """Return a batch of checks of the hundred links."""
        return _asking(self.tenant, lambda: [access.check(one, scope=SCOPE, address="10.0.1.7") for one in self.tokens])

    def user_pages(self) -> Batch:
        """Return a batch of the pages of these links' owners."""
        return _asking(self.administrator, lambda: [links.of(_user(number)) for number in self.asked[:_PAGE]])

    def service_pages(self) -> Batch:
        """Return a batch of pages of the service, each after another user."""
        after = [_user(number) for number in self.asked[:3]]
        return _asking(self.administrator, lambda: [links.users_of(SERVICE, after=one, limit=_PAGE) for one in after])

    def ends(self, times: int) -> Batch:
        """Return a batch that ends every link of the service, and opens the service again."""
        off, on = services.disable(SERVICE, existing="revoke"), services.enable(SERVICE)

        def run() -> int:
            for _ in range(times):
                self.administrator.run(off)
                assert self.storage.written == 1
                self.administrator.run(on)
            return times

        return run


def _listed(user: UserId, handle: LinkId) -> Iterator[tuple[Key, bytes]]:
    value = LINKS_OF.encode((handle,), NOW)
    yield links_of_key(TENANT, user, SERVICE).key, value
    yield users_of_key(TENANT, SERVICE, user).key, value


def _asking(tenant: Tenant, operations: Callable[[], Sequence[Operation[object]]]) -> Batch:
    def run() -> int:
        asked = operations()
        for one in asked:
            assert tenant.run(one)
        return len(asked)

    return run


def growing(folder: Path, counts: tuple[int, int], rounds: int = ROUNDS) -> Section:
    """Measure what a hundred times as many links change."""
    small, large = (_Grown(folder / f"grown{count}.db", count) for count in counts)
    rows: list[Row] = []
    subjects = {
        "`access.check`": (small.checks(), large.checks()),
        "`links.of`, a user's page": (small.user_pages(), large.user_pages()),
        f"`links.users_of`, {_PAGE} users of a service": (small.service_pages(), large.service_pages()),
    }
    few = f"{small.count:,} links"
    for what, (before, after) in subjects.items():
        samples = compare({"small": before, "large": after}, rounds)
        rows.append(plain(f"{what}, {few}", samples, "small"))
        rows.append(at_most(f"{what}, {large.count:,} links", samples, "large", "small", _FLAT, few))
    # Last, since it ends them all. It waits for the disk.
    samples = compare({"small": small.ends(3), "large": large.ends(3)}, rounds, waits=True)
    rows.append(plain(f"every link of a service ended, {few}", samples, "small"))
    what = f"every link of a service ended, {large.count:,} links"
    rows.append(at_most(what, samples, "large", "small", _FLAT, few))
    large.administrator.run(services.enable(SERVICE))
    assert not any(large.tenant.run(access.check(one, scope=SCOPE, address="10.0.1.7")) for one in large.tokens)
    return Section(
        f"Growth from {small.count:,} to {large.count:,} links",
        "One tenant on SQLite, one link a person. A hundred links are checked, the pages of twenty users are shown, "
        "and three pages of the service's users. *Every link of a service ended* is `services.disable` with "
        '`existing="revoke"`, and the service enabled again: whatever the number of links, each commit writes one record '
        "(asserted), and afterwards every check refuses. The links were put into the file directly.",
        tuple(rows),
    )
