"""A link to JSON-able fields and back, and its image in the ledger; and how far a walk over links has come.

Rules: a list, not an object, since a link is decoded at every check that finds it changed; digests and salts are in the
fields and never in the image. What is read back from an image is the link without them, and without whether its last
answer arrived, which is written without an entry.
"""

from __future__ import annotations

import attrs

from extlink.domain.event import Detail
from extlink.domain.identifier import (
    ClientId,
    LinkId,
    ServiceId,
    UserId,
)
from extlink.domain.instant import Instant
from extlink.domain.link import AccessToken, Code, Link, LinkState, Rotation
from extlink.domain.link_job import LinkJob, Toll
from extlink.domain.tenant import Epochs
from extlink.fields import as_bytes, as_instant, as_list, as_map, as_scopes, as_text, as_whole, base64_text

__all__ = [
    "link_image",
    "read_job",
    "read_link",
    "read_link_image",
    "read_toll",
    "write_job",
    "write_link",
    "write_toll",
]


def write_link(link: Link) -> object:
    """Fields of a link: a list, since a link is decoded at every check that finds it changed."""
    held = link.rotation
    return [
        link.id,
        link.owner,
        link.service,
        link.client,
        link.public,
        str(link.state),
        [link.epochs.tenant, link.epochs.service, link.epochs.user, link.epochs.host],
        link.grants_at,
        sorted(link.scopes),
        link.resource,
        link.accepted_at,
        link.expires,
        _code(link.code),
        [[one.generation, base64_text(one.digest), one.expires, sorted(one.scopes)] for one in link.access],
        [
            held.generation,
            base64_text(held.current),
            base64_text(held.previous),
            base64_text(held.salt),
            held.key_id,
            held.at,
            sorted(held.scopes),
            held.confirmed,
        ],
        link.ended_by,
        link.ended_at,
        link.idle_until,
        link.pinned,
    ]


def read_link(value: object) -> Link:
    """Read what `write_link` wrote."""
    fields = as_list(value)
    (link, owner, service, client, public, state, epochs, grants_at, scopes, resource, accepted, expires) = fields[:12]
    code, access, rotation, ended_by, ended_at, idle_until, pinned = fields[12:]
    return Link(
        id=LinkId(as_text(link)),
        owner=None if owner is None else UserId(as_text(owner)),
        service=ServiceId(as_text(service)),
        client=ClientId(as_text(client)),
        public=public is not False,
        state=LinkState(as_text(state)),
        epochs=Epochs(*(as_whole(one) for one in as_list(epochs))),
        grants_at=as_whole(grants_at),
        scopes=as_scopes(scopes),
        resource=None if resource is None else as_text(resource),
        accepted_at=Instant(as_whole(accepted)),
        expires=Instant(as_whole(expires)),
        code=_read_code(code),
        access=tuple(_read_access(one) for one in as_list(access)),
        rotation=_read_rotation(rotation),
        ended_by=as_text(ended_by),
        ended_at=as_instant(ended_at),
        idle_until=as_instant(idle_until),
        pinned=pinned is not False,
    )


def _code(code: Code) -> list[object]:
    usual: list[object] = [base64_text(code.digest), code.expires, code.redirect_uri, code.challenge]
    return usual if code.redirect_named else [*usual, False]


def _read_code(value: object) -> Code:
    digest, expires, redirect_uri, challenge, *unnamed = as_list(value)
    return Code(
        digest=as_bytes(digest),
        expires=Instant(as_whole(expires)),
        redirect_uri=as_text(redirect_uri),
        challenge=None if challenge is None else as_text(challenge),
        redirect_named=not unnamed,
    )


def _read_access(value: object) -> AccessToken:
    generation, digest, expires, scopes = as_list(value)
    return AccessToken(as_whole(generation), as_bytes(digest), Instant(as_whole(expires)), as_scopes(scopes))


def _read_rotation(value: object) -> Rotation:
    generation, current, previous, salt, key_id, at, scopes, confirmed = as_list(value)
    return Rotation(
        generation=as_whole(generation),
        current=as_bytes(current),
        previous=as_bytes(previous),
        salt=as_bytes(salt),
        key_id=as_text(key_id),
        at=Instant(as_whole(at)),
        scopes=as_scopes(scopes),
        confirmed=confirmed is True,
    )


