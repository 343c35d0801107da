"""Every operation on a stage of its own, made in an instant: a copy of one store, with a hub that draws the same."""

from __future__ import annotations

from functools import cache

import attrs

from extlink.errors import Refused
from extlink.operation import Operation
from extlink.ports import Storage
from extlink.runtime import ExtLink, Tenant
from tests.fakes import CountingEntropy
from tests.hosts import ACME, ALL_ROLES, Dump, dump
from tests.operations import Stage, arguments, constructors, where
from tests.schedules.scheduler import copied

__all__ = ["NAMES", "dumped", "entries", "operation", "prepared", "run", "tenant_of"]

# A public module shows the names of its parts; each operation is played once.
NAMES = tuple(sorted(name for name in constructors() if not name.startswith("endpoint_")))


@cache
def stage() -> Stage:
    """Return the stage that is never played on, only copied."""
    return Stage.make()


@cache
def operation(name: str) -> Operation[object]:
    """Return the operation of a name with arguments that it accepts."""
    return constructors()[name](**arguments(stage())[name])


def prepared() -> Storage:
    """Return a store as the stage left it."""
    return copied(stage().host.store)


def tenant_of(storage: Storage, name: str, seed: int = 1_000_000) -> Tenant:
    """Return where an operation runs, over a store; the same seed draws the same."""
    host = stage().host
    hub = ExtLink(
        storage, keys=host.hub._keys, directory=host.directory, clock=host.clock, entropy=CountingEntropy(seed)
    )
    here = attrs.evolve(host, hub=hub, tenant=hub.tenant(ACME))
    return where(here, name).acting_as("sato", roles=ALL_ROLES)


def run(storage: Storage, name: str, *, seed: int = 1_000_000, key: str | None = None) -> object:
    """Run an operation and return what it comes to, the reason where the rules refuse it."""
    try:
        return tenant_of(storage, name, seed).run(operation(name), idempotency_key=key)
    except Refused as refused:
        return refused.reason


def dumped(storage: Storage) -> Dump:
    """Return everything that a store holds of every tenant that the operations touch."""
    return dump(storage, (ACME, "another", "~host"))


def entries(storage: Storage) -> tuple[bytes | None, ...]:
    """Return the ledgers of those tenants."""
    return dumped(storage)[1]
