"""The text or the bytes of a published file, whatever the host hands over in their place.

Rules: what is neither is refused; the type is asked and never the object, which may say anything of itself.
"""

from __future__ import annotations

from typing import cast

from extlink.domain.identifier import plain_text
from extlink.errors import InvalidInput

__all__ = ["plain_data"]


def plain_data(data: object, field: str, *, megabytes: int) -> str | bytes:
    """Return text or bytes as such, whatever a subclass makes of them.

    Raises:
        InvalidInput: something else; more letters or bytes than so many millions.

    >>> plain_data("a", "data", megabytes=1), plain_data(b"a", "data", megabytes=1)
    ('a', b'a')
    """
    found: str | bytes | None = plain_text(data)
    if found is None and issubclass(type(data), bytes):
        found = bytes.__getitem__(cast("bytes", data), slice(None))
    if found is None:
        raise InvalidInput(field, f"expected the text or the bytes of a file, got {type(data).__name__}")
    if len(found) > megabytes * 1_000_000:
        raise InvalidInput(field, f"expected at most {megabytes} MB, got more")
    return found
