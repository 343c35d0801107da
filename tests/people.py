"""A small host for the tests of grants, links and access: a company five organizations deep, and who works there.

hq > sales > east > tokyo > shibuya      hq > tech      club (alone)

sato      shibuya and club    kintone, Garoon    group staff
suzuki    sales and tech      kintone            group staff
tanaka    tech                kintone
ito       hq                  kintone, Garoon    display priority 1
mori      tech                no product at all
guest     nowhere             kintone, a guest
kimura    east                kintone, suspended
ueda      tech                kintone, deleted
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Final, TypeVar

import attrs
import pytest

from extlink import access, catalog, grants, ledger, links, services
from extlink.adapters.directory import InMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client import Client
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.decision import Decision, Refusal
from extlink.domain.identifier import LinkId, TenantId
from extlink.domain.link import Lifetimes, Link
from extlink.domain.secret import Secret
from extlink.domain.service import Service
from extlink.domain.token import KeyRing
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Refused
from extlink.ledger import Entry
from extlink.operation import Operation
from extlink.ports import Batch, Key, Page, Position, Query, Records, Storage, Stored, Version, Write
from extlink.records import LINK, link_key
from extlink.runtime import ExtLink, Tenant
from extlink.testing import ShakyDirectory
from tests.fakes import CountingEntropy, FrozenClock

__all__ = [
    "ACME",
    "BROWSER",
    "CALENDAR",
    "PA",
    "POWER",
    "READ",
    "REDIRECT",
    "SLACK",
    "VERIFIER",
    "WRITE",
    "CountingStorage",
    "ShakyDirectory",
    "World",
    "challenge_of",
    "codes",
    "company",
    "plant",
    "purge",
    "refused",
    "stored",
    "world",
]

T = TypeVar("T")

ACME: Final = TenantId("acme")
POWER: Final = "power-automate"
SLACK: Final = "slack"
CALENDAR: Final = "shared_googlecalendar"
READ: Final = "k:app_record:read"
WRITE: Final = "k:app_record:write"
REDIRECT: Final = "https://global.consent.azure-apim.net/redirect"
# RFC 7636 appendix B.
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PA: Final = Client("power-automate-jp")
BROWSER: Final = Client("browser", kind="public")
JP_PRODUCTS: Final = frozenset({"kintone", "garoon"})


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636 section 4.2), computed here and not by the library."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class CountingStorage:
    """A store that counts what it is asked; `fresh` starts from nothing."""

    def __init__(self, inner: Storage | None = None) -> None:
        self.inner = inner or MemoryStorage()
        self.reads = self.lists = self.commits = 0

    @property
    def calls(self) -> int:
        """How often the store was asked for anything."""
        return self.reads + self.lists + self.commits

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        self.reads += 1
        return self.inner.read(keys, known)

    def list(self, query: Query) -> Page:
        self.lists += 1
        return self.inner.list(query)

    def commit(self, batch: Batch) -> Position:
        self.commits += 1
        return self.inner.commit(batch)


def company() -> InMemoryDirectory:
    """Return the company of the module's docstring."""
    people = InMemoryDirectory()
    people.add_organization("hq", name="本社")
    people.add_organization("sales", name="営業部", parent="hq")
    people.add_organization("east", name="東日本", parent="sales")
    people.add_organization("tokyo", name="東京", parent="east")
    people.add_organization("shibuya", name="渋谷", parent="tokyo")
    people.add_organization("tech", name="開発部", parent="hq")
    people.add_organization("club", name="野球部")
    people.add_user(
        "sato",
        display_name="佐藤 昇",
        phonetic_surname="サトウ",
        phonetic_given_name="ノボル",
        login_name="n-sato",
        organizations=["shibuya", "club"],
        groups=["staff"],
        products=JP_PRODUCTS,
    )
    people.add_user(
        "suzuki", display_name="鈴木 花子", organizations=["sales", "tech"], groups=["staff"], products={"kintone"}
    )
    people.add_user("tanaka", display_name="田中 実", organizations=["tech"], products={"kintone"})
    people.add_user("ito", display_name="伊藤 薫", organizations=["hq"], display_priority=1, products=JP_PRODUCTS)
    people.add_user("mori", display_name="森 葉子", organizations=["tech"])
    people.add_user("guest", display_name="客", kind="guest", products={"kintone"})
    people.add_user("kimura", display_name="木村 隆", organizations=["east"], status="suspended", products={"kintone"})
    people.add_user("ueda", display_name="上田 洋", organizations=["tech"], status="deleted", products={"kintone"})
    return people


