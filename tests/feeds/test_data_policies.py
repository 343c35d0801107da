"""Data policies in Power Platform's formats: every item taken or set aside, what contradicts itself refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain.connector import NEVER_CLASSIFIED
from extlink.domain.connector_rules import CustomConnector
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datapolicy import DataPolicy
from extlink.errors import ExtlinkError, InvalidInput
from extlink.feeds import SetAside, read_data_policies, read_flows, write_data_policy
from extlink.feeds.data_policies import SOURCE
from tests.domain.test_datapolicy import policies

APIS: Final = "/providers/Microsoft.PowerApps/apis/"
ID: Final = "00000000-0000-0000-0000-00000000000"


def folder(realdata: Path) -> Path:
    """Return the folder of the terraform provider's recordings."""
    return realdata / "dlp" / "terraform-provider"


def one(data: bytes | str) -> DataPolicy:
    """Return the only policy of a document of which nothing was set aside."""
    found = read_data_policies(data)
    assert () == found.set_aside
    (policy,) = found.policies
    return policy


@pytest.mark.realdata
def test_a_policy_without_rules(realdata: Path) -> None:
    """The first recorded answer: nothing classified, everything Non-Business, custom connectors ignored."""
    policy = one((folder(realdata) / f"datasource__Validate_Read__get_policy_{ID}1.json").read_bytes())

    assert DataPolicy(id=policy.id, name="a1", source=SOURCE, as_of="2023-10-02") == policy
    assert f"{ID}1" == policy.id


@pytest.mark.realdata
def test_a_policy_with_every_rule(realdata: Path) -> None:
    """The second: two groups, an excepted environment, rules on 13 actions, an endpoint rule, a host pattern."""
    policy = one((folder(realdata) / f"datasource__Validate_Read__get_policy_{ID}2.json").read_bytes())

    assert {"shared_office365users", "shared_azureblob"} == policy.business
    assert {
        "shared_powerappsforappmakers",
        "shared_microsoftspatialservices",
        "shared_sql",
        "shared_bttn",
    } == policy.non_business
    assert ("except", frozenset({"be0eb809-e58a-ec1b-8fce-ea40b0e53442"})) == (policy.scope, policy.environments)
    (actions,), (endpoints,) = policy.actions, policy.endpoints
    assert ("shared_azureblob", "deny", 13) == (actions.connector, actions.default, len(actions.rules))
    assert [True, True, False] == [
        actions.allows(action) for action in ("CreateFile_V2", "UpdateFile_V2", "AddedLater")
    ]
    assert [("shared_azureblob", "*", "deny")] == [
        (endpoints.connector, rule.pattern, rule.behaviour) for rule in endpoints.rules
    ]
    assert ["business", "ignore"] == [
        policy.group_of(CustomConnector("own", host)) for host in ("http://aaa.com", "http://bbb.com")
    ]


@pytest.mark.realdata
def test_a_policy_that_blocks_by_default(realdata: Path) -> None:
    """The third, written by terraform: all groups, one environment, and a date that is a placeholder."""
    policy = one((folder(realdata) / f"resource__Validate_Create__get_policy_{ID}1.json").read_bytes())

    assert ("blocked", "only", "tenant", "") == (policy.default, policy.scope, policy.level, policy.as_of)
    assert [["shared_sharepointonline"], ["shared_sql"], ["shared_azureblob"]] == [
        sorted(policy.named(group)) for group in ("business", "non_business", "blocked")
    ]
    assert [True, False] == [policy.endpoints[0].allows(one) for one in ("contoso.com", "contoso.example")]
    assert [False, True] == [policy.actions[0].allows(one) for one in ("DeleteItem_V2", "GetItem_V2")]
    assert "blocked" == policy.group_of(CustomConnector("own", "https://api.contoso.com"))


@pytest.mark.realdata
def test_a_summary_is_no_policy_without_rules(realdata: Path) -> None:
    """The list of policies names no connectors: it is set aside, never taken for policies that block nothing."""
    found = read_data_policies((folder(realdata) / "datasource__Validate_Read__get_policies.json").read_bytes())

    reason = "a summary without connectors; read the policy itself"
    assert () == found.policies
    assert tuple(SetAside(f"{ID}{number}", reason) for number in (1, 2)) == found.set_aside


