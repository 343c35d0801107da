"""One machine over four hubs: memory and SQLite, sync and async, with the same keys, clock and randomness.

After every operation the four gave the same result or error, and hold the same records, versions and ledger (laws 17
and 18); what is stored is what the ledger so far comes to (law 12); what has ended never works again (law 9); a user
has one link with tokens per service and client (law 11). The clock jumps forwards and backwards between any two
operations.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import chain
from typing import Any, Final, Literal, TypeVar, cast

import attrs
import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from extlink import access, datagroups, grants, ledger, links, networks, services, triggers, users
from extlink.adapters.directory import AsyncInMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.sqlite import SQLiteStorage
from extlink.adapters.threaded import ThreadedStorage
from extlink.domain.client import Client
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Decision
from extlink.domain.event import canonical
from extlink.domain.grant import Existing, Reach, Rules, UserGrantPolicy
from extlink.domain.identifier import TenantId, UserId
from extlink.domain.instant import to_datetime
from extlink.domain.link import Link, LinkState
from extlink.domain.tenant import HOST, Epochs
from extlink.domain.token_ledger import TokenSet
from extlink.errors import ExtlinkError
from extlink.operation import Operation
from extlink.ports import Batch, Key, Position, Storage
from extlink.records import (
    RecordKey,
    grant_rules_key,
    host_service_key,
    service_key,
    tenant_key,
    user_grant_key,
    user_key,
)
from extlink.runtime import AsyncExtLink, ExtLink
from tests.fakes import CountingEntropy, FrozenClock
from tests.schedules.world import CHALLENGE, KEYS, PEOPLE, REDIRECT, SCOPE, SCOPES, TENANT, VERIFIER, service
from tests.stateful.views import all_entries, all_records, decoded, fold, views

T = TypeVar("T")
PauseOrEnd = Literal["revoke", "suspend"]
YEAR: Final = 365 * 86_400
USERS: Final = st.sampled_from(["sato", "suzuki", "tanaka", "nobody"])
SERVICES: Final = st.sampled_from(["flows", "flows", "flows", "other"])
CLIENTS: Final = st.sampled_from([Client("flow-client"), Client("flow-client"), Client("app", kind="public")])
EXISTING: Final = st.sampled_from(["revoke", "suspend", "keep"])
PAUSE_OR_END: Final = st.sampled_from(["revoke", "suspend"])
REACH: Final = st.sampled_from(["direct", "subtree"])
WANTED: Final = st.sampled_from([SCOPE, SCOPES])
RANGES: Final = st.lists(st.sampled_from(["203.0.113.0/24", "198.51.100.0/24", "192.0.2.7/32"]), max_size=2)
ADDRESSES: Final = st.sampled_from(["203.0.113.7", "203.0.113.7", "198.51.100.1", "192.0.2.9", "not an address"])
JUMPS: Final = st.sampled_from([1, 1, 29, 31, 59, 61, 599, 3_599, 3_601, 86_400, YEAR, 10 * YEAR])
SUBJECTS: Final = st.fixed_dictionaries(
    {},
    optional={
        "users": st.lists(st.sampled_from(["sato", "suzuki", "tanaka"]), min_size=1, max_size=2),
        "organizations": st.sampled_from([["sales"], ["osaka"]]),
    },
).filter(bool)
# Which of the things there are, from the newest: mostly the newest, sometimes a very old one.
NUMBER: Final = st.sampled_from([0, 0, 0, 0, 0, 1, 1, 2, 3, 5, 7, 15, 21])


class _Answer:
    """What one hub gave: a result, or an error by type, code and text."""

    def __init__(self, result: object = None, error: ExtlinkError | None = None) -> None:
        self.result = result
        self.error = None if error is None else (type(error), error.code, str(error))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Answer) and (self.result, self.error) == (other.result, other.error)

    def __hash__(self) -> int:
        return hash(self.error)

    def __repr__(self) -> str:
        return repr(self.error or self.result)


Run = Callable[[Operation[object], str | None, Iterable[str], str | None], object]


class HubsMachine(RuleBasedStateMachine):
    """Random operations on four hubs at once."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = FrozenClock()
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        files = [SQLiteStorage(f"{self._folder.name}/{name}.db") for name in ("sync", "async")]
        carried: list[Storage] = [self._stored(), files[1]]
        self._files = files
        self._threads = [ThreadedStorage(storage) for storage in carried]
        self.storages: tuple[Storage, ...] = (MemoryStorage(), files[0], *carried)
        hubs = [self._sync(storage) for storage in self.storages[:2]]
        async_hubs = [self._async(threaded) for threaded in self._threads]
        self._runs: list[Run] = [*map(self._runs_on, hubs), *map(self._runs_async, async_hubs)]
        for hub in hubs:
            hub.open_tenant(TENANT, edition="JP", products={"kintone"})
        for async_hub in async_hubs:
            self._runner.run(async_hub.open_tenant(TENANT, edition="JP", products={"kintone"}))
        self.consents: list[tuple[str, Consent]] = []
        self.codes: list[tuple[Acceptance, Client]] = []
        self.tokens: list[tuple[TokenSet, Client]] = []
        self.subscriptions: list[tuple[str, str]] = []
        self.ended: set[str] = set()
        self.folded: dict[str, object] = {}
        self.seen = 0

    def teardown(self) -> None:
        for threaded in self._threads:
            self._runner.run(threaded.aclose())
        self._runner.close()
        for file in self._files:
            file.close()
        self._folder.cleanup()

    def _stored(self) -> MemoryStorage:
        return MemoryStorage()

    def _sync(self, storage: Storage) -> ExtLink:
        return ExtLink(storage, keys=KEYS, directory=PEOPLE, clock=self._clock, entropy=CountingEntropy())

    def _async(self, storage: ThreadedStorage) -> AsyncExtLink:
        directory = AsyncInMemoryDirectory(PEOPLE)
        return AsyncExtLink(storage, keys=KEYS, directory=directory, clock=self._clock, entropy=CountingEntropy())

    def _runs_on(self, hub: ExtLink) -> Run:
        def run(operation: Operation[object], user: str | None, roles: Iterable[str], address: str | None) -> object:
            tenant = hub.host() if user == HOST else hub.tenant(TENANT)
            if user not in {None, HOST}:
                tenant = tenant.acting_as(str(user), roles=roles, address=address)
            return tenant.run(operation)

        return run

    def _runs_async(self, hub: AsyncExtLink) -> Run:
        def run(operation: Operation[object], user: str | None, roles: Iterable[str], address: str | None) -> object:
            tenant = hub.host() if user == HOST else hub.tenant(TENANT)
            if user not in {None, HOST}:
                tenant = tenant.acting_as(str(user), roles=roles, address=address)
            return self._runner.run(tenant.run(operation))

        return run

    def do(
        self,
        operation: Operation[Any],
        user: str | None = "admin",
        roles: Iterable[str] = ("common_administrator",),
        address: str | None = None,
    ) -> object:
        """Run an operation everywhere and return the one result, None where it was an error."""
        answers: list[_Answer] = []
        for run in self._runs:
            try:
                answers.append(_Answer(run(operation, user, roles, address)))
            except ExtlinkError as error:
                answers.append(_Answer(error=error))
        model = answers[0]
        assert [model] * len(answers) == answers
        return model.result

    def as_user(self, operation: Operation[Any], user: str, address: str | None = "203.0.113.7") -> object:
        """Run an operation as a person who uses services."""
        return self.do(operation, user, ("user",), address)

    @initialize()
    def one_service_is_ready(self) -> None:
        """Most walks shall get beyond a service that nobody switched on."""
        self.do(services.register(service()))
        self._repair("sato")
        self._connect("sato", Client("flow-client"), SCOPES)

    def _repair(self, user: str) -> None:
        """Undo whatever keeps a user from connecting."""
        self.do(services.release_everywhere("flows"), HOST)
        for operation in (
            services.release("flows"),
            services.enable("flows"),
            users.resume(user),
            networks.allow_all(),
            datagroups.require_flow_connectors(required=False),
            grants.include("flows", users=["sato", "suzuki"], organizations=["sales", "osaka"]),
            grants.allow("flows", organizations=["sales"], scope="subtree"),
        ):
            self.do(operation)

    def _connect(self, user: str, client: Client, scopes: str) -> None:
        begin = links.begin("flows", client=client, redirect_uri=REDIRECT, scopes=scopes, code_challenge=CHALLENGE)
        consent = self.as_user(begin, user)
        if isinstance(consent, Consent):
            self.consents.append((user, consent))
            self.answer(0, refuses=False, stranger=False, fewer=False)
            if self.codes:
                self.redeem(0, None)

    @rule(user=st.sampled_from(["sato", "suzuki"]), client=CLIENTS, scopes=WANTED, repair=st.integers(0, 3))
    def connect(self, user: str, client: Client, scopes: str, repair: int) -> None:
        """A user connects the service, perhaps after somebody has seen to it that this is possible."""
        if repair == 0:
            self._repair(user)
        self._connect(user, client, scopes)

    @rule(user=st.sampled_from(["sato", "suzuki"]))
    def repair(self, user: str) -> None:
        """Somebody lets a user in again, by all means there are."""
        self._repair(user)

    @precondition(lambda self: self.tokens)
    @rule(how=st.sampled_from(["user", "service", "quarantine", "everywhere", "suspend", "disable", "withdraw"]))
    def end_and_repair(self, how: str) -> None:
        """Everything of sato's ends one way or another; then everybody does their best to bring it back."""
        endings: dict[str, Operation[object]] = {
            "user": links.revoke_all(user="sato"),
            "service": links.revoke_all(service="flows"),
            "quarantine": services.quarantine("flows", "leak"),
            "everywhere": services.quarantine_everywhere("flows", "leak"),
            "suspend": users.suspend("sato"),
            "disable": services.disable("flows", existing="revoke"),
            "withdraw": grants.withdraw("flows", users=["sato"], organizations=["sales", "osaka"]),
        }
        self.do(endings[how], HOST if how == "everywhere" else "admin")
        self.what_ended_stays_ended()
        self._repair("sato")
        self.check(0, "203.0.113.7", SCOPE, None)
        self.refresh(0, None, thief=False)

    @precondition(lambda self: self.tokens)
    @rule(steps=st.lists(st.tuples(NUMBER, st.booleans()), min_size=1, max_size=4))
    def use(self, steps: list[tuple[int, bool]]) -> None:
        """Services use their links as they are meant to be used."""
        for number, refreshes in steps:
            if refreshes:
                self.refresh(number, None, thief=False)
            else:
                self.check(number, "203.0.113.7", SCOPE, ["a"])

    @rule(seconds=JUMPS, back=st.booleans())
    def jump(self, seconds: int, back: bool) -> None:
        """The clock is set forwards or back."""
        if self._clock.now() < 50 * YEAR + 10 * YEAR or back:
            self._clock.advance(-seconds if back and self._clock.now() > 40 * YEAR else seconds)

    @rule(
        name=SERVICES,
        what=st.sampled_from(["register", "enable", "disable", "unregister", "release"]),
        end=PAUSE_OR_END,
    )
    def service_state(self, name: str, what: str, end: PauseOrEnd) -> None:
        """An administrator sets a service's state."""
        operations: dict[str, Operation[Any]] = {
            "register": services.register(service(name)),
            "enable": services.enable(name),
            "disable": services.disable(name, existing=end),
            "unregister": services.unregister(name),
            "release": services.release(name),
        }
        self.do(operations[what])

    @rule(name=SERVICES, everywhere=st.booleans(), lift=st.booleans())
    def emergency(self, name: str, everywhere: bool, lift: bool) -> None:
        """The tenant or the host stops a service, or lets it go again."""
        if everywhere:
            stop = services.release_everywhere(name) if lift else services.quarantine_everywhere(name, "leak")
            self.do(stop, HOST)
        else:
            self.do(services.release(name) if lift else services.quarantine(name, "leak"))

    @rule(default=st.sampled_from(["deny", "allow"]), flows=st.booleans())
    def defaults(self, default: Literal["deny", "allow"], flows: bool) -> None:
        """An administrator sets what holds where nobody said anything."""
        self.do(services.set_default(default))
        self.do(datagroups.require_flow_connectors(flows))

    @rule(name=SERVICES, subjects=SUBJECTS, reach=REACH, until=st.none() | JUMPS)
    def allow(self, name: str, subjects: dict[str, list[str]], reach: Reach, until: int | None) -> None:
        """An administrator lets somebody in, perhaps until a day."""
        day = None if until is None else to_datetime(self._clock.now()) + timedelta(seconds=until)
        self.do(grants.allow(name, **subjects, scope=reach, until=day))  # type: ignore[arg-type]

    @rule(name=SERVICES, subjects=SUBJECTS, existing=EXISTING)
    def withdraw(self, name: str, subjects: dict[str, list[str]], existing: Existing) -> None:
        """An administrator takes grants away."""
        self.do(grants.withdraw(name, **subjects, existing=existing))  # type: ignore[arg-type]

    @rule(name=SERVICES, subjects=SUBJECTS, existing=EXISTING, reach=REACH, lift=st.booleans())
    def exclude(self, name: str, subjects: dict[str, list[str]], existing: Existing, reach: Reach, lift: bool) -> None:
        """An administrator excludes somebody, or lifts that."""
        if lift:
            self.do(grants.include(name, **subjects))
        else:
            self.do(grants.exclude(name, **subjects, existing=existing, scope=reach))

    @rule(name=SERVICES, off=st.integers(0, 1), add=USERS, remove=USERS, existing=EXISTING)
    def edit(self, name: str, off: int, add: str, remove: str, existing: Existing) -> None:
        """An administrator saves ticks, now and then against a version of yesterday."""
        shown = self.do(grants.show(name))
        version = shown.version if isinstance(shown, grants.GrantState) else 0
        removed = [] if add == remove else [remove]
        self.do(grants.edit(name, version=max(0, version - off), add=[add], remove=removed, existing=existing))

    @rule(what=st.sampled_from(["restrict", "add", "remove", "allow_all", "deny_all"]), ranges=RANGES)
    def network(self, what: str, ranges: list[str]) -> None:
        """An administrator sets the IP restriction."""
        operations: dict[str, Operation[Any]] = {
            "restrict": networks.restrict(ranges),
            "add": networks.add(ranges),
            "remove": networks.remove(ranges),
            "allow_all": networks.allow_all(),
            "deny_all": networks.deny_all(),
        }
        self.do(operations[what])

    @rule(name=st.sampled_from(["standard", "strict"]), blocks=st.booleans(), remove=st.booleans())
    def policy(self, name: str, blocks: bool, remove: bool) -> None:
        """An administrator sets or removes a data policy."""
        if remove:
            self.do(datagroups.remove_policy(name))
        else:
            self.do(datagroups.set_policy(DataPolicy(id=name, business={"a"}, blocked={"b"} if blocks else ())))

    @rule(user=USERS, what=st.sampled_from(["suspend", "resume", "resume", "delete", "state"]), end=PAUSE_OR_END)
    def person(self, user: str, what: str, end: PauseOrEnd) -> None:
        """The host tells what became of a user."""
        if what == "delete" and user != "tanaka":
            what = "resume"  # else every walk ends with nobody left
        operations: dict[str, Operation[Any]] = {
            "suspend": users.suspend(user, existing=end),
            "resume": users.resume(user),
            "delete": users.delete(user),
            "state": users.state(user),
        }
        self.do(operations[what])

    @rule(user=st.sampled_from(["sato", "suzuki"]), name=SERVICES, client=CLIENTS, scopes=WANTED, address=ADDRESSES)
    def begin(self, user: str, name: str, client: Client, scopes: str, address: str) -> None:
        """A user is asked."""
        begin = links.begin(name, client=client, redirect_uri=REDIRECT, scopes=scopes, code_challenge=CHALLENGE)
        consent = self.as_user(begin, user, address)
        if isinstance(consent, Consent):
            self.consents.append((user, consent))

    @precondition(lambda self: self.consents)
    @rule(number=NUMBER, refuses=st.booleans(), stranger=st.booleans(), fewer=st.booleans())
    def answers(self, number: int, refuses: bool, stranger: bool, fewer: bool) -> None:
        """Somebody answers a question that was asked once, perhaps not the one who was asked."""
        self.answer(number, refuses, stranger, fewer)

    def answer(self, number: int, refuses: bool, stranger: bool, fewer: bool) -> None:
        user, consent = self.consents[-1 - number % len(self.consents)]
        user = "tanaka" if stranger and number % 5 == 0 else user
        if refuses and number % 3 == 0:
            self.as_user(links.refuse(consent), user)
            return
        acceptance = self.as_user(links.accept(consent, scopes=SCOPE if fewer else None), user)
        if isinstance(acceptance, Acceptance):
            self.codes.append((acceptance, consent.request.client))

    @precondition(lambda self: self.codes)
    @rule(number=NUMBER, wrong=st.sampled_from([None, None, None, "client", "redirect", "verifier"]))
    def redeems(self, number: int, wrong: str | None) -> None:
        """A client shows a code, now and then with something wrong, or once more."""
        self.redeem(number, wrong)

    def redeem(self, number: int, wrong: str | None) -> None:
        acceptance, client = self.codes[-1 - number % len(self.codes)]
        redeemed = self.do(
            links.redeem(
                acceptance.code,
                client=Client("thief") if wrong == "client" else client,
                redirect_uri=f"{REDIRECT}/other" if wrong == "redirect" else REDIRECT,
                code_verifier="v" * 43 if wrong == "verifier" else VERIFIER,
            ),
            None,
        )
        if isinstance(redeemed, TokenSet):
            assert wrong is None
            self.tokens.append((redeemed, client))

    @precondition(lambda self: self.tokens)
    @rule(number=NUMBER, scopes=st.none() | WANTED, thief=st.booleans())
    def refreshes(self, number: int, scopes: str | None, thief: bool) -> None:
        """A client shows a refresh token, old or new; now and then it is not its own."""
        self.refresh(number, scopes, thief)

    def refresh(self, number: int, scopes: str | None, thief: bool) -> None:
        tokens, client = self.tokens[-1 - number % len(self.tokens)]
        stolen = thief and number % 7 == 0
        shown = Client("thief") if stolen else client
        refreshed = self.do(links.refresh(tokens.refresh_token, client=shown, scopes=scopes), None)
        if isinstance(refreshed, TokenSet):
            assert not stolen
            assert tokens.link not in self.ended
            self.tokens.append((refreshed, client))

    @precondition(lambda self: self.tokens)
    @rule(number=NUMBER, address=ADDRESSES, scopes=WANTED, flow=st.none() | st.just(["a"]) | st.just(["a", "b"]))
    def checks(self, number: int, address: str, scopes: str, flow: list[str] | None) -> None:
        """A service calls with a token, old or new."""
        self.check(number, address, scopes, flow)

    def check(self, number: int, address: str, scopes: str, flow: list[str] | None) -> None:
        tokens, _ = self.tokens[-1 - number % len(self.tokens)]
        decision = self.do(access.check(tokens.access_token, scope=scopes, address=address, connectors=flow), None)
        assert isinstance(decision, Decision)
        if decision.allowed:
            assert tokens.link not in self.ended
            assert tokens.expires_in > 0

    @precondition(lambda self: self.tokens)
    @rule(number=NUMBER, what=st.sampled_from(["revoke", "revoke", "suspend", "resume"]), by_owner=st.booleans())
    def link(self, number: int, what: str, by_owner: bool) -> None:
        """An owner or an administrator ends, pauses or resumes a link."""
        link = self.tokens[-1 - number % len(self.tokens)][0].link
        operations = {"revoke": links.revoke, "suspend": links.suspend, "resume": links.resume}
        if by_owner:
            self.as_user(operations[what](link), "sato")
        else:
            self.do(operations[what](link))

    @rule(user=st.none() | USERS, name=st.none() | SERVICES, by_owner=st.booleans())
    def revoke_all(self, user: str | None, name: str | None, by_owner: bool) -> None:
        """Somebody ends all links of a user, a service, or both."""
        if user is None and name is None:
            return
        everything = links.revoke_all(user=user, service=name)
        if by_owner:
            self.as_user(everything, "sato")
        else:
            self.do(everything)

    @precondition(lambda self: self.tokens)
    @rule(number=NUMBER, remove=st.booleans())
    def trigger(self, number: int, remove: bool) -> None:
        """A service asks for a trigger that its definition has not; a delivery asks the gates again."""
        tokens, _ = self.tokens[-1 - number % len(self.tokens)]
        self.do(triggers.subscribe(tokens.access_token, trigger="record_added", address="203.0.113.7"), None)
        self.do(triggers.listed(tokens.link))
        self.do(triggers.unsubscribe(tokens.link, "none") if remove else triggers.check_delivery(tokens.link, "none"))

    @rule(user=USERS, name=SERVICES)
    def look(self, user: str, name: str) -> None:
        """Somebody looks at the pages."""
        self.do(links.of(user))
        self.do(links.users_of(name))
        self.do(access.explain(name, user=user, scope=SCOPE, address="203.0.113.7"))
        self.do(ledger.entries(after=self.seen, limit=20))
        self.do(grants.candidates(name, search="sa"))

    @invariant()
    def all_stores_hold_the_same(self) -> None:
        """Laws 17 and 18: the same records under the same versions, the same ledgers."""
        for tenant in (TENANT, HOST):
            records, *others = [all_records(storage, tenant) for storage in self.storages]
            assert [records] * len(others) == others
            entries, *others = [all_entries(storage, tenant) for storage in self.storages]
            assert [entries] * len(others) == others

    @invariant()
    def views_are_folds_of_the_ledger(self) -> None:
        """Law 12: what the ledger comes to after each operation is what is stored."""
        entries = all_entries(self.storages[0], TENANT)
        fold((entry.value or b"" for entry in entries[self.seen :]), self.folded)
        self.seen = len(entries)
        assert views(self.storages[0], TENANT) == self.folded

    @invariant()
    def what_ended_stays_ended(self) -> None:
        """Laws 9 and 11: a revoked link and one of an ended epoch never return; one lineage per user and client."""
        carrying: Counter[tuple[object, ...]] = Counter()
        state = _State(self.storages[0])
        for link in state.links:
            if state.has_ended(link):
                self.ended.add(link.id)
            elif link.id in self.ended:
                pytest.fail(f"{link.id} returned")
            elif link.state in {LinkState.LIVE, LinkState.SUSPENDED} and state.newest < link.expires:
                carrying[link.owner, link.service, link.client] += 1
        assert max(carrying.values(), default=0) <= 1