@attrs.frozen(kw_only=True)
class World:
    """One hub with one tenant, its people, its clock and its store."""

    people: InMemoryDirectory
    directory: ShakyDirectory
    storage: CountingStorage
    clock: FrozenClock
    hub: ExtLink
    tenant: Tenant

    @property
    def admin(self) -> Tenant:
        """The tenant for a common administrator who sits in the office."""
        return self.tenant.acting_as("admin", roles={"common_administrator"}, address="203.0.113.7")

    def user(self, user: str) -> Tenant:
        """The tenant for a user."""
        return self.tenant.acting_as(user)

    def run(self, operation: Operation[T]) -> T:
        """Run an operation as the administrator."""
        return self.admin.run(operation)

    def allow(self, *users: str, service: str = POWER) -> grants.Saved:
        """Grant a service to users by name."""
        return self.run(grants.allow(service, users=users))

    def ask(
        self,
        user: str,
        *,
        service: str = POWER,
        client: Client = PA,
        scopes: str | Iterable[str] = (READ, WRITE),
        verifier: str | None = VERIFIER,
        resource: str | None = None,
    ) -> Consent:
        """Return what a user is asked by the consent page."""
        asked = self.user(user).run(
            links.begin(
                service,
                client=client,
                redirect_uri=REDIRECT,
                scopes=scopes,
                code_challenge=None if verifier is None else challenge_of(verifier),
                resource=resource,
                network="not_applicable",
            )
        )
        assert isinstance(asked, Consent), codes(asked)
        return asked

    def agree(self, user: str, consent: Consent, *, scopes: str | None = None) -> Acceptance:
        """Return the code that a user's yes gives."""
        accepted = self.user(user).run(links.accept(consent, scopes=scopes, network="not_applicable"))
        assert isinstance(accepted, Acceptance), codes(accepted)
        return accepted

    def code(
        self,
        user: str,
        *,
        service: str = POWER,
        client: Client = PA,
        scopes: str | Iterable[str] = (READ, WRITE),
        resource: str | None = None,
    ) -> Acceptance:
        """Return the code of a new link."""
        return self.agree(user, self.ask(user, service=service, client=client, scopes=scopes, resource=resource))

    def redeem(
        self,
        code: Acceptance | Secret,
        *,
        client: Client = PA,
        redirect_uri: str | None = REDIRECT,
        verifier: str | None = VERIFIER,
    ) -> TokenSet | Refusal:
        """Exchange a code."""
        text = code.code if isinstance(code, Acceptance) else code
        return self.tenant.run(links.redeem(text, client=client, redirect_uri=redirect_uri, code_verifier=verifier))

    def connect(
        self,
        user: str,
        *,
        service: str = POWER,
        client: Client = PA,
        scopes: str | Iterable[str] = (READ, WRITE),
        resource: str | None = None,
    ) -> TokenSet:
        """Return the tokens of a new link, from the consent page to the token endpoint."""
        tokens = self.redeem(
            self.code(user, service=service, client=client, scopes=scopes, resource=resource), client=client
        )
        assert isinstance(tokens, TokenSet), codes(tokens)
        return tokens

    def refresh(self, tokens: TokenSet, *, client: Client = PA, scopes: str | None = None) -> TokenSet | Refusal:
        """Exchange a refresh token."""
        return self.tenant.run(links.refresh(tokens.refresh_token, client=client, scopes=scopes))

    def refreshed(self, tokens: TokenSet, *, client: Client = PA) -> TokenSet:
        """Return the next tokens."""
        following = self.refresh(tokens, client=client)
        assert isinstance(following, TokenSet), codes(following)
        return following

    def check(self, tokens: TokenSet, *, scope: str = READ, address: str | None = "20.37.194.1") -> Decision:
        """Ask for a call that the service makes with an access token."""
        return self.tenant.run(access.check(tokens.access_token, scope=scope, address=address))

    def explain(self, user: str, *, service: str = POWER) -> tuple[str, ...]:
        """Return the reasons against a user, or the user gate's evidence if there are none."""
        decision = self.run(access.explain(service, user=user, network="not_applicable"))
        return codes(decision) or tuple(reason.code for reason in decision.gate("user").reasons)

    def may(self, user: str, *, service: str = POWER) -> bool:
        """Whether a user may use a service now, by the gates before the link."""
        return bool(self.run(access.explain(service, user=user, network="not_applicable")))

    def entries(self, *names: str) -> tuple[Entry, ...]:
        """Return the ledger, or only its entries of some names."""
        found: list[Entry] = []
        after: int | None = 0
        while after is not None:
            page = self.run(ledger.entries(after=after, limit=500))
            found.extend(page.entries)
            after = page.next
        return tuple(entry for entry in found if not names or entry.event in names)

    def events(self) -> tuple[str, ...]:
        """Return the names of all entries, oldest first."""
        return tuple(entry.event for entry in self.entries())

    def dump(self) -> tuple[object, ...]:
        """Return everything that is stored of the tenant: records with their versions, and how long the ledger is."""
        records = self.storage.inner.list(Records(self.tenant.id.encode(), b"", limit=1_000))
        assert not records.more
        return (records.items, len(self.entries()))


