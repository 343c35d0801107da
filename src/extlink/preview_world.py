"""The tenant twice: as it is, and as it would be after some changes, at another instant, or with other people.

Rules: the second one is never stored. It is the first one's records with the changes laid over them, so what the gates
are asked is what they would be asked after a commit of these changes. What no change can touch is left out: `_REACH`
says for each kind of record whose answers it can change, and of a kind that is not in it everything is taken to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar, cast

import attrs

from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.decision import Decision, Refusal
from extlink.domain.directory import Member
from extlink.domain.edition import EDITIONS
from extlink.domain.event import Event
from extlink.domain.grant import Rules, UserGrantPolicy, UserRules
from extlink.domain.identifier import ClientId, ServiceId, UserId
from extlink.domain.impact import Rows, admits_published
from extlink.domain.instant import Instant
from extlink.domain.network import IPRestriction
from extlink.domain.pin import Pin
from extlink.domain.policy import Person, Policy
from extlink.domain.reason import Reason
from extlink.domain.registry import HostService, RegisteredService, ServiceRegistry
from extlink.domain.tenant import HOST, Tenant, UserState
from extlink.errors import Refused
from extlink.operation import (
    Answers,
    Call,
    Change,
    Draw,
    List,
    Lookup,
    Now,
    Operation,
    Peek,
    Read,
    Readable,
    Step,
    Steps,
    Unanswered,
    ask,
    driven,
    remembered,
)
from extlink.ports import MAX_READ_KEYS, Key, Records, components, prefix
from extlink.records import (
    SERVICE,
    RecordKey,
    client_key,
    data_groups_key,
    grant_rules_key,
    host_service_key,
    last_use_key,
    network_key,
    parts_of,
    pin_key,
    service_key,
    tenant_key,
    user_grant_key,
    user_key,
)
from extlink.services import MAX_SERVICES

__all__: list[str] = []

T = TypeVar("T")
Changes = Mapping[Key, object]
_NO_RULES: Final = (Rules(), Rules())
_ACTIVE: Final = UserState()
# Keys without their memo: that is for the few which checks ask about again and again, not for everybody once.
user_place: Final = user_key.__wrapped__
user_grant_place: Final = user_grant_key.__wrapped__
last_use_place: Final = last_use_key.__wrapped__


class Reach(NamedTuple):
    """Whose answers some changes can change: everybody's, or those of these services, users and links."""

    everything: bool = False
    services: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()

    @property
    def is_broad(self) -> bool:
        """Whether everybody has to be asked at least about something."""
        return self.everything or bool(self.services)


# What a kind of record decides, as people, links and flows see it: everything, nothing, or the services, users or links
# that the component of its key at a place names.
_ALL: Final = ("everything", 0)
_NOTHING: Final = ("", 0)
_REACH: Final[Mapping[str, tuple[tuple[str, int], ...]]] = {
    "t": (_ALL, _ALL, _ALL),
    "s": (("services", 1), ("services", 1), _NOTHING),
    "r": (("services", 1), ("services", 1), _NOTHING),
    "g": (("users", 2), ("users", 2), _NOTHING),
    "u": (("users", 1), ("users", 1), _NOTHING),
    "l": (_NOTHING, ("links", 1), _NOTHING),
    "c": (_NOTHING, _ALL, _NOTHING),
    "p net": (_NOTHING, _ALL, _NOTHING),
    "p pin": (_NOTHING, ("services", 2), _NOTHING),
    "p dlp": (_NOTHING, _NOTHING, _ALL),
    **dict.fromkeys(
        ("p rst", "a", "gv", "i", "j", "n", "nu", "o", "ra", "rq", "rv", "sc", "w", "x"), (_NOTHING, _NOTHING, _NOTHING)
    ),
}


def reaches(keys: Iterable[Key]) -> tuple[Reach, Reach, Reach]:
    """Return whose answers changes of some records can change: of people, of links, of flows.

    >>> from extlink.ports import key
    >>> people, links, flows = reaches([key("acme", "g", "slack", "sato"), key("acme", "l", "l1")])
    >>> people.users, sorted(links.users | links.links), flows.everything
    (frozenset({'sato'}), ['l1', 'sato'], False)
    >>> reaches([key("acme", "unheard", "of")])[2].everything
    True
    """
    found: list[dict[str, set[str]]] = [{}, {}, {}]
    for one in keys:
        names = components(one.path)
        kind = " ".join(names[:2]) if names[0] == "p" else names[0]
        for place, (word, index) in enumerate(_REACH.get(kind, (_ALL, _ALL, _ALL))):
            found[place].setdefault(word, set()).add(names[index])
    people, links, flows = (
        Reach(
            everything="everything" in one,
            services=frozenset(one.get("services", ())),
            users=frozenset(one.get("users", ())),
            links=frozenset(one.get("links", ())),
        )
        for one in found
    )
    return people, links, flows