class _State:
    """What one store holds, decoded.

    Args:
        storage: of the hub that is looked at.
    """

    def __init__(self, storage: Storage) -> None:
        self._values: dict[Key, object] = {}
        # The latest instant that anything was written at; the clock may be behind it.
        self.newest = 0
        for key, _, value, at in chain(decoded(storage, TENANT), decoded(storage, HOST)):
            self._values[key] = value
            self.newest = max(self.newest, at)
        self.links = [value for value in self._values.values() if isinstance(value, Link)]

    def get(self, record: RecordKey[T]) -> T | None:
        """Return a record, or None where there is none."""
        return cast("T | None", self._values.get(record.key))

    def has_ended(self, link: Link) -> bool:
        """Whether a link is revoked, of an ended epoch, or ended with a grant; expiry is another matter."""
        tenant, owner, name = TenantId(TENANT), UserId(str(link.owner)), link.service
        known = (
            self.get(tenant_key(tenant)),
            self.get(service_key(tenant, name)),
            self.get(user_key(tenant, owner)),
            self.get(host_service_key(name)),
        )
        today = Epochs(*(0 if one is None else one.epoch for one in known))
        granted, excluded = self.get(grant_rules_key(tenant, name)) or (Rules(), Rules())
        named = self.get(user_grant_key(tenant, name, owner))
        grants = UserGrantPolicy(name, {} if named is None else {owner: named}, granted, excluded)
        ended = link.epochs != today or grants.ends_link(owner, PEOPLE.member(owner), link.grants_at)
        return ended or link.state is LinkState.REVOKED


