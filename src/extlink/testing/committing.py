"""Checks of `commit`: guards, all or nothing, and one batch applied once."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from extlink.errors import Conflict
from extlink.ports import ABSENT, MAX_WRITES, Batch, Guard, Key, Position, Version, Write
from extlink.testing.probes import (
    HOST,
    OpenStore,
    at,
    batch,
    expect,
    ledger,
    look,
    paths,
    put,
    refused,
    values,
    version,
    versions,
)

__all__: list[str] = []


def expecting(
    position: int, *writes: Write, guards: Iterable[Guard] = (), entries: Iterable[bytes] = (b"entry",)
) -> Batch:
    """Return a batch for a tenant at a position."""
    return attrs.evolve(batch(*writes, guards=guards, entries=entries), expected=Position(position))


def check_a_guard_that_holds_lets_the_batch_through(open_store: OpenStore) -> None:
    """The record still has the version that was read."""
    store = open_store()
    read = put(store, at(b"a"), b"old")
    store.commit(batch(Write(at(b"a"), b"new"), guards=[Guard(at(b"a"), read)]))
    expect([b"new"], values(store, at(b"a")), "after a guarded write")


def check_a_stale_guard_is_a_conflict(open_store: OpenStore) -> None:
    """The record changed since it was read."""
    store = open_store()
    read = put(store, at(b"a"), b"old")
    put(store, at(b"a"), b"newer")
    stale = batch(Write(at(b"a"), b"lost update"), guards=[Guard(at(b"a"), read)])
    refused(Conflict, "a write over a newer one", store.commit, stale)
    expect([b"newer"], values(store, at(b"a")), "after the conflict")


def check_a_guard_compares_versions_and_not_values(open_store: OpenStore) -> None:
    """The same value written again is another version."""
    store = open_store()
    read = put(store, at(b"a"), b"same")
    put(store, at(b"a"), b"same")
    stale = batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), read)])
    refused(Conflict, "the same value, written again", store.commit, stale)


def check_versions_are_compared_for_equality_only(open_store: OpenStore) -> None:
    """A guard with a larger or smaller version than the record's is stale either way."""
    store = open_store()
    read = put(store, at(b"a"), b"x")
    for other in {1, read - 1, read + 1, 2**63 - 1} - {0, read}:
        stale = batch(Write(at(b"a"), b"y"), guards=[Guard(at(b"a"), Version(other))])
        refused(Conflict, "a guard that names another version", store.commit, stale)


def check_a_guard_on_absence_holds_while_absent(open_store: OpenStore) -> None:
    """What was absent and still is may be created."""
    store = open_store()
    store.commit(batch(Write(at(b"a"), b"first"), guards=[Guard(at(b"a"), ABSENT)]))
    expect([b"first"], values(store, at(b"a")), "a record created")


def check_a_guard_on_absence_is_a_conflict_once_present(open_store: OpenStore) -> None:
    """What was absent and was created meanwhile is not created twice."""
    store = open_store()
    put(store, at(b"a"), b"first")
    second = batch(Write(at(b"a"), b"second"), guards=[Guard(at(b"a"), ABSENT)])
    refused(Conflict, "creating what is there", store.commit, second)
    expect([b"first"], values(store, at(b"a")), "after the conflict")


def check_a_guard_on_presence_is_a_conflict_once_deleted(open_store: OpenStore) -> None:
    """What was read and was deleted meanwhile is not written."""
    store = open_store()
    read = put(store, at(b"a"), b"x")
    put(store, at(b"a"), None)
    stale = batch(Write(at(b"a"), b"back from the dead"), guards=[Guard(at(b"a"), read)])
    refused(Conflict, "writing what was deleted", store.commit, stale)
    expect([None], values(store, at(b"a")), "after the conflict")


def check_a_record_created_again_has_a_new_version(open_store: OpenStore) -> None:
    """Delete and create again with the same value: an old guard does not hold."""
    store = open_store()
    read = put(store, at(b"a"), b"same")
    put(store, at(b"a"), None)
    again = put(store, at(b"a"), b"same")
    expect([again], versions(store, at(b"a")), "the version of the new record")
    stale = batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), read)])
    refused(Conflict, "a guard from before the deletion", store.commit, stale)


