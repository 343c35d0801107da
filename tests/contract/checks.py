"""The storage contract as named checks: `CHECKS` for every store, `DURABLE` for those that keep what they have."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from tests.contract import committing, concurrency, durability, identifiers, listing, reading
from tests.contract.kit import Check, strictly

__all__ = ["CHECKS", "DURABLE"]


def _checks(*modules: ModuleType) -> Mapping[str, Check]:
    found = {name: check for module in modules for name, check in vars(module).items() if name.startswith("check_")}
    return MappingProxyType({name: strictly(check) for name, check in found.items()})


CHECKS = _checks(reading, committing, listing, identifiers, concurrency)
DURABLE = _checks(durability)
