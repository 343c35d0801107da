"""Records to JSON-able fields and back, one pair of functions a kind; compact, since a link is read at every check.

Rules: what `read_x` gets from `write_x(value)` is `value`; malformed fields raise `ValueError`, `TypeError` or
`KeyError`, which `records` turns into `CorruptRecord`; sets are written sorted, so that one value has one form.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, cast

from extlink.domain.address import parse_range
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.edition import parse_edition
from extlink.domain.event import Detail
from extlink.domain.flow import Flow
from extlink.domain.grant import Existing, Reach, Rule, Rules, Tenure, UserRules
from extlink.domain.identifier import (
    ConnectorId,
    GroupId,
    LinkId,
    OrganizationId,
    Scope,
    SubscriptionId,
    TenantId,
    UserId,
)
from extlink.domain.instant import Instant
from extlink.domain.last_use import LastUse
from extlink.domain.network import IPRestriction, Mode, Row, parse_proofs
from extlink.domain.pin import Pin, parse_pinned
from extlink.domain.readiness import Confirmation
from extlink.domain.registry import HostService, RegisteredService, ServiceState
from extlink.domain.service import from_fields, to_fields
from extlink.domain.subscription import Subscription
from extlink.domain.tenant import Tenant, UserState
from extlink.fields import as_instant, as_list, as_map, as_one_of, as_scopes, as_text, as_whole

__all__: list[str] = []

_STATUS: Final = frozenset({"active", "suspended", "deleted"})


def write_tenant(tenant: Tenant) -> Detail:
    """Fields of a tenant."""
    return {
        "id": tenant.id,
        "edition": str(tenant.edition),
        "products": tuple(sorted(tenant.products)),
        "unconfigured": tenant.unconfigured_services,
        "flow": tenant.requires_flow_connectors,
        "epoch": tenant.epoch,
    }


def read_tenant(value: object) -> Tenant:
    """Read what `write_tenant` wrote."""
    fields = as_map(value)
    default = as_one_of(fields["unconfigured"], frozenset({"deny", "allow"}))
    return Tenant(
        id=TenantId(as_text(fields["id"])),
        edition=parse_edition(fields["edition"], "edition"),
        products=frozenset(as_text(product) for product in as_list(fields["products"])),
        unconfigured_services="allow" if default == "allow" else "deny",
        requires_flow_connectors=fields["flow"] is not False,
        epoch=as_whole(fields["epoch"]),
    )


def read_key_checks(value: object) -> Mapping[str, str]:
    """Read check values of keys by key id."""
    return {key: as_text(check) for key, check in as_map(value).items()}


def _write_row(row: Row) -> Detail:
    day = "" if row.published is None else row.published.isoformat()
    return (row.range.text, row.memo, row.source, row.version, day)


def _read_row(value: object) -> Row:
    cidr, memo, source, version, day = map(as_text, as_list(value))
    return Row(
        range=parse_range(cidr, allow_everything=True),
        memo=memo,
        source=source,
        version=version,
        published=date.fromisoformat(day) if day else None,
    )


def write_network(network: IPRestriction) -> Detail:
    """Fields of an IP restriction."""
    return {
        "mode": str(network.mode),
        "rows": tuple(_write_row(row) for row in network.rows),
        "proofs": tuple(sorted(network.proofs)),
    }


def read_network(value: object) -> IPRestriction:
    """Read what `write_network` wrote."""
    fields = as_map(value)
    mode = as_one_of(fields["mode"], frozenset({"allow_all", "deny_all", "allow_some"}))
    return IPRestriction(
        mode=cast("Mode", mode),
        rows=tuple(map(_read_row, as_list(fields["rows"]))),
        proofs=parse_proofs([as_text(one) for one in as_list(fields["proofs"])]),
    )


def write_pin(pin: Pin) -> Detail:
    """Fields of a service's published ranges: what the ranges of one list have in common is written once."""
    lists: dict[tuple[str, ...], list[str]] = {}
    for row in pin.rows:
        day = "" if row.published is None else row.published.isoformat()
        lists.setdefault((row.memo, row.source, row.version, day), []).append(row.range.text)
    return {"applies": str(pin.applies), "lists": tuple((*words, tuple(texts)) for words, texts in lists.items())}