def check_every_guard_is_checked(open_store: OpenStore) -> None:
    """One stale guard among many is enough, wherever it stands, and on records that are not written."""
    store = open_store()
    keys = [at(b"%03d" % number) for number in range(200)]
    store.commit(first := batch(*[Write(key, b"x") for key in keys]))
    fresh = [Guard(key, first.id) for key in keys]
    for place in (0, 1, 63, 64, 100, 199):
        for wrong in (ABSENT, version()):
            guards = [*fresh[:place], Guard(keys[place], wrong), *fresh[place + 1 :]]
            stale = batch(Write(at(b"new"), b"x"), guards=guards)
            refused(Conflict, f"guard {place} of 200 is stale", store.commit, stale)
    store.commit(batch(Write(at(b"new"), b"x"), guards=fresh))
    expect([b"x"], values(store, at(b"new")), "with 200 guards that hold")


def check_a_guard_without_a_write_guards(open_store: OpenStore) -> None:
    """What was read and is not written is guarded as well, or two batches could each miss the other's write."""
    store = open_store()
    read = put(store, at(b"policy"), b"allow")
    put(store, at(b"policy"), b"deny")
    stale = batch(Write(at(b"link"), b"live"), guards=[Guard(at(b"policy"), read)])
    refused(Conflict, "acting under a policy that changed", store.commit, stale)


def check_only_guards_make_a_conflict(open_store: OpenStore) -> None:
    """Other records may change at will, and a write without a guard always goes through."""
    store = open_store()
    read = put(store, at(b"a"), b"x")
    for other in (at(b"b"), at(b"a", b"other"), at(b"a\x00"), at(b"A")):
        put(store, other, b"y")
    store.commit(batch(Write(at(b"a"), b"guarded"), guards=[Guard(at(b"a"), read)]))
    put(store, at(b"a"), b"blind")
    expect([b"blind"], values(store, at(b"a")), "a write without a guard")


def check_a_guard_on_the_hosts_record(open_store: OpenStore) -> None:
    """A tenant's batch may depend on a record of `~host`, present or absent."""
    store = open_store()
    quarantine = at(b"s", HOST)
    absent = batch(Write(at(b"a"), b"1"), guards=[Guard(quarantine, ABSENT)])
    store.commit(absent)
    read = put(store, quarantine, b"quarantined")
    stale = batch(Write(at(b"a"), b"2"), guards=[Guard(quarantine, ABSENT)])
    refused(Conflict, "the host's record appeared", store.commit, stale)
    store.commit(batch(Write(at(b"a"), b"3"), guards=[Guard(quarantine, read)]))
    put(store, quarantine, None)
    gone = batch(Write(at(b"a"), b"4"), guards=[Guard(quarantine, read)])
    refused(Conflict, "the host's record is gone", store.commit, gone)
    expect([b"3"], values(store, at(b"a")), "the tenant's record")


def check_an_expected_position_that_holds_lets_the_batch_through(open_store: OpenStore) -> None:
    """The tenant's ledger is where the caller saw it, from its first entry on."""
    store = open_store()
    expect(1, store.commit(expecting(0, Write(at(b"a"), b"first"))), "the first commit of a tenant")
    expect(2, store.commit(expecting(1, Write(at(b"a"), b"second"))), "the second")
    expect([b"second"], values(store, at(b"a")), "after both")


def check_another_position_than_expected_is_a_conflict(open_store: OpenStore) -> None:
    """The tenant moved on since the caller looked, or never was so far: nothing is written, whatever the guards say."""
    store = open_store()
    read = put(store, at(b"a"), b"old")
    put(store, at(b"b"), b"x")
    before = paths(store), ledger(store), look(store, at(b"a"))
    for wrong in (0, 1, 3, 2**40):
        for entries in ((b"entry",), ()):
            late = expecting(wrong, Write(at(b"a"), b"new"), guards=[Guard(at(b"a"), read)], entries=entries)
            refused(Conflict, f"a batch for position {wrong} at 2", store.commit, late)
    refused(Conflict, "an empty batch for position 1 at 2", store.commit, expecting(1, entries=()))
    expect(before, (paths(store), ledger(store), look(store, at(b"a"))), "the store after the conflicts")
    expect(3, store.commit(expecting(2, Write(at(b"a"), b"new"), guards=[Guard(at(b"a"), read)])), "in time")


