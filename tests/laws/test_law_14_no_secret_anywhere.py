"""Law 14: no secret in any repr, log, exception, event, ledger entry or store byte (PROMISES P25, P26).

Canaries are the real secrets of a link's whole life: every code, token and consent, the verifier and the host's keys.
The one way out of a Secret is `reveal()`; a deliberate walk over its slots is its author's decision, and not counted.
"""

from __future__ import annotations

import json
import logging
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import attrs
import pytest

from extlink import access, links, networks
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.oauth_profile import FormPost, OAuthProfile
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.errors import ExtlinkError
from extlink.networks import Saved
from extlink.operation import Call, Operation
from extlink.ports import Batch, Position, Write, key
from extlink.runtime import ExtLink
from tests.canary.channels import CHANNELS, Canaries, leaks, parts, secrets_in, some_of_each_kind
from tests.fakes import CountingEntropy, FrozenClock
from tests.hosts import ALL_ROLES
from tests.oauth.endpoint_story import ENDPOINTS, tell_endpoints
from tests.operations import Stage, arguments, constructors, modules, where
from tests.schedules.world import ADDRESS, CLIENT, KEYS, PEOPLE, SCOPE, TENANT, VERIFIER, connected, prepared
from tests.stateful.story import tell
from tests.stateful.views import all_entries, all_records

T = TypeVar("T")
_SECRET = re.compile(r"^Secret\b")
# Longer than any secret is in any form.
OVERLAP = 65_536


class Listening(ExtLink):
    """A hub that keeps everything a host handed over and got back, and looks after each operation."""

    def start(self, after: Callable[[], None]) -> None:
        self.heard: list[object] = []
        self._after = after

    def carry_out(self, operation: Operation[T], call: Call) -> T:
        self.heard += [operation, call]
        try:
            result = super().carry_out(operation, call)
        except ExtlinkError as error:
            self.heard.append(error)
            self._after()
            raise
        self.heard.append(result)
        self._after()
        return result


def posted() -> FormPost:
    """Return what a client of a vendor's definition would post, credentials and all."""
    profile = OAuthProfile(token_url="https://example.com/token", client_authentication="body")
    told = ("Code", "ClientId", "ClientSecret", "CodeVerifier")
    values = {name: Secret(f"{name}-of-the-vendor") for name in told}
    return profile.token_request({**values, "RedirectUrl": "https://example.com/cb"})


