from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import Path
from typing import Final, Literal

import attrs
import pytest
from hypothesis import Phase, given, settings, strategies as st

from extlink import datagroups
from extlink.domain.connector import UNBLOCKABLE
from extlink.domain.connector_rules import (
    CURRENT_ENVIRONMENT,
    DYNAMIC,
    ActionRules,
    CustomConnector,
    Endpoint,
    EndpointRules,
)
from extlink.domain.datagroup import (
    MAX_POLICIES,
    DataGroupPolicy,
    DataPolicy,
    Group,
    Mixed,
    PolicyScope,
    Verdict,
)
from extlink.domain.flow import Flow
from extlink.errors import ExtlinkError, InvalidInput
from tests.hosts import Host, refusal

Allows = Callable[[Sequence[DataPolicy], Collection[str], str | None], bool]


def ours(policies: Sequence[DataPolicy], flow: Collection[str], environment: str | None) -> bool:
    """Ask the library."""
    return DataGroupPolicy(policies).allows(flow, environment)


# --- The worked examples -------------------------------------------------------------------------------------------

P: Final = DataPolicy(id="P", business={"Dataverse"})
A: Final = DataPolicy(id="A", business={"SharePoint", "Twitter", "Salesforce", "Outlook", "Basecamp"})
B: Final = DataPolicy(id="B", business={"SharePoint", "Facebook", "FaceAPI", "Outlook", "Basecamp"})
C: Final = DataPolicy(id="C", business={"Facebook", "FaceAPI", "Twitter", "Salesforce", "Outlook"})
OFFICIAL: Final = [
    *["SharePoint", "Twitter", "Salesforce", "Outlook", "Basecamp"],
    *["Facebook", "FaceAPI", "AdobeSign", "Blob", "Box"],
]
CLASSIFIED: Final = DataPolicy(id="P", business={"SharePoint", "Salesforce"}, non_business={"Gmail"})
STRICT: Final = DataPolicy(id="P", default="blocked")
NEWCOMER: Final = DataPolicy(id="P", business={"kintone"})
TENANT: Final = DataPolicy(id="tenant", blocked={"Slack"}, scope="except", environments={"prod"})
DEV: Final = DataPolicy(id="dev", business={"Slack", "kintone"}, scope="only", environments={"dev"})
EXEMPTING: Final = DataPolicy(id="P", business={"kintone"}, exempt={"flow-1"})
SPLITTING: Final = DataPolicy(id="Q", business={"Slack"})


def yes_or_no(
    policies: Sequence[DataPolicy], flow: Collection[str], environment: str = "any"
) -> Callable[[Allows], bool]:
    """Return a worked example whose outcome is allowed or not."""
    return lambda allows: allows(policies, flow, environment)


# What can be asked of any evaluator: number, question, outcome.
ASKED: Final[dict[int, tuple[Callable[[Allows], bool], bool]]] = {
    1: (yes_or_no([P], {"SharePoint", "OneDrive"}), True),
    2: (yes_or_no([P], {"Dataverse"}), True),
    3: (yes_or_no([P], {"Dataverse", "SharePoint"}), False),
    4: (yes_or_no([P], {"SharePoint", "Twitter"}), True),
    5: (yes_or_no([P], {"SharePoint", "Twitter", "Dataverse"}), False),
    7: (yes_or_no([A, B, C], {"SharePoint", "Basecamp"}), True),
    9: (yes_or_no([A], {"SharePoint", "Outlook"}), True),
    10: (yes_or_no([A, B, C], {"Outlook"}), True),
    11: (
        yes_or_no(
            [DataPolicy(id="T1", business={"Facebook"}), DataPolicy(id="T2", blocked={"Facebook"})], {"Facebook"}
        ),
        False,
    ),
    12: (yes_or_no([CLASSIFIED], {"SharePoint", "Gmail"}), False),
    13: (yes_or_no([CLASSIFIED], {"SharePoint", "Salesforce"}), True),
    14: (yes_or_no([DataPolicy(id="new")], {"kintone", "Slack"}), True),
    18: (yes_or_no([NEWCOMER], {"kintone", "Slack"}), False),
    19: (yes_or_no([TENANT, DEV], {"kintone", "Slack"}, "dev"), False),
    20: (yes_or_no([TENANT, DEV], {"kintone", "Slack"}, "prod"), True),
    30: (yes_or_no([], {"kintone", "Slack"}), True),
}


def blamed(verdict: Verdict) -> list[object]:
    """Return a verdict in the form of the published file."""
    mixed = [[each.policy, "mixed", [[list(each.business)], [list(each.non_business)]]] for each in verdict.mixed]
    return [verdict.allowed, [[policy, why, [one[0], other[0]]] for policy, why, (one, other) in mixed]]


def exempted(*policies: DataPolicy) -> bool:
    """Ask for flow-1 in an environment."""
    return DataGroupPolicy(policies).allows({"kintone", "Slack"}, "dev", "flow-1")


# Rules about hosts, endpoints and actions, as the vendor's own examples have them.
BLOCKING: Final = DataGroupPolicy([STRICT], unblockable={"Approvals"})
WORDS: Final = {"business": "business", "non_business": "non-business", "blocked": "blocked", "ignore": "ignore"}
BY_HOST: Final = DataPolicy(
    id="P",
    hosts=[("https://www.mycompany.com*", "business"), ("https://www.bing.com*", "non_business"), ("*", "blocked")],
)
IGNORING: Final = DataPolicy(id="P", business={"kintone"})
OWN: Final = CustomConnector("own", "https://api.example.com")
SQL: Final = EndpointRules(
    connector="shared_sql",
    rules=[
        ("myservername.database.windows.net,testdatabase", "deny"),
        ("myservername.database.windows.net,*", "allow"),
        ("*", "deny"),
    ],
)
AZURE: Final = EndpointRules(
    connector="Http",
    rules=[
        ("https://management.azure.com/subscriptions*", "allow"),
        ("https://management.azure.com/*", "deny"),
        ("*", "deny"),
    ],
)
WEATHER: Final = ActionRules(connector="shared_msnweather", rules={"TodaysForecast": "deny", "CurrentWeather": "deny"})
GITHUB: Final = ActionRules(connector="shared_github", default="deny", rules={"GetRepositoryById": "allow"})


def called(rules: EndpointRules, *endpoints: str | Endpoint) -> list[str]:
    """Ask a whole tenant whether a flow may call each endpoint, in the vendor's words."""
    policy = DataGroupPolicy([DataPolicy(id="P", endpoints=[rules])])
    flows = [Flow([rules.connector], endpoints={rules.connector: [one]}) for one in endpoints]
    return ["allow" if policy.allows(flow) else "deny" for flow in flows]