def read_pin(value: object) -> Pin:
    """Read what `write_pin` wrote."""
    fields = as_map(value)
    rows: list[Row] = []
    for one in as_list(fields["lists"]):
        memo, source, version, day, texts = as_list(one)
        rows.extend(_read_row([text, memo, source, version, day]) for text in as_list(texts))
    return Pin(rows, parse_pinned(fields["applies"]))


def write_data_groups(policy: DataGroupPolicy) -> Detail:
    """Fields of all data policies."""
    return {
        "policies": tuple(cast("Detail", one.to_fields()) for one in policy.policies),
        "unblockable": tuple(sorted(policy.unblockable)),
    }


def read_data_groups(value: object) -> DataGroupPolicy:
    """Read what `write_data_groups` wrote."""
    fields = as_map(value)
    policies = tuple(DataPolicy.from_fields(as_map(one)) for one in as_list(fields["policies"]))
    return DataGroupPolicy(policies, tuple(as_text(one) for one in as_list(fields["unblockable"])))


def write_service(known: RegisteredService) -> Detail:
    """Fields of a registered service."""
    return {
        "service": cast("Detail", to_fields(known.service)),
        "state": str(known.state),
        "epoch": known.epoch,
        "cause": known.cause,
        "order": known.order,
        **({} if known.dormant_after is None else {"dormant_after": known.dormant_after}),
    }


def read_service(value: object) -> RegisteredService:
    """Read what `write_service` wrote."""
    fields = as_map(value)
    return RegisteredService(
        service=from_fields(fields["service"]),
        state=ServiceState(as_text(fields["state"])),
        epoch=as_whole(fields["epoch"]),
        cause=as_text(fields["cause"]),
        order=as_whole(fields["order"]),
        dormant_after=as_instant(fields.get("dormant_after")),
    )


def write_host_service(host: HostService) -> Detail:
    """Fields of the host's word on a service."""
    return {"quarantined": host.quarantined, "epoch": host.epoch, "cause": host.cause}


def read_host_service(value: object) -> HostService:
    """Read what `write_host_service` wrote."""
    fields = as_map(value)
    return HostService(fields["quarantined"] is not False, as_whole(fields["epoch"]), as_text(fields["cause"]))


def _write_rule(rule: Rule) -> Detail:
    return (rule.floor, tuple(map(_write_tenure, rule.tenures)))


def _write_tenure(one: Tenure) -> Detail:
    fields = (one.since, one.until, one.reach, one.ended, one.ended_at, one.existing)
    return fields if one.scopes is None else (*fields, tuple(sorted(one.scopes)))


def _read_rule(value: object) -> Rule:
    floor, items = as_list(value)
    tenures: list[Tenure] = []
    for item in as_list(items):
        since, until, reach, ended, ended_at, existing, *ceiling = as_list(item)
        tenures.append(
            Tenure(
                since=as_whole(since),
                until=as_instant(until),
                reach=cast("Reach", as_one_of(reach, frozenset({"direct", "subtree"}))),
                ended=None if ended is None else as_whole(ended),
                ended_at=as_instant(ended_at),
                existing=cast("Existing", as_one_of(existing, frozenset({"revoke", "suspend", "keep"}))),
                scopes=None if not ceiling else as_scopes(*ceiling),
            ),
        )
    return Rule(tuple(tenures), as_whole(floor))


def _write_many(rules: Rules) -> Detail:
    return {
        "organizations": {name: _write_rule(rule) for name, rule in rules.organizations.items()},
        "groups": {name: _write_rule(rule) for name, rule in rules.groups.items()},
        "everyone": _write_rule(rules.everyone),
    }


def _read_many(value: object) -> Rules:
    fields = as_map(value)
    return Rules(
        {OrganizationId(name): _read_rule(rule) for name, rule in as_map(fields["organizations"]).items()},
        {GroupId(name): _read_rule(rule) for name, rule in as_map(fields["groups"]).items()},
        _read_rule(fields["everyone"]),
    )


def write_rules(rules: tuple[Rules, Rules]) -> Detail:
    """Fields of a service's grants and exclusions for many."""
    granted, excluded = rules
    return (_write_many(granted), _write_many(excluded))


