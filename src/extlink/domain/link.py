"""A link's life: one transition table, and the values it is made of (DESIGN 6).

Rules: *revoked* is final, nothing leaves it; *suspended* returns by resuming; a link is live if and only if its state
is live and the four epochs it copied when it was accepted equal today's. What tokens do is in `token_ledger`; this
file knows states alone, and the documentation's diagram is read from `TRANSITIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import attrs

from extlink.domain.identifier import ClientId, LinkId, Scope, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.tenant import Epochs
from extlink.errors import Misconfigured

__all__ = [
    "TRANSITIONS",
    "AccessToken",
    "Code",
    "Lifetimes",
    "Link",
    "LinkEvent",
    "LinkState",
    "Rotation",
    "move",
]


class LinkState(StrEnum):
    """Where a link stands."""

    CONSENTED = "consented"
    LIVE = "live"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class LinkEvent(StrEnum):
    """What can happen to a link."""

    REDEEM = "redeem"
    REFRESH = "refresh"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"


# Rows are states, columns events; what is not listed is impossible. Nothing leads out of REVOKED but itself: revoking
# twice is not an error, so that two people may press the button.
TRANSITIONS: Final[Mapping[LinkState, Mapping[LinkEvent, LinkState]]] = MappingProxyType(
    {
        LinkState.CONSENTED: MappingProxyType(
            {LinkEvent.REDEEM: LinkState.LIVE, LinkEvent.REVOKE: LinkState.REVOKED},
        ),
        LinkState.LIVE: MappingProxyType(
            {
                LinkEvent.REFRESH: LinkState.LIVE,
                LinkEvent.SUSPEND: LinkState.SUSPENDED,
                LinkEvent.REVOKE: LinkState.REVOKED,
            },
        ),
        LinkState.SUSPENDED: MappingProxyType(
            {
                LinkEvent.SUSPEND: LinkState.SUSPENDED,
                LinkEvent.RESUME: LinkState.LIVE,
                LinkEvent.REVOKE: LinkState.REVOKED,
            },
        ),
        LinkState.REVOKED: MappingProxyType({LinkEvent.REVOKE: LinkState.REVOKED}),
    },
)


def move(state: LinkState, event: LinkEvent) -> LinkState | None:
    """Return the state after an event, or None where the table has no such row.

    >>> move(LinkState.LIVE, LinkEvent.REVOKE), move(LinkState.REVOKED, LinkEvent.RESUME)
    (<LinkState.REVOKED: 'revoked'>, None)
    """
    return TRANSITIONS[state].get(event)


_DAY: Final = 86_400
_TEN_YEARS: Final = 3_650 * _DAY


def _within(least: int, most: int) -> Callable[[object, attrs.Attribute[int], object], None]:
    def check(_lifetimes: object, attribute: attrs.Attribute[int], value: object) -> None:
        if type(value) is not int or not least <= value <= most:
            name = attribute.name
            raise Misconfigured(f"lifetimes: expected {name} as whole seconds from {least:,} to {most:,}")

    return check


@attrs.frozen(kw_only=True)
class Lifetimes:
    """How long things live, in seconds; the host may shorten or lengthen within the stated bounds.

    Args:
        consent: from `begin` to `accept`; 1 to 3,600.
        code: 1 to 60 (ASVS 10.4.3, level 3).
        access: 1 to 86,400; the product's own is 3,600.
        refresh_idle: a link that is not refreshed for so long ends (RFC 9700 section 4.14.2); at most ten years.
        refresh_absolute: a link ends so long after its acceptance whatever happens (ASVS 10.4.8); at most ten years.
        retry_confirmed: how long after a rotation a confidential client may ask again although the answer was used;
            0 to 30.
        retry_public: how long a public client may ask again for an answer that nobody has used; 0 to 600.

    Raises:
        Misconfigured: a value beyond its bounds.

    >>> Lifetimes(access=900).access
    900
    """

    consent: int = attrs.field(default=600, validator=_within(1, 3_600))
    code: int = attrs.field(default=60, validator=_within(1, 60))
    access: int = attrs.field(default=3_600, validator=_within(1, _DAY))
    refresh_idle: int = attrs.field(default=180 * _DAY, validator=_within(1, _TEN_YEARS))
    refresh_absolute: int = attrs.field(default=_TEN_YEARS, validator=_within(1, _TEN_YEARS))
    retry_confirmed: int = attrs.field(default=30, validator=_within(0, 30))
    retry_public: int = attrs.field(default=600, validator=_within(0, 600))


@attrs.frozen(kw_only=True)
class Code:
    """An authorization code as it is kept: its digest and what it is bound to (RFC 6749 4.1.3, RFC 7636 4.4).

    Args:
        redirect_named: whether the client named the redirect URI in its authorization request, and so has to repeat it;
            one that has a single URI need not.
    """

    digest: bytes = attrs.field(repr=False)
    expires: Instant
    redirect_uri: str
    challenge: str | None
    redirect_named: bool = True


@attrs.frozen
class AccessToken:
    """An access token as it is kept; at most four per link, so that one in use outlives a rotation."""

    generation: int
    digest: bytes = attrs.field(repr=False)
    expires: Instant
    scopes: frozenset[Scope]


@attrs.frozen(kw_only=True)
class Rotation:
    """The refresh tokens as they are kept: the current one, the one before, and how the former followed the latter.

    Args:
        generation: the number of the current refresh token; 0 before the code is redeemed.
        current, previous: digests.
        salt: drawn at the rotation, kept until the next: with the previous token it yields the current one again.
        key_id: the key the current tokens were made under.
        at: when the current one was issued.
        scopes: what was asked for in that rotation; a retry must ask the same.
        confirmed: whether the answer is known to have arrived.
    """

    generation: int = 0
    current: bytes = attrs.field(default=b"", repr=False)
    previous: bytes = attrs.field(default=b"", repr=False)
    salt: bytes = attrs.field(default=b"", repr=False)
    key_id: str = ""
    at: Instant = Instant(0)
    scopes: frozenset[Scope] = frozenset()
    confirmed: bool = False


@attrs.frozen(kw_only=True)
class Link:
    """A live connection to a service: what the account page shows and revokes.

    Args:
        owner: the user it acts for; None: the tenant itself (a workspace connection).
        client: the OAuth client that holds the tokens; one link per owner, service and client.
        public: whether that client can keep no secret.
        epochs: copied when it was accepted; it lives only while they equal today's.
        grants_at: the edit number of the service's grants when it was accepted.
        scopes: what the owner consented to.
        resource: the audience of its tokens (RFC 8707), if one was named.
        ended_by: who or what revoked or suspended it.
        idle_until: when it ends if its tokens are not renewed; None before there are any.
        pinned: whether its calls must come from the ranges that the service publishes.
    """

    id: LinkId
    owner: UserId | None
    service: ServiceId
    client: ClientId
    public: bool
    state: LinkState
    epochs: Epochs
    grants_at: int
    scopes: frozenset[Scope]
    resource: str | None
    accepted_at: Instant
    expires: Instant
    code: Code
    access: tuple[AccessToken, ...] = ()
    rotation: Rotation = Rotation()
    ended_by: str = ""
    ended_at: Instant | None = None
    idle_until: Instant | None = None
    pinned: bool = False

    def is_over(self, at: Instant) -> bool:
        """Whether the link has outlived its time: since it was accepted, or since its tokens were last renewed."""
        return at >= self.expires or (self.idle_until is not None and at >= self.idle_until)

    @property
    def renewed(self) -> Instant:
        """When its tokens were last renewed, or it was accepted: a call can be at most an access token's life later."""
        return max(self.accepted_at, self.rotation.at)

    def narrowed(self, scopes: frozenset[Scope]) -> Link:
        """Return the link for some of its operations; access tokens for more than these are forgotten, and so dead."""
        return attrs.evolve(self, scopes=scopes, access=tuple(one for one in self.access if one.scopes <= scopes))

    def moved(self, event: LinkEvent, by: str, at: Instant) -> Link | None:
        """Return the link after an event that a person or a rule brought about, or None where it is impossible."""
        state = move(self.state, event)
        if state is None:
            return None
        if state is self.state:
            return self
        ended = state in {LinkState.REVOKED, LinkState.SUSPENDED}
        return attrs.evolve(self, state=state, ended_by=by if ended else "", ended_at=at if ended else None)
