from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Final, Literal

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain import grant
from extlink.domain.directory import Member
from extlink.domain.grant import Existing, Reach, Rule, Rules, Standing, UserGrantPolicy, UserRules
from extlink.domain.identifier import GroupId, OrganizationId, Scope, ServiceId, UserId
from extlink.domain.instant import Instant

SLACK: Final = ServiceId("slack")
START: Final = 1_000
Ends = Callable[[UserGrantPolicy, Member, int], bool]
Permits = Callable[[UserGrantPolicy, Member, Instant], bool]


def person(name: str, *paths: str, groups: str = "") -> Member:
    """Return a member from texts: one blank-separated path per membership."""
    return Member(
        id=UserId(name),
        display_name=name,
        organizations=tuple(tuple(OrganizationId(node) for node in path.split()) for path in paths),
        groups=frozenset(GroupId(group) for group in groups.split()),
    )


DEEP: Final = ("hq", "sales", "east", "tokyo", "shibuya")
SATO: Final = person("sato", " ".join(DEEP), "club", groups="staff")
SUZUKI: Final = person("suzuki", "hq sales", "hq tech", groups="staff leaders")
NOBODY: Final = person("nobody")


class History:
    """Edits of one service's grants, as the operations make them: each has the next number and the present instant.

    Subjects are texts: `user:sato`, `organization:sales`, `group:staff`, `everyone:`.
    """

    def __init__(self) -> None:
        self.edit = 0
        self.at = Instant(START)
        self.rules: dict[tuple[str, str], Rule] = {}

    def wait(self, seconds: int = 10) -> History:
        self.at = Instant(self.at + seconds)
        return self

    def _change(self, side: str, subject: str, change: Callable[[Rule], Rule]) -> History:
        self.rules[side, subject] = change(self.rules.get((side, subject), Rule()))
        return self

    def allow(self, subject: str, until: int | None = None, reach: Reach = "direct") -> History:
        self.edit += 1
        date = None if until is None else Instant(until)
        return self._change("granted", subject, lambda rule: rule.opened(self.edit, self.at, date, reach))

    def withdraw(self, subject: str, existing: Existing = "revoke") -> History:
        self.edit += 1
        return self._change("granted", subject, lambda rule: rule.closed(self.edit, self.at, existing))

    def exclude(self, subject: str, existing: Existing = "revoke", reach: Reach = "subtree") -> History:
        self.edit += 1
        return self._change("excluded", subject, lambda rule: rule.opened(self.edit, self.at, None, reach, existing))

    def include(self, subject: str) -> History:
        self.edit += 1
        return self._change("excluded", subject, lambda rule: rule.closed(self.edit, self.at))

    def policy(self) -> UserGrantPolicy:
        users = {subject[5:] for _, subject in self.rules if subject.startswith("user:")}
        return UserGrantPolicy(
            SLACK,
            {
                UserId(user): UserRules(
                    self.rules.get(("granted", f"user:{user}"), Rule()),
                    self.rules.get(("excluded", f"user:{user}"), Rule()),
                )
                for user in users
            },
            self._many("granted"),
            self._many("excluded"),
        )

    def _many(self, side: str) -> Rules:
        def named(kind: str) -> Iterator[tuple[str, Rule]]:
            for (where, subject), rule in self.rules.items():
                if where == side and subject.startswith(f"{kind}:"):
                    yield subject.partition(":")[2], rule

        return Rules(
            {OrganizationId(name): rule for name, rule in named("organization")},
            {GroupId(name): rule for name, rule in named("group")},
            self.rules.get((side, "everyone:"), Rule()),
        )

    def standing(self, member: Member, accepted: int | None = None) -> Standing:
        """Return the full answer now; the short one must agree (law 3)."""
        policy = self.policy()
        standing = policy.standing(member.id, member, self.at, accepted)
        assert standing.granted is policy.is_granted(member.id, member, self.at, accepted)
        return standing

    def why(self, member: Member, accepted: int | None = None) -> str:
        """Return the code of the answer now."""
        return self.standing(member, accepted).note[0]

    def ended(self, member: Member, accepted: int) -> bool:
        """Whether a link has ended."""
        return self.policy().ends_link(member.id, member, accepted)


def ends(policy: UserGrantPolicy, member: Member, accepted: int) -> bool:
    """Ask the library whether a link has ended."""
    return policy.ends_link(member.id, member, accepted)


