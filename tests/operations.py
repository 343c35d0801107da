"""Every operation there is, found by import, with arguments that it accepts: so that a new one cannot be forgotten.

A test that walks `constructors()` and looks the arguments up in `arguments()` fails for an operation that the table
does not know.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import ModuleType

import attrs

import extlink
from extlink import catalog, grants, links, networks, services, triggers
from extlink.domain.consent import Consent
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.subscription import Subscription
from extlink.domain.token_ledger import TokenSet
from extlink.operation import Definition, Operation
from extlink.runtime import Tenant
from tests.hosts import ALL_ROLES, CHALLENGE, CLIENT, REDIRECT, SCOPES, SERVICE, VERIFIER, Host

__all__ = ["Constructor", "Stage", "arguments", "constructors", "definition_of", "definitions", "modules", "where"]

Constructor = Callable[..., Operation[object]]
# Modules that a public one is made of; `links` shows their names.
_PARTS = ("grant_requests", "link_consent", "link_ends", "link_members", "link_tokens", "link_views")
# The two whose public name says more than their own: opening is a verb of the hub.
_NAMES = {"tenants.open_tenant": "tenants.open"}


def modules() -> Iterator[ModuleType]:
    """Yield every module of the package that can be imported here."""
    for found in pkgutil.walk_packages(extlink.__path__, "extlink."):
        if not found.name.startswith(("extlink.testing", "extlink.adapters.postgres")):
            yield import_module(found.name)


def definitions() -> dict[str, Definition[..., object]]:
    """Return every definition of an operation, by its name."""
    found: dict[str, Definition[..., object]] = {}
    for module in modules():
        for thing in vars(module).values():
            if isinstance(thing, Definition):
                assert found.setdefault(thing.name, thing) is thing, f"two operations are called {thing.name}"
    return found


def constructors() -> dict[str, Constructor]:
    """Return every public function that makes an operation, by module and name."""
    found: dict[str, Constructor] = {}
    for module in modules():
        short = module.__name__.removeprefix("extlink.")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isfunction(thing) and short not in _PARTS and _makes_operation(thing):
                found[f"{short}.{name}"] = thing
    return found


def _makes_operation(function: Callable[..., object]) -> bool:
    return str(inspect.signature(function).return_annotation).startswith("Operation[")


def definition_of(name: str) -> Definition[..., object]:
    """Return the definition behind a public function."""
    return definitions()[_NAMES.get(name, name)]


@attrs.frozen(kw_only=True)
class Stage:
    """A host in the middle of its life: something of everything is there, so that every operation finds its object."""

    host: Host
    consent: Consent
    code: str
    tokens: TokenSet
    subscription: Subscription

    @classmethod
    def make(cls, host: Host | None = None) -> Stage:
        """Set the stage: sato is connected with a trigger, and has been asked once more; suzuki has a code."""
        host = Host.prepared() if host is None else host
        host.admin.run(networks.add(["203.0.113.0/24", "198.51.100.0/24"]))
        tokens = host.connect()
        asked = links.begin(
            SERVICE,
            client=CLIENT,
            redirect_uri=REDIRECT,
            scopes=SCOPES,
            code_challenge=CHALLENGE,
            network="not_applicable",
        )
        consent = host.user().run(asked)
        host.user("guest-1").run(grants.ask(SERVICE))
        host.admin.run(services.register(catalog.SLACK))
        host.admin.run(services.enable("slack"))
        subscription = host.tenant.run(
            triggers.subscribe(tokens.access_token, trigger="record_added", connectors=["shared_kintone"])
        )
        assert isinstance(consent, Consent)
        assert isinstance(subscription, Subscription)
        code = host.accept("suzuki").code.reveal()
        return cls(host=host, consent=consent, code=code, tokens=tokens, subscription=subscription)

    def where(self, name: str) -> Tenant:
        """Return where an operation runs whoever may run it: the tenant or the host itself, with every role."""
        return where(self.host, name).acting_as("sato", roles=ALL_ROLES)


def where(host: Host, name: str) -> Tenant:
    """Return the tenant, or the host itself for what concerns every tenant."""
    if name == "tenants.open_tenant":
        return host.hub.tenant("another")
    if definition_of(name).by == {"host"}:
        return host.root
    return host.tenant


def arguments(stage: Stage) -> Mapping[str, Mapping[str, object]]:
    """Return, for every operation, arguments that it accepts; each parameter of its signature is named."""
    link = stage.tokens.link
    version = stage.host.admin.run(grants.show(SERVICE)).version
    subjects: dict[str, object] = {"users": ["sato"], "organizations": ["dev"], "groups": ["leaders"]}
    restriction: dict[str, object] = {
        "rows": ["192.0.2.0/24"],
        "even_if_it_locks_me_out": False,
        "including_all_addresses": False,
    }
    inbound: dict[str, object] = {"client": CLIENT, "address": None}
    return {
        "access.check": {
            "token": stage.tokens.access_token,
            "scope": "k:app_record:read",
            "address": "203.0.113.7",
            "connectors": ["shared_kintone"],
            "resource": "https://acme.cybozu.com",
        },
        "access.check_flow": {
            "service": SERVICE,
            "user": "sato",
            "trigger": "shared_outlook",
            "action": "shared_kintone",
            "scope": "k:app_record:write",
            "connectors": ["shared_excel"],
            "address": "203.0.113.7",
            "direction": "inbound",
        },
        "access.explain": {
            "service": SERVICE,
            "user": "sato",
            "scope": ["k:app_record:write"],
            "address": "203.0.113.7",
            "connectors": ["shared_excel"],
            "network": "applies",
        },
        "datagroups.remove_policy": {"policy": "standard"},
        "datagroups.require_flow_connectors": {"required": True},
        "datagroups.set_policy": {"policy": DataPolicy(id="standard", business={"shared_kintone"})},
        "datagroups.show": {},
        "grants.allow": {"service": SERVICE, **subjects, "everyone": False, "scope": "direct", "until": None},
        "grants.approve": {"service": SERVICE, "user": "guest-1", "scopes": ["k:app_record:read"]},
        "grants.ask": {"service": "slack", "scopes": None, "message": "for the night shift"},
        "grants.candidates": {
            "service": SERVICE,
            "search": "sa",
            "organization": "sales",
            "scope": "subtree",
            "without_organization": False,
            "after": None,
            "limit": 20,
        },
        "grants.decline": {"service": SERVICE, "user": "guest-1", "cause": "not for guests"},
        "grants.edit": {
            "service": SERVICE,
            "version": version,
            "add": ["suzuki"],
            "remove": ["tanaka"],
            "existing": "revoke",
        },
        "grants.exclude": {"service": SERVICE, **subjects, "scope": "subtree", "existing": "revoke"},
        "grants.include": {"service": SERVICE, **subjects},
        "grants.organization_removed": {"service": SERVICE, "organization": "sales", "former_members": ["sato"]},
        "grants.requests": {"user": "sato", "service": SERVICE, "after": None, "limit": 20},
        "grants.show": {"service": SERVICE},
        "grants.withdraw": {"service": SERVICE, **subjects, "everyone": False, "existing": "revoke"},
        "ledger.entries": {"after": 0, "limit": 100},
        "links.accept": {
            "consent": stage.consent,
            "scopes": ["k:app_record:read"],
            "address": None,
            "network": "not_applicable",
        },
        "links.begin": {
            **inbound,
            "service": SERVICE,
            "redirect_uri": REDIRECT,
            "scopes": "k:app_record:read",
            "code_challenge": CHALLENGE,
            "resource": None,
            "network": "not_applicable",
        },
        "links.members_of": {"organization": "sales", "scope": "subtree", "after": None, "limit": 20},
        "links.narrow": {"link": link, "scopes": ["k:app_record:read"]},
        "links.of": {"user": "sato"},
        "links.redeem": {**inbound, "code": stage.code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER},
        "links.refresh": {**inbound, "token": stage.tokens.refresh_token, "scopes": None},
        "links.refuse": {"consent": stage.consent},
        "links.resume": {"link": link},
        "links.revoke": {"link": link},
        "links.revoke_all": {"user": "sato", "service": SERVICE},
        "links.revoke_members_of": {
            "organization": "sales",
            "service": SERVICE,
            "scope": "direct",
            "after": None,
            "limit": 20,
        },
        "links.suspend": {"link": link},
        "links.users_of": {"service": SERVICE, "after": None, "limit": 20},
        "networks.add": {"rows": ["192.0.2.0/24"], "including_all_addresses": False},
        "networks.allow_all": {},
        "networks.deny_all": {"even_if_it_locks_me_out": False},
        "networks.find": {"address": "203.0.113.7"},
        "networks.remove": {"ranges": ["203.0.113.0/24"], "even_if_it_locks_me_out": False},
        "networks.restrict": restriction,
        "networks.show": {},
        "services.disable": {"service": SERVICE, "existing": "suspend"},
        "services.enable": {"service": SERVICE},
        "services.quarantine": {"service": SERVICE, "cause": "a leak at the vendor"},
        "services.quarantine_everywhere": {"service": SERVICE, "cause": "a leak at the vendor"},
        "services.register": {"service": catalog.SLACK},
        "services.registered": {},
        "services.release": {"service": SERVICE},
        "services.release_everywhere": {"service": SERVICE},
        "services.set_default": {"unconfigured": "allow"},
        "services.set_dormancy": {"service": SERVICE, "days": 90},
        "services.unregister": {"service": SERVICE},
        "tenants.check_keys": {"checks": {"k9": "00ff"}},
        "tenants.open_tenant": {"edition": "JP", "products": ["kintone"]},
        "triggers.check_delivery": {"link": link, "subscription": stage.subscription.id},
        "triggers.listed": {"link": link},
        "triggers.subscribe": {
            "token": stage.tokens.access_token,
            "trigger": "record_added",
            "connectors": ["shared_kintone"],
            "address": None,
            "resource": None,
        },
        "triggers.unsubscribe": {"link": link, "subscription": stage.subscription.id},
        "users.delete": {"user": "suzuki"},
        "users.resume": {"user": "suzuki"},
        "users.state": {"user": "suzuki"},
        "users.suspend": {"user": "suzuki", "existing": "revoke"},
    }
