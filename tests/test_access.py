from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given, strategies as st

from extlink import access, datagroups, grants, links, networks, services, users
from extlink.adapters.memory import MemoryStorage
from extlink.catalog.connectors import GOOGLE_CALENDAR, KINTONE, OUTLOOK, SLACK as SLACK_CONNECTOR
from extlink.domain.client import Client
from extlink.domain.connector_rules import CustomConnector
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Decision
from extlink.domain.flow import Flow
from extlink.domain.identifier import LinkId, TenantId
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing, Token, TokenKind
from extlink.domain.token_ledger import TokenSet
from extlink.errors import InvalidInput, Refused, StorageError, Unavailable
from extlink.operation import Operation
from extlink.ports import Batch, Position, Stored
from extlink.runtime import ExtLink
from tests.fakes import CountingEntropy
from tests.people import POWER, READ, SLACK, WRITE, CountingStorage, World, codes, purge, refused, world

AZURE: Final = "20.37.194.1"
KEYS: Final = KeyRing({"k1": Secret("5e" * 32)}, current="k1")


def linked(**more: Any) -> tuple[World, TokenSet]:
    """Return a host in which sato is permitted and connected."""
    made = world(**more)
    made.allow("sato", "ito")
    return made, made.connect("sato")


# --- Check: the token --------------------------------------------------------------------------------------------


def test_a_good_token_is_allowed() -> None:
    """DESIGN 3: all five gates are asked, and each that passed says on what it rests."""
    made, tokens = linked()

    decision = made.check(tokens)

    assert decision.allowed
    assert ["service.enabled", "grant.user", "network.allow_all", "link.live"] == [
        reason.code for reason in decision.evidence
    ]


def minted(kind: TokenKind, *, tenant: str = "acme", keys: KeyRing = KEYS) -> Secret:
    """Return an authentic token of a link that the store does not have."""
    return keys.mint(TenantId(tenant), Token(kind, LinkId("A" * 22), 1, keys.current), b"\0" * 20)


JUNK: Final[dict[str, object]] = {
    "nothing": "",
    "a word": "junk",
    "long": "x" * 100_000,
    "another tenant's": minted(TokenKind.ACCESS, tenant="other"),
    "another key's": minted(TokenKind.ACCESS, keys=KeyRing({"k1": Secret("00" * 32)}, current="k1")),
    "altered": minted(TokenKind.ACCESS).reveal()[:-1] + "_",
    "not a text": 7,
    "bytes": b"xl_at_",
    "None": None,
    "a surrogate": "xl_at_\ud800",
}


def law_junk_costs_nothing(check: Callable[[World, Any], Decision], text: object) -> None:
    """A text that is not one of ours is refused without any read, list, commit or question to the directory."""
    made, _ = linked()
    before = (made.storage.calls, made.directory.asked)

    decision = check(made, text)

    assert ("token.unknown",) == codes(decision)
    assert before == (made.storage.calls, made.directory.asked)


@pytest.mark.parametrize("name", JUNK)
def test_junk_costs_nothing(name: str) -> None:
    """Whatever a caller presents: nothing, noise, another tenant's token, an altered one."""
    law_junk_costs_nothing(
        lambda made, text: made.tenant.run(access.check(text, scope=READ, address=AZURE)), JUNK[name]
    )


def test_a_check_that_looks_before_it_reads_the_token_is_caught() -> None:
    """The broken twin: the tenant's state is asked first."""

    def eager(made: World, text: Any) -> Decision:
        made.run(services.registered())
        return made.tenant.run(access.check(text, scope=READ, address=AZURE))

    with pytest.raises(AssertionError):
        law_junk_costs_nothing(eager, "junk")


def test_an_authentic_token_of_no_link_of_ours() -> None:
    """A token whose link the store does not have learns no more than junk; nothing is written."""
    made, _ = linked()
    commits = made.storage.commits

    assert ("token.unknown",) == codes(
        made.tenant.run(access.check(minted(TokenKind.ACCESS), scope=READ, address=AZURE))
    )
    assert commits == made.storage.commits


