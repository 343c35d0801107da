"""Records to JSON-able fields and back, one pair of functions a kind; compact, since a link is read at every check.

Rules: what `read_x` gets from `write_x(value)` is `value`; malformed fields raise `ValueError`, `TypeError` or
`KeyError`, which `records` turns into `CorruptRecord`; sets are written sorted, so that one value has one form.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final, cast

from extlink.domain.address import parse_range
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.edition import parse_edition
from extlink.domain.event import Detail
from extlink.domain.grant import Existing, Reach, Rule, Rules, Tenure, UserRules
from extlink.domain.identifier import (
    ClientId,
    ConnectorId,
    GroupId,
    LinkId,
    OrganizationId,
    Scope,
    ServiceId,
    SubscriptionId,
    TenantId,
    UserId,
)
from extlink.domain.instant import Instant
from extlink.domain.link import AccessToken, Code, Link, LinkState, Rotation
from extlink.domain.network import IPRestriction, Mode, Row
from extlink.domain.registry import HostService, RegisteredService, ServiceState
from extlink.domain.service import from_fields, to_fields
from extlink.domain.subscription import Subscription
from extlink.domain.tenant import Epochs, Tenant, UserState

__all__: list[str] = []

_STATUS: Final = frozenset({"active", "suspended", "deleted"})


def _map(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return cast("Mapping[str, object]", value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("expected a list")
    return cast("list[object]", value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("expected text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("expected a whole number")
    return value


def _one_of(value: object, allowed: frozenset[str]) -> str:
    text = _text(value)
    if text not in allowed:
        raise ValueError("expected a known word")
    return text


def _when(value: object) -> Instant | None:
    return None if value is None else Instant(_whole(value))


def _bytes(value: object) -> bytes:
    return base64.b64decode(_text(value), validate=True)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


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
    fields = _map(value)
    default = _one_of(fields["unconfigured"], frozenset({"deny", "allow"}))
    return Tenant(
        id=TenantId(_text(fields["id"])),
        edition=parse_edition(fields["edition"], "edition"),
        products=frozenset(_text(product) for product in _list(fields["products"])),
        unconfigured_services="allow" if default == "allow" else "deny",
        requires_flow_connectors=fields["flow"] is not False,
        epoch=_whole(fields["epoch"]),
    )


def read_key_checks(value: object) -> Mapping[str, str]:
    """Read check values of keys by key id."""
    return {key: _text(check) for key, check in _map(value).items()}


def write_network(network: IPRestriction) -> Detail:
    """Fields of an IP restriction."""
    return {
        "mode": str(network.mode),
        "rows": tuple((row.range.text, row.memo, row.source, row.version) for row in network.rows),
    }


def read_network(value: object) -> IPRestriction:
    """Read what `write_network` wrote."""
    fields = _map(value)
    rows: list[Row] = []
    for item in _list(fields["rows"]):
        cidr, memo, source, version = _list(item)
        allowed = parse_range(cidr, allow_everything=True)
        rows.append(Row(range=allowed, memo=_text(memo), source=_text(source), version=_text(version)))
    mode = _one_of(fields["mode"], frozenset({"allow_all", "deny_all", "allow_some"}))
    return IPRestriction(mode=cast("Mode", mode), rows=tuple(rows))


def write_data_groups(policy: DataGroupPolicy) -> Detail:
    """Fields of all data policies."""
    return tuple(cast("Detail", one.to_fields()) for one in policy.policies)


def read_data_groups(value: object) -> DataGroupPolicy:
    """Read what `write_data_groups` wrote."""
    return DataGroupPolicy(tuple(DataPolicy.from_fields(_map(one)) for one in _list(value)))


def write_service(known: RegisteredService) -> Detail:
    """Fields of a registered service."""
    return {
        "service": cast("Detail", to_fields(known.service)),
        "state": str(known.state),
        "epoch": known.epoch,
        "cause": known.cause,
        "order": known.order,
    }


def read_service(value: object) -> RegisteredService:
    """Read what `write_service` wrote."""
    fields = _map(value)
    return RegisteredService(
        service=from_fields(fields["service"]),
        state=ServiceState(_text(fields["state"])),
        epoch=_whole(fields["epoch"]),
        cause=_text(fields["cause"]),
        order=_whole(fields["order"]),
    )


def write_host_service(host: HostService) -> Detail:
    """Fields of the host's word on a service."""
    return {"quarantined": host.quarantined, "epoch": host.epoch, "cause": host.cause}


