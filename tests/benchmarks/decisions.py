"""Decisions over a policy in memory: against the floor, against three policy engines, and as a tenant grows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from extlink.domain.access import AccessRequest, Policy, evaluate, is_allowed
from tests.benchmarks import engines, floor
from tests.benchmarks.measure import ROUNDS, Batch, compare
from tests.benchmarks.report import Row, Section, at_least, at_most, plain, without
from tests.benchmarks.world import Size, World, build, questions

__all__ = ["against_engines", "against_floor", "growing"]


class _Engine(Protocol):
    def __call__(self, world: World, asked: Sequence[AccessRequest], *, addresses: bool) -> Batch: ...


def yes_no(policy: Policy, asked: Sequence[AccessRequest]) -> Batch:
    """Return a batch of yes / no decisions."""

    def run() -> int:
        for request in asked:
            is_allowed(policy, request)
        return len(asked)

    return run


def explained(policy: Policy, asked: Sequence[AccessRequest]) -> Batch:
    """Return a batch of decisions of which the answer, every reason and all evidence are read."""

    def run() -> int:
        for request in asked:
            decision = evaluate(policy, request)
            _ = decision.allowed, decision.reasons, decision.evidence
        return len(asked)

    return run


def by_hand(decide: floor.Floor, asked: Sequence[floor.Question]) -> Batch:
    """Return a batch of the floor's decisions."""

    def run() -> int:
        for question in asked:
            decide(*question)
        return len(asked)

    return run


def require_agreement(policy: Policy, decide: floor.Floor, asked: Sequence[AccessRequest]) -> None:
    """Ask all three; a number about two functions that answer differently means nothing.

    Raises:
        AssertionError: they differ; the question is named.
    """
    for request in asked:
        answer = is_allowed(policy, request)
        assert answer == decide(*floor.plain(request)), f"the floor disagrees with is_allowed on {request}"
        assert answer == evaluate(policy, request).allowed, f"evaluate disagrees with is_allowed on {request}"


def against_floor(world: World, size: Size, rounds: int = ROUNDS) -> Section:
    """Measure both decisions against the floor, over random people and over a hot set of them."""
    decide = floor.make(world.policy)
    hot = world.users[: max(10, len(world.users) // 1_000)]
    anybody, few = questions(world, size), questions(world, size, users=hot)
    require_agreement(world.policy, decide, [*anybody, *few])
    rows: list[Row] = []
    for title, asked in (
        ("anybody", anybody),
        (f"{len(hot)} people", few),
        (f"{len(hot)} people, all allowed", [request for request in few if is_allowed(world.policy, request)]),
    ):
        samples = compare(
            {
                "floor": by_hand(decide, [floor.plain(request) for request in asked]),
                "yes": yes_no(world.policy, asked),
                "all": explained(world.policy, asked),
            },
            rounds,
        )
        rows += [
            plain(f"the floor, {title}", samples, "floor"),
            at_most(f"`is_allowed`, {title}", samples, "yes", "floor", 2, "the floor"),
            at_most(f"`evaluate` with answer, reasons and evidence, {title}", samples, "all", "floor", 3, "the floor"),
        ]
    return Section(
        "A decision, the policy in memory",
        "The floor (`tests/benchmarks/floor.py`) is a function over dictionaries and sets that was written for "
        "exactly this question and returns a bool: every gate is in it, the parsing of the address with "
        "`inet_pton` and a bisection over merged ranges, end dates, organizations with all below them, exclusions, "
        "data groups where the question names connectors, the link's state, expiry, scopes and epochs, and what an "
        "edit of the grants did to it. Before anything is measured, floor, `is_allowed` and `evaluate` are "
        f"compared on all {2 * size.questions:,} questions. *Anybody* asks about random people of the whole tenant, "
        "so that most of what is needed is in no cache of the processor; the other sets are asked about a few "
        "people alone.",
        tuple(rows),
        (
            (
                "`evaluate` does more than the floor wherever the answer is no: the floor leaves at the first gate "
                "that refuses, an explanation asks all five. On questions that are allowed both do the same work, "
                "and what is left of the ratio is the naming of the evidence: five findings, and a `Reason` for "
                "each of them when it is read."
            ),
        ),
    )


def against_engines(world: World, size: Size, rounds: int = ROUNDS) -> Section:
    """Measure the explained decision against policy engines that answer a smaller question."""
    rows: list[Row] = []
    # What is no address at all is no question for an engine: some raise, some refuse.
    asked = [request for request in questions(world, size) if _is_address(request.address)][: min(size.questions, 400)]
    for title, addresses, some in (("grants", False, asked), ("grants and address", True, asked[:: len(asked) // 20])):
        contenders: dict[str, Batch] = {"all": explained(world.policy, some)}
        missing: dict[str, str] = {}
        for name, make, _ in _ENGINES:
            try:
                contenders[name] = make(world, some, addresses=addresses)
            except ImportError as error:
                missing[name] = f"{error}"
        samples = compare(contenders, rounds)
        rows.append(plain(f"`evaluate` with answer, reasons and evidence, beside *{title}*", samples, "all"))
        for name, _, limit in _ENGINES:
            what = f"{name}, {title}"
            if name in missing:
                rows.append(without(what, missing[name]))
            else:
                rows.append(at_least(what, samples, "all", name, limit, name))
    return Section("The explained decision against policy engines", engines.HOW, tuple(rows), engines.NOTES)


_ENGINES: Final[tuple[tuple[str, _Engine, float], ...]] = (
    ("pycasbin", engines.casbin, 15),
    ("vakt", engines.vakt, 30),
    ("cedarpy", engines.cedar, 30),
)


def _is_address(text: str | None) -> bool:
    return text is not None and re.fullmatch(r"[0-9a-f.:]+", text) is not None and text.count(".") in {0, 3}


def growing(size: Size, rounds: int = ROUNDS) -> Section:
    """Measure yes / no decisions in a small and in a large tenant that differ in nothing but their people."""
    small, large = (1_000, 1_000_000) if size.users > 10_000 else (200, 2_000)
    batches: dict[str, Batch] = {}
    for name, users in (("small", small), ("large", large)):
        there = Size(users, size.services, size.organizations, size.ranges, size.questions)
        world = build(there)
        batches[f"{name} anybody"] = yes_no(world.policy, questions(world, there))
        batches[f"{name} hot"] = yes_no(world.policy, questions(world, there, users=world.users[:100]))
    samples = compare(batches, rounds)
    return Section(
        f"Growth from {small:,} to {large:,} people",
        "The same tenant with more people in it; `is_allowed` on 100 people, and on anybody. Nothing in the "
        "decision looks at more than one person: what grows is the memory that a random person lies in.",
        (
            plain(f"100 of {small:,} people", samples, "small hot"),
            at_most(f"100 of {large:,} people", samples, "large hot", "small hot", 1.5, f"{small:,} people"),
            plain(f"anybody of {small:,} people", samples, "small anybody"),
            at_most(f"anybody of {large:,} people", samples, "large anybody", "small anybody", 8, f"{small:,} people"),
        ),
    )