def test_a_refresh_token_or_a_code_is_no_access_token() -> None:
    """RFC 7662 section 4: the other kinds are refused, by a code that names both."""
    made, tokens = linked()
    code = made.code("ito").code
    for text, kind in ((tokens.refresh_token, "rt"), (code, "ac")):
        decision = made.tenant.run(access.check(text, scope=READ))

        assert "token.wrong_kind" == decision.reasons[0].code
        assert {"kind": kind, "expected": "at"} == dict(decision.reasons[0].params)


@pytest.mark.parametrize(("passed", "wanted"), [(3_599, ()), (3_600, ("token.expired",)), (3_601, ("token.expired",))])
def test_an_access_token_lives_an_hour(passed: int, wanted: tuple[str, ...]) -> None:
    """The product's own lifetime: 3,600 seconds, and not one more."""
    made, tokens = linked()
    made.clock.advance(passed)

    assert wanted == codes(made.check(tokens))


def test_a_clock_that_jumps_back_extends_no_life() -> None:
    """DESIGN 6: now is never earlier than the newest stamp of a record that was read."""
    made, tokens = linked()
    made.clock.advance(-50_000)
    later = made.refreshed(tokens)

    assert later.expires_in == 3_600
    assert made.check(later)


def test_an_access_token_outlives_a_rotation() -> None:
    """At most four access tokens are kept: the fifth rotation supersedes the first."""
    made, first = linked()
    tokens = first
    for _ in range(3):
        tokens = made.refreshed(tokens)
        assert made.check(first)

    assert made.check(made.refreshed(tokens))
    assert ("token.superseded",) == codes(made.check(first))


@pytest.mark.parametrize(("scope", "missing"), [(READ, []), (f"{READ} {WRITE}", [WRITE]), (WRITE, [WRITE])])
def test_every_operation_must_be_covered(scope: str, missing: list[str]) -> None:
    """A8: a link that may read is refused the second direction, with what it does cover."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato", scopes=READ)

    decision = made.check(tokens, scope=scope)

    assert missing == [reason.params["scope"] for reason in decision.reasons]
    assert {"scope.not_covered"} >= set(codes(decision))
    assert all((READ,) == reason.params["granted"] for reason in decision.reasons)


@pytest.mark.parametrize(
    ("made_for", "asked_by", "wanted"),
    [
        ("https://api.example", "https://api.example", ()),
        ("https://api.example", "https://other.example", ("token.wrong_audience",)),
        ("https://api.example", "https://api.example/", ("token.wrong_audience",)),
        ("https://api.example", None, ("token.wrong_audience",)),
        ("https://api.example/" + "a" * 1_900, "https://api.example/" + "a" * 1_900, ()),
        (None, "https://api.example", ()),
        (None, None, ()),
    ],
)
def test_the_audience(made_for: str | None, asked_by: str | None, wanted: tuple[str, ...]) -> None:
    """RFC 8707, RFC 9700 2.3: a token made for one resource server is refused by any other, and by one that hides."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato", resource=made_for)

    decision = made.tenant.run(access.check(tokens.access_token, scope=READ, resource=asked_by))

    assert wanted == codes(decision)


def test_a_token_whose_link_was_purged() -> None:
    """A link that was there and is gone is as unknown as junk, whatever this process remembers of it."""
    made, tokens = linked()
    assert made.check(tokens)
    purge(made, tokens.link)

    assert ("token.unknown",) == codes(made.check(tokens))


# --- Check: what is written --------------------------------------------------------------------------------------


def test_the_first_accepted_use_is_written_once() -> None:
    """It confirms that the answer arrived; it is no ledger entry, and no later use writes anything."""
    made, tokens = linked()
    entries, commits = len(made.entries()), made.storage.commits

    for wanted in (1, 1, 1):
        assert made.check(tokens)
        assert (entries, commits + wanted) == (len(made.entries()), made.storage.commits)


def test_a_refused_use_confirms_nothing() -> None:
    """A call that was not let in does not show that the client has the answer: the refresh may be repeated."""
    made, tokens = linked()
    later = made.refreshed(tokens)
    assert not made.check(later, scope="k:file:read")
    made.clock.advance(300)

    assert later.access_token == made.refreshed(tokens).access_token


