"""What happens to existing links when a rule tightens: laws 4 and 5, for every such operation and every word (F11).

For every world, operation and word: the answers before, after, after a reconciliation, and after the rule is loosened
again. `keep` and `suspend` end nothing, and loosening brings every answer back; `revoke` ends what the other words only
refuse, and nothing brings that back; a reconciliation changes no answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Final

import attrs
import pytest

from extlink import access, networks
from extlink.domain.access import Policy, evaluate
from extlink.domain.existing import TIGHTENING
from extlink.domain.grant import Existing, UserGrantPolicy
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkEvent
from extlink.domain.policy import AccessRequest, Credential
from extlink.errors import Refused
from extlink.link_batches import Order, Verdict, sweep
from extlink.link_policies import policy_of
from extlink.operation import Call, Commit, Operation, Steps, operation
from extlink.records import job_key
from tests.laws.tightening import CASES, LOOSE, LOOSENINGS, Answer, Case, Question, World, make, reconciled

WORLDS = 5
DEEP_WORLDS = 300

_MILD: Final[tuple[Existing, ...]] = ("suspend", "keep", "revoke")
Answers = Mapping[Question, Answer]
Touched = Callable[[str], bool]


@cache
def _kept(number: int) -> tuple[World, Answers]:
    world = make(number)
    return world, world.answers()


def _world(number: int) -> tuple[World, Answers]:
    """Return the world of a number and its answers; the same one always, since nobody writes into it."""
    return _kept(number) if number < WORLDS else (world := make(number), world.answers())


def _everything(_link: str) -> bool:
    return True


def _of_the_service(link: str) -> bool:
    return link.split("/")[1] == "power-automate"


# What `revoke` ends where no other word shows whom a rule concerns: everything that the rule is about.
_ABOUT: Final[Mapping[str, Touched]] = {
    "clients.remove": lambda link: link.endswith("/registered"),
    "datagroups.require_flow_connectors": _everything,
    "datagroups.set_policy": _everything,
    "datagroups.set_unblockable": _everything,
    "networks.deny_all": _everything,
    "networks.pin": _of_the_service,
    "networks.remove": _everything,
    "networks.restrict": _everything,
    "networks.unpin": _of_the_service,
    "services.quarantine": _of_the_service,
    "services.quarantine_everywhere": _of_the_service,
    "services.register": _of_the_service,
    # An access token lives no longer than the shortest dormancy: links end, and no call is refused for it.
    "services.set_dormancy": lambda _link: False,
    "users.delete": lambda link: link.startswith("sato/"),
}


class Doer:
    """How rules are tightened and links reconciled: what the twins do otherwise."""

    def tighten(self, world: World, case: Case, word: Existing) -> None:
        """Tighten the rule."""
        world.run(case.tighten(world, word))

    def reconcile(self, world: World) -> None:
        """Bring the links in line with today's rules."""
        reconciled(world)


@attrs.frozen(kw_only=True)
class Course:
    """The answers over the course of one operation said with one word.

    Args:
        changed: whether the operation changed anything.
        calm: the answers after a reconciliation; `late`: after one, and the loosening.
    """

    changed: bool
    before: Answers
    after: Answers
    calm: Answers
    loosened: Answers
    late: Answers


def course(number: int, name: str, word: Existing, doer: Doer) -> Course | None:
    """Play an operation with a word in the world of a number; None: there is nothing to tighten there."""
    base, before = _world(number)
    world, case = base.copy(), CASES[name]
    position = world.host.position()
    try:
        doer.tighten(world, case, word)
    except Refused:
        return None
    after = world.answers()
    changed = world.host.position() > position
    calm = world.copy()
    doer.reconcile(calm)
    answers = calm.answers()
    for one in (world, calm):
        for loosening in case.loosen(base, one) if changed else ():
            one.run(loosening)
    return Course(
        changed=changed,
        before=before,
        after=after,
        calm=answers,
        loosened=world.answers(),
        late=calm.answers(),
    )


def allowed(answers: Answers) -> frozenset[Question]:
    """Return the questions that are answered with a yes."""
    return frozenset(question for question, (yes, _) in answers.items() if yes)


def working(answers: Answers) -> frozenset[str]:
    """Return the links over which some call is allowed."""
    return frozenset(question[0] for question in allowed(answers))


def ended(answers: Answers) -> frozenset[str]:
    """Return the links that have ended for good."""
    return frozenset(question[0] for question, (_, over) in answers.items() if over)


def law_of_every_word(found: Course, number: int, what: str) -> None:
    """Nothing widens, nothing returns from the dead, reconciling changes no answer, loosening refuses nothing."""
    context = f"{what} in world {number}"

    assert allowed(found.after) <= allowed(found.before), f"{context}: it widened"
    for answers in (found.after, found.calm, found.loosened, found.late):
        assert frozenset() == working(answers) & ended(found.before), f"{context}: revived what had ended"
    for answers in (found.calm, found.loosened, found.late):
        assert frozenset() == working(answers) & ended(found.after), f"{context}: revived what it ended"
    assert found.after == found.calm, f"{context}: the reconciliation changed an answer"
    assert found.loosened == found.late, f"{context}: the reconciliation changed a later answer"
    assert allowed(found.after) <= allowed(found.loosened), f"{context}: loosening refused something"


