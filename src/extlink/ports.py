"""What a host plugs in: a store, its directory, a clock, randomness, a way to call out - and their async twins.

The storage contract is three methods (DESIGN 5). Everything a store must promise is written here; a store written from
this module alone passes the contract tests.

Keys and order
    A key is a tenant and a path, both bytes, made by `key()`. Stores compare and order keys byte by byte and never
    fold, trim or normalise them. Paths come from one order-preserving encoding of components.

Versions
    A version is 63 random bits that the runner draws for each commit attempt; 0 means "absent". Versions are compared
    for equality only. The version of a batch is also the batch's id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, NewType, Protocol

import attrs

from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.identifier import UserId
from extlink.domain.instant import Instant
from extlink.errors import InvalidInput

__all__ = [
    "ABSENT",
    "MAX_LIST",
    "MAX_READ_KEYS",
    "MAX_VALUE_BYTES",
    "MAX_WRITES",
    "AsyncDirectory",
    "AsyncStorage",
    "AsyncTenantList",
    "AsyncTenantRemoval",
    "AsyncTransport",
    "Batch",
    "Clock",
    "Directory",
    "Entries",
    "Entropy",
    "Guard",
    "Key",
    "NotSent",
    "OutboundRequest",
    "OutboundResponse",
    "Page",
    "Position",
    "Query",
    "RateLimit",
    "Records",
    "Removed",
    "Storage",
    "Stored",
    "TenantList",
    "TenantRemoval",
    "Transport",
    "Version",
    "Write",
    "components",
    "key",
    "prefix",
]

Version = NewType("Version", int)
Position = NewType("Position", int)

ABSENT: Final = Version(0)
MAX_READ_KEYS: Final = 64
MAX_WRITES: Final = 1_000
MAX_VALUE_BYTES: Final = 65_536
MAX_LIST: Final = 1_000
MAX_VERSION: Final = 2**63 - 1


class Key(NamedTuple):
    """Where a record lies: the tenant first, then an encoded path."""

    tenant: bytes
    path: bytes


def _encode(component: str) -> bytes:
    # NUL is escaped and every component ends in 00 01, so that byte order is the order of the components and no
    # path is a prefix of another by accident ("a", "bc") / ("ab", "c").
    return component.encode().replace(b"\x00", b"\x00\xff") + b"\x00\x01"


def key(tenant: str, *components: str) -> Key:
    r"""Return the key of a record: `components` in one order-preserving encoding.

    >>> key("acme", "u", "sato") == Key(b"acme", b"u\x00\x01sato\x00\x01")
    True
    """
    return Key(tenant.encode(), b"".join([_encode(component) for component in components]))


def prefix(*components: str) -> bytes:
    """Return what the path of every record below `components` begins with."""
    return b"".join([_encode(component) for component in components])


def components(path: bytes) -> tuple[str, ...]:
    """Return the components that a path was made of: the inverse of `prefix`."""
    return tuple(part.replace(b"\x00\xff", b"\x00").decode() for part in path.split(b"\x00\x01")[:-1])


class Stored(NamedTuple):
    """One answer of a read or a list.

    `version` 0: absent, `value` None. `value` None with another version: unchanged, the caller named this version as
    known. Otherwise `value` is the record.
    """

    key: Key
    version: Version
    value: bytes | None


class Guard(NamedTuple):
    """A record must still have this version when the batch commits; `ABSENT`: it must still be absent."""

    key: Key
    version: Version


class Write(NamedTuple):
    """Put `value` under `key`, or delete the record where `value` is None."""

    key: Key
    value: bytes | None


@attrs.frozen(kw_only=True)
class Batch:
    """Everything one operation changes, applied wholly or not at all.

    Args:
        tenant: every guard, write and entry belongs to this tenant - except guards on records of `~host`.
        id: 63 random bits; each record written gets it as its version.
        guards: what the operation read, absence included; every one is checked before anything is written.
        writes: at most 1,000, each key once, values at most 64 KiB.
        entries: canonical bytes for the ledger, without number; the store numbers them from the tenant's position on.
        at: the operation's instant; the head row keeps the newest (the time floor).
        expected: the tenant's ledger position as the caller saw it; None: whatever it is. A further guard, on the head
            row alone.

    Raises:
        InvalidInput: beyond a limit, a key twice, or a write outside the tenant.
    """

    tenant: bytes
    id: Version
    guards: tuple[Guard, ...]
    writes: tuple[Write, ...]
    entries: tuple[bytes, ...]
    at: Instant
    expected: Position | None = None

    def __attrs_post_init__(self) -> None:
        if not 0 < self.id <= MAX_VERSION:
            raise InvalidInput("id", "expected 63 random bits, not all 0")
        if not -MAX_VERSION <= self.at <= MAX_VERSION:
            raise InvalidInput("at", "expected seconds that fit 64 bits")
        if len(self.writes) > MAX_WRITES:
            raise InvalidInput("writes", f"expected at most {MAX_WRITES} in one batch, got {len(self.writes)}")
        if len({write.key for write in self.writes}) != len(self.writes):
            raise InvalidInput("writes", "expected each key once in one batch")
        for write in self.writes:
            if write.key.tenant != self.tenant:
                raise InvalidInput("writes", "expected keys of the batch's own tenant")
            if write.value is not None and len(write.value) > MAX_VALUE_BYTES:
                raise InvalidInput("writes", f"expected records of at most 64 KiB, got {len(write.value)} bytes")


class Records(NamedTuple):
    """List the records of a tenant whose path begins with `prefix`, in byte order, after the path `after`.

    `after` itself is left out and need not exist. So a record with the empty path can be read, but is never listed.
    """

    tenant: bytes
    prefix: bytes
    after: bytes = b""
    limit: int = 100


class Entries(NamedTuple):
    """List the ledger entries of a tenant in the order of their numbers, after number `after`.

    Each comes as `Stored(Key(tenant, number as 8 bytes, most significant first), batch id, entry bytes)`.
    """

    tenant: bytes
    after: Position = Position(0)
    limit: int = 100


Query = Records | Entries


class Page(NamedTuple):
    """A bounded page in a stable order; `more` says whether anything follows the last item."""

    items: tuple[Stored, ...]
    more: bool


class Storage(Protocol):
    """The contract of a store, synchronous. Adapters raise only `StorageError`s, foreign ones wrapped `from exc`."""

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """Return one answer per key, in order, all from one snapshot of the primary.

        Keys may belong to the tenant and to `~host`; there are at most 64 (beyond: `InvalidInput`), and one that is
        asked for twice is answered twice. A record that still has the version `known` names for its key comes back
        with that version and without its value. (By key, since the records of one batch share its version.)
        """
        ...

    def list(self, query: Query) -> Page:
        """Return a bounded page (limit 1 to 1,000, otherwise `InvalidInput`) in key order; it never guards a write."""
        ...

    def commit(self, batch: Batch) -> Position:
        """Apply all writes and entries, or none, and return the tenant's ledger position after it.

        Durable when it returns. Raises `Conflict` if and only if a guarded record's version differs now, absence
        included, or the tenant's ledger position is not the `expected` one. A batch whose id was committed before is
        not applied again, whatever its guards and position say by now: the number of its last entry is returned, so
        that a lost answer is settled by committing once more. (The id is found through the ledger of its tenant; a
        batch without entries may be applied twice, to the same effect, or conflict with itself.) Entries are numbered
        without gaps, from 1; a batch without any returns the position.
        """
        ...


class AsyncStorage(Protocol):
    """The same contract for async hosts."""

    async def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """As `Storage.read`."""
        ...

    async def list(self, query: Query) -> Page:
        """As `Storage.list`."""
        ...

    async def commit(self, batch: Batch) -> Position:
        """As `Storage.commit`."""
        ...


class TenantList(Protocol):
    """Beside the contract: a store that can say which tenants it has, for whoever looks after all of them.

    No operation needs it; a store of three methods alone is whole. Every store of extlink has it.
    """

    def tenants(self, after: bytes = b"", limit: int = MAX_LIST) -> Sequence[bytes]:
        """Return the ids after `after`, in byte order, at most `limit` (1 to 1,000, otherwise `InvalidInput`).

        A tenant is one of which a record or a ledger entry is kept, the host's own part (`~host`) like any other; one
        that was removed is none. Fewer than `limit` are the last; `after` itself need not exist.
        """
        ...


class AsyncTenantList(Protocol):
    """The same for async hosts."""

    async def tenants(self, after: bytes = b"", limit: int = MAX_LIST) -> Sequence[bytes]:
        """As `TenantList.tenants`."""
        ...


class Removed(NamedTuple):
    """How many records and ledger entries of a tenant went."""

    records: int
    entries: int


class TenantRemoval(Protocol):
    """Beside the contract: a store of which a tenant can be removed for good, ledger and head included.

    Only what removes a tenant calls it; what a store of three methods alone cannot do is lose a ledger.
    """

    def remove_part(self, tenant: bytes, first: bytes, limit: int) -> Removed:
        """Remove a bounded part of a tenant in one durable transaction, to be called until nothing is left.

        First the record under the path `first`, if it is there, then at most `limit` other records and as many entries
        (0 to 1,000, otherwise `InvalidInput`; 0: that record alone); the head goes with the last of them. Where fewer
        went than `limit`, of both, nothing is left. A store that keeps everything in memory may remove all at once.
        """
        ...


class AsyncTenantRemoval(Protocol):
    """The same for async hosts."""

    async def remove_part(self, tenant: bytes, first: bytes, limit: int) -> Removed:
        """As `TenantRemoval.remove_part`."""
        ...


class Directory(Protocol):
    """The host's people. Any exception means "unavailable": the user gate then refuses (`directory.unavailable`)."""

    def member(self, user: UserId) -> Member | None:
        """Return one person, or None if there is none; asked at every check, so answer from memory where you can."""
        ...

    def get(self, users: Sequence[UserId]) -> Sequence[Member]:
        """Return the people among `users` that exist, in any order."""
        ...

    def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        """Return at most `limit` people in display order (priority, then creation), each once, suspended ones included.

        A page that is longer is taken for no answer: nobody may fall off its end unseen.
        """
        ...

    def organizations(self) -> Sequence[Organization]:
        """Return the whole tree, parents before children."""
        ...


