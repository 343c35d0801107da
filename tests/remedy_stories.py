"""Random tenants on a real hub, what is refused in them, and everybody who can do something about it.

A story begins well: a service is registered, enabled and granted, and sato is connected. Then things happen to it, all
by operations and by the host's own doing. `Stage.do` carries a remedy out: its operation in the role the remedy names,
and what is done outside as the user, the vendor or the host would do it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, Literal, TypeVar, cast

import attrs

from extlink import access, clients, datagroups, grants, links, networks, services, tenants, users
from extlink.adapters.directory import InMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client import Client
from extlink.domain.client_registration import ClientProfile, ClientRecord
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Decision, Refusal
from extlink.domain.edition import ALL_EDITIONS
from extlink.domain.event import Event
from extlink.domain.identifier import Scope, ServiceId
from extlink.domain.instant import Instant, to_datetime
from extlink.domain.localized import LocalizedText
from extlink.domain.remedy import Action, Remedy
from extlink.domain.secret import Secret
from extlink.domain.service import Availability, ScopeDefinition, Service
from extlink.domain.tenant import HOST, Tenant as Domain
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Refused
from extlink.operation import Call, Commit, Operation, Steps, operation, put, read
from extlink.ports import Batch, Records, Version, Write
from extlink.records import RecordKey, client_key, tenant_key
from extlink.remedies import operation_of
from extlink.runtime import ExtLink, Tenant
from tests.fakes import FrozenClock
from tests.hosts import ACME, CHALLENGE, REDIRECT, VERIFIER, another_hub, people

__all__ = ["AUTOMATE", "Stage", "definition", "stories"]

T = TypeVar("T")
AUTOMATE: Final = ServiceId("automate")
SCOPES: Final[Mapping[str, str]] = {"read": "kintone", "write": "kintone", "mail": "garoon", "plain": ""}
ROLES: Final[Mapping[str, str]] = {
    # Who changes it in Power Platform has no role here; a common administrator brings the copy up to date.
    "service_administrator": "common_administrator",
    # What "the system engineers" and "the support" do with operations.
    "host": "common_administrator",
    "vendor": "host",
}
CONNECTORS: Final = ("kintone", "chat", "mail")
PEOPLE: Final = ("sato", "suzuki", "tanaka", "ito", "guest-1", "admin-1")
CLIENT: Final = Client("automate-client")
ADDRESSES: Final = ("203.0.113.7", "198.51.100.9", "2001:db8::1")


def definition(
    scopes: Sequence[str] = tuple(SCOPES),
    *,
    products: Sequence[str] = (),
    available: bool = True,
    everywhere: bool = True,
) -> Service:
    """Return a definition of the service, in every edition or in Japan alone."""
    said = LocalizedText.same("Automate")
    return Service(
        id=AUTOMATE,
        names=said,
        descriptions=said,
        directions=frozenset({"inbound"}),
        connector="kintone",
        products=frozenset(products),
        editions=ALL_EDITIONS if everywhere else {"JP"},
        availability=Availability() if available else Availability(state="unavailable", cause=said),
        scopes=tuple(
            ScopeDefinition(
                name=Scope(one), labels=said, product=SCOPES.get(one, "") if not products else "", direction="read"
            )
            for one in scopes
        ),
    )


@operation("tests.subscribe", records=("tenant.setting_changed",))
def _subscribe(call: Call, *, product: str) -> Steps[Commit[Domain]]:
    """The provider's own doing: extlink has no operation for a product that a domain subscribes to later."""
    place = tenant_key(call.tenant)
    known = (yield from read(place)).get(place)
    assert known is not None
    after = attrs.evolve(known, products=known.products | {product})
    return Commit(after, (put(place, after),), (Event("tenant.setting_changed", {"setting": "products"}),))