def permits(policy: UserGrantPolicy, member: Member, at: Instant) -> bool:
    """Ask the library whether somebody may use the service."""
    return policy.is_granted(member.id, member, at)


# --- Who is permitted --------------------------------------------------------------------------------------------


def test_nobody_is_permitted_until_somebody_is_named() -> None:
    """T6: without a grant everybody is refused `grant.missing`."""
    assert (False, ("grant.missing", {"service": "slack", "user": "sato"})) == History().standing(SATO)


@pytest.mark.parametrize(
    ("subject", "note"),
    [
        ("user:sato", ("grant.user", {"service": "slack", "user": "sato"})),
        (
            "organization:shibuya",
            ("grant.organization", {"service": "slack", "user": "sato", "organization": "shibuya", "path": DEEP}),
        ),
        (
            "organization:club",
            ("grant.organization", {"service": "slack", "user": "sato", "organization": "club", "path": ("club",)}),
        ),
        ("group:staff", ("grant.group", {"service": "slack", "user": "sato", "group": "staff"})),
        ("everyone:", ("grant.everyone", {"service": "slack"})),
    ],
)
def test_a_grant_is_the_evidence(subject: str, note: tuple[str, dict[str, object]]) -> None:
    """Users, organizations, groups or everyone can be named, and the answer says which it was, with the path."""
    assert (True, note) == History().allow(subject).standing(SATO)


@pytest.mark.parametrize("subject", ["user:suzuki", "organization:tech", "group:leaders"])
def test_a_grant_to_somebody_else_is_none(subject: str) -> None:
    """A grant permits those it names and nobody else (law 1)."""
    history = History().allow(subject)

    assert "grant.missing" == history.why(SATO)
    assert history.standing(SUZUKI).granted


@pytest.mark.parametrize("organization", DEEP)
@pytest.mark.parametrize("reach", ["direct", "subtree"])
def test_reach_of_an_organization(organization: str, reach: Reach) -> None:
    """F2: `direct` is for an organization's own people, `subtree` for those of its sub-organizations too, five deep."""
    wanted = reach == "subtree" or organization == "shibuya"

    assert wanted is History().allow(f"organization:{organization}", reach=reach).standing(SATO).granted


def test_the_nearest_grant_is_named() -> None:
    """Of several grants the one by name is the evidence, then organizations and groups by id, then everyone."""
    history = History()
    subjects = ("everyone:", "group:staff", "organization:shibuya", "organization:club", "user:sato")
    found = [history.allow(one).standing(SATO).note[1].get("organization", one) for one in subjects]

    assert ["everyone:", "group:staff", "shibuya", "club", "user:sato"] == found


def test_the_shortest_path_is_named() -> None:
    """Who is in an organization by several paths is shown the shortest, in whatever order the directory names them."""
    history = History().allow("organization:hq", reach="subtree")
    paths = ["hq sales east", "hq tech", "hq law"]

    found = {str(history.standing(person("a", *order)).note[1]["path"]) for order in permutations(paths)}

    assert {str(("hq", "law"))} == found


def test_somebody_whom_the_directory_does_not_know() -> None:
    """Without memberships only a grant by name, or one to everyone, speaks for a person."""
    policy = History().allow("user:sato").allow("organization:hq", reach="subtree").allow("group:staff").policy()

    assert policy.is_granted(UserId("sato"), None, Instant(START))
    assert not policy.is_granted(UserId("suzuki"), None, Instant(START))
    assert ("grant.missing", {"service": "slack", "user": "suzuki"}) == policy.standing(
        UserId("suzuki"), None, Instant(START)
    ).note


# --- Deny overrides ----------------------------------------------------------------------------------------------

GRANTS: Final = ("user:sato", "organization:hq", "organization:club", "group:staff", "everyone:")
EXCLUSIONS: Final = ("user:sato", "organization:sales", "organization:club", "group:staff", "everyone:")
BY: Final = {"user:sato": "user", "everyone:": "everyone"}


def law_deny_overrides(permitted: Permits) -> None:
    """An exclusion outranks every grant, whichever was made first (law 1)."""
    for exclusion in EXCLUSIONS:
        for first in (True, False):
            history = History()
            if first:
                history.exclude(exclusion)
            for subject in GRANTS:
                history.allow(subject, reach="subtree")
            if not first:
                history.exclude(exclusion)

            assert not permitted(history.policy(), SATO, history.at)


