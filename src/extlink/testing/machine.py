"""Random programs over any store, each call answered as a model answers that is too simple to be wrong.

Rule: the model shares nothing with any store: two plain collections, the contract written down in as few lines as it
takes. What differs is shrunk by Hypothesis to the shortest program that shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from extlink.errors import Conflict
from extlink.ports import ABSENT, Batch, Entries, Guard, Key, Page, Position, Records, Storage, Stored, Version, Write
from extlink.testing.probes import AT, ContractBroken, OpenStore, shown

__all__ = ["Model", "Programs", "run_programs"]

# Few names, so that records are met again; look-alikes have a check of their own.
_TENANTS: Final = (b"acme", b"~host")
_NAMES: Final = (b"a", b"a\x00", b"ab", b"b", b"\xff", b"")
_LARGE: Final = b"x" * 65_536
_STEPS: Final = 30
# What the model says instead of a position.
_CONFLICT: Final = -1

_tenants = st.sampled_from(_TENANTS)
_names = st.sampled_from(_NAMES)
_keys = st.builds(Key, _tenants, _names)
_values = st.one_of(st.none(), st.binary(max_size=8), st.sampled_from([b"", _LARGE]))
_ids = st.integers(1, 2**63 - 1).map(Version)
_positions = st.integers(0, 12).map(Position)
_bodies = st.lists(st.binary(max_size=4), max_size=3)


class Model:
    """The contract over two plain collections.

    >>> model = Model()
    >>> model.commit(Batch(tenant=b"acme", id=Version(7), guards=(), writes=(), entries=(b"e",), at=AT))
    1
    """

    def __init__(self) -> None:
        self.records: dict[Key, tuple[Version, bytes]] = {}
        self.entries: list[tuple[bytes, Version, bytes]] = []

    def read(self, asked: Iterable[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """Return what `Storage.read` must return."""
        found: list[Stored] = []
        for key in asked:
            version, value = self.records.get(key, (ABSENT, None))
            found.append(Stored(key, version, None if version == known.get(key) else value))
        return found

    def list(self, query: Records | Entries) -> Page:
        """Return what `Storage.list` must return."""
        found = self._records(query) if isinstance(query, Records) else self._entries(query)
        return Page(tuple(found[: query.limit]), len(found) > query.limit)

    def commit(self, batch: Batch) -> int:
        """Return the position that `Storage.commit` must return, or -1 where it must raise `Conflict`."""
        of_tenant = [version for tenant, version, _ in self.entries if tenant == batch.tenant]
        if batch.id in of_tenant:
            return max(number for number, version in enumerate(of_tenant, 1) if version == batch.id)
        if any(self.records.get(guard.key, (ABSENT, b""))[0] != guard.version for guard in batch.guards):
            return _CONFLICT
        if batch.expected not in {None, len(of_tenant)}:
            return _CONFLICT
        for key, value in batch.writes:
            self.records.pop(key, None)
            if value is not None:
                self.records[key] = (batch.id, value)
        self.entries += [(batch.tenant, batch.id, body) for body in batch.entries]
        return len(of_tenant) + len(batch.entries)

    def position(self, tenant: bytes) -> Position:
        """Return how many entries a tenant's ledger holds."""
        return Position(sum(1 for owner, _, _ in self.entries if owner == tenant))

    def _records(self, query: Records) -> Sequence[Stored]:
        keys = sorted(key for key in self.records if key.tenant == query.tenant)
        left = [key for key in keys if key.path.startswith(query.prefix) and key.path > query.after]
        return [Stored(key, *self.records[key]) for key in left]

    def _entries(self, query: Entries) -> Sequence[Stored]:
        of_tenant = [(version, body) for tenant, version, body in self.entries if tenant == query.tenant]
        return [
            Stored(Key(query.tenant, number.to_bytes(8)), version, body)
            for number, (version, body) in enumerate(of_tenant, 1)
            if number > query.after
        ]


