"""A preview of a change that concerns everybody: how long the whole tenant takes, and how much memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Final

from extlink import InMemoryDirectory, networks, previews, services, users
from extlink.domain.directory import Member
from extlink.operation import Operation
from tests.benchmarks.checking import Checks, prepare
from tests.benchmarks.measure import Batch, compare
from tests.benchmarks.report import Row, Section, plain

__all__ = ["previewing"]

_SECONDS: Final = 30.0
_MEGABYTES: Final = 10
_MEGA: Final = 1_000_000


def _questions(made: Checks) -> dict[str, Operation[previews.Impact]]:
    """Return a change that touches everybody, one that touches every link, other people, and one that touches one."""
    products = frozenset({"kintone"})
    # Every tenth leaves, as in a reorganization; the others stay as they are.
    left = InMemoryDirectory(
        Member(id=user, display_name=user, products=products) for number, user in enumerate(made.users) if number % 10
    )
    return {
        "a service is disabled": previews.preview(services.disable("power-automate")),
        "the addresses are restricted": previews.preview(networks.restrict(["10.0.0.0/24"])),
        "people leave": previews.preview(directory=left),
        "one person is suspended": previews.preview(users.suspend(made.users[0])),
    }


def _asking(made: Checks, question: Operation[previews.Impact]) -> Batch:
    def run() -> int:
        made.administrator.run(question)
        return 1

    return run


def _peak(made: Checks, question: Operation[previews.Impact]) -> int:
    """Return the most bytes that a preview held at once, what is cached for good beside."""
    made.administrator.run(question)
    tracemalloc.start()
    try:
        made.administrator.run(question)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def previewing(folder: Path, people: int, links: int, rounds: int) -> Section:
    """Measure previews in a tenant of so many people and links on SQLite, and their memory beside a tenth of both."""
    small, large = folder / "small", folder / "large"
    for place in (small, large):
        place.mkdir()
    tenth, made = prepare(small, links // 10, 4, people // 10), prepare(large, links, 4, people)
    questions, lesser = _questions(made), _questions(tenth)
    samples = compare({name: _asking(made, one) for name, one in questions.items()}, rounds)
    rows: list[Row] = []
    for name, one in questions.items():
        line = plain(name, samples, name)
        met = samples[name].median <= _SECONDS * 1e9
        rows.append(Row(line.what, line.time, target=f"at most {_SECONDS:g} s", met=met))
        before, after = _peak(tenth, lesser[name]), _peak(made, one)
        beside = f"{before / _MEGA:.2f} MB for a tenth"
        limit = f"at most {_MEGABYTES} MB"
        rows.append(Row(f"{name}: memory", f"{after / _MEGA:.2f} MB", beside, "", limit, after <= _MEGABYTES * _MEGA))
    return Section(
        "A preview of a whole tenant",
        f"A tenant of {people:,} people, {links:,} of whom have a link, on SQLite; the directory is in memory. Memory "
        f"is the most that Python held at once beyond what it held before, as `tracemalloc` counts.",
        tuple(rows),
        notes=(
            "Everybody the change can touch is asked twice, as they are and as they would be, fifty at a time.",
            "Most of the memory is the store's own: it remembers the versions it saw, so many and no more.",
        ),
    )