def test_deny_overrides() -> None:
    """Law 1 holds for every pair of a grant and an exclusion, in either order."""
    law_deny_overrides(permits)


def test_a_policy_in_which_the_last_word_wins_is_caught() -> None:
    """The broken twin: whoever was granted after the exclusion is let in."""

    def last_word(policy: UserGrantPolicy, member: Member, at: Instant) -> bool:
        named = policy.users.get(member.id, UserRules())
        sides = ((named.granted, policy.granted), (named.excluded, policy.excluded))
        granted, excluded = (
            max(tenure.since for one in (rule, *(held.rule for held in many.held(member))) for tenure in one.tenures)
            for rule, many in sides
        )
        return permits(policy, member, at) or granted > excluded

    with pytest.raises(AssertionError):
        law_deny_overrides(last_word)


@pytest.mark.parametrize("exclusion", EXCLUSIONS)
def test_an_exclusion_says_by_what(exclusion: str) -> None:
    """The reason names whom the exclusion names."""
    history = History().allow("user:sato").exclude(exclusion)

    wanted = {"service": "slack", "user": "sato", "by": BY.get(exclusion, exclusion)}
    assert (False, ("grant.excluded", wanted)) == history.standing(SATO)


def test_a_direct_exclusion_leaves_sub_organizations_alone() -> None:
    """An exclusion may stop at an organization's own people."""
    history = History().allow("everyone:").exclude("organization:sales", reach="direct")

    assert ("grant.everyone", "grant.excluded") == (history.why(SATO), history.why(SUZUKI))


def test_a_lifted_exclusion_leaves_the_grant() -> None:
    """Who has a grant may use the service again once the exclusion is lifted."""
    history = History().allow("user:sato").exclude("user:sato").include("user:sato")

    assert "grant.user" == history.why(SATO)


def test_the_order_of_grants_does_not_matter() -> None:
    """Law 2: the same grants and exclusions in any order, some twice, give the same answers."""
    edits: list[tuple[Literal["allow", "exclude"], str]] = [
        ("allow", "user:sato"),
        ("allow", "group:staff"),
        ("exclude", "organization:tech"),
        ("allow", "user:sato"),
    ]
    found = set()
    for order in permutations(edits):
        history = History()
        for verb, subject in order:
            history = history.allow(subject) if verb == "allow" else history.exclude(subject)
        found.add(tuple(repr(history.standing(member)) for member in (SATO, SUZUKI, NOBODY)))

    assert 1 == len(found)


# --- End dates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["user:sato", "organization:shibuya", "group:staff", "everyone:"])
@pytest.mark.parametrize(("passed", "granted"), [(9, True), (10, False), (11, False)])
def test_an_end_date_is_the_first_instant_without(subject: str, passed: int, *, granted: bool) -> None:
    """T14: until the end date the grant holds, at it and after it no more."""
    history = History().allow(subject, until=START + 10).wait(passed)

    assert granted is history.standing(SATO).granted
    assert granted is (history.why(SATO) != "grant.over")


def test_the_reason_names_the_latest_end_date() -> None:
    """Where several grants are over, the one that was over last is named, as an ISO date with its offset."""
    history = History().allow("group:staff", until=START + 10).allow("user:sato", until=START + 5).wait(50)

    assert "1970-01-01T00:16:50+00:00" == history.standing(SATO).note[1]["until"]


def test_a_grant_that_is_over_leaves_the_others() -> None:
    """An end date is one grant's own."""
    history = History().allow("user:sato", until=START + 10).allow("group:staff").wait(50)

    assert "grant.group" == history.why(SATO)


def test_an_end_date_ends_no_link() -> None:
    """A grant that is over is refused, and its links work again once the date is moved."""
    history = History().allow("user:sato", until=START + 10).wait(50)
    assert ("grant.over", False) == (history.why(SATO, 1), history.ended(SATO, 1))

    history.allow("user:sato", until=START + 500)
    assert ("grant.user", False) == (history.why(SATO, 1), history.ended(SATO, 1))


