"""The endpoints of an authorization server as operations, for registered clients; `extlink.http` gives them addresses.

authorize -> consent page -> consent | decline             the user's part
push, exchange, revoke, introspect                         the client's part

Order of checks: parse - the client - the token belongs to it - link and gates - PKCE, redirect, scope, resource -
consume - issue (DESIGN 6).
"""

from __future__ import annotations

from extlink.endpoint_consent import Redirect, authorize, consent, decline
from extlink.endpoint_pushed import PushedRequest, push
from extlink.endpoint_tokens import Introspection, exchange, introspect, revoke

__all__ = [
    "Introspection",
    "PushedRequest",
    "Redirect",
    "authorize",
    "consent",
    "decline",
    "exchange",
    "introspect",
    "push",
    "revoke",
]
