"""extlink and the reference model give the same answers, gate by gate and reason by reason, on generated worlds.

A difference names its world. To see that world, its questions and both answers to each:

    python -m tests.reference.differential --replay 1234
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from extlink.domain import access
from extlink.domain.grant import Rule, Rules, UserGrantPolicy, UserRules
from extlink.domain.instant import Instant
from tests.architecture.source import PACKAGE
from tests.reference import differential, model
from tests.reference.building import grants_of, member_of, narrowed, policy_of, request_of
from tests.reference.differential import QUESTIONS, Subject, differences
from tests.reference.processes import PROCESSES, run_all
from tests.reference.twins import TWINS
from tests.reference.worlds import NOW, USERS, VERBS, cases, history, person

# The first worlds are those of the twins and of the traced run; the long runs begin behind them.
FIRST = 1_000
CASES = 100_000
DEEP_CASES = 10_000_000

# Every code that a gate may give; those that only operations give are other tests' business.
CODES = """
service.enabled service.enabled_by_default service.unknown service.unidentified service.not_in_edition
service.product_missing service.unavailable service.not_enabled service.disabled service.quarantined
service.quarantined_everywhere scope.unknown
grant.user grant.organization grant.group grant.everyone grant.kept grant.not_applicable grant.missing grant.over
grant.excluded grant.scope_not_granted
user.unidentified user.unknown user.suspended user.deleted user.product_missing directory.unavailable
network.allow_all network.row network.not_applicable network.address_unknown network.address_invalid
network.address_not_allowed network.deny_all network.proof network.published network.not_published
network.ranges_unknown
datagroup.no_policy datagroup.same_group datagroup.flow_unknown datagroup.not_applicable datagroup.blocked
datagroup.mixed
link.live link.not_asked link.missing link.revoked link.ended link.suspended link.not_redeemed link.expired
link.dormant
client.removed
token.unknown token.expired token.superseded token.wrong_kind token.wrong_audience scope.not_covered
"""


@pytest.mark.slow
def test_the_model_agrees_on_very_many_cases(deep: bool) -> None:
    """100,000 cases, 10 million in the long tier: no difference, and between 5 and 50 % of them are allowed."""
    worlds = (DEEP_CASES if deep else CASES) // QUESTIONS
    bounds = [FIRST + worlds * share // PROCESSES for share in range(PROCESSES + 1)]

    summary = run_all(
        [
            (differential.__name__, "--first", str(start), "--worlds", str(end - start))
            for start, end in pairwise(bounds)
        ],
    )

    assert [] == summary.differences
    assert worlds * QUESTIONS == summary.cases
    assert 0.05 < summary.share < 0.5


def test_the_model_agrees_on_the_first_cases() -> None:
    """A few worlds in this process, so that a failure can be stepped through."""
    summary = differences(range(60))

    assert [] == summary.differences
    assert 0.05 < summary.share < 0.5


def test_every_reason_occurs() -> None:
    """No gate's code is out of the generator's reach, and the model says no other."""
    found = {
        word.split()[0]
        for number in range(150)
        for world, questions in [cases(number)]
        for question in questions
        for _, words in model.answer(world, question)[1].values()
        for word in words
    }

    assert set(CODES.split()) == found


@pytest.mark.slow
@pytest.mark.parametrize("twin", TWINS)
def test_a_broken_twin_is_caught(twin: str) -> None:
    """Each evaluator that is wrong by a little differs from the model within 5,000 cases."""
    summary = differences(range(200), TWINS[twin])

    assert 1 == len(summary.differences)


def test_a_policy_narrowed_to_the_question_gives_the_same_answer() -> None:
    """What a check reads of a tenant, one service and one user, decides as the whole tenant's policy does."""
    subject = Subject(
        lambda policy, request: access.evaluate(narrowed(policy, request), request),
        lambda policy, request: access.is_allowed(narrowed(policy, request), request),
    )

    # A link of another service or user is refused before its facts are asked for, so nothing is missing.
    assert [] == differences(range(60), subject).differences