@pytest.mark.parametrize("until", [START - 5, START])
def test_a_date_that_is_past_means_from_now_on(until: int) -> None:
    """Moving an end date into the past ends the grant at once, and no link."""
    history = History().allow("user:sato").allow("user:sato", until=until)

    assert ("grant.over", False) == (history.why(SATO), history.ended(SATO, 1))


def test_a_moved_date_goes_on_with_the_same_tenure() -> None:
    """A date that is moved while the grant holds is no new grant: a withdrawal that keeps links keeps the first one."""
    history = History().allow("user:sato", until=START + 10).wait(5).allow("user:sato", until=START + 90)
    history.wait(20).withdraw("user:sato", "keep")

    assert "grant.kept" == history.why(SATO, 1)


def test_naming_somebody_again_alike_changes_nothing() -> None:
    """A save that says what holds already is no edit."""
    rule = Rule().opened(1, Instant(START), Instant(START + 10), "direct")

    assert rule is rule.opened(2, Instant(START + 5), Instant(START + 10), "direct")
    assert rule is rule.opened(2, Instant(START + 50), Instant(START + 10), "direct")


def test_taking_back_what_nobody_has_changes_nothing() -> None:
    """A withdrawal without a grant is no edit."""
    rule = Rule()

    assert rule is rule.closed(1, Instant(START), "revoke")


def test_whether_a_rule_holds() -> None:
    """A rule holds while it is open and its end date is not reached."""
    rule = Rule().opened(1, Instant(START), Instant(START + 10), "direct")

    assert [True, False] == [rule.holds(Instant(START + passed)) for passed in (9, 10)]
    assert not rule.closed(2, Instant(START), "revoke").holds(Instant(START))
    assert not Rule().holds(Instant(START))


# --- The ceiling of a grant by name ------------------------------------------------------------------------------

READ, WRITE = Scope("read"), Scope("write")
Ceiling = Callable[[UserGrantPolicy, int | None], frozenset[Scope] | None]


def limited(history: History, *scopes: Scope, until: int | None = None) -> History:
    """Grant sato by name no more than some operations."""
    history.edit += 1
    date = None if until is None else Instant(until)
    before = history.rules.get(("granted", "user:sato"), Rule())
    rule = before.opened(history.edit, history.at, date, "direct", scopes=frozenset(scopes))
    history.rules["granted", "user:sato"] = rule
    return history


def ceiling(history: History, accepted: int | None = None) -> frozenset[Scope] | None:
    """Return sato's ceiling now."""
    return history.policy().ceiling(SATO.id, SATO, history.at, accepted)


def test_most_grants_have_no_ceiling() -> None:
    """Who is granted a service is granted all its operations, unless it is said otherwise."""
    assert ceiling(History().allow("user:sato")) is None
    assert ceiling(History().allow("group:staff")) is None


def test_a_grant_by_name_may_have_a_ceiling() -> None:
    """It lets the person in, and goes no further than it says; at its end it covers nothing."""
    history = limited(History(), READ, until=START + 50)

    assert "grant.user" == history.why(SATO)
    assert frozenset({READ}) == ceiling(history)
    history.at = Instant(START + 50)
    assert frozenset() == ceiling(history)


def law_grants_are_a_union(found: Ceiling) -> None:
    """Another grant without a ceiling lifts it while it holds; the next edit of the same grant replaces it."""
    history = limited(History(), READ)
    assert frozenset({READ}) == found(history.policy(), None)
    assert found(history.allow("organization:sales").policy(), None) == frozenset({READ})
    assert found(history.allow("organization:club").policy(), None) is None
    assert frozenset({READ}) == found(history.withdraw("organization:club").policy(), None)
    assert frozenset({READ, WRITE}) == found(limited(history, READ, WRITE).policy(), None)
    assert found(history.allow("user:sato").policy(), None) is None


def test_grants_are_a_union() -> None:
    """F3: a wider grant through an organization counts as if there were no ceiling by name."""
    law_grants_are_a_union(lambda policy, accepted: policy.ceiling(SATO.id, SATO, Instant(START), accepted))


def test_a_ceiling_that_counts_alone_is_caught() -> None:
    """The broken twin: it reads the grant by name and no other."""

    def twin(policy: UserGrantPolicy, accepted: int | None) -> frozenset[Scope] | None:
        return attrs.evolve(policy, granted=Rules()).ceiling(SATO.id, SATO, Instant(START), accepted)

    with pytest.raises(AssertionError):
        law_grants_are_a_union(twin)