def check_an_expected_position_is_the_tenants_own(open_store: OpenStore) -> None:
    """Other tenants move on as they like, and so do records that no entry tells of."""
    store = open_store()
    put(store, at(b"a", b"other"), b"x")
    store.commit(batch(Write(at(b"n"), b"used"), entries=()))
    expect(1, store.commit(expecting(0, Write(at(b"a"), b"x"))), "the first entry of the tenant")


def check_a_batch_with_an_expected_position_is_applied_once(open_store: OpenStore) -> None:
    """Its own entries moved the position: committed once more, it is known and no conflict."""
    store = open_store()
    one = expecting(0, Write(at(b"a"), b"first"))
    expect(1, store.commit(one), "the position")
    expect(1, store.commit(one), "the position, asked again")
    expect([(1, b"entry")], ledger(store), "the ledger")


def check_a_conflict_writes_nothing(open_store: OpenStore) -> None:
    """No record written, none deleted, no entry kept."""
    store = open_store()
    put(store, at(b"keep"), b"kept")
    before = paths(store), ledger(store), look(store, at(b"keep"))
    writes = [Write(at(b"new"), b"x"), Write(at(b"keep"), None), Write(at(b"other"), b"x")]
    stale = batch(*writes, guards=[Guard(at(b"keep"), ABSENT)], entries=[b"1", b"2"])
    refused(Conflict, "a stale batch", store.commit, stale)
    expect(before, (paths(store), ledger(store), look(store, at(b"keep"))), "the store after a conflict")


def check_a_refused_batch_may_be_committed_later(open_store: OpenStore) -> None:
    """A conflict leaves no trace of the batch's id."""
    store = open_store()
    put(store, at(b"a"), b"x")
    late = batch(Write(at(b"b"), b"y"), guards=[Guard(at(b"a"), ABSENT)])
    refused(Conflict, "too early", store.commit, late)
    put(store, at(b"a"), None)
    expect(3, store.commit(late), "its position")
    expect([b"y"], values(store, at(b"b")), "its write")


def check_a_batch_is_applied_once(open_store: OpenStore) -> None:
    """The same batch again - its answer was lost - changes nothing and has the same position."""
    store = open_store()
    one = batch(Write(at(b"a"), b"first"), guards=[Guard(at(b"a"), ABSENT)], entries=[b"1", b"2"])
    position = store.commit(one)
    expect(position, store.commit(one), "the position, asked again at once")
    put(store, at(b"a"), b"second")
    expect(position, store.commit(one), "the position, asked again after another commit")
    expect([b"second"], values(store, at(b"a")), "the record")
    expect([(1, b"1"), (2, b"2"), (3, b"entry")], ledger(store), "the ledger")


def check_a_batch_that_deletes_is_applied_once(open_store: OpenStore) -> None:
    """A deletion asked for again does not delete what was created since."""
    store = open_store()
    read = put(store, at(b"a"), b"x")
    gone = batch(Write(at(b"a"), None), guards=[Guard(at(b"a"), read)])
    position = store.commit(gone)
    put(store, at(b"a"), b"new")
    expect(position, store.commit(gone), "the position, asked again")
    expect([b"new"], values(store, at(b"a")), "what was created since")


def check_a_batch_id_belongs_to_its_tenant(open_store: OpenStore) -> None:
    """The same id in another tenant is another batch."""
    store = open_store()
    one = batch(Write(at(b"a"), b"acme's"))
    store.commit(one)
    other = at(b"a", b"other")
    store.commit(attrs.evolve(one, tenant=b"other", writes=(Write(other, b"other's"),)))
    expect([b"acme's", b"other's"], values(store, at(b"a"), other), "both tenants' records")