def law_refusals_are_recorded_boundedly(storage: CountingStorage) -> None:
    """DESIGN 6: however often a live link is refused, the ledger grows once per reason and hour."""
    made, tokens = linked(storage=storage)
    made.run(networks.restrict(["198.51.100.0/24"], even_if_it_locks_me_out=True))
    for _ in range(50):
        made.check(tokens)
        made.clock.advance(1)
    assert [["network.address_not_allowed"]] == [entry.details["reasons"] for entry in made.entries("access.refused")]


def test_refusals_are_recorded_boundedly() -> None:
    """A hammering caller cannot grow the ledger."""
    law_refusals_are_recorded_boundedly(CountingStorage())


class Forgetful(CountingStorage):
    """The broken twin's store: it forgets which refusals were recorded lately."""

    def commit(self, batch: Batch) -> Position:
        kept = tuple(write for write in batch.writes if not write.key.path.startswith(b"n\x00\x01"))
        return super().commit(
            Batch(
                tenant=batch.tenant, id=batch.id, guards=batch.guards, writes=kept, entries=batch.entries, at=batch.at
            )
        )


def test_recording_every_refusal_is_caught() -> None:
    """The broken twin: without its marks each refused call is an entry."""
    with pytest.raises(AssertionError):
        law_refusals_are_recorded_boundedly(Forgetful())


def test_another_reason_and_another_hour_are_recorded_again() -> None:
    """Once per reason and clock hour: a second reason is new, and so is the first one in the next hour."""
    made, tokens = linked()

    def recorded() -> list[object]:
        return [entry.details["reasons"] for entry in made.entries("access.refused")]

    made.run(services.disable(POWER))
    made.check(tokens)
    made.run(grants.withdraw(POWER, users=["sato"], existing="suspend"))
    made.check(tokens)
    made.check(tokens)
    assert [["service.disabled"], ["grant.missing"]] == recorded()

    made.clock.advance(3_600)
    made.check(tokens)
    assert [
        ["service.disabled"],
        ["grant.missing"],
        ["grant.missing", "service.disabled", "token.expired"],
    ] == recorded()


def test_what_a_recorded_refusal_says() -> None:
    """Who, over which link, from where, for what - with a hostile address made harmless, and no secret."""
    made, tokens = linked()
    made.run(networks.restrict(["198.51.100.0/24"], even_if_it_locks_me_out=True))
    made.check(tokens, address="佐" * 70)

    (entry,) = made.entries("access.refused")

    assert {
        "service": POWER,
        "user": "sato",
        "link": tokens.link,
        "reasons": ["network.address_invalid"],
        "address": "?" * 64,
        "scopes": [READ],
    } == entry.details
    assert ("access.check", None, "FAILED") == (entry.operation, entry.user, entry.kind.result)


def test_refusals_without_an_address() -> None:
    """A host that does not know the address records none."""
    made, tokens = linked()
    made.run(services.disable(POWER))
    made.check(tokens, address=None)

    assert [None] == [entry.details["address"] for entry in made.entries("access.refused")]


@pytest.mark.parametrize("ending", [links.revoke, links.suspend])
def test_refusals_of_a_link_that_is_not_live_are_not_recorded(ending: Callable[[str], Operation[object]]) -> None:
    """That it ended or was paused is in the ledger; the calls after it say nothing new."""
    made, tokens = linked()
    made.run(ending(tokens.link))
    before = made.dump()

    assert not made.check(tokens)
    assert before == made.dump()


# --- Check: the gates --------------------------------------------------------------------------------------------


def test_what_changed_holds_at_the_next_check_in_every_process() -> None:
    """S2: a second process over the same store disables the service; the first one's next check is refused."""
    made, tokens = linked()
    other = ExtLink(
        made.storage, keys=KEYS, directory=made.directory, clock=made.clock, entropy=CountingEntropy(seed=2)
    )
    assert made.check(tokens)

    other.tenant("acme").acting_as("admin", roles={"common_administrator"}).run(services.disable(POWER))

    assert ("service.disabled",) == codes(made.check(tokens))


def law_no_unparsable_address_is_waved_through(check: Callable[[World, TokenSet, str], Decision], mode: str) -> None:
    """What is no address is refused in every mode, also where every address is allowed."""
    made, tokens = linked()
    if mode == "deny_all":
        made.run(networks.deny_all(even_if_it_locks_me_out=True))
    if mode == "allow_some":
        made.run(networks.restrict(["20.37.194.0/24"], even_if_it_locks_me_out=True))
    for address in ("", "junk", "20.37.194.01", "20.37.194.1:443", "fe80::1%0"):
        assert ("network.address_invalid",) == codes(check(made, tokens, address))


