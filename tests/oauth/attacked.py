"""The authorization server that the hostile tests call: five clients of a tenant, over any store.

flow      confidential, by secret          browser   public
other     the same, of the same service    signing   by signed assertions
api       a resource server that may introspect
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import attrs
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from extlink import clients
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client_registration import ClientKey, ClientProfile
from extlink.domain.consent import Consent
from extlink.http import AuthorizationServer, Request, Response
from extlink.ports import RateLimit, Storage
from extlink.runtime import ExtLink, Tenant
from tests.fakes import FrozenClock
from tests.schedules.scheduler import copied
from tests.schedules.world import CHALLENGE, REDIRECT, SCOPES, SERVICE, TENANT, VERIFIER, hub_over, prepared

__all__ = [
    "API",
    "ASSERTION_TYPE",
    "AUTHORIZE",
    "ENDPOINT",
    "FORM",
    "INTROSPECT",
    "ISSUER",
    "REVOKE",
    "SESSION",
    "SIGNER",
    "TOKEN",
    "Attacked",
    "Party",
    "assertion",
    "attacked",
    "basic",
    "in_memory",
    "members",
    "request",
    "reunited",
    "serving",
    "signature_of",
]

ISSUER: Final = "https://acme.cybozu.com"
ENDPOINT: Final = "https://acme.cybozu.com/oauth2"
AUTHORIZE, TOKEN, REVOKE, INTROSPECT = (f"/oauth2/{name}" for name in ("authorize", "token", "revoke", "introspect"))
FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
SESSION: Final = "session-of-sato"
API: Final = "https://api.cybozu.com"
SIGNER: Final = ec.derive_private_key(20_200_609, ec.SECP256R1())
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signature_of(signed: str) -> str:
    """Return the ES256 signature of the `signing` client over a text."""
    first, second = utils.decode_dss_signature(SIGNER.sign(signed.encode(), ec.ECDSA(SHA256())))
    return _base64(first.to_bytes(32) + second.to_bytes(32))


def assertion(claims: Mapping[str, object], header: Mapping[str, object] | None = None) -> str:
    """Return an assertion with these claims, signed by the `signing` client."""
    head = {"alg": "ES256", "kid": "k1"} if header is None else header
    signed = ".".join(_base64(json.dumps(dict(part)).encode()) for part in (head, claims))
    return f"{signed}.{signature_of(signed)}"


def basic(client: str, secret: str) -> tuple[str, str]:
    """Return the header of HTTP Basic."""
    return "Authorization", "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


def request(
    path: str, form: Mapping[str, str] | Iterable[tuple[str, str]] | bytes = b"", *headers: tuple[str, str]
) -> Request:
    """Return a POST of a form, with the headers given besides its type."""
    body = form if isinstance(form, bytes) else urlencode(list(form.items() if isinstance(form, Mapping) else form))
    data = body if isinstance(body, bytes) else body.encode()
    return Request(method="POST", path=path, headers=(FORM, *headers), body=data)


def members(response: Response) -> dict[str, Any]:
    """Return the JSON members of an answer."""
    found: dict[str, Any] = json.loads(response.body)
    return found


@attrs.frozen(kw_only=True)
class Party:
    """A registered client as its owner knows it."""

    id: str
    secret: str = attrs.field(default="", repr=False)

    @property
    def form(self) -> dict[str, str]:
        """How it says who it is, in the body."""
        return {"client_id": self.id, "client_secret": self.secret} if self.secret else {"client_id": self.id}


@attrs.frozen(kw_only=True)
class Attacked:
    """A tenant with its authorization server and its clients by name."""

    hub: ExtLink
    tenant: Tenant
    parties: Mapping[str, Party]
    storage: Storage
    server: AuthorizationServer = attrs.field(factory=lambda: AuthorizationServer(ISSUER, endpoint=ENDPOINT))
    clock: FrozenClock = attrs.field(factory=FrozenClock)

    @property
    def admin(self) -> Tenant:
        """The tenant for its administrator."""
        return self.tenant.acting_as("admin", roles={"common_administrator"})

    @property
    def user(self) -> Tenant:
        """The tenant for the user who consents."""
        return self.tenant.acting_as("sato")

    def call(self, path: str, party: str | None = "flow", /, *headers: tuple[str, str], **form: str) -> Response:
        """Post a form to an endpoint as a client, by what it shows in the body."""
        shown = {} if party is None else self.parties[party].form
        return self.server.serve(self.tenant, request(path, {**shown, **form}, *headers))

    def asked(self, party: str = "flow", **parameters: str) -> Consent | Response:
        """Send the user to the authorization endpoint; a redirect or page is answered as the host would."""
        query = {
            "client_id": self.parties[party].id,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": SCOPES,
            "state": "s 1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **parameters,
        }
        step = self.server.authorize(
            Request(method="GET", path=AUTHORIZE, query=urlencode({k: v for k, v in query.items() if v})),
            session=SESSION,
        )
        assert not isinstance(step, Response)
        result = self.user.run(step.operation)
        return result if isinstance(result, Consent) else step.respond(result)

    def answer(self, consent: Consent, answer: str = "accept", **more: str) -> Response:
        """Send the form of the consent page."""
        form = {"consent": consent.token.reveal(), "answer": answer, **more}
        step = self.server.answer(request("/oauth2/consent", form), session=SESSION)
        return step if isinstance(step, Response) else step.run(self.user)

    def code(self, party: str = "flow", **parameters: str) -> str:
        """Return a code that the user's yes gave."""
        consent = self.asked(party, **parameters)
        assert isinstance(consent, Consent), consent
        return parse_qs(urlsplit(dict(self.answer(consent).headers)["Location"]).query)["code"][0]

    def redemption(self, code: str, party: str = "flow") -> Request:
        """Return the request that exchanges a code as it should be."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        shown = self.proof(code) if party == "signing" else self.parties[party].form
        return request(TOKEN, {**shown, **form})

    def refreshing(self, token: str, party: str = "flow", **more: str) -> Request:
        """Return the request that exchanges a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": token, **more}
        return request(TOKEN, {**self.parties[party].form, **form})

    def connected(self, party: str = "flow", **parameters: str) -> dict[str, Any]:
        """Return the tokens of a new link."""
        answer = self.server.serve(self.tenant, self.redemption(self.code(party, **parameters), party))
        assert 200 == answer.status, answer.body
        return members(answer)

    def is_active(self, token: str, party: str = "flow") -> bool:
        """Whether introspection calls a token active."""
        return members(self.call(INTROSPECT, party, token=token))["active"] is True

    def node(self, seed: int) -> Tenant:
        """Return the tenant as another process over the same store sees it: with its own memory."""
        return hub_over(self.storage, seed=seed).tenant(TENANT)

    def proof(self, name: str, **claims: object) -> dict[str, str]:
        """Return how the `signing` client says who it is, by an assertion of its own."""
        who = self.parties["signing"].id
        now = self.clock.now()
        signed = assertion(
            {"iss": who, "sub": who, "aud": ISSUER, "jti": f"{who} {name}"[-255:], "exp": now + 300, **claims}
        )
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