def read_rules(value: object) -> tuple[Rules, Rules]:
    """Read what `write_rules` wrote."""
    granted, excluded = as_list(value)
    return _read_many(granted), _read_many(excluded)


def write_user_rules(rules: UserRules) -> Detail:
    """Fields of what was said about one person by name."""
    return (_write_rule(rules.granted), _write_rule(rules.excluded), rules.over)


def read_user_rules(value: object) -> UserRules:
    """Read what `write_user_rules` wrote."""
    granted, excluded, over = as_list(value)
    return UserRules(_read_rule(granted), _read_rule(excluded), as_whole(over))


def read_count(value: object) -> int:
    """Read a whole number."""
    return as_whole(value)


def write_user(user: UserState) -> Detail:
    """Fields of a user's state."""
    return {"status": user.status, "epoch": user.epoch}


def read_user(value: object) -> UserState:
    """Read what `write_user` wrote."""
    fields = as_map(value)
    status = as_one_of(fields["status"], _STATUS)
    match status:
        case "active":
            return UserState("active", as_whole(fields["epoch"]))
        case "suspended":
            return UserState("suspended", as_whole(fields["epoch"]))
        case _:
            return UserState("deleted", as_whole(fields["epoch"]))


def read_link_ids(value: object) -> tuple[LinkId, ...]:
    """Read a list of link ids."""
    return tuple(LinkId(as_text(one)) for one in as_list(value))


def _write_connectors(connectors: frozenset[ConnectorId] | Flow | None) -> Detail:
    if isinstance(connectors, Flow):
        return cast("Detail", connectors.to_fields())
    return None if connectors is None else tuple(sorted(connectors))


def _read_connectors(value: object) -> frozenset[ConnectorId] | Flow | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return Flow.from_fields(as_map(cast("object", value)))
    return frozenset(ConnectorId(as_text(one)) for one in as_list(value))


def write_subscription(subscription: Subscription) -> Detail:
    """Fields of a trigger subscription."""
    return {
        "id": subscription.id,
        "link": subscription.link,
        "trigger": subscription.trigger,
        "scope": subscription.scope,
        "connectors": _write_connectors(subscription.connectors),
        "environment": subscription.environment,
        "flow_id": subscription.flow_id,
        "made_at": subscription.made_at,
    }


def read_subscription(value: object) -> Subscription:
    """Read what `write_subscription` wrote."""
    fields = as_map(value)
    environment, flow_id = fields["environment"], fields["flow_id"]
    return Subscription(
        id=SubscriptionId(as_text(fields["id"])),
        link=LinkId(as_text(fields["link"])),
        trigger=as_text(fields["trigger"]),
        scope=Scope(as_text(fields["scope"])),
        connectors=_read_connectors(fields["connectors"]),
        environment=None if environment is None else as_text(environment),
        flow_id=None if flow_id is None else as_text(flow_id),
        made_at=Instant(as_whole(fields["made_at"])),
    )


def write_last_use(use: LastUse) -> Detail:
    """Fields of a link's last use."""
    return (use.at, use.address)


def read_last_use(value: object) -> LastUse:
    """Read what `write_last_use` wrote."""
    at, address = as_list(value)
    return LastUse(Instant(as_whole(at)), None if address is None else as_text(address))


def read_marks(value: object) -> Mapping[str, int]:
    """Read when each reason was last recorded."""
    return {reason: as_whole(hour) for reason, hour in as_map(value).items()}


def write_confirmations(said: Mapping[str, Confirmation]) -> Detail:
    """Fields of what was said of a service's steps outside."""
    return {step: write_confirmation(one) for step, one in said.items()}


def read_confirmations(value: object) -> Mapping[str, Confirmation]:
    """Read what `write_confirmations` wrote."""
    return {step: read_confirmation(one) for step, one in as_map(value).items()}


def write_confirmation(said: Confirmation) -> Detail:
    """Fields of what somebody said of a step."""
    return (said.by, said.at, said.holds)


def read_confirmation(value: object) -> Confirmation:
    """Read what `write_confirmation` wrote."""
    by, at, holds = as_list(value)
    return Confirmation(by=None if by is None else UserId(as_text(by)), at=Instant(as_whole(at)), holds=holds is True)