@pytest.mark.parametrize("mode", ["allow_all", "deny_all", "allow_some"])
def test_an_unparsable_address_is_refused_in_every_mode(mode: str) -> None:
    """An unparsable client address is refused, never waved through."""
    law_no_unparsable_address_is_waved_through(lambda made, tokens, address: made.check(tokens, address=address), mode)


def test_a_host_that_drops_what_it_cannot_parse_is_caught() -> None:
    """The broken twin: a malformed address is handed over as none."""

    def dropping(made: World, tokens: TokenSet, address: str) -> Decision:
        return made.check(tokens, address=address if address.count(".") == 3 else None)

    with pytest.raises(AssertionError):
        law_no_unparsable_address_is_waved_through(dropping, "allow_all")


@pytest.mark.parametrize("address", ["20.37.194.1", "::ffff:20.37.194.1", "::FFFF:1425:C201"])
def test_an_address_by_any_spelling_has_one_row(address: str) -> None:
    """An IPv4-mapped IPv6 address is the IPv4 one; the evidence names the row that admits it."""
    made, tokens = linked()
    made.run(networks.restrict(["20.37.194.0/24"], even_if_it_locks_me_out=True))

    (found,) = made.check(tokens, address=address).gate("network").reasons

    assert ("network.row", "20.37.194.0/24") == (found.code, found.params["row"])


def test_a_restriction_needs_an_address() -> None:
    """A host that does not know the address is refused while a restriction is on."""
    made, tokens = linked()
    made.run(networks.restrict(["20.37.194.0/24"], even_if_it_locks_me_out=True))

    assert ("network.address_unknown",) == codes(made.check(tokens, address=None))


def test_data_groups_are_not_evaluated_without_connectors() -> None:
    """T2: a bearer call does not say what else its flow uses; it neither refuses nor claims to pass."""
    made, tokens = linked()
    made.run(datagroups.set_policy(DataPolicy(id="standard", business={KINTONE})))

    decision = made.check(tokens)

    assert (True, "not_evaluated") == (decision.allowed, str(decision.gate("data_group").answer))
    assert ["datagroup.flow_unknown"] == [reason.code for reason in decision.gate("data_group").reasons]


def test_a_tenant_may_demand_the_connectors() -> None:
    """T2: then a call that does not state them is refused; one that does is evaluated."""
    made, tokens = linked()
    made.run(datagroups.set_policy(DataPolicy(id="standard", business={KINTONE, OUTLOOK})))
    made.run(datagroups.require_flow_connectors(True))

    def check(connectors: list[str] | None) -> tuple[str, ...]:
        return codes(made.tenant.run(access.check(tokens.access_token, scope=READ, connectors=connectors)))

    assert ("datagroup.flow_unknown",) == check(None)
    assert () == check([KINTONE, OUTLOOK]) == check([])
    assert ("datagroup.mixed",) == check([KINTONE, SLACK_CONNECTOR])


def test_a_tenant_that_demands_connectors_lets_users_connect() -> None:
    """T2: the demand is for calls; consent page, token endpoint and account page carry no flow."""
    made = world()
    made.allow("sato")
    made.run(datagroups.require_flow_connectors(True))

    tokens = made.refreshed(made.connect("sato"))

    assert [("power-automate", "in_use")] == [
        (use.service.id, use.state) for use in made.user("sato").run(links.of("sato"))
    ]
    made.run(links.revoke(tokens.link))
    assert ["unused"] == [use.state for use in made.user("sato").run(links.of("sato"))]


class Broken(CountingStorage):
    """A store that fails when told to."""

    failing = False

    def read(self, keys: Any, known: Any) -> list[Stored]:
        if self.failing:
            raise OSError("the disk is gone")
        return list(super().read(keys, known))


def test_a_store_that_fails_is_no_yes() -> None:
    """No answer is no yes: the caller gets a `StorageError`."""
    storage = Broken(MemoryStorage())
    made, tokens = linked(storage=storage)
    storage.failing = True

    with pytest.raises(Unavailable) as caught:
        made.check(tokens)

    assert isinstance(caught.value, StorageError)


