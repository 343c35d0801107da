"""What is kept in a store: every kind of record there and back, and any damage noticed (DESIGN 5 and 7, law 13)."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast, get_args

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import catalog, records
from extlink.domain.address import AddressRange
from extlink.domain.client_registration import (
    AuthenticationMethod,
    ClientKey,
    ClientProfile,
    ClientRecord,
    ClientRegistration,
    ClientSecret,
    KeyAlgorithm,
)
from extlink.domain.connector_rules import DYNAMIC, ActionRules, CustomConnector, EndpointRules
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.edition import Edition
from extlink.domain.event import encode
from extlink.domain.flow import Flow
from extlink.domain.grant import Existing, Reach, Rule, Rules, Tenure, UserRules
from extlink.domain.grant_request import GrantRequest, OpenRequests, RequestState
from extlink.domain.identifier import ClientId, LinkId, ServiceId, SubscriptionId, TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.last_use import LastUse
from extlink.domain.link import AccessToken, Code, Link, LinkState, Rotation
from extlink.domain.link_job import LinkJob, Toll
from extlink.domain.localized import LocalizedText
from extlink.domain.network import IPRestriction, Mode, Proof, Row
from extlink.domain.oauth_profile import OAuthProfile, RequestTemplates
from extlink.domain.pin import Pin, Pinned
from extlink.domain.readiness import Confirmation
from extlink.domain.registry import HostService, RegisteredService, ServiceState
from extlink.domain.service import Service
from extlink.domain.subscription import Subscription
from extlink.domain.tenant import HOST, Epochs, Tenant, UserState
from extlink.errors import CorruptRecord
from extlink.ports import MAX_VALUE_BYTES, key, prefix
from extlink.records import FORMAT, Kind, RecordKey, name_of, piece_key, pieces_of, split

Strategy = st.SearchStrategy[Any]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
SCOPES = st.frozensets(st.sampled_from(["k:app_record:read", "k:app_record:write", "a", "~"]), max_size=3)
COUNTS = st.integers(0, 2**53)
INSTANTS = st.integers(0, 253_402_300_799).map(Instant)
DIGESTS = st.binary(min_size=32, max_size=32)
NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)


def block(version: int, number: int, length: int) -> AddressRange:
    """Return the block of a length around an address."""
    bits = 32 if version == 4 else 128
    rest = bits - min(length, bits)
    first = number % 2**bits >> rest << rest
    return AddressRange(version=cast("Any", version), first=first, last=first + (1 << rest) - 1)


RANGES = st.builds(block, st.sampled_from([4, 6]), st.integers(0, 2**128 - 1), st.integers(0, 128))
ROWS = st.builds(
    Row, range=RANGES, memo=TEXT, source=TEXT, version=TEXT, published=st.none() | st.dates(date(2020, 1, 1))
)
MODES = st.sampled_from(get_args(Mode))
RESTRICTED = st.builds(
    IPRestriction,
    MODES.filter(lambda mode: mode != "allow_all"),
    st.lists(ROWS, max_size=5),
    st.frozensets(st.sampled_from(get_args(Proof))),
)
NETWORKS = st.builds(IPRestriction, MODES, st.lists(ROWS, max_size=5)) | RESTRICTED
PINS = st.builds(Pin, st.lists(ROWS, max_size=5), st.sampled_from(get_args(Pinned)))
TENANTS = st.builds(
    Tenant,
    id=IDS,
    edition=st.sampled_from(get_args(Edition)),
    products=st.frozensets(st.sampled_from(["kintone", "garoon"])),
    unconfigured_services=st.sampled_from(["deny", "allow"]),
    requires_flow_connectors=st.booleans(),
    epoch=COUNTS,
)


@st.composite
def policies(draw: st.DrawFn) -> DataGroupPolicy:
    """Draw the data policies of a tenant."""
    found: list[DataPolicy] = []
    for number in range(draw(st.integers(0, 3))):
        groups = draw(st.dictionaries(IDS, st.sampled_from(["business", "non_business", "blocked"]), max_size=4))
        named = {group: [one for one in groups if groups[one] == group] for group in set(groups.values())}
        scope = draw(st.sampled_from(["all", "except", "only"]))
        environments = draw(st.frozensets(IDS, min_size=1, max_size=2)) if scope != "all" else frozenset[str]()
        found.append(
            DataPolicy(
                id=cast("Any", f"p{number}"),
                name=draw(TEXT),
                **cast("Any", named),
                scope=cast("Any", scope),
                environments=environments,
                exempt=draw(st.frozensets(IDS, max_size=2)),
                source=draw(TEXT),
                actions=draw(st.sampled_from([(), (ActionRules(connector="a", rules={"b": "deny"}),)])),
                endpoints=draw(st.sampled_from([(), (EndpointRules(connector="a", rules=[("*", "deny")]),)])),
                hosts=draw(st.sampled_from([[("*", "ignore")], [("a*", "blocked"), ("*", "business")]])),
                as_of=draw(st.sampled_from(["", "2020-06-09"])),
            )
        )
    return DataGroupPolicy(found, draw(st.frozensets(IDS, max_size=2)))


PROFILES = (
    None,
    OAuthProfile(),
    OAuthProfile(
        authorization_url="https://{subdomain}.example.com/authorize",
        token_url="https://example.com/token",
        scope_delimiter=",",
        client_authentication="body",
        templates=RequestTemplates(refresh_body="grant_type=refresh_token&refresh_token={RefreshToken}&code={Code}"),
    ),
)


@st.composite
def services(draw: st.DrawFn) -> Service:
    """Draw a built-in service, or one of a host's own."""
    if draw(st.booleans()):
        return draw(st.sampled_from(catalog.BUILT_IN))
    names = draw(st.builds(LocalizedText.same, NAMES))
    return Service(
        id=draw(IDS),
        names=names,
        descriptions=names,
        directions=draw(st.frozensets(st.sampled_from(["inbound", "outbound"]), min_size=1)),
        scopes=draw(st.just(catalog.KINTONE_SCOPES) | st.just(())),
        editions=draw(st.frozensets(st.sampled_from(get_args(Edition)), min_size=1)),
        connector=draw(st.none() | IDS),
        oauth=draw(st.sampled_from(PROFILES)),
    )


