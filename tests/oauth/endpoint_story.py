"""A story that does everything once at the endpoints, told to a hub over a store: what it said is for the canaries."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from extlink import clients, grants, services
from extlink.adapters.limits import FailureLimit
from extlink.domain.consent import Consent
from extlink.http import AuthorizationServer, Request, Response
from extlink.oauth.credentials import read_credentials
from extlink.oauth.parameters import read_form, read_query
from extlink.oauth.token import read_token_request
from extlink.ports import Storage
from extlink.runtime import ExtLink
from tests.fakes import FrozenClock
from tests.oauth.attacked import (
    ENDPOINT,
    INTROSPECT,
    ISSUER,
    REVOKE,
    SESSION,
    TOKEN,
    Attacked,
    basic,
    members,
    request,
    serving,
)
from tests.schedules.world import REDIRECT, SERVICE, VERIFIER, service

__all__ = ["ENDPOINTS", "tell_endpoints"]

ENDPOINTS = "endpoints"


@attrs.define
class _Told:
    """The server, and every message that went in or came out."""

    target: Attacked
    spoken: list[object] = attrs.field(factory=list)

    def send(self, asked: Request) -> Response:
        """Send a request of a client, and keep all that it is read into."""
        step = self.target.server.exchange(asked)
        answer = step if isinstance(step, Response) else step.run(self.target.tenant)
        self.spoken += [asked, step, answer]
        return answer

    def read(self, asked: Request) -> None:
        """Keep what the parsers make of a good request."""
        form = read_form(asked.body, asked.header("content-type"))
        self.spoken += [form, read_credentials(asked.header("authorization"), form), read_query(asked.query)]
        if form.one("grant_type") is not None:
            self.spoken.append(read_token_request(form))

    def code(self, party: str, answer: str = "accept") -> str:
        """Let the user answer the consent page; return the code, if there is one."""
        consent = self.target.asked(party)
        assert isinstance(consent, Consent)
        form = request("/oauth2/consent", {"consent": consent.token.reveal(), "answer": answer})
        step = self.target.server.answer(form, session=SESSION)
        assert not isinstance(step, Response)
        answered = step.run(self.target.user)
        self.spoken += [consent, form, step, answered]
        location = dict(answered.headers)["Location"]
        return read_query(location.partition("?")[2]).one("code") or ""


def tell_endpoints(hub: ExtLink, storage: Storage, clock: FrozenClock) -> list[object]:
    """Open a tenant, serve it, and return every message and everything that messages were read into."""
    tenant = hub.open_tenant(ENDPOINTS, edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin", roles={"common_administrator"})
    for operation in (services.register(service()), services.enable(SERVICE), grants.allow(SERVICE, users=["sato"])):
        admin.run(operation)
    limit = FailureLimit(failures=100, clock=clock)
    target = attrs.evolve(
        serving(hub, tenant, storage),
        server=AuthorizationServer(ISSUER, endpoint=ENDPOINT, rate_limit=limit),
        clock=clock,
    )
    told = _Told(target)
    told.spoken += [target.server, limit, target]
    _good(told)
    _bad(told)
    _administered(told)
    return told.spoken


def _good(told: _Told) -> None:
    target = told.target
    for party in ("flow", "browser", "signing"):
        redemption = target.redemption(told.code(party), party)
        told.read(redemption)
        tokens = members(told.send(redemption))
        told.send(_shown(told, party, INTROSPECT, {"token": tokens["access_token"]}))
        renewed = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        for _ in range(2):
            asked = _shown(told, party, TOKEN, renewed)
            told.read(asked)
            tokens = members(told.send(asked))
        told.send(_shown(told, party, INTROSPECT, {"token": tokens["refresh_token"]}))
        told.send(_shown(told, party, REVOKE, {"token": tokens["refresh_token"]}))
    told.code("flow", "refuse")


def _shown(told: _Told, party: str, path: str, form: Mapping[str, str]) -> Request:
    if party == "signing":
        return request(path, {**told.target.proof(f"{len(told.spoken)}"), **form})
    known = told.target.parties[party]
    if party == "flow" and path == TOKEN:
        return request(path, form, basic(known.id, known.secret))
    return request(path, {**known.form, **form})


def _bad(told: _Told) -> None:
    """Everything that fails: reuse, replay, wrong secrets, secrets where none belong."""
    target, flow = told.target, told.target.parties["flow"]
    code = told.code("flow")
    first = members(told.send(target.redemption(code)))
    told.send(target.redemption(code))
    told.send(target.refreshing(first["refresh_token"]))
    told.send(target.refreshing(flow.secret))
    told.send(request(TOKEN, {"grant_type": "refresh_token", "refresh_token": code, "client_secret": flow.secret}))
    told.send(request(TOKEN, {"token": first["access_token"]}, basic("nobody", flow.secret)))
    told.send(request(TOKEN, {"code_verifier": VERIFIER, "redirect_uri": REDIRECT, **flow.form, "grant_type": code}))
    told.send(attrs.evolve(target.redemption(code), query=f"client_id={flow.id}&client_secret={flow.secret}"))
    told.send(attrs.evolve(target.redemption(code), body=flow.secret.encode()))
    told.send(request(INTROSPECT, {"client_id": flow.id, "client_secret": flow.secret + "x", "token": code}))


def _administered(told: _Told) -> None:
    """What an administrator does to clients, with a new secret told once."""
    admin, flow = told.target.admin, told.target.parties["flow"]
    made = admin.run(clients.add_secret(flow.id, others_expire_in=60))
    told.spoken += [made, admin.run(clients.show(flow.id)), *admin.run(clients.registered())]
    told.spoken.append(admin.run(clients.remove_secret(flow.id, secret_id=made.client.secrets[0].id)))
    told.spoken.append(admin.run(clients.remove(flow.id)))
