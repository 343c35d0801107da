"""Stores that break one promise each. Every one is a mistake that a real store could make; a named check rejects it."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from types import MappingProxyType

import attrs

from extlink.adapters._bounds import conflict
from extlink.adapters.memory import MemoryStorage
from extlink.errors import Conflict, InvalidInput
from extlink.ports import (
    ABSENT,
    Batch,
    Entries,
    Guard,
    Key,
    Page,
    Position,
    Query,
    Records,
    Storage,
    Stored,
    Version,
    Write,
)

# How long a twin waits for the other thread to step into its gap; the gap is found long before.
GAP_SECONDS = 0.05


class Twin(MemoryStorage):
    """A store that keeps the contract; each subclass breaks one promise of it."""

    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        return batch.guards

    def writes_of(self, batch: Batch) -> tuple[Write, ...]:
        return batch.writes

    def entries_of(self, batch: Batch) -> tuple[bytes, ...]:
        return batch.entries

    def commit(self, batch: Batch) -> Position:
        guards, writes, entries = self.guards_of(batch), self.writes_of(batch), self.entries_of(batch)
        return super().commit(attrs.evolve(batch, guards=guards, writes=writes, entries=entries))


class IgnoresGuards(Twin):
    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        return ()


class IgnoresGuardsOnAbsence(Twin):
    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        return tuple(guard for guard in batch.guards if guard.version != ABSENT)


class IgnoresGuardsOnPresence(Twin):
    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        return tuple(guard for guard in batch.guards if guard.version == ABSENT)


class ChecksTheFirstGuardOnly(Twin):
    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        return batch.guards[:1]


class ChecksTheFirst64GuardsOnly(Twin):
    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        return batch.guards[:64]


class GuardsOnlyWhatIsWritten(Twin):
    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        written = {write.key for write in batch.writes}
        return tuple(guard for guard in batch.guards if guard.key in written)


class IgnoresGuardsOnTheHost(Twin):
    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        return tuple(guard for guard in batch.guards if guard.key.tenant == batch.tenant)


class IgnoresTheExpectedPosition(Twin):
    def commit(self, batch: Batch) -> Position:
        return super().commit(attrs.evolve(batch, expected=None))


class ExpectsThePositionAfterwards(Twin):
    """Compares once its own entries are numbered."""

    def commit(self, batch: Batch) -> Position:
        expected = None if batch.expected is None else Position(batch.expected - len(batch.entries))
        return super().commit(attrs.evolve(batch, expected=expected))


class CountsAllTenants(Twin):
    """Compares with the entries of the whole store."""

    def commit(self, batch: Batch) -> Position:
        if batch.expected not in {None, sum(len(one.entries) for one in self._tenants.values())}:
            raise Conflict("the store moved on")
        return super().commit(batch)


class AsksForThePositionFirst(Twin):
    """Compares before it looks whether the batch was committed already."""

    def commit(self, batch: Batch) -> Position:
        tenant = self._tenants.get(batch.tenant)
        if batch.expected not in {None, len(tenant.entries) if tenant else 0}:
            raise Conflict("the tenant moved on")
        return super().commit(batch)


class LooksAtThePositionThenActs(Twin):
    """Reads the position, and applies the batch afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self._gap = threading.Barrier(2, timeout=GAP_SECONDS)

    def commit(self, batch: Batch) -> Position:
        tenant = self._tenants.get(batch.tenant)
        if batch.expected not in {None, len(tenant.entries) if tenant else 0}:
            raise Conflict("the tenant moved on")
        try:
            self._gap.wait()
        except threading.BrokenBarrierError:
            self._gap.reset()
        return super().commit(attrs.evolve(batch, expected=None))


class TakesLaterVersionsForFresh(Twin):
    """Compares versions by size, as a counter allows."""

    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        return tuple(guard for guard in batch.guards if guard.version < self._find(guard.key)[0])