REGISTERED = st.builds(
    RegisteredService,
    services(),
    st.sampled_from(ServiceState),
    epoch=COUNTS,
    cause=TEXT,
    order=COUNTS,
    dormant_after=st.none() | COUNTS,
)
TENURES = st.builds(
    Tenure,
    since=COUNTS,
    until=st.none() | INSTANTS,
    reach=st.sampled_from(get_args(Reach)),
    ended=st.none() | COUNTS,
    ended_at=st.none() | INSTANTS,
    existing=st.sampled_from(get_args(Existing)),
    scopes=st.none() | SCOPES,
)
REQUESTS = st.builds(
    GrantRequest,
    user=IDS,
    service=IDS,
    scopes=st.none() | SCOPES,
    made_at=INSTANTS,
    expires=INSTANTS,
    message=TEXT,
    state=st.sampled_from(get_args(RequestState)),
    granted=st.none() | SCOPES,
    cause=TEXT,
    answered_at=st.none() | INSTANTS,
)
RULES = st.builds(Rule, st.lists(TENURES, max_size=3).map(tuple), COUNTS)
MANY = st.builds(Rules, st.dictionaries(IDS, RULES, max_size=3), st.dictionaries(IDS, RULES, max_size=2), RULES)
CODES = st.builds(Code, digest=DIGESTS, expires=INSTANTS, redirect_uri=TEXT, challenge=st.none() | TEXT)
ACCESS = st.builds(AccessToken, COUNTS, DIGESTS, INSTANTS, SCOPES)
ROTATIONS = st.builds(
    Rotation,
    generation=COUNTS,
    current=DIGESTS,
    previous=DIGESTS | st.just(b""),
    salt=st.binary(min_size=20, max_size=20),
    key_id=TEXT,
    at=INSTANTS,
    scopes=SCOPES,
    confirmed=st.booleans(),
)
LINKS = st.builds(
    Link,
    id=IDS,
    owner=st.none() | IDS,
    service=IDS,
    client=IDS,
    public=st.booleans(),
    state=st.sampled_from(LinkState),
    epochs=st.builds(Epochs, COUNTS, COUNTS, COUNTS, COUNTS),
    grants_at=COUNTS,
    scopes=SCOPES,
    resource=st.none() | TEXT,
    accepted_at=INSTANTS,
    expires=INSTANTS,
    code=CODES,
    access=st.lists(ACCESS, max_size=4).map(tuple),
    rotation=ROTATIONS,
    ended_by=TEXT,
    ended_at=st.none() | INSTANTS,
    pinned=st.booleans(),
)
JOBS = st.builds(
    LinkJob,
    service=st.none() | IDS,
    ground=TEXT,
    began=INSTANTS,
    by=st.none() | IDS,
    reached=st.none() | IDS,
    done=st.none() | INSTANTS,
    toll=st.builds(Toll, ended=COUNTS, suspended=COUNTS, resumed=COUNTS, codes=COUNTS, unreadable=COUNTS),
)
FLOW = Flow(
    ["shared_sql", CustomConnector("orders", "https://api.example.com")],
    actions={"shared_sql": ["GetRow"]},
    endpoints={"shared_sql": ["server,db", DYNAMIC]},
    children=[Flow(["shared_excel"], id="flow-2", kind="desktop")],
)
SUBSCRIPTIONS = st.builds(
    Subscription,
    id=IDS,
    link=IDS,
    trigger=IDS,
    scope=st.just("k:app_record:read"),
    connectors=st.none() | st.frozensets(IDS, max_size=3) | st.just(FLOW),
    made_at=INSTANTS,
    environment=st.none() | IDS,
    flow_id=st.none() | IDS,
)

