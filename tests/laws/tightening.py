"""Tenants in the middle of their life, and for every tightening operation how to tighten a rule and loosen it again.

A world is made of operations alone, by its number: grants of some kind, a restriction, data policies, pins, two
services of which one is switched on by the default, links made by two clients, and links that had ended before.
`answers` asks `access.check` about every link, from two addresses, with and without the flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

import attrs

from extlink import access, catalog, clients, datagroups, grants, links, networks, services, users
from extlink.adapters.memory import MemoryStorage
from extlink.domain.access import ENDED
from extlink.domain.client import Client
from extlink.domain.client_registration import ClientProfile
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Decision
from extlink.domain.grant import Existing
from extlink.domain.network import IPRestriction
from extlink.domain.token_ledger import TokenSet
from extlink.operation import Operation
from extlink.testing import copied
from tests.hosts import ACME, ALL_ROLES, CHALLENGE, CLIENT, REDIRECT, SERVICE, VERIFIER, Host, another_hub
from tests.operations import where

__all__ = ["CASES", "LOOSE", "LOOSENINGS", "Answer", "Case", "Question", "World", "make", "reconciled"]

SLACK = "slack"
INSIDE, OUTSIDE = "203.0.113.7", "198.51.100.7"
ROWS = ("203.0.113.0/24", "198.51.100.0/24")
FLOWS = (None, ("shared_kintone", "shared_slack"))
SCOPES = {SERVICE: ("k:app_record:read", "k:app_record:write"), SLACK: ("users:read", "chat:write")}
# Whether a call was allowed, and whether its link had ended for good.
Answer = tuple[bool, bool]
Question = tuple[str, str, str, tuple[str, ...] | None]


@attrs.frozen(kw_only=True)
class World:
    """A tenant with links, each under a name that tells whose it is.

    Args:
        registered: the client that made some of the links.
        subjects: to whom Power Automate is granted, and how.
    """

    number: int
    host: Host
    tokens: Mapping[str, TokenSet]
    registered: str
    subjects: Mapping[str, Any]

    def copy(self) -> World:
        """Return the same world over a store of its own."""
        store = copied(self.host.store, MemoryStorage(), [ACME, "~host"])
        hub = another_hub(store, self.host.directory, self.host.clock)
        return attrs.evolve(self, host=attrs.evolve(self.host, store=store, hub=hub, tenant=hub.tenant(ACME)))

    def run(self, operation: Operation[object]) -> object:
        """Run an operation where it belongs, with every role."""
        return where(self.host, operation.name).acting_as("admin-1", roles=ALL_ROLES).run(operation)

    def answers(self) -> dict[Question, Answer]:
        """Ask about every link."""
        return {
            (name, scope, address, flow): self._ask(token, scope, address, flow)
            for name, token in self.tokens.items()
            for scope in SCOPES[name.split("/")[1]]
            for address in (INSIDE, OUTSIDE)
            for flow in FLOWS
        }

    def _ask(self, token: TokenSet, scope: str, address: str, flow: tuple[str, ...] | None) -> Answer:
        asked = access.check(token.access_token, scope=scope, address=address, connectors=flow)
        decision: Decision = self.host.tenant.run(asked)
        return decision.allowed, any(reason.code in ENDED for reason in decision.reasons)


_GRANTS: tuple[Mapping[str, Any], ...] = (
    {"users": ["sato", "suzuki", "tanaka"]},
    {"organizations": ["sales"], "scope": "subtree"},
    {"organizations": ["hq"], "scope": "subtree"},
    {"groups": ["leaders"]},
    {"everyone": True},
)


def make(number: int) -> World:
    """Return the world of a number."""
    random = Random(number)
    host = Host.make(edition="US")
    admin = host.admin
    admin.run(services.register(catalog.POWER_AUTOMATE))
    admin.run(services.register(catalog.SLACK))
    admin.run(services.enable(SERVICE))
    admin.run(services.set_default("allow"))
    subjects = _GRANTS[number % len(_GRANTS)]
    admin.run(grants.allow(SERVICE, **subjects))
    if random.random() < 0.5:
        admin.run(grants.allow(SERVICE, users=random.sample(["sato", "suzuki", "tanaka"], 1)))
    admin.run(grants.allow(SLACK, everyone=True))
    _rules(admin.run, random)
    made = admin.run(clients.register(ClientProfile(service=SERVICE, name="Another", redirect_uris=[REDIRECT])))
    world = World(number=number, host=host, tokens={}, registered=made.client.id, subjects=subjects)
    return attrs.evolve(world, tokens=dict(_connected(world, random)))


def _rules(run: Callable[[Operation[object]], object], random: Random) -> None:
    if random.random() < 0.7:
        run(networks.restrict(ROWS))
        run(networks.accept_proofs(["basic"], before_migration=True))
    if random.random() < 0.5:
        run(networks.pin(SERVICE, ROWS, applies="links"))
    match random.randrange(3):
        case 0:
            run(datagroups.set_policy(DataPolicy(id="standard", business={"shared_kintone", "shared_slack"})))
        case 1:
            run(datagroups.set_unblockable(["shared_kintone", "shared_slack"]))
            run(datagroups.set_policy(DataPolicy(id="standard", default="blocked")))
        case _:
            pass


def _connected(world: World, random: Random) -> Iterator[tuple[str, TokenSet]]:
    host = world.host
    for user in ("sato", "suzuki", "tanaka"):
        registered = Client(world.registered)
        for service, client, by in (
            (SERVICE, CLIENT, "own"),
            (SERVICE, registered, "registered"),
            (SLACK, CLIENT, "own"),
        ):
            if host.explain(user, service).allowed and (service == SLACK or random.random() < 0.8):
                yield f"{user}/{service}/{by}", _connect(host, user, service, client)
    # Two links that nothing may bring back: ended by hand, and by an exclusion that was lifted.
    for user, end in (
        ("guest-1", lambda tokens: [links.revoke(tokens.link)]),
        ("admin-1", lambda _: [grants.exclude(SLACK, users=["admin-1"]), grants.include(SLACK, users=["admin-1"])]),
    ):
        tokens = _connect(host, user, SLACK, CLIENT)
        for operation in end(tokens):
            host.admin.run(operation)
        yield f"{user}/{SLACK}/ended", tokens
    pinned = host.admin.run(networks.show_pin(SERVICE))
    if pinned is not None and host.explain("sato").allowed:
        again = _connect(host, "sato", SERVICE, Client("pinned"))
        host.admin.run(links.pin(again.link))
        yield f"sato/{SERVICE}/pinned", again


def _connect(host: Host, user: str, service: str, client: Client) -> TokenSet:
    asked = links.begin(
        service,
        client=client,
        redirect_uri=REDIRECT,
        scopes=SCOPES[service],
        code_challenge=CHALLENGE,
        network="not_applicable",
    )
    consent = host.user(user).run(asked)
    assert isinstance(consent, Consent), consent
    acceptance = host.user(user).run(links.accept(consent, network="not_applicable"))
    assert isinstance(acceptance, Acceptance), acceptance
    redeemed = host.tenant.run(
        links.redeem(acceptance.code, client=client, redirect_uri=REDIRECT, code_verifier=VERIFIER)
    )
    assert isinstance(redeemed, TokenSet), redeemed
    return redeemed


Tighten = Callable[[World, Existing], Operation[object]]
Loosen = Callable[[World, World], list[Operation[object]]]


@attrs.frozen
class Case:
    """How a rule is tightened, and what loosens it again.

    Args:
        tighten: makes the operation, with the word about existing links.
        loosen: makes the operations that undo it; it is given the world before and the world after.
    """

    tighten: Tighten
    loosen: Loosen


def _subject(world: World) -> dict[str, Any]:
    return {name: value for name, value in world.subjects.items() if name != "scope"}


def _organization(world: World) -> str:
    named = world.subjects.get("organizations")
    return str(named[0]) if isinstance(named, list) else "sales"


def _network(world: World) -> IPRestriction:
    found = world.run(networks.show())
    assert isinstance(found, IPRestriction), found
    return found


def _network_before(before: World, _after: World) -> list[Operation[object]]:
    known = _network(before)
    if known.mode == "allow_all":
        return [networks.allow_all()]
    return [networks.restrict(known.rows)]


def _without_policy(_before: World, _after: World) -> list[Operation[object]]:
    return [datagroups.remove_policy("extra")]


def _pin_before(before: World, _after: World) -> list[Operation[object]]:
    known = before.host.admin.run(networks.show_pin(SERVICE))
    if known is None:
        return [networks.unpin(SERVICE)]
    return [networks.pin(SERVICE, known.rows, applies=known.applies)]


def _version(world: World) -> int:
    return world.host.admin.run(grants.show(SERVICE)).version


def _as(word: Existing) -> dict[str, Any]:
    return {"existing": word}


_NARROWED = attrs.evolve(
    catalog.POWER_AUTOMATE,
    scopes=tuple(one for one in catalog.POWER_AUTOMATE.scopes if one.name != "k:app_record:write"),
    triggers=(),
)

# Every operation of the table: `services.set_dormancy` refuses nothing that a live access token could still ask.
CASES: Mapping[str, Case] = {
    "clients.remove": Case(lambda w, x: clients.remove(w.registered, **_as(x)), lambda *_: []),
    "datagroups.require_flow_connectors": Case(
        lambda _, x: datagroups.require_flow_connectors(True, **_as(x)),
        lambda *_: [datagroups.require_flow_connectors(False)],
    ),
    "datagroups.set_policy": Case(
        lambda _, x: datagroups.set_policy(DataPolicy(id="extra", business={"shared_kintone"}), **_as(x)),
        _without_policy,
    ),
    "datagroups.set_unblockable": Case(
        lambda _, x: datagroups.set_unblockable(["shared_slack"], **_as(x)),
        lambda before, _: [datagroups.set_unblockable(before.host.admin.run(datagroups.show()).unblockable)],
    ),
    "grants.allow": Case(
        lambda w, x: grants.allow(SERVICE, organizations=[_organization(w)], scope="direct", **_as(x)),
        lambda w, _: [grants.allow(SERVICE, organizations=[_organization(w)], scope="subtree")],
    ),
    "grants.edit": Case(
        lambda w, x: grants.edit(SERVICE, version=_version(w), remove=["sato", "suzuki"], **_as(x)),
        lambda _, w: [grants.edit(SERVICE, version=_version(w), add=["sato", "suzuki"])],
    ),
    "grants.exclude": Case(
        lambda _, x: grants.exclude(SERVICE, users=["tanaka"], organizations=["sales"], **_as(x)),
        lambda *_: [grants.include(SERVICE, users=["tanaka"], organizations=["sales"])],
    ),
    "grants.organization_removed": Case(
        lambda w, x: grants.organization_removed(
            SERVICE,
            _organization(w),
            former_members=["sato", "suzuki", "tanaka"],
            **_as(x),
        ),
        lambda w, _: [grants.allow(SERVICE, organizations=[_organization(w)], scope="subtree")],
    ),
    "grants.withdraw": Case(
        lambda w, x: grants.withdraw(SERVICE, **{**_subject(w), **_as(x)}),
        lambda w, _: [grants.allow(SERVICE, **w.subjects)],
    ),
    "networks.accept_proofs": Case(
        lambda _, x: networks.accept_proofs([], **_as(x)),
        lambda w, _: [networks.accept_proofs(_network(w).proofs, before_migration=True)],
    ),
    "networks.deny_all": Case(lambda _, x: networks.deny_all(**_as(x)), _network_before),
    "networks.pin": Case(lambda _, x: networks.pin(SERVICE, ROWS[:1], **_as(x)), _pin_before),
    "networks.remove": Case(
        lambda w, x: networks.remove([row.range for row in _network(w).rows[:1]], **_as(x)),
        _network_before,
    ),
    "networks.restrict": Case(lambda _, x: networks.restrict(ROWS[:1], **_as(x)), _network_before),
    "networks.unpin": Case(lambda _, x: networks.unpin(SERVICE, **_as(x)), _pin_before),
    "services.disable": Case(
        lambda _, x: services.disable(SERVICE, **_as(x)),
        lambda *_: [services.enable(SERVICE)],
    ),
    "services.quarantine": Case(
        lambda _, x: services.quarantine(SERVICE, "a leak", **_as(x)),
        lambda *_: [services.release(SERVICE), services.enable(SERVICE)],
    ),
    "services.quarantine_everywhere": Case(
        lambda _, x: services.quarantine_everywhere(SERVICE, "a leak", **_as(x)),
        lambda *_: [services.release_everywhere(SERVICE)],
    ),
    "services.register": Case(
        lambda _, x: services.register(_NARROWED, **_as(x)),
        lambda *_: [services.register(catalog.POWER_AUTOMATE)],
    ),
    "services.set_default": Case(
        lambda _, x: services.set_default("deny", **_as(x)),
        lambda *_: [services.set_default("allow")],
    ),
    "services.set_dormancy": Case(
        lambda _, x: services.set_dormancy(SERVICE, days=1, **_as(x)),
        lambda *_: [services.set_dormancy(SERVICE, days=None)],
    ),
    "users.delete": Case(lambda _, x: users.delete("sato", **_as(x)), lambda *_: []),
    "users.suspend": Case(lambda _, x: users.suspend("sato", **_as(x)), lambda *_: [users.resume("sato")]),
}


def reconciled(world: World) -> World:
    """Bring a world's links in line, to the end."""
    done = None
    while done is None:
        found = world.run(links.reconcile())
        assert isinstance(found, links.Reconciled), found
        done = found.done
    return world