class Life:
    """A story that is listened to, over a file whose bytes are looked at after each operation."""

    def __init__(self, folder: Path, storage: Callable[[Path], SQLiteStorage] = SQLiteStorage) -> None:
        self.folder = folder
        self.snapshots: set[bytes] = set()
        self._seen: dict[Path, bytes] = {}
        clock = FrozenClock()
        with storage(folder / "links.db") as store:
            self.hub = Listening(store, keys=KEYS, directory=PEOPLE, clock=clock, entropy=CountingEntropy(14))
            self.hub.start(self._look)
            self.spoken = tell_endpoints(self.hub, store, clock)
            tell(self.hub, clock)
            self.hub.heard.append(posted())
            names = (TENANT, ENDPOINTS, "~host")
            self.entries = [one.value or b"" for name in names for one in all_entries(store, name)]
            self.records = [one.value or b"" for name in names for one in all_records(store, name)]
        self._look()

    def _look(self) -> None:
        """Keep what the files hold now; of one that only grew, what is new and more than a secret's length before."""
        for path in self.folder.iterdir():
            data, seen = path.read_bytes(), self._seen.get(path, b"")
            grew = bool(seen) and data.startswith(seen)
            self.snapshots.add(data[max(0, len(seen) - OVERLAP) :] if grew else data)
            self._seen[path] = data

    @property
    def canaries(self) -> Canaries:
        """Every secret that anybody was given."""
        canaries = Canaries()
        for value in self.hub.heard:
            for number, text in enumerate(secrets_in(value)):
                canaries.add(f"secret {number} of {type(value).__name__}", text)
        canaries.add("the verifier", VERIFIER)
        canaries.add("the host's key", "11" * 32)
        return canaries


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Return the life of some links on SQLite."""
    return Life(tmp_path_factory.mktemp("life"))


def test_the_story_is_full_of_secrets(life: Life) -> None:
    """Codes, consents, resets, tokens of links and secrets of clients: the following tests look for something."""
    kinds = {text[3:5] for value in life.hub.heard for text in secrets_in(value) if text.startswith("xl_")}

    assert {"ac", "at", "rt", "cs", "rs", "sk"} == kinds
    assert len(life.canaries) > 60


def test_no_object_shows_a_secret(life: Life) -> None:
    """Every operation, result and error of the story, and everything they are made of, by every channel."""
    assert [] == leaks(life.canaries, some_of_each_kind(life.hub.heard))


def test_no_object_of_the_host_shows_a_secret(life: Life) -> None:
    """Nor do the hub, its tenants, its key ring, its token rules and its store."""
    hub = life.hub
    objects = [
        hub,
        hub.tenant(TENANT),
        hub.host(),
        KEYS,
        KEYS.checks,
        hub._token_ledger(hub.tenant(TENANT)._call.tenant),
    ]

    assert [] == leaks(life.canaries, [*objects, *vars(hub).values()])


def test_no_message_of_the_endpoints_shows_a_secret(life: Life) -> None:
    """A request, an answer and what is run in between are printed and logged; what they carry is for one reader."""
    shown = ("repr", "str", "format", "percent", "in a list", "pprint", "log", "exception", "locals of a traceback")
    canaries = life.canaries
    found = [
        f"{type(value).__name__} by {channel}: {name}"
        for value in life.spoken
        for channel in shown
        for name in canaries.found_in(CHANNELS[channel](value))
    ]

    assert len(life.spoken) > 40
    assert [] == found


def test_every_operation_hides_what_it_was_given() -> None:
    """Every operation there is, found by import, with its arguments, what it came to, or why not."""
    stage = Stage.make()
    heard: list[object] = [stage.consent, stage.tokens]
    canaries = Canaries()
    canaries.add("the stage's code", stage.code)
    canaries.add("the stage's verifier", "v" * 43)
    for name, given in arguments(stage).items():
        operation = constructors()[name](**given)
        heard.append(operation)
        try:
            heard.append(where(stage.host, name).acting_as("sato", roles=ALL_ROLES).run(operation))
        except ExtlinkError as error:
            heard.append(error)
    for value in heard:
        for text in secrets_in(value):
            canaries.add(type(value).__name__, text)
        for text in secrets_in(getattr(value, "arguments", None)):
            canaries.add(repr(value)[:40], text)

    assert [] == leaks(canaries, some_of_each_kind(heard))


def test_every_class_that_holds_a_secret_was_looked_at(life: Life) -> None:
    """The classes with a field of type Secret, found by import, all came up in the story."""
    holding = {
        thing.__name__
        for module in modules()
        for thing in vars(module).values()
        if isinstance(thing, type)
        and any(map(_SECRET.search, map(str, vars(thing).get("__annotations__", {}).values())))
    }
    seen = {type(one).__name__ for value in life.hub.heard for one in parts(value)}

    assert {"Acceptance", "Consent", "Saved", "TokenSet"} <= holding
    assert holding <= seen


def _annotations(kind: type[object]) -> list[str]:
    return [str(annotation) for annotation in vars(kind).get("__annotations__", {}).values()]


def test_no_error_tells_what_was_presented() -> None:
    """However a token is malformed or misplaced, no error or refusal repeats it."""
    storage = MemoryStorage()
    _, tenant, _ = prepared(storage)
    tokens = connected(tenant)
    canaries = Canaries()
    shown = [tokens.access_token.reveal(), tokens.refresh_token.reveal()]
    shown += [f"{text}x" for text in shown] + [text[:-1] + "A" for text in shown]
    heard: list[object] = []
    for number, text in enumerate(shown):
        canaries.add(f"token {number}", text)
        for make in (
            lambda text=text: access.check(text, scope=SCOPE, address=ADDRESS),
            lambda text=text: access.check(Secret(text), scope=SCOPE, address=ADDRESS),
            lambda text=text: links.refresh(text, client=CLIENT),
            lambda text=text: links.redeem(text, client=CLIENT, code_verifier=text),
            lambda text=text: links.accept(text),
            lambda text=text: links.refuse(text),
            lambda text=text: networks.reset(text),
        ):
            heard += _tried(make, tenant.acting_as("sato").run)

    assert [] == leaks(canaries, some_of_each_kind(heard))


def _tried(make: Callable[[], Operation[object]], run: Callable[[Operation[object]], object]) -> list[object]:
    heard: list[object] = []
    try:
        operation = make()
        heard.append(operation)
        heard.append(run(operation))
    except ExtlinkError as error:
        heard.append(error)
    return heard


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The library writes to no log and prints nothing, at any level."""
    with caplog.at_level(logging.DEBUG):
        Life(tmp_path)

    assert [] == caplog.records
    assert ("", "") == capfd.readouterr()


