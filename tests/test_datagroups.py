"""Operations on data policies: what each promises, and that it holds at the very next flow (S6; TRACE T2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import attrs
import pytest

from extlink import access, datagroups
from extlink.domain.connector_rules import ActionRules, EndpointRules
from extlink.domain.datagroup import DataGroupPolicy, Move, Unfixable
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Answer
from extlink.domain.flow import Flow
from extlink.domain.reason import Reason
from extlink.errors import InvalidInput
from extlink.operation import Operation
from extlink.ports import Batch, Version, Write
from extlink.records import DATA_GROUPS, data_groups_key
from tests.fakes import NOW
from tests.hosts import ACME, SERVICE, Host, codes, refusal

TOGETHER = DataPolicy(id="standard", business={"shared_kintone", "shared_outlook"}, source="export", as_of="2020-06-09")
APART = DataPolicy(id="standard", business={"shared_kintone"}, non_business={"shared_outlook"})


def last(host: Host) -> tuple[str, str | None, Mapping[str, object]]:
    """Return the newest entry: what, who, details."""
    entry = host.entries()[-1]
    return entry.event, entry.user, entry.details


def unchanged(host: Host, operation: Operation[object]) -> object:
    """Run an operation that has nothing to do and return its result: nothing is written, nothing recorded."""
    before = host.dump()
    result = host.admin.run(operation)
    assert before == host.dump()
    return result


def flow(host: Host, *connectors: str) -> tuple[str, ...]:
    """Return what the data group gate says of a flow, in a process that has cached nothing."""
    other = host.other_process().acting_as("admin-2", roles={"common_administrator"})
    asked = access.explain(SERVICE, user="sato", connectors=connectors, network="not_applicable")
    return tuple(reason.code for reason in other.run(asked).gate("data_group").reasons)


def test_without_a_policy_everything_may_meet() -> None:
    """A tenant that copied no policy is asked nothing."""
    host = Host.prepared()

    assert DataGroupPolicy() == host.admin.run(datagroups.show())
    assert ("datagroup.no_policy",) == flow(host, "shared_kintone", "shared_outlook")


def test_a_policy_holds_at_the_next_flow() -> None:
    """The partner service and the host must be in the same data group (page A)."""
    host = Host.prepared()
    after = host.admin.run(datagroups.set_policy(APART))

    assert DataGroupPolicy([APART]) == after == host.admin.run(datagroups.show())
    assert ("datagroup.mixed",) == flow(host, "shared_kintone", "shared_outlook")
    host.admin.run(datagroups.set_policy(TOGETHER))
    assert ("datagroup.same_group",) == flow(host, "shared_kintone", "shared_outlook")


def test_setting_a_policy_tells_what_was_and_what_is() -> None:
    """A new policy was nothing before; one of the same id is replaced."""
    host = Host.prepared()
    host.admin.run(datagroups.set_policy(TOGETHER))
    first = last(host)
    host.admin.run(datagroups.set_policy(APART))

    assert ("datagroup.changed", "admin-1") == first[:2]
    told = {"policy": "standard", "existing": "keep"}
    assert {**told, "before": None, "after": TOGETHER.to_fields()} == first[2]
    assert {**told, "before": TOGETHER.to_fields(), "after": APART.to_fields()} == last(host)[2]
    assert (APART,) == host.admin.run(datagroups.show()).policies


def test_an_exemption_is_told_too() -> None:
    """What is exempt from a policy, and where it applies, is in the entry as the groups are."""
    host = Host.prepared()
    host.admin.run(datagroups.set_policy(APART))
    host.admin.run(datagroups.set_policy(attrs.evolve(APART, exempt={"flow-1"}, scope="only", environments={"dev"})))
    before, after = last(host)[2]["before"], last(host)[2]["after"]

    assert ([], ["flow-1"]) == (before["exempt"], after["exempt"])  # type: ignore[index]
    assert ([], ["dev"]) == (before["environments"], after["environments"])  # type: ignore[index]


def test_several_policies_hold_together() -> None:
    """A second policy never allows more (law 5)."""
    host = Host.prepared()
    host.admin.run(datagroups.set_policy(TOGETHER))
    host.admin.run(datagroups.set_policy(DataPolicy(id="strict", blocked={"shared_outlook"})))

    assert ("datagroup.blocked",) == flow(host, "shared_kintone", "shared_outlook")
    assert {"standard", "strict"} == {one.id for one in host.admin.run(datagroups.show()).policies}


def test_setting_the_same_policy_again_changes_nothing() -> None:
    """An equal policy is no change."""
    host = Host.prepared()
    host.admin.run(datagroups.set_policy(TOGETHER))
    unchanged(host, datagroups.set_policy(TOGETHER))


@pytest.mark.parametrize("value", ["standard", None, DataPolicy, {}], ids=["text", "none", "class", "fields"])
def test_only_a_policy_can_be_set(value: object) -> None:
    """Anything that is no `DataPolicy` is refused when the operation is made."""
    with pytest.raises(InvalidInput, match="policy: expected a DataPolicy, got"):
        datagroups.set_policy(value)  # type: ignore[arg-type]


def test_there_are_at_most_a_thousand_policies() -> None:
    """One more is refused, and nothing is changed."""
    host = Host.make()
    many = DataGroupPolicy([DataPolicy(id=f"p{number}") for number in range(1_000)])
    write = Write(data_groups_key(ACME).key, DATA_GROUPS.encode(many, NOW))
    host.store.commit(Batch(tenant=b"acme", id=Version(5), guards=(), writes=(write,), entries=(), at=NOW))
    before = host.dump()

    with pytest.raises(InvalidInput, match="policies: expected at most 1000"):
        host.admin.run(datagroups.set_policy(DataPolicy(id="more")))
    assert before == host.dump()


def test_a_policy_is_removed_by_its_id() -> None:
    """It is not asked any more, and the entry tells what it was."""
    host = Host.prepared()
    host.admin.run(datagroups.set_policy(APART))
    after = host.admin.run(datagroups.remove_policy("standard"))

    assert DataGroupPolicy() == after
    assert ("datagroup.changed", "admin-1", {"policy": "standard", "before": APART.to_fields(), "after": None}) == last(
        host
    )
    assert ("datagroup.no_policy",) == flow(host, "shared_kintone", "shared_outlook")


def test_removing_one_policy_leaves_the_others() -> None:
    """Only the one that is named goes."""
    host = Host.prepared()
    other = DataPolicy(id="other", blocked={"shared_twitter"})
    host.admin.run(datagroups.set_policy(APART))
    host.admin.run(datagroups.set_policy(other))

    assert DataGroupPolicy([other]) == host.admin.run(datagroups.remove_policy("standard"))


def test_a_policy_that_is_not_there_cannot_be_removed() -> None:
    """An unknown id is a clear refusal, and nothing changes."""
    host = Host.prepared()
    host.admin.run(datagroups.set_policy(APART))
    before = host.dump()
    reason = refusal(host.admin, datagroups.remove_policy("strict"))

    assert Reason("datagroup.unknown_policy", {"policy": "strict"}) == reason
    assert before == host.dump()


def test_a_flow_that_is_not_stated_may_be_refused() -> None:
    """The gate is not evaluated without connectors; where the tenant demands them, that refuses (TRACE T2)."""
    host = Host.prepared()
    token = host.connect().access_token
    silent = host.check(token)
    tenant = host.admin.run(datagroups.require_flow_connectors(True))
    demanded = host.check(token)

    assert (True, Answer.NOT_EVALUATED) == (silent.allowed, silent.gate("data_group").answer)
    assert tenant.requires_flow_connectors
    assert ("datagroup.flow_unknown",) == codes(demanded)
    assert last(host)[0] == "access.refused"
    stated = access.check(token, scope="k:app_record:read", connectors=["shared_kintone"])
    assert host.tenant.run(stated)
    host.admin.run(datagroups.require_flow_connectors(False))
    assert host.check(token)


def test_demanding_flows_tells_what_was_and_what_is() -> None:
    """The entry names the setting, before and after."""
    host = Host.prepared()
    host.admin.run(datagroups.require_flow_connectors(True))
    details = {"setting": "requires_flow_connectors", "before": False, "after": True, "existing": "keep"}

    assert ("tenant.setting_changed", "admin-1", details) == last(host)


@pytest.mark.parametrize("required", [True, False])
def test_demanding_flows_again_changes_nothing(required: bool) -> None:
    """The same word twice is one change."""
    host = Host.prepared()
    host.admin.run(datagroups.require_flow_connectors(required))
    unchanged(host, datagroups.require_flow_connectors(required))


@pytest.mark.parametrize("value", [None, 0, "no"])
def test_demanding_flows_is_a_yes_or_a_no(value: object) -> None:
    """Anything else would be taken for a yes."""
    with pytest.raises(InvalidInput, match="required: expected True or False"):
        datagroups.require_flow_connectors(value)  # type: ignore[arg-type]


def test_policies_are_for_administrators() -> None:
    """Neither users nor access administrators see or set them."""
    host = Host.prepared()

    assert "actor.not_permitted" == refusal(host.user(), datagroups.show()).code
    keeper = host.tenant.acting_as("keeper", roles={"access_administrator"})
    assert "actor.not_permitted" == refusal(keeper, datagroups.set_policy(APART)).code


def test_what_cannot_be_blocked_is_refused_at_save() -> None:
    """R7: Power Platform would refuse it too; nothing is changed."""
    host = Host.prepared()
    before = host.dump()
    policy = DataPolicy(id="standard", blocked={"shared_teams", "shared_slack"})
    reason = refusal(host.admin, datagroups.set_policy(policy))

    assert Reason("datagroup.unblockable", {"connector": "shared_teams", "policy": "standard"}) == reason
    assert before == host.dump()


def test_rules_on_actions_of_what_cannot_be_blocked_are_refused() -> None:
    """R9: Power Platform offers none for these connectors."""
    host = Host.prepared()
    rules = [ActionRules(connector="shared_slack"), ActionRules(connector="shared_teams", rules={"Post": "deny"})]
    reason = refusal(host.admin, datagroups.set_policy(DataPolicy(id="standard", actions=rules)))

    assert Reason("datagroup.unblockable_actions", {"connector": "shared_teams", "policy": "standard"}) == reason


def test_a_true_copy_of_what_older_rules_allowed() -> None:
    """R7: it stays as it is until somebody edits it; an edit is refused until the connector is moved."""
    host = Host.prepared()
    old = DataPolicy(id="standard", blocked={"shared_teams"})
    after = host.admin.run(datagroups.set_policy(old, saved_under_older_rules=True))

    assert (old,) == after.policies
    assert ("datagroup.blocked",) == flow(host, "shared_teams")
    unchanged(host, datagroups.set_policy(old))
    edited = attrs.evolve(old, business={"shared_kintone"})
    assert "datagroup.unblockable" == refusal(host.admin, datagroups.set_policy(edited)).code
    host.admin.run(datagroups.set_policy(attrs.evolve(edited, blocked=(), non_business={"shared_teams"})))
    assert ("datagroup.same_group",) == flow(host, "shared_teams")


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_older_rules_are_a_yes_or_a_no(value: object) -> None:
    """Anything else would be taken for a yes."""
    with pytest.raises(InvalidInput, match="saved_under_older_rules: expected True or False"):
        datagroups.set_policy(TOGETHER, saved_under_older_rules=value)  # type: ignore[arg-type]


def test_a_newer_list_of_what_cannot_be_blocked() -> None:
    """It holds at the next flow and the next save, is kept by later changes, and the entry tells it."""
    host = Host.prepared()
    host.admin.run(datagroups.set_policy(DataPolicy(id="standard", default="blocked")))
    assert ("datagroup.blocked",) == flow(host, "shared_kintone")
    after = host.admin.run(datagroups.set_unblockable(["SHARED_kintone"]))

    assert {"shared_kintone"} == after.unblockable
    assert ("datagroup.same_group",) == flow(host, "shared_kintone")
    details = {
        "setting": "unblockable_connectors",
        "before": sorted(DataGroupPolicy().unblockable),
        "after": ["shared_kintone"],
        "existing": "keep",
    }
    assert ("tenant.setting_changed", "admin-1", details) == last(host)
    unchanged(host, datagroups.set_unblockable(["shared_kintone"]))
    blocking = datagroups.set_policy(DataPolicy(id="other", blocked={"shared_kintone"}))
    assert "datagroup.unblockable" == refusal(host.admin, blocking).code
    host.admin.run(datagroups.set_policy(DataPolicy(id="other", blocked={"shared_teams"})))
    assert {"shared_kintone"} == host.admin.run(datagroups.remove_policy("other")).unblockable


def test_a_remedy_moves_the_partner_to_the_hosts_group() -> None:
    """S6: what to change in Power Platform; which connector is the host's own is a setting of the service."""
    host = Host.prepared()
    host.admin.run(datagroups.set_policy(DataPolicy(id="C", business={"shared_aaa"})))
    ask = datagroups.remedy(["shared_aaa", "shared_kintone"], service=SERVICE)
    moves = unchanged(host, ask)

    assert ["C: shared_aaa from business to non_business"] == [str(move) for move in cast("tuple[Move, ...]", moves)]
    alone = host.admin.run(datagroups.remedy(["shared_aaa", "shared_kintone"]))
    assert isinstance(alone, tuple)
    assert ["C: shared_kintone from non_business to business"] == list(map(str, alone))
    with pytest.raises(InvalidInput, match="connectors: expected a list, got NoneType"):
        datagroups.remedy(None)  # type: ignore[arg-type]


def test_a_remedy_of_a_flow_in_its_environment() -> None:
    """The facts of the flow are asked as in a check; what rules on endpoints deny no move makes legal."""
    host = Host.prepared()
    rules = EndpointRules(connector="Http", rules=[("*", "deny")])
    only = DataPolicy(id="dev", blocked={"shared_slack"}, endpoints=[rules], scope="only", environments=["dev"])
    host.admin.run(datagroups.set_policy(attrs.evolve(only, exempt={"flow-1"})))

    def moves(asked: Flow, **facts: str) -> object:
        return host.admin.run(datagroups.remedy(asked, **facts))

    assert () == moves(Flow(["shared_slack"]), environment="prod")
    assert () == moves(Flow(["shared_slack"], environment="dev"), flow_id="flow-1")
    assert 1 == len(cast("tuple[Move, ...]", moves(Flow(["shared_slack"], environment="dev"))))
    assert isinstance(moves(Flow(["Http"], endpoints={"Http": ["https://a.example"]})), Unfixable)


def test_a_remedy_for_a_service_that_is_not_there() -> None:
    """A clear refusal."""
    host = Host.prepared()

    assert "service.unknown" == refusal(host.admin, datagroups.remedy([], service="ghost")).code
