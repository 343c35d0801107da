"""Checks for stores that keep what they have: here every call of the factory opens the same store once more."""

from __future__ import annotations

from extlink.errors import Conflict
from extlink.ports import ABSENT, Guard, Write
from extlink.testing.probes import OpenStore, at, batch, expect, ledger, look, paths, put, refused, values

__all__: list[str] = []


def check_what_was_committed_is_there_after_opening_again(open_again: OpenStore) -> None:
    """Records, versions, deletions and entries."""
    store = open_again()
    put(store, at(b"a"), b"kept")
    put(store, at(b"b"), b"deleted")
    put(store, at(b"b"), None)
    expected = look(store, at(b"a"), at(b"b")), paths(store), ledger(store)
    again = open_again()
    expect(expected, (look(again, at(b"a"), at(b"b")), paths(again), ledger(again)), "the store, opened again")


def check_a_batch_is_applied_once_over_opening_again(open_again: OpenStore) -> None:
    """A lost answer is settled after a restart as before."""
    one = batch(Write(at(b"a"), b"x"), guards=[Guard(at(b"a"), ABSENT)], entries=[b"1", b"2"])
    position = open_again().commit(one)
    again = open_again()
    put(again, at(b"a"), b"newer")
    expect(position, again.commit(one), "the position, asked again after opening again")
    expect([b"newer"], values(again, at(b"a")), "the record")
    expect(3, len(ledger(again)), "entries")


def check_numbers_go_on_after_opening_again(open_again: OpenStore) -> None:
    """The ledger has no gap where the store was opened again."""
    for number in range(1, 4):
        expect(number, open_again().commit(batch(entries=[b"%d" % number])), "the position")
    expect([(1, b"1"), (2, b"2"), (3, b"3")], ledger(open_again()), "the ledger")


def check_what_one_opening_commits_every_other_answers(open_again: OpenStore) -> None:
    """Two hosts have the store open: what one of them commits, the very next call through the other knows."""
    one, other = open_again(), open_again()
    keys = [at(b"%d" % number) for number in range(6)]
    for number in range(1, 9):
        writer, reader = (one, other) if number % 2 else (other, one)
        held = {found.key: found.version for found in look(reader, *keys)}
        look(reader, *keys, known=held)  # once more, for whatever a reader remembers
        gone = keys[number % 4]
        writes = [Write(key, None if key == gone else b"%d" % number) for key in keys[:4]]
        expect(number, writer.commit(batch(*writes)), "the position")
        expected = look(writer, *keys)
        expect(expected, look(reader, *keys, known=held), "read through the other")
        expect((paths(writer), ledger(writer)), (paths(reader), ledger(reader)), "listed through the other")
        stale = batch(Write(at(b"stale"), b"x"), guards=[Guard(keys[0], held[keys[0]])])
        refused(Conflict, "a guard on what the other changed", reader.commit, stale)