def test_no_entry_of_the_ledger_holds_a_secret(life: Life) -> None:
    """Neither a secret nor a digest nor a salt."""
    canaries = life.canaries
    digests = {text for record in life.records for text in _base64_in(record)}

    assert len(digests) > 10
    for entry in life.entries:
        assert [] == canaries.found_in_bytes(entry)
        assert [] == [digest for digest in digests if digest.encode() in entry]


def _base64_in(record: bytes) -> set[str]:
    """Return the digests and salts of a link's record: what is base64 of 20 or 32 bytes."""
    if not record.startswith(b"["):
        return set()
    found: set[str] = set()
    todo = [json.loads(record)]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo += value
        elif isinstance(value, str) and len(value) in {28, 44} and value.endswith("="):
            found.add(value)
    return found


def test_no_record_holds_a_secret(life: Life) -> None:
    """Decompressed where it is compressed."""
    canaries = life.canaries
    for record in life.records:
        data = record if record[:1] in b"[{\x00" else zlib.decompress(record)
        assert [] == canaries.found_in_bytes(data)


def test_no_byte_of_the_files_was_ever_a_secret(life: Life) -> None:
    """Database, write-ahead log and shared memory, after every operation: plaintext is never written (PROMISES P26)."""
    canaries = life.canaries

    assert len(life.snapshots) > 50
    for snapshot in life.snapshots:
        assert [] == canaries.found_in_bytes(snapshot)


# --- Broken twins ------------------------------------------------------------------------------------------------


@attrs.frozen
class PlainTokens:
    """The broken class: tokens as plain text."""

    access_token: str


@attrs.frozen
class HiddenTokens:
    """The broken class: tokens as plain text that only the representation leaves out."""

    access_token: str = attrs.field(repr=False)


class Careless(ExtlinkError):
    """The broken error: it keeps what was presented."""

    def __init__(self, text: str, presented: str) -> None:
        super().__init__(text)
        self.presented = presented


@pytest.mark.parametrize(
    "twin",
    [
        PlainTokens("xl_at_canary"),
        HiddenTokens("xl_at_canary"),
        Careless("unknown token", "xl_at_canary"),
        {"token": "xl_at_canary"},
        b"xl_at_canary",
    ],
    ids=["plain field", "field without repr", "error", "dictionary", "bytes"],
)
def test_an_object_that_shows_a_secret_is_caught(twin: object) -> None:
    """The broken twins: plain text in a field, also one that repr leaves out, in an error, and in collections."""
    canaries = Canaries()
    canaries.add("canary", "xl_at_canary")

    assert leaks(canaries, [twin])
    assert [] == leaks(canaries, [Secret("xl_at_canary"), {"token": Secret("xl_at_canary")}])


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_shows_something(channel: str) -> None:
    """Each channel lets something through, so that none of them looks for nothing."""
    canaries = Canaries()
    canaries.add("canary", "xl_at_canary")
    text = "xl_at_canary"
    samples: list[object] = [PlainTokens(text), text, [text], {"a": [text]}, text.encode(), Careless(text, text)]
    samples.append(Write(key("acme", "i"), text.encode()))

    assert [leak for leak in leaks(canaries, samples) if f"by {channel}:" in leak]


class KeepsTheAnswer(SQLiteStorage):
    """The broken store, or operation: it writes down what was answered, to give it again."""

    asked = 0

    def commit(self, batch: Batch) -> Position:
        KeepsTheAnswer.asked += 1
        answer = Write(key(batch.tenant.decode(), "i", str(self.asked)), VERIFIER.encode())
        position = super().commit(attrs.evolve(batch, writes=(*batch.writes, answer)))
        gone = attrs.evolve(batch, id=type(batch.id)(batch.id ^ 1 or 2), guards=(), entries=())
        super().commit(attrs.evolve(gone, writes=(answer._replace(value=None),)))
        return position


def test_a_plaintext_that_was_deleted_again_is_caught(tmp_path: Path) -> None:
    """The broken twin: what is deleted in the next transaction was in the write-ahead log all the same."""
    life = Life(tmp_path, KeepsTheAnswer)

    assert [] == [record for record in life.records if VERIFIER.encode() in record]
    assert [one for one in life.snapshots if "the verifier" in life.canaries.found_in_bytes(one)]


def test_a_logged_token_is_caught(caplog: pytest.LogCaptureFixture) -> None:
    """The broken twin: one line of a log."""
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("extlink").debug("checking %s", "xl_at_canary")

    assert caplog.records


def test_what_holds_secrets_is_what_it_seems() -> None:
    """The four answers that hold secrets show `Secret(***)` in their place."""
    for kind in (Acceptance, Consent, Saved, TokenSet):
        names = [field.name for field in attrs.fields(kind) if "Secret" in str(field.type)]

        assert names