class AsyncDirectory(Protocol):
    """The same for async hosts."""

    async def member(self, user: UserId) -> Member | None:
        """As `Directory.member`."""
        ...

    async def get(self, users: Sequence[UserId]) -> Sequence[Member]:
        """As `Directory.get`."""
        ...

    async def page(self, query: CandidateQuery, after: str | None, limit: int) -> DirectoryPage:
        """As `Directory.page`."""
        ...

    async def organizations(self) -> Sequence[Organization]:
        """As `Directory.organizations`."""
        ...


class Clock(Protocol):
    """Where the time comes from; only adapters read a real clock."""

    def now(self) -> Instant:
        """Return the present instant."""
        ...


class Entropy(Protocol):
    """Where randomness comes from; only adapters ask the operating system."""

    def draw(self, size: int) -> bytes:
        """Return `size` unpredictable bytes."""
        ...


class RateLimit(Protocol):
    """How often a client may fail to authenticate (OAuth 2.1 section 2.4.1): a counter per client.

    Extlink asks before it looks at credentials and tells when they were wrong; how much is too much, and whether
    several processes count together, is the host's. `extlink.adapters.limits` has one for a single process.
    """

    def admits(self, client: str) -> bool:
        """Return whether the next request that names this client is looked at; if not, it is answered with 429."""
        ...

    def failed(self, client: str) -> None:
        """Count a request that named this client and could not show it."""
        ...