@pytest.mark.realdata
def test_the_real_export(realdata: Path) -> None:
    """ScubaGear's export: 20 business, 0 non-business, 136 blocked connectors, in one environment."""
    policy = one((realdata / "dlp" / "scubagear_dlp_policies.json").read_bytes())

    assert (20, 0, 136) == (len(policy.business), len(policy.non_business), len(policy.blocked))
    assert ("only", "non_business", "2022-05-31") == (policy.scope, policy.default, policy.as_of)
    assert {"Default-3c19c757-3b55-411f-b03f-2bcc514a598d"} == policy.environments
    assert SOURCE == policy.source
    assert {"Http", "HttpRequestReceived", "HttpWebhook"} <= policy.blocked


@pytest.mark.realdata
def test_the_real_flows_against_the_real_export(realdata: Path) -> None:
    """47 flows, connectors that the export lacks in the default group: 11 allowed, 30 mixed, 4 mixed and blocked, 2."""
    export = one((realdata / "dlp" / "scubagear_dlp_policies.json").read_bytes())
    policy, found = (
        DataGroupPolicy([export]),
        read_flows((realdata / "dlp" / "pnp_sample_flows_connectors.jsonl").read_bytes()),
    )
    (environment,) = export.environments
    verdicts = [policy.verdict(flow, environment) for flow in found.flows]
    kinds = [(bool(verdict.mixed), bool(verdict.blocked)) for verdict in verdicts]
    used = {connector for flow in found.flows for connector in flow.ids()}

    assert (47, ()) == (len(found.flows), found.set_aside)
    assert (11, 30, 4, 2) == tuple(
        kinds.count(kind) for kind in ((False, False), (True, False), (True, True), (False, True))
    )
    assert 11 == sum(policy.allows(flow, environment) for flow in found.flows)
    assert 5 == len(used - export.business - export.blocked)
    assert 47 == sum(policy.allows(flow, "another environment") for flow in found.flows)
    for flow in found.flows:
        moves = policy.remedy(flow, environment)
        assert isinstance(moves, tuple)
        assert policy.moved(moves).allows(flow, environment)


@pytest.mark.realdata
def test_real_policies_are_written_as_they_were_read(realdata: Path) -> None:
    """Reading, writing and reading again loses nothing but the date, which the document of the API does not carry."""
    for path in [*folder(realdata).glob("*get_policy_*"), realdata / "dlp" / "scubagear_dlp_policies.json"]:
        policy = one(path.read_bytes())
        assert attrs.evolve(policy, as_of="") == one(write_data_policy(policy))


@given(policies())
def test_what_is_written_is_read(policy: DataPolicy) -> None:
    """Round trip of any policy, without the exemptions, which are a document of their own in Power Platform."""
    found = read_data_policies(write_data_policy(policy), source=policy.source)

    assert (attrs.evolve(policy, exempt=(), as_of=""),) == found.policies
    assert () == found.set_aside


def document(**changes: Any) -> dict[str, Any]:
    """Return a policy as an export has it."""
    return {
        "name": "p1",
        "displayName": "Standard",
        "defaultConnectorsClassification": "General",
        "connectorGroups": [{"classification": "Confidential", "connectors": [{"id": f"{APIS}shared_kintone"}]}],
        "environmentType": "AllEnvironments",
        "environments": [],
        **changes,
    }


def configured(**changes: Any) -> dict[str, Any]:
    """Return a policy as the API answers it."""
    return {"policyDefinition": document(), **changes}


def group(word: str, *connectors: str) -> dict[str, Any]:
    """Return one group."""
    return {"classification": word, "connectors": [{"id": connector} for connector in connectors]}


def patterns(*rules: tuple[Any, str, str]) -> dict[str, Any]:
    """Return a policy with host patterns."""
    return configured(
        customConnectorUrlPatternsDefinition={
            "rules": [
                {"order": order, "pattern": pattern, "customConnectorRuleClassification": word}
                for order, pattern, word in rules
            ]
        }
    )


def endpoints(*rules: dict[str, Any]) -> dict[str, Any]:
    """Return a policy with endpoint rules."""
    listing = {"connectorId": "shared_sql", "endpointRules": list(rules)}
    return configured(connectorConfigurationsDefinition={"endpointConfigurations": [listing]})


def actions(**rules: Any) -> dict[str, Any]:
    """Return a policy with rules on actions."""
    return configured(
        connectorConfigurationsDefinition={"connectorActionConfigurations": [{"connectorId": "shared_sql", **rules}]}
    )


def test_every_shape_of_a_document() -> None:
    """A policy alone, in `value`, in a list, in ScubaGear's wrapping, or as the API answers it."""
    alone = document()
    expected = one(json.dumps(alone))

    for shape in ([alone], {"value": [alone]}, {"dlp_policies": [{"value": [alone]}]}, configured(), [configured()]):
        assert expected == one(json.dumps(shape))


