"""A command that comes with a key is carried out once, however often and however badly it is delivered (P19)."""

from __future__ import annotations

import zlib
from datetime import date

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import catalog, links, services, triggers, users
from extlink.domain.consent import Acceptance
from extlink.domain.decision import Answer, Refusal
from extlink.domain.outcome import Outcome
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing
from extlink.domain.token_ledger import TokenSet
from extlink.errors import InvalidInput, Misconfigured, Refused, Unavailable
from extlink.idempotency import KEPT_SECONDS, _fingerprint, _plain, takes_a_key
from extlink.operation import Call, Commit, Operation, Steps, operation as defined
from extlink.outcomes import without_secrets
from extlink.ports import Records, Storage, prefix
from extlink.runtime import ExtLink, Tenant
from extlink.testing import Fault, FaultyStorage, each_fault
from tests.hosts import ACME, CLIENT, REDIRECT, SERVICE, VERIFIER, Host
from tests.operations import Stage, arguments, constructors, definition_of
from tests.testing.rehearsal import NAMES, entries, operation, prepared, run

LOST = [Unavailable("the answer was lost")]
COMMANDS = tuple(name for name in NAMES if takes_a_key(definition_of(name)))
QUESTIONS = tuple(name for name in NAMES if name not in COMMANDS)


class TwiceDone(AssertionError):
    """A command had two effects, or two results."""


# Every command