def law_of_what_ends_nothing(found: Course, number: int, what: str) -> None:
    """No link has ended, and once the rule is loosened everything is as it was."""
    assert ended(found.before) == ended(found.after), f"{what} in world {number}: it ended links"
    assert allowed(found.before) == allowed(found.loosened), f"{what} in world {number}: it did not come back"


def law_of_revoke(name: str, found: Course, paused: Course | None, number: int) -> None:
    """Exactly the links that `suspend` would pause have ended, or all that the rule is about."""
    new = ended(found.after) - ended(found.before)
    if paused is not None:
        due = working(found.before) - working(paused.after)
    else:
        live = frozenset(question[0] for question in found.before) - ended(found.before)
        due = frozenset(link for link in live if found.changed and _ABOUT[name](link))

    assert due & working(found.before) <= new, f"{name} in world {number}: revoke left links"
    assert frozenset() == new & (working(found.before) - due), f"{name} in world {number}: it ended a permitted link"
    others = {question for question in allowed(found.before) if question[0] not in new}
    assert others <= allowed(found.loosened), f"{name} in world {number}: others did not come back"


def law(name: str, number: int, doer: Doer) -> Counter[Existing]:
    """Check one operation with each of its words in one world; return with which of them anything was refused."""
    offered = TIGHTENING[name].offered
    courses = {word: found for word in offered if (found := course(number, name, word, doer)) is not None}
    for word, found in courses.items():
        law_of_every_word(found, number, f"{name}({word})")
        if word != "revoke":
            law_of_what_ends_nothing(found, number, f"{name}({word})")
        if word == "keep" and name.startswith("grants."):
            assert allowed(found.before) == allowed(found.after), f"{name} in world {number}: it kept nothing"
    if "revoke" in courses:
        law_of_revoke(name, courses["revoke"], courses.get("suspend"), number)
    return Counter(word for word, found in courses.items() if allowed(found.before) != allowed(found.after))


def worlds(*, deep: bool) -> range:
    """Return the worlds of this run."""
    return range(DEEP_WORLDS if deep else WORLDS)


# What refuses no call that a live access token asks, and why; each has a test of its own below.
_UNSEEN = {
    "networks.accept_proofs": "only people show a proof, on the consent page",
    "services.set_dormancy": "an access token lives at most a day, the shortest dormancy",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CASES))
def test_each_word_does_what_it_says(name: str, *, deep: bool) -> None:
    """Laws 4 and 5 for every world, with every word, after a reconciliation and after loosening; and all words bite."""
    refused: Counter[Existing] = Counter()
    for number in worlds(deep=deep):
        refused += law(name, number, Doer())
    biting = set() if name in _UNSEEN else set(TIGHTENING[name].offered)
    if name.startswith("grants."):
        biting -= {"keep"}

    assert biting == set(refused), "a word that refuses nothing in any world was not tested"


def test_every_tightening_operation_has_a_case() -> None:
    """A new row of the table cannot be forgotten."""
    assert TIGHTENING.keys() == CASES.keys()


def test_accepting_fewer_proofs_refuses_people_alone() -> None:
    """The rule of the table that no call of a service meets: a person was let in by a proof, and is not any more."""
    number = next(one for one in range(20) if "basic" in _world(one)[0].host.admin.run(networks.show()).proofs)
    world = _world(number)[0].copy()

    assert world.run(_proving())
    world.run(CASES["networks.accept_proofs"].tighten(world, "keep"))
    assert not world.run(_proving())


def _proving() -> Operation[object]:
    return access.explain("power-automate", user="sato", address="192.0.2.1", network_proof="basic")


class _Leaving(Doer):
    """Takes "revoke" for the mildest word there is."""

    def tighten(self, world: World, case: Case, word: Existing) -> None:
        operation = case.tighten(world, word)
        offered = TIGHTENING[operation.name].offered
        mild: Existing = "suspend" if "suspend" in offered else "keep"
        super().tighten(world, case, mild if word == "revoke" else word)


class _Ending(Doer):
    """Takes "suspend" for "revoke"."""

    def tighten(self, world: World, case: Case, word: Existing) -> None:
        super().tighten(world, case, "revoke" if word == "suspend" else word)


class _Refusing(Doer):
    """Takes "keep" for "suspend"."""

    def tighten(self, world: World, case: Case, word: Existing) -> None:
        super().tighten(world, case, "suspend" if word == "keep" else word)