TOKENS = st.text("abcXYZ019._~-", min_size=1, max_size=8)
URIS = st.lists(TOKENS.map("https://client.example/{}".format), unique=True, max_size=3)
SECRETS = st.builds(ClientSecret, id=IDS, key_id=TEXT, digest=DIGESTS, made_at=INSTANTS, expires=st.none() | INSTANTS)
KEYS = st.builds(
    ClientKey,
    id=IDS,
    algorithm=st.sampled_from(get_args(KeyAlgorithm)),
    pem=st.just("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"),
)
ANY_METHOD: tuple[AuthenticationMethod, ...] = ("client_secret_basic", "client_secret_post", "private_key_jwt")
CONFIDENTIAL = st.builds(
    ClientProfile,
    service=IDS,
    name=NAMES,
    pkce=st.sampled_from(["required", "waived_for_confidential_client"]),
    methods=st.just(ANY_METHOD),
    redirect_uris=URIS,
    scopes=st.none() | st.just(frozenset(["a", "~"])),
    default_scopes=st.just(frozenset[str]()) | st.just(frozenset(["a"])),
    resources=st.lists(IDS, unique=True, max_size=3),
    introspects=st.booleans(),
    refresh_scope=st.sampled_from(["strict", "intersect_with_granted"]),
)
CLIENTS = st.builds(
    ClientRecord,
    st.none()
    | st.builds(
        ClientRegistration,
        id=TOKENS,
        profile=CONFIDENTIAL,
        secrets=st.lists(SECRETS, max_size=5).map(tuple),
        keys=st.lists(KEYS, max_size=3, unique_by=lambda one: one.id).map(tuple),
    )
    | st.builds(
        ClientRegistration,
        id=TOKENS,
        profile=st.builds(ClientProfile, service=IDS, name=NAMES, kind=st.just("public"), redirect_uris=URIS),
    ),
)

