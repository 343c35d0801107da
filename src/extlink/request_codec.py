"""Requests for access to JSON-able fields and back, and their image in the ledger.

Rule: what a user wrote to the administrators is in the record and never in its image: it goes with the record.
"""

from __future__ import annotations

from typing import Final, cast

from extlink.domain.event import Detail
from extlink.domain.grant_request import GrantRequest, OpenRequests, RequestState
from extlink.domain.identifier import ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.fields import as_instant, as_map, as_one_of, as_scopes, as_text, as_whole

__all__ = [
    "read_open_requests",
    "read_request",
    "read_request_image",
    "request_image",
    "write_open_requests",
    "write_request",
]

_STATES: Final = frozenset({"open", "approved", "declined", "expired"})


def _scopes(scopes: frozenset[str] | None) -> Detail:
    return None if scopes is None else tuple(sorted(scopes))


def request_image(request: GrantRequest) -> dict[str, Detail]:
    """What the ledger keeps of a request: everything but the user's own words."""
    return {
        "user": request.user,
        "service": request.service,
        "scopes": _scopes(request.scopes),
        "made_at": request.made_at,
        "expires": request.expires,
        "state": request.state,
        "granted": _scopes(request.granted),
        "cause": request.cause,
        "answered_at": request.answered_at,
    }


def write_request(request: GrantRequest) -> object:
    """Fields of a request."""
    return {**request_image(request), "message": request.message}


def read_request(value: object) -> GrantRequest:
    """Read what `write_request` wrote."""
    fields = as_map(value)
    scopes, granted = fields["scopes"], fields["granted"]
    return GrantRequest(
        user=UserId(as_text(fields["user"])),
        service=ServiceId(as_text(fields["service"])),
        scopes=None if scopes is None else as_scopes(scopes),
        made_at=Instant(as_whole(fields["made_at"])),
        expires=Instant(as_whole(fields["expires"])),
        message=as_text(fields["message"]),
        state=cast("RequestState", as_one_of(fields["state"], _STATES)),
        granted=None if granted is None else as_scopes(granted),
        cause=as_text(fields["cause"]),
        answered_at=as_instant(fields["answered_at"]),
    )


def read_request_image(value: object) -> GrantRequest:
    """Read what `request_image` wrote: the request without the user's own words."""
    return read_request({**as_map(value), "message": ""})


def write_open_requests(held: OpenRequests) -> Detail:
    """Fields of the count of open requests."""
    return {str(day): count for day, count in held.by_day.items()}


def read_open_requests(value: object) -> OpenRequests:
    """Read what `write_open_requests` wrote."""
    return OpenRequests({int(day): as_whole(count) for day, count in as_map(value).items()})