def check_a_batch_without_entries_is_applied(open_store: OpenStore) -> None:
    """It writes its records and moves no position."""
    store = open_store()
    expect(0, store.commit(batch(Write(at(b"n"), b"used"), entries=())), "the position of an empty ledger")
    put(store, at(b"a"), b"x")
    expect(1, store.commit(batch(Write(at(b"n"), b"used again"), entries=())), "the position")
    expect([b"used again"], values(store, at(b"n")), "the record")


def check_an_empty_batch_answers_the_position(open_store: OpenStore) -> None:
    """Nothing to do: the tenant's position comes back."""
    store = open_store()
    expect(0, store.commit(batch(entries=())), "in a tenant that never was")
    put(store, at(b"a"), b"x")
    expect(1, store.commit(batch(entries=())), "after one entry")
    stale = batch(guards=[Guard(at(b"a"), ABSENT)], entries=())
    refused(Conflict, "an empty batch with a stale guard", store.commit, stale)


def check_deleting_what_is_absent_is_no_error(open_store: OpenStore) -> None:
    """The record is absent afterwards, as asked."""
    store = open_store()
    store.commit(batch(Write(at(b"a"), None), Write(at(b"b"), b"x")))
    expect([None, b"x"], values(store, at(b"a"), at(b"b")), "after deleting nothing")


def check_a_deleted_record_is_absent_and_unlisted(open_store: OpenStore) -> None:
    """Deleting leaves nothing to read or to list."""
    store = open_store()
    store.commit(batch(Write(at(b"a"), b"1"), Write(at(b"b"), b"2"), Write(at(b"c"), b"3")))
    paths(store)
    store.commit(batch(Write(at(b"b"), None)))
    expect([b"1", None, b"3"], values(store, at(b"a"), at(b"b"), at(b"c")), "the records")
    expect([b"a", b"c"], paths(store), "the list")
    expect([ABSENT], versions(store, at(b"b")), "the version")


def check_writes_and_deletions_of_one_batch(open_store: OpenStore) -> None:
    """A batch may create, replace and delete at once."""
    store = open_store()
    store.commit(batch(Write(at(b"replaced"), b"old"), Write(at(b"deleted"), b"old")))
    store.commit(batch(Write(at(b"deleted"), None), Write(at(b"created"), b"new"), Write(at(b"replaced"), b"new")))
    expect([b"new", b"new", None], values(store, at(b"created"), at(b"replaced"), at(b"deleted")), "all three")


def check_1000_writes_in_one_batch(open_store: OpenStore) -> None:
    """The largest batch is applied to the last write and the last entry."""
    store = open_store()
    keys = [at(b"%04d" % number) for number in range(MAX_WRITES)]
    entries = [b"entry %d" % number for number in range(MAX_WRITES)]
    expect(MAX_WRITES, store.commit(batch(*[Write(key, key.path) for key in keys], entries=entries)), "the position")
    for start in range(0, MAX_WRITES, 50):
        some = keys[start : start + 50]
        expect([key.path for key in some], values(store, *some), f"the writes from {start} on")
    expect([(number + 1, body) for number, body in enumerate(entries)], ledger(store), "the entries")


def check_tenants_are_apart(open_store: OpenStore) -> None:
    """A write, a deletion or a guard in one tenant touches no other."""
    store = open_store()
    here, there = at(b"a"), Key(b"acme2", b"a")
    read = put(store, here, b"here")
    put(store, there, b"there")
    expect([b"here", b"there"], values(store, here, there), "both records")
    put(store, there, None)
    expect([b"here", None], values(store, here, there), "after a deletion in one")
    store.commit(batch(Write(here, b"still mine"), guards=[Guard(here, read)]))


def check_tenant_and_path_do_not_run_together(open_store: OpenStore) -> None:
    """The keys ("ab", "c") and ("a", "bc") are two records."""
    store = open_store()
    pairs = [Key(b"ab", b"c"), Key(b"a", b"bc"), Key(b"abc", b""), Key(b"", b"abc")]
    for number, key in enumerate(pairs):
        put(store, key, b"%d" % number)
    expect([b"0", b"1", b"2", b"3"], values(store, *pairs), "four keys of the same bytes")
