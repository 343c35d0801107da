"""The endpoints, each request from a form to an answer: beside Authlib's and django-oauth-toolkit's, in one run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from extlink import access, catalog, clients, grants, services
from extlink.adapters.directory import InMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.client_registration import ClientProfile
from extlink.domain.consent import Consent
from extlink.domain.directory import Member
from extlink.domain.identifier import ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing
from extlink.http import AuthorizationServer, Request
from extlink.ports import Storage
from extlink.runtime import ExtLink, Tenant
from tests.benchmarks import endpoint_peers
from tests.benchmarks.endpoint_peers import CHALLENGE, REDIRECT, Peer
from tests.benchmarks.measure import ROUNDS, Samples, compare
from tests.benchmarks.report import Row, Section, at_least, at_most, plain, without
from tests.benchmarks.toolkit import SCOPE

__all__ = ["answering"]

_NOW: Final = Instant(1_750_000_000)
_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)
_QUESTIONS: Final = ("exchange", "refresh", "introspection", "check")
_WHAT: Final = {
    "exchange": "a code exchanged",
    "refresh": "a token refreshed",
    "introspection": "an introspection",
    "check": "a bearer token checked",
}
# Django 5.2 hashes with 1,000,000 rounds, and the toolkit's `hash_client_secret` is on unless it is turned off.
_HASHED: Final = (
    "The toolkit's client secret is kept as it is here. As it comes, it hashes the secret like a password, by a million "
    "rounds of SHA-256, and checks it so at every request; ours is drawn of 256 random bits, for which one keyed hash "
    "is enough (ASVS 6.5.2)."
)


class _Clock:
    def now(self) -> Instant:
        return _NOW


def _tenant(storage: Storage, people: int) -> tuple[Tenant, tuple[str, str]]:
    """Return a tenant in which everybody may use one service, and a client of it with its secret."""
    members = [
        Member(id=UserId(f"user{one}"), display_name="x", products=frozenset({"kintone"})) for one in range(people)
    ]
    keys = KeyRing({"k1": Secret("5a" * 32)}, current="k1")
    hub = ExtLink(storage, keys=keys, directory=InMemoryDirectory(members), clock=_Clock())
    tenant = hub.open_tenant("acme", edition="JP", products={"kintone"})
    administrator = tenant.acting_as("admin", roles={"common_administrator"})
    administrator.run(services.register(catalog.POWER_AUTOMATE))
    administrator.run(services.enable("power-automate"))
    administrator.run(grants.allow("power-automate", everyone=True))
    profile = ClientProfile(service=ServiceId("power-automate"), name="Client", redirect_uris=(REDIRECT,))
    made = administrator.run(clients.register(profile))
    assert made.secret is not None
    return tenant, (made.client.id, made.secret.reveal())


def _codes(server: AuthorizationServer, tenant: Tenant, client: str, count: int) -> list[str]:
    """Return codes of as many people, through the authorization endpoint."""
    query = {
        "client_id": client,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": SCOPE,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    asked = Request(method="GET", path="/oauth2/authorize", query=urlencode(query))
    codes: list[str] = []
    for number in range(count):
        user = tenant.acting_as(f"user{number}")
        page = server.authorize(asked, session="s")
        consent = user.run(page.operation)  # type: ignore[union-attr] # it is a good request
        assert isinstance(consent, Consent)
        body = urlencode({"consent": consent.token.reveal(), "answer": "accept"}).encode()
        answer = server.answer(Request(method="POST", path="/", headers=_FORM, body=body), session="s")
        location = dict(answer.run(user).headers)["Location"]  # type: ignore[union-attr] # as above
        codes.append(parse_qs(urlsplit(location).query)["code"][0])
    return codes


def _ours(storage: Storage, codes: int, count: int) -> Peer:
    """Return extlink's batches over a store."""
    server = AuthorizationServer("https://acme.cybozu.com", endpoint="https://acme.cybozu.com/oauth2")
    tenant, (client, secret) = _tenant(storage, codes)
    shown = {"client_id": client, "client_secret": secret}

    def post(path: str, form: dict[str, str]) -> dict[str, Any]:
        body = urlencode({**shown, **form}).encode()
        answer = server.serve(tenant, Request(method="POST", path=path, headers=_FORM, body=body))
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def exchange(form: dict[str, str]) -> dict[str, Any]:
        return post("/oauth2/token", form)

    def introspect(token: str) -> bool:
        return post("/oauth2/introspect", {"token": token})["active"] is True

    def check(token: str) -> bool:
        return bool(tenant.run(access.check(token, scope=SCOPE, address="10.0.1.7")))

    return endpoint_peers.batches(_codes(server, tenant, client, codes), count, exchange, introspect, check)


def _peers(makers: dict[str, Callable[[], Peer]]) -> tuple[dict[str, Peer], dict[str, str]]:
    """Return the peers that are there, and why the others are not."""
    found: dict[str, Peer] = {}
    absent: dict[str, str] = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except ImportError as error:
            absent[name] = f"{error}"
    return found, absent


def _rows(samples: Samples, question: str, peers: Sequence[str]) -> list[Row]:
    mine = {name: f"{name} {question}" for name in ("memory", "SQLite")}
    rows = [
        plain(f"{_WHAT[question]}, extlink in memory", samples, mine["memory"]),
        at_most(f"{_WHAT[question]}, extlink on SQLite", samples, mine["SQLite"], mine["memory"], None, "in memory"),
    ]
    against = {"Authlib": "memory", "django-oauth-toolkit": "SQLite"}
    for name in peers:
        base = against[name]
        where = "dictionaries" if name == "Authlib" else "SQLite"
        what = f"{_WHAT[question]}, {name} on {where}, beside {base}"
        rows.append(at_least(what, samples, mine[base], f"{name} {question}", None, name))
    return rows


def answering(folder: Path, count: int, rounds: int = ROUNDS) -> Section:
    """Measure code exchange, refresh, introspection and bearer checks, `count` requests a round."""
    codes = count * (rounds + 3)
    peers, absent = _peers(
        {
            "Authlib": lambda: endpoint_peers.authlib(codes, count),
            "django-oauth-toolkit": lambda: endpoint_peers.toolkit(folder, codes, count),
        }
    )
    rows: list[Row] = []
    with SQLiteStorage(folder / "endpoints.db") as storage:
        contenders = {
            "memory": _ours(MemoryStorage(), codes, count),
            "SQLite": _ours(storage, codes, count),
            **peers,
        }
        for question in _QUESTIONS:
            batches = {f"{name} {question}": made[question] for name, made in contenders.items()}
            rows += _rows(compare(batches, rounds, waits=True), question, list(peers))
    rows += [without(name, why) for name, why in absent.items()]
    return Section(
        "The endpoints, beside Authlib and django-oauth-toolkit",
        "A form goes in and the answer comes out, the client shown by its secret in the body, the code by PKCE. "
        "Time on the clock, since SQLite waits for the disk. Ours parses the form, asks every gate, keeps digests "
        "alone, writes the ledger in the same transaction and guards it against everything that happens meanwhile. "
        "Authlib is given parsed forms and stores into dictionaries, the least that its integrator could write; it "
        "asks no gate, keeps tokens as they are, ends nothing on replay and detects no reuse. "
        "Django-oauth-toolkit's server is called below Django's views where it can be, its introspection through "
        "its view, on a SQLite file with Django's own settings.",
        tuple(rows),
        (_HASHED,),
    )