# The values of every kind, by the name it has in `records`.
VALUES: Mapping[str, Strategy] = {
    "TENANT": TENANTS,
    "KEY_CHECKS": st.dictionaries(IDS, TEXT, max_size=3),
    "NETWORK": NETWORKS,
    "PIN": PINS,
    "RESETS": COUNTS,
    "DATA_GROUPS": policies(),
    "SERVICE": REGISTERED,
    "HOST_SERVICE": st.builds(HostService, st.booleans(), COUNTS, TEXT),
    "GRANT_RULES": st.tuples(MANY, MANY),
    "USER_GRANT": st.builds(UserRules, RULES, RULES),
    "GRANT_HEAD": COUNTS,
    "USER": st.builds(UserState, st.sampled_from(["active", "suspended", "deleted"]), COUNTS),
    "LINK": LINKS,
    "LINKS_OF": st.lists(IDS, max_size=4).map(tuple),
    "SUBSCRIPTION": SUBSCRIPTIONS,
    "REQUEST": REQUESTS,
    "REQUEST_ANSWER": REQUESTS,
    "OPEN_REQUESTS": st.builds(OpenRequests, st.dictionaries(COUNTS, COUNTS, max_size=3)),
    "CONFIRMATIONS": st.dictionaries(
        TEXT, st.builds(Confirmation, by=st.none() | TEXT.map(UserId), at=INSTANTS, holds=st.booleans()), max_size=3
    ),
    "LAST_USE": st.builds(LastUse, INSTANTS, st.none() | TEXT),
    "MARKS": st.dictionaries(TEXT, COUNTS, max_size=3),
    "JOB": JOBS,
    "CLIENT": CLIENTS,
    "ASSERTIONS": st.dictionaries(TEXT, COUNTS, max_size=3),
}
KINDS: Mapping[str, Kind[Any]] = {name: kind for name, kind in vars(records).items() if isinstance(kind, Kind)}
WRITTEN = st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), VALUES[name], INSTANTS))
JSON: Strategy = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | st.text(st.characters(codec=None), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def plain(kind: Kind[Any], data: bytes) -> bytes:
    """Return the JSON of a record."""
    return zlib.decompress(data) if kind.packed else data


def packed(kind: Kind[Any], text: bytes) -> bytes:
    """Return the record that holds a JSON text."""
    return zlib.compress(text) if kind.packed else text


def is_read_or_corrupt(kind: Kind[Any], data: bytes) -> bool:
    """Read a record that may be damaged: a value that can be written again, or `CorruptRecord`; nothing else passes."""
    try:
        value, at = kind.decode(data)
    except CorruptRecord:
        return False
    assert isinstance(at, int)
    assert (value, at) == kind.decode(kind.encode(value, at))
    return True


def test_every_kind_is_tried_below() -> None:
    """A new kind of record cannot be forgotten here."""
    assert VALUES.keys() == KINDS.keys()


@given(WRITTEN)
def test_a_record_comes_back_as_it_was(written: tuple[str, object, Instant]) -> None:
    """What is read is what was written, with the instant of writing, for every kind; and it has one form."""
    name, value, at = written
    kind = KINDS[name]
    data = kind.encode(value, at)

    assert (value, at) == kind.decode(data)
    assert data == kind.encode(*kind.decode(data))


@given(WRITTEN)
def test_what_the_ledger_shows_of_a_record_is_plain(written: tuple[str, object, Instant]) -> None:
    """The image of a record is JSON; marks, walks, assertions and last use have none, apart from the ledger."""
    name, value, _ = written
    image = KINDS[name].image

    assert (name in {"ASSERTIONS", "JOB", "LAST_USE", "MARKS"}) == (image is None)
    if image is not None:
        shown = encode(image(value))
        assert shown == encode(json.loads(shown))


@given(LINKS)
def test_what_the_ledger_shows_of_a_link_holds_no_digest_and_no_salt(link: Link) -> None:
    """Digests and salts are in the record, and never in its image (DESIGN 5, law 14)."""
    assert records.LINK.image is not None
    shown = encode(records.LINK.image(link)).decode()
    kept = encode(records.LINK.write(link)).decode()
    held = link.rotation
    secrets = [link.code.digest, held.current, held.previous, held.salt, *(one.digest for one in link.access)]
    texts = {base64.b64encode(secret).decode() for secret in secrets if secret}

    assert [] == [text for text in texts if text in shown]
    assert [] == [text for text in texts if text not in kept]


@given(CLIENTS)
def test_what_the_ledger_shows_of_a_client_holds_no_digest(record: ClientRecord) -> None:
    """Its secrets are there by id, by key and with their time, and nothing of them."""
    assert records.CLIENT.image is not None
    shown = encode(records.CLIENT.image(record)).decode()
    kept = encode(records.CLIENT.write(record)).decode()
    secrets = () if record.registration is None else record.registration.secrets
    texts = {base64.b64encode(secret.digest).decode() for secret in secrets}

    assert [] == [text for text in texts if text in shown]
    assert [] == [text for text in texts if text not in kept]


def test_what_the_ledger_shows_of_keys_is_their_ids() -> None:
    """The check values of keys stay in the record."""
    assert records.KEY_CHECKS.image is not None
    assert ("k1", "k2") == records.KEY_CHECKS.image({"k2": "ff", "k1": "00"})


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=80))
def test_any_bytes_are_a_record_or_corrupt(name: str, data: bytes) -> None:
    """Whatever lies in the store, reading gives a value or `CorruptRecord`."""
    is_read_or_corrupt(KINDS[name], data)
    is_read_or_corrupt(KINDS[name], packed(KINDS[name], data))


