"""Operations as values: what a host asks for, written once for sync and async hosts (DESIGN 4).

An operation is a frozen value - its name, its arguments, the generator that carries it out. Inside, the generator
*asks* (`answer = yield from ask(step)`) and *returns one commit*. Whoever runs it answers the steps, commits with the
versions it read, and on a conflict starts the generator anew: so an operation never sees a half-changed world, and
optimistic retry lives in one place.

    Now      the operation's one instant; never earlier than the newest stamp of a record it read
    Draw     random bytes
    Read     records, all from one snapshot together with everything read before
    Recall   records as they once were, without asking the store
    List     a page of records or ledger entries
    Peek     records as they are at this moment, for scans: they guard nothing
    Lookup   the host's directory
    Ledger   the token rules with the host's keys
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Concatenate, Final, Generic, Never, ParamSpec, Protocol, TypeVar, cast

import attrs

from extlink.domain.directory import CandidateQuery, DirectoryPage, Member, Organization
from extlink.domain.event import Event
from extlink.domain.identifier import TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.reason import Reason
from extlink.domain.tenant import HOST, Actor, Role
from extlink.domain.token_ledger import TokenLedger
from extlink.errors import ExtlinkError, InvalidInput, Refused
from extlink.ports import Key, Page, Position, Query
from extlink.records import RecordKey, tenant_key

__all__ = [
    "Answers",
    "Bundle",
    "Bundled",
    "Call",
    "Change",
    "Commit",
    "Course",
    "Definition",
    "Draw",
    "Ledger",
    "List",
    "Lookup",
    "Now",
    "Operation",
    "Peek",
    "Read",
    "Recall",
    "Step",
    "Steps",
    "Unanswered",
    "Unremembered",
    "ask",
    "denied",
    "driven",
    "following",
    "operation",
    "remembered",
]

T = TypeVar("T")
P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)


class Step(Generic[T_co]):
    """Something an operation needs from outside; the type parameter is the type of its answer."""

    __slots__ = ()


Steps = Generator[Step[object], object, T]


def ask(step: Step[T]) -> Steps[T]:
    """Return the typed answer to a step; always written `yield from` this."""
    return cast("T", (yield step))


@attrs.frozen
class Now(Step[Instant]):
    """Ask for the operation's instant; ask after the reads it shall not be earlier than."""


@attrs.frozen
class Draw(Step[bytes]):
    """Ask for unpredictable bytes."""

    size: int


@attrs.frozen
class Answers:
    """The records a `Read` found, by key."""

    values: Mapping[Key, object]

    bundled: Bundled | None = attrs.field(default=None, eq=False, repr=False)

    def get(self, record: RecordKey[T]) -> T | None:
        """Return the record under a key that was asked for, or None where there is none."""
        return cast("T | None", self.values[record.key])

    def of(self, bundle: Bundle[T]) -> T:
        """Return what is made of a bundle that was asked for: made once for the same versions of its records."""
        held = self.bundled
        if held is None or held.bundle is not bundle:
            return bundle.make(self)
        if held.made is None:
            held.made = bundle.make(self)
        return cast("T", held.made)


class Readable(Protocol):
    """A record key whatever its kind: where to look, and how to read what lies there."""

    @property
    def key(self) -> Key:
        """Where the record lies."""
        ...

    def decode(self, data: bytes, /) -> tuple[object, Instant]:
        """Return the record and the instant it was written at."""
        ...


@attrs.frozen(eq=False)
class Bundle(Generic[T_co]):
    """Records that are read together again and again, and what is made of them.

    While every one of them has the version it had, they are compared as one and nothing is made anew.

    Args:
        keys: where they lie, at least one, each once.
        make: a pure function of these records alone.
    """

    keys: tuple[Readable, ...]
    make: Callable[[Answers], T_co]
    places: tuple[Key, ...] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "places", tuple(record.key for record in self.keys))

    def read(self, *more: Readable) -> Steps[Answers]:
        """Ask for the bundle and for further records, all of one snapshot."""
        return ask(Read((*self.keys, *more), self))


class Bundled:
    """What was made of a bundle's records as they were read once."""

    __slots__ = ("bundle", "made")

    def __init__(self, bundle: Bundle[object]) -> None:
        self.bundle: Bundle[object] = bundle
        self.made: object = None