def done(*actions: tuple[str, str]) -> list[str]:
    """Ask a whole tenant whether a flow may use each action, in the vendor's words."""
    policy = DataGroupPolicy([DataPolicy(id="P", actions=[WEATHER, GITHUB])])
    flows = [Flow([connector], actions={connector: [action]}) for connector, action in actions]
    return ["allow" if policy.allows(flow) else "block" for flow in flows]


def at_hosts(*hosts: str) -> list[str]:
    """Return where the patterns put a custom connector with each host."""
    return [WORDS[BY_HOST.group_of(CustomConnector("own", host))] for host in hosts]


def refused_at_save() -> list[str]:
    """Ask a host to save a policy that blocks SharePoint."""
    host = Host.prepared()
    host.admin.run(datagroups.set_unblockable({"SharePoint"}))
    reason = refusal(host.admin, datagroups.set_policy(DataPolicy(id="P", blocked={"SharePoint"})))
    assert "datagroup.unblockable" == reason.code
    return [f"{reason.params['connector']} cannot be blocked"]


def misplaced_ignore() -> list[str]:
    """Build a policy that ignores a pattern other than `*`."""
    with pytest.raises(InvalidInput) as caught:
        DataPolicy(id="P", hosts=[("https://www.bing.com*", "ignore"), ("*", "ignore")])
    assert "expected ignore on * alone, got it on 'https://www.bing.com*'" == caught.value.problem
    return ["ignore only allowed on *"]


def with_own(*connectors: str) -> bool:
    """Ask whether a custom connector that the policy ignores may meet others."""
    return DataGroupPolicy([IGNORING]).allows([OWN, *connectors])


# What only our own answers can tell: number, actual, expected.
TOLD: Final[dict[int, tuple[Callable[[], object], object]]] = {
    6: (
        lambda: sorted(map(list, DataGroupPolicy([A, B, C]).groups(OFFICIAL))),
        [
            ["AdobeSign", "Blob", "Box"],
            ["Basecamp", "SharePoint"],
            ["FaceAPI", "Facebook"],
            ["Outlook"],
            ["Salesforce", "Twitter"],
        ],
    ),
    8: (
        lambda: blamed(DataGroupPolicy([A, B, C]).verdict({"SharePoint", "Outlook"})),
        [False, [["C", "mixed", [["Outlook"], ["SharePoint"]]]]],
    ),
    15: (lambda: WORDS[BLOCKING.group_of("P", "Approvals")], "non-business"),
    16: (lambda: WORDS[BLOCKING.group_of("P", "kintone")], "blocked"),
    17: (refused_at_save, ["SharePoint cannot be blocked"]),
    21: (
        lambda: at_hosts("https://www.mycompany.com", "https://www.bing.com", "https://www.example.com"),
        ["business", "non-business", "blocked"],
    ),
    22: (
        lambda: [with_own("kintone"), with_own("Slack"), with_own("kintone", "Slack")],
        [True, True, False],
    ),
    23: (
        lambda: attrs.evolve(BY_HOST, blocked={"own"}).group_of(CustomConnector("own", "https://www.mycompany.com")),
        "blocked",
    ),
    24: (misplaced_ignore, ["ignore only allowed on *"]),
    25: (lambda: [exempted(EXEMPTING), exempted(EXEMPTING, SPLITTING)], [True, False]),
    26: (
        lambda: called(
            SQL,
            "myservername.database.windows.net,testdatabase",
            "myservername.database.windows.net,prod",
            "other.database.windows.net,prod",
        ),
        ["deny", "allow", "deny"],
    ),
    27: (
        lambda: called(
            AZURE,
            "https://management.azure.com/subscriptions/1",
            "https://management.azure.com/tenants",
            "https://example.com/",
        ),
        ["allow", "deny", "deny"],
    ),
    28: (
        lambda: [
            *called(EndpointRules(connector="Http", rules=[("https://a.example*", "deny"), ("*", "allow")]), DYNAMIC),
            *called(EndpointRules(connector="Http", rules=[("https://a.example*", "allow"), ("*", "deny")]), DYNAMIC),
        ],
        ["allow", "deny"],
    ),
    29: (
        lambda: done(
            ("shared_msnweather", "TodaysForecast"),
            ("shared_msnweather", "TomorrowsForecast"),
            ("shared_github", "GetRepositoryById"),
            ("shared_github", "AddedLater"),
        ),
        ["block", "allow", "allow", "block"],
    ),
}
OUTCOMES: Final[Mapping[int, object]] = {n: example[1] for n, example in (*ASKED.items(), *TOLD.items())}


def outcome(n: int) -> object:
    """Return what the library says to a worked example."""
    return ASKED[n][0](ours) if n in ASKED else TOLD[n][0]()


def test_every_worked_example_is_here() -> None:
    """All 30 of DATAGROUPS.md."""
    assert list(range(1, 31)) == sorted(OUTCOMES)


@pytest.mark.parametrize("n", sorted(OUTCOMES))
def test_worked_example(n: int) -> None:
    """DATAGROUPS.md: each worked example comes out as Microsoft's documents say."""
    assert OUTCOMES[n] == outcome(n)


@pytest.mark.realdata
@pytest.mark.parametrize("n", sorted(OUTCOMES))
def test_worked_example_of_the_published_file(n: int, realdata: Path) -> None:
    """The outcomes of the machine-readable file are ours."""
    published = json.loads((realdata / "dlp" / "worked_examples.json").read_text(encoding="utf-8"))
    expected = {example["n"]: example["expected"] for example in published}

    assert sorted(expected) == sorted(OUTCOMES)
    assert expected[n] == outcome(n)


def test_a_connector_in_the_default_group_blocked_is_refused_with_its_policy() -> None:
    """Example 16: an unlisted connector falls where the policy's default says."""
    verdict = DataGroupPolicy([STRICT]).verdict({"kintone"})

    assert (("kintone", ("P",)),) == verdict.blocked
    assert not verdict


def test_official_truth_table() -> None:
    """Microsoft's table of three policies and ten connectors: exactly 6 of the 45 pairs may be used together."""
    policy = DataGroupPolicy([A, B, C])

    assert 6 == sum(policy.allows(pair) for pair in combinations(OFFICIAL, 2))


