"""What a change would do, before it is made: preview, page, and apply to the very tenant that was looked at (N2).

Rules: a preview is the operation itself, carried out on records that are never written (`preview_world`): what it says
is what applying it does (DESIGN 9 law 7). Nothing is written, not even that somebody was not permitted; no randomness
is drawn; the operation's own result, which may hold a secret, is shown to nobody. Whoever previews an operation needs
the roles that it asks for itself, and to ask about other people or another day those of an administrator or the host.

The whole tenant is looked through, a batch at a time. If anything is decided meanwhile, the look is void and taken
again, three times at most; what a tenant in use records all day, refused calls and renewed tokens, decides nothing.
Memberships are the host's and have no position: they must stand still for it (DESIGN 8).
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, TypeVar, cast

import attrs

from extlink.domain.event import Event
from extlink.domain.identifier import UserId
from extlink.domain.impact import (
    EXAMPLES,
    AffectedFlow,
    AffectedLink,
    Impact,
    Rows,
    Sample,
    ServiceImpact,
)
from extlink.domain.instant import Instant, parse_instant
from extlink.domain.reason import Reason
from extlink.domain.tenant import HOST
from extlink.errors import InvalidInput, Refused
from extlink.inputs import given_directory, text, whole
from extlink.ledger_entries import NO_CHANGES
from extlink.ledger_position import LOOKS, last_since, moved_on, position_of
from extlink.operation import (
    ADMINISTRATORS_AND_HOST,
    Call,
    Commit,
    Definition,
    Now,
    Operation,
    Steps,
    ask,
    operation,
)
from extlink.ports import Position
from extlink.preview_scans import SCANS, START, Found, Part, Place, Scan
from extlink.preview_world import Outcome, World, carried_out, made

__all__ = ["AffectedFlow", "AffectedLink", "Impact", "Rows", "Sample", "ServiceImpact", "more", "preview"]

T = TypeVar("T")
Affected = UserId | AffectedLink | AffectedFlow
_SETTINGS: Final = frozenset({"tenant.setting_changed"})
_MAX_POSITION: Final = 2**53
_MAX_CURSOR: Final = 16_384
_MAX_PAGE: Final = 500
_NOBODY: Final[Sample[object]] = Sample()
_SCAN_OF: Final[Mapping[str, Scan]] = {part: scan for scan, parts in SCANS.items() for part in parts}


@attrs.frozen(kw_only=True)
class _Question:
    """What is asked: an operation or none, other people or the same, another instant or now."""

    operation: Operation[object] | None
    directory: object | None
    at: Instant | None

    @property
    def is_wider(self) -> bool:
        """Whether more is asked than what an operation changes."""
        return self.operation is None or self.directory is not None or self.at is not None

    def refusal(self, call: Call) -> tuple[Reason, ...]:
        """Return why the actor may not ask it; what an operation needs, it asks for itself."""
        if not self.is_wider or not ADMINISTRATORS_AND_HOST.isdisjoint(call.actor.roles):
            return ()
        roles = tuple(sorted(ADMINISTRATORS_AND_HOST))
        return (Reason("actor.not_permitted", {"operation": "previews.preview", "roles": roles}),)

    def looked_into(self, call: Call, now: Instant | None = None) -> Steps[tuple[Outcome, World | None, Instant]]:
        """Return what the operation would come to, both sides of the tenant, and the instant of the first."""
        outcome = Outcome()
        if self.operation is not None:
            outcome = yield from carried_out(call, self.operation, self.directory)
        clock = yield from ask(Now())
        start = clock if now is None else now
        then = start if self.at is None else self.at
        if then < start:
            raise InvalidInput("at", "expected an instant that is still to come")
        world = yield from made(call, outcome.changes, self.directory, start, then)
        if world is None and call.tenant != HOST and not outcome.changes:
            raise Refused(Reason("tenant.not_open", {"tenant": call.tenant}))
        return outcome, world, start


@attrs.frozen(kw_only=True)
class _Cursor:
    """Where a page goes on: of what, at which positions and instant, after how many of the batch at a place."""

    positions: tuple[int, int]
    now: Instant
    place: Place
    part: Part = "gained"
    service: str = ""
    skip: int = 0

    def pack(self) -> str:
        """Return it as text."""
        fields = [self.part, self.service, *self.positions, self.now, *self.place, self.skip]
        return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode()

    @staticmethod
    def unpack(value: object) -> _Cursor:
        """Return what `pack` wrote.

        Raises:
            InvalidInput: anything else.
        """
        given = text(value, "cursor", _MAX_CURSOR)
        try:
            fields: object = json.loads(base64.b64decode(given.encode(), b"-_", validate=True))
            part, service, position, host, now, number, after, skip = cast("list[object]", fields)
            scan = _SCAN_OF[cast("str", part)]
            return _Cursor(
                part=next(one for one in SCANS[scan] if one == part),
                service=text(service, "cursor", _MAX_CURSOR),
                positions=(_counted(position), _counted(host)),
                now=Instant(whole(now, "cursor", -_MAX_POSITION, _MAX_POSITION)),
                place=(whole(number, "cursor", 0, 1), text(after, "cursor", _MAX_CURSOR)),
                skip=_counted(skip),
            )
        except (ValueError, TypeError, KeyError, RecursionError):
            raise InvalidInput("cursor", "expected the cursor of a preview or of a page of it") from None


def _counted(value: object) -> int:
    return whole(value, "cursor", 0, _MAX_POSITION)


def _still(events: Iterable[Event], at: Instant | None) -> frozenset[str]:
    """Return the events after which a tenant is still the one that was looked at.

    Of another day, and of a setting - how long a link may lie idle, say - a renewed token changes what is told.
    """
    return frozenset() if at is not None or any(one.name in _SETTINGS for one in events) else NO_CHANGES


def _positions(call: Call) -> Steps[tuple[int, int]]:
    """Return where the tenant's ledger is, and the host's: what it says of services holds in every tenant."""
    return (yield from position_of(call.tenant)), (yield from position_of(HOST))


def _stand(call: Call, positions: tuple[int, int], still: frozenset[str]) -> Steps[Position | None]:
    """Return where the tenant's ledger is by now; None if it moved on, or the host's did."""
    last = yield from last_since(call.tenant, positions[0], still)
    host = yield from last_since(HOST, positions[1], still)
    return None if host is None else last


@operation("previews.preview")
def _preview(call: Call, *, question: _Question) -> Steps[Commit[Impact]]:
    refusal = question.refusal(call)
    if refusal:
        return Commit(Impact(position=(yield from position_of(call.tenant)), refusal=refusal))
    for _ in range(LOOKS):
        positions = yield from _positions(call)
        impact = yield from _look(call, question, positions)
        last = yield from _stand(call, positions, _still(impact.events, question.at))
        if last is not None:
            return Commit(attrs.evolve(impact, position=last))
    raise moved_on()


def _look(call: Call, question: _Question, positions: tuple[int, int]) -> Steps[Impact]:
    outcome, world, now = yield from question.looked_into(call)
    impact = Impact(position=positions[0], refusal=outcome.refusal, events=outcome.events)
    if world is None or not (outcome.changes or question.is_wider):
        return impact
    found: dict[tuple[Part, str], Sample[object]] = {}
    for scan in SCANS:
        place: Place | None = START
        while place is not None:
            batch, following = yield from scan(world, place)
            _count(found, batch, _Cursor(positions=positions, now=now, place=place))
            place = following
    return _told(impact, world, found)


def _count(found: dict[tuple[Part, str], Sample[object]], batch: list[Found], here: _Cursor) -> None:
    """Add what one batch held; each sample keeps the place of the last example that it shows."""
    seen: Counter[tuple[Part, str]] = Counter()
    for part, service, item in batch:
        kind = (part, service)
        seen[kind] += 1
        known = found.get(kind, _NOBODY)
        if known.count < EXAMPLES:
            cursor = attrs.evolve(here, part=part, service=service, skip=seen[kind])
            known = Sample(known.count, (*known.examples, item), cursor.pack())
        found[kind] = attrs.evolve(known, count=known.count + 1)


def _told(impact: Impact, world: World, found: Mapping[tuple[Part, str], Sample[object]]) -> Impact:
    def sample(part: Part, service: str = "") -> Sample[object]:
        known = found.get((part, service), _NOBODY)
        return known if known.count > EXAMPLES else attrs.evolve(known, cursor=None)

    services = tuple(
        ServiceImpact(
            service=service,
            gained=cast("Sample[UserId]", sample("gained", service)),
            lost=cast("Sample[UserId]", sample("lost", service)),
        )
        for service in sorted(world.services)
        if not {("gained", service), ("lost", service)}.isdisjoint(found)
    )
    return attrs.evolve(
        impact,
        services=services,
        ended=cast("Sample[AffectedLink]", sample("ended")),
        paused=cast("Sample[AffectedLink]", sample("paused")),
        resumed=cast("Sample[AffectedLink]", sample("resumed")),
        illegal=cast("Sample[AffectedFlow]", sample("illegal")),
        legal=cast("Sample[AffectedFlow]", sample("legal")),
        unadmitted=cast("Sample[AffectedLink]", sample("unadmitted")),
        rows=world.rows,
    )


def _question(operation: object, directory: object, at: object) -> _Question:
    if operation is not None and type(operation) is not Operation:
        raise InvalidInput("operation", f"expected an operation, or None, got {type(operation).__name__}")
    return _Question(
        operation=cast("Operation[object] | None", operation),
        directory=given_directory(directory),
        at=None if at is None else parse_instant(at, "at"),
    )


def preview(
    operation: Operation[object] | None = None, *, directory: object | None = None, at: datetime | None = None
) -> Operation[Impact]:
    """Say what an operation would change: who gains and loses which service, which links end, pause or work again.

    Source: N2, DESIGN 4 and 9 (law 7). Nothing is written. Without an operation it tells what other people or another
    day change by themselves. A refused operation shows in `Impact.refusal`. Run on `hub.host()` it tells the events
    alone, since no tenant is looked into there.

    Args:
        operation: None: nothing is done.
        directory: people as they will be, of the hub's colour: a reorganization, before it takes place. The operation
            is carried out among them; what is done before people move, such as `grants.organization_removed`, is
            previewed without.
        at: a later, aware instant: what expires until then counts as well.

    Raises:
        InvalidInput: malformed arguments; when run: an instant that is past.
        Refused: when run: `tenant.not_open`, `directory.unavailable`.
        Contention: when run: the tenant moved on during every look.

    >>> from extlink.services import disable
    >>> preview(disable("slack")).name
    'previews.preview'
    """
    return _preview(question=_question(operation, directory, at))


@operation("previews.more")
def _more(call: Call, *, cursor: _Cursor, question: _Question, limit: int) -> Steps[Commit[Sample[Affected]]]:
    refusal = question.refusal(call)
    if refusal:
        raise Refused(refusal[0])
    outcome, world, _ = yield from question.looked_into(call, cursor.now)
    items: list[object] = []
    place: Place | None = None if world is None else cursor.place
    skip = cursor.skip
    while world is not None and place is not None and len(items) < limit:
        batch, onward = yield from _SCAN_OF[cursor.part](world, place)
        mine = [item for part, service, item in batch if (part, service) == (cursor.part, cursor.service)]
        taken = mine[skip : skip + limit - len(items)]
        items += taken
        skip += len(taken)
        place, skip = (place, skip) if skip < len(mine) else (onward, 0)
    if (yield from _stand(call, cursor.positions, _still(outcome.events, question.at))) is None:
        raise Refused(Reason("tenant.moved_on", {"tenant": call.tenant}))
    following = None if place is None else attrs.evolve(cursor, place=place, skip=skip).pack()
    return Commit(Sample(len(items), cast("tuple[Affected, ...]", tuple(items)), following))


def more(
    cursor: str,
    operation: Operation[object] | None = None,
    *,
    directory: object | None = None,
    at: datetime | None = None,
    limit: int = 100,
) -> Operation[Sample[Affected]]:
    """Go on where the examples of a preview, or the page before, stopped: page by page, every one that is affected.

    A page may hold fewer than `limit`, even none, and still have a next one; its count is its own.

    Args:
        cursor: of the `Sample`.
        operation, directory, at: what was previewed; the cursor says only where to go on.
        limit: 1 to 500.

    Raises:
        InvalidInput: malformed arguments, or something else than a cursor.
        Refused: when run: `tenant.moved_on` if anything was decided since the preview.

    >>> more("nonsense")
    Traceback (most recent call last):
    extlink.errors.InvalidInput: cursor: expected the cursor of a preview or of a page of it
    """
    return _more(
        cursor=_Cursor.unpack(cursor),
        question=_question(operation, directory, at),
        limit=whole(limit, "limit", 1, _MAX_PAGE),
    )


def expecting(operation: Operation[T], expected: object) -> Operation[T]:
    """Return the operation that writes only into the tenant as it was at a position of its ledger.

    What is recorded of a refusal is recorded all the same: that holds wherever the tenant is.

    Raises:
        InvalidInput: something else than a position.
    """
    position = Position(whole(expected, "expected", 0, _MAX_POSITION))

    def there(call: Call, *, operation: Operation[T], expected: Position) -> Steps[Commit[T]]:
        commit = yield from operation.start(call)
        if commit.error is not None or commit.is_aside:
            return commit
        last = yield from last_since(call.tenant, expected, _still(commit.events, None))
        if last is None:
            raise Refused(Reason("tenant.moved_on", {"tenant": call.tenant}))
        # The store compares the position again, in the same instant in which it writes.
        return attrs.evolve(commit, expected=last)

    definition = Definition(operation.name, frozenset(), operation.definition.records, there)
    return Operation(definition, {"operation": operation, "expected": position})