@attrs.frozen
class Read(Step[Answers]):
    """Ask for records, at most 64 in one operation.

    Args:
        keys: every record that is asked for.
        bundle: those that come first among them, where they are read together again and again.
    """

    keys: tuple[Readable, ...]
    bundle: Bundle[object] | None = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen
class Recall(Step["Answers"]):
    """Ask which of some records are remembered: not what they hold today, only what once was written under their keys.

    What never changes in a record may be taken from it, so that everything else is read in one round trip.
    """

    keys: tuple[Readable, ...]


@attrs.frozen
class List(Step[Page]):
    """Ask for a bounded page; it never guards a write, so records that matter are read again by key."""

    query: Query


@attrs.frozen
class Peek(Step[Answers]):
    """Ask for records, at most 64, as they are at this moment: they guard no write and are not held to any snapshot.

    For scans, which would otherwise hold everything they met; as for a list, what matters is read again by key. Kinds
    that may be cut into pieces cannot be asked for so.
    """

    keys: tuple[Readable, ...]


@attrs.frozen
class Unanswered:
    """The directory failed; the gate that needs it refuses (`directory.unavailable`)."""


@attrs.frozen
class Unremembered(Unanswered):
    """The past is asked about, and nobody says who belonged to what then (`membership.unknown`)."""


def remembered(value: T | Unanswered, name: str) -> T | Unanswered:
    """Return what a directory said to a question that no unknown memberships can answer.

    Args:
        name: what is asked, such as `access.readiness`.

    Raises:
        InvalidInput: the past is asked about, without the people of that day.
    """
    if isinstance(value, Unremembered):
        raise InvalidInput("directory", f"expected the people as they were, for {name} asks who belonged to what")
    return value


@attrs.frozen
class Lookup(Step["T_co | Unanswered"], Generic[T_co]):
    """Ask the host's directory: the method's name and its arguments.

    Args:
        directory: another directory of the hub's colour to ask instead, such as people as they will be; None: the
            host's own.
    """

    method: str
    arguments: tuple[object, ...]
    directory: object | None = None

    @staticmethod
    def member(user: UserId) -> Lookup[Member | None]:
        """Ask for one person."""
        return Lookup("member", (user,))

    @staticmethod
    def get(users: tuple[UserId, ...]) -> Lookup[tuple[Member, ...]]:
        """Ask which of several people exist."""
        return Lookup("get", (users,))

    @staticmethod
    def page(query: CandidateQuery, after: str | None, limit: int) -> Lookup[DirectoryPage]:
        """Ask for a page of people."""
        return Lookup("page", (query, after, limit))

    @staticmethod
    def organizations() -> Lookup[tuple[Organization, ...]]:
        """Ask for the whole tree."""
        return Lookup("organizations", ())


@attrs.frozen
class Ledger(Step[TokenLedger]):
    """Ask for the token rules of this tenant, with the host's keys."""


@attrs.frozen
class Change:
    """One record as it shall be from now on; None deletes it."""

    key: RecordKey[object]
    value: object | None


@attrs.frozen
class Commit(Generic[T_co]):
    """What an operation comes to: its result, everything it writes and everything it records, applied as one.

    Args:
        result: what the caller gets.
        changes: records to write, all guarded by everything the operation read.
        events: what goes into the ledger.
        error: raised to the caller once the events are safe, instead of returning the result.
        expected: the position of the tenant's ledger that it rests on; elsewhere it is not applied. None: any.
    """

    result: T_co
    changes: tuple[Change, ...] = ()
    events: tuple[Event, ...] = ()
    error: ExtlinkError | None = None
    expected: Position | None = None

    @property
    def is_aside(self) -> bool:
        """Whether nothing is written that the result depends on: it is given also where the commit fails."""
        return not self.events and self.error is None and all(change.key.kind.aside for change in self.changes)


def put(key: RecordKey[T], value: T) -> Change:
    """Return the change that writes a record; the key's type says what may be written."""
    return Change(cast("RecordKey[object]", key), value)


def drop(key: RecordKey[T]) -> Change:
    """Return the change that deletes a record."""
    return Change(cast("RecordKey[object]", key), None)


def read(*keys: Readable) -> Steps[Answers]:
    """Ask for records by key; `answers.get(key)` gives each with its type."""
    return ask(Read(keys))


@attrs.frozen
class Call:
    """For whom an operation runs: the tenant, and the actor as the host states them."""

    tenant: TenantId
    actor: Actor