# What writes and refuses no call that was allowed before. An operation that writes is here, or in the module's table.
LOOSE = {
    "access.admit": "asks",
    "access.check": "asks",
    "access.check_many": "asks",
    "clients.register": "a client more",
    "datagroups.remove_policy": "law 5",
    "endpoints.decline": "no link is made",
    "endpoints.introspect": "asks",
    "endpoints.push": "a request",
    "grants.approve": "approving never narrows",
    "grants.ask": "a request",
    "grants.decline": "no grant is made",
    "grants.include": "an exclusion less",
    "links.refuse": "no link is made",
    "links.resume": "a link works again",
    "links.unpin": "a rule less",
    "networks.add": "law 5",
    "networks.allow_all": "no restriction",
    "networks.reset": "no restriction",
    "services.confirm": "what was done outside, for readiness alone",
    "services.enable": "on",
    "services.note_purge": "a note of what has ended",
    "services.release": "a quarantine less",
    "services.release_everywhere": "a quarantine less",
    "services.unconfirm": "as services.confirm",
    "services.unregister": "a service that nobody was granted, so that nobody has a link",
    "tenants.check_keys": "another tenant's",
    "tenants.open_tenant": "another tenant",
    "triggers.subscribe": "a subscription more",
    "users.resume": "a user more",
}


