"""Every operation there is, found by import, with arguments that it accepts: so that a new one cannot be forgotten.

A test that walks `constructors()` and looks the arguments up in `arguments()` fails for an operation that the table
does not know.
"""

from __future__ import annotations

import base64
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import attrs

import extlink
from extlink import access, catalog, clients, endpoints, feeds, grants, ledger, links, networks, services, triggers
from extlink.clients import RegisteredClient
from extlink.domain.client_registration import ClientKey, ClientProfile
from extlink.domain.consent import Consent
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.identifier import ServiceId
from extlink.domain.instant import Instant
from extlink.domain.secret import Secret
from extlink.domain.subscription import Subscription
from extlink.domain.token_ledger import TokenSet
from extlink.endpoints import Redirect
from extlink.oauth.credentials import ClientCredentials
from extlink.oauth.parameters import Parameters
from extlink.oauth.token import CodeRequest
from extlink.operation import Definition, Operation
from extlink.runtime import Tenant
from extlink.service_purge import Purge
from tests.hosts import ALL_ROLES, CHALLENGE, CLIENT, REDIRECT, SCOPES, SERVICE, VERIFIER, Host
from tests.oauth.keys import pem

__all__ = ["Constructor", "Stage", "arguments", "constructors", "definition_of", "definitions", "modules", "where"]

Constructor = Callable[..., Operation[object]]
SERVICE_TAGS = feeds.read_service_tags(
    """{"changeNumber": 342, "cloud": "Public", "values": [{"name": "AzureConnectors", "properties":
    {"changeNumber": 53, "region": "", "addressPrefixes": ["20.89.11.48/28"]}}]}"""
)
# Modules that a public one is made of; `links`, `networks` and `endpoints` show their names.
_PARTS = (
    "access_batches",
    "access_checks",
    "access_lists",
    "access_questions",
    "access_readiness",
    "endpoint_consent",
    "endpoint_pushed",
    "endpoint_tokens",
    "grant_requests",
    "ledger_history",
    "link_answers",
    "link_consent",
    "link_ends",
    "link_members",
    "link_pins",
    "link_reconcile",
    "link_tokens",
    "link_views",
    "network_pins",
    "network_plans",
    "service_purge",
    "service_steps",
    "past",
    "preview_scans",
    "preview_world",
)
# What needs a distribution that a host may lack; no operation is made there.
_ELSEWHERE = (
    "extlink.testing",
    *(f"extlink.adapters.{name}" for name in ("postgres", "_postgres", "_schema_cli")),
)
ISSUER = "https://acme.cybozu.com"
SESSION = "session-1"
# The two whose public name says more than their own: opening is a verb of the hub.
_NAMES = {"tenants.open_tenant": "tenants.open"}


def modules() -> Iterator[ModuleType]:
    """Yield every module of the package that can be imported here."""
    for found in pkgutil.walk_packages(extlink.__path__, "extlink."):
        if not found.name.startswith(_ELSEWHERE):
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
    returned = str(inspect.signature(function).return_annotation)
    # Where it may be None, the operation is that of a remedy, made somewhere else.
    return returned.startswith("Operation[") and returned.endswith("]")


def definition_of(name: str) -> Definition[..., object]:
    """Return the definition behind a public function."""
    return definitions()[_NAMES.get(name, name)]


@attrs.frozen(kw_only=True)
class Endpoint:
    """What the OAuth endpoints know on the stage: tanaka is connected by a registered client, and sato is asked."""

    registered: RegisteredClient
    consent: Consent
    code: str
    tokens: TokenSet

    @classmethod
    def make(cls, host: Host) -> Endpoint:
        """Register a client that may authenticate in every way, connect tanaka, and ask tanaka and sato once more."""
        profile = ClientProfile(
            service=SERVICE,
            name="Power Automate",
            methods=["client_secret_basic", "client_secret_post", "private_key_jwt"],
            redirect_uris=[REDIRECT],
        )
        registered = host.admin.run(clients.register(profile))
        tokens = host.tenant.run(_exchange(registered, _code(host, registered)))
        assert isinstance(tokens, TokenSet), tokens
        return cls(
            registered=registered,
            consent=_consent(host, registered, "sato"),
            code=_code(host, registered),
            tokens=tokens,
        )

    @property
    def credentials(self) -> ClientCredentials:
        """The client's, by its secret."""
        return credentials(self.registered)


def credentials(registered: RegisteredClient) -> ClientCredentials:
    """Return what a client shows for itself."""
    return ClientCredentials(method="client_secret_basic", client_id=registered.client.id, proof=registered.secret)