ANYBODY: Final[frozenset[Role]] = frozenset()
USERS: Final[frozenset[Role]] = frozenset({"user"})
ADMINISTRATORS: Final[frozenset[Role]] = frozenset({"common_administrator"})
NETWORK_ADMINISTRATORS: Final[frozenset[Role]] = frozenset({"common_administrator", "access_administrator"})
HOSTS: Final[frozenset[Role]] = frozenset({"host"})
ADMINISTRATORS_AND_HOST: Final = ADMINISTRATORS | HOSTS
NETWORK_ADMINISTRATORS_AND_HOST: Final = NETWORK_ADMINISTRATORS | HOSTS
# Whoever may do it for others, and users for themselves: the body itself compares whose it is.
ALL_CONCERNED: Final = ADMINISTRATORS_AND_HOST | USERS


@attrs.frozen
class Operation(Generic[T_co]):
    """One thing a host asks for, as a value: comparable, printable, run by `tenant.run(operation)`.

    >>> from extlink.services import enable
    >>> enable("slack")
    services.enable(service='slack')
    >>> enable("slack") == enable("slack")
    True
    """

    definition: Definition[..., T_co]
    arguments: Mapping[str, object] = attrs.field(hash=False)

    @property
    def name(self) -> str:
        """Its stable name: module and function."""
        return self.definition.name

    def start(self, call: Call) -> Steps[Commit[T_co]]:
        """Return the generator that carries it out, behind the check of the actor's roles (TRACE T11)."""
        by = self.definition.by
        if by and by.isdisjoint(call.actor.roles):
            return denied(call, self.name, by)
        return self.definition.body(call, **self.arguments)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"


def denied(call: Call, name: str, by: frozenset[Role]) -> Steps[Commit[Never]]:
    """Refuse an actor and record it (TRACE T11); in a tenant that nobody opened nothing is written, not even this.

    Args:
        name: the operation's.
        by: the roles of which the actor needs one.

    Raises:
        Refused: `tenant.not_open`.
    """
    place = tenant_key(call.tenant)
    if call.tenant != HOST and (yield from read(place)).get(place) is None:
        raise Refused(Reason("tenant.not_open", {"tenant": call.tenant}))
    roles = tuple(sorted(by))
    reason = Reason("actor.not_permitted", {"operation": name, "roles": roles})
    event = Event("operation.denied", {"operation": name, "roles": roles})
    return Commit(cast("Never", None), events=(event,), error=Refused(reason))


@attrs.frozen(eq=False)
class Definition(Generic[P, T_co]):
    """What all operations of one name share.

    Args:
        name: module and function, such as `services.enable`.
        by: the roles of which the actor must hold one; empty: anybody, or the body itself decides.
        records: every event name it may write; checked at each commit.
        body: the generator function.
    """

    name: str
    by: frozenset[Role]
    records: frozenset[str]
    body: Callable[Concatenate[Call, P], Steps[Commit[T_co]]]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Operation[T_co]:
        """Return the operation with these arguments; bodies take keyword arguments alone."""
        if args:
            raise TypeError(f"{self.name} takes keyword arguments alone")
        return Operation(self, dict(kwargs))


def driven(steps: Steps[T], answer: Callable[[Step[object]], Steps[object]]) -> Steps[T]:
    """Carry out an operation inside another one, which answers its steps: as a preview does, and a look at the past.

    Args:
        steps: the inner operation, not yet started.
        answer: answers one step, by steps of the outer operation where it likes; what it raises, the inner one does
            not see.
    """
    try:
        step = next(steps)
        while True:
            step = steps.send((yield from answer(step)))
    except StopIteration as done:
        return cast("T", done.value)
    finally:
        steps.close()


# Operations one after another, each a commit of its own, and for whom; None: whose tenant follows it.
Course = Generator[tuple[Operation[object], Call | None], object, T]


def following(operation: Operation[T], call: Call | None = None) -> Course[T]:
    """Ask for an operation inside a course and return its result; what it raises is raised here, too."""
    return cast("T", (yield operation, call))


def operation(
    name: str,
    *,
    by: frozenset[Role] = ANYBODY,
    records: tuple[str, ...] = (),
) -> Callable[[Callable[Concatenate[Call, P], Steps[Commit[T]]]], Definition[P, T]]:
    """Turn a generator function into the definition of an operation."""
    denials = ("operation.denied",) if by else ()

    def define(body: Callable[Concatenate[Call, P], Steps[Commit[T]]]) -> Definition[P, T]:
        return Definition(name, by, frozenset((*records, *denials)), body)

    return define
