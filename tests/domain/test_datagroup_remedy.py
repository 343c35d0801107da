"""The smallest change that makes a flow legal: sound, smallest by brute force, and never by blocking."""

from __future__ import annotations

from itertools import combinations, product
from typing import Final

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from extlink.domain.connector_rules import ActionRules, CustomConnector, EndpointRules
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datagroup_remedy import Denied, Move, Unfixable
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.flow import Flow
from extlink.domain.identifier import ConnectorId, PolicyId
from extlink.errors import InvalidInput

NAMES: Final = ("kintone", "slack", "outlook", "shared_teams")
KINTONE_ALONE: Final = DataPolicy(id="C", business={"kintone"})
SLACK_ALONE: Final = DataPolicy(id="C", business={"slack"})
CUSTOM: Final = CustomConnector("own", "https://api.example.com")


@st.composite
def tenants(draw: st.DrawFn) -> DataGroupPolicy:
    """Draw up to three policies over four connectors and one custom one."""
    found: list[DataPolicy] = []
    for number in range(draw(st.integers(1, 3))):
        groups = {name: draw(st.sampled_from(["business", "non_business", "blocked", ""])) for name in (*NAMES, "own")}
        named = {group: [name for name in groups if groups[name] == group] for group in ("business", "non_business")}
        found.append(
            DataPolicy(
                id=f"p{number}",
                business=named["business"],
                non_business=named["non_business"],
                blocked=[name for name in groups if groups[name] == "blocked"],
                default=draw(st.sampled_from(["business", "non_business", "blocked"])),
                hosts=[("*", draw(st.sampled_from(["business", "non_business", "blocked", "ignore"])))],
                exempt=draw(st.sampled_from([(), ("flow-1",)])),
            )
        )
    return DataGroupPolicy(found)


@st.composite
def asked(draw: st.DrawFn) -> Flow:
    """Draw a flow, perhaps with one that it starts."""
    anything: list[str | CustomConnector] = [*NAMES, CUSTOM, CustomConnector("slack", "https://other.example")]
    used = st.lists(st.sampled_from(anything), max_size=4)
    children = [Flow(draw(used), kind="desktop")] if draw(st.booleans()) else []
    return Flow(draw(used), children=children, id=draw(st.sampled_from([None, "flow-1"])))


def every_move(policy: DataGroupPolicy, flow: Flow) -> list[Move]:
    """Return everything that can be moved: each connector of the flow, in each policy, to either side."""
    sides = ("business", "non_business")
    return [
        Move(one.id, connector, one.default, side)  # type: ignore[arg-type]
        for one, connector, side in product(policy.policies, sorted(flow.ids()), sides)
    ]


@settings(max_examples=60)
@given(tenants(), asked(), st.sampled_from([None, "kintone"]))
def test_the_remedy_is_sound_irredundant_and_smallest(policy: DataGroupPolicy, flow: Flow, host: str | None) -> None:
    """After the moves the flow is allowed; no fewer moves do, as trying all of them shows; none goes to Blocked."""
    moves = policy.remedy(flow, host=host)
    assert isinstance(moves, tuple)

    assert policy.moved(moves).allows(flow)
    assert all(move.to_group not in {"blocked", move.from_group} for move in moves)
    assert policy.allows(flow) is (moves == ())
    # A bound on the work: the rest of the claim is that of the smaller sizes.
    for size in range(min(len(moves), 3)):
        for fewer in combinations(every_move(policy, flow), size):
            assert not policy.moved(fewer).allows(flow)
    for move in moves:
        assert not policy.moved([other for other in moves if other is not move]).allows(flow)


@given(tenants(), asked())
def test_a_move_changes_one_connector_of_one_policy(policy: DataGroupPolicy, flow: Flow) -> None:
    """Everything else of every policy stays as it is; the move says where the connector was."""
    moves = policy.remedy(flow)
    assert isinstance(moves, tuple)
    known = {one.id: one for one in policy.policies}
    where: dict[str, CustomConnector] = {one.id: one for one in flow.connectors if isinstance(one, CustomConnector)}

    for move in moves:
        after = next(one for one in policy.moved([move]).policies if one.id == move.policy)
        before = known[move.policy]
        assert move.connector in after.named(move.to_group)
        assert {"business", "non_business", "blocked"} == {
            group
            for group in ("business", "non_business", "blocked")
            if before.named(group) - {move.connector} == after.named(group) - {move.connector}
        }
        assert attrs.evolve(after, business=(), non_business=(), blocked=()) == attrs.evolve(
            before, business=(), non_business=(), blocked=()
        )
        if move.connector not in where and all(move.connector not in child.ids() for child in flow.children):
            assert move.from_group == policy.group_of(move.policy, move.connector)


