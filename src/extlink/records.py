"""What extlink keeps in a store: one row per kind of record - its key, its form, its image in the ledger.

Rules: a record is `[format, instant of writing, fields]` in canonical JSON; a reader accepts the format it knows and
refuses a newer one (`CorruptRecord`), it never guesses; digests and salts are in the record and never in its image; a
kind without an image (marks, outcomes, walks) is apart from the ledger (DESIGN 5 and 7).

    head of a tenant   t                    IP restriction      p net
    host's keys        k (of ~host)         data policies       p dlp
    service            s <service>          grants to many      r <service>
    grant by name      g <service> <user>   head of grants      gv <service>
    user               u <user>             link                l <link>
    links of a user    o <user> <service>   users of a service  x <service> <user>
    trigger            w <link> <id>        refusal marks       n <link>
    published ranges   p pin <service>      resets so far       p rst
    OAuth client       c <client>           seen assertions     a <client>
    open request      rq <service> <user>  answered request    ra <service> <user>
    head of requests  rv                   last use of a link  nu <link>
    steps outside     sc <service>
    what a command came to (`outcomes`)      i <user> <idempotency key>
    how far a walk over links has come       j <what for> <of what>
    what a purge came to (of ~host)          j purge <service> <tenant>
    piece of a large record                 ~ <its path> <number>
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, Generic, TypeVar, cast

import attrs

from extlink import client_codec, codec, link_codec, request_codec
from extlink.domain.client_registration import ClientRecord
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.event import Detail, encode
from extlink.domain.grant import Rules, UserRules
from extlink.domain.grant_request import GrantRequest, OpenRequests
from extlink.domain.identifier import ClientId, LinkId, ServiceId, SubscriptionId, TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.last_use import LastUse
from extlink.domain.link import Link
from extlink.domain.link_job import LinkJob
from extlink.domain.network import IPRestriction
from extlink.domain.pin import Pin
from extlink.domain.readiness import Confirmation
from extlink.domain.reason import Reason
from extlink.domain.registry import HostService, RegisteredService
from extlink.domain.subscription import Subscription
from extlink.domain.tenant import HOST, Tenant, UserState
from extlink.errors import CorruptRecord, ExtlinkError, Refused
from extlink.fields import as_list, as_whole
from extlink.ports import MAX_VALUE_BYTES, Key, components, key, prefix

__all__ = ["Kind", "RecordKey"]

FORMAT: Final = 1
_ESCAPED: Final = "\\u"
_MEMO: Final = 4_096
_HEAD: Final = b"\x00"
PIECES: Final = "~"
# 40 pieces are read at once beside everything else; 2.5 MiB compressed is far beyond any list of an edition.
MAX_PIECES: Final = 40

T = TypeVar("T")


@attrs.frozen(eq=False)
class Kind(Generic[T]):
    """One kind of record: how it becomes fields and is read back.

    Args:
        name: the first component of its keys.
        write, read: to and from JSON-able fields; what `read` raises on malformed fields becomes `CorruptRecord`.
        image: what the ledger keeps of it; None: nothing, the kind is apart from the ledger.
        packed: whether the fields are compressed, for the few records that grow with a tenant's lists.
        aside: written beside an answer that does not depend on it: a commit of nothing else guards itself and the
            tenant's own record alone, and an answer is given whether it succeeds or not (DESIGN 5).
    """

    name: str
    write: Callable[[T], object]
    read: Callable[[object], T]
    image: Callable[[T], Detail] | None
    packed: bool = False
    aside: bool = False

    def encode(self, value: T, at: Instant) -> bytes:
        """Return the bytes of a record written at an instant."""
        data = encode([FORMAT, at, self.write(value)])
        return zlib.compress(data) if self.packed else data

    def decode(self, data: bytes) -> tuple[T, Instant]:
        """Return a record and the instant it was written at.

        Raises:
            CorruptRecord: not what `encode` wrote, or written by a newer release.
        """
        try:
            text = (zlib.decompress(data) if self.packed else data).decode()
            version, at, body = as_list(json.loads(text))
            if as_whole(version) == FORMAT:
                if _ESCAPED in text:
                    encode(body)  # half a surrogate pair, which JSON can name and nothing of ours contains
                return self.read(body), Instant(as_whole(at))
        except (ExtlinkError, ValueError, TypeError, KeyError, RecursionError, zlib.error) as exc:
            raise CorruptRecord(f"a record of kind {self.name} cannot be read back; restore it from a backup") from exc
        raise CorruptRecord(
            f"a record of kind {self.name} has format {ascii(version)[:64]}, this release reads {FORMAT}; "
            f"use the release that wrote it"
        )


@attrs.frozen
class RecordKey(Generic[T]):
    """A key that knows the kind of its record, so that what is read under it has a type."""

    kind: Kind[T]
    key: Key

    def decode(self, data: bytes, /) -> tuple[T, Instant]:
        """Return the record that these bytes hold, and the instant it was written at; of one written aside the first.

        No operation is later than such a record: no decision rests on it, not even by its time.
        """
        value, at = self.kind.decode(data)
        return value, Instant(0) if self.kind.aside else at


def _same(value: object) -> Detail:
    return cast("Detail", value)


TENANT: Final = Kind[Tenant]("t", codec.write_tenant, codec.read_tenant, codec.write_tenant)
KEY_CHECKS: Final = Kind[Mapping[str, str]]("k", dict, codec.read_key_checks, lambda checks: tuple(sorted(checks)))
NETWORK: Final = Kind[IPRestriction]("p", codec.write_network, codec.read_network, codec.write_network, packed=True)
DATA_GROUPS: Final = Kind[DataGroupPolicy](
    "p", codec.write_data_groups, codec.read_data_groups, codec.write_data_groups, packed=True
)
PIN: Final = Kind[Pin]("p", codec.write_pin, codec.read_pin, codec.write_pin, packed=True)
RESETS: Final = Kind[int]("p", _same, codec.read_count, _same)
SERVICE: Final = Kind[RegisteredService]("s", codec.write_service, codec.read_service, codec.write_service)
HOST_SERVICE: Final = Kind[HostService](
    "s", codec.write_host_service, codec.read_host_service, codec.write_host_service
)
CONFIRMATIONS: Final = Kind[Mapping[str, Confirmation]](
    "sc", codec.write_confirmations, codec.read_confirmations, codec.write_confirmations
)
GRANT_RULES: Final = Kind[tuple[Rules, Rules]]("r", codec.write_rules, codec.read_rules, codec.write_rules, packed=True)
USER_GRANT: Final = Kind[UserRules]("g", codec.write_user_rules, codec.read_user_rules, codec.write_user_rules)
GRANT_HEAD: Final = Kind[int]("gv", _same, codec.read_count, _same)
USER: Final = Kind[UserState]("u", codec.write_user, codec.read_user, codec.write_user)
LINK: Final = Kind[Link]("l", link_codec.write_link, link_codec.read_link, link_codec.link_image)
LINKS_OF: Final = Kind[tuple[LinkId, ...]]("o", list, codec.read_link_ids, tuple)
SUBSCRIPTION: Final = Kind[Subscription](
    "w", codec.write_subscription, codec.read_subscription, codec.write_subscription
)
CLIENT: Final = Kind[ClientRecord]("c", client_codec.write_client, client_codec.read_client, client_codec.client_image)
ASSERTIONS: Final = Kind[Mapping[str, int]]("a", dict, codec.read_marks, None)
REQUEST: Final = Kind[GrantRequest](
    "rq", request_codec.write_request, request_codec.read_request, request_codec.request_image
)
REQUEST_ANSWER: Final = Kind[GrantRequest](
    "ra", request_codec.write_request, request_codec.read_request, request_codec.request_image
)
OPEN_REQUESTS: Final = Kind[OpenRequests](
    "rv", request_codec.write_open_requests, request_codec.read_open_requests, request_codec.write_open_requests
)
MARKS: Final = Kind[Mapping[str, int]]("n", dict, codec.read_marks, None)

JOB: Final = Kind[LinkJob]("j", link_codec.write_job, link_codec.read_job, None)
LAST_USE: Final = Kind[LastUse]("nu", codec.write_last_use, codec.read_last_use, None, aside=True)


def split(key: Key, data: bytes, at: Instant) -> tuple[tuple[Key, bytes], ...]:
    """Return what is written for a record: itself, or a head and pieces where it is larger than a value may be.

    A head begins with a NUL, as no record does. Pieces lie apart from every list; they are written with their head, so
    its version is theirs.
    """
    if len(data) <= MAX_VALUE_BYTES:
        return ((key, data),)
    parts = [data[start : start + MAX_VALUE_BYTES] for start in range(0, len(data), MAX_VALUE_BYTES)]
    head = _HEAD + encode([FORMAT, at, len(parts)])
    return ((key, head), *((piece_key(key, number), part) for number, part in enumerate(parts)))


def parts_of(record: RecordKey[T], value: T, at: Instant) -> tuple[tuple[Key, bytes], ...]:
    """Return what is written for a record: itself, or a head and pieces.

    Raises:
        Refused: `record.too_large`; kinds that are listed are never cut.
    """
    kind = record.kind
    parts = split(record.key, kind.encode(value, at), at)
    if len(parts) > (MAX_PIECES + 1 if kind.packed else 1):
        raise Refused(Reason("record.too_large", {"what": name_of(record.key)}))
    return parts


def piece_key(key: Key, number: int) -> Key:
    """Return where a piece of a large record lies."""
    return Key(key.tenant, prefix(PIECES) + key.path + prefix(str(number)))


def pieces_of(value: bytes) -> int:
    """Return how many pieces a stored value is the head of: 0 for a record that is whole.

    Raises:
        CorruptRecord: a head that cannot be read, or written by a newer release.
    """
    head = head_of(value)
    return 0 if head is None else head[1]


def head_of(value: bytes) -> tuple[Instant, int] | None:
    """Return when a large record was written and of how many pieces it is, given its head; None for one that is whole.

    Raises:
        CorruptRecord: as `pieces_of`.
    """
    if not value.startswith(_HEAD):
        return None
    try:
        version, at, count = as_list(json.loads(value[len(_HEAD) :]))
        if as_whole(version) == FORMAT and 1 < as_whole(count) <= MAX_PIECES:
            return Instant(as_whole(at)), as_whole(count)
    except (ValueError, TypeError, RecursionError) as exc:
        raise CorruptRecord("the head of a large record cannot be read back; restore it from a backup") from exc
    raise CorruptRecord("the head of a large record is of another release; use the release that wrote it")


@lru_cache(_MEMO)
def tenant_key(tenant: TenantId) -> RecordKey[Tenant]:
    """Return where a tenant's own facts lie."""
    return RecordKey(TENANT, key(tenant, "t"))


