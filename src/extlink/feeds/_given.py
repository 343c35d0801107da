"""What the host says of a file that does not say it itself.

Rules: a day is a date without a time, because rows count their age in days from it (`domain.network.Row`).
"""

from __future__ import annotations

from datetime import date

from extlink.errors import InvalidInput

__all__ = ["read_day"]


def read_day(value: object, field: str = "published") -> date | None:
    """Return the day of a file's publication, where the host knows it.

    Raises:
        InvalidInput: something else than a date; a moment is something else.
    """
    if value is None or type(value) is date:
        return value
    raise InvalidInput(field, f"expected a date without a time, got {type(value).__name__}")