class _Reviving(Doer):
    """Forgets, when it keeps links, which of them had ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def tighten(self, world: World, case: Case, word: Existing) -> None:
        super().tighten(world, case, word)
        if word == "keep":
            self._patch.setattr(UserGrantPolicy, "ends_link", lambda *_: False)


def _refused_now(policy: Policy, link: Link, at: Instant) -> Verdict | None:
    request = AccessRequest(
        service=link.service,
        user=link.owner,
        at=at,
        network="not_applicable",
        flow="not_applicable",
        credential=Credential(link=link),
    )
    return None if evaluate(policy, request).allowed else Verdict(LinkEvent.REVOKE, "ended")


def _whoever(_policy: Policy, link: Link, _at: Instant) -> Verdict | None:
    return Verdict(LinkEvent.REVOKE, "ended") if link.owner == "tanaka" else None


_JUDGES = {"refused": _refused_now, "permitted": _whoever}


@operation("tests.reconcile", records=("link.revoked",))
def _reconciling(call: Call, *, judge: str) -> Steps[Commit[bool]]:
    order = Order(ground="", judge=_JUDGES[judge], load=policy_of, repeats=True)
    swept = yield from sweep(call, job_key(call.tenant, "twin"), order)
    return Commit(swept.job.done is not None, swept.changes, swept.events)


class _Overdoing(Doer):
    """Reconciles by a judge that ends too much."""

    def __init__(self, judge: str) -> None:
        self._judge = judge

    def reconcile(self, world: World) -> None:
        while not world.host.tenant.run(_reconciling(judge=self._judge)):
            pass


def _twins(name: str, doer: Doer, problem: str) -> None:
    """Assert that the law catches a twin in some world."""
    with pytest.raises(AssertionError, match=problem):
        for number in range(WORLDS):
            law(name, number, doer)


@pytest.mark.parametrize(
    "name", ["grants.withdraw", "networks.restrict", "networks.pin", "services.disable", "users.suspend"]
)
def test_a_revoke_that_leaves_a_link_is_caught(name: str) -> None:
    """Broken twin: what should have ended is only paused, or not even that."""
    _twins(name, _Leaving(), "revoke left links")


@pytest.mark.parametrize("name", ["grants.exclude", "services.disable", "services.set_default", "users.suspend"])
def test_a_suspend_that_ends_links_is_caught(name: str) -> None:
    """Broken twin: what should come back has ended."""
    _twins(name, _Ending(), "it ended links")


@pytest.mark.parametrize("name", ["grants.withdraw", "grants.exclude", "grants.edit", "grants.allow"])
def test_a_keep_that_keeps_nothing_is_caught(name: str) -> None:
    """Broken twin: what should go on is refused."""
    _twins(name, _Refusing(), "it kept nothing")


@pytest.mark.parametrize("name", ["grants.withdraw", "networks.restrict"])
def test_a_keep_that_revives_an_ended_link_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken twin: a link that had ended before works again."""
    _twins(name, _Reviving(monkeypatch), "widened|revived")


@pytest.mark.parametrize(("judge", "name"), [("permitted", "users.suspend"), ("refused", "services.disable")])
def test_a_reconciliation_that_ends_too_much_is_caught(judge: str, name: str) -> None:
    """Broken twins: one ends a permitted link, one ends whatever is refused today."""
    _twins(name, _Overdoing(judge), "the reconciliation changed")


# --- What is not in the table --------------------------------------------------------------------------------------


def _mildest(name: str) -> Existing:
    offered = TIGHTENING[name].offered
    return next(word for word in _MILD if word in offered)


def _tightened(number: int) -> tuple[tuple[World, frozenset[Question]], ...]:
    """Return the world of a number after each of every second rule was tightened, with what is allowed then."""
    found: list[tuple[World, frozenset[Question]]] = []
    for name in sorted(CASES)[number % 2 :: 2]:
        world = _world(number)[0].copy()
        with suppress(Refused):
            world.run(CASES[name].tighten(world, _mildest(name)))
        found.append((world, allowed(world.answers())))
    return tuple(found)


_tightened_once = cache(_tightened)


def loosened(number: int, loosen: Callable[[World], Operation[object]]) -> tuple[int, int]:
    """Return how many answers one operation turned to a no, and to a yes, after rules were tightened each in turn."""
    lost = gained = 0
    for tightened, before in (_tightened_once if number < WORLDS else _tightened)(number):
        world = tightened.copy()
        with suppress(Refused):
            world.run(loosen(world))
        after = allowed(world.answers())
        lost, gained = lost + len(before - after), gained + len(after - before)
    return lost, gained


def test_each_looser_rule_is_tried() -> None:
    """What is tried here is said not to tighten."""
    assert LOOSENINGS.keys() <= LOOSE.keys()


# Of these nothing that a link may do depends on what the worlds tighten.
_GAINING = frozenset(
    {"datagroups.remove_policy", "grants.include", "networks.add", "networks.allow_all", "users.resume"}
)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LOOSENINGS))
def test_what_is_not_in_the_table_refuses_nothing(name: str, *, deep: bool) -> None:
    """Laws 4 and 5: after whatever was tightened, an operation that is not in the table turns no yes into a no."""
    found = [loosened(number, LOOSENINGS[name]) for number in range(DEEP_WORLDS if deep else 2)]

    assert 0 == sum(lost for lost, _ in found)
    if name in _GAINING:
        assert sum(gained for _, gained in found)


def test_a_tightening_that_is_not_in_the_table_is_caught() -> None:
    """The broken twin: to take rows away is said to loosen."""
    removed = networks.remove(["203.0.113.0/24"])

    assert any(loosened(number, lambda _: removed)[0] for number in range(WORLDS))