def test_a_new_ceiling_goes_on_with_the_same_tenure() -> None:
    """Links are neither ended nor forgotten by it: it is the same grant, with another reach over operations."""
    history = limited(History().allow("user:sato"), READ)

    assert 1 == len(history.rules["granted", "user:sato"].tenures)
    assert not history.ended(SATO, 1)


def test_a_kept_link_keeps_the_ceiling() -> None:
    """Law 4: a withdrawal that keeps links gives them no more than they had."""
    history = limited(History(), READ).withdraw("user:sato", "keep")

    assert "grant.kept" == history.why(SATO, 1)
    assert frozenset({READ}) == ceiling(history, 1)
    assert frozenset() == ceiling(history)


def test_a_link_kept_by_another_grant_has_no_ceiling() -> None:
    """What keeps the link is of the union too, so that taking the grant by name away as well widens nothing."""
    history = limited(History().allow("group:staff"), READ).withdraw("group:staff", "keep")

    assert frozenset({READ}) == ceiling(history)
    assert ceiling(history, 1) is None


# --- What a withdrawal does to links -----------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["user:sato", "organization:shibuya", "group:staff", "everyone:"])
@pytest.mark.parametrize(
    ("existing", "now", "again"),
    [
        ("revoke", ("grant.missing", True), ("granted", True)),
        ("suspend", ("grant.missing", False), ("granted", False)),
        ("keep", ("grant.kept", False), ("granted", False)),
    ],
)
def test_three_words_about_links(
    subject: str, existing: Existing, now: tuple[str, bool], again: tuple[str, bool]
) -> None:
    """F11: revoked links stay ended when the grant is given again, suspended ones come back, kept ones go on."""
    history = History().allow(subject).withdraw(subject, existing)
    assert now == (history.why(SATO, 1), history.ended(SATO, 1))
    assert "grant.missing" == history.why(SATO)

    history.allow(subject)
    assert again == ("granted" if history.standing(SATO, 1).granted else "", history.ended(SATO, 1))


@pytest.mark.parametrize("existing", ["revoke", "suspend", "keep"])
def test_links_made_after_a_withdrawal_are_untouched(existing: Existing) -> None:
    """A withdrawal speaks of links that were made before it."""
    history = History().allow("user:sato").withdraw("user:sato", existing).allow("user:sato")

    assert ("grant.user", False) == (history.why(SATO, 3), history.ended(SATO, 3))


def law_another_grant_saves_the_link(ended: Ends) -> None:
    """A withdrawal ends links of those whom it leaves without any grant at that moment, and no others."""
    for first, second in permutations(["user:sato", "organization:shibuya", "group:staff", "everyone:"], 2):
        history = History().allow(first).allow(second).withdraw(first)
        assert not ended(history.policy(), SATO, 2), (first, second)
        history.withdraw(second)
        assert ended(history.policy(), SATO, 2), (first, second)
        history.allow(first).allow(second)
        assert ended(history.policy(), SATO, 2), (first, second)


def test_another_grant_saves_the_link() -> None:
    """The rule of "no other grant at that moment" holds for every pair of grants."""
    law_another_grant_saves_the_link(ends)


def test_a_rule_that_asks_todays_grants_is_caught() -> None:
    """The broken twin: a link is ended only while nothing is granted, so granting again revives it."""

    def today(policy: UserGrantPolicy, member: Member, accepted: int) -> bool:
        return ends(policy, member, accepted) and not permits(policy, member, Instant(START))

    with pytest.raises(AssertionError):
        law_another_grant_saves_the_link(today)


def test_a_rule_that_forgets_other_grants_is_caught() -> None:
    """The broken twin: every withdrawal that says revoke ends the link."""

    def any_withdrawal(policy: UserGrantPolicy, member: Member, accepted: int) -> bool:
        held = [policy.users.get(member.id, UserRules()).granted, *(one.rule for one in policy.granted.held(member))]
        return any((tenure.ended or 0) > accepted for rule in held for tenure in rule.tenures)

    with pytest.raises(AssertionError):
        law_another_grant_saves_the_link(any_withdrawal)


