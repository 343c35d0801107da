"""Many questions about access at once, over one snapshot (law 3: a batch says what its questions say one by one).

A batch is made of the questions themselves: `access.explain(...)` and `access.check(...)` as values. It answers them in
their order, at one instant, and writes what they would write. One answer may rest on at most 64 records, and so may a
batch: three of them are of the tenant, four of each service that is asked about (of at most eleven), one of each user,
one of each pair of service and user, and for a check one of each link and one of its client. Any number of questions
about the same few people costs the same two round trips.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final, cast

from extlink.access_checks import CHECKED
from extlink.domain.decision import Decision
from extlink.domain.identifier import parse_items
from extlink.errors import InvalidInput
from extlink.operation import ADMINISTRATORS, Call, Commit, Operation, Steps, operation
from extlink.together import merged, together

__all__ = ["check_many", "explain_many"]

_MAX_REQUESTS: Final = 1_000

Questions = tuple[Operation[Decision], ...]


def _parse(requests: object, name: str) -> Questions:
    """Return the questions of a batch.

    Raises:
        InvalidInput: not a list, more than 1,000, or anything but questions of this name.
    """
    found: list[Operation[Decision]] = []
    for one in parse_items(requests, "requests", _MAX_REQUESTS):
        if not isinstance(one, Operation) or one.name != name:
            got = one.name if isinstance(one, Operation) else type(one).__name__
            raise InvalidInput("requests", f"expected {name}(...) values, got {ascii(got)[1:-1][:64]}")
        found.append(cast("Operation[Decision]", one))
    return tuple(found)


@operation("access.explain_many", by=ADMINISTRATORS)
def _explain_many(call: Call, *, requests: Questions) -> Steps[Commit[tuple[Decision, ...]]]:
    return merged((yield from together([partial(one.start, call) for one in requests])))


def explain_many(requests: Iterable[Operation[Decision]]) -> Operation[tuple[Decision, ...]]:
    """Answer many `access.explain` questions over one snapshot, in their order; writes nothing.

    Source: law 3. For what-if tables: the same people from many addresses, with many flows. Needs
    `common_administrator`.

    Args:
        requests: at most 1,000 `access.explain(...)` values; what they rest on, at most 64 records.

    Raises:
        InvalidInput: not such values, or too many; when run: they rest on more than 64 records.
        Refused: when run: `tenant.not_open`.

    >>> from extlink.access import explain
    >>> explain_many([explain("slack", user=user, address="203.0.113.7") for user in ("sato", "suzuki")]).name
    'access.explain_many'
    """
    return _explain_many(requests=_parse(requests, "access.explain"))


@operation("access.check_many", records=CHECKED)
def _check_many(call: Call, *, requests: Questions) -> Steps[Commit[tuple[Decision, ...]]]:
    return merged((yield from together([partial(one.start, call) for one in requests])))


def check_many(requests: Iterable[Operation[Decision]]) -> Operation[tuple[Decision, ...]]:
    """Decide many calls at once, as `access.check` does each, over one snapshot, in their order.

    Source: law 3, DESIGN 3. For a request that holds several: each part needs an operation of its own, and all are
    decided by the same rules. What is written of them is one commit.

    Args:
        requests: at most 1,000 `access.check(...)` values; what they rest on, at most 64 records.

    Returns:
        The decisions; `all(decisions)` is whether every call is allowed.

    Raises:
        InvalidInput: not such values, or too many; when run: they rest on more than 64 records.
        Refused: when run: `tenant.not_open`.
        StorageError: when run: no answer is no yes.

    >>> from extlink.access import check
    >>> scopes = ("k:app_record:read", "k:app_record:write")
    >>> check_many([check("xl_at_...", scope=scope, address="203.0.113.7") for scope in scopes]).name
    'access.check_many'
    """
    return _check_many(requests=_parse(requests, "access.check"))
