"""The kit for whoever writes a store, or tests a host: `pip install extlink[testing]`.

    check_storage, check_async_storage        run the whole storage contract on a store
    storage_checks, async_storage_checks      the same as named checks, one test each
    run_programs                              random programs beside a model
    each_fault                                what comes of a run when any of its calls fails
    Exploration, linearizable                 every interleaving of operations, and what each must come to
    copied, dump                              what a store holds, written into another one or to be compared
    strategies                                Hypothesis strategies for tenants that make sense (a module)
    FrozenClock, CountingEntropy, ShakyDirectory, ScriptedTransport   what a host plugs in, for tests

Nothing of extlink imports it. The names below are loaded when they are first asked for; only what draws examples needs
Hypothesis.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from extlink.testing.contract import (
        Check,
        async_storage_checks,
        check_async_storage,
        check_storage,
        storage_checks,
    )
    from extlink.testing.copying import Dump, copied, dump
    from extlink.testing.fakes import (
        AsyncScriptedTransport,
        CountingEntropy,
        FrozenClock,
        ScriptedTransport,
        ShakyDirectory,
    )
    from extlink.testing.faults import Fault, Faulted, FaultyStorage, each_fault
    from extlink.testing.machine import run_programs
    from extlink.testing.probes import ContractBroken
    from extlink.testing.schedules import Exploration, NotLinearizable, Outcome, Run, Worker, linearizable

# fmt: off
__all__ = [
    "AsyncScriptedTransport", "Check", "ContractBroken", "CountingEntropy", "Dump", "Exploration", "Fault", "Faulted",
    "FaultyStorage", "FrozenClock", "NotLinearizable", "Outcome", "Run", "ScriptedTransport", "ShakyDirectory",
    "Worker", "async_storage_checks", "check_async_storage", "check_storage", "copied", "dump", "each_fault",
    "linearizable", "run_programs", "storage_checks",
]
# fmt: on

_NAMES: Final = (
    ("contract", "Check async_storage_checks check_async_storage check_storage storage_checks"),
    ("copying", "Dump copied dump"),
    ("fakes", "AsyncScriptedTransport CountingEntropy FrozenClock ScriptedTransport ShakyDirectory"),
    ("faults", "Fault Faulted FaultyStorage each_fault"),
    ("machine", "run_programs"),
    ("probes", "ContractBroken"),
    ("schedules", "Exploration NotLinearizable Outcome Run Worker linearizable"),
)
_PLACES: Final = {name: place for place, names in _NAMES for name in names.split()}


def __getattr__(name: str) -> object:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'extlink.testing' has no attribute {name!r}")
    value: object = getattr(import_module(f"extlink.testing.{place}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