@lru_cache(_MEMO)
def network_key(tenant: TenantId) -> RecordKey[IPRestriction]:
    """Return where the IP restriction lies."""
    return RecordKey(NETWORK, key(tenant, "p", "net"))


@lru_cache(_MEMO)
def pin_key(tenant: TenantId, service: ServiceId) -> RecordKey[Pin]:
    """Return where the ranges that a service publishes lie."""
    return RecordKey(PIN, key(tenant, "p", "pin", service))


def resets_key(tenant: TenantId) -> RecordKey[int]:
    """Return where it is counted how often the IP restriction was reset: what ends the reset tokens before."""
    return RecordKey(RESETS, key(tenant, "p", "rst"))


@lru_cache(_MEMO)
def data_groups_key(tenant: TenantId) -> RecordKey[DataGroupPolicy]:
    """Return where the data policies lie."""
    return RecordKey(DATA_GROUPS, key(tenant, "p", "dlp"))


@lru_cache(_MEMO)
def service_key(tenant: TenantId, service: ServiceId) -> RecordKey[RegisteredService]:
    """Return where a registered service lies."""
    return RecordKey(SERVICE, key(tenant, "s", service))


@lru_cache(_MEMO)
def host_service_key(service: ServiceId) -> RecordKey[HostService]:
    """Return where the host's own word on a service lies."""
    return RecordKey(HOST_SERVICE, key(HOST, "s", service))


