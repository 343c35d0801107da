"""Law 3, of listings: what a page lists is what asking one by one would have let through (PROMISES P5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random

from extlink import access, grants, links, services, users
from extlink.adapters.directory import InMemoryDirectory
from extlink.domain.client import Client
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.grant import Existing
from extlink.domain.identifier import Scope
from extlink.domain.localized import LocalizedText
from extlink.domain.service import Service
from extlink.domain.service_parts import ScopeDefinition
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Refused
from extlink.grants import Candidate
from extlink.links import ServiceUse
from extlink.operation import Operation
from extlink.runtime import ExtLink, Tenant

SEEDS = 25
DEEP_SEEDS = 1_500
PEOPLE = ("ann", "bob", "cid")
SERVICES = ("automate", "chat")
SCOPE = Scope("read")
EXISTING: tuple[Existing, ...] = ("revoke", "suspend", "keep")
ADDRESS = "203.0.113.7"
CLIENT = Client("client", pkce="waived_for_confidential_client")
URI = "https://example.com/redirect"


def definition(name: str) -> Service:
    """Return a service with one operation."""
    said = LocalizedText.same(name)
    scope = ScopeDefinition(name=SCOPE, labels=said, product="kintone", direction="read")
    return Service(id=name, names=said, descriptions=said, directions={"inbound"}, scopes=(scope,))


def opened() -> Tenant:
    """Return a tenant with three people, in one organization, below it and in none, and two services."""
    directory = InMemoryDirectory()
    directory.add_organization("sales", name="Sales")
    directory.add_organization("desk", name="Desk", parent="sales")
    directory.add_user("ann", display_name="Ann", organizations=["sales"], products={"kintone"})
    directory.add_user("bob", display_name="Bob", organizations=["desk"], products={"kintone"})
    directory.add_user("cid", display_name="Cid", products={"kintone"})
    hub = ExtLink.in_memory(directory=directory)
    tenant = hub.open_tenant("acme", edition="JP", products={"kintone"})
    for name in SERVICES:
        administrator(tenant).run(services.register(definition(name)))
        administrator(tenant).run(services.enable(name))
    return tenant


def administrator(tenant: Tenant) -> Tenant:
    """Return the tenant as an administrator meets it."""
    return tenant.acting_as("admin", roles={"common_administrator"}, address=ADDRESS)


def connect(tenant: Tenant, user: str, service: str) -> TokenSet | None:
    """Let a user connect a service, if they may."""
    person = tenant.acting_as(user, address=ADDRESS)
    consent = person.run(links.begin(service, client=CLIENT, redirect_uri=URI, scopes=SCOPE))
    if not isinstance(consent, Consent):
        return None
    accepted = person.run(links.accept(consent))
    assert isinstance(accepted, Acceptance)
    tokens = tenant.run(links.redeem(accepted.code, client=CLIENT, redirect_uri=URI))
    assert isinstance(tokens, TokenSet)
    return tokens


def edit(draw: Random) -> Operation[object]:
    """Return something that administrators do; much of it goes back and forth."""
    user, service = draw.choice(PEOPLE), draw.choice(SERVICES)
    existing = draw.choice(EXISTING)
    by_name: list[Operation[object]] = [
        grants.allow(service, users=[user]),
        grants.withdraw(service, users=[user], existing=existing),
        grants.exclude(service, users=[user], existing=existing),
        grants.include(service, users=[user]),
        users.suspend(user, existing=draw.choice(("revoke", "suspend"))),
        users.resume(user),
    ]
    by_organization: list[Operation[object]] = [
        grants.allow(service, organizations=["sales"], scope=draw.choice(("direct", "subtree"))),
        grants.withdraw(service, organizations=["sales"], existing=existing),
        grants.exclude(service, organizations=["desk"], existing=existing),
        grants.include(service, organizations=["desk"]),
    ]
    of_the_tenant: list[Operation[object]] = [
        services.enable(service),
        services.disable(service, existing=draw.choice(("revoke", "suspend"))),
        links.revoke_all(service=service, user=user),
    ]
    return draw.choice(draw.choice((by_name, by_name, by_organization, of_the_tenant)))


Tokens = dict[tuple[str, str], TokenSet]


def days(seed: int) -> Iterator[tuple[Tenant, Tokens]]:
    """Yield a tenant after each of a few edits, with the newest tokens of each person and service."""
    draw, tenant = Random(seed), opened()
    tokens: Tokens = {}
    for name in SERVICES:
        administrator(tenant).run(grants.allow(name, everyone=draw.random() < 0.3, organizations=["sales"]))
    for _ in range(8):
        user, service = draw.choice(PEOPLE), draw.choice(SERVICES)
        if (user, service) not in tokens or draw.random() < 0.3:
            made = connect(tenant, user, service)
            if made is not None:
                tokens[user, service] = made
        with suppress(Refused):
            administrator(tenant).run(edit(draw))
        yield tenant, tokens


def everybody(tenant: Tenant, service: str) -> list[Candidate]:
    """Return all candidates, from pages of two."""
    found: list[Candidate] = []
    after: str | None = None
    while True:
        page = administrator(tenant).run(grants.candidates(service, after=after, limit=2))
        found.extend(page.candidates)
        after = page.next
        if after is None:
            return found


def granted_one_by_one(tenant: Tenant, service: str) -> set[str]:
    """Return whom `explain` finds granted, whatever else it finds."""
    found = set()
    for user in PEOPLE:
        decision = administrator(tenant).run(access.explain(service, user=user, network="not_applicable"))
        if not any(reason.code.startswith("grant.") for reason in decision.reasons):
            found.add(user)
    return found


def listed_as_granted(tenant: Tenant, service: str) -> set[str]:
    """Return whom the candidates page shows a grant for."""
    return {one.member.id for one in everybody(tenant, service) if one.why is not None}


def working_one_by_one(tenant: Tenant, tokens: Tokens, service: str) -> set[str]:
    """Return for whom a call with the newest token is allowed."""
    return {
        user
        for user in PEOPLE
        if (user, service) in tokens
        and tenant.run(access.check(tokens[user, service].access_token, scope=SCOPE, address=ADDRESS))
    }


def listed_as_working(tenant: Tenant, service: str) -> set[str]:
    """Return whose links the page of a service's users shows as in use."""
    found: set[str] = set()
    after: str | None = None
    while True:
        page = administrator(tenant).run(links.users_of(service, after=after, limit=1))
        found |= {one.user for one in page.users if any(link.state == "in_use" for link in one.links)}
        after = page.next
        if after is None:
            return found