def law_a_silent_directory_is_no_yes(made: World, tokens: TokenSet) -> None:
    """While the directory fails nobody passes, whatever was known of them before."""
    assert made.check(tokens)
    made.directory.down = True
    assert ("directory.unavailable",) == codes(made.check(tokens))


def test_a_silent_directory_is_no_yes() -> None:
    """A directory that fails refuses."""
    law_a_silent_directory_is_no_yes(*linked())


def test_a_directory_that_answers_from_memory_is_caught() -> None:
    """The broken twin: an adapter that hides the failure behind what it last knew."""
    made, tokens = linked()
    made.directory.member = made.people.member  # type: ignore[method-assign]

    with pytest.raises(AssertionError):
        law_a_silent_directory_is_no_yes(made, tokens)


def test_every_failing_gate_is_told_at_once() -> None:
    """N1: one decision lists every reason, each with a remedy; junk apart, none is hidden by another."""
    made, tokens = linked()
    made.run(services.disable(POWER))
    made.run(users.suspend("sato", existing="suspend"))
    made.run(grants.withdraw(POWER, users=["sato"]))
    made.run(networks.deny_all(even_if_it_locks_me_out=True))
    made.run(datagroups.set_policy(DataPolicy(id="standard", blocked={KINTONE})))

    decision = made.tenant.run(access.check(tokens.access_token, scope=READ, address=AZURE, connectors=[KINTONE]))

    assert (
        "service.disabled", "user.suspended", "grant.missing", "network.deny_all", "datagroup.blocked", "link.ended"
    ) == codes(decision)  # fmt: skip
    for reason in decision.reasons:
        for language in ("ja", "en", "zh"):
            assert reason.text(language)
            assert reason.remedy.text(language)


# --- Explain -----------------------------------------------------------------------------------------------------


def test_explaining_needs_no_token_and_writes_nothing() -> None:
    """The link gate is not evaluated; all others are, and the store is as before."""
    made = world()
    made.allow("sato")
    before, commits = made.dump(), made.storage.commits

    decision = made.run(access.explain(POWER, user="sato", scope=[READ, WRITE], address=AZURE, connectors=[KINTONE]))

    assert decision.allowed
    assert ["passed", "passed", "passed", "passed", "not_evaluated"] == [str(one.answer) for one in decision.gates]
    assert (before, commits) == (made.dump(), made.storage.commits)


@pytest.mark.parametrize(
    ("service", "user", "more", "wanted"),
    [
        ("teams", "sato", {}, ("service.unknown", "grant.missing")),
        ("google-hangouts-chat", "sato", {}, ("service.unavailable", "service.not_enabled", "grant.missing")),
        (POWER, "stranger", {}, ("user.unknown", "grant.missing")),
        (POWER, "mori", {"scope": READ}, ("user.product_missing", "grant.missing")),
        (POWER, "tanaka", {"scope": "g:todo:read"}, ("user.product_missing", "grant.missing")),
        (POWER, "sato", {"scope": "k:unknown"}, ("scope.unknown",)),
        (POWER, "sato", {"network": "applies", "address": "x"}, ("network.address_invalid",)),
    ],
)
def test_what_explaining_says(service: str, user: str, more: dict[str, Any], wanted: tuple[str, ...]) -> None:
    """A case that cannot be is explained, not refused to be looked at."""
    made = world()
    made.allow("sato")

    assert wanted == codes(made.run(access.explain(service, user=user, **{"network": "not_applicable", **more})))


@pytest.mark.parametrize("role", ["user", "host", "access_administrator", "app_administrator"])
def test_only_administrators_explain(role: str) -> None:
    """T11: an explanation tells of a person's permissions; others are refused, and it is recorded."""
    made = world()

    with refused("actor.not_permitted"):
        made.tenant.acting_as("eve", roles={role}).run(access.explain(POWER, user="sato"))

    assert ["eve"] == [entry.user for entry in made.entries("operation.denied")]


# --- Check a flow ------------------------------------------------------------------------------------------------


def flow(made: World, **more: Any) -> tuple[str, ...]:
    """Ask for the page's first example, but for what is stated, and return the reasons."""
    asked: dict[str, Any] = {
        "user": "sato",
        "trigger": OUTLOOK,
        "action": KINTONE,
        "scope": WRITE,
        "address": AZURE,
        **more,
    }
    return codes(made.tenant.run(access.check_flow(POWER, **asked)))


