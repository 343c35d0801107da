"""Law 12: every view is a fold of the ledger, on every prefix (digests, salts and marks apart)."""

from __future__ import annotations

import random

import attrs
import pytest

from extlink import networks
from extlink.adapters.memory import MemoryStorage
from extlink.domain.address import parse_range
from extlink.domain.network import Row
from extlink.ports import Batch, Position
from tests.fakes import FrozenClock
from tests.schedules.world import SERVICE, TENANT, hub_over, prepared
from tests.stateful.story import tell
from tests.stateful.views import all_entries, fold, views


class Watched(MemoryStorage):
    """A store that compares, after each commit, what it holds with what its ledger so far comes to."""

    def __init__(self) -> None:
        super().__init__()
        self.compared = 0
        self.differing: list[Position] = []

    def commit(self, batch: Batch) -> Position:
        position = super().commit(self.altered(batch))
        tenant = batch.tenant.decode()
        if views(self, tenant) != fold(one.value or b"" for one in all_entries(self, tenant)):
            self.differing.append(position)
        self.compared += 1
        return position

    def altered(self, batch: Batch) -> Batch:
        return batch


def _story(storage: MemoryStorage) -> None:
    clock = FrozenClock()
    tell(hub_over(storage, clock=clock), clock)


def test_views_are_folds_of_the_ledger_on_every_prefix() -> None:
    """After each commit, the after-images in the ledger so far are the records there are."""
    storage = Watched()

    _story(storage)

    assert [] == storage.differing
    assert storage.compared > 30


def test_a_record_in_pieces_is_one_image() -> None:
    """A list too large for one value is kept in pieces, and is one record to the ledger; shrunk, it leaves none."""
    storage = Watched()
    _, _, admin = prepared(storage)
    noise = random.Random(12)
    rows = [
        Row(range=parse_range(f"10.{number >> 8}.{number & 255}.0/24"), memo=noise.randbytes(40).hex())
        for number in range(2_500)
    ]

    for count in (2_500, 2_499, 1_800, 3):
        admin.run(networks.restrict(rows[:count]))

    assert [] == storage.differing
    assert 3 == len(admin.run(networks.show()).rows)


class ForgetsAnImage(Watched):
    """The broken store, or operation: a record is written that no entry names."""

    def altered(self, batch: Batch) -> Batch:
        bodies = [body.replace(b'"state":"suspended"', b'"state":"live"') for body in batch.entries]
        return attrs.evolve(batch, entries=tuple(bodies))


class WritesMore(Watched):
    """The broken runner: one change more than the ledger was told of."""

    def altered(self, batch: Batch) -> Batch:
        return attrs.evolve(
            batch, entries=tuple(body.replace(b'["[\\"gv\\"', b'["[\\"qq\\"') for body in batch.entries)
        )


@pytest.mark.parametrize("twin", [ForgetsAnImage, WritesMore])
def test_an_entry_that_tells_something_else_is_caught(twin: type[Watched]) -> None:
    """The broken twins: an after-image that is not what was written, and a record under another name."""
    storage = twin()

    _story(storage)

    assert storage.differing


def test_the_names_of_records_are_their_keys() -> None:
    """What the fold calls a record is its key's components, so that a rebuilt store has the keys of the old one."""
    storage = Watched()
    prepared(storage)

    assert '["t"]' in views(storage, TENANT)
    assert f'["s","{SERVICE}"]' in views(storage, TENANT)
