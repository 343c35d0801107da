"""Checks for stores that keep what they have: here every call of the factory opens the same store once more."""

from __future__ import annotations

from extlink.ports import ABSENT, Guard, Write
from extlink.testing.probes import OpenStore, at, batch, expect, ledger, look, paths, put, values

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