def test_a_flow_runs_over_the_users_link() -> None:
    """T3: every gate is asked, the data group and the link included."""
    made, tokens = linked()
    assert () == flow(made)

    made.run(links.revoke(tokens.link))
    assert ("link.missing",) == flow(made)


def test_a_flow_without_a_link() -> None:
    """A user who never connected learns that a link is missing, beside every other reason."""
    made = world()

    assert ("grant.missing", "link.missing") == flow(made)


def test_the_direction_of_a_flow() -> None:
    """T2: the IP restriction does not apply where the host calls the service."""
    made, _ = linked()
    made.run(networks.deny_all(even_if_it_locks_me_out=True))

    assert ("network.deny_all",) == flow(made)
    assert () == flow(made, direction="outbound")


@pytest.mark.parametrize(
    ("connectors", "wanted"), [([], ()), ([GOOGLE_CALENDAR], ()), ([SLACK_CONNECTOR], ("datagroup.mixed",))]
)
def test_further_connectors_of_a_flow(connectors: list[str], wanted: tuple[str, ...]) -> None:
    """Both ends and everything between them must be in one data group."""
    made, _ = linked()
    made.run(datagroups.set_policy(DataPolicy(id="standard", business={KINTONE, OUTLOOK, GOOGLE_CALENDAR})))

    assert wanted == flow(made, connectors=connectors)


def test_one_of_several_links_may_carry_the_flow() -> None:
    """One link per client: the flow runs if any of them may, and the evidence names it."""
    made = world()
    made.allow("sato")
    writing = made.connect("sato", scopes=WRITE)
    made.clock.advance(10)
    reading = made.connect("sato", client=Client("another"), scopes=READ)

    assert () == flow(made) == flow(made, scope=READ)
    made.run(links.suspend(writing.link))
    assert ("scope.not_covered",) == flow(made)
    made.run(links.suspend(reading.link))
    assert ("link.suspended", "scope.not_covered") == flow(made)


def test_a_flow_of_a_kept_link() -> None:
    """A grant withdrawn for new links only lets the flow of an old one run."""
    made, _ = linked()
    made.run(grants.withdraw(POWER, users=["sato"], existing="keep"))

    assert () == flow(made)


def test_a_flow_of_a_service_that_is_unknown() -> None:
    """A decision, not an error."""
    made, _ = linked()

    assert ("service.unknown", "grant.missing", "link.missing") == codes(
        made.tenant.run(
            access.check_flow("teams", user="sato", trigger=OUTLOOK, action=KINTONE, scope=READ, address=AZURE)
        )
    )


# --- Bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["", " ", [], ["k:a b"], [""], None, 7, b"k:file:read", ["k:\x7f"], "k:\u4f50"])
def test_a_check_names_what_it_needs(scope: Any) -> None:
    """A check that names no operation would check nothing: refused, as is what is no scope."""
    with pytest.raises(InvalidInput, match="scope"):
        access.check("xl_at_", scope=scope)
    with pytest.raises(InvalidInput, match="scope"):
        access.check_flow(POWER, user="sato", trigger=OUTLOOK, action=KINTONE, scope=scope)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"address": 7}, "address"),
        ({"address": b"10.0.0.1"}, "address"),
        ({"connectors": KINTONE}, "connectors"),
        ({"connectors": [""]}, "connectors"),
        ({"resource": ""}, "resource"),
        ({"resource": 7}, "resource"),
    ],
)
def test_malformed_arguments_of_check(arguments: dict[str, Any], field: str) -> None:
    """The error names the argument."""
    with pytest.raises(InvalidInput) as caught:
        access.check("xl_at_", scope=READ, **arguments)

    assert field == caught.value.field


def test_a_tenant_that_was_never_opened() -> None:
    """Nothing is answered for a tenant that nobody opened, but that junk is junk."""
    made = world()
    other = made.hub.tenant("other")
    admin = other.acting_as("admin", roles={"common_administrator"})

    with refused("tenant.not_open"):
        admin.run(access.explain(POWER, user="sato"))
    with refused("tenant.not_open"):
        other.run(access.check_flow(POWER, user="sato", trigger=OUTLOOK, action=KINTONE, scope=READ))
    assert ("token.unknown",) == codes(other.run(access.check("junk", scope=READ)))


