"""The operations that schedules are made of, by name: each as a worker over the world."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from types import MappingProxyType
from typing import Any

import attrs

from extlink import access, datagroups, grants, links, networks, services, users
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.tenant import HOST
from extlink.errors import ExtlinkError
from extlink.operation import Operation
from extlink.ports import Key
from extlink.runtime import AsyncExtLink
from tests.schedules.scheduler import Worker, copied
from tests.schedules.world import (
    ADDRESS,
    REDIRECT,
    SCOPE,
    SERVICE,
    TENANT,
    VERIFIER,
    client_of,
    hub_over,
    service,
    world,
)

__all__ = ["ADMINISTRATION", "CORE", "GRANTS", "SETTINGS", "warm", "worker"]

# The pairs that the issue names, and the triple.
CORE = ("revoke", "check", "accept", "refresh", "disable")
GRANTS = ("allow", "withdraw", "exclude", "include", "edit")
SETTINGS = ("restrict", "add range", "set policy", "require flow", "set default")
ADMINISTRATION = (
    "redeem",
    "enable",
    "disable and revoke",
    "quarantine",
    "quarantine everywhere",
    "release",
    "revoke by administrator",
    "revoke all of user",
    "revoke all of service",
    "revoke pair",
    "suspend link",
    "suspend user",
    "delete user",
    "withdraw",
    "restrict",
)


def _by_administrator(operation: Operation[object]) -> Worker:
    return Worker(operation, "admin", ("common_administrator",))


@cache
def _cast(kind: str) -> Mapping[str, Worker]:
    found, client = world(kind), client_of(kind)
    tokens, link = found.tokens, found.link
    redemption = links.redeem(found.code.code, client=client, redirect_uri=REDIRECT, code_verifier=VERIFIER)
    mine: dict[str, Operation[object]] = {
        "revoke": links.revoke(link),
        "check": access.check(tokens.access_token, scope=SCOPE, address=ADDRESS),
        "refused check": access.check(tokens.access_token, scope="k:file:read", address=ADDRESS),
        "accept": links.accept(found.consent),
        "refuse": links.refuse(found.consent),
        "refresh": links.refresh(tokens.refresh_token, client=client),
        "narrower refresh": links.refresh(tokens.refresh_token, client=client, scopes=SCOPE),
        "redeem": redemption,
    }
    policy = DataPolicy(id="standard", business={"shared_kintone"})
    administrators: dict[str, Operation[object]] = {
        "register": services.register(service("other")),
        "enable": services.enable(SERVICE),
        "disable": services.disable(SERVICE),
        "disable and revoke": services.disable(SERVICE, existing="revoke"),
        "quarantine": services.quarantine(SERVICE, "leak"),
        "release": services.release(SERVICE),
        "set default": services.set_default("allow"),
        "revoke by administrator": links.revoke(link),
        "revoke all of user": links.revoke_all(user="sato"),
        "revoke all of service": links.revoke_all(service=SERVICE),
        "revoke pair": links.revoke_all(user="sato", service=SERVICE),
        "suspend link": links.suspend(link),
        "resume link": links.resume(link),
        "suspend user": users.suspend("sato"),
        "delete user": users.delete("sato"),
        "allow": grants.allow(SERVICE, users=["tanaka"]),
        "withdraw": grants.withdraw(SERVICE, organizations=["sales"]),
        "exclude": grants.exclude(SERVICE, users=["sato"]),
        "include": grants.include(SERVICE, users=["sato"]),
        "edit": grants.edit(SERVICE, version=1, add=["suzuki"]),
        "restrict": networks.restrict(["203.0.113.0/24"]),
        "add range": networks.add(["198.51.100.0/24"]),
        "set policy": datagroups.set_policy(policy),
        "set other policy": datagroups.set_policy(attrs.evolve(policy, id="other")),
        "require flow": datagroups.require_flow_connectors(True),
        "restrict and revoke": networks.restrict(["203.0.113.0/24"], existing="revoke"),
        "pin and revoke": networks.pin(SERVICE, ["203.0.113.0/24"], existing="revoke"),
        "set policy and revoke": datagroups.set_policy(policy, existing="revoke"),
        "redefine and revoke": services.register(
            attrs.evolve(service(), connector="shared_kintone"), existing="revoke"
        ),
        "reconcile": links.reconcile(),
    }
    return MappingProxyType(
        {
            **{name: Worker(operation, "sato") for name, operation in mine.items()},
            **{name: _by_administrator(operation) for name, operation in administrators.items()},
            "quarantine everywhere": Worker(services.quarantine_everywhere(SERVICE, "leak"), tenant=HOST),
        }
    )


@cache
def _remembered(kind: str) -> tuple[Mapping[Key, Any], Mapping[Any, Any]]:
    """Return what processes have decoded, and put together, that ran every one of these operations a moment ago."""
    found: dict[Key, Any] = {}
    bundles: dict[Any, Any] = {}
    for one in _cast(kind).values():
        hub = hub_over(copied(world(kind).storage), seed=2)
        tenant = hub.host() if one.user is None else hub.tenant(TENANT).acting_as(one.user, roles=one.roles)
        with suppress(ExtlinkError):
            tenant.run(one.operation)
        found |= hub._cache._records
        bundles |= hub._cache._bundles
    return found, bundles


def warm(*args: Any, **parts: Any) -> AsyncExtLink:
    """Return a hub that has seen the world before: it asks fewer questions, and must come to the same."""
    hub = AsyncExtLink(*args, **parts)
    records, bundles = _remembered("confidential")
    hub._cache._records.update(records)
    hub._cache._bundles.update(bundles)
    return hub


def worker(name: str, kind: str = "confidential", skew: int = 0) -> Worker:
    """Return a worker by name; `kind` is that of the client, `skew` how far the clock is off."""
    return attrs.evolve(_cast(kind)[name], skew=skew)
