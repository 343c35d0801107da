from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

import pytest

from extlink import grants
from extlink.adapters.memory import MemoryStorage
from extlink.domain.existing import parse_choice
from extlink.domain.grant import Rules
from extlink.domain.instant import to_datetime
from extlink.errors import InvalidInput, Refused
from extlink.grant_edits import MAX_USERS, Subjects, parse_service, parse_subjects
from extlink.operation import Operation
from extlink.ports import Batch, Position
from tests.people import POWER, CountingStorage, World, refused, world

Save = Callable[[World, int, list[str], list[str]], grants.Saved]


def ticked(made: World) -> set[str]:
    """Return who is granted by name."""
    found = made.run(grants.candidates(POWER, limit=50)).candidates
    return {one.member.id for one in found if one.ticked}


def save(made: World, version: int, add: list[str], remove: list[str]) -> grants.Saved:
    """Save as the library does."""
    return made.run(grants.edit(POWER, version=version, add=add, remove=remove))


# --- A save is a difference --------------------------------------------------------------------------------------


def law_a_filtered_save_drops_nobody(saving: Save) -> None:
    """S3: whoever was not shown under the administrator's filter keeps the tick."""
    made = world()
    made.allow("sato", "guest", "tanaka")
    shown = made.run(grants.candidates(POWER, organization="tech"))
    assert ["suzuki", "tanaka", "mori"] == [one.member.id for one in shown.candidates]

    saving(made, shown.version, ["suzuki"], ["tanaka"])

    assert {"sato", "guest", "suzuki"} == ticked(made)


def test_a_filtered_save_drops_nobody() -> None:
    """S3: a save made under a filter never drops a user who was not shown."""
    law_a_filtered_save_drops_nobody(save)


def test_a_save_that_replaces_the_list_is_caught() -> None:
    """The broken twin: what the page sent is taken for the whole list."""

    def replacing(made: World, version: int, add: list[str], remove: list[str]) -> grants.Saved:
        return save(made, version, add, sorted(ticked(made) - set(add)))

    with pytest.raises(AssertionError):
        law_a_filtered_save_drops_nobody(replacing)


def test_a_save_touches_only_whom_it_names() -> None:
    """Grants to organizations, groups and everyone, and exclusions, stay as they are."""
    made = world()
    made.run(grants.allow(POWER, organizations=["tech"], groups=["staff"], users=["sato"]))
    made.run(grants.exclude(POWER, users=["tanaka"]))
    before = made.run(grants.show(POWER))

    made.run(grants.edit(POWER, version=2, add=["guest"], remove=["sato"]))

    after = made.run(grants.show(POWER))
    assert (before.granted, before.excluded) == (after.granted, after.excluded)
    assert {"guest"} == ticked(made)


def test_a_save_is_one_commit_and_one_entry() -> None:
    """A30: names of those added and removed, the edit's number, what becomes of links; one entry, one commit."""
    made = world()
    made.allow("sato")
    commits = made.storage.commits

    made.run(grants.edit(POWER, version=1, add=["suzuki", "ito"], remove=["sato"], existing="suspend"))

    assert commits + 1 == made.storage.commits
    entry = made.entries("grant.changed")[-1]
    assert ("admin", "grants.edit") == (entry.user, entry.operation)
    nobody = {"organizations": [], "groups": [], "everyone": False}
    assert {
        "service": POWER,
        "edit": 2,
        "added": {"users": ["ito", "suzuki"], **nobody},
        "removed": {"users": ["sato"], **nobody},
        "existing": "suspend",
    } == entry.details


@pytest.mark.parametrize(
    ("operation", "details"),
    [
        (
            grants.allow(POWER, organizations=["tech"], scope="subtree"),
            {"added": {"users": [], "organizations": ["tech"], "groups": [], "everyone": False}},
        ),
        (
            grants.withdraw(POWER, users=["guest"], existing="keep"),
            {"removed": {"users": ["guest"], "organizations": [], "groups": [], "everyone": False}, "existing": "keep"},
        ),
        (
            grants.exclude(POWER, groups=["staff"]),
            {"excluded": {"users": [], "organizations": [], "groups": ["staff"], "everyone": False}},
        ),
    ],
    ids=repr,
)
def test_every_change_is_recorded(operation: Operation[grants.Saved], details: dict[str, object]) -> None:
    """F13: who changed the permitted users, how, and the record's after-image."""
    made = world()
    made.allow("guest")
    made.run(operation)

    entry = made.entries("grant.changed")[-1]

    assert details == {name: entry.details[name] for name in details}
    assert any(key.startswith('["gv"') and image == 2 for key, image in entry.records)
    assert ("important", "update permitted users") == (entry.kind.level, entry.kind.action)


def test_a_save_that_changes_nothing_writes_nothing() -> None:
    """Ticking who is ticked and unticking who is not: the same version, no entry."""
    made = world()
    made.allow("sato")
    before = made.dump()

    assert grants.Saved(version=1, changed=0) == save(made, 1, ["sato"], ["tanaka"])
    assert grants.Saved(version=1, changed=0) == save(made, 1, [], [])
    assert before == made.dump()