ANYTHING: Final = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text() | st.none())
_WORLD, _TOKENS = linked()
MAKERS: Final[dict[str, tuple[Callable[..., Operation[Any]], dict[str, Any]]]] = {
    "check": (
        access.check,
        {"token": _TOKENS.access_token, "scope": READ, "address": AZURE, "connectors": None, "resource": None},
    ),
    "explain": (
        access.explain,
        {"service": POWER, "user": "sato", "scope": READ, "address": AZURE, "connectors": None, "network": "applies"},
    ),
    "check_flow": (
        access.check_flow,
        {
            "service": POWER,
            "user": "sato",
            "trigger": OUTLOOK,
            "action": KINTONE,
            "scope": READ,
            "connectors": (),
            "address": AZURE,
            "direction": "inbound",
        },
    ),
}


@pytest.mark.parametrize("name", MAKERS)
@given(data=st.data())
def test_any_input_gives_a_decision_or_an_error_of_ours(name: str, data: st.DataObject) -> None:
    """Every public entry point takes any object and gives an operation that decides, or an `ExtlinkError`."""
    make, arguments = MAKERS[name]
    wrong = data.draw(st.dictionaries(st.sampled_from(sorted(arguments)), ANYTHING, min_size=1, max_size=3))
    with suppress(InvalidInput, Refused):
        decision = _WORLD.run(make(**{**arguments, **wrong}))
        assert decision.allowed is bool(decision)


def test_two_services_do_not_mix() -> None:
    """A token of one service says nothing for another; what is disabled is disabled alone."""
    made, tokens = linked()
    made.run(services.disable(SLACK))

    assert made.check(tokens)


DEV_ONLY: Final = DataPolicy(id="dev-only", blocked={KINTONE}, scope="only", environments=["dev"], exempt=["flow-1"])
PLACES: Final[list[tuple[dict[str, Any], tuple[str, ...]]]] = [
    ({"connectors": [KINTONE]}, ("datagroup.blocked",)),
    ({"connectors": [KINTONE], "environment": "dev"}, ("datagroup.blocked",)),
    ({"connectors": [KINTONE], "environment": "prod"}, ()),
    ({"connectors": [KINTONE], "environment": "dev", "flow_id": "flow-1"}, ()),
    ({"connectors": Flow([KINTONE], environment="prod")}, ()),
    ({"connectors": Flow([KINTONE]), "environment": "prod"}, ()),
    ({"connectors": Flow([KINTONE], environment="dev", id="flow-1"), "flow_id": "flow-1"}, ()),
    ({"connectors": Flow([KINTONE], environment="dev")}, ("datagroup.blocked",)),
    (
        {"connectors": [CustomConnector("own", "https://a.example"), KINTONE], "environment": "dev"},
        ("datagroup.blocked",),
    ),
]


@pytest.mark.parametrize(("facts", "wanted"), PLACES, ids=map(str, range(len(PLACES))))
def test_the_environment_and_the_flow_reach_the_decision(facts: dict[str, Any], wanted: tuple[str, ...]) -> None:
    """R2, R3: in a check, an explanation and a flow alike; without them every policy applies."""
    made, tokens = linked()
    made.run(datagroups.set_policy(DEV_ONLY))

    checked = made.tenant.run(access.check(tokens.access_token, scope=READ, **facts))
    explained = made.run(access.explain(POWER, user="sato", network="not_applicable", **facts))
    flow = access.check_flow(POWER, user="sato", trigger=KINTONE, action=KINTONE, scope=READ, **facts)

    assert wanted == codes(checked) == codes(explained) == codes(made.tenant.run(flow))


@pytest.mark.parametrize("facts", [{"environment": "prod"}, {"flow_id": "flow-2"}], ids=["environment", "flow"])
def test_a_flow_that_says_otherwise_is_a_mistake(facts: dict[str, str]) -> None:
    """Which of the two is right cannot be guessed."""
    flow = Flow([KINTONE], environment="dev", id="flow-1")

    with pytest.raises(InvalidInput, match="expected what the flow itself says, got another"):
        access.check("xl_at_", scope=READ, connectors=flow, **facts)
