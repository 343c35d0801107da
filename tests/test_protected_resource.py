"""An API behind bearer tokens: who is let in, and what the others are told (RFC 6750 section 3, RFC 9728)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence

import pytest

from extlink import (
    AsyncExtLink,
    AsyncInMemoryDirectory,
    KeyRing,
    ThreadedStorage,
    catalog,
    grants,
    links,
    networks,
    services,
)
from extlink.access import Admission
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client import Client
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.errors import InvalidInput, Unavailable
from extlink.http import Request, Response
from extlink.operation import Operation
from extlink.ports import Key, Stored, Version
from extlink.protected_resource import ProtectedResource
from tests.hosts import SCOPES, SERVICE, Host

API = ProtectedResource(resource="https://acme.cybozu.com/api", issuer="https://acme.cybozu.com", scopes=SCOPES)
METADATA = 'resource_metadata="https://acme.cybozu.com/.well-known/oauth-protected-resource/api"'
READ = "k:app_record:read"
FLOW, URI = Client("flow", pkce="waived_for_confidential_client"), "https://client.example/cb"


def request(*authorization: str, query: str = "", address: str | None = None) -> Request:
    """Return a call of the API."""
    return Request(
        method="GET",
        path="/api/records",
        query=query,
        headers=[("Authorization", one) for one in authorization],
        address=address,
    )


def kept_out(host: Host, *authorization: str, scope: str = READ, query: str = "") -> tuple[int, str, bytes]:
    """Return what a caller who is kept out is told: status, challenge and body."""
    answer = API.admit(host.tenant, request(*authorization, query=query), scope=scope)
    assert isinstance(answer, Response)
    headers = dict(answer.headers)
    assert headers["Cache-Control"] == "no-store"
    return answer.status, headers.get("WWW-Authenticate", ""), answer.body


def bearer(token: Secret) -> str:
    """Return the header that presents a token."""
    return f"Bearer {token.reveal()}"


def test_a_good_token_is_let_in_for_its_user() -> None:
    """RFC 6750 section 2.1; the scheme is written in any case."""
    host = Host.prepared()
    tokens = host.connect("sato")

    for scheme in ("Bearer", "bearer", "BEARER"):
        admitted = API.admit(host.tenant, request(f"{scheme} {tokens.access_token.reveal()}"), scope=READ)
        assert isinstance(admitted, Admission)
        assert ("sato", SERVICE) == (admitted.user, admitted.service)


@pytest.mark.parametrize("query", ["", "access_token={token}"])
def test_without_a_token_no_error_is_told(query: str) -> None:
    """RFC 6750 section 3.1; a token in the query is not looked at (OAuth 2.1 section 5.1)."""
    host = Host.prepared()
    token = host.connect("sato").access_token

    assert (401, f"Bearer {METADATA}", b"") == kept_out(host, query=query.format(token=token.reveal()))
    assert (401, f"Bearer {METADATA}", b"") == kept_out(host, "Basic YTpi")


@pytest.mark.parametrize("headers", [("Bearer",), ("Bearer a b",), ("Bearer a", "Bearer a")])
def test_a_malformed_request_is_400(headers: tuple[str, ...]) -> None:
    """RFC 6750 section 3.1, `invalid_request`: no token, two of them, or two headers."""
    status, challenge, body = kept_out(Host.prepared(), *headers)

    assert (400, "invalid_request") == (status, json.loads(body)["error"])
    assert 'error="invalid_request"' in challenge


def test_a_token_that_is_worth_nothing_is_401() -> None:
    """RFC 6750 section 3.1, `invalid_token`: junk, a refresh token, one that expired or was revoked; all alike."""
    host = Host.prepared()
    tokens, other = host.connect("sato"), host.connect("tanaka")
    host.admin.run(links.revoke(other.link))
    told = {
        kept_out(host, "Bearer junk"),
        kept_out(host, bearer(tokens.refresh_token)),
        kept_out(host, bearer(other.access_token)),
    }
    host.clock.advance(3_600)
    told.add(kept_out(host, bearer(tokens.access_token)))

    assert {(401, f'Bearer error="invalid_token", {METADATA}', b'{"error": "invalid_token"}')} == told


def test_a_scope_that_is_not_covered_is_403_and_named() -> None:
    """RFC 6750 section 3.1, `insufficient_scope`, with what the call would have needed."""
    host = Host.prepared()
    tokens = host.connect("sato", scopes=[READ])

    status, challenge, _ = kept_out(host, bearer(tokens.access_token), scope="k:file:read k:app_record:read")

    assert 403 == status
    assert f'Bearer error="insufficient_scope", scope="k:app_record:read k:file:read", {METADATA}' == challenge


def test_a_gate_that_refuses_is_403_and_not_told_which() -> None:
    """A new token would mend nothing, so the caller keeps those it has, and learns nothing of the administrator's."""
    told: set[tuple[int, str, bytes]] = set()
    for shut in (
        services.disable(SERVICE),
        networks.restrict(["203.0.113.0/24"]),
        links.suspend,
    ):
        host = Host.prepared()
        tokens = host.connect("sato")
        operation: Operation[object] = shut if isinstance(shut, Operation) else shut(tokens.link)
        host.admin.run(operation)
        told.add(kept_out(host, bearer(tokens.access_token)))

    assert {(403, "", b'{"error": "access_denied"}')} == told


def audience_token(host: Host, resource: str) -> Secret:
    """Connect sato for one resource alone, and return the access token."""
    asked = links.begin(
        SERVICE, client=FLOW, redirect_uri=URI, scopes=READ, resource=resource, network="not_applicable"
    )
    consent = host.user("sato").run(asked)
    assert isinstance(consent, Consent)
    accepted = host.user("sato").run(links.accept(consent, network="not_applicable"))
    assert isinstance(accepted, Acceptance)
    tokens = host.tenant.run(links.redeem(accepted.code, client=FLOW, redirect_uri=URI))
    assert isinstance(tokens, TokenSet)
    return tokens.access_token