def test_a_grant_that_was_over_saves_no_link() -> None:
    """A grant whose end date was reached at the withdrawal is no other grant, and moving its date revives nothing."""
    history = History().allow("user:sato").allow("group:staff", until=START + 10).wait(50).withdraw("user:sato")
    assert history.ended(SATO, 2)

    history.allow("group:staff", until=START + 500)
    assert history.standing(SATO).granted
    assert history.ended(SATO, 2)


def test_moving_a_date_back_ends_no_link_of_before() -> None:
    """A grant that held at a withdrawal did hold, also if its date is moved into the past later."""
    history = History().allow("user:sato").allow("group:staff").withdraw("user:sato").wait(50)
    history.allow("group:staff", until=START - 50).allow("group:staff")

    assert ("grant.group", False) == (history.why(SATO, 2), history.ended(SATO, 2))


def test_widening_revives_no_link() -> None:
    """A grant that is widened later did not hold for sub-organizations at an earlier withdrawal."""
    history = History().allow("organization:sales").allow("user:sato").withdraw("user:sato")
    assert history.ended(SATO, 2)

    history.allow("organization:sales", reach="subtree")
    assert ("grant.organization", True) == (history.why(SATO, 2), history.ended(SATO, 2))


def test_narrowing_is_a_withdrawal_for_those_who_lose() -> None:
    """From subtree to direct: links of the people below end, those of its own people go on."""
    history = History().allow("organization:sales", reach="subtree").allow("organization:sales")

    assert ("grant.missing", True) == (history.why(SATO, 1), history.ended(SATO, 1))
    assert ("grant.organization", False) == (history.why(SUZUKI, 1), history.ended(SUZUKI, 1))

    history.allow("organization:sales", reach="subtree")
    assert ("grant.organization", True) == (history.why(SATO, 1), history.ended(SATO, 1))


def test_another_reach_interrupts_no_grant() -> None:
    """Whom both reaches concern had the grant all the time: a withdrawal that keeps links keeps the first one."""
    history = History().allow("organization:sales", reach="subtree").allow("organization:sales")
    history.withdraw("organization:sales", "keep")

    assert ("grant.kept", False) == (history.why(SUZUKI, 1), history.ended(SUZUKI, 1))
    assert ("grant.missing", True) == (history.why(SATO, 1), history.ended(SATO, 1))


def test_the_last_withdrawal_decides() -> None:
    """A link that one withdrawal kept follows what a later one says of those who lose their last grant."""
    history = History().allow("user:sato").withdraw("user:sato", "keep").allow("user:sato")

    found = [
        (after.why(SATO, 1), after.ended(SATO, 1))
        for existing in ("keep", "suspend", "revoke")
        for after in [_again(history, existing)]
    ]

    assert [("grant.kept", False), ("grant.missing", False), ("grant.missing", True)] == found


def _again(history: History, existing: Existing) -> History:
    copy = History()
    copy.edit, copy.at, copy.rules = history.edit, history.at, dict(history.rules)
    return copy.withdraw("user:sato", existing)


def test_a_link_is_kept_under_its_own_grant_alone() -> None:
    """`keep` is for links made under the grant that is withdrawn, not for those of other grants."""
    history = History().allow("user:sato").allow("group:staff")
    history.withdraw("user:sato", "suspend").withdraw("group:staff", "keep")

    assert ("grant.missing", "grant.kept") == (history.why(SATO, 1), history.why(SATO, 2))


def test_a_kept_link_goes_on_until_the_end_date() -> None:
    """A kept grant keeps its end date too."""
    history = History().allow("user:sato", until=START + 10).withdraw("user:sato", "keep")
    assert "grant.kept" == history.why(SATO, 1)

    assert "grant.missing" == history.wait(10).why(SATO, 1)


def test_grants_of_others_change_nothing() -> None:
    """Edits that do not concern a person end none of the person's links."""
    history = History().allow("user:sato").allow("organization:tech", reach="subtree").allow("group:leaders")
    history.withdraw("organization:tech").withdraw("group:leaders").exclude("user:suzuki")

    assert ("grant.user", False) == (history.why(SATO, 1), history.ended(SATO, 1))


