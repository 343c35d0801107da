"""One story that does everything once, told to a hub of either colour over any store.

It is a generator: it asks for operations and gets what they came to, so that both colours hear the same words.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import attrs

from extlink import access, clients, datagroups, endpoints, grants, ledger, links, networks, services, users
from extlink.domain.client_registration import ClientProfile
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.secret import Secret
from extlink.errors import ExtlinkError
from extlink.oauth.token import RefreshRequest
from extlink.operation import Operation
from extlink.runtime import AsyncExtLink, ExtLink
from tests.fakes import FrozenClock
from tests.operations import ISSUER, SESSION, asking, credentials, redemption
from tests.schedules.world import (
    ADDRESS,
    CHALLENGE,
    CLIENT,
    REDIRECT,
    SCOPE,
    SCOPES,
    SERVICE,
    TENANT,
    VERIFIER,
    service,
)

__all__ = ["Ask", "Ended", "tell", "tell_async"]


class Ask(NamedTuple):
    """An operation, and for whom; "host" is the host itself, None nobody in particular."""

    operation: Operation[object]
    user: str | None = "admin"


class Ended(NamedTuple):
    """An operation that raised: the error's type, code and text."""

    kind: str
    code: str
    text: str


Story = Generator[Ask, Any, None]


def _connect(user: str) -> Generator[Ask, Any, Any]:
    begin = links.begin(SERVICE, client=CLIENT, redirect_uri=REDIRECT, scopes=SCOPES, code_challenge=CHALLENGE)
    acceptance = yield Ask(links.accept((yield Ask(begin, user))), user)
    redemption = links.redeem(acceptance.code, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER)
    return (yield Ask(redemption, None))


def _settings() -> Story:
    yield Ask(services.register(service()))
    yield Ask(services.register(service("other")))
    yield Ask(services.enable(SERVICE))
    yield Ask(services.enable("nowhere"))
    yield Ask(services.enable(SERVICE), "sato")
    yield Ask(services.unregister("other"))
    yield Ask(services.set_default("allow"))
    yield Ask(datagroups.set_policy(DataPolicy(id="standard", business={"shared_kintone"})))
    yield Ask(datagroups.require_flow_connectors(required=False))
    yield Ask(networks.restrict(["203.0.113.0/24", "198.51.100.0/24"]))
    yield Ask(networks.remove(["198.51.100.0/24"]))
    yield Ask(networks.pin(SERVICE, ["203.0.113.0/24"], applies="links"))
    yield Ask(grants.allow(SERVICE, organizations=["sales"], scope="subtree"))
    yield Ask(grants.allow(SERVICE, users=["tanaka"], until=datetime(2021, 1, 1, tzinfo=UTC)))
    yield Ask(grants.exclude(SERVICE, users=["suzuki"], existing="keep"))
    yield Ask(grants.include(SERVICE, users=["suzuki"]))
    yield Ask(grants.edit(SERVICE, version=1, add=["suzuki"]))
    yield Ask(grants.candidates(SERVICE))


def _tokens(clock: FrozenClock) -> Story:
    first = yield from _connect("sato")
    yield Ask(access.check(first.access_token, scope=SCOPE, address=ADDRESS), None)
    yield Ask(access.check(first.access_token, scope="k:file:read", address="192.0.2.1"), None)
    clock.advance(60)
    yield Ask(links.refresh(first.refresh_token, client=CLIENT), None)
    clock.advance(-86_400)
    second = yield Ask(links.refresh(first.refresh_token, client=CLIENT), None)
    yield Ask(links.suspend(first.link))
    yield Ask(access.check(second.access_token, scope=SCOPE, address=ADDRESS), None)
    yield Ask(links.resume(first.link))
    clock.advance(2 * 86_400)
    yield Ask(access.check(second.access_token, scope=SCOPE, address=ADDRESS), None)
    third = yield Ask(links.refresh(second.refresh_token, client=CLIENT), None)
    yield Ask(links.refresh(first.refresh_token, client=CLIENT), None)
    yield Ask(access.check(third.access_token, scope=SCOPE, address=ADDRESS), None)
    begin = links.begin(SERVICE, client=CLIENT, redirect_uri=REDIRECT, scopes=SCOPES, code_challenge=CHALLENGE)
    yield Ask(links.refuse((yield Ask(begin, "suzuki"))), "suzuki")
    again = yield from _connect("sato")
    yield from _connect("sato")
    yield Ask(links.of("sato"), "sato")
    yield Ask(links.users_of(SERVICE))
    yield Ask(links.revoke(again.link), "sato")


