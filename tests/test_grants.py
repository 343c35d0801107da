from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from itertools import product
from typing import Any, Final, Literal

import pytest
from hypothesis import given, strategies as st

from extlink import access, grants, links
from extlink.domain.client import Client
from extlink.domain.decision import Refusal
from extlink.domain.grant import Rules
from extlink.domain.identifier import OrganizationId
from extlink.domain.instant import to_datetime
from extlink.errors import InvalidInput, Refused
from extlink.operation import Operation
from tests.people import POWER, SLACK, World, codes, refused, world

Existing = Literal["revoke", "suspend", "keep"]
ALL: Final = ("sato", "suzuki", "tanaka", "ito", "guest")


def permitted(made: World, service: str = POWER) -> set[str]:
    """Return which of the active people may use a service, by the gates before the link."""
    return {user for user in ALL if made.may(user, service=service)}


# --- Whom a grant is for -----------------------------------------------------------------------------------------


def test_nobody_is_permitted_at_first() -> None:
    """T6: enabling a service permits nobody; every user is refused `grant.missing`."""
    made = world()

    assert {("grant.missing",)} == {made.explain(user) for user in ALL}


def test_users_by_name() -> None:
    """A grant by name is for the people it names, and for no later hire."""
    made = world()
    made.run(grants.allow(POWER, users=["sato", "guest"]))
    made.people.add_user("new", organizations=["shibuya"], products={"kintone"})

    assert {"sato", "guest"} == permitted(made)
    assert ("grant.missing",) == made.explain("new")


@pytest.mark.parametrize(
    ("organization", "direct", "subtree"),
    [
        ("hq", {"ito"}, {"sato", "suzuki", "tanaka", "ito"}),
        ("sales", {"suzuki"}, {"sato", "suzuki"}),
        ("east", set[str](), {"sato"}),
        ("tokyo", set[str](), {"sato"}),
        ("shibuya", {"sato"}, {"sato"}),
        ("tech", {"suzuki", "tanaka"}, {"suzuki", "tanaka"}),
        ("club", {"sato"}, {"sato"}),
    ],
)
def test_organizations_direct_or_with_sub_organizations(organization: str, direct: set[str], subtree: set[str]) -> None:
    """F2: by organization, for its own people or those of its sub-organizations too, whichever membership counts."""
    made = world()
    made.run(grants.allow(POWER, organizations=[organization]))
    made.run(grants.allow(SLACK, organizations=[organization], scope="subtree"))

    assert direct == permitted(made)
    assert subtree == permitted(made, SLACK)


def test_groups() -> None:
    """By group, for everybody whom the directory says is in it."""
    made = world()
    made.run(grants.allow(POWER, groups=["staff"]))

    assert {"sato", "suzuki"} == permitted(made)


def test_everyone() -> None:
    """T6: everyone is a grant one must choose; it is for all active people, guests too."""
    made = world()
    made.run(grants.allow(POWER, everyone=True))

    assert set(ALL) == permitted(made)
    assert ("user.suspended",) == made.explain("kimura")
    assert ("user.deleted",) == made.explain("ueda")
    assert ("user.unknown",) == made.explain("stranger")


@pytest.mark.parametrize(
    "subjects",
    [{"organizations": ["tech"]}, {"groups": ["staff"]}, {"everyone": True}],
    ids=lambda one: next(iter(one)),
)
def test_later_hires_are_included(subjects: dict[str, Any]) -> None:
    """F2: who joins an organization or group later is permitted without a further save, and who leaves is not."""
    made = world()
    made.run(grants.allow(POWER, **subjects))
    made.people.add_user("new", organizations=["tech"], groups=["staff"], products={"kintone"})
    assert made.may("new")

    made.people.change_user("new", organizations=[], groups=[], status="deleted")
    assert not made.may("new")


def test_a_change_of_names_and_codes_changes_nothing() -> None:
    """T7: grants name ids; renaming people and organizations changes nothing."""
    made = world()
    made.run(grants.allow(POWER, users=["guest"], organizations=["tech"]))
    made.people.change_user("guest", display_name="別人", login_name="other")
    made.people.change_organization("tech", name="営業部", code="sales")

    assert {"suzuki", "tanaka", "guest"} == permitted(made)


def test_what_is_made_anew_under_the_same_code_is_another_one() -> None:
    """T7: an organization that is deleted and made again under the same code has no grant."""
    made = world()
    made.people.change_organization("tech", code="T")
    made.run(grants.allow(POWER, organizations=["tech"]))
    made.people.remove_organization("tech")
    made.people.add_organization("tech-2", code="T")
    made.people.change_user("tanaka", organizations=["tech-2"])

    assert set[str]() == permitted(made)


def test_the_membership_path_is_part_of_the_evidence() -> None:
    """F2: an allow says through which organization, by which path from the top."""
    made = world()
    made.run(grants.allow(POWER, organizations=["sales"], scope="subtree"))
    tokens = made.connect("sato")

    (found,) = made.check(tokens).gate("user").reasons

    assert "grant.organization" == found.code
    assert ("hq", "sales", "east", "tokyo", "shibuya") == found.params["path"]
    assert "sales" == found.params["organization"]