# --- What an exclusion does to links -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("existing", "during", "after"),
    [
        ("revoke", ("grant.excluded", True), ("grant.user", True)),
        ("suspend", ("grant.excluded", False), ("grant.user", False)),
        ("keep", ("grant.user", False), ("grant.user", False)),
    ],
)
@pytest.mark.parametrize("exclusion", ["user:sato", "organization:sales", "group:staff"])
def test_three_words_of_an_exclusion(
    exclusion: str, existing: Existing, during: tuple[str, bool], after: tuple[str, bool]
) -> None:
    """An exclusion ends links, suspends them until it is lifted, or lets those made before go on."""
    history = History().allow("user:sato").exclude(exclusion, existing)
    assert during == (history.why(SATO, 1), history.ended(SATO, 1))
    assert "grant.excluded" == history.why(SATO)

    history.include(exclusion)
    assert after == (history.why(SATO, 1), history.ended(SATO, 1))


def test_another_grant_saves_no_link_from_an_exclusion() -> None:
    """An exclusion ends links whatever grants there are."""
    history = History().allow("user:sato").allow("everyone:").exclude("group:staff").include("group:staff")

    assert history.ended(SATO, 2)


def test_a_wider_exclusion_ends_the_links_of_those_it_comes_to() -> None:
    """Whom an exclusion reaches later is excluded from then on, with its word about links."""
    history = History().exclude("organization:sales", reach="direct").allow("everyone:")
    history.exclude("organization:sales").include("organization:sales")

    assert ("grant.everyone", True) == (history.why(SATO, 2), history.ended(SATO, 2))


def test_a_narrower_exclusion_keeps_its_word() -> None:
    """Narrowing an exclusion lifts it for the others as a lifting would: suspended links come back."""
    history = History().allow("everyone:").exclude("organization:sales", "suspend")
    history.exclude("organization:sales", "suspend", "direct")

    assert ("grant.everyone", False) == (history.why(SATO, 1), history.ended(SATO, 1))
    assert ("grant.excluded", False) == (history.why(SUZUKI, 1), history.ended(SUZUKI, 1))


def test_an_exclusion_may_be_made_stricter() -> None:
    """Saying revoke where keep was said ends the links that were kept."""
    history = History().allow("user:sato").exclude("user:sato", "keep")
    assert "grant.user" == history.why(SATO, 1)

    history.exclude("user:sato", "revoke")
    assert ("grant.excluded", True) == (history.why(SATO, 1), history.ended(SATO, 1))


def test_an_exclusion_made_milder_revives_nothing() -> None:
    """Saying keep where revoke was said does not bring ended links back, also once it is lifted."""
    history = History().allow("user:sato").exclude("user:sato", "revoke").exclude("user:sato", "keep")
    assert history.ended(SATO, 1)

    assert history.include("user:sato").ended(SATO, 1)


# --- The history that is kept ------------------------------------------------------------------------------------


def cycles(count: int, existing: Existing = "suspend") -> Rule:
    """Return a rule that was opened and closed `count` times, at edits 1 and 2, 3 and 4, ..., and is open again."""
    rule = Rule()
    for number in range(count):
        rule = rule.opened(2 * number + 1, Instant(START), None, "direct")
        rule = rule.closed(2 * number + 2, Instant(START), existing)
    return rule.opened(2 * count + 1, Instant(START), None, "direct")


def by_name(rule: Rule) -> UserGrantPolicy:
    """Return the policy in which a rule is sato's."""
    return UserGrantPolicy(SLACK, {SATO.id: UserRules(rule)})


def test_the_history_of_a_rule_is_bounded() -> None:
    """However often a grant is given and taken back, its record stays small."""
    assert 4 == grant._REMEMBERED == len(cycles(100).tenures)


@pytest.mark.parametrize("existing", ["suspend", "keep"])
def test_a_forgotten_tenure_errs_towards_ending(existing: Existing) -> None:
    """A link of a tenure that is remembered no more has ended, whatever was said then; later ones follow the rule."""
    policy = by_name(cycles(6, existing))

    assert [True, True, True, False, False, False] == [ends(policy, SATO, 2 * number + 1) for number in range(6)]
    assert 6 == policy.users[SATO.id].granted.floor


@pytest.mark.parametrize("side", ["granted", "excluded"])
def test_the_floor_holds_on_both_sides(side: str) -> None:
    """Forgotten exclusions end links as forgotten grants do, for organizations as for people by name."""
    rules = Rules({OrganizationId("club"): attrs.evolve(cycles(6), tenures=cycles(6).tenures[-1:])})
    open_to_all = Rules(everyone=Rule().opened(1, Instant(START), None, "direct"))
    policy = (
        UserGrantPolicy(SLACK, granted=attrs.evolve(rules, everyone=open_to_all.everyone))
        if side == "granted"
        else UserGrantPolicy(SLACK, granted=open_to_all, excluded=rules)
    )

    assert ends(policy, SATO, 1)
    assert not ends(policy, SUZUKI, 1)