@given(WRITTEN, st.data())
def test_a_damaged_byte_is_a_record_or_corrupt(written: tuple[str, object, Instant], data: st.DataObject) -> None:
    """One byte changed, lost or added, in the stored form or in the JSON within, is no other exception."""
    name, value, at = written
    kind = KINDS[name]
    for text in (kind.encode(value, at), plain(kind, kind.encode(value, at))):
        place = data.draw(st.integers(0, len(text) - 1))
        middle = data.draw(st.binary(max_size=2))
        damaged = text[:place] + middle + text[place + 1 :]

        is_read_or_corrupt(kind, damaged)
        is_read_or_corrupt(kind, packed(kind, damaged))


def replaced(value: object, steps: list[int], other: object) -> object:
    """Return a JSON value with another in place of one of its parts; `steps` says which on the way down."""
    if not steps or not isinstance(value, list | dict) or not value:
        return other
    if isinstance(value, list):
        place = steps[0] % len(value)
        return [replaced(item, steps[1:], other) if at == place else item for at, item in enumerate(value)]
    names = sorted(cast("dict[str, object]", value))
    chosen = names[steps[0] % len(names)]
    return {name: replaced(value[name], steps[1:], other) if name == chosen else value[name] for name in names}


@given(WRITTEN, st.lists(st.integers(0, 50), max_size=6), JSON)
def test_a_strange_part_is_a_record_or_corrupt(
    written: tuple[str, object, Instant], steps: list[int], other: object
) -> None:
    """Any part of a record replaced by any JSON gives a value that can be written again, or `CorruptRecord`."""
    name, value, at = written
    kind = KINDS[name]
    fields = replaced(json.loads(plain(kind, kind.encode(value, at))), steps, other)

    is_read_or_corrupt(kind, packed(kind, json.dumps(fields).encode()))


SATO = json.loads(records.USER.encode(UserState("suspended", 3), Instant(9)))
UNREADABLE: Mapping[str, object] = {
    "no list": {"0": 1, "1": 9, "2": {}},
    "too short": [1, 9],
    "too long": [*SATO, 0],
    "no number of a format": ["1", *SATO[1:]],
    "a yes for a format": [True, *SATO[1:]],
    "a fraction for a format": [1.0, *SATO[1:]],
    "no instant": [1, None, SATO[2]],
    "a text for an instant": [1, "9", SATO[2]],
    "a yes for an instant": [1, True, SATO[2]],
    "a fraction for an instant": [1, 9.5, SATO[2]],
    "no fields": [1, 9, None],
    "an unknown word": [1, 9, {"status": "asleep", "epoch": 0}],
    "a field left out": [1, 9, {"status": "active"}],
    "a text for a number": [1, 9, {"status": "active", "epoch": "0"}],
    "a yes for a number": [1, 9, {"status": "active", "epoch": True}],
}


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_a_malformed_record_is_corrupt(name: str) -> None:
    """A record that is not what `encode` writes says so, with what to do, and names its kind and nothing it holds."""
    with pytest.raises(CorruptRecord) as caught:
        records.USER.decode(json.dumps(UNREADABLE[name]).encode())

    assert "a record of kind u cannot be read back; restore it from a backup" == str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[1,9",
        b"[1,9,NaN]",
        b"[" * 50_000,
        b"9" * 5_000,
        '[1,9,{"status":"active","epoch":0}]'.encode("utf-16"),
        b'\xef\xbb\xbf[1,9,{"status":"active","epoch":0}]',
    ],
    ids=["empty", "no text", "cut", "no number", "deep", "endless", "UTF-16", "with a mark"],
)
def test_bytes_that_are_no_json_are_corrupt(data: bytes) -> None:
    """Neither depth nor length nor another encoding becomes another exception."""
    with pytest.raises(CorruptRecord, match="cannot be read back"):
        records.USER.decode(data)