def _profiles() -> Mapping[str, ClientProfile]:
    shared = ClientProfile(service=SERVICE, name="Flow", redirect_uris=[REDIRECT], resources=())
    return {
        "flow": shared,
        "other": attrs.evolve(shared, name="Other"),
        "browser": attrs.evolve(shared, name="Browser", kind="public", methods=["none"]),
        "signing": attrs.evolve(shared, name="Signing", methods=["private_key_jwt"]),
        "api": attrs.evolve(shared, name="API", introspects=True, resources=[API]),
    }


def reunited(storage: Storage, parties: Mapping[str, Party], *, limit: RateLimit | None = None) -> Attacked:
    """Return the server over a store that was prepared before."""
    hub = hub_over(storage, seed=3)
    server = AuthorizationServer(ISSUER, endpoint=ENDPOINT, rate_limit=limit)
    return Attacked(hub=hub, tenant=hub.tenant(TENANT), parties=parties, storage=storage, server=server)


def attacked(storage: Storage, *, clock: FrozenClock | None = None) -> Attacked:
    """Prepare a store and return the server over it."""
    clock = FrozenClock() if clock is None else clock
    hub, tenant, _ = prepared(storage, clock=clock)
    return attrs.evolve(serving(hub, tenant, storage), clock=clock)


def serving(hub: ExtLink, tenant: Tenant, storage: Storage) -> Attacked:
    """Register the five clients in a tenant where the service is open, and return the server."""
    admin = tenant.acting_as("admin", roles={"common_administrator"})
    parties: dict[str, Party] = {}
    for name, profile in _profiles().items():
        made = admin.run(clients.register(profile))
        parties[name] = Party(id=made.client.id, secret="" if made.secret is None else made.secret.reveal())
    pem = SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    admin.run(clients.set_keys(parties["signing"].id, [ClientKey(id="k1", algorithm="ES256", pem=pem)]))
    return Attacked(hub=hub, tenant=tenant, parties=parties, storage=storage)


@cache
def _prepared() -> Attacked:
    return attacked(MemoryStorage())


def in_memory(*, limit: RateLimit | None = None) -> Attacked:
    """Return a server of its own in memory, from a copy of what was prepared once."""
    made = _prepared()
    assert isinstance(made.storage, MemoryStorage)
    return reunited(copied(made.storage), made.parties, limit=limit)
