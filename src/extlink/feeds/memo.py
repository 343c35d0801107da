"""The memo of a published row: from which list it came, in words that a person reads and this module reads back.

The form is `NAME vVERSION DAY (KIND:CLOUD)`, as `AzureConnectors.JapanEast v89 2025-01-23 (azure-service-tags:Public)`;
the day is left out where nobody knows it. Lists that one row serves together are named one after the other, as
`AzureConnectors v53 + LogicApps v48 2025-01-23 (azure-service-tags:Public)`. A list that is exported thus tells of each
row where it came from, and in which version, without anything beside it.

Rules: what is read back is exactly what was written. An administrator's own memo is never replaced, and never read as
ours unless it has exactly the form. A source that the form cannot hold is not written, so that nothing is read wrongly.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from extlink.domain.identifier import plain_text
from extlink.domain.network import Row
from extlink.errors import InvalidInput

__all__ = ["memo_for", "read_memo"]

_MAX_TEXT: Final = 1_000
# How `domain.allow_list` joins what a row of a plan serves.
_AND: Final = ", "
_LIST: Final = re.compile(r"(?P<name>[^\x00-\x1f\x7f]+) v(?P<version>[!-'*-~]+)")
# Version and day hold no blank, so whatever a name holds, the last two or three words are told apart in one way only.
_FORM: Final = re.compile(
    r"(?P<name>[^\x00-\x1f\x7f]+) v(?P<version>[!-'*-~]+)(?: (?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}))?"
    r" \((?P<kind>[a-z0-9-]+):(?P<cloud>[^():\x00-\x1f\x7f]+)\)"
)


def memo_for(row: Row) -> str:
    """Return the memo to write for a row: the form, or the row's own memo.

    The form is written for a row whose source, `KIND:CLOUD:NAME`, and version fit into it, and whose memo is empty or
    the name of the list, as `rows_of` makes it. Every other row keeps its memo: an administrator's words go first.

    Raises:
        InvalidInput: not a row.

    >>> from extlink.domain.address import parse_range
    >>> row = Row(range=parse_range("20.89.11.48/28"), source="azure-service-tags:Public:AzureConnectors", version="53")
    >>> memo_for(row)
    'AzureConnectors v53 (azure-service-tags:Public)'
    """
    if type(row) is not Row:
        raise InvalidInput("row", f"expected a Row, got {type(row).__name__}")
    sources, versions = row.source.split(_AND), row.version.split(_AND)
    kind, _, rest = sources[0].partition(":")
    cloud = rest.partition(":")[0]
    names = [source.removeprefix(f"{kind}:{cloud}:") for source in sources]
    if row.memo in {"", _AND.join(sorted(names))}:
        lists = " + ".join(f"{name} v{version}" for name, version in zip(names, versions, strict=False))
        day = f" {row.published.isoformat()}" if row.published else ""
        text = f"{lists}{day} ({kind}:{cloud})"
        if read_memo(text) == (row.source, row.version, row.published):
            return text
    return row.memo


def read_memo(memo: str) -> tuple[str, str, date | None] | None:
    """Return source, version and day of publication that a memo of the form tells; None for every other memo.

    >>> read_memo("AzureConnectors v53 2025-01-23 (azure-service-tags:Public)")
    ('azure-service-tags:Public:AzureConnectors', '53', datetime.date(2025, 1, 23))
    >>> read_memo("head office (since 2019)")
    """
    text = plain_text(memo)
    found = _FORM.fullmatch(text) if text is not None and len(text) <= _MAX_TEXT else None
    if found is None:
        return None
    try:
        published = date.fromisoformat(found["day"]) if found["day"] else None
    except ValueError:  # no day of any calendar
        return None
    *others, last = found["name"].split(" + ")
    lists = [_LIST.fullmatch(other) for other in others]
    told = [(one["name"], one["version"]) for one in lists if one is not None]
    if len(told) < len(others):  # a plus sign in the name of a single list
        told, last = [], found["name"]
    told.append((last, found["version"]))
    where = f"{found['kind']}:{found['cloud']}:"
    return _AND.join(where + name for name, _ in told), _AND.join(version for _, version in told), published