def test_a_grant_is_for_one_service() -> None:
    """A grant of one service says nothing of another."""
    made = world()
    made.allow("sato")

    assert (True, False) == (made.may("sato"), made.may("sato", service=SLACK))


# --- End dates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("passed", "why"), [(3_599, "grant.user"), (3_600, "grant.over"), (3_601, "grant.over")])
def test_before_at_and_after_the_end_date(passed: int, why: str) -> None:
    """T14: a grant holds until its end date; from that instant it is over, for new links and calls alike."""
    made = world()
    made.run(grants.allow(POWER, users=["sato"], until=to_datetime(made.clock.now()) + timedelta(hours=1)))
    tokens = made.connect("sato")
    made.clock.advance(passed)

    assert (why,) == made.explain("sato")
    assert (why == "grant.user") is bool(made.check(tokens))


def test_an_end_date_has_any_time_zone() -> None:
    """T14: an end date is an instant, in whatever zone the host wrote it; ledger and reason give it in UTC."""
    made = world()
    tokyo = datetime(2020, 6, 10, 0, 0, tzinfo=timezone(timedelta(hours=9)))
    made.run(grants.allow(POWER, users=["sato"], until=tokyo))
    made.clock.advance(15 * 3_600)

    decision = made.run(access.explain(POWER, user="sato", network="not_applicable"))

    assert "2020-06-09T15:00:00+00:00" == decision.reasons[0].params["until"]


def test_moving_the_end_date_brings_links_back() -> None:
    """A grant that was over holds again once the date is moved, and its links work again."""
    made = world()
    soon = to_datetime(made.clock.now()) + timedelta(hours=1)
    made.run(grants.allow(POWER, users=["sato"], until=soon))
    tokens = made.connect("sato")
    made.clock.advance(7_200)
    refusal = made.refresh(tokens)
    assert ("grant.over",) == codes(refusal)

    made.run(grants.allow(POWER, users=["sato"], until=soon + timedelta(days=1)))
    assert made.check(made.refreshed(tokens))


def test_an_end_date_without_a_zone_is_refused() -> None:
    """A naive time means another instant on every machine."""
    with pytest.raises(InvalidInput, match="until: expected a datetime with a time zone"):
        grants.allow(POWER, users=["sato"], until=datetime(2020, 6, 10))  # noqa: DTZ001 - the point of the test


# --- Withdrawing -------------------------------------------------------------------------------------------------

SUBJECTS: Final[list[dict[str, Any]]] = [
    {"users": ["sato"]},
    {"organizations": ["shibuya"]},
    {"groups": ["staff"]},
    {"everyone": True},
]


@pytest.mark.parametrize("subjects", SUBJECTS, ids=lambda one: next(iter(one)))
@pytest.mark.parametrize(
    ("existing", "now", "again"),
    [
        ("revoke", ("grant.missing", "link.ended"), False),
        ("suspend", ("grant.missing",), True),
        ("keep", (), True),
    ],
)
def test_what_a_withdrawal_does_to_links(
    subjects: dict[str, Any], existing: Existing, now: tuple[str, ...], *, again: bool
) -> None:
    """F11: existing links are ended, suspended until the grant is given again, or kept; new ones are refused."""
    made = world()
    made.run(grants.allow(POWER, **subjects))
    tokens = made.connect("sato")

    made.run(grants.withdraw(POWER, **subjects, existing=existing))

    assert now == codes(made.check(tokens))
    assert (existing == "keep") is bool(made.refresh(tokens))
    assert ("grant.missing",) == made.explain("sato")

    made.run(grants.allow(POWER, **subjects))
    assert again is bool(made.check(tokens))
    assert made.check(made.connect("sato"))


def test_withdrawing_revokes_unless_another_word_is_said() -> None:
    """MISSION: the links of those who lose a grant end by default."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    made.run(grants.withdraw(POWER, users=["sato"]))
    made.allow("sato")

    assert ("link.ended",) == codes(made.check(tokens))
    assert "grant" == made.check(tokens).reasons[0].params["cause"]


def test_a_kept_link_says_why_it_works() -> None:
    """The evidence of a link whose grant was withdrawn for new links only is `grant.kept`."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    made.run(grants.withdraw(POWER, users=["sato"], existing="keep"))

    assert ("grant.kept",) == tuple(reason.code for reason in made.check(tokens).gate("user").reasons)
    asked = made.user("sato").run(
        links.begin(
            POWER,
            client=Client("pa", pkce="waived_for_confidential_client"),
            redirect_uri="https://client.example/cb",
            scopes="k:file:read",
            network="not_applicable",
        )
    )
    assert isinstance(asked, Refusal)
    assert ("grant.missing",) == codes(asked)


def law_the_last_grant_decides(withdraw: Callable[[World, dict[str, Any]], object]) -> None:
    """With grants by name, by organization and to everyone, the link ends with the last of them and never before."""
    made = world()
    subjects: list[dict[str, Any]] = [
        {"users": ["sato"]},
        {"organizations": ["hq"], "scope": "subtree"},
        {"everyone": True},
    ]
    for one in subjects:
        made.run(grants.allow(POWER, **one))
    tokens = made.connect("sato")
    for one in subjects[:-1]:
        withdraw(made, one)
        assert made.check(tokens), one
    withdraw(made, subjects[-1])
    assert not made.check(tokens)
    made.run(grants.allow(POWER, **subjects[0]))
    assert not made.check(tokens)


