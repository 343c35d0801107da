"""What is kept of a command that came with an idempotency key, so that the same command again comes to the same.

Rules: a secret is never kept; where a result holds one, what is kept says of which link it was, and the secret is
derived again. The bytes a command drew follow from the host's key and a number that is kept, so they need not be.
"""

from __future__ import annotations

import attrs

from extlink.domain.identifier import LinkId
from extlink.domain.reason import Reason

__all__ = ["CodeAgain", "Outcome", "TokensAgain"]


@attrs.frozen
class CodeAgain:
    """The result was an acceptance: its code is derived again while it waits to be redeemed."""

    link: LinkId


@attrs.frozen
class TokensAgain:
    """The result was a set of tokens: they are derived again from what was presented, while they are the newest."""

    link: LinkId


@attrs.frozen(kw_only=True)
class Outcome:
    """What a command came to.

    Args:
        fingerprint: keyed digest of the operation and all its arguments.
        key_id: the host's key that it was made under, and that the command drew under.
        nonce: drawn for the command; tells its draws from those of any other.
        result: what the caller got, or what it follows from.
        error: the refusal that was raised once it was recorded.
    """

    fingerprint: bytes = attrs.field(repr=False)
    key_id: str
    nonce: bytes = attrs.field(repr=False)
    result: object = None
    error: Reason | None = None