def _names(headers: tuple[tuple[str, str], ...]) -> str:
    return repr(tuple(name for name, _ in headers))


def _origin(url: str) -> str:
    # Whatever stands before an @, or behind the host, may be a secret.
    scheme, _, rest = url.partition("://")
    return repr(f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0].rpartition('@')[2]}")


@attrs.frozen(kw_only=True)
class OutboundRequest:
    """An HTTP request to an outside service; printed, it shows where it goes, and nothing that could be a secret.

    Args:
        method: in capitals.
        url: absolute. Its path may be a secret too, as that of a webhook is.
        timeout: seconds to wait for the whole answer, above 0.

    >>> OutboundRequest(method="GET", url="https://slack.com/api/auth.test", headers=(("Authorization", "Bearer x"),))
    OutboundRequest(method='GET', url='https://slack.com', headers=('Authorization',), timeout=10.0)
    """

    method: str
    url: str = attrs.field(repr=_origin)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=_names)
    body: bytes = attrs.field(default=b"", repr=False)
    timeout: float = 10.0


@attrs.frozen(kw_only=True)
class OutboundResponse:
    """What the service answered, whatever its status; printed, it names its headers.

    >>> OutboundResponse(status=429, headers=(("Retry-After", "30"),))
    OutboundResponse(status=429, headers=('Retry-After',))
    """

    status: int
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=_names)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen
class NotSent:
    """Nothing left this process, so that the request may be made again without a second effect.

    Args:
        why: for the log, such as a name that does not resolve or a connection that was refused.
    """

    why: str


class Transport(Protocol):
    """How a request gets to an outside service (DESIGN 4); redirects are not followed, certificates are verified.

    Any exception means that nobody knows whether the service got it: the caller then says so, and never takes it for
    "not sent".
    """

    def send(self, request: OutboundRequest) -> OutboundResponse | NotSent:
        """Return the service's answer, or that nothing was sent."""
        ...


class AsyncTransport(Protocol):
    """The same for async hosts."""

    async def send(self, request: OutboundRequest) -> OutboundResponse | NotSent:
        """As `Transport.send`."""
        ...