class ConflictsWhenAnythingChanged(Twin):
    """Guards the tenant instead of the record."""

    def commit(self, batch: Batch) -> Position:
        tenant = self._tenants.get(batch.tenant)
        newest = tenant.entries[-1][0] if tenant and tenant.entries else ABSENT
        for guard in batch.guards:
            if guard.version not in {ABSENT, newest}:
                raise conflict(guard.key)
        return super().commit(batch)


class ChecksThenActs(Twin):
    """Reads the guards, and applies the batch afterwards: READ COMMITTED without the head row."""

    def __init__(self) -> None:
        super().__init__()
        self._gap = threading.Barrier(2, timeout=GAP_SECONDS)

    def commit(self, batch: Batch) -> Position:
        for guard in batch.guards:
            if self.read([guard.key], {})[0].version != guard.version:
                raise conflict(guard.key)
        try:
            self._gap.wait()
        except threading.BrokenBarrierError:
            self._gap.reset()
        return super().commit(attrs.evolve(batch, guards=()))


class WritesBeforeItChecks(Twin):
    """Leaves the first write behind when a guard is stale."""

    def commit(self, batch: Batch) -> Position:
        try:
            return super().commit(batch)
        except Conflict:
            super().commit(attrs.evolve(batch, guards=(), writes=batch.writes[:1], entries=(), id=Version(1)))
            raise


class KeepsTheEntriesOfAConflict(Twin):
    def commit(self, batch: Batch) -> Position:
        try:
            return super().commit(batch)
        except Conflict:
            super().commit(attrs.evolve(batch, guards=(), writes=()))
            raise


class NumbersConflicts(Twin):
    """Takes numbers from a sequence, which a rollback does not give back."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0

    def commit(self, batch: Batch) -> Position:
        try:
            return Position(super().commit(batch) + self.lost)
        except Conflict:
            self.lost += len(batch.entries)
            raise

    def list(self, query: Query) -> Page:
        page = super().list(query)
        if isinstance(query, Records):
            return page
        return page._replace(items=tuple(_renumbered(item, self.lost) for item in page.items))


class OneSequenceForAllTenants(Twin):
    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(1)

    def commit(self, batch: Batch) -> Position:
        super().commit(batch)
        return [Position(next(self.numbers)) for _ in batch.entries or (b"",)][-1]


class ReversesEntries(Twin):
    def entries_of(self, batch: Batch) -> tuple[bytes, ...]:
        return batch.entries[::-1]


class KeepsEqualEntriesOnce(Twin):
    def entries_of(self, batch: Batch) -> tuple[bytes, ...]:
        return tuple(dict.fromkeys(batch.entries))


class LosesTheLastWrite(Twin):
    """Splits large batches and forgets the rest."""

    def writes_of(self, batch: Batch) -> tuple[Write, ...]:
        return batch.writes[:999]


class LosesDeletions(Twin):
    def writes_of(self, batch: Batch) -> tuple[Write, ...]:
        return tuple(write for write in batch.writes if write.value is not None)


class TakesEmptyForAbsent(Twin):
    def writes_of(self, batch: Batch) -> tuple[Write, ...]:
        return tuple(write._replace(value=write.value or None) for write in batch.writes)


class CutsValuesAtNul(Twin):
    """Keeps bytes as text of C."""

    def writes_of(self, batch: Batch) -> tuple[Write, ...]:
        cut = [None if write.value is None else write.value.split(b"\x00")[0] for write in batch.writes]
        return tuple(Write(write.key, value) for write, value in zip(batch.writes, cut, strict=True))


class AppliesABatchTwice(Twin):
    def commit(self, batch: Batch) -> Position:
        tenant = self._tenants.get(batch.tenant)
        if tenant is None or batch.id not in tenant.batches:
            return super().commit(batch)
        del tenant.batches[batch.id]
        return super().commit(attrs.evolve(batch, guards=()))


class CallsARepeatedBatchAConflict(Twin):
    """Checks the guards before it looks for the batch."""

    def commit(self, batch: Batch) -> Position:
        for guard in batch.guards:
            if self.read([guard.key], {})[0].version != guard.version:
                raise conflict(guard.key)
        return super().commit(batch)


class AnswersARepeatedBatchWithToday(Twin):
    def commit(self, batch: Batch) -> Position:
        super().commit(batch)
        return Position(len(self._tenants[batch.tenant].entries))


class OneSetOfBatchesForAllTenants(Twin):
    def commit(self, batch: Batch) -> Position:
        for tenant in self._tenants.values():
            if batch.id in tenant.batches:
                return tenant.batches[batch.id]
        return super().commit(batch)


class RemembersRefusedBatches(Twin):
    def __init__(self) -> None:
        super().__init__()
        self.refused: set[Version] = set()

    def commit(self, batch: Batch) -> Position:
        if batch.id in self.refused:
            raise conflict(batch.guards[0].key)
        try:
            return super().commit(batch)
        except Conflict:
            self.refused.add(batch.id)
            raise


class CountsVersions(Twin):
    """Gives records numbers of its own instead of the batch's id."""

    def __init__(self) -> None:
        super().__init__()
        self.ids = count(1)

    def commit(self, batch: Batch) -> Position:
        return super().commit(attrs.evolve(batch, id=Version(next(self.ids))))