class _Recording(CountingStorage):
    """A store that keeps what was committed, so that the same start need not be made for every test."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Batch] = []

    def commit(self, batch: Batch) -> Position:
        self.batches.append(batch)
        return super().commit(batch)


@cache
def _started(edition: str, products: frozenset[str], enable: tuple[str, ...]) -> tuple[Batch, ...]:
    """Return the commits of a host with the catalogue registered and some services enabled."""
    storage = _Recording()
    hub = ExtLink(
        storage, keys=_KEYS, directory=InMemoryDirectory(), clock=FrozenClock(), entropy=CountingEntropy(seed=1)
    )
    _set_up(hub.open_tenant("acme", edition=edition, products=products), catalog.BUILT_IN, enable)
    return tuple(storage.batches)


def _set_up(tenant: Tenant, register: Iterable[Service], enable: Iterable[str]) -> None:
    admin = tenant.acting_as("admin", roles={"common_administrator"})
    for service in register:
        admin.run(services.register(service))
    for name in enable:
        admin.run(services.enable(name))


_KEYS: Final = KeyRing({"k1": Secret("5e" * 32)}, current="k1")


def world(
    *,
    edition: str = "JP",
    products: Iterable[str] | None = None,
    register: Iterable[Service] = catalog.BUILT_IN,
    enable: Iterable[str] = (POWER, SLACK),
    lifetimes: Lifetimes | None = None,
    storage: CountingStorage | None = None,
) -> World:
    """Return a host with one open tenant, the catalogue registered, and Power Automate and Slack enabled."""
    people, clock, kept = company(), FrozenClock(), storage or CountingStorage()
    sold = frozenset(products if products is not None else {"kintone"} if edition == "US" else JP_PRODUCTS)
    if register is catalog.BUILT_IN:
        for batch in _started(edition, sold, tuple(enable)):
            kept.inner.commit(batch)
    directory = ShakyDirectory(people)
    hub = ExtLink(kept, keys=_KEYS, directory=directory, clock=clock, entropy=CountingEntropy(), lifetimes=lifetimes)
    tenant = hub.open_tenant("acme", edition=edition, products=sold)
    if register is not catalog.BUILT_IN:
        _set_up(tenant, register, enable)
    return World(people=people, directory=directory, storage=kept, clock=clock, hub=hub, tenant=tenant)


def codes(answer: Decision | Refusal | object) -> tuple[str, ...]:
    """Return the codes of all reasons of a refusal, in order."""
    assert isinstance(answer, Decision | Refusal), answer
    return tuple(reason.code for reason in answer.reasons)


@contextmanager
def refused(code: str, **params: object) -> Iterator[None]:
    """Expect an operation to be refused with a code, and with at least these parameters."""
    with pytest.raises(Refused) as caught:
        yield
    reason = caught.value.reason
    given: Mapping[str, object] = {name: reason.params.get(name) for name in params}
    assert (code, params) == (reason.code, given)


def stored(made: World, link: str) -> Link:
    """Return a link as it is stored."""
    (found,) = made.storage.inner.read([link_key(ACME, LinkId(link)).key], {})
    assert found.value is not None
    return LINK.decode(found.value)[0]


def plant(made: World, link: Link) -> None:
    """Write a link as it is, past all operations."""
    where = link_key(ACME, link.id)
    _write(made, Write(where.key, where.kind.encode(link, made.clock.now())))


def purge(made: World, link: str) -> None:
    """Take a link out of the store, past all operations; what points to it stays."""
    _write(made, Write(link_key(ACME, LinkId(link)).key, None))


def _write(made: World, write: Write) -> None:
    version = Version(int.from_bytes(CountingEntropy(made.clock.now()).draw(7)))
    made.storage.inner.commit(
        Batch(tenant=ACME.encode(), id=version, guards=(), writes=(write,), entries=(), at=made.clock.now())
    )