def _endpoints() -> Story:
    profile = ClientProfile(service=SERVICE, name="Flows", redirect_uris=[REDIRECT])
    registered = yield Ask(clients.register(profile))
    client, shown = registered.client.id, credentials(registered)
    asked = endpoints.authorize(asking(client), issuer=ISSUER, session=SESSION)
    page = yield Ask(asked, "suzuki")
    yield Ask(endpoints.decline(page.token, issuer=ISSUER, session=SESSION), "suzuki")
    page = yield Ask(asked, "sato")
    answer = yield Ask(endpoints.consent(page.token, issuer=ISSUER, session=SESSION), "sato")
    code = parse_qs(urlsplit(answer.location.reveal()).query)["code"][0]
    tokens = yield Ask(endpoints.exchange(redemption(code), shown, issuer=ISSUER), None)
    again = RefreshRequest(refresh_token=tokens.refresh_token, scopes=None)
    wrong = attrs.evolve(shown, proof=Secret("xl_sk_wrong"))
    for credential in (wrong, shown, shown):
        yield Ask(endpoints.exchange(again, credential, issuer=ISSUER), None)
    yield Ask(endpoints.introspect(tokens.access_token, shown, issuer=ISSUER), None)
    yield Ask(endpoints.revoke(tokens.access_token, shown, issuer=ISSUER), None)
    yield Ask(clients.add_secret(client, others_expire_in=60))
    yield Ask(clients.registered())
    yield Ask(clients.remove(client))


def _ends() -> Story:
    yield Ask(links.revoke_all(user="sato", service=SERVICE))
    yield from _connect("suzuki")
    yield Ask(links.revoke_all(user="suzuki"))
    yield Ask(links.revoke_all(service=SERVICE))
    yield Ask(users.suspend("sato", existing="suspend"))
    yield Ask(users.resume("sato"))
    yield Ask(users.delete("suzuki"))
    yield Ask(users.resume("suzuki"))
    yield Ask(grants.withdraw(SERVICE, organizations=["sales"]))
    yield Ask(services.disable(SERVICE, existing="revoke"))
    yield Ask(services.quarantine_everywhere(SERVICE, "leak"), "host")
    yield Ask(services.quarantine(SERVICE, "leak"))
    yield Ask(services.release(SERVICE))
    yield Ask(datagroups.remove_policy("standard"))
    yield Ask(networks.deny_all())
    saved = yield Ask(networks.deny_all(even_if_it_locks_me_out=True))
    yield Ask(networks.accept_proofs(["basic"], before_migration=True))
    yield Ask(networks.reset(saved.reset), None)
    yield Ask(networks.reset(saved.reset), None)
    yield Ask(networks.unpin(SERVICE))
    yield Ask(ledger.entries(limit=500))


def _story(clock: FrozenClock) -> Story:
    yield from _settings()
    yield from _tokens(clock)
    yield from _endpoints()
    yield from _ends()


def _roles(user: str) -> tuple[str, ...]:
    return ("common_administrator",) if user == "admin" else ("user",)


def _ended(error: ExtlinkError) -> Ended:
    return Ended(type(error).__name__, error.code, str(error))


def tell(hub: ExtLink, clock: FrozenClock) -> list[object]:
    """Tell the story to a synchronous hub; return what each operation came to."""
    tenant = hub.open_tenant(TENANT, edition="US", products={"kintone"})
    heard: list[object] = []
    story = _story(clock)
    answer: object = None
    while True:
        try:
            operation, user = story.send(answer)
        except StopIteration:
            return heard
        actor = hub.host() if user == "host" else tenant
        if user not in {None, "host"}:
            actor = tenant.acting_as(str(user), roles=_roles(str(user)), address=ADDRESS)
        try:
            answer = actor.run(operation)
            heard.append(answer)
        except ExtlinkError as error:
            heard.append(_ended(error))


async def tell_async(hub: AsyncExtLink, clock: FrozenClock) -> list[object]:
    """Tell the story to an asynchronous hub; return what each operation came to."""
    tenant = await hub.open_tenant(TENANT, edition="US", products={"kintone"})
    heard: list[object] = []
    story = _story(clock)
    answer: object = None
    while True:
        try:
            operation, user = story.send(answer)
        except StopIteration:
            return heard
        actor = hub.host() if user == "host" else tenant
        if user not in {None, "host"}:
            actor = tenant.acting_as(str(user), roles=_roles(str(user)), address=ADDRESS)
        try:
            answer = await actor.run(operation)
            heard.append(answer)
        except ExtlinkError as error:
            heard.append(_ended(error))