def _named(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "scope"}


def test_the_last_grant_decides() -> None:
    """A link ends with the withdrawal that leaves its owner without any other grant at that moment, for good."""
    law_the_last_grant_decides(lambda made, one: made.run(grants.withdraw(POWER, **_named(one))))


@pytest.mark.parametrize("existing", ["suspend", "revoke"])
def test_a_withdrawal_that_looks_at_itself_alone_is_caught(existing: str) -> None:
    """The broken twins: one ends the user's links with the first withdrawal, one lets them come back at the end."""

    def ending_at_once(made: World, one: dict[str, Any]) -> None:
        made.run(grants.withdraw(POWER, **_named(one)))
        made.run(links.revoke_all(user="sato", service=POWER))

    def never_ending(made: World, one: dict[str, Any]) -> None:
        made.run(grants.withdraw(POWER, **_named(one), existing="suspend"))

    with pytest.raises(AssertionError):
        law_the_last_grant_decides(ending_at_once if existing == "revoke" else never_ending)


def test_narrowing_to_the_organizations_own_people() -> None:
    """From subtree to direct: people below lose the grant and their links, the organization's own people do not."""
    made = world()
    made.run(grants.allow(POWER, organizations=["sales"], scope="subtree"))
    below, own = made.connect("sato"), made.connect("suzuki")

    made.run(grants.allow(POWER, organizations=["sales"], scope="direct"))
    assert (("grant.missing", "link.ended"), ()) == (codes(made.check(below)), codes(made.check(own)))

    made.run(grants.allow(POWER, organizations=["sales"], scope="subtree"))
    assert (("link.ended",), ()) == (codes(made.check(below)), codes(made.check(own)))


def test_withdrawing_from_a_group_leaves_others() -> None:
    """Only the named subject loses the grant."""
    made = world()
    made.run(grants.allow(POWER, organizations=["tech"], groups=["staff"], users=["guest"]))
    made.run(grants.withdraw(POWER, groups=["staff"]))

    assert {"suzuki", "tanaka", "guest"} == permitted(made)


def test_withdrawing_what_nobody_has_changes_nothing() -> None:
    """No version, no ledger entry: nothing changed."""
    made = world()
    before = made.dump()

    assert grants.Saved(version=0, changed=0) == made.run(grants.withdraw(POWER, users=["sato"], everyone=True))
    assert before == made.dump()


# --- Excluding ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exclusion", "by"),
    [
        ({"users": ["sato"]}, "user"),
        ({"organizations": ["sales"]}, "organization:sales"),
        ({"organizations": ["shibuya"], "scope": "direct"}, "organization:shibuya"),
        ({"groups": ["staff"]}, "group:staff"),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["excluded first", "granted first"])
def test_deny_overrides(exclusion: dict[str, Any], by: str, *, first: bool) -> None:
    """Law 1: an exclusion outranks every grant the person has, now or later."""
    made = world()
    allowing = grants.allow(
        POWER, users=["sato"], organizations=["hq"], groups=["staff"], everyone=True, scope="subtree"
    )
    excluding = grants.exclude(POWER, **exclusion)
    for operation in (excluding, allowing) if first else (allowing, excluding):
        made.run(operation)

    decision = made.run(access.explain(POWER, user="sato", network="not_applicable"))

    assert [("grant.excluded", by)] == [(reason.code, reason.params["by"]) for reason in decision.reasons]


def test_an_exclusion_reaches_sub_organizations() -> None:
    """The opposite of `allow`: an excluded organization takes its sub-organizations along unless said otherwise."""
    made = world()
    made.run(grants.allow(POWER, everyone=True))
    made.run(grants.exclude(POWER, organizations=["sales"]))
    assert {"tanaka", "ito", "guest"} == permitted(made)

    made.run(grants.include(POWER, organizations=["sales"]))
    made.run(grants.exclude(POWER, organizations=["sales"], scope="direct"))
    assert {"sato", "tanaka", "ito", "guest"} == permitted(made)


def law_excluding_again_admits_nobody(exclude: Callable[[World, dict[str, Any]], object]) -> None:
    """Whatever is said of somebody who is excluded already, nobody is admitted, and no link works that did not."""
    words: tuple[Existing, ...] = ("keep", "suspend", "revoke")
    for first, second in product(product(words, ("direct", "subtree")), repeat=2):
        made = world()
        made.run(grants.allow(POWER, everyone=True))
        links_ = [made.connect("sato"), made.connect("suzuki")]
        exclude(made, {"organizations": ["sales"], "existing": first[0], "scope": first[1]})
        if first[1] == "direct":
            links_.append(made.connect("sato", client=Client("late")))
        before = (permitted(made), [bool(made.check(one)) for one in links_])

        exclude(made, {"organizations": ["sales"], "existing": second[0], "scope": second[1]})

        after = (permitted(made), [bool(made.check(one)) for one in links_])
        assert after[0] <= before[0], (first, second)
        assert all(was or not now for was, now in zip(before[1], after[1], strict=True)), (first, second)


def test_excluding_again_admits_nobody() -> None:
    """Only `include` lifts: a narrower reach or a milder word leaves an exclusion as it was, a stricter one counts."""
    law_excluding_again_admits_nobody(lambda made, one: made.run(grants.exclude(POWER, **one)))