@attrs.define
class Stage:
    """A tenant, the people of its host, and what the service has in hand.

    Args:
        user: who is asked about.
        client: by which the user connects.
        tokens: what the service got last.
        shown: the token it presents.
        ask: the question, once the story has told what it is.
    """

    store: MemoryStorage
    directory: InMemoryDirectory
    clock: FrozenClock
    hub: ExtLink
    user: str = "sato"
    client: Client = CLIENT
    tokens: TokenSet | None = None
    shown: Secret | None = None
    ask: Callable[[Stage], Operation[Decision]] | None = None

    @classmethod
    def opened(cls, edition: str, products: Sequence[str]) -> Stage:
        """Return a tenant in which nothing is set up."""
        store, directory, clock = MemoryStorage(), people(), FrozenClock()
        hub = another_hub(store, directory, clock)
        hub.open_tenant(ACME, edition=edition, products=products)
        return cls(store, directory, clock, hub)

    def copied(self) -> Stage:
        """Return the same tenant once more, so that something else can be tried in it."""
        store, clock = MemoryStorage(), FrozenClock(self.clock.now())
        for number, tenant in enumerate((HOST.encode(), ACME.encode()), 1):
            page = self.store.list(Records(tenant, b"", b"", 1_000))
            writes = tuple(Write(item.key, item.value) for item in page.items)
            store.commit(Batch(tenant=tenant, id=Version(number), guards=(), writes=writes, entries=(), at=clock.now()))
        directory = InMemoryDirectory(self.directory.get(PEOPLE), self.directory.organizations())
        hub = another_hub(store, directory, clock)
        return attrs.evolve(self, store=store, directory=directory, clock=clock, hub=hub)

    @property
    def tenant(self) -> Tenant:
        """The tenant, for nobody in particular."""
        return self.hub.tenant(ACME)

    def run(self, asked: Operation[T], role: str = "common_administrator") -> T:
        """Run an operation as an administrator with a role."""
        return self.tenant.acting_as("admin-1", roles={role}).run(asked)

    def decide(self) -> Decision:
        """Ask the question."""
        assert self.ask is not None
        return self.run(self.ask(self))

    def connect(self, scopes: Sequence[str]) -> bool:
        """Let the user connect, and the service fetch its tokens; whether that succeeds."""
        place = client_key(ACME, self.client.id)
        if self.run(_removed(client=place)):
            self.client = self.registered()
        user = self.tenant.acting_as(self.user)
        consent = user.run(
            links.begin(
                AUTOMATE,
                client=self.client,
                redirect_uri=REDIRECT,
                scopes=scopes,
                code_challenge=CHALLENGE,
                network="not_applicable",
            )
        )
        if not isinstance(consent, Consent):
            return False
        acceptance = user.run(links.accept(consent, network="not_applicable"))
        assert isinstance(acceptance, Acceptance)
        return self.took(
            self.tenant.run(
                links.redeem(acceptance.code, client=self.client, redirect_uri=REDIRECT, code_verifier=VERIFIER)
            )
        )

    def refresh(self) -> bool:
        """Let the service fetch new tokens; whether that succeeds."""
        assert self.tokens is not None
        return self.took(self.tenant.run(links.refresh(self.tokens.refresh_token, client=self.client)))

    def took(self, answer: TokenSet | Refusal) -> bool:
        """Keep tokens, and present the new one from now on."""
        if isinstance(answer, Refusal):
            return False
        self.tokens, self.shown = answer, answer.access_token
        return True

    def registered(self) -> Client:
        """Return a client that an administrator registered."""
        profile = ClientProfile(service=AUTOMATE, name="Automate", redirect_uris=(REDIRECT,))
        return Client(self.run(clients.register(profile)).client.id)

    def do(self, remedy: Remedy) -> bool:
        """Carry a remedy out, as whoever may; whether it is accepted."""
        action = remedy.action
        assert action is not None
        if action.is_outside:
            return OUTSIDE[action.name](self, action)
        new = [self.completed(action)] if action.name == "services.register" else []
        asked = operation_of(remedy, definitions=new)
        assert asked is not None, remedy
        try:
            self.run(asked, ROLES.get(remedy.who, remedy.who))
        except Refused:
            return False
        return True

    def completed(self, action: Action) -> Service:
        """Return the service's definition with the operations that an action registers, which need no product."""
        known = (one.service for one in self.run(services.registered()) if one.service.id == AUTOMATE)
        before = next(known, definition(()))
        said = LocalizedText.same("New")
        added = tuple(
            ScopeDefinition(name=Scope(one), labels=said, product="", direction="read")
            for one in cast("tuple[str, ...]", action.arguments.get("scopes", ()))
        )
        return attrs.evolve(before, scopes=(*before.scopes, *added))


@operation("tests.removed")
def _removed(call: Call, *, client: RecordKey[ClientRecord]) -> Steps[Commit[bool]]:
    """Tell whether a client was removed."""
    known = (yield from read(client)).get(client)
    return Commit(known is not None and known.registration is None)


