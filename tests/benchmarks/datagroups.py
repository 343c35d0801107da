"""Data groups: may these connectors meet, over 20 policies and 1,000 connectors?"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from typing import Final

from extlink.domain.connector_rules import ActionRules, CustomConnector, EndpointRules
from extlink.domain.datagroup import DataGroupPolicy, DataPolicy, Question
from extlink.domain.flow import Flow
from tests.benchmarks.measure import ROUNDS, Batch, Samples, compare
from tests.benchmarks.report import Row, Section, duration, plain

__all__ = ["verdicts"]

_POLICIES: Final = 20
_CONNECTORS: Final = 1_000
_TARGET: Final = 2_000  # nanoseconds
_FLOWS: Final = 2_000


def _policies(draw: random.Random, connectors: Sequence[str]) -> list[DataPolicy]:
    """Return policies of which each names every connector, most of them in one group, so that flows may pass."""
    found: list[DataPolicy] = []
    for number in range(_POLICIES):
        sides: dict[str, list[str]] = {"business": [], "non_business": [], "blocked": []}
        for connector in connectors:
            sides[draw.choices(("business", "non_business", "blocked"), (96, 3, 1))[0]].append(connector)
        scope = ("all", "except", "only")[number % 3]
        found.append(
            DataPolicy.from_fields(
                {
                    **DataPolicy(id=f"policy{number:02}").to_fields(),
                    **sides,
                    "default": "business",
                    "scope": scope,
                    "environments": [] if scope == "all" else ["dev"],
                    "exempt": [f"flow-{number}"],
                }
            )
        )
    return found


def _naive(policies: Sequence[DataPolicy], flow: Collection[str], environment: str) -> bool:
    """Answer word by word, policy by policy: what a number about the masks is worth nothing without."""
    for policy in policies:
        groups = {policy.group_of(connector) for connector in flow}
        if policy.applies_to(environment) and ("blocked" in groups or {"business", "non_business"} <= groups):
            return False
    return True


def _asked(
    policy: DataGroupPolicy, flows: Sequence[Question], environment: str | None, *, whole: bool = False
) -> Batch:
    ask = policy.verdict if whole else policy.allows

    def run() -> int:
        for flow in flows:
            ask(flow, environment)
        return len(flows)

    return run


def _within(what: str, samples: Samples, name: str, limit: float) -> Row:
    median = samples[name].median
    return Row(what, duration(median), target=f"at most {duration(limit)}", met=median <= limit)


def _rich(connectors: Sequence[str], policies: Sequence[DataPolicy], count: int) -> tuple[DataGroupPolicy, list[Flow]]:
    """Return a tenant with rules of every kind, and flows that they are about."""
    rules = EndpointRules(connector=connectors[0], rules=[("https://a.example/*", "allow"), ("*", "deny")])
    last = DataPolicy(
        id="rules",
        hosts=[("https://api.example.*", "business"), ("*", "ignore")],
        actions=[ActionRules(connector=connectors[0], rules={"Delete": "deny"})],
        endpoints=[rules],
    )
    flows = [
        Flow(
            [*connectors[:2], CustomConnector("own", "https://api.example.com")],
            actions={connectors[0]: ["Read"]},
            endpoints={connectors[0]: [f"https://a.example/{number % 100}"]},
        )
        for number in range(count)
    ]
    return DataGroupPolicy([*policies[1:], last]), flows


def verdicts(count: int = _FLOWS, rounds: int = ROUNDS) -> Section:
    """Measure verdicts of flows of three connectors, and what is not on the way of every call."""
    draw = random.Random(5)
    connectors = [f"shared_connector{number}" for number in range(_CONNECTORS)]
    policies = _policies(draw, connectors)
    known = DataGroupPolicy(policies)
    flows = [frozenset(draw.sample(connectors, 3)) for _ in range(count)]
    strangers = [frozenset({*draw.sample(connectors, 2), f"shared_new{number % 50}"}) for number in range(count)]
    for flow in (*flows[:200], *strangers[:200]):
        assert known.allows(flow, "dev") == known.verdict(flow, "dev").allowed == _naive(policies, flow, "dev")
    rules, rich = _rich(connectors, policies, count // 10)

    def compiled() -> int:
        DataGroupPolicy(policies)
        return 1

    samples = compare(
        {
            "yes": _asked(known, flows, None),
            "place": _asked(known, flows, "dev"),
            "new": _asked(known, strangers, "dev"),
            "all": _asked(known, flows, "dev", whole=True),
            "rich": _asked(rules, rich, "dev", whole=True),
            "compile": compiled,
        },
        rounds,
    )
    return Section(
        f"Data groups: {_POLICIES} policies, {_CONNECTORS:,} connectors",
        "Flows of three connectors of a tenant whose policies each name every connector. Before anything is measured, "
        "the answers are compared with a loop over the policies, word by word. A connector costs one look-up and three "
        "ORs over all policies at once; the bits that remain are the policies to blame.",
        (
            _within("`allows`, every policy", samples, "yes", _TARGET),
            _within("`allows`, in an environment", samples, "place", _TARGET),
            _within("`allows`, one connector that no policy names", samples, "new", _TARGET),
            plain("`verdict` with every policy to blame", samples, "all"),
            plain("`verdict` of a flow with an action, an endpoint and a custom connector", samples, "rich"),
            plain("compiling the policies, once for each version", samples, "compile"),
        ),
    )
