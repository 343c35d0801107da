"""What both colours of the runtime hold: keys, clock, randomness, cache - everything but the store and the directory.

Rules: the clock and the source of randomness are the host's and may fail, then nothing is done; no hub works without
keys.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Final, TypeVar, cast

from extlink.adapters.system import SystemClock, SystemEntropy
from extlink.attempt import Cache
from extlink.domain.identifier import TenantId, UserId, parse_id
from extlink.domain.instant import Instant
from extlink.domain.link import Lifetimes
from extlink.domain.secret import Secret
from extlink.domain.tenant import HOST, Actor, parse_roles
from extlink.domain.token import KeyRing
from extlink.domain.token_ledger import TokenLedger
from extlink.errors import ExtlinkError, InvalidInput, Misconfigured, Unavailable
from extlink.inputs import address_text
from extlink.operation import Operation
from extlink.ports import (
    Clock,
    Entropy,
    Version,
)

__all__ = [
    "Hub",
    "drawn_keys",
    "named",
    "parse_actor",
    "parse_tenant",
    "require_course",
    "require_operation",
    "require_ports",
]

T = TypeVar("T")
S = TypeVar("S")
D = TypeVar("D")
_CACHED_RECORDS: Final = 20_000
_VERSION_BYTES: Final = 8


def parse_tenant(value: object) -> TenantId:
    """Return a customer's tenant id; the host's own name is refused."""
    tenant = TenantId(parse_id(value, "tenant"))
    if tenant == HOST:
        raise InvalidInput("tenant", f"expected a customer's id, got {HOST!r}, which stands for the host itself")
    return tenant


def named(tenants: object) -> Iterator[object]:
    """Return what a host names as tenants, one by one, any number, unread: a malformed one is the walker's to tell.

    Raises:
        InvalidInput: a single text, or nothing that can be walked; when walked: it breaks off.
    """
    if issubclass(type(tenants), str | bytes | bytearray) or not issubclass(type(tenants), Iterable):
        raise InvalidInput("tenants", f"expected a list, got {type(tenants).__name__}; write [...] around a single one")
    return _walked(cast("Iterable[object]", tenants))


def _walked(tenants: Iterable[object]) -> Iterator[object]:
    try:
        yield from tenants
    except ExtlinkError:
        raise
    except Exception as exc:
        raise InvalidInput("tenants", "expected a list, got one that cannot be read; what was done is done") from exc


def parse_actor(user: object, roles: object, address: object) -> Actor:
    """Return the acting person as the host states it."""
    return Actor(UserId(parse_id(user, "user")), parse_roles(roles), address_text(address))


def _keys_of(value: object) -> KeyRing:
    if type(value) is not KeyRing:
        raise Misconfigured(f"keys: expected a KeyRing, got {type(value).__name__}; links cannot be made without keys")
    return value


def _lifetimes_of(value: object) -> Lifetimes:
    if type(value) is not Lifetimes:
        raise Misconfigured(f"lifetimes: expected a Lifetimes, got {type(value).__name__}")
    return value


def _port(value: T, name: str, methods: tuple[str, ...]) -> T:
    """Return what a host plugs in, if it has the methods of its port: a missing one is noticed now, not at a call."""
    for method in methods:
        try:
            is_there = callable(getattr(value, method))
        except Exception:  # noqa: BLE001 - whatever an attribute of a strange object does, it is no method
            is_there = False
        if not is_there:
            raise Misconfigured(
                f"{name}: expected an object with {', '.join(methods)} (extlink.ports), got a {type(value).__name__} "
                f"without {method}"
            )
    return value


def require_ports(storage: S, directory: D) -> tuple[S, D]:
    """Return a store and a directory of either colour, if they have the methods of their ports."""
    methods = ("member", "get", "page", "organizations")
    return _port(storage, "storage", ("read", "list", "commit")), _port(directory, "directory", methods)


def require_operation(value: object) -> None:
    """Refuse anything that is not an operation."""
    if type(value) is not Operation:
        raise InvalidInput(
            "operation", f"expected an operation such as services.enable('slack'), got {type(value).__name__}"
        )


def require_course(value: object) -> None:
    """Refuse anything that is not a course of operations."""
    if not isinstance(value, Generator):
        raise InvalidInput("course", f"expected a course (extlink.operation.Course), got {type(value).__name__}")


def drawn_keys() -> KeyRing:
    """Return a key ring that lives as long as this process."""
    return KeyRing({"k1": Secret(SystemEntropy().draw(32).hex())}, current="k1")


class Hub:
    """What both colours hold: everything but the store and the directory, which have a colour of their own."""

    def __init__(
        self, keys: KeyRing, clock: Clock | None, entropy: Entropy | None, lifetimes: Lifetimes | None
    ) -> None:
        self._keys = _keys_of(keys)
        self._clock = SystemClock() if clock is None else _port(clock, "clock", ("now",))
        self._entropy = SystemEntropy() if entropy is None else _port(entropy, "entropy", ("draw",))
        self._lifetimes = Lifetimes() if lifetimes is None else _lifetimes_of(lifetimes)
        self._cache = Cache(_CACHED_RECORDS)
        self._started = False

    def _now(self) -> Instant:
        try:
            at: object = self._clock.now()
        except Exception as exc:
            raise Unavailable("the clock failed; nothing was done, see the cause") from exc
        if type(at) is not int:
            raise Unavailable(f"the clock gave a {type(at).__name__} where whole seconds since 1970 were asked for")
        return Instant(at)

    def _draw(self, size: int) -> bytes:
        try:
            drawn: object = self._entropy.draw(size)
        except Exception as exc:
            raise Unavailable("the source of randomness failed; nothing was done, see the cause") from exc
        if type(drawn) is not bytes or len(drawn) != size:
            raise Unavailable(f"the source of randomness gave something else where {size} bytes were asked for")
        return drawn

    def _version(self) -> Version:
        return Version((int.from_bytes(self._draw(_VERSION_BYTES)) >> 1) or 1)

    def _token_ledger(self, tenant: TenantId) -> TokenLedger:
        return TokenLedger(tenant, self._keys, self._lifetimes)

    def _checks(self) -> dict[str, str]:
        return {key_id: check.hex() for key_id, check in self._keys.checks.items()}