def test_what_another_tenure_took_over_is_not_ended_by_forgetting() -> None:
    """Moving a lapsed date again and again is one grant: its first link is not ended by the bound of the history."""
    history = History().allow("user:sato", until=START + 10)
    for _ in range(10):
        history.wait(50).allow("user:sato", until=history.at + 10)

    assert ("grant.user", False) == (history.why(SATO, 1), history.ended(SATO, 1))
    assert 4 == len(history.rules["granted", "user:sato"].tenures)


def test_forgetting_a_narrowing_revives_nothing() -> None:
    """People below lost the grant at the first narrowing; however often it is widened again, their links stay ended."""
    history = History()
    for _ in range(6):
        history.allow("organization:sales", reach="subtree").allow("organization:sales")
    history.allow("organization:sales", reach="subtree")

    assert ("grant.organization", True) == (history.why(SATO, 1), history.ended(SATO, 1))


Step = tuple[Literal["open", "close", "wait"], int, Reach, Existing]
STEPS: Final = st.lists(
    st.tuples(
        st.sampled_from(["open", "open", "close", "wait"]),
        st.sampled_from([-5, 5, 15, 0]),
        st.sampled_from(["direct", "subtree"]),
        st.sampled_from(["revoke", "suspend", "keep"]),
    ),
    max_size=14,
)


def play(steps: list[Step], *, remembered: int, side: str, forgets: bool = False) -> list[bool]:
    """Return for every edit of a history whether a link accepted at it has ended, with a bound on what is remembered.

    Args:
        forgets: the broken twin: nothing stays of what is remembered no more.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grant, "_REMEMBERED", remembered)
        rule, at = Rule(), START
        for edit, (verb, date, reach, existing) in enumerate(steps, 1):
            if verb == "wait":
                at += abs(date)
            elif verb == "close":
                rule = rule.closed(edit, Instant(at), existing if side == "granted" else None)
            elif side == "granted":
                rule = rule.opened(edit, Instant(at), Instant(at + date) if date else None, reach)
            else:
                rule = rule.opened(edit, Instant(at), None, reach, existing)
            rule = attrs.evolve(rule, floor=0) if forgets else rule
    many = Rules({OrganizationId("sales"): rule})
    policy = UserGrantPolicy(SLACK, granted=many) if side == "granted" else UserGrantPolicy(SLACK, excluded=many)
    return [ends(policy, member, edit) for edit in range(len(steps)) for member in (SATO, SUZUKI)]


@given(steps=STEPS, side=st.sampled_from(["granted", "excluded"]))
def test_a_bounded_history_never_revives(steps: list[Step], side: str) -> None:
    """Whatever is remembered no more: a link that has ended with the whole history has ended with the bounded one."""
    whole = play(steps, remembered=1_000, side=side)
    bounded = play(steps, remembered=4, side=side)

    assert [] == [place for place, ended in enumerate(whole) if ended and not bounded[place]]


def test_a_history_that_just_forgets_is_caught() -> None:
    """The broken twin: five withdrawals later a revoked link lives again."""
    steps: list[Step] = [("open", 0, "direct", "revoke"), ("close", 0, "direct", "revoke")]
    steps += [("open", 0, "direct", "revoke"), ("close", 0, "direct", "suspend")] * 4

    whole = play(steps, remembered=1_000, side="granted")
    forgetful = play(steps, remembered=4, side="granted", forgets=True)

    assert [ended for ended in whole if ended] != [ended for ended in forgetful if ended]


@given(steps=STEPS, side=st.sampled_from(["granted", "excluded"]))
def test_no_edit_revives_a_link(steps: list[Step], side: str) -> None:
    """Law 9 for grants: what has ended after some edits has ended after every further one."""
    before: list[bool] = []
    for count in range(len(steps) + 1):
        after = play(steps[:count], remembered=4, side=side)
        assert [] == [place for place, ended in enumerate(before) if ended and not after[place]]
        before = after