def test_a_token_for_another_resource_is_refused() -> None:
    """RFC 8707, RFC 9700 section 2.3: this API's identifier goes into every check."""
    host = Host.prepared()
    mine = audience_token(host, API.resource)
    assert isinstance(API.admit(host.tenant, request(bearer(mine)), scope=READ), Admission)

    theirs = audience_token(host, "https://other.example/api")

    assert 401 == kept_out(host, bearer(theirs))[0]


class Failing(MemoryStorage):
    """A store that stops answering."""

    down = False

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        if self.down:
            raise Unavailable("the store is down")
        return super().read(keys, known)


def test_a_store_that_fails_is_503() -> None:
    """No answer is no yes, and no `invalid_token` either, which would make clients throw their tokens away."""
    store = Failing()
    host = Host.prepared(store=store)
    token = host.connect("sato").access_token
    store.down = True

    answer = API.admit(host.tenant, request(bearer(token)), scope=READ)

    assert isinstance(answer, Response)
    assert (503, "1") == (answer.status, dict(answer.headers)["Retry-After"])


@pytest.mark.parametrize("scope", ["", [], 'a"b', 7])
def test_a_host_that_names_no_scope_is_told(scope: object) -> None:
    """A check that names nothing would check nothing: that is the host's mistake, and no answer to the caller."""
    host = Host.prepared()
    token = host.connect("sato").access_token

    with pytest.raises(InvalidInput):
        API.admit(host.tenant, request(bearer(token)), scope=scope)  # type: ignore[arg-type] # a host's mistake


def test_the_asynchronous_way_answers_alike() -> None:
    """`admit_async` lets in, and keeps out, as `admit` does."""

    async def story() -> tuple[object, ...]:
        people, store = AsyncInMemoryDirectory(), Failing()
        people.directory.add_user("sato", products={"kintone"})
        keys = KeyRing({"k1": Secret("5a" * 32)}, current="k1")
        async with ThreadedStorage(store) as storage:
            hub = AsyncExtLink(storage, keys=keys, directory=people)
            tenant = await hub.open_tenant("acme", edition="JP", products={"kintone"})
            admin, sato = tenant.acting_as("admin-1", roles={"common_administrator"}), tenant.acting_as("sato")
            await admin.run(services.register(catalog.POWER_AUTOMATE))
            await admin.run(services.enable(SERVICE))
            await admin.run(grants.allow(SERVICE, users=["sato"]))
            consent = await sato.run(links.begin(SERVICE, client=FLOW, redirect_uri=URI, scopes=READ))
            assert isinstance(consent, Consent)
            accepted = await sato.run(links.accept(consent))
            assert isinstance(accepted, Acceptance)
            tokens = await tenant.run(links.redeem(accepted.code, client=FLOW, redirect_uri=URI))
            assert isinstance(tokens, TokenSet)
            asked = request(bearer(tokens.access_token))
            answers = [
                await API.admit_async(tenant, asked, scope=READ),
                await API.admit_async(tenant, asked, scope="k:file:read"),
                await API.admit_async(tenant, request(), scope=READ),
            ]
            store.down = True
            answers.append(await API.admit_async(tenant, asked, scope=READ))
            return tuple(answer.status if isinstance(answer, Response) else answer.user for answer in answers)

    assert ("sato", 403, 401, 503) == asyncio.run(story())


def test_the_metadata_are_those_of_rfc_9728() -> None:
    """Section 3.1: the well-known part goes between host and path; `resource` is what was asked for."""
    answer = API.metadata(Request(method="GET", path="/.well-known/oauth-protected-resource/api"))

    assert answer is not None
    assert (200, "application/json;charset=UTF-8") == (answer.status, dict(answer.headers)["Content-Type"])
    assert {
        "resource": "https://acme.cybozu.com/api",
        "authorization_servers": ["https://acme.cybozu.com"],
        "scopes_supported": sorted(SCOPES),
        "bearer_methods_supported": ["header"],
    } == json.loads(answer.body)


def test_metadata_of_a_host_without_a_path() -> None:
    """A resource that is the whole host has its metadata right under the well-known part; empty lists are left out."""
    api = ProtectedResource(resource="http://127.0.0.1:8000", issuer="http://127.0.0.1:8000")

    answer = api.metadata(Request(method="GET", path="/.well-known/oauth-protected-resource"))

    assert answer is not None
    assert "scopes_supported" not in json.loads(answer.body)
    assert "http://127.0.0.1:8000/.well-known/oauth-protected-resource" == api.metadata_url


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_metadata_are_only_read(method: str) -> None:
    """Any other method is 405, and any other path somebody else's."""
    answer = API.metadata(Request(method=method, path=API.metadata_path))

    assert answer is not None
    assert (405, (("Allow", "GET, HEAD"),)) == (answer.status, answer.headers)
    assert API.metadata(Request(method="GET", path=API.metadata_path + "/")) is None


@pytest.mark.parametrize(
    "resource",
    [
        "https://acme.cybozu.com/api/",
        "https://acme.cybozu.com/",
        "http://acme.cybozu.com",
        "https://a/?b",
        "https://a/#b",
        7,
    ],
)
def test_an_identifier_is_an_address_without_slash_query_or_fragment(resource: object) -> None:
    """RFC 9728 section 1.2; a slash at the end would make two identifiers of one."""
    with pytest.raises(InvalidInput, match=r"^resource: "):
        ProtectedResource(resource=resource, issuer="https://acme.cybozu.com")  # type: ignore[arg-type] # hostile input
