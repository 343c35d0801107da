"""A story in which every operation that can change something does, over a store that remembers each batch.

`tell` runs it and returns what was committed, in order, with the operation and the actor it was committed for.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qs, urlsplit

import attrs

from extlink import (
    access,
    catalog,
    clients,
    datagroups,
    endpoints,
    grants,
    links,
    networks,
    services,
    tenants,
    triggers,
    users,
)
from extlink.adapters.memory import MemoryStorage
from extlink.clients import RegisteredClient
from extlink.domain.client_registration import AuthenticationMethod, ClientKey, ClientProfile
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Decision
from extlink.domain.localized import LocalizedText
from extlink.domain.secret import Secret
from extlink.domain.subscription import Subscription
from extlink.domain.token_ledger import TokenSet
from extlink.endpoints import Redirect
from extlink.errors import Refused
from extlink.oauth.token import CodeRequest, RefreshRequest
from extlink.operation import Operation
from extlink.ports import Batch, Position
from extlink.runtime import Tenant
from tests.hosts import CHALLENGE, CLIENT, REDIRECT, SCOPES, SERVICE, VERIFIER, Host
from tests.oauth.keys import pem
from tests.operations import ISSUER, SESSION, asking, credentials, redemption

__all__ = ["Committed", "Recording", "tell"]


@attrs.frozen(kw_only=True)
class Committed:
    """One batch, and what it was committed for: the operation's name and the person, None for the host itself."""

    batch: Batch
    operation: str
    user: str | None