@pytest.mark.parametrize(
    ("policies", "flow", "host", "expected"),
    [
        # The partner is moved to the host's group, whichever of the two sorts first.
        ([KINTONE_ALONE], ["kintone", "slack"], "kintone", ["C: slack from non_business to business"]),
        ([KINTONE_ALONE], ["kintone", "excel"], "kintone", ["C: excel from non_business to business"]),
        (
            [SLACK_ALONE],
            ["kintone", "slack"],
            "kintone",
            ["C: slack from business to non_business"],
        ),
        # Fewer moves stand above the host.
        ([KINTONE_ALONE], ["kintone", "a", "b"], "kintone", ["C: kintone from business to non_business"]),
        # No host: the side of the first.
        (
            [SLACK_ALONE],
            ["kintone", "slack"],
            None,
            ["C: slack from business to non_business"],
        ),
        # What is blocked goes to the others.
        (
            [attrs.evolve(KINTONE_ALONE, blocked={"slack"})],
            ["kintone", "slack"],
            "kintone",
            ["C: slack from blocked to business"],
        ),
        ([attrs.evolve(KINTONE_ALONE, blocked={"slack"})], ["slack"], None, ["C: slack from blocked to non_business"]),
        (
            [DataPolicy(id="C", default="business", blocked={"slack"})],
            ["slack"],
            None,
            ["C: slack from blocked to business"],
        ),
        ([DataPolicy(id="C", default="blocked")], ["slack"], None, ["C: slack from blocked to non_business"]),
        (
            [DataPolicy(id="C", blocked={"kintone", "slack"})],
            ["kintone", "slack"],
            "kintone",
            ["C: kintone from blocked to non_business", "C: slack from blocked to non_business"],
        ),
        # Each policy for itself.
        (
            [attrs.evolve(KINTONE_ALONE, id="A"), DataPolicy(id="B"), DataPolicy(id="C", blocked={"slack"})],
            ["kintone", "slack"],
            "kintone",
            ["A: slack from non_business to business", "C: slack from blocked to non_business"],
        ),
        # A custom connector that is put somewhere by its host is named.
        (
            [attrs.evolve(KINTONE_ALONE, hosts=[("*", "blocked")])],
            ["kintone", CUSTOM],
            "kintone",
            ["C: own from blocked to business"],
        ),
        ([KINTONE_ALONE], ["kintone", CUSTOM], "kintone", []),
        ([], ["kintone", "slack"], None, []),
    ],
)
def test_what_is_moved_where(
    policies: list[DataPolicy], flow: list[str | CustomConnector], host: str | None, expected: list[str]
) -> None:
    """The words of the seed: move Slack to Business in policy C."""
    moves = DataGroupPolicy(policies).remedy(flow, host=host)

    assert isinstance(moves, tuple)
    assert expected == [str(move) for move in moves]


def test_only_policies_that_apply_are_changed() -> None:
    """A policy of another environment, or one that the flow is exempt from, is left alone."""
    one = DataPolicy(id="p", blocked={"slack"}, scope="only", environments=["dev"], exempt=["flow-1"])
    policy = DataGroupPolicy([one])

    assert 1 == len(policy.remedy(["slack"], "dev") or ())
    assert () == policy.remedy(["slack"], "prod") == policy.remedy(["slack"], "dev", "flow-1")
    assert () == policy.remedy(Flow(["slack"], environment="dev", id="flow-1"))


def test_a_denied_action_or_endpoint_is_no_matter_of_moves() -> None:
    """The answer says what stands in the way; and it is falsy, like a refusal."""
    one = DataPolicy(
        id="p",
        actions=[ActionRules(connector="kintone", default="deny")],
        endpoints=[EndpointRules(connector="kintone", rules=[("*", "deny")])],
        blocked={"slack"},
    )
    flow = Flow(["kintone", "slack"], actions={"kintone": ["Read"]}, endpoints={"kintone": ["server,db"]})

    found = DataGroupPolicy([one]).remedy(flow)

    assert isinstance(found, Unfixable)
    assert not found
    expected = [Denied(flow.actions[0][0], what, (one.id,)) for what in ("Read", "server,db")]
    assert expected == [*found.actions, *found.endpoints]


STRANGER: Final = Move(PolicyId("D"), ConnectorId("a"), "blocked", "business")


@pytest.mark.parametrize("moves", [None, "C", [None], [STRANGER]])
def test_what_is_no_list_of_moves(moves: list[Move]) -> None:
    """Moves are of policies that are there."""
    with pytest.raises(InvalidInput) as caught:
        DataGroupPolicy([DataPolicy(id="C")]).moved(moves)
    assert "moves" == caught.value.field


def fewest_policies_first(policy: DataGroupPolicy, flow: Flow) -> tuple[Move, ...]:
    """Move everything to Business wherever a policy objects: sound, but not the smallest."""
    verdict = policy.verdict(flow)
    guilty = {one for _, names in verdict.blocked for one in names} | {one.policy for one in verdict.mixed}
    return tuple(
        Move(one.id, connector, policy.group_of(one.id, connector), "business")  # type: ignore[arg-type]
        for one in policy.policies
        for connector in sorted(flow.ids())
        if one.id in guilty and policy.group_of(one.id, connector) != "business"
    )


def test_the_check_catches_a_remedy_that_is_too_large() -> None:
    """The broken twin: a remedy that is sound and too large is longer than what brute force finds."""
    policy = DataGroupPolicy([DataPolicy(id="C", business={"kintone"})])
    flow = Flow(["kintone", "a", "b"])
    wrong = fewest_policies_first(policy, flow)

    assert policy.moved(wrong).allows(flow)
    assert any(policy.moved(fewer).allows(flow) for fewer in combinations(every_move(policy, flow), len(wrong) - 1))