class KeepsVersionsAsFloats(Twin):
    """53 bits, as JSON readers have them."""

    def commit(self, batch: Batch) -> Position:
        return super().commit(attrs.evolve(batch, id=Version(int(float(batch.id)))))


class CreatesAgainWithTheOldVersion(Twin):
    """A tombstone that gives its version to the next record."""

    def commit(self, batch: Batch) -> Position:
        before = {write.key: self._find(write.key) for write in batch.writes}
        position = super().commit(batch)
        records = self._tenants[batch.tenant].records
        for key, value in batch.writes:
            version, _ = before[key]
            if value is None:
                self.graves[key] = version
            elif key in self.graves:
                records[key.path] = (self.graves.pop(key), value)
        return position

    def __init__(self) -> None:
        super().__init__()
        self.graves: dict[Key, Version] = {}


class ReadsKeyByKey(Twin):
    """One answer after the other, each from the store as it is then."""

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        found: list[Stored] = []
        for key in keys:
            found.extend(super().read([key], known))
            self._changed.wait(GAP_SECONDS)
            self._changed.clear()
        return found

    def commit(self, batch: Batch) -> Position:
        position = super().commit(batch)
        self._changed.set()
        return position

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Event()


class ReadsFromALaggingCopy(Twin):
    """A replica, one commit behind."""

    def __init__(self) -> None:
        super().__init__()
        self.copy = MemoryStorage()
        self.late: list[Batch] = []

    def commit(self, batch: Batch) -> Position:
        position = super().commit(batch)
        for late in self.late:
            self.copy.commit(attrs.evolve(late, guards=()))
        self.late = [batch]
        return position

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return self.copy.read(keys, known)


class CallsKnownRecordsUnchangedForEver(Twin):
    """Caches that a record was unchanged, and does not look again."""

    def __init__(self) -> None:
        super().__init__()
        self.unchanged: dict[Key, Version] = {}

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        found = [self._cached(answer, known) for answer in super().read(keys, known)]
        self.unchanged.update({one.key: one.version for one in found if one.version == known.get(one.key)})
        return found

    def _cached(self, answer: Stored, known: Mapping[Key, Version]) -> Stored:
        cached = self.unchanged.get(answer.key, ABSENT)
        return Stored(answer.key, cached, None) if cached and cached == known.get(answer.key) else answer


class SendsKnownValuesAnyway(Twin):
    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return super().read(keys, {})


class TakesAnyKnownVersionForAll(Twin):
    """Leaves every value out as soon as something is known."""

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return [answer._replace(value=None) if known else answer for answer in super().read(keys, known)]


class KnowsVersionsWithoutTheirKeys(Twin):
    """Leaves a value out whenever its version is known for any key."""

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        versions = frozenset(known.values())
        return [
            answer._replace(value=None) if answer.version in versions else answer
            for answer in super().read(keys, known)
        ]


class SortsItsAnswers(Twin):
    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return sorted(super().read(keys, known))