@pytest.mark.parametrize("data", [b"", b"not packed", zlib.compress(b"[1,9,[]]")[:-3]])
def test_bytes_that_do_not_unpack_are_corrupt(data: bytes) -> None:
    """The kinds that are compressed notice damage to the compression."""
    with pytest.raises(CorruptRecord, match="of kind p cannot be read back"):
        records.NETWORK.decode(data)


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize("version", [FORMAT + 1, 2**70, 0, -1])
def test_another_format_is_refused(name: str, version: int) -> None:
    """A record that another release wrote is never guessed at: the error names its format and what to do."""
    data = packed(KINDS[name], json.dumps([version, 9, {}]).encode())

    with pytest.raises(CorruptRecord, match=rf"has format {version}, this release reads 1; use the release that"):
        KINDS[name].decode(data)


def test_half_a_letter_is_corrupt() -> None:
    """JSON can name half of a surrogate pair; nothing that extlink keeps contains one, so it is damage."""
    with pytest.raises(CorruptRecord):
        records.LINKS_OF.decode(b'[1,9,["\\ud83d"]]')


def test_a_backslash_is_no_damage() -> None:
    r"""A text with a backslash and the letter u, such as a path, is read back as any other."""
    memo = IPRestriction("allow_some", [Row(range=block(4, 0, 24), memo="C:\\users\\udon")])

    assert memo == records.NETWORK.decode(records.NETWORK.encode(memo, Instant(0)))[0]


def test_equal_values_have_one_form() -> None:
    """The order in which a set was filled does not show in the bytes."""
    one = Tenant(id=TenantId("t"), edition="JP", products=frozenset(["kintone", "garoon"]))
    other = Tenant(id=TenantId("t"), edition="JP", products=frozenset(["garoon", "kintone"]))

    assert records.TENANT.encode(one, Instant(1)) == records.TENANT.encode(other, Instant(1))


def test_a_flag_that_is_damaged_errs_towards_refusing() -> None:
    """What restricts a tenant, and what stops a service, holds unless it says plainly that it does not."""
    tenant = {"id": "t", "edition": "JP", "products": [], "unconfigured": "deny", "flow": 0, "epoch": 0}
    stopped = {"quarantined": None, "epoch": 0, "cause": ""}

    assert records.TENANT.decode(json.dumps([1, 0, tenant]).encode())[0].requires_flow_connectors
    assert records.HOST_SERVICE.decode(json.dumps([1, 0, stopped]).encode())[0].quarantined


@given(st.lists(st.tuples(IDS, IDS, IDS), min_size=2, max_size=2, unique=True))
def test_no_two_records_share_a_key(places: list[tuple[str, str, str]]) -> None:
    """Whatever the identifiers, every record of every kind has a place of its own."""
    found: dict[object, tuple[str, object]] = {}
    for tenant, one, other in places:
        for name, place in keys_of(TenantId(tenant), one, other).items():
            if found.setdefault(place.key, (name, place.key)) != (name, place.key):
                pytest.fail(f"{name} lies where {found[place.key][0]} lies")


def keys_of(tenant: TenantId, one: str, other: str) -> dict[str, RecordKey[Any]]:
    """Return a key of every kind for some identifiers."""
    service, user, link, client = ServiceId(one), UserId(other), LinkId(one), ClientId(other)
    return {
        "tenant": records.tenant_key(tenant),
        "network": records.network_key(tenant),
        "data groups": records.data_groups_key(tenant),
        "service": records.service_key(tenant, service),
        "rules": records.grant_rules_key(tenant, service),
        "head": records.grant_head_key(tenant, service),
        "grant": records.user_grant_key(tenant, service, user),
        "user": records.user_key(tenant, user),
        "link": records.link_key(tenant, link),
        "links of": records.links_of_key(tenant, user, service),
        "users of": records.users_of_key(tenant, service, user),
        "subscription": records.subscription_key(tenant, link, SubscriptionId(other)),
        "request": records.request_key(tenant, service, user),
        "request answer": records.request_answer_key(tenant, service, user),
        "open requests": records.open_requests_key(tenant),
        "last use": records.last_use_key(tenant, link),
        "marks": records.marks_key(tenant, link),
        "checks": records.key_checks_key(tenant),
        "job": records.job_key(tenant, one, other),
        "client": records.client_key(tenant, client),
        "assertions": records.assertions_key(tenant, client),
        "marks of a client": records.client_marks_key(tenant, client),
    }


