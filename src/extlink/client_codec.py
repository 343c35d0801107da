"""A registered client to JSON-able fields and back, and its image in the ledger, which has no digests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from extlink.domain.client_registration import (
    AuthenticationMethod,
    ClientKey,
    ClientProfile,
    ClientRecord,
    ClientRegistration,
    ClientSecret,
    KeyAlgorithm,
    RefreshScope,
)
from extlink.domain.event import Detail
from extlink.domain.identifier import ClientId, ServiceId
from extlink.domain.instant import Instant
from extlink.fields import as_bytes, as_instant, as_list, as_map, as_scopes, as_text, as_whole, base64_text

__all__ = ["client_image", "read_client", "read_client_image", "write_client"]


def profile_fields(profile: ClientProfile) -> dict[str, Detail]:
    """Return what an administrator set."""
    return {
        "service": profile.service,
        "name": profile.name,
        "kind": profile.kind,
        "pkce": profile.pkce,
        "methods": tuple(sorted(profile.methods)),
        "redirect_uris": profile.redirect_uris,
        "scopes": None if profile.scopes is None else tuple(sorted(profile.scopes)),
        "default_scopes": tuple(sorted(profile.default_scopes)),
        "resources": profile.resources,
        "introspects": profile.introspects,
        "refresh_scope": profile.refresh_scope,
    }


def client_image(record: ClientRecord) -> Detail:
    """Return what the ledger keeps: which secrets and keys there are, and nothing of the secrets themselves."""
    client = record.registration
    if client is None:
        # None would say that the record was deleted, and it was not: it is what tells a removed client from none.
        return {"removed": True}
    secrets = tuple((one.id, one.key_id, one.made_at, one.expires) for one in client.secrets)
    keys = tuple((one.id, str(one.algorithm), one.pem) for one in client.keys)
    return {"id": client.id, "profile": profile_fields(client.profile), "secrets": secrets, "keys": keys}


def write_client(record: ClientRecord) -> object:
    """Fields of a client."""
    client = record.registration
    if client is None:
        return None
    return [
        client.id,
        profile_fields(client.profile),
        [[one.id, one.key_id, base64_text(one.digest), one.made_at, one.expires] for one in client.secrets],
        [[one.id, one.algorithm, one.pem] for one in client.keys],
    ]


def read_client(value: object) -> ClientRecord:
    """Read what `write_client` wrote."""
    if value is None:
        return ClientRecord(None)
    name, profile, secrets, keys = as_list(value)
    registration = ClientRegistration(
        id=ClientId(as_text(name)),
        profile=_read_profile(as_map(profile)),
        secrets=tuple(_read_secret(one) for one in as_list(secrets)),
        keys=tuple(_read_key(one) for one in as_list(keys)),
    )
    return ClientRecord(registration)


def read_client_image(value: object) -> ClientRecord:
    """Read what `client_image` wrote: the client without the digests of its secrets."""
    fields = as_map(value)
    if "removed" in fields:
        return ClientRecord(None)
    secrets = [[name, key_id, "", *dates] for name, key_id, *dates in map(as_list, as_list(fields["secrets"]))]
    return read_client([fields["id"], fields["profile"], secrets, fields["keys"]])


def _read_profile(fields: Mapping[str, object]) -> ClientProfile:
    scopes = fields["scopes"]
    return ClientProfile(
        service=ServiceId(as_text(fields["service"])),
        name=as_text(fields["name"]),
        kind="public" if fields["kind"] == "public" else "confidential",
        pkce="required" if fields["pkce"] == "required" else "waived_for_confidential_client",
        methods=frozenset(cast("AuthenticationMethod", as_text(one)) for one in as_list(fields["methods"])),
        redirect_uris=tuple(as_text(one) for one in as_list(fields["redirect_uris"])),
        scopes=None if scopes is None else as_scopes(scopes),
        default_scopes=as_scopes(fields["default_scopes"]),
        resources=tuple(as_text(one) for one in as_list(fields["resources"])),
        introspects=fields["introspects"] is True,
        refresh_scope=cast("RefreshScope", as_text(fields["refresh_scope"])),
    )


def _read_secret(value: object) -> ClientSecret:
    name, key_id, digest, made_at, expires = as_list(value)
    return ClientSecret(
        id=as_text(name),
        key_id=as_text(key_id),
        digest=as_bytes(digest),
        made_at=Instant(as_whole(made_at)),
        expires=as_instant(expires),
    )


def _read_key(value: object) -> ClientKey:
    name, algorithm, pem = map(as_text, as_list(value))
    return ClientKey(id=name, algorithm=cast("KeyAlgorithm", algorithm), pem=pem)