def read_host_service(value: object) -> HostService:
    """Read what `write_host_service` wrote."""
    fields = _map(value)
    return HostService(fields["quarantined"] is not False, _whole(fields["epoch"]), _text(fields["cause"]))


def _write_rule(rule: Rule) -> Detail:
    tenures = tuple((one.since, one.until, one.reach, one.ended, one.ended_at, one.existing) for one in rule.tenures)
    return (rule.floor, tenures)


def _read_rule(value: object) -> Rule:
    floor, items = _list(value)
    tenures: list[Tenure] = []
    for item in _list(items):
        since, until, reach, ended, ended_at, existing = _list(item)
        tenures.append(
            Tenure(
                since=_whole(since),
                until=_when(until),
                reach=cast("Reach", _one_of(reach, frozenset({"direct", "subtree"}))),
                ended=None if ended is None else _whole(ended),
                ended_at=_when(ended_at),
                existing=cast("Existing", _one_of(existing, frozenset({"revoke", "suspend", "keep"}))),
            ),
        )
    return Rule(tuple(tenures), _whole(floor))


def _write_many(rules: Rules) -> Detail:
    return {
        "organizations": {name: _write_rule(rule) for name, rule in rules.organizations.items()},
        "groups": {name: _write_rule(rule) for name, rule in rules.groups.items()},
        "everyone": _write_rule(rules.everyone),
    }


def _read_many(value: object) -> Rules:
    fields = _map(value)
    return Rules(
        {OrganizationId(name): _read_rule(rule) for name, rule in _map(fields["organizations"]).items()},
        {GroupId(name): _read_rule(rule) for name, rule in _map(fields["groups"]).items()},
        _read_rule(fields["everyone"]),
    )


def write_rules(rules: tuple[Rules, Rules]) -> Detail:
    """Fields of a service's grants and exclusions for many."""
    granted, excluded = rules
    return (_write_many(granted), _write_many(excluded))


def read_rules(value: object) -> tuple[Rules, Rules]:
    """Read what `write_rules` wrote."""
    granted, excluded = _list(value)
    return _read_many(granted), _read_many(excluded)


def write_user_rules(rules: UserRules) -> Detail:
    """Fields of what was said about one person by name."""
    return (_write_rule(rules.granted), _write_rule(rules.excluded))


def read_user_rules(value: object) -> UserRules:
    """Read what `write_user_rules` wrote."""
    granted, excluded = _list(value)
    return UserRules(_read_rule(granted), _read_rule(excluded))


def read_count(value: object) -> int:
    """Read a whole number."""
    return _whole(value)


def write_user(user: UserState) -> Detail:
    """Fields of a user's state."""
    return {"status": user.status, "epoch": user.epoch}


def read_user(value: object) -> UserState:
    """Read what `write_user` wrote."""
    fields = _map(value)
    status = _one_of(fields["status"], _STATUS)
    match status:
        case "active":
            return UserState("active", _whole(fields["epoch"]))
        case "suspended":
            return UserState("suspended", _whole(fields["epoch"]))
        case _:
            return UserState("deleted", _whole(fields["epoch"]))


def write_link(link: Link) -> object:
    """Fields of a link: a list, since a link is decoded at every check that finds it changed."""
    held = link.rotation
    return [
        link.id,
        link.owner,
        link.service,
        link.client,
        link.public,
        str(link.state),
        [link.epochs.tenant, link.epochs.service, link.epochs.user, link.epochs.host],
        link.grants_at,
        sorted(link.scopes),
        link.resource,
        link.accepted_at,
        link.expires,
        [_base64(link.code.digest), link.code.expires, link.code.redirect_uri, link.code.challenge],
        [[one.generation, _base64(one.digest), one.expires, sorted(one.scopes)] for one in link.access],
        [
            held.generation,
            _base64(held.current),
            _base64(held.previous),
            _base64(held.salt),
            held.key_id,
            held.at,
            sorted(held.scopes),
            held.confirmed,
        ],
        link.ended_by,
        link.ended_at,
    ]