def _asked(world: World) -> Operation[object]:
    world.host.user("guest-1").run(grants.ask(SERVICE))
    return grants.approve(SERVICE, "guest-1")


def _link(world: World) -> str:
    return next(iter(world.tokens.values())).link


# Those that change what decisions rest on, as they are run in a generated world.
LOOSENINGS: Mapping[str, Callable[[World], Operation[object]]] = {
    "clients.register": lambda _: clients.register(ClientProfile(service=SERVICE, name="A third")),
    "datagroups.remove_policy": lambda w: datagroups.remove_policy("standard" if w.number % 2 else "extra"),
    "grants.approve": _asked,
    "grants.include": lambda _: grants.include(SERVICE, users=["tanaka"], organizations=["sales"]),
    "links.resume": lambda w: links.resume(_link(w)),
    "links.unpin": lambda w: links.unpin(w.tokens.get(f"sato/{SERVICE}/pinned", next(iter(w.tokens.values()))).link),
    "networks.add": lambda _: networks.add([ROWS[1], "192.0.2.0/24"]),
    "networks.allow_all": lambda _: networks.allow_all(),
    "services.confirm": lambda _: services.confirm(SERVICE, "data_group"),
    "services.enable": lambda w: services.enable(SERVICE if w.number % 2 else SLACK),
    "services.release": lambda _: services.release(SERVICE),
    "services.release_everywhere": lambda _: services.release_everywhere(SERVICE),
    "services.unregister": lambda _: services.unregister(SLACK),
    "users.resume": lambda _: users.resume("sato"),
}