class AnswersRepeatedKeysOnce(Twin):
    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return super().read(list(dict.fromkeys(keys)), known)


class LeavesAbsentKeysOut(Twin):
    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return [answer for answer in super().read(keys, known) if answer.version != ABSENT]


class ReadsWithoutBound(Twin):
    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return [answer for key in keys for answer in super(ReadsWithoutBound, self).read([key], known)]


class RaisesForeignErrors(Twin):
    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        try:
            return super().read(keys, known)
        except InvalidInput as error:
            raise OverflowError(str(error)) from error


class Renamed(Twin):
    """Changes paths or tenants on their way in."""

    def renamed(self, key: Key) -> Key:
        return key

    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        return tuple(guard._replace(key=self.renamed(guard.key)) for guard in batch.guards)

    def writes_of(self, batch: Batch) -> tuple[Write, ...]:
        return tuple({(key := self.renamed(write.key)): Write(key, write.value) for write in batch.writes}.values())

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        answers = super().read([self.renamed(key) for key in keys], known)
        return [answer._replace(key=key) for key, answer in zip(keys, answers, strict=True)]


class FoldsCase(Renamed):
    def renamed(self, key: Key) -> Key:
        return key._replace(path=key.path.lower())


class ComposesLetters(Renamed):
    def renamed(self, key: Key) -> Key:
        text = key.path.decode("utf-8", "surrogateescape")
        return key._replace(path=unicodedata.normalize("NFC", text).encode("utf-8", "surrogateescape"))


class TrimsBlanks(Renamed):
    def renamed(self, key: Key) -> Key:
        return key._replace(path=key.path.replace(b" \x00\x01", b"\x00\x01"))


class CutsPathsAtNul(Renamed):
    """Drops escaped NULs."""

    def renamed(self, key: Key) -> Key:
        return key._replace(path=key.path.replace(b"\x00\xff", b""))


class MixesTenants(Renamed):
    """Finds a record by its path alone."""

    def renamed(self, key: Key) -> Key:
        return key._replace(tenant=b"")

    def commit(self, batch: Batch) -> Position:
        return super().commit(attrs.evolve(batch, tenant=b"", writes=self.writes_of(batch)))


class GluesTenantAndPath(Renamed):
    """One text for both, as in a key-value store."""

    def renamed(self, key: Key) -> Key:
        return Key(b"", key.tenant + key.path)

    def commit(self, batch: Batch) -> Position:
        return super().commit(attrs.evolve(batch, tenant=b"", writes=self.writes_of(batch)))


class ListsBy(Twin):
    """Answers another query than the one asked."""

    def asked(self, query: Records) -> Records:
        return query

    def list(self, query: Query) -> Page:
        return super().list(self.asked(query) if isinstance(query, Records) else query)


class ListsTheWholeTenant(ListsBy):
    def asked(self, query: Records) -> Records:
        return query._replace(prefix=b"")


class ForgetsWhereAPageStarts(ListsBy):
    def asked(self, query: Records) -> Records:
        return query._replace(after=b"")


class TakesPercentForAnything(ListsBy):
    """Uses LIKE for prefixes."""

    def asked(self, query: Records) -> Records:
        return query._replace(prefix=query.prefix.partition(b"%")[0])


class ShowsTheStartOfAPageAgain(Twin):
    def list(self, query: Query) -> Page:
        page = super().list(query)
        if isinstance(query, Entries) or not query.after:
            return page
        again = self.read([Key(query.tenant, query.after)], {})
        return Page((*(found for found in again if found.version), *page.items)[: query.limit], page.more)


class SkipsARecordBetweenPages(Twin):
    """Counts an offset that a deletion has moved."""

    def list(self, query: Query) -> Page:
        page = super().list(query)
        return page._replace(items=page.items[1:]) if isinstance(query, Records) and query.after else page


class SkipsAnEntryBetweenPages(Twin):
    def list(self, query: Query) -> Page:
        if isinstance(query, Entries) and query.after:
            query = query._replace(after=Position(query.after + 1))
        return super().list(query)