def test_an_exclusion_that_the_last_word_replaces_is_caught() -> None:
    """The broken twin: the old exclusion is lifted and made anew."""

    def replacing(made: World, one: dict[str, Any]) -> None:
        made.run(grants.include(POWER, organizations=one["organizations"]))
        made.run(grants.exclude(POWER, **one))

    with pytest.raises(AssertionError):
        law_excluding_again_admits_nobody(replacing)


@pytest.mark.parametrize(
    ("again", "changed", "wanted"),
    [
        ({"existing": "keep"}, 0, ()),
        ({"existing": "suspend"}, 1, ("grant.excluded",)),
        ({"existing": "revoke"}, 1, ("grant.excluded", "link.ended")),
    ],
)
def test_a_stricter_word_counts(again: dict[str, Any], changed: int, wanted: tuple[str, ...]) -> None:
    """Links that the first exclusion kept are suspended or ended by a second one that says so."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    made.run(grants.exclude(POWER, users=["sato"], existing="keep"))

    assert changed == made.run(grants.exclude(POWER, users=["sato"], **again)).changed
    assert wanted == codes(made.check(tokens))


def test_excluding_again_takes_nothing_back() -> None:
    """Law 4: a narrower reach or a milder word admits nobody; `include` is the way back."""
    made = world()
    made.run(grants.allow(POWER, everyone=True))
    tokens = made.connect("tanaka")
    made.run(grants.exclude(POWER, organizations=["sales"]))
    made.run(grants.exclude(POWER, users=["tanaka"], existing="suspend"))
    before = permitted(made), codes(made.check(tokens))

    made.run(grants.exclude(POWER, organizations=["sales"], scope="direct"))
    made.run(grants.exclude(POWER, users=["tanaka"], existing="keep"))

    assert before == (permitted(made), codes(made.check(tokens)))


def test_excluding_again_may_be_stricter() -> None:
    """A stricter word holds from then on, a wider reach as well; a kept link is not kept twice."""
    made = world()
    made.run(grants.allow(POWER, everyone=True))
    tokens = made.connect("tanaka")
    made.run(grants.exclude(POWER, users=["tanaka"], existing="keep"))
    assert made.check(tokens)
    made.run(grants.exclude(POWER, organizations=["sales"], scope="direct", existing="keep"))

    made.run(grants.exclude(POWER, users=["tanaka"], existing="revoke"))
    made.run(grants.exclude(POWER, organizations=["sales"], existing="keep"))

    assert ("grant.excluded", "link.ended") == codes(made.check(tokens))
    assert {"ito", "guest"} == permitted(made)


def test_a_membership_of_tomorrow_revives_no_link() -> None:
    """A withdrawal by name ends the links of who is left with nothing, wherever they go later."""
    made = world()
    made.run(grants.allow(POWER, users=["sato"], organizations=["tech"]))
    tokens = made.connect("sato")
    made.run(grants.withdraw(POWER, users=["sato"]))
    made.people.change_user("sato", organizations=["tech"])

    assert ("link.ended",) == codes(made.check(tokens))


def test_a_link_goes_on_where_another_grant_holds() -> None:
    """A withdrawal by name ends nothing for who is granted through an organization as well."""
    made = world()
    made.run(grants.allow(POWER, users=["sato"], organizations=["sales"], scope="subtree"))
    tokens = made.connect("sato")
    made.run(grants.withdraw(POWER, users=["sato"]))

    assert made.check(tokens)


def test_a_silent_directory_does_not_keep_a_link_alive() -> None:
    """A withdrawal goes through without the directory; who may have had another grant is taken to have had none."""
    made = world()
    made.run(grants.allow(POWER, users=["sato"], organizations=["sales"], scope="subtree"))
    tokens = made.connect("sato")
    made.directory.down = True
    made.run(grants.withdraw(POWER, users=["sato"]))
    made.directory.down = False

    assert ("link.ended",) == codes(made.check(tokens))


@pytest.mark.parametrize(
    ("existing", "during", "after"),
    [
        ("revoke", ("grant.excluded", "link.ended"), ("link.ended",)),
        ("suspend", ("grant.excluded",), ()),
        ("keep", (), ()),
    ],
)
def test_what_an_exclusion_does_to_links(existing: Existing, during: tuple[str, ...], after: tuple[str, ...]) -> None:
    """As in `withdraw`; lifted exclusions leave ended links ended, let suspended ones work, and new ones are made."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")

    made.run(grants.exclude(POWER, users=["sato"], existing=existing))
    assert during == codes(made.check(tokens))
    assert ("grant.excluded",) == made.explain("sato")

    made.run(grants.include(POWER, users=["sato"]))
    assert after == codes(made.check(tokens))
    assert ("grant.user",) == made.explain("sato")


@pytest.mark.parametrize("subjects", [{"organizations": ["tech"]}, {"groups": ["staff"]}], ids=["tech", "staff"])
def test_including_again(subjects: dict[str, Any]) -> None:
    """Lifting an exclusion gives no grant; who has one may use the service again."""
    made = world()
    made.allow("suzuki")
    made.run(grants.exclude(POWER, **subjects))
    assert set[str]() == permitted(made)

    made.run(grants.include(POWER, **subjects))
    assert {"suzuki"} == permitted(made)