class Recording(MemoryStorage):
    """A store that keeps every batch it applied."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Batch] = []

    def commit(self, batch: Batch) -> Position:
        position = super().commit(batch)
        self.batches.append(batch)
        return position


class _Teller:
    """Who runs the story: one place that knows for whom each batch was committed."""

    def __init__(self) -> None:
        self.store = Recording()
        self.told: list[Committed] = []
        # The edition that has everything: a saved change yields a reset token.
        self.host = Host.make(edition="US", store=self.store)
        # Opening a tenant first compares the host's keys.
        self._collect("tenants.check_keys", None, 0, 1)
        self._collect("tenants.open", None, 1, 2)

    def _collect(self, operation: str, user: str | None, start: int, end: int | None = None) -> None:
        for batch in self.store.batches[start:end]:
            self.told.append(Committed(batch=batch, operation=operation, user=user))

    def run(self, tenant: Tenant, user: str | None, operation: Operation[object]) -> object:
        before = len(self.store.batches)
        try:
            return tenant.run(operation)
        except Refused as refused:
            return refused.reason
        finally:
            self._collect(operation.name, user, before)

    def admin(self, operation: Operation[object]) -> object:
        return self.run(self.host.admin, "admin-1", operation)

    def sato(self, operation: Operation[object]) -> object:
        return self.run(self.host.user(), "sato", operation)

    def anybody(self, operation: Operation[object]) -> object:
        return self.run(self.host.tenant, None, operation)

    def root(self, operation: Operation[object]) -> object:
        return self.run(self.host.root, None, operation)

    def consent(self) -> Consent:
        found = self.sato(
            links.begin(SERVICE, client=CLIENT, redirect_uri=REDIRECT, scopes=SCOPES, code_challenge=CHALLENGE)
        )
        assert isinstance(found, Consent), found
        return found

    def code(self) -> Secret:
        acceptance = self.sato(links.accept(self.consent()))
        assert isinstance(acceptance, Acceptance), acceptance
        return acceptance.code

    def redeem(self, code: Secret) -> object:
        return self.anybody(links.redeem(code, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER))

    def tokens(self) -> TokenSet:
        found = self.redeem(self.code())
        assert isinstance(found, TokenSet), found
        return found


def tell() -> tuple[Host, tuple[Committed, ...]]:
    """Run the story and return the host as it is then, and what was committed, in order."""
    teller = _Teller()
    _services(teller)
    _grants(teller)
    _networks_and_data_groups(teller)
    _clients(teller)
    _endpoints(teller)
    _links(teller)
    _dormant(teller)
    _stops(teller)
    _ends(teller)
    return teller.host, tuple(teller.told)


def _services(teller: _Teller) -> None:
    for service in (catalog.POWER_AUTOMATE, catalog.SLACK, catalog.GOOGLE_HANGOUTS_CHAT):
        teller.admin(services.register(service))
    renamed = attrs.evolve(catalog.SLACK, names=LocalizedText.same("Slack 2"))
    teller.admin(services.register(renamed))
    teller.admin(services.unregister("google-hangouts-chat"))
    teller.admin(services.enable("slack"))
    teller.admin(services.disable("slack", existing="revoke"))
    teller.admin(services.quarantine("slack", "a leak"))
    teller.admin(services.release("slack"))
    teller.root(services.quarantine_everywhere("slack", "a breach"))
    teller.root(services.release_everywhere("slack"))
    teller.admin(services.set_default("allow"))
    teller.admin(services.set_default("deny", existing="revoke"))
    teller.admin(services.set_default("allow"))
    teller.admin(services.enable(SERVICE))
    teller.admin(services.confirm(SERVICE, "app-side"))
    teller.admin(services.unconfirm(SERVICE, "app-side"))
    teller.sato(services.enable("slack"))
    teller.root(tenants.check_keys({"k2": "00ff"}))


def _grants(teller: _Teller) -> None:
    teller.admin(grants.allow(SERVICE, users=["tanaka"], organizations=["sales", "tokyo"], everyone=True))
    teller.admin(grants.withdraw(SERVICE, users=["tanaka"]))
    teller.admin(grants.exclude(SERVICE, organizations=["tokyo"]))
    teller.admin(grants.edit(SERVICE, version=3, add=["sato"]))
    teller.admin(grants.organization_removed(SERVICE, "tokyo", former_members=["suzuki"]))
    teller.admin(grants.include(SERVICE, users=["suzuki"]))
    _requests(teller)


def _requests(teller: _Teller) -> None:
    teller.admin(services.enable("slack"))
    teller.sato(grants.ask("slack", scopes="users:read"))
    teller.admin(grants.decline("slack", "sato", cause="use the team's own connection"))
    for late in (grants.approve("slack", "sato"), grants.decline("slack", "sato", cause="too late")):
        teller.sato(grants.ask("slack"))
        teller.host.clock.advance(31 * 86_400)
        teller.admin(late)
    teller.sato(grants.ask("slack"))
    teller.host.clock.advance(31 * 86_400)
    teller.sato(grants.ask("slack"))
    teller.admin(grants.approve("slack", "sato"))


def _networks_and_data_groups(teller: _Teller) -> None:
    teller.admin(networks.restrict(["192.0.2.0/24"], existing="revoke"))
    teller.admin(networks.add(["203.0.113.0/24"]))
    teller.admin(networks.remove(["192.0.2.0/24"], existing="revoke"))
    saved = teller.admin(networks.deny_all(existing="revoke"))
    assert isinstance(saved, networks.Saved), saved
    assert saved.reset is not None
    teller.admin(networks.accept_proofs(["basic"], before_migration=True))
    teller.anybody(networks.reset(saved.reset))
    teller.admin(networks.deny_all())
    teller.admin(networks.allow_all())
    teller.admin(networks.pin(SERVICE, ["192.0.2.0/24"], existing="revoke"))
    teller.admin(networks.unpin(SERVICE, existing="revoke"))
    teller.admin(datagroups.set_policy(DataPolicy(id="standard", business={"shared_kintone"}), existing="revoke"))
    teller.admin(datagroups.set_policy(DataPolicy(id="standard", business={"shared_kintone", "shared_excel"})))
    teller.admin(datagroups.remove_policy("standard"))
    teller.admin(datagroups.set_unblockable(["shared_approvals"], existing="revoke"))
    teller.admin(datagroups.require_flow_connectors(True, existing="revoke"))
    teller.admin(datagroups.require_flow_connectors(False))


def _clients(teller: _Teller) -> None:
    waived: Literal["waived_for_confidential_client"] = "waived_for_confidential_client"
    profile = ClientProfile(service=SERVICE, name="Power Automate", redirect_uris=[REDIRECT], pkce=waived)
    registered = _registered(teller, profile)
    client = registered.client.id
    wider: tuple[AuthenticationMethod, ...] = ("client_secret_basic", "client_secret_post", "private_key_jwt")
    teller.admin(clients.change(client, attrs.evolve(profile, methods=wider, refresh_scope="intersect_with_granted")))
    teller.admin(clients.set_keys(client, [ClientKey(id="k1", algorithm="ES256", pem=pem("ES256"))]))
    teller.admin(clients.add_secret(client, others_expire_in=3_600))
    teller.admin(clients.remove_secret(client, secret_id=registered.client.secrets[0].id))
    teller.admin(clients.remove(client))


def _registered(teller: _Teller, profile: ClientProfile) -> RegisteredClient:
    made = teller.admin(clients.register(profile))
    assert isinstance(made, RegisteredClient), made
    return made


def _endpoints(teller: _Teller) -> None:
    registered = _registered(teller, ClientProfile(service=SERVICE, name="Another", redirect_uris=[REDIRECT]))
    shown = credentials(registered)

    def asked() -> Secret:
        page = teller.sato(endpoints.authorize(asking(registered.client.id), issuer=ISSUER, session=SESSION))
        assert isinstance(page, Consent), page
        return page.token

    def code() -> CodeRequest:
        answer = teller.sato(endpoints.consent(asked(), issuer=ISSUER, session=SESSION))
        assert isinstance(answer, Redirect), answer
        return redemption(parse_qs(urlsplit(answer.location.reveal()).query)["code"][0])

    def exchange(request: CodeRequest | RefreshRequest) -> TokenSet:
        found = teller.anybody(endpoints.exchange(request, shown, issuer=ISSUER))
        assert isinstance(found, TokenSet), found
        return found

    teller.sato(endpoints.decline(asked(), issuer=ISSUER, session=SESSION))
    # A code that nobody redeems in time makes room for the next; the next connection takes the place of the first.
    code()
    teller.host.clock.advance(61)
    exchange(code())
    first = exchange(code())
    # The answer is repeated, and an older token than that is a sign of theft.
    request = RefreshRequest(refresh_token=first.refresh_token, scopes=None)
    following = exchange(request)
    assert following == exchange(request)
    exchange(RefreshRequest(refresh_token=following.refresh_token, scopes=None))
    teller.anybody(endpoints.exchange(request, shown, issuer=ISSUER))
    twice = code()
    exchange(twice)
    teller.anybody(endpoints.exchange(twice, shown, issuer=ISSUER))
    tokens = exchange(code())
    teller.anybody(endpoints.introspect(tokens.access_token, shown, issuer=ISSUER))
    teller.anybody(endpoints.revoke(tokens.refresh_token, shown, issuer=ISSUER))
    # A link that nobody used for long ends when its client comes back.
    unused = exchange(code())
    teller.admin(services.set_dormancy(SERVICE, days=1))
    teller.host.clock.advance(86_400)
    late = RefreshRequest(refresh_token=unused.refresh_token, scopes=None)
    teller.anybody(endpoints.exchange(late, shown, issuer=ISSUER))
    teller.admin(services.set_dormancy(SERVICE, days=None))
    # Wrong secrets are recorded once an hour.
    wrong = attrs.evolve(shown, proof=Secret("wrong"))
    for operation in (
        endpoints.exchange(request, wrong, issuer=ISSUER),
        endpoints.introspect(tokens.access_token, wrong, issuer=ISSUER),
        endpoints.push(asking(registered.client.id), wrong, issuer=ISSUER),
        endpoints.revoke(tokens.access_token, wrong, issuer=ISSUER, address="203.0.113.9"),
    ):
        teller.anybody(operation)
        teller.host.clock.advance(3_600)


def _links(teller: _Teller) -> None:
    teller.sato(links.refuse(teller.consent()))
    code = teller.code()
    tokens = teller.redeem(code)
    assert isinstance(tokens, TokenSet), tokens
    read = access.check(tokens.access_token, scope="k:app_record:read")
    teller.anybody(read)
    teller.anybody(access.check(tokens.access_token, scope="k:file:read"))
    teller.anybody(access.admit(tokens.refresh_token, scope="k:file:read"))
    teller.anybody(
        access.check_many([read, access.check(tokens.access_token, scope="k:app_record:read", address="nowhere")])
    )
    added = teller.anybody(triggers.subscribe(tokens.access_token, trigger="record_added"))
    assert isinstance(added, Subscription), added
    teller.sato(triggers.unsubscribe(tokens.link, added.id))
    teller.admin(networks.pin(SERVICE, ["192.0.2.0/24"], applies="links"))
    teller.sato(links.pin(tokens.link))
    teller.sato(links.unpin(tokens.link))
    teller.admin(links.suspend(tokens.link))
    teller.admin(links.resume(tokens.link))
    first = teller.anybody(links.refresh(tokens.refresh_token, client=CLIENT))
    again = teller.anybody(links.refresh(tokens.refresh_token, client=CLIENT))
    assert isinstance(first, TokenSet)
    assert first == again
    # A second link of the same user, service and client takes the place of the first.
    teller.tokens()
    # A code that nobody redeems in time makes room for the next.
    teller.code()
    teller.host.clock.advance(61)
    # A code that is presented twice, and a refresh token of two generations ago, end what they belong to.
    twice = teller.code()
    teller.redeem(twice)
    teller.redeem(twice)
    stolen = teller.tokens()
    token = stolen.refresh_token
    for _ in range(2):
        following = teller.anybody(links.refresh(token, client=CLIENT))
        assert isinstance(following, TokenSet), following
        token = following.refresh_token
    teller.anybody(links.refresh(stolen.refresh_token, client=CLIENT))
    # A link that an exclusion ended is revoked when the next one takes its place in the index.
    teller.tokens()
    teller.admin(grants.exclude(SERVICE, users=["sato"]))
    teller.admin(grants.include(SERVICE, users=["sato"]))
    teller.tokens()
    # What a rule has ended is ended in its own record by the walk that follows.
    teller.admin(grants.exclude(SERVICE, users=["sato"]))
    teller.admin(grants.include(SERVICE, users=["sato"]))
    teller.admin(links.reconcile())
    teller.admin(links.reconcile())


def _dormant(teller: _Teller) -> None:
    teller.admin(services.set_dormancy(SERVICE, days=1))
    days = 86_400
    tokens = teller.tokens()
    teller.sato(links.narrow(tokens.link, scopes="k:app_record:read"))
    for late in (
        lambda tokens: access.check(tokens.access_token, scope="k:app_record:read"),
        lambda tokens: access.admit(tokens.access_token, scope="k:app_record:read"),
        lambda tokens: access.check_many([access.check(tokens.access_token, scope="k:app_record:read")]),
        lambda tokens: triggers.subscribe(tokens.access_token, trigger="record_added"),
        lambda tokens: links.refresh(tokens.refresh_token, client=CLIENT),
    ):
        tokens = teller.tokens()
        teller.host.clock.advance(days)
        teller.anybody(late(tokens))
    teller.admin(services.set_dormancy(SERVICE, days=None))


def _stops(teller: _Teller) -> None:
    teller.tokens()
    teller.admin(services.quarantine(SERVICE, "a leak"))
    teller.admin(services.purge(SERVICE))
    done = teller.admin(services.purge(SERVICE))
    assert isinstance(done, services.Purge), done
    teller.root(services.quarantine_everywhere(SERVICE, "a breach"))
    teller.root(services.release_everywhere(SERVICE))
    teller.root(services.note_purge("acme", attrs.evolve(done, stop="0.1.1")))
    teller.admin(services.release(SERVICE))
    teller.admin(services.enable(SERVICE))


def _ends(teller: _Teller) -> None:
    teller.sato(links.revoke(teller.tokens().link))
    teller.admin(links.revoke(teller.tokens().link))
    tokens = teller.tokens()
    refused = teller.anybody(triggers.subscribe(tokens.access_token, trigger="record_added", address="nowhere"))
    assert isinstance(refused, Decision), refused
    teller.sato(links.revoke_all(user="sato", service=SERVICE))
    teller.sato(links.revoke_all(user="sato"))
    teller.sato(links.revoke_all(user="suzuki"))
    teller.sato(links.of("suzuki"))
    teller.admin(links.revoke_all(service=SERVICE))
    teller.admin(links.revoke_members_of("sales"))
    teller.admin(users.suspend("sato"))
    teller.admin(users.resume("sato"))
    teller.admin(users.delete("sato"))
    teller.admin(tenants.end_links("restored from a backup"))