@pytest.mark.realdata
def test_official_truth_table_of_the_published_file(realdata: Path) -> None:
    """The same table, read from the published file with all its names."""
    table = json.loads((realdata / "dlp" / "truth_tables.json").read_text(encoding="utf-8"))[
        "three_policies_ten_connectors"
    ]
    policy = DataGroupPolicy(
        DataPolicy(id=name, business=groups["Business"], non_business=groups["Non-Business"])
        for name, groups in table["policies"].items()
    )
    connectors = [connector for group in table["groups"] for connector in group]

    pairs = [policy.allows(pair) for pair in combinations(connectors, 2)]

    assert (table["pairs_allowed"], table["pairs_total"]) == (sum(pairs), len(pairs))
    assert sorted(sorted(group) for group in table["groups"] if group) == sorted(map(list, policy.groups(connectors)))


@pytest.mark.realdata
def test_two_policies_of_the_published_file(realdata: Path) -> None:
    """Blocked in one policy is unusable; others may meet if and only if they are in the same groups of both."""
    rows = json.loads((realdata / "dlp" / "truth_tables.json").read_text(encoding="utf-8"))["two_policies_ja"]["rows"]
    groups: dict[str, Group] = {"Business": "business", "Non-Business": "non_business", "Blocked": "blocked"}

    def listed(column: Literal[1, 2], group: str) -> list[str]:
        return [row[0] for row in rows if row[column] == group]

    policy = DataGroupPolicy(
        DataPolicy.from_fields(
            {**DataPolicy(id=f"{column}").to_fields(), **{ours: listed(column, its) for its, ours in groups.items()}}
        )
        for column in (1, 2)
    )
    usable = {row[0] for row in rows if row[3] != "unusable"}

    assert usable == {row[0] for row in rows if policy.allows([row[0]])}
    assert not any(policy.allows(pair) for pair in combinations(sorted(usable), 2))


# --- The laws ------------------------------------------------------------------------------------------------------

CONNECTORS: Final = ("kintone", "slack", "outlook", "excel", "dropbox", "twitter")
ENVIRONMENTS: Final = ("dev", "test", "prod")
RESOURCES: Final = ("flow-1", "flow-2")
GROUPS: Final[tuple[Group, ...]] = ("business", "non_business", "blocked")


@st.composite
def policies(draw: st.DrawFn, identifier: str) -> DataPolicy:
    """Draw a policy that makes sense: Blocked is rarer than the other two, most policies apply everywhere."""
    groups = st.sampled_from(["business", "non_business", "business", "non_business", "unlisted", "blocked"])
    placed = {connector: draw(groups) for connector in CONNECTORS}
    scope: PolicyScope = draw(st.sampled_from(["all", "all", "except", "only"]))
    default: Group = draw(st.sampled_from(["non_business", "non_business", "business", "blocked"]))
    environments = draw(st.sets(st.sampled_from(ENVIRONMENTS), min_size=1)) if scope != "all" else set[str]()
    return DataPolicy(
        id=identifier,
        business=[each for each, group in placed.items() if group == "business"],
        non_business=[each for each, group in placed.items() if group == "non_business"],
        blocked=[each for each, group in placed.items() if group == "blocked"],
        default=default,
        scope=scope,
        environments=environments,
        exempt=draw(st.sets(st.sampled_from(RESOURCES), max_size=1)),
    )