# --- When people move --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("silent", [False, True], ids=["directory answers", "directory silent"])
def test_unticking_is_final_wherever_people_go(*, silent: bool) -> None:
    """Who lost the last grant by a save has lost it, also where an organization that had one is joined later."""
    made = world()
    made.allow("sato")
    made.run(grants.allow(POWER, organizations=["tech"]))
    tokens = made.connect("sato")
    made.directory.down = silent
    made.run(grants.edit(POWER, version=2, remove=["sato"]))
    made.directory.down = False

    made.people.change_user("sato", organizations=["tech"])

    assert ("grant.organization",) == made.explain("sato")
    assert ("link.ended",) == codes(made.check(tokens))
    assert made.check(made.connect("sato"))


@pytest.mark.parametrize("existing", ["suspend", "keep"])
def test_what_is_not_revoked_comes_back_with_a_membership(existing: Existing) -> None:
    """Suspended and kept links are no lost ones: a grant through a new organization lets them work."""
    made = world()
    made.allow("sato")
    made.run(grants.allow(POWER, organizations=["tech"]))
    tokens = made.connect("sato")
    made.run(grants.withdraw(POWER, users=["sato"], existing=existing))
    made.people.change_user("sato", organizations=["tech"])

    assert made.check(tokens)


def test_members_of_a_deleted_organization_have_lost_its_grant() -> None:
    """T7: the grant lapses, and its links stay ended wherever the people go; who had another grant goes on."""
    made = world()
    made.run(grants.allow(POWER, organizations=["sales"], scope="subtree"))
    made.run(grants.allow(POWER, organizations=["tech"], users=["guest"]))
    lost, kept = made.connect("sato"), made.connect("suzuki")
    removed(made)
    made.people.remove_organization("sales")
    made.people.change_user("sato", organizations=["tech"])

    assert ("grant.organization",) == made.explain("sato")
    assert (("link.ended",), ()) == (codes(made.check(lost)), codes(made.check(kept)))


# --- When an organization is deleted -----------------------------------------------------------------------------


def law_deleting_never_widens(delete: Callable[[World], object]) -> None:
    """T7: when an organization is deleted, nobody gains access by it."""
    made = world()
    made.run(grants.allow(POWER, everyone=True))
    made.run(grants.exclude(POWER, organizations=["sales"]))
    before = permitted(made)

    delete(made)
    made.people.remove_organization("sales")

    assert {"tanaka", "ito", "guest"} == before
    assert permitted(made) <= before


def removed(made: World) -> grants.Saved:
    """Tell of the deletion of sales, with everybody in it and below it."""
    return made.run(grants.organization_removed(POWER, "sales", former_members=["sato", "suzuki", "kimura"]))


@pytest.mark.parametrize("by_name", ["revoke", "suspend", "keep"])
@pytest.mark.parametrize("by_organization", ["revoke", "suspend", "keep"])
def test_deleting_revives_no_link(by_name: Existing, by_organization: Existing) -> None:
    """T7: who is excluded by name as well keeps the stricter word: what was refused before is refused after."""
    made = world()
    made.run(grants.allow(POWER, everyone=True))
    tokens = made.connect("sato")
    made.run(grants.exclude(POWER, users=["sato"], existing=by_name))
    made.run(grants.exclude(POWER, organizations=["sales"], existing=by_organization))
    before = codes(made.check(tokens))

    removed(made)
    made.people.remove_organization("sales")

    assert before == codes(made.check(tokens))


def test_deleting_never_widens() -> None:
    """T7: an exclusion of a deleted organization stays in force for its former members by name."""
    law_deleting_never_widens(removed)


def test_deleting_without_telling_is_caught() -> None:
    """The broken twin: a host that just deletes lets those in who were excluded through the organization."""
    with pytest.raises(AssertionError):
        law_deleting_never_widens(lambda made: None)


def test_a_grant_to_a_deleted_organization_lapses() -> None:
    """T7: links under it end, and the organization's id means nothing any more."""
    made = world()
    made.run(grants.allow(POWER, organizations=["sales"], scope="subtree"))
    tokens = made.connect("sato")

    saved = removed(made)

    assert grants.Saved(version=2, changed=1) == saved
    assert ("grant.missing", "link.ended") == codes(made.check(tokens))
    assert set[str]() == permitted(made)
    assert made.run(grants.show(POWER)).granted.organizations[OrganizationId("sales")].open is None


def test_an_exclusion_by_name_lasts_until_an_administrator_decides() -> None:
    """T7: former members stay excluded wherever they go, until somebody includes them again; kept links stay kept."""
    made = world()
    made.run(grants.allow(POWER, everyone=True))
    tokens = made.connect("suzuki")
    made.run(grants.exclude(POWER, organizations=["sales"], existing="keep"))
    removed(made)
    made.people.remove_organization("sales")
    made.people.change_user("suzuki", organizations=["tech"])

    assert ("grant.excluded",) == made.explain("suzuki")
    assert made.check(tokens)

    made.run(grants.include(POWER, users=["suzuki"]))
    assert ("grant.everyone",) == made.explain("suzuki")