def confirmations_key(tenant: TenantId, service: ServiceId) -> RecordKey[Mapping[str, Confirmation]]:
    """Return where it is kept what was said of a service's steps that are done outside."""
    return RecordKey(CONFIRMATIONS, key(tenant, "sc", service))


@lru_cache(_MEMO)
def grant_rules_key(tenant: TenantId, service: ServiceId) -> RecordKey[tuple[Rules, Rules]]:
    """Return where a service's grants and exclusions of organizations, groups and everyone lie."""
    return RecordKey(GRANT_RULES, key(tenant, "r", service))


@lru_cache(_MEMO)
def grant_head_key(tenant: TenantId, service: ServiceId) -> RecordKey[int]:
    """Return where the number of the last edit of a service's grants lies."""
    return RecordKey(GRANT_HEAD, key(tenant, "gv", service))


@lru_cache(_MEMO)
def user_grant_key(tenant: TenantId, service: ServiceId, user: UserId) -> RecordKey[UserRules]:
    """Return where a grant to a person by name lies."""
    return RecordKey(USER_GRANT, key(tenant, "g", service, user))


@lru_cache(_MEMO)
def user_key(tenant: TenantId, user: UserId) -> RecordKey[UserState]:
    """Return where a user's state lies."""
    return RecordKey(USER, key(tenant, "u", user))