def once(name: str, key: str | None) -> None:
    """Require one effect and one result of a command, whatever answer is lost and however often it comes again."""
    alone = prepared()
    run(alone, name, key=key)
    count = len(entries(alone))
    for repeats in (1, 2):
        for found in each_fault(lambda store: run(store, name, key=key), prepared, errors=LOST, repeats=repeats):
            results = [] if found.error else [found.result]
            # Other processes, which draw other bytes.
            results += [run(found.storage, name, seed=seed, key=key) for seed in (7, 8)]
            if any(one != results[0] for one in results):
                raise TwiceDone(f"{name} came to {results} after {found.fault}")
            if len(entries(found.storage)) != count:
                raise TwiceDone(f"{name} wrote {len(entries(found.storage))} entries after {found.fault}, not {count}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_carried_out_once(name: str) -> None:
    """Lost at any call, before or after it took effect: delivered again, the same result and no second entry."""
    once(name, "7f1c")


def test_without_a_key_commands_are_carried_out_twice() -> None:
    """The broken twin: the same deliveries without a key."""
    found = []
    for name in COMMANDS:
        try:
            once(name, None)
        except TwiceDone:
            found.append(name)

    assert {"links.accept", "links.redeem", "links.refresh", "links.refuse", "triggers.subscribe"} <= set(found)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_takes_no_key(name: str) -> None:
    """What only asks is answered anew: a check that came from what is kept would let a revoked token in."""
    with pytest.raises(InvalidInput, match="cannot be given again"):
        run(prepared(), name, key="7f1c")


def test_the_commands_and_the_questions_are_known() -> None:
    """Nothing that decides is among the commands."""
    assert {"access.check", "access.check_flow", "access.explain", "triggers.check_delivery"} <= set(QUESTIONS)
    assert 30 <= len(COMMANDS)


# In any order


class Delivered:
    """One host that is asked with keys, some of whose answers get lost, beside one that is asked once for each."""

    def __init__(self) -> None:
        self.store, self.other = prepared(), prepared()
        self.kept: dict[str, object] = {}
        self.seed = 10

    def deliver(self, name: str, lost: str) -> None:
        """Deliver a command; require what the first delivery that had an effect came to."""
        self.seed += 1
        fault = None if lost == "no" else Fault(_commit_of(name), "after" if lost == "after" else "before", LOST[0], 2)
        faulty = FaultyStorage(self.store, fault)
        try:
            result = run(faulty, name, seed=self.seed, key=f"key of {name}")
        except Unavailable:
            result = None
        if name not in self.kept and not (faulty.failed and lost == "before"):
            expected = run(self.other, name, seed=self.seed)
            if not isinstance(expected, Reason):
                self.kept[name] = result
            elif not faulty.failed:
                assert isinstance(result, Reason)
                assert expected.code == result.code
        elif result is not None and self.kept.get(name) is not None:
            assert self.kept[name] == result or isinstance(result, Refusal)
        self.kept = {one: result if one == name and kept is None else kept for one, kept in self.kept.items()}
        assert len(entries(self.other)) == len(entries(self.store))


def _commit_of(name: str) -> int:
    """Return which of a command's calls, alone, is its commit."""
    counting = FaultyStorage(prepared())
    run(counting, name, key="counted")
    return counting.calls


ORDINARY = tuple(name for name in COMMANDS if name not in {"links.accept", "links.redeem", "links.refuse"})
POOL = st.tuples(st.sampled_from(ORDINARY), st.sampled_from(["no", "no", "before", "after"]))


@pytest.mark.slow
@given(st.lists(POOL, min_size=1, max_size=6).flatmap(lambda few: st.lists(st.sampled_from(few), max_size=15)))
def test_deliveries_in_any_order_with_lost_answers(deliveries: list[tuple[str, str]]) -> None:
    """Each command is delivered up to several times among others: one effect each, as if it had come once."""
    both = Delivered()
    for name, lost in deliveries:
        both.deliver(name, lost)


# The key


def _tenant(storage: Storage | None = None) -> tuple[Host, Tenant]:
    host = Host.prepared()
    return host, host.admin


def test_a_key_is_good_for_one_operation_with_its_arguments() -> None:
    """Another operation, or the same one with another argument, is refused and has no effect."""
    host, admin = _tenant()
    admin.run(users.suspend("sato"), idempotency_key="1")
    before = host.dump()
    for other in (users.suspend("suzuki"), users.resume("sato"), users.suspend("sato", existing="suspend")):
        with pytest.raises(InvalidInput, match="expected a new key for"):
            admin.run(other, idempotency_key="1")

    assert before == host.dump()


def test_a_key_belongs_to_the_person_and_the_tenant() -> None:
    """Two administrators who take the same key do not meet, nor do two tenants."""
    host, admin = _tenant()
    other = host.tenant.acting_as("admin-2", roles={"common_administrator"})
    elsewhere = host.hub.open_tenant("other", edition="JP", products={"kintone"})
    admin.run(users.suspend("sato"), idempotency_key="1")
    other.run(users.suspend("suzuki"), idempotency_key="1")
    elsewhere.acting_as("admin-1", roles={"common_administrator"}).run(users.delete("sato"), idempotency_key="1")

    assert "suspended" == admin.run(users.state("sato")).status
    assert "suspended" == admin.run(users.state("suzuki")).status


@pytest.mark.parametrize("key", ["", "x" * 256, 7, b"1", "\ud800"])
def test_a_malformed_key_is_refused(key: object) -> None:
    """A key is text of at most 255 bytes."""
    with pytest.raises(InvalidInput, match="idempotency_key"):
        _tenant()[1].run(users.suspend("sato"), idempotency_key=key)  # type: ignore[arg-type]


def test_a_key_does_not_make_an_operation_of_anything() -> None:
    """What is run must be an operation, with a key or without."""
    with pytest.raises(InvalidInput, match="operation"):
        _tenant()[1].run("users.suspend", idempotency_key="1")  # type: ignore[arg-type]


def test_the_first_result_is_kept_whatever_happened_since() -> None:
    """A command that changed nothing is a command too: delivered again later, it still changes nothing."""
    host, admin = _tenant()
    first = admin.run(services.enable(SERVICE), idempotency_key="1")
    admin.run(services.disable(SERVICE))

    assert first == admin.run(services.enable(SERVICE), idempotency_key="1")
    assert not host.explain()


def test_what_raised_is_not_kept() -> None:
    """A refusal changed nothing, so the same command may be tried again."""
    _, admin = _tenant()
    asked = services.enable("slack")
    with pytest.raises(Refused):
        admin.run(asked, idempotency_key="1")
    admin.run(services.register(catalog.SLACK))

    assert "enabled" == admin.run(asked, idempotency_key="1").state


def test_garbage_under_a_key_writes_nothing() -> None:
    """Whoever sends tokens that are none, each under a key of its own, fills no store."""
    host, _ = _tenant()
    before = host.dump()
    for number in range(3):
        for junk in (
            links.redeem("xl_ac_junk", client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER),
            links.refresh("xl_rt_junk", client=CLIENT),
            triggers.subscribe("xl_at_junk", trigger="record_added"),
        ):
            assert not host.tenant.run(junk, idempotency_key=f"{number} {junk.name}")

    assert before == host.dump()


def test_a_denial_is_recorded_once() -> None:
    """What is written down of a refusal is written once; the refusal is raised each time."""
    host, _ = _tenant()
    for _ in range(3):
        with pytest.raises(Refused, match=r"actor\.not_permitted"):
            host.user().run(services.enable(SERVICE), idempotency_key="1")

    assert 1 == host.events().count("operation.denied")


def test_outcomes_are_listed_with_their_instant_so_that_they_can_be_collected() -> None:
    """They lie below one prefix, and say when they were written: after a day they may go."""
    host, admin = _tenant()
    admin.run(users.suspend("sato"), idempotency_key="1")
    (found,) = host.store.list(Records(ACME.encode(), prefix("i"))).items

    assert found.value is not None
    assert 86_400 == KEPT_SECONDS


# Secrets


@pytest.fixture
def stage() -> Stage:
    """Set a stage of its own."""
    return Stage.make()


def _accepted(stage: Stage) -> Acceptance:
    found = stage.host.user().run(links.accept(stage.consent, network="not_applicable"), idempotency_key="yes")
    assert isinstance(found, Acceptance)
    return found


def _redeemed(stage: Stage, code: Secret) -> TokenSet | Refusal:
    redemption = links.redeem(code, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER)
    return stage.host.tenant.run(redemption, idempotency_key="redeemed")


def test_an_acceptance_has_the_same_code_again(stage: Stage) -> None:
    """The code is derived anew; what is left of its minute is told."""
    first = _accepted(stage)
    stage.host.clock.advance(20)
    again = _accepted(stage)

    assert attrs.evolve(first, expires_in=40) == again
    assert isinstance(_redeemed(stage, again.code), TokenSet)


def test_a_spent_code_is_not_given_out_again(stage: Stage) -> None:
    """Presented once more it would end the link, so the answer is that of a second acceptance."""
    _redeemed(stage, _accepted(stage).code)

    with pytest.raises(Refused, match=r"consent\.used"):
        _accepted(stage)


def test_tokens_are_the_same_until_others_follow(stage: Stage) -> None:
    """Redeemed again under its key, a code gives the same tokens and ends nothing; later it gives none."""
    code = _accepted(stage).code
    first = _redeemed(stage, code)
    assert isinstance(first, TokenSet)
    assert first == _redeemed(stage, code)
    assert stage.host.check(first.access_token)
    following = stage.host.tenant.run(links.refresh(first.refresh_token, client=CLIENT))
    assert isinstance(following, TokenSet)

    late = _redeemed(stage, code)

    assert isinstance(late, Refusal)
    assert ["token.superseded"] == [reason.code for reason in late.reasons]
    assert stage.host.check(following.access_token)


def test_tokens_of_a_link_that_ended_are_not_given_out_again(stage: Stage) -> None:
    """After a revocation nobody gets a token, under a key or without (P8)."""
    code = _accepted(stage).code
    first = _redeemed(stage, code)
    assert isinstance(first, TokenSet)
    stage.host.admin.run(links.revoke(first.link))

    late = _redeemed(stage, code)

    assert isinstance(late, Refusal)
    assert ["link.revoked"] == [reason.code for reason in late.reasons]


def test_who_recorded_a_refresh_gets_no_more_with_its_key(stage: Stage) -> None:
    """Used and half a minute old, an answer is not repeated, as it would not be without a key; nothing ends."""
    asked = links.refresh(stage.tokens.refresh_token, client=CLIENT)
    first = stage.host.tenant.run(asked, idempotency_key="1")
    assert isinstance(first, TokenSet)
    assert stage.host.check(first.access_token)
    stage.host.clock.advance(31)

    late = stage.host.tenant.run(asked, idempotency_key="1")

    assert isinstance(late, Refusal)
    assert stage.host.check(first.access_token)


def test_tokens_of_a_link_that_is_gone_are_unknown(stage: Stage) -> None:
    """A link that the store does not hold any more gives nothing."""
    asked = links.refresh(stage.tokens.refresh_token, client=CLIENT)
    stage.host.tenant.run(asked, idempotency_key="1")
    for tenant in stage.host.store._tenants.values():
        for path in [path for path in tenant.records if path.startswith(prefix("l"))]:
            del tenant.records[path]

    late = stage.host.other_process().run(asked, idempotency_key="1")

    assert isinstance(late, Refusal)
    assert ["token.unknown"] == [reason.code for reason in late.reasons]


def _under(stage: Stage, keys: KeyRing) -> Tenant:
    host = stage.host
    hub = ExtLink(host.store, keys=keys, directory=host.directory, clock=host.clock)
    return hub.tenant(ACME)


OLD, NEW = Secret("5a" * 32), Secret("6b" * 32)


def test_keys_that_were_rotated_still_know_their_commands(stage: Stage) -> None:
    """What was kept under an older key of the ring is answered; under one that is gone, the key is refused."""
    code = _accepted(stage).code
    rotated = _under(stage, KeyRing({"k1": OLD, "k2": NEW}, current="k2"))
    again = rotated.acting_as("sato").run(links.accept(stage.consent, network="not_applicable"), idempotency_key="yes")
    assert isinstance(again, Acceptance)
    assert code == again.code

    gone = _under(stage, KeyRing({"k2": NEW}, current="k2"))
    with pytest.raises(InvalidInput, match="under a host key that is gone"):
        gone.acting_as("sato").run(links.revoke(stage.tokens.link), idempotency_key="yes")


def test_a_code_under_a_key_that_is_gone_is_not_derived(stage: Stage) -> None:
    """The token rules themselves say so."""
    ledger = stage.host.hub._token_ledger(ACME)
    link = stage.host.admin.run(links.revoke(_accepted(stage).link))

    assert ledger.code_again(link, "k1", bytes(20)) is None
    assert ledger.code_again(attrs.evolve(link, state=type(link.state).CONSENTED), "k9", bytes(20)) is None
    assert ledger.code_again(attrs.evolve(link, state=type(link.state).CONSENTED), "k1", bytes(20)) is None


def test_no_secret_is_kept(stage: Stage) -> None:
    """Neither the code, nor the tokens, nor what was presented is in any byte of the store."""
    acceptance = _accepted(stage)
    tokens = _redeemed(stage, acceptance.code)
    assert isinstance(tokens, TokenSet)
    presented = (acceptance.code, tokens.access_token, tokens.refresh_token, stage.consent.token, Secret(VERIFIER))
    records, ledgers = stage.host.dump()
    held = [*filter(None, records.values()), *filter(None, ledgers)]
    kept = [zlib.decompress(value) for (_, path), value in records.items() if value and path.startswith(prefix("i"))]

    assert 2 == len(kept)
    for secret in presented:
        for part in (secret.reveal(), secret.reveal().split(".")[-2 if "." in secret.reveal() else 0]):
            assert not any(part.encode() in value for value in (*held, *kept))


# What it rests on


def test_every_argument_can_be_told_from_another() -> None:
    """The arguments of every command have a fingerprint, equal for equal ones."""
    keys = KeyRing({"k1": OLD}, current="k1")
    seen = {name: _fingerprint(keys, "k1", ACME, operation(name)) for name in COMMANDS}
    stage = Stage.make()

    assert len(COMMANDS) == len(set(seen.values()))
    assert seen["users.suspend"] == _fingerprint(
        keys, "k1", ACME, constructors()["users.suspend"](**arguments(stage)["users.suspend"])
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ab", ["a", "b"]),
        (("a", "b"), frozenset("ab")),
        ("1", 1),
        (None, "null"),
        (b"a", "61"),
        (Secret("a"), "a"),
        ({"a": 1}, {"a": 2}),
        ({"a": None}, {}),
        (date(2020, 6, 9), "2020-06-09"),
        (Answer.PASSED, "passed"),
        ((("a",), "b"), ("a", ("b",))),
    ],
)
def test_different_arguments_have_different_forms(one: object, other: object) -> None:
    """Nothing runs together, and a type is not taken for another."""
    assert _plain(one) != _plain(other)
    assert _plain(one) == _plain(one)


def test_an_argument_of_an_unknown_kind_is_refused() -> None:
    """It could not be told from another one."""
    with pytest.raises(Misconfigured, match="object"):
        _plain(object())


def test_a_result_of_an_unknown_kind_is_refused() -> None:
    """A new kind of result needs a form; it is not left out in silence."""
    with pytest.raises(Misconfigured, match="give it a form"):
        without_secrets(object())


@defined("users.example", records=("user.suspended",))
def _ends_otherwise(call: Call) -> Steps[Commit[None]]:
    yield from ()
    return Commit(None, error=Unavailable("later"))


def test_an_operation_that_ends_in_another_error_is_refused() -> None:
    """Only a refusal can be kept."""
    with pytest.raises(Misconfigured, match="cannot be kept"):
        _tenant()[1].run(Operation(_ends_otherwise, {}), idempotency_key="1")


def test_an_outcome_shows_no_digest() -> None:
    """Its fingerprint and the number its draws follow from are not printed."""
    assert "Outcome(key_id='k1', result=None, error=None)" == repr(Outcome(fingerprint=b"f", key_id="k1", nonce=b"n"))