def test_sub_organizations_go_with_it() -> None:
    """T7: deleting an organization deletes those below; told of each of them, none of their exclusions is lost."""
    made = world()
    made.run(grants.allow(POWER, everyone=True))
    made.run(grants.exclude(POWER, organizations=["shibuya"]))
    for organization in ("sales", "east", "tokyo", "shibuya"):
        members = [
            one.member.id for one in made.run(grants.candidates(POWER, organization=organization, limit=50)).candidates
        ]
        made.run(grants.organization_removed(POWER, organization, former_members=members))
    made.people.remove_organization("sales")

    assert ("grant.excluded",) == made.explain("sato")
    assert ("grant.everyone",) == made.explain("suzuki")


def test_the_ledger_tells_of_the_deletion() -> None:
    """One entry for the change and one that says which subject vanished, with the people excluded by name."""
    made = world()
    made.run(grants.exclude(POWER, organizations=["sales"]))
    removed(made)

    vanished = made.entries("grant.subject_vanished")
    details = {
        "service": POWER,
        "organization": "sales",
        "existing": "revoke",
        "excluded_by_name": ["kimura", "sato", "suzuki"],
    }
    assert [details] == [entry.details for entry in vanished]
    assert ["grant.changed", "grant.subject_vanished"] == list(made.events()[-2:])


def test_deleting_an_organization_that_nobody_named() -> None:
    """Nothing to change, nothing to record."""
    made = world()
    before = made.dump()

    assert grants.Saved(version=0, changed=0) == removed(made)
    assert before == made.dump()


# --- Candidates --------------------------------------------------------------------------------------------------


def shown(made: World, **query: Any) -> list[str]:
    """Return the ids on all pages, in their order."""
    found: list[str] = []
    after = None
    while True:
        page = made.run(grants.candidates(POWER, after=after, **query))
        found += [candidate.member.id for candidate in page.candidates]
        after = page.next
        if after is None:
            return found


EVERYBODY: Final = ["ito", "sato", "suzuki", "tanaka", "mori", "guest", "kimura"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_candidates_in_pages(limit: int) -> None:
    """T7: display priority first, then creation; each user once, however many organizations; deleted ones never."""
    assert EVERYBODY == shown(world(), limit=limit)


def test_the_order_of_candidates() -> None:
    """T7: smaller priorities first; equal and empty ones by creation, the empty last; whatever the filter."""
    made = world()
    for user, priority in (("c", None), ("b", 5), ("a", 5), ("z", 0)):
        made.people.add_user(user, organizations=["club"], display_priority=priority)

    assert ["z", "ito", "b", "a", *EVERYBODY[1:], "c"] == shown(made, limit=3)
    assert ["z", "b", "a", "sato", "c"] == shown(made, organization="club", limit=2)


@pytest.mark.parametrize(
    ("organization", "scope", "people"),
    [
        ("hq", "subtree", ["ito", "sato", "suzuki", "tanaka", "mori", "kimura"]),
        ("hq", "direct", ["ito"]),
        ("sales", "subtree", ["sato", "suzuki", "kimura"]),
        ("sales", "direct", ["suzuki"]),
        ("shibuya", "direct", ["sato"]),
        ("club", "subtree", ["sato"]),
        ("nowhere", "subtree", []),
    ],
)
def test_the_organization_filter(organization: str, scope: Literal["direct", "subtree"], people: list[str]) -> None:
    """A29, T7: the list is narrowed by organization, `direct` or with sub-organizations."""
    assert people == shown(world(), organization=organization, scope=scope)


def test_the_organization_filter_takes_sub_organizations_by_default() -> None:
    """The tree's node stands for everybody below it."""
    assert ["sato", "suzuki", "kimura"] == shown(world(), organization="sales")


def test_the_node_without_organization() -> None:
    """T7: people in no organization have a node of their own."""
    assert ["guest"] == shown(world(), without_organization=True)


@pytest.mark.parametrize(
    ("search", "people"),
    [
        ("佐藤", ["sato"]),
        ("佐藤昇", ["sato"]),
        ("ノボル", ["sato"]),
        ("のぼる", ["sato"]),
        ("ﾉﾎﾞﾙ", ["sato"]),
        ("ノホル", []),
        ("サトウ", ["sato"]),
        ("N-SATO", ["sato"]),
        ("\uff4e\uff0d\uff53\uff41\uff54\uff4f", ["sato"]),  # n-sato in full width
        ("n-sato", ["sato"]),
        ("jose", ["garcia"]),
        ("GARCÍA", ["garcia"]),
        ("存在しない", []),
        ("", [*EVERYBODY, "garcia"]),
    ],
)
def test_searching(search: str, people: list[str]) -> None:
    """T7: all names and the login name, folding case, kana, width and accents; half-width voiced kana *is* found."""
    made = world()
    made.people.add_user("garcia", display_name="José García")

    assert people == shown(made, search=search)


def test_searching_within_an_organization() -> None:
    """Filter and search narrow together."""
    assert ["suzuki"] == shown(world(), organization="tech", search="鈴木")
    assert [] == shown(world(), organization="tech", search="佐藤")


def test_a_candidate_says_whether_and_why() -> None:
    """The box is ticked for a grant by name alone; `why` says by what path somebody is in anyway."""
    made = world()
    made.run(grants.allow(POWER, users=["tanaka"], organizations=["tech"], groups=["staff"]))
    page = made.run(grants.candidates(POWER))

    assert {
        "ito": (False, None),
        "sato": (False, "grant.group"),
        "suzuki": (False, "grant.organization"),
        "tanaka": (True, "grant.user"),
        "mori": (False, "grant.organization"),
        "guest": (False, None),
        "kimura": (False, None),
    } == {one.member.id: (one.ticked, one.why.code if one.why else None) for one in page.candidates}
    assert 1 == page.version


def test_suspended_people_are_shown_and_not_tickable() -> None:
    """T7: suspended users are shown as such and not tickable; those who are ticked stay ticked."""
    made = world()
    made.allow("kimura", "sato")
    made.people.suspend("sato")

    rows: dict[str, object] = {one.member.id: (one.member.status, one.tickable, one.ticked) for one in _rows(made)}

    assert ("suspended", False, True) == rows["kimura"] == rows["sato"]
    assert {"ito", "suzuki", "tanaka", "mori", "guest"} == {one.member.id for one in _rows(made) if one.tickable}


def _rows(made: World) -> tuple[grants.Candidate, ...]:
    return made.run(grants.candidates(POWER)).candidates


def test_an_excluded_candidate_is_ticked_and_not_let_in() -> None:
    """The tick is the grant by name; an exclusion leaves it, and `why` says that nothing lets the person in."""
    made = world()
    made.allow("sato")
    made.run(grants.exclude(POWER, users=["sato"]))

    assert [(True, None)] == [(one.ticked, one.why) for one in _rows(made) if one.member.id == "sato"]


def test_a_grant_that_is_over_is_no_tick() -> None:
    """The page shows what holds: ticking the person again grants anew."""
    made = world()
    made.run(grants.allow(POWER, users=["sato"], until=to_datetime(made.clock.now()) + timedelta(hours=1)))
    made.clock.advance(3_600)
    assert [(False, None)] == [(one.ticked, one.why) for one in _rows(made) if one.member.id == "sato"]

    made.run(grants.edit(POWER, version=1, add=["sato"]))
    assert ("grant.user",) == made.explain("sato")


def test_organization_and_without_organization_exclude_each_other() -> None:
    """Both nodes at once have nobody; the caller is told rather than answered."""
    with pytest.raises(InvalidInput, match="without_organization"):
        grants.candidates(POWER, organization="hq", without_organization=True)


# --- When the directory fails ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation",
    [
        grants.allow(POWER, users=["sato"]),
        grants.allow(POWER, organizations=["hq"]),
        grants.exclude(POWER, users=["sato"]),
        grants.exclude(POWER, organizations=["hq"]),
        grants.edit(POWER, version=0, add=["sato"]),
        grants.candidates(POWER),
    ],
    ids=repr,
)
def test_a_directory_that_fails(operation: Operation[object]) -> None:
    """Nobody is named on the word of a directory that does not answer; nothing is changed."""
    made = world()
    before = made.dump()
    made.directory.down = True

    with refused("directory.unavailable"):
        made.run(operation)

    made.directory.down = False
    assert before == made.dump()


