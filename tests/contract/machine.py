"""One machine over every store: random calls, each answered as a model answers that is too simple to be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from extlink.errors import Conflict
from extlink.ports import Batch, Entries, Guard, Key, Page, Position, Records, Storage, Stored, Version, Write
from tests.contract.kit import AT, Factory

# Few names, so that records are met again; look-alikes have a check of their own.
TENANTS = (b"acme", b"~host")
NAMES = (b"a", b"a\x00", b"ab", b"b", b"\xff", b"")
tenants = st.sampled_from(TENANTS)
names = st.sampled_from(NAMES)
keys = st.builds(Key, tenants, names)
values = st.one_of(st.none(), st.binary(max_size=8), st.sampled_from([b"", b"x" * 65_536]))
ids = st.integers(1, 2**63 - 1).map(Version)
bodies = st.lists(st.binary(max_size=4), max_size=3)


class Model:
    """The contract over two plain collections, in as few lines as it takes."""

    def __init__(self) -> None:
        self.records: dict[Key, tuple[Version, bytes]] = {}
        self.entries: list[tuple[bytes, Version, bytes]] = []

    def read(self, asked: Iterable[Key], known: Mapping[Key, Version]) -> list[Stored]:
        found = [(key, *self.records.get(key, (Version(0), None))) for key in asked]
        return [Stored(key, version, None if version == known.get(key) else value) for key, version, value in found]

    def records_of(self, query: Records) -> Page:
        paths = sorted(key.path for key in self.records if key.tenant == query.tenant)
        left = [path for path in paths if path.startswith(query.prefix) and path > query.after]
        items = [Stored(Key(query.tenant, path), *self.records[Key(query.tenant, path)]) for path in left]
        return Page(tuple(items[: query.limit]), len(items) > query.limit)

    def entries_of(self, query: Entries) -> Page:
        items: list[Stored] = []
        for number, (version, body) in enumerate([each[1:] for each in self.entries if each[0] == query.tenant], 1):
            if number > query.after:
                items.append(Stored(Key(query.tenant, number.to_bytes(8, "big")), version, body))
        return Page(tuple(items[: query.limit]), len(items) > query.limit)

    def commit(self, batch: Batch) -> int:
        """Return the position, or -1 for a conflict."""
        of_tenant = [version for tenant, version, _ in self.entries if tenant == batch.tenant]
        if batch.id in of_tenant:
            return max(number for number, version in enumerate(of_tenant, 1) if version == batch.id)
        if any(self.records.get(guard.key, (0, b""))[0] != guard.version for guard in batch.guards):
            return -1
        for key, value in batch.writes:
            self.records.pop(key, None)
            if value is not None:
                self.records[key] = (batch.id, value)
        self.entries += [(batch.tenant, batch.id, body) for body in batch.entries]
        return len(of_tenant) + len(batch.entries)


class Machine(RuleBasedStateMachine):
    """Random calls to a store and to the model."""

    open_store: ClassVar[Factory]

    @initialize()
    def start(self) -> None:
        """Open a fresh store."""
        self.store: Storage = type(self).open_store()
        self.model = Model()
        self.batches: list[Batch] = []
        self.seen: list[Version] = [Version(0)]
        self.answered: list[Stored] = []

    @rule(data=st.data(), tenant=tenants, version=ids, entries=bodies)
    def commit(self, data: st.DataObject, tenant: bytes, version: Version, entries: list[bytes]) -> None:
        """Commit a batch; two thirds of those with guards hold."""
        paths = data.draw(st.lists(names, max_size=4, unique=True))
        writes = [Write(Key(tenant, path), data.draw(values)) for path in paths]
        read = self.model.read(data.draw(st.lists(keys, max_size=4)), {})
        guards = [Guard(stored.key, stored.version) for stored in read]
        if guards and data.draw(st.integers(0, 2)) == 0:
            place = data.draw(st.integers(0, len(guards) - 1))
            other = data.draw(st.one_of(st.just(Version(0)), st.sampled_from(self.seen)))
            guards[place] = guards[place]._replace(version=other)
        one = Batch(
            tenant=tenant, id=version, guards=tuple(guards), writes=tuple(writes), entries=tuple(entries), at=AT
        )
        self.batches.append(one)
        self.seen.append(one.id)
        self._commit(one)

    @rule(data=st.data())
    def commit_again(self, data: st.DataObject) -> None:
        """Commit a batch whose answer was lost, or that was refused before."""
        if self.batches:
            self._commit(data.draw(st.sampled_from(self.batches)))

    @rule(asked=st.lists(keys, max_size=12), data=st.data())
    def read(self, asked: list[Key], data: st.DataObject) -> None:
        """Read some keys, knowing some versions."""
        known = data.draw(st.dictionaries(keys, st.sampled_from(self.seen), max_size=3))
        # Mostly a caller knows what it read before.
        known |= {stored.key: stored.version for stored in self.answered if data.draw(st.booleans())}

        expected = self.model.read(asked, known)

        assert expected == list(self.store.read(asked, known))
        self.answered = expected

    @rule(tenant=tenants, prefix=st.one_of(st.just(b""), names), after=names, limit=st.integers(1, 4))
    def list_records(self, tenant: bytes, prefix: bytes, after: bytes, limit: int) -> None:
        """List records from anywhere."""
        query = Records(tenant, prefix, after, limit)

        assert self.model.records_of(query) == self.store.list(query)

    @rule(tenant=tenants, after=st.integers(0, 12).map(Position), limit=st.integers(1, 4))
    def list_entries(self, tenant: bytes, after: Position, limit: int) -> None:
        """List entries from anywhere."""
        query = Entries(tenant, after, limit)

        assert self.model.entries_of(query) == self.store.list(query)

    def _commit(self, batch: Batch) -> None:
        expected = self.model.commit(batch)
        try:
            actual = int(self.store.commit(batch))
        except Conflict:
            actual = -1

        assert expected == actual


# The same programs at every run, and no time spent on making the one that fails smaller.
SAME_SEARCH = settings(
    max_examples=1_000,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def run(opened: Factory, how: settings | None = None) -> None:
    """Run the machine on fresh stores, and raise what it found."""

    class Run(Machine):
        open_store = staticmethod(opened)

    # The size comes from the profile: a developer's loop, CI or the long tier.
    search = settings(stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow])
    run_state_machine_as_test(Run, settings=how or search)
