"""Operations on the tenant's data policies (S6): a copy of what Power Platform's administrators set.

The host holds a copy: each policy carries where it came from and of which date, and the decision names the guilty
policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, cast

import attrs

from extlink import facts, link_endings
from extlink.access_checks import Stated, stated
from extlink.domain.connector import parse_connector_set
from extlink.domain.datagroup import DataGroupPolicy, Move, Question, Unfixable
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.event import Detail, Event
from extlink.domain.existing import parse_choice
from extlink.domain.grant import Existing
from extlink.domain.identifier import ConnectorId, PolicyId, ServiceId, parse_id
from extlink.domain.reason import Reason
from extlink.domain.tenant import Tenant
from extlink.errors import InvalidInput, Refused
from extlink.inputs import exactly, flag
from extlink.operation import ADMINISTRATORS, Call, Commit, Operation, Steps, operation, put, read
from extlink.records import data_groups_key, service_key, tenant_key

__all__ = ["remedy", "remove_policy", "require_flow_connectors", "set_policy", "set_unblockable", "show"]

_NO_POLICIES: Final = DataGroupPolicy()


def _load(call: Call) -> Steps[tuple[Tenant, DataGroupPolicy]]:
    at = data_groups_key(call.tenant)
    answers = yield from read(tenant_key(call.tenant), at)
    return facts.opened(answers, call.tenant), answers.get(at) or _NO_POLICIES


def _saved(
    call: Call, tenant: Tenant, after: DataGroupPolicy, event: Event, existing: Existing
) -> Commit[DataGroupPolicy]:
    """Return the commit of changed policies; with `revoke` every link of the tenant ends with it."""
    ends, more = link_endings.of_tenant(call, tenant, event.name) if existing == "revoke" else ((), ())
    return Commit(after, (put(data_groups_key(call.tenant), after), *ends), (event, *more))


def _image(policy: DataPolicy | None) -> Detail:
    # All of it: what is exempt from a policy, and where it applies, decides as much as its groups do.
    return None if policy is None else cast("Detail", policy.to_fields())


@operation("datagroups.set_policy", by=ADMINISTRATORS, records=("datagroup.changed", "tenant.links_ended"))
def _set_policy(
    call: Call, *, policy: DataPolicy, saved_under_older_rules: bool, existing: Existing
) -> Steps[Commit[DataGroupPolicy]]:
    tenant, known = yield from _load(call)
    before = next((one for one in known.policies if one.id == policy.id), None)
    if before == policy:
        return Commit(known)
    if not saved_under_older_rules:
        _require_blockable(policy, known.unblockable)
    others = tuple(one for one in known.policies if one.id != policy.id)
    after = attrs.evolve(known, policies=(*others, policy))
    details: dict[str, Detail] = {"policy": policy.id, "before": _image(before), "after": _image(policy)}
    event = Event("datagroup.changed", {**details, "existing": existing})
    return _saved(call, tenant, after, event, existing)


def _require_blockable(policy: DataPolicy, unblockable: frozenset[ConnectorId]) -> None:
    """Refuse what Power Platform refuses to save today (R7, R9)."""
    for connector in sorted(policy.blocked & unblockable):
        raise Refused(Reason("datagroup.unblockable", {"connector": connector, "policy": policy.id}))
    for rules in policy.actions:
        if rules.connector in unblockable:
            raise Refused(Reason("datagroup.unblockable_actions", {"connector": rules.connector, "policy": policy.id}))


def set_policy(
    policy: DataPolicy, *, saved_under_older_rules: bool = False, existing: Literal["keep", "revoke"] = "keep"
) -> Operation[DataGroupPolicy]:
    """Add a data policy, or replace the one of the same id.

    Source: S6, DATAGROUPS R1 to R12. Needs `common_administrator`.

    Args:
        policy: a copy of what Power Platform holds.
        saved_under_older_rules: the copy is true though it blocks what cannot be blocked today. Power Platform keeps
            such a policy as it is until somebody edits it.
        existing: what happens to links with the change. `keep`: they stay, each call with its flow is asked; `revoke`:
            every link of the tenant ends, in O(1), since no link says which flows use it.

    Raises:
        InvalidInput: not a `DataPolicy`, or another word about existing links.

    Raises when run:
        Refused: `datagroup.unblockable`, `datagroup.unblockable_actions`.

    >>> set_policy(DataPolicy(id="standard", business={"shared_kintone"})).name
    'datagroups.set_policy'
    """
    return _set_policy(
        policy=exactly(policy, DataPolicy, "policy"),
        saved_under_older_rules=flag(saved_under_older_rules, "saved_under_older_rules"),
        existing=parse_choice("datagroups.set_policy", existing),
    )


@operation("datagroups.remove_policy", by=ADMINISTRATORS, records=("datagroup.changed",))
def _remove_policy(call: Call, *, policy: PolicyId) -> Steps[Commit[DataGroupPolicy]]:
    tenant, known = yield from _load(call)
    before = next((one for one in known.policies if one.id == policy), None)
    if before is None:
        raise Refused(Reason("datagroup.unknown_policy", {"policy": policy}))
    after = attrs.evolve(known, policies=tuple(one for one in known.policies if one.id != policy))
    event = Event("datagroup.changed", {"policy": policy, "before": _image(before), "after": None})
    return _saved(call, tenant, after, event, "keep")


def remove_policy(policy: str) -> Operation[DataGroupPolicy]:
    """Remove a data policy by id.

    Raises when run:
        Refused: `datagroup.unknown_policy`.

    >>> remove_policy("standard")
    datagroups.remove_policy(policy='standard')
    """
    return _remove_policy(policy=PolicyId(parse_id(policy, "policy")))


@operation("datagroups.set_unblockable", by=ADMINISTRATORS, records=("tenant.setting_changed", "tenant.links_ended"))
def _set_unblockable(
    call: Call, *, connectors: frozenset[ConnectorId], existing: Existing
) -> Steps[Commit[DataGroupPolicy]]:
    tenant, known = yield from _load(call)
    if known.unblockable == connectors:
        return Commit(known)
    after = attrs.evolve(known, unblockable=connectors)
    details: dict[str, Detail] = {
        "setting": "unblockable_connectors",
        "before": tuple(sorted(known.unblockable)),
        "after": tuple(sorted(connectors)),
        "existing": existing,
    }
    return _saved(call, tenant, after, Event("tenant.setting_changed", details), existing)


def set_unblockable(
    connectors: Iterable[str], *, existing: Literal["keep", "revoke"] = "keep"
) -> Operation[DataGroupPolicy]:
    """Say which connectors Power Platform does not let be blocked, where its list is newer than ours.

    Source: DATAGROUPS R7. `feeds.read_connectors` reads the list from Power Platform's own answer.

    Args:
        existing: as in `set_policy`; where a policy blocks all others, a shorter list blocks more.

    Raises:
        InvalidInput: not a list of connectors, or another word about existing links.

    >>> set_unblockable(["shared_approvals"]).name
    'datagroups.set_unblockable'
    """
    return _set_unblockable(
        connectors=parse_connector_set(connectors, "connectors"),
        existing=parse_choice("datagroups.set_unblockable", existing),
    )


@operation(
    "datagroups.require_flow_connectors", by=ADMINISTRATORS, records=("tenant.setting_changed", "tenant.links_ended")
)
def _require(call: Call, *, required: bool, existing: Existing) -> Steps[Commit[Tenant]]:
    at = tenant_key(call.tenant)
    tenant = facts.opened((yield from read(at)), call.tenant)
    if tenant.requires_flow_connectors == required:
        return Commit(tenant)
    changed = attrs.evolve(tenant, requires_flow_connectors=required)
    details: dict[str, Detail] = {
        "setting": "requires_flow_connectors",
        "before": tenant.requires_flow_connectors,
        "after": required,
        "existing": existing,
    }
    event = Event("tenant.setting_changed", details)
    if existing == "keep" or not required:
        return Commit(changed, (put(at, changed),), (event,))
    ended = attrs.evolve(changed, epoch=changed.epoch + 1)
    changes, events = link_endings.of_tenant(call, changed, event.name)
    return Commit(ended, changes, (event, *events))


def require_flow_connectors(
    required: bool,  # noqa: FBT001 - reads as a sentence with its name
    *,
    existing: Literal["keep", "revoke"] = "keep",
) -> Operation[Tenant]:
    """Say whether a call that does not state the connectors of its flow is refused (TRACE T2).

    Args:
        existing: as in `set_policy`, where it is required from now on.

    >>> require_flow_connectors(True)
    datagroups.require_flow_connectors(required=True, existing='keep')
    """
    return _require(
        required=flag(required, "required"), existing=parse_choice("datagroups.require_flow_connectors", existing)
    )


@operation("datagroups.show", by=ADMINISTRATORS)
def _show(call: Call) -> Steps[Commit[DataGroupPolicy]]:
    return Commit((yield from _load(call))[1])


def show() -> Operation[DataGroupPolicy]:
    """Return the tenant's data policies.

    >>> show()
    datagroups.show()
    """
    return _show()


@operation("datagroups.remedy", by=ADMINISTRATORS)
def _remedy(call: Call, *, flow: Stated, service: ServiceId | None) -> Steps[Commit[tuple[Move, ...] | Unfixable]]:
    _, known = yield from _load(call)
    host = None
    if service is not None:
        there = facts.registered((yield from read(service_key(call.tenant, service))), call.tenant, service)
        host = there.service.connector
    asked: Question = flow.connectors or ()
    return Commit(known.remedy(asked, flow.environment, flow.flow_id, host=host))


def remedy(
    connectors: Question,
    *,
    service: str | None = None,
    environment: str | None = None,
    flow_id: str | None = None,
) -> Operation[tuple[Move, ...] | Unfixable]:
    """Return a smallest change of the data policies that makes a flow legal; changes nothing.

    Source: S6. What it names is to be done in Power Platform; extlink holds the copy. Needs `common_administrator`.

    Args:
        connectors: all connectors of the flow, or the flow.
        service: whose `connector` is the host's own: the partner is moved to its group, where that is as small.
        environment, flow_id: as in `access.check`.

    Returns:
        The moves, such as "put shared_slack into Business in policy C"; none if the flow is allowed; or what of its
        actions and endpoints no move can make legal.

    Raises:
        InvalidInput: malformed arguments.

    Raises when run:
        Refused: `service.unknown`.

    >>> remedy(["shared_kintone", "shared_slack"], service="power-automate").name
    'datagroups.remedy'
    """
    given = stated(connectors, environment, flow_id)
    if given.connectors is None:
        raise InvalidInput("connectors", "expected a list, got NoneType; state all connectors of the flow")
    return _remedy(
        flow=given,
        service=None if service is None else ServiceId(parse_id(service, "service")),
    )