def account_page(tenant: Tenant, user: str) -> dict[str, str]:
    """Return the state of each service on a user's own page."""
    uses: tuple[ServiceUse, ...] = tenant.acting_as(user).run(links.of(user))
    return {str(use.service.id): use.state for use in uses}


def unused_one_by_one(tenant: Tenant, user: str) -> set[str]:
    """Return the services that `explain` finds open to a user, asked without any token."""
    return {
        name
        for name in SERVICES
        if administrator(tenant).run(access.explain(name, user=user, network="not_applicable"))
    }


def unequal(
    seeds: range, listed: Callable[[Tenant, str], set[str]], asked: Callable[[Tenant, Tokens, str], set[str]]
) -> list[str]:
    """Return where a listing and asking one by one do not name the same people, after any edit of a seed."""
    return [
        f"seed {seed}, {service}: {sorted(one)}, {sorted(two)}"
        for seed in seeds
        for tenant, tokens in days(seed)
        for service in SERVICES
        if (one := listed(tenant, service)) != (two := asked(tenant, tokens, service))
    ]


def test_candidates_are_those_who_are_granted(deep: bool) -> None:
    """Over all pages, a candidate has a grant exactly if the user gate would find one."""
    seeds = range(DEEP_SEEDS if deep else SEEDS)

    assert [] == unequal(seeds, listed_as_granted, lambda tenant, _, service: granted_one_by_one(tenant, service))


def test_the_users_of_a_service_are_those_whose_calls_pass(deep: bool) -> None:
    """Over all pages, a link is in use exactly if a call with its token is allowed."""
    seeds = range(DEEP_SEEDS if deep else SEEDS)

    assert [] == unequal(seeds, listed_as_working, working_one_by_one)


def test_the_account_page_lists_what_asking_lets_through(deep: bool) -> None:
    """In use are the services whose calls pass; unused are those without a link that the user may use."""
    for seed in range(DEEP_SEEDS if deep else SEEDS):
        for tenant, tokens in days(seed):
            for user in PEOPLE:
                page = account_page(tenant, user)
                working = {name for name in SERVICES if user in working_one_by_one(tenant, tokens, name)}
                assert working == {name for name, state in page.items() if state == "in_use"}
                linked = {name for name, state in page.items() if state != "unused"}
                assert unused_one_by_one(tenant, user) - linked == page.keys() - linked


def test_a_twin_that_reads_one_page_is_caught() -> None:
    """The broken twin: the first page of candidates is taken for all of them."""

    def first_page(tenant: Tenant, service: str) -> set[str]:
        page = administrator(tenant).run(grants.candidates(service, limit=2))
        return {one.member.id for one in page.candidates if one.why is not None}

    assert unequal(range(5), first_page, lambda tenant, _, service: granted_one_by_one(tenant, service))


def test_a_twin_that_lists_whatever_was_made_is_caught() -> None:
    """The broken twin: each link that was ever made is taken for one that works."""

    def ever_made(tenant: Tenant, tokens: Tokens, service: str) -> set[str]:
        return {user for user, name in tokens if name == service}

    assert unequal(range(5), listed_as_working, ever_made)