def test_how_many_changed_is_told() -> None:
    """`changed` counts the subjects that the edit really changed, over all parts."""
    made = world()
    made.allow("sato")

    assert grants.Saved(version=2, changed=2) == made.run(grants.allow(POWER, users=["sato", "ito"], groups=["staff"]))
    assert grants.Saved(version=3, changed=2) == save(made, 2, ["guest"], ["ito"])


def test_ticking_again_keeps_the_end_date() -> None:
    """The page does not show end dates, so saving a tick that was there changes none."""
    made = world()
    made.run(grants.allow(POWER, users=["sato"], until=to_datetime(made.clock.now()) + timedelta(hours=1)))
    made.run(grants.edit(POWER, version=1, add=["sato", "ito"]))
    made.clock.advance(3_600)

    assert (("grant.over",), ("grant.user",)) == (made.explain("sato"), made.explain("ito"))


def test_ticking_lifts_no_exclusion() -> None:
    """Deny overrides: a tick is a grant by name and no more."""
    made = world()
    made.run(grants.exclude(POWER, users=["sato"]))
    made.run(grants.edit(POWER, version=1, add=["sato"]))

    assert ("grant.excluded",) == made.explain("sato")


# --- Versions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0, 1, 3, 100])
def test_a_stale_version_is_refused(version: int) -> None:
    """A save against any version but the present one is refused, and nothing is changed."""
    made = world()
    made.allow("sato")
    made.allow("ito")
    before = made.dump()

    with refused("version.stale", what=f"grants:{POWER}"):
        made.run(grants.edit(POWER, version=version, add=["guest"], remove=["sato"]))

    assert before == made.dump()


def law_administrators_cannot_overwrite_each_other(saving: Save) -> None:
    """S3: of two saves against the same version the second is refused, whatever it names; nothing of it is done."""
    made = world()
    made.allow("sato", "tanaka")
    first = made.run(grants.candidates(POWER)).version
    second = made.run(grants.show(POWER)).version
    assert first == second

    saving(made, first, [], ["sato"])
    with refused("version.stale"):
        saving(made, second, ["guest"], ["tanaka"])

    assert {"tanaka"} == ticked(made)


def test_administrators_cannot_overwrite_each_other() -> None:
    """Two administrators who read the same version: the second learns it and reads again."""
    law_administrators_cannot_overwrite_each_other(save)


def test_a_save_that_takes_the_newest_version_is_caught() -> None:
    """The broken twin: the version is read just before the save, so it is never stale."""

    def careless(made: World, version: int, add: list[str], remove: list[str]) -> grants.Saved:
        return save(made, made.run(grants.show(POWER)).version, add, remove)

    with pytest.raises(pytest.fail.Exception):
        law_administrators_cannot_overwrite_each_other(careless)


def test_every_edit_raises_the_version() -> None:
    """Whatever changed: users, organizations, exclusions, liftings, a deleted organization."""
    made = world()
    edits = [
        grants.allow(POWER, users=["sato"]),
        grants.allow(POWER, organizations=["tech"]),
        grants.withdraw(POWER, users=["sato"]),
        grants.exclude(POWER, groups=["staff"]),
        grants.include(POWER, groups=["staff"]),
        grants.organization_removed(POWER, "tech", former_members=["tanaka"]),
        grants.edit(POWER, version=6, add=["ito"]),
    ]

    versions = [made.run(edit).version for edit in edits]

    assert list(range(1, 8)) == versions
    assert 7 == made.run(grants.show(POWER)).version == made.run(grants.candidates(POWER)).version


def test_versions_are_one_services_own() -> None:
    """An edit of one service leaves the version of another."""
    made = world()
    made.allow("sato", service="slack")

    assert 0 == made.run(grants.show(POWER)).version


class Interrupting(CountingStorage):
    """A store in which something else happens just before the next commit."""

    def __init__(self) -> None:
        super().__init__(MemoryStorage())
        self.before: Callable[[], object] | None = None

    def commit(self, batch: Batch) -> Position:
        before, self.before = self.before, None
        if before is not None:
            before()
        return super().commit(batch)


def interrupted(operation: Operation[grants.Saved], by: Operation[grants.Saved]) -> World:
    """Run an operation whose commit comes just after another administrator's."""
    made = world(storage=Interrupting())
    made.allow("sato")
    assert isinstance(made.storage, Interrupting)
    made.storage.before = lambda: made.run(by)
    made.run(operation)
    return made


def test_a_save_between_reading_and_writing() -> None:
    """A save that somebody else's overtook is refused, not merged: the version is part of the commit."""
    with refused("version.stale"):
        interrupted(
            grants.edit(POWER, version=1, add=["ito"]),
            grants.edit(POWER, version=1, add=["tanaka"]),
        )