@lru_cache(_MEMO)
def link_key(tenant: TenantId, link: LinkId) -> RecordKey[Link]:
    """Return where a link lies."""
    return RecordKey(LINK, key(tenant, "l", link))


def links_of_key(tenant: TenantId, user: UserId, service: ServiceId) -> RecordKey[tuple[LinkId, ...]]:
    """Return where the ids of a user's links to a service lie."""
    return RecordKey(LINKS_OF, key(tenant, "o", user, service))


def users_of_key(tenant: TenantId, service: ServiceId, user: UserId) -> RecordKey[tuple[LinkId, ...]]:
    """Return where the same ids lie for the list of a service's users."""
    return RecordKey(LINKS_OF, key(tenant, "x", service, user))


def request_key(tenant: TenantId, service: ServiceId, user: UserId) -> RecordKey[GrantRequest]:
    """Return where a user's request for a service lies until it is answered."""
    return RecordKey(REQUEST, key(tenant, "rq", service, user))


def request_answer_key(tenant: TenantId, service: ServiceId, user: UserId) -> RecordKey[GrantRequest]:
    """Return where the last request of a user for a service lies that was answered."""
    return RecordKey(REQUEST_ANSWER, key(tenant, "ra", service, user))


@lru_cache(_MEMO)
def open_requests_key(tenant: TenantId) -> RecordKey[OpenRequests]:
    """Return where it is counted how many requests are open."""
    return RecordKey(OPEN_REQUESTS, key(tenant, "rv"))


def subscription_key(tenant: TenantId, link: LinkId, subscription: SubscriptionId) -> RecordKey[Subscription]:
    """Return where a trigger subscription lies."""
    return RecordKey(SUBSCRIPTION, key(tenant, "w", link, subscription))


def marks_key(tenant: TenantId, link: LinkId) -> RecordKey[Mapping[str, int]]:
    """Return where it is kept which refusals of a link were recorded lately."""
    return RecordKey(MARKS, key(tenant, "n", link))


@lru_cache(_MEMO)
def last_use_key(tenant: TenantId, link: LinkId) -> RecordKey[LastUse]:
    """Return where it is kept when a link was last used."""
    return RecordKey(LAST_USE, key(tenant, "nu", link))


def job_key(tenant: TenantId, what: str, about: str = "") -> RecordKey[LinkJob]:
    """Return where it lies how far a walk over links has come.

    Args:
        what: what it does, such as `purge`.
        about: the service, or whatever else it is one of.
    """
    return RecordKey(JOB, key(tenant, "j", what, about))


def purge_in_key(service: ServiceId, tenant: TenantId) -> RecordKey[LinkJob]:
    """Return where the host notes what the purge of a service in one tenant came to."""
    return RecordKey(JOB, key(HOST, "j", "purge", service, tenant))


@lru_cache(_MEMO)
def client_key(tenant: TenantId, client: ClientId) -> RecordKey[ClientRecord]:
    """Return where an OAuth client lies."""
    return RecordKey(CLIENT, key(tenant, "c", client))


def assertions_key(tenant: TenantId, client: ClientId) -> RecordKey[Mapping[str, int]]:
    """Return where it is kept which assertions of a client were seen, until they expire."""
    return RecordKey(ASSERTIONS, key(tenant, "a", client))


def client_marks_key(tenant: TenantId, client: ClientId) -> RecordKey[Mapping[str, int]]:
    """Return where it is kept which failures of a client to authenticate were recorded lately."""
    return RecordKey(MARKS, key(tenant, "n", "client", client))


def key_checks_key(host: TenantId) -> RecordKey[Mapping[str, str]]:
    """Return where the check values of the host's keys lie: under the host itself."""
    return RecordKey(KEY_CHECKS, key(host, "k"))


def name_of(record: Key) -> str:
    """Return a key as people and the ledger read it: its components, as one JSON text."""
    return encode(components(record.path)).decode()
