from __future__ import annotations

import json
import pickle
from collections.abc import Callable

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain.connector import parse_connector
from extlink.domain.datapolicy import MAX_CONNECTORS, MAX_ENVIRONMENTS, MAX_EXEMPT, DataPolicy
from extlink.errors import ExtlinkError, InvalidInput

IDS = st.text(min_size=1, max_size=5)
ANYTHING: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.binary(max_size=4),
    st.text(st.characters(codec=None), max_size=300),
    st.sampled_from(["business", "all", "except", "only", "2026-04-07", "\ud800", object(), print, DataPolicy]),
    st.lists(st.one_of(st.text(max_size=3), st.integers(), st.none(), st.lists(st.text())), max_size=3),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
)


@st.composite
def policies(draw: st.DrawFn) -> DataPolicy:
    """Draw any legal policy."""
    groups = draw(st.dictionaries(IDS, st.sampled_from(["business", "non_business", "blocked"]), max_size=6))
    scope = draw(st.sampled_from(["all", "except", "only"]))
    environments = draw(st.sets(IDS, min_size=1, max_size=3)) if scope != "all" else set()
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    fields = {
        "id": draw(IDS),
        "name": draw(text),
        "business": [connector for connector, group in groups.items() if group == "business"],
        "non_business": [connector for connector, group in groups.items() if group == "non_business"],
        "blocked": [connector for connector, group in groups.items() if group == "blocked"],
        "default": draw(st.sampled_from(["business", "non_business", "blocked"])),
        "scope": scope,
        "environments": sorted(environments),
        "exempt": draw(st.lists(IDS, max_size=3)),
        "level": "environment" if scope == "only" and len(environments) == 1 and draw(st.booleans()) else "tenant",
        "hosts": [["*", "ignore"]],
        "actions": [
            {"connector": connector, "default": default, "rules": [["Delete", "deny"]]}
            for connector, default in draw(
                st.dictionaries(IDS.map(parse_connector), st.sampled_from(["allow", "deny"]), max_size=2)
            ).items()
        ],
        "endpoints": [
            {"connector": connector, "rules": [[pattern, "allow"], ["*", "deny"]]}
            for connector, pattern in draw(
                st.dictionaries(IDS.map(parse_connector), st.just("https://a.example/*"), max_size=2)
            ).items()
        ],
        "source": draw(text),
        "as_of": draw(st.one_of(st.just(""), st.dates().map(str), st.datetimes().map(lambda at: at.isoformat()))),
    }
    if fields["level"] == "tenant":
        every = [[["*", "ignore"]], [["*", "business"]], [["a*", "blocked"], ["*", "ignore"]]]
        fields["hosts"] = draw(st.sampled_from(every))
    return DataPolicy.from_fields(fields)


def test_a_new_policy_keeps_everything_together() -> None:
    """R1: nothing named, everything Non-Business, in all environments."""
    policy = DataPolicy(id="new")

    assert ("non_business", "all") == (policy.group_of("kintone"), policy.scope)
    assert policy.applies_to("dev")


def test_a_connector_is_where_it_is_named_or_else_in_the_default_group() -> None:
    """R1: the name decides, the default only for the rest."""
    policy = DataPolicy(id="p", business={"a"}, non_business={"b"}, blocked={"c"}, default="blocked")

    assert ["business", "non_business", "blocked", "blocked"] == [policy.group_of(each) for each in "abcd"]


