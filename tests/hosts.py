"""A small host: a hub over a store in memory, a clock that stands, and people in several organizations (TRACE T7).

    hq (Headquarters)
        sales       sato, ito (suspended)
            tokyo   suzuki
        dev         sato, tanaka
    partners        guest-1 (a guest)
    no organization: admin-1

Everybody may use kintone, sato Garoon too. `prepared` stands in the middle of the story: Power Automate is enabled and
opened for the sales people, and sato is connected.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping

import attrs
import pytest

from extlink import access, catalog, grants, ledger, links, services
from extlink.adapters.directory import InMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client import Client
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.decision import Decision
from extlink.domain.identifier import TenantId
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.domain.tenant import HOST
from extlink.domain.token import KeyRing
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Refused
from extlink.operation import Operation
from extlink.ports import Entries, Position, Records, Storage
from extlink.runtime import ExtLink, Tenant
from tests.fakes import CountingEntropy, FrozenClock

__all__ = [
    "ALL_ROLES",
    "CHALLENGE",
    "CLIENT",
    "REDIRECT",
    "SERVICE",
    "VERIFIER",
    "Dump",
    "Host",
    "codes",
    "dump",
    "people",
    "refusal",
]

ACME = TenantId("acme")
SERVICE = "power-automate"
CLIENT = Client("power-automate-client")
REDIRECT = "https://global.consent.azure-apim.net/redirect"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ALL_ROLES = frozenset({"user", "common_administrator", "access_administrator", "app_administrator", "host"})
SCOPES = ("k:app_record:read", "k:app_record:write")

Dump = tuple[Mapping[tuple[bytes, bytes], bytes | None], tuple[bytes | None, ...]]


def people() -> InMemoryDirectory:
    """Return the host's directory."""
    directory = InMemoryDirectory()
    for organization, parent in (("hq", None), ("sales", "hq"), ("tokyo", "sales"), ("dev", "hq"), ("partners", None)):
        directory.add_organization(organization, name=organization.title(), parent=parent)
    products = {"kintone"}
    directory.add_user("sato", organizations=["sales", "dev"], groups=["leaders"], products={"kintone", "garoon"})
    directory.add_user("suzuki", organizations=["tokyo"], products=products)
    directory.add_user("tanaka", organizations=["dev"], products=products)
    directory.add_user("ito", organizations=["sales"], products=products, status="suspended")
    directory.add_user("guest-1", organizations=["partners"], products=products, kind="guest")
    directory.add_user("admin-1", products=products)
    return directory


def dump(store: Storage, tenants: Iterable[str] = (ACME, HOST)) -> Dump:
    """Return everything a store holds of some tenants: the records by key, and the ledger entries in order."""
    records: dict[tuple[bytes, bytes], bytes | None] = {}
    entries: list[bytes | None] = []
    for tenant in tenants:
        name, after, more = tenant.encode(), b"", True
        while more:
            page = store.list(Records(name, b"", after, 1_000))
            records.update({(item.key.tenant, item.key.path): item.value for item in page.items})
            after, more = page.items[-1].key.path if page.items else b"", page.more
        number, more = 0, True
        while more:
            page = store.list(Entries(name, Position(number), 1_000))
            entries.extend(item.value for item in page.items)
            number, more = number + len(page.items), page.more
    return records, tuple(entries)


def refusal(tenant: Tenant, operation: Operation[object]) -> Reason:
    """Run an operation that the rules refuse and return the reason."""
    with pytest.raises(Refused) as caught:
        tenant.run(operation)
    return caught.value.reason


def codes(decision: Decision) -> tuple[str, ...]:
    """Return the codes of a decision's reasons; none if it is allowed."""
    return tuple(reason.code for reason in decision.reasons)


