"""What a store must hold after it, or its server, was killed: all that it acknowledged, and nothing by halves."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs

from extlink import links
from extlink.domain.identifier import LinkId, TenantId
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.ports import Entries, Position, Records, Storage, Stored, components, prefix
from extlink.records import link_key
from extlink.testing.probes import ACME, pages
from tests.adapters.places import Place
from tests.adapters.programs import tenant_over
from tests.schedules.world import CLIENT, TENANT, connected, prepared

__all__ = ["Chain", "Fault", "Told", "faults", "hear_position"]


class Fault(AssertionError):
    """Something acknowledged was lost, half done, or done twice."""


# Batches of records

# What each writer was told: the position of each of its batches, by number.
Told = Mapping[str, dict[int, int]]


def hear_position(positions: dict[int, int], line: str) -> None:
    """Take what the program `write` said."""
    number, position = map(int, line.split())
    positions[number] = position


def faults(store: Storage, told: Told) -> list[str]:
    """Return what is wrong with a store to which some writers wrote, and nobody else."""
    entries = pages(store, Entries(ACME, limit=1_000))
    records = {one.key.path.decode(): one for one in pages(store, Records(ACME, b"", limit=1_000))}
    found = [fault for name, positions in told.items() for fault in _faults_of(name, positions, entries, records)]
    if [int.from_bytes(entry.key.path) for entry in entries] != list(range(1, len(entries) + 1)):
        found.append("the numbers have gaps")
    writers = {path for path in records if path.startswith("count/")}
    if len(records) != len(entries) + len(writers):
        found.append("records are missing or too many")
    return found


def _faults_of(
    name: str, positions: Mapping[int, int], entries: list[Stored], records: Mapping[str, Stored]
) -> list[str]:
    bodies = [(entry.value or b"").decode() for entry in entries]
    mine = [(body, entry) for body, entry in zip(bodies, entries, strict=True) if body.startswith(f"{name} ")]
    count = len(mine) // 2
    found: list[str] = []
    numbered = [f"{name} {number} {part}" for number in range(1, count + 1) for part in ("first", "second")]
    if [body for body, _ in mine] != numbered:
        found.append(f"the entries of {name} are not each there once, in order")
    for number, position in positions.items():
        if len(bodies) < position or bodies[position - 1] != f"{name} {number} second":
            found.append(f"{name} was told that {number} is at {position}")
    told = records.get(f"count/{name}")
    if (b"%d" % count if count else None) != (told and told.value):
        found.append(f"the count of {name} is not the ledger's")
    for number in range(1, count + 1):
        parts = [records.get(f"{side}/{name}/{number}") for side in ("left", "right")]
        parts += [entry for _, entry in mine[2 * number - 2 : 2 * number]]
        versions = {part and part.version for part in parts}
        if len(versions) != 1:
            found.append(f"batch {number} of {name} is half there")
    return found


# Commands


@attrs.define
class Chain:
    """One link, whose refresh tokens a client exchanges one after another.

    Args:
        done: how many exchanges were acknowledged, and `held` the token that the last one gave.
        start: how many entries the ledger had before the first.
    """

    place: Place
    link: str
    held: str
    start: int
    done: int = 0

    @classmethod
    def make(cls, place: Place) -> Chain:
        """Connect sato on an empty store."""
        with place.open() as store:
            _, tenant, _ = prepared(store)
            tokens = connected(tenant)
            start = len(pages(store, Entries(ACME, limit=1_000)))
        return cls(place, tokens.link, tokens.refresh_token.reveal(), start)

    def acknowledge(self, line: str) -> None:
        """Take what the program `exchange` said: the number of exchanges, and the token that the last one gave."""
        number, self.held = line.split()
        self.done = int(number)

    def judge(self) -> int:
        """Require that the store holds the acknowledged exchanges, at most one more, and each of them wholly."""
        with self.place.open() as store:
            entries = pages(store, Entries(ACME, Position(self.start), 1_000))
            place = link_key(TenantId(TENANT), LinkId(self.link))
            (stored,) = store.read([place.key], {})
            outcomes = pages(store, Records(ACME, prefix("i"), limit=1_000))
        names = [json.loads(entry.value or b"")["event"] for entry in entries]
        count = len(names)
        if not self.done <= count <= self.done + 1 or set(names) - {"token.refreshed"}:
            raise Fault(f"{self.done} exchanges were acknowledged, the last entries are {names[self.done - 2 :]}")
        generation = place.decode(stored.value or b"")[0].rotation.generation
        if (count + 1, count) != (generation, len(outcomes)):
            raise Fault(f"{count} entries, generation {generation}, {len(outcomes)} outcomes")
        if entries and {entries[-1].version} != {stored.version} | {max(outcomes, key=_stamp).version}:
            raise Fault("the link, the last entry and the last outcome are of different batches")
        return count

    def settle(self, *, keyed: bool = True) -> None:
        """Deliver the exchange that was under way once more."""
        with self.place.open() as store:
            self.deliver(store, keyed=keyed)

    def deliver(self, store: Storage, *, keyed: bool) -> None:
        """Deliver the next exchange."""
        key = f"exchange {self.done}" if keyed else None
        tokens = tenant_over(store).run(links.refresh(Secret(self.held), client=CLIENT), idempotency_key=key)
        if not isinstance(tokens, TokenSet):
            raise Fault(f"the last acknowledged token is not good: {tokens}")
        self.done, self.held = self.done + 1, tokens.refresh_token.reveal()


def _stamp(outcome: Stored) -> int:
    """Return the number of the exchange that an outcome is of."""
    return int(components(outcome.key.path)[-1].removeprefix("exchange "))