@attrs.frozen(kw_only=True)
class Outcome:
    """What an operation would come to, but for its result: that is nobody's."""

    refusal: tuple[Reason, ...] = ()
    events: tuple[Event, ...] = ()
    changes: tuple[Change, ...] = ()


def carried_out(call: Call, operation: Operation[object], directory: object | None) -> Steps[Outcome]:
    """Return what an operation would come to; it draws no randomness and commits nothing."""

    def answer(step: Step[object]) -> Steps[object]:
        if isinstance(step, Draw):
            return bytes(step.size)
        if isinstance(step, Lookup) and step.directory is None:
            return (yield from ask(attrs.evolve(cast("Lookup[object]", step), directory=directory)))
        return (yield from ask(step))

    try:
        commit = yield from driven(operation.start(call), answer)
        at = yield from ask(Now())
        for change in commit.changes:
            if change.value is not None:
                parts_of(change.key, change.value, at)  # what is too large is refused where it is written
    except Refused as refused:
        return Outcome(refusal=(refused.reason,))
    if commit.error is not None and type(commit.error) is not Refused:
        raise commit.error
    refusal = _reasons(commit.result) if commit.error is None else (commit.error.reason,)
    return Outcome(refusal=refusal, events=commit.events, changes=commit.changes)


def _reasons(result: object) -> tuple[Reason, ...]:
    """Return why an operation that answers with a refusal refuses; of any other result nothing is told."""
    return result.reasons if isinstance(result, Refusal | Decision) else ()


@attrs.frozen(kw_only=True)
class Side:
    """One of the two: its rules, without people, and how the rest of its records is read.

    Args:
        changes: decoded records that hold in place of the stored ones; None: it is not there.
        directory: who knows its people; None: the host's own directory.
        admitted: the services all of whose published ranges the restriction admits.
    """

    rules: Policy
    changes: Changes
    at: Instant
    directory: object | None
    admitted: frozenset[ServiceId]

    def get(self, answers: Answers, record: RecordKey[T]) -> T | None:
        """Return a record that was asked for."""
        return _seen(self.changes, answers, record)

    def members(self, users: Sequence[UserId]) -> Steps[dict[UserId, Member]]:
        """Return those of some people whom the directory knows.

        Raises:
            Refused: `directory.unavailable`.
        """
        if not users:
            return {}
        found = answered((yield from ask(attrs.evolve(Lookup.get(tuple(users)), directory=self.directory))))
        return {member.id: member for member in found if member.id in users}

    def policy(
        self,
        call: Call,
        answers: Answers,
        members: Mapping[UserId, Member],
        pairs: Iterable[tuple[ServiceId, UserId]],
        clients: Iterable[ClientId] = (),
    ) -> Policy:
        """Return the rules with some people, what is granted to them by name, and which of some clients are gone."""
        people: dict[UserId, Person] = {}
        named: dict[ServiceId, dict[UserId, UserRules]] = {}
        for service, user in pairs:
            people[user] = Person(members.get(user), self.get(answers, user_place(call.tenant, user)) or _ACTIVE)
            rules = self.get(answers, user_grant_place(call.tenant, service, user))
            if rules is not None:
                named.setdefault(service, {})[user] = rules
        grants = self.rules.grants
        known = {
            service: attrs.evolve(grants.get(service) or UserGrantPolicy(service), users=users)
            for service, users in named.items()
        }
        gone = (
            client
            for client in clients
            if (record := self.get(answers, client_key(call.tenant, client))) is not None
            and record.registration is None
        )
        return attrs.evolve(self.rules, people=people, grants={**grants, **known}, removed_clients=frozenset(gone))


@attrs.frozen(kw_only=True)
class World:
    """Both sides, and whose answers can differ between them."""

    call: Call
    before: Side
    after: Side
    people: Reach
    links: Reach
    flows: Reach

    @property
    def services(self) -> frozenset[ServiceId]:
        """Every service that either side knows."""
        return frozenset(self.before.rules.registry.services) | frozenset(self.after.rules.registry.services)

    @property
    def rows(self) -> Rows | None:
        """How full the restriction is, where it changes."""
        before, after = self.before.rules.network, self.after.rules.network
        if before == after:
            return None
        limit = EDITIONS[self.after.rules.registry.tenant.edition].network.row_limit
        return Rows(before=len(before.rows), after=len(after.rows), limit=limit)


