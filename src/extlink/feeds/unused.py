"""Unused: an item of a definitions file that is not used, with its place and its reason."""

from __future__ import annotations

import attrs

__all__ = ["Unused"]

_MAX_PLACE = 255


def _place(place: str) -> str:
    return ascii(place)[1:-1][:_MAX_PLACE]


@attrs.frozen
class Unused:
    r"""An item of a file, or a part of one, that is not used; never with what it holds, which may be a secret.

    Args:
        place: where it stands, as `properties.connectionParameters.token`; in ASCII, cut at 255 characters.
        reason: one sentence that says what was expected, or why it is not taken.

    >>> Unused("日本.clientSecret", "never taken").place
    '\\u65e5\\u672c.clientSecret'
    """

    place: str = attrs.field(converter=_place)
    reason: str