def link_image(link: Link) -> Detail:
    """What the ledger keeps of a link: no digest, no salt, and not whether an answer arrived."""
    return {
        "id": link.id,
        "owner": link.owner,
        "service": link.service,
        "client": link.client,
        "public": link.public,
        "state": str(link.state),
        "epochs": (link.epochs.tenant, link.epochs.service, link.epochs.user, link.epochs.host),
        "grants_at": link.grants_at,
        "scopes": tuple(sorted(link.scopes)),
        "resource": link.resource,
        "accepted_at": link.accepted_at,
        "expires": link.expires,
        "redirect_uri": link.code.redirect_uri,
        "redirect_named": link.code.redirect_named,
        "code_expires": link.code.expires,
        "generation": link.rotation.generation,
        "key_id": link.rotation.key_id,
        "rotated_at": link.rotation.at,
        "rotated_scopes": tuple(sorted(link.rotation.scopes)),
        "access": tuple((one.generation, one.expires, tuple(sorted(one.scopes))) for one in link.access),
        "ended_by": link.ended_by,
        "ended_at": link.ended_at,
        "idle_until": link.idle_until,
        "pinned": link.pinned,
    }


def read_link_image(value: object) -> Link:
    """Read what `link_image` wrote, also in releases that left out when the code ended and what was rotated."""
    fields = as_map(value)
    owner, resource, accepted = fields["owner"], fields["resource"], Instant(as_whole(fields["accepted_at"]))
    return Link(
        id=LinkId(as_text(fields["id"])),
        owner=None if owner is None else UserId(as_text(owner)),
        service=ServiceId(as_text(fields["service"])),
        client=ClientId(as_text(fields["client"])),
        public=fields["public"] is not False,
        state=LinkState(as_text(fields["state"])),
        epochs=Epochs(*(as_whole(one) for one in as_list(fields["epochs"]))),
        grants_at=as_whole(fields["grants_at"]),
        scopes=as_scopes(fields["scopes"]),
        resource=None if resource is None else as_text(resource),
        accepted_at=accepted,
        expires=Instant(as_whole(fields["expires"])),
        code=Code(
            digest=b"",
            expires=Instant(as_whole(fields.get("code_expires", accepted))),
            redirect_uri=as_text(fields["redirect_uri"]),
            challenge=None,
            redirect_named=fields.get("redirect_named") is not False,
        ),
        access=tuple(_read_access_image(one) for one in as_list(fields["access"])),
        rotation=Rotation(
            generation=as_whole(fields["generation"]),
            key_id=as_text(fields["key_id"]),
            at=Instant(as_whole(fields["rotated_at"])),
            scopes=as_scopes(fields.get("rotated_scopes", [])),
        ),
        ended_by=as_text(fields["ended_by"]),
        ended_at=as_instant(fields["ended_at"]),
        idle_until=as_instant(fields["idle_until"]),
        pinned=fields["pinned"] is not False,
    )


def _read_access_image(value: object) -> AccessToken:
    generation, expires, scopes = as_list(value)
    return AccessToken(as_whole(generation), b"", Instant(as_whole(expires)), as_scopes(scopes))


def write_toll(toll: Toll) -> object:
    """Fields of what a walk over links brought about."""
    return list(attrs.astuple(toll))


def read_toll(value: object) -> Toll:
    """Read what `write_toll` wrote."""
    names = [field.name for field in attrs.fields(Toll)]
    counts = [as_whole(count) for count in as_list(value)]
    return Toll(**dict(zip(names, counts, strict=True)))


def write_job(job: LinkJob) -> object:
    """Fields of a walk over links."""
    return [job.service, job.ground, job.began, job.by, job.reached, job.done, write_toll(job.toll)]


def read_job(value: object) -> LinkJob:
    """Read what `write_job` wrote."""
    service, ground, began, by, reached, done, toll = as_list(value)
    return LinkJob(
        service=None if service is None else ServiceId(as_text(service)),
        ground=as_text(ground),
        began=Instant(as_whole(began)),
        by=None if by is None else UserId(as_text(by)),
        reached=None if reached is None else LinkId(as_text(reached)),
        done=as_instant(done),
        toll=read_toll(toll),
    )
