"""The ledger: every change writes its entries in the same commit, and hosts read them in pages (F13, DESIGN 7)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import access, ledger, links, networks, services, users
from extlink.domain.event import VOCABULARY, Detail, encode
from extlink.domain.identifier import UserId
from extlink.domain.tenant import HOST, UserState
from extlink.errors import CorruptRecord, InvalidInput, Misconfigured
from extlink.ledger import EntryPage
from extlink.operation import ADMINISTRATORS, Call, Commit, Operation, Steps, operation, put
from extlink.ports import Batch, Key, Version, components
from extlink.records import (
    ASSERTIONS,
    CLIENT as CLIENT_KIND,
    CONFIRMATIONS,
    DATA_GROUPS,
    GRANT_HEAD,
    GRANT_RULES,
    HOST_SERVICE,
    JOB,
    KEY_CHECKS,
    LAST_USE,
    LINK,
    LINKS_OF,
    MARKS,
    NETWORK,
    OPEN_REQUESTS,
    PIN,
    REQUEST,
    REQUEST_ANSWER,
    RESETS,
    SERVICE as SERVICE_KIND,
    SUBSCRIPTION,
    TENANT,
    USER,
    USER_GRANT,
    Kind,
    name_of,
    user_key,
)
from tests.every_change import Committed, Recording, tell
from tests.fakes import NOW
from tests.hosts import ACME, CLIENT, Host, refusal
from tests.operations import definitions

EVERY: tuple[Kind[Any], ...] = (
    CONFIRMATIONS,
    GRANT_HEAD,
    GRANT_RULES,
    JOB,
    KEY_CHECKS,
    LAST_USE,
    LINK,
    LINKS_OF,
    MARKS,
    OPEN_REQUESTS,
    REQUEST,
    REQUEST_ANSWER,
    SERVICE_KIND,
    SUBSCRIPTION,
    TENANT,
    USER,
    USER_GRANT,
    CLIENT_KIND,
    ASSERTIONS,
)
KINDS: Mapping[str, Kind[Any]] = {kind.name: kind for kind in EVERY}
_POLICIES: Mapping[str, Kind[Any]] = {"net": NETWORK, "dlp": DATA_GROUPS, "pin": PIN, "rst": RESETS}
FIELDS = frozenset(
    {
        "format",
        "tenant",
        "at",
        "event",
        "level",
        "module",
        "action",
        "result",
        "operation",
        "actor",
        "details",
        "records",
    }
)
Images = dict[tuple[bytes, str], object]


def kind_of(key: Key) -> Kind[Any]:
    """Return the kind of the record under a key."""
    name, *rest = components(key.path)
    if name == "x":
        name = "o"
    if name == "p":
        return _POLICIES[rest[0]]
    if name == "s" and key.tenant == HOST.encode():
        return HOST_SERVICE
    return KINDS[name]


def image_of(key: Key, value: bytes | None) -> object:
    """Return what the ledger shows of a record, as JSON gives it back; None: deleted."""
    kind = kind_of(key)
    assert kind.image is not None
    return None if value is None else json.loads(encode(kind.image(kind.decode(value)[0])))


def expected_images(batch: Batch) -> Images:
    """Return what the entries of a batch must show: every record written that is not apart from the ledger."""
    return {
        (write.key.tenant, name_of(write.key)): image_of(write.key, write.value)
        for write in batch.writes
        if kind_of(write.key).image is not None
    }


def shown_images(batch: Batch) -> Images:
    """Return what the entries of a batch show."""
    found: Images = {}
    for entry in batch.entries:
        for name, image in json.loads(entry)["records"]:
            assert (batch.tenant, name) not in found, f"{name} is told twice"
            found[batch.tenant, name] = image
    return found


def omissions(told: Iterable[Committed]) -> Iterator[str]:
    """Yield what the ledger does not tell of what was committed: who, when, what, before, after.

    The ledger alone is folded along: the image that an earlier entry gave of a record is what it was before.
    """
    before: Images = {}
    for one in told:
        batch, name = one.batch, one.operation
        images = expected_images(batch)
        if not batch.entries:
            # Without an entry nothing that the ledger shows may change: marks, and that an answer arrived.
            for key, image in images.items():
                if before.get(key, "nothing") != image:
                    yield f"{name} changed {key[1]} and told nobody"
            continue
        if images != shown_images(batch):
            yield f"{name} wrote other records than it told of"
        for entry in batch.entries:
            yield from _wrong_fields(one, json.loads(entry))
        before.update(images)


def _wrong_fields(one: Committed, fields: Mapping[str, object]) -> Iterator[str]:
    event, actor = fields["event"], fields["actor"]
    assert isinstance(event, str)
    assert isinstance(actor, dict)
    if fields.keys() != FIELDS:
        yield f"{event} has other fields than every entry"
    if (one.batch.tenant.decode(), one.batch.at, one.operation) != (
        fields["tenant"],
        fields["at"],
        fields["operation"],
    ):
        yield f"{event} happened elsewhere, at another time or in another operation"
    if actor.get("user") != one.user:
        yield f"{event} was done by {actor.get('user')}, not by {one.user}"
    if event not in definitions()[one.operation].records:
        yield f"{event} is none of {one.operation}"
    if (fields["level"], fields["module"], fields["action"], fields["result"]) != VOCABULARY[event]:
        yield f"{event} is shown as something else"


@pytest.fixture(scope="module")
def story() -> tuple[Host, tuple[Committed, ...]]:
    """Return the host after the story of all changes, and what was committed."""
    return tell()


def test_every_change_writes_its_entries_in_the_same_commit(story: tuple[Host, tuple[Committed, ...]]) -> None:
    """For every operation: who, when, what, and each record as it is then; what was before is in an earlier entry."""
    _, told = story

    assert [] == list(omissions(told))


def test_the_story_holds_every_operation_that_writes(story: tuple[Host, tuple[Committed, ...]]) -> None:
    """No operation that announces an event is missing in the story that the test above looks at."""
    _, told = story
    writing = {name for name, one in definitions().items() if one.records - {"operation.denied"}}

    assert writing == {one.operation for one in told if one.batch.writes and one.batch.entries} | {
        "endpoints.decline",  # says no: there is nothing to write but that
        "links.refuse",
    }


def test_the_ledger_alone_gives_the_store_back(story: tuple[Host, tuple[Committed, ...]]) -> None:
    """Folding the entries gives every record the store holds, and none that it does not (law 12)."""
    host, told = story
    folded: Images = {}
    for one in told:
        folded.update(shown_images(one.batch))
    records, _ = host.dump()
    held = {
        (tenant, name_of(Key(tenant, path))): image_of(Key(tenant, path), value)
        for (tenant, path), value in records.items()
        if kind_of(Key(tenant, path)).image is not None
    }

    assert held == {key: image for key, image in folded.items() if image is not None}


def test_entries_with_details_of_before_tell_the_truth(story: tuple[Host, tuple[Committed, ...]]) -> None:
    """Where an entry says what was before, it is what the entries before it say."""
    _, told = story
    state, mode = "unconfigured", "allow_all"
    for one in told:
        for fields in map(json.loads, one.batch.entries):
            images = dict(fields["records"])
            if fields["event"] in {"network.changed", "network.reset"}:
                assert mode == fields["details"]["before"]
                mode = fields["details"]["after"]
                assert mode == images['["p","net"]']["mode"]
            slack = images.get('["s","slack"]')
            if slack is not None and one.batch.tenant == ACME.encode():
                if fields["event"] in {"service.enabled", "service.disabled"}:
                    assert state == fields["details"]["before"]
                state = slack["state"]


@operation("tests.silent", by=ADMINISTRATORS)
def silent(call: Call) -> Steps[Commit[None]]:
    """Change a user without telling."""
    yield from ()
    return Commit(None, (put(user_key(call.tenant, UserId("sato")), UserState("suspended", 1)),))


def last_batch(change: Operation[object]) -> Batch:
    """Return what an operation commits for an administrator."""
    store = Recording()
    Host.make(store=store).admin.run(change)
    return store.batches[-1]


def test_a_change_that_nobody_is_told_of_is_refused() -> None:
    """An operation that writes a record without an event is an error of ours, and nothing is written."""
    host = Host.make()
    before = host.dump()

    with pytest.raises(Misconfigured, match="records nothing; name an event"):
        host.admin.run(silent())
    assert before == host.dump()


def test_a_change_that_nobody_is_told_of_is_found() -> None:
    """The broken twin: a batch that lost its entries on the way to the store."""
    batch = attrs.evolve(last_batch(users.suspend("sato")), entries=())
    told = [Committed(batch=batch, operation="users.suspend", user="admin-1")]

    assert ['users.suspend changed ["u","sato"] and told nobody'] == list(omissions(told))


@pytest.mark.parametrize(
    "change",
    [
        {"actor": {"user": "mallory", "roles": [], "address": None}},
        {"at": 0},
        {"tenant": "other"},
        {"operation": "users.resume"},
        {"event": "user.resumed"},
        {"level": "information"},
        {"records": []},
        {"extra": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_entry_that_tells_something_else_is_found(change: Mapping[str, Detail]) -> None:
    """The broken twins: another person, time, tenant, operation, event, level, no records, a field too many."""
    batch = last_batch(users.suspend("sato"))
    (entry,) = batch.entries
    right = Committed(batch=batch, operation="users.suspend", user="admin-1")
    wrong = attrs.evolve(right, batch=attrs.evolve(batch, entries=(encode({**json.loads(entry), **change}),)))

    assert [] == list(omissions([right]))
    assert [] != list(omissions([wrong]))


def test_entries_are_listed_oldest_first_and_numbered_without_gaps() -> None:
    """Numbers begin with 1 and have no gaps."""
    host = Host.prepared()
    entries = host.entries()

    assert "tenant.opened" == entries[0].event
    assert list(range(1, len(entries) + 1)) == [entry.number for entry in entries]


def test_an_entry_says_who_did_what_when_and_with_which_records() -> None:
    """Every field of an entry is as it was written."""
    host = Host.make()
    host.clock.advance(60)
    host.admin.run(users.suspend("sato"))
    entry = host.entries()[-1]

    assert "user.suspended" == entry.event
    assert "users.suspend" == entry.operation
    assert "admin-1" == entry.user
    assert NOW + 60 == entry.at
    assert {"user": "sato", "before": "active", "existing": "revoke"} == entry.details
    assert (('["u","sato"]', {"status": "suspended", "epoch": 1}),) == entry.records
    assert VOCABULARY["user.suspended"] == entry.kind


def test_the_system_is_nobody() -> None:
    """What no person did has no user."""
    assert Host.make().entries()[0].user is None


def test_entries_come_in_pages() -> None:
    """`next` of a page is where the following one goes on; the last page has none."""
    host = Host.prepared()
    everything = host.entries()
    found: list[ledger.Entry] = []
    after: int | None = 0
    while after is not None:
        page = host.admin.run(ledger.entries(after=after, limit=2))
        assert len(page.entries) <= 2
        found.extend(page.entries)
        after = page.next

    assert everything == tuple(found)


def test_beyond_the_end_there_is_nothing() -> None:
    """A number that the ledger has not reached gives the empty page."""
    assert EntryPage((), None) == Host.make().admin.run(ledger.entries(after=2**53))


def test_the_host_reads_a_tenants_ledger_too() -> None:
    """The role `host` is as good as the common administrator's; a user's is not."""
    host = Host.make()

    assert "tenant.opened" == host.tenant.acting_as("ops", roles={"host"}).run(ledger.entries()).entries[0].event
    assert "actor.not_permitted" == refusal(host.user(), ledger.entries()).code


def test_the_host_has_a_ledger_of_its_own() -> None:
    """What concerns every tenant is recorded under the host itself, and can be read there."""
    host = Host.make()
    host.root.run(services.quarantine_everywhere("slack", "a breach"))

    assert ["keys.registered", "service.quarantined"] == [
        entry.event for entry in host.root.run(ledger.entries()).entries
    ]


BEYOND: Mapping[str, Mapping[str, int]] = {
    "before the beginning": {"after": -1},
    "after the end": {"after": 2**53 + 1},
    "after a yes": {"after": True},
    "no page": {"limit": 0},
    "a page too large": {"limit": 501},
    "too long to print": {"limit": 10**5_000},
}


@pytest.mark.parametrize("name", BEYOND)
def test_pages_are_bounded(name: str) -> None:
    """A page has 1 to 500 entries, after a whole number; a number too long to print is refused as any other."""
    with pytest.raises(InvalidInput) as caught:
        ledger.entries(**BEYOND[name])

    assert [caught.value.field] == list(BEYOND[name])


def test_no_entry_holds_a_secret_of_a_link() -> None:
    """Neither tokens nor their digests nor salts are in what the ledger shows of a link."""
    host = Host.prepared()
    tokens = host.connect()
    shown = json.dumps([entry.records for entry in host.entries()])
    records, _ = host.dump()
    held = json.loads(records[b"acme", b"l\x00\x01" + tokens.link.encode() + b"\x00\x01"] or b"")[2]

    assert tokens.access_token.reveal() not in shown
    assert all(digest not in shown for digest in (held[12][0], held[13][0][1], held[14][1], held[14][3]))


def stored(body: bytes) -> Host:
    """Return a host whose ledger holds these bytes as its newest entry."""
    host = Host.make()
    host.store.commit(Batch(tenant=b"acme", id=Version(99), guards=(), writes=(), entries=(body,), at=NOW))
    return host


ENTRY = {
    "format": 1,
    "at": 5,
    "event": "user.suspended",
    "operation": "users.suspend",
    "actor": {"user": None},
    "details": {},
    "records": [["k", None]],
}


def test_a_well_formed_entry_is_read() -> None:
    """The twin of the malformed ones below."""
    assert 5 == stored(json.dumps(ENTRY).encode()).entries()[-1].at


DAMAGED: Mapping[str, bytes] = {
    "empty": b"",
    "no UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "endlessly deep": b"[" * 20_000,
    "null": b"null",
    **{f"{name} a fraction": json.dumps({**ENTRY, name: 7.5}).encode() for name in ENTRY},
    **{f"{name} a list": json.dumps({**ENTRY, name: []}).encode() for name in set(ENTRY) - {"records"}},
    **{f"no {name}": json.dumps({key: ENTRY[key] for key in ENTRY if key != name}).encode() for name in ENTRY},
    "of a newer release": json.dumps({**ENTRY, "format": 2}).encode(),
    "at a yes": json.dumps({**ENTRY, "at": True}).encode(),
    "an event of another release": json.dumps({**ENTRY, "event": "made.up"}).encode(),
    "an actor that is a number": json.dumps({**ENTRY, "actor": {"user": 7}}).encode(),
    "an actor without a user": json.dumps({**ENTRY, "actor": {}}).encode(),
    "a record without an image": json.dumps({**ENTRY, "records": [["k"]]}).encode(),
    "a record that is a text": json.dumps({**ENTRY, "records": ["kv"]}).encode(),
    "a record with a number for its key": json.dumps({**ENTRY, "records": [[7, None]]}).encode(),
}


@pytest.mark.parametrize("name", sorted(DAMAGED))
def test_an_entry_that_cannot_be_read_is_corrupt(name: str) -> None:
    """A damaged entry is named by its number and never guessed at."""
    with pytest.raises(CorruptRecord, match="ledger entry 2 cannot be read; use the release that wrote it, or restore"):
        stored(DAMAGED[name]).entries()


JSON = st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda value: json.dumps(value).encode())


@given(st.binary(max_size=60) | JSON)
def test_any_bytes_are_an_entry_or_corrupt(body: bytes) -> None:
    """Whatever lies in the store, reading gives entries or `CorruptRecord`."""
    with pytest.raises(CorruptRecord):
        stored(body).entries()


def test_a_refused_call_is_recorded_once_an_hour() -> None:
    """A service that hammers does not fill the ledger (DESIGN 6); the next hour's first refusal is recorded again."""
    host = Host.prepared()
    token = host.connect().access_token
    host.admin.run(networks.deny_all())
    before = host.position()
    for _ in range(3):
        host.check(token, address="203.0.113.7")
    host.clock.advance(3_600)
    host.check(token, address="203.0.113.7")

    assert ("access.refused", "access.refused") == host.events(before)


def test_a_text_that_is_no_token_of_ours_writes_nothing() -> None:
    """Garbage costs nothing and leaves nothing behind."""
    host = Host.prepared()
    before = host.dump()
    host.tenant.run(access.check("xl_at_garbage", scope="k:file:read"))
    host.tenant.run(links.refresh("xl_rt_garbage", client=CLIENT))

    assert before == host.dump()