def test_an_environments_own_policy() -> None:
    """`SingleEnvironment` is what environment administrators make."""
    data = document(environmentType="SingleEnvironment", environments=[{"name": "dev"}])

    found = one(json.dumps(data))
    assert ("environment", "only", frozenset({"dev"})) == (found.level, found.scope, found.environments)


def test_items_that_are_set_aside() -> None:
    """Duplicates, Content Conversion and keys that nobody knows are told with their reasons."""
    data = document(
        connectorGroups=[
            group("Blocked", f"{APIS}shared_slack", "SHARED_SLACK", f"{APIS}{min(NEVER_CLASSIFIED)}"),
            group("General"),
        ],
        environmentType="ExceptEnvironments",
        environments=[{"name": "dev"}, {"name": "dev"}],
        newRules=[],
    )
    found = read_data_policies(json.dumps({**data, "connectorConfigurationsDefinition": {"newConfigurations": []}}))

    assert {"shared_slack"} == found.policies[0].blocked
    assert [
        ("newRules", "not known to this reader"),
        ("SHARED_SLACK", "duplicate"),
        ("/providers/Microsoft.PowerApps/apis/shared_conversionservice", "never classified: it may meet every group"),
        ("dev", "duplicate"),
        ("newConfigurations", "not known to this reader"),
    ] == [(item.text, item.reason) for item in found.set_aside]


def test_both_spellings_of_endpoint() -> None:
    """The API writes `endPoint`, the PowerShell documents `endpoint`; the order is the one that is stated."""
    rules = ({"order": 2, "endPoint": "*", "behavior": "Deny"}, {"order": 1, "endpoint": "a,*", "behavior": "Allow"})

    assert [True, False] == [one(json.dumps(endpoints(*rules))).endpoints[0].allows(text) for text in ("a,b", "b,b")]


def test_source_and_date_of_a_copy() -> None:
    """The host may say when it made the copy; else no copy is older than the last change."""
    changed = document(lastModifiedTime="2022-05-31T17:03:57.6942145Z")
    given = read_data_policies(json.dumps(changed), as_of=date(2026, 4, 7), source="from Ms. Sato").policies[0]

    assert ("copy of Power Platform's data policies", "2022-05-31") == (one(json.dumps(changed)).source, "2022-05-31")
    assert "2022-05-31" == one(json.dumps(changed)).as_of
    assert ("from Ms. Sato", "2026-04-07") == (given.source, given.as_of)


ENDS: Final = "data.connectorConfigurationsDefinition.endpointConfigurations[0]"
REFUSED: Final[list[tuple[object, str, str]]] = [
    (5, "data", "expected an object, got a number"),
    ({"value": {}}, "value", "expected a list, got an object"),
    ([[[[document()]]]], "data[0][0][0]", "expected an object, got a list"),
    ({}, "data.name", "expected text, got nothing"),
    ([document(), document()], "data[1].name", "expected each policy once, got 'p1' twice"),
    ({"policyDefinition": []}, "data.policyDefinition", "expected an object, got a list"),
    (document(name=""), "data.name", "expected 1 to 255 characters"),
    (document(displayName=5), "data.name", "expected text, got int"),
    (document(connectorGroups={}), "data.connectorGroups", "expected a list, got an object"),
    (document(connectorGroups=[5]), "data.connectorGroups[0]", "expected an object"),
    (document(connectorGroups=[group("Business")]), "data.connectorGroups[0].classification", "got Business"),
    (document(connectorGroups=[group("General")] * 2), "data.connectorGroups[1].classification", "each group once"),
    (
        document(connectorGroups=[group("General", "a"), group("Blocked", "a")]),
        "data.blocked",
        "connector 'a' is in non_business as well",
    ),
    (
        document(connectorGroups=[{"classification": "Blocked"}]),
        "data.connectorGroups[0].connectors",
        "expected a list, got nothing",
    ),
    (
        document(connectorGroups=[{"classification": "Blocked", "connectors": [{"name": "Slack"}]}]),
        "data.connectorGroups[0].connectors[0].id",
        "expected text, got nothing",
    ),
    (
        document(connectorGroups=[group("Blocked", "キ" * 200)]),
        "data.connectorGroups[0].connectors[0].id",
        "expected 1 to 255 bytes",
    ),
    (document(defaultConnectorsClassification=None), "data.defaultConnectorsClassification", "got nothing"),
    (document(environmentType="Some"), "data.environmentType", "expected one of AllEnvironments, ExceptEnvironments"),
    (document(environmentType="OnlyEnvironments"), "data.environments", "expected at least one"),
    (document(environments=None), "data.environments", "expected a list, got nothing"),
    (document(environments=[{}]), "data.environments[0].name", "expected text, got nothing"),
    (
        document(environmentType="SingleEnvironment", environments=[{"name": "a"}, {"name": "b"}]),
        "data.level",
        "one env",
    ),
    (patterns((1, "a", "Blocked")), "data.hosts", "expected * as the last pattern"),
    (
        patterns((1, "a", "Ignore"), (2, "*", "Ignore")),
        "data.customConnectorUrlPatternsDefinition.rules[0].group",
        "expected ignore on * alone",
    ),
    (patterns((1, "*", "Business")), "data.customConnectorUrlPatternsDefinition.rules[0].custom", "expected one of"),
    (patterns((2, "*", "Ignore")), "data.customConnectorUrlPatternsDefinition.rules", "expected the orders 1 to 1"),
    (patterns((True, "*", "Ignore")), "data.customConnectorUrlPatternsDefinition.rules", "expected the orders 1 to 1"),
    (
        patterns((1, "a", "Blocked"), (1, "*", "Ignore")),
        "data.customConnectorUrlPatternsDefinition.rules",
        "expected the orders 1 to 2",
    ),
    (endpoints(), f"{ENDS}.rules", "expected * as the last pattern"),
    (
        endpoints({"order": 1, "endPoint": "*", "behavior": "Block"}),
        "data.connectorConf",
        "expected one of Allow, Deny",
    ),
    (endpoints({"order": 1, "behavior": "Deny"}), f"{ENDS}.pattern", "expected text, got NoneType"),
    (actions(actionRules=[]), "data.connectorConfigurationsDefinition", "expected one of Allow, Block, got nothing"),
    (
        actions(defaultConnectorActionRuleBehavior="Allow", actionRules=[{"actionId": "a", "behavior": "Deny"}]),
        "data.connectorConfigurationsDefinition",
        "expected one of Allow, Block, got Deny",
    ),
    (configured(connectorConfigurationsDefinition=[]), "data.connectorConfigurationsDefinition", "expected an object"),
]


