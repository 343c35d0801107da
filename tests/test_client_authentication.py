from __future__ import annotations

from typing import Any

import pytest

from extlink import client_authentication, clients
from extlink.domain.client_registration import ClientKey
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing
from extlink.oauth.credentials import ClientCredentials
from tests.oauth.keys import KIND, jwt, pem, sign
from tests.oauth.kit import ISSUER, Site, basic, error


def signing() -> Site:
    """Return a site whose client signs."""
    site = Site.make(methods=["private_key_jwt"])
    site.run(clients.set_keys(site.client, [ClientKey(id="k1", algorithm="EdDSA", pem=pem("EdDSA"))]))
    return site


def shown(site: Site, name: str) -> tuple[int, str]:
    """Ask with a fresh assertion and return the status and the error."""
    at = site.host.clock.now()
    claims = {"iss": site.client, "sub": site.client, "aud": ISSUER, "exp": at + 60, "jti": name}
    text = jwt({"alg": "EdDSA"}, claims, lambda data: sign("EdDSA", data))
    response = site.post("introspect", headers=(), token="x", client_assertion=text, client_assertion_type=KIND)
    return response.status, "" if response.status == 200 else error(response)


def test_a_failure_is_recorded_once_per_cause_and_hour() -> None:
    """With cause and address, whatever that is; guessing fills no ledger."""
    site = Site.make()
    before = site.host.position()
    for _ in range(5):
        site.post("introspect", headers=(basic(site.client, "wrong"),), token="x")
    site.post("introspect", headers=(), token="x", client_id=site.client)
    site.host.clock.advance(3_600)
    site.post("introspect", headers=(basic(site.client, "wrong"),), token="x")
    causes = [one.details["cause"] for one in site.host.entries(before)]

    assert ["client.wrong_secret", "client.wrong_method", "client.wrong_secret"] == causes


def test_assertions_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than fit are told to come again; when the old ones have expired there is room."""
    monkeypatch.setattr(client_authentication, "_MAX_ASSERTIONS", 2)
    site = signing()

    assert [200, 200] == [shown(site, name)[0] for name in ("a", "b")]
    assert (503, "temporarily_unavailable") == shown(site, "c")
    assert (401, "invalid_client") == shown(site, "a")
    site.host.clock.advance(60)
    assert (200, "") == shown(site, "c")


def test_an_unknown_client_costs_a_digest_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many keyed hashes as for a client with one secret, so that the time tells nothing."""
    site = Site.make()
    made: list[str] = []
    digest = KeyRing.client_digest

    def counted(ring: KeyRing, *given: Any, **named: Any) -> bytes | None:
        made.append("digest")
        return digest(ring, *given, **named)

    monkeypatch.setattr(KeyRing, "client_digest", counted)
    counts = []
    for header in (basic(site.client, "wrong"), basic("nobody", "wrong")):
        made.clear()
        site.post("introspect", headers=(header,), token="x")
        counts.append(len(made))

    assert [1, 1] == counts
    made.clear()
    site.post("introspect", headers=(), token="x", client_id="nobody")
    assert [] == made


def test_a_secret_is_no_assertion() -> None:
    """A client that may do either does not get in with its secret in the assertion's place."""
    site = Site.make(methods=["private_key_jwt", "client_secret_basic"])
    form: dict[str, Any] = {"client_assertion": site.secret, "client_assertion_type": KIND, "token": "x"}

    for named in ({}, {"client_id": site.client}):
        response = site.post("introspect", headers=(), **form, **named)
        assert (401, "invalid_client") == (response.status, error(response))
    assert 200 == site.post("introspect", token="x").status


def test_a_secret_under_a_key_that_is_gone_is_wrong() -> None:
    """A ring without the old key recognises nothing of it, and breaks on nothing."""
    ring = KeyRing({"k2": Secret("11" * 32)}, current="k2")

    assert ring.client_digest("t", "c", Secret("s"), "k1") is None  # type: ignore[arg-type]


def test_credentials_print_no_proof() -> None:
    """What a client shows for itself is a Secret."""
    shown_by = ClientCredentials(method="client_secret_post", client_id="c1", proof=Secret("canary"))

    assert "canary" not in repr(shown_by)