class SaysMoreWhenAPageIsFull(Twin):
    def list(self, query: Query) -> Page:
        page = super().list(query)
        return page._replace(more=len(page.items) == query.limit)


class NeverSaysMore(Twin):
    def list(self, query: Query) -> Page:
        return super().list(query)._replace(more=False)


class ListsWithoutCase(Twin):
    """Sorts by a collation."""

    def list(self, query: Query) -> Page:
        page = super().list(query)
        return page._replace(items=tuple(sorted(page.items, key=lambda item: item.key.path.lower())))


class ListsDeletedRecords(Twin):
    """Hides a deleted record from reads, but not from lists."""

    def list(self, query: Query) -> Page:
        page = super().list(query)
        gone = tuple(Stored(key, ABSENT, b"") for key in self.graves if isinstance(query, Records))
        return page._replace(items=tuple(sorted((*page.items, *gone))))

    def commit(self, batch: Batch) -> Position:
        self.graves.update(write.key for write in batch.writes if write.value is None and self._find(write.key)[0])
        return super().commit(batch)

    def __init__(self) -> None:
        super().__init__()
        self.graves: set[Key] = set()


class ListsOneMoreThanAsked(Twin):
    """Asks for one more, to know whether anything follows, and shows it."""

    def list(self, query: Query) -> Page:
        return super().list(query._replace(limit=query.limit + 1 if 1 <= query.limit < 1_000 else query.limit))


class ListsWithoutLimit(Twin):
    def list(self, query: Query) -> Page:
        return super().list(query._replace(limit=min(max(query.limit, 1), 1_000)))


class CommitsInTwoHalves(Twin):
    """Writes in two transactions, each of them whole."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = threading.Event()

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        self._seen.set()
        return super().read(keys, known)

    def commit(self, batch: Batch) -> Position:
        half = len(batch.writes) // 2
        super().commit(attrs.evolve(batch, writes=batch.writes[:half], entries=()))
        self._seen.clear()
        self._seen.wait(GAP_SECONDS)
        return super().commit(attrs.evolve(batch, guards=(), writes=batch.writes[half:]))


class ReadsFromEitherOfTwoCopies(Twin):
    """Asks the primary and a replica, one commit behind, in turns."""

    def __init__(self) -> None:
        super().__init__()
        self.copy = MemoryStorage()
        self.late: list[Batch] = []
        self.reads = count()

    def commit(self, batch: Batch) -> Position:
        position = super().commit(batch)
        for late in self.late:
            self.copy.commit(attrs.evolve(late, guards=()))
        self.late = [batch]
        return position

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        if next(self.reads) % 2 and self.copy.list(Entries(b"acme", limit=1)).items:
            return self.copy.read(keys, known)
        return super().read(keys, known)


class SaysMoreAfterNothing(Twin):
    def list(self, query: Query) -> Page:
        page = super().list(query)
        return page if page.items else page._replace(more=True)


class StartsNumbersAtZero(Twin):
    def list(self, query: Query) -> Page:
        page = super().list(query)
        if isinstance(query, Records):
            return page
        return page._replace(items=tuple(_renumbered(item, -1) for item in page.items))


class LeavesAGapAfterABatch(Twin):
    """Counts batches and entries in one sequence."""

    def commit(self, batch: Batch) -> Position:
        tenant = self._tenants.get(batch.tenant)
        known = tenant is not None and batch.id in tenant.batches
        position = super().commit(batch)
        if batch.entries and not known:
            super().commit(attrs.evolve(batch, id=Version(batch.id ^ 1 or 2), guards=(), writes=(), entries=(b"",)))
        return position


class WritesIntoTheFirstTenant(Twin):
    """A connection that remembers the tenant it was opened for."""

    def __init__(self) -> None:
        super().__init__()
        self.first: bytes | None = None

    def commit(self, batch: Batch) -> Position:
        self.first = self.first or batch.tenant
        writes = tuple(write._replace(key=write.key._replace(tenant=self.first)) for write in batch.writes)
        return super().commit(attrs.evolve(batch, tenant=self.first, writes=writes))


class OverwritesEntries(Twin):
    """Keeps one entry per record: the newest."""

    def list(self, query: Query) -> Page:
        page = super().list(query)
        if isinstance(query, Records):
            return page
        newest = {item.version: item for item in page.items}
        return page._replace(items=tuple(newest.values()))


class FindsRecordsWithTheirPrefixAlone(Twin):
    """An index over the first 64 bytes."""

    def guards_of(self, batch: Batch) -> tuple[Guard, ...]:
        return tuple(guard._replace(key=_cut(guard.key)) for guard in batch.guards)

    def writes_of(self, batch: Batch) -> tuple[Write, ...]:
        return tuple({(key := _cut(write.key)): Write(key, write.value) for write in batch.writes}.values())

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        answers = super().read([_cut(key) for key in keys], known)
        return [answer._replace(key=key) for key, answer in zip(keys, answers, strict=True)]


class AnswersBeforeItWrites(Twin):
    """Returns the position, and writes when it is asked for the next thing."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[Batch] = []

    def commit(self, batch: Batch) -> Position:
        for one in self.late:
            super().commit(one)
        self.late = []
        done = super().commit(attrs.evolve(batch, writes=()))
        self.late = [attrs.evolve(batch, id=batch.id, guards=(), entries=())]
        return done


