"""A small tenant with everything under way: a live link with tokens, a code to redeem, a consent to accept."""

from __future__ import annotations

from functools import cache
from typing import TypeVar

import attrs

from extlink import grants, links, services
from extlink.adapters.directory import InMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client import Client
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.identifier import Scope
from extlink.domain.localized import LocalizedText
from extlink.domain.secret import Secret
from extlink.domain.service import Service
from extlink.domain.service_parts import ScopeDefinition
from extlink.domain.token import KeyRing
from extlink.domain.token_ledger import TokenSet
from extlink.ports import Storage
from extlink.runtime import ExtLink, Tenant
from tests.fakes import CountingEntropy, FrozenClock

T = TypeVar("T")

TENANT = "acme"
SERVICE = "flows"
SCOPE = "k:app_record:read"
SCOPES = "k:app_record:read k:app_record:write"
REDIRECT = "https://global.consent.azure-apim.net/redirect"
# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CLIENT = Client("flow-client")
ADDRESS = "203.0.113.7"
KEYS = KeyRing({"k1": Secret("11" * 32)}, current="k1")


def people() -> InMemoryDirectory:
    """Return a directory of two people in one organization and one outside of it."""
    directory = InMemoryDirectory()
    directory.add_organization("sales", name="Sales")
    directory.add_organization("osaka", name="Osaka", parent="sales")
    directory.add_user("sato", display_name="佐藤 昇", organizations=["sales"], products={"kintone"})
    directory.add_user("suzuki", display_name="鈴木 花子", organizations=["osaka"], products={"kintone"})
    directory.add_user("tanaka", display_name="田中 誠", products={"kintone"})
    return directory


def service(name: str = SERVICE) -> Service:
    """Return a small definition: it is decoded at nearly every step of a schedule."""
    text = LocalizedText.same(name)
    return Service(
        id=name,
        names=text,
        descriptions=text,
        directions={"inbound"},
        products={"kintone"},
        scopes=(
            ScopeDefinition(name=Scope(SCOPE), labels=text, product="kintone", direction="read"),
            ScopeDefinition(name=Scope("k:app_record:write"), labels=text, product="kintone", direction="write"),
        ),
    )


# Never changed, so that every run of every schedule may ask it.
PEOPLE = people()


def given(value: object, kind: type[T]) -> T:
    """Return what an operation gave, if it is not the refusal that it may be too."""
    assert isinstance(value, kind), value
    return value


@attrs.frozen(kw_only=True)
class World:
    """What the operations of a schedule find.

    Args:
        tokens: of a live link of sato's, generation 1, not yet used.
        code: of a second link of the same user, service and client, not yet redeemed.
        consent: what sato was asked last, not yet answered.
    """

    storage: MemoryStorage
    tokens: TokenSet
    code: Acceptance
    consent: Consent

    @property
    def link(self) -> str:
        """The live link."""
        return self.tokens.link


def hub_over(storage: Storage, *, clock: FrozenClock | None = None, seed: int = 0) -> ExtLink:
    """Return a synchronous hub with the keys and the people of this world."""
    return ExtLink(storage, keys=KEYS, directory=PEOPLE, clock=clock or FrozenClock(), entropy=CountingEntropy(seed))


def asked(tenant: Tenant, user: str = "sato", client: Client = CLIENT, scopes: str = SCOPES) -> Consent:
    """Ask a user to connect the service."""
    begun = tenant.acting_as(user, address=ADDRESS).run(
        links.begin(SERVICE, client=client, redirect_uri=REDIRECT, scopes=scopes, code_challenge=CHALLENGE)
    )
    return given(begun, Consent)


def accepted(tenant: Tenant, user: str = "sato", client: Client = CLIENT, scopes: str = SCOPES) -> Acceptance:
    """Let a user agree."""
    consent = asked(tenant, user, client, scopes)
    return given(tenant.acting_as(user, address=ADDRESS).run(links.accept(consent)), Acceptance)


def connected(tenant: Tenant, user: str = "sato", client: Client = CLIENT, scopes: str = SCOPES) -> TokenSet:
    """Make a live link and return its first tokens."""
    code = accepted(tenant, user, client, scopes).code
    redemption = links.redeem(code, client=client, redirect_uri=REDIRECT, code_verifier=VERIFIER)
    return given(tenant.run(redemption), TokenSet)


def prepared(storage: Storage, *, clock: FrozenClock | None = None) -> tuple[ExtLink, Tenant, Tenant]:
    """Open a tenant with the service switched on for the sales organization; return hub, tenant and administrator."""
    hub = hub_over(storage, clock=clock)
    tenant = hub.open_tenant(TENANT, edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin", roles={"common_administrator"})
    admin.run(services.register(service()))
    admin.run(services.enable(SERVICE))
    admin.run(grants.allow(SERVICE, organizations=["sales"], scope="subtree"))
    return hub, tenant, admin


@cache
def world(kind: str = "confidential") -> World:
    """Return the world; `kind` is that of the client."""
    storage = MemoryStorage()
    client = client_of(kind)
    _, tenant, _ = prepared(storage)
    tokens = connected(tenant, client=client)
    code = accepted(tenant, client=client)
    return World(storage=storage, tokens=tokens, code=code, consent=asked(tenant, client=client))


def client_of(kind: str) -> Client:
    """Return the world's client, confidential or public."""
    return CLIENT if kind == "confidential" else Client("flow-client", kind="public")
