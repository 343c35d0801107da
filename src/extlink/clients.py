"""Operations on OAuth clients: who may ask users for links, and with which secret (S4; RFC 6749 section 2).

A client belongs to one registered service. Its secret is told once, when it is drawn; the store has a keyed digest. A
new secret works beside the old ones until they are removed or run out, so that a rotation needs no outage. What weakens
a client - leaving out PKCE - has a name and an entry of its own.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Final, Literal

import attrs

from extlink import facts
from extlink.client_codec import profile_fields
from extlink.domain.client_registration import (
    BY_SECRET,
    MAX_SECRETS,
    ClientKey,
    ClientProfile,
    ClientRecord,
    ClientRegistration,
    ClientSecret,
    parse_client_id,
)
from extlink.domain.event import Detail, Event
from extlink.domain.existing import parse_choice
from extlink.domain.identifier import ClientId, parse_id
from extlink.domain.instant import Instant
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.domain.service import Service
from extlink.domain.service_parts import parse_parts
from extlink.domain.token import CLIENT_SECRET_BYTES, client_secret
from extlink.errors import Refused
from extlink.inputs import exactly, whole
from extlink.oauth.assertion import check_key
from extlink.operation import (
    ADMINISTRATORS,
    Call,
    Change,
    Commit,
    Draw,
    Ledger,
    List,
    Now,
    Operation,
    Steps,
    ask,
    operation,
    put,
    read,
)
from extlink.ports import Records, prefix
from extlink.records import CLIENT, client_key, service_key, tenant_key

__all__ = [
    "ClientKey",
    "ClientProfile",
    "ClientRegistration",
    "RegisteredClient",
    "add_secret",
    "change",
    "register",
    "registered",
    "remove",
    "remove_secret",
    "set_keys",
    "show",
]

MAX_CLIENTS: Final = 1_000
_ID_BYTES: Final = 15
_SECRET_ID_BYTES: Final = 5
_MAX_OVERLAP: Final = 365 * 86_400


@attrs.frozen
class RegisteredClient:
    """A client, and its new secret, which nothing can tell a second time.

    Args:
        secret: None for a client that has none, such as a public one.
    """

    client: ClientRegistration
    secret: Secret | None


def load_client(call: Call, client: ClientId) -> Steps[ClientRegistration]:
    """Return a registered client.

    Raises:
        Refused: `tenant.not_open`, `client.unknown`.
    """
    at = client_key(call.tenant, client)
    answers = yield from read(tenant_key(call.tenant), at)
    facts.opened(answers, call.tenant)
    record = answers.get(at)
    if record is None or record.registration is None:
        raise Refused(Reason("client.unknown", {"client": client}))
    return record.registration


def _name(random: bytes) -> str:
    return base64.urlsafe_b64encode(random).rstrip(b"=").decode()


def _drawn(call: Call, client: ClientId, at: Instant) -> Steps[tuple[ClientSecret, Secret]]:
    """Draw a secret: as it is kept, and as it is told."""
    ledger = yield from ask(Ledger())
    random = yield from ask(Draw(CLIENT_SECRET_BYTES + _SECRET_ID_BYTES))
    secret = client_secret(random[:CLIENT_SECRET_BYTES])
    digest = ledger.keys.client_digest(call.tenant, client, secret) or b""
    kept = ClientSecret(id=_name(random[CLIENT_SECRET_BYTES:]), key_id=ledger.keys.current, digest=digest, made_at=at)
    return kept, secret


def _details(client: ClientRegistration) -> dict[str, Detail]:
    return {"service": client.profile.service, "client": client.id, "name": client.profile.name}


def _save(call: Call, client: ClientRegistration) -> tuple[Change, ...]:
    return (put(client_key(call.tenant, client.id), ClientRecord(client)),)


def _exempted(client: ClientRegistration, before: ClientProfile | None) -> tuple[Event, ...]:
    """Return the entries of dangerous options that are new."""
    usual = {"pkce": "required", "refresh_scope": "strict"}
    return tuple(
        Event("client.exempted", {**_details(client), "option": option})
        for option, safe in usual.items()
        if getattr(client.profile, option) != safe and (before is None or getattr(before, option) == safe)
    )


def _check_scopes(profile: ClientProfile, service: Service) -> None:
    """Refuse scopes that the service does not define: they could never be granted.

    Raises:
        Refused: `scope.unknown`.
    """
    for scope in sorted((profile.scopes or profile.default_scopes) - service.scope_names):
        raise Refused(Reason("scope.unknown", {"scope": scope, "service": service.id}))


@operation("clients.register", by=ADMINISTRATORS, records=("client.added", "client.exempted"))
def _register(call: Call, *, profile: ClientProfile) -> Steps[Commit[RegisteredClient]]:
    answers = yield from read(tenant_key(call.tenant), service_key(call.tenant, profile.service))
    facts.opened(answers, call.tenant)
    _check_scopes(profile, facts.registered(answers, call.tenant, profile.service).service)
    listed = yield from ask(List(Records(call.tenant.encode(), prefix("c"), limit=MAX_CLIENTS)))
    if len(listed.items) >= MAX_CLIENTS:
        raise Refused(Reason("save.too_large", {"count": str(MAX_CLIENTS + 1), "limit": str(MAX_CLIENTS)}))
    client = ClientRegistration(id=ClientId(_name((yield from ask(Draw(_ID_BYTES))))), profile=profile)
    secret: Secret | None = None
    if profile.methods & BY_SECRET:
        kept, secret = yield from _drawn(call, client.id, (yield from ask(Now())))
        client = attrs.evolve(client, secrets=(kept,))
    details: dict[str, Detail] = {**_details(client), "profile": profile_fields(profile)}
    events = (Event("client.added", details), *_exempted(client, None))
    return Commit(RegisteredClient(client, secret), _save(call, client), events)


def register(profile: ClientProfile) -> Operation[RegisteredClient]:
    """Register an OAuth client of a service, and draw its id and secret.

    Source: S4, RFC 6749 section 2. Needs `common_administrator`.

    Raises:
        InvalidInput: not a `ClientProfile`.
        Refused: when run: `service.unknown`, `scope.unknown`, `save.too_large`.

    >>> register(ClientProfile(service="power-automate", name="Power Automate")).name
    'clients.register'
    """
    return _register(profile=exactly(profile, ClientProfile, "profile"))


@operation("clients.change", by=ADMINISTRATORS, records=("client.changed", "client.exempted"))
def _change(call: Call, *, client: ClientId, profile: ClientProfile) -> Steps[Commit[ClientRegistration]]:
    before = yield from load_client(call, client)
    if (profile.service, profile.kind) != (before.profile.service, before.profile.kind):
        raise Refused(Reason("client.another", {"client": client}))
    where = service_key(call.tenant, profile.service)
    _check_scopes(profile, facts.registered((yield from read(where)), call.tenant, profile.service).service)
    if profile == before.profile:
        return Commit(before)
    after = attrs.evolve(
        before,
        profile=profile,
        secrets=before.secrets if profile.methods & BY_SECRET else (),
        keys=before.keys if "private_key_jwt" in profile.methods else (),
    )
    was, now = profile_fields(before.profile), profile_fields(profile)
    differing = [name for name in was if was[name] != now[name]]
    details: dict[str, Detail] = {
        **_details(after),
        "before": {name: was[name] for name in differing},
        "after": {name: now[name] for name in differing},
    }
    return Commit(after, _save(call, after), (Event("client.changed", details), *_exempted(after, before.profile)))


def change(client: str, profile: ClientProfile) -> Operation[ClientRegistration]:
    """Change what a client may do; its secrets stay, unless it no longer authenticates by any.

    Take the profile that `show` returns and `attrs.evolve` it. Links keep what was consented to; what the profile
    forbids holds from the next request on. Needs `common_administrator`.

    Raises:
        InvalidInput: malformed arguments.
        Refused: when run: `client.unknown`, `scope.unknown`; `client.another`: service and kind are for life.

    >>> change("c1", ClientProfile(service="power-automate", name="Power Automate (sales)")).name
    'clients.change'
    """
    return _change(client=parse_client_id(client), profile=exactly(profile, ClientProfile, "profile"))


@operation("clients.add_secret", by=ADMINISTRATORS, records=("client.secret_rotated",))
def _add_secret(call: Call, *, client: ClientId, overlap: int | None) -> Steps[Commit[RegisteredClient]]:
    before = yield from load_client(call, client)
    if not before.profile.methods & BY_SECRET:
        raise Refused(Reason("client.no_secrets", {"client": client}))
    at = yield from ask(Now())
    alive = tuple(one for one in before.secrets if one.expires is None or one.expires > at)
    if len(alive) >= MAX_SECRETS:
        raise Refused(Reason("client.too_many_secrets", {"client": client, "limit": str(MAX_SECRETS)}))
    if overlap is not None:
        until = Instant(at + overlap)
        alive = tuple(attrs.evolve(one, expires=min(until, one.expires or until)) for one in alive)
    kept, secret = yield from _drawn(call, client, at)
    after = attrs.evolve(before, secrets=(*alive, kept))
    ends = tuple((one.id, one.expires) for one in alive)
    event = Event("client.secret_rotated", {**_details(after), "secret": kept.id, "others": ends})
    return Commit(RegisteredClient(after, secret), _save(call, after), (event,))


def add_secret(client: str, *, others_expire_in: int | None = None) -> Operation[RegisteredClient]:
    """Draw a further secret for a client; the older ones go on working until they expire or are removed.

    Source: RFC 7591 has no rotation; ASVS 13.3.4 wants one. Needs `common_administrator`. At most five live at once.

    Args:
        others_expire_in: seconds after which the older ones are refused, at most a year; None: they stay.

    Raises when run:
        Refused: `client.unknown`, `client.no_secrets`, `client.too_many_secrets`.

    >>> add_secret("c1", others_expire_in=86_400).name
    'clients.add_secret'
    """
    overlap = None if others_expire_in is None else whole(others_expire_in, "others_expire_in", 0, _MAX_OVERLAP)
    return _add_secret(client=parse_client_id(client), overlap=overlap)


@operation("clients.remove_secret", by=ADMINISTRATORS, records=("client.secret_rotated",))
def _remove_secret(call: Call, *, client: ClientId, secret_id: str) -> Steps[Commit[ClientRegistration]]:
    before = yield from load_client(call, client)
    kept = tuple(one for one in before.secrets if one.id != secret_id)
    if len(kept) == len(before.secrets):
        raise Refused(Reason("client.unknown_secret", {"client": client, "secret": secret_id}))
    after = attrs.evolve(before, secrets=kept)
    others = tuple((one.id, one.expires) for one in kept)
    event = Event("client.secret_rotated", {**_details(after), "removed": secret_id, "others": others})
    return Commit(after, _save(call, after), (event,))


def remove_secret(client: str, *, secret_id: str) -> Operation[ClientRegistration]:
    """Remove one of a client's secrets by its id; whoever shows it is refused from now on.

    Raises when run:
        Refused: `client.unknown`, `client.unknown_secret`.

    >>> remove_secret("c1", secret_id="Zm9vYmE").name
    'clients.remove_secret'
    """
    return _remove_secret(client=parse_client_id(client), secret_id=parse_id(secret_id, "secret_id"))


@operation("clients.set_keys", by=ADMINISTRATORS, records=("client.changed",))
def _set_keys(call: Call, *, client: ClientId, keys: tuple[ClientKey, ...]) -> Steps[Commit[ClientRegistration]]:
    before = yield from load_client(call, client)
    if "private_key_jwt" not in before.profile.methods:
        raise Refused(Reason("client.no_keys", {"client": client}))
    after = attrs.evolve(before, keys=keys)
    if after == before:
        return Commit(before)
    details: dict[str, Detail] = {
        **_details(after),
        "before": {"keys": tuple(key.id for key in before.keys)},
        "after": {"keys": tuple(key.id for key in keys)},
    }
    return Commit(after, _save(call, after), (Event("client.changed", details),))


def set_keys(client: str, keys: Iterable[ClientKey]) -> Operation[ClientRegistration]:
    """Set the public keys with which a client signs its assertions, in place of all it has (`private_key_jwt`).

    Raises:
        InvalidInput: not keys, one that is none of its algorithm, or more than ten.
        Refused: when run: `client.unknown`, `client.no_keys`.

    >>> set_keys("c1", []).name
    'clients.set_keys'
    """
    found = parse_parts(keys, ClientKey, "keys")
    for key in found:
        check_key(key)
    return _set_keys(client=parse_client_id(client), keys=found)


@operation("clients.remove", by=ADMINISTRATORS, records=("client.removed",))
def _remove(call: Call, *, client: ClientId) -> Steps[Commit[ClientRegistration]]:
    before = yield from load_client(call, client)
    grave = put(client_key(call.tenant, client), ClientRecord(None))
    return Commit(before, (grave,), (Event("client.removed", _details(before)),))


def remove(client: str, *, existing: Literal["revoke"] = "revoke") -> Operation[ClientRegistration]:
    """Remove a client for good: it and every link it made are refused from the next message on.

    Args:
        existing: `revoke` alone: nothing brings a removed client back.

    Raises:
        InvalidInput: a malformed id, or another word about existing links.

    Raises when run:
        Refused: `client.unknown`.

    >>> remove("c1").name
    'clients.remove'
    """
    parse_choice("clients.remove", existing)
    return _remove(client=parse_client_id(client))


@operation("clients.show", by=ADMINISTRATORS)
def _show(call: Call, *, client: ClientId) -> Steps[Commit[ClientRegistration]]:
    return Commit((yield from load_client(call, client)))


def show(client: str) -> Operation[ClientRegistration]:
    """Return a client, with the ids of its secrets and without them.

    Raises when run:
        Refused: `client.unknown`.

    >>> show("c1").name
    'clients.show'
    """
    return _show(client=parse_client_id(client))


@operation("clients.registered", by=ADMINISTRATORS)
def _registered(call: Call) -> Steps[Commit[tuple[ClientRegistration, ...]]]:
    place = tenant_key(call.tenant)
    facts.opened((yield from read(place)), call.tenant)
    page = yield from ask(List(Records(call.tenant.encode(), prefix("c"), limit=MAX_CLIENTS)))
    records = [CLIENT.decode(one.value)[0] for one in page.items if one.value is not None]
    return Commit(tuple(one.registration for one in records if one.registration is not None))


def registered() -> Operation[tuple[ClientRegistration, ...]]:
    """List the tenant's clients, in the order of their ids.

    >>> registered()
    clients.registered()
    """
    return _registered()