def made(
    call: Call, changes: Iterable[Change], directory: object | None, now: Instant, at: Instant
) -> Steps[World | None]:
    """Return the tenant as it is now and as it would be; None for the host itself, and a tenant that is not open yet.

    Args:
        directory, now, at: who knows the people then; the two instants.
    """
    laid = {change.key.key: change.value for change in changes}
    own = tenant_key(call.tenant)
    place = own.key
    tenant = None if call.tenant == HOST else (yield from ask(Read((own,)))).get(own)
    if tenant is None:
        return None
    if laid.get(place) == tenant:
        del laid[place]  # the head of a collection is written as it is
    page = yield from ask(List(Records(call.tenant.encode(), prefix("s"), limit=MAX_SERVICES)))
    listed = {item.key: SERVICE.decode(item.value)[0] for item in page.items if item.value is not None}
    services = {one: _service(one) for one in (*listed, *(key for key in laid if _is_service(key)))}
    answers = yield from _rules_of(call, frozenset(services.values()))
    whole = Answers({**answers.values, **dict.fromkeys(services), **listed, place: tenant})
    sides = (
        _side(call, whole, frozenset(services.values()), {}, now, None),
        _side(call, whole, frozenset(services.values()), laid, at, directory),
    )
    if directory is not None or at != now:
        everything = Reach(everything=True)
        people, links, flows = everything, everything, reaches(laid)[2]
    else:
        people, links, flows = reaches(laid)
    return World(call=call, before=sides[0], after=sides[1], people=people, links=links, flows=flows)


def _is_service(key: Key) -> bool:
    return key.path.startswith(prefix("s"))


def _service(key: Key) -> ServiceId:
    return ServiceId(components(key.path)[1])


def _rules_of(call: Call, services: frozenset[ServiceId]) -> Steps[Answers]:
    """Read the rules of the tenant: few records, some of them large."""
    places: list[Readable] = [network_key(call.tenant), data_groups_key(call.tenant)]
    for service in sorted(services):
        places += [
            grant_rules_key(call.tenant, service),
            pin_key(call.tenant, service),
            host_service_key(service),
        ]
    found: dict[Key, object] = {}
    for start in range(0, len(places), MAX_READ_KEYS):
        part = tuple(places[start : start + MAX_READ_KEYS])
        answers = yield from ask(Read(part))
        found.update({one.key: answers.values[one.key] for one in part})
    return Answers(found)


def _side(
    call: Call,
    answers: Answers,
    services: frozenset[ServiceId],
    changes: Changes,
    at: Instant,
    directory: object | None,
) -> Side:
    def get(record: RecordKey[T]) -> T | None:
        return _seen(changes, answers, record)

    known: dict[ServiceId, RegisteredService] = {}
    everywhere: dict[ServiceId, HostService] = {}
    grants: dict[ServiceId, UserGrantPolicy] = {}
    pins: dict[ServiceId, Pin] = {}
    for service in services:
        registered, host = get(service_key(call.tenant, service)), get(host_service_key(service))
        granted, excluded = get(grant_rules_key(call.tenant, service)) or _NO_RULES
        pin = get(pin_key(call.tenant, service))
        known.update({} if registered is None else {service: registered})
        everywhere.update({} if host is None else {service: host})
        pins.update({} if pin is None else {service: pin})
        grants[service] = UserGrantPolicy(service, granted=granted, excluded=excluded)
    rules = Policy(
        registry=ServiceRegistry(cast("Tenant", get(tenant_key(call.tenant))), known, everywhere),
        grants=grants,
        network=get(network_key(call.tenant)) or IPRestriction(),
        data_groups=get(data_groups_key(call.tenant)) or DataGroupPolicy(),
        pins=pins,
    )
    admitted = frozenset(service for service in services if admits_published(rules, service))
    return Side(rules=rules, changes=changes, at=at, directory=directory, admitted=admitted)


def _seen(changes: Changes, answers: Answers, record: RecordKey[T]) -> T | None:
    return cast("T | None", changes[record.key]) if record.key in changes else answers.get(record)


def peeked(places: Iterable[Readable]) -> Steps[Answers]:
    """Return records as they are, however many."""
    distinct = tuple({place.key: place for place in places}.values())
    found: dict[Key, object] = {}
    for start in range(0, len(distinct), MAX_READ_KEYS):
        answers = yield from ask(Peek(distinct[start : start + MAX_READ_KEYS]))
        found.update(answers.values)
    return Answers(found)


def answered(value: T | Unanswered) -> T:
    """Return what the directory said.

    Raises:
        InvalidInput: the past is asked about, without the people of that day.
        Refused: `directory.unavailable`; of people who are not known nobody can say what they gain or lose.
    """
    found = remembered(value, "previews.preview")
    if isinstance(found, Unanswered):
        raise Refused(Reason("directory.unavailable"))
    return found
