"""Secret: the only place a token, code or key lives outside the caller's own variables (DESIGN 6, law 14)."""

from __future__ import annotations

import hmac
from typing import Final, Never, final

from extlink.domain.identifier import plain_text
from extlink.errors import InvalidInput

__all__ = ["Secret"]


@final
class Secret:
    """Text that no repr, format, pickle or log carries; `reveal()` is the one way out.

    Two secrets are compared in constant time. A Secret is not hashable, so it cannot become a key of a dict that is
    printed. Source: DESIGN 6, PROMISES P25.

    Args:
        value: the secret text.

    Raises:
        InvalidInput: `value` is not text.

    >>> token = Secret("xl_at_example")
    >>> token
    Secret(***)
    >>> f"{token}"
    'Secret(***)'
    >>> token == Secret("xl_at_example")
    True
    >>> token.reveal()
    'xl_at_example'
    """

    __slots__ = ("_value",)
    _value: str
    __hash__: Final = None  # type: ignore[assignment]

    def __init__(self, value: str) -> None:
        text = plain_text(value)
        if text is None:
            raise InvalidInput("secret", f"expected text, got {type(value).__name__}")
        object.__setattr__(self, "_value", text)

    def reveal(self) -> str:
        """Return the secret text; call it only where it leaves for its owner."""
        return self._value

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(name)

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(name)

    def __eq__(self, other: object) -> bool:
        if type(other) is not Secret:
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"),
            other._value.encode("utf-8", "surrogatepass"),
        )

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "Secret(***)"

    def __format__(self, format_spec: str) -> str:
        return "Secret(***)"

    def __reduce__(self) -> Never:
        raise TypeError("a Secret is not pickled or copied out of the process; pass reveal() to its owner instead")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self