def _add_user(stage: Stage, action: Action) -> bool:
    stage.directory.add_user(stage.user)
    return True


def _activate(stage: Stage, action: Action) -> bool:
    stage.directory.resume(stage.user)
    return True


def _give(stage: Stage, action: Action) -> bool:
    member = stage.directory.member(stage.user)
    if member is None:
        return False
    stage.directory.change_user(stage.user, products={*member.products, cast("str", action.arguments["product"])})
    return True


def _buy(stage: Stage, action: Action) -> bool:
    stage.run(_subscribe(product=cast("str", action.arguments["product"])))
    return True


OUTSIDE: Final[Mapping[str, Callable[[Stage, Action], bool]]] = {
    "outside.add_user": _add_user,
    "outside.activate_user": _activate,
    "outside.give_product": _give,
    "outside.subscribe": _buy,
    "outside.connect": lambda stage, action: stage.connect(cast("tuple[str, ...]", action.arguments["scopes"])),
    "outside.present_token": lambda stage, action: stage.refresh(),
}

Happening = Callable[[Stage, Random], object]


def _existing(draw: Random) -> Literal["revoke", "suspend", "keep"]:
    return draw.choice(("revoke", "suspend", "keep"))


def _redefined(stage: Stage, draw: Random) -> object:
    lacking = tuple(one for one in SCOPES if draw.random() < 0.7) or ("plain",)
    everywhere = draw.random() < 0.75
    products = draw.choice(((), (), ("garoon",), ("kintone", "garoon")))
    available = draw.random() < 0.9
    return stage.run(
        services.register(definition(lacking, products=products, available=available, everywhere=everywhere))
    )


def _data_policy(stage: Stage, draw: Random) -> object:
    sides = {one: draw.choice(("business", "non_business", "blocked", "business")) for one in CONNECTORS}
    policy = DataPolicy(
        id=f"p{draw.randrange(2)}",
        business=[one for one in CONNECTORS if sides[one] == "business"],
        non_business=[one for one in CONNECTORS if sides[one] == "non_business"],
        blocked=[one for one in CONNECTORS if sides[one] == "blocked"],
        default=draw.choice(("non_business", "blocked")),
    )
    return stage.run(datagroups.set_policy(policy))


def _limited(stage: Stage, draw: Random) -> object:
    stage.run(grants.withdraw(AUTOMATE, users=[stage.user], existing=_existing(draw)))
    stage.tenant.acting_as(stage.user).run(grants.ask(AUTOMATE, scopes=["read", "plain"]))
    return stage.run(grants.approve(AUTOMATE, stage.user, scopes=["plain"]))


def _excluded(stage: Stage, draw: Random) -> object:
    existing = _existing(draw)
    whom = (
        grants.exclude(AUTOMATE, users=["sato"], existing=existing),
        grants.exclude(AUTOMATE, organizations=["sales"], existing=existing),
        grants.exclude(AUTOMATE, organizations=["hq"], existing=existing),
        grants.exclude(AUTOMATE, groups=["leaders"], existing=existing),
    )
    return stage.run(draw.choice(whom))


def _until(stage: Stage, draw: Random) -> object:
    until = to_datetime(Instant(stage.clock.now() + 10))
    stage.run(grants.withdraw(AUTOMATE, users=["sato"], existing=_existing(draw)))
    stage.run(grants.allow(AUTOMATE, users=["sato"], until=until))
    return stage.clock.advance(10)


def _restricted(stage: Stage, draw: Random) -> object:
    rows = draw.sample(("203.0.113.0/24", "192.0.2.0/24", "10.0.0.0/8"), draw.randrange(3))
    return stage.run(networks.restrict(rows), "host")


def _unregistered_client(stage: Stage, draw: Random) -> object:
    before, stage.client = stage.client, stage.registered()
    if not stage.connect(("read",)):
        stage.client = before
        return None
    stage.run(clients.remove(stage.client.id))
    if draw.random() < 0.3:
        stage.client = before
    return None


def _wrong_kind(stage: Stage, draw: Random) -> object:
    assert stage.tokens is not None
    stage.shown = stage.tokens.refresh_token
    return None


def _superseded(stage: Stage, draw: Random) -> object:
    assert stage.tokens is not None
    older = stage.tokens.access_token
    for _ in range(5):
        stage.refresh()
    stage.shown = older
    return None