@attrs.frozen(kw_only=True)
class Case:
    """A tenant's policies, one more, a flow and where it runs."""

    policies: tuple[DataPolicy, ...]
    further: DataPolicy
    flow: tuple[str, ...]
    environment: str | None
    resource: str | None
    order: tuple[int, ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a case of up to four policies and any flow of the small world."""
    count = draw(st.integers(0, 4))
    return Case(
        policies=tuple(draw(policies(f"p{each}")) for each in range(count)),
        further=draw(policies("further")),
        flow=tuple(draw(st.lists(st.sampled_from(CONNECTORS), unique=True, max_size=4))),
        environment=draw(st.sampled_from([None, *ENVIRONMENTS])),
        resource=draw(st.sampled_from([None, *RESOURCES])),
        order=tuple(draw(st.permutations(range(count)))),
    )


def naive(policies: Sequence[DataPolicy], flow: Collection[str], environment: str | None, resource: str | None) -> bool:
    """Evaluate R1-R5 word by word, without masks."""
    for policy in policies:
        scopes = {
            "all": True,
            "except": environment not in policy.environments,
            "only": environment is None or environment in policy.environments,
        }
        if not scopes[policy.scope] or resource in policy.exempt:
            continue
        groups = set[str]()
        for connector in flow:
            listed = [group for group in GROUPS if connector in getattr(policy, group)]
            groups.add(listed[0] if listed else policy.default)
        if "blocked" in groups or {"business", "non_business"} <= groups:
            return False
    return True


def swapped(policy: DataPolicy) -> DataPolicy:
    """Exchange the names Business and Non-Business in one policy."""
    default: dict[Group, Group] = {"business": "non_business", "non_business": "business", "blocked": "blocked"}
    return attrs.evolve(
        policy, business=policy.non_business, non_business=policy.business, default=default[policy.default]
    )


def law_order_and_duplicates(allows: Allows, case: Case) -> None:
    """Law 2: order and duplicates of policies and connectors never matter."""
    shuffled = [case.policies[index] for index in case.order]
    again = [*shuffled, *case.policies[:1]]

    answer = allows(case.policies, case.flow, case.environment)
    assert answer == allows(again, [*reversed(case.flow), *case.flow], case.environment)


def law_adding_a_policy_never_allows_more(allows: Allows, case: Case) -> None:
    """Law 5: what is allowed under more policies is allowed under fewer."""
    if allows([*case.policies, case.further], case.flow, case.environment):
        assert allows(case.policies, case.flow, case.environment)


def law_subset_of_an_allowed_flow(allows: Allows, case: Case) -> None:
    """A flow with fewer connectors is allowed if the larger one is."""
    if allows(case.policies, case.flow, case.environment):
        for size in range(len(case.flow)):
            for fewer in combinations(case.flow, size):
                assert allows(case.policies, fewer, case.environment)


def law_pairwise_suffices(allows: Allows, case: Case) -> None:
    """A flow is allowed if and only if each connector and each pair of it is."""
    parts = [*combinations(case.flow, 1), *combinations(case.flow, 2)]
    answers = [allows(case.policies, part, case.environment) for part in parts]

    assert all(answers) == allows(case.policies, case.flow, case.environment)


def law_equivalence(allows: Allows, case: Case) -> None:
    """Among usable connectors 'may meet' is an equivalence relation, of at most 2 to the n classes."""
    usable = [each for each in CONNECTORS if allows(case.policies, [each], case.environment)]
    friends = {
        each: frozenset(other for other in usable if allows(case.policies, [each, other], case.environment))
        for each in usable
    }

    for each in usable:
        assert each in friends[each]
        assert all(friends[other] == friends[each] for other in friends[each])
    assert len(set(friends.values())) <= 2 ** len(case.policies)


def law_label_swap(allows: Allows, case: Case) -> None:
    """R6: exchanging the two names in one policy changes no outcome."""
    with_it = [*case.policies, case.further]
    with_swapped = [*case.policies, swapped(case.further)]

    assert allows(with_it, case.flow, case.environment) == allows(with_swapped, case.flow, case.environment)


def law_excluded_environment_is_untouched(allows: Allows, case: Case) -> None:
    """R2: a policy changes nothing in an environment that it excepts."""
    for environment in ENVIRONMENTS:
        outside = attrs.evolve(case.further, scope="except", environments={environment})
        with_it = allows([*case.policies, outside], case.flow, environment)

        assert with_it == allows(case.policies, case.flow, environment)


def law_other_environments_are_covered(allows: Allows, case: Case) -> None:
    """R2: everywhere else the same policy holds as if it were for all."""
    outside = attrs.evolve(case.further, scope="except", environments={"elsewhere"})
    inside = attrs.evolve(case.further, scope="all", environments=())

    assert allows([*case.policies, outside], case.flow, "dev") == allows([*case.policies, inside], case.flow, "dev")


def law_blocked_anywhere_is_unusable(allows: Allows, case: Case) -> None:
    """R4: a connector that one applicable policy blocks is in no allowed flow, alone or with others."""
    for connector in CONNECTORS:
        refusing = DataPolicy(id="refusing", blocked={connector})
        assert not allows([*case.policies, refusing], [connector], case.environment)
        assert not allows([*case.policies, refusing], [*case.flow, connector], case.environment)


def law_an_unknown_environment_is_the_strictest(allows: Allows, case: Case) -> None:
    """What is allowed where the environment is not known is allowed in every environment."""
    if allows(case.policies, case.flow, None):
        assert all(allows(case.policies, case.flow, environment) for environment in (*ENVIRONMENTS, "another"))


def law_the_rules_word_by_word(allows: Allows, case: Case) -> None:
    """The answer is that of the naive model."""
    assert naive(case.policies, case.flow, case.environment, None) == allows(case.policies, case.flow, case.environment)


Law = Callable[[Allows, Case], None]
LAWS: Final[tuple[Law, ...]] = (
    law_order_and_duplicates,
    law_adding_a_policy_never_allows_more,
    law_subset_of_an_allowed_flow,
    law_pairwise_suffices,
    law_equivalence,
    law_label_swap,
    law_excluded_environment_is_untouched,
    law_other_environments_are_covered,
    law_blocked_anywhere_is_unusable,
    law_an_unknown_environment_is_the_strictest,
    law_the_rules_word_by_word,
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@given(case=cases())
def test_law(law: Law, case: Case) -> None:
    """Each law of DATAGROUPS.md holds."""
    law(ours, case)


@given(cases())
def test_fast_answer_is_the_explaining_answer(case: Case) -> None:
    """Law 3: `allows`, `verdict` and the naive model agree, exemptions included."""
    policy = DataGroupPolicy(case.policies)

    allowed = policy.allows(case.flow, case.environment, case.resource)

    assert allowed is policy.verdict(case.flow, case.environment, case.resource).allowed
    assert allowed is bool(policy.verdict(iter(case.flow), case.environment, case.resource))
    assert allowed is naive(case.policies, case.flow, case.environment, case.resource)


@given(cases())
def test_an_exempt_resource_does_not_see_the_policy(case: Case) -> None:
    """R3: for a resource, a policy that exempts it is as good as absent; other policies still hold."""
    exempting = attrs.evolve(case.further, exempt={"flow-9"})
    policy = DataGroupPolicy([*case.policies, exempting])

    expected = DataGroupPolicy(case.policies).verdict(case.flow, case.environment, "flow-9")
    assert expected == policy.verdict(case.flow, case.environment, "flow-9")


@given(cases())
def test_the_blame_is_right(case: Case) -> None:
    """Each policy that is named refuses the flow on its own; without the named ones it is allowed."""
    verdict = DataGroupPolicy(case.policies).verdict(case.flow, case.environment, case.resource)
    guilty = {policy for _, policies in verdict.blocked for policy in policies} | {
        each.policy for each in verdict.mixed
    }

    for policy in case.policies:
        alone = DataGroupPolicy([policy]).allows(case.flow, case.environment, case.resource)
        assert alone is (policy.id not in guilty)
        assert (policy.id in verdict.applicable) is policy.applies_to(case.environment, case.resource)


@given(cases())
def test_the_evidence_is_right(case: Case) -> None:
    """Every connector stands on the side where its policy puts it, in order and once."""
    verdict = DataGroupPolicy(case.policies).verdict([*case.flow, *case.flow], case.environment, case.resource)
    by_id = {policy.id: policy for policy in case.policies}

    for connector, guilty in verdict.blocked:
        assert all(by_id[policy].group_of(connector) == "blocked" for policy in guilty)
    for each in verdict.mixed:
        groups = {connector: by_id[each.policy].group_of(connector) for connector in sorted(case.flow)}
        assert each.business == tuple(connector for connector, group in groups.items() if group == "business")
        assert each.non_business == tuple(connector for connector, group in groups.items() if group == "non_business")


@given(cases())
def test_groups_are_the_classes(case: Case) -> None:
    """Two connectors are in one group if and only if they may meet; a blocked one is in none."""
    policy = DataGroupPolicy(case.policies)
    groups = policy.groups(CONNECTORS, case.environment, case.resource)
    place: dict[str, int] = {connector: index for index, group in enumerate(groups) for connector in group}

    assert len(groups) <= 2 ** len(case.policies)
    for one in CONNECTORS:
        assert policy.allows([one], case.environment, case.resource) is (one in place)
    for one, other in combinations(CONNECTORS, 2):
        together = one in place and place[one] == place.get(other)
        assert policy.allows([one, other], case.environment, case.resource) is together


# --- Broken twins: wrong evaluators that the laws and examples must catch --------------------------------------------


def applicable(policies: Sequence[DataPolicy], environment: str | None) -> list[DataPolicy]:
    """Return the policies that apply."""
    return [policy for policy in policies if policy.applies_to(environment)]


def majority_vote(policies: Sequence[DataPolicy], flow: Collection[str], environment: str | None) -> bool:
    """Allow what most of the applicable policies allow."""
    votes = [naive([policy], flow, environment, None) for policy in applicable(policies, environment)]
    return 2 * sum(votes) >= len(votes)


def last_policy_wins(policies: Sequence[DataPolicy], flow: Collection[str], environment: str | None) -> bool:
    """Let the last applicable policy override the others."""
    return naive(applicable(policies, environment)[-1:], flow, environment, None)


def except_read_as_only(policies: Sequence[DataPolicy], flow: Collection[str], environment: str | None) -> bool:
    """Take the excepted environments for those that are meant."""
    return naive(
        [
            attrs.evolve(policy, scope="only") if policy.scope == "except" and policy.environments else policy
            for policy in policies
        ],
        flow,
        environment,
        None,
    )


def lone_blocked_let_through(policies: Sequence[DataPolicy], flow: Collection[str], environment: str | None) -> bool:
    """Look at combinations alone."""
    return len(set(flow)) == 1 or naive(policies, flow, environment, None)


TWINS: Final[tuple[tuple[Allows, Law], ...]] = (
    (majority_vote, law_adding_a_policy_never_allows_more),
    (last_policy_wins, law_order_and_duplicates),
    (last_policy_wins, law_adding_a_policy_never_allows_more),
    (except_read_as_only, law_excluded_environment_is_untouched),
    (except_read_as_only, law_other_environments_are_covered),
    (lone_blocked_let_through, law_blocked_anywhere_is_unusable),
)


@pytest.mark.parametrize(("twin", "law"), TWINS, ids=lambda each: each.__name__)
def test_the_law_catches_the_broken_twin(twin: Allows, law: Law) -> None:
    """The same law that we pass is failed by the wrong evaluator."""

    @settings(max_examples=2_000, phases=[Phase.generate], derandomize=True, database=None, report_multiple_bugs=False)
    @given(case=cases())
    def check(case: Case) -> None:
        law(twin, case)

    with pytest.raises(AssertionError):
        check()


@pytest.mark.parametrize(
    ("twin", "caught"),
    [
        (majority_vote, {11, 19}),
        (last_policy_wins, {19}),
        (except_read_as_only, {19, 20}),
        (lone_blocked_let_through, {11}),
    ],
)
def test_the_worked_examples_catch_the_broken_twin(twin: Allows, caught: set[int]) -> None:
    """The same examples that we pass are failed by the wrong evaluator, and we know which."""
    assert caught == {n for n, (ask, expected) in ASKED.items() if ask(twin) != expected}


# --- Flows: custom connectors, actions, endpoints, families -----------------------------------------------------------

HOSTS: Final = ("https://api.example.com", "https://www.example.org", "https://192.0.2.7")
CUSTOM: Final = tuple(
    CustomConnector(name, host) for name, host in zip(("orders", "stock", "kintone"), HOSTS, strict=True)
)
PATTERNS: Final = ("https://api.*", "*example*", "https://192.0.2.*", "https://www.example.org")
USED: Final = ("Read", "Write", "Delete")
CALLED: Final = (
    Endpoint("https://api.example.com/a"),
    Endpoint("https://www.example.org/b"),
    DYNAMIC,
    CURRENT_ENVIRONMENT,
)


@st.composite
def rich_policies(draw: st.DrawFn, identifier: str) -> DataPolicy:
    """Draw a policy with every kind of rule."""
    plain = draw(policies(identifier))
    behaviours = st.sampled_from(["allow", "deny"])
    if plain.scope == "only" and len(plain.environments) == 1 and draw(st.booleans()):
        plain = attrs.evolve(plain, level="environment")
    else:
        groups = st.sampled_from(["business", "non_business", "blocked"])
        rows = draw(st.lists(st.tuples(st.sampled_from(PATTERNS), groups), max_size=3))
        last = draw(st.sampled_from(["ignore", "ignore", "business", "non_business", "blocked"]))
        plain = attrs.evolve(plain, hosts=[*rows, ("*", str(last))])
    actions = draw(st.dictionaries(st.sampled_from(USED), behaviours, max_size=2))
    endpoints = draw(st.lists(st.tuples(st.sampled_from(PATTERNS), behaviours), max_size=2))
    default, final = draw(st.tuples(st.sampled_from(["allow", "allow", "deny"]), st.sampled_from(["allow", "deny"])))
    return attrs.evolve(
        plain,
        actions=draw(
            st.sampled_from([(), (ActionRules(connector="kintone", default=default, rules=actions),)])  # type: ignore[arg-type]
        ),
        endpoints=draw(st.sampled_from([(), (EndpointRules(connector="outlook", rules=[*endpoints, ("*", final)]),)])),
    )


@st.composite
def flows(draw: st.DrawFn, depth: int = 2) -> Flow:
    """Draw a flow, with those that it starts."""
    anything: list[str | CustomConnector] = [*CONNECTORS, *CUSTOM, "Http", "shared_conversionservice"]
    used = draw(st.lists(st.sampled_from(anything), max_size=4))
    ids = {one.id if isinstance(one, CustomConnector) else one for one in used}
    return Flow(
        used,
        actions={"kintone": draw(st.lists(st.sampled_from(USED), max_size=2))} if "kintone" in ids else {},
        endpoints={"outlook": draw(st.lists(st.sampled_from(CALLED), max_size=2))} if "outlook" in ids else {},
        children=draw(st.lists(flows(depth - 1), max_size=2)) if depth and draw(st.booleans()) else (),
        environment=draw(st.sampled_from([None, *ENVIRONMENTS])),
        id=draw(st.sampled_from([None, *RESOURCES])),
        kind=draw(st.sampled_from(["cloud", "desktop"])),
    )


@attrs.frozen
class Rich:
    """A tenant with every kind of rule, and a flow."""

    policies: tuple[DataPolicy, ...]
    further: DataPolicy
    flow: Flow
    unblockable: frozenset[str]


@st.composite
def rich_cases(draw: st.DrawFn) -> Rich:
    """Draw a tenant of up to three policies and a flow."""
    count = draw(st.integers(0, 3))
    return Rich(
        tuple(draw(rich_policies(f"p{each}")) for each in range(count)),
        draw(rich_policies("further")),
        draw(flows()),
        draw(st.frozensets(st.sampled_from(CONNECTORS), max_size=2)),
    )


def rich_group(policy: DataPolicy, one: object, unblockable: Collection[str], *, last: bool = False) -> str:
    """Return where a policy puts a connector, word by word; `last` is the broken twin: the last pattern wins."""
    name = one.id if isinstance(one, CustomConnector) else one
    if name == "shared_conversionservice":
        return "ignore"
    for group in GROUPS:
        if name in getattr(policy, group):
            return group
    if isinstance(one, CustomConnector) and policy.level == "tenant":
        fitting = [row.group for row in policy.hosts if fnmatchcase(one.host + "/", _closed(row.pattern))]
        return fitting[-1 if last else 0]
    if policy.default == "blocked" and not isinstance(one, CustomConnector) and name in unblockable:
        return "non_business"
    return policy.default


def _closed(pattern: str) -> str:
    return pattern if pattern.endswith("*") else pattern + "/"


def rich_naive(case: Rich, policies: Sequence[DataPolicy], *, last: bool = False) -> bool:
    """Evaluate R3-R12 word by word."""
    return not any(rich_objections(case, policy, last=last) for policy in policies)


def rich_objections(case: Rich, policy: DataPolicy, *, last: bool = False) -> bool:
    """Return whether one policy objects to a flow or to one that it starts."""
    groups: set[str] = set()
    todo, denied = [case.flow], False
    while todo:
        flow = todo.pop()
        todo.extend(flow.children)
        if not policy.applies_to(case.flow.environment, flow.id):
            continue
        used: set[object] = {*flow.connectors}
        if any(child.kind == "cloud" for child in flow.children):
            used.add("Http")
        groups |= {rich_group(policy, one, case.unblockable, last=last) for one in used}
        for rules in policy.actions:
            said = dict(rules.rules)
            denied |= any(said.get(name, rules.default) == "deny" for _, name in flow.actions)
        for ends in policy.endpoints:
            denied |= any(_denies(ends, end) for _, end in flow.endpoints)
    return denied or "blocked" in groups or {"business", "non_business"} <= groups


def _denies(rules: EndpointRules, end: Endpoint) -> bool:
    if end is CURRENT_ENVIRONMENT or end.kind == "current_environment":
        return False
    if end.kind == "dynamic":
        return rules.rules[-1].behaviour == "deny"
    return next(one.behaviour for one in rules.rules if fnmatchcase(end.text, _pathed(one.pattern))) == "deny"


def _pathed(pattern: str) -> str:
    return pattern if pattern.endswith("*") else pattern + "/"


@given(rich_cases())
def test_every_rule_at_once_is_the_naive_model(case: Rich) -> None:
    """Law 3 over custom connectors, actions, endpoints, children, exemptions and what cannot be blocked."""
    policy = DataGroupPolicy(case.policies, case.unblockable)

    expected = rich_naive(case, case.policies)
    assert expected is policy.allows(case.flow)
    assert expected is policy.verdict(case.flow).allowed


@given(rich_cases())
def test_laws_hold_with_every_rule(case: Rich) -> None:
    """Laws 2 and 5: order never matters, a further policy never allows more, and a part of an allowed flow is."""
    policy = DataGroupPolicy(case.policies, case.unblockable)
    more = DataGroupPolicy([case.further, *reversed(case.policies)], case.unblockable)

    assert policy == DataGroupPolicy([*reversed(case.policies), *case.policies], case.unblockable)
    if more.allows(case.flow):
        assert policy.allows(case.flow)
    if policy.allows(case.flow):
        assert policy.allows(attrs.evolve(case.flow, children=(), actions=(), endpoints=()))
        assert policy.allows(attrs.evolve(case.flow, environment="dev") if case.flow.environment is None else case.flow)


@given(rich_cases())
def test_pairs_suffice_with_ignore_too(case: Rich) -> None:
    """A set of connectors is allowed if and only if each and each pair is, custom ones that a policy ignores too."""
    policy = DataGroupPolicy(case.policies, case.unblockable)
    used = sorted(case.flow.connectors, key=str)

    parts = [*combinations(used, 1), *combinations(used, 2)]
    assert all(policy.allows(part, "dev") for part in parts) is policy.allows(used, "dev")


@given(rich_cases())
def test_the_names_of_the_two_groups_carry_no_order_in_any_rule(case: Rich) -> None:
    """R6: exchanging the names, those of host patterns included, changes no outcome but through what is unblockable."""
    other = {"business": "non_business", "non_business": "business"}
    exchanged = [
        attrs.evolve(swapped(one), hosts=[(row.pattern, other.get(row.group, row.group)) for row in one.hosts])
        for one in case.policies
    ]

    assert DataGroupPolicy(case.policies, ()).allows(case.flow) is DataGroupPolicy(exchanged, ()).allows(case.flow)


@given(rich_cases())
def test_every_guilty_policy_objects_on_its_own(case: Rich) -> None:
    """The policies that are named are exactly those that refuse the flow alone."""
    verdict = DataGroupPolicy(case.policies, case.unblockable).verdict(case.flow)
    guilty = {one for _, names in verdict.blocked for one in names} | {one.policy for one in verdict.mixed}
    guilty |= {one for denied in (*verdict.actions, *verdict.endpoints) for one in denied.policies}

    assert {policy.id for policy in case.policies if rich_objections(case, policy)} == guilty
    assert guilty <= set(verdict.applicable)


def test_with_ignore_may_meet_is_not_transitive() -> None:
    """Example 22: a custom connector that a policy ignores meets two that may not meet each other."""
    assert (True, True, False) == (with_own("kintone"), with_own("Slack"), with_own("kintone", "Slack"))
    with pytest.raises(AssertionError):  # the law that holds without Ignore
        law_equivalence(
            lambda policies, flow, environment: DataGroupPolicy(policies).allows(
                [OWN if one == "twitter" else one for one in flow], environment
            ),
            Case(policies=(IGNORING,), further=P, flow=(), environment=None, resource=None, order=(0,)),
        )


def _without_children(case: Rich) -> bool:
    return rich_naive(attrs.evolve(case, flow=attrs.evolve(case.flow, children=())), case.policies)


def _exempt_parents_free_children(case: Rich) -> bool:
    return rich_naive(case, [one for one in case.policies if case.flow.id not in one.exempt])


def _actions_of_the_last_policy(case: Rich) -> bool:
    return rich_naive(case, case.policies[-1:])


# Evaluators that are wrong about a rule of flows, each with a case that tells it from ours, and our answer to it.
RICH_TWINS: Final[dict[str, tuple[Callable[[Rich], bool], Rich, bool]]] = {
    "the last pattern that fits wins": (
        lambda case: rich_naive(case, case.policies, last=True),
        Rich((BY_HOST,), P, Flow([CustomConnector("own", "https://www.mycompany.com")]), frozenset()),
        True,
    ),
    "children are not looked at": (
        _without_children,
        Rich((P,), P, Flow(["Dataverse"], children=[Flow(["SharePoint"], kind="desktop")]), frozenset()),
        False,
    ),
    "an exempt parent frees its children": (
        _exempt_parents_free_children,
        Rich(
            (attrs.evolve(STRICT, exempt={"flow-1"}),),
            P,
            Flow(["kintone"], id="flow-1", children=[Flow(["Slack"], kind="desktop")]),
            frozenset(),
        ),
        False,
    ),
    "the last policy's rules on actions win": (
        _actions_of_the_last_policy,
        Rich(
            (
                DataPolicy(id="A", actions=[attrs.evolve(WEATHER, connector="kintone")]),
                DataPolicy(id="B", actions=[ActionRules(connector="kintone")]),
            ),
            P,
            Flow(["kintone"], actions={"kintone": ["TodaysForecast"]}),
            frozenset(),
        ),
        False,
    ),
    "the default group blocks what cannot be blocked": (
        lambda case: rich_naive(attrs.evolve(case, unblockable=frozenset()), case.policies),
        Rich((STRICT,), P, Flow(["Approvals"]), frozenset({"Approvals"})),
        True,
    ),
}


@pytest.mark.parametrize("twin", RICH_TWINS)
def test_the_naive_model_catches_the_broken_twin(twin: str) -> None:
    """An evaluator that is wrong about a rule differs from the model and from us, who agree."""
    wrong, case, expected = RICH_TWINS[twin]

    assert expected is DataGroupPolicy(case.policies, case.unblockable).allows(case.flow)
    assert expected is rich_naive(case, case.policies)
    assert expected is not wrong(case)


def test_a_child_flow_needs_the_http_connector() -> None:
    """R11: where HTTP is blocked, starting another cloud flow is refused; starting a desktop flow is not."""
    policy = DataGroupPolicy([DataPolicy(id="p", blocked={"Http"})])

    child = policy.verdict(Flow(["kintone"], children=[Flow(["kintone"])]))
    assert (("Http", ("p",)),) == child.blocked
    assert policy.allows(Flow(["kintone"], children=[Flow(["kintone"], kind="desktop")]))


def test_a_desktop_flow_is_judged_with_its_parent() -> None:
    """R12: between a cloud flow and the desktop flows that it uses, the groups must not mix."""
    policy = DataGroupPolicy([P])
    child = Flow(["SharePoint"], kind="desktop")

    assert policy.allows(child)
    assert policy.allows(Flow(["Dataverse"]))
    assert ("P",) == tuple(one.policy for one in policy.verdict(Flow(["Dataverse"], children=[child])).mixed)


def test_content_conversion_is_in_no_group() -> None:
    """R11: it meets both groups, whatever a policy says of it."""
    policy = DataGroupPolicy([DataPolicy(id="p", business={"kintone"}, blocked={"shared_conversionservice"})])
    blocking = DataGroupPolicy([STRICT])

    assert policy.allows(["kintone", "shared_conversionservice"])
    assert policy.allows(["slack", "shared_conversionservice"])
    assert blocking.allows(["/providers/Microsoft.PowerApps/apis/SHARED_CONVERSIONSERVICE"])
    assert (("kintone",), ("slack",)) == policy.groups(["kintone", "slack", "shared_conversionservice"])
    assert "ignore" == policy.group_of("p", "shared_conversionservice")


def test_no_spelling_of_a_connector_slips_past_a_policy() -> None:
    """One connector has one id: with its path, in capitals, or as a subclass of str."""
    policy = DataGroupPolicy([DataPolicy(id="p", blocked={"/providers/Microsoft.PowerApps/apis/Shared_Slack", "HTTP"})])

    for spelling in (
        "shared_slack",
        "SHARED_SLACK",
        "/providers/microsoft.powerapps/apis/shared_slack",
        "http",
        "Http",
    ):
        assert not policy.allows(frozenset({spelling}))
        assert not policy.allows([spelling])
        assert 1 == len(policy.verdict([spelling]).blocked)


def test_environments_and_flows_have_one_spelling_too() -> None:
    """A GUID has no case, and a resource path names the same environment."""
    guid = "3C19C757-3B55-411F-B03F-2BCC514A598D"
    policy = DataGroupPolicy(
        [DataPolicy(id="p", blocked={"slack"}, scope="only", environments=[f"Default-{guid}"], exempt=[guid])]
    )
    path = f"/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/default-{guid.lower()}"

    assert not policy.allows(["slack"], path)
    assert policy.allows(["slack"], path, guid.lower())
    assert policy.allows(["slack"], "another")


def test_what_cannot_be_blocked_stays_where_older_rules_put_it() -> None:
    """R7: named in Blocked it is blocked; not named, the default of Blocked makes it Non-Business."""
    named = DataPolicy(id="p", blocked={"shared_teams"}, business={"shared_kintone"}, default="blocked")
    policy = DataGroupPolicy([named])

    assert "blocked" == policy.group_of("p", "shared_teams")
    assert "non_business" == policy.group_of("p", "shared_planner")
    assert not policy.allows(["shared_teams"])
    assert policy.allows(["shared_planner"])
    assert not policy.allows(["shared_planner", "shared_kintone"])
    assert not DataGroupPolicy([named], unblockable=()).allows(["shared_planner"])
    assert policy.allows([CustomConnector("shared_planner", "https://a.example"), "shared_kintone"])
    assert 24 == len(UNBLOCKABLE)


def test_an_environments_own_policy_knows_custom_connectors_by_name() -> None:
    """R8: in an environment's policy one that is not named is in the default group, whatever its host."""
    one = DataPolicy(
        id="p", business={"kintone"}, blocked={"stock"}, scope="only", environments=["dev"], level="environment"
    )
    policy = DataGroupPolicy([one])

    assert ["non_business", "blocked"] == [one.group_of(CUSTOM[0]), one.group_of(CUSTOM[1])]
    assert not policy.allows([CUSTOM[0], "kintone"], "dev")
    assert policy.allows([CUSTOM[0], "kintone"], "prod")


def test_explicit_facts_stand_above_the_flows_own() -> None:
    """Who asks may say where a flow lives and which it is."""
    policy = DataGroupPolicy([DataPolicy(id="p", blocked={"slack"}, scope="only", environments=["dev"], exempt=["f"])])
    flow = Flow(["slack"], environment="dev", id="g")

    assert not policy.allows(flow)
    assert policy.allows(flow, environment="prod")
    assert policy.allows(flow, resource="f")


def test_a_policy_that_is_not_there() -> None:
    """Asking where it puts a connector is a mistake that is told."""
    with pytest.raises(InvalidInput, match="policy: expected the id of a policy of this tenant"):
        DataGroupPolicy([P]).group_of("Q", "kintone")


def test_the_reason_names_action_and_endpoint_without_secrets() -> None:
    """R9, R10: each with the policies that deny it; of an endpoint neither user nor query is told."""
    one = DataPolicy(
        id="p",
        actions=[ActionRules(connector="kintone", rules={"Delete": "deny"})],
        endpoints=[EndpointRules(connector="Http", rules=[("*", "deny")])],
    )
    other = attrs.evolve(one, id="q")
    flow = Flow(
        ["kintone", "Http"],
        actions={"kintone": ["delete", "Read"]},
        endpoints={"Http": ["https://sato:secret@a.example/x?key=secret#secret"]},
    )

    verdict = DataGroupPolicy([one, other]).verdict(flow)

    assert [("kintone", "delete", ("p", "q"))] == [
        (each.connector, each.what, each.policies) for each in verdict.actions
    ]
    assert [("Http", "https://a.example/x", ("p", "q"))] == [
        (each.connector, each.what, each.policies) for each in verdict.endpoints
    ]


# --- The value itself ------------------------------------------------------------------------------------------------


def test_policies_are_kept_in_the_order_of_ids_each_once() -> None:
    """Law 2: two tenants with the same policies are equal, also as keys and after pickling."""
    one = DataGroupPolicy([A, B, C])
    other = DataGroupPolicy(iter([C, B, A, B]))

    assert (A, B, C) == other.policies
    assert one == other
    assert hash(one) == hash(other)
    assert other.allows({"Outlook"}) is pickle.loads(pickle.dumps(one)).allows({"Outlook"})  # noqa: S301 - our own bytes


def test_it_is_shown_by_its_policies() -> None:
    """What was compiled from them says nothing more."""
    assert f"DataGroupPolicy(policies=({P!r},))" == repr(DataGroupPolicy([P]))


def test_two_contents_under_one_id_are_refused() -> None:
    """An id names one policy: which of two contents holds cannot be guessed."""
    with pytest.raises(InvalidInput, match="policies: two different policies have the id 'P'"):
        DataGroupPolicy([P, STRICT])


@pytest.mark.parametrize(
    ("policies", "problem"),
    [
        (None, "expected a list of DataPolicy, got NoneType"),
        ([None], "expected a DataPolicy, got NoneType"),
        ("P", "expected a DataPolicy, got str"),
        ([P.to_fields()], "expected a DataPolicy, got dict"),
        ([P] * (MAX_POLICIES + 1), "expected at most 1000"),
    ],
)
def test_what_is_no_list_of_policies(policies: list[DataPolicy], problem: str) -> None:
    """The error says what was handed in."""
    with pytest.raises(InvalidInput, match=problem):
        DataGroupPolicy(policies)


@pytest.mark.parametrize(
    "flow", ["kintone", b"kintone", None, 5, [5], [""], ["x" * 256], ["\ud800"], [[]], [None]], ids=ascii
)
def test_what_is_no_flow(flow: list[str]) -> None:
    """One text is not a list of its letters: it would be looked up letter by letter, and pass."""
    policy = DataGroupPolicy([P])

    for ask in (policy.allows, policy.verdict, policy.groups):
        with pytest.raises(InvalidInput) as caught:
            ask(flow)
        assert "connectors" == caught.value.field


def test_a_flow_beyond_the_limit() -> None:
    """A list that no flow has is refused by every question alike."""
    flow = [str(number) for number in range(10_001)]

    for ask in (DataGroupPolicy().allows, DataGroupPolicy().verdict, DataGroupPolicy().groups):
        with pytest.raises(InvalidInput, match="at most 10,000 items"):
            ask(flow)


def test_names_outside_ascii() -> None:
    """A connector's id is any text of up to 255 bytes."""
    policy = DataGroupPolicy([DataPolicy(id="p", blocked={"キントーン"})])

    assert not policy.allows(["キントーン"])
    assert policy.allows(["スラック"])


def test_text_of_another_class_is_the_same_text() -> None:
    """An id that is a subclass of str is found like plain text."""

    class Text(str):
        __slots__ = ()

    assert not DataGroupPolicy([DataPolicy(id="p", blocked={"slack"})]).allows([Text("slack")])


def test_nothing_in_the_flow_is_allowed() -> None:
    """A flow without connectors breaks no rule; the verdict says which policies were asked."""
    assert Verdict(applicable=("P",)) == DataGroupPolicy([STRICT]).verdict([])  # type: ignore[arg-type]


def test_a_policy_blames_blocked_and_mixed_at_once() -> None:
    """Every reason is told, not only the first."""
    policy = DataPolicy(id="p", business={"kintone"}, blocked={"twitter"})

    verdict = DataGroupPolicy([policy]).verdict(["twitter", "slack", "kintone"])

    assert (("twitter", ("p",)),) == verdict.blocked
    assert (Mixed(policy=policy.id, business=("kintone",), non_business=("slack",)),) == verdict.mixed  # type: ignore[arg-type]


ANYTHING: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.binary(max_size=4),
    st.text(st.characters(codec=None), max_size=300),
    st.sampled_from([object(), print, P, "dev", "\ud800"]),
    st.lists(st.one_of(st.text(max_size=3), st.integers(), st.just(P), st.lists(st.text())), max_size=3),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
)


@given(ANYTHING, ANYTHING, ANYTHING)
def test_any_object_in_any_call(one: object, other: object, third: object) -> None:
    """Law 13: any object gives a value or an ExtlinkError, and both speeds agree on which."""
    policy = DataGroupPolicy([P, TENANT, EXEMPTING.__class__(id="Q", exempt={"flow-1"})])

    def answer(ask: Callable[..., object]) -> bool | None:
        try:
            return bool(ask(one, other, third))
        except ExtlinkError:
            return None

    assert answer(policy.allows) is answer(policy.verdict)
    answer(policy.groups)
    answer(lambda *_: DataGroupPolicy(one))  # type: ignore[arg-type]