def test_order_and_duplicates_of_connectors_do_not_matter() -> None:
    """Law 2: two lists of the same connectors make the same policy."""
    one = DataPolicy(id="p", business=["a", "b", "a"])
    other = DataPolicy(id="p", business={"b", "a"})

    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("scope", "environment", "resource", "expected"),
    [
        ("all", "dev", None, True),
        ("all", None, None, True),
        ("all", "dev", "flow-1", False),
        ("all", None, "flow-1", False),
        ("except", "prod", None, False),
        ("except", "dev", None, True),
        ("except", None, None, True),
        ("except", "dev", "flow-1", False),
        ("only", "prod", None, True),
        ("only", "prod", "flow-2", True),
        ("only", "dev", None, False),
        ("only", None, None, True),
        ("only", "prod", "flow-1", False),
    ],
)
def test_scope_and_exemption(scope: str, environment: str | None, resource: str | None, *, expected: bool) -> None:
    """R2, R3: all, except and only are three things; an exempt resource is out; unknown facts are taken strictly."""
    fields = {**DataPolicy(id="p", exempt=["flow-1"]).to_fields(), "scope": scope}
    if scope != "all":
        fields["environments"] = ["prod"]

    assert expected is DataPolicy.from_fields(fields).applies_to(environment, resource)


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        (
            {"business": ["slack", "a"], "non_business": ["slack"]},
            "non_business",
            "connector 'slack' is in business as",
        ),
        ({"business": ["slack"], "blocked": ["slack"]}, "blocked", "connector 'slack' is in business as well"),
        ({"non_business": ["slack"], "blocked": ["b", "slack"]}, "blocked", "connector 'slack' is in non_business as"),
        ({"business": "slack"}, "business", "expected a list of ids, got str"),
        ({"business": b"slack"}, "business", "expected a list of ids, got bytes"),
        ({"blocked": 5}, "blocked", "expected a list of ids, got int"),
        ({"blocked": ["ok", ""]}, "blocked", "expected 1 to 255 bytes"),
        ({"non_business": ["\ud800"]}, "non_business", "lone surrogate"),
        ({"blocked": range(MAX_CONNECTORS + 1)}, "blocked", "expected text, got int"),
        ({"blocked": map(str, range(MAX_CONNECTORS + 1))}, "blocked", "at most 10000"),
        ({"exempt": map(str, range(MAX_EXEMPT + 1))}, "exempt", "at most 2000"),
        ({"environments": map(str, range(MAX_ENVIRONMENTS + 1)), "scope": "only"}, "environments", "at most 10000"),
        ({"scope": "only"}, "environments", "at least one"),
        ({"environments": ["dev"]}, "environments", "expected none with scope 'all'"),
        ({"scope": "ALL"}, "scope", "expected one of all, except, only, got 'ALL'"),
        ({"scope": ["all"]}, "scope", "got list"),
        ({"default": "Confidential"}, "default", "expected one of business, non_business, blocked"),
        ({"id": ""}, "id", "expected 1 to 255 bytes"),
        ({"name": None}, "name", "expected text, got NoneType"),
        ({"name": "n" * 1_001}, "name", "at most 1000 characters"),
        ({"source": "\udfff"}, "source", "lone surrogate"),
        ({"as_of": "yesterday"}, "as_of", "expected a date such as 2026-04-07, got 'yesterday'"),
        ({"as_of": 20260407}, "as_of", "expected text, got int"),
    ],
)
def test_an_illegal_policy_cannot_be_built(changes: dict[str, object], field: str, problem: str) -> None:
    """R1-R3: the error names the field, the offending connector or value, and what was expected."""
    with pytest.raises(InvalidInput) as caught:
        DataPolicy.from_fields({**DataPolicy(id="p").to_fields(), **changes})

    assert field == caught.value.field
    assert problem in caught.value.problem


def test_the_limits_themselves_are_legal() -> None:
    """R3: exactly 2,000 exemptions are allowed; so are our own limits."""
    policy = DataPolicy(
        id="p", name="n" * 1_000, exempt=map(str, range(MAX_EXEMPT)), business=map(str, range(MAX_CONNECTORS))
    )

    assert 1_000 == len(policy.name)
    assert MAX_EXEMPT == len(policy.exempt)
    assert MAX_CONNECTORS == len(policy.business)


def test_except_nothing_is_all() -> None:
    """R2: a policy may except an empty list of environments, as Power Platform exports it."""
    assert DataPolicy(id="p", scope="except").applies_to("dev")


@given(policies())
def test_fields_are_lossless(policy: DataPolicy) -> None:
    """What JSON carried and brought back is the same policy."""
    carried = json.loads(json.dumps(policy.to_fields()))

    assert policy == DataPolicy.from_fields(carried)
    assert policy == pickle.loads(pickle.dumps(policy))  # noqa: S301 - our own bytes


@pytest.mark.parametrize("field", [attribute.name for attribute in attrs.fields(DataPolicy)])
def test_a_missing_field_is_refused(field: str) -> None:
    """A stored policy without one of its fields is not guessed at: it might have blocked something."""
    fields = {name: value for name, value in DataPolicy(id="p").to_fields().items() if name != field}

    with pytest.raises(InvalidInput) as caught:
        DataPolicy.from_fields(fields)

    assert field == caught.value.field


def test_an_unknown_field_is_refused() -> None:
    """A rule of a later release is not dropped in silence."""
    with pytest.raises(InvalidInput, match="fields: expected only actions, as_of, blocked"):
        DataPolicy.from_fields({**DataPolicy(id="p").to_fields(), "patterns": []})


@given(ANYTHING, st.sampled_from([attribute.name for attribute in attrs.fields(DataPolicy)]))
def test_any_object_in_any_field(value: object, field: str) -> None:
    """Law 13: any object in a field gives a policy or an ExtlinkError."""
    try:
        policy = DataPolicy.from_fields({**DataPolicy(id="p").to_fields(), field: value})
    except ExtlinkError:
        return

    assert policy == DataPolicy.from_fields(policy.to_fields())


@given(ANYTHING, ANYTHING)
def test_any_object_in_any_call(one: object, other: object) -> None:
    """Law 13: any object as an argument gives a value or an ExtlinkError."""
    policy = DataPolicy(id="p", scope="only", environments=["dev"], exempt=["flow-1"])
    calls: list[Callable[[], object]] = [
        lambda: DataPolicy.from_fields(one),  # type: ignore[arg-type]
        lambda: policy.named(one),  # type: ignore[arg-type]
        lambda: policy.group_of(one),  # type: ignore[arg-type]
        lambda: policy.applies_to(one, other),  # type: ignore[arg-type]
    ]
    for call in calls:
        try:
            call()
        except ExtlinkError:
            continue
