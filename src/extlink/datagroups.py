"""Operations on the tenant's data policies (S6): a copy of what Power Platform's administrators set.

The host holds a copy: each policy carries where it came from and of which date, and the decision names the guilty
policy.
"""

from __future__ import annotations

from typing import Final, cast

import attrs

from extlink import facts
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.event import Detail, Event
from extlink.domain.identifier import PolicyId, parse_id
from extlink.domain.reason import Reason
from extlink.domain.tenant import Tenant
from extlink.errors import Refused
from extlink.inputs import exactly, flag
from extlink.operation import ADMINISTRATORS, Call, Commit, Operation, Steps, operation, put, read
from extlink.records import data_groups_key, tenant_key

__all__ = ["remove_policy", "require_flow_connectors", "set_policy", "show"]

_NO_POLICIES: Final = DataGroupPolicy()


def _load(call: Call) -> Steps[DataGroupPolicy]:
    at = data_groups_key(call.tenant)
    answers = yield from read(tenant_key(call.tenant), at)
    facts.opened(answers, call.tenant)
    return answers.get(at) or _NO_POLICIES


def _image(policy: DataPolicy | None) -> Detail:
    # All of it: what is exempt from a policy, and where it applies, decides as much as its groups do.
    return None if policy is None else cast("Detail", policy.to_fields())


@operation("datagroups.set_policy", by=ADMINISTRATORS, records=("datagroup.changed",))
def _set_policy(call: Call, *, policy: DataPolicy) -> Steps[Commit[DataGroupPolicy]]:
    known = yield from _load(call)
    before = next((one for one in known.policies if one.id == policy.id), None)
    if before == policy:
        return Commit(known)
    others = tuple(one for one in known.policies if one.id != policy.id)
    after = DataGroupPolicy((*others, policy))
    event = Event("datagroup.changed", {"policy": policy.id, "before": _image(before), "after": _image(policy)})
    return Commit(after, (put(data_groups_key(call.tenant), after),), (event,))


def set_policy(policy: DataPolicy) -> Operation[DataGroupPolicy]:
    """Add a data policy, or replace the one of the same id.

    Source: S6, DATAGROUPS R1 to R6. Needs `common_administrator`.

    Raises:
        InvalidInput: not a `DataPolicy`.

    >>> set_policy(DataPolicy(id="standard", business={"shared_kintone"})).name
    'datagroups.set_policy'
    """
    return _set_policy(policy=exactly(policy, DataPolicy, "policy"))


@operation("datagroups.remove_policy", by=ADMINISTRATORS, records=("datagroup.changed",))
def _remove_policy(call: Call, *, policy: PolicyId) -> Steps[Commit[DataGroupPolicy]]:
    known = yield from _load(call)
    before = next((one for one in known.policies if one.id == policy), None)
    if before is None:
        raise Refused(Reason("datagroup.unknown_policy", {"policy": policy}))
    after = DataGroupPolicy(tuple(one for one in known.policies if one.id != policy))
    event = Event("datagroup.changed", {"policy": policy, "before": _image(before), "after": None})
    return Commit(after, (put(data_groups_key(call.tenant), after),), (event,))


def remove_policy(policy: str) -> Operation[DataGroupPolicy]:
    """Remove a data policy by id.

    Raises when run:
        Refused: `datagroup.unknown_policy`.

    >>> remove_policy("standard")
    datagroups.remove_policy(policy='standard')
    """
    return _remove_policy(policy=PolicyId(parse_id(policy, "policy")))


@operation("datagroups.require_flow_connectors", by=ADMINISTRATORS, records=("tenant.setting_changed",))
def _require(call: Call, *, required: bool) -> Steps[Commit[Tenant]]:
    at = tenant_key(call.tenant)
    tenant = facts.opened((yield from read(at)), call.tenant)
    if tenant.requires_flow_connectors == required:
        return Commit(tenant)
    changed = attrs.evolve(tenant, requires_flow_connectors=required)
    details: dict[str, Detail] = {
        "setting": "requires_flow_connectors",
        "before": tenant.requires_flow_connectors,
        "after": required,
    }
    event = Event("tenant.setting_changed", details)
    return Commit(changed, (put(at, changed),), (event,))


def require_flow_connectors(required: bool) -> Operation[Tenant]:  # noqa: FBT001 - reads as a sentence with its name
    """Say whether a call that does not state the connectors of its flow is refused (TRACE T2).

    >>> require_flow_connectors(True)
    datagroups.require_flow_connectors(required=True)
    """
    return _require(required=flag(required, "required"))


@operation("datagroups.show", by=ADMINISTRATORS)
def _show(call: Call) -> Steps[Commit[DataGroupPolicy]]:
    return Commit((yield from _load(call)))


def show() -> Operation[DataGroupPolicy]:
    """Return the tenant's data policies.

    >>> show()
    datagroups.show()
    """
    return _show()