def _scopes(value: object) -> frozenset[Scope]:
    return frozenset(Scope(_text(one)) for one in _list(value))


def read_link(value: object) -> Link:
    """Read what `write_link` wrote."""
    fields = _list(value)
    (link, owner, service, client, public, state, epochs, grants_at, scopes, resource, accepted, expires) = fields[:12]
    code, access, rotation, ended_by, ended_at = fields[12:]
    return Link(
        id=LinkId(_text(link)),
        owner=None if owner is None else UserId(_text(owner)),
        service=ServiceId(_text(service)),
        client=ClientId(_text(client)),
        public=public is not False,
        state=LinkState(_text(state)),
        epochs=Epochs(*(_whole(one) for one in _list(epochs))),
        grants_at=_whole(grants_at),
        scopes=_scopes(scopes),
        resource=None if resource is None else _text(resource),
        accepted_at=Instant(_whole(accepted)),
        expires=Instant(_whole(expires)),
        code=_read_code(code),
        access=tuple(_read_access(one) for one in _list(access)),
        rotation=_read_rotation(rotation),
        ended_by=_text(ended_by),
        ended_at=_when(ended_at),
    )


def _read_code(value: object) -> Code:
    digest, expires, redirect_uri, challenge = _list(value)
    return Code(
        digest=_bytes(digest),
        expires=Instant(_whole(expires)),
        redirect_uri=_text(redirect_uri),
        challenge=None if challenge is None else _text(challenge),
    )


def _read_access(value: object) -> AccessToken:
    generation, digest, expires, scopes = _list(value)
    return AccessToken(_whole(generation), _bytes(digest), Instant(_whole(expires)), _scopes(scopes))


def _read_rotation(value: object) -> Rotation:
    generation, current, previous, salt, key_id, at, scopes, confirmed = _list(value)
    return Rotation(
        generation=_whole(generation),
        current=_bytes(current),
        previous=_bytes(previous),
        salt=_bytes(salt),
        key_id=_text(key_id),
        at=Instant(_whole(at)),
        scopes=_scopes(scopes),
        confirmed=confirmed is True,
    )


def link_image(link: Link) -> Detail:
    """What the ledger keeps of a link: no digest, no salt, and not whether an answer arrived."""
    return {
        "id": link.id,
        "owner": link.owner,
        "service": link.service,
        "client": link.client,
        "public": link.public,
        "state": str(link.state),
        "epochs": (link.epochs.tenant, link.epochs.service, link.epochs.user, link.epochs.host),
        "grants_at": link.grants_at,
        "scopes": tuple(sorted(link.scopes)),
        "resource": link.resource,
        "accepted_at": link.accepted_at,
        "expires": link.expires,
        "redirect_uri": link.code.redirect_uri,
        "generation": link.rotation.generation,
        "key_id": link.rotation.key_id,
        "rotated_at": link.rotation.at,
        "access": tuple((one.generation, one.expires, tuple(sorted(one.scopes))) for one in link.access),
        "ended_by": link.ended_by,
        "ended_at": link.ended_at,
    }


def read_link_ids(value: object) -> tuple[LinkId, ...]:
    """Read a list of link ids."""
    return tuple(LinkId(_text(one)) for one in _list(value))


def write_subscription(subscription: Subscription) -> Detail:
    """Fields of a trigger subscription."""
    connectors = subscription.connectors
    return {
        "id": subscription.id,
        "link": subscription.link,
        "trigger": subscription.trigger,
        "scope": subscription.scope,
        "connectors": None if connectors is None else tuple(sorted(connectors)),
        "made_at": subscription.made_at,
    }


def read_subscription(value: object) -> Subscription:
    """Read what `write_subscription` wrote."""
    fields = _map(value)
    connectors = fields["connectors"]
    return Subscription(
        id=SubscriptionId(_text(fields["id"])),
        link=LinkId(_text(fields["link"])),
        trigger=_text(fields["trigger"]),
        scope=Scope(_text(fields["scope"])),
        connectors=None if connectors is None else frozenset(ConnectorId(_text(one)) for one in _list(connectors)),
        made_at=Instant(_whole(fields["made_at"])),
    )


def read_marks(value: object) -> Mapping[str, int]:
    """Read when each reason was last recorded."""
    return {reason: _whole(hour) for reason, hour in _map(value).items()}
