from __future__ import annotations

from pathlib import Path

import pytest

from extlink.testing import ContractBroken, run_programs
from extlink.testing.probes import OpenStore
from tests.contract import broken
from tests.contract.stores import STORES, Opened

# What the machine must find by itself, among the mistakes that the named checks reject.
FOUND = (
    broken.IgnoresGuards,
    broken.IgnoresGuardsOnAbsence,
    broken.WritesBeforeItChecks,
    broken.KeepsTheEntriesOfAConflict,
    broken.AppliesABatchTwice,
    broken.AnswersARepeatedBatchWithToday,
    broken.SendsKnownValuesAnyway,
    broken.TakesAnyKnownVersionForAll,
    broken.CreatesAgainWithTheOldVersion,
    broken.MixesTenants,
    broken.ReversesEntries,
    broken.SaysMoreWhenAPageIsFull,
    broken.SkipsARecordBetweenPages,
    broken.TakesEmptyForAbsent,
)


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow) if kind.startswith("async") else kind for kind in STORES]
)
def test_every_store_behaves_as_the_model(kind: str, tmp_path: Path) -> None:
    """Law 17: every storage behaves as the model, synchronous and asynchronous (law 18)."""
    opened = Opened(kind, tmp_path)
    try:
        run_programs(opened.fresh)
    finally:
        opened.close()


@pytest.mark.parametrize("twin", FOUND, ids=lambda twin: twin.__name__)
def test_the_machine_finds_broken_stores(twin: OpenStore) -> None:
    """The machine is no rubber stamp: it finds mistakes that nobody told it of."""
    with pytest.raises(ContractBroken):
        run_programs(twin, programs=1_000, same=True)