class Programs(RuleBasedStateMachine):
    """Random calls to a store and to the model; subclasses say how a store is opened.

    >>> from extlink import MemoryStorage
    >>> class Memory(Programs):
    ...     def open_store(self) -> Storage:
    ...         return MemoryStorage()
    """

    def open_store(self) -> Storage:
        """Open a fresh, empty store."""
        raise NotImplementedError("a subclass says how a store is opened; run_programs makes one")

    @initialize()
    def start(self) -> None:
        """Open a fresh store."""
        self.store: Storage = self.open_store()
        self.model: Model = Model()
        self.batches: list[Batch] = []
        self.seen: list[Version] = [ABSENT]
        self.answered: Sequence[Stored] = ()

    @rule(data=st.data(), tenant=_tenants, version=_ids, entries=_bodies)
    def commit(self, data: st.DataObject, tenant: bytes, version: Version, entries: list[bytes]) -> None:
        """Commit a batch; two thirds of those with guards hold."""
        paths = data.draw(st.lists(_names, max_size=4, unique=True))
        writes = [Write(Key(tenant, path), data.draw(_values)) for path in paths]
        read = self.model.read(data.draw(st.lists(_keys, max_size=4)), {})
        guards = [Guard(stored.key, stored.version) for stored in read]
        if guards and data.draw(st.integers(0, 2)) == 0:
            place = data.draw(st.integers(0, len(guards) - 1))
            other = data.draw(st.one_of(st.just(ABSENT), st.sampled_from(self.seen)))
            guards[place] = guards[place]._replace(version=other)
        one = Batch(
            tenant=tenant,
            id=version,
            guards=tuple(guards),
            writes=tuple(writes),
            entries=tuple(entries),
            at=AT,
            expected=data.draw(st.one_of(st.none(), st.just(self.model.position(tenant)), _positions)),
        )
        self.batches.append(one)
        self.seen.append(one.id)
        self._commit(one)

    @rule(data=st.data())
    def commit_again(self, data: st.DataObject) -> None:
        """Commit a batch whose answer was lost, or that was refused before."""
        if self.batches:
            self._commit(data.draw(st.sampled_from(self.batches)))

    @rule(asked=st.lists(_keys, max_size=12), data=st.data())
    def read(self, asked: list[Key], data: st.DataObject) -> None:
        """Read some keys, knowing some versions."""
        known = data.draw(st.dictionaries(_keys, st.sampled_from(self.seen), max_size=3))
        # Mostly a caller knows what it read before.
        known |= {stored.key: stored.version for stored in self.answered if data.draw(st.booleans())}
        expected = self.model.read(asked, known)
        _alike("read", list(expected), list(self.store.read(asked, known)))
        self.answered = expected

    @rule(tenant=_tenants, prefix=st.one_of(st.just(b""), _names), after=_names, limit=st.integers(1, 4))
    def list_records(self, tenant: bytes, prefix: bytes, after: bytes, limit: int) -> None:
        """List records from anywhere."""
        query = Records(tenant, prefix, after, limit)
        _alike("list", self.model.list(query), self.store.list(query))

    @rule(tenant=_tenants, after=_positions, limit=st.integers(1, 4))
    def list_entries(self, tenant: bytes, after: Position, limit: int) -> None:
        """List entries from anywhere."""
        query = Entries(tenant, after, limit)
        _alike("list", self.model.list(query), self.store.list(query))

    def teardown(self) -> None:
        """Close the store, if it can be closed."""
        close = getattr(getattr(self, "store", None), "close", None)
        if close is not None:
            close()

    def _commit(self, batch: Batch) -> None:
        expected = self.model.commit(batch)
        try:
            actual = int(self.store.commit(batch))
        except Conflict:
            actual = _CONFLICT
        _alike("commit (-1 is a conflict)", expected, actual)


def _alike(call: str, expected: object, actual: object) -> None:
    if expected != actual:
        problem = f"{call}: the model answers {shown(expected)}, the store {shown(actual)}"
        raise ContractBroken(problem, "random programs beside a model")


def run_programs(opened: OpenStore, *, programs: int | None = None, same: bool = False) -> None:
    """Run random programs on fresh stores, and raise the shortest that a store answers otherwise than the model.

    Args:
        opened: opens a fresh, empty store at each call; what has a `close` is closed.
        programs: how many; None: as many as the Hypothesis profile says.
        same: run the same programs at every call, and do not look for a shorter one.

    Raises:
        ContractBroken: what the model answers and what the store does; Hypothesis prints the program.

    >>> from extlink import MemoryStorage
    >>> run_programs(MemoryStorage, programs=5)
    """

    class Run(Programs):
        def open_store(self) -> Storage:
            return opened()

    slow = [HealthCheck.too_slow]
    how = settings(stateful_step_count=_STEPS, suppress_health_check=slow, deadline=None)
    if programs is not None:
        how = settings(how, max_examples=programs)
    if same:
        how = settings(how, derandomize=True, database=None, phases=[Phase.generate])
    run_state_machine_as_test(Run, settings=how)