def long_histories(forget: Callable[[UserGrantPolicy], UserGrantPolicy]) -> Counter[str]:
    """Compare on histories of up to 60 edits, each at many acceptances; count what the whole history says otherwise."""
    draw, found = Random(20_200_609), Counter[str]()
    for turn in range(200):
        people = {name: person(draw) for name in USERS}
        verbs = VERBS if turn % 2 else ("allow", "exclude", "exclude", "exclude", "withdraw", "include")
        edits = history(draw, people, 60, openings=30, verbs=verbs)
        grants = forget(grants_of("chat", edits))
        for accepted in range(0, len(edits) + 1, 3):
            for name, one in people.items():
                known = member_of(name, {**one, "directory": "active"})
                asked = {"service": "chat", "user": name, "at": NOW}
                asked["token"] = {"link": {"owner": name, "service": "chat", "accepted": accepted}}
                past = model.replay(edits, {**one, "id": name}, accepted)
                let_in, _ = model.granted({"edits": {"chat": edits}}, asked, {**one, "id": name})
                ended = grants.ends_link(known.id, known, accepted)
                works = not ended and grants.is_granted(known.id, known, Instant(NOW), accepted)
                found["compared"] += 1
                found["stricter"] += ended and not past["ended"]
                found["laxer"] += (past["ended"] and not ended) or (works and not let_in)
    return found


@pytest.mark.slow
def test_a_long_history_errs_towards_ending() -> None:
    """A rule remembers its last tenures alone; still nobody is let in whom the whole history keeps out."""
    found = long_histories(lambda grants: grants)

    assert 0 == found["laxer"]
    assert 0 < found["stricter"] < found["compared"] / 2


@pytest.mark.slow
def test_a_rule_that_forgets_is_caught() -> None:
    """The broken twin: tenures that are no longer remembered leave nothing behind."""

    def floorless(rules: Rules) -> Rules:
        return Rules(
            {name: Rule(rule.tenures) for name, rule in rules.organizations.items()},
            {name: Rule(rule.tenures) for name, rule in rules.groups.items()},
            Rule(rules.everyone.tenures),
        )

    def forget(grants: UserGrantPolicy) -> UserGrantPolicy:
        users = {
            name: UserRules(Rule(said.granted.tenures), Rule(said.excluded.tenures))
            for name, said in grants.users.items()
        }
        return UserGrantPolicy(grants.service, users, floorless(grants.granted), floorless(grants.excluded))

    assert long_histories(forget)["laxer"] > 0


def test_a_world_can_be_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that a difference names shows the world, and of each question whether the answers are equal."""
    assert 0 == differential.main(["--replay", "7"])

    shown = capsys.readouterr().out
    assert QUESTIONS == len(re.findall(r"^  the same$", shown, re.MULTILINE))


def test_the_program_counts_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    """A run without difference ends well and says how many cases there were."""
    assert 0 == differential.main(["--first", "3", "--worlds", "2"])

    summary = json.loads(capsys.readouterr().out)
    assert (2 * QUESTIONS, []) == (summary["cases"], summary["differences"])


def test_a_number_is_a_world() -> None:
    """The same number gives the same world and questions, and extlink's values of them are equal."""
    world, questions = cases(42)
    again, asked = cases(42)

    assert (world, questions) == (again, asked)
    assert policy_of(world) == policy_of(again)
    assert [request_of(world, one) for one in questions] == [request_of(again, one) for one in asked]


def test_the_model_is_another_text() -> None:
    """It shares no code with extlink, and is at most a tenth of the domain's size."""
    text = Path(model.__file__).read_text(encoding="utf-8")
    domain = [path.read_text(encoding="utf-8") for path in (PACKAGE / "domain").glob("*.py")]
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }

    assert {"__future__", "ipaddress", "typing"} == imported
    assert 10 * len(text.splitlines()) <= sum(len(one.splitlines()) for one in domain)