@attrs.frozen(kw_only=True)
class Host:
    """One tenant of a hub, and everything a test wants to look at or to turn."""

    hub: ExtLink
    store: MemoryStorage
    directory: InMemoryDirectory
    clock: FrozenClock
    tenant: Tenant

    @classmethod
    def make(
        cls, *, edition: str = "JP", products: Iterable[str] = ("kintone",), store: MemoryStorage | None = None
    ) -> Host:
        """Open a tenant `acme`."""
        directory, clock = people(), FrozenClock()
        kept = MemoryStorage() if store is None else store
        hub = another_hub(kept, directory, clock)
        tenant = hub.open_tenant(ACME, edition=edition, products=products)
        return cls(hub=hub, store=kept, directory=directory, clock=clock, tenant=tenant)

    @classmethod
    def prepared(
        cls, *, edition: str = "JP", products: Iterable[str] = ("kintone",), store: MemoryStorage | None = None
    ) -> Host:
        """Open a tenant in which Power Automate is enabled, and opened for the sales people and tanaka."""
        host = cls.make(edition=edition, products=products, store=store)
        host.admin.run(services.register(catalog.POWER_AUTOMATE))
        host.admin.run(services.enable(SERVICE))
        host.admin.run(grants.allow(SERVICE, users=["tanaka"], organizations=["sales"], scope="subtree"))
        return host

    @property
    def admin(self) -> Tenant:
        """The tenant for the common administrator."""
        return self.tenant.acting_as("admin-1", roles={"common_administrator"})

    @property
    def root(self) -> Tenant:
        """The host itself."""
        return self.hub.host()

    def user(self, name: str = "sato") -> Tenant:
        """Return the tenant for a user in person."""
        return self.tenant.acting_as(name)

    def other_process(self) -> Tenant:
        """Return the tenant as another process sees it, that has cached nothing."""
        return another_hub(self.store, self.directory, self.clock).tenant(ACME)

    def dump(self) -> Dump:
        """Return everything the store holds."""
        return dump(self.store)

    def explain(self, user: str = "sato", service: str = SERVICE, address: str | None = None) -> Decision:
        """Ask the gates about a user, without any token."""
        if address is None:
            return self.admin.run(access.explain(service, user=user, network="not_applicable"))
        return self.admin.run(access.explain(service, user=user, address=address))

    def accept(self, user: str = "sato", service: str = SERVICE, scopes: Iterable[str] = SCOPES) -> Acceptance:
        """Let a user say yes."""
        asked = links.begin(
            service,
            client=CLIENT,
            redirect_uri=REDIRECT,
            scopes=scopes,
            code_challenge=CHALLENGE,
            network="not_applicable",
        )
        consent = self.user(user).run(asked)
        assert isinstance(consent, Consent), consent
        acceptance = self.user(user).run(links.accept(consent, network="not_applicable"))
        assert isinstance(acceptance, Acceptance), acceptance
        return acceptance

    def connect(self, user: str = "sato", service: str = SERVICE, scopes: Iterable[str] = SCOPES) -> TokenSet:
        """Connect a user: consent, code, tokens."""
        code = self.accept(user, service, scopes).code
        redeemed = self.tenant.run(
            links.redeem(code, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER),
        )
        assert isinstance(redeemed, TokenSet), redeemed
        return redeemed

    def check(self, token: Secret, scope: str = SCOPES[0], address: str | None = None) -> Decision:
        """Ask whether a token is good for something, in a process that has cached nothing."""
        return self.other_process().run(access.check(token, scope=scope, address=address))

    def entries(self, after: int = 0) -> tuple[ledger.Entry, ...]:
        """Return what the tenant's ledger holds."""
        return self.admin.run(ledger.entries(after=after, limit=500)).entries

    def events(self, after: int = 0) -> tuple[str, ...]:
        """Return the names of what the tenant's ledger holds."""
        return tuple(entry.event for entry in self.entries(after))

    def position(self) -> int:
        """Return how many entries the tenant's ledger holds."""
        return len(self.entries())


def another_hub(store: Storage, directory: InMemoryDirectory, clock: FrozenClock) -> ExtLink:
    """Return a hub over the same store, as another process of the host has one."""
    keys = KeyRing({"k1": Secret("5a" * 32)}, current="k1")
    return ExtLink(store, keys=keys, directory=directory, clock=clock, entropy=CountingEntropy(_seed()))


_SEEDS = iter(range(1_000_000_000))


def _seed() -> int:
    # Two hubs over one store must not draw the same versions.
    return next(_SEEDS)