# A walk over two files costs a fifth of a second, mostly of waiting for the disk.
HubsMachine.TestCase.settings = settings(max_examples=min(settings().max_examples, 600), stateful_step_count=30)
TestHubs = pytest.mark.slow(HubsMachine.TestCase)

# A search for a known fault: the same every time, and the first walk that shows it is enough.
_SEARCH: Final = settings(
    max_examples=100,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


class _ForgetsTheLastEntry(MemoryStorage):
    def commit(self, batch: Batch) -> Position:
        return super().commit(attrs.evolve(batch, entries=batch.entries[:1]))


class _OneStoreForgets(HubsMachine):
    """The broken twin: one of the four stores keeps only the first entry of a batch."""

    def _stored(self) -> MemoryStorage:
        return _ForgetsTheLastEntry()


class _OneHubDrawsMore(HubsMachine):
    """The broken twin: the async half of the runner draws at each operation what the sync half does not."""

    def _async(self, storage: ThreadedStorage) -> AsyncExtLink:
        hub = super()._async(storage)
        hub._draw(1)
        return hub


@pytest.mark.slow
@pytest.mark.parametrize("twin", [_OneStoreForgets, _OneHubDrawsMore])
def test_a_hub_that_differs_is_caught(twin: type[HubsMachine]) -> None:
    """A machine over a store that forgets, or over a hub that goes its own way, fails."""
    with pytest.raises(AssertionError):
        run_state_machine_as_test(twin, settings=_SEARCH)


def _no_notes(*args: object) -> list[object]:
    return []


def _as_before(call: object, commit: object, *others: object) -> object:
    return commit


def _without_images(*args: Any, **fields: Any) -> bytes:
    return canonical(*args, **{**fields, "images": ()})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule_of", "broken"),
    [
        ("extlink.domain.access._ended_notes", _no_notes),
        ("extlink.link_tokens._superseding", _as_before),
        ("extlink.attempt.canonical", _without_images),
    ],
)
def test_a_broken_rule_is_caught(monkeypatch: pytest.MonkeyPatch, rule_of: str, broken: Callable[..., object]) -> None:
    """Links that outlive their epoch, second lineages and entries without images make the machine fail."""
    monkeypatch.setattr(rule_of, broken)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(HubsMachine, settings=_SEARCH)