@pytest.mark.parametrize(("shape", "field", "problem"), REFUSED, ids=map(str, range(len(REFUSED))))
def test_what_contradicts_itself_is_refused(shape: object, field: str, problem: str) -> None:
    """The error names the place: what is not understood might be a rule that blocks."""
    with pytest.raises(InvalidInput) as caught:
        read_data_policies(json.dumps(shape))

    assert caught.value.field.startswith(field)
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    "make",
    [
        lambda: read_data_policies("", as_of="2026-04-07"),  # type: ignore[arg-type]
        lambda: read_data_policies(json.dumps(document()), source=5),  # type: ignore[arg-type]
        lambda: write_data_policy("p"),  # type: ignore[arg-type]
        lambda: read_data_policies(5),  # type: ignore[arg-type]
        lambda: read_data_policies('{"name": "a", "name": "b"}'),
    ],
    ids=["date", "source", "policy", "data", "twice"],
)
def test_arguments_of_another_kind(make: Callable[[], object]) -> None:
    """They are errors of ours."""
    with pytest.raises(InvalidInput):
        make()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to everything in a document."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


WHOLE: Final = {
    **configured(),
    **{key: value for key, value in patterns((1, "*", "Ignore")).items() if key != "policyDefinition"},
    "connectorConfigurationsDefinition": {
        **endpoints({"order": 1, "endPoint": "*", "behavior": "Deny"})["connectorConfigurationsDefinition"],
        **actions(actionRules=[{"actionId": "a", "behavior": "Block"}], defaultConnectorActionRuleBehavior="Allow")[
            "connectorConfigurationsDefinition"
        ],
    },
}


def test_the_whole_document_is_read() -> None:
    """The document that is spoilt below is a good one."""
    assert one(json.dumps(WHOLE)).actions


@pytest.mark.parametrize("spoilt", [None, True, 0, "", "*", [], {}, [None], {"id": 5}], ids=ascii)
def test_any_spoilt_document_is_a_value_or_an_error(spoilt: object) -> None:
    """Law 13, exhaustively: each place of a document holds something else."""
    for path in places(WHOLE):
        whole = json.loads(json.dumps({"": WHOLE}))
        at = whole
        for key in ("", *path)[:-1]:
            at = at[key]
        at[("", *path)[-1]] = spoilt
        try:
            read_data_policies(json.dumps(whole[""]))
        except ExtlinkError:
            continue


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_are_a_value_or_an_error(data: bytes | str) -> None:
    """Law 13."""
    try:
        read_data_policies(data)
    except ExtlinkError:
        return