def test_taking_back_needs_no_directory() -> None:
    """What tightens, and lifting what was said of ids, works while the directory is down."""
    made = world()
    made.run(grants.allow(POWER, users=["sato"], organizations=["tech"]))
    made.directory.down = True

    assert 1 == made.run(grants.withdraw(POWER, users=["sato"])).changed
    assert 0 == made.run(grants.include(POWER, users=["sato"])).changed
    assert 1 == made.run(grants.organization_removed(POWER, "tech", former_members=[])).changed
    assert ("directory.unavailable",) == made.explain("sato")


def test_a_failing_directory_refuses_who_is_granted() -> None:
    """A directory that fails refuses, whatever the grants say; the next answer is right again."""
    made = world()
    made.allow("sato")
    tokens = made.connect("sato")
    made.directory.down = True
    assert ("directory.unavailable",) == codes(made.check(tokens))

    made.directory.down = False
    assert made.check(tokens)


# --- Bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "kind", "id"),
    [
        (grants.allow(POWER, users=["sato", "saito", "sat"]), "user", "saito"),
        (grants.allow(POWER, organizations=["sales", "sale"]), "organization", "sale"),
        (grants.exclude(POWER, users=["nobody"]), "user", "nobody"),
        (grants.exclude(POWER, organizations=["nowhere"]), "organization", "nowhere"),
        (grants.edit(POWER, version=0, add=["nobody"]), "user", "nobody"),
    ],
    ids=repr,
)
def test_a_subject_that_the_directory_does_not_know(operation: Operation[object], kind: str, id: str) -> None:  # noqa: A002 - its own word
    """A misspelt id would be a grant to nobody, or one day to a stranger: refused, nothing changed."""
    made = world()
    before = made.dump()

    with refused("subject.unknown", kind=kind, id=id):
        made.run(operation)

    assert before == made.dump()


EVERY: Final[list[Callable[[str], Operation[object]]]] = [
    lambda service: grants.allow(service, users=["sato"]),
    lambda service: grants.withdraw(service, users=["sato"]),
    lambda service: grants.exclude(service, users=["sato"]),
    lambda service: grants.include(service, users=["sato"]),
    lambda service: grants.edit(service, version=0, add=["sato"]),
    lambda service: grants.organization_removed(service, "sales", former_members=["sato"]),
    grants.show,
    grants.candidates,
]
NAMES: Final = ("allow", "withdraw", "exclude", "include", "edit", "organization_removed", "show", "candidates")


