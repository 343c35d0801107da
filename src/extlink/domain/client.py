"""Client: the OAuth client that a host has authenticated, as a value.

Rule: extlink does not authenticate clients here; the host states whom it has authenticated, and the rules of a link's
life hold the client to the link it was made for. A public client has no secret, so PKCE is never waived for it
(RFC 9700 section 2.1.1).
"""

from __future__ import annotations

from typing import Literal, cast, get_args

import attrs

from extlink.domain.identifier import ClientId, parse_id, plain_text
from extlink.errors import InvalidInput

__all__ = ["Client"]

Kind = Literal["confidential", "public"]
Pkce = Literal["required", "waived_for_confidential_client"]


def _id(value: str) -> ClientId:
    return ClientId(parse_id(value, "client"))


def _kind(value: Kind) -> Kind:
    return cast("Kind", _one_of(value, get_args(Kind), "kind"))


def _pkce(value: Pkce) -> Pkce:
    return cast("Pkce", _one_of(value, get_args(Pkce), "pkce"))


def _one_of(value: object, allowed: tuple[str, ...], field: str) -> str:
    word = plain_text(value)
    if word is None or word not in allowed:
        got = type(value).__name__ if word is None else ascii(word)[:64]
        raise InvalidInput(field, f"expected one of {', '.join(allowed)}, got {got}")
    return word


@attrs.frozen
class Client:
    """An OAuth client whose identity the host has established.

    Args:
        id: the client's id, as registered with the host.
        kind: `confidential` if it authenticated with a secret or key; `public` if it cannot keep one.
        pkce: `waived_for_confidential_client` lets a confidential client omit PKCE (Power Automate sends none).

    Raises:
        InvalidInput: a malformed id, an unknown kind, or PKCE waived for a public client.

    >>> Client("power-automate-jp").kind
    'confidential'
    """

    id: ClientId = attrs.field(converter=_id)
    kind: Kind = attrs.field(default="confidential", converter=_kind, kw_only=True)
    pkce: Pkce = attrs.field(default="required", converter=_pkce, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.kind == "public" and self.pkce != "required":
            raise InvalidInput("pkce", "expected 'required' for a public client: nothing else protects its code")
