"""What the runner costs: a check by steps, beside the same check written straight down, for both colours."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from extlink import access
from extlink.adapters.directory import AsyncInMemoryDirectory, InMemoryDirectory
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.access import AccessRequest, Credential, Person, Policy, evaluate, unidentified
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.decision import Decision
from extlink.domain.directory import Member
from extlink.domain.grant import Rules, UserGrantPolicy
from extlink.domain.identifier import LinkId, Scope
from extlink.domain.link import Lifetimes, Link
from extlink.domain.network import IPRestriction
from extlink.domain.registry import ServiceRegistry
from extlink.domain.tenant import UserState
from extlink.domain.token import Presented
from extlink.domain.token_ledger import TokenLedger
from extlink.ports import Key, Page, Position, Query, Stored, Version
from extlink.records import (
    RecordKey,
    client_key,
    data_groups_key,
    grant_rules_key,
    host_service_key,
    last_use_key,
    link_key,
    network_key,
    pin_key,
    service_key,
    tenant_key,
    user_grant_key,
    user_key,
)
from extlink.runtime import AsyncExtLink
from tests.benchmarks.checking import SCOPE, SERVICE, TENANT, Checks, Clock
from tests.benchmarks.measure import ROUNDS, Batch, compare
from tests.benchmarks.report import Section, at_most, plain

__all__ = ["running"]

_ADDRESS: Final = "10.0.1.7"
_REQUIRED: Final = frozenset({"service", "user", "link"})


class _Direct:
    """A check without operation, generator, runner or attempt; what was decoded is remembered by version here too."""

    def __init__(self, made: Checks) -> None:
        self.storage = SQLiteStorage(made.path)
        members = [Member(id=user, display_name=user, products=frozenset({"kintone"})) for user in made.users]
        self.directory = InMemoryDirectory(members)
        self.ledger = TokenLedger(TENANT, made.keys, Lifetimes())
        self.clock = Clock()
        self._known: dict[Key, tuple[Version, object]] = {}
        self._versions: dict[Key, Version] = {}

    def open(self, token: str) -> tuple[Presented, tuple[RecordKey[Any], ...], Link] | None:
        """Return what a token says, the records that its check rests on, and whose link it was when last seen."""
        presented = self.ledger.keys.open(TENANT, token)
        if presented is None:
            return None
        place = link_key(TENANT, presented.token.link)
        if place.key not in self._known:
            # Whose link it is never changes, and a note of its last use is read again only when it is due.
            first = (place, last_use_key(TENANT, presented.token.link))
            self.take(first, self.storage.read([one.key for one in first], {}))
        link: Any = self._known[place.key][1]
        return presented, _places(presented.token.link, link), link

    def known(self) -> Mapping[Key, Version]:
        """Return the versions of everything that was decoded."""
        return self._versions

    def take(self, places: Sequence[RecordKey[Any]], found: Sequence[Stored]) -> dict[Key, Any]:
        """Return the records that a read found, decoded where they are new."""
        values: dict[Key, Any] = {}
        for place, (key, version, data) in zip(places, found, strict=True):
            known = self._known.get(key)
            if version == 0:
                values[key] = None
            elif known is not None and known[0] == version:
                values[key] = known[1]
            elif data is not None:
                values[key] = place.decode(data)[0]
                self._known[key], self._versions[key] = (version, values[key]), version
        return values

    def decide(
        self, presented: Presented, places: Sequence[RecordKey[Any]], values: Mapping[Key, Any], member: Member | None
    ) -> Decision:
        """Return the decision, as the operation comes to it."""
        at = self.clock.now()
        tenant, service, host, rules, network, groups, pin, client, place, grant, state = (
            values[place.key] for place in places
        )
        link: Link = place
        granted, excluded = rules or (Rules(), Rules())
        user = link.owner
        assert user is not None
        policy = Policy(
            registry=ServiceRegistry(tenant, {link.service: service}, {} if host is None else {link.service: host}),
            grants={
                link.service: UserGrantPolicy(link.service, {} if grant is None else {user: grant}, granted, excluded)
            },
            people={user: Person(member, state or UserState())},
            network=network or IPRestriction(),
            data_groups=groups or DataGroupPolicy(),
            pins={} if pin is None else {link.service: pin},
            removed_clients=frozenset({link.client} if client is not None and client.registration is None else ()),
        )
        notes, covered = self.ledger.examine(link, presented, at)
        request = AccessRequest(
            service=link.service,
            user=user,
            at=at,
            scopes=frozenset({Scope(SCOPE)}),
            address=_ADDRESS,
            credential=Credential(link=link, notes=notes, scopes=covered),
            required=_REQUIRED,  # type: ignore[arg-type]
        )
        decision = evaluate(policy, request)
        assert decision.allowed
        use: Any = self._known[last_use_key(TENANT, link.id).key][1]
        assert not use.is_due(at)
        assert not self.ledger.confirms(link, presented)
        return decision

    def check(self, token: str) -> Decision:
        """Check a token."""
        opened = self.open(token)
        if opened is None:
            return unidentified()
        presented, places, link = opened
        values = self.take(places, self.storage.read([place.key for place in places], self.known()))
        assert link.owner is not None
        return self.decide(presented, places, values, self.directory.member(link.owner))


def _places(handle: LinkId, link: Link) -> tuple[RecordKey[Any], ...]:
    assert link.owner is not None
    return (
        tenant_key(TENANT),
        service_key(TENANT, SERVICE),
        host_service_key(SERVICE),
        grant_rules_key(TENANT, SERVICE),
        network_key(TENANT),
        data_groups_key(TENANT),
        pin_key(TENANT, SERVICE),
        client_key(TENANT, link.client),
        link_key(TENANT, handle),
        user_grant_key(TENANT, SERVICE, link.owner),
        user_key(TENANT, link.owner),
    )


class _OnTheSpot:
    """An asynchronous store whose answers are there at once: what is measured is ours and the loop's."""

    def __init__(self, storage: SQLiteStorage) -> None:
        self._storage = storage

    async def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        return self._storage.read(keys, known)

    async def list(self, query: Query) -> Page:
        return self._storage.list(query)

    async def commit(self, batch: Any) -> Position:
        return self._storage.commit(batch)