class TakesAMissingGuardForAnError(Twin):
    """Raises what its driver raises where a guarded row is not there."""

    def commit(self, batch: Batch) -> Position:
        for guard in batch.guards:
            if guard.version != ABSENT and self._find(guard.key)[0] == ABSENT:
                raise KeyError(guard.key)
        return super().commit(batch)


def _cut(key: Key) -> Key:
    return key._replace(path=key.path[:64])


class Forgets(Twin):
    """Keeps nothing on disk: for the checks of stores that should."""


def _renumbered(item: Stored, by: int) -> Stored:
    number = int.from_bytes(item.key.path, "big") + by
    return item._replace(key=item.key._replace(path=number.to_bytes(8, "big")))


# Each with the check that must reject it.
TWINS: MappingProxyType[Callable[[], Storage], str] = MappingProxyType(
    {
        IgnoresTheExpectedPosition: "another_position_than_expected_is_a_conflict",
        ExpectsThePositionAfterwards: "an_expected_position_that_holds_lets_the_batch_through",
        CountsAllTenants: "an_expected_position_is_the_tenants_own",
        LooksAtThePositionThenActs: "one_expected_position_lets_one_batch_through",
        AsksForThePositionFirst: "a_batch_with_an_expected_position_is_applied_once",
        IgnoresGuards: "a_stale_guard_is_a_conflict",
        IgnoresGuardsOnAbsence: "a_guard_on_absence_is_a_conflict_once_present",
        IgnoresGuardsOnPresence: "a_guard_on_presence_is_a_conflict_once_deleted",
        ChecksTheFirstGuardOnly: "every_guard_is_checked",
        ChecksTheFirst64GuardsOnly: "every_guard_is_checked",
        GuardsOnlyWhatIsWritten: "a_guard_without_a_write_guards",
        IgnoresGuardsOnTheHost: "a_guard_on_the_hosts_record",
        TakesLaterVersionsForFresh: "versions_are_compared_for_equality_only",
        ConflictsWhenAnythingChanged: "only_guards_make_a_conflict",
        ChecksThenActs: "crossed_guards_on_absence_never_both_hold",
        WritesBeforeItChecks: "a_conflict_writes_nothing",
        KeepsTheEntriesOfAConflict: "a_conflict_writes_nothing",
        NumbersConflicts: "a_conflict_numbers_nothing",
        OneSequenceForAllTenants: "every_tenant_has_its_own_numbers",
        ReversesEntries: "entries_are_numbered_from_1_without_gaps",
        KeepsEqualEntriesOnce: "entries_are_kept_byte_for_byte",
        LosesTheLastWrite: "1000_writes_in_one_batch",
        LosesDeletions: "a_deleted_record_is_absent_and_unlisted",
        TakesEmptyForAbsent: "an_empty_value_is_not_absence",
        CutsValuesAtNul: "every_value_comes_back",
        AppliesABatchTwice: "a_batch_is_applied_once",
        CallsARepeatedBatchAConflict: "a_batch_is_applied_once",
        AnswersARepeatedBatchWithToday: "a_batch_is_applied_once",
        OneSetOfBatchesForAllTenants: "a_batch_id_belongs_to_its_tenant",
        RemembersRefusedBatches: "a_refused_batch_may_be_committed_later",
        CountsVersions: "a_written_record_has_the_batch_id_as_version",
        KeepsVersionsAsFloats: "a_version_of_63_bits_survives",
        CreatesAgainWithTheOldVersion: "a_record_created_again_has_a_new_version",
        ReadsKeyByKey: "a_read_is_one_snapshot",
        ReadsFromALaggingCopy: "a_finished_commit_is_seen_by_every_thread",
        CallsKnownRecordsUnchangedForEver: "a_changed_record_is_never_unchanged",
        SendsKnownValuesAnyway: "a_known_version_comes_without_its_value",
        TakesAnyKnownVersionForAll: "a_known_version_comes_without_its_value",
        KnowsVersionsWithoutTheirKeys: "a_version_is_known_for_its_own_key_alone",
        SortsItsAnswers: "answers_come_in_the_order_of_the_keys",
        AnswersRepeatedKeysOnce: "a_key_asked_for_twice_is_answered_twice",
        LeavesAbsentKeysOut: "an_absent_record_has_version_0",
        ReadsWithoutBound: "64_keys_are_read_and_65_refused",
        RaisesForeignErrors: "64_keys_are_read_and_65_refused",
        FoldsCase: "identifiers_are_equal_only_if_their_bytes_are",
        ComposesLetters: "identifiers_are_equal_only_if_their_bytes_are",
        TrimsBlanks: "identifiers_are_equal_only_if_their_bytes_are",
        CutsPathsAtNul: "identifiers_are_equal_only_if_their_bytes_are",
        MixesTenants: "tenants_are_apart",
        GluesTenantAndPath: "tenant_and_path_do_not_run_together",
        ListsTheWholeTenant: "a_list_keeps_to_its_prefix",
        ForgetsWhereAPageStarts: "a_page_starts_after_its_path",
        TakesPercentForAnything: "a_list_keeps_to_its_prefix",
        ShowsTheStartOfAPageAgain: "pages_hold_every_record_once",
        SkipsARecordBetweenPages: "pages_hold_every_record_once",
        SkipsAnEntryBetweenPages: "entries_come_in_pages",
        SaysMoreWhenAPageIsFull: "more_says_whether_anything_follows",
        NeverSaysMore: "pages_hold_every_record_once",
        ListsWithoutCase: "a_list_follows_the_bytes",
        ListsDeletedRecords: "a_deleted_record_is_absent_and_unlisted",
        ListsOneMoreThanAsked: "pages_hold_every_record_once",
        ListsWithoutLimit: "a_limit_is_1_to_1000",
        CommitsInTwoHalves: "a_read_is_one_snapshot",
        ReadsFromEitherOfTwoCopies: "a_read_is_one_snapshot",
        SaysMoreAfterNothing: "a_list_keeps_to_its_prefix",
        StartsNumbersAtZero: "entries_are_numbered_from_1_without_gaps",
        LeavesAGapAfterABatch: "entries_are_numbered_from_1_without_gaps",
        WritesIntoTheFirstTenant: "a_list_keeps_to_its_tenant",
        OverwritesEntries: "entries_are_numbered_from_1_without_gaps",
        FindsRecordsWithTheirPrefixAlone: "identifiers_are_equal_only_if_their_bytes_are",
        AnswersBeforeItWrites: "a_finished_commit_is_seen_by_every_thread",
        TakesAMissingGuardForAnError: "a_guard_on_presence_is_a_conflict_once_deleted",
        Forgets: "what_was_committed_is_there_after_opening_again",
    }
)
