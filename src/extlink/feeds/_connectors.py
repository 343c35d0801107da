"""Lists of connectors as Power Platform writes them: each item is taken, or set aside with its reason.

Rules: an id has one form (`domain.connector`); an item without an id is another shape and is refused by its place,
since it might stand for a rule that blocks.
"""

from __future__ import annotations

from collections.abc import Iterable

from extlink.domain.connector import NEVER_CLASSIFIED, parse_connector
from extlink.domain.identifier import ConnectorId
from extlink.errors import InvalidInput
from extlink.feeds._items import shown_item
from extlink.feeds._json import read_object, read_text
from extlink.feeds.published import SetAside

__all__ = ["read_id", "read_ids"]


def read_id(value: object, place: str) -> ConnectorId:
    """Return the connector that an id names.

    Raises:
        InvalidInput: no id; `place` says where.
    """
    try:
        return parse_connector(read_text(value, place), place)
    except InvalidInput as error:
        raise InvalidInput(place, error.problem) from error


def read_ids(items: Iterable[object], place: str, aside: list[SetAside]) -> tuple[ConnectorId, ...]:
    """Return the connectors of a list of objects with an `id`, each once, in the order of the list."""
    found: dict[ConnectorId, None] = {}
    for i, item in enumerate(items):
        inside = f"{place}[{i}]"
        raw = read_object(item, inside).get("id")
        connector = read_id(raw, f"{inside}.id")
        if connector in NEVER_CLASSIFIED:
            aside.append(SetAside(shown_item(raw), "never classified: it may meet every group"))
        elif connector in found:
            aside.append(SetAside(shown_item(raw), "duplicate"))
        else:
            found[connector] = None
    return tuple(found)