def test_allowing_between_reading_and_writing() -> None:
    """Edits that state no version are both done, one after the other."""
    made = interrupted(grants.allow(POWER, users=["ito"]), grants.allow(POWER, users=["tanaka"]))

    assert {"sato", "ito", "tanaka"} == ticked(made)
    assert 3 == made.run(grants.show(POWER)).version


def test_two_organizations_at_once() -> None:
    """The rules for many lie in one record: of two edits of it none is lost."""
    made = interrupted(grants.allow(POWER, organizations=["tech"]), grants.allow(POWER, groups=["staff"]))

    shown = made.run(grants.show(POWER))
    assert (["tech"], ["staff"]) == (list(shown.granted.organizations), list(shown.granted.groups))


# --- Limits ------------------------------------------------------------------------------------------------------


def crowd(made: World, count: int) -> list[str]:
    """Add people and return their ids."""
    users = [f"user-{number:03}" for number in range(count)]
    for user in users:
        made.people.add_user(user, organizations=["hq"], products={"kintone"})
    return users


@pytest.mark.parametrize(
    "make",
    [
        lambda users: grants.allow(POWER, users=users),
        lambda users: grants.edit(POWER, version=0, add=users),
        lambda users: grants.exclude(POWER, users=users),
    ],
    ids=["allow", "edit", "exclude"],
)
def test_three_hundred_users_in_one_save(make: Callable[[Iterable[str]], Operation[grants.Saved]]) -> None:
    """DESIGN 5: a save of 300 users is done as one."""
    made = world()
    users = crowd(made, MAX_USERS)
    commits = made.storage.commits

    saved = made.run(make(users))

    assert (grants.Saved(version=1, changed=300), commits + 1) == (saved, made.storage.commits)


def test_three_hundred_can_be_taken_back() -> None:
    """Withdrawing, including and the deletion of an organization have the same bound."""
    made = world()
    users = crowd(made, MAX_USERS)
    made.run(grants.allow(POWER, users=users, organizations=["hq"]))
    made.run(grants.exclude(POWER, organizations=["hq"]))

    assert 301 == made.run(grants.organization_removed(POWER, "hq", former_members=users)).changed
    assert 300 == made.run(grants.include(POWER, users=users)).changed
    assert 300 == made.run(grants.withdraw(POWER, users=users)).changed
    assert 300 == made.run(grants.edit(POWER, version=5, add=users)).changed


MANY: Final = [f"user-{number:03}" for number in range(MAX_USERS + 1)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: grants.allow(POWER, users=MANY),
        lambda: grants.withdraw(POWER, users=MANY),
        lambda: grants.exclude(POWER, users=MANY),
        lambda: grants.include(POWER, users=MANY),
        lambda: grants.edit(POWER, version=0, add=MANY[:1], remove=MANY[1:]),
        lambda: grants.organization_removed(POWER, "hq", former_members=MANY),
    ],
    ids=["allow", "withdraw", "exclude", "include", "edit", "organization_removed"],
)
def test_three_hundred_and_one_are_too_many(make: Callable[[], object]) -> None:
    """One more is refused before anything runs, with the numbers and the way out."""
    with refused("save.too_large", count="301", limit="300"):
        make()


def test_the_way_out_of_too_many() -> None:
    """The remedy says what to do instead: a department or group, or several saves."""
    with pytest.raises(Refused) as caught:
        grants.allow(POWER, users=MANY)

    assert "department or group" in caught.value.reason.remedy.text("en")


# --- The parsers -------------------------------------------------------------------------------------------------


def test_subjects_are_sorted_and_distinct() -> None:
    """Order and duplicates never matter (law 2)."""
    subjects = parse_subjects(["b", "a", "b"], ["o"], ["g", "g"], everyone=False)

    assert Subjects(("a", "b"), ("o",), ("g",), everyone=False) == subjects  # type: ignore[arg-type]
    assert grants.allow(POWER, users=["b", "a"]) == grants.allow(POWER, users=["a", "b", "b"])


def test_everyone_alone_is_a_subject() -> None:
    """Everyone must be chosen, and then nobody else need be named."""
    assert Subjects(everyone=True) == parse_subjects([], [], [], everyone=True)


@pytest.mark.parametrize("value", ["Revoke", "", None, 3])
def test_words_about_existing_links(value: object) -> None:
    """Only revoke, suspend and keep; anything else is refused, never guessed."""
    words = ("revoke", "suspend", "keep")

    assert words == tuple(parse_choice("grants.withdraw", word) for word in words)
    with pytest.raises(InvalidInput, match="existing: expected one of revoke, suspend, keep"):
        parse_choice("grants.withdraw", value)


@pytest.mark.parametrize("value", ["", None, "x" * 256, b"slack"])
def test_service_ids(value: object) -> None:
    """A service is named by its id."""
    assert "slack" == parse_service("slack")
    with pytest.raises(InvalidInput, match="service"):
        parse_service(value)


def test_nobody_is_granted_at_first() -> None:
    """A service without a single edit has version 0 and no rules."""
    assert grants.GrantState(version=0, granted=Rules(), excluded=Rules()) == world().run(grants.show(POWER))