def test_a_key_reads_its_own_kind() -> None:
    """A key that knows its kind gives what lies under it."""
    place = records.user_key(TenantId("acme"), UserId("sato"))

    assert (UserState("deleted", 2), 5) == place.decode(records.USER.encode(UserState("deleted", 2), Instant(5)))


def test_what_the_host_says_of_a_service_lies_under_the_host() -> None:
    """Every tenant reads the same record."""
    assert key(HOST, "s", "slack") == records.host_service_key(ServiceId("slack")).key


@pytest.mark.parametrize(
    ("parts", "name"),
    [(("t",), '["t"]'), (("g", "slack", "佐藤"), '["g","slack","佐藤"]'), (("u", 'a"b\x00c'), '["u","a\\"b\\u0000c"]')],
)
def test_a_key_has_a_name_that_people_read(parts: tuple[str, ...], name: str) -> None:
    """In the ledger a key is its components as one JSON text, so no two keys have one name."""
    assert name == name_of(key("acme", *parts))


def test_a_reader_that_guesses_is_found() -> None:
    """The broken twin: a kind whose reader fills in what is missing does not write what it read."""
    guessing: Kind[Any] = Kind("u", _guessed_out, _guessed_in, None)

    with pytest.raises(AssertionError):
        is_read_or_corrupt(guessing, b"[1,9,{}]")


def _guessed_in(value: object) -> UserState:
    return UserState("active", len(cast("dict[str, object]", value)))


def _guessed_out(value: UserState) -> object:
    return {"status": value.status, "epoch": value.epoch}


def test_a_reader_that_lets_an_error_through_is_found() -> None:
    """The broken twin: a reader that divides by what it reads."""
    dividing: Callable[[object], object] = lambda value: 1 // cast("int", value)  # noqa: E731 - a twin in a line
    broken: Kind[Any] = attrs.evolve(records.GRANT_HEAD, read=cast("Any", dividing))

    with pytest.raises(ZeroDivisionError):
        is_read_or_corrupt(broken, b"[1,9,0]")


HEAD = b"\x00"


@given(st.integers(0, 3 * MAX_VALUE_BYTES))
def test_a_large_record_is_cut_into_pieces_that_fit(size: int) -> None:
    """What is written for a record is itself, or a head that counts pieces which together are the record."""
    place = key("acme", "p", "net")
    data = bytes([size % 251 + 1]) * size
    (first, head), *pieces = split(place, data, Instant(9))

    assert place == first
    if size <= MAX_VALUE_BYTES:
        assert (data, []) == (head, pieces)
        return
    assert len(pieces) == pieces_of(head)
    assert data == b"".join(part for _, part in pieces)
    assert [piece_key(place, number) for number in range(len(pieces))] == [where for where, _ in pieces]
    assert max(len(part) for _, part in pieces) <= MAX_VALUE_BYTES


def test_a_whole_record_has_no_pieces() -> None:
    """No record begins as a head does."""
    assert 0 == pieces_of(records.USER.encode(UserState(), Instant(9)))
    assert 0 == pieces_of(records.NETWORK.encode(IPRestriction(), Instant(9)))


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[" * 50_000, b"{}", b"[1,9]", b"[1,9,true]", b'["1",9,2]', b'[1,9,"2"]'],
    ids=["empty", "no text", "deep", "no list", "short", "a yes", "a text", "a text for a count"],
)
def test_a_damaged_head_is_corrupt(body: bytes) -> None:
    """A head that cannot be read is no record of no pieces."""
    with pytest.raises(CorruptRecord, match="restore it from a backup"):
        pieces_of(HEAD + body)


@pytest.mark.parametrize("body", [b"[2,9,2]", b"[1,9,1]", b"[1,9,-2]", b"[1,9,41]", b"[1,9,999999999999]"])
def test_a_head_of_another_release_is_refused(body: bytes) -> None:
    """Neither another format nor a number of pieces that is never written is guessed at."""
    with pytest.raises(CorruptRecord, match="use the release that wrote it"):
        pieces_of(HEAD + body)


def test_pieces_lie_apart_from_every_list() -> None:
    """No prefix under which records are listed is one of a piece's path."""
    place = piece_key(records.network_key(TenantId("acme")).key, 0)

    assert not any(place.path.startswith(prefix(kind.name)) for kind in KINDS.values())