class _AsyncDirect:
    """The same, for an asynchronous store and directory."""

    def __init__(self, direct: _Direct) -> None:
        self._direct = direct
        self.storage = _OnTheSpot(direct.storage)
        self.directory = AsyncInMemoryDirectory(direct.directory)

    async def check(self, token: str) -> Decision:
        """Check a token."""
        opened = self._direct.open(token)
        if opened is None:
            return unidentified()
        presented, places, link = opened
        found = await self.storage.read([place.key for place in places], self._direct.known())
        assert link.owner is not None
        member = await self.directory.member(link.owner)
        return self._direct.decide(presented, places, self._direct.take(places, found), member)


def running(made: Checks, questions: int, rounds: int = ROUNDS) -> Section:
    """Measure the runner against the same check written straight down."""
    draw = random.Random(5)
    tokens = [token.reveal() for token in made.tokens[:100]]
    asked = [draw.choice(tokens) for _ in range(questions)]
    direct = _Direct(made)
    plain_async = _AsyncDirect(direct)
    hub = AsyncExtLink(plain_async.storage, keys=made.keys, directory=plain_async.directory, clock=Clock())
    tenant, async_tenant, loop = made.tenant, hub.tenant(TENANT), asyncio.new_event_loop()
    for token in tokens:
        assert direct.check(token) == tenant.run(access.check(token, scope=SCOPE, address=_ADDRESS))

    def ours() -> int:
        for token in asked:
            tenant.run(access.check(token, scope=SCOPE, address=_ADDRESS))
        return questions

    def straight() -> int:
        for token in asked:
            direct.check(token)
        return questions

    async def all_ours() -> None:
        for token in asked:
            await async_tenant.run(access.check(token, scope=SCOPE, address=_ADDRESS))

    async def all_straight() -> None:
        for token in asked:
            await plain_async.check(token)

    def async_ours() -> int:
        loop.run_until_complete(all_ours())
        return questions

    def async_straight() -> int:
        loop.run_until_complete(all_straight())
        return questions

    batches: dict[str, Batch] = {
        "straight": straight,
        "ours": ours,
        "async straight": async_straight,
        "async ours": async_ours,
    }
    samples = compare(batches, rounds)
    loop.close()
    return Section(
        "The runner, against the same check written straight down",
        "`access.check` of a hundred links on SQLite: as an operation that a runner carries out, and as one function "
        "over the same store, keys, directory and domain rules that asks and decides without steps. It holds what it "
        "decoded by version, as the runner does, checks no arguments and no roles, and could neither start anew nor "
        "write. Both give equal decisions. The asynchronous side has the same store, answering on the spot, so that no "
        "wait hides the difference.",
        (
            plain("straight down", samples, "straight"),
            at_most("the operation, `ExtLink`", samples, "ours", "straight", 1.25, "straight down"),
            plain("straight down, async", samples, "async straight"),
            at_most("the operation, `AsyncExtLink`", samples, "async ours", "async straight", 1.15, "plain async"),
        ),
    )