@pytest.mark.parametrize("make", EVERY, ids=NAMES)
def test_a_service_that_is_not_registered(make: Callable[[str], Operation[object]]) -> None:
    """Nothing is said of a service that the tenant does not know."""
    with refused("service.unknown", service="teams"):
        world().run(make("teams"))


@pytest.mark.parametrize("make", EVERY, ids=NAMES)
def test_a_tenant_that_was_never_opened(make: Callable[[str], Operation[object]]) -> None:
    """Nothing happens in a tenant that nobody opened."""
    other = world().hub.tenant("other").acting_as("admin", roles={"common_administrator"})

    with refused("tenant.not_open", tenant="other"):
        other.run(make(POWER))


@pytest.mark.parametrize("make", EVERY, ids=NAMES)
@pytest.mark.parametrize("role", ["user", "access_administrator", "app_administrator"])
def test_only_a_common_administrator(make: Callable[[str], Operation[object]], role: str) -> None:
    """T11: everybody else is refused, nothing is changed, and the attempt is recorded."""
    made = world()
    operation = make(POWER)

    with refused("actor.not_permitted", operation=operation.name):
        made.tenant.acting_as("eve", roles={role}).run(operation)

    (denied,) = made.entries("operation.denied")
    assert ("eve", operation.name) == (denied.user, denied.details["operation"])
    assert grants.GrantState(version=0, granted=Rules(), excluded=Rules()) == made.run(grants.show(POWER))


def test_the_host_tells_of_deleted_organizations_and_grants_nothing() -> None:
    """The host knows when an organization goes; whom a service is for is the administrator's word."""
    made = world()
    made.run(grants.allow(POWER, organizations=["sales"]))
    host = made.tenant.acting_as("system", roles={"host"})

    for name, make in zip(NAMES, EVERY, strict=True):
        if name != "organization_removed":
            with refused("actor.not_permitted", roles=("common_administrator",)):
                host.run(make(POWER))
    assert 1 == host.run(grants.organization_removed(POWER, "sales", former_members=["sato"])).changed


ANYTHING: Final = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.text() | st.none())
)
MAKERS: Final[dict[str, tuple[Callable[..., Operation[Any]], tuple[str, ...]]]] = {
    "allow": (grants.allow, ("users", "organizations", "groups", "everyone", "scope", "until")),
    "withdraw": (grants.withdraw, ("users", "organizations", "groups", "everyone", "existing")),
    "exclude": (grants.exclude, ("users", "organizations", "groups", "scope", "existing")),
    "include": (grants.include, ("users", "organizations", "groups")),
    "edit": (grants.edit, ("version", "add", "remove", "existing")),
    "organization_removed": (grants.organization_removed, ("organization", "former_members")),
    "show": (grants.show, ()),
    "candidates": (
        grants.candidates,
        ("search", "organization", "scope", "without_organization", "after", "limit"),
    ),
}
REQUIRED: Final[dict[str, dict[str, Any]]] = {
    "edit": {"version": 0},
    "organization_removed": {"organization": "hq", "former_members": ()},
}


@pytest.mark.parametrize("name", MAKERS)
@given(data=st.data())
def test_any_input_gives_a_value_or_an_error_of_ours(name: str, data: st.DataObject) -> None:
    """Every public entry point takes any object and gives an operation that runs, or an `ExtlinkError`."""
    make, fields = MAKERS[name]
    given_fields = data.draw(st.dictionaries(st.sampled_from(fields), ANYTHING)) if fields else {}
    with suppress(InvalidInput, Refused):
        _WORLD.run(make(data.draw(st.just(POWER) | ANYTHING), **{**REQUIRED.get(name, {}), **given_fields}))


_WORLD: Final = world()


@pytest.mark.parametrize(
    ("make", "arguments", "field"),
    [
        (grants.allow, {}, "users"),
        (grants.withdraw, {}, "users"),
        (grants.exclude, {}, "users"),
        (grants.include, {}, "users"),
        (grants.allow, {"everyone": "yes"}, "everyone"),
        (grants.allow, {"users": "sato"}, "users"),
        (grants.allow, {"service": "", "users": ["sato"]}, "service"),
        (grants.allow, {"organizations": ["hq"], "scope": "all"}, "scope"),
        (grants.withdraw, {"users": ["sato"], "existing": "forget"}, "existing"),
        (grants.edit, {"version": -1}, "version"),
        (grants.edit, {"version": True}, "version"),
        (grants.edit, {"version": 0, "add": ["sato"], "remove": ["sato"]}, "remove"),
        (grants.candidates, {"limit": 0}, "limit"),
        (grants.candidates, {"limit": 51}, "limit"),
        (grants.candidates, {"search": "x" * 256}, "search"),
        (grants.candidates, {"without_organization": "no"}, "without_organization"),
    ],
)
def test_malformed_arguments(make: Callable[..., object], arguments: dict[str, object], field: str) -> None:
    """The error names the argument and is raised before anything runs."""
    with pytest.raises(InvalidInput) as caught:
        make(**{"service": POWER, **arguments})

    assert field == caught.value.field