def asking(client: str, **parameters: str) -> Parameters:
    """Return an authorization request."""
    usual = {
        "client_id": client,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "k:app_record:read",
        "state": "state-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return Parameters({name: (value,) for name, value in {**usual, **parameters}.items()})


def _consent(host: Host, registered: RegisteredClient, user: str) -> Consent:
    asked = endpoints.authorize(asking(registered.client.id), issuer=ISSUER, session=SESSION, network="not_applicable")
    found = host.user(user).run(asked)
    assert isinstance(found, Consent), found
    return found


def _code(host: Host, registered: RegisteredClient) -> str:
    token = _consent(host, registered, "tanaka").token
    answer = host.user("tanaka").run(endpoints.consent(token, issuer=ISSUER, session=SESSION, network="not_applicable"))
    assert isinstance(answer, Redirect), answer
    return parse_qs(urlsplit(answer.location.reveal()).query)["code"][0]


def _exchange(registered: RegisteredClient, code: str) -> Operation[object]:
    return endpoints.exchange(redemption(code), credentials(registered), issuer=ISSUER)


def redemption(code: str) -> CodeRequest:
    return CodeRequest(code=Secret(code), redirect_uri=REDIRECT, code_verifier=Secret(VERIFIER))


@attrs.frozen(kw_only=True)
class Stage:
    """A host in the middle of its life: something of everything is there, so that every operation finds its object."""

    host: Host
    reset: Secret
    consent: Consent
    code: str
    tokens: TokenSet
    subscription: Subscription
    endpoint: Endpoint

    @classmethod
    def make(cls, host: Host | None = None) -> Stage:
        """Set the stage: sato is connected with a trigger, and has been asked once more; suzuki has a code."""
        # Of the editions, that of the US has everything: a saved change yields a reset token.
        host = Host.prepared(edition="US") if host is None else host
        reset = host.admin.run(networks.add(["203.0.113.0/24", "198.51.100.0/24"])).reset
        host.admin.run(networks.pin(SERVICE, ["203.0.113.0/24"], applies="links"))
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
        host.admin.run(services.confirm(SERVICE, "data-group"))
        subscription = host.tenant.run(
            triggers.subscribe(tokens.access_token, trigger="record_added", connectors=["shared_kintone"])
        )
        assert isinstance(consent, Consent)
        assert isinstance(subscription, Subscription)
        assert reset is not None
        code = host.accept("suzuki").code.reveal()
        return cls(
            host=host,
            reset=reset,
            consent=consent,
            code=code,
            tokens=tokens,
            subscription=subscription,
            endpoint=Endpoint.make(host),
        )

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
    return {**_of_clients(stage), **_of_endpoints(stage), **_of_previews(stage), **_of_the_rest(stage)}


def _of_clients(stage: Stage) -> Mapping[str, Mapping[str, object]]:
    client = stage.endpoint.registered.client
    profile = ClientProfile(service=SERVICE, name="Another", pkce="waived_for_confidential_client")
    return {
        "clients.add_secret": {"client": client.id, "others_expire_in": 3_600},
        "clients.change": {"client": client.id, "profile": attrs.evolve(client.profile, name="Renamed")},
        "clients.register": {"profile": profile},
        "clients.registered": {},
        "clients.remove": {"client": client.id, "existing": "revoke"},
        "clients.remove_secret": {"client": client.id, "secret_id": client.secrets[0].id},
        "clients.set_keys": {"client": client.id, "keys": [ClientKey(id="k1", algorithm="ES256", pem=pem("ES256"))]},
        "clients.show": {"client": client.id},
    }


def _of_endpoints(stage: Stage) -> Mapping[str, Mapping[str, object]]:
    endpoint = stage.endpoint
    page: dict[str, object] = {"token": endpoint.consent.token, "issuer": ISSUER, "session": SESSION}
    user: dict[str, object] = {"address": None, "network": "not_applicable"}
    client: dict[str, object] = {"credentials": endpoint.credentials, "issuer": ISSUER, "address": None}
    token = {"token": endpoint.tokens.access_token}
    return {
        "endpoints.authorize": {
            **user,
            "parameters": asking(endpoint.registered.client.id),
            "issuer": ISSUER,
            "session": SESSION,
        },
        "endpoints.consent": {**page, **user, "scopes": "k:app_record:read"},
        "endpoints.decline": page,
        "endpoints.exchange": {**client, "request": redemption(endpoint.code)},
        "endpoints.introspect": {**client, **token},
        "endpoints.push": {**client, "parameters": asking(endpoint.registered.client.id)},
        "endpoints.revoke": {**client, **token},
    }


def _of_previews(stage: Stage) -> Mapping[str, Mapping[str, object]]:
    asked: dict[str, object] = {"operation": services.disable(SERVICE), "directory": None, "at": None}
    hosts = stage.host.root.run(ledger.entries()).entries
    place = ["lost", SERVICE, stage.host.position(), len(hosts), int(stage.host.clock.now()), 0, "", 1]
    cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
    return {"previews.preview": asked, "previews.more": {**asked, "cursor": cursor, "limit": 100}}


def _of_the_rest(stage: Stage) -> Mapping[str, Mapping[str, object]]:
    link = stage.tokens.link
    version = stage.host.admin.run(grants.show(SERVICE)).version
    subjects: dict[str, object] = {"users": ["sato"], "organizations": ["dev"], "groups": ["leaders"]}
    restriction: dict[str, object] = {
        "rows": ["192.0.2.0/24"],
        "expected": None,
        "even_if_it_locks_me_out": False,
        "including_all_addresses": False,
        "existing": "keep",
    }
    published: dict[str, object] = {
        "service": SERVICE,
        "files": [SERVICE_TAGS],
        "requirement": "vendor-current",
        "region": None,
    }
    inbound: dict[str, object] = {"client": CLIENT, "address": None}
    question: dict[str, object] = {
        "scope": ["k:app_record:write"],
        "address": "203.0.113.7",
        "connectors": ["shared_excel"],
        "environment": "dev",
        "flow_id": "flow-1",
        "network": "applies",
        "network_proof": "none",
    }
    return {
        "access.admit": {
            "token": stage.tokens.access_token,
            "scope": "k:app_record:read",
            "address": "203.0.113.7",
            "connectors": ["shared_kintone"],
            "environment": None,
            "flow_id": None,
            "resource": "https://acme.cybozu.com",
        },
        "access.check": {
            "token": stage.tokens.access_token,
            "scope": "k:app_record:read",
            "address": "203.0.113.7",
            "connectors": ["shared_kintone"],
            "environment": "dev",
            "flow_id": "flow-1",
            "resource": "https://acme.cybozu.com",
        },
        "access.check_many": {
            "requests": [
                access.check(stage.tokens.access_token, scope=scope, address="203.0.113.7")
                for scope in ("k:app_record:read", "k:app_record:write")
            ]
        },
        "access.check_flow": {
            "service": SERVICE,
            "user": "sato",
            "trigger": "shared_outlook",
            "action": "shared_kintone",
            "scope": "k:app_record:write",
            "connectors": ["shared_excel"],
            "environment": "dev",
            "flow_id": "flow-1",
            "address": "203.0.113.7",
            "direction": "inbound",
        },
        "access.explain": {
            "service": SERVICE,
            "user": "sato",
            "link": None,
            "scope": ["k:app_record:write"],
            "address": "203.0.113.7",
            "connectors": ["shared_excel"],
            "environment": "dev",
            "flow_id": "flow-1",
            "network": "applies",
            "network_proof": "none",
        },
        "access.explain_many": {
            "requests": [access.explain(SERVICE, user=user, address="203.0.113.7") for user in ("sato", "tanaka")]
        },
        "access.services": {"user": "sato", **question, "after": None, "limit": 10},
        "access.users": {"service": SERVICE, **question, "after": None, "limit": 20},
        "access.readiness": {
            "service": SERVICE,
            "user": "sato",
            "ranges": [SERVICE_TAGS],
            "requirement": "vendor-current",
            "region": None,
            "connectors": ["shared_kintone", "shared_outlook"],
        },
        "datagroups.remedy": {
            "connectors": ["shared_kintone", "shared_excel"],
            "service": SERVICE,
            "environment": "dev",
            "flow_id": "flow-1",
        },
        "datagroups.remove_policy": {"policy": "standard"},
        "datagroups.require_flow_connectors": {"required": True, "existing": "keep"},
        "datagroups.set_policy": {
            "policy": DataPolicy(id="standard", business={"shared_kintone"}),
            "saved_under_older_rules": False,
            "existing": "keep",
        },
        "datagroups.set_unblockable": {"connectors": ["shared_approvals"], "existing": "keep"},
        "datagroups.show": {},
        "grants.allow": {
            "service": SERVICE,
            **subjects,
            "everyone": False,
            "scope": "direct",
            "until": None,
            "existing": "revoke",
        },
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
        "grants.organization_removed": {
            "service": SERVICE,
            "organization": "sales",
            "former_members": ["sato"],
            "existing": "revoke",
        },
        "grants.requests": {"user": "sato", "service": SERVICE, "after": None, "limit": 20},
        "grants.show": {"service": SERVICE},
        "grants.withdraw": {"service": SERVICE, **subjects, "everyone": False, "existing": "revoke"},
        "ledger.as_of": {"operation": networks.show(), "position": 3, "at": None, "directory": None},
        "ledger.entries": {"after": 0, "limit": 100},
        "ledger.history": {"service": SERVICE, "user": None, "link": None, "after": 0, "limit": 100},
        "links.accept": {
            "consent": stage.consent,
            "scopes": ["k:app_record:read"],
            "address": None,
            "network": "not_applicable",
            "network_proof": "basic",
            "session": None,
        },
        "links.begin": {
            **inbound,
            "service": SERVICE,
            "redirect_uri": REDIRECT,
            "scopes": "k:app_record:read",
            "code_challenge": CHALLENGE,
            "resource": None,
            "network": "not_applicable",
            "network_proof": "none",
            "session": None,
        },
        "links.members_of": {"organization": "sales", "scope": "subtree", "after": None, "limit": 20},
        "links.narrow": {"link": link, "scopes": ["k:app_record:read"]},
        "links.of": {"user": "sato"},
        "links.pin": {"link": link},
        "links.reconcile": {},
        "links.redeem": {**inbound, "code": stage.code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER},
        "links.refresh": {**inbound, "token": stage.tokens.refresh_token, "scopes": None},
        "links.refuse": {"consent": stage.consent, "session": None},
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
        "links.unpin": {"link": link},
        "links.users_of": {"service": SERVICE, "after": None, "limit": 20},
        "networks.accept_proofs": {
            "proofs": [],
            "before_migration": True,
            "even_if_it_locks_me_out": False,
            "existing": "keep",
        },
        "networks.add": {"rows": ["192.0.2.0/24"], "including_all_addresses": False},
        "networks.allow_all": {},
        "networks.coverage": published,
        "networks.deny_all": {"even_if_it_locks_me_out": False, "existing": "keep"},
        "networks.plan": {**published, "edition": "JP", "rows": 2_900, "ipv4_only": True, "at_most_extra": 0},
        "networks.find": {"address": "203.0.113.7", "service": SERVICE},
        "networks.pin": {"service": SERVICE, "rows": ["192.0.2.0/24"], "applies": "service", "existing": "keep"},
        "networks.remove": {
            "ranges": ["203.0.113.0/24"],
            "even_if_it_locks_me_out": False,
            "existing": "keep",
        },
        "networks.reset": {"token": stage.reset},
        "networks.restrict": restriction,
        "networks.show": {},
        "networks.stale": {**published, "older_than_days": 90},
        "networks.show_pin": {"service": SERVICE},
        "services.confirm": {"service": SERVICE, "step": "app-side"},
        "networks.unpin": {"service": SERVICE, "existing": "keep"},
        "services.disable": {"service": SERVICE, "existing": "suspend"},
        "services.enable": {"service": SERVICE},
        "services.note_purge": {
            "tenant": "acme",
            "done": Purge(service=ServiceId(SERVICE), stop="0.0.0", began=Instant(0), done=Instant(9)),
        },
        "services.purge": {"service": SERVICE},
        "services.purges": {"service": SERVICE},
        "services.remaining": {"service": SERVICE},
        "services.quarantine": {"service": SERVICE, "cause": "a leak at the vendor", "existing": "revoke"},
        "services.quarantine_everywhere": {
            "service": SERVICE,
            "cause": "a leak at the vendor",
            "existing": "revoke",
        },
        "services.register": {"service": catalog.GOOGLE_HANGOUTS_CHAT, "existing": "keep"},
        "services.registered": {},
        "services.release": {"service": SERVICE},
        "services.release_everywhere": {"service": SERVICE},
        "services.unconfirm": {"service": SERVICE, "step": "data-group"},
        "services.set_default": {"unconfigured": "allow", "existing": "suspend"},
        "services.set_dormancy": {"service": SERVICE, "days": 90, "existing": "revoke"},
        "services.unregister": {"service": SERVICE},
        "tenants.check_keys": {"checks": {"k9": "00ff"}},
        "tenants.end_links": {"cause": "restored from a backup"},
        "tenants.open_tenant": {"edition": "JP", "products": ["kintone"]},
        "triggers.check_delivery": {"link": link, "subscription": stage.subscription.id},
        "triggers.listed": {"link": link},
        "triggers.subscribe": {
            "token": stage.tokens.access_token,
            "trigger": "record_added",
            "connectors": ["shared_kintone"],
            "environment": "dev",
            "flow_id": "flow-1",
            "address": None,
            "resource": None,
        },
        "triggers.unsubscribe": {"link": link, "subscription": stage.subscription.id},
        "users.delete": {"user": "suzuki", "existing": "revoke"},
        "users.resume": {"user": "suzuki"},
        "users.state": {"user": "suzuki"},
        "users.suspend": {"user": "suzuki", "existing": "revoke"},
    }