def _dormant(stage: Stage, draw: Random) -> object:
    stage.run(services.set_dormancy(AUTOMATE, days=30))
    return stage.clock.advance(31 * 86_400)


def _link(stage: Stage) -> str:
    return next(iter(stage.run(links.of(stage.user)))).links[0].id


HAPPENINGS: Final[Sequence[Happening]] = (
    lambda stage, draw: stage.run(services.disable(AUTOMATE, existing=draw.choice(("suspend", "revoke")))),
    lambda stage, draw: stage.run(services.quarantine(AUTOMATE, "leak")) if draw.random() < 0.3 else None,
    lambda stage, draw: stage.run(services.set_default(draw.choice(("deny", "allow")))),
    _redefined,
    _redefined,
    _data_policy,
    _data_policy,
    lambda stage, draw: stage.run(datagroups.require_flow_connectors(required=draw.random() < 0.5)),
    _limited,
    _excluded,
    _excluded,
    _excluded,
    _until,
    lambda stage, draw: stage.run(grants.withdraw(AUTOMATE, users=["sato"], existing=_existing(draw))),
    lambda stage, draw: stage.run(grants.allow(AUTOMATE, organizations=["sales"])),
    lambda stage, draw: stage.run(users.suspend("sato", existing=draw.choice(("suspend", "revoke")))),
    lambda stage, draw: stage.run(users.delete("sato")) if draw.random() < 0.2 else None,
    lambda stage, draw: stage.directory.suspend("sato"),
    lambda stage, draw: stage.directory.change_user("sato", products=draw.choice(((), ("kintone",), ("garoon",)))),
    _restricted,
    _restricted,
    lambda stage, draw: stage.run(networks.deny_all(), "host"),
    lambda stage, draw: stage.run(networks.pin(AUTOMATE, ["203.0.113.0/24"])) if draw.random() < 0.3 else None,
    lambda stage, draw: stage.run(links.suspend(_link(stage))),
    lambda stage, draw: stage.run(links.revoke(_link(stage))),
    lambda stage, draw: stage.run(tenants.end_links("leak")),
    lambda stage, draw: stage.clock.advance(3_600),
    _unregistered_client,
    _wrong_kind,
    _superseded,
    _dormant,
)


def stories(number: int) -> tuple[Stage, ...]:
    """Return the tenant of a number, once for each question that is asked in it."""
    draw = Random(number)
    edition = draw.choice(("JP", "JP", "JP", "US", "CN"))
    products = ["kintone"] if edition == "US" or draw.random() < 0.5 else ["kintone", "garoon"]
    stage = Stage.opened(edition, products)
    if draw.random() < 0.97:
        stage.run(services.register(definition()))
        if draw.random() < 0.9:
            stage.run(services.enable(AUTOMATE))
            stage.run(grants.allow(AUTOMATE, users=["sato"]))
            stage.connect(draw.choice((("read", "plain"), ("read", "write", "plain"))))
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 4, 6))):
        try:
            draw.choice(HAPPENINGS)(stage, draw)
        except (Refused, StopIteration, IndexError, AssertionError):
            continue
    return tuple(_asked(stage, draw) for _ in range(3))


def _asked(stage: Stage, draw: Random) -> Stage:
    user = draw.choice(("sato", "sato", "sato", "suzuki", "stranger"))
    kind = draw.choice(("check", "check", "explain", "flow"))
    kind = kind if stage.shown is not None or kind == "flow" else "explain"
    return attrs.evolve(stage, user="sato" if kind == "check" else user, ask=_question(kind, draw))


def _question(kind: str, draw: Random) -> Callable[[Stage], Operation[Decision]]:
    scopes = draw.choice((("read",), ("plain",), ("read", "write"), ("mail", "read")))
    address = draw.choice((*ADDRESSES[:2], *ADDRESSES))
    flow = draw.choice((None, None, ("kintone", "chat"), CONNECTORS))
    if kind == "check":
        return lambda at: access.check(cast("Secret", at.shown), scope=scopes, address=address, connectors=flow)
    if kind != "flow":
        return lambda at: access.explain(AUTOMATE, user=at.user, scope=scopes, address=address, connectors=flow)
    return lambda at: access.check_flow(
        AUTOMATE, user=at.user, trigger="kintone", action="chat", scope=scopes, address=address
    )
