"""A flow as a data policy sees it: an illegal one cannot be built, and it can be carried as JSON."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs
import pytest
from hypothesis import given

from extlink.domain.connector_rules import CURRENT_ENVIRONMENT, DYNAMIC, ActionRules, CustomConnector
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.flow import Flow
from extlink.errors import ExtlinkError, InvalidInput
from tests.domain.test_datagroup import flows
from tests.strange import ANYTHING, Recipe

OWN = CustomConnector("own", "https://api.example.com")
FLOW = Flow(
    ["kintone", "shared_sql", OWN],
    actions={"kintone": ["Read"], "own": ["Send"]},
    endpoints={"shared_sql": ["server,db", DYNAMIC, CURRENT_ENVIRONMENT]},
    children=[Flow(["excel"], kind="desktop", id="child")],
    environment="dev",
    id="flow-1",
)


def deep(levels: int) -> Flow:
    """Return a flow that starts a flow that starts a flow."""
    flow = Flow(["kintone"])
    for _ in range(levels):
        flow = Flow(["kintone"], children=[flow])
    return flow


ILLEGAL: Final[list[tuple[Callable[[], object], str, str]]] = [
    (lambda: Flow("kintone"), "connectors", "expected a list, got str"),
    (lambda: Flow([""]), "connectors", "expected 1 to 255 bytes"),
    (lambda: Flow(map(str, range(10_001))), "connectors", "expected at most 10,000"),
    (lambda: Flow(["a"], actions={"b": ["Read"]}), "actions", "connector 'b' is not among the flow's connectors"),
    (lambda: Flow(["a"], endpoints={"b": ["x"]}), "endpoints", "connector 'b' is not among"),
    (lambda: Flow(["a"], actions={"a": "Read"}), "actions", "expected a list, got str"),
    (lambda: Flow(["a"], actions=(("a",),)), "actions", "expected pairs with a connector"),  # type: ignore[arg-type]
    (lambda: Flow(["a"], actions={"a": [""]}), "actions", "expected 1 to 255 bytes"),
    (lambda: Flow(["a"], endpoints={"a": [""]}), "endpoint", "expected 1 to 2000 characters"),
    (
        lambda: Flow(["a", "b"], actions={one: map(str, range(6_000)) for one in "ab"}),
        "actions",
        "expected at most 10000",
    ),
    (lambda: Flow(["a"], children=["b"]), "children", "expected flows, got str"),  # type: ignore[list-item]
    (lambda: deep(10), "children", "expected at most 1000 flows, 10 below each other"),
    (lambda: Flow(["a"], children=[Flow(["b"])] * 1_000), "children", "expected at most 1000 flows"),
    (lambda: Flow(["a"], environment=""), "environment", "expected 1 to 255 bytes"),
    (lambda: Flow(["a"], id=5), "id", "expected text, got int"),  # type: ignore[arg-type]
    (lambda: Flow(["a"], kind="app"), "kind", "expected one of cloud, desktop"),  # type: ignore[arg-type]
    (lambda: Flow.from_fields(None), "fields", "expected a mapping, got NoneType"),  # type: ignore[arg-type]
    (lambda: Flow.from_fields({}), "fields", "expected exactly actions, children"),
    (lambda: Flow.from_fields({**FLOW.to_fields(), "custom": 5}), "fields", "expected the fields of a flow"),
    (lambda: Flow.from_fields({**FLOW.to_fields(), "kind": "app"}), "kind", "expected one of cloud, desktop"),
]


@pytest.mark.parametrize(("make", "field", "problem"), ILLEGAL, ids=map(str, range(len(ILLEGAL))))
def test_an_illegal_flow_cannot_be_built(make: Callable[[], object], field: str, problem: str) -> None:
    """The error names the field and what was expected."""
    with pytest.raises(InvalidInput) as caught:
        make()

    assert field == caught.value.field
    assert problem in caught.value.problem


def test_mappings_and_pairs_say_the_same() -> None:
    """Order and duplicates never matter (law 2)."""
    pairs = Flow(["a", "b"], actions=(("b", "x"), ("a", "y"), ("a", "x"), ("b", "x")))

    assert pairs == Flow(["b", "a", "a"], actions={"a": ["x", "y"], "b": ["x"]})
    assert hash(pairs) == hash(attrs.evolve(pairs))


def test_a_family_is_seen_whole() -> None:
    """The members are the flow and all below it; what it uses includes HTTP where it starts a cloud flow (R11)."""
    nested = Flow(["a"], children=[Flow(["b"], children=[Flow(["c"], kind="desktop")])])

    assert [{"a"}, {"b"}, {"c"}] == [set(one.connectors) for one in nested.members()]
    assert [{"a", "Http"}, {"b"}, {"c"}] == [set(one.uses()) for one in nested.members()]
    assert frozenset({"a", "b", "c", "Http"}) == nested.ids()
    assert frozenset({"kintone", "shared_sql", "own", "excel"}) == FLOW.ids()


def test_a_connector_is_joined_once() -> None:
    """A custom connector that is named by its id again stays the custom one, with its host."""
    flow = Flow([OWN, "kintone"], environment="dev")

    assert Flow([OWN, "kintone", "slack"], environment="dev") == flow.joined(["own", "kintone", "slack"])


def test_the_deepest_flow_is_legal() -> None:
    """Ten below each other."""
    assert 10 == len(list(deep(9).members()))


@given(flows())
def test_fields_are_lossless(flow: Flow) -> None:
    """What JSON carried and brought back is the same flow."""
    assert flow == Flow.from_fields(json.loads(json.dumps(flow.to_fields())))
    assert flow == pickle.loads(pickle.dumps(flow))  # noqa: S301 - our own bytes


def test_every_field_is_carried() -> None:
    """Also that of the example, which has every part."""
    assert FLOW == Flow.from_fields(json.loads(json.dumps(FLOW.to_fields())))


def strange(recipe: Recipe) -> Any:
    """Return a value that no type checker would let pass."""
    return recipe.make()


@given(ANYTHING, ANYTHING)
def test_any_object_in_any_field(one: Recipe, other: Recipe) -> None:
    """Law 13: a value or an error of ours; and both speeds agree on which."""
    fields = ("actions", "endpoints", "children", "environment", "id", "kind")
    calls: list[Callable[[], object]] = [
        lambda: Flow(strange(one)),
        lambda: Flow.from_fields(strange(one)),
        *(lambda name=name: Flow(["a"], **{name: strange(one)}) for name in fields),
        *(lambda name=name: Flow.from_fields({**FLOW.to_fields(), name: strange(one)}) for name in FLOW.to_fields()),
        lambda: Flow(["a"], actions={"a": [strange(one)]}, endpoints={"a": [strange(other)]}),
        lambda: DataGroupPolicy().verdict(FLOW, strange(one), strange(other)),
        lambda: DataGroupPolicy().remedy(strange(one), host=strange(other)),
        lambda: DataGroupPolicy(unblockable=strange(one)).group_of(strange(other), "a"),
    ]
    for call in calls:
        try:
            call()
        except ExtlinkError:
            continue


class Torn(Mapping[str, Any]):
    """A mapping that cannot be read."""

    def __getitem__(self, key: str) -> Any:
        raise OSError

    def __iter__(self) -> Iterator[str]:
        raise OSError

    def __len__(self) -> int:
        return 1


def torn() -> Iterator[str]:
    """Yield one id, then fail."""
    yield "a"
    raise OSError


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Flow(["a"], actions=Torn()), "actions"),
        (lambda: Flow(torn()), "connectors"),
        (lambda: Flow.from_fields(Torn()), "fields"),
        (lambda: ActionRules(connector="a", rules=Torn()), "rules"),
        (lambda: DataPolicy(id="p", business=torn()), "business"),
        (lambda: DataPolicy.from_fields({**DataPolicy(id="p").to_fields(), "actions": [5]}), "actions"),
        (
            lambda: DataPolicy.from_fields({**DataPolicy(id="p").to_fields(), "endpoints": [{"connector": "a"}]}),
            "endpoints",
        ),
        (
            lambda: DataPolicy.from_fields(
                {**DataPolicy(id="p").to_fields(), "endpoints": [{"connector": "a", "rules": []}]}
            ),
            "endpoints",
        ),
    ],
    ids=map(str, range(8)),
)
def test_what_cannot_be_read_is_an_error_of_ours(make: Callable[[], object], field: str) -> None:
    """Law 13: whatever a host's collection raises."""
    with pytest.raises(InvalidInput) as caught:
        make()
    assert field == caught.value.field
